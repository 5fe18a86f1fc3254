/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What is there already – certificates, requests under way, what the
 * directory publishes – and whether policy and clock let anything be done
 * about it; see plan_int.h.
 */
#include <inttypes.h>

#include "base/str.h"
#include "base/time.h"
#include "enroll/plan_int.h"

static bool
supplies(const struct ae_template *t)
{
	return (t->name_flag &
		   (AE_CT_ENROLLEE_SUPPLIES_SUBJECT |
		       AE_CT_ENROLLEE_SUPPLIES_SAN)) != 0;
}

/* A certificate in its window: renewed where policy and template let it. */
static enum ae_plan_action
renew(const struct walk *w, const struct ae_template *t)
{
	if ((w->may & AE_POLICY_MANAGE) == 0 ||
	    (t->enrollment_flag & AE_CT_SKIP_AUTO_RENEWAL) != 0)
		return AE_PLAN_KEEP;
	return AE_PLAN_RENEW;
}

/*
 * A pair that works but should be another: only templates of
 * auto-enrollment come again by themselves.  Names that a person supplied
 * are in the old certificate alone, so that one is renewed.
 */
static enum ae_plan_action
again(const struct walk *w, const struct ae_template *t)
{
	if (w->judged.wait)
		return AE_PLAN_KEEP;
	if (!plan_is_auto(w, t) || (w->may & AE_POLICY_ENROLL) == 0)
		return w->judged.due ? renew(w, t) : AE_PLAN_KEEP;
	return supplies(t) ? renew(w, t) : AE_PLAN_ENROLL;
}

void
plan_want(struct walk *w, const struct ae_template *t)
{
	w->item->have = plan_cert_best(&w->judged, w, t);
	w->want = AE_PLAN_ENROLL;
	if (w->item->have == NULL || w->in->manual)
		return;
	switch (w->judged.state) {
	case CERT_GOOD:
	case CERT_HOLD:
	case CERT_FUTURE:
		w->want = AE_PLAN_KEEP;
		break;
	case CERT_DUE:
		w->want = renew(w, t);
		break;
	case CERT_REVISED:
	case CERT_MISMATCH:
		w->want = again(w, t);
		break;
	case CERT_UNTRUSTED:
	case CERT_REVOKED:
	case CERT_EXPIRED:
	case CERT_NO_KEY:
		break;
	}
}

/* What else is to be said about a certificate that stays as it is. */
static void
explain_kept(struct walk *w, const struct ae_template *t)
{
	if (w->want != AE_PLAN_KEEP || !w->judged.due)
		return;
	if ((t->enrollment_flag & AE_CT_SKIP_AUTO_RENEWAL) != 0)
		WARN(w, "template.skip-auto-renewal",
		    "the template wants no automatic renewal");
	else if ((w->may & AE_POLICY_MANAGE) == 0)
		WARN(w, "policy.no-renew-bit",
		    "AEPolicy 0x%" PRIx32 " lacks bit 0x2: nothing is renewed",
		    w->in->policy);
}

bool
plan_check_existing(struct walk *w, const struct ae_template *t)
{
	const struct ae_inv_cert *c = w->item->have;

	if (c == NULL) {
		PASS(w, "existing.none", "there is no certificate of it yet");
		return true;
	}
	if (w->judged.state != CERT_GOOD) {
		plan_reason(w, &w->item->reasons, w->judged.check, AE_WARN,
		    w->judged.event, "there is %s, but %s", c->name,
		    w->judged.text);
		ABOUT(w, "%s", c->name);
	} else if (w->in->manual)
		WARN(w, "existing.valid-present",
		    "there is %s, and %s; another one is requested by hand",
		    c->name, w->judged.text);
	else
		PASS(w, "existing.valid-present", "there is %s, and %s",
		    c->name, w->judged.text);
	if (c->crl_stale) {
		WARN(w, "trust.revocation-offline",
		    "the revocation list of %s's CA is out of date: whether it "
		    "was revoked is not known",
		    c->name);
		ABOUT(w, "%s", c->name);
	}
	explain_kept(w, t);
	return true;
}

