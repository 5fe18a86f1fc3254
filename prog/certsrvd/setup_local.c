/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Key, database, certificate, security descriptor and configuration of a new
 * CA, each made only when it is not there.
 */
#include "setup_local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ad/sd.h"
#include "base/secret.h"
#include "ca/own.h"
#include "cakey.h"
#include "conf.h"
#include "db/db.h"
#include "dbconf.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "pki/request.h"
#include "proto.h"
#include "setup_files.h"
#include "sys/clock.h"
#include "sys/files.h"

#define KEY_PATH STATE_DIR "/private/ca.key"
#define SD_PATH "/etc/certsrv/ca.sd"
#define TEN_YEARS (10LL * 365 * 24 * 3600 + 2 * 24 * 3600)
#define BACKDATE 600

/* Rights of the CA's own descriptor, MS-CSRA 3.1.1.7. */
#define RIGHT_ADMIN 0x00000001u
#define RIGHT_OFFICER 0x00000002u
#define RIGHT_READ 0x00000100u
#define RIGHT_ENROLL 0x00000200u

struct work {
	const struct setup_local *s;
	char *key_path, *cert_path, *req_path, *sd_path, *conf_path, *db_path;
	bool configured;  /* there is a configuration */
	struct conf conf; /* it, or what it will say of keys */
	struct cakeys *keys;
	char *uri;  /* of the key */
	bool there; /* it was made before */
	struct ae_key *key;
	unsigned made;
};

/* ---- the key ---- */

/*
 * How keys are reached: as the configuration says when there is one, else as
 * it is going to say.
 */
static int
key_conf(struct work *w, struct ae_err *e)
{
	const struct setup_local *s = w->s;
	const struct {
		char **to;
		const char *from;
		const char *root; /* it is a path of ours */
	} texts[] = {
		{ &w->conf.key_passphrase_file, s->passphrase_file, s->root },
		{ &w->conf.pkcs11_module, s->pkcs11_module, NULL },
		{ &w->conf.pkcs11_pin_file, s->pkcs11_pin_file, s->root },
		{ &w->conf.tpm, s->tpm, NULL },
		{ &w->conf.db_server, s->db_server, NULL },
		{ &w->conf.db_password_file, s->db_password_file, s->root },
	};
	size_t i;

	if (setup_exists(w->conf_path)) {
		w->configured = true;
		return conf_read(&w->conf, s->root, NULL, e);
	}
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].from != NULL &&
		    (*texts[i].to =
			    ae_path_root(texts[i].root, texts[i].from)) == NULL)
			return ae_fail_mem(e);
	for (i = 0; s->pkcs11_paths != NULL && s->pkcs11_paths[i] != NULL; i++)
		if (!ae_strv_add(&w->conf.pkcs11_paths, s->pkcs11_paths[i]))
			return ae_fail_mem(e);
	w->conf.uid_base = s->uid_base;
	return AE_OK;
}

/* The URI in the configuration, and where its file is. */
static int
key_place(struct work *w, const struct cakey_spec *spec, struct ae_err *e)
{
	const struct ae_strv *keys = &w->conf.keys;

	if (w->configured) {
		w->uri = strdup(keys->v[keys->n - 1]);
		if (w->uri == NULL)
			return ae_fail_mem(e);
		w->there = strncmp(w->uri, "file:", 5) != 0 ||
		    setup_exists(w->uri + 5);
	} else if (spec->home != AE_KEY_IN_TOKEN) {
		if (asprintf(&w->uri, "file:%s", w->key_path) < 0)
			w->uri = NULL;
		w->there = setup_exists(w->key_path);
	} else {
		return AE_OK; /* known when it is made */
	}
	return w->uri == NULL ? ae_fail_mem(e) : AE_OK;
}

