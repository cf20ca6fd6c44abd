/* Messages: header, chain, limits, every number, writing. */
#include <stdlib.h>

#include "tests/unit/ike_hex.h"

/* --- the numbers: once more, from the registry, not from ikev2.h -----------
 */

struct number {
	const char *name;
	unsigned int number;
};

/* IANA, "Internet Key Exchange Version 2 (IKEv2) Parameters". */
static const struct number exchanges[] = {
	{"IKE_SA_INIT", 34},	    {"IKE_AUTH", 35},
	{"CREATE_CHILD_SA", 36},    {"INFORMATIONAL", 37},
	{"IKE_SESSION_RESUME", 38}, {"IKE_INTERMEDIATE", 43},
};
static const struct number payload_types[] = {
	{"NONE", 0},   {"SA", 33},     {"KE", 34},	{"IDI", 35},
	{"IDR", 36},   {"CERT", 37},   {"CERTREQ", 38}, {"AUTH", 39},
	{"NONCE", 40}, {"NOTIFY", 41}, {"DELETE", 42},	{"VENDOR", 43},
	{"TSI", 44},   {"TSR", 45},    {"SK", 46},	{"CP", 47},
	{"EAP", 48},   {"SKF", 53},
};
static const struct number notify_types[] = {
	{"UNSUPPORTED_CRITICAL_PAYLOAD", 1},
	{"INVALID_IKE_SPI", 4},
	{"INVALID_MAJOR_VERSION", 5},
	{"INVALID_SYNTAX", 7},
	{"INVALID_MESSAGE_ID", 9},
	{"INVALID_SPI", 11},
	{"NO_PROPOSAL_CHOSEN", 14},
	{"INVALID_KE_PAYLOAD", 17},
	{"AUTHENTICATION_FAILED", 24},
	{"SINGLE_PAIR_REQUIRED", 34},
	{"NO_ADDITIONAL_SAS", 35},
	{"INTERNAL_ADDRESS_FAILURE", 36},
	{"FAILED_CP_REQUIRED", 37},
	{"TS_UNACCEPTABLE", 38},
	{"INVALID_SELECTORS", 39},
	{"UNACCEPTABLE_ADDRESSES", 40},
	{"UNEXPECTED_NAT_DETECTED", 41},
	{"TEMPORARY_FAILURE", 43},
	{"CHILD_SA_NOT_FOUND", 44},
	{"INITIAL_CONTACT", 16384},
	{"SET_WINDOW_SIZE", 16385},
	{"ADDITIONAL_TS_POSSIBLE", 16386},
	{"IPCOMP_SUPPORTED", 16387},
	{"NAT_DETECTION_SOURCE_IP", 16388},
	{"NAT_DETECTION_DESTINATION_IP", 16389},
	{"COOKIE", 16390},
	{"USE_TRANSPORT_MODE", 16391},
	{"HTTP_CERT_LOOKUP_SUPPORTED", 16392},
	{"REKEY_SA", 16393},
	{"ESP_TFC_PADDING_NOT_SUPPORTED", 16394},
	{"NON_FIRST_FRAGMENTS_ALSO", 16395},
	{"MOBIKE_SUPPORTED", 16396},
	{"ADDITIONAL_IP4_ADDRESS", 16397},
	{"ADDITIONAL_IP6_ADDRESS", 16398},
	{"NO_ADDITIONAL_ADDRESSES", 16399},
	{"UPDATE_SA_ADDRESSES", 16400},
	{"COOKIE2", 16401},
	{"NO_NATS_ALLOWED", 16402},
	{"AUTH_LIFETIME", 16403},
	{"REDIRECT_SUPPORTED", 16406},
	{"REDIRECT", 16407},
	{"REDIRECTED_FROM", 16408},
	{"TICKET_LT_OPAQUE", 16409},
	{"TICKET_REQUEST", 16410},
	{"TICKET_ACK", 16411},
	{"TICKET_NACK", 16412},
	{"TICKET_OPAQUE", 16413},
	{"EAP_ONLY_AUTHENTICATION", 16417},
	{"CHILDLESS_IKEV2_SUPPORTED", 16418},
	{"QUICK_CRASH_DETECTION", 16419},
	{"IKEV2_FRAGMENTATION_SUPPORTED", 16430},
	{"SIGNATURE_HASH_ALGORITHMS", 16431},
	{"INTERMEDIATE_EXCHANGE_SUPPORTED", 16438},
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static void one_number(const struct number *table, size_t n, const char *name,
		       unsigned int number)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(table[i].name, name) == 0) {
			assert_int_equal(table[i].number, number);
			return;
		}
	fail_msg("%s is not in the registry's table", name);
}

