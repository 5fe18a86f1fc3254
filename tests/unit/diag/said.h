/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What a finding says is whole, and said in the reader's language.  For the
 * tests that make findings.
 */
#ifndef AE_TEST_DIAG_SAID_H
#define AE_TEST_DIAG_SAID_H

#include <stdio.h>
#include <string.h>

#include "diag/diag.h"
#include "diag/facts.h"
#include "diag/report.h"
#include "diag/text.h"

/* Does the judge, or else the report itself, know of this value? */
static bool
said_is_named(const struct ae_diag_finding *f, const char *name, size_t len)
{
	static const char *const common[] = { "account", "principal", "host",
		"domain", "dc" };
	char key[64];
	size_t i;

	(void)snprintf(key, sizeof(key), "%.*s", (int)len, name);
	for (i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		if (strcmp(key, common[i]) == 0)
			return true;
	return json_object_get(f->args, key) != NULL;
}

/* Every value that the sentence cannot do without was named; NULL: it was. */
static inline const char *
said_lacks(const struct ae_diag_finding *f, const char *s)
{
	static char wrong[256];
	const char *p;
	size_t len;

	for (p = s; *p != '\0'; p++) {
		if (*p == '[')
			p += strcspn(p, "]");
		if (*p != '{')
			continue;
		len = strcspn(p + 1, "}");
		if (said_is_named(f, p + 1, len))
			continue;
		(void)snprintf(wrong, sizeof(wrong), "%s: %.*s: %s",
		    f->check->id, (int)len, p + 1, s);
		return wrong;
	}
	return NULL;
}

/* The same of what is said of the findings; a command may leave a place for
 * what nobody but its reader knows. */
static inline const char *
said_is_whole(const struct ae_diag *d)
{
	const struct ae_diag_text *t;
	const char *wrong;
	unsigned say;
	size_t i;

	for (i = 0; i < d->n; i++) {
		wrong = said_lacks(&d->v[i], d->v[i].seen->say[AE_DIAG_EN]);
		t = ae_diag_text_find(d->v[i].check->id);
		for (say = 0; wrong == NULL && t != NULL && say < AE_DIAG_FIX &&
		     d->v[i].verdict != AE_DIAG_UNKNOWN;
		     say++)
			wrong = said_lacks(&d->v[i], t->say[AE_DIAG_EN][say]);
		if (wrong != NULL)
			return wrong;
	}
	return NULL;
}

/* Words, not only commands between backquotes. */
static inline bool
said_in_words(const char *s)
{
	bool command = false;

	for (; *s != '\0'; s++) {
		if (*s == '`')
			command = !command;
		else if (!command && strchr(" .:;,", *s) == NULL)
			return true;
	}
	return false;
}

/* Two reports' first sentence that is the same in both; NULL: none. */
static inline const char *
said_same(const json_t *en, const json_t *fr)
{
	static const char *const members[] = { "cause", "seen", "expected",
		"fix", "who", "because", "category_text", "text" };
	const json_t *value, *other;
	const char *key, *same = NULL;
	size_t i;

	json_array_foreach(en, i, value)
	{
		if (same == NULL)
			same = said_same(value, json_array_get(fr, i));
	}
	for (i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		value = json_object_get(en, members[i]);
		if (json_is_string(value) &&
		    said_in_words(json_string_value(value)) &&
		    json_equal(value, json_object_get(fr, members[i])))
			return json_string_value(value);
	}
	json_object_foreach((json_t *)(uintptr_t)en, key, value)
	{
		other = json_object_get(fr, key);
		if (same == NULL &&
		    (json_is_object(value) || json_is_array(value)) &&
		    strcmp(key, "probes") != 0)
			same = said_same(value, other);
	}
	return same;
}

/* In French nothing is said as in English. */
static inline const char *
said_in_french(const struct ae_diag *d, const json_t *facts)
{
	static char wrong[512];
	json_t *en = ae_diag_report(d, facts, AE_DIAG_EN),
	       *fr = ae_diag_report(d, facts, AE_DIAG_FR);
	const char *same = said_same(en, fr);

	(void)snprintf(wrong, sizeof(wrong), "%s", same == NULL ? "" : same);
	json_decref(en);
	json_decref(fr);
	return same == NULL ? NULL : wrong;
}

/* Both; "" when all is well. */
static inline const char *
said_wrongly(const struct ae_diag *d, const json_t *facts)
{
	const char *wrong = said_is_whole(d);

	if (wrong == NULL)
		wrong = said_in_french(d, facts);
	return wrong == NULL ? "" : wrong;
}

#endif
