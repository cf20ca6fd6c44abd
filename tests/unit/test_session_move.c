/* The policy of a session whose network changes, with a gateway that speaks
 * MOBIKE (RFC 4555), against a scripted IKE SA. */
#include "tests/unit/session_script.h"

static struct ike_sa *mover; /* the living SA, also beside a trial */

static void play_on(struct ike_sa *sa, struct ike_action a)
{
	struct ike_sa *kept = live;

	live = sa;
	play(a);
	live = kept;
}

static void play_moved(bool ok)
{
	play_on(mover, (struct ike_action){.kind = IKE_DO_MOVED,
					   .u.moved = {ok, true}});
}

/* Up, and then on another network. */
static void change(struct above *a, bool ticket)
{
	open_session(a, false, true);
	if (ticket)
		play((struct ike_action){.kind = IKE_DO_TICKET,
					 .u.ticket = &abc});
	play_up(false);
	pull(a);
	assert_int_equal(state_of(a), SES_ST_UP);
	can_move = true;
	mover = live;
	mover->stats.rtt_ms = 40;
	session_path_new(a->s, false, a->now_ms);
	pull(a);
	assert_int_equal(state_of(a), SES_ST_MOVING);
}

static void pass(struct above *a, int64_t ms)
{
	a->now_ms += ms;
	session_timeout(a->s, a->now_ms);
	pull(a);
}

