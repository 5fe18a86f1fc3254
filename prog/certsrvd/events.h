/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The event file: one JSON object a line, for `certsrv events` and whatever
 * else reads logs.  Written by the parent alone.
 */
#ifndef CERTSRVD_EVENTS_H
#define CERTSRVD_EVENTS_H

#include <stdint.h>

#include "base/err.h"
#include "sys/log.h"

/* MESSAGE_ID of all events of the CA; AE_EVENT tells which. */
#define EVENT_MESSAGE_ID "8c1f2b0e6a3d4f5d9e70b1c2d3a4f596"
#define EVENT_SOURCE "Microsoft-Windows-CertificationAuthority"
#define EVENT_OWN_SOURCE "certsrvd" /* what a Windows CA has no event for */

/*
 * Append one event.  Keys are those of the record without "AE_", in lower
 * case, and "time", "level", "text".  The file is made 0640.
 */
int events_append(const char *path, const struct ae_log_record *r, int64_t now,
    struct ae_err *e) AE_MUST_CHECK;

#endif
