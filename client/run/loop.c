#include "client/run/loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>

#include "platform/os.h"

#define FDS_MAX	   32
#define TIMERS_MAX 8

struct watch {
	loop_fn *fn;
	void *ctx;
};

struct timer {
	int64_t (*deadline_of)(void *ctx); /* NULL: a free place */
	loop_fn *due;
	void *ctx;
};

struct loop {
	struct pollfd fds[FDS_MAX];
	struct watch watches[FDS_MAX];
	nfds_t n;
	struct timer timers[TIMERS_MAX];
	bool stop;
};

enum err loop_new(struct loop **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? OK : ERR_NO_MEMORY;
}

void loop_free(struct loop **l)
{
	free(*l);
	*l = NULL;
}

enum err loop_add(struct loop *l, int fd, loop_fn *fn, void *ctx)
{
	if (l->n == FDS_MAX)
		return ERR_NO_SPACE;
	l->fds[l->n] = (struct pollfd){.fd = fd, .events = POLLIN};
	l->watches[l->n] = (struct watch){fn, ctx};
	l->n++;
	return OK;
}

void loop_watch_write(struct loop *l, int fd, bool also)
{
	for (nfds_t i = 0; i < l->n; i++)
		if (l->fds[i].fd == fd)
			l->fds[i].events = also ? POLLIN | POLLOUT : POLLIN;
}

void loop_pause(struct loop *l, int fd, bool pause)
{
	for (nfds_t i = 0; i < l->n; i++)
		if (l->fds[i].fd == fd)
			l->fds[i].events = pause ? 0 : POLLIN;
}

void loop_remove(struct loop *l, int fd)
{
	for (nfds_t i = 0; i < l->n; i++)
		if (l->fds[i].fd == fd)
			l->fds[i].fd = -1; /* swept before the next wait */
}

static void sweep(struct loop *l)
{
	nfds_t kept = 0;

	for (nfds_t i = 0; i < l->n; i++) {
		if (l->fds[i].fd < 0)
			continue;
		l->fds[kept] = l->fds[i];
		l->fds[kept].revents = 0;
		l->watches[kept] = l->watches[i];
		kept++;
	}
	l->n = kept;
}

enum err loop_add_timer(struct loop *l, int64_t (*deadline_of)(void *ctx),
			loop_fn *due, void *ctx)
{
	for (size_t i = 0; i < TIMERS_MAX; i++) {
		if (l->timers[i].deadline_of)
			continue;
		l->timers[i] = (struct timer){deadline_of, due, ctx};
		return OK;
	}
	return ERR_NO_SPACE;
}

void loop_remove_timer(struct loop *l, loop_fn *due, const void *ctx)
{
	for (size_t i = 0; i < TIMERS_MAX; i++)
		if (l->timers[i].due == due && l->timers[i].ctx == ctx)
			l->timers[i] = (struct timer){NULL, NULL, NULL};
}

/* How long poll may sleep; runs what is due first. */
static int wait_ms(struct loop *l)
{
	int64_t at, first = INT64_MAX, now_ms = os_now().boot_ms;
	bool ran = false;

	for (size_t i = 0; i < TIMERS_MAX && !l->stop; i++) {
		if (!l->timers[i].deadline_of)
			continue;
		at = l->timers[i].deadline_of(l->timers[i].ctx);
		if (at <= now_ms) {
			l->timers[i].due(l->timers[i].ctx);
			ran = true;
		} else if (at < first) {
			first = at;
		}
	}
	if (ran)
		return 0;
	if (first == INT64_MAX)
		return -1;
	return first - now_ms > INT_MAX ? INT_MAX : (int)(first - now_ms);
}

enum err loop_run(struct loop *l)
{
	nfds_t n;
	int ms, r;

	while (!l->stop) {
		ms = wait_ms(l);
		if (l->stop)
			break;
		sweep(l);
		n = l->n;
		r = poll(l->fds, n, ms);
		if (r < 0 && errno != EINTR)
			return ERR_SYS;
		for (nfds_t i = 0; r > 0 && i < n && !l->stop; i++)
			if (l->fds[i].fd >= 0 && l->fds[i].revents)
				l->watches[i].fn(l->watches[i].ctx);
	}
	l->stop = false;
	return OK;
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}
