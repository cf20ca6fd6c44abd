/* Inner packets as a gateway may send them, and whatever an interface may say
 * of one: pieces with a 16-bit length in front. The first octet picks what is
 * done: merge the pieces, or split each by the virtio header in front of it. */
#include "tests/fuzz/fuzz.h"

#include "client/esp/merge.h"
#include "client/esp/split.h"

/* What was merged can be cut into as many packets again, which it returns. */
static size_t group_check(struct merge *m, size_t i)
{
	struct bytes parts[MERGE_MAX + 1];
	uint8_t head[OFFLOAD_LEN], *all, *at;
	size_t k = merge_take(m, i, head, parts), len = 0;
	struct offload o;
	struct split s;

	FUZZ_CHECK(k >= 2 && k <= MERGE_MAX + 1);
	for (size_t j = 1; j < k; j++)
		len += parts[j].len;
	FUZZ_CHECK(len <= 65535);
	at = all = malloc(len);
	FUZZ_CHECK(all != NULL);
	for (size_t j = 1; j < k; at += parts[j++].len)
		memcpy(at, parts[j].p, parts[j].len);
	offload_read(head, &o);
	FUZZ_CHECK(split_open(&s, bytes(all, len), &o) == OK);
	FUZZ_CHECK(s.n == k - 1);
	free(all);
	return k - 1;
}

static void merge_pieces(struct rd r)
{
	static struct merge m;
	uint8_t *copies[MERGE_MAX];
	uint8_t icmp[INET_TOOBIG_MAX];
	size_t n = 0, seen = 0;

	merge_start(&m, true, true);
	while (n < MERGE_MAX && rd_left(&r) > 2) {
		size_t len = rd_u16(&r) % 1500;
		struct bytes b =
			rd_take(&r, len < rd_left(&r) ? len : rd_left(&r));

		/* As esp_open leaves them: at least an IP header. */
		if (b.len < INET_V4_LEN ||
		    (b.p[0] >> 4 != 4 &&
		     (b.p[0] >> 4 != 6 || b.len < INET_V6_LEN)))
			continue;
		copies[n] = fuzz_copy(b);
		(void)inet_ecn_decap(copies[n], b.p[1] & 3);
		inet_clamp_mss(copies[n], b.len, 1400);
		FUZZ_CHECK(inet_too_big(bytes(copies[n], b.len), 1300, icmp) <=
			   sizeof(icmp));
		merge_add(&m, copies[n++], b.len);
	}
	for (size_t i = 0; i < m.n_groups; i++)
		seen += group_check(&m, i);
	FUZZ_CHECK(seen == n);
	for (size_t i = 0; i < n; i++)
		free(copies[i]);
}

static void split_piece(struct bytes b)
{
	struct offload o;
	struct split s;
	size_t sum = 0;
	uint8_t *pkt;

	if (b.len < OFFLOAD_LEN)
		return;
	offload_read(b.p, &o);
	b = bytes(b.p + OFFLOAD_LEN, b.len - OFFLOAD_LEN);
	pkt = fuzz_copy(b);
	if (split_open(&s, bytes(pkt, b.len), &o) == OK)
		for (size_t i = 0; i < s.n; i++) {
			size_t len = split_len(&s, i);
			uint8_t *out = malloc(len > 0 ? len : 1);

			FUZZ_CHECK(out && len <= b.len);
			split_take(&s, i, out);
			sum += len - s.head_len;
			free(out);
		}
	FUZZ_CHECK(sum == 0 || sum == b.len - s.head_len);
	free(pkt);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = rd_open(bytes(data, size));

	if (rd_u8(&r) & 1)
		merge_pieces(r);
	else
		split_piece(rd_rest(&r));
	return 0;
}
