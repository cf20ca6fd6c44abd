/* The keys of the cache: DIR/key, the backends, the programs. */
#include "config.h"

#include "cache_rig.h"

#include <dirent.h>

#include "client/store/keystore_proto.h"

/* --- a keystore program of our own ------------------------------------------
 */

/* This program is also the vpn-keystore-* it starts: keys lie in files of
 * the folder in $FAKE_STORE, which may hold a file that says what to do. */
static bool fake_told(const char *what)
{
	char path[PLACE_MAX];

	snprintf(path, sizeof(path), "%s/%s", getenv("FAKE_STORE"), what);
	return access(path, F_OK) == 0;
}

static void fake_answer(const struct keystore_request *request,
			struct keystore_reply *reply)
{
	char path[PLACE_MAX];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%02x%02x", getenv("FAKE_STORE"),
		 request->id[0], request->id[1]);
	if (fake_told("locked")) {
		reply->status = KEYSTORE_NOT_NOW;
		strcpy(reply->text, "the keyring\nis locked");
	} else if (request->op == KEYSTORE_PUT) {
		f = fopen(path, "w");
		fwrite(request->key.b, 1, request->key.len, f);
		fclose(f);
	} else if (request->op == KEYSTORE_DROP) {
		unlink(path);
	} else if ((f = fopen(path, "r"))) {
		reply->key.len = fread(reply->key.b, 1, SECRET_MAX, f);
		fclose(f);
	} else {
		reply->status = KEYSTORE_GONE;
		strcpy(reply->text, "the item was deleted");
	}
}

static int fake_main(void)
{
	static struct keystore_request request;
	static struct keystore_reply reply;
	uint8_t buf[KEYSTORE_MSG_MAX];
	size_t len = fread(buf, 1, sizeof(buf), stdin);
	struct wr w = wr_open(buf, sizeof(buf));

	if (fake_told("hang"))
		pause();
	if (fake_told("crash"))
		abort();
	if (fake_told("silent"))
		return 0;
	if (fake_told("noise")) {
		memset(buf, 'x', sizeof(buf));
		for (int i = 0; i < 100; i++)
			fwrite(buf, 1, sizeof(buf), stdout);
		return 0;
	}
	if (keystore_request_read(bytes(buf, len), &request))
		return 1;
	fake_answer(&request, &reply);
	keystore_reply_write(&reply, &w);
	fwrite(buf, 1, wr_len(&w), stdout);
	return 0;
}

static void fake_tell(const char *what)
{
	char name[64];

	snprintf(name, sizeof(name), "store/%s", what);
	rig_file_write(rig_path(name), "", 0);
}

static void fake_untell(const char *what)
{
	char name[64];

	snprintf(name, sizeof(name), "store/%s", what);
	assert_int_equal(unlink(rig_path(name)), 0);
}

/* A TPM and a Secret Service, both ours. */
static void fake_install(void)
{
	char self[PLACE_MAX];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	assert_true(len > 0);
	self[len] = '\0';
	assert_int_equal(symlink(self, rig_path("vpn-keystore-tpm")), 0);
	assert_int_equal(symlink(self, rig_path("vpn-keystore-secret")), 0);
	assert_int_equal(mkdir(rig_path("store"), 0700), 0);
	setenv("FAKE_STORE", rig_path("store"), 1);
	setenv("VPN_CONNECT_TCTI", "fake", 1);
	setenv("DBUS_SESSION_BUS_ADDRESS", "fake", 1);
}

