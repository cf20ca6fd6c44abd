/* Is a name in a certificate, and may it be there: RFC 5280 4.2.1.6 and
 * 4.2.1.10. */
#include <stdio.h>
#include <string.h>

#include "client/crypto/der.h"
#include "client/crypto/utf8.h"
#include "client/crypto/x509.h"

/* --- the gateway's name ----------------------------------------------------
 */

/* "*.example.org" stands for one label in front of a name of two or more:
 * what gateways in the field have (RFC 4945 leaves it to the implementation).
 * No other wildcard counts. */
static bool dns_matches(struct bytes pattern, struct bytes name)
{
	const uint8_t *dot;
	struct bytes rest;

	if (text_equal(pattern, name))
		return memchr(name.p, '*', name.len) == NULL;
	if (pattern.len < 3 || pattern.p[0] != '*' || pattern.p[1] != '.')
		return false;
	dot = memchr(name.p, '.', name.len);
	if (!dot || dot == name.p)
		return false;
	rest = bytes(dot, name.len - (size_t)(dot - name.p));
	pattern = bytes(pattern.p + 1, pattern.len - 1);
	return memchr(pattern.p + 1, '.', pattern.len - 1) != NULL &&
	       text_equal(pattern, rest);
}

/* Octets before the last '@'; the whole length where there is none. */
static size_t local_len(struct bytes address)
{
	for (size_t i = address.len; i > 0; i--)
		if (address.p[i - 1] == '@')
			return i - 1;
	return address.len;
}

/* The part before '@' has case, the host has not (RFC 5280 7.5). */
static bool email_matches(struct bytes a, struct bytes b)
{
	size_t local = local_len(a);

	return local < a.len && text_equal(a, b) &&
	       memcmp(a.p, b.p, local) == 0;
}

static bool entry_matches(uint8_t tag, struct bytes value,
			  const struct peer_name *peer)
{
	switch (peer->type) {
	case PEER_DNS:
		return tag == GN_DNS && dns_matches(value, peer->value);
	case PEER_IP:
		return tag == GN_IP && bytes_eq(value, peer->value);
	case PEER_EMAIL:
		return tag == GN_EMAIL && email_matches(value, peer->value);
	case PEER_DN:
		return tag == GN_DIRECTORY && dn_equal(value, peer->value);
	}
	return false;
}

static void show_ip(struct bytes b, char *buf, size_t cap)
{
	size_t at = 0;

	buf[0] = '\0';
	if (b.len == 4)
		snprintf(buf, cap, "%u.%u.%u.%u", b.p[0], b.p[1], b.p[2],
			 b.p[3]);
	for (size_t i = 0; b.len == 16 && i < 16 && at < cap; i += 2)
		at += (size_t)snprintf(buf + at, cap - at, "%s%x",
				       i > 0 ? ":" : "",
				       b.p[i] << 8 | b.p[i + 1]);
}

static void show_name(uint8_t tag, struct bytes value, char *buf, size_t cap)
{
	if (tag == GN_IP)
		show_ip(value, buf, cap);
	else if (tag == GN_DIRECTORY)
		dn_text(value, buf, cap);
	else
		text_safe(value, buf, cap);
}

/* The names a person may put into the profile instead: at most three. */
static void list_names(const struct x509 *c, char *buf, size_t cap)
{
	struct rd r = rd_open(c->san);
	size_t at = 0, shown = 0;

	buf[0] = '\0';
	while (rd_left(&r) > 0 && shown < 3 && at < cap) {
		uint8_t tag;
		struct bytes value = der_take_any(&r, &tag);
		char one[72];

		if (tag != GN_DNS && tag != GN_IP && tag != GN_EMAIL &&
		    tag != GN_DIRECTORY)
			continue;
		show_name(tag, value, one, sizeof(one));
		at += (size_t)snprintf(buf + at, cap - at, "%s'%s'",
				       shown > 0 ? ", " : "", one);
		shown++;
	}
	if (rd_left(&r) > 0 && at < cap)
		snprintf(buf + at, cap - at, ", ...");
	utf8_trim(buf);
}

