/* Tickets of RFC 5723, by value and by reference.
 *
 * By value: key id (4) | IV (8) | AES-256-GCM{state} | ICV (16).
 * By reference: a tag (4, "REF1") | id (8) | a MAC over both (16).
 */
#include "tests/gateway/gw_int.h"

#include <stdlib.h>
#include <string.h>

#define STATE_MAX  1400
#define REF_TAG	   UINT32_C(0x52454631)
#define REF_LEN	   28
#define VALUE_HEAD 12
#define BLOB_MAGIC UINT32_C(0x47575431)

static const struct cipher_algs ticket_algs = {ENCR_AES_GCM_16, 256,
					       INTEG_NONE};

/* --- the state as octets ------------------------------------------------- */

static void wr_id(struct wr *w, const struct gw_id *id)
{
	wr_u8(w, id->type);
	wr_u16(w, id->len);
	wr_bytes(w, bytes(id->b, id->len));
}

static void rd_id(struct rd *r, struct gw_id *id)
{
	memset(id, 0, sizeof(*id));
	id->type = rd_u8(r);
	id->len = rd_u16(r);
	if (id->len > sizeof(id->b)) {
		id->len = 0;
		(void)rd_take(r, SIZE_MAX); /* spoils the cursor */
		return;
	}
	rd_copy(r, id->b, id->len);
}

static void wr_state(struct wr *w, const struct gw_tstate *t)
{
	wr_u64(w, t->id);
	wr_u64(w, t->old_spi);
	wr_u64(w, (uint64_t)t->expires_s);
	wr_u64(w, (uint64_t)t->auth_end_s);
	wr_u16(w, (uint16_t)t->suite.cipher.encr);
	wr_u16(w, t->suite.cipher.key_bits);
	wr_u16(w, (uint16_t)t->suite.cipher.integ);
	wr_u16(w, (uint16_t)t->suite.prf);
	wr_u16(w, (uint16_t)t->suite.ke);
	wr_u8(w, t->fragments);
	wr_u8(w, (uint8_t)t->sk_d.len);
	wr_bytes(w, secret_view(&t->sk_d));
	wr_id(w, &t->idi);
	wr_id(w, &t->idr);
	wr_u8(w, (uint8_t)strlen(t->user));
	wr_bytes(w, bytes_str(t->user));
}

static void rd_state(struct rd *r, struct gw_tstate *t)
{
	memset(t, 0, sizeof(*t));
	t->id = rd_u64(r);
	t->old_spi = rd_u64(r);
	t->expires_s = (int64_t)rd_u64(r);
	t->auth_end_s = (int64_t)rd_u64(r);
	t->suite.cipher.encr = (enum encr)rd_u16(r);
	t->suite.cipher.key_bits = rd_u16(r);
	t->suite.cipher.integ = (enum integ)rd_u16(r);
	t->suite.prf = (enum prf)rd_u16(r);
	t->suite.ke = (enum ke_method)rd_u16(r);
	t->fragments = rd_u8(r);
	t->sk_d.len = rd_u8(r);
	rd_copy(r, t->sk_d.b, t->sk_d.len);
	rd_id(r, &t->idi);
	rd_id(r, &t->idr);
	rd_copy(r, t->user, rd_u8(r) % sizeof(t->user));
	t->user[sizeof(t->user) - 1] = '\0';
}

/* --- keys ---------------------------------------------------------------- */

static void key_draw(struct gw *gw, struct gw_tkey *k)
{
	do
		rng_draw(&gw->rng, &k->id, sizeof(k->id));
	while (k->id == 0 || k->id == REF_TAG);
	rng_draw(&gw->rng, k->key, sizeof(k->key));
}

enum err gw_ticket_open_keys(struct gw *gw)
{
	key_draw(gw, &gw->key);
	return OK;
}

void gw_roll_key(struct gw *gw)
{
	gw->old_key = gw->key;
	key_draw(gw, &gw->key);
}

void gw_forget_tickets(struct gw *gw)
{
	gw_tickets_free(gw);
	memset(&gw->old_key, 0, sizeof(gw->old_key));
	memset(gw->voided, 0, sizeof(gw->voided));
	gw->n_voided = 0;
	key_draw(gw, &gw->key);
}

void gw_tickets_free(struct gw *gw)
{
	if (gw->refs != NULL)
		mem_wipe(gw->refs, gw->cap_refs * sizeof(*gw->refs));
	free(gw->refs);
	gw->refs = NULL;
	gw->n_refs = gw->cap_refs = 0;
}

