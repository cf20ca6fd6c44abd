/* Payloads one by one, and messages that another implementation wrote. */
#include <stdlib.h>

#include "tests/unit/ike_hex.h"
#include "tests/vectors/ike_strongswan.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* --- payloads --------------------------------------------------------------
 */

static void nonces_have_16_to_256_octets(void **state)
{
	static uint8_t octets[300];
	struct bytes n;

	assert_int_equal(ike_nonce_parse(bytes(octets, 0), &n), ERR_MALFORMED);
	assert_int_equal(ike_nonce_parse(bytes(octets, 15), &n), ERR_MALFORMED);
	assert_int_equal(ike_nonce_parse(bytes(octets, 16), &n), OK);
	assert_int_equal(ike_nonce_parse(bytes(octets, 256), &n), OK);
	assert_int_equal(n.len, 256);
	assert_int_equal(ike_nonce_parse(bytes(octets, 257), &n),
			 ERR_MALFORMED);
}

static void a_key_exchange_without_data_is_refused(void **state)
{
	struct ike_ke ke;

	assert_int_equal(ike_ke_parse(hex_static("001f0000 aa"), &ke), OK);
	assert_int_equal(ke.method, KE_X25519);
	assert_int_equal(ke.data.len, 1);
	assert_int_equal(ike_ke_parse(hex_static("001f0000"), &ke),
			 ERR_MALFORMED);
	assert_int_equal(ike_ke_parse(hex_static("001f00"), &ke),
			 ERR_TRUNCATED);
	assert_int_equal(ike_ke_parse(BYTES_NONE, &ke), ERR_TRUNCATED);
}

static void address_identities_have_the_length_of_an_address(void **state)
{
	struct ike_id id;

	assert_int_equal(ike_id_parse(hex_static("01000000 c0000201"), &id),
			 OK);
	assert_int_equal(ike_id_parse(hex_static("01000000 c00002"), &id),
			 ERR_MALFORMED);
	assert_int_equal(ike_id_parse(hex_static("05000000 c0000201"), &id),
			 ERR_MALFORMED);
	assert_int_equal(ike_id_parse(hex_static("02000000 676e"), &id), OK);
	assert_int_equal(id.type, ID_FQDN);
	assert_hex(id.data.p, id.data.len, "676e");
	assert_int_equal(ike_id_parse(hex_static("0b0000"), &id),
			 ERR_TRUNCATED);
}

static void auth_without_data_is_refused(void **state)
{
	struct ike_auth auth;

	assert_int_equal(ike_auth_parse(hex_static("0e000000 01"), &auth), OK);
	assert_int_equal(auth.method, AUTH_DIGITAL_SIGNATURE);
	assert_int_equal(ike_auth_parse(hex_static("0e000000"), &auth),
			 ERR_MALFORMED);
	assert_int_equal(ike_auth_parse(hex_static("0e"), &auth),
			 ERR_TRUNCATED);
}

static void the_spi_of_a_notify_must_fit(void **state)
{
	struct ike_notify n;

	assert_int_equal(
		ike_notify_parse(hex_static("03044009 01020304 aa"), &n), OK);
	assert_int_equal(n.proto, PROTO_ESP);
	assert_int_equal(n.type, N_REKEY_SA);
	assert_hex(n.spi.p, n.spi.len, "01020304");
	assert_hex(n.data.p, n.data.len, "aa");
	assert_int_equal(ike_notify_parse(hex_static("03054009 01020304"), &n),
			 ERR_TRUNCATED);
	assert_int_equal(ike_notify_parse(hex_static("03ff4009"), &n),
			 ERR_TRUNCATED);
	assert_int_equal(ike_notify_parse(hex_static("000040"), &n),
			 ERR_TRUNCATED);
}

static void a_delete_agrees_with_its_counts(void **state)
{
	struct ike_delete d;

	assert_int_equal(ike_delete_parse(hex_static("01000000"), &d), OK);
	assert_int_equal(d.proto, PROTO_IKE);
	assert_int_equal(d.n_spis, 0);
	assert_int_equal(
		ike_delete_parse(hex_static("03040002 01020304 05060708"), &d),
		OK);
	assert_int_equal(d.n_spis, 2);
	assert_int_equal(d.spis[1], 0x05060708);
	assert_int_equal(ike_delete_parse(hex_static("03040002 01020304"), &d),
			 ERR_TRUNCATED);
	assert_int_equal(
		ike_delete_parse(hex_static("03040001 01020304 00"), &d),
		ERR_MALFORMED);
	assert_int_equal(ike_delete_parse(hex_static("03000001"), &d),
			 ERR_MALFORMED);
	assert_int_equal(ike_delete_parse(hex_static("01080001"
						     "0102030405060708"),
					  &d),
			 ERR_MALFORMED);
	assert_int_equal(ike_delete_parse(hex_static("07040001 01020304"), &d),
			 ERR_MALFORMED);
}

