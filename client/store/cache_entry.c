/* One file:
 *
 *   "vpctkt" | format 2 | key id 8 | salt 32 | IV 8 |
 *   profile | gateway | port | identity | sealed | ICV 16
 *
 * Everything before "sealed" is in the clear and authenticated; sealed are
 * fingerprint, credential, generation, the ticket with its keys, and items of
 * type 1 | length 2 | value, of which unknown ones are skipped. The key
 * of AES-256-GCM is prf+(cache key, salt): every file has its own, so the IV
 * may be random without a limit on the number of files.
 */
#include "client/store/cache_private.h"

#include <stdlib.h>
#include <string.h>

#define MAGIC	 "vpctkt"
#define FORMAT	 2
#define SALT_LEN 32
#define KEY_WORD "vpn-connect ticket key"

static const struct cipher_algs cache_algs = {ENCR_AES_GCM_16, 256, INTEG_NONE};

/* --- binding ------------------------------------------------------------ */

void cache_binding_of(const struct profile *p, struct cache_binding *out)
{
	memset(out, 0, sizeof(*out));
	memcpy(out->profile, p->name, sizeof(out->profile));
	memcpy(out->gateway, p->gateway, sizeof(out->gateway));
	out->port = p->port;
	out->identity = p->id;
	memcpy(out->fingerprint, p->fingerprint, sizeof(out->fingerprint));
	if (p->has_credential)
		memcpy(out->credential, p->credential, sizeof(out->credential));
}

static bool name_eq(const struct ike_name *a, const struct ike_name *b)
{
	return a->type == b->type &&
	       bytes_eq(bytes(a->b, a->len), bytes(b->b, b->len));
}

static bool credential_fits(const struct cache_binding *a,
			    const struct cache_binding *b)
{
	static const uint8_t unknown[32];

	return bytes_eq(BYTES_OF(a->credential), BYTES_OF(unknown)) ||
	       bytes_eq(BYTES_OF(b->credential), BYTES_OF(unknown)) ||
	       bytes_eq_secret(BYTES_OF(a->credential),
			       BYTES_OF(b->credential));
}

bool cache_binding_fits(const struct cache_binding *a,
			const struct cache_binding *b)
{
	return strcmp(a->profile, b->profile) == 0 &&
	       strcmp(a->gateway, b->gateway) == 0 && a->port == b->port &&
	       name_eq(&a->identity, &b->identity) &&
	       bytes_eq_secret(BYTES_OF(a->fingerprint),
			       BYTES_OF(b->fingerprint)) &&
	       credential_fits(a, b);
}

/* --- writing ------------------------------------------------------------ */

static void wr_item(struct wr *w, struct bytes b)
{
	wr_u16(w, (uint16_t)b.len);
	wr_bytes(w, b);
}

static void wr_name(struct wr *w, const struct ike_name *n)
{
	wr_u8(w, n->type);
	wr_item(w, bytes(n->b, n->len));
}

static void wr_addr(struct wr *w, const struct addr *a)
{
	wr_u8(w, a->family);
	wr_u16(w, a->port);
	wr_bytes(w, addr_view(a));
}

static void wr_binding(struct wr *w, const struct cache_binding *b)
{
	wr_item(w, bytes_str(b->profile));
	wr_item(w, bytes_str(b->gateway));
	wr_u16(w, b->port);
	wr_name(w, &b->identity);
}

static void wr_ticket(struct wr *w, const struct ike_ticket *t)
{
	wr_item(w, t->opaque);
	wr_u32(w, t->lifetime_s);
	wr_item(w, secret_view(&t->sk_d));
	wr_u16(w, t->suite.cipher.encr);
	wr_u16(w, t->suite.cipher.key_bits);
	wr_u16(w, t->suite.cipher.integ);
	wr_u16(w, t->suite.prf);
	wr_u16(w, t->suite.ke);
	wr_u8(w, t->suite.esn);
	wr_name(w, &t->id_local);
	wr_name(w, &t->id_remote);
	wr_u8(w, (uint8_t)t->auth);
	wr_addr(w, &t->inner_v4);
	wr_addr(w, &t->inner_v6);
	wr_u8(w, t->peer_fragments);
}

