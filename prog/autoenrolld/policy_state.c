/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The last good policy and the local layers; see policy_state.h.
 */
#include "policy_state.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "settings_json.h"
#include "sys/clock.h"
#include "sys/files.h"

#define KEEP_FOR 600
#define TIME_AT 4 /* behind the magic, see ae_policy_last_put */
#define TIME_END 12

int
policy_state_read(
    struct ae_policy_last *out, const char *path, struct ae_err *e)
{
	uint8_t *p = NULL;
	struct ae_rd r;
	size_t len;
	int rc;

	rc = ae_file_read(&p, &len, path, AE_SETTINGS_ENCODED_MAX, e);
	if (rc != AE_OK)
		return rc;
	ae_rd_init(&r, p, len);
	if (ae_policy_last_get(out, &r, e) != AE_OK)
		rc = ae_fail(e, AE_ENOTFOUND, AE_DOM_NONE, 0,
		    "%s is damaged or of another version", path);
	free(p);
	return rc;
}

/* The same but for the time?  *age: how long ago that was. */
static bool
is_same(int64_t *age, const char *path, const uint8_t *p, size_t len)
{
	uint8_t *old = NULL;
	struct ae_rd r;
	size_t n;
	bool same;

	if (len < TIME_END ||
	    ae_file_read(&old, &n, path, AE_SETTINGS_ENCODED_MAX, NULL) !=
		AE_OK)
		return false;
	same = n == len && memcmp(old, p, TIME_AT) == 0 &&
	    memcmp(old + TIME_END, p + TIME_END, len - TIME_END) == 0;
	ae_rd_init(&r, old, n);
	ae_rd_skip(&r, TIME_AT);
	*age = ae_clock_now() - (int64_t)ae_rd_u64(&r);
	free(old);
	return same;
}

/* The time alone, in place: whatever happens the rest stays, and there is
 * nothing to wait for the disk for. */
static bool
set_time(const char *path, const uint8_t *p)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	bool done;

	if (fd < 0)
		return false;
	done = pwrite(fd, p + TIME_AT, TIME_END - TIME_AT, TIME_AT) ==
	    TIME_END - TIME_AT;
	(void)close(fd);
	return done;
}

int
policy_state_keep(
    const struct client *c, const uint8_t *p, size_t len, struct ae_err *e)
{
	int64_t age;

	if (is_same(&age, c->policy_last, p, len) &&
	    ((age >= 0 && age < KEEP_FOR) || set_time(c->policy_last, p)))
		return AE_OK;
	return ae_file_write(c->policy_last, p, len, 0644, e);
}

static int
layer(struct ae_settings *s, const char *path, enum ae_setting_source source,
    struct ae_err *e)
{
	struct ae_local_policy l;
	int rc;

	rc = ae_local_policy_read(&l, path, e);
	if (rc != AE_OK)
		return rc;
	rc = ae_settings_override(s, &l, source, e);
	ae_local_policy_done(&l);
	return rc;
}

int
policy_state_override(
    struct ae_settings *s, const struct client *c, struct ae_err *e)
{
	int rc = AE_OK;

	if (c->user_policy_path != NULL)
		rc = layer(s, c->user_policy_path, AE_SETTING_OWN, e);
	return rc == AE_OK ? layer(s, c->policy_path, AE_SETTING_LOCAL, e) : rc;
}

json_t *
policy_state_json(const struct client *c, const char *why)
{
	struct settings_shown shown = { .why = why };
	struct ae_policy_last last;
	json_t *j = NULL;

	if (policy_state_read(&last, c->policy_last, NULL) != AE_OK)
		return NULL;
	if (policy_state_override(last.settings, c, NULL) == AE_OK) {
		shown.read_at = last.read_at;
		shown.dc = last.dc;
		j = settings_to_json(last.settings, &shown);
	}
	ae_policy_last_done(&last);
	return j;
}
