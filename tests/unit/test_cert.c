/* Chains of certificates: which are trusted, and what is said of the rest. */
#include <time.h>

#include "tests/unit/pki.h"

#include "client/crypto/crypto.h"

#define DAY 86400

/* Certificates by file name, separated by blanks. */
struct chain {
	struct bytes certs[16];
	uint8_t *bufs[16];
	size_t n;
};

static void chain_load(struct chain *c, const char *names)
{
	char copy[256], *save, *name;

	memset(c, 0, sizeof(*c));
	snprintf(copy, sizeof(copy), "%s", names);
	for (name = strtok_r(copy, " ", &save); name;
	     name = strtok_r(NULL, " ", &save)) {
		char file[64];
		struct bytes pem;
		size_t n;

		snprintf(file, sizeof(file), "%s.pem", name);
		pem = pki_read(file);
		assert_int_equal(cert_load(pem, &c->certs[c->n], 1, &n,
					   &c->bufs[c->n], NULL),
				 OK);
		assert_int_equal(n, 1);
		c->n++;
		pki_free(pem);
	}
}

static void chain_free(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->bufs[i]);
}

static struct trust *trust_load(const char *names)
{
	char copy[256], *save, *name;
	struct trust *t;

	assert_int_equal(trust_new(&t), OK);
	snprintf(copy, sizeof(copy), "%s", names);
	for (name = strtok_r(copy, " ", &save); name;
	     name = strtok_r(NULL, " ", &save)) {
		char file[64];
		struct bytes pem;

		snprintf(file, sizeof(file), "%s.pem", name);
		pem = pki_read(file);
		assert_int_equal(trust_add(t, pem, NULL), OK);
		pki_free(pem);
	}
	return t;
}

static struct peer_name dns(const char *name)
{
	return (struct peer_name){PEER_DNS, bytes_str(name)};
}

static enum err verify(const char *certs, const char *anchors,
		       struct peer_name name, int64_t now, struct diag *diag)
{
	struct trust *t = trust_load(anchors);
	struct chain c;
	enum err e;

	chain_load(&c, certs);
	diag_clear(diag);
	e = cert_verify(t, c.certs, c.n, &name, now, diag);
	chain_free(&c);
	trust_free(&t);
	return e;
}

static int64_t soon(void)
{
	return (int64_t)time(NULL) + 600;
}

static void expect_good_name(const char *certs, const char *anchors,
			     struct peer_name name)
{
	struct diag diag = DIAG_INIT;
	enum err e = verify(certs, anchors, name, soon(), &diag);

	if (e != OK)
		print_error("%s: %s\n", certs, diag.text);
	assert_int_equal(e, OK);
	assert_string_equal(diag.text, "");
}

static void expect_good(const char *certs, const char *anchors)
{
	expect_good_name(certs, anchors, dns("gw.example.org"));
}

static void expect_bad_at(const char *certs, const char *anchors,
			  struct peer_name name, int64_t now, const char *line)
{
	struct diag diag = DIAG_INIT;
	enum err e = verify(certs, anchors, name, now, &diag);

	if (e != ERR_UNTRUSTED || !strstr(diag.text, line))
		print_error("%s: %s: '%s', not '%s'\n", certs, err_name(e),
			    diag.text, line);
	assert_int_equal(e, ERR_UNTRUSTED);
	assert_non_null(strstr(diag.text, line));
}

static void expect_bad(const char *certs, const char *anchors, const char *line)
{
	expect_bad_at(certs, anchors, dns("gw.example.org"), soon(), line);
}

static void expect_bad_name(const char *certs, const char *anchors,
			    struct peer_name name, const char *line)
{
	expect_bad_at(certs, anchors, name, soon(), line);
}

/* --- chains ------------------------------------------------------------------
 */

static void a_good_chain_is_trusted(void **state)
{
	expect_good("gw int1", "root");
	expect_good("gw int1 root", "root");
	expect_good("gw root int1", "root");
	expect_good("gw_direct", "root");
	expect_good("gw int1", "rsa_root root p384_root");
	expect_good("gw", "int1"); /* an anchor need not be a root */
}

