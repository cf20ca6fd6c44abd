/* Time, chance and the wire between the two ends. */
#include "tests/sim/sim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/sim/sim_keys.h"

#define T0_MS	      INT64_C(1000000)
#define WALL_MS	      INT64_C(1900000000000)
#define SAME_TIME_MAX 5000
#define BURST_MAX     400 /* IKE datagrams in a second, both ways */
#define WIRE_MAX      5000

/* --- chance -------------------------------------------------------------- */

uint32_t sim_random(struct sim *s, uint32_t below)
{
	uint32_t r;

	rng_draw(&s->rng, &r, sizeof(r));
	return below == 0 ? 0 : r % below;
}

bool sim_chance(struct sim *s, unsigned percent)
{
	return sim_random(s, 100) < percent;
}

/* --- talk ---------------------------------------------------------------- */

void sim_say(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	if (!s->verbose)
		return;
	printf("%9.3f  ", (double)(s->now_ms - s->start_ms) / 1000);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

void sim_fail(struct sim *s, const char *fmt, ...)
{
	va_list ap;

	printf("FAIL %s seed %llu at %.3f s: ", s->story,
	       (unsigned long long)s->seed,
	       (double)(s->now_ms - s->start_ms) / 1000);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n     replay: %s --story %s --seed %llu --verbose\n",
	       s->program, s->story, (unsigned long long)s->seed);
	fflush(stdout);
	longjmp(s->out, 1);
}

/* --- open and close ------------------------------------------------------ */

void sim_gateway_config(struct sim *s)
{
	struct gw_config *g = &s->gw_cfg;
	struct diag diag = DIAG_INIT;
	struct prefix p;
	size_t n;

	gw_config_default(g);
	g->id.type = ID_FQDN;
	g->id.len = 14;
	memcpy(g->id.b, "gw.example.org", 14);
	sim_must(s, secret_set(&s->psk, bytes_str("shared word")) == OK);
	sim_must(s, secret_set(&s->password, bytes_str("open sesame")) == OK);
	g->psk = &s->psk;
	s->user = (struct gw_user){"me", &s->password};
	g->users = &s->user;
	g->n_users = 1;
	sim_must(s, cert_load(bytes_str(sim_gw_cert), &s->cert, 1, &n,
			      &s->cert_buf, &diag) == OK);
	sim_must(s, privkey_load(bytes_str(sim_gw_key), BYTES_NONE, &s->key,
				 &diag) == OK);
	g->key = s->key;
	g->certs = &s->cert;
	g->n_certs = 1;
	sim_must(s, prefix_parse("10.77.0.0/24", &g->pool4) == OK);
	sim_must(s, prefix_parse("fd00:77::/112", &g->pool6) == OK);
	sim_must(s, prefix_parse("10.9.0.0/24", &p) == OK);
	ike_ts_from_prefix(&p, &g->ts.ts[g->ts.n++]);
	sim_must(s, prefix_parse("2001:db8:9::/64", &p) == OK);
	ike_ts_from_prefix(&p, &g->ts.ts[g->ts.n++]);
	sim_must(s, addr_parse("10.9.0.53", &g->dns[g->n_dns++]) == OK);
	g->wall_offset_ms = WALL_MS - T0_MS;
	g->dpd_ms = 20000;
	g->linger_ms = 15000; /* less than the stories wait */
}

void sim_open(struct sim *s, uint64_t seed, const char *story, bool verbose)
{
	uint8_t key[32] = {0};
	struct wr w = wr_open(key, sizeof(key));
	struct bytes name = bytes_str(story);

	memset(s, 0, sizeof(*s));
	s->seed = seed;
	s->program = "sim";
	s->story = story;
	s->verbose = verbose;
	s->now_ms = s->start_ms = T0_MS;
	wr_u64(&w, seed);
	wr_bytes(&w, bytes(name.p, name.len < 20 ? name.len : 20));
	rng_seed(&s->rng, key);
	s->link.delay_ms = 20;
}

void sim_close(struct sim *s)
{
	end_client_free(s);
	gw_free(&s->gw);
	plane_free(&s->plane);
	while (s->wire != NULL) {
		struct sim_packet *p = s->wire;

		s->wire = p->next;
		free(p);
	}
	privkey_free(&s->key);
	free(s->cert_buf);
}

/* --- the wire ------------------------------------------------------------ */

static void insert(struct sim *s, struct sim_packet *p)
{
	struct sim_packet **at = &s->wire;

	while (*at != NULL && (*at)->at_ms <= p->at_ms)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
	if (++s->n_wire > WIRE_MAX)
		sim_fail(s, "more than %d datagrams on the wire", WIRE_MAX);
}

