/* sim: plays stories, each from a seed.
 *
 *   sim [--count N] [--first N] [--seconds S] [--story NAME] [--seed N]
 *       [--verbose] [--keep-going]
 *
 * Without arguments: what `make check` runs, about 20 seconds. `--count 5000`
 * plays that many seeds of each story. A failure prints how to replay it.
 * Every 50th seed is played twice: the same datagrams must come out.
 */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/base/log.h"

/* X(name, share): how often of a hundred seeds */
#define STORY_LIST(X)                                                          \
	X(clean, 100)                                                          \
	X(lossy, 100)                                                          \
	X(collide, 100)                                                        \
	X(session, 100)                                                        \
	X(refuse, 50)                                                          \
	X(evil, 20)                                                            \
	X(crowd, 2)

static const struct {
	const char *name;
	sim_story *play;
	unsigned share;
} stories[] = {
#define X(name, share) {#name, story_##name, share},
	STORY_LIST(X)
#undef X
};
#define N_STORIES (sizeof(stories) / sizeof(stories[0]))

struct options {
	uint64_t first, count;
	const char *story;
	unsigned seconds;
	bool verbose, one, keep_going;
};

struct totals {
	uint64_t played, failed, datagrams, virtual_ms, ups;
};

static void log_out(enum log_level level, const char *text, void *ctx)
{
	printf("           . %s\n", text);
}

/* True when it went well. */
static bool play(size_t story, uint64_t seed, bool verbose, struct totals *t,
		 uint8_t trace[32])
{
	static struct sim sim; /* survives the longjmp */
	struct sim *s = &sim;
	bool ok;

	sim_open(s, seed, stories[story].name, verbose);
	ok = setjmp(s->out) == 0;
	if (ok)
		stories[story].play(s);
	memcpy(trace, s->trace, 32);
	t->played++;
	t->failed += !ok;
	t->datagrams += s->n_datagrams;
	t->virtual_ms += (uint64_t)(s->now_ms - s->start_ms);
	t->ups += s->c.ups;
	sim_close(s);
	return ok;
}

static bool play_checked(size_t story, uint64_t seed, struct totals *t)
{
	uint8_t a[32], b[32];
	bool ok = play(story, seed, false, t, a);

	if (!ok || seed % 50 != 0)
		return ok;
	ok = play(story, seed, false, t, b);
	if (ok && memcmp(a, b, sizeof(a)) == 0)
		return true;
	printf("FAIL %s seed %llu is not deterministic\n", stories[story].name,
	       (unsigned long long)seed);
	t->failed++;
	return false;
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void play_all(const struct options *o, struct totals *t)
{
	double end = now_s() + o->seconds;

	for (uint64_t i = 0; i < o->count; i++) {
		for (size_t k = 0; k < N_STORIES; k++) {
			if (o->story && strcmp(o->story, stories[k].name) != 0)
				continue;
			if (!o->story && i % 100 >= stories[k].share)
				continue;
			if (!play_checked(k, o->first + i, t) && !o->keep_going)
				return;
			if (o->seconds > 0 && now_s() > end)
				return;
		}
	}
}

static int play_one(const struct options *o)
{
	struct totals t = {0};
	uint8_t trace[32];

	for (size_t k = 0; k < N_STORIES; k++) {
		if (o->story == NULL || strcmp(o->story, stories[k].name) == 0)
			(void)play(k, o->first, o->verbose, &t, trace);
	}
	printf("%llu failed\n", (unsigned long long)t.failed);
	return t.failed == 0 ? 0 : 1;
}

static void usage(void)
{
	fprintf(stderr, "usage: sim [--count N] [--first N] [--seconds S] "
			"[--story NAME]\n           [--seed N] [--verbose] "
			"[--keep-going]\nstories:");
	for (size_t k = 0; k < N_STORIES; k++)
		fprintf(stderr, " %s", stories[k].name);
	fprintf(stderr, "\n");
	exit(2);
}

static const char *value(int argc, char **argv, int *i)
{
	if (*i + 1 >= argc)
		usage();
	return argv[++*i];
}

static void read_options(int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i];

		if (strcmp(a, "--verbose") == 0)
			o->verbose = true;
		else if (strcmp(a, "--keep-going") == 0)
			o->keep_going = true;
		else if (strcmp(a, "--story") == 0)
			o->story = value(argc, argv, &i);
		else if (strcmp(a, "--first") == 0)
			o->first = strtoull(value(argc, argv, &i), NULL, 0);
		else if (strcmp(a, "--seconds") == 0)
			o->seconds = (unsigned)atoi(value(argc, argv, &i));
		else if (strcmp(a, "--count") == 0) {
			o->count = strtoull(value(argc, argv, &i), NULL, 0);
			o->seconds = 0;
		} else if (strcmp(a, "--seed") == 0) {
			o->first = strtoull(value(argc, argv, &i), NULL, 0);
			o->one = true;
		} else {
			usage();
		}
	}
}

int main(int argc, char **argv)
{
	struct options o = {.first = 1, .count = 1000000, .seconds = 20};
	struct diag diag = DIAG_INIT;
	struct totals t = {0};
	double start = now_s();

	read_options(argc, argv, &o);
	if (crypto_open(&diag) != OK) {
		fprintf(stderr, "%s\n", diag.text);
		return 1;
	}
	if (o.verbose)
		log_open(log_out, NULL, LOG_DEBUG);
	if (o.one)
		return play_one(&o);
	play_all(&o, &t);
	printf("%llu stories, %llu failed; %llu connections, %llu datagrams, "
	       "%.0f h of virtual time in %.1f s\n",
	       (unsigned long long)t.played, (unsigned long long)t.failed,
	       (unsigned long long)t.ups, (unsigned long long)t.datagrams,
	       (double)t.virtual_ms / 3.6e6, now_s() - start);
	crypto_close();
	return t.failed == 0 ? 0 : 1;
}
