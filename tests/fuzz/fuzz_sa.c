/* Two SA payloads, ours and theirs: what is agreed on is in both. The first
 * octet tells the length of the first, in units of 4. */
#include "tests/fuzz/fuzz.h"

#include "client/ike/msg.h"

static bool has(const struct proposal *p, const struct transform *t)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].type == t->type && p->t[i].id == t->id &&
		    p->t[i].key_bits == t->key_bits)
			return true;
	return false;
}

static bool has_type(const struct proposal *p, uint8_t type)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].type == type)
			return true;
	return false;
}

static bool same(const struct proposal *a, const struct proposal *b)
{
	if (a->num != b->num || a->proto != b->proto || a->n != b->n ||
	    !bytes_eq(a->spi, b->spi))
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (a->t[i].type != b->t[i].type || a->t[i].id != b->t[i].id ||
		    a->t[i].key_bits != b->t[i].key_bits)
			return false;
	return true;
}

static bool read_list(struct bytes body, struct proposal_list *out)
{
	static uint8_t buf[16384];
	static struct proposal_list again;
	struct ike_wr m;
	struct bytes b;
	enum err e = proposals_parse(body, out);

	FUZZ_CHECK(fuzz_parse_err(e));
	if (e != OK)
		return false;
	FUZZ_CHECK(out->n <= PROPOSALS_MAX);
	for (size_t i = 0; i < out->n; i++) {
		FUZZ_CHECK(out->p[i].n <= PROPOSAL_TRANSFORMS_MAX);
		FUZZ_CHECK(fuzz_inside(out->p[i].spi, body));
	}
	if (out->n == 0)
		return true;
	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_sa(&m, out);
	FUZZ_CHECK(ike_wr_end(&m, &b) == OK);
	FUZZ_CHECK(proposals_parse(bytes(b.p + 4, b.len - 4), &again) == OK);
	FUZZ_CHECK(again.n == out->n);
	for (size_t i = 0; i < out->n; i++)
		FUZZ_CHECK(same(&out->p[i], &again.p[i]));
	return true;
}

static void check_suite(const struct proposal *p)
{
	struct suite s;
	size_t encr_len, integ_len;
	char text[64];
	enum err e = suite_from_proposal(p, &s);

	FUZZ_CHECK(e == OK || e == ERR_NO_PROPOSAL);
	if (e != OK)
		return;
	FUZZ_CHECK(p->proto == PROTO_IKE || p->proto == PROTO_ESP);
	FUZZ_CHECK(cipher_key_lens(&s.cipher, &encr_len, &integ_len) == OK);
	FUZZ_CHECK(ke_find(s.ke) != NULL);
	if (p->proto == PROTO_IKE)
		FUZZ_CHECK(prf_find(s.prf) != NULL && s.ke != KE_NONE);
	else
		FUZZ_CHECK(has_type(p, TRANSFORM_ESN));
	FUZZ_CHECK(strlen(suite_str(&s, text, sizeof(text))) > 5);
	FUZZ_CHECK(!strstr(text, "unknown"));
}

/* Whether p says something to each type of list, where "none" may be left
 * unsaid, and nothing twice. */
static bool complete(const struct proposal *p, const struct proposal *list)
{
	const struct transform no_integ = {TRANSFORM_INTEG, 0, 0};
	const struct transform no_ke = {TRANSFORM_KE, 0, 0};
	size_t same_type;

	for (size_t i = 0; i < list->n; i++) {
		if (list->t[i].type == TRANSFORM_INTEG && has(list, &no_integ))
			continue;
		if (list->t[i].type == TRANSFORM_KE && has(list, &no_ke))
			continue;
		if (!has_type(p, list->t[i].type))
			return false;
	}
	for (size_t i = 0; i < p->n; i++) {
		same_type = 0;
		for (size_t k = 0; k < p->n; k++)
			same_type += p->t[k].type == p->t[i].type;
		if (same_type != 1)
			return false;
	}
	return true;
}

/* Each transform in both, or in theirs a "none". */
static void check_select(const struct proposal_list *ours,
			 const struct proposal_list *theirs)
{
	static struct proposal_list answer;
	static struct proposal p, taken;
	bool in_ours = false, in_theirs = false;
	enum err e = proposals_select(ours, theirs, &p);

	FUZZ_CHECK(e == OK || e == ERR_NO_PROPOSAL);
	if (e != OK) {
		FUZZ_CHECK(p.n == 0);
		return;
	}
	FUZZ_CHECK(p.n >= 1 && p.n <= 5 && has_type(&p, TRANSFORM_ENCR));
	for (size_t i = 0; i < theirs->n; i++) {
		bool all = theirs->p[i].num == p.num &&
			   theirs->p[i].proto == p.proto &&
			   bytes_eq(theirs->p[i].spi, p.spi) &&
			   complete(&p, &theirs->p[i]);

		for (size_t k = 0; k < p.n; k++)
			all = all && has(&theirs->p[i], &p.t[k]);
		in_theirs |= all;
	}
	for (size_t i = 0; i < ours->n; i++) {
		bool all = ours->p[i].proto == p.proto &&
			   complete(&p, &ours->p[i]);

		for (size_t k = 0; k < p.n; k++)
			all = all && (has(&ours->p[i], &p.t[k]) ||
				      (p.t[k].id == 0 &&
				       !has_type(&ours->p[i], p.t[k].type)));
		in_ours |= all;
	}
	FUZZ_CHECK(in_ours && in_theirs);
	check_suite(&p);
	answer.n = 1;
	answer.p[0] = p;
	FUZZ_CHECK(proposals_check_answer(theirs, &answer, &taken) == OK);
	FUZZ_CHECK(same(&p, &taken));
}

static void check_answer(const struct proposal_list *offer,
			 const struct proposal_list *answer)
{
	static struct proposal p;
	bool offered = false;
	enum err e = proposals_check_answer(offer, answer, &p);

	FUZZ_CHECK(e == OK || e == ERR_NO_PROPOSAL);
	if (e != OK)
		return;
	FUZZ_CHECK(answer->n == 1 && p.n <= 5);
	for (size_t i = 0; i < offer->n; i++) {
		bool all = offer->p[i].num == p.num &&
			   offer->p[i].proto == p.proto &&
			   complete(&p, &offer->p[i]);

		for (size_t k = 0; k < p.n; k++)
			all = all && has(&offer->p[i], &p.t[k]);
		offered |= all;
	}
	FUZZ_CHECK(offered);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct proposal_list a, b, defaults;
	struct rd r = rd_open(bytes(data, size));
	size_t first = rd_u8(&r) * 4U;
	bool has_a, has_b;

	has_a = read_list(
		rd_take(&r, first < rd_left(&r) ? first : rd_left(&r)), &a);
	has_b = read_list(rd_rest(&r), &b);
	for (uint8_t proto = PROTO_IKE; has_a && proto <= PROTO_ESP; proto++) {
		proposals_default(proto, &defaults);
		check_select(&defaults, &a);
		check_answer(&defaults, &a);
	}
	for (size_t i = 0; has_a && i < a.n; i++)
		check_suite(&a.p[i]);
	if (has_a && has_b) {
		check_select(&a, &b);
		check_select(&b, &a);
		check_answer(&a, &b);
		check_answer(&b, &a);
	}
	if (has_a) {
		FUZZ_CHECK(proposals_have_ke(&a, proposals_first_ke(&a)) ||
			   proposals_first_ke(&a) == KE_NONE);
		proposals_drop_ke(&a);
		FUZZ_CHECK(proposals_first_ke(&a) == KE_NONE);
	}
	return 0;
}
