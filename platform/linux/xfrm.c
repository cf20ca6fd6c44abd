/* What states and policies have in common: asking the kernel, and whose an
 * object is. */
#include "platform/linux/xfrm.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/xfrm.h>
#include <netinet/in.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX 16384

enum err xfrm_open(int *out_fd, struct diag *diag)
{
	struct sockaddr_nl self = {.nl_family = AF_NETLINK};
	enum err e;
	int fd;

	*out_fd = -1;
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_XFRM);
	if (fd < 0)
		return diag_sys(diag, ERR_UNSUPPORTED,
				"this kernel has no ESP");
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0) {
		e = diag_sys(diag, ERR_SYS, "netlink");
		close(fd);
		return e;
	}
	*out_fd = fd;
	return OK;
}

/* --- asking ------------------------------------------------------ */

static enum err errno_err(int number)
{
	switch (number) {
	case 0:
		return OK;
	case ENOENT:
	case ESRCH:
		return ERR_NOT_FOUND;
	case EEXIST:
		return ERR_BUSY;
	case ENOSYS:
	case EOPNOTSUPP:
	case EAFNOSUPPORT:
	case EPROTONOSUPPORT:
		return ERR_UNSUPPORTED;
	case EPERM:
		return ERR_PERMISSION;
	case ENOMEM:
		return ERR_NO_MEMORY;
	default:
		return ERR_SYS;
	}
}

/* True when the answer ends here. */
static bool answer_ends(struct nlmsghdr *head, int *out_errno)
{
	const struct nlmsgerr *said = nlmsg_data(head);

	if (head->nlmsg_type != NLMSG_DONE && head->nlmsg_type != NLMSG_ERROR)
		return false;
	*out_errno = head->nlmsg_type == NLMSG_ERROR ? -said->error : 0;
	return true;
}

/* Returns the kernel's errno or 0. It has answered before send returned, or
 * does so within recv: what is not there was lost. */
static int answer_read(int fd, uint32_t seq, const struct xfrm_reader *reader)
{
	union {
		struct nlmsghdr head;
		uint8_t b[ANSWER_MAX];
	} answer;
	bool ended = false;
	int said = EIO, left;
	ssize_t len;

	while (!ended) {
		len = recv(fd, &answer, sizeof(answer),
			   MSG_DONTWAIT | MSG_TRUNC);
		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0 || len > (ssize_t)sizeof(answer))
			break;
		left = (int)len;
		for (struct nlmsghdr *h = &answer.head;
		     !ended && nlmsg_ok(h, left); h = nlmsg_next(h, &left)) {
			if (h->nlmsg_seq != seq)
				continue;
			ended = answer_ends(h, &said);
			if (!ended && reader)
				reader->put(h, reader->ctx);
		}
	}
	mem_wipe(&answer, sizeof(answer));
	return said;
}

enum err xfrm_call(int fd, struct nl_msg *msg, const struct xfrm_reader *reader,
		   const char *what, struct diag *diag)
{
	static uint32_t seq;
	struct nlmsghdr *head;
	ssize_t sent;

	if (!msg)
		return ERR_NO_MEMORY;
	head = nlmsg_hdr(msg);
	head->nlmsg_seq = ++seq;
	sent = send(fd, head, head->nlmsg_len, 0);
	mem_wipe(head, head->nlmsg_len);
	nlmsg_free(msg);
	if (sent >= 0)
		errno = answer_read(fd, seq, reader);
	if (errno == 0)
		return OK;
	return diag_sys(diag, errno_err(errno), "%s", what);
}

/* --- whose ------------------------------------------------------- */

int xfrm_family(const struct addr *a)
{
	return a->family == ADDR_V4 ? AF_INET : AF_INET6;
}

void xfrm_addr_fill(xfrm_address_t *out, const struct addr *a)
{
	memcpy(out, a->b, sizeof(a->b));
}

uint32_t xfrm_id(unsigned lease)
{
	return NETD_IF_ID_BASE + lease;
}

bool xfrm_head(struct nlmsghdr *head, void *out, size_t len)
{
	if (nlmsg_datalen(head) < (int)len)
		return false;
	memcpy(out, nlmsg_data(head), len);
	return true;
}

bool xfrm_lease_of(struct nlmsghdr *head, size_t head_len, unsigned *out_lease)
{
	struct nlattr *id = nlmsg_find_attr(head, (int)head_len, XFRMA_IF_ID);

	if (!id)
		return false;
	*out_lease = nla_get_u32(id) - NETD_IF_ID_BASE;
	return *out_lease < NETD_LEASES;
}

/* No packet finds a policy whose state is gone already. */
unsigned xfrm_sweep(int fd, const struct lease_set *leases)
{
	return xfrm_policy_sweep(fd, leases) + xfrm_state_sweep(fd, leases);
}
