/* The way to the gateway: its addresses, the race of the ways there, and what
 * changes of it. */
#include "client/run/tunnel_private.h"

#include <string.h>
#include <unistd.h>

#include "client/run/udp.h"
#include "platform/base/log.h"
#include "platform/os.h"

#define RECONNECTS_MAX 2 /* of TCP, without a word from the gateway */

/* The way the tunnel's packets leave the host; also what changes of it are
 * measured against. */
static bool look_at_path(struct tunnel *t, struct netmon_path *out)
{
	return t->netmon && t->path.remote.family != ADDR_NONE &&
	       netmon_path(t->netmon, &t->path.remote, t->mark, out) == OK;
}

static void note_way(struct tunnel *t)
{
	if (!look_at_path(t, &t->way))
		memset(&t->way, 0, sizeof(t->way));
}

static void use_lane(struct tunnel *t, struct lane *l)
{
	bool was_tcp = t->path.tcp;

	if (t->lane == l && addr_eq(&t->path.remote, &l->path.remote))
		return;
	lane_use(l);
	note_way(t);
	if (was_tcp != l->path.tcp && t->since_wall_ms != 0)
		tunnel_fit_network(t);
}

void tunnel_follow_path(struct tunnel *t)
{
	struct lane *l;

	if (session_is_racing(t->session))
		return;
	l = lane_of(t, session_path(t->session));
	if (l && !l->retire_ms)
		use_lane(t, l);
}

void tunnel_path_works(struct tunnel *t)
{
	tunnel_follow_path(t);
	if (!t->lane)
		return;
	lanes_close(t, false);
	t->racing = false;
	t->worked.remote = t->path.remote;
	t->worked.kind = t->lane->kind;
	t->worked.local = t->path.local;
	t->worked.local.port = 0;
}

/* --- the race ------------------------------------------------------------- */

static bool was_tried(const struct tunnel *t, const struct path_try *try)
{
	for (size_t i = 0; i < t->n_tried; i++)
		if (t->tried[i].kind == try->kind &&
		    addr_eq(&t->tried[i].remote, &try->remote))
			return true;
	return false;
}

static size_t plan(const struct tunnel *t, struct path_try out[PATHS_MAX])
{
	const struct profile *p = t->profile;
	struct paths_known k = {
		.addrs = t->addrs,
		.n_addrs = t->n_addrs,
		.transport = p->transport,
		.udp_port = p->port,
		.n_tcp_ports = p->n_tcp_ports,
		.worked = t->worked,
		.same_network = t->same_network,
		.rtt_ms = session_report(t->session)->connect.rtt_ms};

	memcpy(k.tcp_ports, p->tcp_ports, sizeof(k.tcp_ports));
	return paths_plan(&k, out);
}

/* What comes next; false: all was tried. */
static bool next_try(const struct tunnel *t, struct path_try *out)
{
	struct path_try tries[PATHS_MAX];
	size_t n = plan(t, tries);

	if (t->n_tried == PATHS_MAX)
		return false;
	for (size_t i = 0; i < n; i++) {
		*out = tries[i];
		if (!was_tried(t, out))
			return true;
	}
	return false;
}

static enum err try_open(struct tunnel *t, const struct path_try *try,
			 struct lane **out, struct diag *diag)
{
	t->tried[t->n_tried++] = *try;
	t->race_last_ms = os_now().boot_ms;
	return lane_open(t, try, out, diag);
}

/* Only for what is not tried anyway is it worth a socket to find out. */
static void look_at_network(struct tunnel *t)
{
	struct diag diag = DIAG_INIT;
	struct path_try probe = {.remote = t->worked.remote, .kind = PATH_UDP};
	struct lane *l;

	t->same_network = false;
	if (t->worked.remote.family == ADDR_NONE ||
	    t->worked.kind == PATH_UDP || lane_open(t, &probe, &l, &diag))
		return;
	t->same_network = addr_eq_host(&l->path.local, &t->worked.local);
	lane_close(l);
}

static void give_path(struct tunnel *t, enum err why, const char *detail)
{
	enum err e;

	t->path_wanted = false;
	e = session_give_path(t->session, why ? NULL : &t->path, why, detail,
			      os_now().boot_ms);
	if (e)
		log_error("path: %s", err_text(e));
}

