/* Algorithm tables, randomness, hashes, PRF and MS-CHAP-V2. */
#include "tests/unit/crypto_hex.h"

#include "client/crypto/crypto.h"

/* --- tables ------------------------------------------------------------ */

static void an_algorithm_is_found_by_its_iana_number(void **state)
{
	assert_int_equal(encr_find(12)->icv_len, 0);
	assert_int_equal(encr_find(20)->salt_len, 4);
	assert_string_equal(encr_find(28)->word, "chacha20poly1305");
	assert_int_equal(prf_find(5)->out_len, 32);
	assert_int_equal(prf_find(7)->key_len, 64);
	assert_int_equal(integ_find(12)->icv_len, 16);
	assert_int_equal(integ_find(13)->icv_len, 24);
	assert_int_equal(integ_find(14)->icv_len, 32);
	assert_int_equal(ke_find(31)->public_len, 32);
	assert_int_equal(ke_find(19)->public_len, 64);
	assert_int_equal(ke_find(19)->shared_len, 32);
	assert_int_equal(ke_find(14)->public_len, 256);
	assert_int_equal(hash_len(HASH_SHA2_384), 48);
	assert_int_equal(hash_len(HASH_IDENTITY), 0);
}

static void an_obsolete_algorithm_is_not_found_but_has_a_name(void **state)
{
	assert_null(encr_find(2));
	assert_null(encr_find(3));
	assert_null(prf_find(1));
	assert_null(prf_find(2));
	assert_null(integ_find(1));
	assert_null(integ_find(2));
	assert_null(ke_find(1));
	assert_null(ke_find(2));
	assert_null(ke_find(5));
	assert_null(ke_find(22));
	assert_string_equal(alg_name(1, 2), "DES");
	assert_string_equal(alg_name(1, 3), "3DES");
	assert_string_equal(alg_name(2, 1), "HMAC-MD5");
	assert_string_equal(alg_name(3, 2), "HMAC-SHA1-96");
	assert_string_equal(alg_name(4, 1), "MODP-768");
	assert_string_equal(alg_name(4, 2), "MODP-1024");
	assert_string_equal(alg_name(4, 5), "MODP-1536");
	assert_string_equal(alg_name(4, 65000), "unknown algorithm");
	assert_string_equal(alg_name(9, 1), "unknown algorithm");
}

static void every_algorithm_we_speak_has_a_name(void **state)
{
	for (uint16_t num = 0; num < 100; num++) {
		if (encr_find(num))
			assert_string_not_equal(alg_name(1, num),
						"unknown algorithm");
		if (prf_find(num))
			assert_string_not_equal(alg_name(2, num),
						"unknown algorithm");
		if (integ_find(num))
			assert_string_not_equal(alg_name(3, num),
						"unknown algorithm");
		if (ke_find(num))
			assert_string_not_equal(alg_name(4, num),
						"unknown algorithm");
	}
}

/* --- randomness ---------------------------------------------------------- */

static void rng_gives_the_chacha20_stream_after_its_next_key(void **state)
{
	static const uint8_t seed[32];
	struct rng rng;
	uint8_t out[64];

	/* RFC 8439 A.1 test vectors 1 and 2: key and nonce all zero. Octets
	 * 0 to 31 become the key; what is drawn starts at 32. */
	rng_seed(&rng, seed);
	rng_draw(&rng, out, sizeof(out));
	assert_hex(out, 64,
		   "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669"
		   "b2ee65869f07e7be5551387a98ba977c732d080dcb0f29a048e36569"
		   "12c6533e32ee7aed");
	assert_hex(rng.key, 32,
		   "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc"
		   "8b770dc7");
	rng_wipe(&rng);
	assert_memory_equal(rng.key, seed, 32);
}

static void rng_is_the_same_for_the_same_seed_and_never_repeats(void **state)
{
	static const uint8_t seed[32] = {1};
	struct rng a, b;
	uint8_t x[100], y[100], z[100];

	rng_seed(&a, seed);
	rng_seed(&b, seed);
	rng_draw(&a, x, sizeof(x));
	rng_draw(&b, y, sizeof(y));
	assert_memory_equal(x, y, sizeof(x));
	rng_draw(&a, z, sizeof(z));
	assert_memory_not_equal(x, z, sizeof(x));
	rng_draw(&a, z, 0);
}

/* --- hash and PRF -------------------------------------------------------- */

