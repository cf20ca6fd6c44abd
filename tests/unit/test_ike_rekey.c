/* The initiator against the test gateway: an established SA. */
#include "tests/unit/ike_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/base/log.h"

static void say(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "# %s\n", text);
}

static void up(struct link *l)
{
	link_init(l);
	link_open(l);
	link_connect(l);
}

static void
ike_rekey_of_ours_voids_the_ticket_and_brings_a_new_one(void **state)
{
	struct link l;

	up(&l);
	assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 400);
	assert_int_equal(gw_counters(l.gw)->ike_rekeys, 1);
	assert_int_equal(gw_ike_count(l.gw), 1);
	assert_int_equal(link_count(&l, IKE_DO_TICKET_VOID), 1);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 2);
	assert_true(l.have_ticket);
	link_assert_children(&l, 1);
	/* the new generation carries exchanges, and its ticket is good */
	assert_int_equal(ike_sa_rekey_child(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 400);
	link_assert_children(&l, 1);
	assert_int_equal(gw_counters(l.gw)->child_rekeys, 1);
	link_again(&l);
	link_resume(&l);
	link_run(&l, 400);
	assert_true(l.resumed);
	link_close(&l);
}

static void ike_rekey_of_the_gateway_makes_us_ask_for_a_ticket(void **state)
{
	struct link l;

	up(&l);
	gw_rekey_ike(l.gw, 0, l.now_ms);
	link_pull(&l);
	link_run(&l, 400);
	assert_int_equal(gw_counters(l.gw)->ike_rekeys, 1);
	assert_int_equal(gw_ike_count(l.gw), 1);
	assert_int_equal(link_count(&l, IKE_DO_TICKET_VOID), 1);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 2);
	/* a chain of rekeys in both directions */
	for (int i = 0; i < 6; i++) {
		if (i & 1)
			gw_rekey_ike(l.gw, 0, l.now_ms);
		else
			assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
		link_pull(&l);
		link_run(&l, 40000);
	}
	assert_int_equal(gw_counters(l.gw)->ike_rekeys, 7);
	assert_false(l.closed);
	assert_int_equal(ike_sa_check_alive(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 400);
	assert_int_equal(ike_sa_state(l.sa), IKE_ST_UP);
	link_close(&l);
}

static void child_rekey_in_both_directions(void **state)
{
	struct link l;

	up(&l);
	for (int i = 0; i < 5; i++) {
		if (i & 1)
			gw_rekey_child(l.gw, 0, l.now_ms);
		else
			assert_int_equal(ike_sa_rekey_child(l.sa, l.now_ms),
					 OK);
		link_pull(&l);
		link_run(&l, 400);
		link_assert_children(&l, 1);
	}
	assert_int_equal(gw_counters(l.gw)->child_rekeys, 5);
	assert_int_equal(link_count(&l, IKE_DO_CHILD_ADD), 6);
	assert_int_equal(link_count(&l, IKE_DO_CHILD_DEL), 5);
	link_close(&l);
}

static void child_rekeys_that_cross_leave_one_child(void **state)
{
	/* Other seeds, other lowest nonces: both outcomes come. */
	for (uint8_t seed = 0; seed < 8; seed++) {
		struct link l;

		link_init(&l);
		l.seed = seed;
		link_open(&l);
		link_connect(&l);
		assert_int_equal(ike_sa_rekey_child(l.sa, l.now_ms), OK);
		gw_rekey_child(l.gw, 0, l.now_ms);
		link_pull(&l);
		link_run(&l, 2000);
		assert_false(l.closed);
		link_assert_children(&l, 1);
		assert_int_equal(ike_sa_rekey_child(l.sa, l.now_ms), OK);
		link_pull(&l);
		link_run(&l, 2000);
		link_assert_children(&l, 1);
		link_close(&l);
	}
}

