/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Questions as bytes: to remember what a connection was asked, and to have
 * the next one ask all of it at once, ahead of who wants to know.  What is
 * remembered decides nothing: an answer is only ever used for the very
 * question it was given to, on the same connection; a question that nobody
 * repeats was asked in vain.
 */
#ifndef AE_AD_AHEAD_H
#define AE_AD_AHEAD_H

#include "ad/ad.h"
#include "base/rd.h"
#include "base/wr.h"

#define AE_AD_AHEAD_MAX 48u /* questions */

/* Ahead of its length, so that a list is one after the other. */
void ae_ad_question_put(struct ae_wr *w, const struct ae_ad_query *q);

/*
 * The next of a list: *bytes and *len are its own bytes, what
 * ae_ad_question_put writes for *q, which is in a.  False when there is no
 * more, or when it is no question: r tells.
 */
bool ae_ad_question_get(struct ae_ad_query *q, const uint8_t **bytes,
    size_t *len, struct ae_arena *a, struct ae_rd *r);

#endif
