/* Userspace ESP for many clients: SPIs and inner addresses to SAs. */
#include "tests/gateway/plane.h"

#include <stdlib.h>
#include <string.h>

#define BUCKETS 4096

struct psess;

struct pchild {
	struct pchild *next_spi, *next_of;
	struct psess *s;
	uint32_t spi_in, number;
	struct esp_sa *in, *out;
};

struct psess {
	struct psess *next, *next_v4, *next_v6;
	uint32_t id;
	struct addr v4, v6;
	struct gw_path path;
	struct pchild *children;
	struct pchild *send; /* what we send on */
};

struct plane {
	struct pchild *spis[BUCKETS];
	struct psess *v4[BUCKETS], *v6[BUCKETS];
	struct psess *sessions;
	uint32_t last_number;
	struct plane_counters n;
};

enum err plane_new(struct plane **out)
{
	*out = calloc(1, sizeof(**out));
	return *out == NULL ? ERR_NO_MEMORY : OK;
}

const struct plane_counters *plane_counters(const struct plane *p)
{
	return &p->n;
}

static size_t addr_bucket(const struct addr *a)
{
	size_t len = addr_len(a);
	uint32_t h = 0;

	for (size_t i = 0; i < len; i++)
		h = h * 31 + a->b[i];
	return h % BUCKETS;
}

/* --- sessions ------------------------------------------------------------ */

static void sess_unlink(struct plane *p, struct psess *s)
{
	struct psess **at = &p->sessions;

	while (*at != NULL && *at != s)
		at = &(*at)->next;
	if (*at != NULL)
		*at = s->next;
	at = &p->v4[addr_bucket(&s->v4)];
	while (*at != NULL && *at != s)
		at = &(*at)->next_v4;
	if (*at != NULL)
		*at = s->next_v4;
	at = &p->v6[addr_bucket(&s->v6)];
	while (*at != NULL && *at != s)
		at = &(*at)->next_v6;
	if (*at != NULL)
		*at = s->next_v6;
}

static struct psess *sess_find(struct plane *p, uint32_t id)
{
	struct psess *s;

	for (s = p->sessions; s != NULL && s->id != id; s = s->next)
		;
	return s;
}

static struct psess *sess_make(struct plane *p,
			       const struct gw_child_info *info)
{
	struct psess *s = calloc(1, sizeof(*s));
	size_t b;

	if (s == NULL)
		abort();
	s->id = info->session;
	s->v4 = info->inner_v4;
	s->v6 = info->inner_v6;
	s->path = info->path;
	s->next = p->sessions;
	p->sessions = s;
	b = addr_bucket(&s->v4);
	s->next_v4 = p->v4[b];
	p->v4[b] = s;
	b = addr_bucket(&s->v6);
	s->next_v6 = p->v6[b];
	p->v6[b] = s;
	return s;
}

void plane_path(struct plane *p, uint32_t session, const struct gw_path *path)
{
	struct psess *s = sess_find(p, session);

	if (s != NULL)
		s->path = *path;
}

/* --- children ------------------------------------------------------------ */

static struct pchild *child_find(struct plane *p, uint32_t spi_in)
{
	struct pchild *c;

	for (c = p->spis[spi_in % BUCKETS]; c && c->spi_in != spi_in;
	     c = c->next_spi)
		;
	return c;
}

static void child_free(struct plane *p, struct pchild *c)
{
	struct pchild **at = &p->spis[c->spi_in % BUCKETS];

	while (*at != NULL && *at != c)
		at = &(*at)->next_spi;
	if (*at != NULL)
		*at = c->next_spi;
	for (at = &c->s->children; *at != NULL && *at != c;)
		at = &(*at)->next_of;
	if (*at != NULL)
		*at = c->next_of;
	/* The newest of the rest; children are in that order. */
	if (c->s->send == c)
		c->s->send = c->s->children;
	esp_sa_free(&c->in);
	esp_sa_free(&c->out);
	free(c);
}

void plane_child_add(struct plane *p, const struct gw_child_info *info)
{
	struct psess *s = sess_find(p, info->session);
	struct pchild *c = calloc(1, sizeof(*c));
	struct esp_params in = {.spi = info->spi_in,
				.algs = info->suite.cipher,
				.encr_key = info->encr_in,
				.integ_key = info->integ_in,
				.esn = info->suite.esn};
	struct esp_params out = {.spi = info->spi_out,
				 .algs = info->suite.cipher,
				 .encr_key = info->encr_out,
				 .integ_key = info->integ_out,
				 .esn = info->suite.esn};

	if (c == NULL)
		abort();
	if (s == NULL)
		s = sess_make(p, info);
	c->spi_in = info->spi_in;
	c->number = ++p->last_number;
	c->s = s;
	if (esp_sa_new(&in, &c->in) != OK || esp_sa_new(&out, &c->out) != OK)
		abort();
	c->next_of = s->children;
	s->children = c;
	c->next_spi = p->spis[c->spi_in % BUCKETS];
	p->spis[c->spi_in % BUCKETS] = c;
	if (info->send_now || s->send == NULL)
		s->send = c;
	mem_wipe(&in, sizeof(in));
	mem_wipe(&out, sizeof(out));
}

