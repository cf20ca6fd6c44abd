#include "tests/sim/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TWICE_EVERY 50

/* --- options -------------------------------------------------------------- */

static void usage(const struct runner *r)
{
	fprintf(stderr,
		"usage: %s [%s N] [--first N] [--seconds S] [--story NAME]\n"
		"       [--seed N] [--verbose] [--keep-going]\nstories:",
		r->name, r->count_option);
	for (size_t k = 0; r->story(k); k++)
		fprintf(stderr, " %s", r->story(k));
	fprintf(stderr, "\n");
	exit(2);
}

static const char *text(const struct runner *r, char ***at)
{
	if (!*++*at)
		usage(r);
	return **at;
}

static uint64_t number(const struct runner *r, char ***at)
{
	return strtoull(text(r, at), NULL, 0);
}

void runner_options(struct runner *r, int argc, char **argv)
{
	for (char **at = argv + (argc > 0); *at; at++) {
		if (strcmp(*at, "--verbose") == 0) {
			r->verbose = true;
		} else if (strcmp(*at, "--keep-going") == 0) {
			r->keep_going = true;
		} else if (strcmp(*at, "--story") == 0) {
			r->only = text(r, &at);
		} else if (strcmp(*at, "--first") == 0) {
			r->first = number(r, &at);
		} else if (strcmp(*at, "--seconds") == 0) {
			r->seconds = (unsigned)number(r, &at);
		} else if (strcmp(*at, r->count_option) == 0) {
			r->count = number(r, &at);
			r->seconds = 0;
		} else if (strcmp(*at, "--seed") == 0) {
			r->first = number(r, &at);
			r->count = 1;
		} else {
			usage(r);
		}
	}
}

/* --- stories -------------------------------------------------------------- */

double runner_now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static bool play_checked(struct runner *r, size_t k, uint64_t i)
{
	bool twice = i % TWICE_EVERY == 0 && r->count > 1;
	uint64_t seed = r->first + i;
	uint8_t a[32], b[32];
	bool ok = r->play(k, seed, a);

	if (!ok || !twice)
		return ok;
	ok = r->play(k, seed, b);
	if (ok && memcmp(a, b, sizeof(a)) == 0)
		return true;
	printf("FAIL %s seed %llu is not deterministic\n", r->story(k),
	       (unsigned long long)seed);
	r->not_the_same++;
	return false;
}

void runner_play(struct runner *r)
{
	double end = runner_now_s() + r->seconds;

	for (uint64_t i = 0; i < r->count; i++) {
		for (size_t k = 0; r->story(k); k++) {
			if (r->only ? strcmp(r->only, r->story(k)) != 0
				    : !r->is_due(k, i))
				continue;
			if (!play_checked(r, k, i) && !r->keep_going)
				return;
			if (r->seconds > 0 && runner_now_s() > end)
				return;
		}
	}
}
