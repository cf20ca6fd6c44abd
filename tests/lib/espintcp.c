/* For libreswan on a kernel without ESP in TCP (CONFIG_INET_ESPINTCP), loaded
 * into it by LD_PRELOAD: the kernel's part of RFC 9329, which is to cut the
 * stream behind the prefix into messages, is done here. Prefix, non-ESP marker
 * and all of IKE are libreswan's own. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 1024

static char framed[FDS_MAX];

static int is_framed(int fd)
{
	return fd >= 0 && fd < FDS_MAX && framed[fd];
}

int setsockopt(int fd, int level, int name, const void *value, socklen_t len)
{
	static int (*next)(int, int, int, const void *, socklen_t);

	if (!next)
		next = dlsym(RTLD_NEXT, "setsockopt");
	if (level == IPPROTO_TCP && name == TCP_ULP && fd >= 0 &&
	    fd < FDS_MAX) {
		framed[fd] = 1;
		return 0;
	}
	return next(fd, level, name, value, len);
}

int close(int fd)
{
	static int (*next)(int);

	if (!next)
		next = dlsym(RTLD_NEXT, "close");
	if (is_framed(fd))
		framed[fd] = 0;
	return next(fd);
}

/* One whole message or none: what is there of it stays in the socket. */
static ssize_t take(int fd, void *buf, size_t cap)
{
	static ssize_t (*next)(int, void *, size_t, int);
	static uint8_t record[65535];
	ssize_t n;
	size_t len;

	if (!next)
		next = dlsym(RTLD_NEXT, "recv");
	n = next(fd, record, sizeof(record), MSG_PEEK | MSG_DONTWAIT);
	if (n <= 0)
		return n;
	len = n < 2 ? 2 : (size_t)record[0] << 8 | record[1];
	if (len < 2)
		return 0;
	if ((size_t)n < len) {
		errno = EAGAIN;
		return -1;
	}
	next(fd, record, len, 0);
	len -= 2;
	if (len > cap)
		len = cap;
	memcpy(buf, record + 2, len);
	return (ssize_t)len;
}

static ssize_t give(int fd, const void *buf, size_t len)
{
	static ssize_t (*next)(int, const void *, size_t, int);
	static uint8_t record[65535];

	if (!next)
		next = dlsym(RTLD_NEXT, "send");
	if (len > sizeof(record) - 2) {
		errno = EMSGSIZE;
		return -1;
	}
	record[0] = (uint8_t)((len + 2) >> 8);
	record[1] = (uint8_t)(len + 2);
	memcpy(record + 2, buf, len);
	return next(fd, record, len + 2, MSG_NOSIGNAL) < 0 ? -1 : (ssize_t)len;
}

ssize_t recv(int fd, void *buf, size_t len, int flags)
{
	static ssize_t (*next)(int, void *, size_t, int);

	if (!next)
		next = dlsym(RTLD_NEXT, "recv");
	return is_framed(fd) ? take(fd, buf, len) : next(fd, buf, len, flags);
}

ssize_t read(int fd, void *buf, size_t len)
{
	static ssize_t (*next)(int, void *, size_t);

	if (!next)
		next = dlsym(RTLD_NEXT, "read");
	return is_framed(fd) ? take(fd, buf, len) : next(fd, buf, len);
}

ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	static ssize_t (*next)(int, const void *, size_t, int);

	if (!next)
		next = dlsym(RTLD_NEXT, "send");
	return is_framed(fd) ? give(fd, buf, len) : next(fd, buf, len, flags);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	static ssize_t (*next)(int, const void *, size_t);

	if (!next)
		next = dlsym(RTLD_NEXT, "write");
	return is_framed(fd) ? give(fd, buf, len) : next(fd, buf, len);
}
