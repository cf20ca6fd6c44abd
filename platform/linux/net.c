/* The client process's end of the helper: it asks, vpn-netd does. */
#include "config.h"

#include "platform/net.h"

#include "platform/base/log.h"
#include "platform/helper/proto.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define HELPER_NAME	"vpn-netd"
#define HELPER_SOCKET	RUNSTATEDIR "/vpn-netd.sock"
#define CALL_TIMEOUT_MS 10000

struct net {
	int fd;
	pid_t pid;		 /* of the helper we started, or 0 */
	unsigned owed;		 /* answers that are still to come */
	struct netd_request req; /* too large for the stack of a caller */
	struct net_link link;	 /* made by net_connect */
	bool link_waits;	 /* for net_open_link to take it */
};

/* Of sending: nobody may be there to empty a full queue. */
static int be_patient(int fd)
{
	const struct timeval patience = {.tv_sec = CALL_TIMEOUT_MS / 1000};

	return setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			  sizeof(patience));
}

static enum err net_new(int fd, pid_t pid, struct net **out)
{
	struct net *n = calloc(1, sizeof(*n));

	if (!n)
		return ERR_NO_MEMORY;
	n->fd = fd;
	n->pid = pid;
	*out = n;
	return OK;
}

/* --- starting ---------------------------------------------------- */

/* A program that was not installed runs the helper that lies beside it.
 * That gives nobody anything: who can put a file beside the program that
 * root just started could have changed that program. */
static enum err helper_path(char *out, size_t cap, struct diag *diag)
{
	ssize_t len = readlink("/proc/self/exe", out, cap - 1);
	char *slash;

	if (len > 0) {
		out[len] = '\0';
		slash = strrchr(out, '/');
		if ((size_t)(slash + 1 - out) + sizeof(HELPER_NAME) <= cap) {
			strcpy(slash + 1, HELPER_NAME);
			if (access(out, X_OK) == 0)
				return OK;
		}
	}
	snprintf(out, cap, "%s/%s", LIBEXECDIR, HELPER_NAME);
	if (access(out, X_OK) == 0)
		return OK;
	return diag_set(diag, ERR_NO_HELPER,
			"%s is missing: install vpn-connect completely", out);
}

/* After fork: only calls that are safe between fork and exec. */
static void helper_exec(const char *path, int sock)
{
	char *const argv[] = {(char *)(uintptr_t)HELPER_NAME, NULL};
	char *const envp[] = {
		(char *)(uintptr_t) "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL};
	sigset_t none;
	int null;

	sigemptyset(&none);
	for (int s = 1; s < NSIG; s++)
		if (s != SIGKILL && s != SIGSTOP)
			signal(s, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    (fcntl(2, F_GETFD) < 0 && dup2(null, 2) < 0) ||
	    (sock == NETD_FD ? fcntl(sock, F_SETFD, 0) : dup2(sock, NETD_FD)) <
		    0 ||
	    syscall(SYS_close_range, NETD_FD + 1, ~0u, 0) < 0 || chdir("/") < 0)
		_exit(126);
	execve(path, argv, envp);
	_exit(127);
}

enum err net_spawn(struct net **out, struct diag *diag)
{
	char path[512];
	int sv[2];
	pid_t pid;
	enum err e;

	*out = NULL;
	if (geteuid() != 0)
		return diag_set(diag, ERR_PERMISSION,
				"starting " HELPER_NAME
				" needs root: use sudo, or the service");
	e = helper_path(path, sizeof(path), diag);
	if (e)
		return e;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0 ||
	    be_patient(sv[0]) < 0)
		return diag_sys(diag, ERR_SYS, "socketpair");
	pid = fork();
	if (pid == 0)
		helper_exec(path, sv[1]);
	close(sv[1]);
	if (pid < 0) {
		e = diag_sys(diag, ERR_SYS, "fork");
		close(sv[0]);
		return e;
	}
	e = net_new(sv[0], pid, out);
	if (e)
		close(sv[0]);
	return e;
}

/* --- asking ------------------------------------------------------ */

static enum err net_send(struct net *n, struct diag *diag)
{
	uint8_t buf[NETD_REQUEST_MAX];
	struct wr w = wr_open(buf, sizeof(buf));
	enum err e = netd_write_request(&n->req, &w);
	ssize_t sent = -1;

	while (!e && sent < 0) {
		sent = send(n->fd, buf, wr_len(&w), MSG_NOSIGNAL);
		/* A helper that could not start has left its reason. */
		if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
			break;
		if (sent < 0 && errno != EINTR)
			e = diag_sys(diag, ERR_NO_HELPER,
				     HELPER_NAME " is gone");
	}
	mem_wipe(buf, wr_len(&w));
	return e;
}

