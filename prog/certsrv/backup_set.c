/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The manifest of a backup, written and read.
 */
#include "backup_set.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "backup_tree.h"
#include "base/hex.h"
#include "base/time.h"
#include "cli.h"
#include "pki/key.h"
#include "sys/files.h"

#define MANIFEST_MAX (4u << 20)

static const char *const kinds[BACKUP_KIND_COUNT] = {
	[BACKUP_DATABASE] = "database",
	[BACKUP_CONFIG] = "config",
	[BACKUP_CERTIFICATE] = "certificate",
	[BACKUP_SECURITY] = "security",
	[BACKUP_POLICY] = "policy",
	[BACKUP_REQUEST] = "request",
	[BACKUP_KEY] = "key",
};

const char *
backup_kind_name(enum backup_kind k)
{
	return kinds[k];
}

void
backup_set_done(struct backup_set *s)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		free(s->file[i].path);
	free(s->file);
	free(s->ca);
	free(s->dns_name);
	free(s->server);
	memset(s, 0, sizeof(*s));
}

int
backup_set_add(struct backup_set *s, enum backup_kind kind, const char *path,
    unsigned mode, struct ae_err *e)
{
	struct backup_file *v;
	size_t i;

	if (!backup_good_path(path))
		return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
		    "a file of a backup cannot be at \"%s\"", path);
	for (i = 0; i < s->n; i++)
		if (strcmp(s->file[i].path, path) == 0)
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "%s is in the backup twice", path);
	if (s->n == BACKUP_FILES_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d files", BACKUP_FILES_MAX);
	v = realloc(s->file, (s->n + 1) * sizeof(*v));
	if (v == NULL)
		return ae_fail_mem(e);
	s->file = v;
	v[s->n] = (struct backup_file){ .kind = kind, .mode = mode };
	v[s->n].path = strdup(path);
	if (v[s->n].path == NULL)
		return ae_fail_mem(e);
	s->n++;
	return AE_OK;
}

char *
backup_file_path(const char *dir, const struct backup_file *f)
{
	char *out = NULL;

	return asprintf(&out, "%s/" BACKUP_FILES "%s", dir, f->path) < 0 ? NULL
									 : out;
}

const struct backup_file *
backup_set_find(const struct backup_set *s, enum backup_kind kind)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (s->file[i].kind == kind)
			return &s->file[i];
	return NULL;
}

/* ---- writing ---- */

static json_t *
files_json(const struct backup_set *s)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; i < s->n; i++) {
		const struct backup_file *f = &s->file[i];
		char mode[8];

		(void)snprintf(mode, sizeof(mode), "%04o", f->mode & 0777);
		(void)json_array_append_new(a,
		    json_pack("{s:s, s:s, s:s, s:I, s:s}", "path", f->path,
			"kind", kinds[f->kind], "mode", mode, "size",
			(json_int_t)f->size, "sha256", f->sha256));
	}
	return a;
}

json_t *
backup_set_json(const struct backup_set *s)
{
	char link[2 * AE_DB_HASH_LEN + 1];
	json_t *crls = json_array();
	size_t i;

	for (i = 0; i < s->db.ncrl; i++)
		(void)json_array_append_new(crls,
		    json_pack("{s:i, s:I}", "key_index", (int)s->db.crl[i].key,
			"number", (json_int_t)s->db.crl[i].number));
	ae_hex_encode(link, s->db.link, sizeof(s->db.link));
	return json_pack(
	    "{s:i, s:s, s:s, s:s*, s:o, s:I, s:I, s:I, s:s, s:o, s:b, s:o}",
	    "format", BACKUP_FORMAT, "ca", s->ca, "dns_name", s->dns_name,
	    "server", s->server, "time", cli_json_time(s->time), "generation",
	    (json_int_t)s->generation, "last_request_id",
	    (json_int_t)s->db.last_id, "audit_links", (json_int_t)s->db.seq,
	    "audit_head", link, "crls", crls, "with_key", s->with_key, "files",
	    files_json(s));
}

static int
hash_text(
    char hex[BACKUP_HASH_HEX + 1], const void *p, size_t len, struct ae_err *e)
{
	uint8_t hash[AE_HASH_MAX];

	if (ae_hash_bytes(hash, AE_HASH_SHA256, p, len) == 0)
		return ae_fail_mem(e);
	ae_hex_encode(hex, hash, BACKUP_HASH_HEX / 2);
	return AE_OK;
}

