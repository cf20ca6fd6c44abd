/* Private keys and AUTH signatures, both ways against the openssl command. */
#include "tests/unit/pki.h"

#include "client/crypto/crypto.h"
#include "client/crypto/sig.h"

#define ALL_HASHES                                                             \
	(1u << HASH_SHA1 | 1u << HASH_SHA2_256 | 1u << HASH_SHA2_384 |         \
	 1u << HASH_SHA2_512 | 1u << HASH_IDENTITY)

/* The octets that are signed, in three parts as the AUTH payload has them. */
static uint8_t message[3000];
static const struct bytes parts[] = {
	{message, 1000}, {message + 1000, 32}, {message + 1032, 1968}};

static const struct key {
	const char *name;
	const char *sha256_args; /* of openssl dgst, PSS or none */
} keys[] = {
	{"gw_rsa", "-sha256 -sigopt rsa_padding_mode:pss -sigopt "
		   "rsa_pss_saltlen:-1"},
	{"gw", "-sha256"},
	{"gw_p384", "-sha384"},
};

static struct privkey *load(const char *file, const char *pass)
{
	struct bytes b = pki_read(file);
	struct diag diag = DIAG_INIT;
	struct privkey *k;
	enum err e;

	e = privkey_load(b, bytes_str(pass), &k, &diag);
	if (e != OK)
		print_error("%s: %s\n", file, diag.text);
	assert_int_equal(e, OK);
	pki_free(b);
	return k;
}

/* DER of a certificate; *out_buf: free(). */
static struct bytes load_cert(const char *name, uint8_t **out_buf)
{
	struct bytes pem, der;
	char file[64];
	size_t n;

	snprintf(file, sizeof(file), "%s.pem", name);
	pem = pki_read(file);
	assert_int_equal(cert_load(pem, &der, 1, &n, out_buf, NULL), OK);
	pki_free(pem);
	return der;
}

/* AUTH data by openssl: prefix_hex is length octet and AlgorithmIdentifier. */
static struct bytes with_prefix(const char *prefix_hex, const char *sig_file,
				uint8_t *buf)
{
	size_t n = hex_read(prefix_hex, buf, 128);
	struct bytes sig = pki_read(sig_file);

	memcpy(buf + n, sig.p, sig.len);
	n += sig.len;
	pki_free(sig);
	return bytes(buf, n);
}

/* RFC 7427 appendix A. */
#define ALG_RSA_256   "0f300d06092a864886f70d01010b0500"
#define ALG_RSA_384   "0f300d06092a864886f70d01010c0500"
#define ALG_RSA_512   "0f300d06092a864886f70d01010d0500"
#define ALG_RSA_SHA1  "0f300d06092a864886f70d0101050500"
#define ALG_ECDSA_256 "0c300a06082a8648ce3d040302"
#define ALG_ECDSA_384 "0c300a06082a8648ce3d040303"
#define ALG_ECDSA_512 "0c300a06082a8648ce3d040304"
#define ALG_ECDSA_1   "0b300906072a8648ce3d0401"
#define ALG_PSS_256                                                            \
	"43304106092a864886f70d01010a3034a00f300d0609608648016503040201050"    \
	"0a11c301a06092a864886f70d010108300d06096086480165030402010500a203"    \
	"020120"
#define ALG_PSS_EMPTY "0f300d06092a864886f70d01010a3000"
#define ALG_ED25519   "0730050603 2b6570"

/* --- loading
 * -------------------------------------------------------------------- */

