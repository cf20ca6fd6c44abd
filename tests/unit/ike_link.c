#include "tests/unit/ike_link.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "tests/unit/ike_keys.h"

static struct ike_name name_of(uint8_t type, const char *text)
{
	struct ike_name n = {.type = type, .len = (uint16_t)strlen(text)};

	memcpy(n.b, text, n.len);
	return n;
}

static struct addr endpoint(const char *text, uint16_t port)
{
	struct addr a;

	assert_int_equal(addr_parse(text, &a), OK);
	a.port = port;
	return a;
}

static void all_networks(struct ike_ts_list *out)
{
	struct prefix p;

	out->n = 2;
	assert_int_equal(prefix_parse("0.0.0.0/0", &p), OK);
	ike_ts_from_prefix(&p, &out->ts[0]);
	assert_int_equal(prefix_parse("::/0", &p), OK);
	ike_ts_from_prefix(&p, &out->ts[1]);
}

static void init_gateway(struct link *l)
{
	struct gw_config *g = &l->gwc;

	gw_config_default(g);
	g->id.type = ID_FQDN;
	g->id.len = 14;
	memcpy(g->id.b, "gw.example.org", 14);
	g->psk = &l->psk;
	assert_int_equal(prefix_parse("10.99.0.0/24", &g->pool4), OK);
	assert_int_equal(prefix_parse("fd00:99::/112", &g->pool6), OK);
	g->n_dns = 1;
	assert_int_equal(addr_parse("10.99.0.1", &g->dns[0]), OK);
	g->n_domains = 1;
	g->domains[0] = "lab.example.org";
	all_networks(&g->ts);
	g->wall_offset_ms = 1893456000000; /* 2030 */
}

void link_init(struct link *l)
{
	struct ike_config *c = &l->cfg;

	memset(l, 0, sizeof(*l));
	l->now_ms = LINK_T0;
	l->delay_ms = 10;
	assert_int_equal(secret_set(&l->psk, bytes_str("a shared word")), OK);
	assert_int_equal(secret_set(&l->password, bytes_str("open sesame")),
			 OK);
	c->id_local = name_of(ID_RFC822_ADDR, "me@example.org");
	c->id_remote = name_of(ID_FQDN, "gw.example.org");
	c->eap_user = name_of(0, "me");
	c->auth = IKE_AUTH_PSK;
	proposals_default(PROTO_IKE, &c->ike_proposals);
	proposals_default(PROTO_ESP, &c->esp_proposals);
	all_networks(&c->ts_local);
	all_networks(&c->ts_remote);
	c->want_ipv4 = c->want_ipv6 = c->want_dns = true;
	c->want_ticket = true;
	c->force_encap = true;
	c->fragmentation = true;
	c->mobike = true;
	c->max_datagram = 1200;
	c->rto_ms = 500;
	c->max_tries = 5;
	init_gateway(l);
	l->path.local = endpoint("192.0.2.10", 40000);
	l->path.remote = endpoint("198.51.100.1", 4500);
}

static struct bytes one_cert(const char *pem, uint8_t **out_buf)
{
	struct diag diag = DIAG_INIT;
	struct bytes cert;
	size_t n;

	assert_int_equal(
		cert_load(bytes_str(pem), &cert, 1, &n, out_buf, &diag), OK);
	assert_int_equal(n, 1);
	return cert;
}

void link_use_certs(struct link *l, enum ike_auth_kind auth)
{
	struct diag diag = DIAG_INIT;

	l->cfg.auth = auth;
	l->gw_cert = one_cert(ike_test_gw_cert, &l->gw_buf);
	l->cl_cert = one_cert(ike_test_cl_cert, &l->cl_buf);
	assert_int_equal(privkey_load(bytes_str(ike_test_gw_key), BYTES_NONE,
				      &l->gw_key, &diag),
			 OK);
	assert_int_equal(privkey_load(bytes_str(ike_test_cl_key), BYTES_NONE,
				      &l->cl_key, &diag),
			 OK);
	assert_int_equal(trust_new(&l->trust), OK);
	assert_int_equal(trust_add(l->trust, bytes_str(ike_test_ca), &diag),
			 OK);
	l->gwc.key = l->gw_key;
	l->gwc.certs = &l->gw_cert;
	l->gwc.n_certs = 1;
	l->gwc.trust = l->trust;
	l->cfg.certs = &l->cl_cert;
	l->cfg.n_certs = 1;
	if (auth == IKE_AUTH_EAP_MSCHAPV2) {
		l->user = (struct gw_user){"me", &l->password};
		l->gwc.users = &l->user;
		l->gwc.n_users = 1;
	}
	l->gwc.eap_tls = auth == IKE_AUTH_EAP_TLS;
	if (l->gwc.eap_tls)
		l->cfg.eap_user = name_of(0, "me@example.org");
	l->gwc.psk = NULL;
}

