/* Proposals as a person writes them, suites as a person reads them. */
#include "client/ike/msg.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 24

/* Words of encryption algorithms hold the key length, so they stand here;
 * all other words are those of client/crypto/algs.h. */
struct encr_word {
	const char *word;
	enum encr encr;
	uint16_t key_bits;
};

static const struct encr_word encr_words[] = {
	{"aes128", ENCR_AES_CBC, 128},
	{"aes192", ENCR_AES_CBC, 192},
	{"aes256", ENCR_AES_CBC, 256},
	{"aes128gcm16", ENCR_AES_GCM_16, 128},
	{"aes192gcm16", ENCR_AES_GCM_16, 192},
	{"aes256gcm16", ENCR_AES_GCM_16, 256},
	{"chacha20poly1305", ENCR_CHACHA20_POLY1305, 0},
};

struct alg_word {
	const char *word;
	uint8_t type;
	uint16_t id;
};

static const struct alg_word alg_words[] = {
#define X(name, num, word, ...) {word, TRANSFORM_PRF, num},
	PRF_LIST(X)
#undef X
#define X(name, num, word, ...) {word, TRANSFORM_INTEG, num},
		INTEG_LIST(X)
#undef X
#define X(name, num, word, ...) {word, TRANSFORM_KE, num},
			KE_LIST(X)
#undef X
				{"noesn", TRANSFORM_ESN, 0},
	{"esn", TRANSFORM_ESN, 1},
};

/* MUST NOT or SHOULD NOT in RFC 8247; people copy them from old guides. */
static const char *const obsolete_words[] = {
	"des",		"3des",	    "blowfish", "cast128",	"null",
	"md5",		"sha",	    "sha1",	"prfmd5",	"prfsha1",
	"modp768",	"modp1024", "modp1536", "modp1024s160", "modp2048s224",
	"modp2048s256", "ecp192",   "ecp224",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* --- one word --------------------------------------------------------------
 */

static bool word_find(const char *word, struct transform *out)
{
	for (size_t i = 0; i < COUNT_OF(encr_words); i++)
		if (strcmp(word, encr_words[i].word) == 0) {
			*out = (struct transform){TRANSFORM_ENCR,
						  encr_words[i].encr,
						  encr_words[i].key_bits};
			return true;
		}
	/* "none" would mean integrity or key exchange: neither is ours to
	 * switch off. */
	for (size_t i = 0; i < COUNT_OF(alg_words); i++)
		if (strcmp(word, alg_words[i].word) == 0 &&
		    strcmp(word, "none") != 0) {
			*out = (struct transform){alg_words[i].type,
						  alg_words[i].id, 0};
			return true;
		}
	return false;
}

static enum err word_refuse(const char *word, struct diag *diag)
{
	for (size_t i = 0; i < COUNT_OF(obsolete_words); i++)
		if (strcmp(word, obsolete_words[i]) == 0)
			return diag_set(diag, ERR_PROFILE,
					"proposal word \"%s\" is obsolete "
					"(RFC 8247) and not offered; use for "
					"example aes256-sha256-ecp256",
					word);
	return diag_set(diag, ERR_PROFILE,
			"proposal word \"%s\" is not known; use for example "
			"aes256gcm16-prfsha256-x25519",
			word);
}

static enum err word_fits(const char *word, const struct transform *t,
			  uint8_t proto, struct diag *diag)
{
	if (proto == PROTO_IKE && t->type == TRANSFORM_ESN)
		return diag_set(diag, ERR_PROFILE,
				"proposal word \"%s\" belongs into the ESP "
				"proposals, not the IKE ones",
				word);
	if (proto == PROTO_ESP && t->type == TRANSFORM_PRF)
		return diag_set(diag, ERR_PROFILE,
				"proposal word \"%s\" belongs into the IKE "
				"proposals, not the ESP ones",
				word);
	return OK;
}

static enum err word_add(const char *word, struct proposal *p,
			 struct diag *diag)
{
	struct transform t;
	enum err e;

	if (!word_find(word, &t))
		return word_refuse(word, diag);
	e = word_fits(word, &t, p->proto, diag);
	if (e != OK)
		return e;
	for (size_t i = 0; i < p->n; i++)
		if (p->t[i].type == t.type && p->t[i].id == t.id &&
		    p->t[i].key_bits == t.key_bits)
			return OK;
	if (p->n == PROPOSAL_TRANSFORMS_MAX)
		return diag_set(diag, ERR_PROFILE,
				"more than %d algorithms in one proposal",
				PROPOSAL_TRANSFORMS_MAX);
	p->t[p->n++] = t;
	return OK;
}

/* --- one proposal ----------------------------------------------------------
 */

static size_t count_type(const struct proposal *p, uint8_t type)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->t[i].type == type;
	return n;
}

static size_t count_aeads(const struct proposal *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->t[i].type == TRANSFORM_ENCR &&
		     encr_find(p->t[i].id)->icv_len > 0;
	return n;
}

/* Each integrity algorithm's PRF of the same hash: what "aes256-sha256-
 * ecp256" leaves out. */
static enum err add_prfs(struct proposal *p, struct diag *diag)
{
	size_t n = p->n;
	enum err e = OK;

	if (count_type(p, TRANSFORM_PRF) > 0)
		return OK;
	for (size_t i = 0; i < n && e == OK; i++) {
		if (p->t[i].type != TRANSFORM_INTEG)
			continue;
		switch ((enum integ)p->t[i].id) {
		case INTEG_HMAC_SHA2_256_128:
			e = word_add("prfsha256", p, diag);
			break;
		case INTEG_HMAC_SHA2_384_192:
			e = word_add("prfsha384", p, diag);
			break;
		case INTEG_HMAC_SHA2_512_256:
			e = word_add("prfsha512", p, diag);
			break;
		case INTEG_NONE:
			break;
		}
	}
	return e;
}

