/* A crowd: many clients at one gateway that crashes; all come back at once.
 * No link and no ESP here, only the bare cores: it is about the gateway's
 * tables and about what a ticket costs it. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CROWD 400

struct member {
	struct ike_sa *sa;
	struct ike_path path;
	struct ike_ticket ticket;
	uint8_t opaque[SIM_TICKET_ROOM];
	bool up, resumed, have_ticket;
	struct addr inner;
};

static struct member *members;

static struct ike_path path_of(size_t i)
{
	struct ike_path p = {
		.local = {.family = ADDR_V4,
			  .port = 4500,
			  .b = {192, 0, (uint8_t)(i >> 8), (uint8_t)i}},
		.remote = {.family = ADDR_V4,
			   .port = IKE_PORT_NATT,
			   .b = {203, 0, 113, 1}}};

	return p;
}

static size_t member_at(const struct addr *a)
{
	return (size_t)a->b[2] << 8 | a->b[3];
}

static void take_ticket(struct sim *s, struct member *m,
			const struct ike_ticket *t)
{
	sim_must(s, t->opaque.len <= sizeof(m->opaque));
	memcpy(m->opaque, t->opaque.p, t->opaque.len);
	m->ticket = *t;
	m->ticket.opaque.p = m->opaque;
	m->have_ticket = true;
}

static void member_to_gw(struct sim *s, struct member *m,
			 const struct ike_action *a)
{
	struct gw_path path = {a->u.send.path.remote, a->u.send.path.local};
	uint8_t buf[4096];

	sim_must(s, a->u.send.dgram.len <= sizeof(buf));
	memcpy(buf, a->u.send.dgram.p, a->u.send.dgram.len);
	s->n_datagrams++;
	gw_input(s->gw, buf, a->u.send.dgram.len, &path, s->now_ms);
}

static bool member_pull(struct sim *s, struct member *m)
{
	struct ike_action a = ike_sa_next_action(m->sa);

	if (a.kind == IKE_DO_NOTHING)
		return false;
	if (a.kind == IKE_DO_SEND)
		member_to_gw(s, m, &a);
	else if (a.kind == IKE_DO_ASK_SECRET)
		sim_must(s,
			 ike_sa_give_secret(m->sa, &s->psk, s->now_ms) == OK);
	else if (a.kind == IKE_DO_NETCONF)
		m->inner = a.u.netconf->inner_v4;
	else if (a.kind == IKE_DO_TICKET)
		take_ticket(s, m, a.u.ticket);
	else if (a.kind == IKE_DO_UP) {
		m->up = true;
		m->resumed = a.u.up.resumed;
	} else if (a.kind == IKE_DO_CLOSED)
		sim_fail(s, "a member of the crowd: %s", a.u.closed.detail);
	return true;
}

static bool gw_pull(struct sim *s)
{
	struct gw_action a = gw_next_action(s->gw);
	struct ike_path back;
	uint8_t buf[4096];
	struct member *m;

	if (a.kind == GW_DO_NOTHING)
		return false;
	if (a.kind != GW_DO_SEND)
		return true;
	m = &members[member_at(&a.u.send.path.remote)];
	back = (struct ike_path){.local = a.u.send.path.remote,
				 .remote = a.u.send.path.local};
	sim_must(s, a.u.send.dgram.len <= sizeof(buf));
	memcpy(buf, a.u.send.dgram.p, a.u.send.dgram.len);
	sim_must(s, ike_sa_input(m->sa, buf, a.u.send.dgram.len, &back,
				 s->now_ms) == OK);
	return true;
}

/* Until nobody has anything to say; the datagrams of all interleave. */
static void talk(struct sim *s)
{
	bool more = true;

	while (more) {
		more = false;
		for (size_t i = 0; i < CROWD; i++)
			while (member_pull(s, &members[i]))
				more = true;
		while (gw_pull(s))
			more = true;
	}
}

static void begin(struct sim *s, bool resume)
{
	uint8_t seed[32];

	for (size_t i = 0; i < CROWD; i++) {
		struct member *m = &members[i];

		rng_draw(&s->rng, seed, sizeof(seed));
		ike_sa_free(&m->sa);
		m->up = m->resumed = false;
		s->c.cfg.ike.inner_v4 = m->inner;
		/* INITIAL_CONTACT would end another one's of that name. */
		s->c.cfg.ike.id_local.len =
			(uint16_t)snprintf((char *)s->c.cfg.ike.id_local.b,
					   IKE_NAME_MAX, "m%zu@example.org", i);
		sim_must(s, ike_sa_new(&s->c.cfg.ike, seed, &m->sa) == OK);
		m->path = path_of(i);
		if (resume)
			sim_must(s, ike_sa_resume(m->sa, &m->ticket, &m->path,
						  s->now_ms) == OK);
		else
			sim_must(s, ike_sa_start(m->sa, &m->path, s->now_ms) ==
					    OK);
		m->have_ticket = false;
	}
	talk(s);
	for (size_t i = 0; i < CROWD; i++)
		if (!members[i].up || members[i].resumed != resume ||
		    !members[i].have_ticket)
			sim_fail(s, "member %zu of the crowd is left behind",
				 i);
	if (gw_session_count(s->gw) != CROWD ||
	    gw_child_count(s->gw) != CROWD || gw_ike_count(s->gw) != CROWD)
		sim_fail(s, "%zu sessions, %zu Child SAs, %zu IKE SAs",
			 gw_session_count(s->gw), gw_child_count(s->gw),
			 gw_ike_count(s->gw));
}

static int by_octets(const void *a, const void *b)
{
	return memcmp(a, b, 4);
}

/* Nobody has another one's address, everybody the one from before. */
static void check_addresses(struct sim *s, const struct addr *before)
{
	uint8_t all[CROWD][4];

	for (size_t i = 0; i < CROWD; i++) {
		memcpy(all[i], members[i].inner.b, 4);
		if (before != NULL &&
		    !addr_eq_host(&before[i], &members[i].inner))
			sim_fail(s, "member %zu has another address now", i);
	}
	qsort(all, CROWD, 4, by_octets);
	for (size_t i = 1; i < CROWD; i++)
		if (memcmp(all[i - 1], all[i], 4) == 0)
			sim_fail(s, "two members have the same address");
}

void story_crowd(struct sim *s)
{
	struct addr before[CROWD];
	uint64_t ops;

	sim_gateway_config(s);
	end_client_init(s);
	sim_must(s, prefix_parse("10.77.0.0/16", &s->gw_cfg.pool4) == OK);
	s->gw_cfg.tickets =
		sim_chance(s, 50) ? GW_TICKETS_VALUE : GW_TICKETS_REF;
	end_gw_start(s);
	members = calloc(CROWD, sizeof(*members));
	sim_must(s, members != NULL);
	begin(s, false);
	check_addresses(s, NULL);
	for (size_t i = 0; i < CROWD; i++)
		before[i] = members[i].inner;
	if (sim_chance(s, 50))
		end_gw_restart(s, true);
	else
		s->now_ms += 1000; /* all resume while still known */
	ops = gw_counters(s->gw)->public_key_ops;
	begin(s, true);
	check_addresses(s, before);
	if (gw_counters(s->gw)->public_key_ops != ops)
		sim_fail(s, "resuming cost public-key operations");
	s->c.ups += 2 * CROWD;
	for (size_t i = 0; i < CROWD; i++)
		ike_sa_free(&members[i].sa);
	free(members);
	members = NULL;
}
