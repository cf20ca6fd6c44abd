/* vpn-connect monitor: the status, live. The running tunnel tells what
 * changes; nothing is asked for again. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/run/control.h"

#define EVENTS_MAX   8
#define EVENT_MAX    120
#define TUNNELS_MAX  32
#define CLOCK_MS     1000 /* durations on the screen grow */
#define RATE_STALE_S 2

#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define HOME	     "\033[H"
#define LINE_END     "\033[K\r\n"
#define CLEAR_BELOW  "\033[J"

struct monitor {
	struct control_watch *watch;
	int signal_fd;
	bool json, screen;
	json_t *status; /* the last one told */
	int64_t told_ms;
	double in_rate, out_rate; /* octets a second */
	char events[EVENTS_MAX][EVENT_MAX];
	size_t n_events;
	char *drawn; /* what the screen shows */
};

/* --- what happened -------------------------------------------------------- */

/* One line of what a person wants to know of a change; "" when it is only
 * traffic. */
static void event_describe(const json_t *before, const json_t *now,
			   char out[EVENT_MAX])
{
	bool other = !before || strcmp(object_text(before, "state"),
				       object_text(now, "state")) != 0;
	bool moved = strcmp(object_text(before, "local_address"),
			    object_text(now, "local_address")) != 0;

	out[0] = '\0';
	if ((other || moved) && object_text(now, "how")[0])
		snprintf(out, EVENT_MAX,
			 "%s: %s, %lld round trips, %lld ms, from %.60s",
			 object_text(now, "state"), object_text(now, "how"),
			 object_number(now, "round_trips"),
			 object_number(now, "connect_ms"),
			 object_text(now, "local_address"));
	else if (other)
		snprintf(out, EVENT_MAX, "%s%s%.80s", object_text(now, "state"),
			 object_text(now, "last_error")[0] ? ": " : "",
			 object_text(now, "last_error"));
	else if (object_number(json_object_get(before, "ticket"), "renewed") <
		 object_number(json_object_get(now, "ticket"), "renewed"))
		snprintf(out, EVENT_MAX, "the ticket was renewed");
	else if (json_is_object(json_object_get(before, "ticket")) &&
		 !json_is_object(json_object_get(now, "ticket")))
		snprintf(out, EVENT_MAX, "no ticket any more");
}

static void event_keep(struct monitor *m, const char *what)
{
	time_t now = time(NULL);
	char *line;
	struct tm tm;
	size_t used;

	if (m->n_events == EVENTS_MAX) {
		memmove(m->events, m->events[1], sizeof(m->events) - EVENT_MAX);
		m->n_events--;
	}
	line = m->events[m->n_events++];
	used = localtime_r(&now, &tm) ? strftime(line, EVENT_MAX, "%T  ", &tm)
				      : 0;
	snprintf(line + used, EVENT_MAX - used, "%s", what);
}

static void rates_compute(struct monitor *m, const json_t *now, int64_t now_ms)
{
	double s = (double)(now_ms - m->told_ms) / 1000;

	if (!m->status || s <= 0)
		return;
	m->in_rate = (double)(object_number(now, "bytes_in") -
			      object_number(m->status, "bytes_in")) /
		     s;
	m->out_rate = (double)(object_number(now, "bytes_out") -
			       object_number(m->status, "bytes_out")) /
		      s;
}

/* --- the screen ----------------------------------------------------------- */

static void int_lower(json_t *o, const char *key, int64_t by)
{
	json_int_t left = json_integer_value(json_object_get(o, key)) - by;

	if (json_is_integer(json_object_get(o, key)))
		json_object_set_new(o, key, json_integer(left > 0 ? left : 0));
}

/* The status as it would be told now. */
static json_t *status_aged(const struct monitor *m, int64_t age_s)
{
	json_t *o = json_deep_copy(m->status);

	int_lower(json_object_get(o, "ticket"), "remaining_s", age_s);
	int_lower(o, "next_renewal_s", age_s);
	return o;
}

static void page_print(const struct monitor *m, const struct show *show)
{
	int64_t age_s = (os_now().boot_ms - m->told_ms) / 1000;
	bool stale = age_s >= RATE_STALE_S;
	json_t *status = status_aged(m, age_s);
	char in[32], out[32];

	show_status(show, status);
	show_row(show, "rate", "in %s/s, out %s/s",
		 show_size(stale || m->in_rate < 0 ? 0 : m->in_rate, in),
		 show_size(stale || m->out_rate < 0 ? 0 : m->out_rate, out));
	fputc('\n', show->out);
	for (size_t i = 0; i < m->n_events; i++)
		fprintf(show->out, "  %s\n", m->events[i]);
	json_decref(status);
}

/* The line without its end, cut to the width; colours take no room. */
static size_t line_cut(const char *line, size_t width)
{
	size_t at = 0, used = 0;

	while (line[at] && line[at] != '\n') {
		if (line[at] == '\033') {
			at += strcspn(line + at, "m\n");
			at += line[at] == 'm';
			continue;
		}
		if (((unsigned char)line[at] & 0xc0) != 0x80 && ++used > width)
			break;
		at++;
	}
	return at;
}

