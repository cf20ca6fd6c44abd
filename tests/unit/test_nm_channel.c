/* The channel of the NetworkManager service and its core, above all what a
 * core that was taken over could say. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "client/nm/channel.h"

#define CONFIG_OCTETS_MAX 8192

struct rig {
	int ours, theirs;
	enum channel_kind kind;
	struct bytes body;
	uint8_t buf[CHANNEL_MAX];
};

static int rig_open(void **state)
{
	struct rig *r = calloc(1, sizeof(*r));
	int sv[2];

	assert_non_null(r);
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, sv), 0);
	r->ours = sv[0];
	r->theirs = sv[1];
	*state = r;
	return 0;
}

static int rig_close(void **state)
{
	struct rig *r = *state;

	close(r->ours);
	if (r->theirs >= 0)
		close(r->theirs);
	free(r);
	return 0;
}

static enum err hear(struct rig *r)
{
	return channel_receive(r->ours, r->buf, &r->kind, &r->body);
}

static struct channel_config config_some(void)
{
	struct channel_config c;
	struct net_conf *n = &c.conf;

	memset(&c, 0, sizeof(c));
	strcpy(c.interface, "vpn3");
	n->mtu = 1400;
	n->dns_all = true;
	n->n_addrs = 2;
	assert_int_equal(prefix_parse("10.77.0.2", &n->addrs[0]), OK);
	assert_int_equal(prefix_parse("fd00:77::2", &n->addrs[1]), OK);
	n->n_routes = 1;
	assert_int_equal(prefix_parse("10.9.0.0/24", &n->routes[0]), OK);
	n->n_dns = 1;
	assert_int_equal(addr_parse("10.9.0.53", &n->dns[0]), OK);
	n->n_domains = 1;
	strcpy(n->domains[0], "lab.test");
	return c;
}

static void a_message_arrives_with_its_kind_and_body(void **state)
{
	struct rig *r = *state;

	assert_int_equal(
		channel_send(r->theirs, CHANNEL_ASK, bytes_str("Password")),
		OK);
	assert_int_equal(hear(r), OK);
	assert_int_equal(r->kind, CHANNEL_ASK);
	assert_true(bytes_eq(r->body, bytes_str("Password")));
}

static void nothing_yet_is_not_the_end(void **state)
{
	struct rig *r = *state;

	assert_int_equal(hear(r), ERR_NOT_FOUND);
	close(r->theirs);
	r->theirs = -1;
	assert_int_equal(hear(r), ERR_GONE);
	assert_int_equal(channel_send(r->ours, CHANNEL_SUSPEND, BYTES_NONE),
			 ERR_GONE);
}

static void what_was_said_before_the_end_is_heard(void **state)
{
	struct rig *r = *state;

	/* Unread on the other side: the end is a reset. */
	assert_int_equal(channel_send(r->ours, CHANNEL_SUSPEND, BYTES_NONE),
			 OK);
	assert_int_equal(
		channel_send(r->theirs, CHANNEL_PROGRESS, bytes_str("bye")),
		OK);
	close(r->theirs);
	r->theirs = -1;
	assert_int_equal(hear(r), OK);
	assert_true(bytes_eq(r->body, bytes_str("bye")));
	assert_int_equal(hear(r), ERR_GONE);
}

static void an_unknown_kind_is_refused(void **state)
{
	static const uint8_t kinds[] = {0, 8, 99, 255};
	struct rig *r = *state;

	for (size_t i = 0; i < sizeof(kinds); i++) {
		assert_int_equal(send(r->theirs, &kinds[i], 1, 0), 1);
		assert_int_equal(hear(r), ERR_MALFORMED);
	}
}

static void a_message_that_is_too_long_is_refused(void **state)
{
	struct rig *r = *state;
	uint8_t *big = calloc(1, CHANNEL_MAX + 1);

	assert_non_null(big);
	big[0] = CHANNEL_PROGRESS;
	assert_int_equal(channel_send(r->theirs, CHANNEL_PROGRESS,
				      bytes(big, CHANNEL_MAX)),
			 ERR_NO_SPACE);
	assert_int_equal(send(r->theirs, big, CHANNEL_MAX + 1, 0),
			 CHANNEL_MAX + 1);
	assert_int_equal(hear(r), ERR_MALFORMED);
	free(big);
}

