/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The events of a Windows CA, with its ids, levels and parameters, as log
 * records (Microsoft-Windows-CertificationAuthority, Application log).
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/time.h"
#include "ca.h"
#include "ca_metrics.h"
#include "events.h"

#define POLICY_SOURCE "certsrvd-policy"

struct event {
	struct ae_log_record r;
	char num[8][24];
	size_t nnum;
	char serial[2 * AE_CA_SERIAL_LEN + 1];
	char hresult[16];
	char text[1024];
	char reasons[8192];
};

static void
field(struct event *v, const char *key, const char *value)
{
	if (value == NULL || v->r.nfield == AE_LOG_FIELDS_MAX)
		return;
	v->r.field[v->r.nfield].key = key;
	v->r.field[v->r.nfield].value = value;
	v->r.nfield++;
}

static void
number(struct event *v, const char *key, long long n)
{
	char *s;

	if (v->nnum == sizeof(v->num) / sizeof(v->num[0]))
		return;
	s = v->num[v->nnum++];
	(void)snprintf(s, sizeof(v->num[0]), "%lld", n);
	field(v, key, s);
}

static void
begin(struct event *v, enum ae_log_level level, int id)
{
	memset(v, 0, sizeof(*v));
	v->r.level = level;
	v->r.text = v->text;
	field(v, "MESSAGE_ID", EVENT_MESSAGE_ID);
	field(v, "AE_SOURCE", EVENT_SOURCE);
	number(v, "AE_EVENT", id);
}

/* The checks up to the one that decided, for people: "id: text; ...". */
static void
put_reasons(struct event *v, const struct ae_decision *d)
{
	size_t i, n = 0;

	for (i = 0; i < d->nreasons; i++) {
		const struct ae_ca_reason *r = &d->reasons[i];

		if (r->mark == AE_CA_PASS)
			continue;
		n += (size_t)snprintf(v->reasons + n, sizeof(v->reasons) - n,
		    "%s%s: %s", n > 0 ? "; " : "", r->check, r->text);
		if (n >= sizeof(v->reasons))
			break;
	}
	if (n > 0)
		field(v, "AE_REASONS", v->reasons);
	for (i = 0; i < d->nreasons; i++)
		if (d->reasons[i].mark == AE_CA_STOP)
			field(v, "AE_CHECK_ID", d->reasons[i].check);
}

static void
put_job(struct event *v, struct job *j, uint32_t hresult)
{
	const struct ae_decision *d = &j->d;

	number(v, "AE_REQUEST_ID", j->row);
	field(v, "AE_REQUESTER", d->requester);
	field(v, "AE_ON_BEHALF", d->on_behalf);
	field(v, "AE_SUBJECT", d->subject);
	field(v, "AE_TEMPLATE", d->template != NULL ? d->template->cn : NULL);
	field(v, "AE_CLIENT", j->ip);
	if (hresult != 0) {
		(void)snprintf(
		    v->hresult, sizeof(v->hresult), "0x%08x", hresult);
		field(v, "AE_HRESULT", v->hresult);
	}
	put_reasons(v, d);
}

static const char *
name_of(const struct job *j)
{
	return j->d.requester != NULL ? j->d.requester
				      : j->known->caller->principal;
}

static void
issued(struct event *v, struct job *j)
{
	begin(v, AE_LOG_INFO, 6);
	(void)snprintf(v->text, sizeof(v->text),
	    "request %lld of %s was approved and issued", (long long)j->row,
	    name_of(j));
	put_job(v, j, 0);
	ae_hex_encode(v->serial, j->d.serial, AE_CA_SERIAL_LEN);
	field(v, "AE_SERIAL", v->serial);
}

/* 53 (MSG_DN_CERT_DENIED_WITH_INFO): the event everybody looks for. */
static void
denied(struct event *v, struct job *j)
{
	begin(v, AE_LOG_WARNING, 53);
	(void)snprintf(v->text, sizeof(v->text),
	    "request %lld of %s was denied: %s", (long long)j->row, name_of(j),
	    j->d.message != NULL ? j->d.message : "");
	put_job(v, j, j->d.hresult);
}

/* 22 (MSG_E_PROCESS_REQUEST_FAILED_WITH_INFO) */
static void
broken(struct event *v, struct job *j)
{
	begin(v, AE_LOG_ERROR, 22);
	(void)snprintf(v->text, sizeof(v->text),
	    "request %lld of %s could not be processed: %s", (long long)j->row,
	    name_of(j), j->d.message != NULL ? j->d.message : "");
	put_job(v, j, j->d.hresult);
}

static void
pending(struct event *v, struct job *j)
{
	begin(v, AE_LOG_INFO, 8);
	(void)snprintf(v->text, sizeof(v->text),
	    "request %lld of %s waits for a decision", (long long)j->row,
	    name_of(j));
	put_job(v, j, 0);
}

