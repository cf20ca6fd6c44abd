/* Passwords and pre-shared keys that lie in files. */
#ifndef CLIENT_STORE_CREDENTIAL_H
#define CLIENT_STORE_CREDENTIAL_H

#include "client/session/profile.h"

/* What [identity] password-file or password-credential names, without the
 * newline at its end. gives *out (wipe). ERR_NOT_FOUND: the profile names
 * none, or it is not there (diag says so): a person has to be asked. Else a
 * diag line: ERR_PERMISSION (others can read the file), ERR_PROFILE (empty or
 * too long). */
enum err ERR_MUST credential_read(const struct profile *p, struct secret *out,
				  struct diag *diag);

#endif
