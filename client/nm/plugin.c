/* libnm-vpn-plugin-vpn-connect.so: what nmcli and the editors load. It knows
 * profiles; the page, with its GTK, is a library of its own. */
#include "config.h"

#include <dlfcn.h>
#include <string.h>
#include <unistd.h>

#include <NetworkManager.h>

#include "client/nm/editor_host.h"
#include "client/nm/nm.h"
#include "client/nm/setting.h"
#include "client/session/profile.h"

#define SUFFIX ".conf"

#define VPC_TYPE_PLUGIN (vpc_plugin_get_type())
G_DECLARE_FINAL_TYPE(VpcPlugin, vpc_plugin, VPC, PLUGIN, GObject)

struct _VpcPlugin {
	GObject parent;
};

enum { PROP_0, PROP_NAME, PROP_DESCRIPTION, PROP_SERVICE };

static void vpc_plugin_interface_init(NMVpnEditorPluginInterface *iface);
G_DEFINE_FINAL_TYPE_WITH_CODE(VpcPlugin, vpc_plugin, G_TYPE_OBJECT,
			      G_IMPLEMENT_INTERFACE(NM_TYPE_VPN_EDITOR_PLUGIN,
						    vpc_plugin_interface_init))

static void refuse(GError **error, const char *what)
{
	g_set_error_literal(error, NM_CONNECTION_ERROR,
			    NM_CONNECTION_ERROR_INVALID_PROPERTY, what);
}

static gboolean text_check(const char *name, const char *text, GError **error)
{
	g_autofree struct profile *profile = g_new0(struct profile, 1);
	struct diag diag = DIAG_INIT;
	enum err e = profile_parse(name, text, profile, &diag);

	if (e)
		refuse(error, diag_text(&diag, e));
	return e == OK;
}

/* A page has no lines: what names one is left out. */
static gboolean setting_check(NMSettingVpn *vpn, GError **error)
{
	g_autofree char *text = setting_to_text(vpn, error);
	g_autoptr(GError) why = NULL;
	const char *what;

	if (!text || text_check("", text, &why)) {
		return text != NULL;
	}
	what = strstr(why->message, ": ");
	refuse(error, what ? what + 2 : why->message);
	return FALSE;
}

/* --- the page ----------------------------------------------------------------
 */

static NMVpnEditor *plugin_get_editor(NMVpnEditorPlugin *plugin,
				      NMConnection *connection, GError **error)
{
	static const struct editor_host host = {.check = setting_check,
						.key = profile_key};
	/* GTK 4 has no containers. */
	const char *gtk =
		dlsym(RTLD_DEFAULT, "gtk_container_add") ? "gtk3" : "gtk4";
	g_autofree char *path =
		g_strdup_printf("%s/libnm-%s-vpn-plugin-vpn-connect-editor.so",
				NMPLUGINDIR, gtk);
	/* Never closed: GObject keeps its types. */
	void *library = dlopen(path, RTLD_LAZY | RTLD_LOCAL);
	editor_factory_fn *factory = NULL;
	void *symbol = library ? dlsym(library, EDITOR_FACTORY) : NULL;

	if (!symbol) {
		refuse(error, dlerror());
		return NULL;
	}
	memcpy(&factory, &symbol, sizeof(factory));
	return factory(&host, connection);
}

/* --- import ------------------------------------------------------------------
 */

struct import {
	NMSettingVpn *vpn;
	const char *folder;
};

static gboolean is_path(const char *key)
{
	static const char *const paths[] = {
		"gateway-ca", "identity-password-file", "identity-certificate",
		"identity-private-key", NULL};

	return g_strv_contains(paths, key);
}

static void import_pair(void *ctx, const char *section, const char *key,
			const char *value)
{
	const struct import *in = ctx;
	g_autofree char *name = g_strdup_printf("%s-%s", section, key);
	const char *before = nm_setting_vpn_get_data_item(in->vpn, name);
	g_autofree char *whole = NULL;

	if (before) /* it goes on in another line */
		whole = g_strdup_printf(
			"%s%s%s", before,
			g_str_has_suffix(before, ",") ? " " : ", ", value);
	else if (is_path(name) && value[0] != '/')
		whole = g_build_filename(in->folder, value, NULL);
	else
		whole = g_strdup(value);
	if (whole[0])
		nm_setting_vpn_add_data_item(in->vpn, name, whole);
}

/* Files of a user are read as that user, so what a user imports is his. */
static void owner_set(NMSettingConnection *s)
{
	if (getuid() != 0)
		nm_setting_connection_add_permission(s, "user",
						     g_get_user_name(), NULL);
}

