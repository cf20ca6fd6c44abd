/* The inside of an IKE SA, shared by the files of this folder only. */
#ifndef CLIENT_IKE_SA_PRIVATE_H
#define CLIENT_IKE_SA_PRIVATE_H

#include "client/ike/ike_sa.h"
#include "platform/base/log.h"

#define IKE_NEVER	 INT64_MAX
#define IKE_NONCE_LEN	 32 /* ours: at least half of any PRF's key, 2.10 */
#define IKE_GENS_MAX	 4
#define IKE_CHILDREN_MAX 6
#define IKE_COOKIES_MAX	 4	/* answers with a cookie we follow */
#define IKE_HINT_MS	 2000	/* after an unprotected refusal of INIT */
#define IKE_REDIRECT_MS	 200	/* after an unprotected REDIRECT */
#define IKE_NACK_MS	 500	/* after an unprotected refusal of a ticket */
#define IKE_GHOST_MS	 30000	/* a deleted SA answers duplicates so long */
#define IKE_OLD_MS	 180000 /* a replaced one waits so long for its DELETE */
#define IKE_QUIET_MS	 180000 /* no request is repeated for longer */
#define IKE_RETRY_MS	 2000	/* after TEMPORARY_FAILURE */
#define IKE_REFUSED_MS	 60000	/* after another refusal of a rekey */
#define IKE_REFUSED_MAX	 3
#define IKE_EAP_ROUNDS	 24
#define IKE_RACERS_MAX	 15 /* paths beside the first one */
#define IKE_COOKIE2_LEN	 16 /* 8 to 64, RFC 4555 4.2.5 */
/* A peer's octets that need no more room than that: a chain inside SK. */
#define IKE_SCRATCH_LEN 65535

/* Why a request of ours is on its way; rows of the state table hang on it. */
enum ike_req_kind {
	REQ_NONE = 0,
	REQ_INIT,
	REQ_RESUME,
	REQ_AUTH,	  /* PSK or certificate: one round */
	REQ_AUTH_RESUMED, /* behind IKE_SESSION_RESUME */
	REQ_AUTH_EAP,	  /* the first of an EAP conversation */
	REQ_EAP,
	REQ_AUTH_LAST, /* AUTH with the MSK */
	REQ_CHILD,     /* CREATE_CHILD_SA: Child SA, new or rekeyed */
	REQ_IKE,       /* CREATE_CHILD_SA: IKE SA */
	REQ_DELETE_IKE,
	REQ_DELETE_CHILD,
	REQ_TICKET,
	REQ_ALIVE,
	REQ_MOVE, /* UPDATE_SA_ADDRESSES */
	REQ_PROBE /* over another path */
};

/* One message as it goes over the wire, in one or more datagrams; counted
 * references, because the window and the action queue both hold it. */
struct ike_flight {
	unsigned refs;
	size_t n;
	struct bytes d[]; /* views into the octets behind */
};

struct ike_request {
	enum ike_req_kind kind;
	uint8_t exchange;
	uint32_t msg_id;
	struct ike_flight *flight;
	uint8_t tries, max_tries;
	uint32_t rto_ms;
	int64_t sent_ms, next_ms;
};

/* One generation of the IKE SA: its keys and both windows. A rekey makes a
 * new one; the old one lives on until it is deleted. */
struct ike_gen {
	bool is_initiator; /* we sent its first message */
	bool has_keys;
	bool want_delete; /* ours to delete, when its window is free */
	bool dead;	  /* freed at the end of the verb */
	bool deleted;	  /* by the gateway; only answers duplicates */
	int64_t expires_ms;
	/* Made by a rekey of the gateway, which may not have our answer yet:
	 * until it was heard on this one, requests of ours wait. */
	int64_t quiet_until_ms;
	uint64_t spi_i, spi_r;
	struct ike_keys keys;
	struct ike_protect protect;
	struct secret qcd; /* the gateway's token, RFC 6290; empty: none */
	uint32_t next_id;
	struct ike_request req;
	struct ike_reasm *reasm_answer;
	uint32_t expected_id;
	struct ike_flight *answer; /* to request expected_id - 1 */
	struct ike_reasm *reasm_request;
};

