/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Which CAs can serve a template; see plan_int.h.
 */
#include "base/str.h"
#include "base/time.h"
#include "enroll/plan_int.h"
#include "pki/oid.h"

/* What is in a CA's way, in the order of the stages it gets through. */
enum stage {
	STAGE_NONE,
	STAGE_PUBLISHED,
	STAGE_PERMITTED,
	STAGE_NAMED,
	STAGE_TRUSTED,
	STAGE_USABLE,
};

struct problem {
	enum stage stage; /* the one it fails at */
	const char *check, *text;
	uint16_t event;
};

static struct problem
trust_problem(const struct ae_plan_ca *ca)
{
	static const struct problem v[] = {
		[AE_CA_NO_CERT] = { STAGE_TRUSTED, "ca.cert-missing-in-object",
		    "its AD object holds no certificate", 52 },
		[AE_CA_EXPIRED] = { STAGE_TRUSTED, "trust.ca-cert-expired",
		    "its certificate is not valid now", 52 },
		[AE_CA_NOT_TRUSTED] = { STAGE_TRUSTED, "trust.root-missing",
		    "its certificate is not trusted", 52 },
	};
	struct problem p = v[ca->trust];

	if (ca->trust_text != NULL)
		p.text = ca->trust_text;
	return p;
}

/* Smart-card logons and KDCs trust NTAuth alone, MS-PKCA 3.1.5.2.1. */
static bool
needs_ntauth(const struct ae_template *t)
{
	return ae_strv_has(&t->ekus, AE_OID_EKU_SMARTCARD_LOGON);
}

static struct problem
problem_of(const struct walk *w, const struct ae_template *t,
    const struct ae_plan_ca *ca)
{
	if (!ae_enrollment_service_offers(ca->service, t->cn))
		return (struct problem){ STAGE_PUBLISHED,
			"ca.template-not-published",
			"it does not offer the template", 47 };
	if (ca->service->sd == NULL ||
	    !ae_sd_can_enroll(ca->service->sd, w->in->token))
		return (struct problem){ STAGE_PERMITTED, "ca.no-enroll-right",
			"this account may not request there", 47 };
	if (ca->service->dns_host_name == NULL)
		return (struct problem){ STAGE_NAMED, "ca.object-stale-host",
			"its AD object names no host", 47 };
	if (ca->trust != AE_CA_TRUSTED)
		return trust_problem(ca);
	if (needs_ntauth(t) && !ca->ntauth)
		return (struct problem){ STAGE_TRUSTED, "trust.ntauth-missing",
			"its certificate is not in NTAuthCertificates, and "
			"without that nobody can log on with what it issues",
			52 };
	return (struct problem){ .stage = STAGE_USABLE };
}

/* A CA at the end of its own time has nothing longer to give. */
static void
check_ends(struct walk *w, int64_t latest)
{
	const struct ae_inv_cert *c = w->item->have;
	char when[AE_TIME_STR_MAX];

	if (w->want == AE_PLAN_RENEW && w->judged.state == CERT_DUE &&
	    latest > 0 && latest <= c->not_after)
		FAIL(w, "deny.ca-expires-soon", 0,
		    "the CA's own certificate ends on %s: a new one would not "
		    "last longer than %s does",
		    ae_time_print(when, latest), c->name);
}

static void
use(struct walk *w, const struct ae_template *t, const struct ae_plan_ca *ca)
{
	w->item->cas[w->item->ncas++] = ca->service;
	PASS(w, "ca.usable", "%s on %s offers it", ca->service->cn,
	    ca->service->dns_host_name);
	if (!ca->ntauth && ae_strv_has(&t->ekus, AE_OID_EKU_CLIENT_AUTH)) {
		WARN(w, "trust.ntauth-missing",
		    "%s: its certificate is not in NTAuthCertificates; domain "
		    "controllers refuse logons with what it issues",
		    ca->service->cn);
		ABOUT(w, "%s", ca->service->cn);
	}
}

bool
plan_check_cas(struct walk *w, const struct ae_template *t)
{
	uint16_t none = w->want == AE_PLAN_RENEW ? 23 : 11;
	struct problem worst = { STAGE_NONE, "ca.none-in-forest", NULL, none };
	int64_t latest = 0;
	size_t i;

	w->item->ncas = 0;
	w->item->cas =
	    ae_arena_array(w->a, w->in->ncas + 1, sizeof(*w->item->cas));
	if (w->item->cas == NULL) {
		w->nomem = true;
		return false;
	}
	for (i = 0; i < w->in->ncas; i++) {
		const struct ae_plan_ca *ca = &w->in->cas[i];
		struct problem p = problem_of(w, t, ca);

		if (p.stage == STAGE_USABLE) {
			use(w, t, ca);
			if (ca->not_after == 0 || ca->not_after > latest)
				latest = ca->not_after == 0 ? INT64_MAX
							    : ca->not_after;
			continue;
		}
		/* The CA that got furthest names the failure. */
		if (p.stage > worst.stage)
			worst = p;
		WARN(w, p.check, "%s: %s", ca->service->cn, p.text);
		ABOUT(w, "%s", ca->service->cn);
	}
	if (w->item->ncas == 0)
		FAIL(w, worst.check,
		    w->want == AE_PLAN_RENEW && worst.event == 47 ? 23
								  : worst.event,
		    "%s",
		    w->in->ncas == 0
			? "the forest has no enterprise certification authority"
			: "no certification authority can issue it");
	else
		check_ends(w, latest);
	return true;
}
