/* The initiator against the test gateway: resumption (RFC 5723). */
#include "tests/unit/ike_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/base/log.h"

static void say(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "# %s\n", text);
}

/* Connects, goes away silently, and stands ready to resume. */
static void suspended(struct link *l)
{
	link_connect(l);
	link_again(l);
}

static void resume_takes_two_round_trips_and_renews_the_ticket(void **state)
{
	struct link l;
	struct addr before;

	link_init(&l);
	link_open(&l);
	link_connect(&l);
	before = l.conf.inner_v4;
	link_again(&l);
	link_resume(&l);
	link_run(&l, 400);
	assert_true(l.up);
	assert_true(l.resumed);
	link_assert_children(&l, 1);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 2);
	assert_true(addr_eq(&before, &l.conf.inner_v4));
	assert_true(link_first(&l, IKE_DO_TICKET_SPENT) <
		    link_first(&l, IKE_DO_TICKET));
	assert_true(l.have_ticket);
	assert_int_equal(link_count(&l, IKE_DO_ASK_SECRET), 0);
	assert_int_equal(gw_counters(l.gw)->resumed, 1);
	/* and with that ticket once more */
	link_again(&l);
	link_resume(&l);
	link_run(&l, 400);
	assert_true(l.resumed);
	link_close(&l);
}

static void resume_of_an_eap_session_asks_for_no_password(void **state)
{
	struct link l;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_EAP_MSCHAPV2);
	link_open(&l);
	suspended(&l);
	assert_int_equal(l.ticket.auth, IKE_AUTH_EAP_MSCHAPV2);
	l.password_given = false;
	link_resume(&l);
	link_run(&l, 400);
	assert_true(l.resumed);
	assert_false(l.password_given);
	assert_int_equal(link_count(&l, IKE_DO_ASK_VERIFY), 0);
	link_close(&l);
}

static void resume_with_a_ticket_by_reference(void **state)
{
	struct link l;

	link_init(&l);
	l.gwc.tickets = GW_TICKETS_REF;
	link_open(&l);
	suspended(&l);
	link_resume(&l);
	link_run(&l, 400);
	assert_true(l.resumed);
	link_assert_children(&l, 1);
	link_close(&l);
}

static void resume_follows_a_cookie(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	gw_switches(l.gw)->cookie = true;
	link_resume(&l);
	link_run(&l, 800);
	assert_true(l.resumed);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 3);
	link_close(&l);
}

static void resume_ends_with_ticket_refused_after_a_nack(void **state)
{
	struct link l;
	int64_t t0;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	gw_switches(l.gw)->nack = true;
	link_resume(&l);
	t0 = l.now_ms;
	link_run(&l, 400);
	assert_false(l.closed); /* it may have been forged */
	link_run(&l, 400);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_TICKET_REFUSED);
	assert_false(l.auth_sent);
	assert_true(l.now_ms - t0 <= 800);
	assert_true(l.have_ticket);
	link_close(&l);
}

static void resume_survives_a_forged_nack(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	gw_switches(l.gw)->forged_nack = true;
	link_resume(&l);
	link_run(&l, 1000);
	assert_true(l.resumed);
	link_close(&l);
}

static void a_resume_told_to_keep_on_tells_the_refusal_once(void **state)
{
	struct link l;

	for (int i = 0; i < 3; i++) {
		link_init(&l);
		l.cfg.keep_after_refusal = true;
		link_open(&l);
		suspended(&l);
		gw_switches(l.gw)->nack = i == 0;
		gw_switches(l.gw)->refuse_proposal = i == 1;
		gw_switches(l.gw)->refuse_syntax = i == 2;
		link_resume(&l);
		link_run(&l, 900);
		assert_false(l.closed);
		assert_int_equal(l.n_sent, 2); /* it goes on asking */
		assert_int_equal(link_count(&l, IKE_DO_REFUSED), 1);
		link_run(&l, 2000);
		assert_true(l.closed);
		assert_int_equal(l.why, ERR_TICKET_REFUSED);
		assert_false(l.auth_sent);
		assert_int_equal(link_count(&l, IKE_DO_REFUSED), 1);
		link_close(&l);
	}
}

