#include "config.h"

#include "platform/linux/dns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX 16384 /* of the original */
#define OURS_MAX (3 * FILE_MAX)
#define OURS_HEAD                                                              \
	"# Made by vpn-connect while its tunnel is up. What was here\n"        \
	"# before follows behind \"#|\" and comes back afterwards.\n"
#define META_MARK "#@ "
#define LINE_MARK "#|"

/* What was there before us. */
enum original_kind { ORIGINAL_NONE, ORIGINAL_LINK, ORIGINAL_FILE };
static const char *const kind_words[] = {"none", "link", "file"};

struct original {
	enum original_kind kind;
	unsigned mode;
	size_t len;
	char content[FILE_MAX + 1]; /* or the target of the link */
};

struct text {
	size_t len;
	char b[OURS_MAX];
};

/* --- the text that holds both ------------------------------------ */

static void text_add(struct text *t, const char *b, size_t len)
{
	if (len > sizeof(t->b) - t->len)
		len = sizeof(t->b) - t->len; /* its length tells */
	memcpy(t->b + t->len, b, len);
	t->len += len;
}

static void text_add_str(struct text *t, const char *s)
{
	text_add(t, s, strlen(s));
}

/* Each line behind LINE_MARK; the text behind the last newline, empty or
 * not, is a line too, so that nothing is lost. */
static void text_quote(struct text *t, const char *b, size_t len)
{
	for (;;) {
		const char *nl = memchr(b, '\n', len);
		size_t line = nl ? (size_t)(nl - b) : len;

		text_add_str(t, LINE_MARK);
		text_add(t, b, line);
		text_add_str(t, "\n");
		if (!nl)
			return;
		b += line + 1;
		len -= line + 1;
	}
}

static enum err text_make(const struct original *o, struct bytes lines,
			  struct text *out)
{
	char meta[64];

	out->len = 0;
	snprintf(meta, sizeof(meta), META_MARK "%s %o %zu\n",
		 kind_words[o->kind], o->mode, o->len);
	text_add_str(out, OURS_HEAD);
	text_add_str(out, meta);
	text_quote(out, o->content, o->len);
	text_add(out, (const char *)lines.p, lines.len);
	return out->len < sizeof(out->b) ? OK : ERR_NO_SPACE;
}

static bool text_is_ours(const struct text *t)
{
	return t->len >= strlen(OURS_HEAD) &&
	       memcmp(t->b, OURS_HEAD, strlen(OURS_HEAD)) == 0;
}

static bool meta_parse(const char *line, struct original *out)
{
	char word[8];

	if (sscanf(line, META_MARK "%7s %o %zu", word, &out->mode, &out->len) !=
		    3 ||
	    out->len > FILE_MAX)
		return false;
	for (size_t i = 0; i < sizeof(kind_words) / sizeof(*kind_words); i++) {
		if (strcmp(word, kind_words[i]) == 0) {
			out->kind = (enum original_kind)i;
			return true;
		}
	}
	return false;
}

/* The original out of a text of ours. */
static enum err text_unquote(const struct text *t, struct original *out)
{
	const char *p = t->b + strlen(OURS_HEAD), *end = t->b + t->len;
	const char *nl = memchr(p, '\n', (size_t)(end - p));
	char meta[64] = "";
	size_t len = 0;

	if (!nl || (size_t)(nl - p) >= sizeof(meta))
		return ERR_MALFORMED;
	memcpy(meta, p, (size_t)(nl - p));
	if (!meta_parse(meta, out))
		return ERR_MALFORMED;
	for (p = nl + 1; end - p >= 2 && memcmp(p, LINE_MARK, 2) == 0;
	     p = nl + 1) {
		size_t line;

		nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			return ERR_MALFORMED;
		p += 2;
		line = (size_t)(nl - p);
		if (line + 1 > sizeof(out->content) - len)
			return ERR_MALFORMED;
		memcpy(out->content + len, p, line);
		out->content[len + line] = '\n';
		len += line + 1;
	}
	/* The newline behind the last line was not in the original. */
	if (len != out->len + 1)
		return ERR_MALFORMED;
	out->content[out->len] = '\0';
	return OK;
}

