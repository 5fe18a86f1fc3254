/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv template export and import: templates as LDIF, for another forest
 * or for safe keeping.  Permissions name SIDs of one forest and stay there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/ldif.h"
#include "gather/template_admin.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "template.h"

#define ARENA_MAX (4u * 1024u * 1024u)

static int
put_template(struct ae_wr *w, const struct ae_template *t, struct ae_err *e)
{
	static const struct ae_value class = {
		(const uint8_t *)"pKICertificateTemplate", 22
	};
	const struct ae_value cn = { (const uint8_t *)t->cn, strlen(t->cn) };
	const struct ae_attr names[] = { { "objectClass", &class, 1 },
		{ "cn", &cn, 1 } };
	struct ae_arena *a = ae_arena_new(ARENA_MAX);
	struct ae_attr *attrs = NULL, *all;
	size_t n = 0;
	int rc;

	if (a == NULL)
		return ae_fail_mem(e);
	rc = ae_template_encode(&attrs, &n, t, a, e);
	all = rc != AE_OK ? NULL : ae_arena_array(a, n + 2, sizeof(*all));
	if (rc == AE_OK && all == NULL)
		rc = ae_fail_mem(e);
	if (rc == AE_OK) {
		memcpy(all, names, sizeof(names));
		memcpy(all + 2, attrs, n * sizeof(*attrs));
		ae_ldif_put(w, t->dn, all, n + 2);
	}
	ae_arena_free(a);
	return rc;
}

int
template_export(struct cli *cli, struct session *s, int argc, char **argv)
{
	const char *path = NULL;
	const struct ae_template *t;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;
	int i, rc = AE_OK;

	if (argc > 3 && strcmp(argv[argc - 2], "--out") == 0) {
		path = argv[argc - 1];
		argc -= 2;
	}
	if (argc < 2)
		return cli_usage("template", "export NAME... [--out FILE]");
	ae_wr_init(&w, AE_LDIF_MAX);
	for (i = 1; rc == AE_OK && i < argc; i++) {
		if ((t = template_named(cli, s, argv[i])) == NULL) {
			ae_wr_done(&w);
			return EXIT_NOT_FOUND;
		}
		rc = put_template(&w, t, &e);
	}
	if (rc == AE_OK && !ae_wr_ok(&w))
		rc = ae_fail_mem(&e);
	if (rc == AE_OK && path != NULL)
		rc = ae_file_write(path, w.p, w.len, 0644, &e);
	else if (rc == AE_OK)
		(void)fwrite(w.p, 1, w.len, stdout);
	ae_wr_done(&w);
	return rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
}

/* Only templates: whatever else a file holds was not meant for this. */
static int
take(struct ae_template **out, const struct ae_entry *entry, const char *path,
    struct ae_err *e)
{
	const struct ae_attr *class = ae_entry_get(entry, "objectClass");
	size_t i;

	for (i = 0; class != NULL && i < class->n; i++)
		if (strcmp((const char *)class->v[i].p,
			"pKICertificateTemplate") == 0)
			return ae_template_decode(out, entry, e);
	return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
	    "%s: %s is no certificate template", path, entry->dn);
}

int
template_read_file(
    struct ae_template ***out, size_t *n, const char *path, struct ae_err *e)
{
	struct ae_template **v = NULL;
	struct ae_entries l = { 0 };
	uint8_t *text = NULL;
	size_t len, i;
	int rc;

	*out = NULL;
	*n = 0;
	rc = ae_file_read(&text, &len, path, AE_LDIF_MAX, e);
	if (rc == AE_OK)
		rc = ae_ldif_parse(&l, path, text, len, e);
	free(text);
	if (rc == AE_OK && (v = calloc(l.n + 1, sizeof(*v))) == NULL)
		rc = ae_fail_mem(e);
	for (i = 0; rc == AE_OK && i < l.n; i++)
		rc = take(&v[i], &l.v[i], path, e);
	if (rc != AE_OK) {
		while (v != NULL && i > 0)
			ae_template_free(v[--i]);
		free(v);
		ae_entries_done(&l);
		return rc;
	}
	*out = v;
	*n = l.n;
	ae_entries_done(&l);
	return AE_OK;
}

/* An OID below this forest's arc stays; another forest's is not ours to use. */
static void
own_oid(struct session *s, struct ae_template *t)
{
	const char *last, *have;
	size_t i, len;

	for (i = 0; t->oid != NULL && i < s->pki->ntemplates; i++) {
		have = s->pki->templates[i]->oid;
		/* base.1.16 and base.123.456: the base is what is before */
		if (have == NULL || (last = strrchr(have, '.')) == NULL)
			continue;
		for (len = (size_t)(last - have); len > 0; len--)
			if (have[len - 1] == '.')
				break;
		if (len > 1 && strncmp(t->oid, have, len) == 0)
			return;
	}
	free(t->oid);
	t->oid = NULL;
}

int
template_import(struct cli *cli, struct session *s, int argc, char **argv)
{
	struct ae_template **v = NULL;
	struct ae_err e = AE_ERR_INIT;
	uint32_t numbers[2];
	size_t n = 0, i;
	int rc;

	if (argc != 2)
		return cli_usage("template", "import FILE");
	rc = template_read_file(&v, &n, argv[1], &e);
	if (rc == AE_OK && n == 0)
		rc = ae_fail(&e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s has no template", argv[1]);
	for (i = 0; rc == AE_OK && i < n; i++) {
		own_oid(s, v[i]);
		ae_random(numbers, sizeof(numbers));
		rc = ae_template_create(s->ad, v[i], NULL, numbers, &e);
		if (rc == AE_OK)
			(void)printf("%s: made, OID %s\n", cli_safe(v[i]->cn),
			    cli_safe(v[i]->oid));
	}
	for (i = 0; i < n; i++)
		ae_template_free(v[i]);
	free(v);
	return rc == AE_OK ? EXIT_OK : cli_fail(cli, &e);
}
