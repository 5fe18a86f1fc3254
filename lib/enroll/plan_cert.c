/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a certificate that is there is worth; see plan_int.h.
 */
#include "enroll/plan_int.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"

/*
 * A certificate whose names are wrong is replaced at once, but not one that
 * was issued a moment ago: a CA that writes the wrong name again must not be
 * asked in a circle (events 35 and 36 of Windows: three hours).
 */
#define MISMATCH_PAUSE (3 * 3600)

int64_t
ae_plan_renew_at(int64_t not_before, int64_t not_after, int64_t overlap)
{
	int64_t eighty = not_before + (not_after - not_before) / 5 * 4;
	int64_t window = overlap > 0 ? not_after - overlap : not_after;

	return eighty > window ? eighty : window;
}

bool
plan_cert_is_of(const struct ae_inv_cert *c, const struct ae_template *t)
{
	if (c->template_oid != NULL && t->oid != NULL)
		return strcmp(c->template_oid, t->oid) == 0;
	return c->template_name != NULL &&
	    ae_str_eq_nocase(c->template_name, t->cn);
}

bool
plan_cert_works(enum cert_state s)
{
	return s <= CERT_MISMATCH;
}

static void says(struct cert_judged *out, enum cert_state state,
    const char *check, uint16_t event, const char *fmt, ...) AE_PRINTF(5, 6);

static void
says(struct cert_judged *out, enum cert_state state, const char *check,
    uint16_t event, const char *fmt, ...)
{
	va_list ap;

	out->state = state;
	out->check = check;
	out->event = event;
	va_start(ap, fmt);
	(void)vsnprintf(out->text, sizeof(out->text), fmt, ap);
	va_end(ap);
}

/* Names of the certificate that the directory does not give us any more. */
static bool
mismatch(struct cert_judged *out, const struct walk *w,
    const struct ae_template *t, const struct ae_inv_cert *c)
{
	const struct ae_plan_input *in = w->in;
	char theirs[AE_SID_STR_MAX], ours[AE_SID_STR_MAX];

	if (c->has_sid && in->sid != NULL && !ae_sid_equal(&c->sid, in->sid)) {
		says(out, CERT_MISMATCH, "use.sid-mismatch", 0,
		    "it is for the account %s, this one is %s",
		    ae_sid_print(theirs, &c->sid), ae_sid_print(ours, in->sid));
		return true;
	}
	if ((t->name_flag &
		(AE_CT_ENROLLEE_SUPPLIES_SUBJECT |
		    AE_CT_ENROLLEE_SUPPLIES_SAN)) != 0)
		return false;
	if ((t->name_flag & AE_CT_SAN_DNS) != 0 && c->dns.n > 0 &&
	    in->dns_host_name != NULL &&
	    !ae_strv_has_nocase(&c->dns, in->dns_host_name)) {
		says(out, CERT_MISMATCH, "existing.dns-mismatch", 35,
		    "it is for %s, the directory calls this host %s",
		    c->dns.v[0], in->dns_host_name);
		return true;
	}
	if ((t->name_flag & AE_CT_SAN_UPN) != 0 && c->upns.n > 0 &&
	    in->upn != NULL && !ae_strv_has_nocase(&c->upns, in->upn)) {
		says(out, CERT_MISMATCH, "existing.upn-mismatch", 0,
		    "it is for %s, the directory has %s", c->upns.v[0],
		    in->upn);
		return true;
	}
	return false;
}

/* What makes a pair useless, whatever the template says. */
static bool
broken(
    struct cert_judged *out, const struct walk *w, const struct ae_inv_cert *c)
{
	char when[AE_TIME_STR_MAX];

