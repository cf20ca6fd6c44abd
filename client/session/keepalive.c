#include "client/session/keepalive.h"

/* One step beyond what is known: were it too far, nothing could reach us for
 * that long, which is what a dead gateway goes unnoticed for as well. */
#define STEP_MS 30000
#define MIN_MS	5000
#define MAX_MS	600000
#define NEAR_MS 5000 /* no more is to be won between two bounds */

static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static uint32_t smaller(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* Whole seconds: timers are late by a little, which must not add up. */
static uint32_t rounded(uint32_t ms)
{
	return ms - ms % 1000;
}

/* A silence begins with the gateway's answer to what we sent. */
static bool reaches(uint32_t ms, uint32_t goal_ms)
{
	return ms >= goal_ms - goal_ms / 16 - 1000;
}

static uint32_t since(int64_t then_ms, int64_t now_ms)
{
	int64_t ms = now_ms - then_ms;

	if (ms < 0)
		return 0;
	return ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms;
}

void keepalive_begin(struct keepalive *k, uint32_t first_ms,
		     const struct keepalive_known *known, int64_t now_ms)
{
	*k = (struct keepalive){.first_ms = first_ms,
				.known = *known,
				.any_ms = now_ms,
				.out_ms = now_ms};
}

void keepalive_data(struct keepalive *k, bool ours, int64_t at_ms)
{
	if (at_ms <= k->any_ms)
		return;
	k->blurred = true;
	k->any_ms = at_ms;
	if (ours)
		k->out_ms = at_ms;
}

void keepalive_sent(struct keepalive *k, int64_t now_ms)
{
	k->silence_ms = larger(k->silence_ms, since(k->any_ms, now_ms));
	k->our_silence_ms = larger(k->our_silence_ms, since(k->out_ms, now_ms));
	k->any_ms = k->out_ms = now_ms;
}

static void survived(struct keepalive *k, uint32_t ms)
{
	struct keepalive_known *known = &k->known;

	if (reaches(ms, keepalive_interval_ms(k)))
		k->broke_once = false;
	known->lives_ms = larger(known->lives_ms, rounded(ms));
	if (known->dies_ms <= known->lives_ms)
		known->dies_ms = 0; /* it is better than it was */
}

static void broke(struct keepalive *k, uint32_t ms)
{
	struct keepalive_known *known = &k->known;

	if (!k->broke_once) {
		k->broke_once = true;
		return;
	}
	k->broke_once = false;
	known->dies_ms = rounded(ms);
	if (known->lives_ms >= known->dies_ms) /* it is worse than it was */
		known->lives_ms = 0;
}

void keepalive_heard(struct keepalive *k, int64_t now_ms)
{
	survived(k, since(k->any_ms, now_ms));
	k->any_ms = now_ms;
}

void keepalive_checked(struct keepalive *k, bool same)
{
	k->told = true;
	if (same)
		survived(k, k->silence_ms);
	else if (!k->blurred)
		broke(k, k->our_silence_ms);
	k->silence_ms = k->our_silence_ms = 0;
	k->blurred = false;
}

uint32_t keepalive_interval_ms(const struct keepalive *k)
{
	uint32_t lives = k->known.lives_ms, dies = k->known.dies_ms;
	uint32_t base = smaller(larger(lives, k->first_ms), MAX_MS);

	if (dies && base >= dies)
		base = larger(lives, dies / 2);
	if (!k->told || (!dies && !reaches(lives, base)))
		return larger(base, MIN_MS); /* to be proven first */
	if (!dies)
		return smaller(base + smaller(base, STEP_MS), MAX_MS);
	if (dies - base > larger(NEAR_MS, dies / 16))
		base += rounded((dies - base) / 2);
	return larger(base, MIN_MS);
}
