/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv template grant, revoke and the permissions that show prints:
 * the descriptor of a template (MS-CRTD 2.5) in the words of its dialog.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "template.h"

#define READ (AE_ACCESS_READ | AE_ACCESS_LIST_OBJECT)
#define WRITE                                                          \
	(AE_ACCESS_WRITE_PROP | AE_ACCESS_SELF | AE_ACCESS_WRITE_DAC | \
	    AE_ACCESS_WRITE_OWNER)

/* clang-format off */
static const struct right {
	const char *name;
	uint32_t mask;
	const struct ae_guid *object;
} rights[] = {
	{ "full-control", AE_ACCESS_FULL, NULL },
	{ "read", READ, NULL },
	{ "write", WRITE, NULL },
	{ "enroll", AE_ACCESS_CONTROL, &ae_right_enroll },
	{ "autoenroll", AE_ACCESS_CONTROL, &ae_right_autoenroll },
};
/* clang-format on */

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static bool
allows(uint8_t type)
{
	return type == AE_ACE_ALLOWED || type == AE_ACE_ALLOWED_OBJECT;
}

static bool
denies(uint8_t type)
{
	return type == AE_ACE_DENIED || type == AE_ACE_DENIED_OBJECT;
}

/* Does this entry say all of the right? */
static bool
says(const struct ae_ace *a, const struct right *r)
{
	if ((a->mask & r->mask) != r->mask)
		return false;
	return !a->has_object ||
	    (r->object != NULL && ae_guid_equal(&a->object, r->object));
}

/* "read, enroll" of an entry, the mask in hex for what has no word. */
static void
put_rights(struct ae_wr *w, const struct ae_ace *a)
{
	bool any = false;
	size_t i;

	for (i = 0; i < COUNT(rights); i++) {
		if (!says(a, &rights[i]))
			continue;
		ae_wr_printf(w, "%s%s", any ? ", " : "", rights[i].name);
		any = true;
		if (i == 0)
			return;
	}
	if (!any)
		ae_wr_printf(w, "0x%x", a->mask);
}

static const char *
kind_of(const struct ae_ace *a)
{
	return allows(a->type) ? "allow" : denies(a->type) ? "deny" : "other";
}

void
template_print_acl(struct session *s, const struct ae_sd *sd)
{
	char name[512];
	struct ae_wr w;
	size_t i;

	if (sd == NULL) {
		(void)puts("permissions cannot be read");
		return;
	}
	if (sd->has_owner)
		(void)printf("owner  %s\n",
		    cli_safe(session_name(s, &sd->owner, name, sizeof(name))));
	for (i = 0; i < sd->dacl.n; i++) {
		const struct ae_ace *a = &sd->dacl.v[i];

		ae_wr_init(&w, 256);
		put_rights(&w, a);
		(void)printf("%-5s  %-36s %s%s\n", kind_of(a),
		    cli_safe(session_name(s, &a->sid, name, sizeof(name))),
		    ae_wr_cstr(&w),
		    (a->flags & AE_ACE_INHERITED) ? "  (inherited)" : "");
		ae_wr_done(&w);
	}
}

json_t *
template_json_acl(struct session *s, const struct ae_sd *sd)
{
	json_t *all = json_array();
	char name[512], sid[AE_SID_STR_MAX];
	struct ae_wr w;
	size_t i;

	for (i = 0; sd != NULL && i < sd->dacl.n; i++) {
		const struct ae_ace *a = &sd->dacl.v[i];

		ae_wr_init(&w, 256);
		put_rights(&w, a);
		session_name(s, &a->sid, name, sizeof(name));
		ae_sid_print(sid, &a->sid);
		(void)json_array_append_new(all,
		    json_pack("{s:s, s:o, s:s, s:s, s:b}", "sid", sid, "name",
			cli_json_text(name), "type", kind_of(a), "rights",
			ae_wr_cstr(&w), "inherited",
			(a->flags & AE_ACE_INHERITED) != 0));
		ae_wr_done(&w);
	}
	return all;
}

