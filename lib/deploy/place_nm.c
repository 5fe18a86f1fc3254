/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A NetworkManager connection for 802.1X with EAP-TLS: made where there is
 * none, and otherwise only the keys that name the certificate are set.  The
 * paths are those of the store's "current", so that a renewal does not
 * change the file: the next authentication reads the new certificate.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "deploy/keyfile.h"
#include "deploy/place.h"
#include "sys/exec.h"
#include "sys/files.h"
#include "sys/safe.h"

#define NMCLI_MS 30000
#define SUFFIX ".nmconnection"

struct nm {
	char id[256], uuid[40], identity[512];
	char ca[4096], cert[4096], key[4096];
};

/* The same file always has the same: RFC 4122 version 5 in form. */
static void
name_uuid(char out[40], const char *path)
{
	uint8_t h[AE_HASH_MAX] = { 0 };

	(void)ae_hash_bytes(h, AE_HASH_SHA1, path, strlen(path));
	h[6] = (uint8_t)((h[6] & 0x0f) | 0x50);
	h[8] = (uint8_t)((h[8] & 0x3f) | 0x80);
	(void)snprintf(out, 40,
	    "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
	    "%02x%02x%02x%02x%02x%02x",
	    h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7], h[8], h[9], h[10],
	    h[11], h[12], h[13], h[14], h[15]);
}

/* Who we say we are: as Windows does, host/NAME or the UPN. */
static int
find_identity(struct nm *nm, const struct ae_place *p, struct ae_err *e)
{
	const char *dns = ae_material_dns(p->m), *upn = ae_material_upn(p->m);

	if (p->s->nm_identity != NULL)
		(void)snprintf(nm->identity, sizeof(nm->identity), "%s",
		    p->s->nm_identity);
	else if (upn != NULL && (p->d->user || dns == NULL))
		(void)snprintf(nm->identity, sizeof(nm->identity), "%s", upn);
	else if (dns != NULL)
		(void)snprintf(
		    nm->identity, sizeof(nm->identity), "host/%s", dns);
	else
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "the certificate has neither DNS name nor UPN; set "
		    "nm-identity");
	return AE_OK;
}

static int
fill(struct nm *nm, const struct ae_place *p, struct ae_err *e)
{
	const char *base = strrchr(p->path, '/') + 1, *dot;

	if (p->m->place == AE_KEY_TPM)
		return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
		    "wpa_supplicant cannot use a key in the TPM; use a "
		    "PKCS#11 or software key for 802.1X");
	if (p->m->place == AE_KEY_NOWHERE)
		return ae_material_key_copies(p->m, e);
	dot = strstr(base, SUFFIX);
	(void)snprintf(nm->id, sizeof(nm->id), "%.*s",
	    dot == NULL ? 200 : (int)(dot - base), base);
	name_uuid(nm->uuid, p->path);
	(void)snprintf(
	    nm->ca, sizeof(nm->ca), "%s/trust/roots.pem", p->d->state_dir);
	(void)snprintf(nm->cert, sizeof(nm->cert),
	    "%s/my/%s/current/fullchain.pem", p->d->state_dir, p->m->tmpl);
	if (p->m->place == AE_KEY_TOKEN)
		(void)snprintf(nm->key, sizeof(nm->key), "%s", p->m->key_uri);
	else
		(void)snprintf(nm->key, sizeof(nm->key),
		    "%s/my/%s/current/key.pem", p->d->state_dir, p->m->tmpl);
	return find_identity(nm, p, e);
}

static int
update(struct ae_wr *out, const struct ae_place *p, const uint8_t *text,
    size_t len, struct ae_err *e)
{
	bool wifi = p->s->nm_type == 1;
	struct nm nm = { 0 };
	int rc = fill(&nm, p, e);
	/* clang-format off */
	const struct ae_keyfile_row rows[] = {
		{ "connection", "id", nm.id, .keep = true },
		{ "connection", "uuid", nm.uuid, .keep = true },
		{ "connection", "type", wifi ? "wifi" : "ethernet", .keep = true },
		{ "wifi", "mode", wifi ? "infrastructure" : NULL, .keep = true },
		{ "wifi", "ssid", wifi ? p->s->nm_ssid : NULL, .keep = !wifi },
		{ "wifi-security", "key-mgmt", wifi ? "wpa-eap" : NULL, .keep = true },
		{ "802-1x", "eap", "tls;" },
		{ "802-1x", "identity", nm.identity },
		{ "802-1x", "ca-cert", nm.ca },
		{ "802-1x", "domain-suffix-match", p->s->nm_server, .keep = p->s->nm_server == NULL },
		{ "802-1x", "client-cert", nm.cert },
		{ "802-1x", "private-key", nm.key },
		{ "802-1x", "private-key-password-flags", "4" },
		{ "ipv4", "method", "auto", .keep = true },
		{ "ipv6", "method", "auto", .keep = true },
	};
	/* clang-format on */

	if (rc != AE_OK)
		return rc;
	return ae_keyfile_update(out, (const char *)text, len, rows,
	    sizeof(rows) / sizeof(rows[0]), e);
}

/* NetworkManager reads files at its start; later it wants to be told. */
static int
tell(const struct ae_place *p, struct ae_err *e)
{
	char *nmcli = ae_path_root(p->d->root, "/usr/bin/nmcli");
	char *running = ae_path_root(p->d->root, "/run/NetworkManager");
	const char *argv[] = { "nmcli", "connection", "load", p->path, NULL };
	struct ae_exec x = {
		.path = nmcli, .argv = argv, .timeout_ms = NMCLI_MS
	};
	int rc = AE_OK, status = 0;

	if (nmcli == NULL || running == NULL)
		rc = ae_fail_mem(e);
	else if (access(nmcli, X_OK) == 0 && access(running, F_OK) == 0) {
		rc = ae_exec_run(&x, &status, e);
		if (rc == AE_OK && status != 0)
			rc = ae_fail(e, AE_EIO, AE_DOM_NONE, status,
			    "nmcli connection load %s: exit %d", p->path,
			    status);
	}
	free(nmcli);
	free(running);
	return rc;
}

int
ae_place_nm(
    const struct ae_place *p, bool write, bool *changed, struct ae_err *e)
{
	uint8_t *text = NULL;
	size_t len = 0;
	const char *name;
	struct ae_wr w;
	int rc, fd;

	/* Nothing is read from where others could have put it. */
	rc = ae_safe_parent(&fd, &name, p->path, e);
	if (rc != AE_OK)
		return rc;
	(void)close(fd);
	rc = ae_file_read(&text, &len, p->path, AE_KEYFILE_MAX, e);
	if (rc != AE_OK && rc != AE_ENOTFOUND)
		return rc;
	ae_wr_init(&w, AE_KEYFILE_MAX * 2);
	rc = update(&w, p, text, len, e);
	if (rc == AE_OK)
		rc = ae_place_file(p, w.p, w.len, write, changed, e);
	if (rc == AE_OK && write && *changed)
		rc = tell(p, e);
	/* Wi-Fi passwords may be in it. */
	if (text != NULL)
		explicit_bzero(text, len);
	free(text);
	ae_wr_wipe(&w);
	return rc == AE_OK ? AE_OK : ae_note(e, rc, "%s", p->path);
}
