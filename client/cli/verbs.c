/* Everything but up: asks a running tunnel, or looks at the disk. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/run/control.h"
#include "client/run/status.h"
#include "client/store/key.h"

#define STATUS_TIMEOUT_MS 5000
/* A gateway that does not answer is waited for, for a while. */
#define END_TIMEOUT_MS 20000
#define TUNNELS_MAX    32
#define TICKETS_MAX    256

static enum err ask(const struct cli *cli, const char *name, const char *method,
		    json_t **out, struct diag *diag)
{
	bool is_status = strcmp(method, "Status") == 0;
	struct control_call call = {
		.place = {cli->places.run, name},
		.method = method,
		.timeout_ms = is_status ? STATUS_TIMEOUT_MS : END_TIMEOUT_MS,
		.until_end = !is_status,
	};

	return control_ask(&call, out, diag);
}

static void json_print(json_t *o)
{
	if (json_dumpf(o, stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	json_decref(o);
}

/* --- the cache -------------------------------------------------------------
 */

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

/* gives *out (free), with the tickets of name, or of all with NULL. */
static enum err tickets_read(const struct cli *cli, const char *name,
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

/* True when there was one. */
static enum err ticket_forget(const struct cli *cli, bool *out_had,
			      struct diag *diag)
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

int cli_forget(struct cli *cli)
{
	struct diag diag = DIAG_INIT;
	bool had;
	enum err e = ticket_forget(cli, &had, &diag);

	if (e)
		return cli_fail(e, &diag);
	printf(had ? "the ticket of %s is forgotten\n" : "%s has no ticket\n",
	       cli->name);
	return 0;
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

/* --- a running tunnel -------------------------------------------------------
 */

int cli_down(struct cli *cli)
{
	struct diag diag = DIAG_INIT, cache_diag = DIAG_INIT;
	json_t *reply = NULL;
	bool had;
	enum err e, forgotten;

	e = ask(cli, cli->name, "Down", &reply, &diag);
	json_decref(reply);
	if (e && e != ERR_NOT_RUNNING)
		return cli_fail(e, &diag);
	/* Logged out means that no ticket is left, whoever should have
	 * deleted it. */
	forgotten = ticket_forget(cli, &had, &cache_diag);
	if (forgotten)
		return cli_fail(forgotten, &cache_diag);
	if (!e)
		printf("%s is disconnected, its ticket forgotten\n", cli->name);
	else if (had)
		printf("%s was not running, its ticket is forgotten\n",
		       cli->name);
	else
		return cli_fail(e, &diag);
	return 0;
}

int cli_suspend(struct cli *cli)
{
	struct diag diag = DIAG_INIT;
	json_t *reply = NULL;
	enum err e = ask(cli, cli->name, "Suspend", &reply, &diag);

	json_decref(reply);
	if (e)
		return cli_fail(e, &diag);
	printf("%s is suspended\n", cli->name);
	return 0;
}

static int status_of_one(struct cli *cli)
{
	struct ticket_info *info = NULL;
	struct diag diag = DIAG_INIT;
	json_t *status = NULL;
	size_t n = 0;
	enum err e = ask(cli, cli->name, "Status", &status, &diag);

	if (e && e != ERR_NOT_RUNNING)
		return cli_fail(e, &diag);
	if (e) {
		/* Without a readable cache there is no ticket to speak of. */
		if (tickets_read(cli, cli->name, &info, &n, NULL))
			n = 0;
		status = status_of_none(cli->name, n > 0 ? &info[0] : NULL);
		free(info);
	}
	if (cli->json)
		json_print(json_incref(status));
	else
		show_status(status);
	json_decref(status);
	return err_exit_code(e);
}

int cli_status(struct cli *cli)
{
	char names[TUNNELS_MAX][PROFILE_NAME_MAX];
	json_t *all = json_array();
	struct diag diag;
	json_t *status;
	size_t n;

	if (cli->arg) {
		json_decref(all);
		return status_of_one(cli);
	}
	n = control_list(cli->places.run, names, TUNNELS_MAX);
	for (size_t i = 0; i < n; i++) {
		diag_clear(&diag);
		/* The socket of one that died is not worth a word. */
		if (ask(cli, names[i], "Status", &status, &diag) == OK)
			json_array_append_new(all, status);
	}
	if (cli->json) {
		json_print(all);
		return 0;
	}
	if (json_array_size(all) == 0)
		puts("no tunnel is running");
	for (size_t i = 0; i < json_array_size(all); i++)
		show_status(json_array_get(all, i));
	json_decref(all);
	return 0;
}
