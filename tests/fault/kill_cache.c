/* kill_cache [KILLS]: kill -9 at random moments of writing the ticket cache.
 *
 * A child writes without a pause and is killed after a random time; then
 * every entry must open, and what the child left must be gone. One line per
 * story, `ok` or `FAIL`, and the sum. 1,000 kills unless told.
 */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/store/cache.h"
#include "client/store/guard.h"
#include "client/store/key.h"
#include "platform/base/log.h"
#include "platform/keyring.h"

#define ENTRIES	 5
#define LIFE_S	 3600
#define DELAY_US 2500 /* longer than any one operation */

static const char *const names[ENTRIES] = {"work", "home", "lab", "den",
					   "ship"};
static char top[64], dir[PLACE_MAX];
static uint8_t opaque[900];
static struct diag diag;
static unsigned seed;
static bool has_keyring;

/* --- what the child does, over and over
 * --------------------------------------- */

static void profile_make(const char *name, enum cache_key key,
			 struct profile *out)
{
	char text[200];

	snprintf(text, sizeof(text),
		 "[gateway]\naddress=gw\n[identity]\nauth=psk\nid=a@b\n"
		 "[resumption]\nkey=%s\n",
		 key_backend_name(key));
	if (profile_parse(name, text, out, &diag))
		abort();
}

static enum err entry_put(const char *name, enum cache_key key)
{
	struct os_time now = os_now();
	struct ticket_entry e = {
		.ticket.opaque = BYTES_OF(opaque),
		.ticket.lifetime_s = LIFE_S,
		.ticket.sk_d.len = 32,
		.ticket.suite = {.cipher = {ENCR_AES_GCM_16, 256, INTEG_NONE},
				 .prf = PRF_HMAC_SHA2_256,
				 .ke = KE_X25519},
		.stored_wall_ms = now.wall_ms,
		.stored_boot_ms = now.boot_ms,
		.expires_wall_ms = now.wall_ms + LIFE_S * 1000,
	};
	struct ticket_cache *c;
	struct profile p;
	enum err err;

	profile_make(name, key, &p);
	err = ticket_cache_open_for(dir, &p, &c, &diag);
	if (!err)
		err = ticket_cache_put(c, &p, &e, &diag);
	ticket_cache_close(&c);
	return err;
}

static enum err rotate(void)
{
	struct ticket_cache *c;
	enum err e = ticket_cache_open(dir, &c, &diag);

	if (!e)
		e = ticket_cache_rotate(c, &diag);
	ticket_cache_close(&c);
	return e;
}

static enum err step_put(unsigned i)
{
	return entry_put(names[i % ENTRIES], CACHE_KEY_FILE);
}

static enum err step_rotate(unsigned i)
{
	return rotate();
}

/* The profile changes its mind each time, so entries move between keys. */
static enum err step_mixed(unsigned i)
{
	if (i % 4 == 3)
		return rotate();
	return entry_put(names[rand_r(&seed) % ENTRIES],
			 has_keyring && i % 2 ? CACHE_KEY_KEYRING
					      : CACHE_KEY_FILE);
}

static void child_run(enum err (*step)(unsigned i), int started)
{
	for (unsigned i = (unsigned)rand_r(&seed);; i++) {
		if (step(i)) {
			fprintf(stderr, "child: %s\n", diag.text);
			_exit(1);
		}
		if (started >= 0)
			close(started);
		started = -1;
	}
}

/* --- one kill
 * ------------------------------------------------------------------ */

static bool child_kill(enum err (*step)(unsigned i))
{
	struct timespec delay = {0, 0};
	int status, fds[2];
	pid_t pid;
	char c;

	delay.tv_nsec = rand_r(&seed) % (DELAY_US * 1000);
	if (pipe2(fds, O_CLOEXEC) < 0)
		abort();
	seed++;
	pid = fork();
	if (pid < 0)
		abort();
	if (pid == 0) {
		close(fds[0]);
		/* Half of them are killed in their first step. */
		if (seed % 2)
			close(fds[1]);
		child_run(step, seed % 2 ? -1 : fds[1]);
	}
	close(fds[1]);
	while (read(fds[0], &c, 1) < 0 && errno == EINTR)
		;
	close(fds[0]);
	nanosleep(&delay, NULL);
	kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFSIGNALED(status);
}

/* --- what must be true then
 * ------------------------------------------------------ */

static bool rotation_is_open(void)
{
	static struct key_table table;

	memset(&table, 0, sizeof(table));
	if (key_table_read(dir, &table, NULL))
		return false;
	for (size_t i = 0; i < table.n; i++)
		if (table.slots[i].retiring)
			return true;
	return false;
}

