/* The client's end: a machine that runs a session, as client/run does. */
#include "tests/sim/ses.h"

#include <string.h>

#define PULL_MAX       300
#define PROBE_LEN      1465 /* what our longest packet becomes */
#define NEVER	       INT64_MAX
#define SLEEP_DELAY_MS 3000 /* logind waits no longer than five seconds */

int64_t ses_now(const struct ses *x)
{
	return x->sim.now_ms - x->boot_at_ms;
}

static void new_path(struct ses *x)
{
	struct ike_path *p = &x->sim.c.path;

	sim_must(&x->sim, addr_parse(x->v6 ? "2001:db8:2::2" : "192.0.2.2",
				     &p->local) == OK);
	sim_must(&x->sim, addr_parse(x->v6 ? "2001:db8:1::1" : "203.0.113.1",
				     &p->remote) == OK);
	p->local.port = (uint16_t)(40000 + sim_random(&x->sim, 9999));
	p->remote.port = IKE_PORT_NATT;
}

/* --- the person ---------------------------------------------------------- */

static void give_secret(struct ses *x, bool is_password)
{
	struct sim *s = &x->sim;
	enum err e;

	x->answer_at_ms = NEVER;
	x->has_secret = !x->forgets;
	x->secret_left |= is_password;
	if (!x->forgets)
		session_set_unattended(x->session);
	e = session_give_secret(
		x->session, is_password ? &s->password : &s->psk, ses_now(x));
	/* What had asked may have ended meanwhile. */
	if (e != OK && (e != ERR_STATE || x->slow_ms == 0))
		sim_fail(s, "the secret is not taken: %s", err_text(e));
}

static void ask_secret(struct ses *x, bool is_password)
{
	/* CVE-2015-4171: no credential to a gateway nobody has checked. */
	if (is_password && !x->verified)
		sim_fail(&x->sim, "password asked before the gateway is known");
	if (x->has_secret) {
		give_secret(x, is_password);
		return;
	}
	ses_check_question(x);
	x->answer_password = is_password;
	if (x->slow_ms == 0)
		give_secret(x, is_password);
	else
		x->answer_at_ms =
			x->sim.now_ms + 1 + sim_random(&x->sim, x->slow_ms);
}

static void verify(struct ses *x, const struct ike_action *a)
{
	struct sim *s = &x->sim;
	struct diag diag = DIAG_INIT;
	enum err e = sim_verdict(s, a, &diag);

	x->verified = e == OK;
	e = session_give_verdict(x->session, e == OK ? OK : ERR_UNTRUSTED,
				 diag_text(&diag, e), ses_now(x));
	if (e != OK)
		sim_fail(s, "the verdict is not taken: %s", err_text(e));
}

/* --- actions ------------------------------------------------------------- */

static void act_ike(struct ses *x, const struct ike_action *a)
{
	struct sim *s = &x->sim;

	switch (a->kind) {
	case IKE_DO_SEND:
		/* The socket is that of the newest path. */
		sim_put(s, true, false, a->u.send.dgram, &s->c.path);
		break;
	case IKE_DO_ASK_SECRET:
		ask_secret(x, a->u.ask_secret.is_password);
		break;
	case IKE_DO_ASK_VERIFY:
		verify(x, a);
		break;
	case IKE_DO_NETCONF:
		end_client_children_retire(s);
		s->c.net = *a->u.netconf;
		break;
	case IKE_DO_CHILD_ADD:
		end_client_child_add(s, a->u.child);
		break;
	case IKE_DO_CHILD_DEL:
		end_client_child_del(s, a->u.child_del.spi_in);
		break;
	case IKE_DO_KEEPALIVE:
		x->keepalives++;
		break;
	case IKE_DO_PROBED:
		if (a->u.probed.ok && s->link.takes)
			sim_fail(s, "a long packet came through");
		break;
	case IKE_DO_ASK_TLS:
	case IKE_DO_ASK_SIGN:
	case IKE_DO_TICKET:
	case IKE_DO_TICKET_NONE:
	case IKE_DO_TICKET_VOID:
	case IKE_DO_TICKET_SPENT:
	case IKE_DO_REFUSED:
	case IKE_DO_UP:
	case IKE_DO_MOVED:
	case IKE_DO_ALIVE:
	case IKE_DO_CLOSED:
	case IKE_DO_NOTHING:
		sim_fail(s, "action %d is not for the layer above", a->kind);
	}
}

