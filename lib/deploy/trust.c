/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Comparing what should be in the system's trust with what we put there, and
 * the steps between; see trust.h.  The manifest is written before the first
 * file is touched and again when the system was told, so that whoever is
 * killed in between is picked up by the next run.
 */
#include "deploy/trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/breaks.h"
#include "base/hex.h"
#include "deploy/trust_int.h"
#include "pki/name.h"
#include "sys/clock.h"
#include "sys/files.h"

#define MANIFEST "trust/system.manifest"
#define FILE_MAX (128u * 1024u)

/* One file: wanted, or ours from before, or both. */
struct entry {
	char name[AE_MANIFEST_NAME_MAX];
	char *pem; /* wanted content; NULL: not wanted any more */
	size_t len;
	char sha256[65]; /* of pem, or as the manifest has it */
	const char *subject;
	enum ae_trust_state state;
};

struct sync {
	const struct ae_trust *t;
	struct ae_trust_report *r;
	struct ae_manifest old;
	struct entry *v;
	size_t n;
	int dirfd;
};

const char *
ae_trust_state_name(enum ae_trust_state s)
{
	static const char *const names[] = { "kept", "added", "removed",
		"refused", "foreign" };

	return names[s];
}

const char *
ae_trust_refuses(const struct ae_cert *c, int64_t now)
{
	static const struct ae_key_policy strong = {
		.rsa_min = 2048, .rsa_max = 16384, .ec_min = 256
	};
	struct ae_key *key = NULL;
	const char *why = NULL;

	if (!ae_cert_self_issued(c) && !AE_BREAK(roots_self_signed))
		return "it is not self-signed: an intermediate, not a root";
	if (!c->x.has_basic_constraints || !c->x.ca)
		return "it is not a CA certificate";
	if (now >= c->not_after)
		return "it has expired";
	if (ae_key_from_spki(&key, c->spki.p, c->spki.len, NULL) != AE_OK ||
	    ae_key_check(key, &strong, NULL) != AE_OK)
		why = "its key is weak or of a kind that is not known";
	else if (ae_cert_verify(c, key, NULL) != AE_OK)
		why = "its signature is not its own";
	ae_key_free(key);
	return why;
}

void
ae_trust_name(char out[AE_MANIFEST_NAME_MAX], const struct ae_cert *c)
{
	uint8_t hash[32];
	char hex[65];

	ae_cert_sha256(hash, c);
	ae_hex_encode(hex, hash, sizeof(hash));
	(void)snprintf(out, AE_MANIFEST_NAME_MAX, "autoenroll-%.32s.crt", hex);
}

static void
hash_hex(char out[65], const void *p, size_t len)
{
	uint8_t hash[AE_HASH_MAX] = { 0 };

	(void)ae_hash_bytes(hash, AE_HASH_SHA256, p, len);
	ae_hex_encode(out, hash, 32);
}

static int
report(struct sync *s, enum ae_trust_state state, const char *name,
    const char *subject, const char *text, struct ae_err *e)
{
	struct ae_trust_item *it = &s->r->v[s->r->n];

	it->state = state;
	it->name = ae_arena_strdup(s->r->arena, name);
	it->subject = ae_arena_strdup(s->r->arena, subject);
	it->text = text;
	if (it->name == NULL || it->subject == NULL)
		return ae_fail_mem(e);
	s->r->n++;
	return AE_OK;
}

static int
want(struct sync *s, const struct ae_cert *c, struct ae_err *e)
{
	const char *why = ae_trust_refuses(c, ae_clock_now());
	struct entry *en = &s->v[s->n];
	char *subject = NULL;
	struct ae_wr w;
	size_t i;
	int rc;

	rc = ae_name_print(&subject, c->subject, e);
	if (rc == AE_OK && why != NULL)
		rc = report(s, AE_TRUST_REFUSED, "", subject, why, e);
	if (rc != AE_OK || why != NULL)
		goto out;
	ae_trust_name(en->name, c);
	for (i = 0; i < s->n; i++)
		if (strcmp(s->v[i].name, en->name) == 0)
			goto out; /* twice in the directory */
	ae_wr_init(&w, FILE_MAX);
	ae_cert_put_pem(&w, c);
	en->subject = ae_arena_strdup(s->r->arena, subject);
	en->pem = (char *)ae_wr_take(&w, &en->len);
	ae_wr_done(&w);
	if (en->pem == NULL || en->subject == NULL) {
		free(en->pem);
		en->pem = NULL;
		rc = ae_fail_mem(e);
		goto out;
	}
	hash_hex(en->sha256, en->pem, en->len);
	s->n++;
out:
	free(subject);
	return rc;
}

