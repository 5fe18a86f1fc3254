/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See escaudit.h.  Power is judged by what an entry's own SID could do
 * alone, as a member of Everyone and Authenticated Users.
 */
#include "ca/escaudit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "base/wr.h"
#include "ca/config.h"
#include "pki/oid.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define FINDINGS_MAX 4096u

/* clang-format off */
const struct ae_esc_absent ae_esc_absent[] = {
	{ "ESC6", "there is no EDITF_ATTRIBUTESUBJECTALTNAME2: names in request attributes are never taken" },
	{ "ESC10", "settings of domain controllers are in no directory: look at StrongCertificateBindingEnforcement on each" },
	{ "ESC11", "requests are taken at privacy level only" },
	{ "ESC12", "the key is in a process of its own; its PIN is in no configuration" },
	{ "ESC16", "the SID extension cannot be switched off for a whole CA" },
	{ NULL, NULL },
};

/* MS-DTYP 2.4.2.4: relative ids, of any domain, that hold power anyway. */
static const uint32_t powerful[] = {
	498,	/* Enterprise Read-only Domain Controllers */
	500,	/* Administrator */
	512,	/* Domain Admins */
	516,	/* Domain Controllers */
	517,	/* Cert Publishers */
	518,	/* Schema Admins */
	519,	/* Enterprise Admins */
	526, 527, /* Key Admins, Enterprise Key Admins */
};
static const char *const powerful_sids[] = {
	"S-1-5-9", "S-1-5-18", "S-1-5-32-544", "S-1-3-0", "S-1-3-4", "S-1-5-10",
};

/* Purposes that log somebody in. */
static const char *const logins[] = { AE_OID_EKU_CLIENT_AUTH, AE_OID_EKU_SMARTCARD_LOGON,
	AE_OID_EKU_ANY, AE_OID_POLICY_ANY_APPLICATION, "1.3.6.1.5.2.3.4" };
/* clang-format on */

static bool
is_trusted(const struct ae_esc_in *in, const struct ae_sid *own,
    const struct ae_sid *sid)
{
	struct ae_sid s;
	size_t i;

	if (own != NULL && ae_sid_equal(own, sid))
		return true;
	for (i = 0; i < in->ntrusted; i++)
		if (ae_sid_equal(&in->trusted[i], sid))
			return true;
	for (i = 0; i < COUNT(powerful_sids); i++)
		if (ae_sid_parse(&s, powerful_sids[i]) && ae_sid_equal(&s, sid))
			return true;
	if (sid->authority != 5 || sid->nsubs != 5 || sid->sub[0] != 21)
		return false;
	for (i = 0; i < COUNT(powerful); i++)
		if (sid->sub[4] == powerful[i])
			return true;
	return false;
}

static int
add(struct ae_esc_findings *out, const struct ae_esc_finding *f,
    struct ae_err *e)
{
	struct ae_esc_finding *more;