static size_t fake_keys(void)
{
	DIR *dir = opendir(rig_path("store"));
	struct dirent *entry;
	size_t n = 0;

	while ((entry = readdir(dir)))
		n += strlen(entry->d_name) == 4 && entry->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* --- the profile, the table
 * ---------------------------------------------------- */

static void the_profile_names_the_backend(void **state)
{
	static const enum cache_key all[] = {
		CACHE_KEY_AUTO,	      CACHE_KEY_TPM,
		CACHE_KEY_CREDENTIAL, CACHE_KEY_SECRET_SERVICE,
		CACHE_KEY_KEYRING,    CACHE_KEY_FILE};
	struct profile p;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_int_equal(rig_profile("work", all[i])->cache_key,
				 all[i]);
	assert_int_equal(profile_parse("work",
				       "[gateway]\naddress=gw\n[identity]\n"
				       "auth=psk\nid=a@b\n[resumption]\n"
				       "key=tpm2\n",
				       &p, &diag),
			 ERR_PROFILE);
	rig_says("work.conf:7: [resumption] key: 'tpm2' is not known");
	diag_clear(&diag);
	assert_int_equal(profile_parse("work",
				       "[gateway]\naddress=gw\n[identity]\n"
				       "auth=psk\nid=a@b\n",
				       &p, &diag),
			 OK);
	assert_int_equal(p.cache_key, CACHE_KEY_AUTO);
}

static void the_numbers_on_the_disk_do_not_change(void **state)
{
	assert_int_equal(CACHE_KEY_TPM, 1);
	assert_int_equal(CACHE_KEY_CREDENTIAL, 2);
	assert_int_equal(CACHE_KEY_SECRET_SERVICE, 3);
	assert_int_equal(CACHE_KEY_KEYRING, 4);
	assert_int_equal(CACHE_KEY_FILE, 5);
}

/* Every change of DIR/key is told, and costs nothing: put right, the entries
 * open. */
static void every_flipped_bit_of_the_key_file_is_told(void **state)
{
	uint8_t *file;
	size_t len;

	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	file = rig_file_read(rig_path("state/key"), &len);
	for (size_t bit = 0; bit < len * 8; bit++) {
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
		rig_file_write(rig_path("state/key"), file, len);
		file[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
		rig_says("/key is damaged: rm ");
	}
	for (size_t cut = 0; cut < len; cut++) {
		rig_file_write(rig_path("state/key"), file, cut);
		assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
		rig_says("/key is damaged: rm ");
	}
	rig_file_write(rig_path("state/key"), file, len);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
	free(file);
}

static void a_key_file_with_a_hundred_thousand_octets_is_refused(void **state)
{
	static const uint8_t large[100000];

	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	rig_file_write(rig_path("state/key"), large, sizeof(large));
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
	rig_says("/key is damaged: rm ");
}

/* A hash is no protection: what it covers is checked all the same. */
static void a_key_file_with_nonsense_and_a_right_hash_is_refused(void **state)
{
	uint8_t file[48] = "vpckey\x01\xff";
	struct bytes head = bytes(file, 16);

	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	assert_int_equal(crypto_hash(HASH_SHA2_256, &head, 1, file + 16), OK);
	rig_file_write(rig_path("state/key"), file, sizeof(file));
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
	rig_says("/key is damaged");
	file[7] = 1; /* one key, of a backend 0 */
	assert_int_equal(crypto_hash(HASH_SHA2_256, &head, 1, file + 16), OK);
	rig_file_write(rig_path("state/key"), file, sizeof(file));
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
}

static void a_key_file_deleted_under_a_tunnel_comes_back(void **state)
{
	struct profile *p = rig_profile("work", CACHE_KEY_FILE);
	struct ticket_cache *c;

	assert_int_equal(ticket_cache_open_for(rig_dir, p, &c, &diag), OK);
	assert_int_equal(unlink(rig_path("state/key")), 0);
	assert_int_equal(rig_put_into(c, p), OK);
	ticket_cache_close(&c);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
}

static void without_any_key_a_ticket_can_still_be_deleted(void **state)
{
	bool had;

	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	rig_file_write(rig_path("state/key"), "damaged", 7);
	assert_int_equal(ticket_cache_delete(rig_dir, "work", &had, &diag), OK);
	assert_true(had);
	assert_int_equal(access(rig_path("state/tickets/work.ticket"), F_OK),
			 -1);
	assert_int_equal(ticket_cache_delete(rig_dir, "work", &had, &diag), OK);
	assert_false(had);
}

static void the_locks_follow_no_symlink(void **state)
{
	assert_int_equal(rig_put("work", CACHE_KEY_FILE), OK);
	assert_int_equal(unlink(rig_path("state/use")), 0);
	assert_int_equal(symlink("/etc/passwd", rig_path("state/use")), 0);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
	assert_int_equal(unlink(rig_path("state/use")), 0);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
}

/* --- kernel key ring
 * ----------------------------------------------------------- */

static void keyring_lose(void)
{
	struct key_table table;

	rig_table(&table);
	for (size_t i = 0; i < table.n; i++)
		if (table.slots[i].backend == CACHE_KEY_KEYRING)
			key_drop(&table.slots[i]);
}

static void a_key_in_the_kernel_is_on_no_disk(void **state)
{
	struct key_table table;
	enum cache_key key;

	if (!rig_has_keyring())
		skip();
	assert_int_equal(rig_put("work", CACHE_KEY_KEYRING), OK);
	rig_table(&table);
	assert_int_equal(table.n, 1);
	assert_int_equal(table.slots[0].blob_len, 0);
	assert_int_equal(rig_count(&key), 1);
	assert_int_equal(key, CACHE_KEY_KEYRING);
	assert_int_equal(rig_take("work", CACHE_KEY_KEYRING), OK);
}

static void after_a_reboot_a_key_in_the_kernel_is_made_anew(void **state)
{
	if (!rig_has_keyring())
		skip();
	assert_int_equal(rig_put("work", CACHE_KEY_KEYRING), OK);
	assert_int_equal(rig_put("home", CACHE_KEY_FILE), OK);
	keyring_lose();
	assert_int_equal(rig_take("work", CACHE_KEY_KEYRING), ERR_CACHE);
	rig_says("its key is gone (a reboot");
	assert_int_equal(rig_take("work", CACHE_KEY_KEYRING), ERR_NOT_FOUND);
	assert_int_equal(rig_put("work", CACHE_KEY_KEYRING), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_KEYRING), OK);
	assert_int_equal(rig_take("home", CACHE_KEY_FILE), OK);
}

/* --- systemd credential ----------------------------------------------------
 */

static void credential_give(const char *name, char fill)
{
	char file[32], path[64];

	memset(file, fill, sizeof(file));
	snprintf(path, sizeof(path), "cred/%s", name);
	mkdir(rig_path("cred"), 0700);
	setenv("CREDENTIALS_DIRECTORY", rig_path("cred"), 1);
	rig_file_write(rig_path(path), file, sizeof(file));
}

static void a_credential_gives_the_key_and_only_it(void **state)
{
	struct key_table table;

	credential_give("vpn-connect.key", 'a');
	assert_int_equal(rig_put("work", CACHE_KEY_CREDENTIAL), OK);
	rig_table(&table);
	assert_int_equal(table.n, 1);
	assert_int_equal(table.slots[0].backend, CACHE_KEY_CREDENTIAL);
	assert_int_equal(rig_take("work", CACHE_KEY_CREDENTIAL), OK);
	assert_int_equal(rig_put("work", CACHE_KEY_CREDENTIAL), OK);
	credential_give("vpn-connect.key", 'b');
	assert_int_equal(rig_take("work", CACHE_KEY_CREDENTIAL), ERR_CACHE);
	rig_says("its key is gone");
	assert_int_equal(rig_put("work", CACHE_KEY_CREDENTIAL), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_CREDENTIAL), OK);
}

