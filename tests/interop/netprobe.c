/* Drives net.h and os.h as a client does, by lines on standard input, for
 * tests/interop/netd. Started as root in a network namespace; it spawns
 * vpn-netd, drops to the user given as argument (default: the invoking one)
 * and answers each line with one line.
 *
 *   open                      link NAME IFINDEX
 *   udp 4|6                   udp MARK
 *   conf WORD...              ok: addr=P route=P dns=A domain=D mtu=N all lan
 *                             block
 *   raw HEX                   reply ERR TEXT (a message as it stands)
 *   send ADDR PORT            sent: a datagram from the last UDP socket
 *   recv                      got: a datagram at the last UDP socket
 *   tun                       packet OCTETS: one packet out of the tunnel
 *   close                     closed, and exits
 *   quit                      exits and leaves everything to the helper
 */
#include "config.h"

#include "platform/base/log.h"
#include "platform/helper/proto.h"
#include "platform/net.h"
#include "platform/pktio.h"
#include "platform/os.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct net *the_net;
static struct net_link the_link = {.tun_fd = -1};
static int the_udp = -1;

static void on_log(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "netprobe: %s\n", text);
}

static enum err do_socket(char *args, bool tcp, struct diag *diag)
{
	enum addr_family family = atoi(args) == 6 ? ADDR_V6 : ADDR_V4;
	uint32_t mark = 0;
	socklen_t len = sizeof(mark);
	enum err e;

	if (the_udp >= 0)
		close(the_udp);
	e = tcp ? net_open_tcp(the_net, family, &the_udp, diag)
		: net_open_udp(the_net, family, &the_udp, diag);
	if (e)
		return e;
	if (getsockopt(the_udp, SOL_SOCKET, SO_MARK, &mark, &len) < 0)
		return diag_sys(diag, ERR_SYS, "SO_MARK");
	printf("%s %#x\n", tcp ? "tcp" : "udp", mark);
	return OK;
}

static enum err conf_word(struct net_conf *c, const char *word)
{
	const char *value = strchr(word, '=');

	value = value ? value + 1 : "";
	if (strncmp(word, "addr=", 5) == 0)
		return prefix_parse(value, &c->addrs[c->n_addrs++]);
	if (strncmp(word, "route=", 6) == 0)
		return prefix_parse(value, &c->routes[c->n_routes++]);
	if (strncmp(word, "dns=", 4) == 0)
		return addr_parse(value, &c->dns[c->n_dns++]);
	if (strncmp(word, "domain=", 7) == 0)
		snprintf(c->domains[c->n_domains++], NET_DOMAIN_LEN, "%s",
			 value);
	else if (strncmp(word, "mtu=", 4) == 0)
		c->mtu = (uint16_t)atoi(value);
	else if (strcmp(word, "all") == 0)
		c->dns_all = true;
	else if (strcmp(word, "lan") == 0)
		c->allow_lan = true;
	else if (strcmp(word, "block") == 0)
		c->block_rest = true;
	else
		return ERR_USAGE;
	return OK;
}

static enum err do_conf(char *args, struct diag *diag)
{
	struct net_conf c;
	enum err e = OK;

	memset(&c, 0, sizeof(c));
	c.mtu = 1400;
	for (char *w = strtok(args, " "); w && !e; w = strtok(NULL, " "))
		e = conf_word(&c, w);
	if (!e)
		e = net_configure(the_net, &c, diag);
	if (!e)
		printf("ok\n");
	return e;
}

static enum err do_raw(char *args, struct diag *diag)
{
	uint8_t msg[8192], buf[NETD_REPLY_LEN];
	struct netd_reply reply;
	size_t len = 0;
	unsigned octet;
	ssize_t got;
	enum err e;

	for (char *p = args; sscanf(p, "%2x", &octet) == 1 && len < sizeof(msg);
	     p += 2)
		msg[len++] = (uint8_t)octet;
	if (send(net_fd(the_net), msg, len, MSG_NOSIGNAL) < 0)
		return diag_sys(diag, ERR_IO, "send");
	got = recv(net_fd(the_net), buf, sizeof(buf), 0);
	if (got <= 0)
		return diag_sys(diag, ERR_IO, "recv");
	e = netd_read_reply(bytes(buf, (size_t)got), &reply);
	if (!e)
		printf("reply %s %s\n", err_name(reply.err), reply.text);
	return e;
}

static enum err do_send(char *args, struct diag *diag)
{
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct addr a;
	char host[64];
	unsigned port;

	if (sscanf(args, "%63s %u", host, &port) != 2 || addr_parse(host, &a))
		return ERR_USAGE;
	to.sin_port = htons((uint16_t)port);
	memcpy(&to.sin_addr, a.b, 4);
	if (sendto(the_udp, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)) <
	    0)
		return diag_sys(diag, ERR_IO, "sendto");
	printf("sent\n");
	return OK;
}

/* head_len: octets before the packet that are not counted. */
static enum err do_read(int fd, size_t head_len, const char *word,
			struct diag *diag)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t buf[2048];
	ssize_t len;

	if (poll(&p, 1, 2000) <= 0)
		return diag_set(diag, ERR_NO_ANSWER, "nothing came");
	len = read(fd, buf, sizeof(buf));
	printf("%s %zd\n", word, len - (ssize_t)head_len);
	return OK;
}

static enum err do_line(char *line, struct diag *diag)
{
	char *args = strchr(line, ' ');
	struct net_link link;
	enum err e;

	if (args)
		*args++ = '\0';
	else
		args = line + strlen(line);
	if (strcmp(line, "udp") == 0)
		return do_socket(args, false, diag);
	if (strcmp(line, "tcp") == 0)
		return do_socket(args, true, diag);
	if (strcmp(line, "conf") == 0)
		return do_conf(args, diag);
	if (strcmp(line, "raw") == 0)
		return do_raw(args, diag);
	if (strcmp(line, "send") == 0)
		return do_send(args, diag);
	if (strcmp(line, "recv") == 0)
		return do_read(the_udp, 0, "got", diag);
	if (strcmp(line, "tun") == 0)
		return do_read(the_link.tun_fd, PKTIO_HEAD_LEN, "packet", diag);
	if (strcmp(line, "quit") == 0)
		exit(0);
	if (strcmp(line, "close") == 0) {
		net_close(&the_net);
		printf("closed\n");
		exit(0);
	}
	if (strcmp(line, "open") != 0)
		return ERR_USAGE;
	e = net_open_link(the_net, NET_PLANE_USER, &link, diag);
	if (!e) {
		the_link = link;
		printf("link %s %d\n", link.name, link.ifindex);
	}
	return e;
}

int main(int argc, char **argv)
{
	struct os_user user;
	struct diag diag = DIAG_INIT;
	char line[16400];
	enum err e;

	log_open(on_log, NULL, LOG_WARN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	e = os_invoking_user(&user, &diag);
	if (!e && argc > 1)
		user.uid = user.gid = (unsigned)atoi(argv[1]);
	if (!e)
		e = net_spawn(&the_net, &diag);
	if (!e)
		e = os_drop_to(&user, &diag);
	if (e) {
		printf("error %s %s\n", err_name(e), diag_text(&diag, e));
		return 1;
	}
	while (fgets(line, sizeof(line), stdin)) {
		line[strcspn(line, "\n")] = '\0';
		diag_clear(&diag);
		e = the_net ? do_line(line, &diag) : ERR_STATE;
		if (e)
			printf("error %s %s\n", err_name(e),
			       diag_text(&diag, e));
	}
	net_close(&the_net);
	return 0;
}
