/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Is what the CA sent the certificate we asked for?  Judged before anything
 * is installed, whatever the transport already proved.
 */
#ifndef AE_ENROLL_ACCEPT_H
#define AE_ENROLL_ACCEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ad/template.h"
#include "base/err.h"
#include "base/sid.h"
#include "pki/cert.h"
#include "pki/key.h"
#include "pki/response.h"

struct ae_accept {
	const struct ae_template *tmpl;
	const struct ae_key *key;   /* what the request was for */
	const struct ae_sid *sid;   /* ours; NULL: not compared */
	const char *dns, *upn;	    /* ours in the directory; likewise */
	const struct ae_der *roots; /* DER, from the directory */
	size_t nroots;
	const struct ae_der *others; /* DER intermediates, from the directory */
	size_t nothers;
	int64_t now;
};

/*
 * The certificate in the answer that is ours and good, or AE_ETRUST (also
 * AE_EPROTO, AE_ENOTFOUND) with the reason: it must carry our public key, be
 * an end-entity certificate valid now (with ten minutes of grace for
 * clocks), name the template and its key usages, carry our SID when it
 * carries one – and carry one unless the template says not to –, be in our
 * name where the template takes that from the directory, and chain to a root
 * that the directory, not the CA, told us.  Roots in the answer are not
 * trusted.  *cert is borrowed from answer.
 */
int ae_accept_check(const struct ae_cert **cert, const struct ae_answer *answer,
    const struct ae_accept *a, struct ae_err *e) AE_MUST_CHECK;

#endif
