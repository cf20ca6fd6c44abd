#include "client/store/credential.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/store/places.h"

#define CREDENTIAL_FILE_MAX 4096

/* The line without its end. */
static struct bytes line_of(const uint8_t *file, size_t len)
{
	if (len > 0 && file[len - 1] == '\n')
		len--;
	if (len > 0 && file[len - 1] == '\r')
		len--;
	return bytes(file, len);
}

static enum err secret_take(const char *path, uint8_t *file, size_t len,
			    struct secret *out, struct diag *diag)
{
	struct bytes line = line_of(file, len);

	if (line.len == 0)
		return diag_set(diag, ERR_PROFILE,
				"%s is empty: write the password into it",
				path);
	if (secret_set(out, line))
		return diag_set(diag, ERR_PROFILE,
				"%s: a password longer than %d octets", path,
				SECRET_MAX);
	return OK;
}

/* The service manager hands credentials over in a folder that only the
 * service can enter; the files themselves may carry an ACL. */
static enum err systemd_read(const char *name, char path[PLACE_MAX],
			     uint8_t **out_file, size_t *out_len,
			     struct diag *diag)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	enum err e;

	if (!dir || dir[0] != '/')
		return diag_set(diag, ERR_NOT_FOUND,
				"no systemd credentials here: start it as a "
				"service with LoadCredential=%s:..., or use "
				"password-file",
				name);
	e = places_join(path, dir, name, diag);
	if (e)
		return e;
	return os_read_file(path, CREDENTIAL_FILE_MAX, out_file, out_len, diag);
}

enum err credential_read(const struct profile *p, struct secret *out,
			 struct diag *diag)
{
	char path[PLACE_MAX];
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e;

	memset(out, 0, sizeof(*out));
	if (p->password_file[0]) {
		snprintf(path, sizeof(path), "%s", p->password_file);
		e = os_read_secret_file(path, CREDENTIAL_FILE_MAX, &file, &len,
					diag);
	} else if (p->password_credential[0]) {
		e = systemd_read(p->password_credential, path, &file, &len,
				 diag);
	} else {
		return ERR_NOT_FOUND;
	}
	if (!e)
		e = secret_take(path, file, len, out, diag);
	mem_wipe(file, len);
	free(file);
	return e;
}
