#include "client/run/proof.h"

#include <stdlib.h>
#include <string.h>

#include "client/crypto/dn.h"
#include "platform/os.h"

#define CERT_FILE_MAX (64 * 1024)
#define CA_FILE_MAX   (4 * 1024 * 1024)
#define SYSTEM_CAS    "/etc/ssl/certs/ca-certificates.crt"

enum err proof_load_certs(const struct profile *p, struct bytes *out_certs,
			  size_t *out_n, uint8_t **out_buf, struct diag *diag)
{
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e;

	e = os_read_file(p->certificate, CERT_FILE_MAX, &file, &len, diag);
	if (!e)
		e = cert_load(bytes(file, len), out_certs, CERT_CHAIN_MAX,
			      out_n, out_buf, diag);
	free(file);
	return e;
}

void proof_own_name(struct bytes cert, struct ike_name *id)
{
	struct bytes subject = cert_subject_name(cert);

	if (id->type != ID_DER_ASN1_DN || subject.len > sizeof(id->b) ||
	    !dn_equal(subject, bytes(id->b, id->len)))
		return;
	memcpy(id->b, subject.p, subject.len);
	id->len = (uint16_t)subject.len;
}

enum err proof_load_key(const struct profile *p, const struct bytes *certs,
			size_t n_certs, struct bytes pass, struct privkey **out,
			struct diag *diag)
{
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e;

	e = os_read_secret_file(p->private_key, CERT_FILE_MAX, &file, &len,
				diag);
	if (!e)
		e = privkey_load(bytes(file, len), pass, out, diag);
	if (!e && n_certs > 0 && !privkey_matches(*out, certs[0]))
		e = diag_set(diag, ERR_PROFILE,
			     "private key '%s' does not belong to certificate "
			     "'%s': check [identity] in the profile",
			     p->private_key, p->certificate);
	mem_wipe(file, len);
	free(file);
	return e;
}

bool proof_key_is_encrypted(const struct profile *p)
{
	uint8_t *file = NULL;
	size_t len = 0;
	bool is = false;

	if (p->private_key[0] &&
	    !os_read_secret_file(p->private_key, CERT_FILE_MAX, &file, &len,
				 NULL))
		is = privkey_is_encrypted(bytes(file, len));
	mem_wipe(file, len);
	free(file);
	return is;
}

enum err proof_load_trust(const struct profile *p, struct trust **out,
			  struct diag *diag)
{
	const char *path = p->ca[0] ? p->ca : SYSTEM_CAS;
	uint8_t *file = NULL;
	size_t len = 0;
	enum err e;

	e = trust_new(out);
	if (!e)
		e = os_read_file(path, CA_FILE_MAX, &file, &len, diag);
	if (!e)
		e = trust_add(*out, bytes(file, len), diag);
	free(file);
	if (e)
		trust_free(out);
	return e;
}

/* IDr as it must stand in the certificate. */
enum err proof_peer_name(const struct ike_name *id, struct peer_name *out,
			 struct diag *diag)
{
	out->value = bytes(id->b, id->len);
	switch (id->type) {
	case ID_FQDN:
		out->type = PEER_DNS;
		return OK;
	case ID_IPV4_ADDR:
	case ID_IPV6_ADDR:
		out->type = PEER_IP;
		return OK;
	case ID_RFC822_ADDR:
		out->type = PEER_EMAIL;
		return OK;
	case ID_DER_ASN1_DN:
		out->type = PEER_DN;
		return OK;
	default:
		return diag_set(diag, ERR_PROFILE,
				"[gateway] id of this kind cannot stand in a "
				"certificate: use its DNS name");
	}
}

enum err proof_check_gateway(const struct trust *trust,
			     const struct ike_action *a, struct diag *diag)
{
	struct peer_name name;
	enum err e;

	e = proof_peer_name(&a->u.ask_verify.id, &name, diag);
	if (!e)
		e = cert_verify(trust, a->u.ask_verify.certs,
				a->u.ask_verify.n_certs, &name,
				os_now().wall_ms / 1000, diag);
	if (!e)
		e = sig_verify(a->u.ask_verify.certs[0],
			       (enum sig_method)a->u.ask_verify.method,
			       a->u.ask_verify.auth_data,
			       a->u.ask_verify.octets, 3, diag);
	return e == ERR_AUTH ? ERR_UNTRUSTED : e;
}
