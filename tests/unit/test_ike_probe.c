/* How long a packet may be that reaches the gateway: ike_sa_probe_len. */
#include "tests/unit/ike_link.h"

#include <stdlib.h>

#define AROUND (20 + 8 + 4) /* IPv4, UDP, non-ESP marker */

static size_t narrow, longest; /* octets of IKE */
static bool down;

static bool take_short(struct link *l, bool to_gw, uint8_t *d, size_t *len)
{
	if (*len > longest)
		longest = *len;
	return !down && *len <= narrow;
}

static void up(struct link *l)
{
	link_init(l);
	link_open(l);
	link_connect(l);
	link_run(l, 500);
	l->filter = take_short;
	narrow = 1500 - AROUND;
	longest = 0;
	down = false;
}

static void probe(struct link *l, uint16_t len)
{
	assert_int_equal(ike_sa_probe_len(l->sa, len, l->now_ms), OK);
	assert_int_equal(ike_sa_probe_len(l->sa, len, l->now_ms), ERR_BUSY);
	link_pull(l);
}

static void a_long_packet_that_arrives_takes_one_round_trip(void **state)
{
	struct link l;
	size_t sent;

	up(&l);
	sent = l.n_sent;
	probe(&l, 1465);
	link_run(&l, 2 * l.delay_ms);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 1);
	assert_true(l.probed);
	assert_int_equal(l.n_sent, sent + 1);
	assert_int_equal(longest, 1465 - AROUND);
	/* and it may be asked again */
	probe(&l, 1400);
	link_run(&l, 2 * l.delay_ms);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 2);
	link_close(&l);
}

static void one_that_does_not_is_told_within_a_second(void **state)
{
	struct link l;

	up(&l);
	narrow = 1300 - AROUND;
	probe(&l, 1465);
	/* what has to wait goes on behind it */
	assert_int_equal(ike_sa_ask_ticket(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 1000);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 1);
	assert_false(l.probed);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 2);
	link_run(&l, 60000);
	assert_false(l.closed);
	link_close(&l);
}

static void while_nothing_is_answered_nothing_is_told(void **state)
{
	struct link l;

	up(&l);
	down = true;
	probe(&l, 1465);
	link_run(&l, 3000);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 0);
	down = false;
	link_run(&l, 10000);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 1);
	assert_false(l.closed);
	link_close(&l);
}

static void a_rekey_meanwhile_does_not_lose_it(void **state)
{
	struct link l;

	up(&l);
	assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
	probe(&l, 1465);
	link_run(&l, 5000);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 1);
	assert_true(l.probed);
	narrow = 1300 - AROUND;
	probe(&l, 1465);
	assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
	link_run(&l, 5000);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 2);
	assert_false(l.probed);
	assert_false(l.closed);
	link_close(&l);
}

static void what_cannot_be_asked_is_refused(void **state)
{
	struct link l;

	up(&l);
	assert_int_equal(ike_sa_probe_len(l.sa, 1501, l.now_ms),
			 ERR_UNSUPPORTED);
	assert_int_equal(ike_sa_probe_len(l.sa, 575, l.now_ms),
			 ERR_UNSUPPORTED);
	link_close(&l);
	link_init(&l);
	link_open(&l);
	assert_int_equal(ike_sa_probe_len(l.sa, 1465, l.now_ms), ERR_STATE);
	link_close(&l);
}

/* The gateway has the long one, but its answers were lost. */
static bool lose_answers(struct link *l, bool to_gw, uint8_t *d, size_t *len)
{
	return to_gw || !down;
}

static void a_gateway_that_has_it_answers_the_short_one(void **state)
{
	struct link l;

	up(&l);
	l.filter = lose_answers;
	down = true;
	probe(&l, 1465);
	link_run(&l, 600);
	down = false;
	link_run(&l, 5000);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 1);
	assert_false(l.closed);
	link_close(&l);
}

/* The gateway rekeys while the short one is out, and ends the old IKE SA
 * without having had it. */
static bool lose_our_informational(struct link *l, bool to_gw, uint8_t *d,
				   size_t *len)
{
	enum { AT_EXCHANGE = 18, AT_FLAGS = 19 };
	bool response = d[AT_FLAGS] & 0x20;

	return !to_gw || !down || response || d[AT_EXCHANGE] != INFORMATIONAL;
}

static void a_rekey_by_the_gateway_does_not_lose_it(void **state)
{
	struct link l;

	up(&l);
	l.filter = lose_our_informational;
	down = true;
	probe(&l, 1465);
	link_run(&l, 600);
	gw_rekey_ike(l.gw, 0, l.now_ms);
	link_run(&l, 400);
	assert_int_equal(gw_counters(l.gw)->ike_rekeys, 1);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 0);
	down = false;
	link_run(&l, 3000);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 1);
	assert_true(l.probed);
	assert_false(l.closed);
	/* and it may be asked again */
	probe(&l, 1400);
	link_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_long_packet_that_arrives_takes_one_round_trip),
		cmocka_unit_test(one_that_does_not_is_told_within_a_second),
		cmocka_unit_test(while_nothing_is_answered_nothing_is_told),
		cmocka_unit_test(a_rekey_meanwhile_does_not_lose_it),
		cmocka_unit_test(what_cannot_be_asked_is_refused),
		cmocka_unit_test(a_gateway_that_has_it_answers_the_short_one),
		cmocka_unit_test(a_rekey_by_the_gateway_does_not_lose_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
