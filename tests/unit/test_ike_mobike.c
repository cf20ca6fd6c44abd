/* MOBIKE as initiator (RFC 4555): against the test gateway, and against one
 * that answers as it should not. */
#include "tests/unit/ike_link.h"
#include "tests/unit/ike_peer.h"

#include <stdio.h>

static struct ike_path path_from(const char *local, uint16_t port)
{
	struct ike_path p = {0};

	assert_int_equal(addr_parse(local, &p.local), OK);
	assert_int_equal(addr_parse("198.51.100.1", &p.remote), OK);
	p.local.port = port;
	p.remote.port = 4500;
	return p;
}

/* --- with the test gateway -------------------------------------------- */

static void up(struct link *l)
{
	link_init(l);
	link_open(l);
	link_connect(l);
	link_run(l, 500);
}

static void move(struct link *l, const char *local)
{
	l->path = path_from(local, 41000);
	assert_int_equal(ike_sa_move(l->sa, &l->path, l->now_ms), OK);
	link_pull(l);
}

static void assert_gateway_at(const struct link *l, const char *local)
{
	struct ike_path want = path_from(local, 41000);
	struct gw_session_info info;

	assert_true(gw_session_info(l->gw, 0, &info));
	assert_true(addr_eq(&info.path.remote, &want.local));
	assert_false(gw_session_info(l->gw, 1, &info));
}

static void move_costs_one_round_trip_and_keeps_every_sa(void **state)
{
	struct ike_stats before;
	struct link l;
	size_t sent;

	up(&l);
	sent = l.n_sent;
	before = *ike_sa_stats(l.sa);
	assert_true(ike_sa_can_move(l.sa));
	move(&l, "203.0.113.9");
	link_run(&l, 2 * l.delay_ms);
	assert_true(l.moved);
	assert_int_equal(l.n_sent, sent + 1);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips,
			 before.round_trips + 1);
	assert_int_equal(link_count(&l, IKE_DO_CHILD_ADD), 1);
	assert_int_equal(link_count(&l, IKE_DO_CHILD_DEL), 0);
	link_assert_children(&l, 1);
	assert_gateway_at(&l, "203.0.113.9");
	link_close(&l);
}

static void move_needs_a_gateway_that_said_so(void **state)
{
	struct link l;

	link_init(&l);
	l.cfg.mobike = false;
	link_open(&l);
	assert_int_equal(ike_sa_move(l.sa, &l.path, l.now_ms), ERR_UNSUPPORTED);
	link_connect(&l);
	assert_false(ike_sa_can_move(l.sa));
	assert_int_equal(ike_sa_move(l.sa, &l.path, l.now_ms), ERR_UNSUPPORTED);
	link_close(&l);
}

static void resumed_sa_moves_too(void **state)
{
	struct link l;

	up(&l);
	link_again(&l);
	link_resume(&l);
	link_run(&l, 400);
	assert_true(l.resumed);
	move(&l, "203.0.113.9");
	link_run(&l, 100);
	assert_true(l.moved);
	assert_gateway_at(&l, "203.0.113.9");
	link_close(&l);
}

static void last_of_several_moves_counts(void **state)
{
	struct link l;

	up(&l);
	move(&l, "203.0.113.9");
	link_run(&l, l.delay_ms); /* the gateway has it, its answer is late */
	move(&l, "203.0.113.10");
	move(&l, "203.0.113.11");
	link_run(&l, 200);
	assert_int_equal(link_count(&l, IKE_DO_MOVED), 1);
	assert_true(l.moved);
	assert_gateway_at(&l, "203.0.113.11");
	assert_false(l.closed);
	link_close(&l);
}

static size_t to_lose;
static bool lose(struct link *l, bool to_gw, uint8_t *d, size_t *len)
{
	if (!to_gw || to_lose == 0)
		return true;
	to_lose--;
	return false;
}

static void open_request_goes_first_over_the_new_path(void **state)
{
	uint32_t trips;
	struct link l;

	up(&l);
	l.filter = lose;
	to_lose = 1;
	assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 50);
	trips = ike_sa_stats(l.sa)->round_trips;
	move(&l, "203.0.113.9");
	link_run(&l, 300);
	assert_true(l.moved);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, trips + 2);
	assert_gateway_at(&l, "203.0.113.9");
	link_assert_children(&l, 1);
	/* the new IKE SA is the one that goes on */
	move(&l, "203.0.113.12");
	link_run(&l, 300);
	assert_gateway_at(&l, "203.0.113.12");
	link_close(&l);
}

