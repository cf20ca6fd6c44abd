/* Path building and validation, RFC 5280 section 6, for one purpose: is this
 * the gateway. */
#include "client/crypto/crypto.h"

#include <stdio.h>
#include <string.h>

#include "client/crypto/der.h"
#include "client/crypto/x509.h"

/* Signatures checked for one chain: a gateway (anyone, before it has proved
 * who it is) must not be able to keep us busy. */
#define SIGNATURES_MAX 24

struct search {
	const struct trust *trust;
	struct x509 certs[CERT_CHAIN_MAX]; /* the gateway's, [0] its own */
	bool used[CERT_CHAIN_MAX];
	size_t n;
	/* From the gateway's own certificate up. */
	const struct x509 *path[CERT_CHAIN_MAX + 1];
	size_t depth;
	int64_t now;
	unsigned int signatures;
	bool any_usage; /* not a gateway's: no extended key usage asked */
	struct diag *diag;
};

/* "certificate of the gateway" or "CA 'CN=...'". */
static const char *who(const struct search *s, const struct x509 *c, char *buf,
		       size_t cap)
{
	char name[100];

	if (c == &s->certs[0]) {
		snprintf(buf, cap, "certificate of the gateway");
		return buf;
	}
	snprintf(buf, cap, "CA '%s'", dn_text(c->subject, name, sizeof(name)));
	return buf;
}

/* --- one certificate ---------------------------------------------------------
 */

static enum err check_validity(struct search *s, const struct x509 *c)
{
	char name[128], date[16], today[16];

	if (s->now > c->not_after)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"%s expired on %s: have it renewed, or check "
				"this computer's clock (%s)",
				who(s, c, name, sizeof(name)),
				der_date(c->not_after, date),
				der_date(s->now, today));
	if (s->now < c->not_before)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"%s is valid from %s only: check this "
				"computer's clock (%s)",
				who(s, c, name, sizeof(name)),
				der_date(c->not_before, date),
				der_date(s->now, today));
	return OK;
}

static enum err check_common(struct search *s, const struct x509 *c)
{
	const char *weak = pubkey_weakness(&c->key);
	char name[128], oid[64];
	enum err e = check_validity(s, c);

	if (e != OK)
		return e;
	if (weak)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"%s has %s: have it issued again",
				who(s, c, name, sizeof(name)), weak);
	if (c->unknown_critical.len > 0)
		return diag_set(
			s->diag, ERR_UNTRUSTED,
			"%s has a critical extension that is not "
			"supported (%s): have it issued without",
			who(s, c, name, sizeof(name)),
			der_oid_text(c->unknown_critical, oid, sizeof(oid)));
	return OK;
}

static enum err check_gateway(struct search *s, const struct peer_name *name)
{
	const struct x509 *c = &s->certs[0];
	enum err e = check_common(s, c);

	if (e != OK)
		return e;
	if (c->has_key_usage &&
	    !(c->key_usage & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)))
		return diag_set(s->diag, ERR_UNTRUSTED,
				"certificate of the gateway must not be used "
				"for signatures (key usage): have it issued "
				"with digitalSignature");
	if (c->has_ext_usage && !c->for_gateway && !s->any_usage)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"certificate of the gateway is not for "
				"gateways (extended key usage): have it issued "
				"with serverAuth");
	return x509_check_name(c, name, s->diag);
}