/* libreswan's way: ESP without UDP. */
static void
resume_without_nat_detection_is_taken_where_udp_is_not_needed(void **state)
{
	static const struct {
		bool need_encap;
		uint8_t local[4];
		bool fails;
	} cases[] = {{false, {192, 0, 2, 10}, false},
		     {true, {192, 0, 2, 10}, true},
		     {false, {192, 168, 0, 10}, true}, /* surely a NAT */
		     {false, {172, 20, 0, 10}, true},
		     {false, {100, 64, 0, 10}, true},
		     {false, {172, 32, 0, 10}, false}};
	struct link l;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		bool need = cases[i].fails;

		link_init(&l);
		l.cfg.need_encap = cases[i].need_encap;
		memcpy(l.path.local.b, cases[i].local, 4);
		link_open(&l);
		assert_false(ike_sa_esp_is_plain(l.sa));
		suspended(&l);
		gw_switches(l.gw)->plain_resume = true;
		link_resume(&l);
		link_run(&l, 2000);
		assert_int_equal(l.resumed, !need);
		assert_int_equal(l.closed, need);
		if (need)
			assert_int_equal(l.why, ERR_TICKET_REFUSED);
		else
			assert_true(ike_sa_esp_is_plain(l.sa));
		assert_false(need && l.auth_sent);
		link_close(&l);
	}
}

/* A forger answers every request at once; the gateway's answers are lost but
 * for the last. */
static bool only_the_last_answer(struct link *l, bool to_gw, uint8_t *d,
				 size_t *len)
{
	struct rd r = rd_open(bytes(d, *len));
	uint64_t spi_r;

	if (to_gw)
		return true;
	rd_take(&r, 8);
	spi_r = rd_u64(&r);
	return spi_r == 0 || l->n_sent > 1; /* what is forged has none */
}

static void a_resume_that_keeps_on_takes_the_late_true_answer(void **state)
{
	struct link l;

	link_init(&l);
	l.cfg.keep_after_refusal = true;
	link_open(&l);
	suspended(&l);
	gw_switches(l.gw)->forged_nack = true;
	l.filter = only_the_last_answer;
	link_resume(&l);
	link_run(&l, 400);
	assert_int_equal(link_count(&l, IKE_DO_REFUSED), 1);
	assert_false(l.up);
	link_run(&l, 1000);
	assert_true(l.resumed);
	link_close(&l);
}

static void resume_treats_every_unprotected_refusal_as_a_hint(void **state)
{
	struct link l;

	for (int i = 0; i < 2; i++) {
		link_init(&l);
		link_open(&l);
		suspended(&l);
		gw_switches(l.gw)->refuse_proposal = i == 0;
		gw_switches(l.gw)->refuse_syntax = i == 1;
		link_resume(&l);
		link_run(&l, 1000);
		assert_true(l.closed);
		assert_int_equal(l.why, ERR_TICKET_REFUSED);
		assert_false(l.auth_sent);
		link_close(&l);
	}
}

static void resume_gives_up_after_two_unanswered_sends(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	gw_switches(l.gw)->silent_resume = true;
	link_resume(&l);
	link_run(&l, 3000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_NO_ANSWER);
	assert_false(l.auth_sent);
	assert_int_equal(l.n_sent, 2);
	link_close(&l);
}

static void resume_closes_when_the_gateway_proves_another_key(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	gw_switches(l.gw)->wrong_auth = true;
	link_resume(&l);
	link_run(&l, 1000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_UNTRUSTED);
	assert_true(l.auth_sent);
	assert_int_equal(link_count(&l, IKE_DO_TICKET_SPENT), 0);
	assert_int_equal(link_count(&l, IKE_DO_CHILD_ADD), 0);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 0);
	link_close(&l);
}

static void resume_closes_when_idr_changed(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	gw_switches(l.gw)->wrong_idr = true;
	link_resume(&l);
	link_run(&l, 1000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_UNTRUSTED);
	link_close(&l);
}

