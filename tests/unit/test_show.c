/* What people read: lines that fit, times, sizes. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/cli.h"

static char *page;
static size_t page_len;

static struct show open_page(size_t width)
{
	free(page);
	page = NULL;
	return (struct show){.out = open_memstream(&page, &page_len),
			     .width = width};
}

static void long_texts_go_on_below_their_beginning(void **state)
{
	struct show show = open_page(40);

	show_row(&show, "how", "one two three four five six seven eight");
	fclose(show.out);
	assert_string_equal(page, "  how         one two three four five\n"
				  "              six seven eight\n");
}

static void a_word_too_long_for_a_line_is_cut(void **state)
{
	struct show show = open_page(40);

	show_row(&show, "id", "%s", "abcdefghijklmnopqrstuvwxyz0123456789");
	fclose(show.out);
	assert_string_equal(page, "  id          abcdefghijklmnopqrstuvwxyz\n"
				  "              0123456789\n");
}

static void letters_of_several_octets_have_one_column(void **state)
{
	struct show show = open_page(40);

	show_row(&show, "id", "%s",
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4"
		 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4 "
		 "bcdefghijklm");
	fclose(show.out);
	/* 14 + 13 + 1 + 12 are 40. */
	assert_null(strchr(strchr(page, '\n') + 1, '\n'));
}

static void an_empty_text_is_one_line(void **state)
{
	struct show show = open_page(80);

	show_row(&show, "dns", "%s", "");
	fclose(show.out);
	assert_string_equal(page, "  dns         \n");
}

static void times_have_two_units_at_most(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} cases[] = {{0, "0 s"},	  {59, "59 s"},
		     {60, "1 min"},	  {3599, "59 min"},
		     {3600, "1 h 0 min"}, {86399, "23 h 59 min"},
		     {86400, "1 d 0 h"},  {-5, "-5 s"}};
	char buf[32];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(show_duration(cases[i].s, buf, sizeof(buf)),
				    cases[i].text);
}

static void sizes_have_a_unit_that_fits(void **state)
{
	char buf[32];

	assert_string_equal(show_size(999, buf), "999 B");
	assert_string_equal(show_size(1000, buf), "1.0 kB");
	assert_string_equal(show_size(12345678, buf), "12.3 MB");
	assert_string_equal(show_size(1e18, buf), "1000000.0 TB");
}

/* Identities and errors may be as long as they like. */
static void a_status_of_long_values_stays_in_its_columns(void **state)
{
	char name[61], id[251];
	struct show show = open_page(80);
	json_t *status;

	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	memset(id, 'i', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	status = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:n}",
			   "name", "lab", "state", "connecting", "pid", 1,
			   "gateway", id, "gateway_address", name,
			   "local_address", name, "identity", id, "last_error",
			   id, "ticket");
	show_status(&show, status);
	json_decref(status);
	fclose(show.out);
	for (char *line = strtok(page, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_texts_go_on_below_their_beginning),
		cmocka_unit_test(a_word_too_long_for_a_line_is_cut),
		cmocka_unit_test(letters_of_several_octets_have_one_column),
		cmocka_unit_test(an_empty_text_is_one_line),
		cmocka_unit_test(times_have_two_units_at_most),
		cmocka_unit_test(sizes_have_a_unit_that_fits),
		cmocka_unit_test(a_status_of_long_values_stays_in_its_columns),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	free(page);
	return failed;
}
