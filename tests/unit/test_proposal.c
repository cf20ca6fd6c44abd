/* Proposals: structure, agreement, what a person writes. */
#include <stdlib.h>

#include "tests/unit/ike_hex.h"

static enum err parse(const char *text, struct proposal_list *out)
{
	return proposals_parse(hex_static(text), out);
}

static struct proposal_list from_text(const char *text, uint8_t proto)
{
	struct proposal_list l;
	struct diag diag = DIAG_INIT;

	if (proposals_from_text(text, proto, &l, &diag) != OK)
		fail_msg("%s: %s", text, diag.text);
	return l;
}

/* Through the wire, so that only what is written counts. */
static struct proposal_list over_the_wire(const struct proposal_list *l)
{
	static uint8_t buf[8192];
	struct proposal_list out;
	struct ike_wr m;
	struct bytes b;

	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_sa(&m, l);
	assert_int_equal(ike_wr_end(&m, &b), OK);
	assert_int_equal(proposals_parse(bytes(b.p + 4, b.len - 4), &out), OK);
	return out;
}

static void assert_proposal_eq(const struct proposal *a,
			       const struct proposal *b)
{
	assert_int_equal(a->num, b->num);
	assert_int_equal(a->proto, b->proto);
	assert_true(bytes_eq(a->spi, b->spi));
	assert_int_equal(a->n, b->n);
	for (size_t i = 0; i < a->n; i++) {
		assert_int_equal(a->t[i].type, b->t[i].type);
		assert_int_equal(a->t[i].id, b->t[i].id);
		assert_int_equal(a->t[i].key_bits, b->t[i].key_bits);
	}
}

/* --- structure --------------------------------------------------------- */

/* One ESP proposal: AES-GCM-16 with 256 bits, no ESN. */
#define GCM_256 "0300000c 01000014 800e0100"
#define NO_ESN	"00000008 05000000"

static void a_proposal_is_read_field_by_field(void **state)
{
	struct proposal_list l;

	assert_int_equal(parse("00000020 01030402 c0ffee01" GCM_256 NO_ESN, &l),
			 OK);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.p[0].num, 1);
	assert_int_equal(l.p[0].proto, PROTO_ESP);
	assert_hex(l.p[0].spi.p, l.p[0].spi.len, "c0ffee01");
	assert_int_equal(l.p[0].n, 2);
	assert_int_equal(l.p[0].t[0].type, TRANSFORM_ENCR);
	assert_int_equal(l.p[0].t[0].id, ENCR_AES_GCM_16);
	assert_int_equal(l.p[0].t[0].key_bits, 256);
	assert_int_equal(l.p[0].t[1].type, TRANSFORM_ESN);
}

static void malformed_proposals_are_refused(void **state)
{
	static const struct {
		const char *text;
		enum err e;
	} cases[] = {
		{"", ERR_TRUNCATED},
		{"000000", ERR_TRUNCATED},
		/* lengths 0 to 3 of a proposal and of a transform */
		{"00000000 01030000", ERR_MALFORMED},
		{"00000001 01030000", ERR_MALFORMED},
		{"00000003 01030000", ERR_MALFORMED},
		{"00000004", ERR_MALFORMED},
		{"00000010 01030001 00000000 05000000", ERR_MALFORMED},
		{"00000010 01030001 00000003 05000000", ERR_MALFORMED},
		{"00000010 01030001 00000004 05000000", ERR_MALFORMED},
		/* longer than what holds it */
		{"00000009 01030000", ERR_TRUNCATED},
		{"00000010 01030001 00000009 05000000", ERR_MALFORMED},
		{"00000008 0103ff00", ERR_MALFORMED},
		/* counts */
		{"00000010 01030002" NO_ESN, ERR_MALFORMED},
		{"00000010 01030000" NO_ESN, ERR_MALFORMED},
		{"00000010 010300ff" NO_ESN, ERR_MALFORMED},
		/* last-flags */
		{"01000010 01030001" NO_ESN, ERR_MALFORMED},
		{"02000010 01030001" NO_ESN, ERR_TRUNCATED},
		{"00000010 01030001 03000008 05000000", ERR_MALFORMED},
		{"00000010 01030001 02000008 05000000", ERR_MALFORMED},
		{"00000018 01030002" NO_ESN NO_ESN, ERR_MALFORMED},
		/* octets left over */
		{"00000010 01030001" NO_ESN "00", ERR_MALFORMED},
		{"00000010 01030001" NO_ESN "00000010 02030001" NO_ESN,
		 ERR_MALFORMED},
		/* an attribute cut off: short, long */
		{"00000012 01030001 0000000a 01000014 800e", ERR_MALFORMED},
		{"00000014 01030001 0000000c 01000014 000e0002", ERR_MALFORMED},
	};
	struct proposal_list l;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (parse(cases[i].text, &l) != cases[i].e)
			fail_msg("%s: %s", cases[i].text,
				 err_name(parse(cases[i].text, &l)));
}