static void client_new(struct link *l)
{
	uint8_t seed[32];

	memset(seed, ++l->seed, sizeof(seed));
	assert_int_equal(ike_sa_new(&l->cfg, seed, &l->sa), OK);
}

void link_open(struct link *l)
{
	uint8_t seed[32];
	struct diag diag = DIAG_INIT;

	assert_int_equal(crypto_open(&diag), OK);
	memset(seed, 0xa5, sizeof(seed));
	assert_int_equal(gw_new(&l->gwc, seed, &l->gw), OK);
	client_new(l);
}

static void wire_clear(struct link *l)
{
	while (l->wire) {
		struct link_packet *p = l->wire;

		l->wire = p->next;
		free(p);
	}
}

void link_close(struct link *l)
{
	ike_sa_free(&l->sa);
	gw_free(&l->gw);
	wire_clear(l);
	privkey_free(&l->cl_key);
	privkey_free(&l->gw_key);
	trust_free(&l->trust);
	tls_free(&l->tls);
	free(l->cl_buf);
	free(l->gw_buf);
	free(l->ticket_opaque);
	crypto_close();
}

void link_again(struct link *l)
{
	ike_sa_free(&l->sa);
	wire_clear(l);
	memset(l->ours, 0, sizeof(l->ours));
	l->n_acts = 0;
	l->up = l->closed = l->resumed = false;
	l->why = OK;
	l->n_sent = l->n_heard = 0;
	client_new(l);
}

/* --- the wire ------------------------------------------------------------- */

static void wire_put(struct link *l, bool to_gw, struct bytes d,
		     const struct ike_path *path)
{
	struct link_packet *p = malloc(sizeof(*p) + d.len), **at = &l->wire;

	assert_non_null(p);
	p->due_ms = l->now_ms + l->delay_ms;
	p->to_gw = to_gw;
	p->path = *path;
	p->len = d.len;
	memcpy(p->d, d.p, d.len);
	l->passing = *path;
	if (l->filter && !l->filter(l, to_gw, p->d, &p->len)) {
		free(p);
		return;
	}
	while (*at && (*at)->due_ms <= p->due_ms)
		at = &(*at)->next;
	p->next = *at;
	*at = p;
}

static void wire_deliver(struct link *l)
{
	struct link_packet *p = l->wire;

	l->wire = p->next;
	if (p->to_gw) {
		struct gw_path g = {p->path.remote, p->path.local};

		gw_input(l->gw, p->d, p->len, &g, l->now_ms);
	} else {
		enum err e;

		l->n_heard++;
		e = ike_sa_input(l->sa, p->d, p->len, &p->path, l->now_ms);
		assert_true(e == OK || e == ERR_NOT_FOUND);
	}
	free(p);
}

/* --- actions ---------------------------------------------------------- */

static struct link_child *child_place(struct link_child *list, uint32_t spi_in)
{
	for (size_t i = 0; i < LINK_CHILDREN_MAX; i++)
		if (spi_in ? list[i].there && list[i].spi_in == spi_in
			   : !list[i].there)
			return &list[i];
	fail_msg("no place for a Child SA, or unknown one %08x", spi_in);
	return NULL;
}

static void take_ticket(struct link *l, const struct ike_ticket *t)
{
	free(l->ticket_opaque);
	l->ticket_opaque = malloc(t->opaque.len);
	assert_non_null(l->ticket_opaque);
	memcpy(l->ticket_opaque, t->opaque.p, t->opaque.len);
	l->ticket = *t;
	l->ticket.opaque.p = l->ticket_opaque;
	l->have_ticket = true;
}

static void verify(struct link *l, const struct ike_action *a)
{
	struct diag diag = DIAG_INIT;
	enum err e = l->verdict;

	assert_int_equal(a->u.ask_verify.n_certs, 1);
	if (e == OK)
		e = sig_verify(a->u.ask_verify.certs[0],
			       (enum sig_method)a->u.ask_verify.method,
			       a->u.ask_verify.auth_data,
			       a->u.ask_verify.octets, 3, &diag);
	assert_int_equal(ike_sa_give_verdict(l->sa, e, diag.text, l->now_ms),
			 OK);
}

static void sign(struct link *l, const struct ike_action *a)
{
	struct sign_policy pol = {.peer_hashes = a->u.ask_sign.peer_hashes};
	uint8_t out[AUTH_DATA_MAX];
	enum sig_method method;
	size_t len;

	assert_int_equal(privkey_sign(l->cl_key, &pol, a->u.ask_sign.octets, 3,
				      out, &len, &method),
			 OK);
	assert_int_equal(ike_sa_give_signature(l->sa, (uint8_t)method,
					       bytes(out, len), l->now_ms),
			 OK);
}

