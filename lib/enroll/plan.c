/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * plan: the table of checks and the walk over the templates; see plan.h.
 */
#include "enroll/plan.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "ad/sd.h"
#include "base/str.h"
#include "base/time.h"

/*
 * The client version we stand for in msPKI-Private-Key-Flag's nibble
 * 0x0F000000 (MS-CRTD 2.27): 6, the highest that is assigned.
 */
#define CLIENT_VERSION 6u
#define REASON_MAX 512
#define REASONS_MAX 64

struct walk {
	const struct ae_plan_input *in;
	struct ae_plan *plan;
	struct ae_arena *a;
	struct ae_plan_item *item;
	bool nomem;
};

static void add_reason(struct walk *w, struct ae_reasons *rs, const char *check,
    enum ae_verdict verdict, uint16_t event, const char *fmt, ...)
    AE_PRINTF(6, 7);

static void
add_reason(struct walk *w, struct ae_reasons *rs, const char *check,
    enum ae_verdict verdict, uint16_t event, const char *fmt, ...)
{
	char text[REASON_MAX];
	struct ae_reason *r;
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (rs->v == NULL)
		rs->v = ae_arena_array(w->a, REASONS_MAX, sizeof(*rs->v));
	if (rs->v == NULL || rs->n == REASONS_MAX) {
		w->nomem = true;
		return;
	}
	r = &rs->v[rs->n];
	r->check = check;
	r->verdict = verdict;
	r->event = event;
	r->text = ae_arena_strdup(w->a, text);
	if (r->text == NULL) {
		w->nomem = true;
		return;
	}
	rs->n++;
}

#define PASS(w, check, ...) \
	add_reason(w, &(w)->item->reasons, check, AE_PASS, 0, __VA_ARGS__)
#define FAIL(w, check, event, ...) \
	add_reason(w, &(w)->item->reasons, check, AE_FAIL, event, __VA_ARGS__)
#define WARN(w, check, ...) \
	add_reason(w, &(w)->item->reasons, check, AE_WARN, 0, __VA_ARGS__)

/*
 * The checks, one function each.  A check adds one reason and returns true
 * to go on with the next one; false ends the walk for this template because
 * nothing after it would mean anything.
 */
typedef bool check_fn(struct walk *w, const struct ae_template *t);

/* MS-CRTD 2.4: CA templates are never enrolled automatically. */
static bool
check_not_ca(struct walk *w, const struct ae_template *t)
{
	if ((t->flags & (AE_CT_IS_CA | AE_CT_IS_CROSS_CA)) == 0)
		return true;
	FAIL(w, "context.ca-template", 0,
	    "the template is for certification authorities");
	return false;
}

/* MS-WCCE 3.1.2.4.2.2.1.1: a machine template serves the machine alone. */
static bool
check_context(struct walk *w, const struct ae_template *t)
{
	bool machine = (t->flags & AE_CT_MACHINE_TYPE) != 0;

	if (machine && w->in->context == AE_CONTEXT_USER) {
		FAIL(w, "context.machine-template-in-user", 42,
		    "the template is for computers, this is a user");
		return false;
	}
	if (!machine && w->in->context == AE_CONTEXT_MACHINE) {
		FAIL(w, "context.user-template-in-machine", 51,
		    "the template is for users, this is a computer");
		return false;
	}
	PASS(w, "context", "the template is for %s",
	    machine ? "computers" : "users");
	return true;
}

static bool
check_autoenroll_flag(struct walk *w, const struct ae_template *t)
{
	if (w->in->manual)
		return true;
	if (t->schema_version < 2)
		FAIL(w, "template.v1-no-autoenroll", 0,
		    "the template has schema version %u; auto-enrollment "
		    "needs 2 or higher",
		    t->schema_version);
	else if ((t->enrollment_flag & AE_CT_AUTO_ENROLLMENT) == 0)
		FAIL(w, "template.not-configured-autoenroll", 0,
		    "auto-enrollment is not ticked "
		    "(msPKI-Enrollment-Flag 0x%x lacks 0x20)",
		    t->enrollment_flag);
	else
		PASS(
		    w, "template.autoenroll-flag", "auto-enrollment is ticked");
	return true;
}

static bool
right(struct walk *w, const struct ae_template *t,
    bool (*has)(const struct ae_sd *, const struct ae_token *))
{
	return t->sd != NULL && has(t->sd, w->in->token);
}

