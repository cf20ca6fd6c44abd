#include "client/store/profile_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/store/credential.h"

#define SUFFIX		 ".conf"
#define PROFILE_FILE_MAX (64 * 1024)
#define CERT_FILE_MAX	 (4 * 1024 * 1024)

/* --- finding ------------------------------------------------------------ */

static bool ends_with(const char *text, const char *end)
{
	size_t len = strlen(text), end_len = strlen(end);

	return len > end_len && strcmp(text + len - end_len, end) == 0;
}

static bool name_is_good(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len < PROFILE_NAME_MAX && name[0] != '.' &&
	       name[0] != '-' && strspn(name, allowed) == len;
}

enum err profile_file_name(const char *arg, char out[PROFILE_NAME_MAX],
			   struct diag *diag)
{
	const char *slash = strrchr(arg, '/');
	char name[PATH_MAX];

	snprintf(name, sizeof(name), "%s", arg);
	if (ends_with(arg, SUFFIX)) {
		snprintf(name, sizeof(name), "%s", slash ? slash + 1 : arg);
		name[strlen(name) - strlen(SUFFIX)] = '\0';
	}
	if (!name_is_good(name))
		return diag_set(diag, ERR_USAGE,
				"'%.80s' is not a profile's name: letters, "
				"digits, '.', '_' and '-', or a path that ends "
				"in " SUFFIX,
				arg);
	strcpy(out, name);
	return OK;
}

/* The content of the file as text. */
static enum err text_read(const char *path, char **out_text, struct diag *diag)
{
	struct stat st;
	uint8_t *buf;
	size_t len;
	enum err e;

	if (stat(path, &st) == 0) {
		if (st.st_uid != geteuid() && st.st_uid != 0)
			return diag_set(diag, ERR_PERMISSION,
					"%s belongs to user %u: chown it", path,
					(unsigned)st.st_uid);
		if (st.st_mode & S_IWOTH)
			return diag_set(diag, ERR_PERMISSION,
					"%s can be changed by everyone: "
					"chmod o-w %s",
					path, path);
	}
	e = os_read_file(path, PROFILE_FILE_MAX, &buf, &len, diag);
	if (e)
		return e;
	if (memchr(buf, '\0', len)) {
		free(buf);
		return diag_set(diag, ERR_PROFILE, "%s: not a text file", path);
	}
	*out_text = (char *)buf;
	return OK;
}

/* In the folders of places, one after the other. */
static enum err text_find(const struct places *places, const char *name,
			  char path[PLACE_MAX], char **out_text,
			  struct diag *diag)
{
	char file[PROFILE_NAME_MAX + sizeof(SUFFIX)];
	enum err e = ERR_NOT_FOUND;

	snprintf(file, sizeof(file), "%s" SUFFIX, name);
	for (size_t i = 0; i < PLACES_CONFIG && e == ERR_NOT_FOUND; i++) {
		if (!places->config[i][0])
			continue;
		e = places_join(path, places->config[i], file, diag);
		if (!e)
			e = text_read(path, out_text, NULL);
	}
	if (e == ERR_NOT_FOUND)
		return diag_set(diag, ERR_PROFILE,
				"no profile '%s': write %s/%s (see "
				"vpn-connect.conf(5))",
				name,
				places->config[places->config[0][0] ? 0 : 1],
				file);
	/* Once more, for its words. */
	return e ? text_read(path, out_text, diag) : OK;
}

/* --- paths in it ---------------------------------------------------------- */

static enum err path_resolve(const char *dir, char value[PROFILE_PATH_MAX],
			     struct diag *diag)
{
	char joined[PLACE_MAX];
	enum err e;

	if (value[0] == '\0' || value[0] == '/')
		return OK;
	e = places_join(joined, dir, value, diag);
	if (!e)
		snprintf(value, PROFILE_PATH_MAX, "%s", joined);
	return e;
}

static enum err paths_resolve(const char *path, struct profile *p,
			      struct diag *diag)
{
	char *const values[] = {p->ca, p->password_file, p->certificate,
				p->private_key};
	char whole[PATH_MAX];
	enum err e = OK;

	if (!realpath(path, whole))
		return diag_sys(diag, ERR_IO, "%s", path);
	*strrchr(whole, '/') = '\0';
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]) && !e; i++)
		e = path_resolve(whole, values[i], diag);
	return e;
}

/* --- fingerprint ------------------------------------------------------------
 */

static void print_item(struct wr *w, struct bytes item)
{
	wr_u16(w, (uint16_t)item.len);
	wr_bytes(w, item);
}

