/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Key, database, certificate, security descriptor and configuration of a new
 * CA, each made only when it is not there.
 */
#include "setup_local.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ad/sd.h"
#include "base/secret.h"
#include "conf.h"
#include "db/db.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "pki/tbs.h"
#include "proto.h"
#include "sys/clock.h"
#include "sys/files.h"

#define KEY_PATH STATE_DIR "/private/ca.key"
#define CERT_PATH "/etc/certsrv/ca.pem"
#define SD_PATH "/etc/certsrv/ca.sd"
#define DB_PATH STATE_DIR "/db/ca.sqlite"
#define KEY_USER "_certsrv-sign"
#define DB_USER "_certsrv-db"
#define TEN_YEARS (10LL * 365 * 24 * 3600 + 2 * 24 * 3600)
#define BACKDATE 600

/* Rights of the CA's own descriptor, MS-CSRA 3.1.1.7. */
#define RIGHT_ADMIN 0x00000001u
#define RIGHT_OFFICER 0x00000002u
#define RIGHT_READ 0x00000100u
#define RIGHT_ENROLL 0x00000200u

/* clang-format off */
static const struct {
	const char *name;
	enum ae_key_type type;
	unsigned bits;
	enum ae_hash hash;
} key_types[] = {
	{ "rsa2048", AE_KEY_RSA, 2048, AE_HASH_SHA256 },
	{ "rsa3072", AE_KEY_RSA, 3072, AE_HASH_SHA256 },
	{ "rsa4096", AE_KEY_RSA, 4096, AE_HASH_SHA256 },
	{ "p256", AE_KEY_EC, 256, AE_HASH_SHA256 },
	{ "p384", AE_KEY_EC, 384, AE_HASH_SHA384 },
};
/* clang-format on */

struct work {
	const struct setup_local *s;
	char *key_path, *cert_path, *sd_path, *conf_path, *db_path;
	struct ae_key *key;
	unsigned made;
};

bool
setup_key_type(const char *name, enum ae_key_type *type, unsigned *bits)
{
	size_t i;

	for (i = 0; i < sizeof(key_types) / sizeof(key_types[0]); i++) {
		if (strcmp(name, key_types[i].name) != 0)
			continue;
		*type = key_types[i].type;
		*bits = key_types[i].bits;
		return true;
	}
	return false;
}

static enum ae_hash
hash_for(const struct ae_key *k)
{
	size_t i;

	for (i = 0; i < sizeof(key_types) / sizeof(key_types[0]); i++)
		if (key_types[i].type == ae_key_type(k) &&
		    key_types[i].bits == ae_key_bits(k))
			return key_types[i].hash;
	return AE_HASH_SHA256;
}

static bool
exists(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0;
}

