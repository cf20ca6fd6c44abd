/* Key material and AUTH values, against values computed by others. */
#include "tests/unit/ike_pair.h"

static void assert_keys(const struct ike_keys *k, const char *want)
{
	const struct secret *keys[] = {&k->sk_d,  &k->sk_ai, &k->sk_ar,
				       &k->sk_ei, &k->sk_er, &k->sk_pi,
				       &k->sk_pr};
	uint8_t all[1024];
	struct wr w = wr_open(all, sizeof(all));

	for (size_t i = 0; i < 7; i++)
		wr_bytes(&w, secret_view(keys[i]));
	assert_hex(all, wr_len(&w), want);
}

/* --- keys -------------------------------------------------------------- */

static void initial_keys_are_those_of_another_program(void **state)
{
	struct ike_keys k;

	for (size_t i = 0; i < N_VECTORS; i++) {
		keys_of(&ike_vectors[i], &k);
		assert_keys(&k, ike_vectors[i].initial);
		assert_int_equal(k.sk_d.len,
				 prf_find(ike_vectors[i].prf)->key_len);
		ike_keys_wipe(&k);
		assert_int_equal(k.sk_d.len, 0);
	}
}

static void rekeyed_keys_are_those_of_another_program(void **state)
{
	struct ike_seed seed = seed_of();
	struct ike_keys old, k;
	struct suite suite;

	for (size_t i = 0; i < N_VECTORS; i++) {
		suite = suite_of(&ike_vectors[i]);
		keys_of(&ike_vectors[i], &old);
		assert_int_equal(ike_keys_rekey(&suite, &seed,
						BYTES_OF(shared2), &old, &k),
				 OK);
		assert_keys(&k, ike_vectors[i].rekeyed);
	}
}

/* RFC 7296 2.18: SKEYSEED with the old PRF, prf+ with the new one. */
static void a_rekey_may_change_the_prf(void **state)
{
	const struct bytes parts[] = {BYTES_OF(shared2), BYTES_OF(ni),
				      BYTES_OF(nr)};
	uint8_t spis[16], want[64];
	struct wr w = wr_open(spis, sizeof(spis));
	const struct bytes text[] = {BYTES_OF(ni), BYTES_OF(nr),
				     BYTES_OF(spis)};
	struct suite suite = suite_of(&ike_vectors[0]);
	struct ike_seed seed = seed_of();
	struct ike_keys old, k;
	struct secret skeyseed;

	wr_u64(&w, SPI_I);
	wr_u64(&w, SPI_R);
	keys_of(&ike_vectors[0], &old);
	suite.prf = PRF_HMAC_SHA2_512;
	assert_int_equal(crypto_prf(PRF_HMAC_SHA2_384, secret_view(&old.sk_d),
				    parts, 3, &skeyseed),
			 OK);
	assert_int_equal(crypto_prf_plus(PRF_HMAC_SHA2_512,
					 secret_view(&skeyseed), text, 3, want,
					 sizeof(want)),
			 OK);
	assert_int_equal(
		ike_keys_rekey(&suite, &seed, BYTES_OF(shared2), &old, &k), OK);
	assert_int_equal(k.sk_d.len, 64);
	assert_memory_equal(k.sk_d.b, want, 64);
}

static void resumed_keys_are_those_of_another_program(void **state)
{
	struct ike_seed seed = seed_of();
	struct ike_keys old, k;
	struct suite suite;

	for (size_t i = 0; i < N_VECTORS; i++) {
		suite = suite_of(&ike_vectors[i]);
		keys_of(&ike_vectors[i], &old);
		assert_int_equal(ike_keys_resume(&suite, &seed,
						 secret_view(&old.sk_d), &k),
				 OK);
		assert_keys(&k, ike_vectors[i].resumed);
	}
}

/* PROTOCOL section 1: SK_d 00..1f, Ni 16 x aa, Nr 16 x bb. SKEYSEED itself
 * does not come out, so what prf+ makes of the published one is compared. */
static void the_published_resumption_skeyseed_is_used(void **state)
{
	struct bytes skeyseed = HEX("f1ca21ed6c1cc20e9677ceff6e0cd6e3"
				    "d73503c3663ae4a33902d5720b13f386");
	uint8_t sk_d[32], a[16], b[16], spis[16], want[32];
	struct suite suite = suite_of(&ike_vectors[2]);
	struct wr w = wr_open(spis, sizeof(spis));
	const struct bytes text[] = {BYTES_OF(a), BYTES_OF(b), BYTES_OF(spis)};
	struct ike_seed seed = {BYTES_OF(a), BYTES_OF(b), SPI_I, SPI_R};
	struct ike_keys k;

	for (size_t i = 0; i < sizeof(sk_d); i++)
		sk_d[i] = (uint8_t)i;
	memset(a, 0xaa, sizeof(a));
	memset(b, 0xbb, sizeof(b));
	wr_u64(&w, SPI_I);
	wr_u64(&w, SPI_R);
	assert_int_equal(crypto_prf_plus(PRF_HMAC_SHA2_256, skeyseed, text, 3,
					 want, sizeof(want)),
			 OK);
	assert_int_equal(ike_keys_resume(&suite, &seed, BYTES_OF(sk_d), &k),
			 OK);
	assert_memory_equal(k.sk_d.b, want, sizeof(want));
}

