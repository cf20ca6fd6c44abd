/* The initiator against a gateway that sends what it should not. */
#include "tests/unit/ike_peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/ike/sa_private.h"

static void say(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "# %s\n", text);
}

static void start(struct peer *p)
{
	assert_int_equal(ike_sa_start(p->sa, &p->path, p->now_ms), OK);
	peer_pull(p);
}

static struct ike_hdr init_hdr(struct peer *p)
{
	p->spi_i = peer_read(p)->hdr.spi_i;
	return peer_hdr(p, IKE_SA_INIT, true, 0);
}

/* Whatever came before: the true answer still works. */
static void comes_up_now(struct peer *p)
{
	assert_false(p->closed);
	peer_answer_init(p);
	peer_reply(p, peer_fill_auth);
	assert_true(p->up);
}

/* --- IKE_SA_INIT: forged answers
 * ---------------------------------------------- */

static uint16_t notify_type;
static uint8_t notify_data[300];
static size_t notify_len;

static void fill_notify(struct peer *p, struct ike_wr *w)
{
	ike_wr_notify(w, notify_type, bytes(notify_data, notify_len));
}

static void init_survives_forged_errors(void **state)
{
	static const uint16_t errors[] = {N_UNSUPPORTED_CRITICAL_PAYLOAD,
					  N_INVALID_MAJOR_VERSION,
					  N_INVALID_SYNTAX,
					  N_NO_PROPOSAL_CHOSEN,
					  N_AUTHENTICATION_FAILED,
					  N_INVALID_KE_PAYLOAD,
					  N_INVALID_IKE_SPI,
					  8191};
	struct peer p;

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct ike_hdr h;

		peer_open(&p, IKE_AUTH_PSK);
		start(&p);
		h = init_hdr(&p);
		h.spi_r = 0;
		notify_type = errors[i];
		notify_len = 0;
		peer_send_plain(&p, &h, fill_notify);
		comes_up_now(&p);
		peer_wait(&p, 10000); /* the hint is forgotten */
		assert_false(p.closed);
		peer_close(&p);
	}
}

static void cookies_are_followed_only_a_few_times(void **state)
{
	struct peer p;
	struct ike_hdr h;

	peer_open(&p, IKE_AUTH_PSK);
	start(&p);
	h = init_hdr(&p);
	h.spi_r = 0;
	notify_type = N_COOKIE;
	for (int i = 0; i < 50; i++) {
		notify_data[0] = (uint8_t)i;
		notify_len = 8;
		peer_send_plain(&p, &h, fill_notify);
	}
	assert_int_equal(p.n_sent, 1 + IKE_COOKIES_MAX);
	/* of no octets, of too many */
	notify_len = 0;
	peer_send_plain(&p, &h, fill_notify);
	notify_len = 65;
	peer_send_plain(&p, &h, fill_notify);
	assert_int_equal(p.n_sent, 1 + IKE_COOKIES_MAX);
	comes_up_now(&p);
	peer_close(&p);
}

static void groups_are_followed_only_where_offered_and_once(void **state)
{
	struct peer p;
	struct ike_hdr h;

	peer_open(&p, IKE_AUTH_PSK);
	start(&p);
	h = init_hdr(&p);
	notify_type = N_INVALID_KE_PAYLOAD;
	notify_len = 2;
	for (unsigned int group = 0; group < 300; group++) {
		if (group == KE_MODP_2048 || group == KE_X25519)
			continue;
		notify_data[0] = (uint8_t)(group >> 8);
		notify_data[1] = (uint8_t)group;
		peer_send_plain(&p, &h, fill_notify);
	}
	assert_int_equal(p.n_sent, 1);
	notify_data[0] = 0;
	for (int i = 0; i < 20; i++) {
		notify_data[1] = i & 1 ? KE_X25519 : KE_MODP_2048;
		peer_send_plain(&p, &h, fill_notify);
	}
	assert_int_equal(p.n_sent, 2);
	comes_up_now(&p);
	peer_close(&p);
}

static size_t variant;

/* IKE_SA_INIT answers of which each has one thing wrong. */
#define INIT_VARIANTS 9
static void fill_bad_init(struct peer *p, struct ike_wr *w)
{
	const struct ike_msg *m = peer_read(p);
	struct bytes sa = ike_msg_find(m, PLD_SA, 0)->body;
	uint8_t zeros[256] = {0};
	uint8_t nonce[257] = {1};
	struct proposal_list l;
	struct proposal one;
	uint8_t point[32];

	assert_int_equal(proposals_parse(sa, &l), OK);
	assert_int_equal(proposals_select(&l, &l, &one), OK);
	memset(point, 9, sizeof(point));
	if (variant == 0) /* the whole offer instead of a choice */
		ike_wr_payload(w, PLD_SA, sa);
	else if (variant == 1) /* not offered */
		one.t[0].key_bits = 256;
	if (variant == 2) /* without KE (CVE-2016-5391) */
		one.n--;
	if (variant != 0 && variant != 3)
		ike_wr_sa_one(w, &one);
	if (variant == 4)
		ike_wr_ke(w, KE_X25519, bytes(zeros, 32));
	else if (variant == 5)
		ike_wr_ke(w, KE_X25519, bytes(point, 31));
	else if (variant == 6)
		ike_wr_ke(w, KE_MODP_2048, bytes(zeros, 256));
	else
		ike_wr_ke(w, KE_X25519, BYTES_OF(point));
	if (variant == 7)
		ike_wr_payload(w, PLD_NONCE, bytes(nonce, 15));
	else if (variant == 8)
		ike_wr_payload(w, PLD_NONCE, bytes(nonce, 257));
	else
		ike_wr_payload(w, PLD_NONCE, bytes(nonce, 32));
}

static void init_survives_answers_that_are_not_usable(void **state)
{
	struct peer p;

	for (variant = 0; variant < INIT_VARIANTS; variant++) {
		struct ike_hdr h;

		peer_open(&p, IKE_AUTH_PSK);
		start(&p);
		h = init_hdr(&p);
		peer_send_plain(&p, &h, fill_bad_init);
		assert_int_equal(ike_sa_state(p.sa), IKE_ST_INIT);
		h.spi_r = 0;
		peer_send_plain(&p, &h, peer_fill_init);
		assert_int_equal(ike_sa_state(p.sa), IKE_ST_INIT);
		comes_up_now(&p);
		peer_close(&p);
	}
}

