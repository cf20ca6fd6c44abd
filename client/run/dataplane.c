#include "client/run/dataplane.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/crypto/esp_cipher.h"
#include "client/run/dataplane_private.h"
#include "platform/base/log.h"

/* --- whose turn it is ---------------------------------------------------- */

void turn_init(struct turn *t)
{
	pthread_mutex_init(&t->gate, NULL);
	pthread_mutex_init(&t->work, NULL);
}

void turn_take(struct turn *t)
{
	pthread_mutex_lock(&t->gate);
	pthread_mutex_lock(&t->work);
	pthread_mutex_unlock(&t->gate);
}

void turn_give(struct turn *t)
{
	pthread_mutex_unlock(&t->work);
}

static void both_take(struct dataplane *d)
{
	turn_take(&d->out.turn);
	turn_take(&d->in.turn);
}

static void both_give(struct dataplane *d)
{
	turn_give(&d->in.turn);
	turn_give(&d->out.turn);
}

/* --- life ---------------------------------------------------------------- */

enum err dataplane_new(struct dataplane **out)
{
	struct dataplane *d = calloc(1, sizeof(*d));
	enum err e;

	*out = d;
	if (!d)
		return ERR_NO_MEMORY;
	turn_init(&d->out.turn);
	turn_init(&d->in.turn);
	d->ike[0] = d->ike[1] = d->out.wake_fd = d->in.wake_fd = -1;
	d->out.tun.fd = d->in.tun.fd = d->out.udp.fd = -1;
	d->in.udp[0].fd = d->in.udp[1].fd = -1;
	atomic_store(&d->mtu, PKTIO_PKT_MAX);
	atomic_store(&d->careful, true);
	e = outq_new(&d->out.q);
	if (!e)
		e = pktio_in_new(ESP_HEADROOM, &d->in.io);
	if (!e &&
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, d->ike) < 0)
		e = ERR_SYS;
	if (e)
		dataplane_free(out);
	return e;
}

void dataplane_free(struct dataplane **d)
{
	if (!*d)
		return;
	dataplane_stop(*d);
	dataplane_clear(*d);
	outq_free(&(*d)->out.q);
	pktio_in_free(&(*d)->in.io);
	for (int i = 0; i < 2; i++)
		if ((*d)->ike[i] >= 0)
			close((*d)->ike[i]);
	free(*d);
	*d = NULL;
}

void dataplane_set_tun(struct dataplane *d, int tun_fd)
{
	both_take(d);
	pktio_tun_open(tun_fd, &d->out.tun);
	d->in.tun = d->out.tun;
	both_give(d);
}

void dataplane_set_networks(struct dataplane *d,
			    const struct ike_ts_list *local,
			    const struct ike_ts_list *remote)
{
	both_take(d);
	selectors_set(&d->out.selectors, local, remote);
	selectors_set(&d->in.selectors, local, remote);
	both_give(d);
}

void dataplane_be_careful(struct dataplane *d, bool on)
{
	atomic_store_explicit(&d->careful, on, memory_order_relaxed);
}

/* --- SAs ----------------------------------------------------------------- */

static void child_clear(struct dataplane *d, struct child *c)
{
	esp_sa_free(&c->in);
	esp_sa_free(&c->out);
	memset(c, 0, sizeof(*c));
	d->in.last = NULL;
}

void dataplane_clear(struct dataplane *d)
{
	both_take(d);
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		child_clear(d, &d->children[i]);
	d->sender = NULL;
	both_give(d);
}

void dataplane_retire(struct dataplane *d)
{
	both_take(d);
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (d->children[i].retired) {
			if (d->sender == &d->children[i])
				d->sender = NULL;
			child_clear(d, &d->children[i]);
		}
		d->children[i].retired = d->children[i].in != NULL;
	}
	both_give(d);
}

static struct child *child_find(struct dataplane *d, uint32_t spi_in)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (d->children[i].in && d->children[i].spi_in == spi_in)
			return &d->children[i];
	return NULL;
}

/* The newest, that waits for nothing any more: the others are gone. */
static struct child *child_newest(struct dataplane *d)
{
	struct child *best = NULL;

	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (d->children[i].in &&
		    (!best || d->children[i].born > best->born))
			best = &d->children[i];
	if (best)
		best->waits = false;
	return best;
}

