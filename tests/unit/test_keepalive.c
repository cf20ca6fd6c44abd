/* The interval of keepalives, against NATs that keep mappings for all kinds of
 * times, in virtual time. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "client/session/keepalive.h"

#define FIRST_MS 20000
#define DPD_MS	 30000

static const struct keepalive_known nothing;

/* A tunnel nobody uses behind a NAT. */
struct nat {
	uint32_t timeout_ms;
	bool inbound_refreshes;
	uint32_t rtt_ms;
	int64_t used_ms, now_ms;
	int port; /* of the mapping */
	int port_seen;
	/* What it cost. */
	unsigned breaks;
	uint32_t worst_ms; /* without a mapping */
};

static void nat_packet(struct nat *n, bool outbound)
{
	int64_t silence_ms = n->now_ms - n->used_ms;

	if (silence_ms >= n->timeout_ms) {
		if (!outbound)
			return; /* dropped */
		n->breaks++;
		n->port++;
		if (silence_ms - n->timeout_ms > n->worst_ms)
			n->worst_ms = (uint32_t)(silence_ms - n->timeout_ms);
	}
	if (outbound || n->inbound_refreshes)
		n->used_ms = n->now_ms;
}

/* The interval passes, then a check and its answer. */
static void nat_round(struct nat *n, struct keepalive *k)
{
	/* From our last packet on; a timer is never early. */
	n->now_ms = k->out_ms + keepalive_interval_ms(k) + 3;
	nat_packet(n, true);
	keepalive_sent(k, n->now_ms);
	n->now_ms += n->rtt_ms;
	nat_packet(n, false);
	keepalive_heard(k, n->now_ms);
	keepalive_checked(k, n->port == n->port_seen);
	n->port_seen = n->port;
}

static void keepalive_finds_the_time_of_any_nat(void **state)
{
	for (uint32_t s = 30; s <= 600; s++) {
		struct nat n = {.timeout_ms = s * 1000,
				.inbound_refreshes = s % 2,
				.rtt_ms = s * 7 % 900};
		struct keepalive k;
		uint32_t found_ms;
		unsigned breaks;

		keepalive_begin(&k, FIRST_MS, &nothing, 0);
		for (int round = 0; round < 60; round++)
			nat_round(&n, &k);
		found_ms = keepalive_interval_ms(&k);
		assert_in_range(found_ms, n.timeout_ms * 7 / 10, n.timeout_ms);
		/* Each step that was too far, twice; never for long. */
		assert_in_range(n.breaks, 0, 12);
		assert_in_range(n.worst_ms, 0, DPD_MS + 3);
		/* And there it stays. */
		breaks = n.breaks;
		for (int round = 0; round < 200; round++)
			nat_round(&n, &k);
		assert_int_equal(n.breaks, breaks);
		assert_int_equal(keepalive_interval_ms(&k), found_ms);
	}
}

static void keepalive_is_safe_behind_the_shortest_nats(void **state)
{
	for (uint32_t s = 8; s < 30; s++) {
		struct nat n = {.timeout_ms = s * 1000};
		struct keepalive k;
		unsigned breaks;

		keepalive_begin(&k, FIRST_MS, &nothing, 0);
		for (int round = 0; round < 40; round++)
			nat_round(&n, &k);
		breaks = n.breaks;
		for (int round = 0; round < 100; round++)
			nat_round(&n, &k);
		assert_int_equal(n.breaks, breaks);
		assert_in_range(keepalive_interval_ms(&k), 5000, s * 1000 - 1);
	}
}

static void keepalive_begins_with_what_is_known_of_the_network(void **state)
{
	const struct keepalive_known known = {.lives_ms = 110000,
					      .dies_ms = 114000};
	struct nat n = {.timeout_ms = 113000};
	struct keepalive k;

	keepalive_begin(&k, FIRST_MS, &known, 0);
	assert_int_equal(keepalive_interval_ms(&k), 110000);
	for (int round = 0; round < 100; round++)
		nat_round(&n, &k);
	assert_int_equal(n.breaks, 0);
}

static void keepalive_notices_a_network_that_became_worse(void **state)
{
	const struct keepalive_known known = {.lives_ms = 300000};
	struct nat n = {.timeout_ms = 60000};
	struct keepalive k;

	keepalive_begin(&k, FIRST_MS, &known, 0);
	for (int round = 0; round < 60; round++)
		nat_round(&n, &k);
	assert_in_range(keepalive_interval_ms(&k), 42000, 60000);
}