static void state_is(struct ses *x, enum session_state st)
{
	const struct session_report *r = session_report(x->session);

	sim_say(&x->sim, "session: %s", session_state_text(st));
	x->state = st;
	x->sim.c.up = x->asks_len = st == SES_ST_UP;
	if (st == SES_ST_UP && r->up_ms != x->up_ms && !r->moved) {
		x->totals->ups++;
		x->totals->resumed += r->resumed;
	}
	x->up_ms = r->up_ms;
	if (!session_state_keeps_children(st))
		end_client_children_drop(&x->sim);
}

static void answer_path(struct ses *x)
{
	enum err e;

	if (x->no_path) {
		e = session_give_path(x->session, NULL, ERR_NAME, "no route",
				      ses_now(x));
	} else {
		new_path(x);
		e = session_give_path(x->session, &x->sim.c.path, OK, NULL,
				      ses_now(x));
	}
	if (e != OK)
		sim_fail(&x->sim, "the path is not taken: %s", err_text(e));
}

static void act_closed(struct ses *x, const struct session_action *a)
{
	x->closed = true;
	x->sim.c.up = false;
	x->why = a->u.closed.why;
	x->answer_at_ms = NEVER;
	sim_say(&x->sim, "session: closed, %s: %s", err_name(x->why),
		a->u.closed.detail);
	if (x->state != SES_ST_CLOSED)
		sim_fail(&x->sim, "closed in state %s",
			 session_state_text(x->state));
}

static void act(struct ses *x, const struct session_action *a)
{
	struct sim *s = &x->sim;

	if (x->closed)
		sim_fail(s, "action %d after the end", a->kind);
	switch (a->kind) {
	case SES_DO_IKE:
		act_ike(x, &a->u.ike);
		break;
	case SES_DO_ASK_TICKET:
		sim_must(s, session_give_ticket(x->session, ses_store_take(x),
						ses_now(x)) == OK);
		break;
	case SES_DO_ASK_PATH:
		answer_path(x);
		break;
	case SES_DO_TICKET_STORE:
		ses_store_put(x, a->u.ticket);
		break;
	case SES_DO_TICKET_VOID:
		ses_store_void(x);
		break;
	case SES_DO_STATE:
		state_is(x, a->u.state);
		break;
	case SES_DO_CLOSED:
		act_closed(x, a);
		break;
	case SES_DO_NOTHING:
		break;
	}
}

static void pull(struct ses *x)
{
	struct session_action a;
	unsigned n = 0;

	while (x->session &&
	       (a = session_next_action(x->session)).kind != SES_DO_NOTHING) {
		act(x, &a);
		x->actions++;
		if (++n > PULL_MAX)
			sim_fail(&x->sim, "more than %d actions at once",
				 PULL_MAX);
	}
}

void end_client_pull(struct sim *s)
{
	struct ses *x = (struct ses *)s;

	pull(x);
	if (!x->asks_len)
		return;
	x->asks_len = false;
	if (session_probe_len(x->session, PROBE_LEN, ses_now(x)) == OK)
		pull(x);
}

/* --- the machine --------------------------------------------------------- */

void end_client_free(struct sim *s)
{
	struct ses *x = (struct ses *)s;

	session_free(&x->session);
	end_client_children_drop(s);
	x->taken.there = false; /* in memory only */
	x->has_secret = x->sim.c.up = false;
	x->answer_at_ms = NEVER;
}

void ses_start(struct ses *x)
{
	struct sim *s = &x->sim;
	uint8_t seed[32];

	end_client_free(s);
	sim_say(s, "client: session starts");
	x->closed = x->verified = false;
	x->why = OK;
	x->state = SES_ST_IDLE;
	x->has_secret = x->cfg.unattended;
	rng_draw(&s->rng, seed, sizeof(seed));
	sim_must(s, session_new(&x->cfg, seed, &x->session) == OK);
	sim_must(s, session_start(x->session, ses_now(x)) == OK);
	end_client_pull(s);
}