static int
store_key(struct work *w, const struct cakey_spec *spec,
    const struct ae_secret *stored, uid_t uid, gid_t gid, struct ae_err *e)
{
	const char *end;
	size_t n;

	if (spec->home != AE_KEY_IN_TOKEN)
		return setup_write(w->key_path, 0711, stored->p, stored->len,
		    0600, uid, gid, e);
	/* One line with the URI; the administrator's own when he gave one. */
	free(w->uri);
	if (spec->existing) {
		w->uri = strdup(spec->uri);
	} else {
		end = memchr(stored->p, '\n', stored->len);
		n = end == NULL ? stored->len
				: (size_t)(end - (const char *)stored->p);
		if ((w->uri = malloc(n + 1)) != NULL) {
			memcpy(w->uri, stored->p, n);
			w->uri[n] = '\0';
		}
	}
	return w->uri == NULL ? ae_fail_mem(e) : AE_OK;
}

static int
generate_key(struct work *w, const struct cakey_spec *spec, struct ae_err *e)
{
	struct ae_secret stored = { NULL, 0 };
	uid_t uid;
	gid_t gid;
	int rc;

	rc = setup_owner(
	    w->conf.uid_base, ROLE_SIGN, SETUP_KEY_USER, &uid, &gid, e);
	if (rc == AE_OK)
		rc = cakeys_become(uid, gid, e);
	if (rc == AE_OK) {
		rc =
		    cakeys_make(&w->key, &stored, w->keys, spec, w->s->name, e);
		cakeys_return();
	}
	if (rc == AE_OK)
		rc = store_key(w, spec, &stored, uid, gid, e);
	ae_secret_done(&stored);
	return rc;
}

static int
make_key(struct work *w, struct ae_err *e)
{
	struct cakey_spec spec;
	int rc = cakey_parse(&spec, w->s->key, w->s->key_type, e);

	if (rc == AE_OK)
		rc = key_conf(w, e);
	if (rc == AE_OK)
		rc = cakeys_new(&w->keys, &w->conf, e);
	if (rc == AE_OK)
		rc = key_place(w, &spec, e);
	if (rc != AE_OK || w->there)
		return rc;
	if (setup_exists(w->cert_path) || setup_exists(w->req_path))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is there but its key %s is not",
		    setup_exists(w->cert_path) ? w->cert_path : w->req_path,
		    w->uri != NULL ? w->uri : "in the token");
	w->made |= SETUP_MADE_KEY;
	return w->s->dry_run ? AE_OK : generate_key(w, &spec, e);
}

/* It is needed for the first certificate or request only. */
static int
need_key(struct work *w, struct ae_err *e)
{
	struct ae_key *key = NULL;
	uid_t uid;
	gid_t gid;
	int rc;

	if (w->key != NULL)
		return AE_OK;
	rc = setup_owner(
	    w->conf.uid_base, ROLE_SIGN, SETUP_KEY_USER, &uid, &gid, e);
	if (rc == AE_OK)
		rc = cakeys_open(&key, w->keys, w->uri, NULL, e);
	if (rc == AE_OK)
		w->key = key;
	return rc;
}

/* ---- the database ---- */

/* Where the configuration has it, if there is one already. */
static int
find_database(struct work *w, struct ae_err *e)
{
	if (w->conf.db_server != NULL && !w->configured) {
		w->conf.uid_base = w->s->uid_base;
		w->conf.database = strdup(w->conf.db_server);
		if (w->conf.database == NULL)
			return ae_fail_mem(e);
	}
	w->db_path = w->conf.database != NULL
	    ? strdup(w->conf.database)
	    : ae_path_root(w->s->root, DATABASE_PATH);
	return w->db_path == NULL ? ae_fail_mem(e) : AE_OK;
}

/*
 * Tables in an empty database of a server, which its administrator has made
 * for the CA: here nobody may.
 */
static int
create_in_server(struct work *w, struct ae_err *e)
{
	struct ae_db_options opt = { .create = true };
	struct ae_db *db = NULL;
	int rc = dbconf_open(&db, &w->conf, &opt, e);

	ae_db_free(db);
	return rc;
}

