/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * From GPOs and the local layer to settings; see settings.h.
 */
#include "policy/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/conf.h"
#include "policy/registry.h"

#define POLICY_KEY "Software\\Policies\\Microsoft\\Cryptography\\AutoEnrollment"
#define LOCAL_KEY "Software\\Microsoft\\Cryptography\\AutoEnrollment"
#define SERVERS_KEY "Software\\Policies\\Microsoft\\Cryptography\\PolicyServers"
#define EXPIRY_PERCENT_DEFAULT 10u
#define LOG_LEVEL_DEFAULT 3u
#define SERVERS_MAX 64u

static const char *const keys[] = { POLICY_KEY, LOCAL_KEY, SERVERS_KEY, NULL };

/* clang-format off */
#define HALF(section, half) \
	{ section, "ae-policy", AE_CONF_U32, offsetof(struct ae_local_policy, half.ae_policy), 0, 0xffff }, \
	{ section, "expiry-percent", AE_CONF_U32, offsetof(struct ae_local_policy, half.expiry_percent), 0, 100 }, \
	{ section, "log-level", AE_CONF_U32, offsetof(struct ae_local_policy, half.log_level), 0, 5 }, \
	{ section, "store", AE_CONF_STRV, offsetof(struct ae_local_policy, half.stores) }

static const struct ae_conf_key local_keys[] = {
	HALF("computer", computer),
	HALF("user", user),
	{ 0 },
};
/* clang-format on */

void
ae_local_policy_init(struct ae_local_policy *l)
{
	const struct ae_local_half unset = { AE_LOCAL_UNSET, AE_LOCAL_UNSET,
		AE_LOCAL_UNSET, { NULL, 0 } };

	l->computer = unset;
	l->user = unset;
}

void
ae_local_policy_done(struct ae_local_policy *l)
{
	ae_conf_done(l, local_keys);
}

int
ae_local_policy_parse(struct ae_local_policy *out, const char *name,
    const char *text, size_t len, struct ae_err *e)
{
	struct ae_local_policy l;
	int rc;

	ae_local_policy_init(&l);
	rc = ae_conf_parse(&l, local_keys, name, text, len, e);
	if (rc != AE_OK)
		ae_local_policy_done(&l);
	else
		*out = l;
	return rc;
}

int
ae_local_policy_read(
    struct ae_local_policy *out, const char *path, struct ae_err *e)
{
	struct ae_local_policy l;
	int rc;

	ae_local_policy_init(&l);
	rc = ae_conf_read(&l, local_keys, path, e);
	if (rc != AE_OK && rc != AE_ENOTFOUND) {
		ae_local_policy_done(&l);
		return rc;
	}
	*out = l;
	return AE_OK;
}

/* The first that says something wins: local, then the policies. */
static void
take_u32(uint32_t *out, struct ae_setting *from, const struct ae_registry *r,
    const char *key, const char *name, uint32_t max, uint32_t local)
{
	const struct ae_registry_value *v = ae_registry_get(r, key, name);
	uint32_t value;

	if (local != AE_LOCAL_UNSET) {
		*out = local;
		from->source = AE_SETTING_LOCAL;
	} else if (ae_registry_u32(v, &value) && value <= max) {
		*out = value;
		from->source = AE_SETTING_GPO;
		from->gpo = v->source;
	}
}