/* --- by value ------------------------------------------------------------ */

static enum err value_crypt(const struct gw_tkey *k, bool seal, uint8_t *ticket,
			    size_t body_len)
{
	struct cipher_text t = {.head = bytes(ticket, 4),
				.iv = ticket + 4,
				.body = ticket + VALUE_HEAD,
				.body_len = body_len,
				.icv = ticket + VALUE_HEAD + body_len};
	struct cipher *c;
	enum err e = cipher_new(&ticket_algs, BYTES_OF(k->key), BYTES_NONE, &c);

	if (e == OK)
		e = seal ? cipher_seal(c, &t) : cipher_open(c, &t);
	cipher_free(&c);
	return e;
}

static enum err value_seal(struct gw *gw, const struct gw_tstate *t,
			   struct wr *w)
{
	uint8_t *start = w->p;
	size_t body_len;
	uint8_t iv[8];

	rng_draw(&gw->rng, iv, sizeof(iv));
	wr_u32(w, gw->key.id);
	wr_bytes(w, BYTES_OF(iv));
	wr_state(w, t);
	body_len = (size_t)(w->p - start) - VALUE_HEAD;
	wr_zeros(w, 16);
	if (!wr_ok(w))
		return ERR_NO_SPACE;
	return value_crypt(&gw->key, true, start, body_len);
}

static enum err value_open(const struct gw *gw, struct bytes ticket,
			   struct gw_tstate *out)
{
	uint8_t buf[STATE_MAX + VALUE_HEAD + 16];
	struct rd r = rd_open(ticket);
	uint32_t id = rd_u32(&r);
	const struct gw_tkey *k = id == gw->key.id	 ? &gw->key
				  : id == gw->old_key.id ? &gw->old_key
							 : NULL;
	size_t body_len = ticket.len - VALUE_HEAD - 16;
	enum err e;

	if (ticket.len < VALUE_HEAD + 16 || ticket.len > sizeof(buf) ||
	    k == NULL || k->id == 0)
		return ERR_NOT_FOUND;
	memcpy(buf, ticket.p, ticket.len);
	e = value_crypt(k, false, buf, body_len);
	if (e == OK) {
		r = rd_open(bytes(buf + VALUE_HEAD, body_len));
		rd_state(&r, out);
		e = rd_finish(&r);
	}
	mem_wipe(buf, sizeof(buf));
	return e;
}

/* --- by reference -------------------------------------------------------- */

static enum err ref_mac(const struct gw *gw, struct bytes head, uint8_t out[16])
{
	struct secret mac;
	enum err e = crypto_prf(PRF_HMAC_SHA2_256, BYTES_OF(gw->cookie_key),
				&head, 1, &mac);

	if (e == OK)
		memcpy(out, mac.b, 16);
	return e;
}

static enum err ref_seal(struct gw *gw, const struct gw_tstate *t, struct wr *w)
{
	uint8_t *start = w->p, mac[16];
	enum err e;

	if (gw->n_refs == gw->cap_refs) {
		size_t cap = gw->cap_refs * 2 + 16;
		struct gw_tstate *grown = calloc(cap, sizeof(*grown));

		if (grown == NULL)
			return ERR_NO_MEMORY;
		if (gw->n_refs > 0)
			memcpy(grown, gw->refs, gw->n_refs * sizeof(*grown));
		if (gw->refs != NULL)
			mem_wipe(gw->refs, gw->n_refs * sizeof(*grown));
		free(gw->refs);
		gw->refs = grown;
		gw->cap_refs = cap;
	}
	gw->refs[gw->n_refs++] = *t;
	wr_u32(w, REF_TAG);
	wr_u64(w, t->id);
	if (!wr_ok(w))
		return ERR_NO_SPACE;
	e = ref_mac(gw, bytes(start, 12), mac);
	wr_bytes(w, BYTES_OF(mac));
	return e == OK && !wr_ok(w) ? ERR_NO_SPACE : e;
}

static void ref_forget(struct gw *gw, uint64_t id)
{
	for (size_t i = 0; i < gw->n_refs; i++) {
		if (gw->refs[i].id != id)
			continue;
		gw->refs[i] = gw->refs[gw->n_refs - 1];
		mem_wipe(&gw->refs[--gw->n_refs], sizeof(gw->refs[0]));
		return;
	}
}

