/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of one request that waits: what became of it?  Asking is what a run
 * does; the CA makes no row for it, and nothing is installed.
 *
 *   "pending": [ { "answer": "pending" | "issued" | "denied" | "unknown",
 *           "disposition", "hresult" } ], beside store.requests
 */
#include <stdio.h>
#include <string.h>

#include "diag/facts.h"
#include "gss/cred.h"
#include "probe.h"
#include "run/ca_client.h"

#define WAY_MS 8000
#define REPLY_MAX (4u << 20)
#define DISP_DENIED 2u
#define DISP_ISSUED 3u
#define DISP_PENDING 5u
#define CERTSRV_E_BAD_STATUS 0x80094003u
#define E_NO_SUCH_ROW 0x80094004u /* CERTSRV_E_PROPERTY_EMPTY */

static const char *
answer_of(const struct ae_wcce_reply *r)
{
	switch (r->disposition) {
	case DISP_ISSUED:
		return "issued";
	case DISP_PENDING:
		return "pending";
	case DISP_DENIED:
		return r->hresult == 0 ? "denied" : "unknown";
	default:
		return "unknown";
	}
}

static int
ask(struct probe *p, struct ae_run_ca *ca, uint32_t id, struct ae_arena *a,
    struct ae_err *e)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_REQUEST,
		.request_id = id };
	struct ae_wcce_reply reply = { 0 };
	int rc = ae_run_ca_ask(ca, &rq, &reply, a, e);

	if (rc != AE_OK)
		return rc;
	probe_set(p, "disposition", json_integer(reply.disposition));
	probe_set(p, "hresult", json_integer((json_int_t)reply.hresult));
	probe_set(p, "answer", json_string(answer_of(&reply)));
	return AE_OK;
}

int
probe_pending(struct probe *p, struct ae_err *e)
{
	const char *config = ae_fact_text(p->about, "ca");
	char host[256];
	struct ae_run_ca_config conf = {
		.host = host, .call_ms = WAY_MS, .total_ms = WAY_MS
	};
	const char *name = strchr(config, '\\');
	struct ae_arena *a;
	struct ae_run_ca *ca = NULL;
	int64_t id = 0;
	int rc;

	if (!ae_fact_is(p->about, "state", "pending") || name == NULL ||
	    !ae_fact_int(&id, p->about, "request_id"))
		return AE_OK;
	(void)snprintf(
	    host, sizeof(host), "%.*s", (int)(name - config), config);
	conf.authority = name + 1;
	a = ae_arena_new(REPLY_MAX);
	if (a == NULL)
		return ae_fail_mem(e);
	probe_doing(p, "pending", host);
	rc = ae_gss_cred_ccache(&conf.cred, probe_ccache(p), e);
	if (rc == AE_OK)
		rc = ae_run_ca_new(&ca, &conf, e);
	if (rc == AE_OK)
		rc = ask(p, ca, (uint32_t)id, a, e);
	if (ca != NULL)
		probe_asked(p, "rpc", ae_run_ca_trace(ca)->trips);
	ae_run_ca_free(ca);
	ae_gss_cred_free(conf.cred);
	ae_arena_free(a);
	return rc;
}
