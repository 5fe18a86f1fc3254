/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Subject and subjectAltName, MS-WCCE 3.2.2.6.2.1.4.5.9 and .4.4.1: from the
 * requester's own directory object, or from the request where the template
 * says so.
 */
#include "ca/subject.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/breaks.h"
#include "pki/name.h"

#define SECTION "MS-WCCE 3.2.2.6.2.1.4.5.9"
#define CN_MAX 64 /* characters: ub-common-name, RFC 5280 A.1 */

static int
lacking(struct ae_ca_work *w, uint32_t hr, const char *check, const char *what)
{
	return ae_ca_stop(w, AE_CA_DENY, hr, check, SECTION,
	    "%s has no %s in the directory", ae_ca_quote(w, w->d->requester),
	    what);
}

static bool
empty(const char *s)
{
	return s == NULL || s[0] == '\0';
}

/* Characters, not bytes. */
static size_t
utf8_len(const char *s)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static int
add_san(struct ae_ca_work *w, const struct ae_san *san)
{
	if (w->tbs.x.nsans == AE_CA_SANS_MAX)
		return ae_ca_stop(w, AE_CA_FAIL, AE_HR_BAD_REQUESTSUBJECT,
		    "deny.bad-subject", SECTION,
		    "more than %d alternative names", AE_CA_SANS_MAX);
	w->sans[w->tbs.x.nsans++] = *san;
	w->tbs.x.sans = w->sans;
	return AE_CA_GO;
}

static int
add_text(struct ae_ca_work *w, enum ae_san_type type, const char *text)
{
	const struct ae_san san = { .type = type, .text = text };

	return add_san(w, &san);
}

/* The kinds of names a requester may choose. */
static bool
may_supply(enum ae_san_type type)
{
	return type == AE_SAN_DNS || type == AE_SAN_EMAIL ||
	    type == AE_SAN_URI || type == AE_SAN_UPN || type == AE_SAN_IP ||
	    type == AE_SAN_DN;
}

/*
 * A URI that domain controllers read as a SID (MS-PKCA 3.1.5.2.1.6, the tag
 * URI of strong mapping): a requester's own, or none at all.
 */
static bool
is_foreign_sid(const struct ae_ca_work *w, const struct ae_san *san)
{
	static const char tag[] = "tag:microsoft.com,";
	static const char sid_tag[] = "tag:microsoft.com,2022-09-14:sid:";
	char own[AE_SID_STR_MAX];

	if (san->type != AE_SAN_URI ||
	    strncasecmp(san->text, tag, sizeof(tag) - 1) != 0)
		return false;
	return strncmp(san->text, sid_tag, sizeof(sid_tag) - 1) != 0 ||
	    strcmp(san->text + sizeof(sid_tag) - 1,
		ae_sid_print(own, w->sid)) != 0;
}

/*
 * The names of the certificate being renewed: this CA wrote them, and so its
 * owner keeps them whatever the request says (MS-CRTD 2.28,
 * OLD_CERT_SUPPLIES_SUBJECT_AND_ALT_NAME).
 */
static int
from_old(struct ae_ca_work *w)
{
	const struct ae_cert *old = w->renews->cert;
	size_t i;
	int step = AE_CA_GO;

	ae_wr_bytes(&w->subject, old->subject.p, old->subject.len);
	for (i = 0; i < old->x.nsans && step == AE_CA_GO; i++)
		step = add_san(w, &old->x.sans[i]);
	if (step == AE_CA_GO)
		ae_ca_note(w, "template.old-subject", "MS-CRTD 2.28",
		    "the names are those of the certificate being renewed");
	return step;
}

