/* The system bus: systemd-resolved and polkit for vpn-netd, logind. libsystemd
 * is loaded when it is first needed: it brings six libraries, more than all the
 * rest of the program, and its start is part of every connection's start. */
#ifndef PLATFORM_LINUX_BUS_H
#define PLATFORM_LINUX_BUS_H

#include "platform/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* Its functions by the name behind sd_bus_ (and sd_bus_message_). Valid
 * after bus_open. */
struct bus_calls {
	int (*open_system)(sd_bus **);
	sd_bus *(*flush_close_unref)(sd_bus *);
	int (*set_method_call_timeout)(sd_bus *, uint64_t);
	int (*get_name_creds)(sd_bus *, const char *, uint64_t,
			      sd_bus_creds **);
	int (*call)(sd_bus *, sd_bus_message *, uint64_t, sd_bus_error *,
		    sd_bus_message **);
	void (*error_free)(sd_bus_error *);
	int (*message_new_method_call)(sd_bus *, sd_bus_message **,
				       const char *, const char *, const char *,
				       const char *);
	sd_bus_message *(*message_unref)(sd_bus_message *);
	int (*message_append)(sd_bus_message *, const char *, ...);
	int (*message_append_array)(sd_bus_message *, char, const void *,
				    size_t);
	int (*message_open_container)(sd_bus_message *, char, const char *);
	int (*message_close_container)(sd_bus_message *);
	int (*message_enter_container)(sd_bus_message *, char, const char *);
	int (*message_read)(sd_bus_message *, const char *, ...);
	/* Without waiting. */
	int (*get_fd)(sd_bus *);
	int (*get_events)(sd_bus *);
	int (*process)(sd_bus *, sd_bus_message **);
	sd_bus *(*close_unref)(sd_bus *);
	int (*match_signal_async)(sd_bus *, sd_bus_slot **, const char *,
				  const char *, const char *, const char *,
				  sd_bus_message_handler_t,
				  sd_bus_message_handler_t, void *);
	int (*call_method_async)(sd_bus *, sd_bus_slot **, const char *,
				 const char *, const char *, const char *,
				 sd_bus_message_handler_t, void *, const char *,
				 ...);
	int (*message_is_method_error)(sd_bus_message *, const char *);
};
extern struct bus_calls bus;

/* Connects; no call waits longer than timeout_ms. NULL where there is no
 * bus, or no libsystemd. gives (bus.flush_close_unref). */
sd_bus *bus_open(uint32_t timeout_ms);

/* One line about a call that failed: the other side's words, else what the
 * number r says. Frees error. */
enum err bus_failed(struct diag *diag, const char *what, sd_bus_error *error,
		    int r);

#endif
