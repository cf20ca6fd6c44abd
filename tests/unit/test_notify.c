#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client/run/notify.h"

/* --- the service manager -------------------------------------------------- */

static struct loop *loop;
static struct notify *notify;
static struct diag diag;
static struct tunnel_status now;
static int manager_fd;
static char address[64];

static void look(void *ctx, struct tunnel_status *out)
{
	*out = now;
}

static void manager_listen(void)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	socklen_t len;

	/* Not in the file system: nothing to clean up. */
	snprintf(address, sizeof(address), "@vpn-connect-test-%ld",
		 (long)getpid());
	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
			  strlen(address));
	memcpy(at.sun_path + 1, address + 1, strlen(address) - 1);
	manager_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_true(manager_fd >= 0);
	assert_int_equal(bind(manager_fd, (struct sockaddr *)&at, len), 0);
}

/* What came, or "". */
static const char *heard(void)
{
	static char text[1024];
	ssize_t len = recv(manager_fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static int setup(void **state)
{
	manager_listen();
	setenv("NOTIFY_SOCKET", address, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	memset(&now, 0, sizeof(now));
	strcpy(now.gateway, "vpn.example.org");
	now.session.state = SES_ST_CONNECTING;
	diag_clear(&diag);
	return loop_new(&loop) == OK ? 0 : -1;
}

static int teardown(void **state)
{
	notify_close(&notify);
	loop_free(&loop);
	close(manager_fd);
	return 0;
}

static void open_ok(void)
{
	assert_int_equal(notify_open(loop, look, NULL, &notify, &diag), OK);
}

/* --- the line ------------------------------------------------------------- */

static void the_line_tells_state_gateway_how_and_ticket(void **state)
{
	static const char start[] =
		"connected to vpn.example.org: resumed in 2 "
		"round trips, ticket until ";
	char line[600];

	now.session.state = SES_ST_UP;
	now.session.resumed = true;
	now.session.connect.round_trips = 2;
	now.has_ticket = true;
	now.ticket_remaining_s = 3600;
	notify_line(&now, line, sizeof(line));
	assert_memory_equal(line, start, strlen(start));
	assert_int_equal(strlen(line), strlen(start) + strlen("23:41"));
	now.ticket_remaining_s = 3 * 86400;
	notify_line(&now, line, sizeof(line));
	assert_int_equal(strlen(line),
			 strlen(start) + strlen("2026-11-26 23:41"));
}

static void a_ticket_past_its_time_is_not_told(void **state)
{
	char line[600];

	now.session.state = SES_ST_WAITING;
	now.has_ticket = true;
	now.ticket_remaining_s = -1;
	strcpy(now.session.last_detail, "the gateway does not answer");
	notify_line(&now, line, sizeof(line));
	assert_string_equal(line, "waiting to try again: vpn.example.org: "
				  "the gateway does not answer");
	now.session.state = SES_ST_UP;
	now.session.connect.round_trips = 6;
	notify_line(&now, line, sizeof(line));
	assert_string_equal(line, "connected to vpn.example.org: full in 6 "
				  "round trips, no ticket");
}

/* --- what is sent, and when ------------------------------------------------
 */

static void without_a_manager_nothing_is_said(void **state)
{
	unsetenv("NOTIFY_SOCKET");
	open_ok();
	assert_null(notify);
	notify_changed(notify);
	assert_string_equal(heard(), "");
}

static void an_address_that_is_no_socket_is_refused(void **state)
{
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(notify_open(loop, look, NULL, &notify, &diag),
			 ERR_USAGE);
	assert_null(notify);
	setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
	diag_clear(&diag);
	assert_int_equal(notify_open(loop, look, NULL, &notify, &diag),
			 ERR_SYS);
	assert_null(notify);
}

static void ready_comes_once_with_the_first_outcome(void **state)
{
	open_ok();
	notify_changed(notify);
	assert_string_equal(heard(), "STATUS=connecting: vpn.example.org");
	now.session.state = SES_ST_NO_PATH;
	notify_changed(notify);
	assert_string_equal(heard(), "READY=1\nSTATUS=waiting for a network: "
				     "vpn.example.org");
	now.session.state = SES_ST_UP;
	notify_changed(notify);
	assert_memory_equal(heard(), "STATUS=connected to", 19);
}

static void the_same_line_is_not_said_twice(void **state)
{
	open_ok();
	notify_changed(notify);
	assert_string_not_equal(heard(), "");
	notify_changed(notify);
	assert_string_equal(heard(), "");
}

static void the_end_is_said(void **state)
{
	open_ok();
	notify_close(&notify);
	assert_string_equal(heard(), "STOPPING=1");
	assert_null(notify);
}

static int signs_left;

static void on_sign(void *ctx)
{
	if (strcmp(heard(), "WATCHDOG=1") == 0 && --signs_left == 0)
		loop_stop(loop);
}

static void the_watchdog_gets_signs_of_life_from_the_loop(void **state)
{
	signs_left = 3;
	setenv("WATCHDOG_USEC", "2000", 1);
	open_ok();
	assert_int_equal(loop_add(loop, manager_fd, on_sign, NULL), OK);
	assert_int_equal(loop_run(loop), OK);
	assert_int_equal(signs_left, 0);
}

static void the_watchdog_of_another_process_is_not_ours(void **state)
{
	setenv("WATCHDOG_USEC", "garbage", 1);
	open_ok();
	notify_close(&notify);
	assert_string_equal(heard(), "STOPPING=1");
	setenv("WATCHDOG_USEC", "2000", 1);
	setenv("WATCHDOG_PID", "1", 1);
	open_ok();
	assert_non_null(notify);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_line_tells_state_gateway_how_and_ticket),
		TEST(a_ticket_past_its_time_is_not_told),
		TEST(without_a_manager_nothing_is_said),
		TEST(an_address_that_is_no_socket_is_refused),
		TEST(ready_comes_once_with_the_first_outcome),
		TEST(the_same_line_is_not_said_twice),
		TEST(the_end_is_said),
		TEST(the_watchdog_gets_signs_of_life_from_the_loop),
		TEST(the_watchdog_of_another_process_is_not_ours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
