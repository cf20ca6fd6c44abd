/* IKEv2 messages: parse and write (RFC 7296 section 3). A parser never
 * allocates, logs or replies; it gives views into the octets it was handed.
 * Structure first (this file), meaning later (the exchanges). */
#ifndef CLIENT_IKE_MSG_H
#define CLIENT_IKE_MSG_H

#include "client/crypto/crypto.h"
#include "client/ike/ikev2.h"
#include "platform/base/addr.h"

#define IKE_PAYLOADS_MAX 48
#define IKE_MSG_MAX	 65535

struct ike_hdr {
	uint64_t spi_i, spi_r;
	uint8_t next_payload;
	uint8_t exchange;
	uint8_t flags;
	uint32_t msg_id;
	uint32_t len; /* whole message, header included */
};

struct ike_payload {
	uint8_t type;
	bool critical;
	struct bytes body; /* without the generic header */
};

/* A parsed chain: views, owns nothing. Payloads of unknown type without the
 * critical bit are left out; one with it ends the parse with
 * ERR_UNSUPPORTED and unknown_critical set. A critical bit on a payload we
 * know is ignored (RFC 7296 2.5). */
struct ike_msg {
	struct ike_hdr hdr;
	struct ike_payload payloads[IKE_PAYLOADS_MAX];
	size_t n_payloads;
	uint8_t unknown_critical;
	/* SK or SKF, where one closes the chain: body of it, and the type of
	 * the first payload inside. */
	uint8_t sk_type; /* 0, PLD_SK or PLD_SKF */
	uint8_t sk_first;
	size_t sk_offset; /* of the SK payload's generic header in the message
			   */
	struct bytes sk_body;
};

/* Header only: length field equals dgram.len (else ERR_TRUNCATED or
 * ERR_MALFORMED), major version 2 (else ERR_UNSUPPORTED; out is filled even
 * then, for INVALID_MAJOR_VERSION). dgram: without the non-ESP marker. */
enum err ERR_MUST ike_hdr_parse(struct bytes dgram, struct ike_hdr *out);
/* Header and unencrypted chain. ERR_TRUNCATED, ERR_MALFORMED (a payload of
 * less than 4 octets, octets left over, something behind SK, more than
 * IKE_PAYLOADS_MAX payloads), ERR_UNSUPPORTED (version; unknown_critical). */
enum err ERR_MUST ike_msg_parse(struct bytes dgram, struct ike_msg *out);
/* A chain alone (the inside of SK, in which no SK may stand), appended to
 * msg->payloads. Errors as above. */
enum err ERR_MUST ike_chain_parse(uint8_t first, struct bytes chain,
				  struct ike_msg *msg);
/* The n-th (from 0) payload of the type, or NULL. */
const struct ike_payload *ike_msg_find(const struct ike_msg *msg, uint8_t type,
				       size_t n);
size_t ike_msg_count(const struct ike_msg *msg, uint8_t type);

/* --- payloads: parse --------------------------------------------------- */

struct ike_ke {
	uint16_t method;
	struct bytes data;
};
struct ike_id {
	uint8_t type;
	struct bytes data;
};
struct ike_auth {
	uint8_t method;
	struct bytes data;
};
struct ike_notify {
	uint8_t proto;
	uint16_t type;
	struct bytes spi;
	struct bytes data;
};
struct ike_cert {
	uint8_t encoding;
	struct bytes data;
};
#define IKE_DELETE_SPIS_MAX 16
struct ike_delete {
	uint8_t proto;
	size_t n_spis;
	uint32_t spis[IKE_DELETE_SPIS_MAX]; /* ESP; none for IKE */
};
struct ike_eap {
	uint8_t code;
	uint8_t id;
	uint8_t type;	   /* 0 for success and failure */
	struct bytes data; /* behind the type */
};

/* ERR_TRUNCATED where a fixed field is cut off, ERR_MALFORMED where lengths
 * disagree or a part that must be there is empty (key exchange data, AUTH
 * data). Views live as long as body. A delete of more than
 * IKE_DELETE_SPIS_MAX SPIs keeps the first ones. Identities: the length is
 * checked for the two address types only. An EAP packet fills its payload. */
