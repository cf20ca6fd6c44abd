/* EAP-TLS (RFC 5216): against the test gateway, and against a server that
 * breaks its rules. */
#include "tests/unit/ike_link.h"
#include "tests/unit/ike_peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/base/log.h"

static void say(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "# %s\n", text);
}

static void open_tls(struct link *l)
{
	link_init(l);
	link_use_certs(l, IKE_AUTH_EAP_TLS);
	link_open(l);
}

static void a_client_certificate_inside_eap_connects(void **state)
{
	struct link l;

	for (int identity = 0; identity < 2; identity++) {
		link_init(&l);
		link_use_certs(&l, IKE_AUTH_EAP_TLS);
		l.gwc.eap_identity = identity;
		link_open(&l);
		link_start(&l);
		link_run(&l, 2000);
		if (l.closed)
			fail_msg("%s", l.detail);
		assert_true(l.up);
		link_assert_children(&l, 1);
		assert_int_equal(l.ticket.auth, IKE_AUTH_EAP_TLS);
		assert_int_equal(link_count(&l, IKE_DO_ASK_SECRET), 0);
		/* Start, the server's flight, its end */
		assert_int_equal(link_count(&l, IKE_DO_ASK_TLS), 3);
		link_close(&l);
	}
}

static void its_ticket_resumes_without_any_question(void **state)
{
	struct link l;

	open_tls(&l);
	link_start(&l);
	link_run(&l, 2000);
	assert_true(l.up);
	link_again(&l);
	link_resume(&l);
	link_run(&l, 400);
	assert_true(l.resumed);
	assert_int_equal(link_count(&l, IKE_DO_ASK_TLS), 0);
	assert_int_equal(link_count(&l, IKE_DO_ASK_VERIFY), 0);
	link_close(&l);
}

static void a_client_the_server_does_not_know_is_refused(void **state)
{
	struct trust *none;
	struct link l;
	struct diag diag = DIAG_INIT;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_EAP_TLS);
	assert_int_equal(trust_new(&none), OK);
	assert_int_equal(
		trust_add(none, bytes(l.gw_cert.p, l.gw_cert.len), &diag), OK);
	l.gwc.trust = none;
	link_open(&l);
	link_start(&l);
	link_run(&l, 2000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_AUTH);
	assert_int_equal(link_count(&l, IKE_DO_UP), 0);
	link_close(&l);
	trust_free(&none);
}

static bool lose_each_third(struct link *l, bool to_gw, uint8_t *d, size_t *len)
{
	return (l->n_sent + l->n_heard) % 3 != 2;
}

static void it_survives_loss(void **state)
{
	struct link l;

	open_tls(&l);
	l.filter = lose_each_third;
	link_start(&l);
	link_run(&l, 60000);
	assert_true(l.up);
	link_close(&l);
}

/* --- a server that breaks the rules ----------------------------------------
 */

static struct ike_eap packet;

static void fill_first(struct peer *p, struct ike_wr *w)
{
	struct ike_id idr = {p->cfg.id_remote.type,
			     bytes(p->cfg.id_remote.b, p->cfg.id_remote.len)};

	ike_wr_id(w, PLD_IDR, &idr);
	ike_wr_cert(w, PLD_CERT, bytes_str("a certificate"));
	ike_wr_auth(w, AUTH_DIGITAL_SIGNATURE, bytes_str("a signature"));
	ike_wr_eap(w, &packet);
}

static void fill_eap(struct peer *p, struct ike_wr *w)
{
	ike_wr_eap(w, &packet);
}

static void request(struct peer *p, const char *data, size_t len)
{
	packet = (struct ike_eap){EAP_REQUEST, (uint8_t)(packet.id + 1),
				  EAP_TYPE_TLS, bytes(data, len)};
	peer_reply(p,
		   ike_sa_state(p->sa) == IKE_ST_AUTH ? fill_first : fill_eap);
}

static void start(struct peer *p)
{
	peer_open(p, IKE_AUTH_EAP_TLS);
	assert_int_equal(ike_sa_start(p->sa, &p->path, p->now_ms), OK);
	peer_pull(p);
	peer_answer_init(p);
	assert_int_equal(ike_msg_count(peer_read(p), PLD_CERT), 0);
	request(p, "\x20", 1);
	assert_int_equal(peer_count(p, IKE_DO_ASK_TLS), 1);
}

static struct ike_eap sent(struct peer *p)
{
	struct ike_eap e;

	assert_int_equal(
		ike_eap_parse(ike_msg_find(peer_read(p), PLD_EAP, 0)->body, &e),
		OK);
	assert_int_equal(e.type, EAP_TYPE_TLS);
	return e;
}

static void give(struct peer *p, struct bytes out, bool done)
{
	struct ike_tls_step step = {.out = out, .done = done};

	if (done)
		assert_int_equal(secret_set(&step.msk, bytes_str("an msk")),
				 OK);
	assert_int_equal(ike_sa_give_tls(p->sa, &step, p->now_ms), OK);
	peer_pull(p);
}

