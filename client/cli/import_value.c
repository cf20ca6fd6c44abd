/* Values, as several formats have them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/import_private.h"
#include "client/crypto/pem.h"

#define NETWORKS_TEXT_MAX 4096
/* A line of a profile has its limit. */
#define PROPOSALS_TEXT_MAX 180

/* INI has no quotes: such a value would come out as another one. */
static bool value_is_plain(const char *value)
{
	size_t len = strlen(value);

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)value[i] < ' ' || value[i] == 0x7f)
			return false;
		if (value[i] == ';' && (i == 0 || value[i - 1] == ' '))
			return false;
	}
	return value[0] != ' ' && value[len - 1] != ' ';
}

void import_set(struct import *im, const char *section, const char *key,
		const char *text, int line)
{
	struct import_value *v = &im->values[im->n_values];

	if (im->e || !text || !text[0])
		return;
	if (im->n_values == IMPORT_VALUES_MAX || !value_is_plain(text)) {
		import_refuse(im, line,
			      "[%s] %s: no profile can hold this value: "
			      "remove \";\", spaces at its ends and control "
			      "characters",
			      section, key);
		return;
	}
	*v = (struct import_value){section, key, strdup(text), line, 0};
	if (v->text)
		im->n_values++;
	else
		im->e = ERR_NO_MEMORY;
}

const struct import_value *import_find(const struct import *im,
				       const char *section, const char *key)
{
	for (size_t i = 0; i < im->n_values; i++)
		if (strcmp(im->values[i].section, section) == 0 &&
		    strcmp(im->values[i].key, key) == 0)
			return &im->values[i];
	return NULL;
}

bool import_has_certificate(const struct import *im)
{
	const struct import_value *auth = import_find(im, "identity", "auth");

	return auth && (strcmp(auth->text, "certificate") == 0 ||
			strcmp(auth->text, "eap-tls") == 0);
}

void import_copy(struct import *im, struct node *map, const char *from,
		 const char *section, const char *key)
{
	struct node *n = node_get(map, from);

	if (n)
		import_set(im, section, key, n->text, n->line);
}

void import_copy_time(struct import *im, struct node *map, const char *from,
		      const char *key, const char *unit)
{
	struct node *n = node_get(map, from);
	char text[40];
	size_t len;

	if (!n || !n->text)
		return;
	len = strspn(n->text, "0123456789");
	/* One with its own unit stays as it is. */
	snprintf(text, sizeof(text), "%.30s%s", n->text,
		 len > 0 && n->text[len] == '\0' ? unit : "");
	import_set(im, "timers", key, text, n->line);
}

/* --- lists ---------------------------------------------------------------- */

static void network_append(char *all, const char *one)
{
	size_t used = strlen(all);

	snprintf(all + used, NETWORKS_TEXT_MAX - used, "%s%s",
		 used > 0 ? ", " : "", one);
}

void import_networks(struct import *im, struct node *n)
{
	char all[NETWORKS_TEXT_MAX] = "";

	if (!n)
		return;
	n->used = true;
	if (n->text)
		network_append(all, n->text);
	for (struct node *c = n->first; c; c = c->next) {
		c->used = true;
		if (c->text)
			network_append(all, c->text);
	}
	import_set(im, "tunnel", "networks", all, n->line);
}

/* One proposal in our words; false: it has one that we lack. */
static bool proposal_translate(char *text, uint8_t proto, char *out, size_t cap)
{
	static const struct {
		const char *theirs, *ours;
	} words[] = {{"curve25519", "x25519"},
		     {"sha2_256", "sha256"},
		     {"sha2_384", "sha384"},
		     {"sha2_512", "sha512"},
		     {"aes256gcm", "aes256gcm16"},
		     {"aes192gcm", "aes192gcm16"},
		     {"aes128gcm", "aes128gcm16"},
		     {"aes256gcm128", "aes256gcm16"},
		     {"aes192gcm128", "aes192gcm16"},
		     {"aes128gcm128", "aes128gcm16"},
		     {"chacha20poly1305compat", ""}};
	struct proposal_list list = {.n = 0};
	char *rest = NULL;

	out[0] = '\0';
	for (char *w = strtok_r(text, "-!", &rest); w;
	     w = strtok_r(NULL, "-!", &rest)) {
		const char *ours = w;
		size_t used = strlen(out);

		for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
			if (strcmp(w, words[i].theirs) == 0)
				ours = words[i].ours;
		snprintf(out + used, cap - used, "%s%s", used > 0 ? "-" : "",
			 ours);
	}
	return out[0] && proposals_from_text(out, proto, &list, NULL) == OK;
}