/* The directory of path, made when missing, open. */
static int
open_dir(const char *path, mode_t mode, int *fd, struct ae_err *e)
{
	char *dir = strdup(path), *slash;
	int rc;

	if (dir == NULL)
		return ae_fail_mem(e);
	slash = strrchr(dir, '/');
	*slash = '\0';
	rc = ae_file_mkdirs(dir, mode, e);
	if (rc == AE_OK &&
	    (*fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)
		rc = ae_fail_errno(e, errno, "%s", dir);
	free(dir);
	return rc;
}

static int
write_file(const char *path, mode_t dir_mode, const void *p, size_t len,
    mode_t mode, uid_t uid, gid_t gid, struct ae_err *e)
{
	int fd = -1, rc = open_dir(path, dir_mode, &fd, e);

	if (rc == AE_OK)
		rc = ae_file_write_owned(
		    fd, strrchr(path, '/') + 1, p, len, mode, uid, gid, e);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/* ---- the key ---- */

static int
owner(const struct setup_local *s, enum role role, const char *user, uid_t *uid,
    gid_t *gid, struct ae_err *e)
{
	struct passwd pw, *found = NULL;
	char buf[4096];
	int err;

	if (s->uid_base != 0) {
		*uid = *gid = s->uid_base + (uid_t)role;
		return AE_OK;
	}
	err = getpwnam_r(user, &pw, buf, sizeof(buf), &found);
	if (found == NULL)
		return ae_fail(e, AE_ENOTFOUND, AE_DOM_ERRNO, err,
		    "there is no user %s (systemd-sysusers makes it)", user);
	*uid = pw.pw_uid;
	*gid = pw.pw_gid;
	return AE_OK;
}

static int
open_key(struct work *w, struct ae_err *e)
{
	char *uri;
	int rc;

	if (asprintf(&uri, "file:%s", w->key_path) < 0)
		return ae_fail_mem(e);
	rc = ae_key_open(&w->key, uri, NULL, e);
	free(uri);
	return rc;
}

static int
make_key(struct work *w, struct ae_err *e)
{
	struct ae_secret pem = { NULL, 0 };
	enum ae_key_type type;
	unsigned bits;
	uid_t uid;
	gid_t gid;
	int rc;

	if (exists(w->key_path))
		return open_key(w, e);
	if (exists(w->cert_path))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is there but its key %s is not", w->cert_path,
		    w->key_path);
	w->made |= SETUP_MADE_KEY;
	if (!setup_key_type(w->s->key, &type, &bits))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "\"%s\" is no kind of key: rsa2048, rsa3072, rsa4096, "
		    "p256, p384",
		    w->s->key);
	if (w->s->dry_run)
		return AE_OK;
	rc = owner(w->s, ROLE_SIGN, KEY_USER, &uid, &gid, e);
	if (rc == AE_OK)
		rc = ae_key_generate(&w->key, type, bits, e);
	if (rc == AE_OK)
		rc = ae_key_to_pem(&pem, w->key, NULL, e);
	if (rc == AE_OK)
		rc = write_file(
		    w->key_path, 0711, pem.p, pem.len, 0600, uid, gid, e);
	ae_secret_done(&pem);
	return rc;
}

/* ---- the database ---- */

/* Where the configuration has it, if there is one already. */
static int
find_database(struct work *w, struct ae_err *e)
{
	struct conf c;
	int rc = AE_OK;

	if (!exists(w->conf_path)) {
		w->db_path = ae_path_root(w->s->root, DB_PATH);
	} else {
		rc = conf_read(&c, w->s->root, NULL, e);
		if (rc == AE_OK)
			w->db_path = strdup(c.database);
		conf_done(&c);
	}
	return rc == AE_OK && w->db_path == NULL ? ae_fail_mem(e) : rc;
}

/*
 * The directory is ours alone while the file is made: its user could
 * otherwise put something else under a name that root opens or gives away.
 */