/* ENROLLEE_SUPPLIES_SUBJECT: names from the request, and only names. */
static int
supplied(struct ae_ca_work *w)
{
	const struct ae_csr *csr = w->req->csr;
	const struct ae_san *san;
	size_t i;
	int step;

	/* a re-enrollment without approval keeps the names it was approved
	   for, MS-WCCE 3.2.2.6.2.1.4.5.6 */
	if (w->renews != NULL &&
	    (w->reenroll ||
		(w->t->name_flag & AE_CT_OLD_CERT_SUPPLIES_SUBJECT)))
		return from_old(w);

	if (ae_name_is_empty(csr->subject))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_BAD_REQUESTSUBJECT,
		    "deny.bad-subject", SECTION,
		    "the template takes the subject from the request, which "
		    "has none");
	ae_wr_bytes(&w->subject, csr->subject.p, csr->subject.len);
	for (i = 0; i < csr->x.nsans; i++) {
		san = &csr->x.sans[i];
		if (!may_supply(san->type))
			return ae_ca_stop(w, AE_CA_DENY,
			    AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject",
			    SECTION,
			    "alternative name %zu is of a kind requesters "
			    "may not choose",
			    i + 1);
		if (is_foreign_sid(w, san))
			return ae_ca_stop(w, AE_CA_DENY,
			    AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject",
			    SECTION, "%s names a SID that is not %s's",
			    ae_ca_quote(w, san->text),
			    ae_ca_quote(w, w->d->requester));
		step = add_san(w, san);
		if (step != AE_CA_GO)
			return step;
	}
	ae_ca_note(w, "template.supplied-subject", SECTION,
	    "the requester chose the names");
	return ae_ca_check_host_names(w);
}

int
ae_ca_check_requester(struct ae_ca_work *w)
{
	const struct ae_ca_requester *r = w->who;
	const uint32_t dns =
	    AE_CT_SUBJECT_COMMON_NAME | AE_CT_SUBJECT_DNS_AS_CN | AE_CT_SAN_DNS;
	const bool machine = (w->t->flags & AE_CT_MACHINE_TYPE) != 0;

	if (machine && (w->t->name_flag & dns) &&
	    (!r->found || empty(r->dns_host_name)))
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_SUBJECT_DNS_REQUIRED,
		    "deny.subject-dns", "MS-WCCE 3.2.2.6.2.1.4.4.1",
		    "%s has no dNSHostName in the directory",
		    ae_ca_quote(w, w->d->requester));
	if (!r->found)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_NO_SUCH_USER,
		    "deny.requester-lookup", SECTION,
		    "the directory has no object with the SID of %s",
		    ae_ca_quote(w, w->d->requester));
	if (!ae_sid_equal(&r->sid, w->sid) && !AE_BREAK(requester_object))
		return ae_ca_stop(w, AE_CA_FAIL, AE_HR_E_UNEXPECTED,
		    "deny.requester-lookup", SECTION,
		    "the directory answered with somebody else's object");
	return AE_CA_GO;
}

/*
 * A host name goes into a certificate only when nobody else bears it: a
 * computer account can write its own dNSHostName (CVE-2022-26923).
 */
static int
check_dns_owner(struct ae_ca_work *w)
{
	const uint32_t f = w->t->name_flag;
	const bool machine = (w->t->flags & AE_CT_MACHINE_TYPE) != 0;
	const bool in_cn = machine &&
	    (f & (AE_CT_SUBJECT_COMMON_NAME | AE_CT_SUBJECT_DNS_AS_CN)) != 0;
	int step;

	if (!in_cn && !(f & AE_CT_SAN_DNS))
		return AE_CA_GO;
	w->d->ask_dns = w->who->dns_host_name;
	if (empty(w->d->ask_dns))
		return lacking(w, AE_HR_SUBJECT_DNS_REQUIRED,
		    "deny.subject-dns", "dNSHostName");
	step = ae_ca_ask(w, AE_CA_ASK_DNS_OWNERS, "policy");
	if (step != AE_CA_GO || w->answers->dns_other_owners == 0 ||
	    AE_BREAK(cve_2022_26923_owners))
		return step;
	return ae_ca_stop(w, AE_CA_DENY, AE_HR_SUBJECT_DNS_REQUIRED,
	    "deny.duplicate-name", "policy",
	    "%u other accounts bear the name %s as well",
	    w->answers->dns_other_owners, ae_ca_quote(w, w->d->ask_dns));
}

