/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Writes one of everything pki makes into a folder, for other
 * implementations to read: samples DIR [NOW], NOW in
 * seconds since 1970.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fixture.h"
#include "pki/crl.h"
#include "pki/name.h"
#include "pki/request.h"
#include "pki/response.h"

static const char *dir;
static int64_t now = FIX_NOW;

static void
save(const char *name, const void *p, size_t len)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	if (f == NULL || fwrite(p, 1, len, f) != len || fclose(f) != 0) {
		perror(path);
		exit(1);
	}
}

static void
must(int rc, const struct ae_err *e)
{
	if (rc == AE_OK)
		return;
	(void)fprintf(stderr, "samples: %s\n", e->text);
	exit(1);
}

/* The root, a leaf, a request and a chain of one CA and one subject key. */
struct set {
	const char *tag;
	struct ae_key *ca, *leaf;
	enum ae_hash hash;
	bool pss;
};

static struct ae_err e;
static const uint8_t root_serial[] = { 0x11, 0x22, 0x33 };

static void
name(struct ae_wr *w, const char *text)
{
	ae_wr_init(w, AE_PKI_NAME_MAX);
	must(ae_name_from_text(w, text, &e), &e);
}

static void
save_key(const char *tag, const char *what, const struct ae_key *k)
{
	struct ae_secret pem = { NULL, 0 };
	char file[64];

	(void)snprintf(file, sizeof(file), "%s-%s.key", tag, what);
	must(ae_key_to_pem(&pem, k, NULL, &e), &e);
	save(file, pem.p, pem.len);
	ae_secret_done(&pem);
}

static void
save_tagged(const char *tag, const char *what, const struct ae_wr *w)
{
	char file[64];

	(void)snprintf(file, sizeof(file), "%s-%s.der", tag, what);
	save(file, w->p, w->len);
}

static void
make_root(struct ae_wr *w, const struct set *s)
{
	uint8_t keyid[AE_KEY_ID_LEN];
	struct ae_wr dn;
	struct ae_tbs t;

	name(&dn, "CN=Example CA,DC=example,DC=com");
	must(ae_tbs_root(&t, s->ca, s->hash, (struct ae_der){ dn.p, dn.len },
		 (struct ae_der){ root_serial, sizeof(root_serial) },
		 now - 86400, now + 3650 * INT64_C(86400), keyid, &e),
	    &e);
	t.sigalg.pss = s->pss;
	ae_wr_init(w, AE_PKI_CERT_MAX);
	must(ae_tbs_sign(w, &t, s->ca, &e), &e);
	ae_wr_done(&dn);
	save_tagged(s->tag, "root", w);
	save_key(s->tag, "ca", s->ca);
}

static void
make_leaf(struct ae_wr *w, const struct set *s)
{
	struct ae_tbs t = fix_leaf_tbs();
	uint8_t ski[AE_KEY_ID_LEN], aki[AE_KEY_ID_LEN];
	struct ae_wr tbs;

	must(ae_key_id(ski, s->leaf, &e), &e);
	must(ae_key_id(aki, s->ca, &e), &e);
	t.spki = ae_key_spki(s->leaf);
	t.not_before = now - 600;
	t.not_after = now + 365 * 86400;
	t.sigalg = ae_key_sigalg(s->ca, s->hash);
	t.sigalg.pss = s->pss;
	t.x.ski = (struct ae_der){ ski, sizeof(ski) };
	t.x.aki = (struct ae_der){ aki, sizeof(aki) };
	ae_wr_init(w, AE_PKI_CERT_MAX);
	must(ae_tbs_sign(w, &t, s->ca, &e), &e);
	save_tagged(s->tag, "leaf", w);
	save_key(s->tag, "leaf", s->leaf);
	ae_wr_init(&tbs, AE_PKI_CERT_MAX);
	must(ae_tbs_encode(&tbs, &t, &e), &e);
	save_tagged(s->tag, "tbs", &tbs);
	ae_wr_done(&tbs);
}