int
backup_set_write(struct backup_set *s, const char *dir, struct ae_err *e)
{
	json_t *j = backup_set_json(s);
	char *text = j == NULL ? NULL : json_dumps(j, JSON_INDENT(2));
	char *path = NULL;
	int rc = AE_OK;

	json_decref(j);
	if (text == NULL || asprintf(&path, "%s/" BACKUP_MANIFEST, dir) < 0)
		rc = ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_file_write(path, text, strlen(text), 0600, e);
	if (rc == AE_OK)
		rc = hash_text(s->sha256, text, strlen(text), e);
	free(path);
	free(text);
	return rc;
}

/* ---- reading ---- */

static bool
kind_of(const char *name, enum backup_kind *out)
{
	size_t i;

	for (i = 0; i < BACKUP_KIND_COUNT; i++)
		if (strcmp(kinds[i], name) == 0) {
			*out = (enum backup_kind)i;
			return true;
		}
	return false;
}

static int
no_manifest(struct ae_err *e, const char *what)
{
	return ae_fail(
	    e, AE_EPROTO, AE_DOM_NONE, 0, "no manifest of a backup: %s", what);
}

static int
read_file(struct backup_set *s, json_t *j, struct ae_err *e)
{
	const char *path, *kind, *mode, *sha256;
	enum backup_kind k;
	json_int_t size;
	char *end;
	unsigned long bits;
	int rc;

	if (json_unpack(j, "{s:s, s:s, s:s, s:I, s:s !}", "path", &path, "kind",
		&kind, "mode", &mode, "size", &size, "sha256", &sha256) != 0 ||
	    !kind_of(kind, &k) || size < 0 || strlen(sha256) != BACKUP_HASH_HEX)
		return no_manifest(e, "a file that is not understood");
	bits = strtoul(mode, &end, 8);
	if (*mode == '\0' || *end != '\0' || bits > 0777)
		return no_manifest(e, "a mode that is none");
	rc = backup_set_add(s, k, path, (unsigned)bits, e);
	if (rc == AE_OK) {
		s->file[s->n - 1].size = (uint64_t)size;
		memcpy(s->file[s->n - 1].sha256, sha256, BACKUP_HASH_HEX + 1);
	}
	return rc;
}

static int
read_crls(struct backup_set *s, json_t *crls, struct ae_err *e)
{
	json_int_t number;
	size_t i;
	int key;

	for (i = 0; i < json_array_size(crls); i++)
		if (json_unpack(json_array_get(crls, i), "{s:i, s:I !}",
			"key_index", &key, "number", &number) != 0 ||
		    key < 0 || number < 0 ||
		    !ae_db_state_crl_raise(&s->db, (unsigned)key, number))
			return no_manifest(e, "numbers of CRLs");
	return AE_OK;
}

static int
read_members(struct backup_set *s, json_t *j, struct ae_err *e)
{
	const char *ca, *dns, *when, *link, *server = NULL;
	json_int_t generation, last_id, links;
	json_t *crls, *files;
	size_t i;
	int format, with_key, rc;

	if (json_unpack(j, "{s:i}", "format", &format) != 0)
		return no_manifest(e, "it has no format");
	if (format != BACKUP_FORMAT)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a backup of format %d: a newer certsrv made it", format);
	if (json_unpack(j,
		"{s:i, s:s, s:s, s?s, s:s, s:I, s:I, s:I, s:s, s:o, s:b, s:o "
		"!}",
		"format", &format, "ca", &ca, "dns_name", &dns, "server",
		&server, "time", &when, "generation", &generation,
		"last_request_id", &last_id, "audit_links", &links,
		"audit_head", &link, "crls", &crls, "with_key", &with_key,
		"files", &files) != 0 ||
	    !ae_time_parse(&s->time, when) || generation < 0 || last_id < 0 ||
	    links < 0 || !ae_hex_decode(s->db.link, sizeof(s->db.link), link))
		return no_manifest(e, "a member is missing or too much");
	s->ca = strdup(ca);
	s->dns_name = strdup(dns);
	if (server != NULL)
		s->server = strdup(server);
	if (s->ca == NULL || s->dns_name == NULL ||
	    (server != NULL && s->server == NULL))
		return ae_fail_mem(e);
	s->generation = generation;
	s->db.last_id = last_id;
	s->db.seq = links;
	s->with_key = with_key != 0;
	rc = read_crls(s, crls, e);
	for (i = 0; rc == AE_OK && i < json_array_size(files); i++)
		rc = read_file(s, json_array_get(files, i), e);
	return rc;
}

