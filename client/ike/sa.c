/* Life of an IKE SA: the verbs, the state, how it ends. */
#include "client/ike/sa_private.h"

#include <stdlib.h>
#include <string.h>

const char *ike_state_text(enum ike_state s)
{
	switch (s) {
#define X(name, text)                                                          \
	case name:                                                             \
		return text;
		IKE_STATE_LIST(X)
#undef X
	}
	return "unknown";
}

void ike_set_state(struct ike_sa *sa, enum ike_state to, const char *why)
{
	if (sa->state == to)
		return;
	log_info("IKE SA: %s -> %s (%s)", ike_state_text(sa->state),
		 ike_state_text(to), why);
	sa->state = to;
}

int64_t ike_jitter(struct ike_sa *sa, uint32_t ms)
{
	uint32_t r;

	rng_draw(&sa->rng, &r, sizeof(r));
	return (int64_t)ms - r % (ms / 10 + 1);
}

void ike_buf_free(struct ike_buf *b)
{
	if (b->p)
		mem_wipe(b->p, b->len);
	free(b->p);
	*b = (struct ike_buf){NULL, 0};
}

enum err ike_buf_set(struct ike_buf *b, struct bytes from)
{
	uint8_t *p = malloc(from.len ? from.len : 1);

	if (!p)
		return ERR_NO_MEMORY;
	if (from.len)
		memcpy(p, from.p, from.len);
	ike_buf_free(b);
	*b = (struct ike_buf){p, from.len};
	return OK;
}

/* --- ends ------------------------------------------------------------- */

void ike_setup_free(struct ike_sa *sa)
{
	struct ike_setup *s = sa->setup;

	if (!s)
		return;
	ke_free(&s->ke);
	ike_race_clear(s);
	ike_rivals_clear(s);
	ike_buf_free(&s->first_own);
	ike_buf_free(&s->first_peer);
	ike_buf_free(&s->ticket_buf);
	ike_buf_free(&s->held);
	ike_buf_free(&s->eap.tls.in);
	ike_buf_free(&s->eap.tls.out);
	mem_wipe(s, sizeof(*s));
	free(s);
	sa->setup = NULL;
}

void ike_close(struct ike_sa *sa, enum err why)
{
	if (sa->state == IKE_ST_CLOSED)
		return;
	ike_queue_closed(sa, why);
	ike_set_state(sa, IKE_ST_CLOSED, diag_text(&sa->diag, why));
	sa->ask = ASK_NOTHING;
	sa->tasks = 0;
	if (sa->setup) {
		secret_wipe(&sa->setup->psk);
		secret_wipe(&sa->setup->eap.msk);
	}
}

void ike_goodbye(struct ike_sa *sa, enum err why)
{
	struct ike_request *q = &sa->cur->req;

	if (sa->state == IKE_ST_CLOSED || sa->state == IKE_ST_DELETING)
		return;
	sa->why = why;
	sa->tasks = TASK_DELETE;
	/* The DELETE waits for what is open, but not for a dead gateway. */
	if (q->kind != REQ_NONE && q->max_tries > q->tries + 1)
		q->max_tries = q->tries + 1;
}

void ike_established(struct ike_sa *sa)
{
	struct ike_node *n;

	ike_setup_free(sa);
	ike_set_state(sa, IKE_ST_UP, sa->resumed ? "resumed" : "authenticated");
	sa->heard_ms = sa->now_ms;
	if (sa->cfg.ike_rekey_ms)
		sa->rekey_at_ms =
			sa->now_ms + ike_jitter(sa, sa->cfg.ike_rekey_ms);
	if (sa->resumed && sa->cfg.pfs_after_resume)
		sa->tasks |= TASK_REKEY;
	n = ike_queue(sa, IKE_DO_UP, 0);
	if (n) {
		n->a.u.up.resumed = sa->resumed;
		n->a.u.up.behind_nat = sa->behind_nat;
	}
}

