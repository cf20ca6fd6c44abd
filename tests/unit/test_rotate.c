/* The cache's keys replaced, entries put back, no room on the disk. */
#include "config.h"

#include "cache_rig.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#define NAMES (sizeof(rig_names) / sizeof(rig_names[0]))

static void put_all(enum cache_key key)
{
	for (size_t i = 0; i < NAMES; i++)
		if (rig_put(rig_names[i], key))
			fail_msg("%s: %s", rig_names[i], diag.text);
}

static void take_all(enum cache_key key)
{
	for (size_t i = 0; i < NAMES; i++)
		assert_int_equal(rig_take(rig_names[i], key), OK);
}

/* --- rotation ------------------------------------------------------------ */

static void a_rotation_puts_every_entry_under_a_new_key(void **state)
{
	struct key_table before, after;
	uint8_t *entry, *old;
	size_t len, old_len;

	put_all(CACHE_KEY_FILE);
	rig_table(&before);
	old = rig_file_read(rig_path("state/tickets/work.ticket"), &old_len);
	assert_int_equal(rig_rotate(), OK);
	rig_table(&after);
	assert_int_equal(after.n, 1);
	assert_memory_not_equal(before.slots[0].id, after.slots[0].id,
				KEY_ID_LEN);
	assert_memory_not_equal(before.slots[0].blob, after.slots[0].blob,
				KEY_LEN);
	entry = rig_file_read(rig_path("state/tickets/work.ticket"), &len);
	assert_int_equal(len, old_len);
	assert_non_null(memmem(old, old_len, before.slots[0].id, KEY_ID_LEN));
	assert_null(memmem(entry, len, before.slots[0].id, KEY_ID_LEN));
	assert_non_null(memmem(entry, len, after.slots[0].id, KEY_ID_LEN));
	free(entry);
	free(old);
	take_all(CACHE_KEY_FILE);
}

static void a_rotation_renews_each_backend_on_its_own(void **state)
{
	struct key_table table;
	enum cache_key key;

	if (!rig_has_keyring())
		skip();
	put_all(CACHE_KEY_FILE);
	assert_int_equal(rig_put("work", CACHE_KEY_KEYRING), OK);
	assert_int_equal(rig_rotate(), OK);
	rig_table(&table);
	assert_int_equal(table.n, 2);
	assert_int_equal(rig_count(NULL), NAMES);
	for (size_t i = 1; i < NAMES; i++)
		assert_int_equal(rig_take(rig_names[i], CACHE_KEY_FILE), OK);
	assert_int_equal(rig_count(&key), 1);
	assert_int_equal(key, CACHE_KEY_KEYRING);
	assert_int_equal(rig_take("work", CACHE_KEY_KEYRING), OK);
}

static void a_rotation_keeps_what_an_entry_is_bound_to(void **state)
{
	struct profile *p = rig_profile("work", CACHE_KEY_FILE);
	struct ticket_cache *c;

	p->fingerprint[0] = 1;
	assert_int_equal(ticket_cache_open_for(rig_dir, p, &c, &diag), OK);
	assert_int_equal(rig_put_into(c, p), OK);
	assert_int_equal(ticket_cache_rotate(c, &diag), OK);
	/* The handle that rotated goes on. */
	assert_int_equal(rig_take_from(c, p), OK);
	assert_int_equal(rig_put_into(c, p), OK);
	assert_int_equal(ticket_cache_rotate(c, &diag), OK);
	p->fingerprint[0] = 2;
	assert_int_equal(rig_take_from(c, p), ERR_CACHE);
	rig_says("another profile");
	ticket_cache_close(&c);
}

static void a_rotation_waits_for_the_end_of_tunnels(void **state)
{
	struct profile *p = rig_profile("work", CACHE_KEY_FILE);
	struct ticket_cache *c;

	assert_int_equal(ticket_cache_open_for(rig_dir, p, &c, &diag), OK);
	assert_int_equal(rig_put_into(c, p), OK);
	assert_int_equal(rig_rotate(), ERR_BUSY);
	rig_says("a tunnel is running");
	assert_int_equal(rig_take_from(c, p), OK);
	assert_int_equal(rig_put_into(c, p), OK);
	ticket_cache_close(&c);
	assert_int_equal(rig_rotate(), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
}

static void an_empty_cache_rotates_too(void **state)
{
	assert_int_equal(rig_rotate(), OK);
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_rotate(), OK);
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
}

