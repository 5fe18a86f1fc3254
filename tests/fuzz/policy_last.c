/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: the settings that an earlier run left on disk.
 */
#include <stddef.h>
#include <stdint.h>

#include "policy/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_policy_last l;
	const char *text;
	struct ae_rd r;
	char words[128];

	ae_rd_init(&r, p, len);
	if (ae_policy_last_get(&l, &r, NULL) != AE_OK)
		return 0;
	(void)ae_settings_text(l.settings, words, sizeof(words));
	ae_settings_judge_servers(l.settings, NULL);
	(void)ae_settings_servers_check(l.settings, &text);
	ae_policy_last_done(&l);
	return 0;
}
