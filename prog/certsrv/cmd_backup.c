/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * certsrv backup: the CA in one directory or file, while it goes on working;
 * and whether such a one is whole.
 */
#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup_set.h"
#include "backup_tar.h"
#include "backup_tree.h"
#include "base/time.h"
#include "ca/pins.h"
#include "cli.h"
#include "control.h"
#include "db/backup.h"
#include "dbconf.h"
#include "setup_files.h"
#include "sys/clock.h"
#include "sys/files.h"

#define STEP_PAGES 2048
#define KEY_MAX 65536

/* clang-format off */
static const struct option options[] = {
	{ "with-key", no_argument, NULL, 'k' },
	{ "without-key", no_argument, NULL, 'K' },
	{ "sha256", required_argument, NULL, 's' },
	{ 0 },
};
/* clang-format on */

enum with_key { KEY_IF_SAFE, KEY_ALWAYS, KEY_NEVER };

struct backup {
	struct cli *cli;
	enum with_key key;
	struct backup_set set;
	char *final;	  /* directory, or tar archive */
	char *tmp;	  /* directory, until it is whole */
	size_t keys_left; /* that are not in it */
};

/* ---- what belongs to it ---- */

/* A path of the configuration as it is without --root. */
static const char *
without_root(const struct conf *c, const char *path)
{
	size_t n = c->root == NULL ? 0 : strlen(c->root);

	while (n > 0 && c->root[n - 1] == '/')
		n--;
	return n > 0 && strncmp(path, c->root, n) == 0 ? path + n : path;
}

/* One file, when it is there. */
static int
add(struct backup *b, enum backup_kind kind, const char *path, struct ae_err *e)
{
	struct stat st;
	size_t i;

	if (path == NULL || stat(path, &st) != 0)
		return AE_OK;
	if (!S_ISREG(st.st_mode))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is no regular file", path);
	for (i = 0; i < b->set.n; i++)
		if (strcmp(b->set.file[i].path,
			without_root(&b->cli->conf, path)) == 0)
			return AE_OK; /* two settings, one file */
	return backup_set_add(&b->set, kind, without_root(&b->cli->conf, path),
	    st.st_mode & 0777, e);
}

static bool
ends_with(const char *s, const char *suffix)
{
	const size_t n = strlen(s), k = strlen(suffix);

	return n > k && strcmp(s + n - k, suffix) == 0;
}

/* Policy files, or pinned templates. */
static int
add_files(
    struct backup *b, const char *dir, const char *suffix, struct ae_err *e)
{
	DIR *list = opendir(dir);
	struct dirent *d;
	int rc = AE_OK;

	while (list != NULL && rc == AE_OK && (d = readdir(list)) != NULL) {
		char *path = NULL;

		if (!ends_with(d->d_name, suffix))
			continue;
		rc = asprintf(&path, "%s/%s", dir, d->d_name) < 0
		    ? ae_fail_mem(e)
		    : add(b, BACKUP_POLICY, path, e);
		free(path);
	}
	if (list != NULL)
		(void)closedir(list);
	return rc;
}

/* Of no use to whoever finds it: a passphrase or a TPM is needed besides. */
static bool
is_sealed(const char *path)
{
	uint8_t *p = NULL;
	size_t len;
	bool sealed = false;

	if (ae_file_read(&p, &len, path, KEY_MAX, NULL) == AE_OK)
		sealed = strstr((const char *)p,
			     "-----BEGIN ENCRYPTED PRIVATE KEY") != NULL ||
		    strstr((const char *)p, "-----BEGIN TSS2 PRIVATE KEY") !=
			NULL;
	free(p);
	return sealed;
}

static int
add_keys(struct backup *b, struct ae_err *e)
{
	const struct ae_strv *l = &b->cli->conf.keys;
	size_t i;
	int rc = AE_OK;

	for (i = 0; i < l->n && rc == AE_OK; i++) {
		const char *path = l->v[i];

		if (strncmp(path, "file:", 5) != 0)
			continue; /* a token keeps its own */
		path += 5;
		if (b->key == KEY_NEVER ||
		    (b->key == KEY_IF_SAFE && !is_sealed(path))) {
			b->keys_left++;
			(void)fprintf(stderr,
			    "certsrv: %s is not in the backup%s\n", path,
			    b->key == KEY_NEVER ? ""
						: ": it is not encrypted "
						  "(--with-key takes it)");
			continue;
		}
		b->set.with_key = true;
		rc = add(b, BACKUP_KEY, path, e);
	}
	return rc;
}