static void every_number_is_that_of_the_registry(void **state)
{
	size_t n = 0;

#define X(name, num)                                                           \
	one_number(exchanges, COUNT_OF(exchanges), ike_exchange_name(name),    \
		   name);                                                      \
	n++;
	EXCHANGE_LIST(X)
#undef X
	assert_int_equal(n, COUNT_OF(exchanges));
	n = 0;
#define X(name, num)                                                           \
	one_number(payload_types, COUNT_OF(payload_types),                     \
		   ike_payload_name(name), name);                              \
	n++;
	PAYLOAD_LIST(X)
#undef X
	assert_int_equal(n, COUNT_OF(payload_types));
	n = 0;
#define X(name, num)                                                           \
	one_number(notify_types, COUNT_OF(notify_types),                       \
		   ike_notify_name(name), name);                               \
	n++;
	NOTIFY_LIST(X)
#undef X
	assert_int_equal(n, COUNT_OF(notify_types));
	assert_string_equal(ike_exchange_name(0), "unknown");
	assert_string_equal(ike_payload_name(255), "unknown");
	assert_string_equal(ike_notify_name(65535), "unknown");
}

/* The octets on the wire, where a list of numbers is not enough. */
static void every_payload_type_goes_out_as_its_number(void **state)
{
	struct ike_hdr hdr = {.exchange = IKE_SESSION_RESUME};
	struct ike_wr m;
	struct bytes out;
	uint8_t buf[64];

#define X(name, num)                                                           \
	ike_wr_start(&m, buf, sizeof(buf), &hdr);                              \
	ike_wr_payload(&m, name, BYTES_NONE);                                  \
	assert_int_equal(ike_wr_end(&m, &out), OK);                            \
	assert_int_equal(out.len, 32);                                         \
	assert_int_equal(buf[16], num);                                        \
	assert_int_equal(buf[17], 0x20);                                       \
	assert_int_equal(buf[18], 38);
	PAYLOAD_LIST(X)
#undef X
#define X(name, num)                                                           \
	ike_wr_start_chain(&m, buf, sizeof(buf));                              \
	ike_wr_notify(&m, name, BYTES_NONE);                                   \
	assert_int_equal(ike_wr_end(&m, &out), OK);                            \
	assert_int_equal(buf[6] << 8 | buf[7], num);
	NOTIFY_LIST(X)
#undef X
}

/* --- header ------------------------------------------------------------------
 */

static void a_header_is_read_field_by_field(void **state)
{
	struct ike_hdr hdr;

	assert_int_equal(ike_hdr_parse(hex_static("0102030405060708"
						  "1112131415161718"
						  "2e 20 23 08"
						  "00000001 0000001c"),
				       &hdr),
			 OK);
	assert_true(hdr.spi_i == 0x0102030405060708);
	assert_true(hdr.spi_r == 0x1112131415161718);
	assert_int_equal(hdr.next_payload, PLD_SK);
	assert_int_equal(hdr.exchange, IKE_AUTH);
	assert_int_equal(hdr.flags, IKE_FLAG_INITIATOR);
	assert_int_equal(hdr.msg_id, 1);
	assert_int_equal(hdr.len, 28);
}

static enum err hdr_with(const char *version_to_len, size_t cut)
{
	char text[128];
	struct ike_hdr hdr;
	struct bytes b;

	snprintf(text, sizeof(text), "0102030405060708 0000000000000000 00 %s",
		 version_to_len);
	b = hex_static(text);
	return ike_hdr_parse(bytes(b.p, b.len - cut), &hdr);
}

