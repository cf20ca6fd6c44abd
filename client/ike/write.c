/* The frame of a message: header, chain, lengths. */
#include "client/ike/msg.h"

#define NEXT_IN_HDR    16 /* RFC 7296 3.1 */
#define LEN_IN_HDR     24
#define LEN_IN_GENERIC 2
#define NO_PLACE       SIZE_MAX

void ike_wr_start(struct ike_wr *m, void *buf, size_t cap,
		  const struct ike_hdr *hdr)
{
	*m = (struct ike_wr){.w = wr_open(buf, cap), .has_hdr = true};
	m->next_at = NEXT_IN_HDR;
	ike_hdr_write(&m->w, hdr);
	wr_fill_u8(&m->w, NEXT_IN_HDR, PLD_NONE);
}

void ike_hdr_write(struct wr *w, const struct ike_hdr *hdr)
{
	wr_u64(w, hdr->spi_i);
	wr_u64(w, hdr->spi_r);
	wr_u8(w, hdr->next_payload);
	wr_u8(w, IKE_VERSION);
	wr_u8(w, hdr->exchange);
	wr_u8(w, hdr->flags);
	wr_u32(w, hdr->msg_id);
	wr_u32(w, hdr->len);
}

void ike_wr_start_chain(struct ike_wr *m, void *buf, size_t cap)
{
	*m = (struct ike_wr){.w = wr_open(buf, cap), .next_at = NO_PLACE};
}

uint8_t ike_wr_first(const struct ike_wr *m)
{
	return m->first;
}

void ike_wr_open_payload(struct ike_wr *m, uint8_t type)
{
	if (m->first == PLD_NONE)
		m->first = type;
	if (m->next_at != NO_PLACE)
		wr_fill_u8(&m->w, m->next_at, type);
	m->payload_at = wr_len(&m->w);
	m->next_at = m->payload_at;
	wr_u8(&m->w, PLD_NONE);
	wr_u8(&m->w, 0); /* critical bit and reserved */
	wr_u16(&m->w, 0);
}

void ike_wr_close_payload(struct ike_wr *m)
{
	size_t len = wr_len(&m->w) - m->payload_at;

	if (len > UINT16_MAX)
		m->w.overflow = true;
	wr_fill_u16(&m->w, m->payload_at + LEN_IN_GENERIC, (uint16_t)len);
}

enum err ike_wr_end(struct ike_wr *m, struct bytes *out)
{
	size_t len = wr_len(&m->w);

	*out = BYTES_NONE;
	if (!wr_ok(&m->w))
		return ERR_NO_SPACE;
	if (m->has_hdr) {
		wr_fill_u16(&m->w, LEN_IN_HDR, (uint16_t)(len >> 16));
		wr_fill_u16(&m->w, LEN_IN_HDR + 2, (uint16_t)len);
	}
	*out = wr_view(&m->w);
	return OK;
}

void ike_wr_payload(struct ike_wr *m, uint8_t type, struct bytes body)
{
	ike_wr_open_payload(m, type);
	wr_bytes(&m->w, body);
	ike_wr_close_payload(m);
}
