/* Stories of a session: days of a laptop. */
#include "tests/sim/ses.h"

#include <string.h>

#define NARROW 1248 /* octets of a datagram: a path of 1280 takes them */

/* --- circumstances -------------------------------------------------------- */

static struct ike_name name_of(uint8_t type, const char *text)
{
	struct ike_name n = {.type = type, .len = (uint16_t)strlen(text)};

	memcpy(n.b, text, n.len);
	return n;
}

static void all_networks(struct ike_ts_list *out)
{
	struct prefix p = {.addr = {.family = ADDR_V4}};

	out->n = 1;
	ike_ts_from_prefix(&p, &out->ts[0]);
}

static void ike_config(struct ses *x)
{
	struct ike_config *c = &x->cfg.ike;

	c->id_local = name_of(ID_RFC822_ADDR, "me@example.org");
	c->id_remote = name_of(ID_FQDN, "gw.example.org");
	c->eap_user = name_of(0, "me");
	c->auth =
		sim_chance(&x->sim, 60) ? IKE_AUTH_EAP_MSCHAPV2 : IKE_AUTH_PSK;
	/* Cheap, as there are thousands of stories. */
	sim_must(&x->sim,
		 proposals_from_text("aes128gcm16-prfsha256-x25519", PROTO_IKE,
				     &c->ike_proposals, NULL) == OK);
	sim_must(&x->sim, proposals_from_text("aes128gcm16", PROTO_ESP,
					      &c->esp_proposals, NULL) == OK);
	all_networks(&c->ts_local);
	all_networks(&c->ts_remote);
	c->want_ipv4 = c->want_dns = true;
	c->want_ticket = true;
	c->force_encap = true;
	c->fragmentation = true;
	c->max_datagram = 1200;
	c->dpd_ms = 60000;
	c->rto_ms = 500;
	c->max_tries = (uint8_t)(5 + sim_random(&x->sim, 4));
	c->mobike = sim_chance(&x->sim, 50);
	c->pfs_after_resume = sim_chance(&x->sim, 15);
}

void ses_config(struct ses *x)
{
	static const uint32_t lives_s[] = {60, 300, 3600, 8 * 3600, 24 * 3600};
	struct sim *s = &x->sim;

	sim_gateway_config(s);
	s->gw_cfg.dpd_ms = 60000;
	s->gw_cfg.eap_identity = sim_chance(s, 50);
	s->gw_cfg.tickets =
		sim_chance(s, 50) ? GW_TICKETS_VALUE : GW_TICKETS_REF;
	s->gw_cfg.lifetime_s = lives_s[sim_random(s, 5)];
	ike_config(x);
	x->cfg.use_tickets = true;
	x->cfg.renewal = RENEWAL_SETUP + sim_random(s, 4);
	x->cfg.ike.take_pushed_ticket = x->cfg.renewal == RENEWAL_PUSH;
	x->cfg.persistent = sim_chance(s, 80);
	x->cfg.unattended = sim_chance(s, 10);
	x->cfg.learn_keepalive = true;
	x->cfg.retry_min_ms = 1000;
	x->cfg.retry_max_ms = 60000;
	x->cfg.sleep_renew_ms = sim_random(s, 720000);
	if (sim_chance(s, 20))
		x->cfg.ike.ike_rekey_ms = 120000 + sim_random(s, 2000000);
	if (sim_chance(s, 20))
		x->cfg.ike.child_rekey_ms = 120000 + sim_random(s, 900000);
	x->slow_ms = sim_chance(s, 30) ? 1 + sim_random(s, 40000) : 0;
	x->answer_at_ms = INT64_MAX;
	x->closed = true;
	x->dark_ms = x->unkind_ms = -1;
	x->woke_ms = INT64_MIN / 2;
	x->boot_at_ms = s->now_ms - sim_random(s, 100000);
	x->v6 = sim_chance(s, 20);
	x->born.no_mobike = sim_chance(s, 30);
	x->born.first_only = sim_chance(s, 20);
	s->nat = (uint16_t)(sim_chance(s, 50) ? 1 + sim_random(s, 9999) : 0);
	s->link.delay_ms = 1 + sim_random(s, 150);
	s->link.jitter_ms = sim_random(s, 30);
	s->link.takes = sim_chance(s, 20) ? NARROW : 0;
	end_gw_start(s);
	*gw_switches(s->gw) = x->born;
	sim_say(s,
		"auth %d, tickets %d of %u s, renewal %d, %s, %s, rekeys %u %u",
		x->cfg.ike.auth, s->gw_cfg.tickets, s->gw_cfg.lifetime_s,
		x->cfg.renewal, x->cfg.persistent ? "persistent" : "once",
		x->cfg.unattended ? "unattended" : "attended",
		x->cfg.ike.ike_rekey_ms, x->cfg.ike.child_rekey_ms);
}

