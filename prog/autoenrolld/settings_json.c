/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Settings as JSON; see settings_json.h.
 */
#include "settings_json.h"

#include <stdio.h>

#include "base/time.h"
#include "sys/clock.h"

static const char *
source_name(enum ae_setting_source s)
{
	static const char *const names[] = {
		[AE_SETTING_DEFAULT] = "default",
		[AE_SETTING_GPO] = "gpo",
		[AE_SETTING_LOCAL] = "local",
		[AE_SETTING_OWN] = "user",
	};

	return names[s];
}

static const char *
scope_name(uint32_t kind)
{
	static const char *const names[] = { [AE_SOM_OU] = "ou",
		[AE_SOM_DOMAIN] = "domain",
		[AE_SOM_SITE] = "site" };

	return names[kind];
}

static const char *
loopback_name(uint32_t mode)
{
	static const char *const names[] = { [AE_LOOPBACK_OFF] = "off",
		[AE_LOOPBACK_MERGE] = "merge",
		[AE_LOOPBACK_REPLACE] = "replace" };

	return names[mode];
}

static json_t *
gpo_json(const struct ae_settings *s, size_t i)
{
	const struct ae_settings_gpo *g = &s->gpos[i];
	enum ae_gpo_verdict v = (enum ae_gpo_verdict)g->verdict;
	json_t *j;

	j = json_pack("{s:s, s:s?, s:s?, s:s, s:b, s:b, s:I, s:s, s:s, s:b}",
	    "name", g->name, "dn", g->dn, "scope", g->scope, "scope_kind",
	    scope_name(g->scope_kind), "enforced", g->enforced != 0, "loopback",
	    g->loopback != 0, "version", (json_int_t)g->version, "verdict",
	    ae_gpo_verdict_name(v), "text", ae_gpo_verdict_text(v), "winner",
	    s->ae_policy_from.source == AE_SETTING_GPO &&
		s->ae_policy_from.gpo == i);
	if (j != NULL && g->detail != NULL)
		(void)json_object_set_new(j, "detail", json_string(g->detail));
	if (j != NULL && g->wmi_filter != NULL)
		(void)json_object_set_new(
		    j, "wmi_filter", json_string(g->wmi_filter));
	return j;
}

static json_t *
server_json(const struct ae_settings *s, const struct ae_policy_server *p)
{
	enum ae_server_verdict v = (enum ae_server_verdict)p->verdict;

	return json_pack("{s:s?, s:s?, s:s?, s:I, s:I, s:I, s:s, s:s, s:s}",
	    "url", p->url, "policy_id", p->policy_id, "friendly_name",
	    p->friendly_name, "flags", (json_int_t)p->flags, "auth_flags",
	    (json_int_t)p->auth_flags, "cost", (json_int_t)p->cost, "gpo",
	    s->gpos[p->gpo].name, "verdict", ae_server_verdict_name(v), "text",
	    ae_server_verdict_text(v));
}

/* AEPolicy bit by bit; what a bit means does not depend on the others. */
static json_t *
bits_json(const struct ae_settings *s)
{
	static const struct {
		uint32_t bit;
		const char *name, *text;
	} rows[] = {
		{ AE_POLICY_ENROLL, "enroll",
		    "request certificates for templates" },
		{ AE_POLICY_MANAGE, "manage",
		    "renew, archive what is expired, revoked or superseded" },
		{ AE_POLICY_PENDING, "pending", "fetch what was approved" },
		{ AE_POLICY_DISABLED, "disabled", "switch all of it off" },
	};
	json_t *list = json_array();
	char hex[16];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		(void)snprintf(hex, sizeof(hex), "0x%x", (unsigned)rows[i].bit);
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b, s:s}", "bit", hex, "name",
			rows[i].name, "set", (s->ae_policy & rows[i].bit) != 0,
			"text", rows[i].text));
	}
	return list;
}

