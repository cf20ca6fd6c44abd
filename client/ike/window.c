/* Message IDs, retransmission, stored answers (RFC 7296 2.1 to 2.3). The
 * window is one request in each direction. */
#include "client/ike/sa_private.h"

#include <stdlib.h>
#include <string.h>

#define RTO_MAX_MS     10000
#define DELETE_TRIES   3
#define RESUME_TRIES   2   /* libreswan drops exact copies for ever */
#define RACE_TRIES     1   /* more, for a path that joins late */
#define PLAIN_ROOM     128 /* more than any IV, padding and ICV */
#define FALLBACK_TRIES 3
/* While the SA moves nothing goes through the tunnel: faster, and two more. */
#define MOVE_RTO_MS 150
#define MOVE_TRIES  2
#define PROBE_TRIES 2

/* --- flights ------------------------------------------------------------- */

static struct ike_flight *flight_new(size_t n, size_t cap_each)
{
	struct ike_flight *f;
	size_t views = n * sizeof(struct bytes);

	f = malloc(sizeof(*f) + views + n * cap_each);
	if (!f)
		return NULL;
	f->refs = 1;
	f->n = n;
	for (size_t i = 0; i < n; i++)
		f->d[i] =
			bytes((uint8_t *)f + sizeof(*f) + views + i * cap_each,
			      cap_each);
	return f;
}

void ike_flight_put(struct ike_flight **f)
{
	if (*f && --(*f)->refs == 0)
		free(*f);
	*f = NULL;
}

enum err ike_flight_plain(struct bytes msg, struct ike_flight **out)
{
	struct ike_flight *f = flight_new(1, msg.len);

	if (!f)
		return ERR_NO_MEMORY;
	memcpy((uint8_t *)f->d[0].p, msg.p, msg.len);
	*out = f;
	return OK;
}

static enum err flight_fill(struct ike_sa *sa, struct ike_gen *gen,
			    const struct ike_hdr *hdr, struct ike_wr *chain,
			    struct ike_flight *f)
{
	struct bytes inner = wr_view(&chain->w);
	uint8_t first = ike_wr_first(chain);

	for (size_t i = 0; i < f->n; i++) {
		struct wr w = wr_open((uint8_t *)f->d[i].p, f->d[i].len);
		struct ike_frag frag = {.number = (uint16_t)(i + 1),
					.total = (uint16_t)f->n,
					.max_len = sa->cfg.max_datagram};
		enum err e;

		if (f->n == 1)
			e = ike_seal(&gen->protect, hdr, first, inner, &w);
		else
			e = ike_seal_frag(&gen->protect, hdr, first, inner,
					  &frag, &w);
		if (e == OK)
			e = wr_finish(&w);
		if (e != OK)
			return e;
		f->d[i] = wr_view(&w);
	}
	return OK;
}

static enum err flight_seal(struct ike_sa *sa, struct ike_gen *gen,
			    const struct ike_hdr *hdr, struct ike_wr *chain,
			    struct ike_flight **out)
{
	struct bytes ignored;
	struct ike_flight *f;
	size_t n = 1, cap;
	enum err e = ike_wr_end(chain, &ignored);

	if (e != OK)
		return e;
	if (!sa->whole && sa->cfg.fragmentation && sa->peer_fragments &&
	    sa->cfg.max_datagram && !ike_way(sa)->tcp)
		n = ike_fragments(&gen->protect, wr_len(&chain->w),
				  sa->cfg.max_datagram);
	if (n == 0)
		return ERR_NO_SPACE;
	cap = n > 1 ? sa->cfg.max_datagram
		    : IKE_HDR_LEN + wr_len(&chain->w) + PLAIN_ROOM;
	f = flight_new(n, cap);
	if (!f)
		return ERR_NO_MEMORY;
	e = flight_fill(sa, gen, hdr, chain, f);
	if (e != OK)
		ike_flight_put(&f);
	*out = f;
	return e;
}

void ike_chain_start(struct ike_sa *sa, struct ike_wr *w)
{
	ike_wr_start_chain(w, sa->scratch, IKE_SCRATCH_LEN);
}

