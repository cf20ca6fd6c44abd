/* EAP-TLS as peer: before each packet one octet says what the layer above
 * answers to the flight that it may complete, in units of 64 octets; 255: the
 * handshake is through. */
#include "tests/fuzz/fuzz_sa_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_ike f;
	struct rd r = rd_open(bytes(data, size));

	fuzz_ike_open(&f, IKE_AUTH_EAP_TLS);
	fuzz_ike_eap_start(&f);
	for (int n = 0; rd_left(&r) > 0 && n < 30; n++) {
		uint8_t next = rd_u8(&r);

		f.tls_done = next == 255;
		f.tls_out = f.tls_done ? 0 : next % 128 * 64;
		fuzz_ike_eap_packet(&f, &r, n == 0);
	}
	/* The gateway never proved to have the MSK. */
	FUZZ_CHECK(!f.up);
	fuzz_ike_wait(&f, 60000);
	FUZZ_CHECK(f.closed);
	fuzz_ike_close(&f);
	return 0;
}
