/* SKF: cutting and reassembly, RFC 7383. */
#include "tests/unit/ike_pair.h"

#define MAX_LEN 200 /* of a datagram */

struct frags {
	uint8_t *p[IKE_FRAGMENTS_MAX];
	size_t len[IKE_FRAGMENTS_MAX];
	size_t n;
};

static struct ike_hdr hdr_of(uint32_t msg_id)
{
	return (struct ike_hdr){.spi_i = SPI_I,
				.spi_r = SPI_R,
				.exchange = IKE_AUTH,
				.flags = IKE_FLAG_INITIATOR,
				.msg_id = msg_id};
}

/* Notifies of 32 octets each. */
static struct bytes chain_of(size_t n, uint8_t *out_first)
{
	static uint8_t buf[4096];
	uint8_t data[24];
	struct ike_wr m;
	struct bytes b;

	ike_wr_start_chain(&m, buf, sizeof(buf));
	for (size_t i = 0; i < n; i++) {
		memset(data, (int)i, sizeof(data));
		ike_wr_notify(&m, N_COOKIE2, BYTES_OF(data));
	}
	assert_int_equal(ike_wr_end(&m, &b), OK);
	*out_first = ike_wr_first(&m);
	return b;
}

static void cut(struct ike_protect *p, size_t n_notifies, size_t max_len,
		uint32_t msg_id, struct frags *out)
{
	struct ike_hdr hdr = hdr_of(msg_id);
	struct ike_frag frag = {.max_len = max_len};
	uint8_t first, buf[2048];
	struct bytes chain = chain_of(n_notifies, &first);
	struct wr w;

	out->n = ike_fragments(p, chain.len, max_len);
	assert_in_range(out->n, 2, IKE_FRAGMENTS_MAX);
	frag.total = (uint16_t)out->n;
	for (size_t i = 0; i < out->n; i++) {
		frag.number = (uint16_t)(i + 1);
		w = wr_open(buf, sizeof(buf));
		assert_int_equal(
			ike_seal_frag(p, &hdr, first, chain, &frag, &w), OK);
		assert_true(wr_len(&w) <= max_len);
		out->p[i] = heap_copy(wr_view(&w));
		out->len[i] = wr_len(&w);
	}
}

static void frags_free(struct frags *f)
{
	for (size_t i = 0; i < f->n; i++)
		free(f->p[i]);
}

/* Works on a copy, since opening decrypts in place. */
static enum err add_octets(struct ike_reasm *r, struct ike_protect *p,
			   struct bytes dgram, struct ike_msg *msg, bool *done)
{
	uint8_t *copy = heap_copy(dgram);
	enum err e = ike_reasm_add(r, p, copy, dgram.len, msg, done);

	free(copy);
	return e;
}

static enum err add(struct ike_reasm *r, struct ike_protect *p,
		    const struct frags *f, size_t i)
{
	struct ike_msg msg;
	bool done;
	enum err e;

	e = add_octets(r, p, bytes(f->p[i], f->len[i]), &msg, &done);
	assert_false(done);
	return e;
}

static void add_last(struct ike_reasm *r, struct ike_protect *p,
		     const struct frags *f, size_t i, size_t n_notifies)
{
	struct ike_notify n;
	struct ike_msg msg;
	bool done;

	assert_int_equal(
		add_octets(r, p, bytes(f->p[i], f->len[i]), &msg, &done), OK);
	assert_true(done);
	assert_int_equal(msg.sk_type, PLD_SKF);
	assert_int_equal(msg.hdr.exchange, IKE_AUTH);
	assert_int_equal(msg.n_payloads, n_notifies);
	for (size_t k = 0; k < n_notifies; k++) {
		assert_int_equal(ike_notify_parse(msg.payloads[k].body, &n),
				 OK);
		assert_int_equal(n.data.len, 24);
		assert_int_equal(n.data.p[0], k);
		assert_int_equal(n.data.p[23], k);
	}
}

