/* doctor: does the gateway answer, and is it the right one? An IKE_SA_INIT is
 * sent and, where the login is a password, an IKE_AUTH without one: the
 * gateway shows its certificate before it sees a password. */
#include "config.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/doctor.h"
#include "client/crypto/cert_info.h"
#include "client/run/proof.h"
#include "client/run/udp.h"
#include "client/store/credential.h"

#define PROBE_TRIES    4 /* 0.5 + 1 + 2 + 4 s */
#define EXPIRES_SOON_S (14 * 24 * 3600)
#define DATAGRAM_MAX   65536

struct probe {
	const struct profile *profile;
	struct session_config config;
	struct ike_sa *sa;
	struct ike_path path;
	int fd;
	bool answered; /* the IKE_SA_INIT */
	bool over;
	enum err why; /* it closed */
	struct diag detail;
	/* The certificate, where it was shown. */
	bool shown;
	enum err verdict;
	struct diag verdict_detail;
	char subject[200];
	int64_t not_before, not_after;
};

static const char *day_text(int64_t unix_s, char buf[32])
{
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(buf, 32, "%F", &tm))
		return "?";
	return buf;
}

/* --- the probe ------------------------------------------------------------ */

static void certificate_look(struct probe *p, const struct ike_action *a)
{
	struct trust *trust = NULL;
	struct bytes der = a->u.ask_verify.certs[0];

	p->shown = a->u.ask_verify.n_certs > 0;
	if (!p->shown)
		return;
	cert_subject(der, p->subject, sizeof(p->subject));
	if (cert_validity(der, &p->not_before, &p->not_after))
		p->not_before = p->not_after = 0;
	p->verdict = proof_load_trust(p->profile, &trust, &p->verdict_detail);
	if (!p->verdict)
		p->verdict = proof_check_gateway(trust, a, &p->verdict_detail);
	trust_free(&trust);
}

/* False: the probe has seen what it can see without a secret. */
static bool action_do(struct probe *p, const struct ike_action *a)
{
	switch (a->kind) {
	case IKE_DO_SEND:
		udp_send_ike(p->fd, a->u.send.dgram);
		return true;
	case IKE_DO_ASK_VERIFY:
		certificate_look(p, a);
		p->answered = true;
		return false;
	case IKE_DO_ASK_SECRET:
	case IKE_DO_ASK_SIGN:
	case IKE_DO_ASK_TLS:
		p->answered = true;
		return false;
	case IKE_DO_CLOSED:
		p->why = a->u.closed.why;
		/* A refusal is an answer, too. */
		p->answered = p->answered || p->why != ERR_NO_ANSWER;
		diag_set(&p->detail, p->why, "%s", a->u.closed.detail);
		return false;
	case IKE_DO_NOTHING:
	case IKE_DO_KEEPALIVE:
	case IKE_DO_NETCONF:
	case IKE_DO_CHILD_ADD:
	case IKE_DO_CHILD_DEL:
	case IKE_DO_TICKET:
	case IKE_DO_TICKET_NONE:
	case IKE_DO_TICKET_VOID:
	case IKE_DO_TICKET_SPENT:
	case IKE_DO_REFUSED:
	case IKE_DO_UP:
	case IKE_DO_MOVED:
	case IKE_DO_PROBED:
	case IKE_DO_ALIVE:
		return true;
	}
	return true;
}

static void actions_pull(struct probe *p)
{
	struct ike_action a;

	while (!p->over) {
		a = ike_sa_next_action(p->sa);
		if (a.kind == IKE_DO_NOTHING)
			break;
		p->over = !action_do(p, &a);
	}
	if (ike_sa_state(p->sa) > IKE_ST_INIT &&
	    ike_sa_state(p->sa) < IKE_ST_CLOSED)
		p->answered = true;
}

/* Behind the non-ESP marker (RFC 3948 2.2); whatever is wrong is dropped. */
static void datagram_take(struct probe *p)
{
	static const uint8_t marker[UDP_MARKER_LEN];
	static uint8_t buf[DATAGRAM_MAX];
	ssize_t len = recv(p->fd, buf, sizeof(buf), 0);

	if (len <= UDP_MARKER_LEN || memcmp(buf, marker, UDP_MARKER_LEN) != 0)
		return;
	if (ike_sa_input(p->sa, buf + UDP_MARKER_LEN,
			 (size_t)len - UDP_MARKER_LEN, &p->path,
			 os_now().boot_ms) != OK)
		return;
}

static enum err probe_wait(struct probe *p, struct diag *diag)
{
	struct pollfd fd = {.fd = p->fd, .events = POLLIN};

	for (;;) {
		int64_t left;

		actions_pull(p);
		if (p->over)
			return OK;
		left = ike_sa_next_deadline(p->sa) - os_now().boot_ms;
		if (left > 0 &&
		    poll(&fd, 1, left < 10000 ? (int)left : 10000) > 0)
			datagram_take(p);
		if (ike_sa_next_deadline(p->sa) <= os_now().boot_ms)
			ike_sa_timeout(p->sa, os_now().boot_ms);
	}
}

