#include "tests/unit/session_script.h"

/* --- the IKE SA that stands in ------------------------------------------ */

struct ike_sa *live;
int starts, resumes, deletes, checks, asks, rekeys, moves, races, reconnects;
bool can_move, presented_form;
size_t request_len;
int64_t auth_ends_ms;
static uint8_t tags;
static struct suite a_suite;

enum err ike_sa_new(const struct ike_config *config, const uint8_t seed[32],
		    struct ike_sa **out)
{
	live = *out = calloc(1, sizeof(**out));
	if (live)
		live->tag = ++tags;
	return live ? OK : ERR_NO_MEMORY;
}

void ike_sa_free(struct ike_sa **sa)
{
	if (*sa == live)
		live = NULL;
	free(*sa);
	*sa = NULL;
}

enum err ike_sa_start(struct ike_sa *sa, const struct ike_path *path,
		      int64_t now_ms)
{
	starts++;
	sa->path = *path;
	sa->state = IKE_ST_INIT;
	return OK;
}

enum err ike_sa_resume(struct ike_sa *sa, const struct ike_ticket *ticket,
		       const struct ike_path *path, int64_t now_ms)
{
	assert_int_equal(ticket->opaque.len, 3);
	assert_memory_equal(ticket->opaque.p, "abc", 3);
	resumes++;
	presented_form = ticket->auth_first_only;
	sa->path = *path;
	sa->resumed = true;
	sa->state = IKE_ST_RESUME;
	return OK;
}

size_t ike_ticket_request_len(const struct ike_config *config,
			      const struct ike_ticket *ticket)
{
	return request_len;
}

int64_t ike_sa_reauth_at(const struct ike_sa *sa)
{
	return auth_ends_ms;
}

enum err ike_sa_input(struct ike_sa *sa, uint8_t *dgram, size_t len,
		      const struct ike_path *path, int64_t now_ms)
{
	return OK;
}

int64_t ike_sa_next_deadline(const struct ike_sa *sa)
{
	return INT64_MAX;
}

bool ike_sa_owns(const struct ike_sa *sa, struct bytes dgram)
{
	return dgram.len > 0 && dgram.p[0] == sa->tag;
}

enum err ike_sa_ask_ticket(struct ike_sa *sa, int64_t now_ms)
{
	asks++;
	return OK;
}

enum err ike_sa_rekey_ike(struct ike_sa *sa, int64_t now_ms)
{
	rekeys++;
	return OK;
}

void ike_sa_timeout(struct ike_sa *sa, int64_t now_ms)
{
}

struct ike_action ike_sa_next_action(struct ike_sa *sa)
{
	struct ike_action none = {.kind = IKE_DO_NOTHING};

	return sa->head < sa->len ? sa->script[sa->head++] : none;
}

enum err ike_sa_give_secret(struct ike_sa *sa, const struct secret *secret,
			    int64_t now_ms)
{
	return OK;
}

enum err ike_sa_give_signature(struct ike_sa *sa, uint8_t method,
			       struct bytes auth_data, int64_t now_ms)
{
	return OK;
}

enum err ike_sa_give_verdict(struct ike_sa *sa, enum err verdict,
			     const char *detail, int64_t now_ms)
{
	return OK;
}

enum err ike_sa_give_tls(struct ike_sa *sa, const struct ike_tls_step *step,
			 int64_t now_ms)
{
	return OK;
}

enum err ike_sa_delete(struct ike_sa *sa, int64_t now_ms)
{
	deletes++;
	return OK;
}

enum err ike_sa_check_alive(struct ike_sa *sa, int64_t now_ms)
{
	checks++;
	return OK;
}

bool ike_sa_can_move(const struct ike_sa *sa)
{
	return can_move;
}

enum err ike_sa_move(struct ike_sa *sa, const struct ike_path *new_path,
		     int64_t now_ms)
{
	moves++;
	sa->path = *new_path;
	sa->stats.round_trips++;
	return OK;
}

bool ike_sa_is_racing(const struct ike_sa *sa)
{
	return sa->racing;
}

enum err ike_sa_race(struct ike_sa *sa, const struct ike_path *path,
		     int64_t now_ms)
{
	races++;
	return OK;
}

const struct ike_path *ike_sa_path(const struct ike_sa *sa)
{
	return &sa->path;
}

void ike_sa_set_need_encap(struct ike_sa *sa, bool need)
{
}

bool ike_sa_esp_is_plain(const struct ike_sa *sa)
{
	return false;
}

enum err ike_sa_rekey_child(struct ike_sa *sa, int64_t now_ms)
{
	return OK;
}

