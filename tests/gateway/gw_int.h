/* Insides of the test gateway. */
#ifndef TESTS_GATEWAY_GW_INT_H
#define TESTS_GATEWAY_GW_INT_H

#include "client/ike/protect.h"
#include "tests/gateway/gw.h"

#define GW_BUCKETS     4096
#define GW_FRAGS_MAX   64
#define GW_JOBS_MAX    16
#define GW_IKES_MAX    4 /* IKE SAs of one session, while rekeying */
#define GW_TICKETS_MAX 4 /* ticket ids a session remembers */
#define GW_NONCE_LEN   32
#define GW_BUF_LEN     65536
#define GW_VOID_MAX    8192
#define GW_USER_MAX    128

/* Datagrams of one message, as sent: for retransmission. */
struct gw_flight {
	uint8_t *buf;
	size_t n;
	size_t end[GW_FRAGS_MAX];
};

enum gw_state {
	GW_ST_NEW = 1,	/* IKE_AUTH is awaited */
	GW_ST_EAP,	/* an EAP answer is awaited */
	GW_ST_EAP_DONE, /* the AUTH after EAP-Success is awaited */
	GW_ST_UP,
	GW_ST_DEAD /* repeats its last answer for a while */
};

/* Exchanges we start ourselves. */
enum gw_task {
	GW_TASK_NONE = 0,
	GW_TASK_ALIVE,
	GW_TASK_CHECK_PATH, /* RFC 4555 3.7 */
	GW_TASK_REKEY_IKE,
	GW_TASK_REKEY_CHILD,
	GW_TASK_DELETE_IKE,
	GW_TASK_DELETE_CHILD,
	GW_TASK_PUSH,
	GW_TASK_TOKEN, /* of an SA that our rekey made; RFC 6290 4.3 */
	GW_TASK_AUTH_LIFETIME,
	GW_TASK_REDIRECT
};

struct gw_job {
	enum gw_task task;
	uint32_t spi_in; /* of a Child SA task */
	int64_t not_before_ms;
};

struct gw_child {
	struct gw_child *next;
	uint32_t spi_in, spi_out;
	struct suite suite;
	bool replaced; /* rekeyed: somebody will delete it */
	bool deleting; /* our DELETE is queued or under way */
	int64_t rekey_ms;
};

/* What a ticket stands for. */
struct gw_tstate {
	uint64_t id;	    /* of the ticket; random */
	uint64_t old_spi;   /* ours, of the SA that got it */
	int64_t expires_s;  /* Unix time */
	int64_t auth_end_s; /* RFC 4478; 0: never */
	struct secret sk_d;
	struct suite suite;
	struct gw_id idi, idr;
	char user[GW_USER_MAX]; /* authenticated EAP user, or "" */
	bool fragments;
};

/* What the first IKE_AUTH request asked for. */
struct gw_want {
	bool child; /* SA, TSi and TSr were there */
	enum err select;
	struct proposal chosen; /* its spi is not used */
	uint32_t spi_out;
	struct ike_ts_list tsi, tsr;
	bool cp, v4, v6, dns, domain;
	struct addr ask4, ask6;
	bool ticket, mobike, initial_contact;
};

enum gw_eap_step {
	GW_EAP_IDENTITY = 1,
	GW_EAP_CHALLENGE,
	GW_EAP_SUCCESS, /* success request sent */
	GW_EAP_FAILURE	/* failure request sent */
};

/* Lives from the first message until the SA is up. */
struct gw_auth {
	uint8_t *their_first, *our_first;
	size_t their_first_len, our_first_len;
	uint8_t ni[IKE_NONCE_MAX];
	size_t ni_len;
	uint8_t nr[GW_NONCE_LEN];
	bool resuming;
	struct gw_tstate ticket;
	uint32_t peer_hashes;
	struct gw_id idi;
	struct gw_want want;
	/* EAP */
	enum gw_eap_step eap;
	uint8_t eap_id;
	uint8_t challenge[16];
	struct secret msk;
	char user[GW_USER_MAX];
	struct gw_tls *tls;
};