/* The roots that should be there, then those of before that should not. */
static int
collect(struct sync *s, const void *pem, size_t len, struct ae_err *e)
{
	struct ae_cert **certs = NULL;
	size_t n = 0, i, j;
	int rc = AE_OK;

	if (len > 0)
		rc = ae_certs_read(&certs, &n, AE_TRUST_ROOTS_MAX, pem, len, e);
	if (rc == AE_ENOTFOUND)
		rc = AE_OK;
	if (rc != AE_OK)
		return ae_note(e, rc,
		    "the directory's roots; the system's trust stays as it is");
	s->v = calloc(n + s->old.n + 1, sizeof(*s->v));
	s->r->v =
	    ae_arena_array(s->r->arena, n + s->old.n + 1, sizeof(*s->r->v));
	if (s->v == NULL || s->r->v == NULL)
		rc = ae_fail_mem(e);
	for (i = 0; rc == AE_OK && i < n; i++)
		rc = want(s, certs[i], e);
	ae_certs_free(certs, n);
	for (i = 0; rc == AE_OK && i < s->old.n; i++) {
		const struct ae_manifest_file *f = &s->old.v[i];

		for (j = 0; j < s->n; j++)
			if (strcmp(s->v[j].name, f->name) == 0)
				break;
		if (j < s->n)
			continue;
		memcpy(s->v[s->n].name, f->name, sizeof(f->name));
		memcpy(s->v[s->n].sha256, f->sha256, sizeof(f->sha256));
		s->v[s->n++].subject = "";
	}
	return rc;
}

/* What is there under that name: its hash, or "" for nothing. */
static int
look(struct sync *s, const char *name, char hash[65], struct ae_err *e)
{
	char path[4096];
	uint8_t *p = NULL;
	struct stat st;
	size_t len;
	int rc;

	hash[0] = '\0';
	if (s->dirfd < 0)
		return AE_OK;
	if (fstatat(s->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? AE_OK
				       : ae_fail_errno(e, errno, "%s", name);
	(void)snprintf(hash, 65, "?");
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)FILE_MAX)
		return AE_OK; /* not what we wrote */
	(void)snprintf(
	    path, sizeof(path), "/proc/self/fd/%d/%s", s->dirfd, name);
	rc = ae_file_read(&p, &len, path, FILE_MAX, e);
	if (rc == AE_OK)
		hash_hex(hash, p, len);
	free(p);
	return rc;
}

static int
judge_one(struct sync *s, struct entry *en, struct ae_err *e)
{
	const char *text = NULL;
	char hash[65];
	int rc;

	rc = look(s, en->name, hash, e);
	if (rc != AE_OK)
		return rc;
	if (hash[0] == '\0')
		en->state = en->pem != NULL ? AE_TRUST_ADDED : AE_TRUST_REMOVED;
	else if (strcmp(hash, en->sha256) != 0)
		en->state = AE_TRUST_FOREIGN;
	else
		en->state = en->pem != NULL ? AE_TRUST_KEPT : AE_TRUST_REMOVED;
	if (en->state == AE_TRUST_FOREIGN)
		text = "the file is not what we wrote; it is left alone";
	if (en->state == AE_TRUST_ADDED || en->state == AE_TRUST_REMOVED)
		s->r->changed = true;
	return report(s, en->state, en->name, en->subject, text, e);
}

static int
judge(struct sync *s, struct ae_err *e)
{
	size_t i;
	int rc = AE_OK;

	for (i = 0; rc == AE_OK && i < s->n; i++)
		rc = judge_one(s, &s->v[i], e);
	return rc;
}

static int
write_manifest(
    struct sync *s, enum ae_manifest_by by, bool pending, struct ae_err *e)
{
	struct ae_manifest m = { .by = by, .pending = pending };
	char path[4096];
	struct ae_wr w;
	size_t i;
	int rc = AE_OK;

	(void)snprintf(m.method, sizeof(m.method), "%s", s->r->method);
	for (i = 0; rc == AE_OK && i < s->n; i++) {
		const struct entry *en = &s->v[i];

		if (pending || en->state == AE_TRUST_KEPT ||
		    en->state == AE_TRUST_ADDED)
			rc = ae_manifest_add(&m, en->name, en->sha256, e);
	}
	(void)snprintf(path, sizeof(path), "%s/" MANIFEST, s->t->state_dir);
	ae_wr_init(&w, AE_MANIFEST_MAX);
	if (rc == AE_OK && m.n == 0 && !pending && by != AE_BY_COMMAND) {
		if (unlink(path) != 0 && errno != ENOENT)
			rc = ae_fail_errno(e, errno, "remove %s", path);
	} else if (rc == AE_OK) {
		ae_manifest_print(&w, &m);
		rc = ae_wr_ok(&w) ? ae_file_write(path, w.p, w.len, 0644, e)
				  : ae_fail_mem(e);
	}
	ae_wr_done(&w);
	ae_manifest_done(&m);
	return rc;
}

