/* A request as vpn-netd gets it, and what it makes of it. */
#ifndef TESTS_UNIT_HELPER_MESSAGE_H
#define TESTS_UNIT_HELPER_MESSAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "platform/helper/proto.h"

struct message {
	uint8_t b[NETD_REQUEST_MAX + 16];
	size_t len;
};

struct message message_make(const struct netd_request *req);
/* In memory of just its length. Whoever is refused is told why. */
enum err message_read(const struct message *m, struct netd_request *out);
void assert_refused(const struct message *m);

#endif
