#include "client/run/tunnel_private.h"

#include <stdlib.h>
#include <string.h>

#include "platform/base/log.h"
#include "platform/os.h"

/* A gateway may promise for ever; nothing is kept longer than this. */
#define LIFETIME_MAX_S (365 * 24 * 3600)

/* The disk is full, say: while we run the ticket is in memory. */
static void keep_in_memory(struct tunnel *t, const struct ticket_entry *e)
{
	struct bytes opaque = e->ticket.opaque;

	t->unsaved = *e;
	t->unsaved.buf = malloc(opaque.len);
	if (!t->unsaved.buf) {
		ticket_entry_wipe(&t->unsaved);
		return;
	}
	memcpy(t->unsaved.buf, opaque.p, opaque.len);
	t->unsaved.ticket.opaque.p = t->unsaved.buf;
}

/* What is in memory is newer than what the disk has. */
static bool take(struct tunnel *t, struct ticket_entry *out)
{
	struct diag diag = DIAG_INIT;
	enum err e;

	memset(out, 0, sizeof(*out));
	if (t->unsaved.buf) {
		*out = t->unsaved;
		memset(&t->unsaved, 0, sizeof(t->unsaved));
		return true;
	}
	if (!t->cache)
		return false;
	e = ticket_cache_take(t->cache, t->profile, os_now(), out, &diag);
	if (e && e != ERR_NOT_FOUND)
		log_warn("no resumption: %s", diag_text(&diag, e));
	return e == OK;
}

void tunnel_answer_ticket(struct tunnel *t)
{
	struct ticket_entry entry;
	bool found = take(t, &entry);
	int64_t left_s;
	enum err e;

	/* The session counts from now, the store from when it came; a wall
	 * clock set back since then makes no ticket younger. */
	left_s = (entry.expires_wall_ms - os_now().wall_ms) / 1000;
	if (found && left_s < entry.ticket.lifetime_s)
		entry.ticket.lifetime_s = left_s > 0 ? (uint32_t)left_s : 0;
	t->has_ticket = false;
	t->ticket_renewed = found ? entry.renewed : 0;
	e = session_give_ticket(t->session, found ? &entry.ticket : NULL,
				os_now().boot_ms);
	if (e)
		log_error("ticket: %s", err_text(e));
	ticket_entry_wipe(&entry);
}

/* The first ticket of a full exchange is new; every other one that comes to
 * an established SA renews the one before; one that comes back unused is the
 * same. */
static uint32_t renewals(struct tunnel *t)
{
	const struct session_report *r = session_report(t->session);
	bool first = t->first_ticket;

	if (r->state != SES_ST_UP)
		return t->ticket_renewed;
	t->first_ticket = false;
	return first && !r->resumed ? 0 : t->ticket_renewed + 1;
}

void tunnel_store_ticket(struct tunnel *t, const struct ike_ticket *ticket)
{
	struct os_time now = os_now();
	struct ticket_entry entry = {.ticket = *ticket,
				     .worked = t->worked,
				     .stored_wall_ms = now.wall_ms,
				     .stored_boot_ms = now.boot_ms};
	int64_t life_s = ticket->lifetime_s;
	struct diag diag = DIAG_INIT;
	enum err e;

	if (!t->cache || life_s == 0)
		return;
	if (life_s > LIFETIME_MAX_S)
		life_s = LIFETIME_MAX_S;
	entry.expires_wall_ms = now.wall_ms + life_s * 1000;
	t->ticket_renewed = renewals(t);
	entry.renewed = t->ticket_renewed;
	e = ticket_cache_put(t->cache, t->profile, &entry, &diag);
	ticket_entry_wipe(&t->unsaved);
	if (e) {
		log_warn("the ticket is kept in memory only: %s",
			 diag_text(&diag, e));
		keep_in_memory(t, &entry);
	}
	t->has_ticket = true;
	tunnel_ticket_stored(t);
	t->ticket_expires_wall_ms = entry.expires_wall_ms;
	t->ticket_size = ticket->opaque.len;
	mem_wipe(&entry, sizeof(entry));
}

void tunnel_sync_ticket(struct tunnel *t)
{
	struct diag diag = DIAG_INIT;
	enum err e;

	if (!t->cache)
		return;
	e = ticket_cache_sync(t->cache, &diag);
	if (e)
		log_warn("ticket cache: %s", diag_text(&diag, e));
}

void tunnel_void_ticket(struct tunnel *t)
{
	struct diag diag = DIAG_INIT;
	enum err e;

	t->has_ticket = false;
	ticket_entry_wipe(&t->unsaved);
	if (!t->cache)
		return;
	e = ticket_cache_forget(t->cache, t->profile->name, &diag);
	if (e)
		log_warn("ticket is not deleted: %s", diag_text(&diag, e));
}