struct ike_child {
	uint32_t spi_in, spi_out; /* spi_in 0: free place */
	struct suite suite;
	bool replaced; /* another one took over; the gateway deletes this */
	bool want_rekey, want_delete, deleting;
	bool silent; /* the caller never heard of it */
	int64_t rekey_at_ms;
	/* Made by a request of the gateway, which may not have our answer
	 * yet: no rekey of ours until its next request on that generation,
	 * or then. */
	int64_t quiet_until_ms;
	uint64_t made_on; /* spi_i of the generation */
};

/* The open CREATE_CHILD_SA of ours, and the one of the gateway that crossed
 * it (RFC 7296 2.8.1, 2.8.2). */
struct ike_rekey {
	bool is_ike;
	uint32_t old_spi_in, new_spi_in; /* old 0: not a rekey */
	uint64_t new_spi;
	uint8_t ni[IKE_NONCE_LEN];
	struct ke *ke;
	enum ke_method method; /* KE_NONE: without */
	uint64_t ke_tried;     /* bits by number */
	bool crossed;
	uint8_t low[IKE_NONCE_MAX]; /* lowest nonce of the crossing one */
	size_t low_len;
	uint32_t their_spi_in;
	uint32_t gone_spi_out; /* the gateway deleted it before we had it */
	struct ike_gen *their_gen;
};

enum ike_eap_step {
	EAP_STEP_CLOSED = 0, /* the gateway is not authenticated yet */
	EAP_STEP_START,
	EAP_STEP_PASSWORD, /* asked a person */
	EAP_STEP_PROOF,	   /* sent the response, want the gateway's proof; or
			    * the TLS handshake is under way */
	EAP_STEP_REFUSED,  /* failure acknowledged */
	EAP_STEP_DONE	   /* proof checked: EAP-Success may come */
};

struct ike_buf {
	uint8_t *p;
	size_t len;
};

/* Flights of TLS: the server's as far as it is here, ours as far as sent. */
struct ike_eap_tls {
	struct ike_buf in, out;
	size_t out_at;
};

struct ike_eap_state {
	enum ike_eap_step step;
	uint8_t rounds;
	uint8_t id, ms_id;
	uint8_t challenge[16];
	char auth_response[43];
	struct ike_eap_tls tls;
	struct secret msk;
};

/* The first request on one more path. */
struct ike_racer {
	struct ike_path path;
	uint64_t spi_i;
	struct ike_flight *flight;
	uint8_t tries;
	int64_t sent_ms;
};

#define IKE_RIVALS_MAX 2
/* A further answer to IKE_SESSION_RESUME. */
struct ike_rival {
	uint64_t spi_r; /* 0: free place */
	bool started;
	int64_t at_ms;
	uint8_t nr[IKE_NONCE_MAX];
	size_t nr_len;
	struct ike_buf first_peer;
};

/* What only the way up needs; wiped when the SA stands. */
struct ike_setup {
	bool is_resume;
	uint8_t ni[IKE_NONCE_LEN];
	uint8_t nr[IKE_NONCE_MAX];
	size_t nr_len;
	struct ke *ke;
	enum ke_method method;
	uint64_t ke_tried;
	uint8_t cookie[IKE_COOKIE_MAX];
	size_t cookie_len;
	uint8_t cookies;
	bool cookie_due; /* in the request that follows the present one */
	struct ike_racer racers[IKE_RACERS_MAX];
	size_t n_racers;
	bool race_over;
	struct ike_buf first_own, first_peer; /* for AUTH, 2.15 */
	struct secret maced_own, maced_peer;
	struct ike_rival rivals[IKE_RIVALS_MAX];
	struct ike_ticket ticket; /* opaque: a view into ticket_buf */
	struct ike_buf ticket_buf;
	struct secret psk;
	struct ike_eap_state eap;
	struct ike_buf held; /* an answer that waits for a verdict */
	struct ike_msg held_msg;
	uint32_t spi_in;
};

enum ike_ask {
	ASK_NOTHING = 0,
	ASK_PSK,
	ASK_PASSWORD,
	ASK_SIGN,
	ASK_VERIFY,
	ASK_TLS
};

enum {
	TASK_DELETE = 1,
	TASK_REKEY = 2,
	TASK_TICKET = 4,
	TASK_ALIVE = 8,
	TASK_NEW_CHILD = 16
};

