#include "config.h"

#include "platform/pktio.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/base/sockaddr.h"

#define FULL_MS	    20	  /* how long a full socket is waited for */
#define SEND_MAX    64	  /* messages of one sendmmsg */
#define RUN_LEN	    65536 /* octets of a run, or of a datagram */
#define CONTROL_LEN 64
#define ECN_MASK    3
/* Where runs are long a call takes few: what it brings is to stay in the
 * cache, and the room for the others untouched. */
#define FEW  16
#define LONG 8192

/* Newer than Debian 12's headers. */
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif
_Static_assert(sizeof(struct virtio_net_hdr) == PKTIO_HEAD_LEN,
	       "virtio header");

/* --- the tunnel interface ------------------------------------------------ */

static bool offload(int fd, unsigned features)
{
	return ioctl(fd, TUNSETOFFLOAD, (unsigned long)features) == 0;
}

void pktio_tun_open(int fd, struct pktio_tun *out)
{
	const unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
	const int len = PKTIO_HEAD_LEN;
	struct ifreq ifr;

	*out = (struct pktio_tun){.fd = fd};
	memset(&ifr, 0, sizeof(ifr));
	if (ioctl(fd, TUNGETIFF, &ifr) < 0 || !(ifr.ifr_flags & IFF_VNET_HDR))
		return;
	out->vnet = true;
	if (ioctl(fd, TUNSETVNETHDRSZ, &len) < 0)
		return; /* it is 10 octets unless told otherwise */
	out->udp = offload(fd, tcp | TUN_F_USO4 | TUN_F_USO6);
	out->tcp = out->udp || offload(fd, tcp);
}

size_t pktio_tun_read(const struct pktio_tun *t, uint8_t *head, uint8_t *pkt,
		      size_t cap)
{
	struct iovec parts[2] = {{head, PKTIO_HEAD_LEN}, {pkt, cap}};
	ssize_t n;

	if (t->vnet) {
		n = readv(t->fd, parts, 2) - PKTIO_HEAD_LEN;
	} else {
		memset(head, 0, PKTIO_HEAD_LEN);
		n = read(t->fd, pkt, cap);
	}
	return n > 0 ? (size_t)n : 0;
}

static void large_refused(struct pktio_tun *t, const uint8_t *head)
{
	struct virtio_net_hdr h;

	memcpy(&h, head, sizeof(h));
	switch (h.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		t->tcp = false;
		return;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		t->udp = false;
		return;
	}
}

bool pktio_tun_write(struct pktio_tun *t, struct iovec *parts, int n)
{
	const uint8_t *head = parts->iov_base;

	if (!t->vnet) {
		parts++;
		n--;
	}
	if (writev(t->fd, parts, n) >= 0)
		return true;
	if (t->vnet && errno == EINVAL)
		large_refused(t, head);
	return false;
}

/* --- the UDP socket: opening --------------------------------------------- */

static int family_of(int fd)
{
	int family = AF_INET;
	socklen_t len = sizeof(family);

	(void)getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &len);
	return family;
}

void pktio_udp_open(int fd, struct pktio_udp *out)
{
	const int on = 1, off = 0;

	*out = (struct pktio_udp){.fd = fd, .v6 = family_of(fd) == AF_INET6};
	if (out->v6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, &on,
				 sizeof(on));
	else
		(void)setsockopt(fd, IPPROTO_IP, IP_RECVTOS, &on, sizeof(on));
	out->gso = setsockopt(fd, SOL_UDP, UDP_SEGMENT, &off, sizeof(off)) == 0;
	out->gro = setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on)) == 0;
}

void pktio_udp_close(struct pktio_udp *u)
{
	const int off = 0;

	if (u->gro)
		(void)setsockopt(u->fd, SOL_UDP, UDP_GRO, &off, sizeof(off));
	u->fd = -1;
}

size_t pktio_udp_mtu(const struct pktio_udp *u)
{
	int mtu = 0;
	socklen_t len = sizeof(mtu);

	if (getsockopt(u->fd, u->v6 ? IPPROTO_IPV6 : IPPROTO_IP,
		       u->v6 ? IPV6_MTU : IP_MTU, &mtu, &len) < 0)
		return 0;
	return mtu > 0 ? (size_t)mtu : 0;
}

/* --- receiving ----------------------------------------------------------- */

struct pktio_in {
	int most; /* messages of the next call */
	struct mmsghdr msgs[PKTIO_RUNS_MAX];
	struct iovec iov[PKTIO_RUNS_MAX];
	union sock from[PKTIO_RUNS_MAX];
	_Alignas(struct cmsghdr) uint8_t control[PKTIO_RUNS_MAX][CONTROL_LEN];
	uint8_t room[]; /* PKTIO_RUNS_MAX times RUN_LEN and two gaps */
};