static void a_delete_of_many_keeps_the_first_ones(void **state)
{
	uint8_t buf[256] = {0};
	uint32_t spis[IKE_DELETE_SPIS_MAX + 4];
	struct ike_delete d;
	struct ike_wr m;
	struct bytes out;

	for (uint32_t i = 0; i < COUNT_OF(spis); i++)
		spis[i] = 1000 + i;
	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_delete_esp(&m, spis, COUNT_OF(spis));
	assert_int_equal(ike_wr_end(&m, &out), OK);
	assert_int_equal(ike_wr_first(&m), PLD_DELETE);
	assert_int_equal(ike_delete_parse(bytes(out.p + 4, out.len - 4), &d),
			 OK);
	assert_int_equal(d.n_spis, IKE_DELETE_SPIS_MAX);
	assert_int_equal(d.spis[0], 1000);
	assert_int_equal(d.spis[IKE_DELETE_SPIS_MAX - 1],
			 1000 + IKE_DELETE_SPIS_MAX - 1);
}

static void an_eap_packet_fills_its_payload(void **state)
{
	struct ike_eap eap;

	assert_int_equal(ike_eap_parse(hex_static("01010005 01"), &eap), OK);
	assert_int_equal(eap.code, EAP_REQUEST);
	assert_int_equal(eap.type, EAP_TYPE_IDENTITY);
	assert_int_equal(eap.data.len, 0);
	assert_int_equal(ike_eap_parse(hex_static("03020004"), &eap), OK);
	assert_int_equal(eap.type, 0);
	assert_int_equal(ike_eap_parse(hex_static("01010004"), &eap),
			 ERR_TRUNCATED);
	assert_int_equal(ike_eap_parse(hex_static("01010006 01"), &eap),
			 ERR_TRUNCATED);
	assert_int_equal(ike_eap_parse(hex_static("01010005 0100"), &eap),
			 ERR_MALFORMED);
	assert_int_equal(ike_eap_parse(hex_static("03020005 00"), &eap),
			 ERR_MALFORMED);
	assert_int_equal(ike_eap_parse(hex_static("05020005 01"), &eap),
			 ERR_MALFORMED);
	assert_int_equal(ike_eap_parse(hex_static("010100"), &eap),
			 ERR_TRUNCATED);
	assert_int_equal(ike_eap_parse(hex_static("01010000"), &eap),
			 ERR_MALFORMED);
}

static void cp_attributes_keep_to_the_payload(void **state)
{
	struct ike_cp cp;

	assert_int_equal(ike_cp_parse(hex_static("02000000 00010004 0a4d0001"
						 "8003 0000"),
				      &cp),
			 OK);
	assert_int_equal(cp.type, CFG_REPLY);
	assert_int_equal(cp.n, 2);
	assert_int_equal(cp.attrs[0].type, CFG_INTERNAL_IP4_ADDRESS);
	assert_hex(cp.attrs[0].value.p, cp.attrs[0].value.len, "0a4d0001");
	/* the first bit is reserved */
	assert_int_equal(cp.attrs[1].type, CFG_INTERNAL_IP4_DNS);
	assert_int_equal(
		ike_cp_parse(hex_static("02000000 00010005 0a4d0001"), &cp),
		ERR_TRUNCATED);
	assert_int_equal(ike_cp_parse(hex_static("02000000 0001"), &cp),
			 ERR_TRUNCATED);
	assert_int_equal(ike_cp_parse(hex_static("020000"), &cp),
			 ERR_TRUNCATED);
	assert_int_equal(ike_cp_parse(hex_static("02000000"), &cp), OK);
	assert_int_equal(cp.n, 0);
}

static void cp_attributes_past_the_limit_are_left_out(void **state)
{
	uint8_t body[4 + 4 * (IKE_CP_MAX + 2)] = {CFG_REPLY};
	struct ike_cp cp;

	for (size_t i = 0; i < IKE_CP_MAX + 2; i++)
		body[4 + 4 * i + 1] = (uint8_t)(i & 0x7f);
	assert_int_equal(ike_cp_parse(BYTES_OF(body), &cp), OK);
	assert_int_equal(cp.n, IKE_CP_MAX);
	assert_int_equal(cp.attrs[1].type, 1);
	/* what is left out is well-formed all the same */
	assert_int_equal(ike_cp_parse(bytes(body, sizeof(body) - 1), &cp),
			 ERR_TRUNCATED);
}

static void notifies_are_found_among_malformed_ones(void **state)
{
	struct ike_notify n;
	struct ike_msg msg;

	assert_int_equal(ike_parse_hex(PLD_NOTIFY,
				       "29000008 00ff4006" /* SPI too long */
				       "29000009 00004006 aa"
				       "0000000a 00000011 0013",
				       &msg),
			 OK);
	assert_true(ike_msg_notify(&msg, N_COOKIE, &n));
	assert_hex(n.data.p, n.data.len, "aa");
	assert_true(ike_msg_error(&msg, &n));
	assert_int_equal(n.type, N_INVALID_KE_PAYLOAD);
	assert_false(ike_msg_notify(&msg, N_TICKET_NACK, &n));
	assert_int_equal(n.type, 0);
}

