#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "client/ike/ikev2.h"
#include "client/session/profile.h"

#define MINIMAL                                                                \
	"[gateway]\naddress = vpn.example.org\n"                               \
	"[identity]\nauth = psk\nid = alice@example.org\n"

static struct profile p;

static void parse_ok(const char *text)
{
	struct diag diag = DIAG_INIT;
	enum err e = profile_parse("work", text, &p, &diag);

	if (e)
		print_error("%s\n", diag.text);
	assert_int_equal(e, OK);
}

/* Refused with a single line that holds both texts. */
static void parse_refused(const char *text, const char *where, const char *what)
{
	struct diag diag = DIAG_INIT;

	assert_int_equal(profile_parse("work", text, &p, &diag), ERR_PROFILE);
	if (!strstr(diag.text, where) || !strstr(diag.text, what))
		print_error("got: %s\n", diag.text);
	assert_non_null(strstr(diag.text, where));
	assert_non_null(strstr(diag.text, what));
	assert_null(strchr(diag.text, '\n'));
}

static void assert_name(const struct ike_name *n, uint8_t type,
			const char *text)
{
	assert_int_equal(n->type, type);
	assert_int_equal(n->len, strlen(text));
	assert_memory_equal(n->b, text, n->len);
}

static void a_minimal_profile_has_the_documented_defaults(void **state)
{
	char buf[ADDR_STR_MAX];

	parse_ok(MINIMAL);
	assert_string_equal(p.name, "work");
	assert_string_equal(p.gateway, "vpn.example.org");
	assert_int_equal(p.port, 4500);
	assert_int_equal(p.transport, TRANSPORT_AUTO);
	assert_int_equal(p.n_tcp_ports, 2);
	assert_int_equal(p.tcp_ports[0], 4500);
	assert_int_equal(p.tcp_ports[1], 443);
	assert_name(&p.gateway_id, ID_FQDN, "vpn.example.org");
	assert_string_equal(p.ca, "");
	assert_int_equal(p.auth, IKE_AUTH_PSK);
	assert_name(&p.id, ID_RFC822_ADDR, "alice@example.org");
	assert_int_equal(p.n_networks, 2);
	assert_string_equal(prefix_str(&p.networks[0], buf), "0.0.0.0/0");
	assert_string_equal(prefix_str(&p.networks[1], buf), "::/0");
	assert_true(p.dns);
	assert_false(p.allow_lan);
	assert_true(p.block_other_family);
	assert_int_equal(p.mtu, 0);
	assert_true(p.tickets);
	assert_false(p.pfs);
	assert_int_equal(p.dpd_ms, 30000);
	assert_int_equal(p.ike_rekey_ms, 4 * 3600 * 1000);
	assert_int_equal(p.child_rekey_ms, 3600 * 1000);
	assert_int_equal(p.keepalive_ms, 20000);
	assert_true(p.ike.n > 0);
	assert_true(p.esp.n > 0);
}