static void flights_go_in_pieces_both_ways(void **state)
{
	static uint8_t flight[2500];
	struct ike_eap e;
	struct peer p;

	start(&p);
	give(&p, BYTES_OF(flight), false);
	e = sent(&p);
	assert_int_equal(e.data.len, 5 + 1000);
	assert_memory_equal(e.data.p, "\xc0\0\0\x09\xc4", 5);
	request(&p, "\0", 1);
	e = sent(&p);
	assert_int_equal(e.data.len, 1 + 1000);
	assert_int_equal(e.data.p[0], 0x40);
	request(&p, "\0", 1);
	e = sent(&p);
	assert_int_equal(e.data.len, 1 + 500);
	assert_int_equal(e.data.p[0], 0);
	/* the server's: two pieces, the first acknowledged */
	request(&p, "\xc0\0\0\0\4ab", 7);
	e = sent(&p);
	assert_int_equal(e.data.len, 1);
	assert_int_equal(peer_count(&p, IKE_DO_ASK_TLS), 1);
	request(&p, "\0cd", 3);
	assert_int_equal(peer_count(&p, IKE_DO_ASK_TLS), 2);
	assert_int_equal(p.tls_in_len, 4);
	assert_memory_equal(p.tls_in, "abcd", 4);
	peer_close(&p);
}

static void success_before_the_handshake_is_through_is_refused(void **state)
{
	struct peer p;

	start(&p);
	give(&p, bytes_str("hello"), false);
	packet = (struct ike_eap){.code = EAP_SUCCESS};
	peer_reply(&p, fill_eap);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_UNTRUSTED);
	peer_close(&p);
	/* and behind it it is taken: AUTH with the MSK leaves */
	start(&p);
	give(&p, BYTES_NONE, true);
	assert_int_equal(sent(&p).data.len, 1);
	packet = (struct ike_eap){.code = EAP_SUCCESS};
	peer_reply(&p, fill_eap);
	assert_false(p.closed);
	assert_int_equal(ike_msg_count(peer_read(&p), PLD_AUTH), 1);
	peer_close(&p);
}

static void packets_against_the_rules_close(void **state)
{
	static const struct {
		const char *data;
		size_t len;
	} bad[] = {
		{"", 0},	      /* no flags */
		{"\x20", 1},	      /* start again */
		{"\x80\0\0", 3},      /* length cut off */
		{"\x80\0\1\0\1x", 6}, /* more than we keep */
		{"\xc0\xff\xff\xff\xffx", 6},
	};
	struct peer p;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		start(&p);
		give(&p, bytes_str("hello"), false);
		request(&p, bad[i].data, bad[i].len);
		assert_true(p.closed);
		assert_int_equal(p.why, ERR_PEER);
		peer_close(&p);
	}
}

static void a_flight_without_end_is_ended(void **state)
{
	static char piece[8000] = "\x40";
	struct peer p;

	start(&p);
	give(&p, bytes_str("hello"), false);
	for (int i = 0; i < 24 && !p.closed; i++)
		request(&p, piece, sizeof(piece));
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_PEER);
	peer_close(&p);
}

static void data_before_the_start_closes(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_EAP_TLS);
	assert_int_equal(ike_sa_start(p.sa, &p.path, p.now_ms), OK);
	peer_pull(&p);
	peer_answer_init(&p);
	request(&p, "\0abc", 4);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_PEER);
	peer_close(&p);
}

static void another_method_is_answered_with_a_nak(void **state)
{
	struct ike_eap e;
	struct peer p;

	peer_open(&p, IKE_AUTH_EAP_TLS);
	assert_int_equal(ike_sa_start(p.sa, &p.path, p.now_ms), OK);
	peer_pull(&p);
	peer_answer_init(&p);
	packet = (struct ike_eap){EAP_REQUEST, 5, EAP_TYPE_MSCHAPV2,
				  bytes_str("x")};
	peer_reply(&p, fill_first);
	assert_int_equal(
		ike_eap_parse(ike_msg_find(peer_read(&p), PLD_EAP, 0)->body,
			      &e),
		OK);
	assert_int_equal(e.type, EAP_TYPE_NAK);
	assert_int_equal(e.data.p[0], EAP_TYPE_TLS);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_certificate_inside_eap_connects),
		cmocka_unit_test(its_ticket_resumes_without_any_question),
		cmocka_unit_test(a_client_the_server_does_not_know_is_refused),
		cmocka_unit_test(it_survives_loss),
		cmocka_unit_test(flights_go_in_pieces_both_ways),
		cmocka_unit_test(
			success_before_the_handshake_is_through_is_refused),
		cmocka_unit_test(packets_against_the_rules_close),
		cmocka_unit_test(a_flight_without_end_is_ended),
		cmocka_unit_test(data_before_the_start_closes),
		cmocka_unit_test(another_method_is_answered_with_a_nak),
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_eap_tls", tests, NULL, NULL);
}
