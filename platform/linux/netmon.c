#include "platform/netmon.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "platform/base/log.h"

struct netmon {
	struct nl_sock *events; /* multicast */
	struct nl_sock *ask;	/* look-ups */
	bool changed;
};

static int on_event(struct nl_msg *msg, void *ctx)
{
	struct netmon *m = ctx;

	m->changed = true;
	return NL_OK;
}

static int open_events(struct netmon *m)
{
	int r;

	m->events = nl_socket_alloc();
	if (!m->events)
		return -NLE_NOMEM;
	nl_socket_disable_seq_check(m->events);
	nl_socket_modify_cb(m->events, NL_CB_VALID, NL_CB_CUSTOM, on_event, m);
	r = nl_connect(m->events, NETLINK_ROUTE);
	if (r == 0)
		r = nl_socket_set_nonblocking(m->events);
	if (r == 0)
		r = nl_socket_add_memberships(
			m->events, RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
			RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
			RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE,
			RTNLGRP_IPV6_RULE, 0);
	return r;
}

enum err netmon_open(struct netmon **out, struct diag *diag)
{
	struct netmon *m = calloc(1, sizeof(*m));
	int r;

	*out = m;
	if (!m)
		return ERR_NO_MEMORY;
	r = open_events(m);
	if (r == 0) {
		m->ask = nl_socket_alloc();
		r = m->ask ? nl_connect(m->ask, NETLINK_ROUTE) : -NLE_NOMEM;
	}
	if (r == 0)
		return OK;
	netmon_close(out);
	return diag_set(diag, ERR_SYS, "watching the network: %s",
			nl_geterror(r));
}

void netmon_close(struct netmon **m)
{
	if (!*m)
		return;
	nl_socket_free((*m)->events);
	nl_socket_free((*m)->ask);
	free(*m);
	*m = NULL;
}

int netmon_fd(const struct netmon *m)
{
	return nl_socket_get_fd(m->events);
}

bool netmon_drain(struct netmon *m)
{
	int r;

	m->changed = false;
	do {
		r = nl_recvmsgs_default(m->events);
		/* What was lost is unknown: look at everything again. */
		if (r == -NLE_NOMEM)
			m->changed = true;
	} while (r == 0 || r == -NLE_NOMEM);
	if (r != -NLE_AGAIN)
		log_debug("netmon: %s", nl_geterror(r));
	return m->changed;
}

/* One answer of the kernel's. */
struct found {
	struct netmon_path *path;
	bool route, link_up;
	uint8_t *lladdr;
	size_t lladdr_len;
};

static void take_addr(struct nlattr *attr, struct addr *out)
{
	if (attr &&
	    addr_from_bytes(bytes(nla_data(attr), (size_t)nla_len(attr)), 0,
			    out) != OK)
		out->family = ADDR_NONE;
}

static int on_route(struct nl_msg *msg, void *ctx)
{
	struct found *f = ctx;
	struct rtmsg *rt = nlmsg_data(nlmsg_hdr(msg));
	struct nlattr *tb[RTA_MAX + 1];

	if (nlmsg_hdr(msg)->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(nlmsg_hdr(msg), sizeof(*rt), tb, RTA_MAX, NULL) < 0)
		return NL_SKIP;
	if (rt->rtm_type != RTN_UNICAST && rt->rtm_type != RTN_LOCAL)
		return NL_SKIP;
	if (!tb[RTA_OIF])
		return NL_SKIP;
	f->path->ifindex = (int)nla_get_u32(tb[RTA_OIF]);
	take_addr(tb[RTA_PREFSRC], &f->path->source);
	take_addr(tb[RTA_GATEWAY], &f->path->via);
	f->route = f->path->source.family != ADDR_NONE;
	return NL_OK;
}

static int on_link(struct nl_msg *msg, void *ctx)
{
	struct found *f = ctx;
	struct ifinfomsg *info = nlmsg_data(nlmsg_hdr(msg));

	if (nlmsg_hdr(msg)->nlmsg_type == RTM_NEWLINK)
		f->link_up = (info->ifi_flags & IFF_UP) &&
			     (info->ifi_flags & IFF_LOWER_UP);
	return NL_OK;
}

