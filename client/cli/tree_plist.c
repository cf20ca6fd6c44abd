/* Apple's property lists in XML, by expat. Entities are not defined in one:
 * a document that does so is refused. */
#include "config.h"

#include "client/cli/tree.h"

#include <expat.h>
#include <string.h>

#include "platform/base/secret.h"

#define KEY_LEN_MAX 200

struct reading {
	XML_Parser parser;
	struct tree tree;
	bool in_plist, in_key, has_key, lone_key;
	char key[KEY_LEN_MAX];
	struct node *leaf; /* that takes text; or NULL */
};

static int line_of(const struct reading *r)
{
	return (int)EXPAT_LINE(r->parser);
}

static void fail(struct reading *r, const char *what)
{
	tree_fail(&r->tree, line_of(r), what);
	XML_StopParser(r->parser, XML_FALSE);
}

static void value_open(struct reading *r, enum node_kind kind)
{
	struct tree *t = &r->tree;
	bool in_map = t->depth > 0 && t->open[t->depth - 1]->kind == NODE_MAP;
	struct node *n;

	if (in_map != r->has_key) {
		fail(r, in_map ? "a value without <key>"
			       : "a <key> outside of <dict>");
		return;
	}
	n = tree_add(t, kind, in_map ? r->key : NULL, line_of(r));
	r->has_key = false;
	if (!n)
		XML_StopParser(r->parser, XML_FALSE);
	else if (kind == NODE_MAP || kind == NODE_LIST)
		n->used = true;
	else
		r->leaf = n;
	tree_text(t, r->leaf, BYTES_NONE);
}

static void XMLCALL on_start(void *ctx, const XML_Char *name,
			     const XML_Char **attributes)
{
	static const struct {
		const char *name;
		enum node_kind kind;
		const char *text;
	} values[] = {
		{"dict", NODE_MAP, NULL},     {"array", NODE_LIST, NULL},
		{"string", NODE_TEXT, NULL},  {"integer", NODE_TEXT, NULL},
		{"real", NODE_TEXT, NULL},    {"date", NODE_TEXT, NULL},
		{"data", NODE_DATA, NULL},    {"true", NODE_BOOL, "true"},
		{"false", NODE_BOOL, "false"}};
	struct reading *r = ctx;

	if (r->leaf || r->in_key) {
		fail(r, "an element inside of a value");
		return;
	}
	if (strcmp(name, "plist") == 0 && !r->in_plist) {
		r->in_plist = true;
		return;
	}
	if (!r->in_plist) {
		fail(r, "not a property list");
		return;
	}
	if (strcmp(name, "key") == 0) {
		if (r->has_key)
			fail(r, "a <key> without its value before this one");
		r->in_key = r->has_key = true;
		r->key[0] = '\0';
		return;
	}
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcmp(name, values[i].name) != 0)
			continue;
		value_open(r, values[i].kind);
		if (values[i].text)
			tree_text(&r->tree, r->leaf, bytes_str(values[i].text));
		return;
	}
	fail(r, "not an element of a property list");
}

static void XMLCALL on_end(void *ctx, const XML_Char *name)
{
	struct reading *r = ctx;

	if (r->in_key) {
		r->in_key = false;
		return;
	}
	if (r->leaf) {
		r->leaf = NULL;
		return;
	}
	if (r->has_key)
		fail(r, "a <key> without its value");
	else
		tree_close(&r->tree);
}

static bool is_blank(const XML_Char *text, int len)
{
	for (int i = 0; i < len; i++)
		if (!strchr(" \t\r\n", text[i]) || text[i] == '\0')
			return false;
	return true;
}

static void XMLCALL on_text(void *ctx, const XML_Char *text, int len)
{
	struct reading *r = ctx;
	size_t used = strlen(r->key);

	if (r->leaf && r->leaf->kind != NODE_BOOL) {
		tree_text(&r->tree, r->leaf, bytes(text, (size_t)len));
		if (r->tree.e)
			XML_StopParser(r->parser, XML_FALSE);
	} else if (r->in_key && (size_t)len < KEY_LEN_MAX - used) {
		memcpy(r->key + used, text, (size_t)len);
		r->key[used + (size_t)len] = '\0';
	} else if (!is_blank(text, len)) {
		fail(r, "text where none belongs");
	}
}

static void XMLCALL on_entity(void *ctx, const XML_Char *name, int is_parameter,
			      const XML_Char *value, int value_len,
			      const XML_Char *base, const XML_Char *system,
			      const XML_Char *public, const XML_Char *notation)
{
	fail(ctx, "defines an entity, which no property list needs");
}

enum err tree_from_plist(struct bytes text, struct node **out,
			 struct tree_error *error)
{
	struct reading r = {.parser = XML_ParserCreate(NULL),
			    .tree = {.error = error}};

	if (!r.parser || text.len > TREE_FILE_MAX) {
		XML_ParserFree(r.parser);
		*out = NULL;
		return ERR_NO_MEMORY;
	}
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetEntityDeclHandler(r.parser, on_entity);
	if (XML_Parse(r.parser, (const char *)text.p, (int)text.len, 1) !=
	    XML_STATUS_OK)
		tree_fail(&r.tree, line_of(&r),
			  XML_ErrorString(XML_GetErrorCode(r.parser)));
	XML_ParserFree(r.parser);
	return tree_finish(&r.tree, out);
}
