#include "config.h"

#include "client/nm/child.h"

#include <errno.h>
#include <poll.h>
#include <pwd.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

#include <NetworkManager.h>

#include "client/nm/channel.h"

#define CORE	  LIBEXECDIR "/nm-vpn-connect-core"
#define NOBODYS	  "nm-vpn-connect"
#define END_MS	  8000
#define LOG_LEVEL "NM_VPN_LOG_LEVEL"
#define PATH_ENV  "/usr/local/bin:/usr/bin:/bin"

static gboolean launch_fail(GError **error, const char *what, const char *why)
{
	g_set_error(error, NM_VPN_PLUGIN_ERROR,
		    NM_VPN_PLUGIN_ERROR_LAUNCH_FAILED, "%s: %s", what, why);
	return FALSE;
}

static char **env_add_id(char **env, const char *key, unsigned id)
{
	g_autofree char *text = g_strdup_printf("%u", id);

	return g_environ_setenv(env, key, text, TRUE);
}

/* As sudo would say who called: the core becomes that user. */
static char **env_of(const struct passwd *pw)
{
	g_autofree char *bus =
		g_strdup_printf("/run/user/%u/bus", (unsigned)pw->pw_uid);
	g_autofree char *address = g_strdup_printf("unix:path=%s", bus);
	const char *level = g_getenv(LOG_LEVEL);
	char **env = NULL;

	env = g_environ_setenv(env, "PATH", PATH_ENV, TRUE);
	env = env_add_id(env, "SUDO_UID", (unsigned)pw->pw_uid);
	env = env_add_id(env, "SUDO_GID", (unsigned)pw->pw_gid);
	/* The way to the desktop's keyring. */
	if (g_file_test(bus, G_FILE_TEST_EXISTS))
		env = g_environ_setenv(env, "DBUS_SESSION_BUS_ADDRESS", address,
				       TRUE);
	if (level)
		env = g_environ_setenv(env, LOG_LEVEL, level, TRUE);
	return env;
}

gboolean child_start(struct child *child, const char *owner, const char *name,
		     GError **error)
{
	const char *const argv[] = {CORE, name, NULL};
	g_autoptr(GSubprocessLauncher) launcher = NULL;
	const char *user = owner ? owner : NOBODYS;
	const struct passwd *pw = getpwnam(user);
	g_auto(GStrv) env = pw ? env_of(pw) : NULL;
	int sv[2];

	if (!pw)
		return launch_fail(
			error, user,
			"no such user (systemd-sysusers makes " NOBODYS ")");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sv) < 0)
		return launch_fail(error, "socketpair", g_strerror(errno));
	g_unix_set_fd_nonblocking(sv[0], TRUE, NULL);
	launcher = g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_NONE);
	g_subprocess_launcher_set_environ(launcher, env);
	g_subprocess_launcher_set_cwd(launcher, "/");
	g_subprocess_launcher_take_stdin_fd(launcher, sv[1]);
	child->process = g_subprocess_launcher_spawnv(launcher, argv, error);
	if (!child->process) {
		close(sv[0]);
		return FALSE;
	}
	child->fd = sv[0];
	return TRUE;
}

/* Reads away what it still says. False when it has not ended in time. */
static gboolean end_await(int fd)
{
	gint64 end_us = g_get_monotonic_time() + END_MS * 1000;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	g_autofree uint8_t *buf = g_malloc(CHANNEL_MAX);
	enum channel_kind kind;
	struct bytes body;

	for (;;) {
		gint64 left_ms = (end_us - g_get_monotonic_time()) / 1000;

		if (left_ms <= 0 || poll(&p, 1, (int)left_ms) == 0)
			return FALSE;
		if (channel_receive(fd, buf, &kind, &body) == ERR_GONE)
			return TRUE;
	}
}

void child_stop(struct child *child)
{
	if (!child->process)
		return;
	if (channel_send(child->fd, CHANNEL_SUSPEND, BYTES_NONE) != ERR_GONE &&
	    !end_await(child->fd))
		g_warning("the core does not end: killed");
	/* Its end of the channel lives as long as it does. */
	g_subprocess_force_exit(child->process);
	g_subprocess_wait(child->process, NULL, NULL);
	g_clear_object(&child->process);
	close(child->fd);
	child->fd = -1;
}
