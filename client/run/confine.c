#include "client/run/confine.h"

#include <stdlib.h>

enum err confine_client(const struct profile *p, const struct places *places,
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
