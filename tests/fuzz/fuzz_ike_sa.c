/* An IKE SA that resumes and lives: script of octets. The first one says what
 * the SA has got so far, then steps follow (struct step). */
#include "tests/fuzz/fuzz_sa_input.h"

enum { FROM_INIT, FROM_RESUME, FROM_AUTH, FROM_UP, FROM_COUNT };
enum {
	OP_ANSWER,  /* exchange as asked: payload type, length 2, chain */
	OP_ASK,	    /* exchange, payload type, length 2, chain */
	OP_RAW,	    /* length 2, octets; the client's SPIs in front */
	OP_FOREIGN, /* length 2, octets */
	OP_AGAIN,   /* the client's own last datagram, back to it */
	OP_WAIT,    /* units of 64 ms, 2 octets */
	OP_VERB,    /* which */
	OP_COUNT
};

static const uint8_t sk_d[32] = {5, 4, 3};

static void first_take(struct fuzz_ike *f)
{
	struct ike_msg msg;
	struct bytes ni;

	FUZZ_CHECK(ike_msg_parse(bytes(f->last, f->last_len), &msg) == OK);
	FUZZ_CHECK(ike_nonce_parse(ike_msg_find(&msg, PLD_NONCE, 0)->body,
				   &ni) == OK);
	FUZZ_CHECK(f->last_len <= sizeof(f->first));
	memcpy(f->ni, ni.p, ni.len);
	f->ni_len = ni.len;
	f->spi_i = msg.hdr.spi_i;
}

static void start(struct fuzz_ike *f, bool resume)
{
	static const uint8_t opaque[40] = {9};
	struct ike_ticket t = {.opaque = BYTES_OF(opaque),
			       .lifetime_s = 3600,
			       .suite = {{ENCR_AES_GCM_16, 128, INTEG_NONE},
					 PRF_HMAC_SHA2_256,
					 KE_X25519,
					 false},
			       .id_local = f->cfg.id_local,
			       .id_remote = f->cfg.id_remote,
			       .auth = IKE_AUTH_PSK,
			       .peer_fragments = true};

	FUZZ_CHECK(secret_set(&t.sk_d, BYTES_OF(sk_d)) == OK);
	FUZZ_CHECK((resume ? ike_sa_resume(f->sa, &t, &f->path, f->now_ms)
			   : ike_sa_start(f->sa, &f->path, f->now_ms)) == OK);
	fuzz_ike_pull(f);
	first_take(f);
}

static void accept(struct fuzz_ike *f)
{
	struct suite suite = {{ENCR_AES_GCM_16, 128, INTEG_NONE},
			      PRF_HMAC_SHA2_256,
			      KE_X25519,
			      false};
	struct ike_seed seed = {bytes(f->ni, f->ni_len), BYTES_OF(f->nr),
				f->spi_i, f->spi_r};
	struct ike_hdr h = fuzz_ike_answer(f);
	struct bytes msg;
	struct ike_wr w;

	h.spi_r = f->spi_r;
	ike_wr_start(&w, f->first, sizeof(f->first), &h);
	ike_wr_payload(&w, PLD_NONCE, BYTES_OF(f->nr));
	FUZZ_CHECK(ike_wr_end(&w, &msg) == OK);
	f->first_len = msg.len;
	FUZZ_CHECK(ike_keys_resume(&suite, &seed, BYTES_OF(sk_d), &f->keys) ==
		   OK);
	FUZZ_CHECK(ike_protect_new(&f->keys, false, &f->rng, &f->protect) ==
		   OK);
	fuzz_ike_raw(f, msg);
	FUZZ_CHECK(ike_sa_state(f->sa) == IKE_ST_AUTH);
	f->has_keys = true;
}

static void put_proof(struct fuzz_ike *f, struct ike_wr *w)
{
	struct ike_id idr = {ID_FQDN, bytes_str("gw")};
	struct bytes parts[3] = {bytes(f->first, f->first_len),
				 bytes(f->ni, f->ni_len)};
	struct secret maced, auth;

	FUZZ_CHECK(ike_maced_id(PRF_HMAC_SHA2_256, &f->keys.sk_pr, &idr,
				&maced) == OK);
	parts[2] = secret_view(&maced);
	FUZZ_CHECK(ike_auth_resume(PRF_HMAC_SHA2_256, &f->keys.sk_pr, parts, 3,
				   &auth) == OK);
	ike_wr_id(w, PLD_IDR, &idr);
	ike_wr_auth(w, AUTH_SHARED_KEY, secret_view(&auth));
	f->proven = true;
}

static void put_child(struct fuzz_ike *f, struct ike_wr *w)
{
	static const uint8_t spi[4] = {1, 2, 3, 4}, v4[4] = {10, 0, 0, 2};
	struct proposal_list one = f->cfg.esp_proposals;
	struct ike_cp cp = {.type = CFG_REPLY, .n = 1};

	proposals_drop_ke(&one);
	one.p[0].spi = BYTES_OF(spi);
	for (size_t i = 0; i < one.p[0].n; i++)
		if (one.p[0].t[i].type == TRANSFORM_ESN)
			one.p[0].t[i].id = 0;
	one.p[0].n = 2; /* cipher and one ESN */
	ike_wr_sa_one(w, &one.p[0]);
	ike_wr_ts(w, PLD_TSI, &f->cfg.ts_local);
	ike_wr_ts(w, PLD_TSR, &f->cfg.ts_remote);
	cp.attrs[0] =
		(struct ike_cp_attr){CFG_INTERNAL_IP4_ADDRESS, BYTES_OF(v4)};
	ike_wr_cp(w, &cp);
}