static int fd_of_message(struct msghdr *msg)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(msg);
	int fd = -1;

	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS &&
	    c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* One message, and the descriptor that came with it or -1. 0 at EOF. */
static ssize_t net_receive(struct net *n, uint8_t *buf, size_t cap, int *out_fd)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec iov = {buf, cap};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = &control,
			     .msg_controllen = sizeof(control)};
	struct pollfd p = {.fd = n->fd, .events = POLLIN};
	ssize_t len;
	int ready, reset = 0;

	*out_fd = -1;
	do
		ready = poll(&p, 1, CALL_TIMEOUT_MS);
	while (ready < 0 && errno == EINTR);
	if (ready <= 0) {
		errno = ready == 0 ? ETIMEDOUT : errno;
		return -1;
	}
	/* The reset comes before what the helper had said until then. */
	do
		len = recvmsg(n->fd, &msg, MSG_CMSG_CLOEXEC);
	while (len < 0 &&
	       (errno == EINTR || (errno == ECONNRESET && !reset++)));
	if (len >= 0)
		*out_fd = fd_of_message(&msg);
	return len;
}

/* Throws one answer away. */
static ssize_t net_drop(struct net *n)
{
	uint8_t buf[NETD_REPLY_LEN];
	int fd;
	ssize_t len = net_receive(n, buf, sizeof(buf), &fd);

	if (fd >= 0)
		close(fd);
	if (len > 0 && n->owed > 0)
		n->owed--;
	return len;
}

/* The answer to what was asked last. Before it come those that were too late
 * for whoever had asked. */
static ssize_t net_answer(struct net *n, uint8_t *buf, size_t cap, int *out_fd)
{
	ssize_t len = 1;

	*out_fd = -1;
	while (n->owed > 1 && len > 0)
		len = net_drop(n);
	if (len > 0)
		len = net_receive(n, buf, cap, out_fd);
	if (len > 0)
		n->owed--;
	return len;
}

/* Sends n->req and waits for its reply. With out_fd the reply brings a
 * descriptor, except an OPEN with the kernel's plane. One that nobody waits
 * for is closed. */
static enum err net_call(struct net *n, struct netd_reply *reply, int *out_fd,
			 struct diag *diag)
{
	uint8_t buf[NETD_REPLY_LEN];
	ssize_t len;
	int fd = -1;
	enum err e = net_send(n, diag);

	if (e)
		return e;
	n->owed++;
	len = net_answer(n, buf, sizeof(buf), &fd);
	if (len < 0)
		return diag_sys(diag, ERR_NO_HELPER,
				HELPER_NAME " does not answer");
	if (len == 0)
		return diag_set(diag, ERR_NO_HELPER, HELPER_NAME " has ended%s",
				n->pid > 0 ? ""
					   : ": see journalctl -u vpn-netd@*");
	e = netd_read_reply(bytes(buf, (size_t)len), reply);
	if (!e && reply->verb != n->req.verb)
		e = ERR_MALFORMED;
	if (e)
		diag_set(diag, e, HELPER_NAME " is of another version");
	else if (reply->err)
		e = diag_set(diag, reply->err, "%s", reply->text);
	else if (out_fd && fd < 0 && reply->plane != NET_PLANE_KERNEL)
		e = diag_set(diag, ERR_INTERNAL, "no descriptor came");
	else if (reply->text[0])
		log_warn("%s", reply->text);
	if (fd >= 0 && (e || !out_fd))
		close(fd);
	else if (out_fd)
		*out_fd = fd;
	return e;
}

static enum err link_ask(struct net *n, enum net_plane plane,
			 struct net_link *out, struct diag *diag)
{
	struct netd_reply reply;
	enum err e;

	memset(out, 0, sizeof(*out));
	out->tun_fd = -1;
	n->req.verb = NETD_OPEN;
	n->req.plane = plane;
	e = net_call(n, &reply, &out->tun_fd, diag);
	if (e)
		return e;
	out->plane = reply.plane;
	memcpy(out->name, reply.name, sizeof(out->name));
	out->ifindex = (int)reply.ifindex;
	return OK;
}

static void link_drop(struct net *n)
{
	if (n->link_waits && n->link.tun_fd >= 0)
		close(n->link.tun_fd);
	n->link_waits = false;
}

enum err net_open_link(struct net *n, enum net_plane plane,
		       struct net_link *out, struct diag *diag)
{
	if (n->link_waits &&
	    (plane == NET_PLANE_AUTO || plane == n->link.plane)) {
		*out = n->link;
		n->link_waits = false;
		return OK;
	}
	link_drop(n);
	return link_ask(n, plane, out, diag);
}

/* What the socket's address says against us. */
static enum err connect_failed(struct diag *diag)
{
	if (errno == EACCES)
		return diag_sys(diag, ERR_PERMISSION, HELPER_SOCKET);
	return diag_sys(diag, ERR_NO_HELPER,
			HELPER_SOCKET ": sudo systemctl enable --now "
				      "vpn-netd.socket, or use sudo");
}