/* Our CREATE_CHILD_SA request that is under way. */
struct gw_pend {
	struct ke *ke;
	enum ke_method method;
	uint8_t ni[GW_NONCE_LEN];
	uint64_t ike_spi; /* new one of ours */
	uint32_t spi_in;  /* new one of ours */
	bool collided;	  /* the peer rekeyed the same at the same time */
	uint8_t low[IKE_NONCE_MAX]; /* lowest nonce of the peer's exchange */
	size_t low_len;
	uint64_t theirs; /* our SPI of the SA of the peer's exchange */
};

struct gw_sess;

struct gw_ike {
	struct gw_ike *next_mine, *next_peer; /* hash chains */
	uint64_t my_spi, peer_spi;
	bool initiator; /* we started this SA (rekey) */
	enum gw_state state;
	bool replaced;	      /* rekeyed: only INFORMATIONAL is answered */
	bool closing;	      /* our DELETE is queued or under way */
	struct gw_sess *sess; /* once up */
	struct gw_auth *auth; /* until up */
	struct gw_path path, reply; /* ours go there; answers here */
	uint8_t cookie2[16];	    /* of the path check under way */
	bool peer_fragments, nat, redirects;
	struct ike_keys keys;
	struct ike_protect prot;
	struct ike_reasm *reasm;
	uint32_t recv_id; /* the next request's */
	uint32_t send_id; /* our next request's */
	struct gw_flight answer;
	uint8_t first_hash[32]; /* of the request that made this SA */
	/* our request */
	struct gw_job open, jobs[GW_JOBS_MAX];
	size_t n_jobs;
	struct gw_pend pend;
	struct gw_flight request;
	int64_t resend_ms;
	uint8_t tries;
	/* times; INT64_MAX: never */
	int64_t heard_ms;
	int64_t rekey_ms;
	int64_t end_ms; /* half-open expiry, linger */
};

/* One client: address, Child SAs, identity. Survives rekeys of the IKE SA. */
struct gw_sess {
	struct gw_sess *next;
	uint32_t id;
	struct gw_ike *ikes[GW_IKES_MAX];
	struct gw_ike *ike; /* where our requests go */
	struct gw_child *children;
	struct gw_path path;
	struct gw_id idi;
	char user[GW_USER_MAX];
	bool mobike, nat, resumed, redirects;
	int64_t auth_end_s; /* Unix time; 0: never */
	int64_t since_ms;
	size_t lease; /* slot + 1; 0: none */
	struct addr v4, v6;
	struct ike_ts_list tsi, tsr; /* as agreed; tsi is the client's */
	uint64_t tickets[GW_TICKETS_MAX];
	size_t n_tickets;
};

struct gw_act {
	struct gw_act *next;
	struct gw_action a;
	uint8_t *buf;		     /* of a SEND */
	struct gw_child_info *child; /* of a CHILD_ADD */
};

/* A ticket that was used, or whose SA was deleted or rekeyed. */
struct gw_void {
	uint64_t id;
	bool used;
};

struct gw_tkey {
	uint32_t id; /* 0: none */
	uint8_t key[36];
};

struct gw {
	struct gw_config cfg;
	struct gw_switches sw;
	struct gw_counters n;
	struct rng rng;
	int64_t now_ms;
	int64_t next_ms; /* lower bound of all deadlines */
	uint8_t cookie_key[32];
	enum gw_redirect redirect;
	uint8_t redirect_to[256]; /* type | length | identity */
	size_t redirect_len;
	struct gw_ike *mine[GW_BUCKETS], *peer[GW_BUCKETS];
	size_t n_ikes;
	uint64_t groups; /* bit (1 << ke_method); 0: all */
	struct gw_sess *sessions;
	uint32_t last_session;
	size_t n_sessions;
	/* inner addresses: who has slot i */
	uint32_t *slots;
	size_t n_slots, slot_cursor;
	/* tickets */
	struct gw_tkey key, old_key;
	struct gw_tstate *refs;
	size_t n_refs, cap_refs;
	struct gw_void voided[GW_VOID_MAX];
	size_t n_voided; /* ever */
	/* actions */
	struct gw_act *head, *tail, *pulled;
	size_t n_queue;
	uint8_t *chain, *dgram; /* GW_BUF_LEN each */
};

/* --- gw.c ---------------------------------------------------------------- */
struct gw_act *gw_act_new(struct gw *gw, enum gw_action_kind kind);
void gw_bound(struct gw *gw, int64_t deadline_ms);
int64_t gw_wall_s(const struct gw *gw);

