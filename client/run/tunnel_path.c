/* The way to the gateway: addresses, socket, and what changes of it. */
#include "client/run/tunnel_private.h"

#include <string.h>
#include <unistd.h>

#include "client/run/resolve.h"
#include "client/run/udp.h"
#include "platform/base/log.h"
#include "platform/os.h"

#define TRIES_BY_ADDR 3
#define OLD_MS	      2000 /* what is under way on the path before */

static void socket_close(struct tunnel *t, int *fd)
{
	if (*fd < 0)
		return;
	if (t->pumping)
		dataplane_forget(t->dataplane, *fd);
	else
		loop_remove(t->loop, *fd);
	close(*fd);
	*fd = -1;
}

static void socket_read(struct tunnel *t, const int *fd)
{
	uint8_t *buf = t->dgram + ESP_HEADROOM;
	int64_t now_ms = os_now().boot_ms;
	bool heard = false;
	struct bytes in;
	enum wire_kind kind;
	enum err e;

	for (size_t i = 0; i < DATAPLANE_BATCH && *fd >= 0 && !t->pumping;
	     i++) {
		kind = udp_receive(*fd, buf, sizeof(t->dgram) - ESP_HEADROOM,
				   &in);
		if (kind == WIRE_NOTHING)
			break;
		if (kind == WIRE_ESP) {
			heard |= dataplane_receive(t->dataplane, buf, in.len);
		} else if (kind == WIRE_IKE) {
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

static void on_udp(void *ctx)
{
	struct tunnel *t = ctx;

	socket_read(t, &t->udp_fd);
}

static void on_old_udp(void *ctx)
{
	struct tunnel *t = ctx;

	socket_read(t, &t->old_udp_fd);
}

static int64_t old_deadline(void *ctx)
{
	const struct tunnel *t = ctx;

	return t->old_udp_fd >= 0 ? t->old_until_ms : INT64_MAX;
}

static void on_old_end(void *ctx)
{
	struct tunnel *t = ctx;

	socket_close(t, &t->old_udp_fd);
}

enum err tunnel_open_path(struct tunnel *t)
{
	return loop_add_timer(t->loop, old_deadline, on_old_end, t);
}

void tunnel_close_path(struct tunnel *t)
{
	tunnel_close_udp(t);
	loop_remove_timer(t->loop, on_old_end, t);
}

void tunnel_close_udp(struct tunnel *t)
{
	socket_close(t, &t->udp_fd);
	socket_close(t, &t->old_udp_fd);
}

/* While the SA moves, the gateway sends to the path before until it is told:
 * where that one still works nothing need be lost. */
static void retire_udp(struct tunnel *t)
{
	if (session_report(t->session)->state != SES_ST_MOVING) {
		tunnel_close_udp(t);
		return;
	}
	if (t->udp_fd < 0)
		return;
	socket_close(t, &t->old_udp_fd);
	if (!t->pumping) {
		loop_remove(t->loop, t->udp_fd);
		if (loop_add(t->loop, t->udp_fd, on_old_udp, t)) {
			close(t->udp_fd);
			t->udp_fd = -1;
		}
	}
	t->old_udp_fd = t->udp_fd;
	t->udp_fd = -1;
	t->old_until_ms = os_now().boot_ms + OLD_MS;
}

void tunnel_unwatch_udp(struct tunnel *t)
{
	loop_remove(t->loop, t->udp_fd);
	if (t->old_udp_fd >= 0)
		loop_remove(t->loop, t->old_udp_fd);
}

void tunnel_watch_udp(struct tunnel *t)
{
	if ((t->udp_fd >= 0 && loop_add(t->loop, t->udp_fd, on_udp, t)) ||
	    (t->old_udp_fd >= 0 &&
	     loop_add(t->loop, t->old_udp_fd, on_old_udp, t)))
		log_error("the gateway is not heard");
}

/* The new one, by whoever hears the others. */
static enum err hear_udp(struct tunnel *t)
{
	if (!t->pumping)
		return loop_add(t->loop, t->udp_fd, on_udp, t);
	dataplane_move(t->dataplane, t->udp_fd);
	return OK;
}

static enum err open_udp(struct tunnel *t, const struct addr *remote,
			 struct diag *diag)
{
	enum err e;

	retire_udp(t);
	e = net_open_udp(t->net, remote->family, &t->udp_fd, diag);
	if (!e)
		e = udp_connect(t->udp_fd, remote, &t->path, diag);
	if (!e)
		e = hear_udp(t);
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
	bool same;

	if (!netmon_drain(t->netmon))
		return;
	tunnel_notice_sleep(t);
	if (t->path.remote.family == ADDR_NONE || !look_at_path(t, &now)) {
		session_path_lost(t->session, now_ms);
	} else {
		same = netmon_path_eq(&now, &t->way);
		if (!tunnel_portal_holds(t, same))
			session_path_new(t->session, same, now_ms);
	}
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
void tunnel_answer_path(struct tunnel *t)
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
	else if (!look_at_path(t, &t->way))
		memset(&t->way, 0, sizeof(t->way));
}
