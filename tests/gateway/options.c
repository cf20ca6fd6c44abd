/* Command line of vpn-test-gateway. */
#include "tests/gateway/prog.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/os.h"

#define FILE_MAX (1 << 20)

/* X(enumerator, long option, argument or "", help) */
#define OPTION_LIST(X)                                                         \
	X(OPT_LISTEN, "listen", "ADDR", "serve UDP 4500 and 500 there")        \
	X(OPT_PORT, "port", "N", "instead of 4500; no port 500 then")          \
	X(OPT_NO_500, "no-500", "", "leave port 500 alone")                    \
	X(OPT_TCP, "tcp", "PORT", "TCP, too (RFC 9329); may be repeated")      \
	X(OPT_ID, "id", "NAME", "our identity (FQDN, address, mail)")          \
	X(OPT_PSK_FILE, "psk-file", "FILE", "pre-shared key: its first line")  \
	X(OPT_CERT, "cert", "FILE", "our chain, PEM, end entity first")        \
	X(OPT_KEY, "key", "FILE", "private key of it, PEM")                    \
	X(OPT_CA, "ca", "FILE", "trust anchors for clients' certificates")     \
	X(OPT_USER, "user", "NAME:FILE", "EAP-MSCHAPv2 user; password's file") \
	X(OPT_EAP_TLS, "eap-tls", "", "EAP-TLS with clients of --ca")          \
	X(OPT_NO_EAP_ID, "no-eap-identity", "", "start with the challenge")    \
	X(OPT_PKCS1, "pkcs1", "", "sign with RSA PKCS#1 v1.5, not PSS")        \
	X(OPT_POOL, "pool", "NET", "inner IPv4 addresses, 10.77.0.0/24")       \
	X(OPT_POOL6, "pool6", "NET", "inner IPv6 addresses, fd00:77::/64")     \
	X(OPT_DNS, "dns", "ADDR", "DNS server for clients; may be repeated")   \
	X(OPT_DOMAIN, "domain", "NAME", "split DNS domain; may be repeated")   \
	X(OPT_TS, "ts", "NET,...", "networks behind us (default: all)")        \
	X(OPT_IKE, "ike", "PROPOSALS", "aes256gcm16-prfsha256-x25519,...")     \
	X(OPT_ESP, "esp", "PROPOSALS", "aes256gcm16,aes256-sha256,...")        \
	X(OPT_GROUPS, "groups", "WORDS", "groups we take: \"ecp256 x25519\"")  \
	X(OPT_NO_FRAG, "no-fragmentation", "", "without RFC 7383")             \
	X(OPT_MAX_DGRAM, "max-datagram", "N", "IKE octets before fragmenting") \
	X(OPT_TICKETS, "tickets", "KIND", "value, reference or none")          \
	X(OPT_LIFETIME, "lifetime", "S", "of tickets, in seconds")             \
	X(OPT_AUTH_LIFE, "auth-lifetime", "S", "until a new login is wanted")  \
	X(OPT_STATE, "state", "FILE", "keeps ticket keys and references")      \
	X(OPT_DPD, "dpd", "S", "liveness check after S seconds of silence")    \
	X(OPT_REKEY_IKE, "rekey-ike", "S", "rekey IKE SAs every S seconds")    \
	X(OPT_REKEY_CHILD, "rekey-child", "S", "rekey Child SAs the same way") \
	X(OPT_LOSS, "loss", "PCT", "drop that share of datagrams, both ways")  \
	X(OPT_TUN, "tun", "NAME", "interface to make; without: no ESP")        \
	X(OPT_CONTROL, "control", "PATH", "unix socket for commands")          \
	X(OPT_TELL, "tell", "PATH", "send the rest as a command, then exit")   \
	X(OPT_VERBOSE, "verbose", "", "log every event")                       \
	X(OPT_HELP, "help", "", "this text")

enum {
	OPT_FIRST = 256,
#define X(e, word, arg, help) e,
	OPTION_LIST(X)
#undef X
		OPT_SWITCH
};

