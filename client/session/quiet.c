/* Silence on the path of the living SA, and what it teaches of the NAT there:
 * how seldom keepalives may be. */
#include "client/session/session_private.h"

static void quiet_apply(struct session *s)
{
	const struct keepalive *k = &s->keepalive;

	if (!s->live || !s->cfg.learn_keepalive)
		return;
	ike_sa_set_keepalive(s->live, keepalive_interval_ms(k));
	s->report.keepalive_ms = keepalive_interval_ms(k);
	s->report.nat = k->known;
}

void quiet_begin(struct session *s)
{
	s->report.keepalive_ms = s->cfg.ike.keepalive_ms;
	keepalive_begin(&s->keepalive, s->cfg.ike.keepalive_ms,
			&s->keepalive.known, s->now_ms);
	quiet_apply(s);
}

void session_know_nat(struct session *s, const struct keepalive_known *known)
{
	keepalive_begin(&s->keepalive, s->cfg.ike.keepalive_ms, known,
			s->now_ms);
	quiet_apply(s);
}

void quiet_sent(struct session *s)
{
	keepalive_sent(&s->keepalive, s->now_ms);
}

void quiet_heard(struct session *s)
{
	keepalive_heard(&s->keepalive, s->now_ms);
	quiet_apply(s);
}

void quiet_data(struct session *s, bool ours, int64_t at_ms)
{
	keepalive_data(&s->keepalive, ours, at_ms);
}

void quiet_checked(struct session *s, enum ike_mapping mapping)
{
	if (!s->report.behind_nat)
		return;
	switch (mapping) {
	case IKE_MAPPING_UNTOLD:
		return;
	case IKE_MAPPING_SAME:
		keepalive_checked(&s->keepalive, true);
		break;
	case IKE_MAPPING_OTHER:
		keepalive_checked(&s->keepalive, false);
		break;
	}
	quiet_apply(s);
}
