/* REDIRECT (RFC 5685), and our own addresses (RFC 4555 3.4): against the test
 * gateway, and against one that answers as it should not. */
#include "tests/unit/ike_link.h"
#include "tests/unit/ike_peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/base/log.h"

static void say(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "# %s\n", text);
}

static void open_following(struct link *l)
{
	link_init(l);
	l->cfg.redirects = true;
	link_open(l);
}

static void assert_sent_to(const struct link *l, const char *addr,
			   const char *name)
{
	struct addr want = {.family = ADDR_NONE};

	assert_true(l->closed);
	assert_int_equal(l->why, ERR_GONE);
	assert_true(l->redirected);
	if (addr)
		assert_int_equal(addr_parse(addr, &want), OK);
	assert_int_equal(l->redirect.addr.family, want.family);
	assert_true(addr_eq_host(&l->redirect.addr, &want));
	assert_string_equal(l->redirect.name, name);
}

static void redirect_of_the_first_message_is_followed(void **state)
{
	static const char *const to[] = {"203.0.113.8", "2001:db8::8",
					 "gw2.example.org"};
	struct link l;

	for (int i = 0; i < 3; i++) {
		open_following(&l);
		assert_int_equal(
			gw_set_redirect(l.gw, GW_REDIRECT_FIRST, to[i]), OK);
		link_start(&l);
		link_run(&l, 100);
		assert_false(l.closed); /* it may have been forged */
		link_run(&l, 200);
		assert_sent_to(&l, i < 2 ? to[i] : NULL, i == 2 ? to[i] : "");
		assert_false(l.auth_sent);
		assert_int_equal(l.n_sent, 1);
		link_close(&l);
	}
}

static void a_client_that_does_not_follow_is_not_sent_away(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	assert_int_equal(gw_set_redirect(l.gw, GW_REDIRECT_FIRST, "gw2"), OK);
	link_connect(&l);
	assert_int_equal(gw_counters(l.gw)->redirected, 0);
	link_close(&l);
}

/* RFC 5685 9.3: who sent us says as well that we follow. */
static void redirected_from_is_told_to_the_next_gateway(void **state)
{
	struct ike_notify n;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	p.cfg.redirects = true;
	assert_int_equal(addr_parse("198.51.100.9", &p.cfg.redirected_from),
			 OK);
	peer_again(&p);
	assert_int_equal(ike_sa_start(p.sa, &p.path, p.now_ms), OK);
	peer_pull(&p);
	peer_read(&p);
	assert_true(ike_msg_notify(&p.msg, N_REDIRECTED_FROM, &n));
	assert_true(bytes_eq(n.data, bytes("\1\4\xc6\x33\x64\x09", 6)));
	assert_false(ike_msg_notify(&p.msg, N_REDIRECT_SUPPORTED, &n));
	peer_close(&p);
}

static void redirect_inside_ike_auth_says_goodbye_first(void **state)
{
	struct link l;

	for (int eap = 0; eap < 2; eap++) {
		link_init(&l);
		l.cfg.redirects = true;
		if (eap)
			link_use_certs(&l, IKE_AUTH_EAP_MSCHAPV2);
		link_open(&l);
		assert_int_equal(gw_set_redirect(l.gw, GW_REDIRECT_AUTH, "gw2"),
				 OK);
		link_start(&l);
		link_run(&l, 400);
		assert_sent_to(&l, NULL, "gw2");
		assert_int_equal(link_count(&l, IKE_DO_UP), 0);
		assert_int_equal(gw_counters(l.gw)->deletes_received, 1);
		assert_int_equal(gw_session_count(l.gw), 0);
		link_close(&l);
	}
}

static void redirect_inside_ike_auth_needs_a_right_auth(void **state)
{
	struct link l;

	open_following(&l);
	gw_switches(l.gw)->wrong_auth = true;
	assert_int_equal(gw_set_redirect(l.gw, GW_REDIRECT_AUTH, "gw2"), OK);
	link_start(&l);
	link_run(&l, 400);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_UNTRUSTED);
	assert_false(l.redirected);
	link_close(&l);
}