static void keys_load_from_each_container(void **state)
{
	static const char *const files[][2] = {
		{"gw_rsa.key", "gw_rsa"},
		{"gw_rsa.pkcs1", "gw_rsa"},
		{"gw_rsa.pkcs8", "gw_rsa"},
		{"gw_rsa.pkcs8der", "gw_rsa"},
		{"gw_rsa.der", "gw_rsa"},
		{"gw_rsa.enc", "gw_rsa"},
		{"gw.key", "gw"},
		{"gw.pkcs8", "gw"},
		{"gw.pkcs8der", "gw"},
		{"gw.enc", "gw"},
		{"gw_p384.key", "gw_p384"},
		{"gw_p384.pkcs8", "gw_p384"},
		{"gw_p384.enc", "gw_p384"},
		{"gw_ed.key", "gw_ed"},
		{"gw_ed.pkcs8der", "gw_ed"},
		{"gw_ed.enc", "gw_ed"},
	};

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct privkey *k = load(files[i][0], "sesame");
		uint8_t *buf, *other_buf;
		struct bytes own = load_cert(files[i][1], &buf);
		struct bytes other = load_cert("gw_direct", &other_buf);

		assert_true(privkey_matches(k, own));
		assert_false(privkey_matches(k, other));
		assert_false(privkey_matches(k, BYTES_NONE));
		free(buf);
		free(other_buf);
		privkey_free(&k);
		assert_null(k);
	}
}

static void expect_no_key(struct bytes file, const char *pass, enum err want,
			  const char *line)
{
	struct diag diag = DIAG_INIT;
	struct privkey *k;

	assert_int_equal(privkey_load(file, bytes_str(pass), &k, &diag), want);
	assert_null(k);
	assert_non_null(strstr(diag.text, line));
}

static void keys_that_cannot_be_used_are_refused_with_a_reason(void **state)
{
	static const struct {
		const char *file, *pass;
		enum err e;
		const char *line;
	} bad[] = {
		{"gw.enc", "", ERR_NEEDS_PERSON, "its passphrase is needed"},
		{"gw.enc", "wrong", ERR_NEEDS_PERSON, "does not open"},
		{"gw_rsa.enc", "wrong", ERR_NEEDS_PERSON, "does not open"},
		{"gw_rsa.old", "sesame", ERR_UNSUPPORTED, "pkcs8 -topk8"},
		{"gw.pem", "", ERR_MALFORMED, "no private key in the file"},
		{"gw_rsa1024.key", "", ERR_UNSUPPORTED,
		 "an RSA key of less than 2048 bits"},
		{"gw_p521.key", "", ERR_UNSUPPORTED, "use RSA, ECDSA"},
		{"gw.der", "", ERR_MALFORMED, ""},
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct bytes b = pki_read(bad[i].file);

		expect_no_key(b, bad[i].pass, bad[i].e, bad[i].line);
		assert_int_equal(privkey_is_encrypted(b),
				 bad[i].e == ERR_NEEDS_PERSON);
		pki_free(b);
	}
	expect_no_key(BYTES_NONE, "", ERR_MALFORMED, "empty");
	assert_false(privkey_is_encrypted(BYTES_NONE));
}

static void a_damaged_key_never_crashes(void **state)
{
	static const char *const files[] = {"gw.pkcs8der", "gw_ed.pkcs8der",
					    "gw_rsa.der"};

	for (int f = 0; f < 3; f++) {
		struct bytes b = pki_read(files[f]);

		/* Cut anywhere; then flip the structure's octets. */
		for (size_t len = 1; len < b.len; len++) {
			uint8_t *p = malloc(len);
			struct privkey *k;

			assert_non_null(p);
			memcpy(p, b.p, len);
			assert_int_not_equal(privkey_load(bytes(p, len),
							  BYTES_NONE, &k, NULL),
					     OK);
			free(p);
		}
		for (size_t i = 0; i < 40; i++) {
			uint8_t *p = (uint8_t *)(uintptr_t)b.p;
			struct privkey *k;
			enum err e;

			p[i] ^= 0x81;
			e = privkey_load(b, BYTES_NONE, &k, NULL);
			assert_int_equal(e == OK, k != NULL);
			privkey_free(&k);
			p[i] ^= 0x81;
		}
		pki_free(b);
	}
}

/* --- ours to openssl
 * --------------------------------------------------------------- */

