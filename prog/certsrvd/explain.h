/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * A decision on its way from ca to certsrv explain: everything but a serial
 * number and a signature.
 */
#ifndef CERTSRVD_EXPLAIN_H
#define CERTSRVD_EXPLAIN_H

#include "ca/decide.h"
#include "proto.h"

struct explained {
	/*
	 * Of it: verdict, hresult, message, requester, on_behalf, subject,
	 * request_flags, times, tbs, reasons, rulings.
	 */
	struct ae_decision d;
	const char *template; /* its cn; NULL: it did not come to that */
	const char *sid;      /* of the account it was decided for */
	int64_t row;	      /* a stored answer's; 0: none */
	bool by_directory;    /* the groups are AD's, not a ticket's */
	uint32_t nsids;	      /* SIDs it was decided with */
	bool disabled;	      /* the account: no KDC gives it a ticket */
};

void put_explained(struct ae_wr *w, const struct explained *x);
void get_explained(struct ae_rd *r, struct explained *x, struct ae_arena *a);

#endif
