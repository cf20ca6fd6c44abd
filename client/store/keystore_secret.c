/* The key in the desktop's Secret Service (GNOME Keyring, KWallet, KeePassXC):
 * one item in the default collection. Nothing here asks a person: a locked
 * collection is "not now".
 */
#include "config.h"

#include <libsecret/secret.h>
#include <stdio.h>
#include <string.h>

#include "client/store/keystore.h"

#define LABEL	 "vpn-connect: key of the ticket cache"
#define BUS_NAME "org.freedesktop.secrets"

static const SecretSchema schema = {
	.name = "org.vpn-connect.CacheKey",
	.flags = SECRET_SCHEMA_NONE,
	.attributes = {{"key-id", SECRET_SCHEMA_ATTRIBUTE_STRING}},
};

/* Some services keep text only. */
static void hex_write(const uint8_t *b, size_t len, char *out)
{
	for (size_t i = 0; i < len; i++)
		sprintf(out + 2 * i, "%02x", b[i]);
}

static bool hex_read(const char *text, size_t len, struct secret *out)
{
	if (len % 2 != 0 || len / 2 > SECRET_MAX)
		return false;
	for (size_t i = 0; i < len / 2; i++) {
		int high = g_ascii_xdigit_value(text[2 * i]);
		int low = g_ascii_xdigit_value(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out->b[i] = (uint8_t)(high << 4 | low);
	}
	out->len = len / 2;
	return true;
}

/* Frees the error. */
static void refuse_error(struct keystore_reply *out, GError *error)
{
	keystore_refuse(out, KEYSTORE_NOT_NOW, "%s",
			error ? error->message : "no answer");
	g_clear_error(&error);
}

static GHashTable *attributes_of(const struct keystore_request *request)
{
	char id[2 * KEYSTORE_ID_LEN + 1];

	hex_write(request->id, KEYSTORE_ID_LEN, id);
	return secret_attributes_build(&schema, "key-id", id, NULL);
}

/* --- the service -------------------------------------------------------------
 */

static bool service_runs(GError **error)
{
	GDBusConnection *bus = g_bus_get_sync(G_BUS_TYPE_SESSION, NULL, error);
	GVariant *reply;
	gboolean owned = FALSE;

	if (!bus)
		return false;
	reply = g_dbus_connection_call_sync(
		bus, "org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus", "NameHasOwner",
		g_variant_new("(s)", BUS_NAME), G_VARIANT_TYPE("(b)"),
		G_DBUS_CALL_FLAGS_NONE, -1, NULL, error);
	if (reply) {
		g_variant_get(reply, "(b)", &owned);
		g_variant_unref(reply);
	}
	g_object_unref(bus);
	return owned;
}

/* NULL: refused. */
static SecretService *service_open(bool quiet, struct keystore_reply *out)
{
	GError *error = NULL;
	SecretService *service;

	if (quiet && !service_runs(&error)) {
		if (error)
			refuse_error(out, error);
		else
			keystore_refuse(out, KEYSTORE_NOT_NOW,
					"no Secret Service is running");
		return NULL;
	}
	service = secret_service_get_sync(SECRET_SERVICE_OPEN_SESSION, NULL,
					  &error);
	if (!service)
		refuse_error(out, error);
	return service;
}

/* The default collection, unlocked. NULL: refused. */
static SecretCollection *collection_open(SecretService *service,
					 struct keystore_reply *out)
{
	GError *error = NULL;
	SecretCollection *c = secret_collection_for_alias_sync(
		service, SECRET_COLLECTION_DEFAULT, SECRET_COLLECTION_NONE,
		NULL, &error);

	if (!c && error) {
		refuse_error(out, error);
	} else if (!c) {
		keystore_refuse(out, KEYSTORE_NOT_NOW,
				"it has no default keyring: make one");
	} else if (secret_collection_get_locked(c)) {
		keystore_refuse(out, KEYSTORE_NOT_NOW,
				"the keyring is locked: unlock it");
		g_clear_object(&c);
	}
	return c;
}

/* --- the item ----------------------------------------------------------------
 */

/* gives the list; NULL: none, or refused. */
static GList *items_find(SecretService *service,
			 const struct keystore_request *request,
			 struct keystore_reply *out)
{
	GHashTable *attributes = attributes_of(request);
	GError *error = NULL;
	GList *items = secret_service_search_sync(
		service, &schema, attributes, SECRET_SEARCH_ALL, NULL, &error);

	g_hash_table_unref(attributes);
	if (error)
		refuse_error(out, error);
	return items;
}

static bool item_read(SecretItem *item, struct keystore_reply *out)
{
	GError *error = NULL;
	SecretValue *value;
	const char *text;
	gsize len;
	bool good;

	if (secret_item_get_locked(item)) {
		keystore_refuse(out, KEYSTORE_NOT_NOW,
				"the keyring is locked: unlock it");
		return false;
	}
	if (!secret_item_load_secret_sync(item, NULL, &error)) {
		refuse_error(out, error);
		return false;
	}
	value = secret_item_get_secret(item);
	text = value ? secret_value_get(value, &len) : NULL;
	good = text && hex_read(text, len, &out->key);
	if (value)
		secret_value_unref(value);
	if (!good)
		keystore_refuse(out, KEYSTORE_GONE, "its item is damaged");
	return good;
}

void keystore_get(const struct keystore_request *request,
		  struct keystore_reply *out)
{
	SecretService *service = service_open(request->quiet, out);
	SecretCollection *collection;
	GList *items;

	if (!service)
		return;
	items = items_find(service, request, out);
	if (items) {
		item_read(items->data, out);
	} else if (out->status == KEYSTORE_OK) {
		/* A locked one may hide what it has. */
		collection = collection_open(service, out);
		if (collection)
			keystore_refuse(out, KEYSTORE_GONE,
					"the item was deleted");
		g_clear_object(&collection);
	}
	g_list_free_full(items, g_object_unref);
	g_object_unref(service);
}

void keystore_put(const struct keystore_request *request,
		  struct keystore_reply *out)
{
	SecretService *service = service_open(request->quiet, out);
	SecretCollection *collection;
	char text[2 * SECRET_MAX + 1];
	GHashTable *attributes;
	GError *error = NULL;
	SecretValue *value;
	SecretItem *item;

	if (!service)
		return;
	collection = collection_open(service, out);
	if (collection) {
		attributes = attributes_of(request);
		hex_write(request->key.b, request->key.len, text);
		value = secret_value_new(text, (gssize)(2 * request->key.len),
					 "text/plain");
		mem_wipe(text, sizeof(text));
		item = secret_item_create_sync(
			collection, &schema, attributes, LABEL, value,
			SECRET_ITEM_CREATE_REPLACE, NULL, &error);
		if (!item)
			refuse_error(out, error);
		g_clear_object(&item);
		secret_value_unref(value);
		g_hash_table_unref(attributes);
	}
	g_clear_object(&collection);
	g_object_unref(service);
}

void keystore_drop(const struct keystore_request *request,
		   struct keystore_reply *out)
{
	SecretService *service = service_open(request->quiet, out);
	GError *error = NULL;
	GList *items;

	if (!service)
		return;
	items = items_find(service, request, out);
	for (GList *i = items; i; i = i->next)
		if (!secret_item_delete_sync(i->data, NULL, &error)) {
			refuse_error(out, error);
			break;
		}
	g_list_free_full(items, g_object_unref);
	g_object_unref(service);
}