static enum err refuse_name(const struct x509 *c, const struct peer_name *peer,
			    struct diag *diag)
{
	static const uint8_t tags[] = {[PEER_DNS] = GN_DNS,
				       [PEER_IP] = GN_IP,
				       [PEER_EMAIL] = GN_EMAIL,
				       [PEER_DN] = GN_DIRECTORY};
	char want[80], have[130];

	show_name(tags[peer->type], peer->value, want, sizeof(want));
	if (peer->type == PEER_DN) {
		dn_text(c->subject, have, sizeof(have));
		return diag_set(diag, ERR_UNTRUSTED,
				"gateway certificate is for '%s', not '%s': "
				"check [gateway] id in the profile",
				have, want);
	}
	list_names(c, have, sizeof(have));
	if (have[0] == '\0')
		return diag_set(diag, ERR_UNTRUSTED,
				"gateway certificate has no subjectAltName, so "
				"it cannot be for '%s': have it issued again "
				"with that name",
				want);
	return diag_set(diag, ERR_UNTRUSTED,
			"gateway certificate is for %s, not '%s': check "
			"[gateway] id in the profile",
			have, want);
}

enum err x509_check_name(const struct x509 *c, const struct peer_name *peer,
			 struct diag *diag)
{
	struct rd r = rd_open(c->san);

	if (peer->value.len == 0)
		return refuse_name(c, peer, diag);
	if (peer->type == PEER_DN && dn_equal(c->subject, peer->value))
		return OK;
	while (rd_left(&r) > 0) {
		uint8_t tag;
		struct bytes value = der_take_any(&r, &tag);

		if (entry_matches(tag, value, peer))
			return OK;
	}
	return refuse_name(c, peer, diag);
}

/* --- name constraints
 * --------------------------------------------------------- */

/* More comparisons than any honest certificate needs: a bound on the time a
 * hostile one can cost. */
#define COMPARISONS_MAX 20000

struct constraint_check {
	const struct x509 *ca;
	bool excluding; /* or looking for permission */
	unsigned int comparisons;
	bool out_of_bounds;
};

/* "host" is itself and all below it; ".host" only what is below. */
static bool host_within(struct bytes base, struct bytes host)
{
	if (base.len == 0)
		return true;
	if (base.p[0] == '.')
		return host.len > base.len && text_ends(host, base);
	if (text_equal(base, host))
		return true;
	return host.len > base.len && text_ends(host, base) &&
	       host.p[host.len - base.len - 1] == '.';
}

static bool email_within(struct bytes base, struct bytes name)
{
	size_t local = local_len(name);

	if (local_len(base) < base.len)
		return email_matches(base, name);
	if (local == name.len)
		return false;
	name = bytes(name.p + local + 1, name.len - local - 1);
	/* A plain host is that host only (4.2.1.10). */
	if (base.len > 0 && base.p[0] != '.')
		return text_equal(base, name);
	return host_within(base, name);
}

static bool ip_within(struct bytes base, struct bytes name)
{
	if (base.len != 2 * name.len)
		return false;
	for (size_t i = 0; i < name.len; i++)
		if ((name.p[i] ^ base.p[i]) & base.p[name.len + i])
			return false;
	return true;
}

/* A wildcard stands for names of which one may lie in the excluded tree. */
static bool wildcard_reaches(struct bytes base, struct bytes name)
{
	if (name.len < 2 || name.p[0] != '*' || name.p[1] != '.')
		return false;
	return host_within(bytes(name.p + 2, name.len - 2), base);
}

