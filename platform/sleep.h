/* Sleep and wake-up of the machine. Unprivileged. One thread. No wake-up
 * while nothing happens. Linux: systemd-logind, where it runs, says it before
 * and after; that the boot clock ran ahead of the monotonic one tells it
 * afterwards anywhere. */
#ifndef PLATFORM_SLEEP_H
#define PLATFORM_SLEEP_H

#include "platform/base/err.h"

struct sleep_watch;

enum sleep_event {
	SLEEP_NOTHING = 0,
	SLEEP_COMING, /* the machine waits some seconds for sleep_watch_allow */
	SLEEP_OVER    /* it slept, or was about to and did not */
};

enum err ERR_MUST sleep_watch_open(struct sleep_watch **out, struct diag *diag);
void sleep_watch_close(struct sleep_watch **w);
/* Readable when there may be an event. */
int sleep_watch_fd(const struct sleep_watch *w);
/* One event after the other, until SLEEP_NOTHING. Cheap: also called when the
 * process wakes up for another reason, it compares the clocks. */
enum sleep_event sleep_watch_next(struct sleep_watch *w);
/* All that was to be done before the sleep is done. */
void sleep_watch_allow(struct sleep_watch *w);

#endif
