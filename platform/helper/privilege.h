/* What vpn-netd may do. */
#ifndef PLATFORM_HELPER_PRIVILEGE_H
#define PLATFORM_HELPER_PRIVILEGE_H

#include "platform/base/err.h"

/* Keeps CAP_NET_ADMIN and nothing else, for good: no other capability in any
 * set, no supplementary group, no_new_privs. The user stays 0, the owner of
 * /etc/resolv.conf. ERR_PERMISSION where CAP_NET_ADMIN is missing. */
enum err ERR_MUST privilege_drop(struct diag *diag);

#endif
