/* A small IKEv2 responder for tests and the demonstration, SANS-IO.
 *
 * It serves many clients at once, issues and takes tickets of RFC 5723 by
 * value and by reference, and can be told to misbehave. It shares codec,
 * protection, cryptography and ESP with the client, and none of the client's
 * state machine. No global state: many gateways may live in one process.
 *
 * Verbs: new, input, next_deadline (+ timeout), next_action, free; and
 * commands. After every verb pull actions until GW_DO_NOTHING. Time is any
 * clock in milliseconds that does not jump back.
 */
#ifndef TESTS_GATEWAY_GW_H
#define TESTS_GATEWAY_GW_H

#include "client/crypto/crypto.h"
#include "client/ike/msg.h"
#include "platform/base/addr.h"

/* Manners that can be switched at the start and while running.
 * X(field, word on the command line and control socket, help) */
#define GW_SWITCH_LIST(X)                                                      \
	X(cookie, "cookie", "demand a COOKIE in every first message")          \
	X(nack, "nack", "TICKET_NACK for every ticket presented")              \
	X(nack_request, "nack-request", "TICKET_NACK when asked for a ticket") \
	X(ack_later, "ack-later",                                              \
	  "TICKET_ACK in IKE_AUTH; the ticket when asked again")               \
	X(auth_only, "auth-only",                                              \
	  "tickets in IKE_AUTH only; other requests unanswered (libreswan)")   \
	X(push, "push", "tickets unasked, after set-up and rekey")             \
	X(silent, "silent", "drop every IKE datagram")                         \
	X(silent_resume, "silent-resume", "drop IKE_SESSION_RESUME")           \
	X(silent_init, "silent-init", "drop IKE_SA_INIT")                      \
	X(silent_ke, "silent-ke", "silence instead of INVALID_KE_PAYLOAD")     \
	X(resume_once, "resume-once",                                          \
	  "drop exact retransmissions of IKE_SESSION_RESUME (libreswan)")      \
	X(refuse_proposal, "refuse-proposal",                                  \
	  "NO_PROPOSAL_CHOSEN for IKE_SESSION_RESUME")                         \
	X(refuse_syntax, "refuse-syntax",                                      \
	  "INVALID_SYNTAX for IKE_SESSION_RESUME")                             \
	X(forged_nack, "forged-nack",                                          \
	  "a forged TICKET_NACK before the true answer")                       \
	X(wrong_idr, "wrong-idr", "another IDr than ours")                     \
	X(wrong_auth, "wrong-auth", "a wrong AUTH value")                      \
	X(early_eap_success, "early-eap-success",                              \
	  "EAP-Success instead of the first EAP request")                      \
	X(early_ticket, "early-ticket", "a ticket in a non-final EAP answer")  \
	X(first_only, "first-only",                                            \
	  "AUTH of a resumption over the first message only (libreswan)")      \
	X(plain_resume, "plain-resume",                                        \
	  "no NAT detection when resuming (libreswan)")                        \
	X(reuse, "reuse", "accept a ticket that was used or voided")           \
	X(new_address, "new-address", "never the inner address asked for")     \
	X(no_mobike, "no-mobike", "do not speak MOBIKE")                       \
	X(refuse_move, "refuse-move",                                          \
	  "UNACCEPTABLE_ADDRESSES when a client moves (MOBIKE)")               \
	X(check_path, "check-path",                                            \
	  "COOKIE2 to the new address of a client that moved")                 \
	X(qcd, "qcd",                                                          \
	  "give tokens, and tell them for SAs that are forgotten (RFC 6290)")  \
	X(wrong_qcd, "wrong-qcd", "tell a wrong token")                        \
	X(no_invalid_spi, "no-invalid-spi",                                    \
	  "silence instead of INVALID_IKE_SPI")                                \
	X(no_additional, "no-additional",                                      \
	  "NO_ADDITIONAL_SAS for every CREATE_CHILD_SA")

struct gw_switches {
#define X(field, word, help) bool field;
	GW_SWITCH_LIST(X)
#undef X
};

