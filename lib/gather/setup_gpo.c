/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The group policy that switches auto-enrollment on: its files in SYSVOL
 * first, then its object, then the link, so that at no moment somebody
 * applies half of it.
 */
#include "gather/setup_int.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "policy/files.h"
#include "policy/gplink.h"
#include "policy/registry_pol.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* Ours in every domain, so that a second run finds it. */
#define GPO_ID "{5D3C1F0E-9B0A-4C57-9E0D-6A1B8C2F7E41}"
#define GPO_NAME "Certificate Auto-Enrollment"
#define AE_KEY "Software\\Policies\\Microsoft\\Cryptography\\AutoEnrollment"
/* The snap-in that edits these settings in Windows' editor. */
#define TOOL_PKI "{53D6AB1B-2488-11D1-A28C-00C04FB94F17}"

static const uint8_t seven[4] = { 7, 0, 0, 0 };
static const struct ae_pol_instruction wanted[] = {
	{ AE_KEY, "AEPolicy", AE_REG_DWORD, seven, 4 },
	{ AE_KEY, "OfflineExpirationPercent", AE_REG_DWORD,
	    (const uint8_t *)"\x0a\0\0\0", 4 },
	{ AE_KEY, "OfflineExpirationStoreNames", AE_REG_SZ,
	    (const uint8_t *)"M\0Y\0\0\0", 6 },
};

/* Files of the policy, in the order they are read and written. */
enum { INI, MACHINE, USER, NFILES };
static const char *const paths[NFILES] = { GPO_ID "\\GPT.INI",
	GPO_ID "\\Machine\\Registry.pol", GPO_ID "\\User\\Registry.pol" };

struct gpo {
	const char *dn;
	bool exists;
	uint32_t version;      /* of the object */
	uint32_t file_version; /* of GPT.INI */
	bool same[NFILES];     /* the half says what it should */
	struct ae_wr file[NFILES];
};

/* FILE_ALL_ACCESS, and what reading takes: MS-FSCC file access masks. */
#define FILE_ALL UINT32_C(0x001f01ff)
#define FILE_LOOK UINT32_C(0x001200a9)

/*
 * The folder's descriptor says what the object's does: administrators and
 * the system write, everybody in the domain reads.  Without one it would
 * inherit that Group Policy Creator Owners may change it.
 */
static int
folder_sd(struct ae_wr *w, const struct ae_setup_run *r, struct ae_err *e)
{
	static const struct ae_sid creator_owner = { 3, 1, { 0 } };
	static const struct ae_sid local_system = { 5, 1, { 18 } };
	static const struct ae_sid authenticated = { 5, 1, { 11 } };
	static const struct ae_sid enterprise_dcs = { 5, 1, { 9 } };
	const uint8_t both = AE_ACE_OBJECT_INHERIT | AE_ACE_CONTAINER_INHERIT;
	const struct {
		const struct ae_sid *sid;
		uint32_t mask;
		uint8_t flags;
	} aces[] = {
		{ &r->domain_admins, FILE_ALL, both },
		{ &r->enterprise_admins, FILE_ALL, both },
		{ &creator_owner, FILE_ALL, both | AE_ACE_INHERIT_ONLY },
		{ &local_system, FILE_ALL, both },
		{ &authenticated, FILE_LOOK, both },
		{ &enterprise_dcs, FILE_LOOK, both },
	};
	struct ae_sd *sd = ae_sd_new();
	size_t i;
	int rc = AE_OK;

	if (sd == NULL)
		return ae_fail_mem(e);
	sd->control |= AE_SD_DACL_PROTECTED;
	ae_sd_set_owner(sd, &r->domain_admins);
	ae_sd_set_group(sd, &r->domain_admins);
	for (i = 0; i < COUNT(aces) && rc == AE_OK; i++)
		rc = ae_sd_allow(
		    sd, aces[i].flags, aces[i].mask, NULL, aces[i].sid, e);
	if (rc == AE_OK)
		rc = ae_sd_encode(w, sd, e);
	ae_sd_free(sd);
	return rc;
}

