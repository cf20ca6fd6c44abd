#include "config.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/ike/ikev2.h"
#include "client/store/cache.h"
#include "client/store/guard.h"
#include "client/store/places.h"

#define WALL   1700000000000
#define BOOT   5000000
#define LIFE_S 3600

static char dir[PLACE_MAX];
static struct ticket_cache *cache;
static struct profile work, home;
static struct diag diag;
static uint8_t opaque[40];

static struct os_time at(int64_t after_ms)
{
	return (struct os_time){BOOT + after_ms, WALL + after_ms};
}

static void profile_make(const char *name, struct profile *p)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "[gateway]\naddress=%s.example.org\n[identity]\nauth=psk\n"
		 "id=%s@example.org\n",
		 name, name);
	assert_int_equal(profile_parse(name, text, p, &diag), OK);
	memset(p->fingerprint, name[0], sizeof(p->fingerprint));
}

static void entry_make(struct ticket_entry *e)
{
	struct ike_ticket *t = &e->ticket;

	memset(e, 0, sizeof(*e));
	for (size_t i = 0; i < sizeof(opaque); i++)
		opaque[i] = (uint8_t)(i * 7);
	t->opaque = BYTES_OF(opaque);
	t->lifetime_s = LIFE_S;
	t->sk_d.len = 48;
	memset(t->sk_d.b, 0xd5, 48);
	t->suite.cipher = (struct cipher_algs){ENCR_AES_GCM_16, 256, 0};
	t->suite.prf = PRF_HMAC_SHA2_384;
	t->suite.ke = KE_X25519;
	t->suite.esn = true;
	t->id_local = work.id;
	t->id_remote = work.gateway_id;
	t->auth = IKE_AUTH_EAP_MSCHAPV2;
	assert_int_equal(addr_parse("10.77.0.2", &t->inner_v4), OK);
	assert_int_equal(addr_parse("2001:db8::2", &t->inner_v6), OK);
	t->peer_fragments = true;
	t->auth_first_only = true;
	t->auth_limited = true;
	t->auth_extra_s = 70000;
	assert_int_equal(addr_parse("203.0.113.1", &e->worked.remote), OK);
	e->worked.remote.port = 443;
	e->worked.kind = PATH_TCP;
	assert_int_equal(addr_parse("192.0.2.2", &e->worked.local), OK);
	e->stored_wall_ms = WALL;
	e->stored_boot_ms = BOOT;
	e->expires_wall_ms = WALL + LIFE_S * 1000;
	e->renewed = 3;
}

static void put(const struct profile *p)
{
	struct ticket_entry e;

	entry_make(&e);
	diag_clear(&diag);
	assert_int_equal(ticket_cache_put(cache, p, &e, &diag), OK);
}

static enum err take_at(const struct profile *p, struct os_time now)
{
	struct ticket_entry e;
	enum err err;

	diag_clear(&diag);
	err = ticket_cache_take(cache, p, now, &e, &diag);
	if (!err)
		assert_memory_equal(e.buf, opaque, sizeof(opaque));
	else
		assert_null(e.buf);
	ticket_entry_wipe(&e);
	return err;
}

