/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * plan: the order of the checks and the walk over the templates; see
 * plan.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/time.h"
#include "enroll/plan_int.h"

#define REASON_MAX 512
#define REASONS_FIRST 24

static char *print_text(struct walk *w, const char *fmt, va_list ap)
    AE_PRINTF(2, 0);

static char *
print_text(struct walk *w, const char *fmt, va_list ap)
{
	char text[REASON_MAX];
	char *s;

	(void)vsnprintf(text, sizeof(text), fmt, ap);
	s = ae_arena_strdup(w->a, text);
	if (s == NULL)
		w->nomem = true;
	return s;
}

const char *
plan_text(struct walk *w, const char *fmt, ...)
{
	const char *s;
	va_list ap;

	va_start(ap, fmt);
	s = print_text(w, fmt, ap);
	va_end(ap);
	return s;
}

/* Room for one more; the old array stays in the arena. */
static bool
grow(struct walk *w, struct ae_reasons *rs)
{
	size_t room = rs->room == 0 ? REASONS_FIRST : 2 * rs->room;
	struct ae_reason *v = ae_arena_array(w->a, room, sizeof(*v));

	if (v == NULL) {
		w->nomem = true;
		return false;
	}
	if (rs->n > 0)
		memcpy(v, rs->v, rs->n * sizeof(*v));
	rs->v = v;
	rs->room = room;
	return true;
}

static void add(struct walk *w, struct ae_reasons *rs, struct ae_reason r,
    const char *fmt, va_list ap) AE_PRINTF(4, 0);

static void
add(struct walk *w, struct ae_reasons *rs, struct ae_reason r, const char *fmt,
    va_list ap)
{
	if (rs->n == rs->room && !grow(w, rs))
		return;
	r.text = print_text(w, fmt, ap);
	if (r.text != NULL)
		rs->v[rs->n++] = r;
}

void
plan_reason(struct walk *w, struct ae_reasons *rs, const char *check,
    enum ae_verdict verdict, uint16_t event, const char *fmt, ...)
{
	va_list ap;

	if (w->quiet)
		return;
	va_start(ap, fmt);
	add(w, rs,
	    (struct ae_reason){
		.check = check, .verdict = verdict, .event = event },
	    fmt, ap);
	va_end(ap);
}

void
plan_fail(
    struct walk *w, const char *check, uint16_t event, const char *fmt, ...)
{
	bool kept = w->want == AE_PLAN_KEEP;
	va_list ap;

	w->failed = w->failed || !kept;
	if (w->quiet)
		return;
	va_start(ap, fmt);
	add(w, &w->item->reasons,
	    (struct ae_reason){ .check = check,
		.verdict = kept ? AE_WARN : AE_FAIL,
		.event = event },
	    fmt, ap);
	va_end(ap);
}

void
plan_about(struct walk *w, struct ae_reasons *rs, const char *fmt, ...)
{
	va_list ap;

	if (w->quiet || w->nomem || rs->n == 0)
		return;
	va_start(ap, fmt);
	rs->v[rs->n - 1].about = print_text(w, fmt, ap);
	va_end(ap);
}

/* clang-format off */
static check_fn *const checks[] = {
	plan_check_not_ca,
	plan_check_context,
	plan_check_read,
	plan_check_enroll,
	plan_check_autoenroll_flag,
	plan_check_autoenroll,
	plan_check_versions,
	plan_check_periods,
	plan_check_superseded,
	plan_check_subject,
	plan_check_interaction,
	plan_check_ra_signature,
	plan_check_archival,
	plan_check_attestation,
	plan_check_key,
	plan_check_cas,
	plan_check_existing,
	plan_check_published,
	plan_check_pending,
	plan_check_clock,
	plan_check_policy,
};
/* clang-format on */

/* May a failing check of this template be news to the admin? */
static bool
is_candidate(const struct walk *w, const struct ae_template *t)
{
	bool machine = (t->flags & AE_CT_MACHINE_TYPE) != 0;

	return machine == (w->in->context == AE_CONTEXT_MACHINE) &&
	    (plan_is_auto(w, t) || w->want == AE_PLAN_RENEW);
}

const struct ae_reason *
ae_plan_decisive(const struct ae_plan_item *item)
{
	size_t i;

	for (i = 0; i < item->reasons.n; i++)
		if (item->reasons.v[i].verdict == AE_FAIL)
			return &item->reasons.v[i];
	return NULL;
}

