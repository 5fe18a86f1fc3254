/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv template: what the CA offers (certificateTemplates of its
 * enrollment service), and the table of the other subcommands.
 */
#include <stdio.h>
#include <string.h>

#include "ad/template_settings.h"
#include "ca/escaudit.h"
#include "template.h"

static json_t *
json_template(const struct ae_template *t, bool published)
{
	const char *d = ae_esc_template_danger(t);

	return json_pack("{s:o, s:o, s:o, s:i, s:i, s:i, s:b, s:o}", "cn",
	    cli_json_text(t->cn), "display_name",
	    cli_json_text(t->display_name), "oid", cli_json_text(t->oid),
	    "schema_version", (int)t->schema_version, "revision",
	    (int)t->revision, "minor_revision", (int)t->minor_revision,
	    "published", published, "warning", cli_json_text(d));
}

const struct ae_template *
template_named(struct cli *cli, struct session *s, const char *name)
{
	const struct ae_template *t =
	    ae_template_find(s->pki->templates, s->pki->ntemplates, name);
	struct ae_err e = AE_ERR_INIT;

	if (t == NULL) {
		(void)ae_fail(&e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no template \"%s\"", name);
		(void)cli_fail(cli, &e);
	}
	return t;
}

static int
list(struct cli *cli, struct session *s, int argc, char **argv)
{
	json_t *all;
	size_t i;

	if (argc > 1)
		return cli_usage("template", "list takes no \"%s\"", argv[1]);
	all = json_array();
	for (i = 0; i < s->pki->ntemplates; i++) {
		const struct ae_template *t = s->pki->templates[i];
		const bool on = ae_enrollment_service_offers(s->service, t->cn);
		const char *d = ae_esc_template_danger(t);

		if (cli->json)
			(void)json_array_append_new(all, json_template(t, on));
		else
			(void)printf("%c %-32s v%u %u.%u%s%s\n", on ? '*' : ' ',
			    cli_safe(t->cn), t->schema_version, t->revision,
			    t->minor_revision, d == NULL ? "" : "  ",
			    d == NULL ? "" : d);
	}
	/* what is offered and does not exist is a fault worth seeing */
	for (i = 0; i < s->service->templates.n; i++) {
		const char *cn = s->service->templates.v[i];

		if (ae_template_find(
			s->pki->templates, s->pki->ntemplates, cn) == NULL &&
		    !cli->json)
			(void)printf("! %-32s offered, but there is no such "
				     "template\n",
			    cli_safe(cn));
	}
	if (cli->json)
		cli_print_json(json_pack("{s:o}", "templates", all));
	else
		json_decref(all);
	return EXIT_OK;
}

/* What it lets people do who should not, before anybody does (ESC13, too). */
static void
warn(const struct session *s, const struct ae_template *t)
{
	const char *d = ae_esc_template_danger(t);
	size_t i;

	if (d != NULL)
		(void)printf("warning: %s\n", d);
	for (i = 0; i < s->pki->noids; i++) {
		const struct ae_pki_oid *o = &s->pki->oids[i];

		if (o->group != NULL &&
		    ae_strv_has(&t->certificate_policies, o->oid))
			(void)printf("warning: ESC13: its issuance policy %s "
				     "makes a member of %s of whoever logs on "
				     "with it\n",
			    cli_safe(o->oid), cli_safe(o->group));
	}
}

/* Add or delete one value of certificateTemplates. */
static int
change(struct session *s, bool publish, const char *name, struct ae_err *e)
{
	const struct ae_template *t =
	    ae_template_find(s->pki->templates, s->pki->ntemplates, name);
	const bool on =
	    ae_enrollment_service_offers(s->service, t == NULL ? name : t->cn);
	const char *cn = t == NULL ? name : t->cn;
	const struct ae_value v = { (const uint8_t *)cn, strlen(cn) };
	const struct ae_ad_mod mod = {
		.change = publish ? AE_AD_ADD : AE_AD_DELETE,
		.attr = { .name = "certificateTemplates", .v = &v, .n = 1 },
	};
	int rc;

	if (publish && t == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no template \"%s\"", name);
	if (on == publish) {
		(void)printf("%s: %s already\n", cli_safe(cn),
		    publish ? "published" : "not published");
		return AE_OK;
	}
	rc = ae_ad_modify(s->ad, s->service->dn, &mod, 1, e);
	if (rc != AE_OK)
		return ae_note(e, rc, "changing %s", s->service->dn);
	(void)printf("%s: %s\n", cli_safe(cn),
	    publish ? "published" : "no longer published");
	if (publish)
		warn(s, t);
	return AE_OK;
}

static int
offer(struct cli *cli, struct session *s, int argc, char **argv)
{
	const bool publish = strcmp(argv[0], "publish") == 0;
	struct ae_err e = AE_ERR_INIT;
	int i;

	if (argc < 2)
		return cli_usage("template", "%s which?", argv[0]);
	for (i = 1; i < argc; i++)
		if (change(s, publish, argv[i], &e) != AE_OK)
			return cli_fail(cli, &e);
	return EXIT_OK;
}

/* The names that "new" and "set" take. */
static int
settings(struct cli *cli)
{
	const struct ae_template_setting *t;
	json_t *all = json_array();
	size_t i;

	for (i = 0; (t = ae_template_setting(i)) != NULL; i++)
		if (cli->json)
			(void)json_array_append_new(all,
			    json_pack("{s:s, s:s}", "name", t->name, "help",
				t->help));
		else
			(void)printf("%-26s %s\n", t->name, t->help);
	if (cli->json)
		cli_print_json(json_pack("{s:o}", "settings", all));
	else
		json_decref(all);
	return EXIT_OK;
}

static const struct {
	const char *name;
	template_fn *run;
} verbs[] = {
	{ "list", list },
	{ "show", template_show },
	{ "diff", template_diff },
	{ "new", template_new },
	{ "set", template_set },
	{ "delete", template_delete },
	{ "grant", template_grant },
	{ "revoke", template_revoke },
	{ "export", template_export },
	{ "import", template_import },
	{ "pin", template_pin },
	{ "pins", template_pins },
	{ "publish", offer },
	{ "unpublish", offer },
};

int
cmd_template(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT;
	template_fn *run = NULL;
	struct session s;
	size_t i;
	int code;

	if (argc == 2 && strcmp(argv[1], "settings") == 0)
		return settings(cli);
	if (argc > 1 && strcmp(argv[1], "unpin") == 0)
		return template_unpin(cli, argc - 1, argv + 1);
	for (i = 0; argc > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (strcmp(argv[1], verbs[i].name) == 0)
			run = verbs[i].run;
	if (run == NULL)
		return cli_usage("template", "what is to be done?");
	code =
	    session_open(&s, cli,
		AE_PKI_TEMPLATES | AE_PKI_SERVICES | AE_PKI_OIDS, &e) == AE_OK
	    ? run(cli, &s, argc - 1, argv + 1)
	    : cli_fail(cli, &e);
	session_done(&s);
	return code;
}
