/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Variables; see token.h.
 */
#include "rules/token.h"

#include <string.h>

#define NAME_CHARS                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789-."

static bool
token_at(struct ae_rules_token *out, const char *s)
{
	static const struct {
		const char *name;
		enum ae_rules_source source;
	} sources[] = { { "ad", AE_RULES_AD }, { "yk", AE_RULES_YK },
		{ "sdn", AE_RULES_SDN }, { "san", AE_RULES_SAN } };
	size_t i, n;

	for (i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		n = strlen(sources[i].name);
		if (strncmp(s + 1, sources[i].name, n) != 0 || s[1 + n] != ':')
			continue;
		out->start = s;
		out->source = sources[i].source;
		out->source_name = sources[i].name;
		out->name = s + 1 + n + 1;
		out->name_len = strspn(out->name, NAME_CHARS);
		out->len = 1 + n + 1 + out->name_len + 1;
		return out->name[out->name_len] == '}';
	}
	return false;
}

bool
ae_rules_token_next(struct ae_rules_token *out, const char *s)
{
	for (s = strchr(s, '{'); s != NULL; s = strchr(s + 1, '{'))
		if (token_at(out, s))
			return true;
	return false;
}
