/* sim: plays stories, each from a seed.
 *
 *   sim [--count N] [--first N] [--seconds S] [--story NAME] [--seed N]
 *       [--verbose] [--keep-going]
 *
 * Without arguments: what `make check` runs, about 20 seconds. `--count 5000`
 * plays that many seeds of each story. A failure prints how to replay it.
 * Every 50th seed is played twice: the same datagrams must come out.
 */
#include "tests/sim/runner.h"
#include "tests/sim/sim.h"

#include <stdio.h>
#include <string.h>

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

static struct totals {
	uint64_t played, failed, datagrams, virtual_ms, ups;
} totals;
static bool verbose;

static void log_out(enum log_level level, const char *text, void *ctx)
{
	printf("           . %s\n", text);
}

static const char *story_name(size_t k)
{
	return k < N_STORIES ? stories[k].name : NULL;
}

static bool is_due(size_t k, uint64_t i)
{
	return i % 100 < stories[k].share;
}

static bool play(size_t story, uint64_t seed, uint8_t out_trace[32])
{
	static struct sim sim; /* survives the longjmp */
	struct totals *t = &totals;
	struct sim *s = &sim;
	bool ok;

	sim_open(s, seed, stories[story].name, verbose);
	ok = setjmp(s->out) == 0;
	if (ok)
		stories[story].play(s);
	memcpy(out_trace, s->trace, 32);
	t->played++;
	t->failed += !ok;
	t->datagrams += s->n_datagrams;
	t->virtual_ms += (uint64_t)(s->now_ms - s->start_ms);
	t->ups += s->c.ups;
	sim_close(s);
	return ok;
}

int main(int argc, char **argv)
{
	struct runner r = {.name = "sim",
			   .count_option = "--count",
			   .story = story_name,
			   .is_due = is_due,
			   .play = play,
			   .first = 1,
			   .count = 1000000,
			   .seconds = 20};
	struct diag diag = DIAG_INIT;
	double start = runner_now_s();

	runner_options(&r, argc, argv);
	verbose = r.verbose;
	if (crypto_open(&diag) != OK) {
		fprintf(stderr, "%s\n", diag.text);
		return 1;
	}
	if (verbose)
		log_open(log_out, NULL, LOG_DEBUG);
	runner_play(&r);
	totals.failed += r.not_the_same;
	printf("%llu stories, %llu failed; %llu connections, %llu datagrams, "
	       "%.0f h of virtual time in %.1f s\n",
	       (unsigned long long)totals.played,
	       (unsigned long long)totals.failed,
	       (unsigned long long)totals.ups,
	       (unsigned long long)totals.datagrams,
	       (double)totals.virtual_ms / 3.6e6, runner_now_s() - start);
	crypto_close();
	return totals.failed == 0 ? 0 : 1;
}