static void a_replaced_credential_takes_over_from_the_one_before(void **state)
{
	struct key_table table;

	credential_give("vpn-connect.key", 'a');
	assert_int_equal(rig_put("work", CACHE_KEY_CREDENTIAL), OK);
	assert_int_equal(rig_put("home", CACHE_KEY_CREDENTIAL), OK);
	credential_give("vpn-connect.key", 'b');
	credential_give("vpn-connect.key.old", 'a');
	/* The first moves to the new one; with the next the others do. */
	assert_int_equal(rig_take("home", CACHE_KEY_CREDENTIAL), OK);
	assert_int_equal(rig_count(NULL), 1);
	rig_table(&table);
	assert_int_equal(table.n, 1);
	assert_int_equal(unlink(rig_path("cred/vpn-connect.key.old")), 0);
	assert_int_equal(rig_take("work", CACHE_KEY_CREDENTIAL), OK);
}

static void a_credential_rotates_without_being_replaced(void **state)
{
	struct key_table before, after;

	credential_give("vpn-connect.key", 'a');
	assert_int_equal(rig_put("work", CACHE_KEY_CREDENTIAL), OK);
	rig_table(&before);
	assert_int_equal(rig_rotate(), OK);
	rig_table(&after);
	assert_memory_not_equal(before.slots[0].id, after.slots[0].id,
				KEY_ID_LEN);
	assert_int_equal(rig_take("work", CACHE_KEY_CREDENTIAL), OK);
}