static bool
check_read(struct walk *w, const struct ae_template *t)
{
	if (right(w, t, ae_sd_can_read))
		PASS(w, "template.read-right", "Read is granted");
	else
		FAIL(w, "template.no-read-right", 46,
		    "Read is not granted to this account or its groups");
	return true;
}

static bool
check_enroll(struct walk *w, const struct ae_template *t)
{
	if (right(w, t, ae_sd_can_enroll))
		PASS(w, "template.enroll-right", "Enroll is granted");
	else
		FAIL(w, "template.no-enroll-right", 46,
		    "Enroll is not granted to this account or its groups");
	return true;
}

static bool
check_autoenroll(struct walk *w, const struct ae_template *t)
{
	if (w->in->manual)
		return true;
	if (right(w, t, ae_sd_can_autoenroll))
		PASS(w, "template.autoenroll-right", "Autoenroll is granted");
	else
		FAIL(w, "template.no-autoenroll-right", 46,
		    "Autoenroll is not granted to this account or its groups");
	return true;
}

/* MS-WCCE 3.1.2.4.2.1: an unknown schema version is not enrolled. */
static bool
check_versions(struct walk *w, const struct ae_template *t)
{
	unsigned client = AE_CT_CLIENT_VERSION(t->private_key_flag);

	if (t->schema_version < 1 || t->schema_version > 4)
		FAIL(w, "template.schema-unknown", 0,
		    "schema version %u is not known here", t->schema_version);
	else if (client > CLIENT_VERSION)
		FAIL(w, "template.client-too-old", 0,
		    "the template wants client version %u, this is %u "
		    "(MS-WCCE 3.1.2.4.2.2.2.8)",
		    client, CLIENT_VERSION);
	else
		PASS(w, "template.versions",
		    "schema version %u, revision %u.%u", t->schema_version,
		    t->revision, t->minor_revision);
	return true;
}

static bool
check_subject(struct walk *w, const struct ae_template *t)
{
	if (w->in->manual)
		return true;
	if ((t->name_flag &
		(AE_CT_ENROLLEE_SUPPLIES_SUBJECT |
		    AE_CT_ENROLLEE_SUPPLIES_SAN)) != 0)
		FAIL(w, "template.supplies-subject", 38,
		    "the request must supply the subject; the first "
		    "certificate is enrolled by hand");
	else
		PASS(w, "template.subject", "the subject is built from AD");
	return true;
}

static bool
check_interaction(struct walk *w, const struct ae_template *t)
{
	if ((t->private_key_flag & AE_CT_STRONG_KEY_PROTECTION) != 0)
		FAIL(w, "template.user-interaction", 37,
		    "strong key protection is ticked: somebody would have to "
		    "answer a question");
	else if ((t->enrollment_flag & AE_CT_USER_INTERACTION_REQUIRED) != 0 &&
	    !w->in->manual)
		FAIL(w, "template.user-interaction", 38,
		    "user interaction is ticked: somebody would have to "
		    "answer a question");
	else
		PASS(w, "template.silent", "nobody has to be asked");
	return true;
}

static bool
check_ra_signature(struct walk *w, const struct ae_template *t)
{
	if (t->ra_signature > 0)
		FAIL(w, "template.ra-signature", 48,
		    "the template wants %u signature(s) of a registration "
		    "authority",
		    t->ra_signature);
	else
		PASS(w, "template.signatures", "no further signature needed");
	return true;
}

static bool
check_archival(struct walk *w, const struct ae_template *t)
{
	if ((t->private_key_flag & AE_CT_REQUIRE_PRIVATE_KEY_ARCHIVAL) != 0)
		FAIL(w, "key.archival", 45,
		    "the template wants the private key archived at the CA");
	return true;
}

static bool
check_attestation(struct walk *w, const struct ae_template *t)
{
	char text[AE_ATTEST_STR_MAX];

	switch (ae_attestation(t, text)) {
	case AE_ATTEST_REQUIRED:
		FAIL(w, "key.attestation", 85, "%s", text);
		break;
	case AE_ATTEST_PREFERRED:
		WARN(w, "key.attestation", "%s", text);
		break;
	case AE_ATTEST_NONE:
		break;
	}
	return true;
}