/* The first way there is begins; the others follow by the clock. */
static void race_begin(struct tunnel *t)
{
	struct diag diag = DIAG_INIT;
	enum err e = ERR_NAME;
	struct path_try try;
	bool again = false;
	struct lane *l;

	t->n_tried = 0;
	t->race_hurry = false;
	look_at_network(t);
	while (e && next_try(t, &try)) {
		diag_clear(&diag);
		e = try_open(t, &try, &l, &diag);
		/* A route has come since better ways were tried: anew. */
		if (!e && try.kind != PATH_UDP && t->n_tried > 1 && !again) {
			lane_close(l);
			t->n_tried = 0;
			again = true;
			e = ERR_NAME;
		}
	}
	if (e && t->resolver) {
		t->path_wanted = true;
		return;
	}
	t->race_ms = t->race_last_ms;
	t->racing = !e;
	if (!e)
		use_lane(t, l);
	give_path(t, e, diag_text(&diag, e));
}

static int64_t race_deadline(const struct tunnel *t)
{
	uint32_t rtt_ms = session_report(t->session)->connect.rtt_ms;
	int64_t at, soonest;
	struct path_try try;

	if (!t->racing || !session_is_racing(t->session) || !next_try(t, &try))
		return INT64_MAX;
	if (t->race_hurry)
		return 0;
	at = t->race_ms + try.after_ms;
	soonest = t->race_last_ms + paths_delay_ms(rtt_ms);
	return at > soonest ? at : soonest;
}

static void race_on(struct tunnel *t)
{
	struct diag diag = DIAG_INIT;
	struct path_try try;
	struct lane *l;
	enum err e;

	t->race_hurry = false;
	if (!next_try(t, &try))
		return;
	e = try_open(t, &try, &l, &diag);
	if (e) {
		log_debug("race: %s", diag_text(&diag, e));
		t->race_hurry = true;
		return;
	}
	if (session_offer_path(t->session, &l->path, os_now().boot_ms))
		lane_close(l);
	tunnel_pump(t);
}

/* --- a connection that broke ---------------------------------------------- */

/* RFC 9329 6.1: made anew, at once, and the SA goes on over it. */
static void reconnect(struct tunnel *t, const struct path_try *try)
{
	const struct session_report *r = session_report(t->session);
	int64_t now_ms = os_now().boot_ms;
	struct diag diag = DIAG_INIT;
	struct lane *l;

	log_info("the TCP connection to the gateway broke");
	if (r->state == SES_ST_UP && (session_can_move(t->session) ||
				      ++t->reconnects > RECONNECTS_MAX)) {
		session_path_new(t->session, false, now_ms);
	} else if (t->reconnects <= RECONNECTS_MAX &&
		   !lane_open(t, try, &l, &diag)) {
		use_lane(t, l);
		session_reconnected(t->session, &l->path, now_ms);
	}
	tunnel_pump(t);
}

static void lane_broke(struct lane *l)
{
	struct tunnel *t = l->t;
	struct path_try try = {.remote = l->path.remote, .kind = l->kind};
	bool ours = l == t->lane && !session_is_racing(t->session);

	lane_close(l);
	t->race_hurry = true;
	if (ours)
		reconnect(t, &try);
}

/* --- by the clock --------------------------------------------------------- */

static int64_t deadline_of(void *ctx)
{
	const struct tunnel *t = ctx;
	int64_t at = lanes_deadline(t), next = race_deadline(t);

	return next < at ? next : at;
}

static void on_timer(void *ctx)
{
	struct tunnel *t = ctx;
	int64_t now_ms = os_now().boot_ms;

	lanes_expire(t, now_ms);
	for (size_t i = 0; i < LANES_MAX; i++)
		if (t->lanes[i].t && t->lanes[i].broken)
			lane_broke(&t->lanes[i]);
	if (race_deadline(t) <= now_ms)
		race_on(t);
}

enum err tunnel_open_path(struct tunnel *t)
{
	return loop_add_timer(t->loop, deadline_of, on_timer, t);
}

void tunnel_close_path(struct tunnel *t)
{
	lanes_close(t, true);
	if (t->resolver)
		loop_remove(t->loop, resolver_fd(t->resolver));
	resolver_cancel(&t->resolver);
	loop_remove_timer(t->loop, on_timer, t);
}

/* --- the gateway's name --------------------------------------------------- */

