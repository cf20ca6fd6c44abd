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

#include "client/store/credential.h"
#include "client/store/profile_file.h"

#define PROFILE                                                                \
	"[gateway]\naddress=gw.example.org\n"                                  \
	"[identity]\nauth=psk\nid=a@b\npassword-file=keys/psk\n"

static char top[64];
static struct places places;
static struct profile p;
static struct diag diag;

static const char *below(const char *name)
{
	static char path[PLACE_MAX];

	snprintf(path, sizeof(path), "%s/%s", top, name);
	return path;
}

static void file_put(const char *name, const char *text)
{
	FILE *f = fopen(below(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	chmod(below(name), 0600);
}

static int setup(void **state)
{
	struct os_user user = {.uid = geteuid(), .gid = getegid()};

	strcpy(top, "/tmp/vpc-store.XXXXXX");
	assert_non_null(mkdtemp(top));
	assert_int_equal(mkdir(below("xdg"), 0700), 0);
	assert_int_equal(mkdir(below("xdg/vpn-connect"), 0700), 0);
	assert_int_equal(mkdir(below("xdg/vpn-connect/keys"), 0700), 0);
	assert_int_equal(mkdir(below("home"), 0700), 0);
	assert_int_equal(mkdir(below("home/.config"), 0700), 0);
	assert_int_equal(mkdir(below("home/.config/vpn-connect"), 0700), 0);
	setenv("XDG_CONFIG_HOME", below("xdg"), 1);
	setenv("XDG_STATE_HOME", below("state"), 1);
	setenv("XDG_RUNTIME_DIR", below("run"), 1);
	unsetenv("CREDENTIALS_DIRECTORY");
	snprintf(user.home, sizeof(user.home), "%s/home", top);
	diag_clear(&diag);
	assert_int_equal(places_find(&user, &places, &diag), OK);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	return system(command);
}

static void load_refused(const char *arg, enum err expected, const char *what)
{
	diag_clear(&diag);
	assert_int_equal(profile_file_load(&places, arg, &p, &diag), expected);
	if (!strstr(diag.text, what))
		print_error("got: %s\n", diag.text);
	assert_non_null(strstr(diag.text, what));
}

static void load_ok(const char *arg)
{
	enum err e;

	diag_clear(&diag);
	e = profile_file_load(&places, arg, &p, &diag);
	if (e)
		print_error("got: %s\n", diag.text);
	assert_int_equal(e, OK);
}

static void folders_follow_the_environment_and_the_home(void **state)
{
	struct os_user user = {.uid = 4711, .home = "/home/a"};

	assert_string_equal(places.config[0], below("xdg/vpn-connect"));
	assert_string_equal(places.state, below("state/vpn-connect"));
	assert_string_equal(places.run, below("run/vpn-connect"));
	unsetenv("XDG_CONFIG_HOME");
	setenv("XDG_STATE_HOME", "relative/is/ignored", 1);
	unsetenv("XDG_RUNTIME_DIR");
	assert_int_equal(places_find(&user, &places, &diag), OK);
	assert_string_equal(places.config[0], "");
	assert_string_equal(places.config[1], "/home/a/.config/vpn-connect");
	assert_string_equal(places.state, "/home/a/.local/state/vpn-connect");
	assert_string_equal(places.run, "/home/a/.local/state/vpn-connect/run");
}

static void paths_in_a_profile_are_relative_to_its_folder(void **state)
{
	file_put("xdg/vpn-connect/work.conf", PROFILE);
	file_put("xdg/vpn-connect/keys/psk", "secret\n");
	load_ok("work");
	assert_string_equal(p.name, "work");
	assert_string_equal(p.password_file, below("xdg/vpn-connect/keys/psk"));
	assert_string_equal(p.ca, "");
	load_ok(below("xdg/vpn-connect/work.conf"));
	assert_string_equal(p.name, "work");
	assert_string_equal(p.password_file, below("xdg/vpn-connect/keys/psk"));
}

static void the_first_folder_that_has_the_profile_wins(void **state)
{
	file_put("home/.config/vpn-connect/work.conf",
		 "[gateway]\naddress=home.example.org\n"
		 "[identity]\nauth=psk\nid=a@b\n");
	load_ok("work");
	assert_string_equal(p.gateway, "home.example.org");
	file_put("xdg/vpn-connect/work.conf",
		 "[gateway]\naddress=xdg.example.org\n"
		 "[identity]\nauth=psk\nid=a@b\n");
	load_ok("work");
	assert_string_equal(p.gateway, "xdg.example.org");
}

static void a_missing_profile_says_where_to_write_it(void **state)
{
	load_refused("work", ERR_PROFILE, below("xdg/vpn-connect/work.conf"));
	load_refused("/nowhere/x.conf", ERR_PROFILE, "/nowhere/x.conf");
}

static void a_name_with_strange_characters_is_refused(void **state)
{
	static const char *const names[] = {"",	   "../x", ".x",     "-x",
					    "a/b", "a b",  "x\n",    "/.conf",
					    "a;b", "\xc3", "/-.conf"};
	char out[PROFILE_NAME_MAX], longest[PROFILE_NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		load_refused(names[i], ERR_USAGE, "profile's name");
	memset(longest, 'a', PROFILE_NAME_MAX);
	longest[PROFILE_NAME_MAX] = '\0';
	load_refused(longest, ERR_USAGE, "profile's name");
	assert_int_equal(profile_file_name("a/b/c.d-e_F.conf", out, &diag), OK);
	assert_string_equal(out, "c.d-e_F");
}

static void a_profile_that_everyone_can_change_is_refused(void **state)
{
	file_put("xdg/vpn-connect/work.conf", PROFILE);
	file_put("xdg/vpn-connect/keys/psk", "secret\n");
	chmod(below("xdg/vpn-connect/work.conf"), 0646);
	load_refused("work", ERR_PERMISSION, "chmod o-w");
	if (geteuid() == 0) {
		chmod(below("xdg/vpn-connect/work.conf"), 0644);
		assert_int_equal(
			chown(below("xdg/vpn-connect/work.conf"), 4711, 0), 0);
		load_refused("work", ERR_PERMISSION, "chown");
	}
}

static void files_that_a_profile_names_must_be_there_and_private(void **state)
{
	file_put("xdg/vpn-connect/work.conf", PROFILE);
	load_ok("work"); /* a ticket may do without it */
	assert_false(p.has_credential);
	file_put("xdg/vpn-connect/keys/psk", "secret\n");
	load_ok("work");
	assert_true(p.has_credential);
	chmod(below("xdg/vpn-connect/keys/psk"), 0640);
	load_refused("work", ERR_PERMISSION, "chmod 600");
	file_put("xdg/vpn-connect/keys/psk", "\n");
	load_refused("work", ERR_PROFILE, "empty");
	file_put("xdg/vpn-connect/work.conf",
		 "[gateway]\naddress=gw\nca=ca.pem\n"
		 "[identity]\nauth=psk\nid=a@b\n");
	load_refused("work", ERR_PROFILE, "[gateway] ca: ");
}

static void the_fingerprint_covers_what_credentials_amount_to(void **state)
{
	static const char *const variants[] = {
		"[gateway]\naddress=gw\n[identity]\nauth=psk\nid=a@b\n",
		"[gateway]\naddress=gx\n[identity]\nauth=psk\nid=a@b\n",
		"[gateway]\naddress=gw\nport=1\n[identity]\nauth=psk\nid=a@b\n",
		"[gateway]\naddress=gw\nid=g\n[identity]\nauth=psk\nid=a@b\n",
		"[gateway]\naddress=gw\n[identity]\nauth=psk\nid=a@c\n",
		"[gateway]\naddress=gw\n[identity]\nauth=eap-mschapv2\nid=a@"
		"b\n",
		"[gateway]\naddress=gw\n[identity]\nauth=eap-mschapv2\nid=a@b\n"
		"user=u\n",
		"[gateway]\naddress=gw\nca=ca\n[identity]\nauth=psk\nid=a@b\n",
		"[gateway]\naddress=gw\nca=ca\n[identity]\nauth=psk\nid=a@d\n",
		"[gateway]\naddress=gw\nca=cb\n[identity]\nauth=psk\nid=a@b\n",
	};
	enum { N = sizeof(variants) / sizeof(variants[0]) };
	uint8_t prints[N][32];

	file_put("xdg/vpn-connect/ca", "one");
	file_put("xdg/vpn-connect/cb", "one");
	for (size_t i = 0; i < N; i++) {
		file_put("xdg/vpn-connect/work.conf", variants[i]);
		load_ok("work");
		memcpy(prints[i], p.fingerprint, 32);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(prints[i], prints[j], 32);
	}
	file_put("xdg/vpn-connect/ca", "two");
	file_put("xdg/vpn-connect/work.conf", variants[N - 2]);
	load_ok("work");
	assert_memory_not_equal(p.fingerprint, prints[N - 2], 32);
	file_put("xdg/vpn-connect/ca", "one");
	load_ok("work");
	assert_memory_equal(p.fingerprint, prints[N - 2], 32);
}

static void a_changed_password_is_noticed_but_not_its_line_end(void **state)
{
	uint8_t first[32];

	file_put("xdg/vpn-connect/work.conf", PROFILE);
	file_put("xdg/vpn-connect/keys/psk", "password");
	load_ok("work");
	memcpy(first, p.credential, 32);
	file_put("xdg/vpn-connect/keys/psk", "password\n");
	load_ok("work");
	assert_memory_equal(p.credential, first, 32);
	file_put("xdg/vpn-connect/keys/psk", "Password\n");
	load_ok("work");
	assert_memory_not_equal(p.credential, first, 32);
}

/* What no credential depends on does not cost a ticket. */
static void the_fingerprint_leaves_the_rest_out(void **state)
{
	uint8_t print[32];

	file_put("xdg/vpn-connect/keys/psk", "secret\n");
	file_put("xdg/vpn-connect/work.conf", PROFILE);
	load_ok("work");
	memcpy(print, p.fingerprint, 32);
	file_put("xdg/vpn-connect/work.conf",
		 PROFILE "[tunnel]\ndns=no\nnetworks=10.0.0.0/8\n"
			 "[timers]\ndpd=1s\n");
	load_ok("work");
	assert_memory_equal(p.fingerprint, print, 32);
}

static void a_binary_file_is_no_profile(void **state)
{
	FILE *f = fopen(below("xdg/vpn-connect/work.conf"), "w");

	fwrite("[gateway]\n\0", 1, 11, f);
	fclose(f);
	load_refused("work", ERR_PROFILE, "not a text file");
}

static void a_systemd_credential_is_read_from_its_folder(void **state)
{
	struct secret secret;

	memset(&p, 0, sizeof(p));
	assert_int_equal(credential_read(&p, &secret, &diag), ERR_NOT_FOUND);
	strcpy(p.password_credential, "vpn-password");
	assert_int_equal(credential_read(&p, &secret, &diag), ERR_NOT_FOUND);
	assert_non_null(strstr(diag.text, "LoadCredential=vpn-password"));
	setenv("CREDENTIALS_DIRECTORY", below("home"), 1);
	file_put("home/vpn-password", "pass word\r\n");
	diag_clear(&diag);
	assert_int_equal(credential_read(&p, &secret, &diag), OK);
	assert_int_equal(secret.len, 9);
	assert_memory_equal(secret.b, "pass word", 9);
}

static void a_password_longer_than_we_accept_is_refused(void **state)
{
	char text[SECRET_MAX + 2];
	struct secret secret;

	memset(&p, 0, sizeof(p));
	memset(text, 'x', sizeof(text));
	text[SECRET_MAX] = '\0';
	file_put("home/pw", text);
	strcpy(p.password_file, below("home/pw"));
	assert_int_equal(credential_read(&p, &secret, &diag), OK);
	assert_int_equal(secret.len, SECRET_MAX);
	text[SECRET_MAX] = 'x';
	text[SECRET_MAX + 1] = '\0';
	file_put("home/pw", text);
	assert_int_equal(credential_read(&p, &secret, &diag), ERR_PROFILE);
	assert_int_equal(secret.len, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(folders_follow_the_environment_and_the_home),
		CASE(paths_in_a_profile_are_relative_to_its_folder),
		CASE(the_first_folder_that_has_the_profile_wins),
		CASE(a_missing_profile_says_where_to_write_it),
		CASE(a_name_with_strange_characters_is_refused),
		CASE(a_profile_that_everyone_can_change_is_refused),
		CASE(files_that_a_profile_names_must_be_there_and_private),
		CASE(the_fingerprint_covers_what_credentials_amount_to),
		CASE(a_changed_password_is_noticed_but_not_its_line_end),
		CASE(the_fingerprint_leaves_the_rest_out),
		CASE(a_binary_file_is_no_profile),
		CASE(a_systemd_credential_is_read_from_its_folder),
		CASE(a_password_longer_than_we_accept_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
