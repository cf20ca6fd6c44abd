#include "platform/bsd/route_msg.h"

#include <string.h>

#define SA_INET	 2
#define SA_LINK	 18
#define SA_INET4 16 /* length of sockaddr_in */
#define SA_INET6 28 /* of sockaddr_in6 */

#define FLAG_UP	     0x1  /* IFF_UP */
#define FLAG_RUNNING 0x40 /* IFF_RUNNING */

/* Bits of the addresses behind a message: RTA_ */
#define HAS_DST	    0x1
#define HAS_GATEWAY 0x2
#define HAS_IFP	    0x10
#define HAS_IFA	    0x20
#define ADDRS_MAX   16

#define NOWHERE 0xff

/* The same everywhere. */
#define TYPE_ADD    1
#define TYPE_DELETE 2
#define TYPE_CHANGE 3
#define TYPE_GET    4

#define ASK_LLDATA 0x400 /* RTF_LLDATA, of old RTF_LLINFO */

/* Where in a header a field stands, in octets. */
struct fields {
	uint8_t size; /* addresses follow; of if_msghdr: if_data does */
	uint8_t index, addrs;
	uint8_t flags;
};

struct layout {
	uint8_t version;
	uint8_t align;	/* of each address */
	uint8_t hdrlen; /* where the header tells its size; or NOWHERE */
	uint8_t inet6;	/* AF_INET6 */
	uint8_t sdl;	/* length of a sockaddr_dl */
	uint8_t newaddr, deladdr, ifinfo, announce, desync; /* 0: none */
	struct fields rt;				    /* rt_msghdr */
	uint8_t rt_pid, rt_seq, rt_errno;
	struct fields ifa; /* ifa_msghdr */
	struct fields ifm; /* if_msghdr */
	uint8_t link_state, link_state_len;
	uint8_t link_down_first,
		link_down_last;		    /* its values without carrier */
	uint8_t an_size, an_index, an_what; /* if_announcemsghdr */
};

/* From each system's net/route.h and net/if.h; README says how far each was
 * compared with what. */
static const struct layout layouts[ROUTE_SYSTEMS] = {
	[ROUTE_FREEBSD] = {.version = 5,
			   .align = 8,
			   .hdrlen = NOWHERE,
			   .inet6 = 28,
			   .sdl = 54,
			   .newaddr = 0xc,
			   .deladdr = 0xd,
			   .ifinfo = 0xe,
			   .announce = 0x11,
			   .rt = {152, 4, 12, 8},
			   .rt_pid = 16,
			   .rt_seq = 20,
			   .rt_errno = 24,
			   .ifa = {20, 12, 4, 8},
			   .ifm = {16, 12, 4, 8},
			   .link_state = 20,
			   .link_state_len = 1,
			   .link_down_first = 1,
			   .link_down_last = 1,
			   .an_size = 24,
			   .an_index = 4,
			   .an_what = 22},
	[ROUTE_OPENBSD] = {.version = 5,
			   .align = 8,
			   .hdrlen = 4,
			   .inet6 = 24,
			   .sdl = 32,
			   .newaddr = 0xc,
			   .deladdr = 0xd,
			   .ifinfo = 0xe,
			   .announce = 0xf,
			   .desync = 0x10,
			   .rt = {96, 6, 12, 16},
			   .rt_pid = 24,
			   .rt_seq = 28,
			   .rt_errno = 32,
			   .ifa = {24, 6, 12, 16},
			   .ifm = {24, 6, 12, 16},
			   .link_state = 27,
			   .link_state_len = 1,
			   .link_down_first = 1,
			   .link_down_last = 3,
			   .an_size = 26,
			   .an_index = 6,
			   .an_what = 8},
	[ROUTE_NETBSD] = {.version = 4,
			  .align = 8,
			  .hdrlen = NOWHERE,
			  .inet6 = 24,
			  .sdl = 20,
			  .newaddr = 0x16,
			  .deladdr = 0x17,
			  .ifinfo = 0x14,
			  .announce = 0x10,
			  .rt = {120, 4, 12, 8},
			  .rt_pid = 16,
			  .rt_seq = 20,
			  .rt_errno = 24,
			  .ifa = {32, 4, 12, 8},
			  .ifm = {16, 12, 4, 8},
			  .link_state = 20,
			  .link_state_len = 4,
			  .link_down_first = 1,
			  .link_down_last = 1,
			  .an_size = 24,
			  .an_index = 4,
			  .an_what = 22},
	[ROUTE_MACOS] = {.version = 5,
			 .align = 4,
			 .hdrlen = NOWHERE,
			 .inet6 = 30,
			 .sdl = 20,
			 .newaddr = 0xc,
			 .deladdr = 0xd,
			 .ifinfo = 0xe,
			 .rt = {92, 4, 12, 8},
			 .rt_pid = 16,
			 .rt_seq = 20,
			 .rt_errno = 24,
			 .ifa = {20, 12, 4, 8},
			 .ifm = {16, 12, 4, 8},
			 .link_state = NOWHERE},
};

