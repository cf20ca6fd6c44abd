#include "client/run/resolve.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static enum err one_addr(const struct addrinfo *ai, uint16_t port,
			 struct addr *out)
{
	const struct sockaddr_in *v4 = (const void *)ai->ai_addr;
	const struct sockaddr_in6 *v6 = (const void *)ai->ai_addr;

	if (ai->ai_family == AF_INET)
		return addr_from_bytes(bytes(&v4->sin_addr, 4), port, out);
	if (ai->ai_family == AF_INET6)
		return addr_from_bytes(bytes(&v6->sin6_addr, 16), port, out);
	return ERR_UNSUPPORTED;
}

enum err resolve_name(const char *name, uint16_t port, struct addr *out,
		      size_t cap, size_t *out_n, struct diag *diag)
{
	struct addrinfo hints = {.ai_socktype = SOCK_DGRAM};
	struct addrinfo *list = NULL;
	int r;

	*out_n = 0;
	if (addr_parse(name, &out[0]) == OK) {
		out[0].port = port;
		*out_n = 1;
		return OK;
	}
	r = getaddrinfo(name, NULL, &hints, &list);
	if (r != 0)
		return diag_set(
			diag, ERR_NAME,
			"gateway name '%s' does not resolve (%s): check "
			"[gateway] address and the network's DNS",
			name, gai_strerror(r));
	for (struct addrinfo *ai = list; ai && *out_n < cap; ai = ai->ai_next)
		if (one_addr(ai, port, &out[*out_n]) == OK)
			(*out_n)++;
	freeaddrinfo(list);
	if (*out_n == 0)
		return diag_set(diag, ERR_NAME,
				"gateway name '%s' has no address", name);
	return OK;
}
