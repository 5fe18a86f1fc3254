/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * See ocspsign.h.
 */
#include "ca/ocspsign.h"

#include <string.h>

#include "ca/servicecert.h"
#include "ca/signcheck.h"
#include "pki/ocsp.h"
#include "pki/oid.h"

static bool
put_exts(struct ae_exts *x, const struct ae_ca_config *cfg)
{
	x->has_key_usage = true;
	x->key_usage = AE_KU_DIGITAL_SIGNATURE;
	x->ocsp_nocheck = true; /* it is gone before a CRL would tell */
	x->aia_issuers = cfg->aia_urls;
	return ae_strv_add(&x->eku, AE_OID_EKU_OCSP_SIGNING) &&
	    ae_strv_add(&x->critical, AE_OID_KEY_USAGE);
}

int
ae_ca_ocsp_tbs(struct ae_wr *w, uint8_t serial[AE_CA_SERIAL_LEN],
    int64_t *not_after, const struct ae_ca_config *cfg, const void *spki,
    size_t len, int64_t now, const uint8_t random[AE_CA_RANDOM_LEN],
    struct ae_err *e)
{
	struct ae_exts x = { 0 };
	int rc;

	rc = put_exts(&x, cfg)
	    ? ae_ca_service_tbs(w, serial, not_after, cfg, &x, "-OCSP",
		  AE_CA_OCSP_DAYS, (struct ae_der){ spki, len }, now, random, e)
	    : ae_fail_mem(e);
	ae_strv_done(&x.eku);
	ae_strv_done(&x.critical);
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
