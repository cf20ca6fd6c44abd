#include "platform/base/bytes.h"

#include <string.h>

struct bytes bytes_str(const char *s)
{
	return bytes(s, s ? strlen(s) : 0);
}

bool bytes_eq(struct bytes a, struct bytes b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

bool bytes_eq_secret(struct bytes a, struct bytes b)
{
	volatile uint8_t seen;
	uint8_t diff = 0;

	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		diff |= a.p[i] ^ b.p[i];
	seen = diff;
	return seen == 0;
}

uint64_t rd_u64(struct rd *r)
{
	struct bytes b = rd_take(r, 8);
	uint64_t v = 0;

	for (size_t i = 0; i < b.len; i++)
		v = v << 8 | b.p[i];
	return v;
}

struct rd rd_sub(struct rd *r, size_t len)
{
	struct rd sub = rd_open(rd_take(r, len));

	sub.short_read = r->short_read;
	return sub;
}

struct bytes rd_rest(struct rd *r)
{
	return rd_take(r, rd_left(r));
}

void rd_copy(struct rd *r, void *out, size_t len)
{
	struct bytes b = rd_take(r, len);

	if (b.len == len && len > 0)
		memcpy(out, b.p, len);
	else if (len > 0)
		memset(out, 0, len);
}

enum err rd_finish(const struct rd *r)
{
	if (r->short_read)
		return ERR_TRUNCATED;
	return r->p == r->end ? OK : ERR_MALFORMED;
}

void wr_bytes(struct wr *w, struct bytes b)
{
	uint8_t *p = wr_room(w, b.len);

	if (p && b.len > 0)
		memcpy(p, b.p, b.len);
}

void wr_zeros(struct wr *w, size_t len)
{
	uint8_t *p = wr_room(w, len);

	if (p && len > 0)
		memset(p, 0, len);
}

size_t wr_mark_u16(struct wr *w)
{
	size_t at = wr_len(w);

	wr_u16(w, 0);
	return at;
}

void wr_fill_u16(struct wr *w, size_t mark, uint16_t v)
{
	if (w->overflow || mark + 2 > wr_len(w))
		return;
	w->start[mark] = (uint8_t)(v >> 8);
	w->start[mark + 1] = (uint8_t)v;
}

void wr_fill_u8(struct wr *w, size_t at, uint8_t v)
{
	if (!w->overflow && at < wr_len(w))
		w->start[at] = v;
}

size_t wr_left(const struct wr *w)
{
	return w->overflow ? 0 : (size_t)(w->end - w->p);
}

bool wr_ok(const struct wr *w)
{
	return !w->overflow;
}

enum err wr_finish(const struct wr *w)
{
	return w->overflow ? ERR_NO_SPACE : OK;
}

struct bytes wr_view(const struct wr *w)
{
	return bytes(w->start, wr_len(w));
}

void wr_rewind(struct wr *w, size_t len)
{
	if (len <= wr_len(w))
		w->p = w->start + len;
}
