/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Certificates that are about to expire, or have, and were not replaced; see
 * pulse_run.h.  Each is told of once a day: warned.json has when.
 */
#include "pulse_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "base/wr.h"
#include "notify.h"
#include "sys/clock.h"
#include "sys/files.h"

#define DAY 86400
#define WARNED_MAX (1u << 20)
#define NOTICE_MAX (256u * 1024u)

static json_t *
read_warned(const char *path)
{
	uint8_t *text = NULL;
	json_t *j = NULL;
	size_t len = 0;

	if (ae_file_read(&text, &len, path, WARNED_MAX, NULL) == AE_OK)
		j = json_loadb(
		    (const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (json_is_object(j))
		return j;
	json_decref(j); /* damaged is the same as none: told again */
	return json_object();
}

static void
write_warned(const struct run *r, const char *path, const json_t *j)
{
	char *text = json_dumps(j, JSON_INDENT(1) | JSON_SORT_KEYS);
	struct ae_err e = AE_ERR_INIT;

	int rc = text == NULL
	    ? ae_fail_mem(&e)
	    : ae_file_write(path, text, strlen(text), 0644, &e);

	if (rc != AE_OK && r->c->log != NULL)
		ae_log_printf(r->c->log, AE_LOG_WARNING,
		    "what was warned of was not kept: %s", e.text);
	free(text);
}

/* A clock that went back is no reason to be silent. */
static bool
told_lately(const json_t *warned, const char *thumbprint, int64_t now)
{
	const char *when =
	    json_string_value(json_object_get(warned, thumbprint));
	int64_t t;

	return when != NULL && ae_time_parse(&t, when) && t <= now &&
	    now - t < DAY;
}

static void
tell(struct run *r, const struct pulse_expiring *x, int64_t now,
    struct ae_wr *notice)
{
	size_t n = strcspn(x->name, "/");
	const char *tmpl = ae_arena_strndup(r->a, x->name, n);
	char until[AE_TIME_STR_MAX];

	(void)ae_time_print(until, x->not_after);
	EVENT(r, AE_EVENT_AUTOENROLLMENT, 64, x->thumbprint);
	if (x->not_after <= now)
		LIFECYCLE(r, 1002, tmpl, x->thumbprint, x->subject, until);
	else
		LIFECYCLE(r, 1003, tmpl, x->thumbprint, x->subject, until);
	ae_wr_printf(notice, "%s (%s)\n  thumbprint %s, valid until %s\n  %s\n",
	    tmpl == NULL ? "" : tmpl, x->subject, x->thumbprint, until,
	    x->text);
}

static void
notify(const struct run *r, struct ae_wr *notice, size_t n)
{
	char subject[512];

	(void)snprintf(subject, sizeof(subject),
	    "autoenroll: %zu certificate%s of %s about to expire or expired", n,
	    n == 1 ? "" : "s", r->fqdn);
	ae_wr_str(notice,
	    "\nAuto-enrollment does not replace them. 'autoenroll templates "
	    "--explain'\nsays why, 'autoenroll store list' shows them.\n");
	if (ae_wr_ok(notice))
		notify_send(r->c, subject, ae_wr_cstr(notice));
}

void
pulse_warn_expiring(struct run *r)
{
	json_t *warned, *kept = json_object();
	int64_t now = ae_clock_now();
	char when[AE_TIME_STR_MAX];
	struct ae_wr notice;
	size_t i, told = 0;
	char path[4096];

	(void)snprintf(path, sizeof(path), "%s/warned.json", r->c->state_dir);
	warned = read_warned(path);
	ae_wr_init(&notice, NOTICE_MAX);
	(void)ae_time_print(when, now);
	for (i = 0; i < r->plan.nexpiring; i++) {
		const struct pulse_expiring *x = &r->plan.expiring[i];

		if (x->unless != PULSE_NOW && r->installed[x->unless])
			continue;
		if (told_lately(warned, x->thumbprint, now)) {
			(void)json_object_set(kept, x->thumbprint,
			    json_object_get(warned, x->thumbprint));
			continue;
		}
		tell(r, x, now, &notice);
		told++;
		(void)json_object_set_new(
		    kept, x->thumbprint, json_string(when));
	}
	if (!json_equal(kept, warned))
		write_warned(r, path, kept);
	if (told > 0)
		notify(r, &notice, told);
	ae_wr_done(&notice);
	json_decref(warned);
	json_decref(kept);
}
