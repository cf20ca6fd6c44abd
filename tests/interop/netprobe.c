/* Drives net.h and os.h as a client does, by lines on standard input, for
 * tests/interop/netd. Started as root in a network namespace; it spawns
 * vpn-netd, drops to the user given as argument (default: the invoking one)
 * and answers each line with one line.
 *
 *   open [kernel|auto]        link NAME IFINDEX user|kernel
 *   udp 4|6                   udp MARK
 *   conf WORD...              ok: addr=P route=P dns=A domain=D mtu=N all lan
 *                             block
 *   raw HEX                   reply ERR TEXT (a message as it stands)
 *   send ADDR PORT            sent: a datagram from the last UDP socket
 *   recv                      got: a datagram at the last UDP socket
 *   tun                       packet OCTETS: one packet out of the tunnel
 *   takes PORT | gives        ok: the last UDP socket, bound, feeds the
 * kernel's ESP; or no longer sa WORD...                ok: in=SPI out=SPI
 * local=A remote=A ports=L:R encr=gcm|chacha|cbc integ=sha1|sha256|... esn
 * send; keys are made of the SPIs move WORD...              ok: local=A
 * remote=A ports=L:R del SPI                   ok stats stats in=N out=N
 * dropped=IN/OUT heard=S spoke=S close                     closed, and exits
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

/* --- the kernel's ESP ------------------------------------------------ */

static const struct {
	const char *name;
	enum net_encr encr;
	size_t key_len;
} encrs[] = {{"gcm", NET_ENCR_AES_GCM_16, 36},
	     {"gcm128", NET_ENCR_AES_GCM_16, 20},
	     {"chacha", NET_ENCR_CHACHA20_POLY1305, 36},
	     {"cbc", NET_ENCR_AES_CBC, 32}};

static const struct {
	const char *name;
	enum net_integ integ;
	size_t key_len;
} integs[] = {{"sha1", NET_INTEG_SHA1_96, 20},
	      {"sha256", NET_INTEG_SHA256_128, 32},
	      {"sha384", NET_INTEG_SHA384_192, 48},
	      {"sha512", NET_INTEG_SHA512_256, 64}};

/* Of the SPI, so that both ends have the same. */
static void key_make(struct secret *key, uint32_t spi, size_t len)
{
	for (size_t i = 0; i < len; i++)
		key->b[i] = (uint8_t)(spi * 7 + len + i * 13);
	key->len = len;
}

static enum err way_word(struct net_way *way, const char *word)
{
	const char *value = strchr(word, '=');
	uint16_t ports[2] = {way->local.port, way->remote.port};
	enum err e = OK;

	value = value ? value + 1 : "";
	if (strncmp(word, "local=", 6) == 0)
		e = addr_parse(value, &way->local);
	else if (strncmp(word, "remote=", 7) == 0)
		e = addr_parse(value, &way->remote);
	else if (sscanf(word, "ports=%hu:%hu", &ports[0], &ports[1]) != 2)
		e = ERR_USAGE;
	way->local.port = ports[0];
	way->remote.port = ports[1];
	return e;
}

static void encr_word(struct net_sa *sa, const char *name)
{
	for (size_t i = 0; i < sizeof(encrs) / sizeof(*encrs); i++) {
		if (strcmp(encrs[i].name, name) != 0)
			continue;
		sa->encr = encrs[i].encr;
		key_make(&sa->encr_in, sa->spi_in, encrs[i].key_len);
		key_make(&sa->encr_out, sa->spi_out, encrs[i].key_len);
	}
}

static void integ_word(struct net_sa *sa, const char *name)
{
	for (size_t i = 0; i < sizeof(integs) / sizeof(*integs); i++) {
		if (strcmp(integs[i].name, name) != 0)
			continue;
		sa->integ = integs[i].integ;
		key_make(&sa->integ_in, sa->spi_in, integs[i].key_len);
		key_make(&sa->integ_out, sa->spi_out, integs[i].key_len);
	}
}

static enum err sa_word(struct net_sa *sa, const char *word)
{
	const char *value = strchr(word, '=');

	value = value ? value + 1 : "";
	if (strncmp(word, "in=", 3) == 0)
		sa->spi_in = (uint32_t)atoi(value);
	else if (strncmp(word, "out=", 4) == 0)
		sa->spi_out = (uint32_t)atoi(value);
	else if (strncmp(word, "encr=", 5) == 0)
		encr_word(sa, value);
	else if (strncmp(word, "integ=", 6) == 0)
		integ_word(sa, value);
	else if (strcmp(word, "esn") == 0)
		sa->esn = true;
	else if (strcmp(word, "send") == 0)
		sa->send = true;
	else
		return way_word(&sa->way, word);
	return OK;
}

static enum err do_sa(char *args, struct diag *diag)
{
	static struct net_sa sa; /* stays: a test looks for it */
	enum err e = OK;

