#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/run/control.h"
#include "client/run/control_private.h"

static char dir[64];
static struct control_place place = {dir, "work"};
static pid_t server;
static struct diag diag;

/* --- the other process ---------------------------------------------------- */

static struct loop *loop;

static int prompts = 7, seconds = 3600;
static int changes;

static json_t *status_hook(void *ctx)
{
	return json_pack("{s:s, s:i, s:i, s:{s:i}}", "state", "connected",
			 "prompts", prompts, "changes", changes, "ticket",
			 "remaining_s", seconds--);
}

static void down_hook(void *ctx)
{
	loop_stop(loop);
}

/* Something changes, and is told at once. */
static struct control *control;
static void suspend_hook(void *ctx)
{
	changes++;
	control_changed(control);
}

static void forget_hook(void *ctx)
{
	prompts = 0;
}

/* Exit code: enum err. */
static void server_run(int tell)
{
	const struct control_hooks hooks = {NULL, status_hook, down_hook,
					    suspend_hook, forget_hook};
	enum err e = loop_new(&loop);

	if (!e)
		e = control_open(&place, &control, &diag);
	if (!e)
		e = control_serve(control, loop, &hooks, &diag);
	if (write(tell, "x", 1) != 1 || e)
		_exit(e);
	close(tell);
	e = loop_run(loop);
	control_close(&control);
	loop_free(&loop);
	_exit(e);
}

static void server_start(void)
{
	int fds[2];
	char c;

	assert_int_equal(pipe(fds), 0);
	server = fork();
	if (server == 0)
		server_run(fds[1]);
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
}

static int server_end(void)
{
	int status = -1;
	pid_t pid = server;

	server = 0;
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status)
		       ? WEXITSTATUS(status)
		       : -1;
}

static const char *sock_path(void)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/work.sock", dir);
	return path;
}

static int setup(void **state)
{
	strcpy(dir, "/tmp/vpc-control.XXXXXX");
	assert_non_null(mkdtemp(dir));
	place.dir = dir;
	diag_clear(&diag);
	return 0;
}

static int teardown(void **state)
{
	char command[128];

	if (server > 0) {
		kill(server, SIGKILL);
		server_end();
	}
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static enum err ask(const char *method, json_t **out)
{
	struct control_call call = {.place = place,
				    .method = method,
				    .timeout_ms = 5000,
				    .until_end = strcmp(method, "Down") == 0};

	diag_clear(&diag);
	return control_ask(&call, out, &diag);
}

/* --- raw octets --------------------------------------------------------------
 */

static int raw_connect(void)
{
	struct sockaddr_un address;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_int_equal(control_address(&place, &address, &diag), OK);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* One reply; NULL at the end. */
static json_t *raw_read(int fd)
{
	char buf[CONTROL_REPLY_MAX];
	size_t len = 0;

	while (len < sizeof(buf) && read(fd, buf + len, 1) == 1)
		if (buf[len++] == '\0')
			return json_loads(buf, 0, NULL);
	return NULL;
}

static void assert_error(json_t *reply, const char *name)
{
	assert_non_null(reply);
	assert_string_equal(json_string_value(json_object_get(reply, "error")),
			    name);
	json_decref(reply);
}

/* --- tests -------------------------------------------------------------------
 */

static void status_is_answered_by_the_running_tunnel(void **state)
{
	json_t *reply;

	server_start();
	assert_int_equal(ask("Status", &reply), OK);
	assert_string_equal(json_string_value(json_object_get(reply, "state")),
			    "connected");
	assert_int_equal(json_integer_value(json_object_get(reply, "prompts")),
			 7);
	json_decref(reply);
	assert_int_equal(ask("Suspend", &reply), OK);
	json_decref(reply);
}

static void down_returns_when_the_process_has_ended(void **state)
{
	json_t *reply;

	server_start();
	assert_int_equal(ask("Down", &reply), OK);
	json_decref(reply);
	assert_int_equal(access(sock_path(), F_OK), -1);
	assert_int_equal(server_end(), OK);
	assert_int_equal(ask("Status", &reply), ERR_NOT_RUNNING);
}

static void nothing_there_is_not_running(void **state)
{
	json_t *reply;

	assert_int_equal(ask("Status", &reply), ERR_NOT_RUNNING);
	assert_null(reply);
	assert_non_null(strstr(diag.text, "work is not running"));
	place.dir = "/nowhere/at/all";
	assert_int_equal(ask("Status", &reply), ERR_NOT_RUNNING);
}

static void a_second_tunnel_of_the_name_is_busy(void **state)
{
	struct control *second;

	server_start();
	assert_int_equal(control_open(&place, &second, &diag), ERR_BUSY);
	assert_null(second);
	assert_non_null(strstr(diag.text, "already running"));
	place.name = "home";
	diag_clear(&diag);
	assert_int_equal(control_open(&place, &second, &diag), OK);
	control_close(&second);
	place.name = "work";
}

static void the_socket_of_a_dead_process_is_replaced(void **state)
{
	json_t *reply;

	server_start();
	kill(server, SIGKILL);
	server_end();
	assert_int_equal(access(sock_path(), F_OK), 0);
	assert_int_equal(ask("Status", &reply), ERR_NOT_RUNNING);
	server_start();
	assert_int_equal(ask("Status", &reply), OK);
	json_decref(reply);
}

static void a_stopped_process_is_given_up_after_the_time(void **state)
{
	struct control_call call = {
		.place = place, .method = "Status", .timeout_ms = 50};
	json_t *reply;
	int status;

	server_start();
	kill(server, SIGSTOP);
	assert_int_equal(waitpid(server, &status, WUNTRACED), server);
	assert_int_equal(control_ask(&call, &reply, &diag), ERR_NO_ANSWER);
	/* Also when its queue is full. */
	for (int i = 0; i < 20; i++) {
		enum err e = control_ask(&call, &reply, &diag);

		assert_int_equal(e, ERR_NO_ANSWER);
	}
}

static void requests_may_come_in_pieces_or_together(void **state)
{
	static const char one[] = "{\"method\":\"org.vpnconnect.Status\"}";
	char two[2 * sizeof(one)];
	json_t *reply;
	int fd;

	server_start();
	fd = raw_connect();
	for (size_t i = 0; i < sizeof(one); i++)
		assert_int_equal(write(fd, one + i, 1), 1);
	reply = raw_read(fd);
	assert_non_null(json_object_get(reply, "parameters"));
	json_decref(reply);
	memcpy(two, one, sizeof(one));
	memcpy(two + sizeof(one), one, sizeof(one));
	assert_int_equal(write(fd, two, sizeof(two)), sizeof(two));
	for (int i = 0; i < 2; i++) {
		reply = raw_read(fd);
		assert_non_null(json_object_get(reply, "parameters"));
		json_decref(reply);
	}
	close(fd);
}

static void what_is_no_request_gets_an_error(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{"", "org.varlink.service.InvalidParameter"},
		{"[", "org.varlink.service.InvalidParameter"},
		{"[]", "org.varlink.service.InvalidParameter"},
		{"{}", "org.varlink.service.InvalidParameter"},
		{"{\"method\":3}", "org.varlink.service.InvalidParameter"},
		{"{\"method\":\"Status\"}",
		 "org.varlink.service.MethodNotFound"},
		{"{\"method\":\"org.vpnconnect.Reboot\"}",
		 "org.varlink.service.MethodNotFound"},
	};
	int fd;

	server_start();
	fd = raw_connect();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].text) + 1;

		assert_int_equal(write(fd, cases[i].text, len), len);
		assert_error(raw_read(fd), cases[i].error);
	}
	close(fd);
}