static void a_transform_with_an_unknown_attribute_is_left_out(void **state)
{
	struct proposal_list l;

	/* ENCR 20 with attribute 0x8011; then the usual one */
	assert_int_equal(parse("00000028 01030003"
			       "0300000c 01000014 80110001" GCM_256 NO_ESN,
			       &l),
			 OK);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.p[0].n, 2);
	assert_int_equal(l.p[0].t[0].key_bits, 256);
	/* a long attribute, and a key length in long form */
	assert_int_equal(
		parse("0000002c 01030003"
		      "03000010 01000014 00110004 01020304" GCM_256 NO_ESN,
		      &l),
		OK);
	assert_int_equal(l.p[0].n, 2);
	assert_int_equal(parse("0000002a 01030003"
			       "0300000e 01000014 000e0002 0100" GCM_256 NO_ESN,
			       &l),
			 OK);
	assert_int_equal(l.p[0].n, 2);
	/* the key length twice, and a key of no bits */
	assert_int_equal(parse("0000002c 01030003 03000010 01000014"
			       "800e0080 800e0100" GCM_256 NO_ESN,
			       &l),
			 OK);
	assert_int_equal(l.p[0].n, 2);
	assert_int_equal(parse("00000028 01030003 0300000c 01000014"
			       "800e0000" GCM_256 NO_ESN,
			       &l),
			 OK);
	assert_int_equal(l.p[0].n, 2);
}

/* Else the type would look as if it had never been asked for. */
static void a_proposal_that_lost_a_type_is_left_out(void **state)
{
	struct proposal_list l;

	assert_int_equal(parse("0200001c 01030002"
			       "0300000c 01000014 80110001" NO_ESN
			       "0000001c 02030002" GCM_256 NO_ESN,
			       &l),
			 OK);
	assert_int_equal(l.n, 1);
	assert_int_equal(l.p[0].num, 2);
	/* an integrity algorithm with an attribute: not "none" */
	assert_int_equal(parse("00000028 01030003" GCM_256
			       "0300000c 0300000c 80110001" NO_ESN,
			       &l),
			 OK);
	assert_int_equal(l.n, 0);
}

