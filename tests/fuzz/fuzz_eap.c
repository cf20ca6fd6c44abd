/* An EAP packet. */
#include "tests/fuzz/fuzz.h"

#include "client/ike/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t buf[70000];
	struct bytes body = bytes(data, size), b;
	struct ike_eap a;
	struct ike_wr m;
	enum err e = ike_eap_parse(body, &a);

	FUZZ_CHECK(fuzz_parse_err(e));
	if (e != OK)
		return 0;
	FUZZ_CHECK(a.code >= EAP_REQUEST && a.code <= EAP_FAILURE);
	FUZZ_CHECK(fuzz_inside(a.data, body));
	if (a.code == EAP_SUCCESS || a.code == EAP_FAILURE)
		FUZZ_CHECK(size == 4 && a.type == 0 && a.data.len == 0);
	else
		FUZZ_CHECK(size == 5 + a.data.len);
	if (size > 65531)
		return 0;
	/* every octet means something: the same comes out */
	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_eap(&m, &a);
	FUZZ_CHECK(ike_wr_end(&m, &b) == OK);
	FUZZ_CHECK(bytes_eq(bytes(b.p + 4, b.len - 4), body));
	return 0;
}
