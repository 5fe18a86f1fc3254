/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Our side of witness.py: encodes the samples, and decodes what another
 * implementation encoded, as "name=hex" lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "samples.h"

static void
show(const char *name, const void *p, size_t len)
{
	const uint8_t *b = p;
	size_t i;

	printf("%s=", name);
	for (i = 0; i < len; i++)
		printf("%02x", b[i]);
	printf("\n");
}

static void
show_text(const char *name, const char *s)
{
	if (s == NULL)
		printf("%s=NULL\n", name);
	else
		show(name, s, strlen(s));
}

static int
encode(size_t n, bool reply)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_wcce_request rq;
	struct ae_wcce_reply rp;
	struct ae_wr w;
	int rc;

	if (!sample_request(&rq, n))
		return 2;
	ae_wr_init(&w, 1 << 16);
	sample_reply(&rp, &rq);
	rc = reply ? ae_wcce_reply_encode(&w, &rq, &rp, &e)
		   : ae_wcce_request_encode(&w, &rq, &e);
	if (rc == AE_OK)
		show("stub", w.p, w.len);
	else
		fprintf(stderr, "%s\n", e.text);
	ae_wr_done(&w);
	return rc == AE_OK ? 0 : 1;
}

static void
show_request(const struct ae_wcce_request *rq)
{
	show_text("authority", rq->authority);
	show_text("attributes", rq->attributes);
	show_text("serial", rq->serial);
	show("csr", rq->csr.p, rq->csr.len);
	printf("flags=%u\nrequest_id=%u\nfchain=%u\nprop=%d %d %d\n", rq->flags,
	    rq->request_id, rq->fchain, rq->prop_id, rq->prop_index,
	    rq->prop_type);
}

static void
show_reply(const struct ae_wcce_reply *rp)
{
	printf("hresult=%u\nrequest_id=%u\ndisposition=%u\nnprops=%d\n",
	    rp->hresult, rp->request_id, rp->disposition, rp->nprops);
	show("chain", rp->chain.p, rp->chain.len);
	show("cert", rp->cert.p, rp->cert.len);
	show("value", rp->value.p, rp->value.len);
	show_text("message", rp->message);
}

static int
decode(size_t n, bool reply, const char *hex)
{
	struct ae_arena *a = ae_arena_new(AE_WCCE_ARENA_MAX);
	size_t len = strlen(hex) / 2;
	uint8_t *p = malloc(len + 1);
	struct ae_err e = AE_ERR_INIT;
	struct ae_wcce_request rq, out;
	struct ae_wcce_reply rp;
	uint32_t refuse;
	int rc;

	if (a == NULL || p == NULL || !ae_hex_decode(p, len, hex) ||
	    !sample_request(&rq, n))
		return 2;
	if (reply)
		rc = ae_wcce_reply_decode(&rp, &rq, p, len, false, a, &e);
	else
		rc = ae_wcce_request_decode(
		    &out, &refuse, rq.iface, rq.opnum, p, len, false, a, &e);
	if (rc != AE_OK)
		fprintf(stderr, "%s\n", e.text);
	else if (reply)
		show_reply(&rp);
	else
		show_request(&out);
	free(p);
	ae_arena_free(a);
	return rc == AE_OK ? 0 : 1;
}

int
main(int argc, char **argv)
{
	size_t n;

	if (argc < 3)
		return 2;
	n = strtoul(argv[2], NULL, 10);
	if (argc == 3)
		return encode(n, strcmp(argv[1], "encode-reply") == 0);
	return decode(n, strcmp(argv[1], "decode-reply") == 0, argv[3]);
}
