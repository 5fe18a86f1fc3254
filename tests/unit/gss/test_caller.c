/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The caller on its way between processes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "gss/caller.h"
#include "gss/caller_int.h"
#include "mutate.h"
#include "torture.h"

static struct ae_sid
sid(const char *s)
{
	struct ae_sid out;

	assert_true(ae_sid_parse(&out, s));
	return out;
}

#define USER "S-1-5-21-1-2-3-1104"

/* A caller of four SIDs; NULL when out of memory. */
static struct ae_caller *
make(bool with_upn)
{
	struct ae_caller *c = calloc(1, sizeof(*c));
	struct ae_sid_list l = { 0 };
	struct ae_sid group = sid("S-1-5-21-1-2-3-515"),
		      extra = sid("S-1-18-1");
	int rc;

	if (c == NULL)
		return NULL;
	c->user = sid(USER);
	c->domain_sid = sid("S-1-5-21-1-2-3");
	rc = ae_sid_list_add(&l, &group, AE_CALLER_FROM_GROUPS, NULL);
	if (rc == AE_OK)
		rc = ae_sid_list_add(&l, &c->user, AE_CALLER_FROM_USER, NULL);
	if (rc == AE_OK)
		rc = ae_sid_list_add(&l, &extra, AE_CALLER_FROM_EXTRA, NULL);
	if (rc == AE_OK)
		rc = ae_sid_list_add(&l, &group, AE_CALLER_FROM_PRIMARY, NULL);
	if (rc == AE_OK)
		rc = ae_sid_list_take(&l, c, NULL);
	ae_sid_list_done(&l);
	c->account = strdup("PC1$");
	c->netbios = strdup("EX");
	c->dns_domain = strdup("ex.test");
	c->realm = strdup("EX.TEST");
	c->principal = strdup("PC1$@EX.TEST");
	c->upn = with_upn ? strdup("pc1@ex.test") : NULL;
	c->uac = 0x80;
	c->auth_time = 1700000000;
	c->logon_time = INT64_MAX;
	c->delegated = with_upn;
	if (rc != AE_OK || c->account == NULL || c->netbios == NULL ||
	    c->dns_domain == NULL || c->realm == NULL || c->principal == NULL ||
	    (with_upn && c->upn == NULL)) {
		ae_caller_free(c);
		return NULL;
	}
	return c;
}

static void
same(const struct ae_caller *a, const struct ae_caller *b)
{
	assert_true(ae_sid_equal(&a->user, &b->user));
	assert_true(ae_sid_equal(&a->domain_sid, &b->domain_sid));
	assert_int_equal(a->nsids, b->nsids);
	assert_memory_equal(a->sids, b->sids, a->nsids * sizeof(*a->sids));
	assert_memory_equal(a->from, b->from, a->nsids);
	assert_string_equal(a->account, b->account);
	assert_string_equal(a->netbios, b->netbios);
	assert_string_equal(a->dns_domain, b->dns_domain);
	assert_string_equal(a->realm, b->realm);
	assert_string_equal(a->principal, b->principal);
	assert_int_equal(a->upn == NULL, b->upn == NULL);
	if (a->upn != NULL)
		assert_string_equal(a->upn, b->upn);
	assert_int_equal(a->uac, b->uac);
	assert_int_equal(a->auth_time, b->auth_time);
	assert_int_equal(a->logon_time, b->logon_time);
	assert_int_equal(a->delegated, b->delegated);
}

static void
set(void **state)
{
	struct ae_caller *c = make(false);
	struct ae_sid user = sid(USER), group = sid("S-1-5-21-1-2-3-515"),
		      other = sid("S-1-5-21-1-2-3-516");

	(void)state;
	assert_int_equal(c->nsids, 3); /* the group came twice */
	assert_true(ae_caller_has(c, &user));
	assert_true(ae_caller_has(c, &group));
	assert_false(ae_caller_has(c, &other));
	ae_caller_free(c);
	ae_caller_free(NULL);
}

static void
well_known(void **state)
{
	static const char *const added[] = { "S-1-1-0", "S-1-5-2", "S-1-5-11" };
	struct ae_caller *c = make(false);
	struct ae_sid s;
	size_t i, n;

	(void)state;
	assert_int_equal(ae_caller_add_well_known(c, NULL), AE_OK);
	assert_int_equal(c->nsids, 6);
	/* once more changes nothing */
	assert_int_equal(ae_caller_add_well_known(c, NULL), AE_OK);
	assert_int_equal(c->nsids, 6);
	for (i = 0; i < 3; i++) {
		s = sid(added[i]);
		assert_true(ae_caller_has(c, &s));
	}
	for (i = n = 0; i < c->nsids; i++)
		n += c->from[i] == AE_CALLER_FROM_WELL_KNOWN;
	assert_int_equal(n, 3);
	/* anonymous and local logons are not among them */
	s = sid("S-1-5-7");
	assert_false(ae_caller_has(c, &s));
	s = sid("S-1-5-4");
	assert_false(ae_caller_has(c, &s));
	ae_caller_free(c);
}

static void
limit(void **state)
{
	struct ae_sid_list l = { 0 };
	struct ae_sid s = sid(USER);
	struct ae_caller *c = make(false);
	size_t i;

	(void)state;
	for (i = 0; i < AE_CALLER_SIDS_MAX; i++) {
		s.sub[4] = (uint32_t)(AE_CALLER_SIDS_MAX - i);
		assert_int_equal(ae_sid_list_add(&l, &s, 1, NULL), AE_OK);
	}
	assert_int_equal(ae_sid_list_add(&l, &s, 1, NULL), AE_ELIMIT);
	assert_int_equal(ae_sid_list_take(&l, c, NULL), AE_OK);
	assert_int_equal(c->nsids, AE_CALLER_SIDS_MAX);
	assert_int_equal(ae_caller_add_well_known(c, NULL), AE_ELIMIT);
	/* untouched by the failure */
	assert_int_equal(c->nsids, AE_CALLER_SIDS_MAX);
	ae_sid_list_done(&l);
	ae_caller_free(c);
}

