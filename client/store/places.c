#include "client/store/places.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUR_NAME "vpn-connect"

enum err places_join(char out[PLACE_MAX], const char *dir, const char *name,
		     struct diag *diag)
{
	int len = snprintf(out, PLACE_MAX, "%s/%s", dir, name);

	if (len < 0 || len >= PLACE_MAX)
		return diag_set(diag, ERR_NO_SPACE,
				"%.200s: a path too long: use a shorter one",
				dir);
	return OK;
}

/* The variable's folder, else home/fallback; XDG says that a relative path
 * is to be ignored. */
static enum err xdg_find(const char *variable, const struct os_user *user,
			 const char *fallback, char out[PLACE_MAX],
			 struct diag *diag)
{
	const char *dir = getenv(variable);
	char home[PLACE_MAX];
	enum err e;

	if (dir && dir[0] == '/')
		return places_join(out, dir, OUR_NAME, diag);
	e = places_join(home, user->home, fallback, diag);
	return e ? e : places_join(out, home, OUR_NAME, diag);
}

static enum err run_find(const struct os_user *user, struct places *out,
			 struct diag *diag)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	char by_uid[PLACE_MAX];

	if (dir && dir[0] == '/')
		return places_join(out->run, dir, OUR_NAME, diag);
	snprintf(by_uid, sizeof(by_uid), "/run/user/%u", (unsigned)user->uid);
	if (access(by_uid, F_OK) == 0)
		return places_join(out->run, by_uid, OUR_NAME, diag);
	return places_join(out->run, out->state, "run", diag);
}

enum err places_find(const struct os_user *user, struct places *out,
		     struct diag *diag)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	enum err e = OK;

	memset(out, 0, sizeof(*out));
	if (config && config[0] == '/')
		e = places_join(out->config[0], config, OUR_NAME, diag);
	if (!e)
		e = places_join(out->config[1], user->home, ".config/" OUR_NAME,
				diag);
	if (!e)
		e = places_join(out->config[2], SYSCONFDIR, OUR_NAME, diag);
	if (!e)
		e = xdg_find("XDG_STATE_HOME", user, ".local/state", out->state,
			     diag);
	return e ? e : run_find(user, out, diag);
}

enum err places_private_dir(const char *path, struct diag *diag)
{
	struct stat st;
	enum err e;

	if (lstat(path, &st) < 0) {
		if (errno != ENOENT)
			return diag_sys(diag, ERR_PERMISSION, "%s", path);
		e = os_make_dir(path, diag);
		if (e)
			return e;
		if (lstat(path, &st) < 0)
			return diag_sys(diag, ERR_PERMISSION, "%s", path);
	}
	if (!S_ISDIR(st.st_mode))
		return diag_set(diag, ERR_PERMISSION,
				"%s is not a folder (a symbolic link is not "
				"accepted): rm %s",
				path, path);
	if (st.st_uid != geteuid())
		return diag_set(diag, ERR_PERMISSION,
				"%s belongs to user %u: chown -R %u %s", path,
				(unsigned)st.st_uid, (unsigned)geteuid(), path);
	if (st.st_mode & 077)
		return diag_set(diag, ERR_PERMISSION,
				"%s can be read by others: chmod 700 %s", path,
				path);
	return OK;
}
