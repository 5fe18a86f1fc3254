/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv audit: what somebody without power could do with this PKI today,
 * and whether the CA's own records are whole.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/escape.h"
#include "anchorfile.h"
#include "ca/escaudit.h"
#include "db/db.h"
#include "db/signed.h"
#include "db/verify.h"
#include "dbconf.h"
#include "session.h"
#include "sys/files.h"

#define OBJECTS_MAX 4096u
#define MAPPED_MAX 10000u

/* What is looked at, with what it borrows from. */
struct look {
	struct cli *cli;
	struct session *s;
	struct ae_esc_in in;
	struct ae_entries entries; /* below Public Key Services */
	struct ae_entries hosts;   /* accounts of CA hosts */
	struct ae_esc_object *objects;
	struct ae_esc_link *links;
	struct ae_sid *trusted;
	struct ae_sd *ca_sd;
	json_t *found;
	size_t n;
};

static int
take_sd(struct ae_sd **out, const struct ae_entry *entry, struct ae_err *e)
{
	const struct ae_attr *a = ae_entry_get(entry, "nTSecurityDescriptor");

	*out = NULL;
	return a == NULL ? AE_OK : ae_sd_parse(out, a->v[0].p, a->v[0].len, e);
}

static bool
is_class(const struct ae_entry *entry, const char *name)
{
	const struct ae_attr *a = ae_entry_get(entry, "objectClass");
	size_t i;

	for (i = 0; a != NULL && i < a->n; i++)
		if (strcmp((const char *)a->v[i].p, name) == 0)
			return true;
	return false;
}

/* Everything but templates, which are read as templates. */
static int
read_objects(struct look *l, struct ae_err *e)
{
	static const char *const attrs[] = { "objectClass",
		"nTSecurityDescriptor", "msPKI-Cert-Template-OID",
		"msDS-OIDToGroupLink", NULL };
	struct ae_ad_query q = { .base = ae_ad_pks_dn(l->s->ad),
		.scope = AE_AD_SUB,
		.attrs = attrs,
		.max = OBJECTS_MAX };
	const char *group, *oid;
	struct ae_sd *sd;
	size_t i;
	int rc = ae_ad_search(l->s->ad, &q, &l->entries, e);

	if (rc != AE_OK)
		return rc;
	l->objects = calloc(l->entries.n + 1, sizeof(*l->objects));
	l->links = calloc(l->entries.n + 1, sizeof(*l->links));
	if (l->objects == NULL || l->links == NULL)
		return ae_fail_mem(e);
	l->in.objects = l->objects;
	l->in.links = l->links;
	for (i = 0; i < l->entries.n; i++) {
		const struct ae_entry *entry = &l->entries.v[i];

		if (is_class(entry, "pKICertificateTemplate"))
			continue;
		if ((rc = take_sd(&sd, entry, e)) != AE_OK)
			return ae_note(e, rc, "%s", entry->dn);
		l->objects[l->in.nobjects++] =
		    (struct ae_esc_object){ entry->dn, "an object of the PKI",
			    sd, NULL };
		if (ae_entry_str(entry, attrs[3], l->entries.arena, &group,
			NULL) == AE_OK &&
		    ae_entry_str(
			entry, attrs[2], l->entries.arena, &oid, NULL) == AE_OK)
			l->links[l->in.nlinks++] =
			    (struct ae_esc_link){ oid, group };
	}
	return AE_OK;
}

/* The hosts of CAs write to their own objects, and are worth as much. */
static int
read_hosts(struct look *l, struct ae_err *e)
{
	static const char *const attrs[] = { "objectSid", NULL };
	struct ae_ad_query q = { .base = ae_ad_root(l->s->ad)->default_nc,
		.scope = AE_AD_SUB,
		.attrs = attrs,
		.max = OBJECTS_MAX };
	const char *name;
	struct ae_wr w;
	size_t i;
	int rc;

	ae_wr_init(&w, 64u * 1024u);
	ae_wr_str(&w, "(&(objectClass=computer)(|");
	for (i = 0; i < l->s->pki->nservices; i++) {
		name = l->s->pki->services[i]->dns_host_name;
		if (name == NULL)
			continue;
		ae_wr_str(&w, "(dNSHostName=");
		ae_ad_put_filter_value(&w, name, strlen(name));
		ae_wr_str(&w, ")");
	}
	ae_wr_str(&w, "))");
	q.filter = ae_wr_cstr(&w);
	rc = q.filter == NULL ? ae_fail_mem(e)
			      : ae_ad_search(l->s->ad, &q, &l->hosts, e);
	ae_wr_done(&w);
	return rc;
}

