/* Several paths to one gateway: the first answer decides. */
#include "tests/unit/ike_link.h"

static struct ike_path other(const char *remote, uint16_t port)
{
	struct ike_path p = {.tcp = port == 443};

	assert_int_equal(addr_parse("192.0.2.20", &p.local), OK);
	assert_int_equal(addr_parse(remote, &p.remote), OK);
	p.local.port = 41000;
	p.remote.port = port;
	return p;
}

static size_t sent_to[65536]; /* by the gateway's port */
static uint16_t dead_port;
static bool dead_home; /* the path the link began with */

static bool by_path(struct link *l, bool to_gw, uint8_t *d, size_t *len)
{
	if (to_gw)
		sent_to[l->passing.remote.port]++;
	if (dead_port && l->passing.remote.port == dead_port)
		return false;
	return !dead_home || !addr_eq(&l->passing.local, &l->path.local);
}

static void prepare(struct link *l)
{
	memset(sent_to, 0, sizeof(sent_to));
	dead_port = 0;
	dead_home = false;
	link_init(l);
	l->filter = by_path;
	l->tcp_port = 443;
}

static void begin(struct link *l)
{
	prepare(l);
	link_open(l);
}

static void race(struct link *l, const struct ike_path *p)
{
	assert_int_equal(ike_sa_race(l->sa, p, l->now_ms), OK);
	link_pull(l);
}

static void assert_path(const struct link *l, const struct ike_path *want)
{
	const struct ike_path *p = ike_sa_path(l->sa);

	assert_true(addr_eq(&p->local, &want->local));
	assert_true(addr_eq(&p->remote, &want->remote));
	assert_int_equal(p->tcp, want->tcp);
}

static void the_path_that_answers_carries_the_sa(void **state)
{
	struct ike_path b = other("198.51.100.2", 4500);
	struct gw_session_info info;
	struct link l;

	begin(&l);
	dead_home = true;
	link_start(&l);
	link_run(&l, 250);
	assert_true(ike_sa_is_racing(l.sa));
	race(&l, &b);
	link_run(&l, 200);
	assert_true(l.up);
	assert_path(&l, &b);
	/* Its NAT detection was of that path. */
	assert_false(l.behind_nat);
	assert_true(gw_session_info(l.gw, 0, &info));
	assert_true(addr_eq(&info.path.remote, &b.local));
	assert_int_equal(ike_sa_race(l.sa, &b, l.now_ms), ERR_STATE);
	link_close(&l);
}

static void a_ticket_races_too(void **state)
{
	struct ike_path b = other("198.51.100.2", 4500);
	struct link l;

	begin(&l);
	link_connect(&l);
	link_run(&l, 300);
	assert_true(l.have_ticket);
	link_again(&l);
	dead_home = true;
	link_resume(&l);
	link_run(&l, 250);
	race(&l, &b);
	link_run(&l, 200);
	assert_true(l.resumed);
	assert_path(&l, &b);
	link_close(&l);
}

static void the_first_answer_wins_and_the_other_is_not_heard(void **state)
{
	struct ike_path b = other("198.51.100.2", 4500);
	struct link l;
	size_t heard;

	begin(&l);
	l.delay_ms = 100;
	link_start(&l);
	link_run(&l, 50);
	race(&l, &b);
	heard = l.n_heard;
	link_run(&l, 400);
	assert_true(l.up);
	assert_path(&l, &l.path);
	/* IKE_SA_INIT twice, IKE_AUTH once */
	assert_int_equal(l.n_heard - heard, 3);
	assert_int_equal(gw_counters(l.gw)->connected, 1);
	link_close(&l);
}

static void every_path_is_repeated_but_tcp(void **state)
{
	struct ike_path b = other("198.51.100.2", 4501);
	struct ike_path c = other("198.51.100.2", 443);
	struct link l;

	begin(&l);
	l.delay_ms = 100000;
	link_start(&l);
	race(&l, &b);
	race(&l, &c);
	link_run(&l, 2500);
	assert_int_equal(sent_to[4500], 3);
	assert_int_equal(sent_to[4501], 3);
	assert_int_equal(sent_to[443], 1);
	link_close(&l);
}

static void a_late_path_is_given_time(void **state)
{
	struct ike_path b = other("198.51.100.2", 4500);
	struct link l;

	prepare(&l);
	l.cfg.max_tries = 2;
	link_open(&l);
	dead_home = true;
	link_start(&l);
	link_run(&l, 1000);
	l.delay_ms = 600;
	race(&l, &b);
	link_run(&l, 4000);
	assert_true(l.up);
	link_close(&l);
}

static void a_cookie_goes_back_on_the_path_it_came(void **state)
{
	struct ike_path b = other("198.51.100.2", 4500);
	struct link l;

	begin(&l);
	gw_switches(l.gw)->cookie = true;
	dead_home = true;
	link_start(&l);
	race(&l, &b);
	link_run(&l, 2000);
	assert_true(l.up);
	assert_path(&l, &b);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 3);
	link_close(&l);
}

static void from_port_500_it_goes_to_4500(void **state)
{
	struct ike_path b = other("198.51.100.1", 500);
	struct link l;

	begin(&l);
	dead_home = true;
	link_start(&l);
	race(&l, &b);
	link_run(&l, 200);
	assert_true(l.up);
	b.remote.port = 4500;
	assert_path(&l, &b);
	assert_int_equal(sent_to[500], 1);
	link_close(&l);
}

