/* The MTU of the tunnel. Where the path takes less than the longest packet of
 * ours, the host learns it from ICMP; where that is filtered, whatever is long
 * is lost without a word, in both directions. So the path is asked (RFC 8899),
 * each time that the tunnel has come up on one. */
#include "client/run/tunnel_private.h"

#include "client/esp/esp.h"
#include "platform/base/log.h"
#include "platform/os.h"

#define DEFAULT_MTU	1400
#define DEFAULT_MTU_TCP 1380 /* a packet is one segment, over IPv6 too */
/* What every path takes; IPv6 wants it (RFC 8200 5). */
#define PATH_MIN   1280
#define MTU_V4_MIN 576
#define MTU_V6_MIN 1280
#define V4_LEN	   20
#define V6_LEN	   40
#define UDP_LEN	   8

static size_t around(const struct tunnel *t)
{
	const struct session_report *r = session_report(t->session);
	bool v4 = t->path.remote.family == ADDR_V4;

	return (v4 ? V4_LEN : V6_LEN) + UDP_LEN +
	       esp_overhead_of(&r->child_suite.cipher);
}

/* The kernel's plane has nothing but the interface's MTU to make TCP begin with
 * short segments. NetworkManager sets that itself, once. */
static bool by_interface(const struct tunnel *t)
{
	return t->careful && t->link.plane == NET_PLANE_KERNEL &&
	       !t->ui.network;
}

uint16_t tunnel_mtu(const struct tunnel *t)
{
	bool v6 = t->netconf.inner_v6.family == ADDR_V6;
	size_t least = v6 ? MTU_V6_MIN : MTU_V4_MIN, mtu;

	if (t->profile->mtu)
		return t->profile->mtu;
	if (t->path.tcp)
		return DEFAULT_MTU_TCP;
	if (by_interface(t))
		mtu = DATAPLANE_CAREFUL_MTU;
	else if (!t->path_takes)
		mtu = DEFAULT_MTU;
	else
		mtu = t->path_takes - around(t);
	return (uint16_t)(mtu > least ? mtu : least);
}

/* takes: octets of an IP packet; 0: as many as we ever send. */
static void learn(struct tunnel *t, uint16_t takes)
{
	t->path_takes = takes;
	t->careful = false;
	dataplane_be_careful(t->dataplane, false);
	if (tunnel_mtu(t) == t->mtu_set)
		return;
	log_info("the tunnel's MTU is %u now", tunnel_mtu(t));
	tunnel_fit_network(t);
}

/* What the host knows, where that is less than we send. */
static uint16_t host_knows(const struct tunnel *t, size_t most)
{
	uint16_t mtu = os_path_mtu(t->udp_fd);

	return mtu >= PATH_MIN && mtu < most ? mtu : 0;
}

/* False: nobody has to be asked, or can be. */
static bool ask(struct tunnel *t, uint16_t *out_takes)
{
	size_t most = DEFAULT_MTU + around(t);
	uint16_t known;
	enum err e;

	*out_takes = t->path_takes;
	if (t->profile->mtu || t->path.tcp || t->udp_fd < 0)
		return false;
	known = host_knows(t, most);
	if (known) {
		*out_takes = known;
		return false;
	}
	e = session_probe_len(t->session, (uint16_t)most, os_now().boot_ms);
	if (e)
		log_debug("the path's MTU is not asked for: %s", err_text(e));
	return !e;
}

bool tunnel_ask_mtu(struct tunnel *t)
{
	uint16_t takes;

	if (!t->mtu_unknown)
		return false;
	t->mtu_unknown = false;
	if (ask(t, &takes))
		return true;
	learn(t, takes);
	return false;
}

void tunnel_hear_mtu(struct tunnel *t, const struct ike_action *a)
{
	const struct ike_path *p = &a->u.probed.path;

	if (!a->u.probed.len || !addr_eq(&p->local, &t->path.local) ||
	    !addr_eq(&p->remote, &t->path.remote))
		return;
	if (!a->u.probed.ok)
		log_info("packets of %u octets are lost on the way to the "
			 "gateway",
			 a->u.probed.len);
	/* ICMP may have come, and the host have repeated it in fragments. */
	learn(t, a->u.probed.ok ? host_knows(t, a->u.probed.len) : PATH_MIN);
}