/* "MY;Other" or the default. */
static int
take_stores(struct ae_settings *s, const struct ae_registry *r,
    const struct ae_local_half *local, struct ae_err *e)
{
	const struct ae_registry_value *v =
	    ae_registry_get(r, POLICY_KEY, "OfflineExpirationStoreNames");
	char *list = NULL, *rest, *name;
	bool ok = true;
	size_t i;

	if (local != NULL && local->stores.n != 0) {
		s->expiry_stores_from.source = AE_SETTING_LOCAL;
		for (i = 0; i < local->stores.n; i++)
			ok = ok &&
			    ae_strv_add(&s->expiry_stores, local->stores.v[i]);
		return ok ? AE_OK : ae_fail_mem(e);
	}
	list = ae_registry_text(v);
	rest = list;
	while (ok && rest != NULL && (name = strsep(&rest, ";")) != NULL)
		if (*name != '\0')
			ok = ae_strv_add(&s->expiry_stores, name);
	free(list);
	if (s->expiry_stores.n != 0) {
		s->expiry_stores_from.source = AE_SETTING_GPO;
		s->expiry_stores_from.gpo = v->source;
	} else if (ok) {
		ok = ae_strv_add(&s->expiry_stores, "MY");
	}
	return ok ? AE_OK : ae_fail_mem(e);
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
	const char *key = v->key + sizeof(SERVERS_KEY);
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
		free(*text);
		*text = ae_registry_text(v);
	}
	return AE_OK;
}

static int
take_servers(
    struct ae_settings *s, const struct ae_registry *r, struct ae_err *e)
{
	const size_t len = sizeof(SERVERS_KEY) - 1;
	const struct ae_registry_value *v;
	size_t i, n;
	int rc = AE_OK;

	v = ae_registry_all(r, &n);
	for (i = 0; rc == AE_OK && i < n; i++)
		if (strncasecmp(v[i].key, SERVERS_KEY, len) == 0 &&
		    v[i].key[len] == '\\' &&
		    strchr(v[i].key + len + 1, '\\') == NULL &&
		    s->nservers < SERVERS_MAX)
			rc = take_server_value(s, &v[i], e);
	return rc;
}

static int
describe(struct ae_settings_gpo *to, const struct ae_gpo_choice *c, bool user,
    struct ae_err *e)
{
	to->name = strdup(c->gpo != NULL ? c->gpo->name : c->dn);
	to->dn = strdup(c->dn);
	to->scope = strdup(c->som->dn);
	if (to->name == NULL || to->dn == NULL || to->scope == NULL)
		return ae_fail_mem(e);
	if (c->detail != NULL && (to->detail = strdup(c->detail)) == NULL)
		return ae_fail_mem(e);
	if (c->gpo != NULL && c->gpo->wmi_filter != NULL &&
	    (to->wmi_filter = strdup(c->gpo->wmi_filter)) == NULL)
		return ae_fail_mem(e);
	to->scope_kind = c->som->kind;
	to->verdict = c->verdict;
	to->enforced = c->enforced;
	if (c->gpo != NULL)
		to->version =
		    user ? c->gpo->version >> 16 : c->gpo->version & 0xffff;
	return AE_OK;
}

/* Apply the file of one GPO; its verdict may become another. */
static int
apply(struct ae_registry *r, struct ae_settings_gpo *to,
    const struct ae_gpo_choice *c, const struct ae_policy_cache *cache,
    bool user, size_t source, struct ae_err *e)
{
	const struct ae_policy_cached *f =
	    ae_policy_cache_find(cache, &c->gpo->id, user);
	struct ae_err why = AE_ERR_INIT;
	struct ae_pol pol;
	uint32_t file_version;
	int rc;

	if (f == NULL)
		return ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
		    "the files of GPO %s were not read", c->gpo->name);
	file_version = user ? f->file_version >> 16 : f->file_version & 0xffff;
	if (to->version == 0 && file_version == 0) {
		to->verdict = AE_GPO_EMPTY;
		return AE_OK;
	}
	if (!f->present) {
		to->verdict = AE_GPO_FILE_MISSING;
		return AE_OK;
	}
	rc = ae_pol_parse(&pol, f->data, f->len, &why);
	if (rc == AE_EPROTO || rc == AE_ELIMIT) {
		to->verdict = AE_GPO_FILE_BAD;
		free(to->detail);
		to->detail = strdup(why.text);
		return to->detail != NULL ? AE_OK : ae_fail_mem(e);
	}
	if (rc != AE_OK)
		return ae_fail_mem(e);
	rc = ae_registry_apply(r, &pol, source, e);
	ae_pol_done(&pol);
	return rc;
}

