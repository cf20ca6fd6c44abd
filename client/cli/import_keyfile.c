/* NetworkManager's keyfiles: our own plugin's, and strongSwan's. */
#include <stdlib.h>
#include <string.h>

#include "client/cli/import_private.h"

#define SERVICE "org.freedesktop.NetworkManager."

/* "gateway-address" is address under [gateway]. */
static void own_pair_read(struct import *im, struct node *n)
{
	const char *section, *key;

	for (size_t i = 0; (key = profile_key(i, &section)); i++) {
		size_t len = strlen(section);

		if (strncmp(n->key, section, len) != 0 || n->key[len] != '-' ||
		    strcmp(n->key + len + 1, key) != 0)
			continue;
		import_set(im, section, key, n->text, n->line);
		return;
	}
	import_refuse(im, n->line, "%.60s is not a key of ours", n->key);
}

/* NetworkManager's own, beside the keys of a plugin. */
static bool is_managers(const char *key)
{
	static const char *const keys[] = {"service-type", "password-flags",
					   "persistent", "timeout",
					   "user-name"};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

static void own_read(struct import *im, struct node *vpn)
{
	for (struct node *n = vpn->first; n; n = n->next)
		if (!is_managers(n->key))
			own_pair_read(im, n);
	node_ignore(vpn);
}

static void method_read(struct import *im, struct node *vpn)
{
	struct node *n = node_get(vpn, "method");
	const char *method = n && n->text ? n->text : "";

	if (strcmp(method, "eap") == 0)
		import_set(im, "identity", "auth", "eap-mschapv2", n->line);
	else if (strcmp(method, "psk") == 0)
		import_set(im, "identity", "auth", "psk", n->line);
	else if (strcmp(method, "key") == 0 || strcmp(method, "cert") == 0)
		import_set(im, "identity", "auth", "certificate", n->line);
	else if (strcmp(method, "eap-tls") == 0)
		import_set(im, "identity", "auth", "eap-tls", n->line);
	else
		import_refuse(im, import_line(n ? n : vpn),
			      "method %.40s is not spoken: there are eap, "
			      "eap-tls, psk and key",
			      method[0] ? method : "(missing)");
}

static void strongswan_read(struct import *im, struct node *vpn)
{
	static const char *const needless[] = {"virtual",     "encap",
					       "proposal",    "password-flags",
					       "cert-source", "ipcomp"};
	struct node *user = node_get(vpn, "user");

	method_read(im, vpn);
	import_copy(im, vpn, "address", "gateway", "address");
	import_copy(im, vpn, "remote-identity", "gateway", "id");
	import_copy(im, vpn, "server-port", "gateway", "port");
	import_copy(im, vpn, "certificate", "gateway", "ca");
	import_copy(im, vpn, "local-identity", "identity", "id");
	if (user && !import_find(im, "identity", "id"))
		import_set(im, "identity", "id", user->text, user->line);
	else if (user)
		import_set(im, "identity", "user", user->text, user->line);
	import_copy(im, vpn, "usercert", "identity", "certificate");
	import_copy(im, vpn, "userkey", "identity", "private-key");
	import_networks(im, node_get(vpn, "remote-ts"));
	if (node_is_true(vpn, "proposal")) {
		import_proposals(im, node_get(vpn, "ike"), "ike", ";, ");
		import_proposals(im, node_get(vpn, "esp"), "esp", ";, ");
	}
	node_ignore(node_get(vpn, "ike"));
	node_ignore(node_get(vpn, "esp"));
	for (size_t i = 0; i < sizeof(needless) / sizeof(needless[0]); i++)
		node_ignore(node_get(vpn, needless[i]));
}

static void service_read(struct import *im, struct node *vpn)
{
	struct node *n = node_get(vpn, "service-type");
	const char *service = n && n->text ? n->text : "";

	if (strcmp(service, SERVICE "vpn-connect") == 0)
		own_read(im, vpn);
	else if (strcmp(service, SERVICE "strongswan") == 0)
		strongswan_read(im, vpn);
	else
		import_refuse(im, import_line(n ? n : vpn),
			      "a VPN of another kind (%.80s): vpn-connect and "
			      "strongswan are known",
			      service[0] ? service : "no service-type");
}

/* Beside a certificate the password is that of the private key. */
static void secrets_read(struct import *im, struct node *secrets)
{
	struct node *password = node_get(secrets, "password");

	if (password && import_has_certificate(im))
		import_note(im, password->line,
			    "a passphrase: the private key must be stored "
			    "without one");
	else
		import_secret(im, password);
}

void import_keyfile(struct import *im, struct node *root)
{
	struct node *connection, *vpn;
	const char *name;

	if (im->e || !root)
		return;
	connection = node_get(root, "connection");
	vpn = node_get(root, "vpn");
	name = node_text(connection, "id");
	import_name_clean(name ? name : "", im->name);
	if (!vpn) {
		import_refuse(im, import_line(connection),
			      "no [vpn] group: not the file of a VPN");
		return;
	}
	service_read(im, vpn);
	secrets_read(im, node_get(root, "vpn-secrets"));
	/* How the desktop handles it, and what a new profile has by itself. */
	node_ignore(connection);
	node_ignore(node_get(root, "proxy"));
	for (const char *const *g = (const char *const[]){"ipv4", "ipv6", NULL};
	     *g; g++) {
		struct node *ip = node_get(root, *g);

		node_ignore(node_get(ip, "method"));
		node_ignore(node_get(ip, "addr-gen-mode"));
		node_ignore(node_get(ip, "never-default"));
	}
	import_note_unused(im, root);
}