/* X(name, type): what later versions keep with a ticket */
#define ITEM_LIST(X)                                                           \
	X(ITEM_AUTH_FIRST_ONLY, 1) /* no value */                              \
	X(ITEM_AUTH_EXTRA, 2)	   /* seconds in 4 octets, RFC 4478 */         \
	X(ITEM_WORKED, 3)	   /* kind of path 1, our address */
enum item {
#define X(name, type) name = type,
	ITEM_LIST(X)
#undef X
};

static void wr_typed(struct wr *w, enum item type, struct bytes value)
{
	wr_u8(w, (uint8_t)type);
	wr_item(w, value);
}

static void wr_worked(struct wr *w, const struct path_worked *p)
{
	uint8_t value[1 + sizeof(p->local)];
	struct wr v = wr_open(value, sizeof(value));

	wr_u8(&v, (uint8_t)p->kind);
	wr_addr(&v, &p->local);
	wr_typed(w, ITEM_WORKED, wr_view(&v));
}

static void wr_items(struct wr *w, const struct ticket_entry *e)
{
	uint8_t extra[4];
	struct wr b = wr_open(extra, sizeof(extra));

	if (e->ticket.auth_first_only)
		wr_typed(w, ITEM_AUTH_FIRST_ONLY, BYTES_NONE);
	if (e->ticket.auth_limited) {
		wr_u32(&b, e->ticket.auth_extra_s);
		wr_typed(w, ITEM_AUTH_EXTRA, wr_view(&b));
	}
	if (e->worked.local.family != ADDR_NONE)
		wr_worked(w, &e->worked);
}

static void wr_entry(struct wr *w, const struct cache_binding *b,
		     const struct ticket_entry *e)
{
	wr_bytes(w, BYTES_OF(b->fingerprint));
	wr_bytes(w, BYTES_OF(b->credential));
	wr_u64(w, e->generation);
	wr_ticket(w, &e->ticket);
	wr_addr(w, &e->worked.remote);
	wr_u64(w, (uint64_t)e->stored_wall_ms);
	wr_u64(w, (uint64_t)e->expires_wall_ms);
	wr_u64(w, (uint64_t)e->stored_boot_ms);
	wr_u32(w, e->renewed);
	wr_items(w, e);
}

/* The cipher of the file with this salt. */
static enum err cipher_of(const struct key_slot *key, struct bytes salt,
			  struct cipher **out)
{
	const struct bytes parts[] = {bytes_str(KEY_WORD), salt};
	uint8_t file_key[36]; /* AES-256 and the salt of RFC 4106 8.1 */
	enum err e;

	if (key->key.len != KEY_LEN)
		return ERR_INTERNAL;
	e = crypto_prf_plus(PRF_HMAC_SHA2_256, secret_view(&key->key), parts, 2,
			    file_key, sizeof(file_key));
	if (!e)
		e = cipher_new(&cache_algs, BYTES_OF(file_key), BYTES_NONE,
			       out);
	mem_wipe(file_key, sizeof(file_key));
	return e;
}

/* Head with a fresh salt and IV; *out_iv points into the buffer. */
static enum err head_write(struct wr *w, const struct key_slot *key,
			   const struct cache_binding *b,
			   const uint8_t **out_salt, const uint8_t **out_iv)
{
	uint8_t *room;
	enum err e;

	wr_bytes(w, bytes_str(MAGIC));
	wr_u8(w, FORMAT);
	wr_bytes(w, BYTES_OF(key->id));
	room = wr_room(w, SALT_LEN + 8);
	if (!room)
		return ERR_NO_SPACE;
	e = os_random(room, SALT_LEN + 8);
	*out_salt = room;
	*out_iv = room + SALT_LEN;
	wr_binding(w, b);
	return e;
}

