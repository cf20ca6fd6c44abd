/* What SK and the reassembly of SKF share. Private to client/ike. */
#ifndef CLIENT_IKE_OPEN_H
#define CLIENT_IKE_OPEN_H

#include "client/ike/protect.h"

/* Decrypts msg->sk_body in place (it lies in dgram), frag_len octets of
 * fragment header first; *out_plain: a view without padding. ERR_INTEGRITY,
 * also where it is too short; ERR_MALFORMED: genuine, with wrong padding. */
enum err ERR_MUST ike_open_body(struct ike_protect *p, uint8_t *dgram,
				const struct ike_msg *msg, size_t frag_len,
				struct bytes *out_plain);
/* Was msg parsed from dgram, and does a payload of the type close it? */
bool ike_open_fits(const struct ike_msg *msg, uint8_t type,
		   const uint8_t *dgram, size_t dgram_len);

#endif
