/* EAP and MSCHAPv2 of a gateway whose certificate is believed: packets, one
 * after the other, each code, identifier, type, length 2 and octets. */
#include "tests/fuzz/fuzz_sa_input.h"

static void keys_make(struct fuzz_ike *f, const struct ike_msg *msg,
		      struct ike_wr *w)
{
	struct suite suite;
	struct proposal_list theirs;
	struct proposal chosen;
	struct ike_seed seed = {.spi_i = msg->hdr.spi_i, .spi_r = f->spi_r};
	uint8_t shared[KE_SHARED_MAX];
	struct ke *ke = NULL;
	struct ike_ke k;
	size_t len;

	FUZZ_CHECK(proposals_parse(ike_msg_find(msg, PLD_SA, 0)->body,
				   &theirs) == OK);
	FUZZ_CHECK(proposals_select(&f->cfg.ike_proposals, &theirs, &chosen) ==
		   OK);
	FUZZ_CHECK(suite_from_proposal(&chosen, &suite) == OK);
	FUZZ_CHECK(ike_ke_parse(ike_msg_find(msg, PLD_KE, 0)->body, &k) == OK);
	FUZZ_CHECK(ke_new(suite.ke, &f->rng, &ke) == OK);
	FUZZ_CHECK(ke_shared(ke, k.data, shared, &len) == OK);
	seed.ni = ike_msg_find(msg, PLD_NONCE, 0)->body;
	seed.nr = BYTES_OF(f->nr);
	FUZZ_CHECK(ike_keys_initial(&suite, &seed, bytes(shared, len),
				    &f->keys) == OK);
	FUZZ_CHECK(ike_protect_new(&f->keys, false, &f->rng, &f->protect) ==
		   OK);
	ike_wr_sa_one(w, &chosen);
	ike_wr_ke(w, (uint16_t)suite.ke, ke_public(ke));
	ike_wr_payload(w, PLD_NONCE, BYTES_OF(f->nr));
	ke_free(&ke);
}

static void start(struct fuzz_ike *f)
{
	static struct ike_msg msg;
	struct ike_hdr h;
	struct bytes dgram;
	struct ike_wr w;

	FUZZ_CHECK(ike_sa_start(f->sa, &f->path, f->now_ms) == OK);
	fuzz_ike_pull(f);
	FUZZ_CHECK(ike_msg_parse(bytes(f->last, f->last_len), &msg) == OK);
	h = fuzz_ike_answer(f);
	h.spi_r = f->spi_r;
	ike_wr_start(&w, f->first, sizeof(f->first), &h);
	keys_make(f, &msg, &w);
	FUZZ_CHECK(ike_wr_end(&w, &dgram) == OK);
	fuzz_ike_raw(f, dgram);
	FUZZ_CHECK(ike_sa_state(f->sa) == IKE_ST_AUTH);
}

/* The first answer bears IDr, CERT and AUTH too. */
static void put_head(struct ike_wr *w)
{
	struct ike_id idr = {ID_FQDN, bytes_str("gw")};

	ike_wr_id(w, PLD_IDR, &idr);
	ike_wr_cert(w, PLD_CERT, bytes_str("a certificate"));
	ike_wr_auth(w, AUTH_DIGITAL_SIGNATURE, bytes_str("a signature"));
}

static void packet(struct fuzz_ike *f, struct rd *r, bool first)
{
	static uint8_t chain[70000];
	struct ike_eap eap = {.code = rd_u8(r), .id = rd_u8(r)};
	struct ike_hdr h = fuzz_ike_answer(f);
	struct bytes inner;
	struct ike_wr w;
	size_t len;

	eap.type = rd_u8(r);
	len = rd_u16(r);
	eap.data = rd_take(r, len < rd_left(r) ? len : rd_left(r));
	ike_wr_start_chain(&w, chain, sizeof(chain));
	if (first)
		put_head(&w);
	ike_wr_eap(&w, &eap);
	if (ike_wr_end(&w, &inner) == OK)
		fuzz_ike_sealed(f, &h, ike_wr_first(&w), inner);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_ike f;
	struct rd r = rd_open(bytes(data, size));

	fuzz_ike_open(&f, IKE_AUTH_EAP_MSCHAPV2);
	start(&f);
	for (int n = 0; rd_left(&r) > 0 && n < 30; n++)
		packet(&f, &r, n == 0);
	/* Nobody here has proved to know the password. */
	FUZZ_CHECK(!f.up && f.n_asked <= 1);
	fuzz_ike_wait(&f, 60000);
	FUZZ_CHECK(f.closed);
	fuzz_ike_close(&f);
	return 0;
}