	if (out->n >= FINDINGS_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %u findings", FINDINGS_MAX);
	more = reallocarray(out->v, out->n + 1, sizeof(*more));
	if (more == NULL)
		return ae_fail_mem(e);
	out->v = more;
	out->v[out->n++] = *f;
	return AE_OK;
}

void
ae_esc_findings_done(struct ae_esc_findings *f)
{
	free(f->v);
	memset(f, 0, sizeof(*f));
}

/* Each SID once that the DACL allows something and that is not trusted. */
static size_t
strangers(struct ae_sid **out, const struct ae_esc_in *in,
    const struct ae_sid *own, const struct ae_sd *sd)
{
	struct ae_sid *v = calloc(sd->dacl.n + 2, sizeof(*v));
	size_t i, j, n = 0;

	*out = v;
	if (v == NULL)
		return 0;
	if (sd->has_owner && !is_trusted(in, own, &sd->owner))
		v[n++] = sd->owner;
	for (i = 0; i < sd->dacl.n; i++) {
		const struct ae_sid *s = &sd->dacl.v[i].sid;

		for (j = 0; j < n; j++)
			if (ae_sid_equal(&v[j], s))
				break;
		if (j == n && sd->dacl.v[i].known && !is_trusted(in, own, s))
			v[n++] = *s;
	}
	return n;
}

/* The first stranger who may enroll; false: none. */
static bool
open_to(struct ae_sid *who, const struct ae_esc_in *in, const struct ae_sd *sd)
{
	struct ae_token *t = NULL;
	struct ae_sid *v = NULL;
	size_t i, n;
	bool yes = false;

	if (sd == NULL)
		return false;
	n = strangers(&v, in, NULL, sd);
	for (i = 0; !yes && i < n; i++) {
		if (ae_token_new(&t, &v[i], NULL, 0, 0, NULL) != AE_OK)
			break;
		yes = ae_sd_can_enroll(sd, t);
		*who = v[i];
		ae_token_free(t);
	}
	free(v);
	return yes;
}

/* ---- templates ---- */

static const struct ae_strv *
purposes(const struct ae_template *t)
{
	return t->application_policies.n != 0 ? &t->application_policies
					      : &t->ekus;
}

static bool
has_any(const struct ae_template *t, const char *const *oids, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (ae_strv_has(purposes(t), oids[i]))
			return true;
	return false;
}

static bool
no_purpose(const struct ae_template *t)
{
	return t->ekus.n == 0 && t->application_policies.n == 0;
}

static bool
logs_in(const struct ae_template *t)
{
	return no_purpose(t) || has_any(t, logins, COUNT(logins));
}

static bool
supplied(const struct ae_template *t)
{
	return (t->name_flag &
		   (AE_CT_ENROLLEE_SUPPLIES_SUBJECT |
		       AE_CT_ENROLLEE_SUPPLIES_SAN)) != 0;
}

static bool
esc1(const struct ae_template *t)
{
	return supplied(t) && logs_in(t) && !no_purpose(t);
}

static bool
esc2(const struct ae_template *t)
{
	return no_purpose(t) || ae_strv_has(purposes(t), AE_OID_EKU_ANY) ||
	    ae_strv_has(purposes(t), AE_OID_POLICY_ANY_APPLICATION);
}

static bool
esc3(const struct ae_template *t)
{
	return ae_strv_has(purposes(t), AE_OID_EKU_ENROLLMENT_AGENT);
}

static bool
esc9(const struct ae_template *t)
{
	return (t->enrollment_flag & AE_CT_NO_SECURITY_EXTENSION) != 0 &&
	    logs_in(t);
}

static bool
esc15(const struct ae_template *t)
{
	return t->schema_version == 1 && supplied(t);
}

static bool
esc17(const struct ae_template *t)
{
	return supplied(t) && ae_strv_has(purposes(t), AE_OID_EKU_SERVER_AUTH);
}

/* clang-format off */
static const struct {
	const char *esc;
	bool (*is)(const struct ae_template *t);
	const char *what, *fix;
	const char *danger; /* of the template itself; NULL: it depends */
} kinds[] = {
	{ "ESC1", esc1, "chooses the name to log in as",
	  "certsrv template set NAME approval=yes",
	  "requesters choose the name they authenticate as (ESC1)" },
	{ "ESC2", esc2, "gets a certificate for every purpose",
	  "certsrv template set NAME eku=client-auth",
	  "certificates are good for any purpose (ESC2)" },
	{ "ESC3", esc3, "gets to enroll on behalf of others",
	  "certsrv template revoke NAME WHO enroll autoenroll", NULL },
	{ "ESC9", esc9, "gets a certificate that asks to leave the SID out",
	  "certsrv template set NAME sid-extension=yes",
	  "asks to leave the SID out (ESC9); this CA puts it in" },
	{ "ESC15", esc15, "chooses names in a template of schema 1, whose purposes other CAs take from the request",
	  "certsrv template new NAME-2 --from NAME, and unpublish NAME", NULL },
	{ "ESC17", esc17, "gets a server certificate for a name of choice",
	  "certsrv template set NAME approval=yes", NULL },
};
/* clang-format on */

const char *
ae_esc_template_danger(const struct ae_template *t)
{
	size_t i;

	for (i = 0; i < COUNT(kinds); i++)
		if (kinds[i].danger != NULL && kinds[i].is(t))
			return kinds[i].danger;
	return (t->name_flag & AE_CT_ENROLLEE_SUPPLIES_SUBJECT) != 0
	    ? "requesters choose the subject"
	    : NULL;
}

/* NAME in the pattern is the template's. */
static void
put_fix(char out[AE_ESC_TEXT_MAX], const char *pattern, const char *cn)
{
	const char *hole;
	struct ae_wr w;

	ae_wr_init(&w, AE_ESC_TEXT_MAX - 1);
	while ((hole = strstr(pattern, "NAME")) != NULL) {
		ae_wr_bytes(&w, pattern, (size_t)(hole - pattern));
		ae_wr_str(&w, cn);
		pattern = hole + 4;
	}
	ae_wr_str(&w, pattern);
	(void)snprintf(out, AE_ESC_TEXT_MAX, "%s",
	    ae_wr_cstr(&w) != NULL ? ae_wr_cstr(&w) : "");
	ae_wr_done(&w);
}

static int
judge_template(struct ae_esc_findings *out, const struct ae_esc_in *in,
    const struct ae_template *t, struct ae_err *e)
{
	struct ae_esc_finding f = {
		.object = t->dn, .name = t->cn, .has_who = true
	};
	size_t i;
	int rc = AE_OK;

	/* Somebody has to say yes first. */
	if ((t->enrollment_flag & AE_CT_PEND_ALL_REQUESTS) != 0 ||
	    t->ra_signature > 0 || !open_to(&f.who, in, t->sd))
		return AE_OK;
	for (i = 0; rc == AE_OK && i < COUNT(kinds); i++) {
		if (!kinds[i].is(t))
			continue;
		f.esc = kinds[i].esc;
		(void)snprintf(f.what, sizeof(f.what), "%s", kinds[i].what);
		put_fix(f.fix, kinds[i].fix, t->cn);
		rc = add(out, &f, e);
	}
	for (i = 0; rc == AE_OK && i < in->nlinks; i++) {
		if (!ae_strv_has(&t->certificate_policies, in->links[i].oid))
			continue;
		f.esc = "ESC13";
		(void)snprintf(f.what, sizeof(f.what),
		    "becomes a member of %.128s", in->links[i].group);
		(void)snprintf(f.fix, sizeof(f.fix),
		    "certsrv template set %.64s issuance-policies-=%.96s",
		    t->cn, in->links[i].oid);
		rc = add(out, &f, e);
	}
	return rc;
}

static bool
offered(const struct ae_esc_in *in, const char *cn)
{
	size_t i;

	for (i = 0; i < in->nservices; i++)
		if (ae_enrollment_service_offers(in->services[i], cn))
			return true;
	return false;
}

int
ae_esc_templates(
    struct ae_esc_findings *out, const struct ae_esc_in *in, struct ae_err *e)
{
	size_t i;
	int rc = AE_OK;

