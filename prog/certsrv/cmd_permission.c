/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv permission: the CA's own security descriptor (MS-CSRA 3.1.1.7) and
 * the copy of its enroll and read rights on pKIEnrollmentService, which is
 * what clients and other tools look at.  The two must say the same.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/config.h"
#include "events.h"
#include "remote.h"
#include "session.h"
#include "sys/clock.h"
#include "sys/files.h"
#include "sys/log.h"

/* clang-format off */
static const struct right {
	const char *name;
	uint32_t mask; /* in the CA's descriptor */
} rights[] = {
	{ "enroll", AE_CA_RIGHT_ENROLL },
	{ "read", AE_CA_RIGHT_READ },
	{ "manage-certificates", AE_CA_RIGHT_OFFICER },
	{ "manage-ca", AE_CA_RIGHT_ADMIN },
	{ "audit", AE_CA_RIGHT_AUDITOR },
	{ "backup", AE_CA_RIGHT_OPERATOR },
};
/* clang-format on */
#define ALL_RIGHTS                                                     \
	(AE_CA_RIGHT_ENROLL | AE_CA_RIGHT_READ | AE_CA_RIGHT_OFFICER | \
	    AE_CA_RIGHT_ADMIN | AE_CA_RIGHT_AUDITOR | AE_CA_RIGHT_OPERATOR)

static int
read_sd(struct ae_sd **out, const char *path, struct ae_err *e)
{
	uint8_t *p = NULL;
	size_t len;
	int rc = ae_file_read(&p, &len, path, AE_SD_BYTES_MAX, e);

	if (rc == AE_OK)
		rc = ae_sd_parse(out, p, len, e);
	free(p);
	return rc < 0 ? ae_note(e, rc, "%s", path) : rc;
}

static int
write_sd(const char *path, const struct ae_sd *sd, struct ae_err *e)
{
	struct ae_wr w;
	int rc;

	ae_wr_init(&w, AE_SD_BYTES_MAX);
	rc = ae_sd_encode(&w, sd, e);
	if (rc == AE_OK)
		rc = ae_file_write(path, w.p, w.len, 0644, e);
	ae_wr_done(&w);
	return rc;
}

/* "enroll, read" of a mask. */
static const char *
rights_text(uint32_t mask, char out[96])
{
	size_t i, n = 0;

	out[0] = '\0';
	for (i = 0; i < sizeof(rights) / sizeof(rights[0]); i++)
		if ((mask & rights[i].mask) && n < 90)
			n += (size_t)snprintf(out + n, 96 - n, "%s%s",
			    n == 0 ? "" : ", ", rights[i].name);
	return out;
}

/* What a plain ACE for this SID grants (or denies) in all. */
static uint32_t
mask_of(const struct ae_sd *sd, const struct ae_sid *sid, uint8_t type)
{
	uint32_t mask = 0;
	size_t i;

	for (i = 0; i < sd->dacl.n; i++)
		if (sd->dacl.v[i].type == type &&
		    ae_sid_equal(&sd->dacl.v[i].sid, sid))
			mask |= sd->dacl.v[i].mask;
	return mask & ALL_RIGHTS;
}

/* Does the directory's copy let this SID enroll? */
static bool
copy_enrolls(const struct ae_sd *sd, const struct ae_sid *sid)
{
	const struct ae_ace *a;
	size_t i;

	for (i = 0; sd != NULL && i < sd->dacl.n; i++) {
		a = &sd->dacl.v[i];
		if (!ae_sid_equal(&a->sid, sid) ||
		    !(a->mask & AE_ACCESS_CONTROL))
			continue;
		if ((a->type == AE_ACE_ALLOWED) ||
		    (a->type == AE_ACE_ALLOWED_OBJECT &&
			(!a->has_object ||
			    ae_guid_equal(&a->object, &ae_right_enroll))))
			return true;
	}
	return false;
}

