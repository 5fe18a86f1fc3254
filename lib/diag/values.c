/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Values for sentences, in forms that each language has its own words for;
 * see checks.h.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "diag/checks.h"
#include "diag/text.h"

#define MINUTE 60
#define HOUR 3600
#define DAY 86400

const char *
ae_diag_flags(char buf[AE_DIAG_FLAGS_MAX], int64_t flags)
{
	(void)snprintf(buf, AE_DIAG_FLAGS_MAX, "0x%" PRIx64, (uint64_t)flags);
	return buf;
}

json_t *
ae_diag_phrase(const char *group, const char *name, const char *about)
{
	char key[AE_DIAG_KEY_MAX];

	(void)snprintf(key, sizeof(key), "%s.%s", group, name);
	/* A word that is not ours is shown as it is. */
	if (ae_diag_frame(AE_DIAG_EN, key) == key)
		return json_string(name);
	return json_pack(
	    "{s:s, s:s}", "phrase", key, "about", about == NULL ? "" : about);
}

json_t *
ae_diag_span(int64_t seconds)
{
	char text[24];
	int64_t n = seconds < 0 ? 0 : seconds;
	const char *unit = "minutes";

	if (n >= 3 * DAY) {
		unit = "days";
		n /= DAY;
	} else if (n >= 3 * HOUR) {
		unit = "hours";
		n /= HOUR;
	} else {
		n /= MINUTE;
	}
	(void)snprintf(text, sizeof(text), "%" PRId64, n);
	return ae_diag_phrase("span", unit, text);
}

json_t *
ae_diag_names(const json_t *list, const char *member)
{
	char text[AE_DIAG_VALUE_MAX] = "";
	const json_t *one;
	size_t i, len = 0;

	json_array_foreach(list, i, one)
	{
		if (member != NULL)
			one = json_object_get(one, member);
		if (!json_is_string(one) || json_string_length(one) == 0 ||
		    json_string_length(one) + sizeof(", ") > sizeof(text) - len)
			continue;
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s",
		    len == 0 ? "" : ", ", json_string_value(one));
	}
	return json_string(text);
}

json_t *
ae_diag_why_args(const struct ae_fact_why *why)
{
	return json_pack("{s:s, s:I, s:o}", "error", why->error, "seconds",
	    (json_int_t)why->seconds, "doing",
	    ae_diag_phrase("doing", why->what, why->about));
}
