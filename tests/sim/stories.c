/* Stories of the IKE SA itself. */
#include "tests/sim/sim.h"

#include <string.h>

/* Longer than any series of retransmissions of either end: 0.5 s doubled
 * eight times, and then the liveness checks. */
#define SETTLE_MS  300000
#define CONNECT_MS 200000

/* --- circumstances ------------------------------------------------------- */

static void pick_suites(struct sim *s)
{
	static const char *const ike[] = {
		"aes256gcm16-prfsha384-x25519",
		"aes128gcm16-prfsha256-x25519-ecp256",
		"chacha20poly1305-prfsha512-x25519",
		"aes256-sha256-prfsha256-x25519",
		"aes128-sha512-prfsha384-x25519",
	};
	static const char *const esp[] = {
		"aes256gcm16",	 "aes128gcm16-noesn",	"chacha20poly1305",
		"aes256-sha256", "aes128-sha384-noesn", "aes256gcm16-x25519",
	};
	struct ike_config *c = &s->c.cfg.ike;

	sim_must(s, proposals_from_text(ike[sim_random(s, 5)], PROTO_IKE,
					&c->ike_proposals, NULL) == OK);
	sim_must(s, proposals_from_text(esp[sim_random(s, 6)], PROTO_ESP,
					&c->esp_proposals, NULL) == OK);
}

void story_config(struct sim *s)
{
	struct gw_switches *sw;

	sim_gateway_config(s);
	end_client_init(s);
	if (sim_chance(s, 60))
		pick_suites(s);
	if (sim_chance(s, 25)) {
		s->c.cfg.ike.auth = IKE_AUTH_EAP_MSCHAPV2;
		s->gw_cfg.eap_identity = sim_chance(s, 70);
	}
	if (sim_chance(s, 30))
		s->gw_cfg.max_datagram = s->c.cfg.ike.max_datagram = 576;
	s->gw_cfg.tickets =
		sim_chance(s, 50) ? GW_TICKETS_VALUE : GW_TICKETS_REF;
	s->c.cfg.ike.pfs_after_resume = sim_chance(s, 30);
	s->c.cfg.ike.mobike = sim_chance(s, 70);
	if (sim_chance(s, 60))
		s->nat = (uint16_t)(1 + sim_random(s, 5000));
	s->link.delay_ms = 1 + sim_random(s, 150);
	s->link.jitter_ms = sim_random(s, 30);
	end_gw_start(s);
	sw = gw_switches(s->gw);
	sw->cookie = sim_chance(s, 20);
	sw->ack_later = sim_chance(s, 15);
	sw->push = sim_chance(s, 15);
	sw->check_path = sim_chance(s, 30);
	sw->refuse_move = sim_chance(s, 10);
}

void story_bad_link(struct sim *s)
{
	s->link.loss = sim_random(s, 31);
	s->link.dup = sim_random(s, 31);
	s->link.reorder = sim_random(s, 31);
	s->link.damage = sim_random(s, 11);
	sim_say(s, "link: %u%% loss, %u%% double, %u%% out of order, %u ms",
		s->link.loss, s->link.dup, s->link.reorder, s->link.delay_ms);
}

/* --- what may happen to an SA -------------------------------------------- */

/* X(name): ops of the random stories. */
#define OP_LIST(X)                                                             \
	X(data)                                                                \
	X(client_rekeys_ike)                                                   \
	X(gateway_rekeys_ike)                                                  \
	X(both_rekey_ike)                                                      \
	X(client_rekeys_child)                                                 \
	X(gateway_rekeys_child)                                                \
	X(both_rekey_child)                                                    \
	X(client_ike_gateway_child)                                            \
	X(client_child_gateway_ike)                                            \
	X(client_all_gateway_all)                                              \
	X(client_asks_ticket)                                                  \
	X(gateway_pushes_ticket)                                               \
	X(client_checks)                                                       \
	X(gateway_checks)                                                      \
	X(gateway_deletes_child)                                               \
	X(client_moves)                                                        \
	X(client_moves_and_all)                                                \
	X(nat_rebinds)                                                         \
	X(suspend_resume)                                                      \
	X(restart_resume)                                                      \
	X(resume_live)

static enum err last;

