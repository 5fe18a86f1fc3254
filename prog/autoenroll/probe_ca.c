/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probes of the way to one CA, by DCOM and by plain RPC, stage by stage, as
 * a request would take it; and what the CA says of itself.  Properties are
 * read, nothing is requested: no row is made.
 *
 *   "dcom", "icpr": [ { "config", "host", "ok": bool, "ms", "stages": [ {
 *       "stage", "what", "ms", "error", "rc", "domain", "code" } ], "error",
 *       "bindings": [ { "host", "port" } ] of the activation,
 *       "name", and by DCOM "templates": [ cn ], "policy": text,
 *       "recovery_agents": number, "status": HRESULT of its certificate,
 *       "not_after", "ends": of its certificate } ]
 *   and of a way that ended what probe_way.c has
 */
#include <stdlib.h>
#include <string.h>

#include "../autoenrolld/attempts.h"
#include "base/time.h"
#include "base/utf16.h"
#include "dcom/client.h"
#include "diag/facts.h"
#include "gss/cred.h"
#include "pki/cert.h"
#include "probe.h"
#include "run/ca_client.h"
#include "wcce/caprop.h"
#include "wcce/hresult.h"

#define VALUE_MAX (4u * 1024u * 1024u)
#define WAY_MS 8000
#define NO_SUCH_REQUEST 0x7ffffffeu

/* A property; false with *e (NULL: nobody asks): the CA does not say. */
static bool
value(struct ae_wcce_blob *out, struct ae_run_ca *ca, int32_t id, int32_t type,
    struct ae_arena *a, struct ae_err *e)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_GETPROPERTY,
		.prop_id = id,
		.prop_type = type };
	struct ae_wcce_reply reply = { 0 };

	if (ae_run_ca_ask(ca, &rq, &reply, a, e) != AE_OK)
		return false;
	if (reply.hresult != 0) {
		(void)ae_fail(e, AE_EREMOTE, AE_DOM_HRESULT,
		    (int64_t)reply.hresult, "the CA answers 0x%08x",
		    (unsigned)reply.hresult);
		return false;
	}
	*out = reply.value;
	return true;
}

static char *
property(struct ae_run_ca *ca, int32_t id, struct ae_arena *a, struct ae_err *e)
{
	struct ae_wcce_blob v;
	size_t units;

	if (!value(&v, ca, id, AE_PROPTYPE_STRING, a, e))
		return NULL;
	units = v.len / 2;
	if (units > 0 && v.p[2 * units - 2] == 0 && v.p[2 * units - 1] == 0)
		units--;
	return ae_utf16_to_utf8(a, v.p, units);
}

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
}

/* "cn\nOID\ncn\nOID\n": the names alone. */
static json_t *
names_of(const char *text)
{
	json_t *list = json_array();
	size_t i, len;

	for (i = 0; text[0] != '\0'; i++) {
		len = strcspn(text, "\n");
		if (i % 2 == 0 && len > 0)
			(void)json_array_append_new(
			    list, json_stringn(text, len));
		text += len + (text[len] == '\n');
	}
	return list;
}

/* The whole CAINFO is answered for each of its members. */
static void
see_numbers(struct probe *p, struct ae_run_ca *ca, struct ae_arena *a)
{
	struct ae_wcce_blob v;
	struct ae_cainfo info;

	if (value(&v, ca, AE_CR_PROP_KRACERTCOUNT, AE_PROPTYPE_LONG, a, NULL)) {
		if (ae_cainfo_get(&info, v.p, v.len))
			probe_set(p, "recovery_agents",
			    json_integer((json_int_t)info.kra_count));
		else if (v.len == 4)
			probe_set(p, "recovery_agents", json_integer(v.p[0]));
	}
	if (value(&v, ca, AE_CR_PROP_CACERTSTATUSCODE, AE_PROPTYPE_LONG, a,
		NULL) &&
	    v.len == 4)
		probe_set(p, "status",
		    json_integer((json_int_t)v.p[0] | (json_int_t)v.p[1] << 8 |
			(json_int_t)v.p[2] << 16 | (json_int_t)v.p[3] << 24));
}

static void
see_certificate(struct probe *p, struct ae_run_ca *ca, struct ae_arena *a)
{
	char when[AE_TIME_STR_MAX];
	struct ae_wcce_blob v;
	struct ae_cert *cert = NULL;
	int64_t end;

	if (!value(&v, ca, AE_CR_PROP_CASIGCERT, AE_PROPTYPE_BINARY, a, NULL) ||
	    ae_cert_parse(&cert, v.p, v.len, NULL) != AE_OK)
		return;
	end = cert->not_after;
	probe_set(p, "not_after", json_integer((json_int_t)end));
	probe_set(p, "ends", json_string(ae_time_print(when, end)));
	ae_cert_free(cert);
}

/* What else it says, over the connection that stands. */
static void
see_more(struct probe *p, struct ae_run_ca *ca, struct ae_arena *a)
{
	char *text = property(ca, AE_CR_PROP_TEMPLATES, a, NULL);

	if (text != NULL)
		probe_set(p, "templates", names_of(text));
	text = property(ca, AE_CR_PROP_POLICYDESCRIPTION, a, NULL);
	if (text != NULL)
		probe_set(p, "policy", client_text(text));
	see_numbers(p, ca, a);
	see_certificate(p, ca, a);
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

static void
ask(struct probe *p, struct ae_run_ca *ca, bool dcom, struct ae_arena *a,
    struct ae_err *e)
{
	int64_t start = probe_now_us();
	char *name = NULL;
	bool ok;

	probe_doing(p, dcom ? "dcom" : "icpr", ae_fact_text(p->about, "host"));
	if (dcom)
		name = property(ca, AE_CR_PROP_CANAME, a, e);
	ok = dcom ? name != NULL : answers_icpr(ca, a, e);
	tell_stages(p, ca);
	probe_set(p, "ms", json_real(probe_ms(start)));
	probe_set(p, "ok", json_boolean(ok));
	if (name != NULL)
		probe_set(p, "name", client_text(name));
	if (!ok) {
		probe_set(p, "error", probe_error(e));
		if (dcom)
			probe_beside(p);
	}
	if (ok && dcom)
		see_more(p, ca, a);
}

static int
go(struct probe *p, bool dcom, struct ae_err *e)
{
	struct ae_run_ca_config conf = {
		.host = ae_fact_text(p->about, "host"),
		.authority = ae_fact_text(p->about, "name"),
		.no_dcom = !dcom,
		.no_icpr = dcom,
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
		ask(p, ca, dcom, a, e);
	ae_run_ca_free(ca);
	ae_gss_cred_free(conf.cred);
	ae_arena_free(a);
	return rc; /* a CA that cannot be reached is a fact, no failure */
}

int
probe_dcom(struct probe *p, struct ae_err *e)
{
	return go(p, true, e);
}

int
probe_icpr(struct probe *p, struct ae_err *e)
{
	return go(p, false, e);
}
