/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The choice of GPOs; see gpo.h.
 */
#include "policy/gpo.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ad/fields.h"
#include "ad/template.h"
#include "base/str.h"

#define FUNCTIONALITY 2u
#define USER_OFF 1u
#define COMPUTER_OFF 2u

const char *const ae_gpo_attrs[] = { "cn", "displayName", "gPCFileSysPath",
	"versionNumber", "flags", "gPCFunctionalityVersion",
	"gPCMachineExtensionNames", "gPCUserExtensionNames", "gPCWQLFilter",
	"nTSecurityDescriptor", NULL };

static const struct {
	const char *name;
	const char *text;
} verdicts[] = {
	[AE_GPO_APPLIES] = { "applies", "applies" },
	[AE_GPO_LINK_DISABLED] = { "link-disabled", "the link is disabled" },
	[AE_GPO_BLOCKED] = { "blocked",
	    "inheritance is blocked nearer to the object and the link is not "
	    "enforced" },
	[AE_GPO_UNREADABLE] = { "unreadable",
	    "it cannot be read: no permission, another domain, or deleted" },
	[AE_GPO_MALFORMED] = { "malformed",
	    "its directory object is malformed" },
	[AE_GPO_FUNCTIONALITY] = { "functionality",
	    "its functionality version is not 2" },
	[AE_GPO_HALF_DISABLED] = { "half-disabled",
	    "its settings for this kind of principal are disabled" },
	[AE_GPO_NO_READ] = { "no-read", "security filtering: no read access" },
	[AE_GPO_NO_APPLY] = { "no-apply",
	    "security filtering: no Apply Group Policy right" },
	[AE_GPO_NO_REGISTRY] = { "no-registry",
	    "it has no registry settings for this kind of principal" },
	[AE_GPO_EMPTY] = { "empty", "it is empty: both versions are 0" },
	[AE_GPO_FILE_MISSING] = { "file-missing",
	    "SYSVOL has no Registry.pol for it" },
	[AE_GPO_FILE_BAD] = { "file-bad", "its Registry.pol is malformed" },
};

const char *
ae_gpo_verdict_text(enum ae_gpo_verdict v)
{
	return (size_t)v < sizeof(verdicts) / sizeof(verdicts[0])
	    ? verdicts[v].text
	    : "unknown";
}

const char *
ae_gpo_verdict_name(enum ae_gpo_verdict v)
{
	return (size_t)v < sizeof(verdicts) / sizeof(verdicts[0])
	    ? verdicts[v].name
	    : "unknown";
}

/* What a GPO's entry holds before it is looked at more closely. */
struct raw {
	char *cn, *display_name;
	struct ae_octets sd;
	struct ae_gpo g;
};

#define AT(field) offsetof(struct raw, field)

/* clang-format off */
static const struct ae_field raw_fields[] = {
	{ "cn",                       AE_FIELD_STR,    AT(cn) },
	{ "displayName",              AE_FIELD_STR,    AT(display_name) },
	{ "gPCFileSysPath",           AE_FIELD_STR,    AT(g.path) },
	{ "versionNumber",            AE_FIELD_U32,    AT(g.version) },
	{ "flags",                    AE_FIELD_U32,    AT(g.flags) },
	{ "gPCFunctionalityVersion",  AE_FIELD_U32,    AT(g.functionality) },
	{ "gPCMachineExtensionNames", AE_FIELD_STR,    AT(g.computer_extensions) },
	{ "gPCUserExtensionNames",    AE_FIELD_STR,    AT(g.user_extensions) },
	{ "gPCWQLFilter",             AE_FIELD_STR,    AT(g.wmi_filter) },
	{ "nTSecurityDescriptor",     AE_FIELD_OCTETS, AT(sd) },
	{ NULL },
};
/* clang-format on */

static void
gpo_done(struct ae_gpo *g)
{
	free(g->dn);
	free(g->name);
	free(g->path);
	free(g->computer_extensions);
	free(g->user_extensions);
	free(g->wmi_filter);
	ae_sd_free(g->sd);
}

void
ae_gpo_free(struct ae_gpo *g)
{
	if (g == NULL)
		return;
	gpo_done(g);
	free(g);
}

static int
complete(struct raw *r, const struct ae_entry *entry, struct ae_err *e)
{
	/* Listed but with nothing in it: its properties are not for us. */
	if (r->cn == NULL)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0, "not readable");
	if (!ae_guid_parse(&r->g.id, r->cn))
		return ae_fail(
		    e, AE_EPROTO, AE_DOM_NONE, 0, "cn: not a GUID in braces");
	r->g.dn = strdup(entry->dn);
	r->g.name = strdup(r->display_name != NULL ? r->display_name : r->cn);
	if (r->g.dn == NULL || r->g.name == NULL)
		return ae_fail_mem(e);
	if (r->sd.len == 0)
		return AE_OK;
	return ae_sd_parse(&r->g.sd, r->sd.p, r->sd.len, e);
}

int
ae_gpo_decode(
    struct ae_gpo **out, const struct ae_entry *entry, struct ae_err *e)
{
	struct ae_gpo *g = malloc(sizeof(*g));
	struct raw r = { 0 };
	int rc;

	if (g == NULL)
		return ae_fail_mem(e);
	if ((rc = ae_fields_decode(&r, raw_fields, entry, e)) == AE_OK)
		rc = complete(&r, entry, e);
	free(r.cn);
	free(r.display_name);
	free(r.sd.p);
	if (rc != AE_OK) {
		gpo_done(&r.g);
		free(g);
		return rc;
	}
	*g = r.g;
	*out = g;
	return AE_OK;
}

