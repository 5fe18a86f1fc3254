/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the process that answers OCSP.
 */
#ifndef CERTSRVD_OCSP_H
#define CERTSRVD_OCSP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cafile.h"
#include "metrics.h"
#include "ocsp_cache.h"
#include "role.h"

#define OCSP_ASKS_MAX 1024u
#define ASK_MS 5000 /* for db and the signer */
#define TICK_MS 1000
#define BACKDATE 60 /* thisUpdate: for clocks that are behind */

/* A key of the CA, and who signs about its certificates. */
struct ocsp_issuer {
	uint16_t index;
	struct ae_ocsp_issuer sha1, sha256;
	struct ae_cert *cert; /* of the OCSP key; NULL: none yet */
	struct ae_key *pub;
	uint8_t id[AE_KEY_ID_LEN];
};

enum ask_stage { ASK_DB, ASK_SIGN };

/* A request on its way. */
struct ask {
	bool used;
	uint32_t id, http_id;
	enum ask_stage stage;
	int64_t deadline;
	uint64_t changes; /* of certificates, when it came */
	const struct ocsp_issuer *issuer;
	uint8_t nonce[AE_OCSP_NONCE_MAX];
	size_t nonce_len; /* 0: none */
	struct ask_id id_of[AE_OCSP_IDS_MAX];
	struct ae_ocsp_single single[AE_OCSP_IDS_MAX];
	size_t n;
	int64_t now;
	struct ae_wr data;
};

struct ocsp {
	struct proc *p;
	struct ae_source *timer;
	struct ocsp_issuer issuer[AE_CA_SIGNING_MAX];
	size_t nissuers;
	struct ask ask[OCSP_ASKS_MAX];
	uint32_t attempts;
	uint64_t changes;
	struct cache *cache;
	struct metrics m;
	int64_t told;
};

ae_ipc_handler on_ocsp, on_ocsp_cert, on_ocsp_changed, on_ocsp_statuses,
    on_ocsp_signed;

#endif
