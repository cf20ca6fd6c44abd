/* vpn-test-gateway: an IKEv2 gateway for tests and the demonstration.
 *
 *   vpn-test-gateway --listen 203.0.113.1 --id gw.lab.test \
 *       --psk-file psk --cert chain.pem --key key.pem --ca clientca.pem \
 *       --user alice:password-file --pool 10.77.0.0/24 \
 *       --pool6 fd00:77::/64 --dns 10.9.0.53 --ts 10.9.0.0/24 \
 *       --tickets reference --lifetime 600 --state gw.state \
 *       --control /run/gw.sock --tun gw0
 *   vpn-test-gateway --tell /run/gw.sock set nack on
 *   vpn-test-gateway --tell /run/gw.sock stats
 *
 * It needs root in its network namespace for the ports and the interface; it
 * sets the interface's own addresses (first host of each pool) and leaves
 * forwarding and firewall to whoever starts it. Without --tun only IKE runs.
 * `ready` goes to standard output when it listens, events to standard error.
 * --help lists the options and manners, `--tell SOCKET help` the commands.
 * SIGTERM or SIGINT: closes silently, as a gateway that is restarted would;
 * with --state the tickets it gave out stay good for the next one.
 */
#include "config.h"

#include "tests/gateway/prog.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/base/log.h"
#include "platform/base/sockaddr.h"
#include "platform/os.h"

#define MARKER	  4
#define STATE_MAX (16 << 20)

static volatile sig_atomic_t stop_signal;

static void on_signal(int sig)
{
	stop_signal = sig;
}

int64_t prog_now(void)
{
	return os_now().boot_ms;
}

static void log_out(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "%lld %s\n", (long long)prog_now(), text);
	fflush(stderr);
}

/* --- sockets ------------------------------------------------------------- */

