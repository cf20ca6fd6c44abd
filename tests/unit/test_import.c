/* Files of other programs: what they become, and what is said of bad ones. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/export.h"
#include "client/cli/import.h"
#include "client/cli/tree.h"

static struct import *im;
static struct diag diag;
static char *text;

static enum err take_as(const char *file, const char *from, const char *wanted)
{
	const struct import_source source = {.file = file,
					     .text = bytes_str(from),
					     .wanted = wanted,
					     .dir = "/home/alice/vpn"};
	enum err e;

	import_free(&im);
	free(text);
	text = NULL;
	diag_clear(&diag);
	e = import_read(&source, &im, &diag);
	return e ? e : import_finish(im, "work", &text, &diag);
}

static enum err take(const char *from)
{
	return take_as("file", from, NULL);
}

static void assert_refused(const char *from, const char *words)
{
	assert_int_equal(take(from), ERR_PROFILE);
	if (!strstr(diag.text, words))
		print_error("said: %s\n", diag.text);
	assert_non_null(strstr(diag.text, words));
	assert_null(text);
}

static void assert_line(const char *line)
{
	assert_non_null(text);
	if (!strstr(text, line))
		print_error("%s", text);
	assert_non_null(strstr(text, line));
}

static void assert_noted(const char *words)
{
	for (size_t i = 0; i < im->n_notes; i++)
		if (strstr(im->notes[i], words))
			return;
	for (size_t i = 0; i < im->n_notes; i++)
		print_error("noted: %s\n", im->notes[i]);
	fail_msg("not noted: %s", words);
}

static int teardown(void **state)
{
	import_free(&im);
	free(text);
	text = NULL;
	return 0;
}

/* --- .sswan --------------------------------------------------------------- */

#define SSWAN_HEAD "{\"name\": \"Büro / Berlin\",\n\"type\": \"ikev2-eap\",\n"
#define SSWAN_ENDS                                                             \
	"\"remote\": {\"addr\": \"vpn.example.org\"},\n"                       \
	"\"local\": {\"eap_id\": \"alice\"}"

static void an_sswan_with_a_password_is_a_profile(void **state)
{
	assert_int_equal(
		take(SSWAN_HEAD SSWAN_ENDS
		     ",\n\"split-tunneling\": {\"subnets\": "
		     "[\"10.0.0.0/8\", \"2001:db8::/32\"]},\n"
		     "\"ike-proposal\": \"aes256-sha2_256-curve25519!\",\n"
		     "\"nat-keepalive\": 45, \"mtu\": 1400}"),
		OK);
	assert_string_equal(im->name, "B-ro-Berlin");
	assert_line("[gateway]\naddress = vpn.example.org\n");
	assert_line("auth = eap-mschapv2\nid = alice\n");
	assert_line("networks = 10.0.0.0/8,\n\t2001:db8::/32\n");
	assert_line("mtu = 1400\n");
	assert_line("ike = aes256-sha256-x25519\n");
	assert_line("keepalive = 45s\n");
	assert_int_equal(im->n_notes, 0);
}

static void an_identity_beside_the_user_name_is_kept_apart(void **state)
{
	assert_int_equal(take(SSWAN_HEAD
			      "\"remote\": {\"addr\": \"192.0.2.1\", \"id\": "
			      "\"gw.example.org\"},\n"
			      "\"local\": {\"id\": \"a@example.org\", "
			      "\"eap_id\": \"LAB\\\\alice\"}}"),
			 OK);
	assert_line("id = a@example.org\nuser = LAB\\alice\n");
	assert_line("id = gw.example.org\n");
}

