/* States: one SA of one direction each. Tunnel mode with either address family
 * inside. Their lifetimes are the client's to keep, so here they have none. */
#include "platform/linux/xfrm.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/udp.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define REPLAY_WINDOW XFRMA_REPLAY_ESN_MAX
#define SWEEP_AT_ONCE 64
#define PROBE_SPI     256

/* What tells a state from others, and where it lives. */
struct state {
	unsigned lease;
	uint32_t spi;
	bool out;
	const struct addr *from, *to; /* outer, with the ports of UDP or 0 */
};

static struct state state_in(const struct xfrm_pair *p)
{
	return (struct state){.lease = p->lease,
			      .spi = p->spi_in,
			      .from = &p->way.remote,
			      .to = &p->way.local};
}

static struct state state_out(const struct xfrm_pair *p)
{
	return (struct state){.lease = p->lease,
			      .spi = p->spi_out,
			      .out = true,
			      .from = &p->way.local,
			      .to = &p->way.remote};
}

/* --- messages ---------------------------------------------------- */

/* Everything but keys and sequence numbers. */
static struct nl_msg *state_msg(const struct state *s, bool esn)
{
	struct xfrm_encap_tmpl udp = {.encap_type = UDP_ENCAP_ESPINUDP,
				      .encap_sport = htons(s->from->port),
				      .encap_dport = htons(s->to->port)};
	struct xfrm_usersa_info info;
	struct nl_msg *m =
		nlmsg_alloc_simple(XFRM_MSG_NEWSA, NLM_F_REQUEST | NLM_F_ACK);

	if (!m)
		return NULL;
	memset(&info, 0, sizeof(info));
	info.id.proto = IPPROTO_ESP;
	info.id.spi = htonl(s->spi);
	xfrm_addr_fill(&info.id.daddr, s->to);
	xfrm_addr_fill(&info.saddr, s->from);
	info.lft.soft_byte_limit = info.lft.hard_byte_limit = XFRM_INF;
	info.lft.soft_packet_limit = info.lft.hard_packet_limit = XFRM_INF;
	info.reqid = xfrm_id(s->lease);
	info.family = (uint16_t)xfrm_family(s->to);
	info.mode = XFRM_MODE_TUNNEL;
	info.flags = XFRM_STATE_AF_UNSPEC | (esn ? XFRM_STATE_ESN : 0);
	nlmsg_append(m, &info, sizeof(info), NLMSG_ALIGNTO);
	nla_put_u32(m, XFRMA_IF_ID, xfrm_id(s->lease));
	if (s->to->port != 0)
		nla_put(m, XFRMA_ENCAP, sizeof(udp), &udp);
	/* As the lease's sockets: past its own tunnel (route.c). */
	if (s->out)
		nla_put_u32(m, XFRMA_SET_MARK, NETD_MARK_BASE + s->lease);
	return m;
}

/* In the form that holds a large window, with or without ESN. */
static void replay_put(struct nl_msg *m)
{
	const size_t len =
		sizeof(struct xfrm_replay_state_esn) + REPLAY_WINDOW / 8;
	struct nlattr *a = nla_reserve(m, XFRMA_REPLAY_ESN_VAL, (int)len);
	struct xfrm_replay_state_esn *r;

	if (!a)
		return;
	r = nla_data(a);
	memset(r, 0, len);
	r->bmp_len = REPLAY_WINDOW / 32;
	r->replay_window = REPLAY_WINDOW;
}

struct alg {
	const char *name; /* the kernel's */
	uint32_t icv_bits;
};

static struct alg encr_alg(enum net_encr encr)
{
	switch (encr) {
#define X(number, num, kernel, icv)                                            \
	case number:                                                           \
		return (struct alg){kernel, icv * 8};
		NET_ENCR_LIST(X)
#undef X
	}
	return (struct alg){"", 0};
}

static struct alg integ_alg(enum net_integ integ)
{
	switch (integ) {
#define X(number, num, kernel, icv)                                            \
	case number:                                                           \
		return (struct alg){kernel, icv * 8};
		NET_INTEG_LIST(X)
#undef X
	}
	return (struct alg){"", 0};
}

/* The kernel's algorithm attributes are a head and the key behind it. */
static void alg_put(struct nl_msg *m, int type, struct bytes head,
		    const struct secret *key)
{
	struct nlattr *a = nla_reserve(m, type, (int)(head.len + key->len));

	if (!a)
		return;
	memcpy(nla_data(a), head.p, head.len);
	memcpy((uint8_t *)nla_data(a) + head.len, key->b, key->len);
}

