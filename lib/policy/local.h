/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * The local layer: policy.conf, which overrides single settings of group
 * policy on one machine, or for one user.
 */
#ifndef AE_POLICY_LOCAL_H
#define AE_POLICY_LOCAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "base/wr.h"

#define AE_LOCAL_UNSET UINT32_MAX
#define AE_LOCAL_FILE_MAX (256u * 1024u)

struct ae_local_half {
	uint32_t ae_policy; /* AE_LOCAL_UNSET: no override */
	uint32_t expiry_percent;
	uint32_t log_level;
	uint32_t pending_days;
	struct ae_strv stores; /* empty: no override */
};
struct ae_local_policy {
	struct ae_local_half computer, user;
};

/*
 * Sections [computer] and [user], keys ae-policy, expiry-percent,
 * log-level, max-pending-days, store (repeats).  No file is no override.
 */
int ae_local_policy_read(struct ae_local_policy *out, const char *path,
    struct ae_err *e) AE_MUST_CHECK;
int ae_local_policy_parse(struct ae_local_policy *out, const char *name,
    const char *text, size_t len, struct ae_err *e) AE_MUST_CHECK;
void ae_local_policy_init(struct ae_local_policy *l);
void ae_local_policy_done(struct ae_local_policy *l);

/*
 * The key of the file for a registry value ("AEPolicy"), in any case; NULL:
 * there is none.  *list: its value is a list separated by ';'.
 */
const char *ae_local_key(const char *registry, bool *list);

/*
 * The text of a policy.conf with a key of a section set to these values, one
 * line each (n 0: taken out).  All other lines, comments among them, stay.
 */
void ae_local_edit(struct ae_wr *out, const char *text, size_t len,
    const char *section, const char *key, const char *const *values, size_t n);

#endif
