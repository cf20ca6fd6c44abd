/* Which way to the gateway is tried when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "client/session/paths.h"

static struct addr addr(const char *text)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), OK);
	return a;
}

static struct paths_known known(const struct addr *addrs, size_t n)
{
	return (struct paths_known){.addrs = addrs,
				    .n_addrs = n,
				    .udp_port = 4500,
				    .tcp_ports = {4500, 443},
				    .n_tcp_ports = 2};
}

/* "udp 192.0.2.1:4500 +250", one a line. */
static const char *plan_text(const struct paths_known *k)
{
	static char out[2048];
	struct path_try plan[PATHS_MAX];
	size_t n = paths_plan(k, plan), len = 0;
	char at[ADDR_STR_MAX];

	out[0] = '\0';
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(
			out + len, sizeof(out) - len, "%s %s +%u\n",
			path_kind_text(plan[i].kind),
			addr_str_port(&plan[i].remote, at), plan[i].after_ms);
	return out;
}

static void one_address_goes_from_udp_over_500_to_tcp(void **state)
{
	struct addr a = addr("192.0.2.1");
	struct paths_known k = known(&a, 1);

	assert_string_equal(plan_text(&k), "udp 192.0.2.1:4500 +0\n"
					   "udp 192.0.2.1:500 +1000\n"
					   "tcp 192.0.2.1:4500 +2000\n"
					   "tcp 192.0.2.1:443 +2250\n");
}

static void families_take_turns_from_the_systems_first(void **state)
{
	struct addr a[] = {addr("2001:db8::1"), addr("2001:db8::2"),
			   addr("192.0.2.1"), addr("192.0.2.2")};
	struct paths_known k = known(a, 4);

	k.transport = TRANSPORT_UDP;
	k.udp_port = 4501;
	assert_string_equal(plan_text(&k), "udp [2001:db8::1]:4501 +0\n"
					   "udp 192.0.2.1:4501 +250\n"
					   "udp [2001:db8::2]:4501 +500\n"
					   "udp 192.0.2.2:4501 +750\n");
}

static void port_500_and_tcp_are_tried_on_one_address_of_each_family(void **s)
{
	struct addr a[] = {addr("2001:db8::1"), addr("2001:db8::2"),
			   addr("192.0.2.1")};
	struct paths_known k = known(a, 3);

	assert_string_equal(plan_text(&k), "udp [2001:db8::1]:4500 +0\n"
					   "udp 192.0.2.1:4500 +250\n"
					   "udp [2001:db8::2]:4500 +500\n"
					   "udp [2001:db8::1]:500 +1500\n"
					   "udp 192.0.2.1:500 +1750\n"
					   "tcp [2001:db8::1]:4500 +2750\n"
					   "tcp 192.0.2.1:4500 +3000\n"
					   "tcp [2001:db8::1]:443 +3250\n"
					   "tcp 192.0.2.1:443 +3500\n");
}

static void an_own_udp_port_has_no_500_beside(void **state)
{
	struct addr a = addr("192.0.2.1");
	struct paths_known k = known(&a, 1);

	k.udp_port = 5500;
	k.n_tcp_ports = 1;
	assert_string_equal(plan_text(&k), "udp 192.0.2.1:5500 +0\n"
					   "tcp 192.0.2.1:4500 +1000\n");
}

static void tcp_alone_begins_at_once(void **state)
{
	struct addr a[] = {addr("192.0.2.1"), addr("2001:db8::1")};
	struct paths_known k = known(a, 2);

	k.transport = TRANSPORT_TCP;
	assert_string_equal(plan_text(&k), "tcp 192.0.2.1:4500 +0\n"
					   "tcp [2001:db8::1]:4500 +250\n"
					   "tcp 192.0.2.1:443 +500\n"
					   "tcp [2001:db8::1]:443 +750\n");
}

