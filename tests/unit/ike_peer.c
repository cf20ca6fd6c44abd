#include "tests/unit/ike_peer.h"

#include <stdio.h>
#include <stdlib.h>

#define SPI_R	0x1122334455667788u
#define SPI_ESP 0xc0ffee01u

static void name_set(struct ike_name *n, uint8_t type, const char *text)
{
	n->type = type;
	n->len = (uint16_t)strlen(text);
	memcpy(n->b, text, n->len);
}

static void config(struct ike_config *c, enum ike_auth_kind auth)
{
	struct diag diag = DIAG_INIT;
	struct prefix all;

	c->auth = auth;
	name_set(&c->id_local, ID_RFC822_ADDR, "me@example.org");
	name_set(&c->id_remote, ID_FQDN, "gw.example.org");
	name_set(&c->eap_user, 0, "LAB\\User");
	assert_int_equal(
		proposals_from_text("aes128gcm16-prfsha256-x25519-modp2048",
				    PROTO_IKE, &c->ike_proposals, &diag),
		OK);
	assert_int_equal(proposals_from_text("aes128gcm16", PROTO_ESP,
					     &c->esp_proposals, &diag),
			 OK);
	assert_int_equal(prefix_parse("0.0.0.0/0", &all), OK);
	c->ts_local.n = c->ts_remote.n = 1;
	ike_ts_from_prefix(&all, &c->ts_local.ts[0]);
	ike_ts_from_prefix(&all, &c->ts_remote.ts[0]);
	c->want_ipv4 = true;
	c->want_ticket = true;
	c->fragmentation = true;
	c->max_datagram = 1200;
	c->rto_ms = 500;
	c->max_tries = 5;
}

static void client_new(struct peer *p)
{
	uint8_t seed[32];

	memset(seed, 0x17, sizeof(seed));
	rng_seed(&p->rng, seed);
	rng_draw(&p->rng, p->nr, sizeof(p->nr));
	p->spi_r = SPI_R;
	p->child_in = SPI_ESP;
	assert_int_equal(ike_sa_new(&p->cfg, seed, &p->sa), OK);
}

void peer_open(struct peer *p, enum ike_auth_kind auth)
{
	struct diag diag = DIAG_INIT;

	memset(p, 0, sizeof(*p));
	assert_int_equal(crypto_open(&diag), OK);
	config(&p->cfg, auth);
	assert_int_equal(secret_set(&p->psk, bytes_str("a shared word")), OK);
	assert_int_equal(addr_parse("192.0.2.10", &p->path.local), OK);
	assert_int_equal(addr_parse("198.51.100.1", &p->path.remote), OK);
	p->path.local.port = 40000;
	p->path.remote.port = 4500;
	p->now_ms = 5000;
	client_new(p);
}

void peer_close(struct peer *p)
{
	ike_sa_free(&p->sa);
	ike_protect_free(&p->protect);
	crypto_close();
}

void peer_again(struct peer *p)
{
	ike_sa_free(&p->sa);
	ike_protect_free(&p->protect);
	p->has_keys = p->up = p->closed = p->resuming = false;
	p->next_id = 0;
	p->n_acts = 0;
	p->n_sent = p->n_passwords = 0;
	client_new(p);
}

/* --- actions ---------------------------------------------------------- */

static void act_ask(struct peer *p, const struct ike_action *a)
{
	if (a->kind == IKE_DO_ASK_VERIFY) {
		assert_int_equal(ike_sa_give_verdict(p->sa, OK, "", p->now_ms),
				 OK);
		return;
	}
	p->n_passwords += a->u.ask_secret.is_password;
	assert_int_equal(ike_sa_give_secret(p->sa, &p->psk, p->now_ms), OK);
}