static void keepalive_notices_a_network_that_became_better(void **state)
{
	const struct keepalive_known known = {.lives_ms = 50000,
					      .dies_ms = 54000};
	struct keepalive k;

	keepalive_begin(&k, FIRST_MS, &known, 0);
	assert_int_equal(keepalive_interval_ms(&k), 50000);
	keepalive_heard(&k, 100000); /* the gateway, after a long silence */
	assert_int_equal(k.known.lives_ms, 100000);
	assert_int_equal(keepalive_interval_ms(&k), 100000);
	keepalive_checked(&k, true);
	assert_true(keepalive_interval_ms(&k) > 100000);
}

static void keepalive_a_router_restarted_once_changes_nothing(void **state)
{
	struct nat n = {.timeout_ms = 200000};
	struct keepalive k;
	struct keepalive_known before;

	keepalive_begin(&k, FIRST_MS, &nothing, 0);
	for (int round = 0; round < 60; round++)
		nat_round(&n, &k);
	before = k.known;
	n.port++; /* every mapping is forgotten */
	for (int round = 0; round < 10; round++)
		nat_round(&n, &k);
	assert_int_equal(k.known.lives_ms, before.lives_ms);
	assert_int_equal(k.known.dies_ms, before.dies_ms);
}

static void keepalive_traffic_without_silence_proves_nothing(void **state)
{
	struct keepalive k;

	keepalive_begin(&k, FIRST_MS, &nothing, 0);
	for (int64_t now_ms = 0; now_ms < 3600 * 1000; now_ms += 1000) {
		keepalive_sent(&k, now_ms);
		keepalive_heard(&k, now_ms + 30);
		if (now_ms % 10000 == 0)
			keepalive_checked(&k, true);
	}
	assert_int_equal(keepalive_interval_ms(&k), FIRST_MS);
	assert_in_range(k.known.lives_ms, 0, 1000);
}

static void keepalive_an_answer_to_us_proves_no_silence(void **state)
{
	struct keepalive k;

	keepalive_begin(&k, FIRST_MS, &nothing, 0);
	keepalive_sent(&k, 500000);
	keepalive_heard(&k, 500050);
	assert_in_range(k.known.lives_ms, 0, 50);
}

/* A gateway without MOBIKE answers, and does not say whom. */
static void
keepalive_goes_no_further_than_proven_where_nothing_is_told(void **state)
{
	struct nat n = {.timeout_ms = 40000};
	struct keepalive k;

	keepalive_begin(&k, FIRST_MS, &nothing, 0);
	n.now_ms = 30000;
	nat_packet(&n, false);
	keepalive_heard(&k, n.now_ms);
	for (int round = 0; round < 100; round++) {
		n.now_ms = k.out_ms + keepalive_interval_ms(&k) + 3;
		nat_packet(&n, true);
		keepalive_sent(&k, n.now_ms);
		keepalive_heard(&k, n.now_ms + 40);
	}
	assert_int_equal(keepalive_interval_ms(&k), 30000);
	assert_int_equal(n.breaks, 0);
}

/* Data that threads carry is told of only now and then. */
static void keepalive_data_that_was_not_seen_blames_no_silence(void **state)
{
	struct keepalive k;

	keepalive_begin(&k, FIRST_MS, &nothing, 0);
	for (int64_t now_ms = 100000; now_ms < 1000000; now_ms += 100000) {
		keepalive_data(&k, true, now_ms - 2000);
		keepalive_sent(&k, now_ms);
		keepalive_heard(&k, now_ms + 40);
		keepalive_checked(&k, false);
	}
	assert_int_equal(k.known.dies_ms, 0);
	assert_int_equal(keepalive_interval_ms(&k), FIRST_MS);
	/* Nor does it prove one. */
	keepalive_data(&k, false, 2000000);
	keepalive_checked(&k, true);
	assert_in_range(k.known.lives_ms, 0, FIRST_MS);
}

static void keepalive_never_waits_longer_than_ten_minutes(void **state)
{
	const struct keepalive_known known = {.lives_ms = UINT32_MAX};
	struct keepalive k;

	keepalive_begin(&k, FIRST_MS, &known, 0);
	assert_int_equal(keepalive_interval_ms(&k), 600000);
	keepalive_begin(&k, FIRST_MS, &nothing, 0);
	keepalive_heard(&k, INT64_MAX);
	assert_int_equal(keepalive_interval_ms(&k), 600000);
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(keepalive_finds_the_time_of_any_nat),
		T(keepalive_is_safe_behind_the_shortest_nats),
		T(keepalive_begins_with_what_is_known_of_the_network),
		T(keepalive_notices_a_network_that_became_worse),
		T(keepalive_notices_a_network_that_became_better),
		T(keepalive_a_router_restarted_once_changes_nothing),
		T(keepalive_traffic_without_silence_proves_nothing),
		T(keepalive_an_answer_to_us_proves_no_silence),
		T(keepalive_goes_no_further_than_proven_where_nothing_is_told),
		T(keepalive_data_that_was_not_seen_blames_no_silence),
		T(keepalive_never_waits_longer_than_ten_minutes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
