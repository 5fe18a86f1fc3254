/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv restore acknowledge: a database that was put back to an older state
 * goes on from there, behind everything that was ever given out.  What tells
 * how far that was: the anchor, and the CRLs that are published; what those
 * list as revoked is revoked again.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchorfile.h"
#include "base/hex.h"
#include "base/time.h"
#include "cafile.h"
#include "crlseen.h"
#include "dbconf.h"
#include "events.h"
#include "restore.h"
#include "session.h"
#include "setup_files.h"
#include "sys/clock.h"
#include "sys/files.h"

/* Where nothing tells how many were given since. */
#define IDS_UNKNOWN 100000
#define CRLS_UNKNOWN 100
#define CRLS_MAX 64 /* --crl */
#define BATCH 1000  /* revocations of one commit */

/* clang-format off */
static const struct option options[] = {
	{ "next-id", required_argument, NULL, 'n' },
	{ "crl", required_argument, NULL, 'c' },
	{ "offline", no_argument, NULL, 'o' },
	{ 0 },
};
/* clang-format on */

struct ack {
	struct cli *cli;
	const char *crls[CRLS_MAX];
	size_t ncrls;
	bool offline;
	int64_t next_id;

	struct cafile file;
	struct ae_db *db;
	struct ae_db_state was; /* of the database */
	struct ae_anchor anchor;
	bool have_anchor, told_by_anchor;
	struct ae_err why; /* what is wrong with the database; AE_OK */
	struct ae_db_state to;
	size_t lists;	 /* CRLs that are ours */
	size_t imported; /* revocations */
	/* of the list that is being read */
	size_t key, in_batch;
};

/* ---- revocations ---- */

/* A batch with room for one more is open after this. */
static int
batch(struct ack *k, struct ae_err *e)
{
	int rc = AE_OK;

	if (k->in_batch == BATCH) {
		k->in_batch = 0;
		rc = ae_db_commit(k->db, e);
	}
	if (rc == AE_OK && k->in_batch++ == 0)
		rc = ae_db_begin(k->db, e);
	return rc;
}

static int
on_entry(void *arg, struct ae_der serial, int64_t revoked,
    enum ae_crl_reason reason, struct ae_err *e)
{
	struct ack *k = arg;
	const struct ae_ca_key *key = &k->file.list.keys[k->key];
	const struct ae_db_revoked r = { .serial = serial.p,
		.serial_len = serial.len,
		.revoked_at = revoked,
		.reason = (int)reason };
	bool was_new = false;
	int rc;

	if (reason == AE_CRL_REMOVE)
		return AE_OK;
	rc = batch(k, e);
	if (rc == AE_OK)
		rc = ae_db_revoked_import(k->db, &r, key->index, key->end,
		    "certsrv restore acknowledge", ae_clock_now(), &was_new, e);
	k->imported += was_new;
	return rc;
}

/* Its number counts, and with import what it lists. */
struct look {
	struct ack *k;
	bool import;
};

static int
on_list(void *arg, const void *der, size_t len, struct ae_err *e)
{
	const struct look *l = arg;
	struct ack *k = l->k;
	struct ae_crl *crl = crlseen_ours(&k->file.list, der, len, &k->key);
	unsigned index;
	int rc = AE_OK;

	if (crl == NULL)
		return AE_OK; /* of somebody else, or an empty place */
	index = k->file.list.keys[k->key].index;
	if (!l->import) {
		k->lists++;
		if (!ae_db_state_crl_raise(&k->to, index, (int64_t)crl->number))
			rc = ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
			    "too many keys with CRLs");
	} else {
		rc = ae_crl_each(crl, on_entry, k, e);
		if (rc == AE_OK && k->in_batch > 0)
			rc = ae_db_commit(k->db, e);
		else
			ae_db_rollback(k->db);
		k->in_batch = 0;
	}
	ae_crl_free(crl);
	return rc;
}

