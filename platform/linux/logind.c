#include "config.h"

#include "platform/linux/logind.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "platform/base/log.h"

#ifdef HAVE_LIBSYSTEMD

#include "platform/linux/bus.h"

#define LOGIND	   "org.freedesktop.login1"
#define LOGIND_AT  "/org/freedesktop/login1"
#define MANAGER	   LOGIND ".Manager"
#define TIMEOUT_MS 25000

struct logind {
	sd_bus *bus;
	int poll_fd; /* epoll: the bus, for what it waits for just now */
	int lock_fd; /* -1: none */
	bool asked;  /* for the lock */
	logind_fn *said;
	void *ctx;
};

/* Readable or writable, as the connection wants it now. */
static bool rearm(struct logind *l, int op)
{
	int wanted = bus.get_events(l->bus);
	struct epoll_event ev = {.events = EPOLLIN};

	if (wanted < 0)
		return false;
	ev.events = (uint32_t)wanted; /* POLLIN is EPOLLIN, as POLLOUT is */
	return epoll_ctl(l->poll_fd, op, bus.get_fd(l->bus), &ev) == 0;
}

static int on_prepare(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	struct logind *l = ctx;
	int begins;

	if (bus.message_read(m, "b", &begins) >= 0)
		l->said(l->ctx, begins != 0);
	return 0;
}

static int on_match(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	if (bus.message_is_method_error(m, NULL))
		log_debug("sleep: the bus does not let us hear of it");
	return 0;
}

static int on_lock(sd_bus_message *m, void *ctx, sd_bus_error *error)
{
	struct logind *l = ctx;
	int fd;

	if (!l->asked) /* released before it came */
		return 0;
	l->asked = false;
	if (!bus.message_is_method_error(m, NULL) &&
	    bus.message_read(m, "h", &fd) >= 0)
		l->lock_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* m closes fd */
	if (l->lock_fd < 0)
		log_debug("sleep: logind gives no lock");
	return 0;
}

struct logind *logind_open(logind_fn *said, void *ctx)
{
	struct logind *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->lock_fd = -1;
	l->said = said;
	l->ctx = ctx;
	l->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	l->bus = bus_open(TIMEOUT_MS);
	if (l->poll_fd < 0 || !l->bus ||
	    bus.match_signal_async(l->bus, NULL, LOGIND, LOGIND_AT, MANAGER,
				   "PrepareForSleep", on_prepare, on_match,
				   l) < 0 ||
	    !rearm(l, EPOLL_CTL_ADD)) {
		logind_close(&l);
		return NULL;
	}
	logind_hold(l);
	return l;
}

void logind_close(struct logind **lp)
{
	struct logind *l = *lp;

	if (!l)
		return;
	logind_release(l);
	if (l->bus)
		bus.close_unref(l->bus);
	if (l->poll_fd >= 0)
		close(l->poll_fd);
	free(l);
	*lp = NULL;
}

int logind_fd(const struct logind *l)
{
	return l->poll_fd;
}

bool logind_read(struct logind *l)
{
	int r;

	do
		r = bus.process(l->bus, NULL);
	while (r > 0);
	return r == 0 && rearm(l, EPOLL_CTL_MOD);
}

void logind_hold(struct logind *l)
{
	if (l->lock_fd >= 0 || l->asked)
		return;
	l->asked = bus.call_method_async(
			   l->bus, NULL, LOGIND, LOGIND_AT, MANAGER, "Inhibit",
			   on_lock, l, "ssss", "sleep", "vpn-connect",
			   "The VPN session is made ready for sleep",
			   "delay") >= 0 &&
		   rearm(l, EPOLL_CTL_MOD);
}

void logind_release(struct logind *l)
{
	l->asked = false;
	if (l->lock_fd >= 0)
		close(l->lock_fd);
	l->lock_fd = -1;
}

#else

struct logind *logind_open(logind_fn *said, void *ctx)
{
	return NULL;
}

void logind_close(struct logind **l)
{
}

int logind_fd(const struct logind *l)
{
	return -1;
}

bool logind_read(struct logind *l)
{
	return true;
}

void logind_hold(struct logind *l)
{
}

void logind_release(struct logind *l)
{
}

#endif
