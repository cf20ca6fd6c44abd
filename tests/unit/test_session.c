/* The policy of a session against a scripted IKE SA. */
#include "tests/unit/session_script.h"

/* --- sentences --------------------------------------------------------------
 */

static void without_a_ticket_the_full_exchange_starts(void **state)
{
	struct above a;

	open_session(&a, false, false);
	assert_int_equal(starts, 1);
	assert_int_equal(resumes, 0);
	assert_int_equal(state_of(&a), SES_ST_CONNECTING);
	session_free(&a.s);
}

static void a_ticket_is_taken_once_and_resumed_with(void **state)
{
	struct above a;

	open_session(&a, true, false);
	assert_int_equal(a.takes, 1);
	assert_false(a.store_has_ticket);
	assert_int_equal(resumes, 1);
	play((struct ike_action){.kind = IKE_DO_TICKET_SPENT});
	play_up(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_true(session_report(a.s)->resumed);
	assert_int_equal(a.stores, 0);
	session_free(&a.s);
}

static void a_refused_ticket_leads_to_the_full_exchange(void **state)
{
	struct above a;

	open_session(&a, true, false);
	play_closed(ERR_TICKET_REFUSED, false);
	pull(&a);
	assert_int_equal(starts, 1);
	assert_int_equal(state_of(&a), SES_ST_CONNECTING);
	play_up(false);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	/* The full exchange is up: the old ticket does not come back. */
	assert_int_equal(a.stores, 0);
	assert_false(a.store_has_ticket);
	session_free(&a.s);
}

static void a_refusal_may_be_forged_so_the_ticket_is_kept(void **state)
{
	struct above a;

	open_session(&a, true, false);
	play_closed(ERR_TICKET_REFUSED, false);
	pull(&a);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(a.closed, ERR_NO_ANSWER);
	assert_true(a.store_has_ticket);
	session_free(&a.s);
}

static void an_auth_in_doubt_is_tried_once_more(void **state)
{
	const struct ike_action closed = {.kind = IKE_DO_CLOSED,
					  .u.closed = {.why = ERR_AUTH,
						       .detail = "as played",
						       .auth_sent = true,
						       .init_in_doubt = true}};
	struct above a;

	open_session(&a, false, false);
	play(closed);
	pull(&a);
	assert_int_equal(starts, 2);
	assert_int_equal(a.closed, OK);
	play(closed);
	pull(&a);
	assert_int_equal(starts, 2);
	assert_int_equal(a.closed, ERR_AUTH);
	session_free(&a.s);
}

static void a_lost_answer_is_recovered_by_a_fresh_attempt(void **state)
{
	struct above a;

	open_session(&a, true, false);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(resumes, 2);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(resumes, 2);
	assert_int_equal(starts, 1);
	session_free(&a.s);
}

static void before_a_person_is_asked_the_ticket_is_tried_again(void **state)
{
	struct above a;

	open_session(&a, true, false);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(starts, 1);
	/* The gateway is back: it answers the full exchange. */
	play((struct ike_action){.kind = IKE_DO_ASK_SECRET});
	pull(&a);
	assert_int_equal(a.questions, 0);
	assert_int_equal(resumes, 3);
	play_up(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	session_free(&a.s);
}

static void a_person_is_asked_where_the_ticket_is_never_answered(void **state)
{
	struct above a;

	open_session(&a, true, false);
	for (int i = 0; i < 10; i++) {
		if (live->resumed)
			play_closed(ERR_NO_ANSWER, false);
		else
			play((struct ike_action){.kind = IKE_DO_ASK_SECRET});
		pull(&a);
		assert_int_equal(a.questions, 0);
	}
	assert_int_equal(starts, 3);
	play((struct ike_action){.kind = IKE_DO_ASK_SECRET});
	pull(&a);
	assert_int_equal(a.questions, 1);
	session_free(&a.s);
}

static void a_ticket_whose_auth_was_sent_never_comes_back(void **state)
{
	struct above a;

	open_session(&a, true, false);
	play_closed(ERR_NO_ANSWER, true);
	pull(&a);
	assert_int_equal(resumes, 1);
	assert_int_equal(starts, 1);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_false(a.store_has_ticket);
	assert_int_equal(a.stores, 0);
	session_free(&a.s);
}

static void suspend_while_resuming_puts_the_ticket_back(void **state)
{
	struct above a;

	open_session(&a, true, false);
	session_suspend(a.s, a.now_ms);
	pull(&a);
	assert_true(a.store_has_ticket);
	assert_int_equal(a.closed, ERR_CANCELLED);
	session_free(&a.s);
}

static void a_ticket_that_comes_back_has_aged(void **state)
{
	struct above a;

	open_session(&a, true, true);
	a.now_ms += 600000;
	session_suspend(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(a.stored_life_s, 3000);
	session_free(&a.s);
	/* Until it has expired. */
	open_session(&a, true, true);
	session_suspend(a.s, a.now_ms + 3600000);
	pull(&a);
	assert_int_equal(a.stores, 0);
	session_free(&a.s);
}

static void suspend_after_auth_does_not_put_the_ticket_back(void **state)
{
	struct above a;

	open_session(&a, true, false);
	live->state = IKE_ST_AUTH;
	session_suspend(a.s, a.now_ms);
	pull(&a);
	assert_false(a.store_has_ticket);
	session_free(&a.s);
}

static void
a_fallback_that_has_sent_auth_may_still_return_the_ticket(void **state)
{
	struct above a;

	open_session(&a, true, false);
	play_closed(ERR_TICKET_REFUSED, false);
	pull(&a);
	/* The full exchange is in IKE_AUTH; the ticket itself was not used. */
	live->state = IKE_ST_AUTH;
	session_suspend(a.s, a.now_ms);
	pull(&a);
	assert_true(a.store_has_ticket);
	session_free(&a.s);
}

static void down_deletes_the_sa_and_the_ticket(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	play_up(false);
	pull(&a);
	assert_true(a.store_has_ticket);
	session_down(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(deletes, 1);
	assert_false(a.store_has_ticket);
	assert_int_equal(state_of(&a), SES_ST_CLOSING);
	play_closed(ERR_CANCELLED, true);
	pull(&a);
	assert_int_equal(a.closed, ERR_CANCELLED);
	session_free(&a.s);
}

static void a_lost_gateway_is_resumed_with_the_stored_ticket(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	play_up(false);
	pull(&a);
	play_closed(ERR_NO_ANSWER, true);
	pull(&a);
	assert_int_equal(a.closed, OK);
	assert_int_equal(resumes, 1);
	assert_int_equal(session_report(a.s)->reconnects, 1);
	session_free(&a.s);
}

static void without_persistence_the_first_failure_closes(void **state)
{
	struct above a;

	open_session(&a, false, false);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(a.closed, ERR_NO_ANSWER);
	session_free(&a.s);
}

static void a_wrong_password_closes_even_with_persistence(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_closed(ERR_AUTH, true);
	pull(&a);
	assert_int_equal(a.closed, ERR_AUTH);
	session_free(&a.s);
}

static void retries_back_off_and_stay_bounded(void **state)
{
	struct above a;
	int64_t wait_ms, last_ms = 0;

	open_session(&a, false, true);
	for (int i = 0; i < 12; i++) {
		play_closed(ERR_NO_ANSWER, false);
		pull(&a);
		assert_int_equal(state_of(&a), SES_ST_WAITING);
		wait_ms = session_next_deadline(a.s) - a.now_ms;
		assert_true(wait_ms >= 1000 && wait_ms <= 8000 + 8000 / 4);
		assert_true(i > 3 || wait_ms > last_ms);
		last_ms = wait_ms;
		a.now_ms += wait_ms;
		session_timeout(a.s, a.now_ms);
		pull(&a);
		assert_int_equal(starts, i + 2);
	}
	session_free(&a.s);
}

static void a_missing_path_waits_and_asks_again(void **state)
{
	struct above a;

	open_session(&a, true, true);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	a.no_path = true;
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	a.now_ms = session_next_deadline(a.s);
	session_timeout(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_NO_PATH);
	assert_true(a.store_has_ticket);
	a.no_path = false;
	a.now_ms = session_next_deadline(a.s);
	session_timeout(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_RESUMING);
	session_free(&a.s);
}

static void bring_up(struct above *a)
{
	open_session(a, false, true);
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	play_up(false);
	pull(a);
	assert_int_equal(state_of(a), SES_ST_UP);
}

static void a_lost_path_keeps_the_sa_and_stops_its_clock(void **state)
{
	struct above a;

	bring_up(&a);
	session_path_lost(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_NO_PATH);
	assert_int_equal(session_next_deadline(a.s), INT64_MAX);
	assert_non_null(live);
	session_path_new(a.s, true, a.now_ms);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_int_equal(checks, 1);
	assert_int_equal(resumes, 0);
	session_free(&a.s);
}

static void another_path_resumes_with_the_stored_ticket(void **state)
{
	struct above a;

	bring_up(&a);
	session_path_lost(a.s, a.now_ms);
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(resumes, 1);
	assert_int_equal(a.takes, 2);
	assert_int_equal(state_of(&a), SES_ST_RESUMING);
	session_free(&a.s);
}

static void a_path_that_changes_while_resuming_keeps_the_ticket(void **state)
{
	struct above a;

	open_session(&a, true, true);
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(resumes, 2);
	assert_int_equal(a.takes, 1);
	/* presented: it may have been used, and the attempt goes on */
	live->state = IKE_ST_AUTH;
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(resumes, 2);
	assert_int_equal(starts, 0);
	assert_int_equal(reconnects, 1);
	/* The gateway may know it by the path before. */
	can_move = true;
	play((struct ike_action){.kind = IKE_DO_TICKET_SPENT});
	play_up(true);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_true(session_next_deadline(a.s) <= a.now_ms);
	session_timeout(a.s, a.now_ms);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_MOVING);
	assert_int_equal(moves, 1);
	assert_int_equal(resumes, 2);
	session_free(&a.s);
}

static void a_new_path_ends_the_wait_at_once(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_WAITING);
	session_path_new(a.s, false, a.now_ms);
	pull(&a);
	assert_int_equal(starts, 2);
	assert_int_equal(state_of(&a), SES_ST_CONNECTING);
	session_free(&a.s);
}

/* --- renewal ------------------------------------------------------------- */

static void bring_up_renewing(struct above *a, enum session_renewal renewal,
			      bool unattended)
{
	the_renewal = renewal;
	the_unattended = unattended;
	bring_up(a);
	the_renewal = 0;
	the_unattended = false;
}

static void wait_for_deadline(struct above *a)
{
	int64_t at = session_next_deadline(a->s);

	assert_true(at != INT64_MAX && at >= a->now_ms);
	a->now_ms = at;
	session_timeout(a->s, at);
	pull(a);
}

static void
renewal_asks_between_half_and_three_quarters_of_the_life(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_AUTO, false);
	wait_for_deadline(&a);
	assert_true(a.now_ms >= 1000 + 1800 * 1000);
	assert_true(a.now_ms <= 1000 + 2700 * 1000);
	assert_int_equal(asks, 1);
	/* A ticket comes: the climb ends and the next one is planned. */
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	pull(&a);
	assert_int_equal(a.stores, 2);
	wait_for_deadline(&a);
	assert_int_equal(asks, 2);
	session_free(&a.s);
}

/* RFC 4478 */
static void authentication_that_ends_is_renewed_beside_the_sa(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_SETUP, true);
	auth_ends_ms = a.now_ms + 3600 * 1000;
	wait_for_deadline(&a);
	assert_int_equal(a.now_ms, auth_ends_ms - 60000);
	assert_int_equal(starts, 2);
	assert_int_equal(resumes, 0);
	assert_int_equal(state_of(&a), SES_ST_UP);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	wait_for_deadline(&a); /* and again, if that fails */
	assert_int_equal(starts, 3);
	auth_ends_ms += 3600 * 1000;
	play_up(false);
	pull(&a);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_int_equal(session_report(a.s)->reconnects, 0);
	/* How far ahead: by the age of this one, not of the tunnel. */
	auth_ends_ms = a.now_ms + 40 * 1000;
	wait_for_deadline(&a);
	assert_int_equal(a.now_ms, auth_ends_ms - 10 * 1000);
	session_free(&a.s);
}

