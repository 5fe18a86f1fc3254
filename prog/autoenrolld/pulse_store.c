/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Old certificates: what the plan takes out of use, and what it warns of;
 * see pulse_run.h.
 */
#include "pulse_run.h"

#include <stdlib.h>
#include <string.h>

/* "<template>/<number>" */
static bool
split_name(struct run *r, const char *name, const char **tmpl, unsigned *number)
{
	const char *slash = strrchr(name, '/');
	char *end;

	if (slash == NULL)
		return false;
	*tmpl = ae_arena_strndup(r->a, name, (size_t)(slash - name));
	*number = (unsigned)strtoul(slash + 1, &end, 10);
	return *tmpl != NULL && *end == '\0' && *number > 0;
}

static bool
retire(struct run *r, const struct pulse_store_action *s)
{
	struct ae_rd answer;
	const char *tmpl;
	unsigned number;
	struct ae_wr q;
	bool done;

	if (!split_name(r, s->name, &tmpl, &number))
		return false;
	ae_wr_init(&q, 4096);
	msg_put_str(&q, tmpl);
	ae_wr_u32(&q, number);
	ae_wr_u8(&q, s->what == AE_PLAN_DELETE);
	msg_put_str(&q, s->text);
	done = peer_ask(r->key, ROLE_ARCHIVE, &q, PULSE_KEY_MS, &answer,
		   NULL) == AE_OK;
	ae_wr_done(&q);
	return done;
}

/* A pair that works goes only when its successor is there. */
void
pulse_archive(struct run *r, bool late)
{
	size_t i, done = 0;

	for (i = 0; i < r->plan.nstore; i++) {
		const struct pulse_store_action *s = &r->plan.store[i];

		if ((s->after != PULSE_NOW) != late ||
		    (late && !r->installed[s->after]))
			continue;
		done += retire(r, s);
	}
	if (done > 0)
		pulse_event(r, AE_EVENT_CERTENROLL, 10, NULL, 0);
}

void
pulse_warn_expiring(struct run *r)
{
	size_t i;

	for (i = 0; i < r->plan.nexpiring; i++) {
		const struct pulse_expiring *x = &r->plan.expiring[i];

		if (x->unless == PULSE_NOW || !r->installed[x->unless])
			EVENT(r, AE_EVENT_AUTOENROLLMENT, 64, x->thumbprint);
	}
}