static void hash_of_parts_is_the_hash_of_their_sum(void **state)
{
	struct bytes parts[] = {bytes_str("a"), BYTES_NONE, bytes_str("bc")};
	uint8_t out[HASH_MAX];

	/* FIPS 180-4 examples: "abc". */
	assert_int_equal(crypto_hash(HASH_SHA1, parts, 3, out), OK);
	assert_hex(out, 20, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_int_equal(crypto_hash(HASH_SHA2_256, parts, 3, out), OK);
	assert_hex(out, 32,
		   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61"
		   "f20015ad");
	assert_int_equal(crypto_hash(HASH_SHA2_384, parts, 3, out), OK);
	assert_hex(out, 48,
		   "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a"
		   "43ff5bed8086072ba1e7cc2358baeca134c825a7");
	assert_int_equal(crypto_hash(HASH_SHA2_512, parts, 3, out), OK);
	assert_hex(out, 64,
		   "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee6"
		   "4b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e"
		   "2a9ac94fa54ca49f");
	assert_int_equal(crypto_hash(HASH_IDENTITY, parts, 3, out), ERR_CRYPTO);
}

/* RFC 4868 2.7.1: PRF-1 to PRF-6; keys shorter, equal and longer than a
 * block. */
static const struct prf_case {
	const char *key;
	const char *data;
	const char *out256, *out384, *out512;
} prf_cases[] = {
	{"0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "4869205468657265",
	 "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
	 "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
	 "faea9ea9076ede7f4af152e8b2fa9cb6",
	 "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
	 "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"},
	{"4a656665", "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
	 "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
	 "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
	 "8e2240ca5e69e2c78b3239ecfab21649",
	 "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
	 "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	 "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
	 "dddddddddddddddddddddddddddddddddddd",
	 "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
	 "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b"
	 "2a5ab39dc13814b94e3ab6e101a34f27",
	 "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39"
	 "bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb"},
	{"0102030405060708090a0b0c0d0e0f10111213141516171819",
	 "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
	 "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
	 "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
	 "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e"
	 "6801dd23c4a7d679ccf8a386c674cffb",
	 "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db"
	 "a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaa",
	 "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a"
	 "65204b6579202d2048617368204b6579204669727374",
	 "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
	 "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
	 "0c2ef6ab4030fe8296248df163f44952",
	 "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
	 "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"},
	{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	 "aaaaaa",
	 "5468697320697320612074657374207573696e672061206c6172676572207468"
	 "616e20626c6f636b2d73697a65206b657920616e642061206c61726765722074"
	 "68616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565"
	 "647320746f20626520686173686564206265666f7265206265696e6720757365"
	 "642062792074686520484d414320616c676f726974686d2e",
	 "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
	 "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5"
	 "a678cc31e799176d3860e6110c46523e",
	 "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944"
	 "b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"},
};

static void check_prf(enum prf prf, const char *key, const char *data,
		      const char *want)
{
	uint8_t k[160], d[160];
	struct bytes key_view = bytes(k, hex_read(key, k, sizeof(k)));
	struct bytes all = bytes(d, hex_read(data, d, sizeof(d)));
	struct bytes parts[] = {bytes(d, 3), bytes(d + 3, all.len - 3)};
	struct secret out;

	assert_int_equal(crypto_prf(prf, key_view, parts, 2, &out), OK);
	assert_hex(out.b, out.len, want);
}

static void prf_agrees_with_rfc_4868(void **state)
{
	for (size_t i = 0; i < sizeof(prf_cases) / sizeof(prf_cases[0]); i++) {
		const struct prf_case *c = &prf_cases[i];

		check_prf(PRF_HMAC_SHA2_256, c->key, c->data, c->out256);
		check_prf(PRF_HMAC_SHA2_384, c->key, c->data, c->out384);
		check_prf(PRF_HMAC_SHA2_512, c->key, c->data, c->out512);
	}
}

/* NIST CAVS samples for the IKEv2 KDF (SP 800-135 4.1.2), as NSS carries
 * them: SKEYSEED, that of a rekey, and 132 octets of prf+. */
static void prf_and_prf_plus_agree_with_nist_samples(void **state)
{
	struct bytes nonces[] = {
		HEX("3f302be1abcb28e1"), HEX("8c332ee006064c9b"),
		HEX("40dac39e1e1a8640"), HEX("8619a1cf9a6e4c07")};
	struct bytes seed = HEX("3f302be1abcb28e18c332ee006064c9b");
	struct bytes dh = HEX("0f4d257d7a58fc4545c7d7a88119eee5d5c9690c5b4c9891"
			      "71d3abbfd99d1d29");
	struct bytes rekey[] = {HEX("25f3b12d6f282739256e39bf54eda53b60ffcf379b"
				    "b7bcc90c27b4c4c578616c"),
				seed};
	struct secret skeyseed, next;
	uint8_t out[132];

	assert_int_equal(crypto_prf(PRF_HMAC_SHA2_256, seed, &dh, 1, &skeyseed),
			 OK);
	assert_hex(skeyseed.b, skeyseed.len,
		   "5f00d1bd2c58ec224b1e6b71fa0f19a1faa7a193952c444411b47c1a"
		   "9d8ba6fe");
	assert_int_equal(crypto_prf_plus(PRF_HMAC_SHA2_256,
					 secret_view(&skeyseed), nonces, 4, out,
					 sizeof(out)),
			 OK);
	assert_hex(out, sizeof(out),
		   "0b137d669b0947d7d026d593f0305ad401ff0c471357d695778a9c7f"
		   "4b4869ece98aca531188d16041b3bb936d2dbb3b4993a6e768a80916"
		   "0de45d0283f273a6cdf6854379e31be72b8d3d1fa990cf9c5b015ca9"
		   "f918a7df6253c958114a09d4e1c19bdcd4db14b29d98db1a74ad405c"
		   "588662c14a04d0d36aa4ab55e90f8986d12d4aad");
	/* SK_d is the first 32 octets. */
	assert_int_equal(
		crypto_prf(PRF_HMAC_SHA2_256, bytes(out, 32), rekey, 2, &next),
		OK);
	assert_hex(next.b, next.len,
		   "2d63f6debc92048b4fef3889c4c99ca67d6496e0fac14a2bca9a2d65"
		   "66ff2398");
}

static void prf_plus_agrees_with_a_nist_sample_for_sha_384(void **state)
{
	struct bytes key = HEX("69fe7a1ac94adaeb711295f5fe004b1a8d6a0b65d056927"
			       "58ce8ad2f7a45f59d7d0b596f51f7dfcf3330061888f6a9"
			       "4f");
	struct bytes seed = HEX("fd1b572a8e7355916013b0ef88dacd3d2116ad07ce61f7"
				"4924880e55f11a65b7");
	uint8_t out[132];

	assert_int_equal(crypto_prf_plus(PRF_HMAC_SHA2_384, key, &seed, 1, out,
					 sizeof(out)),
			 OK);
	assert_hex(out, sizeof(out),
		   "4f904c2025c90c817ea5ff9b662a6fdb445a73b57cdf09eacd379b95"
		   "e1f03cacb04cd6deeda4f952191dd9bc1f7a9502471a648d74dc06d3"
		   "8112de48a42501f6b1a3ad55c2099cd9a648e5f17e5bf3e34bf9b595"
		   "3decb768a34f875fe2b78dca0c2fcca81ec1a412006dfaed38fa0688"
		   "2e61f4c148105fb8e231fdb33c4d484c001721d4");
}

/* Python's hmac: T(n) = HMAC-SHA512(00..3f, T(n-1) | 64..8b | n). */
static void prf_plus_agrees_with_python_for_sha_512(void **state)
{
	uint8_t key[64], seed[40], out[300];
	struct bytes parts[] = {bytes(seed, 7), bytes(seed + 7, 33)};

	for (size_t i = 0; i < sizeof(key); i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(seed); i++)
		seed[i] = (uint8_t)(100 + i);
	assert_int_equal(crypto_prf_plus(PRF_HMAC_SHA2_512, BYTES_OF(key),
					 parts, 2, out, sizeof(out)),
			 OK);
	assert_hex(out, sizeof(out),
		   "048ff13f6efb74584d1b0d4834057eefefe06306afb4d35fc48fb6d57d"
		   "e9357be52f0a13e994667fa9f8a45f0aebaffdc51b06d5441d4b852249"
		   "d6473e742e1b080cb3f20309c203f7f00fb3452f0bbc3de18193d32459"
		   "b19af063850d093d9522ba5d45045120f9b5033adf5e87dc609db4acac"
		   "5385fd7633faa038fb47e3f34f4575acf6311d1b4136fbd02f3d1233ad"
		   "a2a76d21facc58df024f9e109be6f1a86bf1b35eec10e445138a365fee"
		   "b244ed823c9c98cfacb581cb9e61ccab1f0ce2888a5561fbcbc9aa3b38"
		   "262e2ad7d7540efab0d0ea7eee26e2908727fe2f73676fa59696ca8321"
		   "8d17d01dbaf8484e7f5e4fce709fe551c1948cab0e284ac20d9b30a901"
		   "71701e43d7f5757cb3bd0ba219fbbaf755b35a37b49cece740232d992e"
		   "0ea3c007f3d8f08f1839");
}

static void prf_plus_refuses_more_than_255_blocks(void **state)
{
	static uint8_t out[255 * 32 + 1];
	struct bytes seed = bytes_str("seed");

	assert_int_equal(crypto_prf_plus(PRF_HMAC_SHA2_256, bytes_str("k"),
					 &seed, 1, out, sizeof(out) - 1),
			 OK);
	assert_int_equal(crypto_prf_plus(PRF_HMAC_SHA2_256, bytes_str("k"),
					 &seed, 1, out, sizeof(out)),
			 ERR_NO_SPACE);
}

/* --- MS-CHAP-V2 ------------------------------------------------------------
 */

static struct mschap_in rfc_2759_example(void)
{
	struct mschap_in in = {.user = bytes_str("User"),
			       .password = bytes_str("clientPass")};

	hex_read("5b5d7c7d7b3f2f3e3c2c602132262628", in.auth_challenge, 16);
	hex_read("21402324255e262a28295f2b3a337c7e", in.peer_challenge, 16);
	return in;
}

static void mschap_agrees_with_rfc_2759_section_9_and_rfc_3079(void **state)
{
	static const uint8_t zeros[32];
	struct mschap_in in = rfc_2759_example();
	struct mschap_out out;

	assert_int_equal(mschap_compute(&in, &out), OK);
	assert_hex(out.nt_response, 24,
		   "82309ecd8d708b5ea08faa3981cd83544233114a3d85d6df");
	assert_string_equal(out.auth_response,
			    "S=407A5589115FD0D6209F510FE9C04566932CDA56");
	assert_int_equal(out.msk.len, 64);
	/* RFC 3079 3.5.3: the server's send key, our receive key. */
	assert_hex(out.msk.b + 16, 16, "8b7cdc149b993a1ba118cb153f56dccb");
	assert_memory_equal(out.msk.b + 32, zeros, 32);
	secret_wipe(&out.msk);
}

/* The NT hash of a text outside ASCII: MD4 of its UTF-16LE. Computed with
 * Python's codec and MD4 and DES of the openssl command; the code point above
 * U+FFFF becomes a surrogate pair. */
static void mschap_takes_a_password_in_any_script(void **state)
{
	struct mschap_in in = rfc_2759_example();
	struct mschap_out out;

	in.password = bytes_str("p\xc3\xa4ss\xe2\x82\xac\xf0\x9f\x94\x91");
	assert_int_equal(mschap_compute(&in, &out), OK);
	assert_hex(out.nt_response, 24,
		   "8435902b53427530df74cba6c8f919801bd22662602cda7f");
	secret_wipe(&out.msk);
}

static void mschap_refuses_a_password_that_is_not_utf_8(void **state)
{
	static const char *const bad[] = {"\xff",
					  "\xc3",
					  "\xc3(",
					  "\xc0\xaf",
					  "\x80",
					  "\xed\xa0\x80",
					  "\xf4\x90\x80\x80",
					  "\xe2\x82"};
	struct mschap_in in = rfc_2759_example();
	struct mschap_out out;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		in.password = bytes_str(bad[i]);
		assert_int_equal(mschap_compute(&in, &out), ERR_MALFORMED);
		assert_int_equal(out.msk.len, 0);
	}
}