static void say(struct ike_sa *sa, enum ike_action_kind kind)
{
	sa->script[sa->len++] = (struct ike_action){.kind = kind};
}

/* RFC 7296 2.8.3: INITIAL_CONTACT need not have ended it. */
static void sa_that_a_full_exchange_replaced_deletes_itself(void **state)
{
	struct above a;
	struct ike_sa *old;
	uint8_t tag;

	bring_up_renewing(&a, RENEWAL_SETUP, true);
	auth_ends_ms = a.now_ms + 3600 * 1000;
	old = live;
	tag = old->tag;
	wait_for_deadline(&a);
	auth_ends_ms = INT64_MAX;
	play_up(false);
	pull(&a);
	assert_int_equal(deletes, 1);
	assert_int_equal(session_input(a.s, &tag, 1, &old->path, a.now_ms), OK);
	/* What it says of itself is not said of the one that lives. */
	say(old, IKE_DO_TICKET_VOID);
	say(old, IKE_DO_ALIVE);
	say(old, IKE_DO_SEND);
	pull(&a);
	assert_int_equal(a.voids, 0);
	assert_int_equal(a.sends, 1);
	say(old, IKE_DO_CLOSED);
	pull(&a);
	assert_int_equal(session_input(a.s, &tag, 1, &live->path, a.now_ms),
			 ERR_NOT_FOUND);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_int_equal(a.closed, OK);
	session_free(&a.s);
}