static void a_damaged_entry_does_not_stop_a_rotation(void **state)
{
	uint8_t *file;
	size_t len;

	put_all(CACHE_KEY_FILE);
	file = rig_file_read(rig_path("state/tickets/lab.ticket"), &len);
	file[len - 1] ^= 1;
	rig_file_write(rig_path("state/tickets/lab.ticket"), file, len);
	free(file);
	assert_int_equal(rig_rotate(), ERR_CACHE);
	rig_says("lab.ticket is damaged");
	assert_int_equal(rig_count(NULL), NAMES - 1);
	assert_int_equal(rig_take("lab", CACHE_KEY_FILE), ERR_CACHE);
	rig_says("lab.ticket: was damaged");
	/* With it the last reason for the old key is gone. */
	assert_int_equal(rig_rotate(), OK);
	assert_int_equal(rig_count(NULL), NAMES - 1);
}

static void a_rotation_that_was_killed_is_finished_by_the_next(void **state)
{
	struct key_table table;
	struct key_slot fresh;

	/* As it lies when the table is written and no entry yet. */
	put_all(CACHE_KEY_FILE);
	rig_table(&table);
	assert_int_equal(key_make(CACHE_KEY_FILE, false, &fresh, &diag), OK);
	table.slots[0].retiring = true;
	assert_int_equal(key_table_add(&table, &fresh, &diag), OK);
	assert_int_equal(key_table_write(rig_dir, &table, &diag), OK);
	assert_int_equal(rig_count(NULL), NAMES);
	rig_table(&table);
	assert_int_equal(table.n, 1);
	assert_memory_equal(table.slots[0].id, fresh.id, KEY_ID_LEN);
	take_all(CACHE_KEY_FILE);
}

static void more_keys_than_there_is_room_for_are_refused(void **state)
{
	struct key_table table = {.n = 0};
	struct key_slot slot;

	for (int i = 0; i < KEYS_MAX; i++) {
		assert_int_equal(key_make(CACHE_KEY_FILE, false, &slot, &diag),
				 OK);
		assert_int_equal(key_table_add(&table, &slot, &diag), OK);
	}
	assert_int_equal(key_table_add(&table, &slot, &diag), ERR_NO_SPACE);
}

/* --- rolled back ------------------------------------------------------------
 */

static void shell(const char *command)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "cd '%s' && %s", rig_top, command);
	assert_int_equal(system(whole), 0);
}

static void an_older_entry_put_back_is_refused(void **state)
{
	if (!rig_has_keyring())
		skip();
	put_all(CACHE_KEY_FILE);
	shell("cp -p state/tickets/work.ticket old");
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	shell("cp -p old state/tickets/work.ticket");
	assert_int_equal(rig_count(NULL), NAMES - 1);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
	rig_says("rolled back");
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_NOT_FOUND);
	assert_int_equal(rig_take("home", CACHE_KEY_FILE), OK);
}

static void an_entry_that_was_taken_cannot_be_put_back(void **state)
{
	if (!rig_has_keyring())
		skip();
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	shell("cp -p state/tickets/work.ticket old");
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
	shell("cp -p old state/tickets/work.ticket");
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
	rig_says("rolled back");
	/* The next one is good again. */
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
}

static void a_forgotten_entry_cannot_be_put_back(void **state)
{
	struct ticket_cache *c;

	if (!rig_has_keyring())
		skip();
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	shell("cp -p state/tickets/work.ticket old");
	assert_int_equal(ticket_cache_open(rig_dir, &c, &diag), OK);
	assert_int_equal(ticket_cache_forget(c, "work", &diag), OK);
	ticket_cache_close(&c);
	shell("cp -p old state/tickets/work.ticket");
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
	rig_says("rolled back");
}

static void a_whole_folder_put_back_is_noticed(void **state)
{
	if (!rig_has_keyring())
		skip();
	put_all(CACHE_KEY_FILE);
	shell("cp -a state old");
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_put("home", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_rotate(), OK);
	shell("rm -rf state && mv old state");
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
	rig_says("rolled back");
	assert_int_equal(rig_take("home", CACHE_KEY_FILE), ERR_CACHE);
	rig_says("rolled back");
	/* What did not change since is not older. */
	assert_int_equal(rig_take("lab", CACHE_KEY_FILE), OK);
}

static void a_rotation_does_not_make_an_entry_old(void **state)
{
	put_all(CACHE_KEY_FILE);
	assert_int_equal(rig_rotate(), OK);
	assert_int_equal(rig_rotate(), OK);
	take_all(CACHE_KEY_FILE);
}

static void without_a_memory_a_ticket_is_taken_as_it_is(void **state)
{
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	guard_drop(rig_dir, "work"); /* a reboot */
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
}