static int
create_database(struct work *w, struct ae_err *e)
{
	const char *name = strrchr(w->db_path, '/') + 1;
	struct ae_db_options opt = { .path = w->db_path, .create = true };
	struct ae_db *db = NULL;
	int fd = -1, rc;
	uid_t uid;
	gid_t gid;

	rc = owner(w->s, ROLE_DB, DB_USER, &uid, &gid, e);
	if (rc == AE_OK)
		rc = open_dir(w->db_path, 0755, &fd, e);
	if (rc == AE_OK &&
	    (fchown(fd, geteuid(), getegid()) < 0 || fchmod(fd, 0700) < 0))
		rc = ae_fail_errno(e, errno, "%s", w->db_path);
	if (rc == AE_OK)
		rc = ae_db_open(&db, &opt, e);
	ae_db_free(db);
	if (rc == AE_OK &&
	    (fchownat(fd, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ||
		fchown(fd, uid, gid) < 0))
		rc = ae_fail_errno(e, errno, "%s", w->db_path);
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

/*
 * Before the certificate: a CA that has its certificate had its database.
 * One that is gone is never replaced silently, or serial numbers, revoked
 * certificates and CRL numbers would be forgotten.
 */
static int
make_database(struct work *w, struct ae_err *e)
{
	int rc = find_database(w, e);

	if (rc != AE_OK || exists(w->db_path))
		return rc;
	if (exists(w->cert_path) && !w->s->new_database)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is there but the CA's database %s is not: restore it "
		    "from a backup, or begin a new one with --new-database, "
		    "which forgets what was issued and revoked",
		    w->cert_path, w->db_path);
	w->made |= SETUP_MADE_DATABASE;
	return w->s->dry_run ? AE_OK : create_database(w, e);
}

/* ---- the certificate ---- */

static int
subject(struct ae_wr *w, const struct setup_local *s, struct ae_err *e)
{
	struct ae_wr text;
	const char *c;
	int rc;

	ae_wr_init(&text, AE_PKI_NAME_MAX);
	ae_wr_str(&text, "CN=");
	for (c = s->name; *c != '\0'; c++) {
		if (strchr(",+\"\\<>;=#", *c) != NULL)
			ae_wr_u8(&text, '\\');
		ae_wr_u8(&text, (uint8_t)*c);
	}
	if (s->subject_suffix != NULL)
		ae_wr_printf(&text, ",%s", s->subject_suffix);
	rc = ae_wr_cstr(&text) == NULL
	    ? ae_fail_mem(e)
	    : ae_name_from_text(w, ae_wr_cstr(&text), e);
	ae_wr_done(&text);
	return rc;
}

static int
sign_root(struct work *w, struct ae_wr *der, struct ae_err *e)
{
	uint8_t keyid[AE_KEY_ID_LEN], serial[16];
	struct ae_tbs tbs;
	struct ae_wr name;
	int64_t now = ae_clock_now();
	int rc;

	ae_random(serial, sizeof(serial));
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
	ae_wr_init(&name, AE_PKI_NAME_MAX);
	rc = subject(&name, w->s, e);
	if (rc == AE_OK) {
		rc = ae_tbs_root(&tbs, w->key, hash_for(w->key),
		    (struct ae_der){ name.p, name.len },
		    (struct ae_der){ serial, sizeof(serial) }, now - BACKDATE,
		    now + (w->s->validity != 0 ? w->s->validity : TEN_YEARS),
		    keyid, e);
	}
	if (rc == AE_OK)
		rc = ae_tbs_sign(der, &tbs, w->key, e);
	ae_wr_done(&name);
	return rc;
}

static int
make_certificate(struct work *w, struct ae_err *e)
{
	struct ae_cert *cert = NULL;
	struct ae_wr der, pem;
	int rc;

	if (exists(w->cert_path))
		return AE_OK;
	w->made |= SETUP_MADE_CERTIFICATE;
	if (w->s->dry_run)
		return AE_OK;
	ae_wr_init(&der, AE_PKI_CERT_MAX);
	ae_wr_init(&pem, 2 * AE_PKI_CERT_MAX);
	rc = sign_root(w, &der, e);
	if (rc == AE_OK)
		rc = ae_cert_parse(&cert, der.p, der.len, e);
	if (rc == AE_OK) {
		ae_cert_put_pem(&pem, cert);
		rc = ae_wr_ok(&pem)
		    ? write_file(w->cert_path, 0755, pem.p, pem.len, 0644,
			  (uid_t)-1, (gid_t)-1, e)
		    : ae_fail_mem(e);
	}
	ae_cert_free(cert);
	ae_wr_done(&pem);
	ae_wr_done(&der);
	return rc;
}

/* ---- who may do what ---- */

/*
 * As a fresh Windows CA has it: authenticated users may ask for
 * certificates (the templates say which), administrators manage.  Reading is
 * reading the database, over the network too where that is switched on, so
 * who may ask for a certificate may not read it for that.
 */
static int
default_sd(struct ae_wr *out, struct ae_err *e)
{
	static const struct {
		const char *sid;
		uint32_t mask;
	} rows[] = {
		{ "S-1-5-32-544", RIGHT_ADMIN | RIGHT_OFFICER | RIGHT_READ },
		{ "S-1-5-11", RIGHT_ENROLL },
	};
	struct ae_sd *sd = ae_sd_new();
	struct ae_sid sid;
	size_t i;
	int rc = sd == NULL ? ae_fail_mem(e) : AE_OK;

	for (i = 0; i < 2 && rc == AE_OK; i++) {
		if (!ae_sid_parse(&sid, rows[i].sid))
			rc = ae_fail(e, AE_EINTERNAL, AE_DOM_NONE, 0,
			    "%s is no SID", rows[i].sid);
		else
			rc = ae_sd_allow(sd, 0, rows[i].mask, NULL, &sid, e);
		if (rc == AE_OK && i == 0) {
			ae_sd_set_owner(sd, &sid);
			ae_sd_set_group(sd, &sid);
		}
	}
	if (rc == AE_OK)
		rc = ae_sd_encode(out, sd, e);
	ae_sd_free(sd);
	return rc;
}

static int
make_security(struct work *w, struct ae_err *e)
{
	struct ae_wr sd;
	int rc;

	if (exists(w->sd_path))
		return AE_OK;
	w->made |= SETUP_MADE_SECURITY;
	if (w->s->dry_run)
		return AE_OK;
	ae_wr_init(&sd, AE_SD_BYTES_MAX);
	rc = default_sd(&sd, e);
	if (rc == AE_OK)
		rc = write_file(w->sd_path, 0755, sd.p, sd.len, 0644, (uid_t)-1,
		    (gid_t)-1, e);
	ae_wr_done(&sd);
	return rc;
}

/* ---- the configuration ---- */

static void
put_urls(struct ae_wr *w, const char *key, const char *const *urls)
{
	for (; urls != NULL && *urls != NULL; urls++)
		ae_wr_printf(w, "%s = %s\n", key, *urls);
}

static int
make_conf(struct work *w, struct ae_err *e)
{
	const struct setup_local *s = w->s;
	struct ae_wr t;
	int rc;

	if (exists(w->conf_path))
		return AE_OK;
	w->made |= SETUP_MADE_CONF;
	if (s->dry_run)
		return AE_OK;
	ae_wr_init(&t, 65536);
	ae_wr_printf(&t,
	    "# certsrv.conf(5) describes all keys.  After a change:\n"
	    "# certsrvd -n && systemctl reload certsrvd\n\n"
	    "[ca]\nname = %s\ndns-name = %s\nkey = file:" KEY_PATH
	    "\ncertificate = " CERT_PATH "\nsecurity = " SD_PATH "\n",
	    s->name, s->dns_name);
	put_urls(&t, "cdp", s->cdp);
	put_urls(&t, "aia", s->aia);
	if (s->uid_base != 0)
		ae_wr_printf(&t, "\n[sandbox]\nuid-base = %u\n", s->uid_base);
	rc = ae_wr_ok(&t) ? write_file(w->conf_path, 0755, t.p, t.len, 0644,
				(uid_t)-1, (gid_t)-1, e)
			  : ae_fail_mem(e);
	ae_wr_done(&t);
	return rc;
}

static bool
one_line(const char *s)
{
	return s != NULL && *s != '\0' && strpbrk(s, "\r\n") == NULL;
}

int
setup_local(const struct setup_local *s, unsigned *made, struct ae_err *e)
{
	struct work w = { .s = s };
	int rc;

	*made = 0;
	if (!one_line(s->name) || !one_line(s->dns_name))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "a CA has a name and its host has a DNS name");
	w.key_path = ae_path_root(s->root, KEY_PATH);
	w.cert_path = ae_path_root(s->root, CERT_PATH);
	w.sd_path = ae_path_root(s->root, SD_PATH);
	w.conf_path = ae_path_root(s->root, CONF_PATH);
	if (w.key_path == NULL || w.cert_path == NULL || w.sd_path == NULL ||
	    w.conf_path == NULL)
		rc = ae_fail_mem(e);
	else
		rc = make_key(&w, e);
	if (rc == AE_OK)
		rc = make_database(&w, e);
	if (rc == AE_OK)
		rc = make_certificate(&w, e);
	if (rc == AE_OK)
		rc = make_security(&w, e);
	if (rc == AE_OK)
		rc = make_conf(&w, e);
	if (rc == AE_OK)
		*made = w.made;
	ae_key_free(w.key);
	free(w.key_path);
	free(w.cert_path);
	free(w.sd_path);
	free(w.conf_path);
	free(w.db_path);
	return rc;
}