/* A service has it, a shell has not: the entry waits for the service. */
static void without_the_credential_the_entry_stays(void **state)
{
	credential_give("vpn-connect.key", 'a');
	assert_int_equal(rig_put("work", CACHE_KEY_CREDENTIAL), OK);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(rig_take("work", CACHE_KEY_CREDENTIAL), ERR_CACHE);
	rig_says("LoadCredential=vpn-connect.key");
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), ERR_CACHE);
	rig_says("LoadCredential=vpn-connect.key");
	setenv("CREDENTIALS_DIRECTORY", rig_path("cred"), 1);
	assert_int_equal(rig_take("work", CACHE_KEY_CREDENTIAL), OK);
}

static void a_credential_too_short_to_be_a_key_is_refused(void **state)
{
	credential_give("vpn-connect.key", 'a');
	rig_file_write(rig_path("cred/vpn-connect.key"), "password", 8);
	assert_int_equal(rig_put("work", CACHE_KEY_CREDENTIAL), ERR_CACHE);
	rig_says("fewer than 32 octets");
}

/* --- programs ----------------------------------------------------------------
 */

static void a_program_keeps_the_key_and_forgets_it(void **state)
{
	struct key_table table;

	fake_install();
	assert_int_equal(rig_put("work", CACHE_KEY_SECRET_SERVICE), OK);
	assert_int_equal(fake_keys(), 1);
	rig_table(&table);
	assert_int_equal(table.n, 1);
	assert_int_equal(table.slots[0].blob_len, 0);
	assert_int_equal(rig_take("work", CACHE_KEY_SECRET_SERVICE), OK);
	assert_int_equal(rig_put("work", CACHE_KEY_SECRET_SERVICE), OK);
	assert_int_equal(rig_rotate(), OK);
	assert_int_equal(fake_keys(), 1);
	assert_int_equal(rig_take("work", CACHE_KEY_SECRET_SERVICE), OK);
}

static void a_locked_keyring_costs_the_resumption_only(void **state)
{
	fake_install();
	assert_int_equal(rig_put("work", CACHE_KEY_SECRET_SERVICE), OK);
	fake_tell("locked");
	assert_int_equal(rig_take("work", CACHE_KEY_SECRET_SERVICE), ERR_CACHE);
	rig_says("key in secret-service: the keyring is locked");
	assert_int_equal(rig_count(NULL), 0);
	assert_int_equal(rig_rotate(), ERR_CACHE);
	fake_untell("locked");
	assert_int_equal(rig_count(NULL), 1);
	assert_int_equal(rig_take("work", CACHE_KEY_SECRET_SERVICE), OK);
}

static void a_deleted_item_is_made_anew(void **state)
{
	char command[PLACE_MAX];

	fake_install();
	assert_int_equal(rig_put("work", CACHE_KEY_SECRET_SERVICE), OK);
	snprintf(command, sizeof(command), "rm -f '%s'/*", rig_path("store"));
	assert_int_equal(system(command), 0);
	assert_int_equal(rig_take("work", CACHE_KEY_SECRET_SERVICE), ERR_CACHE);
	rig_says("its key is gone");
	assert_int_equal(fake_keys(), 1);
	assert_int_equal(rig_put("work", CACHE_KEY_SECRET_SERVICE), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_SECRET_SERVICE), OK);
}

static void a_program_that_misbehaves_is_told_and_left(void **state)
{
	static const struct {
		const char *how, *says;
	} cases[] = {{"hang", "did not answer within 300 ms"},
		     {"crash", "ended without an answer"},
		     {"silent", "ended without an answer"},
		     {"noise", "ended without an answer"}};

	fake_install();
	key_program_wait_ms = 300;
	assert_int_equal(rig_put("work", CACHE_KEY_TPM), OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_tell(cases[i].how);
		assert_int_equal(rig_take("work", CACHE_KEY_TPM), ERR_CACHE);
		rig_says("vpn-keystore-tpm");
		rig_says(cases[i].says);
		fake_untell(cases[i].how);
	}
	key_program_wait_ms = 8000;
	assert_int_equal(rig_take("work", CACHE_KEY_TPM), OK);
}

static void a_program_that_is_missing_is_named(void **state)
{
	fake_install();
	assert_int_equal(unlink(rig_path("vpn-keystore-tpm")), 0);
	assert_int_equal(rig_put("work", CACHE_KEY_TPM), ERR_CACHE);
	rig_says("vpn-keystore-tpm is missing");
	unsetenv("VPN_CONNECT_TCTI");
	if (access("/dev/tpmrm0", F_OK) == 0)
		skip();
	assert_int_equal(rig_put("work", CACHE_KEY_TPM), ERR_CACHE);
	rig_says("/dev/tpmrm0");
}

