/* Endpoints in the form the calls of sockets take and give. */
#ifndef PLATFORM_BASE_SOCKADDR_H
#define PLATFORM_BASE_SOCKADDR_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "platform/base/addr.h"

union sock {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* a: of either family. Returns the length of what is in *out. */
socklen_t sockaddr_from_addr(const struct addr *a, union sock *out);
/* s: all of an address of the family it names. With the port; of ADDR_NONE
 * where it is neither IPv4 nor IPv6. */
struct addr sockaddr_to_addr(const struct sockaddr *s);

#endif
