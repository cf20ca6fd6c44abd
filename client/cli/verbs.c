/* Everything but up: asks a running tunnel, or looks at the disk. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/run/control.h"
#include "client/run/status.h"

#define ASK_TIMEOUT_MS 5000
/* A gateway that does not answer is waited for, for a while. */
#define END_TIMEOUT_MS 20000
#define TUNNELS_MAX    32

enum err running_ask(const struct cli *cli, const char *name,
		     const char *method, json_t **out, struct diag *diag)
{
	bool ends =
		strcmp(method, "Down") == 0 || strcmp(method, "Suspend") == 0;
	struct control_call call = {
		.place = {cli->places.run, name},
		.method = method,
		.timeout_ms = ends ? END_TIMEOUT_MS : ASK_TIMEOUT_MS,
		.until_end = ends,
	};

	return control_ask(&call, out, diag);
}

/* What it answers beside yes or no is of no interest. */
static enum err running_tell(const struct cli *cli, const char *method,
			     struct diag *diag)
{
	json_t *reply = NULL;
	enum err e = running_ask(cli, cli->name, method, &reply, diag);

	json_decref(reply);
	return e;
}

void json_print(json_t *o)
{
	if (json_dumpf(o, stdout, JSON_INDENT(2)) == 0)
		putchar('\n');
	json_decref(o);
}

/* --- a running tunnel -------------------------------------------------------
 */

int cli_down(struct cli *cli)
{
	struct diag diag = DIAG_INIT, cache_diag = DIAG_INIT;
	bool had;
	enum err e, forgotten;

	e = running_tell(cli, "Down", &diag);
	if (e && e != ERR_NOT_RUNNING)
		return cli_fail(e, &diag);
	if (e)
		background_give_up(cli->name);
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
	enum err e = running_tell(cli, "Suspend", &diag);

	if (e == ERR_NOT_RUNNING)
		background_give_up(cli->name);
	if (e)
		return cli_fail(e, &diag);
	printf("%s is suspended\n", cli->name);
	return 0;
}

/* A running tunnel would put back what it has in hand: it is told first. */
int cli_forget(struct cli *cli)
{
	struct diag diag = DIAG_INIT, cache_diag = DIAG_INIT;
	bool had;
	enum err e, forgotten;

	e = running_tell(cli, "ForgetTicket", &diag);
	if (e && e != ERR_NOT_RUNNING)
		return cli_fail(e, &diag);
	forgotten = ticket_forget(cli, &had, &cache_diag);
	if (forgotten)
		return cli_fail(forgotten, &cache_diag);
	printf(!e || had ? "the ticket of %s is forgotten\n"
			 : "%s has no ticket\n",
	       cli->name);
	return 0;
}

static int status_of_one(struct cli *cli)
{
	struct ticket_info *info = NULL;
	struct diag diag = DIAG_INIT;
	struct show show = show_open(stdout);
	json_t *status = NULL;
	size_t n = 0;
	enum err e = running_ask(cli, cli->name, "Status", &status, &diag);

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
		show_status(&show, status);
	json_decref(status);
	return err_exit_code(e);
}

int cli_status(struct cli *cli)
{
	char names[TUNNELS_MAX][PROFILE_NAME_MAX];
	struct show show = show_open(stdout);
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
		if (running_ask(cli, names[i], "Status", &status, &diag) == OK)
			json_array_append_new(all, status);
	}
	if (cli->json) {
		json_print(all);
		return 0;
	}
	if (json_array_size(all) == 0)
		puts("no tunnel is running");
	for (size_t i = 0; i < json_array_size(all); i++)
		show_status(&show, json_array_get(all, i));
	json_decref(all);
	return 0;
}