/* below: intermediate certificates under ca that are not self-issued. */
static enum err check_ca(struct search *s, const struct x509 *ca, bool anchor,
			 int below)
{
	char name[128];
	enum err e = check_common(s, ca);

	if (e != OK)
		return e;
	/* Anchors of version 1 cannot say that they are CAs. */
	if (!ca->is_ca && !(anchor && ca->version < 3))
		return diag_set(s->diag, ERR_UNTRUSTED,
				"%s is not a CA but issued a certificate: have "
				"the gateway's certificate issued by a CA",
				who(s, ca, name, sizeof(name)));
	if (ca->has_key_usage && !(ca->key_usage & KU_KEY_CERT_SIGN))
		return diag_set(s->diag, ERR_UNTRUSTED,
				"%s must not sign certificates (key usage): "
				"have the gateway's certificate issued by "
				"another CA",
				who(s, ca, name, sizeof(name)));
	if (ca->has_ext_usage && !ca->for_gateway && !s->any_usage)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"%s must not issue for gateways (extended key "
				"usage): have the gateway's certificate issued "
				"by another CA",
				who(s, ca, name, sizeof(name)));
	if (ca->path_len >= 0 && below > ca->path_len)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"%s allows only %d CAs below it (path length): "
				"have the gateway's certificate issued higher "
				"up",
				who(s, ca, name, sizeof(name)), ca->path_len);
	return OK;
}

static enum err check_signature(struct search *s, const struct x509 *ca,
				const struct x509 *c)
{
	struct sig_alg alg;
	char name[128];
	enum err e;

	if (++s->signatures > SIGNATURES_MAX)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"the gateway's certificates do not make a "
				"chain: check what it sends");
	e = sig_alg_parse(c->sig_alg, &alg);
	if (e == OK)
		e = sig_check(&ca->key, &alg, &c->tbs, 1, c->sig);
	if (e == OK || e == ERR_CRYPTO || e == ERR_NO_MEMORY)
		return e;
	if (e == ERR_AUTH)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"%s has a wrong signature: it is forged, or "
				"its CA has a new key (add that to [gateway] "
				"ca)",
				who(s, c, name, sizeof(name)));
	return diag_set(s->diag, ERR_UNTRUSTED,
			"%s is signed with %s, which is weak or not "
			"supported: have it issued again with SHA-256",
			who(s, c, name, sizeof(name)), alg.name);
}

/* --- the path ----------------------------------------------------------------
 */

/* Every CA's constraints bind every certificate below it, but for self-issued
 * ones in between (6.1.3 b). */
static enum err check_all_constraints(struct search *s)
{
	for (size_t i = 1; i < s->depth; i++) {
		for (size_t j = 0; j < i; j++) {
			enum err e;

			if (j > 0 && x509_self_issued(s->path[j]))
				continue;
			e = x509_check_constraints(s->path[i], s->path[j],
						   s->diag);
			if (e != OK)
				return e;
		}
	}
	return OK;
}

static int count_below(const struct search *s)
{
	int n = 0;

	for (size_t i = 1; i < s->depth; i++)
		n += !x509_self_issued(s->path[i]);
	return n;
}

static bool may_have_issued(const struct x509 *ca, const struct x509 *c)
{
	if (!dn_equal(ca->subject, c->issuer))
		return false;
	/* Tells CAs of one name apart, for example after a new key. */
	return ca->subject_key_id.len == 0 || c->authority_key_id.len == 0 ||
	       bytes_eq(ca->subject_key_id, c->authority_key_id);
}

/* Puts ca on top of the path; takes it off again where it does not hold. */
static enum err step_up(struct search *s, const struct x509 *ca, bool anchor)
{
	const struct x509 *c = s->path[s->depth - 1];
	enum err e;

	e = check_ca(s, ca, anchor, count_below(s));
	if (e == OK)
		e = check_signature(s, ca, c);
	if (e != OK)
		return e;
	s->path[s->depth++] = ca;
	if (anchor)
		e = check_all_constraints(s);
	if (e != OK)
		s->depth--;
	return e;
}

static bool is_anchor(const struct search *s, const struct x509 *c)
{
	for (size_t i = 0; i < s->trust->n; i++)
		if (bytes_eq(s->trust->list[i].cert.der, c->der))
			return true;
	return false;
}

/* Tries the anchors. ERR_NOT_FOUND: none has the issuer's name. */
static enum err try_anchors(struct search *s)
{
	const struct x509 *c = s->path[s->depth - 1];
	enum err result = ERR_NOT_FOUND, e;

