/* The next ticket before this one expires (RFC 5723 4.3.4 and 6). */
#include "client/session/session_private.h"

#define ASK_WAIT_MS	10000 /* an INFORMATIONAL and its retransmissions */
#define REKEY_WAIT_MS	20000
#define REAUTH_AHEAD_MS 60000
#define REAUTH_AGAIN_MS 20000
#define AGAIN_MIN_MS	30000
#define AGAIN_MAX_MS	3600000
#define LIFE_LONGEST_S	(365u * 24 * 3600) /* beyond: never renewed */

static const char *const rung_texts[] = {
	[RUNG_REST] = "rest",	  [RUNG_ASK] = "ask",
	[RUNG_RESUME] = "resume", [RUNG_REKEY] = "rekey",
	[RUNG_REAUTH] = "reauth", [RUNG_STOPPED] = "stopped"};

void renewal_forget(struct session *s)
{
	s->rung = RUNG_REST;
	s->ticket_voided = false;
	s->renew_wait_ms = AGAIN_MIN_MS;
	s->ticket_expires_ms = SESSION_NEVER;
	s->sleep_renew_at_ms = 0;
	s->report.renew_at_ms = SESSION_NEVER;
	s->report.renewal_stopped = false;
}

void renewal_voided(struct session *s)
{
	bool planned = s->report.renew_at_ms != SESSION_NEVER;

	if (s->rung != RUNG_REST)
		return; /* our own rekey: the climb goes on */
	renewal_forget(s);
	s->ticket_voided = planned;
}

void renewal_plan(struct session *s, const struct ike_ticket *ticket)
{
	int64_t life_ms = (int64_t)ticket->lifetime_s * 1000;
	uint8_t jitter;

	renewal_forget(s);
	s->ticket_expires_ms = s->now_ms + life_ms;
	if (s->cfg.renewal == RENEWAL_SETUP || s->cfg.renewal == RENEWAL_PUSH ||
	    ticket->lifetime_s > LIFE_LONGEST_S)
		return;
	s->sleep_renew_at_ms = s->now_ms + s->cfg.sleep_renew_ms;
	/* Between a half and three quarters of its life: many clients that
	 * came up together must not ask together. */
	rng_draw(&s->rng, &jitter, 1);
	s->report.renew_at_ms =
		s->now_ms + life_ms / 2 + life_ms * jitter / 1024;
}

static void rung_set(struct session *s, enum renewal_rung rung, int64_t wait_ms)
{
	log_debug("session: ticket renewal: %s -> %s", rung_texts[s->rung],
		  rung_texts[rung]);
	s->rung = rung;
	s->report.renew_at_ms =
		wait_ms == SESSION_NEVER ? SESSION_NEVER : s->now_ms + wait_ms;
}

static void rung_stop(struct session *s)
{
	rung_set(s, RUNG_STOPPED, SESSION_NEVER);
	s->report.renewal_stopped = true;
	log_warn("the gateway renews no ticket: when this one has expired, the "
		 "next connect is a full one");
}

/* The same question again, less and less often. */
static void ask_later(struct session *s)
{
	if (s->now_ms + s->renew_wait_ms >= s->ticket_expires_ms) {
		rung_stop(s);
		return;
	}
	rung_set(s, RUNG_REST, s->renew_wait_ms);
	if (s->renew_wait_ms < AGAIN_MAX_MS)
		s->renew_wait_ms *= 2;
}

static void rung_climb(struct session *s, enum renewal_rung rung);

/* This gateway gives tickets, but not in or after a rekey: only a new
 * IKE_AUTH brings one, and there is none left to resume with. */
static void gave_before(struct session *s)
{
	s->ticket_voided = false;
	if (s->cfg.renewal == RENEWAL_AUTO)
		rung_climb(s, RUNG_REAUTH);
	else
		rung_stop(s);
}

void renewal_none(struct session *s, bool later)
{
	if (s->cfg.renewal == RENEWAL_SETUP || s->cfg.renewal == RENEWAL_PUSH)
		return;
	if (later)
		ask_later(s);
	else if (s->rung != RUNG_REST)
		s->report.renew_at_ms = s->now_ms; /* the next rung, at once */
	else if (s->ticket_voided)
		gave_before(s);
}

/* Each rung waits for a ticket to come (renewal_plan then ends the climb)
 * or for its time to be over. */
static void rung_climb(struct session *s, enum renewal_rung rung)
{
	enum err e = OK;

	switch (rung) {
	case RUNG_REST:
	case RUNG_ASK:
		rung_set(s, RUNG_ASK, ASK_WAIT_MS);
		e = ike_sa_ask_ticket(s->live, s->now_ms);
		break;
	case RUNG_RESUME:
		rung_set(s, RUNG_RESUME, SESSION_NEVER);
		s->asked_ticket = true;
		session_push(s, SES_DO_ASK_TICKET);
		break;
	case RUNG_REKEY:
		rung_set(s, RUNG_REKEY, REKEY_WAIT_MS);
		e = ike_sa_rekey_ike(s->live, s->now_ms);
		break;
	case RUNG_REAUTH:
		if (s->cfg.unattended) {
			rung_set(s, RUNG_REAUTH, SESSION_NEVER);
			ladder_begin(s);
		} else {
			rung_stop(s);
		}
		break;
	case RUNG_STOPPED:
		rung_stop(s);
		break;
	}
	if (e)
		log_debug("session: ticket renewal: %s", err_text(e));
}

void renewal_due(struct session *s)
{
	s->report.renew_at_ms = SESSION_NEVER;
	if (!s->live || s->trial || s->frozen)
		return;
	if (s->rung == RUNG_REST)
		rung_climb(s, RUNG_ASK);
	else if (s->cfg.renewal == RENEWAL_REQUEST)
		ask_later(s);
	else
		rung_climb(s, s->rung + 1);
}

int64_t renewal_reauth_at(const struct session *s)
{
	int64_t end_ms, ahead_ms;

	if (!s->live || s->trial || s->moving || s->frozen ||
	    !s->cfg.unattended)
		return SESSION_NEVER;
	end_ms = ike_sa_reauth_at(s->live);
	if (end_ms == INT64_MAX)
		return SESSION_NEVER;
	ahead_ms = (end_ms - s->live_since_ms) / 4;
	if (ahead_ms > REAUTH_AHEAD_MS)
		ahead_ms = REAUTH_AHEAD_MS;
	end_ms -= ahead_ms;
	return end_ms > s->reauth_after_ms ? end_ms : s->reauth_after_ms;
}

/* A full exchange: a ticket would not prolong what was proven. */
void renewal_reauth(struct session *s)
{
	log_info("session: the authentication ends soon: anew beside the SA");
	s->reauth_after_ms = s->now_ms + REAUTH_AGAIN_MS;
	ladder_begin(s);
}

void renewal_go_on(struct session *s)
{
	if ((s->rung == RUNG_RESUME || s->rung == RUNG_REAUTH) && !s->trial)
		s->report.renew_at_ms = s->now_ms;
}

void renewal_give_ticket(struct session *s, const struct ike_ticket *ticket)
{
	if (ticket && held_set(s, ticket) == OK)
		ladder_begin(s);
	else
		rung_climb(s, RUNG_REKEY);
}

void renewal_failed(struct session *s, bool presented)
{
	if (presented)
		held_wipe(&s->held);
	held_return(s);
	rung_climb(s, s->rung + 1);
}