	memset(&sa, 0, sizeof(sa));
	for (char *w = strtok(args, " "); w && !e; w = strtok(NULL, " "))
		e = sa_word(&sa, w);
	if (!e)
		e = net_sa_add(the_net, &sa, diag);
	if (!e)
		printf("ok\n");
	return e;
}

static enum err do_move(char *args, struct diag *diag)
{
	struct net_way way;
	enum err e = OK;

	memset(&way, 0, sizeof(way));
	for (char *w = strtok(args, " "); w && !e; w = strtok(NULL, " "))
		e = way_word(&way, w);
	if (!e)
		e = net_sa_move(the_net, &way, diag);
	if (!e)
		printf("ok\n");
	return e;
}

static enum err do_delete(char *args, struct diag *diag)
{
	enum err e = net_sa_delete(the_net, (uint32_t)atoi(args), diag);

	if (!e)
		printf("ok\n");
	return e;
}

static enum err do_stats(char *args, struct diag *diag)
{
	struct net_stats s;
	enum err e = net_stats(the_net, &s, diag);

	if (!e)
		printf("stats in=%ju out=%ju dropped=%ju/%ju heard=%jd "
		       "spoke=%jd\n",
		       (uintmax_t)s.packets_in, (uintmax_t)s.packets_out,
		       (uintmax_t)s.dropped_in, (uintmax_t)s.dropped_out,
		       (intmax_t)s.heard_ago_s, (intmax_t)s.spoke_ago_s);
	return e;
}

static enum err do_takes(char *args, struct diag *diag)
{
	struct sockaddr_in6 any = {.sin6_family = AF_INET6};
	struct sockaddr_in any4 = {.sin_family = AF_INET};
	struct sockaddr *at = (struct sockaddr *)&any4;
	socklen_t len = sizeof(any4);
	int domain = 0;
	socklen_t domain_len = sizeof(domain);
	enum err e;

	getsockopt(the_udp, SOL_SOCKET, SO_DOMAIN, &domain, &domain_len);
	any.sin6_port = any4.sin_port = htons((uint16_t)atoi(args));
	if (domain == AF_INET6) {
		at = (struct sockaddr *)&any;
		len = sizeof(any);
	}
	if (bind(the_udp, at, len) < 0)
		return diag_sys(diag, ERR_SYS, "bind");
	e = net_udp_takes_esp(the_udp, true, diag);
	if (!e)
		printf("ok\n");
	return e;
}

static enum err do_gives(char *args, struct diag *diag)
{
	enum err e = net_udp_takes_esp(the_udp, false, diag);

	if (!e)
		printf("ok\n");
	return e;
}

static enum err do_open(char *args, struct diag *diag)
{
	enum net_plane plane = strcmp(args, "kernel") == 0 ? NET_PLANE_KERNEL
			       : strcmp(args, "auto") == 0 ? NET_PLANE_AUTO
							   : NET_PLANE_USER;
	struct net_link link;
	enum err e;

	if (the_link.tun_fd >= 0 && plane == NET_PLANE_KERNEL) {
		close(the_link.tun_fd);
		the_link.tun_fd = -1;
	}
	e = net_open_link(the_net, plane, &link, diag);
	if (e)
		return e;
	the_link = link;
	printf("link %s %d %s\n", link.name, link.ifindex,
	       link.plane == NET_PLANE_KERNEL ? "kernel" : "user");
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

static enum err do_udp(char *args, struct diag *diag)
{
	return do_socket(args, false, diag);
}

static enum err do_tcp(char *args, struct diag *diag)
{
	return do_socket(args, true, diag);
}

static enum err do_recv(char *args, struct diag *diag)
{
	return do_read(the_udp, 0, "got", diag);
}

static enum err do_tun(char *args, struct diag *diag)
{
	return do_read(the_link.tun_fd, PKTIO_HEAD_LEN, "packet", diag);
}

static enum err do_quit(char *args, struct diag *diag)
{
	exit(0);
}

static enum err do_close(char *args, struct diag *diag)
{
	net_close(&the_net);
	printf("closed\n");
	exit(0);
}

static enum err do_line(char *line, struct diag *diag)
{
	static const struct {
		const char *word;
		enum err (*act)(char *args, struct diag *diag);
	} verbs[] = {
		{"open", do_open},   {"udp", do_udp},	  {"tcp", do_tcp},
		{"conf", do_conf},   {"raw", do_raw},	  {"send", do_send},
		{"recv", do_recv},   {"tun", do_tun},	  {"takes", do_takes},
		{"gives", do_gives}, {"sa", do_sa},	  {"move", do_move},
		{"del", do_delete},  {"stats", do_stats}, {"close", do_close},
		{"quit", do_quit},
	};
	char *args = strchr(line, ' ');

	if (args)
		*args++ = '\0';
	else
		args = line + strlen(line);
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (strcmp(line, verbs[i].word) == 0)
			return verbs[i].act(args, diag);
	return ERR_USAGE;
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
