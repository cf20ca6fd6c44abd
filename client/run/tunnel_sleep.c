/* Sleep: the ticket that shall outlast it, and the look around after it. */
#include "client/run/tunnel_private.h"

#include "platform/base/log.h"
#include "platform/os.h"

/* logind waits five seconds for everybody; a lid is closed for less. */
#define RENEW_MS 2000
#define OPEN_MS	 1000 /* after the tunnel is up: its first packets go before */

static void sleep_allow(struct tunnel *t)
{
	t->sleep_due_ms = INT64_MAX;
	sleep_watch_allow(t->sleep);
}

static void before_sleep(struct tunnel *t)
{
	int64_t now_ms = os_now().boot_ms;

	if (!session_before_sleep(t->session, now_ms)) {
		sleep_allow(t);
		return;
	}
	log_info("the machine goes to sleep: a new ticket before it");
	t->sleep_due_ms = now_ms + RENEW_MS;
}

void tunnel_notice_sleep(struct tunnel *t)
{
	enum sleep_event ev;

	if (!t->sleep)
		return;
	while ((ev = sleep_watch_next(t->sleep)) != SLEEP_NOTHING) {
		if (ev == SLEEP_COMING) {
			before_sleep(t);
		} else {
			log_info("the machine woke up");
			t->sleep_due_ms = INT64_MAX;
			session_woke(t->session, os_now().boot_ms);
		}
	}
	tunnel_pump(t);
}

static void on_sleep(void *ctx)
{
	tunnel_notice_sleep(ctx);
}

void tunnel_ticket_stored(struct tunnel *t)
{
	if (t->sleep && t->sleep_due_ms != INT64_MAX)
		sleep_allow(t);
}

static int64_t deadline_of(void *ctx)
{
	const struct tunnel *t = ctx;

	return t->sleep_due_ms;
}

static void sleep_open(struct tunnel *t)
{
	struct diag diag = DIAG_INIT;
	enum err e = sleep_watch_open(&t->sleep, &diag);

	t->sleep_due_ms = INT64_MAX;
	if (!e)
		e = loop_add(t->loop, sleep_watch_fd(t->sleep), on_sleep, t);
	if (e)
		log_warn("sleep stays unseen: %s", diag_text(&diag, e));
}

static void on_timer(void *ctx)
{
	struct tunnel *t = ctx;

	if (t->sleep)
		sleep_allow(t);
	else
		sleep_open(t);
}

void tunnel_watch_sleep(struct tunnel *t)
{
	if (t->watches_sleep)
		return;
	t->sleep_due_ms = os_now().boot_ms + OPEN_MS;
	t->watches_sleep = !loop_add_timer(t->loop, deadline_of, on_timer, t);
}

void tunnel_unwatch_sleep(struct tunnel *t)
{
	loop_remove_timer(t->loop, on_timer, t);
	if (t->sleep)
		loop_remove(t->loop, sleep_watch_fd(t->sleep));
	sleep_watch_close(&t->sleep);
}
