/* Proposals as a person writes them; the first octet chooses the protocol. */
#include "tests/fuzz/fuzz.h"

#include "client/ike/msg.h"

static void check_written(const struct proposal_list *l)
{
	static uint8_t buf[16384];
	static struct proposal_list again;
	static struct proposal p;
	struct suite s;
	struct ike_wr m;
	struct bytes b;

	ike_wr_start_chain(&m, buf, sizeof(buf));
	ike_wr_sa(&m, l);
	FUZZ_CHECK(ike_wr_end(&m, &b) == OK);
	FUZZ_CHECK(proposals_parse(bytes(b.p + 4, b.len - 4), &again) == OK);
	FUZZ_CHECK(again.n == l->n);
	/* whatever is accepted can be agreed on, and be spoken */
	FUZZ_CHECK(proposals_select(l, &again, &p) == OK);
	FUZZ_CHECK(suite_from_proposal(&p, &s) == OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct proposal_list l, again;
	struct diag diag = DIAG_INIT;
	uint8_t proto = size > 0 && data[0] & 1 ? PROTO_IKE : PROTO_ESP;
	char *text = calloc(1, size + 1);
	enum err e;

	FUZZ_CHECK(text != NULL);
	if (size > 1)
		memcpy(text, data + 1, size - 1);
	e = proposals_from_text(text, proto, &l, &diag);
	FUZZ_CHECK(e == OK || e == ERR_PROFILE);
	FUZZ_CHECK((e == OK) == (diag.text[0] == '\0'));
	/* without a place for the line, too */
	FUZZ_CHECK(proposals_from_text(text, proto, &again, NULL) == e);
	if (e == OK) {
		FUZZ_CHECK(l.n >= 1 && l.n <= PROPOSALS_MAX);
		for (size_t i = 0; i < l.n; i++)
			FUZZ_CHECK(l.p[i].num == i + 1 &&
				   l.p[i].proto == proto && l.p[i].n >= 2);
		check_written(&l);
	}
	free(text);
	return 0;
}
