#include "client/crypto/der.h"

#include <stdio.h>
#include <string.h>

void der_fail(struct rd *r)
{
	r->short_read = true;
}

/* X.690 10.1: definite, in the fewest octets. Certificates end at 2^24. */
static size_t take_len(struct rd *r)
{
	uint8_t first = rd_u8(r);
	size_t len = 0;

	if (first < 0x80)
		return first;
	if (first == 0x80 || first > 0x83) {
		der_fail(r);
		return 0;
	}
	for (int i = first & 0x0f; i > 0; i--)
		len = len << 8 | rd_u8(r);
	if (len < 0x80 || (first == 0x82 && len < 0x100) ||
	    (first == 0x83 && len < 0x10000))
		der_fail(r);
	return len;
}

bool der_next_is(const struct rd *r, uint8_t tag)
{
	return rd_left(r) > 0 && r->p[0] == tag;
}

struct bytes der_take_any(struct rd *r, uint8_t *out_tag)
{
	*out_tag = rd_u8(r);
	if ((*out_tag & 0x1f) == 0x1f) /* a tag of several octets */
		der_fail(r);
	return rd_take(r, take_len(r));
}

struct bytes der_take(struct rd *r, uint8_t tag)
{
	struct bytes content;
	uint8_t got;

	content = der_take_any(r, &got);
	if (got == tag && rd_ok(r))
		return content;
	der_fail(r);
	return BYTES_NONE;
}

struct bytes der_take_whole(struct rd *r, uint8_t tag)
{
	const uint8_t *start = r->p;

	(void)der_take(r, tag);
	return rd_ok(r) ? bytes(start, (size_t)(r->p - start)) : BYTES_NONE;
}

struct rd der_open(struct rd *r, uint8_t tag)
{
	struct rd sub = rd_open(der_take(r, tag));

	sub.short_read = r->short_read;
	return sub;
}

/* X.690 8.3.2: no superfluous sign octets. */
static struct bytes take_integer(struct rd *r)
{
	struct bytes b = der_take(r, DER_INTEGER);

	if (b.len == 0 || (b.len > 1 && ((b.p[0] == 0 && b.p[1] < 0x80) ||
					 (b.p[0] == 0xff && b.p[1] >= 0x80)))) {
		der_fail(r);
		return BYTES_NONE;
	}
	return b;
}

struct bytes der_positive(struct rd *r)
{
	struct bytes b = take_integer(r);

	if (b.len == 0 || b.p[0] >= 0x80 || (b.len == 1 && b.p[0] == 0)) {
		der_fail(r);
		return BYTES_NONE;
	}
	if (b.p[0] == 0)
		b = bytes(b.p + 1, b.len - 1);
	return b;
}

uint32_t der_uint(struct rd *r)
{
	struct bytes b = take_integer(r);
	uint32_t v = 0;

	if (b.len == 0 || b.len > 4 || b.p[0] >= 0x80) {
		der_fail(r);
		return 0;
	}
	for (size_t i = 0; i < b.len; i++)
		v = v << 8 | b.p[i];
	return v;
}

bool der_bool(struct rd *r, bool absent)
{
	struct bytes b;

	if (!der_next_is(r, DER_BOOLEAN))
		return absent;
	b = der_take(r, DER_BOOLEAN);
	if (b.len != 1 || (b.p[0] != 0x00 && b.p[0] != 0xff)) {
		der_fail(r);
		return absent;
	}
	return b.p[0] == 0xff;
}

struct bytes der_bits(struct rd *r)
{
	struct bytes b = der_take(r, DER_BIT_STRING);

	if (b.len == 0 || b.p[0] != 0) {
		der_fail(r);
		return BYTES_NONE;
	}
	return bytes(b.p + 1, b.len - 1);
}

/* --- time ---------------------------------------------------------------- */

static int take_digits(struct rd *r, int n)
{
	int v = 0;

	for (; n > 0; n--) {
		uint8_t c = rd_u8(r);

		if (c < '0' || c > '9')
			der_fail(r);
		v = v * 10 + (c - '0');
	}
	return v;
}

