#include "tests/fuzz/fuzz_sa_input.h"

static void config(struct ike_config *c, enum ike_auth_kind auth)
{
	struct diag diag = DIAG_INIT;
	struct prefix all;

	c->auth = auth;
	c->id_local = (struct ike_name){ID_FQDN, 2, "me"};
	c->id_remote = (struct ike_name){ID_FQDN, 2, "gw"};
	c->eap_user = (struct ike_name){0, 8, "LAB\\User"};
	FUZZ_CHECK(proposals_from_text("aes128gcm16-prfsha256-x25519-modp2048",
				       PROTO_IKE, &c->ike_proposals,
				       &diag) == OK);
	FUZZ_CHECK(proposals_from_text("aes128gcm16-x25519,aes128gcm16",
				       PROTO_ESP, &c->esp_proposals,
				       &diag) == OK);
	FUZZ_CHECK(prefix_parse("0.0.0.0/0", &all) == OK);
	c->ts_local.n = c->ts_remote.n = 1;
	ike_ts_from_prefix(&all, &c->ts_local.ts[0]);
	ike_ts_from_prefix(&all, &c->ts_remote.ts[0]);
	c->want_ipv4 = c->want_ipv6 = c->want_dns = true;
	c->want_ticket = c->take_pushed_ticket = true;
	c->fragmentation = c->mobike = c->redirects = true;
	c->max_datagram = 1200;
	c->dpd_ms = 30000;
	c->keepalive_ms = 20000;
	c->rto_ms = 500;
	c->max_tries = 3;
}

void fuzz_ike_open(struct fuzz_ike *f, enum ike_auth_kind auth)
{
	const uint8_t seed[32] = {0x17};

	memset(f, 0, sizeof(*f));
	config(&f->cfg, auth);
	f->path.local = (struct addr){ADDR_V4, 40000, {192, 0, 2, 10}};
	f->path.remote = (struct addr){ADDR_V4, 4500, {198, 51, 100, 1}};
	f->now_ms = FUZZ_NOW;
	f->spi_r = 0x1122334455667788;
	rng_seed(&f->rng, seed);
	rng_draw(&f->rng, f->nr, sizeof(f->nr));
	FUZZ_CHECK(secret_set(&f->password, bytes_str("clientPass")) == OK);
	FUZZ_CHECK(ike_sa_new(&f->cfg, seed, &f->sa) == OK);
}

void fuzz_ike_close(struct fuzz_ike *f)
{
	ike_sa_free(&f->sa);
	ike_protect_free(&f->protect);
}

/* --- what comes out --------------------------------------------------------
 */

static uint32_t *child_find(struct fuzz_ike *f, uint32_t spi_in)
{
	for (size_t i = 0; i < FUZZ_CHILDREN_MAX; i++)
		if (f->children[i] == spi_in)
			return &f->children[i];
	return NULL;
}

static void child_check(struct fuzz_ike *f, const struct ike_child_sa *c)
{
	size_t encr, integ;
	uint32_t *place = child_find(f, 0);

	FUZZ_CHECK(f->proven);
	FUZZ_CHECK(c->spi_in > 255 && c->spi_out > 255);
	FUZZ_CHECK(!child_find(f, c->spi_in) && place);
	FUZZ_CHECK(cipher_key_lens(&c->suite.cipher, &encr, &integ) == OK);
	FUZZ_CHECK(c->encr_in.len == encr && c->encr_out.len == encr);
	FUZZ_CHECK(c->integ_in.len == integ && c->integ_out.len == integ);
	*place = c->spi_in;
}

static void conf_check(const struct ike_netconf *n)
{
	FUZZ_CHECK(n->n_dns <= IKE_DNS_MAX);
	FUZZ_CHECK(n->n_domains <= IKE_DOMAINS_MAX);
	FUZZ_CHECK(n->inner_v6_bits <= 128);
	for (size_t i = 0; i < n->n_domains; i++)
		for (const char *p = n->domains[i]; *p; p++)
			FUZZ_CHECK(*p > ' ' && *p < 0x7f && *p != '/');
}

static void send_note(struct fuzz_ike *f, const struct ike_action *a)
{
	struct ike_hdr h;

	FUZZ_CHECK(a->u.send.dgram.len <= sizeof(f->last));
	FUZZ_CHECK(ike_hdr_parse(a->u.send.dgram, &h) == OK);
	memcpy(f->last, a->u.send.dgram.p, a->u.send.dgram.len);
	f->last_len = a->u.send.dgram.len;
	if (!(h.flags & IKE_FLAG_RESPONSE))
		f->asked = h;
}

/* As much of a flight as the script says; the handshake is not looked into. */
static enum err answer_tls(struct fuzz_ike *f, const struct ike_action *a)
{
	static const uint8_t flight[8192];
	struct ike_tls_step step = {.out = bytes(flight, f->tls_out),
				    .done = f->tls_done};

	FUZZ_CHECK(f->proven && f->cfg.auth == IKE_AUTH_EAP_TLS);
	FUZZ_CHECK(a->u.ask_tls.in.len <= 65536);
	FUZZ_CHECK(f->tls_out <= sizeof(flight));
	FUZZ_CHECK(a->u.ask_tls.start == (f->n_asked++ == 0));
	if (f->tls_done)
		FUZZ_CHECK(secret_set(&step.msk, BYTES_OF(f->nr)) == OK);
	return ike_sa_give_tls(f->sa, &step, f->now_ms);
}