static void a_header_with_a_wrong_length_is_refused(void **state)
{
	assert_int_equal(hdr_with("20 22 08 00000000 0000001c", 0), OK);
	assert_int_equal(hdr_with("20 22 08 00000000 0000001b", 0),
			 ERR_MALFORMED);
	assert_int_equal(hdr_with("20 22 08 00000000 0000001d", 0),
			 ERR_TRUNCATED);
	assert_int_equal(hdr_with("20 22 08 00000000 ffffffff", 0),
			 ERR_TRUNCATED);
	assert_int_equal(hdr_with("20 22 08 00000000 00000000", 0),
			 ERR_MALFORMED);
	for (size_t cut = 1; cut <= 28; cut++)
		assert_int_equal(hdr_with("20 22 08 00000000 0000001c", cut),
				 ERR_TRUNCATED);
}

static void only_the_major_version_counts(void **state)
{
	assert_int_equal(hdr_with("21 22 08 00000000 0000001c", 0), OK);
	assert_int_equal(hdr_with("2f 22 08 00000000 0000001c", 0), OK);
	/* IKEv1, and a future one */
	assert_int_equal(hdr_with("10 02 08 00000000 0000001c", 0),
			 ERR_UNSUPPORTED);
	assert_int_equal(hdr_with("30 22 08 00000000 0000001c", 0),
			 ERR_UNSUPPORTED);
}

/* --- chain -----------------------------------------------------------------
 */

static void a_chain_is_given_as_views_in_order(void **state)
{
	struct ike_msg msg;

	assert_int_equal(ike_parse_hex(PLD_NOTIFY,
				       "29000008 00004000"
				       "2b000008 00004004"
				       "00000006 abcd",
				       &msg),
			 OK);
	assert_int_equal(msg.n_payloads, 3);
	assert_int_equal(ike_msg_count(&msg, PLD_NOTIFY), 2);
	assert_ptr_equal(ike_msg_find(&msg, PLD_NOTIFY, 1), &msg.payloads[1]);
	assert_null(ike_msg_find(&msg, PLD_NOTIFY, 2));
	assert_null(ike_msg_find(&msg, PLD_SA, 0));
	assert_int_equal(msg.payloads[2].type, PLD_VENDOR);
	assert_hex(msg.payloads[2].body.p, msg.payloads[2].body.len, "abcd");
	assert_int_equal(msg.sk_type, 0);
}

static void a_payload_shorter_than_its_header_is_refused(void **state)
{
	struct ike_msg msg;

	assert_int_equal(ike_parse_hex(PLD_VENDOR, "00000000", &msg),
			 ERR_MALFORMED);
	assert_int_equal(ike_parse_hex(PLD_VENDOR, "00000001", &msg),
			 ERR_MALFORMED);
	assert_int_equal(ike_parse_hex(PLD_VENDOR, "00000002", &msg),
			 ERR_MALFORMED);
	assert_int_equal(ike_parse_hex(PLD_VENDOR, "00000003", &msg),
			 ERR_MALFORMED);
	assert_int_equal(ike_parse_hex(PLD_VENDOR, "00000004", &msg), OK);
	assert_int_equal(msg.payloads[0].body.len, 0);
	/* of an unknown type as well */
	assert_int_equal(ike_parse_hex(200, "00000000", &msg), ERR_MALFORMED);
	assert_int_equal(ike_parse_hex(200, "2b000003", &msg), ERR_MALFORMED);
}

static void a_chain_that_ends_early_or_late_is_refused(void **state)
{
	struct ike_msg msg;

	assert_int_equal(ike_parse_hex(PLD_VENDOR, "", &msg), ERR_TRUNCATED);
	assert_int_equal(ike_parse_hex(PLD_VENDOR, "000000", &msg),
			 ERR_TRUNCATED);
	assert_int_equal(ike_parse_hex(PLD_VENDOR, "00000005", &msg),
			 ERR_TRUNCATED);
	assert_int_equal(ike_parse_hex(PLD_VENDOR, "0000ffff 00", &msg),
			 ERR_TRUNCATED);
	assert_int_equal(ike_parse_hex(PLD_VENDOR, "2b000004", &msg),
			 ERR_TRUNCATED);
	assert_int_equal(ike_parse_hex(PLD_VENDOR, "00000004 00", &msg),
			 ERR_MALFORMED);
	assert_int_equal(ike_parse_hex(PLD_NONE, "00000004", &msg),
			 ERR_MALFORMED);
	assert_int_equal(ike_parse_hex(PLD_NONE, "", &msg), OK);
}