static void ike_rekeys_that_cross_leave_one_ike_sa(void **state)
{
	for (uint8_t seed = 0; seed < 8; seed++) {
		struct link l;

		link_init(&l);
		l.seed = seed;
		link_open(&l);
		link_connect(&l);
		assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
		gw_rekey_ike(l.gw, 0, l.now_ms);
		link_pull(&l);
		link_run(&l, 5000);
		assert_false(l.closed);
		assert_int_equal(gw_ike_count(l.gw), 1);
		assert_true(l.have_ticket);
		assert_int_equal(ike_sa_rekey_child(l.sa, l.now_ms), OK);
		link_pull(&l);
		link_run(&l, 2000);
		link_assert_children(&l, 1);
		gw_rekey_child(l.gw, 0, l.now_ms);
		link_pull(&l);
		link_run(&l, 2000);
		link_assert_children(&l, 1);
		link_close(&l);
	}
}

static void ike_and_child_rekeys_that_cross_both_come_through(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct link l;

		up(&l);
		if (i == 0) {
			assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
			gw_rekey_child(l.gw, 0, l.now_ms);
		} else {
			assert_int_equal(ike_sa_rekey_child(l.sa, l.now_ms),
					 OK);
			gw_rekey_ike(l.gw, 0, l.now_ms);
		}
		link_pull(&l);
		link_run(&l, 60000);
		assert_false(l.closed);
		link_assert_children(&l, 1);
		assert_int_equal(gw_counters(l.gw)->ike_rekeys, 1);
		assert_int_equal(gw_counters(l.gw)->child_rekeys, 1);
		link_close(&l);
	}
}

/* A link that loses: every third, then every fifth datagram. */
static bool lossy(struct link *l, bool to_gw, uint8_t *d, size_t *len)
{
	static unsigned int n;

	n++;
	return n % 3 != 0 && n % 5 != 0;
}

static void rekeys_cross_and_come_through_on_a_lossy_link(void **state)
{
	for (uint8_t seed = 0; seed < 12; seed++) {
		struct link l;

		link_init(&l);
		l.seed = seed;
		l.cfg.max_tries = 9;
		link_open(&l);
		link_connect(&l);
		l.filter = lossy;
		for (int i = 0; i < 4; i++) {
			if (i & 1) {
				ike_sa_rekey_ike(l.sa, l.now_ms) == OK ? (void)0
								       : fail();
				gw_rekey_ike(l.gw, 0, l.now_ms);
			} else {
				ike_sa_rekey_child(l.sa, l.now_ms) == OK
					? (void)0
					: fail();
				gw_rekey_child(l.gw, 0, l.now_ms);
			}
			link_pull(&l);
			link_run(&l, 120000);
			if (l.closed)
				fail_msg("closed: %s", l.detail);
		}
		link_assert_children(&l, 1);
		assert_int_equal(gw_ike_count(l.gw), 1);
		link_close(&l);
	}
}

static void delete_of_ours_voids_the_ticket_and_closes(void **state)
{
	struct link l;

	up(&l);
	assert_int_equal(ike_sa_delete(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 400);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_CANCELLED);
	assert_false(l.have_ticket);
	assert_int_equal(gw_session_count(l.gw), 0);
	assert_int_equal(ike_sa_next_deadline(l.sa), INT64_MAX);
	link_close(&l);
}

static void delete_of_ours_ends_also_when_nobody_answers(void **state)
{
	struct link l;

	up(&l);
	gw_switches(l.gw)->silent = true;
	assert_int_equal(ike_sa_delete(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 5000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_CANCELLED);
	link_close(&l);
}

static void delete_of_the_gateway_closes_with_gone(void **state)
{
	struct link l;

	up(&l);
	gw_delete_ike(l.gw, 0, l.now_ms);
	link_pull(&l);
	link_run(&l, 400);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_GONE);
	assert_false(l.have_ticket);
	link_close(&l);
}

static void deletes_that_cross_close_on_both_sides(void **state)
{
	struct link l;

	up(&l);
	gw_delete_ike(l.gw, 0, l.now_ms);
	assert_int_equal(ike_sa_delete(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 400);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_CANCELLED);
	assert_int_equal(gw_session_count(l.gw), 0);
	link_close(&l);
}