static void mschap_takes_256_units_of_password_and_no_more(void **state)
{
	struct mschap_in in = rfc_2759_example();
	struct mschap_out out;
	char text[258];

	memset(text, 'x', sizeof(text));
	in.password = bytes(text, 256);
	assert_int_equal(mschap_compute(&in, &out), OK);
	in.password = bytes(text, 257);
	assert_int_equal(mschap_compute(&in, &out), ERR_NO_SPACE);
	in.password = BYTES_NONE;
	assert_int_equal(mschap_compute(&in, &out), OK);
	secret_wipe(&out.msk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_algorithm_is_found_by_its_iana_number),
		cmocka_unit_test(
			an_obsolete_algorithm_is_not_found_but_has_a_name),
		cmocka_unit_test(every_algorithm_we_speak_has_a_name),
		cmocka_unit_test(
			rng_gives_the_chacha20_stream_after_its_next_key),
		cmocka_unit_test(
			rng_is_the_same_for_the_same_seed_and_never_repeats),
		cmocka_unit_test(hash_of_parts_is_the_hash_of_their_sum),
		cmocka_unit_test(prf_agrees_with_rfc_4868),
		cmocka_unit_test(prf_and_prf_plus_agree_with_nist_samples),
		cmocka_unit_test(
			prf_plus_agrees_with_a_nist_sample_for_sha_384),
		cmocka_unit_test(prf_plus_agrees_with_python_for_sha_512),
		cmocka_unit_test(prf_plus_refuses_more_than_255_blocks),
		cmocka_unit_test(
			mschap_agrees_with_rfc_2759_section_9_and_rfc_3079),
		cmocka_unit_test(mschap_takes_a_password_in_any_script),
		cmocka_unit_test(mschap_refuses_a_password_that_is_not_utf_8),
		cmocka_unit_test(
			mschap_takes_256_units_of_password_and_no_more),
	};

	if (crypto_open(NULL) != OK)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