	for (i = 0; rc == AE_OK && i < in->ntemplates; i++)
		if (offered(in, in->templates[i]->cn))
			rc = judge_template(out, in, in->templates[i], e);
	return rc;
}

/* ---- permissions ---- */

/* What of this makes an object somebody's own. */
#define CHANGES                                                               \
	(AE_ACCESS_WRITE_PROP | AE_ACCESS_WRITE_DAC | AE_ACCESS_WRITE_OWNER | \
	    AE_ACCESS_DELETE | AE_ACCESS_DELETE_TREE)

/* Also by an entry for one property alone. */
static uint32_t
may_change(
    const struct ae_sd *sd, const struct ae_sid *who, const struct ae_token *t)
{
	uint32_t granted = 0;
	size_t i;

	(void)ae_sd_access_check(
	    sd, t, AE_ACCESS_MAXIMUM_ALLOWED, NULL, NULL, &granted);
	for (i = 0; i < sd->dacl.n; i++) {
		const struct ae_ace *a = &sd->dacl.v[i];

		if (a->type == AE_ACE_ALLOWED_OBJECT && a->has_object &&
		    (a->flags & AE_ACE_INHERIT_ONLY) == 0 &&
		    ae_sid_equal(&a->sid, who))
			granted |= a->mask & AE_ACCESS_WRITE_PROP;
	}
	return granted & CHANGES;
}

static const char *
change_text(uint32_t mask)
{
	return (mask & AE_ACCESS_WRITE_DAC) != 0  ? "its permissions"
	    : (mask & AE_ACCESS_WRITE_OWNER) != 0 ? "its owner"
	    : (mask & AE_ACCESS_WRITE_PROP) != 0  ? "its attributes"
						  : "delete it";
}

static int
judge_object(struct ae_esc_findings *out, const struct ae_esc_in *in,
    const struct ae_esc_object *o, const char *esc, const char *name,
    struct ae_err *e)
{
	struct ae_esc_finding f = {
		.esc = esc, .object = o->dn, .name = name, .has_who = true
	};
	struct ae_token *t = NULL;
	struct ae_sid *v = NULL;
	uint32_t mask;
	size_t i, n;
	int rc = AE_OK;