/* Of policy files; ids as the module has them whose files they are. */
static void
begin_policy(struct event *v, enum ae_log_level level, int id)
{
	memset(v, 0, sizeof(*v));
	v->r.level = level;
	v->r.text = v->text;
	field(v, "MESSAGE_ID", EVENT_MESSAGE_ID);
	field(v, "AE_SOURCE", POLICY_SOURCE);
	number(v, "AE_EVENT", id);
}

static bool
has_reason(const struct ae_decision *d, const char *check)
{
	size_t i;

	for (i = 0; i < d->nreasons; i++)
		if (strcmp(d->reasons[i].check, check) == 0)
			return true;
	return false;
}

/* What decided; "" when nothing stopped it. */
static const char *
stopped_by(const struct ae_decision *d)
{
	size_t i;

	for (i = 0; i < d->nreasons; i++)
		if (d->reasons[i].mark == AE_CA_STOP)
			return d->reasons[i].check;
	return "";
}

static bool
is_rule(const char *check)
{
	return strncmp(check, "rules.", 6) == 0;
}

static bool
with_audit(const struct job *j)
{
	return has_reason(&j->d, "rules.audit-only");
}

static bool
with_san(const struct job *j)
{
	return ae_wcce_attrs_get(&j->d.attrs, "san") != NULL;
}

static bool
is_let_by_file(const struct job *j)
{
	return has_reason(&j->d, "rules.kept") || with_audit(j);
}

static bool
is_missing(const struct job *j)
{
	return strcmp(stopped_by(&j->d), "rules.missing") == 0;
}

static bool
is_broken(const struct job *j)
{
	return strcmp(stopped_by(&j->d), "rules.broken") == 0;
}

static bool
is_denied_by_file(const struct job *j)
{
	return j->d.verdict == AE_CA_DENY && is_rule(stopped_by(&j->d)) &&
	    !is_missing(j) && !is_broken(j);
}

static bool
is_denied_before(const struct job *j)
{
	return j->d.verdict == AE_CA_DENY && !is_rule(stopped_by(&j->d));
}

static bool
is_issued_by_file(const struct job *j)
{
	return j->d.verdict == AE_CA_ISSUE && is_let_by_file(j);
}

static bool
is_pending_by_file(const struct job *j)
{
	return j->d.verdict == AE_CA_PEND && is_let_by_file(j);
}

static bool
is_without_file(const struct job *j)
{
	return (j->d.verdict == AE_CA_ISSUE || j->d.verdict == AE_CA_PEND) &&
	    !is_let_by_file(j);
}

/*
 * What the module tells of each request.  all: only with [policy] events,
 * or every request would be told twice.
 */
static const struct {
	int id;
	enum ae_log_level level;
	bool all;
	bool (*when)(const struct job *j);
	const char *text; /* "request N of A for T " and this */
} policy_events[] = {
	{ 5, AE_LOG_WARNING, false, with_audit,
	    "is let through: its policy file only audits" },
	{ 6, AE_LOG_WARNING, false, is_denied_by_file,
	    "is denied by its policy file" },
	{ 7, AE_LOG_INFO, true, is_without_file,
	    "is let through without a policy file" },
	{ 8, AE_LOG_WARNING, false, is_missing,
	    "is denied: there is no policy file" },
	{ 10, AE_LOG_ERROR, false, is_broken,
	    "is denied: its policy file is not good" },
	{ 11, AE_LOG_INFO, true, is_denied_before,
	    "is denied before a policy file is looked at" },
	{ 12, AE_LOG_INFO, true, is_issued_by_file,
	    "keeps its policy file and is issued" },
	{ 13, AE_LOG_INFO, true, is_pending_by_file,
	    "keeps its policy file and waits" },
	{ 14, AE_LOG_WARNING, false, with_san,
	    "came with the attribute san, which is ignored: somebody tries "
	    "EDITF_ATTRIBUTESUBJECTALTNAME2" },
};

static void
policy_told(struct job *j)
{
	struct event v;
	size_t i;

	for (i = 0; i < sizeof(policy_events) / sizeof(policy_events[0]); i++) {
		if ((policy_events[i].all && !j->ca->p->conf.policy_events) ||
		    !policy_events[i].when(j))
			continue;
		begin_policy(&v, policy_events[i].level, policy_events[i].id);
		(void)snprintf(v.text, sizeof(v.text),
		    "request %lld of %s for %s %s", (long long)j->row,
		    name_of(j), j->d.template != NULL ? j->d.template->cn : "?",
		    policy_events[i].text);
		put_job(&v, j, j->d.hresult);
		log_event(j->ca->p, &v.r);
	}
}

