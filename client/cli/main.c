/* vpn-connect: the command line. */
#include "config.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "client/store/profile_file.h"
#include "platform/base/log.h"

/* What stands behind the verb. */
enum args {
	ARGS_NONE,
	ARGS_MAY_NAME,	/* a profile */
	ARGS_NAME,	/* the same, needed */
	ARGS_NAME_FILE, /* and perhaps a file */
	ARGS_FILE,	/* or a URL */
	ARGS_WORDS	/* a word, perhaps another */
};

struct cli_verb {
	const char *word;
	int (*run)(struct cli *cli);
	enum args args;
	const char *options; /* letters of those it knows */
	bool with_helper;    /* started, where we are root */
};

static const struct cli_verb verbs[] = {
	{"up", cli_up, ARGS_NAME, "bov", true},
	{"down", cli_down, ARGS_NAME, "v", false},
	{"suspend", cli_suspend, ARGS_NAME, "v", false},
	{"status", cli_status, ARGS_MAY_NAME, "jv", false},
	{"monitor", cli_monitor, ARGS_MAY_NAME, "jv", false},
	{"log", cli_log, ARGS_NAME, "fv", false},
	{"tickets", cli_tickets, ARGS_NONE, "jvr", false},
	{"forget", cli_forget, ARGS_NAME, "v", false},
	{"doctor", cli_doctor, ARGS_NAME, "jv", true},
	{"import", cli_import, ARGS_FILE, "npyv", false},
	{"export", cli_export, ARGS_NAME_FILE, "v", false},
	{"profile", cli_profile, ARGS_WORDS, "v", false},
};

static const char usage[] =
	"usage: vpn-connect up [--background] [--once] NAME   connect\n"
	"       vpn-connect down NAME        log out, forget the ticket\n"
	"       vpn-connect suspend NAME     disconnect, keep the ticket\n"
	"       vpn-connect status [--json] [NAME]\n"
	"       vpn-connect monitor [--json] [NAME]    status, live\n"
	"       vpn-connect log [--follow] NAME\n"
	"       vpn-connect doctor [--json] NAME       what is wrong?\n"
	"       vpn-connect tickets [--json]\n"
	"       vpn-connect tickets --rotate-key   a new key for all tickets\n"
	"       vpn-connect forget NAME      delete the ticket\n"
	"       vpn-connect profile new NAME | list\n"
	"       vpn-connect import [--name NAME] [--password-file FILE] "
	"[--yes]\n"
	"                          FILE | https://...  make a profile of it\n"
	"       vpn-connect export NAME [FILE]         for NetworkManager\n"
	"       vpn-connect --help | --version\n"
	"\n"
	"NAME is a profile, NAME.conf in ~/.config/vpn-connect or " SYSCONFDIR
	"/vpn-connect,\n"
	"or the path of one. -v, --verbose tells more. See vpn-connect(1) and\n"
	"vpn-connect.conf(5).\n";

int cli_fail(enum err e, const struct diag *diag)
{
	fflush(stdout);
	fprintf(stderr, "vpn-connect: %s\n", diag_text(diag, e));
	return err_exit_code(e);
}

static int usage_fail(const char *what, const char *word)
{
	fprintf(stderr, "vpn-connect: %s%s: see vpn-connect --help\n", what,
		word);
	return err_exit_code(ERR_USAGE);
}

static void log_print(enum log_level level, const char *text, void *ctx)
{
	static const char *const words[] = {
		[LOG_ERROR] = "error: ",
		[LOG_WARN] = "warning: ",
		[LOG_INFO] = "",
		[LOG_DEBUG] = "debug: ",
	};

	fprintf(stderr, "%s%s\n", words[level], text);
}

/* --- privilege ------------------------------------------------------------ */

/* Root is needed to start the helper and for nothing else: it goes before
 * anything but the verb has been looked at. */
static enum err privilege_drop(struct cli *cli, struct diag *diag)
{
	const struct rlimit unlimited = {RLIM_INFINITY, RLIM_INFINITY};
	struct os_user user;
	enum err e = OK;

	umask(077);
	if (geteuid() == 0) {
		/* So that secrets can be locked in memory later. */
		setrlimit(RLIMIT_MEMLOCK, &unlimited);
		if (cli->verb->with_helper)
			e = net_spawn(&cli->net, diag);
	}
	if (!e)
		e = os_invoking_user(&user, diag);
	if (!e)
		e = os_drop_to(&user, diag);
	if (!e)
		e = places_find(&user, &cli->places, diag);
	return e;
}

