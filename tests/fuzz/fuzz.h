/* What every fuzz target uses. A target asserts properties: FUZZ_CHECK. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/bytes.h"

#define FUZZ_CHECK(what)                                                       \
	do {                                                                   \
		if (!(what)) {                                                 \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__,     \
				#what);                                        \
			abort();                                               \
		}                                                              \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A view that is empty or lies inside whole. */
static inline bool fuzz_inside(struct bytes view, struct bytes whole)
{
	return view.len == 0 ||
	       (view.p >= whole.p && view.len <= whole.len &&
		(size_t)(view.p - whole.p) <= whole.len - view.len);
}

/* The errors of a parser. */
static inline bool fuzz_parse_err(enum err e)
{
	return e == OK || e == ERR_TRUNCATED || e == ERR_MALFORMED;
}

/* gives: a block of exactly b.len octets, so that ASan sees its ends. */
static inline uint8_t *fuzz_copy(struct bytes b)
{
	uint8_t *p = malloc(b.len > 0 ? b.len : 1);

	FUZZ_CHECK(p != NULL);
	if (b.len > 0)
		memcpy(p, b.p, b.len);
	return p;
}

#endif
