/* A datagram: header, chain, and each payload's own parser. What parses is
 * written again and parses to the same. */
#include "tests/fuzz/fuzz.h"

#include "client/ike/msg.h"

static uint8_t buf[80000];

static struct bytes written_body(struct ike_wr *m)
{
	struct bytes b;

	FUZZ_CHECK(ike_wr_end(m, &b) == OK);
	FUZZ_CHECK(b.len >= 4);
	return bytes(b.p + 4, b.len - 4);
}

static void start(struct ike_wr *m)
{
	static uint8_t payload[70000];

	ike_wr_start_chain(m, payload, sizeof(payload));
}

static void check_ke(struct bytes body)
{
	struct ike_ke a, b;
	struct ike_wr m;
	enum err e = ike_ke_parse(body, &a);

	FUZZ_CHECK(fuzz_parse_err(e));
	if (e != OK)
		return;
	FUZZ_CHECK(fuzz_inside(a.data, body) && a.data.len > 0);
	start(&m);
	ike_wr_ke(&m, a.method, a.data);
	FUZZ_CHECK(ike_ke_parse(written_body(&m), &b) == OK);
	FUZZ_CHECK(a.method == b.method && bytes_eq(a.data, b.data));
}

static void check_id(struct bytes body)
{
	struct ike_id a, b;
	struct ike_wr m;
	enum err e = ike_id_parse(body, &a);

	FUZZ_CHECK(fuzz_parse_err(e));
	if (e != OK)
		return;
	FUZZ_CHECK(fuzz_inside(a.data, body));
	start(&m);
	ike_wr_id(&m, PLD_IDI, &a);
	FUZZ_CHECK(ike_id_parse(written_body(&m), &b) == OK);
	FUZZ_CHECK(a.type == b.type && bytes_eq(a.data, b.data));
}

static void check_auth(struct bytes body)
{
	struct ike_auth a, b;
	struct ike_wr m;
	enum err e = ike_auth_parse(body, &a);

	FUZZ_CHECK(fuzz_parse_err(e));
	if (e != OK)
		return;
	FUZZ_CHECK(fuzz_inside(a.data, body) && a.data.len > 0);
	start(&m);
	ike_wr_auth(&m, a.method, a.data);
	FUZZ_CHECK(ike_auth_parse(written_body(&m), &b) == OK);
	FUZZ_CHECK(a.method == b.method && bytes_eq(a.data, b.data));
}

static void check_nonce(struct bytes body)
{
	struct bytes n;
	enum err e = ike_nonce_parse(body, &n);

	FUZZ_CHECK((e == OK) == (body.len >= 16 && body.len <= 256));
	FUZZ_CHECK(e == OK || e == ERR_MALFORMED);
	FUZZ_CHECK(e != OK || bytes_eq(n, body));
}

static void check_notify(struct bytes body)
{
	struct ike_notify a, b;
	struct ike_wr m;
	enum err e = ike_notify_parse(body, &a);

	FUZZ_CHECK(fuzz_parse_err(e));
	if (e != OK)
		return;
	FUZZ_CHECK(fuzz_inside(a.data, body) && fuzz_inside(a.spi, body));
	FUZZ_CHECK(4 + a.spi.len + a.data.len == body.len);
	if (a.spi.len > 0)
		return;
	start(&m);
	ike_wr_notify(&m, a.type, a.data);
	FUZZ_CHECK(ike_notify_parse(written_body(&m), &b) == OK);
	FUZZ_CHECK(a.type == b.type && bytes_eq(a.data, b.data));
}

static void check_cert(struct bytes body)
{
	struct ike_cert a, b;
	struct ike_wr m;
	enum err e = ike_cert_parse(body, &a);

	FUZZ_CHECK(fuzz_parse_err(e));
	FUZZ_CHECK((e == OK) == (body.len > 0));
	if (e != OK || a.encoding != CERT_X509_SIGNATURE)
		return;
	FUZZ_CHECK(fuzz_inside(a.data, body));
	start(&m);
	ike_wr_cert(&m, PLD_CERT, a.data);
	FUZZ_CHECK(ike_cert_parse(written_body(&m), &b) == OK);
	FUZZ_CHECK(bytes_eq(a.data, b.data));
}

