/* Messages of the routing socket (PF_ROUTE), as data: the same fields in each
 * BSD, at other places. Pure: octets in, values out; numbers are in the
 * machine's order, as the kernel wrote them. 64-bit systems. */
#ifndef PLATFORM_BSD_ROUTE_MSG_H
#define PLATFORM_BSD_ROUTE_MSG_H

#include "platform/base/addr.h"

enum route_os {
	ROUTE_FREEBSD, /* 11 and later */
	ROUTE_OPENBSD, /* 5.7 and later */
	ROUTE_NETBSD,  /* 8 and later */
	ROUTE_MACOS,
	ROUTE_SYSTEMS
};

enum route_kind {
	ROUTE_OTHER, /* nothing that concerns a path */
	ROUTE_LINK,  /* RTM_IFINFO: flags and carrier of an interface */
	ROUTE_ADDR,  /* RTM_NEWADDR, RTM_DELADDR */
	ROUTE_IFACE, /* RTM_IFANNOUNCE: an interface came or went */
	ROUTE_ROUTE, /* RTM_ADD, RTM_DELETE, RTM_CHANGE */
	ROUTE_FOUND, /* RTM_GET: an answer to a question */
	ROUTE_LOST   /* RTM_DESYNC: messages were dropped, look again */
};

#define ROUTE_LLADDR_MAX 32

struct route_msg {
	enum route_kind kind;
	bool gone;    /* RTM_DELADDR, RTM_DELETE, an interface that went */
	int ifindex;  /* 0: not told */
	bool link_up; /* ROUTE_LINK: up, running and with a carrier */
	int seq, pid, error;
	/* Family ADDR_NONE where not there (or of no family of ours). */
	struct addr dst, gateway, source;
	/* The gateway's link-layer address, where that is what it is. */
	uint8_t lladdr[ROUTE_LLADDR_MAX];
	size_t lladdr_len;
};

/* The first message of what a read gave; *out_rest is what follows it.
 * ERR_TRUNCATED, ERR_MALFORMED, ERR_UNSUPPORTED (another version): the rest
 * is of no use either. */
enum err ERR_MUST route_msg_parse(enum route_os os, struct bytes in,
				  struct route_msg *out,
				  struct bytes *out_rest);

/* The question RTM_GET. */
struct route_ask {
	struct addr dst; /* which way there? */
	bool neighbour;	 /* or: what is its link-layer address? */
	int seq;
};
/* Into buf; *out_len octets of it. */
#define ROUTE_ASK_MAX 256
void route_msg_ask(enum route_os os, const struct route_ask *ask,
		   uint8_t buf[ROUTE_ASK_MAX], size_t *out_len);

#endif
