/* What must hold, whatever the link did. */
#include "tests/sim/sim.h"

#include <string.h>

#define DATA_PACKETS 20

/* --- on the wire: tickets are presented once, IKE_AUTH is always encrypted ---
 */

static void check_ticket_fresh(struct sim *s, struct bytes ticket)
{
	uint8_t h[32];

	if (crypto_hash(HASH_SHA2_256, &ticket, 1, h) != OK)
		sim_fail(s, "hash");
	memcpy(s->c.presented, h, sizeof(h));
	for (size_t i = 0; i < s->c.n_spent; i++)
		if (memcmp(s->c.spent[i], h, sizeof(h)) == 0)
			sim_fail(s, "a ticket that made an SA is presented "
				    "again");
}

void check_wire_to_gw(struct sim *s, struct bytes d)
{
	struct ike_notify n;
	struct ike_msg msg;

	if (ike_msg_parse(d, &msg) != OK)
		sim_fail(s, "the client sends what it could not parse");
	if (msg.hdr.exchange == IKE_SESSION_RESUME &&
	    !(msg.hdr.flags & IKE_FLAG_RESPONSE)) {
		if (!ike_msg_notify(&msg, N_TICKET_OPAQUE, &n))
			sim_fail(s, "a resumption without a ticket");
		check_ticket_fresh(s, n.data);
		s->c.presenting = true;
	} else if (msg.hdr.exchange == IKE_SA_INIT) {
		s->c.presenting = false;
	}
	if (msg.hdr.exchange != IKE_SA_INIT &&
	    msg.hdr.exchange != IKE_SESSION_RESUME && msg.sk_type == 0)
		sim_fail(s, "exchange %u in the clear", msg.hdr.exchange);
}

/* --- conditions ---------------------------------------------------------- */

bool cond_up(struct sim *s)
{
	return s->c.up;
}

bool cond_closed(struct sim *s)
{
	return s->c.closed;
}

bool cond_up_or_closed(struct sim *s)
{
	return s->c.up || s->c.closed;
}

/* --- a good end ---------------------------------------------------------- */

static const struct sim_child *
only_child(struct sim *s, const struct sim_child *list, const char *whose)
{
	const struct sim_child *found = NULL;

	if (end_children(list) != 1)
		sim_fail(s, "%s has %zu Child SAs instead of 1", whose,
			 end_children(list));
	for (size_t i = 0; i < SIM_CHILDREN_MAX; i++)
		if (list[i].there && !list[i].retired)
			found = &list[i];
	return found;
}

static uint32_t gw_session_id(struct sim *s)
{
	struct gw_session_info info;

	return gw_session_info(s->gw, 0, &info) ? info.id : 0;
}

/* All of them came; told in up and down. */
static bool data_passes(struct sim *s, uint64_t *up, uint64_t *down)
{
	*up = s->got_up;
	*down = s->got_down;
	for (int i = 0; i < DATA_PACKETS; i++) {
		end_client_data(s);
		end_gw_data(s);
		sim_run(s, 20);
	}
	sim_run(s, 2000);
	*up = s->got_up - *up;
	*down = s->got_down - *down;
	return *up == DATA_PACKETS && *down == DATA_PACKETS;
}

/* A session that is renewed meanwhile by another one (a full exchange, at
 * whose INITIAL_CONTACT the gateway drops the old SA before the client has
 * the answer) loses what is on its way: once more, then. */
static void check_data(struct sim *s)
{
	uint64_t up = 0, down = 0;
	uint32_t before;

	sim_run(s, 2000);
	do {
		before = gw_session_id(s);
		if (data_passes(s, &up, &down))
			return;
	} while (before != gw_session_id(s));
	sim_fail(s, "%llu of %d packets up, %llu down", (unsigned long long)up,
		 DATA_PACKETS, (unsigned long long)down);
}

static bool same_suite(const struct suite *a, const struct suite *b)
{
	return a->cipher.encr == b->cipher.encr &&
	       a->cipher.key_bits == b->cipher.key_bits &&
	       a->cipher.integ == b->cipher.integ && a->prf == b->prf;
}

void check_connected(struct sim *s)
{
	const struct sim_child *ours, *theirs;
	struct gw_session_info info;

	if (!s->c.up)
		sim_fail(s, "not connected (%s: %s)", err_name(s->c.why),
			 s->c.detail);
	if (gw_session_count(s->gw) != 1)
		sim_fail(s, "gateway has %zu sessions instead of 1",
			 gw_session_count(s->gw));
	if (gw_ike_count(s->gw) != 1)
		sim_fail(s, "gateway has %zu IKE SAs instead of 1",
			 gw_ike_count(s->gw));
	ours = only_child(s, s->c.children, "client");
	theirs = only_child(s, s->gw_children, "gateway");
	if (ours->spi_in != theirs->spi_out || ours->spi_out != theirs->spi_in)
		sim_fail(s, "the ends have different Child SAs");
	sim_must(s, gw_session_info(s->gw, 0, &info));
	if (s->c.sa != NULL && !same_suite(&info.suite, ike_sa_suite(s->c.sa)))
		sim_fail(s, "the ends have different suites");
	if (!addr_eq_host(&info.inner_v4, &s->c.net.inner_v4))
		sim_fail(s, "the ends have different inner addresses");
	check_data(s);
}

void check_closed_by_link(struct sim *s)
{
	/* All transmissions lost; the gateway gave us up and said so; its
	 * answer to the ticket was lost, so that the ticket counts as used. */
	if (s->c.why != ERR_NO_ANSWER && s->c.why != ERR_GONE &&
	    s->c.why != ERR_TICKET_REFUSED)
		sim_fail(s, "closed with %s: %s", err_name(s->c.why),
			 s->c.detail);
}
