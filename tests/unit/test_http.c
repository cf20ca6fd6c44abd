/* HTTP over the loop, against a small server in the same loop. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "client/run/http.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct rig {
	struct loop *loop;
	int listener, peer;
	uint16_t port;
	const char *answer; /* to every request; NULL: silence */
	unsigned requests;
	struct http *http;
	bool free_inside;
	/* What came. */
	unsigned calls;
	enum err why;
	unsigned status;
	char body[256], redirect[256];
};

static void on_peer(void *ctx)
{
	struct rig *rig = ctx;
	char buf[2048];
	ssize_t n = read(rig->peer, buf, sizeof(buf));

	if (n > 0 && rig->answer) {
		rig->requests++;
		assert_int_equal(
			write(rig->peer, rig->answer, strlen(rig->answer)),
			strlen(rig->answer));
	}
	if (n <= 0 || rig->answer) {
		loop_remove(rig->loop, rig->peer);
		close(rig->peer);
		rig->peer = -1;
	}
}

static void on_accept(void *ctx)
{
	struct rig *rig = ctx;

	rig->peer = accept(rig->listener, NULL, NULL);
	assert_true(rig->peer >= 0);
	assert_int_equal(loop_add(rig->loop, rig->peer, on_peer, rig), OK);
}

static int set_up(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct sockaddr_in at = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);

	*state = rig;
	rig->peer = -1;
	rig->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(rig->listener, (struct sockaddr *)&at, len) < 0 ||
	    listen(rig->listener, 8) < 0 ||
	    getsockname(rig->listener, (struct sockaddr *)&at, &len) < 0)
		return -1;
	rig->port = ntohs(at.sin_port);
	if (loop_new(&rig->loop) ||
	    loop_add(rig->loop, rig->listener, on_accept, rig))
		return -1;
	return 0;
}

static int tear_down(void **state)
{
	struct rig *rig = *state;

	http_free(&rig->http);
	if (rig->peer >= 0)
		close(rig->peer);
	close(rig->listener);
	loop_free(&rig->loop);
	free(rig);
	return 0;
}

static void on_done(void *ctx, const struct http_answer *a)
{
	struct rig *rig = ctx;

	rig->calls++;
	rig->why = a->why;
	rig->status = a->status;
	snprintf(rig->body, sizeof(rig->body), "%.*s", (int)a->body.len,
		 (const char *)a->body.p);
	snprintf(rig->redirect, sizeof(rig->redirect), "%s", a->redirect);
	assert_true(a->why == OK || a->detail[0]);
	if (rig->free_inside)
		http_free(&rig->http);
	loop_stop(rig->loop);
}

static void get(struct rig *rig, const char *scheme, struct http_request req)
{
	char url[200];

	snprintf(url, sizeof(url), "%s://127.0.0.1:%u/a", scheme, rig->port);
	req.url = url;
	if (!req.timeout_ms)
		req.timeout_ms = 20000;
	if (!req.max_len)
		req.max_len = 100;
	assert_int_equal(
		http_get(rig->loop, &req, on_done, rig, &rig->http, NULL), OK);
	assert_int_equal(rig->calls, 0);
	assert_int_equal(loop_run(rig->loop), OK);
	assert_int_equal(rig->calls, 1);
}

static const struct http_request plain = {.plain = true};

static void http_get_gives_status_and_body(void **state)
{
	struct rig *rig = *state;

	rig->answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	get(rig, "http", plain);
	assert_int_equal(rig->why, OK);
	assert_int_equal(rig->status, 200);
	assert_string_equal(rig->body, "hello");
	assert_string_equal(rig->redirect, "");
}

static void http_get_may_be_freed_in_its_callback(void **state)
{
	struct rig *rig = *state;

	rig->free_inside = true;
	rig->answer = "HTTP/1.1 204 No Content\r\n\r\n";
	get(rig, "http", plain);
	assert_int_equal(rig->status, 204);
	assert_null(rig->http);
}

static void http_get_tells_a_redirect_and_does_not_follow_it(void **state)
{
	struct rig *rig = *state;

	rig->answer = "HTTP/1.1 302 Found\r\nLocation: /login?x=1\r\n"
		      "Content-Length: 0\r\n\r\n";
	get(rig, "http", plain);
	assert_int_equal(rig->why, OK);
	assert_int_equal(rig->status, 302);
	assert_non_null(strstr(rig->redirect, "/login?x=1"));
	assert_int_equal(rig->requests, 1);
}

