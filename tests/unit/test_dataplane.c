/* The client's data plane, both ends of a tunnel in one process: UDP over
 * loopback, socket pairs in place of the interfaces. No sleeps: what must not
 * come is outrun by what must. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/crypto/esp_cipher.h"
#include "client/esp/inet.h"
#include "client/run/dataplane.h"
#include "platform/os.h"

#define WAIT_MS	 5000
#define REKEYS	 1000
#define FLOOD	 1000000
#define SPI_BASE 0x1000

struct end {
	struct dataplane *d;
	int tun; /* the far side of its interface */
	int tun_fd, udp_fd;
};

static struct end a, b;
static struct cipher_algs algs = {ENCR_AES_GCM_16, 256, INTEG_NONE};

/* --- two ends ------------------------------------------------------------ */

static void networks_set(struct dataplane *d)
{
	struct prefix p;
	static struct ike_ts_list list;

	list.n = 2;
	assert_int_equal(prefix_parse("10.0.0.0/8", &p), OK);
	ike_ts_from_prefix(&p, &list.ts[0]);
	assert_int_equal(prefix_parse("fd00::/8", &p), OK);
	ike_ts_from_prefix(&p, &list.ts[1]);
	dataplane_set_networks(d, &list, &list);
}

static void end_open(struct end *e)
{
	const int room = 1 << 22;
	struct sockaddr_in at = {.sin_family = AF_INET};
	int fds[2];

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(dataplane_new(&e->d), OK);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	e->tun = fds[0];
	e->tun_fd = fds[1];
	for (int i = 0; i < 2; i++)
		setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	dataplane_set_tun(e->d, e->tun_fd);
	networks_set(e->d);
	e->udp_fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(e->udp_fd >= 0);
	assert_int_equal(bind(e->udp_fd, (struct sockaddr *)&at, sizeof(at)),
			 0);
	setsockopt(e->udp_fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
}

static void udp_join(int from, int to)
{
	struct sockaddr_in at;
	socklen_t len = sizeof(at);

	assert_int_equal(getsockname(to, (struct sockaddr *)&at, &len), 0);
	assert_int_equal(connect(from, (struct sockaddr *)&at, len), 0);
}

static void secret_fill(struct secret *s, size_t len, uint32_t seed)
{
	s->len = len;
	for (size_t i = 0; i < len; i++)
		s->b[i] = (uint8_t)(seed * 31 + i);
}

/* Child SA number n as an end has it; the other has it the other way. */
static struct ike_child_sa child(bool end_a, uint32_t n, bool by_peer)
{
	struct ike_child_sa c = {
		.suite.cipher = algs, .suite.esn = true, .by_peer = by_peer};
	size_t encr, integ;

	assert_int_equal(cipher_key_lens(&algs, &encr, &integ), OK);
	c.spi_in = SPI_BASE + n * 2 + end_a;
	c.spi_out = SPI_BASE + n * 2 + !end_a;
	secret_fill(&c.encr_in, encr, c.spi_in);
	secret_fill(&c.encr_out, encr, c.spi_out);
	secret_fill(&c.integ_in, integ, c.spi_in);
	secret_fill(&c.integ_out, integ, c.spi_out);
	return c;
}

static void child_add(struct end *e, uint32_t n, bool by_peer)
{
	struct ike_child_sa c = child(e == &a, n, by_peer);

	assert_int_equal(dataplane_add(e->d, &c), OK);
}

static void child_del(struct end *e, uint32_t n)
{
	dataplane_del(e->d, child(e == &a, n, false).spi_in);
}

static int set_up(void **state)
{
	end_open(&a);
	end_open(&b);
	udp_join(a.udp_fd, b.udp_fd);
	udp_join(b.udp_fd, a.udp_fd);
	child_add(&a, 0, false);
	child_add(&b, 0, false);
	assert_int_equal(dataplane_start(a.d, a.udp_fd), OK);
	assert_int_equal(dataplane_start(b.d, b.udp_fd), OK);
	return 0;
}

static int tear_down(void **state)
{
	struct end *ends[2] = {&a, &b};

	for (int i = 0; i < 2; i++) {
		dataplane_free(&ends[i]->d);
		close(ends[i]->tun);
		close(ends[i]->tun_fd);
		close(ends[i]->udp_fd);
	}
	return 0;
}

/* --- packets ------------------------------------------------------------- */

/* A UDP packet with n as its content. */
static size_t packet(uint8_t *p, const char *src, uint32_t n, size_t len)
{
	memset(p, 0, len);
	p[0] = 0x45;
	p[8] = 64;
	p[9] = INET_UDP;
	inet_pton(AF_INET, src, p + 12);
	memcpy(p + 16, "\x0a\x09\x00\x02", 4);
	inet_set_len(p, len);
	inet_put16(p + 20, 4000);
	inet_put16(p + 22, 4001);
	inet_put16(p + 24, (uint16_t)(len - 20));
	memcpy(p + 28, &n, sizeof(n));
	return len;
}

static void wait_for(int fd, short events)
{
	struct pollfd p = {.fd = fd, .events = events};

	assert_int_equal(poll(&p, 1, WAIT_MS), 1);
}

static void put_packet(int tun, const uint8_t *p, size_t len)
{
	while (write(tun, p, len) < 0)
		wait_for(tun, POLLOUT);
}

static void put(int tun, uint32_t n, size_t len)
{
	uint8_t p[2000];

	packet(p, "10.1.0.2", n, len);
	put_packet(tun, p, len);
}

static size_t get(int tun, uint8_t *p, size_t cap)
{
	ssize_t n;

	wait_for(tun, POLLIN);
	n = read(tun, p, cap);
	assert_true(n > 0);
	return (size_t)n;
}

static uint32_t get_number(int tun, size_t len)
{
	uint8_t p[2000];
	uint32_t n;

	assert_int_equal(get(tun, p, sizeof(p)), len);
	memcpy(&n, p + 28, sizeof(n));
	return n;
}

static struct dataplane_counters counters(struct end *e)
{
	struct dataplane_counters c;

	dataplane_counters(e->d, &c);
	return c;
}

/* --- tests --------------------------------------------------------------- */

static void packets_cross_both_ways_whole(void **state)
{
	uint8_t sent[1400], got[2000];

	for (size_t len = 60; len <= 1400; len += 67) {
		put(a.tun, 7, len);
		packet(sent, "10.1.0.2", 7, len);
		assert_int_equal(get(b.tun, got, sizeof(got)), len);
		assert_memory_equal(got, sent, len);
		put(b.tun, 8, len);
		assert_int_equal(get_number(a.tun, len), 8);
	}
	assert_int_equal(counters(&a).packets_out, counters(&b).packets_in);
	assert_int_equal(counters(&a).octets_out, counters(&b).octets_in);
	assert_int_equal(counters(&b).dropped_in, 0);
}

static void every_suite_crosses(void **state)
{
	static const struct cipher_algs suites[] = {
		{ENCR_AES_GCM_16, 128, INTEG_NONE},
		{ENCR_CHACHA20_POLY1305, 0, INTEG_NONE},
		{ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128},
		{ENCR_AES_CBC, 256, INTEG_HMAC_SHA2_512_256}};
	const struct cipher_algs before = algs;

	for (uint32_t i = 0; i < 4; i++) {
		algs = suites[i];
		child_add(&b, i + 1, false);
		child_add(&a, i + 1, false);
		for (uint32_t n = 0; n < 200; n++) {
			put(a.tun, n, 100 + n * 6);
			if (n >= 30)
				assert_int_equal(
					get_number(b.tun, 100 + (n - 30) * 6),
					n - 30);
		}
		for (uint32_t n = 170; n < 200; n++)
			assert_int_equal(get_number(b.tun, 100 + n * 6), n);
	}
	algs = before;
	assert_int_equal(counters(&b).dropped_in, 0);
}

/* What a connection's first packet says is the longest segment, after it went
 * from a to b. */
static unsigned mss_after(unsigned mss)
{
	uint8_t p[2000];
	const size_t len = 44;

	packet(p, "10.1.0.2", 0, len);
	p[9] = INET_TCP;
	memset(p + 20, 0, 20);
	p[32] = 6 << 4;
	p[33] = TCP_SYN;
	memcpy(p + 40, "\x02\x04", 2);
	inet_put16(p + 42, (uint16_t)mss);
	put_packet(a.tun, p, len);
	assert_int_equal(get(b.tun, p, sizeof(p)), len);
	return inet_get16(p + 42);
}

static void tcp_begins_short_until_the_path_is_known(void **state)
{
	assert_int_equal(mss_after(1360), 1112);
	assert_int_equal(mss_after(1000), 1000);
	dataplane_be_careful(a.d, false);
	assert_int_equal(mss_after(1360), 1360);
	dataplane_be_careful(a.d, true);
	assert_int_equal(mss_after(1360), 1112);
}

static void what_was_not_agreed_on_stays_out(void **state)
{
	uint8_t p[200];

	packet(p, "192.168.7.7", 1, 100);
	assert_int_equal(write(a.tun, p, 100), 100);
	put(a.tun, 2, 100);
	assert_int_equal(get_number(b.tun, 100), 2);
	assert_int_equal(counters(&a).dropped_out, 1);
}

static void an_inner_packet_from_elsewhere_is_dropped(void **state)
{
	struct ike_child_sa c = child(true, 0, false);
	struct esp_params params = {.spi = c.spi_out,
				    .algs = algs,
				    .encr_key = c.encr_out,
				    .esn = true};
	uint8_t buf[400];
	struct esp_pkt pkt = {buf + ESP_HEADROOM, 0};
	struct esp_sa *sa;

	/* The gateway itself, or who has its keys, forges a source. */
	assert_int_equal(esp_sa_new(&params, &sa), OK);
	pkt.len = packet(pkt.p, "192.168.7.7", 1, 100);
	assert_int_equal(esp_seal(sa, ESP_NEXT_IPV4, &pkt), OK);
	assert_int_equal(send(a.udp_fd, pkt.p, pkt.len, 0), pkt.len);
	pkt = (struct esp_pkt){buf + ESP_HEADROOM, 0};
	pkt.len = packet(pkt.p, "10.7.7.7", 2, 100);
	assert_int_equal(esp_seal(sa, ESP_NEXT_IPV4, &pkt), OK);
	assert_int_equal(send(a.udp_fd, pkt.p, pkt.len, 0), pkt.len);
	assert_int_equal(get_number(b.tun, 100), 2);
	assert_int_equal(counters(&b).dropped_in, 1);
	esp_sa_free(&sa);
}

static void ike_messages_reach_the_loop_between_packets(void **state)
{
	static const uint8_t ike[] = {0, 0, 0, 0, 'i', 'k', 'e', '!'};
	uint8_t buf[100];
	size_t len;

	put(a.tun, 1, 100);
	assert_int_equal(send(a.udp_fd, ike, sizeof(ike), 0), sizeof(ike));
	assert_int_equal(send(a.udp_fd, "\xff", 1, 0), 1); /* a keepalive */
	wait_for(dataplane_ike_fd(b.d), POLLIN);
	assert_true(dataplane_next_ike(b.d, buf, sizeof(buf), &len));
	assert_int_equal(len, 4);
	assert_memory_equal(buf, "ike!", 4);
	assert_false(dataplane_next_ike(b.d, buf, sizeof(buf), &len));
	assert_int_equal(get_number(b.tun, 100), 1);
	assert_int_equal(counters(&b).dropped_in, 0);
}

static void the_loop_can_ask_when_somebody_was_heard(void **state)
{
	int64_t heard, spoke, now = os_now().boot_ms;

	dataplane_activity(b.d, &heard, &spoke);
	assert_int_equal(heard, 0);
	assert_int_equal(spoke, 0);
	put(a.tun, 1, 100);
	assert_int_equal(get_number(b.tun, 100), 1);
	put(b.tun, 2, 100);
	assert_int_equal(get_number(a.tun, 100), 2);
	dataplane_stop(b.d);
	dataplane_activity(b.d, &heard, &spoke);
	assert_in_range(heard, now, now + WAIT_MS);
	assert_in_range(spoke, now, now + WAIT_MS);
}

static void after_a_move_both_sockets_are_heard(void **state)
{
	struct sockaddr_in at = {.sin_family = AF_INET};
	int moved = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	int old = a.udp_fd;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(moved, (struct sockaddr *)&at, sizeof(at)), 0);
	udp_join(moved, b.udp_fd);
	dataplane_move(a.d, moved);
	/* The gateway does not know yet and sends to the old one. */
	put(b.tun, 1, 100);
	assert_int_equal(get_number(a.tun, 100), 1);
	udp_join(b.udp_fd, moved);
	put(b.tun, 2, 100);
	assert_int_equal(get_number(a.tun, 100), 2);
	put(a.tun, 3, 100);
	assert_int_equal(get_number(b.tun, 100), 3);
	dataplane_forget(a.d, old);
	close(old);
	put(b.tun, 4, 100);
	assert_int_equal(get_number(a.tun, 100), 4);
	a.udp_fd = moved;
}

