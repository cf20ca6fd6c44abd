/* The initiator against the test gateway: connecting. */
#include "tests/unit/ike_link.h"

#include <stdio.h>
#include <stdlib.h>

#include "platform/base/log.h"

static void say(enum log_level level, const char *text, void *ctx)
{
	fprintf(stderr, "# %s\n", text);
}

static void connect_with_psk_brings_configuration_child_and_ticket(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	link_connect(&l);
	link_assert_children(&l, 1);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 1);
	assert_true(link_first(&l, IKE_DO_NETCONF) <
		    link_first(&l, IKE_DO_CHILD_ADD));
	assert_true(link_first(&l, IKE_DO_CHILD_ADD) <
		    link_first(&l, IKE_DO_TICKET));
	assert_true(link_first(&l, IKE_DO_TICKET) < link_first(&l, IKE_DO_UP));
	assert_int_equal(l.conf.inner_v4.family, ADDR_V4);
	assert_int_equal(l.conf.inner_v6.family, ADDR_V6);
	assert_int_equal(l.conf.n_dns, 1);
	assert_string_equal(l.conf.domains[0], "lab.example.org");
	assert_false(l.resumed);
	assert_false(l.behind_nat);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 2);
	assert_int_equal(ike_sa_stats(l.sa)->sent_packets, 2);
	assert_int_equal(ike_sa_stats(l.sa)->rtt_ms, 20);
	link_close(&l);
}

static void connect_with_certificates(void **state)
{
	struct link l;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_CERT);
	link_open(&l);
	link_connect(&l);
	link_assert_children(&l, 1);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 2);
	link_close(&l);
}

static void connect_with_eap(void **state)
{
	struct link l;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_EAP_MSCHAPV2);
	link_open(&l);
	link_connect(&l);
	link_assert_children(&l, 1);
	assert_true(link_first(&l, IKE_DO_ASK_VERIFY) <
		    link_first(&l, IKE_DO_ASK_SECRET));
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 6);
	link_close(&l);
}

/* --- IKE_SA_INIT ------------------------------------------------------ */

static void init_follows_a_cookie(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	gw_switches(l.gw)->cookie = true;
	link_start(&l);
	link_run(&l, 400);
	assert_false(l.up); /* whoever sent it, a better answer may come */
	link_run(&l, 400);
	assert_true(l.up);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 3);
	link_close(&l);
}

static void init_follows_the_group_the_gateway_wants(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	assert_int_equal(gw_set_groups(l.gw, "ecp384"), OK);
	link_connect(&l);
	assert_int_equal(ike_sa_suite(l.sa)->ke, KE_ECP_384);
	assert_int_equal(ike_sa_stats(l.sa)->round_trips, 3);
	link_close(&l);
}

static void init_tries_modp2048_after_two_silent_retransmissions(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	assert_int_equal(gw_set_groups(l.gw, "modp2048"), OK);
	gw_switches(l.gw)->silent_ke = true;
	link_start(&l);
	link_run(&l, 2000);
	assert_false(l.up);
	assert_int_equal(l.n_sent, 3);
	link_run(&l, 4000);
	assert_true(l.up);
	assert_int_equal(ike_sa_suite(l.sa)->ke, KE_MODP_2048);
	link_close(&l);
}

static void init_waits_before_it_believes_no_proposal_chosen(void **state)
{
	struct link l;
	struct diag diag = DIAG_INIT;

	link_init(&l);
	assert_int_equal(proposals_from_text("aes256-prfsha512-sha512-ecp384",
					     PROTO_IKE, &l.gwc.ike, &diag),
			 OK);
	assert_int_equal(proposals_from_text("aes128gcm16-prfsha256-x25519",
					     PROTO_IKE, &l.cfg.ike_proposals,
					     &diag),
			 OK);
	link_open(&l);
	link_start(&l);
	link_run(&l, 1500);
	assert_false(l.closed);
	link_run(&l, 1500);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_NO_PROPOSAL);
	assert_false(l.auth_sent);
	link_close(&l);
}

