/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What leaves the store, and what is about to expire; see plan_int.h.
 *
 * The rule above all others: a pair that works is taken away only when its
 * CA revoked it, or when another that works is there – now, or once the
 * request that is to bring it has been installed.
 */
#include "base/time.h"
#include "enroll/plan_int.h"

static bool
requests(const struct ae_plan_item *it)
{
	return it != NULL &&
	    (it->action == AE_PLAN_ENROLL || it->action == AE_PLAN_RENEW);
}

/* MS-CRTD 2.26, 0x400; what may decrypt something is kept for ever. */
static enum ae_plan_store_what
how(const struct ae_template *t, const struct ae_inv_cert *c)
{
	return t != NULL && !c->encrypts &&
		(t->enrollment_flag & AE_CT_REMOVE_INVALID_CERTIFICATE) != 0
	    ? AE_PLAN_DELETE
	    : AE_PLAN_ARCHIVE;
}

static void
add(struct walk *w, const struct ae_inv_cert *c, enum ae_plan_store_what what,
    const struct ae_plan_item *after, const char *check, const char *text)
{
	w->plan->store[w->plan->nstore++] =
	    (struct ae_plan_store){ c, what, check, text, after };
}

static const char *
expired_text(struct walk *w, const struct ae_inv_cert *c)
{
	char when[AE_TIME_STR_MAX];

	return plan_text(
	    w, "it expired on %s", ae_time_print(when, c->not_after));
}

static const char *
revoked_text(struct walk *w, const struct ae_inv_cert *c)
{
	char when[AE_TIME_STR_MAX];

	return plan_text(w, "its CA revoked it on %s%s%s",
	    ae_time_print(when, c->revoked_at),
	    c->revoked_why != NULL ? ": " : "",
	    c->revoked_why != NULL ? c->revoked_why : "");
}

/* Archived before, and of no use any more: deleted where that is wanted. */
static void
archived(
    struct walk *w, const struct ae_template *t, const struct ae_inv_cert *c)
{
	if (how(t, c) != AE_PLAN_DELETE)
		return;
	if (c->revocation == AE_INV_REVOKED)
		add(w, c, AE_PLAN_DELETE, NULL, "existing.revoked",
		    revoked_text(w, c));
	else if (w->in->now >= c->not_after)
		add(w, c, AE_PLAN_DELETE, NULL, "existing.expired",
		    expired_text(w, c));
}

/* Of a template that another one replaces. */
static bool
superseded(
    struct walk *w, const struct ae_template *t, const struct ae_inv_cert *c)
{
	const struct ae_template *by = plan_superseder(w, t);
	const struct ae_plan_item *it = by == NULL ? NULL : plan_item_of(w, by);
	struct cert_judged j;

	if (it == NULL || it->action == AE_PLAN_SKIP)
		return false;
	if (it->action == AE_PLAN_KEEP) {
		plan_cert_judge(&j, w, by, it->have);
		if (!plan_cert_works(j.state))
			return false;
		it = NULL;
	}
	add(w, c, AE_PLAN_ARCHIVE, it, "existing.superseded-by-other",
	    plan_text(w, "template %s supersedes %s", by->cn, t->cn));
	return true;
}

static void
one(struct walk *w, const struct ae_inv_cert *c)
{
	const struct ae_template *t = plan_cert_template(w, c);
	const struct ae_plan_item *it = t == NULL ? NULL : plan_item_of(w, t);
	const struct ae_inv_cert *best;
	struct cert_judged j;

	/* Only what a template made is ours to manage. */
	if (c->template_oid == NULL && c->template_name == NULL)
		return;
	if (w->in->only != NULL && it == NULL)
		return;
	if (c->archived) {
		archived(w, t, c);
		return;
	}
	if (c->revocation == AE_INV_REVOKED) {
		add(w, c, how(t, c), NULL, "existing.revoked",
		    revoked_text(w, c));
		return;
	}
	if (t != NULL && superseded(w, t, c))
		return;
	best = t == NULL ? NULL : plan_cert_best(&j, w, t);
	if (best != NULL && best != c && plan_cert_works(j.state)) {
		add(w, c, AE_PLAN_ARCHIVE, NULL, "use.multiple-candidates",
		    plan_text(w, "%s is newer and valid", best->name));
		return;
	}
	if (w->in->now >= c->not_after)
		add(w, c, how(t, c), requests(it) ? it : NULL,
		    "existing.expired", expired_text(w, c));
}