static void what_an_sswan_wants_and_we_lack_has_its_line(void **state)
{
	assert_refused("{\"type\":\n\"ikev2-byod-eap\"}",
		       "file:2: type ikev2-byod-eap is not spoken");
	assert_refused("{}", "type (missing)");
	assert_refused(SSWAN_HEAD
		       "\"remote\": {},\n\"local\": {\"eap_id\":\"a\"}}",
		       "file: no gateway");
	assert_refused(SSWAN_HEAD SSWAN_ENDS ",\n\n\"mtu\":\n\"big\"}",
		       "file:7: [tunnel] mtu: 'big' will not do");
	assert_refused(SSWAN_HEAD SSWAN_ENDS
		       ",\n\"split-tunneling\": {\n\"subnets\": "
		       "[\"10.0.0.0/8\",\n\"10.1.2.3-10.1.2.9\"]}}",
		       "file:6: [tunnel] networks");
	assert_refused(SSWAN_HEAD SSWAN_ENDS
		       ",\n\"ike-proposal\": \"3des-sha1-modp1024\"}",
		       "file:5: none of these algorithms");
	assert_refused(SSWAN_HEAD SSWAN_ENDS ",\n\"remote\": 1}", "duplicate");
	assert_int_equal(take(SSWAN_HEAD SSWAN_ENDS
			      ",\n\"split-tunneling\": {\"block-ipv6\": true,\n"
			      "\"excluded\": [\"10.9.0.0/16\"]},\n"
			      "\"apps\": [\"a.b\"]}"),
			 OK);
	assert_noted("file:5: split-tunneling.block-ipv6 is not used");
	assert_noted("file:6: networks that stay outside");
	assert_noted("apps is not used");
}

static void values_cannot_break_out_of_their_line(void **state)
{
	assert_refused(SSWAN_HEAD
		       "\"remote\": {\"addr\":\n\"a\\n[identity]\"},\n"
		       "\"local\": {\"eap_id\": \"a\"}}",
		       "file:4: [gateway] address: no profile can hold");
	assert_refused(SSWAN_HEAD "\"remote\": {\"addr\": \"a\"},\n"
				  "\"local\": {\"eap_id\": \"a ;b\"}}",
		       "file:4: [identity] id: no profile can hold");
	assert_refused(SSWAN_HEAD "\"remote\": {\"addr\": \"a\\u0000b\"}}",
		       "file:3");
	assert_refused("{\"type\": \"ikev2-eap\",\n\"remote\": {\"addr\": \"a b"
		       "\"},\n\"local\": {\"eap_id\": \"a\"}}",
		       "file:2: [gateway] address: 'a b' is neither");
}

static void a_ca_that_is_none_is_refused(void **state)
{
	assert_refused(SSWAN_HEAD "\"remote\": {\"addr\": \"a\",\n\"cert\": "
				  "\"!!!\"}}",
		       "file:4: not Base64");
	assert_refused(SSWAN_HEAD "\"remote\": {\"addr\": \"a\",\n\"cert\": "
				  "\"AAAA\"}}",
		       "file:4: no certificate");
}

/* --- .mobileconfig ---------------------------------------------------------
 */

#define PLIST_HEAD                                                             \
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                         \
	"<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "              \
	"\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"                \
	"<plist version=\"1.0\"><dict>\n"                                      \
	"<key>PayloadContent</key><array>\n"
#define PLIST_VPN                                                              \
	"<dict><key>PayloadType</key><string>com.apple.vpn.managed</string>\n" \
	"<key>VPNType</key><string>IKEv2</string>\n"                           \
	"<key>UserDefinedName</key><string>Office</string>\n"                  \
	"<key>IKEv2</key><dict>\n"                                             \
	"<key>RemoteAddress</key><string>vpn.example.org</string>\n"
#define PLIST_TAIL "</dict></dict></array></dict></plist>\n"
#define PLIST_EAP                                                              \
	"<key>AuthenticationMethod</key><string>None</string>\n"               \
	"<key>ExtendedAuthEnabled</key><integer>1</integer>\n"                 \
	"<key>AuthName</key><string>alice</string>\n"

static void a_mobileconfig_with_a_password_is_a_profile(void **state)
{
	assert_int_equal(
		take(PLIST_HEAD PLIST_VPN PLIST_EAP
		     "<key>AuthPassword</key><string>s&lt;cret</string>\n"
		     "<key>LocalIdentifier</key><string>a@x.org</string>\n"
		     "<key>DeadPeerDetectionRate</key><string>High</string>\n"
		     "<key>DisableMOBIKE</key><integer>1</integer>\n"
		     "<key>EnablePFS</key><true/>\n"
		     "<key>IKESecurityAssociationParameters</key><dict>\n"
		     "<key>EncryptionAlgorithm</key>"
		     "<string>AES-256-GCM</string>\n"
		     "<key>IntegrityAlgorithm</key><string>SHA2-384</string>\n"
		     "<key>DiffieHellmanGroup</key><integer>20</integer>\n"
		     "<key>LifeTimeInMinutes</key><integer>90</integer></dict>"
		     "<key>ChildSecurityAssociationParameters</key><dict>\n"
		     "<key>EncryptionAlgorithm</key><string>AES-256</string>\n"
		     "<key>DiffieHellmanGroup</key><integer>19</integer></dict>"
		     "<key>OnDemandEnabled</key><integer>1</"
		     "integer>\n" PLIST_TAIL),
		OK);
	assert_string_equal(im->name, "Office");
	assert_line("id = a@x.org\nauth = eap-mschapv2\nuser = alice\n"
		    "password-file = work-password\n");
	assert_line("ike = aes256gcm16-prfsha384-ecp384\n");
	assert_line("esp = aes256-sha256-ecp256\n");
	assert_line("dpd = 1m\n");
	assert_line("ike-rekey = 90m\n");
	assert_line("mobike = no\n");
	assert_true(bytes_eq(secret_view(&im->secret), bytes_str("s<cret")));
	assert_null(strstr(text, "s<cret"));
	assert_noted("OnDemandEnabled is not used");
}