static void op_data(struct sim *s)
{
	for (int i = 0; i < 10; i++) {
		end_client_data(s);
		end_gw_data(s);
		sim_run(s, 5);
	}
}
static void op_client_rekeys_ike(struct sim *s)
{
	last = ike_sa_rekey_ike(s->c.sa, s->now_ms);
	end_client_pull(s);
}
static void op_gateway_rekeys_ike(struct sim *s)
{
	gw_rekey_ike(s->gw, 0, s->now_ms);
	end_gw_pull(s);
}
static void op_client_rekeys_child(struct sim *s)
{
	last = ike_sa_rekey_child(s->c.sa, s->now_ms);
	/* Between a Child SA that goes and the next one there is none. */
	if (last == ERR_STATE &&
	    (s->link.loss > 0 || end_children(s->c.children) == 0))
		last = OK;
	end_client_pull(s);
}
static void op_gateway_rekeys_child(struct sim *s)
{
	gw_rekey_child(s->gw, 0, s->now_ms);
	end_gw_pull(s);
}

/* The second one starts while the first may be under way. */
static void gap(struct sim *s)
{
	if (sim_chance(s, 60))
		sim_run(s, sim_random(s, 2 * s->link.delay_ms + 10));
}
static void op_both_rekey_ike(struct sim *s)
{
	op_client_rekeys_ike(s);
	gap(s);
	op_gateway_rekeys_ike(s);
}
static void op_both_rekey_child(struct sim *s)
{
	op_gateway_rekeys_child(s);
	gap(s);
	if (s->c.up)
		op_client_rekeys_child(s);
}
static void op_client_ike_gateway_child(struct sim *s)
{
	op_client_rekeys_ike(s);
	gap(s);
	op_gateway_rekeys_child(s);
}
static void op_client_child_gateway_ike(struct sim *s)
{
	op_client_rekeys_child(s);
	gap(s);
	op_gateway_rekeys_ike(s);
}
static void op_client_all_gateway_all(struct sim *s)
{
	op_client_rekeys_child(s);
	op_client_rekeys_ike(s);
	gap(s);
	op_gateway_rekeys_ike(s);
	op_gateway_rekeys_child(s);
}
static void op_client_asks_ticket(struct sim *s)
{
	last = ike_sa_ask_ticket(s->c.sa, s->now_ms);
	end_client_pull(s);
}
static void op_gateway_pushes_ticket(struct sim *s)
{
	gw_push_ticket(s->gw, 0, s->now_ms);
	end_gw_pull(s);
}
static void op_client_checks(struct sim *s)
{
	last = ike_sa_check_alive(s->c.sa, s->now_ms);
	end_client_pull(s);
}
static void op_gateway_checks(struct sim *s)
{
	gw_check_alive(s->gw, 0, s->now_ms);
	end_gw_pull(s);
}
static void op_gateway_deletes_child(struct sim *s)
{
	gw_delete_child(s->gw, 0, s->now_ms);
	end_gw_pull(s);
}

static void op_client_moves(struct sim *s)
{
	end_client_move(s);
	if (sim_chance(s, 30)) {
		gap(s);
		if (s->c.up)
			end_client_move(s);
	}
}
static void op_client_moves_and_all(struct sim *s)
{
	end_client_move(s);
	op_client_all_gateway_all(s);
}
/* Until the next liveness check nothing comes down. */
static void op_nat_rebinds(struct sim *s)
{
	if (s->nat == 0 || gw_switches(s->gw)->refuse_move)
		return;
	s->nat = (uint16_t)(s->nat + 1 + sim_random(s, 100));
	sim_run(s, 2 * (int64_t)s->c.cfg.ike.dpd_ms);
}

static void come_back(struct sim *s)
{
	if (s->c.have_ticket)
		end_client_resume(s);
	else
		end_client_full(s);
}
static void op_suspend_resume(struct sim *s)
{
	sim_say(s, "client: suspended");
	end_client_free(s);
	s->c.up = false;
	sim_run(s, sim_random(s, 60000));
	come_back(s);
}
static void op_restart_resume(struct sim *s)
{
	end_gw_restart(s, sim_chance(s, 70));
	op_suspend_resume(s);
}
static void op_resume_live(struct sim *s)
{
	come_back(s);
}

static const struct {
	const char *name;
	void (*run)(struct sim *s);
} ops[] = {
#define X(name) {#name, op_##name},
	OP_LIST(X)
#undef X
};
#define N_OPS (sizeof(ops) / sizeof(ops[0]))

