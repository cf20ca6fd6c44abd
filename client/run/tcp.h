/* IKE and ESP in one TCP connection (RFC 9329). The first half is framing
 * without sockets. */
#ifndef CLIENT_RUN_TCP_H
#define CLIENT_RUN_TCP_H

#include "client/run/udp.h"

#define TCP_LENGTH_LEN 2
#define TCP_RECORD_MAX 65533 /* 3: the length counts its own octets */
#define TCP_QUEUE_LEN  (256 * 1024)

/* The gateway's stream: it has no prefix. */
struct tcp_reader {
	uint8_t buf[2 * (TCP_LENGTH_LEN + TCP_RECORD_MAX)];
	size_t start, end;
	bool broken;
};

/* Room for what comes next; its size in *out_cap, never 0 unless the stream
 * is broken. Views given before are void. */
uint8_t *tcp_reader_room(struct tcp_reader *r, size_t *out_cap);
/* len octets were put there. */
void tcp_reader_add(struct tcp_reader *r, size_t len);
/* The next whole record; *out is its message without length and marker, to be
 * changed in place, until tcp_reader_room. WIRE_NOTHING: more is needed.
 * WIRE_OTHER: a keepalive or an empty record, to be ignored. WIRE_BROKEN: not
 * such a stream (3), close it. */
enum wire_kind tcp_reader_next(struct tcp_reader *r, struct bytes *out);

struct tcp_stream;

/* A stream on a connected or connecting, non-blocking socket, which stays the
 * caller's. The prefix is the first thing sent. */
enum err ERR_MUST tcp_stream_new(int fd, struct tcp_stream **out);
void tcp_stream_free(struct tcp_stream **s);
/* Into the queue; tcp_flush sends. A message that finds no room is lost, as
 * on UDP: ESP before IKE. */
void tcp_send_ike(struct tcp_stream *s, struct bytes msg);
void tcp_send_esp(struct tcp_stream *s, struct bytes packet);
/* Sends what the socket takes. False: the connection is broken (why in
 * errno). *out_more: the rest waits until the socket is writable. */
bool tcp_flush(struct tcp_stream *s, bool *out_more);
/* Reads once from the socket; then everything that tcp_next gives is to be
 * taken. False: the connection is over. */
bool tcp_fill(struct tcp_stream *s);
/* As tcp_reader_next. */
enum wire_kind tcp_next(struct tcp_stream *s, struct bytes *out);

#endif