static void init_answers_with_wrong_headers_are_dropped(void **state)
{
	struct peer p;
	struct ike_hdr h, bad;

	peer_open(&p, IKE_AUTH_PSK);
	start(&p);
	h = init_hdr(&p);
	bad = h;
	bad.flags = 0;
	peer_send_plain(&p, &bad, peer_fill_init);
	bad.flags = IKE_FLAG_RESPONSE | IKE_FLAG_INITIATOR;
	peer_send_plain(&p, &bad, peer_fill_init);
	bad = h;
	bad.msg_id = 1;
	peer_send_plain(&p, &bad, peer_fill_init);
	bad = h;
	bad.exchange = IKE_SESSION_RESUME;
	peer_send_plain(&p, &bad, peer_fill_init);
	bad.exchange = INFORMATIONAL;
	peer_send_plain(&p, &bad, peer_fill_init);
	bad = h;
	bad.spi_i++;
	peer_send_plain(&p, &bad, peer_fill_init);
	assert_int_equal(ike_sa_state(p.sa), IKE_ST_INIT);
	comes_up_now(&p);
	/* a copy of the answer later changes nothing */
	peer_send_plain(&p, &h, fill_notify);
	assert_false(p.closed);
	peer_close(&p);
}

/* --- IKE_AUTH
 * ------------------------------------------------------------------ */

static void auth_answer_with_any_octet_changed_is_dropped(void **state)
{
	static uint8_t good[2048], bad[2048];
	struct ike_hdr h;
	struct ike_wr cw;
	struct bytes chain;
	struct wr w = wr_open(good, sizeof(good));
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	start(&p);
	peer_answer_init(&p);
	peer_read(&p);
	h = peer_hdr(&p, IKE_AUTH, true, 1);
	ike_wr_start_chain(&cw, p.chain, sizeof(p.chain));
	peer_fill_auth(&p, &cw);
	assert_int_equal(ike_wr_end(&cw, &chain), OK);
	assert_int_equal(ike_seal(&p.protect, &h, ike_wr_first(&cw), chain, &w),
			 OK);
	for (size_t i = 0; i < wr_len(&w); i++) {
		enum err e;

		memcpy(bad, good, wr_len(&w));
		bad[i] ^= 0x11;
		e = ike_sa_input(p.sa, bad, wr_len(&w), &p.path, p.now_ms);
		assert_true(e == OK || e == ERR_NOT_FOUND);
		memcpy(bad, good, wr_len(&w));
		e = ike_sa_input(p.sa, bad, i, &p.path, p.now_ms);
		assert_true(e == OK || e == ERR_NOT_FOUND);
	}
	peer_pull(&p);
	assert_int_equal(ike_sa_state(p.sa), IKE_ST_AUTH);
	assert_int_equal(
		ike_sa_input(p.sa, good, wr_len(&w), &p.path, p.now_ms), OK);
	peer_pull(&p);
	assert_true(p.up);
	peer_close(&p);
}

/* Authentic answers of IKE_AUTH with one thing missing or wrong. */
#define AUTH_VARIANTS 9
static void fill_bad_auth(struct peer *p, struct ike_wr *w)
{
	struct ike_id other = {ID_FQDN, bytes_str("gw.example.net")};
	struct ike_ts_list v6 = {.n = 1};
	struct prefix all6;

	if (variant == 0)
		return;
	if (variant == 1) {
		peer_fill_child(p, w);
		return;
	}
	if (variant == 2) {
		ike_wr_id(w, PLD_IDR, &other);
		ike_wr_auth(w, AUTH_SHARED_KEY, bytes_str("0123456789"));
		peer_fill_child(p, w);
		return;
	}
	peer_fill_idr_auth(p, w);
	if (variant == 3)
		return;
	if (variant == 4) {
		peer_fill_child(p, w);
		ike_wr_ts(w, PLD_TSI, &p->cfg.ts_local); /* twice */
	}
	if (variant == 5) {
		peer_fill_child(p, w);
		ike_wr_ke(w, KE_X25519, bytes_str("unwanted"));
	}
	if (variant == 6) {
		peer_fill_child(p, w);
		ike_wr_payload(w, PLD_EAP, bytes("\3\1\0\4", 4));
	}
	if (variant == 7) { /* other networks than asked for */
		assert_int_equal(prefix_parse("::/0", &all6), OK);
		ike_ts_from_prefix(&all6, &v6.ts[0]);
		p->cfg.ts_local = v6;
		peer_fill_child(p, w);
	}
	if (variant == 8) {
		p->child_in = 0; /* no SPI */
		peer_fill_child(p, w);
	}
}

static void auth_answers_that_break_the_rules_close(void **state)
{
	static const enum err why[AUTH_VARIANTS] = {
		ERR_PEER,	ERR_PEER, ERR_UNTRUSTED, ERR_PEER,
		ERR_PEER,	ERR_PEER, ERR_PEER,	 ERR_TS_UNACCEPTABLE,
		ERR_NO_PROPOSAL};
	struct peer p;

	for (variant = 0; variant < AUTH_VARIANTS; variant++) {
		peer_open(&p, IKE_AUTH_PSK);
		start(&p);
		peer_answer_init(&p);
		peer_reply(&p, fill_bad_auth);
		assert_false(p.up);
		assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 0);
		if (variant >= 7) {
			/* authenticated: it hears a DELETE first */
			assert_int_equal(ike_sa_state(p.sa), IKE_ST_DELETING);
			assert_int_equal(
				ike_msg_count(peer_read(&p), PLD_DELETE), 1);
			peer_reply(&p, NULL);
		}
		assert_true(p.closed);
		assert_int_equal(p.why, why[variant]);
		peer_close(&p);
	}
}

static void fill_auth_error(struct peer *p, struct ike_wr *w)
{
	ike_wr_notify(w, notify_type, BYTES_NONE);
}

