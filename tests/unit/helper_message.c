#include "tests/unit/helper_message.h"

struct message message_make(const struct netd_request *req)
{
	struct message m;
	struct wr w = wr_open(m.b, NETD_REQUEST_MAX);

	memset(m.b, 0, sizeof(m.b));
	assert_int_equal(netd_write_request(req, &w), OK);
	m.len = wr_len(&w);
	return m;
}

enum err message_read(const struct message *m, struct netd_request *out)
{
	struct diag diag = DIAG_INIT;
	/* Of its own size: a read behind it shows under the sanitizer. */
	uint8_t *exact = malloc(m->len + 1);
	enum err e;

	assert_non_null(exact);
	memcpy(exact, m->b, m->len);
	e = netd_read_request(bytes(exact, m->len), out, &diag);
	free(exact);
	assert_int_equal(e != OK, diag.text[0] != '\0');
	return e;
}

void assert_refused(const struct message *m)
{
	struct netd_request req;

	assert_int_equal(message_read(m, &req), ERR_MALFORMED);
}
