/* From values to the text of a profile. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/import_private.h"
#include "client/crypto/cert_info.h"
#include "client/crypto/p12.h"

#define TEXT_MAX 16384

static const char *const sections[] = {"gateway", "identity", "tunnel",
				       "network", "crypto",   "resumption",
				       "timers"};

/* --- the container ---------------------------------------------------------
 */

/* A certificate says who its holder is; the file need not say it again. */
static void identity_from_cert(struct import *im)
{
	char identity[IKE_NAME_MAX];
	struct bytes certs[CERT_CHAIN_MAX];
	uint8_t *buf = NULL;
	size_t n = 0;

	if (im->e || import_find(im, "identity", "id"))
		return;
	im->e = cert_load(bytes_str(im->cert), certs, CERT_CHAIN_MAX, &n, &buf,
			  im->diag);
	if (!im->e && n > 0 &&
	    cert_identity(certs[0], identity, sizeof(identity)) == OK)
		import_set(im, "identity", "id", identity, im->p12_line);
	else
		import_refuse(im, im->p12_line,
			      "the certificate has no name to be known by: name "
			      "a local id in the file");
	free(buf);
}

enum err import_open_p12(struct import *im, const char *password,
			 struct diag *diag)
{
	struct diag why = DIAG_INIT;
	char told[SECRET_MAX + 1] = "";
	struct p12 p12;
	enum err e;

	if (!im->p12 || im->cert)
		return OK;
	if (!password) {
		memcpy(told, im->p12_password.b, im->p12_password.len);
		password = told;
	}
	e = p12_open(bytes(im->p12, im->p12_len), password, &p12, &why);
	mem_wipe(told, sizeof(told));
	if (e == ERR_NEEDS_PERSON)
		return diag_set(diag, e, "%.70s:%d: %s", im->file, im->p12_line,
				diag_text(&why, e));
	im->diag = diag;
	if (e) {
		import_refuse(im, im->p12_line, "%s", diag_text(&why, e));
		return im->e;
	}
	im->cert = p12.cert;
	im->key = p12.key;
	p12.cert = p12.key = NULL;
	/* A CA of its own counts more than what stands in the container. */
	if (!im->ca && p12.ca) {
		im->ca = p12.ca;
		p12.ca = NULL;
		import_note(im, im->p12_line,
			    "the gateway is believed by the CA in the "
			    "container");
	}
	p12_free(&p12);
	identity_from_cert(im);
	im->diag = NULL;
	return im->e;
}

/* --- the text ------------------------------------------------------------- */

struct page {
	struct import *im;
	char *text;
	size_t len;
	int line; /* the one being written */
};

static void page_add(struct page *p, const char *key, const char *value)
{
	int used = snprintf(p->text + p->len, TEXT_MAX - p->len, "%s%s%s\n",
			    key, value[0] ? " = " : "", value);

	if (used < 0 || (size_t)used >= TEXT_MAX - p->len) {
		import_refuse(p->im, 0, "too long a profile");
		p->text[p->len] = '\0';
		return;
	}
	p->len += (size_t)used;
	p->line++;
}

/* Each network in a line of its own: a line has its limit. */
static void networks_add(struct page *p, const char *value)
{
	char copy[TEXT_MAX], one[200], *rest = NULL;
	const char *key = "networks = ";

	snprintf(copy, sizeof(copy), "%s", value);
	for (char *n = strtok_r(copy, ", ", &rest); n && !p->im->e;
	     n = strtok_r(NULL, ", ", &rest)) {
		snprintf(one, sizeof(one), "%s%.150s%s", key, n,
			 rest && rest[strspn(rest, ", ")] ? "," : "");
		page_add(p, one, "");
		key = "\t";
	}
}

static void file_add(struct page *p, const char *key, const char *name,
		     const char *suffix, const char *content)
{
	char file[PROFILE_NAME_MAX + 32];

	if (!content)
		return;
	snprintf(file, sizeof(file), "%s%s", name, suffix);
	page_add(p, key, file);
}

