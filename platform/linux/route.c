/* Routing by an own table: a host route to the gateway would break on
 * roaming, a mark does not. */
#include "platform/linux/kernel.h"

#include <linux/fib_rules.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>
#include <string.h>

#define BLOCK_METRIC 0xfffffffeu
#define HOLD_METRIC  0xfffffffdu

static int family_number(enum addr_family family)
{
	return family == ADDR_V4 ? AF_INET : AF_INET6;
}

/* --- routes ------------------------------------------------------ */

static enum err route_call(struct nl_sock *sk, int type, const struct route *r,
			   struct diag *diag)
{
	int len = (int)addr_len(&r->to->addr);
	bool set = type == RTM_NEWROUTE;
	struct rtmsg rtm = {
		.rtm_family = (uint8_t)family_number(r->to->addr.family),
		.rtm_dst_len = r->to->bits,
		.rtm_table = RT_TABLE_UNSPEC, /* RTA_TABLE says it */
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = set ? RT_SCOPE_LINK : RT_SCOPE_NOWHERE,
		.rtm_type = RTN_UNICAST};
	int flags = set ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	struct nl_msg *m =
		nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);
	char text[ADDR_STR_MAX], what[ADDR_STR_MAX + 32];

	if (m) {
		nlmsg_append(m, &rtm, sizeof(rtm), NLMSG_ALIGNTO);
		nla_put(m, RTA_DST, len, r->to->addr.b);
		nla_put_u32(m, RTA_TABLE, r->table);
		nla_put_u32(m, RTA_OIF, (uint32_t)r->ifindex);
		if (set && r->source)
			nla_put(m, RTA_PREFSRC, (int)addr_len(r->source),
				r->source->b);
	}
	snprintf(what, sizeof(what), "route %s", prefix_str(r->to, text));
	return kernel_call(sk, m, what, diag);
}

enum err route_set(struct nl_sock *sk, const struct route *r, struct diag *diag)
{
	return route_call(sk, RTM_NEWROUTE, r, diag);
}

enum err route_delete(struct nl_sock *sk, const struct route *r,
		      struct diag *diag)
{
	return route_call(sk, RTM_DELROUTE, r, diag);
}

/* A default route behind all others. IPv6: packets that are bound to another
 * interface (link-local) do not match it and pass on. IPv4: into the tunnel,
 * where nobody wants it; the reverse path filter, loose too, drops what comes
 * from an unreachable source, and so would the gateway's packets be. */
static enum err block_call(struct nl_sock *sk, int type, const struct route *r,
			   enum addr_family family, struct diag *diag)
{
	bool set = type == RTM_NEWROUTE, v4 = family == ADDR_V4;
	struct rtmsg rtm = {.rtm_family = (uint8_t)family_number(family),
			    .rtm_table = RT_TABLE_UNSPEC,
			    .rtm_protocol = RTPROT_STATIC,
			    .rtm_type = v4 ? RTN_UNICAST : RTN_UNREACHABLE};
	int flags = set ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	struct nl_msg *m =
		nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);

	rtm.rtm_scope = !set ? RT_SCOPE_NOWHERE
			: v4 ? RT_SCOPE_LINK
			     : RT_SCOPE_UNIVERSE;
	if (m) {
		nlmsg_append(m, &rtm, sizeof(rtm), NLMSG_ALIGNTO);
		nla_put_u32(m, RTA_TABLE, r->table);
		nla_put_u32(m, RTA_PRIORITY, BLOCK_METRIC);
		if (v4)
			nla_put_u32(m, RTA_OIF, (uint32_t)r->ifindex);
	}
	return kernel_call(sk, m, "route that blocks", diag);
}

enum err route_block(struct nl_sock *sk, const struct route *r,
		     enum addr_family family, struct diag *diag)
{
	return block_call(sk, RTM_NEWROUTE, r, family, diag);
}

void route_unblock(struct nl_sock *sk, const struct route *r,
		   enum addr_family family)
{
	enum err e = block_call(sk, RTM_DELROUTE, r, family, NULL);

	(void)e; /* gone already is gone */
}

static enum err hold_call(struct nl_sock *sk, int type, const struct route *r,
			  struct diag *diag)
{
	bool set = type == RTM_NEWROUTE;
	struct rtmsg rtm = {
		.rtm_family = (uint8_t)family_number(r->to->addr.family),
		.rtm_dst_len = r->to->bits,
		.rtm_table = RT_TABLE_UNSPEC,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = set ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE,
		.rtm_type = RTN_BLACKHOLE};
	int flags = set ? NLM_F_CREATE | NLM_F_REPLACE : 0;
	struct nl_msg *m =
		nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);

	if (m) {
		nlmsg_append(m, &rtm, sizeof(rtm), NLMSG_ALIGNTO);
		nla_put(m, RTA_DST, (int)addr_len(&r->to->addr), r->to->addr.b);
		nla_put_u32(m, RTA_TABLE, r->table);
		nla_put_u32(m, RTA_PRIORITY, HOLD_METRIC);
	}
	return kernel_call(sk, m, "route that holds", diag);
}

