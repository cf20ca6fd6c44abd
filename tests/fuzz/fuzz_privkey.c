/* A private key file; octet 0 chooses the passphrase. */
#include "tests/fuzz/fuzz.h"

#include "client/crypto/crypto.h"

static void start(void)
{
	static bool started;
	struct diag diag = DIAG_INIT;

	if (!started)
		FUZZ_CHECK(crypto_open(&diag) == OK);
	started = true;
}

/* A key that loads can sign. */
static void check_sign(struct privkey *k)
{
	struct sign_policy pol = {1 << HASH_SHA2_256 | 1 << HASH_IDENTITY,
				  false};
	const struct bytes part = bytes_str("text");
	uint8_t out[AUTH_DATA_MAX];
	enum sig_method method;
	size_t len = 0;
	enum err e;

	e = privkey_sign(k, &pol, &part, 1, out, &len, &method);
	FUZZ_CHECK(e == OK || e == ERR_CRYPTO || e == ERR_NO_PROPOSAL);
	if (e == OK)
		FUZZ_CHECK(len > 0 && len <= sizeof(out) &&
			   method == SIG_DIGITAL);
	FUZZ_CHECK(!privkey_matches(k, bytes_str("no certificate")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const passes[] = {"", "sesame"};
	struct diag diag = DIAG_INIT;
	struct privkey *k = NULL;
	enum err e;

	start();
	if (size == 0)
		return 0;
	e = privkey_load(bytes(data + 1, size - 1),
			 bytes_str(passes[data[0] & 1]), &k, &diag);
	FUZZ_CHECK(e == OK || e == ERR_MALFORMED || e == ERR_UNSUPPORTED ||
		   e == ERR_NEEDS_PERSON);
	FUZZ_CHECK((e == OK) == (k != NULL));
	FUZZ_CHECK(e == OK || diag.text[0] != '\0');
	if (e == OK)
		check_sign(k);
	privkey_free(&k);
	FUZZ_CHECK(k == NULL);
	return 0;
}