static void check_delete(struct bytes body)
{
	struct ike_delete a, b;
	struct ike_wr m;
	enum err e = ike_delete_parse(body, &a);

	FUZZ_CHECK(fuzz_parse_err(e));
	if (e != OK)
		return;
	FUZZ_CHECK(a.n_spis <= IKE_DELETE_SPIS_MAX);
	FUZZ_CHECK(a.proto != PROTO_IKE || a.n_spis == 0);
	start(&m);
	if (a.proto == PROTO_IKE)
		ike_wr_delete_ike(&m);
	else
		ike_wr_delete_esp(&m, a.spis, a.n_spis);
	FUZZ_CHECK(ike_delete_parse(written_body(&m), &b) == OK);
	FUZZ_CHECK(a.n_spis == b.n_spis);
	FUZZ_CHECK(memcmp(a.spis, b.spis, sizeof(a.spis)) == 0);
}

static void check_payload(const struct ike_payload *p)
{
	static struct ike_ts_list ts;
	static struct proposal_list sa;
	struct ike_eap eap;
	struct ike_cp cp;

	switch ((enum ike_payload_type)p->type) {
	case PLD_KE:
		check_ke(p->body);
		break;
	case PLD_IDI:
	case PLD_IDR:
		check_id(p->body);
		break;
	case PLD_AUTH:
		check_auth(p->body);
		break;
	case PLD_NONCE:
		check_nonce(p->body);
		break;
	case PLD_NOTIFY:
		check_notify(p->body);
		break;
	case PLD_CERT:
	case PLD_CERTREQ:
		check_cert(p->body);
		break;
	case PLD_DELETE:
		check_delete(p->body);
		break;
	/* These have targets of their own. */
	case PLD_SA:
		FUZZ_CHECK(fuzz_parse_err(proposals_parse(p->body, &sa)));
		break;
	case PLD_TSI:
	case PLD_TSR:
		FUZZ_CHECK(fuzz_parse_err(ike_ts_parse(p->body, &ts)));
		break;
	case PLD_CP:
		FUZZ_CHECK(fuzz_parse_err(ike_cp_parse(p->body, &cp)));
		break;
	case PLD_EAP:
		FUZZ_CHECK(fuzz_parse_err(ike_eap_parse(p->body, &eap)));
		break;
	case PLD_VENDOR:
		break;
	case PLD_NONE:
	case PLD_SK:
	case PLD_SKF:
		FUZZ_CHECK(!"never a payload of a chain");
	}
}

static void check_notifies(const struct ike_msg *msg)
{
	struct ike_notify n;
	size_t found = 0;

	if (ike_msg_error(msg, &n)) {
		FUZZ_CHECK(n.type < N_FIRST_STATUS);
		FUZZ_CHECK(ike_msg_notify(msg, n.type, &n));
	}
	for (size_t i = 0; i < msg->n_payloads; i++) {
		found = 0;
		for (size_t k = 0; k < i; k++)
			found += msg->payloads[k].type == msg->payloads[i].type;
		FUZZ_CHECK(ike_msg_find(msg, msg->payloads[i].type, found) ==
			   &msg->payloads[i]);
		FUZZ_CHECK(ike_msg_count(msg, msg->payloads[i].type) > found);
	}
}