enum err route_hold(struct nl_sock *sk, const struct route *r,
		    struct diag *diag)
{
	return hold_call(sk, RTM_NEWROUTE, r, diag);
}

void route_release(struct nl_sock *sk, const struct route *r)
{
	enum err e = hold_call(sk, RTM_DELROUTE, r, NULL);

	(void)e; /* gone already is gone */
}

/* --- rules ------------------------------------------------------- */

/* Of one lease, in this order, lease by lease:
 *
 *   OWN    fwmark M goto END: what the lease itself sends is not for its own
 *          tunnel, nor for one of a later lease. It may be for one of an
 *          earlier lease. So two full tunnels do not send to each other in a
 *          circle, and a gateway behind another tunnel can be reached.
 *   LAN    lookup main suppress_prefixlength 0 (allow_lan)
 *   TABLE  not fwmark M lookup T
 *
 * and END, which does nothing, behind those of all leases. */
enum rule_kind { RULE_OWN = 0, RULE_LAN, RULE_TABLE, RULE_END };
#define RULE_KINDS 4

struct rule {
	uint8_t family; /* AF_INET, AF_INET6 */
	unsigned n;
	enum rule_kind kind;
};

static uint32_t rule_pref(const struct rule *r)
{
	if (r->kind == RULE_END)
		return NETD_PREF_BASE + RULE_END * NETD_LEASES + r->n;
	return NETD_PREF_BASE + RULE_END * r->n + r->kind;
}

/* The other way round; false for a priority that is not ours. */
static bool rule_of_pref(uint32_t pref, struct rule *out)
{
	uint32_t at = pref - NETD_PREF_BASE;

	if (at >= RULE_KINDS * NETD_LEASES)
		return false;
	if (at >= RULE_END * NETD_LEASES) {
		out->n = at - RULE_END * NETD_LEASES;
		out->kind = RULE_END;
	} else {
		out->n = at / RULE_END;
		out->kind = (enum rule_kind)(at % RULE_END);
	}
	return true;
}

static uint8_t rule_action(enum rule_kind kind)
{
	switch (kind) {
	case RULE_OWN:
		return FR_ACT_GOTO;
	case RULE_END:
		return FR_ACT_NOP;
	case RULE_LAN:
	case RULE_TABLE:
		break;
	}
	return FR_ACT_TO_TBL;
}

/* 0 where the rule has no table. */
static uint32_t rule_table(const struct rule *r)
{
	switch (r->kind) {
	case RULE_LAN:
		return RT_TABLE_MAIN;
	case RULE_TABLE:
		return NETD_TABLE_BASE + r->n;
	case RULE_OWN:
	case RULE_END:
		break;
	}
	return 0;
}

static void rule_put_attrs(struct nl_msg *m, const struct rule *r)
{
	const struct rule end = {r->family, r->n, RULE_END};

	nla_put_u32(m, FRA_PRIORITY, rule_pref(r));
	if (rule_table(r) != 0)
		nla_put_u32(m, FRA_TABLE, rule_table(r));
	if (r->kind == RULE_OWN || r->kind == RULE_TABLE) {
		nla_put_u32(m, FRA_FWMARK, NETD_MARK_BASE + r->n);
		nla_put_u32(m, FRA_FWMASK, 0xffffffffu);
	}
	if (r->kind == RULE_OWN)
		nla_put_u32(m, FRA_GOTO, rule_pref(&end));
	/* Everything of main but its default routes. */
	if (r->kind == RULE_LAN)
		nla_put_u32(m, FRA_SUPPRESS_PREFIXLEN, 0);
}

static enum err rule_call(struct nl_sock *sk, int type, const struct rule *r,
			  struct diag *diag)
{
	/* FRA_TABLE says the table. */
	struct fib_rule_hdr frh = {.family = r->family,
				   .action = rule_action(r->kind)};
	int flags = type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nl_msg *m =
		nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);

	if (r->kind == RULE_TABLE)
		frh.flags = FIB_RULE_INVERT;
	if (m) {
		nlmsg_append(m, &frh, sizeof(frh), NLMSG_ALIGNTO);
		rule_put_attrs(m, r);
	}
	return kernel_call(sk, m, "routing rule", diag);
}

static enum err rule_add(struct nl_sock *sk, const struct rule *r,
			 struct diag *diag)
{
	struct diag why = DIAG_INIT;
	enum err e = rule_call(sk, RTM_NEWRULE, r, &why);

	if (!e || e == ERR_BUSY)
		return OK;
	return diag_set(diag, e, "%s", why.text);
}

