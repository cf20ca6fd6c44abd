/* Inner addresses, configuration payload and traffic selectors. */
#include "tests/gateway/gw_int.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX 65534

/* --- the pool: slot i is the i-th host of each of the two networks ------- */

static size_t hosts(const struct prefix *p)
{
	unsigned host_bits = (p->addr.family == ADDR_V4 ? 32u : 128u) - p->bits;

	if (p->addr.family == ADDR_NONE || host_bits < 2)
		return 0;
	/* Without network, the gateway's own (first) and broadcast. */
	return host_bits > 16 ? SLOTS_MAX : ((size_t)1 << host_bits) - 3;
}

static struct addr slot_addr(const struct prefix *p, size_t slot)
{
	struct addr a = p->addr;
	size_t len = addr_len(&a), add = slot + 2;

	for (size_t i = len; i-- > 0 && add > 0; add >>= 8) {
		add += a.b[i];
		a.b[i] = (uint8_t)add;
	}
	return a;
}

enum err gw_lease_open(struct gw *gw)
{
	size_t n4 = hosts(&gw->cfg.pool4), n6 = hosts(&gw->cfg.pool6);

	gw->n_slots = n4 == 0 ? n6 : n6 == 0 || n4 < n6 ? n4 : n6;
	if (gw->n_slots == 0)
		return OK;
	gw->slots = calloc(gw->n_slots, sizeof(*gw->slots));
	return gw->slots == NULL ? ERR_NO_MEMORY : OK;
}

/* The slot of an address, n_slots when it is none of ours. */
static size_t addr_slot(const struct gw *gw, const struct prefix *p,
			const struct addr *a)
{
	size_t len = addr_len(a), n = 0;
	struct addr found;

	if (p->addr.family == ADDR_NONE || a->family != p->addr.family ||
	    !prefix_contains(p, a))
		return gw->n_slots;
	for (size_t i = len - 2; i < len; i++)
		n = n << 8 | (uint8_t)(a->b[i] - p->addr.b[i]);
	if (n < 2 || n - 2 >= gw->n_slots)
		return gw->n_slots;
	found = slot_addr(p, n - 2);
	return addr_eq_host(&found, a) ? n - 2 : gw->n_slots;
}

static size_t asked_slot(const struct gw *gw, const struct gw_want *want)
{
	size_t slot = gw->n_slots;

	if (gw->sw.new_address)
		return slot;
	if (want->v4)
		slot = addr_slot(gw, &gw->cfg.pool4, &want->ask4);
	if (want->v6 && slot == gw->n_slots)
		slot = addr_slot(gw, &gw->cfg.pool6, &want->ask6);
	return slot;
}

bool gw_lease_take(struct gw *gw, struct gw_sess *s, const struct gw_want *want)
{
	size_t slot = asked_slot(gw, want);

	s->v4 = s->v6 = (struct addr){0};
	if (!want->cp || !(want->v4 || want->v6) || gw->n_slots == 0)
		return true;
	if (slot >= gw->n_slots || gw->slots[slot] != 0) {
		for (size_t i = 0; i < gw->n_slots; i++) {
			slot = gw->slot_cursor++ % gw->n_slots;
			if (gw->slots[slot] == 0)
				break;
		}
	}
	if (gw->slots[slot] != 0)
		return false;
	gw->slots[slot] = s->id;
	s->lease = slot + 1;
	if (want->v4 && gw->cfg.pool4.addr.family != ADDR_NONE)
		s->v4 = slot_addr(&gw->cfg.pool4, slot);
	if (want->v6 && gw->cfg.pool6.addr.family != ADDR_NONE)
		s->v6 = slot_addr(&gw->cfg.pool6, slot);
	return s->v4.family != ADDR_NONE || s->v6.family != ADDR_NONE;
}

void gw_lease_give(struct gw *gw, struct gw_sess *s)
{
	if (s->lease != 0)
		gw->slots[s->lease - 1] = 0;
	s->lease = 0;
}

/* --- configuration payload ----------------------------------------------- */

static void want_attr(struct gw_want *w, const struct ike_cp_attr *a)
{
	switch (a->type) {
	case CFG_INTERNAL_IP4_ADDRESS:
		w->v4 = true;
		if (a->value.len >= 4 &&
		    addr_from_bytes(bytes(a->value.p, 4), 0, &w->ask4) != OK)
			w->ask4 = (struct addr){0};
		break;
	case CFG_INTERNAL_IP6_ADDRESS:
		w->v6 = true;
		if (a->value.len >= 16 &&
		    addr_from_bytes(bytes(a->value.p, 16), 0, &w->ask6) != OK)
			w->ask6 = (struct addr){0};
		break;
	case CFG_INTERNAL_IP4_DNS:
	case CFG_INTERNAL_IP6_DNS:
		w->dns = true;
		break;
	case CFG_INTERNAL_DNS_DOMAIN:
		w->domain = true;
		break;
	default:
		break;
	}
}

static void want_child(struct gw *gw, const struct ike_msg *msg,
		       struct gw_want *w)
{
	const struct ike_payload *sa = ike_msg_find(msg, PLD_SA, 0);
	const struct ike_payload *tsi = ike_msg_find(msg, PLD_TSI, 0);
	const struct ike_payload *tsr = ike_msg_find(msg, PLD_TSR, 0);
	struct proposal_list offer;