static size_t threads(void)
{
	DIR *d = opendir("/proc/self/task");
	size_t n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n - 2; /* . and .. */
}

static void stop_leaves_no_thread_and_the_loop_goes_on_alone(void **state)
{
	struct ike_child_sa c = child(true, 0, false);
	size_t before = threads();
	uint8_t buf[2000];
	ssize_t n;

	dataplane_stop(b.d);
	dataplane_stop(a.d);
	assert_int_equal(threads(), before - 4);
	assert_int_equal(dataplane_start(a.d, a.udp_fd), OK);
	put(a.tun, 1, 100);
	wait_for(b.udp_fd, POLLIN);
	n = recv(b.udp_fd, buf, sizeof(buf), 0);
	assert_true(n > 100);
	assert_int_equal(esp_peek_spi(bytes(buf, (size_t)n)), c.spi_out);
	assert_true(dataplane_receive(b.d, buf, (size_t)n));
	assert_int_equal(get_number(b.tun, 100), 1);
	assert_false(dataplane_receive(b.d, buf, (size_t)n)); /* replayed */
}

struct sunk {
	size_t n;
	uint8_t last[2000];
	size_t last_len;
};

static void sink(void *ctx, struct bytes esp)
{
	struct sunk *s = ctx;

	s->n++;
	memcpy(s->last, esp.p, esp.len);
	s->last_len = esp.len;
}

