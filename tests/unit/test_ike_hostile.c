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

/* --- IKE_SA_INIT: forged answers -------------------------------------- */

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
	for (int i = 0; i < IKE_COOKIES_MAX; i++) {
		notify_data[0] = (uint8_t)i;
		notify_len = 8;
		peer_send_plain(&p, &h, fill_notify);
		peer_send_plain(&p, &h, fill_notify);
		/* one leaves, at the time of a retransmission */
		assert_int_equal(p.n_sent, 1 + i);
		peer_wait(&p, p.cfg.rto_ms + p.cfg.rto_ms / 10);
		assert_int_equal(p.n_sent, 2 + i);
	}
	comes_up_now(&p);
	peer_close(&p);
}

/* The answer is to the request without the cookie, and AUTH covers the one
 * with it; or so it may be. */
static void a_refusal_after_a_cookie_is_in_doubt(void **state)
{
	struct peer p;
	struct ike_hdr h;

	for (int cookie = 0; cookie < 2; cookie++) {
		peer_open(&p, IKE_AUTH_PSK);
		start(&p);
		h = init_hdr(&p);
		h.spi_r = 0;
		notify_type = N_COOKIE;
		notify_len = 8;
		if (cookie)
			peer_send_plain(&p, &h, fill_notify);
		peer_wait(&p, p.cfg.rto_ms + p.cfg.rto_ms / 10);
		peer_answer_init(&p);
		notify_type = N_AUTHENTICATION_FAILED;
		notify_len = 0;
		peer_reply(&p, fill_notify);
		assert_true(p.closed);
		assert_int_equal(p.why, ERR_AUTH);
		assert_int_equal(p.in_doubt, cookie);
		peer_close(&p);
	}
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

/* --- IKE_AUTH --------------------------------------------------------- */

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

/* --- tickets ---------------------------------------------------------- */

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

/* --- resumption ------------------------------------------------------- */

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

static void resume_request_has_a_ticket_and_no_key_exchange(void **state)
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

/* --- EAP -------------------------------------------------------------- */

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(init_survives_forged_errors),
		cmocka_unit_test(a_refusal_after_a_cookie_is_in_doubt),
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
			resume_request_has_a_ticket_and_no_key_exchange),
		cmocka_unit_test(
			eap_speaks_identity_notification_nak_and_mschapv2),
		cmocka_unit_test(eap_packets_in_the_wrong_state_close),
		cmocka_unit_test(
			eap_failure_requests_of_any_form_are_acknowledged),
		cmocka_unit_test(eap_lengths_that_lie_close),
		cmocka_unit_test(eap_without_end_is_ended),
		cmocka_unit_test(eap_gateway_must_show_a_certificate),
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_hostile", tests, NULL, NULL);
}
