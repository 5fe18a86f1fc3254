/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests under way: what the key role keeps of earlier runs, and fetching
 * what has been approved since; see pulse_run.h.
 */
#include "pulse_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "wcce/hresult.h"
#include "wcce/request.h"

static void
copy(char *out, size_t len, const char *s)
{
	(void)snprintf(out, len, "%s", s == NULL ? "" : s);
}

int
pulse_begin_open(struct run *r, struct ae_err *e)
{
	struct ae_wr none;

	ae_wr_init(&none, 1);
	return peer_begin(r->key, ROLE_OPEN, &none, e);
}

int
pulse_list_open(struct run *r, struct ae_err *e)
{
	struct ae_rd in;
	uint32_t n, i;
	int rc;

	rc = peer_end(r->key, PULSE_KEY_MS, &in, e);
	if (rc != AE_OK)
		return rc;
	n = ae_rd_u32(&in);
	if (n > AE_STORE_ENTRIES_MAX || !ae_rd_ok(&in))
		return pulse_nonsense(e, "key");
	r->open = ae_arena_array(r->a, n, sizeof(*r->open));
	if (r->open == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < n && ae_rd_ok(&in); i++) {
		struct pulse_open *o = &r->open[i];
		uint32_t state;

		o->tmpl = msg_get_str(r->a, &in, AE_STORE_NAME_MAX);
		o->number = ae_rd_u32(&in);
		o->name = ae_arena_printf(
		    r->a, "%s/%u", o->tmpl == NULL ? "" : o->tmpl, o->number);
		state = ae_rd_u32(&in);
		copy(o->meta.ca_config, sizeof(o->meta.ca_config),
		    msg_get_str(r->a, &in, sizeof(o->meta.ca_config) - 1));
		o->meta.request_id = ae_rd_u32(&in);
		o->meta.made = (int64_t)ae_rd_u64(&in);
		o->meta.asked = (int64_t)ae_rd_u64(&in);
		copy(o->meta.renews, sizeof(o->meta.renews),
		    msg_get_str(r->a, &in, sizeof(o->meta.renews) - 1));
		o->meta.automatic = ae_rd_u8(&in) != 0;
		o->meta.archival = ae_rd_u8(&in) != 0;
		if (o->tmpl == NULL || o->name == NULL ||
		    state >= AE_STORE_REQUEST_STATES)
			ae_rd_fail(&in);
		o->meta.state = (enum ae_store_request_state)state;
	}
	r->nopen = n;
	return ae_rd_done(&in) ? AE_OK : pulse_nonsense(e, "key");
}

/*
 * What somebody made by hand to carry it to a CA himself is his; and a run
 * by itself sends only what such a run made.
 */
bool
pulse_may_resume(const struct run *r, const struct pulse_open *o)
{
	if (o->settled || o->meta.state == AE_STORE_PENDING)
		return false;
	if (o->meta.automatic)
		return true;
	return r->o->only != NULL && o->meta.state == AE_STORE_ASKED;
}

struct pulse_open *
pulse_find_open(struct run *r, const char *name, const char *tmpl)
{
	size_t i;

	for (i = 0; i < r->nopen; i++) {
		struct pulse_open *o = &r->open[i];

		if (name != NULL ? strcmp(o->name, name) == 0
				 : pulse_may_resume(r, o) &&
			    ae_str_eq_nocase(o->tmpl, tmpl))
			return o;
	}
	return NULL;
}

int
pulse_load(struct run *r, const struct ae_template *tmpl, unsigned number,
    const uint8_t **der, size_t *len, struct ae_err *e)
{
	struct ae_rd in;
	const uint8_t *p;
	struct ae_wr q;
	int rc;

	ae_wr_init(&q, ROLE_BODY_MAX);
	ae_template_put(&q, tmpl);
	ae_wr_u32(&q, number);
	rc = peer_ask(r->key, ROLE_LOAD, &q, PULSE_KEY_MS, &in, e);
	ae_wr_done(&q);
	if (rc != AE_OK)
		return rc;
	p = msg_get_bytes(&in, AE_WCCE_REQUEST_MAX, len);
	if (p == NULL || !ae_rd_done(&in))
		return pulse_nonsense(e, "key");
	*der = ae_arena_dup(r->a, p, *len);
	return *der == NULL ? ae_fail_mem(e) : AE_OK;
}

int
pulse_drop(struct run *r, const char *tmpl, unsigned number, struct ae_err *e)
{
	struct ae_rd in;
	struct ae_wr q;
	int rc;

	ae_wr_init(&q, 4096);
	msg_put_str(&q, tmpl);
	ae_wr_u32(&q, number);
	rc = peer_ask(r->key, ROLE_DROP, &q, PULSE_KEY_MS, &in, e);
	ae_wr_done(&q);
	return rc;
}

int
pulse_mark(struct run *r, enum ae_store_request_state state, const char *config,
    uint32_t request_id, struct ae_err *e)
{
	struct ae_rd in;
	struct ae_wr q;
	int rc;

	ae_wr_init(&q, 4096);
	ae_wr_u32(&q, (uint32_t)state);
	msg_put_str(&q, config);
	ae_wr_u32(&q, request_id);
	rc = peer_ask(r->key, ROLE_MARK, &q, PULSE_KEY_MS, &in, e);
	ae_wr_done(&q);
	return rc;
}

