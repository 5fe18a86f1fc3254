/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A client of a CA, as autoenroll is one: over DCOM or plain RPC, with
 * Kerberos, every enrollment on connections of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "gss/cred.h"
#include "load.h"
#include "run/ca_client.h"

#define ARENA_MAX (1024 * 1024)

struct load_client {
	struct load_options o;
	struct ae_gss_cred *cred;
	struct ae_run_ca *ca;
	struct ae_arena *arena;
	struct ae_run_ca_known known; /* a machine asks a host once */
};

/* Tickets are in memory: the KDC is asked once per client. */
static int
ca_open(
    struct load_client **out, const struct load_options *o, struct ae_err *e)
{
	struct load_client *c = calloc(1, sizeof(*c));
	int rc;

	if (c == NULL)
		return ae_fail_mem(e);
	c->o = *o;
	c->arena = ae_arena_new(ARENA_MAX);
	rc = c->arena == NULL ? ae_fail_mem(e)
			      : ae_gss_cred_keytab(&c->cred, o->keytab,
				    o->principal, "MEMORY:load", e);
	if (rc == AE_OK) {
		*out = c;
		return AE_OK;
	}
	ae_arena_free(c->arena);
	free(c);
	return rc;
}

static void
ca_leave(struct load_client *c)
{
	if (c->o.keep)
		return;
	ae_run_ca_free(c->ca);
	c->ca = NULL;
}

static int
connection(struct load_client *c, struct ae_err *e)
{
	struct ae_run_ca_config conf = {
		.host = c->o.host,
		.authority = c->o.authority,
		.cred = c->cred,
		.no_dcom = strcmp(c->o.way, "icpr") == 0,
		.no_icpr = strcmp(c->o.way, "dcom") == 0,
		.call_ms = 15000,
		.total_ms = 20000,
		.known = &c->known,
	};

	return c->ca != NULL ? AE_OK : ae_run_ca_new(&c->ca, &conf, e);
}

static int
ca_enroll(struct load_client *c, const void *csr, size_t len,
    struct load_answer *answer, struct ae_err *e)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_REQUEST,
		.flags = AE_CR_IN_PKCS10,
		.attributes = c->o.attributes,
		.csr = { csr, len } };
	struct ae_wcce_reply r = { .hresult = 0 };
	int rc;

	ae_arena_reset(c->arena);
	rc = connection(c, e);
	if (rc == AE_OK)
		rc = ae_run_ca_ask(c->ca, &rq, &r, c->arena, e);
	if (rc < 0)
		return rc;
	if (r.hresult != 0)
		return ae_fail(e, AE_EUNAVAIL, AE_DOM_HRESULT, r.hresult,
		    "the CA answered 0x%08x", r.hresult);
	if (r.disposition != AE_CR_DISP_ISSUED)
		return ae_fail(e, AE_EDENIED, AE_DOM_HRESULT, r.disposition,
		    "request %u: disposition 0x%08x: %s", r.request_id,
		    r.disposition, r.message != NULL ? r.message : "");
	answer->request_id = r.request_id;
	return ae_cert_parse(&answer->cert, r.cert.p, r.cert.len, e);
}

const struct load_kind load_ca = {
	.open = ca_open,
	.enroll = ca_enroll,
	.leave = ca_leave,
};
