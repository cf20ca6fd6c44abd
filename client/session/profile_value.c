#include "client/session/profile_value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* No timer needs more, and the product must fit 32 bits. */
#define DURATION_MAX_MS (30ull * 24 * 3600 * 1000)

enum err profile_value_bool(const char *text, bool *out, struct diag *diag)
{
	static const char *const yes[] = {"yes", "true", "on"};
	static const char *const no[] = {"no", "false", "off"};

	for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
		*out = strcasecmp(text, yes[i]) == 0;
		if (*out || strcasecmp(text, no[i]) == 0)
			return OK;
	}
	return diag_set(diag, ERR_PROFILE,
			"'%.40s' is neither yes nor no: write one of them",
			text);
}

/* Digits only; *out_rest is what follows them. */
static bool number_parse(const char *text, unsigned long long *out,
			 const char **out_rest)
{
	size_t digits = strspn(text, "0123456789");

	*out_rest = text + digits;
	if (digits == 0 || digits > 15)
		return false;
	*out = strtoull(text, NULL, 10);
	return true;
}

enum err profile_value_u16(const char *text, const uint16_t range[2],
			   uint16_t *out, struct diag *diag)
{
	unsigned long long v;
	const char *rest;

	if (!number_parse(text, &v, &rest) || *rest != '\0' || v < range[0] ||
	    v > range[1])
		return diag_set(diag, ERR_PROFILE,
				"'%.40s' will not do: write a number from %u "
				"to %u",
				text, range[0], range[1]);
	*out = (uint16_t)v;
	return OK;
}

/* --- one of a few words --------------------------------------------------- */

struct word {
	const char *word; /* NULL: the end */
	int value;
};

/* "a, b or c" */
static void words_list(const struct word *words, char *buf, size_t cap)
{
	size_t len = 0;

	buf[0] = '\0';
	for (; words->word && len < cap; words++)
		len += (size_t)snprintf(buf + len, cap - len, "%s%s",
					words->word,
					!words[1].word	 ? ""
					: !words[2].word ? " or "
							 : ", ");
}

static enum err value_word(const char *text, const struct word *words, int *out,
			   struct diag *diag)
{
	char list[160];

	for (const struct word *w = words; w->word; w++) {
		if (strcmp(text, w->word) != 0)
			continue;
		*out = w->value;
		return OK;
	}
	words_list(words, list, sizeof(list));
	return diag_set(diag, ERR_PROFILE, "'%.40s' is not known: write %s",
			text, list);
}

enum err profile_value_transport(const char *text, enum transport *out,
				 struct diag *diag)
{
	static const struct word words[] = {{"auto", TRANSPORT_AUTO},
					    {"udp", TRANSPORT_UDP},
					    {"tcp", TRANSPORT_TCP},
					    {NULL, 0}};
	int value = *out;
	enum err e = value_word(text, words, &value, diag);

	*out = (enum transport)value;
	return e;
}

enum err profile_value_auth(const char *text, enum ike_auth_kind *out,
			    struct diag *diag)
{
	static const struct word words[] = {
		{"psk", IKE_AUTH_PSK},
		{"certificate", IKE_AUTH_CERT},
		{"eap-mschapv2", IKE_AUTH_EAP_MSCHAPV2},
		{"eap-tls", IKE_AUTH_EAP_TLS},
		{NULL, 0}};
	int value = *out;
	enum err e = value_word(text, words, &value, diag);

	*out = (enum ike_auth_kind)value;
	return e;
}

enum err profile_value_cache_key(const char *text, enum cache_key *out,
				 struct diag *diag)
{
	static const struct word words[] = {
#define X(name, number, word) {word, name},
		CACHE_KEY_LIST(X)
#undef X
			{NULL, 0}};
	int value = *out;
	enum err e = value_word(text, words, &value, diag);

	*out = (enum cache_key)value;
	return e;
}

enum err profile_value_renewal(const char *text, enum session_renewal *out,
			       struct diag *diag)
{
	static const struct word words[] = {{"setup", RENEWAL_SETUP},
					    {"request", RENEWAL_REQUEST},
					    {"push", RENEWAL_PUSH},
					    {"auto", RENEWAL_AUTO},
					    {NULL, 0}};
	int value = *out;
	enum err e = value_word(text, words, &value, diag);

	*out = (enum session_renewal)value;
	return e;
}

enum err profile_value_dataplane(const char *text, enum dataplane_kind *out,
				 struct diag *diag)
{
	static const struct word words[] = {{"auto", DATAPLANE_AUTO},
					    {"kernel", DATAPLANE_KERNEL},
					    {"user", DATAPLANE_USER},
					    {NULL, 0}};
	int value = *out;
	enum err e = value_word(text, words, &value, diag);

	*out = (enum dataplane_kind)value;
	return e;
}

/* --- numbers, names and the rest ------------------------------------------ */