static void answer(struct fuzz_ike *f, const struct ike_action *a)
{
	enum err e;

	if (a->kind == IKE_DO_ASK_VERIFY) {
		f->proven = true; /* the layer above says so */
		e = ike_sa_give_verdict(f->sa, OK, NULL, f->now_ms);
	} else if (a->kind == IKE_DO_ASK_TLS) {
		e = answer_tls(f, a);
	} else if (a->kind == IKE_DO_ASK_SIGN) {
		e = ike_sa_give_signature(f->sa, 0, BYTES_NONE, f->now_ms);
	} else {
		FUZZ_CHECK(f->proven || !a->u.ask_secret.is_password);
		f->n_asked++;
		e = ike_sa_give_secret(f->sa, &f->password, f->now_ms);
	}
	FUZZ_CHECK(e == OK);
}

static void act(struct fuzz_ike *f, const struct ike_action *a)
{
	uint32_t *child;

	FUZZ_CHECK(!f->closed);
	switch (a->kind) {
	case IKE_DO_SEND:
		send_note(f, a);
		break;
	case IKE_DO_ASK_SECRET:
	case IKE_DO_ASK_SIGN:
	case IKE_DO_ASK_VERIFY:
	case IKE_DO_ASK_TLS:
		answer(f, a);
		break;
	case IKE_DO_NETCONF:
		FUZZ_CHECK(f->proven);
		conf_check(a->u.netconf);
		break;
	case IKE_DO_CHILD_ADD:
		child_check(f, a->u.child);
		break;
	case IKE_DO_CHILD_DEL:
		child = child_find(f, a->u.child_del.spi_in);
		FUZZ_CHECK(a->u.child_del.spi_in && child);
		*child = 0;
		break;
	case IKE_DO_TICKET:
		FUZZ_CHECK(f->proven && a->u.ticket->lifetime_s);
		FUZZ_CHECK(a->u.ticket->opaque.len > 0 &&
			   a->u.ticket->opaque.len <= IKE_TICKET_MAX);
		break;
	case IKE_DO_UP:
		FUZZ_CHECK(f->proven && !f->up);
		f->up = true;
		break;
	case IKE_DO_CLOSED:
		FUZZ_CHECK(a->u.closed.why != OK && *a->u.closed.detail);
		f->closed = true;
		break;
	case IKE_DO_TICKET_SPENT:
		FUZZ_CHECK(f->proven);
		break;
	case IKE_DO_NOTHING:
	case IKE_DO_KEEPALIVE:
	case IKE_DO_TICKET_NONE:
	case IKE_DO_TICKET_VOID:
	case IKE_DO_REFUSED:
	case IKE_DO_MOVED:
	case IKE_DO_PROBED:
	case IKE_DO_ALIVE:
		break;
	}
}

void fuzz_ike_pull(struct fuzz_ike *f)
{
	struct ike_action a;
	int n = 0;

	while ((a = ike_sa_next_action(f->sa)).kind != IKE_DO_NOTHING) {
		FUZZ_CHECK(n++ < FUZZ_PULL_MAX);
		act(f, &a);
	}
	FUZZ_CHECK(f->closed == (ike_sa_state(f->sa) == IKE_ST_CLOSED));
	if (f->closed)
		FUZZ_CHECK(ike_sa_next_deadline(f->sa) == INT64_MAX);
}

/* --- what goes in ------------------------------------------------------------
 */

void fuzz_ike_raw(struct fuzz_ike *f, struct bytes dgram)
{
	uint8_t *copy = fuzz_copy(dgram);
	enum err e = ike_sa_input(f->sa, copy, dgram.len, &f->path, f->now_ms);

	FUZZ_CHECK(e == OK || e == ERR_NOT_FOUND);
	free(copy);
	fuzz_ike_pull(f);
}

void fuzz_ike_sealed(struct fuzz_ike *f, const struct ike_hdr *hdr,
		     uint8_t first, struct bytes chain)
{
	static uint8_t buf[70000];
	struct wr w = wr_open(buf, sizeof(buf));

	if (ike_seal(&f->protect, hdr, first, chain, &w) == OK)
		fuzz_ike_raw(f, wr_view(&w));
}

void fuzz_ike_wait(struct fuzz_ike *f, int64_t ms)
{
	int64_t end = f->now_ms + ms;

	for (int n = 0; ike_sa_next_deadline(f->sa) <= end; n++) {
		FUZZ_CHECK(n < FUZZ_PULL_MAX);
		if (ike_sa_next_deadline(f->sa) > f->now_ms)
			f->now_ms = ike_sa_next_deadline(f->sa);
		ike_sa_timeout(f->sa, f->now_ms);
		fuzz_ike_pull(f);
		/* nobody calls twice for the same moment */
		FUZZ_CHECK(ike_sa_next_deadline(f->sa) > f->now_ms);
	}
	f->now_ms = end;
}

struct ike_hdr fuzz_ike_answer(const struct fuzz_ike *f)
{
	struct ike_hdr h = f->asked;

	h.flags = (f->asked.flags & IKE_FLAG_INITIATOR) ^ IKE_FLAG_INITIATOR;
	h.flags |= IKE_FLAG_RESPONSE;
	return h;
}

struct ike_hdr fuzz_ike_ask(struct fuzz_ike *f, uint8_t exchange)
{
	return (struct ike_hdr){.spi_i = f->spi_i,
				.spi_r = f->spi_r,
				.exchange = exchange,
				.msg_id = f->next_id++};
}

/* --- EAP ------------------------------------------------------------------ */

static void eap_keys(struct fuzz_ike *f, const struct ike_msg *msg,
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

void fuzz_ike_eap_start(struct fuzz_ike *f)
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
	eap_keys(f, &msg, &w);
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

void fuzz_ike_eap_packet(struct fuzz_ike *f, struct rd *r, bool first)
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