static void proposals_and_transforms_past_the_limits_are_left_out(void **state)
{
	static uint8_t buf[4096];
	struct proposal_list l = {0};
	struct ike_wr m;
	struct wr *w = &m.w;
	struct bytes b;

	/* ten proposals of sixty ESN transforms each */
	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_open_payload(&m, PLD_SA);
	for (size_t i = 0; i < 6; i++) {
		wr_u16(w, i == 5 ? 0 : 0x0200);
		wr_u16(w, 8 + 60 * 8);
		wr_u32(w, 0x0103003c);
		for (size_t k = 0; k < 60; k++) {
			wr_u16(w, k == 59 ? 0 : 0x0300);
			wr_u16(w, 8);
			wr_u32(w, k == 59 && i == 5 ? 0x04000001 : 0x05000001);
		}
	}
	ike_wr_close_payload(&m);
	assert_int_equal(ike_wr_end(&m, &b), OK);
	assert_int_equal(proposals_parse(bytes(b.p + 4, b.len - 4), &l), OK);
	/* the last one lost its only transform of a type */
	assert_int_equal(l.n, 5);
	assert_int_equal(l.p[0].n, PROPOSAL_TRANSFORMS_MAX);
	/* twenty small proposals */
	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_open_payload(&m, PLD_SA);
	for (size_t i = 0; i < 20; i++) {
		wr_u32(w, i == 19 ? 8 : 0x02000008);
		wr_u32(w, 0x01030000);
	}
	ike_wr_close_payload(&m);
	assert_int_equal(ike_wr_end(&m, &b), OK);
	assert_int_equal(proposals_parse(bytes(b.p + 4, b.len - 4), &l), OK);
	assert_int_equal(l.n, PROPOSALS_MAX);
}

static void proposals_are_written_octet_by_octet(void **state)
{
	struct proposal_list l = from_text("aes256gcm16-noesn", PROTO_ESP);
	static const uint8_t spi[] = {0xc0, 0xff, 0xee, 0x01};
	struct ike_wr m;
	struct bytes b;
	uint8_t buf[128];

	proposals_set_spi(&l, BYTES_OF(spi));
	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_sa(&m, &l);
	assert_int_equal(ike_wr_end(&m, &b), OK);
	assert_hex(b.p, b.len,
		   "00000024 00000020 01030402 c0ffee01" GCM_256 NO_ESN);
}

static void what_is_written_parses_to_the_same(void **state)
{
	struct proposal_list l, back;

	for (uint8_t proto = PROTO_IKE; proto <= PROTO_ESP; proto += 2) {
		proposals_default(proto, &l);
		if (proto == PROTO_ESP)
			proposals_set_spi(&l, bytes("spi!", 4));
		back = over_the_wire(&l);
		assert_int_equal(back.n, l.n);
		for (size_t i = 0; i < l.n; i++)
			assert_proposal_eq(&l.p[i], &back.p[i]);
	}
}

/* --- agreement --------------------------------------------------------- */

static const char *chosen_of(const char *ours, const char *theirs,
			     uint8_t proto)
{
	static char text[64];
	struct proposal_list o = from_text(ours, proto);
	struct proposal_list t = from_text(theirs, proto), answer, wire;
	struct proposal chosen;
	struct suite suite;

	t = over_the_wire(&t);
	if (proposals_select(&o, &t, &chosen) != OK)
		return "none";
	assert_int_equal(suite_from_proposal(&chosen, &suite), OK);
	/* and the initiator takes it */
	answer = (struct proposal_list){.n = 1, .p = {chosen}};
	wire = over_the_wire(&answer);
	assert_int_equal(proposals_check_answer(&t, &wire, &chosen), OK);
	return suite_str(&suite, text, sizeof(text));
}

static void the_first_of_ours_they_can_satisfy_is_chosen(void **state)
{
	assert_string_equal(
		chosen_of("aes256gcm16-prfsha384-x25519,aes256-sha256-ecp256",
			  "aes128-aes256-sha256-ecp256,"
			  "aes128gcm16-aes256gcm16-prfsha256-prfsha384-x25519",
			  PROTO_IKE),
		"aes256gcm16-prfsha384-x25519");
	assert_string_equal(
		chosen_of("aes128-aes256-sha384-sha256-ecp384-ecp256",
			  "aes256-aes128-sha256-sha384-ecp256-ecp384",
			  PROTO_IKE),
		"aes128-sha384-prfsha384-ecp384");
	assert_string_equal(chosen_of("aes256gcm16-prfsha384-x25519",
				      "aes256gcm16-prfsha256-x25519",
				      PROTO_IKE),
			    "none");
	assert_string_equal(chosen_of("aes256-sha256-x25519",
				      "aes128-sha256-x25519", PROTO_IKE),
			    "none");
	assert_string_equal(chosen_of("chacha20poly1305-esn",
				      "aes256gcm16-chacha20poly1305",
				      PROTO_ESP),
			    "chacha20poly1305-esn");
	assert_string_equal(
		chosen_of("aes256gcm16-esn", "aes256gcm16-noesn", PROTO_ESP),
		"none");
}