/* CA hosts, and whom the administrator names. */
static int
read_trusted(struct look *l, char *const *names, size_t n, struct ae_err *e)
{
	size_t i, k = 0;
	int rc;

	if ((rc = read_hosts(l, e)) != AE_OK)
		return rc;
	l->trusted = calloc(l->hosts.n + n + 1, sizeof(*l->trusted));
	if (l->trusted == NULL)
		return ae_fail_mem(e);
	for (i = 0; i < l->hosts.n; i++)
		if (ae_entry_sid(&l->hosts.v[i], "objectSid", &l->trusted[k],
			e) == AE_OK)
			k++;
	for (i = 0; rc == AE_OK && i < n; i++)
		rc = session_sid(l->s, names[i], &l->trusted[k++], e);
	l->in.trusted = l->trusted;
	l->in.ntrusted = k;
	return rc;
}

static int
read_ca_sd(struct look *l, struct ae_err *e)
{
	uint8_t *p = NULL;
	size_t len;
	int rc =
	    ae_file_read(&p, &len, l->cli->conf.security, AE_SD_BYTES_MAX, e);

	if (rc == AE_OK)
		rc = ae_sd_parse(&l->ca_sd, p, len, e);
	free(p);
	l->in.ca_sd = l->ca_sd;
	return rc;
}

/* WHO in a fix, as a shell would want it. */
static void
put_fix(struct ae_wr *w, const char *fix, const char *who)
{
	const char *hole;

	while ((hole = strstr(fix, "WHO")) != NULL) {
		ae_wr_bytes(w, fix, (size_t)(hole - fix));
		ae_wr_printf(w, "'%s'", who);
		fix = hole + 3;
	}
	ae_wr_str(w, fix);
}

static void
tell(struct look *l, const char *esc, const char *object, const char *who,
    const char *sid, const char *what, const char *fix)
{
	l->n++;
	if (l->cli->json)
		(void)json_array_append_new(l->found,
		    json_pack("{s:s, s:o, s:o, s:o, s:o, s:o}", "esc", esc,
			"object", cli_json_text(object), "who",
			cli_json_text(who), "sid", cli_json_text(sid), "what",
			cli_json_text(what), "fix", cli_json_text(fix)));
	else
		(void)printf("%-6s %s\n       %s%s%s\n       fix: %s\n", esc,
		    cli_safe(object), who == NULL ? "" : cli_safe(who),
		    who == NULL ? "" : " ", cli_safe(what), cli_safe(fix));
}

static void
tell_all(struct look *l, const struct ae_esc_findings *f)
{
	char name[512], sid[AE_SID_STR_MAX];
	struct ae_wr w;
	size_t i;

	for (i = 0; i < f->n; i++) {
		const struct ae_esc_finding *v = &f->v[i];

		ae_wr_init(&w, 2048);
		if (v->has_who) {
			session_name(l->s, &v->who, name, sizeof(name));
			ae_sid_print(sid, &v->who);
		}
		put_fix(&w, v->fix, v->has_who ? name : "");
		tell(l, v->esc, v->object, v->has_who ? name : NULL,
		    v->has_who ? sid : NULL, v->what,
		    ae_wr_cstr(&w) != NULL ? ae_wr_cstr(&w) : v->fix);
		ae_wr_done(&w);
	}
}

typedef int esc_fn(
    struct ae_esc_findings *out, const struct ae_esc_in *in, struct ae_err *e);

static int
judge(struct look *l, esc_fn *fn, struct ae_err *e)
{
	struct ae_esc_findings f = { 0 };
	int rc = fn(&f, &l->in, e);

	if (rc == AE_OK)
		tell_all(l, &f);
	ae_esc_findings_done(&f);
	return rc;
}

static int
audit_templates(struct look *l, struct ae_err *e)
{
	return judge(l, ae_esc_templates, e);
}

static int
audit_acl(struct look *l, struct ae_err *e)
{
	int rc = read_ca_sd(l, e);

	return rc == AE_OK ? judge(l, ae_esc_permissions, e) : rc;
}

