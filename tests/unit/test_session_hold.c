/* A network that lets nothing through until somebody signed in. */
#include "tests/unit/session_script.h"

#define WHY "sign in to the network"

static void hold(struct above *a)
{
	assert_true(session_hold(a->s, WHY, a->now_ms));
	pull(a);
	assert_int_equal(state_of(a), SES_ST_NO_PATH);
	assert_string_equal(session_report(a->s)->last_detail, WHY);
}

/* However long it takes. */
static void nothing_happens(struct above *a)
{
	int before = starts + resumes + moves + checks + a->paths;

	assert_true(session_next_deadline(a->s) == INT64_MAX);
	a->now_ms += 24 * 3600 * 1000;
	session_timeout(a->s, a->now_ms);
	pull(a);
	assert_int_equal(starts + resumes + moves + checks + a->paths, before);
	assert_int_equal(state_of(a), SES_ST_NO_PATH);
}

static void session_held_tries_nothing_until_there_is_a_path(void **state)
{
	struct above a;

	open_session(&a, false, true);
	assert_int_equal(starts, 1);
	hold(&a);
	nothing_happens(&a);
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(starts, 2);
	play_up(false);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	session_free(&a.s);
}

static void session_held_gives_its_ticket_back_and_resumes_later(void **state)
{
	struct above a;

	open_session(&a, true, true);
	assert_int_equal(resumes, 1);
	assert_false(a.store_has_ticket);
	hold(&a);
	assert_true(a.store_has_ticket);
	a.now_ms += 60000;
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(resumes, 2);
	assert_int_equal(starts, 0);
	session_free(&a.s);
}

static void session_held_does_not_give_back_a_ticket_it_presented(void **state)
{
	struct above a;

	open_session(&a, true, true);
	live->state = IKE_ST_AUTH;
	hold(&a);
	assert_false(a.store_has_ticket);
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(resumes, 1);
	assert_int_equal(starts, 1);
	session_free(&a.s);
}

static void session_held_between_two_tries_waits_for_the_path(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_WAITING);
	hold(&a);
	nothing_happens(&a);
	session_free(&a.s);
}

static void session_held_while_it_moves_keeps_its_sa(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_up(false);
	pull(&a);
	can_move = true;
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_MOVING);
	assert_int_equal(moves, 1);
	hold(&a);
	assert_int_equal(starts, 1);
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(moves, 2);
	assert_int_equal(starts, 1);
	session_free(&a.s);
}

static void session_that_is_up_or_closed_is_not_held(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_up(false);
	pull(&a);
	assert_false(session_hold(a.s, WHY, a.now_ms));
	assert_int_equal(state_of(&a), SES_ST_UP);
	session_suspend(a.s, a.now_ms);
	pull(&a);
	assert_false(session_hold(a.s, WHY, a.now_ms));
	assert_int_equal(state_of(&a), SES_ST_CLOSED);
	session_free(&a.s);
}

static void session_that_tries_only_once_is_not_held(void **state)
{
	struct above a;

	open_session(&a, false, false);
	assert_false(session_hold(a.s, WHY, a.now_ms));
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(a.closed, ERR_NO_ANSWER);
	session_free(&a.s);
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(session_held_tries_nothing_until_there_is_a_path),
		T(session_held_gives_its_ticket_back_and_resumes_later),
		T(session_held_does_not_give_back_a_ticket_it_presented),
		T(session_held_between_two_tries_waits_for_the_path),
		T(session_held_while_it_moves_keeps_its_sa),
		T(session_that_is_up_or_closed_is_not_held),
		T(session_that_tries_only_once_is_not_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
