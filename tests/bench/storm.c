/* vpn-storm: what a gateway pays when all its clients come at once.
 *
 *   vpn-storm [--clients N] [--rounds N] [--json]
 *
 * N client cores and one test gateway in one process, joined by a queue of
 * datagrams without loss or delay. First all connect with the full exchange,
 * then all are gone without a word and resume with their tickets. Timed is
 * the CPU time of the thread within the gateway and within the clients; the
 * network, system calls and ESP are not in it. The gateway's key is Ed25519;
 * its certificate chain is not verified here.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/ike/ike_sa.h"
#include "tests/gateway/gw.h"
#include "tests/sim/sim_keys.h"

#define TICKET_ROOM 2048

struct datagram {
	struct datagram *next;
	size_t client;
	bool to_gw;
	size_t len;
	uint8_t d[];
};

struct client {
	struct ike_sa *sa;
	struct ike_path path;
	bool up, resumed, has_ticket;
	struct ike_ticket ticket;
	uint8_t opaque[TICKET_ROOM];
};

struct storm {
	size_t n;
	struct client *clients;
	struct gw *gw;
	struct gw_config gw_cfg;
	struct ike_config cfg;
	struct gw_user user;
	struct secret psk, password;
	struct bytes cert;
	uint8_t *cert_buf;
	struct privkey *key;
	struct rng rng;
	int64_t now_ms;
	struct datagram *head, **tail;
	uint64_t gw_ns, client_ns, datagrams;
	size_t n_up;
};

/* One line of the result. */
struct row {
	const char *auth, *tickets, *what;
	double seconds;
	struct storm *s;
	unsigned done;
};

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "vpn-storm: %s\n", what);
	exit(1);
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static double wall_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* --- wire ---------------------------------------------------------------- */

static void put(struct storm *s, size_t client, bool to_gw, struct bytes d)
{
	struct datagram *p = malloc(sizeof(*p) + d.len);

	must(p != NULL, "no memory");
	*p = (struct datagram){.client = client, .to_gw = to_gw, .len = d.len};
	memcpy(p->d, d.p, d.len);
	*s->tail = p;
	s->tail = &p->next;
	s->datagrams++;
}

/* The port says which client it is. */
static struct ike_path path_of(size_t i)
{
	struct ike_path p = {
		.local = {.family = ADDR_V4,
			  .b = {192, 0, 2, (uint8_t)(1 + i / 50000)},
			  .port = (uint16_t)(10000 + i % 50000)},
		.remote = {.family = ADDR_V4,
			   .b = {203, 0, 113, 1},
			   .port = IKE_PORT_NATT}};

	return p;
}

static size_t client_at(const struct addr *a)
{
	return (size_t)(a->b[3] - 1) * 50000 + a->port - 10000u;
}

static void gw_pull(struct storm *s)
{
	struct gw_action a;

	while ((a = gw_next_action(s->gw)).kind != GW_DO_NOTHING)
		if (a.kind == GW_DO_SEND)
			put(s, client_at(&a.u.send.path.remote), false,
			    a.u.send.dgram);
}

/* --- clients ------------------------------------------------------------- */

static void keep_ticket(struct client *c, const struct ike_ticket *t)
{
	must(t->opaque.len <= sizeof(c->opaque), "the ticket is too long");
	memcpy(c->opaque, t->opaque.p, t->opaque.len);
	c->ticket = *t;
	c->ticket.opaque.p = c->opaque;
	c->has_ticket = true;
}

static void verify(struct storm *s, struct client *c,
		   const struct ike_action *a)
{
	struct diag diag = DIAG_INIT;
	enum err e = sig_verify(a->u.ask_verify.certs[0],
				(enum sig_method)a->u.ask_verify.method,
				a->u.ask_verify.auth_data,
				a->u.ask_verify.octets, 3, &diag);

	must(e == OK, "the gateway's signature is wrong");
	must(ike_sa_give_verdict(c->sa, OK, NULL, s->now_ms) == OK, "verdict");
}

static void client_pull(struct storm *s, size_t i)
{
	struct client *c = &s->clients[i];
	struct ike_action a;

	while ((a = ike_sa_next_action(c->sa)).kind != IKE_DO_NOTHING) {
		if (a.kind == IKE_DO_SEND)
			put(s, i, true, a.u.send.dgram);
		else if (a.kind == IKE_DO_ASK_SECRET)
			must(ike_sa_give_secret(c->sa,
						a.u.ask_secret.is_password
							? &s->password
							: &s->psk,
						s->now_ms) == OK,
			     "secret");
		else if (a.kind == IKE_DO_ASK_VERIFY)
			verify(s, c, &a);
		else if (a.kind == IKE_DO_TICKET)
			keep_ticket(c, a.u.ticket);
		else if (a.kind == IKE_DO_CLOSED)
			must(false, a.u.closed.detail);
		if (a.kind != IKE_DO_UP)
			continue;
		c->up = true;
		c->resumed = a.u.up.resumed;
		s->n_up++;
	}
}

