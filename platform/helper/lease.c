#include "platform/helper/lease.h"

#include "platform/base/log.h"
#include "platform/linux/dns.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define RP_FILTER      "ipv4/conf/all/rp_filter"
#define RP_FILTER_NOTE "rp_filter"

/* --- what the leases of a namespace share ------------------------ */

/* Brings rp_filter to what all wishes together ask for. A strict filter
 * drops the gateway's packets under a full tunnel: it asks for the way back
 * without our mark, and that way is the tunnel. Loose still drops what has
 * no way back at all. */
static void shared_rp_filter(struct slot *s, bool loose)
{
	int before = slot_note_read(s, RP_FILTER_NOTE);
	enum err e = OK;

	if (loose && before < 0 && rp_filter_is_strict()) {
		e = slot_note_write(s, RP_FILTER_NOTE, sysctl_read(RP_FILTER));
		if (!e)
			e = sysctl_write(RP_FILTER, 2);
	} else if (!loose && before >= 0) {
		if (sysctl_read(RP_FILTER) == 2)
			e = sysctl_write(RP_FILTER, before);
		if (!e)
			e = slot_note_write(s, RP_FILTER_NOTE, -1);
	}
	if (e)
		log_warn("net.ipv4.conf.all.rp_filter could not be changed");
}

/* Makes the shared things what the living leases wish. */
static enum err shared_apply(struct slot *s, const struct slot_wish *wish,
			     struct diag *diag)
{
	struct bytes lines = bytes(wish->dns, wish->dns_len);

	shared_rp_filter(s, wish->loose_rp_filter);
	if (lines.len > 0 && dns_file_is_the_systems())
		return diag_set(diag, ERR_UNSUPPORTED,
				DNS_PATH " is not this network namespace's: "
					 "make /etc/netns/NAME/resolv.conf");
	if (dns_file_is_the_systems())
		return OK;
	return dns_file_apply(DNS_PATH, lines, diag);
}

/* Notes our wish and applies the sum. */
static enum err shared_update(struct lease *l, struct diag *diag)
{
	static struct slot_wish all; /* large */
	struct lease_set leases;
	enum err e = slot_enter(&l->slot, diag);

	if (e)
		return e;
	e = slot_wish_set(&l->slot, &l->wish, diag);
	slot_scan(&l->slot, &leases, &all);
	if (!e)
		e = shared_apply(&l->slot, &all, diag);
	slot_leave(&l->slot);
	return e;
}

/* --- start ------------------------------------------------------- */

static void sweep(struct lease *l)
{
	static struct slot_wish wish; /* large */
	struct diag why = DIAG_INIT;
	struct lease_set leases;
	unsigned swept;

	slot_scan(&l->slot, &leases, &wish);
	swept = rules_sweep(l->nl, &leases) + link_sweep(l->nl, &leases);
	if (l->xfrm_fd >= 0)
		swept += xfrm_sweep(l->xfrm_fd, &leases);
	if (swept > 0)
		log_warn("took back %u things a crashed helper left", swept);
	if (shared_apply(&l->slot, &wish, &why))
		log_warn("%s", why.text);
}

/* Sweeps, and keeps other helpers out behind that. */
static enum err lease_prepare(struct lease *l, uint32_t uid, struct diag *diag)
{
	struct diag no_esp = DIAG_INIT;
	enum err e;

	memset(l, 0, sizeof(*l));
	l->tun_fd = l->xfrm_fd = -1;
	l->slot.dir_fd = l->slot.guard_fd = l->slot.own_fd = -1;
	e = kernel_open(&l->nl, diag);
	if (!e)
		e = slot_open(&l->slot, uid, diag);
	if (!e)
		e = slot_enter(&l->slot, diag);
	if (e)
		return e;
	if (xfrm_open(&l->xfrm_fd, &no_esp))
		log_debug("%s", no_esp.text);
	sweep(l);
	return OK;
}

enum err lease_start(struct lease *l, uint32_t uid, struct diag *diag)
{
	enum err e = lease_prepare(l, uid, diag);

	if (e)
		return e;
	e = slot_take(&l->slot, diag);
	slot_leave(&l->slot);
	return e;
}

enum err lease_sweep(struct diag *diag)
{
	static struct lease l; /* large */
	enum err e = lease_prepare(&l, 0, diag);

	if (!e)
		slot_leave(&l.slot);
	lease_end(&l);
	return e;
}

/* --- CONF -------------------------------------------------------- */

bool lease_conf_has_addr(const struct net_conf *c, const struct addr *a)
{
	for (size_t i = 0; i < c->n_addrs; i++)
		if (addr_eq_host(&c->addrs[i].addr, a))
			return true;
	return false;
}

bool lease_conf_has_route(const struct net_conf *c, const struct prefix *p)
{
	for (size_t i = 0; i < c->n_routes; i++)
		if (c->routes[i].bits == p->bits &&
		    addr_eq_host(&c->routes[i].addr, &p->addr))
			return true;
	return false;
}

