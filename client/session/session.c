#include "client/session/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/log.h"

#define QUEUE_MAX    16
#define RESUME_TRIES 2 /* fresh attempts before the full exchange */

/* A ticket taken from the store: in memory only, until it is spent, put back
 * or proven useless. */
struct held_ticket {
	bool here;
	uint8_t tries;
	bool refused; /* by an unprotected message: a hint, not a proof */
	struct ike_ticket ticket;
	uint8_t *opaque;
};

struct session {
	struct session_config cfg;
	struct rng rng;
	struct ike_sa *sa;
	struct ike_path path;
	struct held_ticket held;
	struct session_report report;
	const struct ike_ticket *early_ticket; /* came before UP; the SA's */
	bool asked_path, asked_ticket;
	bool was_up;
	bool frozen; /* no path: the SA is kept and waits */
	uint32_t retry_ms;
	int64_t retry_at_ms; /* INT64_MAX: no retry is due */
	int64_t now_ms;	     /* of the verb that runs */
	struct session_action queue[QUEUE_MAX];
	size_t queue_head, queue_len;
};

static const char *const state_texts[] = {
#define X(name, text) [name] = text,
	SESSION_STATE_LIST(X)
#undef X
};

const char *session_state_text(enum session_state s)
{
	return state_texts[s];
}

static void push(struct session *s, struct session_action a)
{
	size_t at = (s->queue_head + s->queue_len) % QUEUE_MAX;

	if (s->queue_len == QUEUE_MAX) {
		log_error("session: action queue is full");
		return;
	}
	s->queue[at] = a;
	s->queue_len++;
}

static void push_kind(struct session *s, enum session_action_kind kind)
{
	push(s, (struct session_action){.kind = kind});
}

static void set_state(struct session *s, enum session_state to, const char *why)
{
	if (s->report.state == to)
		return;
	log_debug("session: %s -> %s (%s)", state_texts[s->report.state],
		  state_texts[to], why);
	s->report.state = to;
	push(s, (struct session_action){.kind = SES_DO_STATE, .u.state = to});
}

static void held_wipe(struct held_ticket *h)
{
	mem_wipe(h->opaque, h->ticket.opaque.len);
	free(h->opaque);
	mem_wipe(h, sizeof(*h));
}

static enum err held_set(struct held_ticket *h, const struct ike_ticket *t)
{
	held_wipe(h);
	if (t->opaque.len == 0 || t->opaque.len > IKE_TICKET_MAX)
		return ERR_MALFORMED;
	h->opaque = malloc(t->opaque.len);
	if (!h->opaque)
		return ERR_NO_MEMORY;
	memcpy(h->opaque, t->opaque.p, t->opaque.len);
	h->ticket = *t;
	h->ticket.opaque.p = h->opaque;
	h->here = true;
	return OK;
}

static void push_ticket(struct session *s, const struct ike_ticket *ticket)
{
	push(s, (struct session_action){.kind = SES_DO_TICKET_STORE,
					.u.ticket = ticket});
}

/* Back to the store: only where it is certain that no IKE_AUTH was sent. */
static void held_return(struct session *s)
{
	if (!s->held.here)
		return;
	push_ticket(s, &s->held.ticket);
}

enum err session_new(const struct session_config *config,
		     const uint8_t seed[32], struct session **out)
{
	struct session *s = calloc(1, sizeof(*s));

	*out = s;
	if (!s)
		return ERR_NO_MEMORY;
	s->cfg = *config;
	rng_seed(&s->rng, seed);
	s->retry_at_ms = INT64_MAX;
	s->retry_ms = config->retry_min_ms;
	return OK;
}

void session_free(struct session **s)
{
	if (!*s)
		return;
	ike_sa_free(&(*s)->sa);
	held_wipe(&(*s)->held);
	rng_wipe(&(*s)->rng);
	mem_wipe(*s, sizeof(**s));
	free(*s);
	*s = NULL;
}

static void note_error(struct session *s, enum err why, const char *detail)
{
	struct session_report *r = &s->report;

	r->last_error = why;
	if (detail == r->last_detail)
		return; /* finish() with what is known already */
	snprintf(r->last_detail, sizeof(r->last_detail), "%s",
		 detail && *detail ? detail : err_text(why));
}

static void finish(struct session *s, enum err why, const char *detail)
{
	if (s->report.state == SES_ST_CLOSED)
		return;
	note_error(s, why, detail);
	ike_sa_free(&s->sa);
	s->retry_at_ms = INT64_MAX;
	s->asked_path = s->asked_ticket = false;
	set_state(s, SES_ST_CLOSED, err_name(why));
	push(s,
	     (struct session_action){.kind = SES_DO_CLOSED,
				     .u.closed = {why, s->report.last_detail}});
}