	if (o->sd == NULL)
		return AE_OK;
	n = strangers(&v, in, o->own, o->sd);
	if (v == NULL)
		return ae_fail_mem(e);
	for (i = 0; rc == AE_OK && i < n; i++) {
		if ((rc = ae_token_new(&t, &v[i], NULL, 0, 0, e)) != AE_OK)
			break;
		mask = may_change(o->sd, &v[i], t);
		ae_token_free(t);
		if (mask == 0)
			continue;
		f.who = v[i];
		(void)snprintf(f.what, sizeof(f.what), "may %s%s%s%.96s",
		    mask == (mask & (AE_ACCESS_DELETE | AE_ACCESS_DELETE_TREE))
			? ""
			: "change ",
		    change_text(mask), ": ", o->what);
		if (name != NULL)
			(void)snprintf(f.fix, sizeof(f.fix),
			    "certsrv template revoke %.64s WHO; set its owner "
			    "to Enterprise Admins",
			    name);
		else
			(void)snprintf(f.fix, sizeof(f.fix),
			    "take WHO out of the object's permissions and "
			    "ownership");
		rc = add(out, &f, e);
	}
	free(v);
	return rc;
}

/* clang-format off */
static const struct {
	uint32_t mask;
	const char *what, *right;
} ca_powers[] = {
	{ AE_CA_RIGHT_ADMIN, "may manage the CA", "manage-ca" },
	{ AE_CA_RIGHT_OFFICER, "may approve, revoke and deny", "manage-certificates" },
};
/* clang-format on */

/* The CA's own descriptor has its own bits: MS-CSRA 3.1.1.7. */
static int
judge_ca(
    struct ae_esc_findings *out, const struct ae_esc_in *in, struct ae_err *e)
{
	struct ae_esc_finding f = {
		.esc = "ESC7", .object = "this CA", .has_who = true
	};
	const struct ae_ace *a;
	size_t i, k;
	int rc = AE_OK;

	for (i = 0; in->ca_sd != NULL && i < in->ca_sd->dacl.n; i++) {
		a = &in->ca_sd->dacl.v[i];
		if (a->type != AE_ACE_ALLOWED || is_trusted(in, NULL, &a->sid))
			continue;
		for (k = 0; rc == AE_OK && k < COUNT(ca_powers); k++) {
			if ((a->mask & ca_powers[k].mask) == 0)
				continue;
			f.who = a->sid;
			(void)snprintf(
			    f.what, sizeof(f.what), "%s", ca_powers[k].what);
			(void)snprintf(f.fix, sizeof(f.fix),
			    "certsrv permission revoke WHO %s; or --trust WHO "
			    "when that is meant",
			    ca_powers[k].right);
			rc = add(out, &f, e);
		}
	}
	return rc;
}

/* ESC8: whoever is relayed to there needs no password. */
static int
judge_service(struct ae_esc_findings *out,
    const struct ae_enrollment_service *s, struct ae_err *e)
{
	struct ae_esc_finding f = { .esc = "ESC8", .object = s->dn };

	if (s->enrollment_servers.n == 0)
		return AE_OK;
	(void)snprintf(f.what, sizeof(f.what),
	    "web enrollment is announced: open to relayed logons unless it "
	    "demands TLS with channel binding");
	(void)snprintf(f.fix, sizeof(f.fix),
	    "require extended protection there, or remove "
	    "msPKI-Enrollment-Servers");
	return add(out, &f, e);
}

int
ae_esc_permissions(
    struct ae_esc_findings *out, const struct ae_esc_in *in, struct ae_err *e)
{
	struct ae_esc_object o;
	size_t i;
	int rc = AE_OK;

	for (i = 0; rc == AE_OK && i < in->ntemplates; i++) {
		o = (struct ae_esc_object){ in->templates[i]->dn,
			"the template", in->templates[i]->sd, NULL };
		rc = judge_object(out, in, &o, "ESC4", in->templates[i]->cn, e);
	}
	for (i = 0; rc == AE_OK && i < in->nobjects; i++)
		rc = judge_object(out, in, &in->objects[i], "ESC5", NULL, e);
	if (rc == AE_OK)
		rc = judge_ca(out, in, e);
	for (i = 0; rc == AE_OK && i < in->nservices; i++)
		rc = judge_service(out, in->services[i], e);
	return rc;
}

/* ---- mappings ---- */

bool
ae_esc_mapping_is_strong(const char *value)
{
	static const char *const strong[] = { "<SKI>", "<SHA1-PUKEY>" };
	const char *issuer = strstr(value, "<I>");
	const char *serial = strstr(value, "<SR>");
	size_t i;

	if (strncasecmp(value, "X509:", 5) != 0)
		return true;
	for (i = 0; i < COUNT(strong); i++)
		if (strstr(value, strong[i]) != NULL)
			return true;
	return issuer != NULL && serial != NULL && serial > issuer;
}
