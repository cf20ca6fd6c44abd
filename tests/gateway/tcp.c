/* TCP encapsulation (RFC 9329) as responder. Written apart from the client's:
 * two readings of one text meet on the wire. */
#include "config.h"

#include "tests/gateway/prog.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/base/log.h"
#include "platform/base/sockaddr.h"

#define RECORD_MAX 65535
#define IN_LEN	   (4 * RECORD_MAX)
#define OUT_LEN	   (1 << 20)

static const char prefix[] = "IKETCP";
#define PREFIX_LEN 6

struct tcp_conn {
	struct tcp_conn *next;
	int fd;
	struct gw_path path;
	bool begun; /* the prefix was there */
	size_t in_len, out_len;
	uint8_t in[IN_LEN], out[OUT_LEN];
};

/* --- connections ---------------------------------------------------------- */

enum err tcp_listen(struct prog *p, const struct addr *at, uint16_t port,
		    struct diag *diag)
{
	struct tcp_listener *l = &p->tcp[p->n_tcp];
	union sock sock;
	char text[ADDR_STR_MAX];
	int on = 1;
	socklen_t len;

	l->local = *at;
	l->local.port = port;
	len = sockaddr_from_addr(&l->local, &sock);
	l->fd = socket(sock.sa.sa_family,
		       SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return diag_sys(diag, ERR_SYS, "socket");
	(void)setsockopt(l->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (sock.sa.sa_family == AF_INET6)
		(void)setsockopt(l->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on,
				 sizeof(on));
	if (bind(l->fd, &sock.sa, len) < 0 || listen(l->fd, 16) < 0) {
		close(l->fd);
		return diag_sys(diag, ERR_SYS, "TCP %s",
				addr_str_port(&l->local, text));
	}
	p->n_tcp++;
	log_info("listening on TCP %s", addr_str_port(&l->local, text));
	return OK;
}

static void tcp_accept(struct prog *p, const struct tcp_listener *l)
{
	union sock sock;
	socklen_t len = sizeof(sock);
	struct tcp_conn *c;
	char text[ADDR_STR_MAX];
	int on = 1;
	int fd = accept4(l->fd, &sock.sa, &len, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		abort();
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c->fd = fd;
	c->path.local = l->local;
	c->path.remote = sockaddr_to_addr(&sock.sa);
	c->next = p->conns;
	p->conns = c;
	log_info("TCP connection from %s",
		 addr_str_port(&c->path.remote, text));
}

static void conn_close(struct prog *p, struct tcp_conn *c, const char *why)
{
	struct tcp_conn **at = &p->conns;

	log_info("TCP connection closed: %s", why);
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	close(c->fd);
	free(c);
}

/* RST instead of FIN, as from a middlebox that forgot the connection. */
void tcp_cut(struct prog *p)
{
	const struct linger now = {.l_onoff = 1};

	while (p->conns != NULL) {
		(void)setsockopt(p->conns->fd, SOL_SOCKET, SO_LINGER, &now,
				 sizeof(now));
		conn_close(p, p->conns, "cut");
	}
}

/* --- out ------------------------------------------------------------------ */

static void conn_flush(struct prog *p, struct tcp_conn *c)
{
	ssize_t n = send(c->fd, c->out, c->out_len, MSG_NOSIGNAL);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		conn_close(p, c, strerror(errno));
	} else if (n > 0) {
		c->out_len -= (size_t)n;
		memmove(c->out, c->out + n, c->out_len);
	}
}

/* It leaves at the end of the turn; one that finds no room is lost. */
static void record_put(struct tcp_conn *c, struct bytes msg)
{
	uint8_t *at = c->out + c->out_len;

	if (c->out_len + 2 + msg.len > OUT_LEN || msg.len > RECORD_MAX - 2)
		return;
	at[0] = (uint8_t)((msg.len + 2) >> 8);
	at[1] = (uint8_t)(msg.len + 2);
	memcpy(at + 2, msg.p, msg.len);
	c->out_len += 2 + msg.len;
}

bool tcp_send(struct prog *p, const struct gw_path *path,
	      const struct pktio_run *runs, size_t n)
{
	struct tcp_conn *c = p->conns;
	size_t len;

	while (c != NULL && !(addr_eq(&c->path.remote, &path->remote) &&
			      addr_eq(&c->path.local, &path->local)))
		c = c->next;
	if (c == NULL)
		return false;
	for (const struct pktio_run *r = runs; r < runs + n; r++)
		for (size_t at = 0; at < r->len; at += len) {
			len = r->len - at < r->stride ? r->len - at : r->stride;
			record_put(c, bytes(r->p + at, len));
		}
	return true;
}

/* --- in ------------------------------------------------------------------- */

/* One record from `at` on; false: none, or (*out_why) not such a stream. */
static bool record_next(const struct tcp_conn *c, size_t at,
			struct bytes *out_msg, const char **out_why)
{
	size_t len;

	if (c->in_len - at < 2)
		return false;
	len = (size_t)c->in[at] << 8 | c->in[at + 1];
	if (len < 2) {
		*out_why = "length below 2";
		return false;
	}
	*out_msg = bytes(c->in + at + 2, len - 2);
	return c->in_len - at >= len;
}

static void conn_parse(struct prog *p, struct tcp_conn *c, const char **out_why)
{
	struct prog_socket as = {.natt = true};
	struct bytes msg;
	size_t at = 0;

	if (!c->begun) {
		if (c->in_len < PREFIX_LEN)
			return;
		if (memcmp(c->in, prefix, PREFIX_LEN) != 0) {
			*out_why = "no prefix";
			return;
		}
		c->begun = true;
		at = PREFIX_LEN;
	}
	while (record_next(c, at, &msg, out_why)) {
		prog_message_in(p, &as, &c->path, msg);
		at += 2 + msg.len;
	}
	prog_messages_done(p, &c->path);
	c->in_len -= at;
	memmove(c->in, c->in + at, c->in_len);
}

static void conn_read(struct prog *p, struct tcp_conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->in_len, IN_LEN - c->in_len, 0);
	const char *why = NULL;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_close(p, c, n == 0 ? "by the client" : strerror(errno));
		return;
	}
	c->in_len += (size_t)n;
	conn_parse(p, c, &why);
	if (why != NULL)
		conn_close(p, c, why);
}