/* What a call changes. */
static void msg_reset(struct mmsghdr *m)
{
	m->msg_hdr.msg_namelen = sizeof(union sock);
	m->msg_hdr.msg_controllen = CONTROL_LEN;
}

/* Only the pages that datagrams come to are ever touched. */
enum err pktio_in_new(size_t gap, struct pktio_in **out)
{
	struct pktio_in *in =
		calloc(1, sizeof(*in) + PKTIO_RUNS_MAX * (RUN_LEN + 2 * gap));

	*out = in;
	if (!in)
		return ERR_NO_MEMORY;
	in->most = FEW;
	for (size_t i = 0; i < PKTIO_RUNS_MAX; i++) {
		in->iov[i].iov_base = in->room + gap + i * (RUN_LEN + 2 * gap);
		in->iov[i].iov_len = RUN_LEN;
		in->msgs[i].msg_hdr.msg_name = &in->from[i];
		in->msgs[i].msg_hdr.msg_iov = &in->iov[i];
		in->msgs[i].msg_hdr.msg_iovlen = 1;
		in->msgs[i].msg_hdr.msg_control = in->control[i];
		msg_reset(&in->msgs[i]);
	}
	return OK;
}

void pktio_in_free(struct pktio_in **in)
{
	free(*in);
	*in = NULL;
}

/* What the kernel says beside the octets. */
static void run_fill(struct mmsghdr *m, struct pktio_run *out)
{
	struct msghdr *h = &m->msg_hdr;
	struct cmsghdr *c;
	int v;

	out->p = h->msg_iov->iov_base;
	out->len = out->stride = m->msg_len;
	out->ecn = 0;
	out->peer = sockaddr_to_addr(h->msg_name);
	for (c = CMSG_FIRSTHDR(h); c; c = CMSG_NXTHDR(h, c)) {
		if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			memcpy(&v, CMSG_DATA(c), sizeof(v));
			out->stride = (size_t)v;
		} else if (c->cmsg_level == IPPROTO_IP &&
			   c->cmsg_type == IP_TOS) {
			out->ecn = *CMSG_DATA(c) & ECN_MASK;
		} else if (c->cmsg_level == IPPROTO_IPV6 &&
			   c->cmsg_type == IPV6_TCLASS) {
			memcpy(&v, CMSG_DATA(c), sizeof(v));
			out->ecn = (uint8_t)(v & ECN_MASK);
		}
	}
}

size_t pktio_udp_receive(const struct pktio_udp *u, struct pktio_in *in,
			 struct pktio_run *out)
{
	size_t runs = 0, octets = 0;
	int n = recvmmsg(u->fd, in->msgs, (unsigned)in->most, MSG_DONTWAIT,
			 NULL);

	/* An ICMP error that was queued: the next call has the datagrams. */
	if (n < 0 && errno != EAGAIN)
		n = recvmmsg(u->fd, in->msgs, (unsigned)in->most, MSG_DONTWAIT,
			     NULL);
	for (int i = 0; i < n; i++) {
		struct mmsghdr *m = &in->msgs[i];

		if (m->msg_len > 0 && !(m->msg_hdr.msg_flags & MSG_TRUNC))
			run_fill(m, &out[runs++]);
		octets += m->msg_len;
		msg_reset(m);
	}
	if (n > 0 && octets / (size_t)n > LONG)
		in->most = FEW;
	else if (n == in->most)
		in->most = PKTIO_RUNS_MAX;
	return runs;
}

/* --- sending ------------------------------------------------------------- */

struct out_msg {
	struct iovec iov;
	union sock to;
	_Alignas(struct cmsghdr) uint8_t control[CONTROL_LEN];
};

static void control_put(struct msghdr *h, size_t cap, const int where[2],
			const void *value, size_t len)
{
	struct cmsghdr *c = (struct cmsghdr *)((uint8_t *)h->msg_control +
					       h->msg_controllen);

	if (h->msg_controllen + CMSG_SPACE(len) > cap)
		return;
	memset(c, 0, CMSG_SPACE(len));
	c->cmsg_level = where[0];
	c->cmsg_type = where[1];
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), value, len);
	h->msg_controllen += CMSG_SPACE(len);
}

/* One message of len octets at p of run r; more than one datagram of them
 * only with gso. */
