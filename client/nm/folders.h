/* Where a core keeps its tickets and its control socket. */
#ifndef CLIENT_NM_FOLDERS_H
#define CLIENT_NM_FOLDERS_H

#include "platform/os.h"

/* As root, before the privilege goes: makes the user's own folders in
 * LOCALSTATEDIR/lib/nm-vpn-connect and RUNSTATEDIR/nm-vpn-connect, and says in
 * XDG_STATE_HOME and XDG_RUNTIME_DIR where they are. NetworkManager's unit has
 * homes and /run/user read-only. ERR_PERMISSION, ERR_USAGE. */
enum err ERR_MUST folders_make(const struct os_user *user, struct diag *diag);

#endif
