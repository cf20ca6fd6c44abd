/* ESP's ciphers in bulk: each back end against the same vectors, and against
 * each other. */
#include <stdlib.h>

#include "tests/unit/crypto_hex.h"

#include "client/crypto/esp_cipher.h"
#include "tests/vectors/cipher.h"

#define PACKET_MAX 1600

/* A packet as it lies in memory: head, IV, body, ICV. */
struct packet {
	uint8_t b[PACKET_MAX];
	struct esp_job job;
};

static const struct esp_backend *backends[2];
static size_t n_backends;

static struct esp_cipher *cipher_of(const struct esp_backend *by,
				    const struct vector *v)
{
	uint8_t key[48], integ[64];
	size_t key_len = hex_read(v->key, key, sizeof(key));
	size_t integ_len = hex_read(v->integ_key, integ, sizeof(integ));
	struct esp_cipher *c;

	assert_int_equal(esp_cipher_new_by(by, &v->algs, bytes(key, key_len),
					   bytes(integ, integ_len), &c),
			 OK);
	memset(key, 0xee, sizeof(key));
	memset(integ, 0xee, sizeof(integ));
	return c;
}

static void packet_set(struct packet *p, const struct vector *v,
		       const char *body)
{
	static uint8_t tail[8];
	struct cipher_text *t = &p->job.text;
	uint8_t *at = p->b;

	memset(p, 0, sizeof(*p));
	t->head = bytes(at, hex_read(v->head, at, PACKET_MAX));
	at += t->head.len;
	t->iv = at;
	at += hex_read(v->iv, at, 16);
	t->body = at;
	t->body_len = hex_read(body, at, PACKET_MAX - 64);
	t->icv = at + t->body_len;
	hex_read(v->icv, t->icv, 32);
	t->tail = bytes(tail, hex_read(v->tail, tail, sizeof(tail)));
}

static void each_back_end_seals_as_the_vectors_say(void **state)
{
	struct packet p;

	for (size_t k = 0; k < n_backends * N_VECTORS; k++) {
		const struct vector *v = &vectors[k / n_backends];
		struct esp_cipher *c = cipher_of(backends[k % n_backends], v);

		packet_set(&p, v, v->plain);
		memset(p.job.text.icv, 0, 32);
		esp_cipher_seal(c, &p.job, 1);
		assert_int_equal(p.job.result, OK);
		assert_hex(p.job.text.body, p.job.text.body_len, v->sealed);
		assert_hex(p.job.text.icv, esp_cipher_icv_len(c), v->icv);
		esp_cipher_free(&c);
		assert_null(c);
	}
}

static void each_back_end_opens_as_the_vectors_say(void **state)
{
	struct packet p;

	for (size_t k = 0; k < n_backends * N_VECTORS; k++) {
		const struct vector *v = &vectors[k / n_backends];
		struct esp_cipher *c = cipher_of(backends[k % n_backends], v);

		packet_set(&p, v, v->sealed);
		esp_cipher_open(c, &p.job, 1);
		assert_int_equal(p.job.result, OK);
		assert_hex(p.job.text.body, p.job.text.body_len, v->plain);
		esp_cipher_free(&c);
	}
}

static void each_back_end_refuses_any_flipped_octet(void **state)
{
	struct packet p;
	size_t len;

	for (size_t k = 0; k < n_backends * N_VECTORS; k++) {
		const struct vector *v = &vectors[k / n_backends];
		struct esp_cipher *c = cipher_of(backends[k % n_backends], v);

		packet_set(&p, v, v->sealed);
		len = (size_t)(p.job.text.icv - p.b) + esp_cipher_icv_len(c);
		for (size_t at = 0; at < len; at++) {
			packet_set(&p, v, v->sealed);
			p.b[at] ^= 0x10;
			esp_cipher_open(c, &p.job, 1);
			assert_int_equal(p.job.result, ERR_INTEGRITY);
		}
		esp_cipher_free(&c);
	}
}