static void msg_fill(const struct pktio_udp *u, const struct pktio_run *r,
		     struct iovec piece, struct out_msg *o, struct msghdr *h)
{
	static const int tos[2] = {IPPROTO_IP, IP_TOS};
	static const int tclass[2] = {IPPROTO_IPV6, IPV6_TCLASS};
	static const int segment[2] = {SOL_UDP, UDP_SEGMENT};
	uint16_t stride = (uint16_t)r->stride;
	int ecn = r->ecn;

	o->iov = piece;
	*h = (struct msghdr){
		.msg_iov = &o->iov, .msg_iovlen = 1, .msg_control = o->control};
	if (r->peer.family != ADDR_NONE) {
		h->msg_name = &o->to;
		h->msg_namelen = sockaddr_from_addr(&r->peer, &o->to);
	}
	if (ecn)
		control_put(h, CONTROL_LEN, u->v6 ? tclass : tos, &ecn,
			    sizeof(ecn));
	if (piece.iov_len > r->stride)
		control_put(h, CONTROL_LEN, segment, &stride, sizeof(stride));
	if (h->msg_controllen == 0)
		h->msg_control = NULL;
}

/* A call may wait once for a full socket; what does not fit then is lost, as
 * in any full queue. */
struct patience {
	bool used;
	bool full; /* and it was in vain */
};

static bool wait_writable(int fd, struct patience *p)
{
	struct pollfd fds = {.fd = fd, .events = POLLOUT};

	p->full = p->used || poll(&fds, 1, FULL_MS) <= 0;
	p->used = true;
	return !p->full;
}

/* Returns how many messages went; fewer than n: errno says why. */
static size_t msgs_send(int fd, struct mmsghdr *msgs, size_t n,
			struct patience *p)
{
	size_t sent = 0;
	int k;

	while (sent < n) {
		k = sendmmsg(fd, msgs + sent, (unsigned)(n - sent),
			     MSG_DONTWAIT);
		if (k > 0)
			sent += (size_t)k;
		else if (errno == ECONNREFUSED || errno == EINTR)
			continue; /* told once, of an earlier one */
		else if (errno != EAGAIN || !wait_writable(fd, p))
			break;
	}
	return sent;
}

static size_t datagrams(const struct pktio_run *r)
{
	return (r->len + r->stride - 1) / r->stride;
}

/* Datagram by datagram; what fails is left out. */
static size_t run_send_each(const struct pktio_udp *u,
			    const struct pktio_run *r, struct patience *p)
{
	struct out_msg out[SEND_MAX];
	struct mmsghdr msgs[SEND_MAX];
	size_t at = 0, n, sent, gone = 0;

	while (at < r->len && !p->full) {
		for (n = 0; n < SEND_MAX && at < r->len; n++) {
			size_t len = r->len - at < r->stride ? r->len - at
							     : r->stride;

			msg_fill(u, r, (struct iovec){r->p + at, len}, &out[n],
				 &msgs[n].msg_hdr);
			at += len;
		}
		/* One that is refused for itself is passed over. */
		for (sent = 0; sent < n && !p->full; sent++) {
			size_t k = msgs_send(u->fd, msgs + sent, n - sent, p);

			sent += k;
			gone += k;
		}
	}
	return datagrams(r) - gone;
}

/* As many of the runs as go in one piece; the first may not be one. */
static size_t runs_send(struct pktio_udp *u, const struct pktio_run *runs,
			size_t n, struct patience *p)
{
	struct out_msg out[SEND_MAX];
	struct mmsghdr msgs[SEND_MAX];
	size_t k, sent;

	for (k = 0; k < SEND_MAX && k < n; k++) {
		if (!u->gso && runs[k].len > runs[k].stride)
			break;
		msg_fill(u, &runs[k], (struct iovec){runs[k].p, runs[k].len},
			 &out[k], &msgs[k].msg_hdr);
	}
	if (k == 0)
		return 0;
	sent = msgs_send(u->fd, msgs, k, p);
	/* EIO: the kernel or the card cannot. Else it may be that this path
	 * takes no packet as large, or that it is gone. */
	if (sent < k && errno == EIO)
		u->gso = false;
	return sent;
}

size_t pktio_udp_send(struct pktio_udp *u, const struct pktio_run *runs,
		      size_t n)
{
	struct patience p = {false, false};
	size_t lost = 0, at = 0, sent;

	while (at < n && !p.full) {
		sent = runs_send(u, runs + at, n - at, &p);
		at += sent;
		if (sent == 0 && !p.full)
			lost += run_send_each(u, &runs[at++], &p);
	}
	for (; at < n; at++)
		lost += datagrams(&runs[at]);
	return lost;
}
