/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The list of policy servers: who says which templates there are.  A policy
 * without a list means Active Directory itself; one with a list can name it
 * ("LDAP:") or leave it out.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/guid.h"
#include "policy/settings_int.h"

#define SERVERS_MAX 64u

/* AuthFlags */
#define AUTH_ANONYMOUS UINT32_C(1)
#define AUTH_KERBEROS UINT32_C(2)

static const struct {
	const char *name, *text;
} verdicts[] = {
	[AE_SERVER_USED] = { "used", "used" },
	[AE_SERVER_SPARE] = { "spare", "another of the same policy is used" },
	[AE_SERVER_NOT_AUTO] = { "not-auto",
	    "not for auto-enrollment (Flags lacks 0x10)" },
	[AE_SERVER_OTHER_ID] = { "other-id",
	    "its PolicyID is not this forest's" },
	[AE_SERVER_WEB] = { "web",
	    "a web service (CEP), which this client does not ask" },
	[AE_SERVER_MALFORMED] = { "malformed", "it has no usable URL" },
	[AE_SERVER_LIST_OFF] = { "list-off",
	    "the list of group policy is switched off (Flags 2)" },
};

const char *
ae_server_verdict_text(enum ae_server_verdict v)
{
	return (size_t)v < sizeof(verdicts) / sizeof(verdicts[0])
	    ? verdicts[v].text
	    : "unknown";
}

const char *
ae_server_verdict_name(enum ae_server_verdict v)
{
	return (size_t)v < sizeof(verdicts) / sizeof(verdicts[0])
	    ? verdicts[v].name
	    : "unknown";
}

static struct ae_policy_server *
server_for(struct ae_settings *s, const char *key, size_t source)
{
	struct ae_policy_server *v;
	size_t i;

	for (i = 0; i < s->nservers; i++)
		if (ae_str_eq_nocase(s->servers[i].key, key))
			return &s->servers[i];
	v = reallocarray(s->servers, s->nservers + 1, sizeof(*v));
	if (v == NULL)
		return NULL;
	s->servers = v;
	memset(&v[i], 0, sizeof(*v));
	v[i].key = strdup(key);
	if (v[i].key == NULL)
		return NULL;
	v[i].gpo = (uint32_t)source;
	s->nservers++;
	return &v[i];
}

static int
take_server_value(
    struct ae_settings *s, const struct ae_registry_value *v, struct ae_err *e)
{
	const char *key = v->key + sizeof(AE_SERVERS_KEY);
	struct ae_policy_server *p = server_for(s, key, v->source);
	char **text = NULL;

	if (p == NULL)
		return ae_fail_mem(e);
	if (ae_str_eq_nocase(v->name, "URL"))
		text = &p->url;
	else if (ae_str_eq_nocase(v->name, "PolicyID"))
		text = &p->policy_id;
	else if (ae_str_eq_nocase(v->name, "FriendlyName"))
		text = &p->friendly_name;
	else if (ae_str_eq_nocase(v->name, "Flags"))
		(void)ae_registry_u32(v, &p->flags);
	else if (ae_str_eq_nocase(v->name, "AuthFlags"))
		(void)ae_registry_u32(v, &p->auth_flags);
	else if (ae_str_eq_nocase(v->name, "Cost"))
		(void)ae_registry_u32(v, &p->cost);
	if (text != NULL) {
		free(*text); /* set twice, in different case */
		*text = ae_registry_text(v);
	}
	return AE_OK;
}

int
ae_settings_take_servers(
    struct ae_settings *s, const struct ae_registry *r, struct ae_err *e)
{
	const size_t len = sizeof(AE_SERVERS_KEY) - 1;
	const struct ae_registry_value *v;
	size_t i, n;
	int rc = AE_OK;

