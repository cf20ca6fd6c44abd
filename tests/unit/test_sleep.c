/* What becomes of the signs of a sleep. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <poll.h>

#include "platform/sleep_state.h"

#define NIGHT_MS (8 * 3600 * 1000)

static void sleep_said_before_and_after_is_told_once_each(void **state)
{
	struct sleep_state s;

	sleep_state_init(&s, 5000);
	assert_int_equal(sleep_state_next(&s), SLEEP_NOTHING);
	sleep_state_said(&s, true, 5000);
	assert_int_equal(sleep_state_next(&s), SLEEP_COMING);
	assert_int_equal(sleep_state_next(&s), SLEEP_NOTHING);
	sleep_state_said(&s, false, 5000 + NIGHT_MS);
	assert_int_equal(sleep_state_next(&s), SLEEP_OVER);
	assert_int_equal(sleep_state_next(&s), SLEEP_NOTHING);
	sleep_state_clocks(&s, 5000 + NIGHT_MS);
	assert_int_equal(sleep_state_next(&s), SLEEP_NOTHING);
}

static void sleep_seen_by_the_clocks_is_not_told_again_by_words(void **state)
{
	struct sleep_state s;

	sleep_state_init(&s, 0);
	sleep_state_said(&s, true, 0);
	assert_int_equal(sleep_state_next(&s), SLEEP_COMING);
	sleep_state_clocks(&s, NIGHT_MS);
	assert_int_equal(sleep_state_next(&s), SLEEP_OVER);
	sleep_state_said(&s, false, NIGHT_MS);
	assert_int_equal(sleep_state_next(&s), SLEEP_NOTHING);
}

static void sleep_that_is_over_needs_no_preparation_any_more(void **state)
{
	struct sleep_state s;

	sleep_state_init(&s, 0);
	sleep_state_said(&s, true, 0); /* not read before the machine slept */
	sleep_state_clocks(&s, NIGHT_MS);
	assert_int_equal(sleep_state_next(&s), SLEEP_OVER);
	assert_int_equal(sleep_state_next(&s), SLEEP_NOTHING);
}

static void sleep_that_was_called_off_ends_too(void **state)
{
	struct sleep_state s;

	sleep_state_init(&s, 0);
	sleep_state_said(&s, true, 0);
	assert_int_equal(sleep_state_next(&s), SLEEP_COMING);
	sleep_state_said(&s, false, 0);
	assert_int_equal(sleep_state_next(&s), SLEEP_OVER);
}

static void sleep_end_without_a_beginning_is_nothing(void **state)
{
	struct sleep_state s;

	sleep_state_init(&s, 0);
	sleep_state_said(&s, false, 0);
	assert_int_equal(sleep_state_next(&s), SLEEP_NOTHING);
}

static void sleep_clocks_read_one_after_the_other_are_no_sleep(void **state)
{
	struct sleep_state s;

	sleep_state_init(&s, 1000);
	for (int i = -50; i <= 50; i++) {
		sleep_state_clocks(&s, 1000 + i);
		assert_int_equal(sleep_state_next(&s), SLEEP_NOTHING);
	}
	sleep_state_clocks(&s, 1000 + 2000);
	assert_int_equal(sleep_state_next(&s), SLEEP_OVER);
}

static void sleep_two_in_a_row_are_two(void **state)
{
	struct sleep_state s;

	sleep_state_init(&s, 0);
	for (int i = 1; i <= 2; i++) {
		sleep_state_clocks(&s, (int64_t)i * NIGHT_MS);
		assert_int_equal(sleep_state_next(&s), SLEEP_OVER);
		assert_int_equal(sleep_state_next(&s), SLEEP_NOTHING);
	}
}

/* With whatever bus this machine has, or none. */
static void sleep_watch_is_silent_while_nobody_sleeps(void **state)
{
	struct sleep_watch *w;
	struct pollfd p = {.events = POLLIN};

	assert_int_equal(sleep_watch_open(&w, NULL), OK);
	p.fd = sleep_watch_fd(w);
	for (int i = 0; i < 20 && poll(&p, 1, 20) > 0; i++)
		assert_int_equal(sleep_watch_next(w), SLEEP_NOTHING);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(sleep_watch_next(w), SLEEP_NOTHING);
	sleep_watch_allow(w);
	sleep_watch_close(&w);
	assert_null(w);
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(sleep_said_before_and_after_is_told_once_each),
		T(sleep_seen_by_the_clocks_is_not_told_again_by_words),
		T(sleep_that_is_over_needs_no_preparation_any_more),
		T(sleep_that_was_called_off_ends_too),
		T(sleep_end_without_a_beginning_is_nothing),
		T(sleep_clocks_read_one_after_the_other_are_no_sleep),
		T(sleep_two_in_a_row_are_two),
		T(sleep_watch_is_silent_while_nobody_sleeps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