static void certificates_that_do_not_belong_are_passed_over(void **state)
{
	expect_good("gw gw_rsa ed_root int2 int1", "root");
	expect_good("gw gw gw int1 int1", "root");
}

static void garbage_behind_the_first_certificate_is_passed_over(void **state)
{
	struct diag diag = DIAG_INIT;
	struct peer_name name = dns("gw.example.org");
	struct trust *t = trust_load("root");
	struct chain c;
	struct bytes certs[4];

	chain_load(&c, "gw int1");
	certs[0] = c.certs[0];
	certs[1] = BYTES_NONE;
	certs[2] = bytes_str("not a certificate");
	certs[3] = c.certs[1];
	assert_int_equal(cert_verify(t, certs, 4, &name, soon(), &diag), OK);
	assert_int_equal(cert_verify(t, certs + 1, 3, &name, soon(), &diag),
			 ERR_UNTRUSTED);
	assert_non_null(strstr(diag.text, "cannot be read"));
	diag_clear(&diag);
	assert_int_equal(cert_verify(t, certs, 0, &name, soon(), &diag),
			 ERR_UNTRUSTED);
	assert_non_null(strstr(diag.text, "sent no certificate"));
	chain_free(&c);
	trust_free(&t);
}

static void no_trusted_ca_is_said_with_the_issuer(void **state)
{
	expect_bad("gw int1", "rsa_root",
		   "no trusted CA issued the gateway's certificate (issuer: "
		   "C=XX, O=Lab, CN=Lab Root): add it to [gateway] ca");
	expect_bad("gw", "root",
		   "(issuer: C=XX, O=Lab, CN=Lab Issuing): add it");
	expect_bad("gw int1", "", "no CA is trusted: set [gateway] ca");
	expect_bad("gw_self", "root", "signed by itself and not trusted");
}

static void a_certificate_among_the_anchors_is_trusted_itself(void **state)
{
	expect_good("gw_self", "gw_self");
	expect_good("gw", "gw");
	expect_bad_name("gw_self", "gw_self", dns("other.example.org"),
			"is for 'gw.example.org', not 'other.example.org'");
}

static void a_root_of_version_1_is_an_anchor_but_no_intermediate(void **state)
{
	expect_good("under_root_v1", "root_v1");
	expect_bad("under_v1 int_v1", "root", "is not a CA");
}

static void a_certificate_issued_by_no_ca_is_refused(void **state)
{
	expect_bad("under_leaf gw_direct", "root", "is not a CA");
	expect_bad("under_no_ca int_no_ca", "root",
		   "CA 'CN=No CA' is not a CA");
	expect_bad("under_leaf", "gw_direct", "is not a CA");
}

static void an_issuer_must_be_allowed_to_sign(void **state)
{
	expect_bad("under_no_sign int_no_sign", "root",
		   "must not sign certificates (key usage)");
	expect_bad("under_email int_email", "root",
		   "CA 'CN=Email Only' must not issue for gateways");
}

static void a_path_length_is_kept(void **state)
{
	expect_bad("under_int2 int2 int1", "root",
		   "CA 'C=XX, O=Lab, CN=Lab Issuing' allows only 0 CAs below");
	expect_bad("under_int2 int2", "int1", "allows only 0 CAs below");
	expect_good("under_int2", "int2");
}

static void a_new_key_of_the_same_root_is_told_apart(void **state)
{
	expect_good("under_root_new", "root root_new");
	expect_good("under_root_new", "root_new root");
	expect_good("under_root_new_no_id", "root root_new");
	expect_good("under_root_new root_link", "root");
	expect_good("under_root_new_no_id root_link", "root");
	expect_bad("under_root_new_no_id", "root", "wrong signature");
	expect_bad("under_root_new", "root", "no trusted CA");
}

