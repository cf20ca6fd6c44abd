/* Attempts: the ticket first, then the full exchange; when to try again. */
#include "client/session/session_private.h"

#include <stdlib.h>
#include <string.h>

#define RESUME_TRIES 2 /* fresh attempts before the full exchange */
#define ALIVE_TRIES  3 /* more, where else a person were to be asked */
#define ALIVE_ROUNDS 2 /* before a person is asked all the same */

void held_wipe(struct held_ticket *h)
{
	mem_wipe(h->opaque, h->ticket.opaque.len);
	free(h->opaque);
	mem_wipe(h, sizeof(*h));
}

enum err held_set(struct session *s, const struct ike_ticket *t)
{
	struct held_ticket *h = &s->held;

	held_wipe(h);
	if (t->opaque.len == 0 || t->opaque.len > IKE_TICKET_MAX)
		return ERR_MALFORMED;
	h->opaque = malloc(t->opaque.len);
	if (!h->opaque)
		return ERR_NO_MEMORY;
	memcpy(h->opaque, t->opaque.p, t->opaque.len);
	h->ticket = *t;
	h->ticket.opaque.p = h->opaque;
	h->since_ms = s->now_ms;
	h->here = true;
	return OK;
}

void held_return(struct session *s)
{
	int64_t held_s = (s->now_ms - s->held.since_ms + 999) / 1000;

	if (!s->held.here || s->held.returned)
		return;
	/* The store counts anew from now. */
	if (held_s >= s->held.ticket.lifetime_s) {
		held_wipe(&s->held);
		return;
	}
	s->held.ticket.lifetime_s -= (uint32_t)held_s;
	s->held.returned = true;
	session_push_ticket(s, &s->held.ticket);
}

void held_superseded(struct session *s)
{
	held_wipe(&s->held);
	/* Presented, it may be about to replace the SA: unto its end. */
	if (ladder_presented(s))
		return;
	ike_sa_free(&s->late);
	if (s->trial && s->trial_resumes)
		attempts_drop(s);
	if (!s->trial && s->moving && !s->frozen)
		move_hedge_later(s); /* with the new one */
}

bool ladder_presented(const struct session *s)
{
	return s->trial && s->trial_resumes &&
	       ike_sa_state(s->trial) == IKE_ST_AUTH;
}

/* Would the same attempt, later, have a chance without anybody's help? */
static bool is_transient(enum err why)
{
	return why == ERR_NO_ANSWER || why == ERR_NAME || why == ERR_GONE ||
	       why == ERR_PEER;
}

void ladder_wait(struct session *s, enum session_state state, enum err why)
{
	uint8_t jitter;

	if (!s->cfg.persistent || !is_transient(why)) {
		session_finish(s, why, s->report.last_detail);
		return;
	}
	rng_draw(&s->rng, &jitter, 1);
	s->retry_at_ms =
		s->now_ms + s->retry_ms + (int64_t)s->retry_ms * jitter / 1024;
	s->retry_ms *= 2;
	if (s->retry_ms > s->cfg.retry_max_ms)
		s->retry_ms = s->cfg.retry_max_ms;
	session_set_state(s, state, err_name(why));
}

void ladder_ask_path(struct session *s)
{
	s->retry_at_ms = SESSION_NEVER;
	s->asked_path = true;
	s->report.attempts++;
	session_push(s, SES_DO_ASK_PATH);
}

static enum err trial_start(struct session *s, bool resume)
{
	uint8_t seed[32];
	enum err e;

	rng_draw(&s->rng, seed, sizeof(seed));
	e = ike_sa_new(&s->cfg.ike, seed, &s->trial);
	mem_wipe(seed, sizeof(seed));
	if (e)
		return e;
	s->trial_resumes = resume;
	s->early_ticket = NULL;
	s->early_later = false;
	if (resume) {
		s->held.tries++;
		e = ike_sa_resume(s->trial, &s->held.ticket, &s->path,
				  s->now_ms);
	} else {
		e = ike_sa_start(s->trial, &s->path, s->now_ms);
	}
	if (!e)
		offer_go_on(s);
	return e;
}

static bool ticket_may_help(const struct session *s)
{
	int tries = RESUME_TRIES + s->held.alive * ALIVE_TRIES;

	int64_t age_ms = s->now_ms - s->held.since_ms; /* whole seconds left */

	return s->held.here && !s->held.returned && !s->held.refused &&
	       s->held.tries < tries &&
	       age_ms < ((int64_t)s->held.ticket.lifetime_s + 1) * 1000;
}

/* RFC 5723 has no way to send a large ticket in pieces, and pieces of IP are
 * what networks drop. On another path it may fit. */
static bool ticket_fits(struct session *s)
{
	bool v6 = s->path.remote.family == ADDR_V6;
	size_t len = (v6 ? 40 : 20) +
		     ike_ticket_request_len(&s->cfg.ike, &s->held.ticket);

	if (s->path.tcp || !s->path.mtu || len <= s->path.mtu)
		return true;
	log_info("session: the ticket stays where it is: presenting it takes "
		 "a packet of %zu octets, this path takes %u",
		 len, s->path.mtu);
	held_return(s);
	return false;
}

