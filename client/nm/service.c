/* nm-vpn-connect-service: NetworkManager's VPN service. It speaks D-Bus and
 * starts the core; nothing that came from the network is read here but the
 * core's few messages. */
#include "config.h"

#include <glib-unix.h>
#include <locale.h>
#include <string.h>

#include <NetworkManager.h>

#include "client/nm/channel.h"
#include "client/nm/child.h"
#include "client/nm/nm.h"
#include "client/nm/report.h"
#include "client/nm/setting.h"

#define VPC_TYPE_SERVICE (vpc_service_get_type())
G_DECLARE_FINAL_TYPE(VpcService, vpc_service, VPC, SERVICE, NMVpnServicePlugin)

struct _VpcService {
	NMVpnServicePlugin parent;
	struct child child;
	guint watch; /* of the channel */
	NMConnection *connection;
	gboolean may_ask;	      /* called by ConnectInteractive */
	gboolean gave_secret;	      /* to this core */
	gboolean retry;		      /* a secret was not accepted */
	struct channel_closed closed; /* why the core ended */
	uint8_t *message;	      /* CHANNEL_MAX octets */
};

G_DEFINE_FINAL_TYPE(VpcService, vpc_service, NM_TYPE_VPN_SERVICE_PLUGIN)

static gboolean on_channel(gint fd, GIOCondition condition, gpointer ctx);

static NMVpnServicePlugin *plugin_of(VpcService *s)
{
	return NM_VPN_SERVICE_PLUGIN(s);
}

static void state_set(VpcService *s, NMVpnServiceState state)
{
	g_object_set(s, NM_VPN_SERVICE_PLUGIN_STATE, state, NULL);
}

/* --- the core --------------------------------------------------------------
 */

static void core_forget(VpcService *s)
{
	g_clear_handle_id(&s->watch, g_source_remove);
	child_stop(&s->child);
}

/* What the connection has (NULL: nothing). */
static enum err secret_send(VpcService *s, NMConnection *connection)
{
	NMSettingVpn *vpn =
		connection ? nm_connection_get_setting_vpn(connection) : NULL;
	const char *text =
		vpn ? nm_setting_vpn_get_secret(vpn, NM_VPC_SECRET) : NULL;

	s->gave_secret |= text != NULL;
	return channel_send(s->child.fd, CHANNEL_SECRET,
			    bytes_str(text ? text : ""));
}

static gboolean core_start(VpcService *s, GError **error)
{
	NMSettingVpn *vpn = nm_connection_get_setting_vpn(s->connection);
	g_autofree char *text = vpn ? setting_to_text(vpn, error) : NULL;
	g_autofree char *owner = setting_owner(s->connection);
	g_autofree char *name =
		g_strdup_printf("nm-%s", nm_connection_get_uuid(s->connection));

	s->closed = (struct channel_closed){.why = ERR_INTERNAL,
					    .text = "the core crashed"};
	s->gave_secret = FALSE;
	if (!text || !child_start(&s->child, owner, name, error))
		return FALSE;
	if (channel_send(s->child.fd, CHANNEL_PROFILE, bytes_str(text)) ||
	    secret_send(s, s->retry ? NULL : s->connection)) {
		core_forget(s);
		g_set_error_literal(error, NM_VPN_PLUGIN_ERROR,
				    NM_VPN_PLUGIN_ERROR_LAUNCH_FAILED,
				    "the core does not take the profile");
		return FALSE;
	}
	s->watch =
		g_unix_fd_add(s->child.fd, G_IO_IN | G_IO_HUP, on_channel, s);
	return TRUE;
}

static void core_asks(VpcService *s, struct bytes body)
{
	const char *hints[] = {NM_VPC_SECRET, s->retry ? NM_VPC_RETRY : NULL,
			       NULL};
	char question[CHANNEL_TEXT_MAX];

	if (!s->may_ask) {
		if (secret_send(s, NULL))
			g_warning("the core does not listen");
		return;
	}
	channel_text(body, question);
	/* NetworkManager takes secrets only from who is starting. */
	state_set(s, NM_VPN_SERVICE_STATE_STARTING);
	nm_vpn_service_plugin_secrets_required(plugin_of(s), question, hints);
}

