/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Probe of the store, continued: what we put into the system's trust, and
 * whether the file that programs read has it.
 *
 *   "store": { …, "anchors": [ { "path", "bundle", "in_bundle": bool } ] }
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "deploy/trust.h"
#include "probe_pki.h"
#include "sys/files.h"

#define BUNDLE_MAX (16u << 20)
#define ANCHOR_MAX (128u << 10)

/* clang-format off */
static const struct {
	const char *method, *dir, *bundle;
} places[] = {
	{ "ca-certificates", "/usr/local/share/ca-certificates",
	  "/etc/ssl/certs/ca-certificates.crt" },
	{ "ca-trust", "/etc/pki/ca-trust/source/anchors",
	  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem" },
};
/* clang-format on */

/* The text without its line breaks, which everybody sets elsewhere. */
static char *
one_line(const char *path, size_t max)
{
	uint8_t *text = NULL;
	size_t len, i, n = 0;

	if (ae_file_read(&text, &len, path, max, NULL) != AE_OK)
		return NULL;
	for (i = 0; i < len; i++)
		if (text[i] > ' ')
			text[n++] = text[i];
	text[n] = '\0'; /* ae_file_read left room for one */
	return (char *)text;
}

static bool
is_in(const char *bundle, char *anchor)
{
	static const char begin[] = "-----BEGINCERTIFICATE-----";
	char *from = strstr(anchor, begin), *to;

	if (from == NULL)
		return false;
	from += sizeof(begin) - 1;
	to = strstr(from, "-----END");
	if (to == NULL || to == from)
		return false;
	*to = '\0';
	return strstr(bundle, from) != NULL;
}

static void
look(json_t *list, const struct client *c, const struct ae_manifest *m,
    size_t place)
{
	char path[4096], file[4096];
	char *bundle, *anchor;
	size_t i;

	(void)snprintf(
	    path, sizeof(path), "%s%s", c->root, places[place].bundle);
	bundle = one_line(path, BUNDLE_MAX);
	for (i = 0; bundle != NULL && i < m->n; i++) {
		(void)snprintf(file, sizeof(file), "%s%s/%s", c->root,
		    places[place].dir, m->v[i].name);
		anchor = one_line(file, ANCHOR_MAX);
		if (anchor == NULL)
			continue; /* the next run puts it back */
		(void)json_array_append_new(list,
		    json_pack("{s:s, s:s, s:b}", "path", file, "bundle", path,
			"in_bundle", is_in(bundle, anchor)));
		free(anchor);
	}
	free(bundle);
}

json_t *
probe_anchors(const struct client *c)
{
	struct ae_trust t = { .root = c->root, .state_dir = c->state_dir };
	struct ae_manifest m = { 0 };
	json_t *list = json_array();
	size_t i;

	if (ae_trust_manifest(&m, &t, NULL) == AE_OK)
		for (i = 0; i < sizeof(places) / sizeof(places[0]); i++)
			if (strcmp(places[i].method, m.method) == 0)
				look(list, c, &m, i);
	ae_manifest_done(&m);
	return list;
}