/* Who may not use the helper hears it now and not at the first packet: the
 * interface is asked for at once. */
enum err net_connect(enum net_plane plane, struct net **out, struct diag *diag)
{
	struct sockaddr_un sun = {.sun_family = AF_UNIX,
				  .sun_path = HELPER_SOCKET};
	enum err e;
	int fd;

	*out = NULL;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0 || be_patient(fd) < 0)
		return diag_sys(diag, ERR_SYS, "socket");
	e = connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0
		    ? connect_failed(diag)
		    : net_new(fd, 0, out);
	if (e) {
		close(fd);
		return e;
	}
	e = link_ask(*out, plane, &(*out)->link, diag);
	(*out)->link_waits = !e;
	if (e)
		net_close(out);
	return e;
}

static enum err open_socket(struct net *n, enum addr_family family, bool stream,
			    int *out_fd, struct diag *diag)
{
	struct netd_reply reply;

	*out_fd = -1;
	n->req.verb = NETD_UDP;
	n->req.family = family;
	n->req.stream = stream;
	return net_call(n, &reply, out_fd, diag);
}

enum err net_open_udp(struct net *n, enum addr_family family, int *out_fd,
		      struct diag *diag)
{
	return open_socket(n, family, false, out_fd, diag);
}

enum err net_open_tcp(struct net *n, enum addr_family family, int *out_fd,
		      struct diag *diag)
{
	return open_socket(n, family, true, out_fd, diag);
}

enum err net_configure(struct net *n, const struct net_conf *conf,
		       struct diag *diag)
{
	struct netd_reply reply;
	enum err e = netd_check_conf(conf, diag);

	if (e)
		return e;
	n->req.verb = NETD_CONF;
	n->req.conf = *conf;
	return net_call(n, &reply, NULL, diag);
}

enum err net_sa_add(struct net *n, const struct net_sa *sa, struct diag *diag)
{
	struct netd_reply reply;
	enum err e = netd_check_sa(sa, diag);

	if (e)
		return e;
	n->req.verb = NETD_SA_ADD;
	n->req.sa = *sa;
	e = net_call(n, &reply, NULL, diag);
	mem_wipe(&n->req.sa, sizeof(n->req.sa));
	return e;
}

enum err net_udp_takes_esp(int udp_fd, bool kernel, struct diag *diag)
{
	const int how = kernel ? UDP_ENCAP_ESPINUDP : 0, off = 0;

	/* Several datagrams in one would be one packet to the kernel's ESP. */
	if (kernel)
		(void)setsockopt(udp_fd, SOL_UDP, UDP_GRO, &off, sizeof(off));
	if (setsockopt(udp_fd, SOL_UDP, UDP_ENCAP, &how, sizeof(how)) < 0)
		return diag_sys(diag, ERR_UNSUPPORTED, "UDP_ENCAP");
	return OK;
}

enum err net_sa_delete(struct net *n, uint32_t spi_in, struct diag *diag)
{
	struct netd_reply reply;

	n->req.verb = NETD_SA_DEL;
	n->req.spi_in = spi_in;
	return net_call(n, &reply, NULL, diag);
}

enum err net_sa_move(struct net *n, const struct net_way *way,
		     struct diag *diag)
{
	struct netd_reply reply;
	enum err e = netd_check_way(way, diag);

	if (e)
		return e;
	n->req.verb = NETD_SA_MOVE;
	n->req.way = *way;
	return net_call(n, &reply, NULL, diag);
}

enum err net_stats(struct net *n, struct net_stats *out, struct diag *diag)
{
	struct netd_reply reply;
	enum err e;

	n->req.verb = NETD_STATS;
	e = net_call(n, &reply, NULL, diag);
	if (!e)
		*out = reply.stats;
	return e;
}

int net_fd(const struct net *n)
{
	return n->fd;
}

bool net_ended(struct net *n)
{
	return n->owed == 0 || net_drop(n) <= 0;
}

void net_close(struct net **n)
{
	ssize_t len;

	if (!*n)
		return;
	(*n)->req.verb = NETD_CLOSE;
	if (net_send(*n, NULL) == OK) {
		/* The helper's end closes last: EOF means all is undone. */
		do
			len = net_drop(*n);
		while (len > 0);
		if (len < 0 && errno == ETIMEDOUT)
			log_warn("%s does not end", HELPER_NAME);
	}
	link_drop(*n);
	close((*n)->fd);
	if ((*n)->pid > 0)
		while (waitpid((*n)->pid, NULL, 0) < 0 && errno == EINTR)
			;
	free(*n);
	*n = NULL;
}
