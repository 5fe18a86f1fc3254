/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a CA says of itself, over a connection that stands: its properties
 * (MS-WCCE 3.2.1.4.3.2).  Part of the facts of the way by DCOM:
 *
 *   "version": of the product, "policy": of its module; text
 *   "templates": [ cn ]
 *   "not_after", "ends": of its newest certificate, "status": HRESULT of it
 *   "certificates", "crls": [ "incomplete" | "error" | "revoked" | "valid" |
 *            "invalid" ], by certificate
 *   "crl_published": how publishing the newest list went, CPF_* of MS-CSRA
 *            3.1.1.4.1
 *   "advanced": bool, of its platform
 *   "recovery_agents": number, "recovery_states": [ "expired" | "not-found" |
 *            "revoked" | "valid" | "invalid" | "untrusted" | "not-loaded" ]
 *   "subject_oids": [ OID ] that a subject out of a request may have
 */
#include "probe_said.h"

#include <string.h>

#include "base/time.h"
#include "base/utf16.h"
#include "pki/cert.h"
#include "wcce/caprop.h"

#define STATES_MAX 64u
#define NEWEST (-1)

/* A property; false with *e (NULL: nobody asks): the CA does not say. */
static bool
value_at(struct ae_wcce_blob *out, struct ae_run_ca *ca, int32_t id,
    int32_t index, int32_t type, struct ae_arena *a, struct ae_err *e)
{
	struct ae_wcce_request rq = { .call = AE_WCCE_CALL_GETPROPERTY,
		.prop_id = id,
		.prop_index = index,
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

static bool
value(struct ae_wcce_blob *out, struct ae_run_ca *ca, int32_t id, int32_t type,
    struct ae_arena *a)
{
	return value_at(out, ca, id, 0, type, a, NULL);
}

char *
probe_said_text(
    struct ae_run_ca *ca, int32_t id, struct ae_arena *a, struct ae_err *e)
{
	struct ae_wcce_blob v;
	size_t units;

	if (!value_at(&v, ca, id, 0, AE_PROPTYPE_STRING, a, e))
		return NULL;
	units = v.len / 2;
	if (units > 0 && v.p[2 * units - 2] == 0 && v.p[2 * units - 1] == 0)
		units--;
	return ae_utf16_to_utf8(a, v.p, units);
}

/* Every step-th of the lines. */
static json_t *
lines_of(const char *text, size_t step)
{
	json_t *list = json_array();
	size_t i, len;

	for (i = 0; text[0] != '\0'; i++) {
		len = strcspn(text, "\n");
		if (i % step == 0 && len > 0)
			(void)json_array_append_new(
			    list, json_stringn(text, len));
		text += len + (text[len] == '\n');
	}
	return list;
}

static void
see_texts(struct probe *p, struct ae_run_ca *ca, struct ae_arena *a)
{
	static const struct {
		int32_t id;
		const char *name;
		size_t step; /* 0: it is no list */
	} rows[] = {
		{ AE_CR_PROP_TEMPLATES, "templates", 2 }, /* cn and OID */
		{ AE_CR_PROP_POLICYDESCRIPTION, "policy", 0 },
		{ AE_CR_PROP_PRODUCTVERSION, "version", 0 },
		{ AE_CR_PROP_SUBJECTTEMPLATE_OIDS, "subject_oids", 1 },
	};
	const char *text;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		text = probe_said_text(ca, rows[i].id, a, NULL);
		if (text != NULL)
			probe_set(p, rows[i].name,
			    rows[i].step == 0 ? client_text(text)
					      : lines_of(text, rows[i].step));
	}
}

/* A byte for each, MS-WCCE 3.2.1.4.3.2.19, .20 and .27. */
static void
see_states(struct probe *p, struct ae_run_ca *ca, struct ae_arena *a)
{
	static const char *const of_ca[] = { "incomplete", "error", "revoked",
		"valid", "invalid" };
	static const char *const of_agent[] = { "expired", "not-found",
		"revoked", "valid", "invalid", "untrusted", "not-loaded" };
	static const struct {
		int32_t id;
		const char *name;
		const char *const *names;
		size_t n;
	} rows[] = {
		{ AE_CR_PROP_CACERTSTATE, "certificates", of_ca, 5 },
		{ AE_CR_PROP_CRLSTATE, "crls", of_ca, 5 },
		{ AE_CR_PROP_KRACERTSTATE, "recovery_states", of_agent, 7 },
	};
	struct ae_wcce_blob v;
	json_t *list;
	size_t i, k;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!value(&v, ca, rows[i].id, AE_PROPTYPE_LONG, a))
			continue;
		list = json_array();
		for (k = 0; k < v.len && k < STATES_MAX; k++)
			(void)json_array_append_new(list,
			    json_string(v.p[k] < rows[i].n
				    ? rows[i].names[v.p[k]]
				    : "unknown"));
		probe_set(p, rows[i].name, list);
	}
}

static json_int_t
le32(const struct ae_wcce_blob *v)
{
	return (json_int_t)v->p[0] | (json_int_t)v->p[1] << 8 |
	    (json_int_t)v->p[2] << 16 | (json_int_t)v->p[3] << 24;
}

static void
see_numbers(struct probe *p, struct ae_run_ca *ca, struct ae_arena *a)
{
	static const struct {
		int32_t id, index;
		const char *name;
	} rows[] = {
		{ AE_CR_PROP_CACERTSTATUSCODE, 0, "status" },
		{ AE_CR_PROP_BASECRLPUBLISHSTATUS, NEWEST, "crl_published" },
	};
	struct ae_wcce_blob v;
	struct ae_cainfo info;
	size_t i;

	/* The whole CAINFO is answered for each of its members. */
	if (value(&v, ca, AE_CR_PROP_KRACERTCOUNT, AE_PROPTYPE_LONG, a)) {
		if (ae_cainfo_get(&info, v.p, v.len)) {
			probe_set(p, "recovery_agents",
			    json_integer((json_int_t)info.kra_count));
			probe_set(p, "advanced",
			    json_boolean(info.advanced_server != 0));
		} else if (v.len == 4) {
			probe_set(p, "recovery_agents", json_integer(le32(&v)));
		}
	}
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (value_at(&v, ca, rows[i].id, rows[i].index,
			AE_PROPTYPE_LONG, a, NULL) &&
		    v.len == 4)
			probe_set(p, rows[i].name, json_integer(le32(&v)));
}

static void
see_certificate(struct probe *p, struct ae_run_ca *ca, struct ae_arena *a)
{
	char when[AE_TIME_STR_MAX];
	struct ae_wcce_blob v;
	struct ae_cert *cert = NULL;
	int64_t end;

	if (!value(&v, ca, AE_CR_PROP_CASIGCERT, AE_PROPTYPE_BINARY, a) ||
	    ae_cert_parse(&cert, v.p, v.len, NULL) != AE_OK)
		return;
	end = cert->not_after;
	probe_set(p, "not_after", json_integer((json_int_t)end));
	probe_set(p, "ends", json_string(ae_time_print(when, end)));
	ae_cert_free(cert);
}

void
probe_said(struct probe *p, struct ae_run_ca *ca, struct ae_arena *a)
{
	see_texts(p, ca, a);
	see_states(p, ca, a);
	see_numbers(p, ca, a);
	see_certificate(p, ca, a);
}