static void nobody_is_asked_because_the_authentication_ends(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_SETUP, false);
	auth_ends_ms = a.now_ms + 3600 * 1000;
	assert_int_equal(session_next_deadline(a.s), INT64_MAX);
	session_free(&a.s);
}

/* It cannot be sent in pieces. */
static void ticket_that_does_not_fit_the_path_stays_in_the_store(void **state)
{
	struct above a;

	open_session(&a, false, true);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	a.store_has_ticket = true;
	request_len = 1500 - 20 + 1;
	wait_for_deadline(&a);
	assert_int_equal(resumes, 0);
	assert_int_equal(starts, 2);
	assert_true(a.store_has_ticket);
	play_closed(ERR_NO_ANSWER, false);
	pull(&a);
	request_len--;
	wait_for_deadline(&a);
	assert_int_equal(resumes, 1);
	session_free(&a.s);
}

static void renewal_at_setup_only_never_asks(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_SETUP, true);
	assert_int_equal(session_next_deadline(a.s), INT64_MAX);
	session_free(&a.s);
}

static void a_gateway_that_gives_none_is_resumed_make_before_break(void **state)
{
	struct above a;
	struct ike_sa *old;

	bring_up_renewing(&a, RENEWAL_AUTO, false);
	old = live;
	wait_for_deadline(&a); /* asks */
	wait_for_deadline(&a); /* nothing came: resumes beside it */
	assert_int_equal(resumes, 1);
	assert_ptr_not_equal(live, old);
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_false(a.store_has_ticket); /* it is presented */
	play((struct ike_action){.kind = IKE_DO_TICKET_SPENT});
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	play_up(true);
	pull(&a);
	assert_true(a.store_has_ticket);
	assert_int_equal(deletes, 0); /* RFC 5723 5 */
	assert_int_equal(state_of(&a), SES_ST_UP);
	assert_int_equal(session_report(a.s)->reconnects, 0);
	session_free(&a.s);
}