static void a_sink_gets_each_packet(void **state)
{
	struct sunk s = {0};

	dataplane_stop(a.d);
	for (uint32_t i = 0; i < 5; i++)
		put(a.tun, i, 100);
	assert_true(dataplane_send(a.d, sink, &s));
	assert_int_equal(s.n, 5);
	assert_false(dataplane_send(a.d, sink, &s));
	dataplane_stop(b.d);
	assert_true(dataplane_receive(b.d, s.last, s.last_len));
	assert_int_equal(get_number(b.tun, 100), 4);
	put(a.tun, 9, 100);
	assert_false(dataplane_send(a.d, NULL, NULL));
}

/* --- rekeys -------------------------------------------------------------- */

/* Packets of both ways, all told apart; never more under way than the sockets
 * hold. */
struct load {
	uint32_t sent[2], got[2];
};

static void load_get(struct load *l, int way)
{
	assert_int_equal(get_number(way ? a.tun : b.tun, 200), l->got[way]);
	l->got[way]++;
}

static void load_run(struct load *l, uint32_t packets, uint32_t ahead)
{
	for (uint32_t i = 0; i < packets; i++)
		for (int way = 0; way < 2; way++) {
			put(way ? b.tun : a.tun, l->sent[way]++, 200);
			while (l->sent[way] - l->got[way] > ahead)
				load_get(l, way);
		}
}