/* --- verbs ------------------------------------------------------------ */

void ike_enter(struct ike_sa *sa, int64_t now_ms)
{
	ike_queue_retire(sa, false);
	if (now_ms > sa->now_ms)
		sa->now_ms = now_ms;
}

void ike_leave(struct ike_sa *sa)
{
	ike_tasks_run(sa);
	ike_gens_sweep(sa, false);
	if (sa->no_memory)
		ike_close(sa, ERR_NO_MEMORY);
}

enum err ike_sa_new(const struct ike_config *config, const uint8_t seed[32],
		    struct ike_sa **out)
{
	struct ike_sa *sa = calloc(1, sizeof(*sa));

	*out = NULL;
	if (!sa)
		return ERR_NO_MEMORY;
	sa->scratch = malloc(IKE_SCRATCH_LEN);
	sa->setup = calloc(1, sizeof(*sa->setup));
	if (!sa->scratch || !sa->setup) {
		ike_sa_free(&sa);
		return ERR_NO_MEMORY;
	}
	sa->cfg = *config;
	sa->auth = config->auth;
	sa->id_remote = config->id_remote;
	sa->auth_first_only = config->resume_auth_first_only;
	sa->hint_at_ms = IKE_NEVER;
	sa->rekey_at_ms = IKE_NEVER;
	sa->reauth_at_ms = IKE_NEVER;
	rng_seed(&sa->rng, seed);
	*out = sa;
	return OK;
}

void ike_sa_free(struct ike_sa **sa)
{
	struct ike_sa *s = *sa;

	if (!s)
		return;
	ike_queue_retire(s, true);
	ike_rekey_clear(s);
	ike_setup_free(s);
	ike_gens_sweep(s, true);
	rng_wipe(&s->rng);
	if (s->scratch)
		mem_wipe(s->scratch, IKE_SCRATCH_LEN);
	free(s->scratch);
	mem_wipe(s, sizeof(*s));
	free(s);
	*sa = NULL;
}

static enum err start(struct ike_sa *sa, const struct ike_path *path,
		      int64_t now_ms)
{
	sa->now_ms = now_ms;
	sa->heard_ms = now_ms;
	sa->path = *path;
	rng_draw(&sa->rng, sa->setup->ni, sizeof(sa->setup->ni));
	sa->cur = ike_gen_new(sa, true);
	if (!sa->cur)
		return ERR_NO_MEMORY;
	sa->cur->spi_i = ike_spi_draw(sa);
	return OK;
}

enum err ike_sa_start(struct ike_sa *sa, const struct ike_path *path,
		      int64_t now_ms)
{
	enum err e;

	if (sa->state != IKE_ST_IDLE)
		return ERR_STATE;
	e = start(sa, path, now_ms);
	if (e == OK)
		e = ike_init_send(sa);
	if (e == OK)
		ike_set_state(sa, IKE_ST_INIT, "full connect");
	return e;
}

enum err ike_sa_resume(struct ike_sa *sa, const struct ike_ticket *ticket,
		       const struct ike_path *path, int64_t now_ms)
{
	struct ike_setup *s = sa->setup;
	enum err e;

	if (sa->state != IKE_ST_IDLE)
		return ERR_STATE;
	if (ticket->opaque.len == 0 || ticket->opaque.len > IKE_TICKET_MAX)
		return ERR_MALFORMED;
	e = start(sa, path, now_ms);
	if (e == OK)
		e = ike_buf_set(&s->ticket_buf, ticket->opaque);
	if (e != OK)
		return e;
	s->is_resume = true;
	s->ticket = *ticket;
	s->ticket.opaque = bytes(s->ticket_buf.p, s->ticket_buf.len);
	sa->auth = ticket->auth;
	sa->id_remote = ticket->id_remote;
	sa->cfg.id_local = ticket->id_local;
	sa->cfg.inner_v4 = ticket->inner_v4;
	sa->cfg.inner_v6 = ticket->inner_v6;
	sa->auth_first_only |= ticket->auth_first_only;
	if (ticket->auth_limited)
		sa->reauth_at_ms = now_ms + ((int64_t)ticket->lifetime_s +
					     ticket->auth_extra_s) *
						    1000;
	e = ike_resume_send(sa);
	if (e == OK)
		ike_set_state(sa, IKE_ST_RESUME, "a ticket is there");
	return e;
}