void ses_suspend(struct ses *x)
{
	session_suspend(x->session, ses_now(x));
	end_client_pull(&x->sim);
	if (!x->closed)
		sim_fail(&x->sim, "a suspend does not end at once");
	end_client_free(&x->sim);
}

void ses_kill(struct ses *x)
{
	end_client_free(&x->sim);
	x->closed = true;
}

void ses_boot(struct ses *x)
{
	x->boot_at_ms = x->sim.now_ms - sim_random(&x->sim, 60000);
}

static void ses_woke(struct ses *x)
{
	if (x->session && !x->closed)
		session_woke(x->session, ses_now(x));
	end_client_pull(&x->sim);
}

void ses_sleep(struct ses *x, int64_t ms)
{
	struct sim *s = &x->sim;

	if (x->session && !x->closed &&
	    session_before_sleep(x->session, ses_now(x))) {
		end_client_pull(s);
		sim_run(s, SLEEP_DELAY_MS);
	}
	x->asleep = true;
	sim_run(s, ms);
	x->asleep = false;
	x->woke_ms = s->now_ms;
	/* The bus may tell after the timers, or only the boot clock does. */
	if (sim_chance(s, 20))
		sim_run(s, sim_random(s, 3000));
	ses_woke(x);
}

void ses_path_lost(struct ses *x)
{
	x->no_path = x->sim.link.cut = true;
	if (x->session && !x->closed)
		session_path_lost(x->session, ses_now(x));
	end_client_pull(&x->sim);
}

void ses_path_new(struct ses *x, bool same)
{
	x->no_path = x->sim.link.cut = false;
	if (x->session && !x->closed)
		session_path_new(x->session, same, ses_now(x));
	end_client_pull(&x->sim);
}

void ses_nat_rebinds(struct ses *x)
{
	if (x->sim.nat == 0)
		return;
	x->totals->nights++;
	x->sim.nat = (uint16_t)(1 + sim_random(&x->sim, 9999));
}

void ses_down(struct ses *x)
{
	session_down(x->session, ses_now(x));
	end_client_pull(&x->sim);
}

void ses_data(struct ses *x)
{
	struct sim *s = &x->sim;

	if (x->asleep || !x->session || x->closed || s->c.sending == 0)
		return;
	end_client_data(s);
	session_spoke(x->session, ses_now(x));
}

/* --- what the clock and the wire bring ----------------------------------- */

void end_client_input(struct sim *s, struct sim_packet *p)
{
	struct ses *x = (struct ses *)s;
	struct esp_pkt pkt = {p->d + ESP_HEADROOM, p->len};
	uint64_t before = s->got_down;
	enum err e;

	/* Nobody listens, or on another socket. */
	if (x->asleep || !x->session || x->closed ||
	    !addr_eq(&p->path.local, &s->c.path.local))
		return;
	if (p->esp) {
		end_client_esp(s, &pkt);
		if (s->got_down > before)
			session_heard(x->session, ses_now(x));
		return;
	}
	e = session_input(x->session, pkt.p, pkt.len, &p->path, ses_now(x));
	if (e != OK && e != ERR_NOT_FOUND)
		sim_fail(s, "input: %s", err_text(e));
	end_client_pull(s);
}

int64_t end_client_deadline(const struct sim *s)
{
	const struct ses *x = (const struct ses *)s;
	int64_t at;

	if (x->asleep || !x->session || x->closed)
		return NEVER;
	at = session_next_deadline(x->session);
	if (at != NEVER)
		at += x->boot_at_ms;
	return at < x->answer_at_ms ? at : x->answer_at_ms;
}

void end_client_timeout(struct sim *s)
{
	struct ses *x = (struct ses *)s;
	unsigned before = x->actions;
	int64_t next;

	if (x->answer_at_ms <= s->now_ms) {
		give_secret(x, x->answer_password);
		end_client_pull(s);
		return;
	}
	session_timeout(x->session, ses_now(x));
	end_client_pull(s);
	x->wakes++;
	x->idle_wakes += x->actions == before;
	next = end_client_deadline(s);
	if (next <= s->now_ms)
		sim_fail(s, "busy loop: the deadline of %lld stays",
			 (long long)next);
}
