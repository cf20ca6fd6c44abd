/* The arithmetic of MS-CHAP-V2. MD4 and single DES are broken; they are here
 * because EAP-MSCHAPv2 is made of them, inside an authenticated IKE SA. */
#include "client/crypto/crypto.h"

#include <string.h>

#include "client/crypto/hash.h"
#include "client/crypto/utf8.h"

#include <wolfssl/wolfcrypt/des3.h>
#include <wolfssl/wolfcrypt/md4.h>

#define NT_HASH_LEN   16
#define UNITS_MAX     256 /* RFC 2759 section 4: 0 to 256 characters */
#define SHA1_LEN      20
#define CHALLENGE_LEN 8

static void put_unit(struct wr *w, uint32_t unit)
{
	wr_u8(w, (uint8_t)unit); /* little-endian */
	wr_u8(w, (uint8_t)(unit >> 8));
}

/* UTF-8 to UTF-16LE, what Windows calls Unicode. */
static enum err write_utf16(struct wr *w, struct bytes text)
{
	struct rd r = rd_open(text);
	uint32_t cp;

	while (rd_left(&r) > 0) {
		if (!utf8_next(&r, &cp))
			return ERR_MALFORMED;
		if (cp >= 0x10000) {
			put_unit(w, 0xd800 + ((cp - 0x10000) >> 10));
			cp = 0xdc00 + ((cp - 0x10000) & 0x3ff);
		}
		put_unit(w, cp);
	}
	return wr_finish(w);
}

static void md4(struct bytes b, uint8_t out[NT_HASH_LEN])
{
	Md4 ctx;

	wc_InitMd4(&ctx);
	wc_Md4Update(&ctx, b.p, (word32)b.len);
	wc_Md4Final(&ctx, out);
	mem_wipe(&ctx, sizeof(ctx));
}

/* NtPasswordHash, RFC 2759 8.3. */
static enum err hash_password(struct bytes password, uint8_t out[NT_HASH_LEN])
{
	uint8_t text[2 * UNITS_MAX];
	struct wr w = wr_open(text, sizeof(text));
	enum err e = write_utf16(&w, password);

	if (e == OK)
		md4(wr_view(&w), out);
	mem_wipe(text, sizeof(text));
	return e;
}

/* DesEncrypt, RFC 2759 8.6: 7 octets of key spread over 8, parity unused. */
static enum err des_encrypt(const uint8_t clear[CHALLENGE_LEN],
			    const uint8_t key[7], uint8_t out[CHALLENGE_LEN])
{
	uint8_t spread[8];
	uint64_t bits = 0;
	int rc;
	Des des;

	for (int i = 0; i < 7; i++)
		bits = bits << 8 | key[i];
	for (int i = 0; i < 8; i++)
		spread[i] = (uint8_t)(bits >> (49 - 7 * i) << 1);
	rc = wc_Des_SetKey(&des, spread, NULL, DES_ENCRYPTION);
	if (rc == 0)
		rc = wc_Des_EcbEncrypt(&des, out, clear, CHALLENGE_LEN);
	mem_wipe(&bits, sizeof(bits));
	mem_wipe(spread, sizeof(spread));
	mem_wipe(&des, sizeof(des));
	return rc == 0 ? OK : ERR_CRYPTO;
}

/* ChallengeResponse, RFC 2759 8.5. */
static enum err respond(const uint8_t challenge[CHALLENGE_LEN],
			const uint8_t password_hash[NT_HASH_LEN],
			uint8_t out[24])
{
	uint8_t keys[21] = {0};
	enum err e = OK;

	memcpy(keys, password_hash, NT_HASH_LEN);
	for (int i = 0; e == OK && i < 3; i++)
		e = des_encrypt(challenge, keys + i * 7, out + i * 8);
	mem_wipe(keys, sizeof(keys));
	return e;
}

