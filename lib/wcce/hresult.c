/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Looking HRESULTs up and printing them the way Windows does.
 */
#include "wcce/hresult.h"

#include <stdio.h>

#include "base/str.h"

const struct ae_hresult *
ae_hresult_find(uint32_t value)
{
	size_t lo = 0, hi = ae_hresult_count, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (ae_hresult_table[mid].value == value)
			return &ae_hresult_table[mid];
		if (ae_hresult_table[mid].value < value)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

const struct ae_hresult *
ae_hresult_find_symbol(const char *symbol)
{
	size_t i;

	for (i = 0; i < ae_hresult_count; i++)
		if (ae_str_eq_nocase(ae_hresult_table[i].symbol, symbol))
			return &ae_hresult_table[i];
	return NULL;
}

const char *
ae_hresult_print(char out[AE_HRESULT_STR_MAX], uint32_t value)
{
	const struct ae_hresult *h = ae_hresult_find(value);

	if (h == NULL)
		snprintf(out, AE_HRESULT_STR_MAX, "0x%08x (%d)", value,
		    (int32_t)value);
	else
		snprintf(out, AE_HRESULT_STR_MAX, "%s. 0x%08x (%d %s)", h->text,
		    value, (int32_t)value, h->symbol);
	return out;
}

const char *
ae_hresult_symbol(char out[16], uint32_t value)
{
	const struct ae_hresult *h = ae_hresult_find(value);

	if (h != NULL)
		return h->symbol;
	snprintf(out, 16, "0x%08x", value);
	return out;
}