static void tls(struct link *l, const struct ike_action *a)
{
	struct tls_config c = {.certs = &l->cl_cert,
			       .n_certs = 1,
			       .key = l->cl_key,
			       .trust = l->trust,
			       .peer = {PEER_DNS, bytes_str("gw.example.org")},
			       .now = time(NULL)};
	struct ike_tls_step step = {.verdict = OK};
	struct diag diag = DIAG_INIT;

	if (a->u.ask_tls.start) {
		tls_free(&l->tls);
		assert_int_equal(tls_new(&c, &l->tls, &diag), OK);
	}
	step.verdict =
		tls_step(l->tls, a->u.ask_tls.in, &step.out, &step.done, &diag);
	step.detail = diag.text;
	if (step.done)
		assert_int_equal(tls_msk(l->tls, &step.msk), OK);
	assert_int_equal(ike_sa_give_tls(l->sa, &step, l->now_ms), OK);
}

static void client_child(struct link *l, const struct ike_child_sa *c)
{
	struct link_child *p = child_place(l->ours, 0);

	*p = (struct link_child){.there = true,
				 .spi_in = c->spi_in,
				 .spi_out = c->spi_out,
				 .encr_in = c->encr_in,
				 .encr_out = c->encr_out,
				 .integ_in = c->integ_in,
				 .integ_out = c->integ_out,
				 .suite = c->suite,
				 .is_rekey = c->is_rekey,
				 .spi_in_old = c->spi_in_old};
}

static void take_redirect(struct link *l, const struct ike_redirect *to)
{
	l->redirected = to != NULL;
	if (to)
		l->redirect = *to;
}

static void client_end(struct link *l, const struct ike_action *a)
{
	if (a->kind == IKE_DO_UP) {
		l->up = true;
		l->resumed = a->u.up.resumed;
		l->behind_nat = a->u.up.behind_nat;
	} else {
		l->closed = true;
		l->why = a->u.closed.why;
		l->auth_sent = a->u.closed.auth_sent;
		l->resume_auth_failed = a->u.closed.resume_auth_failed;
		take_redirect(l, a->u.closed.redirect);
		snprintf(l->detail, sizeof(l->detail), "%s",
			 a->u.closed.detail);
	}
}

static void ask(struct link *l, const struct ike_action *a)
{
	const struct secret *s = &l->psk;

	if (a->kind == IKE_DO_ASK_TLS) {
		tls(l, a);
	} else if (a->kind == IKE_DO_ASK_VERIFY) {
		verify(l, a);
	} else if (a->kind == IKE_DO_ASK_SIGN) {
		sign(l, a);
	} else {
		if (a->u.ask_secret.is_password) {
			s = &l->password;
			l->password_given = true;
		}
		assert_int_equal(ike_sa_give_secret(l->sa, s, l->now_ms), OK);
	}
}

static void client_act(struct link *l, const struct ike_action *a)
{
	if (a->kind == IKE_DO_SEND) {
		struct ike_hdr h;

		if (ike_hdr_parse(a->u.send.dgram, &h) == OK && !h.spi_r)
			l->first_spi = h.spi_i;
		l->n_sent++;
		wire_put(l, true, a->u.send.dgram, &a->u.send.path);
		return;
	}
	assert_true(l->n_acts < LINK_ACTS_MAX);
	l->acts[l->n_acts++] = a->kind;
	if (a->kind == IKE_DO_NETCONF)
		l->conf = *a->u.netconf;
	else if (a->kind == IKE_DO_CHILD_ADD)
		client_child(l, a->u.child);
	else if (a->kind == IKE_DO_CHILD_DEL)
		child_place(l->ours, a->u.child_del.spi_in)->there = false;
	else if (a->kind == IKE_DO_TICKET)
		take_ticket(l, a->u.ticket);
	else if (a->kind == IKE_DO_TICKET_VOID ||
		 a->kind == IKE_DO_TICKET_SPENT)
		l->have_ticket = false;
	else if (a->kind == IKE_DO_UP || a->kind == IKE_DO_CLOSED)
		client_end(l, a);
	else if (a->kind == IKE_DO_MOVED)
		l->moved = a->u.moved.ok;
	else if (a->kind == IKE_DO_PROBED)
		l->probed = a->u.probed.ok;
	else if (a->kind == IKE_DO_REFUSED)
		take_redirect(l, a->u.refused.redirect);
	else if (a->kind == IKE_DO_ASK_SECRET || a->kind == IKE_DO_ASK_SIGN ||
		 a->kind == IKE_DO_ASK_VERIFY || a->kind == IKE_DO_ASK_TLS)
		ask(l, a);
}

