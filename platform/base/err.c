#include "platform/base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *text;
	int code;
} errs[] = {
#define X(name, text, code) [name] = {#name, text, code},
	ERR_LIST(X)
#undef X
};

static size_t err_index(enum err e)
{
	size_t i = (size_t)e;

	return i < sizeof(errs) / sizeof(errs[0]) ? i : ERR_INTERNAL;
}

const char *err_name(enum err e)
{
	return errs[err_index(e)].name;
}

const char *err_text(enum err e)
{
	return errs[err_index(e)].text;
}

int err_exit_code(enum err e)
{
	return errs[err_index(e)].code;
}

enum err diag_set(struct diag *diag, enum err e, const char *fmt, ...)
{
	va_list ap;

	if (!diag || diag->text[0] != '\0')
		return e;
	va_start(ap, fmt);
	vsnprintf(diag->text, sizeof(diag->text), fmt, ap);
	va_end(ap);
	return e;
}

enum err diag_sys(struct diag *diag, enum err e, const char *fmt, ...)
{
	int saved = errno;
	size_t used;
	va_list ap;

	if (!diag || diag->text[0] != '\0')
		return e;
	va_start(ap, fmt);
	vsnprintf(diag->text, sizeof(diag->text), fmt, ap);
	va_end(ap);
	used = strlen(diag->text);
	snprintf(diag->text + used, sizeof(diag->text) - used, ": %s",
		 strerror(saved));
	return e;
}

void diag_clear(struct diag *diag)
{
	if (diag)
		diag->text[0] = '\0';
}

const char *diag_text(const struct diag *diag, enum err e)
{
	return diag && diag->text[0] != '\0' ? diag->text : err_text(e);
}