static void names_compare_without_case_spaces_and_string_type(void **state)
{
	expect_good("under_int_utf8 int_utf8", "root");
	expect_good("under_int_utf8 int_print", "root");
}

static void cas_that_issued_each_other_end_the_search(void **state)
{
	expect_bad("under_loop loop_a loop_b", "root", "no trusted CA");
	expect_good("under_loop loop_a loop_b", "loop_a_self");
	expect_bad("under_loop loop_a loop_b loop_a loop_b loop_a loop_b "
		   "loop_a",
		   "root", "");
}

/* --- signatures
 * ---------------------------------------------------------------- */

static void each_kind_of_key_and_signature_is_taken(void **state)
{
	expect_good("gw_rsa", "rsa_root");
	expect_good("gw_rsa_sha256", "rsa_root");
	expect_good("gw_rsa_sha384", "rsa_root");
	expect_good("gw_rsa_sha512", "rsa_root");
	expect_good("gw_pss_sha256", "rsa_root");
	expect_good("gw_pss_sha384", "rsa_root");
	expect_good("gw_pss_sha512", "rsa_root");
	expect_good("gw_pss_max", "rsa_root");
	expect_good("gw_p384", "p384_root");
	expect_good("gw_ed", "ed_root");
}

static void weak_signatures_and_keys_are_refused_by_name(void **state)
{
	expect_bad("gw_sha1", "root", "signed with ECDSA with SHA-1");
	expect_bad("gw_pss_sha1", "rsa_root", "RSA-PSS with SHA-1");
	expect_bad("gw_pss_mgf", "rsa_root", "unusual parameters");
	expect_bad("gw_rsa1024", "root", "an RSA key of less than 2048 bits");
	expect_bad("under_rsa1024 int_rsa1024", "root",
		   "CA 'CN=Short' has an RSA key of less than 2048 bits");
	expect_bad("gw_p521", "root", "a kind that is not supported");
}

/* Any flipped bit, in whatever place: malformed, or signed wrong, or no chain,
 * but never trusted. */
static void a_certificate_with_any_flipped_bit_is_refused(void **state)
{
	const char *const chains[] = {"gw_direct", "gw_pss_sha256", "gw_ed"};
	const char *const roots[] = {"root", "rsa_root", "ed_root"};
	struct peer_name name = dns("gw.example.org");

	for (int k = 0; k < 3; k++) {
		struct trust *t = trust_load(roots[k]);
		struct bytes copy;
		struct chain c;
		uint8_t *p;

		chain_load(&c, chains[k]);
		p = c.bufs[0];
		copy = bytes(p, c.certs[0].len);
		for (size_t i = 0; i < copy.len; i++) {
			p[i] ^= (uint8_t)(1 << i % 8);
			assert_int_equal(
				cert_verify(t, &copy, 1, &name, soon(), NULL),
				ERR_UNTRUSTED);
			p[i] ^= (uint8_t)(1 << i % 8);
		}
		assert_int_equal(cert_verify(t, &copy, 1, &name, soon(), NULL),
				 OK);
		chain_free(&c);
		trust_free(&t);
	}
}

static void a_certificate_cut_anywhere_is_refused(void **state)
{
	struct peer_name name = dns("gw.example.org");
	struct trust *t = trust_load("root");
	struct chain c;

	chain_load(&c, "gw_direct");
	for (size_t len = 0; len < c.certs[0].len; len++) {
		/* Its own allocation, so that a sanitizer sees the end. */
		uint8_t *p = malloc(len + 1);
		struct bytes cut = bytes(p + 1, len);

		assert_non_null(p);
		memcpy(p + 1, c.certs[0].p, len);
		assert_int_equal(cert_verify(t, &cut, 1, &name, soon(), NULL),
				 ERR_UNTRUSTED);
		free(p);
	}
	chain_free(&c);
	trust_free(&t);
}

/* --- validity and usage
 * ---------------------------------------------------------- */