static NMConnection *connection_new(const char *name)
{
	NMConnection *connection = nm_simple_connection_new();
	NMSetting *s = nm_setting_connection_new();
	g_autofree char *uuid = nm_utils_uuid_generate();

	g_object_set(s, NM_SETTING_CONNECTION_ID, name,
		     NM_SETTING_CONNECTION_UUID, uuid,
		     NM_SETTING_CONNECTION_TYPE, NM_SETTING_VPN_SETTING_NAME,
		     NM_SETTING_CONNECTION_AUTOCONNECT, FALSE, NULL);
	owner_set(NM_SETTING_CONNECTION(s));
	nm_connection_add_setting(connection, s);
	s = nm_setting_vpn_new();
	g_object_set(s, NM_SETTING_VPN_SERVICE_TYPE, NM_VPC_SERVICE,
		     NM_SETTING_VPN_PERSISTENT, TRUE, NULL);
	nm_connection_add_setting(connection, s);
	return connection;
}

static gboolean is_ours(const char *path)
{
	return g_str_has_suffix(path, SUFFIX) || g_str_has_suffix(path, ".ini");
}

static NMConnection *plugin_import(NMVpnEditorPlugin *plugin, const char *path,
				   GError **error)
{
	g_autofree char *text = NULL, *folder = NULL, *name = NULL;
	g_autofree char *whole = g_canonicalize_filename(path, NULL);
	NMConnection *connection;
	struct import in;

	if (!is_ours(path)) {
		refuse(error, "not a profile: its name ends in .conf");
		return NULL;
	}
	name = g_path_get_basename(path);
	*strrchr(name, '.') = '\0';
	if (!g_file_get_contents(path, &text, NULL, error) ||
	    !text_check(name, text, error))
		return NULL;
	folder = g_path_get_dirname(whole);
	connection = connection_new(name);
	in.vpn = nm_connection_get_setting_vpn(connection);
	in.folder = folder;
	profile_each(text, import_pair, &in);
	nm_setting_set_secret_flags(NM_SETTING(in.vpn), NM_VPC_SECRET,
				    NM_SETTING_SECRET_FLAG_AGENT_OWNED, NULL);
	return connection;
}

/* --- export ------------------------------------------------------------------
 */

static gboolean plugin_export(NMVpnEditorPlugin *plugin, const char *path,
			      NMConnection *connection, GError **error)
{
	NMSettingVpn *vpn = nm_connection_get_setting_vpn(connection);
	g_autofree char *text = vpn ? setting_to_text(vpn, error) : NULL;

	return text && g_file_set_contents_full(path, text, -1,
						G_FILE_SET_CONTENTS_CONSISTENT,
						0600, error);
}

static char *plugin_get_suggested_filename(NMVpnEditorPlugin *plugin,
					   NMConnection *connection)
{
	return g_strdup_printf("%s" SUFFIX, nm_connection_get_id(connection));
}

static NMVpnEditorPluginCapability
plugin_get_capabilities(NMVpnEditorPlugin *plugin)
{
	return NM_VPN_EDITOR_PLUGIN_CAPABILITY_IMPORT |
	       NM_VPN_EDITOR_PLUGIN_CAPABILITY_EXPORT |
	       NM_VPN_EDITOR_PLUGIN_CAPABILITY_IPV6;
}

/* --- the object --------------------------------------------------------------
 */

static void vpc_plugin_get_property(GObject *object, guint id, GValue *value,
				    GParamSpec *spec)
{
	switch (id) {
	case PROP_NAME:
		g_value_set_string(value, "vpn-connect (IKEv2)");
		break;
	case PROP_DESCRIPTION:
		g_value_set_string(value, "IKEv2/IPsec that survives sleep and "
					  "a changed network.");
		break;
	case PROP_SERVICE:
		g_value_set_string(value, NM_VPC_SERVICE);
		break;
	default:
		G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
	}
}

static void vpc_plugin_init(VpcPlugin *plugin)
{
}

static void vpc_plugin_class_init(VpcPluginClass *class)
{
	GObjectClass *object = G_OBJECT_CLASS(class);

	object->get_property = vpc_plugin_get_property;
	g_object_class_override_property(object, PROP_NAME,
					 NM_VPN_EDITOR_PLUGIN_NAME);
	g_object_class_override_property(object, PROP_DESCRIPTION,
					 NM_VPN_EDITOR_PLUGIN_DESCRIPTION);
	g_object_class_override_property(object, PROP_SERVICE,
					 NM_VPN_EDITOR_PLUGIN_SERVICE);
}

static void vpc_plugin_interface_init(NMVpnEditorPluginInterface *iface)
{
	iface->get_editor = plugin_get_editor;
	iface->get_capabilities = plugin_get_capabilities;
	iface->import_from_file = plugin_import;
	iface->export_to_file = plugin_export;
	iface->get_suggested_filename = plugin_get_suggested_filename;
}

G_MODULE_EXPORT NMVpnEditorPlugin *nm_vpn_editor_plugin_factory(GError **error)
{
	return g_object_new(VPC_TYPE_PLUGIN, NULL);
}
