/* keyctl(2) by its raw system calls: libkeyutils would be one more library
 * for four words. */
#include "config.h"

#include "platform/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TYPE "user"
/* The possessor everything; the same user, who may run outside of this
 * session, view, read, write and search. */
#define PERMISSIONS 0x3f0f0000

static enum err failed(const char *name, struct diag *diag)
{
	switch (errno) {
	case ENOKEY:
	case EKEYEXPIRED:
	case EKEYREVOKED:
		return diag_set(diag, ERR_NOT_FOUND,
				"%s is not in the kernel's key ring", name);
	case EDQUOT:
		return diag_set(diag, ERR_NO_SPACE,
				"the kernel's key ring is full: see "
				"/proc/key-users");
	default:
		return diag_sys(diag, ERR_UNSUPPORTED, "kernel key ring");
	}
}

static long key_search(const char *name)
{
	return syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_USER_KEYRING, TYPE,
		       name, 0);
}

enum err os_keyring_put(const char *name, struct bytes value, uint32_t life_s,
			struct diag *diag)
{
	long key = syscall(SYS_add_key, TYPE, name, value.p, value.len,
			   KEY_SPEC_USER_KEYRING);

	if (key < 0)
		return failed(name, diag);
	if (syscall(SYS_keyctl, KEYCTL_SETPERM, key, PERMISSIONS) < 0 ||
	    syscall(SYS_keyctl, KEYCTL_SET_TIMEOUT, key, life_s) < 0)
		return failed(name, diag);
	return OK;
}

enum err os_keyring_get(const char *name, uint8_t *out, size_t cap,
			size_t *out_len, struct diag *diag)
{
	long key = key_search(name), len;

	*out_len = 0;
	if (key < 0)
		return failed(name, diag);
	len = syscall(SYS_keyctl, KEYCTL_READ, key, out, cap);
	if (len < 0)
		return failed(name, diag);
	if ((size_t)len > cap)
		return diag_set(diag, ERR_NO_SPACE, "%s: %ld octets", name,
				len);
	*out_len = (size_t)len;
	return OK;
}

enum err os_keyring_remove(const char *name, struct diag *diag)
{
	long key = key_search(name);

	if (key >= 0 && syscall(SYS_keyctl, KEYCTL_UNLINK, key,
				KEY_SPEC_USER_KEYRING) == 0)
		return OK;
	return errno == ENOKEY || errno == EKEYEXPIRED || errno == EKEYREVOKED
		       ? OK
		       : failed(name, diag);
}
