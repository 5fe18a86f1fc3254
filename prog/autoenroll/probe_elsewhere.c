/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of the store, continued: can the directory's certificates be kept, and
 * are there certificates in places that auto-enrollment does not look after?
 *
 *   "store": { …, "trust": { "path", "state": "writable" | "absent" |
 *           "no-directory" | "read-only" | "denied", "roots",
 *           "intermediates", "ntauth": number of certificates },
 *       "elsewhere": [ { "path", "template", "template_oid" } ] }: valid ones
 *           with a template, of root's own store (the machine's run), of other
 *           clients, and by hand
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "certs.h"
#include "diag/facts.h"
#include "pki/cert.h"
#include "probe_pki.h"
#include "store/store.h"
#include "sys/clock.h"
#include "sys/files.h"

#define FILES_MAX 64u
#define CHAIN_MAX 16u

/* ---- the directory's certificates ---- */

static json_int_t
how_many(const char *dir, const char *name)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----";
	const char *at;
	uint8_t *text = NULL;
	char path[4096 + 64];
	json_int_t n = 0;
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/%s.pem", dir, name);
	if (ae_file_read(&text, &len, path, AE_STORE_FILE_MAX, NULL) != AE_OK)
		return 0;
	/* ae_file_read left room for a NUL, and put it there. */
	for (at = (const char *)text; (at = strstr(at, begin)) != NULL;
	     at += sizeof(begin) - 1)
		n++;
	free(text);
	return n;
}

static const char *
state_of(const char *path)
{
	struct statvfs fs;
	struct stat st;

	if (stat(path, &st) != 0)
		return errno == ENOENT ? "absent" : "denied";
	if (!S_ISDIR(st.st_mode))
		return "no-directory";
	if (statvfs(path, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0)
		return "read-only";
	return access(path, W_OK | X_OK) == 0 ? "writable" : "denied";
}

json_t *
probe_trust_store(const struct client *c)
{
	static const char *const names[] = { "roots", "intermediates",
		"ntauth" };
	char path[4096];
	json_t *j;
	size_t i;

	(void)snprintf(path, sizeof(path), "%s/trust", c->state_dir);
	j = json_pack("{s:s}", "state", state_of(path));
	(void)json_object_set_new(j, "path", client_text(path));
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)json_object_set_new(
		    j, names[i], json_integer(how_many(path, names[i])));
	return j;
}

/* ---- certificates of others ---- */

static void
note(json_t *list, const char *path, const struct ae_cert *c)
{
	int64_t now = ae_clock_now();
	json_t *j;

	if ((c->x.template_name == NULL && c->x.template_oid == NULL) ||
	    now < c->not_before || now > c->not_after ||
	    json_array_size(list) == FILES_MAX)
		return;
	j = json_object();
	(void)json_object_set_new(j, "path", client_text(path));
	if (c->x.template_name != NULL)
		(void)json_object_set_new(
		    j, "template", client_text(c->x.template_name));
	if (c->x.template_oid != NULL)
		(void)json_object_set_new(
		    j, "template_oid", client_text(c->x.template_oid));
	(void)json_array_append_new(list, j);
}

static void
look_at(json_t *list, const char *path)
{
	struct ae_cert **v = NULL;
	uint8_t *text = NULL;
	size_t len, n = 0;

	if (ae_file_read(&text, &len, path, AE_STORE_FILE_MAX, NULL) != AE_OK)
		return;
	if (ae_certs_read(&v, &n, CHAIN_MAX, text, len, NULL) == AE_OK && n > 0)
		note(list, path, v[0]);
	ae_certs_free(v, n);
	free(text);
}

static void
look_in(json_t *list, const char *dir, const char *tail)
{
	char path[4096 + 1024];
	struct dirent *d;
	DIR *all = opendir(dir);
	size_t n = 0;

	while (all != NULL && (d = readdir(all)) != NULL && n++ < FILES_MAX) {
		(void)snprintf(
		    path, sizeof(path), "%s/%s%s", dir, d->d_name, tail);
		if (d->d_name[0] != '.')
			look_at(list, path);
	}
	if (all != NULL)
		(void)closedir(all);
}

json_t *
probe_elsewhere(const struct client *c)
{
	/* What Samba's extension and adsys had certmonger get, and where people
	 * keep what they got by hand. */
	static const char *const others[] = { "/var/lib/samba/certs",
		"/var/lib/adsys/certs", "/etc/ssl/private",
		"/etc/pki/tls/certs" };
	json_t *list = json_array();
	struct ae_err ignored = AE_ERR_INIT;
	struct client own;
	char dir[4096];
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		look_in(list, others[i], "");
	if (!c->user && geteuid() == 0 &&
	    client_init(&own, c->root, true, &ignored) == AE_OK) {
		(void)snprintf(dir, sizeof(dir), "%s/my", own.state_dir);
		look_in(list, dir, "/current/cert.pem");
		client_done(&own);
	}
	return list;
}
