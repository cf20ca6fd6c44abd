/* Views of octets, and the two cursors that alone touch lengths.
 *
 * Errors are sticky: after the first short read or write every further verb
 * does nothing (a read gives zeros), and the one check at the end tells.
 */
#ifndef PLATFORM_BASE_BYTES_H
#define PLATFORM_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

/* A view; owns nothing. p may be NULL only where len is 0. */
struct bytes {
	const uint8_t *p;
	size_t len;
};

#define BYTES_NONE	((struct bytes){NULL, 0})
#define BYTES_OF(array) ((struct bytes){(array), sizeof(array)})

static inline struct bytes bytes(const void *p, size_t len)
{
	return (struct bytes){p, len};
}

struct bytes bytes_str(const char *s);
/* Equal in length and content; not constant-time. */
bool bytes_eq(struct bytes a, struct bytes b);
/* Equal, in time that depends on the length only: for tags and hashes. */
bool bytes_eq_secret(struct bytes a, struct bytes b);

/* Read cursor over octets it borrows. */
struct rd {
	const uint8_t *p;
	const uint8_t *end;
	bool short_read;
};

struct rd rd_open(struct bytes b);
uint8_t rd_u8(struct rd *r);
uint16_t rd_u16(struct rd *r); /* network order */
uint32_t rd_u32(struct rd *r);
uint64_t rd_u64(struct rd *r);
/* A view of the next len octets; BYTES_NONE and sticky error when short. */
struct bytes rd_take(struct rd *r, size_t len);
/* A cursor of its own over the next len octets. When short, both are. */
struct rd rd_sub(struct rd *r, size_t len);
struct bytes rd_rest(struct rd *r);		   /* takes all that is left */
void rd_copy(struct rd *r, void *out, size_t len); /* zeros when short */
size_t rd_left(const struct rd *r);
bool rd_ok(const struct rd *r);
/* OK, or ERR_TRUNCATED after a short read, or ERR_MALFORMED where octets
 * are left over. */
enum err ERR_MUST rd_finish(const struct rd *r);

/* Write cursor into a buffer it borrows. */
struct wr {
	uint8_t *start;
	uint8_t *p;
	uint8_t *end;
	bool overflow;
};

struct wr wr_open(void *buf, size_t cap);
void wr_u8(struct wr *w, uint8_t v);
void wr_u16(struct wr *w, uint16_t v); /* network order */
void wr_u32(struct wr *w, uint32_t v);
void wr_u64(struct wr *w, uint64_t v);
void wr_bytes(struct wr *w, struct bytes b);
void wr_zeros(struct wr *w, size_t len);
/* Room for len octets that the caller fills; NULL on overflow. */
uint8_t *wr_room(struct wr *w, size_t len);
/* A place for a 16-bit length, filled later: wr_mark_u16 returns where it is,
 * wr_fill_u16 writes v there. */
size_t wr_mark_u16(struct wr *w);
void wr_fill_u16(struct wr *w, size_t mark, uint16_t v);
void wr_fill_u8(struct wr *w, size_t at, uint8_t v);
size_t wr_len(const struct wr *w);
size_t wr_left(const struct wr *w);
bool wr_ok(const struct wr *w);
enum err ERR_MUST wr_finish(const struct wr *w); /* OK or ERR_NO_SPACE */
struct bytes wr_view(const struct wr *w);
/* Forgets everything after len octets from the start; no longer than now. */
void wr_rewind(struct wr *w, size_t len);

#endif
