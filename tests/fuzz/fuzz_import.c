/* Files of other programs. What is taken is a profile, what is refused says
 * why, and what is exported comes back. */
#include "tests/fuzz/fuzz.h"

#include "client/cli/export.h"
#include "client/cli/import.h"

static void check_back(const char *text)
{
	const struct export_to to = {
		.name = "work", .dir = "/d", .user = "u", .uuid = "0"};
	struct import_source source = {.file = "f"};
	struct diag diag = DIAG_INIT;
	char *keyfile, *again = NULL;
	struct import *im;

	FUZZ_CHECK(export_keyfile(&to, text, &keyfile) == OK);
	source.text = bytes_str(keyfile);
	FUZZ_CHECK(import_read(&source, &im, &diag) == OK);
	FUZZ_CHECK(import_finish(im, "work", &again, &diag) == OK);
	import_free(&im);
	free(again);
	free(keyfile);
}

static void check_made(const struct import *im, const char *text)
{
	static struct profile profile;
	struct diag diag = DIAG_INIT;

	FUZZ_CHECK(profile_parse("work", text, &profile, &diag) == OK);
	/* Secrets lie in files of their own. */
	if (!im->verbatim)
		check_back(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct import_source source = {
		.file = "f", .text = {data, size}, .dir = "/d"};
	struct diag diag = DIAG_INIT;
	struct import *im;
	char *text = NULL;
	enum err e = import_read(&source, &im, &diag);

	FUZZ_CHECK(e == OK || e == ERR_PROFILE);
	FUZZ_CHECK((e == OK) == (im != NULL));
	if (!e)
		e = import_finish(im, "work", &text, &diag);
	FUZZ_CHECK(e == OK || e == ERR_PROFILE);
	FUZZ_CHECK((e == OK) == (diag.text[0] == '\0'));
	if (!e)
		check_made(im, text);
	free(text);
	import_free(&im);
	return 0;
}
