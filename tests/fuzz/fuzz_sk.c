/* The SK payload: octet 0 chooses suite (low 2 bits) and what the rest is.
 *   0  a chain, sealed by us       octet 1: its first payload
 *   1  all that is encrypted, padding too, sealed as it is
 *   2  a chain, sealed, one octet changed (octets 2, 3: where, octet 4: how)
 *   3  the body of an SK payload that nobody sealed */
#include "tests/fuzz/fuzz_ike.h"

static uint8_t buf[80000];

static enum err open_copy(struct ike_protect *p, size_t len,
			  struct ike_msg *msg, uint8_t **out_copy)
{
	enum err e;

	*out_copy = fuzz_copy(bytes(buf, len));
	e = ike_msg_parse(bytes(*out_copy, len), msg);
	if (e != OK)
		return e;
	e = ike_open(p, *out_copy, len, msg);
	for (size_t i = 0; i < msg->n_payloads; i++)
		FUZZ_CHECK(fuzz_inside(msg->payloads[i].body, msg->sk_body));
	if (e == ERR_INTEGRITY)
		FUZZ_CHECK(msg->n_payloads == 0);
	return e;
}

/* What comes out is what the chain says by itself. */
static void expect(struct ike_protect *p, size_t len, uint8_t first,
		   struct bytes chain)
{
	static struct ike_msg got, want;
	uint8_t *copy;
	enum err e, of_chain;

	memset(&want, 0, sizeof(want));
	of_chain = ike_chain_parse(first, chain, &want);
	e = open_copy(p, len, &got, &copy);
	FUZZ_CHECK(e == of_chain);
	FUZZ_CHECK(fuzz_parse_err(e) || e == ERR_UNSUPPORTED);
	FUZZ_CHECK(fuzz_same_payloads(&got, &want));
	free(copy);
}

static size_t seal(struct fuzz_sa *sa, uint8_t first, struct bytes chain)
{
	struct ike_hdr hdr = {.spi_i = 1, .spi_r = 2, .exchange = IKE_AUTH};
	struct wr w = wr_open(buf, sizeof(buf));
	enum err e = ike_seal(&sa->i, &hdr, first, chain, &w);

	FUZZ_CHECK(e == OK || (e == ERR_NO_SPACE && chain.len > 65000));
	return e == OK ? wr_len(&w) : 0;
}

static void sealed_text(struct fuzz_sa *sa, uint8_t first, struct bytes text)
{
	struct fuzz_sealing s = {.type = PLD_SK, .first = first};
	static struct ike_msg msg;
	uint8_t pad, *copy;
	size_t len;

	if (!cipher_is_aead(sa->i.seal))
		text.len -= text.len % 16;
	if (text.len == 0 || text.len > 65000)
		return;
	s.text = text;
	len = fuzz_seal(&sa->i, &s, buf, sizeof(buf));
	pad = text.p[text.len - 1];
	if (pad + 1U <= text.len) {
		expect(&sa->r, len, first, bytes(text.p, text.len - 1 - pad));
		return;
	}
	FUZZ_CHECK(open_copy(&sa->r, len, &msg, &copy) == ERR_MALFORMED);
	FUZZ_CHECK(msg.n_payloads == 0);
	free(copy);
}

static void changed(struct fuzz_sa *sa, struct rd *r, uint8_t first)
{
	static struct ike_msg msg;
	size_t at = rd_u16(r);
	uint8_t how = rd_u8(r), *copy;
	size_t len = seal(sa, first, rd_rest(r));
	enum err e;

	if (len == 0 || how == 0)
		return;
	at %= len;
	buf[at] ^= how;
	e = open_copy(&sa->r, len, &msg, &copy);
	/* from the IV on only the ICV tells */
	FUZZ_CHECK(e == ERR_INTEGRITY || (e != OK && at < 32));
	free(copy);
}

static void unsealed(struct fuzz_sa *sa, struct bytes body)
{
	struct ike_hdr hdr = {.next_payload = PLD_SK, .exchange = IKE_AUTH};
	struct wr w = wr_open(buf, sizeof(buf));
	static struct ike_msg msg;
	uint8_t *copy;

	if (body.len > 65000)
		return;
	hdr.len = (uint32_t)(IKE_HDR_LEN + 4 + body.len);
	ike_hdr_write(&w, &hdr);
	wr_u16(&w, PLD_AUTH << 8);
	wr_u16(&w, (uint16_t)(4 + body.len));
	wr_bytes(&w, body);
	FUZZ_CHECK(open_copy(&sa->r, wr_len(&w), &msg, &copy) == ERR_INTEGRITY);
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_open(bytes(data, size));
	uint8_t how = rd_u8(&r);
	uint8_t first = rd_u8(&r);
	struct fuzz_sa *sa = fuzz_sa_of(how);
	struct bytes chain;
	size_t len;

	if (!rd_ok(&r))
		return 0;
	switch (how >> 2 & 3) {
	case 0:
		chain = rd_rest(&r);
		len = seal(sa, first, chain);
		if (len > 0)
			expect(&sa->r, len, first, chain);
		break;
	case 1:
		sealed_text(sa, first, rd_rest(&r));
		break;
	case 2:
		changed(sa, &r, first);
		break;
	default:
		unsealed(sa, rd_rest(&r));
		break;
	}
	return 0;
}
