/* Configuration payload, RFC 7296 3.15. */
#include "client/ike/msg.h"

#include <string.h>

#define CP_TYPE_MASK 0x7fff /* the first bit is reserved */

enum err ike_cp_parse(struct bytes body, struct ike_cp *out)
{
	struct rd r = rd_open(body);
	struct ike_cp_attr attr;
	uint16_t len;

	memset(out, 0, sizeof(*out));
	out->type = rd_u8(&r);
	rd_take(&r, 3); /* reserved */
	while (rd_left(&r) > 0) {
		attr.type = rd_u16(&r) & CP_TYPE_MASK;
		len = rd_u16(&r);
		attr.value = rd_take(&r, len);
		if (rd_ok(&r) && out->n < IKE_CP_MAX)
			out->attrs[out->n++] = attr;
	}
	return rd_finish(&r);
}

void ike_wr_cp(struct ike_wr *m, const struct ike_cp *cp)
{
	ike_wr_open_payload(m, PLD_CP);
	wr_u8(&m->w, cp->type);
	wr_zeros(&m->w, 3);
	for (size_t i = 0; i < cp->n; i++) {
		if (cp->attrs[i].value.len > UINT16_MAX)
			m->w.overflow = true;
		wr_u16(&m->w, cp->attrs[i].type);
		wr_u16(&m->w, (uint16_t)cp->attrs[i].value.len);
		wr_bytes(&m->w, cp->attrs[i].value);
	}
	ike_wr_close_payload(m);
}
