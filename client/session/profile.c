#include "client/session/profile_value.h"

#include <ctype.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "client/ike/ikev2.h"

/* Everything a profile may say. X(id, section, key) */
#define KEY_LIST(X)                                                            \
	X(KEY_ADDRESS, "gateway", "address")                                   \
	X(KEY_GATEWAY_ID, "gateway", "id")                                     \
	X(KEY_CA, "gateway", "ca")                                             \
	X(KEY_PORT, "gateway", "port")                                         \
	X(KEY_TRANSPORT, "gateway", "transport")                               \
	X(KEY_TCP_PORT, "gateway", "tcp-port")                                 \
	X(KEY_ID, "identity", "id")                                            \
	X(KEY_AUTH, "identity", "auth")                                        \
	X(KEY_USER, "identity", "user")                                        \
	X(KEY_PASSWORD_FILE, "identity", "password-file")                      \
	X(KEY_PASSWORD_CREDENTIAL, "identity", "password-credential")          \
	X(KEY_CERTIFICATE, "identity", "certificate")                          \
	X(KEY_PRIVATE_KEY, "identity", "private-key")                          \
	X(KEY_NETWORKS, "tunnel", "networks")                                  \
	X(KEY_DNS, "tunnel", "dns")                                            \
	X(KEY_ALLOW_LAN, "tunnel", "allow-lan")                                \
	X(KEY_BLOCK_OTHER, "tunnel", "block-other-family")                     \
	X(KEY_MTU, "tunnel", "mtu")                                            \
	X(KEY_DATAPLANE, "tunnel", "dataplane")                                \
	X(KEY_MOBIKE, "tunnel", "mobike")                                      \
	X(KEY_PORTAL_URL, "network", "portal-url")                             \
	X(KEY_PORTAL_TEXT, "network", "portal-text")                           \
	X(KEY_IKE, "crypto", "ike")                                            \
	X(KEY_ESP, "crypto", "esp")                                            \
	X(KEY_TICKETS, "resumption", "tickets")                                \
	X(KEY_PFS, "resumption", "pfs")                                        \
	X(KEY_CACHE_KEY, "resumption", "key")                                  \
	X(KEY_RENEWAL, "resumption", "ticket-renewal")                         \
	X(KEY_DPD, "timers", "dpd")                                            \
	X(KEY_IKE_REKEY, "timers", "ike-rekey")                                \
	X(KEY_CHILD_REKEY, "timers", "child-rekey")                            \
	X(KEY_KEEPALIVE, "timers", "keepalive")

enum key {
#define X(id, section, key) id,
	KEY_LIST(X)
#undef X
		KEYS
};

static const struct {
	const char *section, *key;
} keys[KEYS] = {
#define X(id, section, key) {section, key},
	KEY_LIST(X)
#undef X
};

static const uint16_t port_range[2] = {1, 65535};
/* IPv4's smallest; what an inner IPv6 needs is checked by the helper. */
static const uint16_t mtu_range[2] = {576, 9000};

/* A text being parsed. inih calls back without a line number, but it reads
 * and handles one line after the other, so the reader counts. */
struct parse {
	const char *file; /* the profile's name */
	const char *next; /* of the text */
	int line;
	bool continues; /* the line goes on with the value before it */
	int seen[KEYS]; /* line of the key; 0: not there */
	int wrong_line; /* of the first refusal; 0: none */
	struct diag wrong;
	struct profile *p;
	struct diag *diag;
};

/* Only the first thing that is wrong is told. */
static void parse_refuse(struct parse *parse, const char *where,
			 const char *what)
{
	if (parse->wrong_line && parse->wrong_line <= parse->line)
		return;
	parse->wrong_line = parse->line;
	snprintf(parse->wrong.text, sizeof(parse->wrong.text),
		 "%s.conf:%d: %.80s%s%s", parse->file, parse->line, where,
		 where[0] ? ": " : "", what);
}

