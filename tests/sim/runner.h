/* Plays the stories of a simulator, each from a seed: what is the same of
 * `sim` and `vpn-sim-session`. */
#ifndef TESTS_SIM_RUNNER_H
#define TESTS_SIM_RUNNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runner {
	/* The program's. */
	const char *name;
	const char *count_option;	/* how the number of seeds is told */
	const char *(*story)(size_t k); /* its name; NULL: that was all */
	/* Is it due with the i-th seed? It is with the 0th and 100th. */
	bool (*is_due)(size_t k, uint64_t i);
	/* True when it went well. out_trace: digest of all datagrams. */
	bool (*play)(size_t k, uint64_t seed, uint8_t out_trace[32]);

	/* What is asked for; the program sets what is so without options. */
	uint64_t first, count;
	unsigned seconds; /* stop then; 0: after count */
	const char *only; /* this story */
	bool verbose, keep_going;

	unsigned not_the_same; /* stories that differed the second time */
};

/* Exits where an option is wrong. */
void runner_options(struct runner *r, int argc, char **argv);
/* Every 50th seed is played twice, and has to bring the same datagrams. */
void runner_play(struct runner *r);
double runner_now_s(void);

#endif