static void act(struct peer *p, const struct ike_action *a)
{
	if (a->kind == IKE_DO_SEND) {
		memcpy(p->last, a->u.send.dgram.p, a->u.send.dgram.len);
		p->last_len = a->u.send.dgram.len;
		p->last_path = a->u.send.path;
		p->n_sent++;
		return;
	}
	assert_true(p->n_acts < PEER_ACTS_MAX);
	p->acts[p->n_acts++] = a->kind;
	if (a->kind == IKE_DO_ASK_SECRET || a->kind == IKE_DO_ASK_VERIFY)
		act_ask(p, a);
	if (a->kind == IKE_DO_ASK_TLS) {
		assert_true(a->u.ask_tls.in.len <= sizeof(p->tls_in));
		p->tls_in_len = a->u.ask_tls.in.len;
		memcpy(p->tls_in, a->u.ask_tls.in.p, p->tls_in_len);
	}
	if (a->kind == IKE_DO_CHILD_ADD)
		p->child = *a->u.child;
	if (a->kind == IKE_DO_CHILD_DEL)
		p->child_gone = a->u.child_del.spi_in;
	if (a->kind == IKE_DO_MOVED) {
		p->moved_ok = a->u.moved.ok;
		p->moved_nat = a->u.moved.behind_nat;
	}
	if (a->kind == IKE_DO_UP)
		p->up = true;
	if (a->kind == IKE_DO_TICKET) {
		p->ticket = *a->u.ticket;
		memcpy(p->ticket_opaque, p->ticket.opaque.p,
		       p->ticket.opaque.len);
		p->ticket.opaque.p = p->ticket_opaque;
	}
	if (a->kind == IKE_DO_CLOSED) {
		p->closed = true;
		p->why = a->u.closed.why;
		p->in_doubt = a->u.closed.init_in_doubt;
		snprintf(p->detail, sizeof(p->detail), "%s",
			 a->u.closed.detail);
	}
}

void peer_pull(struct peer *p)
{
	struct ike_action a;

	while ((a = ike_sa_next_action(p->sa)).kind != IKE_DO_NOTHING)
		act(p, &a);
}

size_t peer_count(const struct peer *p, enum ike_action_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_acts; i++)
		n += p->acts[i] == kind;
	return n;
}

void peer_wait(struct peer *p, int64_t ms)
{
	int64_t end = p->now_ms + ms;

	for (int i = 0; ike_sa_next_deadline(p->sa) <= end; i++) {
		assert_true(i < 10000);
		if (ike_sa_next_deadline(p->sa) > p->now_ms)
			p->now_ms = ike_sa_next_deadline(p->sa);
		ike_sa_timeout(p->sa, p->now_ms);
		peer_pull(p);
	}
	p->now_ms = end;
}

/* --- messages --------------------------------------------------------- */

const struct ike_msg *peer_read(struct peer *p)
{
	memcpy(p->buf, p->last, p->last_len);
	assert_int_equal(ike_msg_parse(bytes(p->buf, p->last_len), &p->msg),
			 OK);
	if (p->msg.sk_type == PLD_SK)
		assert_int_equal(
			ike_open(&p->protect, p->buf, p->last_len, &p->msg),
			OK);
	return &p->msg;
}

struct ike_hdr peer_hdr(const struct peer *p, uint8_t exchange, bool response,
			uint32_t msg_id)
{
	return (struct ike_hdr){.spi_i = p->spi_i,
				.spi_r = p->spi_r,
				.exchange = exchange,
				.flags = response ? IKE_FLAG_RESPONSE : 0,
				.msg_id = msg_id};
}

static void deliver(struct peer *p, uint8_t *d, size_t len)
{
	enum err e = ike_sa_input(p->sa, d, len, &p->path, p->now_ms);

	assert_true(e == OK || e == ERR_NOT_FOUND);
	peer_pull(p);
}

void peer_send_plain(struct peer *p, const struct ike_hdr *hdr,
		     void (*fill)(struct peer *p, struct ike_wr *w))
{
	static uint8_t buf[4096];
	struct ike_wr w;
	struct bytes msg;

	ike_wr_start(&w, buf, sizeof(buf), hdr);
	fill(p, &w);
	assert_int_equal(ike_wr_end(&w, &msg), OK);
	memcpy(p->first_g, msg.p, msg.len);
	p->first_g_len = msg.len;
	deliver(p, buf, msg.len);
}

void peer_send_raw(struct peer *p, const struct ike_hdr *hdr, uint8_t first,
		   struct bytes chain)
{
	static uint8_t buf[66000];
	struct wr w = wr_open(buf, sizeof(buf));

	assert_int_equal(ike_seal(&p->protect, hdr, first, chain, &w), OK);
	deliver(p, buf, wr_len(&w));
}

