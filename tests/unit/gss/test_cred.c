/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Credentials: from keytabs and caches that are there, missing, empty,
 * wrong, expired, and with the KDC gone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "realm.h"

static int
setup(void **state)
{
	(void)state;
	realm_up();
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	realm_down();
	return 0;
}

static const char *
file_cc(const char *name)
{
	static char buf[300];

	(void)snprintf(buf, sizeof(buf), "FILE:%s", realm_path(name));
	return buf;
}

/* Moves this process's clock: krb5 and we read it through these. */
static time_t skew;

time_t __wrap_time(time_t *t);

time_t
__wrap_time(time_t *t)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (t != NULL)
		*t = ts.tv_sec + skew;
	return ts.tv_sec + skew;
}

static void
keytab_to_file(void **state)
{
	struct ae_gss_cred *c = NULL, *d = NULL, *f = NULL;
	struct stat before, after;
	const char *cc = file_cc("a.cc");

	(void)state;
	assert_int_equal(ae_gss_cred_keytab(
			     &c, realm_path("client.keytab"), CLIENT, cc, NULL),
	    AE_OK);
	assert_string_equal(ae_gss_cred_principal(c), CLIENT "@" REALM);
	assert_true(ae_gss_cred_expires(c) > time(NULL) + 3600);
	assert_int_equal(stat(cc + 5, &before), 0);
	assert_int_equal(before.st_mode & 0777, 0600);

	/* Good for a while: neither refresh nor a second start asks again. */
	assert_int_equal(ae_gss_cred_refresh(c, NULL), AE_OK);
	assert_int_equal(ae_gss_cred_keytab(
			     &d, realm_path("client.keytab"), CLIENT, cc, NULL),
	    AE_OK);
	assert_int_equal(stat(cc + 5, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);

	/* Nearly over: a new file, renamed over, nothing left beside it. */
	skew = ae_gss_cred_expires(c) - time(NULL) - 60;
	assert_int_equal(ae_gss_cred_refresh(c, NULL), AE_OK);
	skew = 0;
	assert_int_equal(stat(cc + 5, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_not_equal(access(realm_path("a.cc.new"), F_OK), 0);

	/* and another process can use it */
	assert_int_equal(ae_gss_cred_ccache(&f, cc, NULL), AE_OK);
	assert_string_equal(ae_gss_cred_principal(f), CLIENT "@" REALM);
	assert_int_equal(ae_gss_cred_refresh(f, NULL), AE_OK);
	skew = ae_gss_cred_expires(f) - time(NULL) + 1;
	assert_int_equal(ae_gss_cred_refresh(f, NULL), AE_EAUTH);
	skew = 0;
	ae_gss_cred_free(c);
	ae_gss_cred_free(d);
	ae_gss_cred_free(f);
}

static void
refused_client(void **state)
{
	struct ae_gss_cred *c = NULL;
	struct ae_err e = AE_ERR_INIT;
	FILE *f;

	(void)state;
	assert_int_equal(
	    ae_gss_cred_keytab(&c, realm_path("none"), CLIENT, "MEMORY:r", &e),
	    AE_ENOTFOUND);
	assert_non_null(strstr(e.text, CLIENT));
	/* the keytab has no such key */
	assert_int_equal(ae_gss_cred_keytab(&c, realm_path("service.keytab"),
			     CLIENT, "MEMORY:r", &e),
	    AE_ENOTFOUND);
	/* the KDC knows no such principal: the service key is not PC9$'s */
	assert_int_equal(ae_gss_cred_keytab(&c, realm_path("client.keytab"),
			     "PC9$", "MEMORY:r", &e),
	    AE_ENOTFOUND);
	assert_int_equal(ae_gss_cred_keytab(&c, realm_path("client.keytab"),
			     CLIENT, "KEYRING:x", &e),
	    AE_EINVAL);
	assert_int_equal(ae_gss_cred_keytab(&c, realm_path("client.keytab"),
			     CLIENT, "FILE:/nonexistent/cc", &e),
	    AE_EIO);
	assert_int_equal(
	    ae_gss_cred_ccache(&c, "FILE:/nonexistent/cc", &e), AE_EAUTH);
	assert_int_equal(ae_gss_cred_ccache(&c, NULL, &e), AE_EAUTH);
	f = fopen(realm_path("junk.cc"), "w");
	assert_non_null(f);
	(void)fputs("not a credential cache", f);
	(void)fclose(f);
	assert_int_equal(
	    ae_gss_cred_ccache(&c, file_cc("junk.cc"), &e), AE_EAUTH);
	assert_null(c);
}

static void
no_kdc(void **state)
{
	struct ae_gss_cred *c = NULL;
	struct ae_err e = AE_ERR_INIT;

	(void)state;
	realm_kdc_stop();
	assert_int_equal(ae_gss_cred_keytab(&c, realm_path("client.keytab"),
			     CLIENT, "MEMORY:n", &e),
	    AE_EUNAVAIL);
	assert_int_equal(e.dom, AE_DOM_KRB5);
	assert_null(c);
	realm_kdc_start();
	assert_int_equal(ae_gss_cred_keytab(&c, realm_path("client.keytab"),
			     CLIENT, "MEMORY:n", &e),
	    AE_OK);
	/* The ticket is there, the service's has to be asked for. */
	realm_kdc_stop();
	{
		struct ae_gss_initiator ic = { AE_GSS_SPNEGO, AE_GSS_PRIVACY,
			SERVICE, true, false };
		struct ae_gss_ctx *ctx = NULL;
		struct ae_wr out;
		bool done = false;

		ae_wr_init(&out, AE_GSS_TOKEN_MAX);
		assert_int_equal(ae_gss_ctx_initiate(&ctx, c, &ic, &e), AE_OK);
		assert_int_equal(
		    ae_gss_step(ctx, NULL, 0, &out, &done, &e), AE_EUNAVAIL);
		assert_false(done);
		ae_gss_ctx_free(ctx);
		ae_wr_done(&out);
	}
	realm_kdc_start();
	ae_gss_cred_free(c);
}

static void
service_keytabs(void **state)
{
	static const uint8_t empty[] = { 5, 2 };
	struct ae_gss_service conf = { 0 };
	struct ae_gss_cred *c = NULL;
	struct ae_err e = AE_ERR_INIT;
	int fd;

	(void)state;
	conf.keytab = realm_path("none");
	assert_int_equal(ae_gss_cred_service(&c, &conf, &e), AE_ENOTFOUND);
	conf.keytab = realm_path("empty.keytab");
	fd = open(conf.keytab, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, empty, sizeof(empty)), sizeof(empty));
	(void)close(fd);
	assert_int_equal(ae_gss_cred_service(&c, &conf, &e), AE_ENOTFOUND);
	/* a keytab, but of an account without service names */
	conf.keytab = realm_path("client.keytab");
	assert_int_equal(ae_gss_cred_service(&c, &conf, &e), AE_ENOTFOUND);
	assert_non_null(strstr(e.text, "RPC service"));
	/* no keytab at all */
	conf.keytab = realm_path("krb5.conf");
	assert_int_equal(ae_gss_cred_service(&c, &conf, &e), AE_EIO);
	assert_null(c);

	conf.keytab = realm_path("service.keytab");
	assert_int_equal(ae_gss_cred_service(&c, &conf, &e), AE_OK);
	assert_null(ae_gss_cred_principal(c));
	assert_int_equal(ae_gss_cred_expires(c), INT64_MAX);
	ae_gss_cred_free(c);
	ae_gss_cred_free(NULL);
}

/* A keytab that is replaced is noticed at the next accept. */
static void
new_keytab(void **state)
{
	char path[256];
	struct ae_gss_service conf = { .keytab = path };
	struct ae_gss_initiator ic = { AE_GSS_KRB5, AE_GSS_PRIVACY, SERVICE,
		true, false };
	struct ae_gss_cred *client = realm_client(), *c = NULL;
	struct pair p;

	(void)state;
	(void)snprintf(path, sizeof(path), "%s", realm_path("moving.keytab"));
	assert_int_equal(link(realm_path("service.keytab"), conf.keytab), 0);
	assert_int_equal(ae_gss_cred_service(&c, &conf, NULL), AE_OK);
	assert_int_equal(pair_shake(&p, client, c, &ic, AE_GSS_PRIVACY), AE_OK);
	pair_done(&p);
	/* gone: nobody is let in on the strength of keys that were deleted */
	assert_int_equal(unlink(conf.keytab), 0);
	assert_int_equal(
	    pair_shake(&p, client, c, &ic, AE_GSS_PRIVACY), AE_ENOTFOUND);
	pair_done(&p);
	assert_int_equal(ae_gss_cred_refresh(c, NULL), AE_ENOTFOUND);
	/* back again, as another file */
	assert_int_equal(link(realm_path("service.keytab"), conf.keytab), 0);
	assert_int_equal(ae_gss_cred_refresh(c, NULL), AE_OK);
	assert_int_equal(pair_shake(&p, client, c, &ic, AE_GSS_PRIVACY), AE_OK);
	pair_done(&p);
	/* replaced by one without our keys: the old ones stay unused */
	assert_int_equal(unlink(conf.keytab), 0);
	assert_int_equal(link(realm_path("client.keytab"), conf.keytab), 0);
	assert_int_equal(ae_gss_cred_refresh(c, NULL), AE_ENOTFOUND);
	assert_int_equal(
	    pair_shake(&p, client, c, &ic, AE_GSS_PRIVACY), AE_ENOTFOUND);
	pair_done(&p);
	ae_gss_cred_free(c);
	ae_gss_cred_free(client);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keytab_to_file),
		cmocka_unit_test(refused_client),
		cmocka_unit_test(no_kdc),
		cmocka_unit_test(service_keytabs),
		cmocka_unit_test(new_keytab),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
