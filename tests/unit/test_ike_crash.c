/* Crash detection (RFC 6290), and what an authentication is worth (RFC 4478),
 * against the test gateway. */
#include "tests/unit/ike_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/base/log.h"

static void say(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "# %s\n", text);
}

static void connected(struct link *l)
{
	link_init(l);
	link_open(l);
	gw_switches(l->gw)->qcd = true;
	link_connect(l);
}

static void check_alive(struct link *l)
{
	assert_int_equal(ike_sa_check_alive(l->sa, l->now_ms), OK);
	link_pull(l);
	link_run(l, 100);
}

static void assert_restart_seen(const struct link *l)
{
	assert_true(l->closed);
	assert_int_equal(l->why, ERR_GONE);
	assert_string_equal(l->detail, "the gateway restarted");
	/* neither a DELETE nor the end of the ticket */
	assert_true(l->have_ticket);
	assert_int_equal(link_count(l, IKE_DO_TICKET_VOID), 0);
}

static void a_restarted_gateway_is_seen_in_one_round_trip(void **state)
{
	struct link l;
	size_t sent;

	connected(&l);
	gw_forget_sas(l.gw);
	sent = l.n_sent;
	check_alive(&l);
	assert_restart_seen(&l);
	assert_int_equal(l.n_sent, sent + 1);
	link_again(&l);
	link_resume(&l);
	link_run(&l, 400);
	assert_true(l.resumed);
	link_close(&l);
}

static void the_token_outlives_the_process_of_the_gateway(void **state)
{
	uint8_t seed[32] = {0x77}, *blob;
	struct link l;
	size_t len;

	connected(&l);
	assert_int_equal(gw_save_tickets(l.gw, &blob, &len), OK);
	gw_free(&l.gw);
	assert_int_equal(gw_new(&l.gwc, seed, &l.gw), OK);
	assert_int_equal(gw_load_tickets(l.gw, bytes(blob, len)), OK);
	mem_wipe(blob, len);
	free(blob);
	gw_switches(l.gw)->qcd = true;
	check_alive(&l);
	assert_restart_seen(&l);
	link_close(&l);
}

static void a_resumed_sa_has_a_token_of_its_own(void **state)
{
	struct link l;

	connected(&l);
	link_again(&l);
	link_resume(&l);
	link_run(&l, 400);
	assert_true(l.resumed);
	gw_forget_sas(l.gw);
	check_alive(&l);
	assert_restart_seen(&l);
	link_close(&l);
}

static void a_rekeyed_sa_has_a_new_token(void **state)
{
	struct link l;

	for (int theirs = 0; theirs < 2; theirs++) {
		connected(&l);
		if (theirs)
			gw_rekey_ike(l.gw, 0, l.now_ms);
		else
			assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
		link_pull(&l);
		link_run(&l, 5000);
		assert_int_equal(gw_counters(l.gw)->ike_rekeys, 1);
		l.n_acts = 0;
		gw_forget_sas(l.gw);
		check_alive(&l);
		assert_restart_seen(&l);
		link_close(&l);
	}
}

static void a_wrong_token_or_none_ends_nothing(void **state)
{
	struct link l;

	for (int which = 0; which < 3; which++) {
		connected(&l);
		gw_switches(l.gw)->wrong_qcd = which == 0;
		gw_switches(l.gw)->qcd = which == 0;
		gw_switches(l.gw)->no_invalid_spi = which == 2;
		gw_forget_sas(l.gw);
		check_alive(&l);
		assert_false(l.closed);
		/* no answer that counts: the slow way */
		link_run(&l, 60000);
		assert_true(l.closed);
		assert_int_equal(l.why, ERR_NO_ANSWER);
		link_close(&l);
	}
}

/* --- what an attacker may send ------------------------------------------ */

static uint8_t heard[512];
static size_t heard_len;

static bool keep_unprotected(struct link *l, bool to_gw, uint8_t *d,
			     size_t *len)
{
	struct ike_msg msg;

	if (!to_gw && ike_msg_parse(bytes(d, *len), &msg) == OK &&
	    !msg.sk_type && *len <= sizeof(heard)) {
		memcpy(heard, d, *len);
		heard_len = *len;
		return false;
	}
	return true;
}

/* The token of a connection that is over, in heard. */
static void steal_token(struct link *l)
{
	connected(l);
	gw_forget_sas(l->gw);
	l->filter = keep_unprotected;
	check_alive(l);
	l->filter = NULL;
	assert_true(heard_len > 0);
}

