/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Facts by path; see facts.h.
 */
#include "diag/facts.h"

#include <stdio.h>
#include <string.h>

const json_t *
ae_fact(const json_t *facts, const char *path)
{
	char name[AE_FACT_PATH_MAX];
	const json_t *at = facts;
	size_t len;

	for (; at != NULL && *path != '\0'; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		if (len >= sizeof(name))
			return NULL;
		memcpy(name, path, len);
		name[len] = '\0';
		at = json_object_get(at, name);
	}
	return json_is_null(at) ? NULL : at;
}

const char *
ae_fact_str(const json_t *facts, const char *path)
{
	return json_string_value(ae_fact(facts, path));
}

const char *
ae_fact_text(const json_t *facts, const char *path)
{
	const char *s = ae_fact_str(facts, path);

	return s == NULL ? "" : s;
}

bool
ae_fact_int(int64_t *out, const json_t *facts, const char *path)
{
	const json_t *j = ae_fact(facts, path);

	if (!json_is_integer(j))
		return false;
	*out = json_integer_value(j);
	return true;
}

bool
ae_fact_yes(const json_t *facts, const char *path)
{
	return json_is_true(ae_fact(facts, path));
}

bool
ae_fact_no(const json_t *facts, const char *path)
{
	return json_is_false(ae_fact(facts, path));
}

bool
ae_fact_is(const json_t *facts, const char *path, const char *value)
{
	const char *s = ae_fact_str(facts, path);

	return s != NULL && strcmp(s, value) == 0;
}

#define CHAIN_MAX 8

/* How the probe went that would have seen it. */
static const json_t *
probe_of(const json_t *facts, const char *path)
{
	char name[AE_FACT_PATH_MAX];

	(void)snprintf(
	    name, sizeof(name), "%.*s", (int)strcspn(path, "."), path);
	return json_object_get(json_object_get(facts, "probes"), name);
}

void
ae_fact_why(struct ae_fact_why *out, const json_t *facts, const char *path)
{
	char because[AE_FACT_PATH_MAX];
	const json_t *how = probe_of(facts, path);
	unsigned n;

	*out = (struct ae_fact_why){ .seen = "not-looked" };
	(void)snprintf(because, sizeof(because), "%s_because", path);
	out->error = ae_fact_text(facts, because);
	for (n = 0; n < CHAIN_MAX && out->error[0] == '\0'; n++) {
		if (!ae_fact_is(how, "state", "left out") ||
		    ae_fact_str(how, "lacks") == NULL)
			break;
		path = ae_fact_text(how, "lacks");
		(void)snprintf(because, sizeof(because), "%s_because", path);
		out->error = ae_fact_text(facts, because);
		how = probe_of(facts, path);
	}
	if (out->error[0] == '\0')
		out->error = ae_fact_text(how, "error");
	(void)ae_fact_int(&out->seconds, how, "seconds");
	out->what = ae_fact_text(how, "doing.what");
	out->about = ae_fact_text(how, "doing.about");
	if (out->error[0] != '\0')
		out->seen = "because";
	else if (ae_fact_is(how, "state", "late"))
		out->seen = "late";
	else if (out->what[0] != '\0')
		out->seen = "broke-off";
	else if (ae_fact_is(how, "state", "left out"))
		out->seen = "none-there";
	if (out->what[0] == '\0')
		out->what = "it";
}
