/* GLib's key files, as NetworkManager writes them. */
#include "client/cli/tree.h"

#include <stdio.h>
#include <string.h>

#include "platform/base/secret.h"

#define NAME_MAX_LEN 100

static struct bytes trim(struct bytes b)
{
	while (b.len > 0 && (b.p[0] == ' ' || b.p[0] == '\t'))
		b = bytes(b.p + 1, b.len - 1);
	while (b.len > 0 && strchr(" \t\r", b.p[b.len - 1]))
		b.len--;
	return b;
}

static bool name_copy(struct bytes b, char out[NAME_MAX_LEN])
{
	if (b.len == 0 || b.len >= NAME_MAX_LEN || memchr(b.p, '\0', b.len))
		return false;
	memcpy(out, b.p, b.len);
	out[b.len] = '\0';
	return true;
}

static void group_open(struct tree *t, struct bytes line, int number)
{
	char name[NAME_MAX_LEN];
	struct node *group;

	if (line.p[line.len - 1] != ']' ||
	    !name_copy(bytes(line.p + 1, line.len - 2), name)) {
		tree_fail(t, number, "not a [group]");
		return;
	}
	if (t->depth == 2)
		tree_close(t);
	/* GLib takes a group that is there twice as one; here it is a slip. */
	if (t->root && node_get(t->root, name)) {
		tree_fail(t, number, "this [group] is there twice");
		return;
	}
	group = tree_add(t, NODE_MAP, name, number);
	if (group)
		group->used = true;
}

/* \s \n \t \r \\ and, in lists, \; */
static void value_add(struct tree *t, struct node *n, struct bytes value)
{
	static const char from[] = "sntr", to[] = " \n\t\r";

	while (value.len > 0 && !t->e) {
		const uint8_t *slash = memchr(value.p, '\\', value.len);
		size_t plain = slash ? (size_t)(slash - value.p) : value.len;
		const char *known;
		uint8_t c;

		tree_text(t, n, bytes(value.p, plain));
		if (!slash || value.len - plain < 2)
			break;
		c = slash[1];
		known = c ? strchr(from, c) : NULL;
		if (known)
			c = (uint8_t)to[known - from];
		tree_text(t, n, bytes(&c, 1));
		value = bytes(slash + 2, value.len - plain - 2);
	}
}

static void pair_add(struct tree *t, struct bytes line, int number)
{
	const uint8_t *equals = memchr(line.p, '=', line.len);
	char name[NAME_MAX_LEN];
	struct bytes value;
	struct node *n;
	size_t len;

	if (t->depth < 2) {
		tree_fail(t, number, "this stands before the first [group]");
		return;
	}
	len = equals ? (size_t)(equals - line.p) : 0;
	if (!equals || !name_copy(trim(bytes(line.p, len)), name)) {
		tree_fail(t, number, "neither [group] nor key=value");
		return;
	}
	value = trim(bytes(equals + 1, line.len - len - 1));
	n = tree_add(t, NODE_TEXT, name, number);
	tree_text(t, n, BYTES_NONE);
	value_add(t, n, value);
}

enum err tree_from_keyfile(struct bytes text, struct node **out,
			   struct tree_error *error)
{
	struct tree t = {.error = error};
	const uint8_t *end = text.p + text.len;
	int number = 0;

	tree_add(&t, NODE_MAP, NULL, 1);
	for (const uint8_t *p = text.p; p < end && !t.e;) {
		const uint8_t *stop = memchr(p, '\n', (size_t)(end - p));
		struct bytes line =
			trim(bytes(p, (size_t)((stop ? stop : end) - p)));

		number++;
		if (line.len > 0 && line.p[0] == '[')
			group_open(&t, line, number);
		else if (line.len > 0 && line.p[0] != '#')
			pair_add(&t, line, number);
		p = stop ? stop + 1 : end;
	}
	return tree_finish(&t, out);
}