static void core_configures(VpcService *s, struct bytes body)
{
	struct channel_config config;

	if (channel_read_config(body, &config)) {
		g_warning("the core said something wrong");
		return;
	}
	s->retry = FALSE;
	report_config(plugin_of(s), &config);
	state_set(s, NM_VPN_SERVICE_STATE_STARTED);
}

/* libnm says CONNECT_FAILED behind every failure while STARTING, which hides
 * the reason given before. */
static void login_failed(VpcService *s)
{
	state_set(s, NM_VPN_SERVICE_STATE_STARTED);
	nm_vpn_service_plugin_failure(plugin_of(s),
				      NM_VPN_PLUGIN_FAILURE_LOGIN_FAILED);
}

/* The gateway does not take the password, or the private key. */
static gboolean is_login(enum err why)
{
	return why == ERR_AUTH || why == ERR_NEEDS_PERSON;
}

/* A stored password that is not right any more would be given for ever: the
 * dialog hears that once. */
static gboolean asks_again(VpcService *s)
{
	if (!is_login(s->closed.why) || !s->gave_secret || !s->may_ask ||
	    s->retry)
		return FALSE;
	s->retry = TRUE;
	return core_start(s, NULL);
}

static void core_ended(VpcService *s)
{
	core_forget(s);
	if (s->closed.why != OK && s->closed.why != ERR_CANCELLED)
		g_warning("%s", s->closed.text);
	if (asks_again(s))
		return;
	if (is_login(s->closed.why))
		login_failed(s);
	else if (s->closed.why == ERR_CANCELLED)
		nm_vpn_service_plugin_disconnect(plugin_of(s), NULL);
	else
		nm_vpn_service_plugin_failure(
			plugin_of(s), NM_VPN_PLUGIN_FAILURE_CONNECT_FAILED);
}

static void core_says(VpcService *s, enum channel_kind kind, struct bytes body)
{
	char line[CHANNEL_TEXT_MAX];

	switch (kind) {
	case CHANNEL_PROGRESS:
		channel_text(body, line);
		g_message("%s", line);
		return;
	case CHANNEL_ASK:
		core_asks(s, body);
		return;
	case CHANNEL_CONFIG:
		core_configures(s, body);
		return;
	case CHANNEL_CLOSED:
		if (channel_read_closed(body, &s->closed))
			g_warning("the core said something wrong");
		return;
	case CHANNEL_PROFILE:
	case CHANNEL_SECRET:
	case CHANNEL_SUSPEND:
		break;
	}
	g_warning("the core said something wrong");
}

static gboolean on_channel(gint fd, GIOCondition condition, gpointer ctx)
{
	VpcService *s = ctx;
	enum channel_kind kind;
	struct bytes body;
	enum err e = channel_receive(fd, s->message, &kind, &body);

	if (e == OK) {
		core_says(s, kind, body);
	} else if (e != ERR_NOT_FOUND) {
		s->watch = 0;
		core_ended(s);
		return G_SOURCE_REMOVE;
	}
	return G_SOURCE_CONTINUE;
}

/* --- what NetworkManager asks for ----------------------------------------- */

static gboolean connect_start(VpcService *s, NMConnection *connection,
			      gboolean may_ask, GError **error)
{
	core_forget(s);
	g_set_object(&s->connection, connection);
	s->may_ask = may_ask;
	s->retry = FALSE;
	return core_start(s, error);
}

static gboolean service_connect(NMVpnServicePlugin *plugin,
				NMConnection *connection, GError **error)
{
	return connect_start(VPC_SERVICE(plugin), connection, FALSE, error);
}

static gboolean service_connect_interactive(NMVpnServicePlugin *plugin,
					    NMConnection *connection,
					    GVariant *details, GError **error)
{
	return connect_start(VPC_SERVICE(plugin), connection, TRUE, error);
}

