/* One IKE SA as initiator, with its Child SA, SANS-IO.
 *
 * Five verbs: new, input, next_deadline (+ timeout), next_action, free; and
 * commands that start an exchange. Time is a boot-clock value in
 * milliseconds, randomness comes from the seed given at the start, datagrams
 * are arguments. After every verb pull actions until IKE_DO_NOTHING.
 */
#ifndef CLIENT_IKE_IKE_SA_H
#define CLIENT_IKE_IKE_SA_H

#include "client/ike/protect.h"

/* X(name, what a person reads) */
#define IKE_STATE_LIST(X)                                                      \
	X(IKE_ST_IDLE, "idle")                                                 \
	X(IKE_ST_INIT, "waiting for IKE_SA_INIT")                              \
	X(IKE_ST_RESUME, "waiting for IKE_SESSION_RESUME")                     \
	X(IKE_ST_AUTH, "waiting for IKE_AUTH")                                 \
	X(IKE_ST_EAP, "EAP")                                                   \
	X(IKE_ST_UP, "established")                                            \
	X(IKE_ST_DELETING, "saying goodbye")                                   \
	X(IKE_ST_CLOSED, "closed")
enum ike_state {
#define X(name, text) name,
	IKE_STATE_LIST(X)
#undef X
};
const char *ike_state_text(enum ike_state s);

enum ike_auth_kind {
	IKE_AUTH_PSK = 1,
	IKE_AUTH_CERT,
	IKE_AUTH_EAP_MSCHAPV2,
	IKE_AUTH_EAP_TLS /* RFC 5216 */
};

/* An identity or other short text, by value. */
#define IKE_NAME_MAX 256
struct ike_name {
	uint8_t type; /* ID_* */
	uint16_t len;
	uint8_t b[IKE_NAME_MAX];
};
/* ERR_NO_SPACE: longer than IKE_NAME_MAX. */
enum err ERR_MUST ike_name_set(struct ike_name *out, uint8_t type,
			       struct bytes value);
/* For people; buf of at least IKE_NAME_MAX + 1. */
const char *ike_name_str(const struct ike_name *n, char *buf, size_t cap);
/* The same identity? Distinguished names compare as dn_equal has it. */
bool ike_name_equal(const struct ike_name *a, const struct ike_name *b);

#define IKE_ADDRS_MAX 8

/* All the core must know; copied by ike_sa_new except the views, which the
 * caller keeps until ike_sa_free. */
struct ike_config {
	struct ike_name id_local;
	struct ike_name id_remote; /* type 0: any (never from a profile) */
	enum ike_auth_kind auth;
	struct ike_name eap_user; /* EAP identity; type unused */
	struct proposal_list ike_proposals;
	struct proposal_list esp_proposals;
	struct ike_ts_list ts_local; /* usually 0/0 and ::/0 */
	struct ike_ts_list ts_remote;
	const struct bytes *certs; /* ours, DER, end entity first; borrowed */
	size_t n_certs;
	struct bytes ca_keyids; /* n x 20 octets for CERTREQ; borrowed */
	bool want_ipv4, want_ipv6, want_dns; /* configuration payload */
	struct addr inner_v4, inner_v6;	     /* ask for these again; or none */
	bool want_ticket;
	bool take_pushed_ticket; /* one that nobody asked for; RFC 5723 6.2
				  * forbids to send it, the drafts did not */
	bool force_encap; /* make the gateway use UDP for ESP, always here */
	/* The data plane carries ESP in UDP only: a resume whose answer has no
	 * NAT detection (libreswan) would make a tunnel that carries nothing,
	 * and counts as refused. So it does where a NAT is certain. */
	bool need_encap;
	bool fragmentation;
	bool mobike; /* announce MOBIKE_SUPPORTED (RFC 4555) */
	/* our addresses on other paths, for ADDITIONAL_IP*_ADDRESS; the one
	 * in use may be among them */
	struct addr addresses[IKE_ADDRS_MAX];
	size_t n_addresses;
	bool redirects;		     /* follow a REDIRECT (RFC 5685) */
	struct addr redirected_from; /* by that gateway; or none */
	bool pfs_after_resume;	     /* rekey with KE right after a resume */
	/* Resume every ticket with libreswan's AUTH octets, see ike_ticket */
	bool resume_auth_first_only;
	/* An unprotected refusal of the ticket is told by IKE_DO_REFUSED, and
	 * the attempt goes on to its own end: a full exchange may begin beside
	 * it. Else it closes soon after. */
	bool keep_after_refusal;
	uint16_t max_datagram; /* IKE octets before fragmenting, 576-1400 */
	uint32_t dpd_ms;       /* silence before a liveness check; 0: never */
	uint32_t ike_rekey_ms; /* 0: never; jitter is the core's */
	uint32_t child_rekey_ms;
	uint32_t rto_ms;       /* first retransmission, 500 to 1000 */
	uint8_t max_tries;     /* transmissions before giving up */
	uint32_t keepalive_ms; /* NAT keepalive; 0: never */
};

