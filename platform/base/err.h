/* The one error convention of the tree.
 *
 * A function that can fail returns `enum err` (must be used); results leave
 * through out-pointers, last. Detail for a person goes into the caller's
 * `struct diag`; it is logged or printed once, at the top.
 */
#ifndef PLATFORM_BASE_ERR_H
#define PLATFORM_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

/* X(name, what it means, exit code of vpn-connect). The exit codes are
 * documented in vpn-connect(1) and do not change. */
#define ERR_LIST(X)                                                            \
	X(OK, "done", 0)                                                       \
	X(ERR_INTERNAL, "internal error", 1)                                   \
	X(ERR_USAGE, "wrong usage", 2)                                         \
	X(ERR_NO_MEMORY, "out of memory", 1)                                   \
	X(ERR_SYS, "system call failed", 1)                                    \
	X(ERR_IO, "file or socket error", 1)                                   \
	X(ERR_TRUNCATED, "message shorter than it says", 1)                    \
	X(ERR_MALFORMED, "malformed message", 1)                               \
	X(ERR_NO_SPACE, "buffer too small", 1)                                 \
	X(ERR_UNSUPPORTED, "not supported", 1)                                 \
	X(ERR_CRYPTO, "cryptographic operation failed", 1)                     \
	X(ERR_INTEGRITY, "integrity check failed", 1)                          \
	X(ERR_REPLAY, "replayed or too old", 1)                                \
	X(ERR_STATE, "not allowed in this state", 1)                           \
	X(ERR_NOT_FOUND, "not found", 1)                                       \
	X(ERR_PROFILE, "profile is wrong", 3)                                  \
	X(ERR_PERMISSION, "not permitted", 4)                                  \
	X(ERR_NO_HELPER, "network helper is not available", 4)                 \
	X(ERR_NAME, "gateway name does not resolve", 5)                        \
	X(ERR_NO_ANSWER, "gateway does not answer", 6)                         \
	X(ERR_NO_PROPOSAL, "no common algorithm", 7)                           \
	X(ERR_UNTRUSTED, "gateway is not trusted", 8)                          \
	X(ERR_AUTH, "gateway refused the credentials", 9)                      \
	X(ERR_NEEDS_PERSON, "a password is needed and nobody can be asked", 9) \
	X(ERR_TICKET_REFUSED, "gateway refused the ticket", 10)                \
	X(ERR_TS_UNACCEPTABLE, "gateway refused the networks", 11)             \
	X(ERR_PEER, "gateway broke the protocol or gave up", 12)               \
	X(ERR_GONE, "gateway ended the session", 13)                           \
	X(ERR_NOT_RUNNING, "no such tunnel is running", 14)                    \
	X(ERR_BUSY, "already running", 15)                                     \
	X(ERR_CACHE, "ticket cache is not usable", 16)                         \
	X(ERR_EXPIRED, "expired", 17)                                          \
	X(ERR_CANCELLED, "cancelled", 130)

enum err {
#define X(name, text, code) name,
	ERR_LIST(X)
#undef X
};

#define ERR_MUST __attribute__((warn_unused_result))

/* One line for a person: what is wrong and what to do next. No newline at
 * the end; never holds a secret. Zero it before use: DIAG_INIT. */
struct diag {
	char text[320];
};
#define DIAG_INIT                                                              \
	{                                                                      \
		""                                                             \
	}

/* The name in the source, "ERR_TRUNCATED". Never NULL. */
const char *err_name(enum err e);
/* What it means, in lower case, without a full stop. Never NULL. */
const char *err_text(enum err e);
/* Exit code of the command line, 0 to 130. */
int err_exit_code(enum err e);

/* Writes the line into diag (which may be NULL) unless one is there already:
 * the deepest cause wins. Returns e, so `return diag_set(d, ERR_X, ...)`. */
enum err diag_set(struct diag *diag, enum err e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The same, with ": strerror(errno)" at the end. */
enum err diag_sys(struct diag *diag, enum err e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void diag_clear(struct diag *diag);
/* diag's text, or the meaning of e where it is empty. */
const char *diag_text(const struct diag *diag, enum err e);

#endif
