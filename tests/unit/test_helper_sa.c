/* What vpn-netd believes of a request about the kernel's ESP. The sender is
 * hostile. */
#include "tests/unit/helper_message.h"

#define SPIS_AT	 NETD_HEAD_LEN
#define WAY_AT	 (SPIS_AT + 8)
#define LOCAL_AT WAY_AT
#define PORT_AT	 (LOCAL_AT + NETD_ADDR_LEN)
#define ENCR_AT	 (WAY_AT + NETD_WAY_LEN)
#define FLAGS_AT (ENCR_AT + 2)
#define KEYS_AT	 (FLAGS_AT + 2)

static struct addr addr_of(const char *text, uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), OK);
	a.port = port;
	return a;
}

static void key_fill(struct secret *key, size_t len, uint8_t first)
{
	memset(key, 0, sizeof(*key));
	for (size_t i = 0; i < len; i++)
		key->b[i] = (uint8_t)(first + i);
	key->len = len;
}

static void keys_fill(struct net_sa *sa, size_t encr_len, size_t integ_len)
{
	key_fill(&sa->encr_in, encr_len, 1);
	key_fill(&sa->integ_in, integ_len, 2);
	key_fill(&sa->encr_out, encr_len, 3);
	key_fill(&sa->integ_out, integ_len, 4);
}

/* One that uses every field. */
static struct net_sa sa_make(void)
{
	struct net_sa sa;

	memset(&sa, 0, sizeof(sa));
	sa.spi_in = 0xc0ffee01;
	sa.spi_out = 256;
	sa.way.local = addr_of("192.0.2.1", 4500);
	sa.way.remote = addr_of("198.51.100.9", 4501);
	sa.encr = NET_ENCR_AES_CBC;
	sa.integ = NET_INTEG_SHA512_256;
	sa.esn = true;
	sa.send = true;
	keys_fill(&sa, 32, 64);
	return sa;
}

static struct message sa_message(void)
{
	struct netd_request req = {.verb = NETD_SA_ADD, .sa = sa_make()};

	return message_make(&req);
}

static void assert_every_other_length_refused(struct message m)
{
	size_t right = m.len;

	for (m.len = 0; m.len < right + 20; m.len++)
		if (m.len != right)
			assert_refused(&m);
}

static enum err sa_check(const struct net_sa *sa)
{
	struct diag diag = DIAG_INIT;
	enum err e = netd_check_sa(sa, &diag);

	assert_int_equal(e != OK, diag.text[0] != '\0');
	return e;
}

/* --- OPEN -------------------------------------------------------- */

static void open_asks_for_one_of_three_planes(void **state)
{
	struct netd_request req = {.verb = NETD_OPEN, .plane = NET_PLANE_USER};
	struct message m = message_make(&req);
	struct netd_request got;

	assert_int_equal(m.len, NETD_HEAD_LEN + 1);
	assert_every_other_length_refused(m);
	for (unsigned plane = 0; plane < 256; plane++) {
		m.b[NETD_HEAD_LEN] = (uint8_t)plane;
		if (plane < 1 || plane > 3) {
			assert_refused(&m);
			continue;
		}
		assert_int_equal(message_read(&m, &got), OK);
		assert_int_equal(got.plane, plane);
	}
}

static void the_reply_says_which_plane_it_is(void **state)
{
	struct netd_reply r = {.verb = NETD_OPEN, .plane = NET_PLANE_KERNEL};
	uint8_t buf[NETD_REPLY_LEN];
	struct wr w = wr_open(buf, sizeof(buf));
	struct netd_reply got;

	assert_int_equal(netd_write_reply(&r, &w), OK);
	assert_int_equal(netd_read_reply(BYTES_OF(buf), &got), OK);
	assert_int_equal(got.plane, NET_PLANE_KERNEL);
	for (unsigned plane = NET_PLANE_AUTO; plane < 256; plane++) {
		buf[NETD_HEAD_LEN + 8] = (uint8_t)plane;
		assert_int_equal(netd_read_reply(BYTES_OF(buf), &got),
				 ERR_MALFORMED);
	}
}

/* --- SA_ADD ------------------------------------------------------ */

