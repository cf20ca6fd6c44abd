/* The memory of which entry of the cache was the last: notices an older copy
 * of a file that was put back. It lies in the kernel's key ring, so it lasts
 * until the reboot, and it never stops anything where there is none.
 * Every verb is for one folder and profile, under the cache's lock.
 */
#ifndef CLIENT_STORE_GUARD_H
#define CLIENT_STORE_GUARD_H

#include <stdint.h>

/* The oldest generation that may still be presented; 0: nothing is known. */
uint64_t guard_floor(const char *dir, const char *profile);
/* A generation newer than any before. */
uint64_t guard_next(const char *dir, const char *profile, int64_t wall_ms);
/* Never lowers. life_ms: how long a copy that is older could still be valid;
 * 0: as long as said before, and nothing where nothing was. */
void guard_raise(const char *dir, const char *profile, uint64_t floor,
		 int64_t life_ms);
/* Forgets: for tests. */
void guard_drop(const char *dir, const char *profile);

#endif
