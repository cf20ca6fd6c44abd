/* A tunnel as NetworkManager is told of it. */
#ifndef CLIENT_NM_REPORT_H
#define CLIENT_NM_REPORT_H

#include <NetworkManager.h>

#include "client/nm/channel.h"

/* Sends Config, Ip4Config and Ip6Config; also again, while STARTED, which
 * changes the addresses without a tear-down. The routes are vpn-netd's, in a
 * table of their own, so NetworkManager gets none and no default route. */
void report_config(NMVpnServicePlugin *plugin,
		   const struct channel_config *config);

#endif
