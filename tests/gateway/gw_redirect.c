/* Clients are sent to another gateway, RFC 5685. */
#include "tests/gateway/gw_int.h"

#include <string.h>

enum { TO_IPV4 = 1, TO_IPV6 = 2, TO_FQDN = 3 };

enum err gw_set_redirect(struct gw *gw, enum gw_redirect when, const char *to)
{
	struct wr w = wr_open(gw->redirect_to, sizeof(gw->redirect_to));
	struct bytes id = bytes_str(to);
	uint8_t type = TO_FQDN;
	struct addr a;

	if (addr_parse(to, &a) == OK) {
		type = a.family == ADDR_V4 ? TO_IPV4 : TO_IPV6;
		id = addr_view(&a);
	}
	wr_u8(&w, type);
	wr_u8(&w, (uint8_t)id.len);
	wr_bytes(&w, id);
	gw->redirect = id.len > 0 && id.len < 254 ? when : GW_REDIRECT_NEVER;
	gw->redirect_len = wr_len(&w);
	if (when == GW_REDIRECT_LIVE)
		for (struct gw_sess *s = gw->sessions; s; s = s->next)
			if (s->ike && s->redirects)
				gw_job_add(gw, s->ike, GW_TASK_REDIRECT, 0);
	return gw->redirect == when ? OK : ERR_MALFORMED;
}

bool gw_redirect_knows(const struct ike_msg *msg)
{
	struct ike_notify n;

	return ike_msg_notify(msg, N_REDIRECT_SUPPORTED, &n) ||
	       ike_msg_notify(msg, N_REDIRECTED_FROM, &n);
}

bool gw_redirect_first(struct gw *gw, const struct ike_msg *msg,
		       struct bytes ni, const struct gw_path *path)
{
	uint8_t data[sizeof(gw->redirect_to) + IKE_NONCE_MAX];
	struct ike_notify n;
	struct wr w = wr_open(data, sizeof(data));

	/* Whoever was sent here stays: it may be we who did. */
	if (gw->redirect != GW_REDIRECT_FIRST ||
	    !ike_msg_notify(msg, N_REDIRECT_SUPPORTED, &n))
		return false;
	wr_bytes(&w, bytes(gw->redirect_to, gw->redirect_len));
	wr_bytes(&w, ni);
	gw->n.redirected++;
	gw_plain_notify(gw, &msg->hdr, path, N_REDIRECT, wr_view(&w));
	return true;
}

void gw_wr_redirect(struct gw *gw, struct ike_wr *m)
{
	gw->n.redirected++;
	ike_wr_notify(m, N_REDIRECT, bytes(gw->redirect_to, gw->redirect_len));
}