/* With a ticket none is needed, and only the core knows: it asks when it
 * comes to that. */
static gboolean service_need_secrets(NMVpnServicePlugin *plugin,
				     NMConnection *connection,
				     const char **setting_name, GError **error)
{
	return FALSE;
}

static gboolean service_new_secrets(NMVpnServicePlugin *plugin,
				    NMConnection *connection, GError **error)
{
	VpcService *s = VPC_SERVICE(plugin);

	if (s->child.process && secret_send(s, connection))
		g_warning("the core does not listen");
	return TRUE;
}

static gboolean service_disconnect(NMVpnServicePlugin *plugin, GError **error)
{
	core_forget(VPC_SERVICE(plugin));
	return TRUE;
}

/* --- the object --------------------------------------------------------------
 */

static void vpc_service_finalize(GObject *object)
{
	VpcService *s = VPC_SERVICE(object);

	core_forget(s);
	g_clear_object(&s->connection);
	g_free(s->message);
	G_OBJECT_CLASS(vpc_service_parent_class)->finalize(object);
}

static void vpc_service_init(VpcService *s)
{
	s->child.fd = -1;
	s->message = g_malloc(CHANNEL_MAX);
}

static void vpc_service_class_init(VpcServiceClass *class)
{
	NMVpnServicePluginClass *plugin = NM_VPN_SERVICE_PLUGIN_CLASS(class);

	G_OBJECT_CLASS(class)->finalize = vpc_service_finalize;
	plugin->connect = service_connect;
	plugin->connect_interactive = service_connect_interactive;
	plugin->need_secrets = service_need_secrets;
	plugin->new_secrets = service_new_secrets;
	plugin->disconnect = service_disconnect;
}

/* Signals that NetworkManager waits for may still be in the queue. */
static void bus_flush(NMVpnServicePlugin *plugin)
{
	GDBusConnection *bus = nm_vpn_service_plugin_get_connection(plugin);

	if (bus)
		g_dbus_connection_flush_sync(bus, NULL, NULL);
}

static VpcService *service_new(const char *bus_name, gboolean watch_peer,
			       GError **error)
{
	return g_initable_new(VPC_TYPE_SERVICE, NULL, error,
			      NM_VPN_SERVICE_PLUGIN_DBUS_SERVICE_NAME, bus_name,
			      NM_VPN_SERVICE_PLUGIN_DBUS_WATCH_PEER, watch_peer,
			      NULL);
}

int main(int argc, char **argv)
{
	g_autofree char *bus_name = NULL;
	gboolean persist = FALSE;
	const GOptionEntry options[] = {
		{"bus-name", 0, 0, G_OPTION_ARG_STRING, &bus_name,
		 "D-Bus name to take", NULL},
		{"persist", 0, 0, G_OPTION_ARG_NONE, &persist,
		 "Do not end with the connection", NULL},
		{NULL}};
	g_autoptr(GOptionContext) parser = g_option_context_new(NULL);
	g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
	g_autoptr(GError) error = NULL;
	VpcService *service = NULL;

	setlocale(LC_ALL, "");
	g_option_context_set_summary(
		parser, "NetworkManager starts this program for connections "
			"of type vpn-connect.");
	g_option_context_add_main_entries(parser, options, NULL);
	if (g_option_context_parse(parser, &argc, &argv, &error))
		service = service_new(bus_name ? bus_name : NM_VPC_SERVICE,
				      !persist, &error);
	if (!service) {
		g_printerr("nm-vpn-connect-service: %s\n", error->message);
		return 1;
	}
	if (!persist)
		g_signal_connect_swapped(service, "quit",
					 G_CALLBACK(g_main_loop_quit), loop);
	g_main_loop_run(loop);
	nm_vpn_service_plugin_shutdown(plugin_of(service));
	bus_flush(plugin_of(service));
	g_object_unref(service);
	return 0;
}
