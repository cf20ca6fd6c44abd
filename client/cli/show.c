/* Objects to lines for people. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/store/key.h"

#define LABEL_LEN  14 /* with what is around it */
#define WIDTH_MIN  40
#define WIDTH_MAX  100
#define WIDTH_FILE 80

/* --- the page ------------------------------------------------------------- */

static bool colour_wanted(int fd)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	return isatty(fd) && !(no && no[0]) && term &&
	       strcmp(term, "dumb") != 0;
}

struct show show_open(FILE *out)
{
	struct show show = {.out = out, .width = WIDTH_FILE};
	struct winsize size;
	int fd = fileno(out);

	show.colour = colour_wanted(fd);
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		show.width = size.ws_col;
	if (show.width < WIDTH_MIN)
		show.width = WIDTH_MIN;
	if (show.width > WIDTH_MAX)
		show.width = WIDTH_MAX;
	return show;
}

void show_word(const struct show *show, enum show_tone tone, const char *word)
{
	static const char *const codes[] = {[TONE_GOOD] = "32",
					    [TONE_WARN] = "33",
					    [TONE_BAD] = "31",
					    [TONE_STRONG] = "1"};

	if (show->colour)
		fprintf(show->out, "\033[%sm%s\033[0m", codes[tone], word);
	else
		fputs(word, show->out);
}

/* Columns of the first len octets: what continues a character has none. */
static size_t columns(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

/* Octets of text that fit into room columns, at best up to a space. */
static size_t line_fit(const char *text, size_t room)
{
	size_t len = 0, space = 0;

	while (text[len] && columns(text, len + 1) <= room) {
		len++;
		while (((unsigned char)text[len] & 0xc0) == 0x80)
			len++;
		if (text[len] == ' ')
			space = len;
	}
	return text[len] == '\0' || space == 0 ? len : space;
}

static void text_wrap(const struct show *show, const char *text)
{
	size_t room = show->width - LABEL_LEN;

	for (;;) {
		size_t len = line_fit(text, room);

		fprintf(show->out, "%.*s\n", (int)len, text);
		text += len;
		text += strspn(text, " ");
		if (*text == '\0')
			return;
		fprintf(show->out, "%*s", LABEL_LEN, "");
	}
}

void show_row(const struct show *show, const char *label, const char *fmt, ...)
{
	char text[1600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	fprintf(show->out, "  %-*s", LABEL_LEN - 2, label);
	text_wrap(show, text);
}

void show_text(const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		putchar((c < ' ' && c != '\n' && c != '\t') || c == 0x7f ? '?'
									 : c);
	}
}

/* --- values --------------------------------------------------------------- */

const char *object_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

long long object_number(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}

const char *show_duration(int64_t s, char *buf, size_t cap)
{
	static const struct {
		int64_t s, lower_s;
		const char *unit, *lower_unit;
	} steps[] = {{86400, 3600, "d", "h"}, {3600, 60, "h", "min"}};

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (s < steps[i].s)
			continue;
		snprintf(buf, cap, "%lld %s %lld %s",
			 (long long)(s / steps[i].s), steps[i].unit,
			 (long long)(s % steps[i].s / steps[i].lower_s),
			 steps[i].lower_unit);
		return buf;
	}
	if (s >= 60)
		snprintf(buf, cap, "%lld min", (long long)(s / 60));
	else
		snprintf(buf, cap, "%lld s", (long long)s);
	return buf;
}

const char *show_size(double octets, char buf[32])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
	size_t unit = 0;

	while (octets >= 1000 && unit < 4) {
		octets /= 1000;
		unit++;
	}
	snprintf(buf, 32, unit == 0 ? "%.0f %s" : "%.1f %s", octets,
		 units[unit]);
	return buf;
}

/* "a, b, c" */
static const char *texts_join(const json_t *list, char *buf, size_t cap)
{
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < json_array_size(list) && used < cap; i++)
		used += (size_t)snprintf(
			buf + used, cap - used, "%s%s", i > 0 ? ", " : "",
			json_string_value(json_array_get(list, i)));
	return buf;
}

/* --- a tunnel ------------------------------------------------------------- */

static enum show_tone state_tone(const json_t *o)
{
	const char *state = object_text(o, "state");

	if (strcmp(state, session_state_text(SES_ST_UP)) == 0)
		return TONE_GOOD;
	if (strcmp(state, session_state_text(SES_ST_CLOSED)) == 0)
		return TONE_BAD;
	return TONE_WARN;
}

static void show_headline(const struct show *show, const json_t *o)
{
	time_t since = (time_t)object_number(o, "since");
	char when[32], span[32];
	struct tm tm;

	show_word(show, TONE_STRONG, object_text(o, "name"));
	fputs(": ", show->out);
	show_word(show, state_tone(o), object_text(o, "state"));
	if (since != 0 && localtime_r(&since, &tm)) {
		strftime(when, sizeof(when), "%F %T", &tm);
		fprintf(show->out, " since %s (%s)", when,
			show_duration(time(NULL) - since, span, sizeof(span)));
	}
	fputc('\n', show->out);
}

