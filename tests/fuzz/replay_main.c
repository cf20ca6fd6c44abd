/* Runs a fuzz target without libFuzzer: each file of its corpus as it is,
 * and mutations of it that are the same in every run.
 *
 *   fuzz_X [FILE...]     without files: CORPUS_DIR/X
 */
#include <dirent.h>
#include <limits.h>

#include "tests/fuzz/fuzz.h"

#define INPUT_MAX 70000
#define MUTATIONS 200 /* of each file */

static uint32_t lcg_state;

static uint32_t lcg(uint32_t below)
{
	lcg_state = lcg_state * 1664525 + 1013904223;
	return below > 0 ? (lcg_state >> 8) % below : 0;
}

/* The octets stand at the end of a block of their own, for ASan. */
static void run(const uint8_t *p, size_t len)
{
	uint8_t *copy = fuzz_copy(bytes(p, len));

	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static size_t mutate(uint8_t *p, size_t len)
{
	static const uint8_t odd[] = {0, 1, 2, 3, 4, 0x7f, 0x80, 0xff};
	uint32_t at = lcg((uint32_t)len);

	switch (lcg(6)) {
	case 0:
		p[at] ^= (uint8_t)(1U << lcg(8));
		return len;
	case 1:
		p[at] = odd[lcg(sizeof(odd))];
		return len;
	case 2:
		p[at] = (uint8_t)(p[at] + lcg(9) - 4);
		return len;
	case 3: /* cut off */
		return at;
	case 4: /* take octets out */
		memmove(p + at, p + at + 1, len - at - 1);
		return len - 1;
	default: /* say some twice */
		if (len + 8 > INPUT_MAX || len - at < 8)
			return len;
		memmove(p + at + 8, p + at, len - at);
		return len + 8;
	}
}

static void run_file(const char *path)
{
	static uint8_t input[INPUT_MAX], mutant[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t len, m;

	if (!f) {
		perror(path);
		exit(1);
	}
	len = fread(input, 1, sizeof(input), f);
	fclose(f);
	run(input, len);
	lcg_state = (uint32_t)len;
	for (size_t i = 0; i < MUTATIONS && len > 0; i++) {
		memcpy(mutant, input, len);
		m = len;
		for (uint32_t n = 1 + lcg(4); n > 0 && m > 0; n--)
			m = mutate(mutant, m);
		run(mutant, m);
	}
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static size_t run_dir(const char *dir)
{
	char path[PATH_MAX + NAME_MAX + 2];
	struct dirent **names;
	size_t files = 0;
	int n = scandir(dir, &names, NULL, by_name);

	if (n < 0) {
		perror(dir);
		exit(1);
	}
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			snprintf(path, sizeof(path), "%s/%s", dir,
				 names[i]->d_name);
			run_file(path);
			files++;
		}
		free(names[i]);
	}
	free(names);
	return files;
}

int main(int argc, char **argv)
{
	const char *name = strstr(argv[0], "fuzz_");
	const char *next;
	char dir[PATH_MAX];
	size_t files = 0;

	for (int i = 1; i < argc; i++, files++)
		run_file(argv[i]);
	/* the last "fuzz_" of the path, after any folder's name */
	while (name && (next = strstr(name + 1, "fuzz_")))
		name = next;
	if (argc == 1 && name) {
		snprintf(dir, sizeof(dir), "%s/%s", CORPUS_DIR, name + 5);
		files = run_dir(dir);
	}
	printf("%zu files, %d mutations each\n", files, MUTATIONS);
	return files > 0 ? 0 : 1;
}
