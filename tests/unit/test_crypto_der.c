/* The DER reader under the certificates: what is not DER is refused. */
#include "tests/unit/crypto_hex.h"

#include "client/crypto/der.h"
#include "client/crypto/utf8.h"
#include "client/crypto/x509.h"

static void lengths_must_be_definite_and_shortest(void **state)
{
	static const char *const bad[] = {
		"0480",		/* indefinite */
		"04810101",	/* long form of 1 */
		"0482007f",	/* padded */
		"0483000080",	/* padded */
		"048401000000", /* longer than we take */
		"04",		/* no length */
		"0402aa",	/* short */
		"1f0400",	/* tag of several octets */
	};
	uint8_t buf[300] = {0x04, 0x82, 0x01, 0x00};
	struct rd r;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t small[8];

		r = rd_open(bytes(small, hex_read(bad[i], small, 8)));
		(void)der_take(&r, DER_OCTET_STRING);
		assert_false(rd_ok(&r));
	}
	r = rd_open(bytes(buf, 260));
	assert_int_equal(der_take(&r, DER_OCTET_STRING).len, 256);
	assert_int_equal(rd_finish(&r), OK);
	r = rd_open(HEX("0400"));
	assert_int_equal(der_take(&r, DER_OCTET_STRING).len, 0);
	assert_int_equal(rd_finish(&r), OK);
}

static void an_error_in_a_part_is_an_error_of_the_whole(void **state)
{
	struct rd r = rd_open(HEX("3003020105")), sub;

	sub = der_open(&r, DER_SET);
	assert_false(rd_ok(&sub));
	assert_false(rd_ok(&r));
	assert_int_equal(der_uint(&sub), 0);
}

static void integers_have_no_superfluous_octets(void **state)
{
	static const struct {
		const char *hex;
		bool good;
		uint32_t value;
	} cases[] = {
		{"020100", true, 0},
		{"02017f", true, 127},
		{"02020080", true, 128},
		{"02047fffffff", true, 0x7fffffff},
		{"0200", false, 0},
		{"02020001", false, 0},
		{"0202ff80", false, 0},
		{"0201ff", false, 0},
		{"020500ffffffff", false, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t buf[8];
		struct rd r = rd_open(
			bytes(buf, hex_read(cases[i].hex, buf, sizeof(buf))));

		assert_int_equal(der_uint(&r), cases[i].value);
		assert_int_equal(rd_ok(&r), cases[i].good);
	}
}

static void a_positive_number_is_given_without_its_sign_octet(void **state)
{
	struct rd r = rd_open(HEX("020300ff01"));
	struct bytes b = der_positive(&r);

	assert_hex(b.p, b.len, "ff01");
	r = rd_open(HEX("020100"));
	(void)der_positive(&r);
	assert_false(rd_ok(&r));
	r = rd_open(HEX("0201ff"));
	(void)der_positive(&r);
	assert_false(rd_ok(&r));
}

static void booleans_are_00_or_ff(void **state)
{
	struct rd r = rd_open(HEX("0101ff"));

	assert_true(der_bool(&r, false));
	r = rd_open(HEX("010100"));
	assert_false(der_bool(&r, true));
	r = rd_open(HEX("020101"));
	assert_true(der_bool(&r, true)); /* absent */
	assert_int_equal(rd_left(&r), 3);
	r = rd_open(HEX("010101"));
	(void)der_bool(&r, false);
	assert_false(rd_ok(&r));
}

static int64_t time_of(uint8_t tag, const char *text, bool *good)
{
	uint8_t buf[40] = {tag, (uint8_t)strlen(text)};
	struct rd r;
	int64_t t;

	memcpy(buf + 2, text, strlen(text));
	r = rd_open(bytes(buf, 2 + strlen(text)));
	t = der_time(&r);
	*good = rd_finish(&r) == OK;
	return t;
}

/* The seconds are those of date -u -d ... +%s. */
static void times_become_unix_seconds(void **state)
{
	static const struct {
		uint8_t tag;
		const char *text;
		int64_t seconds;
		const char *date;
	} cases[] = {
		{DER_UTC_TIME, "700101000000Z", 0, "1970-01-01"},
		{DER_UTC_TIME, "500101000000Z", -631152000, "1950-01-01"},
		{DER_UTC_TIME, "491231235959Z", 2524607999, "2049-12-31"},
		{DER_UTC_TIME, "240229120000Z", 1709208000, "2024-02-29"},
		{DER_UTC_TIME, "260102030405Z", 1767323045, "2026-01-02"},
		{DER_GENERALIZED_TIME, "20500101000000Z", 2524608000,
		 "2050-01-01"},
		{DER_GENERALIZED_TIME, "21000228235959Z", 4107542399,
		 "2100-02-28"},
		{DER_GENERALIZED_TIME, "99991231235959Z", 253402300799,
		 "9999-12-31"},
	};
	char date[16];
	bool good;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t t = time_of(cases[i].tag, cases[i].text, &good);

		assert_true(good);
		assert_true(t == cases[i].seconds);
		assert_string_equal(der_date(t, date), cases[i].date);
	}
}