enum err profile_value_ports(const char *text, uint16_t out[PATHS_PORTS_MAX],
			     size_t *out_n, struct diag *diag)
{
	static const uint16_t range[2] = {1, 65535};
	size_t len, n = 0;
	char word[8];
	enum err e = OK;

	for (; !e && n < PATHS_PORTS_MAX; n++) {
		text += strspn(text, " \t");
		len = strcspn(text, ", \t");
		if (len >= sizeof(word))
			break;
		memcpy(word, text, len);
		word[len] = '\0';
		e = profile_value_u16(word, range, &out[n], diag);
		text += len + strspn(text + len, " \t");
		*out_n = n + 1;
		if (*text == '\0' || e)
			return e;
		if (*text++ != ',')
			break;
	}
	return diag_set(diag, ERR_PROFILE,
			"'%.40s': write up to %d ports, 4500,443 say", text,
			PATHS_PORTS_MAX);
}

enum err profile_value_duration(const char *text, uint32_t *out_ms,
				struct diag *diag)
{
	static const struct {
		const char *unit;
		uint32_t ms;
	} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}};
	unsigned long long v;
	const char *rest;

	*out_ms = 0;
	if (strcmp(text, "never") == 0)
		return OK;
	if (!number_parse(text, &v, &rest))
		goto wrong;
	if (v == 0 && *rest == '\0')
		return OK;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(rest, units[i].unit) != 0)
			continue;
		if (v > DURATION_MAX_MS / units[i].ms)
			return diag_set(diag, ERR_PROFILE,
					"'%.40s' is longer than 30 days: "
					"write never to switch it off",
					text);
		*out_ms = (uint32_t)(v * units[i].ms);
		return OK;
	}
wrong:
	return diag_set(diag, ERR_PROFILE,
			"'%.40s' is not a time: write e.g. 500ms, 30s, 5m, 4h "
			"or never",
			text);
}

enum err profile_value_text(const char *text, size_t cap, char *out,
			    struct diag *diag)
{
	size_t len = strlen(text);

	if (len == 0)
		return diag_set(diag, ERR_PROFILE,
				"no value: write one or leave the key out");
	if (len >= cap)
		return diag_set(diag, ERR_PROFILE,
				"longer than %zu octets: shorten it", cap - 1);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			return diag_set(diag, ERR_PROFILE,
					"holds a control character: remove it");
	memcpy(out, text, len + 1);
	return OK;
}

static bool host_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
}

enum err profile_value_host(const char *text, size_t cap, char *out,
			    struct diag *diag)
{
	struct addr addr;
	bool is_name = text[0] != '-';
	enum err e = profile_value_text(text, cap, out, diag);

	if (e)
		return e;
	for (const char *c = text; *c && is_name; c++)
		is_name = host_char(*c);
	if (is_name || addr_parse(text, &addr) == OK)
		return OK;
	return diag_set(diag, ERR_PROFILE,
			"'%.80s' is neither a DNS name nor an IP address "
			"(the port has a key of its own)",
			text);
}

static enum err network_add(const char *text, struct profile *p,
			    struct diag *diag)
{
	struct prefix prefix;

	if (p->n_networks == PROFILE_NETWORKS_MAX)
		return diag_set(diag, ERR_PROFILE,
				"more than %d networks: join some",
				PROFILE_NETWORKS_MAX);
	if (prefix_parse(text, &prefix))
		return diag_set(diag, ERR_PROFILE,
				"'%.50s' is not a network: write e.g. "
				"10.0.0.0/8 or 2001:db8::/32 (host bits 0)",
				text);
	p->networks[p->n_networks++] = prefix;
	return OK;
}

enum err profile_value_networks(const char *text, struct profile *p,
				struct diag *diag)
{
	char one[ADDR_STR_MAX];
	enum err e = OK;

	/* A comma at the end lets a list go on in the next line. */
	while (!e) {
		size_t len;

		text += strspn(text, " \t,");
		len = strcspn(text, " \t,");
		if (len == 0)
			return OK;
		if (len >= sizeof(one))
			return diag_set(diag, ERR_PROFILE,
					"'%.40s' is not a network", text);
		memcpy(one, text, len);
		one[len] = '\0';
		text += len;
		e = network_add(one, p, diag);
	}
	return e;
}

enum err profile_value_url(const char *text, size_t cap, char *out,
			   struct diag *diag)
{
	enum err e = profile_value_text(text, cap, out, diag);

	if (e)
		return e;
	if (strcmp(text, "off") == 0) {
		out[0] = '\0';
		return OK;
	}
	if (strncmp(text, "http://", 7) != 0 &&
	    strncmp(text, "https://", 8) != 0)
		return diag_set(diag, ERR_PROFILE,
				"'%.60s' is not a URL: write one that begins "
				"with http://, or off",
				text);
	return OK;
}
