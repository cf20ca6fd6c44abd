/* vpn-connect profile: new (a few questions) and list. */
#include "config.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/store/profile_file.h"

#define PROFILES_MAX 256
#define ANSWER_MAX   (PROFILE_PATH_MAX + 64)

/* Kinds of login a question is for; bits. */
#define FOR_PASSWORD	1
#define FOR_CERTIFICATE 2
#define FOR_PSK		4
#define FOR_ALL		7

static const struct question {
	const char *section, *key, *text;
	const char *hint; /* what an empty answer means; NULL: not allowed */
	unsigned login;
	bool is_file;
} questions[] = {
	{"gateway", "address", "Gateway (name or address)", NULL, FOR_ALL,
	 false},
	{"identity", "id", "Your identity (e.g. alice@example.org)", NULL,
	 FOR_ALL, false},
	{"identity", "user", "User name, where it is another one",
	 "the identity", FOR_PASSWORD, false},
	{"identity", "certificate", "File with your certificate", NULL,
	 FOR_CERTIFICATE, true},
	{"identity", "private-key", "File with its private key", NULL,
	 FOR_CERTIFICATE, true},
	{"identity", "password-file", "File with the password",
	 "it is asked for", FOR_PASSWORD | FOR_PSK, true},
	{"gateway", "ca", "File with the CA of the gateway", "the system's",
	 FOR_PASSWORD | FOR_CERTIFICATE, true},
	{"gateway", "id", "Identity of the gateway", "its address", FOR_ALL,
	 false},
	{"tunnel", "networks", "Networks behind it (e.g. 10.0.0.0/8)",
	 "everything", FOR_ALL, false},
};
#define QUESTIONS (sizeof(questions) / sizeof(questions[0]))

static const struct login {
	const char *word, *auth;
	unsigned bit;
} logins[] = {{"password", "eap-mschapv2", FOR_PASSWORD},
	      {"certificate", "certificate", FOR_CERTIFICATE},
	      {"eap-tls", "eap-tls", FOR_CERTIFICATE},
	      {"psk", "psk", FOR_PSK}};

struct interview {
	const struct login *login;
	char answers[QUESTIONS][ANSWER_MAX];
};

/* False at the end of the input. */
static bool line_ask(const char *text, const char *hint, char out[ANSWER_MAX])
{
	size_t len;

	printf("%s%s%s%s: ", text, hint ? " [" : "", hint ? hint : "",
	       hint ? "]" : "");
	fflush(stdout);
	if (!fgets(out, ANSWER_MAX, stdin))
		return false;
	len = strlen(out);
	while (len > 0 && strchr(" \t\r\n", out[len - 1]))
		out[--len] = '\0';
	memmove(out, out + strspn(out, " \t"), len + 1 - strspn(out, " \t"));
	return true;
}

/* By the parser that will read it later: what it says of this one line. */
static bool value_is_good(const struct question *q, const char *value)
{
	static const char where[] = "new.conf:2: ";
	struct profile *profile = malloc(sizeof(*profile));
	struct diag diag = DIAG_INIT;
	char text[ANSWER_MAX + 100];
	const char *what;

	snprintf(text, sizeof(text), "[%s]\n%s = %s\n", q->section, q->key,
		 value);
	/* It lacks the rest; only the line counts. */
	if (!profile || profile_parse("new", text, profile, &diag) == OK)
		diag_clear(&diag);
	free(profile);
	if (strncmp(diag.text, where, strlen(where)) != 0)
		return true;
	what = strstr(diag.text, "] ");
	printf("  %s\n", what ? what + 2 : diag.text);
	return false;
}

/* A path relative to here would mean another one in the profile. */
static bool file_find(char path[ANSWER_MAX])
{
	char whole[PATH_MAX];

	if (!realpath(path, whole) || access(whole, R_OK) < 0 ||
	    strlen(whole) >= ANSWER_MAX) {
		printf("  %s: no such file, or not readable\n", path);
		return false;
	}
	strcpy(path, whole);
	return true;
}

static bool question_ask(const struct question *q, char answer[ANSWER_MAX])
{
	for (;;) {
		if (!line_ask(q->text, q->hint, answer))
			return false;
		if (answer[0] == '\0' && q->hint)
			return true;
		if (answer[0] == '\0')
			puts("  an answer is needed");
		else if ((!q->is_file || file_find(answer)) &&
			 value_is_good(q, answer))
			return true;
	}
}