/* One line or object for each SID; true: CA and directory agree. */
static bool
show_one(
    struct cli *cli, struct session *s, const struct ae_ace *a, json_t *out)
{
	const bool allow = a->type == AE_ACE_ALLOWED;
	const bool here = allow && (a->mask & AE_CA_RIGHT_ENROLL) != 0;
	const bool there =
	    s->service != NULL && copy_enrolls(s->service->sd, &a->sid);
	const bool agree = s->service == NULL || !allow || here == there;
	char name[512], sid[AE_SID_STR_MAX], text[96];

	session_name(s, &a->sid, name, sizeof(name));
	ae_sid_print(sid, &a->sid);
	rights_text(a->mask, text);
	if (cli->json)
		(void)json_array_append_new(out,
		    json_pack("{s:s, s:o, s:s, s:s, s:b}", "sid", sid, "name",
			cli_json_text(name), "type", allow ? "allow" : "deny",
			"rights", text, "directory_agrees", agree));
	else
		(void)printf("%-5s  %-36s %s%s\n", allow ? "allow" : "deny",
		    cli_safe(name), text,
		    agree ? "" : "  (the directory says otherwise)");
	return agree;
}

static int
show(struct cli *cli, struct session *s, const struct ae_sd *sd)
{
	json_t *out = json_array();
	bool agree = true;
	size_t i;

	for (i = 0; i < sd->dacl.n; i++)
		if (sd->dacl.v[i].known)
			agree = show_one(cli, s, &sd->dacl.v[i], out) && agree;
	if (cli->json)
		cli_print_json(json_pack("{s:o, s:b}", "permissions", out,
		    "directory_agrees", agree));
	else
		json_decref(out);
	return agree ? EXIT_OK : EXIT_FINDING;
}

/* Exactly these rights for the SID; deny entries of others stay. */
static int
set_rights(
    struct ae_sd *sd, const struct ae_sid *sid, uint32_t mask, struct ae_err *e)
{
	size_t i = 0;

	while (i < sd->dacl.n)
		if (sd->dacl.v[i].type == AE_ACE_ALLOWED &&
		    ae_sid_equal(&sd->dacl.v[i].sid, sid))
			ae_sd_remove(sd, i);
		else
			i++;
	if (mask == 0)
		return AE_OK;
	return ae_sd_allow(sd, 0, mask, NULL, sid, e);
}

static bool
reads(const struct ae_sd *sd, const struct ae_sid *sid)
{
	size_t i;

	for (i = 0; i < sd->dacl.n; i++)
		if (sd->dacl.v[i].type == AE_ACE_ALLOWED &&
		    ae_sid_equal(&sd->dacl.v[i].sid, sid) &&
		    (sd->dacl.v[i].mask & AE_ACCESS_READ) == AE_ACCESS_READ)
			return true;
	return false;
}

/* The same in the directory's form: Enroll by its GUID, read as read. */
static int
set_copy(
    struct ae_sd *sd, const struct ae_sid *sid, uint32_t mask, struct ae_err *e)
{
	const struct ae_ace *a;
	size_t i = 0;
	int rc = AE_OK;

	while (i < sd->dacl.n) {
		a = &sd->dacl.v[i];
		if (a->type == AE_ACE_ALLOWED_OBJECT && a->has_object &&
		    ae_guid_equal(&a->object, &ae_right_enroll) &&
		    ae_sid_equal(&a->sid, sid))
			ae_sd_remove(sd, i);
		else
			i++;
	}
	if (mask & AE_CA_RIGHT_ENROLL) {
		rc = ae_sd_allow(
		    sd, 0, AE_ACCESS_CONTROL, &ae_right_enroll, sid, e);
		if (rc == AE_OK && !reads(sd, sid))
			rc = ae_sd_allow(sd, 0, AE_ACCESS_READ, NULL, sid, e);
	}
	if (rc == AE_OK)
		ae_sd_canonicalize(sd);
	return rc;
}

