#include "client/session/paths.h"

#include "client/ike/ikev2.h"

/* RFC 8305 8: the usual delay between two attempts, and its limits. */
#define DELAY_MS     250
#define DELAY_MIN_MS 100
#define DELAY_MAX_MS 2000
/* By then the first message was sent over UDP at least twice. */
#define UDP_500_AFTER_MS 1000
#define TCP_AFTER_MS	 2000
/* Port 500 and TCP are a matter of the network, not of the address: one of
 * each family tells. */
#define OTHERS_MAX 2

static const char *const kind_texts[] = {
#define X(name, number, word) [name] = word,
	PATH_KIND_LIST(X)
#undef X
};

const char *path_kind_text(enum path_kind k)
{
	return kind_texts[k];
}

uint32_t paths_delay_ms(uint32_t rtt_ms)
{
	if (rtt_ms == 0)
		return DELAY_MS;
	if (rtt_ms > DELAY_MAX_MS / 2)
		return DELAY_MAX_MS;
	return 2 * rtt_ms < DELAY_MIN_MS ? DELAY_MIN_MS : 2 * rtt_ms;
}

static bool has_host(const struct addr *list, size_t n, const struct addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (addr_eq_host(&list[i], a))
			return true;
	return false;
}

/* The next one that is not in done, of the wished family where there is one;
 * NULL: none is left. */
static const struct addr *next_addr(const struct paths_known *k,
				    const struct addr *done, size_t n_done,
				    uint8_t family)
{
	const struct addr *other = NULL;

	for (size_t i = 0; i < k->n_addrs; i++) {
		if (has_host(done, n_done, &k->addrs[i]))
			continue;
		if (k->addrs[i].family == family)
			return &k->addrs[i];
		if (!other)
			other = &k->addrs[i];
	}
	return other;
}

/* RFC 8305 4: families take turns; the address that worked goes first. */
static size_t order(const struct paths_known *k,
		    struct addr out[PATHS_ADDRS_MAX])
{
	const struct addr *a = &k->worked.remote;
	size_t n = 0;
	uint8_t wish;

	if (a->family == ADDR_NONE && k->n_addrs > 0)
		a = &k->addrs[0];
	if (a->family == ADDR_NONE)
		return 0;
	while (a && n < PATHS_ADDRS_MAX) {
		out[n++] = *a;
		wish = a->family == ADDR_V4 ? ADDR_V6 : ADDR_V4;
		a = next_addr(k, out, n, wish);
	}
	return n;
}

struct plan {
	struct path_try *out;
	size_t n;
	uint32_t at_ms, delay_ms;
};

static void plan_add(struct plan *p, const struct addr *a, enum path_kind kind,
		     uint16_t port)
{
	struct path_try t = {.remote = *a, .kind = kind, .after_ms = p->at_ms};

	t.remote.port = port;
	for (size_t i = 0; i < p->n; i++)
		if (p->out[i].kind == kind &&
		    addr_eq(&p->out[i].remote, &t.remote))
			return;
	if (p->n == PATHS_MAX)
		return;
	p->out[p->n++] = t;
	p->at_ms += p->delay_ms;
}

/* What comes next waits until after_ms after the last one. */
static void plan_pause(struct plan *p, uint32_t after_ms)
{
	if (p->n == 0)
		return;
	if (after_ms < 2 * p->delay_ms)
		after_ms = 2 * p->delay_ms;
	p->at_ms = p->out[p->n - 1].after_ms + after_ms;
}

size_t paths_plan(const struct paths_known *k, struct path_try out[PATHS_MAX])
{
	struct plan p = {.out = out, .delay_ms = paths_delay_ms(k->rtt_ms)};
	struct addr addrs[PATHS_ADDRS_MAX];
	size_t n = order(k, addrs), few = n < OTHERS_MAX ? n : OTHERS_MAX;
	const struct path_worked *w = &k->worked;

	if (w->remote.family != ADDR_NONE && k->same_network &&
	    (w->kind == PATH_TCP ? k->transport != TRANSPORT_UDP
				 : k->transport != TRANSPORT_TCP))
		plan_add(&p, &w->remote, w->kind,
			 w->kind == PATH_UDP_500 ? IKE_PORT : w->remote.port);
	for (size_t i = 0; i < n && k->transport != TRANSPORT_TCP; i++)
		plan_add(&p, &addrs[i], PATH_UDP, k->udp_port);
	/* An own port says where the gateway listens. */
	if (k->transport != TRANSPORT_TCP && k->udp_port == IKE_PORT_NATT) {
		plan_pause(&p, UDP_500_AFTER_MS);
		for (size_t i = 0; i < few; i++)
			plan_add(&p, &addrs[i], PATH_UDP_500, IKE_PORT);
	}
	if (k->transport == TRANSPORT_AUTO)
		plan_pause(&p, TCP_AFTER_MS - UDP_500_AFTER_MS);
	for (size_t t = 0; t < k->n_tcp_ports; t++)
		for (size_t i = 0; i < few && k->transport != TRANSPORT_UDP;
		     i++)
			plan_add(&p, &addrs[i], PATH_TCP, k->tcp_ports[t]);
	return p.n;
}