static const struct option long_options[] = {
#define X(e, word, arg, help)                                                  \
	{word, sizeof(arg) > 1 ? required_argument : no_argument, NULL, e},
	OPTION_LIST(X)
#undef X
#define X(field, word, help) {word, no_argument, NULL, OPT_SWITCH},
		GW_SWITCH_LIST(X)
#undef X
			{NULL, 0, NULL, 0}};

static void help(void)
{
	printf("Usage: vpn-test-gateway OPTIONS\n"
	       "       vpn-test-gateway --tell SOCKET COMMAND...\n\n"
	       "A small IKEv2 gateway for tests; never for real use.\n\n"
	       "Options:\n");
#define X(e, word, arg, text) printf("  --%-17s %-10s %s\n", word, arg, text);
	OPTION_LIST(X)
#undef X
	printf("\nManners (also `set WORD on|off` on the control socket):\n");
#define X(field, word, text) printf("  --%-17s            %s\n", word, text);
	GW_SWITCH_LIST(X)
#undef X
	printf("\nCommands of the control socket: `--tell SOCKET help`.\n"
	       "Prints `ready` when it listens; SIGTERM ends it cleanly.\n");
	exit(0);
}

static void wrong(const char *word, const char *value)
{
	fprintf(stderr, "vpn-test-gateway: --%s %s: not understood\n", word,
		value);
	exit(2);
}

static struct bytes file_or_exit(const char *path)
{
	struct diag diag = DIAG_INIT;
	uint8_t *buf;
	size_t len;
	enum err e = os_read_file(path, FILE_MAX, &buf, &len, &diag);

	if (e != OK) {
		fprintf(stderr, "vpn-test-gateway: %s\n", diag_text(&diag, e));
		exit(1);
	}
	return bytes(buf, len);
}

static void done_or_exit(enum err e, const struct diag *diag)
{
	if (e == OK)
		return;
	fprintf(stderr, "vpn-test-gateway: %s\n", diag_text(diag, e));
	exit(1);
}

/* The first line of a file as a secret. */
static void read_secret(const char *path, struct secret *out)
{
	struct bytes b = file_or_exit(path);
	size_t n = 0;

	while (n < b.len && b.p[n] != '\n' && b.p[n] != '\r')
		n++;
	if (secret_set(out, bytes(b.p, n)) != OK)
		wrong("psk-file", path);
	mem_wipe((void *)(uintptr_t)b.p, b.len);
	free((void *)(uintptr_t)b.p);
}

static void read_id(const char *text, struct gw_id *out)
{
	struct bytes b = bytes_str(text);
	struct addr a;

	out->type = strchr(text, '@') != NULL ? ID_RFC822_ADDR : ID_FQDN;
	if (addr_parse(text, &a) == OK) {
		out->type = a.family == ADDR_V4 ? ID_IPV4_ADDR : ID_IPV6_ADDR;
		b = addr_view(&a);
	}
	if (b.len > sizeof(out->b))
		wrong("id", text);
	memcpy(out->b, b.p, b.len);
	out->len = (uint16_t)b.len;
}

static void read_user(struct prog *p, char *arg)
{
	char *colon = strchr(arg, ':');
	size_t n = p->cfg.n_users;

	if (colon == NULL || n == PROG_USERS_MAX)
		wrong("user", arg);
	*colon = '\0';
	read_secret(colon + 1, &p->passwords[n]);
	p->users[n].name = arg;
	p->users[n].password = &p->passwords[n];
	p->cfg.users = p->users;
	p->cfg.n_users++;
}

static void read_ts(struct prog *p, char *arg)
{
	struct prefix net;

	for (char *w = strtok(arg, ","); w != NULL; w = strtok(NULL, ",")) {
		if (prefix_parse(w, &net) != OK || p->cfg.ts.n == IKE_TS_MAX)
			wrong("ts", w);
		ike_ts_from_prefix(&net, &p->cfg.ts.ts[p->cfg.ts.n++]);
	}
}