static void redirect_of_a_living_sa_ends_it(void **state)
{
	struct link l;

	open_following(&l);
	link_connect(&l);
	assert_int_equal(gw_set_redirect(l.gw, GW_REDIRECT_LIVE, "192.0.2.2"),
			 OK);
	link_pull(&l);
	link_run(&l, 400);
	assert_sent_to(&l, "192.0.2.2", "");
	assert_int_equal(link_count(&l, IKE_DO_TICKET_VOID), 1);
	assert_int_equal(gw_session_count(l.gw), 0);
	link_close(&l);
}

static void redirect_of_a_resume_is_a_refusal_that_says_where_to(void **state)
{
	struct link l;

	for (int keep = 0; keep < 2; keep++) {
		link_init(&l);
		l.cfg.redirects = true;
		l.cfg.keep_after_refusal = keep;
		link_open(&l);
		link_connect(&l);
		link_again(&l);
		assert_int_equal(
			gw_set_redirect(l.gw, GW_REDIRECT_FIRST, "gw2"), OK);
		link_resume(&l);
		link_run(&l, 100);
		assert_false(l.closed);
		assert_int_equal(link_count(&l, IKE_DO_REFUSED), keep);
		if (keep)
			assert_string_equal(l.redirect.name, "gw2");
		link_run(&l, 3000);
		assert_true(l.closed);
		assert_int_equal(l.why, ERR_TICKET_REFUSED);
		assert_string_equal(l.redirect.name, "gw2");
		assert_false(l.auth_sent);
		link_close(&l);
	}
}

/* --- what a gateway should not send -------------------------------------- */

static struct bytes redirect_head;
static bool with_nonce;

static void fill_redirect(struct peer *p, struct ike_wr *w)
{
	uint8_t data[600];
	struct wr b = wr_open(data, sizeof(data));
	const struct ike_msg *m = peer_read(p);
	struct bytes ni;

	p->spi_i = m->hdr.spi_i;
	wr_bytes(&b, redirect_head);
	if (with_nonce &&
	    ike_nonce_parse(ike_msg_find(m, PLD_NONCE, 0)->body, &ni) == OK)
		wr_bytes(&b, ni);
	ike_wr_notify(w, N_REDIRECT, wr_view(&b));
}

static void answer_redirect(struct peer *p, struct bytes head, bool nonce)
{
	const struct ike_msg *m = peer_read(p);
	struct ike_hdr h = {.spi_i = m->hdr.spi_i,
			    .exchange = m->hdr.exchange,
			    .flags = IKE_FLAG_RESPONSE};

	redirect_head = head;
	with_nonce = nonce;
	peer_send_plain(p, &h, fill_redirect);
}

static void a_redirect_without_our_nonce_or_sense_is_dropped(void **state)
{
	static const struct {
		const char *head;
		size_t len;
		bool nonce;
	} bad[] = {
		{"\1\4\xcb\0\x71\1", 6, false}, /* no nonce */
		{"\1\3\xcb\0\x71", 5, true},	/* three octets of address */
		{"\2\4\xcb\0\x71\1", 6, true},	/* four of an IPv6 one */
		{"\3\0", 2, true},		/* no name */
		{"\3\5a\nb c", 7, true},	/* not a name */
		{"\4\4\xcb\0\x71\1", 6, true},	/* unknown kind */
		{"\3\x7fgw", 4, true},		/* shorter than it says */
		{"\3", 1, true},
	};
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	p.cfg.redirects = true;
	peer_again(&p);
	assert_int_equal(ike_sa_start(p.sa, &p.path, p.now_ms), OK);
	peer_pull(&p);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		answer_redirect(&p, bytes(bad[i].head, bad[i].len),
				bad[i].nonce);
		assert_false(p.closed);
	}
	/* the true answer still counts */
	peer_answer_init(&p);
	assert_int_equal(ike_sa_state(p.sa), IKE_ST_AUTH);
	peer_close(&p);
}

/* The gateway is believed: the test says so. */
static void fill_signed(struct peer *p, struct ike_wr *w)
{
	struct ike_id idr = {p->cfg.id_remote.type,
			     bytes(p->cfg.id_remote.b, p->cfg.id_remote.len)};

	ike_wr_id(w, PLD_IDR, &idr);
	ike_wr_cert(w, PLD_CERT, bytes_str("a certificate"));
	ike_wr_auth(w, AUTH_DIGITAL_SIGNATURE, bytes_str("a signature"));
}

