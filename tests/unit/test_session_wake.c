/* The policy around sleep: what is asked before it, what is tried after it,
 * against a scripted IKE SA. */
#include "tests/unit/session_script.h"

static struct ike_sa *sleeper; /* the SA that lived before the sleep */

static void play_alive(void)
{
	struct ike_sa *kept = live;

	live = sleeper;
	play((struct ike_action){.kind = IKE_DO_ALIVE});
	live = kept;
}

static void up_with_ticket(struct above *a)
{
	the_renewal = RENEWAL_AUTO;
	open_session(a, false, true);
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	play_up(false);
	pull(a);
	assert_int_equal(state_of(a), SES_ST_UP);
	assert_true(a->store_has_ticket);
	sleeper = live;
	checks = 0;
}

static void sleep_and_wake(struct above *a)
{
	a->now_ms += 60000;
	session_woke(a->s, a->now_ms);
	pull(a);
}

static void woken_asks_the_sa_and_presents_the_ticket_beside(void **state)
{
	struct above a;

	up_with_ticket(&a);
	sleep_and_wake(&a);
	assert_int_equal(state_of(&a), SES_ST_CHECKING);
	assert_int_equal(checks, 1);
	assert_int_equal(resumes, 1);
	assert_int_equal(a.questions, 0);
	session_free(&a.s);
}

static void sa_that_lives_gives_the_ticket_back(void **state)
{
	const struct session_report *r;
	struct above a;
	int64_t started_ms;

	up_with_ticket(&a);
	started_ms = session_report(a.s)->started_ms;
	sleep_and_wake(&a);
	assert_false(a.store_has_ticket);
	play_alive();
	pull(&a);
	r = session_report(a.s);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_string_equal(session_how(r), "full");
	assert_int_equal(r->started_ms, started_ms);
	assert_int_equal(r->reconnects, 0);
	assert_true(a.store_has_ticket);
	assert_ptr_equal(live, NULL); /* the attempt beside it is gone */
	session_free(&a.s);
}

static void dead_sa_is_replaced_by_the_resumed_one(void **state)
{
	const struct session_report *r;
	struct above a;

	up_with_ticket(&a);
	sleep_and_wake(&a);
	a.now_ms += 80;
	session_timeout(a.s, a.now_ms);
	play_up(true);
	pull(&a);
	r = session_report(a.s);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_string_equal(session_how(r), "resumed");
	assert_int_equal(r->up_ms - r->started_ms, 80);
	assert_int_equal(r->reconnects, 1);
	session_free(&a.s);
}

static void
presented_ticket_comes_to_its_end_although_the_sa_lives(void **state)
{
	struct above a;

	up_with_ticket(&a);
	sleep_and_wake(&a);
	live->state = IKE_ST_AUTH;
	play_alive();
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_false(a.store_has_ticket);
	play_up(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_int_equal(starts, 1);
	session_free(&a.s);
}

static void without_a_ticket_the_full_exchange_waits_for_the_sa(void **state)
{
	struct above a;

	the_unattended = true;
	open_session(&a, false, true);
	the_unattended = false;
	play_up(false);
	pull(&a);
	sleeper = live;
	starts = 0;
	sleep_and_wake(&a);
	assert_int_equal(starts, 0);
	a.now_ms += 250;
	session_timeout(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(starts, 0);
	a.now_ms += 3750;
	session_timeout(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(starts, 1);
	session_free(&a.s);
}

static void wait_for_the_next_try_ends_on_waking(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_WAITING);
	a.paths = 0;
	sleep_and_wake(&a);
	assert_int_equal(a.paths, 1);
	session_free(&a.s);
}

static void
network_that_changed_meanwhile_moves_with_the_ticket_beside(void **state)
{
	struct above a;

	up_with_ticket(&a);
	can_move = true;
	session_path_lost(a.s, a.now_ms);
	pull(&a);
	sleep_and_wake(&a);
	assert_int_equal(state_of(&a), SES_ST_NO_PATH);
	assert_int_equal(resumes, 0);
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(moves, 1);
	assert_int_equal(resumes, 1);
	session_free(&a.s);
}

static void same_network_after_sleep_checks_with_the_ticket_beside(void **state)
{
	struct above a;

	up_with_ticket(&a);
	session_path_lost(a.s, a.now_ms);
	pull(&a);
	sleep_and_wake(&a);
	session_path_new(a.s, true, a.now_ms);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_CHECKING);
	assert_int_equal(checks, 1);
	assert_int_equal(resumes, 1);
	session_free(&a.s);
}

static void aged_ticket_is_renewed_before_sleep(void **state)
{
	struct above a;

	up_with_ticket(&a);
	assert_false(session_before_sleep(a.s, a.now_ms + 59999));
	pull(&a);
	assert_int_equal(asks, 0);
	assert_true(session_before_sleep(a.s, a.now_ms + 60000));
	assert_int_equal(asks, 1);
	session_free(&a.s);
}

static void nothing_is_asked_before_sleep_without_a_ticket(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_up(false);
	pull(&a);
	assert_false(session_before_sleep(a.s, a.now_ms + 100000000));
	assert_int_equal(asks, 0);
	session_free(&a.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			woken_asks_the_sa_and_presents_the_ticket_beside),
		cmocka_unit_test(sa_that_lives_gives_the_ticket_back),
		cmocka_unit_test(dead_sa_is_replaced_by_the_resumed_one),
		cmocka_unit_test(
			presented_ticket_comes_to_its_end_although_the_sa_lives),
		cmocka_unit_test(
			without_a_ticket_the_full_exchange_waits_for_the_sa),
		cmocka_unit_test(wait_for_the_next_try_ends_on_waking),
		cmocka_unit_test(
			network_that_changed_meanwhile_moves_with_the_ticket_beside),
		cmocka_unit_test(
			same_network_after_sleep_checks_with_the_ticket_beside),
		cmocka_unit_test(aged_ticket_is_renewed_before_sleep),
		cmocka_unit_test(
			nothing_is_asked_before_sleep_without_a_ticket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