/* --- numbers in the machine's order --------------------------------------- */

static uint16_t get_u16(struct bytes b, size_t at)
{
	uint16_t v;

	memcpy(&v, b.p + at, sizeof(v));
	return v;
}

static int get_int(struct bytes b, size_t at)
{
	int32_t v;

	memcpy(&v, b.p + at, sizeof(v));
	return v;
}

static void put_int(uint8_t *p, size_t at, int v)
{
	int32_t v32 = v;

	memcpy(p + at, &v32, sizeof(v32));
}

static void put_u16(uint8_t *p, size_t at, uint16_t v)
{
	memcpy(p + at, &v, sizeof(v));
}

/* --- addresses ------------------------------------------------------------ */

static size_t rounded(const struct layout *l, size_t len)
{
	return (len + l->align - 1) / l->align * l->align;
}

/* Inside of the kernel the scope of a link-local address stands in its third
 * and fourth octet, and some systems let that be seen. */
static void scope_strip(struct addr *a)
{
	if (a->family == ADDR_V6 && a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80)
		a->b[2] = a->b[3] = 0;
}

/* sa: a sockaddr of its own length. */
static void addr_take(const struct layout *l, struct bytes sa, struct addr *out)
{
	struct bytes b = BYTES_NONE;

	if (sa.len >= SA_INET4 && sa.p[1] == SA_INET)
		b = bytes(sa.p + 4, 4);
	else if (sa.len >= SA_INET6 && sa.p[1] == l->inet6)
		b = bytes(sa.p + 8, 16);
	if (!b.p || addr_from_bytes(b, 0, out) != OK)
		out->family = ADDR_NONE;
	scope_strip(out);
}

/* sockaddr_dl: index at 2, lengths of name and address at 5 and 6, both from
 * octet 8 on. */
static void lladdr_take(struct bytes sa, struct route_msg *out)
{
	size_t name_len, len;

	if (sa.len < 8 || sa.p[1] != SA_LINK)
		return;
	name_len = sa.p[5];
	len = sa.p[6];
	if (len > ROUTE_LLADDR_MAX || 8 + name_len + len > sa.len)
		return;
	memcpy(out->lladdr, sa.p + 8 + name_len, len);
	out->lladdr_len = len;
}

static void link_index_take(struct bytes sa, struct route_msg *out)
{
	if (sa.len >= 8 && sa.p[1] == SA_LINK && get_u16(sa, 2))
		out->ifindex = get_u16(sa, 2);
}

static void one_take(const struct layout *l, unsigned bit, struct bytes sa,
		     struct route_msg *out)
{
	if (bit == HAS_DST)
		addr_take(l, sa, &out->dst);
	if (bit == HAS_GATEWAY) {
		addr_take(l, sa, &out->gateway);
		lladdr_take(sa, out);
	}
	if (bit == HAS_IFP)
		link_index_take(sa, out);
	if (bit == HAS_IFA)
		addr_take(l, sa, &out->source);
}

static enum err addrs_take(const struct layout *l, struct bytes b,
			   unsigned present, struct route_msg *out)
{
	struct rd r = rd_open(b);
	size_t len, room;
	struct bytes sa;

	for (unsigned i = 0; i < ADDRS_MAX && rd_left(&r) > 0; i++) {
		if (!(present & (1u << i)))
			continue;
		len = *r.p;
		room = rounded(l, len ? len : 1);
		/* The last one may come without what rounds it up. */
		if (room > rd_left(&r))
			room = rd_left(&r);
		if (len > room)
			return ERR_MALFORMED;
		sa = rd_take(&r, room);
		one_take(l, 1u << i, bytes(sa.p, len), out);
	}
	return rd_ok(&r) ? OK : ERR_TRUNCATED;
}

/* --- messages ------------------------------------------------------------- */

static enum err body_take(const struct layout *l, const struct fields *f,
			  struct bytes msg, struct route_msg *out)
{
	size_t start = f->size;

	if (l->hdrlen != NOWHERE)
		start = get_u16(msg, l->hdrlen);
	if (start < 8 || start > msg.len ||
	    (l->hdrlen == NOWHERE && msg.len < f->size))
		return ERR_TRUNCATED;
	out->ifindex = get_u16(msg, f->index);
	return addrs_take(l, bytes(msg.p + start, msg.len - start),
			  (unsigned)get_int(msg, f->addrs), out);
}

/* What a field of each header needs, whatever its end says. */
static bool is_long_enough(const struct fields *f, struct bytes msg)
{
	return msg.len >= f->addrs + 4u && msg.len >= f->flags + 4u &&
	       msg.len >= f->index + 2u;
}

static enum err route_take(const struct layout *l, struct bytes msg,
			   struct route_msg *out)
{
	if (!is_long_enough(&l->rt, msg) || msg.len < l->rt_errno + 4u)
		return ERR_TRUNCATED;
	out->pid = get_int(msg, l->rt_pid);
	out->seq = get_int(msg, l->rt_seq);
	out->error = get_int(msg, l->rt_errno);
	return body_take(l, &l->rt, msg, out);
}

