/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv template new, set and delete.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ad/template_settings.h"
#include "ca/escaudit.h"
#include "gather/template_admin.h"
#include "sys/clock.h"
#include "template.h"

/* A name as AD's own tools make it: the cn goes into requests and files. */
static bool
name_ok(const char *name)
{
	return *name != '\0' && strlen(name) <= 64 &&
	    strspn(name,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
		"0123456789-_.") == strlen(name);
}

static int
replace(char **at, const char *s, struct ae_err *e)
{
	char *copy = strdup(s);

	if (copy == NULL)
		return ae_fail_mem(e);
	free(*at);
	*at = copy;
	return AE_OK;
}

/*
 * A duplicate: its own name and OID, version 100.0, at least schema 2, which
 * is what has an OID.
 */
static int
duplicate(struct ae_template **out, const struct ae_template *from,
    const char *name, struct ae_err *e)
{
	struct ae_template *t = NULL;
	int rc;

	if ((rc = ae_template_dup(&t, from, e)) != AE_OK)
		return rc;
	free(t->oid);
	t->oid = NULL;
	t->revision = 100;
	t->minor_revision = 0;
	t->flags = (t->flags & ~AE_CT_IS_DEFAULT) | AE_CT_IS_MODIFIED;
	if (t->schema_version < 2)
		t->schema_version = 2;
	if ((rc = replace(&t->cn, name, e)) != AE_OK ||
	    (rc = replace(&t->display_name, name, e)) != AE_OK) {
		ae_template_free(t);
		return rc;
	}
	*out = t;
	return AE_OK;
}

static int
apply(struct ae_template *t, int argc, char **argv, struct ae_err *e)
{
	int i, rc = AE_OK;

	for (i = 0; rc == AE_OK && i < argc; i++)
		rc = ae_template_set(t, argv[i], e);
	return rc;
}

static void
said(const struct ae_template *t, const char *what)
{
	const char *d = ae_esc_template_danger(t);

	(void)printf("%s: %s\n", cli_safe(t->cn), what);
	if (d != NULL)
		(void)printf("warning: %s\n", d);
}

int
template_new(struct cli *cli, struct session *s, int argc, char **argv)
{
	const struct ae_template *from;
	struct ae_template *t = NULL;
	struct ae_err e = AE_ERR_INIT;
	uint32_t numbers[2];
	int rc;

	if (argc < 4 || strcmp(argv[2], "--from") != 0)
		return cli_usage(
		    "template", "new NAME --from TEMPLATE [SETTING=VALUE...]");
	if (!name_ok(argv[1]))
		return cli_usage("template",
		    "\"%s\" is no name: letters, digits, - _ and dots, at "
		    "most 64; display-name=... says more",
		    cli_safe(argv[1]));
	if ((from = template_named(cli, s, argv[3])) == NULL)
		return EXIT_NOT_FOUND;
	ae_random(numbers, sizeof(numbers));
	rc = duplicate(&t, from, argv[1], &e);
	if (rc == AE_OK)
		rc = apply(t, argc - 4, argv + 4, &e);
	if (rc == AE_OK)
		rc = ae_template_create(s->ad, t, from->sd, numbers, &e);
	if (rc != AE_OK || t == NULL) {
		ae_template_free(t);
		return cli_fail(cli, &e);
	}
	if (cli->json)
		cli_print_json(json_pack("{s:o, s:o}", "cn",
		    cli_json_text(t->cn), "oid", cli_json_text(t->oid)));
	else
		said(t, "made; \"certsrv template publish\" offers it");
	ae_template_free(t);
	return EXIT_OK;
}

int
template_set(struct cli *cli, struct session *s, int argc, char **argv)
{
	const bool reenroll =
	    argc > 2 && strcmp(argv[argc - 1], "--reenroll") == 0;
	const struct ae_template *t;
	struct ae_template *to = NULL;
	struct ae_err e = AE_ERR_INIT;
	char text[64];
	size_t n = 0;
	int rc;

	if (argc < 3)
		return cli_usage(
		    "template", "set NAME SETTING=VALUE... [--reenroll]");
	if ((t = template_named(cli, s, argv[1])) == NULL)
		return EXIT_NOT_FOUND;
	rc = ae_template_dup(&to, t, &e);
	if (rc == AE_OK)
		rc = apply(to, argc - 2 - reenroll, argv + 2, &e);
	if (rc == AE_OK)
		rc = ae_template_change(s->ad, t, to, reenroll, &n, &e);
	if (rc != AE_OK || to == NULL) {
		ae_template_free(to);
		return cli_fail(cli, &e);
	}
	(void)snprintf(text, sizeof(text),
	    n == 0 ? "nothing to change" : "version %u.%u", to->revision,
	    to->minor_revision);
	if (cli->json)
		cli_print_json(json_pack("{s:o, s:b, s:i, s:i}", "cn",
		    cli_json_text(to->cn), "changed", n != 0, "revision",
		    (int)to->revision, "minor_revision",
		    (int)to->minor_revision));
	else
		said(to, text);
	ae_template_free(to);
	return EXIT_OK;
}

int
template_delete(struct cli *cli, struct session *s, int argc, char **argv)
{
	const struct ae_template *t;
	struct ae_err e = AE_ERR_INIT;
	size_t i;

	if (argc != 2)
		return cli_usage("template", "delete NAME");
	if ((t = template_named(cli, s, argv[1])) == NULL)
		return EXIT_NOT_FOUND;
	for (i = 0; i < s->pki->nservices; i++)
		if (ae_enrollment_service_offers(s->pki->services[i], t->cn)) {
			(void)ae_fail(&e, AE_EINVAL, AE_DOM_NONE, 0,
			    "%s offers %s: unpublish it first",
			    s->pki->services[i]->cn, t->cn);
			return cli_fail(cli, &e);
		}
	if (ae_template_delete(s->ad, t, &e) != AE_OK)
		return cli_fail(cli, &e);
	(void)printf("%s: deleted\n", cli_safe(t->cn));
	return EXIT_OK;
}