static void every_key_is_understood(void **state)
{
	char buf[ADDR_STR_MAX];

	parse_ok("# all of them\n"
		 "[gateway]\naddress=192.0.2.7\nid = gw.example.org\n"
		 "ca=/etc/ca.pem\nport = 4501\n"
		 "[identity]\nid=203.0.113.9\nauth=eap-mschapv2\n"
		 "user = DOMAIN\\alice\npassword-file=pw ; a comment\n"
		 "[tunnel]\nnetworks=10.0.0.0/8,\n   2001:db8::/32\n"
		 "\t192.0.2.0/24\n"
		 "dns=no\nallow-lan=yes\nblock-other-family=no\n"
		 "mtu=1400\n"
		 "[crypto]\nike = aes256gcm16-prfsha384-x25519\n"
		 "esp = aes128gcm16\n"
		 "[resumption]\ntickets=off\npfs=on\n"
		 "[timers]\ndpd=500ms\nike-rekey=never\nchild-rekey=90m\n"
		 "keepalive=0\n");
	assert_string_equal(p.gateway, "192.0.2.7");
	assert_name(&p.gateway_id, ID_FQDN, "gw.example.org");
	assert_string_equal(p.ca, "/etc/ca.pem");
	assert_int_equal(p.port, 4501);
	assert_int_equal(p.id.type, ID_IPV4_ADDR);
	assert_memory_equal(p.id.b, "\xcb\x00\x71\x09", 4);
	assert_int_equal(p.auth, IKE_AUTH_EAP_MSCHAPV2);
	assert_memory_equal(p.user.b, "DOMAIN\\alice", p.user.len);
	assert_string_equal(p.password_file, "pw");
	assert_int_equal(p.n_networks, 3);
	assert_string_equal(prefix_str(&p.networks[1], buf), "2001:db8::/32");
	assert_string_equal(prefix_str(&p.networks[2], buf), "192.0.2.0/24");
	assert_false(p.dns);
	assert_true(p.allow_lan);
	assert_false(p.block_other_family);
	assert_int_equal(p.mtu, 1400);
	assert_int_equal(p.ike.n, 1);
	assert_int_equal(proposals_first_ke(&p.ike), KE_X25519);
	assert_int_equal(p.esp.n, 1);
	assert_false(p.tickets);
	assert_true(p.pfs);
	assert_int_equal(p.dpd_ms, 500);
	assert_int_equal(p.ike_rekey_ms, 0);
	assert_int_equal(p.child_rekey_ms, 90 * 60 * 1000);
	assert_int_equal(p.keepalive_ms, 0);
}

static void a_certificate_needs_its_key(void **state)
{
	parse_refused("[gateway]\naddress=gw\n[identity]\nauth=certificate\n"
		      "id=a@b\ncertificate=c.pem\n",
		      "work.conf: ", "private-key");
	parse_ok("[gateway]\naddress=gw\n[identity]\nauth=certificate\n"
		 "id=a@b\ncertificate=c.pem\nprivate-key=k.pem\n");
	assert_string_equal(p.certificate, "c.pem");
	assert_string_equal(p.private_key, "k.pem");
}

static void the_eap_user_is_the_identity_unless_told(void **state)
{
	parse_ok("[gateway]\naddress=gw\n[identity]\nauth=eap-mschapv2\n"
		 "id=alice@example.org\n");
	assert_int_equal(p.user.len, strlen("alice@example.org"));
	assert_memory_equal(p.user.b, "alice@example.org", p.user.len);
}

static void windows_line_ends_and_a_byte_order_mark_are_fine(void **state)
{
	parse_ok("\xef\xbb\xbf[gateway]\r\naddress = gw.example.org\r\n"
		 "[identity]\r\nauth = psk\r\nid = a@b\r\n");
	assert_string_equal(p.gateway, "gw.example.org");
}

static void an_unknown_key_or_section_is_refused_by_name(void **state)
{
	parse_refused(MINIMAL "[tunnel]\nnetwork = 10.0.0.0/8\n",
		      "work.conf:7: [tunnel] network", "not known");
	parse_refused(MINIMAL "[tunnels]\n", "work.conf:6: ", "[tunnels]");
	parse_refused(MINIMAL "[gatewa]\n", "work.conf:6: ", "[gatewa]");
	parse_refused("address = gw\n", "work.conf:1: [] address", "not known");
}

static void a_key_that_is_there_twice_is_refused(void **state)
{
	parse_refused(MINIMAL "[gateway]\naddress = other\n",
		      "work.conf:7: [gateway] address", "twice");
	parse_refused(MINIMAL "[tunnel]\nnetworks=10.0.0.0/8\n"
			      "networks=192.0.2.0/24\n",
		      "work.conf:8: [tunnel] networks", "twice");
	parse_refused(MINIMAL "[tunnel]\ndns=yes\n   no\n",
		      "work.conf:8: [tunnel] dns", "second line");
}

static void a_line_without_equals_sign_is_refused(void **state)
{
	parse_refused("[gateway]\naddress\n", "work.conf:2: ", "key = value");
	parse_refused("[gateway\n", "work.conf:1: ", "key = value");
}

