/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv restore: the CA of a backup on this host.  Whatever is killed in
 * between, what is there is either as before, or as restored and waiting for
 * "certsrv restore acknowledge": the anchor says so before anything else is
 * changed.
 */
#include "restore.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchorfile.h"
#include "backup_set.h"
#include "backup_tar.h"
#include "backup_tree.h"
#include "base/time.h"
#include "cafile.h"
#include "setup_files.h"
#include "sys/clock.h"
#include "sys/files.h"

/* Given since the backup, when no anchor tells. */
#define IDS_UNKNOWN 100000

/* clang-format off */
static const struct option options[] = {
	{ "replace", no_argument, NULL, 'r' },
	{ "server", required_argument, NULL, 'S' },
	{ "dry-run", no_argument, NULL, 'n' },
	{ "sha256", required_argument, NULL, 's' },
	{ 0 },
};
/* clang-format on */

struct restore {
	struct cli *cli;
	const char *from;   /* a directory */
	const char *server; /* instead of the backup's; or NULL */
	bool replace, dry_run;
	struct backup_set set;
	struct conf conf; /* that of the backup, below --root */
	bool have_conf;
	struct ae_anchor anchor;
	bool same;   /* the database here is as far as the backup */
	char *aside; /* where what was replaced is kept */
	char kept[RESTORE_KEPT_MAX]; /* and a server's tables; "": none were */
	size_t changed, outside;
};

int
restore_stopped(struct cli *cli, int *lock, const char *doing, struct ae_err *e)
{
	char *path = ae_path_root(cli->root, RUN_DIR "/certsrvd.pid");
	char *dir = ae_path_root(cli->root, RUN_DIR);
	int rc = path == NULL || dir == NULL ? ae_fail_mem(e)
					     : ae_file_put_dirs(dir, 0755, e);

	if (rc == AE_OK)
		rc = ae_file_lock(lock, path, false, e);
	if (rc == AE_EUNAVAIL) {
		*e = (struct ae_err)AE_ERR_INIT;
		rc = ae_fail(e, AE_EUNAVAIL, AE_DOM_NONE, 0,
		    "certsrvd runs: systemctl stop certsrvd, then %s", doing);
	}
	free(path);
	free(dir);
	return rc;
}

/* ---- may it be? ---- */

/* The configuration of the backup, as it will be read here. */
static int
read_conf(struct restore *r, struct ae_err *e)
{
	const struct backup_file *f = backup_set_find(&r->set, BACKUP_CONFIG);
	char *path = f == NULL ? NULL : backup_file_path(r->from, f);
	int rc;

	if (f == NULL)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "there is no configuration in the backup");
	rc = path == NULL ? ae_fail_mem(e)
			  : conf_read(&r->conf, r->cli->root, path, e);
	r->have_conf = rc == AE_OK;
	free(path);
	if (rc == AE_OK && r->server != NULL)
		rc = restore_elsewhere(&r->conf, r->server, e);
	if (rc == AE_OK && strcmp(r->conf.name, r->set.ca) != 0)
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "the backup's configuration is of CA \"%s\", its manifest "
		    "of \"%s\"",
		    r->conf.name, r->set.ca);
	return rc;
}

/* Do these two files of certificates begin with the same one? */
static int
same_first(char *a, char *b, bool *same, struct ae_err *e)
{
	const struct conf ca = { .certificate = a }, cb = { .certificate = b };
	struct cafile fa = { .ncerts = 0 }, fb = { .ncerts = 0 };
	int rc = cafile_read(&fa, &ca, false, e);

	if (rc == AE_OK)
		rc = cafile_read(&fb, &cb, false, e);
	*same = rc == AE_OK && ae_der_equal(fa.certs[0]->der, fb.certs[0]->der);
	cafile_done(&fa);
	cafile_done(&fb);
	return rc;
}

/* A CA that is set up here is the one of the backup, or nothing is touched. */
static int
check_here(struct restore *r, struct ae_err *e)
{
	struct backup_file mine = { .path = NULL };
	struct ae_err none = AE_ERR_INIT;
	char *there = NULL;
	bool same = false;
	size_t i;
	int rc = AE_OK;

	if (!setup_exists(r->conf.certificate))
		return AE_OK;
	for (i = 0; i < r->set.n && there == NULL; i++) {
		char *path = conf_path(&r->conf, r->set.file[i].path);

		if (path != NULL && strcmp(path, r->conf.certificate) == 0) {
			mine = r->set.file[i];
			there = backup_file_path(r->from, &mine);
		}
		free(path);
	}
	if (there == NULL)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "there is no certificate of the CA in the backup");
	rc = same_first(there, r->conf.certificate, &same, &none);
	free(there);
	if (rc == AE_ENOMEM)
		return ae_fail_mem(e);
	if (!same)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "the backup is of another CA than the one whose "
		    "certificate is %s",
		    r->conf.certificate);
	return AE_OK;
}