static void client_start(struct storm *s, size_t i, bool resume)
{
	struct client *c = &s->clients[i];
	struct ike_name *id = &s->cfg.id_local;
	uint8_t seed[32];
	enum err e;

	id->type = ID_RFC822_ADDR;
	id->len = (uint16_t)snprintf((char *)id->b, sizeof(id->b),
				     "me%zu@example.org", i);
	c->up = false;
	c->path = path_of(i);
	rng_draw(&s->rng, seed, sizeof(seed));
	must(ike_sa_new(&s->cfg, seed, &c->sa) == OK, "ike_sa_new");
	if (resume) {
		must(c->has_ticket, "a client has no ticket");
		c->has_ticket = false;
		e = ike_sa_resume(c->sa, &c->ticket, &c->path, s->now_ms);
	} else {
		e = ike_sa_start(c->sa, &c->path, s->now_ms);
	}
	must(e == OK, "start");
	client_pull(s, i);
}

/* --- the storm ----------------------------------------------------------- */

static void deliver(struct storm *s)
{
	struct datagram *p = s->head;
	struct client *c = &s->clients[p->client];
	struct gw_path path = {c->path.remote, c->path.local};
	uint64_t start = cpu_ns();

	s->head = p->next;
	if (s->head == NULL)
		s->tail = &s->head;
	if (p->to_gw) {
		gw_input(s->gw, p->d, p->len, &path, s->now_ms);
		gw_pull(s);
		s->gw_ns += cpu_ns() - start;
	} else {
		must(ike_sa_input(c->sa, p->d, p->len, &c->path, s->now_ms) ==
			     OK,
		     "input");
		client_pull(s, p->client);
		s->client_ns += cpu_ns() - start;
	}
	free(p);
}

static void all_at_once(struct storm *s, bool resume)
{
	uint64_t start = cpu_ns();

	for (size_t i = 0; i < s->n; i++)
		client_start(s, i, resume);
	s->client_ns += cpu_ns() - start;
	while (s->head != NULL)
		deliver(s);
	for (size_t i = 0; i < s->n; i++) {
		must(s->clients[i].up, "a client is not connected");
		must(s->clients[i].resumed == resume,
		     "a client came up the other way");
	}
	/* Crashed; the gateway's timers have their turn. */
	for (size_t i = 0; i < s->n; i++)
		ike_sa_free(&s->clients[i].sa);
	s->now_ms += 1000;
	gw_timeout(s->gw, s->now_ms);
	gw_pull(s);
	while (s->head != NULL) {
		struct datagram *p = s->head;

		s->head = p->next;
		free(p);
	}
	s->tail = &s->head;
}

static void gateway_new(struct storm *s, bool by_value)
{
	uint8_t seed[32];

	s->gw_cfg.tickets = by_value ? GW_TICKETS_VALUE : GW_TICKETS_REF;
	rng_draw(&s->rng, seed, sizeof(seed));
	must(gw_new(&s->gw_cfg, seed, &s->gw) == OK, "gw_new");
}

static void configure(struct storm *s)
{
	struct gw_config *g = &s->gw_cfg;
	struct diag diag = DIAG_INIT;
	struct ike_config *c = &s->cfg;
	struct prefix all = {.addr = {.family = ADDR_V4}};
	size_t n;

	gw_config_default(g);
	g->id = (struct gw_id){ID_FQDN, 14, "gw.example.org"};
	must(secret_set(&s->psk, bytes_str("shared word")) == OK &&
		     secret_set(&s->password, bytes_str("open sesame")) == OK,
	     "secret");
	g->psk = &s->psk;
	s->user = (struct gw_user){"me", &s->password};
	g->users = &s->user;
	g->n_users = 1;
	must(cert_load(bytes_str(sim_gw_cert), &s->cert, 1, &n, &s->cert_buf,
		       &diag) == OK &&
		     privkey_load(bytes_str(sim_gw_key), BYTES_NONE, &s->key,
				  &diag) == OK,
	     "key");
	g->key = s->key;
	g->certs = &s->cert;
	g->n_certs = 1;
	must(prefix_parse("10.64.0.0/12", &g->pool4) == OK, "pool");
	ike_ts_from_prefix(&all, &g->ts.ts[g->ts.n++]);
	g->wall_offset_ms = INT64_C(1900000000000);
	g->lifetime_s = 3600;
	g->linger_ms = 0;
	c->id_remote = (struct ike_name){ID_FQDN, 14, "gw.example.org"};
	c->eap_user = (struct ike_name){0, 2, "me"};
	proposals_default(PROTO_IKE, &c->ike_proposals);
	proposals_default(PROTO_ESP, &c->esp_proposals);
	c->ts_local.n = c->ts_remote.n = 1;
	ike_ts_from_prefix(&all, &c->ts_local.ts[0]);
	ike_ts_from_prefix(&all, &c->ts_remote.ts[0]);
	c->want_ipv4 = c->want_dns = c->want_ticket = true;
	c->force_encap = c->fragmentation = true;
	c->max_datagram = 1200;
	c->rto_ms = 500;
	c->max_tries = 8;
}