static void the_token_of_another_sa_ends_nothing(void **state)
{
	struct gw_session_info info;
	struct link l;
	struct wr w;

	steal_token(&l);
	link_again(&l);
	link_connect(&l);
	/* as it was: for an SA that does not exist any more */
	assert_int_equal(link_inject(&l, heard, heard_len), ERR_NOT_FOUND);
	assert_true(gw_session_info(l.gw, 0, &info));
	w = wr_open(heard, sizeof(heard));
	wr_u64(&w, info.spi_i);
	wr_u64(&w, info.spi_r);
	assert_int_equal(link_inject(&l, heard, heard_len), OK);
	assert_false(l.closed);
	check_alive(&l);
	assert_false(l.closed);
	link_close(&l);
}

static void the_token_counts_from_any_address(void **state)
{
	struct link l;

	steal_token(&l);
	assert_int_equal(addr_parse("203.0.113.77", &l.path.remote), OK);
	assert_int_equal(link_inject(&l, heard, heard_len), OK);
	assert_restart_seen(&l);
	link_close(&l);
}

/* --- AUTH_LIFETIME ------------------------------------------------------ */

static void an_sa_without_auth_lifetime_has_no_end(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	link_connect(&l);
	assert_int_equal(ike_sa_reauth_at(l.sa), INT64_MAX);
	assert_false(l.ticket.auth_limited);
	assert_int_equal(l.ticket.lifetime_s, 3600);
	link_close(&l);
}

static void the_ticket_does_not_outlive_the_authentication(void **state)
{
	int64_t end;
	struct link l;

	link_init(&l);
	l.gwc.auth_lifetime_s = 600;
	link_open(&l);
	link_connect(&l);
	end = ike_sa_reauth_at(l.sa);
	assert_in_range(end, l.now_ms + 599000, l.now_ms + 600000);
	assert_int_equal(l.ticket.lifetime_s, 600);
	assert_true(l.ticket.auth_limited);
	assert_int_equal(l.ticket.auth_extra_s, 0);
	/* A rekey changes nothing; the next ticket has what is left. */
	link_run(&l, 100000);
	assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 5000);
	assert_int_equal(ike_sa_reauth_at(l.sa), end);
	assert_in_range(l.ticket.lifetime_s, 494, 500);
	link_close(&l);
}

/* A gateway that does not tell it again. */
static void a_resume_does_not_make_the_authentication_longer(void **state)
{
	struct link l;

	link_init(&l);
	l.gwc.auth_lifetime_s = 5000;
	link_open(&l);
	link_connect(&l);
	assert_int_equal(l.ticket.lifetime_s, 3600);
	assert_int_equal(l.ticket.auth_extra_s, 1400);
	link_again(&l);
	l.ticket.lifetime_s -= 100; /* as the store counts it */
	link_resume(&l);
	assert_int_equal(ike_sa_reauth_at(l.sa), l.now_ms + 4900 * 1000);
	link_run(&l, 400);
	assert_true(l.resumed);
	assert_int_equal(l.ticket.lifetime_s, 3600);
	assert_in_range(l.ticket.auth_extra_s, 1290, 1400);
	link_close(&l);
}

static void auth_lifetime_may_change_and_its_end_deletes(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	link_connect(&l);
	gw_set_auth_lifetime(l.gw, 300, l.now_ms);
	link_pull(&l);
	link_run(&l, 1000);
	assert_in_range(ike_sa_reauth_at(l.sa), l.now_ms + 298000,
			l.now_ms + 300000);
	link_run(&l, 310000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_GONE);
	link_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_restarted_gateway_is_seen_in_one_round_trip),
		cmocka_unit_test(the_token_outlives_the_process_of_the_gateway),
		cmocka_unit_test(a_resumed_sa_has_a_token_of_its_own),
		cmocka_unit_test(a_rekeyed_sa_has_a_new_token),
		cmocka_unit_test(a_wrong_token_or_none_ends_nothing),
		cmocka_unit_test(the_token_of_another_sa_ends_nothing),
		cmocka_unit_test(the_token_counts_from_any_address),
		cmocka_unit_test(an_sa_without_auth_lifetime_has_no_end),
		cmocka_unit_test(
			the_ticket_does_not_outlive_the_authentication),
		cmocka_unit_test(
			a_resume_does_not_make_the_authentication_longer),
		cmocka_unit_test(auth_lifetime_may_change_and_its_end_deletes),
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_crash", tests, NULL, NULL);
}