static void times_that_are_none_are_refused(void **state)
{
	static const char *const utc[] = {"",
					  "7001010000Z",
					  "700101000000",
					  "700101000000+0100",
					  "700101000000z",
					  "701301000000Z",
					  "700001000000Z",
					  "700100000000Z",
					  "700132000000Z",
					  "230229000000Z",
					  "700101240000Z",
					  "700101006000Z",
					  "700101000060Z",
					  "70010100000aZ",
					  "700101000000Z0"};
	static const char *const generalized[] = {
		"20500101000000.5Z", "2050010100Z", "21000229000000Z",
		"19491231235959Z"};
	bool good;

	for (size_t i = 0; i < sizeof(utc) / sizeof(utc[0]); i++) {
		(void)time_of(DER_UTC_TIME, utc[i], &good);
		assert_false(good);
	}
	for (size_t i = 0; i < sizeof(generalized) / sizeof(generalized[0]);
	     i++) {
		(void)time_of(DER_GENERALIZED_TIME, generalized[i], &good);
		assert_false(good);
	}
	(void)time_of(DER_IA5, "700101000000Z", &good);
	assert_false(good);
}

static void oids_are_shown_with_dots(void **state)
{
	char text[40], small[8];

	assert_string_equal(der_oid_text(HEX("551d11"), text, sizeof(text)),
			    "2.5.29.17");
	assert_string_equal(
		der_oid_text(HEX("2a864886f70d010101"), text, sizeof(text)),
		"1.2.840.113549.1.1.1");
	assert_string_equal(der_oid_text(HEX("8837 03"), text, sizeof(text)),
			    "2.999.3");
	assert_int_equal(strlen(der_oid_text(HEX("2a864886f70d010101"), small,
					     sizeof(small))) < sizeof(small),
			 true);
	assert_string_equal(der_oid_text(BYTES_NONE, text, sizeof(text)), "");
}

static void shown_text_is_utf_8_and_one_line(void **state)
{
	char text[40], small[6];

	assert_string_equal(text_safe(bytes_str("St\xc3\xa4"
						"dte"),
				      text, sizeof(text)),
			    "St\xc3\xa4"
			    "dte");
	assert_string_equal(text_safe(bytes_str("a\xff\xc3z\n\x1b[31m\xc2\x9b"),
				      text, sizeof(text)),
			    "a??z??[31m?");
	assert_string_equal(text_safe(bytes("a\0b", 3), text, sizeof(text)),
			    "a?b");
	/* Never half a character. */
	assert_string_equal(
		text_safe(bytes_str("abcd\xc3\xa4"), small, sizeof(small)),
		"abcd");
	snprintf(small, sizeof(small), "abc\xe2\x82");
	utf8_trim(small);
	assert_string_equal(small, "abc");
	snprintf(small, sizeof(small), "ab\xe2\x82\xac");
	utf8_trim(small);
	assert_string_equal(small, "ab\xe2\x82\xac");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lengths_must_be_definite_and_shortest),
		cmocka_unit_test(an_error_in_a_part_is_an_error_of_the_whole),
		cmocka_unit_test(integers_have_no_superfluous_octets),
		cmocka_unit_test(
			a_positive_number_is_given_without_its_sign_octet),
		cmocka_unit_test(booleans_are_00_or_ff),
		cmocka_unit_test(times_become_unix_seconds),
		cmocka_unit_test(times_that_are_none_are_refused),
		cmocka_unit_test(oids_are_shown_with_dots),
		cmocka_unit_test(shown_text_is_utf_8_and_one_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