static void encr_put(struct nl_msg *m, enum net_encr encr,
		     const struct secret *key)
{
	const struct alg alg = encr_alg(encr);
	struct xfrm_algo_aead aead = {.alg_key_len = (uint32_t)key->len * 8,
				      .alg_icv_len = alg.icv_bits};
	struct xfrm_algo plain = {.alg_key_len = (uint32_t)key->len * 8};

	snprintf(aead.alg_name, sizeof(aead.alg_name), "%s", alg.name);
	snprintf(plain.alg_name, sizeof(plain.alg_name), "%s", alg.name);
	if (alg.icv_bits > 0)
		alg_put(m, XFRMA_ALG_AEAD, bytes(&aead, sizeof(aead)), key);
	else
		alg_put(m, XFRMA_ALG_CRYPT, bytes(&plain, sizeof(plain)), key);
}

static void integ_put(struct nl_msg *m, enum net_integ integ,
		      const struct secret *key)
{
	const struct alg alg = integ_alg(integ);
	struct xfrm_algo_auth auth = {.alg_key_len = (uint32_t)key->len * 8,
				      .alg_trunc_len = alg.icv_bits};

	snprintf(auth.alg_name, sizeof(auth.alg_name), "%s", alg.name);
	alg_put(m, XFRMA_ALG_AUTH_TRUNC, bytes(&auth, sizeof(auth)), key);
}

/* --- adding and deleting ----------------------------------------- */

static enum err state_add(int fd, const struct state *s,
			  const struct net_sa *sa, struct diag *diag)
{
	struct nl_msg *m = state_msg(s, sa->esn);
	char what[64];
	enum err e;

	if (m) {
		replay_put(m);
		encr_put(m, sa->encr, s->out ? &sa->encr_out : &sa->encr_in);
		if (sa->integ != NET_INTEG_NONE)
			integ_put(m, sa->integ,
				  s->out ? &sa->integ_out : &sa->integ_in);
	}
	snprintf(what, sizeof(what), "SA with %s in the kernel",
		 encr_alg(sa->encr).name);
	e = xfrm_call(fd, m, NULL, what, diag);
	/* What the kernel does not find is its cipher. */
	return e == ERR_NOT_FOUND ? ERR_UNSUPPORTED : e;
}

static enum err id_delete(int fd, struct xfrm_usersa_id *id,
			  const struct xfrm_reader *reader, struct diag *diag)
{
	struct nl_msg *m =
		nlmsg_alloc_simple(XFRM_MSG_DELSA, NLM_F_REQUEST | NLM_F_ACK);

	if (m)
		nlmsg_append(m, id, sizeof(*id), NLMSG_ALIGNTO);
	return xfrm_call(fd, m, reader, "deleting an SA", diag);
}

static enum err state_delete(int fd, const struct state *s,
			     const struct xfrm_reader *reader,
			     struct diag *diag)
{
	struct xfrm_usersa_id id = {.spi = htonl(s->spi),
				    .family = (uint16_t)xfrm_family(s->to),
				    .proto = IPPROTO_ESP};

	xfrm_addr_fill(&id.daddr, s->to);
	return id_delete(fd, &id, reader, diag);
}

/* In the loopback network, where nobody's packets come from. */
enum err xfrm_probe(int fd, unsigned lease, struct diag *diag)
{
	const struct addr here = {.family = ADDR_V4, .b = {127, 0, 0, 1}};
	const struct state s = {.lease = lease,
				.spi = PROBE_SPI + lease,
				.from = &here,
				.to = &here};
	struct net_sa sa;
	enum err e;

	memset(&sa, 0, sizeof(sa));
	sa.encr = NET_ENCR_AES_GCM_16;
	sa.encr_in.len = 20;
	e = state_add(fd, &s, &sa, diag);
	return e ? e : state_delete(fd, &s, NULL, diag);
}

enum err xfrm_pair_add(int fd, unsigned lease, const struct net_sa *sa,
		       struct diag *diag)
{
	const struct xfrm_pair pair = {lease, sa->spi_in, sa->spi_out, sa->way};
	const struct state in = state_in(&pair), out = state_out(&pair);
	enum err e = state_add(fd, &in, sa, diag), undone;