void peer_send(struct peer *p, const struct ike_hdr *hdr,
	       void (*fill)(struct peer *p, struct ike_wr *w))
{
	struct ike_wr w;
	struct bytes chain;

	ike_wr_start_chain(&w, p->chain, sizeof(p->chain));
	if (fill)
		fill(p, &w);
	assert_int_equal(ike_wr_end(&w, &chain), OK);
	peer_send_raw(p, hdr, ike_wr_first(&w), chain);
}

const struct ike_msg *peer_ask(struct peer *p, uint8_t exchange,
			       void (*fill)(struct peer *p, struct ike_wr *w))
{
	struct ike_hdr h = peer_hdr(p, exchange, false, p->next_id);
	size_t before = p->n_sent;

	peer_send(p, &h, fill);
	p->next_id++;
	assert_true(p->n_sent > before);
	peer_read(p);
	return &p->msg;
}

void peer_reply(struct peer *p, void (*fill)(struct peer *p, struct ike_wr *w))
{
	struct ike_hdr h;

	peer_read(p);
	assert_false(p->msg.hdr.flags & IKE_FLAG_RESPONSE);
	h = peer_hdr(p, p->msg.hdr.exchange, true, p->msg.hdr.msg_id);
	peer_send(p, &h, fill);
}

/* --- the usual answers ------------------------------------------------ */

static struct ke *peer_ke;

static void take_first(struct peer *p)
{
	const struct ike_msg *m = peer_read(p);
	struct bytes ni;

	memcpy(p->first_c, p->last, p->last_len);
	p->first_c_len = p->last_len;
	p->spi_i = m->hdr.spi_i;
	assert_int_equal(
		ike_nonce_parse(ike_msg_find(m, PLD_NONCE, 0)->body, &ni), OK);
	memcpy(p->ni, ni.p, ni.len);
	p->ni_len = ni.len;
}

void peer_fill_init(struct peer *p, struct ike_wr *w)
{
	struct proposal_list theirs;
	struct proposal chosen;
	struct ike_ke ke;

	take_first(p);
	assert_int_equal(proposals_parse(ike_msg_find(&p->msg, PLD_SA, 0)->body,
					 &theirs),
			 OK);
	assert_int_equal(
		ike_ke_parse(ike_msg_find(&p->msg, PLD_KE, 0)->body, &ke), OK);
	assert_int_equal(
		proposals_select(&p->cfg.ike_proposals, &theirs, &chosen), OK);
	for (size_t i = 0; i < chosen.n; i++)
		if (chosen.t[i].type == TRANSFORM_KE)
			chosen.t[i].id = ke.method;
	assert_int_equal(suite_from_proposal(&chosen, &p->suite), OK);
	ke_free(&peer_ke);
	assert_int_equal(ke_new((enum ke_method)ke.method, &p->rng, &peer_ke),
			 OK);
	ike_wr_sa_one(w, &chosen);
	ike_wr_ke(w, ke.method, ke_public(peer_ke));
	ike_wr_payload(w, PLD_NONCE, BYTES_OF(p->nr));
	ike_wr_notify(w, N_IKEV2_FRAGMENTATION_SUPPORTED, BYTES_NONE);
}

static struct ike_seed seed_of(const struct peer *p)
{
	return (struct ike_seed){.ni = bytes(p->ni, p->ni_len),
				 .nr = BYTES_OF(p->nr),
				 .spi_i = p->spi_i,
				 .spi_r = p->spi_r};
}

static void arm(struct peer *p)
{
	ike_protect_free(&p->protect);
	assert_int_equal(ike_protect_new(&p->keys, false, &p->rng, &p->protect),
			 OK);
	p->has_keys = true;
}

void peer_take_keys(struct peer *p)
{
	struct ike_seed seed = seed_of(p);
	uint8_t shared[KE_SHARED_MAX];
	struct ike_msg m;
	struct ike_ke ke;
	size_t len;

	assert_int_equal(ike_msg_parse(bytes(p->first_c, p->first_c_len), &m),
			 OK);
	assert_int_equal(ike_ke_parse(ike_msg_find(&m, PLD_KE, 0)->body, &ke),
			 OK);
	assert_int_equal(ke_shared(peer_ke, ke.data, shared, &len), OK);
	assert_int_equal(ike_keys_initial(&p->suite, &seed, bytes(shared, len),
					  &p->keys),
			 OK);
	ke_free(&peer_ke);
	arm(p);
}

