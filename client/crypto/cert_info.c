#include "client/crypto/cert_info.h"

#include <stdio.h>
#include <string.h>

#include "client/crypto/der.h"
#include "client/crypto/dn.h"
#include "client/crypto/x509.h"

#define NAME_DER_MAX 512

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

/* False where the text would not mean the same name. */
static bool subject_write(struct bytes name, char *buf, size_t cap)
{
	uint8_t der[NAME_DER_MAX];
	struct wr w = wr_open(der, sizeof(der));

	return dn_parse(bytes_str(dn_text(name, buf, cap)), &w, NULL) == OK &&
	       wr_ok(&w) && dn_equal(name, wr_view(&w));
}

enum err cert_identity(struct bytes der, char *buf, size_t cap)
{
	struct x509 cert;
	enum err e = x509_parse(der, &cert);

	if (e)
		return e;
	return name_find(&cert, GN_EMAIL, buf, cap) ||
			       name_find(&cert, GN_DNS, buf, cap) ||
			       subject_write(cert.subject, buf, cap)
		       ? OK
		       : ERR_NOT_FOUND;
}

struct bytes cert_subject_name(struct bytes cert_der)
{
	struct x509 c;

	return x509_parse(cert_der, &c) == OK ? c.subject : BYTES_NONE;
}

const char *cert_subject(struct bytes cert_der, char *buf, size_t cap)
{
	struct bytes name = cert_subject_name(cert_der);

	if (name.len == 0) {
		snprintf(buf, cap, "(not a certificate)");
		return buf;
	}
	return dn_text(name, buf, cap);
}