size_t tcp_poll_fill(const struct prog *p, struct pollfd *fds)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n_tcp; i++)
		fds[n++] = (struct pollfd){p->tcp[i].fd, POLLIN, 0};
	for (struct tcp_conn *c = p->conns; c && n < PROG_TCP_POLL_MAX;
	     c = c->next)
		fds[n++] = (struct pollfd){
			c->fd, c->out_len ? POLLIN | POLLOUT : POLLIN, 0};
	return n;
}

/* A connection may go while another is served: each is looked up. */
static struct tcp_conn *conn_of(struct prog *p, int fd)
{
	struct tcp_conn *c = p->conns;

	while (c != NULL && c->fd != fd)
		c = c->next;
	return c;
}

void tcp_serve(struct prog *p, const struct pollfd *fds, size_t n)
{
	for (size_t i = p->n_tcp; i < n; i++) {
		struct tcp_conn *c = conn_of(p, fds[i].fd);

		if (c != NULL && (fds[i].revents & ~POLLOUT))
			conn_read(p, c);
	}
	for (size_t i = 0; i < p->n_tcp; i++)
		if (fds[i].revents)
			tcp_accept(p, &p->tcp[i]);
}

void tcp_flush_all(struct prog *p)
{
	struct tcp_conn *next;

	for (struct tcp_conn *c = p->conns; c != NULL; c = next) {
		next = c->next;
		if (c->out_len > 0)
			conn_flush(p, c);
	}
}