/* GenerateAuthenticatorResponse, RFC 2759 8.7. */
static enum err answer_expected(const struct mschap_out *so_far,
				const uint8_t hash_hash[NT_HASH_LEN],
				const uint8_t challenge[CHALLENGE_LEN],
				char out[43])
{
	static const char digits[] = "0123456789ABCDEF";
	uint8_t digest[SHA1_LEN];
	struct bytes first[] = {
		bytes(hash_hash, NT_HASH_LEN),
		BYTES_OF(so_far->nt_response),
		bytes_str("Magic server to client signing constant"),
	};
	struct bytes second[] = {
		BYTES_OF(digest),
		bytes(challenge, CHALLENGE_LEN),
		bytes_str("Pad to make it do more than one iteration"),
	};
	enum err e = crypto_hash(HASH_SHA1, first, 3, digest);

	if (e == OK)
		e = crypto_hash(HASH_SHA1, second, 3, digest);
	out[0] = 'S';
	out[1] = '=';
	for (int i = 0; i < SHA1_LEN; i++) {
		out[2 + 2 * i] = digits[digest[i] >> 4];
		out[3 + 2 * i] = digits[digest[i] & 15];
	}
	out[42] = '\0';
	mem_wipe(digest, sizeof(digest));
	return e;
}

/* GetAsymmetricStartKey, RFC 3079 3.4, with 16-octet keys. */
static enum err start_key(const uint8_t master_key[16], const char *magic,
			  uint8_t out[16])
{
	uint8_t pad1[40], pad2[40], digest[SHA1_LEN];
	struct bytes parts[] = {bytes(master_key, 16), BYTES_OF(pad1),
				bytes_str(magic), BYTES_OF(pad2)};
	enum err e;

	memset(pad1, 0x00, sizeof(pad1));
	memset(pad2, 0xf2, sizeof(pad2));
	e = crypto_hash(HASH_SHA1, parts, 4, digest);
	memcpy(out, digest, 16);
	mem_wipe(digest, sizeof(digest));
	return e;
}

/* The 64 octets EAP exports: our send key, our receive key, zeros. */
static enum err derive_msk(const struct mschap_out *so_far,
			   const uint8_t hash_hash[NT_HASH_LEN],
			   struct secret *out)
{
	uint8_t master[SHA1_LEN];
	struct bytes parts[] = {
		bytes(hash_hash, NT_HASH_LEN),
		BYTES_OF(so_far->nt_response),
		bytes_str("This is the MPPE Master Key"),
	};
	enum err e = crypto_hash(HASH_SHA1, parts, 3, master);

	if (e == OK)
		e = start_key(master,
			      "On the client side, this is the send key; on "
			      "the server side, it is the receive key.",
			      out->b);
	if (e == OK)
		e = start_key(master,
			      "On the client side, this is the receive key; "
			      "on the server side, it is the send key.",
			      out->b + 16);
	out->len = 64;
	mem_wipe(master, sizeof(master));
	return e;
}

enum err mschap_compute(const struct mschap_in *in, struct mschap_out *out)
{
	uint8_t digest[SHA1_LEN]; /* its first 8 octets are the challenge */
	uint8_t hash[NT_HASH_LEN], hash_hash[NT_HASH_LEN];
	struct bytes parts[] = {BYTES_OF(in->peer_challenge),
				BYTES_OF(in->auth_challenge), in->user};
	enum err e;

	memset(out, 0, sizeof(*out));
	e = hash_password(in->password, hash);
	if (e != OK)
		goto out;
	md4(BYTES_OF(hash), hash_hash);
	e = crypto_hash(HASH_SHA1, parts, 3, digest); /* RFC 2759 8.2 */
	if (e == OK)
		e = respond(digest, hash, out->nt_response);
	if (e == OK)
		e = answer_expected(out, hash_hash, digest, out->auth_response);
	if (e == OK)
		e = derive_msk(out, hash_hash, &out->msk);
out:
	if (e != OK)
		mem_wipe(out, sizeof(*out));
	mem_wipe(hash, sizeof(hash));
	mem_wipe(hash_hash, sizeof(hash_hash));
	return e;
}
