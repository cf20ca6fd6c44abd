/* Key exchange: vectors, and public values a hostile gateway may send. */
#include "tests/unit/crypto_hex.h"

#include "client/crypto/crypto.h"
#include "client/crypto/ke.h" /* to set a private value from a vector */
#include "tests/vectors/ke.h"

static const enum ke_method methods[] = {KE_X25519,    KE_ECP_256,
					 KE_ECP_384,   KE_MODP_2048,
					 KE_MODP_3072, KE_MODP_4096};

#define N_METHODS (sizeof(methods) / sizeof(methods[0]))

static struct ke *new_ke(enum ke_method method, uint8_t seed_octet)
{
	uint8_t seed[32] = {seed_octet};
	struct rng rng;
	struct ke *ke;

	rng_seed(&rng, seed);
	assert_int_equal(ke_new(method, &rng, &ke), OK);
	assert_int_equal(ke_public(ke).len, ke_find(method)->public_len);
	return ke;
}

static void ke_agrees_with_python_from_a_seed(void **state)
{
	for (size_t i = 0; i < sizeof(ke_vectors) / sizeof(ke_vectors[0]);
	     i++) {
		const struct ke_vector *v = &ke_vectors[i];
		uint8_t seed[32], peer[KE_PUBLIC_MAX], out[KE_SHARED_MAX];
		size_t peer_len, out_len;
		struct rng rng;
		struct ke *ke;

		hex_read(v->seed, seed, sizeof(seed));
		peer_len = hex_read(v->peer, peer, sizeof(peer));
		rng_seed(&rng, seed);
		assert_int_equal(ke_new(v->method, &rng, &ke), OK);
		assert_hex(ke_public(ke).p, ke_public(ke).len, v->public);
		assert_int_equal(
			ke_shared(ke, bytes(peer, peer_len), out, &out_len),
			OK);
		assert_hex(out, out_len, v->shared);
		ke_free(&ke);
		assert_null(ke);
	}
}

static void check_private(enum ke_method method, const char *priv,
			  const char *peer, const char *want)
{
	uint8_t value[KE_PUBLIC_MAX], out[KE_SHARED_MAX];
	size_t len = hex_read(peer, value, sizeof(value)), out_len;
	struct ke *ke = new_ke(method, 1);

	assert_int_equal(hex_read(priv, ke->priv, sizeof(ke->priv)),
			 ke->priv_len);
	assert_int_equal(ke_shared(ke, bytes(value, len), out, &out_len), OK);
	assert_hex(out, out_len, want);
	ke_free(&ke);
}

static void x25519_agrees_with_rfc_7748(void **state)
{
	/* Section 6.1, private keys clamped as section 5 says. */
	check_private(KE_X25519,
		      "70076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba5"
		      "1db92c6a",
		      "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e14"
		      "6f882b4f",
		      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c"
		      "1e161742");
	check_private(KE_X25519,
		      "58ab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27"
		      "ff88e06b",
		      "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98e"
		      "aa9b4e6a",
		      "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c"
		      "1e161742");
	/* Section 5.2; the second u-coordinate has its top bit set. */
	check_private(KE_X25519,
		      "a046e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244"
		      "ba449a44",
		      "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6"
		      "d0ab1c4c",
		      "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b40755"
		      "77a28552");
	check_private(KE_X25519,
		      "4866e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e"
		      "7918ba4d",
		      "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549"
		      "c715a493",
		      "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f764"
		      "7aac7957");
}

static void ecp_groups_agree_with_rfc_5903(void **state)
{
	check_private(KE_ECP_256,
		      "C88F01F5 10D9AC3F 70A292DA A2316DE5 44E9AAB8 AFE84049 "
		      "C62A9C57 862D1433",
		      "D12DFB52 89C8D4F8 1208B702 70398C34 2296970A 0BCCB74C "
		      "736FC755 4494BF63 56FBF3CA 366CC23E 8157854C 13C58D6A "
		      "AC23F046 ADA30F83 53E74F33 039872AB",
		      "D6840F6B 42F6EDAF D13116E0 E1256520 2FEF8E9E CE7DCE03 "
		      "812464D0 4B9442DE");
	check_private(KE_ECP_256,
		      "C6EF9C5D 78AE012A 011164AC B397CE20 88685D8F 06BF9BE0 "
		      "B283AB46 476BEE53",
		      "DAD0B653 94221CF9 B051E1FE CA5787D0 98DFE637 FC90B9EF "
		      "945D0C37 72581180 5271A046 1CDB8252 D61F1C45 6FA3E59A "
		      "B1F45B33 ACCF5F58 389E0577 B8990BB3",
		      "D6840F6B 42F6EDAF D13116E0 E1256520 2FEF8E9E CE7DCE03 "
		      "812464D0 4B9442DE");
	check_private(KE_ECP_384,
		      "099F3C70 34D4A2C6 99884D73 A375A67F 7624EF7C 6B3C0F16 "
		      "0647B674 14DCE655 E35B5380 41E649EE 3FAEF896 783AB194",
		      "E558DBEF 53EECDE3 D3FCCFC1 AEA08A89 A987475D 12FD950D "
		      "83CFA417 32BC509D 0D1AC43A 0336DEF9 6FDA41D0 774A3571 "
		      "DCFBEC7A ACF31964 72169E83 8430367F 66EEBE3C 6E70C416 "
		      "DD5F0C68 759DD1FF F83FA401 42209DFF 5EAAD96D B9E6386C",
		      "11187331 C279962D 93D60424 3FD592CB 9D0A926F 422E4718 "
		      "7521287E 7156C5C4 D6031355 69B9E9D0 9CF5D4A2 70F59746");
}

