#include "client/esp/esp.h"

#include <stdlib.h>
#include <string.h>

#include "client/esp/sa.h"

#define HEAD_LEN     8	 /* SPI, sequence number */
#define TRAILER_LEN  2	 /* pad length, next header */
#define FIRST_SPI    256 /* those below are reserved, RFC 4303 2.1 */
#define IPV4_HEAD    20
#define IPV6_HEAD    40
#define MAX_SEQ(esn) ((esn) ? UINT64_MAX : (uint64_t)UINT32_MAX)

/* --- the SA ------------------------------------------------------ */

/* The IVs of CBC must not be foreseeable, and this folder draws no random
 * numbers: they come from a generator seeded by the key, which who sees the
 * packets does not have. */
static enum err iv_seed(struct esp_sa *sa, const struct esp_params *params)
{
	const struct bytes label[] = {bytes_str("ESP IV")};
	struct secret seed;
	enum err e;

	e = crypto_prf(PRF_HMAC_SHA2_256, secret_view(&params->encr_key), label,
		       1, &seed);
	if (!e)
		rng_seed(&sa->iv_rng, seed.b);
	secret_wipe(&seed);
	return e;
}

enum err esp_sa_new(const struct esp_params *params, struct esp_sa **out)
{
	struct esp_sa *sa;
	enum err e;

	*out = NULL;
	if (params->spi < FIRST_SPI)
		return ERR_MALFORMED;
	sa = calloc(1, sizeof(*sa));
	if (!sa)
		return ERR_NO_MEMORY;
	sa->spi = params->spi;
	sa->esn = params->esn;
	e = esp_cipher_new(&params->algs, secret_view(&params->encr_key),
			   secret_view(&params->integ_key), &sa->cipher);
	if (!e && !esp_cipher_is_aead(sa->cipher))
		e = iv_seed(sa, params);
	if (e)
		esp_sa_free(&sa);
	*out = sa;
	return e;
}

void esp_sa_free(struct esp_sa **sa)
{
	if (!*sa)
		return;
	esp_cipher_free(&(*sa)->cipher);
	mem_wipe(*sa, sizeof(**sa));
	free(*sa);
	*sa = NULL;
}

uint32_t esp_sa_spi(const struct esp_sa *sa)
{
	return sa->spi;
}

const struct esp_counters *esp_sa_counters(const struct esp_sa *sa)
{
	return &sa->counters;
}

uint64_t esp_sa_seq(const struct esp_sa *sa)
{
	return sa->seq > sa->replay.top ? sa->seq : sa->replay.top;
}

size_t esp_overhead_max(const struct esp_sa *sa)
{
	return HEAD_LEN + esp_cipher_iv_len(sa->cipher) +
	       esp_cipher_align(sa->cipher) - 1 + TRAILER_LEN +
	       esp_cipher_icv_len(sa->cipher);
}

size_t esp_overhead_of(const struct cipher_algs *algs)
{
	const struct encr_info *encr = encr_find(algs->encr);
	size_t icv_len = encr->icv_len > 0 ? encr->icv_len
					   : integ_find(algs->integ)->icv_len;

	return HEAD_LEN + encr->iv_len + encr->align - 1 + TRAILER_LEN +
	       icv_len;
}

uint32_t esp_peek_spi(struct bytes pkt)
{
	struct rd r = rd_open(pkt);

	return rd_u32(&r);
}

/* --- what is authenticated beside the body ----------------------- */

/* AEADs: SPI and the sequence number, whole with ESN (RFC 4106 section 5).
 * CBC and HMAC: SPI and low half as sent, the high half after the body
 * (RFC 4303 2.2.1). head: the packet's first octets. extra: ESP_EXTRA octets
 * that live as long as t. */
static void text_bind(const struct esp_sa *sa, uint64_t seq,
		      const uint8_t *head, uint8_t *extra,
		      struct cipher_text *t)
{
	struct wr w = wr_open(extra, ESP_EXTRA);

	t->head = bytes(head, HEAD_LEN);
	t->tail = BYTES_NONE;
	if (!sa->esn)
		return;
	if (esp_cipher_is_aead(sa->cipher)) {
		wr_u32(&w, sa->spi);
		wr_u64(&w, seq);
		t->head = wr_view(&w);
	} else {
		wr_u32(&w, (uint32_t)(seq >> 32));
		t->tail = wr_view(&w);
	}
}

/* --- sending ----------------------------------------------------- */

/* An AEAD's IV need only never repeat under one key: the sequence number. */
static void iv_put(struct esp_sa *sa, struct wr *w)
{
	size_t len = esp_cipher_iv_len(sa->cipher);

	if (esp_cipher_is_aead(sa->cipher))
		wr_u64(w, sa->seq);
	else
		rng_draw(&sa->iv_rng, wr_room(w, len), len);
}