/* Would the same attempt, later, have a chance without anybody's help? */
static bool is_transient(enum err why)
{
	return why == ERR_NO_ANSWER || why == ERR_NAME || why == ERR_GONE ||
	       why == ERR_PEER;
}

static void wait_and_retry(struct session *s, enum session_state state,
			   const char *why)
{
	uint8_t jitter;

	rng_draw(&s->rng, &jitter, 1);
	s->retry_at_ms =
		s->now_ms + s->retry_ms + (int64_t)s->retry_ms * jitter / 1024;
	s->retry_ms *= 2;
	if (s->retry_ms > s->cfg.retry_max_ms)
		s->retry_ms = s->cfg.retry_max_ms;
	set_state(s, state, why);
}

static void ask_path(struct session *s)
{
	s->retry_at_ms = INT64_MAX;
	s->asked_path = true;
	s->report.attempts++;
	push_kind(s, SES_DO_ASK_PATH);
}

static void retry(struct session *s)
{
	held_wipe(&s->held); /* the store has it again */
	ask_path(s);
}

/* One attempt: with the ticket in hand where it may still help. */
static void begin(struct session *s)
{
	bool resume = s->held.here && !s->held.refused &&
		      s->held.tries < RESUME_TRIES;
	uint8_t seed[32];
	enum err e;

	rng_draw(&s->rng, seed, sizeof(seed));
	ike_sa_free(&s->sa);
	e = ike_sa_new(&s->cfg.ike, seed, &s->sa);
	mem_wipe(seed, sizeof(seed));
	if (!e && resume) {
		s->held.tries++;
		set_state(s, SES_ST_RESUMING, "a ticket is at hand");
		e = ike_sa_resume(s->sa, &s->held.ticket, &s->path, s->now_ms);
	} else if (!e) {
		set_state(s, SES_ST_CONNECTING, "full exchange");
		e = ike_sa_start(s->sa, &s->path, s->now_ms);
	}
	if (e)
		finish(s, e, NULL);
}

enum err session_start(struct session *s, int64_t now_ms)
{
	if (s->report.state != SES_ST_IDLE)
		return ERR_STATE;
	s->now_ms = s->report.started_ms = now_ms;
	ask_path(s);
	return OK;
}

enum err session_give_path(struct session *s, const struct ike_path *path,
			   enum err why, const char *detail, int64_t now_ms)
{
	if (!s->asked_path)
		return ERR_STATE;
	s->asked_path = false;
	s->now_ms = now_ms;
	if (!path) {
		note_error(s, why, detail);
		if (s->cfg.persistent && is_transient(why))
			wait_and_retry(s, SES_ST_NO_PATH, err_name(why));
		else
			finish(s, why, detail);
		return OK;
	}
	s->path = *path;
	if (s->cfg.use_tickets && !s->held.here) {
		s->asked_ticket = true;
		push_kind(s, SES_DO_ASK_TICKET);
	} else {
		begin(s);
	}
	return OK;
}

enum err session_give_ticket(struct session *s, const struct ike_ticket *ticket,
			     int64_t now_ms)
{
	enum err e;

	if (!s->asked_ticket)
		return ERR_STATE;
	s->asked_ticket = false;
	s->now_ms = now_ms;
	if (ticket) {
		e = held_set(&s->held, ticket);
		if (e)
			log_warn("session: ticket is not usable: %s",
				 err_text(e));
	}
	begin(s);
	return OK;
}

static void add_stats(struct session *s)
{
	const struct ike_stats *one = ike_sa_stats(s->sa);
	struct ike_stats *sum = &s->report.connect;

	sum->round_trips += one->round_trips;
	sum->sent_packets += one->sent_packets;
	sum->received_packets += one->received_packets;
	sum->sent_octets += one->sent_octets;
	sum->received_octets += one->received_octets;
	sum->retransmissions += one->retransmissions;
	sum->rtt_ms = one->rtt_ms;
}

static void resume_failed(struct session *s, enum err why, bool auth_sent)
{
	log_info("resumption failed (%s): %s", err_text(why),
		 s->report.last_detail);
	if (auth_sent)
		held_wipe(&s->held); /* it may have been used */
	else if (why == ERR_NO_ANSWER && s->held.tries < RESUME_TRIES)
		log_debug("session: the ticket was not used: once more");
	else
		s->held.refused = true;
	begin(s);
}