static void a_mobileconfig_with_what_we_lack_has_its_line(void **state)
{
	assert_refused(PLIST_HEAD PLIST_VPN
		       "<key>AuthenticationMethod</key>"
		       "<string>Certificate</string>\n"
		       "<key>ExtendedAuthEnabled</key><true/>\n" PLIST_TAIL,
		       "no PKCS#12 certificate");
	assert_refused(PLIST_HEAD PLIST_VPN
		       "<key>AuthenticationMethod</key>"
		       "<string>SharedSecret</string>\n"
		       "<key>ExtendedAuthEnabled</key><true/>\n" PLIST_TAIL,
		       "file:10: AuthenticationMethod SharedSecret with EAP");
	assert_refused(PLIST_HEAD PLIST_VPN
		       "<key>AuthenticationMethod</key>"
		       "<string>Certificate</string>\n"
		       "<key>PayloadCertificateUUID</key>\n<string>X</string>"
		       "\n" PLIST_TAIL,
		       "file:12: no PKCS#12 certificate");
	assert_refused(PLIST_HEAD "<dict><key>PayloadType</key><string>"
				  "com.apple.vpn.managed</string>"
				  "<key>VPNType</key><string>L2TP</string>"
				  "</dict></array></dict></plist>",
		       "no VPN of type IKEv2");
	assert_refused(PLIST_HEAD PLIST_VPN PLIST_EAP
		       "<key>IKESecurityAssociationParameters</key>\n<dict>\n"
		       "<key>EncryptionAlgorithm</key><string>3DES</string></"
		       "dict>" PLIST_TAIL,
		       "file:14: its EncryptionAlgorithm is not spoken");
}

static void xml_that_is_no_property_list_is_refused(void **state)
{
	assert_refused("<html></html>", "file:1: not a property list");
	assert_refused("<plist><dict><key>a</key></dict></plist>",
		       "a <key> without its value");
	assert_refused("<plist><dict><string>a</string></dict></plist>",
		       "a value without <key>");
	assert_refused("<plist><array><key>a</key><true/></array></plist>",
		       "a <key> outside of <dict>");
	assert_refused("<plist><dict>text</dict></plist>", "text where none");
	assert_refused("<plist>\n<dict>\n</plist>", "file:3: mismatched tag");
	assert_refused("<plist><string><true/></string></plist>",
		       "an element inside of a value");
	assert_refused("<plist/>", "there is nothing in it");
	assert_refused("<plist><string>a</string><string>b</string></plist>",
		       "something behind the end");
}

static void entities_are_not_expanded(void **state)
{
	assert_refused("<!DOCTYPE p [<!ENTITY a \"aaaaaaaaaa\">\n"
		       "<!ENTITY b \"&a;&a;&a;&a;\">]>\n"
		       "<plist><string>&b;</string></plist>",
		       "file:1: defines an entity");
	assert_refused("<!DOCTYPE p [<!ENTITY x SYSTEM "
		       "\"file:///etc/passwd\">]><plist><string>&x;</string>"
		       "</plist>",
		       "defines an entity");
}

static void what_is_binary_says_how_to_make_text_of_it(void **state)
{
	assert_refused("bplist00xyz", "plutil -convert xml1");
	assert_refused("\x30\x82\x01\x02", "openssl smime");
	assert_refused("", "not a text file");
	assert_refused("hello\n", "not known");
}