static void read_certs(struct prog *p, const char *path)
{
	struct diag diag = DIAG_INIT;
	struct bytes b = file_or_exit(path);

	done_or_exit(cert_load(b, p->certs, PROG_CERTS_MAX, &p->cfg.n_certs,
			       &p->cert_buf, &diag),
		     &diag);
	p->cfg.certs = p->certs;
	free((void *)(uintptr_t)b.p);
}

static void read_key(struct prog *p, const char *path)
{
	struct diag diag = DIAG_INIT;
	struct bytes b = file_or_exit(path);

	done_or_exit(privkey_load(b, BYTES_NONE, &p->cfg.key, &diag), &diag);
	free((void *)(uintptr_t)b.p);
}

static void read_ca(struct prog *p, const char *path)
{
	struct diag diag = DIAG_INIT;
	struct bytes b = file_or_exit(path);

	if (p->trust == NULL)
		done_or_exit(trust_new(&p->trust), &diag);
	done_or_exit(trust_add(p->trust, b, &diag), &diag);
	p->cfg.trust = p->trust;
	free((void *)(uintptr_t)b.p);
}

static unsigned long number(const char *word, const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || n > UINT32_MAX)
		wrong(word, text);
	return n;
}

static void read_tickets(struct prog *p, const char *arg)
{
	if (strcmp(arg, "value") == 0)
		p->cfg.tickets = GW_TICKETS_VALUE;
	else if (strcmp(arg, "reference") == 0)
		p->cfg.tickets = GW_TICKETS_REF;
	else if (strcmp(arg, "none") == 0)
		p->cfg.tickets = GW_TICKETS_NONE;
	else
		wrong("tickets", arg);
}

static void read_list(struct prog *p, int opt, const char *arg)
{
	struct prog *q = p;
	struct diag diag = DIAG_INIT;

	if (opt == OPT_LISTEN) {
		if (q->n_listen == PROG_LISTEN_MAX ||
		    addr_parse(arg, &q->listen[q->n_listen++]) != OK)
			wrong("listen", arg);
	} else if (opt == OPT_TCP) {
		if (q->n_tcp_ports == sizeof(q->tcp_ports) / 2)
			wrong("tcp", arg);
		q->tcp_ports[q->n_tcp_ports++] = (uint16_t)number("tcp", arg);
	} else if (opt == OPT_DNS) {
		if (q->cfg.n_dns == GW_DNS_MAX ||
		    addr_parse(arg, &q->cfg.dns[q->cfg.n_dns++]) != OK)
			wrong("dns", arg);
	} else if (opt == OPT_DOMAIN) {
		if (q->cfg.n_domains == GW_DOMAINS_MAX)
			wrong("domain", arg);
		q->cfg.domains[q->cfg.n_domains++] = arg;
	} else if (opt == OPT_POOL) {
		if (prefix_parse(arg, &q->cfg.pool4) != OK)
			wrong("pool", arg);
	} else if (opt == OPT_POOL6) {
		if (prefix_parse(arg, &q->cfg.pool6) != OK)
			wrong("pool6", arg);
	} else if (opt == OPT_IKE) {
		done_or_exit(
			proposals_from_text(arg, PROTO_IKE, &q->cfg.ike, &diag),
			&diag);
	} else if (opt == OPT_ESP) {
		done_or_exit(
			proposals_from_text(arg, PROTO_ESP, &q->cfg.esp, &diag),
			&diag);
	}
}