	if (e)
		return e;
	e = state_add(fd, &out, sa, diag);
	if (!e)
		return OK;
	undone = state_delete(fd, &in, NULL, NULL);
	(void)undone; /* there is nobody to tell but the sweep */
	return e;
}

void xfrm_pair_delete(int fd, const struct xfrm_pair *pair)
{
	const struct state in = state_in(pair), out = state_out(pair);
	enum err e = state_delete(fd, &out, NULL, NULL);

	e = state_delete(fd, &in, NULL, NULL);
	(void)e; /* gone already is gone */
}

/* --- moving ------------------------------------------------------ */

/* The state is deleted, and added from what the kernel says it was at that
 * moment: by then it numbers no packet any more and takes none, so no number
 * is used twice and no packet gets in twice. (XFRM_MSG_MIGRATE is an option of
 * the kernel's build, and it learnt of interface ids late.)
 *
 * Nor is an IV used twice: the kernel makes one of the number and a random
 * value drawn for each state. */
struct move {
	const struct state *from, *to;
	struct nl_msg *msg; /* that adds it; NULL: the kernel said nothing */
};

static size_t alg_head_len(int type)
{
	switch (type) {
	case XFRMA_ALG_AEAD:
		return sizeof(struct xfrm_algo_aead);
	case XFRMA_ALG_AUTH_TRUNC:
		return sizeof(struct xfrm_algo_auth);
	default: /* XFRMA_ALG_CRYPT */
		return sizeof(struct xfrm_algo);
	}
}

/* A locked-down kernel shows keys of zeros; those must not be used. */
static bool key_is_hidden(struct nlattr *a)
{
	size_t head_len = alg_head_len(nla_type(a));
	const uint8_t *p = nla_data(a);

	for (size_t i = head_len; i < (size_t)nla_len(a); i++)
		if (p[i] != 0)
			return false;
	return true;
}

static bool move_keys(struct move *m, struct nlmsghdr *head, size_t head_len)
{
	static const int types[] = {XFRMA_ALG_AEAD, XFRMA_ALG_CRYPT,
				    XFRMA_ALG_AUTH_TRUNC};
	bool any = false;

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		struct nlattr *a =
			nlmsg_find_attr(head, (int)head_len, types[i]);

		if (!a)
			continue;
		if (key_is_hidden(a))
			return false;
		nla_put(m->msg, types[i], nla_len(a), nla_data(a));
		any = true;
	}
	return any;
}

static void msg_drop(struct nl_msg **msg)
{
	struct nlmsghdr *head = nlmsg_hdr(*msg);

	mem_wipe(head, head->nlmsg_len);
	nlmsg_free(*msg);
	*msg = NULL;
}

/* The news of the deletion. */
static void move_put(struct nlmsghdr *head, void *ctx)
{
	struct move *m = ctx;
	struct xfrm_usersa_id id;
	struct xfrm_usersa_info was;
	struct nlattr *a, *replay;

	if (head->nlmsg_type != XFRM_MSG_DELSA || m->msg ||
	    !xfrm_head(head, &id, sizeof(id)) || id.spi != htonl(m->from->spi))
		return;
	a = nlmsg_find_attr(head, sizeof(id), XFRMA_SA);
	replay = nlmsg_find_attr(head, sizeof(id), XFRMA_REPLAY_ESN_VAL);
	if (!a || nla_len(a) < (int)sizeof(was) || !replay)
		return;
	memcpy(&was, nla_data(a), sizeof(was));
	m->msg = state_msg(m->to, was.flags & XFRM_STATE_ESN);
	if (!m->msg)
		return;
	nla_put(m->msg, XFRMA_REPLAY_ESN_VAL, nla_len(replay),
		nla_data(replay));
	if (!move_keys(m, head, sizeof(id)))
		msg_drop(&m->msg);
}

static enum err news_of_states(int fd, bool on, struct diag *diag)
{
	const int group = XFRMNLGRP_SA;

	if (setsockopt(fd, SOL_NETLINK,
		       on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP,
		       &group, sizeof(group)) < 0)
		return diag_sys(diag, ERR_SYS, "news of SAs");
	return OK;
}

static enum err state_move(int fd, const struct state *from,
			   const struct state *to, struct diag *diag)
{
	struct move m = {.from = from, .to = to};
	const struct xfrm_reader reader = {move_put, &m};
	enum err e = news_of_states(fd, true, diag), off;

	if (e)
		return e;
	e = state_delete(fd, from, &reader, diag);
	off = news_of_states(fd, false, diag);
	if (!e && !m.msg)
		e = diag_set(diag, ERR_UNSUPPORTED,
			     "the kernel does not show its SAs");
	if (!e)
		e = off;
	if (!e)
		return xfrm_call(fd, m.msg, NULL, "moving an SA", diag);
	if (m.msg)
		msg_drop(&m.msg);
	return e;
}

