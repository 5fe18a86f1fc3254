/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Old certificates: what the plan takes out of use; see pulse_run.h.
 */
#include "pulse_run.h"

#include "store/store.h"

void
pulse_archive(struct run *r)
{
	struct ae_rd answer;
	struct ae_wr q;
	size_t i, done = 0;

	for (i = 0; i < r->narchive; i++) {
		ae_wr_init(&q, 4096);
		msg_put_str(&q, r->archive[i]);
		if (peer_ask(r->key, ROLE_ARCHIVE, &q, PULSE_KEY_MS, &answer,
			NULL) == AE_OK)
			done++;
		ae_wr_done(&q);
	}
	if (done > 0)
		EVENT(r, AE_EVENT_CERTENROLL, 10, NULL);
}
