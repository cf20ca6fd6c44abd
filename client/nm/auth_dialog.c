/* nm-vpn-connect-auth-dialog: gets the password for who asks on behalf of
 * NetworkManager: from it, from the keyring, or from a person. With
 * --external-ui-mode it only says what is to be asked (GNOME Shell, nmcli). */
#include "config.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>

#include <NetworkManager.h>
#include <gtk/gtk.h>
#include <libsecret/secret.h>
#include <nma-vpn-password-dialog.h>

#include "client/nm/nm.h"

#define MESSAGE_HINT "x-vpn-message:"
#define TITLE	     "Authenticate VPN"

struct options {
	char *uuid, *name, *service;
	char **hints;
	gboolean may_ask, retry, external;
};

struct question {
	char *text;
	char *label;
	char *password; /* known already; or NULL */
	gboolean ask;
};

/* As NetworkManager's agents store it. */
static const SecretSchema schema = {
	.name = "org.freedesktop.NetworkManager.Connection",
	.flags = SECRET_SCHEMA_DONT_MATCH_NAME,
	.attributes = {{"connection-uuid", SECRET_SCHEMA_ATTRIBUTE_STRING},
		       {"setting-name", SECRET_SCHEMA_ATTRIBUTE_STRING},
		       {"setting-key", SECRET_SCHEMA_ATTRIBUTE_STRING}}};

static char *keyring_read(const char *uuid)
{
	return secret_password_lookup_sync(
		&schema, NULL, NULL, "connection-uuid", uuid, "setting-name",
		NM_SETTING_VPN_SETTING_NAME, "setting-key", NM_VPC_SECRET,
		NULL);
}

static gboolean has_hint(const struct options *o, const char *hint)
{
	return o->hints && g_strv_contains((const char *const *)o->hints, hint);
}

static char *text_make(const struct options *o)
{
	for (char **hint = o->hints; hint && *hint; hint++)
		if (g_str_has_prefix(*hint, MESSAGE_HINT))
			return g_strdup(*hint + strlen(MESSAGE_HINT));
	return g_strdup_printf("The VPN %s needs a password.", o->name);
}

static gboolean question_make(const struct options *o, struct question *q)
{
	NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_NONE;
	g_autoptr(GHashTable) data = NULL, secrets = NULL;
	const char *auth;

	if (!nm_vpn_service_plugin_read_vpn_details(0, &data, &secrets))
		return FALSE;
	nm_vpn_service_plugin_get_secret_flags(data, NM_VPC_SECRET, &flags);
	auth = g_hash_table_lookup(data, "identity-auth");
	q->text = text_make(o);
	q->label = g_strdup(g_strcmp0(auth, "psk") == 0 ? "Pre-shared key"
							: "Password");
	if (!(flags & NM_SETTING_SECRET_FLAG_NOT_SAVED)) {
		q->password =
			g_strdup(g_hash_table_lookup(secrets, NM_VPC_SECRET));
		if (!q->password)
			q->password = keyring_read(o->uuid);
	}
	q->ask = o->may_ask &&
		 (!q->password || o->retry || has_hint(o, NM_VPC_RETRY)) &&
		 !(flags & NM_SETTING_SECRET_FLAG_NOT_REQUIRED);
	return TRUE;
}

/* --- saying it ---------------------------------------------------------------
 */

static void external_print(const struct question *q)
{
	g_autoptr(GKeyFile) file = g_key_file_new();
	g_autofree char *text = NULL;

	g_key_file_set_integer(file, "VPN Plugin UI", "Version", 2);
	g_key_file_set_string(file, "VPN Plugin UI", "Description", q->text);
	g_key_file_set_string(file, "VPN Plugin UI", "Title", TITLE);
	g_key_file_set_string(file, NM_VPC_SECRET, "Value",
			      q->password ? q->password : "");
	g_key_file_set_string(file, NM_VPC_SECRET, "Label", q->label);
	g_key_file_set_boolean(file, NM_VPC_SECRET, "IsSecret", TRUE);
	g_key_file_set_boolean(file, NM_VPC_SECRET, "ShouldAsk", q->ask);
	text = g_key_file_to_data(file, NULL, NULL);
	fputs(text, stdout);
}

