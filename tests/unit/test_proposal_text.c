/* Proposals as a person writes them, and our defaults. */
#include <stdlib.h>

#include "tests/unit/ike_hex.h"

static struct proposal_list from_text(const char *text, uint8_t proto)
{
	struct proposal_list l;
	struct diag diag = DIAG_INIT;

	if (proposals_from_text(text, proto, &l, &diag) != OK)
		fail_msg("%s: %s", text, diag.text);
	return l;
}

static bool has(const struct proposal *p, uint8_t type, uint16_t id)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].type == type && p->t[i].id == id)
			return true;
	return false;
}

static bool has_type(const struct proposal *p, uint8_t type)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].type == type)
			return true;
	return false;
}

static void assert_transform(const struct transform *t, uint8_t type,
			     uint16_t id, uint16_t key_bits)
{
	assert_int_equal(t->type, type);
	assert_int_equal(t->id, id);
	assert_int_equal(t->key_bits, key_bits);
}

/* --- words ------------------------------------------------------------- */

static void every_word_is_the_registry_s_number(void **state)
{
	struct proposal_list l;

	l = from_text("aes128-aes192-aes256-sha256-sha384-sha512-modp2048-"
		      "modp3072-modp4096-ecp256-ecp384-x25519",
		      PROTO_ESP);
	assert_int_equal(l.p[0].n, 14);
	assert_transform(&l.p[0].t[0], 1, 12, 128);
	assert_transform(&l.p[0].t[1], 1, 12, 192);
	assert_transform(&l.p[0].t[2], 1, 12, 256);
	assert_transform(&l.p[0].t[3], 3, 12, 0);
	assert_transform(&l.p[0].t[4], 3, 13, 0);
	assert_transform(&l.p[0].t[5], 3, 14, 0);
	assert_transform(&l.p[0].t[6], 4, 14, 0);
	assert_transform(&l.p[0].t[7], 4, 15, 0);
	assert_transform(&l.p[0].t[8], 4, 16, 0);
	assert_transform(&l.p[0].t[9], 4, 19, 0);
	assert_transform(&l.p[0].t[10], 4, 20, 0);
	assert_transform(&l.p[0].t[11], 4, 31, 0);
	assert_transform(&l.p[0].t[12], 5, 1, 0);
	assert_transform(&l.p[0].t[13], 5, 0, 0);
	l = from_text("aes128gcm16-aes192gcm16-aes256gcm16-chacha20poly1305-"
		      "prfsha256-prfsha384-prfsha512-x25519",
		      PROTO_IKE);
	assert_int_equal(l.p[0].n, 8);
	assert_transform(&l.p[0].t[0], 1, 20, 128);
	assert_transform(&l.p[0].t[1], 1, 20, 192);
	assert_transform(&l.p[0].t[2], 1, 20, 256);
	assert_transform(&l.p[0].t[3], 1, 28, 0);
	assert_transform(&l.p[0].t[4], 2, 5, 0);
	assert_transform(&l.p[0].t[5], 2, 6, 0);
	assert_transform(&l.p[0].t[6], 2, 7, 0);
}

static void a_list_is_separated_by_commas(void **state)
{
	struct proposal_list l = from_text(
		" aes256gcm16-prfsha384-x25519 ,aes256-sha256-ecp256 ",
		PROTO_IKE);

	assert_int_equal(l.n, 2);
	assert_int_equal(l.p[0].num, 1);
	assert_int_equal(l.p[1].num, 2);
	assert_int_equal(l.p[1].proto, PROTO_IKE);
	assert_int_equal(l.p[1].spi.len, 0);
}

static void the_prf_follows_the_integrity_algorithm(void **state)
{
	struct proposal_list l =
		from_text("aes256-sha384-sha256-ecp256", PROTO_IKE);

	assert_true(has(&l.p[0], TRANSFORM_PRF, PRF_HMAC_SHA2_384));
	assert_true(has(&l.p[0], TRANSFORM_PRF, PRF_HMAC_SHA2_256));
	l = from_text("aes256-sha384-prfsha512-ecp256", PROTO_IKE);
	assert_false(has(&l.p[0], TRANSFORM_PRF, PRF_HMAC_SHA2_384));
	assert_true(has(&l.p[0], TRANSFORM_PRF, PRF_HMAC_SHA2_512));
}

