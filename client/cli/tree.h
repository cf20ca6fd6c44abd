/* Files of other programs as one kind of tree, with the line of everything:
 * import_*.c say what it means. Parsers borrow the text; it may hold anything.
 */
#ifndef CLIENT_CLI_TREE_H
#define CLIENT_CLI_TREE_H

#include "platform/base/bytes.h"

#define TREE_DEPTH_MAX 32
#define TREE_NODES_MAX 4096
#define TREE_FILE_MAX  (1024 * 1024)

enum node_kind {
	NODE_MAP,  /* children with keys */
	NODE_LIST, /* children without */
	NODE_TEXT, /* string, number, date */
	NODE_BOOL, /* text is "true" or "false" */
	NODE_DATA  /* text is Base64 */
};

struct node {
	enum node_kind kind;
	int line;
	bool used;  /* somebody asked for it */
	char *key;  /* NULL in a list and for the root */
	char *text; /* NULL for a map and a list */
	size_t text_len, text_cap;
	struct node *first, *last, *next;
};

/* What a parser says about the text: the line is told apart. */
struct tree_error {
	int line; /* 0: of no line */
	struct diag diag;
};

/* Each gives *out (node_free). ERR_PROFILE with a line, ERR_NO_MEMORY. */
enum err ERR_MUST tree_from_json(struct bytes text, struct node **out,
				 struct tree_error *error);
enum err ERR_MUST tree_from_plist(struct bytes text, struct node **out,
				  struct tree_error *error);
/* strongSwan's settings: sections in braces. */
enum err ERR_MUST tree_from_swanctl(struct bytes text, struct node **out,
				    struct tree_error *error);
/* [group] and key=value, as NetworkManager's keyfiles: a map of maps. */
enum err ERR_MUST tree_from_keyfile(struct bytes text, struct node **out,
				    struct tree_error *error);

/* Wipes: passwords and keys may stand in it. */
void node_free(struct node **n);

/* For the parsers. A tree that is being made; errors stick. */
struct tree {
	struct node *root;
	struct node *open[TREE_DEPTH_MAX]; /* maps and lists, outermost first */
	size_t depth;
	size_t n_nodes;
	enum err e;
	struct tree_error *error;
};
/* Only the first one is kept. */
void tree_fail(struct tree *t, int line, const char *what);
/* Into the innermost open map or list; key is copied and NULL in a list.
 * Opens it, where it is one. NULL: failed. */
struct node *tree_add(struct tree *t, enum node_kind kind, const char *key,
		      int line);
/* Copied; may be called again, to append. */
void tree_text(struct tree *t, struct node *n, struct bytes text);
void tree_close(struct tree *t);
/* Gives the tree or frees it. */
enum err ERR_MUST tree_finish(struct tree *t, struct node **out);

/* The child of that key (the first); NULL, also for a NULL map. Marks it. */
struct node *node_get(struct node *map, const char *key);
/* Its text when it has one, else NULL. */
const char *node_text(struct node *map, const char *key);
bool node_is_true(struct node *map, const char *key);
/* It and all below count as used. */
void node_ignore(struct node *n);
/* The next leaf that nobody asked for, in order; NULL at the end. path: of it,
 * "a.b.c". Start with *after NULL. */
const struct node *node_unused(const struct node *root,
			       const struct node *after, char *path,
			       size_t cap);

#endif
