#include "client/ike/msg.h"

#include <string.h>

#define GENERIC_LEN	 4 /* of the generic payload header */
#define GENERIC_CRITICAL 0x80

static enum err hdr_read(struct rd *r, struct ike_hdr *out)
{
	uint8_t version;

	out->spi_i = rd_u64(r);
	out->spi_r = rd_u64(r);
	out->next_payload = rd_u8(r);
	version = rd_u8(r);
	out->exchange = rd_u8(r);
	out->flags = rd_u8(r);
	out->msg_id = rd_u32(r);
	out->len = rd_u32(r);
	if (!rd_ok(r))
		return ERR_TRUNCATED;
	/* A minor version is the sender's business (RFC 7296 2.5). */
	return version >> 4 == IKE_VERSION >> 4 ? OK : ERR_UNSUPPORTED;
}

enum err ike_hdr_parse(struct bytes dgram, struct ike_hdr *out)
{
	struct rd r = rd_open(dgram);
	enum err e;

	memset(out, 0, sizeof(*out));
	e = hdr_read(&r, out);
	if (e != OK)
		return e;
	if (out->len > dgram.len)
		return ERR_TRUNCATED;
	return out->len == dgram.len ? OK : ERR_MALFORMED;
}

static bool payload_known(uint8_t type)
{
	switch (type) {
#define X(name, num) case name:
		PAYLOAD_LIST(X)
#undef X
		return true;
	}
	return false;
}

static enum err payload_add(struct ike_msg *msg, uint8_t type, bool critical,
			    struct bytes body)
{
	if (!payload_known(type)) {
		if (!critical)
			return OK;
		msg->unknown_critical = type;
		return ERR_UNSUPPORTED;
	}
	if (msg->n_payloads == IKE_PAYLOADS_MAX)
		return ERR_MALFORMED;
	msg->payloads[msg->n_payloads++] =
		(struct ike_payload){type, critical, body};
	return OK;
}

/* dgram: start of the message where the chain is its unencrypted one, NULL
 * inside SK, where no further SK may come. */
static enum err chain_read(uint8_t type, struct rd *r, const uint8_t *dgram,
			   struct ike_msg *msg)
{
	const uint8_t *at;
	struct bytes body;
	uint8_t next, flags;
	uint16_t len;
	enum err e;

	for (; type != PLD_NONE; type = next) {
		at = r->p;
		next = rd_u8(r);
		flags = rd_u8(r);
		len = rd_u16(r);
		if (rd_ok(r) && len < GENERIC_LEN)
			return ERR_MALFORMED;
		body = rd_take(r, (size_t)len - GENERIC_LEN);
		if (!rd_ok(r))
			return ERR_TRUNCATED;
		if (type == PLD_SK || type == PLD_SKF) {
			if (!dgram)
				return ERR_MALFORMED;
			msg->sk_type = type;
			msg->sk_first = next;
			msg->sk_offset = (size_t)(at - dgram);
			msg->sk_body = body;
			break; /* the last one, RFC 7296 3.14 */
		}
		e = payload_add(msg, type, flags & GENERIC_CRITICAL, body);
		if (e != OK)
			return e;
	}
	return rd_finish(r);
}

enum err ike_msg_parse(struct bytes dgram, struct ike_msg *out)
{
	struct rd r = rd_open(dgram);
	enum err e;

	memset(out, 0, sizeof(*out));
	e = ike_hdr_parse(dgram, &out->hdr);
	if (e != OK)
		return e;
	rd_take(&r, IKE_HDR_LEN);
	return chain_read(out->hdr.next_payload, &r, dgram.p, out);
}

enum err ike_chain_parse(uint8_t first, struct bytes chain, struct ike_msg *msg)
{
	struct rd r = rd_open(chain);

	return chain_read(first, &r, NULL, msg);
}

const struct ike_payload *ike_msg_find(const struct ike_msg *msg, uint8_t type,
				       size_t n)
{
	for (size_t i = 0; i < msg->n_payloads; i++)
		if (msg->payloads[i].type == type && n-- == 0)
			return &msg->payloads[i];
	return NULL;
}

size_t ike_msg_count(const struct ike_msg *msg, uint8_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < msg->n_payloads; i++)
		n += msg->payloads[i].type == type;
	return n;
}

bool ike_msg_notify(const struct ike_msg *msg, uint16_t type,
		    struct ike_notify *out)
{
	for (size_t i = 0; i < msg->n_payloads; i++)
		if (msg->payloads[i].type == PLD_NOTIFY &&
		    ike_notify_parse(msg->payloads[i].body, out) == OK &&
		    out->type == type)
			return true;
	memset(out, 0, sizeof(*out));
	return false;
}

bool ike_msg_error(const struct ike_msg *msg, struct ike_notify *out)
{
	for (size_t i = 0; i < msg->n_payloads; i++)
		if (msg->payloads[i].type == PLD_NOTIFY &&
		    ike_notify_parse(msg->payloads[i].body, out) == OK &&
		    out->type < N_FIRST_STATUS)
			return true;
	memset(out, 0, sizeof(*out));
	return false;
}