static void time_is_the_callers(void **state)
{
	struct peer_name name = dns("gw.example.org");
	int64_t now = soon();

	expect_bad_at("gw int1", "root", name, now + 400 * DAY,
		      "certificate of the gateway expired on 20");
	expect_bad_at("gw int1", "root", name, now - 2 * DAY,
		      "certificate of the gateway is valid from 20");
	expect_bad_at("gw int1", "root", name, 0,
		      "check this computer's "
		      "clock (1970-01-01)");
	expect_bad_at("gw_self", "gw_self", name, now + 400 * DAY,
		      "expired on 20");
	/* A gateway outliving its CA is found out too. */
	expect_bad_at("gw_ed", "ed_root", name, now + 4000 * DAY, "expired");
}

static void an_expired_ca_is_named(void **state)
{
	/* int_email has 365 days, root 3650. */
	struct peer_name name = dns("gw.example.org");
	struct diag diag = DIAG_INIT;

	assert_int_equal(pki_run("openssl x509 -req -in gw_direct.csr -CA "
				 "int_utf8.pem -CAkey int_utf8.key -days 2000 "
				 "-sha256 -set_serial 9000 -extfile "
				 "gw_direct.ext -out outlives.pem 2> "
				 "/dev/null"),
			 0);
	assert_int_equal(
		verify("outlives int_utf8", "root", name, soon(), &diag), OK);
	expect_bad_at("outlives int_utf8", "root", name, soon() + 400 * DAY,
		      "CA 'O=Lab, CN=Lab Print' expired on 20");
	expect_bad_at("outlives", "int_utf8", name, soon() + 400 * DAY,
		      "CA 'O=Lab, CN=Lab Print' expired on 20");
}

static void key_usage_is_kept(void **state)
{
	expect_bad("gw_encipher", "root", "must not be used for signatures");
	expect_good("gw_non_repudiation", "root");
	expect_bad("gw_client", "root", "is not for gateways");
	expect_good("gw_ike", "root");
	expect_good("gw_ike_intermediate", "root");
	expect_good("gw_any", "root");
	expect_good("gw_ca", "root");
}

static void an_unknown_critical_extension_is_refused(void **state)
{
	expect_bad("gw_critical", "root",
		   "a critical extension that is not supported (1.2.3.4.5)");
	expect_good("gw_uncritical", "root");
	expect_good("gw_policy", "root");
}

/* --- names
 * ---------------------------------------------------------------------- */

static void the_gateways_name_must_stand_in_the_certificate(void **state)
{
	expect_good_name("gw int1", "root", dns("GW.example.ORG"));
	expect_good_name("gw int1", "root", dns("alias.example.org"));
	expect_bad_name("gw int1", "root", dns("vpn.example.org"),
			"gateway certificate is for 'gw.example.org', "
			"'alias.example.org', '192.0.2.1', ..., not "
			"'vpn.example.org': check [gateway] id in the "
			"profile");
	expect_bad_name("gw int1", "root", dns("w.example.org"), "is for");
	expect_bad_name("gw int1", "root", dns("gw.example.org."), "is for");
	expect_bad_name("gw int1", "root", dns(""), "is for");
	expect_bad("gw_no_san", "root", "has no subjectAltName");
	expect_bad("gw_nul", "root", "is for 'gw.example.org?.evil.x'");
}

static void a_wildcard_stands_for_one_whole_label(void **state)
{
	expect_good("gw_wild", "root");
	expect_bad_name("gw_wild", "root", dns("a.gw.example.org"), "is for");
	expect_bad_name("gw_wild", "root", dns("example.org"), "is for");
	expect_bad_name("gw_wild", "root", dns(".example.org"), "is for");
	expect_bad_name("gw_wild", "root", dns("*.example.org"), "is for");
	expect_bad_name("gw_wild_top", "root", dns("example.org"), "is for");
	expect_bad("gw_wild_part", "root", "is for 'g*.example.org'");
}