/* FALSE: a person said no. */
static gboolean person_ask(struct question *q)
{
	GtkWidget *dialog =
		nma_vpn_password_dialog_new(TITLE, q->text, q->password);
	NMAVpnPasswordDialog *d = NMA_VPN_PASSWORD_DIALOG(dialog);
	gboolean said;

	nma_vpn_password_dialog_set_password_label(d, q->label);
	nma_vpn_password_dialog_set_show_password_secondary(d, FALSE);
	gtk_widget_show(dialog);
	said = nma_vpn_password_dialog_run_and_block(d);
	if (said) {
		g_clear_pointer(&q->password, secret_password_free);
		q->password = g_strdup(nma_vpn_password_dialog_get_password(d));
	}
	gtk_widget_destroy(dialog);
	return said;
}

/* Our end must not come before the other side has read. */
static void quit_await(void)
{
	char line[16];

	while (fgets(line, sizeof(line), stdin))
		if (strncmp(line, "QUIT", 4) == 0)
			return;
}

static int question_answer(const struct options *o, struct question *q)
{
	if (o->external) {
		external_print(q);
		return 0;
	}
	if (q->ask && (!gtk_init_check(NULL, NULL) || !person_ask(q)))
		return 1;
	if (q->password)
		printf("%s\n%s\n", NM_VPC_SECRET, q->password);
	printf("\n\n");
	fflush(stdout);
	quit_await();
	return 0;
}

static gboolean options_read(struct options *o, int *argc, char ***argv)
{
	const GOptionEntry entries[] = {
		{"uuid", 'u', 0, G_OPTION_ARG_STRING, &o->uuid,
		 "UUID of the connection", "UUID"},
		{"name", 'n', 0, G_OPTION_ARG_STRING, &o->name,
		 "Name of the connection", "NAME"},
		{"service", 's', 0, G_OPTION_ARG_STRING, &o->service,
		 "VPN service type", "SERVICE"},
		{"allow-interaction", 'i', 0, G_OPTION_ARG_NONE, &o->may_ask,
		 "A person may be asked", NULL},
		{"reprompt", 'r', 0, G_OPTION_ARG_NONE, &o->retry,
		 "What is known was wrong", NULL},
		{"hint", 't', 0, G_OPTION_ARG_STRING_ARRAY, &o->hints,
		 "What is wanted", "HINT"},
		{"external-ui-mode", 0, 0, G_OPTION_ARG_NONE, &o->external,
		 "Only say what is to be asked", NULL},
		{NULL}};
	g_autoptr(GOptionContext) parser = g_option_context_new(NULL);
	g_autoptr(GError) error = NULL;

	g_option_context_add_main_entries(parser, entries, NULL);
	if (!g_option_context_parse(parser, argc, argv, &error))
		g_printerr("%s\n", error->message);
	else if (!o->uuid || !o->name ||
		 g_strcmp0(o->service, NM_VPC_SERVICE) != 0)
		g_printerr("NetworkManager's agents start this program\n");
	else
		return TRUE;
	return FALSE;
}

int main(int argc, char **argv)
{
	struct options options = {NULL};
	struct question question = {NULL};
	int code = 1;

	setlocale(LC_ALL, "");
	if (options_read(&options, &argc, &argv) &&
	    question_make(&options, &question))
		code = question_answer(&options, &question);
	secret_password_free(question.password);
	g_free(question.text);
	g_free(question.label);
	g_free(options.uuid);
	g_free(options.name);
	g_free(options.service);
	g_strfreev(options.hints);
	return code;
}
