/* REDIRECT (RFC 5685): another gateway instead of this one. Before the keys
 * are agreed only whoever saw our nonce can say so; the other gateway has to
 * prove the same identity. */
#include "client/ike/sa_private.h"

#include <string.h>

enum { GW_IPV4 = 1, GW_IPV6 = 2, GW_FQDN = 3 }; /* 9.2 */

static bool name_take(struct bytes id, struct ike_redirect *out)
{
	if (!ike_domain_ok(id))
		return false;
	memcpy(out->name, id.p, id.len);
	out->name[id.len] = '\0';
	return true;
}

static bool gateway_take(uint8_t type, struct bytes id,
			 struct ike_redirect *out)
{
	memset(out, 0, sizeof(*out));
	switch (type) {
	case GW_IPV4:
		return id.len == 4 && addr_from_bytes(id, 0, &out->addr) == OK;
	case GW_IPV6:
		return id.len == 16 && addr_from_bytes(id, 0, &out->addr) == OK;
	case GW_FQDN:
		return name_take(id, out);
	default:
		return false;
	}
}

bool ike_redirect_take(struct ike_sa *sa, const struct ike_msg *msg,
		       struct bytes nonce)
{
	struct ike_redirect to;
	struct ike_notify n;
	struct bytes id;
	struct rd r;
	uint8_t type, len;

	if (!sa->cfg.redirects || !ike_msg_notify(msg, N_REDIRECT, &n))
		return false;
	r = rd_open(n.data);
	type = rd_u8(&r);
	len = rd_u8(&r);
	id = rd_take(&r, len);
	if (!rd_ok(&r) || !bytes_eq(rd_rest(&r), nonce) ||
	    !gateway_take(type, id, &to)) {
		log_info("IKE: a REDIRECT that is not for us");
		return false;
	}
	sa->redirect = to;
	sa->redirected = true;
	return true;
}

enum err ike_redirect_told(struct ike_sa *sa)
{
	char text[ADDR_STR_MAX];

	return diag_set(&sa->diag, ERR_GONE, "gateway sends us to %s",
			sa->redirect.name[0]
				? sa->redirect.name
				: addr_str(&sa->redirect.addr, text));
}

void ike_put_redirect(const struct ike_sa *sa, struct ike_wr *w)
{
	const struct addr *from = &sa->cfg.redirected_from;
	uint8_t buf[2 + sizeof(from->b)];
	struct wr b = wr_open(buf, sizeof(buf));

	if (!sa->cfg.redirects)
		return;
	if (from->family == ADDR_NONE) {
		ike_wr_notify(w, N_REDIRECT_SUPPORTED, BYTES_NONE);
		return;
	}
	wr_u8(&b, from->family == ADDR_V4 ? GW_IPV4 : GW_IPV6);
	wr_u8(&b, (uint8_t)addr_len(from));
	wr_bytes(&b, addr_view(from));
	ike_wr_notify(w, N_REDIRECTED_FROM, wr_view(&b));
}
