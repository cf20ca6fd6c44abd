/* Connections of swanctl.conf. Files it names lie in folders beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/import_private.h"

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static struct node *connection_choose(struct import *im, struct node *all,
				      const char *wanted)
{
	char names[160] = "";

	for (struct node *n = all ? all->first : NULL; n; n = n->next) {
		size_t used = strlen(names);

		if (wanted && strcmp(n->key, wanted) == 0)
			return n;
		snprintf(names + used, sizeof(names) - used, "%s%.60s",
			 used ? ", " : "", n->key);
	}
	if (!all || !all->first)
		import_refuse(im, import_line(all), "no connection is in it");
	else if (all->first->next)
		import_refuse(im, all->line,
			      "several connections: choose one by --name: %s",
			      names);
	return im->e ? NULL : all->first;
}

/* The only child whose name begins so: local, local-1, ... */
static struct node *round_of(struct import *im, struct node *connection,
			     const char *name)
{
	struct node *found = NULL;

	for (struct node *n = connection->first; n; n = n->next) {
		if (n->kind != NODE_MAP || !begins(n->key, name))
			continue;
		if (found)
			import_refuse(im, n->line,
				      "a second authentication (%s) is not "
				      "spoken: remove it",
				      n->key);
		found = n;
	}
	if (!found)
		import_refuse(im, connection->line, "no %s section", name);
	return found;
}

/* folder/NAME beside swanctl.conf, or the path it is. */
static void file_set(struct import *im, struct node *n, const char *section,
		     const char *key, const char *folder)
{
	bool whole = n && n->text && n->text[0] == '/';
	char path[PROFILE_PATH_MAX];

	if (!n || !n->text || !n->text[0])
		return;
	if (!whole && !im->dir) {
		import_refuse(im, n->line,
			      "names a file that is not here: fetch it, and "
			      "import the file from a folder");
		return;
	}
	if (strpbrk(n->text, ","))
		import_note(im, n->line,
			    "more than one file: join them (cat) and name that "
			    "one");
	snprintf(path, sizeof(path), "%s%s%s%s%.*s", whole ? "" : im->dir,
		 whole ? "" : "/", whole ? "" : folder, whole ? "" : "/",
		 (int)strcspn(n->text, ","), n->text);
	import_set(im, section, key, path, n->line);
}

static void local_read(struct import *im, struct node *local)
{
	struct node *auth = node_get(local, "auth");
	const char *text = auth && auth->text ? auth->text : "pubkey";
	int line = import_line(auth ? auth : local);

	if (strcmp(text, "psk") == 0)
		import_set(im, "identity", "auth", "psk", line);
	else if (strcmp(text, "eap-mschapv2") == 0 || strcmp(text, "eap") == 0)
		import_set(im, "identity", "auth", "eap-mschapv2", line);
	else if (strcmp(text, "eap-tls") == 0)
		import_set(im, "identity", "auth", "eap-tls", line);
	else if (begins(text, "pubkey") || strcmp(text, "rsa") == 0 ||
		 strcmp(text, "ecdsa") == 0)
		import_set(im, "identity", "auth", "certificate", line);
	else
		import_refuse(im, line,
			      "auth = %.40s is not spoken: there are psk, "
			      "pubkey, eap-mschapv2 and eap-tls",
			      text);
	import_copy(im, local, "id", "identity", "id");
	if (!import_find(im, "identity", "id"))
		import_copy(im, local, "eap_id", "identity", "id");
	else
		import_copy(im, local, "eap_id", "identity", "user");
	file_set(im, node_get(local, "certs"), "identity", "certificate",
		 "x509");
}

static void remote_read(struct import *im, struct node *remote)
{
	struct node *auth = node_get(remote, "auth");

	import_copy(im, remote, "id", "gateway", "id");
	file_set(im, node_get(remote, "cacerts"), "gateway", "ca", "x509ca");
	if (!import_find(im, "gateway", "ca"))
		file_set(im, node_get(remote, "certs"), "gateway", "ca",
			 "x509");
	if (!import_find(im, "gateway", "ca"))
		import_note(im, import_line(remote),
			    "no cacerts: the gateway must have a certificate "
			    "of the system's CAs; else name its CA by ca");
	if (auth && auth->text && begins(auth->text, "eap"))
		import_refuse(im, auth->line,
			      "a gateway that proves itself by EAP is not "
			      "spoken");
}

