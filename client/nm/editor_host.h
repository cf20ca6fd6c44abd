/* What the plugin, which knows profiles, gives to the page, which knows
 * GTK. */
#ifndef CLIENT_NM_EDITOR_HOST_H
#define CLIENT_NM_EDITOR_HOST_H

#include <NetworkManager.h>

struct editor_host {
	/* Is it a whole profile? The error says what to write instead. */
	gboolean (*check)(NMSettingVpn *vpn, GError **error);
	/* profile_key() */
	const char *(*key)(size_t i, const char **out_section);
};

/* The one symbol of a page's library. host stays the caller's, for good. */
#define EDITOR_FACTORY "vpn_connect_editor_new"
typedef NMVpnEditor *editor_factory_fn(const struct editor_host *host,
				       NMConnection *connection);
editor_factory_fn vpn_connect_editor_new;

#endif
