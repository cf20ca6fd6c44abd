/* A network that lets nothing through yet. */
#include "client/session/session_private.h"

bool session_hold(struct session *s, const char *why, int64_t now_ms)
{
	if (!s->cfg.persistent && !s->live)
		return false;
	switch (s->report.state) {
	case SES_ST_MOVING:
	case SES_ST_CHECKING:
		session_path_lost(s, now_ms);
		break;
	case SES_ST_RESUMING:
	case SES_ST_CONNECTING:
	case SES_ST_WAITING:
	case SES_ST_NO_PATH:
		session_verb_begin(s, now_ms);
		if (ladder_presented(s))
			held_wipe(&s->held);
		else
			held_return(s);
		attempts_drop(s);
		s->asked_path = s->asked_ticket = false;
		s->retry_at_ms = SESSION_NEVER;
		break;
	case SES_ST_IDLE:
	case SES_ST_UP:
	case SES_ST_CLOSING:
	case SES_ST_CLOSED:
		return false;
	}
	session_note(s, ERR_NO_ANSWER, why);
	session_set_state(s, SES_ST_NO_PATH, why);
	return true;
}
