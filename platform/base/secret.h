/* Octets that must not outlive their use, be logged or be printed. */
#ifndef PLATFORM_BASE_SECRET_H
#define PLATFORM_BASE_SECRET_H

#include "platform/base/bytes.h"

/* Holds a key, a password or a pre-shared key. Large enough for two SHA-512
 * outputs and for any password we accept. */
#define SECRET_MAX 256

struct secret {
	size_t len;
	uint8_t b[SECRET_MAX];
};

/* Overwrites memory in a way the compiler keeps. p may be NULL with len 0. */
void mem_wipe(void *p, size_t len);

/* Copies b (at most SECRET_MAX octets; ERR_NO_SPACE leaves s empty). */
enum err ERR_MUST secret_set(struct secret *s, struct bytes b);
void secret_wipe(struct secret *s);
/* A view that lives as long as s does. */
struct bytes secret_view(const struct secret *s);
bool secret_eq(const struct secret *a, const struct secret *b);

#endif
