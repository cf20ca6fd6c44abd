#include "client/run/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/run/resolve.h"
#include "client/run/tunnel_private.h"
#include "client/run/udp.h"
#include "platform/base/log.h"
#include "platform/os.h"

#define TRIES_BY_ADDR 3
#define DEFAULT_MTU   1400

static int64_t deadline_of(void *ctx)
{
	struct tunnel *t = ctx;

	return session_next_deadline(t->session);
}

static void on_timer(void *ctx)
{
	struct tunnel *t = ctx;

	session_timeout(t->session, os_now().boot_ms);
	tunnel_pump(t);
}

static void on_udp(void *ctx)
{
	struct tunnel *t = ctx;
	uint8_t *buf = t->dgram + ESP_HEADROOM;
	int64_t now_ms = os_now().boot_ms;
	bool heard = false;
	struct bytes in;
	enum udp_kind kind;
	enum err e;

	for (size_t i = 0; i < DATAPLANE_BATCH && t->udp_fd >= 0; i++) {
		kind = udp_receive(t->udp_fd, buf,
				   sizeof(t->dgram) - ESP_HEADROOM, &in);
		if (kind == UDP_NOTHING)
			break;
		if (kind == UDP_ESP) {
			heard |= dataplane_receive(t->dataplane, buf, in.len);
		} else if (kind == UDP_IKE) {
			e = session_input(t->session, buf + UDP_MARKER_LEN,
					  in.len, &t->path, now_ms);
			if (e)
				log_debug("udp: datagram dropped: %s",
					  err_text(e));
			tunnel_pump(t);
		}
	}
	if (heard)
		session_heard(t->session, now_ms);
}

static void on_tun(void *ctx)
{
	struct tunnel *t = ctx;

	if (dataplane_send(t->dataplane, t->udp_fd))
		session_spoke(t->session, os_now().boot_ms);
}

/* The helper is gone, and with it everything it had set. */
static void on_net(void *ctx)
{
	struct tunnel *t = ctx;

	loop_remove(t->loop, net_fd(t->net));
	log_error("the network helper vpn-netd ended");
	session_suspend(t->session, os_now().boot_ms);
	tunnel_pump(t);
}

static void close_udp(struct tunnel *t)
{
	if (t->udp_fd < 0)
		return;
	loop_remove(t->loop, t->udp_fd);
	close(t->udp_fd);
	t->udp_fd = -1;
}

static enum err open_udp(struct tunnel *t, const struct addr *remote,
			 struct diag *diag)
{
	enum err e;

	close_udp(t);
	e = net_open_udp(t->net, remote->family, &t->udp_fd, diag);
	if (!e)
		e = udp_connect(t->udp_fd, remote, &t->path, diag);
	if (!e)
		e = loop_add(t->loop, t->udp_fd, on_udp, t);
	if (e && t->udp_fd >= 0) {
		close(t->udp_fd);
		t->udp_fd = -1;
	}
	return e;
}

/* The way the socket's packets leave the host; also what changes of it are
 * measured against. */
static bool look_at_path(struct tunnel *t, struct netmon_path *out)
{
	return t->netmon && netmon_path(t->netmon, &t->path.remote,
					udp_mark(t->udp_fd), out) == OK;
}

static void on_netmon(void *ctx)
{
	struct tunnel *t = ctx;
	struct netmon_path now;
	int64_t now_ms = os_now().boot_ms;

	if (!netmon_drain(t->netmon))
		return;
	if (t->path.remote.family == ADDR_NONE || !look_at_path(t, &now))
		session_path_lost(t->session, now_ms);
	else
		session_path_new(t->session, netmon_path_eq(&now, &t->way),
				 now_ms);
	tunnel_pump(t);
}

/* The gateway's addresses: asked for by name at first and when those we
 * know did not help; behind a tunnel that is down the name servers may be
 * out of reach. */
static enum err find_gateway(struct tunnel *t, struct diag *diag)
{
	if (t->n_addrs > 0 && ++t->tries_by_addr < TRIES_BY_ADDR)
		return OK;
	t->tries_by_addr = 0;
	return resolve_name(t->profile->gateway, t->profile->port, t->addrs,
			    GATEWAY_ADDRS_MAX, &t->n_addrs, diag);
}

