/* SA payload, RFC 7296 3.3: structure, and what two sides have in common. */
#include "client/ike/msg.h"

#include <string.h>

#define MORE_PROPOSALS	  2 /* "Last Substruc", 3.3.1 and 3.3.2 */
#define MORE_TRANSFORMS	  3
#define PROPOSAL_HDR_LEN  4 /* up to and with the length field */
#define TRANSFORM_HDR_LEN 4
#define ATTR_SHORT	  0x8000 /* the value stands in place of the length */
#define ATTR_KEY_LENGTH	  (ATTR_SHORT | 14)

/* --- parse -----------------------------------------------------------------
 */

/* Attributes up to the end of r. False in *out_usable: one we do not know. */
static void attrs_read(struct rd *r, struct transform *out, bool *out_usable)
{
	uint16_t type, value;

	*out_usable = true;
	out->key_bits = 0;
	while (rd_left(r) > 0) {
		type = rd_u16(r);
		value = rd_u16(r);
		if (!(type & ATTR_SHORT))
			rd_take(r, value);
		if (type == ATTR_KEY_LENGTH && value != 0 && out->key_bits == 0)
			out->key_bits = value;
		else
			*out_usable = false;
	}
}

static enum err transform_read(struct rd *r, bool last, struct transform *out,
			       bool *out_usable)
{
	uint8_t more = rd_u8(r);
	struct rd sub;
	uint16_t len;

	rd_u8(r); /* reserved */
	len = rd_u16(r);
	if (rd_ok(r) && len < TRANSFORM_HDR_LEN)
		return ERR_MALFORMED;
	sub = rd_sub(r, (size_t)len - TRANSFORM_HDR_LEN);
	if (!rd_ok(r))
		return ERR_TRUNCATED;
	out->type = rd_u8(&sub);
	rd_u8(&sub); /* reserved */
	out->id = rd_u16(&sub);
	attrs_read(&sub, out, out_usable);
	if (!rd_ok(&sub) || more != (last ? 0 : MORE_TRANSFORMS))
		return ERR_MALFORMED;
	return OK;
}

static bool has_type(const struct proposal *p, uint8_t type)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].type == type)
			return true;
	return false;
}

/* *out_usable: whether every transform type that was there still is. */
static enum err transforms_read(struct rd *r, uint8_t count,
				struct proposal *out, bool *out_usable)
{
	bool lost[UINT8_MAX + 1] = {false};
	struct transform t;
	bool usable;
	enum err e;

	for (size_t i = 0; i < count; i++) {
		e = transform_read(r, i + 1 == count, &t, &usable);
		if (e != OK)
			return e;
		if (usable && out->n < PROPOSAL_TRANSFORMS_MAX)
			out->t[out->n++] = t;
		else
			lost[t.type] = true;
	}
	*out_usable = true;
	for (size_t type = 0; type <= UINT8_MAX; type++)
		if (lost[type] && !has_type(out, (uint8_t)type))
			*out_usable = false;
	return rd_finish(r);
}

static enum err proposal_read(struct rd *r, bool *out_last,
			      struct proposal *out, bool *out_usable)
{
	uint8_t more = rd_u8(r);
	uint8_t spi_len, count;
	struct rd sub;
	uint16_t len;

	rd_u8(r); /* reserved */
	len = rd_u16(r);
	if (rd_ok(r) && len < PROPOSAL_HDR_LEN)
		return ERR_MALFORMED;
	sub = rd_sub(r, (size_t)len - PROPOSAL_HDR_LEN);
	if (!rd_ok(r))
		return ERR_TRUNCATED;
	if (more != 0 && more != MORE_PROPOSALS)
		return ERR_MALFORMED;
	*out_last = more == 0;
	out->num = rd_u8(&sub);
	out->proto = rd_u8(&sub);
	spi_len = rd_u8(&sub);
	count = rd_u8(&sub);
	out->spi = rd_take(&sub, spi_len);
	out->n = 0;
	/* Short inside its own length: wrong, not cut off. */
	return transforms_read(&sub, count, out, out_usable) == OK
		       ? OK
		       : ERR_MALFORMED;
}

enum err proposals_parse(struct bytes sa_body, struct proposal_list *out)
{
	struct rd r = rd_open(sa_body);
	struct proposal p;
	bool usable, last;
	enum err e;

