/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The certificate of a token's key, in the token: where those who log in
 * with a card look for it.  The new one is there before the old one goes.
 */
#include <string.h>

#include "pki/der.h"
#include "pki/p11_int.h"

#define OLD_MAX 16

/* Certificates with this id; at most OLD_MAX. */
static CK_RV
list(struct ae_p11 *p, const uint8_t id[AE_KEY_ID_LEN],
    ck_object_handle_t out[OLD_MAX], unsigned long *n)
{
	ck_object_class_t class = CKO_CERTIFICATE;
	uint8_t copy[AE_KEY_ID_LEN];
	struct ck_attribute t[] = {
		AE_P11_ATTR(CKA_CLASS, &class, sizeof(class)),
		AE_P11_ATTR(CKA_ID, copy, sizeof(copy)),
	};
	CK_RV rv;

	memcpy(copy, id, sizeof(copy));
	rv = p->f->C_FindObjectsInit(p->session, t, 2);
	if (rv != CKR_OK)
		return rv;
	rv = p->f->C_FindObjects(p->session, out, OLD_MAX, n);
	(void)p->f->C_FindObjectsFinal(p->session);
	return rv;
}

static CK_RV
create(struct ae_p11 *p, const uint8_t id[AE_KEY_ID_LEN],
    const struct ae_cert *cert, struct ae_der serial, const char *label)
{
	ck_object_class_t class = CKO_CERTIFICATE;
	unsigned long kind = CKC_X_509;
	unsigned char yes = 1, no = 0;
	struct ck_attribute t[] = {
		AE_P11_ATTR(CKA_CLASS, &class, sizeof(class)),
		AE_P11_ATTR(CKA_CERTIFICATE_TYPE, &kind, sizeof(kind)),
		AE_P11_ATTR(CKA_TOKEN, &yes, 1),
		AE_P11_ATTR(CKA_PRIVATE, &no, 1),
		AE_P11_ATTR(CKA_ID, id, AE_KEY_ID_LEN),
		AE_P11_ATTR(CKA_LABEL, label, strlen(label)),
		AE_P11_ATTR(CKA_SUBJECT, cert->subject.p, cert->subject.len),
		AE_P11_ATTR(CKA_ISSUER, cert->issuer.p, cert->issuer.len),
		AE_P11_ATTR(CKA_SERIAL_NUMBER, serial.p, serial.len),
		AE_P11_ATTR(CKA_VALUE, cert->der.p, cert->der.len),
	};
	ck_object_handle_t o;

	return p->f->C_CreateObject(
	    p->session, t, sizeof(t) / sizeof(t[0]), &o);
}

static CK_RV
replace(struct ae_p11 *p, const uint8_t id[AE_KEY_ID_LEN],
    const struct ae_cert *cert, struct ae_der serial, const char *label)
{
	ck_object_handle_t old[OLD_MAX];
	unsigned long n = 0, i;
	CK_RV rv = list(p, id, old, &n);

	if (rv == CKR_OK)
		rv = create(p, id, cert, serial, label);
	for (i = 0; rv == CKR_OK && i < n; i++)
		rv = p->f->C_DestroyObject(p->session, old[i]);
	return rv;
}

int
ae_p11_put_cert(const struct ae_key *key, const struct ae_cert *cert,
    const char *label, struct ae_err *e)
{
	const struct ae_p11_key *k = key->at;
	struct ae_wr serial;
	CK_RV rv = CKR_OK;
	int rc = AE_OK, tries;

	/* The attribute is the whole INTEGER. */
	ae_wr_init(&serial, 128);
	ae_der_bignum(&serial, cert->serial.p, cert->serial.len);
	if (!ae_wr_ok(&serial))
		rc = ae_fail_mem(e);
	for (tries = 0; rc == AE_OK && tries < 2; tries++) {
		rc = ae_p11_session(k->p11, true, e);
		if (rc != AE_OK)
			break;
		rv = replace(k->p11, k->id, cert,
		    (struct ae_der){ serial.p, serial.len }, label);
		if (rv == CKR_OK || !ae_p11_lost(rv))
			break;
		ae_p11_drop(k->p11);
	}
	ae_wr_done(&serial);
	if (rc == AE_OK && rv != CKR_OK)
		rc = ae_p11_fail(e, rv, "writing a certificate into the token");
	return rc;
}
