/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The local half of setup, below a root of its own: every kind of key, a
 * second run, a dry run, and what does not belong together.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ad/sd.h"
#include "cakey.h"
#include "conf.h"
#include "db/db.h"
#include "pki/cert.h"
#include "setup_files.h"
#include "setup_local.h"
#include "sys/files.h"

struct fix {
	char root[40];
	struct setup_local s;
};

static int
setup(void **state)
{
	struct fix *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*state = f;
	strcpy(f->root, "/tmp/ae-setup-XXXXXX");
	if (mkdtemp(f->root) == NULL)
		return -1;
	f->s.root = f->root;
	f->s.name = "Example CA, 1";
	f->s.dns_name = "ca.example.com";
	f->s.key = "p256";
	f->s.subject_suffix = "DC=example,DC=com";
	f->s.uid_base = geteuid() == 0 ? 900000 : 1;
	return 0;
}

static int
remove_one(const char *p, const struct stat *st, int type, struct FTW *w)
{
	(void)st;
	(void)type;
	(void)w;
	return remove(p);
}

static int
teardown(void **state)
{
	struct fix *f = *state;

	(void)nftw(f->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(f);
	return 0;
}

static struct stat
look(struct fix *f, const char *path)
{
	char *p = ae_path_root(f->root, path);
	struct stat st;

	assert_int_equal(lstat(p, &st), 0);
	free(p);
	return st;
}

static struct ae_cert *
certificate(struct fix *f)
{
	char *p = ae_path_root(f->root, "/etc/certsrv/ca.pem");
	struct ae_err e = AE_ERR_INIT;
	struct ae_cert **v = NULL, *c;
	uint8_t *pem = NULL;
	size_t n = 0, len;

	assert_int_equal(ae_file_read(&pem, &len, p, 65536, &e), AE_OK);
	assert_int_equal(ae_certs_read(&v, &n, 4, pem, len, &e), AE_OK);
	assert_int_equal(n, 1);
	c = ae_cert_dup(v[0]);
	ae_certs_free(v, n);
	free(pem);
	free(p);
	return c;
}

static void
what_is_made(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	struct ae_cert *c;
	struct ae_key *k = NULL;
	unsigned made = 0;
	struct conf conf;
	struct stat st;

	if (geteuid() != 0)
		skip(); /* the key gets an owner of its own */
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	assert_int_equal(made, 31);
	st = look(f, "/var/lib/certsrv/private/ca.key");
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, 900007);
	st = look(f, "/var/lib/certsrv/private");
	assert_int_equal(st.st_mode & 077, 011);
	/* the configuration is one that certsrvd takes */
	assert_int_equal(conf_read(&conf, f->root, NULL, &e), AE_OK);
	assert_string_equal(conf.name, "Example CA, 1");
	assert_int_equal(conf.uid_base, 900000);
	/* the certificate is of that key and good for a CA */
	c = certificate(f);
	assert_int_equal(ae_key_open(&k, conf.keys.v[0], NULL, &e), AE_OK);
	assert_true(ae_cert_has_key(c, k));
	assert_int_equal(ae_cert_verify(c, k, &e), AE_OK);
	assert_true(c->x.ca);
	assert_true(ae_cert_self_issued(c));
	ae_key_free(k);
	ae_cert_free(c);
	conf_done(&conf);
}

static void
a_second_run_changes_nothing(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	struct stat before, after;
	unsigned made;

	if (geteuid() != 0)
		skip();
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	before = look(f, "/etc/certsrv/ca.pem");
	f->s.key = "rsa2048"; /* too late */
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	assert_int_equal(made, 0);
	after = look(f, "/etc/certsrv/ca.pem");
	assert_int_equal(before.st_ino, after.st_ino);
}

static void
a_dry_run_makes_nothing(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	unsigned made;

	f->s.dry_run = true;
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	assert_int_equal(made, 31);
	assert_int_equal(rmdir(f->root), 0); /* still empty */
	assert_int_equal(mkdir(f->root, 0700), 0);
}