/* Signs, checks the prefix, and leaves the bare signature in a file. */
static void sign_to_file(const char *key_file, const struct sign_policy *pol,
			 enum sig_method method, const char *prefix_hex,
			 const char *sig_file)
{
	struct privkey *k = load(key_file, "");
	uint8_t out[AUTH_DATA_MAX], prefix[128];
	size_t len, n = hex_read(prefix_hex, prefix, sizeof(prefix));
	enum sig_method got;

	assert_int_equal(privkey_sign(k, pol, parts, 3, out, &len, &got), OK);
	assert_int_equal(got, method);
	assert_true(len > n);
	assert_memory_equal(out, prefix, n);
	pki_write(sig_file, bytes(out + n, len - n));
	privkey_free(&k);
}

static void openssl_takes_what_we_sign(void **state)
{
	const struct sign_policy all = {ALL_HASHES, false};
	const struct sign_policy pkcs1 = {ALL_HASHES, true};
	const struct sign_policy only_512 = {1u << HASH_SHA2_512, true};

	sign_to_file("gw_rsa.key", &all, SIG_DIGITAL, ALG_PSS_256, "s1");
	assert_int_equal(pki_run("openssl dgst %s -verify gw_rsa.pub "
				 "-signature s1 message > /dev/null",
				 keys[0].sha256_args),
			 0);
	sign_to_file("gw_rsa.key", &pkcs1, SIG_DIGITAL, ALG_RSA_256, "s2");
	assert_int_equal(pki_run("openssl dgst -sha256 -verify gw_rsa.pub "
				 "-signature s2 message > /dev/null"),
			 0);
	sign_to_file("gw_rsa.key", &only_512, SIG_DIGITAL, ALG_RSA_512, "s3");
	assert_int_equal(pki_run("openssl dgst -sha512 -verify gw_rsa.pub "
				 "-signature s3 message > /dev/null"),
			 0);
	sign_to_file("gw.key", &all, SIG_DIGITAL, ALG_ECDSA_256, "s4");
	assert_int_equal(pki_run("openssl dgst -sha256 -verify gw.pub "
				 "-signature s4 message > /dev/null"),
			 0);
	sign_to_file("gw_p384.key", &all, SIG_DIGITAL, ALG_ECDSA_384, "s5");
	assert_int_equal(pki_run("openssl dgst -sha384 -verify gw_p384.pub "
				 "-signature s5 message > /dev/null"),
			 0);
	sign_to_file("gw_ed.key", &all, SIG_DIGITAL, ALG_ED25519, "s6");
	assert_int_equal(pki_run("openssl pkeyutl -verify -pubin -inkey "
				 "gw_ed.pub -rawin -in message -sigfile s6 > "
				 "/dev/null"),
			 0);
}

static void the_policy_chooses_hash_and_method(void **state)
{
	const struct sign_policy none = {0, false};
	const struct sign_policy only_sha1 = {1u << HASH_SHA1, false};
	const struct sign_policy sha2 = {1u << HASH_SHA2_384, false};
	const struct sign_policy only_256 = {1u << HASH_SHA2_256, false};
	uint8_t out[AUTH_DATA_MAX];
	enum sig_method method;
	struct privkey *k;
	size_t len;

	k = load("gw_rsa.key", "");
	assert_int_equal(privkey_sign(k, &none, parts, 3, out, &len, &method),
			 ERR_NO_PROPOSAL);
	assert_int_equal(
		privkey_sign(k, &only_sha1, parts, 3, out, &len, &method),
		ERR_NO_PROPOSAL);
	privkey_free(&k);
	k = load("gw_ed.key", "");
	assert_int_equal(privkey_sign(k, &sha2, parts, 3, out, &len, &method),
			 ERR_NO_PROPOSAL);
	assert_int_equal(privkey_sign(k, &none, parts, 3, out, &len, &method),
			 ERR_NO_PROPOSAL);
	privkey_free(&k);
	sign_to_file("gw.key", &sha2, SIG_DIGITAL, ALG_ECDSA_384, "s1");
	sign_to_file("gw_p384.key", &only_256, SIG_DIGITAL, ALG_ECDSA_256,
		     "s1");
	/* Without RFC 7427: r | s at full length. */
	k = load("gw.key", "");
	assert_int_equal(privkey_sign(k, &none, parts, 3, out, &len, &method),
			 OK);
	assert_int_equal(method, SIG_ECDSA_256);
	assert_int_equal(len, 64);
	privkey_free(&k);
	k = load("gw_p384.key", "");
	assert_int_equal(privkey_sign(k, &none, parts, 3, out, &len, &method),
			 OK);
	assert_int_equal(method, SIG_ECDSA_384);
	assert_int_equal(len, 96);
	privkey_free(&k);
}

