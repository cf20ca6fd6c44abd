#include "client/esp/merge.h"

#include <string.h>

#define LOOK_BACK 8 /* groups that a packet may still belong to */
#define TOTAL_MAX 65535
#define V4_DF	  0x40

void merge_start(struct merge *m, bool tcp, bool udp)
{
	m->tcp = tcp;
	m->udp = udp;
	m->n_pkts = m->n_groups = 0;
}

/* --- what a packet is ---------------------------------------------------- */

static uint32_t tcp_seq(const struct merge_pkt *k)
{
	struct rd r = rd_open(bytes(k->p + k->at + TCP_AT_SEQ, 4));

	return rd_u32(&r);
}

static void look_tcp(struct merge_pkt *k)
{
	const uint8_t *tcp = k->p + k->at;

	if (k->len < k->at + INET_TCP_LEN)
		return;
	k->head_len = k->at + (size_t)(tcp[TCP_AT_OFFSET] >> 4) * 4;
	/* Only data, and nothing that a receiver would have to see alone. */
	if (k->head_len < k->at + INET_TCP_LEN || k->head_len >= k->len ||
	    (tcp[TCP_AT_FLAGS] & ~TCP_PSH) != TCP_ACK) {
		k->head_len = 0;
		return;
	}
	k->next_seq = tcp_seq(k) + (uint32_t)(k->len - k->head_len);
	k->closed = tcp[TCP_AT_FLAGS] & TCP_PSH;
}

static void look_udp(struct merge_pkt *k)
{
	if (k->len > k->at + INET_UDP_LEN &&
	    inet_get16(k->p + k->at + UDP_AT_LEN) == k->len - k->at &&
	    inet_get16(k->p + k->at + UDP_AT_SUM) != 0)
		k->head_len = k->at + INET_UDP_LEN;
}

static void look(const struct merge *m, struct merge_pkt *k)
{
	if (!inet_transport(bytes(k->p, k->len), &k->at, &k->proto) ||
	    (k->p[0] >> 4 == 4 && k->at != INET_V4_LEN) || k->len < k->at + 4) {
		k->at = 0; /* of no flow that we can tell */
		return;
	}
	if (k->proto == INET_TCP && m->tcp)
		look_tcp(k);
	else if (k->proto == INET_UDP && m->udp)
		look_udp(k);
}

/* A wrong one must reach the receiver as it is: nobody else will look. */
static bool csum_good(struct merge_pkt *k)
{
	size_t len = k->len - k->at;

	if (!k->checked) {
		uint16_t sum = inet_pseudo_sum(k->p, k->proto, len);

		k->good = inet_sum(bytes(k->p + k->at, len), sum) == 0xffff;
		k->checked = true;
	}
	return k->good;
}

/* --- does it belong to a group? ------------------------------------------ */

static bool same_flow(const struct merge_pkt *a, const struct merge_pkt *b)
{
	size_t addrs = a->at == INET_V4_LEN ? 12 : 8;

	return a->at == b->at && a->proto == b->proto &&
	       a->p[0] >> 4 == b->p[0] >> 4 &&
	       memcmp(a->p + addrs, b->p + addrs, a->at - addrs + 4) == 0;
}

/* The IP headers differ only in what segmentation makes anew. first has n
 * packets already. */
static bool same_ip(const struct merge_pkt *first, const struct merge_pkt *k)
{
	const uint8_t *a = first->p, *b = k->p;

	if (a[0] >> 4 == 6)
		return memcmp(a, b, 4) == 0 && a[7] == b[7];
	return a[1] == b[1] && a[6] == b[6] && a[8] == b[8] &&
	       ((a[6] & V4_DF) ||
		(uint16_t)(inet_get16(a + 4) + first->n) == inet_get16(b + 4));
}

static bool same_tcp(const struct merge_pkt *first, const struct merge_pkt *k)
{
	const uint8_t *a = first->p + first->at, *b = k->p + k->at;

	/* Acknowledgement; window; options. */
	return tcp_seq(k) == first->next_seq && memcmp(a + 8, b + 8, 4) == 0 &&
	       memcmp(a + 14, b + 14, 2) == 0 &&
	       memcmp(a + 20, b + 20, k->head_len - k->at - 20) == 0;
}

