/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Fuzz door: policy files, and the patterns in them against a few values.
 */
#include <stddef.h>
#include <stdint.h>

#include "rules/rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void
match(const struct ae_rules_patterns *l)
{
	static const char *const values[] = { "", "www.example.com", "10.1.2.3",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
		"J\xc3\xb6hn Doe" };
	size_t i, at;

	for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		(void)ae_rules_allowed(l, values[i]);
		for (at = 0; ae_rules_denied(l, values[i], &at) != NULL;)
			;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_rules *r = NULL;
	size_t i;

	if (ae_rules_load(&r, "fuzz.xml", p, len, NULL) != AE_OK)
		return 0;
	for (i = 0; i < r->subject.n; i++)
		match(&r->subject.v[i].patterns);
	for (i = 0; i < r->san.n; i++)
		match(&r->san.v[i].patterns);
	ae_rules_free(r);
	return 0;
}
