/* Another path for the living SA (MOBIKE): one round trip where the gateway
 * goes along, and the ladder beside it where it is slow to say so. */
#include "client/session/session_private.h"

#include <string.h>

#define HEDGE_MIN_MS 250
/* A full exchange beside the SA brings another address inside, and connections
 * through the tunnel end: only where the SA has most likely gone. */
#define FULL_MIN_MS 4000

const char *session_how(const struct session_report *r)
{
	if (r->moved)
		return "mobike";
	return r->resumed ? "resumed" : "full";
}

void move_forget(struct session *s)
{
	s->moving = s->checking = s->doubtful = s->ticket_only = false;
	s->hedge_at_ms = SESSION_NEVER;
}

/* The attempt beside the living SA stood on the path that is gone. */
static void drop_trial(struct session *s)
{
	if (ladder_presented(s))
		held_wipe(&s->held);
	else
		held_return(s);
	attempts_drop(s);
}

bool move_begin(struct session *s)
{
	if (!ike_sa_can_move(s->live))
		return false;
	if (ladder_presented(s))
		s->following = s->followed = true;
	else
		drop_trial(s);
	if (!s->moving) {
		memset(&s->report.connect, 0, sizeof(s->report.connect));
		s->before = *ike_sa_stats(s->live);
		s->report.started_ms = s->now_ms;
	}
	s->moving = true;
	s->checking = s->ticket_only = false;
	s->frozen = true; /* until there is a path */
	s->hedge_at_ms = SESSION_NEVER;
	session_note(s, ERR_NO_ANSWER, "the network changed");
	session_set_state(s, SES_ST_MOVING, "the network changed");
	if (!s->asked_path)
		ladder_ask_path(s);
	return true;
}

/* The path is gone again before the gateway knew it. */
void move_lost_path(struct session *s)
{
	if (!ladder_presented(s))
		drop_trial(s);
	s->hedge_at_ms = SESSION_NEVER;
}

bool move_needs_path(const struct session *s, bool same)
{
	return !same || (s->moving && s->frozen);
}

void move_hedge_later(struct session *s)
{
	int64_t wait_ms = 3 * (int64_t)s->before.rtt_ms;

	s->hedge_at_ms =
		s->now_ms + (wait_ms > HEDGE_MIN_MS ? wait_ms : HEDGE_MIN_MS);
	s->full_at_ms = s->now_ms + 2 * wait_ms;
	if (s->full_at_ms < s->now_ms + FULL_MIN_MS)
		s->full_at_ms = s->now_ms + FULL_MIN_MS;
}

void move_give_path(struct session *s, const struct ike_path *path)
{
	enum err e;

	if (!path) {
		ladder_wait(s, SES_ST_NO_PATH, ERR_NO_ANSWER);
		return;
	}
	s->path = *path;
	s->frozen = false;
	session_set_state(s, SES_ST_MOVING, "there is a path");
	if (s->followed)
		follow(s);
	e = ike_sa_move(s->live, path, s->now_ms);
	if (e) {
		session_note(s, e, NULL);
		ladder_lost(s, e);
		return;
	}
	move_hedge_plan(s);
}

void move_hedge_plan(struct session *s)
{
	move_hedge_later(s);
	if (s->doubtful && s->cfg.use_tickets && !s->asked_ticket) {
		s->ticket_only = true;
		move_hedge(s);
	}
}

/* The gateway may have forgotten the SA, or the path passes too little: the
 * first to come up carries the tunnel. */
void move_hedge(struct session *s)
{
	s->hedge_at_ms = SESSION_NEVER;
	if (s->trial)
		return;
	log_info("session: connecting beside the SA that is in doubt");
	if (!s->cfg.use_tickets || s->held.here) {
		ladder_begin(s);
	} else if (!s->asked_ticket) {
		s->asked_ticket = true;
		session_push(s, SES_DO_ASK_TICKET);
	}
}

static void count(struct session *s)
{
	const struct ike_stats *now = ike_sa_stats(s->live), *was = &s->before;
	struct ike_stats *c = &s->report.connect;

	c->round_trips += now->round_trips - was->round_trips;
	c->sent_packets += now->sent_packets - was->sent_packets;
	c->received_packets += now->received_packets - was->received_packets;
	c->sent_octets += now->sent_octets - was->sent_octets;
	c->received_octets += now->received_octets - was->received_octets;
	c->retransmissions += now->retransmissions - was->retransmissions;
	c->rtt_ms = now->rtt_ms;
}

bool attempt_sent_auth(const struct session *s)
{
	enum ike_state st = s->trial ? ike_sa_state(s->trial) : IKE_ST_IDLE;

	return st == IKE_ST_AUTH || st == IKE_ST_EAP;
}

void move_over(struct session *s)
{
	move_forget(s);
	s->retry_ms = s->cfg.retry_min_ms;
	if (!attempt_sent_auth(s)) /* else it comes to its end */
		drop_trial(s);
}

void move_done(struct session *s, bool ok, bool behind_nat)
{
	if (!s->moving) { /* a NAT's mapping changed */
		s->report.behind_nat = behind_nat;
		return;
	}
	if (!ok) {
		session_note(s, ERR_PEER, "gateway refused the new address");
		ladder_lost(s, ERR_PEER);
		return;
	}
	move_over(s);
	s->keepalive.known = (struct keepalive_known){0, 0};
	quiet_begin(s);
	count(s);
	s->report.behind_nat = behind_nat;
	s->report.moved = true;
	s->report.up_ms = s->now_ms;
	session_set_state(s, SES_ST_UP, "moved");
	renewal_go_on(s);
}