static void nested_deeper_than_any_profile_is_refused(void **state)
{
	char deep[400 * 7 + 100] = "<plist>";

	for (int i = 0; i < 400; i++)
		strcat(deep, "<array>");
	assert_refused(deep, "nested too deeply");
	memset(deep, '[', 1000);
	deep[0] = '{';
	deep[1000] = '\0';
	assert_refused(deep, "file:");
	strcpy(deep, "{\"a\":");
	for (int i = 0; i < 100; i++)
		strcat(deep, "[");
	for (int i = 0; i < 100; i++)
		strcat(deep, "]");
	strcat(deep, "}");
	assert_refused(deep, "nested too deeply");
}

/* --- swanctl.conf -----------------------------------------------------------
 */

#define SWAN_EAP                                                               \
	"connections {\n"                                                      \
	"  office { # ours\n"                                                  \
	"    remote_addrs = vpn.example.org, 192.0.2.9\n"                      \
	"    local { auth = eap-mschapv2\n eap_id = alice\n"                   \
	"      id = a@example.org\n }\n"                                       \
	"    remote { auth = pubkey\n id = gw.example.org\n"                   \
	"      cacerts = ca.pem\n }\n"                                         \
	"    children { net { remote_ts = 10.0.0.0/8 , 10.1.0.0/16\n"          \
	"       esp_proposals = aes128gcm16-x25519,default\n } }\n"

static void a_swanctl_connection_is_a_profile(void **state)
{
	assert_int_equal(take(SWAN_EAP
			      "    dpd_delay = 20\n    rekey_time = 2h\n"
			      "    aggressive = no\n  }\n}\n"
			      "secrets {\n  eap-bob { id = bob\n"
			      "secret = \"wrong\" }\n"
			      "  eap-alice { id = alice\n"
			      "secret = \"a \\\"b\\\" # c\" }\n}\n"),
			 OK);
	assert_string_equal(im->name, "office");
	assert_line("address = vpn.example.org\nid = gw.example.org\n"
		    "ca = /home/alice/vpn/x509ca/ca.pem\n");
	assert_line("auth = eap-mschapv2\nid = a@example.org\nuser = alice\n");
	assert_line("networks = 10.0.0.0/8,\n\t10.1.0.0/16\n");
	assert_line("dpd = 20s\nike-rekey = 2h\n");
	assert_null(strstr(text, "esp ="));
	assert_true(
		bytes_eq(secret_view(&im->secret), bytes_str("a \"b\" # c")));
	assert_noted("file:3: only the first address");
	assert_noted("aggressive is not used");
}

static void a_swanctl_certificate_names_the_files(void **state)
{
	static const char conf[] =
		"connections { c {\nremote_addrs = 192.0.2.1\n"
		"local { certs = alice.pem\n id = a@x }\n"
		"remote { id = gw.x\n certs = /etc/gw.pem } } }\n";
	char with_key[400];

	assert_refused(conf, "which private key?");
	snprintf(with_key, sizeof(with_key),
		 "%ssecrets { private-a { file = alice.key } }", conf);
	assert_int_equal(take(with_key), OK);
	assert_line("certificate = /home/alice/vpn/x509/alice.pem\n"
		    "private-key = /home/alice/vpn/private/alice.key\n");
	assert_line("ca = /etc/gw.pem\n");
	assert_line("auth = certificate\n");
	assert_int_equal(take("connections { c {\nremote_addrs = 192.0.2.1\n"
			      "local { auth = eap-tls\n certs = alice.pem\n"
			      " id = a@x }\n remote { id = gw.x } } }\n"
			      "secrets { rsa { file = alice.key\n"
			      " secret = sesame } }"),
			 OK);
	assert_true(bytes_eq(secret_view(&im->secret), bytes_str("sesame")));
	assert_line("auth = eap-tls\n");
	assert_line("private-key = /home/alice/vpn/private/alice.key\n");
}

static void of_several_connections_one_is_chosen(void **state)
{
	static const char two[] =
		SWAN_EAP "  }\n"
			 "  home { remote_addrs = 192.0.2.7\n"
			 "local { auth = psk\n id = me } remote { } } }\n";

	assert_refused(two, "choose one by --name: office, home");
	assert_int_equal(take_as("file", two, "home"), OK);
	assert_line("address = 192.0.2.7\n");
	assert_line("auth = psk\n");
}

