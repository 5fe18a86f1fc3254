/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Who one's own ticket says one is: against a real KDC, whose tickets have a
 * PAC but, being MIT's, no groups in it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "gss/caller.h"
#include "realm.h"

static int
own(const struct ae_gss_cred *c, struct ae_err *e)
{
	struct ae_caller *who = NULL;
	int rc;

	*e = (struct ae_err)AE_ERR_INIT;
	rc = ae_caller_own(&who, c, e);
	if (rc != AE_OK)
		assert_null(who);
	ae_caller_free(who);
	return rc;
}

static void
a_service_has_none(void **state)
{
	struct ae_err e;

	(void)state;
	assert_int_equal(own(realm.service, &e), AE_EINVAL);
}

/* Nobody there to make one, and none in the cache yet. */
static void
without_a_kdc(void **state)
{
	struct ae_err e;

	(void)state;
	realm_kdc_stop();
	assert_int_equal(own(realm.client, &e), AE_EUNAVAIL);
	assert_non_null(strstr(e.text, "a ticket for oneself"));
	realm_kdc_start();
}

/* The ticket is made and opened, and what MIT's KDC puts in is not enough. */
static void
without_logon_information(void **state)
{
	struct ae_err e;

	(void)state;
	assert_int_not_equal(own(realm.client, &e), AE_OK);
	assert_null(strstr(e.text, "a ticket for oneself"));
	assert_null(strstr(e.text, "the ticket cache"));
	assert_non_null(strstr(e.text, "PAC"));
	/* A second look finds the ticket in the cache; the same is said. */
	realm_kdc_stop();
	assert_int_not_equal(own(realm.client, &e), AE_OK);
	assert_non_null(strstr(e.text, "PAC"));
	realm_kdc_start();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_has_none),
		cmocka_unit_test(without_a_kdc),
		cmocka_unit_test(without_logon_information),
	};

	return cmocka_run_group_tests(tests, realm_setup, realm_teardown);
}