static void auth_failed_is_told_apart(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	start(&p);
	peer_answer_init(&p);
	notify_type = N_AUTHENTICATION_FAILED;
	peer_reply(&p, fill_auth_error);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_AUTH);
	peer_close(&p);
}

/* --- tickets
 * --------------------------------------------------------------------- */

static void put_ticket(struct ike_wr *w, uint32_t lifetime_s, uint8_t fill,
		       size_t len)
{
	static uint8_t buf[65000];
	struct wr b = wr_open(buf, sizeof(buf));

	wr_u32(&b, lifetime_s);
	memset(buf + 4, fill, len);
	ike_wr_notify(w, N_TICKET_LT_OPAQUE, bytes(buf, len + 4));
}

static void fill_tickets(struct peer *p, struct ike_wr *w)
{
	put_ticket(w, 3600, 'a', 100); /* before IDr: libreswan */
	peer_fill_auth(p, w);
	put_ticket(w, UINT32_MAX, 'b', 200);
	put_ticket(w, 3600, 'c', 0);
	put_ticket(w, 0, 'd', 100);
}

static void of_many_tickets_the_last_valid_is_taken(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	start(&p);
	peer_answer_init(&p);
	peer_reply(&p, fill_tickets);
	assert_true(p.up);
	assert_int_equal(peer_count(&p, IKE_DO_TICKET), 1);
	assert_int_equal(p.ticket.opaque.len, 200);
	assert_int_equal(p.ticket.opaque.p[0], 'b');
	assert_int_equal(p.ticket.lifetime_s, UINT32_MAX);
	assert_true(secret_eq(&p.ticket.sk_d, &p.keys.sk_d));
	peer_close(&p);
}

static void fill_no_ticket(struct peer *p, struct ike_wr *w)
{
	peer_fill_auth(p, w);
	put_ticket(w, 3600, 'c', 0);
	put_ticket(w, 0, 'd', 100);
	put_ticket(w, 3600, 'e', IKE_TICKET_MAX + 1);
	ike_wr_notify(w, N_TICKET_LT_OPAQUE, bytes_str("abc"));
}

static void tickets_without_octets_or_time_or_measure_are_ignored(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	start(&p);
	peer_answer_init(&p);
	peer_reply(&p, fill_no_ticket);
	assert_true(p.up);
	assert_int_equal(peer_count(&p, IKE_DO_TICKET), 0);
	peer_close(&p);
}

/* Authentic SK, wrong AUTH: nothing of it counts. */
static void fill_ticket_wrong_auth(struct peer *p, struct ike_wr *w)
{
	struct ike_id idr = {p->cfg.id_remote.type,
			     bytes(p->cfg.id_remote.b, p->cfg.id_remote.len)};

	ike_wr_id(w, PLD_IDR, &idr);
	ike_wr_auth(w, AUTH_SHARED_KEY,
		    bytes_str("0123456789abcdef0123456789abcdef"));
	peer_fill_child(p, w);
	put_ticket(w, 3600, 'x', 100);
}

static void ticket_behind_a_wrong_auth_is_ignored(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	start(&p);
	peer_answer_init(&p);
	peer_reply(&p, fill_ticket_wrong_auth);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_UNTRUSTED);
	assert_int_equal(peer_count(&p, IKE_DO_TICKET), 0);
	peer_close(&p);
}

/* --- resumption
 * -------------------------------------------------------------------- */

static void with_ticket(struct peer *p)
{
	peer_open(p, IKE_AUTH_PSK);
	start(p);
	peer_answer_init(p);
	peer_reply(p, fill_tickets);
	assert_true(p->up);
	peer_again(p);
	assert_int_equal(ike_sa_resume(p->sa, &p->ticket, &p->path, p->now_ms),
			 OK);
	peer_pull(p);
}

#define RESUME_VARIANTS 9
static void fill_bad_resume(struct peer *p, struct ike_wr *w)
{
	uint8_t nonce[257] = {1};
	size_t len = variant == 0 ? 15 : variant == 1 ? 257 : 32;

	if (variant == 2)
		ike_wr_sa(w, &p->cfg.ike_proposals);
	if (variant == 3)
		ike_wr_ke(w, KE_X25519, bytes(nonce, 32));
	if (variant == 4)
		ike_wr_cert(w, PLD_CERT, bytes(nonce, 32));
	if (variant == 5)
		ike_wr_auth(w, AUTH_SHARED_KEY, bytes(nonce, 32));
	if (variant == 6)
		ike_wr_payload(w, PLD_NONCE, bytes(nonce, len)); /* twice */
	if (variant == 7)
		return; /* nothing at all */
	ike_wr_payload(w, PLD_NONCE, bytes(nonce, len));
}

static void resume_answers_that_break_the_rules_are_dropped(void **state)
{
	struct peer p;

	for (variant = 0; variant < RESUME_VARIANTS; variant++) {
		struct ike_hdr h;

		with_ticket(&p);
		p.spi_i = peer_read(&p)->hdr.spi_i;
		h = peer_hdr(&p, IKE_SESSION_RESUME, true, 0);
		if (variant == 8)
			h.spi_r = 0;
		peer_send_plain(&p, &h, fill_bad_resume);
		assert_int_equal(ike_sa_state(p.sa), IKE_ST_RESUME);
		peer_answer_resume(&p);
		assert_int_equal(ike_sa_state(p.sa), IKE_ST_AUTH);
		peer_reply(&p, peer_fill_auth);
		assert_true(p.up);
		assert_int_equal(peer_count(&p, IKE_DO_TICKET_SPENT), 1);
		peer_close(&p);
	}
}

static void
resume_request_has_ticket_and_nonce_and_no_key_exchange(void **state)
{
	const struct ike_msg *m;
	struct ike_notify n;
	struct peer p;

	with_ticket(&p);
	m = peer_read(&p);
	assert_int_equal(m->hdr.exchange, IKE_SESSION_RESUME);
	assert_int_equal(m->hdr.spi_r, 0);
	assert_int_equal(m->hdr.msg_id, 0);
	assert_true(ike_msg_notify(m, N_TICKET_OPAQUE, &n));
	assert_true(bytes_eq(n.data, p.ticket.opaque));
	assert_int_equal(ike_msg_count(m, PLD_SA), 0);
	assert_int_equal(ike_msg_count(m, PLD_KE), 0);
	peer_answer_resume(&p);
	m = peer_read(&p);
	assert_int_equal(m->hdr.msg_id, 1);
	assert_int_equal(ike_msg_count(m, PLD_CERT), 0);
	assert_int_equal(ike_msg_count(m, PLD_IDI), 1);
	assert_int_equal(ike_msg_count(m, PLD_IDR), 1);
	assert_int_equal(ike_msg_count(m, PLD_CP), 1);
	assert_true(ike_msg_notify(m, N_TICKET_REQUEST, &n));
	assert_false(ike_msg_notify(m, N_INITIAL_CONTACT, &n));
	peer_close(&p);
}

