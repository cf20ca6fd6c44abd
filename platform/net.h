/* What the session needs of the operating system's network: a lease held by
 * the helper vpn-netd. Everything set through it is taken back when the
 * lease's socket closes, for whatever reason.
 *
 * The same functions exist for each platform (linux/, bsd/). No verb carries
 * a path, an interface name, a command or a raw kernel message: the helper
 * chooses interface, mark and routing table itself.
 */
#ifndef PLATFORM_NET_H
#define PLATFORM_NET_H

#include "platform/base/addr.h"
#include "platform/base/secret.h"

#define NET_ADDRS_MAX	4
#define NET_ROUTES_MAX	64
#define NET_DNS_MAX	8
#define NET_DOMAINS_MAX 16
#define NET_DOMAIN_LEN	254
#define NET_NAME_LEN	16

struct net;

/* Who does the ESP of a lease. */
enum net_plane {
	NET_PLANE_USER = 1, /* the client, behind a TUN interface */
	NET_PLANE_KERNEL,   /* the kernel, behind an xfrm interface */
	NET_PLANE_AUTO	    /* the kernel where it can, else the client */
};

/* The tunnel interface as the helper made it. */
struct net_link {
	enum net_plane plane; /* USER or KERNEL */
	int tun_fd; /* gives: the caller closes; non-blocking, whole packets.
		     * -1 with KERNEL */
	char name[NET_NAME_LEN]; /* for people */
	int ifindex;
};

/* What CONF sets; replaces what an earlier CONF of this lease set, without a
 * gap for what stays the same. */
struct net_conf {
	uint16_t mtu; /* 576 or 1280 to 9000 */
	uint8_t n_addrs, n_routes, n_dns, n_domains;
	bool dns_all;	 /* every name through dns[], else only domains[] */
	bool allow_lan;	 /* the local network stays reachable under a full
			  * tunnel; off by default (routes from DHCP could
			  * draw traffic out of the tunnel) */
	bool block_rest; /* when one address family has a default route here,
			  * what of the other one has no route here goes
			  * nowhere, and not outside the tunnel */
	struct prefix addrs[NET_ADDRS_MAX];   /* inner addresses */
	struct prefix routes[NET_ROUTES_MAX]; /* networks behind the gateway */
	struct addr dns[NET_DNS_MAX];
	char domains[NET_DOMAINS_MAX][NET_DOMAIN_LEN];
};

/* The kernel's ciphers for ESP, X(name, number in the helper's messages, the
 * kernel's name, octets of the ICV; of an AEAD all of it, RFC 4106, 7634). */
#define NET_ENCR_LIST(X)                                                       \
	X(NET_ENCR_AES_GCM_16, 1, "rfc4106(gcm(aes))", 16)                     \
	X(NET_ENCR_CHACHA20_POLY1305, 2, "rfc7539esp(chacha20,poly1305)", 16)  \
	X(NET_ENCR_AES_CBC, 3, "cbc(aes)", 0)
#define NET_INTEG_LIST(X)                                                      \
	X(NET_INTEG_NONE, 0, "", 0) /* with an AEAD */                         \
	X(NET_INTEG_SHA1_96, 1, "hmac(sha1)", 12)                              \
	X(NET_INTEG_SHA256_128, 2, "hmac(sha256)", 16)                         \
	X(NET_INTEG_SHA384_192, 3, "hmac(sha384)", 24)                         \
	X(NET_INTEG_SHA512_256, 4, "hmac(sha512)", 32)
#define X(name, num, kernel, icv) name = num,
enum net_encr { NET_ENCR_LIST(X) };
enum net_integ { NET_INTEG_LIST(X) };
#undef X

/* Where ESP packets come from and go to. */
struct net_way {
	struct addr local, remote; /* of one family. Ports: of UDP around ESP
				    * (RFC 3948); both 0: plain ESP */
};

