/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * An NSS database, through certutil and pk12util of libnss3-tools: the
 * database format is theirs.  The key travels in a PKCS#12 file under a
 * random password, below our run directory, for the moment of the import.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/str.h"
#include "deploy/place.h"
#include "sys/clock.h"
#include "sys/exec.h"
#include "sys/files.h"
#include "sys/safe.h"

#define NSS_MS 60000
#define OUTPUT_MAX (64u * 1024u)
#define CERTUTIL "/usr/bin/certutil"
#define PK12UTIL "/usr/bin/pk12util"

struct nss {
	const struct ae_place *p;
	const char *name;    /* the nickname */
	char db[4096];	     /* "sql:/path" */
	char password[4096]; /* a file; of an empty password by default */
	char dir[4096];	     /* ours, 0700, gone afterwards */
};

static int
tool(const char *path, const char *const *argv, struct ae_wr *out, int *status,
    struct ae_err *e)
{
	struct ae_exec x = { .path = path,
		.argv = argv,
		.timeout_ms = NSS_MS,
		.output = out,
		.drop_stderr = true };
	int rc = ae_exec_run(&x, status, e);

	return rc == AE_ENOTFOUND
	    ? ae_fail(e, rc, AE_DOM_NONE, 0,
		  "%s is not here; install libnss3-tools (nss-tools)", path)
	    : rc;
}

/* Runs it and wants exit 0. */
static int
must(const char *path, const char *const *argv, struct ae_err *e)
{
	char shown[300];
	struct ae_wr out;
	int rc, status = 0;
	struct ae_exec x = { .path = path,
		.argv = argv,
		.timeout_ms = NSS_MS,
		.output = &out,
		.with_stderr = true };

	ae_wr_init(&out, 4096);
	rc = ae_exec_run(&x, &status, e);
	if (rc == AE_OK && status != 0)
		rc = ae_fail(e, AE_EIO, AE_DOM_NONE, status, "%s: exit %d: %s",
		    path, status,
		    ae_str_quote(shown, sizeof(shown),
			out.p == NULL ? "" : (char *)out.p, out.len));
	ae_wr_done(&out);
	return rc;
}

/* The certificate of that nickname is ours, and its key is there. */
static int
stands(const struct nss *n, bool *same, struct ae_err *e)
{
	const char *list[] = { "certutil", "-L", "-d", n->db, "-n", n->name,
		"-a", NULL };
	const char *keys[] = { "certutil", "-K", "-d", n->db, "-n", n->name,
		"-f", n->password, NULL };
	struct ae_cert **certs = NULL;
	int rc, status = 0;
	struct ae_wr out;
	size_t count = 0;

	*same = false;
	ae_wr_init(&out, OUTPUT_MAX);
	rc = tool(CERTUTIL, list, &out, &status, e);
	if (rc == AE_OK && status == 0 && out.len > 0 &&
	    ae_certs_read(&certs, &count, 8, out.p, out.len, NULL) == AE_OK)
		*same = count == 1 &&
		    ae_der_equal(certs[0]->der, n->p->m->cert->der);
	ae_certs_free(certs, count);
	ae_wr_done(&out);
	if (rc == AE_OK && *same) {
		rc = tool(CERTUTIL, keys, NULL, &status, e);
		*same = rc == AE_OK && status == 0;
	}
	return rc;
}

/* -F takes the key too; exit codes are not looked at: it may not be there. */
static int
forget(const struct nss *n, struct ae_err *e)
{
	const char *argv[] = { "certutil", "-F", "-d", n->db, "-n", n->name,
		"-f", n->password, NULL };
	const char *cert[] = { "certutil", "-D", "-d", n->db, "-n", n->name,
		"-f", n->password, NULL };
	int status = 0, rc;

	rc = tool(CERTUTIL, argv, NULL, &status, e);
	if (rc == AE_OK && status != 0)
		rc = tool(CERTUTIL, cert, NULL, &status, e);
	return rc;
}

