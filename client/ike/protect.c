/* The encrypted payloads: SK (RFC 7296 3.14, RFC 5282) and SKF (RFC 7383). */
#include "client/ike/open.h"

#include <string.h>

#define GENERIC_LEN  4
#define FRAG_HDR_LEN 4 /* fragment number, total fragments */

enum err ike_protect_new(const struct ike_keys *keys, bool is_initiator,
			 struct rng *rng, struct ike_protect *out)
{
	const struct cipher_algs *algs = &keys->suite.cipher;
	struct cipher **of_i = is_initiator ? &out->seal : &out->open;
	struct cipher **of_r = is_initiator ? &out->open : &out->seal;
	enum err e;

	memset(out, 0, sizeof(*out));
	out->rng = rng;
	e = cipher_new(algs, secret_view(&keys->sk_ei),
		       secret_view(&keys->sk_ai), of_i);
	if (e == OK)
		e = cipher_new(algs, secret_view(&keys->sk_er),
			       secret_view(&keys->sk_ar), of_r);
	if (e != OK)
		ike_protect_free(out);
	return e;
}

void ike_protect_free(struct ike_protect *p)
{
	cipher_free(&p->seal);
	cipher_free(&p->open);
	memset(p, 0, sizeof(*p));
}

/* --- seal ------------------------------------------------------------------
 */

/* IKE needs no alignment with an AEAD (RFC 5282 3). */
static size_t pad_align(const struct cipher *c)
{
	return cipher_is_aead(c) ? 1 : cipher_align(c);
}

/* Octets of padding behind len octets and before the pad length. */
static size_t pad_len(const struct cipher *c, size_t len)
{
	size_t align = pad_align(c);

	return (align - (len + 1) % align) % align;
}

struct sealing {
	uint8_t type;	   /* PLD_SK or PLD_SKF */
	uint8_t first;	   /* next payload */
	struct bytes frag; /* the fragment header, none for SK */
	struct bytes plain;
};

static void write_iv(struct ike_protect *p, uint8_t *iv)
{
	size_t len = cipher_iv_len(p->seal);
	struct wr w = wr_open(iv, len);

	if (cipher_is_aead(p->seal))
		wr_u64(&w, p->iv_counter++);
	else
		rng_draw(p->rng, iv, len);
}

static enum err seal_write(struct ike_protect *p, struct ike_hdr hdr,
			   const struct sealing *s, struct wr *out)
{
	size_t start = wr_len(out);
	size_t pad = pad_len(p->seal, s->plain.len);
	size_t len = GENERIC_LEN + s->frag.len + cipher_iv_len(p->seal) +
		     s->plain.len + pad + 1 + cipher_icv_len(p->seal);
	struct cipher_text t = {.body_len = s->plain.len + pad + 1};
	uint8_t *iv;

	if (len > UINT16_MAX)
		return ERR_NO_SPACE;
	hdr.next_payload = s->type;
	hdr.len = (uint32_t)(IKE_HDR_LEN + len);
	ike_hdr_write(out, &hdr);
	wr_u8(out, s->first);
	wr_u8(out, 0);
	wr_u16(out, (uint16_t)len);
	wr_bytes(out, s->frag);
	t.head = bytes(out->start + start, wr_len(out) - start);
	iv = wr_room(out, cipher_iv_len(p->seal));
	t.iv = iv;
	t.body = out->p;
	wr_bytes(out, s->plain);
	wr_zeros(out, pad);
	wr_u8(out, (uint8_t)pad);
	t.icv = wr_room(out, cipher_icv_len(p->seal));
	if (!wr_ok(out))
		return ERR_NO_SPACE;
	write_iv(p, iv);
	return cipher_seal(p->seal, &t);
}

/* On an error no octet of the plain text stays behind in out. */
static enum err seal_payload(struct ike_protect *p, const struct ike_hdr *hdr,
			     const struct sealing *s, struct wr *out)
{
	size_t start = wr_len(out);
	enum err e = seal_write(p, *hdr, s, out);

	if (e == OK)
		return OK;
	mem_wipe(out->start + start, wr_len(out) - start);
	wr_rewind(out, start);
	return e;
}

enum err ike_seal(struct ike_protect *p, const struct ike_hdr *hdr,
		  uint8_t first, struct bytes chain, struct wr *out)
{
	const struct sealing s = {PLD_SK, first, BYTES_NONE, chain};

	return seal_payload(p, hdr, &s, out);
}

/* Octets of a chain; head_len: of what SKF has and SK does not. */
static size_t chain_room(const struct ike_protect *p, size_t head_len,
			 size_t max_len)
{
	size_t fixed = IKE_HDR_LEN + GENERIC_LEN + head_len +
		       cipher_iv_len(p->seal) + cipher_icv_len(p->seal);
	size_t align = pad_align(p->seal);

	if (max_len <= fixed)
		return 0;
	max_len = (max_len - fixed) / align * align;
	return max_len > 0 ? max_len - 1 : 0; /* the pad length */
}