/* In one write: nothing flickers. */
static void page_show(const char *page, const struct show *show, int rows)
{
	char *all = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&all, &len);

	if (!f)
		return;
	fputs(HOME, f);
	for (int row = 1; *page && row < rows; row++) {
		fwrite(page, 1, line_cut(page, show->width), f);
		/* Cut in the middle of a colour. */
		fputs(show->colour ? "\033[0m" LINE_END : LINE_END, f);
		page += strcspn(page, "\n");
		page += *page == '\n';
	}
	fputs(CLEAR_BELOW, f);
	if (fclose(f) == 0) {
		fwrite(all, 1, len, stdout);
		fflush(stdout);
	}
	free(all);
}

static void screen_draw(struct monitor *m)
{
	struct show show = show_open(stdout);
	struct winsize size = {.ws_row = 0};
	char *page = NULL;
	size_t len = 0;

	if (!m->status)
		return;
	show.out = open_memstream(&page, &len);
	if (!show.out)
		return;
	page_print(m, &show);
	if (fclose(show.out) != 0)
		return;
	if (m->drawn && strcmp(m->drawn, page) == 0) {
		free(page);
		return;
	}
	free(m->drawn);
	m->drawn = page;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_row == 0)
		size.ws_row = 24;
	page_show(page, &show, size.ws_row);
}

static void screen_enter(struct monitor *m)
{
	if (!m->screen)
		return;
	fputs(SCREEN_ENTER, stdout);
	free(m->drawn);
	m->drawn = NULL;
	screen_draw(m);
}

static void screen_leave(const struct monitor *m)
{
	if (!m->screen)
		return;
	fputs(SCREEN_LEAVE, stdout);
	fflush(stdout);
}

/* --- events ----------------------------------------------------------------
 */

static void status_take(struct monitor *m, json_t *now)
{
	int64_t now_ms = os_now().boot_ms;
	char event[EVENT_MAX];

	event_describe(m->status, now, event);
	if (m->json) {
		if (json_dumpf(now, stdout, JSON_COMPACT) == 0)
			putchar('\n');
		fflush(stdout);
	} else if (event[0]) {
		event_keep(m, event);
	}
	if (event[0] && !m->json && !m->screen)
		puts(m->events[m->n_events - 1]);
	rates_compute(m, now, now_ms);
	json_decref(m->status);
	m->status = now;
	m->told_ms = now_ms;
	if (m->screen)
		screen_draw(m);
}

/* False: it is to end. */
static bool signal_take(struct monitor *m)
{
	struct signalfd_siginfo info;

	if (read(m->signal_fd, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo == SIGTSTP) {
		screen_leave(m);
		raise(SIGSTOP);
		screen_enter(m);
		return true;
	}
	if (info.ssi_signo != SIGWINCH)
		return false;
	if (m->screen)
		screen_enter(m);
	return true;
}

static enum err monitor_run(struct monitor *m, struct diag *diag)
{
	struct pollfd fds[] = {
		{.fd = control_watch_fd(m->watch), .events = POLLIN},
		{.fd = m->signal_fd, .events = POLLIN}};
	json_t *now;
	enum err e;

	for (;;) {
		if (poll(fds, 2, m->screen ? CLOCK_MS : -1) < 0) {
			if (errno != EINTR)
				return diag_sys(diag, ERR_SYS, "poll");
			continue;
		}
		if (fds[1].revents && !signal_take(m))
			return OK;
		if (fds[0].revents) {
			e = control_watch_read(m->watch, &now, diag);
			if (e)
				return e;
			if (now)
				status_take(m, now);
		} else if (m->screen) {
			screen_draw(m);
		}
	}
}

static enum err signals_catch(struct monitor *m, struct diag *diag)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (m->screen) {
		sigaddset(&set, SIGWINCH);
		sigaddset(&set, SIGTSTP);
	}
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return diag_sys(diag, ERR_SYS, "sigprocmask");
	m->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
	return m->signal_fd < 0 ? diag_sys(diag, ERR_SYS, "signalfd") : OK;
}

/* Without a name: the one that runs. */
static enum err name_choose(struct cli *cli, struct diag *diag)
{
	char names[TUNNELS_MAX][PROFILE_NAME_MAX];
	size_t n;

	if (cli->arg)
		return OK;
	n = control_list(cli->places.run, names, TUNNELS_MAX);
	if (n == 0)
		return diag_set(diag, ERR_NOT_RUNNING, "no tunnel is running");
	if (n > 1)
		return diag_set(diag, ERR_USAGE,
				"several tunnels run: name one: %s, %s%s",
				names[0], names[1], n > 2 ? ", ..." : "");
	memcpy(cli->name, names[0], sizeof(cli->name));
	return OK;
}

int cli_monitor(struct cli *cli)
{
	struct monitor m = {.signal_fd = -1, .json = cli->json};
	struct diag diag = DIAG_INIT;
	enum err e;

	m.screen = !m.json && isatty(STDOUT_FILENO);
	e = name_choose(cli, &diag);
	if (!e)
		e = control_watch_open(
			&(struct control_place){cli->places.run, cli->name},
			&m.watch, &diag);
	if (!e)
		e = signals_catch(&m, &diag);
	if (!e) {
		screen_enter(&m);
		e = monitor_run(&m, &diag);
		screen_leave(&m);
	}
	control_watch_close(&m.watch);
	json_decref(m.status);
	free(m.drawn);
	if (m.signal_fd >= 0)
		close(m.signal_fd);
	return e ? cli_fail(e, &diag) : 0;
}
