/* strongSwan's profiles for Android and its desktop client, .sswan. */
#include <string.h>

#include "client/cli/import_private.h"

static void type_read(struct import *im, struct node *root)
{
	struct node *n = node_get(root, "type");
	const char *type = n && n->text ? n->text : "";

	if (strcmp(type, "ikev2-eap") == 0)
		import_set(im, "identity", "auth", "eap-mschapv2", n->line);
	else if (strcmp(type, "ikev2-cert") == 0)
		import_set(im, "identity", "auth", "certificate", n->line);
	else if (strcmp(type, "ikev2-eap-tls") == 0)
		import_set(im, "identity", "auth", "eap-tls", n->line);
	else
		import_refuse(im, import_line(n),
			      "type %.40s is not spoken: there are ikev2-eap, "
			      "ikev2-cert and ikev2-eap-tls",
			      type[0] ? type : "(missing)");
}

static void remote_read(struct import *im, struct node *remote)
{
	import_copy(im, remote, "addr", "gateway", "address");
	import_copy(im, remote, "id", "gateway", "id");
	import_copy(im, remote, "port", "gateway", "port");
	import_ca(im, node_get(remote, "cert"));
	/* What we do always. */
	node_ignore(node_get(remote, "certreq"));
}

static void local_read(struct import *im, struct node *local)
{
	struct node *user = node_get(local, "eap_id");

	import_copy(im, local, "id", "identity", "id");
	if (user && !import_find(im, "identity", "id"))
		import_set(im, "identity", "id", user->text, user->line);
	else if (user)
		import_set(im, "identity", "user", user->text, user->line);
	import_p12(im, node_get(local, "p12"));
	/* Chosen by what the gateway can. */
	node_ignore(node_get(local, "rsa-pss"));
}

static void split_read(struct import *im, struct node *split)
{
	struct node *excluded = node_get(split, "excluded");

	import_networks(im, node_get(split, "subnets"));
	if (excluded &&
	    (excluded->first || (excluded->text && excluded->text[0])))
		import_note(im, excluded->line,
			    "networks that stay outside of the tunnel are not "
			    "spoken: see allow-lan in vpn-connect.conf(5)");
	node_ignore(excluded);
}

void import_sswan(struct import *im, struct node *root)
{
	static const char *const needless[] = {"uuid"};
	const char *name;

	if (im->e || !root)
		return;
	name = node_text(root, "name");
	import_name_clean(name ? name : "", im->name);
	type_read(im, root);
	remote_read(im, node_get(root, "remote"));
	local_read(im, node_get(root, "local"));
	split_read(im, node_get(root, "split-tunneling"));
	import_copy(im, root, "mtu", "tunnel", "mtu");
	import_proposals(im, node_get(root, "ike-proposal"), "ike", ", ");
	import_proposals(im, node_get(root, "esp-proposal"), "esp", ", ");
	import_copy_time(im, root, "nat-keepalive", "keepalive", "s");
	for (size_t i = 0; i < sizeof(needless) / sizeof(needless[0]); i++)
		node_ignore(node_get(root, needless[i]));
	import_note_unused(im, root);
}