static void
a_certificate_without_its_key(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	unsigned made;
	char *p;

	if (geteuid() != 0)
		skip();
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	p = ae_path_root(f->root, "/var/lib/certsrv/private/ca.key");
	assert_int_equal(unlink(p), 0);
	assert_int_equal(setup_local(&f->s, &made, &e), AE_EINVAL);
	assert_int_equal(access(p, F_OK), -1);
	free(p);
	/* a key without its certificate is an interrupted run: go on */
	p = ae_path_root(f->root, "/etc/certsrv/ca.pem");
	assert_int_equal(unlink(p), 0);
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	assert_int_equal(unlink(p), 0);
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	assert_int_equal(made, SETUP_MADE_CERTIFICATE);
	free(p);
}

/* A database is made with the CA, for its own user, and never again. */
static void
the_database(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	struct ae_db_options opt = { .read_only = true };
	struct ae_db *db = NULL;
	struct stat st;
	unsigned made;
	char *p;

	if (geteuid() != 0)
		skip();
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	st = look(f, "/var/lib/certsrv/db");
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(st.st_uid, 900006);
	st = look(f, "/var/lib/certsrv/db/ca.sqlite");
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_uid, 900006);
	p = ae_path_root(f->root, "/var/lib/certsrv/db/ca.sqlite");
	opt.path = p;
	assert_int_equal(ae_db_open(&db, &opt, &e), AE_OK);
	ae_db_free(db);
	/* lost: said, not replaced */
	assert_int_equal(unlink(p), 0);
	assert_int_equal(setup_local(&f->s, &made, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "backup"));
	assert_int_equal(access(p, F_OK), -1);
	f->s.new_database = true;
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	assert_int_equal(made, SETUP_MADE_DATABASE);
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	assert_int_equal(made, 0);
	free(p);
}

static void
nonsense(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	unsigned made;

	f->s.key = "rsa1024";
	assert_int_equal(setup_local(&f->s, &made, &e), AE_EINVAL);
	f->s.key = "p256";
	f->s.name = "two\nlines";
	assert_int_equal(setup_local(&f->s, &made, &e), AE_EINVAL);
	f->s.name = "";
	assert_int_equal(setup_local(&f->s, &made, &e), AE_EINVAL);
	f->s.name = "x";
	f->s.dns_name = NULL;
	assert_int_equal(setup_local(&f->s, &made, &e), AE_EINVAL);
	assert_int_equal(rmdir(f->root), 0);
	assert_int_equal(mkdir(f->root, 0700), 0);
}

static void
kinds_of_keys(void **state)
{
	/* clang-format off */
	static const struct {
		const char *key, *type;
		enum ae_key_home home;
		unsigned bits; /* 0: refused */
		bool existing;
	} rows[] = {
		{ "rsa2048", NULL, AE_KEY_IN_SOFTWARE, 2048, false },
		{ "rsa4096", NULL, AE_KEY_IN_SOFTWARE, 4096, false },
		{ "p256", NULL, AE_KEY_IN_SOFTWARE, 256, false },
		{ "p384", NULL, AE_KEY_IN_SOFTWARE, 384, false },
		{ "tpm:", NULL, AE_KEY_IN_TPM, 256, false },
		{ "tpm:", "rsa2048", AE_KEY_IN_TPM, 2048, false },
		{ "pkcs11:token=x", NULL, AE_KEY_IN_TOKEN, 3072, false },
		{ "pkcs11:token=x", "p384", AE_KEY_IN_TOKEN, 384, false },
		{ "pkcs11:token=x;object=y", NULL, AE_KEY_IN_TOKEN, 3072, true },
		{ "pkcs11:token=x;id=%01", NULL, AE_KEY_IN_TOKEN, 3072, true },
		/* none, and what belongs elsewhere */
		{ "p521", NULL, 0, 0, false },
		{ "RSA2048", NULL, 0, 0, false },
		{ "", NULL, 0, 0, false },
		{ "p256", "p384", 0, 0, false },
		{ "tpm:p256", NULL, 0, 0, false },
		{ "tpm:", "rsa1024", 0, 0, false },
		{ "pkcs11:token=x;object=y", "p256", 0, 0, false },
		{ "pkcs11:token=x?pin-value=1234", NULL, 0, 0, false },
		{ "pkcs11:token=x?pin-source=/x", NULL, 0, 0, false },
		{ "pkcs11:%", NULL, 0, 0, false },
	};
	/* clang-format on */
	struct cakey_spec spec;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct ae_err e = AE_ERR_INIT;
		int rc = cakey_parse(&spec, rows[i].key, rows[i].type, &e);

		if (rows[i].bits == 0) {
			assert_int_equal(rc, AE_EINVAL);
			assert_null(strstr(e.text, "1234"));
			continue;
		}
		assert_int_equal(rc, AE_OK);
		assert_int_equal(spec.home, rows[i].home);
		assert_int_equal(spec.existing, rows[i].existing);
		if (!spec.existing)
			assert_int_equal(spec.bits, rows[i].bits);
	}
}