/* --- requests of the gateway
 * --------------------------------------------------------- */

static void fill_critical(struct peer *p, struct ike_wr *w)
{
	ike_wr_payload(w, 200, bytes_str("who knows"));
	w->w.start[1] = 0x80;
}

static void unknown_critical_payload_is_answered_and_survived(void **state)
{
	const struct ike_msg *m;
	struct ike_notify n;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	m = peer_ask(&p, INFORMATIONAL, fill_critical);
	assert_true(ike_msg_notify(m, N_UNSUPPORTED_CRITICAL_PAYLOAD, &n));
	assert_int_equal(n.data.len, 1);
	assert_int_equal(n.data.p[0], 200);
	assert_false(p.closed);
	m = peer_ask(&p, INFORMATIONAL, NULL);
	assert_int_equal(m->n_payloads, 0);
	assert_int_equal(m->hdr.msg_id, 1);
	peer_close(&p);
}

static void malformed_inside_of_sk_is_fatal(void **state)
{
	static const uint8_t chain[] = {0, 0, 0xff, 0xff, 1};
	struct ike_hdr h;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	h = peer_hdr(&p, INFORMATIONAL, false, 0);
	peer_send_raw(&p, &h, PLD_NOTIFY, BYTES_OF(chain));
	peer_assert_notify(peer_read(&p), N_INVALID_SYNTAX);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_PEER);
	peer_close(&p);
}

static void requests_outside_of_the_window_get_no_answer(void **state)
{
	static uint8_t first[2048];
	size_t len, sent;
	struct ike_hdr h;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	peer_ask(&p, INFORMATIONAL, NULL);
	memcpy(first, p.last, p.last_len);
	len = p.last_len;
	sent = p.n_sent;
	/* the same again: bit for bit the same answer */
	h = peer_hdr(&p, INFORMATIONAL, false, 0);
	peer_send(&p, &h, NULL);
	assert_int_equal(p.n_sent, sent + 1);
	assert_int_equal(p.last_len, len);
	assert_memory_equal(p.last, first, len);
	/* beyond */
	h.msg_id = 2;
	peer_send(&p, &h, NULL);
	h.msg_id = UINT32_MAX;
	peer_send(&p, &h, NULL);
	assert_int_equal(p.n_sent, sent + 1);
	/* behind */
	peer_ask(&p, INFORMATIONAL, NULL);
	peer_ask(&p, INFORMATIONAL, NULL);
	sent = p.n_sent;
	h.msg_id = 0;
	peer_send(&p, &h, NULL);
	/* as if it were the initiator */
	h.msg_id = p.next_id;
	h.flags = IKE_FLAG_INITIATOR;
	peer_send(&p, &h, NULL);
	/* answers to nothing */
	h.flags = IKE_FLAG_RESPONSE;
	peer_send(&p, &h, NULL);
	assert_int_equal(p.n_sent, sent);
	assert_false(p.closed);
	peer_close(&p);
}

static void last_message_id_ends_the_sa(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	p.sa->cur->expected_id = p.next_id = UINT32_MAX;
	peer_ask(&p, INFORMATIONAL, NULL);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_PEER);
	peer_close(&p);

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	p.sa->cur->next_id = UINT32_MAX;
	assert_int_equal(ike_sa_check_alive(p.sa, p.now_ms), OK);
	peer_pull(&p);
	assert_true(p.closed);
	peer_close(&p);
}

static void fill_cookie2(struct peer *p, struct ike_wr *w)
{
	ike_wr_notify(w, N_COOKIE2, bytes_str("12345678"));
	ike_wr_notify(w, N_AUTH_LIFETIME, bytes("\0\0\x0e\x10", 4));
}

static void cookie2_comes_back_and_auth_lifetime_is_kept(void **state)
{
	const struct ike_msg *m;
	struct ike_notify n;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	m = peer_ask(&p, INFORMATIONAL, fill_cookie2);
	assert_true(ike_msg_notify(m, N_COOKIE2, &n));
	assert_true(bytes_eq(n.data, bytes_str("12345678")));
	assert_int_equal(p.sa->auth_lifetime_s, 3600);
	peer_close(&p);
}

static void fill_delete_child(struct peer *p, struct ike_wr *w)
{
	uint32_t spis[] = {p->child_in, 0xdeadbeef};

	ike_wr_delete_esp(w, spis, 2);
}

static void child_deleted_by_the_gateway_is_asked_for_anew(void **state)
{
	const struct ike_msg *m;
	struct ike_delete d;
	struct ike_notify n;
	struct ike_hdr h;
	struct peer p;
	uint32_t gone;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	gone = p.child.spi_in;
	h = peer_hdr(&p, INFORMATIONAL, false, 0);
	peer_send(&p, &h, fill_delete_child);
	assert_int_equal(p.child_gone, gone);
	/* the answer told it; then came a request for a new one */
	m = peer_read(&p);
	assert_int_equal(m->hdr.exchange, CREATE_CHILD_SA);
	assert_false(ike_msg_notify(m, N_REKEY_SA, &n));
	h.msg_id = 0; /* again: the answer, from the store */
	peer_send(&p, &h, fill_delete_child);
	m = peer_read(&p);
	assert_int_equal(ike_msg_count(m, PLD_DELETE), 1);
	assert_int_equal(
		ike_delete_parse(ike_msg_find(m, PLD_DELETE, 0)->body, &d), OK);
	assert_int_equal(d.n_spis, 1);
	assert_int_equal(d.spis[0], gone);
	peer_close(&p);
}

