/* ESP: octet 0 chooses suite and ESN; then packets one after the other, each
 * with an octet of what it is, an octet of next header and two of length:
 *   0  an inner packet, sealed, opened, and opened once more
 *   1  the same with one octet changed
 *   2  octets that nobody sealed, with our SPI and a new sequence number
 *   3  octets of any kind */
#include "tests/fuzz/fuzz_ike.h"

#include "client/esp/esp.h"

#define SPI	0x1000
#define PKT_MAX 2048

struct both {
	struct esp_sa *seal, *open;
	uint64_t opened; /* packets that must be counted */
};

static void set_up(uint8_t how, struct both *out)
{
	struct esp_params p = {.spi = SPI, .algs = fuzz_algs[how & 3]};
	size_t encr_len, integ_len;

	p.esn = how & 4;
	FUZZ_CHECK(cipher_key_lens(&p.algs, &encr_len, &integ_len) == OK);
	p.encr_key.len = encr_len;
	p.integ_key.len = integ_len;
	FUZZ_CHECK(esp_sa_new(&p, &out->seal) == OK);
	FUZZ_CHECK(esp_sa_new(&p, &out->open) == OK);
	out->opened = 0;
}

/* What esp_open must find in a genuine packet: the inner length, by the
 * inner header; false: malformed. */
static bool inner_len(struct bytes b, uint8_t next, size_t *out)
{
	size_t head = next == ESP_NEXT_IPV4 ? 20 : 40;

	*out = 0;
	if (next == ESP_NEXT_NONE)
		return true;
	if ((next != ESP_NEXT_IPV4 && next != ESP_NEXT_IPV6) || b.len < head ||
	    b.p[0] >> 4 != (next == ESP_NEXT_IPV4 ? 4 : 6))
		return false;
	*out = next == ESP_NEXT_IPV4 ? (size_t)(b.p[2] << 8 | b.p[3])
				     : 40U + (size_t)(b.p[4] << 8 | b.p[5]);
	return *out >= head && *out <= b.len;
}

/* In a block of its own with the room esp.h asks for, and no more. */
static enum err open_pkt(struct esp_sa *sa, struct bytes pkt,
			 struct bytes want_inner, uint8_t *out_next,
			 size_t *out_len)
{
	size_t room = ESP_HEADROOM + pkt.len + ESP_TAILROOM;
	uint8_t *block = calloc(1, room);
	struct esp_pkt p = {block + ESP_HEADROOM, pkt.len};
	enum err e;

	FUZZ_CHECK(block != NULL);
	if (pkt.len > 0)
		memcpy(p.p, pkt.p, pkt.len);
	e = esp_open(sa, &p, out_next);
	*out_len = p.len;
	if (e == OK) {
		FUZZ_CHECK(fuzz_inside(bytes(p.p, p.len), bytes(block, room)));
		FUZZ_CHECK(p.len <= want_inner.len);
		FUZZ_CHECK(bytes_eq(bytes(p.p, p.len),
				    bytes(want_inner.p, p.len)));
	}
	free(block);
	return e;
}

static void genuine(struct both *b, uint8_t kind, uint8_t next,
		    struct bytes inner)
{
	static uint8_t block[ESP_HEADROOM + PKT_MAX + ESP_TAILROOM];
	struct esp_pkt p = {block + ESP_HEADROOM, inner.len};
	size_t len, want_len;
	uint8_t got_next;
	enum err e;

	if (inner.len > 0)
		memcpy(p.p, inner.p, inner.len);
	FUZZ_CHECK(esp_seal(b->seal, next, &p) == OK);
	FUZZ_CHECK(p.p >= block);
	FUZZ_CHECK(p.p + p.len <= block + sizeof(block));
	FUZZ_CHECK(p.len <= inner.len + esp_overhead_max(b->seal));
	FUZZ_CHECK(esp_peek_spi(bytes(p.p, p.len)) == SPI);
	if (kind == 1) {
		p.p[(inner.len * 7 + next) % p.len] ^= (uint8_t)(next | 1);
		e = open_pkt(b->open, bytes(p.p, p.len), inner, &got_next,
			     &len);
		FUZZ_CHECK(e == ERR_INTEGRITY || e == ERR_MALFORMED ||
			   e == ERR_REPLAY);
		return;
	}
	e = open_pkt(b->open, bytes(p.p, p.len), inner, &got_next, &len);
	if (inner_len(inner, next, &want_len)) {
		FUZZ_CHECK(e == OK && got_next == next && len == want_len);
		b->opened++;
	} else {
		FUZZ_CHECK(e == ERR_MALFORMED);
	}
	FUZZ_CHECK(open_pkt(b->open, bytes(p.p, p.len), inner, &got_next,
			    &len) == ERR_REPLAY);
}

static void forged(struct both *b, uint8_t kind, struct bytes octets)
{
	static uint8_t block[8 + PKT_MAX];
	struct wr w = wr_open(block, sizeof(block));
	uint8_t next;
	size_t len;
	enum err e;

	if (kind == 2) {
		wr_u32(&w, SPI);
		wr_u32(&w, (uint32_t)esp_sa_seq(b->open) + 1);
	}
	wr_bytes(&w, octets);
	e = open_pkt(b->open, wr_view(&w), BYTES_NONE, &next, &len);
	FUZZ_CHECK(e == ERR_TRUNCATED || e == ERR_MALFORMED ||
		   e == ERR_INTEGRITY || e == ERR_REPLAY);
	if (kind == 2)
		FUZZ_CHECK(e != ERR_REPLAY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_open(bytes(data, size));
	uint8_t kind, next;
	struct bytes octets;
	struct both b;
	size_t len;

	set_up(rd_u8(&r), &b);
	while (rd_left(&r) >= 4) {
		kind = rd_u8(&r) & 3;
		next = rd_u8(&r);
		len = rd_u16(&r) % PKT_MAX;
		octets = rd_take(&r, len < rd_left(&r) ? len : rd_left(&r));
		if (kind < 2)
			genuine(&b, kind, next, octets);
		else
			forged(&b, kind, octets);
	}
	FUZZ_CHECK(esp_sa_counters(b.open)->packets == b.opened);
	esp_sa_free(&b.seal);
	esp_sa_free(&b.open);
	FUZZ_CHECK(b.seal == NULL && b.open == NULL);
	return 0;
}
