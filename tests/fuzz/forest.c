/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: sites and domains of the forest.  The input is a list of objects
 * divided by empty lines, each a DN and then "attribute: value".
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ad/forest.h"
#include "ad/sites.h"

#define OBJECTS 64
#define ATTRS 8
#define VALUES 8

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

struct objects {
	struct ae_entry v[OBJECTS];
	struct ae_attr attrs[OBJECTS][ATTRS];
	struct ae_value values[OBJECTS][ATTRS][VALUES];
};

static void
add(struct objects *o, struct ae_entry *en, char *name, char *value)
{
	size_t i = (size_t)(en - o->v), k;
	struct ae_attr *a;

	for (k = 0; k < en->n; k++)
		if (strcmp(o->attrs[i][k].name, name) == 0)
			break;
	if (k == ATTRS)
		return;
	a = &o->attrs[i][k];
	if (k == en->n) {
		*a = (struct ae_attr){ .name = name, .v = o->values[i][k] };
		en->n++;
	}
	if (a->n < VALUES)
		o->values[i][k][a->n++] =
		    (struct ae_value){ (const uint8_t *)value, strlen(value) };
}

static void
read_text(struct objects *o, struct ae_entries *l, char *text)
{
	char *line, *value;

	l->v = o->v;
	while ((line = strsep(&text, "\n")) != NULL) {
		struct ae_entry *en = l->n == 0 ? NULL : &o->v[l->n - 1];

		if (line[0] == '\0')
			continue;
		value = strstr(line, ": ");
		if (value == NULL) {
			if (l->n == OBJECTS)
				return;
			o->v[l->n] = (struct ae_entry){ .dn = line,
				.attrs = o->attrs[l->n] };
			l->n++;
		} else if (en != NULL) {
			*value = '\0';
			add(o, en, line, value + 2);
		}
	}
}

static void
sites(const struct ae_entries *l)
{
	static const uint8_t address[16] = { 192, 0, 2, 30 };
	uint32_t costs[OBJECTS], back[OBJECTS];
	struct ae_ad_sites *s = NULL;
	size_t a, b, n;

	if (ae_ad_sites_decode(&s, l, NULL) != AE_OK)
		return;
	n = ae_ad_sites_n(s);
	(void)ae_ad_site_of_address(s, address, 4);
	(void)ae_ad_site_of_address(s, address, 16);
	for (a = 0; a < n; a++) {
		if (ae_ad_sites_costs(costs, s, a, NULL) != AE_OK)
			abort();
		/* There and back are the same way. */
		for (b = 0; b < n; b++)
			if (ae_ad_sites_costs(back, s, b, NULL) != AE_OK ||
			    back[a] != costs[b] || costs[a] != 0)
				abort();
	}
	ae_ad_sites_free(s);
}

static void
domains(const struct ae_entries *l)
{
	static struct ae_ad_forest f;
	struct ae_sid sid = { 5, 5, { 21, 1, 2, 3, 500 } };

	memset(&f, 0, sizeof(f));
	if (ae_ad_forest_take_domains(&f, l, NULL) != AE_OK)
		return;
	ae_ad_forest_take_trusts(&f, l);
	(void)ae_ad_forest_by_sid(&f, &sid);
	(void)ae_ad_forest_by_netbios(&f, "LAB\\x", 3);
	(void)ae_ad_forest_by_host(&f, "dc1.lab.example");
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	static struct objects o;
	struct ae_entries l = { .arena = ae_arena_new(1024 * 1024) };
	char *text = calloc(1, len + 1);

	if (text != NULL && l.arena != NULL) {
		if (len > 0)
			memcpy(text, p, len);
		read_text(&o, &l, text);
		sites(&l);
		domains(&l);
	}
	free(text);
	ae_arena_free(l.arena);
	return 0;
}