static void fill_bad_delete(struct peer *p, struct ike_wr *w)
{
	ike_wr_payload(w, PLD_DELETE, bytes("\3\4\0\xff\1\2\3\4", 8));
}

static void malformed_delete_is_fatal(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	peer_assert_notify(peer_ask(&p, INFORMATIONAL, fill_bad_delete),
			   N_INVALID_SYNTAX);
	assert_true(p.closed);
	peer_close(&p);
}

/* --- CREATE_CHILD_SA of the gateway
 * ------------------------------------------------- */

static struct {
	bool rekey, ts;
	uint8_t proto;
	uint32_t spi;
	struct bytes bad_ts;
	bool no_nonce;
	uint8_t sa_proto;
} ask;

static void fill_create(struct peer *p, struct ike_wr *w)
{
	static const uint8_t spi[4] = {0xaa, 0xbb, 0xcc, 0xdd};
	struct proposal_list l = p->cfg.esp_proposals;
	uint8_t nonce[32] = {7};

	proposals_set_spi(&l, BYTES_OF(spi));
	if (ask.rekey)
		ike_wr_notify_spi(w, N_REKEY_SA, ask.proto, ask.spi);
	ike_wr_sa(w, &l);
	if (!ask.no_nonce)
		ike_wr_payload(w, PLD_NONCE, BYTES_OF(nonce));
	if (ask.bad_ts.len)
		ike_wr_payload(w, PLD_TSI, ask.bad_ts);
	else if (ask.ts)
		ike_wr_ts(w, PLD_TSI, &p->cfg.ts_remote);
	if (ask.ts)
		ike_wr_ts(w, PLD_TSR, &p->cfg.ts_local);
}

static void further_child_is_refused(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	memset(&ask, 0, sizeof(ask));
	ask.ts = true;
	peer_assert_notify(peer_ask(&p, CREATE_CHILD_SA, fill_create),
			   N_NO_ADDITIONAL_SAS);
	assert_false(p.closed);
	peer_close(&p);
}

static void rekey_of_an_unknown_child_is_not_found(void **state)
{
	static const uint8_t protos[] = {PROTO_NONE, PROTO_IKE, PROTO_AH,
					 PROTO_ESP, 99};
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	memset(&ask, 0, sizeof(ask));
	ask.ts = ask.rekey = true;
	for (size_t i = 0; i < sizeof(protos); i++) {
		ask.proto = protos[i];
		ask.spi = ask.proto == PROTO_ESP ? 0x12345678 : p.child_in;
		peer_assert_notify(peer_ask(&p, CREATE_CHILD_SA, fill_create),
				   N_CHILD_SA_NOT_FOUND);
	}
	assert_false(p.closed);
	assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 1);
	peer_close(&p);
}

static void rekey_without_what_it_must_have_is_invalid_syntax(void **state)
{
	struct peer p;

	for (int i = 0; i < 3; i++) {
		peer_open(&p, IKE_AUTH_PSK);
		peer_up(&p);
		memset(&ask, 0, sizeof(ask));
		ask.rekey = true;
		ask.proto = PROTO_ESP;
		ask.spi = p.child_in;
		ask.ts = i != 0;
		ask.no_nonce = i == 1;
		if (i == 2)
			ask.bad_ts = bytes("\2\0\0\0\7\0\0\x10", 8);
		peer_assert_notify(peer_ask(&p, CREATE_CHILD_SA, fill_create),
				   N_INVALID_SYNTAX);
		assert_true(p.closed);
		assert_int_equal(p.why, ERR_PEER);
		peer_close(&p);
	}
}

static void rekey_of_the_gateway_takes_over(void **state)
{
	struct peer p;
	uint32_t old;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	old = p.child.spi_in;
	memset(&ask, 0, sizeof(ask));
	ask.rekey = ask.ts = true;
	ask.proto = PROTO_ESP;
	ask.spi = p.child_in;
	assert_int_equal(
		ike_msg_count(peer_ask(&p, CREATE_CHILD_SA, fill_create),
			      PLD_SA),
		1);
	assert_true(p.child.is_rekey);
	assert_int_equal(p.child.spi_in_old, old);
	assert_int_equal(p.child.spi_out, 0xaabbccdd);
	/* and the old one again: it is on its way out */
	peer_assert_notify(peer_ask(&p, CREATE_CHILD_SA, fill_create),
			   N_TEMPORARY_FAILURE);
	peer_ask(&p, INFORMATIONAL, fill_delete_child);
	assert_int_equal(p.child_gone, old);
	assert_false(p.closed);
	peer_close(&p);
}

/* The second sequence of RFC 7296 2.8.1: our request came too late. */
static void not_found_after_a_crossing_rekey_is_ignored(void **state)
{
	static uint8_t ours[2048];
	struct ike_hdr h;
	struct peer p;
	size_t len;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	assert_int_equal(ike_sa_rekey_child(p.sa, p.now_ms), OK);
	peer_pull(&p);
	memcpy(ours, p.last, p.last_len);
	len = p.last_len;
	memset(&ask, 0, sizeof(ask));
	ask.rekey = ask.ts = true;
	ask.proto = PROTO_ESP;
	ask.spi = p.child_in;
	peer_ask(&p, CREATE_CHILD_SA, fill_create);
	peer_ask(&p, INFORMATIONAL, fill_delete_child);
	assert_int_equal(ike_msg_count(&p.msg, PLD_DELETE), 1);
	/* now it sees ours */
	memcpy(p.last, ours, len);
	p.last_len = len;
	h = peer_hdr(&p, CREATE_CHILD_SA, true, peer_read(&p)->hdr.msg_id);
	notify_type = N_CHILD_SA_NOT_FOUND;
	peer_send(&p, &h, fill_auth_error);
	assert_false(p.closed);
	assert_int_equal(ike_sa_state(p.sa), IKE_ST_UP);
	assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 2);
	peer_wait(&p, 100000);
	assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 2);
	assert_false(p.closed);
	peer_close(&p);
}

