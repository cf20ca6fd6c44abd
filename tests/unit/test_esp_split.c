/* Large packets into small ones and back: client/esp/{inet,split,merge}.c.
 * Checksums are summed up here octet by octet, as RFC 1071 says it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/esp/merge.h"
#include "client/esp/split.h"

#define PKTS_MAX 64

static uint8_t big[65536];

static uint16_t slow_sum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

static uint16_t slow_transport_sum(const uint8_t *ip, size_t at, size_t len)
{
	bool v4 = ip[0] >> 4 == 4;
	uint16_t s = slow_sum(ip + (v4 ? 12 : 8), v4 ? 8 : 32,
			      (uint32_t)(ip[v4 ? 9 : 6] + len - at));

	return slow_sum(ip + at, len - at, s);
}

/* An IP packet with a TCP or UDP header and payload octets that count up. */
static size_t make(uint8_t *b, bool v4, uint8_t proto, size_t payload)
{
	size_t at = v4 ? 20 : 40, head = at + (proto == INET_TCP ? 32 : 8);
	size_t len = head + payload;

	memset(b, 0, head);
	b[0] = v4 ? 0x45 : 0x60;
	if (v4) {
		b[1] = 0x02; /* ECT(0) */
		inet_put16(b + 4, 0xfffe);
		b[6] = 0x40;
		b[8] = 64;
		b[9] = proto;
		memcpy(b + 12, "\x0a\x01\x02\x03\x0a\x09\x08\x07", 8);
	} else {
		b[6] = proto;
		b[7] = 64;
		b[8] = b[24] = 0xfd;
		b[39] = 9;
	}
	inet_set_len(b, len);
	inet_put16(b + at, 40000);
	inet_put16(b + at + 2, 5201);
	if (proto == INET_TCP) {
		inet_put16(b + at + 4, 0xffff); /* the number wraps */
		inet_put16(b + at + 6, 0xff00);
		b[at + 12] = 0x80;
		b[at + 13] = TCP_ACK | TCP_PSH | TCP_FIN | TCP_CWR;
		b[at + 20] = b[at + 21] = 1;
		b[at + 22] = 8;
		b[at + 23] = 10;
	} else {
		inet_put16(b + at + 4, (uint16_t)(len - at));
	}
	for (size_t i = 0; i < payload; i++)
		b[head + i] = (uint8_t)(i * 7 + i / 251);
	return len;
}

static struct offload offload_for(bool v4, uint8_t proto, uint16_t size)
{
	size_t at = v4 ? 20 : 40;
	bool udp = proto == INET_UDP;

	return (struct offload){.needs_csum = true,
				.kind = udp  ? OFFLOAD_UDP
					: v4 ? OFFLOAD_TCP4
					     : OFFLOAD_TCP6,
				.size = size,
				.csum_start = (uint16_t)at,
				.csum_offset = udp ? 6 : 16};
}

static void check_packet(const uint8_t *p, size_t len)
{
	bool v4 = p[0] >> 4 == 4;

	if (v4)
		assert_int_equal(slow_sum(p, 20, 0), 0xffff);
	assert_int_equal(inet_get16(p + (v4 ? 2 : 4)), v4 ? len : len - 40);
	assert_int_equal(slow_transport_sum(p, v4 ? 20 : 40, len), 0xffff);
}

static void sums_are_those_of_rfc_1071(void **state)
{
	/* RFC 1071 section 3: 00 01 f2 03 f4 f5 f6 f7 sums up to ddf2. */
	static const uint8_t example[] = {0x00, 0x01, 0xf2, 0x03,
					  0xf4, 0xf5, 0xf6, 0xf7};

	assert_int_equal(inet_sum(BYTES_OF(example), 0), 0xddf2);
	make(big, true, INET_TCP, 5000);
	for (size_t len = 0; len < 200; len++)
		for (size_t at = 0; at < 9; at++)
			assert_int_equal(inet_sum(bytes(big + at, len), 7),
					 slow_sum(big + at, len, 7));
	memset(big, 0xff, sizeof(big));
	assert_int_equal(inet_sum(bytes(big, 65535), 0),
			 slow_sum(big, 65535, 0));
}

