/* Networks that let nobody through who has not signed in. A page of known
 * content is asked for, by the interface that leads to the gateway, when the
 * gateway should have answered and did not. */
#ifndef CLIENT_RUN_PORTAL_H
#define CLIENT_RUN_PORTAL_H

#include "client/run/http.h"

#define PORTAL_URL_MAX	     256
#define PORTAL_INTERFACE_MAX 16

enum portal_verdict {
	PORTAL_UNKNOWN, /* no answer: nothing is known */
	PORTAL_OPEN,	/* it is the page */
	PORTAL_SIGN_IN	/* somebody else answered */
};

/* url is what was asked for; text what the page begins with, "": the page is
 * empty. out_sign_in: where a person signs in, printable; "" unless that is
 * the verdict. */
enum portal_verdict portal_judge(const struct http_answer *a, const char *url,
				 const char *text,
				 char out_sign_in[PORTAL_URL_MAX]);

struct portal_hooks {
	void *ctx;
	/* By which interface packets to the gateway leave; false: by none. */
	bool (*interface)(void *ctx, char out[PORTAL_INTERFACE_MAX]);
	/* Somebody must sign in at url. Told once. */
	void (*closed)(void *ctx, const char *url);
	/* After closed: the way is free. */
	void (*opened)(void *ctx);
};

struct portal;

/* Texts and hooks are copied, the loop is borrowed. */
enum err ERR_MUST portal_new(struct loop *loop, const char *url,
			     const char *text, const struct portal_hooks *hooks,
			     struct portal **out);
void portal_free(struct portal **p);
/* An answer of the gateway is awaited: where it takes long, the page is asked
 * for. Nothing where that is so already. */
void portal_await(struct portal *p);
/* The gateway answers, or nobody asks it: no more of this. */
void portal_rest(struct portal *p);
/* Something about the network changed: while closed, look at once. */
void portal_look(struct portal *p);
/* Where to sign in; "" while the network is not known to be closed. */
const char *portal_url(const struct portal *p);

#endif