static bool rule_delete(struct nl_sock *sk, const struct rule *r)
{
	return rule_call(sk, RTM_DELRULE, r, NULL) == OK;
}

enum err rules_set(struct nl_sock *sk, enum addr_family family, unsigned n,
		   bool allow_lan, struct diag *diag)
{
	/* The aim of "goto" before the "goto", the table last. */
	static const enum rule_kind order[] = {RULE_END, RULE_OWN, RULE_LAN,
					       RULE_TABLE};
	struct rule r = {(uint8_t)family_number(family), n, RULE_END};
	enum err e = OK;

	for (size_t i = 0; i < RULE_KINDS && !e; i++) {
		r.kind = order[i];
		if (r.kind == RULE_LAN && !allow_lan)
			rule_delete(sk, &r);
		else
			e = rule_add(sk, &r, diag);
	}
	return e;
}

void rules_clear(struct nl_sock *sk, enum addr_family family, unsigned n)
{
	static const enum rule_kind order[] = {RULE_TABLE, RULE_LAN, RULE_OWN,
					       RULE_END};
	struct rule r = {(uint8_t)family_number(family), n, RULE_END};

	for (size_t i = 0; i < RULE_KINDS; i++) {
		r.kind = order[i];
		rule_delete(sk, &r);
	}
}

/* --- sweep ------------------------------------------------------- */

/* The routes that hold, of a lease that nobody knows any more. */
struct held_list {
	uint32_t table;
	struct prefix to[NET_ROUTES_MAX];
	unsigned n;
};

static void held_put(struct nlmsghdr *head, void *ctx)
{
	struct held_list *list = ctx;
	const struct rtmsg *rtm = nlmsg_data(head);
	struct nlattr *table = nlmsg_find_attr(head, sizeof(*rtm), RTA_TABLE);
	struct nlattr *dst = nlmsg_find_attr(head, sizeof(*rtm), RTA_DST);
	struct prefix *p = &list->to[list->n];

	if (head->nlmsg_type != RTM_NEWROUTE ||
	    rtm->rtm_type != RTN_BLACKHOLE || !table ||
	    nla_get_u32(table) != list->table || list->n == NET_ROUTES_MAX)
		return;
	memset(p, 0, sizeof(*p));
	p->addr.family = rtm->rtm_family == AF_INET ? ADDR_V4 : ADDR_V6;
	p->bits = rtm->rtm_dst_len;
	if (dst)
		nla_memcpy(p->addr.b, dst, sizeof(p->addr.b));
	list->n++;
}

/* What did not go with the interface. */
static void table_sweep(struct nl_sock *sk, uint32_t table)
{
	struct held_list list = {.table = table};
	struct route r = {.table = table};

	route_unblock(sk, &r, ADDR_V6);
	if (kernel_dump(sk, RTM_GETROUTE, held_put, &list))
		return;
	for (unsigned i = 0; i < list.n; i++) {
		r.to = &list.to[i];
		route_release(sk, &r);
	}
}

struct rule_list {
	const struct lease_set *leases;
	struct rule stale[NETD_LEASES * RULE_KINDS * 2];
	unsigned n_stale;
};

static uint32_t attr_u32(struct nlmsghdr *head, int attr)
{
	struct nlattr *a =
		nlmsg_find_attr(head, sizeof(struct fib_rule_hdr), attr);

	return a ? nla_get_u32(a) : 0;
}

/* Ours by priority, action and table: a rule of somebody else that has one
 * of our priorities is left alone. */
static void rule_put(struct nlmsghdr *head, void *ctx)
{
	struct rule_list *list = ctx;
	struct fib_rule_hdr *frh = nlmsg_data(head);
	struct rule r = {.family = frh->family};

	if (head->nlmsg_type != RTM_NEWRULE ||
	    !rule_of_pref(attr_u32(head, FRA_PRIORITY), &r) ||
	    list->leases->alive[r.n] ||
	    (frh->family != AF_INET && frh->family != AF_INET6) ||
	    frh->action != rule_action(r.kind) ||
	    attr_u32(head, FRA_TABLE) != rule_table(&r) ||
	    list->n_stale == sizeof(list->stale) / sizeof(*list->stale))
		return;
	list->stale[list->n_stale++] = r;
}

unsigned rules_sweep(struct nl_sock *sk, const struct lease_set *leases)
{
	struct rule_list list = {.leases = leases};
	unsigned done = 0;

	if (kernel_dump(sk, RTM_GETRULE, rule_put, &list))
		return 0;
	for (unsigned i = 0; i < list.n_stale; i++) {
		struct rule *r = &list.stale[i];

		done += rule_delete(sk, r);
		if (r->kind == RULE_TABLE)
			table_sweep(sk, rule_table(r));
	}
	return done;
}
