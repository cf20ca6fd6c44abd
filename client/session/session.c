/* The verbs of a session; what it decides is in ladder.c and renewal.c. */
#include "client/session/session_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const state_texts[] = {
#define X(name, text) [name] = text,
	SESSION_STATE_LIST(X)
#undef X
};

const char *session_state_text(enum session_state s)
{
	return state_texts[s];
}

bool session_state_keeps_children(enum session_state s)
{
	return s == SES_ST_UP || s == SES_ST_NO_PATH || s == SES_ST_MOVING ||
	       s == SES_ST_CHECKING;
}

/* --- actions ---------------------------------------------------------------
 */

static void push(struct session *s, struct session_action a)
{
	size_t at = (s->queue_head + s->queue_len) % SESSION_QUEUE_MAX;

	if (s->queue_len == SESSION_QUEUE_MAX) {
		log_error("session: action queue is full");
		return;
	}
	s->queue[at] = a;
	s->queue_len++;
}

static bool pop(struct session *s, struct session_action *out)
{
	if (s->queue_len == 0)
		return false;
	*out = s->queue[s->queue_head];
	s->queue_head = (s->queue_head + 1) % SESSION_QUEUE_MAX;
	s->queue_len--;
	return true;
}

void session_push(struct session *s, enum session_action_kind kind)
{
	push(s, (struct session_action){.kind = kind});
}

void session_push_ticket(struct session *s, const struct ike_ticket *ticket)
{
	push(s, (struct session_action){.kind = SES_DO_TICKET_STORE,
					.u.ticket = ticket});
}

void session_push_ike(struct session *s, const struct ike_action *a)
{
	push(s, (struct session_action){.kind = SES_DO_IKE, .u.ike = *a});
}

void session_set_state(struct session *s, enum session_state to,
		       const char *why)
{
	if (s->report.state == to)
		return;
	log_debug("session: %s -> %s (%s)", state_texts[s->report.state],
		  state_texts[to], why);
	s->report.state = to;
	push(s, (struct session_action){.kind = SES_DO_STATE, .u.state = to});
}

void session_note(struct session *s, enum err why, const char *detail)
{
	struct session_report *r = &s->report;
	char text[sizeof(r->last_detail)];

	r->last_error = why;
	snprintf(text, sizeof(text), "%s",
		 detail && *detail ? detail : err_text(why));
	memcpy(r->last_detail, text, sizeof(text)); /* detail may be it */
}

void session_finish(struct session *s, enum err why, const char *detail)
{
	if (s->report.state == SES_ST_CLOSED)
		return;
	session_note(s, why, detail);
	ike_sa_free(&s->live);
	ike_sa_free(&s->past);
	attempts_drop(s);
	s->retry_at_ms = SESSION_NEVER;
	renewal_forget(s);
	move_forget(s);
	s->asked_path = s->asked_ticket = false;
	session_set_state(s, SES_ST_CLOSED, err_name(why));
	push(s,
	     (struct session_action){.kind = SES_DO_CLOSED,
				     .u.closed = {why, s->report.last_detail}});
}

/* Of its Child SAs and its ticket the one that replaced it has told. */
static bool absorb_past(struct session *s, enum ike_action_kind kind)
{
	if (kind == IKE_DO_CLOSED)
		ike_sa_free(&s->past);
	return kind != IKE_DO_SEND;
}