static void
make_requests(const struct set *s, const struct ae_wr *leaf)
{
	static const struct ae_pair pairs[] = { { "CertificateTemplate",
						    "Machine" },
		{ "rmd", "pc1.example.com" } };
	struct ae_csr_spec c = { .hash = s->hash,
		.os_version = "10.0.20348.2",
		.csp_name = "Microsoft Software Key Storage Provider",
		.client = { 6, "pc1.example.com", "EXAMPLE\\pc1$",
		    "autoenrolld" },
		.pairs = pairs,
		.npairs = 2 };
	struct ae_request_spec r = {
		.key = s->leaf, .hash = s->hash, .reginfo = pairs, .nreginfo = 2
	};
	struct ae_cert *old = NULL;
	struct ae_wr csr, w;

	ae_wr_init(&csr, AE_PKI_REQUEST_MAX);
	ae_wr_init(&w, AE_PKI_REQUEST_MAX);
	c.x = fix_leaf_tbs().x;
	c.x.aki = c.x.ski = (struct ae_der){ NULL, 0 };
	c.subject = fix_leaf_tbs().subject;
	must(ae_csr_build(&csr, &c, s->leaf, &e), &e);
	save_tagged(s->tag, "csr", &csr);
	r.pkcs10 = (struct ae_der){ csr.p, csr.len };
	must(ae_request_build_cmc(&w, &r, &e), &e);
	save_tagged(s->tag, "cmc", &w);
	must(ae_cert_parse(&old, leaf->p, leaf->len, &e), &e);
	r.old_key = s->leaf;
	r.old_cert = old;
	ae_wr_reset(&w);
	must(ae_request_build_cmc(&w, &r, &e), &e);
	save_tagged(s->tag, "cmc-renewal", &w);
	ae_wr_reset(&w);
	must(ae_request_build_cms(&w, &r, &e), &e);
	save_tagged(s->tag, "cms-renewal", &w);
	ae_cert_free(old);
	ae_wr_done(&csr);
	ae_wr_done(&w);
}

static void
make_full(const struct set *s, const char *what, struct ae_response_spec *spec)
{
	struct ae_sigalg alg = ae_key_sigalg(s->ca, s->hash);
	struct ae_response *r = NULL;
	struct ae_der to_sign;
	struct ae_wr sig, w;

	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	must(ae_response_begin(&r, &to_sign, spec, &e), &e);
	must(ae_key_sign(&sig, s->ca, &alg, to_sign.p, to_sign.len, &e), &e);
	must(ae_response_finish(&w, r, sig.p, sig.len, &e), &e);
	save_tagged(s->tag, what, &w);
	ae_response_free(r);
	ae_wr_done(&sig);
	ae_wr_done(&w);
}

static void
make_answers(
    const struct set *s, const struct ae_wr *root, const struct ae_wr *leaf)
{
	struct ae_der chain[] = { { leaf->p, leaf->len },
		{ root->p, root->len } };
	struct ae_response_spec spec = { .status = AE_CMC_SUCCESS,
		.status_text = "Issued",
		.issued = chain[0],
		.chain = chain + 1,
		.nchain = 1,
		.hash = s->hash };
	struct ae_cert *ca = NULL;
	struct ae_wr w;

	ae_wr_init(&w, AE_PKI_RESPONSE_MAX);
	must(ae_chain_build(&w, chain, 2, NULL, 0, &e), &e);
	save_tagged(s->tag, "chain", &w);
	must(ae_cert_parse(&ca, root->p, root->len, &e), &e);
	spec.ca = ca;
	make_full(s, "full", &spec);
	spec.status = AE_CMC_PENDING;
	spec.status_text = "Taken Under Submission";
	spec.issued = (struct ae_der){ NULL, 0 };
	spec.request_id = 42;
	spec.pend_time = now;
	make_full(s, "pending", &spec);
	ae_cert_free(ca);
	ae_wr_done(&w);
}