static void child_keys_are_split_initiator_first(void **state)
{
	const struct bytes plain[] = {BYTES_OF(ni), BYTES_OF(nr)};
	const struct bytes pfs[] = {BYTES_OF(shared2), BYTES_OF(ni),
				    BYTES_OF(nr)};
	const struct ike_vector *v;
	struct child_keys c;
	struct ike_keys k;
	struct suite suite;
	uint8_t all[512];
	struct wr w;

	for (size_t i = 0; i < 2 * N_VECTORS; i++) {
		v = &ike_vectors[i / 2];
		suite = suite_of(v);
		keys_of(v, &k);
		assert_int_equal(child_keys_derive(&suite, v->prf, &k.sk_d,
						   i % 2 ? pfs : plain,
						   i % 2 ? 3 : 2, &c),
				 OK);
		w = wr_open(all, sizeof(all));
		wr_bytes(&w, secret_view(&c.encr_i));
		wr_bytes(&w, secret_view(&c.integ_i));
		wr_bytes(&w, secret_view(&c.encr_r));
		wr_bytes(&w, secret_view(&c.integ_r));
		assert_hex(all, wr_len(&w), i % 2 ? v->child_pfs : v->child);
		child_keys_wipe(&c);
		assert_int_equal(c.encr_i.len, 0);
	}
}

static void keys_of_a_suite_we_do_not_speak_are_refused(void **state)
{
	struct ike_seed seed = seed_of();
	struct suite suite = suite_of(&ike_vectors[0]);
	struct ike_keys k;

	suite.cipher.key_bits = 64;
	assert_int_equal(ike_keys_initial(&suite, &seed, BYTES_OF(shared), &k),
			 ERR_UNSUPPORTED);
	suite = suite_of(&ike_vectors[0]);
	suite.prf = (enum prf)2;
	assert_int_equal(ike_keys_initial(&suite, &seed, BYTES_OF(shared), &k),
			 ERR_UNSUPPORTED);
	assert_int_equal(k.sk_d.len, 0);
}

/* --- values of the exchanges ------------------------------------------- */

static void auth_values_are_those_of_another_program(void **state)
{
	struct ike_id id = {ID_FQDN, bytes_str("gw.lab.test")};
	struct bytes octets[3] = {bytes_str("the first message"), BYTES_OF(nr),
				  BYTES_NONE};
	const struct ike_vector *v;
	struct secret maced, out;
	struct ike_keys k;

	for (size_t i = 0; i < N_VECTORS; i++) {
		v = &ike_vectors[i];
		keys_of(v, &k);
		assert_int_equal(ike_maced_id(v->prf, &k.sk_pi, &id, &maced),
				 OK);
		assert_hex(maced.b, maced.len, v->maced_id);
		octets[2] = secret_view(&maced);
		assert_int_equal(
			ike_auth_psk(v->prf,
				     bytes_str("correct horse battery staple"),
				     octets, 3, &out),
			OK);
		assert_hex(out.b, out.len, v->auth_psk);
		assert_int_equal(
			ike_auth_resume(v->prf, &k.sk_pi, octets, 3, &out), OK);
		assert_hex(out.b, out.len, v->auth_resume);
	}
}

static void nat_hashes_are_those_of_another_program(void **state)
{
	struct addr a;
	uint8_t out[20];

	assert_int_equal(addr_parse("192.0.2.1", &a), OK);
	a.port = 4500;
	assert_int_equal(ike_nat_hash(SPI_I, SPI_R, &a, out), OK);
	assert_hex(out, 20, nat_v4);
	assert_int_equal(addr_parse("2001:db8:3::1", &a), OK);
	a.port = 4500;
	assert_int_equal(ike_nat_hash(SPI_I, SPI_R, &a, out), OK);
	assert_hex(out, 20, nat_v6);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(initial_keys_are_those_of_another_program),
		cmocka_unit_test(rekeyed_keys_are_those_of_another_program),
		cmocka_unit_test(a_rekey_may_change_the_prf),
		cmocka_unit_test(resumed_keys_are_those_of_another_program),
		cmocka_unit_test(the_published_resumption_skeyseed_is_used),
		cmocka_unit_test(child_keys_are_split_initiator_first),
		cmocka_unit_test(keys_of_a_suite_we_do_not_speak_are_refused),
		cmocka_unit_test(auth_values_are_those_of_another_program),
		cmocka_unit_test(nat_hashes_are_those_of_another_program),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