/* Where a gateway sends us instead (RFC 5685): one of the two. */
struct ike_redirect {
	struct addr addr; /* without port, or ADDR_NONE */
	char name[254];
};

/* What a resumption needs, by value: what the cache stores. */
#define IKE_TICKET_MAX 60000
struct ike_ticket {
	struct bytes opaque; /* a view; owned by whoever holds the ticket */
	/* As the gateway said (0xffffffff allowed), but for the end of the
	 * authentication; from when it is handed over. */
	uint32_t lifetime_s;
	struct secret sk_d;
	struct suite suite; /* of the IKE SA that got the ticket */
	struct ike_name id_local, id_remote;
	enum ike_auth_kind auth; /* how that SA was authenticated */
	struct addr inner_v4, inner_v6;
	bool peer_fragments; /* the gateway knows RFC 7383 */
	/* In the AUTH of a resume this gateway covers the first message only
	 * (libreswan), not all that RFC 7296 2.15 names. */
	bool auth_first_only;
	/* RFC 4478: the authentication lasts as long as the ticket and that
	 * much longer. Unset: the gateway told no end. */
	bool auth_limited;
	uint32_t auth_extra_s;
};

/* Paths: where a datagram goes. Over TCP (RFC 9329) nothing is sent twice,
 * nothing is fragmented and no NAT is kept open. */
struct ike_path {
	struct addr local, remote; /* with ports */
	bool tcp;
	uint16_t mtu; /* largest IP packet, as the host knows it; 0: unknown */
};

#define IKE_DNS_MAX	8
#define IKE_DOMAINS_MAX 16
struct ike_netconf {
	struct addr inner_v4, inner_v6; /* family ADDR_NONE where absent */
	uint8_t inner_v6_bits;
	uint8_t n_dns;
	struct addr dns[IKE_DNS_MAX];
	uint8_t n_domains;
	char domains[IKE_DOMAINS_MAX][254];	/* RFC 8598 */
	struct ike_ts_list ts_local, ts_remote; /* as narrowed */
};

struct ike_child_sa {
	uint32_t spi_in;  /* ours: what the gateway puts into packets to us */
	uint32_t spi_out; /* the gateway's */
	struct suite suite;
	struct secret encr_in, integ_in, encr_out, integ_out;
	bool is_rekey; /* takes over from spi_in_old */
	uint32_t spi_in_old;
	/* A rekey that the gateway began: it may not be ready for the new one
	 * until it sends on it, or deletes the old one (RFC 7296 2.8). */
	bool by_peer;
	bool plain; /* ESP without UDP, see ike_sa_esp_is_plain */
};

