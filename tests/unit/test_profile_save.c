/* A new profile on the disk: all of it, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/store/profile_file.h"

static struct places places;
static char dir[64], path[PLACE_MAX];
static struct diag diag;

static int setup(void **state)
{
	memset(&places, 0, sizeof(places));
	strcpy(dir, "/tmp/vpc-save.XXXXXX");
	assert_non_null(mkdtemp(dir));
	/* Not there yet, nor its parent. */
	snprintf(places.config[0], PLACE_MAX, "%s/config/vpn-connect", dir);
	snprintf(places.config[1], PLACE_MAX, "%s/other", dir);
	diag_clear(&diag);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static enum err save(const char *name, const struct profile_extra *extras,
		     size_t n)
{
	diag_clear(&diag);
	return profile_file_save(
		&places, &(struct profile_new){name, "[gateway]\n", extras, n},
		path, &diag);
}

static const char *in_config(const char *file)
{
	static char whole[PLACE_MAX + 64];

	snprintf(whole, sizeof(whole), "%s/%s", places.config[0], file);
	return whole;
}

static void everything_is_there_and_closed_to_others(void **state)
{
	const struct profile_extra extras[] = {{"-key.pem", bytes_str("key")},
					       {"-password", bytes_str("pw")}};
	static const char *const files[] = {"work.conf", "work-key.pem",
					    "work-password"};
	struct stat st;

	assert_int_equal(save("work", extras, 2), OK);
	assert_string_equal(path, in_config("work.conf"));
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(stat(in_config(files[i]), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
	}
}

static void nothing_is_replaced(void **state)
{
	const struct profile_extra extra = {"-key.pem", bytes_str("new")};
	FILE *f;

	assert_int_equal(save("work", NULL, 0), OK);
	assert_int_equal(save("work", &extra, 1), ERR_PROFILE);
	assert_non_null(strstr(diag.text, "work.conf is there already"));
	assert_int_equal(access(in_config("work-key.pem"), F_OK), -1);
	f = fopen(in_config("home-key.pem"), "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(save("home", &extra, 1), ERR_PROFILE);
	assert_non_null(strstr(diag.text, "home-key.pem is there already"));
	assert_int_equal(access(in_config("home.conf"), F_OK), -1);
}

static void a_failure_leaves_nothing_behind(void **state)
{
	/* The second has a folder that does not exist. */
	const struct profile_extra extras[] = {{"-key.pem", bytes_str("key")},
					       {"/x/y", bytes_str("y")}};

	assert_int_not_equal(save("work", extras, 2), OK);
	assert_true(diag.text[0] != '\0');
	assert_int_equal(access(in_config("work-key.pem"), F_OK), -1);
	assert_int_equal(access(in_config("work.conf"), F_OK), -1);
}

static void the_list_has_each_name_once(void **state)
{
	char names[4][PROFILE_NAME_MAX], command[256];

	assert_int_equal(profile_file_list(&places, names, 4), 0);
	assert_int_equal(save("work", NULL, 0), OK);
	snprintf(command, sizeof(command),
		 "mkdir -p %s/other && cd %s/other && touch work.conf "
		 "home.conf .conf ./-x.conf readme 'a b.conf'",
		 dir, dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(profile_file_list(&places, names, 4), 2);
	assert_string_equal(names[0], "work");
	assert_string_equal(names[1], "home");
	assert_int_equal(profile_file_list(&places, names, 1), 1);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(everything_is_there_and_closed_to_others),
		CASE(nothing_is_replaced),
		CASE(a_failure_leaves_nothing_behind),
		CASE(the_list_has_each_name_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
