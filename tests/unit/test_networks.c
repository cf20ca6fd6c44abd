/* What is kept of networks. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "client/store/networks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64], file[80];

static int set_up(void **state)
{
	snprintf(dir, sizeof(dir), "/tmp/test_networks.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(file, sizeof(file), "%s/networks", dir);
	return 0;
}

static int tear_down(void **state)
{
	unlink(file);
	return rmdir(dir);
}

static void id_of(unsigned n, uint8_t out[NETWORK_ID_LEN])
{
	assert_int_equal(network_id(bytes(&n, sizeof(n)), out), OK);
}

static void put(unsigned n, uint32_t lives_ms, uint32_t dies_ms)
{
	const struct keepalive_known known = {lives_ms, dies_ms};
	uint8_t id[NETWORK_ID_LEN];

	id_of(n, id);
	assert_int_equal(networks_put(dir, id, &known, NULL), OK);
}

static struct keepalive_known get(unsigned n)
{
	struct keepalive_known known;
	uint8_t id[NETWORK_ID_LEN];

	id_of(n, id);
	networks_get(dir, id, &known);
	return known;
}

static size_t file_read(char *out, size_t cap)
{
	FILE *f = fopen(file, "r");
	size_t len;

	assert_non_null(f);
	len = fread(out, 1, cap - 1, f);
	out[len] = '\0';
	fclose(f);
	return len;
}

static void networks_nothing_is_known_at_first(void **state)
{
	assert_int_equal(get(1).lives_ms, 0);
	assert_int_equal(get(1).dies_ms, 0);
}

static void networks_what_was_put_is_there_again(void **state)
{
	put(1, 110000, 115000);
	put(2, 300000, 0);
	assert_int_equal(get(1).lives_ms, 110000);
	assert_int_equal(get(1).dies_ms, 115000);
	assert_int_equal(get(2).lives_ms, 300000);
	assert_int_equal(get(2).dies_ms, 0);
	assert_int_equal(get(3).lives_ms, 0);
}

static void networks_what_is_learnt_later_replaces(void **state)
{
	char text[400];

	put(1, 50000, 0);
	put(2, 60000, 0);
	put(1, 80000, 90000);
	assert_int_equal(get(1).lives_ms, 80000);
	assert_int_equal(get(2).lives_ms, 60000);
	assert_int_equal(file_read(text, sizeof(text)),
			 2 * NETWORK_ID_LEN * 2 + strlen(" 80 90\n 60 0\n"));
}

static void networks_the_one_not_seen_for_longest_is_forgotten(void **state)
{
	for (unsigned n = 0; n < 70; n++)
		put(n, (n + 1) * 1000, 0);
	assert_int_equal(get(69).lives_ms, 70000);
	assert_int_equal(get(6).lives_ms, 7000);
	assert_int_equal(get(5).lives_ms, 0);
}

static void networks_file_is_the_users_alone_and_names_no_network(void **state)
{
	const char router[] = "192.0.2.1 02:00:5e:10:00:01";
	const struct keepalive_known known = {20000, 0};
	uint8_t id[NETWORK_ID_LEN];
	struct stat st;
	char text[200];

	assert_int_equal(network_id(bytes_str(router), id), OK);
	assert_int_equal(networks_put(dir, id, &known, NULL), OK);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	file_read(text, sizeof(text));
	assert_null(strstr(text, "192.0.2.1"));
	assert_null(strstr(text, "02:00"));
}

static void networks_a_file_of_nonsense_is_no_harm(void **state)
{
	static const char *const lines[] = {
		"",
		"\n\n\n",
		"x",
		"ID -1 0\n",
		"ID 99999999999999999999 3\n",
		"ID 4000 0\n",
		"ID 10\n",
		"ID a b\n",
		"ID",
	};
	uint8_t id[NETWORK_ID_LEN];

	id_of(1, id);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		FILE *f = fopen(file, "w");
		const char *rest = lines[i];

		assert_non_null(f);
		if (strncmp(rest, "ID", 2) == 0) {
			for (size_t k = 0; k < NETWORK_ID_LEN; k++)
				fprintf(f, "%02x", id[k]);
			rest += 2;
		}
		fputs(rest, f);
		fclose(f);
		assert_int_equal(get(1).lives_ms, 0);
		assert_int_equal(get(1).dies_ms, 0);
		put(1, 30000, 0);
		assert_int_equal(get(1).lives_ms, 30000);
	}
}

static void networks_put_tells_where_nothing_can_be_written(void **state)
{
	const struct keepalive_known known = {20000, 0};
	uint8_t id[NETWORK_ID_LEN];
	struct diag diag = DIAG_INIT;

	id_of(1, id);
	assert_int_not_equal(networks_put("/nonexistent/x", id, &known, &diag),
			     OK);
	assert_true(diag.text[0]);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(networks_nothing_is_known_at_first),
		T(networks_what_was_put_is_there_again),
		T(networks_what_is_learnt_later_replaces),
		T(networks_the_one_not_seen_for_longest_is_forgotten),
		T(networks_file_is_the_users_alone_and_names_no_network),
		T(networks_a_file_of_nonsense_is_no_harm),
		T(networks_put_tells_where_nothing_can_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
