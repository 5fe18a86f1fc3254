/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of the directory, continued: what a template says beyond the plan,
 * what may not be seen, and what the forest's certificates are.  Members of
 * "ad" (probe_ad.c):
 *
 *   "templates": [ { …, "machine": bool, "revision", "csps": [ name ],
 *           "providers": [ kind here, the preferred one first ],
 *           "key": what it wants, "RSA:2048", "P256"; not when it is unknown,
 *           "ekus": [ OID ], "oid_entry": bool, when any has one,
 *           "may": { "read", "enroll", "autoenroll": bool } } ],
 *   "unseen": [ { "cn", "dn", "state": "absent" | "unreadable" } ]: templates
 *           that somebody names and the list does not have,
 *   "containers": { "templates", "services": "listed" | "absent" |
 *           "unreadable" }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/escape.h"
#include "base/str.h"
#include "diag/facts.h"
#include "enroll/keyspec.h"
#include "probe_pki.h"

#define UNSEEN_MAX 64u
#define LIST_CHILDREN 0x4u /* ADS_RIGHT_ACTRL_DS_LIST, MS-ADTS 5.1.3.2 */

static json_t *
strings(const struct ae_strv *v)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < v->n; i++)
		(void)json_array_append_new(list, client_text(v->v[i]));
	return list;
}

static bool
has_entry(const struct ae_pki *pki, const char *oid)
{
	size_t i;

	for (i = 0; i < pki->noids; i++)
		if (strcmp(pki->oids[i].oid, oid) == 0)
			return true;
	return false;
}

/* By the names of pki/tpm_look.h. */
static void
put_key(json_t *j, const struct ae_template *t, const struct ae_providers *here)
{
	struct ae_key_spec spec = { 0 };

	/* Of one that no provider here serves the rest is known all the same.
	 */
	if (ae_key_spec_from_template(&spec, t, here, NULL) != AE_OK &&
	    spec.check == NULL)
		return;
	if (spec.bits != 0)
		(void)json_object_set_new(j, "key",
		    json_sprintf(
			spec.alg == AE_ALG_RSA ? "RSA:%u" : "P%u", spec.bits));
}

/* A forest whose templates were all made without is left in peace. */
static bool
any_has_entry(const struct ae_pki *pki)
{
	size_t i;

	for (i = 0; i < pki->ntemplates; i++)
		if (pki->templates[i]->oid != NULL &&
		    has_entry(pki, pki->templates[i]->oid))
			return true;
	return false;
}

static json_t *
kinds(const struct ae_template *t, const struct ae_providers *here)
{
	struct ae_provider_choice c[AE_PROVIDERS];
	size_t n = ae_provider_choices(c, here, t), i;
	json_t *list = json_array();

	for (i = 0; i < n; i++)
		if (ae_key_kind_refused(t, c[i].kind) == NULL)
			(void)json_array_append_new(
			    list, json_string(ae_provider_word(c[i].kind)));
	return list;
}

void
probe_pki_template(json_t *j, const struct ae_template *t,
    const struct ae_pki *pki, const struct ae_token *me,
    const struct ae_providers *here)
{
	(void)json_object_update_new(j,
	    json_pack("{s:b, s:I, s:o, s:o, s:o, s:o}", "machine",
		(t->flags & AE_CT_MACHINE_TYPE) != 0, "revision",
		(json_int_t)t->revision, "csps", strings(&t->csps), "providers",
		kinds(t, here), "ekus", strings(&t->ekus), "supersedes",
		strings(&t->supersedes)));
	put_key(j, t, here);
	if (t->oid != NULL && any_has_entry(pki))
		(void)json_object_set_new(
		    j, "oid_entry", json_boolean(has_entry(pki, t->oid)));
	if (me != NULL && t->sd != NULL)
		(void)json_object_set_new(j, "may",
		    json_pack("{s:b, s:b, s:b}", "read",
			ae_sd_can_read(t->sd, me), "enroll",
			ae_sd_can_enroll(t->sd, me), "autoenroll",
			ae_sd_can_autoenroll(t->sd, me)));
}

/* ---- what is named and not in the list ---- */

