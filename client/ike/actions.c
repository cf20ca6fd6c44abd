/* The queue of actions. What was handed out lives until the next verb. */
#include "client/ike/sa_private.h"

#include <stdlib.h>
#include <string.h>

static void queue_append(struct ike_sa *sa, struct ike_node *n)
{
	n->next = NULL;
	if (sa->q_last)
		sa->q_last->next = n;
	else
		sa->q_first = n;
	sa->q_last = n;
	if (!sa->q_next)
		sa->q_next = n;
}

struct ike_node *ike_queue(struct ike_sa *sa, enum ike_action_kind kind,
			   size_t own_len)
{
	struct ike_node *n;

	if (sa->state == IKE_ST_CLOSED)
		return NULL;
	n = calloc(1, sizeof(*n));
	if (n && own_len) {
		n->own = calloc(1, own_len);
		n->own_len = own_len;
		if (!n->own) {
			free(n);
			n = NULL;
		}
	}
	if (!n) {
		sa->no_memory = true;
		return NULL;
	}
	n->a.kind = kind;
	queue_append(sa, n);
	return n;
}

void ike_queue_before_send(struct ike_sa *sa)
{
	struct ike_node *last = sa->q_last, **at = &sa->q_first;

	while (*at != sa->q_next)
		at = &(*at)->next;
	while (*at != last && (*at)->a.kind != IKE_DO_SEND)
		at = &(*at)->next;
	if (*at == last)
		return;
	for (sa->q_last = *at; sa->q_last->next != last;)
		sa->q_last = sa->q_last->next;
	sa->q_last->next = NULL;
	last->next = *at;
	if (*at == sa->q_next)
		sa->q_next = last;
	*at = last;
}

void ike_queue_flight(struct ike_sa *sa, struct ike_flight *f,
		      const struct ike_path *path)
{
	for (size_t i = 0; i < f->n; i++) {
		struct ike_node *n = ike_queue(sa, IKE_DO_SEND, 0);

		if (!n)
			return;
		n->flight = f;
		f->refs++;
		n->a.u.send.dgram = f->d[i];
		n->a.u.send.path = *path;
		sa->stats.sent_packets++;
		sa->stats.sent_octets += f->d[i].len;
	}
	sa->spoke_ms = sa->now_ms;
}

void ike_queue_closed(struct ike_sa *sa, enum err why)
{
	struct ike_node *n = &sa->closed_node;

	n->a.kind = IKE_DO_CLOSED;
	n->a.u.closed.why = why;
	n->a.u.closed.detail = diag_text(&sa->diag, why);
	n->a.u.closed.auth_sent = sa->auth_sent;
	n->a.u.closed.resume_auth_failed = sa->resume_auth_failed;
	n->a.u.closed.init_in_doubt = sa->init_in_doubt;
	if (sa->redirected)
		n->a.u.closed.redirect = &sa->redirect;
	queue_append(sa, n);
}

static void node_free(struct ike_sa *sa, struct ike_node *n)
{
	if (n == &sa->closed_node)
		return;
	ike_flight_put(&n->flight);
	if (n->own) {
		mem_wipe(n->own, n->own_len);
		free(n->own);
	}
	free(n);
}

void ike_queue_retire(struct ike_sa *sa, bool all)
{
	while (sa->q_first && (all || sa->q_first != sa->q_next)) {
		struct ike_node *n = sa->q_first;

		sa->q_first = n->next;
		node_free(sa, n);
	}
	if (!sa->q_first)
		sa->q_last = NULL;
}

struct ike_action ike_sa_next_action(struct ike_sa *sa)
{
	struct ike_node *n = sa->q_next;

	if (!n)
		return (struct ike_action){.kind = IKE_DO_NOTHING};
	sa->q_next = n->next;
	return n->a;
}
