/* Reassembly of SKF, RFC 7383 2.6. */
#include "client/ike/open.h"

#include <stdlib.h>
#include <string.h>

#define FRAG_HDR_LEN 4

struct piece {
	uint8_t *p; /* NULL: not here yet */
	size_t len;
};

struct ike_reasm {
	struct ike_hdr hdr; /* of the message the pieces belong to */
	uint16_t total;	    /* 0: nothing is under way */
	uint16_t have;
	uint8_t first; /* next payload of fragment 1 */
	size_t len;    /* of all pieces */
	struct piece pieces[IKE_FRAGMENTS_MAX];
	struct piece whole; /* after the last piece */
};

enum err ike_reasm_new(struct ike_reasm **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? OK : ERR_NO_MEMORY;
}

static void piece_free(struct piece *piece)
{
	mem_wipe(piece->p, piece->len);
	free(piece->p);
	*piece = (struct piece){NULL, 0};
}

static enum err piece_new(struct piece *piece, size_t len)
{
	piece->p = malloc(len > 0 ? len : 1);
	piece->len = piece->p ? len : 0;
	return piece->p ? OK : ERR_NO_MEMORY;
}

void ike_reasm_reset(struct ike_reasm *r)
{
	for (size_t i = 0; i < IKE_FRAGMENTS_MAX; i++)
		piece_free(&r->pieces[i]);
	piece_free(&r->whole);
	memset(r, 0, sizeof(*r));
}

void ike_reasm_free(struct ike_reasm **r)
{
	if (!*r)
		return;
	ike_reasm_reset(*r);
	free(*r);
	*r = NULL;
}

static bool same_message(const struct ike_hdr *a, const struct ike_hdr *b)
{
	return a->spi_i == b->spi_i && a->spi_r == b->spi_r &&
	       a->exchange == b->exchange && a->flags == b->flags &&
	       a->msg_id == b->msg_id;
}

/* Before the ICV is looked at: is it worth it? */
static enum err frag_check(const struct ike_reasm *r, const struct ike_msg *msg,
			   const struct ike_frag *frag)
{
	if (frag->number == 0 || frag->number > frag->total)
		return ERR_INTEGRITY;
	if (frag->total > IKE_FRAGMENTS_MAX)
		return ERR_NO_SPACE;
	if (r->total == 0 || !same_message(&r->hdr, &msg->hdr))
		return OK;
	if (frag->total < r->total ||
	    (frag->total == r->total && r->pieces[frag->number - 1].p))
		return ERR_REPLAY;
	return OK;
}

/* A genuine fragment. The first of another message, or of the same one cut
 * finer, drops what is here. */
static enum err frag_store(struct ike_reasm *r, const struct ike_msg *msg,
			   const struct ike_frag *frag, struct bytes plain)
{
	struct piece *piece = &r->pieces[frag->number - 1];
	enum err e;

	if (r->total != frag->total || !same_message(&r->hdr, &msg->hdr)) {
		ike_reasm_reset(r);
		r->hdr = msg->hdr;
		r->total = frag->total;
	}
	if (plain.len > IKE_MSG_MAX - r->len) {
		ike_reasm_reset(r);
		return ERR_NO_SPACE;
	}
	e = piece_new(piece, plain.len);
	if (e != OK)
		return e;
	if (plain.len > 0)
		memcpy(piece->p, plain.p, plain.len);
	if (frag->number == 1)
		r->first = msg->sk_first;
	r->len += plain.len;
	r->have++;
	return OK;
}

static enum err join(struct ike_reasm *r)
{
	struct wr w;
	enum err e;

	e = piece_new(&r->whole, r->len);
	if (e != OK)
		return e;
	w = wr_open(r->whole.p, r->whole.len);
	for (size_t i = 0; i < r->total; i++) {
		wr_bytes(&w, bytes(r->pieces[i].p, r->pieces[i].len));
		piece_free(&r->pieces[i]);
	}
	return wr_finish(&w);
}

static enum err finish(struct ike_reasm *r, struct ike_msg *msg, bool *out_done)
{
	enum err e;

	e = join(r);
	r->total = 0; /* the next call begins anew */
	if (e != OK)
		return e;
	*out_done = true;
	memset(msg, 0, sizeof(*msg));
	msg->hdr = r->hdr;
	msg->sk_type = PLD_SKF;
	msg->sk_first = r->first;
	return ike_chain_parse(r->first, bytes(r->whole.p, r->whole.len), msg);
}

enum err ike_reasm_add(struct ike_reasm *r, struct ike_protect *p,
		       uint8_t *dgram, size_t dgram_len, struct ike_msg *msg,
		       bool *out_done)
{
	struct ike_frag frag = {0};
	struct bytes plain;
	struct rd rd;
	enum err e;

	*out_done = false;
	if (r->total == 0)
		ike_reasm_reset(r);
	if (ike_msg_parse(bytes(dgram, dgram_len), msg) != OK ||
	    !ike_open_fits(msg, PLD_SKF, dgram, dgram_len))
		return ERR_INTEGRITY;
	msg->n_payloads = 0;
	rd = rd_open(msg->sk_body);
	frag.number = rd_u16(&rd);
	frag.total = rd_u16(&rd);
	e = frag_check(r, msg, &frag);
	if (e == OK)
		e = ike_open_body(p, dgram, msg, FRAG_HDR_LEN, &plain);
	if (e == OK)
		e = frag_store(r, msg, &frag, plain);
	if (e != OK || r->have < r->total)
		return e;
	return finish(r, msg, out_done);
}
