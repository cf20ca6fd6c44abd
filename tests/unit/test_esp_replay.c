/* The anti-replay window, against models that have no cleverness in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "client/esp/replay.h"

static uint64_t random_state = 88172645463325252u;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

/* Remembers every number ever accepted, without cleverness. */
struct naive {
	uint64_t top;
	uint64_t seen[20000];
	size_t n;
};

static bool naive_fresh(const struct naive *m, uint64_t seq)
{
	if (seq == 0 || (seq <= m->top && m->top - seq >= ESP_REPLAY_WINDOW))
		return false;
	for (size_t i = m->n; i-- > 0;)
		if (m->seen[i] == seq)
			return false;
	return true;
}

static uint64_t step_pick(uint64_t top)
{
	uint64_t back = random_next() % (ESP_REPLAY_WINDOW + 200);

	switch (random_next() % 16) {
	case 0:
		return top + random_next() % 20000;
	case 1:
		return top + ESP_REPLAY_WINDOW + random_next() % 130 - 65;
	case 2:
	case 3:
	case 4:
	case 5:
		return top + 1 + random_next() % 4;
	default:
		return top > back ? top - back : back;
	}
}

static void the_window_agrees_with_a_naive_model(void **state)
{
	static const uint64_t starts[] = {0, 0xfffff000, 0x7fffffffffff0000};
	static struct naive m;
	struct replay r;

	for (size_t s = 0; s < sizeof(starts) / sizeof(*starts); s++) {
		memset(&r, 0, sizeof(r));
		memset(&m, 0, sizeof(m));
		m.top = r.top = starts[s];
		for (size_t i = 0; i < 20000; i++) {
			uint64_t seq = step_pick(r.top);
			bool fresh = naive_fresh(&m, seq);

			assert_int_equal(replay_check(&r, seq),
					 fresh ? OK : ERR_REPLAY);
			if (!fresh)
				continue;
			replay_accept(&r, seq);
			m.seen[m.n++] = seq;
			if (seq > m.top)
				m.top = seq;
			assert_true(r.top == m.top);
		}
		assert_true(m.n > 5000);
	}
}

static void the_window_takes_exactly_its_width(void **state)
{
	struct replay r = {.top = 0};

	replay_accept(&r, 10000);
	assert_int_equal(replay_check(&r, 10000 - ESP_REPLAY_WINDOW),
			 ERR_REPLAY);
	assert_int_equal(replay_check(&r, 10001 - ESP_REPLAY_WINDOW), OK);
	assert_int_equal(replay_check(&r, 10000), ERR_REPLAY);
	/* A jump over the whole ring leaves nothing behind. */
	replay_accept(&r, 10000 + (1ull << 40));
	for (uint64_t i = 1; i < ESP_REPLAY_WINDOW; i++)
		assert_int_equal(replay_check(&r, r.top - i), OK);
}

/* By definition: the one number with this low half from the lower edge of
 * the window on, within 2^32. */
static enum err infer_naive(uint64_t top, uint32_t low, uint64_t *out)
{
	__int128 edge = (__int128)top - ESP_REPLAY_WINDOW + 1;
	__int128 seq = edge + (uint32_t)(low - (uint32_t)edge);

	*out = (uint64_t)seq;
	return seq < 0 || seq > (__int128)UINT64_MAX ? ERR_REPLAY : OK;
}

static void infer_check(uint64_t top, uint32_t low)
{
	struct replay r = {.top = top};
	uint64_t got = 0, want;
	enum err e = infer_naive(top, low, &want);

	assert_int_equal(replay_infer(&r, low, &got), e);
	if (!e)
		assert_true(got == want);
}

static void the_high_half_is_inferred_as_rfc4303_a2_says(void **state)
{
	static const uint64_t edges[] = {0,
					 ESP_REPLAY_WINDOW - 1,
					 ESP_REPLAY_WINDOW,
					 UINT32_MAX,
					 1ull << 32,
					 (1ull << 32) + ESP_REPLAY_WINDOW,
					 UINT64_MAX};

	for (size_t i = 0; i < sizeof(edges) / sizeof(*edges); i++)
		for (uint64_t t = edges[i] - 3; t != edges[i] + 4; t++)
			for (uint64_t d = 0; d < 10000; d += 1 + d % 7)
				infer_check(t, (uint32_t)(edges[i] - 5000 + d));
	for (size_t i = 0; i < 200000; i++)
		infer_check(random_next() >> random_next() % 64,
			    (uint32_t)random_next());
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_window_agrees_with_a_naive_model),
		cmocka_unit_test(the_window_takes_exactly_its_width),
		cmocka_unit_test(the_high_half_is_inferred_as_rfc4303_a2_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
