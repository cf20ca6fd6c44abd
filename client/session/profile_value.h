/* Values of a profile's keys. Shared by profile*.c only.
 *
 * Each parser takes the text behind the "=" (trimmed, may be empty) and says
 * in diag what to write instead, without line or key: the caller adds those.
 */
#ifndef CLIENT_SESSION_PROFILE_VALUE_H
#define CLIENT_SESSION_PROFILE_VALUE_H

#include "client/session/profile.h"

/* setup, request, push, auto. */
enum err ERR_MUST profile_value_renewal(const char *text,
					enum session_renewal *out,
					struct diag *diag);
/* yes, no (also true, false, on, off). */
enum err ERR_MUST profile_value_bool(const char *text, bool *out,
				     struct diag *diag);
/* auto, udp, tcp. */
enum err ERR_MUST profile_value_transport(const char *text, enum transport *out,
					  struct diag *diag);
/* auto, kernel, user. */
enum err ERR_MUST profile_value_dataplane(const char *text,
					  enum dataplane_kind *out,
					  struct diag *diag);
/* Up to PATHS_PORTS_MAX ports separated by commas. */
enum err ERR_MUST profile_value_ports(const char *text,
				      uint16_t out[PATHS_PORTS_MAX],
				      size_t *out_n, struct diag *diag);
/* Decimal, min to max. */
enum err ERR_MUST profile_value_u16(const char *text, const uint16_t range[2],
				    uint16_t *out, struct diag *diag);
/* "30s", "500ms", "5m", "4h" to milliseconds, at most 30 days; "0" and
 * "never" are 0. */
enum err ERR_MUST profile_value_duration(const char *text, uint32_t *out_ms,
					 struct diag *diag);
/* Printable text that fits; cap counts the NUL. */
enum err ERR_MUST profile_value_text(const char *text, size_t cap, char *out,
				     struct diag *diag);
/* psk, certificate, eap-mschapv2, eap-tls. */
enum err ERR_MUST profile_value_auth(const char *text, enum ike_auth_kind *out,
				     struct diag *diag);
/* auto, tpm, credential, secret-service, keyring, file. */
enum err ERR_MUST profile_value_cache_key(const char *text, enum cache_key *out,
					  struct diag *diag);
/* A name or an IP address. */
enum err ERR_MUST profile_value_host(const char *text, size_t cap, char *out,
				     struct diag *diag);
/* http:// or https://; "off" is "". */
enum err ERR_MUST profile_value_url(const char *text, size_t cap, char *out,
				    struct diag *diag);
/* Prefixes separated by commas, appended to p->networks. */
enum err ERR_MUST profile_value_networks(const char *text, struct profile *p,
					 struct diag *diag);

#endif