static size_t pad_len(const struct esp_sa *sa, size_t inner_len)
{
	size_t align = esp_cipher_align(sa->cipher);

	return (align - (inner_len + TRAILER_LEN) % align) % align;
}

/* 1, 2, 3, ... (RFC 4303 2.4), pad length, next header, room for the ICV.
 * Returns the length of the encrypted part. */
static size_t trailer_put(const struct esp_sa *sa, const struct esp_pkt *pkt,
			  uint8_t next_header)
{
	size_t pad = pad_len(sa, pkt->len);
	struct wr w = wr_open(pkt->p + pkt->len, ESP_TAILROOM);

	for (size_t i = 1; i <= pad; i++)
		wr_u8(&w, (uint8_t)i);
	wr_u8(&w, (uint8_t)pad);
	wr_u8(&w, next_header);
	return pkt->len + wr_len(&w);
}

/* Gives the packet its number, header and trailer; what is left is the
 * cipher's. */
static void seal_begin(struct esp_sa *sa, struct esp_slot *s,
		       struct esp_job *job, uint8_t *extra)
{
	size_t head_len = HEAD_LEN + esp_cipher_iv_len(sa->cipher);
	struct cipher_text *t = &job->text;
	uint8_t *start = s->pkt.p - head_len;
	struct wr w = wr_open(start, head_len);

	sa->seq++;
	sa->counters.packets++;
	sa->counters.octets += s->pkt.len;
	t->body = s->pkt.p;
	t->body_len = trailer_put(sa, &s->pkt, s->next_header);
	t->icv = t->body + t->body_len;
	wr_u32(&w, sa->spi);
	wr_u32(&w, (uint32_t)sa->seq);
	t->iv = start + wr_len(&w);
	iv_put(sa, &w);
	text_bind(sa, sa->seq, start, extra, t);
	s->pkt.p = start;
	s->pkt.len = head_len + t->body_len + esp_cipher_icv_len(sa->cipher);
}

void esp_seal_many(struct esp_sa *sa, struct esp_slot *slots, size_t n)
{
	uint64_t left = MAX_SEQ(sa->esn) - sa->seq;
	size_t good = n < left ? n : (size_t)left;

	for (size_t i = 0; i < good; i++)
		seal_begin(sa, &slots[i], &sa->jobs[i], sa->extra[i]);
	esp_cipher_seal(sa->cipher, sa->jobs, good);
	for (size_t i = 0; i < n; i++)
		slots[i].result = i < good ? sa->jobs[i].result : ERR_EXPIRED;
}

enum err esp_seal(struct esp_sa *sa, uint8_t next_header, struct esp_pkt *pkt)
{
	struct esp_slot slot = {.pkt = *pkt, .next_header = next_header};

	esp_seal_many(sa, &slot, 1);
	*pkt = slot.pkt;
	return slot.result;
}

size_t esp_sealed_len(const struct esp_sa *sa, size_t inner_len)
{
	return HEAD_LEN + esp_cipher_iv_len(sa->cipher) + inner_len +
	       pad_len(sa, inner_len) + TRAILER_LEN +
	       esp_cipher_icv_len(sa->cipher);
}

size_t esp_head_len(const struct esp_sa *sa)
{
	return HEAD_LEN + esp_cipher_iv_len(sa->cipher);
}

/* --- receiving --------------------------------------------------- */

static enum err seq_find(const struct esp_sa *sa, uint32_t low,
			 uint64_t *out_seq)
{
	enum err e = OK;

	*out_seq = low;
	if (sa->esn)
		e = replay_infer(&sa->replay, low, out_seq);
	return e ? e : replay_check(&sa->replay, *out_seq);
}

/* body: decrypted. Cuts padding and trailer off. */
static enum err trailer_take(struct bytes body, size_t *out_len,
			     uint8_t *out_next_header)
{
	struct rd r = rd_open(body);
	struct rd trailer, padding;
	uint8_t pad;

	rd_take(&r, body.len - TRAILER_LEN);
	trailer = r;
	pad = rd_u8(&trailer);
	*out_next_header = rd_u8(&trailer);
	if (pad > body.len - TRAILER_LEN)
		return ERR_MALFORMED;
	*out_len = body.len - TRAILER_LEN - pad;
	padding = rd_open(bytes(body.p + *out_len, pad));
	for (unsigned i = 1; i <= pad; i++)
		if (rd_u8(&padding) != i)
			return ERR_MALFORMED;
	return OK;
}

/* Finds the parts; body, IV and ICV stay where they are. */
static enum err packet_split(const struct esp_sa *sa, struct esp_pkt *pkt,
			     struct cipher_text *out, uint32_t *out_low)
{
	size_t fixed = HEAD_LEN + esp_cipher_iv_len(sa->cipher) +
		       esp_cipher_icv_len(sa->cipher);
	struct rd r = rd_open(bytes(pkt->p, pkt->len));

