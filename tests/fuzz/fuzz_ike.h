/* An IKE SA with fixed keys, and SK and SKF payloads of any inside. */
#ifndef TESTS_FUZZ_FUZZ_IKE_H
#define TESTS_FUZZ_FUZZ_IKE_H

#include "tests/fuzz/fuzz.h"

#include "client/ike/protect.h"

#define FUZZ_SUITES 4

static const struct cipher_algs fuzz_algs[FUZZ_SUITES] = {
	{ENCR_AES_GCM_16, 256, INTEG_NONE},
	{ENCR_CHACHA20_POLY1305, 0, INTEG_NONE},
	{ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_256_128},
	{ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_512_256},
};

struct fuzz_sa {
	struct rng rng;
	struct ike_protect i, r;
};

/* Made once for each suite: only the keys matter, and they stay. */
static inline struct fuzz_sa *fuzz_sa_of(uint8_t suite)
{
	static struct fuzz_sa sas[FUZZ_SUITES];
	struct fuzz_sa *sa = &sas[suite % FUZZ_SUITES];
	struct suite s = {fuzz_algs[suite % FUZZ_SUITES], PRF_HMAC_SHA2_256,
			  KE_X25519, false};
	const uint8_t seed[32] = {1}, nonce[32] = {2};
	struct ike_seed is = {BYTES_OF(nonce), BYTES_OF(nonce), 1, 2};
	struct ike_keys k;

	if (sa->i.seal)
		return sa;
	rng_seed(&sa->rng, seed);
	FUZZ_CHECK(ike_keys_initial(&s, &is, BYTES_OF(nonce), &k) == OK);
	FUZZ_CHECK(ike_protect_new(&k, true, &sa->rng, &sa->i) == OK);
	FUZZ_CHECK(ike_protect_new(&k, false, &sa->rng, &sa->r) == OK);
	ike_keys_wipe(&k);
	return sa;
}

struct fuzz_sealing {
	uint32_t msg_id;
	uint8_t type;  /* PLD_SK or PLD_SKF */
	uint8_t first; /* next payload */
	struct bytes frag;
	struct bytes text; /* all that is encrypted, padding included */
};

/* A genuine message whose inside nobody would write. The text's length must
 * suit the cipher. */
static inline size_t fuzz_seal(struct ike_protect *p,
			       const struct fuzz_sealing *s, uint8_t *buf,
			       size_t cap)
{
	size_t iv_len = cipher_iv_len(p->seal);
	size_t icv_len = cipher_icv_len(p->seal);
	size_t len = 4 + s->frag.len + iv_len + s->text.len + icv_len;
	struct ike_hdr hdr = {.spi_i = 1, .spi_r = 2, .exchange = IKE_AUTH};
	struct cipher_text t = {.body_len = s->text.len};
	struct wr w = wr_open(buf, cap);

	hdr.next_payload = s->type;
	hdr.flags = IKE_FLAG_INITIATOR;
	hdr.msg_id = s->msg_id;
	hdr.len = (uint32_t)(IKE_HDR_LEN + len);
	ike_hdr_write(&w, &hdr);
	wr_u8(&w, s->first);
	wr_u8(&w, 0);
	wr_u16(&w, (uint16_t)len);
	wr_bytes(&w, s->frag);
	t.head = wr_view(&w);
	t.iv = w.p;
	wr_zeros(&w, iv_len);
	t.body = w.p;
	wr_bytes(&w, s->text);
	t.icv = w.p;
	wr_zeros(&w, icv_len);
	FUZZ_CHECK(wr_ok(&w));
	FUZZ_CHECK(cipher_seal(p->seal, &t) == OK);
	return wr_len(&w);
}

static inline bool fuzz_same_payloads(const struct ike_msg *a,
				      const struct ike_msg *b)
{
	if (a->n_payloads != b->n_payloads ||
	    a->unknown_critical != b->unknown_critical)
		return false;
	for (size_t i = 0; i < a->n_payloads; i++)
		if (a->payloads[i].type != b->payloads[i].type ||
		    a->payloads[i].critical != b->payloads[i].critical ||
		    !bytes_eq(a->payloads[i].body, b->payloads[i].body))
			return false;
	return true;
}

#endif