/* A change of addresses on its way (RFC 4555 3.5). */
struct ike_move {
	bool on;
	bool stale; /* what is open tells an older path */
	bool heard; /* there was an answer, on path */
	struct ike_path tried[IKE_RACERS_MAX]; /* before path */
	size_t n_tried;
	uint8_t asks;
	uint8_t cookie[IKE_COOKIE2_LEN];
	struct ike_path path;
};

struct ike_node {
	struct ike_node *next;
	struct ike_action a;
	struct ike_flight *flight;
	void *own; /* what the action points to */
	size_t own_len;
};

struct ike_sa {
	struct ike_config cfg;
	struct rng rng;
	enum ike_state state;
	int64_t now_ms;
	struct ike_path path; /* as the gateway knows it */
	struct ike_move move;
	bool probing;
	struct ike_path probe_path;
	uint16_t probe_len; /* of the IP packet; 0: the path counts */
	bool probe_failed;  /* too long, as it seems: a short one is out */
	bool whole;	    /* what is sealed now is not fragmented */
	struct ike_setup *setup;
	struct ike_gen *gens[IKE_GENS_MAX];
	struct ike_gen *cur;
	struct ike_child children[IKE_CHILDREN_MAX];
	struct ike_rekey rekey;
	enum ike_ask ask;
	uint32_t tasks;
	uint8_t refusals;      /* of rekeys, in a row */
	int64_t not_before_ms; /* rekeys wait until then */

	/* learnt */
	struct ike_name id_remote;
	enum ike_auth_kind auth;
	bool resumed, behind_nat, peer_fragments, auth_sent;
	bool auth_first_only, resume_auth_failed, init_in_doubt;
	bool esp_plain;
	bool peer_moves;		    /* MOBIKE_SUPPORTED */
	uint8_t nat_seen[20], nat_seen_len; /* our address, as last told */
	size_t n_extra;
	struct addr extra[IKE_ADDRS_MAX]; /* the gateway's */
	uint32_t peer_hashes;
	bool redirected;
	struct ike_redirect redirect;
	struct addr inner_v4, inner_v6;
	struct ike_ts_list ts_local, ts_remote; /* as narrowed */

	/* deadlines; IKE_NEVER where there is none */
	int64_t hint_at_ms, rekey_at_ms;
	int64_t reauth_at_ms; /* told by the gateway; only told on */
	int64_t heard_ms, spoke_ms;
	int64_t data_ms; /* ESP went out */
	enum err hint;
	struct diag hint_text;

	struct ike_node *q_first, *q_last, *q_next;
	struct ike_node closed_node; /* needs no memory when there is none */
	bool no_memory;
	enum err why; /* of the goodbye on its way */
	struct diag diag;
	struct ike_stats stats;
	uint8_t *scratch;
};

/* A message on its way through the state table. */
struct ike_rx {
	struct ike_gen *gen;
	const struct ike_msg *msg;
	const struct ike_path *path;
	struct bytes raw;	/* the datagram, where it was not encrypted */
	enum ike_req_kind kind; /* the request it answers; NONE: it asks */
	bool has_error;
	struct ike_notify error; /* first one below 16384 */
};

#define IKE_ALONE_MAX 3
/* One row: what is expected, as data. */
struct ike_row {
	uint32_t states; /* bit a state */
	uint8_t exchange;
	enum ike_req_kind kind;
	uint32_t must;	/* bit (type - 33), unless an error is told */
	uint32_t never; /* presence refuses the message */
	uint16_t alone[IKE_ALONE_MAX]; /* notifies that may come alone */
	enum err (*handle)(struct ike_sa *sa, const struct ike_rx *rx);
};

/* --- actions.c --- */
struct ike_node *ike_queue(struct ike_sa *sa, enum ike_action_kind kind,
			   size_t own_len);
/* The action that was queued last goes before the messages that wait: packets
 * cross threads, and the gateway acts on a message at once. */
void ike_queue_before_send(struct ike_sa *sa);
void ike_queue_flight(struct ike_sa *sa, struct ike_flight *f,
		      const struct ike_path *path);
void ike_queue_retire(struct ike_sa *sa, bool all);
void ike_queue_closed(struct ike_sa *sa, enum err why);