void ladder_begin(struct session *s)
{
	bool resume = ticket_may_help(s) && ticket_fits(s);
	enum err e;

	/* The SA on its way may still make it: nobody is asked before. */
	if (s->moving && !resume && !s->cfg.unattended)
		return;
	if (s->moving && !resume && s->now_ms < s->full_at_ms) {
		s->hedge_at_ms = s->full_at_ms;
		return;
	}
	if (!s->live && resume)
		session_set_state(s, SES_ST_RESUMING, "a ticket is at hand");
	else if (!s->live)
		session_set_state(s, SES_ST_CONNECTING, "full exchange");
	e = trial_start(s, resume);
	if (e && resume) {
		/* A ticket of a suite we no longer speak, say. */
		log_warn("session: the ticket is of no use: %s", err_text(e));
		ike_sa_free(&s->trial);
		s->held.refused = true;
		e = trial_start(s, false);
	}
	if (!e)
		return;
	ike_sa_free(&s->trial);
	if (!s->live)
		session_finish(s, e, NULL);
}

static void add_stats(struct session *s)
{
	const struct ike_stats *one = ike_sa_stats(s->trial);
	struct ike_stats *sum = &s->report.connect;

	sum->round_trips += one->round_trips;
	sum->sent_packets += one->sent_packets;
	sum->received_packets += one->received_packets;
	sum->sent_octets += one->sent_octets;
	sum->received_octets += one->received_octets;
	sum->retransmissions += one->retransmissions;
	sum->rtt_ms = one->rtt_ms;
}

/* A resumption replaces the SA that it stands beside, silently (RFC 5723 5). A
 * full exchange does not (RFC 7296 2.8.3): the gateway may heed INITIAL_CONTACT
 * and need not (2.4). */
static void live_replaced(struct session *s, bool silently)
{
	ike_sa_free(&s->past);
	if (s->live && !silently && ike_sa_delete(s->live, s->now_ms) == OK) {
		s->past = s->live;
		s->live = NULL;
	}
	ike_sa_free(&s->live);
	s->live = s->trial;
	s->trial = NULL;
	s->live_since_ms = s->now_ms;
}

/* The trial becomes the living SA. */
void ladder_up(struct session *s, const struct ike_action *a)
{
	struct session_report *r = &s->report;
	bool beside = s->live && !s->moving;

	if (!beside) {
		add_stats(s);
		r->resumed = a->u.up.resumed;
		r->moved = false;
		r->up_ms = s->now_ms;
	}
	r->reconnects += s->moving;
	s->doubted = false;
	move_forget(s);
	held_wipe(&s->held);
	ike_sa_free(&s->late);
	s->ask_at_ms = SESSION_NEVER;
	live_replaced(s, a->u.up.resumed || !beside);
	s->retry_ms = s->cfg.retry_min_ms;
	r->behind_nat = a->u.up.behind_nat;
	r->ike_suite = *ike_sa_suite(s->live);
	if (ike_sa_child_suite(s->live))
		r->child_suite = *ike_sa_child_suite(s->live);
	renewal_forget(s);
	quiet_begin(s);
	session_set_state(s, SES_ST_UP, r->resumed ? "resumed" : "full");
	if (s->early_ticket) {
		session_push_ticket(s, s->early_ticket);
		renewal_plan(s, s->early_ticket);
	} else if (s->early_later) {
		renewal_none(s, true);
	}
	s->early_ticket = NULL;
	s->early_later = false;
}

bool ladder_spares_person(struct session *s, const struct ike_sa *from)
{
	if (from != s->trial || s->trial_resumes || s->cfg.unattended ||
	    s->held.alive == ALIVE_ROUNDS)
		return false;
	s->held.alive++;
	if (!ticket_may_help(s))
		return false;
	log_info("session: the gateway is there: the ticket once more");
	if (!s->live || s->moving)
		add_stats(s);
	ike_sa_free(&s->trial);
	ladder_begin(s);
	return true;
}

static void resume_failed(struct session *s, enum err why, bool auth_sent)
{
	log_info("resumption failed (%s): %s", err_text(why),
		 s->report.last_detail);
	if (auth_sent)
		held_wipe(&s->held); /* it may have been used */
	else if (why != ERR_NO_ANSWER)
		s->held.refused = true;
	ladder_begin(s);
}

static void auth_form_set(struct session *s, bool first_only)
{
	s->held.ticket.auth_first_only = first_only;
	s->cfg.ike.resume_auth_first_only = first_only; /* tickets to come */
}

/* The gateway knows the ticket, and made no SA of it, for our AUTH is wrong:
 * two forms of it are in use on resuming (struct ike_ticket). The other one,
 * once; what works is kept with the next ticket. */
