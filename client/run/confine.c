#include "client/run/confine.h"

#include <stdlib.h>

#include "client/crypto/crypto.h"
#include "platform/base/log.h"
#include "platform/os.h"

static void cache_open(const struct profile *p, const struct places *places,
		       struct ticket_cache **out)
{
	struct diag diag = DIAG_INIT;
	enum err e;

	if (!p->tickets)
		return;
	e = ticket_cache_open_for(places->state, p, out, &diag);
	if (e)
		log_warn("%s; connecting without tickets", diag_text(&diag, e));
}

static enum err disk_close(const struct profile *p, const struct places *places,
			   struct diag *diag)
{
	const char *const named[] = {p->ca, p->certificate, p->private_key,
				     p->password_file,
				     getenv("CREDENTIALS_DIRECTORY")};
	const char *const writable[] = {places->state, places->run, "/dev/tty",
					"/dev/null", NULL};
	const char *read_only[16] = {"/etc",
				     "/usr",
				     "/lib",
				     "/lib64",
				     "/run/systemd/resolve",
				     "/run/NetworkManager",
				     "/run/resolvconf",
				     "/sys/devices/system/cpu",
				     "/dev/urandom"}; /* wolfSSL's TLS */
	size_t n = 9;

	for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
		if (named[i] && named[i][0] == '/')
			read_only[n++] = named[i];
	return os_confine(read_only, writable, diag);
}

enum err confine_client(const struct profile *p, const struct places *places,
			struct ticket_cache **out_cache, struct diag *diag)
{
	enum err e;

	*out_cache = NULL;
	os_harden_memory();
	e = crypto_open(diag);
	if (e)
		return e;
	cache_open(p, places, out_cache);
	return disk_close(p, places, diag);
}
