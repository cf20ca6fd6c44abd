/* The tunnel interface and its addresses. */
#include "platform/linux/kernel.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>

/* Tells our interfaces from others of the same name. */
#define LINK_ALIAS "vpn-connect tunnel"

static struct nl_msg *link_msg(int type, const struct ifinfomsg *ifi)
{
	struct nl_msg *m = nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK);

	if (m && nlmsg_append(m, (void *)(uintptr_t)ifi, sizeof(*ifi),
			      NLMSG_ALIGNTO) < 0) {
		nlmsg_free(m);
		m = NULL;
	}
	return m;
}

/* A link-local address of the kernel's making would send router
 * solicitations and multicast reports into the tunnel for nothing. */
static void link_be_quiet(struct nl_sock *sk, int ifindex)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct nl_msg *m = link_msg(RTM_SETLINK, &ifi);
	struct nlattr *spec, *v6;
	enum err e;

	if (!m)
		return;
	spec = nla_nest_start(m, IFLA_AF_SPEC);
	v6 = spec ? nla_nest_start(m, AF_INET6) : NULL;
	if (v6) {
		nla_put_u8(m, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
		nla_nest_end(m, v6);
		nla_nest_end(m, spec);
	}
	e = kernel_call(sk, m, "", NULL);
	(void)e; /* without IPv6 there is nothing to silence */
}

enum err link_add_xfrm(struct nl_sock *sk, const char *name, uint32_t id,
		       struct diag *diag)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC};
	struct nl_msg *m = link_msg(RTM_NEWLINK, &ifi);
	struct nlattr *info, *data;

	if (m) {
		nlmsg_hdr(m)->nlmsg_flags |= NLM_F_CREATE | NLM_F_EXCL;
		nla_put_string(m, IFLA_IFNAME, name);
		info = nla_nest_start(m, IFLA_LINKINFO);
		nla_put_string(m, IFLA_INFO_KIND, "xfrm");
		data = nla_nest_start(m, IFLA_INFO_DATA);
		nla_put_u32(m, IFLA_XFRM_IF_ID, id);
		nla_nest_end(m, data);
		nla_nest_end(m, info);
	}
	return kernel_call(sk, m, "making an xfrm interface", diag);
}

enum err link_setup(struct nl_sock *sk, int ifindex, struct diag *diag)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC,
				.ifi_index = ifindex,
				.ifi_flags = IFF_UP,
				.ifi_change = IFF_UP};
	struct nl_msg *m;

	link_be_quiet(sk, ifindex);
	m = link_msg(RTM_SETLINK, &ifi);
	if (m)
		nla_put_string(m, IFLA_IFALIAS, LINK_ALIAS);
	return kernel_call(sk, m, "setting the interface up", diag);
}

enum err link_set_mtu(struct nl_sock *sk, int ifindex, uint16_t mtu,
		      struct diag *diag)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};
	struct nl_msg *m = link_msg(RTM_SETLINK, &ifi);

	if (m)
		nla_put_u32(m, IFLA_MTU, mtu);
	return kernel_call(sk, m, "setting the MTU", diag);
}

enum err link_delete(struct nl_sock *sk, int ifindex, struct diag *diag)
{
	struct ifinfomsg ifi = {.ifi_family = AF_UNSPEC, .ifi_index = ifindex};

	return kernel_call(sk, link_msg(RTM_DELLINK, &ifi),
			   "deleting the interface", diag);
}

/* --- counters ---------------------------------------------------- */

struct link_counters {
	int ifindex;
	bool found;
	struct rtnl_link_stats64 stats;
};

static void counters_put(struct nlmsghdr *head, void *ctx)
{
	struct link_counters *c = ctx;
	struct ifinfomsg *ifi = nlmsg_data(head);
	struct nlattr *a;

	if (head->nlmsg_type != RTM_NEWLINK || ifi->ifi_index != c->ifindex)
		return;
	a = nlmsg_find_attr(head, sizeof(*ifi), IFLA_STATS64);
	if (a)
		c->found = nla_memcpy(&c->stats, a, sizeof(c->stats)) > 0;
}

