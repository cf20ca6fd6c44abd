#include "client/run/tunnel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/run/proof.h"
#include "client/run/tunnel_private.h"
#include "platform/base/log.h"
#include "platform/os.h"

static int64_t deadline_of(void *ctx)
{
	struct tunnel *t = ctx;

	tunnel_hear_pump(t);
	return session_next_deadline(t->session);
}

static void on_timer(void *ctx)
{
	struct tunnel *t = ctx;

	tunnel_notice_sleep(t);
	tunnel_hear_plane(t);
	session_timeout(t->session, os_now().boot_ms);
	tunnel_pump(t);
}

/* If the helper is gone, so is everything it had set. */
static void on_net(void *ctx)
{
	struct tunnel *t = ctx;

	if (!net_ended(t->net))
		return;
	loop_remove(t->loop, net_fd(t->net));
	log_error("the network helper vpn-netd ended");
	session_suspend(t->session, os_now().boot_ms);
	tunnel_pump(t);
}

static void send_ike(struct tunnel *t, const struct ike_action *a)
{
	struct lane *l = lane_of(t, &a->u.send.path);

	if (l || t->lane)
		lane_send_ike(l ? l : t->lane, a->u.send.dgram);
}

static void do_ike(struct tunnel *t, const struct ike_action *a)
{
	switch (a->kind) {
	case IKE_DO_SEND:
		send_ike(t, a);
		tunnel_sync_ticket(t);
		break;
	case IKE_DO_KEEPALIVE:
		if (t->lane)
			lane_send_keepalive(t->lane);
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
	case IKE_DO_ASK_TLS:
		tunnel_answer_tls(t, a);
		break;
	case IKE_DO_NETCONF:
		tunnel_retire_children(t);
		tunnel_apply_network(t, a->u.netconf);
		break;
	case IKE_DO_CHILD_ADD:
		tunnel_add_child(t, a->u.child);
		break;
	case IKE_DO_CHILD_DEL:
		tunnel_drop_child(t, a->u.child_del.spi_in);
		break;
	case IKE_DO_PROBED:
		tunnel_hear_mtu(t, a);
		break;
	case IKE_DO_NOTHING:
	case IKE_DO_TICKET:
	case IKE_DO_TICKET_NONE:
	case IKE_DO_TICKET_VOID:
	case IKE_DO_TICKET_SPENT:
	case IKE_DO_REFUSED:
	case IKE_DO_UP:
	case IKE_DO_MOVED:
	case IKE_DO_ALIVE:
	case IKE_DO_CLOSED:
		break; /* the session keeps these to itself */
	}
}

static void do_state(struct tunnel *t, enum session_state state)
{
	const struct session_report *r = session_report(t->session);
	char line[400];

	tunnel_portal_state(t, state);
	dataplane_be_careful(t->dataplane, true);
	if (state == SES_ST_UP || state == SES_ST_WAITING ||
	    state == SES_ST_NO_PATH)
		tunnel_watch_network(t);
	if (state == SES_ST_UP) {
		tunnel_watch_sleep(t);
		t->connect_cpu_us = os_cpu_us() - t->cpu_start_us;
		t->since_wall_ms = os_now().wall_ms;
		t->first_ticket = !r->moved;
		tunnel_path_works(t);
		t->mtu_unknown = true;
		t->ui.up(t->ui.ctx);
		tunnel_nat_state(t, state);
		return;
	}
	tunnel_nat_state(t, state);
	if (!session_state_keeps_children(state)) {
		t->since_wall_ms = 0;
		t->careful = true;
		tunnel_clear_children(t);
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
	lanes_close(t, true);
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
			tunnel_follow_path(t);
			if (tunnel_follow_plane(t) || tunnel_ask_mtu(t))
				break;
			tunnel_choose_pump(t);
			return;
		case SES_DO_IKE:
			do_ike(t, &a.u.ike);
			break;
		case SES_DO_ASK_TICKET:
			tunnel_answer_ticket(t);
			break;
		case SES_DO_ASK_PATH:
			tunnel_answer_path(t);
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
	t->state_dir = setup->state_dir;
	t->loop = setup->loop;
	t->ui = setup->ui;
	t->persistent = setup->persistent;
	t->udp_fd = t->link.tun_fd = -1;
	t->careful = true;
	e = dataplane_new(&t->dataplane);
	if (!e)
		e = tunnel_make_portal(t);
	if (!e)
		e = loop_add(t->loop, net_fd(t->net), on_net, t);
	if (!e)
		return OK;
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
	cfg.ike.need_encap = true; /* until there is an interface */
	cfg.unattended = cfg.unattended && !tunnel_needs_person(t);
	cfg.persistent = t->persistent;
	cfg.use_tickets = t->profile->tickets && t->cache;
	cfg.ike.want_ticket = cfg.use_tickets;
	cfg.ike.certs = t->certs;
	cfg.ike.n_certs = t->n_certs;
	if (t->n_certs > 0)
		proof_own_name(t->certs[0], &cfg.ike.id_local);
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
	e = loop_add_timer(t->loop, deadline_of, on_timer, t);
	if (!e)
		e = tunnel_open_path(t);
	if (!e)
		e = session_start(t->session, os_now().boot_ms);
	if (e)
		return diag_set(diag, e, "%s", err_text(e));
	tunnel_pump(t);
	if (session_report(t->session)->state == SES_ST_CLOSED)
		return diag_set(diag, session_report(t->session)->last_error,
				"%s", session_report(t->session)->last_detail);
	e = tunnel_watch_pump(t);
	if (!e)
		e = tunnel_open_link(t, diag);
	return e;
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

void tunnel_forget_ticket(struct tunnel *t)
{
	session_forget_ticket(t->session, os_now().boot_ms);
	tunnel_pump(t);
}

void tunnel_free(struct tunnel **tp)
{
	struct tunnel *t = *tp;

	if (!t)
		return;
	loop_remove_timer(t->loop, on_timer, t);
	tunnel_unwatch_sleep(t);
	portal_free(&t->portal);
	tunnel_end_pump(t);
	tunnel_close_path(t);
	tunnel_close_tun(t);
	if (t->netmon)
		loop_remove(t->loop, netmon_fd(t->netmon));
	netmon_close(&t->netmon);
	loop_remove(t->loop, net_fd(t->net));
	net_close(&t->net);
	session_free(&t->session);
	ticket_entry_wipe(&t->unsaved);
	dataplane_free(&t->dataplane);
	tunnel_drop_tls(t);
	free(t->certs_buf);
	trust_free(&t->trust);
	mem_wipe(t, sizeof(*t));
	free(t);
	*tp = NULL;
}
