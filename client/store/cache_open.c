/* Folder, locks, opening and closing.
 *
 * Two locks: DIR/lock around every few file operations; DIR/use shared by all
 * processes that hold keys, so that nobody replaces these meanwhile.
 */
#include "client/store/cache_private.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "platform/base/log.h"

#define LOCK_TRIES   400
#define LOCK_WAIT_NS (5 * 1000 * 1000)

/* --- locks -----------------------------------------------------------------
 */

/* False with errno. */
static bool lock_wait(int fd, int operation, int tries)
{
	const struct timespec wait = {0, LOCK_WAIT_NS};

	for (int i = 0; i < tries; i++) {
		if (i > 0)
			nanosleep(&wait, NULL);
		if (flock(fd, operation | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK && errno != EINTR)
			return false;
	}
	return false;
}

enum err cache_lock(struct ticket_cache *c, struct diag *diag)
{
	if (lock_wait(c->lock_fd, LOCK_EX, LOCK_TRIES))
		return OK;
	return diag_sys(diag, ERR_CACHE,
			"%s/lock: another vpn-connect holds it: end that one",
			c->dir);
}

void cache_unlock(struct ticket_cache *c)
{
	flock(c->lock_fd, LOCK_UN);
}

enum err cache_use(struct ticket_cache *c, struct diag *diag)
{
	if (lock_wait(c->use_fd, LOCK_SH, LOCK_TRIES))
		return OK;
	return diag_sys(diag, ERR_CACHE,
			"%s/use: another vpn-connect replaces the key: try "
			"again later",
			c->dir);
}

bool cache_use_alone(struct ticket_cache *c)
{
	return lock_wait(c->use_fd, LOCK_EX, 1);
}

static enum err lock_open(struct ticket_cache *c, const char *name, int *out_fd,
			  struct diag *diag)
{
	char path[PLACE_MAX];
	enum err e = places_join(path, c->dir, name, diag);

	if (e)
		return e;
	*out_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return *out_fd < 0 ? diag_sys(diag, ERR_CACHE, "%s", path) : OK;
}

/* --- what a killed process left ------------------------------------------- */

/* "key.XXXXXX", as mkstemp names it; "key.ab.log" is a log. */
static bool is_key_leftover(const char *file)
{
	size_t len = strlen(file);

	if (len != 10 || strncmp(file, "key.", 4) != 0)
		return false;
	for (size_t i = 4; i < len; i++)
		if (!isalnum((unsigned char)file[i]))
			return false;
	return true;
}

static bool is_entry_leftover(const char *file)
{
	char name[PROFILE_NAME_MAX];

	return file[0] != '.' && !cache_is_entry(file, name);
}

static void leftovers_sweep(const char *path, bool (*is_leftover)(const char *))
{
	struct dirent *entry;
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir))) {
		if (!is_leftover(entry->d_name))
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) < 0)
			log_warn("%s/%s: %s", path, entry->d_name,
				 strerror(errno));
	}
	if (dir)
		closedir(dir);
}

/* --- opening and closing ----------------------------------------------------
 */

static enum err cache_prepare(struct ticket_cache *c, const char *dir,
			      struct diag *diag)
{
	enum err e;

	snprintf(c->dir, sizeof(c->dir), "%s", dir);
	e = places_join(c->tickets, dir, "tickets", diag);
	if (!e)
		e = places_private_dir(c->dir, diag);
	if (!e)
		e = places_private_dir(c->tickets, diag);
	if (!e)
		e = lock_open(c, "lock", &c->lock_fd, diag);
	if (!e)
		e = lock_open(c, "use", &c->use_fd, diag);
	if (!e)
		e = cache_lock(c, diag);
	if (e)
		return e;
	leftovers_sweep(c->dir, is_key_leftover);
	leftovers_sweep(c->tickets, is_entry_leftover);
	cache_unlock(c);
	return OK;
}

static enum err open_without_keys(const char *dir, struct ticket_cache **out,
				  struct diag *diag)
{
	struct ticket_cache *c = calloc(1, sizeof(*c));
	enum err e;

	*out = c;
	if (!c)
		return ERR_NO_MEMORY;
	c->lock_fd = c->use_fd = -1;
	c->choice = CACHE_KEY_AUTO;
	e = cache_prepare(c, dir, diag);
	if (e)
		ticket_cache_close(out);
	return e == OK || e == ERR_NO_MEMORY ? e : ERR_CACHE;
}

enum err ticket_cache_open(const char *dir, struct ticket_cache **out,
			   struct diag *diag)
{
	enum err e = open_without_keys(dir, out, diag);

	if (e)
		return e;
	e = cache_keys_open(*out, diag);
	if (e)
		ticket_cache_close(out);
	return e == OK || e == ERR_NO_MEMORY ? e : ERR_CACHE;
}

enum err ticket_cache_delete(const char *dir, const char *profile_name,
			     bool *out_had, struct diag *diag)
{
	struct ticket_cache *c;
	char path[PLACE_MAX];
	enum err e = open_without_keys(dir, &c, diag);

	*out_had = false;
	if (e)
		return e;
	e = cache_entry_path(c, profile_name, path, diag);
	if (!e) {
		*out_had = access(path, F_OK) == 0;
		e = ticket_cache_forget(c, profile_name, diag);
	}
	ticket_cache_close(&c);
	return e;
}

enum err ticket_cache_open_for(const char *dir, const struct profile *p,
			       struct ticket_cache **out, struct diag *diag)
{
	enum err e = ticket_cache_open(dir, out, diag);

	if (e)
		return e;
	(*out)->choice = p->cache_key;
	e = cache_keys_choose(*out, diag);
	if (e)
		ticket_cache_close(out);
	else
		cache_migrate(*out, p->name);
	return e;
}

void ticket_cache_close(struct ticket_cache **c)
{
	if (!*c)
		return;
	if ((*c)->lock_fd >= 0)
		close((*c)->lock_fd);
	if ((*c)->use_fd >= 0)
		close((*c)->use_fd);
	mem_wipe(*c, sizeof(**c));
	free(*c);
	*c = NULL;
}
