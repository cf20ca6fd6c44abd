/* All of platform/netmon.h, so that it links; never run. */
#include "platform/netmon.h"

int main(void)
{
	struct netmon *m;
	struct netmon_path path, before = {0};
	struct addr dst;
	uint8_t mac[NETMON_LLADDR_MAX];

	if (addr_parse("192.0.2.1", &dst) || netmon_open(&m, NULL))
		return 1;
	if (netmon_fd(m) < 0 || !netmon_drain(m) ||
	    netmon_path(m, &dst, 0, &path) || netmon_path_eq(&path, &before))
		return 1;
	(void)netmon_neighbour(m, &path, mac);
	netmon_close(&m);
	return 0;
}