/* ESC14: mappings that somebody can have another certificate made for. */
static int
audit_mappings(struct look *l, struct ae_err *e)
{
	static const char *const attrs[] = { "altSecurityIdentities",
		"sAMAccountName", NULL };
	struct ae_ad_query q = { .base = ae_ad_root(l->s->ad)->default_nc,
		.scope = AE_AD_SUB,
		.filter = "(altSecurityIdentities=X509:*)",
		.attrs = attrs,
		.max = MAPPED_MAX };
	struct ae_entries found = { 0 };
	const struct ae_attr *a;
	size_t i, j;
	int rc = ae_ad_search(l->s->ad, &q, &found, e);

	for (i = 0; rc == AE_OK && i < found.n; i++) {
		a = ae_entry_get(&found.v[i], attrs[0]);
		for (j = 0; a != NULL && j < a->n; j++)
			if (!ae_esc_mapping_is_strong((const char *)a->v[j].p))
				tell(l, "ESC14", found.v[i].dn, NULL, NULL,
				    (const char *)a->v[j].p,
				    "map by issuer and serial number, key "
				    "identifier or SHA1-PUKEY instead");
	}
	ae_entries_done(&found);
	return rc;
}

/* Where the records go on behind something that is lost. */
static int
on_gap(void *arg, const struct ae_db_audit_entry *n, struct ae_err *e)
{
	(void)e;
	return json_array_append_new(arg,
		   json_pack("{s:I, s:o, s:o, s:o}", "link", (json_int_t)n->seq,
		       "time", cli_json_time(n->at), "who",
		       cli_json_text(n->who), "detail",
		       cli_json_text(n->detail))) == 0
	    ? AE_OK
	    : AE_ENOMEM;
}

/* A certificate that was signed and that no row has, to this day. */
static int
on_unrecorded(void *arg, int64_t at, const char *detail, struct ae_err *e)
{
	(void)e;
	return json_array_append_new(arg,
		   json_pack("{s:o, s:o}", "time", cli_json_time(at), "detail",
		       cli_json_text(detail))) == 0
	    ? AE_OK
	    : AE_ENOMEM;
}

static void
print_verdict(struct cli *cli, int64_t links, int64_t rows, json_t *gaps,
    json_t *unrecorded)
{
	json_t *g;
	size_t i;

	if (cli->json) {
		cli_print_json(json_pack("{s:b, s:I, s:I, s:O, s:O}", "whole",
		    1, "links", (json_int_t)links, "certificates",
		    (json_int_t)rows, "gaps", gaps, "unrecorded", unrecorded));
		return;
	}
	(void)printf("the audit chain is whole: %lld links, and so are %lld "
		     "certificates\n",
	    (long long)links, (long long)rows);
	json_array_foreach(gaps, i, g)(void)
	    printf("at link %lld the database went back, and %s let "
		   "it go on: %s\n",
		(long long)json_integer_value(json_object_get(g, "link")),
		cli_safe(json_string_value(json_object_get(g, "who"))),
		cli_safe(json_string_value(json_object_get(g, "detail"))));
	json_array_foreach(unrecorded, i, g)(void)
	    printf("signed, and no request has it: %s\n",
		cli_safe(json_string_value(json_object_get(g, "detail"))));
}

/*
 * The records: every link of the chain, whether they end where the anchor
 * saw them, and where something is known to be lost.
 */
static int
verify(struct cli *cli)
{
	struct ae_err e = AE_ERR_INIT;
	struct ae_db_options o = { .read_only = true };
	struct ae_anchor anchor;
	struct ae_db *db = NULL;
	json_t *gaps = json_array(), *unrecorded = json_array();
	int64_t links = 0, rows = 0;
	bool found;
	int rc = cli_conf(cli, &e);
	bool anchored = false;

	/* the anchor first: a running CA only goes on meanwhile */
	if (rc == AE_OK) {
		rc = anchorfile_read(&anchor, cli->conf.anchor, &e);
		anchored = rc == AE_OK;
		if (rc == AE_ENOTFOUND) /* an older certsrvd keeps none */
			rc = AE_OK;
	}
	if (rc == AE_OK)
		rc = dbconf_open(&db, &cli->conf, &o, &e);
	if (rc == AE_OK)
		rc = ae_db_audit_verify(db, &links, &e);
	if (rc == AE_OK)
		rc = ae_db_verify_rows(db, &rows, &e);
	if (rc == AE_OK)
		rc = ae_db_audit_each(db, AE_DB_GAP, on_gap, gaps, &e);
	if (rc == AE_OK)
		rc = ae_db_signed_audit(db, on_unrecorded, unrecorded, &e);
	if (rc == AE_OK && anchored)
		rc = ae_anchor_judge(&anchor, db, &e);
	ae_db_free(db);
	if (rc == AE_OK)
		print_verdict(cli, links, rows, gaps, unrecorded);
	else
		(void)cli_fail(cli, &e);
	found = json_array_size(unrecorded) > 0;
	json_decref(gaps);
	json_decref(unrecorded);
	return rc == AE_OK ? (found ? EXIT_FINDING : EXIT_OK)
	    : rc == AE_EPROTO || rc == AE_ETRUST ? EXIT_FINDING
						 : EXIT_LOCAL;
}