struct reasm_state {
	struct pair pair;
	struct ike_reasm *r;
};

static void start(struct reasm_state *s, size_t vector)
{
	pair_open(&s->pair, &ike_vectors[vector]);
	assert_int_equal(ike_reasm_new(&s->r), OK);
}

static void stop(struct reasm_state *s)
{
	ike_reasm_free(&s->r);
	assert_null(s->r);
	pair_close(&s->pair);
}

/* --- cutting ----------------------------------------------------------- */

static void fragments_fill_datagrams_and_no_more(void **state)
{
	uint8_t chain[600] = {0}, buf[1024];
	struct ike_hdr hdr = hdr_of(1);
	struct ike_frag frag = {0};
	struct pair p;
	struct wr w;
	size_t n;

	for (size_t i = 0; i < N_VECTORS; i++) {
		pair_open(&p, &ike_vectors[i]);
		for (size_t max = 120; max < 300; max += 7)
			for (size_t len = 0; len < sizeof(chain); len += 41) {
				n = ike_fragments(&p.i, len, max);
				w = wr_open(buf, sizeof(buf));
				assert_int_equal(ike_seal(&p.i, &hdr, PLD_NONE,
							  bytes(chain, len),
							  &w),
						 OK);
				assert_int_equal(n == 1, wr_len(&w) <= max);
				frag = (struct ike_frag){(uint16_t)n,
							 (uint16_t)n, max};
				w = wr_open(buf, sizeof(buf));
				/* one datagram goes as SK */
				if (n == 1)
					continue;
				assert_int_equal(
					ike_seal_frag(&p.i, &hdr, PLD_NONE,
						      bytes(chain, len), &frag,
						      &w),
					OK);
				assert_true(wr_len(&w) <= max);
			}
		pair_close(&p);
	}
}

static void what_cannot_be_cut_is_told(void **state)
{
	uint8_t first, buf[256];
	struct bytes chain = chain_of(4, &first);
	struct ike_hdr hdr = hdr_of(1);
	struct ike_frag frag = {1, 3, 100};
	struct wr w = wr_open(buf, sizeof(buf));
	struct pair p;

	pair_open(&p, &ike_vectors[0]);
	/* 28 + 8 + 8 + 1 + 16 octets hold nothing */
	assert_int_equal(ike_fragments(&p.i, 100, 0), 0);
	assert_int_equal(ike_fragments(&p.i, 100, 61), 0);
	assert_int_equal(ike_fragments(&p.i, 64, 62), 64);
	assert_int_equal(ike_fragments(&p.i, 65, 62), 0);
	assert_int_equal(ike_fragments(&p.i, SIZE_MAX / 2, 1280), 0);
	/* a total or a number that does not fit */
	assert_int_equal(ike_seal_frag(&p.i, &hdr, first, chain, &frag, &w),
			 ERR_STATE);
	frag.total = 4;
	frag.number = 0;
	assert_int_equal(ike_seal_frag(&p.i, &hdr, first, chain, &frag, &w),
			 ERR_STATE);
	frag.number = 5;
	assert_int_equal(ike_seal_frag(&p.i, &hdr, first, chain, &frag, &w),
			 ERR_STATE);
	frag.number = 4;
	assert_int_equal(ike_seal_frag(&p.i, &hdr, first, chain, &frag, &w),
			 OK);
	pair_close(&p);
}

static void only_the_first_fragment_names_the_first_payload(void **state)
{
	struct frags f;
	struct pair p;

	pair_open(&p, &ike_vectors[0]);
	cut(&p.i, 10, MAX_LEN, 1, &f);
	for (size_t i = 0; i < f.n; i++) {
		assert_int_equal(f.p[i][16], PLD_SKF);
		assert_int_equal(f.p[i][28], i == 0 ? PLD_NOTIFY : PLD_NONE);
		assert_int_equal(f.p[i][33], i + 1);
		assert_int_equal(f.p[i][35], f.n);
	}
	frags_free(&f);
	pair_close(&p);
}

