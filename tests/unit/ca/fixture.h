/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A small world to decide in: a CA, one machine template, one computer with
 * its directory object and its ticket.  Tests bend one thing and look at
 * what becomes of it.
 */
#ifndef AE_TEST_CA_FIXTURE_H
#define AE_TEST_CA_FIXTURE_H

#include "ad/sd.h"
#include "ad/template.h"
#include "ca/decide.h"
#include "db/db.h"
#include "gss/caller.h"
#include "pki/cert.h"
#include "pki/csr.h"

#define FX_NOW INT64_C(1790000000)
#define FX_SIDS 8

struct fx {
	/* made once */
	struct ae_key *ca_key, *key; /* P-256 */
	struct ae_cert *ca_cert;
	uint8_t ca_ski[AE_KEY_ID_LEN];

	/* the caller: PC1$, Domain Computers, the three well-known */
	struct ae_sid user, computers, admins;
	struct ae_sid sids[FX_SIDS];
	uint8_t from[FX_SIDS];
	char account[16], netbios[16], domain[16], realm[16], principal[32];
	struct ae_caller caller;

	/* the template, another one, and what is offered */
	struct ae_template t, other;
	const struct ae_template *templates[2];
	struct ae_strv published;
	struct ae_ca_templates set;

	struct ae_ca_config cfg;
	struct ae_ca_answers answers;
	struct ae_db_request row;
	uint8_t random[AE_CA_RANDOM_LEN];

	struct ae_csr_spec csr_spec;
	struct ae_wr csr;
	struct ae_wcce_request rq;
	struct ae_ca_input in;

	struct ae_arena *a;
	struct ae_decision d;
	struct ae_err e;
};

/* Keys and certificates; false: they could not be made. */
bool fx_begin(struct fx *f);
void fx_end(struct fx *f);

/* The world as it was, for the next test. */
void fx_reset(struct fx *f);

/* Make the PKCS#10 that csr_spec describes, signed by f->key, and use it. */
void fx_csr(struct fx *f);
void fx_csr_with(struct fx *f, const struct ae_key *k);

/* Decide; f->d.  Aborts the test when deciding itself fails. */
void fx_decide(struct fx *f);

/* The reason that stopped it. */
const struct ae_ca_reason *fx_stop(const struct fx *f);
bool fx_has_reason(const struct fx *f, const char *check);

#endif