/* A pair of Child SAs for the kernel: one each direction. */
struct net_sa {
	uint32_t spi_in, spi_out; /* above 255; spi_in tells it from others */
	struct net_way way;
	enum net_encr encr;
	enum net_integ integ;
	bool esn;
	/* Sends with it from now on; else once that which sends is deleted. */
	bool send;
	/* Encryption keys with the salt of an AEAD at their end. */
	struct secret encr_in, integ_in, encr_out, integ_out;
};

/* What went through the tunnel interface, and how long ago the kernel's SAs
 * were last used; -1: never, or not since they were moved, or the kernel does
 * not note it (before 6.2). */
struct net_stats {
	uint64_t packets_in, packets_out, octets_in, octets_out;
	uint64_t dropped_in, dropped_out;
	int64_t heard_ago_s, spoke_ago_s; /* a second coarse, rounded up */
};

#define NET_SAS_MAX 4 /* pairs: old and new one of each of two rekeys */

/* For root only, before any input is read: starts vpn-netd (from
 * LIBEXECDIR) on a socketpair. The caller then gives up its privilege. */
enum err ERR_MUST net_spawn(struct net **out, struct diag *diag);
/* Connects to the helper that runs as a service (RUNSTATEDIR/vpn-netd.sock)
 * and asks for the interface. ERR_NO_HELPER: there is none; ERR_PERMISSION:
 * it refuses this user; ERR_BUSY: too many tunnels; the next step in diag. */
enum err ERR_MUST net_connect(enum net_plane plane, struct net **out,
			      struct diag *diag);
/* OPEN: makes the tunnel interface (up, without addresses). KERNEL where the
 * kernel has no ESP: ERR_UNSUPPORTED. Again, for the other plane: the
 * interface is replaced by one of the same name, with what CONF had set and
 * without SAs; the caller has closed its tun_fd. ERR_STATE: it is of that
 * plane. */
enum err ERR_MUST net_open_link(struct net *n, enum net_plane plane,
				struct net_link *out, struct diag *diag);
/* UDP: a socket outside the tunnel (marked), non-blocking, unbound.
 * gives *out_fd. */
enum err ERR_MUST net_open_udp(struct net *n, enum addr_family family,
			       int *out_fd, struct diag *diag);
/* The same verb for TCP; without delay of small segments. */
enum err ERR_MUST net_open_tcp(struct net *n, enum addr_family family,
			       int *out_fd, struct diag *diag);
/* CONF. Waits for the helper's answer. */
enum err ERR_MUST net_configure(struct net *n, const struct net_conf *conf,
				struct diag *diag);

/* The kernel's SAs; all of them need OPEN with KERNEL, else ERR_STATE. What is
 * not between the addresses and the routes of CONF is dropped in both
 * directions. */

/* SA_ADD. Replaces none; the oldest of NET_SAS_MAX is deleted for it.
 * ERR_UNSUPPORTED: the kernel has not got this cipher, or no ESP at all.
 * ERR_BUSY: the SPI is in use. */
enum err ERR_MUST net_sa_add(struct net *n, const struct net_sa *sa,
			     struct diag *diag);
/* From now on the kernel takes what of ESP comes to this UDP socket (RFC 3948),
 * and leaves the rest, with its marker, to who reads it; or again does not. */
enum err ERR_MUST net_udp_takes_esp(int udp_fd, bool kernel, struct diag *diag);
/* SA_DEL. The newest of what is left sends, if this one did. ERR_NOT_FOUND. */
enum err ERR_MUST net_sa_delete(struct net *n, uint32_t spi_in,
				struct diag *diag);
/* SA_MOVE: all of them, with their sequence numbers and replay windows, to
 * another way (RFC 4555). No number and no IV is used twice. */
enum err ERR_MUST net_sa_move(struct net *n, const struct net_way *way,
			      struct diag *diag);
/* STATS. */
enum err ERR_MUST net_stats(struct net *n, struct net_stats *out,
			    struct diag *diag);

/* Readable when the helper is gone, or when an answer comes that was too late
 * for its caller. */
int net_fd(const struct net *n);
/* When it is readable: is the helper gone? A late answer is thrown away. */
bool net_ended(struct net *n);
/* CLOSE: everything is taken back before this returns. */
void net_close(struct net **n);

#endif