/* X(field): events counted since gw_new. */
#define GW_COUNTER_LIST(X)                                                     \
	X(received)                                                            \
	X(sent)                                                                \
	X(dropped)                                                             \
	X(malformed)                                                           \
	X(unauthentic)                                                         \
	X(retransmits_answered)                                                \
	X(retransmitted)                                                       \
	X(sa_inits)                                                            \
	X(cookies_sent)                                                        \
	X(invalid_ke_sent)                                                     \
	X(resumes)                                                             \
	X(nacks_sent)                                                          \
	X(connected)                                                           \
	X(resumed)                                                             \
	X(auth_failed)                                                         \
	X(eap_failed)                                                          \
	X(tickets_issued)                                                      \
	X(tickets_reused)                                                      \
	X(tickets_void)                                                        \
	X(tickets_expired)                                                     \
	X(tickets_unreadable)                                                  \
	X(replaced)                                                            \
	X(ike_rekeys)                                                          \
	X(child_rekeys)                                                        \
	X(child_failed)                                                        \
	X(collisions)                                                          \
	X(deletes_received)                                                    \
	X(deletes_sent)                                                        \
	X(paths_checked)                                                       \
	X(moved)                                                               \
	X(peers_lost)                                                          \
	X(half_open_expired)                                                   \
	X(fragments_in)                                                        \
	X(fragments_out)                                                       \
	X(public_key_ops)                                                      \
	X(invalid_spi_sent)                                                    \
	X(tokens_told)                                                         \
	X(redirected)

struct gw_counters {
#define X(field) uint64_t field;
	GW_COUNTER_LIST(X)
#undef X
};

#define GW_ID_MAX      256
#define GW_DNS_MAX     4
#define GW_DOMAINS_MAX 8
#define GW_OTHERS_MAX  8

/* An identity by value, type is one of ID_*. */
struct gw_id {
	uint8_t type;
	uint16_t len;
	uint8_t b[GW_ID_MAX];
};

struct gw_user {
	const char *name;
	const struct secret *password;
};

enum gw_ticket_kind { GW_TICKETS_NONE = 0, GW_TICKETS_VALUE, GW_TICKETS_REF };

/* Views are borrowed until gw_free. gw_config_default fills the numbers. */
struct gw_config {
	struct gw_id id;
	const struct secret *psk; /* or NULL */
	struct privkey *key;	  /* or NULL */
	const struct bytes *certs;
	size_t n_certs;
	const struct trust *trust; /* of clients with certificates; or NULL */
	const struct gw_user *users;
	size_t n_users;
	bool eap_identity; /* ask for the EAP identity first */
	bool eap_tls;	   /* EAP-TLS with clients of trust, not MSCHAPv2 */
	bool prefer_pkcs1;

	struct prefix pool4, pool6; /* family ADDR_NONE: none */
	struct addr dns[GW_DNS_MAX];
	size_t n_dns;
	const char *domains[GW_DOMAINS_MAX];
	size_t n_domains;
	struct ike_ts_list ts;		   /* networks behind us */
	struct addr others[GW_OTHERS_MAX]; /* our addresses, for MOBIKE */
	size_t n_others;

	struct proposal_list ike, esp; /* esp without KE */
	bool fragmentation;
	uint16_t max_datagram;

	enum gw_ticket_kind tickets;
	uint32_t lifetime_s;
	uint32_t auth_lifetime_s; /* RFC 4478; 0: without end */
	/* wall clock = now + this, in Unix milliseconds */
	int64_t wall_offset_ms;

	uint32_t rto_ms;
	uint8_t max_tries;
	uint32_t dpd_ms;       /* 0: never */
	uint32_t ike_rekey_ms; /* 0: never */
	uint32_t child_rekey_ms;
	uint32_t half_open_ms;
	uint32_t linger_ms; /* how long a dead SA still repeats its answer */
};
void gw_config_default(struct gw_config *c);

struct gw_path {
	struct addr local, remote; /* with ports */
};

/* A Child SA for the data plane. */
struct gw_child_info {
	uint32_t session;
	uint32_t spi_in, spi_out;
	struct suite suite;
	struct secret encr_in, integ_in, encr_out, integ_out;
	/* Send on it now; else after the first packet on it, or when the
	 * one before is deleted. */
	bool send_now;
	struct addr inner_v4, inner_v6; /* or ADDR_NONE */
	struct gw_path path;
};

enum gw_action_kind {
	GW_DO_NOTHING = 0,
	GW_DO_SEND,	 /* u.send */
	GW_DO_CHILD_ADD, /* u.child, valid until the next verb */
	GW_DO_CHILD_DEL, /* u.child_del */
	GW_DO_PATH,	 /* u.path: ESP of that session goes here now */
	GW_DO_UP,	 /* u.up: a client is connected */
	GW_DO_DOWN	 /* u.down: a session ended */
};

struct gw_action {
	enum gw_action_kind kind;
	union {
		struct {
			struct bytes dgram; /* without marker; until the next
					     * gw_next_action */
			struct gw_path path;
		} send;
		const struct gw_child_info *child;
		struct {
			uint32_t session;
			uint32_t spi_in;
		} child_del;
		struct {
			uint32_t session;
			struct gw_path path;
		} path;
		struct {
			uint32_t session;
			bool resumed;
		} up;
		struct {
			uint32_t session;
		} down;
	} u;
};