static void connection_lost(struct session *s, enum err why)
{
	s->was_up = s->frozen = false;
	memset(&s->report.connect, 0, sizeof(s->report.connect));
	s->report.started_ms = s->now_ms;
	s->report.reconnects++;
	s->retry_ms = s->cfg.retry_min_ms;
	set_state(s, SES_ST_WAITING, err_name(why));
	ask_path(s);
}

static void ike_closed(struct session *s, const struct ike_action *a)
{
	enum session_state was = s->report.state;
	enum err why = a->u.closed.why;
	bool auth_sent = a->u.closed.auth_sent;

	note_error(s, why, a->u.closed.detail);
	if (!s->was_up)
		add_stats(s);
	ike_sa_free(&s->sa);
	if (was == SES_ST_CLOSING) {
		finish(s, ERR_CANCELLED, NULL);
	} else if (was == SES_ST_RESUMING) {
		resume_failed(s, why, auth_sent);
	} else if (s->was_up && s->cfg.persistent) {
		connection_lost(s, why);
	} else {
		held_return(s);
		if (s->cfg.persistent && is_transient(why))
			wait_and_retry(s, SES_ST_WAITING, err_name(why));
		else
			finish(s, why, s->report.last_detail);
	}
}

static void ike_up(struct session *s, const struct ike_action *a)
{
	struct session_report *r = &s->report;

	add_stats(s);
	held_wipe(&s->held);
	s->was_up = true;
	s->retry_ms = s->cfg.retry_min_ms;
	r->resumed = a->u.up.resumed;
	r->behind_nat = a->u.up.behind_nat;
	r->up_ms = s->now_ms;
	r->ike_suite = *ike_sa_suite(s->sa);
	if (ike_sa_child_suite(s->sa))
		r->child_suite = *ike_sa_child_suite(s->sa);
	set_state(s, SES_ST_UP, r->resumed ? "resumed" : "full exchange");
	if (s->early_ticket)
		push_ticket(s, s->early_ticket);
	s->early_ticket = NULL;
}

/* True when a was for the session and not for the layer above. */
static bool absorb(struct session *s, const struct ike_action *a)
{
	switch (a->kind) {
	case IKE_DO_TICKET_SPENT:
		held_wipe(&s->held);
		return true;
	case IKE_DO_UP:
		ike_up(s, a);
		return true;
	case IKE_DO_CLOSED:
		ike_closed(s, a);
		return true;
	case IKE_DO_TICKET:
		/* On the way up it comes before UP; the disk can wait until
		 * the tunnel carries traffic. */
		if (s->was_up)
			push_ticket(s, a->u.ticket);
		else
			s->early_ticket = a->u.ticket;
		return true;
	case IKE_DO_TICKET_VOID:
		push_kind(s, SES_DO_TICKET_VOID);
		return true;
	case IKE_DO_NOTHING:
	case IKE_DO_SEND:
	case IKE_DO_KEEPALIVE:
	case IKE_DO_ASK_SECRET:
	case IKE_DO_ASK_SIGN:
	case IKE_DO_ASK_VERIFY:
	case IKE_DO_NETCONF:
	case IKE_DO_CHILD_ADD:
	case IKE_DO_CHILD_DEL:
		return false;
	}
	return false;
}

static bool pop(struct session *s, struct session_action *out)
{
	if (s->queue_len == 0)
		return false;
	*out = s->queue[s->queue_head];
	s->queue_head = (s->queue_head + 1) % QUEUE_MAX;
	s->queue_len--;
	return true;
}

struct session_action session_next_action(struct session *s)
{
	struct session_action out = {.kind = SES_DO_NOTHING};
	struct ike_action a;

	while (!pop(s, &out)) {
		if (!s->sa)
			return out;
		a = ike_sa_next_action(s->sa);
		if (a.kind == IKE_DO_NOTHING)
			return out;
		if (!absorb(s, &a)) {
			out.kind = SES_DO_IKE;
			out.u.ike = a;
			return out;
		}
	}
	return out;
}

enum err session_input(struct session *s, uint8_t *dgram, size_t len,
		       const struct ike_path *path, int64_t now_ms)
{
	s->now_ms = now_ms;
	if (!s->sa)
		return ERR_NOT_FOUND;
	return ike_sa_input(s->sa, dgram, len, path, now_ms);
}

int64_t session_next_deadline(const struct session *s)
{
	int64_t ike =
		s->sa && !s->frozen ? ike_sa_next_deadline(s->sa) : INT64_MAX;

	return ike < s->retry_at_ms ? ike : s->retry_at_ms;
}

