/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See servicecert.h.
 */
#include "ca/servicecert.h"

#include <stdio.h>
#include <string.h>

#include "ca/lint.h"
#include "pki/cert.h"
#include "pki/name.h"

#define COMMON_NAME_MAX 64 /* RFC 5280 ub-common-name */

/* Cut so that it stays a common name, and between characters. */
static int
put_subject(
    struct ae_wr *w, const char *ca, const char *suffix, struct ae_err *e)
{
	char name[COMMON_NAME_MAX + 1];
	struct ae_name_part part = { "CN", name };
	size_t n = strlen(ca);

	if (n > COMMON_NAME_MAX - strlen(suffix))
		n = COMMON_NAME_MAX - strlen(suffix);
	while (n > 0 && ((uint8_t)ca[n] & 0xc0) == 0x80)
		n--;
	(void)snprintf(name, sizeof(name), "%.*s%s", (int)n, ca, suffix);
	return ae_name_encode(w, &part, 1, e);
}

int
ae_ca_service_tbs(struct ae_wr *w, uint8_t serial[AE_CA_SERIAL_LEN],
    int64_t *not_after, const struct ae_ca_config *cfg,
    const struct ae_exts *exts, const char *suffix, unsigned days,
    struct ae_der spki, int64_t now, const uint8_t random[AE_CA_RANDOM_LEN],
    struct ae_err *e)
{
	struct ae_tbs t = { .sigalg = cfg->sigalg,
		.issuer = cfg->cert->subject,
		.spki = spki,
		.x = *exts };
	uint8_t ski[AE_KEY_ID_LEN], aki[AE_KEY_ID_LEN];
	struct ae_wr subject;
	int rc;

	ae_wr_init(&subject, 512);
	serial[0] = cfg->serial_instance;
	memcpy(serial + 1, random, AE_CA_RANDOM_LEN);
	t.serial = (struct ae_der){ serial, AE_CA_SERIAL_LEN };
	t.not_before = now - cfg->clock_skew;
	if (t.not_before < cfg->cert->not_before)
		t.not_before = cfg->cert->not_before;
	t.not_after = now + (int64_t)days * 86400;
	if (t.not_after > cfg->cert->not_after)
		t.not_after = cfg->cert->not_after;
	t.x.aki = cfg->cert->x.ski;
	rc = put_subject(&subject, cfg->name, suffix, e);
	if (rc == AE_OK)
		rc = ae_spki_id(ski, spki.p, spki.len, e);
	if (rc == AE_OK && t.x.aki.p == NULL) {
		rc = ae_spki_id(aki, cfg->cert->spki.p, cfg->cert->spki.len, e);
		t.x.aki = (struct ae_der){ aki, sizeof(aki) };
	}
	t.x.ski = (struct ae_der){ ski, sizeof(ski) };
	t.subject = (struct ae_der){ subject.p, subject.len };
	if (rc == AE_OK)
		rc = ae_tbs_encode(w, &t, e);
	if (rc == AE_OK)
		rc = ae_ca_lint(&t, w->p, w->len, &cfg->more_extensions, e);
	if (rc == AE_OK)
		*not_after = t.not_after;
	ae_wr_done(&subject);
	return rc;
}