/* A clock set back must not make a new ticket look old. */
static void generations_grow_whatever_the_clock_says(void **state)
{
	if (!rig_has_keyring())
		skip();
	guard_raise(rig_dir, "work", 5000, 60000);
	assert_int_equal(guard_next(rig_dir, "work", 100), 5001);
	assert_int_equal(guard_next(rig_dir, "work", 9000), 9000);
	guard_raise(rig_dir, "work", 4000, 60000);
	assert_int_equal(guard_floor(rig_dir, "work"), 5000);
	assert_int_equal(guard_floor(rig_dir, "home"), 0);
	guard_raise(rig_dir, "home", 7, 0);
	assert_int_equal(guard_floor(rig_dir, "home"), 0);
}

/* --- full disk --------------------------------------------------------------
 */

static bool text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 &&
		    write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* Root may mount anyway; everybody else in a user namespace, as himself. */
static bool namespace_enter(void)
{
	unsigned uid = geteuid(), gid = getegid();
	char users[64], groups[64];

	if (uid == 0)
		return unshare(CLONE_NEWNS) == 0;
	snprintf(users, sizeof(users), "%u %u 1", uid, uid);
	snprintf(groups, sizeof(groups), "%u %u 1", gid, gid);
	return unshare(CLONE_NEWNS | CLONE_NEWUSER) == 0 &&
	       text_write("/proc/self/setgroups", "deny") &&
	       text_write("/proc/self/gid_map", groups) &&
	       text_write("/proc/self/uid_map", users);
}

/* A file system with room for a few pages, of this process only. */
static bool small_disk_mount(void)
{
	if (mkdir(rig_path("small"), 0700) < 0 || !namespace_enter() ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("small", rig_path("small"), "tmpfs", 0,
		  "size=64k,mode=0700") < 0)
		return false;
	snprintf(rig_dir, sizeof(rig_dir), "%s/small/state", rig_top);
	return true;
}

static void disk_fill(void)
{
	static const uint8_t page[4096];
	int fd = open(rig_path("small/filler"), O_WRONLY | O_CREAT, 0600);

	while (write(fd, page, sizeof(page)) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static size_t files_in(const char *name)
{
	DIR *dir = opendir(rig_path(name));
	struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(dir)))
		n += entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

static void full_disk_story(void)
{
	struct key_table before, after;

	put_all(CACHE_KEY_FILE);
	rig_table(&before);
	disk_fill();
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), ERR_CACHE);
	rig_says("No space left on device");
	assert_int_equal(rig_rotate(), ERR_CACHE);
	rig_says("No space left on device");
	rig_table(&after);
	assert_int_equal(after.n, 1);
	assert_memory_equal(before.slots[0].id, after.slots[0].id, KEY_ID_LEN);
	assert_int_equal(files_in("small/state/tickets"), NAMES);
	assert_int_equal(rig_count(NULL), NAMES);
	take_all(CACHE_KEY_FILE);
	for (size_t i = 0; i < NAMES; i++)
		guard_drop(rig_dir, rig_names[i]);
}

static void no_room_for_the_first_key_story(void)
{
	disk_fill();
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), ERR_CACHE);
	assert_int_equal(unlink(rig_path("small/filler")), 0);
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
	guard_drop(rig_dir, "work");
}

/* In a child, whose mounts end with it. 77: not possible here. */
static void on_a_small_disk(void (*story)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (!small_disk_mount())
			_exit(77);
		story();
		/* A failed assertion does not come here. */
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("no mount namespace here\n");
		skip();
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_full_disk_costs_no_entry(void **state)
{
	on_a_small_disk(full_disk_story);
}

static void a_disk_full_from_the_start_is_told_and_nothing_else(void **state)
{
	on_a_small_disk(no_room_for_the_first_key_story);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_rotation_puts_every_entry_under_a_new_key),
		CASE(a_rotation_renews_each_backend_on_its_own),
		CASE(a_rotation_keeps_what_an_entry_is_bound_to),
		CASE(a_rotation_waits_for_the_end_of_tunnels),
		CASE(an_empty_cache_rotates_too),
		CASE(a_damaged_entry_does_not_stop_a_rotation),
		CASE(a_rotation_that_was_killed_is_finished_by_the_next),
		CASE(more_keys_than_there_is_room_for_are_refused),
		CASE(an_older_entry_put_back_is_refused),
		CASE(an_entry_that_was_taken_cannot_be_put_back),
		CASE(a_forgotten_entry_cannot_be_put_back),
		CASE(a_whole_folder_put_back_is_noticed),
		CASE(a_rotation_does_not_make_an_entry_old),
		CASE(without_a_memory_a_ticket_is_taken_as_it_is),
		CASE(generations_grow_whatever_the_clock_says),
		CASE(a_full_disk_costs_no_entry),
		CASE(a_disk_full_from_the_start_is_told_and_nothing_else),
	};

	if (crypto_open(&diag))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
