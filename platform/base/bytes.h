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

/* Those that every packet needs are inline. */

static inline struct rd rd_open(struct bytes b)
{
	static const uint8_t nothing[1];
	const uint8_t *p = b.p ? b.p : nothing;

	return (struct rd){p, p + (b.p ? b.len : 0), false};
}

static inline size_t rd_left(const struct rd *r)
{
	return r->short_read ? 0 : (size_t)(r->end - r->p);
}

/* A view of the next len octets; BYTES_NONE and sticky error when short. */
static inline struct bytes rd_take(struct rd *r, size_t len)
{
	const uint8_t *at = r->p;

	if (r->short_read || len > rd_left(r)) {
		r->short_read = true;
		return BYTES_NONE;
	}
	r->p += len;
	return bytes(at, len);
}

static inline uint8_t rd_u8(struct rd *r)
{
	const uint8_t *p = rd_take(r, 1).p;

	return p ? *p : 0;
}

static inline uint16_t rd_u16(struct rd *r) /* network order */
{
	const uint8_t *p = rd_take(r, 2).p;

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t rd_u32(struct rd *r)
{
	const uint8_t *p = rd_take(r, 4).p;

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
			       (uint32_t)p[2] << 8 | p[3]
		 : 0;
}

uint64_t rd_u64(struct rd *r);
/* A cursor of its own over the next len octets. When short, both are. */
struct rd rd_sub(struct rd *r, size_t len);
struct bytes rd_rest(struct rd *r);		   /* takes all that is left */
void rd_copy(struct rd *r, void *out, size_t len); /* zeros when short */
static inline bool rd_ok(const struct rd *r)
{
	return !r->short_read;
}

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

static inline struct wr wr_open(void *buf, size_t cap)
{
	uint8_t *p = buf;

	return (struct wr){p, p, p + cap, false};
}

/* Room for len octets that the caller fills; NULL on overflow. */
static inline uint8_t *wr_room(struct wr *w, size_t len)
{
	uint8_t *at = w->p;

	if (w->overflow || len > (size_t)(w->end - w->p)) {
		w->overflow = true;
		return NULL;
	}
	w->p += len;
	return at;
}

/* len octets of v, network order. */
static inline void wr_uint(struct wr *w, uint64_t v, size_t len)
{
	uint8_t *p = wr_room(w, len);

	for (size_t i = len; p && i > 0; i--, v >>= 8)
		p[i - 1] = (uint8_t)v;
}

static inline void wr_u8(struct wr *w, uint8_t v)
{
	wr_uint(w, v, 1);
}

static inline void wr_u16(struct wr *w, uint16_t v)
{
	wr_uint(w, v, 2);
}

static inline void wr_u32(struct wr *w, uint32_t v)
{
	wr_uint(w, v, 4);
}

static inline void wr_u64(struct wr *w, uint64_t v)
{
	wr_uint(w, v, 8);
}

void wr_bytes(struct wr *w, struct bytes b);
void wr_zeros(struct wr *w, size_t len);
/* A place for a 16-bit length, filled later: wr_mark_u16 returns where it is,
 * wr_fill_u16 writes v there. */
size_t wr_mark_u16(struct wr *w);
void wr_fill_u16(struct wr *w, size_t mark, uint16_t v);
void wr_fill_u8(struct wr *w, size_t at, uint8_t v);
static inline size_t wr_len(const struct wr *w)
{
	return (size_t)(w->p - w->start);
}

size_t wr_left(const struct wr *w);
bool wr_ok(const struct wr *w);
enum err ERR_MUST wr_finish(const struct wr *w); /* OK or ERR_NO_SPACE */
struct bytes wr_view(const struct wr *w);
/* Forgets everything after len octets from the start; no longer than now. */
void wr_rewind(struct wr *w, size_t len);

#endif
