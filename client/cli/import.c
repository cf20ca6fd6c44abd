/* Which file it is, and what all of them have in common. */
#include "client/cli/import.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/import_private.h"

int import_line(const struct node *n)
{
	return n ? n->line : 0;
}

enum err import_refuse(struct import *im, int line, const char *fmt, ...)
{
	char what[240];
	va_list ap;

	if (im->e)
		return im->e;
	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	im->e = ERR_PROFILE;
	if (line > 0)
		return diag_set(im->diag, ERR_PROFILE, "%.70s:%d: %s", im->file,
				line, what);
	return diag_set(im->diag, ERR_PROFILE, "%.70s: %s", im->file, what);
}

void import_note(struct import *im, int line, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	int used;

	if (im->e || im->n_notes == IMPORT_NOTES_MAX)
		return;
	used = snprintf(text, sizeof(text), "%.100s:%d: ", im->file, line);
	va_start(ap, fmt);
	vsnprintf(text + used, sizeof(text) - (size_t)used, fmt, ap);
	va_end(ap);
	im->notes[im->n_notes] = strdup(text);
	if (im->notes[im->n_notes])
		im->n_notes++;
}

void import_name_clean(const char *text, char out[PROFILE_NAME_MAX])
{
	static const char good[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				   "abcdefghijklmnopqrstuvwxyz0123456789._-";
	size_t len = 0;

	for (; *text && len < PROFILE_NAME_MAX - 16; text++) {
		bool is_good = strchr(good, *text) != NULL;

		if (is_good && (len > 0 || (*text != '.' && *text != '-')))
			out[len++] = *text;
		else if (!is_good && len > 0 && out[len - 1] != '-')
			out[len++] = '-';
	}
	while (len > 0 && out[len - 1] == '-')
		len--;
	out[len] = '\0';
}

/* --- which it is ---------------------------------------------------------- */

static bool begins(struct bytes b, const char *with)
{
	size_t len = strlen(with);

	return b.len >= len && memcmp(b.p, with, len) == 0;
}

/* A line that begins so. */
static bool has_line(struct bytes b, const char *with)
{
	while (b.len > 0) {
		const uint8_t *stop = memchr(b.p, '\n', b.len);

		while (b.len > 0 && (*b.p == ' ' || *b.p == '\t'))
			b = bytes(b.p + 1, b.len - 1);
		if (begins(b, with))
			return true;
		if (!stop)
			return false;
		b = bytes(stop + 1, b.len - (size_t)(stop + 1 - b.p));
	}
	return false;
}

static struct bytes after_blanks(struct bytes b)
{
	if (begins(b, "\xef\xbb\xbf"))
		b = bytes(b.p + 3, b.len - 3);
	while (b.len > 0 && *b.p && strchr(" \t\r\n", *b.p))
		b = bytes(b.p + 1, b.len - 1);
	return b;
}

typedef enum err tree_parser(struct bytes text, struct node **out,
			     struct tree_error *error);

static struct node *tree_read(struct import *im, struct bytes text,
			      tree_parser *parser)
{
	struct tree_error error = {.line = 0};
	struct node *root;
	enum err e = parser(text, &root, &error);

	if (e == ERR_PROFILE)
		import_refuse(im, error.line, "%s", diag_text(&error.diag, e));
	else if (e && !im->e)
		im->e = e;
	return root;
}

static void read_own(struct import *im, struct bytes text)
{
	im->verbatim = malloc(text.len + 1);
	if (!im->verbatim) {
		im->e = ERR_NO_MEMORY;
		return;
	}
	memcpy(im->verbatim, text.p, text.len);
	im->verbatim[text.len] = '\0';
}

static void read_binary(struct import *im, struct bytes text)
{
	if (begins(text, "bplist"))
		import_refuse(im, 0,
			      "a binary property list: make XML of it first "
			      "(plutil -convert xml1, or plistutil)");
	else if (text.len > 0 && text.p[0] == 0x30)
		import_refuse(im, 0,
			      "binary: a signed .mobileconfig? Take the "
			      "signature off first: openssl smime -verify "
			      "-noverify -inform DER -in FILE -out NEW");
	else
		import_refuse(im, 0, "not a text file");
}

static void read_as(struct import *im, const struct import_source *source)
{
	struct bytes text = source->text, start = after_blanks(text);
	struct node *root = NULL;

	if (text.len == 0 || memchr(text.p, '\0', text.len) ||
	    begins(text, "0") || begins(text, "bplist")) {
		read_binary(im, text);
	} else if (begins(start, "{")) {
		root = tree_read(im, start, tree_from_json);
		import_sswan(im, root);
	} else if (begins(start, "<")) {
		root = tree_read(im, start, tree_from_plist);
		import_apple(im, root, source->wanted);
	} else if (has_line(text, "[gateway]")) {
		read_own(im, text);
	} else if (has_line(text, "[connection]") || has_line(text, "[vpn]")) {
		root = tree_read(im, text, tree_from_keyfile);
		import_keyfile(im, root);
	} else if (has_line(text, "connections")) {
		root = tree_read(im, text, tree_from_swanctl);
		import_swanctl(im, root, source->wanted);
	} else {
		import_refuse(im, 0,
			      "not known: there are .sswan, .mobileconfig, "
			      "swanctl.conf (with connections), keyfiles of "
			      "NetworkManager, and vpn-connect's profiles");
	}
	node_free(&root);
}

enum err import_read(const struct import_source *source, struct import **out,
		     struct diag *diag)
{
	struct import *im = calloc(1, sizeof(*im));
	enum err e;

	*out = im;
	if (!im)
		return ERR_NO_MEMORY;
	im->file = source->file;
	im->dir = source->dir;
	im->fetched = source->fetched;
	im->diag = diag;
	if (source->text.len > TREE_FILE_MAX)
		import_refuse(im, 0, "larger than %d octets: no profile is",
			      TREE_FILE_MAX);
	else
		read_as(im, source);
	im->diag = NULL;
	e = im->e;
	if (e)
		import_free(out);
	return e;
}

void import_free(struct import **imp)
{
	struct import *im = *imp;

	if (!im)
		return;
	for (size_t i = 0; i < im->n_values; i++)
		free(im->values[i].text);
	for (size_t i = 0; i < im->n_notes; i++)
		free(im->notes[i]);
	if (im->key)
		mem_wipe(im->key, strlen(im->key));
	mem_wipe(im->p12, im->p12_len);
	free(im->ca);
	free(im->cert);
	free(im->key);
	free(im->p12);
	free(im->verbatim);
	mem_wipe(im, sizeof(*im));
	free(im);
	*imp = NULL;
}
