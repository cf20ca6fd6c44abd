/* The ticket cache, as far as people look at it. */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/store/key.h"

#define TICKETS_MAX 256

/* NULL in *out where nothing was ever stored: looking must not make one. */
static enum err cache_open(const struct cli *cli, struct ticket_cache **out,
			   struct diag *diag)
{
	enum err e;

	*out = NULL;
	if (access(cli->places.state, F_OK) < 0)
		return OK;
	e = crypto_open(diag);
	return e ? e : ticket_cache_open(cli->places.state, out, diag);
}

enum err tickets_read(const struct cli *cli, const char *name,
		      struct ticket_info **out, size_t *out_n,
		      struct diag *diag)
{
	struct ticket_cache *cache;
	struct ticket_info *all;
	size_t n = 0, kept = 0;
	enum err e;

	*out = NULL;
	*out_n = 0;
	e = cache_open(cli, &cache, diag);
	if (e || !cache)
		return e;
	all = calloc(TICKETS_MAX, sizeof(*all));
	e = all ? ticket_cache_list(cache, os_now(), all, TICKETS_MAX, &n)
		: ERR_NO_MEMORY;
	ticket_cache_close(&cache);
	for (size_t i = 0; i < n; i++)
		if (!name || strcmp(all[i].profile, name) == 0)
			all[kept++] = all[i];
	*out = all;
	*out_n = kept;
	return e;
}

enum err ticket_forget(const struct cli *cli, bool *out_had, struct diag *diag)
{
	enum err e;

	*out_had = false;
	if (access(cli->places.state, F_OK) < 0)
		return OK;
	e = crypto_open(diag);
	return e ? e
		 : ticket_cache_delete(cli->places.state, cli->name, out_had,
				       diag);
}

static json_t *tickets_json(const struct ticket_info *info, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(
			list,
			json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:s}",
				  "profile", info[i].profile, "gateway",
				  info[i].gateway, "identity", info[i].identity,
				  "age_s", (json_int_t)info[i].age_s,
				  "remaining_s",
				  (json_int_t)info[i].remaining_s, "size",
				  (json_int_t)info[i].size, "renewed",
				  (json_int_t)info[i].renewed, "key",
				  key_backend_name(info[i].key)));
	return list;
}

static enum err key_rotate(const struct cli *cli, struct diag *diag)
{
	struct ticket_cache *cache;
	enum err e = cache_open(cli, &cache, diag);

	if (e || !cache)
		return e;
	e = ticket_cache_rotate(cache, diag);
	ticket_cache_close(&cache);
	return e;
}

int cli_tickets(struct cli *cli)
{
	struct ticket_info *info = NULL;
	struct diag diag = DIAG_INIT;
	size_t n = 0;
	enum err e = cli->rotate_key ? key_rotate(cli, &diag) : OK;

	/* Rotated: the list says what they are under now. */
	if (!e)
		e = tickets_read(cli, NULL, &info, &n, &diag);
	if (e)
		cli_fail(e, &diag);
	else if (cli->json)
		json_print(tickets_json(info, n));
	else
		show_tickets(info, n);
	free(info);
	return err_exit_code(e);
}
