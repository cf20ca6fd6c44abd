/* Keys from the patterns of tests/vectors/gen_ike.py, and two sides with
 * them. */
#ifndef TESTS_UNIT_IKE_PAIR_H
#define TESTS_UNIT_IKE_PAIR_H

#include <stdlib.h>

#include "tests/unit/ike_hex.h"

#include "client/ike/protect.h"
#include "tests/vectors/ike_keys.h"

#define N_VECTORS (sizeof(ike_vectors) / sizeof(ike_vectors[0]))
#define SPI_I	  0x0102030405060708
#define SPI_R	  0x1112131415161718

static uint8_t ni[32], nr[40], shared[32], shared2[256];

static inline void fill(uint8_t *p, size_t len, uint8_t start)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(start + 7 * i);
}

static inline int set_up(void **state)
{
	fill(ni, sizeof(ni), 0x20);
	fill(nr, sizeof(nr), 0x90);
	fill(shared, sizeof(shared), 1);
	fill(shared2, sizeof(shared2), 2);
	return 0;
}

static inline struct suite suite_of(const struct ike_vector *v)
{
	return (struct suite){v->algs, v->prf, KE_X25519, false};
}

static inline struct ike_seed seed_of(void)
{
	return (struct ike_seed){BYTES_OF(ni), BYTES_OF(nr), SPI_I, SPI_R};
}

static inline void keys_of(const struct ike_vector *v, struct ike_keys *out)
{
	struct suite suite = suite_of(v);
	struct ike_seed seed = seed_of();

	assert_int_equal(ike_keys_initial(&suite, &seed, BYTES_OF(shared), out),
			 OK);
}

struct pair {
	struct rng rng;
	struct ike_protect i, r;
};

static inline void pair_open(struct pair *p, const struct ike_vector *v)
{
	struct ike_keys k;
	const uint8_t seed[32] = {7};

	keys_of(v, &k);
	rng_seed(&p->rng, seed);
	assert_int_equal(ike_protect_new(&k, true, &p->rng, &p->i), OK);
	assert_int_equal(ike_protect_new(&k, false, &p->rng, &p->r), OK);
}

static inline void pair_close(struct pair *p)
{
	ike_protect_free(&p->i);
	ike_protect_free(&p->r);
}

/* Into a heap block of exactly its size, so that ASan sees every step past
 * its ends. */
static inline uint8_t *heap_copy(struct bytes b)
{
	uint8_t *p;

	if (b.len > UINT16_MAX)
		abort(); /* no datagram; -Walloc-size-larger-than wants it */
	p = malloc(b.len > 0 ? b.len : 1);
	assert_non_null(p);
	if (b.len > 0)
		memcpy(p, b.p, b.len);
	return p;
}

#endif