/* 97: it ends when the CA's certificate does. */
static void
truncated(struct job *j)
{
	struct event v;

	if (!has_reason(&j->d, "deny.ca-expires-soon"))
		return;
	begin(&v, AE_LOG_WARNING, 97);
	(void)snprintf(v.text, sizeof(v.text),
	    "the certificate of request %lld ends with the CA's, before its "
	    "template wants",
	    (long long)j->row);
	field(&v, "AE_CA", j->ca->p->conf.name);
	number(&v, "AE_REQUEST_ID", j->row);
	log_event(j->ca->p, &v.r);
}

void
event_decided(struct job *j, const struct ae_wcce_reply *reply)
{
	struct event v;

	(void)reply;
	metrics_decided(j);
	/* No row, no event: one bounded line.  Nor is there one beyond the
	   database's cap, or refusals would fill the disk by the event file. */
	if (j->d.verdict == AE_CA_REFUSE ||
	    ((j->d.verdict == AE_CA_DENY || j->d.verdict == AE_CA_FAIL) &&
		(!j->d.store || j->row == 0))) {
		log_outside(j->ca->p, "%s from %s: refused with 0x%08x: %s",
		    name_of(j), j->ip != NULL ? j->ip : "?", j->d.hresult,
		    j->d.message != NULL ? j->d.message : "");
		return;
	}
	switch (j->d.verdict) {
	case AE_CA_ISSUE:
		issued(&v, j);
		break;
	case AE_CA_DENY:
		denied(&v, j);
		break;
	case AE_CA_FAIL:
		broken(&v, j);
		break;
	case AE_CA_PEND:
		pending(&v, j);
		break;
	case AE_CA_REFUSE:
	case AE_CA_STORED:
	case AE_CA_ASK:
		return; /* was told when it happened */
	}
	log_event(j->ca->p, &v.r);
	policy_told(j);
	if (j->d.verdict == AE_CA_ISSUE)
		truncated(j);
}

/* 56 denied by an administrator, 25 revoked: MSG_DN_CERT_ADMIN_DENIED, … */
void
event_admin(struct job *j)
{
	const struct ae_db_request *row = j->stored;
	const bool denied = j->op == MSG_ADMIN_DENY;
	struct event v;

	begin(&v, denied ? AE_LOG_WARNING : AE_LOG_INFO, denied ? 56 : 25);
	(void)snprintf(v.text, sizeof(v.text), "%s %lld of %s was %s by %s",
	    denied ? "request" : "the certificate of request",
	    (long long)j->row, row->account != NULL ? row->account : "?",
	    denied			    ? "denied"
		: j->op == MSG_ADMIN_REVOKE ? "revoked"
					    : "released from hold",
	    j->by);
	number(&v, "AE_REQUEST_ID", j->row);
	field(&v, "AE_REQUESTER", row->account);
	field(&v, "AE_SUBJECT", row->subject);
	field(&v, "AE_TEMPLATE", row->template);
	field(&v, "AE_OFFICER", j->by);
	if (j->op == MSG_ADMIN_REVOKE)
		number(&v, "AE_REASON", j->reason);
	if (!denied) {
		ae_hex_encode(v.serial, row->serial,
		    row->serial_len > AE_CA_SERIAL_LEN ? AE_CA_SERIAL_LEN
						       : row->serial_len);
		field(&v, "AE_SERIAL", v.serial);
	}
	log_event(j->ca->p, &v.r);
}

void
event_policy_broken(struct ca *ca, const struct ae_rules_entry *entry)
{
	struct event v;

	begin_policy(&v, AE_LOG_ERROR, 10);
	(void)snprintf(v.text, sizeof(v.text), "requests for %s are denied: %s",
	    entry->template,
	    entry->error != NULL ? entry->error : "out of memory");
	field(&v, "AE_TEMPLATE", entry->template);
	log_event(ca->p, &v.r);
}

void
event_started(struct ca *ca)
{
	struct event v;

	begin(&v, AE_LOG_NOTICE, 26);
	(void)snprintf(v.text, sizeof(v.text), "the CA \"%s\" was started",
	    ca->p->conf.name);
	field(&v, "AE_CA", ca->p->conf.name);
	log_event(ca->p, &v.r);
}

/* MSG_E_CANNOT_PUBLISH_CERT…: 80 when the directory does not allow it */
void
event_not_published(struct ca *ca, uint32_t row, int rc, const char *where,
    const char *dc, const char *why)
{
	struct event v;

	begin(&v, AE_LOG_WARNING, rc == AE_EDENIED ? 80 : 79);
	(void)snprintf(v.text, sizeof(v.text),
	    "the certificate of request %u is issued but could not be put into "
	    "userCertificate of %s: %s%s",
	    row, where, why,
	    rc == AE_EDENIED ? "; is this host in Cert Publishers?" : "");
	number(&v, "AE_REQUEST_ID", row);
	field(&v, "AE_LOCATION", where);
	field(&v, "AE_DC", dc);
	log_event(ca->p, &v.r);
}