/* The longest AUTH data there is: RSA-4096 with PSS. */
static void an_rsa_4096_signature_fits(void **state)
{
	const struct sign_policy all = {ALL_HASHES, false};

	assert_int_equal(pki_run("openssl genrsa -out long.key 4096 2> "
				 "/dev/null && openssl rsa -in long.key "
				 "-pubout -out long.pub 2> /dev/null"),
			 0);
	sign_to_file("long.key", &all, SIG_DIGITAL, ALG_PSS_256, "s1");
	assert_int_equal(pki_run("openssl dgst %s -verify long.pub -signature "
				 "s1 message > /dev/null",
				 keys[0].sha256_args),
			 0);
}

/* --- openssl to ours
 * ----------------------------------------------------------------- */

static enum err check(const char *cert, enum sig_method method,
		      struct bytes auth)
{
	uint8_t *buf;
	struct bytes der = load_cert(cert, &buf);
	struct diag diag = DIAG_INIT;
	enum err e = sig_verify(der, method, auth, parts, 3, &diag);

	assert_int_equal(e == OK, diag.text[0] == '\0');
	free(buf);
	return e;
}

static void openssl_sign(const char *key, const char *args)
{
	assert_int_equal(pki_run("openssl dgst %s -sign %s.key -out sig "
				 "message",
				 args, key),
			 0);
}

static void we_take_what_openssl_signs(void **state)
{
	static const struct {
		const char *key, *args, *prefix;
	} good[] = {
		{"gw_rsa", "-sha256", ALG_RSA_256},
		{"gw_rsa", "-sha384", ALG_RSA_384},
		{"gw_rsa", "-sha512", ALG_RSA_512},
		{"gw_rsa",
		 "-sha256 -sigopt rsa_padding_mode:pss -sigopt "
		 "rsa_pss_saltlen:-1",
		 ALG_PSS_256},
		{"gw", "-sha256", ALG_ECDSA_256},
		{"gw", "-sha512", ALG_ECDSA_512},
		{"gw_p384", "-sha384", ALG_ECDSA_384},
		{"gw_p384", "-sha256", ALG_ECDSA_256},
	};
	uint8_t buf[1024];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		openssl_sign(good[i].key, good[i].args);
		assert_int_equal(check(good[i].key, SIG_DIGITAL,
				       with_prefix(good[i].prefix, "sig", buf)),
				 OK);
	}
	assert_int_equal(pki_run("openssl pkeyutl -sign -inkey gw_ed.key "
				 "-rawin -in message -out sig"),
			 0);
	assert_int_equal(check("gw_ed", SIG_DIGITAL,
			       with_prefix(ALG_ED25519, "sig", buf)),
			 OK);
}

/* Methods 9 and 10: r | s, cut from openssl's DER. */
static void we_take_ecdsa_of_rfc_4754(void **state)
{
	const struct sign_policy none = {0, false};
	const char *const names[] = {"gw", "gw_p384"};
	const enum sig_method methods[] = {SIG_ECDSA_256, SIG_ECDSA_384};

	for (int i = 0; i < 2; i++) {
		uint8_t out[AUTH_DATA_MAX];
		enum sig_method method;
		struct privkey *k;
		char file[32];
		size_t len;

		snprintf(file, sizeof(file), "%s.key", names[i]);
		k = load(file, "");
		assert_int_equal(
			privkey_sign(k, &none, parts, 3, out, &len, &method),
			OK);
		assert_int_equal(check(names[i], methods[i], bytes(out, len)),
				 OK);
		assert_int_equal(
			check(names[i], methods[1 - i], bytes(out, len)),
			ERR_UNSUPPORTED);
		assert_int_equal(
			check(names[i], methods[i], bytes(out, len - 1)),
			ERR_AUTH);
		for (size_t at = 0; at < len; at++) {
			out[at] ^= 0x10;
			assert_int_equal(
				check(names[i], methods[i], bytes(out, len)),
				ERR_AUTH);
			out[at] ^= 0x10;
		}
		memset(out, 0, len);
		assert_int_equal(check(names[i], methods[i], bytes(out, len)),
				 ERR_AUTH);
		memset(out, 0xff, len);
		assert_int_equal(check(names[i], methods[i], bytes(out, len)),
				 ERR_AUTH);
		privkey_free(&k);
	}
}

