/* The control socket: one command a line, an answer, then `ok` or `error`. */
#include "config.h"

#include "tests/gateway/prog.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ANSWER_MAX (256 * 1024)

struct answer {
	char *text;
	size_t len;
};

static void say(struct answer *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void say(struct answer *a, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(a->text + a->len, ANSWER_MAX - a->len, fmt, ap);
	va_end(ap);
	if (n > 0 && (size_t)n < ANSWER_MAX - a->len)
		a->len += (size_t)n;
}

static enum err make_address(const char *path, struct sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	if (strlen(path) >= sizeof(out->sun_path))
		return ERR_NO_SPACE;
	memcpy(out->sun_path, path, strlen(path));
	return OK;
}

/* --- answers ------------------------------------------------------------- */

static void stats(struct prog *p, struct answer *a)
{
	const struct gw_counters *n = gw_counters(p->gw);
	const struct plane_counters *pl = plane_counters(p->plane);

	say(a, "{\"sessions\":%zu,\"ike_sas\":%zu,\"child_sas\":%zu",
	    gw_session_count(p->gw), gw_ike_count(p->gw),
	    gw_child_count(p->gw));
#define X(field) say(a, ",\"%s\":%" PRIu64, #field, n->field);
	GW_COUNTER_LIST(X)
#undef X
	say(a,
	    ",\"esp_packets_in\":%" PRIu64 ",\"esp_packets_out\":%" PRIu64
	    ",\"esp_octets_in\":%" PRIu64 ",\"esp_octets_out\":%" PRIu64,
	    pl->packets_in, pl->packets_out, pl->octets_in, pl->octets_out);
	say(a,
	    ",\"esp_unknown_spi\":%" PRIu64 ",\"esp_refused\":%" PRIu64
	    ",\"esp_no_route\":%" PRIu64 ",\"esp_spoofed\":%" PRIu64 "}\n",
	    pl->unknown_spi, pl->refused_in, pl->no_route, pl->spoofed);
}

/* An identity as JSON text without characters that need care. */
static void say_id(struct answer *a, const struct gw_id *id)
{
	for (size_t i = 0; i < id->len; i++) {
		uint8_t c = id->b[i];

		if (id->type == ID_FQDN || id->type == ID_RFC822_ADDR)
			say(a, "%c",
			    c < ' ' || c > '~' || strchr("\"\\", c) ? '?' : c);
		else
			say(a, "%02x", c);
	}
}

static void sessions(struct prog *p, struct answer *a)
{
	char v4[ADDR_STR_MAX], v6[ADDR_STR_MAX], at[ADDR_STR_MAX];
	struct gw_session_info s;
	char suite[128];

	say(a, "[");
	for (size_t i = 0; gw_session_info(p->gw, i, &s); i++) {
		say(a, "%s{\"id\":%u,\"peer\":\"", i > 0 ? ",\n " : "", s.id);
		say_id(a, &s.idi);
		say(a, "\",\"user\":\"%s\",\"inner_v4\":\"%s\"", s.user,
		    s.inner_v4.family == ADDR_NONE ? ""
						   : addr_str(&s.inner_v4, v4));
		say(a, ",\"inner_v6\":\"%s\",\"path\":\"%s\"",
		    s.inner_v6.family == ADDR_NONE ? ""
						   : addr_str(&s.inner_v6, v6),
		    addr_str_port(&s.path.remote, at));
		say(a, ",\"resumed\":%s,\"mobike\":%s,\"nat\":%s",
		    s.resumed ? "true" : "false", s.mobike ? "true" : "false",
		    s.nat ? "true" : "false");
		say(a,
		    ",\"ike_sas\":%zu,\"child_sas\":%zu,\"age_ms\":%" PRId64
		    ",\"spi_i\":\"%016" PRIx64 "\",\"spi_r\":\"%016" PRIx64
		    "\",\"suite\":\"%s\"}",
		    s.n_ikes, s.n_children, prog_now() - s.since_ms, s.spi_i,
		    s.spi_r, suite_str(&s.suite, suite, sizeof(suite)));
	}
	say(a, "]\n");
}

static void help(struct answer *a)
{
	say(a,
	    "set WORD on|off       a manner of --help; `reset`: all off\n"
	    "loss PCT              drop that share of datagrams\n"
	    "tickets KIND          value, reference or none\n"
	    "lifetime S            of tickets issued from now on\n"
	    "auth-lifetime S       until a new login is wanted; 0: never\n"
	    "redirect WHEN NAME    to another gateway: first, auth, live; off\n"
	    "groups WORDS|all      key exchange groups we take\n"
	    "rekey-ike [ID]        and rekey-child, delete-ike, delete-child,\n"
	    "                      alive, push: of one session or of all\n"
	    "roll-key              new key for tickets by value\n"
	    "forget                every SA, as after a crash\n"
	    "forget-tickets        keys, references and what was used\n"
	    "cut                   every TCP connection, with RST\n"
	    "stats                 counters as JSON\n"
	    "sessions              who is connected, as JSON\n"
	    "quit                  as SIGTERM\n");
}

/* --- commands ------------------------------------------------------------ */

typedef void session_command(struct gw *gw, uint32_t session, int64_t now_ms);

static const struct {
	const char *word;
	session_command *run;
} session_commands[] = {
	{"rekey-ike", gw_rekey_ike},   {"rekey-child", gw_rekey_child},
	{"delete-ike", gw_delete_ike}, {"delete-child", gw_delete_child},
	{"alive", gw_check_alive},     {"push", gw_push_ticket},
};

static bool run_session(struct prog *p, const char *word, const char *arg)
{
	size_t n = sizeof(session_commands) / sizeof(session_commands[0]);

	for (size_t i = 0; i < n; i++) {
		if (strcmp(word, session_commands[i].word) != 0)
			continue;
		session_commands[i].run(p->gw, (uint32_t)atoi(arg), prog_now());
		return true;
	}
	return false;
}

static bool set_tickets(struct prog *p, const char *arg)
{
	if (strcmp(arg, "value") == 0)
		gw_set_ticket_kind(p->gw, GW_TICKETS_VALUE);
	else if (strcmp(arg, "reference") == 0)
		gw_set_ticket_kind(p->gw, GW_TICKETS_REF);
	else if (strcmp(arg, "none") == 0)
		gw_set_ticket_kind(p->gw, GW_TICKETS_NONE);
	else
		return false;
	return true;
}

static bool set_redirect(struct prog *p, const char *when, const char *to)
{
	enum gw_redirect at = GW_REDIRECT_NEVER;

	if (strcmp(when, "first") == 0)
		at = GW_REDIRECT_FIRST;
	else if (strcmp(when, "auth") == 0)
		at = GW_REDIRECT_AUTH;
	else if (strcmp(when, "live") == 0)
		at = GW_REDIRECT_LIVE;
	if (at == GW_REDIRECT_NEVER)
		to = "nowhere";
	return to != NULL && gw_set_redirect(p->gw, at, to) == OK;
}

static bool run_plain(struct prog *p, const char *word, struct answer *a)
{
	if (strcmp(word, "help") == 0)
		help(a);
	else if (strcmp(word, "stats") == 0)
		stats(p, a);
	else if (strcmp(word, "sessions") == 0)
		sessions(p, a);
	else if (strcmp(word, "reset") == 0)
		memset(gw_switches(p->gw), 0, sizeof(struct gw_switches));
	else if (strcmp(word, "roll-key") == 0)
		gw_roll_key(p->gw);
	else if (strcmp(word, "forget") == 0)
		gw_forget_sas(p->gw);
	else if (strcmp(word, "cut") == 0)
		tcp_cut(p);
	else if (strcmp(word, "forget-tickets") == 0)
		gw_forget_tickets(p->gw);
	else if (strcmp(word, "quit") == 0)
		p->stop = true;
	else
		return false;
	return true;
}

static bool run(struct prog *p, char *line, struct answer *a)
{
	char *word = strtok(line, " \t\r\n");
	char *arg = strtok(NULL, " \t\r\n");
	char *rest = strtok(NULL, "\r\n");

	if (word == NULL)
		return true;
	if (run_plain(p, word, a) || run_session(p, word, arg ? arg : "0"))
		return true;
	if (arg == NULL)
		return false;
	if (strcmp(word, "set") == 0)
		return rest != NULL && gw_switch_set(gw_switches(p->gw), arg,
						     strcmp(rest, "on") == 0);
	if (strcmp(word, "tickets") == 0)
		return set_tickets(p, arg);
	if (strcmp(word, "redirect") == 0)
		return set_redirect(p, arg, rest);
	if (strcmp(word, "auth-lifetime") == 0)
		gw_set_auth_lifetime(p->gw, (uint32_t)strtoul(arg, NULL, 10),
				     prog_now());
	else if (strcmp(word, "loss") == 0)
		p->loss_pct = (unsigned)atoi(arg);
	else if (strcmp(word, "lifetime") == 0)
		gw_set_lifetime(p->gw, (uint32_t)strtoul(arg, NULL, 10));
	else if (strcmp(word, "groups") == 0)
		return gw_set_groups(p->gw,
				     strcmp(arg, "all") == 0 ? NULL : arg) ==
		       OK;
	else
		return false;
	return true;
}

/* --- the socket ---------------------------------------------------------- */

enum err control_open(struct prog *p, struct diag *diag)
{
	struct sockaddr_un sun;

	for (size_t i = 0; i < PROG_CONTROL_MAX; i++)
		p->control_clients[i] = -1;
	if (p->control_path == NULL)
		return OK;
	if (make_address(p->control_path, &sun) != OK)
		return diag_set(diag, ERR_USAGE, "%s: path too long",
				p->control_path);
	unlink(p->control_path);
	p->control_fd =
		socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (p->control_fd < 0 ||
	    bind(p->control_fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    listen(p->control_fd, PROG_CONTROL_MAX) < 0)
		return diag_sys(diag, ERR_SYS, "%s", p->control_path);
	return OK;
}

void control_accept(struct prog *p)
{
	int fd = accept4(p->control_fd, NULL, NULL, SOCK_CLOEXEC);

	for (size_t i = 0; i < PROG_CONTROL_MAX && fd >= 0; i++) {
		if (p->control_clients[i] >= 0)
			continue;
		p->control_clients[i] = fd;
		return;
	}
	if (fd >= 0)
		close(fd);
}

void control_read(struct prog *p, size_t n)
{
	struct answer a = {calloc(1, ANSWER_MAX), 0};
	char line[1024];
	ssize_t got = read(p->control_clients[n], line, sizeof(line) - 1);
	char *next, *end;

	if (got <= 0 || a.text == NULL) {
		close(p->control_clients[n]);
		p->control_clients[n] = -1;
		free(a.text);
		return;
	}
	line[got] = '\0';
	for (next = line; *next != '\0'; next = end) {
		end = next + strcspn(next, "\n");
		if (*end != '\0')
			*end++ = '\0';
		say(&a, "%s", run(p, next, &a) ? "ok\n" : "error\n");
		prog_pull(p);
	}
	for (size_t at = 0; at < a.len;) {
		ssize_t put = send(p->control_clients[n], a.text + at,
				   a.len - at, MSG_NOSIGNAL);

		if (put <= 0)
			break;
		at += (size_t)put;
	}
	free(a.text);
}

void control_close(struct prog *p)
{
	for (size_t i = 0; i < PROG_CONTROL_MAX; i++)
		if (p->control_clients[i] >= 0)
			close(p->control_clients[i]);
	if (p->control_fd < 0)
		return;
	close(p->control_fd);
	unlink(p->control_path);
}

/* --- the other end ------------------------------------------------------- */

static bool answer_ends(const char *buf, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && memcmp(buf + len - n, word, n) == 0 &&
	       (len == n || buf[len - n - 1] == '\n');
}

int control_tell(const char *path, int argc, char **argv)
{
	struct answer a = {calloc(1, ANSWER_MAX), 0};
	struct sockaddr_un sun;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc = 1;
	char line[1024] = "";
	ssize_t n;

	for (int i = 0; i < argc; i++) {
		strncat(line, argv[i], sizeof(line) - strlen(line) - 2);
		strncat(line, i + 1 < argc ? " " : "\n",
			sizeof(line) - strlen(line) - 1);
	}
	if (a.text == NULL || fd < 0 || make_address(path, &sun) != OK ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    send(fd, line, strlen(line), MSG_NOSIGNAL) < 0) {
		perror(path);
		goto out;
	}
	while ((n = read(fd, a.text + a.len, ANSWER_MAX - a.len)) > 0) {
		a.len += (size_t)n;
		if (answer_ends(a.text, a.len, "ok\n"))
			rc = 0;
		if (rc == 0 || answer_ends(a.text, a.len, "error\n"))
			break;
	}
	fwrite(a.text, 1, rc == 0 ? a.len - 3 : a.len, stdout);
out:
	if (fd >= 0)
		close(fd);
	free(a.text);
	return rc;
}
