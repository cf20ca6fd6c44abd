/* A profile from elsewhere. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"
#include "client/run/http.h"

#define TIMEOUT_MS 30000
#define REDIRECTS  3

struct fetch {
	struct loop *loop;
	uint8_t *body;
	size_t len;
	enum err e;
	struct diag *diag;
};

static void answer_take(struct fetch *f, const struct http_answer *a)
{
	if (a->why) {
		f->e = diag_set(f->diag, a->why, "%s", a->detail);
		return;
	}
	if (a->status != 200) {
		f->e = diag_set(f->diag, ERR_PROFILE,
				"the server answers %u: is the address right?",
				a->status);
		return;
	}
	f->body = malloc(a->body.len + 1);
	if (!f->body) {
		f->e = ERR_NO_MEMORY;
		return;
	}
	if (a->body.len > 0)
		memcpy(f->body, a->body.p, a->body.len);
	f->body[a->body.len] = '\0';
	f->len = a->body.len;
}

static void on_done(void *ctx, const struct http_answer *answer)
{
	struct fetch *f = ctx;

	answer_take(f, answer);
	loop_stop(f->loop);
}

enum err fetch_https(const char *url, size_t max, uint8_t **out,
		     size_t *out_len, struct diag *diag)
{
	const struct http_request req = {.url = url,
					 .redirects = REDIRECTS,
					 .max_len = max,
					 .timeout_ms = TIMEOUT_MS};
	struct fetch f = {.diag = diag};
	struct http *http = NULL;
	enum err e = loop_new(&f.loop);

	if (!e)
		e = http_get(f.loop, &req, on_done, &f, &http, diag);
	if (!e)
		e = loop_run(f.loop);
	if (!e)
		e = f.e;
	http_free(&http);
	loop_free(&f.loop);
	*out = f.body;
	*out_len = f.len;
	return e;
}
