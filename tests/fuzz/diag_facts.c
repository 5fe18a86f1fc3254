/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Door: what probes saw, which is what files, a directory and a CA said.
 * Whatever it is, a report comes of it, and in the page nothing of it is
 * markup.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "diag/diag.h"
#include "diag/report.h"
#include "../unit/diag/said.h"

#define OUT_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t len);

/* What no page of ours has, a foreign string has put there. */
static void
check_page(const struct ae_wr *w)
{
	if (!ae_wr_ok(w) || memmem(w->p, w->len, "<script", 7) != NULL ||
	    memmem(w->p, w->len, "<img", 4) != NULL ||
	    memmem(w->p, w->len, "</html>", 7) == NULL)
		abort();
}

static void
show(const json_t *report, enum ae_diag_lang lang)
{
	json_t *list = json_pack("[O]", report);
	struct ae_wr w;

	ae_wr_init(&w, OUT_MAX);
	ae_diag_report_text(&w, report, lang, true);
	if (!ae_wr_ok(&w) || memchr(w.p, '\033', w.len) != NULL)
		abort();
	ae_wr_reset(&w);
	ae_diag_report_html(&w, list, lang);
	check_page(&w);
	ae_wr_done(&w);
	json_decref(list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t len)
{
	struct ae_diag *d = NULL;
	struct ae_err e = AE_ERR_INIT;
	json_t *facts, *report;
	enum ae_diag_lang lang;

	facts = json_loadb((const char *)p, len, JSON_ALLOW_NUL, NULL);
	if (!json_is_object(facts)) {
		json_decref(facts);
		return 0;
	}
	if (ae_diag_make(&d, facts, &e) != AE_OK)
		abort();
	/* Every judge names the values that its sentence wants. */
	if (said_is_whole(d) != NULL)
		abort();
	for (lang = AE_DIAG_EN; lang < AE_DIAG_LANGS; lang++) {
		report = ae_diag_report(d, facts, lang);
		if (report == NULL)
			abort();
		show(report, lang);
		json_decref(report);
	}
	ae_diag_free(d);
	json_decref(facts);
	return 0;
}