/* Messages cut or changed anywhere are refused or read whole, never beyond. */
static void a_cut_message_of_a_program_is_refused(void **state)
{
	static struct keystore_reply reply = {.status = KEYSTORE_OK,
					      .text = "x",
					      .key.len = 32,
					      .blob_len = 300};
	static struct keystore_reply out;
	static struct keystore_request request = {.op = KEYSTORE_GET,
						  .blob_len = 300},
				       read;
	uint8_t buf[KEYSTORE_MSG_MAX];
	struct wr w = wr_open(buf, sizeof(buf));

	keystore_reply_write(&reply, &w);
	assert_int_equal(keystore_reply_read(wr_view(&w), &out), OK);
	assert_int_equal(out.key.len, 32);
	for (size_t cut = 0; cut < wr_len(&w); cut++)
		assert_int_not_equal(keystore_reply_read(bytes(buf, cut), &out),
				     OK);
	buf[1] = 3;
	assert_int_not_equal(keystore_reply_read(wr_view(&w), &out), OK);
	w = wr_open(buf, sizeof(buf));
	keystore_request_write(&request, &w);
	assert_int_equal(keystore_request_read(wr_view(&w), &read), OK);
	for (size_t cut = 0; cut < wr_len(&w); cut++)
		assert_int_not_equal(
			keystore_request_read(bytes(buf, cut), &read), OK);
}

/* --- auto -------------------------------------------------------------------
 */

static enum cache_key auto_takes(void)
{
	enum cache_key key = CACHE_KEY_AUTO;

	assert_int_equal(rig_put("work", CACHE_KEY_AUTO), OK);
	assert_int_equal(rig_count(&key), 1);
	return key;
}

static void auto_takes_the_first_that_works(void **state)
{
	char command[PLACE_MAX];

	snprintf(command, sizeof(command), "rm -rf '%s'", rig_path("state"));
	fake_install();
	credential_give("vpn-connect.key", 'a');
	assert_int_equal(auto_takes(), CACHE_KEY_TPM);
	assert_int_equal(system(command), 0);
	unsetenv("VPN_CONNECT_TCTI");
	if (access("/dev/tpmrm0", R_OK | W_OK) == 0)
		skip();
	assert_int_equal(auto_takes(), CACHE_KEY_CREDENTIAL);
	assert_int_equal(system(command), 0);
	unsetenv("CREDENTIALS_DIRECTORY");
	assert_int_equal(auto_takes(), CACHE_KEY_SECRET_SERVICE);
	assert_int_equal(system(command), 0);
	fake_tell("locked");
	assert_int_equal(auto_takes(), CACHE_KEY_FILE);
	fake_untell("locked");
}

static void auto_stays_with_what_it_chose(void **state)
{
	assert_int_equal(auto_takes(), CACHE_KEY_FILE);
	fake_install();
	assert_int_equal(auto_takes(), CACHE_KEY_FILE);
	assert_int_equal(fake_keys(), 0);
	/* Until a person wants a new key. */
	assert_int_equal(rig_rotate(), OK);
	assert_int_equal(auto_takes(), CACHE_KEY_TPM);
	assert_int_equal(rig_take("work", CACHE_KEY_AUTO), OK);
}

static void auto_uses_another_for_this_time_and_comes_back(void **state)
{
	fake_install();
	unsetenv("VPN_CONNECT_TCTI");
	if (access("/dev/tpmrm0", R_OK | W_OK) == 0)
		skip();
	assert_int_equal(auto_takes(), CACHE_KEY_SECRET_SERVICE);
	assert_int_equal(rig_put("home", CACHE_KEY_AUTO), OK);
	fake_tell("locked");
	assert_int_equal(rig_take("home", CACHE_KEY_AUTO), ERR_CACHE);
	rig_says("locked");
	assert_int_equal(rig_put("work", CACHE_KEY_AUTO), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_AUTO), OK);
	assert_int_equal(rig_put("work", CACHE_KEY_AUTO), OK);
	fake_untell("locked");
	assert_int_equal(rig_take("home", CACHE_KEY_AUTO), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_AUTO), OK);
	assert_int_equal(auto_takes(), CACHE_KEY_SECRET_SERVICE);
}

