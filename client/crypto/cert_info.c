#include "client/crypto/cert_info.h"

#include <string.h>

#include "client/crypto/der.h"
#include "client/crypto/x509.h"

enum err cert_validity(struct bytes der, int64_t *out_not_before,
		       int64_t *out_not_after)
{
	struct x509 cert;
	enum err e = x509_parse(der, &cert);

	if (e)
		return e;
	*out_not_before = cert.not_before;
	*out_not_after = cert.not_after;
	return OK;
}

static bool name_find(const struct x509 *cert, uint8_t wanted, char *buf,
		      size_t cap)
{
	struct rd names = rd_open(cert->san);
	struct bytes name;
	uint8_t tag;

	while (rd_left(&names) > 0 && rd_ok(&names)) {
		name = der_take_any(&names, &tag);
		if (tag != wanted || name.len == 0 || name.len >= cap)
			continue;
		text_safe(name, buf, cap);
		return true;
	}
	return false;
}

enum err cert_identity(struct bytes der, char *buf, size_t cap)
{
	struct x509 cert;
	enum err e = x509_parse(der, &cert);

	if (e)
		return e;
	return name_find(&cert, GN_EMAIL, buf, cap) ||
			       name_find(&cert, GN_DNS, buf, cap)
		       ? OK
		       : ERR_NOT_FOUND;
}
