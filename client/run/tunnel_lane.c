/* The sockets to the gateway: one that carries the tunnel, those that race
 * with it while nobody has answered, and one that is only heard after a move.
 */
#include "client/run/tunnel_private.h"

#include <unistd.h>

#include "client/ike/ikev2.h"
#include "client/run/udp.h"
#include "platform/base/log.h"
#include "platform/os.h"

#define OLD_MS 2000 /* what is under way on the path before */

/* --- places --------------------------------------------------------------- */

static struct lane *lane_place(struct tunnel *t)
{
	for (size_t i = 0; i < LANES_MAX; i++)
		if (!t->lanes[i].t)
			return &t->lanes[i];
	return NULL;
}

static void interface_pause(struct tunnel *t, bool pause)
{
	if (t->link.tun_fd >= 0)
		loop_pause(t->loop, t->link.tun_fd, pause);
}

void lane_close(struct lane *l)
{
	struct tunnel *t = l->t;

	if (l->in_pump)
		dataplane_forget(t->dataplane, l->fd);
	else
		loop_remove(t->loop, l->fd);
	tcp_stream_free(&l->tcp);
	close(l->fd);
	if (t->lane == l) {
		t->lane = NULL;
		t->udp_fd = -1;
		interface_pause(t, false);
	}
	l->t = NULL;
}

void lanes_close(struct tunnel *t, bool all)
{
	for (size_t i = 0; i < LANES_MAX; i++) {
		struct lane *l = &t->lanes[i];

		if (l->t && (all || (l != t->lane && !l->retire_ms)))
			lane_close(l);
	}
}

/* While the SA moves, the gateway sends to the path before until it is told:
 * where that one still works nothing need be lost. */
void lanes_retire(struct tunnel *t)
{
	struct lane *l = t->lane;

	if (session_report(t->session)->state != SES_ST_MOVING) {
		lanes_close(t, true);
		return;
	}
	for (size_t i = 0; i < LANES_MAX; i++)
		if (t->lanes[i].t && &t->lanes[i] != l)
			lane_close(&t->lanes[i]);
	t->lane = NULL;
	t->udp_fd = -1;
	interface_pause(t, false);
	if (l)
		l->retire_ms = os_now().boot_ms + OLD_MS;
}

int64_t lanes_deadline(const struct tunnel *t)
{
	int64_t at = INT64_MAX;

	for (size_t i = 0; i < LANES_MAX; i++) {
		const struct lane *l = &t->lanes[i];

		if (l->t && l->broken)
			return 0;
		if (l->t && l->retire_ms && l->retire_ms < at)
			at = l->retire_ms;
	}
	return at;
}

void lanes_expire(struct tunnel *t, int64_t now_ms)
{
	for (size_t i = 0; i < LANES_MAX; i++)
		if (t->lanes[i].t && t->lanes[i].retire_ms &&
		    t->lanes[i].retire_ms <= now_ms)
			lane_close(&t->lanes[i]);
}

/* --- out ------------------------------------------------------------------ */

/* A connection found broken is dealt with later: whoever sends may stand in
 * the middle of the session's actions. While the line is full packets wait in
 * the interface, where the host's queueing can choose which to drop. */
static void lane_flush(struct lane *l)
{
	bool more;

	if (!l->tcp || l->broken)
		return;
	l->broken = !tcp_flush(l->tcp, &more);
	more = more && !l->broken;
	loop_watch_write(l->t->loop, l->fd, more);
	if (l == l->t->lane)
		interface_pause(l->t, more);
}

/* RFC 7296 2.23: the first answer came from port 500; all else goes to 4500,
 * from the port we have. */
static void lane_float(struct lane *l, const struct ike_path *to)
{
	struct diag diag = DIAG_INIT;

	if (udp_connect(l->fd, &to->remote, &l->path, &diag))
		log_info("%s", diag.text);
}

static bool is_way(const struct lane *l, const struct ike_path *p)
{
	return l->path.tcp == p->tcp && addr_eq(&l->path.local, &p->local) &&
	       addr_eq_host(&l->path.remote, &p->remote);
}

struct lane *lane_of(struct tunnel *t, const struct ike_path *path)
{
	struct lane *floats = NULL;

	for (size_t i = 0; i < LANES_MAX; i++) {
		struct lane *l = &t->lanes[i];

		if (!l->t || !is_way(l, path))
			continue;
		if (l->path.remote.port == path->remote.port)
			return l;
		if (l->path.remote.port == IKE_PORT)
			floats = l;
	}
	if (floats)
		lane_float(floats, path);
	return floats;
}

void lane_send_ike(struct lane *l, struct bytes msg)
{
	if (l->tcp) {
		tcp_send_ike(l->tcp, msg);
		lane_flush(l);
	} else if (l->path.remote.port == IKE_PORT) {
		udp_send_raw(l->fd, msg);
	} else {
		udp_send_ike(l->fd, msg);
	}
}

void lane_send_keepalive(struct lane *l)
{
	static const uint8_t keepalive[1] = {0xff}; /* RFC 3948 2.3 */

	if (!l->tcp)
		udp_send_raw(l->fd, BYTES_OF(keepalive));
}

static void esp_out(void *ctx, struct bytes esp)
{
	struct lane *l = ctx;

	if (l->tcp)
		tcp_send_esp(l->tcp, esp);
	else
		udp_send_raw(l->fd, esp);
}

