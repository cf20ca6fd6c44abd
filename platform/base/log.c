#include "platform/base/log.h"

#include <stddef.h>
#include <stdio.h>

static log_sink *the_sink;
static void *the_ctx;
static enum log_level the_max;

void log_open(log_sink *sink, void *ctx, enum log_level max)
{
	the_sink = sink;
	the_ctx = ctx;
	the_max = max;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	if (!the_sink || level > the_max)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	the_sink(level, text, the_ctx);
}