static enum err open_socket(struct prog *p, const struct addr *at,
			    uint16_t port, struct diag *diag)
{
	struct prog_socket *s = &p->socks[p->n_socks];
	union sock sock;
	char text[ADDR_STR_MAX];
	int on = 1, size = 4 << 20;
	socklen_t len;

	s->local = *at;
	s->local.port = port;
	s->natt = port != 500;
	len = sockaddr_from_addr(&s->local, &sock);
	s->fd = socket(sock.sa.sa_family,
		       SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (s->fd < 0)
		return diag_sys(diag, ERR_SYS, "socket");
	if (sock.sa.sa_family == AF_INET6)
		(void)setsockopt(s->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
	(void)setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(s->fd, &sock.sa, len) < 0) {
		close(s->fd);
		return diag_sys(diag, ERR_SYS, "%s",
				addr_str_port(&s->local, text));
	}
	pktio_udp_open(s->fd, &s->io);
	p->n_socks++;
	log_info("listening on %s", addr_str_port(&s->local, text));
	return OK;
}

/* --- datagrams out ------------------------------------------------------- */

static bool lose(struct prog *p)
{
	uint32_t r;

	if (p->loss_pct == 0)
		return false;
	rng_draw(&p->rng, &r, sizeof(r));
	return r % 100 < p->loss_pct;
}

static void udp_send(void *ctx, const struct gw_path *path,
		     const struct pktio_run *runs, size_t n)
{
	struct prog *p = ctx;

	if (tcp_send(p, path, runs, n))
		return;
	for (size_t i = 0; i < p->n_socks; i++) {
		if (!addr_eq(&p->socks[i].local, &path->local))
			continue;
		(void)pktio_udp_send(&p->socks[i].io, runs, n);
		return;
	}
}

/* The same where the cable loses datagrams. */
static void udp_send_lossy(void *ctx, const struct gw_path *path,
			   const struct pktio_run *runs, size_t n)
{
	if (((struct prog *)ctx)->loss_pct == 0) {
		udp_send(ctx, path, runs, n);
		return;
	}
	for (const struct pktio_run *r = runs; r < runs + n; r++) {
		struct pktio_run one = *r;

		for (size_t at = 0; at < r->len; at += one.len) {
			one.p = r->p + at;
			one.len = r->len - at < r->stride ? r->len - at
							  : r->stride;
			if (!lose(ctx))
				udp_send(ctx, path, &one, 1);
		}
	}
}

static void send_ike(struct prog *p, const struct gw_path *path,
		     struct bytes dgram)
{
	static uint8_t buf[MARKER + PROG_PACKET_MAX];
	size_t skip = path->local.port == 500 ? MARKER : 0;
	struct pktio_run run = {.p = buf + skip,
				.len = MARKER + dgram.len - skip,
				.peer = path->remote};

	run.stride = run.len;
	memset(buf, 0, MARKER);
	memcpy(buf + MARKER, dgram.p, dgram.len);
	udp_send_lossy(p, path, &run, 1);
}

static void log_up(struct prog *p, uint32_t session, bool resumed)
{
	char inner[ADDR_STR_MAX], at[ADDR_STR_MAX];
	struct gw_session_info s;

	for (size_t i = 0; gw_session_info(p->gw, i, &s); i++) {
		if (s.id != session)
			continue;
		log_info("session %u %s: %s, inner %s", session,
			 resumed ? "resumed" : "connected",
			 addr_str_port(&s.path.remote, at),
			 addr_str(&s.inner_v4, inner));
	}
}

void prog_pull(struct prog *p)
{
	struct gw_action a;

	while ((a = gw_next_action(p->gw)).kind != GW_DO_NOTHING) {
		switch (a.kind) {
		case GW_DO_SEND:
			send_ike(p, &a.u.send.path, a.u.send.dgram);
			break;
		case GW_DO_CHILD_ADD:
			log_debug("session %u: child %08x added",
				  a.u.child->session, a.u.child->spi_in);
			plane_child_add(p->plane, a.u.child);
			break;
		case GW_DO_CHILD_DEL:
			log_debug("session %u: child %08x deleted",
				  a.u.child_del.session, a.u.child_del.spi_in);
			plane_child_del(p->plane, a.u.child_del.spi_in);
			break;
		case GW_DO_PATH:
			log_info("session %u moved", a.u.path.session);
			plane_path(p->plane, a.u.path.session, &a.u.path.path);
			break;
		case GW_DO_UP:
			log_up(p, a.u.up.session, a.u.up.resumed);
			break;
		case GW_DO_DOWN:
			log_info("session %u ended", a.u.down.session);
			plane_down(p->plane, a.u.down.session);
			break;
		case GW_DO_NOTHING:
			break;
		}
	}
}

/* --- datagrams in -------------------------------------------------------- */

static void esp_flush(struct prog *p, const struct gw_path *path)
{
	uint32_t spi = plane_io_flush(p->io, path);

	if (spi) {
		gw_esp_seen(p->gw, spi, path, prog_now());
		prog_pull(p);
	}
}

static void dgram_in(struct prog *p, const struct prog_socket *s,
		     const struct gw_path *path, struct bytes dgram,
		     uint8_t ecn)
{
	static const uint8_t marker[MARKER];
	size_t skip = s->natt ? MARKER : 0;

	/* One octet is a NAT keepalive. */
	if (dgram.len <= MARKER || lose(p))
		return;
	if (s->natt && memcmp(dgram.p, marker, MARKER) != 0) {
		plane_io_in(p->io, dgram, ecn);
		return;
	}
	/* What it says may end the SAs of packets that wait. */
	esp_flush(p, path);
	gw_input(p->gw, (uint8_t *)dgram.p + skip, dgram.len - skip, path,
		 prog_now());
	prog_pull(p);
}

void prog_message_in(struct prog *p, const struct prog_socket *as,
		     const struct gw_path *path, struct bytes msg)
{
	if (!plane_io_room(p->io, 1))
		esp_flush(p, path);
	dgram_in(p, as, path, msg, 0);
}

void prog_messages_done(struct prog *p, const struct gw_path *path)
{
	esp_flush(p, path);
}

static void run_in(struct prog *p, const struct prog_socket *s,
		   const struct pktio_run *r)
{
	struct gw_path path = {.local = s->local, .remote = r->peer};
	size_t len;

	for (size_t at = 0; at < r->len; at += len) {
		len = r->len - at < r->stride ? r->len - at : r->stride;
		if (!plane_io_room(p->io, 1))
			esp_flush(p, &path);
		dgram_in(p, s, &path, bytes(r->p + at, len), r->ecn);
	}
}

/* Packets of one peer that came one behind the other make one batch. */
static void udp_in(struct prog *p, const struct prog_socket *s)
{
	struct pktio_run runs[PKTIO_RUNS_MAX];
	size_t n = pktio_udp_receive(&s->io, p->in, runs);

	for (size_t i = 0; i < n; i++) {
		const struct pktio_run *r = &runs[i], *next = r + 1;
		struct gw_path path = {.local = s->local, .remote = r->peer};

		run_in(p, s, r);
		if (i + 1 == n || !addr_eq(&r->peer, &next->peer) ||
		    !plane_io_room(p->io, next->len / next->stride + 1))
			esp_flush(p, &path);
	}
}

static void tun_in(struct prog *p)
{
	plane_io_out(p->io, udp_send_lossy, p);
}

/* --- state across restarts ----------------------------------------------- */

static uint64_t state_mark(const struct prog *p)
{
	const struct gw_counters *n = gw_counters(p->gw);

	return n->tickets_issued + n->resumed + n->deletes_received +
	       n->ike_rekeys;
}

static void state_save(struct prog *p)
{
	struct diag diag = DIAG_INIT;
	uint8_t *blob = NULL;
	size_t len = 0;
	enum err e;

	if (p->state_path == NULL || p->saved_at == state_mark(p))
		return;
	p->saved_at = state_mark(p);
	e = gw_save_tickets(p->gw, &blob, &len);
	if (e == OK)
		e = os_write_file(p->state_path, bytes(blob, len), &diag);
	if (e != OK)
		log_error("%s: %s", p->state_path, diag_text(&diag, e));
	if (blob != NULL)
		mem_wipe(blob, len);
	free(blob);
}

static void state_load(struct prog *p)
{
	uint8_t *blob;
	size_t len;

	if (p->state_path == NULL || access(p->state_path, F_OK) != 0 ||
	    os_read_file(p->state_path, STATE_MAX, &blob, &len, NULL) != OK)
		return;
	if (gw_load_tickets(p->gw, bytes(blob, len)) != OK)
		log_error("%s: not readable, tickets are lost", p->state_path);
	mem_wipe(blob, len);
	free(blob);
}

/* --- the loop ------------------------------------------------------------ */

static int wait_ms(struct prog *p)
{
	int64_t left = gw_next_deadline(p->gw);

	if (left == INT64_MAX)
		return -1;
	left -= prog_now();
	return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

static size_t poll_fill(struct prog *p, struct pollfd *fds)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_socks; i++)
		fds[n++] = (struct pollfd){p->socks[i].fd, POLLIN, 0};
	fds[n++] = (struct pollfd){p->tun_fd, POLLIN, 0};
	fds[n++] = (struct pollfd){p->control_fd, POLLIN, 0};
	for (size_t i = 0; i < PROG_CONTROL_MAX; i++)
		fds[n++] = (struct pollfd){p->control_clients[i], POLLIN, 0};
	return n + tcp_poll_fill(p, fds + n);
}

