/* The initiator, established, against what a gateway asks that it should not
 * or answers that it should not. */
#include "tests/unit/ike_peer.h"

#include <stdio.h>
#include <stdlib.h>

#include "client/ike/sa_private.h"

static void say(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "# %s\n", text);
}

static uint16_t notify_type;

static void fill_error(struct peer *p, struct ike_wr *w)
{
	ike_wr_notify(w, notify_type, BYTES_NONE);
}

/* --- requests of the gateway ------------------------------------------ */

static void fill_critical(struct peer *p, struct ike_wr *w)
{
	ike_wr_payload(w, 200, bytes_str("who knows"));
	w->w.start[1] = 0x80;
}

static void unknown_critical_payload_is_answered_and_survived(void **state)
{
	const struct ike_msg *m;
	struct ike_notify n;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	m = peer_ask(&p, INFORMATIONAL, fill_critical);
	assert_true(ike_msg_notify(m, N_UNSUPPORTED_CRITICAL_PAYLOAD, &n));
	assert_int_equal(n.data.len, 1);
	assert_int_equal(n.data.p[0], 200);
	assert_false(p.closed);
	m = peer_ask(&p, INFORMATIONAL, NULL);
	assert_int_equal(m->n_payloads, 0);
	assert_int_equal(m->hdr.msg_id, 1);
	peer_close(&p);
}

static void malformed_inside_of_sk_is_fatal(void **state)
{
	static const uint8_t chain[] = {0, 0, 0xff, 0xff, 1};
	struct ike_hdr h;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	h = peer_hdr(&p, INFORMATIONAL, false, 0);
	peer_send_raw(&p, &h, PLD_NOTIFY, BYTES_OF(chain));
	peer_assert_notify(peer_read(&p), N_INVALID_SYNTAX);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_PEER);
	peer_close(&p);
}

static void requests_outside_of_the_window_get_no_answer(void **state)
{
	static uint8_t first[2048];
	size_t len, sent;
	struct ike_hdr h;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	peer_ask(&p, INFORMATIONAL, NULL);
	memcpy(first, p.last, p.last_len);
	len = p.last_len;
	sent = p.n_sent;
	/* the same again: bit for bit the same answer */
	h = peer_hdr(&p, INFORMATIONAL, false, 0);
	peer_send(&p, &h, NULL);
	assert_int_equal(p.n_sent, sent + 1);
	assert_int_equal(p.last_len, len);
	assert_memory_equal(p.last, first, len);
	/* beyond */
	h.msg_id = 2;
	peer_send(&p, &h, NULL);
	h.msg_id = UINT32_MAX;
	peer_send(&p, &h, NULL);
	assert_int_equal(p.n_sent, sent + 1);
	/* behind */
	peer_ask(&p, INFORMATIONAL, NULL);
	peer_ask(&p, INFORMATIONAL, NULL);
	sent = p.n_sent;
	h.msg_id = 0;
	peer_send(&p, &h, NULL);
	/* as if it were the initiator */
	h.msg_id = p.next_id;
	h.flags = IKE_FLAG_INITIATOR;
	peer_send(&p, &h, NULL);
	/* answers to nothing */
	h.flags = IKE_FLAG_RESPONSE;
	peer_send(&p, &h, NULL);
	assert_int_equal(p.n_sent, sent);
	assert_false(p.closed);
	peer_close(&p);
}

static void last_message_id_ends_the_sa(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	p.sa->cur->expected_id = p.next_id = UINT32_MAX;
	peer_ask(&p, INFORMATIONAL, NULL);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_PEER);
	peer_close(&p);

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	p.sa->cur->next_id = UINT32_MAX;
	assert_int_equal(ike_sa_check_alive(p.sa, p.now_ms), OK);
	peer_pull(&p);
	assert_true(p.closed);
	peer_close(&p);
}

static void fill_cookie2(struct peer *p, struct ike_wr *w)
{
	ike_wr_notify(w, N_COOKIE2, bytes_str("12345678"));
	ike_wr_notify(w, N_AUTH_LIFETIME, bytes("\0\0\x0e\x10", 4));
}

