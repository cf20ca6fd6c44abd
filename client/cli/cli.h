/* Shared by the files of the command line. */
#ifndef CLIENT_CLI_CLI_H
#define CLIENT_CLI_CLI_H

#include "client/run/tunnel.h"
#include "client/store/places.h"

/* What was asked for, and by whom. */
struct cli {
	const struct cli_verb *verb;
	bool background, once, json, verbose, rotate_key;
	const char *arg;	     /* NAME or path as typed; or NULL */
	char name[PROFILE_NAME_MAX]; /* of it; or "" */
	struct places places;
	struct net *net; /* started as root, for `up`; or NULL */
};

/* Each returns the exit code. */
int cli_up(struct cli *cli);
int cli_down(struct cli *cli);
int cli_suspend(struct cli *cli);
int cli_status(struct cli *cli);
int cli_tickets(struct cli *cli);
int cli_forget(struct cli *cli);

/* "vpn-connect: LINE" on standard error; returns the exit code of e. */
int cli_fail(enum err e, const struct diag *diag);

/* prompt.c: reads a line from /dev/tty without echo. Ends with ERR_CANCELLED
 * when signal_fd (a signalfd) is readable; ERR_NEEDS_PERSON without a
 * terminal. gives *out (wipe). */
enum err ERR_MUST prompt_secret(const char *text, int signal_fd,
				struct secret *out, struct diag *diag);

/* background.c: the process that stays behind. In the parent this does not
 * return: it ends with the child's first exit code. *out_fd: for
 * background_detach. */
enum err ERR_MUST background_fork(int *out_fd, struct diag *diag);
/* Off the terminal, output to the file, and the parent may end with 0. */
void background_detach(int *fd, const char *log_path);

/* show.c: for people. The object is what --json prints. */
struct json_t;
void show_status(const struct json_t *status);
void show_tickets(const struct ticket_info *tickets, size_t n);
/* "2 h 5 min"; buf of at least 32. */
const char *show_duration(int64_t s, char *buf, size_t cap);

#endif