static void resume_speaks_libreswans_form_of_auth_when_told(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	gw_switches(l.gw)->first_only = true;
	link_resume(&l);
	link_run(&l, 1000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_AUTH);
	assert_true(l.auth_sent);
	assert_true(l.resume_auth_failed);
	l.ticket.auth_first_only = true;
	link_again(&l);
	link_resume(&l);
	link_run(&l, 1000);
	assert_true(l.resumed);
	/* the next ticket of this gateway knows it */
	assert_true(l.ticket.auth_first_only);
	link_close(&l);
}

static void a_full_exchange_that_fails_tells_of_no_form_of_auth(void **state)
{
	struct secret other;
	struct link l;

	assert_int_equal(secret_set(&other, bytes_str("another")), OK);
	link_init(&l);
	l.gwc.psk = &other;
	link_open(&l);
	link_start(&l);
	link_run(&l, 1000);
	assert_int_equal(l.why, ERR_AUTH);
	assert_false(l.resume_auth_failed);
	link_close(&l);
}

static void resume_rekeys_with_key_exchange_where_policy_wants_it(void **state)
{
	struct link l;

	link_init(&l);
	l.cfg.pfs_after_resume = true;
	link_open(&l);
	suspended(&l);
	link_resume(&l);
	link_run(&l, 1000);
	assert_true(l.resumed);
	assert_int_equal(gw_counters(l.gw)->ike_rekeys, 1);
	assert_int_equal(link_count(&l, IKE_DO_TICKET_VOID), 1);
	assert_true(l.have_ticket); /* one of the new SA */
	link_assert_children(&l, 1);
	link_again(&l);
	link_resume(&l);
	link_run(&l, 400);
	assert_true(l.resumed);
	link_close(&l);
}

static void resume_refuses_a_ticket_of_no_or_too_many_octets(void **state)
{
	static uint8_t huge[IKE_TICKET_MAX + 1];
	struct link l;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	l.ticket.opaque.len = 0;
	assert_int_equal(ike_sa_resume(l.sa, &l.ticket, &l.path, l.now_ms),
			 ERR_MALFORMED);
	l.ticket.opaque = BYTES_OF(huge);
	assert_int_equal(ike_sa_resume(l.sa, &l.ticket, &l.path, l.now_ms),
			 ERR_MALFORMED);
	link_close(&l);
}

/* --- somebody answers before the gateway ---------------------------------- */

static void forge_accept(struct link *l, uint64_t spi_r)
{
	const uint8_t nonce[32] = {0x66, (uint8_t)spi_r};
	struct ike_hdr h = {.spi_i = l->first_spi,
			    .spi_r = spi_r,
			    .exchange = IKE_SESSION_RESUME,
			    .flags = IKE_FLAG_RESPONSE};
	uint8_t buf[128];
	struct bytes d;
	struct ike_wr w;

	ike_wr_start(&w, buf, sizeof(buf), &h);
	ike_wr_payload(&w, PLD_NONCE, BYTES_OF(nonce));
	assert_int_equal(ike_wr_end(&w, &d), OK);
	(void)link_inject(l, d.p, d.len);
}

static void a_forged_accept_costs_half_a_second_and_not_the_ticket(void **state)
{
	struct link l;

	for (int n = 1; n <= 3; n++) {
		link_init(&l);
		link_open(&l);
		suspended(&l);
		link_resume(&l);
		for (int i = 1; i <= n; i++)
			forge_accept(&l, 0x6600 + (uint64_t)i);
		link_run(&l, 700);
		assert_true(l.resumed);
		assert_int_equal(link_count(&l, IKE_DO_TICKET_SPENT), 1);
		link_assert_children(&l, 1);
		assert_int_equal(gw_session_count(l.gw), 1);
		/* it lives: requests of both sides go through */
		assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
		link_pull(&l);
		gw_check_alive(l.gw, 0, l.now_ms);
		link_pull(&l);
		link_run(&l, 3000);
		assert_int_equal(gw_counters(l.gw)->ike_rekeys, 1);
		link_close(&l);
	}
}