enum err ike_sa_input(struct ike_sa *sa, uint8_t *dgram, size_t len,
		      const struct ike_path *path, int64_t now_ms)
{
	enum err e;

	ike_enter(sa, now_ms);
	e = ike_input(sa, dgram, len, path);
	ike_leave(sa);
	return e;
}

bool ike_sa_owns(const struct ike_sa *sa, struct bytes dgram)
{
	struct rd r = rd_open(dgram);
	uint64_t spi_i = rd_u64(&r);
	uint64_t spi_r = rd_u64(&r);

	return rd_ok(&r) &&
	       (ike_gen_find(sa, spi_i, spi_r) || ike_race_has(sa, spi_i) ||
		ike_rival_fits(sa, spi_i, spi_r));
}

int64_t ike_sa_next_deadline(const struct ike_sa *sa)
{
	return ike_timers_next(sa);
}

void ike_sa_timeout(struct ike_sa *sa, int64_t now_ms)
{
	ike_enter(sa, now_ms);
	ike_timers_run(sa);
	ike_leave(sa);
}

/* --- answers ---------------------------------------------------------- */

enum err ike_sa_give_secret(struct ike_sa *sa, const struct secret *secret,
			    int64_t now_ms)
{
	enum ike_ask ask = sa->ask;
	enum err e;

	if (ask != ASK_PSK && ask != ASK_PASSWORD)
		return ERR_STATE;
	ike_enter(sa, now_ms);
	sa->ask = ASK_NOTHING;
	if (ask == ASK_PSK)
		e = ike_auth_with_psk(sa, secret);
	else
		e = ike_eap_password(sa, secret);
	if (e != OK)
		ike_close(sa, e);
	ike_leave(sa);
	return OK;
}

enum err ike_sa_give_signature(struct ike_sa *sa, uint8_t method,
			       struct bytes auth_data, int64_t now_ms)
{
	enum err e;

	if (sa->ask != ASK_SIGN)
		return ERR_STATE;
	ike_enter(sa, now_ms);
	sa->ask = ASK_NOTHING;
	if (auth_data.len)
		e = ike_auth_send(sa, method, auth_data);
	else
		e = diag_set(&sa->diag, ERR_AUTH,
			     "no signature could be made with our key that "
			     "the gateway understands");
	if (e != OK)
		ike_close(sa, e);
	ike_leave(sa);
	return OK;
}

enum err ike_sa_give_verdict(struct ike_sa *sa, enum err verdict,
			     const char *detail, int64_t now_ms)
{
	enum err e = verdict;

	if (sa->ask != ASK_VERIFY)
		return ERR_STATE;
	ike_enter(sa, now_ms);
	sa->ask = ASK_NOTHING;
	if (e == OK) {
		e = ike_auth_verified(sa);
	} else {
		diag_set(&sa->diag, e, "%s", detail ? detail : err_text(e));
		ike_send_once(sa, sa->cur, N_AUTHENTICATION_FAILED);
	}
	if (e != OK)
		ike_close(sa, e);
	ike_leave(sa);
	return OK;
}

enum err ike_sa_give_tls(struct ike_sa *sa, const struct ike_tls_step *step,
			 int64_t now_ms)
{
	enum err e;

	if (sa->ask != ASK_TLS)
		return ERR_STATE;
	ike_enter(sa, now_ms);
	sa->ask = ASK_NOTHING;
	e = ike_eap_tls_step(sa, step);
	if (e != OK)
		ike_close(sa, e);
	ike_leave(sa);
	return OK;
}

