/* /etc/resolv.conf must come back exactly, whatever happens meanwhile. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "platform/linux/dns.h"

static char dir[64], path[96];

static int dir_make(void **state)
{
	strcpy(dir, "/tmp/vpc-dns-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/resolv.conf", dir);
	return 0;
}

static int dir_remove(void **state)
{
	char other[128];

	snprintf(other, sizeof(other), "%s/other", dir);
	unlink(other);
	unlink(path);
	/* Fails where a temporary file was left behind. */
	return rmdir(dir);
}

static void file_put(const char *at, const void *content, size_t len)
{
	FILE *f = fopen(at, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(content, 1, len, f), len);
	fclose(f);
}

static size_t file_get(const char *at, char *buf, size_t cap)
{
	FILE *f = fopen(at, "r");
	size_t len;

	assert_non_null(f);
	len = fread(buf, 1, cap - 1, f);
	buf[len] = '\0';
	fclose(f);
	return len;
}

static bool file_has(const char *text)
{
	static char buf[70000];
	size_t len = file_get(path, buf, sizeof(buf));

	return memmem(buf, len, text, strlen(text)) != NULL;
}

static void apply(const char *lines)
{
	struct diag diag = DIAG_INIT;

	assert_int_equal(dns_file_apply(path, bytes_str(lines), &diag), OK);
	assert_string_equal(diag.text, "");
}

/* Set, set again, put back: as it was, in every octet and in its mode. */
static void round_trip(const void *content, size_t len, mode_t mode)
{
	static char buf[70000];
	struct stat st;

	file_put(path, content, len);
	assert_int_equal(chmod(path, mode), 0);
	apply("nameserver 10.9.0.1\n");
	assert_true(dns_file_is_ours(path));
	assert_true(file_has("\nnameserver 10.9.0.1\n"));
	apply("nameserver 10.9.0.7\nsearch corp.example\n");
	assert_false(file_has("10.9.0.1"));
	assert_true(file_has("\nsearch corp.example\n"));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	apply("");
	assert_false(dns_file_is_ours(path));
	assert_int_equal(file_get(path, buf, sizeof(buf)), len);
	assert_memory_equal(buf, content, len);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, mode);
	apply(""); /* nothing left to do */
}

static void a_file_comes_back_exactly(void **state)
{
	static const char *const contents[] = {
		"nameserver 9.9.9.9\n",
		"nameserver 9.9.9.9",
		"",
		"\n",
		"\n\n\n",
		"a\n\nb\n\n",
		"#| looks like ours\n#@ file 644 3\n",
		"# Made by vpn-connect, says somebody else\n",
		"\r\nnameserver 1.1.1.1\r\n",
	};
	char octets[600];

	for (size_t i = 0; i < sizeof(contents) / sizeof(*contents); i++)
		round_trip(contents[i], strlen(contents[i]), 0644);
	round_trip("x\n", 2, 0600);
	round_trip("x\n", 2, 0755);
	for (size_t i = 0; i < sizeof(octets); i++)
		octets[i] = (char)(i * 7); /* zeros and newlines too */
	round_trip(octets, sizeof(octets), 0644);
}

static void a_long_file_comes_back_and_a_longer_one_is_left_alone(void **state)
{
	static char big[16385], buf[20000];
	struct diag diag = DIAG_INIT;

	memset(big, 'x', sizeof(big));
	round_trip(big, sizeof(big) - 1, 0644);
	file_put(path, big, sizeof(big));
	assert_int_not_equal(
		dns_file_apply(path, bytes_str("nameserver 1.2.3.4\n"), &diag),
		OK);
	assert_int_equal(file_get(path, buf, sizeof(buf)), sizeof(big));
}

static void a_link_comes_back_as_a_link(void **state)
{
	static const char *const targets[] = {"other", "/nowhere/at/all"};
	char other[128], buf[4096], target[256];
	ssize_t len;

	snprintf(other, sizeof(other), "%s/other", dir);
	for (size_t i = 0; i < 2; i++) {
		struct stat st;

		file_put(other, "nameserver 8.8.8.8\n", 19);
		unlink(path);
		assert_int_equal(symlink(targets[i], path), 0);
		apply("nameserver 10.9.0.1\n");
		assert_int_equal(lstat(path, &st), 0);
		assert_true(S_ISREG(st.st_mode));
		/* The file behind the link belongs to another program. */
		file_get(other, buf, sizeof(buf));
		assert_string_equal(buf, "nameserver 8.8.8.8\n");
		apply("nameserver 10.9.0.2\n");
		apply("");
		len = readlink(path, target, sizeof(target) - 1);
		assert_true(len > 0);
		target[len] = '\0';
		assert_string_equal(target, targets[i]);
	}
}

