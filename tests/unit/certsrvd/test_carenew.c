/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A CA's certificates after setup: renewed with the old key and with a new
 * one, asked for from an issuer above, and what is not taken over from there.
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

#include "ca/own.h"
#include "cafile.h"
#include "carenew.h"
#include "pki/name.h"
#include "pki/request.h"
#include "pki/response.h"
#include "setup_files.h"
#include "setup_local.h"
#include "sys/clock.h"
#include "sys/files.h"

#define DAY INT64_C(86400)

struct fix {
	char root[40];
	struct conf conf;
	struct ae_key *root_key;
	struct ae_cert *root_cert;
};

static void
name_of(struct ae_wr *w, const char *text)
{
	ae_wr_init(w, 1024);
	assert_int_equal(ae_name_from_text(w, text, NULL), AE_OK);
}

static const uint8_t serial[AE_CA_OWN_SERIAL] = { 0xff, 1, 2 };

static int
begin(struct fix *f, bool sub)
{
	struct setup_local s = { .root = f->root,
		.name = "Example CA",
		.dns_name = "ca.example.com",
		.key = "p256",
		.subordinate = sub,
		.uid_base = geteuid() == 0 ? 900000 : 1 };
	struct ae_err e = AE_ERR_INIT;
	unsigned made;

	strcpy(f->root, "/tmp/ae-renew-XXXXXX");
	if (mkdtemp(f->root) == NULL)
		return -1;
	if (geteuid() != 0)
		return 0;
	assert_int_equal(setup_local(&s, &made, &e), AE_OK);
	assert_int_equal(conf_read(&f->conf, f->root, NULL, &e), AE_OK);
	return 0;
}

static int
root_ca(void **state)
{
	*state = calloc(1, sizeof(struct fix));
	return begin(*state, false);
}

/* The issuer above, with this path length. */
static void
make_above(struct fix *f, int path_len)
{
	struct ae_ca_own own = { .hash = AE_HASH_SHA256, .path_len = path_len };
	int64_t now = ae_clock_now();
	struct ae_wr name, der;

	ae_cert_free(f->root_cert);
	f->root_cert = NULL;
	if (f->root_key == NULL)
		assert_int_equal(
		    ae_key_generate(&f->root_key, AE_KEY_EC, 256, NULL), AE_OK);
	name_of(&name, "CN=Offline Root");
	own.name = (struct ae_der){ name.p, name.len };
	ae_wr_init(&der, AE_PKI_CERT_MAX);
	assert_int_equal(ae_ca_own_root(&der, &own, f->root_key, serial,
			     now - DAY, now + 3650 * DAY, NULL),
	    AE_OK);
	assert_int_equal(
	    ae_cert_parse(&f->root_cert, der.p, der.len, NULL), AE_OK);
	ae_wr_done(&der);
	ae_wr_done(&name);
}

static int
sub_ca(void **state)
{
	*state = calloc(1, sizeof(struct fix));
	if (begin(*state, true) < 0)
		return -1;
	make_above(*state, -1);
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
	conf_done(&f->conf);
	ae_cert_free(f->root_cert);
	ae_key_free(f->root_key);
	free(f);
	return 0;
}

static void
again(struct fix *f)
{
	conf_done(&f->conf);
	assert_int_equal(conf_read(&f->conf, f->root, NULL, NULL), AE_OK);
}