static void cookie2_comes_back_and_auth_lifetime_is_kept(void **state)
{
	const struct ike_msg *m;
	struct ike_notify n;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	m = peer_ask(&p, INFORMATIONAL, fill_cookie2);
	assert_true(ike_msg_notify(m, N_COOKIE2, &n));
	assert_true(bytes_eq(n.data, bytes_str("12345678")));
	assert_int_equal(ike_sa_reauth_at(p.sa), p.now_ms + 3600 * 1000);
	peer_close(&p);
}

static void fill_delete_child(struct peer *p, struct ike_wr *w)
{
	uint32_t spis[] = {p->child_in, 0xdeadbeef};

	ike_wr_delete_esp(w, spis, 2);
}

static void child_deleted_by_the_gateway_is_asked_for_anew(void **state)
{
	const struct ike_msg *m;
	struct ike_delete d;
	struct ike_notify n;
	struct ike_hdr h;
	struct peer p;
	uint32_t gone;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	gone = p.child.spi_in;
	h = peer_hdr(&p, INFORMATIONAL, false, 0);
	peer_send(&p, &h, fill_delete_child);
	assert_int_equal(p.child_gone, gone);
	/* the answer told it; then came a request for a new one */
	m = peer_read(&p);
	assert_int_equal(m->hdr.exchange, CREATE_CHILD_SA);
	assert_false(ike_msg_notify(m, N_REKEY_SA, &n));
	h.msg_id = 0; /* again: the answer, from the store */
	peer_send(&p, &h, fill_delete_child);
	m = peer_read(&p);
	assert_int_equal(ike_msg_count(m, PLD_DELETE), 1);
	assert_int_equal(
		ike_delete_parse(ike_msg_find(m, PLD_DELETE, 0)->body, &d), OK);
	assert_int_equal(d.n_spis, 1);
	assert_int_equal(d.spis[0], gone);
	peer_close(&p);
}

static void fill_bad_delete(struct peer *p, struct ike_wr *w)
{
	ike_wr_payload(w, PLD_DELETE, bytes("\3\4\0\xff\1\2\3\4", 8));
}

static void malformed_delete_is_fatal(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	peer_assert_notify(peer_ask(&p, INFORMATIONAL, fill_bad_delete),
			   N_INVALID_SYNTAX);
	assert_true(p.closed);
	peer_close(&p);
}

/* --- CREATE_CHILD_SA of the gateway ----------------------------------- */

static struct {
	bool rekey, ts;
	uint8_t proto;
	uint32_t spi;
	struct bytes bad_ts;
	bool no_nonce;
	uint8_t sa_proto;
} ask;

static void fill_create(struct peer *p, struct ike_wr *w)
{
	static const uint8_t spi[4] = {0xaa, 0xbb, 0xcc, 0xdd};
	struct proposal_list l = p->cfg.esp_proposals;
	uint8_t nonce[32] = {7};

	proposals_set_spi(&l, BYTES_OF(spi));
	if (ask.rekey)
		ike_wr_notify_spi(w, N_REKEY_SA, ask.proto, ask.spi);
	ike_wr_sa(w, &l);
	if (!ask.no_nonce)
		ike_wr_payload(w, PLD_NONCE, BYTES_OF(nonce));
	if (ask.bad_ts.len)
		ike_wr_payload(w, PLD_TSI, ask.bad_ts);
	else if (ask.ts)
		ike_wr_ts(w, PLD_TSI, &p->cfg.ts_remote);
	if (ask.ts)
		ike_wr_ts(w, PLD_TSR, &p->cfg.ts_local);
}

static void further_child_is_refused(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	memset(&ask, 0, sizeof(ask));
	ask.ts = true;
	peer_assert_notify(peer_ask(&p, CREATE_CHILD_SA, fill_create),
			   N_NO_ADDITIONAL_SAS);
	assert_false(p.closed);
	peer_close(&p);
}

static void rekey_of_an_unknown_child_is_not_found(void **state)
{
	static const uint8_t protos[] = {PROTO_NONE, PROTO_IKE, PROTO_AH,
					 PROTO_ESP, 99};
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	memset(&ask, 0, sizeof(ask));
	ask.ts = ask.rekey = true;
	for (size_t i = 0; i < sizeof(protos); i++) {
		ask.proto = protos[i];
		ask.spi = ask.proto == PROTO_ESP ? 0x12345678 : p.child_in;
		peer_assert_notify(peer_ask(&p, CREATE_CHILD_SA, fill_create),
				   N_CHILD_SA_NOT_FOUND);
	}
	assert_false(p.closed);
	assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 1);
	peer_close(&p);
}

