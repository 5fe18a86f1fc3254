/* SPDX-License-Identifier: Apache-2.0 */
/* Copyright the autoenroll authors. */
/*
 * What was deployed last, so that a hook is told of each certificate once,
 * and again when it failed.  A text file, a line a template.
 */
#ifndef AE_DEPLOY_STATE_H
#define AE_DEPLOY_STATE_H

#include <stddef.h>

#include "base/err.h"
#include "base/wr.h"

#define AE_DEPLOY_STATE_MAX (256u * 1024u)

struct ae_deployed {
	char tmpl[65];
	char thumbprint[41]; /* of what was deployed with success */
	unsigned number;
};

struct ae_deployed_list {
	struct ae_deployed *v;
	size_t n;
};

/* AE_EPROTO for a line that is not ours. */
int ae_deployed_parse(struct ae_deployed_list *out, const char *text,
    size_t len, struct ae_err *e) AE_MUST_CHECK;
void ae_deployed_print(struct ae_wr *w, const struct ae_deployed_list *l);
void ae_deployed_done(struct ae_deployed_list *l);

/* NULL when that template was never deployed. */
struct ae_deployed *ae_deployed_find(
    const struct ae_deployed_list *l, const char *tmpl);

int ae_deployed_set(struct ae_deployed_list *l, const char *tmpl,
    const char *thumbprint, unsigned number, struct ae_err *e) AE_MUST_CHECK;
void ae_deployed_drop(struct ae_deployed_list *l, const char *tmpl);

#endif