static void init_gives_up_when_nobody_answers(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	gw_switches(l.gw)->silent = true;
	link_start(&l);
	link_run(&l, 60000);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_NO_ANSWER);
	assert_non_null(strstr(l.detail, "198.51.100.1:4500"));
	assert_int_equal(ike_sa_next_deadline(l.sa), INT64_MAX);
	link_close(&l);
}

/* The n-th datagram is lost, for every n: each message once. */
static size_t lose_at, seen;

static bool lose_one(struct link *l, bool to_gw, uint8_t *d, size_t *len)
{
	return ++seen != lose_at;
}

static void connect_survives_the_loss_of_any_datagram(void **state)
{
	for (lose_at = 1; lose_at <= 12; lose_at++) {
		struct link l;

		link_init(&l);
		link_use_certs(&l, IKE_AUTH_EAP_MSCHAPV2);
		link_open(&l);
		seen = 0;
		l.filter = lose_one;
		link_start(&l);
		link_run(&l, 3000);
		assert_true(l.up);
		link_assert_children(&l, 1);
		assert_int_equal(ike_sa_stats(l.sa)->retransmissions, 1);
		link_close(&l);
	}
}

static bool behind_router(struct link *l, bool to_gw, uint8_t *d, size_t *len)
{
	return true;
}

static void connect_sees_that_it_is_behind_nat(void **state)
{
	struct link l;

	link_init(&l);
	l.cfg.force_encap = false;
	l.filter = behind_router;
	link_open(&l);
	l.path.local.family = ADDR_NONE; /* we do not know ours */
	link_start(&l);
	link_run(&l, 400);
	assert_true(l.up);
	assert_true(l.behind_nat);
	link_close(&l);
}

/* --- IKE_AUTH --------------------------------------------------------- */

static void closed_with(struct link *l, enum err why)
{
	link_start(l);
	link_run(l, 30000);
	assert_true(l->closed);
	assert_int_equal(l->why, why);
	assert_int_equal(link_count(l, IKE_DO_CHILD_ADD), 0);
	assert_int_equal(link_count(l, IKE_DO_UP), 0);
	assert_int_equal(link_count(l, IKE_DO_TICKET), 0);
	assert_true(l->detail[0]);
}

static void auth_with_a_wrong_psk_is_refused(void **state)
{
	struct link l;
	struct secret other;

	link_init(&l);
	assert_int_equal(secret_set(&other, bytes_str("another word")), OK);
	l.gwc.psk = &other;
	link_open(&l);
	closed_with(&l, ERR_AUTH);
	link_close(&l);
}

static void auth_of_a_gateway_without_the_psk_is_not_believed(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	gw_switches(l.gw)->wrong_auth = true;
	closed_with(&l, ERR_UNTRUSTED);
	link_close(&l);
}

static void auth_of_another_gateway_is_not_believed(void **state)
{
	struct link l;

	link_init(&l);
	link_open(&l);
	gw_switches(l.gw)->wrong_idr = true;
	closed_with(&l, ERR_UNTRUSTED);
	link_close(&l);
}

static void eap_gives_nothing_to_a_gateway_without_proof(void **state)
{
	struct link l;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_EAP_MSCHAPV2);
	link_open(&l);
	gw_switches(l.gw)->wrong_auth = true;
	closed_with(&l, ERR_AUTH); /* sig_verify's verdict */
	assert_false(l.password_given);
	link_close(&l);

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_EAP_MSCHAPV2);
	l.verdict = ERR_UNTRUSTED;
	link_open(&l);
	closed_with(&l, ERR_UNTRUSTED);
	assert_false(l.password_given);
	/* INIT, AUTH without EAP, one notify: no EAP identity either */
	assert_int_equal(l.n_sent, 3);
	link_close(&l);
}

static void eap_success_before_the_proof_is_refused(void **state)
{
	struct link l;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_EAP_MSCHAPV2);
	link_open(&l);
	gw_switches(l.gw)->early_eap_success = true;
	closed_with(&l, ERR_UNTRUSTED);
	assert_false(l.password_given);
	link_close(&l);
}

static void eap_with_a_wrong_password_tells_why(void **state)
{
	struct link l;
	struct secret other;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_EAP_MSCHAPV2);
	assert_int_equal(secret_set(&other, bytes_str("wrong")), OK);
	l.user.password = &other;
	link_open(&l);
	closed_with(&l, ERR_AUTH);
	assert_non_null(strstr(l.detail, "691"));
	link_close(&l);
}

