/* Messages of the routing sockets: octet 0 says of which system. */
#include "tests/fuzz/fuzz.h"

#include "platform/bsd/route_msg.h"

static void check(const struct route_msg *msg)
{
	FUZZ_CHECK(msg->lladdr_len <= ROUTE_LLADDR_MAX);
	FUZZ_CHECK(msg->ifindex >= 0 && msg->ifindex <= UINT16_MAX);
	if (msg->kind != ROUTE_ROUTE && msg->kind != ROUTE_FOUND)
		FUZZ_CHECK(msg->seq == 0 && msg->pid == 0);
	if (msg->kind != ROUTE_LINK)
		FUZZ_CHECK(!msg->link_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes whole, in, rest;
	struct route_msg msg;
	enum err e;

	if (size < 1)
		return 0;
	whole = in = bytes(data + 1, size - 1);
	while (in.len > 0) {
		e = route_msg_parse(data[0] % ROUTE_SYSTEMS, in, &msg, &rest);
		FUZZ_CHECK(fuzz_inside(rest, whole));
		FUZZ_CHECK(rest.len < in.len);
		if (e)
			break;
		check(&msg);
		in = rest;
	}
	return 0;
}