/* MS-CRTD 2.26, 0x10: userCertificate counts as a certificate that is there. */
bool
plan_check_published(struct walk *w, const struct ae_template *t)
{
	char when[AE_TIME_STR_MAX];
	size_t i;

	if (w->want != AE_PLAN_ENROLL || w->in->manual ||
	    (t->enrollment_flag & AE_CT_CHECK_USER_DS_CERTIFICATE) == 0)
		return true;
	for (i = 0; i < w->in->have.npublished; i++) {
		const struct ae_inv_cert *c = &w->in->have.published[i];

		if (!plan_cert_is_of(c, t) || !c->trusted ||
		    w->in->now < c->not_before || w->in->now >= c->not_after ||
		    c->revocation == AE_INV_REVOKED ||
		    (c->template_oid != NULL && c->major < t->revision))
			continue;
		FAIL(w, "existing.published-in-ds", 0,
		    "the directory publishes a certificate of it for this "
		    "account (userCertificate, SHA-1 %s), valid until %s, and "
		    "the template wants no second one",
		    c->thumbprint, ae_time_print(when, c->not_after));
		ABOUT(w, "%s", c->thumbprint);
		return true;
	}
	PASS(w, "existing.not-in-ds",
	    "the directory publishes no valid certificate of it for this "
	    "account");
	return true;
}

/*
 * The newest request of the template in that state, or NULL.  One that waits
 * at a CA counts whoever made it; what a person sent is his to send again.
 */
static const struct ae_inv_request *
under_way(const struct walk *w, const struct ae_template *t, bool pending)
{
	const struct ae_inv_request *best = NULL;
	size_t i;

	for (i = 0; i < w->in->have.nrequests; i++) {
		const struct ae_inv_request *q = &w->in->have.requests[i];

		if (plan_request_is_of(q, t) && q->state != AE_INV_KEPT &&
		    (q->state == AE_INV_PENDING) == pending &&
		    (pending || q->automatic) && !plan_request_is_old(w, q) &&
		    (best == NULL || q->submitted > best->submitted))
			best = q;
	}
	return best;
}

bool
plan_check_pending(struct walk *w, const struct ae_template *t)
{
	const struct ae_inv_request *q = under_way(w, t, true);
	char when[AE_TIME_STR_MAX];

	if (w->in->manual ||
	    (w->want != AE_PLAN_ENROLL && w->want != AE_PLAN_RENEW))
		return true;
	if (q == NULL) {
		w->item->resume = under_way(w, t, false);
		return true;
	}
	if (!plan_request_has_ca(w, q)) {
		WARN(w, "pending.ca-gone",
		    "request %" PRIu32 " was left at %s, which is not in the "
		    "directory any more",
		    q->request_id, q->ca_config);
		return true;
	}
	FAIL(w, "existing.pending-request", 0,
	    "request %" PRIu32 " waits at %s since %s for somebody to approve "
	    "it",
	    q->request_id, q->ca_config == NULL ? "its CA" : q->ca_config,
	    ae_time_print(when, q->submitted));
	ABOUT(w, "%" PRIu32 " (%s)", q->request_id,
	    q->ca_config == NULL ? "?" : q->ca_config);
	if ((w->may & AE_POLICY_PENDING) == 0)
		WARN(w, "pending.pickup-disabled",
		    "AEPolicy 0x%" PRIx32 " lacks bit 0x4: the answer is not "
		    "fetched",
		    w->in->policy);
	return true;
}

bool
plan_check_clock(struct walk *w, const struct ae_template *t)
{
	(void)t;
	if (!w->clock_bad || w->want == AE_PLAN_KEEP)
		return true;
	if (w->in->manual)
		WARN(w, "time.skew", "this machine's clock is wrong");
	else
		FAIL(w, "time.skew", 0,
		    "this machine's clock is not the domain's: nothing is "
		    "requested until they agree");
	return true;
}

bool
plan_check_policy(struct walk *w, const struct ae_template *t)
{
	uint32_t p = w->in->policy;

	(void)t;
	/* A renewal is not wanted at all without its bit. */
	if (w->in->manual || w->want != AE_PLAN_ENROLL ||
	    (w->may & AE_POLICY_ENROLL) != 0)
		return true;
	if (!w->in->policy_set || p == 0)
		FAIL(w, "policy.aepolicy-absent", 0,
		    "no policy switches auto-enrollment on");
	else if ((p & AE_POLICY_DISABLED) != 0)
		FAIL(w, "policy.aepolicy-disabled", 0,
		    "AEPolicy 0x%" PRIx32 " switches auto-enrollment off", p);
	else
		FAIL(w, "policy.no-enroll-bit", 0,
		    "AEPolicy 0x%" PRIx32 " lacks bit 0x1: nothing new is "
		    "requested",
		    p);
	return true;
}