/* The old pair goes only when the new one is ready to be taken. */
static int
replace(const struct nss *n, struct ae_err *e)
{
	char word[33], file[4200], pass[4200];
	const char *argv[] = { "pk12util", "-i", file, "-d", n->db, "-k",
		n->password, "-w", pass, NULL };
	const char *list[] = { "pk12util", "-l", file, "-d", n->db, "-k",
		n->password, "-w", pass, NULL };
	struct ae_secret p12 = { 0 };
	uint8_t random[16];
	int rc;

	ae_random(random, sizeof(random));
	ae_hex_encode(word, random, sizeof(random));
	(void)snprintf(file, sizeof(file), "%s/key.p12", n->dir);
	(void)snprintf(pass, sizeof(pass), "%s/password", n->dir);
	rc = ae_place_pkcs12(&p12, n->p->m, n->name, word, e);
	if (rc == AE_OK)
		rc = ae_file_write(pass, word, strlen(word), 0600, e);
	if (rc == AE_OK)
		rc = ae_file_write(file, p12.p, p12.len, 0600, e);
	if (rc == AE_OK)
		rc = must(PK12UTIL, list, e);
	if (rc == AE_OK)
		rc = forget(n, e);
	if (rc == AE_OK)
		rc = must(PK12UTIL, argv, e);
	(void)unlink(file);
	(void)unlink(pass);
	ae_secret_done(&p12);
	explicit_bzero(word, sizeof(word));
	return rc;
}

static int
make_database(const struct nss *n, struct ae_err *e)
{
	const char *argv[] = { "certutil", "-N", "-d", n->db, "-f", n->password,
		NULL };
	char file[4200];

	(void)snprintf(file, sizeof(file), "%s/cert9.db", n->p->path);
	return access(file, F_OK) == 0 ? AE_OK : must(CERTUTIL, argv, e);
}

/* A directory of our own for what must not be seen. */
static int
open_scratch(struct nss *n, struct ae_err *e)
{
	const struct ae_deploy *d = n->p->d;
	int rc;

	rc = ae_file_mkdirs(d->run_dir, 0755, e);
	if (rc != AE_OK)
		return rc;
	(void)snprintf(n->dir, sizeof(n->dir), "%s/nss-XXXXXX", d->run_dir);
	if (mkdtemp(n->dir) == NULL) {
		rc = ae_fail_errno(e, errno, "make %s", n->dir);
		n->dir[0] = '\0';
		return rc;
	}
	if ((size_t)snprintf(n->password, sizeof(n->password), "%s/db",
		n->dir) >= sizeof(n->password))
		return ae_fail(
		    e, AE_ELIMIT, AE_DOM_NONE, 0, "the path is too long");
	return AE_OK;
}

static void
close_scratch(const struct nss *n)
{
	if (n->dir[0] == '\0')
		return;
	(void)unlink(n->password);
	(void)rmdir(n->dir);
}

/* The database's password, or the empty one, in a file of our own. */
static int
put_password(const struct nss *n, struct ae_err *e)
{
	const char *configured = n->p->s->nss_password_file;
	struct ae_secret s = { 0 };
	int rc = AE_OK;

	if (configured != NULL)
		rc = ae_place_password(&s, n->p->d, configured, e);
	else if (ae_secret_set(&s, "", 1) != 0)
		rc = ae_fail_mem(e);
	if (rc == AE_OK) {
		s.p[s.len - 1] = '\n';
		rc = ae_file_write(n->password, s.p, s.len, 0600, e);
	}
	ae_secret_done(&s);
	return rc;
}

int
ae_place_nss(
    const struct ae_place *p, bool write, bool *changed, struct ae_err *e)
{
	struct nss n = { .p = p,
		.name = p->s->nss_name != NULL ? p->s->nss_name : p->m->tmpl };
	bool same = false;
	int rc, fd;

	rc = ae_safe_dir(&fd, p->path, e);
	if (rc != AE_OK)
		return rc;
	(void)close(fd);
	(void)snprintf(n.db, sizeof(n.db), "sql:%.4000s", p->path);
	rc = open_scratch(&n, e);
	if (rc == AE_OK)
		rc = put_password(&n, e);
	if (rc == AE_OK)
		rc = stands(&n, &same, e);
	*changed = !same;
	if (rc == AE_OK && *changed && write) {
		rc = make_database(&n, e);
		if (rc == AE_OK)
			rc = replace(&n, e);
	}
	close_scratch(&n);
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "NSS database %s", p->path);
}