void peer_answer_init(struct peer *p)
{
	struct ike_hdr h;

	take_first(p);
	h = peer_hdr(p, IKE_SA_INIT, true, 0);
	peer_send_plain(p, &h, peer_fill_init);
	peer_take_keys(p);
}

static void fill_nonce(struct peer *p, struct ike_wr *w)
{
	ike_wr_payload(w, PLD_NONCE, BYTES_OF(p->nr));
}

void peer_answer_resume(struct peer *p)
{
	struct ike_hdr h;
	struct ike_seed seed;

	take_first(p);
	h = peer_hdr(p, IKE_SESSION_RESUME, true, 0);
	p->resuming = true;
	p->suite = p->ticket.suite;
	peer_send_plain(p, &h, fill_nonce);
	seed = seed_of(p);
	assert_int_equal(ike_keys_resume(&p->suite, &seed,
					 secret_view(&p->ticket.sk_d),
					 &p->keys),
			 OK);
	arm(p);
}

void peer_fill_idr_auth(struct peer *p, struct ike_wr *w)
{
	struct ike_id idr = {p->cfg.id_remote.type,
			     bytes(p->cfg.id_remote.b, p->cfg.id_remote.len)};
	struct secret maced, auth;
	struct bytes parts[3];

	assert_int_equal(
		ike_maced_id(p->suite.prf, &p->keys.sk_pr, &idr, &maced), OK);
	parts[0] = bytes(p->first_g, p->first_g_len);
	parts[1] = bytes(p->ni, p->ni_len);
	parts[2] = secret_view(&maced);
	if (p->resuming)
		assert_int_equal(ike_auth_resume(p->suite.prf, &p->keys.sk_pr,
						 parts, 3, &auth),
				 OK);
	else
		assert_int_equal(ike_auth_psk(p->suite.prf,
					      secret_view(&p->psk), parts, 3,
					      &auth),
				 OK);
	ike_wr_id(w, PLD_IDR, &idr);
	ike_wr_auth(w, AUTH_SHARED_KEY, secret_view(&auth));
}

static void take_child(struct peer *p)
{
	const struct ike_payload *sa = ike_msg_find(&p->msg, PLD_SA, 0);
	struct proposal_list theirs;
	struct rd r;

	assert_non_null(sa);
	assert_int_equal(proposals_parse(sa->body, &theirs), OK);
	assert_int_equal(
		proposals_select(&p->cfg.esp_proposals, &theirs, &p->esp), OK);
	r = rd_open(p->esp.spi);
	p->child_out = rd_u32(&r);
}

void peer_fill_child(struct peer *p, struct ike_wr *w)
{
	uint8_t spi[4], v4[4] = {10, 9, 8, 7};
	struct wr b = wr_open(spi, sizeof(spi));
	struct ike_cp cp = {.type = CFG_REPLY, .n = 1};

	take_child(p);
	cp.attrs[0].type = CFG_INTERNAL_IP4_ADDRESS;
	cp.attrs[0].value = BYTES_OF(v4);
	ike_wr_cp(w, &cp);
	wr_u32(&b, p->child_in);
	p->esp.spi = BYTES_OF(spi);
	ike_wr_sa_one(w, &p->esp);
	ike_wr_ts(w, PLD_TSI, &p->cfg.ts_local);
	ike_wr_ts(w, PLD_TSR, &p->cfg.ts_remote);
}

void peer_fill_auth(struct peer *p, struct ike_wr *w)
{
	peer_fill_idr_auth(p, w);
	peer_fill_child(p, w);
}

void peer_up(struct peer *p)
{
	assert_int_equal(ike_sa_start(p->sa, &p->path, p->now_ms), OK);
	peer_pull(p);
	peer_answer_init(p);
	peer_reply(p, peer_fill_auth);
	if (p->closed)
		fail_msg("closed: %s", p->detail);
	assert_true(p->up);
}

void peer_assert_notify(const struct ike_msg *msg, uint16_t type)
{
	struct ike_notify n;

	assert_true(msg->hdr.flags & IKE_FLAG_RESPONSE);
	if (!ike_msg_notify(msg, type, &n))
		fail_msg("no %s in the answer", ike_notify_name(type));
}
