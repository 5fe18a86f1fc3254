/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Tests of deploy/deploy.h and deploy/place.h: a store and targets in a tree
 * of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/secret.h"
#include "deploy/deploy.h"
#include "fixture.h"
#include "sys/files.h"

struct world {
	char root[64], state[128], run[128], conf[128], hooks[128];
	struct ae_deploy d;
	struct ae_deploy_report r;
};

static void
put(const struct world *w, const char *path, const void *p, size_t len,
    mode_t mode)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s%s", w->root, path);
	assert_ok(ae_file_write(full, p, len, mode, NULL));
}

static void
text(const struct world *w, const char *path, const char *s)
{
	put(w, path, s, strlen(s), 0644);
}

static void
dir(const struct world *w, const char *path)
{
	char full[512];

	(void)snprintf(full, sizeof(full), "%s%s", w->root, path);
	assert_ok(ae_file_mkdirs(full, 0755, NULL));
}

/* free() it; NULL: nothing is there. */
static char *
get(const struct world *w, const char *path, struct stat *st)
{
	char full[512];
	uint8_t *p = NULL;
	size_t len;

	(void)snprintf(full, sizeof(full), "%s%s", w->root, path);
	if (st != NULL && stat(full, st) != 0)
		return NULL;
	return ae_file_read(&p, &len, full, 65536, NULL) == AE_OK ? (char *)p
								  : NULL;
}

static void
certificate(const struct world *w, const char *path, struct ae_der der)
{
	struct ae_cert *c;
	struct ae_wr pem;

	assert_ok(ae_cert_parse(&c, der.p, der.len, NULL));
	ae_wr_init(&pem, 65536);
	ae_cert_put_pem(&pem, c);
	put(w, path, pem.p, pem.len, 0644);
	ae_wr_done(&pem);
	ae_cert_free(c);
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct ae_secret key = { 0 };
	char link[256];

	assert_non_null(w);
	(void)snprintf(w->root, sizeof(w->root), "/tmp/ae-place-XXXXXX");
	assert_non_null(mkdtemp(w->root));
	(void)snprintf(w->state, sizeof(w->state), "%s/state", w->root);
	(void)snprintf(w->run, sizeof(w->run), "%s/run", w->root);
	(void)snprintf(w->conf, sizeof(w->conf), "%s/deploy.conf", w->root);
	(void)snprintf(w->hooks, sizeof(w->hooks), "%s/hooks.d", w->root);
	dir(w, "/state/my/Web/1");
	dir(w, "/out");
	certificate(w, "/state/my/Web/1/cert.pem", fix_leaf());
	certificate(w, "/state/my/Web/1/chain.pem", fix_root());
	assert_ok(ae_key_to_pem(&key, fix_leaf_key(), NULL, NULL));
	put(w, "/state/my/Web/1/key.pem", key.p, key.len, 0600);
	ae_secret_done(&key);
	(void)snprintf(link, sizeof(link), "%s/my/Web/current", w->state);
	assert_int_equal(symlink("1", link), 0);
	w->d = (struct ae_deploy){ .root = w->root,
		.state_dir = w->state,
		.run_dir = w->run,
		.conf_path = w->conf,
		.hooks_dir = w->hooks,
		.context = "machine" };
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;
	char cmd[128];

	ae_deploy_report_done(&w->r);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", w->root);
	assert_int_equal(system(cmd), 0);
	free(w);
	return 0;
}

