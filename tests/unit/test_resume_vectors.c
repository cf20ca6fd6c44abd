/* Session resumption against tests/vectors/resume_auth.txt, computed by two
 * other programs; its head says which. */
#include <stdlib.h>

#include "client/crypto/crypto.h"
#include "client/ike/protect.h"
#include "tests/unit/crypto_hex.h"

#define VALUES_MAX   32
#define LINE_MAX_LEN 2048

/* One block of the file. */
struct vector {
	enum prf prf;
	enum integ integ;
	size_t n;
	struct {
		char name[16];
		uint8_t b[512];
		size_t len;
	} value[VALUES_MAX];
};

static struct vector vectors[3];

static struct bytes value(const struct vector *v, const char *name)
{
	for (size_t i = 0; i < v->n; i++)
		if (strcmp(v->value[i].name, name) == 0)
			return bytes(v->value[i].b, v->value[i].len);
	fail_msg("no %s in the vectors", name);
	return BYTES_NONE;
}

static void assert_value(const struct vector *v, const char *name,
			 const struct secret *got)
{
	struct bytes want = value(v, name);

	assert_int_equal(got->len, want.len);
	assert_memory_equal(got->b, want.p, want.len);
}

static struct vector *block_of(const char *line)
{
	static const struct {
		const char *name;
		enum prf prf;
		enum integ integ;
	} kinds[3] = {
		{"[hmac-sha2-256]", PRF_HMAC_SHA2_256, INTEG_HMAC_SHA2_256_128},
		{"[hmac-sha2-384]", PRF_HMAC_SHA2_384, INTEG_HMAC_SHA2_384_192},
		{"[hmac-sha2-512]", PRF_HMAC_SHA2_512, INTEG_HMAC_SHA2_512_256},
	};

	for (size_t i = 0; i < 3; i++) {
		if (strcmp(line, kinds[i].name) != 0)
			continue;
		vectors[i].prf = kinds[i].prf;
		vectors[i].integ = kinds[i].integ;
		return &vectors[i];
	}
	fail_msg("unknown block %s", line);
	return NULL;
}

static void line_read(struct vector **v, char *line)
{
	char *equal = strstr(line, " = ");
	size_t i;

	line[strcspn(line, "\n")] = 0;
	if (line[0] == '#' || line[0] == 0)
		return;
	if (line[0] == '[') {
		*v = block_of(line);
		return;
	}
	assert_non_null(*v);
	assert_non_null(equal);
	*equal = 0;
	i = (*v)->n++;
	assert_true(i < VALUES_MAX);
	assert_true(strlen(line) < sizeof((*v)->value[i].name));
	memcpy((*v)->value[i].name, line, strlen(line) + 1);
	(*v)->value[i].len =
		hex_read(equal + 3, (*v)->value[i].b, sizeof((*v)->value[i].b));
}

static int setup(void **state)
{
	static char line[LINE_MAX_LEN];
	struct vector *v = NULL;
	FILE *f = fopen(TEST_SRCDIR "/tests/vectors/resume_auth.txt", "r");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		line_read(&v, line);
	fclose(f);
	for (size_t i = 0; i < 3; i++)
		assert_true(vectors[i].n > 0);
	return crypto_open(&(struct diag){0}) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	crypto_close();
	return 0;
}

static uint64_t spi(struct bytes b)
{
	struct rd r = rd_open(b);
	uint64_t v = rd_u64(&r);

	assert_int_equal(rd_finish(&r), OK);
	return v;
}

static void derive(const struct vector *v, struct ike_keys *out)
{
	const struct suite suite = {
		.cipher = {ENCR_AES_CBC, 256, v->integ},
		.prf = v->prf,
	};
	const struct ike_seed seed = {
		.ni = value(v, "ni"),
		.nr = value(v, "nr"),
		.spi_i = spi(value(v, "spi_i")),
		.spi_r = spi(value(v, "spi_r")),
	};

	assert_int_equal(
		ike_keys_resume(&suite, &seed, value(v, "sk_d_old"), out), OK);
}

static void resume_derives_the_seven_keys_of_each_prf(void **state)
{
	struct ike_keys k;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		derive(&vectors[i], &k);
		assert_value(&vectors[i], "sk_d", &k.sk_d);
		assert_value(&vectors[i], "sk_ai", &k.sk_ai);
		assert_value(&vectors[i], "sk_ar", &k.sk_ar);
		assert_value(&vectors[i], "sk_ei", &k.sk_ei);
		assert_value(&vectors[i], "sk_er", &k.sk_er);
		assert_value(&vectors[i], "sk_pi", &k.sk_pi);
		assert_value(&vectors[i], "sk_pr", &k.sk_pr);
		ike_keys_wipe(&k);
	}
}

/* SKEYSEED itself is no output: prf+ of the file's one gives the same keys. */
static void resume_skeyseed_is_the_one_of_the_file(void **state)
{
	const struct vector *v;
	struct bytes seed[4], want;
	uint8_t got[PRF_MAX];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		v = &vectors[i];
		want = value(v, "sk_d");
		seed[0] = value(v, "ni");
		seed[1] = value(v, "nr");
		seed[2] = value(v, "spi_i");
		seed[3] = value(v, "spi_r");
		assert_int_equal(crypto_prf_plus(v->prf, value(v, "skeyseed"),
						 seed, 4, got, want.len),
				 OK);
		assert_memory_equal(got, want.p, want.len);
	}
}

/* One side: whose SK_p, first message and ID; the other side's nonce. */
static void check_auth(const struct vector *v, const char *side,
		       const struct secret *sk_p, const char *peer_nonce)
{
	char name[16];
	struct secret mac, auth;
	struct bytes octets[3];
	struct ike_id id;

	snprintf(name, sizeof(name), "id_%s", side);
	assert_int_equal(ike_id_parse(value(v, name), &id), OK);
	assert_int_equal(ike_maced_id(v->prf, sk_p, &id, &mac), OK);
	snprintf(name, sizeof(name), "msg_%s", side);
	octets[0] = value(v, name);
	octets[1] = value(v, peer_nonce);
	octets[2] = secret_view(&mac);
	assert_int_equal(ike_auth_resume(v->prf, sk_p, octets, 3, &auth), OK);
	snprintf(name, sizeof(name), "rfc_auth_%s", side);
	assert_value(v, name, &auth);
	assert_int_equal(ike_auth_resume(v->prf, sk_p, octets, 1, &auth), OK);
	snprintf(name, sizeof(name), "first_auth_%s", side);
	assert_value(v, name, &auth);
	secret_wipe(&mac);
	secret_wipe(&auth);
}

static void resume_auth_has_the_form_of_the_rfc_and_of_libreswan(void **state)
{
	struct ike_keys k;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		derive(&vectors[i], &k);
		check_auth(&vectors[i], "i", &k.sk_pi, "nr");
		check_auth(&vectors[i], "r", &k.sk_pr, "ni");
		ike_keys_wipe(&k);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(resume_derives_the_seven_keys_of_each_prf),
		cmocka_unit_test(resume_skeyseed_is_the_one_of_the_file),
		cmocka_unit_test(
			resume_auth_has_the_form_of_the_rfc_and_of_libreswan),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