	for (size_t i = 0; i < s->trust->n; i++) {
		const struct x509 *ca = &s->trust->list[i].cert;

		if (!may_have_issued(ca, c))
			continue;
		e = step_up(s, ca, true);
		if (e == OK)
			return OK;
		result = e;
	}
	return result;
}

static enum err refuse_issuer(struct search *s)
{
	const struct x509 *c = s->path[s->depth - 1];
	char issuer[140];

	if (s->trust->n == 0)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"no CA is trusted: set [gateway] ca to the "
				"certificate of the CA that issued the "
				"gateway's");
	dn_text(c->issuer, issuer, sizeof(issuer));
	if (x509_self_issued(c))
		return diag_set(s->diag, ERR_UNTRUSTED,
				"certificate '%s' is signed by itself and not "
				"trusted: if it is the right one, add it to "
				"[gateway] ca",
				issuer);
	return diag_set(s->diag, ERR_UNTRUSTED,
			"no trusted CA issued the gateway's certificate "
			"(issuer: %s): add it to [gateway] ca",
			issuer);
}

/* Depth first, from the top of the path so far to an anchor. */
static enum err climb(struct search *s)
{
	const struct x509 *c = s->path[s->depth - 1];
	enum err result, e;

	result = try_anchors(s);
	if (result == OK || s->depth == CERT_CHAIN_MAX)
		return result == ERR_NOT_FOUND ? refuse_issuer(s) : result;
	for (size_t i = 1; i < s->n; i++) {
		size_t depth = s->depth;

		if (s->used[i] || !may_have_issued(&s->certs[i], c))
			continue;
		s->used[i] = true;
		e = step_up(s, &s->certs[i], false);
		if (e == OK)
			e = climb(s);
		if (e == OK)
			return OK;
		s->depth = depth;
		s->used[i] = false;
		result = e;
	}
	return result == ERR_NOT_FOUND ? refuse_issuer(s) : result;
}

/* The first is the gateway's. Others that cannot be read are left out: some
 * gateways send all they have. */
static enum err load_chain(struct search *s, const struct bytes *certs,
			   size_t n_certs)
{
	if (n_certs == 0)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"the gateway sent no certificate: check its "
				"configuration");
	if (x509_parse(certs[0], &s->certs[0]) != OK)
		return diag_set(s->diag, ERR_UNTRUSTED,
				"certificate of the gateway cannot be read: "
				"check what it sends");
	s->n = 1;
	for (size_t i = 1; i < n_certs && s->n < CERT_CHAIN_MAX; i++)
		if (x509_parse(certs[i], &s->certs[s->n]) == OK)
			s->n++;
	return OK;
}

static enum err verify(struct search *s, const struct bytes *certs,
		       size_t n_certs, const struct peer_name *name,
		       struct diag *diag)
{
	struct diag why = DIAG_INIT; /* also of branches that fail on the way */
	enum err e;

	s->diag = &why;
	e = load_chain(s, certs, n_certs);
	if (e == OK)
		e = check_gateway(s, name);
	if (e == OK) {
		s->path[0] = &s->certs[0];
		s->depth = 1;
		/* A certificate put among the anchors is trusted itself. */
		e = is_anchor(s, &s->certs[0]) ? OK : climb(s);
	}
	if (e != OK)
		diag_set(diag, e, "%s", diag_text(&why, e));
	return e;
}

enum err cert_verify(const struct trust *t, const struct bytes *certs,
		     size_t n_certs, const struct peer_name *name, int64_t now,
		     struct diag *diag)
{
	struct search s = {.trust = t, .now = now};

	return verify(&s, certs, n_certs, name, diag);
}

enum err cert_verify_client(const struct trust *t, const struct bytes *certs,
			    size_t n_certs, const struct peer_name *name,
			    int64_t now, struct diag *diag)
{
	struct search s = {.trust = t, .now = now, .any_usage = true};

	return verify(&s, certs, n_certs, name, diag);
}
