/* Another gateway instead of ours, because ours says so (RFC 5685). It has to
 * prove the same identity. Where it leads nowhere, ours is asked again. */
#include "client/session/session_private.h"

#include <string.h>

#define FOLLOWED_MAX 5 /* within the period, RFC 5685 7 */
#define PERIOD_MS    300000

static bool is_elsewhere(const struct session *s)
{
	return s->report.gateway.addr.family != ADDR_NONE ||
	       s->report.gateway.name[0] != '\0';
}

static bool may_follow(struct session *s)
{
	if (s->now_ms - s->redirects_since_ms >= PERIOD_MS) {
		s->redirects_since_ms = s->now_ms;
		s->redirects = 0;
	}
	return s->redirects++ < FOLLOWED_MAX;
}

/* A ticket is good where it was given. */
static void go(struct session *s, bool is_live)
{
	s->held.refused = s->held.here;
	if (is_live) {
		ladder_lost(s, ERR_GONE);
		return;
	}
	attempts_drop(s);
	ladder_ask_path(s);
}

bool redirect_forget(struct session *s)
{
	if (!is_elsewhere(s))
		return false;
	log_info("session: back to the gateway of the profile");
	memset(&s->report.gateway, 0, sizeof(s->report.gateway));
	memset(&s->cfg.ike.redirected_from, 0,
	       sizeof(s->cfg.ike.redirected_from));
	return true;
}

/* What a gateway that is not ours, or is not there, makes of an attempt. */
static bool leads_nowhere(enum err why)
{
	return why == ERR_NO_ANSWER || why == ERR_UNTRUSTED ||
	       why == ERR_PEER || why == ERR_NO_PROPOSAL;
}

bool redirect_closed(struct session *s, bool is_live,
		     const struct ike_action *a)
{
	const struct ike_redirect *to = a->u.closed.redirect;

	if (s->report.state == SES_ST_CLOSING)
		return false;
	if (to && may_follow(s)) {
		s->cfg.ike.redirected_from = s->path.remote;
		s->cfg.ike.redirected_from.port = 0;
		s->report.gateway = *to;
		go(s, is_live);
		return true;
	}
	if (to || is_live || s->trial_resumes ||
	    !leads_nowhere(a->u.closed.why) || !redirect_forget(s))
		return false;
	go(s, false);
	return true;
}