static enum err probe_open(struct probe *p, const struct addr *addr,
			   struct diag *diag)
{
	struct addr to = *addr;
	uint8_t seed[32];
	enum err e;

	to.port = p->profile->port;
	p->fd = socket(to.family == ADDR_V4 ? AF_INET : AF_INET6,
		       SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->fd < 0)
		return diag_sys(diag, ERR_SYS, "socket");
	e = udp_connect(p->fd, &to, &p->path, diag);
	if (!e)
		e = os_random(seed, sizeof(seed));
	if (!e)
		e = ike_sa_new(&p->config.ike, seed, &p->sa);
	if (!e)
		e = ike_sa_start(p->sa, &p->path, os_now().boot_ms);
	return e;
}

static enum err probe_run(struct probe *p, const struct addr *addr,
			  struct diag *diag)
{
	enum err e;

	p->fd = -1;
	p->over = false;
	profile_to_session(p->profile, &p->config);
	p->config.ike.max_tries = PROBE_TRIES;
	p->config.ike.want_ticket = false;
	e = probe_open(p, addr, diag);
	if (!e)
		e = probe_wait(p, diag);
	ike_sa_free(&p->sa);
	if (p->fd >= 0)
		close(p->fd);
	return e;
}

/* --- what it means -------------------------------------------------------- */

/* Where TCP is open, UDP is not missed. */
static void no_answer_say(struct doctor *d, enum err e, const struct diag *diag)
{
	struct finding f = {.check = "udp",
			    .verdict = VERDICT_BAD,
			    .why = e ? e : ERR_NO_ANSWER};
	bool tcp = d->tcp_port && d->profile.transport == TRANSPORT_AUTO;

	if (tcp) {
		f.verdict = VERDICT_NOTE;
		snprintf(f.fix, sizeof(f.fix),
			 "UDP port %u seems to be blocked here; TCP port %u is "
			 "open and will be used",
			 d->profile.port, d->tcp_port);
	} else {
		snprintf(f.fix, sizeof(f.fix),
			 "is there a network (ip route get ...)? Does a "
			 "firewall on the way drop UDP port %u? Is the gateway "
			 "on? Try another network",
			 d->profile.port);
	}
	doctor_say(d, &f, "no answer to IKE_SA_INIT from %s%s%s",
		   d->profile.gateway, e ? ": " : "",
		   e ? diag_text(diag, e) : "");
}

static void udp_say(struct doctor *d, const struct probe *p, enum err e,
		    const struct diag *diag)
{
	struct finding f = {.check = "udp"};
	char at[ADDR_STR_MAX];

	d->udp_good = p->answered;
	if (p->answered)
		doctor_say(d, &f, "the gateway answers on %s",
			   addr_str_port(&p->path.remote, at));
	else
		no_answer_say(d, e, diag);
}

static void proposals_say(struct doctor *d, const struct probe *p)
{
	struct finding f = {.check = "algorithms"};

	if (!p->answered)
		return;
	if (p->why != ERR_NO_PROPOSAL) {
		doctor_say(d, &f, "the gateway takes one that we offer");
		return;
	}
	f.verdict = VERDICT_BAD;
	f.why = p->why;
	snprintf(f.fix, sizeof(f.fix),
		 "write under [crypto] ike = what the gateway's administrator "
		 "names; leave the key out to offer all we have");
	doctor_say(d, &f, "%s", diag_text(&p->detail, p->why));
}

static void trust_fix(struct doctor *d, const struct probe *p,
		      struct finding *f)
{
	int64_t now = os_now().wall_ms / 1000;
	char day[32];

	f->why = p->verdict;
	f->verdict = VERDICT_BAD;
	if (p->not_before > now)
		snprintf(f->fix, sizeof(f->fix),
			 "it is valid from %s on: is the clock of this machine "
			 "right? (timedatectl set-ntp true)",
			 day_text(p->not_before, day));
	else if (p->not_after && p->not_after < now)
		snprintf(f->fix, sizeof(f->fix),
			 "it expired on %s: the gateway's administrator must "
			 "renew it (or this machine's clock is ahead)",
			 day_text(p->not_after, day));
	else
		snprintf(f->fix, sizeof(f->fix),
			 "ca = FILE under [gateway] must hold the CA that "
			 "issued it (now: %.120s), and id = NAME the gateway's "
			 "name in it",
			 d->profile.ca[0] ? d->profile.ca
					  : "those of the system");
}

