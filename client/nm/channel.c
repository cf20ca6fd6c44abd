#include "config.h"

#include "client/nm/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "platform/helper/proto.h"

#define CONFIG_MAX (NET_NAME_LEN + NETD_REQUEST_MAX)

enum err channel_send(int fd, enum channel_kind kind, struct bytes body)
{
	uint8_t head = (uint8_t)kind;
	struct iovec iov[] = {{&head, 1},
			      {(void *)(uintptr_t)body.p, body.len}};
	struct msghdr msg = {.msg_iov = iov, .msg_iovlen = 2};

	if (body.len >= CHANNEL_MAX)
		return ERR_NO_SPACE;
	while (sendmsg(fd, &msg, MSG_NOSIGNAL) < 0) {
		if (errno == EPIPE || errno == ECONNRESET)
			return ERR_GONE;
		if (errno != EINTR)
			return ERR_IO;
	}
	return OK;
}

static bool kind_is_known(uint8_t kind)
{
	switch ((enum channel_kind)kind) {
#define X(name, number, body) case name:
		CHANNEL_KIND_LIST(X)
#undef X
		return true;
	}
	return false;
}

enum err channel_receive(int fd, uint8_t buf[CHANNEL_MAX],
			 enum channel_kind *out_kind, struct bytes *out_body)
{
	struct iovec iov = {buf, CHANNEL_MAX};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t len;
	int reset = 0;

	/* A reset, where the other side left something unread, comes before
	 * what that side had said. */
	do
		len = recvmsg(fd, &msg, 0);
	while (len < 0 &&
	       (errno == EINTR || (errno == ECONNRESET && !reset++)));
	if (len < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return ERR_NOT_FOUND;
	if (len == 0 || (len < 0 && errno == ECONNRESET))
		return ERR_GONE;
	if (len < 0)
		return ERR_IO;
	if ((msg.msg_flags & MSG_TRUNC) || !kind_is_known(buf[0]))
		return ERR_MALFORMED;
	*out_kind = (enum channel_kind)buf[0];
	*out_body = bytes(buf + 1, (size_t)len - 1);
	return OK;
}

void channel_text(struct bytes body, char out[CHANNEL_TEXT_MAX])
{
	size_t len =
		body.len < CHANNEL_TEXT_MAX ? body.len : CHANNEL_TEXT_MAX - 1;

	for (size_t i = 0; i < len; i++)
		out[i] = body.p[i] < ' ' || body.p[i] > '~' ? '?'
							    : (char)body.p[i];
	out[len] = '\0';
}

/* --- what the network looks like ------------------------------------------ */

enum err channel_send_config(int fd, const struct channel_config *config)
{
	struct netd_request req = {.verb = NETD_CONF, .conf = config->conf};
	uint8_t buf[CONFIG_MAX];
	struct wr w = wr_open(buf, sizeof(buf));
	enum err e;

	wr_bytes(&w, bytes(config->interface, NET_NAME_LEN));
	e = netd_write_request(&req, &w);
	return e ? e : channel_send(fd, CHANNEL_CONFIG, wr_view(&w));
}

static bool interface_is_good(const char name[NET_NAME_LEN])
{
	size_t len = strnlen(name, NET_NAME_LEN);

	return len > 0 && len < NET_NAME_LEN &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789") == len;
}

enum err channel_read_config(struct bytes body, struct channel_config *out)
{
	struct rd r = rd_open(body);
	struct netd_request req;
	enum err e;

	memset(out, 0, sizeof(*out));
	rd_copy(&r, out->interface, NET_NAME_LEN);
	e = netd_read_request(rd_rest(&r), &req, NULL);
	if (!e && (req.verb != NETD_CONF || !interface_is_good(out->interface)))
		e = ERR_MALFORMED;
	if (!e)
		out->conf = req.conf;
	return e;
}

/* --- the end ----------------------------------------------------------------
 */

enum err channel_send_closed(int fd, const struct channel_closed *closed)
{
	uint8_t buf[1 + CHANNEL_TEXT_MAX];
	struct wr w = wr_open(buf, sizeof(buf));

	wr_u8(&w, (uint8_t)closed->why);
	wr_bytes(&w, bytes_str(closed->text));
	return channel_send(fd, CHANNEL_CLOSED, wr_view(&w));
}

enum err channel_read_closed(struct bytes body, struct channel_closed *out)
{
	struct rd r = rd_open(body);
	uint8_t why = rd_u8(&r);

	memset(out, 0, sizeof(*out));
	if (!rd_ok(&r))
		return ERR_TRUNCATED;
	if (why > ERR_CANCELLED)
		return ERR_MALFORMED;
	out->why = (enum err)why;
	channel_text(rd_rest(&r), out->text);
	return OK;
}