static void http_get_follows_as_many_redirects_as_allowed(void **state)
{
	struct rig *rig = *state;
	struct http_request req = plain;

	req.redirects = 2;
	rig->answer = "HTTP/1.1 302 Found\r\nLocation: /again\r\n"
		      "Content-Length: 0\r\nConnection: close\r\n\r\n";
	get(rig, "http", req);
	assert_int_equal(rig->why, ERR_PEER);
	assert_int_equal(rig->requests, 3);
}

static void http_get_follows_no_redirect_to_a_file(void **state)
{
	struct rig *rig = *state;
	struct http_request req = plain;

	req.redirects = 2;
	rig->answer = "HTTP/1.1 302 Found\r\nLocation: file:///etc/hostname\r\n"
		      "Content-Length: 0\r\n\r\n";
	get(rig, "http", req);
	assert_int_equal(rig->why, ERR_USAGE);
	assert_string_equal(rig->body, "");
}

static void http_get_wants_https_unless_told_otherwise(void **state)
{
	struct rig *rig = *state;

	get(rig, "http", (struct http_request){0});
	assert_int_equal(rig->why, ERR_USAGE);
	assert_int_equal(rig->requests, 0);
}

static void http_get_over_https_does_not_take_a_plain_answer(void **state)
{
	struct rig *rig = *state;

	rig->answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	get(rig, "https", (struct http_request){0});
	/* Its close may come before its answer is read. */
	assert_true(rig->why == ERR_PEER || rig->why == ERR_NO_ANSWER);
	assert_string_equal(rig->body, "");
}

static void http_get_stops_at_the_limit_told_by_the_server(void **state)
{
	struct rig *rig = *state;
	struct http_request req = plain;

	req.max_len = 4;
	rig->answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
	get(rig, "http", req);
	assert_int_equal(rig->why, ERR_NO_SPACE);
}

static void http_get_stops_at_the_limit_of_a_body_without_length(void **state)
{
	struct rig *rig = *state;
	struct http_request req = plain;

	req.max_len = 4;
	rig->answer = "HTTP/1.0 200 OK\r\n\r\nhello";
	get(rig, "http", req);
	assert_int_equal(rig->why, ERR_NO_SPACE);
}

static void http_get_takes_a_body_of_exactly_the_limit(void **state)
{
	struct rig *rig = *state;
	struct http_request req = plain;

	req.max_len = 5;
	rig->answer = "HTTP/1.0 200 OK\r\n\r\nhello";
	get(rig, "http", req);
	assert_int_equal(rig->why, OK);
	assert_string_equal(rig->body, "hello");
}

static void http_get_gives_up_a_silent_server(void **state)
{
	struct rig *rig = *state;
	struct http_request req = plain;

	req.timeout_ms = 50;
	get(rig, "http", req);
	assert_int_equal(rig->why, ERR_NO_ANSWER);
}

static void http_get_tells_that_nobody_listens(void **state)
{
	struct rig *rig = *state;

	loop_remove(rig->loop, rig->listener);
	close(rig->listener);
	get(rig, "http", plain);
	assert_int_equal(rig->why, ERR_NO_ANSWER);
	rig->listener = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void http_get_leaves_by_the_interface_that_is_named(void **state)
{
	struct rig *rig = *state;
	struct http_request req = plain;

	req.interface = "lo";
	rig->answer = "HTTP/1.0 200 OK\r\n\r\nhello";
	get(rig, "http", req);
	assert_int_equal(rig->why, OK);
	http_free(&rig->http);
	rig->calls = 0;
	req.interface = "nosuchif0";
	get(rig, "http", req);
	assert_int_equal(rig->why, ERR_NO_ANSWER);
}

static void http_free_ends_a_transfer_on_its_way(void **state)
{
	struct rig *rig = *state;
	struct http_request req = plain;
	char url[100];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", rig->port);
	req.url = url;
	req.timeout_ms = 20000;
	assert_int_equal(
		http_get(rig->loop, &req, on_done, rig, &rig->http, NULL), OK);
	http_free(&rig->http);
	assert_null(rig->http);
	/* Another goes on undisturbed in the same loop. */
	http_get_gives_status_and_body(state);
}

/* --- TLS, against the server of the openssl program ----------------------- */

static char tls_dir[64], tls_cert[100], tls_key[100];

static int run(const char *const *argv)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int fd = open("/dev/null", O_RDWR);

		dup2(fd, 1);
		dup2(fd, 2);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status)
		       ? WEXITSTATUS(status)
		       : -1;
}