/* Is there one, whatever its state? */
static int
database_exists(struct work *w, bool *there, struct ae_err *e)
{
	struct ae_db_options opt = { .read_only = true };
	struct ae_db *db = NULL;
	bool local;
	int rc;

	if (!conf_shared(&w->conf)) {
		*there = setup_exists(w->db_path);
		return AE_OK;
	}
	rc = ae_db_server_check(w->db_path, &local, e);
	if (rc == AE_OK)
		rc = dbconf_open(&db, &w->conf, &opt, e);
	ae_db_free(db);
	*there = rc == AE_OK;
	if (rc == AE_ENOTFOUND)
		*e = (struct ae_err)AE_ERR_INIT;
	return rc == AE_ENOTFOUND ? AE_OK : rc;
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

	rc = setup_owner(w->s->uid_base, ROLE_DB, SETUP_DB_USER, &uid, &gid, e);
	if (rc == AE_OK)
		rc = setup_open_dir(w->db_path, 0755, &fd, e);
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
	bool there = false;
	int rc = find_database(w, e);

	if (rc == AE_OK)
		rc = database_exists(w, &there, e);
	if (rc != AE_OK || there)
		return rc;
	if (setup_exists(w->cert_path) && !w->s->new_database)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s is there but the CA's database %s is not: restore it "
		    "from a backup, or begin a new one with --new-database, "
		    "which forgets what was issued and revoked",
		    w->cert_path, w->db_path);
	w->made |= SETUP_MADE_DATABASE;
	if (w->s->dry_run)
		return AE_OK;
	return conf_shared(&w->conf) ? create_in_server(w, e)
				     : create_database(w, e);
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
self_sign(struct work *w, const struct ae_ca_own *own, struct ae_err *e)
{
	const int64_t now = ae_clock_now(), life = w->s->validity;
	struct ae_cert *cert = NULL;
	uint8_t serial[AE_CA_OWN_SERIAL];
	struct ae_wr der;
	int rc;

	ae_random(serial, sizeof(serial));
	ae_wr_init(&der, AE_PKI_CERT_MAX);
	rc = ae_ca_own_root(&der, own, w->key, serial, now - BACKDATE,
	    now + (life != 0 ? life : TEN_YEARS), e);
	if (rc == AE_OK)
		rc = ae_cert_parse(&cert, der.p, der.len, e);
	if (rc == AE_OK)
		rc = setup_write_certs(w->cert_path, &cert, 1, e);
	ae_cert_free(cert);
	ae_wr_done(&der);
	return rc;
}

static int
ask_above(struct work *w, const struct ae_ca_own *own, struct ae_err *e)
{
	struct ae_wr der, pem;
	int rc;

	ae_wr_init(&der, AE_PKI_REQUEST_MAX);
	ae_wr_init(&pem, 2 * AE_PKI_REQUEST_MAX);
	rc = ae_ca_own_request(&der, own, w->key, e);
	if (rc == AE_OK)
		rc = ae_request_put_pem(
		    &pem, (struct ae_der){ der.p, der.len }, e);
	if (rc == AE_OK)
		rc = setup_write(w->req_path, 0755, pem.p, pem.len, 0644,
		    (uid_t)-1, (gid_t)-1, e);
	ae_wr_done(&pem);
	ae_wr_done(&der);
	return rc;
}