static void certificate_say(struct doctor *d, const struct probe *p)
{
	struct finding f = {.check = "certificate"};
	int64_t left = p->not_after - os_now().wall_ms / 1000;
	char day[32];

	if (d->profile.auth == IKE_AUTH_PSK)
		return;
	if (!p->shown && p->answered && p->why && p->why != ERR_NO_PROPOSAL) {
		f.verdict = VERDICT_BAD;
		f.why = p->why;
		snprintf(f.fix, sizeof(f.fix),
			 "does the gateway know the id under [identity], and "
			 "that it logs in this way?");
		doctor_say(d, &f, "the gateway showed none: %s",
			   diag_text(&p->detail, p->why));
		return;
	}
	if (!p->shown) {
		f.verdict = VERDICT_SKIP;
		doctor_say(d, &f, "the gateway's is shown only to %s",
			   p->answered ? "a full login" : "who gets an answer");
		return;
	}
	if (p->verdict) {
		trust_fix(d, p, &f);
		doctor_say(d, &f, "%s: %s", p->subject,
			   diag_text(&p->verdict_detail, p->verdict));
		return;
	}
	if (left < EXPIRES_SOON_S) {
		f.verdict = VERDICT_NOTE;
		snprintf(f.fix, sizeof(f.fix),
			 "tell the gateway's administrator");
	}
	doctor_say(d, &f, "%s, trusted, until %s", p->subject,
		   day_text(p->not_after, day));
}

void doctor_check_gateway(struct doctor *d)
{
	struct finding f = {.check = "udp", .verdict = VERDICT_SKIP};
	struct probe *p = calloc(1, sizeof(*p));
	struct diag diag = DIAG_INIT;
	enum err e = OK;

	if (!p || d->runs || d->n_addrs == 0 ||
	    d->profile.transport == TRANSPORT_TCP) {
		doctor_say(d, &f, "%s",
			   d->runs ? "not looked at beside the running tunnel"
			   : d->n_addrs == 0 ? "no address"
					     : "not used: transport = tcp");
		free(p);
		return;
	}
	p->profile = &d->profile;
	for (size_t i = 0; i < d->n_addrs && !p->answered; i++) {
		diag_clear(&diag);
		e = probe_run(p, &d->addrs[i], &diag);
	}
	udp_say(d, p, e, &diag);
	proposals_say(d, p);
	certificate_say(d, p);
	free(p);
}

/* --- the user's own ------------------------------------------------------- */

struct own {
	int64_t from, until; /* Unix seconds */
	bool key_is_closed;  /* encrypted; nobody is asked for the password */
};

static enum err own_key(struct doctor *d, const struct bytes *certs, size_t n,
			struct own *own, struct diag *diag)
{
	struct secret pass = {0};
	struct privkey *key = NULL;
	enum err e = credential_read(&d->profile, &pass, diag);

	if (e == ERR_NOT_FOUND)
		diag_clear(diag);
	if (!e || e == ERR_NOT_FOUND)
		e = proof_load_key(&d->profile, certs, n, secret_view(&pass),
				   &key, diag);
	own->key_is_closed = e == ERR_NEEDS_PERSON && pass.len == 0;
	secret_wipe(&pass);
	privkey_free(&key);
	return own->key_is_closed ? OK : e;
}

static enum err own_load(struct doctor *d, struct own *own, struct diag *diag)
{
	struct bytes certs[CERT_CHAIN_MAX];
	uint8_t *buf = NULL;
	size_t n = 0;
	enum err e = proof_load_certs(&d->profile, certs, &n, &buf, diag);

	if (!e && n == 0)
		e = diag_set(diag, ERR_PROFILE, "%s holds no certificate",
			     d->profile.certificate);
	if (!e)
		e = cert_validity(certs[0], &own->from, &own->until);
	if (!e)
		e = own_key(d, certs, n, own, diag);
	free(buf);
	return e;
}

void doctor_check_certificate(struct doctor *d)
{
	struct finding f = {.check = "own cert."};
	int64_t now = os_now().wall_ms / 1000;
	struct own own = {0};
	struct diag diag = DIAG_INIT;
	char day[32];
	enum err e;

	if (!d->profile.certificate[0])
		return;
	e = own_load(d, &own, &diag);
	if (e || own.from > now || own.until < now) {
		f.verdict = VERDICT_BAD;
		f.why = e ? e : ERR_EXPIRED;
	} else if (own.until < now + EXPIRES_SOON_S) {
		f.verdict = VERDICT_NOTE;
	}
	if (e)
		snprintf(f.fix, sizeof(f.fix),
			 "check certificate and private-key under [identity]");
	else if (f.verdict != VERDICT_GOOD)
		snprintf(f.fix, sizeof(f.fix),
			 own.from > now
				 ? "not valid yet: is this machine's clock "
				   "right? (timedatectl set-ntp true)"
				 : "ask who issued it for a new one");
	if (e)
		doctor_say(d, &f, "%s", diag_text(&diag, e));
	else
		doctor_say(d, &f, "valid until %s, the key %s",
			   day_text(own.until, day),
			   own.key_is_closed ? "waits for its password"
					     : "belongs to it");
}