/* --- commands --------------------------------------------------------- */

static enum err command(struct ike_sa *sa, uint32_t task, int64_t now_ms)
{
	if (sa->state != IKE_ST_UP)
		return ERR_STATE;
	ike_enter(sa, now_ms);
	sa->tasks |= task;
	ike_leave(sa);
	return OK;
}

enum err ike_sa_rekey_ike(struct ike_sa *sa, int64_t now_ms)
{
	return command(sa, TASK_REKEY, now_ms);
}

enum err ike_sa_rekey_child(struct ike_sa *sa, int64_t now_ms)
{
	struct ike_child *c = ike_child_live(sa);

	if (sa->state != IKE_ST_UP || !c)
		return ERR_STATE;
	c->want_rekey = true;
	return command(sa, 0, now_ms);
}

enum err ike_sa_ask_ticket(struct ike_sa *sa, int64_t now_ms)
{
	return command(sa, TASK_TICKET, now_ms);
}

enum err ike_sa_reconnect(struct ike_sa *sa, const struct ike_path *path,
			  int64_t now_ms)
{
	bool open = false;

	if (sa->state == IKE_ST_IDLE || sa->state == IKE_ST_CLOSED)
		return ERR_STATE;
	ike_enter(sa, now_ms);
	sa->path = *path;
	for (size_t i = 0; i < IKE_GENS_MAX; i++) {
		struct ike_gen *g = sa->gens[i];

		if (!g || g->req.kind == REQ_NONE)
			continue;
		open |= g == sa->cur;
		ike_request_again(sa, g);
	}
	if (!open && sa->state == IKE_ST_UP)
		sa->tasks |= TASK_ALIVE;
	ike_leave(sa);
	return OK;
}

enum err ike_sa_check_alive(struct ike_sa *sa, int64_t now_ms)
{
	return command(sa, TASK_ALIVE, now_ms);
}

enum err ike_sa_delete(struct ike_sa *sa, int64_t now_ms)
{
	if (sa->state == IKE_ST_CLOSED || sa->state == IKE_ST_DELETING)
		return ERR_STATE;
	ike_enter(sa, now_ms);
	if (sa->state == IKE_ST_UP)
		ike_goodbye(sa, ERR_CANCELLED);
	else
		ike_close(sa, ERR_CANCELLED);
	ike_leave(sa);
	return OK;
}

void ike_sa_heard(struct ike_sa *sa, int64_t now_ms)
{
	if (now_ms > sa->heard_ms)
		sa->heard_ms = now_ms;
}

void ike_sa_spoke(struct ike_sa *sa, int64_t now_ms)
{
	if (now_ms > sa->spoke_ms)
		sa->spoke_ms = now_ms;
	sa->data_ms = sa->spoke_ms;
}

void ike_sa_set_keepalive(struct ike_sa *sa, uint32_t interval_ms)
{
	sa->cfg.keepalive_ms = interval_ms;
}

void ike_sa_set_need_encap(struct ike_sa *sa, bool need)
{
	sa->cfg.need_encap = need;
}

enum ike_state ike_sa_state(const struct ike_sa *sa)
{
	return sa->state;
}

const struct ike_stats *ike_sa_stats(const struct ike_sa *sa)
{
	return &sa->stats;
}

bool ike_sa_esp_is_plain(const struct ike_sa *sa)
{
	return sa->esp_plain && !sa->path.tcp;
}

int64_t ike_sa_reauth_at(const struct ike_sa *sa)
{
	return sa->reauth_at_ms;
}

const struct suite *ike_sa_suite(const struct ike_sa *sa)
{
	return &sa->cur->keys.suite;
}

const struct suite *ike_sa_child_suite(const struct ike_sa *sa)
{
	for (size_t i = 0; i < IKE_CHILDREN_MAX; i++)
		if (sa->children[i].spi_in && !sa->children[i].replaced)
			return &sa->children[i].suite;
	return NULL;
}
