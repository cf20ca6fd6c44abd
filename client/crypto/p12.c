#include "client/crypto/p12.h"

#include <stdlib.h>
#include <string.h>

#include "client/crypto/crypto.h"
#include "client/crypto/der.h"
#include "client/crypto/pem.h"
#include "client/crypto/wolf.h"
#include "client/crypto/x509.h"

#include <wolfssl/wolfcrypt/pkcs12.h>

#define P12_FILE_MAX (256 * 1024)
#define KEY_DER_MAX  8192

/* RFC 7292 B: pbeWithSHAAnd128BitRC2-CBC and ...40BitRC2-CBC, as far as their
 * OIDs are the same. */
static const uint8_t oid_pbe[] = {0x2a, 0x86, 0x48, 0x86, 0xf7,
				  0x0d, 0x01, 0x0c, 0x01};
#define PBE_RC2_128 5
#define PBE_RC2_40  6

static bool uses_rc2(struct bytes file)
{
	for (size_t at = 0; at + sizeof(oid_pbe) < file.len; at++) {
		uint8_t kind = file.p[at + sizeof(oid_pbe)];

		if (memcmp(file.p + at, oid_pbe, sizeof(oid_pbe)) == 0 &&
		    (kind == PBE_RC2_128 || kind == PBE_RC2_40))
			return true;
	}
	return false;
}

static enum err refuse(int why, struct bytes file, struct diag *diag)
{
	if (why == MAC_CMP_FAILED_E)
		return diag_set(diag, ERR_NEEDS_PERSON,
				"the password does not open the PKCS#12 file");
	if (uses_rc2(file))
		return diag_set(
			diag, ERR_UNSUPPORTED,
			"its certificates are encrypted with RC2, which is "
			"broken and not spoken: export them again, with AES "
			"(openssl pkcs12 -legacy -in OLD -nodes | openssl "
			"pkcs12 -export -out NEW)");
	return diag_set(diag, ERR_MALFORMED,
			"not a PKCS#12 file that can be read (wolfSSL %d)",
			why);
}

/* wolfSSL leaves the key without the kind it is of; the certificate has that,
 * as the AlgorithmIdentifier that PKCS#8 wants (RFC 5958 2). */
static enum err key_wrap(struct bytes key, const struct x509 *cert,
			 struct wr *w)
{
	static const uint8_t version[] = {DER_INTEGER, 1, 0};
	struct rd spki = rd_open(cert->spki);
	struct rd inside = der_open(&spki, DER_SEQUENCE);
	struct bytes kind = der_take_whole(&inside, DER_SEQUENCE);
	size_t len = sizeof(version) + kind.len + der_len(key.len);

	if (!rd_ok(&inside) || len > 0xffff)
		return ERR_MALFORMED;
	der_write_head(w, DER_SEQUENCE, len);
	wr_bytes(w, BYTES_OF(version));
	wr_bytes(w, kind);
	der_write(w, DER_OCTET_STRING, key);
	return wr_finish(w);
}

/* Does it open as our own files do, and belong together? */
static enum err key_take(struct bytes key, struct bytes cert_der,
			 struct p12 *out, struct diag *diag)
{
	uint8_t buf[KEY_DER_MAX];
	struct wr w = wr_open(buf, sizeof(buf));
	struct privkey *check = NULL;
	struct x509 cert;
	enum err e;

	e = x509_parse(cert_der, &cert);
	if (!e)
		e = key_wrap(key, &cert, &w);
	if (!e)
		e = privkey_load(wr_view(&w), BYTES_NONE, &check, diag);
	if (!e && !privkey_matches(check, cert_der))
		e = diag_set(diag, ERR_MALFORMED,
			     "the key in the PKCS#12 file does not belong to "
			     "its certificate");
	privkey_free(&check);
	if (!e)
		e = pem_encode("PRIVATE KEY", wr_view(&w), &out->key);
	mem_wipe(buf, sizeof(buf));
	return e ? diag_set(diag, e, "the key in the PKCS#12 file: %s",
			    err_text(e))
		 : OK;
}

static enum err cert_append(struct bytes der, char **all)
{
	size_t len = *all ? strlen(*all) : 0;
	char *one, *joined;
	enum err e = pem_encode("CERTIFICATE", der, &one);

	if (e)
		return e;
	joined = realloc(*all, len + strlen(one) + 1);
	if (joined) {
		strcpy(joined + len, one);
		*all = joined;
	}
	free(one);
	return joined ? OK : ERR_NO_MEMORY;
}

static enum err other_take(struct bytes der, struct p12 *out)
{
	struct x509 cert;
	enum err e = x509_parse(der, &cert);

	return e ? e
		 : cert_append(der,
			       x509_self_issued(&cert) ? &out->ca : &out->cert);
}

/* Frees list. */
static enum err cas_take(WC_DerCertList *list, struct p12 *out)
{
	enum err e = OK;

	while (list) {
		WC_DerCertList *next = list->next;

		if (!e)
			e = other_take(bytes(list->buffer, list->bufferSz),
				       out);
		XFREE(list->buffer, NULL, DYNAMIC_TYPE_PKCS);
		XFREE(list, NULL, DYNAMIC_TYPE_PKCS);
		list = next;
	}
	return e;
}

static enum err parse(WC_PKCS12 *p, struct bytes file, const char *password,
		      struct p12 *out, struct diag *diag)
{
	byte *key = NULL, *cert = NULL;
	word32 key_len = 0, cert_len = 0;
	WC_DerCertList *cas = NULL;
	int why = wc_PKCS12_parse(p, password, &key, &key_len, &cert, &cert_len,
				  &cas);
	enum err e = why ? refuse(why, file, diag) : OK;

	if (!e && (!key || !cert))
		e = diag_set(diag, ERR_MALFORMED,
			     "the PKCS#12 file holds no key with its "
			     "certificate");
	if (!e)
		e = key_take(bytes(key, key_len), bytes(cert, cert_len), out,
			     diag);
	if (!e)
		e = cert_append(bytes(cert, cert_len), &out->cert);
	if (e)
		(void)cas_take(cas, out);
	else
		e = cas_take(cas, out);
	mem_wipe(key, key_len);
	XFREE(key, NULL, DYNAMIC_TYPE_PUBLIC_KEY);
	XFREE(cert, NULL, DYNAMIC_TYPE_PKCS);
	return e;
}

enum err p12_open(struct bytes file, const char *password, struct p12 *out,
		  struct diag *diag)
{
	WC_PKCS12 *p;
	enum err e;
	int why;

	memset(out, 0, sizeof(*out));
	if (file.len == 0 || file.len > P12_FILE_MAX)
		return diag_set(diag, ERR_MALFORMED, "not a PKCS#12 file");
	p = wc_PKCS12_new();
	if (!p)
		return ERR_NO_MEMORY;
	why = wc_d2i_PKCS12(file.p, (word32)file.len, p);
	e = why ? refuse(why, file, diag) : parse(p, file, password, out, diag);
	wc_PKCS12_free(p);
	if (e)
		p12_free(out);
	return e;
}

void p12_free(struct p12 *p)
{
	if (p->key)
		mem_wipe(p->key, strlen(p->key));
	free(p->key);
	free(p->cert);
	free(p->ca);
	memset(p, 0, sizeof(*p));
}
