/* A ticket cache in a folder of its own, for test_key and test_rotate. */
#ifndef TESTS_UNIT_CACHE_RIG_H
#define TESTS_UNIT_CACHE_RIG_H

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

#include "client/store/cache.h"
#include "client/store/guard.h"
#include "client/store/key_backend.h"
#include "client/store/places.h"
#include "platform/keyring.h"

#define RIG_LIFE_S 3600

static char rig_top[64], rig_dir[PLACE_MAX];
static struct diag diag;
static uint8_t rig_opaque[40] = {1, 2, 3};
static const char *const rig_names[] = {"work", "home", "lab", "den", "ship"};

/* Below the test's own folder. */
static inline const char *rig_path(const char *name)
{
	static char paths[4][PLACE_MAX];
	static unsigned next;
	char *path = paths[next++ % 4];

	snprintf(path, PLACE_MAX, "%s/%s", rig_top, name);
	return path;
}

static inline void rig_file_write(const char *path, const void *b, size_t len)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(b, 1, len, f), len);
	fclose(f);
	chmod(path, 0600);
}

static inline uint8_t *rig_file_read(const char *path, size_t *out_len)
{
	uint8_t *file;

	assert_int_equal(os_read_file(path, 1 << 20, &file, out_len, &diag),
			 OK);
	return file;
}

static inline bool rig_has_keyring(void)
{
	uint8_t b;
	size_t len;

	return os_keyring_get("vpn-connect:none", &b, 1, &len, NULL) !=
	       ERR_UNSUPPORTED;
}

static inline int rig_setup(void **state)
{
	snprintf(rig_top, sizeof(rig_top), "%s/vpc-key.XXXXXX",
		 access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(rig_top));
	snprintf(rig_dir, sizeof(rig_dir), "%s/state", rig_top);
	diag_clear(&diag);
	/* Nothing of this machine is to be found. */
	unsetenv("CREDENTIALS_DIRECTORY");
	unsetenv("DBUS_SESSION_BUS_ADDRESS");
	unsetenv("VPN_CONNECT_TCTI");
	key_program_dir = rig_top;
	return 0;
}

static inline int rig_teardown(void **state)
{
	struct key_table keys = {.n = 0};
	char command[128];

	for (size_t i = 0; i < sizeof(rig_names) / sizeof(rig_names[0]); i++)
		guard_drop(rig_dir, rig_names[i]);
	if (key_table_read(rig_dir, &keys, NULL) == OK)
		for (size_t i = 0; i < keys.n; i++)
			key_drop(&keys.slots[i]);
	snprintf(command, sizeof(command), "rm -rf '%s'", rig_top);
	return system(command);
}

static inline struct profile *rig_profile(const char *name, enum cache_key key)
{
	static struct profile profiles[4];
	static unsigned next;
	struct profile *p = &profiles[next++ % 4];
	char text[300];

	snprintf(text, sizeof(text),
		 "[gateway]\naddress=gw\n[identity]\nauth=psk\nid=a@b\n"
		 "[resumption]\nkey=%s\n",
		 key_backend_name(key));
	assert_int_equal(profile_parse(name, text, p, &diag), OK);
	return p;
}

static inline enum err rig_put_into(struct ticket_cache *c,
				    const struct profile *p)
{
	struct os_time now = os_now();
	struct ticket_entry e = {
		.ticket.opaque = BYTES_OF(rig_opaque),
		.ticket.lifetime_s = RIG_LIFE_S,
		.ticket.sk_d.len = 32,
		.ticket.suite = {.cipher = {ENCR_AES_GCM_16, 256, INTEG_NONE},
				 .prf = PRF_HMAC_SHA2_256,
				 .ke = KE_X25519},
		.stored_wall_ms = now.wall_ms,
		.stored_boot_ms = now.boot_ms,
		.expires_wall_ms = now.wall_ms + RIG_LIFE_S * 1000,
	};

	diag_clear(&diag);
	return ticket_cache_put(c, p, &e, &diag);
}

static inline enum err rig_take_from(struct ticket_cache *c,
				     const struct profile *p)
{
	struct ticket_entry e;
	enum err err;

	diag_clear(&diag);
	err = ticket_cache_take(c, p, os_now(), &e, &diag);
	if (!err)
		assert_true(bytes_eq(e.ticket.opaque, BYTES_OF(rig_opaque)));
	ticket_entry_wipe(&e);
	return err;
}

/* As one run of vpn-connect. */
static inline enum err rig_put(const char *name, enum cache_key key)
{
	struct profile *p = rig_profile(name, key);
	struct ticket_cache *c;
	enum err e;

	diag_clear(&diag);
	e = ticket_cache_open_for(rig_dir, p, &c, &diag);
	if (!e)
		e = rig_put_into(c, p);
	ticket_cache_close(&c);
	return e;
}

static inline enum err rig_take(const char *name, enum cache_key key)
{
	struct profile *p = rig_profile(name, key);
	struct ticket_cache *c;
	enum err e;

	diag_clear(&diag);
	e = ticket_cache_open_for(rig_dir, p, &c, &diag);
	if (!e)
		e = rig_take_from(c, p);
	ticket_cache_close(&c);
	return e;
}

static inline enum err rig_rotate(void)
{
	struct ticket_cache *c;
	enum err e;

	diag_clear(&diag);
	e = ticket_cache_open(rig_dir, &c, &diag);
	if (!e)
		e = ticket_cache_rotate(c, &diag);
	ticket_cache_close(&c);
	return e;
}

/* How many entries open; *out_key: of the last one. */
static inline size_t rig_count(enum cache_key *out_key)
{
	struct ticket_info info[8];
	struct ticket_cache *c;
	size_t n = 0;

	diag_clear(&diag);
	assert_int_equal(ticket_cache_open(rig_dir, &c, &diag), OK);
	assert_int_equal(ticket_cache_list(c, os_now(), info, 8, &n), OK);
	ticket_cache_close(&c);
	if (out_key && n > 0)
		*out_key = info[n - 1].key;
	return n;
}

static inline void rig_table(struct key_table *out)
{
	memset(out, 0, sizeof(*out));
	assert_int_equal(key_table_read(rig_dir, out, &diag), OK);
}

static inline void rig_says(const char *what)
{
	if (!strstr(diag.text, what))
		print_error("it said: %s\n", diag.text);
	assert_non_null(strstr(diag.text, what));
}

#endif