enum err ERR_MUST ike_ke_parse(struct bytes body, struct ike_ke *out);
enum err ERR_MUST ike_id_parse(struct bytes body, struct ike_id *out);
enum err ERR_MUST ike_auth_parse(struct bytes body, struct ike_auth *out);
/* 16 to 256 octets, else ERR_MALFORMED. */
enum err ERR_MUST ike_nonce_parse(struct bytes body, struct bytes *out);
enum err ERR_MUST ike_notify_parse(struct bytes body, struct ike_notify *out);
enum err ERR_MUST ike_cert_parse(struct bytes body, struct ike_cert *out);
enum err ERR_MUST ike_delete_parse(struct bytes body, struct ike_delete *out);
enum err ERR_MUST ike_eap_parse(struct bytes body, struct ike_eap *out);
/* First well-formed notify of the type in the message; false when none. */
bool ike_msg_notify(const struct ike_msg *msg, uint16_t type,
		    struct ike_notify *out);
/* First error notify (type below 16384); false when none. */
bool ike_msg_error(const struct ike_msg *msg, struct ike_notify *out);

/* Traffic selectors, RFC 7296 3.13. */
#define IKE_TS_MAX 64
struct ike_ts {
	uint8_t proto; /* IP protocol, 0: any */
	uint16_t port_from, port_to;
	struct addr from, to; /* inclusive; ports in them unused */
};
struct ike_ts_list {
	size_t n;
	struct ike_ts ts[IKE_TS_MAX];
};
/* Selectors of other types are left out (the list may be empty then), and
 * those past IKE_TS_MAX. Ports 65535 to 0: OPAQUE. ERR_MALFORMED: no
 * selector at all, a range that runs backwards, lengths. */
enum err ERR_MUST ike_ts_parse(struct bytes body, struct ike_ts_list *out);
void ike_ts_from_prefix(const struct prefix *p, struct ike_ts *out);
/* Every selector of inner lies inside one of outer. */
bool ike_ts_subset(const struct ike_ts_list *inner,
		   const struct ike_ts_list *outer);
/* What of offer is allowed by policy (responder's narrowing, 2.9). */
void ike_ts_narrow(const struct ike_ts_list *offer,
		   const struct ike_ts_list *policy, struct ike_ts_list *out);
/* Smallest list of prefixes that covers the addresses of ts exactly; at most
 * cap (62 do for any IPv4 range, 254 for IPv6), returns the count, 0 when it
 * does not fit or the range runs backwards. */
size_t ike_ts_to_prefixes(const struct ike_ts *ts, struct prefix *out,
			  size_t cap);

/* Configuration payload, RFC 7296 3.15. */
#define IKE_CP_MAX 128 /* split DNS (RFC 8598) comes with many domains */
struct ike_cp_attr {
	uint16_t type;
	struct bytes value;
};
struct ike_cp {
	uint8_t type;
	size_t n;
	struct ike_cp_attr attrs[IKE_CP_MAX]; /* further ones are left out */
};
/* Structure only: lengths of values are for who reads them (RFC 7296 3.15.1;
 * 0 octets in a request). */
enum err ERR_MUST ike_cp_parse(struct bytes body, struct ike_cp *out);

/* --- proposals (RFC 7296 3.3) ------------------------------------------ */

#define PROPOSAL_TRANSFORMS_MAX 48 /* strongSwan's default has 38 */
#define PROPOSALS_MAX		8

struct transform {
	uint8_t type;
	uint16_t id;
	uint16_t key_bits; /* 0: no Key Length attribute */
};
struct proposal {
	uint8_t num;
	uint8_t proto;
	struct bytes spi;
	size_t n;
	struct transform t[PROPOSAL_TRANSFORMS_MAX];
};
struct proposal_list {
	size_t n;
	struct proposal p[PROPOSALS_MAX];
};
/* What was agreed on. integ is INTEG_NONE with an AEAD; prf 0 for ESP; ke
 * KE_NONE where none was asked. */
struct suite {
	struct cipher_algs cipher;
	enum prf prf;
	enum ke_method ke;
	bool esn;
};

/* Transforms we do not know stay in as numbers; proposals and transforms
 * past our limits are left out. Transforms with an attribute we do not know
 * are left out (3.3.6); a proposal that lost all of one type that way is left
 * out as a whole, so no algorithm silently becomes optional. ERR_TRUNCATED,
 * ERR_MALFORMED (no proposal at all, counts or last-flags that disagree). */
enum err ERR_MUST proposals_parse(struct bytes sa_body,
				  struct proposal_list *out);
/* "aes256gcm16-prfsha384-x25519, aes256-sha256-ecp256" to proposals; for
 * ESP PRF words are wrong, KE words (PFS) allowed, "esn"/"noesn" allowed
 * (default: offer both). A word of an obsolete algorithm is refused by
 * name in diag (ERR_PROFILE). AEAD and CBC in one word list: error. */
enum err ERR_MUST proposals_from_text(const char *text, uint8_t proto,
				      struct proposal_list *out,
				      struct diag *diag);
