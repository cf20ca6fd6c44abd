/* For a gateway on a kernel without ESP, loaded into it by LD_PRELOAD: what it
 * asks of XFRM (SAs and policies) is answered "done" and never reaches the
 * kernel. So its IKE goes on as if the tunnel were there: that much is real.
 * No packet is ever transformed here.
 *
 * Each SA that was asked for is one line in the file NOESP_LOG:
 *
 *   SA spi=XXXXXXXX dst=ADDRESS encap=SPORT:DPORT|none aead=NAME:KEY:ICVBITS
 *      enc=NAME:KEY auth=NAME:KEY:ICVBITS
 *
 * with keys in hex (a key only of a test's tunnel), and DEL spi=XXXXXXXX, and
 * MIGRATE [encap=SPORT:DPORT].
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/xfrm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define FDS_MAX 1024

/* Answer due on that descriptor: sequence number of the request. */
static struct {
	int due;
	uint32_t seq, port;
} pending[FDS_MAX];

static int is_xfrm(int fd)
{
	int proto = -1, domain = -1;
	socklen_t len = sizeof(proto);

	if (fd < 0 || fd >= FDS_MAX)
		return 0;
	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) ||
	    domain != AF_NETLINK)
		return 0;
	len = sizeof(proto);
	return getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &len) == 0 &&
	       proto == NETLINK_XFRM;
}

static void put_hex(FILE *f, const char *key, unsigned bits)
{
	for (unsigned i = 0; i < bits / 8; i++)
		fprintf(f, "%02x", (unsigned char)key[i]);
}

static void log_attr(FILE *f, const struct rtattr *a)
{
	const struct xfrm_algo_aead *aead = RTA_DATA(a);
	const struct xfrm_algo_auth *auth = RTA_DATA(a);
	const struct xfrm_encap_tmpl *encap = RTA_DATA(a);
	const struct xfrm_algo *algo = RTA_DATA(a);

	switch (a->rta_type) {
	case XFRMA_ENCAP:
		fprintf(f, " encap=%u:%u", ntohs(encap->encap_sport),
			ntohs(encap->encap_dport));
		break;
	case XFRMA_ALG_AEAD:
		fprintf(f, " aead=%s:", aead->alg_name);
		put_hex(f, aead->alg_key, aead->alg_key_len);
		fprintf(f, ":%u", aead->alg_icv_len);
		break;
	case XFRMA_ALG_CRYPT:
		fprintf(f, " enc=%s:", algo->alg_name);
		put_hex(f, algo->alg_key, algo->alg_key_len);
		break;
	case XFRMA_ALG_AUTH_TRUNC:
		fprintf(f, " auth=%s:", auth->alg_name);
		put_hex(f, auth->alg_key, auth->alg_key_len);
		fprintf(f, ":%u", auth->alg_trunc_len);
		break;
	}
}

static void log_new(FILE *f, const struct nlmsghdr *h)
{
	const struct xfrm_usersa_info *sa = NLMSG_DATA(h);
	int left = (int)(h->nlmsg_len - NLMSG_SPACE(sizeof(*sa)));
	const struct rtattr *a =
		(const void *)((const char *)h + NLMSG_SPACE(sizeof(*sa)));
	char dst[INET6_ADDRSTRLEN] = "?";

	inet_ntop(sa->family, &sa->id.daddr, dst, sizeof(dst));
	fprintf(f, "SA spi=%08x dst=%s", ntohl(sa->id.spi), dst);
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		log_attr(f, a);
	fprintf(f, "\n");
}

static void log_migrate(FILE *f, const struct nlmsghdr *h)
{
	int left = (int)(h->nlmsg_len -
			 NLMSG_SPACE(sizeof(struct xfrm_userpolicy_id)));
	const struct rtattr *a =
		(const void *)((const char *)h +
			       NLMSG_SPACE(sizeof(struct xfrm_userpolicy_id)));

	fprintf(f, "MIGRATE");
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		log_attr(f, a);
	fprintf(f, "\n");
}

static void log_request(const struct nlmsghdr *h)
{
	const char *path = getenv("NOESP_LOG");
	const struct xfrm_usersa_id *id = NLMSG_DATA(h);
	FILE *f = path ? fopen(path, "a") : NULL;

	if (!f)
		return;
	if (h->nlmsg_type == XFRM_MSG_NEWSA || h->nlmsg_type == XFRM_MSG_UPDSA)
		log_new(f, h);
	else if (h->nlmsg_type == XFRM_MSG_MIGRATE)
		log_migrate(f, h);
	else if (h->nlmsg_type == XFRM_MSG_DELSA)
		fprintf(f, "DEL spi=%08x\n", ntohl(id->spi));
	fclose(f);
}

/* True when the request was swallowed. */
static int swallow(int fd, const void *buf, size_t len)
{
	const struct nlmsghdr *h = buf;

	if (len < sizeof(*h) || !is_xfrm(fd))
		return 0;
	switch (h->nlmsg_type) {
	case XFRM_MSG_NEWSA:
	case XFRM_MSG_UPDSA:
	case XFRM_MSG_DELSA:
	case XFRM_MSG_NEWPOLICY:
	case XFRM_MSG_UPDPOLICY:
	case XFRM_MSG_DELPOLICY:
	case XFRM_MSG_MIGRATE:
		break;
	default:
		return 0;
	}
	log_request(h);
	pending[fd].due = 1;
	pending[fd].seq = h->nlmsg_seq;
	pending[fd].port = h->nlmsg_pid;
	return 1;
}

/* The acknowledgement that is due, or -1. */
static ssize_t answer(int fd, void *buf, size_t len)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr e;
	} ack = {.h = {.nlmsg_len = sizeof(ack), .nlmsg_type = NLMSG_ERROR}};

	if (fd < 0 || fd >= FDS_MAX || !pending[fd].due || len < sizeof(ack))
		return -1;
	pending[fd].due = 0;
	ack.h.nlmsg_seq = pending[fd].seq;
	ack.h.nlmsg_pid = pending[fd].port;
	memcpy(buf, &ack, sizeof(ack));
	return sizeof(ack);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	ssize_t (*real)(int, const void *, size_t) =
		(ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT,
							     "write");

	return swallow(fd, buf, len) ? (ssize_t)len : real(fd, buf, len);
}

ssize_t recvfrom(int fd, void *buf, size_t len, int flags,
		 struct sockaddr *from, socklen_t *from_len)
{
	ssize_t (*real)(int, void *, size_t, int, struct sockaddr *,
			socklen_t *) =
		(ssize_t(*)(int, void *, size_t, int, struct sockaddr *,
			    socklen_t *))dlsym(RTLD_NEXT, "recvfrom");
	ssize_t n = answer(fd, buf, len);

	if (n < 0)
		return real(fd, buf, len, flags, from, from_len);
	if (from && from_len && *from_len >= sizeof(struct sockaddr_nl)) {
		memset(from, 0, sizeof(struct sockaddr_nl));
		from->sa_family = AF_NETLINK;
		*from_len = sizeof(struct sockaddr_nl);
	}
	return n;
}
