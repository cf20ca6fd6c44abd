/* One Varlink request to its reply: no sockets here. */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "client/run/control_private.h"

static const char description[] =
	"# A running tunnel of vpn-connect\n"
	"interface org.vpnconnect\n\n"
	"type Inner (v4: ?string, v6: ?string)\n"
	"type Ticket (remaining_s: int, size: int, renewed: int)\n\n"
	"# What vpn-connect status --json prints. From how to esp: only while\n"
	"# state is connected. Called with more: again whenever it changes.\n"
	"method Status() -> (name: string, state: string, pid: int,\n"
	"  gateway: string, gateway_address: ?string, local_address: ?string,\n"
	"  transport: ?string,\n"
	"  identity: string, interface: ?string, how: ?string,\n"
	"  round_trips: ?int, packets: ?int, octets: ?int, connect_ms: ?int,\n"
	"  cpu_us: ?int, since: ?int, behind_nat: ?bool, inner: ?Inner,\n"
	"  keepalive_s: ?int,\n"
	"  dns: ?[]string, ike: ?string, esp: ?string, prompts: int,\n"
	"  packets_in: int, packets_out: int, bytes_in: int, bytes_out: int,\n"
	"  reconnects: int, ticket: ?Ticket, next_renewal_s: ?int,\n"
	"  renewal_stopped: bool, sign_in: ?string, last_error: ?string)\n\n"
	"# Logs out at the gateway and forgets the ticket; the connection "
	"ends\n"
	"# when the process has ended.\n"
	"method Down() -> ()\n\n"
	"# Ends silently and keeps the ticket.\n"
	"method Suspend() -> ()\n\n"
	"# The ticket goes, on the disk and in memory; the tunnel stays.\n"
	"method ForgetTicket() -> ()\n";

static json_t *status_answer(const struct control_hooks *hooks)
{
	return hooks->status(hooks->ctx);
}

static json_t *forget_answer(const struct control_hooks *hooks)
{
	hooks->forget(hooks->ctx);
	return json_object();
}

static json_t *empty_answer(const struct control_hooks *hooks)
{
	return json_object();
}

static json_t *info_answer(const struct control_hooks *hooks)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor",
			 PACKAGE_NAME, "product", PACKAGE_NAME, "version",
			 PACKAGE_VERSION, "url", "", "interfaces",
			 "org.varlink.service", CONTROL_INTERFACE);
}

static json_t *description_answer(const struct control_hooks *hooks)
{
	return json_pack("{s:s}", "description", description);
}

enum after { AFTER_NOTHING, AFTER_DOWN, AFTER_SUSPEND, AFTER_WATCH };

static const struct method {
	const char *name;
	json_t *(*answer)(const struct control_hooks *hooks);
	enum after after;
} methods[] = {
	{CONTROL_INTERFACE ".Status", status_answer, AFTER_WATCH},
	{CONTROL_INTERFACE ".Down", empty_answer, AFTER_DOWN},
	{CONTROL_INTERFACE ".Suspend", empty_answer, AFTER_SUSPEND},
	{CONTROL_INTERFACE ".ForgetTicket", forget_answer, AFTER_NOTHING},
	{"org.varlink.service.GetInfo", info_answer, AFTER_NOTHING},
	{"org.varlink.service.GetInterfaceDescription", description_answer,
	 AFTER_NOTHING},
};

static const struct method *method_find(const char *name)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

static json_t *refuse(const char *error, const char *key, const char *value)
{
	return json_pack("{s:s, s:{s:s}}", "error", error, "parameters", key,
			 value);
}

static json_t *reply_of(json_t *answer, bool continues)
{
	if (!answer)
		return NULL;
	return continues ? json_pack("{s:o, s:b}", "parameters", answer,
				     "continues", 1)
			 : json_pack("{s:o}", "parameters", answer);
}

static json_t *request_answer(json_t *request,
			      const struct control_hooks *hooks,
			      struct control_after *out)
{
	const char *name =
		json_string_value(json_object_get(request, "method"));
	const struct method *m = name ? method_find(name) : NULL;
	json_t *answer;

	if (!name)
		return refuse("org.varlink.service.InvalidParameter",
			      "parameter", "method");
	if (!m)
		return refuse("org.varlink.service.MethodNotFound", "method",
			      name);
	answer = m->answer(hooks);
	switch (m->after) {
	case AFTER_NOTHING:
		break;
	case AFTER_DOWN:
		out->then = hooks->down;
		break;
	case AFTER_SUSPEND:
		out->then = hooks->suspend;
		break;
	case AFTER_WATCH:
		out->watch = json_is_true(json_object_get(request, "more"));
		break;
	}
	return reply_of(answer, out->watch);
}

char *control_answer(const char *request, const struct control_hooks *hooks,
		     struct control_after *out)
{
	json_t *in = json_loads(request, JSON_REJECT_DUPLICATES, NULL);
	json_t *reply = NULL;
	char *text = NULL;

	*out = (struct control_after){.then = NULL};
	if (json_is_object(in))
		reply = request_answer(in, hooks, out);
	else
		reply = refuse("org.varlink.service.InvalidParameter",
			       "parameter", "request");
	if (reply && !json_is_true(json_object_get(in, "oneway")))
		text = json_dumps(reply, JSON_COMPACT);
	json_decref(reply);
	json_decref(in);
	return text;
}

char *control_more(json_t *status)
{
	json_t *reply = reply_of(json_incref(status), true);
	char *text = reply ? json_dumps(reply, JSON_COMPACT) : NULL;

	json_decref(reply);
	return text;
}
