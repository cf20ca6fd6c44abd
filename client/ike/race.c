/* The first request over several paths at once, in the spirit of RFC 8305.
 * Each path is an SA of its own to the gateway: another SPI and, as RFC 9329
 * 5.1 wants for a change of transport, NAT detection of that path. The first
 * answer decides; what the others made at the gateway is never used and
 * expires there. */
#include "client/ike/sa_private.h"

#include <string.h>

static bool is_first(const struct ike_sa *sa)
{
	return sa->setup && !sa->setup->race_over && sa->cur &&
	       !sa->cur->has_keys &&
	       (sa->cur->req.kind == REQ_INIT ||
		sa->cur->req.kind == REQ_RESUME);
}

bool ike_sa_is_racing(const struct ike_sa *sa)
{
	return is_first(sa) ||
	       (ike_sa_can_move(sa) && sa->move.on && !sa->move.heard);
}

/* The writers take SPI and path of the SA. */
static enum err racer_write(struct ike_sa *sa, struct ike_racer *r)
{
	struct ike_path path = sa->path;
	uint64_t spi_i = sa->cur->spi_i;
	struct bytes msg;
	struct ike_wr w;
	enum err e;

	r->spi_i = sa->cur->spi_i = ike_spi_draw(sa);
	sa->path = r->path;
	if (sa->setup->is_resume)
		ike_resume_write(sa, &w);
	else
		ike_init_write(sa, &w);
	sa->path = path;
	sa->cur->spi_i = spi_i;
	ike_flight_put(&r->flight);
	e = ike_wr_end(&w, &msg);
	return e ? e : ike_flight_plain(msg, &r->flight);
}

static enum err racer_start(struct ike_sa *sa, struct ike_racer *r)
{
	enum err e = racer_write(sa, r);

	if (e)
		return e;
	r->sent_ms = sa->now_ms;
	r->tries = 1;
	ike_queue_flight(sa, r->flight, &r->path);
	return OK;
}

static enum err first_race(struct ike_sa *sa, const struct ike_path *path)
{
	struct ike_setup *s = sa->setup;
	struct ike_racer *r;
	enum err e;

	if (s->n_racers == IKE_RACERS_MAX)
		return ERR_NO_SPACE;
	r = &s->racers[s->n_racers];
	memset(r, 0, sizeof(*r));
	r->path = *path;
	e = racer_start(sa, r);
	if (e)
		return e;
	s->n_racers++;
	ike_request_go_on(sa, sa->cur);
	return OK;
}

enum err ike_sa_race(struct ike_sa *sa, const struct ike_path *path,
		     int64_t now_ms)
{
	char to[ADDR_STR_MAX];
	enum err e;

	if (!ike_sa_is_racing(sa))
		return ERR_STATE;
	log_info("IKE: no answer yet; also over %s %s",
		 path->tcp ? "TCP" : "UDP", addr_str_port(&path->remote, to));
	ike_enter(sa, now_ms);
	e = is_first(sa) ? first_race(sa, path) : ike_move_race(sa, path);
	ike_leave(sa);
	return e;
}

const struct ike_path *ike_sa_path(const struct ike_sa *sa)
{
	return ike_way(sa);
}

enum err ike_race_restart(struct ike_sa *sa)
{
	struct ike_setup *s = sa->setup;
	enum err e = OK;

	for (size_t i = 0; i < s->n_racers && !e; i++)
		e = racer_start(sa, &s->racers[i]);
	return e;
}

void ike_race_repeat(struct ike_sa *sa)
{
	struct ike_setup *s = sa->setup;

	for (size_t i = 0; i < s->n_racers; i++) {
		struct ike_racer *r = &s->racers[i];

		if (r->path.tcp)
			continue;
		r->tries++;
		sa->stats.retransmissions++;
		ike_queue_flight(sa, r->flight, &r->path);
	}
}

bool ike_race_has(const struct ike_sa *sa, uint64_t spi_i)
{
	if (!sa->setup || !spi_i)
		return false;
	for (size_t i = 0; i < sa->setup->n_racers; i++)
		if (sa->setup->racers[i].spi_i == spi_i)
			return true;
	return false;
}

void ike_race_clear(struct ike_setup *s)
{
	for (size_t i = 0; i < s->n_racers; i++)
		ike_flight_put(&s->racers[i].flight);
	s->n_racers = 0;
}

void ike_race_decide(struct ike_sa *sa, uint64_t spi_i)
{
	struct ike_request *q = &sa->cur->req;
	struct ike_setup *s = sa->setup;

	for (size_t i = 0; i < s->n_racers; i++) {
		struct ike_racer *r = &s->racers[i];

		if (r->spi_i != spi_i)
			continue;
		sa->cur->spi_i = spi_i;
		sa->path = r->path;
		ike_flight_put(&q->flight);
		q->flight = r->flight;
		r->flight = NULL;
		q->sent_ms = r->sent_ms;
		q->tries = r->tries;
	}
	s->race_over = true;
	ike_race_clear(s);
}
