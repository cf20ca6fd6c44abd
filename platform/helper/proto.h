/* What the client process and vpn-netd say to each other: one request and
 * one reply a message, over a SOCK_SEQPACKET socket, each of a fixed size.
 *
 * The writer of a request may be hostile. A request holds numbers, addresses
 * and domain names; never a path, an interface name, a command or a raw
 * kernel message.
 */
#ifndef PLATFORM_HELPER_PROTO_H
#define PLATFORM_HELPER_PROTO_H

#include "platform/net.h"

#define NETD_FD	    3 /* vpn-netd's end of the socket */
#define NETD_LEASES 64

/* Lease n has the interface vpn<n>, this mark, this interface id and this
 * routing table, and rules from NETD_PREF_BASE + 3n on and at NETD_PREF_BASE +
 * 3 * NETD_LEASES + n (linux/route.c). The mark keeps clear of the bits that
 * Kubernetes, Tailscale and Cilium are known to use; the rules stand shortly
 * before "main" (32766), so that rules made by hand are asked first. */
#define NETD_MARK_BASE	0x45000000u
#define NETD_IF_ID_BASE 0x45000000u /* of xfrm: interface and requests */
#define NETD_TABLE_BASE 4500u
#define NETD_PREF_BASE	31450u

/* X(name, number, octets of the request's body). 7 was reserved once. */
#define NETD_VERB_LIST(X)                                                      \
	X(NETD_OPEN, 1, 1)                                                     \
	X(NETD_UDP, 2, 2)                                                      \
	X(NETD_SA_ADD, 3, NETD_SA_LEN)                                         \
	X(NETD_SA_MOVE, 4, NETD_WAY_LEN)                                       \
	X(NETD_SA_DEL, 5, 4)                                                   \
	X(NETD_CONF, 6, NETD_CONF_LEN)                                         \
	X(NETD_STATS, 8, 0)                                                    \
	X(NETD_CLOSE, 9, 0)

enum netd_verb {
#define X(name, num, len) name = num,
	NETD_VERB_LIST(X)
#undef X
};

#define NETD_HEAD_LEN	8  /* magic, version, verb, zero */
#define NETD_PREFIX_LEN 18 /* family, bits, 16 octets */
#define NETD_ADDR_LEN	17 /* family, 16 octets */
#define NETD_CONF_LEN                                                          \
	(9 + NETD_PREFIX_LEN * (NET_ADDRS_MAX + NET_ROUTES_MAX) +              \
	 NETD_ADDR_LEN * NET_DNS_MAX + NET_DOMAIN_LEN * NET_DOMAINS_MAX)
#define NETD_WAY_LEN	   (2 * (NETD_ADDR_LEN + 2)) /* each with its port */
#define NETD_ENCR_KEY_MAX  36			     /* 256 bits and a salt */
#define NETD_INTEG_KEY_MAX 64			     /* HMAC-SHA-512 */
/* SPIs, way, four octets, and each key behind its length. */
#define NETD_SA_LEN                                                            \
	(8 + NETD_WAY_LEN + 4 +                                                \
	 2 * (1 + NETD_ENCR_KEY_MAX + 1 + NETD_INTEG_KEY_MAX))
#define NETD_REQUEST_MAX (NETD_HEAD_LEN + NETD_CONF_LEN)
#define NETD_TEXT_LEN	 256
#define NETD_STATS_LEN	 64
#define NETD_REPLY_LEN                                                         \
	(NETD_HEAD_LEN + 4 + 4 + 1 + NET_NAME_LEN + NETD_STATS_LEN +           \
	 NETD_TEXT_LEN)

/* With SA_ADD it holds keys: whoever fills it wipes it. */
struct netd_request {
	enum netd_verb verb;
	enum net_plane plane;	 /* OPEN */
	enum addr_family family; /* UDP */
	bool stream;		 /* UDP: TCP instead (RFC 9329) */
	struct net_conf conf;	 /* CONF */
	struct net_sa sa;	 /* SA_ADD */
	struct net_way way;	 /* SA_MOVE */
	uint32_t spi_in;	 /* SA_DEL */
};

struct netd_reply {
	uint8_t verb; /* of the request, 0 where it was not readable */
	enum err err;
	uint32_t ifindex;	  /* OPEN */
	enum net_plane plane;	  /* OPEN; 0 with another verb */
	char name[NET_NAME_LEN];  /* OPEN */
	struct net_stats stats;	  /* STATS */
	char text[NETD_TEXT_LEN]; /* why not, or a warning */
};

/* Requests. Writes NETD_HEAD_LEN + the verb's body. ERR_NO_SPACE. */
enum err ERR_MUST netd_write_request(const struct netd_request *req,
				     struct wr *w);
/* Reads and validates every field. ERR_MALFORMED with a diag line. */
enum err ERR_MUST netd_read_request(struct bytes msg, struct netd_request *out,
				    struct diag *diag);
/* The meaning of a CONF: counts, families, prefix lengths, host bits, no
 * loopback or multicast as an address or name server, domain names that are
 * letters, digits, hyphens and underscores, MTU. ERR_MALFORMED. */
enum err ERR_MUST netd_check_conf(const struct net_conf *conf,
				  struct diag *diag);
/* The meaning of an SA_ADD and of an SA_MOVE: SPIs above 255, two hosts of one
 * family, both ports or none, a cipher with its integrity and keys of their
 * lengths. ERR_MALFORMED. */
enum err ERR_MUST netd_check_sa(const struct net_sa *sa, struct diag *diag);
enum err ERR_MUST netd_check_way(const struct net_way *way, struct diag *diag);
enum err ERR_MUST netd_check_spi(uint32_t spi, struct diag *diag);

/* Replies. text is cut and made printable. */
enum err ERR_MUST netd_write_reply(const struct netd_reply *reply,
				   struct wr *w);
enum err ERR_MUST netd_read_reply(struct bytes msg, struct netd_reply *out);

#endif
