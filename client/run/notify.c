#include "client/run/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "platform/base/log.h"
#include "platform/os.h"

#define LINE_MAX_LEN 600
#define DAY_S	     86400

struct notify {
	struct loop *loop;
	notify_look *look;
	void *ctx;
	int fd;	      /* connected */
	int timer_fd; /* -1: no watchdog */
	bool ready;   /* said */
	char line[LINE_MAX_LEN];
};

/* --- the line ------------------------------------------------------------ */

/* By the clock and not what is left: that would be wrong a minute later. "":
 * none is known; before the first connection that says nothing about the
 * store. */
static void ticket_text(const struct tunnel_status *s, char *buf, size_t cap)
{
	time_t end = (time_t)(os_now().wall_ms / 1000 + s->ticket_remaining_s);
	bool soon = s->ticket_remaining_s < DAY_S;
	char when[32] = "?";
	struct tm tm;

	buf[0] = '\0';
	if (!s->has_ticket || s->ticket_remaining_s <= 0)
		return;
	if (localtime_r(&end, &tm))
		(void)(soon ? strftime(when, sizeof(when), "%H:%M", &tm)
			    : strftime(when, sizeof(when), "%F %H:%M", &tm));
	snprintf(buf, cap, ", ticket until %s", when);
}

void notify_line(const struct tunnel_status *s, char *buf, size_t cap)
{
	const struct session_report *r = &s->session;
	char ticket[64];

	ticket_text(s, ticket, sizeof(ticket));
	if (r->state == SES_ST_UP)
		snprintf(buf, cap, "connected to %s: %s in %u round trips%s",
			 s->gateway, session_how(r), r->connect.round_trips,
			 ticket[0] ? ticket : ", no ticket");
	else
		snprintf(buf, cap, "%s: %s%s%s%s", session_state_text(r->state),
			 s->gateway, ticket, r->last_detail[0] ? ": " : "",
			 r->last_detail);
}

/* --- sending ------------------------------------------------------------- */

/* Whoever listens is not waited for: a line lost is a line lost. */
static void say(struct notify *n, const char *text)
{
	if (send(n->fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		log_debug("the service manager does not listen");
}

static bool has_outcome(enum session_state state)
{
	return state == SES_ST_UP || state == SES_ST_WAITING ||
	       state == SES_ST_NO_PATH;
}

void notify_changed(struct notify *n)
{
	struct tunnel_status s;
	char line[LINE_MAX_LEN], text[LINE_MAX_LEN + 32];
	bool now_ready;

	if (!n)
		return;
	n->look(n->ctx, &s);
	notify_line(&s, line, sizeof(line));
	now_ready = !n->ready && has_outcome(s.session.state);
	if (!now_ready && strcmp(line, n->line) == 0)
		return;
	snprintf(text, sizeof(text), "%sSTATUS=%s",
		 now_ready ? "READY=1\n" : "", line);
	say(n, text);
	n->ready |= now_ready;
	memcpy(n->line, line, sizeof(n->line));
}

/* --- the watchdog -------------------------------------------------------- */

static void on_watchdog(void *ctx)
{
	struct notify *n = ctx;
	uint64_t times;

	if (read(n->timer_fd, &times, sizeof(times)) != sizeof(times))
		return;
	say(n, "WATCHDOG=1");
	/* We are awake: a renewed ticket is worth a word. */
	notify_changed(n);
}

/* 0: nobody watches this process. */
static uint64_t watchdog_us(void)
{
	const char *us = getenv("WATCHDOG_USEC");
	const char *pid = getenv("WATCHDOG_PID");

	if (!us || (pid && strtoll(pid, NULL, 10) != getpid()))
		return 0;
	return strtoull(us, NULL, 10);
}

static enum err watchdog_start(struct notify *n, struct diag *diag)
{
	uint64_t us = watchdog_us() / 2;
	struct itimerspec every;
	enum err e;

	if (us == 0)
		return OK;
	every.it_interval.tv_sec = (time_t)(us / 1000000);
	every.it_interval.tv_nsec = (long)(us % 1000000 * 1000);
	every.it_value = every.it_interval;
	n->timer_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (n->timer_fd < 0 ||
	    timerfd_settime(n->timer_fd, 0, &every, NULL) < 0)
		return diag_sys(diag, ERR_SYS, "timer of the watchdog");
	e = loop_add(n->loop, n->timer_fd, on_watchdog, n);
	return e ? diag_set(diag, e, "%s", err_text(e)) : OK;
}

/* --- from start to end --------------------------------------------------- */

static enum err socket_connect(struct notify *n, const char *path,
			       struct diag *diag)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	size_t len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len >= sizeof(to.sun_path))
		return diag_set(diag, ERR_USAGE, "NOTIFY_SOCKET is no socket");
	memcpy(to.sun_path, path, len);
	if (path[0] == '@') /* has no name in the file system */
		to.sun_path[0] = '\0';
	n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (n->fd < 0 ||
	    connect(n->fd, (struct sockaddr *)&to,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) <
		    0)
		return diag_sys(diag, ERR_SYS, "NOTIFY_SOCKET");
	return OK;
}

enum err notify_open(struct loop *loop, notify_look *look, void *ctx,
		     struct notify **out, struct diag *diag)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct notify *n;
	enum err e;

	*out = NULL;
	if (!path)
		return OK;
	n = calloc(1, sizeof(*n));
	if (!n)
		return ERR_NO_MEMORY;
	n->loop = loop;
	n->look = look;
	n->ctx = ctx;
	n->fd = n->timer_fd = -1;
	*out = n;
	e = socket_connect(n, path, diag);
	if (!e)
		e = watchdog_start(n, diag);
	if (e)
		notify_close(out);
	return e;
}

void notify_close(struct notify **np)
{
	struct notify *n = *np;

	if (!n)
		return;
	if (n->timer_fd >= 0) {
		loop_remove(n->loop, n->timer_fd);
		close(n->timer_fd);
	}
	if (n->fd >= 0) {
		say(n, "STOPPING=1");
		close(n->fd);
	}
	free(n);
	*np = NULL;
}
