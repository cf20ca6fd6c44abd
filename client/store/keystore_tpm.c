/* The key sealed by a TPM 2.0: it lies with the client and only this TPM
 * opens it. No PCR policy: an update of firmware or kernel costs no ticket.
 * What goes over the bus to the chip is encrypted.
 *
 * The blob: kind of parent | TPM2B_PUBLIC | TPM2B_PRIVATE.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "client/store/keystore.h"

#define DEVICE "device:/dev/tpmrm0"
/* TCG "Registry of Reserved TPM 2.0 Handles": the storage root key, where
 * the machine was provisioned. */
#define SRK_HANDLE 0x81000001

enum parent_kind { PARENT_PRIMARY = 0, PARENT_SRK = 1 };

struct tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR parent;
	enum parent_kind kind;
	ESYS_TR session;
	ESYS_TR object;
};

static const TPMT_SYM_DEF_OBJECT aes128cfb = {
	.algorithm = TPM2_ALG_AES,
	.keyBits.aes = 128,
	.mode.aes = TPM2_ALG_CFB,
};

/* --- the parent ------------------------------------------------------------
 */

/* The same template gives the same key for as long as the TPM is not
 * cleared: the ECC storage key of the TCG's provisioning guidance. */
static TSS2_RC primary_create(struct tpm *t)
{
	const TPM2B_PUBLIC template = {
		.publicArea =
			{
				.type = TPM2_ALG_ECC,
				.nameAlg = TPM2_ALG_SHA256,
				.objectAttributes =
					TPMA_OBJECT_RESTRICTED |
					TPMA_OBJECT_DECRYPT |
					TPMA_OBJECT_FIXEDTPM |
					TPMA_OBJECT_FIXEDPARENT |
					TPMA_OBJECT_SENSITIVEDATAORIGIN |
					TPMA_OBJECT_USERWITHAUTH |
					TPMA_OBJECT_NODA,
				.parameters.eccDetail =
					{
						.symmetric = aes128cfb,
						.scheme.scheme = TPM2_ALG_NULL,
						.curveID = TPM2_ECC_NIST_P256,
						.kdf.scheme = TPM2_ALG_NULL,
					},
			},
	};
	const TPM2B_SENSITIVE_CREATE sensitive = {.size = 0};
	const TPM2B_DATA outside = {.size = 0};
	const TPML_PCR_SELECTION pcrs = {.count = 0};

	t->kind = PARENT_PRIMARY;
	return Esys_CreatePrimary(t->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
				  ESYS_TR_NONE, ESYS_TR_NONE, &sensitive,
				  &template, &outside, &pcrs, &t->parent, NULL,
				  NULL, NULL, NULL);
}

/* The machine's storage root key is there already and costs no time; where
 * there is none the template gives one. */
static TSS2_RC parent_open(struct tpm *t, enum parent_kind kind)
{
	if (kind == PARENT_SRK &&
	    Esys_TR_FromTPMPublic(t->esys, SRK_HANDLE, ESYS_TR_NONE,
				  ESYS_TR_NONE, ESYS_TR_NONE,
				  &t->parent) == TSS2_RC_SUCCESS) {
		t->kind = PARENT_SRK;
		return TSS2_RC_SUCCESS;
	}
	return primary_create(t);
}

/* Encrypts the secret on its way: direction is TPMA_SESSION_DECRYPT towards
 * the TPM, TPMA_SESSION_ENCRYPT from it. */
static TSS2_RC session_start(struct tpm *t, TPMA_SESSION direction)
{
	const TPMT_SYM_DEF symmetric = {
		.algorithm = TPM2_ALG_AES,
		.keyBits.aes = 128,
		.mode.aes = TPM2_ALG_CFB,
	};
	TSS2_RC rc;

	rc = Esys_StartAuthSession(t->esys, t->parent, ESYS_TR_NONE,
				   ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				   NULL, TPM2_SE_HMAC, &symmetric,
				   TPM2_ALG_SHA256, &t->session);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_TRSess_SetAttributes(
			t->esys, t->session,
			direction | TPMA_SESSION_CONTINUESESSION,
			direction | TPMA_SESSION_CONTINUESESSION);
	return rc;
}