static void an_unknown_payload_is_skipped_unless_critical(void **state)
{
	struct ike_msg msg;

	assert_int_equal(ike_parse_hex(200, "2b000006 ffff 00000004", &msg),
			 OK);
	assert_int_equal(msg.n_payloads, 1);
	assert_int_equal(msg.payloads[0].type, PLD_VENDOR);
	assert_int_equal(msg.unknown_critical, 0);
	/* reserved bits are none of it */
	assert_int_equal(ike_parse_hex(200, "2b7f0006 ffff 00000004", &msg),
			 OK);
	assert_int_equal(ike_parse_hex(200, "2b800006 ffff 00000004", &msg),
			 ERR_UNSUPPORTED);
	assert_int_equal(msg.unknown_critical, 200);
}

static void the_critical_bit_of_a_known_payload_means_nothing(void **state)
{
	struct ike_msg msg;

	for (unsigned int type = PLD_SA; type <= PLD_EAP; type++) {
		if (type == PLD_SK)
			continue;
		assert_int_equal(ike_parse_hex((uint8_t)type, "00800004", &msg),
				 OK);
		assert_int_equal(msg.n_payloads, 1);
		assert_true(msg.payloads[0].critical);
		assert_int_equal(msg.unknown_critical, 0);
	}
}

/* CVE-2015-3991: types of the other version mean nothing here. */
static void payload_types_of_ikev1_are_unknown(void **state)
{
	struct ike_msg msg;

	for (unsigned int type = 1; type < PLD_SA; type++) {
		assert_int_equal(
			ike_parse_hex((uint8_t)type, "00000008 00000000", &msg),
			OK);
		assert_int_equal(msg.n_payloads, 0);
		assert_int_equal(
			ike_parse_hex((uint8_t)type, "00800008 00000000", &msg),
			ERR_UNSUPPORTED);
		assert_int_equal(msg.unknown_critical, type);
	}
}

static void sk_closes_the_chain(void **state)
{
	struct ike_msg msg;

	assert_int_equal(
		ike_parse_hex(PLD_VENDOR, "2e000004 23000008 01020304", &msg),
		OK);
	assert_int_equal(msg.n_payloads, 1);
	assert_int_equal(msg.sk_type, PLD_SK);
	assert_int_equal(msg.sk_first, PLD_IDI);
	assert_int_equal(msg.sk_offset, 32);
	assert_hex(msg.sk_body.p, msg.sk_body.len, "01020304");
	assert_int_equal(ike_parse_hex(PLD_SKF, "23000008 00010002", &msg), OK);
	assert_int_equal(msg.sk_type, PLD_SKF);
	/* its next payload is inside, so what follows is left over */
	assert_int_equal(
		ike_parse_hex(PLD_SK, "2b000008 01020304 00000004", &msg),
		ERR_MALFORMED);
}

static void sk_does_not_stand_inside_sk(void **state)
{
	struct ike_msg msg = {0};

	assert_int_equal(ike_chain_parse(PLD_SK, hex_static("00000004"), &msg),
			 ERR_MALFORMED);
	assert_int_equal(ike_chain_parse(PLD_SKF,
					 hex_static("00000008"
						    "00010001"),
					 &msg),
			 ERR_MALFORMED);
	assert_int_equal(ike_chain_parse(PLD_NONE, BYTES_NONE, &msg), OK);
	assert_int_equal(msg.sk_type, 0);
}

