/* A certificate file: loading, its subject, and a check of it against
 * itself and against another anchor. */
#include "tests/fuzz/fuzz.h"

#include "client/crypto/crypto.h"

#define NOW 1795553113 /* when the certificates of the corpus are valid */

static void start(void)
{
	static bool started;
	struct diag diag = DIAG_INIT;

	if (!started)
		FUZZ_CHECK(crypto_open(&diag) == OK);
	started = true;
}

static void check_subject(struct bytes cert)
{
	char whole[512], cut[8];

	FUZZ_CHECK(cert_subject(cert, whole, sizeof(whole)) == whole);
	FUZZ_CHECK(memchr(whole, '\0', sizeof(whole)) != NULL);
	/* nothing of a stranger's may control a terminal */
	for (const char *c = whole; *c; c++)
		FUZZ_CHECK((uint8_t)*c >= 0x20 && *c != 0x7f);
	FUZZ_CHECK(cert_subject(cert, cut, sizeof(cut)) == cut);
	FUZZ_CHECK(memchr(cut, '\0', sizeof(cut)) != NULL);
}

static bool contains(struct bytes b, const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i + len <= b.len; i++)
		if (memcmp(b.p + i, text, len) == 0)
			return true;
	return false;
}

/* The name that the certificates of the corpus have. Without anchors nothing
 * is good; the chains of the corpus are, with their last one as the anchor. */
static void check_named(const struct bytes *certs, size_t n)
{
	static const struct peer_name name = {
		PEER_DNS, {(const uint8_t *)"gw.lab.test", 11}};
	struct diag diag = DIAG_INIT;
	struct trust *t = NULL;

	FUZZ_CHECK(trust_new(&t) == OK);
	FUZZ_CHECK(cert_verify(t, certs, n, &name, NOW, &diag) ==
		   ERR_UNTRUSTED);
	FUZZ_CHECK(diag.text[0] != '\0');
	diag_clear(&diag);
	if (n > 1 && trust_add(t, certs[n - 1], &diag) == OK) {
		diag_clear(&diag);
		if (cert_verify(t, certs, n - 1, &name, NOW, &diag) == OK)
			FUZZ_CHECK(contains(certs[0], "lab.test"));
		else
			FUZZ_CHECK(diag.text[0] != '\0');
	}
	trust_free(&t);
}

/* A name that no certificate has. */
static void check_refused(const struct trust *t, const struct bytes *certs,
			  size_t n)
{
	static const struct peer_name names[] = {
		{PEER_DNS, {(const uint8_t *)"no.such.name.invalid", 20}},
		{PEER_IP, {(const uint8_t *)"\xf0\x00\x00\x01", 4}},
		{PEER_EMAIL, {(const uint8_t *)"no@such.name.invalid", 20}},
		{PEER_DN, {(const uint8_t *)"0\0", 2}},
	};
	struct diag diag;
	enum err e;

	for (size_t i = 0; i < 4; i++) {
		diag_clear(&diag);
		e = cert_verify(t, certs, n, &names[i], NOW, &diag);
		FUZZ_CHECK(e != OK && diag.text[0] != '\0');
	}
}

static void check_sig(struct bytes cert)
{
	static const enum sig_method methods[] = {SIG_RSA_SHA1, SIG_ECDSA_256,
						  SIG_ECDSA_384, SIG_DIGITAL};
	static const uint8_t sig[64] = {1};
	const struct bytes part = bytes_str("text");
	struct diag diag;

	for (size_t i = 0; i < 4; i++) {
		diag_clear(&diag);
		FUZZ_CHECK(sig_verify(cert, methods[i], BYTES_OF(sig), &part, 1,
				      &diag) != OK);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes certs[CERT_CHAIN_MAX], file = bytes(data, size);
	struct diag diag = DIAG_INIT;
	struct trust *t = NULL;
	uint8_t *buf = NULL, ids[CERT_CHAIN_MAX * 20];
	size_t n = 0;
	enum err e;

	start();
	e = cert_load(file, certs, CERT_CHAIN_MAX, &n, &buf, &diag);
	FUZZ_CHECK(e == OK || e == ERR_MALFORMED || e == ERR_NO_SPACE);
	FUZZ_CHECK(e == OK || diag.text[0] != '\0');
	FUZZ_CHECK(e != OK || (n >= 1 && n <= CERT_CHAIN_MAX));
	FUZZ_CHECK(trust_new(&t) == OK);
	diag_clear(&diag);
	if (trust_add(t, file, &diag) != OK)
		FUZZ_CHECK(diag.text[0] != '\0');
	FUZZ_CHECK(trust_keyids(t, ids, CERT_CHAIN_MAX) <= CERT_CHAIN_MAX);
	for (size_t i = 0; e == OK && i < n; i++)
		check_subject(certs[i]);
	if (e == OK) {
		check_refused(t, certs, n);
		check_named(certs, n);
		check_sig(certs[0]);
	}
	/* the same octets as a certificate that the gateway sent */
	check_subject(file);
	check_refused(t, &file, 1);
	check_named(&file, 1);
	check_sig(file);
	trust_free(&t);
	free(buf);
	return 0;
}