static void renewal_climbs_to_rekey_and_then_to_a_full_exchange(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_AUTO, true);
	wait_for_deadline(&a);
	wait_for_deadline(&a);
	play_closed(ERR_TICKET_REFUSED, false);
	pull(&a);
	assert_true(a.store_has_ticket); /* it was not used */
	assert_int_equal(rekeys, 1);
	wait_for_deadline(&a);
	assert_int_equal(starts, 2);
	assert_int_equal(state_of(&a), SES_ST_UP);
	session_free(&a.s);
}

static void without_a_password_at_hand_renewal_stops_and_says_so(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_AUTO, false);
	wait_for_deadline(&a);
	wait_for_deadline(&a);
	play_closed(ERR_TICKET_REFUSED, false);
	pull(&a);
	wait_for_deadline(&a);
	assert_int_equal(starts, 1);
	assert_true(session_report(a.s)->renewal_stopped);
	assert_int_equal(session_next_deadline(a.s), INT64_MAX);
	assert_int_equal(state_of(&a), SES_ST_UP);
	session_free(&a.s);
}

static void a_renewing_resume_whose_auth_left_loses_the_ticket(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_AUTO, false);
	wait_for_deadline(&a);
	wait_for_deadline(&a);
	play_closed(ERR_NO_ANSWER, true);
	pull(&a);
	assert_false(a.store_has_ticket);
	assert_int_equal(rekeys, 1);
	session_free(&a.s);
}

