#include "client/crypto/tls.h"

#include <stdlib.h>
#include <string.h>

#include "client/crypto/privkey.h"

#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/asn_public.h>

#define FLIGHT_MAX  65536
#define KEY_DER_MAX 4096
#define MSK_LEN	    64
#define MSK_LABEL   "client EAP encryption"
/* Forward secrecy and AEAD only (RFC 9325 4.2). */
#define CIPHERS                                                                \
	"ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"           \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"           \
	"ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"

struct tls {
	struct tls_config cfg;
	WOLFSSL_CTX *ctx;
	WOLFSSL *ssl;
	struct rd in;
	struct wr out;
	bool checked, trusted, done;
	struct diag diag; /* of the certificate */
	uint8_t flight[FLIGHT_MAX];
};

/* --- callbacks --------------------------------------------------------------
 */

static int take_octets(WOLFSSL *ssl, char *buf, int cap, void *ctx)
{
	struct tls *t = ctx;
	size_t len = rd_left(&t->in);

	if (len == 0)
		return WOLFSSL_CBIO_ERR_WANT_READ;
	if (len > (size_t)cap)
		len = (size_t)cap;
	rd_copy(&t->in, buf, len);
	return (int)len;
}

static int give_octets(WOLFSSL *ssl, char *buf, int len, void *ctx)
{
	struct tls *t = ctx;

	wr_bytes(&t->out, bytes(buf, (size_t)len));
	return wr_ok(&t->out) ? len : WOLFSSL_CBIO_ERR_GENERAL;
}

/* wolfSSL knows no anchors, so it asks here, once a certificate; the rules are
 * those of IKE's certificates. */
static int check_chain(int preverify, WOLFSSL_X509_STORE_CTX *store)
{
	struct tls *t = store->userCtx;
	struct bytes certs[CERT_CHAIN_MAX];
	size_t n = 0;
	enum err e;

	if (t->checked)
		return t->trusted;
	t->checked = true;
	for (int i = 0; i < store->totalCerts && n < CERT_CHAIN_MAX; i++)
		certs[n++] =
			bytes(store->certs[i].buffer, store->certs[i].length);
	if (t->cfg.is_server)
		e = cert_verify_client(t->cfg.trust, certs, n, &t->cfg.peer,
				       t->cfg.now, &t->diag);
	else
		e = cert_verify(t->cfg.trust, certs, n, &t->cfg.peer,
				t->cfg.now, &t->diag);
	t->trusted = n > 0 && e == OK;
	return t->trusted;
}

/* --- life -------------------------------------------------------------------
 */

static int key_der(const struct privkey *k, uint8_t *out, word32 cap)
{
	/* None of these changes the key. */
	struct privkey *key = (struct privkey *)(uintptr_t)k;

	switch (k->pub.type) {
	case KEY_RSA:
		return wc_RsaKeyToDer(&key->u.rsa, out, cap);
	case KEY_ECP_256:
	case KEY_ECP_384:
		return wc_EccKeyToDer(&key->u.ec, out, cap);
	case KEY_ED25519:
		return wc_Ed25519KeyToDer(&key->u.ed, out, cap);
	case KEY_OTHER:
		break;
	}
	return NOT_COMPILED_IN;
}

static bool use_key(struct tls *t)
{
	uint8_t der[KEY_DER_MAX];
	int len = key_der(t->cfg.key, der, sizeof(der));
	bool ok = len > 0 && wolfSSL_CTX_use_PrivateKey_buffer(
				     t->ctx, der, len, WOLFSSL_FILETYPE_ASN1) ==
				     WOLFSSL_SUCCESS;

	mem_wipe(der, sizeof(der));
	return ok;
}

/* wolfSSL takes a chain as PEM. */
static bool use_certs(struct tls *t)
{
	size_t cap = 0;
	int len = 0;
	uint8_t *pem;
	bool ok;

	for (size_t i = 0; i < t->cfg.n_certs; i++)
		cap += 2 * t->cfg.certs[i].len + 128;
	pem = malloc(cap + 1);
	if (!pem)
		return false;
	for (size_t i = 0; i < t->cfg.n_certs && len >= 0; i++) {
		int n = wc_DerToPem(t->cfg.certs[i].p,
				    (word32)t->cfg.certs[i].len, pem + len,
				    (word32)(cap - (size_t)len), CERT_TYPE);

		len = n > 0 ? len + n : -1;
	}
	ok = len > 0 && wolfSSL_CTX_use_certificate_chain_buffer(
				t->ctx, pem, len) == WOLFSSL_SUCCESS;
	free(pem);
	return ok;
}

