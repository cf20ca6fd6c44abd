/* What vpn-netd believes of a message. The sender is hostile. */
#include "tests/unit/helper_message.h"

#define CONF_AT	   NETD_HEAD_LEN
#define ADDRS_AT   (CONF_AT + 9)
#define ROUTES_AT  (ADDRS_AT + NETD_PREFIX_LEN * NET_ADDRS_MAX)
#define DNS_AT	   (ROUTES_AT + NETD_PREFIX_LEN * NET_ROUTES_MAX)
#define DOMAINS_AT (DNS_AT + NETD_ADDR_LEN * NET_DNS_MAX)

static struct prefix prefix_of(const char *text)
{
	struct prefix p;

	assert_int_equal(prefix_parse(text, &p), OK);
	return p;
}

static struct addr addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), OK);
	return a;
}

/* A CONF that uses every field. */
static struct net_conf conf_make(void)
{
	struct net_conf c;

	memset(&c, 0, sizeof(c));
	c.mtu = 1400;
	c.n_addrs = 2;
	c.addrs[0] = prefix_of("10.9.0.2");
	c.addrs[1] = prefix_of("2001:db8::2");
	c.n_routes = 3;
	c.routes[0] = prefix_of("0.0.0.0/0");
	c.routes[1] = prefix_of("::/0");
	c.routes[2] = prefix_of("10.9.0.0/16");
	c.n_dns = 2;
	c.dns[0] = addr_of("10.9.0.1");
	c.dns[1] = addr_of("2001:db8::1");
	c.n_domains = 2;
	strcpy(c.domains[0], "corp.example");
	strcpy(c.domains[1], "_srv.a-b.example");
	c.dns_all = true;
	c.block_rest = true;
	return c;
}

static struct message conf_message(void)
{
	struct netd_request req = {.verb = NETD_CONF, .conf = conf_make()};

	return message_make(&req);
}

static void assert_conf_refused(const struct net_conf *c)
{
	struct diag diag = DIAG_INIT;

	assert_int_equal(netd_check_conf(c, &diag), ERR_MALFORMED);
	assert_true(diag.text[0] != '\0');
}

static void assert_conf_fine(const struct net_conf *c)
{
	assert_int_equal(netd_check_conf(c, NULL), OK);
}

/* --- requests ---------------------------------------------------- */

static void a_conf_arrives_as_it_was_sent(void **state)
{
	struct message m = conf_message();
	struct net_conf sent = conf_make();
	struct netd_request got;

	assert_int_equal(m.len, NETD_REQUEST_MAX);
	assert_int_equal(message_read(&m, &got), OK);
	assert_int_equal(got.verb, NETD_CONF);
	assert_memory_equal(&got.conf, &sent, sizeof(sent));
}

static void every_verb_has_its_number_and_length(void **state)
{
	static const struct {
		enum netd_verb verb;
		uint8_t number;
		size_t len;
	} verbs[] = {{NETD_OPEN, 1, 9}, {NETD_UDP, 2, 10}, {NETD_CLOSE, 9, 8}};
	struct netd_request req, got;

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		struct message m;

		memset(&req, 0, sizeof(req));
		req.verb = verbs[i].verb;
		req.family = ADDR_V6;
		req.plane = NET_PLANE_AUTO;
		m = message_make(&req);
		assert_int_equal(m.b[5], verbs[i].number);
		assert_int_equal(m.len, verbs[i].len);
		assert_int_equal(message_read(&m, &got), OK);
		assert_int_equal(got.verb, req.verb);
		m.len++;
		assert_refused(&m);
		m.len -= 2;
		assert_refused(&m);
	}
}

static void unknown_verbs_and_heads_are_refused(void **state)
{
	struct netd_request req = {.verb = NETD_CLOSE};
	struct message good = message_make(&req), m;

	for (unsigned verb = 0; verb < 256; verb++) {
		if (verb >= 1 && verb <= 9 && verb != 7)
			continue;
		m = good;
		m.b[5] = (uint8_t)verb;
		assert_refused(&m);
	}
	for (size_t at = 0; at < 8; at++) {
		m = good;
		m.b[at] ^= 0x80;
		assert_refused(&m);
	}
	for (m = good; m.len > 0;) {
		m.len--;
		assert_refused(&m);
	}
}

