/* vpn-sim-session: plays stories of a whole session, each from a seed.
 *
 *   vpn-sim-session [--seeds N] [--first N] [--seconds S] [--story NAME]
 *                   [--seed N] [--verbose] [--keep-going]
 *
 * Every seed plays a day; each fifth a ticket that lives, and somebody on the
 * path who answers first; each tenth a gateway that lies, each fiftieth an
 * idle connection of 24 hours. A failure prints how to replay it. Every 50th
 * seed is played twice: the same datagrams must come out.
 */
#include "tests/sim/runner.h"
#include "tests/sim/ses.h"

#include <stdio.h>
#include <string.h>

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

static struct ses_totals totals;
static bool verbose;
static unsigned log_errors; /* a full queue, for one */

static void log_out(enum log_level level, const char *text, void *ctx)
{
	log_errors += level == LOG_ERROR;
	if (verbose)
		printf("           . %s\n", text);
}

static const char *story_name(size_t k)
{
	return k < N_STORIES ? stories[k].name : NULL;
}

static bool is_due(size_t k, uint64_t i)
{
	return i % stories[k].every == 0;
}

static bool play(size_t story, uint64_t seed, uint8_t out_trace[32])
{
	struct ses_totals *t = &totals;
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
	memcpy(out_trace, s->trace, 32);
	t->played++;
	t->failed += !ok;
	t->wakes += ses.wakes;
	t->idle_wakes += ses.idle_wakes;
	t->datagrams += s->n_datagrams;
	t->virtual_ms += (uint64_t)(s->now_ms - s->start_ms);
	sim_close(s);
	return ok;
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
	struct runner r = {.name = "vpn-sim-session",
			   .count_option = "--seeds",
			   .story = story_name,
			   .is_due = is_due,
			   .play = play,
			   .first = 1,
			   .count = 1000};
	struct diag diag = DIAG_INIT;
	double start = runner_now_s();

	runner_options(&r, argc, argv);
	verbose = r.verbose;
	if (crypto_open(&diag) != OK) {
		fprintf(stderr, "%s\n", diag.text);
		return 1;
	}
	log_open(log_out, NULL, verbose ? LOG_DEBUG : LOG_ERROR);
	runner_play(&r);
	totals.failed += r.not_the_same;
	report(&totals, runner_now_s() - start);
	crypto_close();
	return totals.failed == 0 ? 0 : 1;
}
