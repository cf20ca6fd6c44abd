/* Many packets a call, and every step of the way back to a packet a call:
 * UDP over loopback; interfaces, for root, in a network namespace of its
 * own. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/pktio.h"

#define STRIDE 1000
#define N      11
#define LAST   300
#define LEN    (STRIDE * (N - 1) + LAST)
#define GAP    24

struct wire {
	int fd[2];
	struct pktio_udp u[2];
	struct pktio_in *in;
};

static void wire_open(struct wire *w, bool v6)
{
	struct sockaddr_in6 at6 = {.sin6_family = AF_INET6,
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in at4 = {.sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr *at =
		v6 ? (struct sockaddr *)&at6 : (struct sockaddr *)&at4;
	socklen_t len = v6 ? sizeof(at6) : sizeof(at4);

	for (int i = 0; i < 2; i++) {
		w->fd[i] = socket(v6 ? AF_INET6 : AF_INET,
				  SOCK_DGRAM | SOCK_NONBLOCK, 0);
		if (v6)
			at6.sin6_port = 0;
		else
			at4.sin_port = 0;
		assert_int_equal(bind(w->fd[i], at, len), 0);
		assert_int_equal(getsockname(w->fd[i], at, &len), 0);
		if (i == 1)
			assert_int_equal(connect(w->fd[0], at, len), 0);
		pktio_udp_open(w->fd[i], &w->u[i]);
		assert_int_equal(w->u[i].v6, v6);
	}
	assert_int_equal(pktio_in_new(GAP, &w->in), OK);
}

static void wire_close(struct wire *w)
{
	pktio_in_free(&w->in);
	close(w->fd[0]);
	close(w->fd[1]);
}

static void pattern(uint8_t *b)
{
	for (size_t i = 0; i < LEN; i++)
		b[i] = (uint8_t)(i / STRIDE * 16 + i);
}

/* Receives all N datagrams; returns in how many runs. */
static size_t take_all(struct wire *w, uint8_t ecn)
{
	static uint8_t want[LEN], got[LEN];
	struct pktio_run runs[PKTIO_RUNS_MAX];
	struct pollfd p = {.fd = w->fd[1], .events = POLLIN};
	size_t n = 0, len = 0;

	pattern(want);
	while (len < LEN) {
		size_t k;

		assert_int_equal(poll(&p, 1, 2000), 1);
		k = pktio_udp_receive(&w->u[1], w->in, runs);
		for (size_t i = 0; i < k; i++) {
			assert_int_equal(runs[i].ecn, ecn);
			assert_int_not_equal(runs[i].peer.port, 0);
			assert_true(len + runs[i].len <= LEN);
			assert_int_equal(runs[i].stride,
					 len + runs[i].len < LEN ||
							 runs[i].len > LAST
						 ? STRIDE
						 : LAST);
			memcpy(got + len, runs[i].p, runs[i].len);
			/* The gaps are ours to write to. */
			memset(runs[i].p - GAP, 1, GAP);
			memset(runs[i].p + runs[i].len, 1, GAP);
			len += runs[i].len;
		}
		n += k;
	}
	assert_memory_equal(got, want, LEN);
	return n;
}

static void runs_cross_with_and_without_each_offload(void **state)
{
	static uint8_t b[LEN];
	struct wire w;

	for (int kind = 0; kind < 8; kind++) {
		struct pktio_run run = {b, LEN, STRIDE, 2, {0}};
		size_t runs;

		wire_open(&w, kind & 4);
		if (!w.u[0].gso || !w.u[1].gro)
			skip(); /* a kernel before 5.0 */
		if (kind & 1)
			w.u[0].gso = false;
		if (kind & 2) {
			int fd = w.u[1].fd;

			pktio_udp_close(&w.u[1]);
			assert_int_equal(w.u[1].fd, -1);
			w.u[1] = (struct pktio_udp){.fd = fd, .v6 = kind & 4};
		}
		pattern(b);
		assert_int_equal(pktio_udp_send(&w.u[0], &run, 1), 0);
		runs = take_all(&w, 2);
		assert_int_equal(runs, kind & 3 ? N : 1);
		wire_close(&w);
	}
}

