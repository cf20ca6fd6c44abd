/* The other side of the control socket, for who wants to see every change. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/run/control_private.h"

#define CONNECT_TIMEOUT_MS 5000

struct control_watch {
	char name[PROFILE_NAME_MAX];
	int fd;
	size_t len;
	char buf[CONTROL_REPLY_MAX];
};

enum err control_watch_open(const struct control_place *place,
			    struct control_watch **out, struct diag *diag)
{
	static const char request[] =
		"{\"method\":\"" CONTROL_INTERFACE ".Status\",\"more\":true}";
	struct control_watch *w = calloc(1, sizeof(*w));
	enum err e;

	*out = w;
	if (!w)
		return ERR_NO_MEMORY;
	strncpy(w->name, place->name, sizeof(w->name) - 1);
	e = control_connect(place, CONNECT_TIMEOUT_MS, &w->fd, diag);
	if (!e && send(w->fd, request, sizeof(request), MSG_NOSIGNAL) !=
			  sizeof(request))
		e = diag_sys(diag, ERR_NOT_RUNNING, "%s", w->name);
	if (e)
		control_watch_close(out);
	return e;
}

int control_watch_fd(const struct control_watch *w)
{
	return w->fd;
}

/* The last of the whole replies; what is behind it stays. */
static enum err newest_take(struct control_watch *w, json_t **out,
			    struct diag *diag)
{
	char *end = memrchr(w->buf, '\0', w->len);
	char *start;
	enum err e;

	if (!end)
		return w->len == sizeof(w->buf)
			       ? diag_set(diag, ERR_MALFORMED,
					  "%s: not a reply", w->name)
			       : OK;
	start = memrchr(w->buf, '\0', (size_t)(end - w->buf));
	e = control_reply_parse(w->name, start ? start + 1 : w->buf, out, diag);
	w->len -= (size_t)(end + 1 - w->buf);
	memmove(w->buf, end + 1, w->len);
	return e;
}

enum err control_watch_read(struct control_watch *w, json_t **out,
			    struct diag *diag)
{
	ssize_t got = read(w->fd, w->buf + w->len, sizeof(w->buf) - w->len);

	*out = NULL;
	if (got < 0 && errno == EINTR)
		return OK;
	if (got <= 0)
		return diag_set(diag, ERR_NOT_RUNNING, "%s ended", w->name);
	w->len += (size_t)got;
	return newest_take(w, out, diag);
}

void control_watch_close(struct control_watch **w)
{
	if (!*w)
		return;
	if ((*w)->fd >= 0)
		close((*w)->fd);
	free(*w);
	*w = NULL;
}