void
plan_store(struct walk *w)
{
	struct ae_plan *p = w->plan;
	size_t i;

	p->store =
	    ae_arena_array(w->a, w->in->have.ncerts + 1, sizeof(*p->store));
	if (p->store == NULL) {
		w->nomem = true;
		return;
	}
	if ((w->may & AE_POLICY_MANAGE) == 0 || w->in->manual || w->clock_bad)
		return;
	for (i = 0; i < w->in->have.ncerts && !w->nomem; i++)
		one(w, &w->in->have.certs[i]);
}

/*
 * What the directory still shows of us and is of no use to anybody: revoked by
 * its CA, or expired a day ago.  Of what no template made nothing is ours to
 * take away, and of what is valid neither: others may encrypt to it.
 */
void
plan_unpublish(struct walk *w)
{
	const struct ae_inventory *h = &w->in->have;
	struct ae_plan *p = w->plan;
	size_t i;

	p->unpublish =
	    ae_arena_array(w->a, h->npublished + 1, sizeof(*p->unpublish));
	if (p->unpublish == NULL) {
		w->nomem = true;
		return;
	}
	if ((w->may & AE_POLICY_MANAGE) == 0 || w->in->manual ||
	    w->in->only != NULL || w->clock_bad)
		return;
	for (i = 0; i < h->npublished && !w->nomem; i++) {
		const struct ae_inv_cert *c = &h->published[i];
		bool revoked = c->revocation == AE_INV_REVOKED;

		if ((c->template_oid == NULL && c->template_name == NULL) ||
		    (!revoked &&
			w->in->now - AE_PLAN_UNPUBLISH_AFTER < c->not_after))
			continue;
		p->unpublish[p->nunpublish++] = (struct ae_plan_unpublish){ c,
			revoked ? "existing.revoked" : "existing.expired",
			revoked ? revoked_text(w, c) : expired_text(w, c) };
	}
}

static bool
leaves_now(const struct ae_plan *p, const struct ae_inv_cert *c)
{
	size_t i;

	for (i = 0; i < p->nstore; i++)
		if (p->store[i].cert == c && p->store[i].after == NULL)
			return true;
	return false;
}

/* Less than so many percent of the lifetime are left. */
static bool
is_near(const struct walk *w, const struct ae_inv_cert *c)
{
	uint32_t percent = w->in->expiry_percent;
	int64_t life = c->not_after - c->not_before;

	if (percent > 100)
		percent = 100;
	return w->in->now >= c->not_after - life / 100 * percent;
}

static void
expires(struct walk *w, const struct ae_inv_cert *c)
{
	const struct ae_template *t = plan_cert_template(w, c);
	const struct ae_plan_item *it = t == NULL ? NULL : plan_item_of(w, t);
	char when[AE_TIME_STR_MAX];
	const char *text;

	if (c->archived || !is_near(w, c) || leaves_now(w->plan, c))
		return;
	(void)ae_time_print(when, c->not_after);
	text = w->in->now >= c->not_after
	    ? plan_text(w, "%s expired on %s", c->name, when)
	    : plan_text(w, "%s is valid until %s", c->name, when);
	w->plan->expiring[w->plan->nexpiring++] =
	    (struct ae_plan_expiring){ c, text, requests(it) ? it : NULL };
}

void
plan_expiring(struct walk *w)
{
	struct ae_plan *p = w->plan;
	size_t i;

	p->expiring =
	    ae_arena_array(w->a, w->in->have.ncerts + 1, sizeof(*p->expiring));
	if (p->expiring == NULL) {
		w->nomem = true;
		return;
	}
	if (w->in->manual || w->in->only != NULL || w->in->unwatched ||
	    w->clock_bad || (w->in->policy & AE_POLICY_DISABLED) != 0)
		return;
	for (i = 0; i < w->in->have.ncerts && !w->nomem; i++)
		expires(w, &w->in->have.certs[i]);
}