static size_t files_in(const char *path)
{
	DIR *d = opendir(path);
	struct dirent *entry;
	size_t n = 0;

	while (d && (entry = readdir(d)))
		n += entry->d_name[0] != '.';
	if (d)
		closedir(d);
	return n;
}

static bool cache_is_whole(void)
{
	struct ticket_info info[ENTRIES + 1];
	char tickets[PLACE_MAX + 10];
	struct ticket_cache *c;
	size_t n = 0;
	enum err e;

	diag_clear(&diag);
	e = ticket_cache_open(dir, &c, &diag);
	if (!e)
		e = ticket_cache_list(c, os_now(), info, ENTRIES + 1, &n);
	ticket_cache_close(&c);
	snprintf(tickets, sizeof(tickets), "%s/tickets", dir);
	if (e || n != ENTRIES) {
		printf("  %zu entries: %s\n", n, diag_text(&diag, e));
		return false;
	}
	/* key, lock, use, tickets; and no temporary file. */
	if (files_in(dir) != 4 || files_in(tickets) != ENTRIES ||
	    rotation_is_open()) {
		printf("  something was left: %zu and %zu files\n",
		       files_in(dir), files_in(tickets));
		return false;
	}
	return true;
}

/* --- the stories
 * ------------------------------------------------------------------ */

static bool story(const char *name, unsigned kills,
		  enum err (*step)(unsigned i))
{
	unsigned amid = 0;

	for (unsigned i = 0; i < kills; i++) {
		if (!child_kill(step)) {
			printf("FAIL %s: the child ended by itself at kill "
			       "%u\n",
			       name, i);
			return false;
		}
		amid += rotation_is_open();
		/* Every other time the next child has to put it right, and
		 * may be killed over that. */
		if (i % 2 && !cache_is_whole()) {
			printf("FAIL %s: not whole after kill %u\n", name, i);
			return false;
		}
	}
	if (!cache_is_whole()) {
		printf("FAIL %s: not whole at the end\n", name);
		return false;
	}
	printf("ok %s (%u kills, %u amid a rotation)\n", name, kills, amid);
	return true;
}

static void log_print(enum log_level level, const char *text, void *ctx)
{
	printf("  %s\n", text);
}

static bool text_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 &&
		    write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

/* A user namespace has a key ring of its own: keys whose maker was killed
 * before it could write their id down go with it. */
static bool keyring_own(void)
{
	unsigned uid = geteuid(), gid = getegid();
	char users[64], groups[64];
	size_t len;

	snprintf(users, sizeof(users), "%u %u 1", uid, uid);
	snprintf(groups, sizeof(groups), "%u %u 1", gid, gid);
	return unshare(CLONE_NEWUSER) == 0 &&
	       text_write("/proc/self/setgroups", "deny") &&
	       text_write("/proc/self/gid_map", groups) &&
	       text_write("/proc/self/uid_map", users) &&
	       os_keyring_get("vpn-connect:none", opaque, 1, &len, NULL) !=
		       ERR_UNSUPPORTED;
}

static bool cache_fill(void)
{
	for (size_t i = 0; i < ENTRIES; i++)
		if (entry_put(names[i], CACHE_KEY_FILE)) {
			printf("FAIL start: %s\n", diag.text);
			return false;
		}
	return true;
}

static void clean_up(void)
{
	static struct key_table table;
	char command[128];

	if (key_table_read(dir, &table, NULL) == OK)
		for (size_t i = 0; i < table.n; i++)
			key_drop(&table.slots[i]);
	for (size_t i = 0; i < ENTRIES; i++)
		guard_drop(dir, names[i]);
	snprintf(command, sizeof(command), "rm -rf '%s'", top);
	if (system(command))
		printf("  %s stays\n", top);
}

int main(int argc, char **argv)
{
	unsigned kills = argc > 1 ? (unsigned)atoi(argv[1]) : 1000;
	int passed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	has_keyring = keyring_own();
	snprintf(top, sizeof(top), "%s/vpc-kill.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	if (!mkdtemp(top) || crypto_open(&diag) ||
	    os_random(&seed, sizeof(seed)))
		return 1;
	snprintf(dir, sizeof(dir), "%s/state", top);
	log_open(log_print, NULL, LOG_WARN);
	printf("  seed %u%s\n", seed, has_keyring ? "" : ", no key ring");
	if (cache_fill()) {
		passed += story("kill_while_putting", kills * 4 / 10, step_put);
		passed += story("kill_while_rotating", kills * 4 / 10,
				step_rotate);
		passed +=
			story("kill_while_moving", kills * 2 / 10, step_mixed);
	}
	clean_up();
	printf("%d passed, %d failed\n", passed, 3 - passed);
	return passed == 3 ? 0 : 1;
}
