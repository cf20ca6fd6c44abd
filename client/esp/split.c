#include "client/esp/split.h"

#include <string.h>

#define V4_AT_ID 4

static enum err split_tcp(struct split *s, size_t at)
{
	const uint8_t *tcp = s->pkt.p + at;
	struct rd r;

	if (s->pkt.len < at + INET_TCP_LEN)
		return ERR_MALFORMED;
	s->head_len = at + (size_t)(tcp[TCP_AT_OFFSET] >> 4) * 4;
	if (s->head_len < at + INET_TCP_LEN)
		return ERR_MALFORMED;
	r = rd_open(bytes(tcp + TCP_AT_SEQ, 4));
	s->seq = rd_u32(&r);
	return OK;
}

/* Headers that stand between IP and transport are copied like these. */
static enum err split_many(struct split *s)
{
	size_t at = s->o.csum_start, payload;
	bool v4 = s->pkt.len > 0 && s->pkt.p[0] >> 4 == 4;
	enum err e = OK;

	if (at < (v4 ? INET_V4_LEN : INET_V6_LEN) || s->o.size == 0 ||
	    (s->o.kind == OFFLOAD_TCP4 && !v4) ||
	    (s->o.kind == OFFLOAD_TCP6 && v4))
		return ERR_MALFORMED;
	if (s->o.kind == OFFLOAD_UDP)
		s->head_len = at + INET_UDP_LEN;
	else
		e = split_tcp(s, at);
	if (e || s->head_len >= s->pkt.len)
		return ERR_MALFORMED;
	payload = s->pkt.len - s->head_len;
	s->size = s->o.size;
	s->n = (payload + s->size - 1) / s->size;
	s->id = v4 ? inet_get16(s->pkt.p + V4_AT_ID) : 0;
	return OK;
}

enum err split_open(struct split *s, struct bytes pkt, const struct offload *o)
{
	*s = (struct split){.pkt = pkt, .o = *o, .n = 1};
	switch ((enum offload_kind)o->kind) {
	case OFFLOAD_NONE:
		if (o->needs_csum &&
		    (size_t)o->csum_start + o->csum_offset + 2 > pkt.len)
			return ERR_MALFORMED;
		return OK;
	case OFFLOAD_TCP4:
	case OFFLOAD_TCP6:
	case OFFLOAD_UDP:
		return split_many(s);
	}
	return ERR_MALFORMED;
}

size_t split_len(const struct split *s, size_t i)
{
	if (s->o.kind == OFFLOAD_NONE)
		return s->pkt.len;
	if (i + 1 < s->n)
		return s->head_len + s->size;
	return s->pkt.len - i * s->size;
}

/* The field holds the sum of the pseudo header. */
static void csum_finish(const struct split *s, uint8_t *pkt)
{
	size_t at = s->o.csum_start;
	uint8_t *field = pkt + at + s->o.csum_offset;
	uint16_t sum = (uint16_t)~inet_sum(bytes(pkt + at, s->pkt.len - at), 0);

	/* 0 would mean that a UDP datagram has none (RFC 768). */
	if (sum == 0 && s->o.csum_offset == UDP_AT_SUM)
		sum = 0xffff;
	inet_put16(field, sum);
}

static void tcp_fit(const struct split *s, size_t i, uint8_t *tcp)
{
	struct wr w = wr_open(tcp + TCP_AT_SEQ, 4);

	wr_u32(&w, s->seq + (uint32_t)(i * s->size));
	if (i > 0)
		tcp[TCP_AT_FLAGS] &= (uint8_t)~TCP_CWR;
	if (i + 1 < s->n)
		tcp[TCP_AT_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
}

void split_take(const struct split *s, size_t i, uint8_t *out)
{
	size_t len = split_len(s, i), at = s->o.csum_start;
	bool udp = s->o.kind == OFFLOAD_UDP;
	size_t sum_at = at + (udp ? UDP_AT_SUM : TCP_AT_SUM);
	uint16_t sum;

	if (s->o.kind == OFFLOAD_NONE) {
		memcpy(out, s->pkt.p, len);
		if (s->o.needs_csum)
			csum_finish(s, out);
		return;
	}
	memcpy(out, s->pkt.p, s->head_len);
	memcpy(out + s->head_len, s->pkt.p + s->head_len + i * s->size,
	       len - s->head_len);
	if (out[0] >> 4 == 4)
		inet_put16(out + V4_AT_ID, (uint16_t)(s->id + i));
	inet_set_len(out, len);
	if (udp)
		inet_put16(out + at + UDP_AT_LEN, (uint16_t)(len - at));
	else
		tcp_fit(s, i, out + at);
	inet_put16(out + sum_at, 0);
	sum = inet_pseudo_sum(out, udp ? INET_UDP : INET_TCP, len - at);
	sum = (uint16_t)~inet_sum(bytes(out + at, len - at), sum);
	inet_put16(out + sum_at, sum == 0 && udp ? 0xffff : sum);
}
