/* A network where somebody must sign in first: attempts pause until then. */
#include "client/run/tunnel_private.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "platform/base/log.h"
#include "platform/os.h"

static bool on_interface(void *ctx, char out[PORTAL_INTERFACE_MAX])
{
	struct tunnel *t = ctx;
	/* Before the gateway's name resolved: somewhere in the Internet. */
	struct addr there = {.family = ADDR_V4, .b = {192, 0, 2, 1}};
	char name[IF_NAMESIZE];
	struct netmon_path way;

	tunnel_watch_network(t);
	if (t->path.remote.family != ADDR_NONE)
		there = t->path.remote;
	if (!t->netmon || netmon_path(t->netmon, &there, t->mark, &way) != OK ||
	    !if_indextoname((unsigned)way.ifindex, name) ||
	    strcmp(name, t->link.name) == 0)
		return false;
	snprintf(out, PORTAL_INTERFACE_MAX, "%s", name);
	return true;
}

static void on_closed(void *ctx, const char *url)
{
	struct tunnel *t = ctx;
	char line[PORTAL_URL_MAX + 80];

	if (!session_hold(t->session, TUNNEL_SIGN_IN, os_now().boot_ms)) {
		portal_rest(t->portal);
		return;
	}
	snprintf(line, sizeof(line), TUNNEL_SIGN_IN ": open %s in a browser",
		 url);
	t->ui.progress(t->ui.ctx, line);
	tunnel_pump(t);
}

static void on_opened(void *ctx)
{
	struct tunnel *t = ctx;

	log_info("the network is open");
	session_path_new(t->session, false, os_now().boot_ms);
	tunnel_pump(t);
}

enum err tunnel_make_portal(struct tunnel *t)
{
	const struct portal_hooks hooks = {t, on_interface, on_closed,
					   on_opened};

	if (!t->profile->portal_url[0])
		return OK;
	return portal_new(t->loop, t->profile->portal_url,
			  t->profile->portal_text, &hooks, &t->portal);
}

void tunnel_portal_state(struct tunnel *t, enum session_state state)
{
	if (!t->portal)
		return;
	switch (state) {
	case SES_ST_RESUMING:
	case SES_ST_CONNECTING:
	case SES_ST_MOVING:
	case SES_ST_CHECKING:
	case SES_ST_WAITING:
	case SES_ST_NO_PATH:
		portal_await(t->portal);
		break;
	case SES_ST_IDLE:
	case SES_ST_UP:
	case SES_ST_CLOSING:
	case SES_ST_CLOSED:
		portal_rest(t->portal);
		break;
	}
}

bool tunnel_portal_holds(struct tunnel *t, bool same)
{
	if (!t->portal || !portal_url(t->portal)[0])
		return false;
	if (same)
		portal_look(t->portal);
	else
		portal_rest(t->portal); /* it was the network before */
	return same;
}
