#include "client/esp/esp.h"

#include <stdlib.h>
#include <string.h>

#include "client/esp/sa.h"

#define HEAD_LEN     8 /* SPI, sequence number */
#define TRAILER_LEN  2 /* pad length, next header */
#define IV_MAX	     16
#define AAD_MAX	     12
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
	e = cipher_new(&params->algs, secret_view(&params->encr_key),
		       secret_view(&params->integ_key), &sa->cipher);
	if (!e && !cipher_is_aead(sa->cipher))
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
	cipher_free(&(*sa)->cipher);
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
	return HEAD_LEN + cipher_iv_len(sa->cipher) + cipher_align(sa->cipher) -
	       1 + TRAILER_LEN + cipher_icv_len(sa->cipher);
}

uint32_t esp_peek_spi(struct bytes pkt)
{
	struct rd r = rd_open(pkt);

	return rd_u32(&r);
}

/* --- what is authenticated beside the body ----------------------- */

/* AEADs: SPI and the sequence number, whole with ESN (RFC 4106 section 5).
 * CBC and HMAC: SPI and low half as sent, the high half after the body
 * (RFC 4303 2.2.1). aad: AAD_MAX octets that live as long as t. */
static void text_bind(const struct esp_sa *sa, uint64_t seq, uint8_t *aad,
		      struct cipher_text *t)
{
	struct wr w = wr_open(aad, AAD_MAX);

	wr_u32(&w, sa->spi);
	if (sa->esn && cipher_is_aead(sa->cipher)) {
		wr_u64(&w, seq);
		t->head = wr_view(&w);
		return;
	}
	wr_u32(&w, (uint32_t)seq);
	t->head = wr_view(&w);
	if (sa->esn) {
		wr_u32(&w, (uint32_t)(seq >> 32));
		t->tail = bytes(aad + HEAD_LEN, 4);
	}
}

/* --- sending ----------------------------------------------------- */

/* An AEAD's IV need only never repeat under one key: the sequence number. */
static void iv_make(struct esp_sa *sa, uint8_t iv[IV_MAX])
{
	struct wr w = wr_open(iv, IV_MAX);

	if (cipher_is_aead(sa->cipher))
		wr_u64(&w, sa->seq);
	else
		rng_draw(&sa->iv_rng, iv, cipher_iv_len(sa->cipher));
}

/* 1, 2, 3, ... (RFC 4303 2.4), pad length, next header, room for the ICV.
 * Returns the length of the encrypted part. */
static size_t trailer_put(const struct esp_sa *sa, struct esp_pkt *pkt,
			  uint8_t next_header)
{
	size_t align = cipher_align(sa->cipher);
	size_t pad = (align - (pkt->len + TRAILER_LEN) % align) % align;
	struct wr w = wr_open(pkt->p + pkt->len, ESP_TAILROOM);

	for (size_t i = 1; i <= pad; i++)
		wr_u8(&w, (uint8_t)i);
	wr_u8(&w, (uint8_t)pad);
	wr_u8(&w, next_header);
	return pkt->len + wr_len(&w);
}

enum err esp_seal(struct esp_sa *sa, uint8_t next_header, struct esp_pkt *pkt)
{
	size_t iv_len = cipher_iv_len(sa->cipher), inner_len = pkt->len;
	uint8_t aad[AAD_MAX], iv[IV_MAX];
	struct cipher_text t = {.iv = iv, .body = pkt->p};
	struct wr head;
	enum err e;

	if (sa->seq == MAX_SEQ(sa->esn))
		return ERR_EXPIRED;
	sa->seq++;
	t.body_len = trailer_put(sa, pkt, next_header);
	t.icv = t.body + t.body_len;
	iv_make(sa, iv);
	text_bind(sa, sa->seq, aad, &t);
	e = cipher_seal(sa->cipher, &t);
	if (e)
		return e;
	pkt->p -= HEAD_LEN + iv_len;
	pkt->len = HEAD_LEN + iv_len + t.body_len + cipher_icv_len(sa->cipher);
	head = wr_open(pkt->p, HEAD_LEN + iv_len);
	wr_u32(&head, sa->spi);
	wr_u32(&head, (uint32_t)sa->seq);
	wr_bytes(&head, bytes(iv, iv_len));
	sa->counters.packets++;
	sa->counters.octets += inner_len;
	return wr_finish(&head);
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
	uint8_t pad_len;

	rd_take(&r, body.len - TRAILER_LEN);
	trailer = r;
	pad_len = rd_u8(&trailer);
	*out_next_header = rd_u8(&trailer);
	if (pad_len > body.len - TRAILER_LEN)
		return ERR_MALFORMED;
	*out_len = body.len - TRAILER_LEN - pad_len;
	padding = rd_open(bytes(body.p + *out_len, pad_len));
	for (unsigned i = 1; i <= pad_len; i++)
		if (rd_u8(&padding) != i)
			return ERR_MALFORMED;
	return OK;
}

/* Finds the parts; body, IV and ICV stay where they are. */
static enum err packet_split(const struct esp_sa *sa, struct esp_pkt *pkt,
			     struct cipher_text *out, uint32_t *out_low)
{
	size_t fixed = HEAD_LEN + cipher_iv_len(sa->cipher) +
		       cipher_icv_len(sa->cipher);
	struct rd r = rd_open(bytes(pkt->p, pkt->len));

	if (pkt->len < fixed + TRAILER_LEN)
		return ERR_TRUNCATED;
	out->body_len = pkt->len - fixed;
	if (rd_u32(&r) != sa->spi ||
	    out->body_len % cipher_align(sa->cipher) != 0)
		return ERR_MALFORMED;
	*out_low = rd_u32(&r);
	out->iv = rd_take(&r, cipher_iv_len(sa->cipher)).p;
	out->body = pkt->p + pkt->len - rd_left(&r);
	out->icv = out->body + out->body_len;
	return OK;
}

enum err esp_unwrap(struct esp_sa *sa, struct esp_pkt *pkt,
		    uint8_t *out_next_header)
{
	uint8_t aad[AAD_MAX];
	struct cipher_text t = {.iv = NULL};
	uint64_t seq;
	uint32_t low;
	enum err e = packet_split(sa, pkt, &t, &low);

	if (!e)
		e = seq_find(sa, low, &seq);
	if (e)
		return e;
	text_bind(sa, seq, aad, &t);
	e = cipher_open(sa->cipher, &t);
	if (e)
		return e;
	replay_accept(&sa->replay, seq);
	pkt->p = t.body;
	return trailer_take(bytes(t.body, t.body_len), &pkt->len,
			    out_next_header);
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

enum err esp_open(struct esp_sa *sa, struct esp_pkt *pkt,
		  uint8_t *out_next_header)
{
	enum err e = esp_unwrap(sa, pkt, out_next_header);

	if (!e && *out_next_header == ESP_NEXT_NONE)
		pkt->len = 0;
	else if (!e)
		e = inner_trim(pkt, *out_next_header);
	open_count(&sa->counters, e, pkt->len);
	return e;
}
