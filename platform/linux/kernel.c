#include "platform/linux/kernel.h"

#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdlib.h>

enum err kernel_open(struct nl_sock **out, struct diag *diag)
{
	int failed;

	*out = nl_socket_alloc();
	if (!*out)
		return ERR_NO_MEMORY;
	failed = nl_connect(*out, NETLINK_ROUTE);
	if (failed) {
		kernel_close(out);
		return diag_set(diag, ERR_SYS, "netlink: %s",
				nl_geterror(failed));
	}
	return OK;
}

void kernel_close(struct nl_sock **sk)
{
	if (*sk)
		nl_socket_free(*sk);
	*sk = NULL;
}

static enum err nl_err(int failed)
{
	switch (-failed) {
	case NLE_SUCCESS:
		return OK;
	case NLE_OBJ_NOTFOUND:
	case NLE_NOADDR:
	case NLE_NODEV:
		return ERR_NOT_FOUND;
	case NLE_EXIST:
	case NLE_BUSY:
		return ERR_BUSY;
	case NLE_AF_NOSUPPORT:
	case NLE_OPNOTSUPP:
		return ERR_UNSUPPORTED;
	case NLE_PERM:
	case NLE_NOACCESS:
		return ERR_PERMISSION;
	case NLE_NOMEM:
		return ERR_NO_MEMORY;
	default:
		return ERR_SYS;
	}
}

enum err kernel_call(struct nl_sock *sk, struct nl_msg *msg, const char *what,
		     struct diag *diag)
{
	int failed;

	if (!msg)
		return ERR_NO_MEMORY;
	failed = nl_send_sync(sk, msg); /* frees msg */
	if (failed >= 0)
		return OK;
	return diag_set(diag, nl_err(failed), "%s: %s", what,
			nl_geterror(failed));
}

struct dump {
	kernel_put *put;
	void *ctx;
};

static int dump_valid(struct nl_msg *msg, void *ctx)
{
	struct dump *d = ctx;

	d->put(nlmsg_hdr(msg), d->ctx);
	return NL_OK;
}

enum err kernel_dump(struct nl_sock *sk, int type, kernel_put *put, void *ctx)
{
	struct dump d = {put, ctx};
	struct rtgenmsg any = {.rtgen_family = AF_UNSPEC};
	struct nl_cb *cb = nl_cb_alloc(NL_CB_DEFAULT);
	int failed;

	if (!cb)
		return ERR_NO_MEMORY;
	nl_cb_set(cb, NL_CB_VALID, NL_CB_CUSTOM, dump_valid, &d);
	failed = nl_send_simple(sk, type, NLM_F_DUMP, &any, sizeof(any));
	if (failed >= 0)
		failed = nl_recvmsgs(sk, cb);
	nl_cb_put(cb);
	return failed < 0 ? nl_err(failed) : OK;
}
