/* The kernel's key ring of the user: small values in kernel memory that never
 * reach a disk or swap and do not survive a reboot. System calls only, so it
 * can be used by a confined process. Every process of the user can read them.
 * ERR_UNSUPPORTED: this kernel, container or system has none.
 */
#ifndef PLATFORM_KEYRING_H
#define PLATFORM_KEYRING_H

#include "platform/base/bytes.h"

/* Adds or replaces. It vanishes after life_s seconds; 0: with the reboot.
 * ERR_NO_SPACE: the user's quota is used up (/proc/key-users). */
enum err ERR_MUST os_keyring_put(const char *name, struct bytes value,
				 uint32_t life_s, struct diag *diag);
/* At most cap octets (larger ones are ERR_NO_SPACE). ERR_NOT_FOUND. The
 * caller wipes. */
enum err ERR_MUST os_keyring_get(const char *name, uint8_t *out, size_t cap,
				 size_t *out_len, struct diag *diag);
/* OK also when there was none. */
enum err ERR_MUST os_keyring_remove(const char *name, struct diag *diag);

#endif
