/* What the client asks of the helper for the kernel's ESP; the helper's end is
 * played here. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

#include <string.h>

#include "client/run/kernelplane.h"

/* --- the helper ------------------------------------------------------------
 */

static struct net_sa added; /* the last one */
static struct net_way moved;
static uint32_t deleted[8];
static size_t n_added, n_moved, n_deleted;
static enum err answer;
static struct net_stats counted;

enum err net_sa_add(struct net *n, const struct net_sa *sa, struct diag *diag)
{
	added = *sa;
	n_added++;
	return answer;
}

enum err net_sa_delete(struct net *n, uint32_t spi_in, struct diag *diag)
{
	assert_true(n_deleted < sizeof(deleted) / sizeof(*deleted));
	deleted[n_deleted++] = spi_in;
	return answer;
}

enum err net_sa_move(struct net *n, const struct net_way *way,
		     struct diag *diag)
{
	moved = *way;
	n_moved++;
	return answer;
}

enum err net_stats(struct net *n, struct net_stats *out, struct diag *diag)
{
	*out = counted;
	return answer;
}

/* --- -----------------------------------------------------------------------
 */

static struct kernelplane k;
static struct ike_path path;

static int start(void **state)
{
	memset(&k, 0, sizeof(k));
	memset(&counted, 0, sizeof(counted));
	memset(&path, 0, sizeof(path));
	n_added = n_moved = n_deleted = 0;
	answer = OK;
	assert_int_equal(addr_parse("192.0.2.10", &path.local), OK);
	assert_int_equal(addr_parse("203.0.113.1", &path.remote), OK);
	path.local.port = 40000;
	path.remote.port = 4500;
	return 0;
}

static struct ike_child_sa child(uint32_t spi)
{
	struct ike_child_sa c = {.spi_in = spi, .spi_out = spi + 1};

	c.suite.cipher.encr = ENCR_AES_GCM_16;
	c.suite.cipher.key_bits = 256;
	c.encr_in.len = c.encr_out.len = 36;
	memset(c.encr_in.b, 1, 36);
	memset(c.encr_out.b, 2, 36);
	return c;
}

static void add(struct ike_child_sa c)
{
	struct diag diag = DIAG_INIT;

	assert_int_equal(kernelplane_add(&k, &c, &path, &diag), OK);
}

static void a_child_sa_is_given_with_its_keys_and_its_way(void **state)
{
	struct ike_child_sa c = child(1000);

	c.suite.esn = true;
	add(c);
	assert_int_equal(added.spi_in, 1000);
	assert_int_equal(added.spi_out, 1001);
	assert_int_equal(added.encr, NET_ENCR_AES_GCM_16);
	assert_int_equal(added.integ, NET_INTEG_NONE);
	assert_true(added.esn);
	assert_true(addr_eq(&added.way.local, &path.local));
	assert_true(addr_eq(&added.way.remote, &path.remote));
	c.plain = true;
	add(c);
	assert_int_equal(added.way.local.port, 0);
	assert_int_equal(added.way.remote.port, 0);
	c.suite.cipher.encr = ENCR_AES_CBC;
	c.suite.cipher.integ = INTEG_HMAC_SHA2_384_192;
	add(c);
	assert_int_equal(added.encr, NET_ENCR_AES_CBC);
	assert_int_equal(added.integ, NET_INTEG_SHA384_192);
}

static void what_the_kernel_refuses_is_not_kept(void **state)
{
	struct ike_child_sa c = child(1000);
	struct diag diag = DIAG_INIT;

	answer = ERR_UNSUPPORTED;
	assert_int_equal(kernelplane_add(&k, &c, &path, &diag),
			 ERR_UNSUPPORTED);
	assert_int_equal(k.n, 0);
}

/* RFC 7296 2.8: the gateway that began the rekey may not be ready yet. */
static void a_rekey_by_the_peer_waits_until_the_old_one_goes(void **state)
{
	struct ike_child_sa first = child(1000), second = child(2000);

	second.by_peer = true;
	add(first);
	assert_true(added.send);
	add(second);
	assert_false(added.send);
	kernelplane_del(&k, 1000);
	assert_int_equal(n_deleted, 1);
	assert_int_equal(deleted[0], 1000);
	kernelplane_del(&k, 1000);
	assert_int_equal(n_deleted, 1); /* unknown by now */
	second.by_peer = false;
	second.spi_in = 3000;
	add(second);
	assert_true(added.send);
}

static void retired_ones_stay_for_one_more_ike_sa(void **state)
{
	add(child(1000));
	kernelplane_retire(&k);
	assert_int_equal(n_deleted, 0);
	add(child(2000));
	kernelplane_retire(&k);
	assert_int_equal(n_deleted, 1);
	assert_int_equal(deleted[0], 1000);
	kernelplane_clear(&k);
	assert_int_equal(n_deleted, 2);
	assert_int_equal(deleted[1], 2000);
	assert_int_equal(k.n, 0);
}

