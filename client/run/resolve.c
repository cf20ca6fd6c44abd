#include "client/run/resolve.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/base/sockaddr.h"

#define NAME_LEN 256

struct resolver {
	int fd;
	char name[NAME_LEN];
};

/* The thread's alone: it outlives a resolver that is cancelled. */
struct question {
	int fd;
	char name[NAME_LEN];
};

struct answer {
	int gai; /* of getaddrinfo */
	size_t n;
	struct addr addrs[RESOLVE_MAX];
};

/* --- the thread -----------------------------------------------------------
 */

static void *ask(void *ctx)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct addrinfo *list = NULL;
	struct question *q = ctx;
	struct answer a;

	memset(&a, 0, sizeof(a));
	a.gai = getaddrinfo(q->name, NULL, &hints, &list);
	for (struct addrinfo *ai = a.gai ? NULL : list; ai && a.n < RESOLVE_MAX;
	     ai = ai->ai_next) {
		a.addrs[a.n] = sockaddr_to_addr(ai->ai_addr);
		if (a.addrs[a.n].family != ADDR_NONE)
			a.n++;
	}
	if (a.gai == 0)
		freeaddrinfo(list);
	/* Where nobody waits any more there is nothing to be done about it. */
	while (send(q->fd, &a, sizeof(a), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
	close(q->fd);
	free(q);
	return NULL;
}

/* Signals are for the loop. */
static int thread_start(struct question *q)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int r = pthread_attr_init(&attr);

	if (r != 0)
		return r;
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, &attr, ask, q);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return r;
}

/* --- who waits ------------------------------------------------------------
 */

enum err resolver_ask(const char *name, struct resolver **out,
		      struct diag *diag)
{
	struct resolver *r = calloc(1, sizeof(*r));
	struct question *q = calloc(1, sizeof(*q));
	int sv[2] = {-1, -1};
	enum err e = OK;

	*out = NULL;
	if (!r || !q || strlen(name) >= NAME_LEN) {
		e = r && q ? ERR_NAME : ERR_NO_MEMORY;
		goto fail;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0) {
		e = diag_sys(diag, ERR_SYS, "socketpair");
		goto fail;
	}
	strcpy(r->name, name);
	strcpy(q->name, name);
	r->fd = sv[0];
	q->fd = sv[1];
	errno = thread_start(q);
	if (errno == 0) {
		*out = r;
		return OK;
	}
	e = diag_sys(diag, ERR_SYS, "no thread for the resolver");
	close(sv[0]);
	close(sv[1]);
fail:
	free(r);
	free(q);
	return e;
}

int resolver_fd(const struct resolver *r)
{
	return r->fd;
}

void resolver_cancel(struct resolver **r)
{
	if (!*r)
		return;
	close((*r)->fd);
	free(*r);
	*r = NULL;
}

static enum err answer_read(const struct resolver *r, struct answer *out,
			    struct diag *diag)
{
	ssize_t n;

	do
		n = recv(r->fd, out, sizeof(*out), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*out))
		return diag_set(diag, ERR_INTERNAL, "the resolver broke off");
	if (out->gai != 0)
		return diag_set(
			diag, ERR_NAME,
			"gateway name '%s' does not resolve (%s): check "
			"[gateway] address and the network's DNS",
			r->name, gai_strerror(out->gai));
	if (out->n == 0)
		return diag_set(diag, ERR_NAME,
				"gateway name '%s' has no address", r->name);
	return OK;
}

enum err resolver_take(struct resolver **r, struct addr *out, size_t cap,
		       size_t *out_n, struct diag *diag)
{
	struct answer a;
	enum err e = answer_read(*r, &a, diag);

	*out_n = 0;
	if (!e)
		*out_n = a.n < cap ? a.n : cap;
	memcpy(out, a.addrs, *out_n * sizeof(*out));
	resolver_cancel(r);
	return e;
}
