#include "client/session/profile.h"

#include <string.h>

/* Retransmissions after 0.5, 1.5, 3.5 and 7.5 s, given up after 15.5 s. */
#define RTO_MS	  500
#define TRIES_MAX 5
/* IKE octets of a datagram that fits the smallest IPv6 MTU: 1280 less IPv6,
 * UDP and non-ESP marker (RFC 7383 2.5.1). */
#define DATAGRAM_MAX 1228
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000
/* A fifth of the hour that gateways usually give. */
#define SLEEP_RENEW_MS (12 * 60 * 1000)

static bool has_family(const struct profile *p, enum addr_family family)
{
	for (size_t i = 0; i < p->n_networks; i++)
		if (p->networks[i].addr.family == family)
			return true;
	return false;
}

static void ts_add_all(enum addr_family family, struct ike_ts_list *list)
{
	struct prefix all = {.addr = {.family = (uint8_t)family}};

	ike_ts_from_prefix(&all, &list->ts[list->n++]);
}

static void ts_fill(const struct profile *p, struct ike_config *c)
{
	c->want_ipv4 = has_family(p, ADDR_V4);
	c->want_ipv6 = has_family(p, ADDR_V6);
	if (c->want_ipv4)
		ts_add_all(ADDR_V4, &c->ts_local);
	if (c->want_ipv6)
		ts_add_all(ADDR_V6, &c->ts_local);
	for (size_t i = 0; i < p->n_networks; i++)
		ike_ts_from_prefix(&p->networks[i],
				   &c->ts_remote.ts[c->ts_remote.n++]);
}

void profile_to_session(const struct profile *p, struct session_config *out)
{
	struct ike_config *c = &out->ike;

	memset(out, 0, sizeof(*out));
	c->id_local = p->id;
	c->id_remote = p->gateway_id;
	c->auth = p->auth;
	c->eap_user = p->user;
	c->ike_proposals = p->ike;
	c->esp_proposals = p->esp;
	ts_fill(p, c);
	c->want_dns = p->dns;
	c->want_ticket = p->tickets;
	c->take_pushed_ticket = p->renewal == RENEWAL_PUSH;
	c->force_encap = true;
	c->fragmentation = true;
	c->mobike = p->mobike;
	c->redirects = true;
	c->pfs_after_resume = p->pfs;
	c->max_datagram = DATAGRAM_MAX;
	c->dpd_ms = p->dpd_ms;
	c->ike_rekey_ms = p->ike_rekey_ms;
	c->child_rekey_ms = p->child_rekey_ms;
	c->rto_ms = RTO_MS;
	c->max_tries = TRIES_MAX;
	c->keepalive_ms = p->keepalive_ms;
	out->use_tickets = p->tickets;
	out->renewal = p->renewal;
	/* A password at hand; else from the moment it was typed. */
	out->unattended = p->auth == IKE_AUTH_CERT ||
			  p->auth == IKE_AUTH_EAP_TLS || p->password_file[0] ||
			  p->password_credential[0];
	out->learn_keepalive = p->keepalive_learn;
	out->retry_min_ms = RETRY_MIN_MS;
	out->retry_max_ms = RETRY_MAX_MS;
	out->sleep_renew_ms = SLEEP_RENEW_MS;
}
