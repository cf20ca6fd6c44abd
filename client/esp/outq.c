#include "client/esp/outq.h"

#include <stdlib.h>
#include <string.h>

#define ROOM	(6 * 65536) /* OUTQ_PKTS of the usual size */
#define RUN_MAX 65000	    /* below 65535 with all outer headers */

struct outq {
	size_t n, n_runs, used;
	struct esp_slot slots[OUTQ_PKTS];
	struct esp_sa *by[OUTQ_PKTS];
	struct outq_run of[OUTQ_PKTS]; /* each slot's, one packet long */
	struct outq_run runs[OUTQ_PKTS];
	uint8_t frame[OUTQ_FRAME_MAX];
	uint8_t room[ROOM + ESP_TAILROOM];
};

enum err outq_new(struct outq **out)
{
	*out = malloc(sizeof(**out));
	if (!*out)
		return ERR_NO_MEMORY;
	(*out)->n = (*out)->n_runs = (*out)->used = 0;
	return OK;
}

void outq_free(struct outq **q)
{
	free(*q);
	*q = NULL;
}

uint8_t *outq_frame(struct outq *q)
{
	return q->frame;
}

enum err outq_add(struct outq *q, struct esp_sa *sa, struct split *s,
		  size_t mtu, uint32_t to)
{
	size_t before = esp_head_len(sa), len;
	uint8_t ecn = inet_ecn(s->pkt);
	bool v4 = s->pkt.p[0] >> 4 == 4;
	struct esp_slot *slot;
	uint8_t *p;

	for (; s->next < s->n; s->next++) {
		len = esp_sealed_len(sa, split_len(s, s->next));
		if (q->n == OUTQ_PKTS || q->used + len > ROOM)
			return ERR_NO_SPACE;
		slot = &q->slots[q->n];
		p = q->room + q->used;
		slot->pkt.p = p + before;
		slot->pkt.len = split_len(s, s->next);
		slot->next_header = v4 ? ESP_NEXT_IPV4 : ESP_NEXT_IPV6;
		split_take(s, s->next, slot->pkt.p);
		inet_clamp_mss(slot->pkt.p, slot->pkt.len, mtu);
		q->by[q->n] = sa;
		q->of[q->n] = (struct outq_run){p, len, len, ecn, to};
		q->used += len;
		q->n++;
	}
	return OK;
}

/* As many a call as there are of one SA. */
static void seal_all(struct outq *q)
{
	size_t i = 0, n;

	while (i < q->n) {
		for (n = 1; i + n < q->n && n < ESP_BATCH; n++)
			if (q->by[i + n] != q->by[i])
				break;
		esp_seal_many(q->by[i], &q->slots[i], n);
		i += n;
	}
}

static bool run_takes(const struct outq_run *r, const struct outq_run *pkt)
{
	return pkt->p == r->p + r->len && r->len % r->stride == 0 &&
	       pkt->len <= r->stride && pkt->ecn == r->ecn &&
	       pkt->to == r->to && r->len / r->stride < OFFLOAD_UDP_MAX &&
	       r->len + pkt->len <= RUN_MAX;
}

size_t outq_seal(struct outq *q, const struct outq_run **out_runs)
{
	struct outq_run *r = NULL;

	seal_all(q);
	q->n_runs = 0;
	for (size_t i = 0; i < q->n; i++) {
		if (q->slots[i].result)
			continue;
		if (r && run_takes(r, &q->of[i])) {
			r->len += q->of[i].len;
			continue;
		}
		r = &q->runs[q->n_runs++];
		*r = q->of[i];
	}
	q->n = q->used = 0;
	*out_runs = q->runs;
	return q->n_runs;
}
