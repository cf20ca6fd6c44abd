#include "client/run/status.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* "" is null. */
static json_t *text_or_null(const char *text)
{
	return text[0] ? json_string(text) : json_null();
}

static void set_int(json_t *o, const char *key, uint64_t v)
{
	json_object_set_new(o, key, json_integer((json_int_t)v));
}

static void set_text(json_t *o, const char *key, const char *text)
{
	json_object_set_new(o, key, text_or_null(text));
}

static json_t *ticket_json(int64_t remaining_s, size_t size, uint32_t renewed)
{
	json_t *o = json_object();

	set_int(o, "remaining_s", remaining_s > 0 ? (uint64_t)remaining_s : 0);
	set_int(o, "size", size);
	set_int(o, "renewed", renewed);
	return o;
}

static json_t *inner_json(const struct tunnel_status *s)
{
	json_t *o = json_object();

	set_text(o, "v4", s->inner_v4);
	set_text(o, "v6", s->inner_v6);
	return o;
}

static json_t *dns_json(const struct tunnel_status *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_dns; i++)
		json_array_append_new(list, json_string(s->dns[i]));
	return list;
}

static json_t *suite_json(const struct suite *suite)
{
	char buf[100];

	return json_string(suite_str(suite, buf, sizeof(buf)));
}

/* Who moves the packets, and with what. */
static json_t *dataplane_json(const struct tunnel_status *s)
{
	const struct dataplane_how *how = &s->dataplane;
	json_t *o = json_object();

	if (s->in_kernel) {
		set_text(o, "engine", "kernel");
		set_text(o, "cipher", "the kernel");
		return o;
	}
	set_text(o, "engine", how->pump ? "threads" : "loop");
	set_text(o, "cipher", how->cipher);
	json_object_set_new(o, "tun_tcp", json_boolean(how->tun_tcp));
	json_object_set_new(o, "tun_udp", json_boolean(how->tun_udp));
	json_object_set_new(o, "udp_gso", json_boolean(how->udp_gso));
	json_object_set_new(o, "udp_gro", json_boolean(how->udp_gro));
	return o;
}

/* How the present connection came about. */
static void connect_json(json_t *o, const struct tunnel_status *s)
{
	const struct session_report *r = &s->session;
	const struct ike_stats *c = &r->connect;

	set_text(o, "how", session_how(r));
	set_int(o, "round_trips", c->round_trips);
	set_int(o, "packets", c->sent_packets + c->received_packets);
	set_int(o, "octets", c->sent_octets + c->received_octets);
	set_int(o, "connect_ms", (uint64_t)s->connect_ms);
	set_int(o, "cpu_us", (uint64_t)s->connect_cpu_us);
	set_int(o, "since", (uint64_t)(s->since_wall_ms / 1000));
	json_object_set_new(o, "behind_nat", json_boolean(r->behind_nat));
	json_object_set_new(o, "keepalive_s",
			    r->behind_nat && r->keepalive_ms &&
					    strcmp(s->transport, "tcp") != 0
				    ? json_integer(r->keepalive_ms / 1000)
				    : json_null());
	json_object_set_new(o, "inner", inner_json(s));
	json_object_set_new(o, "dns", dns_json(s));
	json_object_set_new(o, "ike", suite_json(&r->ike_suite));
	json_object_set_new(o, "esp", suite_json(&r->child_suite));
	json_object_set_new(o, "dataplane", dataplane_json(s));
}

json_t *status_to_json(const char *name, const struct tunnel_status *s)
{
	const struct session_report *r = &s->session;
	json_t *o = json_object();

	set_text(o, "name", name);
	set_text(o, "state",
		 s->sign_in[0] ? "sign in to the network"
			       : session_state_text(r->state));
	set_text(o, "sign_in", s->sign_in);
	set_int(o, "pid", (uint64_t)getpid());
	set_text(o, "gateway", s->gateway);
	set_text(o, "gateway_address", s->gateway_addr);
	set_text(o, "local_address", s->local_addr);
	set_text(o, "transport", s->transport);
	set_text(o, "identity", s->identity);
	set_text(o, "interface", s->interface);
	if (r->state == SES_ST_UP)
		connect_json(o, s);
	set_int(o, "prompts", s->prompts);
	set_int(o, "packets_in", s->packets_in);
	set_int(o, "packets_out", s->packets_out);
	set_int(o, "bytes_in", s->octets_in);
	set_int(o, "bytes_out", s->octets_out);
	set_int(o, "reconnects", r->reconnects);
	json_object_set_new(o, "ticket",
			    s->has_ticket ? ticket_json(s->ticket_remaining_s,
							s->ticket_size,
							s->ticket_renewed)
					  : json_null());
	json_object_set_new(o, "next_renewal_s",
			    s->renewal_s >= 0 ? json_integer(s->renewal_s)
					      : json_null());
	json_object_set_new(o, "renewal_stopped",
			    json_boolean(r->renewal_stopped));
	set_text(o, "last_error", r->last_detail);
	return o;
}

json_t *status_of_none(const char *name, const struct ticket_info *ticket)
{
	json_t *o = json_object();

	set_text(o, "name", name);
	set_text(o, "state", session_state_text(SES_ST_CLOSED));
	json_object_set_new(o, "ticket",
			    ticket ? ticket_json(ticket->remaining_s,
						 ticket->size, ticket->renewed)
				   : json_null());
	return o;
}

/* What grows less as time goes by would make every second a change. */
static json_t *without_time(const json_t *o)
{
	json_t *copy = json_deep_copy(o);
	json_t *ticket = json_object_get(copy, "ticket");

	if (json_is_object(ticket))
		json_object_del(ticket, "remaining_s");
	if (json_is_integer(json_object_get(copy, "next_renewal_s")))
		json_object_set_new(copy, "next_renewal_s", json_true());
	return copy;
}

bool status_same(const json_t *a, const json_t *b)
{
	json_t *x = without_time(a), *y = without_time(b);
	bool same = x && y && json_equal(x, y);

	json_decref(x);
	json_decref(y);
	return same;
}