struct ae_plan_item *
plan_item_of(const struct walk *w, const struct ae_template *t)
{
	size_t i;

	for (i = 0; i < w->plan->nitems; i++)
		if (w->plan->items[i].tmpl == t)
			return &w->plan->items[i];
	return NULL;
}

static void
one_template(struct walk *w, const struct ae_template *t)
{
	struct ae_plan_item *it = w->item;
	size_t i;

	it->tmpl = t;
	w->failed = false;
	plan_want(w, t);
	it->candidate = is_candidate(w, t);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (!checks[i](w, t))
			break;
	it->action = w->failed ? AE_PLAN_SKIP : w->want;
	/* With a registration authority's signature it is a new request. */
	if (it->action == AE_PLAN_RENEW && it->signer != NULL) {
		it->action = AE_PLAN_ENROLL;
		it->same_key = false;
	}
}

/* Which templates could be had, or are: what superseding depends on. */
static void
find_usable(struct walk *w)
{
	struct ae_plan_item scratch;
	size_t i;

	w->usable =
	    ae_arena_array(w->a, w->in->ntemplates + 1, sizeof(*w->usable));
	if (w->usable == NULL) {
		w->nomem = true;
		return;
	}
	w->quiet = true;
	for (i = 0; i < w->in->ntemplates && !w->nomem; i++) {
		const struct ae_template *t = w->in->templates[i];

		if (t->supersedes.n == 0 || !plan_is_auto(w, t))
			continue;
		memset(&scratch, 0, sizeof(scratch));
		w->item = &scratch;
		one_template(w, t);
		w->usable[i] = scratch.action != AE_PLAN_SKIP &&
		    (scratch.action != AE_PLAN_KEEP ||
			plan_cert_works(w->judged.state));
	}
	w->quiet = false;
}

/* AEPolicy, every value of it; its bits are independent of each other. */
static void
check_policy(struct walk *w)
{
	const uint32_t all =
	    AE_POLICY_ENROLL | AE_POLICY_MANAGE | AE_POLICY_PENDING;
	struct ae_reasons *rs = &w->plan->reasons;
	uint32_t p = w->in->policy;

	if (w->in->manual) {
		w->may = all;
		plan_reason(w, rs, "policy.manual", AE_PASS, 0,
		    "asked for by hand; AEPolicy does not matter");
		return;
	}
	if (!w->in->policy_set || p == 0) {
		plan_reason(w, rs, "policy.aepolicy-absent", AE_FAIL, 0,
		    "AEPolicy is %s: nothing is requested, renewed or fetched",
		    w->in->policy_set ? "0" : "not set");
		return;
	}
	if ((p & AE_POLICY_DISABLED) != 0) {
		plan_reason(w, rs, "policy.aepolicy-disabled", AE_FAIL, 0,
		    "AEPolicy 0x%" PRIx32 " switches auto-enrollment off", p);
		return;
	}
	if (w->in->off_check != NULL) {
		plan_reason(
		    w, rs, w->in->off_check, AE_FAIL, 0, "%s", w->in->off_text);
		return;
	}
	w->may = p & all;
	if (w->may == all)
		plan_reason(w, rs, "policy.enabled", AE_PASS, 0,
		    "AEPolicy is 0x%" PRIx32, p);
	if ((p & AE_POLICY_ENROLL) == 0)
		plan_reason(w, rs, "policy.no-enroll-bit", AE_FAIL, 0,
		    "AEPolicy 0x%" PRIx32 " lacks bit 0x1: no new "
		    "certificates are requested",
		    p);
	if ((p & AE_POLICY_MANAGE) == 0)
		plan_reason(w, rs, "policy.no-renew-bit", AE_WARN, 0,
		    "AEPolicy 0x%" PRIx32 " lacks bit 0x2: nothing is renewed "
		    "or archived",
		    p);
	if ((p & AE_POLICY_PENDING) == 0)
		plan_reason(w, rs, "pending.pickup-disabled", AE_WARN, 0,
		    "AEPolicy 0x%" PRIx32 " lacks bit 0x4: what a CA approved "
		    "later is not fetched",
		    p);
}

