#include "client/crypto/crypto.h"

#include "client/crypto/wolf.h"

#include <wolfssl/wolfcrypt/wc_port.h>

static struct {
	bool open;
	WC_RNG rng;
} process;

enum err crypto_open(struct diag *diag)
{
	int rc;

	if (process.open)
		return OK;
	rc = wolfCrypt_Init();
	if (rc != 0)
		return diag_set(diag, ERR_CRYPTO,
				"wolfSSL cannot start (error %d): reinstall "
				"the libwolfssl package",
				rc);
	rc = wc_InitRng(&process.rng);
	if (rc != 0) {
		wolfCrypt_Cleanup();
		return diag_set(diag, ERR_CRYPTO,
				"wolfSSL finds no randomness (error %d): "
				"check /dev/urandom",
				rc);
	}
	process.open = true;
	return OK;
}

void crypto_close(void)
{
	if (!process.open)
		return;
	wc_FreeRng(&process.rng);
	wolfCrypt_Cleanup();
	process.open = false;
}

WC_RNG *wolf_rng(void)
{
	return process.open ? &process.rng : NULL;
}
