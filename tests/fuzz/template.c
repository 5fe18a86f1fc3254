/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: a template entry.  The input is a list of attributes: one byte says
 * which, one how many values, then length byte and bytes of each; what
 * decodes must survive our own encoding.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "ad/enrollment_service.h"
#include "ad/template.h"

#define ATTRS 40
#define VALUES 64

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

static void
through(const struct ae_entry *entry)
{
	struct ae_template *t = NULL, *again = NULL;
	struct ae_enrollment_service *s = NULL;
	struct ae_wr w;
	struct ae_rd r;

	if (ae_enrollment_service_decode(&s, entry, NULL) == AE_OK)
		ae_enrollment_service_free(s);
	if (ae_template_decode(&t, entry, NULL) != AE_OK)
		return;
	ae_wr_init(&w, AE_TEMPLATE_ENCODED_MAX);
	ae_template_put(&w, t);
	if (ae_wr_ok(&w)) {
		ae_rd_init(&r, w.p, w.len);
		if (ae_template_get(&again, &r, NULL) != AE_OK ||
		    !ae_rd_done(&r))
			abort();
	}
	ae_template_free(again);
	ae_template_free(t);
	ae_wr_done(&w);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_value values[ATTRS][VALUES];
	struct ae_attr attrs[ATTRS];
	struct ae_entry entry = { "CN=fuzz", attrs, 0 };
	struct ae_template *t = NULL;
	struct ae_rd r;
	size_t names = 0, i, n;

	while (ae_template_attrs[names] != NULL)
		names++;
	ae_rd_init(&r, p, len);
	while (entry.n < ATTRS && ae_rd_left(&r) > 0) {
		attrs[entry.n].name = ae_template_attrs[ae_rd_u8(&r) % names];
		n = ae_rd_u8(&r) % (VALUES + 1);
		for (i = 0; i < n; i++) {
			values[entry.n][i].len = ae_rd_u8(&r);
			values[entry.n][i].p =
			    ae_rd_take(&r, values[entry.n][i].len);
			if (!ae_rd_ok(&r))
				n = i;
		}
		attrs[entry.n].v = values[entry.n];
		attrs[entry.n].n = n;
		entry.n++;
	}
	through(&entry);
	ae_rd_init(&r, p, len);
	if (ae_template_get(&t, &r, NULL) == AE_OK)
		ae_template_free(t);
	return 0;
}
