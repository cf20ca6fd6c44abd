/* Traffic selectors: structure, sets, narrowing, prefixes. */
#include <stdlib.h>

#include "tests/unit/ike_hex.h"

#define V4_ANY "07000010 0000ffff 00000000 ffffffff"

static void assert_ts_eq(const struct ike_ts *a, const struct ike_ts *b)
{
	assert_int_equal(a->proto, b->proto);
	assert_int_equal(a->port_from, b->port_from);
	assert_int_equal(a->port_to, b->port_to);
	assert_true(addr_eq(&a->from, &b->from));
	assert_true(addr_eq(&a->to, &b->to));
}

static enum err parse(const char *text, struct ike_ts_list *out)
{
	return ike_ts_parse(hex_static(text), out);
}

/* --- structure --------------------------------------------------------- */

static void selectors_are_read_field_by_field(void **state)
{
	struct ike_ts_list l;
	char buf[ADDR_STR_MAX];

	assert_int_equal(parse("02000000"
			       "07110010 003501bb 0a000000 0a0000ff"
			       "08000028 0000ffff"
			       "20010db8000000000000000000000000"
			       "20010db80000ffffffffffffffffffff",
			       &l),
			 OK);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.ts[0].proto, 17);
	assert_int_equal(l.ts[0].port_from, 53);
	assert_int_equal(l.ts[0].port_to, 443);
	assert_string_equal(addr_str(&l.ts[0].from, buf), "10.0.0.0");
	assert_string_equal(addr_str(&l.ts[0].to, buf), "10.0.0.255");
	assert_string_equal(addr_str(&l.ts[1].from, buf), "2001:db8::");
}

static void malformed_selectors_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum err e;
	} cases[] = {
		{"", ERR_TRUNCATED},
		{"010000", ERR_TRUNCATED},
		{"00000000", ERR_MALFORMED}, /* none at all */
		{"01000000", ERR_TRUNCATED},
		{"02000000" V4_ANY, ERR_TRUNCATED},
		{"01000000" V4_ANY V4_ANY, ERR_MALFORMED},
		{"01000000" V4_ANY "00", ERR_MALFORMED},
		/* lengths 0 to 3, of a known and of an unknown type */
		{"01000000 07000000 0000ffff 00000000 ffffffff", ERR_MALFORMED},
		{"01000000 07000001 0000ffff 00000000 ffffffff", ERR_MALFORMED},
		{"01000000 07000003 0000ffff 00000000 ffffffff", ERR_MALFORMED},
		{"01000000 63000003 0000ffff", ERR_MALFORMED},
		/* cut off inside, and longer than its type */
		{"01000000 07000004", ERR_MALFORMED},
		{"01000000 0700000f 0000ffff 00000000 ffffff", ERR_MALFORMED},
		{"01000000 07000011 0000ffff 00000000 ffffffff 00",
		 ERR_MALFORMED},
		{"01000000 08000010 0000ffff 00000000 ffffffff", ERR_MALFORMED},
		{"01000000 07000012 0000ffff 00000000 ffffffff", ERR_TRUNCATED},
		/* backwards: addresses, ports */
		{"01000000 07000010 0000ffff 0a000001 0a000000", ERR_MALFORMED},
		{"01000000 07000010 00500035 00000000 ffffffff", ERR_MALFORMED},
	};
	struct ike_ts_list l;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (parse(cases[i].text, &l) != cases[i].e)
			fail_msg("%s: %s", cases[i].text,
				 err_name(parse(cases[i].text, &l)));
}

static void unknown_selector_types_are_left_out(void **state)
{
	struct ike_ts_list l;

	/* TS_SECLABEL of RFC 9478 beside an address range */
	assert_int_equal(parse("02000000 0a000006 abcd" V4_ANY, &l), OK);
	assert_int_equal(l.n, 1);
	assert_int_equal(parse("01000000 0a000004", &l), OK);
	assert_int_equal(l.n, 0);
}

static void opaque_ports_are_allowed(void **state)
{
	struct ike_ts_list l;

	assert_int_equal(
		parse("01000000 07110010 ffff0000 00000000 ffffffff", &l), OK);
	assert_int_equal(l.ts[0].port_from, 65535);
	assert_int_equal(l.ts[0].port_to, 0);
}

static void what_is_written_parses_to_the_same(void **state)
{
	static uint8_t buf[4096];
	struct ike_ts_list in = {0}, out;
	struct prefix p;
	struct ike_wr m;
	struct bytes b;

	assert_int_equal(prefix_parse("10.9.0.0/24", &p), OK);
	ike_ts_from_prefix(&p, &in.ts[in.n++]);
	assert_int_equal(prefix_parse("::/0", &p), OK);
	ike_ts_from_prefix(&p, &in.ts[in.n++]);
	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_ts(&m, PLD_TSR, &in);
	assert_int_equal(ike_wr_end(&m, &b), OK);
	assert_hex(b.p, 24,
		   "00000040 02000000 07000010 0000ffff 0a090000 0a0900ff");
	assert_int_equal(ike_ts_parse(bytes(b.p + 4, b.len - 4), &out), OK);
	assert_int_equal(out.n, 2);
	assert_ts_eq(&in.ts[0], &out.ts[0]);
	assert_ts_eq(&in.ts[1], &out.ts[1]);
}

