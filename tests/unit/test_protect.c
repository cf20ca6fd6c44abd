/* The SK payload, against messages sealed by others. */
#include "tests/unit/ike_pair.h"

static enum err open_at(struct ike_protect *p, struct bytes dgram,
			struct ike_msg *msg, uint8_t **out_buf)
{
	enum err e;

	*out_buf = heap_copy(dgram);
	e = ike_msg_parse(bytes(*out_buf, dgram.len), msg);
	return e == OK ? ike_open(p, *out_buf, dgram.len, msg) : e;
}

static void messages_sealed_by_another_program_are_opened(void **state)
{
	const struct ike_vector *v;
	struct ike_msg msg;
	struct bytes body;
	struct pair p;
	uint8_t *buf;

	for (size_t i = 0; i < N_VECTORS; i++) {
		v = &ike_vectors[i];
		pair_open(&p, v);
		assert_int_equal(
			open_at(&p.r, hex_static(v->sealed), &msg, &buf), OK);
		assert_int_equal(msg.n_payloads, 2);
		assert_int_equal(msg.payloads[0].type, PLD_IDI);
		body = msg.payloads[0].body;
		assert_memory_equal(body.p + 4, "gw.lab.test", 11);
		assert_int_equal(msg.payloads[1].type, PLD_NOTIFY);
		free(buf);
		pair_close(&p);
	}
}

/* RFC 7634 appendix B: a whole message; its keys are given, not derived. */
static void the_message_of_rfc_7634_is_opened(void **state)
{
	struct bytes key = HEX("808182838485868788898a8b8c8d8e8f"
			       "909192939495969798999a9b9c9d9e9fa0a1a2a3");
	struct ike_keys k = {.suite = suite_of(&ike_vectors[1])};
	struct ike_protect p;
	struct ike_notify n;
	struct ike_msg msg;
	uint8_t *buf;

	assert_int_equal(secret_set(&k.sk_ei, key), OK);
	assert_int_equal(secret_set(&k.sk_er, key), OK);
	assert_int_equal(ike_protect_new(&k, true, NULL, &p), OK);
	assert_int_equal(
		open_at(&p,
			hex_static("c0c1c2c3c4c5c6c7d0d1d2d3d4d5d6d7"
				   "2e20250000000009000000452900002910111213"
				   "14151617610394701f8d017f7c12924889"
				   "6b71bfe25236efd7cdc67066906315b2"),
			&msg, &buf),
		OK);
	assert_int_equal(msg.n_payloads, 1);
	assert_int_equal(msg.payloads[0].type, PLD_NOTIFY);
	assert_true(ike_msg_notify(&msg, N_SET_WINDOW_SIZE, &n));
	assert_hex(n.data.p, n.data.len, "0000000a");
	free(buf);
	ike_protect_free(&p);
}

static struct bytes seal(struct ike_protect *p, uint8_t first,
			 struct bytes chain, uint8_t *buf, size_t cap)
{
	struct ike_hdr hdr = {.spi_i = SPI_I,
			      .spi_r = SPI_R,
			      .exchange = IKE_AUTH,
			      .flags = IKE_FLAG_INITIATOR,
			      .msg_id = 1};
	struct wr w = wr_open(buf, cap);

	assert_int_equal(ike_seal(p, &hdr, first, chain, &w), OK);
	return wr_view(&w);
}

static void what_one_side_seals_only_the_other_opens(void **state)
{
	uint8_t buf[512], *copy;
	struct ike_msg msg;
	struct bytes b;
	struct pair p;

	for (size_t i = 0; i < N_VECTORS; i++) {
		pair_open(&p, &ike_vectors[i]);
		b = seal(&p.i, PLD_VENDOR, hex_static("00000008 01020304"), buf,
			 sizeof(buf));
		assert_int_equal(open_at(&p.i, b, &msg, &copy), ERR_INTEGRITY);
		free(copy);
		assert_int_equal(open_at(&p.r, b, &msg, &copy), OK);
		assert_int_equal(msg.n_payloads, 1);
		assert_int_equal(msg.payloads[0].type, PLD_VENDOR);
		free(copy);
		pair_close(&p);
	}
}

static void every_length_of_chain_comes_through(void **state)
{
	uint8_t chain[64] = {0}, buf[512], *copy;
	struct ike_msg msg;
	struct bytes b;
	struct pair p;

	for (size_t i = 0; i < N_VECTORS; i++) {
		pair_open(&p, &ike_vectors[i]);
		for (uint8_t len = 4; len < sizeof(chain); len++) {
			chain[3] = len;
			b = seal(&p.i, PLD_VENDOR, bytes(chain, len), buf,
				 sizeof(buf));
			assert_int_equal(open_at(&p.r, b, &msg, &copy), OK);
			assert_int_equal(msg.payloads[0].body.len, len - 4);
			free(copy);
		}
		/* a liveness check has no payload at all */
		b = seal(&p.i, PLD_NONE, BYTES_NONE, buf, sizeof(buf));
		assert_int_equal(open_at(&p.r, b, &msg, &copy), OK);
		assert_int_equal(msg.n_payloads, 0);
		free(copy);
		pair_close(&p);
	}
}

