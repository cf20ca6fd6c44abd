#include "client/crypto/utf8.h"

#include <string.h>

/* Octets after the first; -1 for one that cannot be first. */
static int more_octets(uint8_t first)
{
	if (first < 0x80)
		return 0;
	if (first >= 0xc2 && first < 0xe0)
		return 1;
	if (first >= 0xe0 && first < 0xf0)
		return 2;
	return first >= 0xf0 && first < 0xf5 ? 3 : -1;
}

bool utf8_next(struct rd *r, uint32_t *out)
{
	static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
	uint8_t b = rd_u8(r);
	int more = more_octets(b);
	uint32_t cp;

	if (!rd_ok(r) || more < 0)
		return false;
	cp = more > 0 ? b & (0x3fu >> more) : b;
	for (int i = 0; i < more; i++) {
		b = rd_u8(r);
		if ((b & 0xc0) != 0x80)
			return false;
		cp = cp << 6 | (b & 0x3f);
	}
	*out = cp;
	return cp >= least[more] && cp <= 0x10ffff &&
	       !(cp >= 0xd800 && cp <= 0xdfff);
}

void utf8_trim(char *text)
{
	size_t len = strlen(text), at = len;

	while (at > 0 && len - at < 3 && ((uint8_t)text[at - 1] & 0xc0) == 0x80)
		at--;
	if (at > 0 && more_octets((uint8_t)text[at - 1]) > (int)(len - at))
		text[at - 1] = '\0';
}
