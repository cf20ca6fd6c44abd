#include "client/crypto/esp_cipher.h"

#include <stdlib.h>

struct esp_cipher {
	const struct esp_backend *by;
	void *state;
	size_t iv_len, icv_len, align;
	bool aead;
};

static const struct esp_backend *backend(void)
{
	const struct esp_backend *mb = esp_backend_mb();

	return mb ? mb : &esp_backend_wolf;
}

const char *esp_cipher_backend(void)
{
	return backend()->name;
}

enum err esp_cipher_new_by(const struct esp_backend *by,
			   const struct cipher_algs *algs,
			   struct bytes encr_key, struct bytes integ_key,
			   struct esp_cipher **out)
{
	const struct encr_info *encr = encr_find(algs->encr);
	const struct integ_info *integ = integ_find(algs->integ);
	enum err e = cipher_check_keys(algs, encr_key, integ_key);
	struct esp_cipher *c;

	*out = NULL;
	if (e)
		return e;
	c = calloc(1, sizeof(*c));
	if (!c)
		return ERR_NO_MEMORY;
	c->by = by;
	c->iv_len = encr->iv_len;
	c->align = encr->align;
	c->aead = encr->icv_len > 0;
	c->icv_len = c->aead ? encr->icv_len : integ->icv_len;
	e = by->key(algs, encr_key, integ_key, &c->state);
	if (e)
		esp_cipher_free(&c);
	*out = c;
	return e;
}

enum err esp_cipher_new(const struct cipher_algs *algs, struct bytes encr_key,
			struct bytes integ_key, struct esp_cipher **out)
{
	return esp_cipher_new_by(backend(), algs, encr_key, integ_key, out);
}

void esp_cipher_free(struct esp_cipher **c)
{
	if (!*c)
		return;
	if ((*c)->state)
		(*c)->by->free((*c)->state);
	free(*c);
	*c = NULL;
}

void esp_cipher_seal(struct esp_cipher *c, struct esp_job *jobs, size_t n)
{
	c->by->seal(c->state, jobs, n);
}

void esp_cipher_open(struct esp_cipher *c, struct esp_job *jobs, size_t n)
{
	c->by->open(c->state, jobs, n);
}

size_t esp_cipher_iv_len(const struct esp_cipher *c)
{
	return c->iv_len;
}

size_t esp_cipher_icv_len(const struct esp_cipher *c)
{
	return c->icv_len;
}

size_t esp_cipher_align(const struct esp_cipher *c)
{
	return c->align;
}

bool esp_cipher_is_aead(const struct esp_cipher *c)
{
	return c->aead;
}
