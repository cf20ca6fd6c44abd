/* Distinguished names as a person writes them, and as a gateway does. */
#include "tests/fuzz/fuzz.h"

#include "client/crypto/der.h"
#include "client/crypto/dn.h"

#define MAX 2048

static void check_written(struct bytes der)
{
	struct rd r = dn_open(der), set;
	struct dn_attribute a;
	size_t n = 0;

	for (; rd_left(&r) > 0; n++) {
		set = der_open(&r, DER_SET);
		a = dn_take(&set);
		FUZZ_CHECK(rd_finish(&set) == OK);
		FUZZ_CHECK(a.oid.len > 0 && a.value.len > 0);
	}
	FUZZ_CHECK(rd_finish(&r) == OK && n > 0);
	FUZZ_CHECK(dn_equal(der, der) && dn_within(der, der));
}

static void check_text(struct bytes name)
{
	static char text[4 * MAX];
	static uint8_t buf[MAX];
	struct wr w = wr_open(buf, sizeof(buf));
	enum err e;

	FUZZ_CHECK(dn_text(name, text, sizeof(text)) == text);
	e = dn_parse(bytes_str(text), &w, NULL);
	FUZZ_CHECK(e == OK || e == ERR_MALFORMED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[MAX];
	struct wr w = wr_open(buf, sizeof(buf));
	struct diag diag = DIAG_INIT;
	enum err e = dn_parse(bytes(data, size), &w, &diag);

	FUZZ_CHECK(e == OK || e == ERR_MALFORMED);
	FUZZ_CHECK((e == OK) == (diag.text[0] == '\0'));
	FUZZ_CHECK(wr_ok(&w));
	check_text(bytes(data, size));
	if (e == OK) {
		check_written(wr_view(&w));
		check_text(wr_view(&w));
	}
	return 0;
}