static bool make(struct tls *t)
{
	t->ctx =
		wolfSSL_CTX_new(t->cfg.is_server ? wolfTLSv1_2_server_method()
						 : wolfTLSv1_2_client_method());
	if (!t->ctx || !use_certs(t) || !use_key(t) ||
	    wolfSSL_CTX_set_cipher_list(t->ctx, CIPHERS) != WOLFSSL_SUCCESS)
		return false;
	wolfSSL_CTX_SetIORecv(t->ctx, take_octets);
	wolfSSL_CTX_SetIOSend(t->ctx, give_octets);
	wolfSSL_CTX_set_verify(t->ctx,
			       WOLFSSL_VERIFY_PEER |
				       WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			       check_chain);
	t->ssl = wolfSSL_new(t->ctx);
	if (!t->ssl)
		return false;
	wolfSSL_SetIOReadCtx(t->ssl, t);
	wolfSSL_SetIOWriteCtx(t->ssl, t);
	wolfSSL_SetCertCbCtx(t->ssl, t);
	wolfSSL_KeepArrays(t->ssl); /* for tls_msk */
	return true;
}

enum err tls_new(const struct tls_config *c, struct tls **out,
		 struct diag *diag)
{
	struct tls *t = calloc(1, sizeof(*t));

	*out = NULL;
	if (!t)
		return ERR_NO_MEMORY;
	t->cfg = *c;
	if (!make(t)) {
		tls_free(&t);
		return diag_set(diag, ERR_CRYPTO,
				"EAP-TLS: certificate or key is of no use for "
				"TLS");
	}
	*out = t;
	return OK;
}

void tls_free(struct tls **t)
{
	if (!*t)
		return;
	wolfSSL_free((*t)->ssl);
	wolfSSL_CTX_free((*t)->ctx);
	mem_wipe(*t, sizeof(**t));
	free(*t);
	*t = NULL;
}

/* --- the handshake ----------------------------------------------------------
 */

static enum err failed(struct tls *t, int why, struct diag *diag)
{
	char text[WOLFSSL_MAX_ERROR_SZ];

	if (t->checked && !t->trusted)
		return diag_set(diag, ERR_UNTRUSTED, "EAP-TLS: %s",
				diag_text(&t->diag, ERR_UNTRUSTED));
	wolfSSL_ERR_error_string_n((unsigned long)why, text, sizeof(text));
	if (why == FATAL_ERROR)
		return diag_set(diag, ERR_AUTH,
				"EAP-TLS: the other side ended the handshake");
	return diag_set(diag, ERR_PEER, "EAP-TLS: %s", text);
}

enum err tls_step(struct tls *t, struct bytes in, struct bytes *out_flight,
		  bool *out_done, struct diag *diag)
{
	int rc, why;

	*out_done = false;
	t->in = rd_open(in);
	t->out = wr_open(t->flight, sizeof(t->flight));
	rc = t->cfg.is_server ? wolfSSL_accept(t->ssl)
			      : wolfSSL_connect(t->ssl);
	*out_flight = wr_view(&t->out);
	if (rc == WOLFSSL_SUCCESS) {
		/* Whoever was not looked at is not trusted. */
		if (!t->trusted)
			return diag_set(diag, ERR_UNTRUSTED,
					"EAP-TLS: no certificate was shown");
		t->done = *out_done = true;
		return OK;
	}
	why = wolfSSL_get_error(t->ssl, rc);
	return why == WOLFSSL_ERROR_WANT_READ ? OK : failed(t, why, diag);
}

enum err tls_msk(struct tls *t, struct secret *out)
{
	uint8_t msk[MSK_LEN];
	enum err e = ERR_CRYPTO;

	if (!t->done)
		return ERR_STATE;
	if (wolfSSL_export_keying_material(t->ssl, msk, sizeof(msk), MSK_LABEL,
					   strlen(MSK_LABEL), NULL, 0,
					   0) == WOLFSSL_SUCCESS)
		e = secret_set(out, BYTES_OF(msk));
	mem_wipe(msk, sizeof(msk));
	return e;
}