static int
add_all(struct backup *b, struct ae_err *e)
{
	const struct conf *c = &b->cli->conf;
	char *config = b->cli->config != NULL ? strdup(b->cli->config)
					      : conf_path(c, CONF_PATH);
	char *request = conf_path(c, CA_REQUEST_PATH);
	char *request_key = conf_path(c, CA_REQUEST_KEY_PATH);
	const struct {
		enum backup_kind kind;
		const char *path;
	} one[] = {
		{ BACKUP_DATABASE, conf_shared(c) ? NULL : c->database },
		{ BACKUP_CONFIG, config },
		{ BACKUP_CERTIFICATE, c->certificate },
		{ BACKUP_CERTIFICATE, c->chain },
		{ BACKUP_CERTIFICATE, c->cross },
		{ BACKUP_CERTIFICATE, c->yubikey_roots },
		{ BACKUP_CERTIFICATE, c->yubikey_intermediates },
		{ BACKUP_SECURITY, c->security },
		{ BACKUP_SECURITY, c->agents },
		{ BACKUP_SECURITY, c->officers },
		{ BACKUP_REQUEST, request },
		{ BACKUP_REQUEST, request_key },
	};
	size_t i;
	int rc = config == NULL || request == NULL || request_key == NULL
	    ? ae_fail_mem(e)
	    : AE_OK;

	/* rows of a server, as the file that a CA without one would have */
	if (rc == AE_OK && conf_shared(c))
		rc = backup_set_add(
		    &b->set, BACKUP_DATABASE, DATABASE_PATH, 0600, e);
	for (i = 0; i < sizeof(one) / sizeof(one[0]) && rc == AE_OK; i++)
		rc = add(b, one[i].kind, one[i].path, e);
	if (rc == AE_OK && backup_set_find(&b->set, BACKUP_DATABASE) == NULL)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no database %s", c->database);
	if (rc == AE_OK)
		rc = add_files(b, b->cli->conf.policy_dir, ".xml", e);
	if (rc == AE_OK)
		rc = add_files(b, b->cli->conf.pins, AE_CA_PIN_SUFFIX, e);
	if (rc == AE_OK)
		rc = add_keys(b, e);
	free(config);
	free(request);
	free(request_key);
	return rc;
}

/* ---- where it goes ---- */

