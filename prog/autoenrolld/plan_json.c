/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A plan as JSON; see plan_json.h.
 */
#include "plan_json.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"

static void
put_begin(struct ae_wr *w, const char *name, char bracket)
{
	ae_json_put_next(w);
	if (name != NULL) {
		ae_json_put_str(w, name);
		ae_wr_u8(w, ':');
	}
	ae_wr_u8(w, (uint8_t)bracket);
}

static void
put_number(struct ae_wr *w, const char *name, uint32_t n)
{
	ae_json_put_next(w);
	ae_wr_printf(w, "\"%s\":%" PRIu32, name, n);
}

static void
put_reasons(struct ae_wr *w, const char *name, const struct ae_reasons *rs)
{
	size_t i;

	put_begin(w, name, '[');
	for (i = 0; i < rs->n; i++) {
		put_begin(w, NULL, '{');
		ae_json_put_member(w, "check", rs->v[i].check);
		ae_json_put_member(
		    w, "verdict", ae_verdict_name(rs->v[i].verdict));
		ae_json_put_member(w, "text", rs->v[i].text);
		if (rs->v[i].about != NULL)
			ae_json_put_member(w, "about", rs->v[i].about);
		ae_wr_u8(w, '}');
	}
	ae_wr_u8(w, ']');
}

static void
put_cas(struct ae_wr *w, const struct ae_plan_item *it)
{
	char *config;
	size_t i;

	put_begin(w, "cas", '[');
	for (i = 0; i < it->ncas; i++) {
		if (asprintf(&config, "%s\\%s", it->cas[i]->dns_host_name,
			it->cas[i]->cn) < 0)
			continue;
		ae_json_put_next(w);
		ae_json_put_str(w, config);
		free(config);
	}
	ae_wr_u8(w, ']');
}

static void
put_item(struct ae_wr *w, const struct ae_plan_item *it)
{
	const struct ae_template *t = it->tmpl;
	char key[64];

	put_begin(w, NULL, '{');
	ae_json_put_member(w, "template", t->cn);
	ae_json_put_member(w, "display_name",
	    t->display_name == NULL ? t->cn : t->display_name);
	ae_json_put_member(w, "oid", t->oid == NULL ? "" : t->oid);
	ae_json_put_member(w, "action", ae_plan_action_name(it->action));
	put_number(w, "schema_version", t->schema_version);
	ae_wr_printf(w, ",\"candidate\":%s", it->candidate ? "true" : "false");
	put_cas(w, it);
	put_reasons(w, "reasons", &it->reasons);
	if (it->action == AE_PLAN_ENROLL || it->action == AE_PLAN_RENEW) {
		(void)snprintf(key, sizeof(key), "%s %u",
		    ae_key_alg_name(it->key.alg), it->key.bits);
		ae_json_put_member(w, "key", key);
	}
	if (it->have != NULL)
		ae_json_put_member(w, "have", it->have->name);
	ae_wr_u8(w, '}');
}

static void
put_store(struct ae_wr *w, const struct ae_plan_store *s)
{
	put_begin(w, NULL, '{');
	ae_json_put_member(w, "certificate", s->cert->name);
	ae_json_put_member(w, "thumbprint", s->cert->thumbprint);
	ae_json_put_member(w, "action", ae_plan_store_name(s->what));
	ae_json_put_member(w, "check", s->check);
	ae_json_put_member(w, "text", s->text);
	if (s->after != NULL)
		ae_json_put_member(w, "after", s->after->tmpl->cn);
	else
		ae_wr_str(w, ",\"after\":null");
	ae_wr_u8(w, '}');
}

static void
put_pending(struct ae_wr *w, const struct ae_plan_pending *q)
{
	put_begin(w, NULL, '{');
	ae_json_put_member(w, "request", q->request->name);
	ae_json_put_member(w, "action", ae_plan_pending_name(q->what));
	ae_json_put_member(w, "check", q->check);
	ae_json_put_member(w, "text", q->text);
	if (q->request->ca_config != NULL)
		ae_json_put_member(w, "ca", q->request->ca_config);
	else
		ae_wr_str(w, ",\"ca\":null");
	put_number(w, "request_id", q->request->request_id);
	ae_wr_u8(w, '}');
}

static void
put_unpublish(struct ae_wr *w, const struct ae_plan_unpublish *u)
{
	put_begin(w, NULL, '{');
	ae_json_put_member(w, "thumbprint", u->cert->thumbprint);
	ae_json_put_member(w, "check", u->check);
	ae_json_put_member(w, "text", u->text);
	ae_wr_u8(w, '}');
}

static void
put_expiring(struct ae_wr *w, const struct ae_plan_expiring *x)
{
	put_begin(w, NULL, '{');
	ae_json_put_member(w, "certificate", x->cert->name);
	ae_json_put_member(w, "thumbprint", x->cert->thumbprint);
	ae_json_put_member(w, "text", x->text);
	ae_wr_u8(w, '}');
}

void
plan_put_json(struct ae_wr *w, const struct ae_plan *p)
{
	size_t i;

	ae_wr_printf(w, "{\"enabled\":%s", p->enabled ? "true" : "false");
	put_reasons(w, "policy_reasons", &p->reasons);
	put_begin(w, "plan", '[');
	for (i = 0; i < p->nitems; i++)
		put_item(w, &p->items[i]);
	ae_wr_u8(w, ']');
	put_begin(w, "store_actions", '[');
	for (i = 0; i < p->nstore; i++)
		put_store(w, &p->store[i]);
	ae_wr_u8(w, ']');
	put_begin(w, "pending", '[');
	for (i = 0; i < p->npending; i++)
		put_pending(w, &p->pending[i]);
	ae_wr_u8(w, ']');
	put_begin(w, "unpublish", '[');
	for (i = 0; i < p->nunpublish; i++)
		put_unpublish(w, &p->unpublish[i]);
	ae_wr_u8(w, ']');
	put_begin(w, "expiring", '[');
	for (i = 0; i < p->nexpiring; i++)
		put_expiring(w, &p->expiring[i]);
	ae_wr_str(w, "]}");
}