/* --- opening and closing -----------------------------------------------------
 */

static void tpm_close(struct tpm *t)
{
	if (t->object != ESYS_TR_NONE)
		Esys_FlushContext(t->esys, t->object);
	if (t->session != ESYS_TR_NONE)
		Esys_FlushContext(t->esys, t->session);
	if (t->parent != ESYS_TR_NONE && t->kind == PARENT_PRIMARY)
		Esys_FlushContext(t->esys, t->parent);
	if (t->esys)
		Esys_Finalize(&t->esys);
	if (t->tcti)
		Tss2_TctiLdr_Finalize(&t->tcti);
}

static TSS2_RC tpm_open(struct tpm *t)
{
	const char *conf = getenv("VPN_CONNECT_TCTI");
	TSS2_RC rc;

	memset(t, 0, sizeof(*t));
	t->parent = t->session = t->object = ESYS_TR_NONE;
	rc = Tss2_TctiLdr_Initialize(conf ? conf : DEVICE, &t->tcti);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_Initialize(&t->esys, t->tcti, NULL);
	return rc;
}

/* Answered by the TPM itself, whatever parameter it is about. */
static bool rc_is(TSS2_RC rc, TSS2_RC what)
{
	return (rc & TPM2_RC_FMT1) && (rc & 0xffff0000) == 0 &&
	       (rc & (TPM2_RC_FMT1 | 0x3f)) == what;
}

static void refuse_rc(struct keystore_reply *out, enum keystore_status status,
		      TSS2_RC rc)
{
	keystore_refuse(out, status, "TPM: %s", Tss2_RC_Decode(rc));
}

/* --- sealing ---------------------------------------------------------------
 */

static TSS2_RC seal(struct tpm *t, const struct secret *key,
		    TPM2B_PUBLIC **out_public, TPM2B_PRIVATE **out_private)
{
	const TPM2B_PUBLIC template = {
		.publicArea =
			{
				.type = TPM2_ALG_KEYEDHASH,
				.nameAlg = TPM2_ALG_SHA256,
				.objectAttributes = TPMA_OBJECT_FIXEDTPM |
						    TPMA_OBJECT_FIXEDPARENT |
						    TPMA_OBJECT_USERWITHAUTH |
						    TPMA_OBJECT_NODA,
				.parameters.keyedHashDetail.scheme.scheme =
					TPM2_ALG_NULL,
			},
	};
	const TPM2B_DATA outside = {.size = 0};
	const TPML_PCR_SELECTION pcrs = {.count = 0};
	TPM2B_SENSITIVE_CREATE sensitive = {.size = 0};
	TSS2_RC rc;

	sensitive.sensitive.data.size = (UINT16)key->len;
	memcpy(sensitive.sensitive.data.buffer, key->b, key->len);
	rc = Esys_Create(t->esys, t->parent, ESYS_TR_PASSWORD, t->session,
			 ESYS_TR_NONE, &sensitive, &template, &outside, &pcrs,
			 out_private, out_public, NULL, NULL, NULL);
	mem_wipe(&sensitive, sizeof(sensitive));
	return rc;
}

static TSS2_RC blob_write(const struct tpm *t, const TPM2B_PUBLIC *public,
			  const TPM2B_PRIVATE *private,
			  struct keystore_reply *out)
{
	size_t at = 1;
	TSS2_RC rc;

	out->blob[0] = (uint8_t)t->kind;
	rc = Tss2_MU_TPM2B_PUBLIC_Marshal(public, out->blob, sizeof(out->blob),
					  &at);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PRIVATE_Marshal(private, out->blob,
						   sizeof(out->blob), &at);
	out->blob_len = rc == TSS2_RC_SUCCESS ? at : 0;
	return rc;
}