/* 6: of EAP the first answer may redirect; nothing of ours has left yet. */
static void fill_eap_redirect(struct peer *p, struct ike_wr *w)
{
	fill_signed(p, w);
	ike_wr_notify(w, N_REDIRECT, bytes("\3\3gw2", 5));
}

static void the_first_answer_of_eap_may_redirect(void **state)
{
	struct peer p;
	size_t sent;

	peer_open(&p, IKE_AUTH_EAP_MSCHAPV2);
	p.cfg.redirects = true;
	peer_again(&p);
	assert_int_equal(ike_sa_start(p.sa, &p.path, p.now_ms), OK);
	peer_pull(&p);
	peer_answer_init(&p);
	sent = p.n_sent;
	peer_reply(&p, fill_eap_redirect);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_GONE);
	assert_string_equal(p.detail, "gateway sends us to gw2");
	assert_int_equal(p.n_passwords, 0);
	assert_int_equal(p.n_sent, sent);
	peer_close(&p);
}

static void fill_eap_identity(struct peer *p, struct ike_wr *w)
{
	struct ike_eap eap = {EAP_REQUEST, 7, EAP_TYPE_IDENTITY, BYTES_NONE};

	fill_signed(p, w);
	ike_wr_eap(w, &eap);
}

static void fill_eap_middle(struct peer *p, struct ike_wr *w)
{
	struct ike_eap eap = {EAP_REQUEST, 8, EAP_TYPE_NOTIFICATION,
			      BYTES_NONE};

	ike_wr_eap(w, &eap);
	ike_wr_notify(w, N_REDIRECT, bytes("\3\3gw2", 5));
}

static void a_middle_answer_of_eap_may_not_redirect(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_EAP_MSCHAPV2);
	p.cfg.redirects = true;
	peer_again(&p);
	assert_int_equal(ike_sa_start(p.sa, &p.path, p.now_ms), OK);
	peer_pull(&p);
	peer_answer_init(&p);
	peer_reply(&p, fill_eap_identity);
	peer_reply(&p, fill_eap_middle);
	assert_false(p.closed);
	assert_int_equal(ike_sa_state(p.sa), IKE_ST_EAP);
	peer_close(&p);
}

/* --- our addresses -------------------------------------------------------- */

static void our_other_addresses_are_told_with_mobike(void **state)
{
	struct ike_notify n;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	p.cfg.mobike = true;
	p.cfg.n_addresses = 3;
	p.cfg.addresses[0] = p.path.local; /* in use: not told */
	assert_int_equal(addr_parse("203.0.113.5", &p.cfg.addresses[1]), OK);
	assert_int_equal(addr_parse("2001:db8::5", &p.cfg.addresses[2]), OK);
	peer_again(&p);
	assert_int_equal(ike_sa_start(p.sa, &p.path, p.now_ms), OK);
	peer_pull(&p);
	peer_answer_init(&p);
	peer_read(&p);
	assert_true(ike_msg_notify(&p.msg, N_ADDITIONAL_IP4_ADDRESS, &n));
	assert_true(bytes_eq(n.data, addr_view(&p.cfg.addresses[1])));
	assert_true(ike_msg_notify(&p.msg, N_ADDITIONAL_IP6_ADDRESS, &n));
	assert_true(bytes_eq(n.data, addr_view(&p.cfg.addresses[2])));
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(redirect_of_the_first_message_is_followed),
		cmocka_unit_test(
			a_client_that_does_not_follow_is_not_sent_away),
		cmocka_unit_test(redirected_from_is_told_to_the_next_gateway),
		cmocka_unit_test(redirect_inside_ike_auth_says_goodbye_first),
		cmocka_unit_test(redirect_inside_ike_auth_needs_a_right_auth),
		cmocka_unit_test(redirect_of_a_living_sa_ends_it),
		cmocka_unit_test(
			redirect_of_a_resume_is_a_refusal_that_says_where_to),
		cmocka_unit_test(
			a_redirect_without_our_nonce_or_sense_is_dropped),
		cmocka_unit_test(the_first_answer_of_eap_may_redirect),
		cmocka_unit_test(a_middle_answer_of_eap_may_not_redirect),
		cmocka_unit_test(our_other_addresses_are_told_with_mobike),
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_redirect", tests, NULL, NULL);
}
