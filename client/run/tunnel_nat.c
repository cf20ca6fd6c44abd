/* Each network's NAT: what the session learns of it is kept for the next time
 * we are there. */
#include "client/run/tunnel_private.h"

#include <net/if.h>
#include <string.h>

#include "platform/base/log.h"

/* Its router's two addresses; or, where packets have no next hop, as on mobile
 * data, the name of the interface. */
static bool network_here(struct tunnel *t, uint8_t out[NETWORK_ID_LEN])
{
	uint8_t what[sizeof(t->way.via.b) + NETMON_LLADDR_MAX] = {0};
	char name[IF_NAMESIZE];
	size_t len;

	if (!t->netmon || t->way.ifindex == 0)
		return false;
	if (t->way.via.family == ADDR_NONE)
		return if_indextoname((unsigned)t->way.ifindex, name) &&
		       network_id(bytes_str(name), out) == OK;
	memcpy(what, t->way.via.b, sizeof(t->way.via.b));
	len = netmon_neighbour(t->netmon, &t->way, what + sizeof(t->way.via.b));
	return len > 0 &&
	       network_id(bytes(what, sizeof(t->way.via.b) + len), out) == OK;
}

static void nat_recall(struct tunnel *t)
{
	if (!t->state_dir || !session_report(t->session)->behind_nat ||
	    !network_here(t, t->network))
		return;
	t->knows_network = true;
	networks_get(t->state_dir, t->network, &t->nat);
	session_know_nat(t->session, &t->nat);
}

static void nat_keep(struct tunnel *t)
{
	const struct keepalive_known *now = &session_report(t->session)->nat;
	struct diag diag = DIAG_INIT;
	enum err e;

	if (!t->knows_network)
		return;
	t->knows_network = false;
	if (now->lives_ms == t->nat.lives_ms && now->dies_ms == t->nat.dies_ms)
		return;
	e = networks_put(t->state_dir, t->network, now, &diag);
	if (e)
		log_debug("nat: %s", diag_text(&diag, e));
}

void tunnel_nat_state(struct tunnel *t, enum session_state state)
{
	if (state == SES_ST_UP)
		nat_recall(t);
	else
		nat_keep(t);
}