/* At least one SID must keep manage-ca: MS-CSRA CERTSRV_E_NO_CAADMIN. */
static bool
has_admin(const struct ae_sd *sd)
{
	size_t i;

	for (i = 0; i < sd->dacl.n; i++)
		if (sd->dacl.v[i].type == AE_ACE_ALLOWED &&
		    (sd->dacl.v[i].mask & AE_CA_RIGHT_ADMIN))
			return true;
	return false;
}

/* Event 64, where those of certsrvd are: the journal and its file. */
static void
tell_refused(const struct cli *cli, const char *dn, const char *why)
{
	struct ae_log_record r = { .level = AE_LOG_WARNING };
	struct ae_err e = AE_ERR_INIT;
	char text[AE_LOG_TEXT_MAX];
	struct ae_log *g = ae_log_new("certsrv", false);

	(void)snprintf(text, sizeof(text),
	    "the directory did not take the copy of the CA's permissions: %s",
	    why);
	r.text = text;
	r.field[r.nfield++] =
	    (struct ae_log_field){ "MESSAGE_ID", EVENT_MESSAGE_ID };
	r.field[r.nfield++] =
	    (struct ae_log_field){ "AE_SOURCE", EVENT_SOURCE };
	r.field[r.nfield++] = (struct ae_log_field){ "AE_EVENT", "64" };
	r.field[r.nfield++] = (struct ae_log_field){ "AE_CA", cli->conf.name };
	r.field[r.nfield++] = (struct ae_log_field){ "AE_LOCATION", dn };
	if (g != NULL)
		(void)ae_log_journal(g, &r);
	ae_log_free(g);
	if (cli->conf.events != NULL && cli->conf.events[0] != '\0' &&
	    events_append(cli->conf.events, &r, ae_clock_now(), &e) < 0)
		(void)fprintf(stderr, "certsrv: event file: %s\n", e.text);
}

/*
 * Directory first: if it refuses nothing has changed.  If then the file
 * cannot be written the directory is put back.
 */
static int
store(struct cli *cli, struct session *s, const struct ae_sd *sd,
    const struct ae_sid *sid, uint32_t mask, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	struct ae_sd *copy;
	int rc;

	if (s->service->sd == NULL)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "the descriptor of %s cannot be read", s->service->dn);
	copy = ae_sd_dup(s->service->sd);
	if (copy == NULL)
		return ae_fail_mem(e);
	rc = set_copy(copy, sid, mask, e);
	if (rc == AE_OK)
		rc = ae_ad_write_sd(s->ad, s->service->dn, copy, e);
	ae_sd_free(copy);
	if (rc == AE_EDENIED)
		tell_refused(cli, s->service->dn, e->text);
	if (rc != AE_OK)
		return ae_note(e, rc, "writing %s", s->service->dn);
	rc = write_sd(cli->conf.security, sd, e);
	if (rc != AE_OK &&
	    ae_ad_write_sd(s->ad, s->service->dn, s->service->sd, &why) !=
		AE_OK)
		(void)fprintf(stderr,
		    "certsrv: the directory could not be put back: %s\n",
		    cli_safe(why.text));
	return rc;
}

static uint32_t
parse_rights(int argc, char **argv, const char **bad)
{
	uint32_t mask = 0;
	size_t k;
	int i;

	for (i = 0; i < argc; i++) {
		for (k = 0; k < sizeof(rights) / sizeof(rights[0]); k++)
			if (strcmp(rights[k].name, argv[i]) == 0)
				break;
		if (k == sizeof(rights) / sizeof(rights[0])) {
			*bad = argv[i];
			return 0;
		}
		mask |= rights[k].mask;
	}
	return mask;
}