static int
list_file(struct look *l, const char *path, bool needed, struct ae_err *e)
{
	uint8_t *p = NULL;
	size_t len;
	int rc = ae_file_read(&p, &len, path, CRLSEEN_FILE_MAX, e);

	if (rc == AE_OK)
		rc = on_list(l, p, len, e);
	else if (rc == AE_ENOTFOUND && !needed) {
		*e = (struct ae_err)AE_ERR_INIT;
		rc = AE_OK;
	}
	free(p);
	return rc;
}

static int
lists_directory(struct look *l, struct ae_err *e)
{
	struct session s;
	int rc = session_open(&s, l->k->cli, 0, e);

	if (rc == AE_OK)
		rc = crlseen_directory(&l->k->cli->conf, s.ad, on_list, l, e);
	session_done(&s);
	return rc == AE_OK
	    ? rc
	    : ae_note(e, rc,
		  "which CRLs the directory has (--offline goes on without)");
}

/* Every list that can be had. */
static int
look_at_lists(struct ack *k, bool import, struct ae_err *e)
{
	struct look l = { k, import };
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < 2 * k->file.list.nkeys && rc == AE_OK; i++) {
		char *path = crlseen_path(
		    &k->cli->conf, k->file.list.keys[i / 2].index, i % 2 != 0);

		rc = path == NULL ? ae_fail_mem(e)
				  : list_file(&l, path, false, e);
		free(path);
	}
	for (i = 0; i < k->ncrls && rc == AE_OK; i++)
		rc = list_file(&l, k->crls[i], true, e);
	if (rc == AE_OK && !k->offline)
		rc = lists_directory(&l, e);
	return rc;
}

/* ---- is there anything wrong? ---- */

/* Of several nodes another one has found it. */
static int
judge_others(struct ack *k, struct ae_err *e)
{
	struct ae_arena *a = ae_arena_new(4096);
	char *why = NULL;
	int rc =
	    a == NULL ? ae_fail_mem(e) : ae_db_suspended(k->db, &why, a, e);

	if (rc == AE_OK && why != NULL) {
		(void)ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0, "%s", why);
		/* that one's anchor is not here, and knows more */
		rc = AE_ENOTFOUND;
	}
	ae_arena_free(a);
	return rc;
}

static int
judge(struct ack *k, struct ae_err *e)
{
	struct ae_err why = AE_ERR_INIT;
	size_t i;
	int rc = ae_db_state(k->db, &k->was, e);

	if (rc < 0)
		return rc;
	rc = anchorfile_read(&k->anchor, k->cli->conf.anchor, &why);
	k->have_anchor = rc == AE_OK;
	if (k->have_anchor)
		rc = ae_anchor_judge(&k->anchor, k->db, &why);
	if (rc == AE_OK)
		rc = judge_others(k, &why);
	if (rc == AE_ENOTFOUND || rc == AE_EPROTO || rc == AE_ETRUST) {
		k->why = why;
		k->told_by_anchor = rc == AE_ETRUST;
	} else if (rc < 0) {
		*e = why;
		return rc;
	}
	k->to = k->was;
	rc = look_at_lists(k, false, e);
	for (i = 0; rc == AE_OK && k->why.rc == AE_OK && i < k->to.ncrl; i++)
		if (k->to.crl[i].number >
		    ae_db_state_crl(&k->was, k->to.crl[i].key))
			(void)ae_fail(&k->why, AE_ETRUST, AE_DOM_NONE, 0,
			    "CRL %" PRId64 " of key %u is published, the "
			    "database knows %" PRId64,
			    k->to.crl[i].number, k->to.crl[i].key,
			    ae_db_state_crl(&k->was, k->to.crl[i].key));
	return rc;
}

/* ---- going on ---- */