static TSS2_RC put_under(struct tpm *t, enum parent_kind kind,
			 const struct secret *key, struct keystore_reply *out)
{
	TPM2B_PUBLIC *public = NULL;
	TPM2B_PRIVATE *private = NULL;
	TSS2_RC rc = tpm_open(t);

	if (rc == TSS2_RC_SUCCESS)
		rc = parent_open(t, kind);
	if (rc == TSS2_RC_SUCCESS)
		rc = session_start(t, TPMA_SESSION_DECRYPT);
	if (rc == TSS2_RC_SUCCESS)
		rc = seal(t, key, &public, &private);
	if (rc == TSS2_RC_SUCCESS)
		rc = blob_write(t, public, private, out);
	Esys_Free(public);
	Esys_Free(private);
	return rc;
}

void keystore_put(const struct keystore_request *request,
		  struct keystore_reply *out)
{
	struct tpm t;
	TSS2_RC rc = put_under(&t, PARENT_SRK, &request->key, out);
	bool by_srk = t.kind == PARENT_SRK && t.parent != ESYS_TR_NONE;

	tpm_close(&t);
	/* Some protect the storage root key with a password. */
	if (rc != TSS2_RC_SUCCESS && by_srk) {
		rc = put_under(&t, PARENT_PRIMARY, &request->key, out);
		tpm_close(&t);
	}
	if (rc != TSS2_RC_SUCCESS)
		refuse_rc(out, KEYSTORE_NOT_NOW, rc);
}

/* --- opening ---------------------------------------------------------------
 */

static TSS2_RC blob_read(const struct keystore_request *request,
			 enum parent_kind *out_kind, TPM2B_PUBLIC *out_public,
			 TPM2B_PRIVATE *out_private)
{
	size_t at = 1;
	TSS2_RC rc;

	memset(out_public, 0, sizeof(*out_public));
	memset(out_private, 0, sizeof(*out_private));
	*out_kind =
		request->blob[0] == PARENT_SRK ? PARENT_SRK : PARENT_PRIMARY;
	rc = Tss2_MU_TPM2B_PUBLIC_Unmarshal(request->blob, request->blob_len,
					    &at, out_public);
	if (rc == TSS2_RC_SUCCESS)
		rc = Tss2_MU_TPM2B_PRIVATE_Unmarshal(
			request->blob, request->blob_len, &at, out_private);
	return rc;
}

static TSS2_RC unseal(struct tpm *t, struct keystore_reply *out)
{
	TPM2B_SENSITIVE_DATA *data = NULL;
	TSS2_RC rc = Esys_Unseal(t->esys, t->object, ESYS_TR_PASSWORD,
				 t->session, ESYS_TR_NONE, &data);

	if (rc != TSS2_RC_SUCCESS)
		return rc;
	if (secret_set(&out->key, bytes(data->buffer, data->size)))
		rc = TPM2_RC_INTEGRITY;
	mem_wipe(data, sizeof(*data));
	Esys_Free(data);
	return rc;
}

void keystore_get(const struct keystore_request *request,
		  struct keystore_reply *out)
{
	TPM2B_PRIVATE private;
	TPM2B_PUBLIC public;
	enum parent_kind kind;
	struct tpm t;
	TSS2_RC rc;

	if (blob_read(request, &kind, &public, &private) != TSS2_RC_SUCCESS) {
		keystore_refuse(out, KEYSTORE_GONE,
				"the sealed key is damaged");
		return;
	}
	rc = tpm_open(&t);
	if (rc == TSS2_RC_SUCCESS)
		rc = parent_open(&t, kind);
	if (rc == TSS2_RC_SUCCESS)
		rc = Esys_Load(t.esys, t.parent, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			       ESYS_TR_NONE, &private, &public, &t.object);
	if (rc == TSS2_RC_SUCCESS)
		rc = session_start(&t, TPMA_SESSION_ENCRYPT);
	if (rc == TSS2_RC_SUCCESS)
		rc = unseal(&t, out);
	tpm_close(&t);
	if (rc_is(rc, TPM2_RC_INTEGRITY))
		keystore_refuse(out, KEYSTORE_GONE,
				"this TPM did not seal it, or was cleared");
	else if (rc != TSS2_RC_SUCCESS)
		refuse_rc(out, KEYSTORE_NOT_NOW, rc);
}

/* The TPM keeps nothing. */
void keystore_drop(const struct keystore_request *request,
		   struct keystore_reply *out)
{
}