static void split_makes_segments_that_a_receiver_takes(void **state)
{
	uint8_t out[2048];
	struct split s;

	for (int kind = 0; kind < 4; kind++) {
		bool v4 = kind & 1;
		uint8_t proto = kind & 2 ? INET_UDP : INET_TCP;
		size_t at = v4 ? 20 : 40;
		size_t head = at + (proto == INET_TCP ? 32 : 8);
		size_t len = make(big, v4, proto, 10000), done = 0;
		struct offload o = offload_for(v4, proto, 1300);

		assert_int_equal(split_open(&s, bytes(big, len), &o), OK);
		assert_int_equal(s.n, 8);
		for (size_t i = 0; i < s.n; i++) {
			size_t n = split_len(&s, i);

			assert_int_equal(n, head + (i < 7 ? 1300 : 900));
			split_take(&s, i, out);
			check_packet(out, n);
			assert_memory_equal(out + head, big + head + done,
					    n - head);
			if (v4)
				assert_int_equal(inet_get16(out + 4),
						 (uint16_t)(0xfffe + i));
			done += n - head;
		}
		assert_int_equal(done, 10000);
	}
}

static void split_gives_each_tcp_segment_its_number_and_flags(void **state)
{
	size_t len = make(big, true, INET_TCP, 3000);
	struct offload o = offload_for(true, INET_TCP, 1000);
	uint8_t out[3][1100];
	struct split s;

	assert_int_equal(split_open(&s, bytes(big, len), &o), OK);
	for (size_t i = 0; i < 3; i++)
		split_take(&s, i, out[i]);
	assert_int_equal(inet_get16(out[0] + 24), 0xffff);
	assert_int_equal(inet_get16(out[0] + 26), 0xff00);
	assert_int_equal(inet_get16(out[1] + 24), 0);
	assert_int_equal(inet_get16(out[1] + 26), 0xff00 + 1000 - 0x10000);
	assert_int_equal(out[0][33], TCP_ACK | TCP_CWR);
	assert_int_equal(out[1][33], TCP_ACK);
	assert_int_equal(out[2][33], TCP_ACK | TCP_PSH | TCP_FIN);
}

static void split_ends_a_checksum_that_was_left_open(void **state)
{
	struct offload o = {
		.needs_csum = true, .csum_start = 40, .csum_offset = 6};
	size_t len = make(big, false, INET_UDP, 33);
	uint8_t out[200];
	struct split s;

	inet_put16(big + 46, inet_pseudo_sum(big, INET_UDP, len - 40));
	assert_int_equal(split_open(&s, bytes(big, len), &o), OK);
	assert_int_equal(s.n, 1);
	split_take(&s, 0, out);
	check_packet(out, len);
}

static void split_refuses_headers_that_do_not_agree(void **state)
{
	size_t len = make(big, true, INET_TCP, 3000);
	struct offload good = offload_for(true, INET_TCP, 1000), o;
	struct split s;

	o = good;
	o.size = 0;
	assert_int_equal(split_open(&s, bytes(big, len), &o), ERR_MALFORMED);
	o = good;
	o.kind = OFFLOAD_TCP6;
	assert_int_equal(split_open(&s, bytes(big, len), &o), ERR_MALFORMED);
	o.kind = 3; /* UDP fragments, long gone */
	assert_int_equal(split_open(&s, bytes(big, len), &o), ERR_MALFORMED);
	for (size_t n = 0; n <= 52; n++)
		assert_int_equal(split_open(&s, bytes(big, n), &good),
				 ERR_MALFORMED);
	o = good;
	o.csum_start = 65535;
	assert_int_equal(split_open(&s, bytes(big, len), &o), ERR_MALFORMED);
	o.kind = OFFLOAD_NONE;
	assert_int_equal(split_open(&s, bytes(big, len), &o), ERR_MALFORMED);
	big[32] = 0x10; /* a TCP header of 4 octets */
	assert_int_equal(split_open(&s, bytes(big, len), &good), ERR_MALFORMED);
}

/* --- and back ------------------------------------------------------------ */

struct train {
	uint8_t p[PKTS_MAX][1500];
	size_t len[PKTS_MAX], n;
};

static void train_make(struct train *t, bool v4, uint8_t proto, size_t payload)
{
	size_t len = make(big, v4, proto, payload);
	struct offload o = offload_for(v4, proto, 1300);
	struct split s;

	if (proto == INET_TCP)
		big[(v4 ? 20 : 40) + 13] = TCP_ACK | TCP_PSH;
	assert_int_equal(split_open(&s, bytes(big, len), &o), OK);
	t->n = s.n;
	for (size_t i = 0; i < s.n; i++) {
		t->len[i] = split_len(&s, i);
		split_take(&s, i, t->p[i]);
	}
}