static void temporary_failure_is_tried_again_later(void **state)
{
	struct ike_notify n;
	struct peer p;
	size_t sent;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	assert_int_equal(ike_sa_rekey_child(p.sa, p.now_ms), OK);
	peer_pull(&p);
	notify_type = N_TEMPORARY_FAILURE;
	peer_reply(&p, fill_auth_error);
	sent = p.n_sent;
	peer_wait(&p, 1500);
	assert_int_equal(p.n_sent, sent);
	peer_wait(&p, 800);
	assert_int_equal(p.n_sent, sent + 1);
	assert_true(ike_msg_notify(peer_read(&p), N_REKEY_SA, &n));
	/* gone over there: a new one instead of a rekey */
	notify_type = N_CHILD_SA_NOT_FOUND;
	peer_reply(&p, fill_auth_error);
	assert_int_equal(peer_count(&p, IKE_DO_CHILD_DEL), 1);
	assert_int_equal(peer_read(&p)->hdr.exchange, CREATE_CHILD_SA);
	assert_false(ike_msg_notify(&p.msg, N_REKEY_SA, &n));
	notify_type = N_NO_ADDITIONAL_SAS;
	peer_reply(&p, fill_auth_error);
	assert_int_equal(ike_msg_count(peer_read(&p), PLD_DELETE), 1);
	peer_reply(&p, NULL);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_GONE);
	peer_close(&p);
}

static void fill_bad_create(struct peer *p, struct ike_wr *w)
{
	uint8_t nonce[32] = {3};

	p->child_in = 0;
	peer_fill_child(p, w);
	ike_wr_payload(w, PLD_NONCE, BYTES_OF(nonce));
}

static void unusable_answer_to_a_rekey_ends_with_a_delete(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	assert_int_equal(ike_sa_rekey_child(p.sa, p.now_ms), OK);
	peer_pull(&p);
	peer_reply(&p, fill_bad_create);
	assert_int_equal(ike_msg_count(peer_read(&p), PLD_DELETE), 1);
	peer_reply(&p, NULL);
	assert_true(p.closed);
	assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 1);
	peer_close(&p);
}

/* --- fragments of the gateway
 * ---------------------------------------------------------- */

static void fill_long(struct peer *p, struct ike_wr *w)
{
	static const uint8_t filler[900];

	ike_wr_notify(w, 40000, BYTES_OF(filler));
	ike_wr_notify(w, N_COOKIE2, bytes_str("12345678"));
}

static size_t send_fragments(struct peer *p, uint32_t msg_id, size_t only)
{
	struct ike_hdr h = peer_hdr(p, INFORMATIONAL, false, msg_id);
	size_t n, before = p->n_sent;
	struct bytes chain;
	struct ike_wr cw;

	ike_wr_start_chain(&cw, p->chain, sizeof(p->chain));
	fill_long(p, &cw);
	assert_int_equal(ike_wr_end(&cw, &chain), OK);
	n = ike_fragments(&p->protect, chain.len, 400);
	assert_int_equal(n, 3);
	for (size_t i = 1; i <= n; i++) {
		struct ike_frag f = {(uint16_t)i, (uint16_t)n, 400};
		uint8_t buf[512];
		struct wr w = wr_open(buf, sizeof(buf));

		if (only && only != i)
			continue;
		assert_int_equal(ike_seal_frag(&p->protect, &h,
					       ike_wr_first(&cw), chain, &f,
					       &w),
				 OK);
		assert_int_equal(ike_sa_input(p->sa, buf, wr_len(&w), &p->path,
					      p->now_ms),
				 OK);
		peer_pull(p);
	}
	return p->n_sent - before;
}

static void
fragmented_request_is_answered_and_its_first_piece_repeats_that(void **state)
{
	struct ike_notify n;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	assert_int_equal(send_fragments(&p, 0, 2), 0);
	assert_int_equal(send_fragments(&p, 0, 2), 0);
	assert_int_equal(send_fragments(&p, 0, 0), 1);
	assert_true(ike_msg_notify(peer_read(&p), N_COOKIE2, &n));
	/* RFC 7383 2.6.1 */
	assert_int_equal(send_fragments(&p, 0, 2), 0);
	assert_int_equal(send_fragments(&p, 0, 3), 0);
	assert_int_equal(send_fragments(&p, 0, 1), 1);
	assert_int_equal(send_fragments(&p, 1, 0), 1);
	peer_close(&p);
}

/* --- EAP
 * -----------------------------------------------------------------------------------
 */

static uint8_t eap_code, eap_type;
static struct bytes eap_data;

static void fill_eap(struct peer *p, struct ike_wr *w)
{
	struct ike_eap e = {eap_code, 7, eap_type, eap_data};

	ike_wr_eap(w, &e);
}

/* The gateway is believed (the test says so), EAP may begin. */
static void fill_eap_first(struct peer *p, struct ike_wr *w)
{
	struct ike_id idr = {p->cfg.id_remote.type,
			     bytes(p->cfg.id_remote.b, p->cfg.id_remote.len)};

	ike_wr_id(w, PLD_IDR, &idr);
	ike_wr_cert(w, PLD_CERT, bytes_str("a certificate"));
	ike_wr_auth(w, AUTH_DIGITAL_SIGNATURE, bytes_str("a signature"));
	fill_eap(p, w);
}

#define CHALLENGE                                                              \
	"\1\x2a\0\x16\x10"                                                     \
	"0123456789abcdef"                                                     \
	"g"

static void eap_begin(struct peer *p, uint8_t code, uint8_t type,
		      struct bytes data)
{
	peer_open(p, IKE_AUTH_EAP_MSCHAPV2);
	start(p);
	peer_answer_init(p);
	assert_int_equal(ike_msg_count(peer_read(p), PLD_AUTH), 0);
	assert_int_equal(ike_msg_count(&p->msg, PLD_EAP), 0);
	eap_code = code;
	eap_type = type;
	eap_data = data;
	peer_reply(p, fill_eap_first);
}

static void eap_next(struct peer *p, uint8_t code, uint8_t type,
		     struct bytes data)
{
	eap_code = code;
	eap_type = type;
	eap_data = data;
	peer_reply(p, fill_eap);
}

static struct ike_eap eap_of(struct peer *p)
{
	struct ike_eap e;