static void a_conf_of_any_other_length_is_refused(void **state)
{
	struct message m = conf_message();

	for (m.len = 8; m.len < NETD_REQUEST_MAX; m.len++)
		assert_refused(&m);
	m.len = NETD_REQUEST_MAX + 1;
	assert_refused(&m);
}

static void udp_takes_two_families(void **state)
{
	struct netd_request req = {.verb = NETD_UDP, .family = ADDR_V4}, got;
	struct message m = message_make(&req);

	for (unsigned family = 0; family < 256; family++) {
		m.b[8] = (uint8_t)family;
		if (family != 4 && family != 6) {
			assert_refused(&m);
			continue;
		}
		assert_int_equal(message_read(&m, &got), OK);
		assert_int_equal(got.family, family);
	}
}

static void udp_may_be_asked_for_as_tcp(void **state)
{
	struct netd_request req = {.verb = NETD_UDP,
				   .family = ADDR_V6,
				   .stream = true},
			    got;
	struct message m = message_make(&req);

	assert_int_equal(m.b[9], 1);
	assert_int_equal(message_read(&m, &got), OK);
	assert_true(got.stream);
	for (unsigned v = 2; v < 256; v++) {
		m.b[9] = (uint8_t)v;
		assert_refused(&m);
	}
}

static void counts_beyond_their_arrays_are_refused(void **state)
{
	static const uint8_t most[] = {NET_ADDRS_MAX, NET_ROUTES_MAX,
				       NET_DNS_MAX, NET_DOMAINS_MAX};
	struct message m;

	for (size_t i = 0; i < 4; i++) {
		for (unsigned n = most[i] + 1u; n < 256; n++) {
			m = conf_message();
			m.b[CONF_AT + 2 + i] = (uint8_t)n;
			assert_refused(&m);
		}
		/* Within the array, but those entries are empty. */
		m = conf_message();
		m.b[CONF_AT + 2 + i] = most[i];
		assert_refused(&m);
	}
}

static void flags_are_zero_or_one(void **state)
{
	struct netd_request got;

	for (size_t at = CONF_AT + 6; at < CONF_AT + 9; at++) {
		for (unsigned v = 0; v < 256; v++) {
			struct message m = conf_message();

			m.b[at] = (uint8_t)v;
			if (v > 1)
				assert_refused(&m);
			else
				assert_int_equal(message_read(&m, &got), OK);
		}
	}
}

static void families_and_lengths_of_prefixes_are_checked(void **state)
{
	static const size_t at[] = {ADDRS_AT, ROUTES_AT};
	struct message m;

	for (size_t i = 0; i < 2; i++) {
		for (unsigned bits = 33; bits < 256; bits++) {
			m = conf_message();
			m.b[at[i] + 1] = (uint8_t)bits;
			assert_refused(&m);
		}
	}
	for (unsigned family = 0; family < 256; family++) {
		if (family == 4 || family == 6)
			continue;
		for (size_t i = 0; i < 2; i++) {
			m = conf_message();
			m.b[at[i]] = (uint8_t)family;
			assert_refused(&m);
		}
		m = conf_message();
		m.b[DNS_AT] = (uint8_t)family;
		assert_refused(&m);
	}
	for (unsigned bits = 129; bits < 256; bits++) {
		m = conf_message();
		m.b[ADDRS_AT + NETD_PREFIX_LEN + 1] = (uint8_t)bits;
		assert_refused(&m);
	}
}

static void octets_behind_an_ipv4_address_are_refused(void **state)
{
	for (size_t i = 4; i < 16; i++) {
		struct message m = conf_message();

		m.b[ADDRS_AT + 2 + i] = 1;
		assert_refused(&m);
		m = conf_message();
		m.b[ROUTES_AT + 2 + i] = 1;
		assert_refused(&m);
		m = conf_message();
		m.b[DNS_AT + 1 + i] = 1;
		assert_refused(&m);
	}
}

