/* The policy of redirects (RFC 5685), against a scripted IKE SA. */
#include "tests/unit/session_script.h"

static const struct ike_redirect gw2 = {.name = "gw2.example.org"};

static void play_redirected(enum err why)
{
	play((struct ike_action){
		.kind = IKE_DO_CLOSED,
		.u.closed = {.why = why, .detail = "go", .redirect = &gw2}});
}

static const char *gateway_of(const struct above *a)
{
	return session_report(a->s)->gateway.name;
}

static void another_gateway_is_asked_at_once(void **state)
{
	struct above a;

	for (int persistent = 0; persistent < 2; persistent++) {
		open_session(&a, false, persistent);
		assert_string_equal(gateway_of(&a), "");
		play_redirected(ERR_GONE);
		pull(&a);
		assert_string_equal(gateway_of(&a), gw2.name);
		assert_int_equal(a.paths, 2);
		assert_int_equal(starts, 2);
		play_up(false);
		pull(&a);
		assert_int_equal(state_of(&a), SES_ST_UP);
		session_free(&a.s);
	}
}

static void a_ticket_is_not_presented_to_another_gateway(void **state)
{
	struct above a;

	open_session(&a, true, true);
	assert_int_equal(resumes, 1);
	play_redirected(ERR_TICKET_REFUSED);
	pull(&a);
	assert_int_equal(resumes, 1);
	assert_int_equal(starts, 1);
	assert_string_equal(gateway_of(&a), gw2.name);
	session_free(&a.s);
}

static void a_living_sa_is_followed_too(void **state)
{
	struct above a;

	open_session(&a, false, false);
	play_up(false);
	pull(&a);
	play_redirected(ERR_GONE);
	pull(&a);
	assert_string_equal(gateway_of(&a), gw2.name);
	assert_int_equal(starts, 2);
	assert_int_equal(state_of(&a), SES_ST_CONNECTING);
	session_free(&a.s);
}

static void where_it_leads_nowhere_ours_is_asked_again(void **state)
{
	static const enum err nowhere[] = {ERR_NO_ANSWER, ERR_UNTRUSTED,
					   ERR_PEER, ERR_NO_PROPOSAL};
	struct above a;

	for (size_t i = 0; i < sizeof(nowhere) / sizeof(nowhere[0]); i++) {
		open_session(&a, false, false);
		play_redirected(ERR_GONE);
		pull(&a);
		play_closed(nowhere[i], false);
		pull(&a);
		assert_string_equal(gateway_of(&a), "");
		assert_int_equal(starts, 3);
		/* and once there that is the end */
		play_closed(nowhere[i], false);
		pull(&a);
		assert_int_equal(a.closed, nowhere[i]);
		session_free(&a.s);
	}
}

static void a_name_that_does_not_resolve_leads_nowhere(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_redirected(ERR_GONE);
	a.no_path = true;
	pull(&a);
	assert_string_equal(gateway_of(&a), "");
	assert_int_equal(a.paths, 3);
	session_free(&a.s);
}

static void a_refusal_of_the_password_there_is_one(void **state)
{
	struct above a;

	open_session(&a, false, false);
	play_redirected(ERR_GONE);
	pull(&a);
	play_closed(ERR_AUTH, true);
	pull(&a);
	assert_int_equal(a.closed, ERR_AUTH);
	session_free(&a.s);
}

static void gateways_that_send_us_round_are_left(void **state)
{
	struct above a;

	open_session(&a, false, true);
	for (int i = 0; i < 6; i++) {
		play_redirected(ERR_GONE);
		pull(&a);
	}
	assert_int_equal(starts, 6);
	assert_int_equal(state_of(&a), SES_ST_WAITING);
	/* five minutes later they may again */
	a.now_ms += 400000;
	session_timeout(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(starts, 7);
	play_redirected(ERR_GONE);
	pull(&a);
	assert_int_equal(starts, 8);
	session_free(&a.s);
}

static void a_redirect_after_down_is_not_followed(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_up(false);
	pull(&a);
	session_down(a.s, a.now_ms);
	play_redirected(ERR_GONE);
	pull(&a);
	assert_int_equal(a.closed, ERR_CANCELLED);
	assert_int_equal(starts, 1);
	session_free(&a.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_gateway_is_asked_at_once),
		cmocka_unit_test(a_ticket_is_not_presented_to_another_gateway),
		cmocka_unit_test(a_living_sa_is_followed_too),
		cmocka_unit_test(where_it_leads_nowhere_ours_is_asked_again),
		cmocka_unit_test(a_name_that_does_not_resolve_leads_nowhere),
		cmocka_unit_test(a_refusal_of_the_password_there_is_one),
		cmocka_unit_test(gateways_that_send_us_round_are_left),
		cmocka_unit_test(a_redirect_after_down_is_not_followed),
	};

	return cmocka_run_group_tests_name("session_redirect", tests, NULL,
					   NULL);
}
