/* Names to addresses in a thread; only names that need no network. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <string.h>

#include "client/run/resolve.h"

static enum err answer(const char *name, struct addr *out, size_t cap,
		       size_t *out_n, struct diag *diag)
{
	struct resolver *r;
	struct pollfd p = {.events = POLLIN};
	enum err e;

	assert_int_equal(resolver_ask(name, &r, diag), OK);
	p.fd = resolver_fd(r);
	assert_int_equal(poll(&p, 1, 30000), 1);
	e = resolver_take(&r, out, cap, out_n, diag);
	assert_null(r);
	return e;
}

static void a_name_of_this_machine_has_an_address(void **state)
{
	struct diag diag = DIAG_INIT;
	struct addr list[RESOLVE_MAX];
	size_t n;

	assert_int_equal(answer("localhost", list, RESOLVE_MAX, &n, &diag), OK);
	assert_in_range(n, 1, RESOLVE_MAX);
	assert_true(list[0].family == ADDR_V4 || list[0].family == ADDR_V6);
	assert_int_equal(list[0].port, 0);
}

static void no_more_than_asked_for_are_given(void **state)
{
	struct diag diag = DIAG_INIT;
	struct addr one;
	size_t n;

	assert_int_equal(answer("localhost", &one, 1, &n, &diag), OK);
	assert_int_equal(n, 1);
}

static void a_name_that_cannot_be_is_refused_with_a_next_step(void **state)
{
	struct diag diag = DIAG_INIT;
	struct addr list[RESOLVE_MAX];
	size_t n;

	assert_int_equal(answer("no..such..name", list, RESOLVE_MAX, &n, &diag),
			 ERR_NAME);
	assert_int_equal(n, 0);
	assert_non_null(strstr(diag.text, "no..such..name"));
	assert_non_null(strstr(diag.text, "[gateway] address"));
}

static void a_name_too_long_is_refused(void **state)
{
	struct diag diag = DIAG_INIT;
	struct resolver *r;
	char name[300];

	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(resolver_ask(name, &r, &diag), ERR_NAME);
	assert_null(r);
}

static void an_answer_nobody_waits_for_is_dropped(void **state)
{
	struct diag diag = DIAG_INIT;
	struct resolver *r;

	for (int i = 0; i < 20; i++) {
		assert_int_equal(resolver_ask("localhost", &r, &diag), OK);
		resolver_cancel(&r);
		assert_null(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_of_this_machine_has_an_address),
		cmocka_unit_test(no_more_than_asked_for_are_given),
		cmocka_unit_test(
			a_name_that_cannot_be_is_refused_with_a_next_step),
		cmocka_unit_test(a_name_too_long_is_refused),
		cmocka_unit_test(an_answer_nobody_waits_for_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