	out->n = 0;
	do {
		e = proposal_read(&r, &last, &p, &usable);
		if (e != OK)
			return e;
		if (usable && out->n < PROPOSALS_MAX)
			out->p[out->n++] = p;
	} while (!last);
	return rd_finish(&r);
}

/* --- write -----------------------------------------------------------------
 */

static void transform_write(struct wr *w, const struct transform *t, bool last)
{
	size_t start = wr_len(w);
	size_t mark;

	wr_u8(w, last ? 0 : MORE_TRANSFORMS);
	wr_u8(w, 0);
	mark = wr_mark_u16(w);
	wr_u8(w, t->type);
	wr_u8(w, 0);
	wr_u16(w, t->id);
	if (t->key_bits != 0) {
		wr_u16(w, ATTR_KEY_LENGTH);
		wr_u16(w, t->key_bits);
	}
	wr_fill_u16(w, mark, (uint16_t)(wr_len(w) - start));
}

static void proposal_write(struct wr *w, const struct proposal *p, bool last)
{
	size_t start = wr_len(w);
	size_t mark;

	if (p->spi.len > UINT8_MAX)
		w->overflow = true;
	wr_u8(w, last ? 0 : MORE_PROPOSALS);
	wr_u8(w, 0);
	mark = wr_mark_u16(w);
	wr_u8(w, p->num);
	wr_u8(w, p->proto);
	wr_u8(w, (uint8_t)p->spi.len);
	wr_u8(w, (uint8_t)p->n);
	wr_bytes(w, p->spi);
	for (size_t i = 0; i < p->n; i++)
		transform_write(w, &p->t[i], i + 1 == p->n);
	wr_fill_u16(w, mark, (uint16_t)(wr_len(w) - start));
}

void ike_wr_sa(struct ike_wr *m, const struct proposal_list *l)
{
	ike_wr_open_payload(m, PLD_SA);
	for (size_t i = 0; i < l->n; i++)
		proposal_write(&m->w, &l->p[i], i + 1 == l->n);
	ike_wr_close_payload(m);
}

void ike_wr_sa_one(struct ike_wr *m, const struct proposal *p)
{
	ike_wr_open_payload(m, PLD_SA);
	proposal_write(&m->w, p, true);
	ike_wr_close_payload(m);
}

/* --- agree -----------------------------------------------------------------
 */

static bool transform_eq(const struct transform *a, const struct transform *b)
{
	return a->type == b->type && a->id == b->id &&
	       a->key_bits == b->key_bits;
}

static bool has_transform(const struct proposal *p, const struct transform *t)
{
	for (size_t i = 0; i < p->n; i++)
		if (transform_eq(&p->t[i], t))
			return true;
	return false;
}

/* Absent and "none" are the same for the two optional types (3.3.3). */
static bool may_lack(const struct proposal *p, uint8_t type)
{
	const struct transform none = {type, 0, 0};

	return !has_type(p, type) ||
	       ((type == TRANSFORM_INTEG || type == TRANSFORM_KE) &&
		has_transform(p, &none));
}

static bool types_known(const struct proposal *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].type < TRANSFORM_ENCR ||
		    p->t[i].type > TRANSFORM_ESN)
			return false;
	return true;
}

/* The first of ours of the type that theirs holds. False: no agreement. */
static bool select_type(const struct proposal *ours,
			const struct proposal *theirs, uint8_t type,
			struct proposal *out)
{
	const struct transform none = {type, 0, 0};

	if (!has_type(theirs, type))
		return may_lack(ours, type);
	if (!has_type(ours, type)) {
		if (!may_lack(theirs, type))
			return false;
		out->t[out->n++] = none;
		return true;
	}
	for (size_t i = 0; i < ours->n; i++)
		if (ours->t[i].type == type &&
		    has_transform(theirs, &ours->t[i])) {
			out->t[out->n++] = ours->t[i];
			return true;
		}
	return false;
}

static bool select_one(const struct proposal *ours,
		       const struct proposal *theirs, struct proposal *out)
{
	/* A type we do not know refuses the proposal (3.3.6). */
	if (ours->proto != theirs->proto || !types_known(theirs) ||
	    !types_known(ours) || !has_type(ours, TRANSFORM_ENCR))
		return false;
	*out = (struct proposal){
		.num = theirs->num, .proto = theirs->proto, .spi = theirs->spi};
	for (uint8_t type = TRANSFORM_ENCR; type <= TRANSFORM_ESN; type++)
		if (!select_type(ours, theirs, type, out))
			return false;
	return true;
}

