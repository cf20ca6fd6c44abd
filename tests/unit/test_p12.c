/* PKCS#12 containers as OpenSSL makes them, old and new. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/crypto/cert_info.h"
#include "client/crypto/crypto.h"
#include "client/crypto/p12.h"

static char dir[] = "/tmp/vpc-p12.XXXXXX";
static struct diag diag;

/* In dir; its exit status. */
static int __attribute__((format(printf, 1, 2))) run(const char *fmt, ...)
{
	char command[1000];
	int n = snprintf(command, sizeof(command), "cd %s && ", dir);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(command + n, sizeof(command) - (size_t)n, fmt, ap);
	va_end(ap);
	return system(command);
}

#define CERT_OF                                                                \
	"-keyout %s.key -nodes -days 2 -subj /CN=%s "                          \
	"-addext subjectAltName=DNS:a.example.org,email:%s@example.org "       \
	"-addext basicConstraints=critical,CA:TRUE"

static int make(void **state)
{
	static const char *const kinds[][2] = {
		{"rsa", "rsa:2048"},
		{"ec", "ec -pkeyopt ec_paramgen_curve:P-384"},
		{"ed", "ed25519"}};

	if (!mkdtemp(dir) || crypto_open(&diag) ||
	    system("openssl version >/dev/null 2>&1"))
		return -1;
	for (size_t i = 0; i < 3; i++)
		if (run("openssl req -x509 -newkey %s -out %s.crt " CERT_OF
			" 2>/dev/null",
			kinds[i][1], kinds[i][0], kinds[i][0], kinds[i][0],
			kinds[i][0]))
			return -1;
	/* One below the first, for a chain. */
	return run("openssl req -newkey ed25519 -nodes -keyout leaf.key "
		   "-subj /CN=leaf -out leaf.csr 2>/dev/null && "
		   "openssl x509 -req -in leaf.csr -CA rsa.crt -CAkey rsa.key "
		   "-set_serial 7 -days 2 -out leaf.crt 2>/dev/null");
}

static int cleanup(void **state)
{
	crypto_close();
	return run("rm -rf %s", dir);
}

/* gives .p */
static struct bytes container(const char *options)
{
	static uint8_t buf[20000];
	char path[64];
	size_t len;
	FILE *f;

	assert_int_equal(run("openssl pkcs12 -export -out c.p12 %s 2>/dev/null",
			     options),
			 0);
	snprintf(path, sizeof(path), "%s/c.p12", dir);
	f = fopen(path, "rb");
	assert_non_null(f);
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	return bytes(buf, len);
}

static enum err open_p12(struct bytes file, const char *password,
			 struct p12 *out)
{
	diag_clear(&diag);
	return p12_open(file, password, out, &diag);
}

static size_t count(const char *text, const char *what)
{
	size_t n = 0;

	for (; text && (text = strstr(text, what)); text++)
		n++;
	return n;
}

static void a_key_of_each_kind_comes_out_usable(void **state)
{
	static const char *const kinds[] = {"rsa", "ec", "ed"};
	char options[200], name[100];
	struct bytes certs[2];
	struct privkey *key;
	uint8_t *buf;
	struct p12 p;
	size_t n;

	for (size_t i = 0; i < 3; i++) {
		snprintf(options, sizeof(options),
			 "-inkey %s.key -in %s.crt -passout pass:sesam",
			 kinds[i], kinds[i]);
		assert_int_equal(open_p12(container(options), "sesam", &p), OK);
		assert_null(p.ca);
		assert_int_equal(
			privkey_load(bytes_str(p.key), BYTES_NONE, &key, &diag),
			OK);
		assert_int_equal(
			cert_load(bytes_str(p.cert), certs, 2, &n, &buf, &diag),
			OK);
		assert_int_equal(n, 1);
		assert_true(privkey_matches(key, certs[0]));
		assert_int_equal(cert_identity(certs[0], name, sizeof(name)),
				 OK);
		assert_non_null(strstr(name, "@example.org"));
		privkey_free(&key);
		free(buf);
		p12_free(&p);
	}
}

static void roots_and_the_chain_are_kept_apart(void **state)
{
	struct p12 p;

	assert_int_equal(
		open_p12(container("-inkey leaf.key -in leaf.crt "
				   "-certfile rsa.crt -passout pass:sesam"),
			 "sesam", &p),
		OK);
	assert_int_equal(count(p.cert, "BEGIN CERTIFICATE"), 1);
	assert_int_equal(count(p.ca, "BEGIN CERTIFICATE"), 1);
	p12_free(&p);
	assert_null(p.key);
}

static void triple_des_of_old_exports_is_read(void **state)
{
	struct p12 p;

	assert_int_equal(
		open_p12(container("-keypbe PBE-SHA1-3DES -certpbe "
				   "PBE-SHA1-3DES -macalg sha1 -inkey ec.key "
				   "-in ec.crt -passout pass:sesam"),
			 "sesam", &p),
		OK);
	p12_free(&p);
}

static void rc2_is_refused_in_words(void **state)
{
	struct p12 p;

	if (run("openssl pkcs12 -export -legacy -inkey ec.key -in ec.crt "
		"-passout pass:x -out l.p12 2>/dev/null"))
		skip();
	assert_int_equal(
		open_p12(container("-legacy -inkey ec.key -in ec.crt -passout "
				   "pass:sesam"),
			 "sesam", &p),
		ERR_UNSUPPORTED);
	assert_non_null(strstr(diag.text, "RC2"));
	assert_non_null(strstr(diag.text, "openssl pkcs12"));
}

static void a_wrong_password_asks_for_another(void **state)
{
	struct bytes file = container("-inkey ec.key -in ec.crt "
				      "-passout pass:sesam");
	struct p12 p;

	assert_int_equal(open_p12(file, "wrong", &p), ERR_NEEDS_PERSON);
	assert_int_equal(open_p12(file, "", &p), ERR_NEEDS_PERSON);
	assert_null(p.key);
	assert_int_equal(open_p12(container("-inkey ec.key -in ec.crt "
					    "-passout pass:"),
				  "", &p),
			 OK);
	p12_free(&p);
}

static void what_is_cut_off_is_refused(void **state)
{
	struct bytes file = container("-inkey ec.key -in ec.crt "
				      "-passout pass:sesam");
	struct p12 p;

	for (size_t len = 0; len < file.len; len += 1 + file.len / 40) {
		assert_int_not_equal(open_p12(bytes(file.p, len), "sesam", &p),
				     OK);
		assert_true(diag.text[0] != '\0');
		assert_null(p.key);
	}
	assert_int_equal(open_p12(bytes_str("hello"), "", &p), ERR_MALFORMED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_of_each_kind_comes_out_usable),
		cmocka_unit_test(roots_and_the_chain_are_kept_apart),
		cmocka_unit_test(triple_des_of_old_exports_is_read),
		cmocka_unit_test(rc2_is_refused_in_words),
		cmocka_unit_test(a_wrong_password_asks_for_another),
		cmocka_unit_test(what_is_cut_off_is_refused),
	};

	/* Where openssl is missing. */
	if (system("openssl version >/dev/null 2>&1"))
		return 77;
	return cmocka_run_group_tests(tests, make, cleanup);
}