/* DIR/NAME-TIME below a directory that exists; DIR itself, or FILE.tar. */
static int
place(struct backup *b, const char *where, struct ae_err *e)
{
	char when[AE_TIME_STR_MAX], *name = strdup(b->cli->conf.name), *p;
	struct stat st;
	int n;

	if (name == NULL)
		return ae_fail_mem(e);
	for (p = name; *p != '\0'; p++)
		if (!isalnum((unsigned char)*p))
			*p = '-';
	(void)ae_time_print(when, b->set.time);
	for (p = when; *p != '\0'; p++)
		if (*p == ':')
			memmove(p, p + 1, strlen(p));
	if (backup_tar_named(where) || stat(where, &st) != 0)
		n = asprintf(&b->final, "%s", where);
	else
		n = asprintf(&b->final, "%s/%s-%s", where, name, when);
	free(name);
	if (n < 0)
		return ae_fail_mem(e);
	for (p = b->final + strlen(b->final) - 1; p > b->final && *p == '/';)
		*p-- = '\0';
	if (asprintf(&b->tmp, "%s.part", b->final) < 0)
		return ae_fail_mem(e);
	if (lstat(b->final, &st) == 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is there already", b->final);
	/* what an interrupted one left */
	if (lstat(b->tmp, &st) == 0)
		backup_tree_remove(b->tmp);
	if (mkdir(b->tmp, 0700) != 0)
		return ae_fail_errno(e, errno, "%s", b->tmp);
	return AE_OK;
}

/* ---- made ---- */

/* The database's own number for it, written down before it is copied. */
static int
begin(struct backup *b, struct ae_err *e)
{
	struct ae_db_options o = { .create = false };
	struct control_answer *a;
	struct ae_db *db = NULL;
	struct ae_wr none;
	int rc;

	if (cli_daemon(b->cli) != 0) {
		a = calloc(1, sizeof(*a));
		ae_wr_init(&none, 1);
		rc = a == NULL
		    ? ae_fail_mem(e)
		    : control_ask(b->cli, MSG_ADMIN_BACKUP, &none, a, e);
		if (rc == AE_OK)
			b->set.generation = a->id;
		free(a);
		return rc;
	}
	rc = dbconf_open(&db, &b->cli->conf, &o, e);
	if (rc == AE_OK)
		rc = ae_db_begin(db, e);
	if (rc == AE_OK)
		rc = ae_db_backup_begin(
		    db, "certsrv backup", b->set.time, &b->set.generation, e);
	if (rc == AE_OK)
		rc = ae_db_commit(db, e);
	ae_db_free(db);
	return rc;
}

static int
copy_database(const char *from, const char *to, struct ae_err *e)
{
	struct ae_db_backup *b = NULL;
	int copied, total, shown = -1;
	bool done = false;
	int rc = ae_db_backup_new(&b, from, to, e);

	while (rc == AE_OK && !done) {
		rc = ae_db_backup_step(b, STEP_PAGES, &done, e);
		ae_db_backup_progress(b, &copied, &total);
		if (!done && total > 0 && copied / (total / 10 + 1) > shown) {
			shown = copied / (total / 10 + 1);
			(void)fprintf(stderr, "database: %d of %d pages\n",
			    copied, total);
		}
	}
	ae_db_backup_free(b);
	return rc;
}

/* All rows of a server's database, as they are now. */
static int
copy_server(const struct conf *c, const char *to, struct ae_err *e)
{
	struct ae_db_options o = { .read_only = true };
	struct ae_db *db = NULL;
	int rc = dbconf_open(&db, c, &o, e);

	if (rc == AE_OK)
		rc = ae_db_backup_server(db, to, e);
	ae_db_free(db);
	return rc;
}

static int
copy_one(struct backup *b, struct backup_file *f, struct ae_err *e)
{
	char *from = conf_path(&b->cli->conf, f->path);
	char *to = backup_file_path(b->tmp, f), *dir = NULL;
	int rc;

	if (f->kind == BACKUP_CONFIG && b->cli->config != NULL) {
		free(from);
		from = strdup(b->cli->config);
	}
	if (to != NULL)
		dir = strdup(to);
	if (from == NULL || to == NULL || dir == NULL)
		rc = ae_fail_mem(e);
	else
		rc = ae_file_mkdirs(dirname(dir), 0700, e);
	if (rc == AE_OK && f->kind != BACKUP_DATABASE)
		rc = backup_copy(from, to, 0600, e);
	else if (rc == AE_OK)
		rc = b->set.server != NULL ? copy_server(&b->cli->conf, to, e)
					   : copy_database(from, to, e);
	if (rc == AE_OK)
		rc = backup_hash(to, f->sha256, &f->size, e);
	free(from);
	free(to);
	free(dir);
	return rc;
}

/* How far the copy is: that, and not the database of by now. */
static int
look(struct backup *b, struct ae_err *e)
{
	const struct backup_file *f = backup_set_find(&b->set, BACKUP_DATABASE);
	struct ae_db_options o = { .read_only = true };
	char *path = backup_file_path(b->tmp, f);
	struct ae_db *db = NULL;
	int rc;

	o.path = path;
	rc = path == NULL ? ae_fail_mem(e) : ae_db_open(&db, &o, e);
	if (rc == AE_OK)
		rc = ae_db_state(db, &b->set.db, e);
	ae_db_free(db);
	free(path);
	return rc;
}

/* It gets its name when nothing is missing. */
static int
give_name(struct backup *b, struct ae_err *e)
{
	char *file = NULL;
	int rc;

	if (!backup_tar_named(b->final)) {
		rc = backup_tree_sync(b->tmp, e);
		if (rc == AE_OK && rename(b->tmp, b->final) != 0)
			rc = ae_fail_errno(e, errno, "%s", b->final);
		return rc;
	}
	if (asprintf(&file, "%s/archive", b->tmp) < 0)
		return ae_fail_mem(e);
	rc = backup_tar_write(&b->set, b->tmp, file, e);
	if (rc == AE_OK && rename(file, b->final) != 0)
		rc = ae_fail_errno(e, errno, "%s", b->final);
	if (rc == AE_OK)
		rc = backup_sync_name(b->final, e);
	if (rc == AE_OK)
		backup_tree_remove(b->tmp);
	free(file);
	return rc;
}

static int
make(struct backup *b, struct ae_err *e)
{
	size_t i;
	int rc = add_all(b, e);

	if (rc == AE_OK)
		rc = begin(b, e);
	for (i = 0; i < b->set.n && rc == AE_OK; i++)
		rc = copy_one(b, &b->set.file[i], e);
	if (rc == AE_OK)
		rc = look(b, e);
	if (rc == AE_OK)
		rc = backup_set_write(&b->set, b->tmp, e);
	/* believed when it has been read again */
	if (rc == AE_OK)
		rc = backup_set_judge_db(&b->set, b->tmp, e);
	return rc == AE_OK ? give_name(b, e) : rc;
}

/* ---- the commands ---- */

static void
print(struct cli *cli, const struct backup_set *s, const char *path,
    size_t keys_left)
{
	char when[AE_TIME_STR_MAX];
	json_t *j;

	if (cli->json) {
		j = backup_set_json(s);
		(void)json_object_set_new(j, "path", cli_json_text(path));
		(void)json_object_set_new(
		    j, "sha256", cli_json_text(s->sha256));
		cli_print_json(j);
		return;
	}
	(void)printf(
	    "%s\n  CA          %s on %s\n  made        %s, number %" PRId64
	    "\n  database    requests up to %" PRId64 ", %" PRId64
	    " links of the audit chain%s\n  files       %zu, %s\n"
	    "  SHA-256     %s\n",
	    cli_safe(path), cli_safe(s->ca), cli_safe(s->dns_name),
	    ae_time_print(when, s->time), s->generation, s->db.last_id,
	    s->db.seq, s->server != NULL ? "; rows of PostgreSQL" : "", s->n,
	    s->with_key		? "with the CA's key"
		: keys_left > 0 ? "without the CA's key"
				: "no key of the CA is in a file, or it was "
				  "left out",
	    s->sha256);
}

static int
create(struct cli *cli, const char *where, enum with_key key)
{
	struct backup b = { .cli = cli, .key = key };
	struct ae_err e = AE_ERR_INIT;
	int code = EXIT_OK, rc = cli_conf(cli, &e);

	b.set.time = ae_clock_now();
	if (rc == AE_OK) {
		b.set.ca = strdup(cli->conf.name);
		b.set.dns_name = strdup(cli->conf.dns_name);
		if (conf_shared(&cli->conf))
			b.set.server = strdup(cli->conf.database);
		rc = b.set.ca == NULL || b.set.dns_name == NULL ||
			(conf_shared(&cli->conf) && b.set.server == NULL)
		    ? ae_fail_mem(&e)
		    : place(&b, where, &e);
	}
	if (rc == AE_OK) {
		rc = make(&b, &e);
		if (rc < 0)
			backup_tree_remove(b.tmp);
	}
	if (rc == AE_OK)
		print(cli, &b.set, b.final, b.keys_left);
	else
		code = cli_fail(cli, &e);
	backup_set_done(&b.set);
	free(b.final);
	free(b.tmp);
	return code;
}

static int
verify(struct cli *cli, const char *path, const char *sha256)
{
	struct backup_set s = { .n = 0 };
	struct ae_err e = AE_ERR_INIT;
	bool made = false;
	char *dir = NULL;
	int code = EXIT_OK, rc = backup_tar_open(&dir, &made, path, &e);

	if (rc == AE_OK)
		rc = backup_set_read(&s, dir, &e);
	if (rc == AE_OK && sha256 != NULL && strcasecmp(sha256, s.sha256) != 0)
		rc = ae_fail(&e, AE_ETRUST, AE_DOM_NONE, 0,
		    "the manifest's SHA-256 is %s", s.sha256);
	if (rc == AE_OK)
		rc = backup_set_judge_db(&s, dir, &e);
	if (rc == AE_OK)
		print(cli, &s, path, 0);
	else
		code = cli_fail(cli, &e);
	backup_set_done(&s);
	if (made)
		backup_tree_remove(dir);
	free(dir);
	return code;
}

int
cmd_backup(struct cli *cli, int argc, char **argv)
{
	enum with_key key = KEY_IF_SAFE;
	const char *sha256 = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'k')
			key = KEY_ALWAYS;
		else if (c == 'K')
			key = KEY_NEVER;
		else if (c == 's')
			sha256 = optarg;
		else
			return cli_usage("backup", "what is that?");
	}
	argc -= optind;
	argv += optind;
	if (argc == 2 && strcmp(argv[0], "verify") == 0 && key == KEY_IF_SAFE)
		return verify(cli, argv[1], sha256);
	if (argc == 1 && strcmp(argv[0], "verify") != 0 && sha256 == NULL)
		return create(cli, argv[0], key);
	return cli_usage("backup", "say where the backup goes, or is");
}