	if (pkt->len < fixed + TRAILER_LEN)
		return ERR_TRUNCATED;
	out->body_len = pkt->len - fixed;
	if (rd_u32(&r) != sa->spi ||
	    out->body_len % esp_cipher_align(sa->cipher) != 0)
		return ERR_MALFORMED;
	*out_low = rd_u32(&r);
	out->iv = rd_take(&r, esp_cipher_iv_len(sa->cipher)).p;
	out->body = pkt->p + pkt->len - rd_left(&r);
	out->icv = out->body + out->body_len;
	return OK;
}

static enum err open_begin(struct esp_sa *sa, struct esp_slot *s,
			   struct esp_job *job, uint8_t *extra)
{
	uint32_t low;
	enum err e = packet_split(sa, &s->pkt, &job->text, &low);

	if (!e)
		e = seq_find(sa, low, &s->seq);
	if (!e)
		text_bind(sa, s->seq, s->pkt.p, extra, &job->text);
	return e;
}

/* The window again: the same number may have been in this batch before. */
static enum err open_end(struct esp_sa *sa, struct esp_slot *s,
			 const struct esp_job *job)
{
	enum err e = job->result;

	if (!e)
		e = replay_check(&sa->replay, s->seq);
	if (e)
		return e;
	replay_accept(&sa->replay, s->seq);
	s->pkt.p = job->text.body;
	return trailer_take(bytes(job->text.body, job->text.body_len),
			    &s->pkt.len, &s->next_header);
}

static void unwrap_many(struct esp_sa *sa, struct esp_slot *slots, size_t n)
{
	size_t jobs = 0, at = 0;

	for (size_t i = 0; i < n; i++) {
		slots[i].result = open_begin(sa, &slots[i], &sa->jobs[jobs],
					     sa->extra[jobs]);
		jobs += slots[i].result == OK;
	}
	esp_cipher_open(sa->cipher, sa->jobs, jobs);
	for (size_t i = 0; i < n; i++)
		if (slots[i].result == OK)
			slots[i].result =
				open_end(sa, &slots[i], &sa->jobs[at++]);
}

enum err esp_unwrap(struct esp_sa *sa, struct esp_pkt *pkt,
		    uint8_t *out_next_header)
{
	struct esp_slot slot = {.pkt = *pkt};

	unwrap_many(sa, &slot, 1);
	*pkt = slot.pkt;
	*out_next_header = slot.next_header;
	return slot.result;
}

/* The inner packet says how long it is; what is behind is padding for
 * traffic flow confidentiality (RFC 4303 2.7). */
static enum err inner_trim(struct esp_pkt *pkt, uint8_t next_header)
{
	struct rd r = rd_open(bytes(pkt->p, pkt->len));
	unsigned version = rd_u8(&r) >> 4;
	size_t len, least;

	if (next_header == ESP_NEXT_IPV4 && version == 4) {
		rd_take(&r, 1); /* type of service */
		len = rd_u16(&r);
		least = IPV4_HEAD;
	} else if (next_header == ESP_NEXT_IPV6 && version == 6) {
		rd_take(&r, 3); /* traffic class, flow label */
		len = IPV6_HEAD + (size_t)rd_u16(&r);
		least = IPV6_HEAD;
	} else {
		return ERR_MALFORMED; /* not what a tunnel carries */
	}
	if (!rd_ok(&r) || len < least || len > pkt->len)
		return ERR_MALFORMED;
	pkt->len = len;
	return OK;
}

static void open_count(struct esp_counters *c, enum err e, size_t len)
{
	if (!e) {
		c->packets++;
		c->octets += len;
	} else if (e == ERR_REPLAY) {
		c->replayed++;
	} else if (e == ERR_INTEGRITY) {
		c->unauthentic++;
	} else {
		c->malformed++;
	}
}

void esp_open_many(struct esp_sa *sa, struct esp_slot *slots, size_t n)
{
	unwrap_many(sa, slots, n);
	for (size_t i = 0; i < n; i++) {
		struct esp_slot *s = &slots[i];

		if (s->result == OK && s->next_header == ESP_NEXT_NONE)
			s->pkt.len = 0;
		else if (s->result == OK)
			s->result = inner_trim(&s->pkt, s->next_header);
		open_count(&sa->counters, s->result, s->pkt.len);
	}
}

enum err esp_open(struct esp_sa *sa, struct esp_pkt *pkt,
		  uint8_t *out_next_header)
{
	struct esp_slot slot = {.pkt = *pkt};

	esp_open_many(sa, &slot, 1);
	*pkt = slot.pkt;
	*out_next_header = slot.next_header;
	return slot.result;
}
