/* The other side of the control socket: what a command asks a running
 * tunnel. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "client/run/control_private.h"
#include "platform/os.h"

#define SUFFIX ".sock"

struct asking {
	const struct control_call *call;
	int fd;
	int64_t deadline_ms; /* boot clock */
	size_t len;
	char *reply;
};

static enum err no_answer(const char *name, struct diag *diag)
{
	return diag_set(diag, ERR_NO_ANSWER,
			"%s does not answer: end its process by hand (see "
			"ps -C vpn-connect)",
			name);
}

static enum err try_connect(int fd, const struct control_place *place,
			    int timeout_ms, struct diag *diag)
{
	const struct timeval limit = {timeout_ms / 1000,
				      timeout_ms % 1000 * 1000};
	struct sockaddr_un address;
	enum err e = control_address(place, &address, diag);

	if (e)
		return e;
	/* It limits connect, too: the full queue of a stopped process must not
	 * hang us. */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) < 0)
		return diag_sys(diag, ERR_SYS, "socket");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return OK;
	if (errno == ENOENT || errno == ECONNREFUSED || errno == ENOTDIR)
		return diag_set(diag, ERR_NOT_RUNNING, "%s is not running",
				place->name);
	if (errno == EAGAIN)
		return no_answer(place->name, diag);
	return diag_sys(diag, ERR_IO, "%s", address.sun_path);
}

enum err control_connect(const struct control_place *place, int timeout_ms,
			 int *out_fd, struct diag *diag)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	enum err e;

	*out_fd = -1;
	if (fd < 0)
		return diag_sys(diag, ERR_SYS, "socket");
	e = try_connect(fd, place, timeout_ms, diag);
	if (e)
		close(fd);
	else
		*out_fd = fd;
	return e;
}

static enum err asking_send(struct asking *a, struct diag *diag)
{
	char request[128];
	int len = snprintf(request, sizeof(request),
			   "{\"method\":\"" CONTROL_INTERFACE ".%s\"}",
			   a->call->method);

	/* With its NUL. */
	if (send(a->fd, request, (size_t)len + 1, MSG_NOSIGNAL) != len + 1)
		return diag_sys(diag, ERR_NOT_RUNNING, "%s",
				a->call->place.name);
	return OK;
}

/* Reads once; *out_got is 0 at the end. */
static enum err asking_read(struct asking *a, size_t *out_got,
			    struct diag *diag)
{
	struct pollfd p = {.fd = a->fd, .events = POLLIN};
	int64_t left = a->deadline_ms - os_now().boot_ms;
	ssize_t got;
	int ready = 0;

	*out_got = 0;
	if (a->len == CONTROL_REPLY_MAX)
		return ERR_MALFORMED;
	if (left > 0)
		ready = poll(&p, 1, (int)left);
	if (ready < 0 && errno == EINTR)
		return asking_read(a, out_got, diag);
	if (ready <= 0)
		return no_answer(a->call->place.name, diag);
	got = read(a->fd, a->reply + a->len, CONTROL_REPLY_MAX - a->len);
	if (got < 0 && errno != ECONNRESET)
		return diag_sys(diag, ERR_IO, "%s", a->call->place.name);
	*out_got = got > 0 ? (size_t)got : 0;
	a->len += *out_got;
	return OK;
}

enum err control_reply_parse(const char *name, const char *text, json_t **out,
			     struct diag *diag)
{
	json_t *reply = json_loads(text, 0, NULL);
	json_t *parameters = json_object_get(reply, "parameters");
	const char *error = json_string_value(json_object_get(reply, "error"));
	enum err e = OK;

	if (error)
		e = diag_set(diag, ERR_UNSUPPORTED,
			     "%s: %s: it is of another version: restart it",
			     name, error);
	else if (!json_is_object(parameters))
		e = diag_set(diag, ERR_MALFORMED, "%s: not a reply", name);
	else
		*out = json_incref(parameters);
	json_decref(reply);
	return e;
}

static enum err asking_run(struct asking *a, json_t **out, struct diag *diag)
{
	size_t got;
	enum err e = control_connect(&a->call->place, a->call->timeout_ms,
				     &a->fd, diag);

	if (!e)
		e = asking_send(a, diag);
	while (!e && !memchr(a->reply, '\0', a->len)) {
		e = asking_read(a, &got, diag);
		if (!e && got == 0)
			e = diag_set(diag, ERR_NOT_RUNNING, "%s ended just now",
				     a->call->place.name);
	}
	if (!e)
		e = control_reply_parse(a->call->place.name, a->reply, out,
					diag);
	while (!e && a->call->until_end) {
		a->len = 0;
		e = asking_read(a, &got, diag);
		if (got == 0)
			break;
	}
	return e;
}

enum err control_ask(const struct control_call *call, json_t **out,
		     struct diag *diag)
{
	struct asking a = {.call = call, .fd = -1};
	enum err e;

	*out = NULL;
	a.deadline_ms = os_now().boot_ms + call->timeout_ms;
	a.reply = malloc(CONTROL_REPLY_MAX);
	if (!a.reply)
		return ERR_NO_MEMORY;
	e = asking_run(&a, out, diag);
	if (e) {
		json_decref(*out);
		*out = NULL;
	}
	if (a.fd >= 0)
		close(a.fd);
	free(a.reply);
	return e;
}

size_t control_list(const char *dir, char (*out)[PROFILE_NAME_MAX], size_t cap)
{
	const size_t end = strlen(SUFFIX);
	struct dirent *entry;
	size_t n = 0;
	DIR *d = opendir(dir);

	while (d && n < cap && (entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len <= end || len - end >= PROFILE_NAME_MAX ||
		    strcmp(entry->d_name + len - end, SUFFIX) != 0)
			continue;
		memcpy(out[n], entry->d_name, len - end);
		out[n++][len - end] = '\0';
	}
	if (d)
		closedir(d);
	return n;
}
