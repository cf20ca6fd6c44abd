#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "client/cli/cli.h"

#define TEXT "Password for alice at gw"

struct result {
	enum err err;
	struct secret secret;
	struct diag diag;
};

static int terminal; /* the master's end */
static pid_t child;
static int results;
static char shown[4096]; /* what appeared on the terminal */
static size_t shown_len;

/* The process that asks; signals are in a signalfd as in `up`. */
static void ask_and_tell(int tell)
{
	struct result r;
	sigset_t set;
	int fd;

	memset(&r, 0, sizeof(r));
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	r.err = prompt_secret(TEXT, fd, &r.secret, &r.diag);
	if (write(tell, &r, sizeof(r)) != sizeof(r))
		_exit(1);
	/* So that the terminal is still there to be looked at. */
	pause();
}

static void terminal_read_until(const char *text)
{
	while (!memmem(shown, shown_len, text, strlen(text))) {
		ssize_t got = read(terminal, shown + shown_len,
				   sizeof(shown) - shown_len);

		assert_true(got > 0);
		shown_len += (size_t)got;
	}
}

static bool terminal_echoes(void)
{
	struct termios t;

	assert_int_equal(tcgetattr(terminal, &t), 0);
	return t.c_lflag & ECHO;
}

static void ask(void)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	shown_len = 0;
	child = forkpty(&terminal, NULL, NULL, NULL);
	assert_true(child >= 0);
	if (child == 0)
		ask_and_tell(fds[1]);
	close(fds[1]);
	results = fds[0];
	terminal_read_until(TEXT ": ");
	assert_false(terminal_echoes());
}

static void type(const char *text)
{
	assert_int_equal(write(terminal, text, strlen(text)), strlen(text));
}

static void answer(struct result *r)
{
	int status;

	assert_int_equal(read(results, r, sizeof(*r)), sizeof(*r));
	assert_true(terminal_echoes());
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	close(results);
	close(terminal);
}

static void what_is_typed_is_returned_and_never_shown(void **state)
{
	struct result r;

	ask();
	type("open sesame\n");
	answer(&r);
	assert_int_equal(r.err, OK);
	assert_int_equal(r.secret.len, 11);
	assert_memory_equal(r.secret.b, "open sesame", 11);
	assert_null(memmem(shown, shown_len, "open", 4));
}

static void typing_can_be_corrected(void **state)
{
	struct result r;

	ask();
	type("wrong\x15right!\x7f\n");
	answer(&r);
	assert_int_equal(r.err, OK);
	assert_int_equal(r.secret.len, 5);
	assert_memory_equal(r.secret.b, "right", 5);
}

static void ctrl_c_cancels_and_restores_the_echo(void **state)
{
	struct result r;

	ask();
	type("half\x03");
	answer(&r);
	assert_int_equal(r.err, ERR_CANCELLED);
	assert_int_equal(r.secret.len, 0);
}

static void the_keys_that_would_leave_it_without_echo_are_off(void **state)
{
	struct result r;

	ask();
	type("a\x1a\x1c"
	     "b\n");
	answer(&r);
	assert_int_equal(r.err, OK);
	assert_memory_equal(r.secret.b,
			    "a\x1a\x1c"
			    "b",
			    4);
}

static void an_empty_line_and_an_end_are_no_password(void **state)
{
	struct result r;

	ask();
	type("\n");
	answer(&r);
	assert_int_equal(r.err, ERR_NEEDS_PERSON);
	ask();
	type("\x04");
	answer(&r);
	assert_int_equal(r.err, ERR_NEEDS_PERSON);
}

static void a_line_longer_than_a_secret_is_refused(void **state)
{
	char line[SECRET_MAX + 2];
	struct result r;

	memset(line, 'x', sizeof(line));
	line[SECRET_MAX] = '\n';
	line[SECRET_MAX + 1] = '\0';
	ask();
	type(line);
	answer(&r);
	assert_int_equal(r.err, OK);
	assert_int_equal(r.secret.len, SECRET_MAX);
	line[SECRET_MAX] = 'x';
	ask();
	type(line);
	type("xxxxxxx\n");
	answer(&r);
	assert_int_equal(r.err, ERR_NO_SPACE);
	assert_int_equal(r.secret.len, 0);
}

static void without_a_terminal_nobody_can_be_asked(void **state)
{
	struct diag diag = DIAG_INIT;
	struct secret secret;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		setsid();
		_exit(prompt_secret(TEXT, -1, &secret, &diag));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), ERR_NEEDS_PERSON);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_typed_is_returned_and_never_shown),
		cmocka_unit_test(typing_can_be_corrected),
		cmocka_unit_test(ctrl_c_cancels_and_restores_the_echo),
		cmocka_unit_test(
			the_keys_that_would_leave_it_without_echo_are_off),
		cmocka_unit_test(an_empty_line_and_an_end_are_no_password),
		cmocka_unit_test(a_line_longer_than_a_secret_is_refused),
		cmocka_unit_test(without_a_terminal_nobody_can_be_asked),
	};

	/* A test that waits for ever fails. */
	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