/* --- reading ----------------------------------------------------- */

static enum err text_read(const char *path, struct text *out, struct diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t got = 1;

	out->len = 0;
	if (fd < 0)
		return errno == ENOENT ? ERR_NOT_FOUND
				       : diag_sys(diag, ERR_IO, "%s", path);
	while (got > 0 && out->len < sizeof(out->b)) {
		got = read(fd, out->b + out->len, sizeof(out->b) - out->len);
		if (got > 0)
			out->len += (size_t)got;
	}
	close(fd);
	if (got != 0)
		return diag_set(diag, ERR_IO, "%s cannot be kept: too long",
				path);
	return OK;
}

/* A file that is mounted there (containers, ip netns exec) cannot be
 * replaced, only written. */
static bool is_mounted(const char *path)
{
	struct statx stx;

	return statx(AT_FDCWD, path, 0, STATX_BASIC_STATS, &stx) == 0 &&
	       (stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) &&
	       (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/* What is at path now, where it is not ours. */
static enum err original_look(const char *path, const struct text *t,
			      struct original *out, struct diag *diag)
{
	struct stat st;
	ssize_t len;

	out->mode = 0644;
	out->len = 0;
	out->kind = ORIGINAL_NONE;
	/* A link to a mounted file stays as it is: the file is written. */
	if ((is_mounted(path) ? stat(path, &st) : lstat(path, &st)) < 0)
		return errno == ENOENT ? OK
				       : diag_sys(diag, ERR_IO, "%s", path);
	out->mode = st.st_mode & 07777;
	if (S_ISLNK(st.st_mode)) {
		len = readlink(path, out->content, FILE_MAX);
		if (len <= 0)
			return diag_sys(diag, ERR_IO, "%s", path);
		out->kind = ORIGINAL_LINK;
		out->len = (size_t)len;
	} else if (S_ISREG(st.st_mode) && t->len <= FILE_MAX) {
		memcpy(out->content, t->b, t->len);
		out->kind = ORIGINAL_FILE;
		out->len = t->len;
	} else {
		return diag_set(diag, ERR_IO, "%s is not a usual file", path);
	}
	out->content[out->len] = '\0';
	return OK;
}

/* --- writing ----------------------------------------------------- */

/* The old octets behind a shorter text become empty lines before they go:
 * cut off at any point, the file reads like the new text. */
static enum err write_in_place(const char *path, const char *b, size_t len)
{
	static char padded[OURS_MAX];
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	size_t all = len;
	enum err e = ERR_IO;

	if (fd < 0)
		return ERR_IO;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		if ((size_t)st.st_size > all &&
		    (size_t)st.st_size <= sizeof(padded))
			all = (size_t)st.st_size;
		memset(padded, '\n', sizeof(padded));
		memcpy(padded, b, len);
		if (pwrite(fd, padded, all, 0) == (ssize_t)all &&
		    ftruncate(fd, (off_t)len) == 0)
			e = OK;
	}
	fsync(fd);
	close(fd);
	return e;
}

static void temp_name(const char *path, char out[PATH_MAX])
{
	const char *slash = strrchr(path, '/');
	int dir = slash ? (int)(slash + 1 - path) : 0;

	snprintf(out, PATH_MAX, "%.*s.%s.vpn-netd", dir, path, path + dir);
}

static enum err write_beside(const char *path, const struct original *o,
			     struct bytes text)
{
	char temp[PATH_MAX];
	int fd;
	bool done;

	temp_name(path, temp);
	unlink(temp); /* of a crash */
	if (o->kind == ORIGINAL_LINK) {
		if (symlink((const char *)text.p, temp) < 0)
			return ERR_IO;
	} else {
		fd = open(temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (fd < 0)
			return ERR_IO;
		done = write(fd, text.p, text.len) == (ssize_t)text.len &&
		       fchmod(fd, o->mode) == 0 && fsync(fd) == 0;
		close(fd);
		if (!done) {
			unlink(temp);
			return ERR_IO;
		}
	}
	if (rename(temp, path) == 0)
		return OK;
	unlink(temp);
	return ERR_IO;
}

/* A file of another owner keeps him only when it is written in place. */
static bool is_foreign(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && S_ISREG(st.st_mode) &&
	       st.st_uid != geteuid();
}

static enum err original_restore(const char *path, const struct original *o,
				 struct diag *diag)
{
	struct bytes content = bytes(o->content, o->len);
	enum err e;

	if (o->kind == ORIGINAL_NONE)
		e = unlink(path) == 0 ? OK : ERR_IO;
	else if (o->kind == ORIGINAL_FILE &&
		 (is_mounted(path) || is_foreign(path)))
		e = write_in_place(path, o->content, o->len);
	else
		e = write_beside(path, o, content);
	if (e && o->kind == ORIGINAL_FILE)
		e = write_in_place(path, o->content, o->len);
	return e ? diag_sys(diag, e, "putting %s back", path) : OK;
}

static enum err ours_write(const char *path, struct original *o,
			   struct bytes lines, struct text *text,
			   struct diag *diag)
{
	struct original plain = {.kind = ORIGINAL_FILE, .mode = o->mode};
	bool in_place = is_mounted(path) || is_foreign(path);
	enum err e;

	if (o->kind == ORIGINAL_LINK)
		plain.mode = 0644;
	e = text_make(o, lines, text);
	if (e)
		return diag_set(diag, e, "%s is too long to keep", path);
	if (!in_place)
		e = write_beside(path, &plain, bytes(text->b, text->len));
	/* A folder that cannot be written to is no reason to give up. */
	if (in_place || (e && o->kind == ORIGINAL_FILE))
		e = write_in_place(path, text->b, text->len);
	return e ? diag_sys(diag, e, "writing %s", path) : OK;
}

/* --- the two verbs ----------------------------------------------- */

enum err dns_file_apply(const char *path, struct bytes lines, struct diag *diag)
{
	/* One file at a time; too large for the stack. */
	static struct text text;
	static struct original original;
	bool ours;
	enum err e;

	memset(&original, 0, sizeof(original));
	e = text_read(path, &text, diag);
	if (e && e != ERR_NOT_FOUND)
		return e;
	ours = !e && text_is_ours(&text);
	if (!ours && lines.len == 0)
		return OK;
	if (ours && text_unquote(&text, &original))
		return diag_set(diag, ERR_MALFORMED,
				"%s was changed by hand: left alone", path);
	if (!ours) {
		e = original_look(path, &text, &original, diag);
		if (e)
			return e;
	}
	if (lines.len == 0)
		return original_restore(path, &original, diag);
	return ours_write(path, &original, lines, &text, diag);
}

bool dns_file_is_ours(const char *path)
{
	char head[sizeof(OURS_HEAD) - 1];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t len;

	if (fd < 0)
		return false;
	len = read(fd, head, sizeof(head));
	close(fd);
	return len == (ssize_t)sizeof(head) &&
	       memcmp(head, OURS_HEAD, sizeof(head)) == 0;
}

size_t dns_file_lines(const struct net_conf *conf, char *buf, size_t cap)
{
	char addr[ADDR_STR_MAX];
	size_t len = 0;

	if (conf->n_dns == 0 || cap == 0)
		return 0;
	for (size_t i = 0; i < conf->n_dns && len < cap; i++)
		len += (size_t)snprintf(buf + len, cap - len, "nameserver %s\n",
					addr_str(&conf->dns[i], addr));
	for (size_t i = 0; i < conf->n_domains && len < cap; i++)
		len += (size_t)snprintf(buf + len, cap - len, "%s%s%s",
					i == 0 ? "search " : " ",
					conf->domains[i],
					i + 1u == conf->n_domains ? "\n" : "");
	return len < cap ? len : 0;
}