static void a_signature_with_any_flipped_bit_is_refused(void **state)
{
	static const struct {
		const char *key, *args, *prefix;
	} good[] = {
		{"gw_rsa", "-sha256", ALG_RSA_256},
		{"gw_rsa",
		 "-sha256 -sigopt rsa_padding_mode:pss -sigopt "
		 "rsa_pss_saltlen:-1",
		 ALG_PSS_256},
		{"gw", "-sha256", ALG_ECDSA_256},
	};
	uint8_t buf[1024];

	for (size_t i = 0; i < 3; i++) {
		struct bytes auth;

		openssl_sign(good[i].key, good[i].args);
		auth = with_prefix(good[i].prefix, "sig", buf);
		for (size_t at = 0; at < auth.len; at++) {
			buf[at] ^= (uint8_t)(1 << at % 8);
			assert_int_not_equal(
				check(good[i].key, SIG_DIGITAL, auth), OK);
			buf[at] ^= (uint8_t)(1 << at % 8);
		}
		for (size_t len = 0; len < auth.len; len++)
			assert_int_not_equal(check(good[i].key, SIG_DIGITAL,
						   bytes(buf, len)),
					     OK);
		assert_int_equal(check(good[i].key, SIG_DIGITAL, auth), OK);
		/* Another message. */
		message[1500] ^= 1;
		assert_int_equal(check(good[i].key, SIG_DIGITAL, auth),
				 ERR_AUTH);
		message[1500] ^= 1;
	}
}

static void refused_algorithms_and_mismatches(void **state)
{
	static const struct {
		const char *key, *args, *prefix;
	} bad[] = {
		{"gw_rsa", "-sha1", ALG_RSA_SHA1},
		{"gw", "-sha1", ALG_ECDSA_1},
		/* PSS without parameters means SHA-1 (CVE-2018-6459). */
		{"gw_rsa",
		 "-sha1 -sigopt rsa_padding_mode:pss -sigopt "
		 "rsa_pss_saltlen:20",
		 ALG_PSS_EMPTY},
		{"gw_rsa", "-sha256", ALG_ECDSA_256},
		{"gw", "-sha256", ALG_RSA_256},
		{"gw", "-sha256", ALG_ED25519},
	};
	uint8_t buf[1024];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		openssl_sign(bad[i].key, bad[i].args);
		assert_int_equal(check(bad[i].key, SIG_DIGITAL,
				       with_prefix(bad[i].prefix, "sig", buf)),
				 ERR_UNSUPPORTED);
	}
	openssl_sign("gw_rsa", "-sha1");
	assert_int_equal(
		check("gw_rsa", SIG_RSA_SHA1, with_prefix("", "sig", buf)),
		ERR_UNSUPPORTED);
	assert_int_equal(check("gw", (enum sig_method)2, BYTES_NONE),
			 ERR_UNSUPPORTED);
	/* A short modulus, the signature itself being right. */
	openssl_sign("gw_rsa1024", "-sha256");
	assert_int_equal(check("gw_rsa1024", SIG_DIGITAL,
			       with_prefix(ALG_RSA_256, "sig", buf)),
			 ERR_UNSUPPORTED);
	/* The salt is as long as the parameters say, not as it happens. */
	openssl_sign("gw_rsa", "-sha256 -sigopt rsa_padding_mode:pss -sigopt "
			       "rsa_pss_saltlen:20");
	assert_int_equal(check("gw_rsa", SIG_DIGITAL,
			       with_prefix(ALG_PSS_256, "sig", buf)),
			 ERR_AUTH);
}

