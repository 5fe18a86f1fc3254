/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Between the files of "certsrv policy".
 */
#ifndef CERTSRV_POLICY_H
#define CERTSRV_POLICY_H

#include "base/err.h"
#include "cli.h"
#include "rules/rules.h"

/* One policy file; errors begin with its name, line and column. */
int policy_load(
    struct ae_rules **out, const char *path, struct ae_err *e) AE_MUST_CHECK;

/* "try": argv[0] is it. */
int policy_try(struct cli *cli, int argc, char **argv);

#endif
