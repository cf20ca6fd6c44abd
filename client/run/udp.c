#include "client/run/udp.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "platform/base/log.h"
#include "platform/base/sockaddr.h"
#include "platform/os.h"

/* Of this host or link alone: ::1, fe80::/10. */
static bool is_near(const struct addr *a)
{
	static const uint8_t loopback[16] = {[15] = 1};

	if (a->family != ADDR_V6)
		return false;
	return memcmp(a->b, loopback, sizeof(loopback)) == 0 ||
	       (a->b[0] == 0xfe && (a->b[1] & 0xc0) == 0x80);
}

enum err udp_connect(int fd, const struct addr *remote, struct ike_path *out,
		     struct diag *diag)
{
	char text[ADDR_STR_MAX];
	union sock s;
	socklen_t len = sockaddr_from_addr(remote, &s);

	/* EINPROGRESS: TCP */
	if (connect(fd, &s.sa, len) < 0 && errno != EINPROGRESS)
		return diag_sys(diag, ERR_NO_ANSWER,
				"no route to the gateway %s: check the "
				"network connection",
				addr_str_port(remote, text));
	len = sizeof(s);
	if (getsockname(fd, &s.sa, &len) < 0)
		return diag_sys(diag, ERR_SYS, "getsockname");
	out->remote = *remote;
	out->mtu = os_path_mtu(fd);
	out->local = sockaddr_to_addr(&s.sa);
	/* A route is left but no address: no answer finds back. */
	if (is_near(&out->local) && !is_near(remote))
		return diag_set(diag, ERR_NO_ANSWER,
				"no address to reach the gateway %s from",
				addr_str_port(remote, text));
	return OK;
}

uint32_t udp_mark(int fd)
{
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);

	if (getsockopt(fd, SOL_SOCKET, SO_MARK, &mark, &len) < 0)
		return 0;
	return mark;
}

void udp_send_ike(int fd, struct bytes dgram)
{
	static const uint8_t marker[UDP_MARKER_LEN];
	struct iovec iov[2] = {
		{(void *)marker, sizeof(marker)},
		{(void *)dgram.p, dgram.len},
	};

	if (writev(fd, iov, 2) < 0)
		log_debug("udp: send: %s", strerror(errno));
}

void udp_send_raw(int fd, struct bytes dgram)
{
	if (send(fd, dgram.p, dgram.len, 0) < 0 && errno != EAGAIN)
		log_debug("udp: send: %s", strerror(errno));
}

enum wire_kind wire_kind_of(struct bytes msg, struct bytes *out)
{
	static const uint8_t marker[UDP_MARKER_LEN];

	*out = msg;
	/* An ESP packet is longer than its SPI, an IKE message than that. */
	if (msg.len <= UDP_MARKER_LEN)
		return WIRE_OTHER;
	if (memcmp(msg.p, marker, sizeof(marker)) != 0)
		return WIRE_ESP;
	*out = bytes(msg.p + UDP_MARKER_LEN, msg.len - UDP_MARKER_LEN);
	return WIRE_IKE;
}

enum wire_kind udp_receive(int fd, uint8_t *buf, size_t cap, struct bytes *out)
{
	ssize_t n = recv(fd, buf, cap, MSG_TRUNC);

	*out = BYTES_NONE;
	if (n < 0)
		/* A queued ICMP error is unprotected: a hint. */
		return errno == EAGAIN || errno == EINTR ? WIRE_NOTHING
							 : WIRE_BROKEN;
	if ((size_t)n > cap)
		return WIRE_OTHER;
	return wire_kind_of(bytes(buf, (size_t)n), out);
}
