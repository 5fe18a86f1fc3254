/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv template show and diff: templates as settings with names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/template_settings.h"
#include "ca/escaudit.h"
#include "template.h"

#define VALUE_MAX (64u * 1024u)

/* Setting number i as text; free it.  NULL: out of memory. */
static char *
value(const struct ae_template *t, size_t i)
{
	struct ae_wr w;

	ae_wr_init(&w, VALUE_MAX);
	ae_template_setting_put(&w, t, i);
	ae_wr_u8(&w, 0);
	return (char *)ae_wr_take(&w, NULL);
}

static json_t *
json_settings(const struct ae_template *t)
{
	const struct ae_template_setting *r;
	json_t *all = json_object();
	char *v;
	size_t i;

	for (i = 0; (r = ae_template_setting(i)) != NULL; i++) {
		v = value(t, i);
		(void)json_object_set_new(all, r->name, cli_json_text(v));
		free(v);
	}
	return all;
}

static void
print_settings(const struct ae_template *t)
{
	const struct ae_template_setting *r;
	char *v;
	size_t i;

	(void)printf("%s\n", cli_safe(t->cn));
	(void)printf("  %-26s %s\n", "oid", cli_safe(t->oid));
	(void)printf("  %-26s %u.%u (schema %u)\n", "version", t->revision,
	    t->minor_revision, t->schema_version);
	for (i = 0; (r = ae_template_setting(i)) != NULL; i++) {
		v = value(t, i);
		/* what is off or empty says nothing */
		if (v != NULL && *v != '\0' && strcmp(v, "no") != 0 &&
		    strcmp(v, "0") != 0)
			(void)printf("  %-26s %s\n", r->name, cli_safe(v));
		free(v);
	}
}

int
template_show(struct cli *cli, struct session *s, int argc, char **argv)
{
	const bool acl = argc == 3 && strcmp(argv[2], "--acl") == 0;
	const struct ae_template *t;
	const char *d;
	bool on;

	if (argc < 2 || (argc > 2 && !acl))
		return cli_usage("template", "show NAME [--acl]");
	if ((t = template_named(cli, s, argv[1])) == NULL)
		return EXIT_NOT_FOUND;
	d = ae_esc_template_danger(t);
	on = ae_enrollment_service_offers(s->service, t->cn);
	if (cli->json) {
		cli_print_json(json_pack(
		    "{s:o, s:o, s:o, s:i, s:i, s:i, s:b, s:o, s:o, s:o}", "cn",
		    cli_json_text(t->cn), "dn", cli_json_text(t->dn), "oid",
		    cli_json_text(t->oid), "schema_version",
		    (int)t->schema_version, "revision", (int)t->revision,
		    "minor_revision", (int)t->minor_revision, "published", on,
		    "warning", cli_json_text(d), "settings", json_settings(t),
		    "permissions", template_json_acl(s, t->sd)));
		return EXIT_OK;
	}
	print_settings(t);
	(void)printf("  %-26s %s\n", "offered here", on ? "yes" : "no");
	if (d != NULL)
		(void)printf("  %-26s %s\n", "warning", d);
	if (acl)
		template_print_acl(s, t->sd);
	return EXIT_OK;
}

/* One line or object for each setting that differs; how many do. */
static size_t
compare(struct cli *cli, const struct ae_template *a,
    const struct ae_template *b, json_t *out)
{
	const struct ae_template_setting *r;
	size_t i, n = 0;
	char *x, *y;

	for (i = 0; (r = ae_template_setting(i)) != NULL; i++) {
		x = value(a, i);
		y = value(b, i);
		if (x != NULL && y != NULL && strcmp(x, y) != 0) {
			n++;
			if (cli->json)
				(void)json_array_append_new(out,
				    json_pack("{s:s, s:o, s:o}", "name",
					r->name, "first", cli_json_text(x),
					"second", cli_json_text(y)));
			else
				(void)printf("%-26s %s -> %s\n", r->name,
				    *x != '\0' ? cli_safe(x) : "(none)",
				    *y != '\0' ? cli_safe(y) : "(none)");
		}
		free(x);
		free(y);
	}
	return n;
}

static size_t
compare_permissions(struct cli *cli, const struct ae_template *a,
    const struct ae_template *b, json_t *out)
{
	/* LDIF has no descriptors: nothing to compare with. */
	if (a->sd == NULL || b->sd == NULL || ae_sd_equal(a->sd, b->sd))
		return 0;
	if (cli->json)
		(void)json_array_append_new(
		    out, json_pack("{s:s}", "name", "permissions"));
	else
		(void)printf("%-26s differ: show --acl\n", "permissions");
	return 1;
}

/* A template of the directory, or the only one in a file. */
static const struct ae_template *
either(struct cli *cli, struct session *s, const char *what,
    struct ae_template ***file, size_t *n)
{
	struct ae_err e = AE_ERR_INIT;

	if (strchr(what, '/') == NULL && strstr(what, ".ldif") == NULL)
		return template_named(cli, s, what);
	if (template_read_file(file, n, what, &e) == AE_OK && *n != 1)
		(void)ae_fail(&e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s has %zu templates: one is wanted", what, *n);
	if (e.rc != AE_OK) {
		(void)cli_fail(cli, &e);
		return NULL;
	}
	return (*file)[0];
}

int
template_diff(struct cli *cli, struct session *s, int argc, char **argv)
{
	struct ae_template **files[2] = { NULL, NULL };
	const struct ae_template *t[2];
	size_t n[2] = { 0, 0 }, i, j, differ = 0;
	json_t *out;

	if (argc != 3)
		return cli_usage("template", "diff NAME NAME|FILE.ldif");
	out = json_array();
	t[0] = either(cli, s, argv[1], &files[0], &n[0]);
	t[1] = t[0] == NULL ? NULL : either(cli, s, argv[2], &files[1], &n[1]);
	if (t[1] != NULL) {
		differ = compare(cli, t[0], t[1], out);
		differ += compare_permissions(cli, t[0], t[1], out);
	}
	if (t[1] != NULL && cli->json)
		cli_print_json(json_pack("{s:O}", "differences", out));
	json_decref(out);
	for (i = 0; i < 2; i++) {
		for (j = 0; j < n[i]; j++)
			ae_template_free(files[i][j]);
		free(files[i]);
	}
	return t[1] == NULL ? EXIT_NOT_FOUND
	    : differ != 0   ? EXIT_FINDING
			    : EXIT_OK;
}