/* Its own certificate, or the request for one to an issuer above. */
static int
make_certificate(struct work *w, struct ae_err *e)
{
	const bool sub = w->s->subordinate;
	struct ae_wr name;
	int rc;

	if (setup_exists(w->cert_path) || (sub && setup_exists(w->req_path)))
		return AE_OK;
	w->made |= sub ? SETUP_MADE_REQUEST : SETUP_MADE_CERTIFICATE;
	if (w->s->dry_run)
		return AE_OK;
	ae_wr_init(&name, AE_PKI_NAME_MAX);
	rc = need_key(w, e);
	if (rc == AE_OK)
		rc = subject(&name, w->s, e);
	if (rc == AE_OK) {
		struct ae_ca_own own = { .name = { name.p, name.len },
			.hash = cakey_hash(w->key),
			.path_len = -1 };

		rc = sub ? ask_above(w, &own, e) : self_sign(w, &own, e);
	}
	ae_wr_done(&name);
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

	if (setup_exists(w->sd_path))
		return AE_OK;
	w->made |= SETUP_MADE_SECURITY;
	if (w->s->dry_run)
		return AE_OK;
	ae_wr_init(&sd, AE_SD_BYTES_MAX);
	rc = default_sd(&sd, e);
	if (rc == AE_OK)
		rc = setup_write(w->sd_path, 0755, sd.p, sd.len, 0644,
		    (uid_t)-1, (gid_t)-1, e);
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

/* How the keys are reached, where it is not as usual. */
static void
put_key_section(struct ae_wr *w, const struct setup_local *s)
{
	const struct {
		const char *key, *value;
	} lines[] = {
		{ "passphrase-file", s->passphrase_file },
		{ "pkcs11-module", s->pkcs11_module },
		{ "pkcs11-pin-file", s->pkcs11_pin_file },
		{ "tpm", s->tpm },
	};
	bool any = false;
	size_t i;

	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		any = any || lines[i].value != NULL;
	if (any)
		ae_wr_str(w, "\n[key]\n");
	for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		if (lines[i].value != NULL)
			ae_wr_printf(
			    w, "%s = %s\n", lines[i].key, lines[i].value);
	put_urls(w, "pkcs11-path", s->pkcs11_paths);
}

static int
make_conf(struct work *w, struct ae_err *e)
{
	const struct setup_local *s = w->s;
	struct ae_wr t;
	int rc;

	if (w->configured)
		return AE_OK;
	w->made |= SETUP_MADE_CONF;
	if (s->dry_run)
		return AE_OK;
	ae_wr_init(&t, 65536);
	ae_wr_printf(&t,
	    "# certsrv.conf(5) describes all keys.  After a change:\n"
	    "# certsrvd -n && systemctl reload certsrvd\n\n"
	    "[ca]\nname = %s\ndns-name = %s\nkey = %s"
	    "\ncertificate = " CA_CERT_PATH "\nsecurity = " SD_PATH "\n",
	    s->name, s->dns_name,
	    strncmp(w->uri, "file:", 5) == 0 ? "file:" KEY_PATH : w->uri);
	put_urls(&t, "cdp", s->cdp);
	put_urls(&t, "aia", s->aia);
	put_key_section(&t, s);
	if (s->db_server != NULL)
		ae_wr_printf(&t, "\n[database]\nserver = %s\n", s->db_server);
	if (s->db_password_file != NULL)
		ae_wr_printf(&t, "password-file = %s\n", s->db_password_file);
	if (s->uid_base != 0)
		ae_wr_printf(&t, "\n[sandbox]\nuid-base = %u\n", s->uid_base);
	rc = ae_wr_ok(&t) ? setup_write(w->conf_path, 0755, t.p, t.len, 0644,
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
	if ((s->db_server != NULL && !one_line(s->db_server)) ||
	    (s->db_password_file != NULL && !one_line(s->db_password_file)))
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the database's server is postgresql://…");
	w.key_path = ae_path_root(s->root, KEY_PATH);
	w.cert_path = ae_path_root(s->root, CA_CERT_PATH);
	w.req_path = ae_path_root(s->root, CA_REQUEST_PATH);
	w.sd_path = ae_path_root(s->root, SD_PATH);
	w.conf_path = ae_path_root(s->root, CONF_PATH);
	if (w.key_path == NULL || w.cert_path == NULL || w.sd_path == NULL ||
	    w.req_path == NULL || w.conf_path == NULL)
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
	cakeys_free(w.keys);
	conf_done(&w.conf);
	free(w.uri);
	free(w.req_path);
	free(w.key_path);
	free(w.cert_path);
	free(w.sd_path);
	free(w.conf_path);
	free(w.db_path);
	return rc;
}
