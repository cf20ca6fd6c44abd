/* Files, users and confinement of the client process. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "platform/os.h"

static char dir[64], path[96];

static int dir_make(void **state)
{
	strcpy(dir, "/tmp/vpc-os-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int dir_remove(void **state)
{
	char link[128];

	snprintf(link, sizeof(link), "%s/link", dir);
	unlink(link);
	unlink(path);
	/* Fails where a temporary file was left behind. */
	return rmdir(dir);
}

static void file_put(const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

typedef enum err reader(const char *, size_t, uint8_t **, size_t *,
			struct diag *);

static void assert_read(reader *read_fn, size_t max, const char *want)
{
	uint8_t *buf;
	size_t len;

	assert_int_equal(read_fn(path, max, &buf, &len, NULL), OK);
	assert_int_equal(len, strlen(want));
	assert_string_equal((char *)buf, want);
	free(buf);
}

static void assert_not_read(reader *read_fn, const char *at, enum err want)
{
	struct diag diag = DIAG_INIT;
	uint8_t *buf;
	size_t len;

	assert_int_equal(read_fn(at, 16, &buf, &len, &diag), want);
	assert_null(buf);
	assert_non_null(strstr(diag.text, at));
}

/* --- files ------------------------------------------------------- */

static void a_file_is_read_whole_up_to_its_limit(void **state)
{
	file_put("", 0644);
	assert_read(os_read_file, 16, "");
	file_put("0123456789abcdef", 0644);
	assert_read(os_read_file, 16, "0123456789abcdef");
	assert_read(os_read_file, 1000, "0123456789abcdef");
	file_put("0123456789abcdefg", 0644);
	assert_not_read(os_read_file, path, ERR_NO_SPACE);
}

static void what_is_no_regular_file_is_refused(void **state)
{
	char missing[128];

	assert_not_read(os_read_file, dir, ERR_IO);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_not_read(os_read_file, path, ERR_IO);
	assert_not_read(os_read_file, "/dev/null", ERR_IO);
	snprintf(missing, sizeof(missing), "%s/none", dir);
	assert_not_read(os_read_file, missing, ERR_NOT_FOUND);
}

static void a_secret_must_be_its_owners_alone(void **state)
{
	static const mode_t bad[] = {0640, 0604, 0620, 0610, 0644, 0601};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		file_put("secret", bad[i]);
		assert_not_read(os_read_secret_file, path, ERR_PERMISSION);
	}
	file_put("secret", 0600);
	assert_read(os_read_secret_file, 16, "secret");
	file_put("secret", 0400); /* last: only root could write it again */
	assert_read(os_read_secret_file, 16, "secret");
}

static void a_secret_of_another_owner_is_refused(void **state)
{
	file_put("secret", 0600);
	if (chown(path, 12345, 12345) < 0)
		skip(); /* not root */
	assert_not_read(os_read_secret_file, path, ERR_PERMISSION);
}

static void a_secret_behind_a_link_is_refused(void **state)
{
	char link[128];

	file_put("secret", 0600);
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink(path, link), 0);
	assert_not_read(os_read_secret_file, link, ERR_PERMISSION);
}

static void a_file_is_written_whole_and_private(void **state)
{
	struct stat before, after;

	file_put("old", 0644);
	assert_int_equal(stat(path, &before), 0);
	assert_int_equal(os_write_file(path, bytes_str("new content"), NULL),
			 OK);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_mode & 07777, 0600);
	assert_true(after.st_ino != before.st_ino); /* never half of each */
	assert_read(os_read_secret_file, 100, "new content");
	assert_int_equal(os_write_file(path, BYTES_NONE, NULL), OK);
	assert_read(os_read_secret_file, 100, "");
}

static void a_write_that_fails_leaves_the_old_file(void **state)
{
	struct diag diag = DIAG_INIT;
	char inside[160];

	file_put("old", 0600);
	snprintf(inside, sizeof(inside), "%s/x", path);
	assert_int_equal(os_write_file(inside, bytes_str("new"), &diag),
			 ERR_NOT_FOUND);
	/* The name of a folder: rename fails, the temporary file goes. */
	assert_int_not_equal(os_write_file(dir, bytes_str("new"), &diag), OK);
	assert_read(os_read_file, 16, "old");
}