/* --- gw_table.c ---------------------------------------------------------- */
struct gw_ike *gw_ike_new(struct gw *gw, uint64_t peer_spi);
struct gw_ike *gw_ike_find(struct gw *gw, uint64_t my_spi);
struct gw_ike *gw_ike_find_peer(struct gw *gw, uint64_t peer_spi,
				const uint8_t first_hash[32]);
/* Forgets keys now or repeats its last answer for linger_ms. */
void gw_ike_dead(struct gw *gw, struct gw_ike *ike, uint32_t linger_ms);
void gw_ike_free(struct gw *gw, struct gw_ike *ike);
void gw_ike_set_spi(struct gw *gw, struct gw_ike *ike, uint64_t my_spi);
void gw_auth_free(struct gw_ike *ike);
void gw_pend_clear(struct gw_ike *ike);
struct gw_sess *gw_sess_new(struct gw *gw, struct gw_ike *ike);
enum err ERR_MUST gw_sess_attach(struct gw_sess *s, struct gw_ike *ike);
/* The IKE SA is gone; ends the session with the last one. */
void gw_sess_detach(struct gw *gw, struct gw_ike *ike);
/* Ends it with all its IKE and Child SAs, silently. */
void gw_sess_end(struct gw *gw, struct gw_sess *s);
struct gw_child *gw_child_new(struct gw *gw, struct gw_sess *s);
struct gw_child *gw_child_by_in(struct gw_sess *s, uint32_t spi_in);
struct gw_child *gw_child_by_out(struct gw_sess *s, uint32_t spi_out);
void gw_child_free(struct gw *gw, struct gw_sess *s, struct gw_child *c);
struct gw_sess *gw_sess_by_child(struct gw *gw, uint32_t spi_in);
void gw_job_add(struct gw *gw, struct gw_ike *ike, enum gw_task task,
		uint32_t spi_in);

/* --- gw_msg.c ------------------------------------------------------------ */
void gw_send(struct gw *gw, const struct gw_path *path, struct bytes dgram);
void gw_flight_clear(struct gw_flight *f);
/* Sends the flight (again). */
void gw_flight_send(struct gw *gw, const struct gw_path *path,
		    const struct gw_flight *f);

/* A chain writer over the scratch buffer. */
void gw_chain_start(struct gw *gw, struct ike_wr *m);
/* Seals the chain as answer to request recv_id - 1 and sends it. */
void gw_answer(struct gw *gw, struct gw_ike *ike, uint8_t exchange,
	       struct ike_wr *m);
void gw_answer_notify(struct gw *gw, struct gw_ike *ike, uint8_t exchange,
		      uint16_t type);
/* Seals and sends our request, starts retransmission. */
void gw_request(struct gw *gw, struct gw_ike *ike, uint8_t exchange,
		struct ike_wr *m);
/* Everything that is not a first message. */
void gw_msg_input(struct gw *gw, struct gw_ike *ike, uint8_t *dgram, size_t len,
		  const struct gw_path *path);
/* Unprotected answer with one notify and SPIr 0. */
void gw_plain_notify(struct gw *gw, const struct ike_hdr *hdr,
		     const struct gw_path *path, uint16_t type,
		     struct bytes data);
/* NAT_DETECTION_* of our side. */
void gw_wr_nat(struct ike_wr *m, uint64_t spi_i, uint64_t spi_r,
	       const struct gw_path *path);
bool gw_nat_seen(const struct ike_msg *msg, uint64_t spi_i, uint64_t spi_r,
		 const struct gw_path *path);

/* --- gw_init.c ----------------------------------------------------------- */
void gw_init_input(struct gw *gw, struct bytes dgram,
		   const struct gw_path *path);
/* True: the request carries the right cookie or none is asked; else a COOKIE
 * was sent. */
bool gw_cookie_ok(struct gw *gw, const struct ike_msg *msg, struct bytes ni,
		  const struct gw_path *path);
/* Keeps the two first messages and nonces for AUTH; ike->auth is new. */
enum err ERR_MUST gw_auth_start(struct gw *gw, struct gw_ike *ike,
				struct bytes first, struct bytes ni);
