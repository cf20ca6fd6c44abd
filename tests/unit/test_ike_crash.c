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
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_crash", tests, NULL, NULL);
}