/* "<key>_source", and "<key>_gpo" when a policy said it. */
static void
put_origin(json_t *j, const struct ae_settings *s, const char *key,
    const struct ae_setting *from)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "%s_source", key);
	(void)json_object_set_new(
	    j, name, json_string(source_name(from->source)));
	if (from->source != AE_SETTING_GPO || from->gpo >= s->ngpos)
		return;
	(void)snprintf(name, sizeof(name), "%s_gpo", key);
	(void)json_object_set_new(
	    j, name, json_string(s->gpos[from->gpo].name));
}

static void
put_loopback(json_t *j, const struct ae_settings *s)
{
	(void)json_object_set_new(
	    j, "loopback", json_string(loopback_name(s->loopback)));
	if (s->user && s->by_computer != NULL)
		(void)json_object_set_new(
		    j, "loopback_gpo", json_string(s->by_computer));
	else if (!s->user)
		put_origin(j, s, "loopback", &s->loopback_from);
}

static void
put_servers(json_t *j, const struct ae_settings *s)
{
	json_t *list = json_array();
	const char *check, *text;
	size_t i;

	for (i = 0; i < s->nservers; i++)
		(void)json_array_append_new(
		    list, server_json(s, &s->servers[i]));
	(void)json_object_set_new(j, "policy_servers", list);
	check = ae_settings_servers_check(s, &text);
	if (check != NULL)
		(void)json_object_set_new(j, "policy_servers_check",
		    json_pack("{s:s, s:s}", "check", check, "text", text));
}

static void
put_shown(json_t *j, const struct settings_shown *shown)
{
	char when[AE_TIME_STR_MAX];
	int64_t age = ae_clock_now() - shown->read_at;

	(void)json_object_update_new(j,
	    json_pack("{s:b, s:s?, s:s, s:I}", "fresh", shown->why == NULL,
		"dc", shown->dc, "read_at", ae_time_print(when, shown->read_at),
		"age", (json_int_t)(age < 0 ? 0 : age)));
	if (shown->why != NULL)
		(void)json_object_set_new(
		    j, "not_fresh_because", json_string(shown->why));
	if (shown->check != NULL)
		(void)json_object_set_new(
		    j, "not_fresh_check", json_string(shown->check));
	if (shown->note != NULL)
		(void)json_object_set_new(
		    j, "loopback_note", json_string(shown->note));
}

json_t *
settings_to_json(
    const struct ae_settings *s, const struct settings_shown *shown)
{
	json_t *gpos = json_array(), *stores = json_array(), *j;
	char text[128];
	size_t i;

	for (i = 0; i < s->ngpos; i++)
		(void)json_array_append_new(gpos, gpo_json(s, i));
	for (i = 0; i < s->expiry_stores.n; i++)
		(void)json_array_append_new(
		    stores, json_string(s->expiry_stores.v[i]));
	j = json_pack("{s:s, s:I, s:b, s:s, s:s, s:o, s:I, s:o, s:I, s:o}",
	    "context", s->user ? "user" : "machine", "aepolicy",
	    (json_int_t)s->ae_policy, "aepolicy_set",
	    s->ae_policy_from.source != AE_SETTING_DEFAULT, "text",
	    ae_settings_text(s, text, sizeof(text)), "source",
	    source_name(s->ae_policy_from.source), "bits", bits_json(s),
	    "expiry_percent", (json_int_t)s->expiry_percent, "expiry_stores",
	    stores, "log_level", (json_int_t)s->log_level, "gpos", gpos);
	if (j == NULL)
		return NULL;
	if (s->ae_policy_from.source == AE_SETTING_GPO &&
	    s->ae_policy_from.gpo < s->ngpos)
		(void)json_object_set_new(
		    j, "gpo", json_string(s->gpos[s->ae_policy_from.gpo].name));
	put_origin(j, s, "expiry_percent", &s->expiry_percent_from);
	put_origin(j, s, "expiry_stores", &s->expiry_stores_from);
	put_origin(j, s, "log_level", &s->log_level_from);
	(void)json_object_set_new(
	    j, "max_pending_days", json_integer((json_int_t)s->pending_days));
	put_origin(j, s, "max_pending_days", &s->pending_days_from);
	put_loopback(j, s);
	put_servers(j, s);
	put_shown(j, shown);
	return j;
}
