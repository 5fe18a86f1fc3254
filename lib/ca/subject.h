/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Inside the CA folder: the names of the certificate.
 */
#ifndef AE_CA_SUBJECT_H
#define AE_CA_SUBJECT_H

#include "ca/work.h"

/* Fill subject and alternative names; asks the directory where it must. */
int ae_ca_subject(struct ae_ca_work *w);

#endif
