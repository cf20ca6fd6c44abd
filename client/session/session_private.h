/* The inside of a session, shared by session.c, ladder.c and renewal.c. */
#ifndef CLIENT_SESSION_SESSION_PRIVATE_H
#define CLIENT_SESSION_SESSION_PRIVATE_H

#include "client/session/session.h"
#include "platform/base/log.h"

#define SESSION_QUEUE_MAX  16
#define SESSION_NEVER	   INT64_MAX
#define SESSION_OTHERS_MAX 15

/* A ticket taken from the store: in memory only, until it is spent, put back
 * or proven useless. */
struct held_ticket {
	bool here;
	uint8_t tries;
	bool returned;	 /* the store has it again; wiped by the next verb */
	bool refused;	 /* by an unprotected message: a hint, not a proof */
	bool other_form; /* its AUTH was refused in the first one */
	uint8_t alive;	 /* times the gateway answered a full exchange since */
	struct ike_ticket ticket;
	uint8_t *opaque;
	int64_t since_ms; /* ticket.lifetime_s counts from then */
};

enum renewal_rung {
	RUNG_REST = 0, /* a ticket is stored, its renewal is planned */
	RUNG_ASK,
	RUNG_RESUME,
	RUNG_REKEY,
	RUNG_REAUTH,
	RUNG_STOPPED
};

struct session {
	struct session_config cfg;
	struct rng rng;
	struct ike_sa *live;  /* carries the tunnel */
	struct ike_sa *trial; /* on its way up, beside live or alone */
	bool trial_resumes;
	bool doubted;	     /* a full exchange failed by a COOKIE, perhaps */
	struct ike_sa *late; /* presents a ticket that a hint refused */
	struct ike_sa *past; /* was replaced; deletes itself at the gateway */
	int64_t refused_at_ms;
	struct ike_action question; /* of the trial, put off for it */
	int64_t ask_at_ms;
	struct ike_sa *asking; /* whose question is open; live or trial */
	struct ike_path path;
	struct ike_path others[SESSION_OTHERS_MAX]; /* in the same race */
	size_t n_others;
	struct held_ticket held;
	const struct ike_ticket *early_ticket; /* came before UP; the SA's */
	struct session_report report;
	struct keepalive keepalive;
	bool early_later; /* before UP: the gateway promised one for later */
	bool asked_path, asked_ticket;
	bool frozen;	/* no path: the SA is kept and waits */
	bool following; /* a path is asked for, for the trial as it is */
	bool followed;	/* it goes on over another path than it began */
	/* The living SA is on its way to another path. */
	bool moving;
	struct ike_stats before; /* the SA's, when that began */
	/* The machine slept since the SA was last heard of. */
	bool doubtful;
	/* Woken: the living SA is asked, on the path it stands on; moving is
	 * true as well. What the report said before. */
	bool checking;
	struct ike_stats kept_connect;
	int64_t kept_started_ms;
	bool ticket_only; /* the hedge is at once, but not a full exchange */
	int64_t hedge_at_ms;
	int64_t full_at_ms; /* no full exchange beside it before */
	uint32_t retry_ms;
	int64_t retry_at_ms;
	enum renewal_rung rung;
	bool ticket_voided;	/* by a rekey; no other came yet */
	uint32_t renew_wait_ms; /* back-off of RENEWAL_REQUEST */
	int64_t ticket_expires_ms;
	int64_t live_since_ms;	   /* its authentication */
	int64_t reauth_after_ms;   /* the last try was just before */
	int64_t sleep_renew_at_ms; /* from then on before a sleep; 0: never */
	int64_t now_ms;		   /* of the verb that runs */
	uint8_t redirects;	   /* followed since */
	int64_t redirects_since_ms;
	struct session_action queue[SESSION_QUEUE_MAX];
	size_t queue_head, queue_len;
};

/* session.c */
/* Every verb begins so. */
void session_verb_begin(struct session *s, int64_t now_ms);
void session_push(struct session *s, enum session_action_kind kind);
void session_push_ticket(struct session *s, const struct ike_ticket *ticket);
void session_push_ike(struct session *s, const struct ike_action *a);
void session_set_state(struct session *s, enum session_state to,
		       const char *why);
void session_note(struct session *s, enum err why, const char *detail);
void session_finish(struct session *s, enum err why, const char *detail);

/* offer.c */
/* A new race: what was offered in the one before is over. */
void offer_clear(struct session *s);
/* The trial has begun: it races as the one before did. */
void offer_go_on(struct session *s);
/* The SA was spoken to: where its answer decided, the session follows. */
void offer_settle(struct session *s, const struct ike_sa *sa);

/* ladder.c: attempts, fall-backs, paths. */
enum err ERR_MUST held_set(struct session *s, const struct ike_ticket *t);
void held_wipe(struct held_ticket *h);
/* Back to the store: only where it is certain that no IKE_AUTH was sent. */
void held_return(struct session *s);
/* The living SA brought another ticket, or voided the one before: what an
 * attempt beside it holds neither helps nor goes back to the store. */
