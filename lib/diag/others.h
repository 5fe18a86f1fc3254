/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What else on this host has to do with its certificates – certmonger with
 * cepces, Samba's group policy extension, adsys, SSSD – and how each stands.
 * For whoever has them and not this client, too; no finding by itself, what
 * is wrong with them is a row of check_foreign.c.
 */
#ifndef AE_DIAG_OTHERS_H
#define AE_DIAG_OTHERS_H

#include <jansson.h>

#include "diag/text.h"

/*
 * A list of { "name": "certmonger", "state": sentence }, one for each thing
 * that is to be said of each; empty when none of them is here.  New reference.
 */
json_t *ae_diag_others(const json_t *facts, enum ae_diag_lang lang);

#endif