static int days_in_month(int year, int month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30,
				       31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return days[month - 1] + (month == 2 && leap);
}

/* Days from 1970-01-01, counting years from March so that the leap day is
 * the last one. */
static int64_t days_of_date(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year;
	int64_t in_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;

	return 365 * y + y / 4 - y / 100 + y / 400 + in_year - 719468;
}

int64_t der_time(struct rd *r)
{
	int year, month, day, hour, minute, second;
	struct rd t;

	if (der_next_is(r, DER_UTC_TIME)) {
		t = der_open(r, DER_UTC_TIME);
		year = take_digits(&t, 2);
		year += year < 50 ? 2000 : 1900;
	} else {
		t = der_open(r, DER_GENERALIZED_TIME);
		year = take_digits(&t, 4);
	}
	month = take_digits(&t, 2);
	day = take_digits(&t, 2);
	hour = take_digits(&t, 2);
	minute = take_digits(&t, 2);
	second = take_digits(&t, 2);
	if (rd_u8(&t) != 'Z' || rd_finish(&t) != OK || year < 1950 ||
	    month < 1 || month > 12 || day < 1 ||
	    day > days_in_month(year, month) || hour > 23 || minute > 59 ||
	    second > 59) {
		der_fail(r);
		return 0;
	}
	return days_of_date(year, month, day) * 86400 + hour * 3600 +
	       minute * 60 + second;
}

const char *der_date(int64_t t, char buf[16])
{
	int64_t days = t / 86400 - (t % 86400 < 0);
	int year = 1950, month = 1;

	/* Years 1950 to 9999 only: counting is quick enough and plain. */
	while (year < 9999 && days_of_date(year + 1, 1, 1) <= days)
		year++;
	while (month < 12 && days_of_date(year, month + 1, 1) <= days)
		month++;
	/* The remainders only tell the compiler how long it gets. */
	snprintf(buf, 16, "%04u-%02u-%02u", (unsigned int)year % 10000,
		 (unsigned int)month % 100,
		 (unsigned int)(days - days_of_date(year, month, 1) + 1) % 100);
	return buf;
}

const char *der_oid_text(struct bytes oid, char *buf, size_t cap)
{
	size_t at = 0;
	uint64_t arc = 0;
	bool first = true;
	int n;

	buf[0] = '\0';
	for (size_t i = 0; i < oid.len; i++) {
		arc = arc << 7 | (oid.p[i] & 0x7f);
		if (oid.p[i] & 0x80)
			continue;
		if (first) {
			unsigned int top =
				arc < 80 ? (unsigned int)arc / 40 : 2;

			n = snprintf(buf, cap, "%u.%llu", top,
				     (unsigned long long)(arc - top * 40));
		} else {
			n = snprintf(buf + at, cap - at, ".%llu",
				     (unsigned long long)arc);
		}
		if (n < 0 || (size_t)n >= cap - at)
			break;
		at += (size_t)n;
		arc = 0;
		first = false;
	}
	return buf;
}

size_t der_len(size_t content)
{
	return content + (content < 0x80 ? 2 : content < 0x100 ? 3 : 4);
}

/* Up to 65535 octets. */
void der_write_head(struct wr *w, uint8_t tag, size_t content)
{
	wr_u8(w, tag);
	if (content < 0x80) {
		wr_u8(w, (uint8_t)content);
	} else if (content < 0x100) {
		wr_u8(w, 0x81);
		wr_u8(w, (uint8_t)content);
	} else {
		wr_u8(w, 0x82);
		wr_u16(w, (uint16_t)content);
	}
}

void der_write(struct wr *w, uint8_t tag, struct bytes content)
{
	der_write_head(w, tag, content.len);
	wr_bytes(w, content);
}

void der_write_arc(struct wr *w, uint32_t arc)
{
	for (int shift = 21; shift > 0; shift -= 7)
		if (arc >> shift)
			wr_u8(w, (uint8_t)(0x80 | (arc >> shift & 0x7f)));
	wr_u8(w, arc & 0x7f);
}
