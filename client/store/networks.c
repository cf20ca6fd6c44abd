#include "client/store/networks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/crypto/crypto.h"
#include "client/store/places.h"
#include "platform/os.h"

#define FILE_NAME    "networks"
#define NETWORKS_MAX 64
#define HEX_LEN	     ((size_t)NETWORK_ID_LEN * 2)
#define LINE_MAX_LEN (HEX_LEN + 24)
#define FILE_MAX_LEN (NETWORKS_MAX * LINE_MAX_LEN * 2)
/* Nothing learnt is longer: a file with more is not ours. */
#define KNOWN_MAX_S 3600

enum err network_id(struct bytes what, uint8_t out[NETWORK_ID_LEN])
{
	uint8_t digest[32];
	enum err e = crypto_hash(HASH_SHA2_256, &what, 1, digest);

	memcpy(out, digest, NETWORK_ID_LEN);
	return e;
}

static void hex_of(const uint8_t id[NETWORK_ID_LEN], char out[HEX_LEN + 1])
{
	for (size_t i = 0; i < NETWORK_ID_LEN; i++)
		snprintf(out + i * 2, 3, "%02x", id[i]);
}

/* The content, with a NUL; NULL: there is none. */
static char *file_load(const char *dir)
{
	char path[PLACE_MAX];
	uint8_t *buf = NULL;
	size_t len;

	if (places_join(path, dir, FILE_NAME, NULL) ||
	    os_read_file(path, FILE_MAX_LEN, &buf, &len, NULL))
		return NULL;
	return (char *)buf;
}

/* "ID LIVES DIES", in seconds. */
static bool line_read(const char *line, const char *hex,
		      struct keepalive_known *out)
{
	unsigned lives_s, dies_s;

	if (strncmp(line, hex, HEX_LEN) != 0 ||
	    sscanf(line + HEX_LEN, " %5u %5u", &lives_s, &dies_s) != 2 ||
	    lives_s > KNOWN_MAX_S || dies_s > KNOWN_MAX_S)
		return false;
	*out = (struct keepalive_known){lives_s * 1000, dies_s * 1000};
	return true;
}

void networks_get(const char *dir, const uint8_t id[NETWORK_ID_LEN],
		  struct keepalive_known *out)
{
	char *text = file_load(dir), *line, *rest = NULL;
	char hex[HEX_LEN + 1];

	*out = (struct keepalive_known){0, 0};
	if (!text)
		return;
	hex_of(id, hex);
	for (line = strtok_r(text, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (line_read(line, hex, out))
			break;
	free(text);
}

/* The newest first; hex is there already. */
static void others_write(char *text, const char *hex, char *out, size_t cap)
{
	size_t used = strlen(out), n = 1;
	char *line, *rest = NULL;

	for (line = strtok_r(text, "\n", &rest); line && n < NETWORKS_MAX;
	     line = strtok_r(NULL, "\n", &rest)) {
		size_t len = strlen(line);

		if (strncmp(line, hex, HEX_LEN) == 0 || len > LINE_MAX_LEN ||
		    used + len + 2 > cap)
			continue;
		memcpy(out + used, line, len);
		memcpy(out + used + len, "\n", 2);
		used += len + 1;
		n++;
	}
}

enum err networks_put(const char *dir, const uint8_t id[NETWORK_ID_LEN],
		      const struct keepalive_known *known, struct diag *diag)
{
	char out[FILE_MAX_LEN], hex[HEX_LEN + 1], path[PLACE_MAX];
	char *text = file_load(dir);
	enum err e;

	hex_of(id, hex);
	snprintf(out, sizeof(out), "%s %" PRIu32 " %" PRIu32 "\n", hex,
		 known->lives_ms / 1000, known->dies_ms / 1000);
	if (text)
		others_write(text, hex, out, sizeof(out));
	free(text);
	e = places_join(path, dir, FILE_NAME, diag);
	return e ? e : os_write_file(path, bytes_str(out), diag);
}