static void one_bad_packet_of_a_batch_spoils_no_other(void **state)
{
	static struct packet p[ESP_JOBS_MAX];
	struct esp_job jobs[ESP_JOBS_MAX];

	for (size_t k = 0; k < n_backends * N_VECTORS; k++) {
		const struct vector *v = &vectors[k / n_backends];
		struct esp_cipher *c = cipher_of(backends[k % n_backends], v);

		for (size_t i = 0; i < ESP_JOBS_MAX; i++) {
			packet_set(&p[i], v, v->sealed);
			if (i % 7 == 3)
				p[i].job.text.body[0] ^= 1;
			jobs[i] = p[i].job;
		}
		esp_cipher_open(c, jobs, ESP_JOBS_MAX);
		for (size_t i = 0; i < ESP_JOBS_MAX; i++) {
			assert_int_equal(jobs[i].result,
					 i % 7 == 3 ? ERR_INTEGRITY : OK);
			if (i % 7 != 3)
				assert_hex(jobs[i].text.body,
					   jobs[i].text.body_len, v->plain);
		}
		esp_cipher_free(&c);
	}
}

/* Bodies of every length that ESP makes of packets up to 1500 octets. */
static void what_one_back_end_seals_the_other_opens(void **state)
{
	static struct packet p;

	if (n_backends < 2)
		skip();
	for (size_t k = 0; k < N_VECTORS * 2; k++) {
		const struct vector *v = &vectors[k / 2];
		struct esp_cipher *tx = cipher_of(backends[k % 2], v);
		struct esp_cipher *rx = cipher_of(backends[1 - k % 2], v);
		size_t align = esp_cipher_align(tx);

		for (size_t len = align; len <= 1500; len += align) {
			packet_set(&p, v, "");
			p.job.text.body_len = len;
			memset(p.job.text.body, 0x5a, len);
			p.job.text.icv = p.job.text.body + len;
			esp_cipher_seal(tx, &p.job, 1);
			assert_int_equal(p.job.result, OK);
			esp_cipher_open(rx, &p.job, 1);
			assert_int_equal(p.job.result, OK);
			for (size_t i = 0; i < len; i++)
				assert_int_equal(p.job.text.body[i], 0x5a);
		}
		esp_cipher_free(&tx);
		esp_cipher_free(&rx);
	}
}

static void wrong_keys_and_combinations_are_refused(void **state)
{
	static const uint8_t key[64];
	struct cipher_algs algs = {ENCR_AES_GCM_16, 128, INTEG_NONE};
	struct esp_cipher *c;

	for (size_t k = 0; k < n_backends; k++) {
		assert_int_equal(esp_cipher_new_by(backends[k], &algs,
						   bytes(key, 16), BYTES_NONE,
						   &c),
				 ERR_CRYPTO);
		assert_null(c);
		algs.integ = INTEG_HMAC_SHA2_256_128;
		assert_int_equal(esp_cipher_new_by(backends[k], &algs,
						   bytes(key, 20),
						   bytes(key, 32), &c),
				 ERR_UNSUPPORTED);
		algs.integ = INTEG_NONE;
	}
}

static void the_back_end_in_use_has_a_name(void **state)
{
	assert_string_equal(esp_cipher_backend(),
			    backends[n_backends - 1]->name);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_back_end_seals_as_the_vectors_say),
		cmocka_unit_test(each_back_end_opens_as_the_vectors_say),
		cmocka_unit_test(each_back_end_refuses_any_flipped_octet),
		cmocka_unit_test(one_bad_packet_of_a_batch_spoils_no_other),
		cmocka_unit_test(what_one_back_end_seals_the_other_opens),
		cmocka_unit_test(wrong_keys_and_combinations_are_refused),
		cmocka_unit_test(the_back_end_in_use_has_a_name),
	};

	if (crypto_open(NULL) != OK)
		return 1;
	backends[n_backends++] = &esp_backend_wolf;
	if (esp_backend_mb())
		backends[n_backends++] = esp_backend_mb();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
