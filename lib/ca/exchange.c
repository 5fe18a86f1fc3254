/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See exchange.h.
 */
#include "ca/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ca/lint.h"
#include "pki/cert.h"
#include "pki/name.h"
#include "pki/oid.h"
#include "pki/tbs.h"

static bool
put_exts(struct ae_exts *x, const struct ae_ca_config *cfg)
{
	x->template_name = "CAExchange";
	x->has_key_usage = true;
	x->key_usage = AE_KU_KEY_ENCIPHERMENT;
	x->aki = cfg->cert->x.ski;
	x->cert_policies = cfg->cert->x.cert_policies;
	x->cdp = cfg->cdp_urls;
	x->aia_issuers = cfg->aia_urls;
	x->aia_ocsp = cfg->ocsp_urls;
	return ae_strv_add(&x->eku, AE_OID_EKU_CA_EXCHANGE) &&
	    ae_strv_add(&x->app_policies, AE_OID_EKU_CA_EXCHANGE) &&
	    ae_strv_add(&x->critical, AE_OID_KEY_USAGE);
}

/* "<CA>-Xchg", cut so that it stays a common name. */
static int
put_subject(struct ae_wr *w, const char *ca, struct ae_err *e)
{
	char name[65];
	struct ae_name_part part = { "CN", name };

	(void)snprintf(name, sizeof(name), "%.59s-Xchg", ca);
	return ae_name_encode(w, &part, 1, e);
}

int
ae_ca_exchange_tbs(struct ae_wr *w, uint8_t serial[AE_CA_SERIAL_LEN],
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
	t.not_after = now + AE_CA_EXCHANGE_DAYS * 86400;
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
	ae_strv_done(&t.x.app_policies);
	ae_strv_done(&t.x.critical);
	ae_wr_done(&subject);
	return rc;
}
