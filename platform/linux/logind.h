/* systemd-logind: when the machine goes to sleep, and a lock that delays it
 * for a moment. The system bus does not have to be there. */
#ifndef PLATFORM_LINUX_LOGIND_H
#define PLATFORM_LINUX_LOGIND_H

#include <stdbool.h>

struct logind;

/* begins: a sleep is coming, else it ended. */
typedef void logind_fn(void *ctx, bool begins);

/* Connects and takes the lock. NULL: no bus, no libsystemd, no memory. */
struct logind *logind_open(logind_fn *said, void *ctx);
void logind_close(struct logind **l);
int logind_fd(const struct logind *l);
/* Reads all that waits and calls said. False: the bus is gone. */
bool logind_read(struct logind *l);
/* The lock: machines with it wait before they sleep, some seconds at most. */
void logind_hold(struct logind *l);
void logind_release(struct logind *l);

#endif
