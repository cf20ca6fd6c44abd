/* Paths beside the one that was given, while nobody has answered. */
#include "tests/unit/session_script.h"

static struct ike_path path_to(uint8_t last)
{
	return (struct ike_path){.local = {4, 1, {192, 0, 2, 2}},
				 .remote = {4, 4500, {192, 0, 2, last}}};
}

static void assert_at(const struct above *a, uint8_t last)
{
	struct ike_path want = path_to(last);

	assert_true(addr_eq(&session_path(a->s)->remote, &want.remote));
}

static enum err offer(struct above *a, uint8_t last)
{
	struct ike_path p = path_to(last);

	return session_offer_path(a->s, &p, a->now_ms);
}

/* The SA that is on its way hears something. */
static void hear(struct above *a)
{
	uint8_t dgram[1] = {live->tag};
	struct ike_path p = path_to(1);

	assert_int_equal(session_input(a->s, dgram, 1, &p, a->now_ms), OK);
}

static void nothing_is_wanted_before_or_after_the_race(void **state)
{
	struct above a;

	open_session(&a, false, false);
	pull(&a);
	assert_false(session_is_racing(a.s));
	assert_int_equal(offer(&a, 9), ERR_STATE);
	live->racing = true;
	assert_true(session_is_racing(a.s));
	assert_int_equal(offer(&a, 9), OK);
	assert_int_equal(races, 1);
	session_free(&a.s);
}

static void the_session_goes_where_the_answer_came_from(void **state)
{
	struct above a;

	open_session(&a, false, false);
	pull(&a);
	live->racing = true;
	assert_int_equal(offer(&a, 9), OK);
	hear(&a);
	assert_at(&a, 1);
	live->racing = false;
	live->path = path_to(9);
	hear(&a);
	assert_at(&a, 9);
	session_free(&a.s);
}

static void what_follows_an_attempt_races_as_it_did(void **state)
{
	struct above a;

	open_session(&a, true, false);
	pull(&a);
	assert_int_equal(resumes, 1);
	live->racing = true;
	assert_int_equal(offer(&a, 8), OK);
	assert_int_equal(offer(&a, 9), OK);
	assert_int_equal(races, 2);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(resumes, 2);
	assert_int_equal(races, 4);
	session_free(&a.s);
}

static void an_answer_ends_the_race_for_what_follows_too(void **state)
{
	struct above a;

	open_session(&a, true, false);
	pull(&a);
	live->racing = true;
	assert_int_equal(offer(&a, 9), OK);
	live->racing = false;
	live->path = path_to(9);
	hear(&a);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(resumes, 2);
	assert_int_equal(races, 1);
	assert_int_equal(live->path.remote.b[3], 9);
	session_free(&a.s);
}

static void more_than_fit_are_refused(void **state)
{
	struct above a;
	int n = 0;

	open_session(&a, false, false);
	pull(&a);
	live->racing = true;
	while (offer(&a, 9) == OK)
		assert_true(++n < 100);
	assert_int_equal(n, 15);
	assert_int_equal(offer(&a, 9), ERR_NO_SPACE);
	session_free(&a.s);
}

static void a_move_takes_the_tunnel_to_the_path_that_is_offered(void **state)
{
	struct ike_path p;
	struct above a;

	open_session(&a, false, true);
	pull(&a);
	can_move = true;
	play_up(false);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	live->racing = true;
	/* Up is up: no path is looked for. */
	assert_false(session_is_racing(a.s));
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(moves, 1);
	assert_int_equal(offer(&a, 9), OK);
	assert_int_equal(races, 1);
	assert_at(&a, 9);
	/* Port 500 carries no ESP: only what begins may begin there. */
	p = path_to(10);
	p.remote.port = 500;
	assert_int_equal(session_offer_path(a.s, &p, a.now_ms), OK);
	assert_int_equal(races, 1);
	assert_at(&a, 9);
	session_free(&a.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_wanted_before_or_after_the_race),
		cmocka_unit_test(the_session_goes_where_the_answer_came_from),
		cmocka_unit_test(what_follows_an_attempt_races_as_it_did),
		cmocka_unit_test(an_answer_ends_the_race_for_what_follows_too),
		cmocka_unit_test(more_than_fit_are_refused),
		cmocka_unit_test(
			a_move_takes_the_tunnel_to_the_path_that_is_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