static bool within(uint8_t tag, struct bytes base, struct bytes name)
{
	switch ((enum general_name)tag) {
	case GN_DNS:
		return host_within(base, name);
	case GN_EMAIL:
		return email_within(base, name);
	case GN_IP:
		return ip_within(base, name);
	case GN_DIRECTORY:
		return dn_within(base, name);
	case GN_URI:
		break;
	}
	return false;
}

static bool can_compare(uint8_t tag, struct bytes base)
{
	switch ((enum general_name)tag) {
	case GN_DNS:
	case GN_EMAIL:
	case GN_DIRECTORY:
		return true;
	case GN_IP:
		return base.len == 8 || base.len == 32;
	case GN_URI:
		break;
	}
	return false;
}

/* [0]: the list has a tree of the name's kind; [1]: the name lies in one. What
 * we cannot compare goes out of bounds: refused, as a critical extension asks
 * for. */
static void search_trees(struct constraint_check *k, struct bytes trees,
			 uint8_t tag, struct bytes name, bool out_any_hit[2])
{
	struct rd r = rd_open(trees);

	out_any_hit[0] = out_any_hit[1] = false;
	while (rd_left(&r) > 0) {
		struct rd tree = der_open(&r, DER_SEQUENCE);
		uint8_t base_tag;
		struct bytes base = der_take_any(&tree, &base_tag);

		/* minimum and maximum are not used (4.2.1.10). */
		if (rd_finish(&tree) != OK ||
		    ++k->comparisons > COMPARISONS_MAX)
			break;
		if (base_tag != tag)
			continue;
		out_any_hit[0] = true;
		if (!can_compare(tag, base)) {
			k->out_of_bounds = true;
			return;
		}
		if (within(tag, base, name) || (k->excluding && tag == GN_DNS &&
						wildcard_reaches(base, name)))
			out_any_hit[1] = true;
	}
	if (rd_finish(&r) != OK)
		k->out_of_bounds = true;
}

static bool name_allowed(struct constraint_check *k, uint8_t tag,
			 struct bytes name)
{
	bool permitted[2], excluded[2];

	k->excluding = false;
	search_trees(k, k->ca->permitted, tag, name, permitted);
	k->excluding = true;
	search_trees(k, k->ca->excluded, tag, name, excluded);
	return !k->out_of_bounds && (!permitted[0] || permitted[1]) &&
	       !excluded[1];
}

static enum err refuse_constraint(const struct constraint_check *k, uint8_t tag,
				  struct bytes name, struct diag *diag)
{
	char have[80], ca[100];

	show_name(tag, name, have, sizeof(have));
	return diag_set(diag, ERR_UNTRUSTED,
			"CA '%s' is not allowed to issue for '%s' (name "
			"constraints): have the gateway's certificate issued "
			"by another CA",
			dn_text(k->ca->subject, ca, sizeof(ca)), have);
}

enum err x509_check_constraints(const struct x509 *ca, const struct x509 *c,
				struct diag *diag)
{
	struct constraint_check k = {.ca = ca};
	struct rd r = rd_open(c->san), subject = rd_open(c->subject);
	bool has_email = false;
	struct bytes email;

	if (!ca->has_constraints)
		return OK;
	subject = der_open(&subject, DER_SEQUENCE);
	if (rd_left(&subject) > 0 &&
	    !name_allowed(&k, GN_DIRECTORY, c->subject))
		return refuse_constraint(&k, GN_DIRECTORY, c->subject, diag);
	while (rd_left(&r) > 0) {
		uint8_t tag;
		struct bytes value = der_take_any(&r, &tag);

		has_email = has_email || tag == GN_EMAIL;
		if (!name_allowed(&k, tag, value))
			return refuse_constraint(&k, tag, value, diag);
	}
	/* An address of old form, in the subject (4.2.1.10). */
	if (!has_email && dn_find(c->subject, dn_oid_email, &email) &&
	    !name_allowed(&k, GN_EMAIL, email))
		return refuse_constraint(&k, GN_EMAIL, email, diag);
	return OK;
}