static void
give_up(struct run *r, const struct pulse_open *o, const char *why, json_t *res)
{
	struct ae_err e = AE_ERR_INIT;

	if (pulse_drop(r, o->tmpl, o->number, &e) != AE_OK) {
		pulse_outcome(res, "failed", e.text);
		return;
	}
	pulse_event(r, AE_EVENT_CERTENROLL, 8, NULL, 0);
	pulse_outcome(res, "abandoned", why);
}

#define CERTSRV_E_ADMIN_DENIED_REQUEST 0x80094014u

static bool
is_code(const struct ae_err *e, uint32_t code)
{
	return e->dom == AE_DOM_HRESULT && (uint32_t)e->code == code;
}

static void
fetch(struct run *r, struct pulse_open *o, json_t *res, json_t *attempts)
{
	struct pulse_settling s = { .tmpl = o->now,
		.number = o->number,
		.config = o->meta.ca_config,
		.renew = o->meta.renews[0] != '\0',
		.renews = o->meta.renews,
		.retrieved = true };
	struct pulse_question q = { .request_id = o->meta.request_id,
		.full = o->meta.archival };
	struct pulse_verdict v = { 0 };
	struct ae_err e = AE_ERR_INIT;
	const uint8_t *der;
	char id[16];
	size_t len;
	int rc;

	rc = pulse_load(r, o->now, o->number, &der, &len, &e);
	if (rc == AE_OK)
		rc = pulse_ask(r, o->meta.ca_config, &q, &v, attempts, &e);
	if (rc == AE_OK) {
		pulse_settle(r, &s, &v, res);
		return;
	}
	/* A denied request, as an answer of the method itself. */
	if (is_code(&e, CERTSRV_E_ADMIN_DENIED_REQUEST)) {
		v.disposition = AE_CR_DISP_DENIED;
		v.request_id = o->meta.request_id;
		pulse_settle(r, &s, &v, res);
		return;
	}
	(void)snprintf(id, sizeof(id), "%" PRIu32, o->meta.request_id);
	EVENT(
	    r, AE_EVENT_CERTENROLL, 54, o->tmpl, o->meta.ca_config, id, e.text);
	pulse_set_code(res, pulse_code_of(&e));
	/* No request of that number: nobody will ever decide it. */
	if (is_code(&e, AE_HR_PROPERTY_EMPTY)) {
		give_up(r, o, "the CA does not know the request", res);
		return;
	}
	pulse_outcome(res, "failed", e.text);
	(void)json_object_set_new(
	    res, "error_class", json_integer((json_int_t)client_exit_code(&e)));
}

/* Ask what became of it, or (why) give it up. */
static void
retrieve(struct run *r, struct pulse_open *o, const char *why)
{
	json_t *res, *attempts;

	o->settled = true;
	res = json_pack("{s:s, s:s, s:I, s:b}", "template", o->tmpl, "ca",
	    o->meta.ca_config, "request_id", (json_int_t)o->meta.request_id,
	    "retrieved", 1);
	attempts = json_array();
	(void)json_object_set(res, "attempts", attempts);
	if (why != NULL)
		give_up(r, o, why, res);
	else
		fetch(r, o, res, attempts);
	json_decref(attempts);
	(void)json_array_append_new(r->results, res);
}

void
pulse_retrieve(struct run *r)
{
	size_t i;

	for (i = 0; i < r->plan.npending; i++) {
		const struct pulse_pending *p = &r->plan.pending[i];
		struct pulse_open *o = pulse_find_open(r, p->name, NULL);

		if (o != NULL)
			retrieve(r, o,
			    p->what == AE_PLAN_DROP || o->now == NULL ? p->text
								      : NULL);
	}
	/* By hand, without policy: the one that is asked for. */
	for (i = 0; r->o->only != NULL && i < r->nopen; i++) {
		struct pulse_open *o = &r->open[i];

		if (!o->settled && o->now != NULL &&
		    o->meta.state == AE_STORE_PENDING &&
		    ae_str_eq_nocase(o->tmpl, r->o->only) &&
		    !pulse_asks_for_its_own(r->o))
			retrieve(r, o, NULL);
	}
}

int
pulse_accept(struct run *r, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	const uint8_t *der;
	size_t len, i;
	bool refused;
	json_t *res;
	int rc = AE_ENOTFOUND;

	for (i = 0; i < r->nopen && rc == AE_ENOTFOUND; i++) {
		struct pulse_open *o = &r->open[i];
		struct pulse_settling s = { .tmpl = o->now,
			.number = o->number,
			.config = o->meta.ca_config };

		if (o->now == NULL ||
		    pulse_load(r, o->now, o->number, &der, &len, &why) != AE_OK)
			continue;
		res = json_pack("{s:s}", "template", o->tmpl);
		rc = pulse_install(r, &s, r->o->install, r->o->install_len,
		    o->meta.request_id, res, &refused, &why);
		if (rc == AE_OK)
			pulse_outcome(res, "issued", NULL);
		(void)(rc == AE_OK ? json_array_append(r->results, res) : 0);
		json_decref(res);
	}
	if (rc == AE_ENOTFOUND)
		return ae_fail(e, rc, AE_DOM_NONE, 0,
		    "no request that is kept here has the key of this "
		    "certificate%s%s",
		    why.rc == AE_OK ? "" : "; the last one: ", why.text);
	if (rc != AE_OK)
		*e = why;
	return rc;
}
