#include "platform/helper/privilege.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NET_ADMIN_BIT (1u << CAP_NET_ADMIN) /* in the first of two words */

/* By the raw call: libcap would be one more library for three words. */
static enum err caps_keep_net_admin(struct diag *diag)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct caps[2];

	memset(caps, 0, sizeof(caps));
	caps[0].effective = caps[0].permitted = NET_ADMIN_BIT;
	if (syscall(SYS_capset, &head, caps) < 0)
		return diag_sys(diag, ERR_PERMISSION,
				"vpn-netd needs CAP_NET_ADMIN");
	return OK;
}

enum err privilege_drop(struct diag *diag)
{
	/* The next three need privilege that a service may not have given us;
	 * then there is nothing for them to take away either. */
	setgroups(0, NULL);
	for (int cap = 0; cap <= 63; cap++)
		if (cap != CAP_NET_ADMIN)
			prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	prctl(PR_SET_SECUREBITS,
	      SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
		      SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED,
	      0, 0, 0);
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return diag_sys(diag, ERR_PERMISSION, "no_new_privs");
	return caps_keep_net_admin(diag);
}