static void ticket_in_a_non_final_answer_is_ignored(void **state)
{
	struct link l;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_EAP_MSCHAPV2);
	link_open(&l);
	gw_switches(l.gw)->early_ticket = true;
	gw_switches(l.gw)->nack_request = true;
	link_connect(&l);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 0);
	link_close(&l);
}

static void ticket_is_not_taken_when_not_wanted(void **state)
{
	struct link l;

	link_init(&l);
	l.cfg.want_ticket = false;
	link_open(&l);
	gw_switches(l.gw)->push = true;
	link_connect(&l);
	link_run(&l, 1000);
	assert_int_equal(link_count(&l, IKE_DO_TICKET), 0);
	link_close(&l);
}

/* --- a child that cannot be ------------------------------------------- */

static void child_refusal_closes_after_a_delete(void **state)
{
	struct diag diag = DIAG_INIT;
	struct link l;

	link_init(&l);
	assert_int_equal(proposals_from_text("aes128-sha512", PROTO_ESP,
					     &l.gwc.esp, &diag),
			 OK);
	assert_int_equal(proposals_from_text("aes256gcm16", PROTO_ESP,
					     &l.cfg.esp_proposals, &diag),
			 OK);
	link_open(&l);
	closed_with(&l, ERR_NO_PROPOSAL);
	assert_int_equal(gw_counters(l.gw)->deletes_received, 1);
	assert_int_equal(gw_session_count(l.gw), 0);
	link_close(&l);
}

static void selectors_refused_close_after_a_delete(void **state)
{
	struct prefix p;
	struct link l;

	link_init(&l);
	assert_int_equal(prefix_parse("10.1.0.0/16", &p), OK);
	l.gwc.ts.n = 1;
	ike_ts_from_prefix(&p, &l.gwc.ts.ts[0]);
	assert_int_equal(prefix_parse("10.2.0.0/16", &p), OK);
	l.cfg.ts_remote.n = 1;
	ike_ts_from_prefix(&p, &l.cfg.ts_remote.ts[0]);
	link_open(&l);
	closed_with(&l, ERR_TS_UNACCEPTABLE);
	assert_int_equal(gw_session_count(l.gw), 0);
	link_close(&l);
}

static void no_inner_address_closes_after_a_delete(void **state)
{
	struct link l;

	link_init(&l);
	l.gwc.pool4.addr.family = l.gwc.pool6.addr.family = ADDR_NONE;
	link_open(&l);
	closed_with(&l, ERR_PEER);
	assert_int_equal(gw_session_count(l.gw), 0);
	link_close(&l);
}

/* --- fragmentation ---------------------------------------------------- */

static size_t longest;

static bool measure(struct link *l, bool to_gw, uint8_t *d, size_t *len)
{
	if (d[18] == IKE_AUTH && *len > longest)
		longest = *len;
	return ++seen != lose_at;
}

static void long_messages_go_in_fragments_and_all_are_repeated(void **state)
{
	for (lose_at = 0; lose_at < 10; lose_at++) {
		struct link l;

		link_init(&l);
		link_use_certs(&l, IKE_AUTH_CERT);
		l.cfg.max_datagram = l.gwc.max_datagram = 576;
		link_open(&l);
		seen = longest = 0;
		l.filter = measure;
		link_start(&l);
		link_run(&l, 4000);
		assert_true(l.up);
		assert_in_range(longest, 500, 576);
		assert_true(gw_counters(l.gw)->fragments_in >= 2);
		assert_true(gw_counters(l.gw)->fragments_out >= 2);
		link_assert_children(&l, 1);
		link_close(&l);
	}
}

static void fragments_are_not_sent_unless_both_announced_them(void **state)
{
	struct link l;

	link_init(&l);
	link_use_certs(&l, IKE_AUTH_CERT);
	l.cfg.max_datagram = 576;
	l.gwc.fragmentation = false;
	link_open(&l);
	seen = longest = lose_at = 0;
	l.filter = measure;
	link_connect(&l);
	assert_true(longest > 576);
	assert_int_equal(gw_counters(l.gw)->fragments_in, 0);
	link_close(&l);
}

