/* ESP's cipher by libipsec-mb, the only file that knows it. One manager an
 * SA: a manager is for one thread. Which instructions are used it decides by
 * the processor it runs on. */
#include "client/crypto/esp_cipher.h"

#include <stdlib.h>
#include <string.h>

#include <intel-ipsec-mb.h>

#define KEY_ALIGN    64
#define HMAC_BLOCK   128 /* of SHA-384 and SHA-512; 64 of SHA-256 */
#define SCHEDULE_LEN (15 * 16)
#define CHACHA_KEY   32
#define SALT_MAX     4
#define NEEDED	     (IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ)

struct mb {
	struct gcm_key_data gcm __attribute__((aligned(KEY_ALIGN)));
	uint32_t enc[SCHEDULE_LEN / 4] __attribute__((aligned(16)));
	uint32_t dec[SCHEDULE_LEN / 4] __attribute__((aligned(16)));
	uint8_t chacha[CHACHA_KEY];
	uint8_t ipad[IMB_SHA512_DIGEST_SIZE_IN_BYTES];
	uint8_t opad[IMB_SHA512_DIGEST_SIZE_IN_BYTES];
	IMB_MGR *mgr;
	struct cipher_algs algs;
	size_t key_len, salt_len, iv_len, icv_len;
	uint8_t salt[SALT_MAX];
	IMB_HASH_ALG hmac;
};

/* --- keys ---------------------------------------------------------------- */

static void hmac_block(struct mb *m, const uint8_t *block, uint8_t *out)
{
	switch (m->algs.integ) {
	case INTEG_HMAC_SHA2_256_128:
		IMB_SHA256_ONE_BLOCK(m->mgr, block, out);
		return;
	case INTEG_HMAC_SHA2_384_192:
		IMB_SHA384_ONE_BLOCK(m->mgr, block, out);
		return;
	case INTEG_HMAC_SHA2_512_256:
		IMB_SHA512_ONE_BLOCK(m->mgr, block, out);
		return;
	case INTEG_NONE:
		return;
	}
}

static void hmac_pad(struct mb *m, struct bytes key, uint8_t fill, uint8_t *out)
{
	uint8_t block[HMAC_BLOCK];

	memset(block, fill, sizeof(block));
	for (size_t i = 0; i < key.len; i++)
		block[i] ^= key.p[i];
	hmac_block(m, block, out);
	mem_wipe(block, sizeof(block));
}

static void hmac_set(struct mb *m, struct bytes key)
{
	switch (m->algs.integ) {
	case INTEG_HMAC_SHA2_256_128:
		m->hmac = IMB_AUTH_HMAC_SHA_256;
		break;
	case INTEG_HMAC_SHA2_384_192:
		m->hmac = IMB_AUTH_HMAC_SHA_384;
		break;
	case INTEG_HMAC_SHA2_512_256:
		m->hmac = IMB_AUTH_HMAC_SHA_512;
		break;
	case INTEG_NONE:
		return;
	}
	hmac_pad(m, key, 0x36, m->ipad);
	hmac_pad(m, key, 0x5c, m->opad);
}

static void gcm_set(struct mb *m, const uint8_t *key)
{
	if (m->key_len == IMB_KEY_128_BYTES)
		IMB_AES128_GCM_PRE(m->mgr, key, &m->gcm);
	else if (m->key_len == IMB_KEY_192_BYTES)
		IMB_AES192_GCM_PRE(m->mgr, key, &m->gcm);
	else
		IMB_AES256_GCM_PRE(m->mgr, key, &m->gcm);
}

static void cbc_set(struct mb *m, const uint8_t *key)
{
	if (m->key_len == IMB_KEY_128_BYTES)
		IMB_AES_KEYEXP_128(m->mgr, key, m->enc, m->dec);
	else if (m->key_len == IMB_KEY_192_BYTES)
		IMB_AES_KEYEXP_192(m->mgr, key, m->enc, m->dec);
	else
		IMB_AES_KEYEXP_256(m->mgr, key, m->enc, m->dec);
}

