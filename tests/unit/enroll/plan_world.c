/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The healthy world; see plan_world.h.
 */
#include "plan_world.h"

#include <stdlib.h>
#include <string.h>

static char cn[] = "Workstation", oid[] = "1.3.6.1.4.1.311.21.8.1.2";
static char newer[] = "WorkstationV2", newer_oid[] = "1.3.6.1.4.1.311.21.8.1.3";
static char ca_cn[] = "Lab CA", ca_host[] = "ca1.lab.example";
static char host[] = "pc1.lab.example", upn[] = "PC1$@LAB.EXAMPLE";
static char client_auth[] = "1.3.6.1.5.5.7.3.2";

struct ae_sid
world_sid(const char *text)
{
	struct ae_sid s;

	assert_true(ae_sid_parse(&s, text));
	return s;
}

struct ae_sd *
world_grants(unsigned what)
{
	const struct ae_guid *rights[] = { NULL, &ae_right_enroll,
		&ae_right_autoenroll };
	struct ae_sid group = world_sid("S-1-5-21-1-2-3-515");
	struct ae_sd *sd = ae_sd_new();
	unsigned i;

	assert_non_null(sd);
	for (i = 0; i < 3; i++)
		if ((what & (1u << i)) != 0)
			assert_int_equal(
			    ae_sd_allow(sd, 0,
				i == 0 ? AE_ACCESS_READ : AE_ACCESS_CONTROL,
				rights[i], &group, NULL),
			    AE_OK);
	return sd;
}

void
world_set_rights(struct ae_template *t, unsigned what)
{
	ae_sd_free(t->sd);
	t->sd = world_grants(what);
}

static void
make_inventory(struct world *w)
{
	w->cert[0] = (struct ae_inv_cert){ .name = "Workstation/1",
		.thumbprint = "00112233445566778899aabbccddeeff00112233",
		.template_oid = oid,
		.major = 100,
		.not_before = NOW - 30 * DAY,
		.not_after = NOW + 335 * DAY,
		.has_key = true,
		.trusted = true,
		.revocation = AE_INV_GOOD,
		.has_sid = true,
		.sid = w->sid,
		.dns = { w->dns, 1 },
		.upns = { w->upn, 1 },
		.usages = { w->usage, 1 } };
	w->published = w->cert[0];
	w->published.name = "userCertificate";
	w->published.has_key = false;
	w->request[0] = (struct ae_inv_request){ .name = "Workstation/1",
		.template_cn = cn,
		.template_oid = oid,
		.ca_config = "CA1.lab.example\\lab ca",
		.request_id = 17,
		.automatic = true,
		.state = AE_INV_PENDING,
		.submitted = NOW - DAY };
	w->request[1] = w->request[0];
}

int
world_setup(void **state)
{
	struct ae_sid group = world_sid("S-1-5-21-1-2-3-515");
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	w->sid = world_sid("S-1-5-21-1-2-3-1104");
	w->a = ae_arena_new(1 << 20);
	assert_int_equal(
	    ae_token_new(&w->token, &w->sid, &group, 1, 0, NULL), AE_OK);
	w->t = (struct ae_template){ .cn = cn,
		.oid = oid,
		.schema_version = 2,
		.revision = 100,
		.flags = AE_CT_MACHINE_TYPE,
		.enrollment_flag = AE_CT_AUTO_ENROLLMENT,
		.name_flag = AE_CT_SAN_DNS,
		.min_key_size = 2048,
		.validity = 365 * DAY,
		.overlap = 42 * DAY,
		.sd = world_grants(7) };
	w->t2 = w->t;
	w->t2.cn = newer;
	w->t2.oid = newer_oid;
	w->t2.sd = world_grants(7);
	w->offers[0] = cn;
	w->offers[1] = newer;
	w->supersedes[0] = cn;
	w->back[0] = newer;
	w->dns[0] = host;
	w->upn[0] = upn;
	w->usage[0] = client_auth;
	w->ca = (struct ae_enrollment_service){ .cn = ca_cn,
		.dns_host_name = ca_host,
		.templates = { w->offers, 2 },
		.sd = world_grants(3) };
	w->cas[0] = (struct ae_plan_ca){ .service = &w->ca,
		.trust = AE_CA_TRUSTED,
		.ntauth = true,
		.not_after = NOW + 3650LL * DAY };
	w->templates[0] = &w->t;
	w->templates[1] = &w->t2;
	make_inventory(w);
	w->in = (struct ae_plan_input){ .context = AE_CONTEXT_MACHINE,
		.policy_set = true,
		.policy = 7,
		.templates = w->templates,
		.ntemplates = 1,
		.cas = w->cas,
		.ncas = 1,
		.token = w->token,
		.have = { .certs = w->cert,
		    .requests = w->request,
		    .published = &w->published },
		.sid = &w->sid,
		.dns_host_name = host,
		.upn = upn,
		.expiry_percent = 10,
		.now = NOW,
		.dc_now = NOW + 2 };
	*state = w;
	return 0;
}

int
world_teardown(void **state)
{
	struct world *w = *state;

	ae_sd_free(w->t.sd);
	ae_sd_free(w->t2.sd);
	ae_sd_free(w->ca.sd);
	ae_token_free(w->token);
	ae_arena_free(w->a);
	free(w);
	return 0;
}

struct ae_plan *
world_plan(struct world *w)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_plan *p = NULL;

	ae_arena_free(w->a);
	w->a = ae_arena_new(1 << 20);
	assert_non_null(w->a);
	assert_int_equal(ae_plan_make(&p, &w->in, w->a, &e), AE_OK);
	return p;
}

const struct ae_plan_item *
world_item(struct world *w)
{
	const struct ae_plan *p = world_plan(w);

	assert_true(p->nitems > 0);
	return &p->items[0];
}

bool
world_has(const struct ae_plan_item *item, const char *check)
{
	size_t i;

	for (i = 0; i < item->reasons.n; i++)
		if (strcmp(item->reasons.v[i].check, check) == 0)
			return true;
	return false;
}

const struct ae_plan_store *
world_leaves(const struct ae_plan *p, const struct ae_inv_cert *c)
{
	size_t i;

	for (i = 0; i < p->nstore; i++)
		if (p->store[i].cert == c)
			return &p->store[i];
	return NULL;
}