static bool
check_key(struct walk *w, const struct ae_template *t)
{
	struct ae_err e = AE_ERR_INIT;

	struct ae_key_spec *k = &w->item->key;
	const char *name;

	if (ae_key_spec_from_template(k, t, w->in->providers, &e) != AE_OK) {
		FAIL(w, k->check, k->event, "%s", e.text);
		return true;
	}
	name = k->provider_name;
	PASS(w, "key.provider", "a key of %s, %u bits, %s%s%s%s",
	    ae_key_alg_name(k->alg), k->bits,
	    k->provider == AE_PROVIDER_TPM	   ? "in the TPM"
		: k->provider == AE_PROVIDER_TOKEN ? "in the PKCS#11 token"
						   : "in software",
	    name != NULL ? " (" : "", name != NULL ? name : "",
	    name != NULL ? ")" : "");
	return true;
}

/* The template another one in reach says it replaces, MS-CRTD 2.21. */
static const struct ae_template *
superseder(struct walk *w, const struct ae_template *t)
{
	size_t i;

	for (i = 0; i < w->in->ntemplates; i++) {
		const struct ae_template *o = w->in->templates[i];

		if (o != t && ae_strv_has_nocase(&o->supersedes, t->cn) &&
		    (o->enrollment_flag & AE_CT_AUTO_ENROLLMENT) != 0 &&
		    right(w, o, ae_sd_can_enroll) &&
		    right(w, o, ae_sd_can_autoenroll) &&
		    !ae_strv_has_nocase(&t->supersedes, o->cn))
			return o;
	}
	return NULL;
}

static bool
check_superseded(struct walk *w, const struct ae_template *t)
{
	const struct ae_template *by;

	if (w->in->manual)
		return true;
	by = superseder(w, t);
	if (by != NULL)
		FAIL(w, "template.superseded", 56,
		    "template %s supersedes it and can be enrolled", by->cn);
	return true;
}

int64_t
ae_plan_renew_at(int64_t not_before, int64_t not_after, int64_t overlap)
{
	int64_t eighty = not_before + (not_after - not_before) / 5 * 4;
	int64_t window = overlap > 0 ? not_after - overlap : not_after;

	return eighty > window ? eighty : window;
}

static bool
of_template(const struct ae_inv_cert *c, const struct ae_template *t)
{
	if (c->template_oid != NULL && t->oid != NULL)
		return strcmp(c->template_oid, t->oid) == 0;
	return c->template_name != NULL &&
	    ae_str_eq_nocase(c->template_name, t->cn);
}

/* The newest certificate of the template that is in use, or NULL. */
static const struct ae_inv_cert *
newest(struct walk *w, const struct ae_template *t)
{
	const struct ae_inv_cert *best = NULL;
	size_t i;

	for (i = 0; i < w->in->have.ncerts; i++) {
		const struct ae_inv_cert *c = &w->in->have.certs[i];

		if (of_template(c, t) && !c->archived &&
		    (best == NULL || c->not_before > best->not_before))
			best = c;
	}
	return best;
}

/* Why a certificate that is there does not do, or NULL when it does. */
static const char *
not_good(struct walk *w, const struct ae_template *t,
    const struct ae_inv_cert *c, char *text, size_t len)
{
	char when[AE_TIME_STR_MAX];
	int64_t due = ae_plan_renew_at(c->not_before, c->not_after, t->overlap);

	if (!c->has_key) {
		(void)snprintf(text, len, "its private key is missing");
		return "existing.key-missing";
	}
	if (w->in->now >= c->not_after) {
		(void)snprintf(text, len, "it expired on %s",
		    ae_time_print(when, c->not_after));
		return "existing.expired";
	}
	if (!c->trusted) {
		(void)snprintf(
		    text, len, "it does not chain to a trusted root any more");
		return "existing.untrusted";
	}
	if (c->template_oid != NULL && c->major < t->revision) {
		(void)snprintf(text, len,
		    "it was issued for revision %u, the template has %u",
		    c->major, t->revision);
		return "existing.template-revised";
	}
	if (w->in->now >= due &&
	    (t->enrollment_flag & AE_CT_SKIP_AUTO_RENEWAL) == 0 &&
	    (w->in->policy & AE_POLICY_MANAGE) != 0) {
		(void)snprintf(text, len, "it is due for replacement since %s",
		    ae_time_print(when, due));
		return "existing.renewal-due";
	}
	return NULL;
}