static struct sim_packet *packet(bool to_gw, bool esp, struct bytes d,
				 const struct ike_path *path)
{
	struct sim_packet *p =
		calloc(1, sizeof(*p) + ESP_HEADROOM + d.len + ESP_TAILROOM);

	if (p == NULL)
		abort();
	p->to_gw = to_gw;
	p->esp = esp;
	p->path = *path;
	p->len = d.len;
	memcpy(p->d + ESP_HEADROOM, d.p, d.len);
	return p;
}

static void put_one(struct sim *s, bool to_gw, bool esp, struct bytes d,
		    const struct ike_path *path)
{
	struct sim_packet *p = packet(to_gw, esp, d, path);
	unsigned delay = s->link.delay_ms;

	if (s->link.jitter_ms > 0)
		delay += sim_random(s, s->link.jitter_ms);
	/* Held back so long that later ones overtake it. */
	if (sim_chance(s, s->link.reorder))
		delay += 1 + sim_random(s, 3 * s->link.delay_ms + 50);
	p->at_ms = s->now_ms + delay;
	/* What is signed only later must arrive whole: there a flipped bit
	 * rightly ends the attempt. */
	if (!esp && d.p[18] != IKE_SA_INIT && d.p[18] != IKE_SESSION_RESUME &&
	    sim_chance(s, s->link.damage))
		p->d[ESP_HEADROOM + sim_random(s, (uint32_t)d.len)] ^=
			(uint8_t)(1u << sim_random(s, 8));
	insert(s, p);
}

void sim_inject(struct sim *s, struct bytes d, const struct ike_path *path,
		unsigned delay_ms)
{
	struct sim_packet *p = packet(false, false, d, path);

	p->at_ms = s->now_ms + delay_ms;
	insert(s, p);
}

static void guard_burst(struct sim *s)
{
	if (s->now_ms - s->burst_at_ms >= 1000) {
		s->burst_at_ms = s->now_ms;
		s->burst = 0;
	}
	if (++s->burst > BURST_MAX)
		sim_fail(s, "more than %d IKE datagrams in a second",
			 BURST_MAX);
}

void sim_put(struct sim *s, bool to_gw, bool esp, struct bytes d,
	     const struct ike_path *path)
{
	struct bytes parts[2] = {BYTES_OF(s->trace), d};

	if (crypto_hash(HASH_SHA2_256, parts, 2, s->trace) != OK)
		sim_fail(s, "hash");
	s->n_datagrams++;
	if (!esp) {
		guard_burst(s);
		sim_say(s, "%s exchange %u %s id %u, %zu octets",
			to_gw ? "client -> gateway" : "gateway -> client",
			d.p[18], d.p[19] & IKE_FLAG_RESPONSE ? "answer" : "ask",
			d.p[23], d.len);
	}
	if (to_gw && !esp)
		check_wire_to_gw(s, d);
	if (s->link.cut || (s->link.takes && d.len > s->link.takes) ||
	    sim_chance(s, s->link.loss))
		return;
	put_one(s, to_gw, esp, d, path);
	if (sim_chance(s, s->link.dup))
		put_one(s, to_gw, esp, d, path);
}

void sim_clean_link(struct sim *s)
{
	s->link.loss = s->link.dup = s->link.reorder = 0;
	s->link.damage = 0;
	s->link.cut = false;
}

/* --- time ---------------------------------------------------------------- */

static int64_t min64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void deliver(struct sim *s)
{
	struct sim_packet *p = s->wire;

	s->wire = p->next;
	s->n_wire--;
	if (p->to_gw)
		end_gw_input(s, p);
	else
		end_client_input(s, p);
	free(p);
}

/* One event, not later than until; false: nothing more. */
static bool step(struct sim *s, int64_t until)
{
	int64_t wire = s->wire != NULL ? s->wire->at_ms : INT64_MAX;
	int64_t gw = gw_next_deadline(s->gw);
	int64_t cl = end_client_deadline(s);
	int64_t next = min64(wire, min64(gw, cl));

	if (next > until) {
		s->now_ms = until;
		return false;
	}
	if (next > s->now_ms) {
		s->now_ms = next;
		s->same_time = 0;
	} else if (++s->same_time > SAME_TIME_MAX) {
		sim_fail(s,
			 "time stands still (wire %lld, gateway %lld, "
			 "client %lld)",
			 (long long)wire, (long long)gw, (long long)cl);
	}
	if (wire <= s->now_ms) {
		deliver(s);
	} else if (cl <= s->now_ms) {
		end_client_timeout(s);
	} else {
		gw_timeout(s->gw, s->now_ms);
		end_gw_pull(s);
	}
	return true;
}

void sim_run(struct sim *s, int64_t ms)
{
	int64_t until = s->now_ms + ms;

	while (step(s, until))
		;
}

bool sim_run_until(struct sim *s, bool (*cond)(struct sim *s), int64_t ms)
{
	int64_t until = s->now_ms + ms;

	while (!cond(s))
		if (!step(s, until))
			return cond(s);
	return true;
}
