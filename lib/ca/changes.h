/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What has changed of a template in the directory, as far as it decides who
 * gets what (ESC4): somebody who may write a template makes it what he needs.
 */
#ifndef AE_CA_CHANGES_H
#define AE_CA_CHANGES_H

#include "ad/template.h"
#include "base/wr.h"

/*
 * "msPKI-Certificate-Name-Flag 0x08000000 -> 0x00000001; …" of one and the
 * same template then and now; of a list and of the descriptor what came (+)
 * and went (-).  How many attributes; 0: none, and nothing was written.  What
 * w has no room for is missing at the end: it is for reading.
 */
size_t ae_ca_template_changes(struct ae_wr *w, const struct ae_template *then,
    const struct ae_template *now);

#endif