static void child_deleted_by_the_gateway_is_made_anew(void **state)
{
	struct link l;

	up(&l);
	gw_delete_child(l.gw, 0, l.now_ms);
	link_pull(&l);
	link_run(&l, 100);
	/* the test gateway refuses a further Child SA: then it is over */
	link_run(&l, 5000);
	assert_int_equal(link_count(&l, IKE_DO_CHILD_DEL), 1);
	assert_true(l.closed ? l.why == ERR_GONE
			     : link_count(&l, IKE_DO_CHILD_ADD) == 2);
	link_close(&l);
}

static void silence_is_checked_and_ends_the_session(void **state)
{
	struct link l;

	link_init(&l);
	l.cfg.dpd_ms = 10000;
	link_open(&l);
	link_connect(&l);
	link_run(&l, 35000);
	assert_false(l.closed);
	assert_true(l.n_sent >= 5);
	gw_switches(l.gw)->silent = true;
	link_run(&l, 40000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_NO_ANSWER);
	assert_true(l.have_ticket);
	link_close(&l);
}

static void traffic_spares_the_liveness_check(void **state)
{
	struct link l;
	size_t sent;

	link_init(&l);
	l.cfg.dpd_ms = 10000;
	link_open(&l);
	link_connect(&l);
	sent = l.n_sent;
	for (int i = 0; i < 20; i++) {
		ike_sa_heard(l.sa, l.now_ms);
		link_run(&l, 5000);
	}
	assert_int_equal(l.n_sent, sent);
	link_close(&l);
}

static void no_deadline_stands_without_a_reason(void **state)
{
	struct link l;

	up(&l);
	link_run(&l, 60000);
	assert_int_equal(ike_sa_next_deadline(l.sa), INT64_MAX);
	link_close(&l);
}

static void keepalives_go_out_only_behind_nat_and_only_in_silence(void **state)
{
	struct link l;

	up(&l);
	assert_int_equal(link_count(&l, IKE_DO_KEEPALIVE), 0);
	link_close(&l);

	link_init(&l);
	l.cfg.keepalive_ms = 20000;
	link_open(&l);
	/* the gateway sees another address than we do */
	l.path.local.family = ADDR_NONE;
	link_connect(&l);
	assert_true(l.behind_nat);
	link_run(&l, 19000);
	assert_int_equal(link_count(&l, IKE_DO_KEEPALIVE), 0);
	ike_sa_spoke(l.sa, l.now_ms);
	link_run(&l, 19000);
	assert_int_equal(link_count(&l, IKE_DO_KEEPALIVE), 0);
	link_run(&l, 60000);
	assert_in_range(link_count(&l, IKE_DO_KEEPALIVE), 2, 4);
	link_close(&l);
}

static void rekeys_happen_by_the_clock(void **state)
{
	struct link l;

	link_init(&l);
	l.cfg.ike_rekey_ms = 3600000;
	l.cfg.child_rekey_ms = 1200000;
	link_open(&l);
	link_connect(&l);
	link_run(&l, 4 * 3600000LL);
	assert_false(l.closed);
	assert_in_range(gw_counters(l.gw)->ike_rekeys, 4, 5);
	assert_in_range(gw_counters(l.gw)->child_rekeys, 12, 14);
	link_assert_children(&l, 1);
	assert_true(l.have_ticket);
	link_close(&l);
}