/* Is one there, and may another take its place? */
static int
check_database(struct restore *r, struct ae_err *e)
{
	const bool shared = conf_shared(&r->conf);
	bool there = false;
	int rc = AE_OK;

	if (shared)
		rc = restore_server_look(&r->conf, &there, e);
	else
		there = setup_exists(r->conf.certificate) &&
		    setup_exists(r->conf.database);
	if (rc == AE_OK && there && !r->replace)
		rc = ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "%s is there: --replace puts the backup in its place and "
		    "keeps it aside",
		    shared ? "a database on the server" : r->conf.database);
	return rc;
}

/* Ours to write: below /etc/certsrv and the state directory. */
static bool
is_inside(const char *path)
{
	static const char *const trees[] = { "/etc/certsrv/", STATE_DIR "/" };
	size_t i;

	for (i = 0; i < 2; i++)
		if (strncmp(path, trees[i], strlen(trees[i])) == 0)
			return true;
	return false;
}

/*
 * The anchor that will stand: the higher of what the backup knew and what the
 * one here says, and nobody has said yet that the CA may go on.  Not when the
 * database of the backup is the very one that the anchor saw.
 */
static int
plan_anchor(struct restore *r, struct ae_err *e)
{
	struct ae_anchor here = { .restored = false };
	struct ae_err why = AE_ERR_INIT;
	int rc = anchorfile_read(&here, r->conf.anchor, &why);

	if (rc < 0 && rc != AE_ENOTFOUND && rc != AE_EPROTO) {
		*e = why;
		return rc;
	}
	r->anchor = (struct ae_anchor){ .at = r->set.db, .restored = true };
	if (rc != AE_OK) {
		r->anchor.at.last_id += IDS_UNKNOWN;
		return AE_OK;
	}
	/* of several nodes this one's anchor does not see it all */
	r->same = !conf_shared(&r->conf) && !here.restored &&
	    here.at.seq == r->set.db.seq &&
	    memcmp(here.at.link, r->set.db.link, sizeof(here.at.link)) == 0;
	ae_anchor_merge(&r->anchor, &here);
	r->anchor.restored = !r->same;
	return AE_OK;
}

/* ---- carried out ---- */

static int
owner(const struct restore *r, enum backup_kind kind, uid_t *uid, gid_t *gid,
    struct ae_err *e)
{
	*uid = *gid = 0;
	if (kind == BACKUP_DATABASE)
		return setup_owner(
		    r->conf.uid_base, ROLE_DB, SETUP_DB_USER, uid, gid, e);
	if (kind == BACKUP_KEY)
		return setup_owner(
		    r->conf.uid_base, ROLE_SIGN, SETUP_KEY_USER, uid, gid, e);
	return AE_OK;
}

/* A directory beside everything, for what is replaced. */
static int
make_aside(struct restore *r, struct ae_err *e)
{
	char when[AE_TIME_STR_MAX], *p, *state;

	if (r->aside != NULL)
		return AE_OK;
	state = conf_path(&r->conf, STATE_DIR);
	(void)ae_time_print(when, ae_clock_now());
	for (p = when; *p != '\0'; p++)
		if (*p == ':')
			memmove(p, p + 1, strlen(p));
	if (state == NULL ||
	    asprintf(&r->aside, "%s/replaced-%s", state, when) < 0) {
		free(state);
		return ae_fail_mem(e);
	}
	free(state);
	return ae_file_mkdirs(r->aside, 0700, e);
}

/* path as it was, into the directory aside under its own path. */
static int
keep(struct restore *r, const char *path, const char *belongs, struct ae_err *e)
{
	char *to = NULL, *dir = NULL;
	int rc = make_aside(r, e);

	if (rc == AE_OK &&
	    (asprintf(&to, "%s%s", r->aside, belongs) < 0 ||
		(dir = strdup(to)) == NULL))
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_file_mkdirs(dirname(dir), 0700, e);
	if (rc == AE_OK && access(to, F_OK) != 0)
		rc = backup_copy(path, to, 0600, e);
	free(to);
	free(dir);
	return rc;
}