static const char *file_of(const char *name)
{
	static char path[PLACE_MAX + 100];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void reopen(void)
{
	ticket_cache_close(&cache);
	diag_clear(&diag);
	assert_int_equal(ticket_cache_open(dir, &cache, &diag), OK);
}

static int setup(void **state)
{
	const char *base = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
	char top[100];

	snprintf(top, sizeof(top), "%s/vpc-cache.XXXXXX", base);
	assert_non_null(mkdtemp(top));
	/* Folders of its own below, which it has to make. */
	snprintf(dir, sizeof(dir), "%s/a/b", top);
	profile_make("work", &work);
	profile_make("home", &home);
	assert_int_equal(ticket_cache_open(dir, &cache, &diag), OK);
	return 0;
}

static int teardown(void **state)
{
	char command[PLACE_MAX + 100];

	ticket_cache_close(&cache);
	guard_drop(dir, "work");
	guard_drop(dir, "home");
	for (char c = 'a'; c <= 'h'; c++)
		guard_drop(dir, (char[]){c, 'o', 'r', 'k', '\0'});
	*(strrchr(dir, '/') - 2) = '\0';
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

/* --- the straight way --------------------------------------------------- */

static void what_was_put_is_taken_as_it_was(void **state)
{
	struct ticket_entry in, out;

	entry_make(&in);
	assert_int_equal(ticket_cache_put(cache, &work, &in, &diag), OK);
	reopen();
	assert_int_equal(ticket_cache_take(cache, &work, at(1000), &out, &diag),
			 OK);
	assert_int_equal(out.ticket.opaque.len, sizeof(opaque));
	assert_memory_equal(out.ticket.opaque.p, opaque, sizeof(opaque));
	assert_int_equal(out.ticket.lifetime_s, LIFE_S);
	assert_true(secret_eq(&out.ticket.sk_d, &in.ticket.sk_d));
	assert_memory_equal(&out.ticket.suite, &in.ticket.suite,
			    sizeof(in.ticket.suite));
	assert_memory_equal(&out.ticket.id_local, &in.ticket.id_local,
			    sizeof(in.ticket.id_local));
	assert_memory_equal(&out.ticket.id_remote, &in.ticket.id_remote,
			    sizeof(in.ticket.id_remote));
	assert_int_equal(out.ticket.auth, IKE_AUTH_EAP_MSCHAPV2);
	assert_true(addr_eq(&out.ticket.inner_v4, &in.ticket.inner_v4));
	assert_true(addr_eq(&out.ticket.inner_v6, &in.ticket.inner_v6));
	assert_true(out.ticket.peer_fragments);
	assert_true(out.ticket.auth_first_only);
	assert_true(out.ticket.auth_limited);
	assert_int_equal(out.ticket.auth_extra_s, 70000);
	assert_true(addr_eq(&out.worked.remote, &in.worked.remote));
	assert_true(addr_eq(&out.worked.local, &in.worked.local));
	assert_int_equal(out.worked.kind, PATH_TCP);
	assert_int_equal(out.stored_wall_ms, in.stored_wall_ms);
	assert_int_equal(out.expires_wall_ms, in.expires_wall_ms);
	assert_int_equal(out.stored_boot_ms, in.stored_boot_ms);
	assert_int_equal(out.renewed, 3);
	ticket_entry_wipe(&out);
}

static void
how_the_gateway_was_reached_is_known_before_the_ticket_is_taken(void **state)
{
	struct path_worked worked;
	struct ticket_entry e;
	struct profile other = work;

	assert_false(ticket_cache_worked(cache, &work, &worked));
	entry_make(&e);
	assert_int_equal(ticket_cache_put(cache, &work, &e, &diag), OK);
	assert_true(ticket_cache_worked(cache, &work, &worked));
	assert_true(addr_eq(&worked.remote, &e.worked.remote));
	assert_int_equal(worked.kind, PATH_TCP);
	/* Of a ticket that the profile makes void nothing is used. */
	strcpy(other.gateway, "other.example.org");
	assert_false(ticket_cache_worked(cache, &other, &worked));
	assert_int_equal(ticket_cache_take(cache, &work, at(0), &e, &diag), OK);
	ticket_entry_wipe(&e);
}

static void the_largest_ticket_fits_and_a_larger_one_is_refused(void **state)
{
	static uint8_t large[IKE_TICKET_MAX + 1];
	struct ticket_entry e, out;

	entry_make(&e);
	e.ticket.opaque = bytes(large, IKE_TICKET_MAX);
	assert_int_equal(ticket_cache_put(cache, &work, &e, &diag), OK);
	assert_int_equal(ticket_cache_take(cache, &work, at(0), &out, &diag),
			 OK);
	assert_int_equal(out.ticket.opaque.len, IKE_TICKET_MAX);
	ticket_entry_wipe(&out);
	e.ticket.opaque.len++;
	assert_int_not_equal(ticket_cache_put(cache, &work, &e, &diag), OK);
}

static void a_ticket_is_taken_only_once(void **state)
{
	put(&work);
	assert_int_equal(take_at(&work, at(0)), OK);
	assert_int_equal(take_at(&work, at(0)), ERR_NOT_FOUND);
	reopen();
	assert_int_equal(take_at(&work, at(0)), ERR_NOT_FOUND);
	assert_int_equal(access(file_of("tickets/work.ticket"), F_OK), -1);
}

static void a_new_ticket_replaces_the_old_one(void **state)
{
	struct ticket_entry e, out;

	put(&work);
	entry_make(&e);
	e.renewed = 4;
	assert_int_equal(ticket_cache_put(cache, &work, &e, &diag), OK);
	assert_int_equal(ticket_cache_take(cache, &work, at(0), &out, &diag),
			 OK);
	assert_int_equal(out.renewed, 4);
	ticket_entry_wipe(&out);
	assert_int_equal(take_at(&work, at(0)), ERR_NOT_FOUND);
}

static void forgetting_leaves_the_others(void **state)
{
	put(&work);
	put(&home);
	assert_int_equal(ticket_cache_forget(cache, "work", &diag), OK);
	assert_int_equal(ticket_cache_forget(cache, "work", &diag), OK);
	assert_int_equal(take_at(&work, at(0)), ERR_NOT_FOUND);
	assert_int_equal(take_at(&home, at(0)), OK);
}

static void a_name_cannot_lead_out_of_the_folder(void **state)
{
	put(&work);
	assert_int_not_equal(ticket_cache_forget(cache, "../key", &diag), OK);
	assert_int_not_equal(ticket_cache_forget(cache, "", &diag), OK);
	assert_int_equal(access(file_of("key"), F_OK), 0);
}

static void the_list_shows_without_taking(void **state)
{
	struct ticket_info info[4];
	size_t n;

	put(&work);
	put(&home);
	assert_int_equal(ticket_cache_list(cache, at(60 * 1000), info, 4, &n),
			 OK);
	assert_int_equal(n, 2);
	n = strcmp(info[0].profile, "work") == 0 ? 0 : 1;
	assert_string_equal(info[n].profile, "work");
	assert_string_equal(info[n].gateway, "work.example.org");
	assert_string_equal(info[n].identity, "work@example.org");
	assert_int_equal(info[n].age_s, 60);
	assert_int_equal(info[n].remaining_s, LIFE_S - 60);
	assert_int_equal(info[n].size, sizeof(opaque));
	assert_int_equal(info[n].renewed, 3);
	assert_int_equal(ticket_cache_list(cache, at(0), info, 1, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(take_at(&work, at(0)), OK);
	assert_int_equal(take_at(&home, at(0)), OK);
}

static void files_are_private_and_hold_no_secret_in_the_clear(void **state)
{
	static const char *const files[] = {"key", "tickets/work.ticket",
					    "lock"};
	uint8_t needle[16], *buf;
	struct stat st;
	size_t len;

	put(&work);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(stat(file_of(files[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(file_of("tickets"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(os_read_file(file_of("tickets/work.ticket"), 65536,
				      &buf, &len, &diag),
			 OK);
	memset(needle, 0xd5, sizeof(needle));
	assert_null(memmem(buf, len, needle, sizeof(needle)));
	assert_null(memmem(buf, len, opaque, sizeof(needle)));
	/* The fingerprint stands there only keyed. */
	memset(needle, 'w', sizeof(needle));
	assert_null(memmem(buf, len, needle, sizeof(needle)));
	free(buf);
}

static void the_same_ticket_gives_another_file_each_time(void **state)
{
	uint8_t *a, *b;
	size_t a_len, b_len, same = 0;

	put(&work);
	assert_int_equal(os_read_file(file_of("tickets/work.ticket"), 65536, &a,
				      &a_len, &diag),
			 OK);
	put(&work);
	assert_int_equal(os_read_file(file_of("tickets/work.ticket"), 65536, &b,
				      &b_len, &diag),
			 OK);
	assert_int_equal(a_len, b_len);
	for (size_t i = a_len - 200; i < a_len; i++)
		same += a[i] == b[i];
	assert_true(same < 20);
	free(a);
	free(b);
}

/* --- time ---------------------------------------------------------------- */

static void a_ticket_expires_by_the_wall_clock(void **state)
{
	put(&work);
	assert_int_equal(take_at(&work, at(LIFE_S * 1000 - 1)), OK);
	put(&work);
	assert_int_equal(take_at(&work, at(LIFE_S * 1000)), ERR_EXPIRED);
	assert_int_equal(take_at(&work, at(0)), ERR_NOT_FOUND);
}

static void a_clock_before_the_time_of_storing_counts_as_expired(void **state)
{
	put(&work);
	assert_int_equal(take_at(&work, (struct os_time){BOOT, WALL - 1}),
			 ERR_EXPIRED);
	assert_int_equal(take_at(&work, at(0)), ERR_NOT_FOUND);
}

/* Set back, but not before the time of storing: the boot clock knows. */
static void a_clock_set_back_does_not_prolong_a_ticket(void **state)
{
	put(&work);
	assert_int_equal(
		take_at(&work, (struct os_time){BOOT + LIFE_S * 1000, WALL}),
		ERR_EXPIRED);
}

static void a_reboot_keeps_the_ticket(void **state)
{
	put(&work);
	assert_int_equal(take_at(&work, (struct os_time){100, WALL + 1000}),
			 OK);
}

/* --- hostile files ----------------------------------------------------------
 */

static void file_put(const char *path, const uint8_t *b, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, b, len), len);
	close(fd);
}

static void every_flipped_bit_spoils_its_entry_only(void **state)
{
	char path[PLACE_MAX + 128];
	uint8_t *file;
	size_t len;

	put(&home);
	put(&work);
	snprintf(path, sizeof(path), "%s", file_of("tickets/work.ticket"));
	assert_int_equal(os_read_file(path, 65536, &file, &len, &diag), OK);
	for (size_t bit = 0; bit < len * 8; bit++) {
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
		file_put(path, file, len);
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(take_at(&work, at(0)), ERR_CACHE);
		assert_int_equal(access(path, F_OK), -1);
	}
	assert_int_equal(take_at(&home, at(0)), OK);
	file_put(path, file, len);
	assert_int_equal(take_at(&work, at(0)), OK);
	free(file);
}

static void every_truncation_spoils_its_entry_only(void **state)
{
	char path[PLACE_MAX + 128];
	uint8_t *file;
	size_t len;

	put(&home);
	put(&work);
	snprintf(path, sizeof(path), "%s", file_of("tickets/work.ticket"));
	assert_int_equal(os_read_file(path, 65536, &file, &len, &diag), OK);
	for (size_t cut = 0; cut < len; cut++) {
		file_put(path, file, cut);
		assert_int_equal(take_at(&work, at(0)), ERR_CACHE);
		assert_non_null(strstr(diag.text, "work.ticket"));
	}
	file = realloc(file, len + 2);
	file[len] = 0;
	file_put(path, file, len + 1);
	assert_int_equal(take_at(&work, at(0)), ERR_CACHE);
	assert_int_equal(take_at(&home, at(0)), OK);
	free(file);
}

static void a_file_larger_than_any_ticket_is_refused(void **state)
{
	static uint8_t large[100000];

	file_put(file_of("tickets/work.ticket"), large, sizeof(large));
	assert_int_equal(take_at(&work, at(0)), ERR_CACHE);
	assert_int_equal(take_at(&work, at(0)), ERR_NOT_FOUND);
}

static void file_copy(const char *from, const char *to)
{
	uint8_t *file;
	size_t len;

	assert_int_equal(os_read_file(file_of(from), 65536, &file, &len, &diag),
			 OK);
	file_put(file_of(to), file, len);
	free(file);
}

static void an_entry_copied_from_another_profile_is_refused(void **state)
{
	struct ticket_info info[4];
	size_t n;

	put(&work);
	put(&home);
	file_copy("tickets/home.ticket", "tickets/work.ticket");
	assert_int_equal(ticket_cache_list(cache, at(0), info, 4, &n), OK);
	assert_int_equal(n, 1);
	assert_int_equal(take_at(&work, at(0)), ERR_CACHE);
	assert_non_null(strstr(diag.text, "another profile"));
	assert_int_equal(take_at(&work, at(0)), ERR_NOT_FOUND);
	assert_int_equal(take_at(&home, at(0)), OK);
}

static void a_changed_profile_voids_its_ticket(void **state)
{
	struct profile p;

	p = work;
	p.fingerprint[31] ^= 1;
	put(&work);
	assert_int_equal(take_at(&p, at(0)), ERR_CACHE);
	p = work;
	strcpy(p.gateway, "evil.example.org");
	put(&work);
	assert_int_equal(take_at(&p, at(0)), ERR_CACHE);
	p = work;
	p.port++;
	put(&work);
	assert_int_equal(take_at(&p, at(0)), ERR_CACHE);
	p = work;
	p.id.b[0]++;
	put(&work);
	assert_int_equal(take_at(&p, at(0)), ERR_CACHE);
	p = work;
	p.id.type = ID_FQDN;
	put(&work);
	assert_int_equal(take_at(&p, at(0)), ERR_CACHE);
}

static void
a_changed_password_voids_the_ticket_a_missing_one_does_not(void **state)
{
	struct profile p = work;

	p.has_credential = true;
	memset(p.credential, 1, sizeof(p.credential));
	put(&p);
	assert_int_equal(take_at(&p, at(0)), OK);
	put(&p);
	assert_int_equal(take_at(&work, at(0)), OK);
	put(&work);
	assert_int_equal(take_at(&p, at(0)), OK);
	put(&p);
	p.credential[31] ^= 1;
	assert_int_equal(take_at(&p, at(0)), ERR_CACHE);
	assert_int_equal(take_at(&p, at(0)), ERR_NOT_FOUND);
}

static void another_key_opens_nothing(void **state)
{
	put(&work);
	unlink(file_of("key"));
	reopen();
	assert_int_equal(take_at(&work, at(0)), ERR_CACHE);
}

static void a_symlink_or_a_readable_file_is_no_entry(void **state)
{
	char target[PLACE_MAX + 128];

	put(&work);
	put(&home);
	snprintf(target, sizeof(target), "%s", file_of("tickets/home.ticket"));
	unlink(file_of("tickets/work.ticket"));
	assert_int_equal(symlink(target, file_of("tickets/work.ticket")), 0);
	assert_int_equal(take_at(&work, at(0)), ERR_CACHE);
	put(&work);
	assert_int_equal(chmod(file_of("tickets/work.ticket"), 0644), 0);
	assert_int_equal(take_at(&work, at(0)), ERR_CACHE);
	assert_int_equal(take_at(&home, at(0)), OK);
}

static void open_refused(const char *what)
{
	ticket_cache_close(&cache);
	diag_clear(&diag);
	assert_int_equal(ticket_cache_open(dir, &cache, &diag), ERR_CACHE);
	assert_null(cache);
	assert_non_null(strstr(diag.text, what));
}

static void a_key_that_others_can_read_is_refused(void **state)
{
	put(&work);
	chmod(file_of("key"), 0640);
	open_refused("chmod 600");
	chmod(file_of("key"), 0604);
	open_refused("chmod 600");
	chmod(file_of("key"), 0600);
	reopen();
}

static void a_key_that_is_a_symlink_or_damaged_is_refused(void **state)
{
	char moved[PLACE_MAX + 128];

	put(&work);
	snprintf(moved, sizeof(moved), "%s", file_of("moved"));
	assert_int_equal(rename(file_of("key"), moved), 0);
	assert_int_equal(symlink(moved, file_of("key")), 0);
	open_refused("symbolic link");
	unlink(file_of("key"));
	file_put(file_of("key"), (const uint8_t *)"short", 5);
	open_refused("rm ");
	unlink(file_of("key"));
	reopen();
}

static void a_key_of_another_user_is_refused(void **state)
{
	if (geteuid() != 0)
		skip();
	put(&work);
	assert_int_equal(chown(file_of("key"), 4711, 4711), 0);
	open_refused("chown");
}

static void a_folder_that_others_can_read_is_refused(void **state)
{
	chmod(file_of("tickets"), 0755);
	open_refused("chmod 700");
	chmod(file_of("tickets"), 0700);
	chmod(dir, 0711);
	open_refused("chmod 700");
	chmod(dir, 0700);
	if (geteuid() == 0) {
		assert_int_equal(chown(dir, 4711, 4711), 0);
		open_refused("chown");
		assert_int_equal(chown(dir, 0, 0), 0);
	}
	reopen();
}

static void a_folder_that_is_a_symlink_is_refused(void **state)
{
	char moved[PLACE_MAX + 128];

	ticket_cache_close(&cache);
	snprintf(moved, sizeof(moved), "%s.moved", dir);
	assert_int_equal(rename(dir, moved), 0);
	assert_int_equal(symlink(moved, dir), 0);
	open_refused("symbolic link");
	assert_int_equal(unlink(dir), 0);
	assert_int_equal(rename(moved, dir), 0);
	reopen();
}

static void a_full_disk_leaves_the_old_ticket(void **state)
{
	struct rlimit none = {100, RLIM_INFINITY}, before;
	struct ticket_entry e;
	enum err err;

	put(&work);
	entry_make(&e);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none.rlim_max = before.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	err = ticket_cache_put(cache, &work, &e, &diag);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(err, ERR_CACHE);
	assert_int_equal(take_at(&work, at(0)), OK);
}

static void a_lock_that_is_held_is_waited_for_and_reported(void **state)
{
	int fd = open(file_of("lock"), O_RDWR);

	put(&work);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(take_at(&work, at(0)), ERR_CACHE);
	assert_non_null(strstr(diag.text, "another vpn-connect"));
	close(fd);
	assert_int_equal(take_at(&work, at(0)), OK);
}

/* --- killed while writing ----------------------------------------------------
 */

static void put_for_ever(int tell)
{
	struct ticket_entry e;

	entry_make(&e);
	for (;;) {
		if (ticket_cache_put(cache, &work, &e, NULL) ||
		    write(tell, "x", 1) != 1)
			_exit(1);
	}
}

static size_t files_in_tickets(void)
{
	DIR *d = opendir(file_of("tickets"));
	struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(d)))
		n += entry->d_name[0] != '.';
	closedir(d);
	return n;
}

static void a_kill_while_writing_never_leaves_an_unreadable_entry(void **state)
{
	volatile unsigned spin;
	unsigned seed = 1;
	int status, fds[2];
	char c;

	for (int round = 0; round < 200; round++) {
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		if (pid == 0) {
			/* A lock of its own, as another process has. */
			ticket_cache_close(&cache);
			if (ticket_cache_open(dir, &cache, NULL))
				_exit(1);
			put_for_ever(fds[1]);
		}
		close(fds[1]);
		assert_int_equal(read(fds[0], &c, 1), 1);
		for (spin = rand_r(&seed) % 200000; spin > 0; spin--)
			;
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		close(fds[0]);
		reopen();
		assert_int_equal(files_in_tickets(), 1);
		assert_int_equal(take_at(&work, at(0)), OK);
	}
}

static void two_first_users_agree_on_one_key(void **state)
{
	int status, failed = 0;
	pid_t pids[8];

	ticket_cache_close(&cache);
	for (int round = 0; round < 10; round++) {
		unlink(file_of("key"));
		for (int i = 0; i < 8; i++) {
			pids[i] = fork();
			if (pids[i] != 0)
				continue;
			work.name[0] = (char)('a' + i);
			if (ticket_cache_open(dir, &cache, NULL))
				_exit(1);
			put(&work);
			_exit(0);
		}
		for (int i = 0; i < 8; i++) {
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			failed += status != 0;
		}
		reopen();
		for (int i = 0; i < 8; i++) {
			work.name[0] = (char)('a' + i);
			assert_int_equal(take_at(&work, at(0)), OK);
		}
		ticket_cache_close(&cache);
	}
	assert_int_equal(failed, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_was_put_is_taken_as_it_was),
		CASE(how_the_gateway_was_reached_is_known_before_the_ticket_is_taken),
		CASE(the_largest_ticket_fits_and_a_larger_one_is_refused),
		CASE(a_ticket_is_taken_only_once),
		CASE(a_new_ticket_replaces_the_old_one),
		CASE(forgetting_leaves_the_others),
		CASE(a_name_cannot_lead_out_of_the_folder),
		CASE(the_list_shows_without_taking),
		CASE(files_are_private_and_hold_no_secret_in_the_clear),
		CASE(the_same_ticket_gives_another_file_each_time),
		CASE(a_ticket_expires_by_the_wall_clock),
		CASE(a_clock_before_the_time_of_storing_counts_as_expired),
		CASE(a_clock_set_back_does_not_prolong_a_ticket),
		CASE(a_reboot_keeps_the_ticket),
		CASE(every_flipped_bit_spoils_its_entry_only),
		CASE(every_truncation_spoils_its_entry_only),
		CASE(a_file_larger_than_any_ticket_is_refused),
		CASE(an_entry_copied_from_another_profile_is_refused),
		CASE(a_changed_profile_voids_its_ticket),
		CASE(a_changed_password_voids_the_ticket_a_missing_one_does_not),
		CASE(another_key_opens_nothing),
		CASE(a_symlink_or_a_readable_file_is_no_entry),
		CASE(a_key_that_others_can_read_is_refused),
		CASE(a_key_that_is_a_symlink_or_damaged_is_refused),
		CASE(a_key_of_another_user_is_refused),
		CASE(a_folder_that_others_can_read_is_refused),
		CASE(a_folder_that_is_a_symlink_is_refused),
		CASE(a_full_disk_leaves_the_old_ticket),
		CASE(a_lock_that_is_held_is_waited_for_and_reported),
		CASE(a_kill_while_writing_never_leaves_an_unreadable_entry),
		CASE(two_first_users_agree_on_one_key),
	};

	if (crypto_open(&diag))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