static void no_octet_can_be_changed(void **state)
{
	uint8_t buf[512], *copy;
	struct ike_msg msg;
	struct bytes b;
	struct pair p;
	enum err e;

	for (size_t i = 0; i < N_VECTORS; i++) {
		pair_open(&p, &ike_vectors[i]);
		b = seal(&p.i, PLD_VENDOR, hex_static("00000008 01020304"), buf,
			 sizeof(buf));
		for (size_t k = 0; k < b.len; k++) {
			buf[k] ^= 1;
			e = open_at(&p.r, b, &msg, &copy);
			/* in the lengths it is not even a message */
			if (e == OK || (e != ERR_INTEGRITY && k >= 32))
				fail_msg("octet %zu: %s", k, err_name(e));
			free(copy);
			buf[k] ^= 1;
		}
		pair_close(&p);
	}
}

/* Everything from nothing to one octet less than the least. */
static void a_short_sk_is_an_integrity_error(void **state)
{
	uint8_t chain[128] = {0}, buf[256], *copy;
	struct ike_msg msg;
	struct bytes b;
	struct pair p;
	enum err e;

	for (size_t i = 0; i < N_VECTORS; i++) {
		pair_open(&p, &ike_vectors[i]);
		for (uint8_t len = 0; len < sizeof(chain) - 4; len++) {
			chain[3] = (uint8_t)(len + 4);
			b = ike_frame(PLD_SK, bytes(chain, len + 4U), buf,
				      sizeof(buf));
			e = open_at(&p.r, b, &msg, &copy);
			assert_int_equal(e, ERR_INTEGRITY);
			assert_int_equal(msg.n_payloads, 0);
			free(copy);
		}
		pair_close(&p);
	}
}

static void nothing_from_outside_sk_stays(void **state)
{
	/* a message without SK, and one that is not of this buffer */
	uint8_t buf[128], other[128] = {0};
	struct ike_msg msg;
	struct bytes b;
	struct pair p;

	pair_open(&p, &ike_vectors[0]);
	b = ike_frame(PLD_AUTH, hex_static("00000009 02000000 aa"), buf,
		      sizeof(buf));
	assert_int_equal(ike_msg_parse(b, &msg), OK);
	assert_int_equal(msg.n_payloads, 1);
	assert_int_equal(ike_open(&p.r, buf, b.len, &msg), ERR_INTEGRITY);
	assert_int_equal(msg.n_payloads, 0);
	b = ike_frame(PLD_AUTH, hex_static("2e000009 02000000 aa 00000004"),
		      buf, sizeof(buf));
	assert_int_equal(ike_msg_parse(b, &msg), OK);
	assert_int_equal(ike_open(&p.r, other, b.len, &msg), ERR_INTEGRITY);
	assert_int_equal(ike_open(&p.r, buf, b.len - 1, &msg), ERR_INTEGRITY);
	pair_close(&p);
}

/* Padding is looked at only when the message is genuine. */
static void padding_longer_than_the_text_is_malformed(void **state)
{
	struct cipher_text t = {0};
	uint8_t buf[256], *copy;
	struct ike_msg msg;
	struct bytes b;
	struct pair p;
	size_t iv_len, icv_len;

	for (size_t i = 0; i < N_VECTORS; i++) {
		pair_open(&p, &ike_vectors[i]);
		iv_len = cipher_iv_len(p.i.seal);
		icv_len = cipher_icv_len(p.i.seal);
		b = seal(&p.i, PLD_NONE, BYTES_NONE, buf, sizeof(buf));
		t.head = bytes(buf, 32);
		t.iv = buf + 32;
		t.body = buf + 32 + iv_len;
		t.body_len = b.len - 32 - iv_len - icv_len;
		t.icv = buf + b.len - icv_len;
		for (unsigned int pad = 0; pad < 256; pad++) {
			memset(t.body, (int)pad, t.body_len);
			assert_int_equal(cipher_seal(p.i.seal, &t), OK);
			assert_int_equal(open_at(&p.r, b, &msg, &copy),
					 pad + 1 == t.body_len ? OK
							       : ERR_MALFORMED);
			free(copy);
		}
		pair_close(&p);
	}
}

