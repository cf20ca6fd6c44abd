#include <stddef.h>

#include "client/ike/ikev2.h"

struct name {
	uint16_t num;
	const char *text;
};

#define X(name, num) {num, #name},
static const struct name exchanges[] = {EXCHANGE_LIST(X)};
static const struct name payloads[] = {PAYLOAD_LIST(X)};
static const struct name notifies[] = {NOTIFY_LIST(X)};
#undef X

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const char *name_find(const struct name *names, size_t n, uint16_t num)
{
	for (size_t i = 0; i < n; i++)
		if (names[i].num == num)
			return names[i].text;
	return "unknown";
}

const char *ike_exchange_name(uint8_t exchange)
{
	return name_find(exchanges, COUNT_OF(exchanges), exchange);
}

/* The prefixes that keep the identifiers apart say nothing to a reader. */
const char *ike_payload_name(uint8_t payload)
{
	const char *text = name_find(payloads, COUNT_OF(payloads), payload);

	return text[0] == 'P' ? text + sizeof("PLD_") - 1 : text;
}

const char *ike_notify_name(uint16_t notify)
{
	const char *text = name_find(notifies, COUNT_OF(notifies), notify);

	return text[0] == 'N' ? text + sizeof("N_") - 1 : text;
}
