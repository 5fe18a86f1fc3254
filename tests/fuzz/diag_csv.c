/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: a file of events that somebody exported, read, judged and shown.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/utf16.h"
#include "diag/csv_report.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_diag_judge *j = ae_diag_judge_new();
	struct ae_diag_csv *c = ae_diag_csv_new(ae_diag_judge_row, j);
	const struct ae_diag_verdict *v;
	struct ae_wr w;

	if (j == NULL || c == NULL)
		abort();
	if (ae_diag_csv_feed(c, p, len, NULL) == AE_OK)
		(void)!ae_diag_csv_end(c, NULL);
	v = ae_diag_judge_end(j);
	if (v->nfound > AE_DIAG_FOUND_MAX + 2 ||
	    (v->root != NULL && v->root->state != AE_DIAG_OPEN))
		abort();
	ae_wr_init(&w, 1u << 20);
	ae_diag_csv_text(&w, v, "f.csv", "host", NULL, AE_DIAG_FR, true);
	if (ae_wr_ok(&w) && !ae_utf8_valid(ae_wr_cstr(&w)))
		abort();
	ae_wr_done(&w);
	json_decref(ae_diag_csv_report(v, "f.csv", "host", NULL, AE_DIAG_EN));
	ae_diag_csv_free(c);
	ae_diag_judge_free(j);
	return 0;
}
