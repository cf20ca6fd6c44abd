/* Reassembly against a model of it. Octet 0: suite; then one fragment after
 * the other: number, total, message ID, first payload, length (an octet
 * each) and so many octets. A message ID over 127: the ICV is wrong. */
#include "tests/fuzz/fuzz_ike.h"

#define NONE UINT32_MAX

static struct model {
	uint32_t msg_id;
	uint8_t total, first;
	size_t have;
	bool is_here[IKE_FRAGMENTS_MAX];
	struct bytes parts[IKE_FRAGMENTS_MAX]; /* views into the input */
} model;

struct step {
	uint8_t number, total, msg_id, first;
	struct bytes plain;
};

/* What must come of it; *out_done: all are here. */
static enum err model_add(const struct step *s, bool *out_done)
{
	bool same = model.msg_id == s->msg_id;

	*out_done = false;
	if (s->number == 0 || s->number > s->total)
		return ERR_INTEGRITY;
	if (s->total > IKE_FRAGMENTS_MAX)
		return ERR_NO_SPACE;
	if (same && (s->total < model.total ||
		     (s->total == model.total && model.is_here[s->number - 1])))
		return ERR_REPLAY;
	if (s->msg_id > 127)
		return ERR_INTEGRITY;
	if (!same || s->total != model.total) {
		memset(&model, 0, sizeof(model));
		model.msg_id = s->msg_id;
		model.total = s->total;
	}
	model.is_here[s->number - 1] = true;
	model.parts[s->number - 1] = s->plain;
	if (s->number == 1)
		model.first = s->first;
	*out_done = ++model.have == model.total;
	return OK;
}

static void check_whole(const struct ike_msg *got, enum err e)
{
	static uint8_t chain[IKE_FRAGMENTS_MAX * 256];
	static struct ike_msg want;
	struct wr w = wr_open(chain, sizeof(chain));

	for (size_t i = 0; i < model.total; i++)
		wr_bytes(&w, model.parts[i]);
	memset(&want, 0, sizeof(want));
	FUZZ_CHECK(ike_chain_parse(model.first, wr_view(&w), &want) == e);
	FUZZ_CHECK(fuzz_same_payloads(got, &want));
	FUZZ_CHECK(got->sk_type == PLD_SKF && got->sk_first == model.first);
	FUZZ_CHECK(got->hdr.msg_id == model.msg_id);
	memset(&model, 0, sizeof(model));
	model.msg_id = NONE;
}

static size_t write_step(struct fuzz_sa *sa, const struct step *s, uint8_t *buf,
			 size_t cap)
{
	const uint8_t frag[4] = {0, s->number, 0, s->total};
	struct fuzz_sealing f = {.msg_id = s->msg_id, .type = PLD_SKF};
	uint8_t text[256 + 16] = {0};
	struct wr w = wr_open(text, sizeof(text));
	size_t pad = 0, len;

	if (!cipher_is_aead(sa->i.seal))
		pad = (16 - (s->plain.len + 1) % 16) % 16;
	wr_bytes(&w, s->plain);
	wr_zeros(&w, pad);
	wr_u8(&w, (uint8_t)pad);
	f.first = s->first;
	f.frag = BYTES_OF(frag);
	f.text = wr_view(&w);
	len = fuzz_seal(&sa->i, &f, buf, cap);
	if (s->msg_id > 127)
		buf[len - 1] ^= 1;
	return len;
}

static void run_step(struct fuzz_sa *sa, struct ike_reasm *r,
		     const struct step *s)
{
	static struct ike_msg msg;
	uint8_t buf[512], *copy;
	size_t len = write_step(sa, s, buf, sizeof(buf));
	bool done, want_done;
	enum err e, want = model_add(s, &want_done);

	copy = fuzz_copy(bytes(buf, len));
	e = ike_reasm_add(r, &sa->r, copy, len, &msg, &done);
	/* its views must not be into the datagram */
	free(copy);
	FUZZ_CHECK(done == want_done);
	if (done)
		check_whole(&msg, e);
	else
		FUZZ_CHECK(e == want);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd in = rd_open(bytes(data, size));
	struct fuzz_sa *sa = fuzz_sa_of(rd_u8(&in));
	struct ike_reasm *r;
	struct step s;
	size_t len;

	FUZZ_CHECK(ike_reasm_new(&r) == OK);
	memset(&model, 0, sizeof(model));
	model.msg_id = NONE;
	while (rd_left(&in) >= 5) {
		s.number = rd_u8(&in);
		s.total = rd_u8(&in);
		s.msg_id = rd_u8(&in);
		s.first = rd_u8(&in);
		len = rd_u8(&in);
		s.plain = rd_take(&in, len < rd_left(&in) ? len : rd_left(&in));
		run_step(sa, r, &s);
	}
	ike_reasm_free(&r);
	FUZZ_CHECK(r == NULL);
	return 0;
}
