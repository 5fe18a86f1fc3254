/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probes of the way to one CA, by DCOM and by plain RPC, stage by stage, as
 * a request would take it; and what the CA says of itself.  Beside it the way
 * with the two levels the other way round: activated at privacy, called at
 * integrity, which a CA that demands encryption refuses.  Properties are
 * read, nothing is requested: no row is made.
 *
 *   "dcom", "icpr", "integrity": [ { "config", "host", "ok": bool, "ms",
 *       "stages": [ { "stage", "what", "ms", "error", "rc", "domain",
 *       "code" } ], "error", "bindings": [ { "host", "port" } ] of the
 *       activation, "hint": level for calls that it hinted at, "name" } ]
 *   "dcom" besides what probe_said.c has, and of a way that ended what
 *   probe_way.c has
 */
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/attempts.h"
#include "dcom/client.h"
#include "diag/facts.h"
#include "gss/cred.h"
#include "probe.h"
#include "probe_said.h"
#include "run/ca_client.h"
#include "wcce/caprop.h"
#include "wcce/hresult.h"

#define VALUE_MAX (4u * 1024u * 1024u)
#define WAY_MS 8000
#define NO_SUCH_REQUEST 0x7ffffffeu

static void
tell_name(struct probe *p, const struct ae_run_stage *s)
{
	json_t *j = probe_error(&s->err);

	(void)json_object_set(j, "error", json_object_get(j, "text"));
	(void)json_object_del(j, "text");
	(void)json_object_set_new(j, "stage", json_string("name"));
	(void)json_object_set_new(j, "what", client_text(s->what));
	(void)json_object_set_new(j, "ms", json_real((double)s->us / 1000.0));
	probe_set(p, "stages", json_pack("[o]", j));
}

static void
tell_stages(struct probe *p, const struct ae_run_ca *ca)
{
	json_t *bindings = json_array(), *one;
	const struct ae_dcom_seen *seen;
	size_t i, n;
	json_t *attempts =
	    attempts_to_json(ca, ae_fact_text(p->about, "config"));
	const json_t *stages =
	    json_object_get(json_array_get(attempts, 0), "stages");

	/* A name that is not found comes before any attempt. */
	if (stages == NULL && ae_run_ca_trace(ca)->n == 1)
		tell_name(p, &ae_run_ca_trace(ca)->v[0]);
	if (stages != NULL)
		probe_set(
		    p, "stages", json_incref((json_t *)(uintptr_t)stages));
	json_decref(attempts);
	seen = ae_run_ca_bindings(ca, &n);
	for (i = 0; i < n; i++) {
		one = json_pack("{s:i}", "port", (int)seen[i].port);
		(void)json_object_set_new(
		    one, "host", client_text(seen[i].host));
		(void)json_array_append_new(bindings, one);
	}
	if (n > 0)
		probe_set(p, "bindings", json_incref(bindings));
	json_decref(bindings);
	if (ae_run_ca_hint(ca) != 0)
		probe_set(p, "hint", json_integer(ae_run_ca_hint(ca)));
}

/*
 * Plain RPC has no properties.  What came of a request that there is not, and
 * of which no row is made, is a question that a CA answers anybody.
 */
static bool
answers_icpr(struct ae_run_ca *ca, struct ae_arena *a, struct ae_err *e)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_REQUEST,
		.request_id = NO_SUCH_REQUEST };
	struct ae_wcce_reply reply = { 0 };

	if (ae_run_ca_ask(ca, &rq, &reply, a, e) != AE_OK)
		return false;
	if (reply.hresult != AE_HR_E_INVALIDARG)
		return true;
	/* MS-WCCE 3.2.1.4.2.1.1: there is another CA. */
	(void)ae_fail(e, AE_EREMOTE, AE_DOM_HRESULT, (int64_t)reply.hresult,
	    "the CA answers 0x%08x: it has another name",
	    (unsigned)reply.hresult);
	return false;
}

enum way { BY_DCOM, BY_ICPR, AT_INTEGRITY };

static void
ask(struct probe *p, struct ae_run_ca *ca, enum way way, struct ae_arena *a,
    struct ae_err *e)
{
	static const char *const words[] = { "dcom", "icpr", "integrity" };
	int64_t start = probe_now_us();
	char *name = NULL;
	bool ok;

	probe_doing(p, words[way], ae_fact_text(p->about, "host"));
	if (way != BY_ICPR)
		name = probe_said_text(ca, AE_CR_PROP_CANAME, a, e);
	ok = way != BY_ICPR ? name != NULL : answers_icpr(ca, a, e);
	tell_stages(p, ca);
	probe_set(p, "ms", json_real(probe_ms(start)));
	probe_set(p, "ok", json_boolean(ok));
	if (name != NULL)
		probe_set(p, "name", client_text(name));
	if (!ok) {
		probe_set(p, "error", probe_error(e));
		if (way == BY_DCOM)
			probe_beside(p);
	}
	if (ok && way == BY_DCOM)
		probe_said(p, ca, a);
	probe_asked(p, "rpc", ae_run_ca_trace(ca)->trips);
}

static int
go(struct probe *p, enum way way, struct ae_err *e)
{
	struct ae_run_ca_config conf = {
		.host = ae_fact_text(p->about, "host"),
		.authority = ae_fact_text(p->about, "name"),
		.no_dcom = way == BY_ICPR,
		.no_icpr = way != BY_ICPR,
		.only_level = way == AT_INTEGRITY ? AE_RPC_LEVEL_INTEGRITY : 0,
		.call_ms = WAY_MS,
		.total_ms = WAY_MS,
	};
	struct ae_arena *a = ae_arena_new(4 * VALUE_MAX);
	struct ae_run_ca *ca = NULL;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	probe_set(p, "config", client_text(ae_fact_text(p->about, "config")));
	probe_set(p, "host", client_text(conf.host));
	rc = ae_gss_cred_ccache(&conf.cred, probe_ccache(p), e);
	if (rc == AE_OK)
		rc = ae_run_ca_new(&ca, &conf, e);
	if (rc == AE_OK)
		ask(p, ca, way, a, e);
	ae_run_ca_free(ca);
	ae_gss_cred_free(conf.cred);
	ae_arena_free(a);
	return rc; /* a CA that cannot be reached is a fact, no failure */
}

int
probe_dcom(struct probe *p, struct ae_err *e)
{
	return go(p, BY_DCOM, e);
}

int
probe_icpr(struct probe *p, struct ae_err *e)
{
	return go(p, BY_ICPR, e);
}

int
probe_integrity(struct probe *p, struct ae_err *e)
{
	return go(p, AT_INTEGRITY, e);
}
