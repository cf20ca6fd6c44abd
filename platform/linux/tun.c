#include "platform/linux/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum err tun_open(const char *name, int *out_fd, struct diag *diag)
{
	struct ifreq ifr;
	enum err e;
	int fd;

	*out_fd = -1;
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return diag_sys(diag, ERR_SYS, "/dev/net/tun");
	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	/* EXCL: never attach to an interface that somebody else keeps. */
	ifr.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | IFF_VNET_HDR |
				IFF_TUN_EXCL);
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		e = errno == EBUSY   ? ERR_BUSY
		    : errno == EPERM ? ERR_PERMISSION
				     : ERR_SYS;
		diag_sys(diag, e, "making interface %s", name);
		close(fd);
		return e;
	}
	*out_fd = fd;
	return OK;
}
