#include "config.h"

#ifdef HAVE_LIBSYSTEMD

#include "platform/linux/bus.h"

#include <dlfcn.h>
#include <string.h>

struct bus_calls bus;

static bool symbol_load(void *lib, const char *name, void *out_fn)
{
	void *p = dlsym(lib, name);

	memcpy(out_fn, &p, sizeof(p));
	return p != NULL;
}

static bool bus_load(void)
{
	static bool loaded;
	void *lib;

	if (loaded)
		return true;
	lib = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return false;
	loaded = true;
#define LOAD(name)                                                             \
	loaded = symbol_load(lib, "sd_bus_" #name, &bus.name) && loaded
	LOAD(open_system);
	LOAD(flush_close_unref);
	LOAD(set_method_call_timeout);
	LOAD(get_name_creds);
	LOAD(call);
	LOAD(error_free);
	LOAD(message_new_method_call);
	LOAD(message_unref);
	LOAD(message_append);
	LOAD(message_append_array);
	LOAD(message_open_container);
	LOAD(message_close_container);
	LOAD(message_enter_container);
	LOAD(message_read);
	LOAD(get_fd);
	LOAD(get_events);
	LOAD(process);
	LOAD(close_unref);
	LOAD(match_signal_async);
	LOAD(call_method_async);
	LOAD(message_is_method_error);
#undef LOAD
	return loaded;
}

sd_bus *bus_open(uint32_t timeout_ms)
{
	sd_bus *b = NULL;

	if (!bus_load() || bus.open_system(&b) < 0)
		return NULL;
	bus.set_method_call_timeout(b, timeout_ms * (uint64_t)1000);
	return b;
}

enum err bus_failed(struct diag *diag, const char *what, sd_bus_error *error,
		    int r)
{
	enum err e = diag_set(diag, ERR_SYS, "%s: %s", what,
			      error->message ? error->message : strerror(-r));

	bus.error_free(error);
	return e;
}

#endif
