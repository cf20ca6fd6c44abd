#include "client/run/portal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/log.h"
#include "platform/os.h"

#define PATIENCE_MS 2000 /* the gateway's, before the page is asked for */
#define ANSWER_MS   8000 /* the page's */
#define PAGE_MAX    65536
/* While somebody signs in: often at first, later an eighth of the time that
 * passed. */
#define AGAIN_MIN_MS 2000
#define AGAIN_MAX_MS 60000
/* So many times no answer at all: the page itself may be gone. */
#define SILENT_MAX 3

struct portal {
	struct loop *loop;
	struct portal_hooks hooks;
	char url[PORTAL_URL_MAX], text[64];
	struct http *http; /* the last request */
	bool asking;	   /* it is on its way */
	int64_t at_ms;	   /* the next look */
	char sign_in[PORTAL_URL_MAX];
	int64_t closed_ms; /* since when */
	unsigned silent;
};

/* --- what an answer says -------------------------------------------------- */

static bool is_url(const char *s)
{
	if (strncmp(s, "http://", 7) != 0 && strncmp(s, "https://", 8) != 0)
		return false;
	if (strlen(s) >= PORTAL_URL_MAX)
		return false;
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			return false;
	return true;
}

static bool is_page(const struct http_answer *a, const char *text)
{
	size_t len = strlen(text);

	if (len == 0)
		return a->status / 100 == 2 && a->body.len == 0;
	return a->status == 200 && a->body.len >= len &&
	       memcmp(a->body.p, text, len) == 0;
}

enum portal_verdict portal_judge(const struct http_answer *a, const char *url,
				 const char *text,
				 char out_sign_in[PORTAL_URL_MAX])
{
	out_sign_in[0] = '\0';
	/* A page longer than any we wait for is not ours. */
	if (a->why && a->why != ERR_NO_SPACE)
		return PORTAL_UNKNOWN;
	if (!a->why && is_page(a, text))
		return PORTAL_OPEN;
	/* Rather the page's own server, and a wrong URL, than a portal; whose
	 * number is 511 (RFC 6585 6). */
	if (!a->why && a->status >= 400 && a->status != 511)
		return PORTAL_UNKNOWN;
	snprintf(out_sign_in, PORTAL_URL_MAX, "%s",
		 is_url(a->redirect) ? a->redirect : url);
	return PORTAL_SIGN_IN;
}

/* --- when to look --------------------------------------------------------- */

static void plan_again(struct portal *p)
{
	int64_t now_ms = os_now().boot_ms;
	int64_t wait_ms = (now_ms - p->closed_ms) / 8;

	if (wait_ms < AGAIN_MIN_MS)
		wait_ms = AGAIN_MIN_MS;
	if (wait_ms > AGAIN_MAX_MS)
		wait_ms = AGAIN_MAX_MS;
	p->at_ms = now_ms + wait_ms;
}

static void found_open(struct portal *p)
{
	bool was_closed = p->sign_in[0] != '\0';

	p->sign_in[0] = '\0';
	p->silent = 0;
	if (was_closed)
		p->hooks.opened(p->hooks.ctx);
}

static void found_closed(struct portal *p, const char *sign_in)
{
	bool was_closed = p->sign_in[0] != '\0';

	p->silent = 0;
	if (!was_closed) {
		snprintf(p->sign_in, sizeof(p->sign_in), "%s", sign_in);
		p->closed_ms = os_now().boot_ms;
	}
	plan_again(p);
	if (!was_closed)
		p->hooks.closed(p->hooks.ctx, p->sign_in);
}

static void found_nothing(struct portal *p)
{
	if (!p->sign_in[0])
		return;
	if (++p->silent < SILENT_MAX)
		plan_again(p);
	else
		found_open(p);
}

static void on_answer(void *ctx, const struct http_answer *a)
{
	struct portal *p = ctx;
	char sign_in[PORTAL_URL_MAX];
	enum portal_verdict verdict = portal_judge(a, p->url, p->text, sign_in);

	p->asking = false;
	switch (verdict) {
	case PORTAL_UNKNOWN:
		log_debug("portal: %s", a->why ? a->detail : "no verdict");
		found_nothing(p);
		break;
	case PORTAL_OPEN:
		log_debug("portal: the network is open");
		found_open(p);
		break;
	case PORTAL_SIGN_IN:
		found_closed(p, sign_in);
		break;
	}
}

static void ask(struct portal *p)
{
	char interface[PORTAL_INTERFACE_MAX];
	struct diag diag = DIAG_INIT;
	struct http_request req = {.url = p->url,
				   .plain = true,
				   .max_len = PAGE_MAX,
				   .timeout_ms = ANSWER_MS,
				   .interface = interface};
	enum err e;

	p->at_ms = INT64_MAX;
	http_free(&p->http);
	p->asking = false;
	if (!p->hooks.interface(p->hooks.ctx, interface))
		return; /* until the network changes */
	e = http_get(p->loop, &req, on_answer, p, &p->http, &diag);
	if (e) {
		log_warn("portal: %s", diag_text(&diag, e));
		found_nothing(p);
		return;
	}
	p->asking = true;
}

static int64_t deadline_of(void *ctx)
{
	const struct portal *p = ctx;

	return p->at_ms;
}

static void on_timer(void *ctx)
{
	ask(ctx);
}

/* --- life ----------------------------------------------------------------- */

enum err portal_new(struct loop *loop, const char *url, const char *text,
		    const struct portal_hooks *hooks, struct portal **out)
{
	struct portal *p = calloc(1, sizeof(*p));
	enum err e;

	*out = p;
	if (!p)
		return ERR_NO_MEMORY;
	p->loop = loop;
	p->hooks = *hooks;
	p->at_ms = INT64_MAX;
	snprintf(p->url, sizeof(p->url), "%s", url);
	snprintf(p->text, sizeof(p->text), "%s", text);
	e = loop_add_timer(loop, deadline_of, on_timer, p);
	if (e)
		portal_free(out);
	return e;
}

void portal_free(struct portal **pp)
{
	struct portal *p = *pp;

	if (!p)
		return;
	loop_remove_timer(p->loop, on_timer, p);
	http_free(&p->http);
	free(p);
	*pp = NULL;
}

void portal_await(struct portal *p)
{
	if (p->asking || p->at_ms != INT64_MAX)
		return;
	p->at_ms = os_now().boot_ms + PATIENCE_MS;
}

void portal_rest(struct portal *p)
{
	http_free(&p->http);
	p->asking = false;
	p->at_ms = INT64_MAX;
	p->sign_in[0] = '\0';
	p->silent = 0;
}

void portal_look(struct portal *p)
{
	if (p->sign_in[0])
		p->at_ms = os_now().boot_ms;
}

const char *portal_url(const struct portal *p)
{
	return p->sign_in;
}