void
ae_gpos_free(struct ae_gpos *g)
{
	size_t i;

	if (g == NULL)
		return;
	for (i = 0; i < g->nsoms; i++) {
		free(g->soms[i].dn);
		ae_gplinks_done(&g->soms[i].links);
	}
	free(g->soms);
	for (i = 0; i < g->ngpos; i++)
		ae_gpo_free(g->gpos[i]);
	free(g->gpos);
	for (i = 0; i < g->nrefused; i++) {
		free(g->refused[i].dn);
		free(g->refused[i].why);
	}
	free(g->refused);
	for (i = 0; i < g->nchoices; i++)
		free(g->choices[i].detail);
	free(g->choices);
	free(g);
}

/* Extension names are "[{CSE}{tool}...][{CSE}...]": the first of each. */
static bool
has_extension(const char *names, const char *cse)
{
	const char *p;

	for (p = names; p != NULL && (p = strchr(p, '[')) != NULL; p++)
		if (strncasecmp(p + 1, cse, strlen(cse)) == 0)
			return true;
	return false;
}

/* MS-GPOL 3.2.5.1.6, without what SYSVOL has to say. */
static enum ae_gpo_verdict
filter(const struct ae_gpo *g, bool user, const struct ae_token *token)
{
	if (g->functionality != FUNCTIONALITY)
		return AE_GPO_FUNCTIONALITY;
	if ((g->flags & (user ? USER_OFF : COMPUTER_OFF)) != 0)
		return AE_GPO_HALF_DISABLED;
	if (!ae_sd_can_read(g->sd, token))
		return AE_GPO_NO_READ;
	if (!ae_sd_has_right(g->sd, token, &ae_right_apply_group_policy))
		return AE_GPO_NO_APPLY;
	if (!has_extension(user ? g->user_extensions : g->computer_extensions,
		AE_GPO_CSE_REGISTRY))
		return AE_GPO_NO_REGISTRY;
	return AE_GPO_APPLIES;
}

static int
judge(struct ae_gpo_choice *c, const struct ae_gpos *g,
    const struct ae_token *token, struct ae_err *e)
{
	size_t i;

	for (i = 0; i < g->ngpos; i++)
		if (ae_str_eq_nocase(g->gpos[i]->dn, c->dn)) {
			c->gpo = g->gpos[i];
			c->verdict = filter(c->gpo, g->user, token);
			return AE_OK;
		}
	for (i = 0; i < g->nrefused; i++)
		if (ae_str_eq_nocase(g->refused[i].dn, c->dn)) {
			c->verdict = AE_GPO_MALFORMED;
			c->detail = strdup(g->refused[i].why);
			return c->detail != NULL ? AE_OK : ae_fail_mem(e);
		}
	c->verdict = AE_GPO_UNREADABLE;
	return AE_OK;
}

/*
 * The rank decides the order of application.  Unenforced links: the nearest
 * scope last, within a scope the first link last; then enforced ones: the
 * nearest scope first, within a scope in the order of the links
 * (MS-GPOL 3.2.5.1.5).  The computer's list of a loopback comes after all of
 * the user's (3.2.1.3).  What does not apply goes to the front.
 */
#define SECOND_LIST (INT64_C(1) << 40)

struct ranked {
	int64_t rank;
	struct ae_gpo_choice c;
};

static int
by_rank(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static int
choose(struct ranked *r, const struct ae_gpos *g, size_t som, size_t link,
    bool enforced_only, const struct ae_token *token, struct ae_err *e)
{
	const struct ae_som *s = &g->soms[som];
	const struct ae_gplink *l = &s->links.v[link];
	int64_t at = (int64_t)(som * (AE_GPLINK_MAX + 1) + link);
	int rc;

	memset(r, 0, sizeof(*r));
	r->c.som = s;
	r->c.dn = l->dn;
	r->c.enforced = (l->options & AE_GPLINK_ENFORCED) != 0;
	/* For its name, whatever becomes of the link. */
	if ((rc = judge(&r->c, g, token, e)) != AE_OK)
		return rc;
	if ((l->options & AE_GPLINK_DISABLED) != 0)
		r->c.verdict = AE_GPO_LINK_DISABLED;
	else if (enforced_only && !r->c.enforced)
		r->c.verdict = AE_GPO_BLOCKED;
	r->rank = r->c.enforced ? at + 1 : -at - 1;
	if (s->loopback)
		r->rank += SECOND_LIST;
	if (r->c.verdict != AE_GPO_APPLIES)
		r->rank = INT64_MIN / 2 + at;
	return AE_OK;
}

int
ae_gpo_select(struct ae_gpos *g, const struct ae_token *token, struct ae_err *e)
{
	size_t i, j, total = 0, n = 0;
	bool enforced_only = false;
	struct ranked *r;
	int rc = AE_OK;

	for (i = 0; i < g->nsoms; i++)
		total += g->soms[i].links.n;
	r = calloc(total + 1, sizeof(*r));
	g->choices = calloc(total + 1, sizeof(*g->choices));
	if (r == NULL || g->choices == NULL) {
		free(r);
		return ae_fail_mem(e);
	}
	for (i = 0; i < g->nsoms && rc == AE_OK; i++) {
		/* What is blocked on one way up is not on the other. */
		if (i > 0 && g->soms[i].loopback != g->soms[i - 1].loopback)
			enforced_only = false;
		for (j = 0; j < g->soms[i].links.n && rc == AE_OK; j++) {
			rc = choose(&r[n], g, i, j, enforced_only, token, e);
			n++;
		}
		enforced_only = enforced_only || g->soms[i].blocks;
	}
	qsort(r, n, sizeof(*r), by_rank);
	for (i = 0; i < n; i++)
		g->choices[i] = r[i].c;
	g->nchoices = n;
	free(r);
	return rc;
}
