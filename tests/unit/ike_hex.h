/* Messages by hand, for the tests of client/ike. */
#ifndef TESTS_UNIT_IKE_HEX_H
#define TESTS_UNIT_IKE_HEX_H

#include "tests/unit/crypto_hex.h"

#include "client/ike/msg.h"

/* A header in front of a chain; the length is right. */
static inline struct bytes ike_frame(uint8_t first, struct bytes chain,
				     uint8_t *buf, size_t cap)
{
	struct wr w = wr_open(buf, cap);
	struct ike_hdr hdr = {.spi_i = 1, .next_payload = first};

	hdr.exchange = IKE_SA_INIT;
	hdr.flags = IKE_FLAG_INITIATOR;
	hdr.len = (uint32_t)(IKE_HDR_LEN + chain.len);
	ike_hdr_write(&w, &hdr);
	wr_bytes(&w, chain);
	assert_true(wr_ok(&w));
	return wr_view(&w);
}

/* Parses first and chain (hexadecimal) as a message. The views live as long
 * as the next call does not come. */
static inline enum err ike_parse_hex(uint8_t first, const char *chain,
				     struct ike_msg *out)
{
	static uint8_t octets[4096], buf[4096];
	size_t len = hex_read(chain, octets, sizeof(octets));

	return ike_msg_parse(
		ike_frame(first, bytes(octets, len), buf, sizeof(buf)), out);
}

/* A vector that lives until the next call. */
static inline struct bytes hex_static(const char *text)
{
	static uint8_t octets[8192];

	return bytes(octets, hex_read(text, octets, sizeof(octets)));
}

#endif
