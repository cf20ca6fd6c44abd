/* The routing socket: its messages are read in route_msg.c. */
#include "config.h"

#include "platform/netmon.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <unistd.h>

#include "platform/base/log.h"
#include "platform/bsd/route_msg.h"

#if defined(__FreeBSD__)
#define HERE ROUTE_FREEBSD
#elif defined(__OpenBSD__)
#define HERE ROUTE_OPENBSD
#elif defined(__NetBSD__)
#define HERE ROUTE_NETBSD
#elif defined(__APPLE__)
#define HERE ROUTE_MACOS
#else
#error "the layout of this system's routing messages is not known"
#endif

#define ANSWER_S    1
#define STRANGE_MAX 64 /* messages before the answer */

struct netmon {
	int events;
	int ask;
	int seq;
	uint8_t buf[8192];
};

static int route_socket(void)
{
	int fd = socket(PF_ROUTE, SOCK_RAW, AF_UNSPEC);

	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
}

enum err netmon_open(struct netmon **out, struct diag *diag)
{
	const struct timeval wait = {.tv_sec = ANSWER_S};
	struct netmon *m = calloc(1, sizeof(*m));

	*out = m;
	if (!m)
		return ERR_NO_MEMORY;
	m->events = route_socket();
	m->ask = route_socket();
	if (m->events >= 0 && m->ask >= 0 &&
	    fcntl(m->events, F_SETFL, O_NONBLOCK) == 0 &&
	    setsockopt(m->ask, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) ==
		    0)
		return OK;
	diag_sys(diag, ERR_SYS, "watching the network");
	netmon_close(out);
	return ERR_SYS;
}

void netmon_close(struct netmon **m)
{
	if (!*m)
		return;
	if ((*m)->events >= 0)
		close((*m)->events);
	if ((*m)->ask >= 0)
		close((*m)->ask);
	free(*m);
	*m = NULL;
}

int netmon_fd(const struct netmon *m)
{
	return m->events;
}

static bool concerns_paths(enum route_kind kind)
{
	switch (kind) {
	case ROUTE_LINK:
	case ROUTE_ADDR:
	case ROUTE_IFACE:
	case ROUTE_ROUTE:
	case ROUTE_LOST:
		return true;
	case ROUTE_OTHER:
	case ROUTE_FOUND: /* somebody asked, we perhaps */
		return false;
	}
	return false;
}

static bool any_concerns_paths(struct bytes in)
{
	struct route_msg msg;
	bool found = false;

	while (in.len > 0) {
		/* What cannot be read may be anything. */
		if (route_msg_parse(HERE, in, &msg, &in) != OK)
			return true;
		found |= concerns_paths(msg.kind);
	}
	return found;
}

bool netmon_drain(struct netmon *m)
{
	bool changed = false;
	ssize_t n;

	for (;;) {
		n = read(m->events, m->buf, sizeof(m->buf));
		if (n > 0) {
			changed |= any_concerns_paths(bytes(m->buf, (size_t)n));
		} else if (n < 0 && errno == ENOBUFS) {
			changed = true; /* some were lost: look again */
		} else if (n == 0 || errno != EINTR) {
			break;
		}
	}
	if (n < 0 && errno != EAGAIN)
		log_debug("netmon: %s", strerror(errno));
	return changed;
}

/* Every message of the system comes by; ours has our pid and number. */
static bool answer_read(struct netmon *m, struct route_msg *out)
{
	struct bytes rest;
	ssize_t n;

	for (int i = 0; i < STRANGE_MAX; i++) {
		n = read(m->ask, m->buf, sizeof(m->buf));
		if (n < 0 && errno != ENOBUFS && errno != EINTR)
			return false;
		if (n > 0 &&
		    route_msg_parse(HERE, bytes(m->buf, (size_t)n), out,
				    &rest) == OK &&
		    out->kind == ROUTE_FOUND && out->pid == (int)getpid() &&
		    out->seq == m->seq)
			return out->error == 0;
	}
	return false;
}

static bool ask(struct netmon *m, const struct addr *dst, bool neighbour,
		struct route_msg *out)
{
	struct route_ask q = {.dst = *dst, .neighbour = neighbour};
	uint8_t buf[ROUTE_ASK_MAX];
	size_t len;

	q.seq = ++m->seq;
	route_msg_ask(HERE, &q, buf, &len);
	return write(m->ask, buf, len) == (ssize_t)len && answer_read(m, out);
}

static bool link_is_up(int ifindex)
{
	struct ifreq req;
	bool up = false;
	int fd;

	memset(&req, 0, sizeof(req));
	if (!if_indextoname((unsigned)ifindex, req.ifr_name))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &req) == 0)
		up = (req.ifr_flags & IFF_UP) && (req.ifr_flags & IFF_RUNNING);
	if (fd >= 0)
		close(fd);
	return up;
}

/* Nothing marks packets here: mark is not used. */
enum err netmon_path(struct netmon *m, const struct addr *dst, uint32_t mark,
		     struct netmon_path *out)
{
	struct route_msg msg;

	memset(out, 0, sizeof(*out));
	if (!ask(m, dst, false, &msg) || msg.ifindex == 0 ||
	    msg.source.family == ADDR_NONE || !link_is_up(msg.ifindex))
		return ERR_NOT_FOUND;
	out->ifindex = msg.ifindex;
	out->source = msg.source;
	out->via = msg.gateway;
	return OK;
}

size_t netmon_neighbour(struct netmon *m, const struct netmon_path *path,
			uint8_t out[NETMON_LLADDR_MAX])
{
	struct route_msg msg;

	if (path->via.family == ADDR_NONE || !ask(m, &path->via, true, &msg))
		return 0;
	memcpy(out, msg.lladdr, msg.lladdr_len);
	return msg.lladdr_len;
}

bool netmon_path_eq(const struct netmon_path *a, const struct netmon_path *b)
{
	return a->ifindex == b->ifindex && addr_eq(&a->source, &b->source) &&
	       addr_eq(&a->via, &b->via);
}