static int
build(struct ae_settings *s, struct ae_registry *r, const struct ae_gpos *g,
    const struct ae_policy_cache *c, const struct ae_local_half *local,
    struct ae_err *e)
{
	size_t i;
	int rc;

	s->gpos = calloc(g->nchoices + 1, sizeof(*s->gpos));
	if (s->gpos == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < g->nchoices; i++) {
		s->ngpos++;
		rc = describe(&s->gpos[i], &g->choices[i], g->user, e);
		if (rc == AE_OK && g->choices[i].verdict == AE_GPO_APPLIES)
			rc = apply(
			    r, &s->gpos[i], &g->choices[i], c, g->user, i, e);
		if (rc != AE_OK)
			return rc;
	}
	take_u32(&s->ae_policy, &s->ae_policy_from, r, POLICY_KEY, "AEPolicy",
	    UINT32_MAX - 1, local != NULL ? local->ae_policy : AE_LOCAL_UNSET);
	take_u32(&s->expiry_percent, &s->expiry_percent_from, r, POLICY_KEY,
	    "OfflineExpirationPercent", 100,
	    local != NULL ? local->expiry_percent : AE_LOCAL_UNSET);
	take_u32(&s->log_level, &s->log_level_from, r, LOCAL_KEY, "LogLevel", 5,
	    local != NULL ? local->log_level : AE_LOCAL_UNSET);
	if ((rc = take_stores(s, r, local, e)) != AE_OK)
		return rc;
	return take_servers(s, r, e);
}

int
ae_settings_build(struct ae_settings **out, const struct ae_gpos *g,
    const struct ae_policy_cache *c, const struct ae_local_policy *local,
    struct ae_err *e)
{
	const struct ae_local_half *half = local == NULL ? NULL
	    : g->user					 ? &local->user
							 : &local->computer;
	struct ae_settings *s = calloc(1, sizeof(*s));
	struct ae_registry *r = ae_registry_new(keys);
	int rc;

	if (s == NULL || r == NULL) {
		rc = ae_fail_mem(e);
	} else {
		s->user = g->user;
		s->expiry_percent = EXPIRY_PERCENT_DEFAULT;
		s->log_level = LOG_LEVEL_DEFAULT;
		rc = build(s, r, g, c, half, e);
	}
	ae_registry_free(r);
	if (rc != AE_OK) {
		ae_settings_free(s);
		return ae_note(e, rc, "policy");
	}
	*out = s;
	return AE_OK;
}

bool
ae_settings_may(const struct ae_settings *s, uint32_t bit)
{
	return (s->ae_policy & AE_POLICY_DISABLED) == 0 &&
	    (s->ae_policy & bit) == bit;
}

const char *
ae_settings_text(const struct ae_settings *s, char *out, size_t outlen)
{
	static const struct {
		uint32_t bit;
		const char *text;
	} bits[] = { { AE_POLICY_ENROLL, "enroll" },
		{ AE_POLICY_MANAGE, "renew and clean up" },
		{ AE_POLICY_PENDING, "fetch pending" } };
	size_t i, n = 0;

	if ((s->ae_policy & AE_POLICY_DISABLED) != 0) {
		(void)snprintf(out, outlen, "disabled");
		return out;
	}
	(void)snprintf(out, outlen, "%s",
	    s->ae_policy_from.source == AE_SETTING_DEFAULT ? "not configured"
							   : "nothing");
	for (i = 0; i < sizeof(bits) / sizeof(bits[0]) && n < outlen; i++)
		if ((s->ae_policy & bits[i].bit) != 0)
			n += (size_t)snprintf(out + n, outlen - n, "%s%s",
			    n != 0 ? ", " : "", bits[i].text);
	return out;
}