static void rekey_without_what_it_must_have_is_invalid_syntax(void **state)
{
	struct peer p;

	for (int i = 0; i < 3; i++) {
		peer_open(&p, IKE_AUTH_PSK);
		peer_up(&p);
		memset(&ask, 0, sizeof(ask));
		ask.rekey = true;
		ask.proto = PROTO_ESP;
		ask.spi = p.child_in;
		ask.ts = i != 0;
		ask.no_nonce = i == 1;
		if (i == 2)
			ask.bad_ts = bytes("\2\0\0\0\7\0\0\x10", 8);
		peer_assert_notify(peer_ask(&p, CREATE_CHILD_SA, fill_create),
				   N_INVALID_SYNTAX);
		assert_true(p.closed);
		assert_int_equal(p.why, ERR_PEER);
		peer_close(&p);
	}
}

static void rekey_of_the_gateway_takes_over(void **state)
{
	struct peer p;
	uint32_t old;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	old = p.child.spi_in;
	memset(&ask, 0, sizeof(ask));
	ask.rekey = ask.ts = true;
	ask.proto = PROTO_ESP;
	ask.spi = p.child_in;
	assert_int_equal(
		ike_msg_count(peer_ask(&p, CREATE_CHILD_SA, fill_create),
			      PLD_SA),
		1);
	assert_true(p.child.is_rekey);
	assert_int_equal(p.child.spi_in_old, old);
	assert_int_equal(p.child.spi_out, 0xaabbccdd);
	/* and the old one again: it is on its way out */
	peer_assert_notify(peer_ask(&p, CREATE_CHILD_SA, fill_create),
			   N_TEMPORARY_FAILURE);
	peer_ask(&p, INFORMATIONAL, fill_delete_child);
	assert_int_equal(p.child_gone, old);
	assert_false(p.closed);
	peer_close(&p);
}

/* The second sequence of RFC 7296 2.8.1: our request came too late. */
static void not_found_after_a_crossing_rekey_is_ignored(void **state)
{
	static uint8_t ours[2048];
	struct ike_hdr h;
	struct peer p;
	size_t len;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	assert_int_equal(ike_sa_rekey_child(p.sa, p.now_ms), OK);
	peer_pull(&p);
	memcpy(ours, p.last, p.last_len);
	len = p.last_len;
	memset(&ask, 0, sizeof(ask));
	ask.rekey = ask.ts = true;
	ask.proto = PROTO_ESP;
	ask.spi = p.child_in;
	peer_ask(&p, CREATE_CHILD_SA, fill_create);
	peer_ask(&p, INFORMATIONAL, fill_delete_child);
	assert_int_equal(ike_msg_count(&p.msg, PLD_DELETE), 1);
	/* now it sees ours */
	memcpy(p.last, ours, len);
	p.last_len = len;
	h = peer_hdr(&p, CREATE_CHILD_SA, true, peer_read(&p)->hdr.msg_id);
	notify_type = N_CHILD_SA_NOT_FOUND;
	peer_send(&p, &h, fill_error);
	assert_false(p.closed);
	assert_int_equal(ike_sa_state(p.sa), IKE_ST_UP);
	assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 2);
	peer_wait(&p, 100000);
	assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 2);
	assert_false(p.closed);
	peer_close(&p);
}

static void temporary_failure_is_tried_again_later(void **state)
{
	struct ike_notify n;
	struct peer p;
	size_t sent;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	assert_int_equal(ike_sa_rekey_child(p.sa, p.now_ms), OK);
	peer_pull(&p);
	notify_type = N_TEMPORARY_FAILURE;
	peer_reply(&p, fill_error);
	sent = p.n_sent;
	peer_wait(&p, 1500);
	assert_int_equal(p.n_sent, sent);
	peer_wait(&p, 800);
	assert_int_equal(p.n_sent, sent + 1);
	assert_true(ike_msg_notify(peer_read(&p), N_REKEY_SA, &n));
	/* gone over there: a new one instead of a rekey */
	notify_type = N_CHILD_SA_NOT_FOUND;
	peer_reply(&p, fill_error);
	assert_int_equal(peer_count(&p, IKE_DO_CHILD_DEL), 1);
	assert_int_equal(peer_read(&p)->hdr.exchange, CREATE_CHILD_SA);
	assert_false(ike_msg_notify(&p.msg, N_REKEY_SA, &n));
	notify_type = N_NO_ADDITIONAL_SAS;
	peer_reply(&p, fill_error);
	assert_int_equal(ike_msg_count(peer_read(&p), PLD_DELETE), 1);
	peer_reply(&p, NULL);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_GONE);
	peer_close(&p);
}

