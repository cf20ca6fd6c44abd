/* Lists of proposals as we make them up: defaults, KE, SPIs. */
#include "client/ike/msg.h"

#include <string.h>

#define AEADS "aes256gcm16-aes128gcm16-chacha20poly1305"
#define CBC   "aes256-aes128-sha256-sha384-sha512"
#define PRFS  "-prfsha256-prfsha384-prfsha512"
#define KES   "-x25519-ecp256-ecp384-modp3072-modp4096-modp2048"

void proposals_default(uint8_t proto, struct proposal_list *out)
{
	const char *text = proto == PROTO_IKE ? AEADS PRFS KES "," CBC PRFS KES
					      : AEADS KES "," CBC KES "," AEADS
							  "," CBC;

	/* The texts are ours and tested; an empty list would offer nothing. */
	if (proposals_from_text(text, proto, out, NULL) != OK)
		out->n = 0;
}

static bool proposal_same(const struct proposal *a, const struct proposal *b)
{
	if (a->proto != b->proto || a->n != b->n || !bytes_eq(a->spi, b->spi))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->t[i].type != b->t[i].type || a->t[i].id != b->t[i].id ||
		    a->t[i].key_bits != b->t[i].key_bits)
			return false;
	return true;
}

static void drop_type(struct proposal *p, uint8_t type)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].type != type)
			p->t[kept++] = p->t[i];
	p->n = kept;
}

static bool is_double(const struct proposal_list *l, size_t n,
		      const struct proposal *p)
{
	for (size_t i = 0; i < n; i++)
		if (proposal_same(&l->p[i], p))
			return true;
	return false;
}

void proposals_drop_ke(struct proposal_list *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->n; i++) {
		drop_type(&l->p[i], TRANSFORM_KE);
		if (is_double(l, kept, &l->p[i]))
			continue;
		if (kept != i)
			l->p[kept] = l->p[i];
		l->p[kept].num = (uint8_t)(kept + 1);
		kept++;
	}
	l->n = kept;
}

void proposals_set_spi(struct proposal_list *l, struct bytes spi)
{
	for (size_t i = 0; i < l->n; i++)
		l->p[i].spi = spi;
}

bool proposals_have_ke(const struct proposal_list *l, enum ke_method method)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->p[i].n; k++)
			if (l->p[i].t[k].type == TRANSFORM_KE &&
			    l->p[i].t[k].id == method)
				return true;
	return false;
}

enum ke_method proposals_first_ke(const struct proposal_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < l->p[i].n; k++)
			if (l->p[i].t[k].type == TRANSFORM_KE &&
			    l->p[i].t[k].id != KE_NONE &&
			    ke_find(l->p[i].t[k].id))
				return (enum ke_method)l->p[i].t[k].id;
	return KE_NONE;
}