static int
talk(struct ae_sysvol_reply *out, struct ae_setup_run *r, struct gpo *g,
    uint32_t op, struct ae_err *e)
{
	struct ae_sysvol_file files[NFILES] = { 0 };
	struct ae_sysvol_request q = { .op = op, .files = files, .n = NFILES };
	struct ae_wr sd;
	size_t i;
	int rc = AE_OK;

	ae_wr_init(&sd, AE_SD_BYTES_MAX);
	if (op == AE_SYSVOL_WRITE)
		rc = folder_sd(&sd, r, e);
	q.sd = sd.p;
	q.sd_len = sd.len;
	q.server = strdup(ae_ad_root(r->ad)->host);
	q.domain = strdup(r->domain.dns);
	/* GPT.INI last when writing: it is what tells of the others. */
	for (i = 0; i < NFILES; i++) {
		size_t from = op == AE_SYSVOL_WRITE ? NFILES - 1 - i : i;

		files[i].path = strdup(paths[from]);
		files[i].data = g->file[from].p;
		files[i].len = g->file[from].len;
		if (files[i].path == NULL)
			rc = ae_fail_mem(e);
	}
	if (q.server == NULL || q.domain == NULL)
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_gather_sysvol(out, &r->conf->sysvol, &q, e);
	for (i = 0; i < NFILES; i++)
		free(files[i].path);
	free(q.server);
	free(q.domain);
	ae_wr_done(&sd);
	return rc;
}

static bool
is_wanted(const struct ae_pol_instruction *i, size_t *which)
{
	for (*which = 0; *which < COUNT(wanted); (*which)++)
		if (ae_str_eq_nocase(i->key, wanted[*which].key) &&
		    ae_str_eq_nocase(i->value, wanted[*which].value))
			return true;
	return false;
}

/*
 * What the file should be: all that is in it, with AEPolicy 7, and the other
 * two values where nobody set them.
 */
static int
merge(struct ae_wr *out, bool *same, const struct ae_sysvol_file *f,
    struct ae_err *e)
{
	struct ae_pol_instruction *v;
	bool have[COUNT(wanted)] = { false };
	struct ae_pol pol = { 0 };
	size_t i, n = 0, which;
	int rc;

	*same = f->status == AE_SYSVOL_OK;
	if (*same && (rc = ae_pol_parse(&pol, f->data, f->len, e)) != AE_OK)
		return rc;
	v = calloc(pol.n + COUNT(wanted), sizeof(*v));
	if (v == NULL) {
		ae_pol_done(&pol);
		return ae_fail_mem(e);
	}
	for (i = 0; i < pol.n; i++) {
		v[n] = pol.v[i];
		if (is_wanted(&v[n], &which)) {
			have[which] = true;
			if (which == 0 &&
			    (v[n].len != 4 || v[n].type != AE_REG_DWORD ||
				memcmp(v[n].data, seven, 4) != 0)) {
				v[n] = wanted[0];
				*same = false;
			}
		}
		n++;
	}
	for (i = 0; i < COUNT(wanted); i++)
		if (!have[i]) {
			v[n++] = wanted[i];
			*same = false;
		}
	rc = ae_pol_encode(out, v, n, e);
	free(v);
	ae_pol_done(&pol);
	return rc;
}

static int
status_error(const struct ae_sysvol_file *f, const char *path, struct ae_err *e)
{
	return ae_fail(e,
	    f->status == AE_SYSVOL_DENIED ? AE_EDENIED : AE_EUNAVAIL,
	    AE_DOM_ERRNO, f->error, "SYSVOL: %s: %s", path,
	    ae_sysvol_status_text(f->status));
}

