#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "client/cli/cli.h"

/* Off while a password is typed: what it is, and the two keys that would
 * leave the terminal without echo. Ctrl-C comes as a signal. */
static void terminal_hide(int tty, const struct termios *before)
{
	struct termios hidden = *before;

	hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
	hidden.c_lflag |= ICANON | ISIG;
	hidden.c_cc[VSUSP] = _POSIX_VDISABLE;
	hidden.c_cc[VQUIT] = _POSIX_VDISABLE;
	tcsetattr(tty, TCSAFLUSH, &hidden);
}

/* One line, in canonical mode in one piece. */
static enum err line_read(int tty, int signal_fd, struct secret *out,
			  struct diag *diag)
{
	struct pollfd fds[] = {{.fd = tty, .events = POLLIN},
			       {.fd = signal_fd, .events = POLLIN}};
	char line[SECRET_MAX + 2];
	ssize_t len;
	enum err e;

	while (poll(fds, 2, -1) < 0)
		if (errno != EINTR)
			return diag_sys(diag, ERR_SYS, "poll");
	if (fds[1].revents)
		return diag_set(diag, ERR_CANCELLED, "cancelled");
	len = read(tty, line, sizeof(line));
	if (len > 0 && line[len - 1] == '\n')
		len--;
	if (len <= 0)
		e = diag_set(diag, ERR_NEEDS_PERSON, "no password was typed");
	else if (secret_set(out, bytes(line, (size_t)len)))
		e = diag_set(diag, ERR_NO_SPACE,
			     "more than %d octets were typed", SECRET_MAX);
	else
		e = OK;
	mem_wipe(line, sizeof(line));
	return e;
}

static void say(int tty, const char *text)
{
	/* Nothing is to be done about a terminal that is gone. */
	if (write(tty, text, strlen(text)) < 0)
		return;
}

enum err prompt_secret(const char *text, int signal_fd, struct secret *out,
		       struct diag *diag)
{
	struct termios before;
	enum err e;
	int tty;

	secret_wipe(out);
	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0 || tcgetattr(tty, &before) < 0) {
		if (tty >= 0)
			close(tty);
		return diag_set(diag, ERR_NEEDS_PERSON,
				"%.150s: no terminal to ask on: set "
				"password-file in the profile",
				text);
	}
	terminal_hide(tty, &before);
	say(tty, text);
	say(tty, ": ");
	e = line_read(tty, signal_fd, out, diag);
	tcsetattr(tty, TCSAFLUSH, &before);
	say(tty, "\n");
	close(tty);
	return e;
}

enum err prompt_secret_alone(const char *text, struct secret *out,
			     struct diag *diag)
{
	sigset_t set, before;
	enum err e;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, &before) < 0)
		return diag_sys(diag, ERR_SYS, "sigprocmask");
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	e = fd < 0 ? diag_sys(diag, ERR_SYS, "signalfd")
		   : prompt_secret(text, fd, out, diag);
	if (fd >= 0)
		close(fd);
	/* A signal that waits is handled only now, with echo on again. */
	sigprocmask(SIG_SETMASK, &before, NULL);
	return e;
}

enum err prompt_confirm(const char *text, struct diag *diag)
{
	char answer[16] = "";
	ssize_t len;
	int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);

	if (tty < 0)
		return diag_set(diag, ERR_NEEDS_PERSON,
				"no terminal to ask on: add --yes to accept "
				"without a question");
	say(tty, text);
	say(tty, " [y/N] ");
	len = read(tty, answer, sizeof(answer) - 1);
	close(tty);
	if (len > 0 && (answer[0] == 'y' || answer[0] == 'Y'))
		return OK;
	return diag_set(diag, ERR_CANCELLED,
			"not accepted: nothing is "
			"written");
}