enum err ike_sa_reconnect(struct ike_sa *sa, const struct ike_path *path,
			  int64_t now_ms)
{
	reconnects++;
	return OK;
}

enum err ike_sa_probe_len(struct ike_sa *sa, uint16_t len, int64_t now_ms)
{
	return OK;
}

void ike_sa_heard(struct ike_sa *sa, int64_t now_ms)
{
}

void ike_sa_set_keepalive(struct ike_sa *sa, uint32_t interval_ms)
{
}

void ike_sa_spoke(struct ike_sa *sa, int64_t now_ms)
{
}

enum ike_state ike_sa_state(const struct ike_sa *sa)
{
	return sa->state;
}

const struct ike_stats *ike_sa_stats(const struct ike_sa *sa)
{
	return &sa->stats;
}

const struct suite *ike_sa_suite(const struct ike_sa *sa)
{
	return &a_suite;
}

const struct suite *ike_sa_child_suite(const struct ike_sa *sa)
{
	return &a_suite;
}

void play(struct ike_action a)
{
	assert_non_null(live);
	assert_true(live->len < SCRIPT_MAX);
	live->script[live->len++] = a;
}

void play_closed(enum err why, bool auth_sent)
{
	play((struct ike_action){.kind = IKE_DO_CLOSED,
				 .u.closed = {why, "as played", auth_sent}});
}

void play_up(bool resumed)
{
	play((struct ike_action){.kind = IKE_DO_UP, .u.up = {resumed, false}});
}

/* --- the layer above ------------------------------------------------------ */

const struct ike_ticket abc = {.opaque = {(const uint8_t *)"abc", 3},
			       .lifetime_s = 3600};

void pull(struct above *a)
{
	static const struct ike_path path = {
		.local = {4, 1, {192, 0, 2, 2}},
		.remote = {4, 4500, {192, 0, 2, 1}},
		.mtu = 1500};
	struct session_action act;

	while ((act = session_next_action(a->s)).kind != SES_DO_NOTHING) {
		switch (act.kind) {
		case SES_DO_ASK_PATH:
			a->paths++;
			assert_int_equal(
				session_give_path(a->s,
						  a->no_path ? NULL : &path,
						  a->no_path ? ERR_NAME : OK,
						  "no such name", a->now_ms),
				OK);
			break;
		case SES_DO_ASK_TICKET:
			a->takes++;
			assert_int_equal(
				session_give_ticket(
					a->s, a->store_has_ticket ? &abc : NULL,
					a->now_ms),
				OK);
			a->store_has_ticket = false;
			break;
		case SES_DO_TICKET_STORE:
			a->stores++;
			a->stored_life_s = act.u.ticket->lifetime_s;
			a->store_has_ticket = true;
			assert_memory_equal(act.u.ticket->opaque.p, "abc", 3);
			break;
		case SES_DO_TICKET_VOID:
			a->voids++;
			a->store_has_ticket = false;
			break;
		case SES_DO_CLOSED:
			a->closed = act.u.closed.why;
			assert_non_null(act.u.closed.detail);
			break;
		case SES_DO_IKE:
			a->questions += act.u.ike.kind == IKE_DO_ASK_SECRET;
			a->sends += act.u.ike.kind == IKE_DO_SEND;
			break;
		case SES_DO_NOTHING:
		case SES_DO_STATE:
			break;
		}
	}
}

enum session_renewal the_renewal;
bool the_unattended;

void open_session(struct above *a, bool ticket, bool persistent)
{
	static const uint8_t seed[32] = {7};
	struct session_config cfg;

	memset(&cfg, 0, sizeof(cfg));
	cfg.use_tickets = true;
	cfg.persistent = persistent;
	cfg.renewal = the_renewal ? the_renewal : RENEWAL_SETUP;
	cfg.unattended = the_unattended;
	cfg.retry_min_ms = 1000;
	cfg.retry_max_ms = 8000;
	cfg.sleep_renew_ms = 60000;
	starts = resumes = deletes = checks = asks = rekeys = moves = races =
		reconnects = 0;
	can_move = false;
	request_len = 0;
	auth_ends_ms = INT64_MAX;
	memset(a, 0, sizeof(*a));
	a->store_has_ticket = ticket;
	a->now_ms = 1000;
	assert_int_equal(session_new(&cfg, seed, &a->s), OK);
	assert_int_equal(session_start(a->s, a->now_ms), OK);
	pull(a);
}

enum session_state state_of(const struct above *a)
{
	return session_report(a->s)->state;
}
