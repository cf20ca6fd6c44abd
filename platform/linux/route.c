/* Routing by an own table: a host route to the gateway would break on
 * roaming, a mark does not. */
#include "platform/linux/kernel.h"

#include <linux/fib_rules.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>

static int family_number(enum addr_family family)
{
	return family == ADDR_V4 ? AF_INET : AF_INET6;
}

/* --- routes --------------------------------------------------------------- */

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

/* --- rules -----------------------------------------------------------------
 */

/* Of one lease: the local network first, then the table. */
enum rule_kind { RULE_LAN = 0, RULE_TABLE = 1, RULE_KINDS = 2 };

struct rule {
	uint8_t family; /* AF_INET, AF_INET6 */
	unsigned n;
	enum rule_kind kind;
};

static enum err rule_call(struct nl_sock *sk, int type, const struct rule *r,
			  struct diag *diag)
{
	struct fib_rule_hdr frh = {
		.family = r->family,
		.table = r->kind == RULE_LAN ? RT_TABLE_MAIN : RT_TABLE_UNSPEC,
		.action = FR_ACT_TO_TBL};
	int flags = type == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	struct nl_msg *m =
		nlmsg_alloc_simple(type, NLM_F_REQUEST | NLM_F_ACK | flags);

	if (r->kind == RULE_TABLE)
		frh.flags = FIB_RULE_INVERT;
	if (m) {
		nlmsg_append(m, &frh, sizeof(frh), NLMSG_ALIGNTO);
		nla_put_u32(m, FRA_PRIORITY,
			    NETD_PREF_BASE + RULE_KINDS * r->n + r->kind);
	}
	if (m && r->kind == RULE_LAN) {
		nla_put_u32(m, FRA_TABLE, RT_TABLE_MAIN);
		/* Everything of main but its default routes. */
		nla_put_u32(m, FRA_SUPPRESS_PREFIXLEN, 0);
	} else if (m) {
		nla_put_u32(m, FRA_TABLE, NETD_TABLE_BASE + r->n);
		nla_put_u32(m, FRA_FWMARK, NETD_MARK_BASE + r->n);
		nla_put_u32(m, FRA_FWMASK, 0xffffffffu);
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
	uint8_t af = (uint8_t)family_number(family);
	struct rule lan = {af, n, RULE_LAN};
	struct rule table = {af, n, RULE_TABLE};
	enum err e = OK;

	if (allow_lan)
		e = rule_add(sk, &lan, diag);
	else
		rule_delete(sk, &lan);
	return e ? e : rule_add(sk, &table, diag);
}

void rules_clear(struct nl_sock *sk, enum addr_family family, unsigned n)
{
	uint8_t af = (uint8_t)family_number(family);

	rule_delete(sk, &(struct rule){af, n, RULE_TABLE});
	rule_delete(sk, &(struct rule){af, n, RULE_LAN});
}

/* --- sweep ------------------------------------------------------------------
 */

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

/* Ours by priority and table: a rule of somebody else that has one of our
 * priorities is left alone. */
static void rule_put(struct nlmsghdr *head, void *ctx)
{
	struct rule_list *list = ctx;
	struct fib_rule_hdr *frh = nlmsg_data(head);
	uint32_t pref = attr_u32(head, FRA_PRIORITY) - NETD_PREF_BASE;
	struct rule r = {frh->family, pref / RULE_KINDS,
			 (enum rule_kind)(pref % RULE_KINDS)};
	uint32_t table =
		r.kind == RULE_LAN ? RT_TABLE_MAIN : NETD_TABLE_BASE + r.n;

	if (head->nlmsg_type != RTM_NEWRULE ||
	    pref >= NETD_LEASES * RULE_KINDS || list->leases->alive[r.n] ||
	    (frh->family != AF_INET && frh->family != AF_INET6) ||
	    attr_u32(head, FRA_TABLE) != table ||
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
	for (unsigned i = 0; i < list.n_stale; i++)
		if (rule_delete(sk, &list.stale[i]))
			done++;
	return done;
}