/* --- result -------------------------------------------------------------- */

static void row_print(const struct row *r, bool json)
{
	double gw_us = (double)r->s->gw_ns / 1e3 / r->done;
	double cl_us = (double)r->s->client_ns / 1e3 / r->done;
	double dgrams = (double)r->s->datagrams / r->done;

	if (json)
		printf("{\"bench\": \"storm\", \"auth\": \"%s\", \"tickets\": "
		       "\"%s\", \"what\": \"%s\", \"clients\": %zu, "
		       "\"done\": %u, \"per_s\": %.0f, \"gateway_per_s\": "
		       "%.0f, \"gateway_cpu_us\": %.1f, \"client_cpu_us\": "
		       "%.1f, \"datagrams\": %.1f}\n",
		       r->auth, r->tickets, r->what, r->s->n, r->done,
		       r->done / r->seconds, 1e6 / gw_us, gw_us, cl_us, dgrams);
	else
		printf("%-5s %-6s %-7s %9.0f %14.0f %12.1f %11.1f %10.1f\n",
		       r->auth, r->tickets, r->what, r->done / r->seconds,
		       1e6 / gw_us, gw_us, cl_us, dgrams);
}

static void measure(struct storm *s, struct row *r, unsigned rounds, bool json)
{
	bool resume = strcmp(r->what, "resume") == 0;
	double start;

	s->gw_ns = s->client_ns = s->datagrams = 0;
	start = wall_s();
	for (unsigned k = 0; k < rounds; k++)
		all_at_once(s, resume);
	r->seconds = wall_s() - start;
	r->done = rounds * (unsigned)s->n;
	row_print(r, json);
}

static void storm(struct storm *s, unsigned rounds, bool json)
{
	if (!json)
		printf("%zu clients at once, %u times; one process, one core\n"
		       "auth  ticket what    clients/s  gateway alone/s  "
		       "gateway us   client us  datagrams\n",
		       s->n, rounds);
	for (int eap = 0; eap < 2; eap++) {
		for (int by_value = 1; by_value >= 0; by_value--) {
			struct row r = {.auth = eap ? "EAP" : "PSK",
					.tickets = by_value ? "value" : "ref",
					.s = s};

			s->cfg.auth =
				eap ? IKE_AUTH_EAP_MSCHAPV2 : IKE_AUTH_PSK;
			gateway_new(s, by_value);
			r.what = "full";
			measure(s, &r, rounds, json);
			r.what = "resume";
			measure(s, &r, rounds, json);
			gw_free(&s->gw);
		}
	}
}

static void usage(void)
{
	fprintf(stderr, "usage: vpn-storm [--clients N] [--rounds N] "
			"[--json]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	static struct storm s;
	struct diag diag = DIAG_INIT;
	unsigned rounds = 3;
	bool json = false;
	uint8_t seed[32] = {1};

	s.n = 1000;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--clients") == 0 && i + 1 < argc)
			s.n = strtoul(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--rounds") == 0 && i + 1 < argc)
			rounds = (unsigned)strtoul(argv[++i], NULL, 10);
		else
			usage();
	}
	if (s.n == 0 || s.n > 100000 || rounds == 0)
		usage();
	must(crypto_open(&diag) == OK, "crypto_open");
	rng_seed(&s.rng, seed);
	s.tail = &s.head;
	s.now_ms = 1000;
	s.clients = calloc(s.n, sizeof(*s.clients));
	must(s.clients != NULL, "no memory");
	configure(&s);
	storm(&s, rounds, json);
	free(s.clients);
	free(s.cert_buf);
	privkey_free(&s.key);
	crypto_close();
	return 0;
}