static struct ae_wr
encoded(const struct ae_caller *c)
{
	struct ae_wr w;

	ae_wr_init(&w, AE_CALLER_WIRE_MAX);
	ae_caller_encode(&w, c);
	assert_true(ae_wr_ok(&w));
	return w;
}

static void
round_trip(void **state)
{
	struct ae_caller *c, *d, *clone;
	struct ae_wr w;
	struct ae_rd r;
	int with;

	(void)state;
	for (with = 0; with < 2; with++) {
		c = make(with != 0);
		w = encoded(c);
		ae_wr_u8(&w, 0xaa); /* what follows is not ours */
		ae_rd_init(&r, w.p, w.len);
		assert_int_equal(ae_caller_decode(&d, &r, NULL), AE_OK);
		assert_int_equal(ae_rd_left(&r), 1);
		same(c, d);
		clone = ae_caller_clone(d);
		same(c, clone);
		assert_ptr_not_equal(clone->sids, d->sids);
		ae_caller_free(c);
		ae_caller_free(d);
		ae_caller_free(clone);
		ae_wr_done(&w);
	}
}

/* What an encoder of ours would never write. */
static void
malformed(void **state)
{
	struct ae_caller *c, *d = NULL;
	struct ae_sid tmp;
	struct ae_wr w;
	struct ae_rd r;
	size_t i;
	int how;

	(void)state;
	for (how = 0; how < 8; how++) {
		c = make(true);
		switch (how) {
		case 0: /* not sorted */
			tmp = c->sids[0];
			c->sids[0] = c->sids[1];
			c->sids[1] = tmp;
			break;
		case 1: /* twice */
			c->sids[1] = c->sids[0];
			break;
		case 2: /* not from anywhere */
			c->from[0] = 0;
			break;
		case 3: /* from somewhere else */
			c->from[0] = 0x40;
			break;
		case 4: /* the user is not among them */
			for (i = 0; i < c->nsids; i++)
				c->from[i] = AE_CALLER_FROM_GROUPS;
			break;
		case 5: /* two users */
			c->from[0] = c->from[1] = AE_CALLER_FROM_USER;
			break;
		case 6: /* empty name */
			c->account[0] = '\0';
			break;
		default: /* not UTF-8 */
			c->netbios[0] = (char)0xff;
			break;
		}
		w = encoded(c);
		ae_rd_init(&r, w.p, w.len);
		assert_int_equal(ae_caller_decode(&d, &r, NULL), AE_EPROTO);
		assert_null(d);
		ae_caller_free(c);
		ae_wr_done(&w);
	}
}

static void
too_long(void **state)
{
	struct ae_caller *c = make(true);
	struct ae_wr w;

	(void)state;
	free(c->upn);
	c->upn = calloc(1, AE_CALLER_NAME_MAX + 2);
	memset(c->upn, 'a', AE_CALLER_NAME_MAX + 1);
	ae_wr_init(&w, AE_CALLER_WIRE_MAX);
	ae_caller_encode(&w, c);
	assert_false(ae_wr_ok(&w));
	ae_wr_done(&w);
	ae_caller_free(c);
}

static void
decode_again(const uint8_t *p, size_t len, void *arg)
{
	struct ae_caller *c = NULL;
	struct ae_wr w;
	struct ae_rd r;

	(void)arg;
	ae_rd_init(&r, p, len);
	if (ae_caller_decode(&c, &r, NULL) != AE_OK) {
		assert_null(c);
		return;
	}
	/* one caller, one encoding */
	w = encoded(c);
	assert_int_equal(w.len, r.off);
	assert_memory_equal(w.p, p, w.len);
	ae_wr_done(&w);
	ae_caller_free(c);
}

static void
mutations(void **state)
{
	struct ae_caller *c = make(true);
	struct ae_wr w = encoded(c);

	(void)state;
	assert_true(ae_mutate(w.p, w.len, decode_again, NULL) > 1000);
	ae_wr_done(&w);
	ae_caller_free(c);
}

static bool
once(void *arg)
{
	struct ae_caller *c = make(true), *d = NULL, *clone = NULL;
	bool ok = false;
	struct ae_wr w;
	struct ae_rd r;

	(void)arg;
	ae_wr_init(&w, AE_CALLER_WIRE_MAX);
	if (c == NULL || ae_caller_add_well_known(c, NULL) != AE_OK)
		goto out;
	ae_caller_encode(&w, c);
	if (!ae_wr_ok(&w))
		goto out;
	ae_rd_init(&r, w.p, w.len);
	if (ae_caller_decode(&d, &r, NULL) != AE_OK)
		goto out;
	clone = ae_caller_clone(d);
	ok = clone != NULL;
out:
	ae_caller_free(c);
	ae_caller_free(d);
	ae_caller_free(clone);
	ae_wr_done(&w);
	return ok;
}

static void
torture(void **state)
{
	(void)state;
	assert_true(ae_torture(once, NULL, 300, true) > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set),
		cmocka_unit_test(well_known),
		cmocka_unit_test(limit),
		cmocka_unit_test(round_trip),
		cmocka_unit_test(malformed),
		cmocka_unit_test(too_long),
		cmocka_unit_test(mutations),
		cmocka_unit_test(torture),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
