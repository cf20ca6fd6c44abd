/* HTTP: one GET at a time, driven by the loop. The only user of libcurl,
 * which is loaded at the first request: linked, it would make each start of
 * the program four times as long. (libcurl looks names up in a thread of its
 * own; nothing of ours runs there.) */
#ifndef CLIENT_RUN_HTTP_H
#define CLIENT_RUN_HTTP_H

#include "client/run/loop.h"
#include "platform/base/bytes.h"

/* Texts are copied; zero is the strict choice everywhere. */
struct http_request {
	const char *url;
	bool plain;	     /* http:// is allowed, also behind a redirect */
	uint8_t redirects;   /* followed at most */
	size_t max_len;	     /* octets of the body taken at most */
	uint32_t timeout_ms; /* for all of it; 0 is refused */
	const char *ca_file; /* PEM; NULL: the system's CAs */
	/* Leave by this interface only, whatever the routes say; NULL: any. */
	const char *interface;
};

/* Valid inside of the callback. */
struct http_answer {
	/* OK: an HTTP answer came, of any status. ERR_NAME, ERR_NO_ANSWER
	 * (also: too late), ERR_UNTRUSTED (its certificate), ERR_NO_SPACE
	 * (longer than max_len), ERR_PEER (not HTTP, too many redirects),
	 * ERR_USAGE (not a URL, or not https). */
	enum err why;
	const char *detail; /* one line for a person; "" when OK */
	unsigned status;
	struct bytes body;
	const char *redirect; /* where a 3xx points, absolute; or "" */
};
/* Once for each request, from the loop, never from http_get. http_free is
 * allowed in here. */
typedef void http_done(void *ctx, const struct http_answer *answer);

struct http;

/* Begins. The loop is borrowed; gives *out. ERR_UNSUPPORTED: libcurl is not
 * installed. */
enum err ERR_MUST http_get(struct loop *loop, const struct http_request *req,
			   http_done *done, void *ctx, struct http **out,
			   struct diag *diag);
/* Ends it where it stands; done is not called any more. */
void http_free(struct http **h);

#endif
