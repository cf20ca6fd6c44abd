/* What a file of another program asks for, in the words of our profiles.
 * No file is opened here and nobody is asked: text in, text out.
 */
#ifndef CLIENT_CLI_IMPORT_H
#define CLIENT_CLI_IMPORT_H

#include "client/session/profile.h"

#define IMPORT_VALUES_MAX 64
#define IMPORT_NOTES_MAX  48

struct import_source {
	const char *file;   /* as messages name it */
	struct bytes text;  /* at most TREE_FILE_MAX octets */
	const char *wanted; /* the connection, where it has several; or NULL */
	const char *dir;    /* absolute: paths in it are relative to; or NULL */
	bool fetched;	    /* from elsewhere: it must not name our files */
};

struct import_value {
	const char *section, *key; /* of a profile; static */
	char *text;
	int line;    /* in the source; 0: of none */
	int at_line; /* in the profile */
};

struct import {
	const char *file, *dir;	     /* as in the source */
	char name[PROFILE_NAME_MAX]; /* that the file suggests; or "" */
	struct import_value values[IMPORT_VALUES_MAX];
	size_t n_values;
	char *notes[IMPORT_NOTES_MAX]; /* "FILE:LINE: ..." */
	size_t n_notes;
	/* What becomes files beside the profile: PEM texts; or NULL. */
	char *ca, *cert, *key;
	struct secret secret; /* password or PSK */
	bool has_secret;
	/* A container that import_open_p12 turns into the above. */
	uint8_t *p12;
	size_t p12_len;
	int p12_line;
	struct secret p12_password; /* where the file itself tells it */
	bool has_p12_password;
	char *verbatim; /* it was one of our own profiles */
	bool fetched;
	enum err e; /* the first thing that went wrong */
	struct diag *diag;
};

/* Which of them the text is, is seen from itself: .sswan (JSON), .mobileconfig
 * (XML), swanctl.conf, NetworkManager's keyfile, our own profile.
 * gives *out (import_free); borrows source->file until then. ERR_PROFILE with
 * "FILE:LINE: what, and what to do" in diag. */
enum err ERR_MUST import_read(const struct import_source *source,
			      struct import **out, struct diag *diag);
/* password NULL: the one of the file. ERR_NEEDS_PERSON: another is needed;
 * may be called again then. ERR_PROFILE. After crypto_open. */
enum err ERR_MUST import_open_p12(struct import *im, const char *password,
				  struct diag *diag);
/* The profile as it is to be written for that name, checked: the files beside
 * it are called NAME-ca.pem, NAME-cert.pem, NAME-key.pem, NAME-password.
 * gives *out_text (free). ERR_PROFILE with a line of the source. */
enum err ERR_MUST import_finish(struct import *im, const char *name,
				char **out_text, struct diag *diag);
void import_free(struct import **im); /* wipes */

/* Letters that a profile's name may have; everything else becomes '-'.
 * out[0] is '\0' when nothing is left. */
void import_name_clean(const char *text, char out[PROFILE_NAME_MAX]);

#endif
