/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Requests under way: which there are, taking one up again, noting what
 * became of it, forgetting it; see role_key.h.
 */
#include "role_key.h"

#include <stdio.h>
#include <string.h>

#include "sys/clock.h"

int
key_list_open(
    struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_store_request_list l = { 0 };
	struct key_role *k = r->state;
	size_t i;
	int rc;

	if (!ae_rd_done(in))
		return key_malformed(e, "open requests");
	rc = ae_store_request_list(k->store, &l, e);
	if (rc != AE_OK)
		return rc;
	ae_wr_u32(out, (uint32_t)l.n);
	for (i = 0; i < l.n; i++) {
		const struct ae_store_request_meta *m = &l.v[i].meta;

		msg_put_str(out, l.v[i].tmpl);
		ae_wr_u32(out, l.v[i].number);
		ae_wr_u32(out, (uint32_t)m->state);
		msg_put_str(out, m->ca_config);
		ae_wr_u32(out, m->request_id);
		ae_wr_u64(out, (uint64_t)m->made);
		ae_wr_u64(out, (uint64_t)m->asked);
		msg_put_str(out, m->renews);
		ae_wr_u8(out, m->automatic);
		ae_wr_u8(out, m->archival);
	}
	ae_store_request_list_done(&l);
	return AE_OK;
}

static int
take_up(struct role *r, struct ae_wr *out, unsigned number, struct ae_err *e)
{
	struct ae_store_request_list l = { 0 };
	struct key_role *k = r->state;
	size_t i;
	int rc;

	rc = ae_store_request_list(k->store, &l, e);
	if (rc != AE_OK)
		return rc;
	rc = AE_ENOTFOUND;
	for (i = 0; i < l.n && rc == AE_ENOTFOUND; i++) {
		if (strcmp(l.v[i].tmpl, k->tmpl->cn) != 0 ||
		    l.v[i].number != number)
			continue;
		k->meta = l.v[i].meta;
		k->number = number;
		msg_put_bytes(out, l.v[i].der, l.v[i].der_len);
		rc = AE_OK;
	}
	ae_store_request_list_done(&l);
	if (rc != AE_OK)
		return ae_fail(e, rc, AE_DOM_NONE, 0,
		    "there is no request %s/%u", k->tmpl->cn, number);
	return key_open(&k->key, r, "request", k->tmpl->cn, number, e);
}

int
key_load(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct key_role *k = r->state;
	unsigned number;
	int rc;

	key_let_go(k);
	rc = ae_template_get(&k->tmpl, in, e);
	if (rc != AE_OK)
		return rc;
	number = ae_rd_u32(in);
	rc = ae_rd_done(in) ? take_up(r, out, number, e)
			    : key_malformed(e, "load");
	if (rc != AE_OK)
		key_let_go(k);
	return rc;
}

int
key_mark(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(4096);
	struct key_role *k = r->state;
	struct ae_store_request_meta m = k->meta;
	const char *config;
	uint32_t state;
	int rc;

	(void)out;
	if (a == NULL)
		return ae_fail_mem(e);
	state = ae_rd_u32(in);
	config = msg_get_str(a, in, sizeof(m.ca_config) - 1);
	m.request_id = ae_rd_u32(in);
	if (!ae_rd_done(in) || k->tmpl == NULL || config == NULL ||
	    state >= AE_STORE_REQUEST_STATES) {
		rc = key_malformed(e, "mark");
		goto out;
	}
	m.state = (enum ae_store_request_state)state;
	(void)snprintf(m.ca_config, sizeof(m.ca_config), "%s", config);
	if (m.state == AE_STORE_ASKED)
		m.asked = ae_clock_now();
	rc = ae_store_request_update(k->store, k->tmpl->cn, k->number, &m, e);
	if (rc == AE_OK)
		k->meta = m;
out:
	ae_arena_free(a);
	return rc;
}

int
key_drop(struct role *r, struct ae_rd *in, struct ae_wr *out, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(4096);
	struct key_role *k = r->state;
	const char *tmpl;
	unsigned number;
	int rc;

	(void)out;
	if (a == NULL)
		return ae_fail_mem(e);
	tmpl = msg_get_str(a, in, AE_STORE_NAME_MAX);
	number = ae_rd_u32(in);
	if (tmpl == NULL || !ae_rd_done(in)) {
		rc = key_malformed(e, "drop");
		goto out;
	}
	key_forget(r, tmpl, number);
	rc = ae_store_request_remove(k->store, tmpl, number, e);
	if (rc == AE_OK && k->tmpl != NULL && k->number == number &&
	    strcmp(k->tmpl->cn, tmpl) == 0)
		key_let_go(k);
out:
	ae_arena_free(a);
	return rc;
}
