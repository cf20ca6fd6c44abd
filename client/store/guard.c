#include "client/store/guard.h"

#include <stdio.h>
#include <string.h>

#include "client/crypto/crypto.h"
#include "platform/base/log.h"
#include "platform/keyring.h"
#include "platform/os.h"

#define NAME_CAP 128

struct memory {
	uint64_t floor;
	int64_t until_boot_ms; /* then every older copy has expired */
};

/* The folder by its path, not by its inode: a whole folder that was put back
 * is the same one. */
static bool name_of(const char *dir, const char *profile, char out[NAME_CAP])
{
	const struct bytes path = bytes_str(dir);
	uint8_t digest[32];
	size_t at;

	if (crypto_hash(HASH_SHA2_256, &path, 1, digest))
		return false;
	at = (size_t)snprintf(out, NAME_CAP, "vpn-connect:last:");
	for (size_t i = 0; i < 8; i++)
		at += (size_t)snprintf(out + at, NAME_CAP - at, "%02x",
				       digest[i]);
	return snprintf(out + at, NAME_CAP - at, ":%s", profile) <
	       (int)(NAME_CAP - at);
}

static struct memory memory_read(const char *name)
{
	struct memory m = {0, 0};
	uint8_t buf[16];
	size_t len;
	struct rd r;

	if (os_keyring_get(name, buf, sizeof(buf), &len, NULL))
		return m;
	r = rd_open(bytes(buf, len));
	m.floor = rd_u64(&r);
	m.until_boot_ms = (int64_t)rd_u64(&r);
	if (rd_finish(&r))
		memset(&m, 0, sizeof(m));
	return m;
}

uint64_t guard_floor(const char *dir, const char *profile)
{
	char name[NAME_CAP];

	return name_of(dir, profile, name) ? memory_read(name).floor : 0;
}

uint64_t guard_next(const char *dir, const char *profile, int64_t wall_ms)
{
	uint64_t floor = guard_floor(dir, profile);

	/* The clock, so that it goes on after a reboot; the floor, so that a
	 * clock set back does no harm. */
	return wall_ms > 0 && (uint64_t)wall_ms > floor ? (uint64_t)wall_ms
							: floor + 1;
}

void guard_raise(const char *dir, const char *profile, uint64_t floor,
		 int64_t life_ms)
{
	int64_t now_ms = os_now().boot_ms;
	struct diag diag = DIAG_INIT;
	char name[NAME_CAP];
	struct memory m;
	uint8_t buf[16];
	struct wr w = wr_open(buf, sizeof(buf));
	int64_t left_s;
	enum err e;

	if (!name_of(dir, profile, name))
		return;
	m = memory_read(name);
	if (floor > m.floor)
		m.floor = floor;
	if (now_ms + life_ms > m.until_boot_ms && life_ms > 0)
		m.until_boot_ms = now_ms + life_ms;
	left_s = (m.until_boot_ms - now_ms) / 1000 + 1;
	if (m.until_boot_ms <= now_ms)
		return;
	wr_u64(&w, m.floor);
	wr_u64(&w, (uint64_t)m.until_boot_ms);
	e = os_keyring_put(name, wr_view(&w),
			   left_s < UINT32_MAX ? (uint32_t)left_s : 0, &diag);
	if (e)
		log_debug("an older ticket would not be noticed: %s",
			  diag_text(&diag, e));
}

void guard_drop(const char *dir, const char *profile)
{
	char name[NAME_CAP];

	if (name_of(dir, profile, name) && os_keyring_remove(name, NULL))
		log_debug("%s stays", name);
}