static void an_sa_arrives_as_it_was_sent(void **state)
{
	struct message m = sa_message();
	struct net_sa sent = sa_make();
	struct netd_request got;

	assert_int_equal(m.b[5], 3);
	assert_int_equal(m.len, NETD_HEAD_LEN + NETD_SA_LEN);
	assert_int_equal(message_read(&m, &got), OK);
	assert_int_equal(got.verb, NETD_SA_ADD);
	assert_int_equal(got.sa.spi_in, sent.spi_in);
	assert_int_equal(got.sa.spi_out, sent.spi_out);
	assert_true(addr_eq(&got.sa.way.local, &sent.way.local));
	assert_true(addr_eq(&got.sa.way.remote, &sent.way.remote));
	assert_int_equal(got.sa.encr, sent.encr);
	assert_int_equal(got.sa.integ, sent.integ);
	assert_true(got.sa.esn);
	assert_true(got.sa.send);
	assert_true(secret_eq(&got.sa.encr_in, &sent.encr_in));
	assert_true(secret_eq(&got.sa.integ_in, &sent.integ_in));
	assert_true(secret_eq(&got.sa.encr_out, &sent.encr_out));
	assert_true(secret_eq(&got.sa.integ_out, &sent.integ_out));
}

static void an_sa_of_any_other_length_is_refused(void **state)
{
	assert_every_other_length_refused(sa_message());
}

static void reserved_spis_are_refused(void **state)
{
	for (size_t at = SPIS_AT; at < WAY_AT; at += 4) {
		struct message m = sa_message();

		memset(m.b + at, 0, 4);
		for (unsigned spi = 0; spi < 256; spi++) {
			m.b[at + 3] = (uint8_t)spi;
			assert_refused(&m);
		}
	}
}

static void flags_are_zero_or_one(void **state)
{
	struct netd_request got;

	for (size_t at = FLAGS_AT; at < KEYS_AT; at++) {
		struct message m = sa_message();

		m.b[at] = 0;
		assert_int_equal(message_read(&m, &got), OK);
		for (unsigned v = 2; v < 256; v++) {
			m.b[at] = (uint8_t)v;
			assert_refused(&m);
		}
	}
}

static void unknown_algorithms_are_refused(void **state)
{
	for (unsigned v = 0; v < 256; v++) {
		struct message m = sa_message();

		m.b[ENCR_AT] = (uint8_t)v;
		if (v != NET_ENCR_AES_CBC)
			assert_refused(&m);
		m = sa_message();
		m.b[ENCR_AT + 1] = (uint8_t)v;
		if (v != NET_INTEG_SHA512_256)
			assert_refused(&m);
	}
}

/* The lengths of RFC 4106, 7634, 3602; 2404, 4868. */
static void each_algorithm_has_its_keys(void **state)
{
	static const struct {
		enum net_encr encr;
		enum net_integ integ;
		size_t encr_len, integ_len;
	} good[] = {{NET_ENCR_AES_GCM_16, NET_INTEG_NONE, 20, 0},
		    {NET_ENCR_AES_GCM_16, NET_INTEG_NONE, 28, 0},
		    {NET_ENCR_AES_GCM_16, NET_INTEG_NONE, 36, 0},
		    {NET_ENCR_CHACHA20_POLY1305, NET_INTEG_NONE, 36, 0},
		    {NET_ENCR_AES_CBC, NET_INTEG_SHA1_96, 16, 20},
		    {NET_ENCR_AES_CBC, NET_INTEG_SHA256_128, 24, 32},
		    {NET_ENCR_AES_CBC, NET_INTEG_SHA384_192, 32, 48},
		    {NET_ENCR_AES_CBC, NET_INTEG_SHA512_256, 32, 64}};
	const size_t n_good = sizeof(good) / sizeof(*good);

	for (unsigned encr = 0; encr < 5; encr++) {
		for (unsigned integ = 0; integ < 6; integ++) {
			for (size_t len = 0; len < 80 * 80; len++) {
				struct net_sa sa = sa_make();
				bool want = false;

				sa.encr = (enum net_encr)encr;
				sa.integ = (enum net_integ)integ;
				keys_fill(&sa, len / 80, len % 80);
				for (size_t i = 0; i < n_good; i++)
					want |= good[i].encr == encr &&
						good[i].integ_len == len % 80 &&
						(good[i].encr_len == len / 80 ||
						 (encr == NET_ENCR_AES_CBC &&
						  (len / 80 == 16 ||
						   len / 80 == 24 ||
						   len / 80 == 32))) &&
						good[i].integ == integ;
				assert_int_equal(sa_check(&sa) == OK, want);
			}
		}
	}
}

