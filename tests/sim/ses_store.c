/* The ticket store in memory, and what must hold of tickets:
 *
 * - one that an IKE_AUTH left with is never presented or stored again, but
 *   where the gateway refused that IKE_AUTH;
 * - one is never in the store while it is presented;
 * - nobody is asked anything while there is one that the gateway would take
 *   and that was surely not used;
 * - the store does not believe in one longer than the gateway does.
 */
#include "tests/sim/ses.h"

#include <string.h>

#include "tests/gateway/gw_int.h"

#define LIFETIME_MAX_S (365 * 24 * 3600) /* of client/run/tunnel_store.c */
/* An answer may be repeated for so long; the lifetime counts from its
 * arrival. */
#define LATE_MS 150000

static int64_t wall_ms(const struct ses *x)
{
	return x->sim.now_ms + x->sim.gw_cfg.wall_offset_ms + x->wall_skew_ms;
}

static void hash_of(struct ses *x, struct bytes ticket, uint8_t out[32])
{
	if (crypto_hash(HASH_SHA2_256, &ticket, 1, out) != OK)
		sim_fail(&x->sim, "hash");
}

static bool is_gone(struct ses *x, struct bytes ticket)
{
	uint8_t h[32];

	hash_of(x, ticket, h);
	for (size_t i = 0; i < x->n_gone; i++)
		if (memcmp(x->gone[i], h, sizeof(h)) == 0)
			return true;
	return false;
}

static void now_gone(struct ses *x, struct bytes ticket)
{
	if (is_gone(x, ticket))
		return;
	if (x->n_gone == SES_GONE_MAX)
		sim_fail(&x->sim, "too many tickets");
	hash_of(x, ticket, x->gone[x->n_gone++]);
}

/* --- the store ----------------------------------------------------------- */

static void entry_set(struct ses *x, struct ses_entry *e,
		      const struct ike_ticket *t)
{
	if (t->opaque.len > sizeof(e->buf))
		sim_fail(&x->sim, "ticket of %zu octets", t->opaque.len);
	memmove(e->buf, t->opaque.p, t->opaque.len);
	e->ticket = *t;
	e->ticket.opaque.p = e->buf;
	e->there = true;
}

static int64_t entry_remaining_ms(const struct ses *x,
				  const struct ses_entry *e)
{
	int64_t wall = wall_ms(x) - e->stored_wall_ms;
	int64_t boot = ses_now(x) - e->stored_boot_ms;
	int64_t age = wall < 0 || wall > boot ? wall : boot;
	int64_t life = e->expires_wall_ms - e->stored_wall_ms;

	return age < 0 || age >= life ? 0 : life - age;
}

/* The gateway's word on it. */
static bool gateway_takes(struct ses *x, struct bytes ticket,
			  struct gw_tstate *out)
{
	return gw_ticket_find(x->sim.gw, ticket, out) == OK;
}

static void check_expiry(struct ses *x, const struct ses_entry *e)
{
	struct gw_tstate state;
	int64_t late;

	if (x->taken.there &&
	    bytes_eq(x->taken.ticket.opaque, e->ticket.opaque)) {
		if (x->wall_skew_ms == 0 &&
		    e->expires_wall_ms > x->taken.expires_wall_ms + 1000)
			sim_fail(&x->sim, "a ticket is younger when it comes "
					  "back to the store");
		return;
	}
	/* One that came while the machine slept or had no network looks newer
	 * than it is. */
	if (x->wall_skew_ms != 0 || x->sim.now_ms - x->woke_ms < LATE_MS ||
	    (x->dark_ms >= 0 && x->sim.now_ms - x->dark_ms < LATE_MS) ||
	    !gateway_takes(x, e->ticket.opaque, &state))
		return;
	late = e->expires_wall_ms - state.expires_s * 1000;
	if (late > LATE_MS)
		sim_fail(&x->sim,
			 "the store keeps a ticket %lld ms longer than "
			 "the gateway",
			 (long long)late);
}

void ses_store_put(struct ses *x, const struct ike_ticket *t)
{
	struct ses_entry *e = &x->store;
	int64_t life_s = t->lifetime_s;

	sim_say(&x->sim, "store: put, %lld s", (long long)life_s);
	if (is_gone(x, t->opaque))
		sim_fail(&x->sim, "a ticket that may be used is stored");
	if (life_s == 0)
		return;
	if (life_s > LIFETIME_MAX_S)
		life_s = LIFETIME_MAX_S;
	entry_set(x, e, t);
	e->stored_wall_ms = wall_ms(x);
	e->stored_boot_ms = ses_now(x);
	e->expires_wall_ms = e->stored_wall_ms + life_s * 1000;
	check_expiry(x, e);
	/* Back, or replaced by a newer one. */
	x->taken.there = false;
}

