/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * LDIF of templates as an administrator imports it: entries, and what is
 * made of the first as a template, written and read again.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ad/ldif.h"
#include "ad/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ae_template *t = NULL;
	struct ae_entries l, again;
	struct ae_err e = AE_ERR_INIT;
	struct ae_wr w;

	if (ae_ldif_parse(&l, "fuzz", data, size, &e) != AE_OK)
		return 0;
	if (l.n != 0) {
		ae_wr_init(&w, 4 * AE_LDIF_MAX);
		ae_ldif_put(&w, l.v[0].dn, l.v[0].attrs, l.v[0].n);
		/* what we wrote we read */
		if (ae_wr_ok(&w) && w.len <= AE_LDIF_MAX &&
		    ae_ldif_parse(&again, "again", w.p, w.len, &e) == AE_OK) {
			if (again.n != 1 ||
			    strcmp(again.v[0].dn, l.v[0].dn) != 0)
				abort();
			ae_entries_done(&again);
		}
		ae_wr_done(&w);
		if (ae_template_decode(&t, &l.v[0], &e) == AE_OK)
			ae_template_free(t);
	}
	ae_entries_done(&l);
	return 0;
}
