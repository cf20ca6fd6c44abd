#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cli/cli.h"
#include "platform/base/log.h"

/* The parent: ends when the child is connected, or as the child ended. */
static void parent_wait(pid_t child, int fd)
{
	ssize_t got;
	int status;
	char c;

	do
		got = read(fd, &c, 1);
	while (got < 0 && errno == EINTR);
	if (got == 1)
		_exit(0);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			_exit(1);
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

enum err background_fork(int *out_fd, struct diag *diag)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return diag_sys(diag, ERR_SYS, "pipe");
	fflush(NULL);
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return diag_sys(diag, ERR_SYS, "fork");
	}
	if (pid > 0) {
		close(fds[1]);
		parent_wait(pid, fds[0]);
	}
	close(fds[0]);
	*out_fd = fds[1];
	return OK;
}

/* fd onto target; what is not there is /dev/null. */
static void stdio_replace(int fd, int target)
{
	if (fd < 0)
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	dup2(fd, target);
	if (fd > STDERR_FILENO)
		close(fd);
}

void background_detach(int *fd, const char *log_path)
{
	int log = open(log_path,
		       O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC |
			       O_NOFOLLOW,
		       0600);

	fflush(stdout);
	setsid();
	if (chdir("/") < 0)
		return;
	stdio_replace(-1, STDIN_FILENO);
	stdio_replace(log >= 0 ? dup(log) : -1, STDOUT_FILENO);
	stdio_replace(log, STDERR_FILENO);
	/* Only now: the parent's end may take the terminal away. */
	if (write(*fd, "", 1) < 0)
		fprintf(stderr, "nobody waited\n");
	close(*fd);
	*fd = -1;
}

/* By its own tool: what a D-Bus library would bring is not worth one call
 * that hardly ever has anything to do. */
void background_give_up(const char *name)
{
	char unit[PROFILE_NAME_MAX + 32], place[PLACE_MAX];
	char *const argv[] = {(char *)(uintptr_t) "systemctl",
			      (char *)(uintptr_t) "--user",
			      (char *)(uintptr_t) "--quiet",
			      (char *)(uintptr_t) "stop",
			      unit,
			      NULL};
	const char *dir = getenv("XDG_RUNTIME_DIR");
	int status = 0;
	pid_t pid;

	snprintf(place, sizeof(place), "%.400s/systemd", dir ? dir : "");
	if (!dir || access(place, F_OK) < 0)
		return;
	snprintf(unit, sizeof(unit), "vpn-connect@%s.service", name);
	if (posix_spawnp(&pid, argv[0], NULL, NULL, argv, environ) != 0)
		return;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (status != 0)
		log_debug("%s was not stopped", unit);
}