static void bad_link(struct ses *x)
{
	struct sim *s = &x->sim;

	s->link.loss = sim_random(s, 31);
	s->link.dup = sim_random(s, 31);
	s->link.reorder = sim_random(s, 31);
	sim_say(s, "link: %u%% loss, %u%% double, %u%% out of order, %u ms",
		s->link.loss, s->link.dup, s->link.reorder, s->link.delay_ms);
}

int64_t ses_some_ms(struct ses *x, int64_t max_ms)
{
	int64_t ms = max_ms >> sim_random(&x->sim, 12);

	return ms / 2 + sim_random(&x->sim, (uint32_t)(ms / 2) + 1);
}

bool ses_rests(struct sim *s)
{
	return s->c.up || ((struct ses *)s)->closed;
}

static bool cond_over(struct sim *s)
{
	return ((struct ses *)s)->closed;
}

static void again(struct ses *x)
{
	if (!x->session || x->closed)
		ses_start(x);
}

/* --- what a person and a network do --------------------------------------- */

/* X(name, share) */
#define DAY_LIST(X)                                                            \
	X(suspend, 14)                                                         \
	X(sleep, 14)                                                           \
	X(reboot, 10)                                                          \
	X(kill, 8)                                                             \
	X(roam, 14)                                                            \
	X(move, 8)                                                             \
	X(dark, 10)                                                            \
	X(gateway_restart, 8)                                                  \
	X(gateway_forgets, 3)                                                  \
	X(gateway_deletes, 3)                                                  \
	X(gateway_rekeys, 3)                                                   \
	X(gateway_pushes, 3)                                                   \
	X(key_roll, 2)                                                         \
	X(nat_rebinds, 5)                                                      \
	X(other_family, 5)                                                     \
	X(wall_jumps, 3)                                                       \
	X(data, 8)                                                             \
	X(wait, 10)                                                            \
	X(down, 5)                                                             \
	X(manners, 12)

static void day_suspend(struct ses *x)
{
	x->totals->nights++;
	ses_suspend(x);
	sim_run(&x->sim, ses_some_ms(x, 2 * SES_HOUR_MS));
	ses_start(x);
}

static void day_sleep(struct ses *x)
{
	x->totals->nights++;
	ses_sleep(x, ses_some_ms(x, 12 * SES_HOUR_MS));
	switch (sim_random(&x->sim, 4)) {
	case 0:
		ses_path_new(x, false);
		break;
	case 1:
		ses_path_new(x, true);
		break;
	case 2:
		ses_path_lost(x);
		sim_run(&x->sim, ses_some_ms(x, 60000));
		ses_path_new(x, sim_chance(&x->sim, 50));
		break;
	default:
		break;
	}
}

static void day_reboot(struct ses *x)
{
	x->totals->nights++;
	if (sim_chance(&x->sim, 50))
		ses_suspend(x);
	else
		ses_kill(x);
	sim_run(&x->sim, ses_some_ms(x, 2 * SES_HOUR_MS));
	ses_boot(x);
	ses_start(x);
}

static void day_kill(struct ses *x)
{
	x->totals->nights++;
	ses_kill(x);
	ses_start(x);
}

static void day_roam(struct ses *x)
{
	unsigned n = 1 + sim_random(&x->sim, 3);

	x->totals->nights++;
	while (n-- > 0) {
		ses_path_lost(x);
		sim_run(&x->sim, ses_some_ms(x, 1200000));
		x->dark_ms = x->sim.now_ms;
		ses_path_new(x, sim_chance(&x->sim, 40));
		sim_run(&x->sim, ses_some_ms(x, 4000));
	}
}

static void day_move(struct ses *x)
{
	x->totals->nights++;
	ses_path_new(x, sim_chance(&x->sim, 20));
}

static void day_dark(struct ses *x)
{
	struct gw_switches *sw = gw_switches(x->sim.gw);
	bool *how = sim_chance(&x->sim, 50) ? &x->sim.link.cut : &sw->silent;

	*how = true;
	sim_run(&x->sim, ses_some_ms(x, 2 * SES_HOUR_MS));
	*how = false;
	x->dark_ms = x->sim.now_ms;
}

static void day_gateway_restart(struct ses *x)
{
	struct sim *s = &x->sim;
	enum gw_ticket_kind kind = s->gw_cfg.tickets;

	s->link.cut = true;
	sim_run(s, ses_some_ms(x, 120000));
	s->link.cut = false;
	x->dark_ms = s->now_ms;
	end_gw_restart(s, sim_chance(s, 70));
	gw_set_ticket_kind(s->gw, kind);
}

