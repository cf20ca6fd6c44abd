/* The cipher of one direction of an ESP SA, for many packets a call.
 *
 * Two back ends do the same: libipsec-mb where it was found at configure time
 * and the processor has AES instructions, wolfCrypt everywhere else.
 */
#ifndef CLIENT_CRYPTO_ESP_CIPHER_H
#define CLIENT_CRYPTO_ESP_CIPHER_H

#include "client/crypto/crypto.h"

#define ESP_JOBS_MAX 64 /* of one call */

/* One packet. text: as for cipher_seal and cipher_open; with CBC also
 * contiguous, head before iv before body before icv. The rest is the back
 * end's. */
struct esp_job {
	struct cipher_text text;
	enum err result;
	uint8_t nonce[12];
	uint8_t icv[32];
};

struct esp_cipher; /* for one thread at a time; each its own */

/* encr_key has the salt at its end. Copies the keys. */
enum err ERR_MUST esp_cipher_new(const struct cipher_algs *algs,
				 struct bytes encr_key, struct bytes integ_key,
				 struct esp_cipher **out);
void esp_cipher_free(struct esp_cipher **c); /* wipes */
/* Each job's result: OK or ERR_CRYPTO. n: at most ESP_JOBS_MAX. */
void esp_cipher_seal(struct esp_cipher *c, struct esp_job *jobs, size_t n);
/* Each job's result: OK or ERR_INTEGRITY, which leaves its body unspecified.
 * n: at most ESP_JOBS_MAX. */
void esp_cipher_open(struct esp_cipher *c, struct esp_job *jobs, size_t n);
/* As for struct cipher. */
size_t esp_cipher_iv_len(const struct esp_cipher *c);
size_t esp_cipher_icv_len(const struct esp_cipher *c);
size_t esp_cipher_align(const struct esp_cipher *c);
bool esp_cipher_is_aead(const struct esp_cipher *c);
/* For people: which back end this process uses. */
const char *esp_cipher_backend(void);

/* --- the back ends; for esp_cipher.c and its tests ----------------------- */

struct esp_backend {
	const char *name;
	/* The lengths of the keys have been checked. */
	enum err (*key)(const struct cipher_algs *algs, struct bytes encr_key,
			struct bytes integ_key, void **out);
	void (*free)(void *state); /* wipes */
	void (*seal)(void *state, struct esp_job *jobs, size_t n);
	void (*open)(void *state, struct esp_job *jobs, size_t n);
};
extern const struct esp_backend esp_backend_wolf;
/* NULL: not built in, or not for this processor. */
const struct esp_backend *esp_backend_mb(void);
enum err ERR_MUST esp_cipher_new_by(const struct esp_backend *by,
				    const struct cipher_algs *algs,
				    struct bytes encr_key,
				    struct bytes integ_key,
				    struct esp_cipher **out);

#endif
