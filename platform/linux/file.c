/* Files of the client process: configuration, secrets, the cache. */
#include "config.h"

#include "platform/os.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum err open_failed(const char *path, struct diag *diag)
{
	switch (errno) {
	case ENOENT:
	case ENOTDIR:
		return diag_sys(diag, ERR_NOT_FOUND, "%s", path);
	case EACCES:
	case EPERM:
		return diag_sys(diag, ERR_PERMISSION, "%s", path);
	case ELOOP:
		return diag_set(diag, ERR_PERMISSION,
				"%s: a symbolic link is not accepted here",
				path);
	default:
		return diag_sys(diag, ERR_IO, "%s", path);
	}
}

/* Reads until EOF into a buffer one larger than max allows, so that a file
 * that grew meanwhile is noticed. */
static enum err fd_read(int fd, const char *path, size_t max, uint8_t **out_buf,
			size_t *out_len, struct diag *diag)
{
	uint8_t *buf = malloc(max + 1);
	size_t len = 0;
	ssize_t got = 1;

	if (!buf)
		return ERR_NO_MEMORY;
	while (got != 0 && len <= max) {
		got = read(fd, buf + len, max + 1 - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		len += (size_t)got;
	}
	if (got < 0 || len > max) {
		enum err e = got < 0 ? diag_sys(diag, ERR_IO, "%s", path)
				     : diag_set(diag, ERR_NO_SPACE,
						"%s: larger than %zu octets",
						path, max);
		mem_wipe(buf, max + 1);
		free(buf);
		return e;
	}
	buf[len] = '\0';
	*out_buf = buf;
	*out_len = len;
	return OK;
}

struct file_in {
	const char *path;
	size_t max;
	bool secret;
};

static enum err secret_check(const char *path, const struct stat *st,
			     struct diag *diag)
{
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return diag_set(diag, ERR_PERMISSION,
				"%s belongs to user %u: chown it", path,
				(unsigned)st->st_uid);
	if (st->st_mode & 077)
		return diag_set(diag, ERR_PERMISSION,
				"%s can be read by others: chmod 600 it", path);
	return OK;
}

static enum err file_read(const struct file_in *in, uint8_t **out_buf,
			  size_t *out_len, struct diag *diag)
{
	/* O_NONBLOCK: a FIFO must not hang us before fstat sees it. */
	int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	struct stat st;
	size_t cap = in->max;
	enum err e = OK;
	int fd;

	*out_buf = NULL;
	*out_len = 0;
	fd = open(in->path, in->secret ? flags | O_NOFOLLOW : flags);
	if (fd < 0)
		return open_failed(in->path, diag);
	if (fstat(fd, &st) < 0)
		e = diag_sys(diag, ERR_IO, "%s", in->path);
	else if (!S_ISREG(st.st_mode))
		e = diag_set(diag, ERR_IO, "%s: not a regular file", in->path);
	else if (in->secret)
		e = secret_check(in->path, &st, diag);
	/* A generous limit must not cost memory for a small file. Files of
	 * /proc say 0. */
	if (!e && st.st_size > 0 && (size_t)st.st_size < cap)
		cap = (size_t)st.st_size;
	if (!e)
		e = fd_read(fd, in->path, cap, out_buf, out_len, diag);
	close(fd);
	return e;
}

enum err os_read_file(const char *path, size_t max, uint8_t **out_buf,
		      size_t *out_len, struct diag *diag)
{
	return file_read(&(struct file_in){path, max, false}, out_buf, out_len,
			 diag);
}

enum err os_read_secret_file(const char *path, size_t max, uint8_t **out_buf,
			     size_t *out_len, struct diag *diag)
{
	return file_read(&(struct file_in){path, max, true}, out_buf, out_len,
			 diag);
}

/* --- writing ----------------------------------------------------- */

static enum err fd_write(int fd, struct bytes b)
{
	while (b.len > 0) {
		ssize_t put = write(fd, b.p, b.len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return ERR_IO;
		b = bytes(b.p + put, b.len - (size_t)put);
	}
	return OK;
}

/* The folder of path: "." where it has none. */
static enum err dir_of(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= PATH_MAX)
		return ERR_NO_SPACE;
	if (!slash)
		strcpy(out, ".");
	else if (len == 0)
		strcpy(out, "/");
	else {
		memcpy(out, path, len);
		out[len] = '\0';
	}
	return OK;
}

/* Without it the rename may be lost with the power although the content is
 * on the disk. */
static enum err dir_sync(const char *path)
{
	char dir[PATH_MAX];
	int fd, failed;

	if (dir_of(path, dir))
		return ERR_IO;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return ERR_IO;
	failed = fsync(fd);
	close(fd);
	return failed ? ERR_IO : OK;
}

enum err os_write_file(const char *path, struct bytes content,
		       struct diag *diag)
{
	char temp[PATH_MAX];
	enum err e;
	int fd;

	if (snprintf(temp, sizeof(temp), "%s.XXXXXX", path) >=
	    (int)sizeof(temp))
		return diag_set(diag, ERR_NO_SPACE, "%s: too long", path);
	fd = mkostemp(temp, O_CLOEXEC); /* 0600 */
	if (fd < 0)
		return open_failed(temp, diag);
	e = fd_write(fd, content);
	if (!e && fsync(fd) < 0)
		e = ERR_IO;
	if (e)
		diag_sys(diag, e, "%s", temp);
	close(fd);
	if (!e && rename(temp, path) < 0)
		e = diag_sys(diag, ERR_IO, "%s", path);
	if (e) {
		unlink(temp);
		return e;
	}
	e = dir_sync(path);
	return e ? diag_sys(diag, e, "%s: fsync of its folder", path) : OK;
}

enum err os_make_dir(const char *path, struct diag *diag)
{
	char part[PATH_MAX];
	size_t len = strlen(path);

	if (len == 0 || len >= sizeof(part))
		return diag_set(diag, ERR_NO_SPACE, "%s: not a path", path);
	memcpy(part, path, len + 1);
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0700) < 0 && errno != EEXIST)
			return diag_sys(
				diag, errno == EACCES ? ERR_PERMISSION : ERR_IO,
				"making folder %s", part);
		part[i] = path[i];
	}
	return OK;
}