static void both_sides_get_the_same_secret(void **state)
{
	for (size_t i = 0; i < N_METHODS; i++) {
		struct ke *a = new_ke(methods[i], 1);
		struct ke *b = new_ke(methods[i], 2);
		uint8_t x[KE_SHARED_MAX], y[KE_SHARED_MAX];
		size_t x_len, y_len;

		assert_memory_not_equal(ke_public(a).p, ke_public(b).p,
					ke_public(a).len);
		assert_int_equal(ke_shared(a, ke_public(b), x, &x_len), OK);
		assert_int_equal(ke_shared(b, ke_public(a), y, &y_len), OK);
		assert_int_equal(x_len, ke_find(methods[i])->shared_len);
		assert_int_equal(y_len, x_len);
		assert_memory_equal(x, y, x_len);
		ke_free(&a);
		ke_free(&b);
	}
}

static void the_same_seed_gives_the_same_public_value(void **state)
{
	for (size_t i = 0; i < N_METHODS; i++) {
		struct ke *a = new_ke(methods[i], 7);
		struct ke *b = new_ke(methods[i], 7);

		assert_true(bytes_eq(ke_public(a), ke_public(b)));
		ke_free(&a);
		ke_free(&b);
	}
}

static void a_peer_value_of_another_length_is_refused(void **state)
{
	static const uint8_t value[KE_PUBLIC_MAX + 1] = {4};
	uint8_t out[KE_SHARED_MAX];
	size_t len;

	for (size_t i = 0; i < N_METHODS; i++) {
		struct ke *ke = new_ke(methods[i], 1);
		size_t right = ke_find(methods[i])->public_len;

		assert_int_equal(ke_shared(ke, BYTES_NONE, out, &len),
				 ERR_CRYPTO);
		assert_int_equal(
			ke_shared(ke, bytes(value, right - 1), out, &len),
			ERR_CRYPTO);
		assert_int_equal(
			ke_shared(ke, bytes(value, right + 1), out, &len),
			ERR_CRYPTO);
		assert_int_equal(len, 0);
		ke_free(&ke);
	}
}

static void expect_bad(enum ke_method method, const uint8_t *peer)
{
	struct ke *ke = new_ke(method, 1);
	uint8_t out[KE_SHARED_MAX];
	size_t len = 1;

	assert_int_equal(ke_shared(ke, bytes(peer, ke_find(method)->public_len),
				   out, &len),
			 ERR_CRYPTO);
	assert_int_equal(len, 0);
	ke_free(&ke);
}

static void modp_refuses_0_1_p_minus_1_p_and_above(void **state)
{
	const enum ke_method modp[] = {KE_MODP_2048, KE_MODP_3072,
				       KE_MODP_4096};

	for (size_t i = 0; i < 3; i++) {
		struct bytes prime = ke_prime(modp[i]);
		uint8_t peer[KE_PUBLIC_MAX] = {0};

		expect_bad(modp[i], peer);
		peer[prime.len - 1] = 1;
		expect_bad(modp[i], peer);
		memcpy(peer, prime.p, prime.len);
		expect_bad(modp[i], peer);
		peer[prime.len - 1]--;
		expect_bad(modp[i], peer);
		memcpy(peer, prime.p, prime.len);
		peer[prime.len - 9]++;
		expect_bad(modp[i], peer);
		memset(peer, 0xff, prime.len);
		expect_bad(modp[i], peer);
	}
}

