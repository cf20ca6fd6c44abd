#include "tests/gateway/plane_io.h"

#include <stdlib.h>
#include <string.h>

#include "client/esp/inq.h"
#include "client/esp/outq.h"

#define READS 64
#define DESTS 64

struct plane_io {
	struct plane *plane;
	struct pktio_tun tun;
	struct outq *out;
	struct inq in;
	struct gw_path dests[DESTS]; /* of what is in out */
	uint32_t n_dests;
	struct pktio_run runs[OUTQ_PKTS];
	plane_send *send; /* of this plane_io_out */
	void *ctx;
};

enum err plane_io_new(struct plane *plane, int tun_fd, struct plane_io **out)
{
	struct plane_io *io = calloc(1, sizeof(*io));

	*out = io;
	if (!io)
		return ERR_NO_MEMORY;
	io->plane = plane;
	pktio_tun_open(tun_fd, &io->tun);
	inq_start(&io->in, io->tun.tcp, io->tun.udp);
	return outq_new(&io->out);
}

void plane_io_free(struct plane_io **io)
{
	if (!*io)
		return;
	outq_free(&(*io)->out);
	free(*io);
	*io = NULL;
}

/* --- out ----------------------------------------------------------------- */

static void out_flush(struct plane_io *io)
{
	const struct outq_run *runs;
	size_t n = outq_seal(io->out, &runs), at = 0, k;

	for (size_t i = 0; i < n; i++)
		io->runs[i] = (struct pktio_run){
			.p = runs[i].p,
			.len = runs[i].len,
			.stride = runs[i].stride,
			.ecn = runs[i].ecn,
			.peer = io->dests[runs[i].to].remote};
	for (; at < n; at += k) {
		for (k = 1; at + k < n; k++)
			if (runs[at + k].to != runs[at].to)
				break;
		io->send(io->ctx, &io->dests[runs[at].to], io->runs + at, k);
	}
	io->n_dests = 0;
}

static uint32_t dest_of(struct plane_io *io, const struct gw_path *path)
{
	struct gw_path *d = io->dests;

	for (uint32_t i = 0; i < io->n_dests; i++)
		if (addr_eq(&d[i].remote, &path->remote) &&
		    addr_eq(&d[i].local, &path->local))
			return i;
	if (io->n_dests == DESTS)
		out_flush(io);
	d[io->n_dests] = *path;
	return io->n_dests++;
}

static void out_frame(struct plane_io *io, struct split *s)
{
	struct esp_pkt pkt = {(uint8_t *)s->pkt.p, s->pkt.len};
	struct gw_path path;
	struct esp_sa *sa = plane_sa_out(io->plane, &pkt, &path);

	if (!sa)
		return;
	plane_sent(io->plane, s->n, s->pkt.len + (s->n - 1) * s->head_len);
	while (outq_add(io->out, sa, s, PKTIO_PKT_MAX, dest_of(io, &path)) ==
	       ERR_NO_SPACE)
		out_flush(io);
}

void plane_io_out(struct plane_io *io, plane_send *send, void *ctx)
{
	uint8_t head[PKTIO_HEAD_LEN], *frame = outq_frame(io->out);
	struct offload offload;
	struct split s;
	size_t len;

	io->send = send;
	io->ctx = ctx;
	for (int i = 0; i < READS; i++) {
		len = pktio_tun_read(&io->tun, head, frame, OUTQ_FRAME_MAX);
		if (len == 0)
			break;
		offload_read(head, &offload);
		if (split_open(&s, bytes(frame, len), &offload) == OK)
			out_frame(io, &s);
	}
	out_flush(io);
}

/* --- in ------------------------------------------------------------------ */

bool plane_io_room(const struct plane_io *io, size_t n)
{
	return io->in.n + n <= INQ_PKTS;
}

void plane_io_in(struct plane_io *io, struct bytes esp, uint8_t ecn)
{
	struct inq_pkt pkt = {.ecn = ecn, .tag = esp_peek_spi(esp)};

	pkt.sa = plane_sa_in(io->plane, pkt.tag);
	if (pkt.sa)
		inq_add(&io->in, esp, &pkt);
}

static void group_write(struct plane_io *io, size_t i)
{
	struct bytes parts[MERGE_MAX + 1];
	struct iovec iov[MERGE_MAX + 1];
	uint8_t head[OFFLOAD_LEN];
	size_t n = merge_take(&io->in.merge, i, head, parts);

	for (size_t k = 0; k < n; k++)
		iov[k] = (struct iovec){(void *)parts[k].p, parts[k].len};
	(void)pktio_tun_write(&io->tun, iov, (int)n);
}

uint32_t plane_io_flush(struct plane_io *io, const struct gw_path *path)
{
	struct inq *q = &io->in;
	uint32_t moved = 0;

	inq_open(q);
	for (size_t i = 0; i < q->n; i++) {
		if (q->slots[i].result) {
			plane_refused(io->plane);
			continue;
		}
		if (plane_accept(io->plane, q->pkts[i].tag, path,
				 &q->slots[i].pkt))
			moved = q->pkts[i].tag;
		if (q->slots[i].pkt.len > 0)
			inq_pass(q, i, PKTIO_PKT_MAX);
	}
	if (io->tun.fd >= 0)
		for (size_t i = 0; i < q->merge.n_groups; i++)
			group_write(io, i);
	inq_start(q, io->tun.tcp, io->tun.udp);
	return moved;
}
