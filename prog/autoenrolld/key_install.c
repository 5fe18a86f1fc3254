/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Judging what a CA answered, and installing it; see role_key.h.
 */
#include "role_key.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hex.h"
#include "enroll/accept.h"
#include "pki/name.h"
#include "sys/clock.h"

#define ANCHORS_MAX 256

static size_t
get_ders(struct ae_der *v, struct ae_rd *in)
{
	uint32_t n = ae_rd_u32(in), i;

	if (n > ANCHORS_MAX)
		ae_rd_fail(in);
	for (i = 0; i < n && ae_rd_ok(in); i++)
		v[i].p = msg_get_bytes(in, AE_PKI_CERT_MAX, &v[i].len);
	return ae_rd_ok(in) ? n : 0;
}

/* PEM of every certificate of the answer that is not the one and no root. */
static void
put_chain(
    struct ae_wr *w, const struct ae_answer *a, const struct ae_cert *leaf)
{
	size_t i;

	for (i = 0; i < a->ncerts; i++)
		if (!ae_der_equal(a->certs[i]->der, leaf->der))
			ae_cert_put_pem(w, a->certs[i]);
}

static int
put_installed(struct ae_wr *out, const struct ae_cert *c, unsigned number,
    const char *tmpl, const char *dir, struct ae_err *e)
{
	char hex[41], serial[2 * 64 + 1], *subject = NULL, path[4096];
	uint8_t sha1[20];
	int rc;

	rc = ae_name_print(&subject, c->subject, e);
	if (rc != AE_OK)
		return rc;
	ae_cert_sha1(sha1, c);
	ae_hex_encode(hex, sha1, sizeof(sha1));
	ae_hex_encode(
	    serial, c->serial.p, c->serial.len > 64 ? 64 : c->serial.len);
	(void)snprintf(path, sizeof(path), "%s/my/%s/current", dir, tmpl);
	ae_wr_u32(out, number);
	msg_put_str(out, hex);
	msg_put_str(out, serial);
	msg_put_str(out, subject);
	ae_wr_u64(out, (uint64_t)c->not_before);
	ae_wr_u64(out, (uint64_t)c->not_after);
	msg_put_str(out, path);
	free(subject);
	return AE_OK;
}

int
key_install(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_arena *arena = ae_arena_new(1 << 20);
	struct key_role *k = r->state;
	struct ae_store_meta meta = { .installed = ae_clock_now() };
	struct ae_accept acc = { .tmpl = k->tmpl, .key = k->key };
	struct ae_answer *answer = NULL;
	const struct ae_cert *cert;
	struct ae_wr pem, chain;
	const char *config;
	const uint8_t *bytes;
	struct ae_sid sid;
	struct ae_der *v;
	unsigned number;
	size_t len;
	int rc;

	ae_wr_init(&pem, AE_STORE_FILE_MAX);
	ae_wr_init(&chain, AE_STORE_FILE_MAX);
	v = arena == NULL
	    ? NULL
	    : ae_arena_array(arena, (size_t)2 * ANCHORS_MAX, sizeof(*v));
	if (v == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	bytes = msg_get_bytes(in, AE_PKI_RESPONSE_MAX, &len);
	sid = ae_sid_get(in);
	acc.sid = &sid;
	acc.roots = v;
	acc.nroots = get_ders(v, in);
	acc.others = v + ANCHORS_MAX;
	acc.nothers = get_ders(v + ANCHORS_MAX, in);
	acc.now = meta.installed;
	config = msg_get_str(arena, in, sizeof(meta.ca_config) - 1);
	meta.request_id = ae_rd_u32(in);
	if (!ae_rd_done(in) || k->draft == NULL || config == NULL) {
		rc = key_malformed(e, "install");
		goto out;
	}
	(void)snprintf(meta.ca_config, sizeof(meta.ca_config), "%s", config);
	if (k->tmpl->oid != NULL)
		(void)snprintf(meta.template_oid, sizeof(meta.template_oid),
		    "%s", k->tmpl->oid);
	rc = ae_answer_parse(&answer, bytes, len, e);
	if (rc == AE_OK)
		rc = ae_accept_check(&cert, answer, &acc, e);
	if (rc != AE_OK)
		goto out;
	ae_cert_put_pem(&pem, cert);
	put_chain(&chain, answer, cert);
	if (!ae_wr_ok(&pem) || !ae_wr_ok(&chain)) {
		rc = ae_fail_mem(e);
		goto out;
	}
	rc = ae_store_commit(
	    k->draft, pem.p, pem.len, chain.p, chain.len, &meta, &number, e);
	if (rc == AE_OK)
		rc = put_installed(
		    out, cert, number, k->tmpl->cn, r->c->state_dir, e);
out:
	key_drop_draft(k);
	ae_answer_free(answer);
	ae_wr_done(&pem);
	ae_wr_done(&chain);
	ae_arena_free(arena);
	return rc;
}
