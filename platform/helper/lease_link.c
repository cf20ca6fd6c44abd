/* OPEN and UDP: the tunnel interface and the sockets beside it. */
#include "platform/helper/lease.h"

#include "platform/base/log.h"
#include "platform/linux/dns.h"

#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define UDP_BUFFER_LEN (4 << 20) /* a burst of 64 KiB sends must fit */
#define TCP_UNSENT_LEN (128 << 10)

/* --- OPEN -------------------------------------------------------- */

static enum err kernel_plane_check(struct lease *l, struct diag *diag)
{
	if (l->xfrm_fd < 0)
		return diag_set(diag, ERR_UNSUPPORTED,
				"this kernel has no ESP");
	return xfrm_probe(l->xfrm_fd, l->slot.n, diag);
}

static enum err plane_open_kernel(struct lease *l, struct diag *diag)
{
	enum err e = kernel_plane_check(l, diag);

	if (!e)
		e = link_add_xfrm(l->nl, l->name, xfrm_id(l->slot.n), diag);
	if (!e)
		l->plane = NET_PLANE_KERNEL;
	return e;
}

static enum err plane_open_user(struct lease *l, int *out_fd, struct diag *diag)
{
	enum err e = tun_open(l->name, &l->tun_fd, diag);

	if (e)
		return e;
	l->plane = NET_PLANE_USER;
	*out_fd = fcntl(l->tun_fd, F_DUPFD_CLOEXEC, 0);
	return *out_fd < 0 ? diag_sys(diag, ERR_SYS, "descriptor") : OK;
}

static enum err plane_open(struct lease *l, enum net_plane plane, int *out_fd,
			   struct diag *diag)
{
	struct diag why = DIAG_INIT;

	switch (plane) {
	case NET_PLANE_KERNEL:
		return plane_open_kernel(l, diag);
	case NET_PLANE_AUTO:
		if (plane_open_kernel(l, &why) == OK)
			return OK;
		log_debug("%s", why.text);
		break;
	case NET_PLANE_USER:
		break;
	}
	return plane_open_user(l, out_fd, diag);
}

/* On an error there is no interface. */
static enum err link_open(struct lease *l, enum net_plane plane, int *out_fd,
			  struct diag *diag)
{
	enum err e;

	snprintf(l->name, sizeof(l->name), "vpn%u", l->slot.n);
	e = plane_open(l, plane, out_fd, diag);
	if (!e) {
		l->ifindex = (int)if_nametoindex(l->name);
		if (l->ifindex == 0)
			e = diag_sys(diag, ERR_SYS, "interface %s", l->name);
	}
	if (!e)
		e = link_setup(l->nl, l->ifindex, diag);
	/* What CONF had set on the interface that this one replaces. */
	if (!e)
		e = lease_conf_again(l, diag);
	if (!e)
		return OK;
	if (*out_fd >= 0)
		close(*out_fd);
	*out_fd = -1;
	lease_close_link(l);
	return e;
}

enum err lease_open_link(struct lease *l, enum net_plane plane, int *out_fd,
			 struct diag *diag)
{
	enum err e = OK;

	*out_fd = -1;
	if (l->ifindex != 0 && (plane == NET_PLANE_AUTO || plane == l->plane))
		return diag_set(diag, ERR_STATE, "the interface is there");
	l->resolved = dns_resolved_runs();
	if (l->ifindex != 0) {
		if (plane == NET_PLANE_KERNEL)
			e = kernel_plane_check(l, diag);
		if (!e)
			e = lease_conf_hold(l, diag);
		if (e)
			return e;
		lease_close_link(l);
	}
	return link_open(l, plane, out_fd, diag);
}

/* Routes and addresses go with the interface, also where the client still
 * holds its end of a TUN. */
void lease_close_link(struct lease *l)
{
	struct diag why = DIAG_INIT;

	lease_sa_forget(l);
	if (l->tun_fd >= 0)
		close(l->tun_fd);
	l->tun_fd = -1;
	if (l->ifindex > 0 && link_delete(l->nl, l->ifindex, &why) &&
	    if_nametoindex(l->name) == (unsigned)l->ifindex)
		log_warn("%s", why.text);
	l->ifindex = 0;
}

/* --- UDP --------------------------------------------------------- */

/* The mark is what keeps these packets out of the tunnel. */
static enum err socket_open(const struct lease *l, enum addr_family family,
			    int type, int *out_fd, struct diag *diag)
{
	const uint32_t mark = NETD_MARK_BASE + l->slot.n;
	const int on = 1;
	enum err e = OK;
	int fd;

	*out_fd = -1;
	fd = socket(family == ADDR_V4 ? AF_INET : AF_INET6,
		    type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return diag_sys(diag, ERR_UNSUPPORTED, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		e = diag_sys(diag, ERR_SYS, "SO_MARK");
	else if (family == ADDR_V6 &&
		 setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		e = diag_sys(diag, ERR_SYS, "IPV6_V6ONLY");
	if (e)
		close(fd);
	else
		*out_fd = fd;
	return e;
}

enum err lease_open_udp(struct lease *l, enum addr_family family, int *out_fd,
			struct diag *diag)
{
	const int room = UDP_BUFFER_LEN;
	enum err e = socket_open(l, family, SOCK_DGRAM, out_fd, diag);

	if (e)
		return e;
	if (setsockopt(*out_fd, SOL_SOCKET, SO_RCVBUFFORCE, &room,
		       sizeof(room)) < 0 ||
	    setsockopt(*out_fd, SOL_SOCKET, SO_SNDBUFFORCE, &room,
		       sizeof(room)) < 0)
		log_debug("socket buffers stay small");
	return OK;
}

/* What waits in the socket can no longer be dropped: little of it, or the
 * connections inside the tunnel wait for each other (RFC 9329 9.1). */
enum err lease_open_tcp(struct lease *l, enum addr_family family, int *out_fd,
			struct diag *diag)
{
	const int on = 1, waiting = TCP_UNSENT_LEN;
	enum err e = socket_open(l, family, SOCK_STREAM, out_fd, diag);

	if (e)
		return e;
	if (setsockopt(*out_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) <
		    0 ||
	    setsockopt(*out_fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &waiting,
		       sizeof(waiting)) < 0)
		log_debug("TCP socket with the system's ordinary options");
	return OK;
}
