/* Distinguished names written by people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "client/crypto/dn.h"
#include "tests/unit/crypto_hex.h"

struct name {
	uint8_t b[600];
	struct bytes der;
};

static void parse(const char *text, struct name *out)
{
	struct wr w = wr_open(out->b, sizeof(out->b));
	struct diag diag = DIAG_INIT;

	assert_int_equal(dn_parse(bytes_str(text), &w, &diag), OK);
	assert_int_equal(wr_finish(&w), OK);
	out->der = wr_view(&w);
}

static void assert_reads(const char *text, const char *shown)
{
	struct name n;
	char buf[400];

	parse(text, &n);
	assert_string_equal(dn_text(n.der, buf, sizeof(buf)), shown);
}

static void assert_refused(const char *text, const char *why)
{
	uint8_t buf[600];
	struct wr w = wr_open(buf, sizeof(buf));
	struct diag diag = DIAG_INIT;

	assert_int_equal(dn_parse(bytes_str(text), &w, &diag), ERR_MALFORMED);
	assert_non_null(strstr(diag.text, why));
}

static void assert_der(const char *text, struct bytes want)
{
	struct name n;

	parse(text, &n);
	assert_int_equal(n.der.len, want.len);
	assert_memory_equal(n.der.p, want.p, want.len);
}

static void what_is_shown_can_be_written(void **state)
{
	assert_reads("C=XX, O=Lab, CN=gw", "C=XX, O=Lab, CN=gw");
	assert_reads("CN=gw", "CN=gw");
	assert_reads("DC=org, DC=example, UID=alice, E=a@example.org",
		     "DC=org, DC=example, UID=alice, E=a@example.org");
	assert_reads("O=B\xc3\xa4r, CN=gw", "O=B\xc3\xa4r, CN=gw");
}

static void labels_have_no_case_and_more_than_one_form(void **state)
{
	assert_reads("c=XX,o=Lab,cn=gw", "C=XX, O=Lab, CN=gw");
	assert_reads("emailAddress=a@b, S=Here, givenName=A, surname=B",
		     "E=a@b, ST=Here, GN=A, SN=B");
}

static void a_kind_without_a_name_has_its_number(void **state)
{
	assert_reads("2.5.4.97=x, CN=gw", "2.5.4.97=x, CN=gw");
	assert_reads("1.3.6.1.4.1.99999=x", "1.3.6.1.4.1.99999=x");
	assert_reads("2.5.4.3=gw", "CN=gw");
	assert_der("2.5.4.97=x", HEX("300c310a300806035504611301 78"));
	assert_refused("2=x", "no attribute");
	assert_refused("2.5.=x", "no attribute");
	assert_refused("3.5=x", "no attribute");
	assert_refused("2..5=x", "no attribute");
	assert_refused("2.5.99999999999=x", "no attribute");
}

static void the_form_of_openssl_is_taken(void **state)
{
	assert_reads("/C=XX/O=Lab/CN=gw", "C=XX, O=Lab, CN=gw");
	assert_reads("/O=Lab/CN=https://gw/x, y", "O=Lab, CN=https://gw/x, y");
}

static void a_comma_or_space_may_be_part_of_a_value(void **state)
{
	assert_reads("O=Example, Inc., CN=gw", "O=Example, Inc., CN=gw");
	assert_reads("O=a b , CN = gw ", "O=a b, CN=gw");
	assert_reads("O=a\\, CN=b", "O=a, CN=b");
	assert_reads("O=x\\ , CN=gw", "O=x , CN=gw");
	assert_reads("O=a\\", "O=a\\");
	assert_reads("CN=a=b, c", "CN=a=b, c");
}

static void it_is_the_name_in_the_certificate(void **state)
{
	struct bytes subject =
		HEX("3028310b3009060355040613025858310c300a06035504"
		    "0a13036c6162310b3009060355040313024757");
	struct bytes utf8 = HEX("3024310c300a060355040a0c034c61623114301206"
				"035504030c0b5468652047617465776179");
	struct name n;

	assert_der("C=XX, O=lab, CN=GW", subject);
	parse("C=XX, O=Lab, CN=gw", &n);
	assert_true(dn_equal(n.der, subject));
	parse("O=LAB, CN=the  gateway", &n);
	assert_true(dn_equal(n.der, utf8));
	parse("CN=the gateway, O=Lab", &n);
	assert_false(dn_equal(n.der, utf8));
	parse("O=Lab", &n);
	assert_false(dn_equal(n.der, utf8));
}

static void each_string_has_the_type_of_its_kind(void **state)
{
	assert_der("DC=lab", HEX("30153113301106 0a0992268993f22c640119"
				 "1603 6c6162"));
	assert_der("CN=a_b", HEX("300e310c300a06035504030c03615f62"));
}

static void what_is_no_name_is_refused(void **state)
{
	char text[900] = "CN=";

	assert_refused("", "no attribute");
	assert_refused("/", "no attribute");
	assert_refused("gw", "no attribute");
	assert_refused("=x", "no attribute");
	assert_refused("FOO=x", "no attribute");
	assert_refused("CN=", "empty");
	assert_refused("CN=, O=x", "empty");
	memset(text + 3, 'a', 201);
	assert_refused(text, "too long");
	for (int i = 0; i < 8; i++)
		memcpy(text + 100 * i, ",O=", 3);
	text[0] = ' ';
	text[800] = '\0';
	memset(text + 204, 'a', 96);
	for (int i = 3; i < 8; i++)
		memset(text + 100 * i + 3, 'a', 97);
	assert_refused(text, "too long");
}

static void a_name_that_does_not_fit_is_an_overflow(void **state)
{
	uint8_t buf[10];
	struct wr w = wr_open(buf, sizeof(buf));

	assert_int_equal(dn_parse(bytes_str("C=XX, CN=gw"), &w, NULL), OK);
	assert_int_equal(wr_finish(&w), ERR_NO_SPACE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_shown_can_be_written),
		cmocka_unit_test(labels_have_no_case_and_more_than_one_form),
		cmocka_unit_test(a_kind_without_a_name_has_its_number),
		cmocka_unit_test(the_form_of_openssl_is_taken),
		cmocka_unit_test(a_comma_or_space_may_be_part_of_a_value),
		cmocka_unit_test(it_is_the_name_in_the_certificate),
		cmocka_unit_test(each_string_has_the_type_of_its_kind),
		cmocka_unit_test(what_is_no_name_is_refused),
		cmocka_unit_test(a_name_that_does_not_fit_is_an_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