static void pfs_is_neither_added_nor_dropped(void **state)
{
	assert_string_equal(
		chosen_of("aes256gcm16-x25519", "aes256gcm16", PROTO_ESP),
		"none");
	assert_string_equal(
		chosen_of("aes256gcm16", "aes256gcm16-x25519", PROTO_ESP),
		"none");
	assert_string_equal(chosen_of("aes256gcm16-x25519,aes256gcm16-noesn",
				      "aes256gcm16", PROTO_ESP),
			    "aes256gcm16-noesn");
}

static enum err select_hex(const struct proposal_list *ours, const char *theirs,
			   struct proposal *out)
{
	struct proposal_list t;

	assert_int_equal(parse(theirs, &t), OK);
	return proposals_select(ours, &t, out);
}

#define IKE_GCM "0300000c 01000014 800e0100"
#define IKE_PRF "03000008 02000006"
#define IKE_KE	"00000008 0400001f"

/* CVE-2016-5391 and its kind: a part that is missing. */
static void a_proposal_without_a_mandatory_type_is_refused(void **state)
{
	struct proposal_list ours =
		from_text("aes256gcm16-prfsha384-x25519", PROTO_IKE);
	struct proposal p;

	assert_int_equal(select_hex(&ours,
				    "00000024 01010003" IKE_GCM IKE_PRF IKE_KE,
				    &p),
			 OK);
	/* no KE, no PRF, no ENCR, nothing */
	assert_int_equal(
		select_hex(&ours,
			   "0000001c 01010002" IKE_GCM "00000008 02000006", &p),
		ERR_NO_PROPOSAL);
	assert_int_equal(
		select_hex(&ours, "0000001c 01010002" IKE_GCM IKE_KE, &p),
		ERR_NO_PROPOSAL);
	assert_int_equal(
		select_hex(&ours, "00000018 01010002" IKE_PRF IKE_KE, &p),
		ERR_NO_PROPOSAL);
	assert_int_equal(select_hex(&ours, "00000008 01010000", &p),
			 ERR_NO_PROPOSAL);
	/* KE "none" */
	assert_int_equal(select_hex(&ours,
				    "00000024 01010003" IKE_GCM IKE_PRF
				    "00000008 04000000",
				    &p),
			 ERR_NO_PROPOSAL);
	/* another protocol */
	assert_int_equal(select_hex(&ours,
				    "00000024 01030003" IKE_GCM IKE_PRF IKE_KE,
				    &p),
			 ERR_NO_PROPOSAL);
}

/* RFC 9370's additional key exchanges, for one: type 6. */
static void an_unknown_transform_type_refuses_the_proposal(void **state)
{
	struct proposal_list ours =
		from_text("aes256gcm16-prfsha384-x25519", PROTO_IKE);
	struct proposal p;

	assert_int_equal(select_hex(&ours,
				    "0000002c 01010004" IKE_GCM IKE_PRF
				    "03000008 06000024" IKE_KE,
				    &p),
			 ERR_NO_PROPOSAL);
	assert_int_equal(select_hex(&ours,
				    "0200002c 01010004" IKE_GCM IKE_PRF
				    "03000008 06000024" IKE_KE
				    "00000024 02010003" IKE_GCM IKE_PRF IKE_KE,
				    &p),
			 OK);
	assert_int_equal(p.num, 2);
	assert_int_equal(p.n, 3);
}

