#include "client/session/profile.h"

#include <stdio.h>
#include <string.h>

#include "client/ike/ikev2.h"

#define KEYID_WORD "keyid:"

static enum err id_set(uint8_t type, struct bytes value, struct ike_name *out)
{
	if (value.len > sizeof(out->b))
		return ERR_NO_SPACE;
	out->type = type;
	out->len = (uint16_t)value.len;
	memcpy(out->b, value.p, value.len);
	return OK;
}

static enum err id_set_addr(const struct addr *a, struct ike_name *out)
{
	uint8_t type = a->family == ADDR_V4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;

	return id_set(type, addr_view(a), out);
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
		return id_set(ID_KEY_ID,
			      bytes(value.p + skip, value.len - skip), out);
	}
	if (addr_parse(text, &addr) == OK)
		return id_set_addr(&addr, out);
	if (strchr(text, '='))
		return diag_set(diag, ERR_PROFILE,
				"'%.60s' is a distinguished name, which is not "
				"spoken yet: write a name of the certificate's "
				"subjectAltName",
				text);
	return id_set(strchr(text, '@') ? ID_RFC822_ADDR : ID_FQDN, value, out);
}

/* What a gateway or a certificate sent may hold anything; a terminal gets
 * printable ASCII and UTF-8. */
static void text_clean(struct bytes b, char *buf, size_t cap)
{
	size_t len = b.len < cap ? b.len : cap - 1;

	for (size_t i = 0; i < len; i++)
		buf[i] = b.p[i] < 0x20 || b.p[i] == 0x7f ? '?' : (char)b.p[i];
	buf[len] = '\0';
}

const char *ike_name_str(const struct ike_name *n, char *buf, size_t cap)
{
	struct bytes b = bytes(n->b, n->len);
	char text[ADDR_STR_MAX];
	struct addr addr;

	if (cap == 0)
		return "";
	if ((n->type == ID_IPV4_ADDR && n->len == 4) ||
	    (n->type == ID_IPV6_ADDR && n->len == 16)) {
		if (addr_from_bytes(b, 0, &addr) == OK)
			snprintf(buf, cap, "%s", addr_str(&addr, text));
	} else if (n->type == ID_DER_ASN1_DN) {
		snprintf(buf, cap, "a distinguished name of %u octets", n->len);
	} else {
		text_clean(b, buf, cap);
	}
	return buf;
}
