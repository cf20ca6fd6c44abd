/* The gateway's end of the tunnels, with addresses out of the pools. */
#include "tests/gateway/prog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TUN_MTU 1400

/* struct in6_ifreq of linux/ipv6.h, which does not go with net/if.h. */
struct inet6_ifreq {
	struct in6_addr addr;
	uint32_t prefix_len;
	int ifindex;
};

static enum err set_v4(int fd, struct ifreq *ifr, const struct prefix *pool,
		       struct diag *diag)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	uint32_t mask = pool->bits == 0 ? 0 : UINT32_MAX << (32 - pool->bits);

	memcpy(&sin.sin_addr, pool->addr.b, 4);
	sin.sin_addr.s_addr = htonl(ntohl(sin.sin_addr.s_addr) + 1);
	memcpy(&ifr->ifr_addr, &sin, sizeof(sin));
	if (ioctl(fd, SIOCSIFADDR, ifr) < 0)
		return diag_sys(diag, ERR_SYS, "IPv4 address");
	sin.sin_addr.s_addr = htonl(mask);
	memcpy(&ifr->ifr_netmask, &sin, sizeof(sin));
	if (ioctl(fd, SIOCSIFNETMASK, ifr) < 0)
		return diag_sys(diag, ERR_SYS, "IPv4 netmask");
	return OK;
}

static enum err set_v6(const struct ifreq *ifr, const struct prefix *pool,
		       struct diag *diag)
{
	struct inet6_ifreq six = {.prefix_len = pool->bits};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	enum err e = OK;

	if (fd < 0)
		return diag_sys(diag, ERR_SYS, "IPv6 socket");
	memcpy(&six.addr, pool->addr.b, 16);
	six.addr.s6_addr[15]++;
	six.ifindex = (int)if_nametoindex(ifr->ifr_name);
	if (ioctl(fd, SIOCSIFADDR, &six) < 0)
		e = diag_sys(diag, ERR_SYS, "IPv6 address");
	close(fd);
	return e;
}

static enum err tun_setup(struct prog *p, struct ifreq *ifr, struct diag *diag)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	enum err e = OK;

	if (fd < 0)
		return diag_sys(diag, ERR_SYS, "socket");
	ifr->ifr_mtu = TUN_MTU;
	if (ioctl(fd, SIOCSIFMTU, ifr) < 0)
		e = diag_sys(diag, ERR_SYS, "MTU");
	if (e == OK && p->cfg.pool4.addr.family == ADDR_V4)
		e = set_v4(fd, ifr, &p->cfg.pool4, diag);
	ifr->ifr_flags = IFF_UP | IFF_RUNNING;
	if (e == OK && ioctl(fd, SIOCSIFFLAGS, ifr) < 0)
		e = diag_sys(diag, ERR_SYS, "interface up");
	if (e == OK && p->cfg.pool6.addr.family == ADDR_V6)
		e = set_v6(ifr, &p->cfg.pool6, diag);
	close(fd);
	return e;
}

enum err prog_tun_open(struct prog *p, struct diag *diag)
{
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	p->tun_fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (p->tun_fd < 0)
		return diag_sys(diag, ERR_SYS, "/dev/net/tun");
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", p->tun_name);
	ifr.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR);
	if (ioctl(p->tun_fd, TUNSETIFF, &ifr) < 0)
		return diag_sys(diag, ERR_SYS, "interface %s", p->tun_name);
	return tun_setup(p, &ifr, diag);
}
