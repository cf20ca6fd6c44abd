/* Asks polkit, over the system bus. */
#ifndef PLATFORM_LINUX_POLKIT_H
#define PLATFORM_LINUX_POLKIT_H

#include "platform/base/err.h"

#include <sys/types.h>

struct polkit_subject {
	pid_t pid;
	uid_t uid;
	int pidfd; /* of pid: the number means this process while it lives */
};

/* May the subject do action? Nobody is prompted. ERR_PERMISSION: no;
 * ERR_NOT_FOUND: there is no polkit to ask. */
enum err ERR_MUST polkit_check(const struct polkit_subject *subject,
			       const char *action, struct diag *diag);

#endif