static void section_check(struct parse *parse, const char *line, size_t len)
{
	const char *end = memchr(line, ']', len);
	char what[160];

	/* Without "]" inih itself refuses the line. */
	if (!end)
		return;
	for (size_t i = 0; i < KEYS; i++)
		if (strlen(keys[i].section) == (size_t)(end - line - 1) &&
		    memcmp(keys[i].section, line + 1,
			   strlen(keys[i].section)) == 0)
			return;
	snprintf(what, sizeof(what),
		 "section %.*s is not known: there are [gateway], [identity], "
		 "[tunnel], [network], [crypto], [resumption] and [timers]",
		 end - line > 40 ? 40 : (int)(end - line + 1), line);
	parse_refuse(parse, "", what);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* ini_reader: one line, as fgets gives it. */
static char *line_read(char *buf, int cap, void *ctx)
{
	struct parse *parse = ctx;
	const char *start = parse->next;
	size_t len = strcspn(start, "\n");
	size_t blanks = 0;

	if (*start == '\0')
		return NULL;
	parse->line++;
	parse->next = start + len + (start[len] == '\n');
	while (blanks < len && is_blank(start[blanks]))
		blanks++;
	parse->continues = blanks > 0;
	if (start[blanks] == '[')
		section_check(parse, start + blanks, len - blanks);
	if (len + 2 > (size_t)cap) {
		char what[100];

		snprintf(what, sizeof(what),
			 "a line longer than %d octets: shorten it, or go on "
			 "in an indented line",
			 cap - 2);
		parse_refuse(parse, "", what);
		len = 0;
	}
	memcpy(buf, start, len);
	strcpy(buf + len, "\n");
	return buf;
}

static enum err value_proposals(struct profile *p, const char *text,
				uint8_t proto, struct diag *diag)
{
	struct proposal_list *list = proto == PROTO_IKE ? &p->ike : &p->esp;

	if (text[0] == '\0')
		return diag_set(diag, ERR_PROFILE,
				"no value: write one or leave the key out");
	return proposals_from_text(text, proto, list, diag);
}

static enum err value_user(struct profile *p, const char *text,
			   struct diag *diag)
{
	char user[IKE_NAME_MAX];
	enum err e = profile_value_text(text, sizeof(user), user, diag);

	if (e)
		return e;
	p->user.type = ID_KEY_ID;
	p->user.len = (uint16_t)strlen(user);
	memcpy(p->user.b, user, p->user.len);
	return OK;
}

static enum err value_credential(struct profile *p, const char *text,
				 struct diag *diag)
{
	enum err e = profile_value_text(text, sizeof(p->password_credential),
					p->password_credential, diag);

	if (!e && (strchr(text, '/') || text[0] == '.'))
		e = diag_set(diag, ERR_PROFILE,
			     "'%.60s' is not a credential's name: write only "
			     "the name, without a path",
			     text);
	return e;
}

static enum err value_port(struct profile *p, const char *text,
			   struct diag *diag)
{
	enum err e = profile_value_u16(text, port_range, &p->port, diag);

	if (!e && p->port == 500)
		e = diag_set(diag, ERR_PROFILE,
			     "port 500 has no UDP encapsulation: leave the key "
			     "out for 4500");
	return e;
}

static enum err value_keepalive(struct profile *p, const char *text,
				struct diag *diag)
{
	p->keepalive_learn = strcmp(text, "auto") == 0;
	return p->keepalive_learn
		       ? OK
		       : profile_value_duration(text, &p->keepalive_ms, diag);
}

static enum err key_set(enum key key, const char *v, struct profile *p,
			struct diag *diag)
{
	switch (key) {
	case KEY_ADDRESS:
		return profile_value_host(v, sizeof(p->gateway), p->gateway,
					  diag);
	case KEY_GATEWAY_ID:
		return profile_id_parse(v, &p->gateway_id, diag);
	case KEY_CA:
		return profile_value_text(v, sizeof(p->ca), p->ca, diag);
	case KEY_PORT:
		return value_port(p, v, diag);
	case KEY_TRANSPORT:
		return profile_value_transport(v, &p->transport, diag);
	case KEY_TCP_PORT:
		return profile_value_ports(v, p->tcp_ports, &p->n_tcp_ports,
					   diag);
	case KEY_ID:
		return profile_id_parse(v, &p->id, diag);
	case KEY_AUTH:
		return profile_value_auth(v, &p->auth, diag);
	case KEY_USER:
		return value_user(p, v, diag);
	case KEY_PASSWORD_FILE:
		return profile_value_text(v, sizeof(p->password_file),
					  p->password_file, diag);
	case KEY_PASSWORD_CREDENTIAL:
		return value_credential(p, v, diag);
	case KEY_CERTIFICATE:
		return profile_value_text(v, sizeof(p->certificate),
					  p->certificate, diag);
	case KEY_PRIVATE_KEY:
		return profile_value_text(v, sizeof(p->private_key),
					  p->private_key, diag);
	case KEY_NETWORKS:
		return profile_value_networks(v, p, diag);
	case KEY_DNS:
		return profile_value_bool(v, &p->dns, diag);
	case KEY_ALLOW_LAN:
		return profile_value_bool(v, &p->allow_lan, diag);
	case KEY_BLOCK_OTHER:
		return profile_value_bool(v, &p->block_other_family, diag);
	case KEY_MTU:
		return profile_value_u16(v, mtu_range, &p->mtu, diag);
	case KEY_DATAPLANE:
		return profile_value_dataplane(v, &p->dataplane, diag);
	case KEY_MOBIKE:
		return profile_value_bool(v, &p->mobike, diag);
	case KEY_PORTAL_URL:
		return profile_value_url(v, sizeof(p->portal_url),
					 p->portal_url, diag);
	case KEY_PORTAL_TEXT:
		return profile_value_text(v, sizeof(p->portal_text),
					  p->portal_text, diag);
	case KEY_IKE:
		return value_proposals(p, v, PROTO_IKE, diag);
	case KEY_ESP:
		return value_proposals(p, v, PROTO_ESP, diag);
	case KEY_TICKETS:
		return profile_value_bool(v, &p->tickets, diag);
	case KEY_PFS:
		return profile_value_bool(v, &p->pfs, diag);
	case KEY_CACHE_KEY:
		return profile_value_cache_key(v, &p->cache_key, diag);
	case KEY_RENEWAL:
		return profile_value_renewal(v, &p->renewal, diag);
	case KEY_DPD:
		return profile_value_duration(v, &p->dpd_ms, diag);
	case KEY_IKE_REKEY:
		return profile_value_duration(v, &p->ike_rekey_ms, diag);
	case KEY_CHILD_REKEY:
		return profile_value_duration(v, &p->child_rekey_ms, diag);
	case KEY_KEEPALIVE:
		return value_keepalive(p, v, diag);
	case KEYS:
		break;
	}
	return ERR_INTERNAL;
}

static bool key_find(const char *section, const char *name, enum key *out)
{
	for (int i = 0; i < KEYS; i++) {
		if (strcmp(keys[i].section, section) == 0 &&
		    strcmp(keys[i].key, name) == 0) {
			*out = (enum key)i;
			return true;
		}
	}
	return false;
}

/* ini_handler; the answer is for inih's own count of errors, unused. */
static int pair_handle(void *ctx, const char *section, const char *name,
		       const char *value)
{
	struct parse *parse = ctx;
	struct diag diag = DIAG_INIT;
	char where[120];
	enum key key;
	enum err e;

	snprintf(where, sizeof(where), "[%.40s] %.40s", section, name);
	if (!key_find(section, name, &key)) {
		parse_refuse(parse, where,
			     "not known: correct or remove it (see "
			     "vpn-connect.conf(5))");
		return 1;
	}
	if (parse->seen[key] && !(parse->continues && key == KEY_NETWORKS)) {
		parse_refuse(parse, where,
			     parse->continues
				     ? "does not go on in a second line: write "
				       "it in one"
				     : "is there twice: remove one");
		return 1;
	}
	parse->seen[key] = parse->line;
	e = key_set(key, value, parse->p, &diag);
	if (e)
		parse_refuse(parse, where, diag_text(&diag, e));
	return 1;
}

/* --- what only the whole can tell ------------------------------------- */

static enum err lacks(const struct parse *parse, const char *what)
{
	return diag_set(parse->diag, ERR_PROFILE, "%s.conf: %s", parse->file,
			what);
}

/* A key that would do nothing is a misunderstanding. */
static enum err needless(const struct parse *parse, enum key key,
			 const char *needs)
{
	return diag_set(parse->diag, ERR_PROFILE,
			"%s.conf:%d: [%s] %s: only with auth = %s: remove it "
			"or change auth",
			parse->file, parse->seen[key], keys[key].section,
			keys[key].key, needs);
}

static enum err auth_check(const struct parse *parse)
{
	const int *seen = parse->seen;

	switch (parse->p->auth) {
	case IKE_AUTH_CERT:
	case IKE_AUTH_EAP_TLS:
		if (!seen[KEY_CERTIFICATE] || !seen[KEY_PRIVATE_KEY])
			return lacks(parse, "auth = certificate and eap-tls "
					    "need [identity] certificate = "
					    "FILE and private-key = FILE");
		if (seen[KEY_USER] && parse->p->auth == IKE_AUTH_CERT)
			return needless(parse, KEY_USER, "eap-mschapv2");
		return OK;
	case IKE_AUTH_PSK:
		if (seen[KEY_USER])
			return needless(parse, KEY_USER, "eap-mschapv2");
		break;
	case IKE_AUTH_EAP_MSCHAPV2:
		break;
	}
	if (seen[KEY_CERTIFICATE])
		return needless(parse, KEY_CERTIFICATE, "certificate");
	if (seen[KEY_PRIVATE_KEY])
		return needless(parse, KEY_PRIVATE_KEY, "certificate");
	return OK;
}

static enum err whole_check(const struct parse *parse)
{
	if (!parse->seen[KEY_ADDRESS])
		return lacks(parse,
			     "no gateway: write address = vpn.example.org "
			     "under [gateway]");
	if (!parse->seen[KEY_AUTH])
		return lacks(parse, "no auth: write auth = psk, certificate, "
				    "eap-mschapv2 or eap-tls under "
				    "[identity]");
	if (!parse->seen[KEY_ID])
		return lacks(parse, "no identity: write id = alice@example.org "
				    "under [identity]");
	if (parse->seen[KEY_PASSWORD_FILE] &&
	    parse->seen[KEY_PASSWORD_CREDENTIAL])
		return lacks(parse, "password-file and password-credential: "
				    "remove one of them");
	if (parse->seen[KEY_NETWORKS] && parse->p->n_networks == 0)
		return lacks(parse, "[tunnel] networks is empty: leave it out "
				    "for everything");
	if (parse->p->dataplane == DATAPLANE_KERNEL &&
	    parse->p->transport == TRANSPORT_TCP)
		return lacks(parse, "dataplane = kernel carries no ESP over "
				    "TCP: write dataplane = auto or transport "
				    "= udp");
	return auth_check(parse);
}

/* Values that follow from others. */
static enum err defaults_fill(struct parse *parse)
{
	struct profile *p = parse->p;
	char id[IKE_NAME_MAX + 1];
	enum err e = OK;

	if (!parse->seen[KEY_GATEWAY_ID])
		e = profile_id_parse(p->gateway, &p->gateway_id, parse->diag);
	if (!e && !parse->seen[KEY_USER]) {
		ike_name_str(&p->id, id, sizeof(id));
		p->user.type = ID_KEY_ID;
		p->user.len = (uint16_t)strlen(id);
		memcpy(p->user.b, id, p->user.len);
	}
	if (!e && p->n_networks == 0)
		e = profile_value_networks("0.0.0.0/0 ::/0", p, parse->diag);
	if (p->dataplane == DATAPLANE_KERNEL)
		p->transport = TRANSPORT_UDP;
	if (!parse->seen[KEY_IKE])
		proposals_default(PROTO_IKE, &p->ike);
	if (!parse->seen[KEY_ESP])
		proposals_default(PROTO_ESP, &p->esp);
	return e;
}

static void profile_init(const char *name, struct profile *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->name, sizeof(out->name), "%s", name);
	out->port = IKE_PORT_NATT;
	out->tcp_ports[0] = IKE_PORT_NATT;
	out->tcp_ports[1] = 443;
	out->n_tcp_ports = 2;
	out->auth = IKE_AUTH_PSK;
	out->dns = true;
	out->block_other_family = true;
	out->mobike = true;
	out->tickets = true;
	out->renewal = RENEWAL_AUTO;
	out->dpd_ms = 30 * 1000;
	out->ike_rekey_ms = 4 * 3600 * 1000;
	out->child_rekey_ms = 3600 * 1000;
	out->keepalive_ms = 20 * 1000;
	out->keepalive_learn = true;
}

