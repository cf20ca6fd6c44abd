/* Messages of the routing sockets, octet by octet. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "platform/bsd/route_msg.h"

#include <stdlib.h>
#include <string.h>

#include "tests/vectors/route.h"

#define ALL(name)                                                              \
	{                                                                      \
		[ROUTE_FREEBSD] = {freebsd_##name, sizeof(freebsd_##name)},    \
		[ROUTE_OPENBSD] = {openbsd_##name, sizeof(openbsd_##name)},    \
		[ROUTE_NETBSD] = {netbsd_##name, sizeof(netbsd_##name)},       \
		[ROUTE_MACOS] = {macos_##name, sizeof(macos_##name)},          \
	}
/* macOS has no such message. */
#define BSD(name)                                                              \
	{                                                                      \
		[ROUTE_FREEBSD] = {freebsd_##name, sizeof(freebsd_##name)},    \
		[ROUTE_OPENBSD] = {openbsd_##name, sizeof(openbsd_##name)},    \
		[ROUTE_NETBSD] = {netbsd_##name, sizeof(netbsd_##name)},       \
	}

static const uint8_t mac[6] = {0x02, 0x00, 0x5e, 0x10, 0x00, 0x01};

static struct route_msg parse(enum route_os os, struct bytes in)
{
	struct route_msg msg;
	struct bytes rest;

	assert_int_equal(route_msg_parse(os, in, &msg, &rest), OK);
	assert_int_equal(rest.len, 0);
	return msg;
}

static void is_addr(const struct addr *a, const char *text)
{
	struct addr want;

	assert_int_equal(addr_parse(text, &want), OK);
	assert_true(addr_eq(a, &want));
}

static void route_msg_tells_carrier_and_flags_of_a_link(void **state)
{
	static const struct bytes up[] = ALL(link_up),
				  down[] = ALL(link_not_up),
				  dark[] = BSD(link_no_carrier);
	struct route_msg msg;

	for (enum route_os os = 0; os < ROUTE_SYSTEMS; os++) {
		msg = parse(os, up[os]);
		assert_int_equal(msg.kind, ROUTE_LINK);
		assert_int_equal(msg.ifindex, 3);
		assert_true(msg.link_up);
		assert_false(parse(os, down[os]).link_up);
		if (os != ROUTE_MACOS)
			assert_false(parse(os, dark[os]).link_up);
	}
}

static void route_msg_tells_an_address_that_came(void **state)
{
	static const struct bytes in[] = ALL(addr_new);

	for (enum route_os os = 0; os < ROUTE_SYSTEMS; os++) {
		struct route_msg msg = parse(os, in[os]);

		assert_int_equal(msg.kind, ROUTE_ADDR);
		assert_false(msg.gone);
		assert_int_equal(msg.ifindex, 3);
		is_addr(&msg.source, "192.0.2.2");
	}
}

static void route_msg_tells_an_address_that_went(void **state)
{
	static const struct bytes in[] = ALL(addr_gone);

	for (enum route_os os = 0; os < ROUTE_SYSTEMS; os++) {
		struct route_msg msg = parse(os, in[os]);

		assert_int_equal(msg.kind, ROUTE_ADDR);
		assert_true(msg.gone);
		is_addr(&msg.source, "2001:db8::2");
	}
}

static void route_msg_tells_routes(void **state)
{
	static const struct bytes add[] = ALL(route_add),
				  gone[] = ALL(route_gone),
				  change[] = ALL(route_change);

	for (enum route_os os = 0; os < ROUTE_SYSTEMS; os++) {
		struct route_msg msg = parse(os, add[os]);

		assert_int_equal(msg.kind, ROUTE_ROUTE);
		assert_false(msg.gone);
		assert_int_equal(msg.ifindex, 3);
		is_addr(&msg.dst, "0.0.0.0");
		is_addr(&msg.gateway, "192.0.2.1");
		msg = parse(os, gone[os]);
		assert_int_equal(msg.kind, ROUTE_ROUTE);
		assert_true(msg.gone);
		is_addr(&msg.dst, "::");
		/* Without the scope that the kernel keeps inside of it. */
		is_addr(&msg.gateway, "fe80::1");
		msg = parse(os, change[os]);
		assert_int_equal(msg.kind, ROUTE_ROUTE);
		is_addr(&msg.dst, "198.51.100.0");
		assert_int_equal(msg.gateway.family, ADDR_NONE); /* the link */
		assert_int_equal(msg.lladdr_len, 0);
	}
}

static void route_msg_tells_interfaces_that_come_and_go(void **state)
{
	static const struct bytes came[] = BSD(iface_new),
				  went[] = BSD(iface_gone);

	for (enum route_os os = 0; os < ROUTE_MACOS; os++) {
		struct route_msg msg = parse(os, came[os]);

		assert_int_equal(msg.kind, ROUTE_IFACE);
		assert_false(msg.gone);
		assert_int_equal(msg.ifindex, 7);
		assert_true(parse(os, went[os]).gone);
	}
}

static void route_msg_answers_which_way(void **state)
{
	static const struct bytes v4[] = ALL(found), v6[] = ALL(found6);

	for (enum route_os os = 0; os < ROUTE_SYSTEMS; os++) {
		struct route_msg msg = parse(os, v4[os]);

		assert_int_equal(msg.kind, ROUTE_FOUND);
		assert_int_equal(msg.pid, 4242);
		assert_int_equal(msg.seq, 9);
		assert_int_equal(msg.error, 0);
		assert_int_equal(msg.ifindex, 3);
		is_addr(&msg.gateway, "192.0.2.1");
		is_addr(&msg.source, "192.0.2.2");
		msg = parse(os, v6[os]);
		is_addr(&msg.gateway, "fe80::1");
		is_addr(&msg.source, "2001:db8::2");
	}
}

static void route_msg_answers_whose_link_layer_address(void **state)
{
	static const struct bytes in[] = ALL(neighbour);

	for (enum route_os os = 0; os < ROUTE_SYSTEMS; os++) {
		struct route_msg msg = parse(os, in[os]);

		assert_int_equal(msg.lladdr_len, sizeof(mac));
		assert_memory_equal(msg.lladdr, mac, sizeof(mac));
		assert_int_equal(msg.gateway.family, ADDR_NONE);
	}
}

static void route_msg_answers_that_there_is_no_way(void **state)
{
	static const struct bytes in[] = ALL(failed);

	for (enum route_os os = 0; os < ROUTE_SYSTEMS; os++) {
		struct route_msg msg = parse(os, in[os]);

		assert_int_equal(msg.kind, ROUTE_FOUND);
		assert_int_equal(msg.seq, 12);
		assert_int_equal(msg.error, 3);
	}
}

static void route_msg_ask_is_what_each_kernel_expects(void **state)
{
	static const struct bytes v4[] = ALL(ask), v6[] = ALL(ask6);
	struct route_ask ask = {.seq = 13},
			 ask6 = {.neighbour = true, .seq = 14};
	uint8_t buf[ROUTE_ASK_MAX];
	size_t len;

	assert_int_equal(addr_parse("203.0.113.1", &ask.dst), OK);
	assert_int_equal(addr_parse("2001:db8:1::1", &ask6.dst), OK);
	for (enum route_os os = 0; os < ROUTE_SYSTEMS; os++) {
		route_msg_ask(os, &ask, buf, &len);
		assert_int_equal(len, v4[os].len);
		assert_memory_equal(buf, v4[os].p, len);
		route_msg_ask(os, &ask6, buf, &len);
		assert_int_equal(len, v6[os].len);
		assert_memory_equal(buf, v6[os].p, len);
	}
}

static void route_msg_reads_several_in_a_row(void **state)
{
	uint8_t buf[2048];
	struct route_msg msg;
	struct bytes rest;
	size_t len = 0;

	memcpy(buf, openbsd_link_up, sizeof(openbsd_link_up));
	len += sizeof(openbsd_link_up);
	memcpy(buf + len, openbsd_iface_gone, sizeof(openbsd_iface_gone));
	len += sizeof(openbsd_iface_gone);
	rest = bytes(buf, len);
	assert_int_equal(route_msg_parse(ROUTE_OPENBSD, rest, &msg, &rest), OK);
	assert_int_equal(msg.kind, ROUTE_LINK);
	assert_int_equal(route_msg_parse(ROUTE_OPENBSD, rest, &msg, &rest), OK);
	assert_int_equal(msg.kind, ROUTE_IFACE);
	assert_int_equal(rest.len, 0);
}

static void route_msg_openbsd_tells_that_it_dropped_some(void **state)
{
	static const uint8_t desync[] = {8, 0, 5, 0x10, 8, 0, 0, 0};

	assert_int_equal(parse(ROUTE_OPENBSD, BYTES_OF(desync)).kind,
			 ROUTE_LOST);
}

static void route_msg_of_another_version_is_refused(void **state)
{
	struct route_msg msg;
	struct bytes rest;

	assert_int_equal(route_msg_parse(ROUTE_NETBSD,
					 BYTES_OF(freebsd_route_add), &msg,
					 &rest),
			 ERR_UNSUPPORTED);
}

/* In memory of just that size, so that a sanitizer sees a read behind it. */
static void try_all(enum route_os os, struct bytes in)
{
	struct route_msg msg;
	struct bytes rest;

	for (size_t len = 0; len < in.len; len++) {
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, in.p, len);
		/* What the read gave is shorter than it says. */
		assert_int_not_equal(
			route_msg_parse(os, bytes(copy, len), &msg, &rest), OK);
		if (len >= 2) {
			/* And it says so. */
			copy[0] = (uint8_t)len;
			copy[1] = (uint8_t)(len >> 8);
			if (route_msg_parse(os, bytes(copy, len), &msg,
					    &rest) == OK)
				assert_int_equal(rest.len, 0);
		}
		free(copy);
	}
	for (size_t i = 0; i < in.len; i++) {
		static const uint8_t values[] = {0, 1, 7, 0x7f, 0x80, 0xff};
		uint8_t *copy = malloc(in.len);

		memcpy(copy, in.p, in.len);
		for (size_t k = 0; k < sizeof(values); k++) {
			copy[i] = values[k];
			if (route_msg_parse(os, bytes(copy, in.len), &msg,
					    &rest) == OK)
				assert_true(rest.len < in.len);
		}
		free(copy);
	}
}

static void route_msg_never_reads_behind_a_message(void **state)
{
	static const struct bytes all[][ROUTE_SYSTEMS] = {
		ALL(link_up),	 ALL(addr_new),	      ALL(addr_gone),
		ALL(route_add),	 ALL(route_gone),     ALL(route_change),
		ALL(neighbour),	 ALL(found),	      ALL(found6),
		BSD(iface_gone), BSD(link_no_carrier)};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (enum route_os os = 0; os < ROUTE_SYSTEMS; os++)
			if (all[i][os].p)
				try_all(os, all[i][os]);
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(route_msg_tells_carrier_and_flags_of_a_link),
		T(route_msg_tells_an_address_that_came),
		T(route_msg_tells_an_address_that_went),
		T(route_msg_tells_routes),
		T(route_msg_tells_interfaces_that_come_and_go),
		T(route_msg_answers_which_way),
		T(route_msg_answers_whose_link_layer_address),
		T(route_msg_answers_that_there_is_no_way),
		T(route_msg_ask_is_what_each_kernel_expects),
		T(route_msg_reads_several_in_a_row),
		T(route_msg_openbsd_tells_that_it_dropped_some),
		T(route_msg_of_another_version_is_refused),
		T(route_msg_never_reads_behind_a_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
