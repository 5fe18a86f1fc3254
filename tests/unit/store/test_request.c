/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of store/request.h: requests under way on a real directory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scratch.h"
#include "store/request.h"
#include "torture.h"

static char dir[64];
static struct ae_store *store;

static const struct ae_store_request_meta made = { .state = AE_STORE_MADE,
	.template_oid = "1.2.3",
	.made = 1795000000,
	.renews = "0123456789abcdef0123456789abcdef01234567",
	.automatic = true,
	.archival = true };

static int
setup(void **state)
{
	(void)state;
	if (scratch_make(dir) != 0)
		return -1;
	return ae_store_open(&store, dir, true, NULL) == AE_OK ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	ae_store_free(store);
	store = NULL;
	return scratch_remove(dir);
}

static unsigned
keep(const char *tmpl, const char *der)
{
	unsigned number = 0;

	assert_int_equal(
	    ae_store_request_new(&number, store, tmpl, AE_STORE_KEY_PEM,
		"KEY\n", 4, der, strlen(der), &made, NULL),
	    AE_OK);
	return number;
}

static bool
there(const char *rel, mode_t *mode)
{
	char path[256];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, rel);
	if (stat(path, &st) != 0)
		return false;
	if (mode != NULL)
		*mode = st.st_mode & 0777;
	return true;
}

static void
it_comes_back_as_it_was(void **state)
{
	struct ae_store_request_list l;
	mode_t mode;

	(void)state;
	assert_int_equal(keep("B", "two"), 1);
	assert_int_equal(keep("A", "one"), 1);
	assert_int_equal(keep("A", "three"), 2);
	assert_true(there("request/A/1/key.pem", &mode));
	assert_int_equal(mode, 0600);
	ae_store_free(store);
	assert_int_equal(ae_store_open(&store, dir, true, NULL), AE_OK);
	assert_int_equal(ae_store_request_list(store, &l, NULL), AE_OK);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.v[0].tmpl, "A");
	assert_int_equal(l.v[1].number, 2);
	assert_int_equal(l.v[1].der_len, 5);
	assert_memory_equal(l.v[1].der, "three", 5);
	assert_memory_equal(&l.v[2].meta.made, &made.made, sizeof(made.made));
	assert_string_equal(l.v[2].meta.renews, made.renews);
	assert_string_equal(l.v[2].meta.template_oid, made.template_oid);
	assert_true(l.v[2].meta.automatic && l.v[2].meta.archival);
	assert_int_equal(l.v[2].meta.state, AE_STORE_MADE);
	ae_store_request_list_done(&l);
}

static void
what_became_of_it_is_noted(void **state)
{
	struct ae_store_request_meta m = made;
	struct ae_store_request_list l;

	(void)state;
	(void)keep("A", "one");
	m.state = AE_STORE_PENDING;
	m.request_id = UINT32_MAX;
	m.asked = made.made + 5;
	(void)snprintf(
	    m.ca_config, sizeof(m.ca_config), "ca1.lab.example\\Lab CA");
	assert_int_equal(
	    ae_store_request_update(store, "A", 1, &m, NULL), AE_OK);
	assert_int_equal(ae_store_request_list(store, &l, NULL), AE_OK);
	assert_int_equal(l.v[0].meta.state, AE_STORE_PENDING);
	assert_true(l.v[0].meta.request_id == UINT32_MAX);
	assert_true(l.v[0].meta.asked == m.asked);
	assert_string_equal(l.v[0].meta.ca_config, m.ca_config);
	ae_store_request_list_done(&l);
	assert_int_equal(
	    ae_store_request_update(store, "A", 2, &m, NULL), AE_ENOTFOUND);
}