static void addresses_and_mailboxes_are_names_too(void **state)
{
	static const uint8_t v4[] = {192, 0, 2, 1};
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	static const uint8_t other[] = {192, 0, 2, 2};

	expect_good_name("gw int1", "root",
			 (struct peer_name){PEER_IP, BYTES_OF(v4)});
	expect_good_name("gw int1", "root",
			 (struct peer_name){PEER_IP, BYTES_OF(v6)});
	expect_bad_name("gw int1", "root",
			(struct peer_name){PEER_IP, BYTES_OF(other)},
			"not '192.0.2.2'");
	expect_bad_name("gw int1", "root", dns("192.0.2.1"), "is for");
	expect_good_name(
		"gw int1", "root",
		(struct peer_name){PEER_EMAIL, bytes_str("Admin@EXAMPLE.org")});
	expect_bad_name(
		"gw int1", "root",
		(struct peer_name){PEER_EMAIL, bytes_str("admin@example.org")},
		"not 'admin@example.org'");
	expect_bad_name(
		"gw int1", "root",
		(struct peer_name){PEER_EMAIL, bytes_str("gw.example.org")},
		"is for");
}

/* SEQUENCE { SET { SEQUENCE { OID, PrintableString } } ... } */
static void
a_distinguished_name_is_the_subject_or_a_directory_name(void **state)
{
	struct bytes subject =
		HEX("3028310b3009060355040613025858310c300a06035"
		    "5040a13036c6162310b300906035504031302 4757");
	struct bytes other = HEX("300d310b3009060355040313026777");
	struct bytes directory = HEX("3024310c300a060355040a0c034c6162311430120"
				     "6035504030c0b5468652047617465776179");

	expect_good_name("gw int1", "root",
			 (struct peer_name){PEER_DN, subject});
	expect_bad_name("gw int1", "root", (struct peer_name){PEER_DN, other},
			"gateway certificate is for 'C=XX, O=Lab, CN=gw', not "
			"'CN=gw'");
	expect_good_name("gw_dirname", "root",
			 (struct peer_name){PEER_DN, directory});
	expect_bad_name("gw int1", "root",
			(struct peer_name){PEER_DN, bytes_str("garbage")},
			"not ''");
}

static void a_subject_is_shown_as_a_person_reads_it(void **state)
{
	char text[100], small[12];
	struct chain c;

	chain_load(&c, "gw");
	assert_string_equal(cert_subject(c.certs[0], text, sizeof(text)),
			    "C=XX, O=Lab, CN=gw");
	assert_string_equal(cert_subject(c.certs[0], small, sizeof(small)),
			    "C=XX, O=Lab");
	assert_string_equal(cert_subject(BYTES_NONE, text, sizeof(text)),
			    "(not a certificate)");
	chain_free(&c);
}

/* --- name constraints
 * --------------------------------------------------------------- */

static void expect_name_allowed(const char *certs, const char *anchors,
				const char *name)
{
	expect_good_name(certs, anchors, dns(name));
}

static void name_constraints_of_dns_names_are_kept(void **state)
{
	const char *const line = "name constraints";

	expect_name_allowed("nc_dns_self nc_dns", "root", "example.org");
	expect_name_allowed("nc_dns_below nc_dns", "root", "gw.example.org");
	expect_name_allowed("nc_dns_ip nc_dns", "root", "gw.example.org");
	expect_bad_name("nc_dns_beside nc_dns", "root", dns("badexample.org"),
			line);
	expect_bad("nc_dns_other nc_dns", "root",
		   "CA 'CN=nc_dns' is not allowed to issue for "
		   "'gw.other.org'");
	expect_good("nc_dns_dot_below nc_dns_dot", "root");
	expect_bad_name("nc_dns_dot_self nc_dns_dot", "root",
			dns("example.org"), line);
	expect_good("nc_dns_not_good nc_dns_not", "root");
	expect_bad_name("nc_dns_not_bad nc_dns_not", "root",
			dns("a.secret.example.org"), line);
	/* The wildcard reaches into what is excluded. */
	expect_bad("nc_dns_not_wild nc_dns_not", "root", line);
}

