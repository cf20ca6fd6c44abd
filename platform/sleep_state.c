#include "platform/sleep_state.h"

/* Less is what passes between the reading of two clocks. */
#define JUMP_MS 200

void sleep_state_init(struct sleep_state *s, int64_t ahead_ms)
{
	*s = (struct sleep_state){.ahead_ms = ahead_ms};
}

void sleep_state_said(struct sleep_state *s, bool begins, int64_t ahead_ms)
{
	sleep_state_clocks(s, ahead_ms);
	if (begins) {
		s->announced = s->tell_coming = true;
	} else if (s->announced) {
		s->announced = s->tell_coming = false;
		s->tell_over = true;
	}
}

void sleep_state_clocks(struct sleep_state *s, int64_t ahead_ms)
{
	if (ahead_ms - s->ahead_ms < JUMP_MS)
		return;
	s->ahead_ms = ahead_ms;
	/* Once it is over there is nothing to be done before it. */
	s->announced = s->tell_coming = false;
	s->tell_over = true;
}

enum sleep_event sleep_state_next(struct sleep_state *s)
{
	if (s->tell_over) {
		s->tell_over = false;
		return SLEEP_OVER;
	}
	if (s->tell_coming) {
		s->tell_coming = false;
		return SLEEP_COMING;
	}
	return SLEEP_NOTHING;
}
