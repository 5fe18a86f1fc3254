/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Old certificates: what the plan takes out of use; see pulse_run.h.
 */
#include "pulse_run.h"

#include <string.h>

#include "store/store.h"

void
pulse_archive(struct run *r)
{
	struct ae_rd answer;
	struct ae_wr q;
	size_t i, done = 0;

	for (i = 0; i < r->plan.nstore; i++) {
		const struct pulse_store_action *s = &r->plan.store[i];

		if (s->what != AE_PLAN_ARCHIVE || s->after != PULSE_NOW)
			continue;
		ae_wr_init(&q, 4096);
		/* "<template>/<number>" */
		msg_put_bytes(&q, s->name, strcspn(s->name, "/"));
		if (peer_ask(r->key, ROLE_ARCHIVE, &q, PULSE_KEY_MS, &answer,
			NULL) == AE_OK)
			done++;
		ae_wr_done(&q);
	}
	if (done > 0)
		EVENT(r, AE_EVENT_CERTENROLL, 10, NULL);
}
