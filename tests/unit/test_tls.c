/* The TLS handshake of EAP-TLS: two sides, flight by flight. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "client/crypto/tls.h"
#include "tests/unit/ike_keys.h"

struct side {
	struct tls_config cfg;
	struct tls *tls;
	struct trust *trust;
	struct privkey *key;
	struct bytes cert;
	uint8_t *buf;
	bool done;
};

static struct diag diag;
static struct bytes flight; /* the last one, an alert too */

static void side_open(struct side *s, bool server, const char *peer)
{
	const char *cert = server ? ike_test_gw_cert : ike_test_cl_cert;
	const char *key = server ? ike_test_gw_key : ike_test_cl_key;
	size_t n;

	memset(s, 0, sizeof(*s));
	diag_clear(&diag);
	assert_int_equal(trust_new(&s->trust), OK);
	assert_int_equal(trust_add(s->trust, bytes_str(ike_test_ca), &diag),
			 OK);
	assert_int_equal(
		privkey_load(bytes_str(key), BYTES_NONE, &s->key, &diag), OK);
	assert_int_equal(
		cert_load(bytes_str(cert), &s->cert, 1, &n, &s->buf, &diag),
		OK);
	s->cfg = (struct tls_config){
		.is_server = server,
		.certs = &s->cert,
		.n_certs = 1,
		.key = s->key,
		.trust = s->trust,
		.peer = {server ? PEER_EMAIL : PEER_DNS, bytes_str(peer)},
		.now = time(NULL)};
}

static void side_start(struct side *s)
{
	assert_int_equal(tls_new(&s->cfg, &s->tls, &diag), OK);
}

static void side_close(struct side *s)
{
	tls_free(&s->tls);
	trust_free(&s->trust);
	privkey_free(&s->key);
	free(s->buf);
}

/* Until both are done; the first error of either. */
static enum err shake(struct side *c, struct side *s)
{
	static uint8_t copy[65536];
	struct side *who = c;

	flight = BYTES_NONE;
	for (int i = 0; i < 10 && !(c->done && s->done); i++) {
		enum err e;

		if (flight.len)
			memcpy(copy, flight.p, flight.len);
		e = tls_step(who->tls, bytes(copy, flight.len), &flight,
			     &who->done, &diag);
		if (e != OK)
			return e;
		who = who == c ? s : c;
	}
	return c->done && s->done ? OK : ERR_NO_ANSWER;
}

static void both_sides_get_the_same_msk(void **state)
{
	struct secret a = {0}, b = {0};
	struct side c, s;

	side_open(&c, false, "gw.example.org");
	side_open(&s, true, "me@example.org");
	side_start(&c);
	side_start(&s);
	assert_int_equal(tls_msk(c.tls, &a), ERR_STATE);
	assert_int_equal(shake(&c, &s), OK);
	assert_int_equal(tls_msk(c.tls, &a), OK);
	assert_int_equal(tls_msk(s.tls, &b), OK);
	assert_int_equal(a.len, 64);
	assert_true(secret_eq(&a, &b));
	side_close(&c);
	side_close(&s);
}

static void another_name_than_expected_is_not_trusted(void **state)
{
	struct side c, s;

	side_open(&c, false, "other.example.org");
	side_open(&s, true, "me@example.org");
	side_start(&c);
	side_start(&s);
	assert_int_equal(shake(&c, &s), ERR_UNTRUSTED);
	assert_false(c.done);
	assert_non_null(strstr(diag.text, "EAP-TLS"));
	side_close(&c);
	side_close(&s);
}

static void a_certificate_of_another_ca_is_not_trusted(void **state)
{
	struct side c, s;

	side_open(&c, false, "gw.example.org");
	side_open(&s, true, "me@example.org");
	trust_free(&c.trust);
	assert_int_equal(trust_new(&c.trust), OK);
	/* the client's own, which signs nothing */
	assert_int_equal(trust_add(c.trust, bytes_str(ike_test_cl_cert), &diag),
			 OK);
	c.cfg.trust = c.trust;
	side_start(&c);
	side_start(&s);
	assert_int_equal(shake(&c, &s), ERR_UNTRUSTED);
	side_close(&c);
	side_close(&s);
}

static void an_expired_certificate_is_not_trusted(void **state)
{
	struct side c, s;

	side_open(&c, false, "gw.example.org");
	side_open(&s, true, "me@example.org");
	c.cfg.now += INT64_C(200) * 366 * 24 * 3600;
	side_start(&c);
	side_start(&s);
	assert_int_equal(shake(&c, &s), ERR_UNTRUSTED);
	side_close(&c);
	side_close(&s);
}

static void a_refusal_of_our_certificate_is_told_apart(void **state)
{
	uint8_t alert[64];
	struct side c, s;

	side_open(&c, false, "gw.example.org");
	side_open(&s, true, "else@example.org");
	side_start(&c);
	side_start(&s);
	assert_int_equal(shake(&c, &s), ERR_UNTRUSTED);
	assert_in_range(flight.len, 7, sizeof(alert));
	memcpy(alert, flight.p, flight.len);
	assert_int_equal(tls_step(c.tls, bytes(alert, flight.len), &flight,
				  &c.done, &diag),
			 ERR_AUTH);
	side_close(&c);
	side_close(&s);
}

static void nonsense_is_the_peers_fault(void **state)
{
	static const uint8_t odd[] = "\x16\x03\x03\0\5hello";
	struct side c;

	side_open(&c, false, "gw.example.org");
	side_start(&c);
	assert_int_equal(tls_step(c.tls, BYTES_NONE, &flight, &c.done, &diag),
			 OK);
	assert_true(flight.len > 40);
	assert_int_equal(tls_step(c.tls, bytes(odd, sizeof(odd) - 1), &flight,
				  &c.done, &diag),
			 ERR_PEER);
	side_close(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_sides_get_the_same_msk),
		cmocka_unit_test(another_name_than_expected_is_not_trusted),
		cmocka_unit_test(a_certificate_of_another_ca_is_not_trusted),
		cmocka_unit_test(an_expired_certificate_is_not_trusted),
		cmocka_unit_test(a_refusal_of_our_certificate_is_told_apart),
		cmocka_unit_test(nonsense_is_the_peers_fault),
	};
	int rc;

	if (crypto_open(&diag) != OK)
		return 1;
	rc = cmocka_run_group_tests_name("tls", tests, NULL, NULL);
	crypto_close();
	return rc;
}