/* CN and E, or the whole path. */
static int
directory_subject(struct ae_ca_work *w)
{
	const struct ae_ca_requester *r = w->who;
	const uint32_t f = w->t->name_flag;
	const bool machine = (w->t->flags & AE_CT_MACHINE_TYPE) != 0;
	struct ae_name_part parts[2];
	struct ae_err e = AE_ERR_INIT;
	size_t n = 0;
	int rc;

	if ((f & AE_CT_SUBJECT_EMAIL) && empty(r->mail))
		return lacking(w, AE_HR_SUBJECT_EMAIL_REQUIRED,
		    "deny.subject-email", "mail");
	if (f & AE_CT_SUBJECT_DIRECTORY_PATH) {
		if (empty(r->dn))
			return lacking(w, AE_HR_BAD_REQUESTSUBJECT,
			    "deny.bad-subject", "distinguished name");
		rc = ae_name_from_text(&w->subject, r->dn, &e);
		goto done;
	}
	if (f & (AE_CT_SUBJECT_COMMON_NAME | AE_CT_SUBJECT_DNS_AS_CN)) {
		parts[n].type = "CN";
		parts[n].value = machine ? r->dns_host_name : r->cn;
		if (empty(parts[n].value))
			return lacking(w, AE_HR_BAD_REQUESTSUBJECT,
			    "deny.bad-subject", "cn");
		if (utf8_len(parts[n].value) > CN_MAX)
			return ae_ca_stop(w, AE_CA_DENY,
			    AE_HR_BAD_REQUESTSUBJECT, "deny.bad-subject",
			    SECTION, "the name %s has more than %d characters",
			    ae_ca_quote(w, parts[n].value), CN_MAX);
		n++;
	}
	if (f & AE_CT_SUBJECT_EMAIL)
		parts[n++] = (struct ae_name_part){ "E", r->mail };
	rc = ae_name_encode(&w->subject, parts, n, &e);
done:
	if (rc == AE_EINVAL || rc == AE_ELIMIT)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_BAD_REQUESTSUBJECT,
		    "deny.bad-subject", SECTION, "%s", e.text);
	if (rc != AE_OK && w->e != NULL)
		*w->e = e;
	return rc;
}

/* Each flag of the template with what it takes from the directory. */
static int
directory_sans(struct ae_ca_work *w)
{
	const struct ae_ca_requester *r = w->who;
	const struct ae_san guid = { .type = AE_SAN_GUID, .guid = r->guid };
	const uint32_t f = w->t->name_flag;
	const struct {
		uint32_t flag;
		enum ae_san_type type;
		const char *value;
		uint32_t hr;
		const char *check, *what;
	} v[] = {
		{ AE_CT_SAN_UPN | AE_CT_SAN_SPN, AE_SAN_UPN, r->upn,
		    AE_HR_SUBJECT_UPN_REQUIRED, "deny.subject-upn",
		    "userPrincipalName" },
		{ AE_CT_SAN_DNS, AE_SAN_DNS, r->dns_host_name,
		    AE_HR_SUBJECT_DNS_REQUIRED, "deny.subject-dns",
		    "dNSHostName" },
		{ AE_CT_SAN_DOMAIN_DNS, AE_SAN_DNS, r->domain_dns,
		    AE_HR_SUBJECT_DNS_REQUIRED, "deny.subject-dns",
		    "domain DNS name" },
		{ AE_CT_SAN_DOMAIN_DNS, AE_SAN_DNS, r->domain_netbios,
		    AE_HR_SUBJECT_DNS_REQUIRED, "deny.subject-dns",
		    "domain NetBIOS name" },
		{ AE_CT_SAN_EMAIL, AE_SAN_EMAIL, r->mail,
		    AE_HR_SUBJECT_EMAIL_REQUIRED, "deny.subject-email",
		    "mail" },
	};
	size_t i;
	int step = AE_CA_GO;

	if (f & AE_CT_SAN_DIRECTORY_GUID) {
		if (ae_guid_is_nil(&r->guid))
			return lacking(w, AE_HR_SUBJECT_DIRECTORY_GUID_REQUIRED,
			    "deny.subject-guid", "objectGUID");
		step = add_san(w, &guid);
	}
	for (i = 0; step == AE_CA_GO && i < sizeof(v) / sizeof(v[0]); i++) {
		if (!(f & v[i].flag))
			continue;
		if (empty(v[i].value))
			return lacking(w, v[i].hr, v[i].check, v[i].what);
		step = add_text(w, v[i].type, v[i].value);
	}
	return step;
}