static bool login_ask(struct interview *in)
{
	char answer[ANSWER_MAX];

	for (;;) {
		if (!line_ask("Login: password, certificate, eap-tls or psk",
			      "password", answer))
			return false;
		in->login = &logins[0];
		if (answer[0] == '\0')
			return true;
		for (size_t i = 0; i < sizeof(logins) / sizeof(logins[0]); i++)
			if (strcmp(answer, logins[i].word) == 0) {
				in->login = &logins[i];
				return true;
			}
		puts("  write one of the four words");
	}
}

static bool interview_hold(struct interview *in)
{
	if (!question_ask(&questions[0], in->answers[0]) || !login_ask(in))
		return false;
	for (size_t i = 1; i < QUESTIONS; i++)
		if ((questions[i].login & in->login->bit) &&
		    !question_ask(&questions[i], in->answers[i]))
			return false;
	return true;
}

static void section_write(const struct interview *in, const char *section,
			  FILE *out)
{
	fprintf(out, "[%s]\n", section);
	if (strcmp(section, "identity") == 0)
		fprintf(out, "auth = %s\n", in->login->auth);
	for (size_t i = 0; i < QUESTIONS; i++)
		if (strcmp(questions[i].section, section) == 0 &&
		    in->answers[i][0])
			fprintf(out, "%s = %s\n", questions[i].key,
				in->answers[i]);
	fputc('\n', out);
}

/* gives *out (free). */
static enum err text_make(const struct interview *in, char **out)
{
	size_t len;
	FILE *f = open_memstream(out, &len);

	if (!f)
		return ERR_NO_MEMORY;
	section_write(in, "gateway", f);
	section_write(in, "identity", f);
	section_write(in, "tunnel", f);
	if (fclose(f) == 0)
		return OK;
	free(*out);
	*out = NULL;
	return ERR_NO_MEMORY;
}

static enum err profile_new(struct cli *cli, char path[PLACE_MAX],
			    struct diag *diag)
{
	struct interview *in = calloc(1, sizeof(*in));
	struct profile *profile = malloc(sizeof(*profile));
	char *text = NULL;
	enum err e = OK;

	if (!in || !profile)
		e = ERR_NO_MEMORY;
	else if (!interview_hold(in))
		e = diag_set(diag, ERR_CANCELLED,
			     "no more answers: nothing is written");
	if (!e)
		e = text_make(in, &text);
	if (!e)
		e = profile_parse(cli->name, text, profile, diag);
	if (!e)
		e = profile_file_save(
			&cli->places,
			&(struct profile_new){cli->name, text, NULL, 0}, path,
			diag);
	free(text);
	free(in);
	free(profile);
	return e;
}

static int new_run(struct cli *cli)
{
	struct diag diag = DIAG_INIT;
	char path[PLACE_MAX];
	enum err e = profile_file_name(cli->arg2, cli->name, &diag);

	if (!e)
		e = profile_new(cli, path, &diag);
	if (e)
		return cli_fail(e, &diag);
	printf("%s is written: vpn-connect doctor %s tests it, up %s "
	       "connects\n",
	       path, cli->name, cli->name);
	return 0;
}

static int name_compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int list_run(struct cli *cli)
{
	char(*names)[PROFILE_NAME_MAX] = calloc(PROFILES_MAX, sizeof(*names));
	size_t n;

	if (!names)
		return cli_fail(ERR_NO_MEMORY, NULL);
	n = profile_file_list(&cli->places, names, PROFILES_MAX);
	qsort(names, n, sizeof(*names), name_compare);
	for (size_t i = 0; i < n; i++)
		puts(names[i]);
	free(names);
	return 0;
}

int cli_profile(struct cli *cli)
{
	struct diag diag = DIAG_INIT;

	if (strcmp(cli->arg, "new") == 0 && cli->arg2)
		return new_run(cli);
	if (strcmp(cli->arg, "list") == 0 && !cli->arg2)
		return list_run(cli);
	return cli_fail(
		diag_set(&diag, ERR_USAGE, "profile new NAME, or profile list"),
		&diag);
}
