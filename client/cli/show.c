/* Objects to lines for people. */
#include "config.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/cli/cli.h"
#include "client/store/key.h"

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static long long number(const json_t *o, const char *key)
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

static const char *size_text(double octets, char buf[32])
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

static void row(const char *label)
{
	printf("  %-11s", label);
}

/* "a, b, c" */
static void texts_print(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		printf("%s%s", i > 0 ? ", " : "",
		       json_string_value(json_array_get(list, i)));
}

static void show_since(const json_t *o)
{
	time_t since = (time_t)number(o, "since");
	char when[32], span[32];
	struct tm tm;

	if (since == 0 || !localtime_r(&since, &tm))
		return;
	strftime(when, sizeof(when), "%F %T", &tm);
	printf(" since %s (%s)", when,
	       show_duration(time(NULL) - since, span, sizeof(span)));
}

static void show_connection(const json_t *o)
{
	const json_t *inner = json_object_get(o, "inner");
	const json_t *dns = json_object_get(o, "dns");

	row("how");
	printf("%s: %lld round trips, %lld packets, %lld octets, %lld ms, "
	       "CPU %.1f ms\n",
	       text(o, "how"), number(o, "round_trips"), number(o, "packets"),
	       number(o, "octets"), number(o, "connect_ms"),
	       (double)number(o, "cpu_us") / 1000);
	row("prompts");
	printf("%lld\n", number(o, "prompts"));
	row("inside");
	printf("%s%s%s on %s", text(inner, "v4"),
	       text(inner, "v4")[0] && text(inner, "v6")[0] ? ", " : "",
	       text(inner, "v6"), text(o, "interface"));
	if (json_array_size(dns) > 0) {
		printf(", DNS ");
		texts_print(dns);
	}
	putchar('\n');
	row("algorithms");
	printf("IKE %s, ESP %s\n", text(o, "ike"), text(o, "esp"));
}

static void show_traffic(const json_t *o)
{
	char in[32], out[32];

	row("traffic");
	printf("in %s (%lld packets), out %s (%lld packets)\n",
	       size_text((double)number(o, "bytes_in"), in),
	       number(o, "packets_in"),
	       size_text((double)number(o, "bytes_out"), out),
	       number(o, "packets_out"));
}

static void show_ticket(const json_t *o)
{
	const json_t *ticket = json_object_get(o, "ticket");
	char span[32];

	row("ticket");
	if (!json_is_object(ticket))
		puts("none");
	else
		printf("%s left, %lld octets, %s%lld\n",
		       show_duration(number(ticket, "remaining_s"), span,
				     sizeof(span)),
		       number(ticket, "size"),
		       "renewals: ", number(ticket, "renewed"));
	if (json_is_true(json_object_get(o, "renewal_stopped"))) {
		row("renewal");
		puts("the gateway gives no other ticket: once this one has "
		     "expired, the next connect is a full one");
	} else if (json_is_integer(json_object_get(o, "next_renewal_s"))) {
		row("renewal");
		printf("in %s\n", show_duration(number(o, "next_renewal_s"),
						span, sizeof(span)));
	}
}

void show_status(const json_t *o)
{
	bool runs = json_object_get(o, "pid") != NULL;

	printf("%s: %s", text(o, "name"), text(o, "state"));
	show_since(o);
	putchar('\n');
	if (runs) {
		row("gateway");
		printf("%s (%s) from %s\n", text(o, "gateway"),
		       text(o, "gateway_address"), text(o, "local_address"));
		row("identity");
		puts(text(o, "identity"));
	}
	if (text(o, "how")[0])
		show_connection(o);
	if (runs)
		show_traffic(o);
	show_ticket(o);
	if (number(o, "reconnects") > 0) {
		row("reconnects");
		printf("%lld\n", number(o, "reconnects"));
	}
	if (text(o, "last_error")[0]) {
		row("last error");
		puts(text(o, "last_error"));
	}
}

void show_tickets(const struct ticket_info *tickets, size_t n)
{
	char span[32];

	if (n == 0) {
		puts("no tickets");
		return;
	}
	printf("%-16s %-24s %-24s %12s %7s %8s %s\n", "PROFILE", "GATEWAY",
	       "IDENTITY", "LEFT", "OCTETS", "RENEWED", "KEY");
	for (size_t i = 0; i < n; i++)
		printf("%-16s %-24s %-24s %12s %7zu %8u %s\n",
		       tickets[i].profile, tickets[i].gateway,
		       tickets[i].identity,
		       tickets[i].remaining_s > 0
			       ? show_duration(tickets[i].remaining_s, span,
					       sizeof(span))
			       : "expired",
		       tickets[i].size, tickets[i].renewed,
		       key_backend_name(tickets[i].key));
}
