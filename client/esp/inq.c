#include "client/esp/inq.h"

void inq_start(struct inq *q, bool tcp, bool udp)
{
	q->n = 0;
	merge_start(&q->merge, tcp, udp);
}

void inq_add(struct inq *q, struct bytes esp, const struct inq_pkt *pkt)
{
	struct esp_slot *s = &q->slots[q->n];

	s->pkt.p = (uint8_t *)esp.p;
	s->pkt.len = esp.len;
	q->pkts[q->n++] = *pkt;
}

void inq_open(struct inq *q)
{
	size_t i = 0, n;

	while (i < q->n) {
		for (n = 1; i + n < q->n && n < ESP_BATCH; n++)
			if (q->pkts[i + n].sa != q->pkts[i].sa)
				break;
		esp_open_many(q->pkts[i].sa, &q->slots[i], n);
		i += n;
	}
	for (i = 0; i < q->n; i++) {
		struct esp_pkt *p = &q->slots[i].pkt;

		if (q->slots[i].result == OK && p->len > 0 &&
		    !inet_ecn_decap(p->p, q->pkts[i].ecn))
			p->len = 0;
	}
}

void inq_pass(struct inq *q, size_t i, size_t mtu)
{
	struct esp_pkt *p = &q->slots[i].pkt;

	inet_clamp_mss(p->p, p->len, mtu);
	merge_add(&q->merge, p->p, p->len);
}