static void lost_update_is_sent_again_within_half_a_second(void **state)
{
	struct link l;

	up(&l);
	l.filter = lose;
	to_lose = 2;
	move(&l, "203.0.113.9");
	link_run(&l, 500);
	assert_true(l.moved);
	assert_gateway_at(&l, "203.0.113.9");
	link_close(&l);
}

static void silence_on_the_new_path_closes(void **state)
{
	struct link l;

	up(&l);
	l.filter = lose;
	to_lose = 1000;
	move(&l, "203.0.113.9");
	link_run(&l, 60000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_NO_ANSWER);
	assert_int_equal(link_count(&l, IKE_DO_MOVED), 0);
	link_close(&l);
}

static void refusal_leaves_the_sa_where_it_was(void **state)
{
	struct ike_path old;
	struct link l;

	up(&l);
	old = l.path;
	gw_switches(l.gw)->refuse_move = true;
	move(&l, "203.0.113.9");
	link_run(&l, 300);
	assert_int_equal(link_count(&l, IKE_DO_MOVED), 1);
	assert_false(l.moved);
	assert_false(l.closed);
	l.path = old;
	assert_int_equal(ike_sa_check_alive(l.sa, l.now_ms), OK);
	link_pull(&l);
	assert_non_null(l.wire);
	assert_true(addr_eq(&l.wire->path.local, &old.local));
	link_close(&l);
}

/* --- with one that answers as told ------------------------------------ */

static uint16_t refusal;
static uint8_t cookie[64];
static size_t cookie_len;
static bool seen_elsewhere;

static void fill_up(struct peer *p, struct ike_wr *w)
{
	static const uint8_t other4[4] = {198, 51, 100, 7};

	peer_fill_auth(p, w);
	ike_wr_notify(w, N_MOBIKE_SUPPORTED, BYTES_NONE);
	ike_wr_notify(w, N_ADDITIONAL_IP4_ADDRESS, BYTES_OF(other4));
}

static void peer_up_mobike(struct peer *p)
{
	peer_open(p, IKE_AUTH_PSK);
	p->cfg.mobike = p->cfg.force_encap = true;
	p->cfg.dpd_ms = 5000;
	peer_again(p);
	assert_int_equal(ike_sa_start(p->sa, &p->path, p->now_ms), OK);
	peer_pull(p);
	peer_answer_init(p);
	peer_reply(p, fill_up);
	assert_true(p->up);
	assert_true(ike_sa_can_move(p->sa));
	refusal = 0;
	cookie_len = 0;
	seen_elsewhere = false;
}

static void put_nat(struct peer *p, struct ike_wr *w)
{
	struct addr seen = p->path.local;
	uint8_t hash[20];

	seen.port += seen_elsewhere;
	assert_int_equal(
		ike_nat_hash(p->spi_i, p->spi_r, &p->path.remote, hash), OK);
	ike_wr_notify(w, N_NAT_DETECTION_SOURCE_IP, BYTES_OF(hash));
	assert_int_equal(ike_nat_hash(p->spi_i, p->spi_r, &seen, hash), OK);
	ike_wr_notify(w, N_NAT_DETECTION_DESTINATION_IP, BYTES_OF(hash));
}

static void fill_moved(struct peer *p, struct ike_wr *w)
{
	if (refusal)
		ike_wr_notify(w, refusal, BYTES_NONE);
	put_nat(p, w);
	if (cookie_len)
		ike_wr_notify(w, N_COOKIE2, bytes(cookie, cookie_len));
}

/* The client's UPDATE_SA_ADDRESSES; keeps the cookie. */
static const struct ike_msg *read_update(struct peer *p)
{
	const struct ike_msg *m = peer_read(p);
	struct ike_notify n;

	assert_int_equal(m->hdr.exchange, INFORMATIONAL);
	assert_true(ike_msg_notify(m, N_UPDATE_SA_ADDRESSES, &n));
	assert_int_equal(n.data.len, 0);
	assert_true(ike_msg_notify(m, N_COOKIE2, &n));
	assert_in_range(n.data.len, 8, 64);
	memcpy(cookie, n.data.p, n.data.len);
	cookie_len = n.data.len;
	return m;
}

