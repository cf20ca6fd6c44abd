/* vpn-connect log: what a tunnel in the background wrote. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/cli.h"

/* Copies what is new. A file that was begun anew is read from its start. */
static enum err copy_new(int fd, struct diag *diag)
{
	char buf[4096];
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) == 0 && st.st_size < lseek(fd, 0, SEEK_CUR))
		lseek(fd, 0, SEEK_SET);
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)got, stdout);
	fflush(stdout);
	return got < 0 ? diag_sys(diag, ERR_IO, "read") : OK;
}

/* Until a signal ends it. */
static enum err follow(int fd, const char *path, struct diag *diag)
{
	int in = inotify_init1(IN_CLOEXEC);
	char events[4096];
	enum err e = OK;

	if (in < 0 || inotify_add_watch(in, path, IN_MODIFY) < 0) {
		e = diag_sys(diag, ERR_SYS, "%s", path);
		goto out;
	}
	/* What came between the first reading and the watch. */
	e = copy_new(fd, diag);
	while (!e) {
		if (read(in, events, sizeof(events)) < 0 && errno != EINTR)
			e = diag_sys(diag, ERR_SYS, "inotify");
		else
			e = copy_new(fd, diag);
	}
out:
	if (in >= 0)
		close(in);
	return e;
}

int cli_log(struct cli *cli)
{
	char file[PROFILE_NAME_MAX + 8], path[PLACE_MAX];
	struct diag diag = DIAG_INIT;
	enum err e;
	int fd;

	snprintf(file, sizeof(file), "%s.log", cli->name);
	e = places_join(path, cli->places.state, file, &diag);
	if (e)
		return cli_fail(e, &diag);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 && errno == ENOENT)
		return cli_fail(
			diag_set(&diag, ERR_NOT_RUNNING,
				 "%s has no log: it is written by up "
				 "--background; of a service: journalctl "
				 "--user -u vpn-connect@%s",
				 cli->name, cli->name),
			&diag);
	if (fd < 0)
		return cli_fail(diag_sys(&diag, ERR_IO, "%s", path), &diag);
	e = copy_new(fd, &diag);
	if (!e && cli->follow)
		e = follow(fd, path, &diag);
	close(fd);
	return e ? cli_fail(e, &diag) : 0;
}
