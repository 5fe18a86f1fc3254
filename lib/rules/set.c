/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * All policy files of a CA; see rules.h.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "rules/rules.h"

struct ae_rules_set {
	struct ae_rules_entry v[AE_RULES_SET_MAX];
	size_t n;
};

struct ae_rules_set *
ae_rules_set_new(void)
{
	return calloc(1, sizeof(struct ae_rules_set));
}

void
ae_rules_set_free(struct ae_rules_set *s)
{
	size_t i;

	if (s == NULL)
		return;
	for (i = 0; i < s->n; i++) {
		free(s->v[i].template);
		free(s->v[i].error);
		ae_rules_free(s->v[i].rules);
	}
	free(s);
}

int
ae_rules_set_add(struct ae_rules_set *s, const char *file, const void *xml,
    size_t len, const char *unreadable, struct ae_err *e)
{
	const size_t n = strlen(file);
	struct ae_err why = AE_ERR_INIT;
	struct ae_rules_entry *entry;
	int rc;

	if (n < 5 || strcasecmp(file + n - 4, ".xml") != 0)
		return ae_fail(e, AE_EINVAL, AE_DOM_NONE, 0,
		    "%s does not end in .xml", file);
	if (s->n == AE_RULES_SET_MAX)
		return ae_fail(e, AE_ELIMIT, AE_DOM_NONE, 0,
		    "more than %d policy files", AE_RULES_SET_MAX);
	entry = &s->v[s->n];
	entry->template = strndup(file, n - 4);
	if (entry->template == NULL)
		return ae_fail_mem(e);
	s->n++;
	if (unreadable == NULL) {
		rc = ae_rules_load(&entry->rules, file, xml, len, &why);
		if (rc == AE_OK)
			return AE_OK;
		unreadable = why.text;
	}
	/* without memory for the reason it still is broken */
	entry->error = strdup(unreadable);
	return AE_OK;
}

size_t
ae_rules_set_count(const struct ae_rules_set *s)
{
	return s->n;
}

const struct ae_rules_entry *
ae_rules_set_at(const struct ae_rules_set *s, size_t i)
{
	return &s->v[i];
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The file's name against the cn without what it could not have. */
static bool
names(const char *file, const char *cn)
{
	static const char illegal[] = "<>:\"/\\|?*";

	for (;; cn++) {
		if (*cn != '\0' &&
		    (strchr(illegal, *cn) != NULL || (unsigned char)*cn < 32))
			continue;
		if (lower(*file) != lower(*cn))
			return false;
		if (*file++ == '\0')
			return true;
	}
}

const struct ae_rules_entry *
ae_rules_set_find(const struct ae_rules_set *s, const char *cn)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (names(s->v[i].template, cn))
			return &s->v[i];
	return NULL;
}