static void logging_out_ends_a_renewal_and_keeps_no_late_ticket(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_AUTO, true);
	wait_for_deadline(&a); /* asks */
	session_down(a.s, a.now_ms);
	play((struct ike_action){.kind = IKE_DO_TICKET_NONE,
				 .u.ticket_none = {true}});
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	pull(&a);
	assert_int_equal(session_next_deadline(a.s), INT64_MAX);
	assert_int_equal(state_of(&a), SES_ST_CLOSING);
	assert_false(a.store_has_ticket);
	session_free(&a.s);
}

static void a_returned_ticket_is_taken_anew_before_it_is_presented(void **state)
{
	struct above a;
	struct ike_sa *first;

	bring_up_renewing(&a, RENEWAL_AUTO, false);
	first = live;
	wait_for_deadline(&a);
	wait_for_deadline(&a);
	play_closed(ERR_TICKET_REFUSED, false);
	pull(&a);
	assert_true(a.store_has_ticket);
	live = first;
	play_closed(ERR_NO_ANSWER, true);
	pull(&a);
	/* The gateway is gone: the way back begins at the store. */
	assert_int_equal(resumes, 2);
	assert_int_equal(a.takes, 3);
	assert_false(a.store_has_ticket);
	session_free(&a.s);
}

static void
request_asks_again_less_and_less_often_until_it_expires(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_REQUEST, true);
	while (session_next_deadline(a.s) != INT64_MAX)
		wait_for_deadline(&a);
	assert_true(session_report(a.s)->renewal_stopped);
	assert_true(a.now_ms <= 1000 + 3600 * 1000);
	assert_in_range(asks, 4, 7);
	assert_int_equal(resumes + rekeys, 0);
	session_free(&a.s);
}