/* Ends the plain answer m, sends and keeps it. */
enum err ERR_MUST gw_first_answer(struct gw *gw, struct gw_ike *ike,
				  struct ike_wr *m);
/* A retransmission of a first message: answered from memory. */
bool gw_first_repeated(struct gw *gw, struct bytes dgram,
		       const struct ike_hdr *hdr, const struct gw_path *path,
		       uint8_t out_hash[32]);
void gw_read_hashes(const struct ike_msg *msg, struct gw_auth *a);

/* --- gw_resume.c --------------------------------------------------------- */
void gw_resume_input(struct gw *gw, struct bytes dgram,
		     const struct gw_path *path);

/* --- gw_auth.c ----------------------------------------------------------- */
void gw_auth_request(struct gw *gw, struct gw_ike *ike,
		     const struct ike_msg *msg);
/* The last IKE_AUTH answer: the client is who it says. m is open where an
 * EAP-Success or the like must come first, else NULL. */
void gw_auth_finish(struct gw *gw, struct gw_ike *ike, struct bytes psk);
void gw_auth_fail(struct gw *gw, struct gw_ike *ike, uint16_t notify);
/* As it must stand in a certificate. */
enum err ERR_MUST gw_cert_name(const struct gw_id *id, struct peer_name *out);
/* IDr, CERTs, AUTH by our certificate. */
enum err ERR_MUST gw_wr_cert_auth(struct gw *gw, struct gw_ike *ike,
				  struct ike_wr *m);
/* AUTH value over the peer's (or our) octets with a shared secret. */
enum err ERR_MUST gw_psk_value(struct gw *gw, struct gw_ike *ike, bool theirs,
			       struct bytes psk, struct secret *out);
bool gw_shared_auth_ok(struct gw *gw, struct gw_ike *ike,
		       const struct ike_msg *msg, struct bytes psk);
void gw_wr_idr(struct gw *gw, struct ike_wr *m);

/* --- gw_eap.c ------------------------------------------------------------ */
void gw_eap_start(struct gw *gw, struct gw_ike *ike);
void gw_eap_request(struct gw *gw, struct gw_ike *ike,
		    const struct ike_msg *msg);

/* --- gw_lease.c ---------------------------------------------------------- */
enum err ERR_MUST gw_lease_open(struct gw *gw);
/* Reads SA, TS, CP and notifies of the first IKE_AUTH request. */
void gw_want_read(struct gw *gw, const struct ike_msg *msg,
		  struct gw_want *out);
/* Addresses for the session as far as asked for; false: pool exhausted. */
bool gw_lease_take(struct gw *gw, struct gw_sess *s,
		   const struct gw_want *want);
void gw_lease_give(struct gw *gw, struct gw_sess *s);
void gw_wr_cp(struct gw *gw, struct ike_wr *m, const struct gw_sess *s,
	      const struct gw_want *want);
/* Narrows an offer to the session's addresses and our networks. */
bool gw_ts_narrow(struct gw *gw, const struct gw_sess *s,
		  const struct ike_ts_list *client,
		  const struct ike_ts_list *nets, struct ike_ts_list *out_tsi,
		  struct ike_ts_list *out_tsr);

/* --- gw_qcd.c: tokens of RFC 6290 ----------------------------------- */
void gw_wr_token(struct gw *gw, const struct gw_ike *ike, struct ike_wr *m);
/* INVALID_IKE_SPI, with the token of an SA that we have no more. */
void gw_crash_tell(struct gw *gw, const struct ike_hdr *hdr,
		   const struct gw_path *path);

/* --- gw_eap_tls.c -------------------------------------------------------- */
bool gw_tls_start(struct gw *gw, struct gw_ike *ike, struct ike_wr *m);
bool gw_tls_input(struct gw *gw, struct gw_ike *ike, struct bytes data,
		  struct ike_wr *m);
void gw_tls_free(struct gw_auth *a);

/* --- gw_redirect.c: RFC 5685 --------------------------------------------- */
/* Of a first message: would its sender follow? */
bool gw_redirect_knows(const struct ike_msg *msg);
/* True: it was sent elsewhere. */
bool gw_redirect_first(struct gw *gw, const struct ike_msg *msg,
		       struct bytes ni, const struct gw_path *path);
void gw_wr_redirect(struct gw *gw, struct ike_wr *m);

