/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the files of the process that has the CA key.
 */
#ifndef CERTSRVD_SIGN_H
#define CERTSRVD_SIGN_H

#include "ca/signcheck.h"
#include "cafile.h"
#include "cakey.h"
#include "metrics.h"
#include "pki/key.h"
#include "role.h"

#define NOTES_MAX 4096u

/* An exchange key with its certificate. */
struct xchg {
	struct ae_key *key;
	struct ae_cert *cert;
};

struct signer {
	struct proc *p;
	struct cakeys *keys;
	struct ae_source *probe;
	bool device;	 /* the key that signs is in one */
	bool told, well; /* what ca was told last */
	struct ae_source *figures;
	struct cafile ca;
	struct ae_key *key[AE_CA_SIGNING_MAX]; /* by place; NULL: not here */
	struct ae_err why;		       /* a key could not be opened */
	struct ae_ca_sign_config cfg[AE_CA_SIGNING_MAX]; /* by certificate */
	struct xchg xchg[3]; /* being certified, current, the one before */
	/* the CRL that is coming in; stream NULL: none is */
	struct {
		uint32_t id;
		const struct ae_ca_cert *cert;
		struct ae_crl_parts parts;
		struct ae_key_stream *stream;
	} crl;
	/* for OCSP: current, the one before; key NULL: none */
	struct {
		struct ae_key *key;
		uint8_t id[AE_KEY_ID_LEN];
	} ocsp[2];
	struct metrics m;
	/*
	 * What was signed and db has not said yet that it saw: a ring, by
	 * number.
	 */
	struct note {
		struct ae_ca_signing which;
		uint8_t hash[32]; /* SHA-256 of what was signed */
		uint16_t key;
	} note[NOTES_MAX];
	uint64_t noted, seen; /* numbers of the last */
};

/* ---- sign.c ---- */

/* MSG_SIGNED: the signature, or why there is none. */
void sign_answer(struct peer *peer, uint32_t id, int rc,
    const struct ae_wr *sig, const struct ae_err *e);
/* Counted, and told. */
void sign_refused(struct peer *peer, const struct ae_err *why);

/* ---- sign_note.c ---- */

/*
 * db hears of every certificate before its signature leaves, and not from
 * who asked for it.  AE_EUNAVAIL: it has been away too long, nothing is signed.
 */
int note_may(const struct signer *s, struct ae_err *e) AE_MUST_CHECK;
int note_take(struct signer *s, const struct ae_ca_signing *which, unsigned key,
    struct ae_der what, struct ae_err *e) AE_MUST_CHECK;
void note_db_up(struct signer *s); /* what it did not see, again */
ae_ipc_handler on_noted;

/* ---- sign_crl.c ---- */

ae_ipc_handler on_sign_crl_head, on_sign_crl_list, on_sign_crl_tail;

/* ---- sign_ocsp.c ---- */

ae_ipc_handler on_ocsp_new, on_sign_ocsp;

/* ---- sign_xchg.c ---- */

ae_ipc_handler on_xchg_new, on_xchg_cert, on_xchg_open, on_xchg_ek,
    on_xchg_secret;

#endif
