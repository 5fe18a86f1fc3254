/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of the GPOs that plan names, where what holds is not all that could
 * be asked for: what do their files say, whether they apply or not?
 *
 *   "gpo": { "looked": bool, "gpos": [ { "name", "verdict", "text", "detail",
 *            "version", "file_version": of the half that counts, "mine",
 *            "other": AEPolicy of that half's file and the other's, absent:
 *            not set, "elsewhere": AEPolicy of a key that is none of policy,
 *            "file": "ok" or why that half's was not read } ] }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "diag/facts.h"
#include "gather/sysvol.h"
#include "policy/files.h"
#include "policy/registry.h"
#include "policy/settings.h"
#include "probe.h"

#define GPOS_MAX 64u
#define EACH 3u /* GPT.INI, our half, the other one */
#define HELPER_SECONDS 6u
#define ALL_BITS (AE_POLICY_ENROLL | AE_POLICY_MANAGE | AE_POLICY_PENDING)
#define AUTOENROLL_KEY \
	"Software\\Policies\\Microsoft\\Cryptography\\AutoEnrollment"
/* Where it is only what Windows remembers of itself. */
#define OTHER_KEY "Software\\Microsoft\\Cryptography\\AutoEnrollment"

/* "CN={…},CN=Policies,…" to "{…}\file"; false: it is no GPO's name. */
static bool
path_of(char *out, size_t len, const char *dn, const char *file)
{
	if (strncmp(dn, "CN={", 4) != 0 && strncmp(dn, "cn={", 4) != 0)
		return false;
	(void)snprintf(
	    out, len, "%.*s\\%s", (int)strcspn(dn + 3, ","), dn + 3, file);
	return ae_sysvol_path_ok(out);
}

static const char *
half_file(bool user)
{
	return user ? "User\\Registry.pol" : "Machine\\Registry.pol";
}

static int
add(struct ae_sysvol_request *q, const char *dn, bool user, struct ae_err *e)
{
	const char *files[EACH] = { "GPT.INI", half_file(user),
		half_file(!user) };
	char path[256];
	size_t i;

	for (i = 0; i < EACH; i++) {
		(void)path_of(path, sizeof(path), dn, files[i]);
		q->files[q->n].path = strdup(path);
		if (q->files[q->n].path == NULL)
			return ae_fail_mem(e);
		q->n++;
	}
	return AE_OK;
}

/* What a Registry.pol says of AEPolicy in this key.  AE_ENOTFOUND: nothing. */
static int
aepolicy(uint32_t *out, const char *key, const struct ae_sysvol_file *f,
    struct ae_err *e)
{
	const char *const keys[] = { key, NULL };
	struct ae_registry *r;
	struct ae_pol pol;
	int rc = ae_pol_parse(&pol, f->data, f->len, e);

	if (rc != AE_OK)
		return rc;
	r = ae_registry_new(keys);
	rc = r == NULL ? ae_fail_mem(e) : ae_registry_apply(r, &pol, 0, e);
	if (rc == AE_OK &&
	    !ae_registry_u32(ae_registry_get(r, key, "AEPolicy"), out))
		rc = AE_ENOTFOUND;
	ae_registry_free(r);
	ae_pol_done(&pol);
	return rc;
}

/* name: where the value goes; says: where goes how it went, NULL: nowhere. */
static void
put_half(json_t *j, const char *name, const char *says,
    const struct ae_sysvol_file *f)
{
	struct ae_err why = AE_ERR_INIT;
	const char *text = "ok";
	uint32_t value;
	int rc;

	if (f->status == AE_SYSVOL_OK) {
		rc = aepolicy(&value, AUTOENROLL_KEY, f, &why);
		if (rc == AE_OK)
			(void)json_object_set_new(j, name, json_integer(value));
		else if (rc != AE_ENOTFOUND)
			text = why.text;
	} else if (f->status != AE_SYSVOL_NOT_FOUND) {
		text = ae_sysvol_status_text(f->status);
	}
	if (says != NULL)
		(void)json_object_set_new(j, says, client_text(text));
}

static void
put_gpo(
    json_t *list, const json_t *gpo, const struct ae_sysvol_file *f, bool user)
{
	static const char *const same[] = { "name", "verdict", "text", "detail",
		"version" };
	json_t *j = json_object(), *value;
	uint32_t version, value32;
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		value = json_object_get(gpo, same[i]);
		if (value != NULL)
			(void)json_object_set(j, same[i], value);
	}
	if (f[0].status == AE_SYSVOL_OK &&
	    ae_gpt_ini_version(&version, f[0].data, f[0].len))
		(void)json_object_set_new(j, "file_version",
		    json_integer(user ? version >> 16 : version & 0xffff));
	put_half(j, "mine", "file", &f[1]);
	put_half(j, "other", NULL, &f[2]);
	if (f[1].status == AE_SYSVOL_OK &&
	    aepolicy(&value32, OTHER_KEY, &f[1], NULL) == AE_OK)
		(void)json_object_set_new(
		    j, "elsewhere", json_integer(value32));
	(void)json_array_append_new(list, j);
}

static int
look(struct probe *p, const json_t **gpos, size_t n, struct ae_err *e)
{
	const struct ae_gather_sysvol how = { .program = p->cli->c.helper,
		.ccache = probe_ccache(p),
		.timeout = HELPER_SECONDS };
	struct ae_sysvol_request q = { .op = AE_SYSVOL_READ };
	struct ae_sysvol_reply reply = { 0 };
	json_t *list = json_array();
	size_t i;
	int rc = AE_OK;

	q.server = strdup(ae_fact_text(p->facts, "dc.host"));
	q.domain = strdup(ae_fact_text(p->facts, "dc.domain"));
	q.files = calloc(n * EACH + 1, sizeof(*q.files));
	if (q.server == NULL || q.domain == NULL || q.files == NULL)
		rc = ae_fail_mem(e);
	for (i = 0; i < n && rc == AE_OK; i++)
		rc = add(&q, ae_fact_text(gpos[i], "dn"), p->cli->c.user, e);
	probe_doing(p, "gpo", ae_fact_text(p->facts, "dc.host"));
	if (rc == AE_OK && n > 0)
		rc = ae_gather_sysvol(&reply, &how, &q, e);
	for (i = 0; i < n && rc == AE_OK; i++)
		put_gpo(list, gpos[i], &reply.files[i * EACH], p->cli->c.user);
	ae_sysvol_reply_done(&reply);
	ae_sysvol_request_done(&q);
	if (rc == AE_OK)
		probe_set(p, "gpos", json_incref(list));
	json_decref(list);
	return rc;
}

int
probe_gpo(struct probe *p, struct ae_err *e)
{
	const json_t *gpo, *v[GPOS_MAX];
	int64_t now = 0;
	char path[256];
	size_t i, n = 0;
	int rc;

	(void)ae_fact_int(&now, p->facts, "plan.policy.aepolicy");
	if ((now & (AE_POLICY_DISABLED | ALL_BITS)) == ALL_BITS) {
		probe_set(p, "looked", json_false());
		return AE_OK;
	}
	json_array_foreach(ae_fact(p->facts, "plan.policy.gpos"), i, gpo)
	{
		if (n < GPOS_MAX &&
		    path_of(path, sizeof(path), ae_fact_text(gpo, "dn"),
			half_file(p->cli->c.user)))
			v[n++] = gpo;
	}
	rc = look(p, v, n, e);
	if (rc == AE_OK)
		probe_set(p, "looked", json_true());
	return rc;
}