/* --- messages that strongSwan wrote ----------------------------------------
 */

static void strongswan_requests_are_understood(void **state)
{
	struct proposal_list l;
	struct ike_notify n;
	struct ike_msg msg;
	struct ike_ke ke;
	struct bytes nonce;

	assert_int_equal(ike_msg_parse(hex_static(ss_request), &msg), OK);
	assert_int_equal(msg.hdr.exchange, IKE_SA_INIT);
	assert_int_equal(msg.hdr.flags, IKE_FLAG_INITIATOR);
	assert_int_equal(msg.payloads[0].type, PLD_SA);
	assert_int_equal(proposals_parse(msg.payloads[0].body, &l), OK);
	assert_int_equal(l.n, 2);
	assert_int_equal(l.p[0].n, 38);
	assert_true(proposals_have_ke(&l, KE_X25519));
	assert_int_equal(ike_ke_parse(ike_msg_find(&msg, PLD_KE, 0)->body, &ke),
			 OK);
	assert_int_equal(ke.data.len, ke_find(ke.method)->public_len);
	assert_int_equal(
		ike_nonce_parse(ike_msg_find(&msg, PLD_NONCE, 0)->body, &nonce),
		OK);
	assert_int_equal(nonce.len, 32);
	assert_true(ike_msg_notify(&msg, N_NAT_DETECTION_SOURCE_IP, &n));
	assert_int_equal(n.data.len, 20);
	assert_true(ike_msg_notify(&msg, N_IKEV2_FRAGMENTATION_SUPPORTED, &n));
	assert_false(ike_msg_error(&msg, &n));
}

static void strongswan_answers_are_understood(void **state)
{
	struct proposal_list offer, answer;
	struct proposal chosen;
	struct ike_notify n;
	struct ike_msg msg;
	struct suite suite;
	char text[64];

	assert_int_equal(ike_msg_parse(hex_static(ss_request), &msg), OK);
	assert_int_equal(proposals_parse(msg.payloads[0].body, &offer), OK);
	assert_int_equal(ike_msg_parse(hex_static(ss_response), &msg), OK);
	assert_int_equal(msg.hdr.flags, IKE_FLAG_RESPONSE);
	assert_int_equal(proposals_parse(msg.payloads[0].body, &answer), OK);
	assert_int_equal(proposals_check_answer(&offer, &answer, &chosen), OK);
	assert_int_equal(suite_from_proposal(&chosen, &suite), OK);
	assert_string_equal(suite_str(&suite, text, sizeof(text)),
			    "aes128-sha256-prfsha256-x25519");
	assert_false(ike_msg_error(&msg, &n));
}

static void strongswan_refusals_are_understood(void **state)
{
	struct ike_notify n;
	struct ike_msg msg;

	assert_int_equal(ike_msg_parse(hex_static(ss_invalid_ke), &msg), OK);
	assert_true(ike_msg_error(&msg, &n));
	assert_int_equal(n.type, N_INVALID_KE_PAYLOAD);
	assert_hex(n.data.p, n.data.len, "0013");
	assert_int_equal(ike_msg_parse(hex_static(ss_no_proposal), &msg), OK);
	assert_true(ike_msg_error(&msg, &n));
	assert_int_equal(n.type, N_NO_PROPOSAL_CHOSEN);
	assert_int_equal(ike_msg_parse(hex_static(ss_cookie), &msg), OK);
	assert_true(ike_msg_notify(&msg, N_COOKIE, &n));
	assert_in_range(n.data.len, 1, IKE_COOKIE_MAX);
	assert_false(ike_msg_error(&msg, &n));
	assert_int_equal(ike_msg_parse(hex_static(ss_cookie_request), &msg),
			 OK);
	assert_int_equal(msg.payloads[0].type, PLD_NOTIFY);
	assert_int_equal(msg.payloads[1].type, PLD_SA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nonces_have_16_to_256_octets),
		cmocka_unit_test(a_key_exchange_without_data_is_refused),
		cmocka_unit_test(
			address_identities_have_the_length_of_an_address),
		cmocka_unit_test(auth_without_data_is_refused),
		cmocka_unit_test(the_spi_of_a_notify_must_fit),
		cmocka_unit_test(a_delete_agrees_with_its_counts),
		cmocka_unit_test(a_delete_of_many_keeps_the_first_ones),
		cmocka_unit_test(an_eap_packet_fills_its_payload),
		cmocka_unit_test(cp_attributes_keep_to_the_payload),
		cmocka_unit_test(cp_attributes_past_the_limit_are_left_out),
		cmocka_unit_test(notifies_are_found_among_malformed_ones),
		cmocka_unit_test(strongswan_requests_are_understood),
		cmocka_unit_test(strongswan_answers_are_understood),
		cmocka_unit_test(strongswan_refusals_are_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