enum err link_stats(struct nl_sock *sk, int ifindex, struct net_stats *out,
		    struct diag *diag)
{
	struct link_counters c = {.ifindex = ifindex};
	enum err e = kernel_dump(sk, RTM_GETLINK, counters_put, &c);

	if (e || !c.found)
		return diag_set(diag, e ? e : ERR_NOT_FOUND,
				"the interface's counters");
	out->packets_in = c.stats.rx_packets;
	out->packets_out = c.stats.tx_packets;
	out->octets_in = c.stats.rx_bytes;
	out->octets_out = c.stats.tx_bytes;
	out->dropped_in = c.stats.rx_dropped;
	out->dropped_out = c.stats.tx_dropped;
	return OK;
}

/* --- sweep ------------------------------------------------------- */

struct link_list {
	const struct lease_set *leases;
	int stale[NETD_LEASES];
	unsigned n_stale;
};

static bool name_is_stale(const char *name, const struct lease_set *leases)
{
	char ours[NET_NAME_LEN];

	for (unsigned n = 0; n < NETD_LEASES; n++) {
		snprintf(ours, sizeof(ours), "vpn%u", n);
		if (strcmp(ours, name) == 0)
			return !leases->alive[n];
	}
	return false;
}

static void link_put(struct nlmsghdr *head, void *ctx)
{
	struct link_list *list = ctx;
	struct ifinfomsg *ifi = nlmsg_data(head);
	struct nlattr *name, *alias;

	if (head->nlmsg_type != RTM_NEWLINK)
		return;
	name = nlmsg_find_attr(head, sizeof(*ifi), IFLA_IFNAME);
	alias = nlmsg_find_attr(head, sizeof(*ifi), IFLA_IFALIAS);
	if (name && alias && list->n_stale < NETD_LEASES &&
	    nla_strcmp(alias, LINK_ALIAS) == 0 &&
	    name_is_stale(nla_get_string(name), list->leases))
		list->stale[list->n_stale++] = ifi->ifi_index;
}

unsigned link_sweep(struct nl_sock *sk, const struct lease_set *leases)
{
	struct link_list list = {.leases = leases};
	unsigned done = 0;

	if (kernel_dump(sk, RTM_GETLINK, link_put, &list))
		return 0;
	for (unsigned i = 0; i < list.n_stale; i++)
		if (link_delete(sk, list.stale[i], NULL) == OK)
			done++;
	return done;
}

/* --- addresses --------------------------------------------------- */

static enum err addr_call(struct nl_sock *sk, int type, int ifindex,
			  const struct addr *addr, struct diag *diag)
{
	int len = (int)addr_len(addr);
	struct ifaddrmsg ifa = {
		.ifa_family = addr->family == ADDR_V4 ? AF_INET : AF_INET6,
		.ifa_prefixlen = (uint8_t)(len * 8),
		.ifa_index = (unsigned)ifindex};
	int flags = type == RTM_NEWADDR ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	struct nl_msg *m =
		nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);
	char text[ADDR_STR_MAX], what[ADDR_STR_MAX + 32];

	if (m) {
		nlmsg_append(m, &ifa, sizeof(ifa), NLMSG_ALIGNTO);
		nla_put(m, IFA_LOCAL, len, addr->b);
		nla_put(m, IFA_ADDRESS, len, addr->b);
		if (type == RTM_NEWADDR)
			nla_put_u32(m, IFA_FLAGS,
				    IFA_F_NOPREFIXROUTE | IFA_F_NODAD);
	}
	snprintf(what, sizeof(what), "address %s", addr_str(addr, text));
	return kernel_call(sk, m, what, diag);
}

enum err addr_add(struct nl_sock *sk, int ifindex, const struct addr *addr,
		  struct diag *diag)
{
	return addr_call(sk, RTM_NEWADDR, ifindex, addr, diag);
}

enum err addr_delete(struct nl_sock *sk, int ifindex, const struct addr *addr,
		     struct diag *diag)
{
	return addr_call(sk, RTM_DELADDR, ifindex, addr, diag);
}
