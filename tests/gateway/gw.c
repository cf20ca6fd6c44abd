#include "tests/gateway/gw_int.h"

#include <stdlib.h>
#include <string.h>

void gw_config_default(struct gw_config *c)
{
	memset(c, 0, sizeof(*c));
	c->eap_identity = true;
	proposals_default(PROTO_IKE, &c->ike);
	proposals_default(PROTO_ESP, &c->esp);
	c->fragmentation = true;
	c->max_datagram = 1240;
	c->tickets = GW_TICKETS_VALUE;
	c->lifetime_s = 3600;
	c->rto_ms = 500;
	c->max_tries = 8;
	c->half_open_ms = 30000;
	c->linger_ms = 30000;
}

enum err gw_new(const struct gw_config *config, const uint8_t seed[32],
		struct gw **out)
{
	struct gw *gw = calloc(1, sizeof(*gw));
	enum err e = ERR_NO_MEMORY;

	*out = NULL;
	if (gw == NULL)
		return ERR_NO_MEMORY;
	gw->cfg = *config;
	gw->next_ms = INT64_MAX;
	rng_seed(&gw->rng, seed);
	rng_draw(&gw->rng, gw->cookie_key, sizeof(gw->cookie_key));
	gw->chain = malloc(GW_BUF_LEN);
	gw->dgram = malloc(GW_BUF_LEN);
	if (gw->chain == NULL || gw->dgram == NULL)
		goto out;
	e = gw_lease_open(gw);
	if (e == OK)
		e = gw_ticket_open_keys(gw);
out:
	if (e != OK)
		gw_free(&gw);
	*out = gw;
	return e;
}

static void act_free(struct gw_act *a)
{
	if (a == NULL)
		return;
	free(a->buf);
	if (a->child != NULL)
		mem_wipe(a->child, sizeof(*a->child));
	free(a->child);
	free(a);
}

void gw_free(struct gw **gwp)
{
	struct gw *gw = *gwp;
	struct gw_act *a;

	*gwp = NULL;
	if (gw == NULL)
		return;
	gw_forget_sas(gw);
	for (size_t i = 0; i < GW_BUCKETS; i++)
		while (gw->mine[i] != NULL)
			gw_ike_free(gw, gw->mine[i]);
	while ((a = gw->head) != NULL) {
		gw->head = a->next;
		act_free(a);
	}
	act_free(gw->pulled);
	gw_tickets_free(gw);
	free(gw->slots);
	if (gw->chain != NULL)
		mem_wipe(gw->chain, GW_BUF_LEN);
	free(gw->chain);
	free(gw->dgram);
	mem_wipe(gw, sizeof(*gw));
	free(gw);
}

/* --- actions ------------------------------------------------------------- */

struct gw_act *gw_act_new(struct gw *gw, enum gw_action_kind kind)
{
	struct gw_act *a = calloc(1, sizeof(*a));

	if (a == NULL)
		abort(); /* a test program: nothing better to do */
	a->a.kind = kind;
	if (gw->tail != NULL && gw->head != NULL)
		gw->tail->next = a;
	else
		gw->head = a;
	gw->tail = a;
	gw->n_queue++;
	return a;
}

struct gw_action gw_next_action(struct gw *gw)
{
	struct gw_action none = {.kind = GW_DO_NOTHING};

	act_free(gw->pulled);
	gw->pulled = gw->head;
	if (gw->head == NULL)
		return none;
	gw->head = gw->head->next;
	gw->n_queue--;
	return gw->pulled->a;
}

/* --- datagrams in -------------------------------------------------------- */

static void no_such_sa(struct gw *gw, const struct ike_hdr *hdr,
		       const struct gw_path *path)
{
	gw->n.dropped++;
	if ((hdr->flags & IKE_FLAG_RESPONSE) || gw->sw.no_invalid_spi)
		return;
	gw->n.invalid_spi_sent++;
	gw_crash_tell(gw, hdr, path);
}

void gw_input(struct gw *gw, uint8_t *dgram, size_t len,
	      const struct gw_path *path, int64_t now_ms)
{
	struct ike_hdr hdr;
	struct gw_ike *ike;
	bool first;

	gw->now_ms = now_ms;
	gw->n.received++;
	if (gw->sw.silent) {
		gw->n.dropped++;
		return;
	}
	if (ike_hdr_parse(bytes(dgram, len), &hdr) != OK || hdr.spi_i == 0) {
		gw->n.malformed++;
		return;
	}
	first = hdr.spi_r == 0 && hdr.msg_id == 0 &&
		!(hdr.flags & IKE_FLAG_RESPONSE) &&
		(hdr.flags & IKE_FLAG_INITIATOR);
	if (first && hdr.exchange == IKE_SA_INIT) {
		gw_init_input(gw, bytes(dgram, len), path);
		return;
	}
	if (first && hdr.exchange == IKE_SESSION_RESUME) {
		gw_resume_input(gw, bytes(dgram, len), path);
		return;
	}
	ike = gw_ike_find(gw, hdr.flags & IKE_FLAG_INITIATOR ? hdr.spi_r
							     : hdr.spi_i);
	/* The flag tells who started the SA: the peer, or we by a rekey. */
	if (ike == NULL ||
	    ike->initiator == !!(hdr.flags & IKE_FLAG_INITIATOR)) {
		no_such_sa(gw, &hdr, path);
		return;
	}
	gw_msg_input(gw, ike, dgram, len, path);
}

/* --- time ---------------------------------------------------------------- */