static void peer_move(struct peer *p, const char *local)
{
	p->path = path_from(local, 41000);
	assert_int_equal(ike_sa_move(p->sa, &p->path, p->now_ms), OK);
	peer_pull(p);
	assert_true(addr_eq(&p->last_path.local, &p->path.local));
}

static void update_hides_the_source_and_names_the_destination(void **state)
{
	const struct ike_msg *m;
	struct addr zero = {.family = ADDR_V4};
	struct ike_notify n;
	struct peer p;
	uint8_t hash[20];

	peer_up_mobike(&p);
	peer_move(&p, "203.0.113.9");
	m = read_update(&p);
	assert_int_equal(ike_nat_hash(p.spi_i, p.spi_r, &zero, hash), OK);
	assert_true(ike_msg_notify(m, N_NAT_DETECTION_SOURCE_IP, &n));
	assert_true(bytes_eq(n.data, BYTES_OF(hash)));
	assert_int_equal(ike_nat_hash(p.spi_i, p.spi_r, &p.path.remote, hash),
			 OK);
	assert_true(ike_msg_notify(m, N_NAT_DETECTION_DESTINATION_IP, &n));
	assert_true(bytes_eq(n.data, BYTES_OF(hash)));
	assert_false(ike_msg_notify(m, N_NO_NATS_ALLOWED, &n));
	peer_reply(&p, fill_moved);
	assert_int_equal(peer_count(&p, IKE_DO_MOVED), 1);
	assert_true(p.moved_ok);
	assert_false(p.moved_nat);
	peer_close(&p);
}

static void nat_on_the_new_path_is_noticed(void **state)
{
	struct peer p;

	peer_up_mobike(&p);
	peer_move(&p, "203.0.113.9");
	read_update(&p);
	seen_elsewhere = true;
	peer_reply(&p, fill_moved);
	assert_true(p.moved_ok);
	assert_true(p.moved_nat);
	peer_close(&p);
}

static void closes_at(void (*spoil)(void))
{
	struct peer p;

	peer_up_mobike(&p);
	peer_move(&p, "203.0.113.9");
	read_update(&p);
	spoil();
	peer_reply(&p, fill_moved);
	assert_true(p.closed);
	assert_int_equal(p.why, ERR_PEER);
	assert_int_equal(peer_count(&p, IKE_DO_MOVED), 0);
	peer_close(&p);
}

static void spoil_bit(void)
{
	cookie[cookie_len - 1] ^= 1;
}

static void spoil_len(void)
{
	cookie_len--;
}

static void spoil_all(void)
{
	cookie_len = 0;
}

static void answer_without_the_cookie_closes(void **state)
{
	closes_at(spoil_bit);
	closes_at(spoil_len);
	closes_at(spoil_all);
}

static void unexpected_nat_is_asked_again_with_another_cookie(void **state)
{
	uint8_t first[64];
	struct peer p;

	peer_up_mobike(&p);
	peer_move(&p, "203.0.113.9");
	for (int i = 0; i < 3; i++) {
		assert_int_equal(peer_count(&p, IKE_DO_MOVED), 0);
		read_update(&p);
		if (i > 0)
			assert_memory_not_equal(first, cookie, cookie_len);
		memcpy(first, cookie, cookie_len);
		refusal = N_UNEXPECTED_NAT_DETECTED;
		peer_reply(&p, fill_moved);
	}
	assert_int_equal(peer_count(&p, IKE_DO_MOVED), 1);
	assert_false(p.moved_ok);
	assert_false(p.closed);
	peer_close(&p);
}

static void refusal_needs_no_cookie(void **state)
{
	struct peer p;

	peer_up_mobike(&p);
	peer_move(&p, "203.0.113.9");
	read_update(&p);
	cookie_len = 0;
	refusal = N_UNACCEPTABLE_ADDRESSES;
	peer_reply(&p, fill_moved);
	assert_int_equal(peer_count(&p, IKE_DO_MOVED), 1);
	assert_false(p.moved_ok);
	assert_false(p.closed);
	peer_close(&p);
}