static bool
check_existing(struct walk *w, const struct ae_template *t)
{
	const struct ae_inv_cert *c = newest(w, t);
	char when[AE_TIME_STR_MAX], text[128];
	const char *why;

	if (c == NULL) {
		PASS(w, "existing.none", "there is no certificate of it yet");
		return true;
	}
	w->item->have = c;
	why = not_good(w, t, c, text, sizeof(text));
	if (why != NULL)
		WARN(w, why, "there is %s, but %s", c->name, text);
	else if (w->in->manual)
		WARN(w, "existing.valid-present",
		    "%s is valid until %s; another one is requested by hand",
		    c->name, ae_time_print(when, c->not_after));
	else
		PASS(w, "existing.valid-present", "%s is valid until %s",
		    c->name, ae_time_print(when, c->not_after));
	if (why == NULL && !w->in->manual)
		w->item->action = AE_PLAN_KEEP;
	return true;
}

/* One CA: why it cannot serve the template, or NULL when it can. */
static const char *
ca_problem(struct walk *w, const struct ae_template *t,
    const struct ae_plan_ca *ca, const char **check, uint16_t *event)
{
	static const char *const trust[] = {
		[AE_CA_NO_CERT] = "its AD object holds no certificate",
		[AE_CA_EXPIRED] = "its certificate is not valid now",
		[AE_CA_NOT_TRUSTED] = "its certificate is not trusted",
	};
	static const char *const trust_check[] = {
		[AE_CA_NO_CERT] = "ca.cert-missing-in-object",
		[AE_CA_EXPIRED] = "trust.ca-cert-expired",
		[AE_CA_NOT_TRUSTED] = "trust.root-missing",
	};

	*event = 47;
	if (!ae_enrollment_service_offers(ca->service, t->cn)) {
		*check = "ca.template-not-published";
		return "it does not offer the template";
	}
	if (ca->service->sd == NULL ||
	    !ae_sd_can_enroll(ca->service->sd, w->in->token)) {
		*check = "ca.no-enroll-right";
		return "this account may not request there";
	}
	if (ca->service->dns_host_name == NULL) {
		*check = "ca.object-stale-host";
		return "its AD object names no host";
	}
	if (ca->trust != AE_CA_TRUSTED) {
		*event = 52;
		*check = trust_check[ca->trust];
		return ca->trust_text != NULL ? ca->trust_text
					      : trust[ca->trust];
	}
	return NULL;
}

static bool
check_cas(struct walk *w, const struct ae_template *t)
{
	const char *check = "ca.none-in-forest", *why, *first = check;
	uint16_t event = 47, first_event = 11;
	size_t i;

	w->item->cas =
	    ae_arena_array(w->a, w->in->ncas + 1, sizeof(*w->item->cas));
	if (w->item->cas == NULL) {
		w->nomem = true;
		return false;
	}
	for (i = 0; i < w->in->ncas; i++) {
		const struct ae_plan_ca *ca = &w->in->cas[i];

		why = ca_problem(w, t, ca, &check, &event);
		if (why == NULL) {
			w->item->cas[w->item->ncas++] = ca->service;
			PASS(w, "ca.usable", "%s on %s offers it",
			    ca->service->cn, ca->service->dns_host_name);
			continue;
		}
		/* The most telling problem names the failure: the last
		 * stage any CA got to. */
		if (i == 0 || event == 52 ||
		    strcmp(first, "ca.template-not-published") == 0) {
			first = check;
			first_event = event;
		}
		WARN(w, check, "%s: %s", ca->service->cn, why);
	}
	if (w->item->ncas == 0)
		FAIL(w, first, first_event, "%s",
		    w->in->ncas == 0
			? "the forest has no enterprise certification authority"
			: "no certification authority can issue it");
	return true;
}

/* clang-format off */
static check_fn *const checks[] = {
	check_not_ca,
	check_context,
	check_read,
	check_enroll,
	check_autoenroll_flag,
	check_autoenroll,
	check_versions,
	check_superseded,
	check_subject,
	check_interaction,
	check_ra_signature,
	check_archival,
	check_attestation,
	check_key,
	check_cas,
	check_existing,
};
/* clang-format on */

