/* A session, an IKE SA that plays a script, and the layer above: for tests of
 * the policy. session_script.c stands in for client/ike/sa.c, so that every
 * outcome of an attempt can be played. */
#ifndef TESTS_UNIT_SESSION_SCRIPT_H
#define TESTS_UNIT_SESSION_SCRIPT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "client/session/session.h"

#define SCRIPT_MAX 8

struct ike_sa {
	bool resumed;
	uint8_t tag;
	enum ike_state state;
	struct ike_stats stats;
	struct ike_action script[SCRIPT_MAX];
	size_t head, len;
	bool racing; /* no answer said which path will do */
	struct ike_path path;
};

extern struct ike_sa *live; /* the last one the session made */
/* Calls since open_session. */
extern int starts, resumes, deletes, checks, asks, rekeys, moves, races,
	reconnects;
extern bool can_move;	     /* the gateway speaks MOBIKE */
extern size_t request_len;   /* IP payload that presents the ticket */
extern int64_t auth_ends_ms; /* RFC 4478 */
extern bool presented_form;  /* auth_first_only of the last ticket */

void play(struct ike_action a);
void play_closed(enum err why, bool auth_sent);
void play_up(bool resumed);

extern const struct ike_ticket abc;

struct above {
	struct session *s;
	bool store_has_ticket;
	bool no_path;
	int paths, takes, stores, voids, questions, sends;
	uint32_t stored_life_s;
	int64_t now_ms;
	enum err closed; /* OK: still open */
};

/* Of the next session. */
extern enum session_renewal the_renewal;
extern bool the_unattended;

void open_session(struct above *a, bool ticket, bool persistent);
/* Handles its actions until there are none. */
void pull(struct above *a);
enum session_state state_of(const struct above *a);

#endif
