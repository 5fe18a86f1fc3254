/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between ca and ad: what the rules of a policy file ask about an object of
 * the directory, and the answer.
 */
#ifndef CERTSRVD_OBJECT_H
#define CERTSRVD_OBJECT_H

#include <stdbool.h>

#include "proto.h"
#include "rules/judge.h"

#define OBJECT_ASK_MAX (256u * 1024u)
#define OBJECT_ANSWER_MAX (1024u * 1024u)

void put_question(struct ae_wr *w, const struct ae_rules_question *q,
    const struct ae_sid *own);
void get_question(struct ae_rd *r, struct ae_rules_question *q,
    struct ae_sid *own, struct ae_arena *a);
/* ok false: it could not be asked; then nothing of o is said. */
void put_object(struct ae_wr *w, bool ok, const struct ae_rules_object *o);
void get_object(
    struct ae_rd *r, bool *ok, struct ae_rules_object *o, struct ae_arena *a);

#endif