static bool has_carrier(const struct layout *l, struct bytes msg)
{
	unsigned state;

	if (l->link_state == NOWHERE)
		return true;
	if (l->link_state_len == 1)
		state = msg.p[l->link_state];
	else
		state = (unsigned)get_int(msg, l->link_state);
	return state < l->link_down_first || state > l->link_down_last;
}

static enum err link_take(const struct layout *l, struct bytes msg,
			  struct route_msg *out)
{
	const unsigned both = FLAG_UP | FLAG_RUNNING;

	if (!is_long_enough(&l->ifm, msg) ||
	    (l->link_state != NOWHERE &&
	     msg.len < (size_t)l->link_state + l->link_state_len))
		return ERR_TRUNCATED;
	out->ifindex = get_u16(msg, l->ifm.index);
	out->link_up = ((unsigned)get_int(msg, l->ifm.flags) & both) == both &&
		       has_carrier(l, msg);
	return OK;
}

static enum err announce_take(const struct layout *l, struct bytes msg,
			      struct route_msg *out)
{
	if (msg.len < l->an_size)
		return ERR_TRUNCATED;
	out->ifindex = get_u16(msg, l->an_index);
	out->gone = get_u16(msg, l->an_what) == 1; /* IFAN_DEPARTURE */
	return OK;
}

static enum route_kind kind_of(const struct layout *l, uint8_t type)
{
	if (type >= TYPE_ADD && type <= TYPE_CHANGE)
		return ROUTE_ROUTE;
	if (type == TYPE_GET)
		return ROUTE_FOUND;
	if (type == l->newaddr || type == l->deladdr)
		return ROUTE_ADDR;
	if (type == l->ifinfo)
		return ROUTE_LINK;
	if (l->announce && type == l->announce)
		return ROUTE_IFACE;
	if (l->desync && type == l->desync)
		return ROUTE_LOST;
	return ROUTE_OTHER;
}

static enum err message_take(const struct layout *l, struct bytes msg,
			     struct route_msg *out)
{
	uint8_t type = msg.p[3];

	out->kind = kind_of(l, type);
	switch (out->kind) {
	case ROUTE_ROUTE:
	case ROUTE_FOUND:
		out->gone = type == TYPE_DELETE;
		return route_take(l, msg, out);
	case ROUTE_ADDR:
		out->gone = type == l->deladdr;
		if (!is_long_enough(&l->ifa, msg))
			return ERR_TRUNCATED;
		return body_take(l, &l->ifa, msg, out);
	case ROUTE_LINK:
		return link_take(l, msg, out);
	case ROUTE_IFACE:
		return announce_take(l, msg, out);
	case ROUTE_OTHER:
	case ROUTE_LOST:
		return OK;
	}
	return ERR_INTERNAL;
}

enum err route_msg_parse(enum route_os os, struct bytes in,
			 struct route_msg *out, struct bytes *out_rest)
{
	const struct layout *l = &layouts[os];
	size_t len;

	memset(out, 0, sizeof(*out));
	*out_rest = BYTES_NONE;
	if (in.len < 4)
		return ERR_TRUNCATED;
	len = get_u16(in, 0);
	if (len < 4)
		return ERR_MALFORMED;
	if (len > in.len)
		return ERR_TRUNCATED;
	*out_rest = bytes(in.p + len, in.len - len);
	if (in.p[2] != l->version)
		return ERR_UNSUPPORTED;
	return message_take(l, bytes(in.p, len), out);
}

/* --- the question --------------------------------------------------------- */

void route_msg_ask(enum route_os os, const struct route_ask *ask,
		   uint8_t buf[ROUTE_ASK_MAX], size_t *out_len)
{
	const struct layout *l = &layouts[os];
	bool v4 = ask->dst.family == ADDR_V4;
	uint8_t *sa = buf + l->rt.size;

	memset(buf, 0, ROUTE_ASK_MAX);
	sa[0] = v4 ? SA_INET4 : SA_INET6;
	sa[1] = v4 ? SA_INET : l->inet6;
	memcpy(sa + (v4 ? 4 : 8), ask->dst.b, addr_len(&ask->dst));
	sa += rounded(l, sa[0]);
	/* An empty one makes the kernel fill in interface and source. */
	sa[0] = l->sdl;
	sa[1] = SA_LINK;
	sa += rounded(l, sa[0]);
	*out_len = (size_t)(sa - buf);
	put_u16(buf, 0, (uint16_t)*out_len);
	buf[2] = l->version;
	buf[3] = TYPE_GET;
	if (l->hdrlen != NOWHERE)
		put_u16(buf, l->hdrlen, l->rt.size);
	put_int(buf, l->rt.flags, ask->neighbour ? ASK_LLDATA : 0);
	put_int(buf, l->rt.addrs, HAS_DST | HAS_IFP);
	put_int(buf, l->rt_seq, ask->seq);
}