static void the_first_of_several_faults_is_told(void **state)
{
	parse_refused("[gateway]\nfoo = 1\naddress\nbar = 2\n",
		      "work.conf:2: ", "not known");
	parse_refused("[gateway]\naddress\nbar = 2\n",
		      "work.conf:2: ", "key = value");
}

static void a_line_too_long_for_the_parser_is_refused(void **state)
{
	char text[600] = "[gateway]\naddress = gw\nca = /";

	memset(text + strlen(text), 'x', 250);
	strcat(text, "\n");
	parse_refused(text, "work.conf:3: ", "shorten");
}

static void a_missing_key_is_named_with_what_to_write(void **state)
{
	parse_refused("", "work.conf: ", "address = ");
	parse_refused("[gateway]\naddress=gw\n", "work.conf: ", "auth = ");
	parse_refused("[gateway]\naddress=gw\n[identity]\nauth=psk\n",
		      "work.conf: ", "id = ");
}

static void transports_and_their_ports_are_read(void **state)
{
	parse_ok(MINIMAL "[gateway]\ntransport = tcp\n"
			 "tcp-port = 443 , 80,65535\n");
	assert_int_equal(p.transport, TRANSPORT_TCP);
	assert_int_equal(p.n_tcp_ports, 3);
	assert_int_equal(p.tcp_ports[0], 443);
	assert_int_equal(p.tcp_ports[1], 80);
	assert_int_equal(p.tcp_ports[2], 65535);
	parse_ok(MINIMAL "[gateway]\ntransport = udp\n");
	assert_int_equal(p.transport, TRANSPORT_UDP);
}

static void the_data_plane_is_read_and_the_kernels_is_for_udp(void **state)
{
	parse_ok(MINIMAL);
	assert_int_equal(p.dataplane, DATAPLANE_AUTO);
	parse_ok(MINIMAL "[tunnel]\ndataplane = user\n");
	assert_int_equal(p.dataplane, DATAPLANE_USER);
	assert_int_equal(p.transport, TRANSPORT_AUTO);
	parse_ok(MINIMAL "[tunnel]\ndataplane = kernel\n");
	assert_int_equal(p.dataplane, DATAPLANE_KERNEL);
	assert_int_equal(p.transport, TRANSPORT_UDP);
	parse_refused(MINIMAL "[gateway]\ntransport = tcp\n"
			      "[tunnel]\ndataplane = kernel\n",
		      "work.conf: ", "dataplane = auto");
}

static void a_value_out_of_range_says_what_to_write(void **state)
{
	static const struct {
		const char *line, *where, *what;
	} cases[] = {
		{"[gateway]\nport = 0\n", "7: [gateway] port", "1 to 65535"},
		{"[gateway]\nport = 65536\n", "7: ", "1 to 65535"},
		{"[gateway]\nport = 500\n", "7: ", "4500"},
		{"[gateway]\nport = -1\n", "7: ", "1 to 65535"},
		{"[gateway]\ntransport = quic\n", "7: ", "auto, udp or tcp"},
		{"[gateway]\ntcp-port = 0\n", "7: ", "1 to 65535"},
		{"[gateway]\ntcp-port = 443,\n", "7: ", "1 to 65535"},
		{"[gateway]\ntcp-port = 443 80\n", "7: ", "4500,443"},
		{"[gateway]\ntcp-port = 1,2,3,4,5\n", "7: ", "up to 4"},
		{"[gateway]\ntcp-port =\n", "7: ", "1 to 65535"},
		{"[gateway]\nid =\n", "7: ", "alice@"},
		{"[gateway]\nid = gw=x\n", "7: ", "write e.g. C="},
		{"[gateway]\nca =\n", "7: ", "leave the key out"},
		{"[identity]\npassword-credential = ../x\n", "7: ", "path"},
		{"[identity]\nuser = bob\n", "7: ", "eap-mschapv2"},
		{"[identity]\ncertificate = c\n", "7: ", "certificate"},
		{"[tunnel]\nnetworks = 10.0.0.1/8\n", "7: ", "10.0.0.1/8"},
		{"[tunnel]\nnetworks = 10.0.0.0/33\n", "7: ", "not a network"},
		{"[tunnel]\nnetworks = example\n", "7: ", "not a network"},
		{"[tunnel]\nnetworks =\n", "work.conf: ", "empty"},
		{"[tunnel]\ndns = maybe\n", "7: [tunnel] dns", "yes nor no"},
		{"[tunnel]\nmtu = 575\n", "7: ", "576 to 9000"},
		{"[tunnel]\ndataplane = xdp\n", "7: ", "kernel or user"},
		{"[crypto]\nike = 3des-sha1-modp1024\n", "7: [crypto] ike", ""},
		{"[crypto]\nesp =\n", "7: [crypto] esp", "no value"},
		{"[timers]\ndpd = 30\n", "7: [timers] dpd", "30s"},
		{"[timers]\ndpd = 30 s\n", "7: ", "not a time"},
		{"[timers]\ndpd = 721h\n", "7: ", "never"},
		{"[timers]\ndpd = 99999999999999999999s\n", "7: ", "time"},
	};
	char text[300];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), MINIMAL "%s", cases[i].line);
		parse_refused(text, cases[i].where, cases[i].what);
	}
	parse_refused("[gateway]\naddress = vpn.example.org:4500\n",
		      "work.conf:2: [gateway] address", "port");
	parse_refused("[identity]\nauth = eap-ttls\n",
		      "work.conf:2: ", "eap-mschapv2");
}

