/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What was said about revocation; see revocation_state.h.
 */
#include "revocation_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "sys/clock.h"
#include "sys/files.h"

#define FILE_MAX (4u * 1024u * 1024u)
#define KEEP_FOR 3600

json_t *
revocation_read(const struct client *c)
{
	uint8_t *text = NULL;
	json_t *j = NULL;
	char path[4096];
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/" REVOCATION_FILE, c->state_dir);
	if (ae_file_read(&text, &len, path, FILE_MAX, NULL) == AE_OK)
		j = json_loadb(
		    (const char *)text, len, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	if (json_is_object(j))
		return j;
	json_decref(j);
	return NULL;
}

static const char *
str(const json_t *j, const char *key)
{
	return json_string_value(json_object_get(j, key));
}

/* 0: there is none. */
static int64_t
when(const json_t *j, const char *key)
{
	const char *s = str(j, key);
	int64_t t;

	return s != NULL && ae_time_parse(&t, s) ? t : 0;
}

bool
revocation_is_kept(const struct client *c, const json_t *now)
{
	json_t *kept = revocation_read(c);
	int64_t age = when(now, "read_at") - when(kept, "read_at");
	bool same = json_equal(json_object_get(kept, "certificates"),
	    json_object_get(now, "certificates"));

	json_decref(kept);
	return same && age >= 0 && age < KEEP_FOR;
}

static json_t *
unknown(const char *text)
{
	return json_pack("{s:s, s:s}", "state", "unknown", "text", text);
}

static void
put_text(json_t *j, int64_t read_at, int64_t now)
{
	const char *state = str(j, "state"), *why = str(j, "why"),
		   *of = str(j, "list_of"), *since = str(j, "since");
	int64_t until = when(j, "list_until");
	char age[AE_TIME_STR_MAX], text[512];

	(void)ae_span_print(age, now > read_at ? now - read_at : 0);
	if (of == NULL)
		(void)snprintf(text, sizeof(text),
		    "not known: the directory has no list of its CA (looked "
		    "%s ago)",
		    age);
	else
		(void)snprintf(text, sizeof(text),
		    "%s%s%s%s%s, by the list of %s, read %s ago%s",
		    strcmp(state, "revoked") == 0    ? "revoked"
			: strcmp(state, "hold") == 0 ? "on hold"
			: strcmp(state, "good") == 0 ? "not revoked"
						     : "not known",
		    since == NULL ? "" : " since ", since == NULL ? "" : since,
		    why == NULL ? "" : ": ", why == NULL ? "" : why, of, age,
		    until != 0 && now >= until ? "; out of date" : "");
	(void)json_object_set_new(j, "text", json_string(text));
}

json_t *
revocation_of(const json_t *kept, const char *thumbprint, int64_t now)
{
	const json_t *one =
	    json_object_get(json_object_get(kept, "certificates"), thumbprint);
	const char *state = str(one, "state");
	int64_t read_at = when(kept, "read_at");
	json_t *j;

	if (kept == NULL || read_at == 0)
		return unknown("not known: no run has looked yet");
	if (state == NULL)
		return unknown("not known: it came after the last look");
	j = json_copy((json_t *)(uintptr_t)one);
	if (j == NULL)
		return NULL;
	(void)json_object_set(j, "read_at", json_object_get(kept, "read_at"));
	put_text(j, read_at, now);
	return j;
}
