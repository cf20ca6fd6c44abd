/* How long a NAT remembers a mapping that nobody uses, and so how seldom its
 * keepalives may be (RFC 3948 4). Learnt from silences that come by
 * themselves; nothing is sent for it. Pure.
 *
 * A silence is proven to be harmless by a packet that the gateway sends into
 * it, or by a liveness check behind it that finds our address unchanged; to
 * be too long by one that finds it changed, twice (once may be a router that
 * was restarted). */
#ifndef CLIENT_SESSION_KEEPALIVE_H
#define CLIENT_SESSION_KEEPALIVE_H

#include <stdbool.h>
#include <stdint.h>

/* What is worth keeping for the next time in the same network; 0: not known. */
struct keepalive_known {
	uint32_t lives_ms; /* the longest silence that a mapping survived */
	uint32_t dies_ms;  /* the shortest one that it did not */
};

struct keepalive {
	uint32_t first_ms; /* where it begins: what nearly every NAT stands */
	struct keepalive_known known;
	bool broke_once; /* at this interval */
	bool told; /* the gateway tells: a step too far would be noticed */
	int64_t any_ms, out_ms; /* the last packet of either side, and ours */
	/* The longest silence, and ours, since the mapping was looked at. */
	uint32_t silence_ms, our_silence_ms;
	bool blurred; /* there may have been a longer one of ours */
};

/* Another path, or a new SA. */
void keepalive_begin(struct keepalive *k, uint32_t first_ms,
		     const struct keepalive_known *known, int64_t now_ms);
/* The last ESP packet, ours or theirs, was at that time; what was before it
 * since the last word is not known. */
void keepalive_data(struct keepalive *k, bool ours, int64_t at_ms);
/* A packet of ours leaves. */
void keepalive_sent(struct keepalive *k, int64_t now_ms);
/* One of the gateway's arrived. */
void keepalive_heard(struct keepalive *k, int64_t now_ms);
/* A liveness check told whether our address is the one it was before. */
void keepalive_checked(struct keepalive *k, bool same);
/* How long we may be silent. */
uint32_t keepalive_interval_ms(const struct keepalive *k);

#endif