/* Files first, then those that go; tell the system; see trust_int.h. */
static int
carry_out(struct sync *s, const struct trust_method *m, struct ae_err *e)
{
	size_t i;
	int rc = AE_OK;

	for (i = 0; rc == AE_OK && i < s->n; i++) {
		const struct entry *en = &s->v[i];

		if (en->state == AE_TRUST_ADDED)
			rc = ae_file_write_at(
			    s->dirfd, en->name, en->pem, en->len, 0644, e);
		if (rc == AE_OK && m->each &&
		    (en->state == AE_TRUST_ADDED ||
			(s->old.pending && en->state == AE_TRUST_KEPT)))
			rc = trust_tell_one(s->t, m, en->name, true, e);
	}
	for (i = 0; rc == AE_OK && i < s->n; i++) {
		const struct entry *en = &s->v[i];

		if (en->state != AE_TRUST_REMOVED)
			continue;
		if (m->each)
			rc = trust_tell_one(s->t, m, en->name, false, e);
		if (rc == AE_OK && unlinkat(s->dirfd, en->name, 0) != 0 &&
		    errno != ENOENT)
			rc = ae_fail_errno(e, errno, "remove %s", en->name);
	}
	if (rc == AE_OK)
		rc = ae_file_sync_dir(s->dirfd, e);
	if (rc == AE_OK && !m->each)
		rc = trust_tell(s->t, m, e);
	return rc;
}

int
ae_trust_manifest(
    struct ae_manifest *out, const struct ae_trust *t, struct ae_err *e)
{
	uint8_t *text = NULL;
	char path[4096];
	size_t len;
	int rc;

	(void)snprintf(path, sizeof(path), "%s/" MANIFEST, t->state_dir);
	rc = ae_file_read(&text, &len, path, AE_MANIFEST_MAX, e);
	if (rc == AE_OK)
		rc = ae_manifest_parse(out, (const char *)text, len, e);
	free(text);
	return rc;
}

static int
sync_with(struct sync *s, enum ae_manifest_by by, const void *pem, size_t len,
    struct ae_err *e)
{
	const struct trust_method *m;
	char dir[4096];
	int rc;

	rc = ae_trust_manifest(&s->old, s->t, e);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	if (rc == AE_ENOTFOUND && len == 0)
		return AE_OK; /* nothing is ours, nothing is wanted */
	/* What is there is taken out the way it was put in. */
	rc = trust_method_find(
	    &m, s->t, s->old.method[0] ? s->old.method : s->t->method, e);
	if (rc == AE_OK)
		rc = trust_method_dir(dir, sizeof(dir), &s->dirfd, s->t, m, e);
	if (rc != AE_OK)
		return rc;
	s->r->method = m->name;
	s->r->dir = ae_arena_strdup(s->r->arena, dir);
	rc = collect(s, pem, len, e);
	if (rc == AE_OK)
		rc = judge(s, e);
	if (rc == AE_OK && s->old.pending)
		s->r->changed = true;
	if (rc != AE_OK || s->t->dry_run)
		return rc;
	if (s->r->changed) {
		rc = write_manifest(s, by, true, e);
		if (rc == AE_OK)
			rc = carry_out(s, m, e);
	}
	if (rc == AE_OK && (s->r->changed || s->old.by != by))
		rc = write_manifest(s, by, false, e);
	return rc;
}

int
ae_trust_sync(struct ae_trust_report *out, const struct ae_trust *t,
    enum ae_manifest_by by, const void *pem, size_t len, struct ae_err *e)
{
	struct ae_trust_report r = { .method = "", .dir = "" };
	struct sync s = { .t = t, .r = &r, .dirfd = -1 };
	size_t i;
	int rc;

	memset(out, 0, sizeof(*out));
	r.arena = ae_arena_new(4u * 1024u * 1024u);
	rc = r.arena == NULL ? ae_fail_mem(e) : sync_with(&s, by, pem, len, e);
	for (i = 0; i < s.n; i++)
		free(s.v[i].pem);
	free(s.v);
	ae_manifest_done(&s.old);
	if (s.dirfd >= 0)
		(void)close(s.dirfd);
	if (rc != AE_OK) {
		ae_trust_report_done(&r);
		return ae_note(e, rc, "system trust");
	}
	if (e != NULL)
		*e = (struct ae_err)AE_ERR_INIT; /* a missing manifest */
	*out = r;
	return AE_OK;
}

void
ae_trust_report_done(struct ae_trust_report *r)
{
	ae_arena_free(r->arena);
	memset(r, 0, sizeof(*r));
}