static void gw_act(struct link *l, const struct gw_action *a)
{
	struct link_child *p;
	struct ike_path path;

	if (a->kind == GW_DO_SEND) {
		path = (struct ike_path){.local = a->u.send.path.remote,
					 .remote = a->u.send.path.local};
		path.tcp = path.remote.port == l->tcp_port;
		wire_put(l, false, a->u.send.dgram, &path);
	} else if (a->kind == GW_DO_CHILD_ADD) {
		p = child_place(l->theirs, 0);
		*p = (struct link_child){.there = true,
					 .spi_in = a->u.child->spi_in,
					 .spi_out = a->u.child->spi_out,
					 .encr_in = a->u.child->encr_in,
					 .encr_out = a->u.child->encr_out,
					 .integ_in = a->u.child->integ_in,
					 .integ_out = a->u.child->integ_out,
					 .suite = a->u.child->suite};
	} else if (a->kind == GW_DO_CHILD_DEL) {
		child_place(l->theirs, a->u.child_del.spi_in)->there = false;
	}
}

void link_pull(struct link *l)
{
	bool more = true;

	while (more) {
		struct ike_action a = ike_sa_next_action(l->sa);
		struct gw_action g = gw_next_action(l->gw);

		more = false;
		if (a.kind != IKE_DO_NOTHING) {
			client_act(l, &a);
			more = true;
		}
		if (g.kind != GW_DO_NOTHING) {
			gw_act(l, &g);
			more = true;
		}
	}
}

void link_run(struct link *l, int64_t ms)
{
	int64_t end = l->now_ms + ms;

	for (int steps = 0;; steps++) {
		int64_t c = ike_sa_next_deadline(l->sa);
		int64_t g = gw_next_deadline(l->gw);
		int64_t next = c < g ? c : g;

		assert_true(steps < 100000);
		if (l->wire && l->wire->due_ms < next)
			next = l->wire->due_ms;
		if (next > end)
			break;
		if (next > l->now_ms)
			l->now_ms = next;
		if (l->wire && l->wire->due_ms <= l->now_ms)
			wire_deliver(l);
		else if (c <= l->now_ms)
			ike_sa_timeout(l->sa, l->now_ms);
		else
			gw_timeout(l->gw, l->now_ms);
		link_pull(l);
	}
	l->now_ms = end;
}

enum err link_inject(struct link *l, const uint8_t *d, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	enum err e;

	assert_non_null(copy);
	memcpy(copy, d, len);
	e = ike_sa_input(l->sa, copy, len, &l->path, l->now_ms);
	free(copy);
	link_pull(l);
	return e;
}

void link_start(struct link *l)
{
	assert_int_equal(ike_sa_start(l->sa, &l->path, l->now_ms), OK);
	link_pull(l);
}

void link_resume(struct link *l)
{
	assert_true(l->have_ticket);
	assert_int_equal(ike_sa_resume(l->sa, &l->ticket, &l->path, l->now_ms),
			 OK);
	link_pull(l);
}

/* --- assertions ------------------------------------------------------- */

size_t link_count(const struct link *l, enum ike_action_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < l->n_acts; i++)
		n += l->acts[i] == kind;
	return n;
}

size_t link_first(const struct link *l, enum ike_action_kind kind)
{
	for (size_t i = 0; i < l->n_acts; i++)
		if (l->acts[i] == kind)
			return i;
	return LINK_ACTS_MAX;
}

void link_assert_children(const struct link *l, size_t n)
{
	size_t ours = 0, theirs = 0;

	for (size_t i = 0; i < LINK_CHILDREN_MAX; i++)
		theirs += l->theirs[i].there;
	for (size_t i = 0; i < LINK_CHILDREN_MAX; i++) {
		const struct link_child *a = &l->ours[i], *b = NULL;

		if (!a->there)
			continue;
		ours++;
		for (size_t k = 0; k < LINK_CHILDREN_MAX; k++)
			if (l->theirs[k].there &&
			    l->theirs[k].spi_in == a->spi_out)
				b = &l->theirs[k];
		assert_non_null(b);
		assert_int_equal(a->spi_in, b->spi_out);
		assert_true(secret_eq(&a->encr_in, &b->encr_out));
		assert_true(secret_eq(&a->encr_out, &b->encr_in));
		assert_true(secret_eq(&a->integ_in, &b->integ_out));
		assert_true(secret_eq(&a->integ_out, &b->integ_in));
		assert_true(a->encr_in.len > 0);
	}
	assert_int_equal(ours, n);
	assert_int_equal(theirs, n);
}

void link_connect(struct link *l)
{
	link_start(l);
	link_run(l, 400);
	if (l->closed)
		fail_msg("closed: %s", l->detail);
	assert_true(l->up);
	assert_int_equal(ike_sa_state(l->sa), IKE_ST_UP);
}
