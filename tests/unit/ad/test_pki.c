/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A snapshot of Public Key Services on its way between our processes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "ad/pki.h"
#include "mutate.h"
#include "torture.h"

#define V(s)                                        \
	{                                           \
		(const uint8_t *)(s), sizeof(s) - 1 \
	}

static const struct ae_value cn = V("Workstation"), ca = V("LAB-CA");
static const struct ae_attr template[] = { { "cn", &cn, 1 } };
static const struct ae_attr service[] = { { "cn", &ca, 1 } };

/* One of everything. */
static struct ae_pki *
sample(void)
{
	const struct ae_entry t = { "CN=Workstation", template, 1 };
	const struct ae_entry s = { "CN=LAB-CA", service, 1 };
	struct ae_pki *p = calloc(1, sizeof(*p));

	p->parts = AE_PKI_ALL;
	p->templates = calloc(1, sizeof(*p->templates));
	assert_int_equal(ae_template_decode(&p->templates[0], &t, NULL), AE_OK);
	p->ntemplates = 1;
	p->services = calloc(1, sizeof(*p->services));
	assert_int_equal(
	    ae_enrollment_service_decode(&p->services[0], &s, NULL), AE_OK);
	p->nservices = 1;
	p->ntauth.v = calloc(1, sizeof(*p->ntauth.v));
	p->ntauth.v[0].p = (uint8_t *)strdup("0\x01x");
	p->ntauth.v[0].len = 3;
	p->ntauth.n = 1;
	p->oids = calloc(1, sizeof(*p->oids));
	p->oids[0].oid = strdup("1.2.3");
	p->oids[0].display_name = strdup("three");
	p->oids[0].flags = 2;
	p->oids[0].group = strdup("CN=Vault,DC=example,DC=com");
	p->oids[0].group_sid = strdup("S-1-5-21-1-2-3-1200");
	p->noids = 1;
	p->refused = calloc(1, sizeof(*p->refused));
	p->refused[0].dn = strdup("CN=Broken");
	p->refused[0].why = strdup("flags: not a number");
	p->nrefused = 1;
	return p;
}

static void
encoded(struct ae_wr *w)
{
	struct ae_pki *p = sample();

	ae_wr_init(w, AE_PKI_ENCODED_MAX);
	ae_pki_put(w, p);
	assert_true(ae_wr_ok(w));
	ae_pki_free(p);
}

static void
round_trip(void **state)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_pki *p = NULL;
	struct ae_wr w;
	struct ae_rd r;

	(void)state;
	encoded(&w);
	ae_rd_init(&r, w.p, w.len);
	assert_int_equal(ae_pki_get(&p, &r, &e), AE_OK);
	assert_true(ae_rd_done(&r));
	assert_int_equal(p->parts, AE_PKI_ALL);
	assert_int_equal(p->ntemplates, 1);
	assert_string_equal(p->templates[0]->cn, "Workstation");
	assert_string_equal(p->services[0]->cn, "LAB-CA");
	assert_int_equal(p->ntauth.n, 1);
	assert_memory_equal(p->ntauth.v[0].p, "0\x01x", 3);
	assert_int_equal(p->roots.n, 0);
	assert_string_equal(p->oids[0].display_name, "three");
	assert_string_equal(p->oids[0].group, "CN=Vault,DC=example,DC=com");
	assert_string_equal(p->oids[0].group_sid, "S-1-5-21-1-2-3-1200");
	assert_string_equal(p->refused[0].why, "flags: not a number");
	ae_pki_free(p);
	ae_wr_done(&w);
}

static void
every_truncation(void **state)
{
	struct ae_pki *p = NULL;
	struct ae_wr w;
	struct ae_rd r;
	size_t i;

	(void)state;
	encoded(&w);
	for (i = 0; i < w.len; i++) {
		ae_rd_init(&r, w.p, i);
		assert_int_equal(ae_pki_get(&p, &r, NULL), AE_EPROTO);
		assert_null(p);
	}
	ae_wr_done(&w);
}

static void
mutated(const uint8_t *b, size_t len, void *arg)
{
	struct ae_pki *p = NULL;
	struct ae_rd r;

	(void)arg;
	ae_rd_init(&r, b, len);
	if (ae_pki_get(&p, &r, NULL) == AE_OK)
		ae_pki_free(p);
}

static void
every_mutation(void **state)
{
	struct ae_wr w;

	(void)state;
	encoded(&w);
	assert_true(ae_mutate(w.p, w.len, mutated, NULL) > w.len);
	ae_wr_done(&w);
}

static bool
work(void *arg)
{
	const struct ae_wr *w = arg;
	struct ae_pki *p = NULL;
	struct ae_rd r;

	ae_rd_init(&r, w->p, w->len);
	if (ae_pki_get(&p, &r, NULL) != AE_OK)
		return false;
	ae_pki_free(p);
	return true;
}

static void
torture(void **state)
{
	struct ae_wr w;

	(void)state;
	encoded(&w);
	assert_true(ae_torture(work, &w, 100, true) > 10);
	ae_wr_done(&w);
}

static unsigned told;

static void
on_kept(void *arg, const char *dn)
{
	assert_ptr_equal(arg, &told);
	assert_true(
	    strcmp(dn, "CN=Workstation") == 0 || strcmp(dn, "CN=LAB-CA") == 0);
	told++;
}

/* F11: the next DC has not heard of the change yet. */
static void
an_older_version_does_not_count(void **state)
{
	struct ae_pki *now = sample(), *before = sample();

	(void)state;
	told = 0;
	before->templates[0]->when_changed = 2000;
	before->templates[0]->ra_signature = 1; /* tightened */
	before->services[0]->when_changed = 2000;
	assert_int_equal(ae_pki_keep_newer(now, before, on_kept, &told), 0);

	now->templates[0]->when_changed = 1000;
	now->services[0]->when_changed = 2000; /* the same */
	assert_int_equal(ae_pki_keep_newer(now, before, on_kept, &told), 1);
	assert_int_equal(now->templates[0]->ra_signature, 1);
	now->services[0]->when_changed = 1999;
	assert_int_equal(ae_pki_keep_newer(now, before, on_kept, &told), 1);
	assert_int_equal(told, 2);
	/* When it has heard, its version counts. */
	before->templates[0]->when_changed = 2000;
	now->templates[0]->when_changed = 2001;
	now->templates[0]->ra_signature = 0;
	assert_int_equal(ae_pki_keep_newer(now, before, on_kept, &told), 0);
	assert_int_equal(now->templates[0]->ra_signature, 0);
	ae_pki_free(now);
	ae_pki_free(before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(every_truncation),
		cmocka_unit_test(every_mutation),
		cmocka_unit_test(torture),
		cmocka_unit_test(an_older_version_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
