/* Two traffic selector payloads (the first octet tells the length of the
 * first, in units of 4), and what is computed of them. */
#include "tests/fuzz/fuzz.h"

#include "client/ike/msg.h"

static bool same(const struct ike_ts *a, const struct ike_ts *b)
{
	return a->proto == b->proto && a->port_from == b->port_from &&
	       a->port_to == b->port_to && addr_eq(&a->from, &b->from) &&
	       addr_eq(&a->to, &b->to);
}

static bool read_list(struct bytes body, struct ike_ts_list *out)
{
	static uint8_t buf[8192];
	static struct ike_ts_list again;
	struct ike_wr m;
	struct bytes b;
	enum err e = ike_ts_parse(body, out);

	FUZZ_CHECK(fuzz_parse_err(e));
	if (e != OK)
		return false;
	FUZZ_CHECK(out->n <= IKE_TS_MAX);
	if (out->n == 0)
		return true;
	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_ts(&m, PLD_TSI, out);
	FUZZ_CHECK(ike_wr_end(&m, &b) == OK);
	FUZZ_CHECK(ike_ts_parse(bytes(b.p + 4, b.len - 4), &again) == OK);
	FUZZ_CHECK(again.n == out->n);
	for (size_t i = 0; i < out->n; i++)
		FUZZ_CHECK(same(&out->ts[i], &again.ts[i]));
	return true;
}

static bool is_next(const struct addr *a, const struct addr *b)
{
	struct addr n = *a;

	for (size_t i = addr_len(&n); i > 0; i--)
		if (++n.b[i - 1] != 0)
			break;
	return addr_eq_host(&n, b);
}

/* One after the other without a gap, from end to end. */
static void check_prefixes(const struct ike_ts *ts)
{
	static struct prefix p[254];
	struct ike_ts block, before = *ts;
	size_t n = ike_ts_to_prefixes(ts, p, 254);

	FUZZ_CHECK(n >= 1 && n <= (ts->from.family == ADDR_V4 ? 62U : 254U));
	FUZZ_CHECK(ike_ts_to_prefixes(ts, p, n) == n);
	for (size_t i = 0; i < n; i++) {
		ike_ts_from_prefix(&p[i], &block);
		FUZZ_CHECK(addr_eq_host(&block.from, &p[i].addr));
		if (i == 0)
			FUZZ_CHECK(addr_eq_host(&block.from, &ts->from));
		else
			FUZZ_CHECK(is_next(&before.to, &block.from));
		before = block;
	}
	FUZZ_CHECK(addr_eq_host(&before.to, &ts->to));
	FUZZ_CHECK(ike_ts_to_prefixes(ts, p, n - 1) == 0);
}

static void check_narrow(const struct ike_ts_list *a,
			 const struct ike_ts_list *b)
{
	static struct ike_ts_list both, again;

	ike_ts_narrow(a, b, &both);
	FUZZ_CHECK(both.n <= IKE_TS_MAX);
	FUZZ_CHECK(ike_ts_subset(&both, a) && ike_ts_subset(&both, b));
	ike_ts_narrow(&both, b, &again);
	FUZZ_CHECK(ike_ts_subset(&again, &both));
	FUZZ_CHECK(ike_ts_subset(&both, &again));
	if (ike_ts_subset(a, b) && a->n > 0)
		FUZZ_CHECK(both.n > 0 && ike_ts_subset(a, &both));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ike_ts_list a, b;
	struct rd r = rd_open(bytes(data, size));
	size_t first = rd_u8(&r) * 4U;
	bool has_a, has_b;

	has_a = read_list(
		rd_take(&r, first < rd_left(&r) ? first : rd_left(&r)), &a);
	has_b = read_list(rd_rest(&r), &b);
	for (size_t i = 0; has_a && i < a.n; i++)
		check_prefixes(&a.ts[i]);
	if (has_a)
		FUZZ_CHECK(ike_ts_subset(&a, &a));
	if (has_a && has_b) {
		check_narrow(&a, &b);
		check_narrow(&b, &a);
	}
	return 0;
}