static void
check_clock(struct walk *w)
{
	int64_t off = w->in->now - w->in->dc_now;
	char by[AE_TIME_STR_MAX];

	if (w->in->dc_now == 0)
		return;
	w->clock_bad = off > AE_PLAN_CLOCK_SKEW || off < -AE_PLAN_CLOCK_SKEW;
	if (w->clock_bad)
		plan_reason(w, &w->plan->reasons, "time.skew", AE_FAIL, 0,
		    "this machine's clock is %s %s the domain controller's: "
		    "nothing is decided by time until they agree",
		    ae_span_print(by, off > 0 ? off : -off),
		    off > 0 ? "ahead of" : "behind");
}

/* Certificates in use whose template is not there (any more), event 25. */
static void
check_orphans(struct walk *w)
{
	size_t i;

	if ((w->may & AE_POLICY_MANAGE) == 0 || w->in->only != NULL)
		return;
	for (i = 0; i < w->in->have.ncerts; i++) {
		const struct ae_inv_cert *c = &w->in->have.certs[i];

		if (!c->archived &&
		    (c->template_oid != NULL || c->template_name != NULL) &&
		    plan_cert_template(w, c) == NULL)
			plan_reason(w, &w->plan->reasons,
			    "renew.template-gone-or-denied", AE_WARN, 25,
			    "%s cannot be renewed: the directory shows this "
			    "account no template %s",
			    c->name,
			    c->template_oid != NULL ? c->template_oid
						    : c->template_name);
		plan_about(w, &w->plan->reasons, "%s", c->name);
	}
}

static void
walk_templates(struct walk *w)
{
	const struct ae_plan_input *in = w->in;
	size_t i;

	for (i = 0; i < in->ntemplates && !w->nomem; i++) {
		if (in->only != NULL &&
		    !ae_str_eq_nocase(in->templates[i]->cn, in->only))
			continue;
		w->item = &w->plan->items[w->plan->nitems++];
		one_template(w, in->templates[i]);
	}
}

int
ae_plan_make(struct ae_plan **out, const struct ae_plan_input *in,
    struct ae_arena *a, struct ae_err *e)
{
	struct walk w = { .in = in, .a = a };

	w.plan = ae_arena_alloc(a, sizeof(*w.plan));
	if (w.plan == NULL)
		return ae_fail_mem(e);
	w.plan->items =
	    ae_arena_array(a, in->ntemplates, sizeof(*w.plan->items));
	if (w.plan->items == NULL)
		return ae_fail_mem(e);
	check_policy(&w);
	check_clock(&w);
	check_orphans(&w);
	w.plan->may = w.may;
	w.plan->enabled = w.may != 0;
	find_usable(&w);
	walk_templates(&w);
	if (!w.nomem)
		plan_store(&w);
	if (!w.nomem)
		plan_pending(&w);
	if (!w.nomem)
		plan_unpublish(&w);
	if (!w.nomem)
		plan_expiring(&w);
	if (w.nomem)
		return ae_fail(e, ae_arena_full(a) ? AE_ELIMIT : AE_ENOMEM,
		    AE_DOM_NONE, 0, "no room for the plan");
	*out = w.plan;
	return AE_OK;
}

const char *
ae_plan_action_name(enum ae_plan_action action)
{
	static const char *const names[] = {
		[AE_PLAN_SKIP] = "skip",
		[AE_PLAN_KEEP] = "keep",
		[AE_PLAN_ENROLL] = "enroll",
		[AE_PLAN_RENEW] = "renew",
	};

	return names[action];
}

const char *
ae_plan_store_name(enum ae_plan_store_what what)
{
	return what == AE_PLAN_DELETE ? "delete" : "archive";
}

const char *
ae_plan_pending_name(enum ae_plan_pending_what what)
{
	return what == AE_PLAN_DROP ? "drop" : "fetch";
}

const char *
ae_inv_revocation_name(enum ae_inv_revocation r)
{
	static const char *const names[] = {
		[AE_INV_UNKNOWN] = "unknown",
		[AE_INV_GOOD] = "good",
		[AE_INV_HOLD] = "hold",
		[AE_INV_REVOKED] = "revoked",
	};

	return names[r];
}

const char *
ae_inv_request_state_name(enum ae_inv_request_state s)
{
	static const char *const names[] = {
		[AE_INV_MADE] = "made",
		[AE_INV_ASKED] = "asked",
		[AE_INV_PENDING] = "pending",
		[AE_INV_KEPT] = "kept",
	};

	return names[s];
}

const char *
ae_verdict_name(enum ae_verdict v)
{
	static const char *const names[] = {
		[AE_PASS] = "pass",
		[AE_FAIL] = "fail",
		[AE_WARN] = "warn",
	};

	return names[v];
}