static void a_ticket_promised_for_later_is_asked_for_again(void **state)
{
	struct above a;
	struct ike_action later = {.kind = IKE_DO_TICKET_NONE,
				   .u.ticket_none = {true}};

	the_renewal = RENEWAL_AUTO;
	open_session(&a, false, true);
	the_renewal = 0;
	play(later);
	play_up(false);
	pull(&a);
	assert_int_equal(asks, 0);
	for (int i = 1; i <= 4; i++) {
		wait_for_deadline(&a);
		assert_int_equal(asks, i);
		play(later);
		pull(&a);
	}
	assert_int_equal(resumes + rekeys, 0);
	assert_int_equal(a.now_ms, 1000 + 30000 * (1 + 2 + 4 + 8));
	play((struct ike_action){.kind = IKE_DO_TICKET, .u.ticket = &abc});
	pull(&a);
	assert_true(a.store_has_ticket);
	session_free(&a.s);
}

static void play_rekeyed_without_a_ticket(struct above *a)
{
	play((struct ike_action){.kind = IKE_DO_TICKET_VOID});
	play((struct ike_action){.kind = IKE_DO_TICKET_NONE});
	pull(a);
	assert_false(a->store_has_ticket);
}

static void
a_rekey_that_costs_the_ticket_leads_to_a_full_exchange_beside(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_AUTO, true);
	play_rekeyed_without_a_ticket(&a);
	assert_int_equal(starts, 2);
	assert_int_equal(state_of(&a), SES_ST_UP);
	session_free(&a.s);
}

static void
a_rekey_that_costs_the_ticket_is_told_where_a_person_is_needed(void **state)
{
	struct above a;

	bring_up_renewing(&a, RENEWAL_AUTO, false);
	play_rekeyed_without_a_ticket(&a);
	assert_int_equal(starts, 1);
	assert_true(session_report(a.s)->renewal_stopped);
	session_free(&a.s);
}

static void a_gateway_that_never_gave_a_ticket_is_left_in_peace(void **state)
{
	struct above a;

	the_renewal = RENEWAL_AUTO;
	the_unattended = true;
	open_session(&a, false, true);
	the_renewal = 0;
	the_unattended = false;
	play((struct ike_action){.kind = IKE_DO_TICKET_NONE});
	play_up(false);
	pull(&a);
	play_rekeyed_without_a_ticket(&a);
	assert_int_equal(starts, 1);
	assert_int_equal(session_next_deadline(a.s), INT64_MAX);
	session_free(&a.s);
}

static void
a_deleted_sa_takes_the_ticket_of_a_resume_beside_it_along(void **state)
{
	struct above a;
	struct ike_sa *first;

	bring_up_renewing(&a, RENEWAL_AUTO, true);
	first = live;
	wait_for_deadline(&a);
	wait_for_deadline(&a); /* resumes beside it */
	assert_int_equal(resumes, 1);
	live = first;
	play((struct ike_action){.kind = IKE_DO_TICKET_VOID});
	play_closed(ERR_GONE, true);
	pull(&a);
	assert_int_equal(resumes, 1);
	assert_int_equal(starts, 2);
	assert_false(a.store_has_ticket);
	assert_int_equal(state_of(&a), SES_ST_CONNECTING);
	session_free(&a.s);
}

static void a_refusal_to_renew_climbs_without_waiting(void **state)
{
	struct above a;
	int64_t asked_ms;

	bring_up_renewing(&a, RENEWAL_AUTO, false);
	wait_for_deadline(&a);
	asked_ms = a.now_ms;
	play((struct ike_action){.kind = IKE_DO_TICKET_NONE});
	pull(&a);
	wait_for_deadline(&a);
	assert_int_equal(a.now_ms, asked_ms);
	assert_int_equal(resumes, 1);
	session_free(&a.s);
}

