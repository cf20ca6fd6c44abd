/* Path testing (RFC 4555 3.10): does another path reach the gateway, while
 * the SA stays where it is? An empty request that goes only there. The window
 * is 1, so it may not stay open: unanswered, it becomes a liveness check on
 * the path in use. */
#include "client/ike/sa_private.h"

enum err ike_sa_probe(struct ike_sa *sa, const struct ike_path *path,
		      int64_t now_ms)
{
	if (!ike_sa_can_move(sa))
		return ERR_UNSUPPORTED;
	if (sa->probing || sa->move.on)
		return ERR_BUSY;
	ike_enter(sa, now_ms);
	sa->probe_path = *path;
	sa->probing = true;
	ike_leave(sa);
	return OK;
}

enum err ike_probe_send(struct ike_sa *sa)
{
	struct ike_wr w;

	ike_chain_start(sa, &w);
	return ike_request_send(sa, sa->cur, REQ_PROBE, &w);
}

void ike_probe_end(struct ike_sa *sa, bool ok)
{
	struct ike_node *n;

	if (!sa->probing)
		return;
	sa->probing = false;
	n = ike_queue(sa, IKE_DO_PROBED, 0);
	if (n) {
		n->a.u.probed.ok = ok;
		n->a.u.probed.path = sa->probe_path;
	}
}

enum err ike_probe_answer(struct ike_sa *sa, const struct ike_rx *rx)
{
	if (rx->gen == sa->cur)
		ike_probe_end(sa, true);
	return OK;
}
