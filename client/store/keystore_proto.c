#include "client/store/keystore_proto.h"

#include <string.h>

#define VERSION 1

static void wr_item(struct wr *w, struct bytes b)
{
	wr_u16(w, (uint16_t)b.len);
	wr_bytes(w, b);
}

/* Into out, at most cap octets. */
static size_t rd_item(struct rd *r, void *out, size_t cap)
{
	size_t len = rd_u16(r);

	if (len > cap) {
		r->short_read = true;
		len = 0;
	}
	rd_copy(r, out, len);
	return rd_ok(r) ? len : 0;
}

static void rd_version(struct rd *r)
{
	if (rd_u8(r) != VERSION)
		r->short_read = true;
}

void keystore_request_write(const struct keystore_request *r, struct wr *w)
{
	wr_u8(w, VERSION);
	wr_u8(w, (uint8_t)r->op);
	wr_u8(w, r->quiet);
	wr_bytes(w, BYTES_OF(r->id));
	wr_item(w, secret_view(&r->key));
	wr_item(w, bytes(r->blob, r->blob_len));
}

enum err keystore_request_read(struct bytes b, struct keystore_request *out)
{
	struct rd r = rd_open(b);

	memset(out, 0, sizeof(*out));
	rd_version(&r);
	out->op = (enum keystore_op)rd_u8(&r);
	out->quiet = rd_u8(&r) != 0;
	rd_copy(&r, out->id, sizeof(out->id));
	out->key.len = rd_item(&r, out->key.b, sizeof(out->key.b));
	out->blob_len = rd_item(&r, out->blob, sizeof(out->blob));
	if (out->op < KEYSTORE_PUT || out->op > KEYSTORE_DROP)
		return ERR_MALFORMED;
	return rd_finish(&r);
}

void keystore_reply_write(const struct keystore_reply *r, struct wr *w)
{
	wr_u8(w, VERSION);
	wr_u8(w, (uint8_t)r->status);
	wr_item(w, bytes_str(r->text));
	wr_item(w, secret_view(&r->key));
	wr_item(w, bytes(r->blob, r->blob_len));
}

enum err keystore_reply_read(struct bytes b, struct keystore_reply *out)
{
	struct rd r = rd_open(b);

	memset(out, 0, sizeof(*out));
	rd_version(&r);
	out->status = (enum keystore_status)rd_u8(&r);
	rd_item(&r, out->text, sizeof(out->text) - 1);
	out->key.len = rd_item(&r, out->key.b, sizeof(out->key.b));
	out->blob_len = rd_item(&r, out->blob, sizeof(out->blob));
	for (char *c = out->text; *c; c++)
		if (*c < ' ' && *c > 0)
			*c = ' ';
	if (out->status > KEYSTORE_GONE)
		return ERR_MALFORMED;
	return rd_finish(&r);
}
