#include "config.h"

#include "client/nm/editor.h"

#include <string.h>

#include <nma-ui-utils.h>

#include "client/nm/nm.h"

#define SPACE	   6
#define MARGIN	   12
#define FOLDED_LEN 220 /* pixels */

/* Which fields an authentication needs. */
#define EAP	 "eap-mschapv2 eap-tls"
#define PASSWORD "eap-mschapv2 psk"
#define CERT	 "certificate eap-tls"

enum look { LOOK_TEXT = 0, LOOK_FILE, LOOK_CHOICE };

struct field {
	const char *key, *label, *hint;
	enum look look;
	const char *choices; /* words */
	const char *auth;    /* words: with these only; NULL: always */
};

/* What most people need; every other key has a line in the fold. */
static const struct field fields[] = {
	{.key = "gateway-address",
	 .label = "Gateway",
	 .hint = "vpn.example.org"},
	{.key = "gateway-id",
	 .label = "Gateway's identity",
	 .hint = "the same"},
	{.key = "gateway-ca",
	 .label = "CA certificate",
	 .hint = "those of the system",
	 .look = LOOK_FILE,
	 .auth = EAP " " CERT},
	{.key = "identity-auth",
	 .label = "Authentication",
	 .hint = "eap-mschapv2",
	 .look = LOOK_CHOICE,
	 .choices = PASSWORD " " CERT},
	{.key = "identity-id",
	 .label = "Identity",
	 .hint = "alice@example.org"},
	{.key = "identity-user",
	 .label = "User name",
	 .hint = "the identity",
	 .auth = EAP},
	{.key = "identity-certificate",
	 .label = "Certificate",
	 .look = LOOK_FILE,
	 .auth = CERT},
	{.key = "identity-private-key",
	 .label = "Private key",
	 .look = LOOK_FILE,
	 .auth = CERT},
	{.key = "tunnel-networks", .label = "Networks", .hint = "everything"},
	{.key = "tunnel-dns",
	 .label = "Use its name servers",
	 .hint = "yes",
	 .look = LOOK_CHOICE,
	 .choices = "yes no"},
	{.key = "resumption-tickets",
	 .label = "Resume without password",
	 .hint = "yes",
	 .look = LOOK_CHOICE,
	 .choices = "yes no"},
};

struct row {
	char *key;
	const char *auth;
	GtkWidget *label, *value, *entry; /* entry: value, or within */
};

#define VPC_TYPE_EDITOR (vpc_editor_get_type())
G_DECLARE_FINAL_TYPE(VpcEditor, vpc_editor, VPC, EDITOR, GObject)

struct _VpcEditor {
	GObject parent;
	const struct editor_host *host;
	NMSettingVpn *setting; /* as it was; keys without a row stay */
	GtkWidget *widget;
	GtkWidget *auth; /* entry */
	GtkWidget *secret_label, *secret, *secret_show;
	GArray *rows; /* struct row */
};

static void vpc_editor_interface_init(NMVpnEditorInterface *iface);
G_DEFINE_FINAL_TYPE_WITH_CODE(VpcEditor, vpc_editor, G_TYPE_OBJECT,
			      G_IMPLEMENT_INTERFACE(NM_TYPE_VPN_EDITOR,
						    vpc_editor_interface_init))

/* --- values ----------------------------------------------------------------
 */

static const char *text_get(GtkWidget *entry)
{
	return gtk_entry_buffer_get_text(
		gtk_entry_get_buffer(GTK_ENTRY(entry)));
}

static void text_set(GtkWidget *entry, const char *text)
{
	gtk_entry_buffer_set_text(gtk_entry_get_buffer(GTK_ENTRY(entry)), text,
				  -1);
}

static gboolean has_word(const char *words, const char *word)
{
	g_auto(GStrv) list = g_strsplit(words, " ", -1);

	return g_strv_contains((const char *const *)list, word);
}

/* Only what the authentication needs is shown; one that the page does not
 * know shows all. */
