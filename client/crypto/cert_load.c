/* PEM and DER files; trust anchors. */
#include "client/crypto/crypto.h"

#include <stdlib.h>
#include <string.h>

#include "client/crypto/der.h"
#include "client/crypto/pem.h"
#include "client/crypto/x509.h"

#define FILE_MAX     (4u << 20) /* no list of CAs is larger */
#define ANCHORS_FILE 1024

/* One or more certificates behind each other. */
static enum err load_der(struct bytes file, struct bytes *out_certs, size_t cap,
			 size_t *out_n, uint8_t *buf)
{
	struct rd r;

	memcpy(buf, file.p, file.len);
	r = rd_open(bytes(buf, file.len));
	while (rd_left(&r) > 0 && rd_ok(&r)) {
		if (*out_n == cap)
			return ERR_NO_SPACE;
		out_certs[(*out_n)++] = der_take_whole(&r, DER_SEQUENCE);
	}
	return rd_ok(&r) ? OK : ERR_MALFORMED;
}

static bool is_certificate(struct bytes label)
{
	return bytes_eq(label, bytes_str("CERTIFICATE")) ||
	       bytes_eq(label, bytes_str("X509 CERTIFICATE"));
}

static enum err load_pem(struct bytes file, struct bytes *out_certs, size_t cap,
			 size_t *out_n, uint8_t *buf)
{
	struct pem_block block;
	size_t used = 0, len;

	while (pem_next(&file, &block)) {
		if (!is_certificate(block.label))
			continue;
		if (*out_n == cap)
			return ERR_NO_SPACE;
		if (pem_decode(&block, buf + used, &len) != OK)
			return ERR_MALFORMED;
		out_certs[(*out_n)++] = bytes(buf + used, len);
		used += len;
	}
	return OK;
}

enum err cert_load(struct bytes file, struct bytes *out_certs, size_t cap,
		   size_t *out_n, uint8_t **out_buf, struct diag *diag)
{
	uint8_t *buf;
	enum err e;

	*out_n = 0;
	*out_buf = NULL;
	if (file.len == 0 || file.len > FILE_MAX)
		return diag_set(diag, ERR_MALFORMED,
				"the certificate file is %s",
				file.len == 0 ? "empty" : "too large");
	buf = malloc(file.len); /* base64 only shrinks */
	if (!buf)
		return ERR_NO_MEMORY;
	if (file.p[0] == DER_SEQUENCE)
		e = load_der(file, out_certs, cap, out_n, buf);
	else
		e = load_pem(file, out_certs, cap, out_n, buf);
	if (e == ERR_NO_SPACE)
		diag_set(diag, e, "more than %zu certificates in one file",
			 cap);
	if (e == ERR_MALFORMED)
		diag_set(diag, e, "certificate %zu of the file is damaged",
			 *out_n + 1);
	if (e == OK && *out_n == 0)
		e = diag_set(diag, ERR_MALFORMED,
			     "no certificate in the file: it must be PEM or "
			     "DER");
	if (e != OK) {
		*out_n = 0;
		free(buf);
		return e;
	}
	*out_buf = buf;
	return OK;
}

/* --- trust anchors -----------------------------------------------------------
 */

enum err trust_new(struct trust **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? OK : ERR_NO_MEMORY;
}

void trust_free(struct trust **t)
{
	if (!*t)
		return;
	for (size_t i = 0; i < (*t)->n_bufs; i++)
		free((*t)->bufs[i]);
	free((*t)->bufs);
	free((*t)->list);
	free(*t);
	*t = NULL;
}

static bool has_anchor(const struct trust *t, struct bytes der)
{
	for (size_t i = 0; i < t->n; i++)
		if (bytes_eq(t->list[i].cert.der, der))
			return true;
	return false;
}

/* list has room. */
static enum err add_one(struct trust *t, struct bytes der)
{
	struct anchor *a = &t->list[t->n];
	enum err e;

	if (has_anchor(t, der))
		return OK;
	e = x509_parse(der, &a->cert);
	if (e == OK)
		e = crypto_hash(HASH_SHA1, &a->cert.spki, 1, a->keyid);
	if (e == OK)
		t->n++;
	return e;
}

static enum err grow(struct trust *t, size_t n_more)
{
	struct anchor *list;
	uint8_t **bufs;

	list = realloc(t->list, (t->n + n_more) * sizeof(*list));
	if (!list)
		return ERR_NO_MEMORY;
	t->list = list;
	bufs = realloc(t->bufs, (t->n_bufs + 1) * sizeof(*bufs));
	if (!bufs)
		return ERR_NO_MEMORY;
	t->bufs = bufs;
	return OK;
}

enum err trust_add(struct trust *t, struct bytes file, struct diag *diag)
{
	struct bytes *certs = calloc(ANCHORS_FILE, sizeof(*certs));
	size_t n, before = t->n;
	uint8_t *buf = NULL;
	enum err e;

	if (!certs)
		return ERR_NO_MEMORY;
	e = cert_load(file, certs, ANCHORS_FILE, &n, &buf, diag);
	if (e == OK)
		e = grow(t, n);
	for (size_t i = 0; e == OK && i < n; i++) {
		e = add_one(t, certs[i]);
		if (e != OK)
			diag_set(diag, e,
				 "certificate %zu of the file cannot be read",
				 i + 1);
	}
	free(certs);
	if (e != OK) {
		t->n = before;
		free(buf);
		return e;
	}
	t->bufs[t->n_bufs++] = buf;
	return OK;
}

size_t trust_keyids(const struct trust *t, uint8_t *out, size_t cap)
{
	size_t n = t->n < cap ? t->n : cap;

	for (size_t i = 0; i < n; i++)
		memcpy(out + i * 20, t->list[i].keyid, 20);
	return n;
}
