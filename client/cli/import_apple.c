/* Apple's configuration profiles, .mobileconfig: the payload of a VPN and the
 * certificates it names. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/import_private.h"

static bool is_type(struct node *payload, const char *type)
{
	const char *text = node_text(payload, "PayloadType");

	return text && strcmp(text, type) == 0;
}

static bool is_ikev2(struct node *payload)
{
	const char *type = node_text(payload, "VPNType");

	return is_type(payload, "com.apple.vpn.managed") && type &&
	       strcmp(type, "IKEv2") == 0;
}

/* The one VPN, or the wanted one of several. */
static struct node *vpn_choose(struct import *im, struct node *payloads,
			       const char *wanted)
{
	struct node *found = NULL;
	int n = 0;

	for (struct node *p = payloads ? payloads->first : NULL; p;
	     p = p->next) {
		const char *name = node_text(p, "UserDefinedName");

		if (!is_ikev2(p))
			continue;
		if (wanted && name && strcmp(name, wanted) == 0)
			return p;
		found = p;
		n++;
	}
	if (n == 1)
		return found;
	import_refuse(im, import_line(found),
		      n == 0 ? "no VPN of type IKEv2 is in it"
			     : "several VPNs: choose one by --name");
	return NULL;
}

static struct node *payload_find(struct node *payloads, const char *uuid)
{
	for (struct node *p = payloads->first; p && uuid; p = p->next) {
		const char *own = node_text(p, "PayloadUUID");

		if (own && strcmp(own, uuid) == 0)
			return p;
	}
	return NULL;
}

static void key_read(struct import *im, struct node *payloads,
		     struct node *ikev2)
{
	struct node *uuid = node_get(ikev2, "PayloadCertificateUUID");
	struct node *payload = uuid ? payload_find(payloads, uuid->text) : NULL;
	const char *password;

	if (!payload || !is_type(payload, "com.apple.security.pkcs12")) {
		import_refuse(im, import_line(uuid ? uuid : ikev2),
			      "no PKCS#12 certificate with the "
			      "PayloadCertificateUUID is in the file: fetching "
			      "one (SCEP, ACME) is not spoken");
		return;
	}
	import_p12(im, node_get(payload, "PayloadContent"));
	password = node_text(payload, "Password");
	if (password && secret_set(&im->p12_password, bytes_str(password)))
		import_refuse(im, payload->line, "a password too long");
	im->has_p12_password = password != NULL;
}

static void cas_read(struct import *im, struct node *payloads)
{
	for (struct node *p = payloads->first; p; p = p->next)
		if (is_type(p, "com.apple.security.root") ||
		    is_type(p, "com.apple.security.pem") ||
		    is_type(p, "com.apple.security.pkcs1"))
			import_ca(im, node_get(p, "PayloadContent"));
}

static void auth_read(struct import *im, struct node *payloads,
		      struct node *ikev2)
{
	struct node *method = node_get(ikev2, "AuthenticationMethod");
	const char *text = method && method->text ? method->text : "None";
	bool eap = node_is_true(ikev2, "ExtendedAuthEnabled");
	int line = import_line(method ? method : ikev2);

	if (eap && strcmp(text, "None") == 0) {
		import_set(im, "identity", "auth", "eap-mschapv2", line);
		import_copy(im, ikev2, "AuthName", "identity", "user");
		import_secret(im, node_get(ikev2, "AuthPassword"));
	} else if (strcmp(text, "Certificate") == 0) {
		import_set(im, "identity", "auth",
			   eap ? "eap-tls" : "certificate", line);
		key_read(im, payloads, ikev2);
	} else if (!eap && strcmp(text, "SharedSecret") == 0) {
		import_set(im, "identity", "auth", "psk", line);
		import_secret(im, node_get(ikev2, "SharedSecret"));
	} else {
		import_refuse(im, line,
			      "AuthenticationMethod %.30s %s EAP is not "
			      "spoken: there are None with EAP (a password), "
			      "Certificate, and SharedSecret without EAP",
			      text, eap ? "with" : "without");
	}
}

/* --- algorithms ------------------------------------------------------------
 */

struct word {
	const char *theirs, *ours;
};

static const char *word_find(const struct word *words, size_t n,
			     const char *theirs)
{
	for (size_t i = 0; theirs && i < n; i++)
		if (strcmp(words[i].theirs, theirs) == 0)
			return words[i].ours;
	return NULL;
}
#define WORD_FIND(words, theirs)                                               \
	word_find(words, sizeof(words) / sizeof(words[0]), theirs)

static const char *encr_word(const char *theirs)
{
	static const struct word words[] = {
		{"AES-128", "aes128"},
		{"AES-256", "aes256"},
		{"AES-128-GCM", "aes128gcm16"},
		{"AES-256-GCM", "aes256gcm16"},
		{"ChaCha20Poly1305", "chacha20poly1305"}};

	return WORD_FIND(words, theirs ? theirs : "AES-256");
}