static void rows_show(VpcEditor *ed)
{
	const char *auth = text_get(ed->auth);
	gboolean known = has_word(PASSWORD " " CERT, auth);
	gboolean password = !known || has_word(PASSWORD, auth);

	for (guint i = 0; i < ed->rows->len; i++) {
		const struct row *row = &g_array_index(ed->rows, struct row, i);
		gboolean show =
			!row->auth || !known || has_word(row->auth, auth);

		editor_gtk_set_shown(row->label, show);
		editor_gtk_set_shown(row->value, show);
	}
	editor_gtk_set_shown(ed->secret_label, password);
	editor_gtk_set_shown(ed->secret, password);
	editor_gtk_set_shown(ed->secret_show, password);
}

static void on_changed(VpcEditor *ed)
{
	rows_show(ed);
	g_signal_emit_by_name(ed, "changed");
}

/* --- widgets ----------------------------------------------------------------
 */

static void on_file_chosen(GtkNativeDialog *dialog, int response,
			   GtkWidget *entry)
{
	g_autoptr(GFile) file = NULL;
	g_autofree char *path = NULL;

	if (response == GTK_RESPONSE_ACCEPT)
		file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(dialog));
	path = file ? g_file_get_path(file) : NULL;
	if (path)
		text_set(entry, path);
	g_object_unref(dialog);
}

static void on_file_button(GtkWidget *button, GtkWidget *entry)
{
	GtkFileChooserNative *dialog = gtk_file_chooser_native_new(
		"Choose a file", editor_gtk_window(button),
		GTK_FILE_CHOOSER_ACTION_OPEN, NULL, NULL);

	g_signal_connect_object(dialog, "response", G_CALLBACK(on_file_chosen),
				entry, 0);
	gtk_native_dialog_show(GTK_NATIVE_DIALOG(dialog));
}

static GtkWidget *file_new(GtkWidget **out_entry)
{
	GtkWidget *box = gtk_box_new(GTK_ORIENTATION_HORIZONTAL, SPACE);
	GtkWidget *button = gtk_button_new_with_mnemonic("_Choose…");

	*out_entry = gtk_entry_new();
	gtk_widget_set_hexpand(*out_entry, TRUE);
	g_signal_connect(button, "clicked", G_CALLBACK(on_file_button),
			 *out_entry);
	editor_gtk_append(box, *out_entry);
	editor_gtk_append(box, button);
	return box;
}

static GtkWidget *choice_new(const char *choices, GtkWidget **out_entry)
{
	GtkWidget *combo = gtk_combo_box_text_new_with_entry();
	g_auto(GStrv) list = g_strsplit(choices, " ", -1);

	for (char **word = list; *word; word++)
		gtk_combo_box_text_append_text(GTK_COMBO_BOX_TEXT(combo),
					       *word);
	*out_entry = editor_gtk_combo_entry(combo);
	return combo;
}

static GtkWidget *value_new(const struct field *field, GtkWidget **out_entry)
{
	switch (field->look) {
	case LOOK_TEXT:
		break;
	case LOOK_FILE:
		return file_new(out_entry);
	case LOOK_CHOICE:
		return choice_new(field->choices, out_entry);
	}
	*out_entry = gtk_entry_new();
	return *out_entry;
}

static GtkWidget *label_new(const char *text, GtkWidget *of)
{
	GtkWidget *label = gtk_label_new(text);

	gtk_label_set_xalign(GTK_LABEL(label), 1);
	gtk_label_set_mnemonic_widget(GTK_LABEL(label), of);
	return label;
}

static GtkWidget *grid_new(void)
{
	GtkWidget *grid = gtk_grid_new();

	gtk_grid_set_row_spacing(GTK_GRID(grid), SPACE);
	gtk_grid_set_column_spacing(GTK_GRID(grid), MARGIN);
	return grid;
}

static void grid_add(GtkWidget *grid, int at, GtkWidget *label,
		     GtkWidget *value)
{
	gtk_widget_set_hexpand(value, TRUE);
	if (label)
		gtk_grid_attach(GTK_GRID(grid), label, 0, at, 1, 1);
	gtk_grid_attach(GTK_GRID(grid), value, 1, at, 1, 1);
}