static void another_path_moves_the_sa(void **state)
{
	const struct session_report *r;
	struct above a;

	change(&a, true);
	assert_int_equal(moves, 1);
	assert_int_equal(a.paths, 2);
	pass(&a, 40);
	mover->stats.round_trips++;
	mover->stats.sent_packets++;
	play_moved(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	r = session_report(a.s);
	assert_string_equal(session_how(r), "mobike");
	assert_int_equal(r->connect.round_trips, 2); /* the script's is 1 */
	assert_int_equal(r->connect.sent_packets, 1);
	assert_int_equal(r->up_ms - r->started_ms, 40);
	assert_int_equal(r->reconnects, 0);
	assert_true(r->behind_nat);
	assert_int_equal(resumes, 0);
	assert_int_equal(starts, 1);
	assert_true(a.store_has_ticket);
	/* and no hedge is left over */
	pass(&a, 60000);
	assert_int_equal(resumes, 0);
	session_free(&a.s);
}

static void several_changes_in_a_row_move_each_time(void **state)
{
	struct above a;

	change(&a, true);
	session_path_new(a.s, true, a.now_ms); /* the path it is moving to */
	pull(&a);
	assert_int_equal(moves, 1);
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(moves, 2);
	play_moved(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(moves, 3);
	assert_int_equal(resumes, 0);
	session_free(&a.s);
}

static void slow_answer_is_hedged_with_the_ticket(void **state)
{
	struct above a;

	change(&a, true);
	pass(&a, 249);
	assert_int_equal(resumes, 0);
	pass(&a, 1);
	assert_int_equal(resumes, 1);
	assert_int_equal(state_of(&a), SES_ST_MOVING);
	/* the resumption comes first */
	play_up(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_string_equal(session_how(session_report(a.s)), "resumed");
	assert_int_equal(session_report(a.s)->reconnects, 1);
	session_free(&a.s);
}

static void long_round_trips_are_waited_for(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	play_up(false);
	live->stats.rtt_ms = 300;
	can_move = true;
	pull(&a);
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	pass(&a, 899);
	assert_int_equal(resumes, 0);
	pass(&a, 1);
	assert_int_equal(resumes, 1);
	session_free(&a.s);
}

static void move_that_wins_puts_the_ticket_back(void **state)
{
	struct above a;

	change(&a, true);
	pass(&a, 250);
	assert_int_equal(resumes, 1);
	assert_false(a.store_has_ticket);
	play_moved(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_string_equal(session_how(session_report(a.s)), "mobike");
	assert_true(a.store_has_ticket);
	assert_ptr_equal(live, NULL); /* the trial is gone */
	session_free(&a.s);
}

static void move_that_wins_over_a_presented_ticket_lets_it_end(void **state)
{
	struct above a;

	change(&a, true);
	pass(&a, 250);
	live->state = IKE_ST_AUTH; /* presented */
	play_moved(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_false(a.store_has_ticket);
	assert_non_null(live);
	play_up(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	session_free(&a.s);
}

static void new_ticket_of_a_moving_sa_replaces_the_one_in_hand(void **state)
{
	struct above a;

	change(&a, true);
	pass(&a, 250);
	assert_int_equal(resumes, 1);
	play_on(mover,
		(struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	pull(&a);
	/* The older one is not presented any more, the newer one is. */
	assert_int_equal(a.stores, 2);
	assert_int_equal(a.takes, 2);
	pass(&a, 250);
	assert_int_equal(a.takes, 3);
	assert_int_equal(resumes, 2);
	session_free(&a.s);
}

static void refused_ticket_goes_back_when_the_move_wins(void **state)
{
	struct above a;

	change(&a, true);
	pass(&a, 250);
	play_closed(ERR_TICKET_REFUSED, false);
	pull(&a);
	play_moved(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_true(a.store_has_ticket);
	session_free(&a.s);
}

static void full_exchange_that_said_who_we_are_comes_to_its_end(void **state)
{
	struct above a;

	the_unattended = true;
	change(&a, false);
	the_unattended = false;
	pass(&a, 250);
	pass(&a, 3750);
	live->state = IKE_ST_AUTH;
	play_moved(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_non_null(live);
	play_closed(ERR_NO_ANSWER, true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_int_equal(asks, 0);
	session_free(&a.s);
}

static void refused_move_resumes(void **state)
{
	struct above a;

	change(&a, true);
	play_moved(false);
	pull(&a);
	assert_int_equal(resumes, 1);
	assert_int_equal(state_of(&a), SES_ST_RESUMING);
	session_free(&a.s);
}

static void unanswered_move_without_a_ticket_connects_in_full(void **state)
{
	struct above a;

	change(&a, false);
	pass(&a, 250);
	/* a person would be asked: not while there is hope */
	assert_int_equal(starts, 1);
	play_on(mover,
		(struct ike_action){.kind = IKE_DO_CLOSED,
				    .u.closed = {ERR_NO_ANSWER, "-", false}});
	pull(&a);
	assert_int_equal(starts, 2);
	assert_int_equal(state_of(&a), SES_ST_CONNECTING);
	session_free(&a.s);
}

static void hedge_without_a_ticket_is_a_full_exchange_nobody_sees(void **state)
{
	struct above a;

	the_unattended = true;
	change(&a, false);
	the_unattended = false;
	/* It brings another address inside: not before the move has had its
	 * time. */
	pass(&a, 250);
	pass(&a, 3749);
	assert_int_equal(starts, 1);
	pass(&a, 1);
	assert_int_equal(starts, 2);
	play_closed(ERR_NO_ANSWER, false); /* the trial */
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_MOVING);
	play_moved(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	session_free(&a.s);
}

static void path_lost_while_moving_waits_and_moves_later(void **state)
{
	struct above a;

	change(&a, true);
	session_path_lost(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_NO_PATH);
	assert_int_equal(session_next_deadline(a.s), INT64_MAX);
	pass(&a, 60000);
	assert_int_equal(resumes, 0);
	/* the gateway may have heard nothing of it: told again */
	session_path_new(a.s, true, a.now_ms);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_MOVING);
	assert_int_equal(moves, 2);
	session_free(&a.s);
}

static void change_without_a_path_asks_again(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_up(false);
	pull(&a);
	can_move = true;
	a.no_path = true;
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_NO_PATH);
	assert_int_equal(moves, 0);
	a.no_path = false;
	pass(&a, session_next_deadline(a.s) - a.now_ms);
	assert_int_equal(moves, 1);
	assert_int_equal(state_of(&a), SES_ST_MOVING);
	session_free(&a.s);
}

static void new_mapping_of_a_nat_is_no_news(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_up(false);
	pull(&a);
	mover = live;
	play_moved(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_string_equal(session_how(session_report(a.s)), "full");
	assert_true(session_report(a.s)->behind_nat);
	session_free(&a.s);
}

static void down_while_moving_says_delete(void **state)
{
	struct above a;

	change(&a, true);
	session_down(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(deletes, 1);
	assert_int_equal(state_of(&a), SES_ST_CLOSING);
	session_free(&a.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(another_path_moves_the_sa),
		cmocka_unit_test(several_changes_in_a_row_move_each_time),
		cmocka_unit_test(slow_answer_is_hedged_with_the_ticket),
		cmocka_unit_test(long_round_trips_are_waited_for),
		cmocka_unit_test(move_that_wins_puts_the_ticket_back),
		cmocka_unit_test(
			move_that_wins_over_a_presented_ticket_lets_it_end),
		cmocka_unit_test(
			new_ticket_of_a_moving_sa_replaces_the_one_in_hand),
		cmocka_unit_test(refused_ticket_goes_back_when_the_move_wins),
		cmocka_unit_test(
			full_exchange_that_said_who_we_are_comes_to_its_end),
		cmocka_unit_test(refused_move_resumes),
		cmocka_unit_test(
			unanswered_move_without_a_ticket_connects_in_full),
		cmocka_unit_test(
			hedge_without_a_ticket_is_a_full_exchange_nobody_sees),
		cmocka_unit_test(path_lost_while_moving_waits_and_moves_later),
		cmocka_unit_test(change_without_a_path_asks_again),
		cmocka_unit_test(new_mapping_of_a_nat_is_no_news),
		cmocka_unit_test(down_while_moving_says_delete),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