/* --- sets -------------------------------------------------------------- */

/* "10.0.0.0-10.0.0.255 17 53-53", separated by commas */
static struct ike_ts_list list(const char *text)
{
	struct ike_ts_list l = {0};
	char from[64], to[64];
	unsigned int proto, lo, hi;
	int used;

	while (*text) {
		assert_int_equal(sscanf(text, " %63[^-]-%63s %u %u-%u%n", from,
					to, &proto, &lo, &hi, &used),
				 5);
		assert_int_equal(addr_parse(from, &l.ts[l.n].from), OK);
		assert_int_equal(addr_parse(to, &l.ts[l.n].to), OK);
		l.ts[l.n].proto = (uint8_t)proto;
		l.ts[l.n].port_from = (uint16_t)lo;
		l.ts[l.n++].port_to = (uint16_t)hi;
		text += used;
		text += *text == ',';
	}
	return l;
}

static void assert_list(const struct ike_ts_list *got, const char *want_text)
{
	struct ike_ts_list want = list(want_text);

	assert_int_equal(got->n, want.n);
	for (size_t i = 0; i < want.n; i++)
		assert_ts_eq(&got->ts[i], &want.ts[i]);
}

static void narrow(const char *offer, const char *policy, const char *want)
{
	struct ike_ts_list o = list(offer), p = list(policy), got;

	ike_ts_narrow(&o, &p, &got);
	assert_list(&got, want);
	/* whatever comes out lies in both */
	assert_true(ike_ts_subset(&got, &o));
	assert_true(ike_ts_subset(&got, &p));
}

#define ALL4 "0.0.0.0-255.255.255.255 0 0-65535"
#define ALL6 "::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 0 0-65535"
#define NET  "10.9.0.0-10.9.0.255 0 0-65535"

static void narrowing_gives_what_both_hold(void **state)
{
	narrow(ALL4, NET, NET);
	narrow(NET, ALL4, NET);
	narrow(ALL4 "," ALL6, NET, NET);
	narrow(ALL6, NET, "");
	narrow("10.9.0.128-10.9.1.5 0 0-65535", NET,
	       "10.9.0.128-10.9.0.255 0 0-65535");
	narrow("10.9.1.0-10.9.1.5 0 0-65535", NET, "");
	/* protocol and ports */
	narrow(NET, "10.0.0.0-10.255.255.255 17 53-53",
	       "10.9.0.0-10.9.0.255 17 53-53");
	narrow("10.9.0.0-10.9.0.255 6 0-65535",
	       "10.0.0.0-10.255.255.255 17 53-53", "");
	narrow("10.9.0.1-10.9.0.1 6 80-443", "10.9.0.1-10.9.0.1 6 443-500",
	       "10.9.0.1-10.9.0.1 6 443-443");
	narrow("10.9.0.1-10.9.0.1 6 80-80", "10.9.0.1-10.9.0.1 6 443-500", "");
}

static void narrowing_tells_nothing_twice(void **state)
{
	narrow(ALL4 "," NET, NET, NET);
	narrow(ALL4, NET "," NET, NET);
	narrow(ALL4, NET ",10.9.0.7-10.9.0.7 0 0-65535", NET);
}

static void opaque_meets_all_ports_only(void **state)
{
	narrow("10.9.0.1-10.9.0.1 17 65535-0", ALL4,
	       "10.9.0.1-10.9.0.1 17 65535-0");
	narrow(ALL4, "10.9.0.1-10.9.0.1 17 65535-0",
	       "10.9.0.1-10.9.0.1 17 65535-0");
	narrow("10.9.0.1-10.9.0.1 17 65535-0", "10.9.0.1-10.9.0.1 17 53-53",
	       "");
	narrow("10.9.0.1-10.9.0.1 17 65535-0", "10.9.0.1-10.9.0.1 17 65535-0",
	       "10.9.0.1-10.9.0.1 17 65535-0");
}

static bool subset(const char *inner, const char *outer)
{
	struct ike_ts_list i = list(inner), o = list(outer);

	return ike_ts_subset(&i, &o);
}

static void a_subset_lies_inside_selector_by_selector(void **state)
{
	assert_true(subset(NET, ALL4));
	assert_true(subset(NET "," ALL6, ALL4 "," ALL6));
	assert_true(subset("", NET));
	assert_false(subset(ALL4, NET));
	assert_false(subset(NET "," ALL6, ALL4));
	assert_false(subset(NET, ""));
	/* an answer may not widen the protocol or the ports */
	assert_false(subset(NET, "10.9.0.0-10.9.0.255 6 0-65535"));
	assert_false(subset("10.9.0.0-10.9.0.255 6 0-65535",
			    "10.9.0.0-10.9.0.255 6 80-80"));
	assert_true(subset("10.9.0.0-10.9.0.255 6 80-80", NET));
	assert_false(subset("10.9.0.0-10.9.1.0 0 0-65535", NET));
}

