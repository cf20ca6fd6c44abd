/* vpn-connect import: from another program's file, or an address, to a
 * profile. */
#include "config.h"

#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/cli/import.h"
#include "client/cli/tree.h"
#include "client/store/profile_file.h"

#define PASSWORD_TRIES	  3
#define PASSWORD_FILE_MAX 4096
#define CONTAINER_CPU_S	  60

struct job {
	struct cli *cli;
	bool fetched;
	char whole[PATH_MAX]; /* path of the file */
	const char *dir;      /* of it */
	uint8_t *file;
	size_t len;
	struct import *im;
	char name[PROFILE_NAME_MAX];
	char *text;
	char path[PLACE_MAX]; /* of the new profile */
};

static enum err file_read(struct job *job, struct diag *diag)
{
	const char *path = job->cli->arg;

	if (!realpath(path, job->whole))
		return diag_sys(diag, ERR_PROFILE, "%s", path);
	job->dir = dirname(job->whole);
	return os_read_file(path, TREE_FILE_MAX, &job->file, &job->len, diag);
}

static enum err source_read(struct job *job, struct diag *diag)
{
	const char *arg = job->cli->arg;

	if (strncmp(arg, "http://", 7) == 0)
		return diag_set(diag, ERR_USAGE,
				"http:// can be changed on its way: https:// "
				"only");
	job->fetched = strncmp(arg, "https://", 8) == 0;
	return job->fetched ? fetch_https(arg, TREE_FILE_MAX, &job->file,
					  &job->len, diag)
			    : file_read(job, diag);
}

/* The file may hold anything: who reads it sees nothing else of the user's
 * and writes only where profiles lie. */
static enum err confine(const struct job *job, struct diag *diag)
{
	const struct places *places = &job->cli->places;
	const char *dir = places->config[places->config[0][0] ? 0 : 1];
	const char *read_only[] = {job->cli->password_file, NULL};
	const char *writable[] = {dir, "/dev/tty", NULL};
	enum err e = os_make_dir(dir, diag);

	return e ? e : os_confine(read_only, writable, diag);
}

/* What is behind the last slash, of a path or URL. */
static const char *base_of(const char *arg)
{
	const char *slash = strrchr(arg, '/');

	return slash && slash[1] ? slash + 1 : arg;
}

static enum err parse(struct job *job, struct diag *diag)
{
	const struct import_source source = {
		.file = base_of(job->cli->arg),
		.text = bytes(job->file, job->len),
		.wanted = job->cli->new_name,
		.dir = job->dir,
		.fetched = job->fetched,
	};
	return import_read(&source, &job->im, diag);
}

static void notes_print(const struct import *im)
{
	for (size_t i = 0; i < im->n_notes; i++)
		fprintf(stderr, "note: %s\n", im->notes[i]);
}

/* As told, else as the file says, else as the file is called. */
static enum err name_choose(struct job *job, struct diag *diag)
{
	char base[PATH_MAX], *dot;

	if (job->cli->new_name)
		return profile_file_name(job->cli->new_name, job->name, diag);
	memcpy(job->name, job->im->name, sizeof(job->name));
	if (job->name[0])
		return OK;
	snprintf(base, sizeof(base), "%s", base_of(job->cli->arg));
	dot = strrchr(base, '.');
	if (dot)
		*dot = '\0';
	import_name_clean(base, job->name);
	return job->name[0] ? OK
			    : diag_set(diag, ERR_USAGE,
				       "what is it to be called? Add --name "
				       "NAME");
}

/* --- the container ---------------------------------------------------------
 */

static void on_cpu_spent(int sig)
{
	static const char line[] =
		"vpn-connect: the PKCS#12 container wants its password hashed "
		"for longer than any honest one does: refused\n";

	(void)!write(STDERR_FILENO, line, sizeof(line) - 1);
	_exit(err_exit_code(ERR_PROFILE));
}

/* Each part of a container says how often its password is hashed, up to 2^31
 * times, and a part may lie encrypted inside of another: what there is to be
 * done shows only in doing it. Nothing has been written so far. */
static void container_bound(void)
{
	const struct sigaction spent = {.sa_handler = on_cpu_spent};
	struct rlimit cpu;

	if (getrlimit(RLIMIT_CPU, &cpu) < 0)
		return;
	if (cpu.rlim_cur == RLIM_INFINITY || cpu.rlim_cur > CONTAINER_CPU_S)
		cpu.rlim_cur = CONTAINER_CPU_S;
	sigaction(SIGXCPU, &spent, NULL);
	setrlimit(RLIMIT_CPU, &cpu);
}

