/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: a message that somebody pastes, out of which codes are picked.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "diag/code.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_diag_mention m[AE_DIAG_MENTIONS_MAX];
	const struct ae_diag_text *checks[16];
	size_t n = ae_diag_scan_word(m, (const char *)p, len), i;

	if (n > AE_DIAG_MENTIONS_MAX)
		abort();
	for (i = 0; i < n; i++) {
		if (m[i].kind == AE_DIAG_A_CODE)
			(void)ae_diag_code_checks(checks, 16, &m[i].code);
		else if (m[i].kind == AE_DIAG_AN_EVENT)
			(void)ae_diag_event_checks(checks, 16, &m[i].event);
		else if (m[i].check == NULL)
			abort();
	}
	return 0;
}
