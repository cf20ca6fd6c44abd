/* Policies: what the kernel protects, and what it takes from the tunnel. None
 * for what is forwarded: a client is no router. */
#include "platform/linux/xfrm.h"

#include <linux/xfrm.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>

/* Any; tells ours from what somebody else gave an interface id of ours. */
#define POLICY_PRIORITY 0x4500u
#define SWEEP_AT_ONCE	64

static struct xfrm_selector selector_make(const struct xfrm_policy *p, bool out)
{
	const struct prefix inner = {*p->inner,
				     (uint8_t)(addr_len(p->inner) * 8)};
	const struct prefix *from = out ? &inner : p->to;
	const struct prefix *to = out ? p->to : &inner;
	struct xfrm_selector sel;

	memset(&sel, 0, sizeof(sel));
	xfrm_addr_fill(&sel.saddr, &from->addr);
	xfrm_addr_fill(&sel.daddr, &to->addr);
	sel.prefixlen_s = from->bits;
	sel.prefixlen_d = to->bits;
	sel.family = (uint16_t)xfrm_family(p->inner);
	return sel;
}

/* Out: the one state, by its SPI, so that it is certain which of two sends.
 * In: any of the lease's, wherever it comes from. */
static struct xfrm_user_tmpl template_make(const struct xfrm_policy *p,
					   bool out)
{
	const struct net_way *way = &p->by->way;
	struct xfrm_user_tmpl t;

	memset(&t, 0, sizeof(t));
	t.id.proto = IPPROTO_ESP;
	t.family = (uint16_t)xfrm_family(&way->local);
	t.reqid = xfrm_id(p->by->lease);
	t.mode = XFRM_MODE_TUNNEL;
	t.aalgos = t.ealgos = t.calgos = ~0u;
	if (out) {
		t.id.spi = htonl(p->by->spi_out);
		xfrm_addr_fill(&t.id.daddr, &way->remote);
		xfrm_addr_fill(&t.saddr, &way->local);
	}
	return t;
}

static enum err policy_set(int fd, const struct xfrm_policy *p, bool out,
			   struct diag *diag)
{
	struct xfrm_user_tmpl tmpl = template_make(p, out);
	struct xfrm_userpolicy_info info;
	struct nl_msg *m = nlmsg_alloc_simple(XFRM_MSG_UPDPOLICY,
					      NLM_F_REQUEST | NLM_F_ACK);
	char text[ADDR_STR_MAX], what[ADDR_STR_MAX + 32];

	memset(&info, 0, sizeof(info));
	info.sel = selector_make(p, out);
	info.lft.soft_byte_limit = info.lft.hard_byte_limit = XFRM_INF;
	info.lft.soft_packet_limit = info.lft.hard_packet_limit = XFRM_INF;
	info.priority = POLICY_PRIORITY;
	info.dir = out ? XFRM_POLICY_OUT : XFRM_POLICY_IN;
	info.action = XFRM_POLICY_ALLOW;
	if (m) {
		nlmsg_append(m, &info, sizeof(info), NLMSG_ALIGNTO);
		nla_put(m, XFRMA_TMPL, sizeof(tmpl), &tmpl);
		nla_put_u32(m, XFRMA_IF_ID, xfrm_id(p->by->lease));
	}
	snprintf(what, sizeof(what), "policy for %s", prefix_str(p->to, text));
	return xfrm_call(fd, m, NULL, what, diag);
}

static enum err policy_delete(int fd, const struct xfrm_userpolicy_id *id,
			      unsigned lease)
{
	struct nl_msg *m = nlmsg_alloc_simple(XFRM_MSG_DELPOLICY,
					      NLM_F_REQUEST | NLM_F_ACK);

	if (m) {
		nlmsg_append(m, (void *)(uintptr_t)id, sizeof(*id),
			     NLMSG_ALIGNTO);
		nla_put_u32(m, XFRMA_IF_ID, xfrm_id(lease));
	}
	return xfrm_call(fd, m, NULL, "", NULL);
}

/* What comes in is let in before something goes out. */
enum err xfrm_policy_set(int fd, const struct xfrm_policy *p, struct diag *diag)
{
	enum err e = policy_set(fd, p, false, diag);

	return e ? e : policy_set(fd, p, true, diag);
}

void xfrm_policy_delete(int fd, const struct xfrm_policy *p)
{
	struct xfrm_userpolicy_id id;
	enum err e;

	for (int out = 0; out < 2; out++) {
		memset(&id, 0, sizeof(id));
		id.sel = selector_make(p, out);
		id.dir = out ? XFRM_POLICY_OUT : XFRM_POLICY_IN;
		e = policy_delete(fd, &id, p->by->lease);
		(void)e; /* gone already is gone */
	}
}

/* --- sweep ------------------------------------------------------- */

struct policy_list {
	const struct lease_set *leases;
	struct {
		struct xfrm_userpolicy_id id;
		unsigned lease;
	} stale[SWEEP_AT_ONCE];
	unsigned n_stale;
};

static void policy_put(struct nlmsghdr *head, void *ctx)
{
	struct policy_list *list = ctx;
	struct xfrm_userpolicy_info info;
	unsigned lease;

	if (head->nlmsg_type != XFRM_MSG_NEWPOLICY ||
	    !xfrm_head(head, &info, sizeof(info)) ||
	    !xfrm_lease_of(head, sizeof(info), &lease) ||
	    list->leases->alive[lease] || info.priority != POLICY_PRIORITY ||
	    list->n_stale == SWEEP_AT_ONCE)
		return;
	list->stale[list->n_stale].lease = lease;
	list->stale[list->n_stale].id.sel = info.sel;
	list->stale[list->n_stale].id.index = info.index;
	list->stale[list->n_stale].id.dir = info.dir;
	list->n_stale++;
}

unsigned xfrm_policy_sweep(int fd, const struct lease_set *leases)
{
	struct policy_list list;
	const struct xfrm_reader reader = {policy_put, &list};
	unsigned done = 0, before;

	do {
		before = done;
		memset(&list, 0, sizeof(list));
		list.leases = leases;
		if (xfrm_call(fd,
			      nlmsg_alloc_simple(XFRM_MSG_GETPOLICY,
						 NLM_F_REQUEST | NLM_F_DUMP),
			      &reader, "", NULL))
			break;
		for (unsigned i = 0; i < list.n_stale; i++)
			if (policy_delete(fd, &list.stale[i].id,
					  list.stale[i].lease) == OK)
				done++;
	} while (done > before);
	return done;
}