static void read_number(struct prog *p, int opt, const char *arg)
{
	const char *word = "number";

	if (opt == OPT_PORT) {
		p->port = (uint16_t)number(word, arg);
		p->port_500 = false;
	} else if (opt == OPT_MAX_DGRAM) {
		p->cfg.max_datagram = (uint16_t)number(word, arg);
	} else if (opt == OPT_LIFETIME) {
		p->cfg.lifetime_s = (uint32_t)number(word, arg);
	} else if (opt == OPT_AUTH_LIFE) {
		p->cfg.auth_lifetime_s = (uint32_t)number(word, arg);
	} else if (opt == OPT_DPD) {
		p->cfg.dpd_ms = (uint32_t)number(word, arg) * 1000;
	} else if (opt == OPT_REKEY_IKE) {
		p->cfg.ike_rekey_ms = (uint32_t)number(word, arg) * 1000;
	} else if (opt == OPT_REKEY_CHILD) {
		p->cfg.child_rekey_ms = (uint32_t)number(word, arg) * 1000;
	} else if (opt == OPT_LOSS) {
		p->loss_pct = (unsigned)number(word, arg);
	}
}

/* Options that name a file with keys; false for another one. */
static bool read_keys(struct prog *p, int opt, char *arg)
{
	if (opt == OPT_PSK_FILE) {
		read_secret(arg, &p->psk);
		p->cfg.psk = &p->psk;
	} else if (opt == OPT_CERT) {
		read_certs(p, arg);
	} else if (opt == OPT_KEY) {
		read_key(p, arg);
	} else if (opt == OPT_CA) {
		read_ca(p, arg);
	} else if (opt == OPT_USER) {
		read_user(p, arg);
	} else {
		return false;
	}
	return true;
}

static void read_one(struct prog *p, int opt, const char *word)
{
	switch (opt) {
	case OPT_NO_500:
		p->port_500 = false;
		break;
	case OPT_ID:
		read_id(optarg, &p->cfg.id);
		break;
	case OPT_EAP_TLS:
		p->cfg.eap_tls = true;
		break;
	case OPT_NO_EAP_ID:
		p->cfg.eap_identity = false;
		break;
	case OPT_PKCS1:
		p->cfg.prefer_pkcs1 = true;
		break;
	case OPT_TS:
		read_ts(p, optarg);
		break;
	case OPT_GROUPS:
		p->groups = optarg;
		break;
	case OPT_NO_FRAG:
		p->cfg.fragmentation = false;
		break;
	case OPT_TICKETS:
		read_tickets(p, optarg);
		break;
	case OPT_STATE:
		p->state_path = optarg;
		break;
	case OPT_TUN:
		p->tun_name = optarg;
		break;
	case OPT_CONTROL:
		p->control_path = optarg;
		break;
	case OPT_VERBOSE:
		p->verbose = 1;
		break;
	case OPT_SWITCH:
		gw_switch_set(&p->switches, word, true);
		break;
	default:
		if (read_keys(p, opt, optarg))
			break;
		read_list(p, opt, optarg);
		read_number(p, opt, optarg);
		break;
	}
}

void options_read(struct prog *p, int argc, char **argv)
{
	int opt, index = 0;

	gw_config_default(&p->cfg);
	p->port = IKE_PORT_NATT;
	p->port_500 = true;
	p->tun_fd = -1;
	p->control_fd = -1;
	while ((opt = getopt_long(argc, argv, "h", long_options, &index)) !=
	       -1) {
		if (opt == OPT_HELP || opt == 'h')
			help();
		if (opt == '?')
			exit(2);
		if (opt == OPT_TELL)
			exit(control_tell(optarg, argc - optind,
					  argv + optind));
		read_one(p, opt, long_options[index].name);
	}
	memcpy(p->cfg.others, p->listen, sizeof(p->cfg.others));
	p->cfg.n_others = p->n_listen;
	if (p->n_listen == 0 || p->cfg.id.len == 0) {
		fprintf(stderr, "vpn-test-gateway: --listen and --id are "
				"needed; see --help\n");
		exit(2);
	}
}

void options_free(struct prog *p)
{
	privkey_free(&p->cfg.key);
	trust_free(&p->trust);
	free(p->cert_buf);
	mem_wipe(&p->psk, sizeof(p->psk));
	mem_wipe(p->passwords, sizeof(p->passwords));
}