	assert_int_equal(ike_msg_count(peer_read(p), PLD_EAP), 1);
	assert_int_equal(
		ike_eap_parse(ike_msg_find(&p->msg, PLD_EAP, 0)->body, &e), OK);
	assert_int_equal(e.code, EAP_RESPONSE);
	assert_int_equal(e.id, 7);
	return e;
}

static void eap_speaks_identity_notification_nak_and_mschapv2(void **state)
{
	struct ike_eap e;
	struct peer p;

	eap_begin(&p, EAP_REQUEST, EAP_TYPE_IDENTITY, BYTES_NONE);
	e = eap_of(&p);
	assert_int_equal(e.type, EAP_TYPE_IDENTITY);
	assert_true(bytes_eq(e.data, bytes_str("LAB\\User")));
	eap_next(&p, EAP_REQUEST, EAP_TYPE_NOTIFICATION, bytes_str("hello"));
	assert_int_equal(eap_of(&p).type, EAP_TYPE_NOTIFICATION);
	eap_next(&p, EAP_REQUEST, 13, bytes_str("tls"));
	e = eap_of(&p);
	assert_int_equal(e.type, EAP_TYPE_NAK);
	assert_int_equal(e.data.p[0], EAP_TYPE_MSCHAPV2);
	assert_int_equal(p.n_passwords, 0);
	eap_next(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2,
		 bytes(CHALLENGE, sizeof(CHALLENGE) - 1));
	assert_int_equal(p.n_passwords, 1);
	e = eap_of(&p);
	assert_int_equal(e.type, EAP_TYPE_MSCHAPV2);
	assert_int_equal(e.data.len, 4 + 1 + 49 + 8);
	assert_int_equal(e.data.p[0], 2);
	assert_int_equal(e.data.p[1], 0x2a);
	peer_close(&p);
}

static void assert_closed(struct peer *p, enum err why)
{
	assert_true(p->closed);
	assert_int_equal(p->why, why);
	assert_int_equal(peer_count(p, IKE_DO_CHILD_ADD), 0);
	peer_close(p);
}

static void eap_packets_in_the_wrong_state_close(void **state)
{
	static const char ok[] = "\3\x2a\0\x2eS=0123456789012345678901234567"
				 "890123456789";
	struct bytes success = bytes(ok, sizeof(ok) - 1);
	struct bytes challenge = bytes(CHALLENGE, sizeof(CHALLENGE) - 1);
	struct peer p;

	/* success before a challenge (CVE-2015-8023) */
	eap_begin(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2, success);
	assert_closed(&p, ERR_PEER);
	/* failure before a challenge */
	eap_begin(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2, bytes("\4\x2a\0\4", 4));
	assert_closed(&p, ERR_PEER);
	/* EAP-Success at once, and after the response only (CVE-2021-45079) */
	eap_begin(&p, EAP_SUCCESS, 0, BYTES_NONE);
	assert_closed(&p, ERR_UNTRUSTED);
	eap_begin(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2, challenge);
	eap_next(&p, EAP_SUCCESS, 0, BYTES_NONE);
	assert_closed(&p, ERR_UNTRUSTED);
	/* a wrong proof, then success */
	eap_begin(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2, challenge);
	eap_next(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2, success);
	assert_closed(&p, ERR_UNTRUSTED);
	/* a second challenge: would give a second response to attack */
	eap_begin(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2, challenge);
	eap_next(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2, challenge);
	assert_int_equal(p.n_passwords, 1);
	assert_closed(&p, ERR_PEER);
	/* another method or the identity in mid-method */
	eap_begin(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2, challenge);
	eap_next(&p, EAP_REQUEST, EAP_TYPE_IDENTITY, BYTES_NONE);
	assert_closed(&p, ERR_PEER);
	/* a response instead of a request */
	eap_begin(&p, EAP_RESPONSE, EAP_TYPE_IDENTITY, BYTES_NONE);
	assert_closed(&p, ERR_PEER);
	eap_begin(&p, EAP_FAILURE, 0, BYTES_NONE);
	assert_closed(&p, ERR_AUTH);
}

static void eap_failure_requests_of_any_form_are_acknowledged(void **state)
{
	static const struct {
		const char *d;
		size_t len;
	} failures[] = {
		{"\4\x2a\0\4", 4},
		{"\4\x2a\0\x0e"
		 "E=691 R=0 ",
		 14},
		{"\4\x2a\0\x0c"
		 "E=999999",
		 12},
		{"\4\x2a\0\x05"
		 "E",
		 5},
		{"\4\x2a\0\x08"
		 "R=1 ",
		 8},
	};
	struct ike_eap e;
	struct peer p;

	for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
		eap_begin(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2,
			  bytes(CHALLENGE, sizeof(CHALLENGE) - 1));
		eap_next(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2,
			 bytes(failures[i].d, failures[i].len));
		e = eap_of(&p);
		assert_int_equal(e.data.len, 1);
		assert_int_equal(e.data.p[0], 4);
		/* a success now would be a lie */
		eap_next(&p, i & 1 ? EAP_SUCCESS : EAP_FAILURE, 0, BYTES_NONE);
		assert_closed(&p, i & 1 ? ERR_UNTRUSTED : ERR_AUTH);
	}
}

static void eap_lengths_that_lie_close(void **state)
{
	static const struct {
		const char *d;
		size_t len;
	} bad[] = {
		{"", 0},
		{"\1", 1},
		{"\1\x2a\0\3", 4}, /* shorter than its head */
		{"\1\x2a\xff\xff\x10"
		 "0123",
		 9}, /* longer than it is */
		{"\1\x2a\0\x09\x10"
		 "0123",
		 9}, /* challenge cut */
		{"\1\x2a\0\x16\x11"
		 "0123456789abcdefg",
		 22},
		{"\4\x2a\0\xff"
		 "E=691",
		 9}, /* CVE-2025-62291 */
		{"\x63\x2a\0\4", 4},
	};
	struct peer p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		eap_begin(&p, EAP_REQUEST, EAP_TYPE_MSCHAPV2,
			  bytes(bad[i].d, bad[i].len));
		assert_int_equal(p.n_passwords, 0);
		assert_closed(&p, ERR_PEER);
	}
}

