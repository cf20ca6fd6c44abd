/* Repeated authentication, RFC 4478: what an authentication is worth. */
#include "tests/gateway/gw_int.h"

void gw_set_auth_lifetime(struct gw *gw, uint32_t lifetime_s, int64_t now_ms)
{
	gw->now_ms = now_ms;
	gw->cfg.auth_lifetime_s = lifetime_s;
	for (struct gw_sess *s = gw->sessions; s && lifetime_s; s = s->next) {
		s->auth_end_s = gw_wall_s(gw) + lifetime_s;
		if (s->ike)
			gw_job_add(gw, s->ike, GW_TASK_AUTH_LIFETIME, 0);
	}
}

void gw_auth_limit(struct gw *gw, struct gw_sess *s, const struct gw_auth *a)
{
	/* RFC 5723 5: it is told anew, and no resumption makes it longer. */
	if (a->resuming)
		s->auth_end_s = a->ticket.auth_end_s;
	else if (gw->cfg.auth_lifetime_s)
		s->auth_end_s = gw_wall_s(gw) + gw->cfg.auth_lifetime_s;
}

void gw_wr_auth_lifetime(struct gw *gw, const struct gw_sess *s,
			 struct ike_wr *m)
{
	uint8_t data[4];
	struct wr w = wr_open(data, sizeof(data));
	int64_t left_s = s->auth_end_s - gw_wall_s(gw);

	if (!s->auth_end_s)
		return;
	wr_u32(&w, left_s > 0 ? (uint32_t)left_s : 0);
	ike_wr_notify(m, N_AUTH_LIFETIME, wr_view(&w));
}

int64_t gw_auth_end_ms(const struct gw *gw, const struct gw_sess *s)
{
	return s->auth_end_s ? s->auth_end_s * 1000 - gw->cfg.wall_offset_ms
			     : INT64_MAX;
}