static int
change(struct cli *cli, struct session *s, struct ae_sd *sd, bool grant,
    const char *who, uint32_t mask, struct ae_err *e)
{
	char name[512], text[96];
	struct ae_sid sid;
	uint32_t old, new;
	int rc;

	rc = session_sid(s, who, &sid, e);
	if (rc != AE_OK)
		return rc;
	old = mask_of(sd, &sid, AE_ACE_ALLOWED);
	new = grant ? old | mask : old & ~mask;
	rc = set_rights(sd, &sid, new, e);
	if (rc != AE_OK)
		return rc;
	ae_sd_canonicalize(sd);
	if (!has_admin(sd))
		return ae_fail(e, AE_EINVAL, AE_DOM_HRESULT, 0x8009400d,
		    "nobody would be left with manage-ca");
	rc = store(cli, s, sd, &sid, new, e);
	if (rc != AE_OK)
		return rc;
	session_name(s, &sid, name, sizeof(name));
	(void)printf("%s: %s\n", cli_safe(name),
	    new == 0 ? "no rights" : rights_text(new, text));
	if (cli_signal(cli, SIGHUP))
		(void)puts("certsrvd takes it over");
	else
		(void)puts("certsrvd does not run; it will find it so");
	return AE_OK;
}

/* What a CA on another host has; nobody here knows the SIDs' names. */
static int
show_remote(struct cli *cli)
{
	struct ae_admin_request rq = { .opnum = AE_ADMIN_GETCASECURITY };
	struct session s = { .ad = NULL };
	struct ae_err e = AE_ERR_INIT;
	struct ae_admin_reply p;
	struct remote *r = NULL;
	struct ae_sd *sd = NULL;
	int code, rc = remote_open(&r, cli, &e);

	if (rc == AE_OK)
		rc = remote_ask(r, &rq, &p, &e);
	if (rc == AE_OK)
		rc = ae_sd_parse(&sd, p.blob.p, p.blob.len, &e);
	code = rc == AE_OK ? show(cli, &s, sd) : cli_fail(cli, &e);
	ae_sd_free(sd);
	remote_close(r);
	return code;
}

int
cmd_permission(struct cli *cli, int argc, char **argv)
{
	struct ae_err e = AE_ERR_INIT, offline = AE_ERR_INIT;
	const char *bad = NULL;
	struct ae_sd *sd = NULL;
	struct session s;
	uint32_t mask = 0;
	bool grant, just_show;
	int rc, code = EXIT_OK;

	just_show = argc == 2 && strcmp(argv[1], "show") == 0;
	grant = argc > 3 && strcmp(argv[1], "grant") == 0;
	if (!just_show && !grant &&
	    (argc < 3 || strcmp(argv[1], "revoke") != 0))
		return cli_usage("permission",
		    "show, grant WHO RIGHT or revoke WHO [RIGHT]?");
	if (cli->ca != NULL && !just_show)
		return cli_usage("permission",
		    "they are changed on the CA host alone: there is no --ca");
	if (cli->ca != NULL)
		return show_remote(cli);
	if (!just_show)
		mask = argc == 3 ? ALL_RIGHTS
				 : parse_rights(argc - 3, argv + 3, &bad);
	if (bad != NULL)
		return cli_usage("permission", "no right \"%s\"", bad);
	rc = cli_conf(cli, &e);
	if (rc == AE_OK)
		rc = read_sd(&sd, cli->conf.security, &e);
	if (rc != AE_OK)
		return cli_fail(cli, &e);
	rc = session_open(&s, cli, AE_PKI_SERVICES, &offline);
	if (just_show) {
		/* without a directory: SIDs instead of names */
		if (rc != AE_OK)
			(void)fprintf(
			    stderr, "certsrv: %s\n", cli_safe(offline.text));
		code = show(cli, &s, sd);
	} else if (rc != AE_OK) {
		code = cli_fail(cli, &offline);
	} else if (change(cli, &s, sd, grant, argv[2], mask, &e) != AE_OK) {
		code = cli_fail(cli, &e);
	}
	session_done(&s);
	ae_sd_free(sd);
	return code;
}
