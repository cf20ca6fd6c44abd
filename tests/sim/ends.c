/* The two ends: the gateway with its data plane, the client with its store. */
#include "tests/sim/sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INNER_LEN 64

static void draw_seed(struct sim *s, uint8_t seed[32])
{
	rng_draw(&s->rng, seed, 32);
}

static struct sim_child *child_place(struct sim *s, struct sim_child *list,
				     uint32_t spi_in)
{
	for (size_t i = 0; i < SIM_CHILDREN_MAX; i++)
		if (spi_in != 0 ? list[i].there && list[i].spi_in == spi_in
				: !list[i].there)
			return &list[i];
	if (spi_in == 0)
		sim_fail(s, "more than %d Child SAs", SIM_CHILDREN_MAX);
	return NULL;
}

size_t end_children(const struct sim_child *list)
{
	size_t n = 0;

	for (size_t i = 0; i < SIM_CHILDREN_MAX; i++)
		n += list[i].there && !list[i].retired;
	return n;
}

/* --- inner packets ------------------------------------------------------- */

static void make_packet(uint8_t *p, const struct addr *src,
			const struct addr *dst)
{
	struct wr w = wr_open(p, INNER_LEN);

	memset(p, 0xd5, INNER_LEN);
	wr_u8(&w, 0x45);
	wr_u8(&w, 0);
	wr_u16(&w, INNER_LEN);
	wr_u32(&w, 0);
	wr_u8(&w, 64);
	wr_u8(&w, 17);
	wr_u16(&w, 0);
	wr_bytes(&w, bytes(src->b, 4));
	wr_bytes(&w, bytes(dst->b, 4));
}

static bool packet_whole(const struct esp_pkt *pkt)
{
	if (pkt->len != INNER_LEN)
		return false;
	for (size_t i = 20; i < INNER_LEN; i++)
		if (pkt->p[i] != 0xd5)
			return false;
	return true;
}

static struct addr server_addr(void)
{
	return (struct addr){.family = ADDR_V4, .b = {10, 9, 0, 2}};
}

/* --- gateway ------------------------------------------------------------- */

void end_gw_start(struct sim *s)
{
	uint8_t seed[32];

	draw_seed(s, seed);
	sim_must(s, gw_new(&s->gw_cfg, seed, &s->gw) == OK);
	sim_must(s, plane_new(&s->plane) == OK);
}

void end_gw_restart(struct sim *s, bool keep_tickets)
{
	struct gw_switches sw = *gw_switches(s->gw);
	uint8_t *blob;
	size_t len;

	sim_say(s, "gateway restarts, tickets %s",
		keep_tickets ? "kept" : "lost");
	sim_must(s, gw_save_tickets(s->gw, &blob, &len) == OK);
	gw_free(&s->gw);
	plane_free(&s->plane);
	memset(s->gw_children, 0, sizeof(s->gw_children));
	end_gw_start(s);
	if (keep_tickets)
		sim_must(s, gw_load_tickets(s->gw, bytes(blob, len)) == OK);
	*gw_switches(s->gw) = sw;
	free(blob);
}

/* The router between: the gateway sees another port. What it sends to a port
 * of before comes out at one where nobody listens. */
static struct gw_path nat_out(const struct sim *s, const struct ike_path *p)
{
	struct gw_path g = {p->remote, p->local};

	g.remote.port = (uint16_t)(g.remote.port + s->nat);
	return g;
}

static struct ike_path nat_in(const struct sim *s, const struct gw_path *g)
{
	struct ike_path p = {.local = g->remote, .remote = g->local};

	p.local.port = (uint16_t)(p.local.port - s->nat);
	return p;
}

static void gw_child_add(struct sim *s, const struct gw_child_info *info)
{
	struct sim_child *c = child_place(s, s->gw_children, 0);

	sim_say(s, "gateway: child in %08x out %08x", info->spi_in,
		info->spi_out);
	*c = (struct sim_child){.there = true,
				.spi_in = info->spi_in,
				.spi_out = info->spi_out};
	plane_child_add(s->plane, info);
}

