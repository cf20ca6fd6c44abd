/* More paths than the one that was given: who answers over which of them. */
#include "client/session/session_private.h"

#include "client/ike/ikev2.h"

static bool live_is_racing(const struct session *s)
{
	return s->live && s->moving && !s->frozen && ike_sa_is_racing(s->live);
}

bool session_is_racing(const struct session *s)
{
	return (s->trial && ike_sa_is_racing(s->trial)) || live_is_racing(s);
}

enum err session_offer_path(struct session *s, const struct ike_path *path,
			    int64_t now_ms)
{
	enum err e = OK;

	if (!session_is_racing(s))
		return ERR_STATE;
	if (s->n_others == SESSION_OTHERS_MAX)
		return ERR_NO_SPACE;
	session_verb_begin(s, now_ms);
	s->others[s->n_others++] = *path;
	/* Port 500 is for first messages: it could not carry ESP. */
	if (live_is_racing(s) && path->remote.port != IKE_PORT) {
		s->path = *path;
		e = ike_sa_race(s->live, path, now_ms);
	}
	if (!e && s->trial && ike_sa_is_racing(s->trial))
		e = ike_sa_race(s->trial, path, now_ms);
	return e;
}

void offer_clear(struct session *s)
{
	s->n_others = 0;
}

void offer_go_on(struct session *s)
{
	for (size_t i = 0; i < s->n_others; i++)
		if (ike_sa_race(s->trial, &s->others[i], s->now_ms) != OK)
			return;
}

void offer_settle(struct session *s, const struct ike_sa *sa)
{
	if (!sa || s->frozen || ike_sa_is_racing(sa))
		return;
	s->path = *ike_sa_path(sa);
	s->n_others = 0;
}

bool session_can_move(const struct session *s)
{
	return s->live && ike_sa_can_move(s->live);
}

bool session_esp_is_plain(const struct session *s)
{
	return s->live && ike_sa_esp_is_plain(s->live);
}

enum err session_probe_len(struct session *s, uint16_t len, int64_t now_ms)
{
	if (!s->live || s->frozen)
		return ERR_STATE;
	session_verb_begin(s, now_ms);
	return ike_sa_probe_len(s->live, len, now_ms);
}

const struct ike_path *session_path(const struct session *s)
{
	return &s->path;
}

/* The one that carries the tunnel is told, in the shortest form there is;
 * another attempt on the old connection is lost with it. */
void session_rekey_child(struct session *s, int64_t now_ms)
{
	session_verb_begin(s, now_ms);
	if (s->live && ike_sa_rekey_child(s->live, now_ms) != OK)
		log_debug("session: no Child SA to replace");
}

void session_reconnected(struct session *s, const struct ike_path *path,
			 int64_t now_ms)
{
	struct ike_sa *sa = s->live ? s->live : s->trial;

	session_verb_begin(s, now_ms);
	s->path = *path;
	if (sa && ike_sa_reconnect(sa, path, now_ms) != OK)
		log_debug("session: nothing goes on over the new connection");
}
