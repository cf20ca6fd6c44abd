#include "client/esp/inet.h"

#include <string.h>

#define V4_AT_FLAGS 6
#define V4_AT_PROTO 9
#define V4_AT_SUM   10
#define V4_AT_SRC   12
#define V6_AT_LEN   4
#define V6_AT_NEXT  6
#define V6_AT_SRC   8
#define V4_DF	    0x4000
#define V4_PART	    0x3fff /* more fragments, and the offset */
#define ICMP_QUOTE  548	   /* RFC 1812 4.3.2.3: at most 576 in all */
#define ICMP4	    1
#define ICMP6	    58
#define ICMP_LEN    8
#define OPT_END	    0
#define OPT_NOP	    1
#define OPT_MSS	    2

/* --- numbers and sums ---------------------------------------------------- */

void inet_put16(uint8_t *p, uint16_t v)
{
	struct wr w = wr_open(p, 2);

	wr_u16(&w, v);
}

uint16_t inet_get16(const uint8_t *p)
{
	struct rd r = rd_open(bytes(p, 2));

	return rd_u16(&r);
}

static uint16_t fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16 & 0xffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)((sum & 0xffff) + (sum >> 16));
}

static uint64_t add_carry(uint64_t sum, uint64_t v)
{
	sum += v;
	return sum + (sum < v);
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

/* Eight octets a step in four chains that do not wait for each other. */
static uint64_t sum64(const uint8_t *p, size_t len)
{
	uint64_t a = 0, b = 0, c = 0, d = 0;
	uint8_t last[8] = {0};

	for (; len >= 32; len -= 32, p += 32) {
		a = add_carry(a, load64(p));
		b = add_carry(b, load64(p + 8));
		c = add_carry(c, load64(p + 16));
		d = add_carry(d, load64(p + 24));
	}
	for (; len >= 8; len -= 8, p += 8)
		a = add_carry(a, load64(p));
	if (len > 0) {
		memcpy(last, p, len);
		a = add_carry(a, load64(last));
	}
	return add_carry(add_carry(a, b), add_carry(c, d));
}

/* The sum does not mind the order of octets (RFC 1071 2B): it is taken in
 * the host's and turned at the end. */
uint16_t inet_sum(struct bytes b, uint16_t before)
{
	uint16_t host = fold(sum64(b.p, b.len));
	uint8_t turned[2];

	memcpy(turned, &host, 2);
	return fold((uint64_t)inet_get16(turned) + before);
}

static bool is_v4(const uint8_t *ip)
{
	return ip[0] >> 4 == 4;
}

uint16_t inet_pseudo_sum(const uint8_t *ip, uint8_t proto, size_t len)
{
	struct bytes addrs = is_v4(ip) ? bytes(ip + V4_AT_SRC, 8)
				       : bytes(ip + V6_AT_SRC, 32);

	return inet_sum(addrs, fold((uint64_t)proto + len));
}

static void v4_sum(uint8_t *ip)
{
	size_t len = (size_t)(ip[0] & 15) * 4;

	inet_put16(ip + V4_AT_SUM, 0);
	inet_put16(ip + V4_AT_SUM, (uint16_t)~inet_sum(bytes(ip, len), 0));
}

void inet_set_len(uint8_t *ip, size_t len)
{
	if (is_v4(ip)) {
		inet_put16(ip + 2, (uint16_t)len);
		v4_sum(ip);
	} else {
		inet_put16(ip + V6_AT_LEN, (uint16_t)(len - INET_V6_LEN));
	}
}

bool inet_transport(struct bytes pkt, size_t *out_at, uint8_t *out_proto)
{
	if (pkt.len >= INET_V4_LEN && pkt.p[0] >> 4 == 4) {
		*out_at = (size_t)(pkt.p[0] & 15) * 4;
		*out_proto = pkt.p[V4_AT_PROTO];
		return *out_at >= INET_V4_LEN && *out_at <= pkt.len &&
		       (inet_get16(pkt.p + V4_AT_FLAGS) & V4_PART) == 0;
	}
	if (pkt.len < INET_V6_LEN || pkt.p[0] >> 4 != 6)
		return false;
	*out_at = INET_V6_LEN;
	*out_proto = pkt.p[V6_AT_NEXT];
	return true;
}

/* --- ECN ----------------------------------------------------------------- */

enum { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3 };

uint8_t inet_ecn(struct bytes pkt)
{
	if (pkt.len < 2)
		return NOT_ECT;
	return is_v4(pkt.p) ? pkt.p[1] & 3 : pkt.p[1] >> 4 & 3;
}

static void ecn_set(uint8_t *pkt, uint8_t ecn)
{
	if (is_v4(pkt)) {
		pkt[1] = (uint8_t)((pkt[1] & ~3) | ecn);
		v4_sum(pkt);
	} else {
		pkt[1] = (uint8_t)((pkt[1] & ~0x30) | ecn << 4);
	}
}

/* RFC 6040 figure 4. */
bool inet_ecn_decap(uint8_t *pkt, uint8_t outer)
{
	uint8_t inner = inet_ecn(bytes(pkt, 2));

	if (outer == CE && inner == NOT_ECT)
		return false;
	if (outer == CE && inner != CE)
		ecn_set(pkt, CE);
	else if (outer == ECT_1 && inner == ECT_0)
		ecn_set(pkt, ECT_1);
	return true;
}

/* --- sizes --------------------------------------------------------------- */

bool inet_dont_fragment(struct bytes pkt)
{
	return pkt.len < INET_V4_LEN || !is_v4(pkt.p) ||
	       (inet_get16(pkt.p + V4_AT_FLAGS) & V4_DF);
}

/* RFC 1624: the checksum without a look at the rest. */
static void mss_replace(uint8_t *tcp, uint8_t *at, uint16_t mss)
{
	uint16_t sum = (uint16_t)~inet_get16(tcp + TCP_AT_SUM);
	uint16_t old = inet_get16(at);
	bool odd = (at - tcp) & 1;

	if (odd) { /* it lies across two words of the sum */
		old = (uint16_t)(old << 8 | old >> 8);
		sum = fold((uint64_t)sum + (uint16_t)~old +
			   (uint16_t)(mss << 8 | mss >> 8));
	} else {
		sum = fold((uint64_t)sum + (uint16_t)~old + mss);
	}
	inet_put16(at, mss);
	inet_put16(tcp + TCP_AT_SUM, (uint16_t)~sum);
}

static void options_clamp(uint8_t *tcp, size_t head_len, size_t most)
{
	size_t at = INET_TCP_LEN, len;

	while (at + 1 < head_len && tcp[at] != OPT_END) {
		len = tcp[at] == OPT_NOP ? 1 : tcp[at + 1];
		if (len == 0 || at + len > head_len)
			return;
		if (tcp[at] == OPT_MSS && len == 4 &&
		    inet_get16(tcp + at + 2) > most)
			mss_replace(tcp, tcp + at + 2, (uint16_t)most);
		at += len;
	}
}

void inet_clamp_mss(uint8_t *pkt, size_t len, size_t mtu)
{
	size_t at, head_len;
	uint8_t proto;

	if (!inet_transport(bytes(pkt, len), &at, &proto) ||
	    proto != INET_TCP || len < at + INET_TCP_LEN ||
	    !(pkt[at + TCP_AT_FLAGS] & TCP_SYN))
		return;
	head_len = (size_t)(pkt[at + TCP_AT_OFFSET] >> 4) * 4;
	if (at + head_len <= len && mtu > at + INET_TCP_LEN)
		options_clamp(pkt + at, head_len, mtu - at - INET_TCP_LEN);
}

/* --- too big ------------------------------------------------------------- */

/* ICMP answers no ICMP error (RFC 1122 3.2.2, RFC 4443 2.4). */
static bool may_answer(struct bytes pkt, size_t at, uint8_t proto)
{
	uint8_t type = at < pkt.len ? pkt.p[at] : 0;

	if (is_v4(pkt.p))
		return pkt.p[16] >> 4 != 14 &&
		       !(proto == ICMP4 &&
			 (type == 3 || type == 4 || type == 5 || type == 11 ||
			  type == 12));
	return pkt.p[24] != 0xff && !(proto == ICMP6 && type < 128);
}

static size_t too_big_v4(struct bytes pkt, size_t mtu, uint8_t *out)
{
	size_t quote = pkt.len < ICMP_QUOTE ? pkt.len : ICMP_QUOTE;
	size_t len = INET_V4_LEN + ICMP_LEN + quote;
	struct wr w = wr_open(out, INET_TOOBIG_MAX);
	uint8_t *icmp = out + INET_V4_LEN;

	wr_u32(&w, 0x45000000 | (uint32_t)len);
	wr_u32(&w, V4_DF); /* without an identification */
	wr_u32(&w, 64u << 24 | ICMP4 << 16);
	wr_bytes(&w, bytes(pkt.p + 16, 4));
	wr_bytes(&w, bytes(pkt.p + V4_AT_SRC, 4));
	wr_u32(&w, 0x03040000); /* fragmentation needed and DF set */
	wr_u32(&w, (uint32_t)mtu);
	wr_bytes(&w, bytes(pkt.p, quote));
	inet_set_len(out, len);
	inet_put16(icmp + 2,
		   (uint16_t)~inet_sum(bytes(icmp, len - INET_V4_LEN), 0));
	return wr_ok(&w) ? len : 0;
}

static size_t too_big_v6(struct bytes pkt, size_t mtu, uint8_t *out)
{
	size_t most = INET_TOOBIG_MAX - INET_V6_LEN - ICMP_LEN;
	size_t quote = pkt.len < most ? pkt.len : most;
	size_t body = ICMP_LEN + quote;
	struct wr w = wr_open(out, INET_TOOBIG_MAX);
	uint8_t *icmp = out + INET_V6_LEN;

	wr_u32(&w, 0x60000000);
	wr_u16(&w, (uint16_t)body);
	wr_u8(&w, ICMP6);
	wr_u8(&w, 64);
	wr_bytes(&w, bytes(pkt.p + 24, 16));
	wr_bytes(&w, bytes(pkt.p + V6_AT_SRC, 16));
	wr_u32(&w, 0x02000000); /* packet too big */
	wr_u32(&w, (uint32_t)mtu);
	wr_bytes(&w, bytes(pkt.p, quote));
	inet_put16(icmp + 2,
		   (uint16_t)~inet_sum(bytes(icmp, body),
				       inet_pseudo_sum(out, ICMP6, body)));
	return wr_ok(&w) ? INET_V6_LEN + body : 0;
}

size_t inet_too_big(struct bytes pkt, size_t mtu, uint8_t out[INET_TOOBIG_MAX])
{
	uint8_t proto;
	size_t at;

	if (!inet_transport(pkt, &at, &proto) || !may_answer(pkt, at, proto))
		return 0;
	return is_v4(pkt.p) ? too_big_v4(pkt, mtu, out)
			    : too_big_v6(pkt, mtu, out);
}