static void loop(struct prog *p, const sigset_t *open_mask)
{
	struct pollfd fds[2 * PROG_LISTEN_MAX + 2 + PROG_CONTROL_MAX +
			  PROG_TCP_POLL_MAX];

	while (!p->stop && !stop_signal) {
		size_t n = poll_fill(p, fds), at = 0;
		int ms = wait_ms(p);
		struct timespec ts = {ms / 1000, ms % 1000 * 1000000L};

		if (ppoll(fds, n, ms < 0 ? NULL : &ts, open_mask) < 0)
			continue;
		for (; at < p->n_socks; at++)
			if (fds[at].revents)
				udp_in(p, &p->socks[at]);
		if (fds[at++].revents)
			tun_in(p);
		if (fds[at++].revents)
			control_accept(p);
		for (size_t i = 0; i < PROG_CONTROL_MAX; i++)
			if (fds[at + i].revents && fds[at + i].fd >= 0)
				control_read(p, i);
		at += PROG_CONTROL_MAX;
		tcp_serve(p, fds + at, n - at);
		gw_timeout(p->gw, prog_now());
		prog_pull(p);
		tcp_flush_all(p);
		state_save(p);
	}
}

static enum err start(struct prog *p, struct diag *diag)
{
	uint8_t seed[64];
	enum err e = os_random(seed, sizeof(seed));

	rng_seed(&p->rng, seed + 32);
	p->cfg.wall_offset_ms = os_now().wall_ms - os_now().boot_ms;
	if (e == OK)
		e = gw_new(&p->cfg, seed, &p->gw);
	if (e == OK)
		e = plane_new(&p->plane);
	if (e == OK)
		e = gw_set_groups(p->gw, p->groups);
	if (e != OK)
		return e;
	*gw_switches(p->gw) = p->switches;
	state_load(p);
	e = control_open(p, diag);
	if (e == OK && p->tun_name != NULL)
		e = prog_tun_open(p, diag);
	if (e == OK)
		e = plane_io_new(p->plane, p->tun_fd, &p->io);
	if (e == OK)
		e = pktio_in_new(ESP_HEADROOM, &p->in);
	for (size_t i = 0; i < p->n_listen && e == OK; i++) {
		e = open_socket(p, &p->listen[i], p->port, diag);
		if (e == OK && p->port_500)
			e = open_socket(p, &p->listen[i], 500, diag);
		for (size_t k = 0; k < p->n_tcp_ports && e == OK; k++)
			e = tcp_listen(p, &p->listen[i], p->tcp_ports[k], diag);
	}
	return e;
}

int main(int argc, char **argv)
{
	static struct prog prog;
	struct prog *p = &prog;
	struct diag diag = DIAG_INIT;
	struct sigaction sa = {.sa_handler = on_signal};
	sigset_t block, open_mask;
	enum err e;

	e = crypto_open(&diag);
	if (e != OK)
		goto out;
	options_read(p, argc, argv);
	log_open(log_out, NULL, p->verbose ? LOG_DEBUG : LOG_INFO);
	/* Signals come only while waiting: no gap between look and sleep. */
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	sigprocmask(SIG_BLOCK, &block, &open_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	e = start(p, &diag);
	if (e == OK) {
		puts("ready");
		fflush(stdout);
		loop(p, &open_mask);
		p->saved_at = UINT64_MAX;
		state_save(p);
		control_close(p);
		tcp_cut(p);
	}
	plane_io_free(&p->io);
	pktio_in_free(&p->in);
	plane_free(&p->plane);
	gw_free(&p->gw);
	options_free(p);
	crypto_close();
out:
	if (e != OK)
		fprintf(stderr, "vpn-test-gateway: %s\n", diag_text(&diag, e));
	return e == OK ? 0 : 1;
}
