#include "client/cli/export.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_LEN 512

struct writer {
	const struct export_to *to;
	FILE *out;
	char section[40];
	bool open; /* a value may go on in the next line */
	bool asks; /* no file or credential has the password */
};

static char *trim(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* What inih takes for a comment behind a value. */
static void comment_cut(char *text)
{
	for (char *c = text; *c; c++)
		if (*c == ';' && (c == text || c[-1] == ' ' || c[-1] == '\t'))
			*c = '\0';
}

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

static void pair_put(struct writer *w, const char *key, const char *value)
{
	if (w->open)
		fputc('\n', w->out);
	fprintf(w->out, "%s-%s=", w->section, key);
	if (is_path(key) && value[0] != '/') {
		value_put(w, w->to->dir);
		fputc('/', w->out);
	}
	value_put(w, value);
	w->open = true;
	if (strncmp(key, "password-", 9) == 0 ||
	    strcmp(key, "private-key") == 0)
		w->asks = false;
}

static void line_put(struct writer *w, char *line)
{
	bool continues = line[0] == ' ' || line[0] == '\t';
	char *text, *equals;

	text = trim(line);
	if (text[0] == '\0' || text[0] == '#' || text[0] == ';')
		return;
	comment_cut(text);
	text = trim(text);
	if (text[0] == '[') {
		snprintf(w->section, sizeof(w->section), "%.*s",
			 (int)strcspn(text + 1, "]"), text + 1);
		return;
	}
	if (continues && w->open) {
		value_put(w, text);
		return;
	}
	equals = text + strcspn(text, "=:");
	if (*equals == '\0')
		return;
	*equals = '\0';
	pair_put(w, trim(text), trim(equals + 1));
}

static void profile_put(struct writer *w, const char *text)
{
	char line[LINE_MAX_LEN];

	while (*text) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)len, text);
		line_put(w, line);
		text += len + (text[len] == '\n');
	}
	if (w->open)
		fputc('\n', w->out);
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
		"service-type=org.freedesktop.NetworkManager.vpn-connect\n",
		to->name, to->uuid, to->user);
	profile_put(&w, text);
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