static void narrowing_stops_at_the_limit(void **state)
{
	struct ike_ts_list o = {0}, p = {0}, got;
	struct prefix net = {.addr = {.family = ADDR_V4, .b = {10}},
			     .bits = 32};

	for (size_t i = 0; i < IKE_TS_MAX; i++) {
		net.addr.b[3] = (uint8_t)(2 * i);
		ike_ts_from_prefix(&net, &o.ts[o.n++]);
	}
	p = list(ALL4 ",10.0.0.0-10.0.0.255 0 0-65535");
	ike_ts_narrow(&o, &p, &got);
	assert_int_equal(got.n, IKE_TS_MAX);
}

/* --- prefixes ---------------------------------------------------------- */

static void prefixes(const char *range, size_t cap, const char *want)
{
	struct prefix out[300];
	char text[4096] = "", one[ADDR_STR_MAX];
	struct ike_ts_list l = list(range);
	size_t n = ike_ts_to_prefixes(&l.ts[0], out, cap);

	for (size_t i = 0; i < n && i < 8; i++) {
		strcat(text, i > 0 ? " " : "");
		strcat(text, prefix_str(&out[i], one));
	}
	assert_string_equal(text, want);
}

static void a_range_becomes_the_fewest_prefixes(void **state)
{
	prefixes(ALL4, 64, "0.0.0.0/0");
	prefixes(ALL6, 64, "::/0");
	prefixes(NET, 64, "10.9.0.0/24");
	prefixes("10.0.0.1-10.0.0.1 0 0-65535", 64, "10.0.0.1/32");
	prefixes("10.0.0.1-10.0.0.6 0 0-65535", 64,
		 "10.0.0.1/32 10.0.0.2/31 10.0.0.4/31 10.0.0.6/32");
	prefixes("255.255.255.254-255.255.255.255 0 0-65535", 64,
		 "255.255.255.254/31");
	prefixes("2001:db8::-2001:db8::ffff 0 0-65535", 64, "2001:db8::/112");
}

static void a_range_that_needs_too_many_gives_none(void **state)
{
	struct prefix out[254];
	struct ike_ts_list l = list("0.0.0.1-255.255.255.254 0 0-65535");

	assert_int_equal(ike_ts_to_prefixes(&l.ts[0], out, 62), 62);
	assert_int_equal(ike_ts_to_prefixes(&l.ts[0], out, 61), 0);
	l = list("::1-ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 0 0-65535");
	assert_int_equal(ike_ts_to_prefixes(&l.ts[0], out, 254), 254);
	assert_int_equal(ike_ts_to_prefixes(&l.ts[0], out, 253), 0);
	/* never one that runs backwards or mixes families */
	l.ts[0].to = l.ts[0].from;
	l.ts[0].from.b[0] = 1;
	assert_int_equal(ike_ts_to_prefixes(&l.ts[0], out, 254), 0);
	l.ts[0].from.family = ADDR_V4;
	assert_int_equal(ike_ts_to_prefixes(&l.ts[0], out, 254), 0);
}

static void prefixes_cover_exactly_the_range(void **state)
{
	struct prefix out[64];
	struct ike_ts ts = list(ALL4).ts[0];
	struct addr a;
	size_t n;
	bool in;

	for (unsigned int from = 0; from < 64; from += 3)
		for (unsigned int to = from; to < 64; to++) {
			ts.from.b[3] = (uint8_t)from;
			memset(ts.to.b, 0, 4);
			ts.to.b[3] = (uint8_t)to;
			n = ike_ts_to_prefixes(&ts, out, 64);
			assert_true(n > 0);
			a = ts.from;
			for (unsigned int i = 0; i < 70; i++) {
				a.b[3] = (uint8_t)i;
				in = false;
				for (size_t k = 0; k < n; k++)
					in |= prefix_contains(&out[k], &a);
				assert_int_equal(in, i >= from && i <= to);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(selectors_are_read_field_by_field),
		cmocka_unit_test(malformed_selectors_are_refused),
		cmocka_unit_test(unknown_selector_types_are_left_out),
		cmocka_unit_test(opaque_ports_are_allowed),
		cmocka_unit_test(what_is_written_parses_to_the_same),
		cmocka_unit_test(narrowing_gives_what_both_hold),
		cmocka_unit_test(narrowing_tells_nothing_twice),
		cmocka_unit_test(opaque_meets_all_ports_only),
		cmocka_unit_test(a_subset_lies_inside_selector_by_selector),
		cmocka_unit_test(narrowing_stops_at_the_limit),
		cmocka_unit_test(a_range_becomes_the_fewest_prefixes),
		cmocka_unit_test(a_range_that_needs_too_many_gives_none),
		cmocka_unit_test(prefixes_cover_exactly_the_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