/* The SID's own allow entries that say nothing but this right. */
static void
remove_right(struct ae_sd *sd, const struct ae_sid *sid, const struct right *r)
{
	size_t i = 0;

	while (i < sd->dacl.n) {
		const struct ae_ace *a = &sd->dacl.v[i];

		if (allows(a->type) && !(a->flags & AE_ACE_INHERITED) &&
		    ae_sid_equal(&a->sid, sid) && (a->mask & ~r->mask) == 0 &&
		    (r->object == NULL ? !a->has_object
				       : a->has_object &&
				ae_guid_equal(&a->object, r->object)))
			ae_sd_remove(sd, i);
		else
			i++;
	}
}

static bool
has_right(
    const struct ae_sd *sd, const struct ae_sid *sid, const struct right *r)
{
	size_t i;

	for (i = 0; i < sd->dacl.n; i++)
		if (allows(sd->dacl.v[i].type) &&
		    ae_sid_equal(&sd->dacl.v[i].sid, sid) &&
		    says(&sd->dacl.v[i], r))
			return true;
	return false;
}

static const struct right *
find(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(rights); i++)
		if (strcmp(rights[i].name, name) == 0)
			return &rights[i];
	return NULL;
}

/* argv: NAME WHO RIGHT...; without rights all are taken. */
static int
change(struct session *s, const struct ae_template *t, bool grant, int argc,
    char **argv, struct ae_err *e)
{
	struct ae_sd *sd;
	struct ae_sid sid;
	size_t i;
	int k, rc;

	if (t->sd == NULL)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "the permissions of %s cannot be read", t->cn);
	if ((rc = session_sid(s, argv[1], &sid, e)) != AE_OK)
		return rc;
	if ((sd = ae_sd_dup(t->sd)) == NULL)
		return ae_fail_mem(e);
	for (k = 2; rc == AE_OK && k < argc; k++) {
		const struct right *r = find(argv[k]);

		if (!grant)
			remove_right(sd, &sid, r);
		else if (!has_right(sd, &sid, r))
			rc = ae_sd_allow(sd, 0, r->mask, r->object, &sid, e);
	}
	for (i = 0; !grant && argc == 2 && i < COUNT(rights); i++)
		remove_right(sd, &sid, &rights[i]);
	ae_sd_canonicalize(sd);
	if (rc == AE_OK && ae_sd_equal(sd, t->sd))
		(void)printf("%s: nothing to change\n", cli_safe(t->cn));
	else if (rc == AE_OK) {
		rc = ae_ad_write_sd(s->ad, t->dn, sd, e);
		if (rc == AE_OK)
			(void)printf(
			    "%s: permissions changed\n", cli_safe(t->cn));
	}
	ae_sd_free(sd);
	return rc;
}

static int
permissions(
    struct cli *cli, struct session *s, bool grant, int argc, char **argv)
{
	const struct ae_template *t;
	struct ae_err e = AE_ERR_INIT;
	int i;

	if (argc < (grant ? 4 : 3))
		return cli_usage("template", "%s NAME WHO %s", argv[0],
		    grant ? "RIGHT..." : "[RIGHT...]");
	for (i = 3; i < argc; i++)
		if (find(argv[i]) == NULL)
			return cli_usage("template",
			    "there is no right \"%s\" (read, write, enroll, "
			    "autoenroll, full-control)",
			    argv[i]);
	if ((t = template_named(cli, s, argv[1])) == NULL)
		return EXIT_NOT_FOUND;
	return change(s, t, grant, argc - 1, argv + 1, &e) == AE_OK
	    ? EXIT_OK
	    : cli_fail(cli, &e);
}

int
template_grant(struct cli *cli, struct session *s, int argc, char **argv)
{
	return permissions(cli, s, true, argc, argv);
}

int
template_revoke(struct cli *cli, struct session *s, int argc, char **argv)
{
	return permissions(cli, s, false, argc, argv);
}
