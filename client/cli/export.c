#include "client/cli/export.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/session/profile.h"

struct writer {
	const struct export_to *to;
	FILE *out;
	char last[80]; /* section and key of the line that is open */
	bool asks;     /* no file or credential has the password */
};

static void value_put(const struct writer *w, const char *value)
{
	for (; *value; value++)
		if (*value == '\\')
			fputs("\\\\", w->out);
		else
			fputc(*value, w->out);
}

static bool is_path(const char *key)
{
	static const char *const keys[] = {"ca", "certificate", "private-key",
					   "password-file"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void pair_put(void *ctx, const char *section, const char *key,
		     const char *value)
{
	struct writer *w = ctx;
	char name[80];

	snprintf(name, sizeof(name), "%s-%s", section, key);
	if (strcmp(name, w->last) == 0) {
		fputs(", ", w->out); /* the next line of a list */
		value_put(w, value);
		return;
	}
	fprintf(w->out, "%s%s=", w->last[0] ? "\n" : "", name);
	strcpy(w->last, name);
	if (is_path(key) && value[0] != '/') {
		value_put(w, w->to->dir);
		fputc('/', w->out);
	}
	value_put(w, value);
	if (strncmp(key, "password-", 9) == 0 ||
	    strcmp(key, "private-key") == 0)
		w->asks = false;
}

enum err export_keyfile(const struct export_to *to, const char *text,
			char **out)
{
	struct writer w = {.to = to, .asks = true};
	size_t len;

	*out = NULL;
	w.out = open_memstream(out, &len);
	if (!w.out)
		return ERR_NO_MEMORY;
	fprintf(w.out,
		"[connection]\nid=%s\nuuid=%s\ntype=vpn\nautoconnect=false\n"
		"permissions=user:%s:;\n\n[vpn]\n"
		"service-type=org.freedesktop.NetworkManager.vpn-connect\n"
		"persistent=true\n", /* a lost network does not end it */
		to->name, to->uuid, to->user);
	profile_each(text, pair_put, &w);
	if (w.last[0])
		fputc('\n', w.out);
	/* Asked by the desktop's agent, stored nowhere unless it is told to. */
	if (w.asks)
		fputs("password-flags=1\n", w.out);
	fputs("\n[ipv4]\nmethod=auto\n\n[ipv6]\nmethod=auto\n", w.out);
	if (fclose(w.out) == 0 && *out)
		return OK;
	free(*out);
	*out = NULL;
	return ERR_NO_MEMORY;
}
