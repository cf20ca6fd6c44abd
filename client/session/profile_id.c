#include "client/session/profile.h"

#include <string.h>

#include "client/crypto/dn.h"
#include "client/ike/ikev2.h"

#define KEYID_WORD "keyid:"

static enum err id_set_addr(const struct addr *a, struct ike_name *out)
{
	uint8_t type = a->family == ADDR_V4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;

	return ike_name_set(out, type, addr_view(a));
}

static enum err id_set_dn(struct bytes text, struct ike_name *out,
			  struct diag *diag)
{
	struct wr w = wr_open(out->b, sizeof(out->b));
	enum err e = dn_parse(text, &w, diag);

	if (!e && !wr_ok(&w))
		e = diag_set(diag, ERR_PROFILE,
			     "the distinguished name is longer than %d octets",
			     IKE_NAME_MAX);
	out->type = ID_DER_ASN1_DN;
	out->len = (uint16_t)wr_len(&w);
	return e ? ERR_PROFILE : OK;
}

enum err profile_id_parse(const char *text, struct ike_name *out,
			  struct diag *diag)
{
	struct bytes value = bytes_str(text);
	struct addr addr;

	memset(out, 0, sizeof(*out));
	if (value.len == 0)
		return diag_set(diag, ERR_PROFILE,
				"no identity: write e.g. alice@example.org");
	if (value.len > sizeof(out->b))
		return diag_set(diag, ERR_PROFILE,
				"an identity longer than %d octets: "
				"shorten it",
				IKE_NAME_MAX);
	if (strncmp(text, KEYID_WORD, strlen(KEYID_WORD)) == 0) {
		size_t skip = strlen(KEYID_WORD);

		if (value.len == skip)
			return diag_set(diag, ERR_PROFILE,
					"nothing behind keyid: write the key "
					"id there");
		return ike_name_set(out, ID_KEY_ID,
				    bytes(value.p + skip, value.len - skip));
	}
	if (addr_parse(text, &addr) == OK)
		return id_set_addr(&addr, out);
	if (strchr(text, '='))
		return id_set_dn(value, out, diag);
	return ike_name_set(out, strchr(text, '@') ? ID_RFC822_ADDR : ID_FQDN,
			    value);
}