static void name_constraints_of_addresses_are_kept(void **state)
{
	static const uint8_t in[] = {192, 0, 2, 77};
	static const uint8_t out[] = {198, 51, 100, 1};
	static const uint8_t v6[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 1};
	struct peer_name inside = {PEER_IP, BYTES_OF(in)};
	struct peer_name outside = {PEER_IP, BYTES_OF(out)};
	struct peer_name six = {PEER_IP, BYTES_OF(v6)};

	expect_good_name("nc_ip_good nc_ip", "root", inside);
	expect_bad_name("nc_ip_bad nc_ip", "root", outside, "198.51.100.1");
	expect_bad_name("nc_ip_six nc_ip", "root", six, "name constraints");
	expect_bad_name("nc_ip_not_bad nc_ip_not", "root", inside,
			"name constraints");
	expect_good_name("nc_ip_not_good nc_ip_not", "root", outside);
}

static void name_constraints_of_mailboxes_and_directories_are_kept(void **state)
{
	expect_good_name(
		"nc_email_good nc_email", "root",
		(struct peer_name){PEER_EMAIL, bytes_str("a@example.org")});
	expect_bad_name(
		"nc_email_bad nc_email", "root",
		(struct peer_name){PEER_EMAIL, bytes_str("a@sub.example.org")},
		"name constraints");
	expect_bad("nc_email_subject nc_email", "root", "'a@other.org'");
	expect_good("nc_dir_good nc_dir", "root");
	expect_bad("nc_dir_bad nc_dir", "root", "'O=Other, CN=x'");
}

static void name_constraints_that_cannot_be_compared_refuse(void **state)
{
	expect_good("nc_uri_none nc_uri", "root");
	expect_bad("nc_uri_some nc_uri", "root", "name constraints");
}

static void name_constraints_of_an_anchor_are_kept(void **state)
{
	expect_good("nc_root_good", "nc_root");
	expect_bad_name("nc_root_bad", "nc_root", dns("gw.other.org"),
			"name constraints");
}

/* --- files
 * ------------------------------------------------------------------------ */

static void files_hold_one_or_many_certificates(void **state)
{
	struct bytes many = pki_read("many.pem"), der = pki_read("gw.der");
	struct bytes certs[4];
	struct diag diag = DIAG_INIT;
	uint8_t *buf, keyids[60];
	struct trust *t;
	size_t n;

	assert_int_equal(cert_load(many, certs, 4, &n, &buf, NULL), OK);
	assert_int_equal(n, 3);
	free(buf);
	assert_int_equal(cert_load(der, certs, 4, &n, &buf, NULL), OK);
	assert_int_equal(n, 1);
	assert_true(bytes_eq(certs[0], der));
	free(buf);
	assert_int_equal(cert_load(many, certs, 2, &n, &buf, &diag),
			 ERR_NO_SPACE);
	assert_null(buf);

	assert_int_equal(trust_new(&t), OK);
	assert_int_equal(trust_add(t, many, NULL), OK);
	assert_int_equal(trust_add(t, many, NULL), OK); /* once only */
	assert_int_equal(trust_keyids(t, keyids, 2), 2);
	assert_int_equal(trust_keyids(t, keyids, 3), 3);
	trust_free(&t);
	assert_null(t);
	pki_free(many);
	pki_free(der);
}

static void files_without_a_good_certificate_are_refused(void **state)
{
	static const struct {
		const char *text, *line;
	} bad[] = {
		{"", "the certificate file is empty"},
		{"hello\n", "no certificate in the file"},
		{"-----BEGIN CERTIFICATE-----\n", "no certificate in"},
		{"-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----",
		 "certificate 1 of the file is damaged"},
		{"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
		 "certificate 1 of the file cannot be read"},
		{"0\x05zz", "certificate 2 of the file is damaged"},
	};
	struct bytes key = pki_read("gw.key");
	struct diag diag;
	struct trust *t;

	assert_int_equal(trust_new(&t), OK);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		diag_clear(&diag);
		assert_int_equal(trust_add(t, bytes_str(bad[i].text), &diag),
				 ERR_MALFORMED);
		assert_non_null(strstr(diag.text, bad[i].line));
	}
	assert_int_equal(trust_add(t, key, &diag), ERR_MALFORMED);
	assert_int_equal(trust_keyids(t, NULL, 0), 0);
	trust_free(&t);
	pki_free(key);
}

