/* The client's end: answers what the core asks, keeps its ticket. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

static struct ike_name name_of(uint8_t type, const char *text)
{
	struct ike_name n = {.type = type, .len = (uint16_t)strlen(text)};

	memcpy(n.b, text, n.len);
	return n;
}

static void all_networks(struct ike_ts_list *out)
{
	struct prefix p = {.addr = {.family = ADDR_V4}};

	out->n = 2;
	ike_ts_from_prefix(&p, &out->ts[0]);
	p.addr.family = ADDR_V6;
	ike_ts_from_prefix(&p, &out->ts[1]);
}

static void new_path(struct sim *s)
{
	s->c.path.local =
		(struct addr){.family = ADDR_V4,
			      .port = (uint16_t)(40000 + sim_random(s, 9999)),
			      .b = {192, 0, 2, 2}};
	s->c.path.remote = (struct addr){.family = ADDR_V4,
					 .port = IKE_PORT_NATT,
					 .b = {203, 0, 113, 1}};
}

void end_client_init(struct sim *s)
{
	struct ike_config *c = &s->c.cfg.ike;

	c->id_local = name_of(ID_RFC822_ADDR, "me@example.org");
	c->id_remote = name_of(ID_FQDN, "gw.example.org");
	c->eap_user = name_of(0, "me");
	c->auth = IKE_AUTH_PSK;
	proposals_default(PROTO_IKE, &c->ike_proposals);
	proposals_default(PROTO_ESP, &c->esp_proposals);
	all_networks(&c->ts_local);
	all_networks(&c->ts_remote);
	c->want_ipv4 = c->want_ipv6 = c->want_dns = true;
	c->want_ticket = true;
	c->force_encap = true;
	c->fragmentation = true;
	c->mobike = true;
	c->max_datagram = 1200;
	c->dpd_ms = 30000;
	c->rto_ms = 500;
	c->max_tries = 8;
	s->c.cfg.use_tickets = true;
	s->c.cfg.renewal = RENEWAL_AUTO;
	s->c.cfg.persistent = true;
	s->c.cfg.retry_min_ms = 1000;
	s->c.cfg.retry_max_ms = 60000;
	new_path(s);
}

/* --- ticket store -------------------------------------------------------- */

static void ticket_keep(struct sim *s, const struct ike_ticket *t)
{
	if (t->opaque.len > sizeof(s->c.opaque))
		sim_fail(s, "ticket of %zu octets", t->opaque.len);
	if (t->opaque.p != s->c.opaque)
		memcpy(s->c.opaque, t->opaque.p, t->opaque.len);
	s->c.ticket = *t;
	s->c.ticket.opaque.p = s->c.opaque;
	s->c.expires_ms = s->now_ms + (int64_t)t->lifetime_s * 1000;
	s->c.have_ticket = true;
}

static void ticket_spent(struct sim *s)
{
	if (s->c.n_spent == SIM_SPENT_MAX)
		sim_fail(s, "too many tickets");
	memcpy(s->c.spent[s->c.n_spent++], s->c.presented, 32);
	s->c.presenting = false;
}

/* --- starting ------------------------------------------------------------ */

void end_client_move(struct sim *s)
{
	if (!ike_sa_can_move(s->c.sa))
		return;
	if (!s->c.moving)
		s->c.before = s->c.path;
	s->c.moving = true;
	new_path(s);
	sim_must(s, ike_sa_move(s->c.sa, &s->c.path, s->now_ms) == OK);
	end_client_pull(s);
}

static void fresh(struct sim *s)
{
	end_client_free(s);
	s->c.moving = false;
	s->c.up = s->c.closed = s->c.resumed = s->c.verified = false;
	s->c.password_given = s->c.auth_sent = false;
	s->c.why = OK;
	s->c.detail[0] = '\0';
	new_path(s);
}

static void core_new(struct sim *s)
{
	uint8_t seed[32];

	fresh(s);
	rng_draw(&s->rng, seed, sizeof(seed));
	sim_must(s, ike_sa_new(&s->c.cfg.ike, seed, &s->c.sa) == OK);
}

void end_client_full(struct sim *s)
{
	sim_say(s, "client: full exchange");
	core_new(s);
	sim_must(s, ike_sa_start(s->c.sa, &s->c.path, s->now_ms) == OK);
	end_client_pull(s);
}

void end_client_resume(struct sim *s)
{
	sim_say(s, "client: resumes");
	core_new(s);
	sim_must(s, s->c.have_ticket);
	s->c.have_ticket = false;
	s->c.taken = true;
	sim_must(s, ike_sa_resume(s->c.sa, &s->c.ticket, &s->c.path,
				  s->now_ms) == OK);
	end_client_pull(s);
}

