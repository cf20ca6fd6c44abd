/* The poll loop: file descriptors and deadlines. No wake-up without a
 * reason. */
#ifndef CLIENT_RUN_LOOP_H
#define CLIENT_RUN_LOOP_H

#include "platform/base/err.h"
#include <stdbool.h>
#include <stdint.h>

struct loop;
typedef void loop_fn(void *ctx);

enum err ERR_MUST loop_new(struct loop **out);
void loop_free(struct loop **l);
/* fn is called when fd is readable (or at its end). fds stay the caller's. */
enum err ERR_MUST loop_add(struct loop *l, int fd, loop_fn *fn, void *ctx);
void loop_remove(struct loop *l, int fd); /* allowed from within fn */
/* fn is called when fd is writable, too. */
void loop_watch_write(struct loop *l, int fd, bool also);
/* fn is not called for what there is to read, until this is taken back. */
void loop_pause(struct loop *l, int fd, bool pause);
/* Before each wait: deadline_of(ctx) in boot-clock ms (INT64_MAX: none) and,
 * when it has come, due(ctx). Eight timers at most. */
enum err ERR_MUST loop_add_timer(struct loop *l,
				 int64_t (*deadline_of)(void *ctx),
				 loop_fn *due, void *ctx);
void loop_remove_timer(struct loop *l, loop_fn *due, const void *ctx);
/* Until loop_stop; a signal that is not in a signalfd does not end it. */
enum err ERR_MUST loop_run(struct loop *l);
void loop_stop(struct loop *l);

#endif
