/* systemd-resolved over the system bus: servers and domains belong to the
 * tunnel's link, and go with it. */
#include "config.h"

#include "platform/linux/dns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- whose namespace --------------------------------------------- */

static struct {
	bool elsewhere;
	bool systems_file;
} around;

void dns_look_around(void)
{
	struct stat ours, systems;

	if (stat("/proc/self/ns/net", &ours) < 0 ||
	    stat("/proc/1/ns/net", &systems) < 0)
		return; /* cannot be known: the usual case is assumed */
	around.elsewhere =
		ours.st_ino != systems.st_ino || ours.st_dev != systems.st_dev;
	around.systems_file = around.elsewhere && stat(DNS_PATH, &ours) == 0 &&
			      stat("/proc/1/root" DNS_PATH, &systems) == 0 &&
			      ours.st_ino == systems.st_ino &&
			      ours.st_dev == systems.st_dev;
}

bool dns_is_elsewhere(void)
{
	return around.elsewhere;
}

bool dns_file_is_the_systems(void)
{
	return around.systems_file;
}

/* --- resolved ---------------------------------------------------- */

#ifdef HAVE_LIBSYSTEMD

#include "platform/linux/bus.h"

#define RESOLVED_DIR	"/run/systemd/resolve"
#define RESOLVED_NAME	"org.freedesktop.resolve1"
#define CALL_TIMEOUT_MS 3000

bool dns_resolved_runs(void)
{
	struct stat st;
	sd_bus *b;
	bool owned;

	if (around.elsewhere || stat(RESOLVED_DIR, &st) < 0)
		return false;
	b = bus_open(CALL_TIMEOUT_MS);
	if (!b)
		return false;
	owned = bus.get_name_creds(b, RESOLVED_NAME, 0, NULL) >= 0;
	bus.flush_close_unref(b);
	return owned;
}

/* Appends what a method takes behind the interface's number. */
typedef int call_fill(sd_bus_message *m, const struct net_conf *conf);

struct call {
	const char *method;
	call_fill *fill;
	const struct net_conf *conf;
};

static enum err call_send(sd_bus *b, int ifindex, const struct call *c,
			  struct diag *diag)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *m = NULL;
	char what[64];
	int r;

	r = bus.message_new_method_call(
		b, &m, RESOLVED_NAME, "/org/freedesktop/resolve1",
		"org.freedesktop.resolve1.Manager", c->method);
	if (r >= 0)
		r = bus.message_append(m, "i", ifindex);
	if (r >= 0 && c->fill)
		r = c->fill(m, c->conf);
	if (r >= 0)
		r = bus.call(b, m, 0, &error, NULL);
	bus.message_unref(m);
	if (r >= 0)
		return OK;
	snprintf(what, sizeof(what), "systemd-resolved: %s", c->method);
	return bus_failed(diag, what, &error, r);
}

/* a(iay) */
static int fill_dns(sd_bus_message *m, const struct net_conf *conf)
{
	int r = bus.message_open_container(m, 'a', "(iay)");

	for (size_t i = 0; i < conf->n_dns && r >= 0; i++) {
		const struct addr *a = &conf->dns[i];

		r = bus.message_open_container(m, 'r', "iay");
		if (r >= 0)
			r = bus.message_append(m, "i",
					       a->family == ADDR_V4 ? AF_INET
								    : AF_INET6);
		if (r >= 0)
			r = bus.message_append_array(m, 'y', a->b, addr_len(a));
		if (r >= 0)
			r = bus.message_close_container(m);
	}
	return r < 0 ? r : bus.message_close_container(m);
}

/* a(sb): true means "for routing only, not for completing short names". */
static int fill_domains(sd_bus_message *m, const struct net_conf *conf)
{
	int r = bus.message_open_container(m, 'a', "(sb)");

	for (size_t i = 0; i < conf->n_domains && r >= 0; i++)
		r = bus.message_append(m, "(sb)", conf->domains[i], 0);
	if (r >= 0 && conf->dns_all)
		r = bus.message_append(m, "(sb)", ".", 1);
	return r < 0 ? r : bus.message_close_container(m);
}

static int fill_default_route(sd_bus_message *m, const struct net_conf *conf)
{
	return bus.message_append(m, "b", (int)conf->dns_all);
}

/* No questions to everybody on a link where one gateway listens. */
static int fill_no(sd_bus_message *m, const struct net_conf *conf)
{
	return bus.message_append(m, "s", "no");
}

enum err dns_resolved_set(int ifindex, const struct net_conf *conf,
			  struct diag *diag)
{
	const struct call calls[] = {
		{"SetLinkDNS", fill_dns, conf},
		{"SetLinkDomains", fill_domains, conf},
		{"SetLinkDefaultRoute", fill_default_route, conf},
		{"SetLinkLLMNR", fill_no, conf},
		{"SetLinkMulticastDNS", fill_no, conf},
	};
	sd_bus *b = bus_open(CALL_TIMEOUT_MS);
	enum err e = OK;

	if (!b)
		return diag_set(diag, ERR_SYS, "the system bus is gone");
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls) && !e; i++)
		e = call_send(b, ifindex, &calls[i], diag);
	bus.flush_close_unref(b);
	return e;
}

void dns_resolved_revert(int ifindex)
{
	const struct call revert = {"RevertLink", NULL, NULL};
	sd_bus *b = bus_open(CALL_TIMEOUT_MS);
	enum err e;

	if (!b)
		return;
	e = call_send(b, ifindex, &revert, NULL);
	(void)e; /* resolved forgets the link when it is deleted */
	bus.flush_close_unref(b);
}

#else /* without sd-bus */

bool dns_resolved_runs(void)
{
	return false;
}

enum err dns_resolved_set(int ifindex, const struct net_conf *conf,
			  struct diag *diag)
{
	return diag_set(diag, ERR_UNSUPPORTED, "built without sd-bus");
}

void dns_resolved_revert(int ifindex)
{
}

#endif
