#include "config.h"

#include "client/nm/folders.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME	   "nm-vpn-connect" /* also the group */
#define STATE	   LOCALSTATEDIR "/lib/" NAME
#define RUN	   RUNSTATEDIR "/" NAME
#define FOLDER_MAX 300

/* Made with these ids: without CAP_CHOWN, which NetworkManager's unit has not,
 * an owner cannot be changed later. */
static enum err make_as(const char *path, mode_t mode, uid_t uid, gid_t gid,
			struct diag *diag)
{
	struct stat st;
	enum err e = OK;
	int made;

	if (setegid(gid) < 0 || seteuid(uid) < 0)
		return diag_sys(diag, ERR_PERMISSION, "becoming user %u",
				(unsigned)uid);
	made = mkdir(path, 0700);
	if (made < 0 && errno != EEXIST)
		e = diag_sys(diag, ERR_PERMISSION, "%s", path);
	else if (lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) ||
		 st.st_uid != uid)
		e = diag_set(diag, ERR_PERMISSION,
			     "%s is not a folder of user %u: remove it", path,
			     (unsigned)uid);
	else if (made == 0 && chmod(path, mode) < 0)
		e = diag_sys(diag, ERR_PERMISSION, "%s", path);
	if (seteuid(0) < 0 || setegid(0) < 0)
		return diag_sys(diag, ERR_PERMISSION, "becoming root again");
	return e;
}

/* The parent is root's; the group may add to it, nobody else's is theirs. */
static enum err folder_make(const char *parent, const char *variable,
			    const struct os_user *user, gid_t group,
			    struct diag *diag)
{
	char path[FOLDER_MAX];
	enum err e = make_as(parent, 01771, 0, group, diag);

	snprintf(path, sizeof(path), "%s/%u", parent, (unsigned)user->uid);
	if (!e)
		e = make_as(path, 0700, user->uid, group, diag);
	if (!e && setenv(variable, path, 1) < 0)
		e = ERR_NO_MEMORY;
	return e;
}

enum err folders_make(const struct os_user *user, struct diag *diag)
{
	const struct group *group = getgrnam(NAME);
	enum err e;

	if (!group)
		return diag_set(diag, ERR_USAGE,
				"no group " NAME ": run systemd-sysusers");
	e = folder_make(STATE, "XDG_STATE_HOME", user, group->gr_gid, diag);
	if (!e)
		e = folder_make(RUN, "XDG_RUNTIME_DIR", user, group->gr_gid,
				diag);
	return e;
}