static void none_and_absent_are_the_same(void **state)
{
	struct proposal_list ours = from_text("aes256gcm16-noesn", PROTO_ESP);
	struct proposal_list offer;
	struct proposal p;
	struct suite s;

	/* INTEG none and KE none beside an AEAD are returned as they came */
	assert_int_equal(parse("0000002c 01030004" GCM_256
			       "03000008 03000000 03000008 04000000" NO_ESN,
			       &offer),
			 OK);
	assert_int_equal(proposals_select(&ours, &offer, &p), OK);
	assert_int_equal(p.n, 4);
	assert_int_equal(suite_from_proposal(&p, &s), OK);
	assert_int_equal(s.cipher.integ, INTEG_NONE);
	assert_int_equal(s.ke, KE_NONE);
	/* the answer may leave them out */
	assert_int_equal(parse("0000001c 01030002" GCM_256 NO_ESN, &ours), OK);
	assert_int_equal(proposals_check_answer(&offer, &ours, &p), OK);
	/* a real integrity algorithm beside an AEAD is not "none" */
	assert_int_equal(parse("00000024 01030003" GCM_256
			       "03000008 0300000c" NO_ESN,
			       &offer),
			 OK);
	ours = from_text("aes256gcm16-noesn", PROTO_ESP);
	assert_int_equal(proposals_select(&ours, &offer, &p), ERR_NO_PROPOSAL);
}

static enum err answer(const char *text)
{
	struct proposal_list offer = from_text(
		"aes256gcm16-prfsha384-x25519-ecp256,aes256-sha256-x25519",
		PROTO_IKE);
	struct proposal_list a;
	struct proposal p;

	assert_int_equal(parse(text, &a), OK);
	return proposals_check_answer(&offer, &a, &p);
}

static void an_answer_is_one_of_our_offers(void **state)
{
	assert_int_equal(answer("00000024 01010003" IKE_GCM IKE_PRF IKE_KE),
			 OK);
	/* the number of another proposal, of none, another protocol */
	assert_int_equal(answer("00000024 02010003" IKE_GCM IKE_PRF IKE_KE),
			 ERR_NO_PROPOSAL);
	assert_int_equal(answer("00000024 00010003" IKE_GCM IKE_PRF IKE_KE),
			 ERR_NO_PROPOSAL);
	assert_int_equal(answer("00000024 01030003" IKE_GCM IKE_PRF IKE_KE),
			 ERR_NO_PROPOSAL);
	/* two proposals */
	assert_int_equal(answer("02000024 01010003" IKE_GCM IKE_PRF IKE_KE
				"00000024 01010003" IKE_GCM IKE_PRF IKE_KE),
			 ERR_NO_PROPOSAL);
	/* two of a type */
	assert_int_equal(answer("0000002c 01010004" IKE_GCM IKE_PRF
				"03000008 04000013" IKE_KE),
			 ERR_NO_PROPOSAL);
	/* not offered: a key length, an algorithm, a type */
	assert_int_equal(answer("00000024 01010003"
				"0300000c 01000014 800e0080" IKE_PRF IKE_KE),
			 ERR_NO_PROPOSAL);
	assert_int_equal(answer("00000020 01010003"
				"03000008 01000003" IKE_PRF IKE_KE),
			 ERR_NO_PROPOSAL);
	assert_int_equal(answer("0000002c 01010004" IKE_GCM IKE_PRF
				"03000008 0300000c" IKE_KE),
			 ERR_NO_PROPOSAL);
	/* a part is missing */
	assert_int_equal(
		answer("0000001c 01010002" IKE_GCM "00000008 02000006"),
		ERR_NO_PROPOSAL);
	/* ours of the second proposal in the first */
	assert_int_equal(answer("0000002c 01010004"
				"0300000c 0100000c 800e0100" IKE_PRF
				"03000008 0300000c" IKE_KE),
			 ERR_NO_PROPOSAL);
}

/* --- meaning ----------------------------------------------------------- */

