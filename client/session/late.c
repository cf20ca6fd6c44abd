/* A ticket refused by a message that nobody signed (RFC 5723 4.3.2): perhaps
 * by an attacker who was first to answer. The attempt goes on listening while
 * a full exchange begins beside it, and a true answer that comes late still
 * spares the person. */
#include "client/session/session_private.h"

#define GRACE_MIN_MS 500

void late_begin(struct session *s, const struct ike_action *a)
{
	session_note(s, a->u.refused.why, a->u.refused.detail);
	/* Nobody waits for a renewal: it comes to its own end. */
	if (s->live && !s->moving)
		return;
	log_info("session: %s; connecting beside", s->report.last_detail);
	s->late = s->trial;
	s->trial = NULL;
	s->held.refused = true;
	s->refused_at_ms = s->now_ms;
	ladder_begin(s);
}

bool late_defers_question(struct session *s, const struct ike_sa *from,
			  const struct ike_action *a)
{
	int64_t wait_ms;

	if (!s->late || from != s->trial)
		return false;
	/* The true answer was asked for a round trip before, at least. */
	wait_ms = 2 * (int64_t)ike_sa_stats(s->trial)->rtt_ms;
	if (wait_ms < GRACE_MIN_MS)
		wait_ms = GRACE_MIN_MS;
	if (s->now_ms >= s->refused_at_ms + wait_ms)
		return false;
	s->question = *a;
	s->asking = s->trial;
	s->ask_at_ms = s->refused_at_ms + wait_ms;
	return true;
}

void late_ask(struct session *s)
{
	s->ask_at_ms = SESSION_NEVER;
	if (s->trial && s->asking == s->trial)
		session_push_ike(s, &s->question);
}

/* With INITIAL_CONTACT in it the full exchange ends every other SA. */
static bool full_is_ahead(const struct session *s)
{
	return s->trial && s->cfg.unattended && attempt_sent_auth(s);
}

void late_answered(struct session *s)
{
	enum ike_state st = ike_sa_state(s->late);

	if (st == IKE_ST_RESUME || st == IKE_ST_CLOSED)
		return;
	if (full_is_ahead(s)) {
		ike_sa_free(&s->late); /* before its IKE_AUTH has left */
		return;
	}
	log_info("session: the ticket is accepted after all");
	ike_sa_free(&s->trial);
	s->trial = s->late;
	s->late = NULL;
	s->trial_resumes = true;
	s->early_ticket = NULL;
	s->early_later = false;
	s->ask_at_ms = SESSION_NEVER;
	s->held.refused = false;
	offer_settle(s, s->trial);
	if (!s->live)
		session_set_state(s, SES_ST_RESUMING, "accepted after all");
}

void attempts_drop(struct session *s)
{
	s->early_ticket = NULL;
	s->early_later = false;
	s->ask_at_ms = SESSION_NEVER;
	ike_sa_free(&s->trial);
	ike_sa_free(&s->late);
	s->followed = false;
}
