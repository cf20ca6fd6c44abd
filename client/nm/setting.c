#include "config.h"

#include "client/nm/setting.h"

#include <string.h>

#include "client/nm/nm.h"

#define NETWORKS "tunnel-networks" /* the one value that may be long */

static gint key_compare(gconstpointer a, gconstpointer b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* INI has no quotes: such a value would come out as another one. */
static gboolean value_is_plain(const char *value)
{
	for (const char *p = value; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return FALSE;
		if (*p == ';' && (p == value || p[-1] == ' '))
			return FALSE;
	}
	return value[0] && value[0] != ' ' && !g_str_has_suffix(value, " ");
}

static gboolean key_append(GString *text, const char *key, const char *value,
			   const char **section)
{
	const char *hyphen = strchr(key, '-');
	gsize len = hyphen ? (gsize)(hyphen - key) : 0;

	if (len == 0 || hyphen[1] == '\0' || strpbrk(key, "[]=:; \n"))
		return FALSE;
	if (!*section || strncmp(*section, key, len + 1) != 0)
		g_string_append_printf(text, "[%.*s]\n", (int)len, key);
	*section = key;
	g_string_append_printf(text, "%s = ", hyphen + 1);
	if (strcmp(key, NETWORKS) != 0) {
		g_string_append_printf(text, "%s\n", value);
		return TRUE;
	}
	/* One in a line: a line has an end. */
	for (const char *p = value; *p; p++)
		g_string_append(text, *p == ',' ? ",\n\t" : (char[2]){*p});
	g_string_append_c(text, '\n');
	return TRUE;
}

char *setting_to_text(NMSettingVpn *vpn, GError **error)
{
	g_autoptr(GString) text = g_string_new(NULL);
	g_autofree const char **keys = NULL;
	const char *section = NULL;
	guint n = 0;

	keys = nm_setting_vpn_get_data_keys(vpn, &n);
	if (n > 0)
		qsort(keys, n, sizeof(*keys), key_compare);
	for (guint i = 0; i < n; i++) {
		const char *value = nm_setting_vpn_get_data_item(vpn, keys[i]);

		if (strcmp(keys[i], NM_VPC_SECRET_FLAGS) == 0)
			continue;
		if (value_is_plain(value) &&
		    key_append(text, keys[i], value, &section))
			continue;
		g_set_error(error, NM_CONNECTION_ERROR,
			    NM_CONNECTION_ERROR_INVALID_PROPERTY,
			    "vpn.data %s: no profile can have this key or "
			    "value: correct or remove it",
			    keys[i]);
		return NULL;
	}
	return g_string_free(g_steal_pointer(&text), FALSE);
}

char *setting_owner(NMConnection *connection)
{
	NMSettingConnection *s =
		nm_connection_get_setting_connection(connection);
	const char *type = NULL, *user = NULL;

	if (!s || nm_setting_connection_get_num_permissions(s) != 1 ||
	    !nm_setting_connection_get_permission(s, 0, &type, &user, NULL) ||
	    g_strcmp0(type, "user") != 0)
		return NULL;
	return g_strdup(user);
}