static void auto_starts_no_program_where_nothing_is(void **state)
{
	char bus[64];

	fake_install();
	unsetenv("VPN_CONNECT_TCTI");
	unsetenv("DBUS_SESSION_BUS_ADDRESS");
	snprintf(bus, sizeof(bus), "/run/user/%u/bus", (unsigned)geteuid());
	if (access("/dev/tpmrm0", R_OK | W_OK) == 0 || access(bus, W_OK) == 0)
		skip();
	fake_tell("crash");
	assert_int_equal(auto_takes(), CACHE_KEY_FILE);
	assert_int_equal(fake_keys(), 0);
}

/* --- another choice
 * ------------------------------------------------------------ */

static void another_backend_in_the_profile_moves_its_entry(void **state)
{
	struct key_table table;
	enum cache_key key;

	fake_install();
	assert_int_equal(rig_put("work", CACHE_KEY_SECRET_SERVICE), OK);
	assert_int_equal(rig_put("home", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_put("work", CACHE_KEY_SECRET_SERVICE), OK);
	assert_int_equal(rig_take("home", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_count(&key), 1);
	assert_int_equal(key, CACHE_KEY_SECRET_SERVICE);
	/* And back: the key that nobody needs is dropped. */
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_count(NULL), 0);
	rig_table(&table);
	assert_int_equal(table.n, 1);
	assert_int_equal(table.slots[0].backend, CACHE_KEY_FILE);
	assert_int_equal(fake_keys(), 0);
}

/* home's tunnel runs and has its ticket out while work leaves their key. */
static void a_key_that_a_tunnel_holds_is_not_dropped(void **state)
{
	struct profile *home = rig_profile("home", CACHE_KEY_SECRET_SERVICE);
	struct ticket_cache *c;

	fake_install();
	assert_int_equal(rig_put("work", CACHE_KEY_SECRET_SERVICE), OK);
	assert_int_equal(ticket_cache_open_for(rig_dir, home, &c, &diag), OK);
	assert_int_equal(rig_take("work", CACHE_KEY_FILE), OK);
	assert_int_equal(rig_count(NULL), 0);
	assert_int_equal(fake_keys(), 1);
	assert_int_equal(rig_put_into(c, home), OK);
	ticket_cache_close(&c);
	assert_int_equal(rig_take("home", CACHE_KEY_SECRET_SERVICE), OK);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_setup, rig_teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		CASE(the_profile_names_the_backend),
		CASE(the_numbers_on_the_disk_do_not_change),
		CASE(every_flipped_bit_of_the_key_file_is_told),
		CASE(a_key_file_with_a_hundred_thousand_octets_is_refused),
		CASE(a_key_file_with_nonsense_and_a_right_hash_is_refused),
		CASE(a_key_file_deleted_under_a_tunnel_comes_back),
		CASE(without_any_key_a_ticket_can_still_be_deleted),
		CASE(the_locks_follow_no_symlink),
		CASE(a_key_in_the_kernel_is_on_no_disk),
		CASE(after_a_reboot_a_key_in_the_kernel_is_made_anew),
		CASE(a_credential_gives_the_key_and_only_it),
		CASE(a_replaced_credential_takes_over_from_the_one_before),
		CASE(a_credential_rotates_without_being_replaced),
		CASE(without_the_credential_the_entry_stays),
		CASE(a_credential_too_short_to_be_a_key_is_refused),
		CASE(a_program_keeps_the_key_and_forgets_it),
		CASE(a_locked_keyring_costs_the_resumption_only),
		CASE(a_deleted_item_is_made_anew),
		CASE(a_program_that_misbehaves_is_told_and_left),
		CASE(a_program_that_is_missing_is_named),
		CASE(a_cut_message_of_a_program_is_refused),
		CASE(auto_takes_the_first_that_works),
		CASE(auto_stays_with_what_it_chose),
		CASE(auto_uses_another_for_this_time_and_comes_back),
		CASE(auto_starts_no_program_where_nothing_is),
		CASE(another_backend_in_the_profile_moves_its_entry),
		CASE(a_key_that_a_tunnel_holds_is_not_dropped),
	};

	if (strstr(argv[0], "vpn-keystore-"))
		return fake_main();
	if (crypto_open(&diag))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
