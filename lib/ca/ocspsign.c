/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See ocspsign.h.
 */
#include "ca/ocspsign.h"

#include <stdio.h>
#include <string.h>

#include "ca/lint.h"
#include "ca/signcheck.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "pki/ocsp.h"
#include "pki/oid.h"
#include "pki/tbs.h"

static bool
put_exts(struct ae_exts *x, const struct ae_ca_config *cfg)
{
	x->has_key_usage = true;
	x->key_usage = AE_KU_DIGITAL_SIGNATURE;
	x->aki = cfg->cert->x.ski;
	x->ocsp_nocheck = true; /* it is gone before a CRL would tell */
	x->aia_issuers = cfg->aia_urls;
	return ae_strv_add(&x->eku, AE_OID_EKU_OCSP_SIGNING) &&
	    ae_strv_add(&x->critical, AE_OID_KEY_USAGE);
}

/* "<CA>-OCSP", cut so that it stays a common name. */
static int
put_subject(struct ae_wr *w, const char *ca, struct ae_err *e)
{
	char name[65];
	struct ae_name_part part = { "CN", name };

	(void)snprintf(name, sizeof(name), "%.59s-OCSP", ca);
	return ae_name_encode(w, &part, 1, e);
}

int
ae_ca_ocsp_tbs(struct ae_wr *w, uint8_t serial[AE_CA_SERIAL_LEN],
    int64_t *not_after, const struct ae_ca_config *cfg, const void *spki,
    size_t len, int64_t now, const uint8_t random[AE_CA_RANDOM_LEN],
    struct ae_err *e)
{
	struct ae_tbs t = { .sigalg = cfg->sigalg,
		.issuer = cfg->cert->subject,
		.spki = { spki, len } };
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
	t.not_after = now + AE_CA_OCSP_DAYS * 86400;
	if (t.not_after > cfg->cert->not_after)
		t.not_after = cfg->cert->not_after;
	rc = put_exts(&t.x, cfg) ? put_subject(&subject, cfg->name, e)
				 : ae_fail_mem(e);
	if (rc == AE_OK)
		rc = ae_spki_id(ski, spki, len, e);
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
	ae_strv_done(&t.x.eku);
	ae_strv_done(&t.x.critical);
	ae_wr_done(&subject);
	return rc;
}

static int
refuse(struct ae_err *e, const char *what)
{
	return ae_fail(e, AE_EDENIED, AE_DOM_NONE, 0,
	    "OCSP response not signed: %s", what);
}

int
ae_ca_sign_check_ocsp(const void *data, size_t len,
    const uint8_t keyid[AE_KEY_ID_LEN], int64_t max_validity, int64_t now,
    struct ae_err *e)
{
	const int64_t slack = AE_CA_SIGN_CLOCK_SLACK;
	struct ae_ocsp_data d;
	int rc = ae_ocsp_data_parse(&d, data, len, e);

	if (rc < 0)
		return rc;
	if (memcmp(d.responder, keyid, AE_KEY_ID_LEN) != 0)
		return refuse(e, "it speaks for another key");
	if (d.produced > now + slack || d.produced < now - slack)
		return refuse(e, "it was not made now");
	if (d.this_last > now + slack || d.this_first < now - 2 * slack)
		return refuse(e, "it is not of this time");
	if (d.next_first <= now || d.next_last > now + max_validity + slack)
		return refuse(e, "it ends too late, or has ended");
	return AE_OK;
}