/* Without what was left out (unknown payloads, reserved bits, SK). */
static void check_again(const struct ike_msg *a)
{
	static struct ike_msg b;
	struct ike_wr m;
	struct bytes out;

	ike_wr_start(&m, buf, sizeof(buf), &a->hdr);
	for (size_t i = 0; i < a->n_payloads; i++)
		ike_wr_payload(&m, a->payloads[i].type, a->payloads[i].body);
	FUZZ_CHECK(ike_wr_end(&m, &out) == OK);
	FUZZ_CHECK(ike_msg_parse(out, &b) == OK);
	FUZZ_CHECK(b.hdr.spi_i == a->hdr.spi_i && b.hdr.spi_r == a->hdr.spi_r);
	FUZZ_CHECK(b.hdr.exchange == a->hdr.exchange);
	FUZZ_CHECK(b.hdr.flags == a->hdr.flags);
	FUZZ_CHECK(b.hdr.msg_id == a->hdr.msg_id && b.hdr.len == out.len);
	FUZZ_CHECK(b.n_payloads == a->n_payloads);
	for (size_t i = 0; i < a->n_payloads; i++) {
		FUZZ_CHECK(a->payloads[i].type == b.payloads[i].type);
		FUZZ_CHECK(bytes_eq(a->payloads[i].body, b.payloads[i].body));
	}
}

/* The rules of a chain once more, in the plainest way (RFC 7296 2.5, 3.2). */
struct walk {
	size_t n;
	uint8_t critical;
	bool sk;
};

static enum err walk(uint8_t type, const uint8_t *p, size_t left,
		     struct walk *out)
{
	size_t len;

	memset(out, 0, sizeof(*out));
	for (; type != 0; type = p[0], p += len, left -= len) {
		if (left < 4)
			return ERR_TRUNCATED;
		len = (size_t)p[2] << 8 | p[3];
		if (len < 4)
			return ERR_MALFORMED;
		if (len > left)
			return ERR_TRUNCATED;
		if (type == 46 || type == 53) {
			out->sk = true;
			return len == left ? OK : ERR_MALFORMED;
		}
		if (type >= 33 && type <= 48) {
			if (out->n == IKE_PAYLOADS_MAX)
				return ERR_MALFORMED;
			out->n++;
		} else if (p[1] & 0x80) {
			out->critical = type;
			return ERR_UNSUPPORTED;
		}
	}
	return left == 0 ? OK : ERR_MALFORMED;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ike_msg msg;
	struct bytes dgram = bytes(data, size);
	struct ike_hdr hdr;
	struct walk w;
	enum err e, of_hdr;

	of_hdr = ike_hdr_parse(dgram, &hdr);
	e = ike_msg_parse(dgram, &msg);
	FUZZ_CHECK(fuzz_parse_err(e) || e == ERR_UNSUPPORTED);
	FUZZ_CHECK(of_hdr == OK || e == of_hdr);
	if (of_hdr == OK) {
		FUZZ_CHECK(size >= IKE_HDR_LEN && data[17] >> 4 == 2);
		FUZZ_CHECK(walk(data[16], data + 28, size - 28, &w) == e);
		FUZZ_CHECK(w.n == msg.n_payloads);
		FUZZ_CHECK(w.critical == msg.unknown_critical);
	}
	FUZZ_CHECK(msg.n_payloads <= IKE_PAYLOADS_MAX);
	if (of_hdr == OK && e == ERR_UNSUPPORTED)
		FUZZ_CHECK(msg.unknown_critical != 0);
	else
		FUZZ_CHECK(msg.unknown_critical == 0);
	for (size_t i = 0; i < msg.n_payloads; i++) {
		FUZZ_CHECK(fuzz_inside(msg.payloads[i].body, dgram));
		check_payload(&msg.payloads[i]);
	}
	if (e != OK)
		return 0;
	FUZZ_CHECK(msg.hdr.len == size);
	if (msg.sk_type != 0) {
		FUZZ_CHECK(msg.sk_type == PLD_SK || msg.sk_type == PLD_SKF);
		FUZZ_CHECK(fuzz_inside(msg.sk_body, dgram));
		FUZZ_CHECK(msg.sk_offset + 4 + msg.sk_body.len == size);
		FUZZ_CHECK(data[msg.sk_offset] == msg.sk_first);
	}
	check_notifies(&msg);
	check_again(&msg);
	return 0;
}