static void a_domain_without_its_end_is_refused(void **state)
{
	struct message m = conf_message();

	memset(m.b + DOMAINS_AT, 'a', NET_DOMAIN_LEN);
	assert_refused(&m);
}

static void no_mutation_gets_past_the_check(void **state)
{
	uint32_t rnd = 2463534242u;
	struct netd_request got;
	unsigned fine = 0;

	for (unsigned i = 0; i < 50000; i++) {
		struct message m = conf_message();

		for (unsigned k = 0; k < 1 + i % 4; k++) {
			rnd ^= rnd << 13;
			rnd ^= rnd >> 17;
			rnd ^= rnd << 5;
			m.b[rnd % (i % 2 ? m.len : 120u)] ^=
				(uint8_t)(rnd >> 24);
		}
		if (message_read(&m, &got) != OK || got.verb != NETD_CONF)
			continue;
		fine++;
		assert_conf_fine(&got.conf);
		assert_true(got.conf.mtu >= 576 && got.conf.mtu <= 9000);
		for (size_t k = 0; k < got.conf.n_domains; k++)
			assert_null(strpbrk(got.conf.domains[k], " \n\t/\"#;"));
	}
	assert_true(fine > 100);
}

/* --- what a CONF may mean ---------------------------------------- */

static void an_empty_conf_is_fine(void **state)
{
	struct net_conf c;

	memset(&c, 0, sizeof(c));
	c.mtu = 1280;
	assert_conf_fine(&c);
}

static void inner_addresses_must_be_hosts(void **state)
{
	static const char *const bad[] = {
		"0.0.0.0",	   "0.1.2.3",	      "127.0.0.1", "224.0.0.1",
		"240.0.0.1",	   "255.255.255.255", "::",	   "::1",
		"::ffff:10.0.0.1", "ff02::1"};
	struct net_conf c = conf_make();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		c.addrs[1] = prefix_of(bad[i]);
		assert_conf_refused(&c);
	}
	c.addrs[1] = prefix_of("fe80::1");
	assert_conf_fine(&c);
	c.addrs[1].addr.port = 53;
	assert_conf_refused(&c);
}

static void routes_must_be_networks(void **state)
{
	struct net_conf c = conf_make();

	c.routes[2] = prefix_of("10.9.0.2");
	assert_conf_fine(&c);
	for (uint8_t bits = 0; bits < 31; bits++) {
		c.routes[2].bits = bits;
		assert_conf_refused(&c);
	}
	c.routes[2].bits = 31;
	assert_conf_fine(&c);
}

static void name_servers_must_be_reachable_hosts(void **state)
{
	static const char *const bad[] = {"127.0.0.53", "::1",
					  "0.0.0.0",	"fe80::1",
					  "ff02::fb",	"239.1.1.1"};
	struct net_conf c = conf_make();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		c.dns[1] = addr_of(bad[i]);
		assert_conf_refused(&c);
	}
}

static void domains_must_be_names(void **state)
{
	static const char *const bad[] = {"",	  ".",
					  "a.",	  ".a",
					  "a..b", "-a",
					  "a.-b", "a b",
					  "a\nb", "a\nnameserver 192.0.2.1",
					  "a/b",  "a#b",
					  "a;b",  "a\tb",
					  "\x80", "caf\xc3\xa9",
					  "a*b",  "$HOME",
					  "..",	  "../../etc/passwd"};
	static const char *const good[] = {
		"a",	  "example", "A.B.c", "xn--caf-dma.example",
		"_tcp.x", "1.2.3",   "a-"};
	struct net_conf c = conf_make();

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		memset(c.domains[1], 0, NET_DOMAIN_LEN);
		strcpy(c.domains[1], bad[i]);
		assert_conf_refused(&c);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		strcpy(c.domains[1], good[i]);
		assert_conf_fine(&c);
	}
	memset(c.domains[1], 0, NET_DOMAIN_LEN);
	memset(c.domains[1], 'a', 63);
	assert_conf_fine(&c);
	c.domains[1][63] = 'a';
	assert_conf_refused(&c);
	for (size_t i = 0; i < 253; i++)
		c.domains[1][i] = i % 64 == 63 ? '.' : 'a';
	assert_conf_fine(&c);
	c.domains[1][253] = 'a';
	assert_conf_refused(&c);
}