struct gw;

/* Copies config (not its views). seed: 32 octets of randomness. */
enum err ERR_MUST gw_new(const struct gw_config *config, const uint8_t seed[32],
			 struct gw **out);
void gw_free(struct gw **gw); /* wipes */
/* Takes one datagram without non-ESP marker; decrypts in place. Bad ones are
 * dropped and counted. */
void gw_input(struct gw *gw, uint8_t *dgram, size_t len,
	      const struct gw_path *path, int64_t now_ms);
/* INT64_MAX: never. May be early, never late. */
int64_t gw_next_deadline(const struct gw *gw);
void gw_timeout(struct gw *gw, int64_t now_ms);
struct gw_action gw_next_action(struct gw *gw);
/* An authentic ESP packet of the Child SA came in from path. */
void gw_esp_seen(struct gw *gw, uint32_t spi_in, const struct gw_path *path,
		 int64_t now_ms);

/* --- commands; session 0: all of them. Queued while an exchange is open. ---
 */

void gw_rekey_ike(struct gw *gw, uint32_t session, int64_t now_ms);
void gw_rekey_child(struct gw *gw, uint32_t session, int64_t now_ms);
void gw_delete_ike(struct gw *gw, uint32_t session, int64_t now_ms);
void gw_delete_child(struct gw *gw, uint32_t session, int64_t now_ms);
void gw_check_alive(struct gw *gw, uint32_t session, int64_t now_ms);
void gw_push_ticket(struct gw *gw, uint32_t session, int64_t now_ms);
/* Forgets every SA silently, as after a crash; tickets and keys stay. */
void gw_forget_sas(struct gw *gw);
/* Forgets tickets by reference, the ticket keys and what was used. */
void gw_forget_tickets(struct gw *gw);
/* A new key for tickets by value. Tickets of the key before are still
 * accepted, those of the one before that are not. */
void gw_roll_key(struct gw *gw);

struct gw_switches *gw_switches(struct gw *gw); /* may be changed */
/* By word; false for a word that does not exist. */
bool gw_switch_set(struct gw_switches *s, const char *word, bool on);
void gw_set_ticket_kind(struct gw *gw, enum gw_ticket_kind kind);
void gw_set_lifetime(struct gw *gw, uint32_t lifetime_s);
/* AUTH_LIFETIME of sessions to come; those that live are told it, unless 0. A
 * session is deleted at its end. */
void gw_set_auth_lifetime(struct gw *gw, uint32_t lifetime_s, int64_t now_ms);
/* Clients that know RFC 5685 are sent to another gateway, an address or a
 * name (ERR_MALFORMED), at that point. LIVE: those connected now. */
enum gw_redirect {
	GW_REDIRECT_NEVER = 0,
	GW_REDIRECT_FIRST, /* IKE_SA_INIT, IKE_SESSION_RESUME */
	GW_REDIRECT_AUTH,  /* the last answer of IKE_AUTH */
	GW_REDIRECT_LIVE   /* INFORMATIONAL */
};
enum err ERR_MUST gw_set_redirect(struct gw *gw, enum gw_redirect when,
				  const char *to);
/* Which groups INVALID_KE_PAYLOAD allows: "x25519 ecp256", or all of the
 * proposals with NULL. ERR_PROFILE for an unknown word. */
enum err ERR_MUST gw_set_groups(struct gw *gw, const char *words);

const struct gw_counters *gw_counters(const struct gw *gw);
size_t gw_session_count(const struct gw *gw);
struct gw_session_info {
	uint32_t id;
	struct gw_id idi;
	const char *user; /* EAP user, or "" */
	struct addr inner_v4, inner_v6;
	struct gw_path path;
	bool resumed, mobike, nat;
	size_t n_ikes, n_children;
	int64_t since_ms;
	uint64_t spi_i, spi_r; /* of the IKE SA in use */
	struct suite suite;
};
/* The n-th session, newest first; false when there are fewer. */
bool gw_session_info(const struct gw *gw, size_t n,
		     struct gw_session_info *out);
size_t gw_ike_count(const struct gw *gw);   /* half-open ones too */
size_t gw_child_count(const struct gw *gw); /* of all sessions */
size_t gw_queue_len(const struct gw *gw);   /* actions not yet pulled */

/* What must survive a restart for tickets to work: keys, references, what was
 * used. gives *out (wipe and free). Loading replaces; ERR_MALFORMED leaves
 * the gateway as it was. */
enum err ERR_MUST gw_save_tickets(const struct gw *gw, uint8_t **out,
				  size_t *out_len);
enum err ERR_MUST gw_load_tickets(struct gw *gw, struct bytes blob);

#endif