enum ike_action_kind {
	IKE_DO_NOTHING = 0,
	IKE_DO_SEND,	     /* u.send */
	IKE_DO_KEEPALIVE,    /* one octet 0xff on the path, no marker */
	IKE_DO_ASK_SECRET,   /* u.ask_secret -> ike_sa_give_secret */
	IKE_DO_ASK_SIGN,     /* u.ask_sign -> ike_sa_give_signature */
	IKE_DO_ASK_VERIFY,   /* u.ask_verify -> ike_sa_give_verdict */
	IKE_DO_ASK_TLS,	     /* u.ask_tls -> ike_sa_give_tls */
	IKE_DO_NETCONF,	     /* u.netconf: before the first CHILD_ADD */
	IKE_DO_CHILD_ADD,    /* u.child */
	IKE_DO_CHILD_DEL,    /* u.child_del: spi_in */
	IKE_DO_TICKET,	     /* u.ticket: store it, replaces the one before */
	IKE_DO_TICKET_NONE,  /* u.ticket_none: asked, and none came */
	IKE_DO_TICKET_VOID,  /* forget the stored one (rekeyed, deleted) */
	IKE_DO_TICKET_SPENT, /* the presented one made an SA: never again */
	IKE_DO_REFUSED,	     /* u.refused: the ticket, by an unprotected
			      * message; once, see keep_after_refusal */
	IKE_DO_UP,	     /* u.up: the tunnel is established */
	IKE_DO_MOVED,	     /* u.moved: the end of ike_sa_move */
	IKE_DO_PROBED,	     /* u.probed: the end of ike_sa_probe, _len */
	IKE_DO_ALIVE,	     /* u.alive: a liveness check was answered */
	IKE_DO_CLOSED	     /* u.closed: nothing follows */
};

/* The mapping of the NAT before us, as the gateway saw it (RFC 4555 3.8). */
enum ike_mapping {
	IKE_MAPPING_UNTOLD = 0,
	IKE_MAPPING_SAME,
	IKE_MAPPING_OTHER /* or the SA was rekeyed since the last check */
};

struct ike_action {
	enum ike_action_kind kind;
	union {
		struct {
			struct bytes dgram; /* without non-ESP marker */
			struct ike_path path;
		} send;
		struct {
			bool is_password; /* else a pre-shared key */
		} ask_secret;
		struct {
			/* What to sign: octets, one after the other. */
			struct bytes octets[3];
			uint32_t peer_hashes; /* see struct sign_policy */
		} ask_sign;
		struct {
			struct bytes certs[CERT_CHAIN_MAX];
			size_t n_certs;
			uint8_t method; /* AUTH method */
			struct bytes auth_data;
			struct bytes octets[3];
			struct ike_name id; /* must stand in the certificate */
		} ask_verify;
		struct {
			bool start;	    /* a new handshake, as client */
			struct bytes in;    /* the server's flight */
			struct ike_name id; /* the gateway's */
		} ask_tls;
		const struct ike_netconf *netconf; /* until the next verb */
		const struct ike_child_sa *child;  /* until the next verb */
		struct {
			uint32_t spi_in;
		} child_del;
		const struct ike_ticket *ticket; /* until the next verb */
		struct {
			bool later; /* TICKET_ACK: to be asked for again; else
				     * it is refused or not known */
		} ticket_none;
		struct {
			enum err why;
			const char *detail; /* one line, until the next verb */
			const struct ike_redirect *redirect; /* or NULL */
		} refused;
		struct {
			bool resumed;
			bool behind_nat; /* ours: someone changes our address */
		} up;
		struct {
			bool ok; /* else the SA stays on the path before */
			bool behind_nat;
		} moved;
		struct {
			enum ike_mapping mapping;
		} alive;
		struct {
			bool ok; /* the path reached the gateway and back */
			struct ike_path path;
			uint16_t len; /* of ike_sa_probe_len; or 0 */
		} probed;
		struct {
			enum err why;
			const char *detail; /* one line, until free */
			bool auth_sent; /* an IKE_AUTH request left (a ticket
					 * presented may have been used) */
			/* A resume got as far as IKE_AUTH, and the gateway
			 * found our AUTH wrong there: perhaps it wants the
			 * other form, see auth_first_only. The ticket made no
			 * SA. */
			bool resume_auth_failed;
			/* The gateway found our AUTH wrong after two requests
			 * of IKE_SA_INIT, without and with a COOKIE: perhaps
			 * it answered the one, and AUTH covers the other (RFC
			 * 7296 2.6). Worth one more attempt. */
			bool init_in_doubt;
			/* The gateway to go to instead, or NULL; until free.
			 * Unless unprotected (state was INIT or RESUME) this
			 * gateway said so. Not more than a few in a row: RFC
			 * 5685 7. A ticket is void there. */
			const struct ike_redirect *redirect;
		} closed;
	} u;
};