static void the_mtu_has_bounds(void **state)
{
	struct net_conf c = conf_make();

	for (unsigned mtu = 0; mtu < 65536; mtu++) {
		c.mtu = (uint16_t)mtu;
		assert_int_equal(netd_check_conf(&c, NULL) == OK,
				 mtu >= 1280 && mtu <= 9000);
	}
	c.n_addrs = 1; /* IPv4 alone */
	c.n_routes = 1;
	c.mtu = 576;
	assert_conf_fine(&c);
	c.mtu = 575;
	assert_conf_refused(&c);
}

/* --- replies ----------------------------------------------------- */

static struct netd_reply reply_pass(const struct netd_reply *r)
{
	uint8_t buf[NETD_REPLY_LEN];
	struct wr w = wr_open(buf, sizeof(buf));
	struct netd_reply out;

	assert_int_equal(netd_write_reply(r, &w), OK);
	assert_int_equal(wr_len(&w), NETD_REPLY_LEN);
	assert_int_equal(netd_read_reply(wr_view(&w), &out), OK);
	return out;
}

static void a_reply_arrives_as_it_was_sent(void **state)
{
	static const enum err errs[] = {
		OK,	   ERR_MALFORMED,  ERR_UNSUPPORTED,
		ERR_STATE, ERR_PERMISSION, ERR_SYS,
		ERR_BUSY};
	struct netd_reply r = {.verb = 1, .ifindex = 77, .name = "vpn3"};

	strcpy(r.text, "why");
	for (size_t i = 0; i < sizeof(errs) / sizeof(*errs); i++) {
		struct netd_reply got;

		r.err = errs[i];
		got = reply_pass(&r);
		assert_int_equal(got.err, errs[i]);
		assert_int_equal(got.ifindex, 77);
		assert_string_equal(got.name, "vpn3");
		assert_string_equal(got.text, "why");
	}
	r.err = ERR_GONE; /* not one of the protocol's */
	assert_int_equal(reply_pass(&r).err, ERR_SYS);
}

static void a_replys_text_is_cut_and_printable(void **state)
{
	struct netd_reply r = {.verb = 1}, got;

	memset(r.text, '\x1b', sizeof(r.text));
	got = reply_pass(&r);
	assert_int_equal(strlen(got.text), NETD_TEXT_LEN - 1);
	assert_null(strchr(got.text, '\x1b'));
}

static void a_short_or_strange_reply_is_refused(void **state)
{
	struct netd_reply r = {.verb = 1}, out;
	uint8_t buf[NETD_REPLY_LEN];
	struct wr w = wr_open(buf, sizeof(buf));

	assert_int_equal(netd_write_reply(&r, &w), OK);
	for (size_t len = 0; len < sizeof(buf); len++)
		assert_int_not_equal(netd_read_reply(bytes(buf, len), &out),
				     OK);
	buf[11] = 200; /* no such error */
	assert_int_equal(netd_read_reply(BYTES_OF(buf), &out), ERR_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test(f)
		T(a_conf_arrives_as_it_was_sent),
		T(every_verb_has_its_number_and_length),
		T(unknown_verbs_and_heads_are_refused),
		T(a_conf_of_any_other_length_is_refused),
		T(udp_takes_two_families),
		T(udp_may_be_asked_for_as_tcp),
		T(counts_beyond_their_arrays_are_refused),
		T(flags_are_zero_or_one),
		T(families_and_lengths_of_prefixes_are_checked),
		T(octets_behind_an_ipv4_address_are_refused),
		T(a_domain_without_its_end_is_refused),
		T(no_mutation_gets_past_the_check),
		T(an_empty_conf_is_fine),
		T(inner_addresses_must_be_hosts),
		T(routes_must_be_networks),
		T(name_servers_must_be_reachable_hosts),
		T(domains_must_be_names),
		T(the_mtu_has_bounds),
		T(a_reply_arrives_as_it_was_sent),
		T(a_replys_text_is_cut_and_printable),
		T(a_short_or_strange_reply_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
