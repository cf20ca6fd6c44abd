#include "config.h"

#include "platform/linux/polkit.h"

#ifdef HAVE_LIBSYSTEMD

#include "platform/linux/bus.h"

#include <poll.h>

/* polkit may have to be started for the question. */
#define CALL_TIMEOUT_MS 8000

/* (sa{sv}) sa{ss}us: subject, action, details, flags, no cancellation. The
 * start time 0 has polkit look it up; it tells processes apart for a polkit
 * that does not know "pidfd" yet (before 124). */
static int fill_question(sd_bus_message *m, const struct polkit_subject *s,
			 const char *action)
{
	return bus.message_append(m, "(sa{sv})sa{ss}us", "unix-process", 4,
				  "pid", "u", (uint32_t)s->pid, "start-time",
				  "t", (uint64_t)0, "uid", "i", (int32_t)s->uid,
				  "pidfd", "h", s->pidfd, action, 0,
				  (uint32_t)0, "");
}

static int ask(sd_bus *b, const struct polkit_subject *s, const char *action,
	       int *out_yes, sd_bus_error *error)
{
	sd_bus_message *m = NULL, *reply = NULL;
	int r, challenge;

	r = bus.message_new_method_call(b, &m, "org.freedesktop.PolicyKit1",
					"/org/freedesktop/PolicyKit1/Authority",
					"org.freedesktop.PolicyKit1.Authority",
					"CheckAuthorization");
	if (r >= 0)
		r = fill_question(m, s, action);
	if (r >= 0)
		r = bus.call(b, m, 0, error, &reply);
	if (r >= 0)
		r = bus.message_enter_container(reply, 'r', "bba{ss}");
	if (r >= 0)
		r = bus.message_read(reply, "bb", out_yes, &challenge);
	bus.message_unref(m);
	bus.message_unref(reply);
	return r;
}

static bool process_lives(int pidfd)
{
	struct pollfd p = {.fd = pidfd, .events = POLLIN};

	return poll(&p, 1, 0) == 0;
}

enum err polkit_check(const struct polkit_subject *subject, const char *action,
		      struct diag *diag)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus *b = bus_open(CALL_TIMEOUT_MS);
	int yes = 0, r;

	if (!b)
		return diag_set(diag, ERR_NOT_FOUND, "no system bus");
	r = ask(b, subject, action, &yes, &error);
	bus.flush_close_unref(b);
	if (r < 0) {
		(void)bus_failed(diag, "polkit", &error, r);
		return ERR_NOT_FOUND;
	}
	bus.error_free(&error);
	/* Alive now, so the number was its own all the time, whatever way
	 * polkit looked at it. */
	return yes && process_lives(subject->pidfd) ? OK : ERR_PERMISSION;
}

#else /* without sd-bus */

enum err polkit_check(const struct polkit_subject *subject, const char *action,
		      struct diag *diag)
{
	return diag_set(diag, ERR_NOT_FOUND, "built without sd-bus");
}

#endif