/* Counters for status and the demo's table. */
struct ike_stats {
	uint32_t round_trips; /* requests answered until established */
	uint32_t sent_packets, received_packets;
	uint64_t sent_octets, received_octets; /* UDP payloads */
	uint32_t retransmissions;
	uint32_t rtt_ms; /* of the last unretransmitted exchange; 0 unknown */
};

struct ike_sa;

/* Copies config (not its views). seed: 32 octets of randomness. */
enum err ERR_MUST ike_sa_new(const struct ike_config *config,
			     const uint8_t seed[32], struct ike_sa **out);
void ike_sa_free(struct ike_sa **sa); /* wipes */

/* Starts IKE_SA_INIT, or IKE_SESSION_RESUME with a ticket (copied). */
enum err ERR_MUST ike_sa_start(struct ike_sa *sa, const struct ike_path *path,
			       int64_t now_ms);
enum err ERR_MUST ike_sa_resume(struct ike_sa *sa,
				const struct ike_ticket *ticket,
				const struct ike_path *path, int64_t now_ms);
/* No answer said yet which path will do: of a first request, or of a move. */
bool ike_sa_is_racing(const struct ike_sa *sa);
/* One more path for it; the first answer decides. A first request goes there
 * too, as an SA of its own to the gateway (another SPI, NAT detection of that
 * path), and is not given up at once. A move goes on over this one, until an
 * answer over one of those before brings it back. ERR_STATE: not racing.
 * ERR_NO_SPACE: too many. */
enum err ERR_MUST ike_sa_race(struct ike_sa *sa, const struct ike_path *path,
			      int64_t now_ms);
/* Where its requests go: what an answer decided, or a move. From port 500 on
 * to 4500 once there was an answer (RFC 7296 2.23). */
const struct ike_path *ike_sa_path(const struct ike_sa *sa);
/* The gateway is reached over another connection (RFC 9329 6.1): what is open
 * is sent again, else it is asked whether it lives. */
enum err ERR_MUST ike_sa_reconnect(struct ike_sa *sa,
				   const struct ike_path *path, int64_t now_ms);
/* IP payload of the first datagram that ike_sa_resume sends on port 4500 with
 * this ticket: UDP header, non-ESP marker and message. It cannot be fragmented
 * (RFC 7383 4); with a COOKIE it grows by 8 to 72 octets. */
size_t ike_ticket_request_len(const struct ike_config *config,
			      const struct ike_ticket *ticket);
/* A datagram without the non-ESP marker; it is decrypted in place. One that
 * does not belong to this SA is ERR_NOT_FOUND, everything else bad is
 * dropped, counted and OK. */
enum err ERR_MUST ike_sa_input(struct ike_sa *sa, uint8_t *dgram, size_t len,
			       const struct ike_path *path, int64_t now_ms);
/* Does this datagram bear an SPI of this SA? */
bool ike_sa_owns(const struct ike_sa *sa, struct bytes dgram);
/* When ike_sa_timeout wants to be called; INT64_MAX: never. */
int64_t ike_sa_next_deadline(const struct ike_sa *sa);
void ike_sa_timeout(struct ike_sa *sa, int64_t now_ms);
struct ike_action ike_sa_next_action(struct ike_sa *sa);

/* Answers to ASK_*. Anything but the open question is ERR_STATE. */
enum err ERR_MUST ike_sa_give_secret(struct ike_sa *sa,
				     const struct secret *secret,
				     int64_t now_ms);
/* NULL-like empty data means: no signature can be made; closes. */
enum err ERR_MUST ike_sa_give_signature(struct ike_sa *sa, uint8_t method,
					struct bytes auth_data, int64_t now_ms);
/* verdict OK: both the chain and the AUTH signature are right. Else the SA
 * closes with that error and detail. */
enum err ERR_MUST ike_sa_give_verdict(struct ike_sa *sa, enum err verdict,
				      const char *detail, int64_t now_ms);

/* One step of the TLS handshake of EAP-TLS. */
struct ike_tls_step {
	enum err verdict; /* else the SA closes with it and with detail */
	const char *detail;
	struct bytes out; /* our flight, may be empty; borrowed */
	bool done;	  /* both sides have proved themselves */
	struct secret msk;
};
enum err ERR_MUST ike_sa_give_tls(struct ike_sa *sa,
				  const struct ike_tls_step *step,
				  int64_t now_ms);

