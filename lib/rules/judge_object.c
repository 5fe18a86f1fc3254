/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The directory's object behind a request: what is asked, and the rules
 * about it.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "base/time.h"
#include "rules/field.h"
#include "rules/judge_int.h"

#define CHECK "rules.directory"
#define UAC_DISABLED 0x2u /* MS-ADTS 2.2.16 */
#define SID_URI "tag:microsoft.com,2022-09-14:sid:"

/* What the request says of the one it is for; NULL: nothing. */
static const char *
identity(const struct ae_rules_directory *d, const struct names *subject,
    const struct names *sans)
{
	const char *s = names_get(subject, d->certificate_attribute);

	return s != NULL ? s : names_get(sans, d->certificate_attribute);
}

/* Allowed groups, then disallowed ones. */
static bool
all_groups(struct ae_rules_strings *out, const struct ae_rules_directory *d,
    struct ae_arena *a)
{
	const struct ae_rules_strings *l[] = { &d->allowed_groups,
		&d->disallowed_groups };
	size_t i, k;

	out->v = ae_arena_array(
	    a, d->allowed_groups.n + d->disallowed_groups.n, sizeof(*out->v));
	out->n = 0;
	for (i = 0; i < 2 && out->v != NULL; i++)
		for (k = 0; k < l[i]->n; k++)
			out->v[out->n++] = l[i]->v[k];
	return out->v != NULL;
}

bool
ae_rules_ask(struct ae_rules_question *q, const struct ae_rules *r,
    const struct ae_rules_facts *f, struct ae_arena *a)
{
	const struct ae_rules_directory *d = r->directory;
	struct names subject = { 0 }, sans = { 0 };

	memset(q, 0, sizeof(*q));
	if (d == NULL)
		return false;
	q->own = !f->supplied;
	q->category = f->supplied ? d->object_category
	    : f->user		  ? "user"
				  : "computer";
	q->search_root = d->search_root;
	q->attribute = d->directory_attribute;
	q->attributes = r->attributes;
	q->spns = d->supplement_spns;
	if (!all_groups(&q->groups, d, a))
		return false;
	if (q->own)
		return true;
	if (!names_asked(&subject, &sans, f, a))
		return false;
	q->value = identity(d, &subject, &sans);
	return q->value != NULL && q->value[0] != '\0';
}

static const char *
category(const struct judging *j)
{
	return j->f->supplied ? j->r->directory->object_category
	    : j->f->user      ? "user"
			      : "computer";
}

/* Its name, for a message. */
static const char *
shown(struct judging *j)
{
	return judge_quote(j, j->object->dn);
}

static const char *
attribute(const struct ae_rules_object *o, const char *name)
{
	size_t i;

	for (i = 0; i < o->nattributes; i++)
		if (ae_str_eq_nocase(o->attributes[i].field, name))
			return o->attributes[i].value;
	return NULL;
}

/* The unit itself is what follows a comma at the end of the DN. */
static bool
is_below(const char *dn, const char *unit)
{
	const size_t n = strlen(dn), m = strlen(unit);

	return m > 0 && n > m && dn[n - m - 1] == ',' &&
	    (n - m < 2 || dn[n - m - 2] != '\\') &&
	    ae_str_eq_nocase(dn + n - m, unit);
}

/* The requester's own is read by its SID: is it where it is to be looked for?
 */
static bool
is_found(const struct judging *j)
{
	const struct ae_rules_object *o = j->f->object;
	const char *root = j->r->directory->search_root;

	if (o == NULL || o->found == 0)
		return false;
	return j->f->supplied || root == NULL || o->found > 1 ||
	    is_below(o->dn, root) || ae_str_eq_nocase(o->dn, root);
}

/* Is there one, where there must be one or must not? */
static void
judge_found(struct judging *j)
{
	const struct ae_rules_directory *d = j->r->directory;
	const struct ae_rules_object *o = j->f->object;
	const char *who = identity(d, &j->subject, &j->sans);

	if (j->f->supplied && (who == NULL || who[0] == '\0')) {
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "the request has no %s to find somebody by",
		    d->certificate_attribute);
		return;
	}
	if (!j->f->supplied)
		who = "the requester";
	if (!is_found(j)) {
		if (d->action == AE_RULES_MAP_ALLOW)
			judge_add(j, HR_TEMPLATE_DENIED, CHECK,
			    "the directory has no %s with %s %s%s%s",
			    category(j), d->directory_attribute,
			    judge_quote(j, who),
			    d->search_root != NULL ? " below " : "",
			    d->search_root != NULL ? d->search_root : "");
		return;
	}
	if (o->found > 1) {
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "the directory has more than one %s with %s %s",
		    category(j), d->directory_attribute, judge_quote(j, who));
		return;
	}
	if (d->action == AE_RULES_MAP_DENY)
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "the directory has a %s with %s %s, and there must be none",
		    category(j), d->directory_attribute, judge_quote(j, who));
	j->object = o;
}

