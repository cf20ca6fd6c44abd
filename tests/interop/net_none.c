/* Stands in for platform/linux/net.c: no helper, no interface, plain sockets,
 * and a kernel that takes every SA.
 * A vpn-connect with it (vpn-connect-ike) does all of IKE, the session and the
 * ticket cache, and moves no packet of the tunnel: what can be shown of a
 * gateway whose ESP this machine's kernel does not have. */
#include "platform/net.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct net {
	int fds[2]; /* nobody speaks at the other end */
};

enum err net_spawn(struct net **out, struct diag *diag)
{
	struct net *n = calloc(1, sizeof(*n));

	*out = n;
	if (!n)
		return ERR_NO_MEMORY;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, n->fds) == 0)
		return OK;
	free(n);
	*out = NULL;
	return diag_sys(diag, ERR_SYS, "socketpair");
}

enum err net_connect(enum net_plane plane, struct net **out, struct diag *diag)
{
	return net_spawn(out, diag);
}

enum err net_open_link(struct net *n, enum net_plane plane,
		       struct net_link *out, struct diag *diag)
{
	*out = (struct net_link){
		.plane = NET_PLANE_KERNEL, .tun_fd = -1, .ifindex = 1};
	snprintf(out->name, sizeof(out->name), "none");
	return OK;
}

static enum err socket_open(enum addr_family family, int type, int *out_fd,
			    struct diag *diag)
{
	*out_fd = socket(family == ADDR_V4 ? AF_INET : AF_INET6,
			 type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return *out_fd < 0 ? diag_sys(diag, ERR_SYS, "socket") : OK;
}

enum err net_open_udp(struct net *n, enum addr_family family, int *out_fd,
		      struct diag *diag)
{
	return socket_open(family, SOCK_DGRAM, out_fd, diag);
}

enum err net_open_tcp(struct net *n, enum addr_family family, int *out_fd,
		      struct diag *diag)
{
	return socket_open(family, SOCK_STREAM, out_fd, diag);
}

enum err net_configure(struct net *n, const struct net_conf *conf,
		       struct diag *diag)
{
	return OK;
}

enum err net_sa_add(struct net *n, const struct net_sa *sa, struct diag *diag)
{
	return OK;
}

enum err net_udp_takes_esp(int udp_fd, bool kernel, struct diag *diag)
{
	return OK;
}

enum err net_sa_delete(struct net *n, uint32_t spi_in, struct diag *diag)
{
	return OK;
}

enum err net_sa_move(struct net *n, const struct net_way *way,
		     struct diag *diag)
{
	return OK;
}

enum err net_stats(struct net *n, struct net_stats *out, struct diag *diag)
{
	*out = (struct net_stats){.heard_ago_s = -1, .spoke_ago_s = -1};
	return OK;
}

int net_fd(const struct net *n)
{
	return n->fds[0];
}

bool net_ended(struct net *n)
{
	return true;
}

void net_close(struct net **n)
{
	if (!*n)
		return;
	close((*n)->fds[0]);
	close((*n)->fds[1]);
	free(*n);
	*n = NULL;
}
