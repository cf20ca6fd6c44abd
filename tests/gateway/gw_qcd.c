/* Crash detection (RFC 6290) as token maker, stateless as in its 5.1: the
 * secret is one that gw_save_tickets keeps across a restart. */
#include "tests/gateway/gw_int.h"

static enum err token_of(const struct gw *gw, uint64_t spi_i, uint64_t spi_r,
			 struct secret *out)
{
	uint8_t spis[2 * IKE_SPI_LEN];
	struct wr w = wr_open(spis, sizeof(spis));
	const struct bytes parts[] = {bytes_str("QCD"), BYTES_OF(spis)};

	wr_u64(&w, spi_i);
	wr_u64(&w, spi_r);
	return crypto_prf(PRF_HMAC_SHA2_256, BYTES_OF(gw->cookie_key), parts, 2,
			  out);
}

/* 4.1: of the IKE SA, so with its protocol ID. */
static void wr_notify_ike(struct ike_wr *m, uint16_t type, struct bytes data)
{
	ike_wr_open_payload(m, PLD_NOTIFY);
	wr_u8(&m->w, PROTO_IKE);
	wr_u8(&m->w, 0);
	wr_u16(&m->w, type);
	wr_bytes(&m->w, data);
	ike_wr_close_payload(m);
}

void gw_wr_token(struct gw *gw, const struct gw_ike *ike, struct ike_wr *m)
{
	uint64_t i = ike->initiator ? ike->my_spi : ike->peer_spi;
	uint64_t r = ike->initiator ? ike->peer_spi : ike->my_spi;
	struct secret token;

	if (!gw->sw.qcd || token_of(gw, i, r, &token) != OK)
		return;
	wr_notify_ike(m, N_QUICK_CRASH_DETECTION, secret_view(&token));
	secret_wipe(&token);
}

void gw_crash_tell(struct gw *gw, const struct ike_hdr *hdr,
		   const struct gw_path *path)
{
	struct ike_hdr h = *hdr;
	struct secret token;
	struct ike_wr m;
	struct bytes dgram;

	h.flags = (hdr->flags & IKE_FLAG_INITIATOR) ^ IKE_FLAG_INITIATOR;
	h.flags |= IKE_FLAG_RESPONSE;
	ike_wr_start(&m, gw->dgram, GW_BUF_LEN, &h);
	ike_wr_notify(&m, N_INVALID_IKE_SPI, BYTES_NONE);
	if (gw->sw.qcd && token_of(gw, hdr->spi_i, hdr->spi_r, &token) == OK) {
		token.b[0] ^= gw->sw.wrong_qcd;
		wr_notify_ike(&m, N_QUICK_CRASH_DETECTION, secret_view(&token));
		secret_wipe(&token);
		gw->n.tokens_told++;
	}
	if (ike_wr_end(&m, &dgram) == OK)
		gw_send(gw, path, dgram);
}