static void more_networks_than_fit_are_refused(void **state)
{
	char text[4096] = MINIMAL "[tunnel]\nnetworks = 10.0.0.0/24\n";

	for (int i = 1; i <= PROFILE_NETWORKS_MAX; i++)
		sprintf(text + strlen(text), "  10.0.%d.0/24\n", i);
	parse_refused(text, "work.conf:39: [tunnel] networks", "more than 32");
}

static void an_identity_gets_its_type_from_its_form(void **state)
{
	struct diag diag = DIAG_INIT;
	struct ike_name n;
	char buf[IKE_NAME_MAX + 1], longest[IKE_NAME_MAX + 2];

	assert_int_equal(profile_id_parse("gw.example.org", &n, &diag), OK);
	assert_name(&n, ID_FQDN, "gw.example.org");
	assert_int_equal(profile_id_parse("alice", &n, &diag), OK);
	assert_name(&n, ID_FQDN, "alice");
	assert_int_equal(profile_id_parse("a@b", &n, &diag), OK);
	assert_name(&n, ID_RFC822_ADDR, "a@b");
	assert_int_equal(profile_id_parse("keyid:a=b", &n, &diag), OK);
	assert_name(&n, ID_KEY_ID, "a=b");
	assert_int_equal(profile_id_parse("2001:db8::1", &n, &diag), OK);
	assert_int_equal(n.type, ID_IPV6_ADDR);
	assert_int_equal(n.len, 16);
	assert_string_equal(ike_name_str(&n, buf, sizeof(buf)), "2001:db8::1");
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(profile_id_parse(longest, &n, &diag), ERR_PROFILE);
	longest[IKE_NAME_MAX] = '\0';
	assert_int_equal(profile_id_parse(longest, &n, &diag), OK);
	assert_string_equal(ike_name_str(&n, buf, sizeof(buf)), longest);
	assert_int_equal(profile_id_parse("keyid:", &n, &diag), ERR_PROFILE);
}