static void no_file_becomes_no_file(void **state)
{
	apply("");
	assert_int_not_equal(access(path, F_OK), 0);
	apply("nameserver 10.9.0.1\n");
	assert_int_equal(access(path, F_OK), 0);
	apply("");
	assert_int_not_equal(access(path, F_OK), 0);
}

static void what_another_program_wrote_meanwhile_stays(void **state)
{
	char buf[256];

	file_put(path, "nameserver 9.9.9.9\n", 19);
	apply("nameserver 10.9.0.1\n");
	file_put(path, "nameserver 192.168.1.1\n", 23);
	apply("");
	file_get(path, buf, sizeof(buf));
	assert_string_equal(buf, "nameserver 192.168.1.1\n");
}

static void a_damaged_file_of_ours_is_left_alone(void **state)
{
	static char buf[4096], again[4096];
	struct diag diag = DIAG_INIT;
	size_t len;
	char *meta;

	file_put(path, "nameserver 9.9.9.9\n", 19);
	apply("nameserver 10.9.0.1\n");
	len = file_get(path, buf, sizeof(buf));
	meta = strstr(buf, "#@ file 644 19");
	assert_non_null(meta);
	memcpy(meta, "#@ file 644 18", 14);
	file_put(path, buf, len);
	assert_int_equal(dns_file_apply(path, BYTES_NONE, &diag),
			 ERR_MALFORMED);
	assert_true(diag.text[0] != '\0');
	assert_int_equal(file_get(path, again, sizeof(again)), len);
	assert_memory_equal(again, buf, len);
}

static void a_left_over_temporary_file_is_no_obstacle(void **state)
{
	char temp[128];

	snprintf(temp, sizeof(temp), "%s/.resolv.conf.vpn-netd", dir);
	file_put(temp, "half", 4);
	file_put(path, "a\n", 2);
	apply("nameserver 10.9.0.1\n");
	apply("");
}

static void lines_name_servers_and_domains(void **state)
{
	static struct net_conf c;
	char buf[5120];
	size_t len;

	assert_int_equal(dns_file_lines(&c, buf, sizeof(buf)), 0);
	c.n_dns = 2;
	assert_int_equal(addr_parse("10.9.0.1", &c.dns[0]), OK);
	assert_int_equal(addr_parse("2001:db8::1", &c.dns[1]), OK);
	c.n_domains = 2;
	strcpy(c.domains[0], "a.example");
	strcpy(c.domains[1], "b.example");
	len = dns_file_lines(&c, buf, sizeof(buf));
	assert_int_equal(len, strlen(buf));
	assert_string_equal(buf, "nameserver 10.9.0.1\n"
				 "nameserver 2001:db8::1\n"
				 "search a.example b.example\n");
	/* As long as they can be. */
	c.n_dns = NET_DNS_MAX;
	for (size_t i = 0; i < NET_DNS_MAX; i++)
		assert_int_equal(
			addr_parse("2001:db8:1111:2222:3333:4444:5555:6666",
				   &c.dns[i]),
			OK);
	c.n_domains = NET_DOMAINS_MAX;
	for (size_t i = 0; i < NET_DOMAINS_MAX; i++)
		memset(c.domains[i], 'a', NET_DOMAIN_LEN - 1);
	len = dns_file_lines(&c, buf, sizeof(buf));
	assert_true(len > 4000 && len < sizeof(buf));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, dir_make, dir_remove)
	const struct CMUnitTest tests[] = {
		T(a_file_comes_back_exactly),
		T(a_long_file_comes_back_and_a_longer_one_is_left_alone),
		T(a_link_comes_back_as_a_link),
		T(no_file_becomes_no_file),
		T(what_another_program_wrote_meanwhile_stays),
		T(a_damaged_file_of_ours_is_left_alone),
		T(a_left_over_temporary_file_is_no_obstacle),
		cmocka_unit_test(lines_name_servers_and_domains),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