/* May a failing check of this template be news to the admin? */
static bool
is_candidate(struct walk *w, const struct ae_template *t)
{
	bool machine = (t->flags & AE_CT_MACHINE_TYPE) != 0;

	return machine == (w->in->context == AE_CONTEXT_MACHINE) &&
	    (t->enrollment_flag & AE_CT_AUTO_ENROLLMENT) != 0 &&
	    t->schema_version >= 2 && right(w, t, ae_sd_can_autoenroll);
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

static void
one_template(struct walk *w, const struct ae_template *t)
{
	size_t i;

	w->item->tmpl = t;
	w->item->action = AE_PLAN_ENROLL;
	w->item->candidate = is_candidate(w, t);
	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++)
		if (!checks[i](w, t))
			break;
	if (ae_plan_decisive(w->item) != NULL)
		w->item->action = AE_PLAN_SKIP;
	else if (w->item->action == AE_PLAN_ENROLL && !w->plan->enabled)
		w->item->action = AE_PLAN_SKIP;
}

/* AEPolicy, every value of it. */
static void
check_policy(struct walk *w)
{
	struct ae_reasons *rs = &w->plan->reasons;
	uint32_t p = w->in->policy;

	if (w->in->manual) {
		w->plan->enabled = true;
		add_reason(w, rs, "policy.manual", AE_PASS, 0,
		    "asked for by hand; AEPolicy does not matter");
	} else if (!w->in->policy_set || p == 0) {
		add_reason(w, rs, "policy.aepolicy-absent", AE_FAIL, 0,
		    "AEPolicy is %s: nothing is requested, renewed or fetched",
		    w->in->policy_set ? "0" : "not set");
	} else if ((p & AE_POLICY_DISABLED) != 0) {
		add_reason(w, rs, "policy.aepolicy-disabled", AE_FAIL, 0,
		    "AEPolicy 0x%" PRIx32 " switches auto-enrollment off", p);
	} else if ((p & AE_POLICY_ENROLL) == 0) {
		add_reason(w, rs, "policy.no-enroll-bit", AE_FAIL, 0,
		    "AEPolicy 0x%" PRIx32 " lacks bit 0x1: no new "
		    "certificates are requested",
		    p);
	} else {
		w->plan->enabled = true;
		add_reason(w, rs, "policy.enabled", AE_PASS, 0,
		    "AEPolicy is 0x%" PRIx32, p);
	}
}

/* What is expired, replaced or superseded leaves the current set. */
static void
plan_archive(struct walk *w)
{
	struct ae_plan *p = w->plan;
	size_t i;

	p->store = ae_arena_array(w->a, p->nitems + 1, sizeof(*p->store));
	if (p->store == NULL) {
		w->nomem = true;
		return;
	}
	if ((w->in->policy & AE_POLICY_MANAGE) == 0 || w->in->manual ||
	    (w->in->policy & AE_POLICY_DISABLED) != 0)
		return;
	for (i = 0; i < p->nitems; i++) {
		const struct ae_plan_item *it = &p->items[i];

		if (it->have != NULL && it->action == AE_PLAN_SKIP &&
		    w->in->now >= it->have->not_after)
			p->store[p->nstore++] =
			    (struct ae_plan_store){ it->have, AE_PLAN_ARCHIVE,
				    "existing.expired", "it has expired",
				    NULL };
	}
}

int
ae_plan_make(struct ae_plan **out, const struct ae_plan_input *in,
    struct ae_arena *a, struct ae_err *e)
{
	struct walk w = { .in = in, .a = a };
	size_t i;

	w.plan = ae_arena_alloc(a, sizeof(*w.plan));
	if (w.plan == NULL)
		return ae_fail_mem(e);
	w.plan->items =
	    ae_arena_array(a, in->ntemplates, sizeof(*w.plan->items));
	if (w.plan->items == NULL)
		return ae_fail_mem(e);
	check_policy(&w);
	for (i = 0; i < in->ntemplates && !w.nomem; i++) {
		if (in->only != NULL &&
		    !ae_str_eq_nocase(in->templates[i]->cn, in->only))
			continue;
		w.item = &w.plan->items[w.plan->nitems++];
		one_template(&w, in->templates[i]);
	}
	if (!w.nomem)
		plan_archive(&w);
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
ae_inv_request_state_name(enum ae_inv_request_state s)
{
	static const char *const names[] = {
		[AE_INV_MADE] = "made",
		[AE_INV_ASKED] = "asked",
		[AE_INV_PENDING] = "pending",
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