/* The first of the gateway's addresses that this host has a route to. */
static void answer_path(struct tunnel *t)
{
	struct diag diag = DIAG_INIT, attempt;
	enum err e;

	t->cpu_start_us = os_cpu_us();
	e = find_gateway(t, &diag);
	for (size_t i = 0; !diag.text[0] && i < t->n_addrs; i++) {
		attempt = (struct diag)DIAG_INIT;
		e = open_udp(t, &t->addrs[i], &attempt);
		if (!e)
			break;
	}
	if (e && !diag.text[0])
		diag = attempt;
	if (!e && !look_at_path(t, &t->way))
		memset(&t->way, 0, sizeof(t->way));
	e = session_give_path(t->session, e ? NULL : &t->path, e,
			      diag_text(&diag, e), os_now().boot_ms);
	if (e)
		log_error("path: %s", err_text(e));
}

static void add_dns(struct net_conf *c, const struct profile *p,
		    const struct ike_netconf *n, bool full)
{
	if (!p->dns)
		return;
	for (size_t i = 0; i < n->n_dns && c->n_dns < NET_DNS_MAX; i++)
		c->dns[c->n_dns++] = n->dns[i];
	for (size_t i = 0; i < n->n_domains && c->n_domains < NET_DOMAINS_MAX;
	     i++)
		snprintf(c->domains[c->n_domains++], NET_DOMAIN_LEN, "%s",
			 n->domains[i]);
	c->dns_all = full || c->n_domains == 0;
}

/* True when one of the routes is a default route. */
static bool add_routes(struct net_conf *c, const struct ike_netconf *n)
{
	struct prefix found[NET_ROUTES_MAX];
	bool full = false;
	size_t count;

	for (size_t i = 0; i < n->ts_remote.n; i++) {
		count = ike_ts_to_prefixes(&n->ts_remote.ts[i], found,
					   NET_ROUTES_MAX);
		for (size_t k = 0; k < count && c->n_routes < NET_ROUTES_MAX;
		     k++) {
			if ((found[k].addr.family == ADDR_V4 &&
			     n->inner_v4.family == ADDR_NONE) ||
			    (found[k].addr.family == ADDR_V6 &&
			     n->inner_v6.family == ADDR_NONE))
				continue;
			c->routes[c->n_routes++] = found[k];
			full |= found[k].bits == 0;
		}
	}
	return full;
}

static enum err set_network(struct tunnel *t, struct diag *diag)
{
	const struct ike_netconf *n = &t->netconf;
	struct net_conf c;
	bool full;

	memset(&c, 0, sizeof(c));
	c.mtu = t->profile->mtu ? t->profile->mtu : DEFAULT_MTU;
	c.allow_lan = t->profile->allow_lan;
	if (n->inner_v4.family == ADDR_V4)
		c.addrs[c.n_addrs++] = (struct prefix){n->inner_v4, 32};
	if (n->inner_v6.family == ADDR_V6)
		c.addrs[c.n_addrs++] = (struct prefix){n->inner_v6, 128};
	full = add_routes(&c, n);
	add_dns(&c, t->profile, n, full);
	return net_configure(t->net, &c, diag);
}

static void apply_network(struct tunnel *t, const struct ike_netconf *n)
{
	struct diag diag = DIAG_INIT;
	enum err e;

	t->netconf = *n;
	dataplane_set_networks(t->dataplane, &n->ts_local, &n->ts_remote);
	e = set_network(t, &diag);
	if (e)
		session_no_secret(t->session, e, diag_text(&diag, e),
				  os_now().boot_ms);
}

static void do_ike(struct tunnel *t, const struct ike_action *a)
{
	static const uint8_t keepalive[1] = {0xff}; /* RFC 3948 2.3 */
	enum err e = OK;

	switch (a->kind) {
	case IKE_DO_SEND:
		udp_send_ike(t->udp_fd, a->u.send.dgram);
		tunnel_sync_ticket(t);
		break;
	case IKE_DO_KEEPALIVE:
		udp_send_raw(t->udp_fd, BYTES_OF(keepalive));
		break;
	case IKE_DO_ASK_SECRET:
		tunnel_answer_secret(t, a->u.ask_secret.is_password);
		break;
	case IKE_DO_ASK_SIGN:
		tunnel_answer_sign(t, a);
		break;
	case IKE_DO_ASK_VERIFY:
		tunnel_answer_verify(t, a);
		break;
	case IKE_DO_NETCONF:
		dataplane_retire(t->dataplane);
		apply_network(t, a->u.netconf);
		break;
	case IKE_DO_CHILD_ADD:
		e = dataplane_add(t->dataplane, a->u.child);
		if (e)
			log_error("esp: %s", err_text(e));
		break;
	case IKE_DO_CHILD_DEL:
		dataplane_del(t->dataplane, a->u.child_del.spi_in);
		break;
	case IKE_DO_NOTHING:
	case IKE_DO_TICKET:
	case IKE_DO_TICKET_VOID:
	case IKE_DO_TICKET_SPENT:
	case IKE_DO_UP:
	case IKE_DO_CLOSED:
		break; /* the session keeps these to itself */
	}
}