/* --- arguments -------------------------------------------------------------
 */

static const struct cli_verb *verb_find(const char *word)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(verbs[i].word, word) == 0)
			return &verbs[i];
	return NULL;
}

/* False when the verb does not know the option. */
static bool option_set(struct cli *cli, int letter)
{
	if (!strchr(cli->verb->options, letter))
		return false;
	switch (letter) {
	case 'b':
		cli->background = true;
		return true;
	case 'o':
		cli->once = true;
		return true;
	case 'j':
		cli->json = true;
		return true;
	case 'r':
		cli->rotate_key = true;
		return true;
	case 'f':
		cli->follow = true;
		return true;
	case 'y':
		cli->yes = true;
		return true;
	case 'n':
		cli->new_name = optarg;
		return true;
	case 'p':
		cli->password_file = optarg;
		return true;
	default:
		cli->verbose = true;
		return true;
	}
}

/* What is no option. -1: go on, else the exit code. */
static int words_parse(struct cli *cli, int n, char **words)
{
	static const struct {
		int min, max;
		bool name; /* the first is a profile's */
	} wanted[] = {
		[ARGS_NONE] = {0, 0, false}, [ARGS_MAY_NAME] = {0, 1, true},
		[ARGS_NAME] = {1, 1, true},  [ARGS_NAME_FILE] = {1, 2, true},
		[ARGS_FILE] = {1, 1, false}, [ARGS_WORDS] = {1, 2, false},
	};
	enum args args = cli->verb->args;
	struct diag diag = DIAG_INIT;
	enum err e = OK;

	if (n > wanted[args].max)
		return usage_fail("too many arguments for ", cli->verb->word);
	if (n < wanted[args].min)
		return usage_fail(wanted[args].name ? "which profile? "
						    : "what? ",
				  cli->verb->word);
	cli->arg = n > 0 ? words[0] : NULL;
	cli->arg2 = n > 1 ? words[1] : NULL;
	if (cli->arg && wanted[args].name)
		e = profile_file_name(cli->arg, cli->name, &diag);
	return e ? cli_fail(e, &diag) : -1;
}

/* What is behind the verb. -1: go on, else the exit code. */
static int arguments_parse(struct cli *cli, int argc, char **argv)
{
	static const struct option options[] = {
		{"background", no_argument, NULL, 'b'},
		{"once", no_argument, NULL, 'o'},
		{"json", no_argument, NULL, 'j'},
		{"rotate-key", no_argument, NULL, 'r'},
		{"follow", no_argument, NULL, 'f'},
		{"name", required_argument, NULL, 'n'},
		{"password-file", required_argument, NULL, 'p'},
		{"yes", no_argument, NULL, 'y'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0}};
	int letter;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, ":vh", options, NULL)) != -1) {
		if (letter == 'h') {
			fputs(usage, stdout);
			return 0;
		}
		if (letter == ':')
			return usage_fail("no value behind ", argv[optind - 1]);
		if (letter == '?' || !option_set(cli, letter))
			return usage_fail("unknown option ", argv[optind - 1]);
	}
	return words_parse(cli, argc - optind, argv + optind);
}

/* --help and --version need nobody; everything else is a verb. */
static int without_verb(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
		fputs(usage, stdout);
		return 0;
	}
	if (strcmp(word, "--version") == 0) {
		printf("vpn-connect %s\n", PACKAGE_VERSION);
		return 0;
	}
	if (argc < 2) {
		fputs(usage, stderr);
		return err_exit_code(ERR_USAGE);
	}
	return usage_fail("unknown command ", word);
}

int main(int argc, char **argv)
{
	struct cli cli;
	struct diag diag = DIAG_INIT;
	enum err e;
	int code;

	memset(&cli, 0, sizeof(cli));
	cli.verb = argc > 1 ? verb_find(argv[1]) : NULL;
	if (!cli.verb)
		return without_verb(argc, argv);
	e = privilege_drop(&cli, &diag);
	if (e) {
		net_close(&cli.net);
		return cli_fail(e, &diag);
	}
	/* Lines, also where the output is a file or a pipe. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	code = arguments_parse(&cli, argc - 1, argv + 1);
	if (code < 0) {
		log_open(log_print, NULL, cli.verbose ? LOG_DEBUG : LOG_WARN);
		code = cli.verb->run(&cli);
	}
	net_close(&cli.net);
	return code;
}
