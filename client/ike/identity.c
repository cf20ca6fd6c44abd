/* Identities: keeping, comparing and showing them. */
#include <stdio.h>
#include <string.h>

#include "client/crypto/dn.h"
#include "client/ike/ike_sa.h"
#include "client/ike/ikev2.h"

enum err ike_name_set(struct ike_name *out, uint8_t type, struct bytes value)
{
	if (value.len > sizeof(out->b))
		return ERR_NO_SPACE;
	out->type = type;
	out->len = (uint16_t)value.len;
	if (value.len > 0)
		memcpy(out->b, value.p, value.len);
	return OK;
}

/* What a gateway sent may hold anything. */
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
		(void)dn_text(b, buf, cap);
	} else {
		(void)text_safe(b, buf, cap);
	}
	return buf;
}

bool ike_name_equal(const struct ike_name *a, const struct ike_name *b)
{
	struct bytes x = bytes(a->b, a->len), y = bytes(b->b, b->len);

	return a->type == b->type &&
	       (a->type == ID_DER_ASN1_DN ? dn_equal(x, y) : bytes_eq(x, y));
}