/* --- our requests --------------------------------------------------------- */

uint8_t ike_exchange_of(enum ike_req_kind kind)
{
	switch (kind) {
	case REQ_NONE:
		break;
	case REQ_INIT:
		return IKE_SA_INIT;
	case REQ_RESUME:
		return IKE_SESSION_RESUME;
	case REQ_AUTH:
	case REQ_AUTH_RESUMED:
	case REQ_AUTH_EAP:
	case REQ_EAP:
	case REQ_AUTH_LAST:
		return IKE_AUTH;
	case REQ_CHILD:
	case REQ_IKE:
		return CREATE_CHILD_SA;
	case REQ_DELETE_IKE:
	case REQ_DELETE_CHILD:
	case REQ_TICKET:
	case REQ_ALIVE:
	case REQ_MOVE:
	case REQ_PROBE:
		return INFORMATIONAL;
	}
	return 0;
}

static uint32_t first_rto(const struct ike_sa *sa)
{
	uint32_t rto = sa->cfg.rto_ms ? sa->cfg.rto_ms : 500;

	if (sa->stats.rtt_ms < 1500 && 2 * sa->stats.rtt_ms > rto)
		rto = 2 * sa->stats.rtt_ms;
	return rto;
}

static uint32_t move_rto(const struct ike_sa *sa)
{
	uint32_t rto = 2 * sa->stats.rtt_ms, most = first_rto(sa);

	if (rto < MOVE_RTO_MS)
		rto = MOVE_RTO_MS;
	return rto > most ? most : rto;
}

/* Ten per cent to either side, so that many clients do not march in step. */
static int64_t rto_spread(struct ike_sa *sa, uint32_t rto)
{
	uint32_t r;

	rng_draw(&sa->rng, &r, sizeof(r));
	return (int64_t)rto - rto / 10 + r % (rto / 5 + 1);
}

static uint8_t tries_of(const struct ike_sa *sa, enum ike_req_kind kind)
{
	uint8_t n = sa->cfg.max_tries ? sa->cfg.max_tries : 1;

	if (kind == REQ_DELETE_IKE && n > DELETE_TRIES)
		return DELETE_TRIES;
	if (kind == REQ_RESUME)
		return RESUME_TRIES;
	if (kind == REQ_PROBE)
		return PROBE_TRIES;
	return kind == REQ_MOVE ? n + MOVE_TRIES : n;
}

static const struct ike_path *way_of(const struct ike_sa *sa,
				     enum ike_req_kind kind)
{
	return kind == REQ_PROBE ? &sa->probe_path : ike_way(sa);
}

static void request_open(struct ike_sa *sa, struct ike_gen *gen,
			 enum ike_req_kind kind, struct ike_flight *f)
{
	struct ike_request *q = &gen->req;

	ike_request_drop(gen);
	q->kind = kind;
	q->exchange = ike_exchange_of(kind);
	q->msg_id = gen->next_id;
	q->flight = f;
	q->tries = 1;
	q->max_tries = tries_of(sa, kind);
	q->rto_ms = kind == REQ_MOVE || kind == REQ_PROBE ? move_rto(sa)
							  : first_rto(sa);
	q->sent_ms = sa->now_ms;
	q->next_ms = sa->now_ms + rto_spread(sa, q->rto_ms);
	if (q->exchange == IKE_AUTH)
		sa->auth_sent = true;
	log_debug("IKE request %s %u, %zu datagram%s",
		  ike_exchange_name(q->exchange), q->msg_id, f->n,
		  f->n == 1 ? "" : "s");
	ike_queue_flight(sa, f, way_of(sa, kind));
}

enum err ike_request_plain(struct ike_sa *sa, struct ike_gen *gen,
			   enum ike_req_kind kind, struct ike_wr *w)
{
	struct ike_flight *f = NULL;
	struct bytes msg;
	enum err e = ike_wr_end(w, &msg);

	if (e == OK)
		e = ike_flight_plain(msg, &f);
	if (e == OK)
		request_open(sa, gen, kind, f);
	return e;
}