/* Behind all that could have been given. */
static int
aim(struct ack *k, struct ae_err *e)
{
	size_t i;

	for (i = 0; k->have_anchor && i < k->anchor.at.ncrl; i++)
		(void)ae_db_state_crl_raise(&k->to, k->anchor.at.crl[i].key,
		    k->anchor.at.crl[i].number);
	for (i = 0; i < k->to.ncrl; i++)
		k->to.crl[i].number += CRLS_UNKNOWN;
	if (k->have_anchor && k->anchor.at.last_id > k->to.last_id)
		k->to.last_id = k->anchor.at.last_id;
	/* an anchor that went back with the database tells nothing */
	if (k->next_id == 0 && !k->told_by_anchor)
		k->to.last_id += IDS_UNKNOWN;
	if (k->next_id != 0 && k->next_id <= k->to.last_id)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "--next-id %" PRId64 ": ids up to %" PRId64
		    " may have been given",
		    k->next_id, k->to.last_id);
	if (k->next_id != 0)
		k->to.last_id = k->next_id - 1;
	return AE_OK;
}

static int
write_down(struct ack *k, const char *who, struct ae_err *e)
{
	char link[2 * AE_DB_HASH_LEN + 1], detail[1024];
	int rc;

	ae_hex_encode(link, k->anchor.at.link, sizeof(k->anchor.at.link));
	(void)snprintf(detail, sizeof(detail),
	    "the chain ended at entry %" PRId64
	    "; the anchor was at entry %" PRId64
	    " link %s; request ids go on at %" PRId64
	    "; %zu revocations taken over from CRLs; because: %.512s",
	    k->was.seq, k->have_anchor ? k->anchor.at.seq : 0,
	    k->have_anchor ? link : "-", k->to.last_id + 1, k->imported,
	    k->why.text);
	rc = ae_db_begin(k->db, e);
	if (rc == AE_OK)
		rc = ae_db_go_past(
		    k->db, &k->to, who, detail, ae_clock_now(), e);
	return rc == AE_OK ? ae_db_commit(k->db, e) : rc;
}

static int
write_anchor(struct ack *k, struct ae_err *e)
{
	const struct conf *c = &k->cli->conf;
	struct ae_anchor a = { .restored = false };
	uid_t uid = 0;
	gid_t gid = 0;
	int rc = ae_db_state(k->db, &a.at, e);

	if (rc == AE_OK)
		rc = setup_owner(
		    c->uid_base, ROLE_DB, SETUP_DB_USER, &uid, &gid, e);
	if (rc == AE_OK)
		rc = anchorfile_write(c->anchor, &a, uid, gid, e);
	return rc;
}

/* The event file has it, too; certsrvd writes it when it runs. */
static void
tell(const struct ack *k, const char *who)
{
	struct ae_log_record r = { .level = AE_LOG_NOTICE };
	struct ae_err e = AE_ERR_INIT;
	char text[512];

	(void)snprintf(text, sizeof(text),
	    "%s lets the CA go on with an older database: request ids from "
	    "%" PRId64,
	    who, k->to.last_id + 1);
	r.text = text;
	r.field[r.nfield++] =
	    (struct ae_log_field){ "MESSAGE_ID", EVENT_MESSAGE_ID };
	r.field[r.nfield++] =
	    (struct ae_log_field){ "AE_SOURCE", EVENT_OWN_SOURCE };
	r.field[r.nfield++] = (struct ae_log_field){ "AE_EVENT", "2" };
	r.field[r.nfield++] =
	    (struct ae_log_field){ "AE_CA", k->cli->conf.name };
	if (k->cli->conf.events != NULL && k->cli->conf.events[0] != '\0' &&
	    events_append(k->cli->conf.events, &r, ae_clock_now(), &e) < 0)
		(void)fprintf(stderr, "certsrv: event file: %s\n", e.text);
}