/* Commands of an established SA; queued while an exchange is open. */
enum err ERR_MUST ike_sa_rekey_ike(struct ike_sa *sa, int64_t now_ms);
enum err ERR_MUST ike_sa_rekey_child(struct ike_sa *sa, int64_t now_ms);
enum err ERR_MUST ike_sa_ask_ticket(struct ike_sa *sa, int64_t now_ms);
enum err ERR_MUST ike_sa_check_alive(struct ike_sa *sa, int64_t now_ms);
/* MOBIKE (RFC 4555): the SA and its Child SAs go to another path, in one round
 * trip. Everything is sent there from now on; IKE_DO_MOVED says whether the
 * gateway took it, CLOSED when it did not answer at all. Called again before
 * that, the last path counts. Not asked for, IKE_DO_MOVED tells of a NAT
 * whose mapping changed. ERR_UNSUPPORTED: ike_sa_can_move says no. */
enum err ERR_MUST ike_sa_move(struct ike_sa *sa,
			      const struct ike_path *new_path, int64_t now_ms);
/* Does another path reach the gateway (RFC 4555 3.10)? The SA stays where it
 * is; IKE_DO_PROBED tells, within half a second where the gateway is near.
 * ERR_UNSUPPORTED: ike_sa_can_move says no. ERR_BUSY: one at a time, and not
 * while the SA moves. */
enum err ERR_MUST ike_sa_probe(struct ike_sa *sa, const struct ike_path *path,
			       int64_t now_ms);
/* Does an IP packet of len octets (576 to 1500) reach the gateway, over the
 * path in use and whole? For where the message that it does not is lost (RFC
 * 8899): a liveness check that is padded to so much. Where that goes
 * unanswered and one without padding is answered, IKE_DO_PROBED says no.
 * ERR_UNSUPPORTED: over TCP. ERR_BUSY as above. ERR_STATE: not up. */
enum err ERR_MUST ike_sa_probe_len(struct ike_sa *sa, uint16_t len,
				   int64_t now_ms);
/* Established, and the gateway speaks MOBIKE. */
bool ike_sa_can_move(const struct ike_sa *sa);
/* The gateway's other addresses, port 0 (RFC 4555 3.4, 3.6); borrowed until
 * the next verb. */
const struct addr *ike_sa_addresses(const struct ike_sa *sa, size_t *out_n);
/* DELETE of the IKE SA; closes with ERR_CANCELLED after the answer or after
 * a few tries. */
enum err ERR_MUST ike_sa_delete(struct ike_sa *sa, int64_t now_ms);
/* An authentic ESP packet came in at now: liveness (RFC 7296 2.4). */
void ike_sa_heard(struct ike_sa *sa, int64_t now_ms);
/* An ESP packet went out at now: no keepalive is due. */
void ike_sa_spoke(struct ike_sa *sa, int64_t now_ms);
/* From now on this in place of ike_config's keepalive_ms. */
void ike_sa_set_keepalive(struct ike_sa *sa, uint32_t interval_ms);

/* From now on this in place of ike_config's need_encap. */
void ike_sa_set_need_encap(struct ike_sa *sa, bool need);

enum ike_state ike_sa_state(const struct ike_sa *sa);
const struct ike_stats *ike_sa_stats(const struct ike_sa *sa);
/* The gateway has not looked for a NAT on the path (RFC 7296 2.23): it sends
 * and takes ESP without UDP around it. Not over TCP. */
bool ike_sa_esp_is_plain(const struct ike_sa *sa);
/* When the gateway's AUTH_LIFETIME ends (RFC 4478): a full exchange has to be
 * through before. Changes at any time; INT64_MAX: never. */
int64_t ike_sa_reauth_at(const struct ike_sa *sa);
/* The agreed suites; of an established SA. child may be NULL. */
const struct suite *ike_sa_suite(const struct ike_sa *sa);
const struct suite *ike_sa_child_suite(const struct ike_sa *sa);

#endif