static void a_message_of_too_many_payloads_is_refused(void **state)
{
	struct ike_hdr hdr = {.exchange = IKE_SA_INIT};
	static uint8_t buf[1024];
	struct ike_msg msg;
	struct ike_wr m;
	struct bytes out;

	for (size_t n = IKE_PAYLOADS_MAX; n <= IKE_PAYLOADS_MAX + 1; n++) {
		ike_wr_start(&m, buf, sizeof(buf), &hdr);
		for (size_t i = 0; i < n; i++)
			ike_wr_payload(&m, PLD_VENDOR, BYTES_NONE);
		assert_int_equal(ike_wr_end(&m, &out), OK);
		assert_int_equal(ike_msg_parse(out, &msg),
				 n == IKE_PAYLOADS_MAX ? OK : ERR_MALFORMED);
	}
}

/* --- write -----------------------------------------------------------------
 */

static void a_message_that_does_not_fit_is_an_error(void **state)
{
	static uint8_t large[70000];
	static uint8_t buf[80000];
	struct ike_hdr hdr = {.exchange = IKE_AUTH};
	struct ike_wr m;
	struct bytes out;

	for (size_t cap = 0; cap < 36; cap++) {
		ike_wr_start(&m, buf, cap, &hdr);
		ike_wr_notify(&m, N_COOKIE, BYTES_NONE);
		assert_int_equal(ike_wr_end(&m, &out), ERR_NO_SPACE);
		assert_int_equal(out.len, 0);
	}
	ike_wr_start(&m, buf, sizeof(buf), &hdr);
	ike_wr_payload(&m, PLD_VENDOR, bytes(large, 65535 - 4));
	assert_int_equal(ike_wr_end(&m, &out), OK);
	assert_hex(buf + 24, 4, "0001001b");
	ike_wr_start(&m, buf, sizeof(buf), &hdr);
	ike_wr_payload(&m, PLD_VENDOR, bytes(large, 65536 - 4));
	assert_int_equal(ike_wr_end(&m, &out), ERR_NO_SPACE);
}

/* The octets of RFC 5723's own request, put together by hand. */
static void a_resume_request_is_written_octet_by_octet(void **state)
{
	struct ike_hdr hdr = {.spi_i = 0x0102030405060708,
			      .exchange = IKE_SESSION_RESUME,
			      .flags = IKE_FLAG_INITIATOR};
	struct ike_wr m;
	struct bytes out;
	uint8_t buf[256];

	ike_wr_start(&m, buf, sizeof(buf), &hdr);
	ike_wr_payload(&m, PLD_NONCE,
		       hex_static("00112233445566778899"
				  "aabbccddeeff"));
	ike_wr_notify(&m, N_TICKET_OPAQUE, bytes("ticket", 6));
	assert_int_equal(ike_wr_end(&m, &out), OK);
	assert_int_equal(ike_wr_first(&m), PLD_NONCE);
	assert_hex(out.p, out.len,
		   "0102030405060708 0000000000000000 28202608 00000000"
		   "0000003e 29000014 00112233445566778899aabbccddeeff"
		   "0000000e 0000401d 7469636b6574");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_number_is_that_of_the_registry),
		cmocka_unit_test(every_payload_type_goes_out_as_its_number),
		cmocka_unit_test(a_header_is_read_field_by_field),
		cmocka_unit_test(a_header_with_a_wrong_length_is_refused),
		cmocka_unit_test(only_the_major_version_counts),
		cmocka_unit_test(a_chain_is_given_as_views_in_order),
		cmocka_unit_test(a_payload_shorter_than_its_header_is_refused),
		cmocka_unit_test(a_chain_that_ends_early_or_late_is_refused),
		cmocka_unit_test(an_unknown_payload_is_skipped_unless_critical),
		cmocka_unit_test(
			the_critical_bit_of_a_known_payload_means_nothing),
		cmocka_unit_test(payload_types_of_ikev1_are_unknown),
		cmocka_unit_test(sk_closes_the_chain),
		cmocka_unit_test(sk_does_not_stand_inside_sk),
		cmocka_unit_test(a_message_of_too_many_payloads_is_refused),
		cmocka_unit_test(a_message_that_does_not_fit_is_an_error),
		cmocka_unit_test(a_resume_request_is_written_octet_by_octet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
