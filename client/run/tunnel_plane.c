/* Which of the two data planes does the ESP: the kernel, or the client. */
#include "client/run/tunnel_private.h"

#include <unistd.h>

#include "platform/base/log.h"
#include "platform/os.h"

enum net_plane tunnel_plane_of(const struct profile *p)
{
	if (p->dataplane == DATAPLANE_USER || p->transport == TRANSPORT_TCP)
		return NET_PLANE_USER;
	return p->dataplane == DATAPLANE_KERNEL ? NET_PLANE_KERNEL
						: NET_PLANE_AUTO;
}

/* --- the interface -------------------------------------------------------- */

static enum err link_open(struct tunnel *t, enum net_plane plane,
			  struct diag *diag)
{
	enum err e = net_open_link(t->net, plane, &t->link, diag);

	if (e || t->link.plane == NET_PLANE_KERNEL)
		return e;
	dataplane_set_tun(t->dataplane, t->link.tun_fd);
	return tunnel_watch_tun(t);
}

/* The client's own plane carries ESP in UDP only. */
static void kernel_can(struct tunnel *t, bool can)
{
	t->kernel_can = can;
	session_set_need_encap(t->session, !can);
}

enum err tunnel_open_link(struct tunnel *t, struct diag *diag)
{
	enum err e = link_open(t, tunnel_plane_of(t->profile), diag);

	t->kernel.net = t->net;
	if (!e)
		kernel_can(t, t->link.plane == NET_PLANE_KERNEL);
	return e;
}

/* The SAs of the plane before are gone. */
static enum err plane_switch(struct tunnel *t, enum net_plane plane,
			     struct diag *diag)
{
	log_info("ESP is done by %s now",
		 plane == NET_PLANE_KERNEL ? "the kernel" : "the client");
	if (t->link.plane == NET_PLANE_KERNEL) {
		kernelplane_leave(&t->kernel);
	} else {
		dataplane_clear(t->dataplane);
		tunnel_choose_pump(t);
		tunnel_close_tun(t);
	}
	return link_open(t, plane, diag);
}

enum err tunnel_settle_plane(struct tunnel *t, struct diag *diag)
{
	const struct ike_netconf *n = &t->netconf;
	bool fits = kernelplane_fits(&n->ts_local, &n->ts_remote);
	enum net_plane plane = t->kernel_can && fits && !t->path.tcp
				       ? NET_PLANE_KERNEL
				       : NET_PLANE_USER;

	if (!fits && t->profile->dataplane == DATAPLANE_KERNEL)
		return diag_set(diag, ERR_UNSUPPORTED,
				"dataplane = kernel: the networks agreed on "
				"name ports or protocols, and the kernel goes "
				"by addresses: write dataplane = auto");
	return plane == t->link.plane ? OK : plane_switch(t, plane, diag);
}

/* --- Child SAs ------------------------------------------------------------ */

static enum err add_to_client(struct tunnel *t,
			      const struct ike_child_sa *child,
			      struct diag *diag)
{
	enum err e;

	if (child->plain && !t->path.tcp)
		return diag_set(diag, ERR_UNSUPPORTED,
				"the gateway sends ESP without UDP, which only "
				"the kernel's could take: write dataplane = "
				"user, or switch NAT traversal on at the "
				"gateway");
	e = dataplane_add(t->dataplane, child);
	return e ? diag_set(diag, e, "esp: %s", err_text(e)) : OK;
}

/* Where it can choose, the client takes what the kernel does not know. */
static enum err add_to_kernel(struct tunnel *t,
			      const struct ike_child_sa *child,
			      struct diag *diag)
{
	enum err e = net_udp_takes_esp(t->udp_fd, true, diag);

	if (!e)
		e = kernelplane_add(&t->kernel, child, &t->path, diag);
	if (e != ERR_UNSUPPORTED || t->profile->dataplane == DATAPLANE_KERNEL)
		return e;
	log_info("%s", diag_text(diag, e));
	kernel_can(t, false);
	e = net_udp_takes_esp(t->udp_fd, false, diag);
	if (!e)
		e = plane_switch(t, NET_PLANE_USER, diag);
	return e ? e : add_to_client(t, child, diag);
}

void tunnel_add_child(struct tunnel *t, const struct ike_child_sa *child)
{
	struct diag diag = DIAG_INIT;
	enum err e = t->link.plane == NET_PLANE_KERNEL
			     ? add_to_kernel(t, child, &diag)
			     : add_to_client(t, child, &diag);

	if (e)
		session_no_secret(t->session, e, diag_text(&diag, e),
				  os_now().boot_ms);
}

void tunnel_drop_child(struct tunnel *t, uint32_t spi_in)
{
	kernelplane_del(&t->kernel, spi_in);
	dataplane_del(t->dataplane, spi_in);
}

void tunnel_retire_children(struct tunnel *t)
{
	kernelplane_retire(&t->kernel);
	dataplane_retire(t->dataplane);
}

void tunnel_clear_children(struct tunnel *t)
{
	kernelplane_clear(&t->kernel);
	dataplane_clear(t->dataplane);
}

/* --- another path --------------------------------------------------------- */

/* The kernel's SAs move when the gateway has agreed to, for each has one
 * address to be reached at: until then that is the one before. Over TCP the
 * client does it, with a Child SA of its own: the kernel's numbers and IVs are
 * not for two. */
bool tunnel_follow_plane(struct tunnel *t)
{
	bool plain = session_esp_is_plain(t->session);
	struct net_way way = kernelplane_way(&t->path, plain);
	struct diag diag = DIAG_INIT;
	enum err e;

	if (t->kernel.n == 0 || !t->lane ||
	    session_report(t->session)->state != SES_ST_UP)
		return false;
	if (t->path.tcp) {
		e = plane_switch(t, NET_PLANE_USER, &diag);
	} else {
		e = net_udp_takes_esp(t->udp_fd, true, &diag);
		if (!e)
			e = kernelplane_move(&t->kernel, &way, &diag);
		if (!e)
			return false;
		kernelplane_clear(&t->kernel);
	}
	if (e)
		log_warn("%s", diag_text(&diag, e));
	session_rekey_child(t->session, os_now().boot_ms);
	return true;
}

/* --- what went through ---------------------------------------------------- */

void tunnel_hear_plane(struct tunnel *t)
{
	int64_t now_ms = os_now().boot_ms, heard_ms, spoke_ms;

	if (t->kernel.n == 0)
		return;
	kernelplane_activity(&t->kernel, now_ms, &heard_ms, &spoke_ms);
	if (heard_ms)
		session_heard(t->session, heard_ms);
	if (spoke_ms)
		session_spoke(t->session, spoke_ms);
}
