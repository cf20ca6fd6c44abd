/* Who moves the packets: the pump's threads while there is an SA and a UDP
 * socket, this loop else. */
#include "client/run/tunnel_private.h"

#include <unistd.h>

#include "platform/base/log.h"
#include "platform/os.h"

static void on_tun(void *ctx)
{
	struct tunnel *t = ctx;

	if (lane_send_esp(t))
		session_spoke(t->session, os_now().boot_ms);
}

/* IKE messages that the pump found among the packets. */
static void on_ike(void *ctx)
{
	struct tunnel *t = ctx;
	size_t len;
	enum err e;

	tunnel_hear_pump(t); /* what came before */
	while (dataplane_next_ike(t->dataplane, t->dgram, sizeof(t->dgram),
				  &len)) {
		e = session_input(t->session, t->dgram, len, &t->path,
				  os_now().boot_ms);
		if (e)
			log_debug("udp: datagram dropped: %s", err_text(e));
		tunnel_pump(t);
	}
}

void tunnel_hear_pump(struct tunnel *t)
{
	int64_t heard_ms, spoke_ms;

	dataplane_activity(t->dataplane, &heard_ms, &spoke_ms);
	if (heard_ms)
		session_heard(t->session, heard_ms);
	if (spoke_ms)
		session_spoke(t->session, spoke_ms);
}

enum err tunnel_watch_pump(struct tunnel *t)
{
	return loop_add(t->loop, dataplane_ike_fd(t->dataplane), on_ike, t);
}

enum err tunnel_watch_tun(struct tunnel *t)
{
	return loop_add(t->loop, t->link.tun_fd, on_tun, t);
}

void tunnel_close_tun(struct tunnel *t)
{
	if (t->link.tun_fd < 0)
		return;
	loop_remove(t->loop, t->link.tun_fd);
	close(t->link.tun_fd);
	t->link.tun_fd = -1;
}

static void pump_start(struct tunnel *t)
{
	enum err e;

	tunnel_unwatch_udp(t);
	loop_remove(t->loop, t->link.tun_fd);
	e = dataplane_start(t->dataplane, t->udp_fd);
	t->pumping = e == OK;
	if (!e)
		return;
	/* It goes on without threads, only slower. */
	log_error("pump: %s", err_text(e));
	t->pump_broken = true;
	tunnel_watch_udp(t);
	if (loop_add(t->loop, t->link.tun_fd, on_tun, t))
		log_error("the tunnel interface is not heard");
}

static void pump_stop(struct tunnel *t)
{
	dataplane_stop(t->dataplane);
	t->pumping = false;
	tunnel_watch_udp(t);
	if (loop_add(t->loop, t->link.tun_fd, on_tun, t))
		log_error("the tunnel interface is not heard");
}

void tunnel_choose_pump(struct tunnel *t)
{
	bool want = dataplane_has_sa(t->dataplane) && t->udp_fd >= 0 &&
		    t->link.tun_fd >= 0 && !t->pump_broken;

	if (want && !t->pumping)
		pump_start(t);
	else if (!want && t->pumping)
		pump_stop(t);
}

void tunnel_end_pump(struct tunnel *t)
{
	if (!t->dataplane)
		return;
	dataplane_stop(t->dataplane);
	t->pumping = false;
	loop_remove(t->loop, dataplane_ike_fd(t->dataplane));
}