enum err proposals_select(const struct proposal_list *ours,
			  const struct proposal_list *theirs,
			  struct proposal *out)
{
	for (size_t i = 0; i < ours->n; i++)
		for (size_t k = 0; k < theirs->n; k++)
			if (select_one(&ours->p[i], &theirs->p[k], out))
				return OK;
	memset(out, 0, sizeof(*out));
	return ERR_NO_PROPOSAL;
}

static bool single_types(const struct proposal *p)
{
	for (size_t i = 0; i < p->n; i++)
		for (size_t k = i + 1; k < p->n; k++)
			if (p->t[i].type == p->t[k].type)
				return false;
	return true;
}

static bool answers(const struct proposal *offer, const struct proposal *p)
{
	if (offer->num != p->num || offer->proto != p->proto ||
	    !single_types(p) || !types_known(p) || !types_known(offer))
		return false;
	for (size_t i = 0; i < p->n; i++)
		if (!has_transform(offer, &p->t[i]))
			return false;
	for (uint8_t type = TRANSFORM_ENCR; type <= TRANSFORM_ESN; type++)
		if (!has_type(p, type) && !may_lack(offer, type))
			return false;
	return true;
}

enum err proposals_check_answer(const struct proposal_list *offer,
				const struct proposal_list *answer,
				struct proposal *out)
{
	memset(out, 0, sizeof(*out));
	if (answer->n != 1)
		return ERR_NO_PROPOSAL;
	for (size_t i = 0; i < offer->n; i++)
		if (answers(&offer->p[i], &answer->p[0])) {
			*out = answer->p[0];
			return OK;
		}
	return ERR_NO_PROPOSAL;
}

/* --- meaning ---------------------------------------------------------------
 */

static const struct transform *find_type(const struct proposal *p, uint8_t type)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].type == type)
			return &p->t[i];
	return NULL;
}

/* The id of the type in p, 0 where there is none. */
static uint16_t id_of(const struct proposal *p, uint8_t type)
{
	const struct transform *t = find_type(p, type);

	return t ? t->id : 0;
}

static enum err suite_check_types(const struct proposal *p)
{
	bool ike = p->proto == PROTO_IKE;

	if (!ike && p->proto != PROTO_ESP)
		return ERR_NO_PROPOSAL;
	if (!single_types(p) || !types_known(p) ||
	    !has_type(p, TRANSFORM_ENCR) || has_type(p, TRANSFORM_PRF) != ike ||
	    has_type(p, TRANSFORM_ESN) != !ike)
		return ERR_NO_PROPOSAL;
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].key_bits != 0 && p->t[i].type != TRANSFORM_ENCR)
			return ERR_NO_PROPOSAL;
	return OK;
}

enum err suite_from_proposal(const struct proposal *p, struct suite *out)
{
	uint16_t integ = id_of(p, TRANSFORM_INTEG);
	uint16_t prf = id_of(p, TRANSFORM_PRF);
	uint16_t ke = id_of(p, TRANSFORM_KE);
	uint16_t esn = id_of(p, TRANSFORM_ESN);
	const struct transform *encr = find_type(p, TRANSFORM_ENCR);
	size_t encr_len, integ_len;

	memset(out, 0, sizeof(*out));
	if (suite_check_types(p) != OK || !encr_find(encr->id) ||
	    !integ_find(integ) || !ke_find(ke) || esn > 1)
		return ERR_NO_PROPOSAL;
	if (p->proto == PROTO_IKE && (!prf_find(prf) || ke == KE_NONE))
		return ERR_NO_PROPOSAL;
	out->cipher.encr = (enum encr)encr->id;
	out->cipher.key_bits = encr->key_bits;
	out->cipher.integ = (enum integ)integ;
	out->prf = (enum prf)prf;
	out->ke = (enum ke_method)ke;
	out->esn = esn == 1;
	/* Key length, and an integrity algorithm exactly where one belongs. */
	if (cipher_key_lens(&out->cipher, &encr_len, &integ_len) != OK)
		return ERR_NO_PROPOSAL;
	return OK;
}
