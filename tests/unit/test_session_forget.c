/* `forget` while the tunnel runs. */
#include "tests/unit/session_script.h"

static void
a_living_tunnel_goes_on_without_a_ticket_and_asks_for_none(void **state)
{
	const struct session_report *r;
	struct above a;

	the_renewal = RENEWAL_AUTO;
	open_session(&a, false, true);
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	play_up(false);
	pull(&a);
	assert_true(a.store_has_ticket);
	r = session_report(a.s);
	assert_true(r->renew_at_ms != INT64_MAX);
	session_forget_ticket(a.s, a.now_ms);
	pull(&a);
	assert_false(a.store_has_ticket);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_true(r->renew_at_ms == INT64_MAX);
	/* The next one is kept. */
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	pull(&a);
	assert_true(a.store_has_ticket);
	session_free(&a.s);
}

static void a_ticket_in_hand_is_not_put_back(void **state)
{
	struct above a;

	open_session(&a, true, false);
	assert_int_equal(resumes, 1);
	session_forget_ticket(a.s, a.now_ms);
	pull(&a);
	session_suspend(a.s, a.now_ms);
	pull(&a);
	assert_false(a.store_has_ticket);
	assert_int_equal(a.stores, 0);
	session_free(&a.s);
}

static void a_resume_on_its_way_goes_on_to_its_end(void **state)
{
	struct above a;

	open_session(&a, true, false);
	session_forget_ticket(a.s, a.now_ms);
	pull(&a);
	play((struct ike_action){.kind = IKE_DO_TICKET_SPENT});
	play_up(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	session_free(&a.s);
}

static void a_resume_that_fails_is_followed_by_the_full_exchange(void **state)
{
	struct above a;

	open_session(&a, true, false);
	session_forget_ticket(a.s, a.now_ms);
	pull(&a);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(resumes, 1);
	assert_int_equal(starts, 1);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_false(a.store_has_ticket);
	session_free(&a.s);
}

static void a_closed_session_does_nothing(void **state)
{
	struct above a;

	open_session(&a, false, false);
	session_down(a.s, a.now_ms);
	pull(&a);
	a.voids = 0;
	session_forget_ticket(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(a.voids, 0);
	session_free(&a.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_living_tunnel_goes_on_without_a_ticket_and_asks_for_none),
		cmocka_unit_test(a_ticket_in_hand_is_not_put_back),
		cmocka_unit_test(a_resume_on_its_way_goes_on_to_its_end),
		cmocka_unit_test(
			a_resume_that_fails_is_followed_by_the_full_exchange),
		cmocka_unit_test(a_closed_session_does_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
