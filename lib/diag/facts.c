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

const char *
ae_fact_because(const json_t *facts, const char *path)
{
	char probe[AE_FACT_PATH_MAX];
	const json_t *how;
	const char *s;

	(void)snprintf(probe, sizeof(probe), "%s_because", path);
	s = ae_fact_str(facts, probe);
	if (s != NULL)
		return s;
	(void)snprintf(
	    probe, sizeof(probe), "%.*s", (int)strcspn(path, "."), path);
	how = json_object_get(json_object_get(facts, "probes"), probe);
	s = json_string_value(json_object_get(how, "because"));
	return s != NULL ? s : "it was not looked at";
}
