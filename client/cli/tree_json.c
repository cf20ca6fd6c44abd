/* JSON. jansson keeps no line numbers, but the order: the strings of the
 * text are counted off beside the values. */
#include "config.h"

#include "client/cli/tree.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/secret.h"

struct reading {
	struct tree tree;
	const uint8_t *p, *end;
	int line;
};

/* To behind the next string; the text is known to be JSON. Returns the line it
 * begins in. */
static int string_pass(struct reading *r)
{
	int line;

	while (r->p < r->end && *r->p != '"')
		r->line += *r->p++ == '\n';
	line = r->line;
	for (r->p++; r->p < r->end && *r->p != '"'; r->p++)
		if (*r->p == '\\')
			r->p++;
	r->p++;
	return line;
}

static void value_add(struct reading *r, const char *key, json_t *v, int line);

static void children_add(struct reading *r, json_t *v)
{
	const char *key;
	json_t *child;
	size_t i;

	json_object_foreach(v, key, child)
	{
		int line = string_pass(r);

		value_add(r, key, child, line);
	}
	json_array_foreach(v, i, child)
	{
		value_add(r, NULL, child, r->line);
	}
}

static void leaf_add(struct reading *r, const char *key, json_t *v, int line)
{
	enum node_kind kind = json_is_boolean(v) ? NODE_BOOL : NODE_TEXT;
	struct node *n = tree_add(&r->tree, kind, key, line);
	char number[64] = "";

	if (json_is_string(v)) {
		tree_text(&r->tree, n,
			  bytes(json_string_value(v), json_string_length(v)));
		return;
	}
	if (json_is_boolean(v))
		strcpy(number, json_is_true(v) ? "true" : "false");
	else if (json_is_integer(v))
		snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(v));
	else
		snprintf(number, sizeof(number), "%g", json_real_value(v));
	tree_text(&r->tree, n, bytes_str(number));
}

static void value_add(struct reading *r, const char *key, json_t *v, int line)
{
	if (json_is_string(v))
		line = string_pass(r);
	if (json_is_null(v))
		return; /* as if it were not there */
	if (!json_is_object(v) && !json_is_array(v)) {
		leaf_add(r, key, v, line);
		return;
	}
	/* On failure nothing was opened, and nothing more is added. */
	tree_add(&r->tree, json_is_object(v) ? NODE_MAP : NODE_LIST, key, line);
	if (r->tree.e)
		return;
	children_add(r, v);
	tree_close(&r->tree);
}

enum err tree_from_json(struct bytes text, struct node **out,
			struct tree_error *error)
{
	struct reading r = {.p = text.p,
			    .end = text.p + text.len,
			    .line = 1,
			    .tree = {.error = error}};
	json_error_t wrong;
	json_t *v = json_loadb((const char *)text.p, text.len,
			       JSON_REJECT_DUPLICATES, &wrong);

	if (v)
		value_add(&r, NULL, v, 1);
	else
		tree_fail(&r.tree, wrong.line, wrong.text);
	json_decref(v);
	return tree_finish(&r.tree, out);
}