static void many_runs_of_many_sizes_keep_their_order(void **state)
{
	static uint8_t b[200][64];
	struct pktio_run runs[200], got[PKTIO_RUNS_MAX];
	size_t seen = 0, k;
	struct wire w;

	wire_open(&w, false);
	for (size_t i = 0; i < 200; i++) {
		memset(b[i], (int)i, sizeof(b[i]));
		runs[i] = (struct pktio_run){
			b[i], 1 + i % 60, 1 + i % 60, 0, {0}};
	}
	assert_int_equal(pktio_udp_send(&w.u[0], runs, 200), 0);
	while ((k = pktio_udp_receive(&w.u[1], w.in, got)) > 0)
		for (size_t i = 0; i < k; i++, seen++) {
			assert_int_equal(got[i].len, 1 + seen % 60);
			assert_int_equal(got[i].p[0], (uint8_t)seen);
		}
	assert_int_equal(seen, 200);
	wire_close(&w);
}

/* UDP_SEGMENT without checksums is refused. */
static void what_gso_refuses_goes_datagram_by_datagram(void **state)
{
	static uint8_t b[LEN];
	struct pktio_run run = {b, LEN, STRIDE, 0, {0}};
	const int on = 1;
	struct wire w;

	wire_open(&w, false);
	assert_int_equal(
		setsockopt(w.fd[0], SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)),
		0);
	pattern(b);
	assert_int_equal(pktio_udp_send(&w.u[0], &run, 1), 0);
	assert_int_equal(take_all(&w, 0), N);
	wire_close(&w);
}

static void a_peer_that_is_gone_does_not_stop_the_rest(void **state)
{
	static uint8_t b[LEN];
	struct pktio_run run = {b, LEN, STRIDE, 0, {0}}, got[PKTIO_RUNS_MAX];
	struct wire w;

	wire_open(&w, false);
	close(w.fd[1]);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pktio_udp_send(&w.u[0], &run, 1), 0);
	assert_int_equal(pktio_udp_receive(&w.u[0], w.in, got), 0);
	assert_true(pktio_udp_mtu(&w.u[0]) >= 1280);
	pktio_in_free(&w.in);
	close(w.fd[0]);
}

/* --- interfaces ---------------------------------------------------------- */

static int tun_make(const char *name, short flags)
{
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK), s;
	struct sockaddr_in *at;
	struct ifreq ifr;

	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ifr.ifr_flags = (short)(IFF_TUN | IFF_NO_PI | flags);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr) < 0)
		return -1;
	s = socket(AF_INET, SOCK_DGRAM, 0);
	at = (struct sockaddr_in *)&ifr.ifr_addr;
	*at = (struct sockaddr_in){.sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x0a050001)};
	assert_int_equal(ioctl(s, SIOCSIFADDR, &ifr), 0);
	at->sin_addr.s_addr = htonl(0xffffff00);
	assert_int_equal(ioctl(s, SIOCSIFNETMASK, &ifr), 0);
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	assert_int_equal(ioctl(s, SIOCSIFFLAGS, &ifr), 0);
	close(s);
	return fd;
}

/* Sends N datagrams in one call into the interface's network, and counts the
 * packets that come out of it. */
static size_t packets_of_a_run(const struct pktio_tun *t, uint8_t *last_head)
{
	static uint8_t b[LEN], pkt[PKTIO_PKT_MAX];
	struct addr to = {.family = ADDR_V4, .port = 9, .b = {10, 5, 0, 2}};
	uint8_t head[PKTIO_HEAD_LEN];
	struct pktio_run run = {b, LEN, STRIDE, 0, to};
	struct pktio_udp u;
	size_t n = 0, octets = 0, len;

	pktio_udp_open(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), &u);
	assert_int_equal(pktio_udp_send(&u, &run, 1), 0);
	close(u.fd);
	while ((len = pktio_tun_read(t, head, pkt, sizeof(pkt))) > 0) {
		if (pkt[0] >> 4 != 4)
			continue; /* of the kernel's own: multicast listeners */
		memcpy(last_head, head, sizeof(head));
		n++;
		octets += len - 28;
	}
	assert_int_equal(octets, LEN);
	return n;
}