void plane_child_del(struct plane *p, uint32_t spi_in)
{
	struct pchild *c = child_find(p, spi_in);

	if (c != NULL)
		child_free(p, c);
}

void plane_down(struct plane *p, uint32_t session)
{
	struct psess *s = sess_find(p, session);

	if (s == NULL)
		return;
	while (s->children != NULL)
		child_free(p, s->children);
	sess_unlink(p, s);
	free(s);
}

void plane_free(struct plane **pp)
{
	struct plane *p = *pp;

	*pp = NULL;
	while (p != NULL && p->sessions != NULL)
		plane_down(p, p->sessions->id);
	free(p);
}

/* --- packets ------------------------------------------------------------- */

/* Source (offset 12 or 8) or destination of an IP packet. */
static bool ip_addr(const struct esp_pkt *pkt, bool source, struct addr *out)
{
	struct rd r = rd_open(bytes(pkt->p, pkt->len));
	unsigned version = pkt->len == 0 ? 0 : pkt->p[0] >> 4;
	struct bytes b;

	if (version == 4) {
		(void)rd_take(&r, source ? 12 : 16);
		b = rd_take(&r, 4);
	} else if (version == 6) {
		(void)rd_take(&r, source ? 8 : 24);
		b = rd_take(&r, 16);
	} else {
		return false;
	}
	return rd_ok(&r) && addr_from_bytes(b, 0, out) == OK;
}

static struct psess *route(struct plane *p, const struct addr *a)
{
	struct psess *s;

	if (a->family == ADDR_V4) {
		for (s = p->v4[addr_bucket(a)]; s; s = s->next_v4)
			if (addr_eq_host(&s->v4, a))
				return s;
	} else {
		for (s = p->v6[addr_bucket(a)]; s; s = s->next_v6)
			if (addr_eq_host(&s->v6, a))
				return s;
	}
	/* A peer without an assigned address can only be the one there is. */
	s = p->sessions;
	if (s != NULL && s->next == NULL && s->v4.family == ADDR_NONE &&
	    s->v6.family == ADDR_NONE)
		return s;
	return NULL;
}

static bool source_ok(const struct psess *s, const struct esp_pkt *pkt)
{
	struct addr src;

	if (!ip_addr(pkt, true, &src))
		return false;
	if (s->v4.family == ADDR_NONE && s->v6.family == ADDR_NONE)
		return true;
	return addr_eq_host(&src, src.family == ADDR_V4 ? &s->v4 : &s->v6);
}

struct esp_sa *plane_sa_in(struct plane *p, uint32_t spi)
{
	struct pchild *c = child_find(p, spi);

	if (c == NULL)
		p->n.unknown_spi++;
	return c == NULL ? NULL : c->in;
}

void plane_refused(struct plane *p)
{
	p->n.refused_in++;
}

bool plane_accept(struct plane *p, uint32_t spi, const struct gw_path *path,
		  struct esp_pkt *pkt)
{
	struct pchild *c = child_find(p, spi);
	bool moved;

	/* The peer uses the new one, so it has it: follow. */
	if (c->s->send == NULL || c->number > c->s->send->number)
		c->s->send = c;
	moved = !addr_eq(&c->s->path.remote, &path->remote) ||
		!addr_eq(&c->s->path.local, &path->local);
	if (pkt->len > 0 && !source_ok(c->s, pkt)) {
		p->n.spoofed++;
		pkt->len = 0;
	}
	p->n.packets_in += pkt->len > 0;
	p->n.octets_in += pkt->len;
	return moved;
}

enum err plane_open(struct plane *p, const struct gw_path *path,
		    struct esp_pkt *pkt, uint32_t *out_spi, bool *out_moved)
{
	struct esp_sa *sa;
	uint8_t next;
	enum err e;

	*out_spi = esp_peek_spi(bytes(pkt->p, pkt->len));
	*out_moved = false;
	sa = plane_sa_in(p, *out_spi);
	if (sa == NULL)
		return ERR_NOT_FOUND;
	e = esp_open(sa, pkt, &next);
	if (e != OK) {
		plane_refused(p);
		return e;
	}
	*out_moved = plane_accept(p, *out_spi, path, pkt);
	return OK;
}

struct esp_sa *plane_sa_out(struct plane *p, const struct esp_pkt *pkt,
			    struct gw_path *out_path)
{
	struct psess *s = NULL;
	struct addr dst;

	if (ip_addr(pkt, false, &dst))
		s = route(p, &dst);
	if (s == NULL || s->send == NULL) {
		p->n.no_route++;
		return NULL;
	}
	*out_path = s->path;
	return s->send->out;
}

void plane_sent(struct plane *p, size_t packets, size_t octets)
{
	p->n.packets_out += packets;
	p->n.octets_out += octets;
}

enum err plane_seal(struct plane *p, struct esp_pkt *pkt,
		    struct gw_path *out_path)
{
	struct esp_sa *sa = plane_sa_out(p, pkt, out_path);
	size_t len = pkt->len;
	enum err e;

	if (sa == NULL)
		return ERR_NOT_FOUND;
	e = esp_seal(sa, pkt->p[0] >> 4 == 4 ? ESP_NEXT_IPV4 : ESP_NEXT_IPV6,
		     pkt);
	if (e == OK)
		plane_sent(p, 1, len);
	return e;
}
