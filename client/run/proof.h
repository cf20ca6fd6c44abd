/* What proves who we are, and who the gateway is: the files of a profile. */
#ifndef CLIENT_RUN_PROOF_H
#define CLIENT_RUN_PROOF_H

#include "client/session/profile.h"

/* The user's certificate and its chain: at most CERT_CHAIN_MAX views into
 * *out_buf (gives; free). */
enum err ERR_MUST proof_load_certs(const struct profile *p,
				   struct bytes *out_certs, size_t *out_n,
				   uint8_t **out_buf, struct diag *diag);
/* Of a distinguished name that is the certificate's: as it stands there, since
 * there are gateways that compare octets. */
void proof_own_name(struct bytes cert, struct ike_name *id);
/* gives the private key (privkey_free). ERR_PROFILE where it does not belong
 * to the first of certs; ERR_NEEDS_PERSON where it is encrypted and pass, which
 * may be BYTES_NONE, does not open it. */
enum err ERR_MUST proof_load_key(const struct profile *p,
				 const struct bytes *certs, size_t n_certs,
				 struct bytes pass, struct privkey **out,
				 struct diag *diag);
/* False too where there is none, or it cannot be read. */
bool proof_key_is_encrypted(const struct profile *p);
/* gives the CAs of the profile, else the system's (trust_free). */
enum err ERR_MUST proof_load_trust(const struct profile *p, struct trust **out,
				   struct diag *diag);
/* An identity as it must stand in a certificate; a view into id. ERR_PROFILE:
 * it cannot. */
enum err ERR_MUST proof_peer_name(const struct ike_name *id,
				  struct peer_name *out, struct diag *diag);
/* An IKE_DO_ASK_VERIFY: chain, name and signature. ERR_UNTRUSTED with the
 * next step in diag. */
enum err ERR_MUST proof_check_gateway(const struct trust *trust,
				      const struct ike_action *a,
				      struct diag *diag);

#endif