static void answer_to_an_older_move_is_ignored(void **state)
{
	struct peer p;

	peer_up_mobike(&p);
	peer_move(&p, "203.0.113.9");
	peer_move(&p, "203.0.113.10");
	read_update(&p);
	seen_elsewhere = true; /* what it tells of a NAT is of no use */
	peer_reply(&p, fill_moved);
	assert_int_equal(peer_count(&p, IKE_DO_MOVED), 0);
	read_update(&p);
	assert_true(addr_eq(&p.last_path.local, &p.path.local));
	seen_elsewhere = false;
	peer_reply(&p, fill_moved);
	assert_int_equal(peer_count(&p, IKE_DO_MOVED), 1);
	assert_true(p.moved_ok);
	assert_false(p.moved_nat);
	peer_close(&p);
}

static void new_mapping_of_a_nat_is_told_to_the_gateway(void **state)
{
	struct ike_notify n;
	struct peer p;

	peer_up_mobike(&p);
	seen_elsewhere = true;
	peer_move(&p, "203.0.113.9");
	read_update(&p);
	peer_reply(&p, fill_moved);
	assert_true(p.moved_nat);
	/* a liveness check, and the mapping is the same */
	peer_wait(&p, 6000);
	assert_true(
		ike_msg_notify(peer_read(&p), N_NAT_DETECTION_SOURCE_IP, &n));
	cookie_len = 0;
	peer_reply(&p, fill_moved);
	assert_int_equal(peer_count(&p, IKE_DO_MOVED), 1);
	/* another, and it is not */
	peer_wait(&p, 6000);
	p.path.local.port += 7;
	peer_reply(&p, put_nat);
	read_update(&p);
	peer_reply(&p, fill_moved);
	assert_int_equal(peer_count(&p, IKE_DO_MOVED), 2);
	assert_true(p.moved_ok);
	peer_close(&p);
}

static void liveness_check_without_nat_is_empty(void **state)
{
	struct peer p;

	peer_up_mobike(&p);
	peer_move(&p, "203.0.113.9");
	read_update(&p);
	peer_reply(&p, fill_moved);
	peer_wait(&p, 6000);
	assert_int_equal(peer_read(&p)->n_payloads, 0);
	peer_close(&p);
}

/* --- what the gateway tells ------------------------------------------- */

static void fill_addresses(struct peer *p, struct ike_wr *w)
{
	static const uint8_t a4[4] = {192, 0, 2, 99},
			     a6[16] = {0x20, 1, 0xd, 0xb8};

	ike_wr_notify(w, N_ADDITIONAL_IP4_ADDRESS, BYTES_OF(a4));
	ike_wr_notify(w, N_ADDITIONAL_IP6_ADDRESS, BYTES_OF(a6));
	ike_wr_notify(w, N_ADDITIONAL_IP4_ADDRESS, bytes_str("odd"));
	put_nat(p, w);
}

static void fill_no_addresses(struct peer *p, struct ike_wr *w)
{
	ike_wr_notify(w, N_NO_ADDITIONAL_ADDRESSES, BYTES_NONE);
}

static void addresses_of_the_gateway_are_kept(void **state)
{
	const struct ike_msg *m;
	const struct addr *a;
	struct ike_notify n;
	struct peer p;
	size_t count;

	peer_up_mobike(&p);
	a = ike_sa_addresses(p.sa, &count);
	assert_int_equal(count, 1);
	assert_int_equal(a[0].b[3], 7);
	m = peer_ask(&p, INFORMATIONAL, fill_addresses);
	/* 3.8: asked with them, answered with them */
	assert_true(ike_msg_notify(m, N_NAT_DETECTION_SOURCE_IP, &n));
	assert_true(ike_msg_notify(m, N_NAT_DETECTION_DESTINATION_IP, &n));
	a = ike_sa_addresses(p.sa, &count);
	assert_int_equal(count, 2);
	assert_int_equal(a[0].b[3], 99);
	assert_int_equal(a[1].family, ADDR_V6);
	peer_ask(&p, INFORMATIONAL, fill_no_addresses);
	ike_sa_addresses(p.sa, &count);
	assert_int_equal(count, 0);
	peer_close(&p);
}

/* --- path tests (3.10) ---------------------------------------------------- */

static void probe(struct link *l, const char *local)
{
	struct ike_path path = path_from(local, 41000);

	assert_int_equal(ike_sa_probe(l->sa, &path, l->now_ms), OK);
	assert_int_equal(ike_sa_probe(l->sa, &path, l->now_ms), ERR_BUSY);
	link_pull(l);
}

