/* The small payloads: parse and write side by side. */
#include "client/ike/msg.h"

#include <string.h>

#define ESP_SPI_LEN 4
#define EAP_HDR_LEN 4

/* --- key exchange, RFC 7296 3.4 ---------------------------------------- */

enum err ike_ke_parse(struct bytes body, struct ike_ke *out)
{
	struct rd r = rd_open(body);

	out->method = rd_u16(&r);
	rd_u16(&r); /* reserved */
	out->data = rd_rest(&r);
	if (!rd_ok(&r))
		return ERR_TRUNCATED;
	return out->data.len > 0 ? OK : ERR_MALFORMED;
}

void ike_wr_ke(struct ike_wr *m, uint16_t method, struct bytes data)
{
	ike_wr_open_payload(m, PLD_KE);
	wr_u16(&m->w, method);
	wr_zeros(&m->w, 2);
	wr_bytes(&m->w, data);
	ike_wr_close_payload(m);
}

/* --- identification, 3.5 ----------------------------------------------- */

enum err ike_id_parse(struct bytes body, struct ike_id *out)
{
	struct rd r = rd_open(body);

	out->type = rd_u8(&r);
	rd_take(&r, 3); /* reserved */
	out->data = rd_rest(&r);
	if (!rd_ok(&r))
		return ERR_TRUNCATED;
	if ((out->type == ID_IPV4_ADDR && out->data.len != 4) ||
	    (out->type == ID_IPV6_ADDR && out->data.len != 16))
		return ERR_MALFORMED;
	return OK;
}

void ike_wr_id(struct ike_wr *m, uint8_t payload, const struct ike_id *id)
{
	ike_wr_open_payload(m, payload);
	wr_u8(&m->w, id->type);
	wr_zeros(&m->w, 3);
	wr_bytes(&m->w, id->data);
	ike_wr_close_payload(m);
}

/* --- authentication, 3.8 ---------------------------------------------------
 */

enum err ike_auth_parse(struct bytes body, struct ike_auth *out)
{
	struct rd r = rd_open(body);

	out->method = rd_u8(&r);
	rd_take(&r, 3); /* reserved */
	out->data = rd_rest(&r);
	if (!rd_ok(&r))
		return ERR_TRUNCATED;
	return out->data.len > 0 ? OK : ERR_MALFORMED;
}

void ike_wr_auth(struct ike_wr *m, uint8_t method, struct bytes data)
{
	ike_wr_open_payload(m, PLD_AUTH);
	wr_u8(&m->w, method);
	wr_zeros(&m->w, 3);
	wr_bytes(&m->w, data);
	ike_wr_close_payload(m);
}

/* --- nonce, 3.9 ------------------------------------------------------------
 */

enum err ike_nonce_parse(struct bytes body, struct bytes *out)
{
	*out = body;
	return body.len >= IKE_NONCE_MIN && body.len <= IKE_NONCE_MAX
		       ? OK
		       : ERR_MALFORMED;
}

/* --- notify, 3.10 ----------------------------------------------------------
 */

enum err ike_notify_parse(struct bytes body, struct ike_notify *out)
{
	struct rd r = rd_open(body);
	uint8_t spi_len;

	out->proto = rd_u8(&r);
	spi_len = rd_u8(&r);
	out->type = rd_u16(&r);
	out->spi = rd_take(&r, spi_len);
	out->data = rd_rest(&r);
	return rd_finish(&r);
}

void ike_wr_notify(struct ike_wr *m, uint16_t type, struct bytes data)
{
	ike_wr_open_payload(m, PLD_NOTIFY);
	wr_u8(&m->w, PROTO_NONE);
	wr_u8(&m->w, 0); /* SPI size */
	wr_u16(&m->w, type);
	wr_bytes(&m->w, data);
	ike_wr_close_payload(m);
}

void ike_wr_notify_spi(struct ike_wr *m, uint16_t type, uint8_t proto,
		       uint32_t spi)
{
	ike_wr_open_payload(m, PLD_NOTIFY);
	wr_u8(&m->w, proto);
	wr_u8(&m->w, ESP_SPI_LEN);
	wr_u16(&m->w, type);
	wr_u32(&m->w, spi);
	ike_wr_close_payload(m);
}

