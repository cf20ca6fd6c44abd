#include "config.h"

#include "platform/sleep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "platform/base/log.h"
#include "platform/linux/logind.h"
#include "platform/sleep_state.h"

#define FAR_AWAY_S ((time_t)1 << 40)

struct sleep_watch {
	int poll_fd;  /* epoll: what the two below have */
	int clock_fd; /* wakes when the wall clock is set: a resume does */
	struct logind *logind; /* NULL: there is none */
	struct sleep_state state;
};

static int64_t clock_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t time_slept_ms(void)
{
	return clock_ms(CLOCK_BOOTTIME) - clock_ms(CLOCK_MONOTONIC);
}

/* A time that never comes; what is waited for is that the clock is set. */
static enum err clock_arm(struct sleep_watch *w)
{
	const struct itimerspec at = {.it_value.tv_sec = FAR_AWAY_S};

	return timerfd_settime(w->clock_fd,
			       TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at,
			       NULL) < 0
		       ? ERR_SYS
		       : OK;
}

static enum err poll_add(struct sleep_watch *w, int fd)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.fd = fd};

	return epoll_ctl(w->poll_fd, EPOLL_CTL_ADD, fd, &ev) < 0 ? ERR_SYS : OK;
}

static void on_said(void *ctx, bool begins)
{
	struct sleep_watch *w = ctx;

	sleep_state_said(&w->state, begins, time_slept_ms());
}

static void logind_watch(struct sleep_watch *w)
{
	w->logind = logind_open(on_said, w);
	if (w->logind && poll_add(w, logind_fd(w->logind)))
		logind_close(&w->logind);
}

enum err sleep_watch_open(struct sleep_watch **out, struct diag *diag)
{
	struct sleep_watch *w = calloc(1, sizeof(*w));

	*out = w;
	if (!w)
		return ERR_NO_MEMORY;
	w->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->clock_fd =
		timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
	if (w->poll_fd < 0 || w->clock_fd < 0 || clock_arm(w) ||
	    poll_add(w, w->clock_fd)) {
		diag_sys(diag, ERR_SYS, "watching for sleep");
		sleep_watch_close(out);
		return ERR_SYS;
	}
	sleep_state_init(&w->state, time_slept_ms());
	logind_watch(w);
	return OK;
}

void sleep_watch_close(struct sleep_watch **wp)
{
	struct sleep_watch *w = *wp;

	if (!w)
		return;
	logind_close(&w->logind);
	if (w->clock_fd >= 0)
		close(w->clock_fd);
	if (w->poll_fd >= 0)
		close(w->poll_fd);
	free(w);
	*wp = NULL;
}

int sleep_watch_fd(const struct sleep_watch *w)
{
	return w->poll_fd;
}

enum sleep_event sleep_watch_next(struct sleep_watch *w)
{
	enum sleep_event ev;
	uint64_t expired;

	if (read(w->clock_fd, &expired, sizeof(expired)) < 0 &&
	    errno == ECANCELED && clock_arm(w))
		log_debug("sleep: the clock is not watched any more");
	sleep_state_clocks(&w->state, time_slept_ms());
	if (w->logind && !logind_read(w->logind)) {
		log_info("logind is gone: sleep is seen afterwards only");
		logind_close(&w->logind);
	}
	ev = sleep_state_next(&w->state);
	if (ev == SLEEP_OVER && w->logind)
		logind_hold(w->logind);
	return ev;
}

void sleep_watch_allow(struct sleep_watch *w)
{
	if (w->logind)
		logind_release(w->logind);
}
