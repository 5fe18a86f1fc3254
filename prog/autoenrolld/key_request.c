/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The request for a template: its key is durable before any CA sees it; see
 * role_key.h.
 */
#include "role_key.h"

#include <stdlib.h>

#include "enroll/request.h"

#define NAMES_MAX 64

static int
get_names(struct ae_wanted_names *n, struct ae_arena *a, struct ae_rd *in)
{
	struct ae_strv *lists[2] = { &n->dns, &n->upn };
	size_t i, j;

	n->subject = msg_get_str(a, in, 4096);
	for (i = 0; i < 2; i++) {
		uint32_t count = ae_rd_u32(in);

		if (count > NAMES_MAX)
			ae_rd_fail(in);
		for (j = 0; j < count && ae_rd_ok(in); j++) {
			const char *s = msg_get_str(a, in, 1024);

			if (s == NULL || !ae_strv_add(lists[i], s))
				ae_rd_fail(in);
		}
	}
	return ae_rd_ok(in) ? AE_OK : AE_EPROTO;
}

static int
start_draft(struct key_role *k, struct ae_err *e)
{
	struct ae_secret pem = { 0 };
	int rc;

	rc = ae_key_to_pem(&pem, k->key, NULL, e);
	if (rc == AE_OK)
		rc = ae_store_draft_new(
		    &k->draft, k->store, k->tmpl->cn, pem.p, pem.len, e);
	ae_secret_done(&pem);
	return rc;
}

/* The key is made, and durable, before any CA is asked. */
int
key_new_request(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(256 * 1024);
	struct ae_request_input req = { .process = "autoenroll" };
	struct key_role *k = r->state;
	uint32_t alg, bits;
	struct ae_wr der;
	int rc;

	key_drop_draft(k);
	ae_wr_init(&der, AE_PKI_REQUEST_MAX);
	if (a == NULL)
		return ae_fail_mem(e);
	rc = ae_template_get(&k->tmpl, in, e);
	if (rc != AE_OK)
		goto out;
	alg = ae_rd_u32(in);
	bits = ae_rd_u32(in);
	req.automatic = ae_rd_u8(in) != 0;
	req.machine = msg_get_str(a, in, 512);
	req.user = msg_get_str(a, in, 512);
	if (get_names(&req.names, a, in) != AE_OK || !ae_rd_done(in)) {
		rc = key_malformed(e, "new request");
		goto out;
	}
	rc = key_make(k, alg, bits, e);
	if (rc == AE_OK)
		rc = start_draft(k, e);
	req.tmpl = k->tmpl;
	req.key = k->key;
	if (rc == AE_OK)
		rc = ae_enroll_request_build(&der, &req, e);
	if (rc == AE_OK)
		msg_put_bytes(out, der.p, der.len);
out:
	if (rc != AE_OK)
		key_drop_draft(k);
	ae_strv_done(&req.names.dns);
	ae_strv_done(&req.names.upn);
	ae_wr_done(&der);
	ae_arena_free(a);
	return rc;
}