/* --- sa.c --- */
/* Every verb but new and free begins and ends so. */
void ike_enter(struct ike_sa *sa, int64_t now_ms);
void ike_leave(struct ike_sa *sa);
/* The one setter of the state. */
void ike_set_state(struct ike_sa *sa, enum ike_state to, const char *why);
/* Ends it: nothing follows. detail of sa->diag. */
void ike_close(struct ike_sa *sa, enum err why);
/* Deletes the IKE SA at the gateway, then closes with why. */
void ike_goodbye(struct ike_sa *sa, enum err why);
void ike_setup_free(struct ike_sa *sa);
void ike_established(struct ike_sa *sa);
/* a value between ms * 0.9 and ms, at random */
int64_t ike_jitter(struct ike_sa *sa, uint32_t ms);
void ike_buf_free(struct ike_buf *b);
enum err ERR_MUST ike_buf_set(struct ike_buf *b, struct bytes from);

/* --- gen.c --- */
struct ike_gen *ike_gen_new(struct ike_sa *sa, bool is_initiator);
void ike_gen_free(struct ike_gen **gen);
struct ike_gen *ike_gen_find(const struct ike_sa *sa, uint64_t spi_i,
			     uint64_t spi_r);
/* Are there fewer than n places left? */
bool ike_gens_full(const struct ike_sa *sa, size_t n);
void ike_gens_sweep(struct ike_sa *sa, bool all);
uint64_t ike_spi_draw(struct ike_sa *sa);
/* Keys are there: makes the ciphers. */
enum err ERR_MUST ike_gen_arm(struct ike_sa *sa, struct ike_gen *gen);
/* The generation that carries the SA from now on. */
void ike_gen_switch(struct ike_sa *sa, struct ike_gen *to, bool ours);

/* --- race.c --- */
/* The first request was written anew: so it is on the other paths. */
enum err ERR_MUST ike_race_restart(struct ike_sa *sa);
void ike_race_repeat(struct ike_sa *sa);
bool ike_race_has(const struct ike_sa *sa, uint64_t spi_i);
/* There is an answer to this SPI: its path is the SA's. */
void ike_race_decide(struct ike_sa *sa, uint64_t spi_i);
void ike_race_clear(struct ike_setup *s);

/* --- window.c --- */
void ike_flight_put(struct ike_flight **f);
/* A message without protection. */
enum err ERR_MUST ike_flight_plain(struct bytes msg, struct ike_flight **out);
/* A chain under construction, in the scratch buffer. */
void ike_chain_start(struct ike_sa *sa, struct ike_wr *w);
enum err ERR_MUST ike_request_plain(struct ike_sa *sa, struct ike_gen *gen,
				    enum ike_req_kind kind, struct ike_wr *w);
enum err ERR_MUST ike_request_send(struct ike_sa *sa, struct ike_gen *gen,
				   enum ike_req_kind kind, struct ike_wr *w);
/* The answer to the request of rx; kept for duplicates. */
enum err ERR_MUST ike_answer(struct ike_sa *sa, const struct ike_rx *rx,
			     struct ike_wr *w);
/* An answer that is one notify, or nothing (notify 0). */
enum err ERR_MUST ike_answer_notify(struct ike_sa *sa, const struct ike_rx *rx,
				    uint16_t notify, struct bytes data);
void ike_answer_again(struct ike_sa *sa, struct ike_gen *gen,
		      const struct ike_path *path);
/* The open request is answered: counts, measures, frees. */
void ike_request_done(struct ike_sa *sa, struct ike_gen *gen);
void ike_request_drop(struct ike_gen *gen);
/* Its time is over after the first timeout from now at the latest. */
void ike_request_hurry(struct ike_sa *sa, struct ike_gen *gen);
/* At once over the path of now, with all its tries. */
void ike_request_again(struct ike_sa *sa, struct ike_gen *gen);
void ike_request_timeout(struct ike_sa *sa, struct ike_gen *gen);
/* A path has joined: not to be given up before that one had its time. */
void ike_request_go_on(struct ike_sa *sa, struct ike_gen *gen);
uint8_t ike_exchange_of(enum ike_req_kind kind);
/* The open request becomes another, not sent yet, of the same number. */
enum err ERR_MUST ike_request_reseal(struct ike_sa *sa, struct ike_gen *gen,
				     struct ike_wr *w);
/* One datagram that nobody answers, then forgotten. */
void ike_send_once(struct ike_sa *sa, struct ike_gen *gen, uint16_t notify);

/* --- input.c --- */
enum err ERR_MUST ike_input(struct ike_sa *sa, uint8_t *dgram, size_t len,
			    const struct ike_path *path);

