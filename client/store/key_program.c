#include "config.h"

/* The key kept by the TPM or by the Secret Service: their libraries stay out
 * of this process, in a small program that is started, answers once and ends.
 * It runs as the user, before the process is confined.
 */
#include "client/store/key_backend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/store/keystore_proto.h"

static const char tpm_program[] = "vpn-keystore-tpm";
static const char secret_program[] = "vpn-keystore-secret";

const char *key_program_dir;
/* A TPM takes a second, a service that starts first a few. */
int key_program_wait_ms = 8000;

/* --- the program -----------------------------------------------------------
 */

static bool program_beside(const char *name, char out[PLACE_MAX])
{
	ssize_t len = readlink("/proc/self/exe", out, PLACE_MAX - 1);
	char *slash;

	if (len <= 0)
		return false;
	out[len] = '\0';
	slash = strrchr(out, '/');
	if (!slash || (size_t)(slash + 1 - out) + strlen(name) >= PLACE_MAX)
		return false;
	strcpy(slash + 1, name);
	return access(out, X_OK) == 0;
}

static enum err program_find(const char *name, char out[PLACE_MAX],
			     struct diag *diag)
{
	const char *dir = key_program_dir ? key_program_dir : LIBEXECDIR;
	enum err e;

	if (!key_program_dir && program_beside(name, out))
		return OK;
	e = places_join(out, dir, name, diag);
	if (!e && access(out, X_OK) < 0)
		e = diag_set(diag, ERR_CACHE,
			     "%s is missing: install vpn-connect with it", out);
	return e;
}

/* Signals as at the start: ours are blocked, the program's must not be. */
static enum err program_spawn(const char *path, int fd, pid_t *out_pid,
			      struct diag *diag)
{
	char *const argv[] = {(char *)(uintptr_t)path, NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t set;
	int failed;

	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_init(&files);
	sigemptyset(&set);
	posix_spawnattr_setsigmask(&attr, &set);
	sigaddset(&set, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &set);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK |
						POSIX_SPAWN_SETSIGDEF);
	posix_spawn_file_actions_adddup2(&files, fd, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, fd, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
					 O_WRONLY, 0);
	failed = posix_spawn(out_pid, path, &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	if (!failed)
		return OK;
	errno = failed;
	return diag_sys(diag, ERR_CACHE, "%s", path);
}

/* --- one question ----------------------------------------------------------
 */

static enum err request_send(int fd, const struct keystore_request *request)
{
	uint8_t buf[KEYSTORE_MSG_MAX];
	struct wr w = wr_open(buf, sizeof(buf));
	enum err e;
	ssize_t put;

	keystore_request_write(request, &w);
	e = wr_finish(&w);
	if (!e) {
		/* Fits the socket's buffer: one piece. */
		put = send(fd, buf, wr_len(&w), MSG_NOSIGNAL);
		if (put != (ssize_t)wr_len(&w) || shutdown(fd, SHUT_WR) < 0)
			e = ERR_IO;
	}
	mem_wipe(buf, sizeof(buf));
	return e;
}

/* Until the end of the stream. ERR_NO_ANSWER: in time. */
static enum err reply_receive(int fd, struct keystore_reply *out)
{
	int64_t end_ms = os_now().boot_ms + key_program_wait_ms;
	struct pollfd p = {.fd = fd, .events = POLLIN};
	uint8_t buf[KEYSTORE_MSG_MAX];
	size_t len = 0;
	ssize_t got = 1;
	enum err e = OK;

	while (!e && got != 0 && len < sizeof(buf)) {
		int64_t left_ms = end_ms - os_now().boot_ms;
		int ready = left_ms > 0 ? poll(&p, 1, (int)left_ms) : 0;

		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0) {
			e = ready == 0 ? ERR_NO_ANSWER : ERR_IO;
			break;
		}
		got = read(fd, buf + len, sizeof(buf) - len);
		if (got < 0 && errno != EINTR)
			e = ERR_IO;
		if (got > 0)
			len += (size_t)got;
	}
	if (!e)
		e = keystore_reply_read(bytes(buf, len), out);
	mem_wipe(buf, sizeof(buf));
	return e;
}

static enum err program_talk(const char *name, int fds[2],
			     const struct keystore_request *request,
			     struct keystore_reply *out, struct diag *diag)
{
	char path[PLACE_MAX];
	pid_t pid;
	int status;
	enum err e = program_find(name, path, diag);

	if (!e)
		e = program_spawn(path, fds[1], &pid, diag);
	close(fds[1]);
	if (e)
		return e;
	e = request_send(fds[0], request);
	if (!e)
		e = reply_receive(fds[0], out);
	if (e)
		kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (e == ERR_NO_ANSWER)
		return diag_set(diag, ERR_CACHE,
				"%s did not answer within %d ms", path,
				key_program_wait_ms);
	return e ? diag_set(diag, ERR_CACHE, "%s ended without an answer", path)
		 : OK;
}

