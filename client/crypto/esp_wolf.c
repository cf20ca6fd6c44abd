/* ESP's cipher by wolfCrypt: one packet after the other. */
#include "client/crypto/esp_cipher.h"

static enum err wolf_key(const struct cipher_algs *algs, struct bytes encr_key,
			 struct bytes integ_key, void **out)
{
	struct cipher *c;
	enum err e = cipher_new(algs, encr_key, integ_key, &c);

	*out = c;
	return e;
}

static void wolf_free(void *state)
{
	struct cipher *c = state;

	cipher_free(&c);
}

static void wolf_seal(void *state, struct esp_job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		jobs[i].result = cipher_seal(state, &jobs[i].text);
}

static void wolf_open(void *state, struct esp_job *jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		jobs[i].result = cipher_open(state, &jobs[i].text);
}

const struct esp_backend esp_backend_wolf = {
	.name = "wolfCrypt",
	.key = wolf_key,
	.free = wolf_free,
	.seal = wolf_seal,
	.open = wolf_open,
};