/* Only once there is something to watch: it costs the first connect time,
 * and the interface we make would wake us. */
static void watch_network(struct tunnel *t)
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
	else if (!look_at_path(t, &t->way))
		memset(&t->way, 0, sizeof(t->way));
}

static void do_state(struct tunnel *t, enum session_state state)
{
	const struct session_report *r = session_report(t->session);
	char line[400];

	if (state == SES_ST_UP || state == SES_ST_WAITING ||
	    state == SES_ST_NO_PATH)
		watch_network(t);
	if (state == SES_ST_UP) {
		t->connect_cpu_us = os_cpu_us() - t->cpu_start_us;
		t->since_wall_ms = os_now().wall_ms;
		t->first_ticket = true;
		t->ui.up(t->ui.ctx);
		return;
	}
	if (state != SES_ST_NO_PATH) {
		t->since_wall_ms = 0;
		dataplane_clear(t->dataplane);
	}
	if (state == SES_ST_WAITING || state == SES_ST_NO_PATH) {
		snprintf(line, sizeof(line), "%s (%s)",
			 session_state_text(state), r->last_detail);
		t->ui.progress(t->ui.ctx, line);
	} else if (state != SES_ST_CLOSED) {
		t->ui.progress(t->ui.ctx, session_state_text(state));
	}
}

static void do_closed(struct tunnel *t, enum err why, const char *detail)
{
	if (why == ERR_AUTH)
		tunnel_forget_secret(t);
	close_udp(t);
	t->ui.closed(t->ui.ctx, why, detail);
	loop_stop(t->loop);
}

void tunnel_pump(struct tunnel *t)
{
	struct session_action a;

	for (;;) {
		a = session_next_action(t->session);
		switch (a.kind) {
		case SES_DO_NOTHING:
			return;
		case SES_DO_IKE:
			do_ike(t, &a.u.ike);
			break;
		case SES_DO_ASK_TICKET:
			tunnel_answer_ticket(t);
			break;
		case SES_DO_ASK_PATH:
			answer_path(t);
			break;
		case SES_DO_TICKET_STORE:
			tunnel_store_ticket(t, a.u.ticket);
			break;
		case SES_DO_TICKET_VOID:
			tunnel_void_ticket(t);
			break;
		case SES_DO_STATE:
			do_state(t, a.u.state);
			break;
		case SES_DO_CLOSED:
			do_closed(t, a.u.closed.why, a.u.closed.detail);
			break;
		}
	}
}

enum err tunnel_new(const struct tunnel_setup *setup, struct tunnel **out,
		    struct diag *diag)
{
	struct tunnel *t = calloc(1, sizeof(*t));
	enum err e;

	*out = t;
	if (!t) {
		struct net *unused = setup->net;

		net_close(&unused);
		return ERR_NO_MEMORY;
	}
	t->profile = setup->profile;
	t->net = setup->net;
	t->cache = setup->cache;
	t->loop = setup->loop;
	t->ui = setup->ui;
	t->persistent = setup->persistent;
	t->udp_fd = t->link.tun_fd = -1;
	e = dataplane_new(&t->dataplane);
	if (!e)
		e = loop_add(t->loop, net_fd(t->net), on_net, t);
	if (e)
		tunnel_free(out);
	return diag_set(diag, e, "%s", err_text(e));
}

static enum err make_session(struct tunnel *t, struct diag *diag)
{
	struct session_config cfg;
	uint8_t seed[32];
	enum err e;

