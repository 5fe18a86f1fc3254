/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * From GPOs and the local layer to settings; see settings.h.
 */
#include "policy/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/registry.h"
#include "policy/settings_int.h"

#define POLICY_KEY "Software\\Policies\\Microsoft\\Cryptography\\AutoEnrollment"
#define LOCAL_KEY "Software\\Microsoft\\Cryptography\\AutoEnrollment"
#define EXPIRY_PERCENT_DEFAULT 10u
#define LOG_LEVEL_DEFAULT 3u
#define PENDING_DAYS_DEFAULT 60u
#define PENDING_DAYS_MAX 3650u

static const char *const keys[] = { POLICY_KEY, LOCAL_KEY, AE_SERVERS_KEY,
	AE_GPO_SYSTEM_KEY, NULL };

/* What the policies say. */
static void
take_u32(uint32_t *out, struct ae_setting *from, const struct ae_registry *r,
    const char *key, const char *name, uint32_t max)
{
	const struct ae_registry_value *v = ae_registry_get(r, key, name);
	uint32_t value;

	if (ae_registry_u32(v, &value) && value <= max) {
		*out = value;
		from->source = AE_SETTING_GPO;
		from->gpo = v->source;
	}
}

/* "MY;Other" or the default. */
static int
take_stores(
    struct ae_settings *s, const struct ae_registry *r, struct ae_err *e)
{
	const struct ae_registry_value *v =
	    ae_registry_get(r, POLICY_KEY, "OfflineExpirationStoreNames");
	char *list = ae_registry_text(v), *rest = list, *name;
	bool ok = true;

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
	to->loopback = c->som->loopback;
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
    const struct ae_policy_cache *c, struct ae_err *e)
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
	    UINT32_MAX - 1);
	take_u32(&s->expiry_percent, &s->expiry_percent_from, r, POLICY_KEY,
	    "OfflineExpirationPercent", 100);
	take_u32(
	    &s->log_level, &s->log_level_from, r, LOCAL_KEY, "LogLevel", 5);
	take_u32(&s->pending_days, &s->pending_days_from, r, LOCAL_KEY,
	    "MaxPendingRequestDays", PENDING_DAYS_MAX);
	if (s->pending_days == 0) { /* of none a request would be too old */
		s->pending_days = PENDING_DAYS_DEFAULT;
		s->pending_days_from = (struct ae_setting){ 0 };
	}
	if (!g->user) /* only a computer's policy can say it */
		take_u32(&s->loopback, &s->loopback_from, r, AE_GPO_SYSTEM_KEY,
		    "UserPolicyMode", AE_LOOPBACK_REPLACE);
	if ((rc = take_stores(s, r, e)) != AE_OK)
		return rc;
	return ae_settings_take_servers(s, r, e);
}

int
ae_settings_build(struct ae_settings **out, const struct ae_gpos *g,
    const struct ae_policy_cache *c, struct ae_err *e)
{
	struct ae_settings *s = calloc(1, sizeof(*s));
	struct ae_registry *r = ae_registry_new(keys);
	int rc;

	if (s == NULL || r == NULL) {
		rc = ae_fail_mem(e);
	} else {
		s->user = g->user;
		s->expiry_percent = EXPIRY_PERCENT_DEFAULT;
		s->log_level = LOG_LEVEL_DEFAULT;
		s->pending_days = PENDING_DAYS_DEFAULT;
		rc = build(s, r, g, c, e);
	}
	ae_registry_free(r);
	if (rc != AE_OK) {
		ae_settings_free(s);
		return ae_note(e, rc, "policy");
	}
	ae_settings_judge_servers(s, NULL);
	*out = s;
	return AE_OK;
}

static void
override(uint32_t *out, struct ae_setting *from, uint32_t value,
    enum ae_setting_source source)
{
	if (value == AE_LOCAL_UNSET)
		return;
	*out = value;
	from->source = source;
}

int
ae_settings_override(struct ae_settings *s, const struct ae_local_policy *l,
    enum ae_setting_source source, struct ae_err *e)
{
	const struct ae_local_half *h = s->user ? &l->user : &l->computer;
	struct ae_strv stores = { 0 };
	size_t i;

	override(&s->ae_policy, &s->ae_policy_from, h->ae_policy, source);
	override(&s->expiry_percent, &s->expiry_percent_from, h->expiry_percent,
	    source);
	override(&s->log_level, &s->log_level_from, h->log_level, source);
	override(
	    &s->pending_days, &s->pending_days_from, h->pending_days, source);
	if (h->stores.n == 0)
		return AE_OK;
	for (i = 0; i < h->stores.n; i++)
		if (!ae_strv_add(&stores, h->stores.v[i])) {
			ae_strv_done(&stores);
			return ae_fail_mem(e);
		}
	ae_strv_done(&s->expiry_stores);
	s->expiry_stores = stores;
	s->expiry_stores_from.source = source;
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