static void what_swanctl_conf_has_and_we_lack_has_its_line(void **state)
{
	assert_refused("connections {\n c {\n version = 1\n remote_addrs = a\n"
		       " local { auth = psk }\n remote { } } }",
		       "file:3: IKEv1 is not spoken");
	assert_refused("include x\nconnections {}", "file:1: include is not");
	assert_refused("connections { a {}\nb : a {\n} }",
		       "file:2: a reference to another section");
	assert_refused("connections {\n a {\n",
		       "file:2: this section has no }");
	assert_refused("connections { }\n}", "file:2: a } too many");
	assert_refused("connections { a { x = \"y\n } }", "without its end");
	assert_refused("connections { a { x = \"y\" z\n } }", "neither");
	assert_refused("connections = 3\n", "no connection is in it");
	assert_refused("connections { }", "no connection is in it");
	assert_refused(SWAN_EAP "local-2 { auth = pubkey } } }",
		       "a second authentication (local-2)");
	assert_refused("connections { c { local { auth = xauth }\n"
		       "remote { } remote_addrs = a } }",
		       "auth = xauth is not spoken");
	assert_refused("connections { c { local { } } }", "no remote section");
}

/* --- keyfiles ---------------------------------------------------------------
 */

#define NM_HEAD                                                                \
	"[connection]\nid=Office VPN\ntype=vpn\n\n[vpn]\n"                     \
	"service-type=org.freedesktop.NetworkManager."

static void a_keyfile_of_strongswan_is_a_profile(void **state)
{
	assert_int_equal(take(NM_HEAD
			      "strongswan\naddress=vpn.example.org\n"
			      "certificate=/home/a/ca.pem\nmethod=eap\n"
			      "user=alice\nvirtual=yes\nipcomp=no\nencap=no\n"
			      "proposal=yes\nike=aes256-sha256-modp2048;\n"
			      "password-flags=0\nodd=1\n\n[vpn-secrets]\n"
			      "password=a\\sb\\\\c\n\n[ipv4]\n"
			      "method=auto\nroute1=10.0.0.0/8\n"),
			 OK);
	assert_string_equal(im->name, "Office-VPN");
	assert_line("ca = /home/a/ca.pem\n");
	assert_line("id = alice\n");
	assert_line("ike = aes256-sha256-modp2048\n");
	assert_true(bytes_eq(secret_view(&im->secret), bytes_str("a b\\c")));
	assert_noted("vpn.odd is not used");
	assert_noted("ipv4.route1 is not used");
}

static void a_keyfile_that_is_not_ours_is_refused_with_its_line(void **state)
{
	assert_refused(NM_HEAD "openvpn\nremote=a\n",
		       "file:6: a VPN of another kind");
	assert_refused(NM_HEAD "vpn-connect\ngateway-address=a\n"
			       "colour=red\n",
		       "file:8: colour is not a key of ours");
	assert_refused(NM_HEAD "vpn-connect\ngateway-address=a\n"
			       "tunnel-speed=9\n",
		       "file:8: tunnel-speed is not a key of ours");
	assert_refused("[vpn]\n=\n", "file:2: neither");
	assert_refused("x=1\n[vpn]\n", "file:1: this stands before");
	assert_refused("[vpn]\n[vpn]\n", "file:2: this [group] is there twice");
	assert_refused("[vpn]\n[a\n", "file:2: not a [group]");
	assert_refused("[connection]\nid=x\n", "no [vpn] group");
}

static void what_was_exported_comes_back_the_same(void **state)
{
	static const char profile[] =
		"# mine\n[gateway]\naddress = vpn.example.org ; or another\n"
		"ca = office.pem\n\n[identity]\nauth : eap-mschapv2\n"
		"id = alice@example.org\nuser = LAB\\alice\n"
		"[tunnel]\nnetworks = 10.0.0.0/8,\n\t2001:db8::/32\n";
	const struct export_to to = {.name = "work",
				     .dir = "/home/alice/vpn",
				     .user = "alice",
				     .uuid = "0-1"};
	struct profile before, after;
	char *keyfile;

	diag_clear(&diag);
	if (profile_parse("work", profile, &before, &diag))
		fail_msg("%s", diag.text);
	assert_int_equal(export_keyfile(&to, profile, &keyfile), OK);
	assert_non_null(strstr(keyfile, "permissions=user:alice:;\n"));
	assert_non_null(strstr(keyfile, "password-flags=1\n"));
	assert_non_null(strstr(keyfile, "persistent=true\n"));
	assert_int_equal(take(keyfile), OK);
	free(keyfile);
	assert_line("ca = /home/alice/vpn/office.pem\n");
	assert_int_equal(profile_parse("work", text, &after, &diag), OK);
	strcpy(before.ca, after.ca);
	/* Proposals have padding; they are the default in both. */
	assert_memory_equal(&before, &after, offsetof(struct profile, ike));
}