static void over_tcp_nothing_is_cut_kept_open_or_sent_twice(void **state)
{
	struct ike_path b = other("198.51.100.1", 443);
	struct link l;
	size_t sent;

	prepare(&l);
	l.cfg.max_datagram = 576;
	l.cfg.keepalive_ms = 1000;
	link_use_certs(&l, IKE_AUTH_CERT);
	link_open(&l);
	dead_port = 4500;
	link_start(&l);
	race(&l, &b);
	link_run(&l, 300);
	assert_true(l.up);
	/* IKE_SA_INIT, IKE_AUTH: one message each */
	assert_int_equal(sent_to[443], 2);
	sent = l.n_sent;
	link_run(&l, 60000);
	assert_int_equal(l.n_sent, sent);
	assert_int_equal(link_count(&l, IKE_DO_KEEPALIVE), 0);
	dead_port = 443;
	assert_int_equal(ike_sa_check_alive(l.sa, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 60000);
	assert_int_equal(l.n_sent, sent + 1);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_NO_ANSWER);
	link_close(&l);
}

static void a_new_connection_brings_what_was_open(void **state)
{
	struct ike_path b = other("198.51.100.1", 443), c = b;
	struct gw_session_info info;
	struct link l;

	begin(&l);
	l.path = b;
	link_connect(&l);
	dead_port = 443; /* the connection is cut */
	assert_int_equal(ike_sa_rekey_ike(l.sa, l.now_ms), OK);
	link_pull(&l);
	dead_port = 0;
	c.local.port++;
	assert_int_equal(ike_sa_reconnect(l.sa, &c, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 300);
	assert_int_equal(gw_counters(l.gw)->ike_rekeys, 1);
	assert_path(&l, &c);
	assert_true(gw_session_info(l.gw, 0, &info));
	link_close(&l);
}

static void an_idle_sa_says_that_it_lives_on_a_new_connection(void **state)
{
	struct ike_path b = other("198.51.100.1", 443);
	struct link l;
	size_t sent;

	begin(&l);
	link_connect(&l);
	link_run(&l, 300);
	sent = l.n_sent;
	assert_int_equal(ike_sa_reconnect(l.sa, &b, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 100);
	assert_int_equal(l.n_sent, sent + 1);
	assert_int_equal(sent_to[443], 1);
	link_close(&l);
}

static void a_move_goes_on_over_tcp(void **state)
{
	struct ike_path udp = other("198.51.100.1", 4500);
	struct ike_path tcp = other("198.51.100.1", 443);
	struct gw_session_info info;
	struct link l;

	begin(&l);
	link_connect(&l);
	link_run(&l, 300);
	dead_port = 4500;
	assert_int_equal(ike_sa_move(l.sa, &udp, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 1000);
	assert_true(ike_sa_is_racing(l.sa));
	race(&l, &tcp);
	link_run(&l, 200);
	assert_true(l.moved);
	assert_false(ike_sa_is_racing(l.sa));
	assert_path(&l, &tcp);
	assert_true(gw_session_info(l.gw, 0, &info));
	assert_true(addr_eq(&info.path.local, &tcp.remote));
	link_close(&l);
}

static void a_late_answer_brings_a_move_back_to_its_path(void **state)
{
	struct ike_path a = other("198.51.100.1", 4500);
	struct ike_path b = other("198.51.100.1", 4501);
	struct link l;

	begin(&l);
	link_connect(&l);
	link_run(&l, 300);
	l.delay_ms = 400;
	dead_port = 4501;
	assert_int_equal(ike_sa_move(l.sa, &a, l.now_ms), OK);
	link_pull(&l);
	link_run(&l, 300);
	race(&l, &b);
	link_run(&l, 2000);
	assert_true(l.moved);
	assert_path(&l, &a);
	link_close(&l);
}

static void paths_beyond_the_limit_are_refused(void **state)
{
	struct ike_path b = other("198.51.100.2", 4500);
	struct link l;
	enum err e = OK;
	int n = 0;

	begin(&l);
	dead_home = true;
	link_start(&l);
	for (; e == OK && n < 100; n++)
		e = ike_sa_race(l.sa, &b, l.now_ms);
	assert_int_equal(e, ERR_NO_SPACE);
	assert_int_equal(n, 16);
	link_pull(&l);
	link_run(&l, 300);
	assert_true(l.up);
	link_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_path_that_answers_carries_the_sa),
		cmocka_unit_test(a_ticket_races_too),
		cmocka_unit_test(
			the_first_answer_wins_and_the_other_is_not_heard),
		cmocka_unit_test(every_path_is_repeated_but_tcp),
		cmocka_unit_test(a_late_path_is_given_time),
		cmocka_unit_test(a_cookie_goes_back_on_the_path_it_came),
		cmocka_unit_test(from_port_500_it_goes_to_4500),
		cmocka_unit_test(
			over_tcp_nothing_is_cut_kept_open_or_sent_twice),
		cmocka_unit_test(a_new_connection_brings_what_was_open),
		cmocka_unit_test(
			an_idle_sa_says_that_it_lives_on_a_new_connection),
		cmocka_unit_test(a_move_goes_on_over_tcp),
		cmocka_unit_test(a_late_answer_brings_a_move_back_to_its_path),
		cmocka_unit_test(paths_beyond_the_limit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