	if (!c->has_key)
		says(out, CERT_NO_KEY, "existing.key-missing", 0,
		    "its private key is missing");
	else if (w->in->now >= c->not_after)
		says(out, CERT_EXPIRED, "existing.expired", 0,
		    "it expired on %s", ae_time_print(when, c->not_after));
	else if (c->revocation == AE_INV_REVOKED)
		says(out, CERT_REVOKED, "existing.revoked", 0,
		    "its CA revoked it on %s%s%s",
		    ae_time_print(when, c->revoked_at),
		    c->revoked_why != NULL ? ": " : "",
		    c->revoked_why != NULL ? c->revoked_why : "");
	else if (!c->trusted)
		says(out, CERT_UNTRUSTED, "existing.untrusted", 0,
		    "it does not chain to a trusted root any more%s%s",
		    c->trust_text != NULL ? ": " : "",
		    c->trust_text != NULL ? c->trust_text : "");
	else if (w->in->now < c->not_before)
		says(out, CERT_FUTURE, "existing.not-yet-valid", 0,
		    "it is valid from %s on",
		    ae_time_print(when, c->not_before));
	else if (c->revocation == AE_INV_HOLD)
		says(out, CERT_HOLD, "existing.on-hold", 0,
		    "its CA has put it on hold since %s; whoever did that may "
		    "release it",
		    ae_time_print(when, c->revoked_at));
	else
		return false;
	return true;
}

void
plan_cert_judge(struct cert_judged *out, const struct walk *w,
    const struct ae_template *t, const struct ae_inv_cert *c)
{
	int64_t due = ae_plan_renew_at(c->not_before, c->not_after, t->overlap);
	char when[AE_TIME_STR_MAX], from[AE_TIME_STR_MAX];

	memset(out, 0, sizeof(*out));
	out->due = w->in->now >= due;
	if (broken(out, w, c))
		return;
	if (mismatch(out, w, t, c)) {
		out->wait = w->in->now < c->not_before + MISMATCH_PAUSE;
		return;
	}
	if (c->template_oid != NULL && c->major < t->revision)
		says(out, CERT_REVISED, "existing.template-revised", 0,
		    "it was issued for revision %" PRIu32
		    ", the template has %" PRIu32,
		    c->major, t->revision);
	else if (out->due)
		says(out, CERT_DUE, "existing.renewal-due", 0,
		    "it is due for renewal since %s", ae_time_print(when, due));
	else
		says(out, CERT_GOOD, "existing.valid-present", 0,
		    "it is valid until %s, and renewed from %s on",
		    ae_time_print(when, c->not_after),
		    ae_time_print(from, due));
}

const struct ae_inv_cert *
plan_cert_best(
    struct cert_judged *out, const struct walk *w, const struct ae_template *t)
{
	const struct ae_inv_cert *best = NULL;
	struct cert_judged j;
	size_t i;

	for (i = 0; i < w->in->have.ncerts; i++) {
		const struct ae_inv_cert *c = &w->in->have.certs[i];

		if (c->archived || !plan_cert_is_of(c, t))
			continue;
		plan_cert_judge(&j, w, t, c);
		if (best == NULL || j.state < out->state ||
		    (j.state == out->state &&
			c->not_before > best->not_before)) {
			best = c;
			*out = j;
		}
	}
	return best;
}

static bool
has_all(const struct ae_strv *have, const struct ae_strv *wanted)
{
	size_t i;

	for (i = 0; i < wanted->n; i++)
		if (!ae_strv_has(have, wanted->v[i]))
			return false;
	return true;
}

/* MS-CRTD 2.22, 2.23: what the signer's certificate has to allow. */
const struct ae_inv_cert *
plan_cert_signer(const struct walk *w, const struct ae_template *t)
{
	const struct ae_inv_cert *best = NULL;
	struct cert_judged j;
	size_t i;

	for (i = 0; i < w->in->have.ncerts; i++) {
		const struct ae_inv_cert *c = &w->in->have.certs[i];

		memset(&j, 0, sizeof(j));
		if (!c->archived && !broken(&j, w, c) &&
		    has_all(&c->usages, &t->ra_application_policies) &&
		    has_all(&c->policies, &t->ra_policies) &&
		    (best == NULL || c->not_after > best->not_after))
			best = c;
	}
	return best;
}

const struct ae_template *
plan_cert_template(const struct walk *w, const struct ae_inv_cert *c)
{
	size_t i;

	for (i = 0; i < w->in->ntemplates; i++)
		if (plan_cert_is_of(c, w->in->templates[i]))
			return w->in->templates[i];
	return NULL;
}