static void
make_crl(const struct set *s, const struct ae_wr *root, bool delta)
{
	static char url[] = "http://ca1.example.com/ca.crl";
	static char *urls[] = { url };
	static const uint8_t serial[] = { 0x61, 0, 0, 7 };
	struct ae_crl_spec spec = { .this_update = now,
		.next_update = now + 8 * 86400,
		.number = 258,
		.next_publish = now + 7 * 86400,
		.delta = delta,
		.base_number = 256,
		.freshest = { urls, 1 },
		.idp = { urls, 1 } };
	uint8_t aki[AE_KEY_ID_LEN];
	struct ae_crl_build b;
	struct ae_cert *ca = NULL;
	struct ae_wr t, sig, w;

	must(ae_key_id(aki, s->ca, &e), &e);
	must(ae_cert_parse(&ca, root->p, root->len, &e), &e);
	spec.sigalg = ca->sigalg;
	spec.issuer = ca->subject;
	spec.aki = (struct ae_der){ aki, sizeof(aki) };
	ae_wr_init(&t, 65536);
	ae_wr_init(&sig, AE_SIG_MAX);
	ae_wr_init(&w, 65536);
	must(ae_crl_begin(&b, &t, &spec, &e), &e);
	if (!delta) {
		must(ae_crl_add(&b, serial, sizeof(serial), now - 60,
			 AE_CRL_KEY_COMPROMISE, &e),
		    &e);
		must(
		    ae_crl_add(&b, serial, 1, now - 61, AE_CRL_UNSPECIFIED, &e),
		    &e);
	}
	must(ae_crl_end(&b, &e), &e);
	must(ae_key_sign(&sig, s->ca, &spec.sigalg, t.p, t.len, &e), &e);
	must(ae_crl_assemble(&w, t.p, t.len, &spec.sigalg, sig.p, sig.len, &e),
	    &e);
	save_tagged(s->tag, delta ? "delta" : "crl", &w);
	ae_cert_free(ca);
	ae_wr_done(&t);
	ae_wr_done(&sig);
	ae_wr_done(&w);
}

int
main(int argc, char **argv)
{
	struct set sets[] = {
		{ "ec", NULL, NULL, AE_HASH_SHA256, false },
		{ "rsa", NULL, NULL, AE_HASH_SHA256, false },
		{ "pss", NULL, NULL, AE_HASH_SHA256, true },
		{ "p384", NULL, NULL, AE_HASH_SHA384, false },
	};
	struct ae_wr root, leaf;

	if (argc < 2 || argc > 3) {
		(void)fprintf(stderr, "usage: samples DIR [NOW]\n");
		return 2;
	}
	dir = argv[1];
	if (argc == 3)
		now = strtoll(argv[2], NULL, 10);
	must(ae_key_generate(&sets[0].ca, AE_KEY_EC, 256, &e), &e);
	must(ae_key_generate(&sets[0].leaf, AE_KEY_EC, 256, &e), &e);
	must(ae_key_generate(&sets[1].ca, AE_KEY_RSA, 2048, &e), &e);
	must(ae_key_generate(&sets[1].leaf, AE_KEY_RSA, 2048, &e), &e);
	sets[2].ca = ae_key_ref(sets[1].ca);
	sets[2].leaf = ae_key_ref(sets[1].leaf);
	must(ae_key_generate(&sets[3].ca, AE_KEY_EC, 384, &e), &e);
	must(ae_key_generate(&sets[3].leaf, AE_KEY_EC, 521, &e), &e);
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
		make_root(&root, &sets[i]);
		make_leaf(&leaf, &sets[i]);
		make_requests(&sets[i], &leaf);
		make_answers(&sets[i], &root, &leaf);
		make_crl(&sets[i], &root, false);
		make_crl(&sets[i], &root, true);
		ae_wr_done(&root);
		ae_wr_done(&leaf);
		ae_key_free(sets[i].ca);
		ae_key_free(sets[i].leaf);
	}
	return fix_done(0);
}
