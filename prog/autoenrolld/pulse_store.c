/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Old certificates: what the plan takes out of use; see pulse_run.h.
 */
#include "pulse_run.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

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
	const char *tmpl, *thumbprint, *subject;
	char when[AE_TIME_STR_MAX];
	struct ae_rd answer;
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
	if (!done)
		return false;
	thumbprint = msg_get_str(r->a, &answer, 64);
	subject = msg_get_str(r->a, &answer, 16384);
	(void)ae_time_print(when, (int64_t)ae_rd_u64(&answer));
	if (s->what == AE_PLAN_DELETE)
		LIFECYCLE(r, 1004, tmpl, thumbprint, subject, when);
	else
		LIFECYCLE(r, 1005, tmpl, thumbprint, subject, when);
	return true;
}

/* What the directory shows of us and is of no use any more. */
void
pulse_unpublish(struct run *r, json_t *report)
{
	struct ae_err e = AE_ERR_INIT;
	char when[AE_TIME_STR_MAX];
	json_t *list;
	struct ae_wr none;
	struct ae_rd answer;
	size_t i;
	int rc;

	if (r->plan.nunpublish == 0)
		return;
	ae_wr_init(&none, 1);
	rc = peer_ask(
	    r->policy, ROLE_UNPUBLISH, &none, PULSE_KEY_MS, &answer, &e);
	if (rc != AE_OK) { /* the next run tries again */
		if (r->c->log != NULL)
			ae_log_printf(r->c->log, AE_LOG_WARNING,
			    "old certificates stay in the directory: %s",
			    e.text);
		(void)json_object_set_new(
		    report, "unpublish_error", client_text(e.text));
		return;
	}
	list = json_array();
	for (i = 0; i < r->plan.nunpublish; i++) {
		const struct pulse_unpublish *u = &r->plan.unpublish[i];

		(void)ae_time_print(when, u->not_after);
		LIFECYCLE(r, 1010, u->tmpl, u->thumbprint, u->subject, when);
		(void)json_array_append_new(list, json_string(u->thumbprint));
	}
	(void)json_object_set_new(report, "unpublished", list);
	pulse_event(r, AE_EVENT_CERTENROLL, 33, NULL, 0);
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
