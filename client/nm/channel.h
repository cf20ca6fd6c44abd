/* What the NetworkManager service (root) and its core (the VPN client, an
 * ordinary user) say to each other, over a SOCK_SEQPACKET socket.
 *
 * The core reads what comes from the network, so the service trusts nothing
 * that it says: messages are short, of few kinds, and read by rd cursors.
 */
#ifndef CLIENT_NM_CHANNEL_H
#define CLIENT_NM_CHANNEL_H

#include "platform/net.h"

#define CHANNEL_FD	 0 /* the core's end */
#define CHANNEL_MAX	 (64 * 1024)
#define CHANNEL_TEXT_MAX 512

/* X(name, number, what its body is) */
#define CHANNEL_KIND_LIST(X)                                                   \
	/* to the core */                                                      \
	X(CHANNEL_PROFILE, 1, "the profile's text; a SECRET follows")          \
	X(CHANNEL_SECRET, 2, "a password or pre-shared key, or nothing")       \
	X(CHANNEL_SUSPEND, 3, "nothing: end, keep the ticket")                 \
	/* to the service */                                                   \
	X(CHANNEL_PROGRESS, 4, "a line for the log")                           \
	X(CHANNEL_ASK, 5, "a question: a SECRET is awaited")                   \
	X(CHANNEL_CONFIG, 6, "struct channel_config")                          \
	X(CHANNEL_CLOSED, 7, "struct channel_closed, the last message")

enum channel_kind {
#define X(name, number, body) name = number,
	CHANNEL_KIND_LIST(X)
#undef X
};

/* The tunnel as it is now. */
struct channel_config {
	char interface[NET_NAME_LEN];
	struct net_conf conf;
};

/* Everything is taken back, and why it ended. */
struct channel_closed {
	enum err why;
	char text[CHANNEL_TEXT_MAX];
};

/* Sends one message; body is at most CHANNEL_MAX - 1 octets. ERR_GONE when
 * the other end is closed, ERR_IO. */
enum err ERR_MUST channel_send(int fd, enum channel_kind kind,
			       struct bytes body);
/* One message into buf; *out_body is a view into it. Waits unless fd is
 * non-blocking. ERR_GONE at the end, ERR_NOT_FOUND when there is none yet,
 * ERR_MALFORMED. The caller wipes buf where it holds a secret. */
enum err ERR_MUST channel_receive(int fd, uint8_t buf[CHANNEL_MAX],
				  enum channel_kind *out_kind,
				  struct bytes *out_body);

/* A text out of a body: cut to fit, what is not printable becomes "?". */
void channel_text(struct bytes body, char out[CHANNEL_TEXT_MAX]);
enum err ERR_MUST channel_send_config(int fd,
				      const struct channel_config *config);
/* Every field is checked as vpn-netd does it. ERR_MALFORMED, ERR_TRUNCATED. */
enum err ERR_MUST channel_read_config(struct bytes body,
				      struct channel_config *out);
enum err ERR_MUST channel_send_closed(int fd,
				      const struct channel_closed *closed);
enum err ERR_MUST channel_read_closed(struct bytes body,
				      struct channel_closed *out);

#endif
