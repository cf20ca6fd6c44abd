/* Hexadecimal vectors as octets, for the tests of client/crypto. */
#ifndef TESTS_UNIT_CRYPTO_HEX_H
#define TESTS_UNIT_CRYPTO_HEX_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "platform/base/bytes.h"

/* Blanks are skipped. out: at least half as many octets as digits. */
static inline size_t hex_read(const char *text, uint8_t *out, size_t cap)
{
	size_t digits = 0;
	unsigned int nibble;
	char one[2] = "";

	for (; *text; text++) {
		if (*text == ' ')
			continue;
		one[0] = *text;
		assert_int_equal(sscanf(one, "%1x", &nibble), 1);
		assert_true(digits / 2 < cap);
		if (digits % 2 == 0)
			out[digits / 2] = (uint8_t)(nibble << 4);
		else
			out[digits / 2] |= (uint8_t)nibble;
		digits++;
	}
	assert_int_equal(digits % 2, 0);
	return digits / 2;
}

static inline void assert_hex(const uint8_t *got, size_t len, const char *want)
{
	uint8_t octets[1024];

	assert_int_equal(hex_read(want, octets, sizeof(octets)), len);
	assert_memory_equal(got, octets, len);
}

/* A view of vector text, in a buffer that lives as long as the caller. */
#define HEX(text)                                                              \
	hex_view(text, (uint8_t[sizeof(text) / 2 + 1]){0}, sizeof(text) / 2 + 1)

static inline struct bytes hex_view(const char *text, uint8_t *buf, size_t cap)
{
	return bytes(buf, hex_read(text, buf, cap));
}

#endif
