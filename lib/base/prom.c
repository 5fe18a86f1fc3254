/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Prometheus' text format; see prom.h.
 */
#include "base/prom.h"

#include <inttypes.h>

#include "base/utf16.h"

/* In help a quote is only a quote. */
static void
put_escaped(struct ae_wr *w, const char *s, bool quoted)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\')
			ae_wr_str(w, "\\\\");
		else if (*s == '\n')
			ae_wr_str(w, "\\n");
		else if (*s == '"' && quoted)
			ae_wr_str(w, "\\\"");
		else
			ae_wr_u8(w, (uint8_t)*s);
	}
}

void
ae_prom_head(
    struct ae_wr *w, const char *name, const char *type, const char *help)
{
	ae_wr_printf(w, "# HELP %s ", name);
	put_escaped(w, help, false);
	ae_wr_printf(w, "\n# TYPE %s %s\n", name, type);
}

void
ae_prom_gauge(struct ae_wr *w, const char *name, const char *help)
{
	ae_prom_head(w, name, "gauge", help);
}

void
ae_prom_sample(struct ae_wr *w, const char *name,
    const struct ae_prom_label *labels, size_t n, int64_t value)
{
	size_t i;

	ae_wr_str(w, name);
	for (i = 0; i < n; i++) {
		const char *v = labels[i].value;

		ae_wr_printf(w, "%s%s=\"", i == 0 ? "{" : ",", labels[i].name);
		if (v != NULL && ae_utf8_valid(v))
			put_escaped(w, v, true);
		ae_wr_u8(w, '"');
	}
	ae_wr_printf(w, "%s %" PRId64 "\n", n > 0 ? "}" : "", value);
}