int64_t gw_wall_s(const struct gw *gw)
{
	return (gw->now_ms + gw->cfg.wall_offset_ms) / 1000;
}

void gw_bound(struct gw *gw, int64_t deadline_ms)
{
	if (deadline_ms < gw->next_ms)
		gw->next_ms = deadline_ms;
}

int64_t gw_next_deadline(const struct gw *gw)
{
	return gw->next_ms;
}

void gw_timeout(struct gw *gw, int64_t now_ms)
{
	struct gw_ike *ike, *next;

	gw->now_ms = now_ms;
	if (now_ms < gw->next_ms)
		return;
	gw->next_ms = INT64_MAX;
	for (size_t i = 0; i < GW_BUCKETS; i++) {
		for (ike = gw->mine[i]; ike != NULL; ike = next) {
			next = ike->next_mine;
			gw_own_timeout(gw, ike);
		}
	}
	/* Only now are SAs freed: the loop above may end whole sessions. */
	for (size_t i = 0; i < GW_BUCKETS; i++) {
		for (ike = gw->mine[i]; ike != NULL; ike = next) {
			next = ike->next_mine;
			if (ike->state == GW_ST_DEAD && ike->end_ms <= now_ms)
				gw_ike_free(gw, ike);
			else
				gw_bound(gw, gw_own_deadline(gw, ike));
		}
	}
}

/* --- switches and figures ------------------------------------------------ */

struct gw_switches *gw_switches(struct gw *gw)
{
	return &gw->sw;
}

bool gw_switch_set(struct gw_switches *s, const char *word, bool on)
{
#define X(field, text, help)                                                   \
	if (strcmp(word, text) == 0) {                                         \
		s->field = on;                                                 \
		return true;                                                   \
	}
	GW_SWITCH_LIST(X)
#undef X
	return false;
}

void gw_set_ticket_kind(struct gw *gw, enum gw_ticket_kind kind)
{
	gw->cfg.tickets = kind;
}

void gw_set_lifetime(struct gw *gw, uint32_t lifetime_s)
{
	gw->cfg.lifetime_s = lifetime_s;
}

const struct gw_counters *gw_counters(const struct gw *gw)
{
	return &gw->n;
}

size_t gw_session_count(const struct gw *gw)
{
	return gw->n_sessions;
}

size_t gw_ike_count(const struct gw *gw)
{
	size_t n = 0;

	for (size_t i = 0; i < GW_BUCKETS; i++)
		for (struct gw_ike *k = gw->mine[i]; k; k = k->next_mine)
			n += k->state != GW_ST_DEAD;
	return n;
}

size_t gw_child_count(const struct gw *gw)
{
	size_t n = 0;

	for (struct gw_sess *s = gw->sessions; s != NULL; s = s->next)
		for (struct gw_child *c = s->children; c != NULL; c = c->next)
			n++;
	return n;
}

size_t gw_queue_len(const struct gw *gw)
{
	return gw->n_queue;
}

void gw_forget_sas(struct gw *gw)
{
	while (gw->sessions != NULL)
		gw_sess_end(gw, gw->sessions);
	for (size_t i = 0; i < GW_BUCKETS; i++)
		while (gw->mine[i] != NULL)
			gw_ike_free(gw, gw->mine[i]);
}

/* --- commands ------------------------------------------------------------ */

static void job_each(struct gw *gw, uint32_t session, enum gw_task task,
		     int64_t now_ms)
{
	gw->now_ms = now_ms;
	for (struct gw_sess *s = gw->sessions; s != NULL; s = s->next) {
		if (s->ike == NULL || (session != 0 && s->id != session))
			continue;
		if (task != GW_TASK_REKEY_CHILD &&
		    task != GW_TASK_DELETE_CHILD) {
			gw_job_add(gw, s->ike, task, 0);
			continue;
		}
		for (struct gw_child *c = s->children; c; c = c->next)
			if (!c->replaced && !c->deleting)
				gw_job_add(gw, s->ike, task, c->spi_in);
	}
}

void gw_rekey_ike(struct gw *gw, uint32_t session, int64_t now_ms)
{
	job_each(gw, session, GW_TASK_REKEY_IKE, now_ms);
}

void gw_rekey_child(struct gw *gw, uint32_t session, int64_t now_ms)
{
	job_each(gw, session, GW_TASK_REKEY_CHILD, now_ms);
}

void gw_delete_ike(struct gw *gw, uint32_t session, int64_t now_ms)
{
	job_each(gw, session, GW_TASK_DELETE_IKE, now_ms);
}

void gw_delete_child(struct gw *gw, uint32_t session, int64_t now_ms)
{
	job_each(gw, session, GW_TASK_DELETE_CHILD, now_ms);
}

void gw_check_alive(struct gw *gw, uint32_t session, int64_t now_ms)
{
	job_each(gw, session, GW_TASK_ALIVE, now_ms);
}

void gw_push_ticket(struct gw *gw, uint32_t session, int64_t now_ms)
{
	job_each(gw, session, GW_TASK_PUSH, now_ms);
}

void gw_esp_seen(struct gw *gw, uint32_t spi_in, const struct gw_path *path,
		 int64_t now_ms)
{
	struct gw_sess *s = gw_sess_by_child(gw, spi_in);

	gw->now_ms = now_ms;
	if (s == NULL || s->ike == NULL)
		return;
	s->ike->heard_ms = now_ms;
	/* Behind a NAT the mapping may change (RFC 7296 2.23); with MOBIKE
	 * only the client moves itself (RFC 4555 3.8). */
	if (s->nat && !s->mobike)
		gw_path_set(gw, s->ike, path);
}
