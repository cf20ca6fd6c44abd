/* EAP and MSCHAPv2 of a gateway whose certificate is believed: packets, one
 * after the other, each code, identifier, type, length 2 and octets. */
#include "tests/fuzz/fuzz_sa_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_ike f;
	struct rd r = rd_open(bytes(data, size));

	fuzz_ike_open(&f, IKE_AUTH_EAP_MSCHAPV2);
	fuzz_ike_eap_start(&f);
	for (int n = 0; rd_left(&r) > 0 && n < 30; n++)
		fuzz_ike_eap_packet(&f, &r, n == 0);
	/* Nobody here has proved to know the password. */
	FUZZ_CHECK(!f.up && f.n_asked <= 1);
	fuzz_ike_wait(&f, 60000);
	FUZZ_CHECK(f.closed);
	fuzz_ike_close(&f);
	return 0;
}