static void an_identity_may_be_a_distinguished_name(void **state)
{
	struct diag diag = DIAG_INIT;
	char buf[IKE_NAME_MAX + 1], long_one[IKE_NAME_MAX + 1] = "O=";
	struct ike_name n, other;

	assert_int_equal(profile_id_parse("C=DE, CN=gw.x", &n, &diag), OK);
	assert_int_equal(n.type, ID_DER_ASN1_DN);
	assert_int_equal(n.len, 30);
	assert_string_equal(ike_name_str(&n, buf, sizeof(buf)),
			    "C=DE, CN=gw.x");
	assert_int_equal(profile_id_parse("/C=de/CN=GW.x", &other, &diag), OK);
	assert_true(ike_name_equal(&n, &other));
	assert_int_equal(profile_id_parse("CN=gw.x", &other, &diag), OK);
	assert_false(ike_name_equal(&n, &other));
	assert_int_equal(profile_id_parse("gw=x", &n, &diag), ERR_PROFILE);
	assert_non_null(strstr(diag.text, "write e.g. C="));
	/* As DER it is longer. */
	memset(&diag, 0, sizeof(diag));
	memset(long_one + 2, 'a', 120);
	memcpy(long_one + 122, ",O=", 3);
	memset(long_one + 125, 'a', 120);
	assert_int_equal(profile_id_parse(long_one, &n, &diag), ERR_PROFILE);
	assert_non_null(strstr(diag.text, "longer than 256 octets"));
}

static void a_name_for_a_terminal_holds_no_control_characters(void **state)
{
	struct ike_name n = {.type = ID_KEY_ID, .len = 5};
	char buf[4];

	memcpy(n.b, "a\x1b[mZ", 5);
	assert_string_equal(ike_name_str(&n, buf, sizeof(buf)), "a?[");
}

static void the_session_gets_what_the_profile_says(void **state)
{
	static struct session_config c;

	parse_ok(MINIMAL "[tunnel]\nnetworks=10.9.0.0/24\ndns=no\n"
			 "[timers]\ndpd=1s\n[resumption]\npfs=yes\n");
	profile_to_session(&p, &c);
	assert_name(&c.ike.id_local, ID_RFC822_ADDR, "alice@example.org");
	assert_name(&c.ike.id_remote, ID_FQDN, "vpn.example.org");
	assert_true(c.ike.want_ipv4);
	assert_false(c.ike.want_ipv6);
	assert_false(c.ike.want_dns);
	assert_true(c.ike.want_ticket);
	assert_true(c.use_tickets);
	assert_true(c.ike.pfs_after_resume);
	assert_int_equal(c.ike.dpd_ms, 1000);
	assert_int_equal(c.ike.ts_local.n, 1);
	assert_int_equal(c.ike.ts_remote.n, 1);
	assert_memory_equal(c.ike.ts_remote.ts[0].from.b, "\x0a\x09\0\0", 4);
	assert_memory_equal(c.ike.ts_remote.ts[0].to.b, "\x0a\x09\0\xff", 4);
	assert_memory_equal(c.ike.ts_local.ts[0].to.b, "\xff\xff\xff\xff", 4);
	assert_true(c.ike.max_datagram >= 576 && c.ike.max_datagram <= 1400);
	assert_true(c.ike.max_tries > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minimal_profile_has_the_documented_defaults),
		cmocka_unit_test(every_key_is_understood),
		cmocka_unit_test(a_certificate_needs_its_key),
		cmocka_unit_test(the_eap_user_is_the_identity_unless_told),
		cmocka_unit_test(
			windows_line_ends_and_a_byte_order_mark_are_fine),
		cmocka_unit_test(an_unknown_key_or_section_is_refused_by_name),
		cmocka_unit_test(a_key_that_is_there_twice_is_refused),
		cmocka_unit_test(a_line_without_equals_sign_is_refused),
		cmocka_unit_test(the_first_of_several_faults_is_told),
		cmocka_unit_test(a_line_too_long_for_the_parser_is_refused),
		cmocka_unit_test(a_missing_key_is_named_with_what_to_write),
		cmocka_unit_test(transports_and_their_ports_are_read),
		cmocka_unit_test(
			the_data_plane_is_read_and_the_kernels_is_for_udp),
		cmocka_unit_test(a_value_out_of_range_says_what_to_write),
		cmocka_unit_test(more_networks_than_fit_are_refused),
		cmocka_unit_test(an_identity_gets_its_type_from_its_form),
		cmocka_unit_test(an_identity_may_be_a_distinguished_name),
		cmocka_unit_test(
			a_name_for_a_terminal_holds_no_control_characters),
		cmocka_unit_test(the_session_gets_what_the_profile_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
