/* Framing of RFC 9329 and a stream over a socket pair. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/run/tcp.h"

static struct tcp_reader reader;

static int reader_clear(void **state)
{
	memset(&reader, 0, sizeof(reader));
	return 0;
}

static void feed(const void *p, size_t len)
{
	size_t cap;
	uint8_t *room = tcp_reader_room(&reader, &cap);

	assert_true(len <= cap);
	memcpy(room, p, len);
	tcp_reader_add(&reader, len);
}

static void records_come_out_as_they_were_framed(void **state)
{
	/* Figures 1 and 2: length 8 is IKE with two octets, 7 is ESP. */
	static const uint8_t in[] = {0, 8, 0, 0, 0, 0, 'a', 'b', 0,
				     7, 9, 8, 7, 6, 5, 0,   3,	 0xff};
	struct bytes out;

	feed(in, sizeof(in));
	assert_int_equal(tcp_reader_next(&reader, &out), WIRE_IKE);
	assert_true(bytes_eq(out, bytes_str("ab")));
	assert_int_equal(tcp_reader_next(&reader, &out), WIRE_ESP);
	assert_true(bytes_eq(out, bytes(in + 10, 5)));
	/* 6.6: a keepalive is no error */
	assert_int_equal(tcp_reader_next(&reader, &out), WIRE_OTHER);
	assert_int_equal(tcp_reader_next(&reader, &out), WIRE_NOTHING);
}

static void an_empty_record_is_ignored(void **state)
{
	static const uint8_t in[] = {0, 2, 0, 7, 1, 2, 3, 4, 5};
	struct bytes out;

	feed(in, sizeof(in));
	assert_int_equal(tcp_reader_next(&reader, &out), WIRE_OTHER);
	assert_int_equal(tcp_reader_next(&reader, &out), WIRE_ESP);
}

static void lengths_zero_and_one_break_the_stream_for_good(void **state)
{
	for (uint8_t bad = 0; bad < 2; bad++) {
		uint8_t in[] = {0, bad};
		struct bytes out;
		size_t cap;

		reader_clear(NULL);
		feed(in, sizeof(in));
		assert_int_equal(tcp_reader_next(&reader, &out), WIRE_BROKEN);
		tcp_reader_room(&reader, &cap);
		assert_int_equal(cap, 0);
		tcp_reader_add(&reader, 0);
		assert_int_equal(tcp_reader_next(&reader, &out), WIRE_BROKEN);
	}
}

static void a_record_may_come_octet_by_octet(void **state)
{
	static const uint8_t in[] = {0, 7, 1, 2, 3, 4, 5};
	struct bytes out;

	for (size_t i = 0; i < sizeof(in); i++) {
		assert_int_equal(tcp_reader_next(&reader, &out), WIRE_NOTHING);
		feed(in + i, 1);
	}
	assert_int_equal(tcp_reader_next(&reader, &out), WIRE_ESP);
	assert_true(bytes_eq(out, bytes(in + 2, 5)));
}

static void the_longest_record_fits_behind_a_part_of_another(void **state)
{
	static uint8_t in[TCP_LENGTH_LEN + TCP_RECORD_MAX];
	struct bytes out;

	memset(in, 1, sizeof(in));
	in[0] = in[1] = 0xff;
	feed(in, sizeof(in));
	feed(in, 3);
	assert_int_equal(tcp_reader_next(&reader, &out), WIRE_ESP);
	assert_int_equal(out.len, TCP_RECORD_MAX);
	assert_int_equal(tcp_reader_next(&reader, &out), WIRE_NOTHING);
	feed(in + 3, sizeof(in) - 3);
	assert_int_equal(tcp_reader_next(&reader, &out), WIRE_ESP);
	assert_int_equal(out.len, TCP_RECORD_MAX);
}

/* --- over a socket -------------------------------------------------------- */

struct pair {
	int ours, theirs;
	struct tcp_stream *s;
};

static int pair_open(void **state)
{
	static struct pair p;
	int sv[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv), 0);
	p.ours = sv[0];
	p.theirs = sv[1];
	assert_int_equal(tcp_stream_new(p.ours, &p.s), OK);
	*state = &p;
	return 0;
}

static int pair_close(void **state)
{
	struct pair *p = *state;

	tcp_stream_free(&p->s);
	close(p->ours);
	if (p->theirs >= 0)
		close(p->theirs);
	return 0;
}

