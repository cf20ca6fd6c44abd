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
#include "client/run/status.h"
#include "client/store/places.h"
#include "platform/base/log.h"
#include "platform/os.h"

#define CONNECTIONS_MAX 8
/* How often traffic alone is told to who watches. */
#define WATCH_EVERY_MS 1000

struct connection {
	struct control *control;
	int fd; /* -1: free */
	bool watches;
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
	int64_t look_at_ms; /* for who watches */
	json_t *told;	    /* to them; NULL: nothing yet */
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
	k->watches = false;
	k->len = 0;
}

/* With its NUL; takes text. */
static bool text_send(const struct connection *k, char *text)
{
	size_t len = text ? strlen(text) + 1 : 0;
	/* Larger than a socket's buffer no reply is. */
	bool sent = text && send(k->fd, text, len,
				 MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;

	free(text);
	return sent;
}

/* --- who watches ------------------------------------------------------------
 */

static bool anybody_watches(const struct control *c)
{
	for (size_t i = 0; i < CONNECTIONS_MAX; i++)
		if (c->connections[i].fd >= 0 && c->connections[i].watches)
			return true;
	return false;
}

static int64_t watch_deadline(void *ctx)
{
	const struct control *c = ctx;

	return anybody_watches(c) ? c->look_at_ms : INT64_MAX;
}

static void watch_due(void *ctx)
{
	struct control *c = ctx;

	control_changed(c);
}

void control_changed(struct control *c)
{
	json_t *status;

	if (!anybody_watches(c))
		return;
	c->look_at_ms = os_now().boot_ms + WATCH_EVERY_MS;
	status = c->hooks.status(c->hooks.ctx);
	if (!status || (c->told && status_same(status, c->told))) {
		json_decref(status);
		return;
	}
	json_decref(c->told);
	c->told = status;
	/* One that does not read is given up: it may call again. */
	for (size_t i = 0; i < CONNECTIONS_MAX; i++) {
		struct connection *k = &c->connections[i];

		if (k->fd >= 0 && k->watches &&
		    !text_send(k, control_more(status)))
			connection_close(k);
	}
}

/* --- requests --------------------------------------------------------------
 */

/* One request; false when the connection is of no use any more. */
static bool request_serve(struct connection *k, const char *request)
{
	struct control *c = k->control;
	struct control_after after;
	char *reply = control_answer(request, &c->hooks, &after);
	bool sent = !reply || text_send(k, reply);

	if (after.then)
		after.then(c->hooks.ctx);
	if (after.watch && !anybody_watches(c)) {
		json_decref(c->told);
		c->told = c->hooks.status(c->hooks.ctx);
		c->look_at_ms = os_now().boot_ms + WATCH_EVERY_MS;
	}
	k->watches |= after.watch;
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
	enum err e;

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
	e = loop_add(loop, c->listen_fd, connection_accept, c);
	return e ? e : loop_add_timer(loop, watch_deadline, watch_due, c);
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
	if (c->loop)
		loop_remove_timer(c->loop, watch_due, c);
	json_decref(c->told);
	if (c->lock_fd >= 0)
		close(c->lock_fd);
	free(c);
	*cp = NULL;
}
