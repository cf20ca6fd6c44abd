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
	uint64_t connected, refused;   /* how stories ended */
	uint64_t calm, calm_nights;    /* stories whose ticket lives */
	uint64_t calm_prompts;	       /* of them, but for the first */
	uint64_t idle_h, idle_h_wakes; /* behind a NAT, unused */
	uint64_t idle_h_keepalives;
	uint64_t attacked, forged;
	uint64_t attacked_prompts; /* of them, but for the first */
	uint64_t accepted_prompts; /* the same, of a forged nonce */
	uint64_t unlucky; /* a question, as the link lost a whole attempt */
	uint64_t wakes, idle_wakes, datagrams, virtual_ms;
	uint64_t nights; /* suspends, sleeps, reboots, kills and roams */
};

/* What somebody on the path answers before the gateway does; NONE: nothing. */
#define SES_ATTACK_LIST(X)                                                     \
	X(NONE)                                                                \
	X(NACK)                                                                \
	X(COOKIE)                                                              \
	X(NO_PROPOSAL)                                                         \
	X(SYNTAX)                                                              \
	X(GROUP)                                                               \
	X(REDIRECT)                                                            \
	X(VERSION)                                                             \
	X(ACCEPT)                                                              \
	X(MIX)
enum ses_attack {
#define X(name) SES_ATTACK_##name,
	SES_ATTACK_LIST(X)
#undef X
};

struct ses {
	struct sim sim; /* must be first; sim.c.ses stays NULL */
	struct session_config cfg;
	struct session *session;
	struct ses_totals *totals;
	/* the machine */
	int64_t boot_at_ms;   /* when its boot clock was 0 */
	int64_t wall_skew_ms; /* of its wall clock */
	bool asleep, no_path, v6;
	/* the gateway's manners that stay */
	struct gw_switches born;
	enum ses_attack attack;
	unsigned n_forged;
	/* the store, and what was taken out of it */
	struct ses_entry store, taken;
	bool taken_presented;	 /* an IKE_AUTH left with it */
	uint64_t refused_before; /* AUTHs the gateway had refused then */
	uint64_t resume_spi;	 /* of the attempt that presents it */
	uint8_t gone[SES_GONE_MAX][32];
	size_t n_gone;
	/* the person */
	bool has_secret; /* in the memory of the process */
	bool forgets;	 /* the process keeps none */
	unsigned slow_ms;
	int64_t answer_at_ms; /* of an open question; or INT64_MAX */
	bool answer_password;
	unsigned prompts;
	/* how it is */
	enum session_state state;
	bool closed, verified, secret_left;
	bool asks_len; /* how long a packet the path takes */
	enum err why;
	/* since when things are as a good gateway on a good network */
	int64_t dark_ms;   /* last moment with a cut or silent link */
	int64_t unkind_ms; /* last moment with a gateway that refuses */
	int64_t woke_ms;   /* last end of a sleep */
	int64_t resume_ms; /* last IKE_SESSION_RESUME */
	int64_t full_ms;   /* last IKE_SA_INIT */
	int64_t up_ms;	   /* of the session's last report */
	unsigned wakes, idle_wakes, actions, keepalives;
};

/* --- ses_client.c: the machine with its client --------------------------- */
void ses_start(struct ses *x);
/* Closes and stores what may be stored; the process ends. */
void ses_suspend(struct ses *x);
/* The process ends without a word. */
void ses_kill(struct ses *x);
/* The boot clock starts anew. */
void ses_boot(struct ses *x);
/* Its clocks go on, but for the one that does not count sleep; nobody hears
 * or sends. */
void ses_sleep(struct ses *x, int64_t ms);
void ses_path_lost(struct ses *x);
void ses_path_new(struct ses *x, bool same);
/* The router forgets and maps anew, where there is one that does NAT. */
void ses_nat_rebinds(struct ses *x);
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

/* --- ses_attack.c -------------------------------------------------------- */
typedef void ses_story(struct ses *x);
ses_story ses_story_lies, ses_story_attack;
/* Answers what the client sends, as x->attack says. */
void ses_attack(struct ses *x, const struct ike_msg *msg);

/* --- ses_calm.c: the ticket lives, and the link is a good one ------------ */
ses_story ses_story_calm, ses_story_idle;
/* After ses_config: the password is asked for each time, the ticket outlives
 * the story, nothing is lost. */
void ses_calm_config(struct ses *x);
/* Waits till it is up, and somewhat longer; closed is a failure. */
void ses_calm_up(struct ses *x);
/* One suspend, sleep, reboot or roam, until it is up again. */
void ses_calm_night(struct ses *x);

/* --- ses_story.c --------------------------------------------------------- */
/* Two resumptions and a full exchange without any answer, the longest wait
 * between attempts, and the liveness checks before. */
#define SES_BACK_MS   1200000
#define SES_SETTLE_MS 600000
#define SES_HOUR_MS   INT64_C(3600000)

ses_story ses_story_day;
/* A gateway and a profile, of all kinds; the gateway runs. */
void ses_config(struct ses *x);
/* Remembers refusals: a question after one is no fault. */
void ses_note_manners(struct ses *x);
/* Short ones as often as long ones. */
int64_t ses_some_ms(struct ses *x, int64_t max_ms);
/* Up, or closed. */
bool ses_rests(struct sim *s);
/* Down, or a closed session, is no connection: waits till it is settled. */
void ses_check_connected(struct ses *x);
/* Timers that bring nothing are few. */
void ses_check_wakes(struct ses *x);

#endif
