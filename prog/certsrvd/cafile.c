/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading what the CA is.
 */
#include "cafile.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "pki/oid.h"
#include "sys/files.h"

#define PEM_MAX (1024u * 1024u)
#define CHAIN_MAX 16

static int
read_certs(struct ae_cert ***v, size_t *n, size_t max, const char *path,
    struct ae_err *e)
{
	uint8_t *p = NULL;
	size_t len;
	int rc = ae_file_read(&p, &len, path, PEM_MAX, e);

	if (rc == AE_OK)
		rc = ae_certs_read(v, n, max, p, len, e);
	free(p);
	return rc < 0 ? ae_note(e, rc, "%s", path) : rc;
}

static int
read_sd(struct ae_sd **out, const char *path, struct ae_err *e)
{
	uint8_t *p = NULL;
	size_t len;
	int rc = ae_file_read(&p, &len, path, AE_SD_BYTES_MAX, e);

	if (rc == AE_OK)
		rc = ae_sd_parse(out, p, len, e);
	free(p);
	return rc < 0 ? ae_note(e, rc, "%s", path) : rc;
}

int
cafile_rights(struct ae_ca_rights **out, const char *path, struct ae_err *e)
{
	uint8_t *p = NULL;
	size_t len;
	int rc = ae_file_read(&p, &len, path, AE_SD_BYTES_MAX, e);

	if (rc == AE_ENOTFOUND)
		return AE_OK;
	if (rc == AE_OK)
		rc = ae_ca_rights_parse(out, p, len, e);
	free(p);
	return rc < 0 ? ae_note(e, rc, "%s", path) : rc;
}

const struct ae_cert *
cafile_cert(const struct cafile *f)
{
	return f->certs[f->ncerts - 1];
}

int
cafile_read(
    struct cafile *f, const struct conf *c, bool with_sd, struct ae_err *e)
{
	int rc;

	memset(f, 0, sizeof(*f));
	rc = read_certs(
	    &f->certs, &f->ncerts, AE_CA_SIGNING_MAX, c->certificate, e);
	if (rc < 0)
		return rc;
	rc = ae_ca_certs_init(&f->list, f->certs, f->ncerts, e);
	if (rc < 0)
		rc = ae_note(e, rc, "%s", c->certificate);
	if (rc == AE_OK && c->chain != NULL)
		rc = read_certs(&f->chain, &f->nchain, CHAIN_MAX, c->chain, e);
	if (rc == AE_OK && c->cross != NULL)
		rc = read_certs(
		    &f->cross, &f->ncross, 2 * AE_CA_SIGNING_MAX, c->cross, e);
	if (rc == AE_OK && with_sd)
		rc = read_sd(&f->sd, c->security, e);
	if (rc < 0)
		cafile_done(f);
	return rc;
}

void
cafile_done(struct cafile *f)
{
	ae_ca_certs_done(&f->list);
	ae_certs_free(f->certs, f->ncerts);
	ae_certs_free(f->chain, f->nchain);
	ae_certs_free(f->cross, f->ncross);
	ae_sd_free(f->sd);
	memset(f, 0, sizeof(*f));
}

int
cafile_agent_index(const struct conf *c, const struct ae_cert *cert)
{
	char hex[2 * 32 + 1];
	uint8_t hash[32];
	size_t i;

	ae_cert_sha256(hash, cert);
	ae_hex_encode(hex, hash, sizeof(hash));
	for (i = 0; i < c->recovery_agents.n; i++)
		if (strcasecmp(c->recovery_agents.v[i], hex) == 0)
			return (int)i;
	return -1;
}

bool
cafile_is_agent(const struct conf *c, const struct ae_cert *cert, int64_t now)
{
	return cafile_agent_index(c, cert) >= 0 && now >= cert->not_before &&
	    now <= cert->not_after &&
	    ae_cert_allows(cert, AE_OID_EKU_KEY_RECOVERY);
}