static void a_request_without_end_is_cut_off(void **state)
{
	char flood[CONTROL_REQUEST_MAX];
	json_t *reply;
	int fd;

	server_start();
	fd = raw_connect();
	memset(flood, '[', sizeof(flood));
	assert_int_equal(write(fd, flood, sizeof(flood)), sizeof(flood));
	assert_null(raw_read(fd));
	close(fd);
	assert_int_equal(ask("Status", &reply), OK);
	json_decref(reply);
}

static void a_oneway_request_gets_no_reply(void **state)
{
	static const char request[] =
		"{\"method\":\"org.vpnconnect.Down\",\"oneway\":true}";
	int fd;

	server_start();
	fd = raw_connect();
	assert_int_equal(write(fd, request, sizeof(request)), sizeof(request));
	assert_null(raw_read(fd));
	close(fd);
	assert_int_equal(server_end(), OK);
}

static void tools_can_ask_what_there_is(void **state)
{
	static const char info[] =
		"{\"method\":\"org.varlink.service.GetInfo\"}";
	static const char text[] =
		"{\"method\":\"org.varlink.service.GetInterfaceDescription\","
		"\"parameters\":{\"interface\":\"org.vpnconnect\"}}";
	json_t *reply;
	int fd;

	server_start();
	fd = raw_connect();
	assert_int_equal(write(fd, info, sizeof(info)), sizeof(info));
	reply = raw_read(fd);
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(reply, "parameters"), "product")),
		"vpn-connect");
	json_decref(reply);
	assert_int_equal(write(fd, text, sizeof(text)), sizeof(text));
	reply = raw_read(fd);
	assert_non_null(strstr(
		json_string_value(json_object_get(
			json_object_get(reply, "parameters"), "description")),
		"method Suspend() -> ()"));
	json_decref(reply);
	close(fd);
}

static void idle_callers_do_not_shut_others_out(void **state)
{
	json_t *reply;
	int fds[20];

	server_start();
	for (size_t i = 0; i < 20; i++)
		fds[i] = raw_connect();
	assert_int_equal(ask("Status", &reply), OK);
	json_decref(reply);
	for (size_t i = 0; i < 20; i++)
		close(fds[i]);
}

