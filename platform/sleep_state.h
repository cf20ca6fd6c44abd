/* What becomes of the two signs of a sleep: the words of a login manager and
 * the difference of two clocks. Pure. */
#ifndef PLATFORM_SLEEP_STATE_H
#define PLATFORM_SLEEP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/sleep.h"

struct sleep_state {
	int64_t ahead_ms; /* boot clock - monotonic clock: time slept */
	bool announced;	  /* a sleep was, and not yet its end */
	bool tell_coming, tell_over;
};

void sleep_state_init(struct sleep_state *s, int64_t ahead_ms);
/* The login manager: a sleep begins, or ended. */
void sleep_state_said(struct sleep_state *s, bool begins, int64_t ahead_ms);
/* The clocks were looked at. */
void sleep_state_clocks(struct sleep_state *s, int64_t ahead_ms);
/* What is to be told; each once. */
enum sleep_event sleep_state_next(struct sleep_state *s);

#endif