static void answers_nobody_asked_for_are_refused(void **state)
{
	struct above a;

	open_session(&a, false, false);
	assert_int_equal(session_give_ticket(a.s, &abc, 0), ERR_STATE);
	assert_int_equal(session_give_path(a.s, NULL, ERR_NAME, "", 0),
			 ERR_STATE);
	assert_int_equal(session_start(a.s, 0), ERR_STATE);
	session_free(&a.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_ticket_the_full_exchange_starts),
		cmocka_unit_test(a_ticket_is_taken_once_and_resumed_with),
		cmocka_unit_test(a_refused_ticket_leads_to_the_full_exchange),
		cmocka_unit_test(a_refusal_may_be_forged_so_the_ticket_is_kept),
		cmocka_unit_test(an_auth_in_doubt_is_tried_once_more),
		cmocka_unit_test(a_lost_answer_is_recovered_by_a_fresh_attempt),
		cmocka_unit_test(
			before_a_person_is_asked_the_ticket_is_tried_again),
		cmocka_unit_test(
			a_person_is_asked_where_the_ticket_is_never_answered),
		cmocka_unit_test(a_ticket_whose_auth_was_sent_never_comes_back),
		cmocka_unit_test(suspend_while_resuming_puts_the_ticket_back),
		cmocka_unit_test(a_ticket_that_comes_back_has_aged),
		cmocka_unit_test(
			suspend_after_auth_does_not_put_the_ticket_back),
		cmocka_unit_test(
			a_fallback_that_has_sent_auth_may_still_return_the_ticket),
		cmocka_unit_test(down_deletes_the_sa_and_the_ticket),
		cmocka_unit_test(
			a_lost_gateway_is_resumed_with_the_stored_ticket),
		cmocka_unit_test(without_persistence_the_first_failure_closes),
		cmocka_unit_test(a_wrong_password_closes_even_with_persistence),
		cmocka_unit_test(retries_back_off_and_stay_bounded),
		cmocka_unit_test(a_missing_path_waits_and_asks_again),
		cmocka_unit_test(a_lost_path_keeps_the_sa_and_stops_its_clock),
		cmocka_unit_test(another_path_resumes_with_the_stored_ticket),
		cmocka_unit_test(
			a_path_that_changes_while_resuming_keeps_the_ticket),
		cmocka_unit_test(a_new_path_ends_the_wait_at_once),
		cmocka_unit_test(
			renewal_asks_between_half_and_three_quarters_of_the_life),
		cmocka_unit_test(renewal_at_setup_only_never_asks),
		cmocka_unit_test(
			authentication_that_ends_is_renewed_beside_the_sa),
		cmocka_unit_test(
			sa_that_a_full_exchange_replaced_deletes_itself),
		cmocka_unit_test(
			nobody_is_asked_because_the_authentication_ends),
		cmocka_unit_test(
			ticket_that_does_not_fit_the_path_stays_in_the_store),
		cmocka_unit_test(
			a_gateway_that_gives_none_is_resumed_make_before_break),
		cmocka_unit_test(
			renewal_climbs_to_rekey_and_then_to_a_full_exchange),
		cmocka_unit_test(
			without_a_password_at_hand_renewal_stops_and_says_so),
		cmocka_unit_test(
			a_renewing_resume_whose_auth_left_loses_the_ticket),
		cmocka_unit_test(
			logging_out_ends_a_renewal_and_keeps_no_late_ticket),
		cmocka_unit_test(
			a_returned_ticket_is_taken_anew_before_it_is_presented),
		cmocka_unit_test(
			request_asks_again_less_and_less_often_until_it_expires),
		cmocka_unit_test(
			a_ticket_promised_for_later_is_asked_for_again),
		cmocka_unit_test(
			a_rekey_that_costs_the_ticket_leads_to_a_full_exchange_beside),
		cmocka_unit_test(
			a_rekey_that_costs_the_ticket_is_told_where_a_person_is_needed),
		cmocka_unit_test(
			a_gateway_that_never_gave_a_ticket_is_left_in_peace),
		cmocka_unit_test(
			a_deleted_sa_takes_the_ticket_of_a_resume_beside_it_along),
		cmocka_unit_test(a_refusal_to_renew_climbs_without_waiting),
		cmocka_unit_test(answers_nobody_asked_for_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
