/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What codes and events mean for the checks; see code.h.
 */
#include "diag/code.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "wcce/hresult.h"

static const char *const spaces[] = {
	[AE_DIAG_HRESULT] = "",
	[AE_DIAG_KRB] = "KRB ",
	[AE_DIAG_LDAP] = "LDAP ",
};

const char *
ae_diag_code_key(char out[AE_DIAG_KEY_MAX], const struct ae_diag_code *code)
{
	if (code->space == AE_DIAG_HRESULT)
		(void)snprintf(out, AE_DIAG_KEY_MAX, "0x%08x", code->value);
	else
		(void)snprintf(out, AE_DIAG_KEY_MAX, "%s%u",
		    spaces[code->space], code->value);
	return out;
}

const struct ae_diag_meaning *
ae_diag_meaning_find(const char *key)
{
	size_t i;

	for (i = 0; i < ae_diag_nmeanings; i++)
		if (strcmp(ae_diag_meanings[i].key, key) == 0)
			return &ae_diag_meanings[i];
	return NULL;
}

const char *
ae_diag_code_symbol(const struct ae_diag_code *code)
{
	const struct ae_diag_meaning *m;
	const struct ae_hresult *h;
	char key[AE_DIAG_KEY_MAX];

	if (code->space == AE_DIAG_HRESULT) {
		h = ae_hresult_find(code->value);
		return h == NULL ? NULL : h->symbol;
	}
	m = ae_diag_meaning_find(ae_diag_code_key(key, code));
	return m == NULL ? NULL : m->symbol;
}

/* ---- checks ---- */

static size_t
add_check(const struct ae_diag_text **out, size_t n, size_t max,
    const struct ae_diag_text *t)
{
	size_t i;

	for (i = 0; i < n && out[i] != t; i++)
		;
	if (t == NULL || i < n || n == max)
		return n;
	out[n] = t;
	return n + 1;
}

static size_t
asked(const struct ae_diag_text **out, size_t max,
    const struct ae_diag_meaning *m)
{
	size_t i, n = 0;

	for (i = 0; m != NULL && i < m->nasks; i++)
		n = add_check(out, n, max, ae_diag_text_find(m->asks[i].id));
	return n;
}

size_t
ae_diag_code_checks(const struct ae_diag_text **out, size_t max,
    const struct ae_diag_code *code)
{
	const struct ae_diag_text *t;
	char key[AE_DIAG_KEY_MAX];
	size_t i, k, n;

	n = asked(out, max, ae_diag_meaning_find(ae_diag_code_key(key, code)));
	if (n > 0)
		return n;
	for (i = 0; i < ae_diag_ntexts; i++) {
		t = &ae_diag_texts[i];
		for (k = 0; k < t->ncodes; k++)
			if (t->codes[k].space == code->space &&
			    t->codes[k].value == code->value)
				n = add_check(out, n, max, t);
	}
	return n;
}

size_t
ae_diag_event_checks(const struct ae_diag_text **out, size_t max,
    const struct ae_diag_event *event)
{
	const struct ae_diag_text *t;
	char key[AE_DIAG_KEY_MAX];
	size_t i, k, n = 0;

	if (event->source != NULL) {
		(void)snprintf(
		    key, sizeof(key), "%s %u", event->source, event->id);
		n = asked(out, max, ae_diag_meaning_find(key));
		if (n > 0)
			return n;
	}
	for (i = 0; i < ae_diag_ntexts; i++) {
		t = &ae_diag_texts[i];
		for (k = 0; k < t->nevents; k++)
			if (t->events[k].id == event->id &&
			    (event->source == NULL ||
				strcmp(t->events[k].source, event->source) ==
				    0))
				n = add_check(out, n, max, t);
	}
	return n;
}

/* ---- sources ---- */

static const struct {
	const char *source;
	const char *name;
	const char *aliases[4];
} sources[] = {
	{ "AE", "Microsoft-Windows-CertificateServicesClient-AutoEnrollment",
	    { "AutoEnrollment", "CertificateServicesClient-AutoEnrollment" } },
	{ "CSC", "Microsoft-Windows-CertificateServicesClient",
	    { "CertificateServicesClient" } },
	{ "CE", "Microsoft-Windows-CertificateServicesClient-CertEnroll",
	    { "CertEnroll", "CertificateServicesClient-CertEnroll" } },
	{ "CA", "Microsoft-Windows-CertificationAuthority",
	    { "CertificationAuthority", "CertSvc" } },
	{ "KDC", "Microsoft-Windows-Kerberos-Key-Distribution-Center",
	    { "Kerberos-Key-Distribution-Center" } },
	{ "DCOM", "Microsoft-Windows-DistributedCOM", { "DistributedCOM" } },
	{ "CAPI2", "Microsoft-Windows-CAPI2", { NULL } },
	{ "Kerberos", "Microsoft-Windows-Security-Kerberos",
	    { "Security-Kerberos" } },
	{ "Security", "Microsoft-Windows-Security-Auditing",
	    { "Security-Auditing" } },
	{ "GroupPolicy", "Microsoft-Windows-GroupPolicy", { NULL } },
	{ "CertCli", "Microsoft-Windows-CertificationAuthorityClient-CertCli",
	    { "CertificationAuthorityClient-CertCli" } },
};

static bool
is(const char *want, const char *name, size_t len)
{
	char copy[80];

	if (want == NULL || len >= sizeof(copy) || strlen(want) != len)
		return false;
	memcpy(copy, name, len);
	copy[len] = '\0';
	return ae_str_eq_nocase(want, copy);
}

const char *
ae_diag_source_find(const char *name, size_t len)
{
	size_t i, k;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		if (is(sources[i].source, name, len) ||
		    is(sources[i].name, name, len))
			return sources[i].source;
		for (k = 0; k < 4; k++)
			if (is(sources[i].aliases[k], name, len))
				return sources[i].source;
	}
	return NULL;
}

const char *
ae_diag_source_name(const char *source)
{
	size_t i;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++)
		if (strcmp(sources[i].source, source) == 0)
			return sources[i].name;
	return NULL;
}

const struct ae_event_def *
ae_diag_event_def(const struct ae_diag_event *ev)
{
	if (ev->source == NULL)
		return NULL;
	if (strcmp(ev->source, "AE") == 0)
		return ae_event_find(AE_EVENT_AUTOENROLLMENT, ev->id);
	if (strcmp(ev->source, "CSC") == 0)
		return ae_event_find(AE_EVENT_CSC, ev->id);
	if (strcmp(ev->source, "CE") == 0)
		return ae_event_find(AE_EVENT_CERTENROLL, ev->id);
	return NULL;
}