static void verbs_out_of_order_are_refused(void **state)
{
	struct link l;
	uint8_t junk[64] = {1, 2, 3};

	link_init(&l);
	link_open(&l);
	assert_int_equal(ike_sa_rekey_ike(l.sa, 1), ERR_STATE);
	assert_int_equal(ike_sa_rekey_child(l.sa, 1), ERR_STATE);
	assert_int_equal(ike_sa_ask_ticket(l.sa, 1), ERR_STATE);
	assert_int_equal(ike_sa_check_alive(l.sa, 1), ERR_STATE);
	assert_int_equal(ike_sa_give_secret(l.sa, &l.psk, 1), ERR_STATE);
	assert_int_equal(ike_sa_give_verdict(l.sa, OK, "", 1), ERR_STATE);
	assert_int_equal(ike_sa_give_signature(l.sa, 1, BYTES_NONE, 1),
			 ERR_STATE);
	assert_int_equal(link_inject(&l, junk, sizeof(junk)), ERR_NOT_FOUND);
	assert_int_equal(link_inject(&l, junk, 0), ERR_NOT_FOUND);
	link_start(&l);
	assert_int_equal(ike_sa_start(l.sa, &l.path, l.now_ms), ERR_STATE);
	assert_int_equal(ike_sa_delete(l.sa, l.now_ms), OK);
	link_pull(&l);
	assert_true(l.closed);
	assert_int_equal(l.why, ERR_CANCELLED);
	assert_int_equal(ike_sa_delete(l.sa, l.now_ms), ERR_STATE);
	link_close(&l);
}

/* RFC 8598 3.2 */
static void domains_without_name_servers_are_left_out(void **state)
{
	struct link l;

	link_init(&l);
	l.gwc.n_dns = 0;
	link_open(&l);
	link_connect(&l);
	assert_int_equal(l.conf.n_dns, 0);
	assert_int_equal(l.conf.n_domains, 0);
	link_close(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			connect_with_psk_brings_configuration_child_and_ticket),
		cmocka_unit_test(connect_with_certificates),
		cmocka_unit_test(connect_with_eap),
		cmocka_unit_test(init_follows_a_cookie),
		cmocka_unit_test(init_follows_the_group_the_gateway_wants),
		cmocka_unit_test(
			init_tries_modp2048_after_two_silent_retransmissions),
		cmocka_unit_test(
			init_waits_before_it_believes_no_proposal_chosen),
		cmocka_unit_test(init_gives_up_when_nobody_answers),
		cmocka_unit_test(connect_survives_the_loss_of_any_datagram),
		cmocka_unit_test(connect_sees_that_it_is_behind_nat),
		cmocka_unit_test(auth_with_a_wrong_psk_is_refused),
		cmocka_unit_test(
			auth_of_a_gateway_without_the_psk_is_not_believed),
		cmocka_unit_test(auth_of_another_gateway_is_not_believed),
		cmocka_unit_test(eap_gives_nothing_to_a_gateway_without_proof),
		cmocka_unit_test(eap_success_before_the_proof_is_refused),
		cmocka_unit_test(eap_with_a_wrong_password_tells_why),
		cmocka_unit_test(ticket_in_a_non_final_answer_is_ignored),
		cmocka_unit_test(ticket_is_not_taken_when_not_wanted),
		cmocka_unit_test(child_refusal_closes_after_a_delete),
		cmocka_unit_test(selectors_refused_close_after_a_delete),
		cmocka_unit_test(no_inner_address_closes_after_a_delete),
		cmocka_unit_test(
			long_messages_go_in_fragments_and_all_are_repeated),
		cmocka_unit_test(
			fragments_are_not_sent_unless_both_announced_them),
		cmocka_unit_test(domains_without_name_servers_are_left_out),
		cmocka_unit_test(verbs_out_of_order_are_refused),
	};

	if (getenv("IKE_TEST_LOG"))
		log_open(say, NULL, LOG_DEBUG);
	return cmocka_run_group_tests_name("ike_sa", tests, NULL, NULL);
}