/* PKCS#1 v1.5 padding of wrong forms, each raised to the private exponent by
 * openssl (CVE-2018-16151, CVE-2018-16152, Bleichenbacher 2006). */
static void expect_padding(const uint8_t em[256], enum err want)
{
	uint8_t buf[1024];

	pki_write("em", bytes(em, 256));
	assert_int_equal(pki_run("openssl pkeyutl -decrypt -inkey gw_rsa.key "
				 "-pkeyopt rsa_padding_mode:none -in em -out "
				 "sig"),
			 0);
	assert_int_equal(check("gw_rsa", SIG_DIGITAL,
			       with_prefix(ALG_RSA_256, "sig", buf)),
			 want);
}

/* 00 01 ff.. 00 then info and the digest, then rest zeros of garbage. */
static void make_padding(uint8_t em[256], const char *info, size_t garbage)
{
	uint8_t *p = em + 256 - 32 - garbage - strlen(info) / 2;

	memset(em, 0xff, 256);
	em[0] = 0;
	em[1] = 1;
	memset(em + 256 - garbage, 0, garbage);
	hex_read(info, p, 64);
	p[-1] = 0;
	assert_int_equal(
		crypto_hash(HASH_SHA2_256, parts, 3, em + 256 - garbage - 32),
		OK);
}

static void rsa_padding_must_be_exact(void **state)
{
	static const char *const info =
		"3031300d060960864801650304020105000420";
	uint8_t em[256];

	make_padding(em, info, 0);
	expect_padding(em, OK);
	em[1] = 2;
	expect_padding(em, ERR_AUTH);
	make_padding(em, info, 0);
	em[10] = 0xfe;
	expect_padding(em, ERR_AUTH);
	/* Garbage behind the digest. */
	make_padding(em, info, 64);
	expect_padding(em, ERR_AUTH);
	/* Parameters absent, or with garbage inside. */
	make_padding(em, "302f300b0609608648016503040201 0420", 0);
	expect_padding(em, ERR_AUTH);
	make_padding(em, "3034301006096086480165030402010503616263 0420", 0);
	expect_padding(em, ERR_AUTH);
	/* Lengths in a longer form. */
	make_padding(em, "308131300d060960864801650304020105000420", 0);
	expect_padding(em, ERR_AUTH);
	/* The digest with no DigestInfo at all. */
	make_padding(em, "", 0);
	expect_padding(em, ERR_AUTH);
	/* Short padding. */
	make_padding(em, info, 0);
	em[10] = 0;
	expect_padding(em, ERR_AUTH);
}

/* A modulus that is prime, 2^2047 + 2895, so that Python could make the
 * signature of "reduced"; below 2^2048 - n, so that s + n fits as well
 * (Wycheproof: SignatureMalleability; wolfSSL takes both). */