static void a_forged_accept_behind_the_true_one_changes_nothing(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	link_resume(&l);
	link_run(&l, 2 * l.delay_ms);
	for (uint64_t i = 1; i < 9; i++)
		forge_accept(&l, 0x6600 + i);
	link_run(&l, 1000);
	assert_true(l.resumed);
	assert_int_equal(l.n_sent, 2);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 2);
	link_close(&l);
}

static void only_forged_accepts_end_as_no_answer(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	gw_switches(l.gw)->silent_resume = true;
	link_resume(&l);
	for (uint64_t i = 1; i < 5; i++)
		forge_accept(&l, 0x6600 + i);
	link_run(&l, 60000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_NO_ANSWER);
	assert_true(l.auth_sent);
	link_close(&l);
}

static void the_first_messages_size_is_known_before(void **state)
{
	size_t told, before;
	struct link l;

	for (int which = 0; which < 4; which++) {
		link_init(&l);
		l.cfg.fragmentation = which != 0;
		l.cfg.redirects = which > 1;
		if (which == 3)
			assert_int_equal(addr_parse("2001:db8::1",
						    &l.cfg.redirected_from),
					 OK);
		link_open(&l);
		suspended(&l);
		told = ike_ticket_request_len(&l.cfg, &l.ticket);
		before = ike_sa_stats(l.sa)->sent_octets;
		assert_int_equal(
			ike_sa_resume(l.sa, &l.ticket, &l.path, l.now_ms), OK);
		/* without UDP header and marker */
		assert_int_equal(ike_sa_stats(l.sa)->sent_octets - before,
				 told - 12);
		link_close(&l);
	}
}

static bool lose_first_auth(struct link *l, bool to_gw, uint8_t *d, size_t *len)
{
	return !(to_gw && l->n_sent == 2);
}

static void resume_recovers_from_a_lost_ike_auth(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	suspended(&l);
	l.filter = lose_first_auth;
	link_resume(&l);
	link_run(&l, 1000);
	assert_true(l.resumed);
	assert_int_equal(ike_sa_stats(l.sa)->retransmissions, 1);
	link_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			resume_takes_two_round_trips_and_renews_the_ticket),
		cmocka_unit_test(resume_of_an_eap_session_asks_for_no_password),
		cmocka_unit_test(resume_with_a_ticket_by_reference),
		cmocka_unit_test(resume_follows_a_cookie),
		cmocka_unit_test(resume_ends_with_ticket_refused_after_a_nack),
		cmocka_unit_test(resume_survives_a_forged_nack),
		cmocka_unit_test(
			resume_treats_every_unprotected_refusal_as_a_hint),
		cmocka_unit_test(
			a_resume_told_to_keep_on_tells_the_refusal_once),
		cmocka_unit_test(
			resume_without_nat_detection_is_taken_where_udp_is_not_needed),
		cmocka_unit_test(
			a_resume_that_keeps_on_takes_the_late_true_answer),
		cmocka_unit_test(
			a_full_exchange_that_fails_tells_of_no_form_of_auth),
		cmocka_unit_test(resume_gives_up_after_two_unanswered_sends),
		cmocka_unit_test(
			resume_closes_when_the_gateway_proves_another_key),
		cmocka_unit_test(resume_closes_when_idr_changed),
		cmocka_unit_test(
			resume_speaks_libreswans_form_of_auth_when_told),
		cmocka_unit_test(
			resume_rekeys_with_key_exchange_where_policy_wants_it),
		cmocka_unit_test(
			resume_refuses_a_ticket_of_no_or_too_many_octets),
		cmocka_unit_test(
			a_forged_accept_costs_half_a_second_and_not_the_ticket),
		cmocka_unit_test(
			a_forged_accept_behind_the_true_one_changes_nothing),
		cmocka_unit_test(only_forged_accepts_end_as_no_answer),
		cmocka_unit_test(the_first_messages_size_is_known_before),
		cmocka_unit_test(resume_recovers_from_a_lost_ike_auth),
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_resume", tests, NULL, NULL);
}
