/* The anti-replay window of a receiving SA (RFC 4303 3.4.3 and appendix A).
 * Sequence numbers here are always 64 bits; without ESN the high half is 0.
 */
#ifndef CLIENT_ESP_REPLAY_H
#define CLIENT_ESP_REPLAY_H

#include "client/esp/esp.h"

/* A ring of bits, larger than the window by some words, so that moving on
 * clears whole words and shifts nothing (RFC 6479). Zeroed is empty. */
#define REPLAY_WORDS 128

struct replay {
	uint64_t top; /* the highest number accepted, 0: none yet */
	uint64_t words[REPLAY_WORDS];
};

/* The 64-bit number that low stands for, where the window is now (RFC 4303
 * A2.2). ERR_REPLAY for one that would lie before 0 or behind 2^64-1. */
enum err ERR_MUST replay_infer(const struct replay *r, uint32_t low,
			       uint64_t *out_seq);
/* ERR_REPLAY for 0, for a number behind the window, or for one that was
 * accepted. Changes nothing: the ICV comes first. */
enum err ERR_MUST replay_check(const struct replay *r, uint64_t seq);
/* Notes seq, which replay_check let through, and moves the window. */
void replay_accept(struct replay *r, uint64_t seq);

#endif
