/* Shared by import*.c only. Errors stick in im->e; what is called after one
 * does nothing. */
#ifndef CLIENT_CLI_IMPORT_PRIVATE_H
#define CLIENT_CLI_IMPORT_PRIVATE_H

#include "client/cli/import.h"
#include "client/cli/tree.h"

/* "FILE:LINE: ..." (without the line where it is 0). Always ERR_PROFILE. */
enum err import_refuse(struct import *im, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The import goes on without it. */
void import_note(struct import *im, int line, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* text is copied; NULL or "": nothing is set. */
void import_set(struct import *im, const char *section, const char *key,
		const char *text, int line);
const struct import_value *import_find(const struct import *im,
				       const char *section, const char *key);
/* Is a certificate how we log in? */
bool import_has_certificate(const struct import *im);
/* The child map.from, where it is there, becomes [section] key. */
void import_copy(struct import *im, struct node *map, const char *from,
		 const char *section, const char *key);
/* The same of a number of units: "20" and "s" become "20s". */
void import_copy_time(struct import *im, struct node *map, const char *from,
		      const char *key, const char *unit);
/* strongSwan's proposals, each translated; what is not spoken is noted, and
 * refused when nothing is left. separators: e.g. ", ". */
void import_proposals(struct import *im, const struct node *n, const char *key,
		      const char *separators);
/* A text or list of networks. */
void import_networks(struct import *im, struct node *n);
void import_secret(struct import *im, const struct node *n);
/* Base64 (or, of a CA, PEM in it) of the node. */
void import_ca(struct import *im, const struct node *n);
void import_p12(struct import *im, const struct node *n);
/* A note for every leaf that nobody looked at. */
void import_note_unused(struct import *im, const struct node *root);
/* Line of a node that may be missing. */
int import_line(const struct node *n);
/* Required keys are checked by import_finish. Each reads one format. */
void import_sswan(struct import *im, struct node *root);
void import_apple(struct import *im, struct node *root, const char *wanted);
void import_swanctl(struct import *im, struct node *root, const char *wanted);
void import_keyfile(struct import *im, struct node *root);

#endif