/* gives the first line (wipe). */
static enum err password_read(const char *path, struct secret *out,
			      struct diag *diag)
{
	uint8_t *file = NULL;
	size_t len = 0, line;
	enum err e =
		os_read_secret_file(path, PASSWORD_FILE_MAX, &file, &len, diag);

	if (e)
		return e;
	for (line = 0; line < len && file[line] != '\n' && file[line] != '\r';)
		line++;
	if (secret_set(out, bytes(file, line)))
		e = diag_set(diag, ERR_PROFILE, "%s: too long a password",
			     path);
	mem_wipe(file, len);
	free(file);
	return e;
}

static enum err open_with(struct job *job, const struct secret *secret,
			  struct diag *diag)
{
	char password[SECRET_MAX + 1];
	enum err e;

	memcpy(password, secret->b, secret->len);
	password[secret->len] = '\0';
	e = import_open_p12(job->im, password, diag);
	mem_wipe(password, sizeof(password));
	return e;
}

static enum err container_open(struct job *job, struct diag *diag)
{
	const char *file = job->cli->password_file;
	struct secret secret = {.len = 0};
	enum err e;

	if (file) {
		e = password_read(file, &secret, diag);
		if (!e)
			e = open_with(job, &secret, diag);
		secret_wipe(&secret);
		return e;
	}
	e = import_open_p12(job->im, NULL, diag);
	for (int i = 0; e == ERR_NEEDS_PERSON && i < PASSWORD_TRIES; i++) {
		diag_clear(diag);
		if (i > 0)
			fputs("that does not open it\n", stderr);
		e = prompt_secret_alone("Password of the certificate (PKCS#12)",
					&secret, NULL);
		if (e == ERR_NEEDS_PERSON)
			return diag_set(diag, e,
					"the certificate needs its password: "
					"at a terminal, or from a file by "
					"--password-file");
		if (e)
			return e;
		e = open_with(job, &secret, diag);
		secret_wipe(&secret);
	}
	return e;
}

/* --- writing ----------------------------------------------------------------
 */

static enum err accept(struct job *job, struct diag *diag)
{
	char question[PROFILE_NAME_MAX + 40];

	if (!job->fetched)
		return OK;
	show_text(job->text);
	if (job->cli->yes)
		return OK;
	fflush(stdout);
	snprintf(question, sizeof(question), "Write it as profile %s?",
		 job->name);
	return prompt_confirm(question, diag);
}

static enum err save(struct job *job, struct diag *diag)
{
	const struct import *im = job->im;
	struct profile_extra extras[4];
	size_t n = 0;

	if (im->ca)
		extras[n++] =
			(struct profile_extra){"-ca.pem", bytes_str(im->ca)};
	if (im->cert)
		extras[n++] = (struct profile_extra){"-cert.pem",
						     bytes_str(im->cert)};
	if (im->key)
		extras[n++] =
			(struct profile_extra){"-key.pem", bytes_str(im->key)};
	if (im->has_secret)
		extras[n++] = (struct profile_extra){"-password",
						     secret_view(&im->secret)};
	return profile_file_save(
		&job->cli->places,
		&(struct profile_new){job->name, job->text, extras, n},
		job->path, diag);
}

static enum err import_run(struct job *job, struct diag *diag)
{
	enum err e = source_read(job, diag);

	if (!e)
		e = confine(job, diag);
	if (!e)
		e = parse(job, diag);
	if (!e)
		e = name_choose(job, diag);
	if (!e && job->im->p12) {
		container_bound();
		e = container_open(job, diag);
		signal(SIGXCPU, SIG_IGN); /* it was honest */
	}
	if (!e)
		e = import_finish(job->im, job->name, &job->text, diag);
	if (job->im)
		notes_print(job->im);
	if (!e)
		e = accept(job, diag);
	return e ? e : save(job, diag);
}

int cli_import(struct cli *cli)
{
	struct job job = {.cli = cli};
	struct diag diag = DIAG_INIT;
	enum err e;

	os_harden_memory();
	e = crypto_open(&diag);
	if (!e)
		e = import_run(&job, &diag);
	mem_wipe(job.file, job.len);
	free(job.file);
	free(job.text);
	import_free(&job.im);
	crypto_close();
	if (e)
		return cli_fail(e, &diag);
	printf("%s is written: vpn-connect doctor %s tests it, up %s "
	       "connects\n",
	       job.path, job.name, job.name);
	return 0;
}
