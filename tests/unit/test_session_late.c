/* The policy when an unprotected message refuses the ticket: forged or not,
 * against a scripted IKE SA. */
#include "tests/unit/session_script.h"

static struct ike_sa *with_ticket;

static void refused(struct above *a)
{
	open_session(a, true, true);
	assert_int_equal(resumes, 1);
	with_ticket = live;
	play((struct ike_action){
		.kind = IKE_DO_REFUSED,
		.u.refused = {ERR_TICKET_REFUSED, "refused, as played"}});
	pull(a);
}

static void play_question(void)
{
	play((struct ike_action){.kind = IKE_DO_ASK_SECRET,
				 .u.ask_secret = {true}});
}

/* The gateway's true answer to the ticket. */
static void accept_late(struct above *a)
{
	uint8_t dgram[1] = {with_ticket->tag};
	static const struct ike_path path;

	with_ticket->state = IKE_ST_AUTH;
	assert_int_equal(session_input(a->s, dgram, 1, &path, a->now_ms), OK);
	pull(a);
}

static void pass(struct above *a, int64_t ms)
{
	a->now_ms += ms;
	session_timeout(a->s, a->now_ms);
	pull(a);
}

static void refused_ticket_goes_on_beside_a_full_exchange(void **state)
{
	struct above a;

	refused(&a);
	assert_int_equal(state_of(&a), SES_ST_CONNECTING);
	assert_int_equal(starts, 1);
	assert_int_equal(a.voids, 0);
	play_up(false);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_string_equal(session_how(session_report(a.s)), "full");
	session_free(&a.s);
}

static void true_answer_after_a_forged_one_spares_the_person(void **state)
{
	struct above a;

	refused(&a);
	pass(&a, 100);
	play_question();
	pull(&a);
	assert_int_equal(a.questions, 0);
	accept_late(&a);
	assert_int_equal(state_of(&a), SES_ST_RESUMING);
	live = with_ticket;
	play_up(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_string_equal(session_how(session_report(a.s)), "resumed");
	pass(&a, 60000);
	assert_int_equal(a.questions, 0);
	session_free(&a.s);
}

static void true_answer_takes_the_session_to_where_it_came_from(void **state)
{
	const struct ike_path other = {.local = {4, 1, {192, 0, 2, 2}},
				       .remote = {4, 4500, {192, 0, 2, 9}}};
	struct above a;

	refused(&a);
	with_ticket->path = other;
	assert_false(addr_eq(&session_path(a.s)->remote, &other.remote));
	accept_late(&a);
	assert_true(addr_eq(&session_path(a.s)->remote, &other.remote));
	live = with_ticket;
	play_up(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_true(addr_eq(&session_path(a.s)->remote, &other.remote));
	session_free(&a.s);
}

static void person_is_asked_once_the_true_answer_had_its_time(void **state)
{
	struct above a;

	refused(&a);
	play_question();
	pull(&a);
	pass(&a, 499);
	assert_int_equal(a.questions, 0);
	pass(&a, 1);
	assert_int_equal(a.questions, 1);
	assert_int_equal(
		session_give_secret(a.s, &(struct secret){.len = 0}, a.now_ms),
		OK);
	session_free(&a.s);
}

static void long_round_trips_give_the_true_answer_more_time(void **state)
{
	struct above a;

	refused(&a);
	live->stats.rtt_ms = 600;
	pass(&a, 700);
	play_question();
	pull(&a);
	assert_int_equal(a.questions, 0);
	pass(&a, 500);
	assert_int_equal(a.questions, 1);
	session_free(&a.s);
}

static void full_exchange_that_is_ahead_is_not_given_up(void **state)
{
	struct above a;

	the_unattended = true;
	refused(&a);
	the_unattended = false;
	live->state = IKE_ST_AUTH;
	accept_late(&a);
	assert_int_equal(state_of(&a), SES_ST_CONNECTING);
	play_up(false);
	pull(&a);
	assert_string_equal(session_how(session_report(a.s)), "full");
	session_free(&a.s);
}

static void failed_full_exchange_gives_the_refused_ticket_back(void **state)
{
	struct above a;

	refused(&a);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_true(a.store_has_ticket);
	assert_int_equal(state_of(&a), SES_ST_WAITING);
	session_free(&a.s);
}

static void wrong_auth_is_tried_once_in_the_other_form(void **state)
{
	struct ike_action closed = {
		.kind = IKE_DO_CLOSED,
		.u.closed = {ERR_AUTH, "as played", true, true}};
	struct above a;

	open_session(&a, true, true);
	assert_false(presented_form);
	play(closed);
	pull(&a);
	assert_int_equal(resumes, 2);
	assert_true(presented_form);
	play(closed);
	pull(&a);
	assert_int_equal(resumes, 2);
	assert_int_equal(starts, 1);
	assert_false(a.store_has_ticket);
	session_free(&a.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refused_ticket_goes_on_beside_a_full_exchange),
		cmocka_unit_test(
			true_answer_after_a_forged_one_spares_the_person),
		cmocka_unit_test(
			true_answer_takes_the_session_to_where_it_came_from),
		cmocka_unit_test(
			person_is_asked_once_the_true_answer_had_its_time),
		cmocka_unit_test(
			long_round_trips_give_the_true_answer_more_time),
		cmocka_unit_test(full_exchange_that_is_ahead_is_not_given_up),
		cmocka_unit_test(
			failed_full_exchange_gives_the_refused_ticket_back),
		cmocka_unit_test(wrong_auth_is_tried_once_in_the_other_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