static void esn_is_offered_both_ways_unless_said(void **state)
{
	struct proposal_list l = from_text("aes256gcm16", PROTO_ESP);

	assert_true(has(&l.p[0], TRANSFORM_ESN, 1));
	assert_true(has(&l.p[0], TRANSFORM_ESN, 0));
	l = from_text("aes256gcm16-esn", PROTO_ESP);
	assert_false(has(&l.p[0], TRANSFORM_ESN, 0));
	l = from_text("aes256gcm16-noesn", PROTO_ESP);
	assert_false(has(&l.p[0], TRANSFORM_ESN, 1));
}

static void a_word_said_twice_counts_once(void **state)
{
	struct proposal_list l = from_text(
		"aes256gcm16-aes256gcm16-x25519-x25519-noesn", PROTO_ESP);

	assert_int_equal(l.p[0].n, 3);
}

static void refused(const char *text, uint8_t proto, const char *because)
{
	struct proposal_list l;
	struct diag diag = DIAG_INIT;

	if (proposals_from_text(text, proto, &l, &diag) != ERR_PROFILE)
		fail_msg("%s is accepted", text);
	if (!strstr(diag.text, because))
		fail_msg("%s: %s", text, diag.text);
}

static void obsolete_words_are_refused_by_name(void **state)
{
	refused("3des-sha256-ecp256", PROTO_IKE, "\"3des\" is obsolete");
	refused("aes128-sha1-modp2048", PROTO_IKE, "\"sha1\" is obsolete");
	refused("aes128-md5-modp2048", PROTO_IKE, "\"md5\" is obsolete");
	refused("aes128-sha256-modp1024", PROTO_IKE,
		"\"modp1024\" is obsolete");
	refused("aes128-sha256-modp1536", PROTO_IKE,
		"\"modp1536\" is obsolete");
	refused("null-sha256", PROTO_ESP, "\"null\" is obsolete");
}

static void wrong_lists_say_what_is_wrong(void **state)
{
	refused("", PROTO_IKE, "empty word");
	refused(" ", PROTO_IKE, "empty word");
	refused(",", PROTO_IKE, "empty word");
	refused("aes256gcm16-prfsha384-x25519,", PROTO_IKE, "empty word");
	refused("aes256gcm16--x25519", PROTO_IKE, "empty word");
	refused("aes256gcm16 prfsha384", PROTO_ESP, "comma");
	refused("aes256gcm", PROTO_ESP, "\"aes256gcm\" is not known");
	refused("AES256GCM16", PROTO_ESP, "is not known");
	refused("none", PROTO_ESP, "is not known");
	refused("aes256-none", PROTO_ESP, "is not known");
	refused("averyveryverylongwordthatisnotone-x25519", PROTO_ESP,
		"is not known");
	refused("sha256", PROTO_ESP, "without encryption");
	refused("aes256", PROTO_ESP, "without an integrity");
	refused("aes256gcm16-sha256", PROTO_ESP, "no integrity");
	refused("aes256gcm16-aes256-sha256", PROTO_ESP, "separate them");
	refused("aes256gcm16-prfsha256", PROTO_ESP, "IKE proposals");
	refused("aes256gcm16-x25519", PROTO_IKE, "without a PRF");
	refused("aes256gcm16-prfsha256", PROTO_IKE, "without a key exchange");
	refused("aes256gcm16-prfsha256-x25519-esn", PROTO_IKE, "ESP proposals");
	refused("aes256gcm16,aes256gcm16,aes256gcm16,aes256gcm16,aes256gcm16,"
		"aes256gcm16,aes256gcm16,aes256gcm16,aes256gcm16",
		PROTO_ESP, "more than 8");
}

/* --- defaults ---------------------------------------------------------- */