static int
look(struct ae_setup_run *r, struct gpo *g, struct ae_err *e)
{
	static const char *const want[] = { "versionNumber", NULL };
	struct ae_sysvol_reply a = { 0 };
	struct ae_entries l = { 0 };
	size_t i;
	int rc;

	rc = ae_ad_read(r->ad, g->dn, want, &l, e);
	g->exists = rc == AE_OK;
	if (rc == AE_OK) {
		rc = ae_entry_u32(&l.v[0], want[0], &g->version, e);
		ae_entries_done(&l);
	}
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	if ((rc = talk(&a, r, g, AE_SYSVOL_READ, e)) != AE_OK)
		return rc;
	for (i = 0; i < NFILES && rc == AE_OK; i++)
		if (a.files[i].status != AE_SYSVOL_OK &&
		    a.files[i].status != AE_SYSVOL_NOT_FOUND)
			rc = status_error(&a.files[i], paths[i], e);
	if (rc == AE_OK)
		g->same[INI] = ae_gpt_ini_version(
		    &g->file_version, a.files[INI].data, a.files[INI].len);
	for (i = MACHINE; i <= USER && rc == AE_OK; i++)
		rc = merge(&g->file[i], &g->same[i], &a.files[i], e);
	ae_sysvol_reply_done(&a);
	return rc;
}

/* Both halves go up: clients compare each with what they have seen. */
static uint32_t
next_version(uint32_t a, uint32_t b)
{
	uint32_t user = a >> 16 > b >> 16 ? a >> 16 : b >> 16;
	uint32_t machine =
	    (a & 0xffff) > (b & 0xffff) ? a & 0xffff : b & 0xffff;

	return ((user + 1) & 0xffff) << 16 | ((machine + 1) & 0xffff);
}

static int
write_files(struct ae_setup_run *r, struct gpo *g, struct ae_err *e)
{
	struct ae_sysvol_reply a = { 0 };
	size_t i;
	int rc;

	g->version = next_version(g->version, g->file_version);
	ae_gpt_ini_put(&g->file[INI], g->version, GPO_NAME);
	if (!ae_wr_ok(&g->file[INI]))
		return ae_fail_mem(e);
	if (!r->conf->dry_run) {
		if ((rc = talk(&a, r, g, AE_SYSVOL_WRITE, e)) != AE_OK)
			return rc;
		for (i = 0; i < NFILES && rc == AE_OK; i++)
			if (a.files[i].status != AE_SYSVOL_OK)
				rc = status_error(
				    &a.files[i], paths[NFILES - 1 - i], e);
		ae_sysvol_reply_done(&a);
		if (rc != AE_OK)
			return rc;
	}
	for (i = 0; i < NFILES; i++)
		if ((rc = ae_setup_note(r,
			 g->file_version == 0 ? AE_SETUP_CREATE
					      : AE_SETUP_CHANGE,
			 paths[NFILES - 1 - i], NULL, e)) != AE_OK)
			return rc;
	return AE_OK;
}