/* --- states.c --- */
/* Looks the row up, checks the payloads, runs the handler. */
void ike_dispatch(struct ike_sa *sa, struct ike_rx *rx);

/* --- tasks.c --- */
void ike_tasks_run(struct ike_sa *sa);
void ike_timers_run(struct ike_sa *sa);
int64_t ike_timers_next(const struct ike_sa *sa);

/* --- x_init.c --- */
enum err ERR_MUST ike_init_send(struct ike_sa *sa);
void ike_init_write(struct ike_sa *sa, struct ike_wr *w);
enum err ike_init_answer(struct ike_sa *sa, const struct ike_rx *rx);
/* Silence: tries MODP-2048 as the KE. False where that is no option. */
bool ike_init_fallback(struct ike_sa *sa);
uint64_t ike_group_bit(unsigned int method);
/* The group that an INVALID_KE_PAYLOAD asks for (RFC 7296 1.2, 1.3): offered,
 * known to us, and each one tried once; else KE_NONE. */
enum ke_method ike_group_wanted(const struct ike_notify *error,
				const struct proposal_list *offered,
				uint64_t tried);
/* What IKE_SA_INIT and the rekey of an IKE SA are answered with alike; the
 * three payloads are there. sent: the method of our KE payload. */
struct ike_sa_answer {
	struct proposal chosen;
	struct suite suite;
	struct ike_ke ke; /* views into the message */
	struct bytes nr;
};
enum err ERR_MUST ike_sa_answer_read(const struct ike_msg *msg,
				     const struct proposal_list *offer,
				     enum ke_method sent,
				     struct ike_sa_answer *out);
void ike_put_nat_notifies(struct ike_sa *sa, struct ike_wr *w);
/* 2.23: is the address the gateway sees us at another than that of our path?
 * unknown: where it does not tell. */
bool ike_nat_told(const struct ike_sa *sa, const struct ike_msg *msg,
		  bool unknown);
void ike_learn_notifies(struct ike_sa *sa, const struct ike_rx *rx);
/* A COOKIE may be forged, and a true answer may come behind it. With two
 * requests under way nobody could tell which of them an answer belongs to,
 * and AUTH covers the request: so the one with the cookie leaves no earlier
 * than the other would be repeated. */
enum err ERR_MUST ike_cookie_take(struct ike_sa *sa, const struct ike_rx *rx);
enum err ERR_MUST ike_cookie_send(struct ike_sa *sa);
void ike_note_hint(struct ike_sa *sa, enum err why, uint32_t wait_ms,
		   const char *text);

/* --- x_resume.c --- */
enum err ERR_MUST ike_resume_send(struct ike_sa *sa);
void ike_resume_write(struct ike_sa *sa, struct ike_wr *w);
enum err ike_resume_answer(struct ike_sa *sa, const struct ike_rx *rx);

/* --- rivals.c --- */
/* Could this be another answer to the ticket presented? */
bool ike_rival_fits(const struct ike_sa *sa, uint64_t spi_i, uint64_t spi_r);
void ike_rival_take(struct ike_sa *sa, struct bytes dgram);
/* The IKE_AUTH on gen is not answered in time. */
void ike_rivals_start(struct ike_sa *sa, const struct ike_gen *gen);
/* gen has brought a message with the right keys: it is the SA. */
void ike_rivals_settle(struct ike_sa *sa, struct ike_gen *gen);
void ike_rivals_clear(struct ike_setup *s);

/* --- x_auth.c --- */
enum err ERR_MUST ike_auth_begin(struct ike_sa *sa);
enum err ERR_MUST ike_auth_with_psk(struct ike_sa *sa,
				    const struct secret *psk);
/* data empty: without an AUTH payload (EAP). */
enum err ERR_MUST ike_auth_send(struct ike_sa *sa, uint8_t method,
				struct bytes data);
enum err ERR_MUST ike_auth_send_last(struct ike_sa *sa);
enum err ERR_MUST ike_auth_verified(struct ike_sa *sa);
enum err ike_auth_answer(struct ike_sa *sa, const struct ike_rx *rx);
enum err ike_auth_last_answer(struct ike_sa *sa, const struct ike_rx *rx);
/* What a gateway's refusal inside IKE_AUTH means; fills sa->diag. */
enum err ike_auth_refusal(struct ike_sa *sa, const struct ike_notify *error);
/* finish.c: the last answer of IKE_AUTH, the gateway is authenticated. */
enum err ERR_MUST ike_auth_finish(struct ike_sa *sa, const struct ike_msg *msg);
/* It may end in the resolver's configuration: letters of host names only. */
bool ike_domain_ok(struct bytes v);
void ike_put_cp(struct ike_sa *sa, struct ike_wr *w);
void ike_cp_read(const struct ike_sa *sa, const struct ike_msg *msg,
		 struct ike_netconf *out);

