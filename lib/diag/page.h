/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Text for a terminal: a label and words beside it, broken at blanks.
 */
#ifndef AE_DIAG_PAGE_H
#define AE_DIAG_PAGE_H

#include "base/wr.h"
#include "diag/text.h"

#define AE_DIAG_PAGE_WIDTH 79
#define AE_DIAG_PAGE_LABEL 10

/*
 * indent blanks, the label, and s from column AE_DIAG_PAGE_LABEL + indent on.
 * What a terminal would obey is shown as \xNN.
 */
void ae_diag_page(
    struct ae_wr *w, size_t indent, const char *label, const char *s);

/* An empty line and a title of frame.txt, with the language's own colon. */
void ae_diag_page_title(
    struct ae_wr *w, const char *frame, enum ae_diag_lang lang);

/* s, and blanks up to that many columns; 0: none. */
void ae_diag_page_cell(struct ae_wr *w, const char *s, size_t width);

/* The same with a format; cut at 4096 bytes. */
void ae_diag_pagef(struct ae_wr *w, size_t indent, const char *label,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
