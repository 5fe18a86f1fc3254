/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Settings as JSON; see settings_json.h.
 */
#include "settings_json.h"

static const char *
source_name(enum ae_setting_source s)
{
	static const char *const names[] = {
		[AE_SETTING_DEFAULT] = "default",
		[AE_SETTING_GPO] = "gpo",
		[AE_SETTING_LOCAL] = "local",
	};

	return names[s];
}

static json_t *
gpo_json(const struct ae_settings_gpo *g)
{
	enum ae_gpo_verdict v = (enum ae_gpo_verdict)g->verdict;
	json_t *j;

	j = json_pack("{s:s, s:s?, s:s?, s:b, s:I, s:s, s:s}", "name", g->name,
	    "dn", g->dn, "scope", g->scope, "enforced", g->enforced != 0,
	    "version", (json_int_t)g->version, "verdict",
	    ae_gpo_verdict_name(v), "text", ae_gpo_verdict_text(v));
	if (j != NULL && g->detail != NULL)
		(void)json_object_set_new(j, "detail", json_string(g->detail));
	if (j != NULL && g->wmi_filter != NULL)
		(void)json_object_set_new(
		    j, "wmi_filter", json_string(g->wmi_filter));
	return j;
}

static json_t *
server_json(const struct ae_policy_server *p)
{
	return json_pack("{s:s?, s:s?, s:s?, s:I, s:I, s:I}", "url", p->url,
	    "policy_id", p->policy_id, "friendly_name", p->friendly_name,
	    "flags", (json_int_t)p->flags, "auth_flags",
	    (json_int_t)p->auth_flags, "cost", (json_int_t)p->cost);
}

json_t *
settings_to_json(const struct ae_settings *s)
{
	json_t *gpos = json_array(), *servers = json_array(), *j;
	char text[128];
	size_t i;

	for (i = 0; i < s->ngpos; i++)
		(void)json_array_append_new(gpos, gpo_json(&s->gpos[i]));
	for (i = 0; i < s->nservers; i++)
		(void)json_array_append_new(
		    servers, server_json(&s->servers[i]));
	j = json_pack("{s:I, s:b, s:s, s:s, s:I, s:I, s:o, s:o}", "aepolicy",
	    (json_int_t)s->ae_policy, "aepolicy_set",
	    s->ae_policy_from.source != AE_SETTING_DEFAULT, "text",
	    ae_settings_text(s, text, sizeof(text)), "source",
	    source_name(s->ae_policy_from.source), "expiry_percent",
	    (json_int_t)s->expiry_percent, "log_level",
	    (json_int_t)s->log_level, "gpos", gpos, "policy_servers", servers);
	if (j != NULL && s->ae_policy_from.source == AE_SETTING_GPO &&
	    s->ae_policy_from.gpo < s->ngpos)
		(void)json_object_set_new(
		    j, "gpo", json_string(s->gpos[s->ae_policy_from.gpo].name));
	return j;
}
