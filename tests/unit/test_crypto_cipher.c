/* The packet transforms, against vectors written by others. */
#include <stdlib.h>

#include "tests/unit/crypto_hex.h"

#include "tests/vectors/cipher.h"

static const struct cipher_algs gcm_128 = {ENCR_AES_GCM_16, 128, INTEG_NONE};
static const struct cipher_algs chacha = {ENCR_CHACHA20_POLY1305, 256,
					  INTEG_NONE};

/* One vector with its octets; text points into them. */
struct bench {
	struct cipher *c;
	uint8_t head[64], iv[16], body[256], tail[8], icv[32];
	struct cipher_text text;
};

static void set_up(struct bench *b, const struct vector *v, const char *body)
{
	uint8_t key[48], integ[64];
	size_t key_len = hex_read(v->key, key, sizeof(key));
	size_t integ_len = hex_read(v->integ_key, integ, sizeof(integ));

	memset(b, 0, sizeof(*b));
	assert_int_equal(cipher_new(&v->algs, bytes(key, key_len),
				    bytes(integ, integ_len), &b->c),
			 OK);
	/* Nothing of the caller's keys may be used after cipher_new. */
	memset(key, 0xee, sizeof(key));
	memset(integ, 0xee, sizeof(integ));
	b->text.head.len = hex_read(v->head, b->head, sizeof(b->head));
	b->text.head.p = b->head;
	assert_int_equal(hex_read(v->iv, b->iv, sizeof(b->iv)),
			 cipher_iv_len(b->c));
	b->text.iv = b->iv;
	b->text.body_len = hex_read(body, b->body, sizeof(b->body));
	b->text.body = b->body;
	b->text.tail.len = hex_read(v->tail, b->tail, sizeof(b->tail));
	b->text.tail.p = b->tail;
	assert_int_equal(hex_read(v->icv, b->icv, sizeof(b->icv)),
			 cipher_icv_len(b->c));
	b->text.icv = b->icv;
}

static void cipher_seals_as_the_vectors_say(void **state)
{
	struct bench b;

	for (size_t i = 0; i < N_VECTORS; i++) {
		set_up(&b, &vectors[i], vectors[i].plain);
		memset(b.icv, 0, sizeof(b.icv));
		assert_int_equal(cipher_seal(b.c, &b.text), OK);
		assert_hex(b.body, b.text.body_len, vectors[i].sealed);
		assert_hex(b.icv, cipher_icv_len(b.c), vectors[i].icv);
		cipher_free(&b.c);
		assert_null(b.c);
	}
}

static void cipher_opens_as_the_vectors_say(void **state)
{
	struct bench b;

	for (size_t i = 0; i < N_VECTORS; i++) {
		set_up(&b, &vectors[i], vectors[i].sealed);
		assert_int_equal(cipher_open(b.c, &b.text), OK);
		assert_hex(b.body, b.text.body_len, vectors[i].plain);
		cipher_free(&b.c);
	}
}

static void expect_refusal(const struct vector *v, size_t field, size_t octet)
{
	struct bench b;
	uint8_t *fields[5];

	set_up(&b, v, v->sealed);
	fields[0] = b.head;
	fields[1] = b.iv;
	fields[2] = b.body;
	fields[3] = b.icv;
	fields[4] = b.tail;
	fields[field][octet] ^= 0x01;
	assert_int_equal(cipher_open(b.c, &b.text), ERR_INTEGRITY);
	cipher_free(&b.c);
}

static void cipher_open_refuses_any_flipped_octet(void **state)
{
	for (size_t i = 0; i < N_VECTORS; i++) {
		const struct vector *v = &vectors[i];
		const size_t lens[] = {strlen(v->head) / 2, strlen(v->iv) / 2,
				       strlen(v->sealed) / 2,
				       strlen(v->icv) / 2, strlen(v->tail) / 2};

		for (size_t f = 0; f < 5; f++)
			for (size_t at = 0; at < lens[f]; at++)
				expect_refusal(v, f, at);
	}
}

static void cipher_open_covers_the_lengths_of_head_and_tail(void **state)
{
	struct bench b;

	for (size_t i = 0; i < N_VECTORS; i++) {
		set_up(&b, &vectors[i], vectors[i].sealed);
		b.text.head.len--;
		assert_int_equal(cipher_open(b.c, &b.text), ERR_INTEGRITY);
		cipher_free(&b.c);
		if (vectors[i].algs.integ == INTEG_NONE)
			continue;
		set_up(&b, &vectors[i], vectors[i].sealed);
		b.text.tail = bytes(b.tail, b.text.tail.len > 0 ? 0 : 4);
		assert_int_equal(cipher_open(b.c, &b.text), ERR_INTEGRITY);
		cipher_free(&b.c);
	}
}

