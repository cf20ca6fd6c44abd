/* Values that exchanges carry: NAT detection hashes, AUTH data. */
#include "client/ike/protect.h"

#define ID_FIXED_LEN 4 /* type and reserved octets, RFC 7296 3.5 */

enum err ike_nat_hash(uint64_t spi_i, uint64_t spi_r, const struct addr *addr,
		      uint8_t out[20])
{
	uint8_t text[2 * IKE_SPI_LEN + sizeof(addr->b) + sizeof(addr->port)];
	struct wr w = wr_open(text, sizeof(text));
	struct bytes part;

	wr_u64(&w, spi_i);
	wr_u64(&w, spi_r);
	wr_bytes(&w, addr_view(addr));
	wr_u16(&w, addr->port);
	part = wr_view(&w);
	return crypto_hash(HASH_SHA1, &part, 1, out);
}

enum err ike_maced_id(enum prf prf, const struct secret *sk_p,
		      const struct ike_id *id, struct secret *out)
{
	const uint8_t fixed[ID_FIXED_LEN] = {id->type};
	const struct bytes parts[2] = {BYTES_OF(fixed), id->data};

	return crypto_prf(prf, secret_view(sk_p), parts, 2, out);
}

enum err ike_auth_psk(enum prf prf, struct bytes psk,
		      const struct bytes *octets, size_t n_octets,
		      struct secret *out)
{
	const struct bytes pad = bytes_str("Key Pad for IKEv2");
	struct secret key;
	enum err e;

	e = crypto_prf(prf, psk, &pad, 1, &key);
	if (e == OK)
		e = crypto_prf(prf, secret_view(&key), octets, n_octets, out);
	secret_wipe(&key);
	return e;
}

enum err ike_auth_resume(enum prf prf, const struct secret *sk_p,
			 const struct bytes *octets, size_t n_octets,
			 struct secret *out)
{
	return crypto_prf(prf, secret_view(sk_p), octets, n_octets, out);
}