/* Our defaults: AEAD and CBC in separate proposals, X25519 first. For ESP the
 * ones with KE (PFS) stand before the same without, for gateways that have
 * none configured. */
void proposals_default(uint8_t proto, struct proposal_list *out);
/* Takes the KE transforms out (for the SA payload of IKE_AUTH, RFC 7296 1.2)
 * and proposals that became doubles; numbers the rest from 1. */
void proposals_drop_ke(struct proposal_list *l);
/* Sets the SPI of every proposal; a view, borrowed. */
void proposals_set_spi(struct proposal_list *l, struct bytes spi);
/* Responder: the first of ours that theirs can satisfy; the chosen one as
 * one proposal with single transforms (num and spi of theirs).
 * ERR_NO_PROPOSAL. */
enum err ERR_MUST proposals_select(const struct proposal_list *ours,
				   const struct proposal_list *theirs,
				   struct proposal *out);
/* Initiator: the answer must hold exactly one proposal, a subset of an offer
 * of ours with one transform a type. ERR_NO_PROPOSAL. */
enum err ERR_MUST proposals_check_answer(const struct proposal_list *offer,
					 const struct proposal_list *answer,
					 struct proposal *out);
/* Meaning of a proposal with single transforms; ERR_NO_PROPOSAL for an
 * algorithm we do not speak or a part that is missing. */
enum err ERR_MUST suite_from_proposal(const struct proposal *p,
				      struct suite *out);
/* "aes256gcm16-prfsha384-x25519"; ESP: "aes256-sha256-esn". Cut off to cap
 * octets with the NUL. Returns buf. */
const char *suite_str(const struct suite *s, char *buf, size_t cap);
/* Is the method offered in one of the proposals? The first one: KE_NONE if
 * none. */
bool proposals_have_ke(const struct proposal_list *l, enum ke_method method);
enum ke_method proposals_first_ke(const struct proposal_list *l);

/* --- write ------------------------------------------------------------- */

/* Writes a message payload by payload; chains next-payload fields itself.
 * Errors are sticky in w (no room, a payload over 64 KiB); ike_wr_end tells.
 * All fields are private. */
struct ike_wr {
	struct wr w;
	size_t next_at;	   /* where the type of the next payload goes */
	size_t payload_at; /* generic header of the open payload */
	uint8_t first;	   /* type of the first payload, 0 when none yet */
	bool has_hdr;
};
/* The header as it stands in hdr, next_payload and len too. */
void ike_hdr_write(struct wr *w, const struct ike_hdr *hdr);
/* Starts with a header; the length is filled by ike_wr_end. */
void ike_wr_start(struct ike_wr *m, void *buf, size_t cap,
		  const struct ike_hdr *hdr);
/* Starts a chain without header (the inside of SK). first: its type is told
 * by ike_wr_first after the first payload. */
void ike_wr_start_chain(struct ike_wr *m, void *buf, size_t cap);
uint8_t ike_wr_first(const struct ike_wr *m);
void ike_wr_open_payload(struct ike_wr *m, uint8_t type);
void ike_wr_close_payload(struct ike_wr *m);
/* OK or ERR_NO_SPACE; sets the header's length field (not for a chain). */
enum err ERR_MUST ike_wr_end(struct ike_wr *m, struct bytes *out);

void ike_wr_payload(struct ike_wr *m, uint8_t type, struct bytes body);
void ike_wr_sa(struct ike_wr *m, const struct proposal_list *l);
/* One chosen proposal. */
void ike_wr_sa_one(struct ike_wr *m, const struct proposal *p);
void ike_wr_ke(struct ike_wr *m, uint16_t method, struct bytes data);
void ike_wr_id(struct ike_wr *m, uint8_t payload, const struct ike_id *id);
void ike_wr_cert(struct ike_wr *m, uint8_t payload, struct bytes der);
void ike_wr_auth(struct ike_wr *m, uint8_t method, struct bytes data);
void ike_wr_notify(struct ike_wr *m, uint16_t type, struct bytes data);
/* With protocol and SPI (REKEY_SA, CHILD_SA_NOT_FOUND). */
void ike_wr_notify_spi(struct ike_wr *m, uint16_t type, uint8_t proto,
		       uint32_t spi);
void ike_wr_delete_ike(struct ike_wr *m);
void ike_wr_delete_esp(struct ike_wr *m, const uint32_t *spis, size_t n);
void ike_wr_ts(struct ike_wr *m, uint8_t payload,
	       const struct ike_ts_list *list);
void ike_wr_cp(struct ike_wr *m, const struct ike_cp *cp);
void ike_wr_eap(struct ike_wr *m, const struct ike_eap *eap);

#endif