static void row_add(VpcEditor *ed, GtkWidget *grid, int at,
		    const struct field *field)
{
	const char *now = nm_setting_vpn_get_data_item(ed->setting, field->key);
	struct row row = {.key = g_strdup(field->key), .auth = field->auth};

	row.value = value_new(field, &row.entry);
	row.label = label_new(field->label, row.entry);
	gtk_entry_set_placeholder_text(GTK_ENTRY(row.entry), field->hint);
	gtk_widget_set_tooltip_text(row.entry, field->key);
	text_set(row.entry, now ? now : "");
	grid_add(grid, at, row.label, row.value);
	/* The window may destroy them before the editor ends. */
	g_object_ref_sink(row.label);
	g_object_ref_sink(row.value);
	g_object_ref_sink(row.entry);
	g_array_append_val(ed->rows, row);
	if (strcmp(field->key, "identity-auth") == 0)
		ed->auth = row.entry;
}

/* Where NetworkManager keeps the password is chosen in the field itself. */
static void secret_add(VpcEditor *ed, GtkWidget *grid, int at)
{
	NMSettingSecretFlags flags = NM_SETTING_SECRET_FLAG_AGENT_OWNED;
	const char *now = nm_setting_vpn_get_secret(ed->setting, NM_VPC_SECRET);

	nm_setting_get_secret_flags(NM_SETTING(ed->setting), NM_VPC_SECRET,
				    &flags, NULL);
	ed->secret = gtk_entry_new();
	gtk_entry_set_visibility(GTK_ENTRY(ed->secret), FALSE);
	text_set(ed->secret, now ? now : "");
	ed->secret_label = label_new("Password or key", ed->secret);
	ed->secret_show = gtk_check_button_new_with_mnemonic("_Show it");
	g_object_bind_property(ed->secret_show, "active", ed->secret,
			       "visibility", G_BINDING_DEFAULT);
	g_object_ref_sink(ed->secret);
	g_object_ref_sink(ed->secret_label);
	g_object_ref_sink(ed->secret_show);
	grid_add(grid, at, ed->secret_label, ed->secret);
	grid_add(grid, at + 1, NULL, ed->secret_show);
	nma_utils_setup_password_storage(ed->secret, flags,
					 NM_SETTING(ed->setting), NM_VPC_SECRET,
					 TRUE, FALSE);
}

static gboolean is_field(const char *key)
{
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
		if (strcmp(fields[i].key, key) == 0)
			return TRUE;
	return FALSE;
}

/* A line for every key that a profile can have and the page has not. */
static GtkWidget *others_new(VpcEditor *ed)
{
	GtkWidget *grid = grid_new(), *scrolled;
	const char *section, *key;

	for (size_t i = 0; (key = ed->host->key(i, &section)); i++) {
		g_autofree char *name = g_strdup_printf("%s-%s", section, key);
		g_autofree char *label =
			g_strdup_printf("%s: %s", section, key);
		const struct field field = {
			.key = name, .label = label, .hint = "default"};

		if (!is_field(name))
			row_add(ed, grid, (int)i, &field);
	}
	scrolled = editor_gtk_scroll(grid);
	gtk_widget_set_size_request(scrolled, -1, FOLDED_LEN);
	gtk_widget_set_vexpand(scrolled, TRUE);
	return editor_gtk_fold("All other settings (vpn-connect.conf(5))",
			       scrolled);
}

static void widget_build(VpcEditor *ed)
{
	GtkWidget *grid = grid_new();
	int at = 0;

	ed->widget = g_object_ref_sink(
		gtk_box_new(GTK_ORIENTATION_VERTICAL, MARGIN));
	for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
		row_add(ed, grid, at++, &fields[i]);
		if (strcmp(fields[i].key, "identity-user") == 0) {
			secret_add(ed, grid, at);
			at += 2;
		}
	}
	g_object_set(ed->widget, "margin-start", MARGIN, "margin-end", MARGIN,
		     "margin-top", MARGIN, "margin-bottom", MARGIN, NULL);
	editor_gtk_append(ed->widget, grid);
	editor_gtk_append(ed->widget, others_new(ed));
	editor_gtk_show(ed->widget);
	rows_show(ed);
}

/* It ends with either of the two. */
static void change_watch(VpcEditor *ed, GtkWidget *entry)
{
	g_signal_connect_object(entry, "changed", G_CALLBACK(on_changed), ed,
				G_CONNECT_SWAPPED);
}

