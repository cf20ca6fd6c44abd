#include "config.h"

#include "client/run/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/run/control_private.h"
#include "client/store/places.h"
#include "platform/base/log.h"

#define CONNECTIONS_MAX 8

struct connection {
	struct control *control;
	int fd; /* -1: free */
	size_t len;
	char buf[CONTROL_REQUEST_MAX];
};

struct control {
	struct sockaddr_un address;
	char lock_path[PLACE_MAX];
	int lock_fd, listen_fd;
	struct loop *loop;
	struct control_hooks hooks;
	unsigned accepted;
	struct connection connections[CONNECTIONS_MAX];
};

enum err control_address(const struct control_place *place,
			 struct sockaddr_un *out, struct diag *diag)
{
	int len;

	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	len = snprintf(out->sun_path, sizeof(out->sun_path), "%s/%s.sock",
		       place->dir, place->name);
	if (len < 0 || len >= (int)sizeof(out->sun_path))
		return diag_set(diag, ERR_NO_SPACE,
				"%.150s: too long for a socket: set "
				"XDG_RUNTIME_DIR to a shorter folder",
				place->dir);
	return OK;
}

/* --- one connection ------------------------------------------------------ */

static void connection_close(struct connection *k)
{
	loop_remove(k->control->loop, k->fd);
	close(k->fd);
	k->fd = -1;
	k->len = 0;
}

/* One request; false when the connection is of no use any more. */
static bool request_serve(struct connection *k, const char *request)
{
	struct control *c = k->control;
	void (*then)(void *ctx) = NULL;
	char *reply = control_answer(request, &c->hooks, &then);
	bool sent = true;

	if (reply) {
		size_t len = strlen(reply) + 1;

		/* Larger than a socket's buffer no reply is. */
		sent = send(k->fd, reply, len, MSG_NOSIGNAL | MSG_DONTWAIT) ==
		       (ssize_t)len;
	}
	free(reply);
	if (then)
		then(c->hooks.ctx);
	return sent;
}

static void connection_read(void *ctx)
{
	struct connection *k = ctx;
	ssize_t got = read(k->fd, k->buf + k->len, sizeof(k->buf) - k->len);
	char *end;

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		connection_close(k);
		return;
	}
	k->len += (size_t)got;
	while ((end = memchr(k->buf, '\0', k->len))) {
		size_t used = (size_t)(end + 1 - k->buf);

		if (!request_serve(k, k->buf)) {
			connection_close(k);
			return;
		}
		k->len -= used;
		memmove(k->buf, end + 1, k->len);
	}
	if (k->len == sizeof(k->buf))
		connection_close(k);
}

static bool peer_is_ours(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

/* A free place, else one after the other is given up. */
static struct connection *connection_place(struct control *c)
{
	struct connection *k;

	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (c->connections[i].fd < 0)
			return &c->connections[i];
	k = &c->connections[c->accepted % CONNECTIONS_MAX];
	connection_close(k);
	return k;
}

static void connection_accept(void *ctx)
{
	struct control *c = ctx;
	struct connection *k;
	int fd =
		accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (!peer_is_ours(fd)) {
		log_warn("control: another user was refused");
		close(fd);
		return;
	}
	k = connection_place(c);
	c->accepted++;
	k->control = c;
	k->fd = fd;
	k->len = 0;
	if (loop_add(c->loop, fd, connection_read, k)) {
		close(fd);
		k->fd = -1;
	}
}

/* --- the socket -------------------------------------------------------------
 */

static enum err lock_take(struct control *c, const struct control_place *place,
			  struct diag *diag)
{
	char file[PROFILE_NAME_MAX + 8];
	enum err e;

	snprintf(file, sizeof(file), "%s.lock", place->name);
	e = places_join(c->lock_path, place->dir, file, diag);
	if (e)
		return e;
	c->lock_fd = open(c->lock_path,
			  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (c->lock_fd < 0)
		return diag_sys(diag, ERR_IO, "%s", c->lock_path);
	if (flock(c->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return OK;
	return diag_set(diag, ERR_BUSY,
			"%s is already running: see vpn-connect status %s",
			place->name, place->name);
}

enum err control_open(const struct control_place *place, struct control **out,
		      struct diag *diag)
{
	struct control *c = calloc(1, sizeof(*c));
	enum err e;

	*out = c;
	if (!c)
		return ERR_NO_MEMORY;
	c->lock_fd = c->listen_fd = -1;
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		c->connections[i].fd = -1;
	e = control_address(place, &c->address, diag);
	if (!e)
		e = places_private_dir(place->dir, diag);
	if (!e)
		e = lock_take(c, place, diag);
	if (e)
		control_close(out);
	return e;
}

enum err control_serve(struct control *c, struct loop *loop,
		       const struct control_hooks *hooks, struct diag *diag)
{
	struct sockaddr *address = (struct sockaddr *)&c->address;

	c->loop = loop;
	c->hooks = *hooks;
	/* We have the lock: nobody listens on what may be there. */
	unlink(c->address.sun_path);
	c->listen_fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listen_fd < 0 ||
	    bind(c->listen_fd, address, sizeof(c->address)) < 0 ||
	    listen(c->listen_fd, CONNECTIONS_MAX) < 0)
		return diag_sys(diag, ERR_IO, "%s", c->address.sun_path);
	return loop_add(loop, c->listen_fd, connection_accept, c);
}

void control_close(struct control **cp)
{
	struct control *c = *cp;

	if (!c)
		return;
	if (c->listen_fd >= 0) {
		unlink(c->address.sun_path);
		if (c->loop)
			loop_remove(c->loop, c->listen_fd);
		close(c->listen_fd);
	}
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (c->connections[i].fd >= 0)
			connection_close(&c->connections[i]);
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	free(c);
	*cp = NULL;
}