static void a_config_arrives_as_it_was_sent(void **state)
{
	struct rig *r = *state;
	struct channel_config sent = config_some(), got;

	assert_int_equal(channel_send_config(r->theirs, &sent), OK);
	assert_int_equal(hear(r), OK);
	assert_int_equal(r->kind, CHANNEL_CONFIG);
	assert_int_equal(channel_read_config(r->body, &got), OK);
	assert_string_equal(got.interface, "vpn3");
	assert_int_equal(got.conf.n_addrs, 2);
	assert_true(addr_eq(&got.conf.addrs[1].addr, &sent.conf.addrs[1].addr));
	assert_int_equal(got.conf.addrs[1].bits, 128);
	assert_true(addr_eq(&got.conf.dns[0], &sent.conf.dns[0]));
	assert_string_equal(got.conf.domains[0], "lab.test");
	assert_true(got.conf.dns_all);
}

static void every_truncated_config_is_refused(void **state)
{
	struct rig *r = *state;
	struct channel_config sent = config_some(), got;
	size_t len;

	assert_int_equal(channel_send_config(r->theirs, &sent), OK);
	assert_int_equal(hear(r), OK);
	len = r->body.len;
	assert_true(len < CONFIG_OCTETS_MAX);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(
			channel_read_config(bytes(r->body.p, cut), &got), OK);
}

static void an_interface_with_another_ones_name_is_refused(void **state)
{
	static const char *const names[] = {"", "../x", "VPN", "vpn 0"};
	struct rig *r = *state;
	struct channel_config sent = config_some(), got;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		memset(sent.interface, 0, sizeof(sent.interface));
		strcpy(sent.interface, names[i]);
		assert_int_equal(channel_send_config(r->theirs, &sent), OK);
		assert_int_equal(hear(r), OK);
		assert_int_equal(channel_read_config(r->body, &got),
				 ERR_MALFORMED);
	}
	/* Without an end. */
	memset(sent.interface, 'v', sizeof(sent.interface));
	assert_int_equal(channel_send_config(r->theirs, &sent), OK);
	assert_int_equal(hear(r), OK);
	assert_int_equal(channel_read_config(r->body, &got), ERR_MALFORMED);
}

static void the_reason_of_the_end_arrives(void **state)
{
	struct rig *r = *state;
	struct channel_closed sent = {.why = ERR_AUTH, .text = "no"}, got;

	assert_int_equal(channel_send_closed(r->theirs, &sent), OK);
	assert_int_equal(hear(r), OK);
	assert_int_equal(channel_read_closed(r->body, &got), OK);
	assert_int_equal(got.why, ERR_AUTH);
	assert_string_equal(got.text, "no");
	assert_int_equal(channel_read_closed(BYTES_NONE, &got), ERR_TRUNCATED);
	assert_int_equal(channel_read_closed(bytes_str("\xff"
						       "x"),
					     &got),
			 ERR_MALFORMED);
}

static void a_text_is_made_printable_and_cut(void **state)
{
	char long_text[2 * CHANNEL_TEXT_MAX], out[CHANNEL_TEXT_MAX];

	channel_text(bytes_str("a\n\x1b[31m\xc3\xa4"), out);
	assert_string_equal(out, "a??[31m??");
	memset(long_text, 'x', sizeof(long_text));
	channel_text(bytes(long_text, sizeof(long_text)), out);
	assert_int_equal(strlen(out), CHANNEL_TEXT_MAX - 1);
}

#define T(f) cmocka_unit_test_setup_teardown(f, rig_open, rig_close)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_message_arrives_with_its_kind_and_body),
		T(nothing_yet_is_not_the_end),
		T(what_was_said_before_the_end_is_heard),
		T(an_unknown_kind_is_refused),
		T(a_message_that_is_too_long_is_refused),
		T(a_config_arrives_as_it_was_sent),
		T(every_truncated_config_is_refused),
		T(an_interface_with_another_ones_name_is_refused),
		T(the_reason_of_the_end_arrives),
		T(a_text_is_made_printable_and_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