size_t ike_seal_room(const struct ike_protect *p, size_t max_len)
{
	return chain_room(p, 0, max_len);
}

/* Most octets of the chain that fit into one SKF datagram; 0: none do. */
static size_t frag_room(const struct ike_protect *p, size_t max_len)
{
	return chain_room(p, FRAG_HDR_LEN, max_len);
}

size_t ike_fragments(const struct ike_protect *p, size_t chain_len,
		     size_t max_len)
{
	size_t whole = IKE_HDR_LEN + GENERIC_LEN + cipher_iv_len(p->seal) +
		       chain_len + pad_len(p->seal, chain_len) + 1 +
		       cipher_icv_len(p->seal);
	size_t room = frag_room(p, max_len);
	size_t n;

	if (whole <= max_len)
		return 1;
	if (room == 0)
		return 0;
	n = (chain_len + room - 1) / room;
	return n <= IKE_FRAGMENTS_MAX ? n : 0;
}

enum err ike_seal_frag(struct ike_protect *p, const struct ike_hdr *hdr,
		       uint8_t first, struct bytes chain,
		       const struct ike_frag *frag, struct wr *out)
{
	struct rd r = rd_open(chain);
	size_t room = frag_room(p, frag->max_len);
	struct sealing s = {.type = PLD_SKF};
	uint8_t frag_hdr[FRAG_HDR_LEN];
	struct wr w = wr_open(frag_hdr, sizeof(frag_hdr));

	if (frag->number == 0 || frag->number > frag->total ||
	    frag->total != ike_fragments(p, chain.len, frag->max_len))
		return ERR_STATE;
	wr_u16(&w, frag->number);
	wr_u16(&w, frag->total);
	s.frag = wr_view(&w);
	/* Only the first fragment names the first payload (2.5). */
	s.first = frag->number == 1 ? first : PLD_NONE;
	rd_take(&r, (size_t)(frag->number - 1) * room);
	s.plain = rd_take(&r, rd_left(&r) < room ? rd_left(&r) : room);
	return seal_payload(p, hdr, &s, out);
}

/* --- open ------------------------------------------------------------------
 */

enum err ike_open_body(struct ike_protect *p, uint8_t *dgram,
		       const struct ike_msg *msg, size_t frag_len,
		       struct bytes *out_plain)
{
	struct rd r = rd_open(msg->sk_body);
	struct cipher_text t = {0};
	struct bytes frag, iv, body;
	size_t icv_len = cipher_icv_len(p->open);
	uint8_t pad;
	enum err e;

	*out_plain = BYTES_NONE;
	frag = rd_take(&r, frag_len);
	iv = rd_take(&r, cipher_iv_len(p->open));
	body = rd_take(&r, rd_left(&r) > icv_len ? rd_left(&r) - icv_len : 0);
	if (!rd_ok(&r) || body.len == 0 || rd_left(&r) != icv_len ||
	    body.len % pad_align(p->open) != 0)
		return ERR_INTEGRITY;
	t.head = bytes(dgram, msg->sk_offset + GENERIC_LEN + frag.len);
	t.iv = iv.p;
	t.body = dgram + (body.p - dgram);
	t.body_len = body.len;
	t.icv = dgram + (r.p - dgram);
	e = cipher_open(p->open, &t);
	if (e != OK)
		return ERR_INTEGRITY;
	pad = body.p[body.len - 1];
	if ((size_t)pad + 1 > body.len)
		return ERR_MALFORMED;
	*out_plain = bytes(body.p, body.len - 1 - pad);
	return OK;
}

bool ike_open_fits(const struct ike_msg *msg, uint8_t type,
		   const uint8_t *dgram, size_t dgram_len)
{
	return msg->sk_type == type &&
	       msg->sk_offset + GENERIC_LEN + msg->sk_body.len == dgram_len &&
	       msg->sk_body.p == dgram + msg->sk_offset + GENERIC_LEN;
}

enum err ike_open(struct ike_protect *p, uint8_t *dgram, size_t dgram_len,
		  struct ike_msg *msg)
{
	struct bytes plain;
	enum err e;

	/* Nothing from outside SK may pass for something from inside. */
	msg->n_payloads = 0;
	if (!ike_open_fits(msg, PLD_SK, dgram, dgram_len))
		return ERR_INTEGRITY;
	e = ike_open_body(p, dgram, msg, 0, &plain);
	if (e != OK)
		return e;
	return ike_chain_parse(msg->sk_first, plain, msg);
}
