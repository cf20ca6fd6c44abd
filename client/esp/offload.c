#include "client/esp/offload.h"

#include <string.h>

#define FLAG_NEEDS_CSUM 1
#define KIND_ECN	0x80 /* the first packet alone has CWR: so do ours */

struct wire {
	uint8_t flags, kind;
	uint16_t head_len, size, csum_start, csum_offset;
};
_Static_assert(sizeof(struct wire) == OFFLOAD_LEN, "virtio header");

void offload_read(const uint8_t b[OFFLOAD_LEN], struct offload *out)
{
	struct wire w;

	memcpy(&w, b, sizeof(w));
	out->needs_csum = w.flags & FLAG_NEEDS_CSUM;
	out->kind = w.kind & (uint8_t)~KIND_ECN;
	out->head_len = w.head_len;
	out->size = w.size;
	out->csum_start = w.csum_start;
	out->csum_offset = w.csum_offset;
}

void offload_write(const struct offload *o, uint8_t out[OFFLOAD_LEN])
{
	struct wire w = {
		.flags = o->needs_csum ? FLAG_NEEDS_CSUM : 0,
		.kind = o->kind,
		.head_len = o->head_len,
		.size = o->size,
		.csum_start = o->csum_start,
		.csum_offset = o->csum_offset,
	};

	memcpy(out, &w, sizeof(w));
}