static int
from_directory(struct ae_ca_work *w)
{
	int step = AE_CA_GO;

	if (w->d->on_behalf == NULL)
		step = ae_ca_ask(w, AE_CA_ASK_REQUESTER, "MS-WCCE 3.2.2.1.2");
	if (step == AE_CA_GO)
		step = ae_ca_check_requester(w);
	if (step == AE_CA_GO)
		step = check_dns_owner(w);
	if (step == AE_CA_GO)
		step = directory_subject(w);
	if (step == AE_CA_GO)
		step = directory_sans(w);
	return step;
}

/* Is it one common name and nothing else? */
static int
is_common_name(bool *is, struct ae_der name, struct ae_err *e)
{
	char *text = NULL;
	const char *p;
	int rc = ae_name_print(&text, name, e);

	*is = false;
	if (rc != AE_OK)
		return rc;
	p = text;
	if (strncmp(p, "CN=", 3) == 0)
		while (*p != '\0' && *p != ',' && *p != '+')
			p += p[0] == '\\' && p[1] != '\0' ? 2 : 1;
	*is = p != text && *p == '\0';
	free(text);
	return AE_OK;
}

/*
 * MS-WCCE 3.2.2.6.2.1.4.6: beside a mail address the two old templates for
 * mail have no directory names that are a common name alone.
 */
static int
drop_common_names(struct ae_ca_work *w)
{
	size_t i, n = 0;
	bool mail = false, is;
	int rc;

	if (!ae_str_eq_nocase(w->t->cn, "ExchangeUser") &&
	    !ae_str_eq_nocase(w->t->cn, "ExchangeUserSignature"))
		return AE_CA_GO;
	for (i = 0; i < w->tbs.x.nsans; i++)
		mail = mail || w->sans[i].type == AE_SAN_EMAIL;
	for (i = 0; mail && i < w->tbs.x.nsans; i++) {
		is = false;
		if (w->sans[i].type == AE_SAN_DN) {
			rc = is_common_name(&is, w->sans[i].der, w->e);
			if (rc != AE_OK)
				return rc;
		}
		if (!is)
			w->sans[n++] = w->sans[i];
	}
	if (mail)
		w->tbs.x.nsans = n;
	return AE_CA_GO;
}

int
ae_ca_subject(struct ae_ca_work *w)
{
	int step;

	step = w->t->name_flag & AE_CT_ENROLLEE_SUPPLIES_SUBJECT
	    ? supplied(w)
	    : from_directory(w);
	if (step == AE_CA_GO)
		step = drop_common_names(w);
	if (step != AE_CA_GO)
		return step;
	if (!ae_wr_ok(&w->subject))
		return ae_wr_full(&w->subject)
		    ? ae_ca_stop(w, AE_CA_FAIL, AE_HR_BAD_REQUESTSUBJECT,
			  "deny.bad-subject", SECTION,
			  "the subject is too long")
		    : ae_fail_mem(w->e);
	w->tbs.subject = (struct ae_der){ w->subject.p, w->subject.len };
	if (ae_name_is_empty(w->tbs.subject) && w->tbs.x.nsans == 0)
		return ae_ca_stop(w, AE_CA_DENY, AE_HR_BAD_REQUESTSUBJECT,
		    "deny.bad-subject", "MS-WCCE 3.2.1.4.2.1.4.7",
		    "neither a subject nor an alternative name");
	return AE_CA_GO;
}
