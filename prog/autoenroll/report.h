/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * Reading a run's report.  Nearly all of it are reasons, of which a person
 * is shown one for each template unless he asks for more.
 */
#ifndef AE_CLI_REPORT_H
#define AE_CLI_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * All of it, or of the plan's reasons only those that decided: of each
 * template the first that fails.  New reference; NULL: it cannot be read.
 */
json_t *report_read(const char *text, size_t len, bool all);

#endif
