/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A plan as JSON; see plan_json.h.
 */
#include "plan_json.h"

static json_t *
reasons(const struct ae_reasons *rs)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < rs->n; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s}", "check", rs->v[i].check,
			"verdict", ae_verdict_name(rs->v[i].verdict), "text",
			rs->v[i].text));
	return list;
}

static json_t *
item_json(const struct ae_plan_item *it)
{
	const struct ae_template *t = it->tmpl;
	json_t *cas = json_array(), *j;
	size_t i;

	for (i = 0; i < it->ncas; i++)
		(void)json_array_append_new(cas,
		    json_sprintf(
			"%s\\%s", it->cas[i]->dns_host_name, it->cas[i]->cn));
	j = json_pack("{s:s, s:s, s:s, s:s, s:i, s:o, s:o}", "template", t->cn,
	    "display_name", t->display_name == NULL ? t->cn : t->display_name,
	    "oid", t->oid == NULL ? "" : t->oid, "action",
	    ae_plan_action_name(it->action), "schema_version",
	    (int)t->schema_version, "cas", cas, "reasons",
	    reasons(&it->reasons));
	if (j != NULL &&
	    (it->action == AE_PLAN_ENROLL || it->action == AE_PLAN_RENEW))
		(void)json_object_set_new(j, "key",
		    json_sprintf(
			"%s %u", ae_key_alg_name(it->key.alg), it->key.bits));
	if (j != NULL && it->have != NULL)
		(void)json_object_set_new(
		    j, "have", json_string(it->have->name));
	return j;
}

static json_t *
store_json(const struct ae_plan *p)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < p->nstore; i++) {
		const struct ae_plan_store *s = &p->store[i];

		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?}", "certificate",
			s->cert->name, "thumbprint", s->cert->thumbprint,
			"action", ae_plan_store_name(s->what), "check",
			s->check, "text", s->text, "after",
			s->after == NULL ? NULL : s->after->tmpl->cn));
	}
	return list;
}

static json_t *
unpublish_json(const struct ae_plan *p)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < p->nunpublish; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s}", "thumbprint",
			p->unpublish[i].cert->thumbprint, "check",
			p->unpublish[i].check, "text", p->unpublish[i].text));
	return list;
}

static json_t *
pending_json(const struct ae_plan *p)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < p->npending; i++) {
		const struct ae_plan_pending *q = &p->pending[i];

		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:s, s:s?, s:i}", "request",
			q->request->name, "action",
			ae_plan_pending_name(q->what), "check", q->check,
			"text", q->text, "ca", q->request->ca_config,
			"request_id", (int)q->request->request_id));
	}
	return list;
}

static json_t *
expiring_json(const struct ae_plan *p)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < p->nexpiring; i++)
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s}", "certificate",
			p->expiring[i].cert->name, "thumbprint",
			p->expiring[i].cert->thumbprint, "text",
			p->expiring[i].text));
	return list;
}

json_t *
plan_to_json(const struct ae_plan *p)
{
	json_t *items = json_array();
	size_t i;

	for (i = 0; i < p->nitems; i++)
		(void)json_array_append_new(items, item_json(&p->items[i]));
	return json_pack("{s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "enabled",
	    p->enabled, "policy_reasons", reasons(&p->reasons), "plan", items,
	    "store_actions", store_json(p), "pending", pending_json(p),
	    "unpublish", unpublish_json(p), "expiring", expiring_json(p));
}