static size_t merge_all(struct merge *m, struct train *t)
{
	merge_start(m, true, true);
	for (size_t i = 0; i < t->n; i++)
		merge_add(m, t->p[i], t->len[i]);
	return m->n_groups;
}

/* Group i in one piece; returns its length. */
static size_t taken(struct merge *m, size_t i, struct offload *o, uint8_t *out)
{
	struct bytes parts[MERGE_MAX + 1];
	uint8_t head[OFFLOAD_LEN];
	size_t n = merge_take(m, i, head, parts), len = 0;

	assert_ptr_equal(parts[0].p, head);
	offload_read(head, o);
	for (size_t k = 1; k < n; k++) {
		memcpy(out + len, parts[k].p, parts[k].len);
		len += parts[k].len;
	}
	return len;
}

static void merge_gives_back_what_split_took(void **state)
{
	static uint8_t out[65536], want[65536];
	static struct train t;
	struct offload o;
	struct merge m;

	for (int kind = 0; kind < 4; kind++) {
		bool v4 = kind & 1;
		uint8_t proto = kind & 2 ? INET_UDP : INET_TCP;
		size_t at = v4 ? 20 : 40, len;

		train_make(&t, v4, proto, 10000);
		memcpy(want, big, sizeof(want));
		assert_int_equal(merge_all(&m, &t), 1);
		len = taken(&m, 0, &o, out);
		assert_int_equal(len, at + (kind & 2 ? 8 : 32) + 10000);
		assert_true(o.needs_csum);
		assert_int_equal(o.size, 1300);
		assert_int_equal(o.csum_start, at);
		assert_int_equal(o.kind, kind & 2 ? OFFLOAD_UDP
					 : v4	  ? OFFLOAD_TCP4
						  : OFFLOAD_TCP6);
		/* The kernel adds the rest of the sum to the pseudo header's.
		 */
		inet_put16(want + at + o.csum_offset,
			   inet_pseudo_sum(want, proto, len - at));
		assert_memory_equal(out, want, len);
	}
}

static void merge_leaves_alone_what_was_not_cut_from_one(void **state)
{
	static uint8_t out[65536];
	static struct train t;
	struct offload o;
	struct merge m;

	/* Each spoils the second of three packets, behind which the third
	 * does not fit any more. */
	for (int what = 0; what < 8; what++) {
		uint8_t *p = t.p[1];

		train_make(&t, true, INET_TCP, 3900);
		switch (what) {
		case 0:
			p[500] ^= 1; /* wrong checksum */
			break;
		case 1:
			inet_put16(p + 28, 1); /* acknowledgement */
			break;
		case 2:
			p[33] |= TCP_FIN;
			break;
		case 3:
			p[1] = 0; /* ECN */
			break;
		case 4:
			p[8] = 63; /* hops */
			break;
		case 5:
			inet_put16(p + 26, 1); /* number */
			break;
		case 6:
			inet_put16(p + 34, 5); /* window */
			break;
		case 7:
			p[44] ^= 9; /* time stamp */
			break;
		}
		if (what > 0) {
			inet_put16(p + 10, 0);
			inet_put16(p + 10, (uint16_t)~slow_sum(p, 20, 0));
			inet_put16(p + 36, 0);
			inet_put16(p + 36, (uint16_t)~slow_transport_sum(
						   p, 20, t.len[1]));
		}
		assert_true(merge_all(&m, &t) >= 2);
		for (size_t i = 0; i < m.n_groups; i++) {
			size_t len = taken(&m, i, &o, out);

			if (o.kind == OFFLOAD_NONE && len == t.len[1] &&
			    memcmp(out, t.p[1], len) == 0)
				break;
			assert_true(i + 1 < m.n_groups);
		}
	}
}

static void merge_keeps_the_order_of_a_flow_and_mixes_none(void **state)
{
	static uint8_t out[65536];
	static struct train a, b;
	struct offload o;
	struct merge m;

	train_make(&a, true, INET_TCP, 13000);
	train_make(&b, false, INET_TCP, 13000);
	merge_start(&m, true, true);
	for (size_t i = 0; i < a.n; i++) {
		merge_add(&m, a.p[i], a.len[i]);
		merge_add(&m, b.p[i], b.len[i]);
	}
	assert_int_equal(m.n_groups, 2);
	assert_int_equal(taken(&m, 0, &o, out), 52 + 13000);
	assert_int_equal(out[0], 0x45);
	assert_int_equal(taken(&m, 1, &o, out), 72 + 13000);
	assert_int_equal(out[0], 0x60);
}