static void
judge_attribute(struct judging *j, const struct ae_rules_attribute *rule)
{
	const char *value = attribute(j->object, rule->attribute), *quoted;
	const struct ae_rules_pattern *p;
	bool allows = false;
	size_t i, at = 0;

	if (value == NULL) {
		if (rule->mandatory)
			judge_add(j, HR_TEMPLATE_DENIED, CHECK,
			    "%s has no attribute %s", shown(j),
			    rule->attribute);
		return;
	}
	quoted = judge_quote(j, value);
	for (i = 0; i < rule->patterns.n; i++)
		allows = allows || rule->patterns.v[i].action == AE_RULES_ALLOW;
	if (allows && !ae_rules_allowed(&rule->patterns, value))
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "attribute %s, %s, matches no pattern that allows it",
		    rule->attribute, quoted);
	while ((p = ae_rules_denied(&rule->patterns, value, &at)) != NULL)
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "attribute %s, %s, matches %s, which denies it",
		    rule->attribute, quoted, judge_quote(j, p->expression));
}

static void
judge_units(struct judging *j)
{
	const struct ae_rules_directory *d = j->r->directory;
	const char *dn = j->object->dn;
	bool allowed = d->allowed_units.n == 0;
	size_t i;

	for (i = 0; i < d->allowed_units.n; i++)
		allowed = allowed || is_below(dn, d->allowed_units.v[i]);
	if (!allowed)
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "%s is in no organizational unit that is allowed",
		    shown(j));
	for (i = 0; i < d->disallowed_units.n; i++)
		if (is_below(dn, d->disallowed_units.v[i]))
			judge_add(j, HR_TEMPLATE_DENIED, CHECK,
			    "%s is in %s, which is not allowed", shown(j),
			    judge_quote(j, d->disallowed_units.v[i]));
}

static enum ae_rules_group
membership(const struct judging *j, size_t i)
{
	return i < j->object->ngroups
	    ? (enum ae_rules_group)j->object->groups[i]
	    : AE_RULES_GROUP_UNKNOWN;
}

/* A group that is not there: nobody is in it, but it may be misspelled. */
static void
judge_groups(struct judging *j)
{
	const struct ae_rules_directory *d = j->r->directory;
	const size_t na = d->allowed_groups.n;
	bool allowed = na == 0;
	size_t i;

	for (i = 0; i < na; i++)
		allowed = allowed || membership(j, i) == AE_RULES_GROUP_IN;
	if (!allowed)
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "%s is in no group that is allowed", shown(j));
	for (i = 0; i < d->disallowed_groups.n; i++) {
		const char *group = d->disallowed_groups.v[i];

		if (membership(j, na + i) == AE_RULES_GROUP_IN)
			judge_add(j, HR_TEMPLATE_DENIED, CHECK,
			    "%s is in the group %s, which is not allowed",
			    shown(j), judge_quote(j, group));
		if (membership(j, na + i) == AE_RULES_GROUP_UNKNOWN)
			judge_add(j, HR_TEMPLATE_DENIED, CHECK,
			    "there is no group %s, whose members are not "
			    "allowed",
			    judge_quote(j, group));
	}
}

static void
judge_password(struct judging *j)
{
	const char *s = attribute(j->object, "pwdLastSet");
	const int64_t most = j->r->directory->password_age;
	char *end = NULL;
	uint64_t set;

	if (most == 0)
		return;
	set = s == NULL ? 0 : strtoull(s, &end, 10);
	if (set == 0 || end == s || *end != '\0')
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "it is not known when %s last changed the password",
		    shown(j));
	else if ((j->f->now - ae_time_from_filetime(set)) / 60 > most)
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "the password of %s is older than %lld minutes", shown(j),
		    (long long)most);
}

static void
add_host(struct judging *j, const char *host)
{
	judge_add_san(j, "dNSName", host, false, CHECK);
	judge_host(j, host);
}

/* Hosts of the services that certificates of a host are used for. */
static void
supplement_spns(struct judging *j)
{
	static const char *const services[] = { "host/", "termsrv/", "http/",
		"wsman/" };
	const struct ae_rules_strings *l = &j->object->spns;
	size_t i, k, n;
	char *host;

	for (i = 0; i < l->n; i++)
		for (k = 0; k < sizeof(services) / sizeof(services[0]); k++) {
			n = strlen(services[k]);
			if (strncasecmp(l->v[i], services[k], n) != 0)
				continue;
			host = ae_arena_strndup(
			    j->a, l->v[i] + n, strcspn(l->v[i] + n, ":/"));
			if (host == NULL)
				j->oom = true;
			else if (j->r->supplement_unqualified ||
			    strchr(host, '.') != NULL)
				add_host(j, host);
		}
}

static void
add_sid_uri(struct judging *j)
{
	char sid[AE_SID_STR_MAX];
	const char *uri = ae_arena_printf(
	    j->a, SID_URI "%s", ae_sid_print(sid, &j->object->sid));

	if (uri == NULL)
		j->oom = true;
	else
		judge_add_san(j, "uniformResourceIdentifier", uri, true, CHECK);
}

void
judge_object(struct judging *j)
{
	const struct ae_rules_directory *d = j->r->directory;
	size_t i;

	if (d == NULL)
		return;
	judge_found(j);
	if (j->object == NULL)
		return;
	if ((j->object->account_control & UAC_DISABLED) && !d->permit_disabled)
		judge_add(j, HR_TEMPLATE_DENIED, CHECK,
		    "the account %s is disabled", shown(j));
	for (i = 0; i < d->rules.n; i++)
		judge_attribute(j, &d->rules.v[i]);
	judge_units(j);
	judge_groups(j);
	judge_password(j);
	if (d->supplement_spns)
		supplement_spns(j);
	if (j->r->sid == AE_RULES_ADD) {
		j->out->new_sid = true;
		j->out->sid = j->object->sid;
	}
	if (d->add_sid_uri)
		add_sid_uri(j);
}