void end_client_session(struct sim *s)
{
	uint8_t seed[32];

	sim_say(s, "client: session starts");
	fresh(s);
	s->c.by_session = true;
	rng_draw(&s->rng, seed, sizeof(seed));
	sim_must(s, session_new(&s->c.cfg, seed, &s->c.ses) == OK);
	sim_must(s, session_start(s->c.ses, s->now_ms) == OK);
	end_client_pull(s);
}

/* --- answering ----------------------------------------------------------- */

static enum err give_verdict(struct sim *s, enum err e, const char *detail)
{
	return s->c.ses != NULL
		       ? session_give_verdict(s->c.ses, e, detail, s->now_ms)
		       : ike_sa_give_verdict(s->c.sa, e, detail, s->now_ms);
}

static void verify(struct sim *s, const struct ike_action *a)
{
	struct diag diag = DIAG_INIT;
	enum err e = sim_verdict(s, a, &diag);

	s->c.verified = e == OK;
	sim_must(s, give_verdict(s, e, diag_text(&diag, e)) == OK);
}

static void give_secret(struct sim *s, bool is_password)
{
	const struct secret *x = is_password ? &s->password : &s->psk;
	enum err e;

	/* CVE-2015-4171: no credential to a gateway nobody has checked. */
	if (is_password && !s->c.verified)
		sim_fail(s, "password asked before the gateway is known");
	s->c.password_given = s->c.password_given || is_password;
	e = s->c.ses != NULL ? session_give_secret(s->c.ses, x, s->now_ms)
			     : ike_sa_give_secret(s->c.sa, x, s->now_ms);
	sim_must(s, e == OK);
}

static void core_up(struct sim *s, const struct ike_action *a)
{
	s->c.up = true;
	s->c.ups++;
	s->c.resumed = a->u.up.resumed;
	s->c.taken = false;
}

static void core_closed(struct sim *s, const struct ike_action *a)
{
	s->c.up = false;
	s->c.closed = true;
	s->c.why = a->u.closed.why;
	s->c.auth_sent = a->u.closed.auth_sent;
	snprintf(s->c.detail, sizeof(s->c.detail), "%s", a->u.closed.detail);
	end_client_children_drop(s);
	/* Surely not used: it may be presented again. */
	if (s->c.taken && !s->c.auth_sent && s->c.why != ERR_TICKET_REFUSED)
		s->c.have_ticket = true;
	s->c.taken = false;
	sim_say(s, "client: closed, %s: %s", err_name(s->c.why), s->c.detail);
}

static void act(struct sim *s, const struct ike_action *a)
{
	switch (a->kind) {
	case IKE_DO_SEND:
		sim_put(s, true, false, a->u.send.dgram, &a->u.send.path);
		break;
	case IKE_DO_ASK_SECRET:
		give_secret(s, a->u.ask_secret.is_password);
		break;
	case IKE_DO_ASK_SIGN:
	case IKE_DO_ASK_TLS:
		sim_fail(s, "a signature was asked");
	case IKE_DO_ASK_VERIFY:
		verify(s, a);
		break;
	case IKE_DO_NETCONF:
		/* The gateway is authenticated: the ticket made an SA. */
		if (s->c.presenting)
			ticket_spent(s);
		end_client_children_retire(s);
		s->c.net = *a->u.netconf;
		break;
	case IKE_DO_CHILD_ADD:
		end_client_child_add(s, a->u.child);
		break;
	case IKE_DO_CHILD_DEL:
		end_client_child_del(s, a->u.child_del.spi_in);
		break;
	case IKE_DO_TICKET:
		sim_say(s, "client: ticket");
		ticket_keep(s, a->u.ticket);
		break;
	case IKE_DO_TICKET_VOID:
		sim_say(s, "client: ticket void");
		s->c.have_ticket = false;
		break;
	case IKE_DO_TICKET_SPENT:
	case IKE_DO_REFUSED:
	case IKE_DO_TICKET_NONE:
		break;
	case IKE_DO_UP:
		sim_say(s, "client: up%s", a->u.up.resumed ? ", resumed" : "");
		core_up(s, a);
		break;
	case IKE_DO_CLOSED:
		core_closed(s, a);
		break;
	case IKE_DO_MOVED:
		sim_say(s, "client: moved, %s",
			a->u.moved.ok ? "taken" : "refused");
		if (!a->u.moved.ok && s->c.moving)
			s->c.path = s->c.before;
		s->c.moving = false;
		break;
	case IKE_DO_KEEPALIVE:
	case IKE_DO_ALIVE:
	case IKE_DO_PROBED:
	case IKE_DO_NOTHING:
		break;
	}
}

