/* INFORMATIONAL as responder: liveness, DELETE, tickets, MOBIKE. */
#include "tests/gateway/gw_int.h"

#include <string.h>

void gw_path_set(struct gw *gw, struct gw_ike *ike, const struct gw_path *path)
{
	struct gw_act *a;

	if (addr_eq(&ike->path.remote, &path->remote) &&
	    addr_eq(&ike->path.local, &path->local))
		return;
	ike->path = *path;
	if (ike->sess == NULL)
		return;
	gw->n.moved++;
	ike->sess->path = *path;
	for (size_t i = 0; i < GW_IKES_MAX; i++)
		if (ike->sess->ikes[i] != NULL)
			ike->sess->ikes[i]->path = *path;
	a = gw_act_new(gw, GW_DO_PATH);
	a->a.u.path.session = ike->sess->id;
	a->a.u.path.path = *path;
}

/* The IKE SA goes; with the last one of the session all goes. */
static void delete_ike(struct gw *gw, struct gw_ike *ike)
{
	struct gw_sess *s = ike->sess;
	struct ike_wr m;
	struct gw_ike *theirs;
	bool last = true;

	for (size_t i = 0; i < GW_IKES_MAX; i++)
		if (s->ikes[i] != NULL && s->ikes[i] != ike)
			last = false;
	/* The peer finished its rekey before it saw ours: ours is forgotten
	 * (RFC 7296 2.8.2); the SA it made is what lives on. */
	theirs = ike->pend.collided && ike->open.task == GW_TASK_REKEY_IKE
			 ? gw_ike_find(gw, ike->pend.theirs)
			 : NULL;
	if (theirs != NULL && theirs->sess == s)
		gw_take_over(gw, ike, theirs);
	if (last)
		gw_tickets_void(gw, s);
	gw_chain_start(gw, &m);
	gw_answer(gw, ike, INFORMATIONAL, &m);
	gw_ike_dead(gw, ike, gw->cfg.linger_ms);
}

static void delete_children(struct gw *gw, struct gw_ike *ike,
			    const struct ike_delete *d, struct ike_wr *m)
{
	uint32_t ours[IKE_DELETE_SPIS_MAX];
	struct gw_sess *s = ike->sess;
	size_t n = 0;

	for (size_t i = 0; i < d->n_spis; i++) {
		struct gw_child *c = gw_child_by_out(s, d->spis[i]);

		if (c == NULL)
			continue;
		/* Both sides delete it: each says so once (1.4.1). */
		if (!(ike->open.task == GW_TASK_DELETE_CHILD &&
		      ike->open.spi_in == c->spi_in))
			ours[n++] = c->spi_in;
		gw_child_free(gw, s, c);
	}
	if (n > 0)
		ike_wr_delete_esp(m, ours, n);
}

static void take_move(struct gw *gw, struct gw_ike *ike,
		      const struct ike_msg *msg, const struct gw_path *path,
		      struct ike_wr *m)
{
	if (gw->sw.refuse_move) {
		ike_wr_notify(m, N_UNACCEPTABLE_ADDRESSES, BYTES_NONE);
		return;
	}
	ike->sess->nat = gw_nat_seen(msg, msg->hdr.spi_i, msg->hdr.spi_r, path);
	gw_path_set(gw, ike, path);
}

static void answer_mobike(struct gw *gw, struct gw_ike *ike,
			  const struct ike_msg *msg, const struct gw_path *path,
			  struct ike_wr *m)
{
	struct ike_notify n;

	if (!ike->sess->mobike)
		return;
	if (ike_msg_notify(msg, N_COOKIE2, &n))
		ike_wr_notify(m, N_COOKIE2, n.data);
	if (ike_msg_notify(msg, N_UPDATE_SA_ADDRESSES, &n))
		take_move(gw, ike, msg, path, m);
	if (ike_msg_notify(msg, N_NAT_DETECTION_SOURCE_IP, &n))
		gw_wr_nat(m, msg->hdr.spi_i, msg->hdr.spi_r, path);
}

void gw_info_request(struct gw *gw, struct gw_ike *ike,
		     const struct ike_msg *msg, const struct gw_path *path)
{
	const struct ike_payload *p;
	struct ike_delete del;
	struct ike_notify n;
	struct ike_wr m;

	gw_chain_start(gw, &m);
	for (size_t i = 0; (p = ike_msg_find(msg, PLD_DELETE, i)) != NULL;
	     i++) {
		if (ike_delete_parse(p->body, &del) != OK)
			continue;
		gw->n.deletes_received++;
		if (del.proto == PROTO_IKE) {
			delete_ike(gw, ike);
			return;
		}
		delete_children(gw, ike, &del, &m);
	}
	answer_mobike(gw, ike, msg, path, &m);
	if (!gw->sw.auth_only)
		gw_wr_ticket_answer(gw, ike,
				    ike_msg_notify(msg, N_TICKET_REQUEST, &n),
				    false, &m);
	gw_answer(gw, ike, INFORMATIONAL, &m);
	if (gw->sw.check_path && ike->sess->mobike &&
	    ike_msg_notify(msg, N_UPDATE_SA_ADDRESSES, &n))
		gw_job_add(gw, ike, GW_TASK_CHECK_PATH, 0);
}