/* ERR_NOT_FOUND: gone for good. */
static enum err program_ask(const char *name,
			    const struct keystore_request *request,
			    struct keystore_reply *out, struct diag *diag)
{
	int fds[2];
	enum err e;

	memset(out, 0, sizeof(*out));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return diag_sys(diag, ERR_CACHE, "socketpair");
	e = program_talk(name, fds, request, out, diag);
	close(fds[0]);
	if (e)
		return e;
	switch (out->status) {
	case KEYSTORE_OK:
		return OK;
	case KEYSTORE_NOT_NOW:
		e = ERR_CACHE;
		break;
	case KEYSTORE_GONE:
		e = ERR_NOT_FOUND;
		break;
	}
	return diag_set(diag, e, "%s", out->text);
}

static void request_of(enum keystore_op op, const struct key_slot *slot,
		       struct keystore_request *out)
{
	memset(out, 0, sizeof(*out));
	out->op = op;
	memcpy(out->id, slot->id, sizeof(out->id));
	memcpy(out->blob, slot->blob, slot->blob_len);
	out->blob_len = slot->blob_len;
}

static enum err program_make(const char *name, struct key_slot *slot,
			     bool quiet, struct diag *diag)
{
	struct keystore_request request;
	struct keystore_reply reply;
	enum err e;

	request_of(KEYSTORE_PUT, slot, &request);
	request.quiet = quiet;
	request.key = slot->key;
	e = program_ask(name, &request, &reply, diag);
	secret_wipe(&request.key);
	if (e)
		return e;
	memcpy(slot->blob, reply.blob, reply.blob_len);
	slot->blob_len = reply.blob_len;
	return OK;
}

static enum err program_get(const char *name, struct key_slot *slot,
			    struct diag *diag)
{
	struct keystore_request request;
	struct keystore_reply reply;
	enum err e;

	request_of(KEYSTORE_GET, slot, &request);
	e = program_ask(name, &request, &reply, diag);
	if (!e)
		slot->key = reply.key;
	mem_wipe(&reply, sizeof(reply));
	return e;
}

static enum err program_drop(const char *name, const struct key_slot *slot,
			     struct diag *diag)
{
	struct keystore_request request;
	struct keystore_reply reply;

	request_of(KEYSTORE_DROP, slot, &request);
	return program_ask(name, &request, &reply, diag);
}

/* --- TPM ---------------------------------------------------------------- */

static bool tpm_is_there(struct diag *diag)
{
	char path[PLACE_MAX];

	/* The variable names another one, a software TPM for example. */
	if (!getenv("VPN_CONNECT_TCTI") &&
	    access("/dev/tpmrm0", R_OK | W_OK) < 0) {
		diag_sys(diag, ERR_CACHE,
			 "/dev/tpmrm0 (members of group tss may use it)");
		return false;
	}
	return program_find(tpm_program, path, diag) == OK;
}

static enum err tpm_make(struct key_slot *slot, bool quiet, struct diag *diag)
{
	return program_make(tpm_program, slot, quiet, diag);
}

static enum err tpm_get(struct key_slot *slot, struct diag *diag)
{
	return program_get(tpm_program, slot, diag);
}

/* The TPM keeps nothing: the sealed key lies with us. */
static enum err tpm_drop(const struct key_slot *slot, struct diag *diag)
{
	return OK;
}

const struct key_ops key_tpm_ops = {tpm_is_there, tpm_make, tpm_get, tpm_drop};

/* --- Secret Service --------------------------------------------------------
 */

/* sudo and bare shells lack the address of a bus that is there. */
static bool bus_is_there(void)
{
	char path[64], address[96];

	if (getenv("DBUS_SESSION_BUS_ADDRESS"))
		return true;
	snprintf(path, sizeof(path), "/run/user/%u/bus", (unsigned)geteuid());
	if (access(path, W_OK) < 0)
		return false;
	snprintf(address, sizeof(address), "unix:path=%s", path);
	return setenv("DBUS_SESSION_BUS_ADDRESS", address, 1) == 0;
}

static bool secret_is_there(struct diag *diag)
{
	char path[PLACE_MAX];

	if (!bus_is_there()) {
		diag_set(diag, ERR_CACHE,
			 "no session bus here (DBUS_SESSION_BUS_ADDRESS)");
		return false;
	}
	return program_find(secret_program, path, diag) == OK;
}

static enum err secret_make(struct key_slot *slot, bool quiet,
			    struct diag *diag)
{
	return program_make(secret_program, slot, quiet, diag);
}

static enum err secret_get(struct key_slot *slot, struct diag *diag)
{
	return program_get(secret_program, slot, diag);
}

static enum err secret_drop(const struct key_slot *slot, struct diag *diag)
{
	return program_drop(secret_program, slot, diag);
}

const struct key_ops key_secret_service_ops = {secret_is_there, secret_make,
					       secret_get, secret_drop};
