#include "client/run/http.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/log.h"
#include "platform/os.h"

/* Two families, the resolver's, some on their way out. */
#define SOCKETS_MAX 8
#define CONNECT_MS  10000

/* What is used of libcurl. */
#define CURL_LIST(X)                                                           \
	X(global_init)                                                         \
	X(easy_init)                                                           \
	X(easy_setopt)                                                         \
	X(easy_getinfo)                                                        \
	X(easy_strerror)                                                       \
	X(easy_cleanup)                                                        \
	X(multi_init)                                                          \
	X(multi_setopt)                                                        \
	X(multi_add_handle)                                                    \
	X(multi_remove_handle)                                                 \
	X(multi_socket_action)                                                 \
	X(multi_info_read)                                                     \
	X(multi_cleanup)

static struct {
	void *library;
#define X(name) __typeof__(curl_##name) *name;
	CURL_LIST(X)
#undef X
} curl;

struct http_socket {
	struct http *http;
	int fd; /* -1: a free place */
};

struct http {
	struct loop *loop;
	http_done *done;
	void *ctx;
	CURLM *multi;
	CURL *easy;
	struct http_socket sockets[SOCKETS_MAX];
	int64_t at_ms; /* libcurl wants to be called then */
	uint8_t *body;
	size_t body_len, max_len;
	bool too_long;
	char error[CURL_ERROR_SIZE];
};

static enum err curl_load(struct diag *diag)
{
	static const char *const names[] = {
		"libcurl.so.4", "libcurl-gnutls.so.4", "libcurl.4.dylib",
		"libcurl.so", NULL};
	bool all = true;

	if (curl.library)
		return OK;
	for (size_t i = 0; names[i] && !curl.library; i++)
		curl.library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!curl.library)
		return diag_set(diag, ERR_UNSUPPORTED,
				"no HTTP: install libcurl");
#define X(name)                                                                \
	curl.name = (__typeof__(curl.name))dlsym(curl.library, "curl_" #name); \
	all &= curl.name != NULL;
	CURL_LIST(X)
#undef X
	if (all && curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK)
		return OK;
	dlclose(curl.library);
	curl.library = NULL;
	return diag_set(diag, ERR_UNSUPPORTED, "libcurl is not usable");
}

/* --- the end of a transfer ------------------------------------------------ */

static enum err why_of(const struct http *h, CURLcode code)
{
	switch ((int)code) { /* some of libcurl's hundred */
	case CURLE_OK:
		return OK;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return ERR_NAME;
	case CURLE_COULDNT_CONNECT:
	case CURLE_OPERATION_TIMEDOUT:
	case CURLE_INTERFACE_FAILED:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
		return ERR_NO_ANSWER;
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR:
		return ERR_UNTRUSTED;
	case CURLE_FILESIZE_EXCEEDED:
		return ERR_NO_SPACE;
	case CURLE_WRITE_ERROR:
		return h->too_long ? ERR_NO_SPACE : ERR_NO_MEMORY;
	case CURLE_OUT_OF_MEMORY:
		return ERR_NO_MEMORY;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
		return ERR_USAGE;
	default:
		return ERR_PEER;
	}
}

/* The last thing done with h: the callback may free it. */
static void answer(struct http *h, CURLcode code)
{
	struct http_answer a = {.why = why_of(h, code), .detail = ""};
	char *redirect = NULL;
	long status = 0;

	h->at_ms = INT64_MAX;
	if (code == CURLE_OK) {
		curl.easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
		curl.easy_getinfo(h->easy, CURLINFO_REDIRECT_URL, &redirect);
		a.body = bytes(h->body, h->body_len);
	} else if (h->too_long) {
		a.detail = "the answer is longer than what is allowed";
	} else {
		a.detail = h->error[0] ? h->error : curl.easy_strerror(code);
	}
	a.status = (unsigned)status;
	a.redirect = redirect ? redirect : "";
	h->done(h->ctx, &a);
}

static void drive(struct http *h, curl_socket_t fd)
{
	CURLMsg *msg;
	int n;

	if (curl.multi_socket_action(h->multi, fd, 0, &n) != CURLM_OK) {
		answer(h, CURLE_FAILED_INIT);
		return;
	}
	while ((msg = curl.multi_info_read(h->multi, &n)) != NULL) {
		if (msg->msg == CURLMSG_DONE) {
			answer(h, msg->data.result);
			return;
		}
	}
}

/* --- between libcurl and the loop ----------------------------------------- */

static void on_socket(void *ctx)
{
	const struct http_socket *s = ctx;

	drive(s->http, s->fd);
}

static int64_t deadline_of(void *ctx)
{
	const struct http *h = ctx;

	return h->at_ms;
}

static void on_timer(void *ctx)
{
	struct http *h = ctx;

	h->at_ms = INT64_MAX;
	drive(h, CURL_SOCKET_TIMEOUT);
}

static int timer_wanted(CURLM *multi, long wait_ms, void *ctx)
{
	struct http *h = ctx;

	h->at_ms = wait_ms < 0 ? INT64_MAX : os_now().boot_ms + wait_ms;
	return 0;
}

static struct http_socket *socket_find(struct http *h, int fd)
{
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (h->sockets[i].fd == fd)
			return &h->sockets[i];
	return NULL;
}

static void socket_forget(struct http *h, struct http_socket *s)
{
	if (!s)
		return;
	loop_remove(h->loop, s->fd);
	s->fd = -1;
}