/* --- gw_reauth.c: RFC 4478 ----------------------------------------------- */
void gw_auth_limit(struct gw *gw, struct gw_sess *s, const struct gw_auth *a);
void gw_wr_auth_lifetime(struct gw *gw, const struct gw_sess *s,
			 struct ike_wr *m);
int64_t gw_auth_end_ms(const struct gw *gw, const struct gw_sess *s);

/* --- gw_ticket.c --------------------------------------------------------- */
enum err ERR_MUST gw_ticket_open_keys(struct gw *gw);
/* Adds TICKET_LT_OPAQUE for the SA to m. */
void gw_wr_ticket(struct gw *gw, struct gw_ike *ike, struct ike_wr *m);
/* Adds what the manners say to a TICKET_REQUEST. */
void gw_wr_ticket_answer(struct gw *gw, struct gw_ike *ike, bool asked,
			 bool may_ack, struct ike_wr *m);
/* ERR_TICKET_REFUSED: TICKET_NACK. */
enum err ERR_MUST gw_ticket_find(struct gw *gw, struct bytes ticket,
				 struct gw_tstate *out);
/* It made an SA: a reference is forgotten. */
void gw_ticket_used(struct gw *gw, uint64_t id);
/* The session's tickets are worth nothing any more. */
void gw_tickets_void(struct gw *gw, struct gw_sess *s);
void gw_tickets_free(struct gw *gw);

/* --- gw_child.c ---------------------------------------------------------- */
void gw_create_child_request(struct gw *gw, struct gw_ike *ike,
			     const struct ike_msg *msg);
/* ESP proposals of ours, with KE where the offer has one. */
enum err ERR_MUST gw_esp_select(struct gw *gw,
				const struct proposal_list *offer,
				enum ke_method prefer, struct proposal *out);
/* Our groups as proposals allow them. */
void gw_ike_offer(const struct gw *gw, enum ke_method only,
		  struct proposal_list *out);
/* A new Child SA with keys from ni | nr; shared may be empty. we_initiated:
 * the CREATE_CHILD_SA (or IKE_AUTH) request was ours. */
struct gw_child_keys_in {
	struct bytes shared, ni, nr;
	bool we_initiated;
	bool send_now;
};
enum err ERR_MUST gw_child_install(struct gw *gw, struct gw_ike *ike,
				   struct gw_child *c,
				   const struct gw_child_keys_in *in);
void gw_wr_chosen(struct ike_wr *m, const struct proposal *chosen, uint64_t spi,
		  size_t spi_len);
struct bytes gw_spi_octets(uint64_t spi, size_t len, uint8_t buf[8]);
uint64_t gw_proposal_spi(const struct proposal *p); /* 0: none */
/* Lower of two nonces as RFC 7296 2.8.1 compares them. */
int gw_nonce_cmp(struct bytes a, struct bytes b);

/* --- gw_rekey.c ---------------------------------------------------------- */
void gw_rekey_request(struct gw *gw, struct gw_ike *ike,
		      const struct ike_msg *msg,
		      const struct proposal_list *offer);
/* The new SA takes over the session, and what waits on the old one. */
void gw_take_over(struct gw *gw, struct gw_ike *old, struct gw_ike *to);
void gw_rekey_start(struct gw *gw, struct gw_ike *ike);
void gw_rekey_response(struct gw *gw, struct gw_ike *ike,
		       const struct ike_msg *msg);

/* --- gw_own.c ------------------------------------------------------------ */
/* Starts the next queued job when nothing is open. */
void gw_own_next(struct gw *gw, struct gw_ike *ike);
void gw_own_response(struct gw *gw, struct gw_ike *ike,
		     const struct ike_msg *msg);
void gw_own_done(struct gw *gw, struct gw_ike *ike);
/* Timers of an established SA. */
void gw_own_timeout(struct gw *gw, struct gw_ike *ike);
int64_t gw_own_deadline(const struct gw *gw, const struct gw_ike *ike);

/* --- gw_info.c ----------------------------------------------------------- */
void gw_info_request(struct gw *gw, struct gw_ike *ike,
		     const struct ike_msg *msg, const struct gw_path *path);
void gw_path_set(struct gw *gw, struct gw_ike *ike, const struct gw_path *path);

#endif
