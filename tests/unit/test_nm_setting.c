/* A connection of NetworkManager as a profile. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "client/nm/setting.h"
#include "client/session/profile.h"

static NMSettingVpn *vpn_of(const char *const pairs[][2], size_t n)
{
	NMSettingVpn *vpn = NM_SETTING_VPN(nm_setting_vpn_new());

	for (size_t i = 0; i < n; i++)
		nm_setting_vpn_add_data_item(vpn, pairs[i][0], pairs[i][1]);
	return vpn;
}

static void keys_come_under_their_sections(void **state)
{
	static const char *const pairs[][2] = {
		{"identity-auth", "psk"},
		{"gateway-address", "vpn.example.org"},
		{"resumption-ticket-renewal", "auto"},
		{"gateway-id", "gw"},
		{"password-flags", "1"}};
	g_autoptr(NMSettingVpn) vpn = vpn_of(pairs, 5);
	g_autofree char *text = setting_to_text(vpn, NULL);

	assert_string_equal(text, "[gateway]\n"
				  "address = vpn.example.org\n"
				  "id = gw\n"
				  "[identity]\n"
				  "auth = psk\n"
				  "[resumption]\n"
				  "ticket-renewal = auto\n");
}

static void many_networks_make_a_profile_with_all_of_them(void **state)
{
	g_autoptr(GString) networks = g_string_new("10.0.0.0/24");
	g_autofree struct profile *p = g_new0(struct profile, 1);
	g_autoptr(NMSettingVpn) vpn = NULL;
	g_autofree char *text = NULL;
	struct diag diag = DIAG_INIT;

	for (int i = 1; i < PROFILE_NETWORKS_MAX; i++)
		g_string_append_printf(networks, ", 10.%d.0.0/24", i);
	vpn = vpn_of(
		(const char *const[][2]){{"gateway-address", "a.test"},
					 {"identity-auth", "psk"},
					 {"identity-id", "b@a.test"},
					 {"tunnel-networks", networks->str}},
		4);
	text = setting_to_text(vpn, NULL);
	assert_int_equal(profile_parse("x", text, p, &diag), OK);
	assert_int_equal(p->n_networks, PROFILE_NETWORKS_MAX);
}

/* What INI would read as something else must not get through. */
static void values_that_would_change_are_refused(void **state)
{
	static const char *const bad[][2] = {
		{"gateway-address", "a\n[tunnel]\nmtu = 9000"},
		{"gateway-address", "a ;comment"},
		{"gateway-address", ";a"},
		{"gateway-address", " a"},
		{"gateway-address", "a "},
		{"gateway", "a"},
		{"gateway-", "a"},
		{"-address", "a"},
		{"gateway-a]b", "a"},
		{"gateway-a=b", "a"}};

	for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
		g_autoptr(NMSettingVpn) vpn = vpn_of(&bad[i], 1);
		g_autoptr(GError) error = NULL;

		assert_null(setting_to_text(vpn, &error));
		assert_true(
			g_error_matches(error, NM_CONNECTION_ERROR,
					NM_CONNECTION_ERROR_INVALID_PROPERTY));
	}
}

static NMConnection *connection_of(const char *const *users)
{
	NMConnection *c = nm_simple_connection_new();
	NMSetting *s = nm_setting_connection_new();

	for (; *users; users++)
		nm_setting_connection_add_permission(NM_SETTING_CONNECTION(s),
						     "user", *users, NULL);
	nm_connection_add_setting(c, s);
	return c;
}

static void only_a_single_user_owns_a_connection(void **state)
{
	g_autoptr(NMConnection) nobodys =
		connection_of((const char *const[]){NULL});
	g_autoptr(NMConnection) ones =
		connection_of((const char *const[]){"alice", NULL});
	g_autoptr(NMConnection) twos =
		connection_of((const char *const[]){"alice", "bob", NULL});
	g_autofree char *owner = setting_owner(ones);

	assert_string_equal(owner, "alice");
	assert_null(setting_owner(nobodys));
	assert_null(setting_owner(twos));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_come_under_their_sections),
		cmocka_unit_test(many_networks_make_a_profile_with_all_of_them),
		cmocka_unit_test(values_that_would_change_are_refused),
		cmocka_unit_test(only_a_single_user_owns_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
