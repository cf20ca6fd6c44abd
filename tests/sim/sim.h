/* Simulation: the client's core (or its session) and the test gateway, joined
 * by a bad link, in virtual time. Everything hangs on one seed. */
#ifndef TESTS_SIM_SIM_H
#define TESTS_SIM_SIM_H

#include <setjmp.h>

#include "client/session/session.h"
#include "tests/gateway/plane.h"

#define SIM_TICKET_ROOM	 4096
#define SIM_SPENT_MAX	 512
#define SIM_CHILDREN_MAX 16

/* Percentages and milliseconds, for each direction. */
struct sim_link {
	unsigned loss, dup, reorder;
	unsigned damage; /* one bit, of a protected IKE message */
	unsigned delay_ms, jitter_ms;
	size_t takes; /* octets of a datagram; 0: any */
	bool cut;
};

struct sim_packet {
	struct sim_packet *next;
	int64_t at_ms;
	bool to_gw, esp;
	struct ike_path path; /* as the client sees it */
	size_t len;
	uint8_t d[]; /* ESP_HEADROOM before, ESP_TAILROOM behind */
};

/* A Child SA as one end knows it. */
struct sim_child {
	bool there, retired; /* of an IKE SA before: receives only */
	uint32_t spi_in, spi_out;
	struct esp_sa *in, *out; /* of the client only */
};

struct sim_client {
	bool by_session;
	struct session_config cfg; /* cfg.ike for the core alone */
	struct ike_sa *sa;
	struct session *ses;
	struct ike_path path, before; /* before: until a move is through */
	bool moving;
	/* what the store has, and what was taken out */
	bool have_ticket, taken;
	struct ike_ticket ticket;
	uint8_t opaque[SIM_TICKET_ROOM];
	int64_t expires_ms;    /* of the ticket in the store */
	uint8_t presented[32]; /* hash of the ticket last presented */
	bool presenting;       /* the newest attempt is a resumption */
	uint8_t spent[SIM_SPENT_MAX][32];
	size_t n_spent;
	/* how it is */
	bool up, closed, resumed, verified, password_given;
	bool auth_sent;
	enum err why;
	char detail[320];
	struct ike_netconf net;
	struct sim_child children[SIM_CHILDREN_MAX];
	uint32_t sending; /* spi_in of the one we send on */
	unsigned ups;
};

struct sim {
	uint64_t seed;
	const char *program, *story;
	bool verbose;
	jmp_buf out; /* failure leaves through here */
	struct rng rng;
	int64_t now_ms, start_ms;
	struct sim_link link;
	uint16_t nat; /* a router adds that to the client's port */
	struct sim_packet *wire;
	size_t n_wire;
	struct gw_config gw_cfg;
	struct gw *gw;
	struct plane *plane;
	struct sim_child gw_children[SIM_CHILDREN_MAX];
	struct gw_user user;
	struct secret psk, password;
	struct bytes cert;
	uint8_t *cert_buf;
	struct privkey *key;
	struct sim_client c;
	/* data that went in and came out */
	uint64_t sent_up, got_up, sent_down, got_down;
	uint64_t late_esp;   /* of an SA that is gone */
	bool tickets_denied; /* the gateway was told to be mean with them */
	/* guards */
	unsigned same_time;
	unsigned burst;
	int64_t burst_at_ms;
	uint8_t trace[32]; /* hash over every datagram */
	uint64_t n_datagrams;
};

/* --- sim.c: time and wire ------------------------------------------------ */
void sim_open(struct sim *s, uint64_t seed, const char *story, bool verbose);
/* Fills gw_cfg with a gateway that serves PSK and EAP; needs crypto_open. */
void sim_gateway_config(struct sim *s);
void sim_close(struct sim *s);
uint32_t sim_random(struct sim *s, uint32_t below);
bool sim_chance(struct sim *s, unsigned percent);
void sim_say(struct sim *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void sim_fail(struct sim *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));
#define sim_must(s, cond)                                                      \
	do {                                                                   \
		if (!(cond))                                                   \
			sim_fail(s, "%s:%d: %s", __FILE__, __LINE__, #cond);   \
	} while (0)
void sim_put(struct sim *s, bool to_gw, bool esp, struct bytes d,
	     const struct ike_path *path);
/* Somebody on the path writes to the client. */
void sim_inject(struct sim *s, struct bytes d, const struct ike_path *path,
		unsigned delay_ms);
/* Lets ms pass, or less when cond becomes true. */
void sim_run(struct sim *s, int64_t ms);
bool sim_run_until(struct sim *s, bool (*cond)(struct sim *s), int64_t ms);
void sim_clean_link(struct sim *s);

/* --- ends.c, client.c: the gateway, and the client's actions ------------- */
void end_gw_start(struct sim *s); /* a new one, with config */
void end_gw_restart(struct sim *s, bool keep_tickets);
void end_gw_pull(struct sim *s);
void end_gw_input(struct sim *s, struct sim_packet *p);
void end_gw_data(struct sim *s);
void end_client_init(struct sim *s);
/* What a client that knows the gateway makes of its proof. */
enum err sim_verdict(const struct sim *s, const struct ike_action *a,
		     struct diag *diag);
void end_client_free(struct sim *s); /* silently: suspend of the core */
void end_client_full(struct sim *s);
void end_client_resume(struct sim *s); /* takes the stored ticket */
void end_client_move(struct sim *s);   /* to another address */
void end_client_session(struct sim *s);
void end_client_pull(struct sim *s);
void end_client_input(struct sim *s, struct sim_packet *p);
int64_t end_client_deadline(const struct sim *s);
void end_client_timeout(struct sim *s);
void end_client_data(struct sim *s);
void end_client_child_add(struct sim *s, const struct ike_child_sa *k);
void end_client_child_del(struct sim *s, uint32_t spi_in);
void end_client_children_drop(struct sim *s);
/* A new IKE SA came up: the Child SAs of the one before only receive. */
void end_client_children_retire(struct sim *s);
void end_client_esp(struct sim *s, struct esp_pkt *pkt);
size_t end_children(const struct sim_child *list);

/* --- check.c: what must hold --------------------------------------------- */
/* Connected, both ends agree, data flows both ways; nothing left over. */
void check_connected(struct sim *s);
/* Closed for a reason that the circumstances explain. */
void check_closed_by_link(struct sim *s);
void check_wire_to_gw(struct sim *s, struct bytes d);
bool cond_up(struct sim *s);
bool cond_closed(struct sim *s);
bool cond_up_or_closed(struct sim *s);

/* --- stories ------------------------------------------------------------- */
typedef void sim_story(struct sim *s);
sim_story story_clean, story_lossy, story_collide, story_session, story_evil,
	story_refuse, story_crowd;
void story_config(struct sim *s);
void story_bad_link(struct sim *s);

#endif