static const struct {
	const char *name;
	int (*run)(struct look *l, struct ae_err *e);
} looks[] = {
	{ "templates", audit_templates },
	{ "acl", audit_acl },
	{ "mappings", audit_mappings },
};

#define NLOOKS (sizeof(looks) / sizeof(looks[0]))

/* What this CA has no switch for, so that nobody misses it. */
static void
finish(struct look *l, bool all)
{
	const struct ae_esc_absent *a;
	json_t *absent = json_array();

	for (a = ae_esc_absent; all && a->esc != NULL; a++)
		if (l->cli->json)
			(void)json_array_append_new(absent,
			    json_pack(
				"{s:s, s:s}", "esc", a->esc, "why", a->why));
	if (l->cli->json)
		cli_print_json(json_pack("{s:O, s:O}", "findings", l->found,
		    "not_applicable", absent));
	else if (l->n == 0)
		(void)puts("nothing found");
	json_decref(absent);
}

static int
run(struct look *l, const char *only, char *const *trust, size_t ntrust,
    struct ae_err *e)
{
	size_t i;
	int rc;

	l->in.templates = l->s->pki->templates;
	l->in.ntemplates = l->s->pki->ntemplates;
	l->in.services = l->s->pki->services;
	l->in.nservices = l->s->pki->nservices;
	if ((rc = read_objects(l, e)) != AE_OK ||
	    (rc = read_trusted(l, trust, ntrust, e)) != AE_OK)
		return rc;
	for (i = 0; rc == AE_OK && i < NLOOKS; i++)
		if (only == NULL || strcmp(only, looks[i].name) == 0)
			rc = looks[i].run(l, e);
	if (rc == AE_OK)
		finish(l, only == NULL);
	return rc;
}

static void
look_done(struct look *l)
{
	size_t i;

	for (i = 0; i < l->in.nobjects; i++)
		ae_sd_free((struct ae_sd *)(uintptr_t)l->objects[i].sd);
	ae_entries_done(&l->entries);
	ae_entries_done(&l->hosts);
	free(l->objects);
	free(l->links);
	free(l->trusted);
	ae_sd_free(l->ca_sd);
	json_decref(l->found);
}

int
cmd_audit(struct cli *cli, int argc, char **argv)
{
	const char *only = NULL;
	struct ae_err e = AE_ERR_INIT;
	char **trust = calloc((size_t)argc, sizeof(*trust));
	struct look l = { .cli = cli };
	struct session s;
	size_t n = 0, k;
	int i, rc;

	if (trust == NULL)
		return EXIT_LOCAL;
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--trust") == 0 && i + 1 < argc) {
			trust[n++] = argv[++i];
			continue;
		}
		for (k = 0; k < NLOOKS; k++)
			if (strcmp(argv[i], looks[k].name) == 0)
				break;
		if (only != NULL ||
		    (k == NLOOKS && strcmp(argv[i], "verify") != 0)) {
			free(trust);
			return cli_usage("audit",
			    "templates, acl, mappings or verify, or none of "
			    "them?");
		}
		only = argv[i];
	}
	if (only != NULL && strcmp(only, "verify") == 0) {
		free(trust);
		return verify(cli);
	}
	l.s = &s;
	l.found = json_array();
	rc = session_open(&s, cli, AE_PKI_TEMPLATES | AE_PKI_SERVICES, &e);
	if (rc == AE_OK)
		rc = run(&l, only, trust, n, &e);
	look_done(&l);
	session_done(&s);
	free(trust);
	if (rc != AE_OK)
		return cli_fail(cli, &e);
	return l.n == 0 ? EXIT_OK : EXIT_FINDING;
}