static void random_op(struct sim *s)
{
	size_t i = sim_random(s, N_OPS);

	sim_say(s, "--- %s", ops[i].name);
	last = OK;
	ops[i].run(s);
	if (last != OK && s->c.up)
		sim_fail(s, "%s: %s", ops[i].name, err_text(last));
}

/* --- clean: a link that only delays; every step must work ---------------- */

static void must_be_up(struct sim *s)
{
	sim_run_until(s, cond_up_or_closed, CONNECT_MS);
	/* A ticket refused: then the full exchange, and that works. */
	if (s->c.closed && s->c.why == ERR_TICKET_REFUSED) {
		end_client_full(s);
		sim_run_until(s, cond_up_or_closed, CONNECT_MS);
	}
	if (!s->c.up)
		sim_fail(s, "no connection over a good link (%s: %s)",
			 err_name(s->c.why), s->c.detail);
}

static void say_goodbye(struct sim *s)
{
	sim_must(s, ike_sa_delete(s->c.sa, s->now_ms) == OK);
	end_client_pull(s);
	if (!sim_run_until(s, cond_closed, CONNECT_MS))
		sim_fail(s, "the goodbye does not end");
	if (s->c.why != ERR_CANCELLED)
		sim_fail(s, "goodbye: %s", err_name(s->c.why));
	if (s->c.have_ticket)
		sim_fail(s, "a ticket outlives the logout");
	sim_run(s, SETTLE_MS);
	if (gw_session_count(s->gw) != 0 || end_children(s->gw_children) != 0)
		sim_fail(s, "the gateway still has a session");
}

/* Rekeys and checks that are queued, and their TEMPORARY_FAILUREs. */
#define QUIET_MS 20000

void story_clean(struct sim *s)
{
	unsigned n = 3 + sim_random(s, 8);

	story_config(s);
	end_client_full(s);
	must_be_up(s);
	for (unsigned i = 0; i < n; i++) {
		random_op(s);
		must_be_up(s);
		sim_run(s, QUIET_MS);
		check_connected(s);
	}
	say_goodbye(s);
}

/* --- lossy --------------------------------------------------------------- */

static void reconnect(struct sim *s)
{
	check_closed_by_link(s);
	come_back(s);
}

void story_lossy(struct sim *s)
{
	unsigned n = 3 + sim_random(s, 10);

	story_config(s);
	story_bad_link(s);
	end_client_full(s);
	for (unsigned i = 0; i < n; i++) {
		if (!sim_run_until(s, cond_up_or_closed, CONNECT_MS))
			sim_fail(s, "neither up nor closed");
		if (s->c.closed) {
			reconnect(s);
			continue;
		}
		random_op(s);
		sim_run(s, sim_random(s, 4000));
		if (sim_chance(s, 20))
			story_bad_link(s);
	}
	sim_clean_link(s);
	sim_say(s, "--- the link is good again");
	sim_run(s, SETTLE_MS);
	for (int i = 0; i < 3 && s->c.closed; i++) {
		reconnect(s);
		sim_run(s, SETTLE_MS);
	}
	check_connected(s);
	say_goodbye(s);
}

/* --- collide: the same thing at the same time, again and again ----------- */

void story_collide(struct sim *s)
{
	unsigned n = 5 + sim_random(s, 15);

	story_config(s);
	s->link.loss = sim_random(s, 10);
	s->link.reorder = sim_random(s, 30);
	s->link.dup = sim_random(s, 30);
	end_client_full(s);
	for (unsigned i = 0; i < n; i++) {
		if (!sim_run_until(s, cond_up_or_closed, CONNECT_MS))
			sim_fail(s, "neither up nor closed");
		if (s->c.closed) {
			reconnect(s);
			continue;
		}
		switch (sim_random(s, 5)) {
		case 0:
			op_both_rekey_ike(s);
			break;
		case 1:
			op_both_rekey_child(s);
			break;
		case 2:
			op_client_ike_gateway_child(s);
			break;
		case 3:
			op_client_child_gateway_ike(s);
			break;
		default:
			op_client_all_gateway_all(s);
			break;
		}
		sim_run(s, sim_random(s, 3000));
	}
	sim_clean_link(s);
	sim_run(s, SETTLE_MS);
	for (int i = 0; i < 3 && s->c.closed; i++) {
		reconnect(s);
		sim_run(s, SETTLE_MS);
	}
	check_connected(s);
	say_goodbye(s);
}