/* --- the session's actions ----------------------------------------------- */

static void session_state_is(struct sim *s, enum session_state st)
{
	const struct session_report *r = session_report(s->c.ses);

	sim_say(s, "session: %s", session_state_text(st));
	s->c.up = st == SES_ST_UP;
	s->c.ups += st == SES_ST_UP;
	if (st == SES_ST_CONNECTING || st == SES_ST_RESUMING) {
		s->c.verified = false;
		end_client_children_drop(s);
	}
	if (st != SES_ST_UP)
		return;
	s->c.resumed = r->resumed;
}

static void session_act(struct sim *s, const struct session_action *a)
{
	const struct ike_ticket *t;

	switch (a->kind) {
	case SES_DO_IKE:
		act(s, &a->u.ike);
		break;
	case SES_DO_ASK_TICKET:
		t = s->c.have_ticket ? &s->c.ticket : NULL;
		s->c.have_ticket = false;
		sim_must(s, session_give_ticket(s->c.ses, t, s->now_ms) == OK);
		break;
	case SES_DO_ASK_PATH:
		new_path(s);
		sim_must(s, session_give_path(s->c.ses, &s->c.path, OK, NULL,
					      s->now_ms) == OK);
		break;
	case SES_DO_TICKET_STORE:
		sim_say(s, "session: ticket to store");
		ticket_keep(s, a->u.ticket);
		break;
	case SES_DO_TICKET_VOID:
		sim_say(s, "session: ticket void");
		s->c.have_ticket = false;
		break;
	case SES_DO_STATE:
		session_state_is(s, a->u.state);
		break;
	case SES_DO_CLOSED:
		s->c.up = false;
		s->c.closed = true;
		s->c.why = a->u.closed.why;
		snprintf(s->c.detail, sizeof(s->c.detail), "%s",
			 a->u.closed.detail);
		sim_say(s, "session: closed, %s: %s", err_name(s->c.why),
			s->c.detail);
		break;
	case SES_DO_NOTHING:
		break;
	}
}

#define PULL_MAX 300

void end_client_pull(struct sim *s)
{
	struct session_action sa;
	struct ike_action a;
	unsigned n = 0;

	while (s->c.ses != NULL &&
	       (sa = session_next_action(s->c.ses)).kind != SES_DO_NOTHING) {
		session_act(s, &sa);
		if (++n > PULL_MAX)
			sim_fail(s, "more than %d actions at once", PULL_MAX);
	}
	while (s->c.sa != NULL &&
	       (a = ike_sa_next_action(s->c.sa)).kind != IKE_DO_NOTHING) {
		act(s, &a);
		if (++n > PULL_MAX)
			sim_fail(s, "more than %d actions at once", PULL_MAX);
	}
}

/* --- verbs --------------------------------------------------------------- */

void end_client_free(struct sim *s)
{
	ike_sa_free(&s->c.sa);
	session_free(&s->c.ses);
	end_client_children_drop(s);
}

void end_client_input(struct sim *s, struct sim_packet *p)
{
	struct esp_pkt pkt = {p->d + ESP_HEADROOM, p->len};
	enum err e = OK;

	/* Another socket by now. */
	if (!addr_eq(&p->path.local, &s->c.path.local) &&
	    !(s->c.moving && addr_eq(&p->path.local, &s->c.before.local)))
		return;
	if (p->esp) {
		end_client_esp(s, &pkt);
		return;
	}
	if (s->c.ses != NULL)
		e = session_input(s->c.ses, pkt.p, pkt.len, &p->path,
				  s->now_ms);
	else if (s->c.sa != NULL)
		e = ike_sa_input(s->c.sa, pkt.p, pkt.len, &p->path, s->now_ms);
	if (e != OK && e != ERR_NOT_FOUND)
		sim_fail(s, "input: %s", err_text(e));
	end_client_pull(s);
}

int64_t end_client_deadline(const struct sim *s)
{
	if (s->c.ses != NULL)
		return session_next_deadline(s->c.ses);
	return s->c.sa != NULL ? ike_sa_next_deadline(s->c.sa) : INT64_MAX;
}

void end_client_timeout(struct sim *s)
{
	if (s->c.ses != NULL)
		session_timeout(s->c.ses, s->now_ms);
	else if (s->c.sa != NULL)
		ike_sa_timeout(s->c.sa, s->now_ms);
	end_client_pull(s);
}
