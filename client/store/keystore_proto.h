/* What vpn-connect and its programs vpn-keystore-* say to each other: one
 * request, one answer, each until the end of the stream. The key is never in
 * an argument or in the environment. */
#ifndef CLIENT_STORE_KEYSTORE_PROTO_H
#define CLIENT_STORE_KEYSTORE_PROTO_H

#include "platform/base/secret.h"

#define KEYSTORE_ID_LEN	  8
#define KEYSTORE_BLOB_MAX 768
#define KEYSTORE_TEXT_MAX 200
#define KEYSTORE_MSG_MAX  2048

enum keystore_op {
	KEYSTORE_PUT = 1, /* id, key: keep it; answers blob */
	KEYSTORE_GET = 2, /* id, blob: answers key */
	KEYSTORE_DROP = 3 /* id, blob */
};
enum keystore_status {
	KEYSTORE_OK = 0,
	KEYSTORE_NOT_NOW = 1, /* text says why; another time it may work */
	KEYSTORE_GONE = 2     /* for good */
};

struct keystore_request {
	enum keystore_op op;
	bool quiet; /* do not wake up a service that does not run */
	uint8_t id[KEYSTORE_ID_LEN];
	struct secret key;
	uint8_t blob[KEYSTORE_BLOB_MAX];
	size_t blob_len;
};
struct keystore_reply {
	enum keystore_status status;
	char text[KEYSTORE_TEXT_MAX]; /* one line for a person; or "" */
	struct secret key;
	uint8_t blob[KEYSTORE_BLOB_MAX];
	size_t blob_len;
};

void keystore_request_write(const struct keystore_request *r, struct wr *w);
enum err ERR_MUST keystore_request_read(struct bytes b,
					struct keystore_request *out);
void keystore_reply_write(const struct keystore_reply *r, struct wr *w);
enum err ERR_MUST keystore_reply_read(struct bytes b,
				      struct keystore_reply *out);

#endif
