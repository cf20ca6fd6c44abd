/* The user wants no ticket kept, while the tunnel goes on. */
#include "client/session/session_private.h"

void session_forget_ticket(struct session *s, int64_t now_ms)
{
	if (s->report.state == SES_ST_CLOSING ||
	    s->report.state == SES_ST_CLOSED)
		return;
	session_verb_begin(s, now_ms);
	/* On the way up a resume goes on to its end, which spends the ticket;
	 * only it must not go back. Beside a living SA nothing is lost. */
	if (s->live)
		held_superseded(s);
	else
		held_wipe(&s->held);
	s->early_ticket = NULL;
	renewal_forget(s);
	session_push(s, SES_DO_TICKET_VOID);
}