static void cbc_refuses_a_body_that_is_not_whole_blocks(void **state)
{
	struct bench b;
	const struct vector *v = &vectors[N_VECTORS - 1];

	set_up(&b, v, v->sealed);
	b.text.body_len -= 1;
	assert_int_equal(cipher_open(b.c, &b.text), ERR_INTEGRITY);
	assert_int_equal(cipher_seal(b.c, &b.text), ERR_CRYPTO);
	cipher_free(&b.c);
}

static void one_cipher_takes_many_packets_in_any_order(void **state)
{
	struct bench b;

	for (size_t i = 0; i < N_VECTORS; i++) {
		uint8_t first[256];

		set_up(&b, &vectors[i], vectors[i].plain);
		memcpy(first, b.body, sizeof(first));
		for (int n = 0; n < 5; n++) {
			b.iv[0] = (uint8_t)n;
			assert_int_equal(cipher_seal(b.c, &b.text), OK);
			assert_memory_not_equal(first, b.body, b.text.body_len);
			assert_int_equal(cipher_open(b.c, &b.text), OK);
			assert_memory_equal(first, b.body, b.text.body_len);
		}
		cipher_free(&b.c);
	}
}

static void an_aead_seals_an_empty_body(void **state)
{
	const struct cipher_algs *algs[] = {&gcm_128, &chacha};
	static const uint8_t key[36];
	uint8_t iv[8] = {1}, icv[16], body[1];
	struct cipher_text t = {
		.head = BYTES_OF(key), .iv = iv, .body = body, .icv = icv};
	struct cipher *c;

	for (int i = 0; i < 2; i++) {
		assert_int_equal(cipher_new(algs[i],
					    bytes(key, i == 0 ? 20 : 36),
					    BYTES_NONE, &c),
				 OK);
		assert_int_equal(cipher_seal(c, &t), OK);
		assert_int_equal(cipher_open(c, &t), OK);
		icv[15] ^= 1;
		assert_int_equal(cipher_open(c, &t), ERR_INTEGRITY);
		cipher_free(&c);
	}
}

static void key_lengths_are_told(void **state)
{
	const struct cipher_algs cbc = {ENCR_AES_CBC, 256,
					INTEG_HMAC_SHA2_512_256};
	size_t encr, integ;

	assert_int_equal(cipher_key_lens(&gcm_128, &encr, &integ), OK);
	assert_int_equal(encr, 20);
	assert_int_equal(integ, 0);
	assert_int_equal(cipher_key_lens(&chacha, &encr, &integ), OK);
	assert_int_equal(encr, 36);
	assert_int_equal(cipher_key_lens(&cbc, &encr, &integ), OK);
	assert_int_equal(encr, 32);
	assert_int_equal(integ, 64);
}

static void cipher_new_refuses_wrong_combinations_and_lengths(void **state)
{
	static const struct cipher_algs bad[] = {
		{ENCR_AES_CBC, 128, INTEG_NONE},
		{ENCR_AES_GCM_16, 128, INTEG_HMAC_SHA2_256_128},
		{ENCR_AES_GCM_16, 0, INTEG_NONE},
		{ENCR_AES_GCM_16, 129, INTEG_NONE},
		{ENCR_CHACHA20_POLY1305, 128, INTEG_NONE},
		{(enum encr)3, 192, INTEG_HMAC_SHA2_256_128},
		{ENCR_AES_CBC, 128, (enum integ)2},
	};
	static const uint8_t key[64];
	struct cipher *c;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(
			cipher_new(&bad[i], bytes(key, 20), bytes(key, 32), &c),
			ERR_UNSUPPORTED);
		assert_null(c);
	}
	assert_int_equal(cipher_new(&gcm_128, bytes(key, 16), BYTES_NONE, &c),
			 ERR_CRYPTO);
	assert_int_equal(
		cipher_new(&gcm_128, bytes(key, 20), bytes(key, 1), &c),
		ERR_CRYPTO);
	assert_null(c);
	cipher_free(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cipher_seals_as_the_vectors_say),
		cmocka_unit_test(cipher_opens_as_the_vectors_say),
		cmocka_unit_test(cipher_open_refuses_any_flipped_octet),
		cmocka_unit_test(
			cipher_open_covers_the_lengths_of_head_and_tail),
		cmocka_unit_test(cbc_refuses_a_body_that_is_not_whole_blocks),
		cmocka_unit_test(one_cipher_takes_many_packets_in_any_order),
		cmocka_unit_test(an_aead_seals_an_empty_body),
		cmocka_unit_test(key_lengths_are_told),
		cmocka_unit_test(
			cipher_new_refuses_wrong_combinations_and_lengths),
	};

	if (crypto_open(NULL) != OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