enum err xfrm_pair_move(int fd, struct xfrm_pair *pair,
			const struct net_way *way, struct diag *diag)
{
	struct xfrm_pair moved = *pair;
	const struct state from_in = state_in(pair), from_out = state_out(pair);
	struct state in, out;
	enum err e;

	moved.way = *way;
	in = state_in(&moved);
	out = state_out(&moved);
	e = state_move(fd, &from_in, &in, diag);
	if (!e)
		e = state_move(fd, &from_out, &out, diag);
	if (e) {
		xfrm_pair_delete(fd, pair);
		xfrm_pair_delete(fd, &moved);
		return e;
	}
	*pair = moved;
	return OK;
}

/* --- looking ----------------------------------------------------- */

struct ages {
	unsigned lease;
	int64_t now_s, in_s, out_s;
};

static void age_put(struct nlmsghdr *head, void *ctx)
{
	struct ages *ages = ctx;
	const size_t head_len = sizeof(struct xfrm_usersa_info);
	struct nlattr *used;
	unsigned lease;
	int64_t age_s, *youngest;

	if (head->nlmsg_type != XFRM_MSG_NEWSA ||
	    !xfrm_lease_of(head, head_len, &lease) || lease != ages->lease)
		return;
	used = nlmsg_find_attr(head, (int)head_len, XFRMA_LASTUSED);
	if (!used)
		return;
	/* Only what goes out has a mark. */
	youngest = nlmsg_find_attr(head, (int)head_len, XFRMA_SET_MARK)
			   ? &ages->out_s
			   : &ages->in_s;
	age_s = ages->now_s - (int64_t)nla_get_u64(used) + 1;
	if (age_s < 0)
		age_s = 0;
	if (*youngest < 0 || age_s < *youngest)
		*youngest = age_s;
}

enum err xfrm_ages(int fd, unsigned lease, int64_t *out_heard,
		   int64_t *out_spoke)
{
	struct ages ages = {lease, time(NULL), -1, -1};
	const struct xfrm_reader reader = {age_put, &ages};
	enum err e = xfrm_call(
		fd,
		nlmsg_alloc_simple(XFRM_MSG_GETSA, NLM_F_REQUEST | NLM_F_DUMP),
		&reader, "", NULL);

	*out_heard = ages.in_s;
	*out_spoke = ages.out_s;
	return e;
}

/* --- sweep ------------------------------------------------------- */

struct state_list {
	const struct lease_set *leases;
	struct xfrm_usersa_id stale[SWEEP_AT_ONCE];
	unsigned n_stale;
};

/* What the kernel made itself while it waited for an SA has our request id
 * too. */
static void state_put(struct nlmsghdr *head, void *ctx)
{
	struct state_list *list = ctx;
	struct xfrm_usersa_id *id = &list->stale[list->n_stale];
	struct xfrm_usersa_info info;
	unsigned lease;

	if (head->nlmsg_type != XFRM_MSG_NEWSA ||
	    !xfrm_head(head, &info, sizeof(info)) ||
	    !xfrm_lease_of(head, sizeof(info), &lease) ||
	    list->leases->alive[lease] || info.reqid != xfrm_id(lease) ||
	    list->n_stale == SWEEP_AT_ONCE)
		return;
	id->daddr = info.id.daddr;
	id->spi = info.id.spi;
	id->family = info.family;
	id->proto = info.id.proto;
	list->n_stale++;
}

unsigned xfrm_state_sweep(int fd, const struct lease_set *leases)
{
	struct state_list list;
	const struct xfrm_reader reader = {state_put, &list};
	unsigned done = 0, before;

	do {
		before = done;
		memset(&list, 0, sizeof(list));
		list.leases = leases;
		if (xfrm_call(fd,
			      nlmsg_alloc_simple(XFRM_MSG_GETSA,
						 NLM_F_REQUEST | NLM_F_DUMP),
			      &reader, "", NULL))
			break;
		for (unsigned i = 0; i < list.n_stale; i++)
			if (id_delete(fd, &list.stale[i], NULL, NULL) == OK)
				done++;
	} while (done > before);
	return done;
}