static void come_up(struct fuzz_ike *f)
{
	static const uint8_t token[16] = {7}, ticket[] = {0, 0, 9, 9, 1, 2};
	static uint8_t chain[2048];
	struct ike_hdr h = fuzz_ike_answer(f);
	struct bytes inner;
	struct ike_wr w;

	ike_wr_start_chain(&w, chain, sizeof(chain));
	put_proof(f, &w);
	put_child(f, &w);
	ike_wr_notify(&w, N_MOBIKE_SUPPORTED, BYTES_NONE);
	ike_wr_notify(&w, N_QUICK_CRASH_DETECTION, BYTES_OF(token));
	ike_wr_notify(&w, N_TICKET_LT_OPAQUE, BYTES_OF(ticket));
	FUZZ_CHECK(ike_wr_end(&w, &inner) == OK);
	fuzz_ike_sealed(f, &h, ike_wr_first(&w), inner);
	FUZZ_CHECK(f->up);
}

/* --- steps -------------------------------------------------------------------
 */

static struct bytes text(struct rd *r)
{
	size_t len = rd_u16(r);

	return rd_take(r, len < rd_left(r) ? len : rd_left(r));
}

static void step_message(struct fuzz_ike *f, struct rd *r, bool is_answer)
{
	struct ike_hdr h = fuzz_ike_answer(f);
	uint8_t first;

	if (!is_answer)
		h = fuzz_ike_ask(f, rd_u8(r));
	first = rd_u8(r);
	if (f->has_keys)
		fuzz_ike_sealed(f, &h, first, text(r));
}

static void step_raw(struct fuzz_ike *f, struct bytes b)
{
	static uint8_t buf[70000];
	struct wr w = wr_open(buf, sizeof(buf));
	bool was_closed = f->closed, was_up = f->up;

	wr_u64(&w, f->spi_i);
	wr_u64(&w, f->has_keys ? f->spi_r : 0);
	wr_bytes(&w, b);
	fuzz_ike_raw(f, wr_view(&w));
	/* Nothing that is not protected makes an SA, or ends one but for the
	 * octets of the token. */
	FUZZ_CHECK(f->up == was_up);
	if (f->closed && !was_closed)
		FUZZ_CHECK(f->up && b.len >= 16);
}

static void step_verb(struct fuzz_ike *f, uint8_t which)
{
	struct ike_path other = f->path;
	enum err e = OK;

	other.local.b[3] = which;
	switch (which % 8) {
	case 0:
		e = ike_sa_rekey_ike(f->sa, f->now_ms);
		break;
	case 1:
		e = ike_sa_rekey_child(f->sa, f->now_ms);
		break;
	case 2:
		e = ike_sa_ask_ticket(f->sa, f->now_ms);
		break;
	case 3:
		e = ike_sa_check_alive(f->sa, f->now_ms);
		break;
	case 4:
		e = ike_sa_move(f->sa, &other, f->now_ms);
		break;
	case 5:
		e = ike_sa_probe(f->sa, &other, f->now_ms);
		break;
	case 6:
		e = ike_sa_race(f->sa, &other, f->now_ms);
		break;
	default:
		e = ike_sa_delete(f->sa, f->now_ms);
		break;
	}
	FUZZ_CHECK(e == OK || e == ERR_STATE || e == ERR_UNSUPPORTED ||
		   e == ERR_BUSY || e == ERR_NO_SPACE);
	fuzz_ike_pull(f);
}

static void step(struct fuzz_ike *f, struct rd *r)
{
	switch (rd_u8(r) % OP_COUNT) {
	case OP_ANSWER:
		step_message(f, r, true);
		break;
	case OP_ASK:
		step_message(f, r, false);
		break;
	case OP_RAW:
		step_raw(f, text(r));
		break;
	case OP_FOREIGN:
		fuzz_ike_raw(f, text(r));
		break;
	case OP_AGAIN:
		fuzz_ike_raw(f, bytes(f->last, f->last_len));
		break;
	case OP_WAIT:
		fuzz_ike_wait(f, 64 * (int64_t)rd_u16(r));
		break;
	default:
		step_verb(f, rd_u8(r));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct fuzz_ike f;
	struct rd r = rd_open(bytes(data, size));
	uint8_t from = rd_u8(&r) % FROM_COUNT;

	fuzz_ike_open(&f, IKE_AUTH_PSK);
	start(&f, from != FROM_INIT);
	if (from >= FROM_AUTH)
		accept(&f);
	if (from >= FROM_UP)
		come_up(&f);
	for (int n = 0; rd_left(&r) > 0 && n < 40; n++)
		step(&f, &r);
	fuzz_ike_wait(&f, 120000);
	fuzz_ike_close(&f);
	return 0;
}