static int
read_manifest(struct backup_set *s, const char *dir, struct ae_err *e)
{
	json_error_t why;
	uint8_t *p = NULL;
	char *path = NULL;
	json_t *j = NULL;
	size_t len;
	int rc;

	if (asprintf(&path, "%s/" BACKUP_MANIFEST, dir) < 0)
		return ae_fail_mem(e);
	rc = ae_file_read(&p, &len, path, MANIFEST_MAX, e);
	free(path);
	if (rc == AE_OK)
		rc = hash_text(s->sha256, p, len, e);
	if (rc == AE_OK) {
		j = json_loadb(
		    (const char *)p, len, JSON_REJECT_DUPLICATES, &why);
		rc = j == NULL ? no_manifest(e, why.text)
			       : read_members(s, j, e);
	}
	json_decref(j);
	free(p);
	return rc;
}

static int
check_file(const char *dir, const struct backup_file *f, struct ae_err *e)
{
	char hex[BACKUP_HASH_HEX + 1];
	char *path = backup_file_path(dir, f);
	uint64_t size = 0;
	struct stat st;
	int rc = AE_OK;

	if (path == NULL)
		return ae_fail_mem(e);
	if (lstat(path, &st) != 0 || !S_ISREG(st.st_mode))
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "%s is missing from the backup", f->path);
	if (rc == AE_OK)
		rc = backup_hash(path, hex, &size, e);
	if (rc == AE_OK && (size != f->size || strcmp(hex, f->sha256) != 0))
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "%s is not what the manifest says: the backup is damaged "
		    "or somebody has changed it",
		    f->path);
	free(path);
	return rc;
}

int
backup_set_read(struct backup_set *s, const char *dir, struct ae_err *e)
{
	size_t i, n = 0;
	int rc;

	memset(s, 0, sizeof(*s));
	rc = read_manifest(s, dir, e);
	for (i = 0; rc == AE_OK && i < s->n; i++)
		rc = check_file(dir, &s->file[i], e);
	if (rc == AE_OK)
		rc = backup_tree_count(dir, &n, e);
	/* and the manifest itself */
	if (rc == AE_OK && n != s->n + 1)
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "%zu files are in the backup that its manifest does not "
		    "know",
		    n - s->n - 1);
	return rc == AE_OK ? rc : ae_note(e, rc, "%s", dir);
}

static int
same_state(const struct ae_db_state *a, const struct ae_db_state *b)
{
	size_t i;

	if (a->seq != b->seq || a->last_id != b->last_id ||
	    a->ncrl != b->ncrl ||
	    memcmp(a->link, b->link, sizeof(a->link)) != 0)
		return false;
	for (i = 0; i < a->ncrl; i++)
		if (ae_db_state_crl(b, a->crl[i].key) != a->crl[i].number)
			return false;
	return true;
}

int
backup_set_judge_db(
    const struct backup_set *s, const char *dir, struct ae_err *e)
{
	const struct backup_file *f = backup_set_find(s, BACKUP_DATABASE);
	struct ae_db_options o = { .read_only = true };
	struct ae_db_state state;
	struct ae_db *db = NULL;
	char *path = NULL;
	int64_t links;
	int rc;

	if (f == NULL)
		return ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "there is no database in the backup");
	path = backup_file_path(dir, f);
	o.path = path;
	rc = path == NULL ? ae_fail_mem(e) : ae_db_open(&db, &o, e);
	if (rc == AE_OK)
		rc = ae_db_check(db, e);
	if (rc == AE_OK)
		rc = ae_db_audit_verify(db, &links, e);
	if (rc == AE_OK)
		rc = ae_db_state(db, &state, e);
	if (rc == AE_OK && !same_state(&state, &s->db))
		rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
		    "the database is not the one that the manifest tells of");
	ae_db_free(db);
	free(path);
	return rc;
}
