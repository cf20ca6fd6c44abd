/* Who is at the other end of the socket, and may he be a client? */
#ifndef PLATFORM_HELPER_PEER_H
#define PLATFORM_HELPER_PEER_H

#include "platform/base/err.h"

#include <stdint.h>

/* Root (who also is whoever has spawned us), the members of the group
 * "vpn-connect", and whom polkit allows the action "org.vpnconnect.use": by
 * default users of an active session at this machine. All by what the kernel
 * noted when the peer connected. ERR_PERMISSION with the next step in
 * diag. */
enum err ERR_MUST peer_check(int sock, uint32_t *out_uid, struct diag *diag);

#endif