const struct ike_ticket *ses_store_take(struct ses *x)
{
	struct ses_entry *e = &x->store;
	bool live = e->there && entry_remaining_ms(x, e) > 0;

	sim_say(&x->sim, "store: take: %s",
		live	   ? "a ticket"
		: e->there ? "expired"
			   : "nothing");
	if (live) {
		x->taken = *e;
		x->taken.ticket.opaque.p = x->taken.buf;
		x->taken.ticket.lifetime_s =
			(uint32_t)((e->expires_wall_ms - wall_ms(x)) / 1000);
		x->taken_presented = false;
	}
	e->there = false;
	return live ? &x->taken.ticket : NULL;
}

void ses_store_void(struct ses *x)
{
	sim_say(&x->sim, "store: void");
	x->store.there = x->taken.there = false;
}

/* --- the wire ------------------------------------------------------------ */

/* The gateway refused the AUTH: no SA was made, the ticket may come again. */
static void forgive_refused(struct ses *x)
{
	if (x->taken_presented &&
	    gw_counters(x->sim.gw)->auth_failed > x->refused_before) {
		x->taken_presented = false;
		x->n_gone--;
	}
}

static void check_presented(struct ses *x, struct bytes ticket)
{
	uint64_t before = gw_counters(x->sim.gw)->tickets_reused;
	struct gw_tstate state;

	forgive_refused(x);
	if (is_gone(x, ticket))
		sim_fail(&x->sim, "a ticket that may be used is presented");
	if (x->store.there && bytes_eq(x->store.ticket.opaque, ticket))
		sim_fail(&x->sim, "a ticket is presented and in the store");
	if (!x->taken.there || !bytes_eq(x->taken.ticket.opaque, ticket))
		sim_fail(&x->sim, "a ticket is presented that was not taken");
	(void)gateway_takes(x, ticket, &state);
	if (gw_counters(x->sim.gw)->tickets_reused != before)
		sim_fail(&x->sim, "a ticket that made an SA is presented");
}

static void check_resume_auth(struct ses *x)
{
	if (x->taken_presented)
		return;
	x->taken_presented = true;
	x->refused_before = gw_counters(x->sim.gw)->auth_failed;
	now_gone(x, x->taken.ticket.opaque);
	if (x->store.there &&
	    bytes_eq(x->store.ticket.opaque, x->taken.ticket.opaque))
		sim_fail(&x->sim, "IKE_AUTH with a ticket of the store");
}

void check_wire_to_gw(struct sim *s, struct bytes d)
{
	struct ses *x = (struct ses *)s;
	struct ike_notify n;
	struct ike_msg msg;

	if (ike_msg_parse(d, &msg) != OK)
		sim_fail(s, "the client sends what it could not parse");
	if (msg.hdr.exchange == IKE_SESSION_RESUME) {
		if (!ike_msg_notify(&msg, N_TICKET_OPAQUE, &n))
			sim_fail(s, "a resumption without a ticket");
		/* What counts is how things were when it began. */
		if (x->resume_spi != msg.hdr.spi_i)
			x->resume_ms = s->now_ms;
		x->resume_spi = msg.hdr.spi_i;
		ses_note_manners(x);
		check_presented(x, n.data);
	} else if (msg.hdr.exchange == IKE_SA_INIT) {
		x->full_ms = s->now_ms;
		x->verified = false;
	} else if (msg.sk_type == 0) {
		sim_fail(s, "exchange %u in the clear", msg.hdr.exchange);
	} else if (msg.hdr.exchange == IKE_AUTH &&
		   msg.hdr.spi_i == x->resume_spi) {
		check_resume_auth(x);
	}
	ses_attack(x, &msg);
}

/* --- questions ----------------------------------------------------------- */

/* A ticket that was never possibly used and that the gateway would take. */
static bool live_ticket(struct ses *x)
{
	struct gw_tstate state;

	if (x->store.there && entry_remaining_ms(x, &x->store) > 0 &&
	    gateway_takes(x, x->store.ticket.opaque, &state))
		return true;
	return x->taken.there && !x->taken_presented &&
	       entry_remaining_ms(x, &x->taken) > 0 &&
	       gateway_takes(x, x->taken.ticket.opaque, &state);
}

void ses_check_question(struct ses *x)
{
	struct sim *s = &x->sim;

	x->prompts++;
	x->totals->prompts++;
	sim_say(s, "a person is asked");
	if (!live_ticket(x))
		return;
	/* The gateway refused, or did so when it was presented. */
	if (x->unkind_ms >= x->resume_ms)
		return;
	/* All of an attempt was lost though nothing was dark. */
	if (s->link.loss > 0 && x->resume_ms > x->dark_ms) {
		x->totals->unlucky++;
		return;
	}
	sim_fail(s, "a person is asked while a live ticket exists");
}
