/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Parts of the directory's probe; the facts are in probe_pki.c.
 */
#ifndef AE_CLI_PROBE_PKI_H
#define AE_CLI_PROBE_PKI_H

#include "ad/ad.h"
#include "ad/pki.h"
#include "ad/principal.h"
#include "ad/sd.h"
#include "enroll/provider.h"
#include "pki/cert.h"
#include "probe.h"

/* What its numbers say; new. */
json_t *probe_pki_template_new(const struct ae_template *t);

/* More about a template, into j.  me: NULL when the groups are not known. */
void probe_pki_template(json_t *j, const struct ae_template *t,
    const struct ae_pki *pki, const struct ae_token *me,
    const struct ae_providers *here);

/* Templates that the CAs offer, or asked (or NULL), and nobody shows. */
json_t *probe_pki_unseen(
    struct ae_ad *ad, const struct ae_pki *pki, const char *asked);

json_t *probe_pki_containers(
    struct ae_ad *ad, const struct ae_pki *pki, const struct ae_token *me);

/* "trustees" (probe_trustees.c); *asked grows by what other controllers were
 * asked. */
json_t *probe_trustees(struct ae_ad *ad, const struct ae_gss_cred *cred,
    const struct ae_pki *pki, const struct ae_token *token,
    const struct ae_principal *me, const char *only, unsigned int *asked);

/*
 * The certificates of the directory and of this host that a chain is made
 * of; NULL: no memory.
 */
struct pool;
struct pool *probe_trust_pool(const struct client *c, const struct ae_pki *pki);
void probe_trust_pool_free(struct pool *p);
/* "chain" of a CA (probe_trust.c); NULL: it has no certificate that is valid.
 */
json_t *probe_trust_chain(
    const struct pool *p, const struct ae_enrollment_service *es);

/* "trust" and "elsewhere" of the store (probe_elsewhere.c). */
json_t *probe_trust_store(const struct client *c);
json_t *probe_elsewhere(const struct client *c);

/* One more of a list of certificates: its DER in hexadecimal. */
void probe_put_der(json_t *list, const struct ae_cert *c);
/* One of them again, yours; NULL: it is none. */
struct ae_cert *probe_get_der(const char *hex);

/* "anchors" of the store (probe_anchors.c). */
json_t *probe_anchors(const struct client *c);

#endif
