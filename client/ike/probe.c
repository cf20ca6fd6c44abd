/* Path testing (RFC 4555 3.10): does another path reach the gateway, while
 * the SA stays where it is? An empty request that goes only there. Or: does a
 * packet of this length reach it, on the path in use? The window is 1, so
 * neither may stay open: unanswered, it becomes a liveness check on the path
 * in use, an empty one. */
#include "client/ike/sa_private.h"

#define LEN_MIN	   576
#define LEN_MAX	   1500
#define UDP_LEN	   8
#define MARKER_LEN 4
#define NOTIFY_LEN 8 /* before its data */
#define V4_LEN	   20
#define V6_LEN	   40

static enum err probe_begin(struct ike_sa *sa, const struct ike_path *path,
			    uint16_t len, int64_t now_ms)
{
	if (sa->probing || sa->probe_failed || sa->move.on)
		return ERR_BUSY;
	ike_enter(sa, now_ms);
	sa->probe_path = *path;
	sa->probe_len = len;
	sa->probing = true;
	ike_leave(sa);
	return OK;
}

enum err ike_sa_probe(struct ike_sa *sa, const struct ike_path *path,
		      int64_t now_ms)
{
	if (!ike_sa_can_move(sa))
		return ERR_UNSUPPORTED;
	return probe_begin(sa, path, 0, now_ms);
}

enum err ike_sa_probe_len(struct ike_sa *sa, uint16_t len, int64_t now_ms)
{
	if (sa->state != IKE_ST_UP)
		return ERR_STATE;
	if (ike_way(sa)->tcp || len < LEN_MIN || len > LEN_MAX)
		return ERR_UNSUPPORTED;
	return probe_begin(sa, ike_way(sa), len, now_ms);
}

static void put_padding(const struct ike_sa *sa, struct ike_wr *w)
{
	static const uint8_t zeros[LEN_MAX];
	bool v4 = sa->probe_path.remote.family == ADDR_V4;
	size_t around = (v4 ? V4_LEN : V6_LEN) + UDP_LEN + MARKER_LEN;
	size_t room = ike_seal_room(&sa->cur->protect, sa->probe_len - around);

	ike_wr_notify(w, N_PADDING, bytes(zeros, room - NOTIFY_LEN));
}

enum err ike_probe_send(struct ike_sa *sa)
{
	struct ike_wr w;
	enum err e;

	ike_chain_start(sa, &w);
	if (sa->probe_len) {
		sa->probe_path = *ike_way(sa); /* it may have moved since */
		put_padding(sa, &w);
	}
	sa->whole = sa->probe_len != 0;
	e = ike_request_send(sa, sa->cur, REQ_PROBE, &w);
	sa->whole = false;
	return e;
}

/* That a long one went unanswered tells nothing until the short one is not:
 * perhaps it is the path that is down. It has the number of the long one, and
 * is not the copy that RFC 7296 2.1 asks for: that never arrives. A gateway
 * which has the long one after all goes by the number and answers again. (It
 * cannot be the same in fragments: strongSwan takes none of INFORMATIONAL.) */
void ike_probe_lost(struct ike_sa *sa, struct ike_gen *gen)
{
	struct ike_wr w;

	if (!sa->probe_len) {
		ike_probe_end(sa, false);
		return;
	}
	sa->probing = false;
	sa->probe_failed = true;
	ike_chain_start(sa, &w);
	if (ike_request_reseal(sa, gen, &w) != OK)
		log_debug("IKE: the probe stays as it is");
}

void ike_probe_anew(struct ike_sa *sa)
{
	sa->probing = sa->probing || sa->probe_failed;
	sa->probe_failed = false;
}

void ike_probe_end(struct ike_sa *sa, bool ok)
{
	struct ike_node *n;

	if (!sa->probing && !sa->probe_failed)
		return;
	sa->probing = sa->probe_failed = false;
	n = ike_queue(sa, IKE_DO_PROBED, 0);
	if (n) {
		n->a.u.probed.ok = ok;
		n->a.u.probed.path = sa->probe_path;
		n->a.u.probed.len = sa->probe_len;
	}
}

enum err ike_probe_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	if (rx->gen == sa->cur)
		ike_probe_end(sa, true);
	return OK;
}
