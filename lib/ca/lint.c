/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Rules for certificates to be signed; shared by the process that builds
 * them and the one that signs them.
 */
#include "ca/lint.h"

#include <string.h>

#include "base/breaks.h"
#include "pki/oid.h"
#include "rules/judge.h"

bool
ae_ca_extension_allowed(const char *oid, const struct ae_strv *more)
{
	static const char *const v[] = { AE_OID_SKI, AE_OID_AKI,
		AE_OID_KEY_USAGE, AE_OID_EKU, AE_OID_SAN,
		AE_OID_BASIC_CONSTRAINTS, AE_OID_CDP, AE_OID_AIA,
		AE_OID_CERT_POLICIES, AE_OID_OCSP_NOCHECK, AE_OID_SMIME_CAPS,
		AE_OID_MS_TEMPLATE_V1, AE_OID_MS_TEMPLATE_V2,
		AE_OID_MS_APP_POLICIES, AE_OID_MS_SID,
		/* of policy files: they grant nothing */
		AE_OID_TLS_FEATURE, AE_OID_MS_VM_CONNECTION };
	size_t i;

	for (i = 0; i < sizeof(v) / sizeof(v[0]); i++)
		if (strcmp(v[i], oid) == 0)
			return true;
	return ae_rules_is_yubico(oid) || ae_strv_has(more, oid);
}

static int
bad(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
	    "the certificate to be signed %s", what);
}

int
ae_ca_lint_rules(
    const struct ae_cert *c, const struct ae_strv *more, struct ae_err *e)
{
	size_t i, j;

	if (c->x.ca && !AE_BREAK(lint_ca))
		return bad(e, "is a CA certificate");
	if (c->x.has_key_usage &&
	    (c->x.key_usage & (AE_KU_KEY_CERT_SIGN | AE_KU_CRL_SIGN)))
		return bad(e, "may sign certificates or CRLs");
	if (c->x.has_ca_version)
		return bad(e, "has a CA version");
	if (c->x.ski.p == NULL || c->x.aki.p == NULL)
		return bad(e, "lacks a key identifier");
	for (i = 0; i < c->x.nraw; i++) {
		if (!ae_ca_extension_allowed(c->x.raw[i].oid, more) &&
		    !AE_BREAK(lint_extensions))
			return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
			    "the certificate to be signed has extension %s",
			    c->x.raw[i].oid);
		for (j = 0; j < i; j++)
			if (strcmp(c->x.raw[i].oid, c->x.raw[j].oid) == 0)
				return bad(e, "has an extension twice");
	}
	return AE_OK;
}

static bool
same_list(const struct ae_strv *a, const struct ae_strv *b)
{
	size_t i;

	if (a->n != b->n)
		return false;
	for (i = 0; i < a->n; i++)
		if (strcmp(a->v[i], b->v[i]) != 0)
			return false;
	return true;
}

static bool
same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
same_sans(const struct ae_exts *a, const struct ae_exts *b)
{
	size_t i;

	if (a->nsans != b->nsans)
		return false;
	for (i = 0; i < a->nsans; i++)
		if (a->sans[i].type != b->sans[i].type ||
		    !same_text(a->sans[i].text, b->sans[i].text) ||
		    !ae_guid_equal(&a->sans[i].guid, &b->sans[i].guid))
			return false;
		else if ((a->sans[i].type == AE_SAN_IP ||
			     a->sans[i].type == AE_SAN_DN) &&
		    !ae_der_equal(a->sans[i].der, b->sans[i].der))
			return false;
	return true;
}

/* What of the extensions differs; NULL: nothing. */
static const char *
exts_differ(const struct ae_exts *a, const struct ae_exts *b)
{
	if (!same_text(a->template_name, b->template_name) ||
	    !same_text(a->template_oid, b->template_oid) ||
	    a->template_major != b->template_major ||
	    a->template_minor != b->template_minor)
		return "template";
	if (!same_list(&a->eku, &b->eku) ||
	    !same_list(&a->app_policies, &b->app_policies) ||
	    !same_list(&a->cert_policies, &b->cert_policies))
		return "usages";
	if (a->has_key_usage != b->has_key_usage ||
	    a->key_usage != b->key_usage)
		return "key usage";
	if (!same_list(&a->cdp, &b->cdp) ||
	    !same_list(&a->aia_issuers, &b->aia_issuers) ||
	    !same_list(&a->aia_ocsp, &b->aia_ocsp) ||
	    a->ocsp_nocheck != b->ocsp_nocheck)
		return "revocation information";
	if (!ae_der_equal(a->ski, b->ski) || !ae_der_equal(a->aki, b->aki))
		return "key identifiers";
	if (!same_sans(a, b))
		return "alternative names";
	if (a->has_sid != b->has_sid ||
	    (a->has_sid && !ae_sid_equal(&a->sid, &b->sid)))
		return "SID";
	if (a->has_basic_constraints != b->has_basic_constraints)
		return "basic constraints";
	return NULL;
}

static const char *
differ(const struct ae_tbs *t, const struct ae_cert *c)
{
	if (!ae_der_equal(t->serial, c->serial))
		return "serial number";
	if (!ae_der_equal(t->issuer, c->issuer))
		return "issuer";
	if (!ae_der_equal(t->subject, c->subject))
		return "subject";
	if (!ae_der_equal(t->spki, c->spki))
		return "public key";
	if (t->not_before != c->not_before || t->not_after != c->not_after)
		return "validity";
	if (!ae_sigalg_equal(&t->sigalg, &c->sigalg))
		return "signature algorithm";
	return exts_differ(&t->x, &c->x);
}

int
ae_ca_lint(const struct ae_tbs *t, const void *tbs, size_t len,
    const struct ae_strv *more, struct ae_err *e)
{
	struct ae_cert *c = NULL;
	const char *what;
	int rc;

	rc = ae_cert_parse_tbs(&c, tbs, len, e);
	if (rc == AE_ENOMEM)
		return rc;
	if (rc != AE_OK)
		return ae_note(e, AE_EINVAL, "reading it back");
	rc = ae_ca_lint_rules(c, more, e);
	what = differ(t, c);
	if (rc == AE_EDENIED)
		rc = ae_note(e, AE_EINTERNAL, "linting");
	else if (rc == AE_OK && what != NULL)
		rc = ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "the certificate to be signed has another %s than meant",
		    what);
	ae_cert_free(c);
	return rc;
}