static void
its_key_goes_with_the_certificate(void **state)
{
	const struct ae_store_meta meta = { .installed = 1 };
	struct ae_store_draft *d = NULL;
	struct ae_secret key = { 0 };
	const char *name;
	unsigned number;

	(void)state;
	(void)keep("A", "one");
	assert_int_equal(
	    ae_store_draft_from_request(&d, store, "A", 1, NULL), AE_OK);
	assert_int_equal(
	    ae_store_commit(d, "CERT", 4, "", 0, &meta, &number, NULL), AE_OK);
	ae_store_draft_free(d);
	assert_true(there("request/A/1/key.pem", NULL));
	assert_int_equal(
	    ae_store_key_get(&key, &name, store, "A", number, NULL), AE_OK);
	assert_string_equal(name, AE_STORE_KEY_PEM);
	assert_int_equal(key.len, 4);
	assert_memory_equal(key.p, "KEY\n", 4);
	ae_secret_done(&key);
	assert_int_equal(ae_store_request_remove(store, "A", 1, NULL), AE_OK);
	assert_int_equal(ae_store_request_remove(store, "A", 1, NULL), AE_OK);
	assert_false(there("request/A/1", NULL));
	assert_true(there("my/A/current/key.pem", NULL));
}

static void
a_key_that_stays_in_its_token_is_a_uri(void **state)
{
	const char uri[] = "pkcs11:token=t;object=o";
	struct ae_store_draft *d = NULL;
	unsigned number;

	(void)state;
	assert_int_equal(
	    ae_store_request_new(&number, store, "A", AE_STORE_KEY_URI, uri,
		strlen(uri), "one", 3, &made, NULL),
	    AE_OK);
	assert_int_equal(
	    ae_store_draft_from_request(&d, store, "A", number, NULL), AE_OK);
	ae_store_draft_free(d);
	assert_int_equal(ae_store_request_new(&number, store, "A", "../key",
			     uri, strlen(uri), "one", 3, &made, NULL),
	    AE_EINVAL);
	assert_int_equal(
	    ae_store_request_new(&number, store, "../x", AE_STORE_KEY_PEM, uri,
		strlen(uri), "one", 3, &made, NULL),
	    AE_EINVAL);
}

/* What was damaged is no request, and does not hide the others. */
static void
damage_is_passed_over(void **state)
{
	static const char *const bad[] = { "", "{}", "[]", "{\"state\":\"x\"}",
		"{\"state\":\"made\",\"request_id\":-1}",
		"{\"state\":\"made\",\"request_id\":4294967296}",
		"{\"state\":\"made\",\"state\":\"made\"}" };
	struct ae_store_draft *d = NULL;
	struct ae_store_request_list l;
	size_t i;

	(void)state;
	(void)keep("A", "one");
	(void)keep("A", "two");
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		scratch_write(dir, "request/A/1/meta.json", bad[i]);
		assert_int_equal(ae_store_request_list(store, &l, NULL), AE_OK);
		assert_int_equal(l.n, 1);
		assert_int_equal(l.v[0].number, 2);
		ae_store_request_list_done(&l);
	}
	assert_int_equal(
	    ae_store_draft_from_request(&d, store, "A", 3, NULL), AE_ENOTFOUND);
}

/* Kept, listed, gone; a failure on the way leaves the whole or nothing. */
static bool
whole_work(void *arg)
{
	struct ae_store_request_list l = { 0 };
	unsigned number = 0;
	bool done;
	size_t i;

	(void)arg;
	done = ae_store_request_new(&number, store, "A", AE_STORE_KEY_PEM, "K",
		   1, "one", 3, &made, NULL) == AE_OK &&
	    ae_store_request_list(store, &l, NULL) == AE_OK;
	for (i = 0; i < l.n; i++)
		assert_memory_equal(l.v[i].der, "one", 3);
	ae_store_request_list_done(&l);
	if (number != 0 &&
	    ae_store_request_remove(store, "A", number, NULL) != AE_OK)
		done = false;
	return done;
}

static void
torture(void **state)
{
	(void)state;
	assert_true(ae_torture(whole_work, NULL, 200, true) > 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    it_comes_back_as_it_was, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    what_became_of_it_is_noted, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    its_key_goes_with_the_certificate, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    a_key_that_stays_in_its_token_is_a_uri, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    damage_is_passed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(torture, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