/* One small file in its place, the one that was there kept. */
static int
put_file(struct restore *r, const struct backup_file *f, struct ae_err *e)
{
	char *to = conf_path(&r->conf, f->path);
	char *from = backup_file_path(r->from, f);
	char hex[BACKUP_HASH_HEX + 1];
	uint8_t *p = NULL;
	uint64_t size;
	size_t len;
	uid_t uid = 0;
	gid_t gid = 0;
	int rc;

	if (to == NULL || from == NULL)
		rc = ae_fail_mem(e);
	else
		rc = owner(r, f->kind, &uid, &gid, e);
	if (rc == AE_OK && setup_exists(to)) {
		rc = backup_hash(to, hex, &size, e);
		if (rc == AE_OK && strcmp(hex, f->sha256) == 0)
			goto out; /* it is there already */
		if (rc == AE_OK)
			rc = keep(r, to, f->path, e);
	}
	if (rc == AE_OK)
		rc = ae_file_read(&p, &len, from, 64u << 20, e);
	if (rc == AE_OK)
		rc = setup_write(to, f->kind == BACKUP_KEY ? 0711 : 0755, p,
		    len, f->mode, uid, gid, e);
	r->changed += rc == AE_OK;
out:
	free(p);
	free(to);
	free(from);
	return rc;
}

/*
 * The directory of the database is exchanged as a whole: a database must not
 * meet the log of another one.
 */
static int
exchange(
    struct restore *r, const char *staged, const char *dir, struct ae_err *e)
{
	char *kept = NULL;
	struct stat st;
	int rc = AE_OK;

	if (lstat(dir, &st) != 0) {
		if (rename(staged, dir) != 0)
			rc = ae_fail_errno(e, errno, "%s", dir);
		return rc;
	}
	rc = make_aside(r, e);
	if (rc == AE_OK && asprintf(&kept, "%s/db", r->aside) < 0)
		rc = ae_fail_mem(e);
	if (rc == AE_OK &&
	    renameat2(AT_FDCWD, staged, AT_FDCWD, dir, RENAME_EXCHANGE) != 0)
		rc = ae_fail_errno(e, errno, "%s", dir);
	if (rc == AE_OK && rename(staged, kept) != 0)
		rc = ae_fail_errno(e, errno, "%s", kept);
	free(kept);
	return rc;
}

/* The rows into the server, and what it had aside. */
static int
put_server(struct restore *r, struct ae_err *e)
{
	const struct backup_file *f = backup_set_find(&r->set, BACKUP_DATABASE);
	char *from = backup_file_path(r->from, f);
	int rc = from == NULL ? ae_fail_mem(e)
			      : restore_server_put(&r->conf, from, r->kept, e);

	free(from);
	return rc;
}

static int
put_file_database(struct restore *r, struct ae_err *e)
{
	const struct backup_file *f = backup_set_find(&r->set, BACKUP_DATABASE);
	char *from = backup_file_path(r->from, f), *to = NULL;
	char *dir = strdup(r->conf.database), *staged = NULL;
	const char *name = strrchr(r->conf.database, '/') + 1;
	uid_t uid = 0;
	gid_t gid = 0;
	int rc = from == NULL || dir == NULL ? ae_fail_mem(e) : AE_OK;

	if (rc == AE_OK) {
		dir[strlen(dir) - strlen(name) - 1] = '\0';
		if (asprintf(&staged, "%s.restored", dir) < 0 ||
		    asprintf(&to, "%s/%s", staged, name) < 0)
			rc = ae_fail_mem(e);
	}
	if (rc == AE_OK)
		rc = owner(r, BACKUP_DATABASE, &uid, &gid, e);
	if (rc == AE_OK && setup_exists(staged))
		backup_tree_remove(staged); /* of one that was interrupted */
	if (rc == AE_OK)
		rc = ae_file_mkdirs(staged, 0700, e);
	if (rc == AE_OK)
		rc = backup_copy(from, to, 0600, e);
	if (rc == AE_OK &&
	    (lchown(to, uid, gid) != 0 || lchown(staged, uid, gid) != 0))
		rc = ae_fail_errno(e, errno, "%s", staged);
	if (rc == AE_OK)
		rc = backup_tree_sync(staged, e);
	if (rc == AE_OK)
		rc = exchange(r, staged, dir, e);
	free(from);
	free(to);
	free(dir);
	free(staged);
	return rc;
}

static int
put_anchor(struct restore *r, struct ae_err *e)
{
	uid_t uid = 0;
	gid_t gid = 0;
	char *dir = strdup(r->conf.anchor);
	int rc = dir == NULL ? ae_fail_mem(e)
			     : owner(r, BACKUP_DATABASE, &uid, &gid, e);

	if (rc == AE_OK) {
		*strrchr(dir, '/') = '\0';
		rc = ae_file_mkdirs(dir, 0700, e);
	}
	if (rc == AE_OK && lchown(dir, uid, gid) != 0)
		rc = ae_fail_errno(e, errno, "%s", dir);
	if (rc == AE_OK)
		rc = anchorfile_write(r->conf.anchor, &r->anchor, uid, gid, e);
	free(dir);
	return rc;
}

