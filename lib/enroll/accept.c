/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Judging an answer; see accept.h.
 */
#include "enroll/accept.h"

#include <stdlib.h>
#include <string.h>

#include "base/breaks.h"
#include "base/str.h"
#include "pki/verify.h"

#define CLOCK_GRACE (10 * 60)

#define REFUSE(e, ...) ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0, __VA_ARGS__)

static int
check_validity(
    const struct ae_cert *c, const struct ae_accept *a, struct ae_err *e)
{
	if (c->not_before > a->now + CLOCK_GRACE && !AE_BREAK(accept_validity))
		return REFUSE(e, "it is not valid yet");
	if (c->not_after <= a->now)
		return REFUSE(e, "it has expired already");
	return AE_OK;
}

static int
check_template(
    const struct ae_cert *c, const struct ae_accept *a, struct ae_err *e)
{
	const struct ae_template *t = a->tmpl;

	if (t->schema_version >= 2 && t->oid != NULL) {
		if (c->x.template_oid == NULL)
			return REFUSE(e, "it names no template");
		if (strcmp(c->x.template_oid, t->oid) != 0 &&
		    !AE_BREAK(accept_template))
			return REFUSE(e, "it is for template %s, not %s",
			    c->x.template_oid, t->oid);
		return AE_OK;
	}
	if (c->x.template_name == NULL)
		return REFUSE(e, "it names no template");
	if (!ae_str_eq_nocase(c->x.template_name, t->cn))
		return REFUSE(e, "it is for another template than %s", t->cn);
	return AE_OK;
}

static int
check_usage(
    const struct ae_cert *c, const struct ae_accept *a, struct ae_err *e)
{
	size_t i;

	if (c->x.ca && !AE_BREAK(accept_ca))
		return REFUSE(e, "it is a CA certificate");
	for (i = 0; i < a->tmpl->ekus.n; i++)
		if (!ae_strv_has(&c->x.eku, a->tmpl->ekus.v[i]))
			return REFUSE(
			    e, "it lacks the key usage %s", a->tmpl->ekus.v[i]);
	return AE_OK;
}

/* The SID extension, MS-WCCE 2.2.2.7.7.4: strong mapping depends on it. */
static int
check_sid(const struct ae_cert *c, const struct ae_accept *a, struct ae_err *e)
{
	const struct ae_template *t = a->tmpl;
	char theirs[AE_SID_STR_MAX], ours[AE_SID_STR_MAX];

	if (a->sid == NULL)
		return AE_OK;
	if (c->x.has_sid && !ae_sid_equal(&c->x.sid, a->sid) &&
	    !AE_BREAK(accept_sid))
		return REFUSE(e, "it carries the SID %s, we are %s",
		    ae_sid_print(theirs, &c->x.sid),
		    ae_sid_print(ours, a->sid));
	if (!c->x.has_sid &&
	    (t->enrollment_flag & AE_CT_NO_SECURITY_EXTENSION) == 0 &&
	    (t->name_flag & AE_CT_ENROLLEE_SUPPLIES_SUBJECT) == 0)
		return REFUSE(e, "it carries no SID");
	return AE_OK;
}

static bool
has_name(const struct ae_cert *c, enum ae_san_type type, const char *name)
{
	size_t i;

	for (i = 0; i < c->x.nsans; i++)
		if (c->x.sans[i].type == type &&
		    ae_str_eq_nocase(c->x.sans[i].text, name))
			return true;
	return false;
}

/* A CA takes names of the directory where the template says so; so do we. */
static int
check_names(
    const struct ae_cert *c, const struct ae_accept *a, struct ae_err *e)
{
	uint32_t flags = a->tmpl->name_flag;

	if ((flags &
		(AE_CT_ENROLLEE_SUPPLIES_SUBJECT |
		    AE_CT_ENROLLEE_SUPPLIES_SAN)) != 0)
		return AE_OK;
	if ((flags & AE_CT_SAN_DNS) != 0 && a->dns != NULL &&
	    !AE_BREAK(accept_names) && !has_name(c, AE_SAN_DNS, a->dns))
		return REFUSE(e, "it is not for the host %s", a->dns);
	if ((flags & AE_CT_SAN_UPN) != 0 && a->upn != NULL &&
	    !has_name(c, AE_SAN_UPN, a->upn))
		return REFUSE(e, "it is not for %s", a->upn);
	return AE_OK;
}

/* Parse DER certificates, passing over what does not parse. */
static int
parse_all(struct ae_cert **out, size_t *n, const struct ae_der *v, size_t count,
    struct ae_err *e)
{
	size_t i;
	int rc;

	for (i = 0; i < count; i++) {
		rc = ae_cert_parse(&out[*n], v[i].p, v[i].len, e);
		if (rc == AE_OK)
			(*n)++;
		else if (rc == AE_ENOMEM)
			return rc;
	}
	return AE_OK;
}

static int
check_chain(const struct ae_cert *c, const struct ae_answer *answer,
    const struct ae_accept *a, struct ae_err *e)
{
	size_t nroots = 0, nothers = 0, i;
	struct ae_cert **roots = calloc(a->nroots + 1, sizeof(*roots));
	struct ae_cert **others = calloc(a->nothers + 1, sizeof(*others));
	const struct ae_cert **all =
	    calloc(a->nothers + answer->ncerts + 1, sizeof(*all));
	struct ae_verify v;
	int rc;

	if (roots == NULL || others == NULL || all == NULL) {
		rc = ae_fail_mem(e);
		goto out;
	}
	rc = parse_all(roots, &nroots, a->roots, a->nroots, e);
	if (rc == AE_OK)
		rc = parse_all(others, &nothers, a->others, a->nothers, e);
	if (rc != AE_OK)
		goto out;
	for (i = 0; i < nothers; i++)
		all[i] = others[i];
	for (i = 0; i < answer->ncerts; i++)
		all[nothers + i] = answer->certs[i];
	v = (struct ae_verify){
		.anchors = (const struct ae_cert *const *)roots,
		.nanchors = nroots,
		.others = all,
		.nothers = nothers + answer->ncerts,
		/* A certificate may begin a little in our future. */
		.at = c->not_before > a->now ? c->not_before : a->now,
	};
	rc = ae_verify_chain(c, &v, e);
out:
	for (i = 0; i < nroots; i++)
		ae_cert_free(roots[i]);
	for (i = 0; i < nothers; i++)
		ae_cert_free(others[i]);
	free(roots);
	free(others);
	free(all);
	return rc;
}

int
ae_accept_check(const struct ae_cert **cert, const struct ae_answer *answer,
    const struct ae_accept *a, struct ae_err *e)
{
	static int (*const checks[])(const struct ae_cert *,
	    const struct ae_accept *, struct ae_err *) = { check_validity,
		check_usage, check_template, check_sid, check_names };
	const struct ae_cert *c;
	size_t i;
	int rc;

	rc = ae_answer_cert(&c, answer, a->key, e);
	for (i = 0; rc == AE_OK && i < sizeof(checks) / sizeof(checks[0]); i++)
		rc = checks[i](c, a, e);
	if (rc == AE_OK && !AE_BREAK(accept_chain))
		rc = check_chain(c, answer, a, e);
	if (rc != AE_OK)
		return ae_note(
		    e, rc, "the certificate in the answer is refused");
	*cert = c;
	return AE_OK;
}
