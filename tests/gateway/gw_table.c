/* SAs, sessions and children: who exists and who is found by what. */
#include "tests/gateway/gw_int.h"

#include <stdlib.h>
#include <string.h>

/* --- IKE SAs ------------------------------------------------------------- */

static size_t bucket(uint64_t spi)
{
	/* The peer chooses its SPI: mix, it may count upwards. */
	return (size_t)((spi * UINT64_C(0x9e3779b97f4a7c15)) >> 52) %
	       GW_BUCKETS;
}

static void link_both(struct gw *gw, struct gw_ike *ike)
{
	size_t b = bucket(ike->my_spi);

	ike->next_mine = gw->mine[b];
	gw->mine[b] = ike;
	b = bucket(ike->peer_spi);
	ike->next_peer = gw->peer[b];
	gw->peer[b] = ike;
}

struct gw_ike *gw_ike_new(struct gw *gw, uint64_t peer_spi)
{
	struct gw_ike *ike = calloc(1, sizeof(*ike));

	if (ike == NULL)
		abort();
	do
		rng_draw(&gw->rng, &ike->my_spi, sizeof(ike->my_spi));
	while (ike->my_spi == 0 || gw_ike_find(gw, ike->my_spi) != NULL);
	ike->peer_spi = peer_spi;
	ike->state = GW_ST_NEW;
	ike->heard_ms = gw->now_ms;
	ike->rekey_ms = INT64_MAX;
	ike->resend_ms = INT64_MAX;
	ike->end_ms = INT64_MAX;
	link_both(gw, ike);
	gw->n_ikes++;
	return ike;
}

struct gw_ike *gw_ike_find(struct gw *gw, uint64_t my_spi)
{
	struct gw_ike *ike;

	for (ike = gw->mine[bucket(my_spi)]; ike != NULL; ike = ike->next_mine)
		if (ike->my_spi == my_spi)
			break;
	/* Silently gone: as if it never was. */
	if (ike != NULL && ike->state == GW_ST_DEAD && ike->answer.n == 0)
		return NULL;
	return ike;
}

struct gw_ike *gw_ike_find_peer(struct gw *gw, uint64_t peer_spi,
				const uint8_t first_hash[32])
{
	struct gw_ike *ike;

	for (ike = gw->peer[bucket(peer_spi)]; ike; ike = ike->next_peer)
		if (ike->peer_spi == peer_spi && !ike->initiator &&
		    memcmp(ike->first_hash, first_hash, 32) == 0)
			return ike;
	return NULL;
}

void gw_auth_free(struct gw_ike *ike)
{
	if (ike->auth == NULL)
		return;
	free(ike->auth->their_first);
	free(ike->auth->our_first);
	gw_tls_free(ike->auth);
	mem_wipe(ike->auth, sizeof(*ike->auth));
	free(ike->auth);
	ike->auth = NULL;
}

void gw_pend_clear(struct gw_ike *ike)
{
	ke_free(&ike->pend.ke);
	memset(&ike->pend, 0, sizeof(ike->pend));
}

void gw_ike_dead(struct gw *gw, struct gw_ike *ike, uint32_t linger_ms)
{
	gw_sess_detach(gw, ike);
	gw_auth_free(ike);
	gw_pend_clear(ike);
	gw_flight_clear(&ike->request);
	if (linger_ms == 0)
		gw_flight_clear(&ike->answer);
	ike->open.task = GW_TASK_NONE;
	ike->n_jobs = 0;
	ike->resend_ms = INT64_MAX;
	ike->rekey_ms = INT64_MAX;
	ike->state = GW_ST_DEAD;
	ike->end_ms = gw->now_ms + linger_ms;
	gw_bound(gw, ike->end_ms);
}

static void unlink_both(struct gw *gw, struct gw_ike *ike)
{
	struct gw_ike **p = &gw->mine[bucket(ike->my_spi)];

	while (*p != NULL && *p != ike)
		p = &(*p)->next_mine;
	if (*p != NULL)
		*p = ike->next_mine;
	p = &gw->peer[bucket(ike->peer_spi)];
	while (*p != NULL && *p != ike)
		p = &(*p)->next_peer;
	if (*p != NULL)
		*p = ike->next_peer;
}

void gw_ike_set_spi(struct gw *gw, struct gw_ike *ike, uint64_t my_spi)
{
	unlink_both(gw, ike);
	ike->my_spi = my_spi;
	link_both(gw, ike);
}

void gw_ike_free(struct gw *gw, struct gw_ike *ike)
{
	gw_sess_detach(gw, ike);
	unlink_both(gw, ike);
	gw_auth_free(ike);
	gw_pend_clear(ike);
	gw_flight_clear(&ike->answer);
	gw_flight_clear(&ike->request);
	ike_protect_free(&ike->prot);
	ike_reasm_free(&ike->reasm);
	ike_keys_wipe(&ike->keys);
	free(ike);
	gw->n_ikes--;
}

/* --- sessions ------------------------------------------------------------ */

enum err gw_sess_attach(struct gw_sess *s, struct gw_ike *ike)
{
	for (size_t i = 0; i < GW_IKES_MAX; i++) {
		if (s->ikes[i] != NULL)
			continue;
		s->ikes[i] = ike;
		ike->sess = s;
		return OK;
	}
	return ERR_NO_SPACE;
}

struct gw_sess *gw_sess_new(struct gw *gw, struct gw_ike *ike)
{
	struct gw_sess *s = calloc(1, sizeof(*s));

