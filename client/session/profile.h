/* A profile: NAME.conf, an INI file; meaning and checks, no file access. */
#ifndef CLIENT_SESSION_PROFILE_H
#define CLIENT_SESSION_PROFILE_H

#include "client/session/paths.h"
#include "client/session/session.h"

#define PROFILE_PATH_MAX     512
#define PROFILE_NAME_MAX     64
#define PROFILE_NETWORKS_MAX 32

/* What protects the key of the ticket cache (client/store/key.h).
 * X(name, number in its files, word in a profile) */
#define CACHE_KEY_LIST(X)                                                      \
	X(CACHE_KEY_AUTO, 0, "auto") /* the first that works */                \
	X(CACHE_KEY_TPM, 1, "tpm")                                             \
	X(CACHE_KEY_CREDENTIAL, 2, "credential") /* systemd */                 \
	X(CACHE_KEY_SECRET_SERVICE, 3, "secret-service")                       \
	X(CACHE_KEY_KEYRING, 4, "keyring") /* Linux, until the reboot */       \
	X(CACHE_KEY_FILE, 5, "file")

enum cache_key {
#define X(name, number, word) name = number,
	CACHE_KEY_LIST(X)
#undef X
};

/* Who does the ESP. */
enum dataplane_kind {
	DATAPLANE_AUTO = 0, /* the kernel where it can, else the client */
	DATAPLANE_KERNEL,
	DATAPLANE_USER /* the client */
};

struct profile {
	char name[PROFILE_NAME_MAX]; /* file name without .conf */
	/* [gateway] */
	char gateway[256]; /* address = name or IP */
	uint16_t port;	   /* 4500 */
	enum transport transport;
	uint16_t tcp_ports[PATHS_PORTS_MAX]; /* 4500, 443 */
	size_t n_tcp_ports;
	struct ike_name gateway_id;
	char ca[PROFILE_PATH_MAX]; /* file; empty: the system's CAs */
	/* [identity] */
	enum ike_auth_kind auth;
	struct ike_name id;
	struct ike_name user;		      /* EAP identity */
	char password_file[PROFILE_PATH_MAX]; /* password or PSK; or "" */
	char password_credential[128];	      /* systemd credential; or "" */
	char certificate[PROFILE_PATH_MAX];
	char private_key[PROFILE_PATH_MAX];
	/* [tunnel] */
	size_t n_networks;
	struct prefix networks[PROFILE_NETWORKS_MAX];
	bool dns;	/* use the gateway's name servers */
	bool allow_lan; /* local network stays reachable under a full tunnel */
	bool block_other_family; /* beside a full tunnel of one family only */
	uint16_t mtu;		 /* 0: chosen */
	enum dataplane_kind dataplane;
	bool mobike; /* move with the network (RFC 4555) */
	/* [network] */
	char portal_url[256]; /* a page of known content; or "": none asked */
	char portal_text[64]; /* it begins so; "": it is empty */
	/* [crypto] */
	struct proposal_list ike, esp;
	/* [resumption] */
	bool tickets;
	enum session_renewal renewal;
	bool pfs; /* rekey with KE right after a resume */
	enum cache_key cache_key;
	/* [timers], milliseconds */
	uint32_t dpd_ms, ike_rekey_ms, child_rekey_ms, keepalive_ms;
	bool keepalive_learn; /* keepalive_ms is where it begins */
	/* Over kind of authentication, identities, gateway, CA, certificate:
	 * a ticket of another fingerprint is void. SHA-256. */
	uint8_t fingerprint[32];
	/* SHA-256 of the password or key, where a file holds it: a ticket got
	 * with another one is void. A file that is not there just now (or a
	 * person) says nothing about that. */
	uint8_t credential[32];
	bool has_credential;
};

/* text: the file's content, NUL-terminated. Every refusal is one line with
 * the line number and what to write instead (ERR_PROFILE). Unknown keys and
 * sections are refused by name. */
enum err ERR_MUST profile_parse(const char *name, const char *text,
				struct profile *out, struct diag *diag);
/* The i-th key that a profile can have, and its section; NULL behind the
 * last. */
const char *profile_key(size_t i, const char **out_section);
/* One key of a text; a value in several lines comes in as many calls. */
typedef void profile_each_fn(void *ctx, const char *section, const char *key,
			     const char *value);
/* Every key of a text that profile_parse accepts, with what it says. */
void profile_each(const char *text, profile_each_fn *each, void *ctx);
/* "alice@example.org", "gw.example.org", "192.0.2.1", "C=DE, CN=gw" (a
 * distinguished name, see dn_parse), "keyid:text": type and octets. */
enum err ERR_MUST profile_id_parse(const char *text, struct ike_name *out,
				   struct diag *diag);
/* Everything of the profile that the session needs. Views into p. */
void profile_to_session(const struct profile *p, struct session_config *out);

#endif
