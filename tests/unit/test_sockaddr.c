#include "platform/base/sockaddr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct addr endpoint(const char *text, uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), OK);
	a.port = port;
	return a;
}

static void an_ipv4_endpoint_is_written_in_network_order(void **state)
{
	struct addr a = endpoint("192.0.2.1", 4500);
	union sock s;

	memset(&s, 0xff, sizeof(s));
	assert_int_equal(sockaddr_from_addr(&a, &s),
			 sizeof(struct sockaddr_in));
	assert_int_equal(s.sa.sa_family, AF_INET);
	assert_memory_equal(&s.v4.sin_port, "\x11\x94", 2);
	assert_memory_equal(&s.v4.sin_addr, "\xc0\x00\x02\x01", 4);
	assert_memory_equal(s.v4.sin_zero, "\0\0\0\0\0\0\0\0", 8);
	(void)state;
}

static void an_ipv6_endpoint_is_written_in_network_order(void **state)
{
	struct addr a = endpoint("2001:db8::1", 500);
	union sock s;

	memset(&s, 0xff, sizeof(s));
	assert_int_equal(sockaddr_from_addr(&a, &s),
			 sizeof(struct sockaddr_in6));
	assert_int_equal(s.sa.sa_family, AF_INET6);
	assert_memory_equal(&s.v6.sin6_port, "\x01\xf4", 2);
	assert_memory_equal(&s.v6.sin6_addr, a.b, 16);
	assert_int_equal(s.v6.sin6_flowinfo, 0);
	assert_int_equal(s.v6.sin6_scope_id, 0);
	(void)state;
}

static void an_endpoint_comes_back_as_it_was(void **state)
{
	struct addr v4 = endpoint("198.51.100.255", 65535);
	struct addr v6 = endpoint("fe80::1:2", 1), back;
	union sock s;

	(void)sockaddr_from_addr(&v4, &s);
	back = sockaddr_to_addr(&s.sa);
	assert_true(addr_eq(&back, &v4));
	(void)sockaddr_from_addr(&v6, &s);
	back = sockaddr_to_addr(&s.sa);
	assert_true(addr_eq(&back, &v6));
	(void)state;
}

static void another_family_is_no_address(void **state)
{
	union sock s = {.sa.sa_family = AF_UNIX};

	assert_int_equal(sockaddr_to_addr(&s.sa).family, ADDR_NONE);
	s.sa.sa_family = AF_UNSPEC;
	assert_int_equal(sockaddr_to_addr(&s.sa).family, ADDR_NONE);
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_ipv4_endpoint_is_written_in_network_order),
		cmocka_unit_test(an_ipv6_endpoint_is_written_in_network_order),
		cmocka_unit_test(an_endpoint_comes_back_as_it_was),
		cmocka_unit_test(another_family_is_no_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
