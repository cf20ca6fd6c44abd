/* The operating system outside the network: privilege, clocks, randomness,
 * files that hold secrets. */
#ifndef PLATFORM_OS_H
#define PLATFORM_OS_H

#include <sys/types.h>

#include "platform/base/secret.h"

/* Two clocks, in milliseconds. boot counts sleep and never jumps back; wall
 * is Unix time. */
struct os_time {
	int64_t boot_ms;
	int64_t wall_ms;
};
struct os_time os_now(void);
enum err ERR_MUST os_random(void *out, size_t len);
/* CPU time this process used so far, in microseconds. */
int64_t os_cpu_us(void);

/* Who called: SUDO_UID/SUDO_GID when root by sudo, else the real ids. */
struct os_user {
	uid_t uid;
	gid_t gid;
	char home[256];
};
enum err ERR_MUST os_invoking_user(struct os_user *out, struct diag *diag);
/* For good: groups, gid, uid, all capabilities, no_new_privs, not dumpable.
 * Works for uid 0 too (root without capabilities). */
enum err ERR_MUST os_drop_to(const struct os_user *user, struct diag *diag);
/* Secrets are not swapped out or dumped; failure is only a warning. */
void os_harden_memory(void);
/* Landlock: from now on only these folders, read_only or writable, and what
 * is already open. Each list ends with NULL (and may be NULL); what does not
 * exist is skipped; no-op where the kernel lacks it. For the calling thread:
 * before threads are made. */
enum err ERR_MUST os_confine(const char *const *read_dirs,
			     const char *const *write_dirs, struct diag *diag);

/* A regular file of at most max octets, into a malloc'd buffer with a NUL
 * behind it. gives *out_buf (wipe and free). */
enum err ERR_MUST os_read_file(const char *path, size_t max, uint8_t **out_buf,
			       size_t *out_len, struct diag *diag);
/* The same, refusing a symlink, a file of another owner (than us or root)
 * or one that group or others may read: secrets. ERR_PERMISSION says how to
 * mend it. */
enum err ERR_MUST os_read_secret_file(const char *path, size_t max,
				      uint8_t **out_buf, size_t *out_len,
				      struct diag *diag);
/* Whole or not at all: temp file 0600 beside it, fsync, rename, fsync of
 * the folder. */
enum err ERR_MUST os_write_file(const char *path, struct bytes content,
				struct diag *diag);
/* Makes the folder and its parents, 0700. */
enum err ERR_MUST os_make_dir(const char *path, struct diag *diag);
/* The largest IP packet that a connected socket's path takes, as the kernel
 * knows it; 0: not known. */
uint16_t os_path_mtu(int fd);

#endif
