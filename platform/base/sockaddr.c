#include "platform/base/sockaddr.h"

#include <arpa/inet.h>
#include <string.h>

socklen_t sockaddr_from_addr(const struct addr *a, union sock *out)
{
	memset(out, 0, sizeof(*out));
	if (a->family == ADDR_V4) {
		out->v4.sin_family = AF_INET;
		out->v4.sin_port = htons(a->port);
		memcpy(&out->v4.sin_addr, a->b, 4);
		return sizeof(out->v4);
	}
	out->v6.sin6_family = AF_INET6;
	out->v6.sin6_port = htons(a->port);
	memcpy(&out->v6.sin6_addr, a->b, 16);
	return sizeof(out->v6);
}

struct addr sockaddr_to_addr(const struct sockaddr *s)
{
	const struct sockaddr_in *v4 = (const void *)s;
	const struct sockaddr_in6 *v6 = (const void *)s;
	struct addr a = {.family = ADDR_NONE};

	if (s->sa_family == AF_INET) {
		a.family = ADDR_V4;
		a.port = ntohs(v4->sin_port);
		memcpy(a.b, &v4->sin_addr, 4);
	} else if (s->sa_family == AF_INET6) {
		a.family = ADDR_V6;
		a.port = ntohs(v6->sin6_port);
		memcpy(a.b, &v6->sin6_addr, 16);
	}
	return a;
}