static void gateway_that_refuses_rekeys_is_left_politely(void **state)
{
	struct link l;

	up(&l);
	gw_switches(l.gw)->no_additional = true;
	assert_int_equal(ike_sa_rekey_child(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 1000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_GONE);
	assert_int_equal(gw_session_count(l.gw), 0);
	link_close(&l);
}

static void ticket_can_be_asked_for_and_pushed(void **state)
{
	struct link l;

	link_init(&l);
	l.cfg.take_pushed_ticket = true;
	link_open(&l);
	link_connect(&l);
	assert_int_equal(ike_sa_ask_ticket(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 100);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 2);
	gw_push_ticket(l.gw, 0, l.now_ms);
	link_pull(&l);
	link_run(&l, 100);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 3);
	assert_int_equal(link_count(&l, IKE_DO_TICKET_NONE), 0);
	gw_switches(l.gw)->nack_request = true;
	assert_int_equal(ike_sa_ask_ticket(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 100);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 3);
	assert_int_equal(link_count(&l, IKE_DO_TICKET_NONE), 1);
	assert_int_equal(ike_sa_state(l.sa), IKE_ST_UP);
	link_close(&l);
}

static void ticket_that_nobody_asked_for_is_left_out(void **state)
{
	struct link l;

	up(&l);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 1);
	gw_push_ticket(l.gw, 0, l.now_ms);
	link_pull(&l);
	link_run(&l, 100);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 1);
	assert_int_equal(ike_sa_state(l.sa), IKE_ST_UP);
	link_close(&l);
}

static void child_rekey_without_key_exchange(void **state)
{
	struct link l;
	struct diag diag = DIAG_INIT;

	link_init(&l);
	assert_int_equal(proposals_from_text("aes256-sha256", PROTO_ESP,
					     &l.cfg.esp_proposals, &diag),
			 OK);
	l.gwc.esp = l.cfg.esp_proposals;
	link_open(&l);
	link_connect(&l);
	assert_int_equal(ike_sa_rekey_child(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 400);
	gw_rekey_child(l.gw, 0, l.now_ms);
	link_pull(&l);
	link_run(&l, 400);
	link_assert_children(&l, 1);
	assert_int_equal(gw_counters(l.gw)->child_rekeys, 2);
	link_close(&l);
}

static void ike_rekey_follows_the_group_the_gateway_wants(void **state)
{
	struct link l;

	up(&l);
	assert_int_equal(gw_set_groups(l.gw, "modp2048"), OK);
	assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 400);
	assert_int_equal(gw_counters(l.gw)->ike_rekeys, 1);
	assert_int_equal(ike_sa_suite(l.sa)->ke, KE_MODP_2048);
	link_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			ike_rekey_of_ours_voids_the_ticket_and_brings_a_new_one),
		cmocka_unit_test(
			ike_rekey_of_the_gateway_makes_us_ask_for_a_ticket),
		cmocka_unit_test(child_rekey_in_both_directions),
		cmocka_unit_test(child_rekeys_that_cross_leave_one_child),
		cmocka_unit_test(ike_rekeys_that_cross_leave_one_ike_sa),
		cmocka_unit_test(
			ike_and_child_rekeys_that_cross_both_come_through),
		cmocka_unit_test(rekeys_cross_and_come_through_on_a_lossy_link),
		cmocka_unit_test(delete_of_ours_voids_the_ticket_and_closes),
		cmocka_unit_test(delete_of_ours_ends_also_when_nobody_answers),
		cmocka_unit_test(delete_of_the_gateway_closes_with_gone),
		cmocka_unit_test(deletes_that_cross_close_on_both_sides),
		cmocka_unit_test(child_deleted_by_the_gateway_is_made_anew),
		cmocka_unit_test(silence_is_checked_and_ends_the_session),
		cmocka_unit_test(traffic_spares_the_liveness_check),
		cmocka_unit_test(no_deadline_stands_without_a_reason),
		cmocka_unit_test(
			keepalives_go_out_only_behind_nat_and_only_in_silence),
		cmocka_unit_test(rekeys_happen_by_the_clock),
		cmocka_unit_test(gateway_that_refuses_rekeys_is_left_politely),
		cmocka_unit_test(ticket_can_be_asked_for_and_pushed),
		cmocka_unit_test(ticket_that_nobody_asked_for_is_left_out),
		cmocka_unit_test(child_rekey_without_key_exchange),
		cmocka_unit_test(ike_rekey_follows_the_group_the_gateway_wants),
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_rekey", tests, NULL, NULL);
}
