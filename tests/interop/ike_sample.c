/* Prints messages that client/ike writes, for other programs to decode
 * (tests/interop/codec). A line each: name, octets in hexadecimal; and for an
 * encrypted one its keys: SPIi SPIr SK_ei SK_er SK_ai SK_ar. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ike/protect.h"

#define SPI_I 0x0102030405060708
#define SPI_R 0x1112131415161718

static void must(enum err e)
{
	if (e == OK)
		return;
	fprintf(stderr, "%s\n", err_name(e));
	exit(1);
}

static void hex(struct bytes b)
{
	putchar(' ');
	for (size_t i = 0; i < b.len; i++)
		printf("%02x", b.p[i]);
	if (b.len == 0)
		putchar('-');
}

static void line(const char *name, struct bytes b)
{
	printf("%s", name);
	hex(b);
	putchar('\n');
}

static const uint8_t octets[256] = {1, 2, 3, 4, 5, 6, 7, 8, 9};

static void init_request(void)
{
	struct ike_hdr hdr = {.spi_i = SPI_I,
			      .exchange = IKE_SA_INIT,
			      .flags = IKE_FLAG_INITIATOR};
	static struct proposal_list l;
	static uint8_t buf[2048];
	struct ike_wr m;
	struct bytes b;

	proposals_default(PROTO_IKE, &l);
	ike_wr_start(&m, buf, sizeof(buf), &hdr);
	ike_wr_sa(&m, &l);
	ike_wr_ke(&m, KE_X25519, bytes(octets, 32));
	ike_wr_payload(&m, PLD_NONCE, bytes(octets, 32));
	ike_wr_notify(&m, N_NAT_DETECTION_SOURCE_IP, bytes(octets, 20));
	ike_wr_notify(&m, N_IKEV2_FRAGMENTATION_SUPPORTED, BYTES_NONE);
	must(ike_wr_end(&m, &b));
	line("init", b);
}

static void resume_request(void)
{
	struct ike_hdr hdr = {.spi_i = SPI_I,
			      .exchange = IKE_SESSION_RESUME,
			      .flags = IKE_FLAG_INITIATOR};
	uint8_t buf[512];
	struct ike_wr m;
	struct bytes b;

	ike_wr_start(&m, buf, sizeof(buf), &hdr);
	ike_wr_payload(&m, PLD_NONCE, bytes(octets, 32));
	ike_wr_notify(&m, N_TICKET_OPAQUE, bytes(octets, 100));
	must(ike_wr_end(&m, &b));
	line("resume", b);
}

static void write_ts(struct ike_wr *m)
{
	static struct ike_ts_list ts;
	struct prefix p;

	ts.n = 0;
	must(prefix_parse("10.9.0.0/24", &p));
	ike_ts_from_prefix(&p, &ts.ts[ts.n++]);
	must(prefix_parse("2001:db8::/32", &p));
	ike_ts_from_prefix(&p, &ts.ts[ts.n++]);
	ike_wr_ts(m, PLD_TSI, &ts);
	ike_wr_ts(m, PLD_TSR, &ts);
}

static struct bytes auth_chain(uint8_t *buf, size_t cap, uint8_t *out_first)
{
	const struct ike_id id = {ID_FQDN, bytes_str("client.lab.test")};
	struct ike_cp cp = {.type = CFG_REQUEST, .n = 2};
	static struct proposal_list l;
	struct ike_wr m;
	struct bytes b;

	cp.attrs[0].type = CFG_INTERNAL_IP4_ADDRESS;
	cp.attrs[1].type = CFG_INTERNAL_DNS_DOMAIN;
	must(proposals_from_text("aes256gcm16-noesn", PROTO_ESP, &l, NULL));
	proposals_set_spi(&l, bytes(octets, 4));
	ike_wr_start_chain(&m, buf, cap);
	ike_wr_id(&m, PLD_IDI, &id);
	ike_wr_auth(&m, AUTH_SHARED_KEY, bytes(octets, 32));
	ike_wr_cp(&m, &cp);
	ike_wr_sa(&m, &l);
	write_ts(&m);
	ike_wr_notify(&m, N_TICKET_REQUEST, BYTES_NONE);
	must(ike_wr_end(&m, &b));
	*out_first = ike_wr_first(&m);
	return b;
}

static void sealed(const char *name, const struct cipher_algs *algs)
{
	struct ike_hdr hdr = {.spi_i = SPI_I,
			      .spi_r = SPI_R,
			      .exchange = IKE_AUTH,
			      .flags = IKE_FLAG_INITIATOR,
			      .msg_id = 1};
	struct suite suite = {*algs, PRF_HMAC_SHA2_256, KE_X25519, false};
	struct ike_seed seed = {bytes(octets, 32), bytes(octets + 1, 32), SPI_I,
				SPI_R};
	uint8_t first, inner[1024], buf[2048];
	struct rng rng = {{1}};
	struct ike_protect p;
	struct ike_keys k;
	struct bytes chain = auth_chain(inner, sizeof(inner), &first);
	struct wr w = wr_open(buf, sizeof(buf));

	must(ike_keys_initial(&suite, &seed, bytes(octets, 32), &k));
	must(ike_protect_new(&k, true, &rng, &p));
	must(ike_seal(&p, &hdr, first, chain, &w));
	printf("%s", name);
	hex(wr_view(&w));
	hex(bytes(buf, 8));
	hex(bytes(buf + 8, 8));
	hex(secret_view(&k.sk_ei));
	hex(secret_view(&k.sk_er));
	hex(secret_view(&k.sk_ai));
	hex(secret_view(&k.sk_ar));
	putchar('\n');
	ike_protect_free(&p);
	ike_keys_wipe(&k);
}

int main(void)
{
	init_request();
	resume_request();
	sealed("gcm128", &(struct cipher_algs){ENCR_AES_GCM_16, 128, 0});
	sealed("gcm256", &(struct cipher_algs){ENCR_AES_GCM_16, 256, 0});
	sealed("cbc128", &(struct cipher_algs){ENCR_AES_CBC, 128,
					       INTEG_HMAC_SHA2_256_128});
	sealed("cbc256", &(struct cipher_algs){ENCR_AES_CBC, 256,
					       INTEG_HMAC_SHA2_512_256});
	return 0;
}
