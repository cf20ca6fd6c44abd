#include "client/crypto/ec.h"

#include <string.h>

int ec_curve_id(size_t field_len)
{
	return field_len == 48 ? ECC_SECP384R1 : ECC_SECP256R1;
}

/* wolfSSL imports points off the curve, and its wc_ecc_check_key costs a
 * multiplication that proves nothing more where the cofactor is 1. */
static bool point_good(ecc_key *key)
{
	mp_int prime;
	bool good;

	if (mp_init(&prime) != MP_OKAY)
		return false;
	good = mp_read_radix(&prime, key->dp->prime, MP_RADIX_HEX) == MP_OKAY &&
	       mp_cmp(key->pubkey.x, &prime) == MP_LT &&
	       mp_cmp(key->pubkey.y, &prime) == MP_LT &&
	       !wc_ecc_point_is_at_infinity(&key->pubkey) &&
	       wc_ecc_point_is_on_curve(&key->pubkey, key->idx) == 0;
	mp_clear(&prime);
	return good;
}

enum err ec_load_public(struct bytes xy, ecc_key *out)
{
	uint8_t raw[1 + 2 * EC_FIELD_MAX] = {0x04}; /* uncompressed */

	if (xy.len != 64 && xy.len != 96)
		return ERR_CRYPTO;
	memcpy(raw + 1, xy.p, xy.len);
	if (wc_ecc_init(out) != 0)
		return ERR_CRYPTO;
	if (wc_ecc_import_x963_ex(raw, (word32)(1 + xy.len), out,
				  ec_curve_id(xy.len / 2)) == 0 &&
	    point_good(out))
		return OK;
	wc_ecc_free(out);
	return ERR_CRYPTO;
}

void ec_drop_points(void)
{
	wc_ecc_fp_free();
}