/* One rekey: a answers, or asks. Load in each of its gaps, in the order in
 * which the messages of the exchange let the ends go on. */
static void rekey(struct load *l, uint32_t n, bool a_asks)
{
	struct end *asks = a_asks ? &a : &b, *answers = a_asks ? &b : &a;

	child_add(answers, n, true); /* has sent its answer */
	load_run(l, 3, 20);
	child_add(asks, n, false); /* has got it */
	load_run(l, 3, 20);
	/* Its Delete is behind its last packets on the old one, those of the
	 * other end may still come: it goes on hearing the old one. */
	while (l->got[a_asks ? 0 : 1] < l->sent[a_asks ? 0 : 1])
		load_get(l, a_asks ? 0 : 1);
	load_run(l, 3, 20);
	while (l->got[a_asks ? 1 : 0] < l->sent[a_asks ? 1 : 0])
		load_get(l, a_asks ? 1 : 0);
	child_del(answers, n - 1);
	load_run(l, 3, 20);
	child_del(asks, n - 1);
}

static void a_thousand_rekeys_under_load_lose_nothing(void **state)
{
	struct load l = {0};

	for (uint32_t n = 1; n <= REKEYS; n++)
		rekey(&l, n, n & 1);
	for (int way = 0; way < 2; way++)
		while (l.got[way] < l.sent[way])
			load_get(&l, way);
	assert_int_equal(l.sent[0], REKEYS * 12);
	assert_int_equal(counters(&a).dropped_in + counters(&b).dropped_in, 0);
	assert_int_equal(counters(&a).dropped_out + counters(&b).dropped_out,
			 0);
	assert_int_equal(counters(&a).packets_out, counters(&b).packets_in);
	assert_int_equal(counters(&b).packets_out, counters(&a).packets_in);
}

static void the_answering_end_waits_for_the_first_packet(void **state)
{
	uint8_t buf[2000];
	ssize_t n;

	dataplane_stop(b.d);
	child_add(&a, 1, true);
	put(a.tun, 1, 100);
	wait_for(b.udp_fd, POLLIN);
	n = recv(b.udp_fd, buf, sizeof(buf), 0);
	assert_int_equal(esp_peek_spi(bytes(buf, (size_t)n)), SPI_BASE);
	/* The asking end uses the new one. */
	child_add(&b, 1, false);
	assert_int_equal(dataplane_start(b.d, b.udp_fd), OK);
	put(b.tun, 2, 100);
	assert_int_equal(get_number(a.tun, 100), 2);
	dataplane_stop(b.d);
	put(a.tun, 3, 100);
	wait_for(b.udp_fd, POLLIN);
	n = recv(b.udp_fd, buf, sizeof(buf), 0);
	assert_int_equal(esp_peek_spi(bytes(buf, (size_t)n)), SPI_BASE + 2);
}