static void fill_bad_create(struct peer *p, struct ike_wr *w)
{
	uint8_t nonce[32] = {3};

	p->child_in = 0;
	peer_fill_child(p, w);
	ike_wr_payload(w, PLD_NONCE, BYTES_OF(nonce));
}

static void unusable_answer_to_a_rekey_ends_with_a_delete(void **state)
{
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	assert_int_equal(ike_sa_rekey_child(p.sa, p.now_ms), OK);
	peer_pull(&p);
	peer_reply(&p, fill_bad_create);
	assert_int_equal(ike_msg_count(peer_read(&p), PLD_DELETE), 1);
	peer_reply(&p, NULL);
	assert_true(p.closed);
	assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 1);
	peer_close(&p);
}

/* --- fragments of the gateway ----------------------------------------- */

static void fill_long(struct peer *p, struct ike_wr *w)
{
	static const uint8_t filler[900];

	ike_wr_notify(w, 40000, BYTES_OF(filler));
	ike_wr_notify(w, N_COOKIE2, bytes_str("12345678"));
}

static size_t send_fragments(struct peer *p, uint32_t msg_id, size_t only)
{
	struct ike_hdr h = peer_hdr(p, INFORMATIONAL, false, msg_id);
	size_t n, before = p->n_sent;
	struct bytes chain;
	struct ike_wr cw;

	ike_wr_start_chain(&cw, p->chain, sizeof(p->chain));
	fill_long(p, &cw);
	assert_int_equal(ike_wr_end(&cw, &chain), OK);
	n = ike_fragments(&p->protect, chain.len, 400);
	assert_int_equal(n, 3);
	for (size_t i = 1; i <= n; i++) {
		struct ike_frag f = {(uint16_t)i, (uint16_t)n, 400};
		uint8_t buf[512];
		struct wr w = wr_open(buf, sizeof(buf));

		if (only && only != i)
			continue;
		assert_int_equal(ike_seal_frag(&p->protect, &h,
					       ike_wr_first(&cw), chain, &f,
					       &w),
				 OK);
		assert_int_equal(ike_sa_input(p->sa, buf, wr_len(&w), &p->path,
					      p->now_ms),
				 OK);
		peer_pull(p);
	}
	return p->n_sent - before;
}

static void
fragmented_request_is_answered_and_its_first_piece_repeats_that(void **state)
{
	struct ike_notify n;
	struct peer p;

	peer_open(&p, IKE_AUTH_PSK);
	peer_up(&p);
	assert_int_equal(send_fragments(&p, 0, 2), 0);
	assert_int_equal(send_fragments(&p, 0, 2), 0);
	assert_int_equal(send_fragments(&p, 0, 0), 1);
	assert_true(ike_msg_notify(peer_read(&p), N_COOKIE2, &n));
	/* RFC 7383 2.6.1 */
	assert_int_equal(send_fragments(&p, 0, 2), 0);
	assert_int_equal(send_fragments(&p, 0, 3), 0);
	assert_int_equal(send_fragments(&p, 0, 1), 1);
	assert_int_equal(send_fragments(&p, 1, 0), 1);
	peer_close(&p);
}

/* --- a storm ---------------------------------------------------------- */

/* Authentic messages of random payloads, to an SA in each state: it may
 * close, it may not crash, hang or take a Child SA it did not agree on. */
