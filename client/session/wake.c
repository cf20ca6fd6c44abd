/* Sleep and wake-up. Nobody knows how long the machine sleeps: before it, a
 * ticket that lasts; after it, the SA may be dead or not, and what tells is
 * asked at the same time as the ticket is presented. The first answer that
 * carries the tunnel wins. */
#include "client/session/session_private.h"

#include <string.h>

bool session_before_sleep(struct session *s, int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	if (s->report.state != SES_ST_UP || s->trial || s->rung != RUNG_REST ||
	    s->report.renew_at_ms == SESSION_NEVER || !s->sleep_renew_at_ms ||
	    now_ms < s->sleep_renew_at_ms)
		return false;
	renewal_due(s);
	return true;
}

/* The SA that slept is asked whether it lives, and the ticket goes out beside
 * that. */
void wake_check(struct session *s)
{
	if (ike_sa_check_alive(s->live, s->now_ms) != OK)
		log_debug("session: the SA cannot be checked now");
	s->doubtful = true;
	/* A renewal under way finds out as well. */
	if (s->trial)
		return;
	s->moving = s->checking = true;
	s->kept_connect = s->report.connect;
	s->kept_started_ms = s->report.started_ms;
	memset(&s->report.connect, 0, sizeof(s->report.connect));
	s->before = *ike_sa_stats(s->live);
	s->report.started_ms = s->now_ms;
	session_set_state(s, SES_ST_CHECKING, "woke up");
	move_hedge_plan(s);
}

void wake_alive(struct session *s)
{
	s->doubtful = false;
	if (!s->checking)
		return;
	s->report.connect = s->kept_connect;
	s->report.started_ms = s->kept_started_ms;
	move_over(s);
	session_set_state(s, SES_ST_UP, "the SA lives");
	renewal_go_on(s);
}

void session_woke(struct session *s, int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	s->doubtful = s->live != NULL;
	quiet_begin(s); /* a sleep is no silence that we chose */
	switch (s->report.state) {
	case SES_ST_UP:
		wake_check(s);
		break;
	case SES_ST_WAITING:
	case SES_ST_RESUMING:
	case SES_ST_CONNECTING:
		session_path_new(s, false, now_ms);
		break;
	case SES_ST_NO_PATH:
	case SES_ST_MOVING:
	case SES_ST_CHECKING:
	case SES_ST_IDLE:
	case SES_ST_CLOSING:
	case SES_ST_CLOSED:
		break;
	}
}
