/* vpn-connect up: runs one tunnel until it ends. */
#include "config.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/run/confine.h"
#include "client/run/control.h"
#include "client/run/notify.h"
#include "client/run/status.h"
#include "client/store/credential.h"
#include "client/store/profile_file.h"
#include "platform/base/log.h"

/* Who asked it to end. */
enum asked { ASKED_NOBODY, ASKED_SIGNAL, ASKED_DOWN, ASKED_SUSPEND };

struct up {
	struct cli *cli;
	struct profile profile;
	struct loop *loop;
	struct control *control;
	struct ticket_cache *cache;
	struct tunnel *tunnel;
	struct notify *notify; /* the service manager; or NULL */
	int signal_fd;
	int parent_fd; /* -1: in the foreground, or detached */
	bool detached;
	int64_t start_ms; /* boot clock */
	bool was_up;
	bool has_ticket; /* at the end */
	uint32_t prompts;
	enum asked asked;
	enum err why; /* it closed */
	struct diag detail;
};

/* --- what a person sees -------------------------------------------------- */

static void line_print(const struct up *up, const char *text)
{
	time_t now = time(NULL);
	struct tm tm;
	char when[32] = "";

	if (up->detached && localtime_r(&now, &tm))
		strftime(when, sizeof(when), "%F %T ", &tm);
	printf("%s%s\n", when, text);
}

static void on_progress(void *ctx, const char *text)
{
	struct up *up = ctx;

	/* Who watches a terminal sees what takes how long. */
	if (!up->detached && isatty(STDOUT_FILENO))
		printf("%6.2f s  ",
		       (double)(os_now().boot_ms - up->start_ms) / 1000);
	line_print(up, text);
	control_changed(up->control);
	notify_changed(up->notify);
}

static void on_up(void *ctx)
{
	struct up *up = ctx;
	struct tunnel_status s;
	char line[1200], log_path[PLACE_MAX];

	tunnel_status(up->tunnel, &s);
	snprintf(line, sizeof(line),
		 "connected to %s as %s (%s, %u round trips, %lld ms), "
		 "inner address %s%s%s",
		 s.gateway, s.identity, session_how(&s.session),
		 s.session.connect.round_trips, (long long)s.connect_ms,
		 s.inner_v4, s.inner_v4[0] && s.inner_v6[0] ? ", " : "",
		 s.inner_v6);
	line_print(up, line);
	control_changed(up->control);
	notify_changed(up->notify);
	up->was_up = true;
	if (up->parent_fd < 0)
		return;
	snprintf(log_path, sizeof(log_path), "%.400s/%s.log",
		 up->cli->places.state, up->profile.name);
	background_detach(&up->parent_fd, log_path);
	up->detached = true;
	line_print(up, line);
}

static void on_closed(void *ctx, enum err why, const char *detail)
{
	struct up *up = ctx;
	struct tunnel_status s;

	tunnel_status(up->tunnel, &s);
	up->has_ticket = s.has_ticket;
	up->why = why;
	snprintf(up->detail.text, sizeof(up->detail.text), "%s",
		 detail ? detail : "");
}

static enum err on_ask_secret(void *ctx, const char *prompt, struct secret *out,
			      struct diag *diag)
{
	struct up *up = ctx;
	struct diag missing = DIAG_INIT;
	enum err e = credential_read(&up->profile, out, &missing);

	if (e != ERR_NOT_FOUND)
		return e ? diag_set(diag, e, "%s", diag_text(&missing, e)) : OK;
	e = prompt_secret(prompt, up->signal_fd, out, diag);
	if (e != ERR_NEEDS_PERSON)
		up->prompts++;
	else if (missing.text[0] && diag)
		*diag = missing; /* the file it should have come from */
	/* Interrupted while it was typed: no signal is handled behind this. */
	if (e == ERR_CANCELLED)
		up->asked = ASKED_SIGNAL;
	return e;
}

/* --- who may end it ---------------------------------------------------------
 */

static void on_signal(void *ctx)
{
	struct up *up = ctx;
	struct signalfd_siginfo info;

	if (read(up->signal_fd, &info, sizeof(info)) != sizeof(info))
		return;
	/* The second one does not wait for anybody. */
	if (up->asked != ASKED_NOBODY) {
		loop_stop(up->loop);
		return;
	}
	up->asked = ASKED_SIGNAL;
	tunnel_suspend(up->tunnel);
}

static void on_forget(void *ctx)
{
	struct up *up = ctx;

	tunnel_forget_ticket(up->tunnel);
}

static json_t *on_status(void *ctx)
{
	struct up *up = ctx;
	struct tunnel_status s;

	tunnel_status(up->tunnel, &s);
	return status_to_json(up->profile.name, &s);
}

static void on_look(void *ctx, struct tunnel_status *out)
{
	struct up *up = ctx;

	tunnel_status(up->tunnel, out);
}