static bool
is_listed(const struct ae_pki *pki, const char *cn)
{
	return ae_template_find(pki->templates, pki->ntemplates, cn) != NULL;
}

static bool
is_noted(const json_t *list, const char *cn)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
	{
		if (ae_str_eq_nocase(ae_fact_text(one, "cn"), cn))
			return true;
	}
	return false;
}

/* Of an object that may not be read the name alone is shown. */
static const char *
state_of(struct ae_ad *ad, const char *dn)
{
	static const char *const attrs[] = { "cn", NULL };
	struct ae_entries l = { 0 };
	const char *state = NULL;
	int rc;

	rc = ae_ad_read(ad, dn, attrs, &l, NULL);
	if (rc == AE_ENOTFOUND)
		state = "absent";
	else if (rc == AE_OK)
		state = ae_entry_get(&l.v[0], "cn") == NULL ? "unreadable"
							    : "other";
	ae_entries_done(&l);
	return state;
}

static void
note_unseen(
    json_t *list, struct ae_ad *ad, const struct ae_pki *pki, const char *cn)
{
	const char *state;
	char *dn = NULL;
	struct ae_wr w;
	json_t *j;

	if (is_listed(pki, cn) || is_noted(list, cn) ||
	    json_array_size(list) == UNSEEN_MAX)
		return;
	ae_wr_init(&w, 1024);
	ae_ad_put_dn_value(&w, cn);
	if (ae_wr_cstr(&w) != NULL &&
	    asprintf(&dn, "CN=%s,CN=Certificate Templates,%s", ae_wr_cstr(&w),
		ae_ad_pks_dn(ad)) > 0) {
		state = state_of(ad, dn);
		j = json_pack("{s:s?}", "state", state);
		(void)json_object_set_new(j, "cn", client_text(cn));
		(void)json_object_set_new(j, "dn", client_text(dn));
		(void)json_array_append_new(list, j);
		free(dn);
	}
	ae_wr_done(&w);
}

json_t *
probe_pki_unseen(struct ae_ad *ad, const struct ae_pki *pki, const char *asked)
{
	json_t *list = json_array();
	size_t i, k;

	if (asked != NULL)
		note_unseen(list, ad, pki, asked);
	for (i = 0; i < pki->nservices; i++)
		for (k = 0; k < pki->services[i]->templates.n; k++)
			note_unseen(
			    list, ad, pki, pki->services[i]->templates.v[k]);
	return list;
}

/* ---- may the containers be listed? ---- */

static const char *
container(struct ae_ad *ad, const char *name, const struct ae_token *me)
{
	static const char *const attrs[] = { "cn", "nTSecurityDescriptor",
		NULL };
	struct ae_entries l = { 0 };
	const struct ae_attr *raw;
	const char *state = NULL;
	struct ae_sd *sd = NULL;
	char *dn = NULL;
	int rc;

	if (asprintf(&dn, "CN=%s,%s", name, ae_ad_pks_dn(ad)) < 0)
		return NULL;
	rc = ae_ad_read(ad, dn, attrs, &l, NULL);
	if (rc == AE_ENOTFOUND) {
		state = "absent";
	} else if (rc == AE_OK && ae_entry_get(&l.v[0], "cn") == NULL) {
		state = "unreadable";
	} else if (rc == AE_OK) {
		state = "listed";
		raw = ae_entry_get(&l.v[0], "nTSecurityDescriptor");
		if (raw != NULL && raw->n > 0 && me != NULL &&
		    ae_sd_parse(&sd, raw->v[0].p, raw->v[0].len, NULL) ==
			AE_OK &&
		    !ae_sd_access_check(
			sd, me, LIST_CHILDREN, NULL, NULL, NULL))
			state = "unreadable";
	}
	ae_sd_free(sd);
	ae_entries_done(&l);
	free(dn);
	return state;
}

json_t *
probe_pki_containers(
    struct ae_ad *ad, const struct ae_pki *pki, const struct ae_token *me)
{
	/* What lists something can be listed. */
	return json_pack("{s:s?, s:s?}", "templates",
	    pki->ntemplates > 0 ? "listed"
				: container(ad, "Certificate Templates", me),
	    "services",
	    pki->nservices > 0 ? "listed"
			       : container(ad, "Enrollment Services", me));
}