static void need_namespace(void)
{
	static bool tried, there;

	if (!tried)
		there = geteuid() == 0 && unshare(CLONE_NEWNET) == 0 &&
			access("/dev/net/tun", R_OK | W_OK) == 0;
	tried = true;
	if (!there)
		skip();
}

static void an_interface_gives_large_packets_where_it_can(void **state)
{
	uint8_t head[PKTIO_HEAD_LEN];
	struct pktio_tun t;
	int fd;

	need_namespace();
	fd = tun_make("vio0", IFF_VNET_HDR);
	if (fd < 0)
		skip();
	pktio_tun_open(fd, &t);
	assert_true(t.vnet && t.tcp);
	if (t.udp) {
		assert_int_equal(packets_of_a_run(&t, head), 1);
		assert_int_equal(head[1], 5); /* UDP */
	}
	/* As a kernel before 6.2 would have it: no UDP. */
	assert_int_equal(
		ioctl(fd, TUNSETOFFLOAD,
		      (unsigned long)(TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6)),
		0);
	assert_int_equal(packets_of_a_run(&t, head), N);
	assert_int_equal(head[1], 0);
	assert_int_equal(head[0], 1); /* the checksum is left to us */
	assert_int_equal(ioctl(fd, TUNSETOFFLOAD, 0ul), 0);
	assert_int_equal(packets_of_a_run(&t, head), N);
	assert_int_equal(head[0], 0);
	close(fd);
}

static void an_interface_without_headers_gives_packets(void **state)
{
	static const uint8_t zeros[PKTIO_HEAD_LEN];
	uint8_t head[PKTIO_HEAD_LEN];
	struct pktio_tun t;
	int fd;

	need_namespace();
	fd = tun_make("vio1", 0);
	if (fd < 0)
		skip();
	pktio_tun_open(fd, &t);
	assert_false(t.vnet || t.tcp || t.udp);
	assert_int_equal(packets_of_a_run(&t, head), N);
	assert_memory_equal(head, zeros, sizeof(zeros));
	close(fd);
}

/* n datagrams of 64 octets in one packet. */
static bool write_udp(struct pktio_tun *t, size_t n)
{
	static uint8_t b[28 + 256 * 64];
	const uint16_t len = (uint16_t)(28 + n * 64);
	const uint16_t words[5] = {1 | 5 << 8, 28, 64, 20, 6};
	uint8_t head[PKTIO_HEAD_LEN];
	struct iovec parts[2] = {{head, sizeof(head)}, {b, len}};

	memcpy(head, words, sizeof(head));
	memcpy(b,
	       "\x45\0\0\0\0\0\x40\0\x40\x11\0\0\x0a\5\0\2\x0a\5\0\1"
	       "\0\7\0\7",
	       24);
	b[2] = (uint8_t)(len >> 8);
	b[3] = (uint8_t)len;
	b[24] = (uint8_t)((len - 20) >> 8);
	b[25] = (uint8_t)(len - 20);
	return pktio_tun_write(t, parts, 2);
}

/* Newer kernels take no more than 64 or 128. */
static void one_that_takes_fewer_in_one_is_not_asked_again(void **state)
{
	struct pktio_tun t;
	bool taken;
	int fd;

	need_namespace();
	fd = tun_make("vio2", IFF_VNET_HDR);
	if (fd < 0)
		skip();
	pktio_tun_open(fd, &t);
	if (!t.udp)
		skip();
	assert_true(write_udp(&t, 64));
	assert_true(t.udp);
	taken = write_udp(&t, 256);
	assert_int_equal(t.udp, taken);
	assert_true(t.tcp);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_cross_with_and_without_each_offload),
		cmocka_unit_test(many_runs_of_many_sizes_keep_their_order),
		cmocka_unit_test(what_gso_refuses_goes_datagram_by_datagram),
		cmocka_unit_test(a_peer_that_is_gone_does_not_stop_the_rest),
		cmocka_unit_test(an_interface_gives_large_packets_where_it_can),
		cmocka_unit_test(an_interface_without_headers_gives_packets),
		cmocka_unit_test(
			one_that_takes_fewer_in_one_is_not_asked_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
