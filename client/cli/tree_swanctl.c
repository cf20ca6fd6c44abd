/* strongSwan's settings: name { key = value }, # comments, quoted strings. */
#include "client/cli/tree.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 4096

struct reading {
	struct tree tree;
	const uint8_t *p, *end;
	int line;
};

static int peek(const struct reading *r)
{
	return r->p < r->end ? *r->p : -1;
}

/* Spaces and comments; newlines too where they mean nothing. */
static void spaces_pass(struct reading *r, bool newlines)
{
	for (; r->p < r->end; r->p++) {
		if (*r->p == '#') {
			const uint8_t *stop =
				memchr(r->p, '\n', (size_t)(r->end - r->p));

			r->p = stop ? stop : r->end;
			if (r->p == r->end)
				return;
		}
		if (*r->p == '\n') {
			if (!newlines)
				return;
			r->line++;
		} else if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r') {
			return;
		}
	}
}

static bool name_char(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c > 0 && strchr("-_/%*@+", c)) ||
	       c >= 0x80;
}

/* A name of a section or key, with "." in it. */
static bool name_read(struct reading *r, char *out, size_t cap)
{
	size_t len = 0;

	while ((name_char(peek(r)) || peek(r) == '.') && len + 1 < cap)
		out[len++] = (char)*r->p++;
	out[len] = '\0';
	return len > 0 && !name_char(peek(r));
}

/* "...", with \n \r \t, \" and \\; may go over lines. */
static void quoted_read(struct reading *r, struct node *n)
{
	static const char from[] = "nrt", to[] = "\n\r\t";
	int start = r->line;

	for (r->p++; peek(r) != '"'; r->p++) {
		uint8_t c;
		const char *known;

		if (peek(r) == '\\')
			r->p++;
		if (r->p >= r->end) {
			tree_fail(&r->tree, start, "a \" without its end");
			return;
		}
		c = *r->p;
		r->line += c == '\n';
		known = r->p[-1] == '\\' && c ? strchr(from, c) : NULL;
		if (known)
			c = (uint8_t)to[known - from];
		tree_text(&r->tree, n, bytes(&c, 1));
		if (r->tree.e)
			return;
	}
	r->p++;
}

/* To the end of the line, a comment or what closes the section. */
static void plain_read(struct reading *r, struct node *n)
{
	const uint8_t *start = r->p, *last = r->p;

	for (; r->p < r->end && !strchr("#\n{}\"", *r->p); r->p++)
		if (*r->p != ' ' && *r->p != '\t' && *r->p != '\r')
			last = r->p + 1;
	tree_text(&r->tree, n, bytes(start, (size_t)(last - start)));
}

static void value_read(struct reading *r, const char *key)
{
	struct node *n = tree_add(&r->tree, NODE_TEXT, key, r->line);

	spaces_pass(r, false);
	tree_text(&r->tree, n, BYTES_NONE);
	if (peek(r) == '"')
		quoted_read(r, n);
	else
		plain_read(r, n);
	if (!r->tree.e && peek(r) == '"')
		tree_fail(&r->tree, r->line, "text beside a quoted one");
}

/* A name was read: what follows it says what it is. */
static void statement_read(struct reading *r, const char *name, int line)
{
	struct node *n;

	spaces_pass(r, true);
	if (peek(r) == '=') {
		r->p++;
		value_read(r, name);
		return;
	}
	if (strcmp(name, "include") == 0) {
		tree_fail(&r->tree, line,
			  "include is not followed: put that file's text in "
			  "here");
		return;
	}
	if (peek(r) == ':') {
		tree_fail(&r->tree, line,
			  "a reference to another section is not followed: "
			  "write its lines in here");
		return;
	}
	if (peek(r) != '{') {
		tree_fail(&r->tree, line, "neither name { nor key = value");
		return;
	}
	r->p++;
	n = tree_add(&r->tree, NODE_MAP, name, line);
	if (n)
		n->used = true;
}

enum err tree_from_swanctl(struct bytes text, struct node **out,
			   struct tree_error *error)
{
	struct reading r = {.tree = {.error = error},
			    .p = text.p,
			    .end = text.p + text.len,
			    .line = 1};
	char name[WORD_MAX];

	tree_add(&r.tree, NODE_MAP, NULL, 1);
	for (;;) {
		spaces_pass(&r, true);
		if (r.tree.e || r.p >= r.end)
			break;
		if (peek(&r) == '}') {
			if (r.tree.depth == 1)
				tree_fail(&r.tree, r.line, "a } too many");
			tree_close(&r.tree);
			r.p++;
		} else if (name_read(&r, name, sizeof(name))) {
			statement_read(&r, name, r.line);
		} else {
			tree_fail(&r.tree, r.line,
				  "neither name { nor key = value");
		}
	}
	if (!r.tree.e && r.tree.depth > 1)
		tree_fail(&r.tree, r.tree.open[r.tree.depth - 1]->line,
			  "this section has no }");
	return tree_finish(&r.tree, out);
}