bool lane_send_esp(struct tunnel *t)
{
	bool sent =
		dataplane_send(t->dataplane, t->lane ? esp_out : NULL, t->lane);

	if (t->lane)
		lane_flush(t->lane);
	return sent;
}

/* --- in ------------------------------------------------------------------- */

static void hear_ike(struct lane *l, struct bytes msg)
{
	struct tunnel *t = l->t;
	/* An answer on the path before is none for it. */
	struct ike_path path = l->retire_ms ? t->path : l->path;
	enum err e;

	tunnel_hear_plane(t);
	e = session_input(t->session, (uint8_t *)(uintptr_t)msg.p, msg.len,
			  &path, os_now().boot_ms);
	if (e)
		log_debug("message dropped: %s", err_text(e));
	else
		t->reconnects = 0;
	/* What it agreed on depends on the transport. */
	tunnel_follow_path(t);
	tunnel_pump(t);
}

static enum wire_kind lane_receive(struct lane *l, struct bytes *out)
{
	struct tunnel *t = l->t;
	enum wire_kind kind;

	if (l->tcp)
		return tcp_next(l->tcp, out);
	kind = udp_receive(l->fd, t->dgram + ESP_HEADROOM,
			   sizeof(t->dgram) - ESP_HEADROOM, out);
	/* There is no ESP at port 500, and no marker. */
	if (kind == WIRE_ESP && l->path.remote.port == IKE_PORT)
		return WIRE_IKE;
	return kind;
}

/* Of TCP all that was read must be taken now: nothing would wake us for it. */
static void lane_read(struct lane *l)
{
	struct tunnel *t = l->t;
	unsigned born = l->born;
	bool heard = false;
	struct bytes in;
	enum wire_kind kind;

	if (l->tcp && !tcp_fill(l->tcp))
		l->broken = true;
	for (size_t i = 0; l->tcp || i < DATAPLANE_BATCH; i++) {
		kind = lane_receive(l, &in);
		if (kind == WIRE_NOTHING)
			break;
		if (kind == WIRE_BROKEN) {
			l->broken = l->tcp != NULL;
			t->race_hurry = true;
			break;
		}
		if (kind == WIRE_ESP)
			heard |= dataplane_receive(t->dataplane,
						   (uint8_t *)(uintptr_t)in.p,
						   in.len);
		else if (kind == WIRE_IKE)
			hear_ike(l, in);
		/* It may have been closed, or become the pump's. */
		if (l->t != t || l->born != born || l->in_pump)
			break;
	}
	if (heard)
		session_heard(t->session, os_now().boot_ms);
}

static void on_lane(void *ctx)
{
	struct lane *l = ctx;
	struct tunnel *t = l->t;

	lane_flush(l);
	if (!l->broken)
		lane_read(l);
	/* Nothing more is heard of it until it is dealt with. */
	if (l->t && l->broken && !l->in_pump)
		loop_remove(t->loop, l->fd);
}

/* --- one more ------------------------------------------------------------- */

static enum err lane_connect(struct lane *l, const struct path_try *try,
			     struct diag *diag)
{
	struct tunnel *t = l->t;
	enum err e;

	if (try->kind == PATH_TCP)
		e = net_open_tcp(t->net, try->remote.family, &l->fd, diag);
	else
		e = net_open_udp(t->net, try->remote.family, &l->fd, diag);
	if (!e)
		e = udp_connect(l->fd, &try->remote, &l->path, diag);
	if (!e && try->kind == PATH_TCP)
		e = tcp_stream_new(l->fd, &l->tcp);
	if (!e)
		e = loop_add(t->loop, l->fd, on_lane, l);
	if (!e)
		loop_watch_write(t->loop, l->fd, l->tcp != NULL);
	l->path.tcp = try->kind == PATH_TCP;
	return e;
}

enum err lane_open(struct tunnel *t, const struct path_try *try,
		   struct lane **out, struct diag *diag)
{
	struct lane *l = lane_place(t);
	enum err e;

	if (!l)
		return ERR_NO_SPACE;
	*l = (struct lane){
		.t = t, .fd = -1, .kind = try->kind, .born = ++t->lanes_made};
	e = lane_connect(l, try, diag);
	*out = l;
	if (!e)
		return OK;
	tcp_stream_free(&l->tcp);
	if (l->fd >= 0)
		close(l->fd);
	l->t = NULL;
	return e;
}

/* --- by whom the tunnel's own one is heard -------------------------------- */

void lane_use(struct lane *l)
{
	struct tunnel *t = l->t;

	t->lane = l;
	t->path = l->path;
	t->mark = udp_mark(l->fd);
	t->udp_fd = l->tcp ? -1 : l->fd;
	interface_pause(t, false);
	if (!t->pumping || l->tcp || l->in_pump)
		return;
	loop_remove(t->loop, l->fd);
	l->in_pump = true;
	dataplane_move(t->dataplane, l->fd);
}

void tunnel_unwatch_udp(struct tunnel *t)
{
	loop_remove(t->loop, t->lane->fd);
	t->lane->in_pump = true;
}

void tunnel_watch_udp(struct tunnel *t)
{
	for (size_t i = 0; i < LANES_MAX; i++) {
		struct lane *l = &t->lanes[i];

		if (!l->t || !l->in_pump)
			continue;
		l->in_pump = false;
		if (loop_add(t->loop, l->fd, on_lane, l))
			log_error("the gateway is not heard");
	}
}
