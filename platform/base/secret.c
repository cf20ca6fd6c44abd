#include "platform/base/secret.h"

#include <string.h>

void mem_wipe(void *p, size_t len)
{
	if (!p || len == 0)
		return;
	memset(p, 0, len);
	__asm__ __volatile__("" : : "r"(p) : "memory");
}

enum err secret_set(struct secret *s, struct bytes b)
{
	secret_wipe(s);
	if (b.len > sizeof(s->b))
		return ERR_NO_SPACE;
	if (b.len > 0)
		memcpy(s->b, b.p, b.len);
	s->len = b.len;
	return OK;
}

void secret_wipe(struct secret *s)
{
	mem_wipe(s, sizeof(*s));
}

struct bytes secret_view(const struct secret *s)
{
	return bytes(s->b, s->len);
}

bool secret_eq(const struct secret *a, const struct secret *b)
{
	return bytes_eq_secret(secret_view(a), secret_view(b));
}
