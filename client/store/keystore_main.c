/* One request on standard input, one answer on standard output. */
#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "client/store/keystore.h"
#include "platform/os.h"

/* Longer than anybody waits for us. */
#define LIFE_S 15

void keystore_refuse(struct keystore_reply *out, enum keystore_status status,
		     const char *fmt, ...)
{
	va_list args;

	out->status = status;
	va_start(args, fmt);
	vsnprintf(out->text, sizeof(out->text), fmt, args);
	va_end(args);
}

static enum err request_receive(struct keystore_request *out)
{
	uint8_t buf[KEYSTORE_MSG_MAX];
	size_t len = 0;
	ssize_t got = 1;
	enum err e;

	while (got != 0 && len < sizeof(buf)) {
		got = read(STDIN_FILENO, buf + len, sizeof(buf) - len);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return ERR_IO;
		len += (size_t)got;
	}
	e = keystore_request_read(bytes(buf, len), out);
	mem_wipe(buf, sizeof(buf));
	return e;
}

static enum err reply_send(const struct keystore_reply *reply)
{
	uint8_t buf[KEYSTORE_MSG_MAX];
	struct wr w = wr_open(buf, sizeof(buf));
	enum err e;

	keystore_reply_write(reply, &w);
	e = wr_finish(&w);
	if (!e && write(STDOUT_FILENO, buf, wr_len(&w)) != (ssize_t)wr_len(&w))
		e = ERR_IO;
	mem_wipe(buf, sizeof(buf));
	return e;
}

static void answer(const struct keystore_request *request,
		   struct keystore_reply *reply)
{
	switch (request->op) {
	case KEYSTORE_PUT:
		keystore_put(request, reply);
		return;
	case KEYSTORE_GET:
		keystore_get(request, reply);
		return;
	case KEYSTORE_DROP:
		keystore_drop(request, reply);
		return;
	}
}

int main(void)
{
	struct keystore_request request;
	struct keystore_reply reply = {.status = KEYSTORE_OK};
	enum err e;

	if (isatty(STDIN_FILENO)) {
		fputs("a part of vpn-connect, which starts it\n", stderr);
		return 2;
	}
	alarm(LIFE_S);
	os_harden_memory();
	e = request_receive(&request);
	if (!e) {
		answer(&request, &reply);
		e = reply_send(&reply);
	}
	mem_wipe(&request, sizeof(request));
	mem_wipe(&reply, sizeof(reply));
	return e ? 1 : 0;
}
