/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Files: PEM in its forms, and PKCS#12; see place.h.
 */
#include "deploy/place.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "pki/pkcs12.h"
#include "store/store.h"
#include "sys/exec.h"
#include "sys/files.h"
#include "sys/safe.h"

#define TARGET_MAX (1024u * 1024u)
#define LABEL_MS 30000

struct owner {
	uid_t uid;
	gid_t gid;
	mode_t mode;
};

static int
find_owner(struct owner *o, const struct ae_place *p, struct ae_err *e)
{
	const struct ae_deploy_section *s = p->s;
	const struct passwd *pw = NULL;
	const struct group *gr = NULL;

	o->uid = geteuid();
	o->gid = getegid();
	o->mode = s->has_mode		      ? s->mode
	    : ae_deploy_kind_has_key(p->kind) ? 0600
					      : 0644;
	if (p->kind == AE_DEPLOY_NM)
		o->mode = 0600; /* NetworkManager ignores others */
	if (p->kind == AE_DEPLOY_NM)
		return AE_OK;
	if (s->owner != NULL && (pw = getpwnam(s->owner)) == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no user '%s'", s->owner);
	if (pw != NULL) {
		o->uid = pw->pw_uid;
		o->gid = pw->pw_gid;
	}
	if (s->group != NULL && (gr = getgrnam(s->group)) == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "there is no group '%s'", s->group);
	if (gr != NULL)
		o->gid = gr->gr_gid;
	return AE_OK;
}

/* The file as it stands; *p NULL when there is none, or no regular one. */
static int
read_there(uint8_t **p, size_t *len, struct stat *st, int dirfd,
    const char *name, struct ae_err *e)
{
	char path[300];

	*p = NULL;
	if (fstatat(dirfd, name, st, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? AE_OK
				       : ae_fail_errno(e, errno, "%s", name);
	if (S_ISDIR(st->st_mode))
		return ae_fail(
		    e, AE_EINVAL, AE_DOM_NONE, 0, "%s is a directory", name);
	if (!S_ISREG(st->st_mode) || st->st_size > (off_t)TARGET_MAX)
		return AE_OK;
	(void)snprintf(
	    path, sizeof(path), "/proc/self/fd/%d/%.255s", dirfd, name);
	return ae_file_read(p, len, path, TARGET_MAX, e);
}

/* As configured, or as the system's policy has it for that path. */
static int
label(const struct ae_place *p, struct ae_err *e)
{
	char *program = ae_path_root(p->d->root, "/usr/sbin/restorecon");
	char *on = ae_path_root(p->d->root, "/sys/fs/selinux/enforce");
	const char *argv[] = { "restorecon", "-F", p->path, NULL };
	struct ae_exec x = {
		.path = program, .argv = argv, .timeout_ms = LABEL_MS
	};
	int rc = AE_OK, status = 0;

	if (program == NULL || on == NULL)
		rc = ae_fail_mem(e);
	else if (access(on, F_OK) != 0)
		rc = AE_OK; /* SELinux is off */
	else if (p->s->selinux != NULL) {
		if (lsetxattr(p->path, "security.selinux", p->s->selinux,
			strlen(p->s->selinux) + 1, 0) != 0)
			rc = ae_fail_errno(
			    e, errno, "label %s as %s", p->path, p->s->selinux);
	} else if (access(program, X_OK) == 0) {
		rc = ae_exec_run(&x, &status, e);
		if (rc == AE_OK && status != 0)
			rc = ae_fail(e, AE_EIO, AE_DOM_NONE, status,
			    "restorecon -F %s: exit %d", p->path, status);
	}
	free(program);
	free(on);
	return rc;
}

int
ae_place_file(const struct ae_place *p, const void *bytes, size_t len,
    bool write, bool *changed, struct ae_err *e)
{
	struct stat st = { 0 };
	uint8_t *there = NULL;
	size_t there_len = 0;
	struct owner o;
	const char *name;
	int rc, fd = -1;

	rc = find_owner(&o, p, e);
	if (rc == AE_OK)
		rc = ae_safe_parent(&fd, &name, p->path, e);
	if (rc != AE_OK)
		return rc;
	rc = read_there(&there, &there_len, &st, fd, name, e);
	if (rc != AE_OK)
		goto out;
	*changed = there == NULL || there_len != len ||
	    (len > 0 && memcmp(there, bytes, len) != 0) || st.st_uid != o.uid ||
	    st.st_gid != o.gid || (st.st_mode & 07777) != o.mode;
	if (*changed && write) {
		rc = ae_file_write_owned(
		    fd, name, bytes, len, o.mode, o.uid, o.gid, e);
		if (rc == AE_OK)
			rc = label(p, e);
	}
out:
	if (there != NULL)
		explicit_bzero(there, there_len);
	free(there);
	(void)close(fd);
	return rc;
}

int
ae_place_password(struct ae_secret *out, const struct ae_deploy *d,
    const char *path, struct ae_err *e)
{
	char *full = ae_path_root(d->root, path);
	uint8_t *p = NULL;
	struct stat st;
	size_t len = 0;
	int rc;

	if (full == NULL)
		return ae_fail_mem(e);
	rc = ae_safe_check(full, AE_SAFE_FILE, e);
	if (rc == AE_OK && stat(full, &st) == 0 && (st.st_mode & 077) != 0)
		rc = ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "%s holds a password and may be read by others than its "
		    "owner (mode %03o); make it 0600",
		    full, (unsigned)(st.st_mode & 0777));
	if (rc == AE_OK)
		rc = ae_file_read(&p, &len, full, 4096, e);
	if (rc == AE_OK) {
		p[strcspn((char *)p, "\r\n")] = '\0';
		if (ae_secret_set(out, p, strlen((char *)p) + 1) != 0)
			rc = ae_fail_mem(e);
	}
	if (p != NULL)
		explicit_bzero(p, len);
	free(p);
	free(full);
	return rc;
}

static int
pkcs12_input(struct ae_pkcs12 *in, struct ae_key **key,
    const struct ae_material *m, const char *name, const char *password,
    struct ae_err *e)
{
	*in = (struct ae_pkcs12){ .cert = m->cert,
		.chain = m->chain,
		.nchain = m->nchain,
		.name = name != NULL ? name : m->tmpl,
		.password = password };
	in->key = NULL;
	if (ae_key_from_pem(key, m->key_pem, m->key_len, NULL, e) != AE_OK)
		return e == NULL ? AE_EPROTO : e->rc;
	in->key = *key;
	return AE_OK;
}

int
ae_place_pkcs12(struct ae_secret *out, const struct ae_material *m,
    const char *name, const char *password, struct ae_err *e)
{
	struct ae_key *key = NULL;
	struct ae_pkcs12 in;
	int rc;

	rc = pkcs12_input(&in, &key, m, name, password, e);
	if (rc == AE_OK)
		rc = ae_pkcs12_build(out, &in, e);
	ae_key_free(key);
	return rc;
}

/* Salts differ each time: one that holds the same stays as it is. */
static bool
pkcs12_stands(
    const struct ae_place *p, const char *password, struct ae_secret *out)
{
	struct ae_key *key = NULL;
	struct ae_pkcs12 in;
	uint8_t *there = NULL;
	size_t len = 0;
	bool same = false;

	if (ae_file_read(&there, &len, p->path, TARGET_MAX, NULL) == AE_OK &&
	    pkcs12_input(&in, &key, p->m, p->s->p12_name, password, NULL) ==
		AE_OK)
		same = ae_pkcs12_same(there, len, &in) &&
		    ae_secret_set(out, there, len) == 0;
	ae_key_free(key);
	free(there);
	return same;
}

static int
place_pkcs12(
    const struct ae_place *p, bool write, bool *changed, struct ae_err *e)
{
	struct ae_secret password = { 0 }, p12 = { 0 };
	int rc;

	rc = ae_place_password(&password, p->d, p->s->p12_password_file, e);
	if (rc == AE_OK && !pkcs12_stands(p, (char *)password.p, &p12))
		rc = ae_place_pkcs12(
		    &p12, p->m, p->s->p12_name, (char *)password.p, e);
	if (rc == AE_OK)
		rc = ae_place_file(p, p12.p, p12.len, write, changed, e);
	ae_secret_done(&password);
	ae_secret_done(&p12);
	return rc;
}

/* The parts of a PEM target, in order. */
static void
put_pem(struct ae_wr *w, const struct ae_place *p)
{
	const struct ae_material *m = p->m;
	enum ae_deploy_kind k = p->kind;

	if (k == AE_DEPLOY_KEY || k == AE_DEPLOY_BUNDLE)
		ae_wr_bytes(w, m->key_pem, m->key_len);
	if (k == AE_DEPLOY_CERT || k == AE_DEPLOY_FULLCHAIN ||
	    k == AE_DEPLOY_BUNDLE)
		ae_wr_bytes(w, m->cert_pem, m->cert_len);
	if (k == AE_DEPLOY_CHAIN || k == AE_DEPLOY_FULLCHAIN ||
	    k == AE_DEPLOY_BUNDLE)
		ae_wr_bytes(w, m->chain_pem, m->chain_len);
}

int
ae_place(const struct ae_place *p, bool write, bool *changed, struct ae_err *e)
{
	struct ae_wr w;
	int rc = AE_OK;

	*changed = false;
	if (ae_deploy_kind_has_key(p->kind))
		rc = ae_material_key_copies(p->m, e);
	if (rc != AE_OK)
		return rc;
	if (p->kind == AE_DEPLOY_PKCS12)
		return place_pkcs12(p, write, changed, e);
	if (p->kind == AE_DEPLOY_NSS)
		return ae_place_nss(p, write, changed, e);
	if (p->kind == AE_DEPLOY_NM)
		return ae_place_nm(p, write, changed, e);
	ae_wr_init(&w, TARGET_MAX);
	put_pem(&w, p);
	rc = ae_wr_ok(&w) ? ae_place_file(p, w.p, w.len, write, changed, e)
			  : ae_fail_mem(e);
	ae_wr_wipe(&w);
	return rc;
}