/* True when a was for the session and not for the layer above. */
static bool absorb(struct session *s, struct ike_sa *from,
		   const struct ike_action *a)
{
	switch (a->kind) {
	case IKE_DO_TICKET_SPENT:
		held_wipe(&s->held);
		return true;
	case IKE_DO_UP:
		ladder_up(s, a);
		return true;
	case IKE_DO_CLOSED:
		if (from == s->late)
			ike_sa_free(&s->late);
		else
			ladder_closed(s, from == s->live, a);
		return true;
	case IKE_DO_MOVED:
		move_done(s, a->u.moved.ok, a->u.moved.behind_nat);
		return true;
	case IKE_DO_PROBED:
		return from != s->live;
	case IKE_DO_ALIVE:
		if (from == s->live) {
			quiet_checked(s, a->u.alive.mapping);
			wake_alive(s);
		}
		return true;
	case IKE_DO_TICKET:
		/* On the way up it comes before UP; the disk can wait until
		 * the tunnel carries traffic. */
		if (from == s->trial) {
			s->early_ticket = a->u.ticket;
			return true;
		}
		if (s->report.state == SES_ST_CLOSING)
			return true; /* logged out: nothing is kept */
		held_superseded(s);
		session_push_ticket(s, a->u.ticket);
		renewal_plan(s, a->u.ticket);
		return true;
	case IKE_DO_TICKET_NONE:
		if (from == s->trial)
			s->early_later = a->u.ticket_none.later;
		else if (s->report.state != SES_ST_CLOSING)
			renewal_none(s, a->u.ticket_none.later);
		return true;
	case IKE_DO_TICKET_VOID:
		if (from == s->live) {
			renewal_voided(s);
			held_superseded(s);
		}
		session_push(s, SES_DO_TICKET_VOID);
		return true;
	case IKE_DO_ASK_SECRET:
		if (ladder_spares_person(s, from) ||
		    late_defers_question(s, from, a))
			return true;
		s->asking = from;
		return false;
	case IKE_DO_ASK_SIGN:
	case IKE_DO_ASK_VERIFY:
	case IKE_DO_ASK_TLS:
		s->asking = from;
		return false;
	case IKE_DO_REFUSED:
		late_begin(s, a);
		return true;
	case IKE_DO_NOTHING:
	case IKE_DO_SEND:
	case IKE_DO_KEEPALIVE:
	case IKE_DO_NETCONF:
	case IKE_DO_CHILD_ADD:
	case IKE_DO_CHILD_DEL:
		return false;
	}
	return false;
}

/* One action of an IKE SA, and whose it is; NOTHING when none has any. */
static struct ike_action ike_next(const struct session *s,
				  struct ike_sa **out_from)
{
	struct ike_sa *const all[] = {s->live, s->trial, s->late, s->past};
	struct ike_action a = {.kind = IKE_DO_NOTHING};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		*out_from = all[i];
		if (all[i])
			a = ike_sa_next_action(all[i]);
		if (a.kind != IKE_DO_NOTHING)
			break;
	}
	return a;
}

struct session_action session_next_action(struct session *s)
{
	struct session_action out = {.kind = SES_DO_NOTHING};
	struct ike_sa *from;
	struct ike_action a;

	while (!pop(s, &out)) {
		a = ike_next(s, &from);
		if (a.kind == IKE_DO_NOTHING)
			return out;
		if (from == s->past ? absorb_past(s, a.kind)
				    : absorb(s, from, &a))
			continue;
		if (from == s->live &&
		    (a.kind == IKE_DO_SEND || a.kind == IKE_DO_KEEPALIVE))
			quiet_sent(s);
		out.kind = SES_DO_IKE;
		out.u.ike = a;
		return out;
	}
	return out;
}

/* --- life
 * ---------------------------------------------------------------------
 */

enum err session_new(const struct session_config *config,
		     const uint8_t seed[32], struct session **out)
{
	struct session *s = calloc(1, sizeof(*s));

	*out = s;
	if (!s)
		return ERR_NO_MEMORY;
	s->cfg = *config;
	rng_seed(&s->rng, seed);
	s->retry_at_ms = s->report.renew_at_ms = SESSION_NEVER;
	s->hedge_at_ms = s->ask_at_ms = SESSION_NEVER;
	s->cfg.ike.keep_after_refusal = true;
	s->retry_ms = config->retry_min_ms;
	return OK;
}

void session_free(struct session **s)
{
	if (!*s)
		return;
	ike_sa_free(&(*s)->live);
	ike_sa_free(&(*s)->past);
	attempts_drop(*s);
	held_wipe(&(*s)->held);
	rng_wipe(&(*s)->rng);
	mem_wipe(*s, sizeof(**s));
	free(*s);
	*s = NULL;
}