static void on_name(void *ctx)
{
	struct addr addrs[PATHS_ADDRS_MAX];
	struct diag diag = DIAG_INIT;
	struct tunnel *t = ctx;
	size_t n = 0;
	enum err e;

	loop_remove(t->loop, resolver_fd(t->resolver));
	e = resolver_take(&t->resolver, addrs, PATHS_ADDRS_MAX, &n, &diag);
	if (e) {
		log_info("%s", diag_text(&diag, e));
	} else {
		memcpy(t->addrs, addrs, sizeof(addrs));
		t->n_addrs = n;
	}
	if (!t->path_wanted)
		return;
	if (e)
		give_path(t, e, diag_text(&diag, e));
	else
		race_begin(t);
	tunnel_pump(t);
}

/* Behind a tunnel that is down the name servers may be out of reach: what is
 * known is tried meanwhile, and what comes joins the race. */
static void ask_name(struct tunnel *t)
{
	const struct ike_redirect *to = &session_report(t->session)->gateway;
	const char *name = to->name[0] ? to->name : t->profile->gateway;
	struct diag diag = DIAG_INIT;
	struct addr addr = to->addr;
	enum err e;

	if (addr.family != ADDR_NONE || addr_parse(name, &addr) == OK) {
		t->addrs[0] = addr;
		t->n_addrs = 1;
		return;
	}
	if (t->resolver)
		loop_remove(t->loop, resolver_fd(t->resolver));
	resolver_cancel(&t->resolver);
	e = resolver_ask(name, &t->resolver, &diag);
	if (!e) {
		e = loop_add(t->loop, resolver_fd(t->resolver), on_name, t);
		if (e)
			resolver_cancel(&t->resolver);
	}
	if (e)
		log_warn("%s", diag_text(&diag, e));
}

/* Sent to another gateway, or back: what is known is of the one before. */
static bool gateway_changed(struct tunnel *t)
{
	const struct ike_redirect *now = &session_report(t->session)->gateway;

	if (addr_eq(&now->addr, &t->gateway.addr) &&
	    strcmp(now->name, t->gateway.name) == 0)
		return false;
	t->gateway = *now;
	t->n_addrs = 0;
	memset(&t->worked, 0, sizeof(t->worked));
	return true;
}

void tunnel_answer_path(struct tunnel *t)
{
	t->cpu_start_us = os_cpu_us();
	lanes_retire(t);
	if (!gateway_changed(t) && t->cache &&
	    t->worked.remote.family == ADDR_NONE)
		ticket_cache_worked(t->cache, t->profile, &t->worked);
	ask_name(t);
	race_begin(t);
}

/* --- the host's network --------------------------------------------------- */

/* Is there a way to another of the gateway's addresses; or, as long as none is
 * known, to somewhere in the Internet? */
static bool is_elsewhere(struct tunnel *t)
{
	static const struct addr somewhere[] = {
		{.family = ADDR_V4, .b = {192, 0, 2, 1}},
		{.family = ADDR_V6, .b = {0x20, 0x01, 0x0d, 0xb8}}};
	const struct addr *list = t->n_addrs > 0 ? t->addrs : somewhere;
	size_t n = t->n_addrs > 0 ? t->n_addrs : 2;
	struct netmon_path way;

	for (size_t i = 0; i < n; i++)
		if (netmon_path(t->netmon, &list[i], t->mark, &way) == OK)
			return true;
	return false;
}

static void on_netmon(void *ctx)
{
	struct tunnel *t = ctx;
	struct netmon_path now;
	int64_t now_ms = os_now().boot_ms;
	bool there, same;

	if (!netmon_drain(t->netmon))
		return;
	tunnel_notice_sleep(t);
	/* Whoever was asked before may be out of reach. */
	if (t->path_wanted)
		ask_name(t);
	there = look_at_path(t, &now);
	if (!there && !is_elsewhere(t)) {
		session_path_lost(t->session, now_ms);
	} else {
		same = there && netmon_path_eq(&now, &t->way);
		if (!tunnel_portal_holds(t, same))
			session_path_new(t->session, same, now_ms);
	}
	tunnel_pump(t);
}

/* Only once there is something to watch: it costs the first connect time,
 * and the interface we make would wake us. */
void tunnel_watch_network(struct tunnel *t)
{
	struct diag diag = DIAG_INIT;
	enum err e;

	if (t->netmon)
		return;
	e = netmon_open(&t->netmon, &diag);
	if (!e)
		e = loop_add(t->loop, netmon_fd(t->netmon), on_netmon, t);
	if (e)
		log_warn("changes of the network stay unseen: %s",
			 diag_text(&diag, e));
	else
		note_way(t);
}
