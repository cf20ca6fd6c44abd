/* The ticket cache by hand, for tests/interop/keystore:
 *
 *   keyprobe DIR BACKEND put|take NAME      as a tunnel of profile NAME
 *   keyprobe DIR list | rotate
 *
 * One line of what happened on standard output; exit code of the error.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "client/session/profile_value.h"
#include "client/store/cache.h"
#include "client/store/key.h"
#include "platform/base/log.h"

#define LIFE_S 3600

static struct diag diag;
static uint8_t opaque[] = "a ticket for tests/interop/keystore";

static void log_print(enum log_level level, const char *text, void *ctx)
{
	printf("log: %s\n", text);
}

static int fail(enum err e)
{
	printf("%s: %s\n", err_name(e), diag_text(&diag, e));
	return err_exit_code(e);
}

static enum err profile_make(const char *name, const char *backend,
			     struct profile *out)
{
	char text[300];

	snprintf(text, sizeof(text),
		 "[gateway]\naddress=gw.example.org\n[identity]\nauth=psk\n"
		 "id=alice@example.org\n[resumption]\nkey=%s\n",
		 backend);
	return profile_parse(name, text, out, &diag);
}

static enum err put(struct ticket_cache *c, const struct profile *p)
{
	struct os_time now = os_now();
	struct ticket_entry e = {
		.ticket.opaque = BYTES_OF(opaque),
		.ticket.lifetime_s = LIFE_S,
		.ticket.sk_d.len = 32,
		.ticket.suite = {.cipher = {ENCR_AES_GCM_16, 256, INTEG_NONE},
				 .prf = PRF_HMAC_SHA2_256,
				 .ke = KE_X25519},
		.stored_wall_ms = now.wall_ms,
		.stored_boot_ms = now.boot_ms,
		.expires_wall_ms = now.wall_ms + LIFE_S * 1000,
	};

	return ticket_cache_put(c, p, &e, &diag);
}

static enum err take(struct ticket_cache *c, const struct profile *p)
{
	struct ticket_entry e;
	enum err err = ticket_cache_take(c, p, os_now(), &e, &diag);

	if (!err && !bytes_eq(e.ticket.opaque, BYTES_OF(opaque)))
		err = ERR_INTERNAL;
	ticket_entry_wipe(&e);
	return err;
}

static int tunnel(char **argv)
{
	struct ticket_cache *c;
	struct profile p;
	enum err e = profile_make(argv[4], argv[2], &p);

	if (!e)
		e = ticket_cache_open_for(argv[1], &p, &c, &diag);
	if (e)
		return fail(e);
	e = strcmp(argv[3], "put") == 0 ? put(c, &p) : take(c, &p);
	ticket_cache_close(&c);
	if (e)
		return fail(e);
	printf("%s %s\n", argv[3], argv[4]);
	return 0;
}

static int look(const char *dir, const char *verb)
{
	struct ticket_info info[16];
	struct ticket_cache *c;
	size_t n = 0;
	enum err e = ticket_cache_open(dir, &c, &diag);

	if (e)
		return fail(e);
	e = strcmp(verb, "list") == 0
		    ? ticket_cache_list(c, os_now(), info, 16, &n)
		    : ticket_cache_rotate(c, &diag);
	ticket_cache_close(&c);
	if (e)
		return fail(e);
	printf("%s %zu", verb, n);
	for (size_t i = 0; i < n; i++)
		printf(" %s=%s", info[i].profile,
		       key_backend_name(info[i].key));
	printf("\n");
	return 0;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int code = 2;

	log_open(log_print, NULL, LOG_INFO);
	if (crypto_open(&diag))
		return 1;
	if (argc == 5)
		code = tunnel(argv);
	else if (argc == 3)
		code = look(argv[1], argv[2]);
	getrusage(RUSAGE_SELF, &usage);
	printf("self %ld kB %ld us\n", usage.ru_maxrss,
	       usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
	return code;
}