/* --- our own ----------------------------------------------------------------
 */

static void what_networkmanager_adds_is_no_key_of_ours(void **state)
{
	assert_int_equal(take(NM_HEAD "vpn-connect\ngateway-address=a.b\n"
				      "identity-auth=psk\nidentity-id=me\n"
				      "persistent=true\ntimeout=60\n"
				      "user-name=alice\npassword-flags=1\n"),
			 OK);
	assert_int_equal(im->n_notes, 0);
}

static void our_own_profile_is_taken_as_it_is(void **state)
{
	static const char own[] = "# a comment\n[gateway]\naddress = a.b\n"
				  "[identity]\nauth = psk\nid = me\n";

	assert_int_equal(take(own), OK);
	assert_string_equal(text, own);
	assert_refused("[gateway]\nadress = a\n", "file:2: [gateway] adress");
}

static void a_fetched_profile_names_no_files_of_ours(void **state)
{
	struct import_source source = {
		.file = "f",
		.fetched = true,
		.text = bytes_str("[gateway]\naddress = a.b\n[identity]\n"
				  "auth = psk\nid = me\n"
				  "password-file = /home/alice/secret\n")};
	struct import *own;
	char *out = NULL;

	diag_clear(&diag);
	assert_int_equal(import_read(&source, &own, &diag), OK);
	assert_int_equal(import_finish(own, "work", &out, &diag), ERR_PROFILE);
	assert_null(out);
	assert_non_null(strstr(diag.text, "must not name files"));
	import_free(&own);
	source.text = bytes_str(NM_HEAD "vpn-connect\ngateway-address=a\n"
					"identity-auth=psk\nidentity-id=me\n"
					"identity-password-file=/etc/x\n");
	diag_clear(&diag);
	assert_int_equal(import_read(&source, &own, &diag), OK);
	assert_int_equal(import_finish(own, "work", &out, &diag), ERR_PROFILE);
	import_free(&own);
}

static void names_become_those_of_files(void **state)
{
	static const char *const cases[][2] = {
		{"Office", "Office"},
		{"../../etc/x", "etc-x"},
		{"-rf", "rf"},
		{".hidden", "hidden"},
		{"a  b\n\tc", "a-b-c"},
		{"\xc3\xa4", ""},
		{"x/", "x"},
	};
	char name[PROFILE_NAME_MAX], longest[200];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		import_name_clean(cases[i][0], name);
		assert_string_equal(name, cases[i][1]);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	import_name_clean(longest, name);
	assert_true(strlen(name) < PROFILE_NAME_MAX);
}

#define CASE(f) cmocka_unit_test_teardown(f, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_sswan_with_a_password_is_a_profile),
		CASE(an_identity_beside_the_user_name_is_kept_apart),
		CASE(what_an_sswan_wants_and_we_lack_has_its_line),
		CASE(values_cannot_break_out_of_their_line),
		CASE(a_ca_that_is_none_is_refused),
		CASE(a_mobileconfig_with_a_password_is_a_profile),
		CASE(a_mobileconfig_with_what_we_lack_has_its_line),
		CASE(xml_that_is_no_property_list_is_refused),
		CASE(entities_are_not_expanded),
		CASE(what_is_binary_says_how_to_make_text_of_it),
		CASE(nested_deeper_than_any_profile_is_refused),
		CASE(a_swanctl_connection_is_a_profile),
		CASE(a_swanctl_certificate_names_the_files),
		CASE(of_several_connections_one_is_chosen),
		CASE(what_swanctl_conf_has_and_we_lack_has_its_line),
		CASE(a_keyfile_of_strongswan_is_a_profile),
		CASE(a_keyfile_that_is_not_ours_is_refused_with_its_line),
		CASE(what_was_exported_comes_back_the_same),
		CASE(what_networkmanager_adds_is_no_key_of_ours),
		CASE(our_own_profile_is_taken_as_it_is),
		CASE(a_fetched_profile_names_no_files_of_ours),
		CASE(names_become_those_of_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