static int
carry_out(struct restore *r, struct ae_err *e)
{
	size_t i;
	int rc = put_anchor(r, e);

	for (i = 0; i < r->set.n && rc == AE_OK; i++) {
		const struct backup_file *f = &r->set.file[i];

		if (f->kind == BACKUP_DATABASE)
			continue;
		if (is_inside(f->path)) {
			rc = put_file(r, f, e);
			continue;
		}
		r->outside++;
		(void)fprintf(stderr,
		    "certsrv: %s is outside of /etc/certsrv and " STATE_DIR
		    ": copy it by hand from %s/" BACKUP_FILES "\n",
		    f->path, r->from);
	}
	if (rc == AE_OK)
		rc = conf_shared(&r->conf) ? put_server(r, e)
					   : put_file_database(r, e);
	return rc;
}

static int
judge(struct restore *r, const char *sha256, struct ae_err *e)
{
	int rc = backup_set_read(&r->set, r->from, e);

	if (rc == AE_OK && sha256 != NULL &&
	    strcasecmp(sha256, r->set.sha256) != 0)
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "the manifest's SHA-256 is %s", r->set.sha256);
	if (rc == AE_OK)
		rc = backup_set_judge_db(&r->set, r->from, e);
	if (rc == AE_OK)
		rc = read_conf(r, e);
	if (rc == AE_OK)
		rc = check_here(r, e);
	if (rc == AE_OK)
		rc = check_database(r, e);
	return rc == AE_OK ? plan_anchor(r, e) : rc;
}

static void
report(const struct restore *r)
{
	char when[AE_TIME_STR_MAX];

	if (r->cli->json) {
		cli_print_json(
		    json_pack("{s:b, s:o, s:o, s:I, s:b, s:o, s:s, s:I, s:I}",
			"dry_run", r->dry_run, "ca", cli_json_text(r->set.ca),
			"time", cli_json_time(r->set.time), "last_request_id",
			(json_int_t)r->set.db.last_id, "acknowledge", !r->same,
			"aside", cli_json_text(r->aside), "schema", r->kept,
			"changed", (json_int_t)r->changed, "outside",
			(json_int_t)r->outside));
		return;
	}
	(void)printf("%s CA \"%s\" as of %s, requests up to %" PRId64 "\n",
	    r->dry_run ? "would restore" : "restored", cli_safe(r->set.ca),
	    ae_time_print(when, r->set.time), r->set.db.last_id);
	if (r->aside != NULL)
		(void)printf("what was here before: %s\n", r->aside);
	if (r->kept[0] != '\0')
		(void)printf(
		    "the tables that were there before: schema %s\n", r->kept);
	if (r->server != NULL)
		(void)puts("write that server into certsrv.conf, section "
			   "database, as server, on every node");
	if (!r->set.with_key)
		(void)puts("the CA's key was not in the backup: it has to be "
			   "in its place before the CA is started");
	(void)puts(r->same
		? "nothing was issued since: systemctl start certsrvd"
		: "the CA issues nothing until: certsrv restore acknowledge");
}

int
cmd_restore(struct cli *cli, int argc, char **argv)
{
	struct restore r = { .cli = cli };
	struct ae_err e = AE_ERR_INIT;
	const char *sha256 = NULL;
	char *dir = NULL;
	bool made = false;
	int c, lock = -1, rc, code = EXIT_OK;

	if (argc > 1 && strcmp(argv[1], "acknowledge") == 0)
		return restore_acknowledge(cli, argc - 1, argv + 1);
	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'r')
			r.replace = true;
		else if (c == 'n')
			r.dry_run = true;
		else if (c == 's')
			sha256 = optarg;
		else if (c == 'S')
			r.server = optarg;
		else
			return cli_usage("restore", "what is that?");
	}
	if (argc - optind != 1)
		return cli_usage("restore", "say which backup");
	rc = restore_stopped(cli, &lock, "restore", &e);
	if (rc == AE_OK)
		rc = backup_tar_open(&dir, &made, argv[optind], &e);
	r.from = dir;
	if (rc == AE_OK)
		rc = judge(&r, sha256, &e);
	if (rc == AE_OK && !r.dry_run)
		rc = carry_out(&r, &e);
	if (rc == AE_OK)
		report(&r);
	else
		code = cli_fail(cli, &e);
	if (r.have_conf)
		conf_done(&r.conf);
	backup_set_done(&r.set);
	free(r.aside);
	if (made)
		backup_tree_remove(dir);
	free(dir);
	if (lock >= 0)
		(void)close(lock);
	return code;
}
