#include "client/cli/tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/secret.h"

#define TEXT_MAX (TREE_FILE_MAX - 1)

void tree_fail(struct tree *t, int line, const char *what)
{
	if (t->e)
		return;
	t->e = ERR_PROFILE;
	t->error->line = line;
	diag_clear(&t->error->diag);
	t->e = diag_set(&t->error->diag, ERR_PROFILE, "%s", what);
}

static void node_append(struct node *parent, struct node *n)
{
	if (parent->last)
		parent->last->next = n;
	else
		parent->first = n;
	parent->last = n;
}

struct node *tree_add(struct tree *t, enum node_kind kind, const char *key,
		      int line)
{
	bool opens = kind == NODE_MAP || kind == NODE_LIST;
	struct node *n;

	if (t->e)
		return NULL;
	if ((opens && t->depth == TREE_DEPTH_MAX) ||
	    t->n_nodes == TREE_NODES_MAX) {
		tree_fail(t, line, "nested too deeply, or too many values");
		return NULL;
	}
	if (t->root && t->depth == 0) {
		tree_fail(t, line, "something behind the end");
		return NULL;
	}
	n = calloc(1, sizeof(*n));
	if (n && key)
		n->key = strdup(key);
	if (!n || (key && !n->key)) {
		free(n);
		t->e = ERR_NO_MEMORY;
		return NULL;
	}
	n->kind = kind;
	n->line = line;
	t->n_nodes++;
	if (t->root)
		node_append(t->open[t->depth - 1], n);
	else
		t->root = n;
	if (opens)
		t->open[t->depth++] = n;
	return n;
}

/* Not realloc: what it leaves behind may be a secret. */
static bool text_grow(struct node *n, size_t len)
{
	size_t cap = n->text_cap * 2;
	char *text;

	if (n->text && len < n->text_cap)
		return true;
	if (cap <= len)
		cap = len + 1;
	text = malloc(cap);
	if (!text)
		return false;
	if (n->text_len)
		memcpy(text, n->text, n->text_len);
	mem_wipe(n->text, n->text_len);
	free(n->text);
	n->text = text;
	n->text_cap = cap;
	return true;
}

void tree_text(struct tree *t, struct node *n, struct bytes text)
{
	if (t->e || !n)
		return;
	if (text.len > 0 && memchr(text.p, '\0', text.len)) {
		tree_fail(t, n->line, "holds a NUL: not a text");
	} else if (text.len > TEXT_MAX - n->text_len) {
		tree_fail(t, n->line, "a value too long");
	} else if (!text_grow(n, n->text_len + text.len)) {
		t->e = ERR_NO_MEMORY;
	} else {
		if (text.len > 0)
			memcpy(n->text + n->text_len, text.p, text.len);
		n->text_len += text.len;
		n->text[n->text_len] = '\0';
	}
}

void tree_close(struct tree *t)
{
	if (!t->e && t->depth > 0)
		t->depth--;
}

enum err tree_finish(struct tree *t, struct node **out)
{
	if (!t->e && !t->root)
		tree_fail(t, 0, "there is nothing in it");
	if (t->e)
		node_free(&t->root);
	*out = t->root;
	return t->e;
}

void node_free(struct node **np)
{
	struct node *n = *np, *child;

	if (!n)
		return;
	while ((child = n->first)) {
		n->first = child->next;
		node_free(&child);
	}
	if (n->text)
		mem_wipe(n->text, n->text_len);
	free(n->text);
	free(n->key);
	free(n);
	*np = NULL;
}

/* --- looking -------------------------------------------------------------- */

struct node *node_get(struct node *map, const char *key)
{
	for (struct node *n = map ? map->first : NULL; n; n = n->next) {
		if (!n->key || strcmp(n->key, key) != 0)
			continue;
		n->used = true;
		return n;
	}
	return NULL;
}

const char *node_text(struct node *map, const char *key)
{
	struct node *n = node_get(map, key);

	return n ? n->text : NULL;
}

bool node_is_true(struct node *map, const char *key)
{
	static const char *const words[] = {"true", "yes", "1"};
	const char *text = node_text(map, key);

	for (size_t i = 0; text && i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	return false;
}

void node_ignore(struct node *n)
{
	if (!n)
		return;
	n->used = true;
	for (struct node *child = n->first; child; child = child->next)
		node_ignore(child);
}

/* Depth first; *seen: after was passed. */
static const struct node *unused_below(const struct node *n,
				       const struct node *after, bool *seen,
				       char *path, size_t cap)
{
	size_t used = strlen(path);
	const struct node *found = NULL;

	for (const struct node *c = n->first; c && !found; c = c->next) {
		snprintf(path + used, cap - used, "%s%s",
			 used > 0 && c->key ? "." : "", c->key ? c->key : "");
		if (*seen && !c->used && c->text)
			return c;
		*seen = *seen || c == after;
		found = unused_below(c, after, seen, path, cap);
		if (!found)
			path[used] = '\0';
	}
	return found;
}

const struct node *node_unused(const struct node *root,
			       const struct node *after, char *path, size_t cap)
{
	bool seen = !after;

	path[0] = '\0';
	return unused_below(root, after, &seen, path, cap);
}
