/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Judging what a CA answered, and installing it; see role_key.h.
 */
#include "role_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "enroll/accept.h"
#include "pki/name.h"
#include "sys/clock.h"

size_t
key_get_ders(struct ae_der *v, struct ae_rd *in)
{
	uint32_t n = ae_rd_u32(in), i;

	if (n > KEY_ANCHORS_MAX)
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

/*
 * The same certificate again: a run that was killed between installing it
 * and forgetting its request.  0: not installed yet.
 */
static unsigned
installed_already(struct key_role *k, const struct ae_cert *cert)
{
	struct ae_store_list l = { 0 };
	struct ae_cert **one = NULL;
	unsigned number = 0;
	size_t i, n;

	if (ae_store_list(k->store, &l, NULL) != AE_OK)
		return 0;
	for (i = 0; i < l.n && number == 0; i++) {
		n = 0;
		if (!l.v[i].current || strcmp(l.v[i].tmpl, k->tmpl->cn) != 0 ||
		    ae_certs_read(&one, &n, 1, l.v[i].cert_pem, l.v[i].cert_len,
			NULL) != AE_OK)
			continue;
		if (ae_der_equal(one[0]->der, cert->der))
			number = l.v[i].number;
		ae_certs_free(one, n);
	}
	ae_store_list_done(&l);
	return number;
}

static int
commit(unsigned *number, struct key_role *k, const struct ae_answer *answer,
    const struct ae_cert *cert, const struct ae_store_meta *meta,
    struct ae_err *e)
{
	struct ae_store_draft *draft = NULL;
	struct ae_wr pem, chain;
	int rc;

	*number = installed_already(k, cert);
	if (*number != 0)
		return AE_OK;
	ae_wr_init(&pem, AE_STORE_FILE_MAX);
	ae_wr_init(&chain, AE_STORE_FILE_MAX);
	ae_cert_put_pem(&pem, cert);
	put_chain(&chain, answer, cert);
	rc = ae_wr_ok(&pem) && ae_wr_ok(&chain) ? AE_OK : ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_store_draft_from_request(
		    &draft, k->store, k->tmpl->cn, k->number, e);
	if (rc == AE_OK)
		rc = key_own(draft, k, e);
	if (rc == AE_OK)
		rc = ae_store_commit(
		    draft, pem.p, pem.len, chain.p, chain.len, meta, number, e);
	ae_store_draft_free(draft);
	ae_wr_done(&pem);
	ae_wr_done(&chain);
	return rc;
}

/* What an answer is judged by, as far as the question says. */
struct question {
	struct ae_accept acc;
	struct ae_sid sid;
	struct ae_store_meta meta;
	const uint8_t *bytes;
	size_t len;
};

static int
read_question(struct question *q, struct key_role *k, struct ae_arena *arena,
    struct ae_rd *in, struct ae_err *e)
{
	struct ae_der *v =
	    ae_arena_array(arena, (size_t)2 * KEY_ANCHORS_MAX, sizeof(*v));
	const char *config;

	if (v == NULL)
		return ae_fail_mem(e);
	q->meta.installed = ae_clock_now();
	q->acc.tmpl = k->tmpl;
	q->acc.key = k->key;
	q->bytes = msg_get_bytes(in, AE_PKI_RESPONSE_MAX, &q->len);
	if (ae_rd_u8(in) != 0) { /* whose it must be; else not compared */
		q->sid = ae_sid_get(in);
		q->acc.sid = &q->sid;
		q->acc.dns = msg_get_str(arena, in, 1024);
		q->acc.upn = msg_get_str(arena, in, 1024);
	}
	q->acc.roots = v;
	q->acc.nroots = key_get_ders(v, in);
	q->acc.others = v + KEY_ANCHORS_MAX;
	q->acc.nothers = key_get_ders(v + KEY_ANCHORS_MAX, in);
	q->acc.now = q->meta.installed;
	config = msg_get_str(arena, in, sizeof(q->meta.ca_config) - 1);
	q->meta.request_id = ae_rd_u32(in);
	if (!ae_rd_done(in) || k->tmpl == NULL || config == NULL)
		return key_malformed(e, "install");
	(void)snprintf(
	    q->meta.ca_config, sizeof(q->meta.ca_config), "%s", config);
	memcpy(q->meta.friendly_name, k->meta.friendly_name,
	    sizeof(q->meta.friendly_name));
	q->meta.exportable =
	    (k->tmpl->private_key_flag &
		(AE_CT_EXPORTABLE_KEY | AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL)) !=
	    0;
	if (k->tmpl->oid != NULL)
		(void)snprintf(q->meta.template_oid,
		    sizeof(q->meta.template_oid), "%s", k->tmpl->oid);
	return AE_OK;
}

/* An answer in CMS form, or (by hand) a certificate alone, DER or PEM. */
static int
parse_answer(struct ae_answer **out, const struct question *q, struct ae_err *e)
{
	struct ae_cert **v = NULL;
	struct ae_wr cms;
	struct ae_der *ders;
	size_t n = 0, i;
	int rc;

	if (ae_answer_parse(out, q->bytes, q->len, e) == AE_OK)
		return AE_OK;
	if (ae_certs_read(&v, &n, AE_CHAIN_MAX, q->bytes, q->len, NULL) !=
	    AE_OK)
		return e == NULL ? AE_EPROTO : e->rc;
	ae_wr_init(&cms, AE_PKI_RESPONSE_MAX);
	ders = calloc(n, sizeof(*ders));
	rc = ders == NULL ? ae_fail_mem(e) : AE_OK;
	for (i = 0; i < n && rc == AE_OK; i++)
		ders[i] = v[i]->der;
	if (rc == AE_OK)
		rc = ae_chain_build(&cms, ders, n, NULL, 0, e);
	if (rc == AE_OK)
		rc = ae_answer_parse(out, cms.p, cms.len, e);
	ae_wr_done(&cms);
	free(ders);
	ae_certs_free(v, n);
	return rc;
}

/*
 * It is the answer itself that will not do, now and next time.  Only judging
 * it says so: a store that is full says AE_ELIMIT or AE_EIO of its own.
 */
static bool
is_refusal(int rc)
{
	return rc == AE_ETRUST || rc == AE_EPROTO || rc == AE_ELIMIT ||
	    rc == AE_ENOTFOUND;
}

static int
judge(struct ae_answer **answer, const struct ae_cert **cert,
    const struct question *q, struct ae_err *e)
{
	int rc = parse_answer(answer, q, e);

	return rc == AE_OK ? ae_accept_check(cert, *answer, &q->acc, e) : rc;
}

/*
 * A certificate whose key is in a token belongs there too.  A token that is
 * away may be back next time: the request is kept until then.  One that does
 * not take certificates has the key, and the store has the certificate.
 */
static int
put_into_token(struct key_role *k, const struct ae_cert *cert, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	int rc = ae_keydev_put_cert(k->key, cert, k->tmpl->cn, &why);

	if (rc != AE_EUNAVAIL && rc != AE_EAUTH)
		return AE_OK;
	*e = why;
	return ae_note(
	    e, rc, "the certificate is installed, but not yet in the token");
}

/* The reply begins with whether the answer is refused, and then says why. */
int
key_install(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_arena *arena = ae_arena_new(1 << 20);
	struct key_role *k = r->state;
	struct ae_answer *answer = NULL;
	const struct ae_cert *cert = NULL;
	struct question q = { 0 };
	unsigned number = 0;
	int rc;

	if (arena == NULL)
		return ae_fail_mem(e);
	rc = read_question(&q, k, arena, in, e);
	if (rc == AE_OK) {
		rc = judge(&answer, &cert, &q, e);
		ae_wr_u8(out, is_refusal(rc));
		if (is_refusal(rc)) {
			msg_put_err(out, e);
			rc = AE_OK;
			goto out;
		}
	}
	if (rc == AE_OK)
		rc = commit(&number, k, answer, cert, &q.meta, e);
	if (rc == AE_OK)
		rc = put_into_token(k, cert, e);
	if (rc == AE_OK)
		rc = put_installed(
		    out, cert, number, k->tmpl->cn, r->c->state_dir, e);
	/* Last, so that a kill before it leaves the request to be redone. */
	if (rc == AE_OK)
		rc = ae_store_request_remove(
		    k->store, k->tmpl->cn, k->number, e);
	if (rc == AE_OK)
		key_let_go(k);
out:
	ae_answer_free(answer);
	ae_arena_free(arena);
	return rc;
}
