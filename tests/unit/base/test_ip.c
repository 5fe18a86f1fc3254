/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of base/ip.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/ip.h"

static void
addresses_are_read_and_printed(void **state)
{
	/* as written, as RFC 5952 has it */
	static const char *const v[][2] = { { "0.0.0.0", "0.0.0.0" },
		{ "192.168.0.255", "192.168.0.255" }, { "::", "::" },
		{ "::1", "::1" }, { "1::", "1::" }, { "fd00::1:0:0:1", NULL },
		{ "2001:DB8:0:0:1:0:0:1", "2001:db8::1:0:0:1" },
		{ "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "1:2:3:4:5:6:7:8", NULL }, { "1:2:3:4:5:6:7::", NULL },
		{ "::ffff:10.1.2.3", "::ffff:a01:203" },
		{ "1:0:0:2:0:0:0:3", "1:0:0:2::3" } };
	char out[AE_IP_STR_MAX];
	struct ae_ip ip, again;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		if (!ae_ip_parse(&ip, v[i][0]))
			fail_msg("%s", v[i][0]);
		assert_non_null(ae_ip_print(out, ip.p, ip.len));
		if (v[i][1] != NULL)
			assert_string_equal(out, v[i][1]);
		if (!ae_ip_parse(&again, out))
			fail_msg("%s of %s", out, v[i][0]);
		assert_int_equal(again.len, ip.len);
		assert_memory_equal(again.p, ip.p, ip.len);
	}
	assert_string_equal(ae_ip_print(out, ip.p, 5), "?");
}

static void
what_is_no_address_is_refused(void **state)
{
	static const char *const v[] = { "", ".", "1.2.3", "1.2.3.4.5",
		"1.2.3.256", "01.2.3.4", "1.2.3.4 ", " 1.2.3.4", "1.2.3.-1",
		":", ":::", "1:2", "1:::2", "1::2::3", "1:2:3:4:5:6:7:8:9",
		"12345::", "::g", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:1.2.3.4", "::1.2.3", "fe80::1%eth0",
		"1:2:3:4:5:6:7:8::" };
	struct ae_ip ip = { .len = 99 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (ae_ip_parse(&ip, v[i]))
			fail_msg("taken: %s", v[i]);
	assert_int_equal(ip.len, 99);
}

static void
networks_hold_their_addresses(void **state)
{
	static const struct {
		const char *net, *ip;
		bool in;
	} v[] = { { "10.0.0.0/8", "10.255.0.1", true },
		{ "10.0.0.0/8", "11.0.0.1", false },
		{ "192.168.100.0/22", "192.168.103.255", true },
		{ "192.168.100.0/22", "192.168.104.0", false },
		{ "192.168.100.7/32", "192.168.100.7", true },
		{ "192.168.100.7/32", "192.168.100.6", false },
		{ "0.0.0.0/0", "1.2.3.4", true }, { "0.0.0.0/0", "::1", false },
		{ "fd00::/8", "fdff::1", true },
		{ "fd00::/8", "fe00::", false },
		{ "2001:db8::/33", "2001:db8:7fff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "::1/128", "::1", true } };
	static const char *const bad[] = { "", "10.0.0.0", "10.0.0.0/",
		"10.0.0.0/33", "10.0.0.0/08", "fd00::/129", "/8", "x/8",
		"10.0.0.0/8 ", "10.0.0.0/8/8" };
	struct ae_ip_net net;
	struct ae_ip ip;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++) {
		assert_true(ae_ip_net_parse(&net, v[i].net));
		assert_true(ae_ip_parse(&ip, v[i].ip));
		if (ae_ip_in_net(&ip, &net) != v[i].in)
			fail_msg("%s in %s", v[i].ip, v[i].net);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ae_ip_net_parse(&net, bad[i]))
			fail_msg("taken: %s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_printed),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(networks_hold_their_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