static enum err ref_open(const struct gw *gw, struct bytes ticket,
			 struct gw_tstate *out)
{
	struct rd r = rd_open(ticket);
	struct bytes head = bytes(ticket.p, 12);
	uint8_t mac[16];
	uint64_t id;

	(void)rd_u32(&r);
	id = rd_u64(&r);
	if (ref_mac(gw, head, mac) != OK ||
	    !bytes_eq_secret(rd_rest(&r), BYTES_OF(mac)))
		return ERR_NOT_FOUND;
	out->id = id; /* told even when the state is gone */
	for (size_t i = 0; i < gw->n_refs; i++) {
		if (gw->refs[i].id == id) {
			*out = gw->refs[i];
			return OK;
		}
	}
	return ERR_NOT_FOUND;
}

/* --- what is worth nothing any more -------------------------------------- */

static const struct gw_void *void_find(const struct gw *gw, uint64_t id)
{
	size_t n = gw->n_voided < GW_VOID_MAX ? gw->n_voided : GW_VOID_MAX;

	for (size_t i = 0; i < n; i++)
		if (gw->voided[i].id == id)
			return &gw->voided[i];
	return NULL;
}

static void make_void(struct gw *gw, uint64_t id, bool used)
{
	if (void_find(gw, id) == NULL)
		gw->voided[gw->n_voided++ % GW_VOID_MAX] =
			(struct gw_void){id, used};
	/* The switch asks for carelessness: then the state is kept. */
	if (!gw->sw.reuse)
		ref_forget(gw, id);
}

void gw_ticket_used(struct gw *gw, uint64_t id)
{
	make_void(gw, id, true);
}

void gw_tickets_void(struct gw *gw, struct gw_sess *s)
{
	for (size_t i = 0; i < s->n_tickets; i++)
		make_void(gw, s->tickets[i], false);
	s->n_tickets = 0;
}

/* --- issue and take ------------------------------------------------------ */

static void remember(struct gw *gw, struct gw_sess *s, uint64_t id)
{
	/* Only the newest ones: an older one stays valid until it expires. */
	if (s->n_tickets == GW_TICKETS_MAX) {
		memmove(s->tickets, s->tickets + 1,
			(GW_TICKETS_MAX - 1) * sizeof(s->tickets[0]));
		s->n_tickets--;
	}
	s->tickets[s->n_tickets++] = id;
}

void gw_wr_ticket(struct gw *gw, struct gw_ike *ike, struct ike_wr *m)
{
	uint8_t buf[4 + STATE_MAX + VALUE_HEAD + 16];
	struct wr w = wr_open(buf, sizeof(buf));
	struct gw_tstate t = {.old_spi = ike->my_spi,
			      .suite = ike->keys.suite,
			      .sk_d = ike->keys.sk_d,
			      .idi = ike->sess->idi,
			      .idr = gw->cfg.id,
			      .auth_end_s = ike->sess->auth_end_s,
			      .fragments = ike->peer_fragments};
	enum err e;

	if (gw->cfg.tickets == GW_TICKETS_NONE)
		return;
	rng_draw(&gw->rng, &t.id, sizeof(t.id));
	t.expires_s = gw_wall_s(gw) + gw->cfg.lifetime_s;
	memcpy(t.user, ike->sess->user, sizeof(t.user));
	wr_u32(&w, gw->cfg.lifetime_s);
	if (gw->cfg.tickets == GW_TICKETS_VALUE)
		e = value_seal(gw, &t, &w);
	else
		e = ref_seal(gw, &t, &w);
	if (e == OK) {
		ike_wr_notify(m, N_TICKET_LT_OPAQUE, wr_view(&w));
		remember(gw, ike->sess, t.id);
		gw->n.tickets_issued++;
	}
	mem_wipe(&t, sizeof(t));
}

void gw_wr_ticket_answer(struct gw *gw, struct gw_ike *ike, bool asked,
			 bool may_ack, struct ike_wr *m)
{
	if (!asked && !(gw->sw.push && may_ack))
		return;
	if (gw->cfg.tickets == GW_TICKETS_NONE)
		return; /* as a gateway without the extension */
	if (gw->sw.nack_request)
		ike_wr_notify(m, N_TICKET_NACK, BYTES_NONE);
	else if (gw->sw.ack_later && may_ack)
		ike_wr_notify(m, N_TICKET_ACK, BYTES_NONE);
	else
		gw_wr_ticket(gw, ike, m);
}