static struct ike_hdr header(const struct ike_gen *gen, uint8_t exchange,
			     uint32_t msg_id, bool response)
{
	struct ike_hdr h = {.spi_i = gen->spi_i,
			    .spi_r = gen->spi_r,
			    .exchange = exchange,
			    .msg_id = msg_id};

	if (gen->is_initiator)
		h.flags |= IKE_FLAG_INITIATOR;
	if (response)
		h.flags |= IKE_FLAG_RESPONSE;
	return h;
}

enum err ike_request_send(struct ike_sa *sa, struct ike_gen *gen,
			  enum ike_req_kind kind, struct ike_wr *w)
{
	struct ike_hdr h =
		header(gen, ike_exchange_of(kind), gen->next_id, false);
	struct ike_flight *f = NULL;
	enum err e;

	/* 2.2: message IDs never wrap. */
	if (gen->next_id == UINT32_MAX)
		return diag_set(&sa->diag, ERR_PEER,
				"message IDs are used up; connect again");
	e = flight_seal(sa, gen, &h, w, &f);
	if (e == OK)
		request_open(sa, gen, kind, f);
	return e;
}

enum err ike_request_reseal(struct ike_sa *sa, struct ike_gen *gen,
			    struct ike_wr *w)
{
	struct ike_request *q = &gen->req;
	struct ike_hdr h = header(gen, q->exchange, q->msg_id, false);
	struct ike_flight *f = NULL;
	enum err e = flight_seal(sa, gen, &h, w, &f);

	if (e)
		return e;
	ike_flight_put(&q->flight);
	q->flight = f;
	return OK;
}

void ike_send_once(struct ike_sa *sa, struct ike_gen *gen, uint16_t notify)
{
	struct ike_hdr h = header(gen, INFORMATIONAL, gen->next_id, false);
	struct ike_flight *f = NULL;
	struct ike_wr w;

	if (gen->next_id == UINT32_MAX)
		return;
	ike_chain_start(sa, &w);
	if (notify)
		ike_wr_notify(&w, notify, BYTES_NONE);
	else
		ike_wr_delete_ike(&w);
	if (flight_seal(sa, gen, &h, &w, &f) == OK) {
		gen->next_id++;
		ike_queue_flight(sa, f, ike_way(sa));
		ike_flight_put(&f);
	}
}

void ike_request_drop(struct ike_gen *gen)
{
	ike_flight_put(&gen->req.flight);
	gen->req = (struct ike_request){.kind = REQ_NONE};
}

void ike_request_done(struct ike_sa *sa, struct ike_gen *gen)
{
	struct ike_request *q = &gen->req;

	if (q->tries == 1)
		sa->stats.rtt_ms = (uint32_t)(sa->now_ms - q->sent_ms);
	if ((sa->state != IKE_ST_UP && sa->state != IKE_ST_DELETING) ||
	    (sa->move.on && gen == sa->cur))
		sa->stats.round_trips++;
	if (q->exchange != IKE_SA_INIT && q->exchange != IKE_SESSION_RESUME)
		gen->next_id++;
	ike_request_drop(gen);
}

static void request_given_up(struct ike_sa *sa, struct ike_gen *gen)
{
	char to[ADDR_STR_MAX];
	struct ike_request q = gen->req;

	if (gen != sa->cur) {
		gen->dead = true;
		return;
	}
	if (q.kind == REQ_DELETE_IKE || (sa->tasks & TASK_DELETE)) {
		ike_close(sa, sa->why);
		return;
	}
	if (sa->hint != OK) {
		sa->diag = sa->hint_text;
		ike_close(sa, sa->hint);
		return;
	}
	diag_set(&sa->diag, ERR_NO_ANSWER,
		 "%s does not answer %s (sent %u times in %lld ms)",
		 addr_str_port(&ike_way(sa)->remote, to),
		 ike_exchange_name(q.exchange), q.tries,
		 (long long)(sa->now_ms - q.sent_ms));
	ike_close(sa, ERR_NO_ANSWER);
}

