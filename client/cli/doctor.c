/* vpn-connect doctor: one look at everything a connection needs. */
#include "config.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/doctor.h"
#include "client/store/profile_file.h"

static const char *const verdict_words[] = {[VERDICT_GOOD] = "ok",
					    [VERDICT_NOTE] = "note",
					    [VERDICT_BAD] = "bad",
					    [VERDICT_SKIP] = "skip"};

static void finding_print(const struct doctor *d, const struct finding *f,
			  const char *text)
{
	static const enum show_tone tones[] = {[VERDICT_GOOD] = TONE_GOOD,
					       [VERDICT_NOTE] = TONE_WARN,
					       [VERDICT_BAD] = TONE_BAD,
					       [VERDICT_SKIP] = TONE_WARN};
	const char *word = verdict_words[f->verdict];

	/* Padded apart: colours take no room. */
	show_word(&d->show, tones[f->verdict], word);
	fprintf(d->show.out, "%*s", 4 - (int)strlen(word), "");
	show_row(&d->show, f->check, "%s", text);
	if (f->fix[0])
		show_row(&d->show, "", "-> %s", f->fix);
	fflush(d->show.out);
}

void doctor_say(struct doctor *d, const struct finding *f, const char *fmt, ...)
{
	char text[600];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (f->verdict == VERDICT_BAD && !d->first)
		d->first = f->why;
	if (!d->cli->json) {
		finding_print(d, f, text);
		return;
	}
	json_array_append_new(d->checks,
			      json_pack("{s:s, s:s, s:s, s:s*}", "check",
					f->check, "verdict",
					verdict_words[f->verdict], "text", text,
					"fix", f->fix[0] ? f->fix : NULL));
}

/* False: there is nothing to go on with. */
static bool profile_check(struct doctor *d)
{
	struct finding f = {.check = "profile"};
	struct diag diag = DIAG_INIT;
	char *text = NULL;
	enum err e;

	e = profile_file_read(&d->cli->places, d->cli->arg, d->path, &text,
			      &diag);
	free(text);
	if (!e)
		e = profile_file_load(&d->cli->places, d->cli->arg, &d->profile,
				      &diag);
	if (!e) {
		doctor_say(d, &f, "%s", d->path);
		return true;
	}
	f.verdict = VERDICT_BAD;
	f.why = e;
	snprintf(f.fix, sizeof(f.fix),
		 "correct that, see vpn-connect.conf(5), and ask again");
	doctor_say(d, &f, "%s", diag_text(&diag, e));
	return false;
}

static void tunnel_check(struct doctor *d)
{
	struct finding f = {.check = "tunnel"};
	struct diag diag = DIAG_INIT;
	json_t *status = NULL;
	enum err e =
		running_ask(d->cli, d->cli->name, "Status", &status, &diag);

	if (e == ERR_NOT_RUNNING)
		return;
	d->runs = true;
	if (e) {
		f.verdict = VERDICT_BAD;
		f.why = e;
		doctor_say(d, &f, "%s", diag_text(&diag, e));
	} else {
		doctor_say(d, &f, "it runs: %s",
			   json_string_value(json_object_get(status, "state")));
	}
	json_decref(status);
}

static void checks_run(struct doctor *d)
{
	static void (*const checks[])(struct doctor *) = {
		tunnel_check,
		doctor_check_password,
		doctor_check_certificate,
		doctor_check_clock,
		doctor_check_name,
		doctor_try_tcp,
		doctor_check_gateway,
		doctor_check_tcp,
		doctor_check_dns,
		doctor_check_kernel,
		doctor_check_helper,
		doctor_check_cache,
	};

	if (!profile_check(d))
		return;
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		checks[i](d);
}

static void conclude(struct doctor *d)
{
	if (d->cli->json)
		json_print(json_pack("{s:s, s:b, s:O}", "name", d->cli->name,
				     "good", d->first == OK, "checks",
				     d->checks));
	else if (d->first)
		printf("%s: something is wrong, see \"bad\" above\n",
		       d->cli->name);
	else
		printf("%s: nothing speaks against a connection\n",
		       d->cli->name);
}

int cli_doctor(struct cli *cli)
{
	struct doctor *d = calloc(1, sizeof(*d));
	struct diag diag = DIAG_INIT;
	enum err e;

	if (!d)
		return cli_fail(ERR_NO_MEMORY, NULL);
	d->cli = cli;
	d->show = show_open(stdout);
	d->show.width -= 4; /* the verdict stands before */
	d->checks = json_array();
	e = crypto_open(&diag);
	if (e) {
		cli_fail(e, &diag);
	} else {
		checks_run(d);
		conclude(d);
		e = d->first;
	}
	crypto_close();
	json_decref(d->checks);
	mem_wipe(d, sizeof(*d));
	free(d);
	return err_exit_code(e);
}