/* The folder keeps others out; should it be opened, the peer's uid does. */
static void another_user_is_not_served(void **state)
{
	int status;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	server_start();
	chmod(dir, 0755);
	chmod(sock_path(), 0666);
	pid = fork();
	if (pid == 0) {
		json_t *reply;

		if (setgid(4711) || setuid(4711))
			_exit(99);
		_exit(ask("Down", &reply));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), ERR_NOT_RUNNING);
	chmod(dir, 0700);
	assert_int_equal(kill(server, 0), 0);
}

/* As a tool that watches would: the first answer, and one for the change;
 * that time goes by is none. */
static void who_watches_is_told_of_changes_only(void **state)
{
	struct control_watch *w;
	json_t *o = NULL, *reply;
	struct pollfd p;

	server_start();
	assert_int_equal(control_watch_open(&place, &w, &diag), OK);
	while (!o)
		assert_int_equal(control_watch_read(w, &o, &diag), OK);
	assert_int_equal(json_integer_value(json_object_get(o, "changes")), 0);
	json_decref(o);
	p = (struct pollfd){.fd = control_watch_fd(w), .events = POLLIN};
	assert_int_equal(poll(&p, 1, 1200), 0);
	assert_int_equal(ask("Suspend", &reply), OK);
	json_decref(reply);
	assert_int_equal(poll(&p, 1, 3000), 1);
	assert_int_equal(control_watch_read(w, &o, &diag), OK);
	assert_int_equal(json_integer_value(json_object_get(o, "changes")), 1);
	json_decref(o);
	kill(server, SIGKILL);
	assert_int_equal(control_watch_read(w, &o, &diag), ERR_NOT_RUNNING);
	control_watch_close(&w);
	assert_null(w);
}

static void replies_to_more_say_that_they_go_on(void **state)
{
	static const char request[] =
		"{\"method\":\"org.vpnconnect.Status\",\"more\":true}";
	json_t *reply;
	int fd;

	server_start();
	fd = raw_connect();
	assert_int_equal(write(fd, request, sizeof(request)), sizeof(request));
	reply = raw_read(fd);
	assert_true(json_is_true(json_object_get(reply, "continues")));
	json_decref(reply);
	close(fd);
}

static void what_was_forgotten_is_gone_when_the_reply_comes(void **state)
{
	json_t *reply;

	server_start();
	assert_int_equal(ask("ForgetTicket", &reply), OK);
	json_decref(reply);
	assert_int_equal(ask("Status", &reply), OK);
	assert_int_equal(json_integer_value(json_object_get(reply, "prompts")),
			 0);
	json_decref(reply);
}

static void a_folder_that_others_may_enter_is_refused(void **state)
{
	struct control *c;

	chmod(dir, 0711);
	assert_int_equal(control_open(&place, &c, &diag), ERR_PERMISSION);
	assert_non_null(strstr(diag.text, "chmod 700"));
	chmod(dir, 0700);
}

static void a_folder_too_long_for_a_socket_is_refused_in_words(void **state)
{
	char name[200];
	struct control *c;

	memset(name, 'd', sizeof(name));
	name[0] = '/';
	name[sizeof(name) - 1] = '\0';
	place.dir = name;
	assert_int_equal(control_open(&place, &c, &diag), ERR_NO_SPACE);
	assert_non_null(strstr(diag.text, "XDG_RUNTIME_DIR"));
}

static void the_list_has_who_listens(void **state)
{
	char names[4][PROFILE_NAME_MAX];

	assert_int_equal(control_list(dir, names, 4), 0);
	assert_int_equal(control_list("/nowhere/at/all", names, 4), 0);
	server_start();
	assert_int_equal(control_list(dir, names, 4), 1);
	assert_string_equal(names[0], "work");
	assert_int_equal(control_list(dir, names, 0), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(status_is_answered_by_the_running_tunnel),
		CASE(down_returns_when_the_process_has_ended),
		CASE(nothing_there_is_not_running),
		CASE(a_second_tunnel_of_the_name_is_busy),
		CASE(the_socket_of_a_dead_process_is_replaced),
		CASE(a_stopped_process_is_given_up_after_the_time),
		CASE(requests_may_come_in_pieces_or_together),
		CASE(what_is_no_request_gets_an_error),
		CASE(a_request_without_end_is_cut_off),
		CASE(a_oneway_request_gets_no_reply),
		CASE(tools_can_ask_what_there_is),
		CASE(idle_callers_do_not_shut_others_out),
		CASE(another_user_is_not_served),
		CASE(who_watches_is_told_of_changes_only),
		CASE(replies_to_more_say_that_they_go_on),
		CASE(what_was_forgotten_is_gone_when_the_reply_comes),
		CASE(a_folder_that_others_may_enter_is_refused),
		CASE(a_folder_too_long_for_a_socket_is_refused_in_words),
		CASE(the_list_has_who_listens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