static void modp_takes_2_and_p_minus_2(void **state)
{
	struct bytes prime = ke_prime(KE_MODP_2048);
	uint8_t peer[KE_PUBLIC_MAX] = {0}, out[KE_SHARED_MAX];
	struct ke *ke = new_ke(KE_MODP_2048, 1);
	size_t len;

	peer[prime.len - 1] = 2;
	assert_int_equal(ke_shared(ke, bytes(peer, prime.len), out, &len), OK);
	assert_memory_equal(out, ke_public(ke).p, len);
	memcpy(peer, prime.p, prime.len);
	peer[prime.len - 1] -= 2;
	assert_int_equal(ke_shared(ke, bytes(peer, prime.len), out, &len), OK);
	ke_free(&ke);
}

static void ecp_refuses_points_off_the_curve(void **state)
{
	const enum ke_method ecp[] = {KE_ECP_256, KE_ECP_384};

	for (size_t i = 0; i < 2; i++) {
		size_t len = ke_find(ecp[i])->public_len;
		uint8_t peer[KE_PUBLIC_MAX] = {0};
		struct ke *other = new_ke(ecp[i], 2);

		expect_bad(ecp[i], peer); /* (0, 0) */
		memcpy(peer, ke_public(other).p, len);
		peer[len - 1] ^= 1; /* y */
		expect_bad(ecp[i], peer);
		memcpy(peer, ke_public(other).p, len);
		peer[0] ^= 0x80; /* x */
		expect_bad(ecp[i], peer);
		memset(peer, 0xff, len); /* beyond the field */
		expect_bad(ecp[i], peer);
		memset(peer, 0, len);
		peer[len - 1] = 1;
		expect_bad(ecp[i], peer);
		ke_free(&other);
	}
}

/* x + p of a good point: the same value mod p, but not in its range. P-256:
 * the point with x = 5, whose x + p still fits in 32 octets. */
static void ecp_refuses_a_coordinate_that_is_not_reduced(void **state)
{
	uint8_t peer[64];

	hex_read("0000000000000000000000000000000000000000000000000000000000000"
		 "005"
		 "459243b9aa581806fe913bce99817ade11ca503c64d9a3c533415c083248f"
		 "bcc",
		 peer, sizeof(peer));
	{
		struct ke *ke = new_ke(KE_ECP_256, 1);
		uint8_t out[KE_SHARED_MAX];
		size_t len;

		assert_int_equal(ke_shared(ke, BYTES_OF(peer), out, &len), OK);
		ke_free(&ke);
	}
	hex_read("ffffffff00000001000000000000000000000001000000000000000000000"
		 "004",
		 peer, 32);
	expect_bad(KE_ECP_256, peer);
}

/* The u-coordinates of small order, from "Curve25519: new Diffie-Hellman
 * speed records" (cr.yp.to/ecdh.html#validate); the last with the top bit
 * that X25519 ignores. */
static void x25519_refuses_points_of_small_order(void **state)
{
	static const char *const small[] = {
		"00000000000000000000000000000000000000000000000000000000000000"
		"00",
		"01000000000000000000000000000000000000000000000000000000000000"
		"00",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b8"
		"00",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11"
		"57",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		"7f",
		"01000000000000000000000000000000000000000000000000000000000000"
		"80",
	};
	uint8_t peer[32];

	for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
		hex_read(small[i], peer, sizeof(peer));
		expect_bad(KE_X25519, peer);
	}
}

static void a_method_we_do_not_speak_is_refused(void **state)
{
	static const uint8_t seed[32];
	struct rng rng;
	struct ke *ke;

	rng_seed(&rng, seed);
	assert_int_equal(ke_new(KE_NONE, &rng, &ke), ERR_UNSUPPORTED);
	assert_null(ke);
	assert_int_equal(ke_new((enum ke_method)2, &rng, &ke), ERR_UNSUPPORTED);
	ke_free(&ke);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ke_agrees_with_python_from_a_seed),
		cmocka_unit_test(x25519_agrees_with_rfc_7748),
		cmocka_unit_test(ecp_groups_agree_with_rfc_5903),
		cmocka_unit_test(both_sides_get_the_same_secret),
		cmocka_unit_test(the_same_seed_gives_the_same_public_value),
		cmocka_unit_test(a_peer_value_of_another_length_is_refused),
		cmocka_unit_test(modp_refuses_0_1_p_minus_1_p_and_above),
		cmocka_unit_test(modp_takes_2_and_p_minus_2),
		cmocka_unit_test(ecp_refuses_points_off_the_curve),
		cmocka_unit_test(ecp_refuses_a_coordinate_that_is_not_reduced),
		cmocka_unit_test(x25519_refuses_points_of_small_order),
		cmocka_unit_test(a_method_we_do_not_speak_is_refused),
	};
	int failed;

	if (crypto_open(NULL) != OK)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	crypto_close();
	return failed;
}