static void child_read(struct import *im, struct node *children)
{
	static const char *const needless[] = {"start_action", "close_action",
					       "dpd_action", "local_ts"};
	struct node *child = children ? children->first : NULL;
	const char *mode = node_text(child, "mode");

	if (!child)
		return;
	if (child->next)
		import_note(im, child->next->line,
			    "a second child is not used: join its remote_ts");
	if (mode && strcmp(mode, "tunnel") != 0)
		import_refuse(im, child->line, "mode = %.30s is not spoken",
			      mode);
	import_networks(im, node_get(child, "remote_ts"));
	import_proposals(im, node_get(child, "esp_proposals"), "esp", ", ");
	import_copy_time(im, child, "rekey_time", "child-rekey", "s");
	for (size_t i = 0; i < sizeof(needless) / sizeof(needless[0]); i++)
		node_ignore(node_get(child, needless[i]));
	node_ignore(child->next);
}

/* Does the secret belong to who we are, or to anybody? */
static bool secret_is_ours(const struct import *im, struct node *secret)
{
	const struct import_value *id = import_find(im, "identity", "id");
	const struct import_value *user = import_find(im, "identity", "user");
	bool named = false;

	for (struct node *n = secret->first; n; n = n->next) {
		if (!begins(n->key, "id") || !n->text)
			continue;
		n->used = named = true;
		if ((id && strcmp(n->text, id->text) == 0) ||
		    (user && strcmp(n->text, user->text) == 0))
			return true;
	}
	return !named;
}

static bool is_private_key(const struct node *secret)
{
	return begins(secret->key, "private") || begins(secret->key, "rsa") ||
	       begins(secret->key, "ecdsa") || begins(secret->key, "pkcs8");
}

static void secrets_read(struct import *im, struct node *secrets)
{
	const struct import_value *auth = import_find(im, "identity", "auth");
	bool psk = auth && strcmp(auth->text, "psk") == 0;
	bool cert = import_has_certificate(im);

	for (struct node *n = secrets ? secrets->first : NULL; n; n = n->next) {
		bool key = cert && is_private_key(n);
		bool password = !cert && !im->has_secret &&
				begins(n->key, psk ? "ike" : "eap") &&
				secret_is_ours(im, n);

		if (key)
			file_set(im, node_get(n, "file"), "identity",
				 "private-key", "private");
		if (key || password)
			import_secret(im, node_get(n, "secret"));
		node_ignore(n);
	}
	if (cert && !import_find(im, "identity", "private-key"))
		import_refuse(im, auth->line,
			      "which private key? Name it: secrets { private { "
			      "file = FILE } }");
}

static void gateway_read(struct import *im, struct node *connection)
{
	struct node *addresses = node_get(connection, "remote_addrs");
	struct node *version = node_get(connection, "version");
	char first[256];

	if (version && version->text && strcmp(version->text, "1") == 0)
		import_refuse(im, version->line,
			      "IKEv1 is not spoken: use "
			      "version = 2");
	if (!addresses || !addresses->text)
		return;
	snprintf(first, sizeof(first), "%.*s",
		 (int)strcspn(addresses->text, ", "), addresses->text);
	if (strlen(first) < strlen(addresses->text))
		import_note(im, addresses->line,
			    "only the first address is used");
	import_set(im, "gateway", "address", first, addresses->line);
	import_copy(im, connection, "remote_port", "gateway", "port");
}

static void connection_read(struct import *im, struct node *connection)
{
	/* As we do it always, or what only a gateway needs. */
	static const char *const needless[] = {
		"vips",		"encap",       "fragmentation",
		"keyingtries",	"local_addrs", "send_cert",
		"send_certreq", "unique",      "local_port"};

	gateway_read(im, connection);
	local_read(im, round_of(im, connection, "local"));
	remote_read(im, round_of(im, connection, "remote"));
	import_proposals(im, node_get(connection, "proposals"), "ike", ", ");
	import_copy(im, connection, "mobike", "tunnel", "mobike");
	import_copy_time(im, connection, "dpd_delay", "dpd", "s");
	import_copy_time(im, connection, "rekey_time", "ike-rekey", "s");
	child_read(im, node_get(connection, "children"));
	for (size_t i = 0; i < sizeof(needless) / sizeof(needless[0]); i++)
		node_ignore(node_get(connection, needless[i]));
}

void import_swanctl(struct import *im, struct node *root, const char *wanted)
{
	struct node *connection;

	if (im->e || !root)
		return;
	connection =
		connection_choose(im, node_get(root, "connections"), wanted);
	if (!connection)
		return;
	import_name_clean(connection->key, im->name);
	connection_read(im, connection);
	secrets_read(im, node_get(root, "secrets"));
	import_note_unused(im, connection);
}