static void an_rsa_signature_must_be_below_the_modulus(void **state)
{
	static const char *const sig_hex =
		"52e101ad54f501ae999d44768041dabfd36efa6727a3cb741112858b"
		"eb4bade20e93801326c64f95fbac13b8c09ac29921108693b9568344"
		"36e7eb218bb8f9b970fec47c0efb16fd271a9aa872836f73b71a1166"
		"2327e384ee42db40db5bde1ab0b672fe190941f205c32997382ee9e5"
		"f993e0f500892ecfa21549c51c9e80097c2421dd3b280b4d5a723c6a"
		"62f3c404d6f3c748f5850c0cae4a1bb29b7a5eee0ec0bb8ed6383438"
		"a9301f98505c54de6b302178ab6e023281c161a214d7a7afdcb157c0"
		"f5d16b2230228fdd5a9b5dd346f0feb63da66b823db36a2773163758"
		"80a7500fb3426dbd35049cec66b72217f3059ee0fbcd5c272cf11bf4"
		"6fb086c1";
	const struct sig_alg alg = {SIG_KIND_PKCS1, HASH_SHA2_256, 0, "RSA"};
	struct bytes text = bytes_str("reduced");
	uint8_t modulus[256] = {0x80, [253] = 0x00, 0x0b, 0x4f};
	uint8_t sig[256];
	unsigned int carry = 0;
	struct pubkey key = {KEY_RSA, BYTES_OF(modulus), HEX("010001")};

	hex_read(sig_hex, sig, sizeof(sig));
	assert_int_equal(sig_check(&key, &alg, &text, 1, BYTES_OF(sig)), OK);
	for (int i = 255; i >= 0; i--) {
		carry += sig[i] + modulus[i];
		sig[i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(carry, 0);
	assert_int_equal(sig_check(&key, &alg, &text, 1, BYTES_OF(sig)),
			 ERR_AUTH);
}

/* S + L for S: the same point, another signature (RFC 8032 5.1.7). */
static void an_ed25519_scalar_must_be_reduced(void **state)
{
	static const uint8_t order[32] = {
		0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58,	      0xd6,
		0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, [31] = 0x10};
	uint8_t buf[128];
	unsigned int carry = 0;
	struct bytes auth;

	assert_int_equal(pki_run("openssl pkeyutl -sign -inkey gw_ed.key "
				 "-rawin -in message -out sig"),
			 0);
	auth = with_prefix(ALG_ED25519, "sig", buf);
	assert_int_equal(auth.len, 8 + 64);
	for (int i = 0; i < 32; i++) {
		carry += buf[8 + 32 + i] + order[i];
		buf[8 + 32 + i] = (uint8_t)carry;
		carry >>= 8;
	}
	assert_int_equal(check("gw_ed", SIG_DIGITAL, auth), ERR_AUTH);
}

/* ECDSA's r and s: 0, negative, padded, too large; and trailing octets. */
static void an_ecdsa_signature_must_be_strict_der(void **state)
{
	static const char *const bad[] = {
		"3006020100020100",
		"3006020101020100",
		"3006020100020101",
		"300602018102 0101",
		"30070202000102 0101",
		"300602010102010100",
		"3080020101020101 0000",
		"308106020101020101",
		"30250221 "
		"00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9"
		"cac2fc632551 0200",
		"30260221 "
		"00ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9"
		"cac2fc632551 020101",
		"",
	};
	uint8_t buf[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		size_t n = hex_read(ALG_ECDSA_256, buf, sizeof(buf));

		n += hex_read(bad[i], buf + n, sizeof(buf) - n);
		assert_int_equal(check("gw", SIG_DIGITAL, bytes(buf, n)),
				 ERR_AUTH);
	}
}

static int set_up(void **state)
{
	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = (uint8_t)(i * 7 + i / 256);
	if (pki_make(state) != 0)
		return -1;
	pki_write("message", BYTES_OF(message));
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_load_from_each_container),
		cmocka_unit_test(
			keys_that_cannot_be_used_are_refused_with_a_reason),
		cmocka_unit_test(a_damaged_key_never_crashes),
		cmocka_unit_test(openssl_takes_what_we_sign),
		cmocka_unit_test(the_policy_chooses_hash_and_method),
		cmocka_unit_test(an_rsa_4096_signature_fits),
		cmocka_unit_test(we_take_what_openssl_signs),
		cmocka_unit_test(we_take_ecdsa_of_rfc_4754),
		cmocka_unit_test(a_signature_with_any_flipped_bit_is_refused),
		cmocka_unit_test(refused_algorithms_and_mismatches),
		cmocka_unit_test(rsa_padding_must_be_exact),
		cmocka_unit_test(an_rsa_signature_must_be_below_the_modulus),
		cmocka_unit_test(an_ed25519_scalar_must_be_reduced),
		cmocka_unit_test(an_ecdsa_signature_must_be_strict_der),
	};
	int failed;

	if (!pki_possible())
		return PKI_SKIP;
	if (crypto_open(NULL) != OK)
		return 1;
	failed = cmocka_run_group_tests(tests, set_up, pki_remove);
	crypto_close();
	return failed;
}