enum err cache_entry_seal(const struct key_slot *key,
			  const struct cache_binding *b,
			  const struct ticket_entry *e, uint8_t **out_file,
			  size_t *out_len)
{
	size_t cap = e->ticket.opaque.len + CACHE_FILE_MAX - IKE_TICKET_MAX;
	struct cipher *cipher = NULL;
	struct cipher_text text = {.tail = BYTES_NONE};
	const uint8_t *salt = NULL;
	uint8_t *file;
	struct wr w;
	enum err err;

	if (e->ticket.opaque.len > IKE_TICKET_MAX)
		return ERR_NO_SPACE;
	file = calloc(1, cap);
	if (!file)
		return ERR_NO_MEMORY;
	w = wr_open(file, cap);
	err = head_write(&w, key, b, &salt, &text.iv);
	text.head = wr_view(&w);
	text.body = file + wr_len(&w);
	wr_entry(&w, b, e);
	text.body_len = wr_len(&w) - text.head.len;
	text.icv = wr_room(&w, 16);
	if (!err)
		err = wr_finish(&w);
	if (!err)
		err = cipher_of(key, bytes(salt, SALT_LEN), &cipher);
	if (!err)
		err = cipher_seal(cipher, &text);
	cipher_free(&cipher);
	if (err) {
		mem_wipe(file, cap);
		free(file);
		return err;
	}
	*out_file = file;
	*out_len = wr_len(&w);
	return OK;
}

/* --- reading ------------------------------------------------------------- */

static void rd_name(struct rd *r, struct ike_name *out)
{
	uint16_t len;

	out->type = rd_u8(r);
	len = rd_u16(r);
	if (len > sizeof(out->b)) {
		r->short_read = true;
		len = 0;
	}
	out->len = len;
	rd_copy(r, out->b, len);
}

static void rd_text(struct rd *r, char *out, size_t cap)
{
	size_t len = rd_u16(r);

	if (len >= cap) {
		r->short_read = true;
		len = 0;
	}
	rd_copy(r, out, len);
	out[len] = '\0';
}

static void rd_addr(struct rd *r, struct addr *out)
{
	size_t len;

	memset(out, 0, sizeof(*out));
	out->family = rd_u8(r);
	out->port = rd_u16(r);
	len = addr_len(out);
	if (len == 0 && out->family != ADDR_NONE)
		r->short_read = true;
	rd_copy(r, out->b, len);
}

static void rd_binding(struct rd *r, struct cache_binding *out)
{
	memset(out, 0, sizeof(*out));
	rd_text(r, out->profile, sizeof(out->profile));
	rd_text(r, out->gateway, sizeof(out->gateway));
	out->port = rd_u16(r);
	rd_name(r, &out->identity);
}

static void rd_secret(struct rd *r, struct secret *out)
{
	struct bytes b = rd_take(r, rd_u16(r));

	if (secret_set(out, b))
		r->short_read = true;
}

static void rd_ticket(struct rd *r, struct ike_ticket *t)
{
	t->opaque = rd_take(r, rd_u16(r));
	t->lifetime_s = rd_u32(r);
	rd_secret(r, &t->sk_d);
	t->suite.cipher.encr = (enum encr)rd_u16(r);
	t->suite.cipher.key_bits = rd_u16(r);
	t->suite.cipher.integ = (enum integ)rd_u16(r);
	t->suite.prf = (enum prf)rd_u16(r);
	t->suite.ke = (enum ke_method)rd_u16(r);
	t->suite.esn = rd_u8(r) != 0;
	rd_name(r, &t->id_local);
	rd_name(r, &t->id_remote);
	t->auth = (enum ike_auth_kind)rd_u8(r);
	rd_addr(r, &t->inner_v4);
	rd_addr(r, &t->inner_v6);
	t->peer_fragments = rd_u8(r) != 0;
}

/* The seal says that we wrote it; a version of us with other algorithms
 * could have. */
static bool ticket_is_sound(const struct ike_ticket *t)
{
	const struct prf_info *prf = prf_find((uint16_t)t->suite.prf);

	return t->opaque.len > 0 && t->opaque.len <= IKE_TICKET_MAX && prf &&
	       t->sk_d.len == prf->out_len &&
	       encr_find((uint16_t)t->suite.cipher.encr) &&
	       integ_find((uint16_t)t->suite.cipher.integ);
}

/* A kind that this version does not know is UDP. */
static void rd_worked(struct bytes value, struct path_worked *out)
{
	struct rd r = rd_open(value);
	uint8_t kind = rd_u8(&r);

	rd_addr(&r, &out->local);
	if (kind == PATH_TCP || kind == PATH_UDP_500)
		out->kind = (enum path_kind)kind;
}

