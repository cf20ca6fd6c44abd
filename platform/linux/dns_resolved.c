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

#include <dlfcn.h>
#include <systemd/sd-bus.h>

#define RESOLVED_DIR	"/run/systemd/resolve"
#define RESOLVED_NAME	"org.freedesktop.resolve1"
#define CALL_TIMEOUT_US 3000000

/* Loaded only where resolved runs: libsystemd brings six libraries, more
 * than all the rest of this program, and its start is part of every
 * connection's start. */
static struct {
	void *lib;
	int (*open_system)(sd_bus **);
	sd_bus *(*unref)(sd_bus *);
	int (*set_timeout)(sd_bus *, uint64_t);
	int (*get_name_creds)(sd_bus *, const char *, uint64_t,
			      sd_bus_creds **);
	int (*new_call)(sd_bus *, sd_bus_message **, const char *, const char *,
			const char *, const char *);
	int (*append)(sd_bus_message *, const char *, ...);
	int (*append_array)(sd_bus_message *, char, const void *, size_t);
	int (*open_container)(sd_bus_message *, char, const char *);
	int (*close_container)(sd_bus_message *);
	int (*call)(sd_bus *, sd_bus_message *, uint64_t, sd_bus_error *,
		    sd_bus_message **);
	sd_bus_message *(*msg_unref)(sd_bus_message *);
	void (*error_free)(sd_bus_error *);
} bus;

static bool symbol_load(const char *name, void *out_fn)
{
	void *p = dlsym(bus.lib, name);

	memcpy(out_fn, &p, sizeof(p));
	return p != NULL;
}

static bool bus_load(void)
{
	if (bus.lib)
		return bus.msg_unref && bus.error_free;
	bus.lib = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	return bus.lib && symbol_load("sd_bus_open_system", &bus.open_system) &&
	       symbol_load("sd_bus_flush_close_unref", &bus.unref) &&
	       symbol_load("sd_bus_set_method_call_timeout",
			   &bus.set_timeout) &&
	       symbol_load("sd_bus_get_name_creds", &bus.get_name_creds) &&
	       symbol_load("sd_bus_message_new_method_call", &bus.new_call) &&
	       symbol_load("sd_bus_message_append", &bus.append) &&
	       symbol_load("sd_bus_message_append_array", &bus.append_array) &&
	       symbol_load("sd_bus_message_open_container",
			   &bus.open_container) &&
	       symbol_load("sd_bus_message_close_container",
			   &bus.close_container) &&
	       symbol_load("sd_bus_call", &bus.call) &&
	       symbol_load("sd_bus_message_unref", &bus.msg_unref) &&
	       symbol_load("sd_bus_error_free", &bus.error_free);
}

static sd_bus *bus_open(void)
{
	sd_bus *b = NULL;

	if (!bus_load() || bus.open_system(&b) < 0)
		return NULL;
	bus.set_timeout(b, CALL_TIMEOUT_US);
	return b;
}

bool dns_resolved_runs(void)
{
	struct stat st;
	sd_bus *b;
	bool owned;

	if (around.elsewhere || stat(RESOLVED_DIR, &st) < 0)
		return false;
	b = bus_open();
	if (!b)
		return false;
	owned = bus.get_name_creds(b, RESOLVED_NAME, 0, NULL) >= 0;
	bus.unref(b);
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
	int r;

	r = bus.new_call(b, &m, RESOLVED_NAME, "/org/freedesktop/resolve1",
			 "org.freedesktop.resolve1.Manager", c->method);
	if (r >= 0)
		r = bus.append(m, "i", ifindex);
	if (r >= 0 && c->fill)
		r = c->fill(m, c->conf);
	if (r >= 0)
		r = bus.call(b, m, 0, &error, NULL);
	bus.msg_unref(m);
	if (r < 0)
		diag_set(diag, ERR_SYS, "systemd-resolved: %s: %s", c->method,
			 error.message ? error.message : strerror(-r));
	bus.error_free(&error);
	return r < 0 ? ERR_SYS : OK;
}

/* a(iay) */
static int fill_dns(sd_bus_message *m, const struct net_conf *conf)
{
	int r = bus.open_container(m, 'a', "(iay)");

	for (size_t i = 0; i < conf->n_dns && r >= 0; i++) {
		const struct addr *a = &conf->dns[i];

		r = bus.open_container(m, 'r', "iay");
		if (r >= 0)
			r = bus.append(m, "i",
				       a->family == ADDR_V4 ? AF_INET
							    : AF_INET6);
		if (r >= 0)
			r = bus.append_array(m, 'y', a->b, addr_len(a));
		if (r >= 0)
			r = bus.close_container(m);
	}
	return r < 0 ? r : bus.close_container(m);
}

/* a(sb): true means "for routing only, not for completing short names". */
static int fill_domains(sd_bus_message *m, const struct net_conf *conf)
{
	int r = bus.open_container(m, 'a', "(sb)");

	for (size_t i = 0; i < conf->n_domains && r >= 0; i++)
		r = bus.append(m, "(sb)", conf->domains[i], 0);
	if (r >= 0 && conf->dns_all)
		r = bus.append(m, "(sb)", ".", 1);
	return r < 0 ? r : bus.close_container(m);
}

static int fill_default_route(sd_bus_message *m, const struct net_conf *conf)
{
	return bus.append(m, "b", (int)conf->dns_all);
}

/* No questions to everybody on a link where one gateway listens. */
static int fill_no(sd_bus_message *m, const struct net_conf *conf)
{
	return bus.append(m, "s", "no");
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
	sd_bus *b = bus_open();
	enum err e = OK;

	if (!b)
		return diag_set(diag, ERR_SYS, "the system bus is gone");
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls) && !e; i++)
		e = call_send(b, ifindex, &calls[i], diag);
	bus.unref(b);
	return e;
}

void dns_resolved_revert(int ifindex)
{
	const struct call revert = {"RevertLink", NULL, NULL};
	sd_bus *b = bus_open();
	enum err e;

	if (!b)
		return;
	e = call_send(b, ifindex, &revert, NULL);
	(void)e; /* resolved forgets the link when it is deleted */
	bus.unref(b);
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