static void
lines_of_the_configuration(void **state)
{
	/* clang-format off */
	static const struct {
		const char *before, *after; /* NULL: refused */
	} rows[] = {
		{ "[ca]\nkey = a\n[x]\nkey = n\n",
		  "[ca]\nkey = a\nkey = v\n[x]\nkey = n\n" },
		{ "# k\n[ca]\nname = n\n", "# k\n[ca]\nkey = v\nname = n\n" },
		{ "[x]\nkey = a\n[ca]\n keys = b\n key=c\n# t",
		  "[x]\nkey = a\n[ca]\n keys = b\n key=c\nkey = v\n# t" },
		{ "[ca]\nkey =  v\n", "[ca]\nkey =  v\n" },
		{ "[ca]\nkey = vv", "[ca]\nkey = vv\nkey = v\n" },
		{ "[x]\nkey = a\n", NULL },
		{ "", NULL },
	};
	/* clang-format on */
	struct fix *f = *state;
	char *path = ae_path_root(f->root, "/x.conf");
	uint8_t *text;
	size_t i, len;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(ae_file_write(path, rows[i].before,
				     strlen(rows[i].before), 0644, NULL),
		    AE_OK);
		assert_int_equal(setup_conf_add(path, "key", "v", NULL),
		    rows[i].after == NULL ? AE_EINVAL : AE_OK);
		assert_int_equal(
		    ae_file_read(&text, &len, path, 4096, NULL), AE_OK);
		assert_string_equal((char *)text,
		    rows[i].after != NULL ? rows[i].after : rows[i].before);
		free(text);
	}
	free(path);
}

static void
who_may_do_what(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	struct ae_sd *sd = NULL;
	struct ae_token *t = NULL;
	struct ae_sid user, admins;
	uint8_t *b = NULL;
	unsigned made;
	size_t len;
	char *p;

	if (geteuid() != 0)
		skip();
	assert_int_equal(setup_local(&f->s, &made, &e), AE_OK);
	p = ae_path_root(f->root, "/etc/certsrv/ca.sd");
	assert_int_equal(ae_file_read(&b, &len, p, 65536, &e), AE_OK);
	assert_int_equal(ae_sd_parse(&sd, b, len, &e), AE_OK);
	assert_true(ae_sid_parse(&user, "S-1-5-21-1-2-3-1104"));
	assert_true(ae_sid_parse(&admins, "S-1-5-32-544"));
	assert_int_equal(ae_token_new(&t, &user, NULL, 0, 0, &e), AE_OK);
	assert_true(ae_sd_access_check(sd, t, 0x200, NULL, NULL, NULL));
	assert_false(ae_sd_access_check(sd, t, 0x1, NULL, NULL, NULL));
	assert_false(ae_sd_access_check(sd, t, 0x2, NULL, NULL, NULL));
	ae_token_free(t);
	assert_int_equal(ae_token_new(&t, &user, &admins, 1, 0, &e), AE_OK);
	assert_true(ae_sd_access_check(sd, t, 0x3, NULL, NULL, NULL));
	ae_token_free(t);
	ae_sd_free(sd);
	free(b);
	free(p);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_is_made),
		T(a_second_run_changes_nothing),
		T(a_dry_run_makes_nothing),
		T(a_certificate_without_its_key),
		T(the_database),
		T(nonsense),
		T(kinds_of_keys),
		T(lines_of_the_configuration),
		T(who_may_do_what),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
