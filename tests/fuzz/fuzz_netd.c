/* What the client process and vpn-netd say to each other; the first octet
 * chooses who reads it. */
#include "tests/fuzz/fuzz.h"

#include "platform/helper/proto.h"

static struct bytes written(const struct netd_request *req,
			    uint8_t buf[NETD_REQUEST_MAX])
{
	struct wr w = wr_open(buf, NETD_REQUEST_MAX);

	FUZZ_CHECK(netd_write_request(req, &w) == OK);
	return bytes(buf, wr_len(&w));
}

/* What is let in has a meaning, and keeps it. */
static void check_request(const struct netd_request *req)
{
	static uint8_t once[NETD_REQUEST_MAX], twice[NETD_REQUEST_MAX];
	static struct netd_request again;
	struct diag diag = DIAG_INIT;
	struct bytes a = written(req, once), b;

	FUZZ_CHECK(netd_read_request(a, &again, &diag) == OK);
	FUZZ_CHECK(again.verb == req->verb);
	b = written(&again, twice);
	FUZZ_CHECK(a.len == b.len && memcmp(a.p, b.p, a.len) == 0);
	if (req->verb == NETD_CONF) {
		FUZZ_CHECK(req->conf.n_addrs <= NET_ADDRS_MAX);
		FUZZ_CHECK(req->conf.n_routes <= NET_ROUTES_MAX);
		FUZZ_CHECK(req->conf.n_dns <= NET_DNS_MAX);
		FUZZ_CHECK(req->conf.n_domains <= NET_DOMAINS_MAX);
	}
	if (req->verb == NETD_SA_ADD)
		FUZZ_CHECK(req->sa.encr_in.len <= NETD_ENCR_KEY_MAX &&
			   req->sa.encr_out.len <= NETD_ENCR_KEY_MAX &&
			   req->sa.integ_in.len <= NETD_INTEG_KEY_MAX &&
			   req->sa.integ_out.len <= NETD_INTEG_KEY_MAX);
}

static void check_reply(const struct netd_reply *reply)
{
	FUZZ_CHECK(memchr(reply->name, '\0', sizeof(reply->name)) != NULL);
	FUZZ_CHECK(memchr(reply->text, '\0', sizeof(reply->text)) != NULL);
	FUZZ_CHECK((unsigned)reply->plane <= NET_PLANE_KERNEL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct netd_request req;
	struct netd_reply reply;
	struct diag diag = DIAG_INIT;
	struct bytes msg;
	enum err e;

	if (size < 1)
		return 0;
	msg = bytes(data + 1, size - 1);
	if (data[0] & 1) {
		e = netd_read_reply(msg, &reply);
		if (e == OK)
			check_reply(&reply);
		FUZZ_CHECK(fuzz_parse_err(e));
		return 0;
	}
	e = netd_read_request(msg, &req, &diag);
	if (e == OK)
		check_request(&req);
	FUZZ_CHECK(fuzz_parse_err(e));
	FUZZ_CHECK((e == OK) == (diag.text[0] == '\0'));
	return 0;
}
