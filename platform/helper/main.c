/* vpn-netd: the one privileged program. It serves one client over the
 * socket on descriptor 3 (from net_spawn, or from a socket unit with
 * Accept=yes), and takes everything back when that socket closes. With
 * --sweep it takes back what crashed ones left, and ends. */
#include "config.h"

#include "platform/helper/lease.h"
#include "platform/helper/peer.h"
#include "platform/helper/privilege.h"

#include "platform/base/log.h"
#include "platform/linux/dns.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

static volatile sig_atomic_t told_to_end;

static void on_signal(int number)
{
	told_to_end = 1;
}

static void on_log(enum log_level level, const char *text, void *ctx)
{
	dprintf(STDERR_FILENO, "vpn-netd: %s\n", text);
}

/* Only inside ppoll does a signal come through: no verb is ever cut off. */
static void signals_prepare(sigset_t *out_while_waiting)
{
	static const int ends[] = {SIGTERM, SIGINT, SIGHUP};
	struct sigaction sa;
	sigset_t blocked;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		sigaddset(&blocked, ends[i]);
		sigaction(ends[i], &sa, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, out_while_waiting);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		sigdelset(out_while_waiting, ends[i]);
	signal(SIGPIPE, SIG_IGN);
}

static bool is_our_socket(int fd)
{
	int domain = 0, type = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       domain == AF_UNIX && type == SOCK_SEQPACKET;
}

/* --- one request ------------------------------------------------- */

/* False: no client any more. */
static bool reply_send(const struct netd_reply *reply, int fd)
{
	uint8_t buf[NETD_REPLY_LEN];
	struct wr w = wr_open(buf, sizeof(buf));
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {buf, sizeof(buf)};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};

	if (netd_write_reply(reply, &w))
		return false;
	if (fd >= 0) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.head.cmsg_level = SOL_SOCKET;
		control.head.cmsg_type = SCM_RIGHTS;
		control.head.cmsg_len = CMSG_LEN(sizeof(fd));
		memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
	}
	return sendmsg(NETD_FD, &msg, MSG_NOSIGNAL) == (ssize_t)sizeof(buf);
}

/* Does it, and fills what the verb's reply holds; *out_fd is a descriptor to
 * hand over, or -1. */
static enum err request_do(struct lease *l, const struct netd_request *req,
			   struct netd_reply *reply, int *out_fd,
			   struct diag *diag)
{
	switch (req->verb) {
	case NETD_OPEN:
		return lease_open_link(l, req->plane, out_fd, diag);
	case NETD_UDP:
		return req->stream
			       ? lease_open_tcp(l, req->family, out_fd, diag)
			       : lease_open_udp(l, req->family, out_fd, diag);
	case NETD_CONF:
		return lease_configure(l, &req->conf, diag);
	case NETD_CLOSE:
		lease_end(l);
		return OK;
	case NETD_SA_ADD:
		return lease_sa_add(l, &req->sa, diag);
	case NETD_SA_MOVE:
		return lease_sa_move(l, &req->way, diag);
	case NETD_SA_DEL:
		return lease_sa_delete(l, req->spi_in, diag);
	case NETD_STATS:
		return lease_stats(l, &reply->stats, diag);
	}
	return ERR_UNSUPPORTED;
}

/* False when this was the last one. */
static bool request_answer(struct lease *l, struct bytes msg)
{
	static struct netd_request req; /* large, and may hold keys */
	struct netd_reply reply;
	struct diag diag = DIAG_INIT;
	int fd = -1;
	bool more;

	memset(&reply, 0, sizeof(reply));
	reply.err = netd_read_request(msg, &req, &diag);
	reply.verb = (uint8_t)req.verb;
	if (!reply.err)
		reply.err = request_do(l, &req, &reply, &fd, &diag);
	if (!reply.err && req.verb == NETD_OPEN) {
		reply.ifindex = (uint32_t)l->ifindex;
		reply.plane = l->plane;
		memcpy(reply.name, l->name, sizeof(reply.name));
	}
	snprintf(reply.text, sizeof(reply.text), "%.*s", NETD_TEXT_LEN - 1,
		 reply.err ? diag_text(&diag, reply.err) : diag.text);
	more = reply_send(&reply, fd) && (reply.err || req.verb != NETD_CLOSE);
	if (fd >= 0)
		close(fd);
	mem_wipe(&req, sizeof(req));
	return more;
}

/* --- the loop ---------------------------------------------------- */

/* False at the end of the lease, for whatever reason. */
static bool request_wait(struct lease *l, const sigset_t *while_waiting)
{
	/* One more than any request: a longer one shows. Descriptors that a
	 * client sends along are closed by the kernel: no room for them. */
	static uint8_t buf[NETD_REQUEST_MAX + 1];
	struct pollfd p = {.fd = NETD_FD, .events = POLLIN};
	ssize_t len;
	bool more;

	if (ppoll(&p, 1, NULL, while_waiting) < 0)
		return errno == EINTR && !told_to_end;
	len = recv(NETD_FD, buf, sizeof(buf), MSG_DONTWAIT);
	if (len < 0)
		return errno == EAGAIN || errno == EINTR;
	more = len > 0 && request_answer(l, bytes(buf, (size_t)len));
	mem_wipe(buf, (size_t)len);
	return more;
}

/* The client learns why at its first request. Who sends none does not keep
 * us. */
static void refuse(enum err e, const struct diag *diag)
{
	const struct timeval patience = {.tv_sec = 2};
	struct netd_reply reply;
	uint8_t buf[NETD_REQUEST_MAX];

	memset(&reply, 0, sizeof(reply));
	reply.err = e;
	snprintf(reply.text, sizeof(reply.text), "%.*s", NETD_TEXT_LEN - 1,
		 diag_text(diag, e));
	log_warn("%s", reply.text);
	setsockopt(NETD_FD, SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	if (recv(NETD_FD, buf, sizeof(buf), 0) >= NETD_HEAD_LEN) {
		reply.verb = buf[5];
		reply_send(&reply, -1);
	}
}

static enum err serve(uint32_t uid, const sigset_t *while_waiting,
		      struct diag *diag)
{
	static struct lease lease; /* large */
	enum err e = lease_start(&lease, uid, diag);

	while (!e && request_wait(&lease, while_waiting))
		;
	lease_end(&lease);
	return e;
}

/* After a crash, and at the system's start. */
static int sweep_alone(void)
{
	struct diag diag = DIAG_INIT;
	enum err e;

	dns_look_around();
	e = privilege_drop(&diag);
	if (!e)
		e = lease_sweep(&diag);
	if (e)
		log_error("%s", diag_text(&diag, e));
	return err_exit_code(e);
}

int main(int argc, char **argv)
{
	struct diag diag = DIAG_INIT;
	sigset_t while_waiting;
	uint32_t uid;
	enum err e;

	log_open(on_log, NULL, LOG_INFO);
	if (argc == 2 && strcmp(argv[1], "--sweep") == 0)
		return sweep_alone();
	if (argc != 1 || !is_our_socket(NETD_FD)) {
		log_error("started by vpn-connect or a socket unit only");
		return err_exit_code(ERR_USAGE);
	}
	umask(022);
	signals_prepare(&while_waiting);
	dns_look_around();
	e = privilege_drop(&diag);
	if (!e)
		e = peer_check(NETD_FD, &uid, &diag);
	if (!e)
		e = serve(uid, &while_waiting, &diag);
	if (e)
		refuse(e, &diag);
	return err_exit_code(e);
}