static void storm_of_authentic_nonsense_is_survived(void **state)
{
	static const uint8_t types[] = {33, 34, 35, 36, 37, 38, 39, 40, 41,
					42, 43, 44, 45, 46, 47, 48, 53, 200};
	static const uint8_t exchanges[] = {34, 35, 36, 37, 38, 43};
	struct rng rng;
	uint8_t seed[32] = {42};
	struct peer p;

	rng_seed(&rng, seed);
	peer_open(&p, IKE_AUTH_PSK);
	for (int round = 0; round < 4000; round++) {
		uint8_t r[4], body[64];
		struct ike_wr w;
		struct bytes chain;
		struct ike_hdr h;

		if (!p.has_keys || p.closed) {
			peer_again(&p);
			peer_up(&p);
			p.n_acts = 0;
		}
		if (p.n_acts > 8)
			p.n_acts = 0;
		ike_wr_start_chain(&w, p.chain, sizeof(p.chain));
		rng_draw(&rng, r, sizeof(r));
		for (int i = 0; i < r[0] % 6; i++) {
			uint8_t q[2];

			rng_draw(&rng, q, sizeof(q));
			rng_draw(&rng, body, sizeof(body));
			body[0] &= 3;
			body[1] &= 4;
			ike_wr_payload(&w, types[q[0] % sizeof(types)],
				       bytes(body, q[1] % sizeof(body)));
		}
		assert_int_equal(ike_wr_end(&w, &chain), OK);
		h = peer_hdr(&p, exchanges[r[1] % sizeof(exchanges)], r[2] & 1,
			     0);
		h.msg_id = r[2] & 1 ? p.sa->cur->req.msg_id
				    : p.sa->cur->expected_id;
		if (r[3] % 4 == 0 && ike_sa_state(p.sa) == IKE_ST_UP)
			(void)!ike_sa_rekey_child(p.sa, p.now_ms);
		if (r[3] % 4 == 1 && ike_sa_state(p.sa) == IKE_ST_UP)
			(void)!ike_sa_rekey_ike(p.sa, p.now_ms);
		peer_send_raw(&p, &h, ike_wr_first(&w), chain);
		assert_int_equal(peer_count(&p, IKE_DO_CHILD_ADD), 0);
		p.now_ms += r[3];
		peer_wait(&p, r[3]);
	}
	peer_close(&p);
}

/* They end in the resolver's configuration. */
static void domains_are_host_names(void **state)
{
	static const char *const good[] = {"example.org", "a", "x-1.example",
					   "_tcp.example.org", "example.org."};
	static const char *const bad[] = {"",	  ".",	  "a..b",   ".a",
					  "-a.b", "a.-b", "a b",    "a/b",
					  "a\nb", "a;b",  "a\200b", "*.a"};
	char label[70];

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(ike_domain_ok(bytes_str(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(ike_domain_ok(bytes_str(bad[i])));
	memset(label, 'a', sizeof(label));
	assert_true(ike_domain_ok(bytes(label, 63)));
	assert_false(ike_domain_ok(bytes(label, 64)));
	assert_false(ike_domain_ok(bytes("a\0b", 3)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			unknown_critical_payload_is_answered_and_survived),
		cmocka_unit_test(malformed_inside_of_sk_is_fatal),
		cmocka_unit_test(requests_outside_of_the_window_get_no_answer),
		cmocka_unit_test(last_message_id_ends_the_sa),
		cmocka_unit_test(cookie2_comes_back_and_auth_lifetime_is_kept),
		cmocka_unit_test(
			child_deleted_by_the_gateway_is_asked_for_anew),
		cmocka_unit_test(malformed_delete_is_fatal),
		cmocka_unit_test(further_child_is_refused),
		cmocka_unit_test(rekey_of_an_unknown_child_is_not_found),
		cmocka_unit_test(
			rekey_without_what_it_must_have_is_invalid_syntax),
		cmocka_unit_test(rekey_of_the_gateway_takes_over),
		cmocka_unit_test(not_found_after_a_crossing_rekey_is_ignored),
		cmocka_unit_test(temporary_failure_is_tried_again_later),
		cmocka_unit_test(unusable_answer_to_a_rekey_ends_with_a_delete),
		cmocka_unit_test(
			fragmented_request_is_answered_and_its_first_piece_repeats_that),
		cmocka_unit_test(domains_are_host_names),
		cmocka_unit_test(storm_of_authentic_nonsense_is_survived),
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_requests", tests, NULL, NULL);
}
