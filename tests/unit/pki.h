/* Certificates for tests, made new for each run by make_pki. */
#ifndef TESTS_UNIT_PKI_H
#define TESTS_UNIT_PKI_H

#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/crypto_hex.h"

static char pki_dir[64];

/* Runs a command in the directory; its exit status. */
static inline int __attribute__((format(printf, 1, 2)))
pki_run(const char *fmt, ...)
{
	char command[2048];
	va_list ap;
	int n;

	n = snprintf(command, sizeof(command), "cd %s && ", pki_dir);
	va_start(ap, fmt);
	vsnprintf(command + n, sizeof(command) - (size_t)n, fmt, ap);
	va_end(ap);
	return system(command);
}

/* Group setup. */
static inline int pki_make(void **state)
{
	snprintf(pki_dir, sizeof(pki_dir), "/tmp/vpc-pki-XXXXXX");
	if (!mkdtemp(pki_dir))
		return -1;
	return pki_run("sh %s/tests/unit/make_pki .", TEST_SRCDIR);
}

static inline int pki_remove(void **state)
{
	return pki_run("rm -rf %s", pki_dir);
}

/* A file's content; free() .p. */
static inline struct bytes pki_read(const char *name)
{
	char path[256];
	uint8_t *buf;
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", pki_dir, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	buf = malloc(65536);
	assert_non_null(buf);
	len = fread(buf, 1, 65536, f);
	fclose(f);
	return bytes(buf, len);
}

static inline void pki_free(struct bytes b)
{
	free((void *)(uintptr_t)b.p);
}

static inline void pki_write(const char *name, struct bytes b)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", pki_dir, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(b.p, 1, b.len, f), b.len);
	fclose(f);
}

/* A main() ends here where there is no openssl: the harness counts it as
 * skipped. */
static inline bool pki_possible(void)
{
	return system("openssl version > /dev/null 2>&1") == 0;
}

#define PKI_SKIP 77

#endif
