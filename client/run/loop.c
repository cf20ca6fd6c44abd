#include "client/run/loop.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>

#include "platform/os.h"

#define FDS_MAX 32

struct watch {
	loop_fn *fn;
	void *ctx;
};

struct loop {
	struct pollfd fds[FDS_MAX];
	struct watch watches[FDS_MAX];
	nfds_t n;
	int64_t (*deadline_of)(void *ctx);
	loop_fn *due;
	void *timer_ctx;
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

void loop_set_timer(struct loop *l, int64_t (*deadline_of)(void *ctx),
		    loop_fn *due, void *ctx)
{
	l->deadline_of = deadline_of;
	l->due = due;
	l->timer_ctx = ctx;
}

/* How long poll may sleep; runs what is due first. */
static int wait_ms(struct loop *l)
{
	int64_t deadline, left;

	if (!l->deadline_of)
		return -1;
	deadline = l->deadline_of(l->timer_ctx);
	if (deadline == INT64_MAX)
		return -1;
	left = deadline - os_now().boot_ms;
	if (left > 0)
		return left > INT_MAX ? INT_MAX : (int)left;
	l->due(l->timer_ctx);
	return 0;
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