static void rd_items(struct rd *r, struct ticket_entry *out)
{
	while (rd_ok(r) && rd_left(r) > 0) {
		uint8_t type = rd_u8(r);
		struct bytes value = rd_take(r, rd_u16(r));

		if (type == ITEM_AUTH_FIRST_ONLY && value.len == 0)
			out->ticket.auth_first_only = true;
		if (type == ITEM_AUTH_EXTRA && value.len == 4) {
			struct rd b = rd_open(value);

			out->ticket.auth_limited = true;
			out->ticket.auth_extra_s = rd_u32(&b);
		}
		if (type == ITEM_WORKED)
			rd_worked(value, &out->worked);
	}
}

static enum err entry_read(struct bytes body, struct cache_binding *out_b,
			   struct ticket_entry *out)
{
	struct rd r = rd_open(body);
	enum err e;

	memset(out, 0, sizeof(*out));
	rd_copy(&r, out_b->fingerprint, sizeof(out_b->fingerprint));
	rd_copy(&r, out_b->credential, sizeof(out_b->credential));
	out->generation = rd_u64(&r);
	rd_ticket(&r, &out->ticket);
	rd_addr(&r, &out->worked.remote);
	out->stored_wall_ms = (int64_t)rd_u64(&r);
	out->expires_wall_ms = (int64_t)rd_u64(&r);
	out->stored_boot_ms = (int64_t)rd_u64(&r);
	out->renewed = rd_u32(&r);
	rd_items(&r, out);
	e = rd_finish(&r);
	if (!e && !ticket_is_sound(&out->ticket))
		e = ERR_MALFORMED;
	if (e)
		goto fail;
	out->buf = malloc(out->ticket.opaque.len);
	if (!out->buf) {
		e = ERR_NO_MEMORY;
		goto fail;
	}
	memcpy(out->buf, out->ticket.opaque.p, out->ticket.opaque.len);
	out->ticket.opaque.p = out->buf;
	return OK;
fail:
	mem_wipe(out, sizeof(*out));
	return e;
}

enum err cache_entry_key_id(struct bytes file, uint8_t out_id[KEY_ID_LEN])
{
	struct rd r = rd_open(file);

	if (!bytes_eq(rd_take(&r, strlen(MAGIC)), bytes_str(MAGIC)) ||
	    rd_u8(&r) != FORMAT)
		return ERR_MALFORMED;
	rd_copy(&r, out_id, KEY_ID_LEN);
	return rd_ok(&r) ? OK : ERR_TRUNCATED;
}

enum err cache_entry_open(const struct key_slot *key, uint8_t *file, size_t len,
			  struct cache_binding *out_b,
			  struct ticket_entry *out_e)
{
	struct rd r = rd_open(bytes(file, len));
	struct bytes magic = rd_take(&r, strlen(MAGIC));
	uint8_t format = rd_u8(&r);
	struct bytes id = rd_take(&r, KEY_ID_LEN);
	struct bytes salt = rd_take(&r, SALT_LEN);
	struct cipher_text text = {.tail = BYTES_NONE};
	struct cipher *cipher = NULL;
	enum err e;

	memset(out_e, 0, sizeof(*out_e));
	text.iv = rd_take(&r, 8).p;
	rd_binding(&r, out_b);
	if (!rd_ok(&r) || rd_left(&r) < 16)
		return ERR_TRUNCATED;
	if (!bytes_eq(magic, bytes_str(MAGIC)) || format != FORMAT ||
	    !bytes_eq(id, BYTES_OF(key->id)))
		return ERR_MALFORMED;
	text.body_len = rd_left(&r) - 16;
	text.head = bytes(file, len - text.body_len - 16);
	text.body = file + text.head.len;
	text.icv = text.body + text.body_len;
	e = cipher_of(key, salt, &cipher);
	if (!e)
		e = cipher_open(cipher, &text);
	cipher_free(&cipher);
	if (!e)
		e = entry_read(bytes(text.body, text.body_len), out_b, out_e);
	mem_wipe(text.body, text.body_len);
	return e;
}