static void both_directions_have_their_keys(void **state)
{
	struct net_sa good = sa_make(), sa;
	struct secret *keys[] = {&sa.encr_in, &sa.integ_in, &sa.encr_out,
				 &sa.integ_out};

	for (size_t i = 0; i < 4; i++) {
		sa = good;
		assert_int_equal(sa_check(&sa), OK);
		keys[i]->len--;
		assert_int_equal(sa_check(&sa), ERR_MALFORMED);
		keys[i]->len = 0;
		assert_int_equal(sa_check(&sa), ERR_MALFORMED);
	}
}

static void a_key_stays_in_its_room(void **state)
{
	static const size_t rooms[] = {NETD_ENCR_KEY_MAX, NETD_INTEG_KEY_MAX,
				       NETD_ENCR_KEY_MAX, NETD_INTEG_KEY_MAX};
	size_t at = KEYS_AT;

	for (size_t i = 0; i < 4; i++) {
		struct message m = sa_message();

		for (size_t len = rooms[i] + 1; len < 256; len++) {
			m.b[at] = (uint8_t)len;
			assert_refused(&m);
		}
		at += 1 + rooms[i];
	}
	/* AES-256-CBC leaves the room of the salt: it must be zero. */
	for (size_t i = 32; i < NETD_ENCR_KEY_MAX; i++) {
		struct message m = sa_message();

		m.b[KEYS_AT + 1 + i] = 1;
		assert_refused(&m);
	}
}

/* --- the way ----------------------------------------------------- */

static enum err way_check(const char *local, uint16_t local_port,
			  const char *remote, uint16_t remote_port)
{
	const struct net_way way = {addr_of(local, local_port),
				    addr_of(remote, remote_port)};
	struct diag diag = DIAG_INIT;
	enum err e = netd_check_way(&way, &diag);

	assert_int_equal(e != OK, diag.text[0] != '\0');
	return e;
}

static void a_way_leads_from_host_to_host(void **state)
{
	static const char *const good[] = {"192.0.2.1", "10.0.0.1", "1.1.1.1"};
	static const char *const bad[] = {
		"0.0.0.0", "127.0.0.1",	 "224.0.0.1", "255.255.255.255",
		"::",	   "::1",	 "ff02::1",   "::ffff:192.0.2.1",
		"0.1.2.3", "2001:db8::1" /* of the other family */};

	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		assert_int_equal(way_check(good[i], 0, "192.0.2.9", 0), OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(way_check(bad[i], 0, "192.0.2.9", 0),
				 ERR_MALFORMED);
		assert_int_equal(way_check("192.0.2.9", 0, bad[i], 0),
				 ERR_MALFORMED);
	}
	assert_int_equal(way_check("2001:db8::1", 0, "2001:db8::2", 0), OK);
	assert_int_equal(way_check("::1", 0, "::1", 0), ERR_MALFORMED);
}

static void a_way_has_both_ports_or_none(void **state)
{
	assert_int_equal(way_check("192.0.2.1", 0, "192.0.2.9", 0), OK);
	assert_int_equal(way_check("192.0.2.1", 1, "192.0.2.9", 65535), OK);
	assert_int_equal(way_check("192.0.2.1", 0, "192.0.2.9", 4500),
			 ERR_MALFORMED);
	assert_int_equal(way_check("192.0.2.1", 4500, "192.0.2.9", 0),
			 ERR_MALFORMED);
}

static void octets_of_a_way_are_checked(void **state)
{
	struct message m;

	for (unsigned family = 0; family < 256; family++) {
		m = sa_message();
		m.b[LOCAL_AT] = (uint8_t)family;
		if (family != 4)
			assert_refused(&m);
	}
	for (size_t i = 5; i < NETD_ADDR_LEN; i++) {
		m = sa_message();
		m.b[LOCAL_AT + i] = 1;
		assert_refused(&m);
	}
	m = sa_message();
	memset(m.b + PORT_AT, 0, 2);
	assert_refused(&m);
}