static void
report(const struct ack *k)
{
	json_t *crls = json_array();
	size_t i;

	for (i = 0; i < k->to.ncrl; i++)
		(void)json_array_append_new(crls,
		    json_pack("{s:i, s:I}", "key_index", (int)k->to.crl[i].key,
			"above", (json_int_t)k->to.crl[i].number));
	if (k->cli->json) {
		cli_print_json(json_pack(
		    "{s:b, s:o, s:I, s:I, s:I, s:I, s:o, s:I}", "acknowledged",
		    1, "because", cli_json_text(k->why.text), "last_id",
		    (json_int_t)k->was.last_id, "next_id",
		    (json_int_t)k->to.last_id + 1, "links",
		    (json_int_t)k->was.seq, "anchor_links",
		    (json_int_t)(k->have_anchor ? k->anchor.at.seq : 0), "crls",
		    crls, "revocations", (json_int_t)k->imported));
		return;
	}
	(void)printf(
	    "the database is behind: %s\n"
	    "it knows requests up to %" PRId64 "; ids go on at %" PRId64
	    ". What was issued between is unknown to it:\n"
	    "its holders can use it, and it can be revoked by serial number "
	    "only when a CRL names it.\n"
	    "%zu revocations were taken over from %zu published CRLs.\n"
	    "now: systemctl start certsrvd%s\n",
	    cli_safe(k->why.text), k->was.last_id, k->to.last_id + 1,
	    k->imported, k->lists,
	    conf_shared(&k->cli->conf)
		? ", after the same on every other node of this CA"
		: "");
	json_decref(crls);
}

static int
acknowledge(struct ack *k, struct ae_err *e)
{
	struct ae_db_options o = { .forgiving = true };
	char who[64];
	int rc;

	(void)snprintf(who, sizeof(who), "uid %lu", (unsigned long)getuid());
	rc = cafile_read(&k->file, &k->cli->conf, false, e);
	if (rc == AE_OK)
		rc = dbconf_open(&k->db, &k->cli->conf, &o, e);
	if (rc == AE_OK)
		rc = judge(k, e);
	if (rc < 0)
		return rc;
	if (k->why.rc == AE_OK) {
		if (k->cli->json)
			cli_print_json(json_pack("{s:b}", "acknowledged", 0));
		else
			(void)puts("nothing to acknowledge: the database "
				   "goes on from where it was");
		return AE_OK;
	}
	rc = aim(k, e);
	if (rc == AE_OK)
		rc = look_at_lists(k, true, e);
	if (rc == AE_OK)
		rc = write_down(k, who, e);
	/* last: until it is written the CA stays as it is */
	if (rc == AE_OK)
		rc = write_anchor(k, e);
	if (rc < 0)
		return rc;
	tell(k, who);
	report(k);
	return AE_OK;
}

int
restore_acknowledge(struct cli *cli, int argc, char **argv)
{
	struct ack *k = calloc(1, sizeof(*k));
	struct ae_err e = AE_ERR_INIT;
	int c, lock = -1, rc, code = EXIT_OK;
	char *end;

	if (k == NULL)
		return EXIT_LOCAL;
	k->cli = cli;
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'n')
			k->next_id = strtoll(optarg, &end, 10);
		else if (c == 'c' && k->ncrls < CRLS_MAX)
			k->crls[k->ncrls++] = optarg;
		else if (c == 'o')
			k->offline = true;
		else
			code = EXIT_USAGE;
		if (c == 'n' && (*end != '\0' || k->next_id < 1))
			code = EXIT_USAGE;
	}
	if (code != EXIT_OK || optind < argc) {
		free(k);
		return cli_usage("restore", "what is to be acknowledged?");
	}
	rc = cli_conf(cli, &e);
	if (rc == AE_OK)
		rc = restore_stopped(cli, &lock, "acknowledge", &e);
	if (rc == AE_OK)
		rc = acknowledge(k, &e);
	if (rc < 0)
		code = cli_fail(cli, &e);
	ae_db_free(k->db);
	cafile_done(&k->file);
	if (lock >= 0)
		(void)close(lock);
	free(k);
	return code;
}
