/* Where things lie on the disk of one user. */
#ifndef CLIENT_STORE_PLACES_H
#define CLIENT_STORE_PLACES_H

#include "platform/os.h"

#define PLACE_MAX     512
#define PLACES_CONFIG 3

struct places {
	/* Folders with profiles, the first that has one wins; "" unused. */
	char config[PLACES_CONFIG][PLACE_MAX];
	char state[PLACE_MAX]; /* ticket cache, log */
	char run[PLACE_MAX];   /* control sockets */
};

/* From XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_RUNTIME_DIR, else below the
 * user's home and /run/user. Makes nothing. ERR_NO_SPACE. */
enum err ERR_MUST places_find(const struct os_user *user, struct places *out,
			      struct diag *diag);
/* Makes the folder (0700, and its parents) where it is missing. Refuses a
 * symlink and a folder that is another's or that others may enter
 * (ERR_PERMISSION, with the command that mends it). */
enum err ERR_MUST places_private_dir(const char *path, struct diag *diag);
/* "a/b/c" into out; ERR_NO_SPACE. */
enum err ERR_MUST places_join(char out[PLACE_MAX], const char *dir,
			      const char *name, struct diag *diag);

#endif