static void mb_free(void *state)
{
	struct mb *m = state;

	if (m->mgr) {
		/* Its lanes hold copies of round keys and of last blocks. */
		mem_wipe(m->mgr, imb_get_mb_mgr_size());
		free_mb_mgr(m->mgr);
	}
	mem_wipe(m, sizeof(*m));
	free(m);
}

static enum err mb_key(const struct cipher_algs *algs, struct bytes encr_key,
		       struct bytes integ_key, void **out)
{
	const struct encr_info *info = encr_find(algs->encr);
	struct mb *m = aligned_alloc(KEY_ALIGN, sizeof(*m));

	*out = NULL;
	if (!m)
		return ERR_NO_MEMORY;
	memset(m, 0, sizeof(*m));
	m->mgr = alloc_mb_mgr(0);
	if (!m->mgr) {
		mb_free(m);
		return ERR_NO_MEMORY;
	}
	init_mb_mgr_auto(m->mgr, NULL);
	m->algs = *algs;
	m->salt_len = info->salt_len;
	m->iv_len = info->iv_len;
	m->key_len = encr_key.len - m->salt_len;
	m->icv_len = info->icv_len > 0 ? info->icv_len
				       : integ_find(algs->integ)->icv_len;
	memcpy(m->salt, encr_key.p + m->key_len, m->salt_len);
	switch (algs->encr) {
	case ENCR_AES_GCM_16:
		gcm_set(m, encr_key.p);
		break;
	case ENCR_CHACHA20_POLY1305:
		memcpy(m->chacha, encr_key.p, CHACHA_KEY);
		break;
	case ENCR_AES_CBC:
		cbc_set(m, encr_key.p);
		break;
	}
	hmac_set(m, integ_key);
	*out = m;
	return OK;
}

/* --- jobs ---------------------------------------------------------------- */

static void aead_nonce(const struct mb *m, struct esp_job *job, IMB_JOB *j)
{
	memcpy(job->nonce, m->salt, m->salt_len);
	memcpy(job->nonce + m->salt_len, job->text.iv, m->iv_len);
	j->iv = job->nonce;
	j->iv_len_in_bytes = sizeof(job->nonce);
	j->src = job->text.body;
	j->msg_len_to_hash_in_bytes = job->text.body_len;
}

static void gcm_job(const struct mb *m, struct esp_job *job, IMB_JOB *j)
{
	aead_nonce(m, job, j);
	j->cipher_mode = IMB_CIPHER_GCM;
	j->hash_alg = IMB_AUTH_AES_GMAC;
	j->enc_keys = j->dec_keys = &m->gcm;
	j->u.GCM.aad = job->text.head.p;
	j->u.GCM.aad_len_in_bytes = job->text.head.len;
}

static void chacha_job(const struct mb *m, struct esp_job *job, IMB_JOB *j)
{
	aead_nonce(m, job, j);
	j->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	j->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	j->enc_keys = j->dec_keys = m->chacha;
	j->u.CHACHA20_POLY1305.aad = job->text.head.p;
	j->u.CHACHA20_POLY1305.aad_len_in_bytes = job->text.head.len;
}

/* The MAC covers one piece of memory: head to body, and behind it, where the
 * ICV has its place, the tail for as long as it takes. */
static void cbc_job(const struct mb *m, struct esp_job *job, IMB_JOB *j)
{
	struct cipher_text *t = &job->text;
	size_t before = t->head.len + m->iv_len;

	if (t->tail.len > 0)
		memcpy(t->icv, t->tail.p, t->tail.len);
	j->cipher_mode = IMB_CIPHER_CBC;
	j->hash_alg = m->hmac;
	j->enc_keys = m->enc;
	j->dec_keys = m->dec;
	j->iv = t->iv;
	j->iv_len_in_bytes = m->iv_len;
	j->src = t->head.p;
	j->cipher_start_src_offset_in_bytes = before;
	j->hash_start_src_offset_in_bytes = 0;
	j->msg_len_to_hash_in_bytes = before + t->body_len + t->tail.len;
	j->u.HMAC._hashed_auth_key_xor_ipad = m->ipad;
	j->u.HMAC._hashed_auth_key_xor_opad = m->opad;
}