void session_timeout(struct session *s, int64_t now_ms)
{
	s->now_ms = now_ms;
	if (s->retry_at_ms <= now_ms)
		retry(s);
	if (s->sa && !s->frozen && ike_sa_next_deadline(s->sa) <= now_ms)
		ike_sa_timeout(s->sa, now_ms);
}

enum err session_give_secret(struct session *s, const struct secret *secret,
			     int64_t now_ms)
{
	s->now_ms = now_ms;
	return s->sa ? ike_sa_give_secret(s->sa, secret, now_ms) : ERR_STATE;
}

void session_no_secret(struct session *s, enum err why, const char *detail,
		       int64_t now_ms)
{
	s->now_ms = now_ms;
	held_return(s);
	finish(s, why, detail);
}

enum err session_give_signature(struct session *s, uint8_t method,
				struct bytes auth_data, int64_t now_ms)
{
	s->now_ms = now_ms;
	return s->sa ? ike_sa_give_signature(s->sa, method, auth_data, now_ms)
		     : ERR_STATE;
}

enum err session_give_verdict(struct session *s, enum err verdict,
			      const char *detail, int64_t now_ms)
{
	s->now_ms = now_ms;
	return s->sa ? ike_sa_give_verdict(s->sa, verdict, detail, now_ms)
		     : ERR_STATE;
}

void session_path_lost(struct session *s, int64_t now_ms)
{
	s->now_ms = now_ms;
	if (s->report.state != SES_ST_UP)
		return; /* an attempt on the way times out by itself */
	s->frozen = true;
	note_error(s, ERR_NO_ANSWER, "no route to the gateway");
	set_state(s, SES_ST_NO_PATH, "path lost");
}

/* An attempt over a path that is gone: anew, the ticket unless presented. */
static void attempt_anew(struct session *s)
{
	if (s->report.state == SES_ST_RESUMING &&
	    ike_sa_state(s->sa) == IKE_ST_AUTH)
		held_wipe(&s->held);
	s->held.tries = 0;
	add_stats(s);
	ike_sa_free(&s->sa);
	ask_path(s);
}

static void path_back(struct session *s)
{
	s->frozen = false;
	set_state(s, SES_ST_UP, "path is back");
	if (ike_sa_check_alive(s->sa, s->now_ms) != OK)
		log_debug("session: the SA cannot be checked now");
}

void session_path_new(struct session *s, bool same, int64_t now_ms)
{
	s->now_ms = now_ms;
	switch (s->report.state) {
	case SES_ST_UP:
	case SES_ST_NO_PATH:
		if (s->sa && same && s->frozen) {
			path_back(s);
		} else if (s->sa && !same) {
			ike_sa_free(
				&s->sa); /* silently: a resume replaces it */
			note_error(s, ERR_NO_ANSWER, "the network changed");
			connection_lost(s, ERR_NO_ANSWER);
		} else if (!s->sa && !s->asked_path) {
			retry(s);
		}
		break;
	case SES_ST_WAITING:
		s->retry_ms = s->cfg.retry_min_ms;
		if (!s->asked_path)
			retry(s);
		break;
	case SES_ST_RESUMING:
	case SES_ST_CONNECTING:
		if (!same && s->sa)
			attempt_anew(s);
		break;
	case SES_ST_IDLE:
	case SES_ST_CLOSING:
	case SES_ST_CLOSED:
		break;
	}
}

void session_down(struct session *s, int64_t now_ms)
{
	s->now_ms = now_ms;
	if (s->report.state == SES_ST_CLOSING ||
	    s->report.state == SES_ST_CLOSED)
		return;
	held_wipe(&s->held);
	push_kind(s, SES_DO_TICKET_VOID);
	if (s->report.state == SES_ST_UP && ike_sa_delete(s->sa, now_ms) == OK)
		set_state(s, SES_ST_CLOSING, "logged out");
	else
		finish(s, ERR_CANCELLED, NULL);
}

void session_suspend(struct session *s, int64_t now_ms)
{
	bool presented = s->report.state == SES_ST_RESUMING && s->sa &&
			 ike_sa_state(s->sa) == IKE_ST_AUTH;

	s->now_ms = now_ms;
	/* Once an IKE_AUTH left with it, it may have made an SA. */
	if (!presented)
		held_return(s);
	finish(s, ERR_CANCELLED, NULL);
}

void session_heard(struct session *s, int64_t now_ms)
{
	if (s->sa)
		ike_sa_heard(s->sa, now_ms);
}

void session_spoke(struct session *s, int64_t now_ms)
{
	if (s->sa)
		ike_sa_spoke(s->sa, now_ms);
}

const struct session_report *session_report(const struct session *s)
{
	return &s->report;
}