static void
renew(struct fix *f, bool new_key, const char *key, uint32_t version)
{
	struct ca_renew how = { .new_key = new_key, .key = key };
	struct ae_err e = AE_ERR_INIT;
	struct ca_renewed r;

	if (ca_renew(&r, &f->conf, &how, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(r.version, version);
	ca_renewed_done(&r);
	again(f);
}

static void
a_root_is_renewed(void **state)
{
	struct fix *f = *state;
	uint8_t hash[20];
	struct cafile c;
	size_t i;

	if (geteuid() != 0)
		skip();
	renew(f, false, NULL, 0x00000001);
	renew(f, true, NULL, 0x00020002);
	renew(f, true, "rsa2048", 0x00030003);
	renew(f, false, NULL, 0x00030004);
	assert_int_equal(cafile_read(&c, &f->conf, false, NULL), AE_OK);
	assert_int_equal(c.ncerts, 5);
	assert_int_equal(c.list.nkeys, 3);
	assert_int_equal(f->conf.keys.n, 3);
	for (i = 1; i < 5; i++) {
		ae_cert_sha1(hash, c.certs[i - 1]);
		assert_int_equal(c.certs[i]->x.previous_cert_hash.len, 20);
		assert_memory_equal(
		    c.certs[i]->x.previous_cert_hash.p, hash, 20);
		assert_true(
		    ae_name_equal(c.certs[i]->subject, c.certs[0]->subject));
	}
	/* there and back, for each new key */
	assert_int_equal(c.ncross, 4);
	for (i = 0; i < 2; i++) {
		const struct ae_cert *to = c.cross[2 * i];
		const struct ae_cert *back = c.cross[2 * i + 1];

		assert_true(ae_cert_has_key(to, c.list.keys[i + 1].pub));
		assert_int_equal(
		    ae_cert_verify(to, c.list.keys[i].pub, NULL), AE_OK);
		assert_true(ae_cert_has_key(back, c.list.keys[i].pub));
		assert_int_equal(
		    ae_cert_verify(back, c.list.keys[i + 1].pub, NULL), AE_OK);
		assert_true(to->x.ca && back->x.ca);
	}
	cafile_done(&c);
}

/* ---- below an issuer ---- */

static struct ae_csr *
request(struct fix *f)
{
	char *path = ae_path_root(f->root, CA_REQUEST_PATH);
	struct ae_csr *csr = NULL;
	uint8_t *p = NULL;
	struct ae_wr der;
	size_t len;

	ae_wr_init(&der, 65536);
	assert_int_equal(ae_file_read(&p, &len, path, 65536, NULL), AE_OK);
	assert_int_equal(ae_request_read(&der, p, len, NULL), AE_OK);
	assert_int_equal(ae_csr_parse(&csr, der.p, der.len, NULL), AE_OK);
	ae_wr_done(&der);
	free(p);
	free(path);
	return csr;
}

/* The issuer's answer, as PEM; root: itself along. */
static void
answer(struct fix *f, struct ae_wr *pem, bool root)
{
	int64_t now = ae_clock_now();
	struct ae_ca_issue s = { .issuer = f->root_cert,
		.key = f->root_key,
		.hash = AE_HASH_SHA256,
		.not_before = now - 600,
		.not_after = now + 1000 * DAY,
		.path_len = -1 };
	struct ae_csr *csr = request(f);
	struct ae_err e = AE_ERR_INIT;
	struct ae_cert *c = NULL;
	struct ae_wr der;

	ae_wr_init(&der, AE_PKI_CERT_MAX);
	ae_wr_init(pem, 65536);
	if (ae_ca_own_issue(&der, &s, csr, serial, &e) != AE_OK)
		fail_msg("%s", e.text);
	assert_int_equal(ae_cert_parse(&c, der.p, der.len, NULL), AE_OK);
	ae_cert_put_pem(pem, c);
	if (root)
		ae_cert_put_pem(pem, f->root_cert);
	ae_cert_free(c);
	ae_csr_free(csr);
	ae_wr_done(&der);
}

static void
install(struct fix *f, const struct ae_wr *pem, int want, const char *why)
{
	struct ae_err e = AE_ERR_INIT;
	struct ca_renewed r;
	int rc;

	rc = ca_install(&r, &f->conf, pem->p, pem->len, NULL, 0, &e);
	if (rc != want || (why != NULL && strstr(e.text, why) == NULL))
		fail_msg("%d %s", rc, e.text);
	ca_renewed_done(&r);
	again(f);
}

static void
an_answer_is_taken_over(void **state)
{
	struct fix *f = *state;
	struct ae_err e = AE_ERR_INIT;
	struct ca_renew how = { .new_key = true };
	struct ca_renewed r;
	struct cafile c;
	struct ae_wr pem;

	if (geteuid() != 0)
		skip();
	answer(f, &pem, true);
	install(f, &pem, AE_OK, NULL);
	/* once */
	install(f, &pem, AE_ENOTFOUND, "no request waits");
	ae_wr_done(&pem);
	assert_int_equal(ca_renew(&r, &f->conf, &how, &e), AE_OK);
	assert_true(r.request);
	ca_renewed_done(&r);
	/* the old key goes on until the answer is there */
	assert_int_equal(f->conf.keys.n, 1);
	assert_int_equal(ca_renew(&r, &f->conf, &how, &e), AE_EINVAL);
	assert_non_null(strstr(e.text, "waits"));
	/* the root is known from the first time */
	answer(f, &pem, false);
	install(f, &pem, AE_OK, NULL);
	ae_wr_done(&pem);
	assert_int_equal(f->conf.keys.n, 2);
	assert_int_equal(cafile_read(&c, &f->conf, false, &e), AE_OK);
	assert_int_equal(ae_ca_cert_version(&c.list, &c.list.v[1]), 0x10001);
	assert_int_equal(c.nchain, 1);
	assert_false(setup_exists(CA_REQUEST_PATH));
	cafile_done(&c);
}

static void
as_pkcs7(struct ae_wr *out, struct fix *f, const struct ae_wr *pem)
{
	struct ae_cert **v = NULL;
	struct ae_der d[2];
	size_t n = 0;

	assert_int_equal(
	    ae_certs_read(&v, &n, 4, pem->p, pem->len, NULL), AE_OK);
	d[0] = v[0]->der;
	d[1] = f->root_cert->der;
	ae_wr_init(out, 65536);
	assert_int_equal(ae_chain_build(out, d, 2, NULL, 0, NULL), AE_OK);
	ae_certs_free(v, n);
}

static void
a_pkcs7_does_as_well(void **state)
{
	struct fix *f = *state;
	struct ae_wr pem, p7;

	if (geteuid() != 0)
		skip();
	answer(f, &pem, false);
	as_pkcs7(&p7, f, &pem);
	install(f, &pem, AE_ETRUST, "does not end at a root");
	install(f, &p7, AE_OK, NULL);
	ae_wr_done(&pem);
	ae_wr_done(&p7);
}

static void
what_is_not_taken(void **state)
{
	struct fix *f = *state;
	char *path = ae_path_root(f->root, "/etc/certsrv/ca.pem");
	struct ae_wr pem, other;

	if (geteuid() != 0)
		skip();
	ae_wr_init(&other, 65536);
	ae_wr_str(&other, "no certificate");
	install(f, &other, AE_EPROTO, "neither PEM nor DER");
	ae_wr_reset(&other);
	ae_cert_put_pem(&other, f->root_cert);
	install(f, &other, AE_ETRUST, "no certificate for the key");
	ae_wr_done(&other);
	/* the issuer may have no CA below */
	answer(f, &pem, false);
	make_above(f, 0);
	ae_cert_put_pem(&pem, f->root_cert);
	install(f, &pem, AE_EDENIED, "path length");
	ae_wr_done(&pem);
	assert_false(setup_exists(path));
	/* what it is still waits for a good one */
	make_above(f, 1);
	answer(f, &pem, true);
	install(f, &pem, AE_OK, NULL);
	ae_wr_done(&pem);
	assert_true(setup_exists(path));
	free(path);
}

static void
what_an_issuer_does_not_sign(void **state)
{
	struct fix *f = *state;
	int64_t now = ae_clock_now();
	struct ae_ca_issue s = { .hash = AE_HASH_SHA256,
		.not_before = now,
		.not_after = now + DAY,
		.path_len = -1 };
	struct ae_csr_spec plain = { .hash = AE_HASH_SHA256 };
	struct ae_csr *csr, *leaf = NULL;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr der, name, q;

	if (geteuid() != 0)
		skip();
	csr = request(f);
	ae_wr_init(&der, AE_PKI_CERT_MAX);
	ae_wr_init(&q, 65536);
	s.issuer = f->root_cert;
	s.key = f->root_key;
	s.not_after = f->root_cert->not_after + 1;
	assert_int_equal(
	    ae_ca_own_issue(&der, &s, csr, serial, &e), AE_EDENIED);
	assert_non_null(strstr(e.text, "outlive"));
	s.not_after = now + DAY;
	make_above(f, 0);
	s.issuer = f->root_cert;
	assert_int_equal(
	    ae_ca_own_issue(&der, &s, csr, serial, &e), AE_EDENIED);
	make_above(f, 1);
	s.issuer = f->root_cert;
	s.path_len = 1;
	assert_int_equal(
	    ae_ca_own_issue(&der, &s, csr, serial, &e), AE_EDENIED);
	s.path_len = -1;
	/* no CA's request; the issuer's own name and key */
	name_of(&name, "CN=Offline Root");
	plain.subject = (struct ae_der){ name.p, name.len };
	assert_int_equal(ae_csr_build(&q, &plain, f->root_key, NULL), AE_OK);
	assert_int_equal(ae_csr_parse(&leaf, q.p, q.len, NULL), AE_OK);
	assert_int_equal(
	    ae_ca_own_issue(&der, &s, leaf, serial, &e), AE_EDENIED);
	assert_non_null(strstr(e.text, "not for a CA"));
	ae_csr_free(leaf);
	leaf = NULL;
	ae_wr_reset(&q);
	plain.x.has_basic_constraints = plain.x.ca = true;
	plain.x.path_len = -1;
	assert_int_equal(ae_csr_build(&q, &plain, f->root_key, NULL), AE_OK);
	assert_int_equal(ae_csr_parse(&leaf, q.p, q.len, NULL), AE_OK);
	assert_int_equal(
	    ae_ca_own_issue(&der, &s, leaf, serial, &e), AE_EDENIED);
	assert_non_null(strstr(e.text, "name of the issuer"));
	ae_csr_free(leaf);
	ae_csr_free(csr);
	ae_wr_done(&der);
	ae_wr_done(&name);
	ae_wr_done(&q);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_root_is_renewed, root_ca, teardown),
		cmocka_unit_test_setup_teardown(
		    an_answer_is_taken_over, sub_ca, teardown),
		cmocka_unit_test_setup_teardown(
		    a_pkcs7_does_as_well, sub_ca, teardown),
		cmocka_unit_test_setup_teardown(
		    what_is_not_taken, sub_ca, teardown),
		cmocka_unit_test_setup_teardown(
		    what_an_issuer_does_not_sign, sub_ca, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