static int
ensure_object(struct ae_setup_run *r, struct gpo *g, struct ae_err *e)
{
	const char *version =
	    ae_arena_printf(r->arena, "%u", (unsigned int)g->version);
	const char *path =
	    ae_arena_printf(r->arena, "\\\\%s\\sysvol\\%s\\Policies\\" GPO_ID,
		r->domain.dns, r->domain.dns);
	const char *halves[] = { "Machine", "User" };
	size_t i;
	int rc;

	if (version == NULL || path == NULL)
		return ae_fail_mem(e);
	const struct ae_setup_attr attrs[] = {
		{ "displayName", AE_SETUP_ONLY_NEW, ae_setup_text(r, GPO_NAME),
		    1 },
		{ "gPCFileSysPath", AE_SETUP_SET, ae_setup_text(r, path), 1 },
		{ "gPCFunctionalityVersion", AE_SETUP_SET,
		    ae_setup_text(r, "2"), 1 },
		{ "flags", AE_SETUP_ONLY_NEW, ae_setup_text(r, "0"), 1 },
		/* Sorted by GUID, the extension before its tools. */
		{ "gPCMachineExtensionNames", AE_SETUP_SET,
		    ae_setup_text(r,
			"[" AE_GPO_CSE_REGISTRY AE_GPO_TOOL_COMPUTER TOOL_PKI
			"]"),
		    1 },
		{ "gPCUserExtensionNames", AE_SETUP_SET,
		    ae_setup_text(r,
			"[" AE_GPO_CSE_REGISTRY AE_GPO_TOOL_USER TOOL_PKI "]"),
		    1 },
		{ "versionNumber", AE_SETUP_SET, ae_setup_text(r, version), 1 },
	};

	for (i = 0; i < COUNT(attrs); i++)
		if (attrs[i].v == NULL)
			return ae_fail_mem(e);
	rc = ae_setup_ensure(
	    r, g->dn, "groupPolicyContainer", attrs, COUNT(attrs), NULL, e);
	for (i = 0; i < COUNT(halves) && rc == AE_OK; i++)
		rc = ae_setup_ensure(r, ae_setup_dn(r, "CN", halves[i], g->dn),
		    "container", NULL, 0, NULL, e);
	return rc;
}

/*
 * At the end of the list, where every other policy of the domain wins over
 * it: somebody who has set AEPolicy elsewhere meant it.
 */
static int
ensure_link(struct ae_setup_run *r, const struct gpo *g, struct ae_err *e)
{
	static const char *const want[] = { "gPLink", NULL };
	const char *nc = ae_ad_root(r->ad)->default_nc, *text = "";
	struct ae_setup_attr link = { want[0], AE_SETUP_SET, NULL, 1 };
	struct ae_entries l = { 0 };
	struct ae_gplinks links;
	size_t i;
	int rc;

	if ((rc = ae_ad_read(r->ad, nc, want, &l, e)) != AE_OK)
		return rc;
	rc = ae_entry_str(&l.v[0], want[0], r->arena, &text, e);
	ae_entries_done(&l);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	if ((rc = ae_gplink_parse(&links, text, e)) != AE_OK)
		return ae_note(e, rc, "%s", nc);
	for (i = 0; i < links.n; i++)
		if (ae_str_eq_nocase(links.v[i].dn, g->dn))
			break;
	if (i == links.n)
		text =
		    ae_arena_printf(r->arena, "%s[LDAP://%s;0]", text, g->dn);
	ae_gplinks_done(&links);
	if (text == NULL || (link.v = ae_setup_text(r, text)) == NULL)
		return ae_fail_mem(e);
	return ae_setup_ensure(r, nc, "domainDNS", &link, 1, NULL, e);
}

int
ae_setup_gpo(struct ae_setup_run *r, struct ae_err *e)
{
	struct gpo g = { 0 };
	size_t i;
	int rc;

	for (i = 0; i < NFILES; i++)
		ae_wr_init(&g.file[i], AE_SYSVOL_FILE_MAX);
	g.dn =
	    ae_arena_printf(r->arena, "CN=" GPO_ID ",CN=Policies,CN=System,%s",
		ae_ad_root(r->ad)->default_nc);
	if (g.dn == NULL)
		return ae_fail_mem(e);
	rc = look(r, &g, e);
	if (rc == AE_OK && g.exists && g.same[INI] && g.same[MACHINE] &&
	    g.same[USER] && g.version == g.file_version)
		rc = ae_setup_note(r, AE_SETUP_KEEP, paths[INI], NULL, e);
	else if (rc == AE_OK)
		rc = write_files(r, &g, e);
	if (rc == AE_OK)
		rc = ensure_object(r, &g, e);
	if (rc == AE_OK)
		rc = ensure_link(r, &g, e);
	for (i = 0; i < NFILES; i++)
		ae_wr_done(&g.file[i]);
	return rc != AE_OK ? ae_note(e, rc, "auto-enrollment policy") : AE_OK;
}