static void print_name(struct wr *w, const struct ike_name *n)
{
	wr_u8(w, n->type);
	print_item(w, bytes(n->b, n->len));
}

/* The hash of a file the profile names with this key; an empty item where it
 * names none. */
static enum err print_file(struct wr *w, const char *key, const char *path,
			   struct diag *diag)
{
	uint8_t digest[32], *buf = NULL;
	struct diag why = DIAG_INIT;
	struct bytes content;
	size_t len = 0;
	enum err e;

	print_item(w, bytes_str(path));
	if (path[0] == '\0')
		return OK;
	e = os_read_file(path, CERT_FILE_MAX, &buf, &len, &why);
	if (e)
		return diag_set(diag, e == ERR_NOT_FOUND ? ERR_PROFILE : e,
				"%s: %.250s", key, diag_text(&why, e));
	content = bytes(buf, len);
	e = crypto_hash(HASH_SHA2_256, &content, 1, digest);
	print_item(w, bytes(digest, sizeof(digest)));
	free(buf);
	return e;
}

/* A password that is typed, or whose file comes and goes, cannot be known
 * here. */
static enum err credential_print(struct profile *p, struct diag *diag)
{
	struct diag why = DIAG_INIT;
	struct secret secret;
	struct bytes content;
	enum err e = credential_read(p, &secret, &why);

	if (e == ERR_NOT_FOUND)
		return OK;
	if (e)
		return diag_set(diag, e, "%s", diag_text(&why, e));
	content = secret_view(&secret);
	e = crypto_hash(HASH_SHA2_256, &content, 1, p->credential);
	p->has_credential = e == OK;
	secret_wipe(&secret);
	return e;
}

static enum err fingerprint(struct profile *p, struct diag *diag)
{
	uint8_t buf[4096];
	struct wr w = wr_open(buf, sizeof(buf));
	struct bytes all;
	enum err e;

	wr_u8(&w, (uint8_t)p->auth);
	print_item(&w, bytes_str(p->gateway));
	wr_u16(&w, p->port);
	print_name(&w, &p->gateway_id);
	print_name(&w, &p->id);
	print_name(&w, &p->user);
	e = print_file(&w, "[gateway] ca", p->ca, diag);
	if (!e)
		e = print_file(&w, "[identity] certificate", p->certificate,
			       diag);
	if (!e)
		e = wr_finish(&w);
	if (e)
		return e;
	all = wr_view(&w);
	e = crypto_hash(HASH_SHA2_256, &all, 1, p->fingerprint);
	return e ? e : credential_print(p, diag);
}

enum err profile_file_read(const struct places *places, const char *arg,
			   char out_path[PLACE_MAX], char **out_text,
			   struct diag *diag)
{
	char name[PROFILE_NAME_MAX];
	enum err e = profile_file_name(arg, name, diag);

	*out_text = NULL;
	if (e)
		return e;
	if (!ends_with(arg, SUFFIX))
		return text_find(places, name, out_path, out_text, diag);
	snprintf(out_path, PLACE_MAX, "%s", arg);
	e = text_read(out_path, out_text, diag);
	return e == ERR_NOT_FOUND ? ERR_PROFILE : e;
}

enum err profile_file_load(const struct places *places, const char *arg,
			   struct profile *out, struct diag *diag)
{
	char name[PROFILE_NAME_MAX], path[PLACE_MAX];
	char *text;
	enum err e;

	e = profile_file_read(places, arg, path, &text, diag);
	if (!e)
		e = profile_file_name(arg, name, diag);
	if (!e)
		e = profile_parse(name, text, out, diag);
	free(text);
	if (!e)
		e = paths_resolve(path, out, diag);
	return e ? e : fingerprint(out, diag);
}

static enum err absolute_check(const char *key, const char *path,
			       struct diag *diag)
{
	if (path[0] == '\0' || path[0] == '/')
		return OK;
	return diag_set(diag, ERR_PROFILE,
			"%s: '%.200s' is not an absolute path: begin it with /",
			key, path);
}

enum err profile_text_load(const char *name, const char *text,
			   struct profile *out, struct diag *diag)
{
	enum err e = profile_parse(name, text, out, diag);

	if (!e)
		e = absolute_check("[gateway] ca", out->ca, diag);
	if (!e)
		e = absolute_check("[identity] password-file",
				   out->password_file, diag);
	if (!e)
		e = absolute_check("[identity] certificate", out->certificate,
				   diag);
	if (!e)
		e = absolute_check("[identity] private-key", out->private_key,
				   diag);
	return e ? e : fingerprint(out, diag);
}