/* The list that it is about: "base CRL", "delta CRL". */
static const char *
kind(bool delta)
{
	return delta ? "delta" : "base";
}

static void
put_crl(struct event *v, struct ca *ca, unsigned key, uint64_t no)
{
	field(v, "AE_CA", ca->p->conf.name);
	if (no != 0)
		number(v, "AE_CRL_NUMBER", (long long)no);
	number(v, "AE_KEY_INDEX", key);
}

void
event_crl_directory(
    struct ca *ca, unsigned key, bool delta, uint64_t no, const char *error)
{
	struct event v;

	if (error == NULL) {
		begin(&v, AE_LOG_INFO, delta ? 73 : 72);
		(void)snprintf(v.text, sizeof(v.text),
		    "%s CRL number %llu is in the directory", kind(delta),
		    (unsigned long long)no);
	} else {
		begin(&v, AE_LOG_ERROR, delta ? 75 : 74);
		(void)snprintf(v.text, sizeof(v.text),
		    "%s CRL number %llu could not be published in the "
		    "directory: %s",
		    kind(delta), (unsigned long long)no, error);
	}
	put_crl(&v, ca, key, no);
	log_event(ca->p, &v.r);
}

void
event_crl(
    struct ca *ca, unsigned key, bool delta, uint64_t no, const char *error)
{
	struct event v;

	if (error == NULL) {
		begin(&v, AE_LOG_INFO, delta ? 69 : 68);
		(void)snprintf(v.text, sizeof(v.text),
		    "%s CRL number %llu was published", kind(delta),
		    (unsigned long long)no);
	} else {
		begin(&v, AE_LOG_ERROR, delta ? 66 : 65);
		(void)snprintf(v.text, sizeof(v.text),
		    "the %s CRL could not be published: %s", kind(delta),
		    error);
	}
	put_crl(&v, ca, key, no);
	log_event(ca->p, &v.r);
}

void
event_crl_late(struct ca *ca, unsigned key, bool delta, bool directory,
    const struct ae_ca_crl_plan *plan)
{
	char when[AE_TIME_STR_MAX];
	struct event v;

	begin(&v, AE_LOG_ERROR, 67);
	(void)snprintf(v.text, sizeof(v.text),
	    "the %s CRL%s was to be replaced a while ago and ends at %s: "
	    "then its readers trust no certificate of this CA",
	    kind(delta), directory ? " in the directory" : "",
	    ae_time_print(when, plan->next_update));
	put_crl(&v, ca, key, 0);
	field(&v, "AE_NEXT_UPDATE", when);
	log_event(ca->p, &v.r);
}

/* 91, 96, 100: one that has nothing but its text. */
void
event_plain(struct proc *p, int id, const char *fmt, ...)
{
	struct event v;
	va_list ap;

	begin(&v, AE_LOG_ERROR, id);
	va_start(ap, fmt);
	(void)vsnprintf(v.text, sizeof(v.text), fmt, ap);
	va_end(ap);
	field(&v, "AE_CA", p->conf.name);
	log_event(p, &v.r);
}

void
event_own(struct ca *ca, enum ae_log_level level, int id, const char *fmt, ...)
{
	struct event v;
	va_list ap;

	memset(&v, 0, sizeof(v));
	v.r.level = level;
	v.r.text = v.text;
	field(&v, "MESSAGE_ID", EVENT_MESSAGE_ID);
	field(&v, "AE_SOURCE", EVENT_OWN_SOURCE);
	number(&v, "AE_EVENT", id);
	va_start(ap, fmt);
	(void)vsnprintf(v.text, sizeof(v.text), fmt, ap);
	va_end(ap);
	field(&v, "AE_CA", ca->p->conf.name);
	log_event(ca->p, &v.r);
}

void
event_ntauth(struct ca *ca)
{
	char hex[2 * 20 + 1];
	uint8_t sha1[20];
	struct event v;

	ae_cert_sha1(sha1, ca->current->cert);
	ae_hex_encode(hex, sha1, sizeof(sha1));
	begin(&v, AE_LOG_WARNING, 93);
	(void)snprintf(v.text, sizeof(v.text),
	    "the CA's certificate %u is not in NTAuthCertificates: nobody can "
	    "log in with what it issues",
	    ca->current->index);
	field(&v, "AE_CA", ca->p->conf.name);
	field(&v, "AE_THUMBPRINT", hex);
	log_event(ca->p, &v.r);
}
