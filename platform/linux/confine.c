/* Landlock by its raw system calls: the C library has no wrappers, and the
 * headers of Debian 12 are older than the kernels we meet. */
#include "config.h"

#include "platform/os.h"

#include "platform/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ACCESS_TRUNCATE (1ull << 14) /* ABI 3, Linux 6.2 */
#define ACCESS_REFER	(1ull << 13) /* ABI 2, Linux 5.19 */

#define ACCESS_READ_FILE (LANDLOCK_ACCESS_FS_READ_FILE)
#define ACCESS_READ	 (ACCESS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE                                                           \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE |      \
	 LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_DIR |         \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK |          \
	 ACCESS_TRUNCATE | ACCESS_REFER)
/* All of ABI 1, so that what no rule names is refused. */
#define ACCESS_ABI1 ((1ull << 13) - 1)
#define ACCESS_FILE                                                            \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_READ_FILE |           \
	 LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_TRUNCATE)

/* What this kernel can refuse; 0 without Landlock. */
static uint64_t access_known(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);
	uint64_t known = ACCESS_ABI1;

	if (abi < 1)
		return 0;
	if (abi >= 2)
		known |= ACCESS_REFER;
	if (abi >= 3)
		known |= ACCESS_TRUNCATE;
	return known;
}

static enum err path_allow(int ruleset, const char *path, uint64_t access,
			   struct diag *diag)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = access};
	struct stat st;
	enum err e = OK;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0) {
		/* What is not there needs no rule. */
		if (errno == ENOENT || errno == EACCES || errno == ENOTDIR)
			return OK;
		return diag_sys(diag, ERR_SYS, "%s", path);
	}
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= ACCESS_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
		    &rule, 0) < 0)
		e = diag_sys(diag, ERR_SYS, "confining to %s", path);
	close(rule.parent_fd);
	return e;
}

static enum err paths_allow(int ruleset, const char *const *paths,
			    uint64_t access, struct diag *diag)
{
	enum err e = OK;

	for (; paths && *paths && !e; paths++)
		e = path_allow(ruleset, *paths, access, diag);
	return e;
}

enum err os_confine(const char *const *read_dirs, const char *const *write_dirs,
		    struct diag *diag)
{
	struct landlock_ruleset_attr attr;
	uint64_t known = access_known();
	enum err e;
	int fd;

	if (known == 0) {
		log_debug("this kernel has no Landlock");
		return OK;
	}
	memset(&attr, 0, sizeof(attr));
	attr.handled_access_fs = known;
	fd = (int)syscall(SYS_landlock_create_ruleset, &attr,
			  sizeof(attr.handled_access_fs), 0);
	if (fd < 0)
		return diag_sys(diag, ERR_SYS, "Landlock");
	e = paths_allow(fd, read_dirs, ACCESS_READ & known, diag);
	if (!e)
		e = paths_allow(fd, write_dirs,
				(ACCESS_READ | ACCESS_WRITE) & known, diag);
	if (!e && (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		   syscall(SYS_landlock_restrict_self, fd, 0) < 0))
		e = diag_sys(diag, ERR_SYS, "Landlock");
	close(fd);
	return e;
}