static void one_too_many_is_forgotten_as_the_helper_does(void **state)
{
	for (uint32_t i = 0; i <= NET_SAS_MAX; i++)
		add(child(1000 * (i + 1)));
	assert_int_equal(k.n, NET_SAS_MAX);
	kernelplane_del(&k, 1000);
	assert_int_equal(n_deleted, 0);
	kernelplane_del(&k, 2000);
	assert_int_equal(n_deleted, 1);
}

static void only_another_way_moves_them(void **state)
{
	struct diag diag = DIAG_INIT;
	struct net_way way;

	way = kernelplane_way(&path, false);
	assert_int_equal(kernelplane_move(&k, &way, &diag), OK);
	assert_int_equal(n_moved, 0); /* there is none */
	add(child(1000));
	assert_int_equal(kernelplane_move(&k, &way, &diag), OK);
	assert_int_equal(n_moved, 0);
	way.local.port++;
	assert_int_equal(kernelplane_move(&k, &way, &diag), OK);
	assert_int_equal(n_moved, 1);
	assert_true(addr_eq(&moved.local, &way.local));
	assert_int_equal(kernelplane_move(&k, &way, &diag), OK);
	assert_int_equal(n_moved, 1);
	way = kernelplane_way(&path, true);
	answer = ERR_SYS;
	assert_int_equal(kernelplane_move(&k, &way, &diag), ERR_SYS);
	assert_int_equal(k.n, 0);
}

static void packets_since_the_last_question_tell_when(void **state)
{
	int64_t heard, spoke;

	counted = (struct net_stats){.packets_in = 5,
				     .packets_out = 7,
				     .heard_ago_s = 2,
				     .spoke_ago_s = 1};
	kernelplane_activity(&k, 100000, &heard, &spoke);
	assert_int_equal(heard, 98000);
	assert_int_equal(spoke, 99000);
	counted.packets_out++;
	counted.heard_ago_s = 12;
	kernelplane_activity(&k, 110000, &heard, &spoke);
	assert_int_equal(heard, 0);
	assert_int_equal(spoke, 109000);
	counted.packets_in++;
	counted.heard_ago_s = -1;
	counted.spoke_ago_s = -1;
	counted.packets_out++;
	kernelplane_activity(&k, 120000, &heard, &spoke);
	assert_int_equal(heard, 120000); /* at most, on an old kernel */
	assert_int_equal(spoke, 0);
	answer = ERR_SYS;
	kernelplane_activity(&k, 130000, &heard, &spoke);
	assert_int_equal(heard, 0);
}

static void counters_outlive_the_interface(void **state)
{
	struct net_stats s;

	counted = (struct net_stats){.packets_in = 5, .octets_out = 700};
	add(child(1000));
	kernelplane_leave(&k);
	assert_int_equal(k.n, 0);
	counted = (struct net_stats){.packets_in = 1, .octets_out = 50};
	assert_true(kernelplane_stats(&k, &s));
	assert_int_equal(s.packets_in, 6);
	assert_int_equal(s.octets_out, 750);
	answer = ERR_SYS;
	assert_false(kernelplane_stats(&k, &s));
}

static void the_kernel_keeps_to_addresses_and_not_to_ports(void **state)
{
	struct ike_ts_list any = {.n = 1}, some = {.n = 2};
	struct prefix all = {.addr = {.family = ADDR_V4}};

	ike_ts_from_prefix(&all, &any.ts[0]);
	some.ts[0] = some.ts[1] = any.ts[0];
	assert_true(kernelplane_fits(&any, &some));
	some.ts[1].port_to = 443;
	assert_false(kernelplane_fits(&any, &some));
	assert_false(kernelplane_fits(&some, &any));
	some.ts[1] = any.ts[0];
	some.ts[1].proto = 6;
	assert_false(kernelplane_fits(&any, &some));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			a_child_sa_is_given_with_its_keys_and_its_way, start),
		cmocka_unit_test_setup(what_the_kernel_refuses_is_not_kept,
				       start),
		cmocka_unit_test_setup(
			a_rekey_by_the_peer_waits_until_the_old_one_goes,
			start),
		cmocka_unit_test_setup(retired_ones_stay_for_one_more_ike_sa,
				       start),
		cmocka_unit_test_setup(
			one_too_many_is_forgotten_as_the_helper_does, start),
		cmocka_unit_test_setup(only_another_way_moves_them, start),
		cmocka_unit_test_setup(
			packets_since_the_last_question_tell_when, start),
		cmocka_unit_test_setup(counters_outlive_the_interface, start),
		cmocka_unit_test_setup(
			the_kernel_keeps_to_addresses_and_not_to_ports, start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
