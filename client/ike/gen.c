/* Generations of the IKE SA. */
#include "client/ike/sa_private.h"

#include <stdlib.h>
#include <string.h>

uint64_t ike_spi_draw(struct ike_sa *sa)
{
	uint64_t spi = 0;

	while (spi == 0)
		rng_draw(&sa->rng, &spi, sizeof(spi));
	return spi;
}

/* One that is only kept for duplicates makes room for a living one. */
static void gens_make_room(struct ike_sa *sa)
{
	struct ike_gen **oldest = NULL;

	for (size_t i = 0; i < IKE_GENS_MAX; i++) {
		if (!sa->gens[i])
			return;
		if (sa->gens[i]->deleted &&
		    (!oldest ||
		     sa->gens[i]->expires_ms < (*oldest)->expires_ms))
			oldest = &sa->gens[i];
	}
	if (oldest)
		ike_gen_free(oldest);
}

struct ike_gen *ike_gen_new(struct ike_sa *sa, bool is_initiator)
{
	gens_make_room(sa);
	for (size_t i = 0; i < IKE_GENS_MAX; i++) {
		struct ike_gen *g;

		if (sa->gens[i])
			continue;
		g = calloc(1, sizeof(*g));
		if (!g)
			return NULL;
		g->is_initiator = is_initiator;
		g->expires_ms = IKE_NEVER;
		sa->gens[i] = g;
		return g;
	}
	return NULL;
}

void ike_gen_free(struct ike_gen **gen)
{
	struct ike_gen *g = *gen;

	if (!g)
		return;
	ike_request_drop(g);
	ike_flight_put(&g->answer);
	ike_protect_free(&g->protect);
	ike_keys_wipe(&g->keys);
	ike_reasm_free(&g->reasm_answer);
	ike_reasm_free(&g->reasm_request);
	mem_wipe(g, sizeof(*g));
	free(g);
	*gen = NULL;
}

/* Our SPI decides; the gateway's must agree unless we do not know it yet. */
struct ike_gen *ike_gen_find(const struct ike_sa *sa, uint64_t spi_i,
			     uint64_t spi_r)
{
	for (size_t i = 0; i < IKE_GENS_MAX; i++) {
		struct ike_gen *g = sa->gens[i];

		if (!g || g->dead || g->spi_i != spi_i)
			continue;
		if (g->spi_r == spi_r || (g->is_initiator && !g->has_keys))
			return g;
	}
	return NULL;
}

bool ike_gens_full(const struct ike_sa *sa, size_t n)
{
	size_t room = 0;

	for (size_t i = 0; i < IKE_GENS_MAX; i++)
		room += !sa->gens[i] || sa->gens[i]->deleted;
	return room < n;
}

void ike_gens_sweep(struct ike_sa *sa, bool all)
{
	for (size_t i = 0; i < IKE_GENS_MAX; i++)
		if (sa->gens[i] && (all || sa->gens[i]->dead))
			ike_gen_free(&sa->gens[i]);
	if (all)
		sa->cur = NULL;
}

enum err ike_gen_arm(struct ike_sa *sa, struct ike_gen *gen)
{
	enum err e = ike_protect_new(&gen->keys, gen->is_initiator, &sa->rng,
				     &gen->protect);

	if (e == OK)
		gen->has_keys = true;
	return e;
}

void ike_gen_switch(struct ike_sa *sa, struct ike_gen *to, bool ours)
{
	struct ike_gen *old = sa->cur;

	sa->cur = to;
	to->expires_ms = IKE_NEVER;
	to->want_delete = false;
	if (old && old != to) {
		old->want_delete = ours;
		old->expires_ms = sa->now_ms + IKE_OLD_MS;
	}
	to->quiet_until_ms =
		ours || to->quiet_until_ms < 0 ? 0 : sa->now_ms + IKE_QUIET_MS;
	sa->refusals = 0;
	ike_probe_anew(sa);
	sa->tasks &= ~(uint32_t)TASK_REKEY;
	sa->rekey_at_ms = IKE_NEVER;
	if (sa->cfg.ike_rekey_ms)
		sa->rekey_at_ms =
			sa->now_ms + ike_jitter(sa, sa->cfg.ike_rekey_ms);
	log_info("IKE SA rekeyed by %s", ours ? "us" : "the gateway");
}