/* --- x_eap.c --- */
enum err ERR_MUST ike_eap_start(struct ike_sa *sa, const struct ike_msg *msg);
enum err ike_eap_answer(struct ike_sa *sa, const struct ike_rx *rx);
enum err ERR_MUST ike_eap_password(struct ike_sa *sa,
				   const struct secret *password);

enum err ERR_MUST ike_eap_send(struct ike_sa *sa, uint8_t type,
			       struct bytes data);
/* Is the client of this kind proved by EAP? */
bool ike_auth_is_eap(enum ike_auth_kind kind);

/* --- x_eap_tls.c --- */
enum err ERR_MUST ike_eap_tls_input(struct ike_sa *sa, struct bytes data);
enum err ERR_MUST ike_eap_tls_step(struct ike_sa *sa,
				   const struct ike_tls_step *step);

/* --- child.c --- */
uint32_t ike_child_spi(struct ike_sa *sa);
struct ike_child *ike_child_by_in(struct ike_sa *sa, uint32_t spi_in);
struct ike_child *ike_child_by_out(struct ike_sa *sa, uint32_t spi_out);
struct ike_child *ike_child_live(struct ike_sa *sa);
/* The gateway began another exchange: it has our answer to the one before
 * (its window is 1). */
void ike_children_known(struct ike_sa *sa, const struct ike_gen *gen);
/* What an exchange agreed on. */
struct ike_child_deal {
	uint32_t spi_in, spi_out;
	uint32_t old_spi_in; /* 0: first of its kind */
	struct suite suite;
	bool ours; /* we began the exchange */
	bool silent;
	struct bytes shared; /* empty without KE */
	struct bytes ni, nr;
};
/* Keys, a place in the list, the action. */
enum err ERR_MUST ike_child_add(struct ike_sa *sa, const struct ike_gen *gen,
				const struct ike_child_deal *deal);
/* Forgets it and tells the caller. */
void ike_child_del(struct ike_sa *sa, struct ike_child *c);
/* What we ask for: the profile's selectors, later those agreed on. */
const struct ike_ts_list *ike_child_ts(const struct ike_sa *sa, bool ours);
/* SA, TSi, TSr of an answer to offer; ts lists checked against ours. */
struct ike_child_answer {
	struct suite suite;
	uint32_t spi_out;
	struct ike_ts_list tsi, tsr;
};
enum err ERR_MUST ike_child_read(struct ike_sa *sa, const struct ike_msg *msg,
				 bool with_ke, struct ike_child_answer *out);

/* --- x_child.c --- */
enum err ERR_MUST ike_child_rekey_send(struct ike_sa *sa,
				       struct ike_child *old);
enum err ike_create_answer(struct ike_sa *sa, const struct ike_rx *rx);
enum err ike_create_request(struct ike_sa *sa, const struct ike_rx *rx);
void ike_rekey_clear(struct ike_sa *sa);
/* Was the rekey of ours the one with the lowest nonce? */
bool ike_rekey_lost(const struct ike_rekey *rk, struct bytes nr);
void ike_rekey_crossed(struct ike_rekey *rk, struct bytes ni, struct bytes nr);
/* A refusal of a rekey: later again, or goodbye. */
enum err ike_rekey_refused(struct ike_sa *sa, const struct ike_notify *error);
bool ike_rekey_take_group(struct ike_sa *sa, const struct ike_notify *error,
			  const struct proposal_list *offered);
/* A fresh nonce and a KE of the method for the rekey of ours. */
enum err ERR_MUST ike_rekey_begin(struct ike_sa *sa, enum ke_method method);
/* As responder: the group whose KE was sent where it will do. */
enum err ERR_MUST ike_rekey_select(const struct proposal_list *ours,
				   const struct proposal_list *theirs,
				   const struct ike_msg *msg,
				   struct proposal *out);
/* INVALID_KE_PAYLOAD with the group we want. */
enum err ERR_MUST ike_answer_group(struct ike_sa *sa, const struct ike_rx *rx,
				   enum ke_method method);
