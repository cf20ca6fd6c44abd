/* Out of the tunnel, into the interface. */
#include "client/run/dataplane_private.h"

#include <string.h>
#include <sys/socket.h>

#include "client/run/udp.h"
#include "platform/os.h"

static struct child *child_of(struct dataplane *d, uint32_t spi)
{
	struct child *last = d->in.last;

	if (last && last->in && last->spi_in == spi)
		return last;
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (d->children[i].in && d->children[i].spi_in == spi)
			return d->in.last = &d->children[i];
	return NULL;
}

static void group_write(struct dataplane *d, size_t i)
{
	struct bytes parts[MERGE_MAX + 1];
	struct iovec iov[MERGE_MAX + 1];
	uint8_t head[OFFLOAD_LEN];
	size_t n = merge_take(&d->in.q.merge, i, head, parts);

	for (size_t k = 0; k < n; k++)
		iov[k] = (struct iovec){(void *)parts[k].p, parts[k].len};
	if (!pktio_tun_write(&d->in.tun, iov, (int)n))
		d->in.dropped += n - 1;
}

/* True when a packet was authentic. */
static bool flush(struct dataplane *d)
{
	size_t mtu = atomic_load_explicit(&d->mtu, memory_order_relaxed);
	struct in_side *in = &d->in;
	struct inq *q = &in->q;
	bool heard = false;

	inq_open(q);
	for (size_t i = 0; i < q->n; i++) {
		const struct esp_pkt *p = &q->slots[i].pkt;

		if (q->slots[i].result) {
			in->dropped++;
			continue;
		}
		heard = true;
		atomic_store_explicit(&d->children[q->pkts[i].tag].used, true,
				      memory_order_relaxed);
		if (p->len == 0)
			continue;
		if (!selectors_allow(&in->selectors, bytes(p->p, p->len),
				     true)) {
			in->dropped++;
			continue;
		}
		in->packets++;
		in->octets += p->len;
		inq_pass(q, i, mtu);
	}
	for (size_t i = 0; i < q->merge.n_groups; i++)
		group_write(d, i);
	inq_start(q, in->tun.tcp, in->tun.udp);
	return heard;
}

static void esp_add(struct dataplane *d, struct bytes esp, uint8_t ecn)
{
	struct child *c = child_of(d, esp_peek_spi(esp));
	struct inq_pkt pkt = {.ecn = ecn};

	if (!c) {
		d->in.dropped++;
		return;
	}
	pkt.sa = c->in;
	pkt.tag = (uint32_t)(c - d->children);
	inq_add(&d->in.q, esp, &pkt);
}

bool in_one(struct dataplane *d, struct bytes esp)
{
	inq_start(&d->in.q, d->in.tun.tcp, d->in.tun.udp);
	esp_add(d, esp, 0);
	return flush(d);
}

/* RFC 3948 2: ESP, IKE behind a marker, or a keepalive. An IKE message that
 * the loop has no room for comes again. */
static void datagram_add(struct dataplane *d, struct bytes dgram, uint8_t ecn)
{
	static const uint8_t marker[UDP_MARKER_LEN];

	if (dgram.len <= sizeof(marker))
		return;
	if (memcmp(dgram.p, marker, sizeof(marker)) != 0)
		esp_add(d, dgram, ecn);
	else
		(void)send(d->ike[1], dgram.p + sizeof(marker),
			   dgram.len - sizeof(marker),
			   MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* What was cut from one large packet had better stay in one batch. */
static bool room_for(const struct inq *q, const struct pktio_run *r)
{
	size_t n = (r->len + r->stride - 1) / r->stride;

	return q->n == 0 || q->n + n <= INQ_PKTS;
}

bool in_batch(struct dataplane *d, const struct pktio_udp *u)
{
	struct in_side *in = &d->in;
	size_t n = pktio_udp_receive(u, in->io, in->runs);
	bool heard = false;

	inq_start(&in->q, in->tun.tcp, in->tun.udp);
	for (size_t i = 0; i < n; i++) {
		const struct pktio_run *r = &in->runs[i];
		size_t len;

		if (!room_for(&in->q, r))
			heard |= flush(d);
		for (size_t at = 0; at < r->len; at += len) {
			len = r->len - at < r->stride ? r->len - at : r->stride;
			if (in->q.n == INQ_PKTS)
				heard |= flush(d);
			datagram_add(d, bytes(r->p + at, len), r->ecn);
		}
	}
	heard |= flush(d);
	if (heard)
		atomic_store_explicit(&in->heard_ms, os_now().boot_ms,
				      memory_order_relaxed);
	return n > 0;
}