static int on_neighbour(struct nl_msg *msg, void *ctx)
{
	struct found *f = ctx;
	struct nlattr *tb[NDA_MAX + 1];
	size_t len;

	if (nlmsg_hdr(msg)->nlmsg_type != RTM_NEWNEIGH ||
	    nlmsg_parse(nlmsg_hdr(msg), sizeof(struct ndmsg), tb, NDA_MAX,
			NULL) < 0 ||
	    !tb[NDA_LLADDR])
		return NL_SKIP;
	len = (size_t)nla_len(tb[NDA_LLADDR]);
	if (len > NETMON_LLADDR_MAX)
		return NL_SKIP;
	memcpy(f->lladdr, nla_data(tb[NDA_LLADDR]), len);
	f->lladdr_len = len;
	return NL_OK;
}

/* Sends msg (takes it) and runs on each answer. */
static bool ask(struct netmon *m, struct nl_msg *msg,
		int (*on)(struct nl_msg *msg, void *ctx), struct found *f)
{
	int r;

	nl_socket_modify_cb(m->ask, NL_CB_VALID, NL_CB_CUSTOM, on, f);
	r = nl_send_auto(m->ask, msg);
	nlmsg_free(msg);
	if (r >= 0)
		r = nl_recvmsgs_default(m->ask);
	/* A look-up that answers with data is followed by an ACK only where
	 * one was asked for: nl_send_auto asks. */
	if (r >= 0)
		r = nl_wait_for_ack(m->ask);
	return r >= 0;
}

static bool ask_route(struct netmon *m, const struct addr *dst, uint32_t mark,
		      struct found *f)
{
	struct rtmsg rt = {
		.rtm_family = dst->family == ADDR_V4 ? AF_INET : AF_INET6,
		.rtm_dst_len = (unsigned char)(addr_len(dst) * 8),
	};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETROUTE, NLM_F_REQUEST);

	if (!msg || nlmsg_append(msg, &rt, sizeof(rt), NLMSG_ALIGNTO) < 0 ||
	    nla_put(msg, RTA_DST, (int)addr_len(dst), dst->b) < 0 ||
	    (mark && nla_put_u32(msg, RTA_MARK, mark) < 0)) {
		nlmsg_free(msg);
		return false;
	}
	return ask(m, msg, on_route, f) && f->route;
}

static bool ask_link(struct netmon *m, struct found *f)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC,
				 .ifi_index = f->path->ifindex};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_GETLINK, NLM_F_REQUEST);

	if (!msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		return false;
	}
	return ask(m, msg, on_link, f) && f->link_up;
}

size_t netmon_neighbour(struct netmon *m, const struct netmon_path *path,
			uint8_t out[NETMON_LLADDR_MAX])
{
	const struct addr *via = &path->via;
	struct ndmsg nd = {.ndm_family =
				   via->family == ADDR_V4 ? AF_INET : AF_INET6,
			   .ndm_ifindex = path->ifindex};
	struct found f = {.lladdr = out};
	struct nl_msg *msg;

	if (via->family == ADDR_NONE)
		return 0;
	msg = nlmsg_alloc_simple(RTM_GETNEIGH, NLM_F_REQUEST);
	if (!msg || nlmsg_append(msg, &nd, sizeof(nd), NLMSG_ALIGNTO) < 0 ||
	    nla_put(msg, NDA_DST, (int)addr_len(via), via->b) < 0) {
		nlmsg_free(msg);
		return 0;
	}
	return ask(m, msg, on_neighbour, &f) ? f.lladdr_len : 0;
}

enum err netmon_path(struct netmon *m, const struct addr *dst, uint32_t mark,
		     struct netmon_path *out)
{
	struct found f = {.path = out};

	memset(out, 0, sizeof(*out));
	return ask_route(m, dst, mark, &f) && ask_link(m, &f) ? OK
							      : ERR_NOT_FOUND;
}

bool netmon_path_eq(const struct netmon_path *a, const struct netmon_path *b)
{
	return a->ifindex == b->ifindex && addr_eq(&a->source, &b->source) &&
	       addr_eq(&a->via, &b->via);
}
