/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Parts of what the world sees: requests of one address, OCSP responses that
 * are kept, figures as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "http_limit.h"
#include "metrics.h"
#include "ocsp_cache.h"

static const uint8_t seed[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static bool
take(struct limit *l, const char *text, int64_t now)
{
	struct sockaddr_in v4 = { .sin_family = AF_INET };
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };

	if (strchr(text, ':') != NULL) {
		assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
		return limit_take(l, (struct sockaddr *)&v6, now);
	}
	assert_int_equal(inet_pton(AF_INET, text, &v4.sin_addr), 1);
	return limit_take(l, (struct sockaddr *)&v4, now);
}

static void
one_address_has_its_share(void **state)
{
	struct limit *l = limit_new(10, seed);
	unsigned n = 0, i;

	(void)state;
	for (i = 0; i < 100; i++)
		n += take(l, "192.0.2.1", 1000);
	assert_int_equal(n, 40); /* four seconds' worth */
	/* others are served meanwhile */
	assert_true(take(l, "192.0.2.2", 1000));
	assert_true(take(l, "2001:db8::1", 1000));
	/* it comes back with time, and not for ever */
	assert_false(take(l, "192.0.2.1", 1050));
	assert_true(take(l, "192.0.2.1", 1200));
	assert_true(take(l, "192.0.2.1", 1200));
	assert_false(take(l, "192.0.2.1", 1201));
	for (i = n = 0; i < 100; i++)
		n += take(l, "192.0.2.1", 1000000);
	assert_int_equal(n, 40);
	/* a /64 is one */
	for (i = n = 0; i < 100; i++)
		n += take(
		    l, i % 2 == 0 ? "2001:db8:1::1" : "2001:db8:1::2", 5000);
	assert_int_equal(n, 40);
	limit_free(l);
	l = limit_new(0, seed);
	for (i = n = 0; i < 1000; i++)
		n += take(l, "192.0.2.1", 1000);
	assert_int_equal(n, 1000);
	limit_free(l);
}

static struct ask_id
id(uint8_t n, uint8_t how)
{
	struct ask_id i = { .len = 40, .serial_len = 17 };

	memset(i.der, n, i.len);
	i.der[0] = how; /* SHA-1 or SHA-256 */
	memset(i.serial, n, i.serial_len);
	return i;
}

static void
put(struct cache *c, const struct ask_id *i, const char *text)
{
	const struct ae_ocsp_single s = { .status = AE_OCSP_GOOD,
		.next_update = 2000 };
	struct ae_wr w;

	ae_wr_init(&w, 100);
	ae_wr_str(&w, text);
	cache_put(c, i, &s, &w, 1000);
	ae_wr_done(&w);
}

static bool
kept(struct cache *c, const struct ask_id *i, int64_t now, const char *text)
{
	const struct cached *e = cache_get(c, i->der, i->len, now);

	return e != NULL && e->response_len == strlen(text) &&
	    memcmp(e->response, text, e->response_len) == 0;
}

static void
responses_are_kept_until_something_changes(void **state)
{
	struct cache *c = cache_new();
	struct ask_id a = id(1, 1), a256 = id(1, 2), b = id(2, 1);

	(void)state;
	put(c, &a, "a");
	put(c, &a256, "a256");
	put(c, &b, "b");
	assert_true(kept(c, &a, 1000, "a"));
	assert_true(kept(c, &a256, 1000, "a256"));
	/* half of its time */
	assert_true(kept(c, &b, 1499, "b"));
	assert_null(cache_get(c, b.der, b.len, 1500));
	put(c, &b, "b2");
	assert_true(kept(c, &b, 1000, "b2"));
	/* the certificate was revoked: by whatever name it was asked for */
	cache_drop(c, a.serial, a.serial_len);
	assert_null(cache_get(c, a.der, a.len, 1000));
	assert_null(cache_get(c, a256.der, a256.len, 1000));
	assert_true(kept(c, &b, 1000, "b2"));
	cache_clear(c);
	assert_null(cache_get(c, b.der, b.len, 1000));
	cache_free(c);
	cache_free(NULL);
}

static void
figures_add_up(void **state)
{
	struct metrics a = { .v = { 0 } }, sum = a, kept_ = a, got = a;
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	a.v[M_CONNECTIONS] = 3;
	a.v[M_SIGNED] = 7;
	ae_wr_init(&w, 65536);
	metrics_put(&w, &a);
	assert_int_equal(w.len, METRICS_BYTES);
	ae_rd_init(&r, w.p, w.len);
	metrics_get(&r, &got);
	assert_true(ae_rd_done(&r));
	assert_memory_equal(&got, &a, sizeof(a));
	metrics_sum(&sum, &a);
	metrics_sum(&sum, &a);
	assert_int_equal(sum.v[M_SIGNED], 14);
	/* what a process counted stays, what it had is gone with it */
	metrics_retire(&kept_, &a);
	assert_int_equal(kept_.v[M_SIGNED], 7);
	assert_int_equal(kept_.v[M_CONNECTIONS], 0);
	ae_wr_reset(&w);
	metrics_print(&w, &sum);
	assert_non_null(
	    strstr(ae_wr_cstr(&w), "\ncertsrvd_signatures_total 14\n"));
	assert_non_null(
	    strstr(ae_wr_cstr(&w), "# TYPE certsrvd_rpc_connections gauge\n"));
	assert_non_null(strstr(ae_wr_cstr(&w),
	    "\ncertsrvd_ocsp_certificates_total{status=\"unknown\"} 0\n"));
	ae_wr_done(&w);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_address_has_its_share),
		cmocka_unit_test(responses_are_kept_until_something_changes),
		cmocka_unit_test(figures_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
