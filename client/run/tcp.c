#include "client/run/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const uint8_t prefix[6] = {'I', 'K', 'E', 'T', 'C', 'P'};

/* Kept free of ESP, so that the SA can be spoken of on a full line. */
#define IKE_ROOM (96 * 1024)

/* --- framing --------------------------------------------------------------
 */

uint8_t *tcp_reader_room(struct tcp_reader *r, size_t *out_cap)
{
	if (r->start > 0) {
		memmove(r->buf, r->buf + r->start, r->end - r->start);
		r->end -= r->start;
		r->start = 0;
	}
	*out_cap = r->broken ? 0 : sizeof(r->buf) - r->end;
	return r->buf + r->end;
}

void tcp_reader_add(struct tcp_reader *r, size_t len)
{
	r->end += len;
}

enum wire_kind tcp_reader_next(struct tcp_reader *r, struct bytes *out)
{
	struct rd rd = rd_open(bytes(r->buf + r->start, r->end - r->start));
	size_t len = rd_u16(&rd);
	struct bytes msg;

	*out = BYTES_NONE;
	if (r->broken)
		return WIRE_BROKEN;
	if (!rd_ok(&rd))
		return WIRE_NOTHING;
	if (len < TCP_LENGTH_LEN) {
		r->broken = true;
		return WIRE_BROKEN;
	}
	msg = rd_take(&rd, len - TCP_LENGTH_LEN);
	if (!rd_ok(&rd))
		return WIRE_NOTHING;
	r->start += len;
	return wire_kind_of(msg, out);
}

/* --- the connection -------------------------------------------------------
 */

struct tcp_stream {
	int fd;
	struct tcp_reader in;
	size_t out_start, out_end;
	uint8_t out[TCP_QUEUE_LEN];
};

enum err tcp_stream_new(int fd, struct tcp_stream **out)
{
	struct tcp_stream *s = malloc(sizeof(*s));

	*out = s;
	if (!s)
		return ERR_NO_MEMORY;
	s->fd = fd;
	s->in.start = s->in.end = 0;
	s->in.broken = false;
	memcpy(s->out, prefix, sizeof(prefix));
	s->out_start = 0;
	s->out_end = sizeof(prefix);
	return OK;
}

void tcp_stream_free(struct tcp_stream **s)
{
	free(*s);
	*s = NULL;
}

static void queue_put(struct tcp_stream *s, size_t room, struct bytes marker,
		      struct bytes msg)
{
	size_t len = TCP_LENGTH_LEN + marker.len + msg.len;
	struct wr w;

	if (marker.len + msg.len > TCP_RECORD_MAX ||
	    s->out_end - s->out_start + len > room)
		return;
	if (len > sizeof(s->out) - s->out_end) {
		memmove(s->out, s->out + s->out_start,
			s->out_end - s->out_start);
		s->out_end -= s->out_start;
		s->out_start = 0;
	}
	w = wr_open(s->out + s->out_end, len);
	wr_u16(&w, (uint16_t)len);
	wr_bytes(&w, marker);
	wr_bytes(&w, msg);
	if (wr_finish(&w) == OK)
		s->out_end += len;
}

void tcp_send_ike(struct tcp_stream *s, struct bytes msg)
{
	static const uint8_t marker[UDP_MARKER_LEN];

	queue_put(s, sizeof(s->out), BYTES_OF(marker), msg);
}

void tcp_send_esp(struct tcp_stream *s, struct bytes packet)
{
	queue_put(s, sizeof(s->out) - IKE_ROOM, BYTES_NONE, packet);
}

bool tcp_flush(struct tcp_stream *s, bool *out_more)
{
	ssize_t n;

	*out_more = true;
	while (s->out_start < s->out_end) {
		n = send(s->fd, s->out + s->out_start,
			 s->out_end - s->out_start, MSG_NOSIGNAL);
		if (n < 0)
			/* Not connected yet: ENOTCONN is another system's. */
			return errno == EAGAIN || errno == EINTR ||
			       errno == ENOTCONN;
		s->out_start += (size_t)n;
	}
	s->out_start = s->out_end = 0;
	*out_more = false;
	return true;
}

bool tcp_fill(struct tcp_stream *s)
{
	size_t cap;
	uint8_t *room = tcp_reader_room(&s->in, &cap);
	ssize_t n = recv(s->fd, room, cap, 0);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOTCONN;
	tcp_reader_add(&s->in, (size_t)n);
	return n > 0;
}

enum wire_kind tcp_next(struct tcp_stream *s, struct bytes *out)
{
	return tcp_reader_next(&s->in, out);
}
