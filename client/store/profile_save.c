/* New profiles on the disk, and which there are. */
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client/store/profile_file.h"

#define SUFFIX ".conf"

static bool is_listed(char (*names)[PROFILE_NAME_MAX], size_t n,
		      const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static size_t folder_list(const char *dir, char (*out)[PROFILE_NAME_MAX],
			  size_t n, size_t cap)
{
	const size_t end = strlen(SUFFIX);
	char name[PROFILE_NAME_MAX];
	struct dirent *entry;
	DIR *d = opendir(dir);

	while (d && n < cap && (entry = readdir(d))) {
		size_t len = strlen(entry->d_name);

		if (len <= end ||
		    strcmp(entry->d_name + len - end, SUFFIX) != 0 ||
		    profile_file_name(entry->d_name, name, NULL) ||
		    is_listed(out, n, name))
			continue;
		strcpy(out[n++], name);
	}
	if (d)
		closedir(d);
	return n;
}

size_t profile_file_list(const struct places *places,
			 char (*out)[PROFILE_NAME_MAX], size_t cap)
{
	size_t n = 0;

	for (size_t i = 0; i < PLACES_CONFIG; i++)
		if (places->config[i][0])
			n = folder_list(places->config[i], out, n, cap);
	return n;
}

static enum err path_of(const struct places *places, const char *name,
			const char *suffix, char out[PLACE_MAX],
			struct diag *diag)
{
	const char *dir = places->config[places->config[0][0] ? 0 : 1];
	char file[PROFILE_NAME_MAX + 40];

	snprintf(file, sizeof(file), "%s%s", name, suffix);
	return places_join(out, dir, file, diag);
}

static enum err place_check(const char *path, struct diag *diag)
{
	if (access(path, F_OK) < 0)
		return OK;
	return diag_set(diag, ERR_PROFILE,
			"%s is there already: move it away, or choose another "
			"name",
			path);
}

static enum err all_check(const struct places *places,
			  const struct profile_new *p, struct diag *diag)
{
	char path[PLACE_MAX];
	enum err e = path_of(places, p->name, SUFFIX, path, diag);

	if (!e)
		e = place_check(path, diag);
	for (size_t i = 0; i < p->n_extras && !e; i++) {
		e = path_of(places, p->name, p->extras[i].suffix, path, diag);
		if (!e)
			e = place_check(path, diag);
	}
	return e;
}

/* *out_n: how many are there now. */
static enum err extras_write(const struct places *places,
			     const struct profile_new *p, size_t *out_n,
			     struct diag *diag)
{
	char path[PLACE_MAX];
	enum err e = OK;

	for (*out_n = 0; *out_n < p->n_extras; (*out_n)++) {
		const struct profile_extra *x = &p->extras[*out_n];

		e = path_of(places, p->name, x->suffix, path, diag);
		if (!e)
			e = os_write_file(path, x->content, diag);
		if (e)
			break;
	}
	return e;
}

enum err profile_file_save(const struct places *places,
			   const struct profile_new *profile,
			   char out_path[PLACE_MAX], struct diag *diag)
{
	const char *dir = places->config[places->config[0][0] ? 0 : 1];
	char path[PLACE_MAX];
	size_t written = 0;
	enum err e;

	e = all_check(places, profile, diag);
	if (!e)
		e = os_make_dir(dir, diag);
	if (!e)
		e = extras_write(places, profile, &written, diag);
	/* The profile last: it names only what is there. */
	if (!e)
		e = path_of(places, profile->name, SUFFIX, out_path, diag);
	if (!e)
		e = os_write_file(out_path, bytes_str(profile->text), diag);
	while (e && written-- > 0)
		if (path_of(places, profile->name,
			    profile->extras[written].suffix, path, NULL) == OK)
			unlink(path);
	return e;
}