static void changes_watch(VpcEditor *ed)
{
	for (guint i = 0; i < ed->rows->len; i++)
		change_watch(ed, g_array_index(ed->rows, struct row, i).entry);
	change_watch(ed, ed->secret);
}

/* --- what the editor asks for ------------------------------------------------
 */

static GObject *editor_get_widget(NMVpnEditor *editor)
{
	return G_OBJECT(VPC_EDITOR(editor)->widget);
}

static void secret_store(VpcEditor *ed, NMSettingVpn *vpn)
{
	NMSettingSecretFlags flags = nma_utils_menu_to_secret_flags(ed->secret);
	const char *text = text_get(ed->secret);

	nm_setting_set_secret_flags(NM_SETTING(vpn), NM_VPC_SECRET, flags,
				    NULL);
	if (text[0] && !(flags & (NM_SETTING_SECRET_FLAG_NOT_SAVED |
				  NM_SETTING_SECRET_FLAG_NOT_REQUIRED)))
		nm_setting_vpn_add_secret(vpn, NM_VPC_SECRET, text);
	else
		nm_setting_vpn_remove_secret(vpn, NM_VPC_SECRET);
}

static gboolean editor_update_connection(NMVpnEditor *editor,
					 NMConnection *connection,
					 GError **error)
{
	VpcEditor *ed = VPC_EDITOR(editor);
	NMSettingVpn *vpn =
		NM_SETTING_VPN(nm_setting_duplicate(NM_SETTING(ed->setting)));

	g_object_set(vpn, NM_SETTING_VPN_SERVICE_TYPE, NM_VPC_SERVICE,
		     NM_SETTING_VPN_PERSISTENT, TRUE, NULL);
	for (guint i = 0; i < ed->rows->len; i++) {
		const struct row *row = &g_array_index(ed->rows, struct row, i);
		const char *text = text_get(row->entry);

		/* What is hidden would be refused. */
		if (text[0] && gtk_widget_get_visible(row->value))
			nm_setting_vpn_add_data_item(vpn, row->key, text);
		else
			nm_setting_vpn_remove_data_item(vpn, row->key);
	}
	secret_store(ed, vpn);
	nm_connection_add_setting(connection, NM_SETTING(vpn));
	return ed->host->check(vpn, error);
}

static void vpc_editor_finalize(GObject *object)
{
	VpcEditor *ed = VPC_EDITOR(object);

	g_array_unref(ed->rows);
	g_clear_object(&ed->secret);
	g_clear_object(&ed->secret_label);
	g_clear_object(&ed->secret_show);
	g_clear_object(&ed->widget);
	g_clear_object(&ed->setting);
	G_OBJECT_CLASS(vpc_editor_parent_class)->finalize(object);
}

static void row_clear(struct row *row)
{
	g_object_unref(row->label);
	g_object_unref(row->value);
	g_object_unref(row->entry);
	g_free(row->key);
}

static void vpc_editor_init(VpcEditor *ed)
{
	ed->rows = g_array_new(FALSE, FALSE, sizeof(struct row));
	g_array_set_clear_func(ed->rows, (GDestroyNotify)row_clear);
}

static void vpc_editor_class_init(VpcEditorClass *class)
{
	G_OBJECT_CLASS(class)->finalize = vpc_editor_finalize;
}

static void vpc_editor_interface_init(NMVpnEditorInterface *iface)
{
	iface->get_widget = editor_get_widget;
	iface->update_connection = editor_update_connection;
}

G_MODULE_EXPORT NMVpnEditor *
vpn_connect_editor_new(const struct editor_host *host, NMConnection *connection)
{
	VpcEditor *ed = g_object_new(VPC_TYPE_EDITOR, NULL);
	NMSettingVpn *vpn = nm_connection_get_setting_vpn(connection);

	ed->host = host;
	ed->setting =
		vpn ? NM_SETTING_VPN(nm_setting_duplicate(NM_SETTING(vpn)))
		    : NM_SETTING_VPN(nm_setting_vpn_new());
	if (!nm_setting_vpn_get_data_item(ed->setting, "identity-auth"))
		nm_setting_vpn_add_data_item(ed->setting, "identity-auth",
					     "eap-mschapv2");
	widget_build(ed);
	changes_watch(ed);
	return NM_VPN_EDITOR(ed);
}