void ike_request_again(struct ike_sa *sa, struct ike_gen *gen)
{
	struct ike_request *q = &gen->req;

	if (q->kind == REQ_PROBE) {
		q->kind = REQ_ALIVE;
		ike_probe_lost(sa, gen);
	}
	q->tries = 2; /* its answer tells no round trip time */
	q->max_tries = sa->cfg.max_tries + MOVE_TRIES;
	q->rto_ms = move_rto(sa);
	q->next_ms = sa->now_ms + rto_spread(sa, q->rto_ms);
	sa->stats.retransmissions++;
	ike_queue_flight(sa, q->flight, ike_way(sa));
}

/* RFC 9329 6.2: TCP repeats by itself. */
static void request_repeat(struct ike_sa *sa, struct ike_gen *gen)
{
	struct ike_request *q = &gen->req;

	const struct ike_path *way = way_of(sa, q->kind);

	if (!way->tcp) {
		sa->stats.retransmissions++;
		ike_queue_flight(sa, q->flight, way);
	}
	if (q->kind == REQ_INIT || q->kind == REQ_RESUME)
		ike_race_repeat(sa);
	if (q->kind == REQ_AUTH_RESUMED)
		ike_rivals_start(sa, gen);
}

void ike_request_hurry(struct ike_sa *sa, struct ike_gen *gen)
{
	int64_t at_ms = sa->now_ms + rto_spread(sa, first_rto(sa));

	if (at_ms < gen->req.next_ms)
		gen->req.next_ms = at_ms;
}

void ike_request_timeout(struct ike_sa *sa, struct ike_gen *gen)
{
	struct ike_request *q = &gen->req;
	enum err e;

	if (q->kind == REQ_NONE || sa->now_ms < q->next_ms)
		return;
	if ((q->kind == REQ_INIT || q->kind == REQ_RESUME) &&
	    sa->setup->cookie_due) {
		e = ike_cookie_send(sa);
		if (e)
			ike_close(sa, e);
		return;
	}
	if (q->kind == REQ_INIT && q->tries == FALLBACK_TRIES &&
	    ike_init_fallback(sa))
		return;
	if (q->tries >= q->max_tries) {
		if (q->kind == REQ_PROBE)
			ike_request_again(sa, gen);
		else
			request_given_up(sa, gen);
		return;
	}
	q->tries++;
	q->rto_ms = q->rto_ms * 9 / 5;
	if (q->rto_ms > RTO_MAX_MS)
		q->rto_ms = RTO_MAX_MS;
	q->next_ms = sa->now_ms + rto_spread(sa, q->rto_ms);
	request_repeat(sa, gen);
}

void ike_request_go_on(struct ike_sa *sa, struct ike_gen *gen)
{
	struct ike_request *q = &gen->req;

	if (q->max_tries < q->tries + RACE_TRIES)
		q->max_tries = q->tries + RACE_TRIES;
}

/* --- the gateway's requests ------------------------------------------- */

enum err ike_answer(struct ike_sa *sa, const struct ike_rx *rx,
		    struct ike_wr *w)
{
	struct ike_gen *gen = rx->gen;
	struct ike_hdr h =
		header(gen, rx->msg->hdr.exchange, rx->msg->hdr.msg_id, true);
	struct ike_flight *f = NULL;
	enum err e = flight_seal(sa, gen, &h, w, &f);

	if (e != OK)
		return e;
	ike_flight_put(&gen->answer);
	gen->answer = f;
	ike_queue_flight(sa, f, rx->path);
	return OK;
}

enum err ike_answer_notify(struct ike_sa *sa, const struct ike_rx *rx,
			   uint16_t notify, struct bytes data)
{
	struct ike_wr w;

	ike_chain_start(sa, &w);
	if (notify) {
		log_info("IKE answer to %s: %s",
			 ike_exchange_name(rx->msg->hdr.exchange),
			 ike_notify_name(notify));
		ike_wr_notify(&w, notify, data);
	}
	return ike_answer(sa, rx, &w);
}

void ike_answer_again(struct ike_sa *sa, struct ike_gen *gen,
		      const struct ike_path *path)
{
	if (gen->answer)
		ike_queue_flight(sa, gen->answer, path);
}