static void the_ike_defaults_are_two_proposals_x25519_first(void **state)
{
	struct proposal_list l;

	proposals_default(PROTO_IKE, &l);
	assert_int_equal(l.n, 2);
	assert_true(has(&l.p[0], TRANSFORM_ENCR, ENCR_AES_GCM_16));
	assert_false(has_type(&l.p[0], TRANSFORM_INTEG));
	assert_true(has(&l.p[1], TRANSFORM_ENCR, ENCR_AES_CBC));
	assert_false(has(&l.p[1], TRANSFORM_ENCR, ENCR_AES_GCM_16));
	assert_int_equal(proposals_first_ke(&l), KE_X25519);
	/* RFC 8247 2.4 and what a gateway without curves needs */
	assert_true(proposals_have_ke(&l, KE_MODP_2048));
	assert_true(proposals_have_ke(&l, KE_ECP_256));
	assert_false(proposals_have_ke(&l, KE_NONE));
	for (size_t i = 0; i < l.n; i++)
		assert_false(has_type(&l.p[i], TRANSFORM_ESN));
}

static void the_esp_defaults_offer_pfs_before_none(void **state)
{
	struct proposal_list l;

	proposals_default(PROTO_ESP, &l);
	assert_int_equal(l.n, 4);
	for (size_t i = 0; i < l.n; i++) {
		assert_int_equal(has_type(&l.p[i], TRANSFORM_KE), i < 2);
		assert_true(has(&l.p[i], TRANSFORM_ESN, 0));
		assert_false(has_type(&l.p[i], TRANSFORM_PRF));
	}
	proposals_drop_ke(&l);
	assert_int_equal(l.n, 2);
	for (size_t i = 0; i < l.n; i++) {
		assert_false(has_type(&l.p[i], TRANSFORM_KE));
		assert_int_equal(l.p[i].num, i + 1);
	}
	assert_int_equal(proposals_first_ke(&l), KE_NONE);
}

static void the_first_ke_is_one_that_we_speak(void **state)
{
	struct proposal_list l = {.n = 1, .p = {{.n = 3}}};

	l.p[0].t[0] = (struct transform){TRANSFORM_KE, KE_NONE, 0};
	l.p[0].t[1] = (struct transform){TRANSFORM_KE, 2, 0};
	l.p[0].t[2] = (struct transform){TRANSFORM_KE, KE_ECP_384, 0};
	assert_int_equal(proposals_first_ke(&l), KE_ECP_384);
}

static void a_suite_reads_as_it_would_be_written(void **state)
{
	struct suite s = {{ENCR_AES_GCM_16, 256, INTEG_NONE},
			  PRF_HMAC_SHA2_384,
			  KE_X25519,
			  false};
	char buf[64];

	assert_string_equal(suite_str(&s, buf, sizeof(buf)),
			    "aes256gcm16-prfsha384-x25519");
	assert_string_equal(suite_str(&s, buf, 8), "aes256g");
	s = (struct suite){{ENCR_AES_CBC, 128, INTEG_HMAC_SHA2_512_256},
			   (enum prf)0,
			   KE_NONE,
			   true};
	assert_string_equal(suite_str(&s, buf, sizeof(buf)),
			    "aes128-sha512-esn");
	s = (struct suite){{ENCR_CHACHA20_POLY1305, 256, INTEG_NONE},
			   (enum prf)0,
			   KE_ECP_256,
			   false};
	assert_string_equal(suite_str(&s, buf, sizeof(buf)),
			    "chacha20poly1305-ecp256-noesn");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_word_is_the_registry_s_number),
		cmocka_unit_test(a_list_is_separated_by_commas),
		cmocka_unit_test(the_prf_follows_the_integrity_algorithm),
		cmocka_unit_test(esn_is_offered_both_ways_unless_said),
		cmocka_unit_test(a_word_said_twice_counts_once),
		cmocka_unit_test(obsolete_words_are_refused_by_name),
		cmocka_unit_test(wrong_lists_say_what_is_wrong),
		cmocka_unit_test(
			the_ike_defaults_are_two_proposals_x25519_first),
		cmocka_unit_test(the_esp_defaults_offer_pfs_before_none),
		cmocka_unit_test(the_first_ke_is_one_that_we_speak),
		cmocka_unit_test(a_suite_reads_as_it_would_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
