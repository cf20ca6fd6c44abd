#include "client/esp/replay.h"

#define WORD_BITS 64u

static size_t word_of(uint64_t seq)
{
	return seq / WORD_BITS % REPLAY_WORDS;
}

static uint64_t bit_of(uint64_t seq)
{
	return 1ull << seq % WORD_BITS;
}

enum err replay_infer(const struct replay *r, uint32_t low, uint64_t *out_seq)
{
	uint32_t top_low = (uint32_t)r->top;
	uint64_t high = r->top >> 32;
	/* The low half of the window's lower edge; below 0 it is in the
	 * number space before this one. */
	uint32_t bottom = top_low - ESP_REPLAY_WINDOW + 1;

	if (top_low >= ESP_REPLAY_WINDOW - 1) {
		/* The window lies in one space: what is below has wrapped. */
		if (low < bottom) {
			if (high == UINT32_MAX)
				return ERR_REPLAY;
			high++;
		}
	} else if (low >= bottom) {
		/* It spans two: what is at its lower edge or above belongs
		 * to the space before. */
		if (high == 0)
			return ERR_REPLAY;
		high--;
	}
	*out_seq = high << 32 | low;
	return OK;
}

enum err replay_check(const struct replay *r, uint64_t seq)
{
	if (seq == 0)
		return ERR_REPLAY;
	if (seq > r->top)
		return OK;
	if (r->top - seq >= ESP_REPLAY_WINDOW)
		return ERR_REPLAY;
	return r->words[word_of(seq)] & bit_of(seq) ? ERR_REPLAY : OK;
}

void replay_accept(struct replay *r, uint64_t seq)
{
	if (seq > r->top) {
		uint64_t words = seq / WORD_BITS - r->top / WORD_BITS;

		/* The words between hold numbers a ring ago. */
		if (words > REPLAY_WORDS)
			words = REPLAY_WORDS;
		for (uint64_t i = 0; i < words; i++)
			r->words[word_of(seq - i * WORD_BITS)] = 0;
		r->top = seq;
	}
	r->words[word_of(seq)] |= bit_of(seq);
}