static void a_path_that_works_is_told_in_one_round_trip(void **state)
{
	struct gw_session_info info;
	struct link l;
	size_t sent;

	up(&l);
	sent = l.n_sent;
	probe(&l, "203.0.113.9");
	link_run(&l, 2 * l.delay_ms);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 1);
	assert_true(l.probed);
	assert_int_equal(l.n_sent, sent + 1);
	/* nothing moved */
	assert_true(gw_session_info(l.gw, 0, &info));
	assert_true(addr_eq(&info.path.remote, &l.path.local));
	assert_true(addr_eq(&ike_sa_path(l.sa)->local, &l.path.local));
	probe(&l, "203.0.113.9");
	link_close(&l);
}

static bool lose_the_other_path(struct link *l, bool to_gw, uint8_t *d,
				size_t *len)
{
	return addr_eq_host(&l->passing.local, &l->path.local);
}

static void a_path_that_does_not_work_costs_half_a_second(void **state)
{
	struct link l;

	up(&l);
	l.filter = lose_the_other_path;
	probe(&l, "203.0.113.9");
	/* what has to wait goes on behind it */
	assert_int_equal(ike_sa_ask_ticket(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 600);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 1);
	assert_false(l.probed);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 2);
	link_run(&l, 30000);
	assert_false(l.closed);
	link_close(&l);
}

static bool lose_the_first_path(struct link *l, bool to_gw, uint8_t *d,
				size_t *len)
{
	struct ike_path first = path_from("192.0.2.10", 0);

	return !addr_eq_host(&l->passing.local, &first.local);
}

static void a_length_that_had_to_wait_is_asked_on_the_new_path(void **state)
{
	struct link l;

	up(&l);
	l.filter = lose_the_first_path;
	assert_false(lose_the_first_path(&l, true, NULL, NULL));
	assert_int_equal(ike_sa_ask_ticket(l.sa, l.now_ms), OK);
	assert_int_equal(ike_sa_probe_len(l.sa, 1400, l.now_ms), OK);
	move(&l, "203.0.113.9");
	link_run(&l, 3000);
	assert_true(l.moved);
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 1);
	assert_true(l.probed);
	link_close(&l);
}

static void a_move_ends_a_probe(void **state)
{
	struct link l;

	up(&l);
	l.filter = lose_the_other_path;
	probe(&l, "203.0.113.9");
	l.filter = NULL;
	move(&l, "203.0.113.10");
	assert_int_equal(link_count(&l, IKE_DO_PROBED), 1);
	assert_false(l.probed);
	link_run(&l, 4 * l.delay_ms + 100);
	assert_true(l.moved);
	assert_gateway_at(&l, "203.0.113.10");
	link_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(move_costs_one_round_trip_and_keeps_every_sa),
		cmocka_unit_test(move_needs_a_gateway_that_said_so),
		cmocka_unit_test(resumed_sa_moves_too),
		cmocka_unit_test(last_of_several_moves_counts),
		cmocka_unit_test(open_request_goes_first_over_the_new_path),
		cmocka_unit_test(
			lost_update_is_sent_again_within_half_a_second),
		cmocka_unit_test(silence_on_the_new_path_closes),
		cmocka_unit_test(refusal_leaves_the_sa_where_it_was),
		cmocka_unit_test(
			update_hides_the_source_and_names_the_destination),
		cmocka_unit_test(nat_on_the_new_path_is_noticed),
		cmocka_unit_test(answer_without_the_cookie_closes),
		cmocka_unit_test(
			unexpected_nat_is_asked_again_with_another_cookie),
		cmocka_unit_test(refusal_needs_no_cookie),
		cmocka_unit_test(answer_to_an_older_move_is_ignored),
		cmocka_unit_test(new_mapping_of_a_nat_is_told_to_the_gateway),
		cmocka_unit_test(liveness_check_without_nat_is_empty),
		cmocka_unit_test(addresses_of_the_gateway_are_kept),
		cmocka_unit_test(a_path_that_works_is_told_in_one_round_trip),
		cmocka_unit_test(a_path_that_does_not_work_costs_half_a_second),
		cmocka_unit_test(
			a_length_that_had_to_wait_is_asked_on_the_new_path),
		cmocka_unit_test(a_move_ends_a_probe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
