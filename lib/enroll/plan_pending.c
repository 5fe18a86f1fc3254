/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests under way: which are asked about, which are given up; see
 * plan_int.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "enroll/plan_int.h"

bool
plan_request_is_of(const struct ae_inv_request *q, const struct ae_template *t)
{
	if (q->template_oid != NULL && t->oid != NULL)
		return strcmp(q->template_oid, t->oid) == 0;
	return ae_str_eq_nocase(q->template_cn, t->cn);
}

bool
plan_request_is_old(const struct walk *w, const struct ae_inv_request *q)
{
	int64_t max =
	    w->in->pending_max > 0 ? w->in->pending_max : AE_PLAN_PENDING_MAX;

	return w->in->now - q->submitted > max;
}

bool
plan_request_has_ca(const struct walk *w, const struct ae_inv_request *q)
{
	size_t i;

	if (q->ca_config == NULL)
		return true;
	for (i = 0; i < w->in->ncas; i++) {
		const struct ae_enrollment_service *s = w->in->cas[i].service;
		char config[1024];

		if (s->dns_host_name == NULL)
			continue;
		(void)snprintf(
		    config, sizeof(config), "%s\\%s", s->dns_host_name, s->cn);
		if (ae_str_eq_nocase(config, q->ca_config))
			return true;
	}
	return false;
}

static const struct ae_template *
template_of(const struct walk *w, const struct ae_inv_request *q)
{
	size_t i;

	for (i = 0; i < w->in->ntemplates; i++)
		if (plan_request_is_of(q, w->in->templates[i]))
			return w->in->templates[i];
	return NULL;
}

/*
 * A request that nobody answered is sent again as it is, if it still is the
 * request to make: as new, or as a renewal of the same certificate.
 */
static bool
still_wanted(const struct ae_plan_item *it, const struct ae_inv_request *q)
{
	if (it->action == AE_PLAN_RENEW)
		return q->renews != NULL &&
		    strcmp(q->renews, it->have->thumbprint) == 0;
	return it->action == AE_PLAN_ENROLL && q->renews == NULL;
}

static void
add(struct walk *w, const struct ae_inv_request *q,
    enum ae_plan_pending_what what, const char *check, const char *text)
{
	struct ae_plan_pending *p = &w->plan->pending[w->plan->npending++];

	*p =
	    (struct ae_plan_pending){ q, what, check, text, template_of(w, q) };
}

static void
one(struct walk *w, const struct ae_inv_request *q)
{
	const struct ae_template *t = template_of(w, q);
	const struct ae_plan_item *it = t == NULL ? NULL : plan_item_of(w, t);
	char when[AE_TIME_STR_MAX];

	if (q->state == AE_INV_KEPT)
		return;
	if (plan_request_is_old(w, q) && !w->clock_bad) {
		add(w, q, AE_PLAN_DROP, "pending.too-old",
		    plan_text(w, "it was made on %s, too long ago",
			ae_time_print(when, q->submitted)));
		return;
	}
	if (q->state == AE_INV_PENDING) {
		if (plan_request_has_ca(w, q))
			add(w, q, AE_PLAN_FETCH, "pending.awaiting-approval",
			    plan_text(w,
				"request %" PRIu32 " was left pending on %s",
				q->request_id,
				ae_time_print(when, q->submitted)));
		return;
	}
	/* A person's, which "enroll" sends again, is not the run's to judge. */
	if (!q->automatic)
		return;
	/* Of a template that is skipped the answer may still matter later. */
	if (it == NULL || it->action == AE_PLAN_SKIP || it->resume == q)
		return;
	add(w, q, AE_PLAN_DROP, "pending.obsolete",
	    it->action == AE_PLAN_KEEP
		? "a valid certificate is there by now"
		: "another request is to be made by now");
}

void
plan_pending(struct walk *w)
{
	size_t i;

	w->plan->pending = ae_arena_array(
	    w->a, w->in->have.nrequests + 1, sizeof(*w->plan->pending));
	if (w->plan->pending == NULL) {
		w->nomem = true;
		return;
	}
	for (i = 0; i < w->plan->nitems; i++) {
		struct ae_plan_item *it = &w->plan->items[i];

		if (it->resume != NULL && !still_wanted(it, it->resume))
			it->resume = NULL;
	}
	if ((w->may & AE_POLICY_PENDING) == 0 || w->in->manual ||
	    w->in->only != NULL)
		return;
	for (i = 0; i < w->in->have.nrequests && !w->nomem; i++)
		one(w, &w->in->have.requests[i]);
}