static enum err check_ciphers(const struct proposal *p, struct diag *diag)
{
	size_t aeads = count_aeads(p);
	size_t encrs = count_type(p, TRANSFORM_ENCR);
	size_t integs = count_type(p, TRANSFORM_INTEG);

	if (encrs == 0)
		return diag_set(diag, ERR_PROFILE,
				"a proposal without encryption; add for "
				"example aes256gcm16");
	if (aeads > 0 && aeads < encrs)
		return diag_set(diag, ERR_PROFILE,
				"AES-GCM or ChaCha20 and AES-CBC in one "
				"proposal; separate them with a comma");
	if (aeads > 0 && integs > 0)
		return diag_set(diag, ERR_PROFILE,
				"AES-GCM and ChaCha20 take no integrity "
				"algorithm; write prfsha256 for the PRF, or "
				"leave the word out");
	if (aeads == 0 && integs == 0)
		return diag_set(diag, ERR_PROFILE,
				"AES-CBC without an integrity algorithm; add "
				"for example sha256");
	return OK;
}

static enum err complete_ike(struct proposal *p, struct diag *diag)
{
	enum err e = add_prfs(p, diag);

	if (e != OK)
		return e;
	if (count_type(p, TRANSFORM_PRF) == 0)
		return diag_set(diag, ERR_PROFILE,
				"an IKE proposal without a PRF; add for "
				"example prfsha256");
	if (count_type(p, TRANSFORM_KE) == 0)
		return diag_set(diag, ERR_PROFILE,
				"an IKE proposal without a key exchange "
				"method; add for example x25519");
	return OK;
}

static enum err complete(struct proposal *p, struct diag *diag)
{
	enum err e = check_ciphers(p, diag);

	if (e != OK)
		return e;
	if (p->proto == PROTO_IKE)
		return complete_ike(p, diag);
	if (count_type(p, TRANSFORM_ESN) > 0)
		return OK;
	e = word_add("esn", p, diag);
	return e == OK ? word_add("noesn", p, diag) : e;
}

/* --- the list --------------------------------------------------------------
 */

/* The next word of text into word; text moves behind it. */
static enum err word_next(const char **text, char word[WORD_MAX],
			  struct diag *diag)
{
	size_t len = strcspn(*text, "-, ");

	if (len == 0)
		return diag_set(diag, ERR_PROFILE,
				"an empty word in the proposals; write for "
				"example aes256gcm16-prfsha256-x25519");
	if (len >= WORD_MAX)
		return diag_set(diag, ERR_PROFILE,
				"proposal word \"%.*s...\" is not known",
				WORD_MAX - 1, *text);
	memcpy(word, *text, len);
	word[len] = '\0';
	*text += len;
	return OK;
}

static enum err proposal_from_text(const char **text, struct proposal *p,
				   struct diag *diag)
{
	char word[WORD_MAX];
	enum err e;

	for (;;) {
		e = word_next(text, word, diag);
		if (e == OK)
			e = word_add(word, p, diag);
		if (e != OK)
			return e;
		if (**text != '-')
			return complete(p, diag);
		(*text)++;
	}
}

static void skip_blanks(const char **text)
{
	*text += strspn(*text, " ");
}

enum err proposals_from_text(const char *text, uint8_t proto,
			     struct proposal_list *out, struct diag *diag)
{
	struct proposal *p;
	enum err e;

	out->n = 0;
	for (;;) {
		if (out->n == PROPOSALS_MAX)
			return diag_set(diag, ERR_PROFILE,
					"more than %d proposals",
					PROPOSALS_MAX);
		p = &out->p[out->n];
		*p = (struct proposal){.num = (uint8_t)(out->n + 1),
				       .proto = proto};
		skip_blanks(&text);
		e = proposal_from_text(&text, p, diag);
		if (e != OK)
			return e;
		out->n++;
		skip_blanks(&text);
		if (*text == '\0')
			return OK;
		if (*text != ',')
			return diag_set(diag, ERR_PROFILE,
					"proposals are separated by a comma, "
					"their words by a hyphen");
		text++;
	}
}

/* --- for people ------------------------------------------------------------
 */

static const char *encr_word(const struct cipher_algs *c)
{
	for (size_t i = 0; i < COUNT_OF(encr_words); i++)
		if (encr_words[i].encr == c->encr &&
		    (encr_words[i].key_bits == c->key_bits ||
		     encr_words[i].key_bits == 0))
			return encr_words[i].word;
	return "unknown";
}

const char *suite_str(const struct suite *s, char *buf, size_t cap)
{
	const struct integ_info *integ = integ_find(s->cipher.integ);
	const struct prf_info *prf = prf_find(s->prf);
	const struct ke_info *ke = ke_find(s->ke);
	bool has_integ = integ && s->cipher.integ != INTEG_NONE;
	bool has_ke = ke && s->ke != KE_NONE;

	snprintf(buf, cap, "%s%s%s%s%s%s%s%s", encr_word(&s->cipher),
		 has_integ ? "-" : "", has_integ ? integ->word : "",
		 prf ? "-" : "", prf ? prf->word : "", has_ke ? "-" : "",
		 has_ke ? ke->word : "",
		 prf	  ? ""
		 : s->esn ? "-esn"
			  : "-noesn");
	return buf;
}
