/* The stream of a gateway over TCP (RFC 9329 3), cut into pieces anywhere:
 * the input's first octet says how. */
#include "tests/fuzz/fuzz.h"

#include "client/run/tcp.h"

/* What comes out, in order: kinds and octets. */
struct sum {
	uint64_t hash;
	size_t n;
	bool broken;
};

static void sum_add(struct sum *s, enum wire_kind kind, struct bytes b)
{
	s->hash = s->hash * 31 + (uint64_t)kind;
	for (size_t i = 0; i < b.len; i++)
		s->hash = s->hash * 31 + b.p[i];
	s->n++;
}

static void check(enum wire_kind kind, struct bytes b)
{
	if (kind == WIRE_ESP)
		FUZZ_CHECK(b.len > UDP_MARKER_LEN);
	else if (kind == WIRE_IKE)
		FUZZ_CHECK(b.len > 0);
	FUZZ_CHECK(b.len <= TCP_RECORD_MAX);
}

static void drain(struct tcp_reader *r, struct sum *s)
{
	struct bytes whole = bytes(r->buf, sizeof(r->buf)), b;
	enum wire_kind kind;

	while ((kind = tcp_reader_next(r, &b)) != WIRE_NOTHING) {
		FUZZ_CHECK(fuzz_inside(b, whole));
		check(kind, b);
		s->broken = kind == WIRE_BROKEN;
		if (s->broken)
			return;
		sum_add(s, kind, b);
	}
}

static struct sum run(struct bytes in, size_t piece)
{
	static struct tcp_reader r;
	struct sum s = {0};
	size_t cap;

	r.start = r.end = 0;
	r.broken = false;
	while (in.len > 0 && !s.broken) {
		uint8_t *room = tcp_reader_room(&r, &cap);
		size_t n = in.len < piece ? in.len : piece;

		FUZZ_CHECK(cap >= TCP_LENGTH_LEN + TCP_RECORD_MAX);
		if (n > cap)
			n = cap;
		memcpy(room, in.p, n);
		tcp_reader_add(&r, n);
		in = bytes(in.p + n, in.len - n);
		drain(&r, &s);
	}
	return s;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sum one, other;

	if (size == 0)
		return 0;
	one = run(bytes(data + 1, size - 1), size);
	other = run(bytes(data + 1, size - 1), data[0] + 1u);
	FUZZ_CHECK(one.n == other.n && one.hash == other.hash);
	FUZZ_CHECK(one.broken == other.broken);
	return 0;
}