void import_proposals(struct import *im, const struct node *n, const char *key,
		      const char *separators)
{
	uint8_t proto = strcmp(key, "ike") == 0 ? PROTO_IKE : PROTO_ESP;
	char all[PROPOSALS_TEXT_MAX + 40] = "", ours[PROPOSALS_TEXT_MAX];
	char *copy, *rest = NULL;

	if (im->e || !n || !n->text || !n->text[0])
		return;
	copy = strdup(n->text);
	if (!copy) {
		im->e = ERR_NO_MEMORY;
		return;
	}
	for (char *p = strtok_r(copy, separators, &rest); p;
	     p = strtok_r(NULL, separators, &rest)) {
		char theirs[60];

		snprintf(theirs, sizeof(theirs), "%s", p);
		if (strcmp(p, "default") == 0) {
			/* Ours stand for theirs. */
			all[0] = '\0';
			break;
		}
		if (!proposal_translate(p, proto, ours, sizeof(ours)))
			import_note(im, n->line,
				    "%s is left out: not spoken, or too weak",
				    theirs);
		else if (strlen(all) + strlen(ours) + 2 > PROPOSALS_TEXT_MAX)
			import_note(im, n->line, "%s is left out: too many",
				    theirs);
		else
			sprintf(all + strlen(all), "%s%s", all[0] ? ", " : "",
				ours);
	}
	if (!all[0] && !strstr(n->text, "default"))
		import_refuse(im, n->line,
			      "none of these algorithms is spoken or strong "
			      "enough: ask for e.g. aes256-sha256-%s at the "
			      "gateway",
			      proto == PROTO_IKE ? "x25519" : "ecp256");
	import_set(im, "crypto", key, all, n->line);
	free(copy);
}

/* --- secrets and files ---------------------------------------------------- */

void import_secret(struct import *im, const struct node *n)
{
	if (im->e || !n || !n->text || !n->text[0])
		return;
	if (secret_set(&im->secret, bytes_str(n->text)))
		import_refuse(im, n->line, "a password longer than %d octets",
			      SECRET_MAX);
	else if (strpbrk(n->text, "\r\n"))
		import_refuse(im, n->line, "a password of several lines");
	else
		im->has_secret = true;
}

static void blanks_remove(char *text)
{
	char *to = text;

	for (; *text; text++)
		if (!isspace((unsigned char)*text))
			*to++ = *text;
	*to = '\0';
}

/* gives *out (wipe, free). */
static bool base64_read(struct import *im, const struct node *n, uint8_t **out,
			size_t *out_len)
{
	struct pem_block block = {.body = {NULL, 0}};
	char *packed;
	enum err e = ERR_MALFORMED;

	*out = NULL;
	if (im->e)
		return false;
	packed = strdup(n->text ? n->text : "");
	*out = calloc(1, n->text_len + 1);
	if (packed && *out) {
		blanks_remove(packed);
		block.body = bytes_str(packed);
		if (block.body.len > 0)
			e = pem_decode(&block, *out, out_len);
		mem_wipe(packed, block.body.len);
	} else {
		im->e = ERR_NO_MEMORY;
	}
	free(packed);
	if (!e)
		return true;
	import_refuse(im, n->line, "not Base64");
	free(*out);
	*out = NULL;
	return false;
}

static void text_append(struct import *im, char **all, const char *one)
{
	size_t len = *all ? strlen(*all) : 0;
	char *joined = realloc(*all, len + strlen(one) + 1);

	if (!joined) {
		im->e = ERR_NO_MEMORY;
		return;
	}
	strcpy(joined + len, one);
	*all = joined;
}

void import_ca(struct import *im, const struct node *n)
{
	uint8_t *file = NULL, *ders = NULL;
	struct bytes certs[CERT_CHAIN_MAX];
	struct diag why = DIAG_INIT;
	size_t len = 0, count = 0;
	char *pem;
	enum err e;

	if (!n || !base64_read(im, n, &file, &len))
		return;
	e = cert_load(bytes(file, len), certs, CERT_CHAIN_MAX, &count, &ders,
		      &why);
	if (e)
		import_refuse(im, n->line, "no certificate: %.150s",
			      diag_text(&why, e));
	for (size_t i = 0; i < count && !im->e; i++) {
		im->e = pem_encode("CERTIFICATE", certs[i], &pem);
		if (!im->e)
			text_append(im, &im->ca, pem);
		free(pem);
	}
	free(ders);
	free(file);
}

void import_p12(struct import *im, const struct node *n)
{
	uint8_t *file;
	size_t len;

	if (!n || !base64_read(im, n, &file, &len))
		return;
	if (im->p12) {
		import_refuse(im, n->line, "a second PKCS#12 container");
		mem_wipe(file, len);
		free(file);
		return;
	}
	im->p12 = file;
	im->p12_len = len;
	im->p12_line = n->line;
}

void import_note_unused(struct import *im, const struct node *root)
{
	const struct node *n = NULL;
	char path[120];

	while (!im->e && root && im->n_notes < IMPORT_NOTES_MAX &&
	       (n = node_unused(root, n, path, sizeof(path))))
		import_note(im, n->line, "%s is not used", path);
}