static enum err suite_hex(const char *text, struct suite *out)
{
	struct proposal_list l;

	assert_int_equal(parse(text, &l), OK);
	assert_int_equal(l.n, 1);
	return suite_from_proposal(&l.p[0], out);
}

static void a_suite_is_complete_or_refused(void **state)
{
	struct suite s;

	assert_int_equal(
		suite_hex("00000024 01010003" IKE_GCM IKE_PRF IKE_KE, &s), OK);
	assert_int_equal(s.cipher.key_bits, 256);
	assert_int_equal(s.prf, PRF_HMAC_SHA2_384);
	assert_int_equal(s.ke, KE_X25519);
	/* AES without a key length; 3DES; MODP-1024; HMAC-SHA1 */
	assert_int_equal(suite_hex("00000020 01010003"
				   "03000008 01000014" IKE_PRF IKE_KE,
				   &s),
			 ERR_NO_PROPOSAL);
	assert_int_equal(suite_hex("00000020 01010003"
				   "03000008 01000003" IKE_PRF IKE_KE,
				   &s),
			 ERR_NO_PROPOSAL);
	assert_int_equal(suite_hex("00000024 01010003" IKE_GCM IKE_PRF
				   "00000008 04000002",
				   &s),
			 ERR_NO_PROPOSAL);
	assert_int_equal(suite_hex("00000024 01010003" IKE_GCM
				   "03000008 02000002" IKE_KE,
				   &s),
			 ERR_NO_PROPOSAL);
	/* CBC without integrity; AEAD with it */
	assert_int_equal(suite_hex("00000024 01010003"
				   "0300000c 0100000c 800e0100" IKE_PRF IKE_KE,
				   &s),
			 ERR_NO_PROPOSAL);
	assert_int_equal(suite_hex("0000002c 01010004" IKE_GCM IKE_PRF
				   "03000008 0300000c" IKE_KE,
				   &s),
			 ERR_NO_PROPOSAL);
	/* ESP without ESN, with a PRF, with ESN 2; AH */
	assert_int_equal(suite_hex("00000014 01030001"
				   "0000000c 01000014 800e0100",
				   &s),
			 ERR_NO_PROPOSAL);
	assert_int_equal(
		suite_hex("00000024 01030003" IKE_GCM IKE_PRF NO_ESN, &s),
		ERR_NO_PROPOSAL);
	assert_int_equal(
		suite_hex("0000001c 01030002" IKE_GCM "00000008 05000002", &s),
		ERR_NO_PROPOSAL);
	assert_int_equal(suite_hex("0000001c 01020002" IKE_GCM NO_ESN, &s),
			 ERR_NO_PROPOSAL);
	/* a key length where none belongs */
	assert_int_equal(suite_hex("00000028 01010003" IKE_GCM
				   "0300000c 02000006 800e0100" IKE_KE,
				   &s),
			 ERR_NO_PROPOSAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_proposal_is_read_field_by_field),
		cmocka_unit_test(malformed_proposals_are_refused),
		cmocka_unit_test(
			a_transform_with_an_unknown_attribute_is_left_out),
		cmocka_unit_test(a_proposal_that_lost_a_type_is_left_out),
		cmocka_unit_test(
			proposals_and_transforms_past_the_limits_are_left_out),
		cmocka_unit_test(proposals_are_written_octet_by_octet),
		cmocka_unit_test(what_is_written_parses_to_the_same),
		cmocka_unit_test(the_first_of_ours_they_can_satisfy_is_chosen),
		cmocka_unit_test(pfs_is_neither_added_nor_dropped),
		cmocka_unit_test(
			a_proposal_without_a_mandatory_type_is_refused),
		cmocka_unit_test(
			an_unknown_transform_type_refuses_the_proposal),
		cmocka_unit_test(none_and_absent_are_the_same),
		cmocka_unit_test(an_answer_is_one_of_our_offers),
		cmocka_unit_test(a_suite_is_complete_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
