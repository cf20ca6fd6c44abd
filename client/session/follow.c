/* The path changes while a resumption is under way whose ticket was presented,
 * alone or beside the living SA: it may be used up by now, and beginning anew
 * would need a person. The attempt goes on over the new path, as the gateway
 * answers a request that is repeated to where it came from (RFC 7296 2.11).
 * But what it made may stand on the path before: once it is up, it moves. */
#include "client/session/session_private.h"

void follow(struct session *s)
{
	if (ike_sa_reconnect(s->trial, &s->path, s->now_ms) != OK)
		log_debug("session: the attempt does not go on");
}

bool follow_begin(struct session *s)
{
	if (s->live || !ladder_presented(s))
		return false;
	s->following = s->followed = true;
	if (!s->asked_path)
		ladder_ask_path(s);
	return true;
}

bool follow_give_path(struct session *s, const struct ike_path *path)
{
	bool follows = s->following;

	s->following = false;
	if (!follows || s->moving)
		return false;
	if (s->live)
		return true; /* up meanwhile: it asks anew */
	if (!ladder_presented(s)) {
		/* Over meanwhile: what came next stands on the path before. */
		s->retry_at_ms = SESSION_NEVER;
		attempts_drop(s);
		return false;
	}
	if (!path)
		return true; /* it times out, or there is one later */
	s->path = *path;
	follow(s);
	return true;
}

bool follow_is_due(const struct session *s)
{
	return s->followed && s->live && s->report.state == SES_ST_UP;
}