/* --- reassembly -------------------------------------------------------- */

static void fragments_of_another_program_are_joined(void **state)
{
	static const int orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
					 {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
	const char *frags[3];
	struct reasm_state s;
	struct ike_msg msg;
	bool done = false;

	for (size_t i = 0; i < N_VECTORS; i++) {
		start(&s, i);
		frags[0] = ike_vectors[i].frag1;
		frags[1] = ike_vectors[i].frag2;
		frags[2] = ike_vectors[i].frag3;
		for (size_t k = 0; k < 6; k++) {
			for (size_t j = 0; j < 3; j++) {
				assert_int_equal(
					add_octets(
						s.r, &s.pair.r,
						hex_static(frags[orders[k][j]]),
						&msg, &done),
					OK);
				assert_int_equal(done, j == 2);
			}
			assert_int_equal(msg.n_payloads, 2);
			assert_int_equal(msg.payloads[0].type, PLD_IDI);
			assert_memory_equal(msg.payloads[0].body.p + 4,
					    "gw.lab.test", 11);
		}
		stop(&s);
	}
}

static void any_order_gives_the_message(void **state)
{
	struct reasm_state s;
	struct frags f;
	size_t at;

	for (size_t i = 0; i < N_VECTORS; i++) {
		start(&s, i);
		cut(&s.pair.i, 20, MAX_LEN, 1, &f);
		/* steps coprime with the number of pieces, from each start */
		for (size_t first = 0; first < f.n; first++) {
			at = first;
			for (size_t k = 0; k + 1 < f.n; k++) {
				assert_int_equal(add(s.r, &s.pair.r, &f, at),
						 OK);
				at = (at + f.n - 1) % f.n;
			}
			add_last(s.r, &s.pair.r, &f, at, 20);
		}
		frags_free(&f);
		stop(&s);
	}
}

static void a_duplicate_is_a_replay(void **state)
{
	struct reasm_state s;
	struct frags f;

	start(&s, 0);
	cut(&s.pair.i, 10, MAX_LEN, 1, &f);
	assert_int_equal(add(s.r, &s.pair.r, &f, 1), OK);
	assert_int_equal(add(s.r, &s.pair.r, &f, 1), ERR_REPLAY);
	for (size_t i = 2; i < f.n; i++)
		assert_int_equal(add(s.r, &s.pair.r, &f, i), OK);
	assert_int_equal(add(s.r, &s.pair.r, &f, f.n - 1), ERR_REPLAY);
	add_last(s.r, &s.pair.r, &f, 0, 10);
	frags_free(&f);
	stop(&s);
}

static void a_larger_total_starts_anew(void **state)
{
	struct reasm_state s;
	struct frags coarse, fine;

	start(&s, 2);
	cut(&s.pair.i, 10, 300, 1, &coarse);
	cut(&s.pair.i, 10, MAX_LEN, 1, &fine);
	assert_true(fine.n > coarse.n);
	for (size_t i = 0; i + 1 < coarse.n; i++)
		assert_int_equal(add(s.r, &s.pair.r, &coarse, i), OK);
	assert_int_equal(add(s.r, &s.pair.r, &fine, 0), OK);
	/* the coarse ones are late now */
	assert_int_equal(add(s.r, &s.pair.r, &coarse, coarse.n - 1),
			 ERR_REPLAY);
	for (size_t i = 1; i + 1 < fine.n; i++)
		assert_int_equal(add(s.r, &s.pair.r, &fine, i), OK);
	add_last(s.r, &s.pair.r, &fine, fine.n - 1, 10);
	frags_free(&coarse);
	frags_free(&fine);
	stop(&s);
}

/* Anyone can write a total; only the gateway can make the ICV right. */
static void a_forged_larger_total_throws_nothing_away(void **state)
{
	struct reasm_state s;
	struct frags coarse, fine;

	start(&s, 0);
	cut(&s.pair.i, 10, 300, 1, &coarse);
	cut(&s.pair.i, 10, MAX_LEN, 1, &fine);
	for (size_t i = 0; i + 1 < coarse.n; i++)
		assert_int_equal(add(s.r, &s.pair.r, &coarse, i), OK);
	fine.p[0][fine.len[0] - 1] ^= 1;
	assert_int_equal(add(s.r, &s.pair.r, &fine, 0), ERR_INTEGRITY);
	add_last(s.r, &s.pair.r, &coarse, coarse.n - 1, 10);
	frags_free(&coarse);
	frags_free(&fine);
	stop(&s);
}

static void another_message_starts_anew(void **state)
{
	struct reasm_state s;
	struct frags one, two;

	start(&s, 1);
	cut(&s.pair.i, 10, MAX_LEN, 1, &one);
	cut(&s.pair.i, 10, MAX_LEN, 2, &two);
	assert_int_equal(add(s.r, &s.pair.r, &one, 0), OK);
	for (size_t i = 1; i < two.n; i++)
		assert_int_equal(add(s.r, &s.pair.r, &two, i), OK);
	add_last(s.r, &s.pair.r, &two, 0, 10);
	/* and after a reset nothing of before counts */
	assert_int_equal(add(s.r, &s.pair.r, &one, 0), OK);
	ike_reasm_reset(s.r);
	for (size_t i = 1; i < one.n; i++)
		assert_int_equal(add(s.r, &s.pair.r, &one, i), OK);
	add_last(s.r, &s.pair.r, &one, 0, 10);
	frags_free(&one);
	frags_free(&two);
	stop(&s);
}

static enum err add_numbers(struct reasm_state *s, const struct frags *f,
			    uint16_t number, uint16_t total)
{
	struct frags g = *f;
	struct wr w = wr_open(g.p[0], g.len[0]);

	assert_non_null(wr_room(&w, 32));
	wr_u16(&w, number);
	wr_u16(&w, total);
	return add(s->r, &s->pair.r, &g, 0);
}

static void fragment_numbers_outside_their_bounds_are_dropped(void **state)
{
	struct reasm_state s;
	struct frags f;

	start(&s, 0);
	cut(&s.pair.i, 10, MAX_LEN, 1, &f);
	assert_int_equal(add_numbers(&s, &f, 0, 3), ERR_INTEGRITY);
	assert_int_equal(add_numbers(&s, &f, 0, 0), ERR_INTEGRITY);
	assert_int_equal(add_numbers(&s, &f, 4, 3), ERR_INTEGRITY);
	assert_int_equal(add_numbers(&s, &f, 1, 65), ERR_NO_SPACE);
	assert_int_equal(add_numbers(&s, &f, 1, 65535), ERR_NO_SPACE);
	/* inside them, but authenticated as other ones */
	assert_int_equal(add_numbers(&s, &f, 1, 64), ERR_INTEGRITY);
	assert_int_equal(add_numbers(&s, &f, 2, 3), ERR_INTEGRITY);
	frags_free(&f);
	stop(&s);
}

static void short_and_cut_off_fragments_are_dropped(void **state)
{
	uint8_t chain[64] = {0}, buf[128];
	struct reasm_state s;
	struct ike_msg msg;
	struct bytes b;
	bool done;

	for (size_t i = 0; i < N_VECTORS; i++) {
		start(&s, i);
		for (uint8_t len = 0; len < sizeof(chain) - 4; len++) {
			chain[3] = (uint8_t)(len + 4);
			chain[5] = 1;
			chain[7] = 1;
			b = ike_frame(PLD_SKF, bytes(chain, len + 4U), buf,
				      sizeof(buf));
			assert_int_equal(
				add_octets(s.r, &s.pair.r, b, &msg, &done),
				ERR_INTEGRITY);
			assert_false(done);
			assert_int_equal(add_octets(s.r, &s.pair.r,
						    bytes(b.p, b.len - 1), &msg,
						    &done),
					 ERR_INTEGRITY);
		}
		stop(&s);
	}
}

static void an_sk_message_is_not_a_fragment(void **state)
{
	struct reasm_state s;
	struct ike_msg msg;
	bool done;

	start(&s, 0);
	assert_int_equal(add_octets(s.r, &s.pair.r,
				    hex_static(ike_vectors[0].sealed), &msg,
				    &done),
			 ERR_INTEGRITY);
	stop(&s);
}

static void a_malformed_chain_is_told_when_all_is_there(void **state)
{
	uint8_t chain[300] = {0, 0, 1}; /* says 256 octets */
	uint8_t buf[512], *copy;
	struct ike_hdr hdr = hdr_of(1);
	struct ike_frag frag = {.total = 3, .max_len = 180};
	struct reasm_state s;
	struct ike_msg msg;
	bool done = false;
	enum err e = OK;
	struct wr w;

	start(&s, 0);
	assert_int_equal(ike_fragments(&s.pair.i, sizeof(chain), 180), 3);
	for (frag.number = 1; frag.number <= 3; frag.number++) {
		assert_int_equal(e, OK);
		w = wr_open(buf, sizeof(buf));
		assert_int_equal(ike_seal_frag(&s.pair.i, &hdr, PLD_VENDOR,
					       BYTES_OF(chain), &frag, &w),
				 OK);
		copy = heap_copy(wr_view(&w));
		e = ike_reasm_add(s.r, &s.pair.r, copy, wr_len(&w), &msg,
				  &done);
		free(copy);
	}
	assert_true(done);
	assert_int_equal(e, ERR_MALFORMED);
	stop(&s);
}

static void a_message_of_over_64_kib_is_not_kept(void **state)
{
	static uint8_t chain[70000], buf[2000];
	struct ike_hdr hdr = hdr_of(1);
	struct ike_frag frag = {.max_len = 1400};
	struct reasm_state s;
	struct ike_msg msg;
	bool done;
	enum err e = OK;
	struct wr w;

	start(&s, 0);
	frag.total = (uint16_t)ike_fragments(&s.pair.i, sizeof(chain), 1400);
	assert_int_equal(frag.total, 53);
	for (frag.number = 1; frag.number <= frag.total; frag.number++) {
		w = wr_open(buf, sizeof(buf));
		assert_int_equal(ike_seal_frag(&s.pair.i, &hdr, PLD_VENDOR,
					       BYTES_OF(chain), &frag, &w),
				 OK);
		e = add_octets(s.r, &s.pair.r, wr_view(&w), &msg, &done);
		assert_false(done);
		if (e != OK)
			break;
	}
	assert_int_equal(e, ERR_NO_SPACE);
	stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragments_fill_datagrams_and_no_more),
		cmocka_unit_test(what_cannot_be_cut_is_told),
		cmocka_unit_test(
			only_the_first_fragment_names_the_first_payload),
		cmocka_unit_test(fragments_of_another_program_are_joined),
		cmocka_unit_test(any_order_gives_the_message),
		cmocka_unit_test(a_duplicate_is_a_replay),
		cmocka_unit_test(a_larger_total_starts_anew),
		cmocka_unit_test(a_forged_larger_total_throws_nothing_away),
		cmocka_unit_test(another_message_starts_anew),
		cmocka_unit_test(
			fragment_numbers_outside_their_bounds_are_dropped),
		cmocka_unit_test(short_and_cut_off_fragments_are_dropped),
		cmocka_unit_test(an_sk_message_is_not_a_fragment),
		cmocka_unit_test(a_malformed_chain_is_told_when_all_is_there),
		cmocka_unit_test(a_message_of_over_64_kib_is_not_kept),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
