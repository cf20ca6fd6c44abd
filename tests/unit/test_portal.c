/* Networks where somebody must sign in: what an answer says, and when the page
 * is asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include "client/run/portal.h"

#include <string.h>

#define PAGE "http://page.example/check"

static char where[PORTAL_URL_MAX];

static enum portal_verdict judge(unsigned status, const char *body,
				 const char *redirect, const char *text)
{
	const struct http_answer a = {.why = OK,
				      .detail = "",
				      .status = status,
				      .body = bytes_str(body),
				      .redirect = redirect};

	return portal_judge(&a, PAGE, text, where);
}

static void portal_page_that_is_as_expected_is_open(void **state)
{
	assert_int_equal(judge(204, "", "", ""), PORTAL_OPEN);
	assert_int_equal(judge(200, "", "", ""), PORTAL_OPEN);
	assert_int_equal(judge(200, "all is well\n", "", "all is well"),
			 PORTAL_OPEN);
	assert_string_equal(where, "");
}

static void portal_another_page_is_somebody_to_sign_in_at(void **state)
{
	assert_int_equal(judge(200, "<html>Welcome", "", ""), PORTAL_SIGN_IN);
	assert_string_equal(where, PAGE);
	assert_int_equal(judge(200, "<html>Welcome", "", "all is well"),
			 PORTAL_SIGN_IN);
	assert_int_equal(judge(200, "all", "", "all is well"), PORTAL_SIGN_IN);
	assert_int_equal(judge(204, "", "", "all is well"), PORTAL_SIGN_IN);
}

static void portal_redirect_says_where_to_sign_in(void **state)
{
	assert_int_equal(judge(302, "", "https://hotel.example/in?u=1", ""),
			 PORTAL_SIGN_IN);
	assert_string_equal(where, "https://hotel.example/in?u=1");
	assert_int_equal(judge(511, "<html>", "", ""), PORTAL_SIGN_IN);
	assert_string_equal(where, PAGE);
}

static void
portal_redirect_that_a_terminal_should_not_show_is_not_shown(void **state)
{
	static char longer[PORTAL_URL_MAX + 8];

	judge(302, "", "http://x/\033[2J", "");
	assert_string_equal(where, PAGE);
	judge(302, "", "javascript:alert(1)", "");
	assert_string_equal(where, PAGE);
	judge(302, "", "http://x/a b", "");
	assert_string_equal(where, PAGE);
	memset(longer, 'a', sizeof(longer) - 1);
	memcpy(longer, "http://x/", 9);
	judge(302, "", longer, "");
	assert_string_equal(where, PAGE);
	longer[PORTAL_URL_MAX - 1] = '\0';
	judge(302, "", longer, "");
	assert_string_equal(where, longer);
}

static void portal_page_longer_than_any_of_ours_is_somebody_elses(void **state)
{
	const struct http_answer a = {
		.why = ERR_NO_SPACE, .detail = "long", .redirect = ""};

	assert_int_equal(portal_judge(&a, PAGE, "", where), PORTAL_SIGN_IN);
}

static void portal_no_answer_says_nothing(void **state)
{
	static const enum err whys[] = {ERR_NAME, ERR_NO_ANSWER, ERR_UNTRUSTED,
					ERR_PEER, ERR_NO_MEMORY};

	for (size_t i = 0; i < sizeof(whys) / sizeof(whys[0]); i++) {
		const struct http_answer a = {
			.why = whys[i], .detail = "x", .redirect = ""};

		assert_int_equal(portal_judge(&a, PAGE, "", where),
				 PORTAL_UNKNOWN);
		assert_string_equal(where, "");
	}
}

static void portal_wrong_url_or_a_sick_server_is_no_portal(void **state)
{
	assert_int_equal(judge(404, "not here", "", ""), PORTAL_UNKNOWN);
	assert_int_equal(judge(503, "later", "", ""), PORTAL_UNKNOWN);
}

/* --- when ----------------------------------------------------------------- */

static unsigned looked;

static bool on_interface(void *ctx, char out[PORTAL_INTERFACE_MAX])
{
	looked++;
	loop_stop(ctx);
	return false;
}

static void on_closed(void *ctx, const char *url)
{
	fail();
}

static void on_opened(void *ctx)
{
	fail();
}

static void at_once(void *ctx)
{
	loop_stop(ctx);
}

static int64_t zero(void *ctx)
{
	return 0;
}

static void
portal_is_not_asked_for_before_the_gateway_had_its_time(void **state)
{
	struct loop *loop;
	struct portal *p;
	struct portal_hooks hooks = {NULL, on_interface, on_closed, on_opened};

	assert_int_equal(loop_new(&loop), OK);
	hooks.ctx = loop;
	assert_int_equal(portal_new(loop, PAGE, "", &hooks, &p), OK);
	assert_int_equal(loop_add_timer(loop, zero, at_once, loop), OK);
	looked = 0;
	portal_await(p);
	assert_int_equal(loop_run(loop), OK);
	assert_int_equal(looked, 0);
	portal_look(p); /* nothing is known: nothing to look at */
	assert_int_equal(loop_run(loop), OK);
	assert_int_equal(looked, 0);
	assert_string_equal(portal_url(p), "");
	portal_rest(p);
	portal_free(&p);
	assert_null(p);
	loop_free(&loop);
}

int main(void)
{
#define T(name) cmocka_unit_test(name)
	const struct CMUnitTest tests[] = {
		T(portal_page_that_is_as_expected_is_open),
		T(portal_another_page_is_somebody_to_sign_in_at),
		T(portal_redirect_says_where_to_sign_in),
		T(portal_redirect_that_a_terminal_should_not_show_is_not_shown),
		T(portal_page_longer_than_any_of_ours_is_somebody_elses),
		T(portal_no_answer_says_nothing),
		T(portal_wrong_url_or_a_sick_server_is_no_portal),
		T(portal_is_not_asked_for_before_the_gateway_had_its_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