static void day_gateway_forgets(struct ses *x)
{
	gw_forget_sas(x->sim.gw);
	end_gw_pull(&x->sim);
}

static void day_gateway_deletes(struct ses *x)
{
	gw_delete_ike(x->sim.gw, 0, x->sim.now_ms);
	end_gw_pull(&x->sim);
}

static void day_gateway_rekeys(struct ses *x)
{
	gw_rekey_ike(x->sim.gw, 0, x->sim.now_ms);
	end_gw_pull(&x->sim);
}

static void day_gateway_pushes(struct ses *x)
{
	gw_push_ticket(x->sim.gw, 0, x->sim.now_ms);
	end_gw_pull(&x->sim);
}

static void day_key_roll(struct ses *x)
{
	gw_roll_key(x->sim.gw);
}

static void day_nat_rebinds(struct ses *x)
{
	ses_nat_rebinds(x);
}

static void day_other_family(struct ses *x)
{
	x->v6 = !x->v6;
	day_move(x);
}

static void day_wall_jumps(struct ses *x)
{
	int64_t ms = ses_some_ms(x, 48 * SES_HOUR_MS);

	x->wall_skew_ms += sim_chance(&x->sim, 50) ? ms : -ms;
}

static void day_data(struct ses *x)
{
	for (int i = 0; i < 8; i++) {
		ses_data(x);
		end_gw_data(&x->sim);
		sim_run(&x->sim, 200);
	}
}

static void day_wait(struct ses *x)
{
	int64_t life_ms = (int64_t)x->sim.gw_cfg.lifetime_s * 1000;

	if (life_ms > SES_HOUR_MS)
		life_ms = SES_HOUR_MS;
	sim_run(&x->sim, ses_some_ms(x, 2 * life_ms));
}

static void day_down(struct ses *x)
{
	struct sim *s = &x->sim;

	ses_down(x);
	if (!sim_run_until(s, cond_over, SES_SETTLE_MS))
		sim_fail(s, "logging out does not end");
	if (x->why != ERR_CANCELLED)
		sim_fail(s, "logging out ends with %s", err_name(x->why));
	if (x->store.there)
		sim_fail(s, "a ticket outlives the logout");
	ses_start(x);
}

static bool is_unkind(const struct gw_switches *sw, const struct sim *s)
{
	/* Of a forged refusal and the true answer the second may be lost. */
	return sw->nack || sw->silent_resume || sw->refuse_proposal ||
	       sw->refuse_syntax || (sw->forged_nack && s->link.loss > 0);
}

static void day_manners(struct ses *x)
{
	static const char *const words[] = {
		"nack",		 "nack-request", "silent-resume",
		"refuse-syntax", "ack-later",	 "push",
		"cookie",	 "new-address",	 "forged-nack",
		"refuse-move",	 "check-path",	 "no-additional",
		"resume-once",	 "no-mobike",	 "refuse-proposal",
		"no-invalid-spi"};
	struct gw_switches *sw = gw_switches(x->sim.gw);
	unsigned which = sim_random(&x->sim, sizeof(words) / sizeof(words[0]));

	*sw = x->born;
	sim_must(&x->sim, gw_switch_set(sw, words[which], true));
	sim_say(&x->sim, "--- gateway: %s", words[which]);
}

struct day_op {
	const char *name;
	ses_story *play;
	unsigned share;
};

static const struct day_op ops[] = {
#define X(name, share) {#name, day_##name, share},
	DAY_LIST(X)
#undef X
};
#define N_OPS (sizeof(ops) / sizeof(ops[0]))

static const struct day_op *pick_op(struct ses *x)
{
	unsigned sum = 0, at;

	for (size_t i = 0; i < N_OPS; i++)
		sum += ops[i].share;
	at = sim_random(&x->sim, sum);
	for (size_t i = 0; i < N_OPS; i++) {
		if (at < ops[i].share)
			return &ops[i];
		at -= ops[i].share;
	}
	return &ops[0];
}

void ses_note_manners(struct ses *x)
{
	if (is_unkind(gw_switches(x->sim.gw), &x->sim))
		x->unkind_ms = x->sim.now_ms;
}

/* --- a good end ----------------------------------------------------------- */

static const struct sim_child *only(const struct sim_child *list)
{
	for (size_t i = 0; i < SIM_CHILDREN_MAX; i++)
		if (list[i].there && !list[i].retired)
			return &list[i];
	return NULL;
}

