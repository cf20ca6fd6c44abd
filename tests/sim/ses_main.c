/* vpn-sim-session: plays stories of a whole session, each from a seed.
 *
 *   vpn-sim-session [--seeds N] [--first N] [--seed N] [--story NAME]
 *                   [--verbose] [--keep-going]
 *
 * Every seed plays a day; each fifth a ticket that lives, and somebody on the
 * path who answers first; each tenth a gateway that lies, each fiftieth an
 * idle connection of 24 hours. A failure prints how to replay it. Every 50th
 * seed is played twice: the same datagrams must come out.
 */
#include "tests/sim/ses.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "platform/base/log.h"

/* X(name, one in so many seeds) */
#define STORY_LIST(X)                                                          \
	X(day, 1)                                                              \
	X(calm, 5)                                                             \
	X(attack, 5)                                                           \
	X(lies, 10)                                                            \
	X(idle, 50)

static const struct {
	const char *name;
	ses_story *play;
	unsigned every;
} stories[] = {
#define X(name, every) {#name, ses_story_##name, every},
	STORY_LIST(X)
#undef X
};
#define N_STORIES (sizeof(stories) / sizeof(stories[0]))

struct options {
	uint64_t first, count;
	const char *story;
	bool verbose, one, keep_going;
};

static bool verbose;
static unsigned log_errors; /* a full queue, for one */

static void log_out(enum log_level level, const char *text, void *ctx)
{
	log_errors += level == LOG_ERROR;
	if (verbose)
		printf("           . %s\n", text);
}

/* True when it went well. */
static bool play(size_t story, uint64_t seed, struct ses_totals *t,
		 uint8_t trace[32])
{
	static struct ses ses; /* survives the longjmp */
	struct sim *s = &ses.sim;
	bool ok;

	memset(&ses, 0, sizeof(ses));
	ses.totals = t;
	log_errors = 0;
	sim_open(s, seed, stories[story].name, verbose);
	s->program = "vpn-sim-session";
	ok = setjmp(s->out) == 0;
	if (ok) {
		stories[story].play(&ses);
		if (log_errors > 0)
			sim_fail(s, "%u errors were logged", log_errors);
	}
	memcpy(trace, s->trace, 32);
	t->played++;
	t->failed += !ok;
	t->wakes += ses.wakes;
	t->idle_wakes += ses.idle_wakes;
	t->datagrams += s->n_datagrams;
	t->virtual_ms += (uint64_t)(s->now_ms - s->start_ms);
	sim_close(s);
	return ok;
}

static bool play_checked(size_t story, uint64_t seed, struct ses_totals *t)
{
	uint8_t a[32], b[32];
	bool ok = play(story, seed, t, a);

	if (!ok || seed % 50 != 0)
		return ok;
	ok = play(story, seed, t, b);
	if (ok && memcmp(a, b, sizeof(a)) == 0)
		return true;
	printf("FAIL %s seed %llu is not deterministic\n", stories[story].name,
	       (unsigned long long)seed);
	t->failed++;
	return false;
}

static void play_all(const struct options *o, struct ses_totals *t)
{
	uint64_t n = o->one ? 1 : o->count;

	for (uint64_t i = 0; i < n; i++) {
		for (size_t k = 0; k < N_STORIES; k++) {
			if (o->story ? strcmp(o->story, stories[k].name) != 0
				     : i % stories[k].every != 0)
				continue;
			if (!play_checked(k, o->first + i, t) && !o->keep_going)
				return;
		}
	}
}

static void usage(void)
{
	fprintf(stderr, "usage: vpn-sim-session [--seeds N] [--first N] "
			"[--seed N]\n           [--story NAME] [--verbose] "
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

		if (strcmp(a, "--verbose") == 0) {
			o->verbose = true;
		} else if (strcmp(a, "--keep-going") == 0) {
			o->keep_going = true;
		} else if (strcmp(a, "--story") == 0) {
			o->story = value(argc, argv, &i);
		} else if (strcmp(a, "--first") == 0) {
			o->first = strtoull(value(argc, argv, &i), NULL, 0);
		} else if (strcmp(a, "--seeds") == 0) {
			o->count = strtoull(value(argc, argv, &i), NULL, 0);
		} else if (strcmp(a, "--seed") == 0) {
			o->first = strtoull(value(argc, argv, &i), NULL, 0);
			o->one = true;
		} else {
			usage();
		}
	}
}

static double now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

#define N(field) ((unsigned long long)t->field)

static void report(const struct ses_totals *t, double seconds)
{
	printf("%llu stories: %llu ended connected, %llu with the right "
	       "reason, %llu failed\n",
	       N(played), N(connected), N(refused), N(failed));
	printf("while the ticket lives: %llu stories, %llu suspends, sleeps, "
	       "reboots and roams, %llu prompts\n",
	       N(calm), N(calm_nights), N(calm_prompts));
	printf("somebody answers first: %llu stories, %llu forged answers, "
	       "%llu prompts; %llu where the nonce is forged\n",
	       N(attacked), N(forged), N(attacked_prompts),
	       N(accepted_prompts));
	printf("idle behind a NAT: %llu h, %llu wake-ups in %llu keepalive "
	       "intervals\n",
	       N(idle_h), N(idle_h_wakes), N(idle_h_keepalives));
	printf("%llu stories, %llu failed; %llu connections (%llu resumed), "
	       "%llu prompts (%llu for bad luck), %.0f h of virtual time in "
	       "%.1f s\n",
	       N(played), N(failed), N(ups), N(resumed), N(prompts), N(unlucky),
	       (double)t->virtual_ms / 3.6e6, seconds);
}

int main(int argc, char **argv)
{
	struct options o = {.first = 1, .count = 1000};
	struct diag diag = DIAG_INIT;
	struct ses_totals t = {0};
	double start = now_s();

	read_options(argc, argv, &o);
	verbose = o.verbose;
	if (crypto_open(&diag) != OK) {
		fprintf(stderr, "%s\n", diag.text);
		return 1;
	}
	log_open(log_out, NULL, verbose ? LOG_DEBUG : LOG_ERROR);
	play_all(&o, &t);
	report(&t, now_s() - start);
	crypto_close();
	return t.failed == 0 ? 0 : 1;
}
