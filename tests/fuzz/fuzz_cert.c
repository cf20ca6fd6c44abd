/* A certificate file: loading, subjects, and what cert_verify says to it. */
#include "tests/fuzz/fuzz.h"

#include "client/crypto/crypto.h"
#include "tests/fuzz/fuzz_cert_roots.h"

#define NOW 1795553113 /* when the certificates of the corpus are valid */

static struct trust *roots, *nobody;

static void start(void)
{
	struct bytes files[] = {BYTES_OF(root_a), BYTES_OF(root_b),
				BYTES_OF(root_c), BYTES_OF(root_d)};
	struct diag diag = DIAG_INIT;

	if (roots)
		return;
	FUZZ_CHECK(crypto_open(&diag) == OK);
	FUZZ_CHECK(trust_new(&roots) == OK && trust_new(&nobody) == OK);
	for (size_t i = 0; i < 4; i++)
		FUZZ_CHECK(trust_add(roots, files[i], &diag) == OK);
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

/* What the roots signed has this name and none of the other ones. */
static void check_verify(const struct bytes *certs, size_t n)
{
	static const struct peer_name names[] = {
		{PEER_DNS, {(const uint8_t *)"gw.lab.test", 11}},
		{PEER_DNS, {(const uint8_t *)"no.such.name.invalid", 20}},
		{PEER_IP, {(const uint8_t *)"\xf0\x00\x00\x01", 4}},
		{PEER_EMAIL, {(const uint8_t *)"no@such.name.invalid", 20}},
		{PEER_DN, {(const uint8_t *)"0\0", 2}},
	};
	struct diag diag;
	enum err e;

	for (size_t i = 0; i < 5; i++) {
		diag_clear(&diag);
		e = cert_verify(roots, certs, n, &names[i], NOW, &diag);
		FUZZ_CHECK(e == ERR_UNTRUSTED || (e == OK && i == 0));
		FUZZ_CHECK((e == OK) == (diag.text[0] == '\0'));
		if (e == OK)
			FUZZ_CHECK(contains(certs[0], "gw.lab.test"));
	}
	diag_clear(&diag);
	FUZZ_CHECK(cert_verify(nobody, certs, n, &names[0], NOW, &diag) ==
		   ERR_UNTRUSTED);
	FUZZ_CHECK(diag.text[0] != '\0');
}

/* Anchors from the file itself: anything may come of it, but orderly. */
static void check_anchors(struct bytes file, const struct bytes *certs,
			  size_t n)
{
	static const struct peer_name name = {
		PEER_DNS, {(const uint8_t *)"gw.lab.test", 11}};
	uint8_t ids[CERT_CHAIN_MAX * 20];
	struct diag diag = DIAG_INIT;
	struct trust *t = NULL;
	enum err e;

	FUZZ_CHECK(trust_new(&t) == OK);
	e = trust_add(t, file, &diag);
	FUZZ_CHECK((e == OK) == (diag.text[0] == '\0'));
	FUZZ_CHECK(trust_keyids(t, ids, CERT_CHAIN_MAX) <= CERT_CHAIN_MAX);
	diag_clear(&diag);
	e = cert_verify(t, certs, n, &name, NOW, &diag);
	FUZZ_CHECK(e == OK || e == ERR_UNTRUSTED);
	FUZZ_CHECK((e == OK) == (diag.text[0] == '\0'));
	trust_free(&t);
	FUZZ_CHECK(t == NULL);
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
	uint8_t *buf = NULL;
	size_t n = 0;
	enum err e;

	start();
	e = cert_load(file, certs, CERT_CHAIN_MAX, &n, &buf, &diag);
	FUZZ_CHECK(e == OK || e == ERR_MALFORMED || e == ERR_NO_SPACE);
	FUZZ_CHECK((e == OK) == (diag.text[0] == '\0'));
	FUZZ_CHECK((e == OK) == (n >= 1) && n <= CERT_CHAIN_MAX);
	for (size_t i = 0; i < n; i++)
		check_subject(certs[i]);
	if (e == OK) {
		check_verify(certs, n);
		check_anchors(file, certs, n);
		check_sig(certs[0]);
	}
	/* the same octets as a certificate that the gateway sent */
	check_subject(file);
	check_verify(&file, 1);
	check_sig(file);
	free(buf);
	return 0;
}