static void the_prefix_is_sent_once_and_first(void **state)
{
	/* RFC 9329 figure 3, then figures 1 and 2 */
	static const uint8_t want[] = {0x49, 0x4b, 0x45, 0x54, 0x43, 0x50, 0,
				       8,    0,	   0,	 0,    0,    'a',  'b',
				       0,    7,	   1,	 2,    3,    4,	   5};
	static const uint8_t esp[] = {1, 2, 3, 4, 5};
	struct pair *p = *state;
	uint8_t got[64];
	bool more;

	tcp_send_ike(p->s, bytes_str("ab"));
	assert_true(tcp_flush(p->s, &more));
	assert_false(more);
	tcp_send_esp(p->s, BYTES_OF(esp));
	assert_true(tcp_flush(p->s, &more));
	assert_int_equal(read(p->theirs, got, sizeof(got)), sizeof(want));
	assert_memory_equal(got, want, sizeof(want));
}

/* All that the other side was sent, decoded: number of ESP and IKE. */
static void count(struct pair *p, size_t *out_esp, size_t *out_ike)
{
	bool first = true, more = true, flushed = true;
	struct bytes out;
	size_t cap;

	*out_esp = *out_ike = 0;
	reader_clear(NULL);
	while (more || flushed) {
		uint8_t *room = tcp_reader_room(&reader, &cap);
		ssize_t n = read(p->theirs, room, cap);
		enum wire_kind kind;

		flushed = n > 0;
		if (n > 0)
			tcp_reader_add(&reader, (size_t)n);
		if (n > 0 && first)
			reader.start = 6;
		first = first && n <= 0;
		while ((kind = tcp_reader_next(&reader, &out)) !=
		       WIRE_NOTHING) {
			assert_int_not_equal(kind, WIRE_BROKEN);
			*out_esp += kind == WIRE_ESP;
			*out_ike += kind == WIRE_IKE;
		}
		assert_true(tcp_flush(p->s, &more));
	}
}

static void a_full_line_loses_whole_packets_and_keeps_ike(void **state)
{
	static const uint8_t esp[1400] = {1};
	struct pair *p = *state;
	size_t n_esp, n_ike;
	bool more = false;

	for (size_t i = 0; i < 3000; i++) {
		tcp_send_esp(p->s, BYTES_OF(esp));
		assert_true(tcp_flush(p->s, &more));
	}
	assert_true(more);
	tcp_send_ike(p->s, bytes_str("still"));
	count(p, &n_esp, &n_ike);
	assert_in_range(n_esp, 50, 2999);
	assert_int_equal(n_ike, 1);
}

static void the_end_of_the_connection_is_told(void **state)
{
	struct pair *p = *state;
	struct bytes out;
	bool more;

	assert_true(tcp_fill(p->s));
	assert_int_equal(tcp_next(p->s, &out), WIRE_NOTHING);
	assert_int_equal(write(p->theirs, "\0\7abcde\0\7ab", 11), 11);
	close(p->theirs);
	p->theirs = -1;
	assert_true(tcp_fill(p->s));
	assert_int_equal(tcp_next(p->s, &out), WIRE_ESP);
	/* 6.1: what came of a record that breaks off is discarded */
	assert_int_equal(tcp_next(p->s, &out), WIRE_NOTHING);
	assert_false(tcp_fill(p->s));
	assert_int_equal(tcp_next(p->s, &out), WIRE_NOTHING);
	tcp_send_ike(p->s, bytes_str("ab"));
	assert_false(tcp_flush(p->s, &more));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(records_come_out_as_they_were_framed,
				       reader_clear),
		cmocka_unit_test_setup(an_empty_record_is_ignored,
				       reader_clear),
		cmocka_unit_test_setup(
			lengths_zero_and_one_break_the_stream_for_good,
			reader_clear),
		cmocka_unit_test_setup(a_record_may_come_octet_by_octet,
				       reader_clear),
		cmocka_unit_test_setup(
			the_longest_record_fits_behind_a_part_of_another,
			reader_clear),
		cmocka_unit_test_setup_teardown(
			the_prefix_is_sent_once_and_first, pair_open,
			pair_close),
		cmocka_unit_test_setup_teardown(
			a_full_line_loses_whole_packets_and_keeps_ike,
			pair_open, pair_close),
		cmocka_unit_test_setup_teardown(
			the_end_of_the_connection_is_told, pair_open,
			pair_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
