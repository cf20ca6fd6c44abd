/* vpn-connect export: a profile for NetworkManager. */
#include "config.h"

#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/export.h"
#include "client/store/profile_file.h"

/* RFC 4122 4.4: random. */
static enum err uuid_make(char out[37])
{
	uint8_t b[16];
	enum err e = os_random(b, sizeof(b));

	b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
	b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
	snprintf(out, 37,
		 "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
		 "%02x%02x%02x%02x%02x%02x",
		 b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
		 b[10], b[11], b[12], b[13], b[14], b[15]);
	return e;
}

static enum err text_make(struct cli *cli, const char *path, const char *text,
			  char **out, struct diag *diag)
{
	const struct passwd *user = getpwuid(getuid());
	struct export_to to = {.name = cli->name,
			       .user = user ? user->pw_name : "root"};
	char whole[PATH_MAX];
	enum err e;

	if (!realpath(path, whole))
		return diag_sys(diag, ERR_IO, "%s", path);
	to.dir = dirname(whole);
	e = uuid_make(to.uuid);
	return e ? e : export_keyfile(&to, text, out);
}

static enum err text_write(const struct cli *cli, const char *text,
			   struct diag *diag)
{
	if (!cli->arg2) {
		fputs(text, stdout);
		return OK;
	}
	if (access(cli->arg2, F_OK) == 0)
		return diag_set(diag, ERR_USAGE,
				"%s is there already: name another file",
				cli->arg2);
	return os_write_file(cli->arg2, bytes_str(text), diag);
}

int cli_export(struct cli *cli)
{
	char path[PLACE_MAX], *text = NULL, *out = NULL;
	struct profile *profile = malloc(sizeof(*profile));
	struct diag diag = DIAG_INIT;
	enum err e = ERR_NO_MEMORY;

	if (profile)
		e = profile_file_read(&cli->places, cli->arg, path, &text,
				      &diag);
	if (!e)
		e = profile_parse(cli->name, text, profile, &diag);
	if (!e)
		e = text_make(cli, path, text, &out, &diag);
	if (!e)
		e = text_write(cli, out, &diag);
	free(out);
	free(text);
	free(profile);
	return e ? cli_fail(e, &diag) : 0;
}