void session_verb_begin(struct session *s, int64_t now_ms)
{
	s->now_ms = now_ms;
	if (s->held.returned && s->queue_len == 0)
		held_wipe(&s->held);
}

enum err session_start(struct session *s, int64_t now_ms)
{
	if (s->report.state != SES_ST_IDLE)
		return ERR_STATE;
	session_verb_begin(s, now_ms);
	s->report.started_ms = now_ms;
	ladder_ask_path(s);
	return OK;
}

enum err session_input(struct session *s, uint8_t *dgram, size_t len,
		       const struct ike_path *path, int64_t now_ms)
{
	struct bytes view = bytes(dgram, len);
	enum err e;

	session_verb_begin(s, now_ms);
	if (s->trial && ike_sa_owns(s->trial, view)) {
		e = ike_sa_input(s->trial, dgram, len, path, now_ms);
		offer_settle(s, s->trial);
		return e;
	}
	if (s->late && ike_sa_owns(s->late, view)) {
		e = ike_sa_input(s->late, dgram, len, path, now_ms);
		late_answered(s);
		return e;
	}
	if (s->live && ike_sa_owns(s->live, view)) {
		quiet_heard(s);
		e = ike_sa_input(s->live, dgram, len, path, now_ms);
		offer_settle(s, s->live);
		return e;
	}
	if (s->past && ike_sa_owns(s->past, view))
		return ike_sa_input(s->past, dgram, len, path, now_ms);
	return ERR_NOT_FOUND;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t sa_deadline(const struct ike_sa *sa)
{
	return sa ? ike_sa_next_deadline(sa) : SESSION_NEVER;
}

int64_t session_next_deadline(const struct session *s)
{
	int64_t at = earlier(s->retry_at_ms, s->hedge_at_ms);

	at = earlier(at, s->ask_at_ms);
	if (follow_is_due(s))
		at = earlier(at, s->now_ms);
	at = earlier(at, sa_deadline(s->trial));
	at = earlier(at, sa_deadline(s->late));
	at = earlier(at, sa_deadline(s->past));
	if (s->live && !s->frozen) {
		at = earlier(at, ike_sa_next_deadline(s->live));
		if (!s->trial && !s->moving)
			at = earlier(at, s->report.renew_at_ms);
	}
	return earlier(at, renewal_reauth_at(s));
}

static void sa_timeout(struct ike_sa *sa, int64_t now_ms)
{
	if (sa_deadline(sa) <= now_ms)
		ike_sa_timeout(sa, now_ms);
}

void session_timeout(struct session *s, int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	if (s->retry_at_ms <= now_ms)
		ladder_ask_path(s);
	if (s->hedge_at_ms <= now_ms)
		move_hedge(s);
	if (s->ask_at_ms <= now_ms)
		late_ask(s);
	if (follow_is_due(s))
		ladder_path_moved(s);
	sa_timeout(s->late, now_ms);
	sa_timeout(s->past, now_ms);
	if (s->report.renew_at_ms <= now_ms && !s->moving)
		renewal_due(s);
	if (renewal_reauth_at(s) <= now_ms)
		renewal_reauth(s);
	if (!s->frozen)
		sa_timeout(s->live, now_ms);
	sa_timeout(s->trial, now_ms);
}

/* --- answers
 * ------------------------------------------------------------------
 */

enum err session_give_path(struct session *s, const struct ike_path *path,
			   enum err why, const char *detail, int64_t now_ms)
{
	if (!s->asked_path)
		return ERR_STATE;
	session_verb_begin(s, now_ms);
	s->asked_path = false;
	offer_clear(s);
	if (follow_give_path(s, path))
		return OK;
	if (!path) {
		session_note(s, why, detail);
		held_return(s);
	}
	if (s->moving) {
		move_give_path(s, path);
		return OK;
	}
	if (!path && why == ERR_NAME && redirect_forget(s)) {
		ladder_ask_path(s);
		return OK;
	}
	if (!path) {
		ladder_wait(s, SES_ST_NO_PATH, why);
		return OK;
	}
	s->path = *path;
	if (s->cfg.use_tickets && !s->held.here) {
		s->asked_ticket = true;
		session_push(s, SES_DO_ASK_TICKET);
	} else {
		ladder_begin(s);
	}
	return OK;
}

enum err session_give_ticket(struct session *s, const struct ike_ticket *ticket,
			     int64_t now_ms)
{
	enum err e;

	if (!s->asked_ticket)
		return ERR_STATE;
	session_verb_begin(s, now_ms);
	s->asked_ticket = false;
	if (s->live && !s->moving && s->rung == RUNG_RESUME) {
		renewal_give_ticket(s, ticket);
		return OK;
	}
	if (ticket) {
		e = held_set(s, ticket);
		if (e)
			log_warn("session: ticket is not usable: %s",
				 err_text(e));
	}
	/* Asked for what is over by now: back with it. */
	if (s->live && (!s->moving || s->frozen))
		held_return(s);
	else if (s->ticket_only && !s->held.here)
		move_hedge_later(s);
	else
		ladder_begin(s);
	s->ticket_only = false;
	return OK;
}

/* The SA whose question is open, if it still lives. */
static struct ike_sa *asker(const struct session *s)
{
	if (s->asking && (s->asking == s->live || s->asking == s->trial))
		return s->asking;
	return NULL;
}

enum err session_give_secret(struct session *s, const struct secret *secret,
			     int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	return asker(s) ? ike_sa_give_secret(asker(s), secret, now_ms)
			: ERR_STATE;
}

enum err session_give_signature(struct session *s, uint8_t method,
				struct bytes auth_data, int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	return asker(s) ? ike_sa_give_signature(asker(s), method, auth_data,
						now_ms)
			: ERR_STATE;
}

enum err session_give_tls(struct session *s, const struct ike_tls_step *step,
			  int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	return asker(s) ? ike_sa_give_tls(asker(s), step, now_ms) : ERR_STATE;
}

enum err session_give_verdict(struct session *s, enum err verdict,
			      const char *detail, int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	return asker(s) ? ike_sa_give_verdict(asker(s), verdict, detail, now_ms)
			: ERR_STATE;
}

void session_no_secret(struct session *s, enum err why, const char *detail,
		       int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	held_return(s);
	session_finish(s, why, detail);
}

void session_set_need_encap(struct session *s, bool need)
{
	struct ike_sa *all[] = {s->live, s->trial, s->late};

	s->cfg.ike.need_encap = need;
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (all[i])
			ike_sa_set_need_encap(all[i], need);
}

void session_set_unattended(struct session *s)
{
	s->cfg.unattended = true;
}

/* --- the end
 * ------------------------------------------------------------------
 */

void session_down(struct session *s, int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	if (s->report.state == SES_ST_CLOSING ||
	    s->report.state == SES_ST_CLOSED)
		return;
	held_wipe(&s->held);
	attempts_drop(s);
	/* Nothing that was planned may connect again. */
	renewal_forget(s);
	move_forget(s);
	s->frozen = s->asked_path = s->asked_ticket = false;
	session_push(s, SES_DO_TICKET_VOID);
	if ((s->report.state == SES_ST_UP || s->report.state == SES_ST_MOVING ||
	     s->report.state == SES_ST_CHECKING) &&
	    ike_sa_delete(s->live, now_ms) == OK)
		session_set_state(s, SES_ST_CLOSING, "logged out");
	else
		session_finish(s, ERR_CANCELLED, NULL);
}

void session_suspend(struct session *s, int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	/* Once an IKE_AUTH left with it, it may have made an SA. */
	if (!ladder_presented(s))
		held_return(s);
	session_finish(s, ERR_CANCELLED, NULL);
}

void session_heard(struct session *s, int64_t now_ms)
{
	quiet_data(s, false, now_ms);
	if (s->live)
		ike_sa_heard(s->live, now_ms);
}

void session_spoke(struct session *s, int64_t now_ms)
{
	quiet_data(s, true, now_ms);
	if (s->live)
		ike_sa_spoke(s->live, now_ms);
}

const struct session_report *session_report(const struct session *s)
{
	return &s->report;
}