static bool has_family(const struct prefix *p, size_t n, enum addr_family f)
{
	for (size_t i = 0; i < n; i++)
		if (p[i].addr.family == f)
			return true;
	return false;
}

static struct route route_to(const struct lease *l, const struct net_conf *c,
			     const struct prefix *to)
{
	struct route r = {.ifindex = l->ifindex,
			  .table = NETD_TABLE_BASE + l->slot.n,
			  .to = to};

	for (size_t i = c->n_addrs; i-- > 0;)
		if (c->addrs[i].addr.family == to->addr.family)
			r.source = &c->addrs[i].addr;
	return r;
}

/* What is in from and not in keep goes; routes before the addresses they
 * prefer. */
static void conf_remove(struct lease *l, const struct net_conf *from,
			const struct net_conf *keep)
{
	enum err e = OK;

	lease_policies_remove(l, from, keep);
	for (size_t i = 0; i < from->n_routes; i++) {
		struct route r = route_to(l, from, &from->routes[i]);

		if (!lease_conf_has_route(keep, &from->routes[i]))
			e = route_delete(l->nl, &r, NULL);
	}
	for (size_t i = 0; i < from->n_addrs; i++)
		if (!lease_conf_has_addr(keep, &from->addrs[i].addr))
			e = addr_delete(l->nl, l->ifindex, &from->addrs[i].addr,
					NULL);
	(void)e; /* gone already is gone */
}

/* Addresses before the routes that prefer them. What is there already is
 * written over, with the same or with a new preferred source. */
static enum err conf_add(struct lease *l, const struct net_conf *c,
			 struct diag *diag)
{
	enum err e = link_set_mtu(l->nl, l->ifindex, c->mtu, diag);

	for (size_t i = 0; i < c->n_addrs && !e; i++)
		e = addr_add(l->nl, l->ifindex, &c->addrs[i].addr, diag);
	for (size_t i = 0; i < c->n_routes && !e; i++) {
		struct route r = route_to(l, c, &c->routes[i]);

		e = route_set(l->nl, &r, diag);
	}
	return e ? e : lease_policies_set(l, c, diag);
}

static bool has_default(const struct net_conf *c, enum addr_family f)
{
	for (size_t i = 0; i < c->n_routes; i++)
		if (c->routes[i].addr.family == f && c->routes[i].bits == 0)
			return true;
	return false;
}

/* A full tunnel of one family leaves nothing of the other outside. Without
 * IPv6 on this machine there is nothing to hold back. */
static enum err conf_block(struct lease *l, enum addr_family family,
			   const struct net_conf *c, struct diag *diag)
{
	enum addr_family other = family == ADDR_V4 ? ADDR_V6 : ADDR_V4;
	const struct route r = {.ifindex = l->ifindex,
				.table = NETD_TABLE_BASE + l->slot.n};
	bool *have = family == ADDR_V4 ? &l->block_v4 : &l->block_v6;
	bool want = c->block_rest && has_default(c, other) &&
		    !has_default(c, family) &&
		    (family == ADDR_V4 || ipv6_is_on("lo"));
	enum err e = OK;

	if (want)
		e = route_block(l->nl, &r, family, diag);
	else if (!want && *have)
		route_unblock(l->nl, &r, family);
	if (!e)
		*have = want;
	return e;
}

/* The rules of a family stand while it has routes. */
static enum err conf_rules(struct lease *l, enum addr_family family,
			   const struct net_conf *c, struct diag *diag)
{
	bool *have = family == ADDR_V4 ? &l->rules_v4 : &l->rules_v6;
	bool blocked = family == ADDR_V4 ? l->block_v4 : l->block_v6;
	bool want = blocked || has_family(c->routes, c->n_routes, family);
	enum err e = OK;

	if (want) {
		*have = true;
		e = rules_set(l->nl, family, l->slot.n, c->allow_lan, diag);
	} else if (*have) {
		rules_clear(l->nl, family, l->slot.n);
		*have = false;
	}
	return e;
}

static enum err conf_reach(struct lease *l, const struct net_conf *c,
			   struct diag *diag)
{
	enum err e = conf_block(l, ADDR_V4, c, diag);

	if (!e)
		e = conf_block(l, ADDR_V6, c, diag);
	if (!e)
		e = conf_rules(l, ADDR_V4, c, diag);
	if (!e)
		e = conf_rules(l, ADDR_V6, c, diag);
	return e;
}

static size_t without_v6(struct prefix *p, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (p[i].addr.family != ADDR_V6)
			p[kept++] = p[i];
	return kept;
}

/* Where the machine has no IPv6 nothing can go past the tunnel by it, so
 * leaving it out is safe. */
