/* Out of the interface, into the tunnel. */
#include "client/run/dataplane_private.h"

#include <string.h>
#include <sys/socket.h>

#include "platform/os.h"

#define MTU_LOOK_MS 1000
#define MTU_V4_MIN  576
#define MTU_V6_MIN  1280
#define UDP_LEN	    8

/* What the path takes, less what we put around it. Asked for now and then:
 * the kernel learns it from ICMP and tells nobody who fragments. */
static void mtu_look(struct dataplane *d, int64_t now_ms)
{
	struct out_side *o = &d->out;
	size_t path, around;

	if (o->udp.fd < 0 || now_ms - o->mtu_at_ms < MTU_LOOK_MS)
		return;
	o->mtu_at_ms = now_ms;
	path = pktio_udp_mtu(&o->udp);
	around = (o->udp.v6 ? INET_V6_LEN : INET_V4_LEN) + UDP_LEN +
		 esp_overhead_max(d->sender->out);
	if (path < MTU_V4_MIN + around)
		path = path ? MTU_V4_MIN + around : PKTIO_PKT_MAX;
	atomic_store_explicit(&d->mtu, path - around, memory_order_relaxed);
}

static void runs_to_sink(const struct outq_run *runs, size_t n,
			 dataplane_sink *sink, void *ctx)
{
	size_t len;

	for (size_t i = 0; i < n; i++)
		for (size_t at = 0; at < runs[i].len; at += len) {
			len = runs[i].len - at < runs[i].stride
				      ? runs[i].len - at
				      : runs[i].stride;
			sink(ctx, bytes(runs[i].p + at, len));
		}
}

static void runs_to_udp(struct out_side *o, const struct outq_run *runs,
			size_t n)
{
	for (size_t i = 0; i < n; i++)
		o->runs[i] = (struct pktio_run){.p = runs[i].p,
						.len = runs[i].len,
						.stride = runs[i].stride,
						.ecn = runs[i].ecn};
	o->dropped += pktio_udp_send(&o->udp, o->runs, n);
}

static void flush(struct dataplane *d, dataplane_sink *sink, void *ctx)
{
	const struct outq_run *runs;
	size_t n = outq_seal(d->out.q, &runs);

	if (sink)
		runs_to_sink(runs, n, sink, ctx);
	else if (d->out.udp.fd >= 0)
		runs_to_udp(&d->out, runs, n);
}

/* True when the packet went no further: its sender was told. */
static bool too_big(struct dataplane *d, const struct split *s, size_t mtu)
{
	uint8_t icmp[INET_TOOBIG_MAX], head[PKTIO_HEAD_LEN] = {0};
	struct iovec parts[2] = {{head, sizeof(head)}, {icmp, 0}};
	bool v6 = s->pkt.p[0] >> 4 == 6;

	if (v6 && mtu < MTU_V6_MIN)
		mtu = MTU_V6_MIN; /* no link may be less: we fragment */
	if (split_len(s, 0) <= mtu || !inet_dont_fragment(s->pkt))
		return false;
	parts[1].iov_len = inet_too_big(s->pkt, mtu, icmp);
	if (parts[1].iov_len > 0)
		(void)pktio_tun_write(&d->out.tun, parts, 2);
	return true;
}

/* For the segments of TCP connections that begin. */
static size_t tcp_mtu(struct dataplane *d, size_t mtu)
{
	bool careful = atomic_load_explicit(&d->careful, memory_order_relaxed);

	return careful && mtu > DATAPLANE_CAREFUL_MTU ? DATAPLANE_CAREFUL_MTU
						      : mtu;
}

static void frame_send(struct dataplane *d, struct split *s,
		       dataplane_sink *sink, void *ctx)
{
	struct out_side *o = &d->out;
	size_t mtu = atomic_load_explicit(&d->mtu, memory_order_relaxed);
	size_t octets = s->pkt.len + (s->n - 1) * s->head_len;

	if (!d->sender || !selectors_allow(&o->selectors, s->pkt, false) ||
	    too_big(d, s, mtu)) {
		o->dropped += s->n;
		return;
	}
	mtu = tcp_mtu(d, mtu);
	while (outq_add(o->q, d->sender->out, s, mtu, 0) == ERR_NO_SPACE)
		flush(d, sink, ctx);
	o->packets += s->n;
	o->octets += octets;
}

/* The peer has begun to use the SA that it made: so do we. */
static void sender_follow(struct dataplane *d)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		struct child *c = &d->children[i];

		if (c->waits &&
		    atomic_load_explicit(&c->used, memory_order_relaxed)) {
			c->waits = false;
			d->sender = c;
		}
	}
}

static void tell_spoke(struct dataplane *d, int64_t now_ms)
{
	struct out_side *o = &d->out;

	atomic_store_explicit(&o->spoke_ms, now_ms, memory_order_relaxed);
	if (atomic_load_explicit(&o->tell, memory_order_relaxed) &&
	    atomic_exchange_explicit(&o->tell, false, memory_order_relaxed))
		(void)send(d->ike[1], "", 0, MSG_DONTWAIT | MSG_NOSIGNAL);
}

size_t out_batch(struct dataplane *d, dataplane_sink *sink, void *ctx)
{
	struct out_side *o = &d->out;
	uint64_t before = o->packets;
	int64_t now_ms = os_now().boot_ms;
	uint8_t head[PKTIO_HEAD_LEN], *frame = outq_frame(o->q);
	struct offload offload;
	struct split s;
	size_t octets = 0, reads, len;

	sender_follow(d);
	if (d->sender)
		mtu_look(d, now_ms);
	for (reads = 0; reads < DATAPLANE_BATCH &&
			(!sink || octets < DATAPLANE_SINK_OCTETS);
	     reads++) {
		len = pktio_tun_read(&o->tun, head, frame, OUTQ_FRAME_MAX);
		if (len == 0)
			break;
		octets += len;
		offload_read(head, &offload);
		if (split_open(&s, bytes(frame, len), &offload))
			o->dropped++;
		else
			frame_send(d, &s, sink, ctx);
	}
	flush(d, sink, ctx);
	if (o->packets != before)
		tell_spoke(d, now_ms);
	return reads;
}