static void the_inner_chain_keeps_the_rules_of_chains(void **state)
{
	uint8_t buf[512], *copy;
	struct ike_msg msg;
	struct bytes b;
	struct pair p;

	pair_open(&p, &ike_vectors[0]);
	b = seal(&p.i, 200, hex_static("00800004"), buf, sizeof(buf));
	assert_int_equal(open_at(&p.r, b, &msg, &copy), ERR_UNSUPPORTED);
	assert_int_equal(msg.unknown_critical, 200);
	free(copy);
	b = seal(&p.i, PLD_SK, hex_static("00000004"), buf, sizeof(buf));
	assert_int_equal(open_at(&p.r, b, &msg, &copy), ERR_MALFORMED);
	free(copy);
	b = seal(&p.i, PLD_VENDOR, hex_static("00000003"), buf, sizeof(buf));
	assert_int_equal(open_at(&p.r, b, &msg, &copy), ERR_MALFORMED);
	free(copy);
	b = seal(&p.i, PLD_VENDOR, hex_static("00000005"), buf, sizeof(buf));
	assert_int_equal(open_at(&p.r, b, &msg, &copy), ERR_TRUNCATED);
	free(copy);
	pair_close(&p);
}

static void ivs_are_never_the_same_twice(void **state)
{
	uint8_t one[128], two[128];
	struct pair p;
	size_t len;

	for (size_t i = 0; i < N_VECTORS; i++) {
		pair_open(&p, &ike_vectors[i]);
		len = cipher_iv_len(p.i.seal);
		seal(&p.i, PLD_NONE, BYTES_NONE, one, sizeof(one));
		seal(&p.i, PLD_NONE, BYTES_NONE, two, sizeof(two));
		assert_memory_not_equal(one + 32, two + 32, len);
		if (cipher_is_aead(p.i.seal))
			assert_hex(two + 32, len, "0000000000000001");
		pair_close(&p);
	}
}

static void sealing_into_too_little_room_leaves_nothing(void **state)
{
	struct ike_hdr hdr = {.exchange = INFORMATIONAL};
	static uint8_t large[66000], buf[70000];
	struct bytes chain = bytes_str("a text that must not stay behind");
	struct wr w;
	struct pair p;

	for (size_t i = 0; i < N_VECTORS; i++) {
		pair_open(&p, &ike_vectors[i]);
		for (size_t cap = 0; cap < 89; cap++) {
			memset(buf, 0, 128);
			w = wr_open(buf, cap);
			assert_int_equal(
				ike_seal(&p.i, &hdr, PLD_VENDOR, chain, &w),
				ERR_NO_SPACE);
			assert_int_equal(wr_len(&w), 0);
			for (size_t k = 0; k < 128; k++)
				assert_int_equal(buf[k], 0);
		}
		w = wr_open(buf, sizeof(buf));
		assert_int_equal(
			ike_seal(&p.i, &hdr, PLD_VENDOR, BYTES_OF(large), &w),
			ERR_NO_SPACE);
		assert_int_equal(wr_len(&w), 0);
		pair_close(&p);
	}
}

static void what_stands_before_the_message_is_not_authenticated(void **state)
{
	struct ike_hdr hdr = {.exchange = INFORMATIONAL};
	uint8_t buf[256];
	struct wr w = wr_open(buf, sizeof(buf));
	struct ike_msg msg;
	struct pair p;

	pair_open(&p, &ike_vectors[0]);
	wr_u32(&w, 0); /* the non-ESP marker */
	assert_int_equal(ike_seal(&p.i, &hdr, PLD_NONE, BYTES_NONE, &w), OK);
	assert_int_equal(ike_msg_parse(bytes(buf + 4, wr_len(&w) - 4), &msg),
			 OK);
	assert_int_equal(ike_open(&p.r, buf + 4, wr_len(&w) - 4, &msg), OK);
	pair_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_sealed_by_another_program_are_opened),
		cmocka_unit_test(the_message_of_rfc_7634_is_opened),
		cmocka_unit_test(what_one_side_seals_only_the_other_opens),
		cmocka_unit_test(every_length_of_chain_comes_through),
		cmocka_unit_test(no_octet_can_be_changed),
		cmocka_unit_test(a_short_sk_is_an_integrity_error),
		cmocka_unit_test(nothing_from_outside_sk_stays),
		cmocka_unit_test(padding_longer_than_the_text_is_malformed),
		cmocka_unit_test(the_inner_chain_keeps_the_rules_of_chains),
		cmocka_unit_test(ivs_are_never_the_same_twice),
		cmocka_unit_test(sealing_into_too_little_room_leaves_nothing),
		cmocka_unit_test(
			what_stands_before_the_message_is_not_authenticated),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