enum err profile_parse(const char *name, const char *text, struct profile *out,
		       struct diag *diag)
{
	struct parse parse = {
		.file = name, .next = text, .p = out, .diag = diag};
	enum err e;
	int wrong;

	profile_init(name, out);
	wrong = ini_parse_stream(line_read, &parse, pair_handle, &parse);
	if (wrong) {
		parse.line = wrong;
		parse_refuse(&parse, "",
			     "neither [section] nor key = value: correct or "
			     "remove the line");
	}
	if (parse.wrong_line)
		return diag_set(diag, ERR_PROFILE, "%s", parse.wrong.text);
	e = whole_check(&parse);
	return e ? e : defaults_fill(&parse);
}

/* --- what is in it, without its meaning -------------------------------------
 */

const char *profile_key(size_t i, const char **out_section)
{
	if (i >= KEYS)
		return NULL;
	*out_section = keys[i].section;
	return keys[i].key;
}

struct pairs {
	profile_each_fn *each;
	void *ctx;
};

static int pair_give(void *ctx, const char *section, const char *name,
		     const char *value)
{
	const struct pairs *pairs = ctx;

	pairs->each(pairs->ctx, section, name, value);
	return 1;
}

void profile_each(const char *text, profile_each_fn *each, void *ctx)
{
	struct pairs pairs = {each, ctx};

	ini_parse_string(text, pair_give, &pairs);
}