static void show_connection(const struct show *show, const json_t *o)
{
	const json_t *inner = json_object_get(o, "inner");
	const json_t *dns = json_object_get(o, "dns");
	bool both = object_text(inner, "v4")[0] && object_text(inner, "v6")[0];
	char names[300];

	show_row(show, "how",
		 "%s: %lld round trips, %lld ms, %lld prompts (%lld packets, "
		 "%lld octets, CPU %.1f ms)",
		 object_text(o, "how"), object_number(o, "round_trips"),
		 object_number(o, "connect_ms"), object_number(o, "prompts"),
		 object_number(o, "packets"), object_number(o, "octets"),
		 (double)object_number(o, "cpu_us") / 1000);
	show_row(show, "inside", "%s%s%s on %s%s%s", object_text(inner, "v4"),
		 both ? ", " : "", object_text(inner, "v6"),
		 object_text(o, "interface"),
		 json_array_size(dns) > 0 ? ", DNS " : "",
		 texts_join(dns, names, sizeof(names)));
	show_row(show, "algorithms", "IKE %s, ESP %s by %s",
		 object_text(o, "ike"), object_text(o, "esp"),
		 object_text(json_object_get(o, "dataplane"), "cipher"));
}

static void show_traffic(const struct show *show, const json_t *o)
{
	char in[32], out[32];

	show_row(show, "traffic", "in %s (%lld packets), out %s (%lld packets)",
		 show_size((double)object_number(o, "bytes_in"), in),
		 object_number(o, "packets_in"),
		 show_size((double)object_number(o, "bytes_out"), out),
		 object_number(o, "packets_out"));
}

static void show_ticket(const struct show *show, const json_t *o)
{
	const json_t *ticket = json_object_get(o, "ticket");
	char span[32];

	if (!json_is_object(ticket))
		show_row(show, "ticket", "none");
	else
		show_row(show, "ticket", "%s left, %lld octets, renewals: %lld",
			 show_duration(object_number(ticket, "remaining_s"),
				       span, sizeof(span)),
			 object_number(ticket, "size"),
			 object_number(ticket, "renewed"));
	if (json_is_true(json_object_get(o, "renewal_stopped")))
		show_row(show, "renewal",
			 "the gateway gives no other ticket: once this one has "
			 "expired, the next connect is a full one");
	else if (json_is_integer(json_object_get(o, "next_renewal_s")))
		show_row(show, "renewal", "in %s",
			 show_duration(object_number(o, "next_renewal_s"), span,
				       sizeof(span)));
}

void show_status(const struct show *show, const json_t *o)
{
	bool runs = json_object_get(o, "pid") != NULL;

	show_headline(show, o);
	if (object_text(o, "sign_in")[0])
		show_row(show, "sign in at", "%s", object_text(o, "sign_in"));
	if (runs) {
		if (object_text(o, "local_address")[0])
			show_row(show, "gateway", "%s (%s) from %s%s",
				 object_text(o, "gateway"),
				 object_text(o, "gateway_address"),
				 object_text(o, "local_address"),
				 strcmp(object_text(o, "transport"), "tcp") == 0
					 ? " over TCP"
					 : "");
		else
			show_row(show, "gateway", "%s",
				 object_text(o, "gateway"));
		show_row(show, "identity", "%s", object_text(o, "identity"));
	}
	if (object_text(o, "how")[0])
		show_connection(show, o);
	if (runs)
		show_traffic(show, o);
	show_ticket(show, o);
	if (object_number(o, "reconnects") > 0)
		show_row(show, "reconnects", "%lld",
			 object_number(o, "reconnects"));
	if (object_text(o, "last_error")[0])
		show_row(show, "last error", "%s",
			 object_text(o, "last_error"));
}

static void wider(int *width, const char *text)
{
	if ((int)strlen(text) > *width)
		*width = (int)strlen(text);
}

/* Columns as wide as what stands in them: most fit a terminal so. */
void show_tickets(const struct ticket_info *tickets, size_t n)
{
	int profile = strlen("PROFILE"), gateway = strlen("GATEWAY"),
	    identity = strlen("IDENTITY");
	char span[32];

	if (n == 0) {
		puts("no tickets");
		return;
	}
	for (size_t i = 0; i < n; i++) {
		wider(&profile, tickets[i].profile);
		wider(&gateway, tickets[i].gateway);
		wider(&identity, tickets[i].identity);
	}
	printf("%-*s  %-*s  %-*s  %11s %6s %7s %s\n", profile, "PROFILE",
	       gateway, "GATEWAY", identity, "IDENTITY", "LEFT", "OCTETS",
	       "RENEWED", "KEY");
	for (size_t i = 0; i < n; i++)
		printf("%-*s  %-*s  %-*s  %11s %6zu %7u %s\n", profile,
		       tickets[i].profile, gateway, tickets[i].gateway,
		       identity, tickets[i].identity,
		       tickets[i].remaining_s > 0
			       ? show_duration(tickets[i].remaining_s, span,
					       sizeof(span))
			       : "expired",
		       tickets[i].size, tickets[i].renewed,
		       key_backend_name(tickets[i].key));
}
