/* Simulation of a whole session: what a person sees of the client over days
 * of sleep, reboots, roaming and gateways that come and go, in virtual time.
 *
 * The wire, the gateway and the Child SAs are those of sim.c and ends.c; the
 * client's end (end_client_*) is here: a session, the ticket store with the
 * rules of client/store/cache.h, a person, and a machine that may sleep.
 */
#ifndef TESTS_SIM_SES_H
#define TESTS_SIM_SES_H

#include "tests/sim/sim.h"

#define SES_GONE_MAX 512

/* What the disk has: client/store/cache.h in memory. */
struct ses_entry {
	bool there;
	struct ike_ticket ticket; /* opaque: into buf */
	uint8_t buf[SIM_TICKET_ROOM];
	int64_t stored_wall_ms, expires_wall_ms, stored_boot_ms;
};

/* Counted over all stories of a run. */
struct ses_totals {
	uint64_t played, failed, ups, resumed, prompts;
	uint64_t unlucky; /* a question, as the link lost a whole attempt */
	uint64_t wakes, idle_wakes, datagrams, virtual_ms;
	uint64_t nights; /* suspends, sleeps, reboots, kills and roams */
};

struct ses {
	struct sim sim; /* must be first; sim.c.ses stays NULL */
	struct session_config cfg;
	struct session *session;
	struct ses_totals *totals;
	/* the machine */
	int64_t boot_at_ms;   /* when its boot clock was 0 */
	int64_t wall_skew_ms; /* of its wall clock */
	bool asleep, no_path;
	/* the store, and what was taken out of it */
	struct ses_entry store, taken;
	bool taken_presented; /* an IKE_AUTH left with it */
	uint64_t resume_spi;  /* of the attempt that presents it */
	uint8_t gone[SES_GONE_MAX][32];
	size_t n_gone;
	/* the person */
	bool has_secret; /* in the memory of the process */
	unsigned slow_ms;
	int64_t answer_at_ms; /* of an open question; or INT64_MAX */
	bool answer_password;
	unsigned prompts;
	/* how it is */
	enum session_state state;
	bool closed, verified, secret_left;
	enum err why;
	/* since when things are as a good gateway on a good network */
	int64_t dark_ms;   /* last moment with a cut or silent link */
	int64_t unkind_ms; /* last moment with a gateway that refuses */
	int64_t woke_ms;   /* last end of a sleep */
	int64_t resume_ms; /* last IKE_SESSION_RESUME */
	int64_t full_ms;   /* last IKE_SA_INIT */
	unsigned wakes, idle_wakes, actions;
};

/* --- ses_client.c: the machine with its client --------------------------- */
void ses_start(struct ses *x);
/* Closes and stores what may be stored; the process ends. */
void ses_suspend(struct ses *x);
/* The process ends without a word. */
void ses_kill(struct ses *x);
/* The boot clock starts anew. */
void ses_boot(struct ses *x);
void ses_sleep(struct ses *x, int64_t ms);
void ses_path_lost(struct ses *x);
void ses_path_new(struct ses *x, bool same);
void ses_down(struct ses *x);
void ses_data(struct ses *x);
int64_t ses_now(const struct ses *x); /* its boot clock */

/* --- ses_store.c: the store, and what must hold of tickets --------------- */
void ses_store_put(struct ses *x, const struct ike_ticket *t);
/* NULL: none, or expired. */
const struct ike_ticket *ses_store_take(struct ses *x);
void ses_store_void(struct ses *x);
/* A person is about to be asked: may that be? */
void ses_check_question(struct ses *x);

/* --- ses_story.c --------------------------------------------------------- */
typedef void ses_story(struct ses *x);
/* Remembers refusals: a question after one is no fault. */
void ses_note_manners(struct ses *x);
ses_story ses_story_day, ses_story_lies, ses_story_idle;
/* Down, or a closed session, is no connection: waits till it is settled. */
void ses_check_connected(struct ses *x);

#endif