	if (sa == NULL || tsi == NULL || tsr == NULL)
		return;
	w->child = true;
	w->select = ike_ts_parse(tsi->body, &w->tsi);
	if (w->select == OK)
		w->select = ike_ts_parse(tsr->body, &w->tsr);
	if (w->select == OK)
		w->select = proposals_parse(sa->body, &offer);
	if (w->select == OK)
		w->select = gw_esp_select(gw, &offer, KE_NONE, &w->chosen);
	if (w->select != OK)
		return;
	w->spi_out = (uint32_t)gw_proposal_spi(&w->chosen);
	w->chosen.spi = BYTES_NONE;
}

void gw_want_read(struct gw *gw, const struct ike_msg *msg, struct gw_want *out)
{
	const struct ike_payload *p = ike_msg_find(msg, PLD_CP, 0);
	struct ike_notify n;
	struct ike_cp cp;

	memset(out, 0, sizeof(*out));
	want_child(gw, msg, out);
	if (p != NULL && ike_cp_parse(p->body, &cp) == OK &&
	    cp.type == CFG_REQUEST) {
		out->cp = true;
		for (size_t i = 0; i < cp.n; i++)
			want_attr(out, &cp.attrs[i]);
	}
	out->ticket = ike_msg_notify(msg, N_TICKET_REQUEST, &n);
	out->mobike = !gw->sw.no_mobike &&
		      ike_msg_notify(msg, N_MOBIKE_SUPPORTED, &n);
	out->initial_contact = ike_msg_notify(msg, N_INITIAL_CONTACT, &n);
}

static void add_attr(struct ike_cp *cp, uint16_t type, struct bytes value)
{
	if (cp->n < IKE_CP_MAX)
		cp->attrs[cp->n++] = (struct ike_cp_attr){type, value};
}

void gw_wr_cp(struct gw *gw, struct ike_wr *m, const struct gw_sess *s,
	      const struct gw_want *want)
{
	static const uint8_t mask4[4] = {255, 255, 255, 255};
	struct ike_cp cp = {.type = CFG_REPLY};
	uint8_t v6[17];

	if (s->v4.family != ADDR_NONE) {
		add_attr(&cp, CFG_INTERNAL_IP4_ADDRESS, addr_view(&s->v4));
		add_attr(&cp, CFG_INTERNAL_IP4_NETMASK, BYTES_OF(mask4));
	}
	if (s->v6.family != ADDR_NONE) {
		memcpy(v6, s->v6.b, 16);
		v6[16] = 128;
		add_attr(&cp, CFG_INTERNAL_IP6_ADDRESS, BYTES_OF(v6));
	}
	for (size_t i = 0; want->dns && i < gw->cfg.n_dns; i++)
		add_attr(&cp,
			 gw->cfg.dns[i].family == ADDR_V4
				 ? CFG_INTERNAL_IP4_DNS
				 : CFG_INTERNAL_IP6_DNS,
			 addr_view(&gw->cfg.dns[i]));
	for (size_t i = 0; want->domain && i < gw->cfg.n_domains; i++)
		add_attr(&cp, CFG_INTERNAL_DNS_DOMAIN,
			 bytes_str(gw->cfg.domains[i]));
	ike_wr_cp(m, &cp);
}

/* --- traffic selectors --------------------------------------------------- */

static void add_prefix(struct ike_ts_list *l, const struct addr *a,
		       uint8_t bits)
{
	struct prefix p = {.addr = *a, .bits = bits};

	if (l->n < IKE_TS_MAX)
		ike_ts_from_prefix(&p, &l->ts[l->n++]);
}

static bool has_family(const struct ike_ts_list *l, uint8_t family)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->ts[i].from.family == family)
			return true;
	return false;
}

bool gw_ts_narrow(struct gw *gw, const struct gw_sess *s,
		  const struct ike_ts_list *client,
		  const struct ike_ts_list *nets, struct ike_ts_list *out_tsi,
		  struct ike_ts_list *out_tsr)
{
	struct addr any4 = {.family = ADDR_V4}, any6 = {.family = ADDR_V6};
	struct ike_ts_list policy = {0};
	size_t kept = 0;

	if (s->v4.family != ADDR_NONE)
		add_prefix(&policy, &s->v4, 32);
	if (s->v6.family != ADDR_NONE)
		add_prefix(&policy, &s->v6, 128);
	if (policy.n == 0) {
		add_prefix(&policy, &any4, 0);
		add_prefix(&policy, &any6, 0);
	}
	ike_ts_narrow(client, &policy, out_tsi);
	if (gw->cfg.ts.n > 0)
		policy = gw->cfg.ts;
	else {
		policy.n = 0;
		add_prefix(&policy, &any4, 0);
		add_prefix(&policy, &any6, 0);
	}
	ike_ts_narrow(nets, &policy, out_tsr);
	/* A family that the client has no address in leads nowhere. */
	for (size_t i = 0; i < out_tsr->n; i++)
		if (has_family(out_tsi, out_tsr->ts[i].from.family))
			out_tsr->ts[kept++] = out_tsr->ts[i];
	out_tsr->n = kept;
	return out_tsi->n > 0 && out_tsr->n > 0;
}