static void a_move_arrives_as_it_was_sent(void **state)
{
	struct netd_request req = {.verb = NETD_SA_MOVE, .way = sa_make().way};
	struct message m = message_make(&req);
	struct netd_request got;

	assert_int_equal(m.b[5], 4);
	assert_int_equal(m.len, NETD_HEAD_LEN + NETD_WAY_LEN);
	assert_int_equal(message_read(&m, &got), OK);
	assert_true(addr_eq(&got.way.local, &req.way.local));
	assert_true(addr_eq(&got.way.remote, &req.way.remote));
	assert_every_other_length_refused(m);
	m.b[NETD_HEAD_LEN] = ADDR_V6;
	assert_refused(&m);
}

/* --- SA_DEL, STATS ----------------------------------------------- */

static void a_deletion_names_one_sa(void **state)
{
	struct netd_request req = {.verb = NETD_SA_DEL, .spi_in = 0xfeedc0de};
	struct message m = message_make(&req);
	struct netd_request got;

	assert_int_equal(m.b[5], 5);
	assert_int_equal(m.len, NETD_HEAD_LEN + 4);
	assert_int_equal(message_read(&m, &got), OK);
	assert_int_equal(got.spi_in, 0xfeedc0de);
	assert_every_other_length_refused(m);
	memset(m.b + NETD_HEAD_LEN, 0, 3);
	m.b[NETD_HEAD_LEN + 3] = 255;
	assert_refused(&m);
}

static void stats_are_asked_for_by_the_verb_alone(void **state)
{
	struct netd_request req = {.verb = NETD_STATS}, got;
	struct message m = message_make(&req);

	assert_int_equal(m.b[5], 8);
	assert_int_equal(m.len, NETD_HEAD_LEN);
	assert_int_equal(message_read(&m, &got), OK);
	assert_every_other_length_refused(m);
}

static void stats_arrive_as_they_were_sent(void **state)
{
	const struct net_stats sent = {
		.packets_in = 1,
		.packets_out = UINT64_C(1) << 63,
		.octets_in = UINT64_MAX,
		.octets_out = 4,
		.dropped_in = 5,
		.dropped_out = 6,
		.heard_ago_s = -1,
		.spoke_ago_s = 7,
	};
	struct netd_reply r = {.verb = NETD_STATS, .stats = sent}, got;
	uint8_t buf[NETD_REPLY_LEN];
	struct wr w = wr_open(buf, sizeof(buf));

	assert_int_equal(netd_write_reply(&r, &w), OK);
	assert_int_equal(netd_read_reply(BYTES_OF(buf), &got), OK);
	assert_memory_equal(&got.stats, &sent, sizeof(sent));
}

/* What is read is either refused or in bounds. */
static void no_mutation_gets_past_the_check(void **state)
{
	struct message good = sa_message();
	struct netd_request got;
	struct message m;

	for (size_t at = NETD_HEAD_LEN; at < good.len; at++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			m = good;
			m.b[at] ^= (uint8_t)(1u << bit);
			if (message_read(&m, &got) == OK)
				assert_int_equal(sa_check(&got.sa), OK);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test(f)
		T(open_asks_for_one_of_three_planes),
		T(the_reply_says_which_plane_it_is),
		T(an_sa_arrives_as_it_was_sent),
		T(an_sa_of_any_other_length_is_refused),
		T(reserved_spis_are_refused),
		T(flags_are_zero_or_one),
		T(unknown_algorithms_are_refused),
		T(each_algorithm_has_its_keys),
		T(both_directions_have_their_keys),
		T(a_key_stays_in_its_room),
		T(a_way_leads_from_host_to_host),
		T(a_way_has_both_ports_or_none),
		T(octets_of_a_way_are_checked),
		T(a_move_arrives_as_it_was_sent),
		T(a_deletion_names_one_sa),
		T(stats_are_asked_for_by_the_verb_alone),
		T(stats_arrive_as_they_were_sent),
		T(no_mutation_gets_past_the_check),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
