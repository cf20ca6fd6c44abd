/* One tunnel as the user knows it, SANS-IO: POLICY. It decides between the
 * ticket and the full exchange, when to try again, what becomes of a ticket.
 *
 * The same verbs as an IKE SA, one level up. The life of a ticket: it is
 * asked for (SES_DO_ASK_TICKET: the store removes it from the disk), used,
 * and put back (SES_DO_TICKET_STORE) only when it is certain that it was not
 * used. A new one replaces it.
 */
#ifndef CLIENT_SESSION_SESSION_H
#define CLIENT_SESSION_SESSION_H

#include "client/ike/ike_sa.h"
#include "client/session/keepalive.h"

/* X(name, word in status) */
#define SESSION_STATE_LIST(X)                                                  \
	X(SES_ST_IDLE, "idle")                                                 \
	X(SES_ST_NO_PATH, "waiting for a network")                             \
	X(SES_ST_RESUMING, "resuming")                                         \
	X(SES_ST_CONNECTING, "connecting")                                     \
	X(SES_ST_UP, "connected")                                              \
	X(SES_ST_MOVING, "moving to another network")                          \
	X(SES_ST_CHECKING, "checking the connection after sleep")              \
	X(SES_ST_WAITING, "waiting to try again")                              \
	X(SES_ST_CLOSING, "disconnecting")                                     \
	X(SES_ST_CLOSED, "disconnected")
enum session_state {
#define X(name, text) name,
	SESSION_STATE_LIST(X)
#undef X
};
const char *session_state_text(enum session_state s);
/* The Child SAs there are, if any, may still carry traffic; in every other
 * state they are dropped. */
bool session_state_keeps_children(enum session_state s);

/* Where the next ticket comes from before this one expires (RFC 5723 6). */
enum session_renewal {
	RENEWAL_SETUP = 1, /* at set-up only */
	RENEWAL_REQUEST,   /* asked for on the living SA, again with back-off */
	RENEWAL_PUSH,	   /* what the gateway sends unasked is taken */
	RENEWAL_AUTO	   /* asked for; else a resume of the living SA, make
			    * before break; else an IKE rekey (it voids the
			    * ticket that the resume needs, so it comes after);
			    * else a full exchange where no person is needed;
			    * else status says so */
};

struct session_config {
	struct ike_config ike;
	bool use_tickets;
	enum session_renewal renewal;
	bool unattended; /* the full exchange needs no person */
	/* Try again by itself: after a loss, and also when the first connect
	 * gets no answer. Without it the first failure closes. */
	bool persistent;
	bool learn_keepalive; /* ike.keepalive_ms is where it begins */
	uint32_t retry_min_ms, retry_max_ms; /* back-off, jittered */
	/* Before a sleep, a ticket older than this is renewed. */
	uint32_t sleep_renew_ms;
};

enum session_action_kind {
	SES_DO_NOTHING = 0,
	SES_DO_IKE,	     /* u.ike: SEND, KEEPALIVE, ASK_*, NETCONF,
			      * CHILD_*, PROBED as the IKE SA said it */
	SES_DO_ASK_TICKET,   /* take it from the store -> session_give_ticket */
	SES_DO_ASK_PATH,     /* resolve, open a socket -> session_give_path */
	SES_DO_TICKET_STORE, /* u.ticket: into the store, replacing */
	SES_DO_TICKET_VOID,  /* delete what the store has */
	SES_DO_STATE,	     /* u.state: it changed; for status and people */
	SES_DO_CLOSED	     /* u.closed: nothing follows */
};

struct session_action {
	enum session_action_kind kind;
	union {
		struct ike_action ike;
		const struct ike_ticket *ticket; /* until the next verb */
		enum session_state state;
		struct {
			enum err why;
			const char *detail; /* one line, until free */
		} closed;
	} u;
};

/* How the present connection came about. */
struct session_report {
	enum session_state state;
	bool resumed;
	bool moved; /* and then: by MOBIKE to the path it is on */
	bool behind_nat;
	struct ike_stats connect;  /* summed over all attempts of it */
	int64_t started_ms, up_ms; /* boot clock */
	uint32_t attempts;
	uint32_t reconnects;
	uint32_t keepalive_ms;	    /* in use behind a NAT; 0: none */
	struct keepalive_known nat; /* learnt of it */
	int64_t renew_at_ms;  /* boot clock; INT64_MAX: nothing is planned */
	bool renewal_stopped; /* nothing helped: the next connect is a full
			       * one */
	/* Where ours sent us (RFC 5685); nowhere: the profile's gateway */
	struct ike_redirect gateway;
	enum err last_error; /* of the last attempt that failed */
	char last_detail[320];
	struct suite ike_suite, child_suite;
};
/* "full", "resumed" or "mobike" */
const char *session_how(const struct session_report *r);

struct session;

enum err ERR_MUST session_new(const struct session_config *config,
			      const uint8_t seed[32], struct session **out);