static int socket_wanted(CURL *easy, curl_socket_t fd, int what, void *ctx,
			 void *unused)
{
	struct http *h = ctx;
	struct http_socket *s = socket_find(h, fd);

	if (what == CURL_POLL_REMOVE || what == CURL_POLL_NONE) {
		socket_forget(h, s);
		return 0;
	}
	if (!s) {
		s = socket_find(h, -1);
		if (!s || loop_add(h->loop, fd, on_socket, s) != OK)
			return -1;
		s->fd = fd;
	}
	loop_watch_write(h->loop, fd, what & CURL_POLL_OUT);
	return 0;
}

static size_t body_take(char *p, size_t size, size_t n, void *ctx)
{
	struct http *h = ctx;
	size_t len = size * n;

	if (len > h->max_len - h->body_len) {
		h->too_long = true;
		return 0;
	}
	memcpy(h->body + h->body_len, p, len);
	h->body_len += len;
	return len;
}

/* --- the start ------------------------------------------------------------ */

static bool set_text(struct http *h, CURLoption option, const char *text)
{
	return curl.easy_setopt(h->easy, option, text) == CURLE_OK;
}

static bool set_number(struct http *h, CURLoption option, long value)
{
	return curl.easy_setopt(h->easy, option, value) == CURLE_OK;
}

/* By this interface and no proxy: it is the network there that is asked. */
static bool set_interface(struct http *h, const char *name)
{
	char text[64];

	if (!name)
		return true;
	snprintf(text, sizeof(text), "if!%s", name);
	return set_text(h, CURLOPT_INTERFACE, text) &&
	       set_text(h, CURLOPT_NOPROXY, "*");
}

static bool set_request(struct http *h, const struct http_request *req)
{
	const char *protocols = req->plain ? "http,https" : "https";

	return set_text(h, CURLOPT_URL, req->url) &&
	       set_text(h, CURLOPT_PROTOCOLS_STR, protocols) &&
	       set_text(h, CURLOPT_REDIR_PROTOCOLS_STR, protocols) &&
	       set_text(h, CURLOPT_USERAGENT, "vpn-connect") &&
	       (!req->ca_file || (set_text(h, CURLOPT_CAINFO, req->ca_file) &&
				  set_text(h, CURLOPT_CAPATH, NULL))) &&
	       set_interface(h, req->interface) &&
	       set_number(h, CURLOPT_NOSIGNAL, 1) &&
	       set_number(h, CURLOPT_FOLLOWLOCATION, req->redirects > 0) &&
	       set_number(h, CURLOPT_MAXREDIRS, req->redirects) &&
	       set_number(h, CURLOPT_TIMEOUT_MS, (long)req->timeout_ms) &&
	       set_number(h, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS) &&
	       set_number(h, CURLOPT_MAXFILESIZE, (long)req->max_len) &&
	       curl.easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->error) ==
		       CURLE_OK &&
	       curl.easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, body_take) ==
		       CURLE_OK &&
	       curl.easy_setopt(h->easy, CURLOPT_WRITEDATA, h) == CURLE_OK;
}

static bool set_multi(struct http *h)
{
	return curl.multi_setopt(h->multi, CURLMOPT_SOCKETFUNCTION,
				 socket_wanted) == CURLM_OK &&
	       curl.multi_setopt(h->multi, CURLMOPT_SOCKETDATA, h) ==
		       CURLM_OK &&
	       curl.multi_setopt(h->multi, CURLMOPT_TIMERFUNCTION,
				 timer_wanted) == CURLM_OK &&
	       curl.multi_setopt(h->multi, CURLMOPT_TIMERDATA, h) == CURLM_OK;
}

enum err http_get(struct loop *loop, const struct http_request *req,
		  http_done *done, void *ctx, struct http **out,
		  struct diag *diag)
{
	struct http *h;
	enum err e;

	*out = NULL;
	if (req->timeout_ms == 0)
		return ERR_USAGE;
	e = curl_load(diag);
	if (e)
		return e;
	h = calloc(1, sizeof(*h));
	if (!h)
		return ERR_NO_MEMORY;
	h->loop = loop;
	h->done = done;
	h->ctx = ctx;
	h->at_ms = INT64_MAX;
	h->max_len = req->max_len;
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		h->sockets[i] = (struct http_socket){h, -1};
	h->body = malloc(req->max_len + 1);
	h->easy = curl.easy_init();
	h->multi = curl.multi_init();
	e = h->body && h->easy && h->multi ? OK : ERR_NO_MEMORY;
	if (!e && !(set_request(h, req) && set_multi(h)))
		e = diag_set(diag, ERR_UNSUPPORTED,
			     "libcurl is too old: 7.85 is needed");
	if (!e)
		e = loop_add_timer(loop, deadline_of, on_timer, h);
	if (!e && curl.multi_add_handle(h->multi, h->easy) != CURLM_OK)
		e = ERR_INTERNAL;
	*out = h;
	if (e)
		http_free(out);
	return e;
}

void http_free(struct http **hp)
{
	struct http *h = *hp;

	if (!h)
		return;
	loop_remove_timer(h->loop, on_timer, h);
	if (h->multi && h->easy)
		curl.multi_remove_handle(h->multi, h->easy);
	if (h->easy)
		curl.easy_cleanup(h->easy);
	if (h->multi)
		curl.multi_cleanup(h->multi);
	for (size_t i = 0; i < SOCKETS_MAX; i++)
		if (h->sockets[i].fd >= 0)
			socket_forget(h, &h->sockets[i]);
	free(h->body);
	free(h);
	*hp = NULL;
}