	if (s == NULL)
		abort();
	s->id = ++gw->last_session;
	s->path = ike->path;
	s->next = gw->sessions;
	gw->sessions = s;
	gw->n_sessions++;
	s->ikes[0] = ike;
	s->ike = ike;
	ike->sess = s;
	return s;
}

/* The best of what is left: one that nobody is about to delete. */
static struct gw_ike *sess_pick(const struct gw_sess *s)
{
	struct gw_ike *best = NULL;

	for (size_t i = 0; i < GW_IKES_MAX; i++) {
		struct gw_ike *k = s->ikes[i];

		if (k != NULL &&
		    (best == NULL || (!k->replaced && !k->closing)))
			best = k;
	}
	return best;
}

void gw_sess_detach(struct gw *gw, struct gw_ike *ike)
{
	struct gw_sess *s = ike->sess;

	ike->sess = NULL;
	if (s == NULL)
		return;
	for (size_t i = 0; i < GW_IKES_MAX; i++)
		if (s->ikes[i] == ike)
			s->ikes[i] = NULL;
	if (s->ike == ike)
		s->ike = sess_pick(s);
	if (s->ike == NULL)
		gw_sess_end(gw, s);
}

void gw_sess_end(struct gw *gw, struct gw_sess *s)
{
	struct gw_sess **p = &gw->sessions;

	while (*p != NULL && *p != s)
		p = &(*p)->next;
	if (*p != NULL)
		*p = s->next;
	for (size_t i = 0; i < GW_IKES_MAX; i++) {
		struct gw_ike *k = s->ikes[i];

		if (k == NULL)
			continue;
		s->ikes[i] = NULL;
		k->sess = NULL;
		gw_ike_dead(gw, k, 0);
	}
	while (s->children != NULL)
		gw_child_free(gw, s, s->children);
	gw_lease_give(gw, s);
	gw_act_new(gw, GW_DO_DOWN)->a.u.down.session = s->id;
	gw->n_sessions--;
	mem_wipe(s, sizeof(*s));
	free(s);
}

bool gw_session_info(const struct gw *gw, size_t n, struct gw_session_info *out)
{
	const struct gw_sess *s = gw->sessions;

	for (; s != NULL && n > 0; n--)
		s = s->next;
	if (s == NULL)
		return false;
	*out = (struct gw_session_info){.id = s->id,
					.idi = s->idi,
					.user = s->user,
					.inner_v4 = s->v4,
					.inner_v6 = s->v6,
					.path = s->ike->path,
					.resumed = s->resumed,
					.mobike = s->mobike,
					.nat = s->nat,
					.since_ms = s->since_ms,
					.suite = s->ike->keys.suite};
	out->spi_i = s->ike->initiator ? s->ike->my_spi : s->ike->peer_spi;
	out->spi_r = s->ike->initiator ? s->ike->peer_spi : s->ike->my_spi;
	for (size_t i = 0; i < GW_IKES_MAX; i++)
		out->n_ikes += s->ikes[i] != NULL;
	for (const struct gw_child *c = s->children; c != NULL; c = c->next)
		out->n_children++;
	return true;
}

/* --- Child SAs ----------------------------------------------------------- */

struct gw_sess *gw_sess_by_child(struct gw *gw, uint32_t spi_in)
{
	for (struct gw_sess *s = gw->sessions; s != NULL; s = s->next)
		if (gw_child_by_in(s, spi_in) != NULL)
			return s;
	return NULL;
}

struct gw_child *gw_child_new(struct gw *gw, struct gw_sess *s)
{
	struct gw_child *c = calloc(1, sizeof(*c));

	if (c == NULL)
		abort();
	c->rekey_ms = INT64_MAX;
	/* Random, so unlike any other by far; 1 to 255 are reserved. */
	do
		rng_draw(&gw->rng, &c->spi_in, sizeof(c->spi_in));
	while (c->spi_in < 256);
	c->next = s->children;
	s->children = c;
	return c;
}

struct gw_child *gw_child_by_in(struct gw_sess *s, uint32_t spi_in)
{
	struct gw_child *c;

	for (c = s->children; c != NULL && c->spi_in != spi_in; c = c->next)
		;
	return c;
}

struct gw_child *gw_child_by_out(struct gw_sess *s, uint32_t spi_out)
{
	struct gw_child *c;

	for (c = s->children; c != NULL && c->spi_out != spi_out; c = c->next)
		;
	return c;
}

void gw_child_free(struct gw *gw, struct gw_sess *s, struct gw_child *c)
{
	struct gw_child **p = &s->children;
	struct gw_act *a;

	while (*p != NULL && *p != c)
		p = &(*p)->next;
	if (*p != NULL)
		*p = c->next;
	a = gw_act_new(gw, GW_DO_CHILD_DEL);
	a->a.u.child_del.session = s->id;
	a->a.u.child_del.spi_in = c->spi_in;
	free(c);
}

/* --- what we want to do -------------------------------------------------- */

void gw_job_add(struct gw *gw, struct gw_ike *ike, enum gw_task task,
		uint32_t spi_in)
{
	struct gw_job *j;

	if (ike->state != GW_ST_UP)
		return;
	for (size_t i = 0; i < ike->n_jobs; i++)
		if (ike->jobs[i].task == task && ike->jobs[i].spi_in == spi_in)
			return;
	if (ike->n_jobs == GW_JOBS_MAX)
		return;
	j = &ike->jobs[ike->n_jobs++];
	j->task = task;
	j->spi_in = spi_in;
	j->not_before_ms = gw->now_ms;
	gw_own_next(gw, ike);
}
