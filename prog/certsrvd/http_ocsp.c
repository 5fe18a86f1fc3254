/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * OCSP over HTTP (RFC 6960 appendix A): the request is parsed here, where
 * the bytes came in, and only what was understood goes to ocsp.
 */
#include "http.h"

#include <string.h>

#include "base/base64.h"

#define TYPE "application/ocsp-response"

static int
error(struct req *r, enum ae_ocsp_error what)
{
	struct ae_wr w;
	int ok;

	r->h->m.v[M_OCSP_ERRORS]++;
	ae_wr_init(&w, 64);
	ae_ocsp_error_put(&w, what);
	ok = http_answer(r, MHD_HTTP_OK, TYPE, w.p, w.len, 0);
	ae_wr_done(&w);
	return ok;
}

void
ocsp_later(struct req *r)
{
	(void)error(r, AE_OCSP_TRY_LATER);
}

static bool
ask(struct req *r, const struct ae_ocsp_request *q)
{
	struct ae_wr w;
	size_t i;
	bool ok;

	ae_wr_init(&w, MSG_OCSP_MAX);
	put_bytes(&w, q->nonce.p, q->nonce.len);
	ae_wr_u8(&w, (uint8_t)q->n);
	for (i = 0; i < q->n; i++)
		put_bytes(&w, q->id[i].der.p, q->id[i].der.len);
	ok = http_wait(r, true) != 0 &&
	    peer_send(peer_of(r->h->p, ROLE_OCSP, 0), MSG_OCSP, r->wait, &w);
	ae_wr_done(&w);
	if (!ok && r->wait != 0)
		(void)http_waited(r->h, r->wait);
	return ok;
}

int
ocsp_ask(struct req *r, const void *der, size_t len)
{
	struct ae_ocsp_request *q = NULL;
	struct ae_err e = AE_ERR_INIT;
	int rc = ae_ocsp_request_parse(&q, der, len, &e);

	r->h->m.v[M_HTTP_OCSP]++;
	if (rc == AE_ENOMEM)
		return error(r, AE_OCSP_INTERNAL);
	if (rc < 0)
		return error(r, AE_OCSP_MALFORMED);
	if (!ask(r, q))
		rc = error(r, AE_OCSP_TRY_LATER);
	ae_ocsp_request_free(q);
	return rc;
}

int
ocsp_get(struct req *r, const char *text)
{
	uint8_t der[AE_OCSP_REQUEST_MAX];
	size_t n;

	if (!ae_base64_decode(der, sizeof(der), &n, text, strlen(text)) ||
	    n == 0) {
		r->h->m.v[M_HTTP_OCSP]++;
		return error(r, AE_OCSP_MALFORMED);
	}
	return ocsp_ask(r, der, n);
}

int
on_ocsp_answer(
    void *arg, struct ae_ipc *ipc, struct ae_ipc_msg *m, struct ae_err *e)
{
	struct peer *peer = arg;
	struct http *h = peer->p->state;
	const uint8_t *der;
	uint32_t max_age;
	struct ae_rd r;
	struct req *q;
	size_t len;

	(void)ipc;
	ae_rd_init(&r, m->body, m->len);
	max_age = ae_rd_u32(&r);
	der = get_bytes(&r, &len);
	if (!ae_rd_done(&r))
		return bad_message(&r, "OCSP_ANSWER", e);
	q = http_waited(h, m->id);
	if (q == NULL)
		return AE_OK;
	(void)http_answer(q, MHD_HTTP_OK, TYPE, der, len, max_age);
	http_resume(q);
	return AE_OK;
}