/* The KE payload; ERR_NOT_FOUND: none, or of another method. */
enum err ERR_MUST ike_read_ke(const struct ike_msg *msg, enum ke_method method,
			      struct ike_ke *out);

/* --- x_rekey.c: CREATE_CHILD_SA for the IKE SA itself --- */
enum err ERR_MUST ike_rekey_send(struct ike_sa *sa);
/* The current generation is new: the ticket is void, ask for another. msg:
 * the answer to our own rekey, or NULL. */
void ike_rekeyed(struct ike_sa *sa, const struct ike_msg *msg);
enum err ike_rekey_answer(struct ike_sa *sa, const struct ike_rx *rx);
enum err ike_rekey_request(struct ike_sa *sa, const struct ike_rx *rx,
			   const struct proposal_list *theirs);

/* --- x_info.c --- */
enum err ERR_MUST ike_info_send(struct ike_sa *sa, struct ike_gen *gen,
				enum ike_req_kind kind);
enum err ike_info_answer(struct ike_sa *sa, const struct ike_rx *rx);
enum err ike_info_request(struct ike_sa *sa, const struct ike_rx *rx);

/* --- x_mobike.c --- */
/* Where our requests go. */
const struct ike_path *ike_way(const struct ike_sa *sa);
enum err ERR_MUST ike_move_send(struct ike_sa *sa);
enum err ike_move_answer(struct ike_sa *sa, const struct ike_rx *rx);
enum err ERR_MUST ike_move_race(struct ike_sa *sa, const struct ike_path *path);
/* Of a liveness check: has the mapping of a NAT changed? */
void ike_nat_note(struct ike_sa *sa, const struct ike_msg *msg);
void ike_put_path_check(struct ike_sa *sa, struct ike_wr *w);
enum ike_mapping ike_path_checked(struct ike_sa *sa, const struct ike_rx *rx);
/* Of IKE_AUTH: MOBIKE_SUPPORTED and our other addresses. */
void ike_put_mobike(const struct ike_sa *sa, struct ike_wr *w);
/* The answer that establishes the SA. */
void ike_moves_learn(struct ike_sa *sa, const struct ike_msg *msg);
void ike_addresses_take(struct ike_sa *sa, const struct ike_msg *msg);

/* --- probe.c --- */
enum err ERR_MUST ike_probe_send(struct ike_sa *sa);
void ike_probe_end(struct ike_sa *sa, bool ok);
/* It was not answered, or there is another path now: the request has become a
 * liveness check. */
void ike_probe_lost(struct ike_sa *sa, struct ike_gen *gen);
/* The IKE SA was rekeyed: what the old one did not settle is asked again. */
void ike_probe_anew(struct ike_sa *sa);
enum err ike_probe_answer(struct ike_sa *sa, const struct ike_rx *rx);

/* --- redirect.c --- */
/* A REDIRECT that counts: with that nonce, or none inside SK. Fills
 * sa->redirect. */
bool ike_redirect_take(struct ike_sa *sa, const struct ike_msg *msg,
		       struct bytes nonce);
/* ERR_GONE, and where to. */
enum err ike_redirect_told(struct ike_sa *sa);
/* Of the first message: that we would follow, or who sent us. */
void ike_put_redirect(const struct ike_sa *sa, struct ike_wr *w);

/* --- qcd.c --- */
/* The token for gen in an authenticated message; replaces. */
void ike_qcd_take(struct ike_gen *gen, const struct ike_msg *msg);
/* An unprotected message with the SPIs of gen. */
void ike_qcd_input(struct ike_sa *sa, struct ike_gen *gen,
		   const struct ike_msg *msg);

/* --- finish.c --- */
/* N(AUTH_LIFETIME) of an authenticated message, RFC 4478. */
void ike_auth_lifetime_take(struct ike_sa *sa, const struct ike_msg *msg);

/* --- ticket.c --- */
/* The last valid ticket of an authenticated message becomes an action. */
bool ike_ticket_take(struct ike_sa *sa, const struct ike_gen *gen,
		     const struct ike_msg *msg);
/* The same in an answer to TICKET_REQUEST: that none came is told too. */
void ike_ticket_answer(struct ike_sa *sa, const struct ike_gen *gen,
		       const struct ike_msg *msg);

#endif
