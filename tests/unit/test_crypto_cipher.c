/* The packet transforms, against vectors written by others. */
#include <stdlib.h>

#include "tests/unit/crypto_hex.h"

#include "client/crypto/crypto.h"

static const struct cipher_algs gcm_128 = {ENCR_AES_GCM_16, 128, INTEG_NONE};
static const struct cipher_algs chacha = {ENCR_CHACHA20_POLY1305, 256,
					  INTEG_NONE};

struct vector {
	struct cipher_algs algs;
	const char *key; /* with the salt */
	const char *integ_key;
	const char *head, *iv, *plain, *sealed, *tail, *icv;
};

static const struct vector vectors[] = {
	/* RFC 7634 appendix A: ESP. */
	{{ENCR_CHACHA20_POLY1305, 256, INTEG_NONE},
	 "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	 "a0a1a2a3",
	 "",
	 "0102030400000005",
	 "1011121314151617",
	 "45000054a6f200004001e778c6336405c000020508005b7a3a080000553bec10"
	 "0007362708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
	 "2425262728292a2b2c2d2e2f303132333435363701020204",
	 "24039428b97f417e3c13753a4f05087b67c352e6a7fab1b982d466ef407ae5c6"
	 "14ee8099d52844eb61aa95dfab4c02f72aa71e7c4c4f64c9befe2facc638e8f3"
	 "cbec163fac469b502773f6fb94e664da9165b82829f641e0",
	 "",
	 "76aaa8266b7fb0f7b11b369907e1ad43"},
	/* RFC 7634 appendix B: an SK payload. */
	{{ENCR_CHACHA20_POLY1305, 0, INTEG_NONE},
	 "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f"
	 "a0a1a2a3",
	 "",
	 "c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d72e202500000000090000004529000029",
	 "1011121314151617",
	 "0000000c000040010000000a00",
	 "610394701f8d017f7c12924889",
	 "",
	 "6b71bfe25236efd7cdc67066906315b2"},
	/* McGrew and Viega, "The Galois/Counter Mode of Operation", test cases
	 * 4, 10 and 16; the first 4 octets of their 12-octet IV are our
	 * salt. */
	{{ENCR_AES_GCM_16, 128, INTEG_NONE},
	 "feffe9928665731c6d6a8f9467308308cafebabe",
	 "",
	 "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	 "facedbaddecaf888",
	 "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	 "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e"
	 "21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
	 "",
	 "5bc94fbc3221a5db94fae95ae7121a47"},
	{{ENCR_AES_GCM_16, 192, INTEG_NONE},
	 "feffe9928665731c6d6a8f9467308308feffe9928665731ccafebabe",
	 "",
	 "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	 "facedbaddecaf888",
	 "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	 "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c"
	 "7d773d00c144c525ac619d18c84a3f4718e2448b2fe324d9ccda2710",
	 "",
	 "2519498e80f1478f37ba55bd6d27618c"},
	{{ENCR_AES_GCM_16, 256, INTEG_NONE},
	 "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308"
	 "cafebabe",
	 "",
	 "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	 "facedbaddecaf888",
	 "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
	 "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
	 "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	 "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
	 "",
	 "76fc6ece0f4e1768cddf8853bb2d551b"},
	/* RFC 3602 case 5 and 7 as ESP with SPI and sequence number in front;
	 * the ICV by Python's hmac: HMAC-SHA256(00..1f), SHA384(00..2f),
	 * SHA512(00..3f) over head, IV, ciphertext and tail. */
	{{ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_256_128},
	 "90d382b410eeba7ad938c46cec1a82bf",
	 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
	 "0000432100000001",
	 "e96e8c08ab465763fd098d45dd3ff893",
	 "08000ebda70a00008e9c083db95b070008090a0b0c0d0e0f1011121314151617"
	 "18191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f3031323334353637"
	 "0102030405060708090a0b0c0d0e0e01",
	 "f663c25d325c18c6a9453e194e120849a4870b66cc6b9965330013b4898dc856"
	 "a4699e523a55db080b59ec3a8e4b7e52775b07d1db34ed9c538ab50c551b874a"
	 "a269add047ad2d5913ac19b7cfbad4a6",
	 "",
	 "29dcb883222069e2a5465186d6e51f05"},
	{{ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_384_192},
	 "0123456789abcdef0123456789abcdef",
	 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	 "202122232425262728292a2b2c2d2e2f",
	 "0000876500000002",
	 "f4e765244f6407adf13dc1380f673f37",
	 "45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d"
	 "02a2040008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
	 "2425262728292a2b2c2d2e2f30313233343536370102030405060708090a0a04",
	 "773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a93013c1b0ea1a0cf70f8"
	 "e4ecaec78ac53aad7a0f022b859243c647752e94a859352b8a4d4d2decd136e5"
	 "c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d",
	 "00000000",
	 "d68701ed33d014ef37aa2f37acd6e456e3d8778c303a997b"},
	{{ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_512_256},
	 "0123456789abcdef0123456789abcdef",
	 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	 "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
	 "0000876500000002",
	 "f4e765244f6407adf13dc1380f673f37",
	 "45000054090400004001f988c0a87b03c0a87bc808009f76a90a0100b49c083d"
	 "02a2040008090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223"
	 "2425262728292a2b2c2d2e2f30313233343536370102030405060708090a0a04",
	 "773b5241a4c449225e4f3ce5ed611b0c237ca96cf74a93013c1b0ea1a0cf70f8"
	 "e4ecaec78ac53aad7a0f022b859243c647752e94a859352b8a4d4d2decd136e5"
	 "c177f132ad3fbfb2201ac9904c74ee0a109e0ca1e4dfe9d5a100b842f1c22f0d",
	 "00000007",
	 "abfac5785932cefb78a91314099d62becbfa716b81e074a3d3295f7a50ebe0ea"},
};

#define N_VECTORS (sizeof(vectors) / sizeof(vectors[0]))

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
