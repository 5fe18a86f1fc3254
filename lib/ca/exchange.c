/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See exchange.h.
 */
#include "ca/exchange.h"

#include "ca/servicecert.h"
#include "pki/oid.h"

static bool
put_exts(struct ae_exts *x, const struct ae_ca_config *cfg)
{
	x->template_name = "CAExchange";
	x->has_key_usage = true;
	x->key_usage = AE_KU_KEY_ENCIPHERMENT;
	x->cert_policies = cfg->cert->x.cert_policies;
	x->cdp = cfg->cdp_urls;
	x->aia_issuers = cfg->aia_urls;
	x->aia_ocsp = cfg->ocsp_urls;
	return ae_strv_add(&x->eku, AE_OID_EKU_CA_EXCHANGE) &&
	    ae_strv_add(&x->app_policies, AE_OID_EKU_CA_EXCHANGE) &&
	    ae_strv_add(&x->critical, AE_OID_KEY_USAGE);
}

int
ae_ca_exchange_tbs(struct ae_wr *w, uint8_t serial[AE_CA_SERIAL_LEN],
    int64_t *not_after, const struct ae_ca_config *cfg, const void *spki,
    size_t len, int64_t now, const uint8_t random[AE_CA_RANDOM_LEN],
    struct ae_err *e)
{
	struct ae_exts x = { 0 };
	int rc;

	rc = put_exts(&x, cfg)
	    ? ae_ca_service_tbs(w, serial, not_after, cfg, &x, "-Xchg",
		  AE_CA_EXCHANGE_DAYS, (struct ae_der){ spki, len }, now,
		  random, e)
	    : ae_fail_mem(e);
	ae_strv_done(&x.eku);
	ae_strv_done(&x.app_policies);
	ae_strv_done(&x.critical);
	return rc;
}