/* A certificate of its own for that address. */
static bool tls_make(const char *san)
{
	const char *argv[] = {"openssl",
			      "req",
			      "-x509",
			      "-newkey",
			      "ec",
			      "-pkeyopt",
			      "ec_paramgen_curve:P-256",
			      "-nodes",
			      "-days",
			      "2",
			      "-subj",
			      "/CN=test",
			      "-addext",
			      san,
			      "-keyout",
			      tls_key,
			      "-out",
			      tls_cert,
			      NULL};

	snprintf(tls_dir, sizeof(tls_dir), "/tmp/test_http.XXXXXX");
	if (!mkdtemp(tls_dir))
		return false;
	snprintf(tls_cert, sizeof(tls_cert), "%s/cert.pem", tls_dir);
	snprintf(tls_key, sizeof(tls_key), "%s/key.pem", tls_dir);
	return run(argv) == 0;
}

static void tls_clean(void)
{
	unlink(tls_cert);
	unlink(tls_key);
	rmdir(tls_dir);
}

/* Says its port in the line "ACCEPT 127.0.0.1:PORT". */
static pid_t tls_serve(uint16_t *out_port)
{
	char line[200];
	unsigned port = 0;
	int fds[2];
	FILE *says;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		execlp("openssl", "openssl", "s_server", "-accept",
		       "127.0.0.1:0", "-cert", tls_cert, "-key", tls_key,
		       "-www", NULL);
		_exit(127);
	}
	close(fds[1]);
	says = fdopen(fds[0], "r");
	assert_non_null(says);
	while (port == 0 && fgets(line, sizeof(line), says))
		if (sscanf(line, "ACCEPT 127.0.0.1:%u", &port) != 1)
			port = 0;
	fclose(says);
	*out_port = (uint16_t)port;
	return pid;
}

static void tls_get(struct rig *rig, const char *ca_file)
{
	uint16_t own = rig->port;
	pid_t pid = tls_serve(&rig->port);

	assert_int_not_equal(rig->port, 0);
	get(rig, "https",
	    (struct http_request){.ca_file = ca_file, .max_len = 65536});
	rig->port = own;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static bool has_openssl(void)
{
	static const char *const argv[] = {"openssl", "version", NULL};

	return run(argv) == 0;
}

static void http_get_over_https_trusts_the_ca_that_is_named(void **state)
{
	struct rig *rig = *state;

	if (!has_openssl())
		skip();
	assert_true(tls_make("subjectAltName=IP:127.0.0.1"));
	tls_get(rig, tls_cert);
	tls_clean();
	assert_int_equal(rig->why, OK);
	assert_int_equal(rig->status, 200);
	assert_true(rig->body[0]);
}

static void http_get_over_https_refuses_a_ca_that_is_not_known(void **state)
{
	struct rig *rig = *state;

	if (!has_openssl())
		skip();
	assert_true(tls_make("subjectAltName=IP:127.0.0.1"));
	tls_get(rig, NULL);
	tls_clean();
	assert_int_equal(rig->why, ERR_UNTRUSTED);
	assert_string_equal(rig->body, "");
}

static void http_get_over_https_refuses_a_certificate_of_another(void **state)
{
	struct rig *rig = *state;

	if (!has_openssl())
		skip();
	assert_true(tls_make("subjectAltName=IP:127.0.0.2"));
	tls_get(rig, tls_cert);
	tls_clean();
	assert_int_equal(rig->why, ERR_UNTRUSTED);
}

static void http_get_over_https_needs_the_file_of_its_ca(void **state)
{
	struct rig *rig = *state;

	if (!has_openssl())
		skip();
	assert_true(tls_make("subjectAltName=IP:127.0.0.1"));
	tls_get(rig, "/nonexistent/ca.pem");
	tls_clean();
	assert_int_equal(rig->why, ERR_UNTRUSTED);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(http_get_gives_status_and_body),
		T(http_get_may_be_freed_in_its_callback),
		T(http_get_tells_a_redirect_and_does_not_follow_it),
		T(http_get_follows_as_many_redirects_as_allowed),
		T(http_get_follows_no_redirect_to_a_file),
		T(http_get_wants_https_unless_told_otherwise),
		T(http_get_over_https_does_not_take_a_plain_answer),
		T(http_get_stops_at_the_limit_told_by_the_server),
		T(http_get_stops_at_the_limit_of_a_body_without_length),
		T(http_get_takes_a_body_of_exactly_the_limit),
		T(http_get_gives_up_a_silent_server),
		T(http_get_tells_that_nobody_listens),
		T(http_get_leaves_by_the_interface_that_is_named),
		T(http_free_ends_a_transfer_on_its_way),
		T(http_get_over_https_trusts_the_ca_that_is_named),
		T(http_get_over_https_refuses_a_ca_that_is_not_known),
		T(http_get_over_https_refuses_a_certificate_of_another),
		T(http_get_over_https_needs_the_file_of_its_ca),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
