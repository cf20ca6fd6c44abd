/* What is to be done next, when the window is free, and when. */
#include "client/ike/sa_private.h"

/* --- tasks ------------------------------------------------------------ */

static enum err start_delete(struct ike_sa *sa)
{
	bool was_up = sa->state == IKE_ST_UP;

	sa->tasks = 0;
	ike_set_state(sa, IKE_ST_DELETING, diag_text(&sa->diag, sa->why));
	/* RFC 5723 6.3: the ticket dies with the SA that got it. */
	if (was_up)
		ike_queue(sa, IKE_DO_TICKET_VOID, 0);
	return ike_info_send(sa, sa->cur, REQ_DELETE_IKE);
}

static bool child_rekey_due(const struct ike_child *c)
{
	return c->spi_in && c->want_rekey && !c->replaced && !c->deleting &&
	       !c->want_delete;
}

static struct ike_child *child_wanting_rekey(struct ike_sa *sa)
{
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (child_rekey_due(&sa->children[i]) &&
		    sa->now_ms >= sa->children[i].quiet_until_ms)
			return &sa->children[i];
	return NULL;
}

static bool child_wants_delete(const struct ike_sa *sa)
{
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (sa->children[i].spi_in && sa->children[i].want_delete &&
		    !sa->children[i].deleting)
			return true;
	return false;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* When a rekey that is wanted may begin. */
static int64_t rekey_task_at(const struct ike_sa *sa)
{
	int64_t t = sa->tasks & (TASK_REKEY | TASK_NEW_CHILD) ? 0 : IKE_NEVER;

	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (child_rekey_due(&sa->children[i]))
			t = earlier(t, sa->children[i].quiet_until_ms);
	return t == IKE_NEVER ? t : later(t, sa->not_before_ms);
}

static enum err start_rekey(struct ike_sa *sa, bool *out_started)
{
	struct ike_child *c = child_wanting_rekey(sa);

	*out_started = true;
	if (sa->tasks & TASK_NEW_CHILD) {
		sa->tasks &= ~(uint32_t)TASK_NEW_CHILD;
		return ike_child_rekey_send(sa, NULL);
	}
	if (c) {
		c->want_rekey = false;
		return ike_child_rekey_send(sa, c);
	}
	if (sa->tasks & TASK_REKEY) {
		sa->tasks &= ~(uint32_t)TASK_REKEY;
		return ike_rekey_send(sa);
	}
	*out_started = false;
	return OK;
}

static enum err next_task(struct ike_sa *sa)
{
	bool started = false;
	enum err e;

	if (sa->move.on)
		return ike_move_send(sa);
	if (child_wants_delete(sa))
		return ike_info_send(sa, sa->cur, REQ_DELETE_CHILD);
	if (sa->now_ms >= sa->not_before_ms) {
		e = start_rekey(sa, &started);
		if (started)
			return e;
	}
	if (sa->probing)
		return ike_probe_send(sa);
	if (sa->tasks & TASK_TICKET) {
		sa->tasks &= ~(uint32_t)TASK_TICKET;
		return ike_info_send(sa, sa->cur, REQ_TICKET);
	}
	if (sa->tasks & TASK_ALIVE) {
		sa->tasks &= ~(uint32_t)TASK_ALIVE;
		return ike_info_send(sa, sa->cur, REQ_ALIVE);
	}
	return OK;
}

static void old_gens_run(struct ike_sa *sa)
{
	for (size_t i = 0; i < IKE_GENS_MAX; i++) {
		struct ike_gen *g = sa->gens[i];

		if (!g || g == sa->cur || g->dead || !g->want_delete ||
		    g->req.kind != REQ_NONE)
			continue;
		g->want_delete = false;
		if (ike_info_send(sa, g, REQ_DELETE_IKE) != OK)
			g->dead = true;
	}
}

void ike_tasks_run(struct ike_sa *sa)
{
	enum err e = OK;

	if (sa->state == IKE_ST_CLOSED)
		return;
	old_gens_run(sa);
	if (!sa->cur || !sa->cur->has_keys || sa->cur->req.kind != REQ_NONE)
		return;
	if (sa->tasks & TASK_DELETE)
		e = start_delete(sa);
	else if (sa->state == IKE_ST_UP &&
		 sa->now_ms >= sa->cur->quiet_until_ms)
		e = next_task(sa);
	if (e != OK)
		ike_close(sa, e);
}

/* --- deadlines -------------------------------------------------------- */

static bool window_free(const struct ike_sa *sa)
{
	return sa->cur && sa->cur->req.kind == REQ_NONE;
}

static int64_t keepalive_at(const struct ike_sa *sa)
{
	if (!sa->cfg.keepalive_ms || !sa->behind_nat || sa->path.tcp)
		return IKE_NEVER;
	return sa->spoke_ms + sa->cfg.keepalive_ms;
}

/* An unused tunnel behind a NAT wakes the machine for its keepalives alone:
 * what may wait as long comes with one. */
static int64_t with_keepalive(const struct ike_sa *sa, int64_t at_ms)
{
	int64_t next = keepalive_at(sa);

	if (at_ms == IKE_NEVER || next == IKE_NEVER || next <= at_ms ||
	    next - at_ms >= sa->cfg.keepalive_ms)
		return at_ms;
	return next;
}

static int64_t alive_at(const struct ike_sa *sa)
{
	int64_t at_ms = sa->heard_ms + sa->cfg.dpd_ms;

	if (!sa->cfg.dpd_ms || !window_free(sa))
		return IKE_NEVER;
	/* Somebody may wait for an answer to what went through the tunnel. */
	if (sa->data_ms <= sa->heard_ms)
		at_ms = with_keepalive(sa, at_ms);
	return later(at_ms, sa->cur->quiet_until_ms);
}

/* When what waits may begin. */
static int64_t task_at(const struct ike_sa *sa)
{
	if (!window_free(sa))
		return IKE_NEVER;
	if ((sa->tasks & (TASK_TICKET | TASK_ALIVE)) || sa->move.on ||
	    sa->probing || child_wants_delete(sa))
		return sa->cur->quiet_until_ms;
	return later(rekey_task_at(sa), sa->cur->quiet_until_ms);
}

static int64_t up_next(const struct ike_sa *sa)
{
	int64_t t = sa->rekey_at_ms;

	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (sa->children[i].spi_in)
			t = earlier(t, sa->children[i].rekey_at_ms);
	t = earlier(with_keepalive(sa, t), keepalive_at(sa));
	return earlier(earlier(t, alive_at(sa)), task_at(sa));
}

int64_t ike_timers_next(const struct ike_sa *sa)
{
	int64_t t = sa->hint_at_ms;

	if (sa->state == IKE_ST_CLOSED || sa->state == IKE_ST_IDLE)
		return IKE_NEVER;
	for (size_t i = 0; i < IKE_GENS_MAX; i++) {
		const struct ike_gen *g = sa->gens[i];

		if (!g)
			continue;
		if (g->req.kind != REQ_NONE)
			t = earlier(t, g->req.next_ms);
		if (g != sa->cur)
			t = earlier(t, g->expires_ms);
	}
	return sa->state == IKE_ST_UP ? earlier(t, up_next(sa)) : t;
}

static void up_timers(struct ike_sa *sa)
{
	if (sa->now_ms >= sa->rekey_at_ms) {
		sa->rekey_at_ms = IKE_NEVER;
		sa->tasks |= TASK_REKEY;
	}
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++) {
		struct ike_child *c = &sa->children[i];

		if (c->spi_in && sa->now_ms >= c->rekey_at_ms) {
			c->rekey_at_ms = IKE_NEVER;
			c->want_rekey = true;
		}
	}
	if (sa->now_ms >= alive_at(sa))
		sa->tasks |= TASK_ALIVE;
	if (sa->now_ms >= keepalive_at(sa)) {
		ike_queue(sa, IKE_DO_KEEPALIVE, 0);
		sa->spoke_ms = sa->now_ms;
	}
}

void ike_timers_run(struct ike_sa *sa)
{
	if (sa->state == IKE_ST_CLOSED || sa->state == IKE_ST_IDLE)
		return;
	if (sa->now_ms >= sa->hint_at_ms) {
		sa->diag = sa->hint_text;
		ike_close(sa, sa->hint);
		return;
	}
	for (size_t i = 0; i < IKE_GENS_MAX; i++) {
		struct ike_gen *g = sa->gens[i];

		if (!g || sa->state == IKE_ST_CLOSED)
			continue;
		ike_request_timeout(sa, g);
		if (g != sa->cur && sa->now_ms >= g->expires_ms)
			g->dead = true;
	}
	if (sa->state == IKE_ST_UP)
		up_timers(sa);
}