static void a_new_ike_sa_retires_the_old_ones_step_by_step(void **state)
{
	dataplane_retire(a.d);
	child_add(&b, 1, false);
	put(b.tun, 1, 100); /* on the new one: a does not have it yet */
	child_add(&a, 1, false);
	put(a.tun, 2, 100);
	assert_int_equal(get_number(b.tun, 100), 2);
	dataplane_retire(a.d);
	put(a.tun, 3, 100);
	assert_int_equal(get_number(b.tun, 100), 3);
	dataplane_clear(a.d);
	assert_false(dataplane_has_sa(a.d));
}

/* --- attacks ------------------------------------------------------------- */

/* Waits until b has worked off all that was sent to it. */
static void drained(void)
{
	static const uint8_t ike[] = {0, 0, 0, 0, 1};
	uint8_t buf[10];
	size_t len;

	assert_int_equal(send(a.udp_fd, ike, sizeof(ike), 0), sizeof(ike));
	wait_for(dataplane_ike_fd(b.d), POLLIN);
	assert_true(dataplane_next_ike(b.d, buf, sizeof(buf), &len));
}

/* Garbage of several kinds: an SPI that is known, one that is not, replayed
 * packets, truncated ones. All from the gateway's own address. */
static void a_flood_of_garbage_delivers_nothing(void **state)
{
	uint8_t real[2000], junk[1400];
	struct dataplane_counters before;
	struct rng rng = {{1}};
	size_t real_len;
	uint32_t asked = 0;
	ssize_t n;

	dataplane_stop(a.d);
	dataplane_stop(b.d);
	assert_int_equal(dataplane_start(a.d, a.udp_fd), OK);
	put(a.tun, 1, 1300);
	wait_for(b.udp_fd, POLLIN);
	n = recv(b.udp_fd, real, sizeof(real), 0);
	assert_true(n > 1300);
	real_len = (size_t)n;
	assert_int_equal(dataplane_start(b.d, b.udp_fd), OK);
	send(a.udp_fd, real, real_len, 0);
	assert_int_equal(get_number(b.tun, 1300), 1);
	before = counters(&b);
	for (uint32_t i = 0; i < FLOOD; i++) {
		size_t len = 5 + i % 1390;

		if (i % 16 == 0)
			rng_draw(&rng, junk, sizeof(junk));
		junk[0] |= 1; /* no IKE */
		if (i % 4 == 1)
			memcpy(junk, real, 4); /* the SPI */
		if (i % 4 == 2)
			send(a.udp_fd, real, real_len, 0);
		else if (i % 4 == 3)
			send(a.udp_fd, real, 5 + i % (real_len - 6), 0);
		else
			send(a.udp_fd, junk, len, 0);
		if (i % 50 == 49)
			drained();
		/* The real stream beside it. */
		if (i % 1000 == 7)
			put(a.tun, asked++, 500);
		if (i % 1000 == 999)
			assert_int_equal(get_number(b.tun, 500), asked - 1);
	}
	put(a.tun, asked, 500);
	assert_int_equal(get_number(b.tun, 500), asked);
	assert_int_equal(read(b.tun, junk, sizeof(junk)), -1);
	assert_int_equal(counters(&b).packets_in - before.packets_in,
			 asked + 1);
	assert_true(counters(&b).dropped_in > before.dropped_in);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(packets_cross_both_ways_whole),
		CASE(every_suite_crosses),
		CASE(tcp_begins_short_until_the_path_is_known),
		CASE(what_was_not_agreed_on_stays_out),
		CASE(an_inner_packet_from_elsewhere_is_dropped),
		CASE(ike_messages_reach_the_loop_between_packets),
		CASE(the_loop_can_ask_when_somebody_was_heard),
		CASE(after_a_move_both_sockets_are_heard),
		CASE(stop_leaves_no_thread_and_the_loop_goes_on_alone),
		CASE(a_sink_gets_each_packet),
		CASE(a_thousand_rekeys_under_load_lose_nothing),
		CASE(the_answering_end_waits_for_the_first_packet),
		CASE(a_new_ike_sa_retires_the_old_ones_step_by_step),
		CASE(a_flood_of_garbage_delivers_nothing),
	};

	if (crypto_open(NULL) != OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