static bool fits(struct merge_pkt *first, struct merge_pkt *k)
{
	size_t size = first->len - first->head_len;

	return !first->closed && k->head_len == first->head_len &&
	       (k->proto == INET_TCP || first->n < OFFLOAD_UDP_MAX) &&
	       k->len - k->head_len <= size &&
	       first->total_len + k->len - k->head_len <= TOTAL_MAX &&
	       same_ip(first, k) &&
	       (k->proto == INET_UDP || same_tcp(first, k)) &&
	       csum_good(first) && csum_good(k);
}

static void append(struct merge *m, struct merge_pkt *first, size_t i)
{
	struct merge_pkt *k = &m->pkts[i];
	size_t payload = k->len - k->head_len;

	m->pkts[first->last].next = i;
	first->last = i;
	first->n++;
	first->total_len += payload;
	first->next_seq += (uint32_t)payload;
	/* PSH, or the last of what was cut. */
	first->closed = k->closed || payload < first->len - first->head_len;
}

/* The newest group of the flow, if it is among the last few; true when the
 * packet went there. Behind one that it does not fit, a new group begins. */
static bool joined(struct merge *m, size_t i)
{
	struct merge_pkt *k = &m->pkts[i];

	for (size_t g = m->n_groups; g > 0 && g + LOOK_BACK > m->n_groups;
	     g--) {
		struct merge_pkt *first = &m->pkts[m->groups[g - 1]];

		if (!first->head_len || !same_flow(first, k))
			continue;
		if (!fits(first, k)) {
			first->closed = true;
			return false;
		}
		append(m, first, i);
		return true;
	}
	return false;
}

/* A packet that stays alone ends the groups of its flow: it must not be
 * overtaken. */
static void close_flow(struct merge *m, const struct merge_pkt *k)
{
	for (size_t g = m->n_groups; g > 0 && g + LOOK_BACK > m->n_groups;
	     g--) {
		struct merge_pkt *first = &m->pkts[m->groups[g - 1]];

		if (first->head_len && (!k->at || same_flow(first, k)))
			first->closed = true;
	}
}

void merge_add(struct merge *m, uint8_t *p, size_t len)
{
	size_t i = m->n_pkts++;
	struct merge_pkt *k = &m->pkts[i];

	memset(k, 0, sizeof(*k));
	k->p = p;
	k->len = k->total_len = len;
	k->last = i;
	k->n = 1;
	k->next = MERGE_MAX;
	look(m, k);
	if (!k->head_len)
		close_flow(m, k);
	else if (joined(m, i))
		return;
	m->groups[m->n_groups++] = i;
}

/* --- the large packets --------------------------------------------------- */

static void group_headers(const struct merge *m, struct merge_pkt *first,
			  struct offload *o)
{
	bool udp = first->proto == INET_UDP;
	size_t l4_len = first->total_len - first->at;
	uint8_t *l4 = first->p + first->at;
	const struct merge_pkt *last = &m->pkts[first->last];

	o->kind = udp			  ? OFFLOAD_UDP
		  : first->p[0] >> 4 == 4 ? OFFLOAD_TCP4
					  : OFFLOAD_TCP6;
	o->needs_csum = true;
	o->head_len = (uint16_t)first->head_len;
	o->size = (uint16_t)(first->len - first->head_len);
	o->csum_start = (uint16_t)first->at;
	o->csum_offset = udp ? UDP_AT_SUM : TCP_AT_SUM;
	inet_set_len(first->p, first->total_len);
	if (udp)
		inet_put16(l4 + UDP_AT_LEN, (uint16_t)l4_len);
	else
		l4[TCP_AT_FLAGS] |= last->p[last->at + TCP_AT_FLAGS];
	inet_put16(l4 + o->csum_offset,
		   inet_pseudo_sum(first->p, first->proto, l4_len));
}

size_t merge_take(struct merge *m, size_t i, uint8_t head[OFFLOAD_LEN],
		  struct bytes *parts)
{
	struct merge_pkt *k = &m->pkts[m->groups[i]];
	struct offload o = {0};
	size_t n = 0;

	if (k->n > 1)
		group_headers(m, k, &o);
	offload_write(&o, head);
	parts[n++] = bytes(head, OFFLOAD_LEN);
	parts[n++] = bytes(k->p, k->len);
	while (k->next < MERGE_MAX) {
		k = &m->pkts[k->next];
		parts[n++] = bytes(k->p + k->head_len, k->len - k->head_len);
	}
	return n;
}