/* A free place, or the oldest one's. */
static struct child *child_place(struct dataplane *d)
{
	struct child *oldest = &d->children[0];

	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		if (!d->children[i].in)
			return &d->children[i];
		if (d->children[i].born < oldest->born)
			oldest = &d->children[i];
	}
	log_warn("esp: too many Child SAs, the oldest goes");
	if (d->sender == oldest)
		d->sender = NULL;
	child_clear(d, oldest);
	return oldest;
}

static enum err child_make(const struct ike_child_sa *child,
			   struct esp_sa **out_in, struct esp_sa **out_out)
{
	struct esp_params p = {.algs = child->suite.cipher,
			       .esn = child->suite.esn};
	enum err e;

	*out_out = NULL;
	p.spi = child->spi_in;
	p.encr_key = child->encr_in;
	p.integ_key = child->integ_in;
	e = esp_sa_new(&p, out_in);
	if (!e) {
		p.spi = child->spi_out;
		p.encr_key = child->encr_out;
		p.integ_key = child->integ_out;
		e = esp_sa_new(&p, out_out);
	}
	if (e)
		esp_sa_free(out_in);
	mem_wipe(&p, sizeof(p));
	return e;
}

enum err dataplane_add(struct dataplane *d, const struct ike_child_sa *child)
{
	struct esp_sa *in, *out;
	struct child *c;
	enum err e;

	/* The keys are set up outside: packets need not wait for it. */
	e = child_make(child, &in, &out);
	if (e)
		return e;
	both_take(d);
	c = child_place(d);
	*c = (struct child){.spi_in = child->spi_in,
			    .in = in,
			    .out = out,
			    .born = ++d->births,
			    .waits = child->by_peer && d->sender};
	if (!c->waits)
		d->sender = c;
	d->out.mtu_at_ms = 0;
	both_give(d);
	return OK;
}

void dataplane_del(struct dataplane *d, uint32_t spi_in)
{
	struct child *c;

	both_take(d);
	c = child_find(d, spi_in);
	if (c) {
		bool sent = d->sender == c;

		child_clear(d, c);
		if (sent || !d->sender)
			d->sender = child_newest(d);
	}
	both_give(d);
}

bool dataplane_has_sa(const struct dataplane *d)
{
	return d->sender;
}

/* --- what is told -------------------------------------------------------- */

void dataplane_counters(struct dataplane *d, struct dataplane_counters *out)
{
	both_take(d);
	*out = (struct dataplane_counters){
		.packets_in = d->in.packets,
		.packets_out = d->out.packets,
		.octets_in = d->in.octets,
		.octets_out = d->out.octets,
		.dropped_in = d->in.dropped,
		.dropped_out = d->out.dropped,
	};
	both_give(d);
}

void dataplane_how(struct dataplane *d, struct dataplane_how *out)
{
	both_take(d);
	*out = (struct dataplane_how){
		.pump = d->running,
		.tun_tcp = d->out.tun.tcp,
		.tun_udp = d->out.tun.udp,
		.udp_gso = d->out.udp.fd >= 0 && d->out.udp.gso,
		.udp_gro = d->in.udp[0].fd >= 0 && d->in.udp[0].gro,
		.cipher = esp_cipher_backend(),
	};
	both_give(d);
}

void dataplane_activity(struct dataplane *d, int64_t *out_heard_ms,
			int64_t *out_spoke_ms)
{
	*out_heard_ms =
		atomic_load_explicit(&d->in.heard_ms, memory_order_relaxed);
	*out_spoke_ms =
		atomic_load_explicit(&d->out.spoke_ms, memory_order_relaxed);
	atomic_store_explicit(&d->out.tell, *out_heard_ms >= *out_spoke_ms,
			      memory_order_relaxed);
}

/* --- in the caller's loop ------------------------------------------------ */

bool dataplane_send(struct dataplane *d, dataplane_sink *sink, void *ctx)
{
	uint64_t before;
	bool sent;

	turn_take(&d->out.turn);
	before = d->out.packets;
	(void)out_batch(d, sink, ctx);
	sent = sink && d->out.packets != before;
	turn_give(&d->out.turn);
	return sent;
}

bool dataplane_receive(struct dataplane *d, uint8_t *pkt, size_t len)
{
	bool authentic;

	turn_take(&d->in.turn);
	authentic = in_one(d, bytes(pkt, len));
	turn_give(&d->in.turn);
	return authentic;
}