static const char *integ_word(const char *theirs)
{
	static const struct word words[] = {{"SHA2-256", "sha256"},
					    {"SHA2-384", "sha384"},
					    {"SHA2-512", "sha512"}};

	return WORD_FIND(words, theirs ? theirs : "SHA2-256");
}

static const char *ke_word(const char *theirs)
{
	static const struct word words[] = {
		{"14", "modp2048"}, {"15", "modp3072"}, {"16", "modp4096"},
		{"19", "ecp256"},   {"20", "ecp384"},	{"31", "x25519"}};

	return WORD_FIND(words, theirs ? theirs : "14");
}

/* One SecurityAssociationParameters; pfs: with a key exchange. */
static void algorithms_read(struct import *im, struct node *sa, const char *key,
			    bool pfs)
{
	const char *encr, *integ, *ke;
	char text[100];
	bool aead, ike = strcmp(key, "ike") == 0;

	if (!sa)
		return;
	encr = encr_word(node_text(sa, "EncryptionAlgorithm"));
	integ = integ_word(node_text(sa, "IntegrityAlgorithm"));
	ke = ke_word(node_text(sa, "DiffieHellmanGroup"));
	if (!encr || !integ || ((ike || pfs) && !ke)) {
		import_refuse(im, sa->line,
			      "its %s is not spoken or too weak: ask for "
			      "AES-256-GCM, SHA2-256 and group 19 or 31 at the "
			      "gateway",
			      !encr    ? "EncryptionAlgorithm"
			      : !integ ? "IntegrityAlgorithm"
				       : "DiffieHellmanGroup");
		return;
	}
	aead = strchr(encr, 'g') || encr[0] == 'c';
	snprintf(text, sizeof(text), "%s%s%s%s%s", encr,
		 aead ? (ike ? "-prf" : "") : "-", aead && !ike ? "" : integ,
		 ike || pfs ? "-" : "", ike || pfs ? ke : "");
	import_set(im, "crypto", key, text, sa->line);
	import_copy_time(im, sa, "LifeTimeInMinutes",
			 ike ? "ike-rekey" : "child-rekey", "m");
}

/* --- the rest ---------------------------------------------------------------
 */

static void dpd_read(struct import *im, struct node *ikev2)
{
	static const struct word words[] = {{"None", "never"},
					    {"Low", "30m"},
					    {"Medium", "10m"},
					    {"High", "1m"}};
	struct node *n = node_get(ikev2, "DeadPeerDetectionRate");
	const char *rate = n ? WORD_FIND(words, n->text) : NULL;

	if (rate)
		import_set(im, "timers", "dpd", rate, n->line);
	else if (n)
		import_note(im, n->line,
			    "DeadPeerDetectionRate %.20s is not "
			    "known",
			    n->text ? n->text : "");
}

static void ids_read(struct import *im, struct node *ikev2)
{
	struct node *name = node_get(ikev2, "AuthName");

	import_copy(im, ikev2, "RemoteAddress", "gateway", "address");
	import_copy(im, ikev2, "RemoteIdentifier", "gateway", "id");
	import_copy(im, ikev2, "LocalIdentifier", "identity", "id");
	/* Often left empty where a name is typed anyway. */
	if (name && !import_find(im, "identity", "id"))
		import_set(im, "identity", "id", name->text, name->line);
}

static void ikev2_read(struct import *im, struct node *payloads,
		       struct node *ikev2)
{
	struct node *child =
		node_get(ikev2, "ChildSecurityAssociationParameters");

	ids_read(im, ikev2);
	auth_read(im, payloads, ikev2);
	cas_read(im, payloads);
	algorithms_read(im, node_get(ikev2, "IKESecurityAssociationParameters"),
			"ike", true);
	algorithms_read(im, child, "esp", node_is_true(ikev2, "EnablePFS"));
	dpd_read(im, ikev2);
	import_copy(im, ikev2, "MTU", "tunnel", "mtu");
	if (node_is_true(ikev2, "DisableMOBIKE"))
		import_set(im, "tunnel", "mobike", "no", ikev2->line);
	import_copy_time(im, ikev2, "NATKeepAliveInterval", "keepalive", "s");
	/* Whom the certificate must come from, the CA says. */
	node_ignore(node_get(ikev2, "ServerCertificateIssuerCommonName"));
	node_ignore(node_get(ikev2, "ServerCertificateCommonName"));
	import_note_unused(im, ikev2);
}

void import_apple(struct import *im, struct node *root, const char *wanted)
{
	struct node *payloads, *vpn, *ikev2;
	const char *name;

	if (im->e || !root)
		return;
	payloads = node_get(root, "PayloadContent");
	vpn = vpn_choose(im, payloads, wanted);
	if (!vpn)
		return;
	name = node_text(vpn, "UserDefinedName");
	import_name_clean(name ? name : "", im->name);
	ikev2 = node_get(vpn, "IKEv2");
	if (!ikev2 || ikev2->kind != NODE_MAP)
		import_refuse(im, vpn->line, "the VPN has no IKEv2 part");
	else
		ikev2_read(im, payloads, ikev2);
}