static void gw_child_del(struct sim *s, uint32_t spi_in)
{
	struct sim_child *c = child_place(s, s->gw_children, spi_in);

	sim_say(s, "gateway: child in %08x gone", spi_in);
	if (c == NULL)
		sim_fail(s, "gateway deletes a Child SA it did not have");
	c->there = false;
	plane_child_del(s->plane, spi_in);
}

void end_gw_pull(struct sim *s)
{
	struct gw_action a;

	while ((a = gw_next_action(s->gw)).kind != GW_DO_NOTHING) {
		struct ike_path back;

		switch (a.kind) {
		case GW_DO_SEND:
			back = nat_in(s, &a.u.send.path);
			sim_put(s, false, false, a.u.send.dgram, &back);
			break;
		case GW_DO_CHILD_ADD:
			gw_child_add(s, a.u.child);
			break;
		case GW_DO_CHILD_DEL:
			gw_child_del(s, a.u.child_del.spi_in);
			break;
		case GW_DO_PATH:
			plane_path(s->plane, a.u.path.session, &a.u.path.path);
			break;
		case GW_DO_UP:
			sim_say(s, "gateway: session %u %s", a.u.up.session,
				a.u.up.resumed ? "resumed" : "up");
			break;
		case GW_DO_DOWN:
			sim_say(s, "gateway: session %u down",
				a.u.down.session);
			plane_down(s->plane, a.u.down.session);
			break;
		case GW_DO_NOTHING:
			break;
		}
	}
}

void end_gw_input(struct sim *s, struct sim_packet *p)
{
	struct gw_path path = nat_out(s, &p->path);
	struct esp_pkt pkt = {p->d + ESP_HEADROOM, p->len};
	uint32_t spi;
	bool moved;
	enum err e;

	if (!p->esp) {
		gw_input(s->gw, pkt.p, pkt.len, &path, s->now_ms);
		end_gw_pull(s);
		return;
	}
	e = plane_open(s->plane, &path, &pkt, &spi, &moved);
	if (e == ERR_NOT_FOUND) {
		s->late_esp++;
		return;
	}
	if (e == ERR_REPLAY)
		return;
	if (e != OK)
		sim_fail(s, "gateway cannot open ESP: %s", err_text(e));
	if (!packet_whole(&pkt))
		sim_fail(s, "gateway got another inner packet");
	s->got_up++;
	gw_esp_seen(s->gw, spi, &path, s->now_ms);
	end_gw_pull(s);
}

void end_gw_data(struct sim *s)
{
	uint8_t room[ESP_HEADROOM + INNER_LEN + ESP_TAILROOM];
	struct esp_pkt pkt = {room + ESP_HEADROOM, INNER_LEN};
	struct addr src = server_addr();
	struct ike_path back;
	struct gw_path path;

	make_packet(pkt.p, &src, &s->c.net.inner_v4);
	if (plane_seal(s->plane, &pkt, &path) != OK)
		return;
	s->sent_down++;
	back = nat_in(s, &path);
	sim_put(s, false, true, bytes(pkt.p, pkt.len), &back);
}

/* --- the client's Child SAs ---------------------------------------------- */

static void child_drop(struct sim_child *c)
{
	esp_sa_free(&c->in);
	esp_sa_free(&c->out);
	c->there = c->retired = false;
}

void end_client_children_drop(struct sim *s)
{
	for (size_t i = 0; i < SIM_CHILDREN_MAX; i++)
		child_drop(&s->c.children[i]);
	s->c.sending = 0;
}

void end_client_children_retire(struct sim *s)
{
	for (size_t i = 0; i < SIM_CHILDREN_MAX; i++) {
		if (s->c.children[i].retired)
			child_drop(&s->c.children[i]);
		s->c.children[i].retired = s->c.children[i].there;
	}
}