static void folders_are_made_with_their_parents_and_private(void **state)
{
	char deep[160];
	struct stat st;

	snprintf(deep, sizeof(deep), "%s/file/b/c", dir);
	assert_int_equal(os_make_dir(deep, NULL), OK);
	assert_int_equal(os_make_dir(deep, NULL), OK);
	assert_int_equal(stat(deep, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0700);
	rmdir(deep);
	*strrchr(deep, '/') = '\0';
	rmdir(deep);
	rmdir(path);
}

/* --- clocks, randomness ------------------------------------------ */

static void clocks_run_and_random_differs(void **state)
{
	struct os_time a = os_now(), b;
	uint8_t x[32], y[32];

	assert_true(a.boot_ms > 0 && a.wall_ms > 1600000000000);
	assert_int_equal(os_random(x, sizeof(x)), OK);
	assert_int_equal(os_random(y, sizeof(y)), OK);
	assert_memory_not_equal(x, y, sizeof(x));
	b = os_now();
	assert_true(b.boot_ms >= a.boot_ms);
	assert_true(os_cpu_us() > 0);
}

/* --- privilege --------------------------------------------------- */

static void sudo_ids_are_believed_only_as_numbers(void **state)
{
	static const char *const bad[] = {
		"", "-1", "+1", " 1", "1x", "4294967295", "99999999999"};
	struct os_user user;

	if (getuid() != 0)
		skip();
	setenv("SUDO_GID", "65534", 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		setenv("SUDO_UID", bad[i], 1);
		assert_int_equal(os_invoking_user(&user, NULL), ERR_USAGE);
	}
	setenv("SUDO_UID", "65534", 1); /* nobody */
	assert_int_equal(os_invoking_user(&user, NULL), OK);
	assert_int_equal(user.uid, 65534);
	assert_int_equal(user.gid, 65534);
	assert_string_equal(user.home, "/nonexistent");
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	setenv("HOME", "/some/where", 1);
	assert_int_equal(os_invoking_user(&user, NULL), OK);
	assert_int_equal(user.uid, 0);
	assert_string_equal(user.home, "/some/where");
}

/* Runs in a child, which cannot get its privilege back; 0 is good. */
static int in_child(int (*fn)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fn());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* Every capability set is empty? */
static bool caps_are_gone(void)
{
	char line[128];
	unsigned long long set;
	unsigned n = 0;
	FILE *f = fopen("/proc/self/status", "r");

	if (!f)
		return false;
	while (fgets(line, sizeof(line), f))
		if (strncmp(line, "Cap", 3) == 0 && ++n &&
		    (sscanf(line, "%*s %llx", &set) != 1 || set != 0))
			break;
	fclose(f);
	return n == 5;
}

static int drop_to_root(void)
{
	struct os_user user = {.uid = 0, .gid = 0};

	if (os_drop_to(&user, NULL))
		return 1;
	if (getuid() != 0 || !caps_are_gone())
		return 2;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
	    prctl(PR_GET_DUMPABLE) != 0)
		return 3;
	return setgid(12345) == 0 ? 4 : 0;
}

static int drop_to_nobody(void)
{
	struct os_user user = {.uid = 65534, .gid = 65534};
	uid_t r, e, s;

	if (os_drop_to(&user, NULL))
		return 1;
	if (getresuid(&r, &e, &s) || r != 65534 || e != 65534 || s != 65534)
		return 2;
	if (!caps_are_gone() || prctl(PR_GET_DUMPABLE) != 0)
		return 3;
	user.uid = user.gid = 0;
	return os_drop_to(&user, NULL) == OK || setuid(0) == 0 ? 4 : 0;
}

static void dropped_privilege_does_not_come_back(void **state)
{
	if (getuid() != 0)
		skip();
	assert_int_equal(in_child(drop_to_root), 0);
	assert_int_equal(in_child(drop_to_nobody), 0);
}

static bool can(const char *at, int flags)
{
	int fd = open(at, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int confine_to_the_folder(void)
{
	const char *const reads[] = {"/proc", "/no/such/folder", NULL};
	const char *const writes[] = {dir, NULL};

	if (os_confine(reads, writes, NULL))
		return 1;
	if (!can("/proc/version", O_RDONLY) || !can(path, O_RDWR | O_CREAT) ||
	    os_write_file(path, bytes_str("x"), NULL))
		return 2;
	if (can("/etc/passwd", O_RDONLY) || can("/etc", O_RDONLY))
		return 3;
	if (can("/proc/self/oom_score_adj", O_WRONLY) ||
	    can("/tmp/vpc-outside", O_WRONLY | O_CREAT))
		return 4;
	return 0;
}

static void confined_we_see_only_our_folders(void **state)
{
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) < 1)
		skip(); /* not in this kernel, or under valgrind */
	assert_int_equal(in_child(confine_to_the_folder), 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, dir_make, dir_remove)
	const struct CMUnitTest tests[] = {
		T(a_file_is_read_whole_up_to_its_limit),
		T(what_is_no_regular_file_is_refused),
		T(a_secret_must_be_its_owners_alone),
		T(a_secret_of_another_owner_is_refused),
		T(a_secret_behind_a_link_is_refused),
		T(a_file_is_written_whole_and_private),
		T(a_write_that_fails_leaves_the_old_file),
		T(folders_are_made_with_their_parents_and_private),
		T(clocks_run_and_random_differs),
		T(sudo_ids_are_believed_only_as_numbers),
		T(dropped_privilege_does_not_come_back),
		T(confined_we_see_only_our_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