static void merge_does_only_what_the_interface_takes(void **state)
{
	static struct train t;
	struct merge m;

	train_make(&t, true, INET_UDP, 10000);
	merge_start(&m, true, false);
	for (size_t i = 0; i < t.n; i++)
		merge_add(&m, t.p[i], t.len[i]);
	assert_int_equal(m.n_groups, t.n);
	train_make(&t, true, INET_TCP, 10000);
	merge_start(&m, false, false);
	for (size_t i = 0; i < t.n; i++)
		merge_add(&m, t.p[i], t.len[i]);
	assert_int_equal(m.n_groups, t.n);
}

static void tcp_sum_again(uint8_t *p, size_t len)
{
	inet_put16(p + 36, 0);
	inet_put16(p + 36, (uint16_t)~slow_transport_sum(p, 20, len));
}

static void merge_stays_below_64_kib(void **state)
{
	static uint8_t out[65536];
	static struct train t;
	struct offload o;
	struct merge m;
	uint8_t *last;

	train_make(&t, true, INET_TCP, 50 * 1300);
	last = t.p[49];
	last[33] = TCP_ACK;
	tcp_sum_again(last, t.len[49]);
	/* One more behind it. */
	memcpy(t.p[50], last, t.len[49]);
	t.len[50] = t.len[49];
	inet_put16(t.p[50] + 26, (uint16_t)(inet_get16(last + 26) + 1300));
	tcp_sum_again(t.p[50], t.len[50]);
	t.n = 51;
	assert_int_equal(merge_all(&m, &t), 2);
	assert_int_equal(taken(&m, 0, &o, out), 52 + 50 * 1300);
	assert_int_equal(taken(&m, 1, &o, out), 52 + 1300);
}

static void merge_takes_no_more_datagrams_than_linux(void **state)
{
	static uint8_t p[130][128];
	struct merge m;

	for (size_t i = 0; i < 130; i++) {
		size_t len = make(p[i], true, INET_UDP, 64);
		uint16_t sum = slow_transport_sum(p[i], 20, len);

		inet_put16(p[i] + 26, (uint16_t)~sum);
	}
	merge_start(&m, true, true);
	for (size_t i = 0; i < 130; i++)
		merge_add(&m, p[i], 28 + 64);
	assert_int_equal(m.n_groups, 3);
	for (size_t i = 0; i < 3; i++) {
		struct bytes parts[MERGE_MAX + 1];
		uint8_t head[OFFLOAD_LEN];

		assert_int_equal(merge_take(&m, i, head, parts),
				 i < 2 ? 65 : 3);
	}
}

/* --- ECN, sizes ---------------------------------------------------------- */

static void ecn_is_combined_as_rfc_6040_says(void **state)
{
	/* Figure 4; rows: inner Not-ECT, ECT(1), ECT(0), CE; columns: outer
	 * of the same order; 9: drop. */
	static const uint8_t want[4][4] = {
		{0, 0, 0, 9}, {1, 1, 1, 3}, {2, 1, 2, 3}, {3, 3, 3, 3}};
	static const uint8_t ecn[4] = {0, 1, 2, 3};

	for (int v4 = 0; v4 < 2; v4++)
		for (size_t in = 0; in < 4; in++)
			for (size_t outer = 0; outer < 4; outer++) {
				size_t len = make(big, v4, INET_UDP, 100);
				bool good;

				big[1] = (uint8_t)(v4 ? 0xb8 | ecn[in]
						      : ecn[in] << 4 | 0x0a);
				inet_set_len(big, len);
				good = inet_ecn_decap(big, ecn[outer]);
				assert_int_equal(good, want[in][outer] != 9);
				if (!good)
					continue;
				assert_int_equal(inet_ecn(bytes(big, len)),
						 want[in][outer]);
				assert_int_equal(big[1] & (v4 ? 0xfc : 0xcf),
						 v4 ? 0xb8 : 0x0a);
				if (v4)
					assert_int_equal(slow_sum(big, 20, 0),
							 0xffff);
			}
}

