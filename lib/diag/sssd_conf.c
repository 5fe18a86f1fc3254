/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Lines of [section] and key = value; see sssd_conf.h.
 */
#include "diag/sssd_conf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"

#define LINE_MAX_LEN 2048
#define BLANK " \t\r"

/* Without blanks at both ends. */
static char *
trimmed(char *s)
{
	size_t n;

	s += strspn(s, BLANK);
	for (n = strlen(s); n > 0 && strchr(BLANK, s[n - 1]) != NULL; n--)
		;
	s[n] = '\0';
	return s;
}

/* The line at text, cut to its place; returns the next one. */
static const char *
next_line(char line[LINE_MAX_LEN], const char *text)
{
	const char *end = strchrnul(text, '\n');

	(void)snprintf(line, LINE_MAX_LEN, "%.*s",
	    end - text < LINE_MAX_LEN ? (int)(end - text) : LINE_MAX_LEN - 1,
	    text);
	return end + (*end == '\n');
}

/* Is name one of these, separated by commas? */
static bool
listed(const char *list, const char *name)
{
	char copy[LINE_MAX_LEN], *rest = copy, *part;

	(void)snprintf(copy, sizeof(copy), "%s", list);
	while ((part = strsep(&rest, ",")) != NULL)
		if (ae_str_eq_nocase(trimmed(part), name))
			return true;
	return false;
}

static void
set(struct ae_sssd_domain *d, const char *key, const char *value)
{
	if (ae_str_eq_nocase(key, "id_provider")) {
		(void)snprintf(d->provider, sizeof(d->provider), "%s", value);
	} else if (ae_str_eq_nocase(
		       key, "ad_maximum_machine_account_password_age")) {
		d->renews_password = strtol(value, NULL, 10) != 0;
	}
}

/* The heading [domain/NAME]; NULL: another one, or no room. */
static struct ae_sssd_domain *
begun(struct ae_sssd_domain *v, size_t *n, char *heading)
{
	static const char prefix[] = "domain/";
	struct ae_sssd_domain *d;

	heading[strcspn(heading, "]")] = '\0';
	heading = trimmed(heading);
	if (strncasecmp(heading, prefix, sizeof(prefix) - 1) != 0 ||
	    *n == AE_SSSD_DOMAINS_MAX)
		return NULL;
	d = &v[(*n)++];
	*d = (struct ae_sssd_domain){ .renews_password = true };
	(void)snprintf(d->name, sizeof(d->name), "%s",
	    trimmed(heading + sizeof(prefix) - 1));
	return d;
}

size_t
ae_sssd_domains(struct ae_sssd_domain v[AE_SSSD_DOMAINS_MAX], const char *text)
{
	char line[LINE_MAX_LEN], on[LINE_MAX_LEN] = "", *p, *value;
	struct ae_sssd_domain *d = NULL;
	bool in_sssd = false, chosen = false;
	size_t n = 0, kept = 0, i;

	while (*text != '\0') {
		text = next_line(line, text);
		p = trimmed(line);
		if (*p == '[') {
			in_sssd = strncasecmp(p, "[sssd]", 6) == 0;
			d = begun(v, &n, p + 1);
		}
		if (*p == '#' || *p == ';' || (value = strchr(p, '=')) == NULL)
			continue;
		*value++ = '\0';
		p = trimmed(p);
		value = trimmed(value);
		if (d != NULL) {
			set(d, p, value);
		} else if (in_sssd && ae_str_eq_nocase(p, "domains")) {
			chosen = true;
			(void)snprintf(on, sizeof(on), "%s", value);
		}
	}
	for (i = 0; i < n; i++) {
		v[i].renews_password = v[i].renews_password &&
		    ae_str_eq_nocase(v[i].provider, "ad");
		if (!chosen || listed(on, v[i].name))
			v[kept++] = v[i];
	}
	return kept;
}