void session_free(struct session **s); /* wipes */

enum err ERR_MUST session_start(struct session *s, int64_t now_ms);
enum err ERR_MUST session_input(struct session *s, uint8_t *dgram, size_t len,
				const struct ike_path *path, int64_t now_ms);
int64_t session_next_deadline(const struct session *s);
void session_timeout(struct session *s, int64_t now_ms);
struct session_action session_next_action(struct session *s);

/* ticket NULL: there is none. Copied. */
enum err ERR_MUST session_give_ticket(struct session *s,
				      const struct ike_ticket *ticket,
				      int64_t now_ms);
/* path NULL: there is none now (why and detail say so: ERR_NAME, ...). */
enum err ERR_MUST session_give_path(struct session *s,
				    const struct ike_path *path, enum err why,
				    const char *detail, int64_t now_ms);
/* offer.c: no answer said yet which path will do; another one is welcome. */
bool session_is_racing(const struct session *s);
/* That other one: what is under way, and what follows it until there is an
 * answer, goes over this one too. ERR_STATE: none is wanted. */
enum err ERR_MUST session_offer_path(struct session *s,
				     const struct ike_path *path,
				     int64_t now_ms);
/* It can be told of another path (MOBIKE). */
bool session_can_move(const struct session *s);
/* The living SA's ESP has no UDP around it (ike_sa_esp_is_plain). */
bool session_esp_is_plain(const struct session *s);
/* The layer above lost the Child SA's keys: another one. */
void session_rekey_child(struct session *s, int64_t now_ms);
/* A broken TCP connection was made anew: the living SA goes on over it. */
void session_reconnected(struct session *s, const struct ike_path *path,
			 int64_t now_ms);
/* How long a packet its path takes (ike_sa_probe_len); the IKE_DO_PROBED that
 * ends it is for the layer above. ERR_STATE: nothing is up. */
enum err ERR_MUST session_probe_len(struct session *s, uint16_t len,
				    int64_t now_ms);
/* Where the tunnel's packets go: as given, or as an answer decided. */
const struct ike_path *session_path(const struct session *s);
enum err ERR_MUST session_give_secret(struct session *s,
				      const struct secret *secret,
				      int64_t now_ms);
/* From now on the full exchange needs no person (a password was kept). */
void session_set_unattended(struct session *s);
/* From now on ESP has to be in UDP, or need not (ike_config). */
void session_set_need_encap(struct session *s, bool need);
/* Nobody could be asked: closes with why. */
void session_no_secret(struct session *s, enum err why, const char *detail,
		       int64_t now_ms);
enum err ERR_MUST session_give_signature(struct session *s, uint8_t method,
					 struct bytes auth_data,
					 int64_t now_ms);
enum err ERR_MUST session_give_tls(struct session *s,
				   const struct ike_tls_step *step,
				   int64_t now_ms);
enum err ERR_MUST session_give_verdict(struct session *s, enum err verdict,
				       const char *detail, int64_t now_ms);

/* The network monitor: the path to the gateway is gone; the SA is kept and
 * no clock of it runs. */
void session_path_lost(struct session *s, int64_t now_ms);
/* There is a path. same: it is the one the SA stands on, which goes on (and
 * is checked); else the shortest way over the new one: MOBIKE, where the
 * gateway speaks it, and where that takes too long the ladder beside it. */
void session_path_new(struct session *s, bool same, int64_t now_ms);
/* The machine is about to sleep. True: a ticket is asked for, as the one in
 * the store has aged; SES_DO_TICKET_STORE tells the end, if there is one. */
bool session_before_sleep(struct session *s, int64_t now_ms);
/* The machine slept: is the SA still known? Asked, and the ticket presented
 * beside it; attempts and waits begin anew. */
void session_woke(struct session *s, int64_t now_ms);
/* hold.c: the network lets nothing through for now (why: one line). What is
 * under way is given up and nothing is tried until session_path_new. False:
 * nothing is to be held. */
bool session_hold(struct session *s, const char *why, int64_t now_ms);
/* What was learnt of the NAT where the path leads through now, at an earlier
 * time; zeros: nothing. */
void session_know_nat(struct session *s, const struct keepalive_known *known);
/* Log out: DELETE, the ticket is void. Closes with ERR_CANCELLED. */
void session_down(struct session *s, int64_t now_ms);
/* forget.c: the ticket is void, in hand and in the store, and its renewal off;
 * the tunnel goes on, and the next ticket that comes is kept again. */
void session_forget_ticket(struct session *s, int64_t now_ms);
/* Silent: the ticket stays in the store. Closes with ERR_CANCELLED at once. */
void session_suspend(struct session *s, int64_t now_ms);
void session_heard(struct session *s, int64_t now_ms);
void session_spoke(struct session *s, int64_t now_ms);
const struct session_report *session_report(const struct session *s);

#endif
