/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificates of the CA's own, for keys that live in the first signer's
 * memory: for key exchange and for OCSP.  A key is asked for, its certificate
 * issued like any other (serial durable, signed, stored), offered, and
 * replaced in time.  What is done with one is ca_xchg.c's and ca_ocsp.c's.
 */
#ifndef CERTSRVD_CA_SERVICE_H
#define CERTSRVD_CA_SERVICE_H

#include "ca_job.h"

#define SERVICE_RETRY_MS 30000

/* One kind of them; rows of it are static. */
struct ca_service {
	enum msg op;		/* asks for a key, and is what its jobs are */
	const char *suffix;	/* of its subject, behind the CA's name */
	uint32_t request_flags; /* AE_CR_FLG_* */
	int (*tbs)(struct ae_wr *w, uint8_t serial[AE_CA_SERIAL_LEN],
	    int64_t *not_after, const struct ae_ca_config *cfg,
	    const void *spki, size_t len, int64_t now,
	    const uint8_t random[AE_CA_RANDOM_LEN], struct ae_err *e);
};

/* The process that has the keys. */
struct peer *service_keeper(struct ca *ca);

/* Not before retry (monotonic ms), and not without those it takes. */
bool service_may_ask(struct ca *ca, int64_t retry);

/* A key, as the keeper tells it; text: why there is none. */
struct ca_service_key {
	int rc;
	const uint8_t *spki; /* the message's */
	size_t len;
	const uint8_t *sealed; /* for other nodes; the message's */
	size_t sealed_len;     /* 0: it is this node's alone */
	const char *text;      /* the arena's; NULL: nothing was said */
};

/* AE_EPROTO: the message named so does not decode. */
int service_key_get(struct ca_service_key *out, const struct ae_ipc_msg *m,
    const char *name, struct ae_arena *a, struct ae_err *e) AE_MUST_CHECK;

/*
 * Its certificate, as a job like a request's with no requester.  issuer NULL:
 * whichever signs now.
 */
int service_issue(struct ca *ca, const struct ca_service *s,
    const struct ae_ca_cert *issuer, const uint8_t *spki, size_t len,
    struct ae_err *e) AE_MUST_CHECK;

#endif
