/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the CA folder: the last look at a TBSCertificate before it leaves.
 * What was written is parsed back and compared with what was meant.
 */
#ifndef AE_CA_LINT_H
#define AE_CA_LINT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "pki/cert.h"
#include "pki/tbs.h"

/*
 * Extensions this CA puts into certificates; it signs no others but those of
 * more, which the configuration allows.
 */
bool ae_ca_extension_allowed(const char *oid, const struct ae_strv *more);

/*
 * The rules for every certificate, whoever made it: no CA, no CA's key
 * usages, only allowed extensions.  AE_EDENIED names the culprit.
 */
int ae_ca_lint_rules(const struct ae_cert *c, const struct ae_strv *more,
    struct ae_err *e) AE_MUST_CHECK;

/*
 * tbs is exactly what t describes and keeps the rules.  AE_EINVAL when the
 * parser does not take it (a name that cannot be), AE_EINTERNAL when it
 * says something else than t.
 */
int ae_ca_lint(const struct ae_tbs *t, const void *tbs, size_t len,
    const struct ae_strv *more, struct ae_err *e) AE_MUST_CHECK;

#endif