/* One pass; the one template's report. */
static const struct ae_deploy_one *
pass(struct world *w)
{
	struct ae_err e = AE_ERR_INIT;

	ae_deploy_report_done(&w->r);
	if (ae_deploy_run(&w->r, &w->d, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(w->r.n, 1);
	return &w->r.v[0];
}

static const struct ae_deploy_item *
item(const struct world *w, const char *what)
{
	size_t i;

	for (i = 0; i < w->r.v[0].n; i++)
		if (strcmp(w->r.v[0].v[i].what, what) == 0)
			return &w->r.v[0].v[i];
	fail_msg("no %s in the report", what);
	return NULL;
}

static void
pem_in_all_forms(void **state)
{
	struct world *w = *state;
	struct stat before, after;
	char *cert, *chain, *key, *s, *both;

	text(w, "/deploy.conf",
	    "[template Web]\ncert = /out/c\nchain = /out/n\nfullchain = "
	    "/out/f\n"
	    "key = /out/k\nbundle = /out/b\n");
	assert_string_equal(pass(w)->event, "enrolled");
	assert_int_equal(w->r.v[0].outcome, AE_DEPLOY_DONE);
	cert = get(w, "/out/c", NULL);
	chain = get(w, "/out/n", NULL);
	key = get(w, "/out/k", &before);
	assert_int_equal(before.st_mode & 07777, 0600);
	assert_true(asprintf(&both, "%s%s", cert, chain) > 0);
	s = get(w, "/out/f", &after);
	assert_int_equal(after.st_mode & 07777, 0644);
	assert_string_equal(s, both);
	free(s);
	free(both);
	assert_true(asprintf(&both, "%s%s%s", key, cert, chain) > 0);
	s = get(w, "/out/b", &after);
	assert_int_equal(after.st_mode & 07777, 0600);
	assert_string_equal(s, both);
	free(s);
	free(both);

	/* The same once more: not one file is another. */
	assert_string_equal(pass(w)->event, "applied");
	assert_int_equal(w->r.v[0].outcome, AE_DEPLOY_UNCHANGED);
	free(get(w, "/out/k", &after));
	assert_int_equal(before.st_ino, after.st_ino);
	free(cert);
	free(chain);
	free(key);
}

static void
a_key_in_the_tpm_stays_there(void **state)
{
	struct world *w = *state;

	text(w, "/state/my/Web/1/key.pem",
	    "-----BEGIN TSS2 PRIVATE KEY-----\nAA==\n"
	    "-----END TSS2 PRIVATE KEY-----\n");
	text(w, "/deploy.conf",
	    "[template Web]\ncert = /out/c\nkey = /out/k\nbundle = /out/b\n"
	    "nm-connection = /out/n.nmconnection\n");
	assert_int_equal(pass(w)->outcome, AE_DEPLOY_FAILED);
	assert_int_equal(item(w, "cert")->outcome, AE_DEPLOY_DONE);
	assert_non_null(strstr(item(w, "key")->text, "TPM"));
	assert_non_null(strstr(item(w, "key")->text, "/my/Web/1/key.pem"));
	assert_int_equal(item(w, "bundle")->outcome, AE_DEPLOY_FAILED);
	assert_non_null(strstr(item(w, "nm-connection")->text, "TPM"));
	assert_null(get(w, "/out/k", NULL));
	assert_null(get(w, "/out/b", NULL));
}

static void
a_key_on_a_token_has_a_uri(void **state)
{
	static const char uri[] = "pkcs11:token=machine;object=Web";
	struct world *w = *state;
	char *s;

	text(w, "/state/my/Web/1/key.uri", "pkcs11:token=machine;object=Web\n");
	text(w, "/password", "x\n");
	text(w, "/deploy.conf",
	    "[template Web]\nkey = /out/k\npkcs12 = /out/p\n"
	    "pkcs12-password-file = /password\n"
	    "nm-connection = /out/n.nmconnection\n");
	assert_int_equal(pass(w)->outcome, AE_DEPLOY_FAILED);
	assert_non_null(strstr(item(w, "key")->text, uri));
	assert_non_null(strstr(item(w, "pkcs12")->text, uri));
	assert_int_equal(item(w, "nm-connection")->outcome, AE_DEPLOY_DONE);
	s = get(w, "/out/n.nmconnection", NULL);
	assert_non_null(strstr(s, "private-key=pkcs11:token=machine;"));
	free(s);
}

static void
a_connection_is_made_and_kept(void **state)
{
	struct world *w = *state;
	struct stat st;
	char *s, *again;

	text(w, "/deploy.conf",
	    "[template Web]\nnm-connection = /out/corp.nmconnection\n"
	    "nm-type = wifi\nnm-ssid = Corp Net\nnm-server = example.com\n"
	    "nm-identity = host/x\nmode = 0644\n");
	assert_int_equal(pass(w)->outcome, AE_DEPLOY_DONE);
	s = get(w, "/out/corp.nmconnection", &st);
	assert_int_equal(st.st_mode & 07777, 0600); /* whatever mode says */
	assert_non_null(strstr(s, "id=corp\n"));
	assert_non_null(strstr(s, "type=wifi\n"));
	assert_non_null(strstr(s, "ssid=Corp Net\n"));
	assert_non_null(strstr(s, "key-mgmt=wpa-eap\n"));
	assert_non_null(strstr(s, "identity=host/x\n"));
	assert_non_null(strstr(s, "domain-suffix-match=example.com\n"));
	assert_non_null(strstr(s, "/state/my/Web/current/key.pem\n"));
	assert_non_null(strstr(s, "/state/trust/roots.pem\n"));
	free(s);
	assert_int_equal(pass(w)->outcome, AE_DEPLOY_UNCHANGED);
	/* What somebody else wrote into it is his. */
	text(w, "/out/corp.nmconnection",
	    "[connection]\nid=mine\n\n[802-1x]\neap=peap;\npassword=p\n");
	assert_int_equal(pass(w)->outcome, AE_DEPLOY_DONE);
	again = get(w, "/out/corp.nmconnection", NULL);
	assert_non_null(strstr(again, "id=mine\n"));
	assert_non_null(strstr(again, "password=p\n"));
	assert_non_null(strstr(again, "eap=tls;\n"));
	assert_null(strstr(again, "peap"));
	free(again);
}

/* SELinux in the tree: its switch, and a program that labels. */
static void
labels_where_selinux_is_on(void **state)
{
	struct world *w = *state;
	char script[256], *s;

	dir(w, "/sys/fs/selinux");
	dir(w, "/usr/sbin");
	(void)snprintf(script, sizeof(script),
	    "#!/bin/sh\necho \"$@\" >> %s/log\n", w->root);
	put(w, "/usr/sbin/restorecon", script, strlen(script), 0755);
	text(w, "/deploy.conf", "[template Web]\ncert = /out/c\n");
	assert_int_equal(pass(w)->outcome, AE_DEPLOY_DONE);
	assert_null(get(w, "/log", NULL)); /* off */
	text(w, "/sys/fs/selinux/enforce", "1");
	text(w, "/out/c", "x");
	assert_int_equal(pass(w)->outcome, AE_DEPLOY_DONE);
	s = get(w, "/log", NULL);
	(void)snprintf(script, sizeof(script), "-F %s/out/c\n", w->root);
	assert_string_equal(s, script);
	free(s);
	put(w, "/usr/sbin/restorecon", "#!/bin/sh\nexit 5\n", 17, 0755);
	text(w, "/out/c", "x");
	assert_int_equal(pass(w)->outcome, AE_DEPLOY_FAILED);
	assert_non_null(strstr(item(w, "cert")->text, "exit 5"));
}

static void
the_whole_fails_for_a_bad_configuration(void **state)
{
	struct world *w = *state;
	struct ae_err e = AE_ERR_INIT;

	assert_false(ae_deploy_wanted(&w->d));
	text(w, "/deploy.conf", "[template Web]\ncert = out\n");
	assert_true(ae_deploy_wanted(&w->d));
	assert_rc(ae_deploy_run(&w->r, &w->d, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "deploy.conf:2:8: "));
	put(w, "/deploy.conf", "", 0, 0666);
	assert_rc(ae_deploy_run(&w->r, &w->d, &e), AE_EDENIED);
	/* A list of deployments that is not ours is not guessed at. */
	text(w, "/deploy.conf", "[template Web]\ncert = /out/c\n");
	text(w, "/state/deployed", "hello\n");
	assert_rc(ae_deploy_run(&w->r, &w->d, &e), AE_EPROTO);
}

int
main(void)
{
#define ONE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		ONE(pem_in_all_forms),
		ONE(a_key_in_the_tpm_stays_there),
		ONE(a_key_on_a_token_has_a_uri),
		ONE(a_connection_is_made_and_kept),
		ONE(labels_where_selinux_is_on),
		ONE(the_whole_fails_for_a_bad_configuration),
	};

	fix_init();
	return fix_done(cmocka_run_group_tests(tests, NULL, NULL));
}
