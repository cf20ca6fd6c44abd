/* doctor: the gateway's name, and the way there. */
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/cli/doctor.h"
#include "client/run/resolve.h"
#include "client/run/udp.h"

#define NAME_TIMEOUT_MS 15000
#define TCP_TIMEOUT_MS	3000

/* --- the name ------------------------------------------------------------- */

static enum err name_resolve(struct doctor *d, struct diag *diag)
{
	struct resolver *r;
	struct pollfd p = {.events = POLLIN};
	enum err e = resolver_ask(d->profile.gateway, &r, diag);

	if (e)
		return e;
	p.fd = resolver_fd(r);
	if (poll(&p, 1, NAME_TIMEOUT_MS) > 0)
		return resolver_take(&r, d->addrs, DOCTOR_ADDRS_MAX,
				     &d->n_addrs, diag);
	resolver_cancel(&r);
	return diag_set(diag, ERR_NAME, "%s: no answer from a name server",
			d->profile.gateway);
}

void doctor_check_name(struct doctor *d)
{
	struct finding f = {.check = "name"};
	struct diag diag = DIAG_INIT;
	char all[400] = "", one[ADDR_STR_MAX];

	if (addr_parse(d->profile.gateway, &d->addrs[0]) == OK) {
		d->n_addrs = 1;
		doctor_say(d, &f, "none to look up: %s", d->profile.gateway);
		return;
	}
	f.why = name_resolve(d, &diag);
	for (size_t i = 0; i < d->n_addrs; i++) {
		size_t used = strlen(all);

		snprintf(all + used, sizeof(all) - used, "%s%s",
			 used ? ", " : "", addr_str(&d->addrs[i], one));
	}
	if (d->n_addrs > 0) {
		doctor_say(d, &f, "%s is %s", d->profile.gateway, all);
		return;
	}
	f.verdict = VERDICT_BAD;
	snprintf(f.fix, sizeof(f.fix),
		 "is [gateway] address spelled right? Is there a network, and "
		 "a nameserver in /etc/resolv.conf? Try getent hosts %.100s",
		 d->profile.gateway);
	doctor_say(d, &f, "%s", diag_text(&diag, f.why));
}

/* --- TCP ------------------------------------------------------------------ */

/* 0, or an errno. */
static int tcp_try(const struct addr *a, uint16_t port)
{
	int fd = socket(a->family == ADDR_V4 ? AF_INET : AF_INET6,
			SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct pollfd p = {.fd = fd, .events = POLLOUT};
	socklen_t len = sizeof(int);
	struct addr to = *a;
	struct ike_path path;
	int why = ETIMEDOUT;

	if (fd < 0)
		return errno;
	to.port = port;
	if (udp_connect(fd, &to, &path, NULL))
		why = errno;
	else if (poll(&p, 1, TCP_TIMEOUT_MS) > 0)
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &why, &len);
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