	(void)ae_registry_u32(
	    ae_registry_get(r, AE_SERVERS_KEY, "Flags"), &s->servers_flags);
	v = ae_registry_get(r, AE_SERVERS_KEY, "");
	if (v != NULL)
		s->servers_default = ae_registry_text(v);
	v = ae_registry_all(r, &n);
	for (i = 0; rc == AE_OK && i < n; i++)
		if (strncasecmp(v[i].key, AE_SERVERS_KEY, len) == 0 &&
		    v[i].key[len] == '\\' &&
		    strchr(v[i].key + len + 1, '\\') == NULL &&
		    s->nservers < SERVERS_MAX)
			rc = take_server_value(s, &v[i], e);
	return rc;
}

static const char *
id_of(const struct ae_policy_server *p)
{
	return p->policy_id != NULL ? p->policy_id : "";
}

/* Kerberos, then anonymous, then the others. */
static int
auth_rank(const struct ae_policy_server *p)
{
	if ((p->auth_flags & AUTH_KERBEROS) != 0)
		return 0;
	return (p->auth_flags & AUTH_ANONYMOUS) != 0 ? 1 : 2;
}

/* By policy; inside one by cost, then by how one proves who one is. */
static int
by_use(const void *a, const void *b)
{
	const struct ae_policy_server *x = a, *y = b;
	int order = strcasecmp(id_of(x), id_of(y));

	if (order != 0)
		return order;
	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	if (auth_rank(x) != auth_rank(y))
		return auth_rank(x) - auth_rank(y);
	return strcasecmp(x->key, y->key);
}

static bool
is_ldap(const struct ae_policy_server *p)
{
	return p->url != NULL && strncasecmp(p->url, "LDAP:", 5) == 0;
}

static enum ae_server_verdict
judge(const struct ae_settings *s, const struct ae_policy_server *p,
    const struct ae_guid *forest)
{
	struct ae_guid id;

	if ((s->servers_flags & AE_SERVERS_NO_GPO) != 0)
		return AE_SERVER_LIST_OFF;
	if (p->url == NULL ||
	    (!is_ldap(p) && strncasecmp(p->url, "https:", 6) != 0))
		return AE_SERVER_MALFORMED;
	if ((p->flags & AE_SERVER_AUTO) == 0)
		return AE_SERVER_NOT_AUTO;
	if (!is_ldap(p))
		return AE_SERVER_WEB;
	if (forest != NULL &&
	    (!ae_guid_parse(&id, id_of(p)) || !ae_guid_equal(&id, forest)))
		return AE_SERVER_OTHER_ID;
	return AE_SERVER_USED;
}

void
ae_settings_judge_servers(struct ae_settings *s, const struct ae_guid *forest)
{
	struct ae_policy_server *p;
	bool used = false;
	size_t i;

	if (s->nservers > 1)
		qsort(s->servers, s->nservers, sizeof(*s->servers), by_use);
	for (i = 0; i < s->nservers; i++) {
		p = &s->servers[i];
		p->verdict = judge(s, p, forest);
		if (p->verdict == AE_SERVER_USED && used)
			p->verdict = AE_SERVER_SPARE;
		used = used || p->verdict == AE_SERVER_USED;
	}
}

const char *
ae_settings_servers_check(const struct ae_settings *s, const char **text)
{
	bool ldap_off = false, other = false;
	size_t i;

	*text = NULL;
	if (s->nservers == 0 || (s->servers_flags & AE_SERVERS_NO_GPO) != 0)
		return NULL;
	for (i = 0; i < s->nservers; i++) {
		const struct ae_policy_server *p = &s->servers[i];

		if (p->verdict == AE_SERVER_USED)
			return NULL;
		other = other || p->verdict == AE_SERVER_OTHER_ID;
		ldap_off = ldap_off ||
		    (is_ldap(p) && p->verdict == AE_SERVER_NOT_AUTO);
	}
	if (other) {
		*text = "the policy server LDAP: has the PolicyID of another "
			"forest: the setting was copied, make it anew";
		return "policy.policyid-mismatch";
	}
	if (ldap_off) {
		*text = "the policy server LDAP: is not for auto-enrollment: "
			"its Flags lack 0x10";
		return "policy.policyserver-autoenroll-flag-off";
	}
	*text = "the list of policy servers leaves Active Directory (LDAP:) "
		"out, and this client asks no web service";
	return "policy.policyserver-override";
}
