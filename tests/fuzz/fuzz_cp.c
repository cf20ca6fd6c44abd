/* A configuration payload. */
#include "tests/fuzz/fuzz.h"

#include "client/ike/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[70000];
	struct bytes body = bytes(data, size), b;
	struct ike_cp a, again;
	struct ike_wr m;
	enum err e = ike_cp_parse(body, &a);

	FUZZ_CHECK(fuzz_parse_err(e));
	FUZZ_CHECK(a.n <= IKE_CP_MAX);
	for (size_t i = 0; i < a.n; i++)
		FUZZ_CHECK(fuzz_inside(a.attrs[i].value, body));
	if (e != OK || size > 65531)
		return 0;
	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_cp(&m, &a);
	FUZZ_CHECK(ike_wr_end(&m, &b) == OK);
	FUZZ_CHECK(ike_cp_parse(bytes(b.p + 4, b.len - 4), &again) == OK);
	FUZZ_CHECK(again.type == a.type && again.n == a.n);
	for (size_t i = 0; i < a.n; i++) {
		FUZZ_CHECK(a.attrs[i].type == again.attrs[i].type);
		FUZZ_CHECK(a.attrs[i].type <= 0x7fff);
		FUZZ_CHECK(bytes_eq(a.attrs[i].value, again.attrs[i].value));
	}
	return 0;
}