/* --- certificate and certificate request, 3.6 and 3.7 ----------------------
 */

enum err ike_cert_parse(struct bytes body, struct ike_cert *out)
{
	struct rd r = rd_open(body);

	out->encoding = rd_u8(&r);
	out->data = rd_rest(&r);
	return rd_finish(&r);
}

void ike_wr_cert(struct ike_wr *m, uint8_t payload, struct bytes der)
{
	ike_wr_open_payload(m, payload);
	wr_u8(&m->w, CERT_X509_SIGNATURE);
	wr_bytes(&m->w, der);
	ike_wr_close_payload(m);
}

/* --- delete, 3.11 ----------------------------------------------------------
 */

enum err ike_delete_parse(struct bytes body, struct ike_delete *out)
{
	struct rd r = rd_open(body);
	uint8_t spi_len;
	uint16_t count;
	uint32_t spi;

	memset(out, 0, sizeof(*out));
	out->proto = rd_u8(&r);
	spi_len = rd_u8(&r);
	count = rd_u16(&r);
	if (!rd_ok(&r))
		return ERR_TRUNCATED;
	if (out->proto == PROTO_IKE && spi_len == 0)
		return rd_finish(&r);
	if ((out->proto != PROTO_ESP && out->proto != PROTO_AH) ||
	    spi_len != ESP_SPI_LEN)
		return ERR_MALFORMED;
	for (; count > 0 && rd_ok(&r); count--) {
		spi = rd_u32(&r);
		if (rd_ok(&r) && out->n_spis < IKE_DELETE_SPIS_MAX)
			out->spis[out->n_spis++] = spi;
	}
	return rd_finish(&r);
}

void ike_wr_delete_ike(struct ike_wr *m)
{
	ike_wr_open_payload(m, PLD_DELETE);
	wr_u8(&m->w, PROTO_IKE);
	wr_u8(&m->w, 0);  /* SPI size */
	wr_u16(&m->w, 0); /* number of SPIs */
	ike_wr_close_payload(m);
}

void ike_wr_delete_esp(struct ike_wr *m, const uint32_t *spis, size_t n)
{
	ike_wr_open_payload(m, PLD_DELETE);
	wr_u8(&m->w, PROTO_ESP);
	wr_u8(&m->w, ESP_SPI_LEN);
	wr_u16(&m->w, (uint16_t)n);
	for (size_t i = 0; i < n; i++)
		wr_u32(&m->w, spis[i]);
	ike_wr_close_payload(m);
}

/* --- EAP, 3.16 and RFC 3748 4 ----------------------------------------------
 */

enum err ike_eap_parse(struct bytes body, struct ike_eap *out)
{
	struct rd r = rd_open(body);
	uint16_t len;

	memset(out, 0, sizeof(*out));
	out->code = rd_u8(&r);
	out->id = rd_u8(&r);
	len = rd_u16(&r);
	if (!rd_ok(&r) || len > body.len)
		return ERR_TRUNCATED;
	if (len != body.len)
		return ERR_MALFORMED;
	if (out->code == EAP_SUCCESS || out->code == EAP_FAILURE)
		return rd_finish(&r);
	if (out->code != EAP_REQUEST && out->code != EAP_RESPONSE)
		return ERR_MALFORMED;
	out->type = rd_u8(&r);
	out->data = rd_rest(&r);
	return rd_finish(&r);
}

void ike_wr_eap(struct ike_wr *m, const struct ike_eap *eap)
{
	bool typed = eap->code == EAP_REQUEST || eap->code == EAP_RESPONSE;
	size_t len = EAP_HDR_LEN + (typed ? 1 + eap->data.len : 0);

	if (len > UINT16_MAX)
		m->w.overflow = true;
	ike_wr_open_payload(m, PLD_EAP);
	wr_u8(&m->w, eap->code);
	wr_u8(&m->w, eap->id);
	wr_u16(&m->w, (uint16_t)len);
	if (typed) {
		wr_u8(&m->w, eap->type);
		wr_bytes(&m->w, eap->data);
	}
	ike_wr_close_payload(m);
}
