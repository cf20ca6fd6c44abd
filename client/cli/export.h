/* A profile as other programs want it. Text in, text out. */
#ifndef CLIENT_CLI_EXPORT_H
#define CLIENT_CLI_EXPORT_H

#include "platform/base/err.h"

struct export_to {
	const char *name;
	const char *dir;  /* absolute: paths in the profile are relative to */
	const char *user; /* who alone may use the connection */
	char uuid[37];
};

/* text: a profile that was parsed without an error. A keyfile for
 * NetworkManager and its plugin; gives *out (free). */
enum err ERR_MUST export_keyfile(const struct export_to *to, const char *text,
				 char **out);

#endif
