/* What was agreed on, as the host's network and as a person's status. */
#include "client/run/tunnel_private.h"

#include <stdio.h>
#include <string.h>

#include "platform/base/log.h"
#include "platform/os.h"

static void add_dns(struct net_conf *c, const struct profile *p,
		    const struct ike_netconf *n, bool full)
{
	if (!p->dns)
		return;
	for (size_t i = 0; i < n->n_dns && c->n_dns < NET_DNS_MAX; i++)
		c->dns[c->n_dns++] = n->dns[i];
	for (size_t i = 0; i < n->n_domains && c->n_domains < NET_DOMAINS_MAX;
	     i++)
		snprintf(c->domains[c->n_domains++], NET_DOMAIN_LEN, "%s",
			 n->domains[i]);
	c->dns_all = full || c->n_domains == 0;
}

/* True when one of the routes is a default route. */
static bool add_routes(struct net_conf *c, const struct ike_netconf *n)
{
	struct prefix found[NET_ROUTES_MAX];
	bool full = false;
	size_t count;

	for (size_t i = 0; i < n->ts_remote.n; i++) {
		count = ike_ts_to_prefixes(&n->ts_remote.ts[i], found,
					   NET_ROUTES_MAX);
		for (size_t k = 0; k < count && c->n_routes < NET_ROUTES_MAX;
		     k++) {
			if ((found[k].addr.family == ADDR_V4 &&
			     n->inner_v4.family == ADDR_NONE) ||
			    (found[k].addr.family == ADDR_V6 &&
			     n->inner_v6.family == ADDR_NONE))
				continue;
			c->routes[c->n_routes++] = found[k];
			full |= found[k].bits == 0;
		}
	}
	return full;
}

static enum err configure(struct tunnel *t, const struct net_conf *c,
			  struct diag *diag)
{
	struct net_conf without_dns;
	enum err e;

	if (!t->ui.network)
		return net_configure(t->net, c, diag);
	without_dns = *c;
	without_dns.n_dns = without_dns.n_domains = 0;
	without_dns.dns_all = false;
	e = net_configure(t->net, &without_dns, diag);
	if (!e)
		t->ui.network(t->ui.ctx, c);
	return e;
}

static enum err set_network(struct tunnel *t, struct diag *diag)
{
	const struct ike_netconf *n = &t->netconf;
	struct net_conf c;
	bool full;

	memset(&c, 0, sizeof(c));
	c.mtu = t->mtu_set = tunnel_mtu(t);
	c.allow_lan = t->profile->allow_lan;
	c.block_rest = t->profile->block_other_family;
	if (n->inner_v4.family == ADDR_V4)
		c.addrs[c.n_addrs++] = (struct prefix){n->inner_v4, 32};
	if (n->inner_v6.family == ADDR_V6)
		c.addrs[c.n_addrs++] = (struct prefix){n->inner_v6, 128};
	full = add_routes(&c, n);
	add_dns(&c, t->profile, n, full);
	return configure(t, &c, diag);
}

void tunnel_apply_network(struct tunnel *t, const struct ike_netconf *n)
{
	struct diag diag = DIAG_INIT;
	enum err e;

	t->netconf = *n;
	dataplane_set_networks(t->dataplane, &n->ts_local, &n->ts_remote);
	e = tunnel_settle_plane(t, &diag);
	if (!e)
		e = set_network(t, &diag);
	if (e)
		session_no_secret(t->session, e, diag_text(&diag, e),
				  os_now().boot_ms);
}

void tunnel_fit_network(struct tunnel *t)
{
	struct diag diag = DIAG_INIT;
	enum err e = set_network(t, &diag);

	if (e)
		log_warn("MTU of the tunnel: %s", diag_text(&diag, e));
}

static void addr_text(const struct addr *a, bool with_port,
		      char out[ADDR_STR_MAX])
{
	if (a->family == ADDR_NONE)
		out[0] = '\0';
	else if (with_port)
		addr_str_port(a, out);
	else
		addr_str(a, out);
}

/* By both planes: it may have changed. */
static void count_traffic(struct tunnel *t, struct tunnel_status *out)
{
	struct dataplane_counters c;
	struct net_stats k = t->kernel.past;

	dataplane_counters(t->dataplane, &c);
	if (t->link.plane == NET_PLANE_KERNEL &&
	    !kernelplane_stats(&t->kernel, &k))
		k = t->kernel.past;
	out->octets_in = c.octets_in + k.octets_in;
	out->octets_out = c.octets_out + k.octets_out;
	out->packets_in = c.packets_in + k.packets_in;
	out->packets_out = c.packets_out + k.packets_out;
}

void tunnel_status(struct tunnel *t, struct tunnel_status *out)
{
	const struct ike_netconf *n = &t->netconf;

	memset(out, 0, sizeof(*out));
	count_traffic(t, out);
	if (t->session)
		out->session = *session_report(t->session);
	if (t->portal)
		snprintf(out->sign_in, sizeof(out->sign_in), "%s",
			 portal_url(t->portal));
	snprintf(out->gateway, sizeof(out->gateway), "%s", t->profile->gateway);
	ike_name_str(&t->profile->id, out->identity, sizeof(out->identity));
	snprintf(out->interface, sizeof(out->interface), "%s", t->link.name);
	addr_text(&t->path.remote, true, out->gateway_addr);
	addr_text(&t->path.local, true, out->local_addr);
	snprintf(out->transport, sizeof(out->transport), "%s",
		 t->lane ? path_kind_text(t->lane->kind) : "");
	addr_text(&n->inner_v4, false, out->inner_v4);
	addr_text(&n->inner_v6, false, out->inner_v6);
	for (size_t i = 0; i < n->n_dns && out->n_dns < 4; i++)
		addr_text(&n->dns[i], false, out->dns[out->n_dns++]);
	dataplane_how(t->dataplane, &out->dataplane);
	out->in_kernel = t->link.plane == NET_PLANE_KERNEL;
	out->connect_ms = out->session.up_ms - out->session.started_ms;
	out->connect_cpu_us = t->connect_cpu_us;
	out->since_wall_ms = t->since_wall_ms;
	out->prompts = t->ui.prompts ? *t->ui.prompts : 0;
	out->has_ticket = t->has_ticket;
	out->ticket_remaining_s =
		(t->ticket_expires_wall_ms - os_now().wall_ms) / 1000;
	out->ticket_size = t->ticket_size;
	out->ticket_renewed = t->ticket_renewed;
	out->renewal_s = -1;
	if (out->session.state == SES_ST_UP &&
	    out->session.renew_at_ms != INT64_MAX)
		out->renewal_s =
			(out->session.renew_at_ms - os_now().boot_ms) / 1000;
}