static enum err ticket_open(struct gw *gw, struct bytes ticket,
			    struct gw_tstate *out)
{
	struct rd r = rd_open(ticket);

	if (ticket.len == REF_LEN && rd_u32(&r) == REF_TAG)
		return ref_open(gw, ticket, out);
	return value_open(gw, ticket, out);
}

enum err gw_ticket_find(struct gw *gw, struct bytes ticket,
			struct gw_tstate *out)
{
	const struct gw_void *v;
	enum err e;

	memset(out, 0, sizeof(*out));
	e = ticket_open(gw, ticket, out);
	/* A spent reference has no state, but we know it was ours. */
	v = out->id == 0 ? NULL : void_find(gw, out->id);
	if (v != NULL) {
		gw->n.tickets_reused += v->used;
		gw->n.tickets_void += !v->used;
		if (!gw->sw.reuse)
			return ERR_TICKET_REFUSED;
	}
	if (e != OK) {
		gw->n.tickets_unreadable++;
		return ERR_TICKET_REFUSED;
	}
	if (out->expires_s <= gw_wall_s(gw)) {
		gw->n.tickets_expired++;
		return ERR_TICKET_REFUSED;
	}
	if (out->idr.len != gw->cfg.id.len ||
	    memcmp(out->idr.b, gw->cfg.id.b, out->idr.len) != 0)
		return ERR_TICKET_REFUSED;
	return OK;
}

/* --- across a restart ---------------------------------------------------- */

static void wr_key(struct wr *w, const struct gw_tkey *k)
{
	wr_u32(w, k->id);
	wr_bytes(w, BYTES_OF(k->key));
}

static void rd_key(struct rd *r, struct gw_tkey *k)
{
	k->id = rd_u32(r);
	rd_copy(r, k->key, sizeof(k->key));
}

enum err gw_save_tickets(const struct gw *gw, uint8_t **out, size_t *out_len)
{
	size_t n = gw->n_voided < GW_VOID_MAX ? gw->n_voided : GW_VOID_MAX;
	size_t cap = 256 + n * 9 + gw->n_refs * STATE_MAX;
	uint8_t *buf = calloc(1, cap);
	struct wr w;

	*out = NULL;
	if (buf == NULL)
		return ERR_NO_MEMORY;
	w = wr_open(buf, cap);
	wr_u32(&w, BLOB_MAGIC);
	wr_key(&w, &gw->key);
	wr_key(&w, &gw->old_key);
	wr_bytes(&w, BYTES_OF(gw->cookie_key));
	wr_u32(&w, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		wr_u64(&w, gw->voided[i].id);
		wr_u8(&w, gw->voided[i].used);
	}
	wr_u32(&w, (uint32_t)gw->n_refs);
	for (size_t i = 0; i < gw->n_refs; i++)
		wr_state(&w, &gw->refs[i]);
	*out = buf;
	*out_len = wr_len(&w);
	return wr_finish(&w);
}

enum err gw_load_tickets(struct gw *gw, struct bytes blob)
{
	struct rd r = rd_open(blob);
	struct gw_tkey key, old_key;
	uint8_t mac_key[32];
	struct gw_tstate *refs;
	uint32_t n;

	if (rd_u32(&r) != BLOB_MAGIC)
		return ERR_MALFORMED;
	rd_key(&r, &key);
	rd_key(&r, &old_key);
	rd_copy(&r, mac_key, sizeof(mac_key));
	gw->n_voided = rd_u32(&r) % (GW_VOID_MAX + 1);
	for (size_t i = 0; i < gw->n_voided; i++) {
		gw->voided[i].id = rd_u64(&r);
		gw->voided[i].used = rd_u8(&r);
	}
	n = rd_u32(&r);
	if (!rd_ok(&r) || n > rd_left(&r))
		return ERR_MALFORMED;
	refs = calloc(n + 1, sizeof(*refs));
	if (refs == NULL)
		return ERR_NO_MEMORY;
	for (uint32_t i = 0; i < n; i++)
		rd_state(&r, &refs[i]);
	if (rd_finish(&r) != OK) {
		free(refs);
		return ERR_MALFORMED;
	}
	gw_tickets_free(gw);
	gw->refs = refs;
	gw->n_refs = n;
	gw->cap_refs = n + 1;
	gw->key = key;
	gw->old_key = old_key;
	memcpy(gw->cookie_key, mac_key, sizeof(mac_key));
	return OK;
}
