/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading and asking what attest.h describes.
 */
#include <stdlib.h>
#include <string.h>

#include "base/breaks.h"
#include "base/hex.h"
#include "ca/attest.h"
#include "pki/verify.h"

const struct ae_ca_trust_file ae_ca_trust_files[AE_CA_TRUST_FILES] = {
	[AE_CA_TRUST_ROOTS] = { "roots.pem", AE_CA_EK_PEM_MAX },
	[AE_CA_TRUST_OTHERS] = { "intermediates.pem", AE_CA_EK_PEM_MAX },
	[AE_CA_TRUST_KEYS] = { "keys", AE_CA_EK_KEYS_MAX },
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

int
ae_ca_trust_line(uint8_t hash[AE_CA_EK_HASH], const char *line, size_t len)
{
	char hex[2 * AE_CA_EK_HASH + 1];

	while (len > 0 && is_blank(*line)) {
		line++;
		len--;
	}
	if (len == 0 || *line == '#')
		return 0;
	if (len < sizeof(hex) - 1 ||
	    (len > sizeof(hex) - 1 && !is_blank(line[sizeof(hex) - 1])))
		return AE_EPROTO;
	memcpy(hex, line, sizeof(hex) - 1);
	hex[sizeof(hex) - 1] = '\0';
	return ae_hex_decode(hash, AE_CA_EK_HASH, hex) ? 1 : AE_EPROTO;
}

static int
compare(const void *a, const void *b)
{
	return memcmp(a, b, AE_CA_EK_HASH);
}

static int
take_keys(struct ae_ca_trust *t, struct ae_ca_trust_text text, struct ae_err *e)
{
	const char *p = (const char *)text.p, *end = p + text.len, *nl;
	size_t line = 1, room = 0;
	void *more;
	int rc;

	for (; p != NULL && p < end; p = nl + 1, line++) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (nl == NULL)
			nl = end;
		if (t->nkeys == room) {
			room = room == 0 ? 64 : 2 * room;
			more = room > AE_CA_EK_KEYS
			    ? NULL
			    : realloc(t->keys, room * sizeof(*t->keys));
			if (more == NULL && room > AE_CA_EK_KEYS)
				return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
				    "keys: more than %d", AE_CA_EK_KEYS);
			if (more == NULL)
				return ae_fail_mem(e);
			t->keys = more;
		}
		rc = ae_ca_trust_line(t->keys[t->nkeys], p, (size_t)(nl - p));
		if (rc < 0)
			return ae_fail(e, AE_EPROTO, AE_DOM_NONE, 0,
			    "keys: line %zu is no SHA-256 in hex", line);
		t->nkeys += (size_t)rc;
		if (nl == end)
			break;
	}
	if (t->nkeys > 1)
		qsort(t->keys, t->nkeys, sizeof(*t->keys), compare);
	return AE_OK;
}

static int
take_certs(struct ae_cert ***v, size_t *n, struct ae_ca_trust_text text,
    const char *file, struct ae_err *e)
{
	int rc;

	if (text.p == NULL || text.len == 0)
		return AE_OK;
	rc = ae_certs_read(v, n, AE_CA_EK_CERTS, text.p, text.len, e);
	return rc == AE_OK ? rc : ae_note(e, rc, "%s", file);
}

int
ae_ca_trust_parse(struct ae_ca_trust **out, struct ae_ca_trust_text roots,
    struct ae_ca_trust_text others, struct ae_ca_trust_text keys,
    struct ae_err *e)
{
	struct ae_ca_trust *t = calloc(1, sizeof(*t));
	int rc;

	if (t == NULL)
		return ae_fail_mem(e);
	rc = take_certs(&t->roots, &t->nroots, roots, "roots", e);
	if (rc == AE_OK)
		rc = take_certs(
		    &t->others, &t->nothers, others, "intermediates", e);
	if (rc == AE_OK)
		rc = take_keys(t, keys, e);
	if (rc == AE_OK)
		*out = t;
	else
		ae_ca_trust_free(t);
	return rc;
}

void
ae_ca_trust_free(struct ae_ca_trust *t)
{
	if (t == NULL)
		return;
	ae_certs_free(t->roots, t->nroots);
	ae_certs_free(t->others, t->nothers);
	free(t->keys);
	free(t);
}

bool
ae_ca_trust_has_key(const struct ae_ca_trust *t, const struct ae_ek_info *ek)
{
	return t->nkeys > 0 &&
	    (bsearch(ek->hash, t->keys, t->nkeys, sizeof(*t->keys), compare) !=
		    NULL ||
		bsearch(ek->spki_hash, t->keys, t->nkeys, sizeof(*t->keys),
		    compare) != NULL);
}

int
ae_ca_trust_cert(const struct ae_ca_trust *t, const struct ae_ek_info *ek,
    int64_t now, struct ae_err *e)
{
	const struct ae_verify v = {
		.anchors = (const struct ae_cert *const *)t->roots,
		.nanchors = t->nroots,
		.others = (const struct ae_cert *const *)t->others,
		.nothers = t->nothers,
		.at = now,
	};
	size_t i;
	int rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
	    "no certificate of the endorsement key came along");

	for (i = 0; i < ek->ncerts; i++) {
		if (!ae_cert_has_key(ek->certs[i], ek->ek) &&
		    !AE_BREAK(attest_ek_cert_key)) {
			rc = ae_fail(e, AE_ETRUST, AE_DOM_NONE, 0,
			    "the certificate is of another endorsement key");
			continue;
		}
		rc = ae_verify_chain(ek->certs[i], &v, e);
		if (rc != AE_ETRUST)
			return rc;
	}
	if (rc == AE_ETRUST && AE_BREAK(attest_ek_chain))
		return AE_OK;
	return rc;
}