	memset(&cfg, 0, sizeof(cfg));
	profile_to_session(t->profile, &cfg);
	cfg.persistent = t->persistent;
	cfg.use_tickets = t->profile->tickets && t->cache;
	cfg.ike.want_ticket = cfg.use_tickets;
	cfg.ike.certs = t->certs;
	cfg.ike.n_certs = t->n_certs;
	cfg.ike.ca_keyids = bytes(t->keyids, t->n_keyids * 20);
	e = os_random(seed, sizeof(seed));
	if (!e)
		e = session_new(&cfg, seed, &t->session);
	mem_wipe(seed, sizeof(seed));
	return e ? diag_set(diag, e, "%s", err_text(e)) : OK;
}

/* The first request leaves before the interface is made: the gateway's
 * answer is awaited anyway. */
enum err tunnel_start(struct tunnel *t, struct diag *diag)
{
	enum err e;

	e = tunnel_load_certs(t, diag);
	if (!e)
		e = tunnel_load_ca(t, diag);
	if (!e)
		e = make_session(t, diag);
	if (e)
		return e;
	loop_set_timer(t->loop, deadline_of, on_timer, t);
	e = session_start(t->session, os_now().boot_ms);
	if (e)
		return diag_set(diag, e, "%s", err_text(e));
	tunnel_pump(t);
	if (session_report(t->session)->state == SES_ST_CLOSED)
		return diag_set(diag, session_report(t->session)->last_error,
				"%s", session_report(t->session)->last_detail);
	e = net_open_link(t->net, &t->link, diag);
	if (e)
		return e;
	dataplane_set_tun(t->dataplane, t->link.tun_fd);
	return loop_add(t->loop, t->link.tun_fd, on_tun, t);
}

void tunnel_down(struct tunnel *t)
{
	session_down(t->session, os_now().boot_ms);
	tunnel_pump(t);
}

void tunnel_suspend(struct tunnel *t)
{
	session_suspend(t->session, os_now().boot_ms);
	tunnel_pump(t);
}

static void addr_text(const struct addr *a, bool with_port,
		      char out[ADDR_STR_MAX])
{
	if (a->family == ADDR_NONE)
		out[0] = '\0';
	else if (with_port)
		addr_str_port(a, out);
	else
		addr_str(a, out);
}

void tunnel_status(const struct tunnel *t, struct tunnel_status *out)
{
	const struct dataplane_counters *c = dataplane_counters(t->dataplane);
	const struct ike_netconf *n = &t->netconf;

	memset(out, 0, sizeof(*out));
	if (t->session)
		out->session = *session_report(t->session);
	snprintf(out->gateway, sizeof(out->gateway), "%s", t->profile->gateway);
	ike_name_str(&t->profile->id, out->identity, sizeof(out->identity));
	snprintf(out->interface, sizeof(out->interface), "%s", t->link.name);
	addr_text(&t->path.remote, true, out->gateway_addr);
	addr_text(&t->path.local, true, out->local_addr);
	addr_text(&n->inner_v4, false, out->inner_v4);
	addr_text(&n->inner_v6, false, out->inner_v6);
	for (size_t i = 0; i < n->n_dns && out->n_dns < 4; i++)
		addr_text(&n->dns[i], false, out->dns[out->n_dns++]);
	out->octets_in = c->octets_in;
	out->octets_out = c->octets_out;
	out->packets_in = c->packets_in;
	out->packets_out = c->packets_out;
	out->connect_ms = out->session.up_ms - out->session.started_ms;
	out->connect_cpu_us = t->connect_cpu_us;
	out->since_wall_ms = t->since_wall_ms;
	out->prompts = t->ui.prompts ? *t->ui.prompts : 0;
	out->has_ticket = t->has_ticket;
	out->ticket_remaining_s =
		(t->ticket_expires_wall_ms - os_now().wall_ms) / 1000;
	out->ticket_size = t->ticket_size;
	out->ticket_renewed = t->ticket_renewed;
}

void tunnel_free(struct tunnel **tp)
{
	struct tunnel *t = *tp;

	if (!t)
		return;
	close_udp(t);
	if (t->link.tun_fd >= 0) {
		loop_remove(t->loop, t->link.tun_fd);
		close(t->link.tun_fd);
	}
	if (t->netmon)
		loop_remove(t->loop, netmon_fd(t->netmon));
	netmon_close(&t->netmon);
	loop_remove(t->loop, net_fd(t->net));
	net_close(&t->net);
	session_free(&t->session);
	dataplane_free(&t->dataplane);
	free(t->certs_buf);
	trust_free(&t->trust);
	mem_wipe(t, sizeof(*t));
	free(t);
	*tp = NULL;
}
