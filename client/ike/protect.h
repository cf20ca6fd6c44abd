/* Key material and the encrypted payload: SK (RFC 7296 3.14) and SKF
 * (RFC 7383). Used by the client's core and by the test gateway. */
#ifndef CLIENT_IKE_PROTECT_H
#define CLIENT_IKE_PROTECT_H

#include "client/ike/msg.h"

#define IKE_FRAGMENTS_MAX 64

/* RFC 7296 2.14. */
struct ike_keys {
	struct suite suite;
	struct secret sk_d, sk_ai, sk_ar, sk_ei, sk_er, sk_pi, sk_pr;
};

/* Everything SKEYSEED hangs on. Views; nonces without payload header. */
struct ike_seed {
	struct bytes ni, nr;
	uint64_t spi_i, spi_r;
};

/* SKEYSEED = prf(Ni | Nr, g^ir), then prf+ (2.14). */
/* Errors of all three: ERR_UNSUPPORTED (suite), ERR_CRYPTO, ERR_NO_SPACE
 * (nonces too long); out is wiped then. The caller wipes it in the end. */
enum err ERR_MUST ike_keys_initial(const struct suite *suite,
				   const struct ike_seed *seed,
				   struct bytes shared, struct ike_keys *out);
/* SKEYSEED = prf(SK_d of old, g^ir | Ni | Nr) with the OLD prf; then prf+
 * with the new one (2.18). */
enum err ERR_MUST ike_keys_rekey(const struct suite *suite,
				 const struct ike_seed *seed,
				 struct bytes shared,
				 const struct ike_keys *old,
				 struct ike_keys *out);
/* SKEYSEED = prf(SK_d_old, "Resumption" | Ni | Nr), RFC 5723 5.1. */
enum err ERR_MUST ike_keys_resume(const struct suite *suite,
				  const struct ike_seed *seed,
				  struct bytes sk_d_old, struct ike_keys *out);
void ike_keys_wipe(struct ike_keys *k);

/* KEYMAT = prf+(SK_d, [g^ir |] Ni | Nr), RFC 7296 2.17. In the order of the
 * initiator of the exchange: out_i carries data from initiator. Keys as
 * cipher_new wants them (salt at the end of encr). */
struct child_keys {
	struct secret encr_i, integ_i, encr_r, integ_r;
};
enum err ERR_MUST child_keys_derive(const struct suite *suite, enum prf prf,
				    const struct secret *sk_d,
				    const struct bytes *parts, size_t n_parts,
				    struct child_keys *out);
void child_keys_wipe(struct child_keys *k);

/* The two ciphers of an IKE SA as one side uses them. */
struct ike_protect {
	struct cipher *seal;
	struct cipher *open;
	uint64_t iv_counter; /* AEAD IVs, never repeated under a key */
	struct rng *rng;     /* borrowed: CBC IVs */
};
enum err ERR_MUST ike_protect_new(const struct ike_keys *keys,
				  bool is_initiator, struct rng *rng,
				  struct ike_protect *out);
void ike_protect_free(struct ike_protect *p);

/* hdr | SK{chain} into out, where it stands. first: type of the first payload
 * of chain. hdr's next_payload and len are set here. ERR_NO_SPACE (out, or
 * more than 64 KiB) leaves nothing of it in out. */
enum err ERR_MUST ike_seal(struct ike_protect *p, const struct ike_hdr *hdr,
			   uint8_t first, struct bytes chain, struct wr *out);
/* Most octets of a chain in one datagram of max_len, not in fragments. */
size_t ike_seal_room(const struct ike_protect *p, size_t max_len);
/* How many datagrams chain needs when no datagram is longer than max_len
 * (IKE octets, without IP, UDP and marker); 1: SK, more: SKF; 0: it cannot
 * be done (max_len too small, more than IKE_FRAGMENTS_MAX). */
size_t ike_fragments(const struct ike_protect *p, size_t chain_len,
		     size_t max_len);
/* The number-th (from 1) of total SKF datagrams; total as ike_fragments tells
 * for max_len, else ERR_STATE. */
struct ike_frag {
	uint16_t number, total;
	size_t max_len;
};
enum err ERR_MUST ike_seal_frag(struct ike_protect *p,
				const struct ike_hdr *hdr, uint8_t first,
				struct bytes chain, const struct ike_frag *frag,
				struct wr *out);
/* Decrypts the SK payload of msg (dgram is what msg was parsed from; it is
 * decrypted in place, hence writable) and parses the inner chain into msg;
 * payloads that stood outside of SK are gone then. ERR_INTEGRITY (also: too
 * short, no SK there): drop silently. Any other error is of a genuine
 * message: ERR_TRUNCATED, ERR_MALFORMED, ERR_UNSUPPORTED as ike_msg_parse. */
enum err ERR_MUST ike_open(struct ike_protect *p, uint8_t *dgram,
			   size_t dgram_len, struct ike_msg *msg);

/* Reassembly of SKF (RFC 7383 2.6), one message at a time. Owns its
 * buffers; bounded: 64 KiB and 64 fragments. The caller has looked at the
 * message ID: a genuine fragment of another message starts anew. */
struct ike_reasm;
enum err ERR_MUST ike_reasm_new(struct ike_reasm **out);
void ike_reasm_free(struct ike_reasm **r);
void ike_reasm_reset(struct ike_reasm *r);
/* Decrypts and stores one SKF datagram. *out_done: all have come; then the
 * inner chain is parsed into msg (header of the fragment, sk_type PLD_SKF)
 * and its views live until the next call; an error beside *out_done is one
 * of the chain, as with ike_open. A different total starts anew where larger,
 * is dropped where smaller. Drop silently: ERR_INTEGRITY, ERR_REPLAY (is
 * here already, smaller total), ERR_NO_SPACE (past our bounds). */
enum err ERR_MUST ike_reasm_add(struct ike_reasm *r, struct ike_protect *p,
				uint8_t *dgram, size_t dgram_len,
				struct ike_msg *msg, bool *out_done);

/* --- values of the exchanges ------------------------------------------- */

/* NAT_DETECTION_*: SHA-1(SPIi | SPIr | address | port), RFC 7296 2.23. */
enum err ERR_MUST ike_nat_hash(uint64_t spi_i, uint64_t spi_r,
			       const struct addr *addr, uint8_t out[20]);
/* RestOfIDPayload hashed: prf(SK_px, ID type, reserved, data), 2.15. */
enum err ERR_MUST ike_maced_id(enum prf prf, const struct secret *sk_p,
			       const struct ike_id *id, struct secret *out);
/* The octets to sign are msg | nonce | MACedID: three parts. */
/* AUTH of a shared key: prf(prf(psk, "Key Pad for IKEv2"), octets). Also
 * with the EAP MSK as psk. */
enum err ERR_MUST ike_auth_psk(enum prf prf, struct bytes psk,
			       const struct bytes *octets, size_t n_octets,
			       struct secret *out);
/* AUTH on resumption: prf(SK_px, octets) without key pad, RFC 5723 5.1. */
enum err ERR_MUST ike_auth_resume(enum prf prf, const struct secret *sk_p,
				  const struct bytes *octets, size_t n_octets,
				  struct secret *out);

#endif
