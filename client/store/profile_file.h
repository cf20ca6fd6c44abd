/* Profiles on the disk. */
#ifndef CLIENT_STORE_PROFILE_FILE_H
#define CLIENT_STORE_PROFILE_FILE_H

#include "client/session/profile.h"
#include "client/store/places.h"

/* The name of the profile that arg means: arg itself, or of a path that ends
 * in .conf the last part without it. [A-Za-z0-9._-], not first "." or "-",
 * else ERR_USAGE. */
enum err ERR_MUST profile_file_name(const char *arg, char out[PROFILE_NAME_MAX],
				    struct diag *diag);
/* Finds, reads and parses; paths in it become absolute (relative ones are
 * relative to the profile's folder) and the fingerprint is computed, for
 * which the files it names are read; all but the password's must be there.
 * ERR_PROFILE, ERR_PERMISSION, with a diag line. The file must be the caller's
 * or root's and not writable by everyone. */
enum err ERR_MUST profile_file_load(const struct places *places,
				    const char *arg, struct profile *out,
				    struct diag *diag);
/* The same from a text that lies in no file: every path in it must be
 * absolute. */
enum err ERR_MUST profile_text_load(const char *name, const char *text,
				    struct profile *out, struct diag *diag);
/* Finds and reads, as above; gives *out_text (free), and where it is. */
enum err ERR_MUST profile_file_read(const struct places *places,
				    const char *arg, char out_path[PLACE_MAX],
				    char **out_text, struct diag *diag);
/* Names of the profiles in all folders, each once; at most cap. Returns the
 * count. */
size_t profile_file_list(const struct places *places,
			 char (*out)[PROFILE_NAME_MAX], size_t cap);

/* A file that belongs to a profile: NAME and the suffix, 0600. */
struct profile_extra {
	const char *suffix;
	struct bytes content;
};
struct profile_new {
	const char *name, *text;
	const struct profile_extra *extras;
	size_t n_extras;
};
/* Writes NAME.conf and its files into the user's own folder, which is made
 * where it is missing: all, or nothing. Replaces nothing: ERR_PROFILE where
 * one of them is there. *out_path: of the profile. */
enum err ERR_MUST profile_file_save(const struct places *places,
				    const struct profile_new *profile,
				    char out_path[PLACE_MAX],
				    struct diag *diag);

#endif