static void conf_drop_v6(struct lease *l, struct net_conf *c, struct diag *warn)
{
	if (!has_family(c->addrs, c->n_addrs, ADDR_V6) &&
	    !has_family(c->routes, c->n_routes, ADDR_V6))
		return;
	if (ipv6_is_on(l->name))
		return;
	c->n_addrs = (uint8_t)without_v6(c->addrs, c->n_addrs);
	c->n_routes = (uint8_t)without_v6(c->routes, c->n_routes);
	diag_set(warn, OK, "IPv6 is off on this machine: left out");
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* Name servers are set after the routes to them. */
static enum err conf_dns(struct lease *l, const struct net_conf *c,
			 struct diag *diag)
{
	l->wish.since_ns = now_ns();
	l->wish.loose_rp_filter = l->rules_v4;
	l->wish.dns_len = 0;
	if (!l->resolved) {
		l->wish.dns_len = (uint16_t)dns_file_lines(c, l->wish.dns,
							   sizeof(l->wish.dns));
		if (l->wish.dns_len > 0 && !c->dns_all && c->n_domains > 0)
			diag_set(diag, OK,
				 "without systemd-resolved all names are asked "
				 "of the tunnel's name servers");
	} else if (c->n_dns > 0 || l->conf.n_dns > 0) {
		enum err e = dns_resolved_set(l->ifindex, c, diag);

		if (e)
			return e;
	}
	return shared_update(l, diag);
}

enum err lease_configure(struct lease *l, const struct net_conf *conf,
			 struct diag *diag)
{
	struct diag warn = DIAG_INIT;
	struct net_conf c = *conf;
	enum err e;

	if (l->ifindex == 0)
		return diag_set(diag, ERR_STATE, "CONF before OPEN");
	conf_drop_v6(l, &c, &warn);
	e = conf_add(l, &c, diag);
	if (!e)
		e = conf_reach(l, &c, diag);
	if (e) {
		conf_remove(l, &c, &l->conf);
		/* A route goes with the source it prefers. */
		if (l->conf.mtu != 0 && (conf_add(l, &l->conf, NULL) ||
					 conf_reach(l, &l->conf, NULL)))
			log_warn("what was set before is not whole");
		return e;
	}
	conf_remove(l, &l->conf, &c);
	/* With its last address an interface loses all its IPv4 routes. */
	e = conf_block(l, ADDR_V4, &c, diag);
	if (e)
		return e;
	/* A tunnel without its names is still worth having: a warning. */
	e = conf_dns(l, &c, &warn);
	if (e)
		diag_set(&warn, e, "name servers could not be set");
	l->conf = c;
	return diag_set(diag, OK, "%s", warn.text);
}

/* --- another interface ------------------------------------------- */

static const struct prefix all_v4 = {.addr = {.family = ADDR_V4}};

enum err lease_conf_hold(struct lease *l, struct diag *diag)
{
	struct route r = route_to(l, &l->conf, &all_v4);
	enum err e = OK;

	l->held = true;
	/* Of the routes that block, only this one goes with the interface. */
	if (l->block_v4)
		e = route_hold(l->nl, &r, diag);
	for (size_t i = 0; i < l->conf.n_routes && !e; i++) {
		r.to = &l->conf.routes[i];
		e = route_hold(l->nl, &r, diag);
	}
	return e;
}

static void conf_release(struct lease *l)
{
	struct route r = route_to(l, &l->conf, &all_v4);

	if (!l->held)
		return;
	route_release(l->nl, &r);
	for (size_t i = 0; i < l->conf.n_routes; i++) {
		r.to = &l->conf.routes[i];
		route_release(l->nl, &r);
	}
	l->held = false;
}

enum err lease_conf_again(struct lease *l, struct diag *diag)
{
	static const struct net_conf nothing;
	struct net_conf c = l->conf;
	enum err e;

	if (c.mtu == 0)
		return OK;
	l->conf = nothing;
	e = lease_configure(l, &c, diag);
	if (e)
		l->conf = c;
	else
		conf_release(l);
	return e;
}

/* --- end --------------------------------------------------------- */

void lease_end(struct lease *l)
{
	const struct route block = {.table = NETD_TABLE_BASE + l->slot.n};
	struct diag why = DIAG_INIT;
	static const struct slot_wish nothing;

	if (l->rules_v4)
		rules_clear(l->nl, ADDR_V4, l->slot.n);
	if (l->rules_v6)
		rules_clear(l->nl, ADDR_V6, l->slot.n);
	l->rules_v4 = l->rules_v6 = false;
	/* The one route that does not go with the interface. */
	if (l->block_v6)
		route_unblock(l->nl, &block, ADDR_V6);
	l->block_v4 = l->block_v6 = false;
	if (l->resolved && l->conf.n_dns > 0)
		dns_resolved_revert(l->ifindex);
	if (l->slot.own_fd >= 0) {
		l->wish = nothing;
		if (shared_update(l, &why))
			log_warn("%s", why.text);
	}
	lease_close_link(l);
	conf_release(l);
	if (l->xfrm_fd >= 0)
		close(l->xfrm_fd);
	l->xfrm_fd = -1;
	slot_close(&l->slot);
	kernel_close(&l->nl);
}