/* The reference: openssl hashes the SubjectPublicKeyInfo. */
static void keyids_are_the_hashes_certreq_wants(void **state)
{
	struct trust *t = trust_load("root");
	struct bytes want;
	uint8_t keyid[20];

	assert_int_equal(trust_keyids(t, keyid, 1), 1);
	assert_int_equal(pki_run("openssl x509 -in root.pem -noout -pubkey | "
				 "openssl pkey -pubin -outform DER | openssl "
				 "dgst -sha1 -binary > keyid"),
			 0);
	want = pki_read("keyid");
	assert_true(bytes_eq(want, BYTES_OF(keyid)));
	pki_free(want);
	trust_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_chain_is_trusted),
		cmocka_unit_test(
			certificates_that_do_not_belong_are_passed_over),
		cmocka_unit_test(
			garbage_behind_the_first_certificate_is_passed_over),
		cmocka_unit_test(no_trusted_ca_is_said_with_the_issuer),
		cmocka_unit_test(
			a_certificate_among_the_anchors_is_trusted_itself),
		cmocka_unit_test(
			a_root_of_version_1_is_an_anchor_but_no_intermediate),
		cmocka_unit_test(a_certificate_issued_by_no_ca_is_refused),
		cmocka_unit_test(an_issuer_must_be_allowed_to_sign),
		cmocka_unit_test(a_path_length_is_kept),
		cmocka_unit_test(a_new_key_of_the_same_root_is_told_apart),
		cmocka_unit_test(
			names_compare_without_case_spaces_and_string_type),
		cmocka_unit_test(cas_that_issued_each_other_end_the_search),
		cmocka_unit_test(each_kind_of_key_and_signature_is_taken),
		cmocka_unit_test(weak_signatures_and_keys_are_refused_by_name),
		cmocka_unit_test(a_certificate_with_any_flipped_bit_is_refused),
		cmocka_unit_test(a_certificate_cut_anywhere_is_refused),
		cmocka_unit_test(time_is_the_callers),
		cmocka_unit_test(an_expired_ca_is_named),
		cmocka_unit_test(key_usage_is_kept),
		cmocka_unit_test(an_unknown_critical_extension_is_refused),
		cmocka_unit_test(
			the_gateways_name_must_stand_in_the_certificate),
		cmocka_unit_test(a_wildcard_stands_for_one_whole_label),
		cmocka_unit_test(addresses_and_mailboxes_are_names_too),
		cmocka_unit_test(
			a_distinguished_name_is_the_subject_or_a_directory_name),
		cmocka_unit_test(a_subject_is_shown_as_a_person_reads_it),
		cmocka_unit_test(name_constraints_of_dns_names_are_kept),
		cmocka_unit_test(name_constraints_of_addresses_are_kept),
		cmocka_unit_test(
			name_constraints_of_mailboxes_and_directories_are_kept),
		cmocka_unit_test(
			name_constraints_that_cannot_be_compared_refuse),
		cmocka_unit_test(name_constraints_of_an_anchor_are_kept),
		cmocka_unit_test(files_hold_one_or_many_certificates),
		cmocka_unit_test(files_without_a_good_certificate_are_refused),
		cmocka_unit_test(keyids_are_the_hashes_certreq_wants),
	};
	int failed;

	if (!pki_possible())
		return PKI_SKIP;
	if (crypto_open(NULL) != OK)
		return 1;
	failed = cmocka_run_group_tests(tests, pki_make, pki_remove);
	crypto_close();
	return failed;
}
