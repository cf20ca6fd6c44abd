/* Shared by the files of the command line. */
#ifndef CLIENT_CLI_CLI_H
#define CLIENT_CLI_CLI_H

#include <jansson.h>
#include <stdio.h>

#include "client/run/tunnel.h"
#include "client/store/places.h"

/* What was asked for, and by whom. */
struct cli {
	const struct cli_verb *verb;
	bool background, once, json, verbose, rotate_key, follow, yes;
	const char *new_name;	   /* --name; or NULL */
	const char *password_file; /* or NULL */
	const char *arg;	   /* NAME or path as typed; or NULL */
	const char *arg2;
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
int cli_monitor(struct cli *cli);
int cli_log(struct cli *cli);
int cli_doctor(struct cli *cli);
int cli_import(struct cli *cli);
int cli_export(struct cli *cli);
int cli_profile(struct cli *cli);

/* "vpn-connect: LINE" on standard error; returns the exit code of e. */
int cli_fail(enum err e, const struct diag *diag);

/* prompt.c: reads a line from /dev/tty without echo. Ends with ERR_CANCELLED
 * when signal_fd (a signalfd) is readable; ERR_NEEDS_PERSON without a
 * terminal. gives *out (wipe). */
enum err ERR_MUST prompt_secret(const char *text, int signal_fd,
				struct secret *out, struct diag *diag);

/* The same where no signal is caught otherwise. */
enum err ERR_MUST prompt_secret_alone(const char *text, struct secret *out,
				      struct diag *diag);
/* A question to /dev/tty. ERR_CANCELLED: anything but yes; ERR_NEEDS_PERSON:
 * nobody is there. */
enum err ERR_MUST prompt_confirm(const char *text, struct diag *diag);
/* A text from elsewhere, control characters as '?'. */
void show_text(const char *text);

/* cmd_fetch.c: GET over https. gives *out (free), with a NUL behind it. */
enum err ERR_MUST fetch_https(const char *url, size_t max, uint8_t **out,
			      size_t *out_len, struct diag *diag);

/* background.c: the process that stays behind. In the parent this does not
 * return: it ends with the child's first exit code. *out_fd: for
 * background_detach. */
enum err ERR_MUST background_fork(int *out_fd, struct diag *diag);
/* Off the terminal, output to the file, and the parent may end with 0. */
void background_detach(int *fd, const char *log_path);
/* The user's service of this profile does not run; should its manager be
 * about to start it again, it does not. */
void background_give_up(const char *name);

/* tickets.c: the cache on the disk, for verbs.c. */
/* gives *out (free), with the tickets of name, or of all with NULL. */
enum err ERR_MUST tickets_read(const struct cli *cli, const char *name,
			       struct ticket_info **out, size_t *out_n,
			       struct diag *diag);
/* *out_had: there was one. Needs no key. */
enum err ERR_MUST ticket_forget(const struct cli *cli, bool *out_had,
				struct diag *diag);
/* verbs.c: one question to the running tunnel of that name; gives *out. */
enum err ERR_MUST running_ask(const struct cli *cli, const char *name,
			      const char *method, json_t **out,
			      struct diag *diag);
/* Takes o. */
void json_print(json_t *o);

/* Of an object: "" and 0 where it is not there. */
const char *object_text(const json_t *o, const char *key);
long long object_number(const json_t *o, const char *key);

/* show.c: for people. The object is what --json prints. */
struct show {
	FILE *out;
	bool colour;
	size_t width; /* columns of a line, 40 at least */
};
/* Colour for a terminal, unless NO_COLOR is set or TERM says dumb. */
struct show show_open(FILE *out);
enum show_tone { TONE_GOOD, TONE_WARN, TONE_BAD, TONE_STRONG };
/* A word in that tone. */
void show_word(const struct show *show, enum show_tone tone, const char *word);
/* "  label      text", the text wrapped. */
void show_row(const struct show *show, const char *label, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void show_status(const struct show *show, const json_t *status);
void show_tickets(const struct ticket_info *tickets, size_t n);
/* "12.3 MB" */
const char *show_size(double octets, char buf[32]);
/* "2 h 5 min"; buf of at least 32. */
const char *show_duration(int64_t s, char *buf, size_t cap);

#endif