static void eap_without_end_is_ended(void **state)
{
	struct peer p;

	eap_begin(&p, EAP_REQUEST, EAP_TYPE_NOTIFICATION, BYTES_NONE);
	for (int i = 0; i < 100 && !p.closed; i++)
		eap_next(&p, EAP_REQUEST, EAP_TYPE_NOTIFICATION, BYTES_NONE);
	assert_closed(&p, ERR_PEER);
}

static void fill_eap_psk(struct peer *p, struct ike_wr *w)
{
	peer_fill_idr_auth(p, w); /* method 2 */
	eap_code = EAP_REQUEST;
	eap_type = EAP_TYPE_IDENTITY;
	fill_eap(p, w);
}

static void eap_gateway_must_show_a_certificate(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_EAP_MSCHAPV2);
	start(&p);
	peer_answer_init(&p);
	peer_reply(&p, fill_eap_psk);
	assert_int_equal(peer_count(&p, IKE_DO_ASK_VERIFY), 0);
	assert_closed(&p, ERR_UNTRUSTED);
}

/* --- a storm
 * ----------------------------------------------------------------------------------
 */

/* Authentic messages of random payloads, to an SA in each state: it may
 * close, it may not crash, hang or take a Child SA it did not agree on. */
static void storm_of_authentic_nonsense_is_survived(void **state)
{
	static const uint8_t types[] = {33, 34, 35, 36, 37, 38, 39, 40, 41,
					42, 43, 44, 45, 46, 47, 48, 53, 200};
	static const uint8_t exchanges[] = {34, 35, 36, 37, 38, 43};
	struct rng rng;
	uint8_t seed[32] = {42};
	struct peer p;

	rng_seed(&rng, seed);
	peer_open(&p, IKE_AUTH_PSK);
	for (int round = 0; round < 4000; round++) {
		uint8_t r[4], body[64];
		struct ike_wr w;
		struct bytes chain;
		struct ike_hdr h;

		if (!p.has_keys || p.closed) {
			peer_again(&p);
			peer_up(&p);
			p.n_acts = 0;
		}
		if (p.n_acts > 8)
			p.n_acts = 0;
		ike_wr_start_chain(&w, p.chain, sizeof(p.chain));
		rng_draw(&rng, r, sizeof(r));
		for (int i = 0; i < r[0] % 6; i++) {
			uint8_t q[2];

			rng_draw(&rng, q, sizeof(q));
			rng_draw(&rng, body, sizeof(body));
			body[0] &= 3;
			body[1] &= 4;
			ike_wr_payload(&w, types[q[0] % sizeof(types)],
				       bytes(body, q[1] % sizeof(body)));
		}
		assert_int_equal(ike_wr_end(&w, &chain), OK);
		h = peer_hdr(&p, exchanges[r[1] % sizeof(exchanges)], r[2] & 1,
			     0);
		h.msg_id = r[2] & 1 ? p.sa->cur->req.msg_id
				    : p.sa->cur->expected_id;
		if (r[3] % 4 == 0 && ike_sa_state(p.sa) == IKE_ST_UP)
			(void)!ike_sa_rekey_child(p.sa, p.now_ms);
		if (r[3] % 4 == 1 && ike_sa_state(p.sa) == IKE_ST_UP)
			(void)!ike_sa_rekey_ike(p.sa, p.now_ms);
		peer_send_raw(&p, &h, ike_wr_first(&w), chain);
		assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 0);
		p.now_ms += r[3];
		peer_wait(&p, r[3]);
	}
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_survives_forged_errors),
		cmocka_unit_test(cookies_are_followed_only_a_few_times),
		cmocka_unit_test(
			groups_are_followed_only_where_offered_and_once),
		cmocka_unit_test(init_survives_answers_that_are_not_usable),
		cmocka_unit_test(init_answers_with_wrong_headers_are_dropped),
		cmocka_unit_test(auth_answer_with_any_octet_changed_is_dropped),
		cmocka_unit_test(auth_answers_that_break_the_rules_close),
		cmocka_unit_test(auth_failed_is_told_apart),
		cmocka_unit_test(of_many_tickets_the_last_valid_is_taken),
		cmocka_unit_test(
			tickets_without_octets_or_time_or_measure_are_ignored),
		cmocka_unit_test(ticket_behind_a_wrong_auth_is_ignored),
		cmocka_unit_test(
			resume_answers_that_break_the_rules_are_dropped),
		cmocka_unit_test(
			resume_request_has_ticket_and_nonce_and_no_key_exchange),
		cmocka_unit_test(
			unknown_critical_payload_is_answered_and_survived),
		cmocka_unit_test(malformed_inside_of_sk_is_fatal),
		cmocka_unit_test(requests_outside_of_the_window_get_no_answer),
		cmocka_unit_test(last_message_id_ends_the_sa),
		cmocka_unit_test(cookie2_comes_back_and_auth_lifetime_is_kept),
		cmocka_unit_test(
			child_deleted_by_the_gateway_is_asked_for_anew),
		cmocka_unit_test(malformed_delete_is_fatal),
		cmocka_unit_test(further_child_is_refused),
		cmocka_unit_test(rekey_of_an_unknown_child_is_not_found),
		cmocka_unit_test(
			rekey_without_what_it_must_have_is_invalid_syntax),
		cmocka_unit_test(rekey_of_the_gateway_takes_over),
		cmocka_unit_test(not_found_after_a_crossing_rekey_is_ignored),
		cmocka_unit_test(temporary_failure_is_tried_again_later),
		cmocka_unit_test(unusable_answer_to_a_rekey_ends_with_a_delete),
		cmocka_unit_test(
			fragmented_request_is_answered_and_its_first_piece_repeats_that),
		cmocka_unit_test(
			eap_speaks_identity_notification_nak_and_mschapv2),
		cmocka_unit_test(eap_packets_in_the_wrong_state_close),
		cmocka_unit_test(
			eap_failure_requests_of_any_form_are_acknowledged),
		cmocka_unit_test(eap_lengths_that_lie_close),
		cmocka_unit_test(eap_without_end_is_ended),
		cmocka_unit_test(eap_gateway_must_show_a_certificate),
		cmocka_unit_test(storm_of_authentic_nonsense_is_survived),
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_hostile", tests, NULL, NULL);
}
