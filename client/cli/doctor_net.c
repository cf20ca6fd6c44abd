/* doctor: the gateway's name, and the way there. */
#include "config.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/cli/doctor.h"

#define TCP_TIMEOUT_MS 3000

/* --- the name ------------------------------------------------------------- */

static enum err addr_take(const struct sockaddr *sa, struct addr *out)
{
	const struct sockaddr_in *v4 = (const void *)sa;
	const struct sockaddr_in6 *v6 = (const void *)sa;

	if (sa->sa_family == AF_INET)
		return addr_from_bytes(bytes(&v4->sin_addr, 4), 0, out);
	return addr_from_bytes(bytes(&v6->sin6_addr, 16), 0, out);
}

/* 0, or an EAI_ number. */
static int name_resolve(struct doctor *d)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct addrinfo *list = NULL;
	int why;

	if (addr_parse(d->profile.gateway, &d->addrs[0]) == OK) {
		d->n_addrs = 1;
		return 0;
	}
	why = getaddrinfo(d->profile.gateway, NULL, &hints, &list);
	for (struct addrinfo *a = list; a && d->n_addrs < DOCTOR_ADDRS_MAX;
	     a = a->ai_next)
		if (addr_take(a->ai_addr, &d->addrs[d->n_addrs]) == OK)
			d->n_addrs++;
	if (list)
		freeaddrinfo(list);
	return why;
}

void doctor_check_name(struct doctor *d)
{
	struct finding f = {.check = "name"};
	char all[400] = "", one[ADDR_STR_MAX];
	int why = name_resolve(d);

	if (addr_parse(d->profile.gateway, &d->addrs[0]) == OK) {
		doctor_say(d, &f, "none to look up: %s", d->profile.gateway);
		return;
	}
	if (d->n_addrs > 0) {
		for (size_t i = 0; i < d->n_addrs; i++) {
			size_t used = strlen(all);

			snprintf(all + used, sizeof(all) - used, "%s%s",
				 used ? ", " : "", addr_str(&d->addrs[i], one));
		}
		doctor_say(d, &f, "%s is %s", d->profile.gateway, all);
		return;
	}
	f.verdict = VERDICT_BAD;
	f.why = ERR_NAME;
	snprintf(f.fix, sizeof(f.fix),
		 why == EAI_NONAME
			 ? "is [gateway] address spelled right? Else: is this "
			   "network's name server told about it (getent hosts "
			   "%.100s)"
			 : "no name server answers: is there a network (ip "
			   "route), and a nameserver in /etc/resolv.conf? Try "
			   "getent hosts %.100s",
		 d->profile.gateway);
	doctor_say(d, &f, "%s: %s", d->profile.gateway, gai_strerror(why));
}

/* --- TCP ------------------------------------------------------------------ */

static socklen_t sockaddr_make(const struct addr *a, uint16_t port,
			       struct sockaddr_storage *out)
{
	struct sockaddr_in *v4 = (void *)out;
	struct sockaddr_in6 *v6 = (void *)out;

	memset(out, 0, sizeof(*out));
	if (a->family == ADDR_V4) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, a->b, 4);
		return sizeof(*v4);
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, a->b, 16);
	return sizeof(*v6);
}

/* 0, or an errno. */
static int tcp_try(const struct addr *a, uint16_t port)
{
	struct sockaddr_storage to;
	socklen_t len = sockaddr_make(a, port, &to);
	int fd = socket(to.ss_family,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t why_len = sizeof(int);
	int why = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, (struct sockaddr *)&to, len) < 0)
		why = errno;
	if (why == EINPROGRESS) {
		why = ETIMEDOUT;
		if (poll(&p, 1, TCP_TIMEOUT_MS) > 0)
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &why_len);
	}
	close(fd);
	return why;
}

void doctor_try_tcp(struct doctor *d)
{
	const struct profile *p = &d->profile;

	if (d->n_addrs == 0 || d->runs)
		return;
	for (size_t i = 0; i < p->n_tcp_ports && !d->tcp_port; i++) {
		d->tcp_errno = tcp_try(&d->addrs[0], p->tcp_ports[i]);
		if (!d->tcp_errno)
			d->tcp_port = p->tcp_ports[i];
	}
}

/* Only where UDP is blocked it matters. */
void doctor_check_tcp(struct doctor *d)
{
	struct finding f = {.check = "tcp"};

	if (d->n_addrs == 0 || d->runs) {
		f.verdict = VERDICT_SKIP;
		doctor_say(d, &f, "%s",
			   d->runs ? "not looked at beside the running tunnel"
				   : "no address");
	} else if (d->tcp_port) {
		doctor_say(d, &f, "port %u accepts connections", d->tcp_port);
	} else if (d->udp_good) {
		doctor_say(d, &f, "not offered (%s), and not needed here",
			   strerror(d->tcp_errno));
	} else {
		f.verdict = d->profile.transport == TRANSPORT_TCP
				    ? VERDICT_BAD
				    : VERDICT_NOTE;
		f.why = ERR_NO_ANSWER;
		snprintf(f.fix, sizeof(f.fix),
			 "for networks that block UDP the gateway can offer "
			 "TCP encapsulation (RFC 9329)");
		doctor_say(d, &f, "the gateway accepts no TCP: %s",
			   strerror(d->tcp_errno));
	}
}