static bool try_other_form(struct session *s)
{
	bool first_only = s->held.ticket.auth_first_only ||
			  s->cfg.ike.resume_auth_first_only;

	if (!s->held.here)
		return false; /* void meanwhile */
	auth_form_set(s, !first_only);
	if (s->held.other_form)
		return false; /* neither: as it was */
	s->held.other_form = true;
	s->held.tries = 0;
	log_info("session: the ticket once more, with the other form of AUTH");
	return true;
}

static void trial_closed(struct session *s, const struct ike_action *a)
{
	bool resumed = s->trial_resumes, auth_sent = a->u.closed.auth_sent;
	enum err why = a->u.closed.why;

	if (!s->live || s->moving)
		add_stats(s);
	attempts_drop(s);
	if (a->u.closed.resume_auth_failed && try_other_form(s)) {
		ladder_begin(s);
	} else if (s->live && !s->moving && (resumed || s->rung != RUNG_REST)) {
		renewal_failed(s, resumed && auth_sent);
	} else if (resumed) {
		resume_failed(s, why, auth_sent);
	} else if (a->u.closed.init_in_doubt && !s->doubted) {
		s->doubted = true;
		log_info("session: once more: a COOKIE may have been at fault");
		ladder_begin(s);
	} else {
		held_return(s);
		if (!s->live)
			ladder_wait(s, SES_ST_WAITING, why);
	}
}

/* Anew, at once, from the ticket in the store. */
void ladder_lost(struct session *s, enum err why)
{
	ike_sa_free(&s->live);
	s->frozen = false;
	renewal_forget(s);
	if (!s->moving) {
		memset(&s->report.connect, 0, sizeof(s->report.connect));
		s->report.started_ms = s->now_ms;
	}
	move_forget(s);
	s->report.reconnects++;
	s->retry_ms = s->cfg.retry_min_ms;
	session_set_state(s, SES_ST_WAITING, err_name(why));
	if (s->trial) { /* a renewal was under way: it is the way back now */
		session_set_state(s,
				  s->trial_resumes ? SES_ST_RESUMING
						   : SES_ST_CONNECTING,
				  "the renewal goes on alone");
		return;
	}
	s->asked_ticket = false;
	ladder_ask_path(s);
}

void ladder_closed(struct session *s, bool is_live, const struct ike_action *a)
{
	enum err why = a->u.closed.why;

	session_note(s, why, a->u.closed.detail);
	if (redirect_closed(s, is_live, a))
		return;
	if (s->report.state == SES_ST_CLOSING)
		session_finish(s, ERR_CANCELLED, NULL);
	else if (!is_live)
		trial_closed(s, a);
	else if (s->cfg.persistent || s->moving)
		ladder_lost(s, why);
	else
		session_finish(s, why, s->report.last_detail);
}

/* --- the network ---------------------------------------------------------- */

void session_path_lost(struct session *s, int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	if (s->moving)
		move_lost_path(s);
	else if (s->report.state != SES_ST_UP)
		return; /* an attempt on the way times out by itself */
	s->frozen = true;
	session_note(s, ERR_NO_ANSWER, "no route to the gateway");
	session_set_state(s, SES_ST_NO_PATH, "path lost");
}

/* Who refused it on the path before may not be on this one. */
static void held_begin_anew(struct session *s)
{
	s->held.tries = 0;
	s->held.refused = false;
}

/* An attempt over a path that is gone, with no ticket presented: anew. */
static void trial_anew(struct session *s)
{
	held_begin_anew(s);
	add_stats(s);
	attempts_drop(s);
	ladder_ask_path(s);
}

static void path_back(struct session *s)
{
	s->frozen = false;
	session_set_state(s, SES_ST_UP, "path is back");
	if (s->doubtful)
		wake_check(s);
	else if (ike_sa_check_alive(s->live, s->now_ms) != OK)
		log_debug("session: the SA cannot be checked now");
}

void ladder_path_moved(struct session *s)
{
	s->followed = false;
	if (move_begin(s))
		return;
	if (!ladder_presented(s)) {
		held_begin_anew(s);
		attempts_drop(s);
	}
	session_note(s, ERR_NO_ANSWER, "the network changed");
	ladder_lost(s, ERR_NO_ANSWER);
	follow_begin(s);
}

void session_path_new(struct session *s, bool same, int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	switch (s->report.state) {
	case SES_ST_UP:
	case SES_ST_MOVING:
	case SES_ST_CHECKING:
	case SES_ST_NO_PATH:
		if (s->live && move_needs_path(s, same))
			ladder_path_moved(s);
		else if (s->live && s->frozen)
			path_back(s);
		else if (!s->live && !s->asked_path)
			ladder_ask_path(s);
		break;
	case SES_ST_WAITING:
		s->retry_ms = s->cfg.retry_min_ms;
		if (!s->asked_path)
			ladder_ask_path(s);
		break;
	case SES_ST_RESUMING:
	case SES_ST_CONNECTING:
		if (!same && s->trial && !follow_begin(s))
			trial_anew(s);
		break;
	case SES_ST_IDLE:
	case SES_ST_CLOSING:
	case SES_ST_CLOSED:
		break;
	}
}
