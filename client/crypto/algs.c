#include "client/crypto/algs.h"

static const struct encr_info encr_table[] = {
#define X(name, num, ...) {num, __VA_ARGS__},
	ENCR_LIST(X)
#undef X
};

static const struct prf_info prf_table[] = {
#define X(name, num, ...) {num, __VA_ARGS__},
	PRF_LIST(X)
#undef X
};

static const struct integ_info integ_table[] = {
#define X(name, num, ...) {num, __VA_ARGS__},
	INTEG_LIST(X)
#undef X
};

static const struct ke_info ke_table[] = {
#define X(name, num, ...) {num, __VA_ARGS__},
	KE_LIST(X)
#undef X
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

const struct encr_info *encr_find(uint16_t num)
{
	for (size_t i = 0; i < COUNT_OF(encr_table); i++)
		if (encr_table[i].num == num)
			return &encr_table[i];
	return NULL;
}

const struct prf_info *prf_find(uint16_t num)
{
	for (size_t i = 0; i < COUNT_OF(prf_table); i++)
		if (prf_table[i].num == num)
			return &prf_table[i];
	return NULL;
}

const struct integ_info *integ_find(uint16_t num)
{
	for (size_t i = 0; i < COUNT_OF(integ_table); i++)
		if (integ_table[i].num == num)
			return &integ_table[i];
	return NULL;
}

const struct ke_info *ke_find(uint16_t num)
{
	for (size_t i = 0; i < COUNT_OF(ke_table); i++)
		if (ke_table[i].num == num)
			return &ke_table[i];
	return NULL;
}

size_t hash_len(enum hash hash)
{
	switch (hash) {
#define X(name, num, len)                                                      \
	case name:                                                             \
		return len;
		HASH_LIST(X)
#undef X
	}
	return 0;
}

/* Names for people, of everything a gateway or a profile may come with.
 * Registry "IKEv2 Parameters"; what we refuse stands here too (RFC 8247). */
struct alg_label {
	uint8_t type; /* transform type, RFC 7296 3.3.2 */
	uint16_t num;
	const char *name;
};

static const struct alg_label labels[] = {
	{1, 1, "DES-IV64"},
	{1, 2, "DES"},
	{1, 3, "3DES"},
	{1, 4, "RC5"},
	{1, 5, "IDEA"},
	{1, 6, "CAST"},
	{1, 7, "Blowfish"},
	{1, 8, "3IDEA"},
	{1, 9, "DES-IV32"},
	{1, 11, "NULL"},
	{1, 12, "AES-CBC"},
	{1, 13, "AES-CTR"},
	{1, 14, "AES-CCM-8"},
	{1, 15, "AES-CCM-12"},
	{1, 16, "AES-CCM-16"},
	{1, 18, "AES-GCM-8"},
	{1, 19, "AES-GCM-12"},
	{1, 20, "AES-GCM-16"},
	{1, 21, "NULL-AES-GMAC"},
	{1, 23, "Camellia-CBC"},
	{1, 24, "Camellia-CTR"},
	{1, 28, "ChaCha20-Poly1305"},
	{2, 1, "HMAC-MD5"},
	{2, 2, "HMAC-SHA1"},
	{2, 3, "HMAC-Tiger"},
	{2, 4, "AES128-XCBC"},
	{2, 5, "HMAC-SHA2-256"},
	{2, 6, "HMAC-SHA2-384"},
	{2, 7, "HMAC-SHA2-512"},
	{2, 8, "AES128-CMAC"},
	{3, 0, "none"},
	{3, 1, "HMAC-MD5-96"},
	{3, 2, "HMAC-SHA1-96"},
	{3, 3, "DES-MAC"},
	{3, 4, "KPDK-MD5"},
	{3, 5, "AES-XCBC-96"},
	{3, 6, "HMAC-MD5-128"},
	{3, 7, "HMAC-SHA1-160"},
	{3, 8, "AES-CMAC-96"},
	{3, 12, "HMAC-SHA2-256-128"},
	{3, 13, "HMAC-SHA2-384-192"},
	{3, 14, "HMAC-SHA2-512-256"},
	{4, 0, "none"},
	{4, 1, "MODP-768"},
	{4, 2, "MODP-1024"},
	{4, 5, "MODP-1536"},
	{4, 14, "MODP-2048"},
	{4, 15, "MODP-3072"},
	{4, 16, "MODP-4096"},
	{4, 17, "MODP-6144"},
	{4, 18, "MODP-8192"},
	{4, 19, "ECP-256"},
	{4, 20, "ECP-384"},
	{4, 21, "ECP-521"},
	{4, 22, "MODP-1024-160"},
	{4, 23, "MODP-2048-224"},
	{4, 24, "MODP-2048-256"},
	{4, 25, "ECP-192"},
	{4, 26, "ECP-224"},
	{4, 27, "Brainpool-224"},
	{4, 28, "Brainpool-256"},
	{4, 29, "Brainpool-384"},
	{4, 30, "Brainpool-512"},
	{4, 31, "X25519"},
	{4, 32, "X448"},
	{4, 35, "ML-KEM-512"},
	{4, 36, "ML-KEM-768"},
	{4, 37, "ML-KEM-1024"},
	{5, 0, "no ESN"},
	{5, 1, "ESN"},
};

const char *alg_name(uint8_t type, uint16_t num)
{
	for (size_t i = 0; i < COUNT_OF(labels); i++)
		if (labels[i].type == type && labels[i].num == num)
			return labels[i].name;
	return "unknown algorithm";
}