static void section_files_add(struct page *p, const char *section,
			      const char *name)
{
	struct import *im = p->im;

	if (strcmp(section, "gateway") == 0)
		file_add(p, "ca", name, "-ca.pem", im->ca);
	if (strcmp(section, "identity") != 0)
		return;
	file_add(p, "certificate", name, "-cert.pem", im->cert);
	file_add(p, "private-key", name, "-key.pem", im->key);
	file_add(p, "password-file", name, "-password",
		 im->has_secret ? "" : NULL);
}

static bool section_has(const struct import *im, const char *section)
{
	for (size_t i = 0; i < im->n_values; i++)
		if (strcmp(im->values[i].section, section) == 0)
			return true;
	return false;
}

static void page_fill(struct page *p, const char *name)
{
	struct import *im = p->im;
	char head[64];

	page_add(p, "# Made by vpn-connect import: see vpn-connect.conf(5)",
		 "");
	for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
		if (!section_has(im, sections[s]))
			continue;
		snprintf(head, sizeof(head), "[%s]", sections[s]);
		page_add(p, "", "");
		page_add(p, head, "");
		for (size_t i = 0; i < im->n_values; i++) {
			struct import_value *v = &im->values[i];

			if (strcmp(v->section, sections[s]) != 0)
				continue;
			v->at_line = p->line;
			if (strcmp(v->key, "networks") == 0)
				networks_add(p, v->text);
			else
				page_add(p, v->key, v->text);
		}
		section_files_add(p, sections[s], name);
	}
}

/* Of the value that this line of the profile came from. */
static int line_in_source(const struct import *im, int at_line)
{
	int line = 0, nearest = 0;

	if (im->verbatim)
		return at_line;
	for (size_t i = 0; i < im->n_values; i++) {
		const struct import_value *v = &im->values[i];

		if (v->at_line <= at_line && v->at_line > nearest) {
			nearest = v->at_line;
			line = v->line;
		}
	}
	return line;
}

/* "NAME.conf:LINE: what", with file and line of the source instead. */
static void refuse_as_source(struct import *im, const struct diag *why,
			     const char *name)
{
	const char *what = why->text;
	size_t len = strlen(name);
	int at_line = 0;
	char *end;

	if (strncmp(what, name, len) == 0 &&
	    strncmp(what + len, ".conf:", 6) == 0) {
		what += len + 6;
		at_line = (int)strtol(what, &end, 10);
		what = end + strspn(end, ": ");
	}
	import_refuse(im, line_in_source(im, at_line), "%s", what);
}

/* Who serves a profile could have any file sent to him as a password. */
static bool names_files(const struct import *im, const struct profile *p)
{
	static const char *const keys[] = {"certificate", "private-key",
					   "password-file",
					   "password-credential"};

	if (!im->fetched)
		return false;
	if (im->verbatim)
		return p->ca[0] || p->certificate[0] || p->private_key[0] ||
		       p->password_file[0] || p->password_credential[0];
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (import_find(im, "identity", keys[i]))
			return true;
	return import_find(im, "gateway", "ca") != NULL;
}

static void text_check(struct import *im, const char *name, const char *text)
{
	struct profile *profile;
	struct diag why = DIAG_INIT;
	enum err e = ERR_NO_MEMORY;

	if (im->e)
		return;
	profile = malloc(sizeof(*profile));
	if (profile)
		e = profile_parse(name, text, profile, &why);
	if (!e && names_files(im, profile))
		import_refuse(im, 0,
			      "a fetched profile must not name files of this "
			      "machine: serve an .sswan, which holds them");
	free(profile);
	if (im->e)
		return;
	if (e == ERR_PROFILE)
		refuse_as_source(im, &why, name);
	else
		im->e = e;
}

enum err import_finish(struct import *im, const char *name, char **out_text,
		       struct diag *diag)
{
	struct page page = {.im = im, .line = 1};

	im->diag = diag;
	if (im->verbatim) {
		page.text = strdup(im->verbatim);
	} else {
		page.text = calloc(1, TEXT_MAX);
		if (page.text)
			page_fill(&page, name);
	}
	if (page.text)
		text_check(im, name, page.text);
	else
		im->e = ERR_NO_MEMORY;
	im->diag = NULL;
	if (im->e) {
		free(page.text);
		page.text = NULL;
	}
	*out_text = page.text;
	return im->e;
}