/* NULL: the ends agree; else why not. */
static const char *disagreement(struct ses *x)
{
	struct sim *s = &x->sim;
	const struct sim_child *ours = only(s->c.children);
	const struct sim_child *theirs = only(s->gw_children);
	struct gw_session_info info;
	uint64_t up = s->got_up, down = s->got_down;

	if (!s->c.up)
		return "not connected";
	if (gw_session_count(s->gw) != 1 || gw_ike_count(s->gw) != 1)
		return "the gateway has not one session with one IKE SA";
	if (end_children(s->c.children) != 1 ||
	    end_children(s->gw_children) != 1)
		return "there is not one Child SA";
	if (ours->spi_in != theirs->spi_out || ours->spi_out != theirs->spi_in)
		return "the ends have different Child SAs";
	if (!gw_session_info(s->gw, 0, &info) ||
	    !addr_eq_host(&info.inner_v4, &s->c.net.inner_v4))
		return "the ends have different inner addresses";
	for (int i = 0; i < 4; i++) {
		ses_data(x);
		end_gw_data(s);
	}
	sim_run(s, 1000);
	if (s->got_up != up + 4 || s->got_down != down + 4)
		return "ESP does not come through both ways";
	return NULL;
}

void ses_check_connected(struct ses *x)
{
	int64_t end = x->sim.now_ms + SES_SETTLE_MS;
	const char *why;

	/* A rekey or renewal may be under way; a session of before dies by
	 * the gateway's liveness check. */
	while ((why = disagreement(x)) != NULL) {
		if (x->sim.now_ms > end)
			sim_fail(&x->sim, "%s", why);
		sim_run(&x->sim, 5000);
	}
}

/* --- day ------------------------------------------------------------------ */

/* A session that is not persistent ends at the first loss. */
static void check_closed(struct ses *x)
{
	struct sim *s = &x->sim;

	if (!x->closed)
		return;
	if (x->cfg.persistent)
		sim_fail(s, "a persistent session closed: %s",
			 session_report(x->session)->last_detail);
	if (x->why != ERR_NO_ANSWER && x->why != ERR_GONE &&
	    x->why != ERR_PEER && x->why != ERR_NAME)
		sim_fail(s, "closed with %s: %s", err_name(x->why),
			 session_report(x->session)->last_detail);
}

static void good_again(struct ses *x)
{
	struct sim *s = &x->sim;

	sim_say(s, "--- all is good again");
	ses_note_manners(x);
	*gw_switches(s->gw) = x->born;
	sim_clean_link(s);
	x->slow_ms = 0; /* slower than the gateway's patience is no fault */
	again(x);
	/* Once it may still fail for what was before. */
	if (!sim_run_until(s, ses_rests, SES_BACK_MS))
		sim_fail(s, "the session does not come back: %s (%s)",
			 session_state_text(x->state),
			 session_report(x->session)->last_detail);
	check_closed(x);
	again(x);
	sim_run(s, 250000); /* a DPD at either end, unto its end */
	check_closed(x);
	again(x);
	if (!sim_run_until(s, ses_rests, SES_BACK_MS) || x->closed)
		sim_fail(s, "no connection over a good link: %s (%s)",
			 session_state_text(x->state),
			 session_report(x->session)->last_detail);
	ses_check_connected(x);
	x->totals->connected++;
}

void ses_check_wakes(struct ses *x)
{
	if (x->idle_wakes > 20 + x->wakes / 2)
		sim_fail(&x->sim, "%u of %u wake-ups for nothing",
			 x->idle_wakes, x->wakes);
}

void ses_story_day(struct ses *x)
{
	struct sim *s = &x->sim;
	bool kind = sim_chance(s, 60);
	unsigned n = 3 + sim_random(s, 8);
	const struct day_op *op;

	ses_config(x);
	if (sim_chance(s, 60))
		bad_link(x);
	if (!kind && sim_chance(s, 15))
		gw_set_ticket_kind(s->gw, s->gw_cfg.tickets = GW_TICKETS_NONE);
	ses_start(x);
	for (unsigned i = 0; i < n; i++) {
		if (sim_chance(s, 70))
			sim_run_until(s, ses_rests, SES_SETTLE_MS);
		check_closed(x);
		again(x);
		op = pick_op(x);
		if (kind && op->play == day_manners)
			continue;
		sim_say(s, "--- %s", op->name);
		ses_note_manners(x);
		op->play(x);
		ses_note_manners(x);
		sim_run(s, ses_some_ms(x, 60000));
		ses_note_manners(x);
	}
	check_closed(x);
	good_again(x);
	ses_check_wakes(x);
	if (sim_chance(s, 50))
		day_down(x);
	ses_suspend(x);
}
