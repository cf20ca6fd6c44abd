/* The initiator against the test gateway: connecting. */
#include "tests/unit/ike_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/base/log.h"

static void say(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "# %s\n", text);
}

static void connect_with_psk_brings_configuration_child_and_ticket(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	link_connect(&l);
	link_assert_children(&l, 1);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 1);
	assert_true(link_first(&l, IKE_DO_NETCONF) <
		    link_first(&l, IKE_DO_CHILD_ADD));
	assert_true(link_first(&l, IKE_DO_CHILD_ADD) <
		    link_first(&l, IKE_DO_TICKET));
	assert_true(link_first(&l, IKE_DO_TICKET) < link_first(&l, IKE_DO_UP));
	assert_int_equal(l.conf.inner_v4.family, ADDR_V4);
	assert_int_equal(l.conf.inner_v6.family, ADDR_V6);
	assert_int_equal(l.conf.n_dns, 1);
	assert_string_equal(l.conf.domains[0], "lab.example.org");
	assert_false(l.resumed);
	assert_false(l.behind_nat);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 2);
	assert_int_equal(ike_sa_stats(l.sa)->sent_packets, 2);
	assert_int_equal(ike_sa_stats(l.sa)->rtt_ms, 20);
	link_close(&l);
}

static void connect_with_certificates(void **state)
{
	struct link l;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_CERT);
	link_open(&l);
	link_connect(&l);
	link_assert_children(&l, 1);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 2);
	link_close(&l);
}

static void connect_with_eap(void **state)
{
	struct link l;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_EAP_MSCHAPV2);
	link_open(&l);
	link_connect(&l);
	link_assert_children(&l, 1);
	assert_true(link_first(&l, IKE_DO_ASK_VERIFY) <
		    link_first(&l, IKE_DO_ASK_SECRET));
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 6);
	link_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			connect_with_psk_brings_configuration_child_and_ticket),
		cmocka_unit_test(connect_with_certificates),
		cmocka_unit_test(connect_with_eap),
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_sa", tests, NULL, NULL);
}