static void mss_becomes_what_fits(void **state)
{
	/* The option at an even and at an odd place. */
	for (size_t nop = 0; nop < 2; nop++) {
		size_t len = make(big, true, INET_TCP, 0);
		uint8_t *opt = big + 40;

		memset(opt, 1, 12);
		memcpy(opt + nop, "\x02\x04\x05\xb4", 4); /* 1460 */
		big[33] = TCP_SYN;
		inet_put16(big + 36, 0);
		inet_put16(big + 36,
			   (uint16_t)~slow_transport_sum(big, 20, len));
		inet_clamp_mss(big, len, 1400);
		assert_int_equal(inet_get16(opt + nop + 2), 1360);
		check_packet(big, len);
		inet_clamp_mss(big, len, 1500); /* never larger */
		assert_int_equal(inet_get16(opt + nop + 2), 1360);
		big[33] = TCP_ACK;
		inet_clamp_mss(big, len, 1200);
		assert_int_equal(inet_get16(opt + nop + 2), 1360);
	}
}

static void too_big_is_told_to_the_sender(void **state)
{
	uint8_t icmp[INET_TOOBIG_MAX];
	size_t len = make(big, true, INET_UDP, 1400), n;

	n = inet_too_big(bytes(big, len), 1300, icmp);
	assert_int_equal(n, 28 + 548);
	assert_int_equal(slow_sum(icmp, 20, 0), 0xffff);
	assert_int_equal(slow_sum(icmp + 20, n - 20, 0), 0xffff);
	assert_memory_equal(icmp + 12, big + 16, 4);
	assert_memory_equal(icmp + 16, big + 12, 4);
	assert_memory_equal(icmp + 20, "\x03\x04", 2);
	assert_int_equal(inet_get16(icmp + 26), 1300);
	assert_memory_equal(icmp + 28, big, 548);

	len = make(big, false, INET_UDP, 1400);
	n = inet_too_big(bytes(big, len), 1300, icmp);
	assert_int_equal(n, 1280);
	assert_int_equal(slow_transport_sum(icmp, 40, n), 0xffff);
	assert_memory_equal(icmp + 8, big + 24, 16);
	assert_memory_equal(icmp + 24, big + 8, 16);
	assert_memory_equal(icmp + 40, "\x02\x00", 2);
	assert_int_equal(inet_get16(icmp + 46), 1300);
}

static void too_big_is_not_told_of_errors_and_to_groups(void **state)
{
	uint8_t icmp[INET_TOOBIG_MAX];
	size_t len = make(big, true, INET_UDP, 1400);

	big[16] = 224;
	assert_int_equal(inet_too_big(bytes(big, len), 1300, icmp), 0);
	big[16] = 10;
	big[9] = 1;
	big[20] = 3;
	assert_int_equal(inet_too_big(bytes(big, len), 1300, icmp), 0);
	big[20] = 8;
	assert_int_not_equal(inet_too_big(bytes(big, len), 1300, icmp), 0);
	inet_put16(big + 6, 0x2000);
	assert_int_equal(inet_too_big(bytes(big, len), 1300, icmp), 0);
	len = make(big, false, 58, 1400);
	big[40] = 1;
	assert_int_equal(inet_too_big(bytes(big, len), 1300, icmp), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sums_are_those_of_rfc_1071),
		cmocka_unit_test(split_makes_segments_that_a_receiver_takes),
		cmocka_unit_test(
			split_gives_each_tcp_segment_its_number_and_flags),
		cmocka_unit_test(split_ends_a_checksum_that_was_left_open),
		cmocka_unit_test(split_refuses_headers_that_do_not_agree),
		cmocka_unit_test(merge_gives_back_what_split_took),
		cmocka_unit_test(merge_leaves_alone_what_was_not_cut_from_one),
		cmocka_unit_test(
			merge_keeps_the_order_of_a_flow_and_mixes_none),
		cmocka_unit_test(merge_does_only_what_the_interface_takes),
		cmocka_unit_test(merge_stays_below_64_kib),
		cmocka_unit_test(merge_takes_no_more_datagrams_than_linux),
		cmocka_unit_test(ecn_is_combined_as_rfc_6040_says),
		cmocka_unit_test(mss_becomes_what_fits),
		cmocka_unit_test(too_big_is_told_to_the_sender),
		cmocka_unit_test(too_big_is_not_told_of_errors_and_to_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