void held_superseded(struct session *s);
void ladder_ask_path(struct session *s);
/* One attempt, with the ticket in hand where it may still help. */
void ladder_begin(struct session *s);
/* The full exchange needs a person, and the ticket was not answered: once
 * more with it, as the gateway is there now. False: a person must help. */
bool ladder_spares_person(struct session *s, const struct ike_sa *from);
/* The trial or the living SA said so. */
void ladder_up(struct session *s, const struct ike_action *a);
void ladder_closed(struct session *s, bool is_live, const struct ike_action *a);
void ladder_wait(struct session *s, enum session_state state, enum err why);
/* An IKE_AUTH with the ticket in hand has left. */
bool ladder_presented(const struct session *s);

/* The trial began to prove who we are: the gateway may be about to replace
 * other SAs by it, for the ticket (RFC 5723 5) or for INITIAL_CONTACT. */
bool attempt_sent_auth(const struct session *s);

/* follow.c */
/* The trial goes on over the path that there is now. */
void follow(struct session *s);
/* Another path. False: nothing of the attempt need be saved. */
bool follow_begin(struct session *s);
/* False: it was not asked for by follow_begin. path NULL: there is none. */
bool follow_give_path(struct session *s, const struct ike_path *path);
/* What came of it has to move. */
bool follow_is_due(const struct session *s);

/* late.c */
/* The trial's ticket was refused by an unprotected message. */
void late_begin(struct session *s, const struct ike_action *a);
/* True: what the trial asks is asked later, at ask_at_ms, or never. */
bool late_defers_question(struct session *s, const struct ike_sa *from,
			  const struct ike_action *a);
/* ask_at_ms has come. */
void late_ask(struct session *s);
/* It took a datagram in. */
void late_answered(struct session *s);
/* Whatever is on its way up is dropped. */
void attempts_drop(struct session *s);

/* Another path for the living SA, or another SA over it. */
void ladder_path_moved(struct session *s);
/* The living SA is of no use any more. */
void ladder_lost(struct session *s, enum err why);

/* move.c */
/* Another path for the living SA. False: it cannot move. */
bool move_begin(struct session *s);
/* path NULL: there is none now. */
void move_give_path(struct session *s, const struct ike_path *path);
void move_lost_path(struct session *s);
/* Does what the monitor saw call for a (new) move? */
bool move_needs_path(const struct session *s, bool same);
/* If there is no answer on the new path until then, the ladder beside it. */
void move_hedge_later(struct session *s);
/* The same, and where the SA is in doubt the ticket at once. */
void move_hedge_plan(struct session *s);
/* hedge_at_ms has come. */
void move_hedge(struct session *s);
void move_done(struct session *s, bool ok, bool behind_nat);
void move_forget(struct session *s);
/* The living SA won: what was beside it goes, where that harms nobody. */
void move_over(struct session *s);

/* wake.c */
void wake_check(struct session *s);
/* The living SA answered. */
void wake_alive(struct session *s);

/* quiet.c */
/* An SA lives on a path: what is known of its NAT holds. */
void quiet_begin(struct session *s);
void quiet_sent(struct session *s);  /* a packet of the living SA leaves */
void quiet_heard(struct session *s); /* one of the gateway's came for it */
void quiet_data(struct session *s, bool ours, int64_t at_ms);
void quiet_checked(struct session *s, enum ike_mapping mapping);

/* redirect.c */
/* An SA ended: is another gateway asked now? */
bool redirect_closed(struct session *s, bool is_live,
		     const struct ike_action *a);
/* The gateway of the profile again; false: it was that one. */
bool redirect_forget(struct session *s);

/* renewal.c */
/* A ticket of the living SA is stored; its renewal is planned. */
void renewal_plan(struct session *s, const struct ike_ticket *ticket);
/* The living SA was asked and has none; later: it promised one. */
void renewal_none(struct session *s, bool later);
/* Nothing lives. */
void renewal_forget(struct session *s);
/* A rekey voided the ticket of the living SA; the core asks for another. */
void renewal_voided(struct session *s);
/* report.renew_at_ms has come. */
void renewal_due(struct session *s);
/* When the authentication has to be renewed for its end (RFC 4478) comes, and
 * nobody is needed for that; SESSION_NEVER. */
int64_t renewal_reauth_at(const struct session *s);
void renewal_reauth(struct session *s);
/* What a change of the path interrupted. */
void renewal_go_on(struct session *s);
/* The store answered the question for the living SA's ticket. */
void renewal_give_ticket(struct session *s, const struct ike_ticket *ticket);
/* The trial beside the living SA failed. */
void renewal_failed(struct session *s, bool presented);

#endif