static void on_down(void *ctx)
{
	struct up *up = ctx;

	up->asked = ASKED_DOWN;
	tunnel_down(up->tunnel);
}

static void on_suspend(void *ctx)
{
	struct up *up = ctx;

	up->asked = ASKED_SUSPEND;
	tunnel_suspend(up->tunnel);
}

/* Those that were not ignored from the start (nohup). */
static enum err signals_catch(struct up *up, struct diag *diag)
{
	static const int wanted[] = {SIGINT, SIGTERM, SIGHUP};
	struct sigaction old;
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (sigaction(wanted[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			sigaddset(&set, wanted[i]);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return diag_sys(diag, ERR_SYS, "sigprocmask");
	up->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return up->signal_fd < 0 ? diag_sys(diag, ERR_SYS, "signalfd") : OK;
}

/* --- from start to end -------------------------------------------------------
 */

static enum err net_get(struct up *up, struct diag *diag)
{
	return up->cli->net ? OK
			    : net_connect(tunnel_plane_of(&up->profile),
					  &up->cli->net, diag);
}

/* Everything until the first packet. */
static enum err up_prepare(struct up *up, struct diag *diag)
{
	struct control_place place = {up->cli->places.run, up->cli->name};
	enum err e;

	e = profile_file_load(&up->cli->places, up->cli->arg, &up->profile,
			      diag);
	if (!e)
		e = net_get(up, diag);
	if (!e && up->cli->background)
		e = background_fork(&up->parent_fd, diag);
	if (!e)
		e = signals_catch(up, diag);
	if (!e)
		e = control_open(&place, &up->control, diag);
	return e ? e
		 : confine_client(&up->profile, &up->cli->places, &up->cache,
				  diag);
}

static enum err up_start(struct up *up, struct diag *diag)
{
	const struct control_hooks hooks = {up, on_status, on_down, on_suspend,
					    on_forget};
	struct tunnel_setup setup = {
		.profile = &up->profile,
		.net = up->cli->net,
		.cache = up->cache,
		.state_dir = up->cli->places.state,
		.ui = {.ctx = up,
		       .progress = on_progress,
		       .ask_secret = on_ask_secret,
		       .prompts = &up->prompts,
		       .up = on_up,
		       .closed = on_closed},
		.persistent = !up->cli->once,
	};
	struct diag why = DIAG_INIT;
	enum err e = loop_new(&up->loop);

	if (e)
		return e;
	setup.loop = up->loop;
	up->cli->net = NULL; /* taken */
	e = tunnel_new(&setup, &up->tunnel, &why);
	if (e)
		return diag_set(diag, e, "%s", diag_text(&why, e));
	e = control_serve(up->control, up->loop, &hooks, diag);
	if (!e)
		e = loop_add(up->loop, up->signal_fd, on_signal, up);
	if (!e)
		e = notify_open(up->loop, on_look, up, &up->notify, diag);
	return e ? e : tunnel_start(up->tunnel, diag);
}

/* Why it ended, in one line. */
static int up_conclude(struct up *up)
{
	const char *name = up->profile.name;
	char line[200];

	if (up->why != ERR_CANCELLED && up->why != OK)
		return cli_fail(up->why, &up->detail);
	switch (up->asked) {
	case ASKED_NOBODY:
		return cli_fail(ERR_NO_HELPER,
				&(struct diag){"the network helper vpn-netd "
					       "ended: see its log"});
	case ASKED_DOWN:
		line_print(up, "disconnected, the ticket is forgotten");
		return 0;
	case ASKED_SIGNAL:
	case ASKED_SUSPEND:
		break;
	}
	if (!up->was_up)
		return cli_fail(ERR_CANCELLED, NULL);
	snprintf(line, sizeof(line),
		 "suspended: the ticket is kept, vpn-connect down %s logs out",
		 name);
	line_print(up, up->has_ticket ? line : "suspended, without a ticket");
	return 0;
}

/* Behind tunnel_free: who waits for our end finds all taken back. */
static void up_free(struct up *up)
{
	ticket_cache_close(&up->cache);
	control_close(&up->control);
	loop_free(&up->loop);
	if (up->signal_fd >= 0)
		close(up->signal_fd);
	crypto_close();
	mem_wipe(up, sizeof(*up));
	free(up);
}

int cli_up(struct cli *cli)
{
	struct up *up = calloc(1, sizeof(*up));
	struct diag diag = DIAG_INIT;
	enum err e;
	int code;

	if (!up)
		return cli_fail(ERR_NO_MEMORY, NULL);
	up->cli = cli;
	up->signal_fd = up->parent_fd = -1;
	up->start_ms = os_now().boot_ms;
	e = up_prepare(up, &diag);
	if (!e)
		e = up_start(up, &diag);
	if (!e)
		e = loop_run(up->loop);
	notify_close(&up->notify);
	tunnel_free(&up->tunnel);
	code = e ? cli_fail(e, &diag) : up_conclude(up);
	up_free(up);
	return code;
}