static void job_fill(const struct mb *m, struct esp_job *job, bool seal,
		     IMB_JOB *j)
{
	memset(j, 0, sizeof(*j));
	switch (m->algs.encr) {
	case ENCR_AES_GCM_16:
		gcm_job(m, job, j);
		break;
	case ENCR_CHACHA20_POLY1305:
		chacha_job(m, job, j);
		break;
	case ENCR_AES_CBC:
		cbc_job(m, job, j);
		break;
	}
	j->key_len_in_bytes = m->key_len;
	j->dst = job->text.body;
	j->msg_len_to_cipher_in_bytes = job->text.body_len;
	j->auth_tag_output = job->icv;
	j->auth_tag_output_len_in_bytes = m->icv_len;
	j->cipher_direction = seal ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	/* GCM and ChaCha20 do both at once and take either order. */
	j->chain_order = seal ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	j->user_data = job;
}

static void job_done(const IMB_JOB *j)
{
	struct esp_job *job = j->user_data;

	job->result = j->status == IMB_STATUS_COMPLETED ? OK : ERR_CRYPTO;
}

static void jobs_run(struct mb *m, struct esp_job *jobs, size_t n, bool seal)
{
	IMB_JOB *j;

	for (size_t i = 0; i < n; i++) {
		jobs[i].result = ERR_CRYPTO;
		job_fill(m, &jobs[i], seal, IMB_GET_NEXT_JOB(m->mgr));
		for (j = IMB_SUBMIT_JOB(m->mgr); j;
		     j = IMB_GET_COMPLETED_JOB(m->mgr))
			job_done(j);
	}
	while ((j = IMB_FLUSH_JOB(m->mgr)))
		job_done(j);
}

static void mb_seal(void *state, struct esp_job *jobs, size_t n)
{
	struct mb *m = state;

	jobs_run(m, jobs, n, true);
	for (size_t i = 0; i < n; i++)
		memcpy(jobs[i].text.icv, jobs[i].icv, m->icv_len);
}

static void mb_open(void *state, struct esp_job *jobs, size_t n)
{
	uint8_t came[ESP_JOBS_MAX][sizeof(jobs->icv)];
	struct mb *m = state;

	/* The tail may take the ICV's place. */
	for (size_t i = 0; i < n; i++)
		memcpy(came[i], jobs[i].text.icv, m->icv_len);
	jobs_run(m, jobs, n, false);
	for (size_t i = 0; i < n; i++)
		if (jobs[i].result ||
		    !bytes_eq_secret(bytes(came[i], m->icv_len),
				     bytes(jobs[i].icv, m->icv_len)))
			jobs[i].result = ERR_INTEGRITY;
}

static const struct esp_backend backend = {
	.name = "libipsec-mb",
	.key = mb_key,
	.free = mb_free,
	.seal = mb_seal,
	.open = mb_open,
};

static bool ask_processor(void)
{
	IMB_MGR *mgr = alloc_mb_mgr(0);
	bool good;

	if (!mgr)
		return false;
	init_mb_mgr_auto(mgr, NULL);
	good = (mgr->features & NEEDED) == NEEDED;
	free_mb_mgr(mgr);
	return good;
}

/* Only a manager knows, and one is 200 kB to fill in: asked once. Two threads
 * that ask at the same time hear the same. */
const struct esp_backend *esp_backend_mb(void)
{
	static _Atomic enum { UNASKED, GOOD, LACKS } answer;

	if (answer == UNASKED)
		answer = ask_processor() ? GOOD : LACKS;
	return answer == GOOD ? &backend : NULL;
}
