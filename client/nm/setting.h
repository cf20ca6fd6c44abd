/* A profile as NetworkManager keeps it: vpn.data has "SECTION-KEY" for
 * "key" under "[section]" (gateway-address, identity-auth, tunnel-networks).
 * No section's name has a hyphen, so the rule needs no table. */
#ifndef CLIENT_NM_SETTING_H
#define CLIENT_NM_SETTING_H

#include <NetworkManager.h>

/* The text of a profile (vpn-connect.conf(5)); free with g_free. Keys that
 * no profile can have are refused, what they mean is not looked at.
 * NM_CONNECTION_ERROR_INVALID_PROPERTY. */
char *setting_to_text(NMSettingVpn *vpn, GError **error);
/* The user that alone may use the connection; NULL where it belongs to
 * nobody, or to several. free with g_free. */
char *setting_owner(NMConnection *connection);

#endif