static void what_worked_in_this_network_goes_first_as_it_was(void **state)
{
	struct addr a[] = {addr("192.0.2.1"), addr("192.0.2.2")};
	struct paths_known k = known(a, 2);

	k.worked = (struct path_worked){.remote = addr("192.0.2.2"),
					.kind = PATH_TCP};
	k.worked.remote.port = 443;
	k.same_network = true;
	k.n_tcp_ports = 1;
	assert_string_equal(plan_text(&k), "tcp 192.0.2.2:443 +0\n"
					   "udp 192.0.2.2:4500 +250\n"
					   "udp 192.0.2.1:4500 +500\n"
					   "udp 192.0.2.2:500 +1500\n"
					   "udp 192.0.2.1:500 +1750\n"
					   "tcp 192.0.2.2:4500 +2750\n"
					   "tcp 192.0.2.1:4500 +3000\n");
	k.worked.kind = PATH_UDP_500;
	k.worked.remote.port = 4500;
	k.n_addrs = 0;
	k.n_tcp_ports = 0;
	assert_string_equal(plan_text(&k), "udp 192.0.2.2:500 +0\n"
					   "udp 192.0.2.2:4500 +250\n");
}

static void elsewhere_only_the_address_that_worked_is_remembered(void **state)
{
	struct addr a[] = {addr("192.0.2.1"), addr("192.0.2.2")};
	struct paths_known k = known(a, 2);
	struct path_try plan[PATHS_MAX];

	k.worked = (struct path_worked){.remote = addr("192.0.2.2"),
					.kind = PATH_TCP};
	assert_true(paths_plan(&k, plan) > 2);
	assert_int_equal(plan[0].kind, PATH_UDP);
	assert_true(addr_eq_host(&plan[0].remote, &a[1]));
	assert_int_equal(plan[1].kind, PATH_UDP);
}

static void a_transport_that_is_forbidden_now_did_not_work(void **state)
{
	struct addr a = addr("192.0.2.1");
	struct paths_known k = known(&a, 1);

	k.worked = (struct path_worked){.remote = a, .kind = PATH_TCP};
	k.worked.remote.port = 443;
	k.same_network = true;
	k.transport = TRANSPORT_UDP;
	assert_string_equal(plan_text(&k), "udp 192.0.2.1:4500 +0\n"
					   "udp 192.0.2.1:500 +1000\n");
}

static void the_delay_follows_the_round_trip_within_limits(void **state)
{
	assert_int_equal(paths_delay_ms(0), 250);
	assert_int_equal(paths_delay_ms(10), 100);
	assert_int_equal(paths_delay_ms(200), 400);
	assert_int_equal(paths_delay_ms(UINT32_MAX), 2000);
}

static void a_slow_gateway_has_longer_before_tcp(void **state)
{
	struct addr a = addr("192.0.2.1");
	struct paths_known k = known(&a, 1);

	k.rtt_ms = 600;
	k.n_tcp_ports = 1;
	assert_string_equal(plan_text(&k), "udp 192.0.2.1:4500 +0\n"
					   "udp 192.0.2.1:500 +2400\n"
					   "tcp 192.0.2.1:4500 +4800\n");
}

static void many_addresses_are_cut_at_the_limit(void **state)
{
	struct addr a[12];
	struct paths_known k = known(a, 12);
	struct path_try plan[PATHS_MAX];
	size_t n;

	for (uint8_t i = 0; i < 12; i++) {
		a[i] = addr("192.0.2.0");
		a[i].b[3] = i;
	}
	k.n_tcp_ports = PATHS_PORTS_MAX;
	k.tcp_ports[2] = 80;
	k.tcp_ports[3] = 8443;
	n = paths_plan(&k, plan);
	assert_int_equal(n, PATHS_MAX);
	for (size_t i = 1; i < n; i++)
		assert_true(plan[i].after_ms > plan[i - 1].after_ms);
}

static void without_any_address_there_is_no_plan(void **state)
{
	struct paths_known k = known(NULL, 0);

	assert_string_equal(plan_text(&k), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_goes_from_udp_over_500_to_tcp),
		cmocka_unit_test(families_take_turns_from_the_systems_first),
		cmocka_unit_test(
			port_500_and_tcp_are_tried_on_one_address_of_each_family),
		cmocka_unit_test(an_own_udp_port_has_no_500_beside),
		cmocka_unit_test(tcp_alone_begins_at_once),
		cmocka_unit_test(
			what_worked_in_this_network_goes_first_as_it_was),
		cmocka_unit_test(
			elsewhere_only_the_address_that_worked_is_remembered),
		cmocka_unit_test(
			a_transport_that_is_forbidden_now_did_not_work),
		cmocka_unit_test(
			the_delay_follows_the_round_trip_within_limits),
		cmocka_unit_test(a_slow_gateway_has_longer_before_tcp),
		cmocka_unit_test(many_addresses_are_cut_at_the_limit),
		cmocka_unit_test(without_any_address_there_is_no_plan),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