void end_client_child_add(struct sim *s, const struct ike_child_sa *k)
{
	struct sim_child *c = child_place(s, s->c.children, 0);
	struct esp_params in = {.spi = k->spi_in,
				.algs = k->suite.cipher,
				.encr_key = k->encr_in,
				.integ_key = k->integ_in,
				.esn = k->suite.esn};
	struct esp_params out = {.spi = k->spi_out,
				 .algs = k->suite.cipher,
				 .encr_key = k->encr_out,
				 .integ_key = k->integ_out,
				 .esn = k->suite.esn};

	sim_say(s, "client: child in %08x out %08x%s", k->spi_in, k->spi_out,
		k->is_rekey ? " (rekey)" : "");
	*c = (struct sim_child){
		.there = true, .spi_in = k->spi_in, .spi_out = k->spi_out};
	sim_must(s, esp_sa_new(&in, &c->in) == OK);
	sim_must(s, esp_sa_new(&out, &c->out) == OK);
	s->c.sending = k->spi_in;
}

void end_client_child_del(struct sim *s, uint32_t spi_in)
{
	struct sim_child *c = child_place(s, s->c.children, spi_in);

	sim_say(s, "client: child in %08x gone", spi_in);
	if (c == NULL)
		sim_fail(s, "client deletes a Child SA it did not have");
	child_drop(c);
	if (s->c.sending != spi_in)
		return;
	s->c.sending = 0;
	for (size_t i = 0; i < SIM_CHILDREN_MAX; i++)
		if (s->c.children[i].there && !s->c.children[i].retired)
			s->c.sending = s->c.children[i].spi_in;
}

void end_client_data(struct sim *s)
{
	uint8_t room[ESP_HEADROOM + INNER_LEN + ESP_TAILROOM];
	struct esp_pkt pkt = {room + ESP_HEADROOM, INNER_LEN};
	struct addr dst = server_addr();
	struct sim_child *c;

	if (s->c.sending == 0)
		return;
	c = child_place(s, s->c.children, s->c.sending);
	make_packet(pkt.p, &s->c.net.inner_v4, &dst);
	sim_must(s, c != NULL && esp_seal(c->out, ESP_NEXT_IPV4, &pkt) == OK);
	s->sent_up++;
	if (s->c.sa != NULL)
		ike_sa_spoke(s->c.sa, s->now_ms);
	if (s->c.ses != NULL)
		session_spoke(s->c.ses, s->now_ms);
	sim_put(s, true, true, bytes(pkt.p, pkt.len), &s->c.path);
}

void end_client_esp(struct sim *s, struct esp_pkt *pkt)
{
	struct sim_child *c = child_place(
		s, s->c.children, esp_peek_spi(bytes(pkt->p, pkt->len)));
	uint8_t next;
	enum err e;

	if (c == NULL) {
		s->late_esp++;
		return;
	}
	e = esp_open(c->in, pkt, &next);
	if (e == ERR_REPLAY)
		return;
	if (e != OK)
		sim_fail(s, "client cannot open ESP: %s", err_text(e));
	if (!packet_whole(pkt))
		sim_fail(s, "client got another inner packet");
	s->got_down++;
	if (s->c.sa != NULL)
		ike_sa_heard(s->c.sa, s->now_ms);
	if (s->c.ses != NULL)
		session_heard(s->c.ses, s->now_ms);
}

enum err sim_verdict(const struct sim *s, const struct ike_action *a,
		     struct diag *diag)
{
	const struct ike_name *id = &a->u.ask_verify.id;

	if (id->len != s->gw_cfg.id.len ||
	    memcmp(id->b, s->gw_cfg.id.b, id->len) != 0 ||
	    a->u.ask_verify.n_certs == 0 ||
	    !bytes_eq(a->u.ask_verify.certs[0], s->cert))
		return ERR_UNTRUSTED;
	return sig_verify(a->u.ask_verify.certs[0],
			  (enum sig_method)a->u.ask_verify.method,
			  a->u.ask_verify.auth_data, a->u.ask_verify.octets, 3,
			  diag);
}
